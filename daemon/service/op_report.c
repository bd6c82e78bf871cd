/*
 * Reports: a page of rows, made by the reader thread from what LMDB holds. A checkpoint is hurried for them, so that a
 * report says what was true when it was asked for, and the loop looks nothing up.
 */
#include <stdlib.h>
#include <string.h>

#include "points/wide.h"
#include "service/reports.h"

#define REPORTS_MAX 4 /* at once */
#define DAYS_DEFAULT 30

/* --- what the reports share --- */

struct report_row *report_row_add(struct report_query *query)
{
    PUNKT_CHECK(query->count < query->limit && query->count < REPORT_ROWS_MAX);
    struct report_row *row = &query->rows[query->count++];
    message_init(MESSAGE_report_row, &row->row);
    row->tier = 0;
    return row;
}

minor_units report_worth(const struct report_query *query, millipoints points)
{
    if (points <= 0 || query->worth_points <= 0)
        return 0;
    wide worth = (wide)points * query->worth_amount / query->worth_points;
    return worth > INT64_MAX ? INT64_MAX : (minor_units)worth;
}

bool report_add(struct report_query *query, int64_t *sum, int64_t value)
{
    if (!__builtin_add_overflow(*sum, value, sum))
        return true;
    query->failed = "a sum is too large";
    return false;
}

bool report_add_counts(struct report_query *query, const struct day_counts *counts, struct day_counts *sum)
{
    bool fits = true;
    for (uint32_t why = 0; why < MOVEMENT_COUNT; why++)
        fits = fits && report_add(query, &sum->moved[why], counts->moved[why]);
    for (uint32_t type = 0; type <= EVENT_TYPE_MAX; type++)
        sum->events[type] += counts->events[type];
    return fits && report_add(query, &sum->spend, counts->spend) &&
           report_add(query, &sum->returned, counts->returned) &&
           report_add(query, &sum->unlinked, counts->unlinked) &&
           report_add(query, &sum->worth, counts->worth);
}

void report_counts(const struct day_counts *counts, struct msg_report_row *row)
{
    row->earned = counts->moved[MOVEMENT_EARNED];
    row->bonus = counts->moved[MOVEMENT_BONUS];
    row->redeemed = counts->moved[MOVEMENT_REDEEMED];
    row->returned = counts->moved[MOVEMENT_RETURNED];
    row->unlinked = counts->moved[MOVEMENT_UNLINKED];
    row->adjusted = counts->moved[MOVEMENT_ADJUSTED];
    row->expired = counts->moved[MOVEMENT_EXPIRED];
    row->forfeited = counts->moved[MOVEMENT_FORFEITED];
    row->written_off = counts->moved[MOVEMENT_WRITTEN_OFF];
    row->reversed = counts->moved[MOVEMENT_REVERSED];
    row->transferred = counts->moved[MOVEMENT_TRANSFERRED];
    row->purchases = counts->events[EVENT_PURCHASE];
    row->spend = counts->spend;
    row->returns = (uint64_t)counts->events[EVENT_RETURN] + counts->events[EVENT_UNLINKED_RETURN];
    row->return_amount = counts->returned + counts->unlinked;
    row->redemptions = (uint64_t)counts->events[EVENT_REDEMPTION] + counts->events[EVENT_CAPTURE];
    row->worth = counts->worth;
}

void report_scan(struct report_query *query, struct reading *reading, uint32_t limit, state_visit_fn *visit)
{
    query->seen = 0;
    if (state_scan(reading->state, query->prefix.bytes, query->prefix.size, query->after.bytes,
                   query->after.size, limit, visit, query) != PUNKT_OK)
        query->failed = STATE_UNREADABLE;
}

static bool visit_totals(void *ctx, const uint8_t *key, size_t key_size, const uint8_t *value, size_t size)
{
    struct totals *totals = ctx;
    (void)key;
    (void)key_size;
    return totals_decode((struct state_value){ value, (uint32_t)size }, totals);
}

bool report_totals(struct report_query *query, struct reading *reading, struct totals *out)
{
    struct key key = key_totals();
    memset(out, 0, sizeof(*out));
    if (state_scan(reading->state, key.bytes, key.size, NULL, 0, 1, visit_totals, out) == PUNKT_OK)
        return true;
    query->failed = STATE_UNREADABLE;
    return false;
}

/* --- the query --- */

static void report_drop(struct pending *pending)
{
    struct report_query *query = (struct report_query *)(void *)pending; /* its first member */
    query->pending.service->reports--;
    free(query->days);
    free(query->stores);
    free(query->parts);
    free(query);
}

static struct report_query *query_of(struct ledger_job *job)
{
    return (struct report_query *)(void *)((char *)job - offsetof(struct report_query, job));
}

static enum job_step report_run(struct ledger_job *job, struct reading *reading)
{
    struct report_query *query = query_of(job);
    enum job_step step = JOB_DONE;
    switch (query->report) {
    case REPORT_LIABILITY:
        step = report_liability_step(query, reading);
        break;
    case REPORT_ACTIVITY:
        step = report_activity_step(query, reading);
        break;
    case REPORT_STORES:
        step = report_stores_step(query, reading);
        break;
    case REPORT_EXPIRY:
        step = report_expiry_step(query, reading);
        break;
    case REPORT_DEBT:
    case REPORT_SUSPENSE:
        step = report_accounts_step(query, reading);
        break;
    case REPORT_COHORTS:
        step = report_cohorts_step(query, reading);
        break;
    }
    return query->failed != NULL ? JOB_DONE : step;
}

/* Points in the programme's smallest unit, tiers by name. */
static void row_for_wire(const struct service *service, struct report_row *from, struct msg_report_row *out)
{
    int64_t *points[] = { &from->row.opening,     &from->row.earned,   &from->row.bonus,
                          &from->row.redeemed,    &from->row.returned, &from->row.unlinked,
                          &from->row.adjusted,    &from->row.expired,  &from->row.forfeited,
                          &from->row.written_off, &from->row.reversed, &from->row.transferred,
                          &from->row.closing,     &from->row.points,   &from->row.debt };
    for (size_t i = 0; i < COUNT_OF(points); i++)
        *points[i] = points_to_wire(service, *points[i]);
    code_for_wire(tier_name(service, from->tier), &from->row.tier);
    *out = from->row;
}

static void report_done(struct ledger_job *job)
{
    struct report_query *query = query_of(job);
    struct service *service = query->pending.service;
    struct request request = pending_request(&query->pending);
    union message_any answer;
    struct msg_report_answer *out = &answer.report_answer;
    message_init(MESSAGE_report_answer, out);
    out->rows = calloc(REPORT_ROWS_MAX, sizeof(*out->rows));
    if (query->failed != NULL || out->rows == NULL) {
        refuse_now(&request, RESULT_BUSY, query->failed != NULL ? query->failed : "out of memory");
    } else {
        out->next = query->next;
        out->rows_count = query->count;
        for (uint32_t i = 0; i < query->count; i++)
            row_for_wire(service, &query->rows[i], &out->rows[i]);
        answer_read(&request, &answer, 0);
    }
    free(out->rows);
    pending_remove(&query->pending);
    report_drop(&query->pending);
}

/* What is wrong with what was asked for; NULL: nothing. */
static const char *ask(struct service *service, const struct msg_report_request *message,
                       struct report_query *query)
{
    const struct programme *programme = programme_in_force(service, ledger_now(service->ledger));
    query->report = (enum report)message->report;
    query->today = today(service);
    query->from = message->from != 0 ? (local_day)message->from : query->today - DAYS_DEFAULT;
    query->through = (local_day)i64_min((int64_t)message->through, query->today);
    if (message->through == 0)
        query->through = query->today;
    query->next = message->next;
    query->limit = message->limit;
    query->worth_points = programme->worth_points;
    query->worth_amount = programme->worth_amount;
    if (message->report < REPORT_LIABILITY || message->report > REPORT_COHORTS)
        return "field report";
    if (message->limit == 0)
        return "field limit";
    bool of_days = query->report == REPORT_ACTIVITY || query->report == REPORT_STORES;
    if (of_days && query->from > query->through)
        return "field from is after field through";
    return message->next > INT32_MAX && query->report == REPORT_ACTIVITY ? "field next" : NULL;
}

enum handled handle_report(struct request *request)
{
    struct service *service = request->service;
    if (service->reports == REPORTS_MAX) {
        refuse_now(request, RESULT_BUSY, "other reports are being made");
        return HANDLED;
    }
    struct report_query *query = calloc(1, sizeof(*query));
    if (query == NULL) {
        refuse_now(request, RESULT_BUSY, "out of memory");
        return HANDLED;
    }
    const char *wrong = ask(service, &request->message->report_request, query);
    if (wrong != NULL) {
        refuse_now(request, RESULT_MALFORMED, wrong);
        free(query);
        return HANDLED;
    }
    service->reports++;
    pending_add(&query->pending, request, report_drop);
    query->job = (struct ledger_job){
        .wait_for = ledger_newest(service->ledger), .stored = true, .run = report_run, .done = report_done
    };
    ledger_submit(service->ledger, &query->job);
    return HANDLED;
}
