/*
 * Reports of what is there now: liability, expiry by month, cohorts by quarter.
 */
#include <stdlib.h>

#include "points/calendar.h"
#include "service/reports.h"

#define LIABILITY_TRIES 100 /* as for the activity of today */

/* NULL: the report has failed. */
static struct report_part *part_add(struct report_query *query, int32_t period)
{
    if (query->part_count == REPORT_PARTS_MAX) {
        query->failed = "too many periods";
        return NULL;
    }
    query->parts[query->part_count].period = period;
    return &query->parts[query->part_count++];
}

static bool visit_month(void *ctx, const uint8_t *key, size_t key_size, const uint8_t *value, size_t size)
{
    struct report_query *query = ctx;
    int32_t month;
    millipoints points;
    if (!key_read_outstanding(key, key_size, &month) ||
        !outstanding_decode((struct state_value){ value, (uint32_t)size }, &points)) {
        query->failed = STATE_UNREADABLE;
        return false;
    }
    struct report_part *part = points != 0 ? part_add(query, month) : NULL;
    if (part != NULL)
        part->points = points;
    return query->failed == NULL;
}

static bool visit_quarter(void *ctx, const uint8_t *key, size_t key_size, const uint8_t *value, size_t size)
{
    struct report_query *query = ctx;
    int32_t quarter;
    struct cohort cohort;
    if (!key_read_cohort(key, key_size, &quarter) ||
        !cohort_decode((struct state_value){ value, (uint32_t)size }, &cohort)) {
        query->failed = STATE_UNREADABLE;
        return false;
    }
    struct report_part *part = part_add(query, quarter);
    if (part != NULL)
        part->cohort = cohort;
    return part != NULL;
}

/* All of them. False: the report has failed. */
static bool read_parts(struct report_query *query, struct reading *reading, struct key prefix,
                       state_visit_fn *visit)
{
    if (query->parts == NULL)
        query->parts = calloc(REPORT_PARTS_MAX, sizeof(*query->parts));
    if (query->parts == NULL) {
        query->failed = "out of memory";
        return false;
    }
    query->part_count = 0;
    query->prefix = prefix;
    query->after.size = 0;
    report_scan(query, reading, UINT32_MAX, visit);
    return query->failed == NULL;
}

/* Months in their order, then what never expires, then what expires by inactivity: whose key is the first. */
static const struct report_part *month_at(const struct report_query *query, uint64_t index)
{
    bool inactive = query->part_count > 0 && query->parts[0].period == OUTSTANDING_INACTIVE;
    uint64_t place = inactive ? index + 1 : index;
    return &query->parts[place < query->part_count ? place : 0];
}

/* The rows of the page, from the one numbered `at` on; `before` rows stand in front of the first month. */
static void month_rows(struct report_query *query, uint64_t at, uint64_t before)
{
    while (at - before < query->part_count && query->count < query->limit) {
        const struct report_part *part = month_at(query, at++ - before);
        struct msg_report_row *row = &report_row_add(query)->row;
        if (part->period == OUTSTANDING_INACTIVE)
            row->inactive = 1;
        else if (part->period != OUTSTANDING_NEVER)
            row->day = (uint64_t)month_last_day(part->period);
        row->points = part->points;
        row->worth = report_worth(query, part->points);
    }
    query->next = at - before < query->part_count ? at : 0;
}

enum job_step report_expiry_step(struct report_query *query, struct reading *reading)
{
    if (read_parts(query, reading, key_all_outstanding(), visit_month))
        month_rows(query, query->next, 0);
    return JOB_DONE;
}

/* Totals and months of the same moment. */
static bool read_liability(struct report_query *query, struct reading *reading)
{
    for (uint32_t i = 0; i < LIABILITY_TRIES; i++) {
        struct totals after;
        if (!report_totals(query, reading, &query->totals) ||
            !read_parts(query, reading, key_all_outstanding(), visit_month) ||
            !report_totals(query, reading, &after))
            return false;
        if (after.events == query->totals.events)
            return true;
    }
    query->failed = "state changes too fast";
    return false;
}

enum job_step report_liability_step(struct report_query *query, struct reading *reading)
{
    if (!read_liability(query, reading))
        return JOB_DONE;
    uint64_t at = query->next;
    if (at == 0) {
        struct msg_report_row *row = &report_row_add(query)->row;
        row->day = (uint64_t)query->today;
        row->points = query->totals.outstanding;
        row->debt = query->totals.debt;
        row->closing = query->totals.outstanding - query->totals.debt;
        row->worth = report_worth(query, query->totals.outstanding);
        row->accounts = query->totals.accounts;
        at = 1;
    }
    month_rows(query, at, 1);
    return JOB_DONE;
}

enum job_step report_cohorts_step(struct report_query *query, struct reading *reading)
{
    if (!read_parts(query, reading, key_all_cohorts(), visit_quarter))
        return JOB_DONE;
    uint64_t at = query->next;
    while (at < query->part_count && query->count < query->limit) {
        const struct report_part *part = &query->parts[at++];
        const struct cohort *cohort = &part->cohort;
        struct msg_report_row *row = &report_row_add(query)->row;
        row->day = (uint64_t)i64_max(month_first_day(3 * part->period), 0);
        row->earned = cohort->issued;
        row->redeemed = -cohort->redeemed;
        row->expired = -cohort->expired;
        row->returned = -cohort->returned;
        row->adjusted = -cohort->other;
        row->closing = cohort->left;
        row->points = cohort->left;
        row->worth = report_worth(query, cohort->left);
    }
    query->next = at < query->part_count ? at : 0;
    return JOB_DONE;
}
