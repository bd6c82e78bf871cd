/*
 * Reports of days: what happened on each (activity), and in each store to accounts of each tier (stores).
 */
#include <stdlib.h>
#include <string.h>

#include "service/reports.h"

#define SLICE_RECORDS 10000u
#define TODAY_TRIES 100 /* checkpoints come about one a second; the records of a day are read in far less */

/* In front of all records of a day. */
static struct key before_day(local_day day)
{
    struct key key = key_day_counts(day, (struct text){ "", 0 }, 0);
    key.size = key_all_day_counts().size + sizeof(uint32_t);
    return key;
}

static void begin_at(struct report_query *query, local_day day)
{
    query->prefix = key_all_day_counts();
    query->after = before_day(day);
}

static bool read_record(struct report_query *query, const uint8_t *key, size_t key_size, const uint8_t *value,
                        size_t size, struct day_counts_name *out_name, struct day_counts *out_counts)
{
    if (!key_read_day_counts(key, key_size, out_name) ||
        !day_counts_decode((struct state_value){ value, (uint32_t)size }, out_counts)) {
        query->failed = STATE_UNREADABLE;
        return false;
    }
    query->seen++;
    query->after.size = key_size;
    memcpy(query->after.bytes, key, key_size);
    return true;
}

/* --- activity --- */

static local_day page_first(const struct report_query *query)
{
    return query->next > (uint64_t)i64_max(query->from, 0) ? (local_day)query->next : query->from;
}

static uint64_t page_days(const struct report_query *query)
{
    int64_t left = (int64_t)query->through - page_first(query) + 1;
    return u64_min(query->limit, (uint64_t)i64_max(left, 0));
}

static bool visit_day(void *ctx, const uint8_t *key, size_t key_size, const uint8_t *value, size_t size)
{
    struct report_query *query = ctx;
    struct day_counts_name name;
    struct day_counts counts;
    if (!read_record(query, key, key_size, value, size, &name, &counts))
        return false;
    uint64_t at = (uint64_t)((int64_t)name.day - page_first(query));
    if (name.day >= query->today)
        return report_add_counts(query, &counts, &query->from_today);
    return report_add_counts(query, &counts, at < page_days(query) ? &query->days[at] : &query->later);
}

/* Records of days before today do not change any more; those from today on are read in one piece with the totals. */
static bool read_from_today(struct report_query *query, struct reading *reading)
{
    for (uint32_t i = 0; i < TODAY_TRIES; i++) {
        struct totals after;
        memset(&query->from_today, 0, sizeof(query->from_today));
        if (!report_totals(query, reading, &query->totals))
            return false;
        begin_at(query, query->today);
        report_scan(query, reading, UINT32_MAX, visit_day);
        if (query->failed != NULL || !report_totals(query, reading, &after))
            return false;
        if (after.events == query->totals.events)
            return true;
    }
    query->failed = "state changes too fast";
    return false;
}

static bool sum_of(struct report_query *query, const struct day_counts *counts, millipoints *sum)
{
    bool fits = true;
    for (uint32_t why = 0; why < MOVEMENT_COUNT; why++)
        fits = fits && report_add(query, sum, counts->moved[why]);
    return fits;
}

/* The balance before the first day of the page: that of now, less all that moved since. */
static bool opening_balance(struct report_query *query, uint64_t days, millipoints *out)
{
    millipoints moved = 0;
    bool fits = sum_of(query, &query->later, &moved) && sum_of(query, &query->from_today, &moved);
    for (uint64_t i = 0; i < days; i++)
        fits = fits && sum_of(query, &query->days[i], &moved);
    *out = query->totals.outstanding - query->totals.debt;
    return fits && moved != INT64_MIN && report_add(query, out, -moved);
}

static void activity_rows(struct report_query *query)
{
    local_day first = page_first(query);
    uint64_t days = page_days(query);
    millipoints balance;
    if (!opening_balance(query, days, &balance))
        return;
    for (uint64_t i = 0; i < days; i++) {
        local_day day = first + (local_day)i;
        const struct day_counts *counts = day == query->today ? &query->from_today : &query->days[i];
        struct msg_report_row *row = &report_row_add(query)->row;
        row->day = (uint64_t)day;
        row->opening = balance;
        report_counts(counts, row);
        if (!sum_of(query, counts, &balance))
            return;
        row->closing = balance;
        /* What is behind today counts as today's: then its end is now. */
        PUNKT_CHECK(day != query->today || balance == query->totals.outstanding - query->totals.debt);
    }
    query->next = first + (local_day)days <= query->through ? (uint64_t)first + days : 0;
}

enum job_step report_activity_step(struct report_query *query, struct reading *reading)
{
    if (query->days == NULL) {
        query->days = calloc(page_days(query) + 1, sizeof(*query->days));
        if (query->days == NULL) {
            query->failed = "out of memory";
            return JOB_DONE;
        }
        begin_at(query, page_first(query));
    }
    report_scan(query, reading, SLICE_RECORDS, visit_day);
    if (query->failed != NULL || query->seen == SLICE_RECORDS)
        return query->failed != NULL ? JOB_DONE : JOB_MORE;
    if (read_from_today(query, reading))
        activity_rows(query);
    return JOB_DONE;
}

/* --- stores --- */

/* Where it stands, or would. */
static uint32_t store_place(const struct report_query *query, const struct wire_code *store, uint64_t tier,
                            bool *out_there)
{
    uint32_t low = 0;
    uint32_t high = query->store_count;
    *out_there = false;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct report_store *at = &query->stores[middle];
        size_t common = at->store.size < store->size ? at->store.size : store->size;
        int order = memcmp(at->store.bytes, store->bytes, common);
        if (order == 0)
            order = (at->store.size > store->size) - (at->store.size < store->size);
        if (order == 0)
            order = (at->tier > tier) - (at->tier < tier);
        if (order == 0) {
            *out_there = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* NULL: the report has failed. */
static struct report_store *store_of(struct report_query *query, const struct wire_code *store, uint64_t tier)
{
    bool there;
    uint32_t place = store_place(query, store, tier, &there);
    if (there)
        return &query->stores[place];
    if (query->store_count == query->store_capacity) {
        uint32_t capacity = query->store_capacity * 2 + 64;
        struct report_store *grown =
            query->store_count < REPORT_STORES_MAX ? realloc(query->stores, capacity * sizeof(*grown)) : NULL;
        if (grown == NULL) {
            query->failed = "too many stores and tiers";
            return NULL;
        }
        query->stores = grown;
        query->store_capacity = capacity;
    }
    struct report_store *new = &query->stores[place];
    memmove(new + 1, new, (query->store_count - place) * sizeof(*new));
    memset(new, 0, sizeof(*new));
    new->store = *store;
    new->tier = tier;
    query->store_count++;
    return new;
}

static bool visit_store(void *ctx, const uint8_t *key, size_t key_size, const uint8_t *value, size_t size)
{
    struct report_query *query = ctx;
    struct day_counts_name name;
    struct day_counts counts;
    if (!read_record(query, key, key_size, value, size, &name, &counts))
        return false;
    if (name.day > query->through && query->through < query->today) {
        query->seen = 0; /* the rest is behind the period */
        return false;
    }
    struct wire_code store = { .size = name.store_size };
    memcpy(store.bytes, name.store, name.store_size);
    struct report_store *sum = store_of(query, &store, name.tier);
    return sum != NULL && report_add_counts(query, &counts, &sum->counts);
}

enum job_step report_stores_step(struct report_query *query, struct reading *reading)
{
    if (query->prefix.size == 0)
        begin_at(query, query->from);
    report_scan(query, reading, SLICE_RECORDS, visit_store);
    if (query->failed != NULL || query->seen == SLICE_RECORDS)
        return query->failed != NULL ? JOB_DONE : JOB_MORE;
    uint64_t at = query->next;
    while (at < query->store_count && query->count < query->limit) {
        const struct report_store *from = &query->stores[at++];
        struct report_row *row = report_row_add(query);
        row->row.day = (uint64_t)query->from;
        row->row.store = from->store;
        row->tier = from->tier;
        report_counts(&from->counts, &row->row);
    }
    query->next = at < query->store_count ? at : 0;
    return JOB_DONE;
}
