/*
 * Rehearsal: the receipts of past days, read back from the journal and rated by a draft, old against new. Done by the
 * reader thread in slices; nothing changes. One at a time.
 *
 * A receipt is rated at the tier of then, with the tags and activations that its account has now. Limits and caps of the
 * draft are counted from the first day of the rehearsal on. What came back of a receipt since lowers both sides.
 */
#include <stdlib.h>
#include <string.h>

#include "ledger/event_walk.h"
#include "ledger/fold.h"
#include "service/rehearsal.h"

#define SLICE_BYTES (128u * 1024)
#define DAYS_MAX 3660
#define MERGES_MAX 64 /* to follow from an account of then to the one that it is now */

struct rehearse_query {
    struct pending pending;
    struct ledger_job job;
    struct event_walk walk;
    bool begun;
    utc_us from;
    journal_position end;          /* of the journal when it was asked for: what came later is left out */
    millipoints liability;         /* then */
    const char *failed;            /* why it cannot be done; NULL: it can */
    enum result result;            /* of failed */
    struct reading *reading;       /* during a slice */
    struct programme **programmes; /* by version - 1, for the reader thread; they outlive the query */
    struct programme draft;
    struct account account; /* to rate by */
    struct rehearsal rehearsal;
    struct rehearsed_sums sums;
};

static void rehearse_drop(struct pending *pending)
{
    struct rehearse_query *query = (struct rehearse_query *)(void *)pending; /* its first member */
    query->pending.service->rehearsing = false;
    rehearsed_done(&query->sums);
    free(query->programmes);
    free(query);
}

static struct rehearse_query *query_of(struct ledger_job *job)
{
    return (struct rehearse_query *)(void *)((char *)job - offsetof(struct rehearse_query, job));
}

static enum punkt_status fail(struct rehearse_query *query, enum result result, const char *why,
                              struct failure *failure)
{
    query->failed = why;
    query->result = result;
    failure_set(failure, "%s", why);
    return PUNKT_INVALID;
}

/* --- what state knows, on the reader thread --- */

struct record {
    bool found, read;
    struct account *account;   /* either */
    struct returned *returned; /* or */
};

static bool visit_record(void *ctx, const uint8_t *key, size_t key_size, const uint8_t *value, size_t size)
{
    struct record *record = ctx;
    struct state_value bytes = { value, (uint32_t)size };
    (void)key;
    (void)key_size;
    record->found = true;
    record->read = record->account != NULL ? account_decode(bytes, record->account)
                                           : returned_decode(bytes, record->returned);
    return false;
}

/* False: state cannot be read. */
static bool find_record(struct rehearse_query *query, struct key key, struct record *record)
{
    return state_scan(query->reading->state, key.bytes, key.size, NULL, 0, 1, visit_record, record) ==
               PUNKT_OK &&
           record->read == record->found;
}

/* The account that it is now, into query->account. */
static bool find_account(struct rehearse_query *query, account_number number)
{
    for (uint32_t i = 0; i < MERGES_MAX; i++) {
        struct record record = { .account = &query->account };
        if (!find_record(query, key_account(number), &record) || !record.found)
            return false;
        if (query->account.merged_into == 0)
            return true;
        number = query->account.merged_into;
    }
    return false;
}

static bool find_returned(struct rehearse_query *query, journal_position sale)
{
    struct returned *returned = &query->rehearsal.decision.returned;
    struct record record = { .returned = returned };
    if (!find_record(query, key_returned(sale), &record))
        return false;
    if (!record.found)
        returned_new(returned);
    return true;
}

/* --- a receipt --- */

/* What the account would have been by the draft. */
static void become_drafted(struct rehearse_query *query, const struct rehearsed_account *entry,
                           const struct event *event)
{
    struct account *account = &query->account;
    account->balance = event->effects[0].balance - event->purchase.earned;
    account->balance += entry->new_points - entry->old_points;
    rehearsed_tallies(&query->sums, entry, account);
}

static bool add(millipoints *sum, millipoints more)
{
    return !__builtin_add_overflow(*sum, more, sum);
}

static bool count_receipt(struct rehearse_query *query, const struct event *event,
                          struct rehearsed_account *entry, const struct rehearsed *rated)
{
    struct rehearsed_sums *sums = &query->sums;
    const struct purchase *booked = &event->purchase;
    millipoints old_points = booked->earned - query->rehearsal.decision.returned.due;
    sums->receipts++;
    return add(&sums->old_points, old_points) && add(&sums->new_points, rated->kept) &&
           add(&entry->old_points, old_points) && add(&entry->new_points, rated->kept) &&
           rehearsed_count(sums, entry, rated->tallies, rated->tally_count) &&
           rehearsed_parts(sums, query->programmes[booked->programme_version - 1], booked->parts,
                           booked->part_count, true) &&
           rehearsed_parts(sums, &query->draft, rated->parts, rated->part_count, false);
}

static enum punkt_status visit_event(void *ctx, const struct event *event, journal_position position,
                                     struct failure *failure)
{
    struct rehearse_query *query = ctx;
    struct rehearsed rated;
    if (event->type != EVENT_PURCHASE || event->time < query->from || position >= query->end)
        return PUNKT_OK;
    const struct returned *returned = &query->rehearsal.decision.returned;
    if (!find_returned(query, position))
        return fail(query, RESULT_BUSY, STATE_UNREADABLE, failure);
    if (returned->reversed)
        return PUNKT_OK;
    account_number number = returned->moved_to != 0 ? returned->moved_to : event->effects[0].account;
    if (!find_account(query, number))
        return fail(query, RESULT_BUSY, STATE_UNREADABLE, failure);
    struct rehearsed_account *entry = rehearsed_account(&query->sums, query->account.number);
    if (entry == NULL)
        return fail(query, RESULT_OVER_LIMIT, "too many accounts: rehearse fewer days", failure);
    become_drafted(query, entry, event);
    if (!rehearse_purchase(&query->draft, event, &query->account, &query->rehearsal, &rated))
        return fail(query, RESULT_OVER_LIMIT, "a receipt earns more points than the ledger holds", failure);
    if (!count_receipt(query, event, entry, &rated))
        return fail(query, RESULT_OVER_LIMIT, "too many rules or limits: rehearse fewer days", failure);
    return PUNKT_OK;
}

static enum job_step rehearse_run(struct ledger_job *job, struct reading *reading)
{
    struct rehearse_query *query = query_of(job);
    struct failure failure;
    if (!query->begun) {
        struct journal_head head;
        journal_durable_head(reading->journal, &head);
        query->walk.from = query->from;
        query->walk.until = head.position;
        query->walk.visit = visit_event;
        query->walk.ctx = query;
        query->begun = true;
    }
    query->reading = reading;
    enum punkt_status status = event_walk_slice(&query->walk, reading, SLICE_BYTES, &failure);
    if (status == PUNKT_BUSY)
        return JOB_MORE;
    if (status != PUNKT_OK && query->failed == NULL)
        (void)fail(query, RESULT_BUSY, JOURNAL_UNREADABLE, &failure);
    return JOB_DONE;
}

/* --- the answer --- */

static void accounts_for_wire(const struct service *service, struct msg_rehearsed_account *accounts,
                              uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        accounts[i].old_points = points_to_wire(service, accounts[i].old_points);
        accounts[i].new_points = points_to_wire(service, accounts[i].new_points);
    }
}

static void rules_for_wire(const struct service *service, struct rehearsed_sums *sums)
{
    for (uint32_t i = 0; i < sums->rule_count; i++) {
        struct msg_rehearsed_rule *rule = &sums->rules[i];
        if (rule->kind == PART_STAMP)
            continue; /* thousandths of stamps */
        rule->old_points = points_to_wire(service, rule->old_points);
        rule->new_points = points_to_wire(service, rule->new_points);
    }
}

static void answer_rehearsed(struct request *request, struct rehearse_query *query)
{
    struct service *service = request->service;
    struct rehearsed_sums *sums = &query->sums;
    struct msg_rehearsed_account gain[REHEARSED_MOST_MAX], lose[REHEARSED_MOST_MAX];
    union message_any answer;
    struct msg_programme_rehearse_answer *out = &answer.programme_rehearse_answer;
    message_init(MESSAGE_programme_rehearse_answer, out);
    millipoints more = sums->new_points - sums->old_points;
    out->receipts = sums->receipts;
    out->accounts = sums->account_count;
    out->old_points = points_to_wire(service, sums->old_points);
    out->new_points = points_to_wire(service, sums->new_points);
    out->old_liability = points_to_wire(service, query->liability);
    out->new_liability = points_to_wire(service, query->liability + more);
    rules_for_wire(service, sums);
    out->rules = sums->rules;
    out->rules_count = sums->rule_count;
    out->gain = gain;
    out->gain_count = rehearsed_most(sums, 1, gain);
    accounts_for_wire(service, gain, (uint32_t)out->gain_count);
    out->lose = lose;
    out->lose_count = rehearsed_most(sums, -1, lose);
    accounts_for_wire(service, lose, (uint32_t)out->lose_count);
    answer_read(request, &answer, 0);
}

static void rehearse_done(struct ledger_job *job)
{
    struct rehearse_query *query = query_of(job);
    struct request request = pending_request(&query->pending);
    if (query->failed != NULL)
        refuse_now(&request, query->result, query->failed);
    else
        answer_rehearsed(&request, query);
    pending_remove(&query->pending);
    rehearse_drop(&query->pending);
}

/* --- loop thread --- */

static bool remember_programmes(const struct service *service, struct rehearse_query *query)
{
    size_t size = service->programme_count * sizeof(*query->programmes);
    query->programmes = malloc(size);
    if (query->programmes == NULL)
        return false;
    memcpy(query->programmes, service->programmes, size);
    return true;
}

static void begin(struct request *request, struct rehearse_query *query, uint64_t days)
{
    struct service *service = request->service;
    const struct totals *totals = &ledger_fold(service->ledger)->totals;
    utc_us now = ledger_now(service->ledger);
    query->end = ledger_end(service->ledger);
    query->liability = totals->outstanding - totals->debt;
    query->from =
        calendar_day_start(&programme_in_force(service, now)->calendar, today(service) - (local_day)days);
    service->rehearsing = true;
    pending_add(&query->pending, request, rehearse_drop);
    query->job = (struct ledger_job){
        .wait_for = ledger_newest(service->ledger), .stored = true, .run = rehearse_run, .done = rehearse_done
    };
    ledger_submit(service->ledger, &query->job);
}

enum handled handle_programme_rehearse(struct request *request)
{
    struct service *service = request->service;
    const struct msg_programme_rehearse_request *message = &request->message->programme_rehearse_request;
    if (message->days == 0 || message->days > DAYS_MAX) {
        refuse_now(request, RESULT_MALFORMED, "field days");
        return HANDLED;
    }
    if (service->rehearsing) {
        refuse_now(request, RESULT_BUSY, "another rehearsal is running");
        return HANDLED;
    }
    struct rehearse_query *query = calloc(1, sizeof(*query));
    struct failure failure = { "out of memory" };
    enum punkt_status status = PUNKT_NO_MEMORY;
    if (query != NULL && remember_programmes(service, query))
        status = programme_draft(service, text_of_message(message->text), &query->draft, &failure);
    if (status == PUNKT_OK) {
        begin(request, query, message->days);
        return HANDLED;
    }
    refuse_now(request, status == PUNKT_NO_MEMORY ? RESULT_BUSY : RESULT_INVALID_PROGRAMME, failure.text);
    if (query != NULL)
        free(query->programmes);
    free(query);
    return HANDLED;
}
