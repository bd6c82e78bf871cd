/*
 * Statement: walks an account's events back, each naming the one before. Done by the reader thread, up
 * to a page.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/fold.h"
#include "service/internal.h"

#define PAGE_MAX 200

struct statement_query {
    struct pending pending;
    struct ledger_job job;
    account_number account;
    journal_position from;
    uint64_t limit;
    millipoints step;
    bool failed;
    char detail[256];
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

static bool within_points(int64_t points)
{
    return points >= -MESSAGE_POINTS_MAX && points <= MESSAGE_POINTS_MAX;
}

/* What is no event of ours does not fit an entry: the client may have named a position inside another one. */
static bool code_of_text(struct text text, struct wire_code *out)
{
    return wire_code_from(text.data, text.size, out);
}

/* The event as this account saw it; out_previous: its event before. False: it does not touch the account. */
static bool entry_of(const struct event *event, const struct statement_query *query,
                     journal_position position, struct msg_statement_entry *out,
                     journal_position *out_previous)
{
    message_init(MESSAGE_statement_entry, out);
    out->position = position;
    out->time = (uint64_t)event->occurred;
    out->kind = event->type;
    struct text reason =
        event->type == EVENT_ADJUSTMENT ? event->adjustment.reason : (struct text){ NULL, 0 };
    if (event->occurred < 0 || event->occurred > MESSAGE_TIME_MAX ||
        !code_of_text(event->store, &out->store) || !code_of_text(event->till, &out->till) ||
        !code_of_text(event->operator, & out->operator) ||
        !code_of_text(event->document.number, &out->receipt) || !code_of_text(reason, &out->reason))
        return false;
    for (uint32_t i = 0; i < event->effect_count; i++) {
        const struct effect *effect = &event->effects[i];
        if (effect->account != query->account)
            continue;
        out->points = effect->change / query->step;
        out->balance = effect->balance / query->step;
        *out_previous = effect->previous;
        return within_points(out->points) && within_points(out->balance);
    }
    *out_previous = 0;
    return event->type == EVENT_CARDS_ISSUED && query->account >= event->cards_issued.first_account &&
           query->account - event->cards_issued.first_account < event->cards_issued.count;
}

static enum job_step statement_run(struct ledger_job *job, struct reading *reading)
{
    struct statement_query *query = query_of(job);
    journal_position position = query->from;
    struct failure failure;
    while (position != 0 && query->answer.entries_count < query->limit) {
        journal_position previous;
        if (reading_event(reading, position, &failure) != PUNKT_OK) {
            query->failed = true;
            (void)snprintf(query->detail, sizeof(query->detail), "the event at position %llu cannot be read",
                           (unsigned long long)position);
            return JOB_DONE;
        }
        struct msg_statement_entry *entry = &query->entries[query->answer.entries_count];
        if (!entry_of(&reading->event, query, position, entry, &previous)) {
            query->failed = true;
            (void)snprintf(query->detail, sizeof(query->detail), "that is no event of this account");
            return JOB_DONE;
        }
        query->answer.entries_count++;
        position = previous;
    }
    query->answer.next = position;
    return JOB_DONE;
}

static void statement_done(struct ledger_job *job)
{
    struct statement_query *query = query_of(job);
    struct service *service = query->pending.service;
    struct request request = { .service = service,
                               .conn = query->pending.conn,
                               .number = query->pending.number,
                               .row = operation_row(OPERATION_STATEMENT) };
    union message_any answer;
    answer.statement_answer = query->answer;
    if (query->failed)
        answer_refusal(service, request.conn, OPERATION_STATEMENT, request.number, RESULT_MALFORMED,
                       query->detail, 0);
    else
        answer_read(&request, &answer, 0);
    pending_remove(&query->pending);
    statement_drop(&query->pending);
}

enum handled handle_statement(struct request *request)
{
    struct service *service = request->service;
    const struct msg_statement_request *message = &request->message->statement_request;
    struct fold *fold = ledger_fold(service->ledger);
    struct account *account = &service->decision.sides[0].before;
    struct card card;
    if (!fold_card(fold, text_of_code(&message->card), &card)) {
        answer_refusal(service, request->conn, OPERATION_STATEMENT, request->number, RESULT_UNKNOWN_CARD, "",
                       ledger_newest(service->ledger));
        return HANDLED;
    }
    PUNKT_CHECK(fold_account(fold, card.account, account));
    if (message->limit == 0 || message->from > account->last_event) {
        refuse_now(request, RESULT_MALFORMED, message->limit == 0 ? "field limit" : "field from");
        return HANDLED;
    }
    struct statement_query *query = calloc(1, sizeof(*query));
    if (query == NULL) {
        refuse_now(request, RESULT_BUSY, "out of memory");
        return HANDLED;
    }
    pending_add(&query->pending, request, statement_drop);
    query->account = account->number;
    query->from = message->from != 0 ? message->from : account->last_event;
    query->limit = message->limit;
    query->step = programme_step(programme_newest(service));
    query->answer.entries = query->entries;
    query->job = (struct ledger_job){ .wait_for = query->from, .run = statement_run, .done = statement_done };
    ledger_submit(service->ledger, &query->job);
    return HANDLED;
}
