/*
 * A report on its way. The reader thread makes its rows from what LMDB holds, once that is what was true when it was asked
 * for; the loop gives them names. Only the files of reports include this.
 */
#pragma once

#include "ledger/account_scan.h"
#include "service/internal.h"

#define REPORT_ROWS_MAX 1000  /* of a page: the limit of the field */
#define REPORT_PARTS_MAX 4096 /* months of last days, or quarters */
#define REPORT_STORES_MAX 65536

/* Numbered for ever: `report` on the wire. */
enum report {
    REPORT_LIABILITY = 1,
    REPORT_ACTIVITY = 2,
    REPORT_STORES = 3,
    REPORT_EXPIRY = 4,
    REPORT_DEBT = 5,
    REPORT_SUSPENSE = 6,
    REPORT_COHORTS = 7,
};

/* Its points are thousandths, and its tier an id, until it is sent. */
struct report_row {
    struct msg_report_row row;
    uint64_t tier;
};

/* What lots of a month or points of a quarter come to. */
struct report_part {
    int32_t period;
    union {
        millipoints points;
        struct cohort cohort;
    };
};

/* What happened in a store to accounts of a tier. */
struct report_store {
    struct wire_code store;
    uint64_t tier;
    struct day_counts counts;
};

struct report_query {
    struct pending pending;
    struct ledger_job job;
    enum report report;
    local_day from, through, today;
    uint64_t next; /* asked for; then that of the next page */
    uint64_t limit;
    millipoints worth_points; /* these points */
    minor_units worth_amount; /* are worth this */
    const char *failed;       /* why there is no report; NULL: there is one */
    uint32_t count;
    struct report_row rows[REPORT_ROWS_MAX];

    /* Work in hand. */
    struct key prefix, after; /* of a scan in slices */
    uint32_t seen;
    struct totals totals;
    struct day_counts later;      /* of days behind the page, but before today */
    struct day_counts from_today; /* of those from today on */
    struct day_counts *days;      /* of the page */
    struct report_store *stores;  /* by store and tier */
    uint32_t store_count, store_capacity;
    struct report_part *parts;
    uint32_t part_count;
    struct account_scan scan;
    bool scanned;
    uint32_t scan_at;
    journal_position walk_at; /* of the account in hand: how far its events were followed; 0: not begun */
};

/* Reader thread: a slice each. JOB_DONE: the rows, or failed. */
enum job_step report_liability_step(struct report_query *query, struct reading *reading);
enum job_step report_activity_step(struct report_query *query, struct reading *reading);
enum job_step report_stores_step(struct report_query *query, struct reading *reading);
enum job_step report_expiry_step(struct report_query *query, struct reading *reading);
enum job_step report_accounts_step(struct report_query *query, struct reading *reading);
enum job_step report_cohorts_step(struct report_query *query, struct reading *reading);

/* A new row, empty; query->count < query->limit. */
struct report_row *report_row_add(struct report_query *query);
/* Minor units that points are worth, rounded down; bounded by what the field takes. */
minor_units report_worth(const struct report_query *query, millipoints points);
/* False, and the report has failed: more than a number holds. */
PUNKT_MUST_CHECK bool report_add(struct report_query *query, int64_t *sum, int64_t value);
/* What happened: the movements and counts of a row. */
void report_counts(const struct day_counts *counts, struct msg_report_row *row);
/* Adds counts to others. False: the report has failed. */
PUNKT_MUST_CHECK bool report_add_counts(struct report_query *query, const struct day_counts *counts,
                                        struct day_counts *sum);
/*
 * Reads records of query->prefix behind query->after, up to `limit`. The visitor counts them in query->seen: fewer than
 * the limit, and there are no more.
 */
void report_scan(struct report_query *query, struct reading *reading, uint32_t limit, state_visit_fn *visit);
/* Reads totals. False: the report has failed. */
PUNKT_MUST_CHECK bool report_totals(struct report_query *query, struct reading *reading, struct totals *out);
