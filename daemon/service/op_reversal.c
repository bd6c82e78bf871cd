/*
 * Reversal: finds what the original number made, and all that its undoing needs, then decides.
 */
#include "ledger/fold.h"
#include "service/internal.h"

/* A number that was passed over as malformed booked nothing: it was refused. */
static const struct event passed_over = { .type = EVENT_REFUSAL };

/* How a step of looking for the original, and for what belongs to it, came out. */
enum found {
    FOUND,       /* go on */
    FOUND_FETCH, /* something must be read back first: HANDLED_FETCH */
    FOUND_ENDED, /* answered already */
};

static bool was_passed_over(struct request *request, const struct request_name *original)
{
    struct lane_record lane;
    if (original->identity == request->lane->identity && original->epoch == request->lane->epoch)
        return original->number <= request->lane->highest;
    return fold_lane(ledger_fold(request->service->ledger), original->identity, original->epoch, &lane) &&
           original->number <= lane.highest;
}

/*
 * Where to look instead of an event that was found: a tie leads to the first, a return that waited to what it became, a
 * proposal to what was approved.
 */
static journal_position leads_to(struct request *request, const struct event *event,
                                 journal_position position)
{
    struct proposal_record proposal;
    if (event->type == EVENT_TIE)
        return event->tie.first;
    if (event->type == EVENT_PROPOSAL &&
        fold_proposal(ledger_fold(request->service->ledger), position, &proposal) &&
        proposal.state == PROPOSAL_APPROVED)
        return proposal.ended_by;
    if (event->type != EVENT_RETURN_WAITING)
        return position;
    return fold_request(ledger_fold(request->service->ledger), event->request.identity, event->request.epoch,
                        event->request.number);
}

static enum found find_original(struct request *request, struct reversal_request *reversal)
{
    const struct request_name *original = &reversal->original;
    journal_position next = fold_request(ledger_fold(request->service->ledger), original->identity,
                                         original->epoch, original->number);
    if (next == 0) {
        if (was_passed_over(request, original))
            reversal->event = &passed_over;
        return FOUND;
    }
    do {
        reversal->position = next;
        if (!fetched_event(request, reversal->position, &reversal->event))
            return FOUND_FETCH;
        if (reversal->event == NULL) {
            refuse_now(request, RESULT_BUSY,
                       "the original is in a part of the journal that cannot be read now");
            return FOUND_ENDED;
        }
        next = leads_to(request, reversal->event, reversal->position);
    } while (next != reversal->position);
    if (reversal->event->type == EVENT_PROPOSAL) {
        /* It booked nothing, and shall not later. */
        approval_withdraw(request, reversal->position);
        reversal->event = &passed_over;
        reversal->position = 0;
    }
    return FOUND;
}

/* The number was reversed before it came; not one that said so of another. */
static bool reversed_unseen(const struct reversal_request *reversal)
{
    const struct request_name *unseen = &reversal->event->reversal.original;
    return reversal->event->type == EVENT_TOMBSTONE && unseen->identity == reversal->original.identity &&
           unseen->epoch == reversal->original.epoch && unseen->number == reversal->original.number;
}

/* Undone before, or before it came: the first answer again. */
static enum found find_earlier(struct request *request, const struct reversal_request *reversal)
{
    if (reversal->position == 0)
        return FOUND;
    journal_position earlier =
        reversed_unseen(reversal)
            ? reversal->position
            : fold_reversed_by(ledger_fold(request->service->ledger), reversal->position);
    const struct event *first;
    if (earlier == 0)
        return FOUND;
    if (!fetched_event(request, earlier, &first))
        return FOUND_FETCH;
    if (first == NULL)
        refuse_now(request, RESULT_BUSY, "its reversal is in a part of the journal that cannot be read now");
    else if (first->answer_type != (OPERATION_REVERSAL | FRAME_TYPE_DONE))
        return FOUND; /* undone along with something else: the decision says that nothing is left */
    else
        tie(request, first, earlier, &first->document);
    return FOUND_ENDED;
}

static journal_position sale_of(const struct event *event, journal_position position)
{
    if (event->type == EVENT_PURCHASE)
        return position;
    if (event->type == EVENT_RETURN)
        return event->goods_return.sale;
    bool redeemed = event->type == EVENT_REDEMPTION || event->type == EVENT_CAPTURE;
    return redeemed ? event->redemption.sale : 0;
}

/* An event that the decision cannot do without. */
static enum found find_needed(struct request *request, journal_position position, const struct event **out)
{
    if (!fetched_event(request, position, out))
        return FOUND_FETCH;
    if (*out != NULL)
        return FOUND;
    refuse_now(request, RESULT_BUSY,
               "what it belongs to is in a part of the journal that cannot be read now");
    return FOUND_ENDED;
}

/* The hold's end, the purchase, what was spent on it. */
static enum found find_more(struct request *request, struct reversal_request *reversal)
{
    struct hold_state hold;
    enum found found = FOUND;
    if (reversal->event == NULL || reversal->position == 0)
        return FOUND;
    if (reversal->event->type == EVENT_HOLD &&
        fold_hold(ledger_fold(request->service->ledger), reversal->position, &hold) &&
        hold.end != HOLD_OPEN) {
        reversal->ended_position = hold.ended_by;
        found = find_needed(request, hold.ended_by, &reversal->ended);
    }
    reversal->sale_position = sale_of(reversal->event, reversal->position);
    if (found != FOUND || reversal->sale_position == 0)
        return found;
    found = find_needed(request, reversal->sale_position, &reversal->sale);
    if (found == FOUND && !spent_fetch(request, reversal->sale_position, reversal->spent_events))
        found = FOUND_FETCH;
    return found;
}

static void answer_reversal(struct request *request)
{
    struct service *service = request->service;
    struct event *event = &service->decision.event;
    union message_any answer;
    struct msg_reversal_answer *out = &answer.reversal_answer;
    message_init(MESSAGE_reversal_answer, out);
    out->outcome = (uint64_t)event->reversal.outcome;
    out->taken = points_to_wire(service, event->reversal.taken);
    out->given_back = points_to_wire(service, event->reversal.given);
    if (event->effect_count > 0) {
        struct balance balance = balance_after(service, 0);
        out->available = points_to_wire(service, balance.available);
        out->debt = points_to_wire(service, balance.debt);
    }
    if (event->reversal.type == EVENT_PURCHASE)
        out->amount = (uint64_t)event->reversal.goods.amount;
    if (event->type == EVENT_TOMBSTONE)
        lane_tombstone(service, event->reversal.original.identity, event->reversal.original.epoch);
    book(request, event, &answer);
}

/* Whether such a request may have been, or come yet. Else it is refused. */
static bool can_be(struct request *request, const struct request_name *original)
{
    const struct lane *lane = request->lane;
    bool own = original->identity == request->identity;
    if (original->number == 0 || original->epoch == 0 ||
        (own && original->epoch == lane->epoch && original->number == request->number))
        refuse(request, RESULT_DOES_NOT_MATCH, "that is no earlier request");
    else if (!own && original->identity != IDENTITY_LOCAL &&
             register_by_number(request->service, original->identity) == NULL)
        refuse(request, RESULT_UNKNOWN_IDENTITY, "");
    else
        return true;
    return false;
}

enum handled handle_reversal(struct request *request)
{
    struct service *service = request->service;
    const struct msg_reversal_request *message = &request->message->reversal_request;
    struct reversal_request reversal = {
        .original = { .identity = identity_named(request, message->identity),
                      .epoch = message->epoch,
                      .number = message->number },
        .card = text_of_code(&message->card),
        .amount = message->amount,
        .time = (utc_us)message->time,
        .place = place_of(&message->store, &message->till, &message->operator, message->business_date),
    };
    if (!can_be(request, &reversal.original))
        return HANDLED;
    enum found found = find_original(request, &reversal);
    if (found == FOUND && reversal.event != NULL)
        found = find_earlier(request, &reversal);
    if (found == FOUND)
        found = find_more(request, &reversal);
    if (found != FOUND)
        return found == FOUND_FETCH ? HANDLED_FETCH : HANDLED;
    struct judgement judgement = request_judgement(request);
    enum handled handled;
    do
        decide_reversal(&service->view, &judgement, &reversal, &service->decision);
    while (day_first(request));
    if (decision_ended(request, &handled))
        return handled;
    answer_reversal(request);
    return HANDLED;
}
