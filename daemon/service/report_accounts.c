/*
 * Reports of accounts: those in debt, those in suspense.
 */
#include <stdlib.h>

#include "service/reports.h"

#define SLICE_ACCOUNTS 32
#define SLICE_EVENTS 256

/* Where what the account's record says goes. */
struct found {
    struct account *account;
    bool read;
};

static bool visit_account(void *ctx, const uint8_t *key, size_t key_size, const uint8_t *value, size_t size)
{
    struct found *found = ctx;
    (void)key;
    (void)key_size;
    found->read = account_decode((struct state_value){ value, (uint32_t)size }, found->account);
    return false;
}

static bool read_account(struct report_query *query, struct reading *reading, account_number number,
                         struct account *out)
{
    struct found found = { .account = out };
    struct key key = key_account(number);
    if (state_scan(reading->state, key.bytes, key.size, NULL, 0, 1, visit_account, &found) == PUNKT_OK &&
        found.read)
        return true;
    query->failed = STATE_UNREADABLE;
    return false;
}

/* The row of an account: what its newest event says of it. False: it is none any more, or the report has failed. */
static bool add_row(struct report_query *query, struct reading *reading, account_number number,
                    struct account *account)
{
    struct failure failure;
    if (!read_account(query, reading, number, account))
        return false;
    if (account->merged_into != 0 || (query->report == REPORT_DEBT ? account->debt == 0 : !account->suspense))
        return false;
    if (reading_event(reading, account->last_event, &failure) != PUNKT_OK) {
        query->failed = JOURNAL_UNREADABLE;
        return false;
    }
    struct msg_report_row *row = &report_row_add(query)->row;
    row->day = (uint64_t)i64_max(reading->event.day, 0);
    row->account = number;
    row->points = account->balance + account->debt;
    row->debt = account->debt;
    row->closing = account->balance;
    row->worth = report_worth(query, row->points);
    query->walk_at = query->report == REPORT_SUSPENSE ? account->last_event : 0;
    return true;
}

/*
 * The number under which an advice was booked to suspense stands in the account's first event. False: not there yet;
 * query->walk_at is where to go on.
 */
static bool find_number(struct report_query *query, struct reading *reading)
{
    struct msg_report_row *row = &query->rows[query->count - 1].row;
    for (uint32_t i = 0; query->walk_at != 0; i++) {
        const struct effect *effect;
        struct failure failure;
        if (i == SLICE_EVENTS)
            return false;
        if (reading_event(reading, query->walk_at, &failure) != PUNKT_OK ||
            !event_of_account(&reading->event, row->account, &effect, &query->walk_at)) {
            query->failed = JOURNAL_UNREADABLE;
            query->walk_at = 0;
        } else if (query->walk_at == 0) {
            code_for_wire(reading->event.suspense.number, &row->card);
        }
    }
    return true;
}

/* The rows of the accounts that the scan found. */
static enum job_step look_at_found(struct report_query *query, struct reading *reading)
{
    struct account *account = malloc(sizeof(*account));
    if (account == NULL) {
        query->failed = "out of memory";
        return JOB_DONE;
    }
    for (uint32_t i = 0; i < SLICE_ACCOUNTS && query->failed == NULL; i++) {
        if (query->walk_at != 0 && !find_number(query, reading))
            break;
        if (query->scan_at == query->scan.count || query->count == query->limit)
            break;
        account_number number = query->scan.found[query->scan_at++];
        query->next = number;
        (void)add_row(query, reading, number, account);
    }
    free(account);
    bool rest = query->scan_at < query->scan.count;
    if (query->walk_at != 0 || (rest && query->count < query->limit))
        return JOB_MORE;
    if (!rest && query->scan.ended)
        query->next = 0;
    else if (!rest && query->count < query->limit)
        query->scanned = false; /* some of them were none any more: the next batch */
    return query->scanned || query->next == 0 ? JOB_DONE : JOB_MORE;
}

enum job_step report_accounts_step(struct report_query *query, struct reading *reading)
{
    if (query->scanned)
        return look_at_found(query, reading);
    query->scan.kind = query->report == REPORT_DEBT ? ACCOUNTS_IN_DEBT : ACCOUNTS_IN_SUSPENSE;
    query->scan.after = u64_max(query->scan.after, query->next);
    enum job_step step = account_scan_run(&query->scan.job, reading);
    if (query->scan.failed)
        query->failed = STATE_UNREADABLE;
    query->scanned = step == JOB_DONE;
    query->scan_at = 0;
    return query->scan.failed ? JOB_DONE : JOB_MORE;
}
