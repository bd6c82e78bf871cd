/*
 * Statement: an account's events, newest first, each naming the one before. Followed back by the reader thread from the
 * newest one on, for a client may ask for any position: only what the account's own events lead to is shown.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/fold.h"
#include "service/internal.h"

#define PAGE_MAX 200
#define CHAINS_MAX 64 /* the account, and those merged into it */
#define SLICE_EVENTS 256

/* The events of an account, followed back. */
struct chain {
    account_number account;
    journal_position at; /* the newest that was not looked at yet; 0: none */
};

struct statement_query {
    struct pending pending;
    struct ledger_job job;
    journal_position from; /* the page begins there, or with the next older one; 0: with the newest */
    bool with_merged;
    uint64_t limit;
    millipoints step;
    const char *failed; /* why there is no page; NULL: there is one */
    uint32_t chain_count;
    struct chain chains[CHAINS_MAX]; /* the account itself first */
    struct msg_statement_answer answer;
    struct msg_statement_entry entries[PAGE_MAX];
};

static void statement_drop(struct pending *pending)
{
    free(pending); /* the first member */
}

static struct statement_query *query_of(struct ledger_job *job)
{
    return (struct statement_query *)(void *)((char *)job - offsetof(struct statement_query, job));
}

/* --- an entry --- */

static void account_words(account_number account, struct wire_code *out)
{
    char words[WIRE_CODE_MAX];
    int size = snprintf(words, sizeof(words), "account %llu", (unsigned long long)account);
    code_for_wire((struct text){ words, (size_t)size }, out);
}

/* The other card or account of the event. */
static void other_for_wire(const struct event *event, account_number account, struct wire_code *out)
{
    if (event->type == EVENT_CARD_STATUS)
        code_for_wire(event->card_status.number, out);
    else if (event->type == EVENT_CARD_REPLACED)
        code_for_wire(event->card_replaced.new_number, out);
    else if (event->type == EVENT_CARD_ADDED)
        code_for_wire(event->card_added.number, out);
    else if (event->type == EVENT_CARDS_ISSUED && event->cards_issued.count == 1)
        code_for_wire(event->cards_issued.number, out);
    else if (event->effect_count == 2)
        account_words(event->effects[event->effects[0].account == account ? 1 : 0].account, out);
}

static void effect_for_wire(const struct statement_query *query, const struct effect *effect,
                            struct msg_statement_entry *out)
{
    millipoints expired = 0;
    for (uint32_t i = 0; i < effect->lot_change_count; i++)
        expired += effect->lot_changes[i].kind == LOT_EXPIRE ? effect->lot_changes[i].points : 0;
    out->points = effect->change / query->step;
    out->balance = effect->balance / query->step;
    out->expired = expired / query->step;
}

/* effect: what it did to the account; NULL: it was issued by it. */
static void entry_for_wire(const struct statement_query *query, const struct event *event,
                           const struct effect *effect, account_number account, journal_position position,
                           struct msg_statement_entry *out)
{
    message_init(MESSAGE_statement_entry, out);
    out->position = position;
    out->time = (uint64_t)i64_max(event->occurred, 0);
    out->kind = event->type;
    if (effect != NULL)
        effect_for_wire(query, effect, out);
    else
        out->points = out->balance = event->cards_issued.welcome.points / query->step;
    code_for_wire(event->store, &out->store);
    code_for_wire(event->till, &out->till);
    code_for_wire(event->document.number, &out->receipt);
    code_for_wire(event_reason(event), &out->reason);
    code_for_wire(event->operator, & out->operator);
    other_for_wire(event, account, &out->card);
    out->refers = event_refers(event);
}

/* --- reader thread --- */

/* The newest event that is left: of the account itself, if several have it. NULL: none is. */
static struct chain *newest_chain(struct statement_query *query)
{
    struct chain *newest = NULL;
    for (uint32_t i = 0; i < query->chain_count; i++) {
        struct chain *chain = &query->chains[i];
        if (chain->at != 0 && (newest == NULL || chain->at > newest->at))
            newest = chain;
    }
    return newest;
}

/* What went into the account by this event goes on from there. */
static void add_merged(struct statement_query *query, const struct event *event, const struct effect *effect)
{
    for (uint32_t i = 0; effect != NULL && i < effect->change_count; i++) {
        const struct effect *emptied;
        journal_position previous;
        if (effect->changes[i].kind != CHANGE_ABSORB ||
            !event_of_account(event, effect->changes[i].id, &emptied, &previous))
            continue;
        if (query->chain_count < CHAINS_MAX)
            query->chains[query->chain_count++] =
                (struct chain){ .account = effect->changes[i].id, .at = previous };
        else
            query->failed = "too many accounts were merged into this one";
    }
}

/* Reads the newest event that is left, and lists it if it belongs to the page. */
static void read_one(struct statement_query *query, struct chain *chain, struct reading *reading)
{
    const struct effect *effect;
    struct failure failure;
    journal_position position = chain->at;
    if (reading_event(reading, position, &failure) != PUNKT_OK ||
        !event_of_account(&reading->event, chain->account, &effect, &chain->at)) {
        query->failed = JOURNAL_UNREADABLE;
        return;
    }
    if (query->with_merged)
        add_merged(query, &reading->event, effect);
    /* An event that touches two of them is listed once. */
    for (uint32_t i = 0; i < query->chain_count; i++) {
        struct chain *other = &query->chains[i];
        const struct effect *same;
        if (other->at == position && !event_of_account(&reading->event, other->account, &same, &other->at))
            query->failed = JOURNAL_UNREADABLE;
    }
    if (query->from == 0 || position <= query->from)
        entry_for_wire(query, &reading->event, effect, chain->account, position,
                       &query->entries[query->answer.entries_count++]);
}

static enum job_step statement_run(struct ledger_job *job, struct reading *reading)
{
    struct statement_query *query = query_of(job);
    for (uint32_t i = 0; i < SLICE_EVENTS && query->failed == NULL; i++) {
        struct chain *chain = newest_chain(query);
        if (chain == NULL || query->answer.entries_count == query->limit) {
            query->answer.next = chain != NULL ? chain->at : 0;
            return JOB_DONE;
        }
        read_one(query, chain, reading);
    }
    return query->failed != NULL ? JOB_DONE : JOB_MORE;
}

static void statement_done(struct ledger_job *job)
{
    struct statement_query *query = query_of(job);
    struct request request = pending_request(&query->pending);
    union message_any answer;
    answer.statement_answer = query->answer;
    if (query->failed != NULL)
        refuse_now(&request, RESULT_BUSY, query->failed);
    else
        answer_read(&request, &answer, 0);
    pending_remove(&query->pending);
    statement_drop(&query->pending);
}

/* --- loop thread --- */

enum handled handle_statement(struct request *request)
{
    struct service *service = request->service;
    const struct msg_statement_request *message = &request->message->statement_request;
    struct fold *fold = ledger_fold(service->ledger);
    struct card card;
    if (!fold_card(fold, text_of_code(&message->card), &card)) {
        refuse_read(request, RESULT_UNKNOWN_CARD, "");
        return HANDLED;
    }
    account_number account = card.account;
    journal_position last;
    PUNKT_CHECK(fold_account_event(fold, &account, &last));
    if (message->limit == 0 || message->from > last) {
        refuse_now(request, RESULT_MALFORMED, message->limit == 0 ? "field limit" : "field from");
        return HANDLED;
    }
    struct statement_query *query = calloc(1, sizeof(*query));
    if (query == NULL) {
        refuse_now(request, RESULT_BUSY, "out of memory");
        return HANDLED;
    }
    pending_add(&query->pending, request, statement_drop);
    query->from = message->from;
    query->with_merged = message->with_merged != 0;
    query->limit = message->limit;
    query->step = programme_step(programme_newest(service));
    query->chains[0] = (struct chain){ .account = account, .at = last };
    query->chain_count = 1;
    query->answer.entries = query->entries;
    query->job = (struct ledger_job){ .wait_for = last, .run = statement_run, .done = statement_done };
    ledger_submit(service->ledger, &query->job);
    return HANDLED;
}
