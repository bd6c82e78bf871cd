/*
 * Why: everything that an event has stored, rule by rule and lot by lot. It is read back from the journal; nothing is
 * judged again.
 */
#include <stdlib.h>
#include <string.h>

#include "ledger/event_walk.h"
#include "ledger/fold.h"
#include "service/internal.h"

#define MOVES_MAX 1000
#define SLICE_BYTES (1024u * 1024)

/* --- the answer --- */

static void goods_for_wire(const struct service *service, const struct goods_return *goods,
                           struct msg_why_answer *out)
{
    out->programme_version = goods->programme_version;
    out->amount = goods->amount;
    out->base = goods->base_back;
    out->due = points_to_wire(service, goods->due);
    out->taken = points_to_wire(service, goods->taken);
    out->given_back = points_to_wire(service, goods->given_back);
    out->shortfall = points_to_wire(service, goods->shortfall);
}

static void purchase_for_wire(struct service *service, const struct purchase *purchase,
                              struct msg_why_answer *out)
{
    const struct programme *programme =
        service->view.programme(service->view.ctx, purchase->programme_version, 0);
    out->programme_version = purchase->programme_version;
    code_for_wire(tier_name(service, purchase->tier), &out->tier);
    out->amount = purchase->amount;
    out->base = purchase->base;
    out->paid = (uint64_t)purchase->paid;
    out->earned = points_to_wire(service, purchase->earned);
    out->trimmed = points_to_wire(service, purchase->trimmed);
    out->settled = points_to_wire(service, purchase->settled);
    if (purchase->earned > 0) {
        out->matures = day_for_wire(purchase->matures);
        out->last_day = day_for_wire(purchase->last_day);
    }
    out->parts_count = parts_for_wire(service, programme, purchase->parts, purchase->part_count);
    out->parts = service->parts;
}

static void redemptions_for_wire(struct service *service, const struct redemption *redemptions,
                                 uint32_t count, struct msg_why_answer *out)
{
    spent_for_wire(service, redemptions, count);
    out->spent_count = count;
    out->spent = service->spent;
}

/* What is of one type only. */
static void detail_for_wire(struct service *service, const struct event *event, struct msg_why_answer *out)
{
    if (event->type == EVENT_PURCHASE) {
        purchase_for_wire(service, &event->purchase, out);
        redemptions_for_wire(service, event->purchase.redemptions, event->purchase.redemption_count, out);
    } else if (event->type == EVENT_RETURN || event->type == EVENT_UNLINKED_RETURN) {
        goods_for_wire(service, &event->goods_return, out);
    } else if (event->type == EVENT_REVERSAL) {
        goods_for_wire(service, &event->reversal.goods, out);
        out->taken = points_to_wire(service, event->reversal.taken);
        out->given_back = points_to_wire(service, event->reversal.given);
    } else if (event->type == EVENT_REDEMPTION || event->type == EVENT_CAPTURE) {
        redemptions_for_wire(service, &event->redemption.made, 1, out);
    } else if (event->type == EVENT_HOLD) {
        redemptions_for_wire(service, &event->hold.wanted, 1, out);
    } else if (event->type == EVENT_BONUS) {
        out->programme_version = event->bonus.programme_version;
        out->earned = points_to_wire(service, event->bonus.points);
    } else if (event->type == EVENT_AWARD_MOVED) {
        out->settled = points_to_wire(service, event->award_moved.settled);
    } else if (event->type == EVENT_RETURN_WAITING) {
        out->amount = event->waiting.amount;
    } else if (event->type == EVENT_PROGRAMME) {
        out->programme_version = event->programme.version;
    } else if (event->type == EVENT_REFUSAL) {
        out->result = event->refusal.result;
    } else if (event->type == EVENT_PROPOSAL) {
        out->result = RESULT_NEEDS_APPROVAL;
        out->amount = event->proposal.amount;
    }
}

static void moves_for_wire(const struct service *service, const struct event *event,
                           struct msg_why_answer *out)
{
    for (uint32_t i = 0; i < event->effect_count; i++) {
        const struct effect *effect = &event->effects[i];
        for (uint32_t j = 0; j < effect->lot_change_count && out->moves_count < MOVES_MAX; j++) {
            const struct lot_change *change = &effect->lot_changes[j];
            bool dated = change->kind == LOT_ADD || change->kind == LOT_TAKE || change->kind == LOT_CAPTURE;
            struct msg_move *move = &out->moves[out->moves_count++];
            message_init(MESSAGE_move, move);
            move->kind = change->kind;
            move->lot = change->lot;
            move->points = points_to_wire(service, change->points);
            move->matures = dated ? day_for_wire(change->matures) : 0;
            move->last_day = dated ? day_for_wire(change->last_day) : 0;
            move->account = effect->account;
        }
    }
}

/* Whose event it is: `wanted`, or the first that it touches. */
static void account_for_wire(const struct service *service, const struct event *event, account_number wanted,
                             struct msg_why_answer *out)
{
    if (event->type == EVENT_CARDS_ISSUED) {
        out->account = wanted != 0 ? wanted : event->cards_issued.first_account;
        out->points = points_to_wire(service, event->cards_issued.welcome.points);
        out->earned = out->points;
        out->balance = out->points;
        out->matures = day_for_wire(event->cards_issued.welcome.matures);
        out->last_day = day_for_wire(event->cards_issued.welcome.last_day);
    } else if (event->type == EVENT_REFUSAL) {
        out->account = event->refusal.account;
    } else if (event->type == EVENT_PROPOSAL) {
        out->account = event->proposal.account;
    }
    for (uint32_t i = 0; i < event->effect_count; i++) {
        const struct effect *effect = &event->effects[i];
        if (wanted != 0 ? effect->account != wanted : i > 0)
            continue;
        out->account = effect->account;
        out->points = points_to_wire(service, effect->change);
        out->balance = points_to_wire(service, effect->balance);
        out->debt_added = points_to_wire(service, effect->debt_added);
        out->debt_settled = points_to_wire(service, effect->debt_settled);
    }
}

static struct message_text name_for_wire(const struct service *service, uint64_t identity,
                                         struct actor_name *name)
{
    *name = actor_name(service, identity);
    return (struct message_text){ name->text, strlen(name->text) };
}

/* Who asked for it, and who approved it: what was proposed is booked by who approved it. */
static void actors_for_wire(const struct service *service, const struct event *event,
                            struct actor_name names[2], struct msg_why_answer *out)
{
    struct proposal_record proposal = { .identity = event->request.identity };
    if (event->approves != 0) {
        PUNKT_CHECK(fold_proposal(ledger_fold(service->ledger), event->approves, &proposal));
        out->approved_by = name_for_wire(service, event->request.identity, &names[1]);
    }
    out->actor = name_for_wire(service, proposal.identity, &names[0]);
}

static void answer_why(struct request *request, const struct event *event, journal_position position,
                       account_number account)
{
    struct service *service = request->service;
    union message_any answer;
    struct msg_why_answer *out = &answer.why_answer;
    struct actor_name names[2];
    message_init(MESSAGE_why_answer, out);
    out->moves = calloc(MOVES_MAX, sizeof(*out->moves));
    if (out->moves == NULL) {
        refuse_now(request, RESULT_BUSY, "out of memory");
        return;
    }
    out->position = position;
    out->kind = event->type;
    out->booked = (uint64_t)event->time;
    out->time = (uint64_t)event->occurred;
    code_for_wire(event->store, &out->store);
    code_for_wire(event->till, &out->till);
    code_for_wire(event->document.number, &out->receipt);
    if (event->document.kind != DOCUMENT_NONE)
        out->date = day_for_wire(event->document.business_date);
    else if (event->business_date != 0)
        out->date = day_for_wire(event->business_date);
    code_for_wire(event->operator, & out->operator);
    code_for_wire(event_reason(event), &out->reason);
    struct text note = event_note(event);
    out->note = (struct message_text){ note.data, note.size };
    out->refers = event_refers(event);
    out->flags = event->flags;
    account_for_wire(service, event, account, out);
    detail_for_wire(service, event, out);
    moves_for_wire(service, event, out);
    actors_for_wire(service, event, names, out);
    answer_read(request, &answer, position);
    free(out->moves);
}

/* --- which event --- */

/* The account of the event that is the card's, or has gone into it. 0: it is not of this card's account. */
static account_number account_of_card(struct service *service, const struct event *event, struct text number)
{
    struct fold *fold = ledger_fold(service->ledger);
    struct card card;
    if (!fold_card(fold, number, &card))
        return 0;
    const account_number own[] = { card.account, card.suspense };
    for (uint32_t i = 0; i < COUNT_OF(own); i++) {
        account_number now = own[i];
        journal_position last;
        if (now == 0 || !fold_account_event(fold, &now, &last))
            continue;
        const struct effect *effect;
        journal_position previous;
        if (event_of_account(event, own[i], &effect, &previous))
            return own[i];
        if (event_of_account(event, now, &effect, &previous))
            return now;
        for (uint32_t j = 0; j < event->effect_count; j++) {
            account_number account = event->effects[j].account;
            if (fold_account_event(fold, &account, &last) && account == now)
                return event->effects[j].account;
        }
    }
    return 0;
}

/* The event is one: answers it, if it is of the card's account. */
static void explain(struct request *request, const struct event *event, journal_position position,
                    struct text card)
{
    account_number account = 0;
    if (card.size > 0) {
        account = account_of_card(request->service, event, card);
        if (account == 0) {
            struct card known;
            bool is_card = fold_card(ledger_fold(request->service->ledger), card, &known);
            refuse_read(request, is_card ? RESULT_OTHER_ACCOUNT : RESULT_UNKNOWN_CARD, "");
            return;
        }
    }
    answer_why(request, event, position, account);
}

/*
 * The position of an event that no index leads to (of the daemon itself, say) may be the client's own, and bytes inside
 * another event may look like one: its block is read, and the event must begin there.
 */
struct why_query {
    struct pending pending;
    struct ledger_job job;
    struct event_walk walk;
    journal_position position;
    bool found;
    struct wire_code card;
    size_t size;
    uint8_t bytes[]; /* of the event */
};

static void why_drop(struct pending *pending)
{
    free(pending); /* the first member */
}

static struct why_query *query_of(struct ledger_job *job)
{
    return (struct why_query *)(void *)((char *)job - offsetof(struct why_query, job));
}

static enum punkt_status why_visit(void *ctx, const struct event *event, journal_position position,
                                   struct failure *failure)
{
    struct why_query *query = ctx;
    (void)event;
    if (position < query->position)
        return PUNKT_OK;
    query->found = position == query->position;
    failure_set(failure, "far enough");
    return PUNKT_NOT_FOUND;
}

static enum job_step why_run(struct ledger_job *job, struct reading *reading)
{
    struct why_query *query = query_of(job);
    struct failure failure;
    query->walk.visit = why_visit;
    query->walk.ctx = query;
    return event_walk_slice(&query->walk, reading, SLICE_BYTES, &failure) == PUNKT_BUSY ? JOB_MORE : JOB_DONE;
}

static void why_done(struct ledger_job *job)
{
    struct why_query *query = query_of(job);
    struct service *service = query->pending.service;
    struct request request = pending_request(&query->pending);
    const struct event *event = NULL;
    if (query->found) {
        fetched_clear(service);
        fetched_take(service, query->position, query->bytes, query->size);
        PUNKT_CHECK(fetched_event(&request, query->position, &event));
    }
    if (event != NULL)
        explain(&request, event, query->position, text_of_code(&query->card));
    else
        refuse_now(&request, RESULT_UNKNOWN_EVENT, "");
    pending_remove(&query->pending);
    why_drop(&query->pending);
}

static void look_for_it(struct request *request, const struct event *event, journal_position position)
{
    struct service *service = request->service;
    struct text bytes = fetched_bytes(service, position);
    struct why_query *query = calloc(1, sizeof(*query) + bytes.size);
    if (query == NULL) {
        refuse_now(request, RESULT_BUSY, "out of memory");
        return;
    }
    pending_add(&query->pending, request, why_drop);
    query->position = position;
    query->card = request->message->why_request.card;
    query->size = bytes.size;
    memcpy(query->bytes, bytes.data, bytes.size);
    query->walk.from = event->time;
    query->walk.until = ledger_durable(service->ledger);
    query->job = (struct ledger_job){ .run = why_run, .done = why_done };
    ledger_submit(service->ledger, &query->job);
}

enum handled handle_why(struct request *request)
{
    struct service *service = request->service;
    const struct msg_why_request *message = &request->message->why_request;
    static const struct wire_code nowhere = { .size = 0 };
    struct sale_name name = { .position = message->event,
                              .store = &message->store,
                              .till = &message->till,
                              .here_store = &nowhere,
                              .here_till = &nowhere,
                              .receipt = &message->receipt,
                              .date = message->date,
                              .on = today(service) };
    struct document document;
    journal_position position = sale_find(request, &name, &document);
    if (position == 0) {
        refuse_read(request, message->event != 0 ? RESULT_UNKNOWN_EVENT : RESULT_UNKNOWN_PURCHASE, "");
        return HANDLED;
    }
    const struct event *event;
    if (!fetched_event(request, position, &event))
        return HANDLED_FETCH;
    if (event == NULL)
        refuse_now(request, message->event != 0 ? RESULT_UNKNOWN_EVENT : RESULT_BUSY,
                   message->event != 0 ? "" : JOURNAL_UNREADABLE);
    else if (message->event == 0 || event_is_at(service, event, position))
        explain(request, event, position, text_of_code(&message->card));
    else
        look_for_it(request, event, position);
    return HANDLED;
}
