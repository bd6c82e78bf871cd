#include "ledger/account_scan.h"

#include "ledger/records.h"

#define SLICE_RECORDS 10000u

struct slice {
    struct account_scan *scan;
    uint32_t seen;
};

static bool matches(const struct account_scan *scan, const struct account_peek *peek)
{
    if (peek->merged)
        return false;
    switch (scan->kind) {
    case ACCOUNTS_DUE:
        return peek->due <= scan->day;
    case ACCOUNTS_IN_DEBT:
        return peek->in_debt;
    case ACCOUNTS_IN_SUSPENSE:
        return peek->suspense;
    }
    return false;
}

static bool visit(void *ctx, const uint8_t *key, size_t key_size, const uint8_t *value, size_t size)
{
    struct slice *slice = ctx;
    struct account_scan *scan = slice->scan;
    struct state_value record = { value, (uint32_t)size };
    struct account_peek peek;
    (void)key;
    (void)key_size;
    if (!account_peek(record, &peek)) {
        scan->failed = true;
        return false;
    }
    slice->seen++;
    scan->after = peek.number;
    if (matches(scan, &peek))
        scan->found[scan->count++] = peek.number;
    return scan->count < ACCOUNT_SCAN_MAX;
}

enum job_step account_scan_run(struct ledger_job *job, struct reading *reading)
{
    struct account_scan *scan = (struct account_scan *)(void *)job; /* its first member */
    struct slice slice = { .scan = scan };
    struct key prefix = key_all_accounts();
    struct key after = key_account(scan->after);
    if (scan->count == ACCOUNT_SCAN_MAX)
        scan->count = 0; /* submitted again */
    if (state_scan(reading->state, prefix.bytes, prefix.size, after.bytes, after.size, SLICE_RECORDS, visit,
                   &slice) != PUNKT_OK)
        scan->failed = true;
    bool full = scan->count == ACCOUNT_SCAN_MAX;
    scan->ended = !full && slice.seen < SLICE_RECORDS;
    return full || scan->ended || scan->failed ? JOB_DONE : JOB_MORE;
}
