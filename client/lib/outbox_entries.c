/*
 * What an outbox remembers: its entries in order and by number, their states, the days that are closed.
 */
#include <string.h>

#include "lib/outbox_internal.h"

#define BUCKETS_MIN 64
#define KEPT_US (INT64_C(7) * 86400 * 1000000) /* after the answer (LEDGER.md, After a server's loss) */

struct item *item_of(const struct outbox_entry *entry)
{
    return (struct item *)(uintptr_t)entry; /* it is the first member */
}

static struct item *item_next(const struct item *item)
{
    return item_of(item->entry.next);
}

/* --- the index --- */

static size_t bucket_of(const struct outbox *outbox, uint64_t epoch, uint64_t number)
{
    /* Epochs are random, numbers are not: a factor spreads them. */
    uint64_t hash = (epoch ^ number) * UINT64_C(0x9E3779B97F4A7C15);
    return (size_t)(hash >> 32) & (outbox->bucket_count - 1);
}

static void index_enter(struct outbox *outbox, struct item *item)
{
    struct item **bucket = &outbox->buckets[bucket_of(outbox, item->entry.epoch, item->entry.number)];
    item->in_bucket = *bucket;
    *bucket = item;
}

static void index_leave(struct outbox *outbox, const struct item *item)
{
    struct item **at = &outbox->buckets[bucket_of(outbox, item->entry.epoch, item->entry.number)];
    while (*at != item)
        at = &(*at)->in_bucket;
    *at = item->in_bucket;
}

/* A larger index is only faster: without memory for it the old one goes on. */
static bool index_grow(struct outbox *outbox)
{
    size_t count = outbox->bucket_count == 0 ? BUCKETS_MIN : outbox->bucket_count * 2;
    struct item **buckets = heap_take(outbox->heap, count * sizeof(struct item *));
    if (buckets == NULL)
        return outbox->bucket_count > 0;
    heap_give(outbox->heap, outbox->buckets);
    outbox->buckets = buckets;
    outbox->bucket_count = count;
    for (struct item *item = outbox->first; item != NULL; item = item_next(item))
        index_enter(outbox, item);
    return true;
}

struct item *item_find(const struct outbox *outbox, uint64_t epoch, uint64_t number)
{
    if (outbox->bucket_count == 0)
        return NULL;
    struct item *item = outbox->buckets[bucket_of(outbox, epoch, number)];
    while (item != NULL && (item->entry.epoch != epoch || item->entry.number != number))
        item = item->in_bucket;
    return item;
}

/* --- the list --- */

struct item *item_new(struct outbox *outbox)
{
    if (outbox->item_count >= outbox->bucket_count && !index_grow(outbox))
        return NULL;
    return heap_take(outbox->heap, sizeof(struct item));
}

/* What an entry counts as; NULL: nothing of its own. */
static void count(struct outbox *outbox, const struct item *item, bool more)
{
    uint32_t one = more ? 1 : UINT32_MAX; /* modulo 2 to the 32nd, one less */
    struct outbox_counts *counts = &outbox->counts;
    switch (item->entry.state) {
    case OUTBOX_OPEN:
        counts->open += one;
        counts->queued += item->entry.lane == OUTBOX_LANE_QUEUE ? one : 0;
        outbox->again_count += item->again ? one : 0;
        break;
    case OUTBOX_DONE:
    case OUTBOX_REFUSED:
        counts->kept += one;
        break;
    case OUTBOX_DEAD:
        counts->dead += one;
        break;
    }
}

void item_enter(struct outbox *outbox, struct item *item)
{
    item->previous = outbox->last;
    if (outbox->last != NULL)
        outbox->last->entry.next = &item->entry;
    else
        outbox->first = item;
    outbox->last = item;
    if (outbox->oldest == NULL)
        outbox->oldest = item;
    index_enter(outbox, item);
    outbox->item_count++;
    count(outbox, item, true);
}

void item_leave(struct outbox *outbox, struct item *item)
{
    struct item *next = item_next(item);
    if (item->previous != NULL)
        item->previous->entry.next = item->entry.next;
    else
        outbox->first = next;
    if (next != NULL)
        next->previous = item->previous;
    else
        outbox->last = item->previous;
    if (outbox->oldest == item)
        outbox->oldest = next;
    index_leave(outbox, item);
    outbox->item_count--;
    count(outbox, item, false);
}

void item_change(struct outbox *outbox, struct item *item, enum outbox_state state,
                 const struct outbox_result *result)
{
    count(outbox, item, false);
    item->entry.state = state;
    item->closed = false;
    if (result != NULL)
        item->entry.result = *result;
    count(outbox, item, true);
}

bool item_may_go(const struct item *item, int64_t now_us)
{
    return (item->entry.state == OUTBOX_DONE || item->entry.state == OUTBOX_REFUSED) && item->closed &&
           !item->entry.unsettled && item->entry.result.at_us < now_us - KEPT_US;
}

static void free_gone(struct outbox *outbox)
{
    while (outbox->gone != NULL) {
        struct item *item = outbox->gone;
        outbox->gone = item->previous;
        heap_give(outbox->heap, item);
    }
}

void items_forget(struct outbox *outbox, bool forget)
{
    for (struct item *item = outbox->first, *next; item != NULL; item = next) {
        next = item_next(item);
        if (forget && item->forget) {
            item_leave(outbox, item);
            heap_give(outbox->heap, item);
        } else {
            item->forget = false;
        }
    }
    if (forget && outbox->unsettled == NULL)
        free_gone(outbox);
}

void items_free(struct outbox *outbox)
{
    for (struct item *item = outbox->first, *next; item != NULL; item = next) {
        next = item_next(item);
        heap_give(outbox->heap, item);
    }
    free_gone(outbox);
    heap_give(outbox->heap, outbox->buckets);
    heap_give(outbox->heap, outbox->closed_days);
}

/* --- days --- */

bool day_reserve(struct outbox *outbox)
{
    if (outbox->closed_count < outbox->closed_capacity)
        return true;
    size_t capacity = outbox->closed_capacity == 0 ? 16 : outbox->closed_capacity * 2;
    int32_t *days = heap_resize(outbox->heap, outbox->closed_days, capacity * sizeof(int32_t));
    if (days == NULL)
        return false;
    outbox->closed_days = days;
    outbox->closed_capacity = capacity;
    return true;
}

/* Where it is, or would be: days are kept in order. */
static size_t day_at(const struct outbox *outbox, int32_t business_date)
{
    size_t low = 0, high = outbox->closed_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (outbox->closed_days[middle] < business_date)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool outbox_day_closed(const struct outbox *outbox, int32_t business_date)
{
    size_t at = day_at(outbox, business_date);
    return at < outbox->closed_count && outbox->closed_days[at] == business_date;
}

void day_close(struct outbox *outbox, int32_t business_date, bool covers)
{
    size_t at = day_at(outbox, business_date);
    if (!outbox_day_closed(outbox, business_date)) {
        int32_t *days = outbox->closed_days;
        memmove(days + at + 1, days + at, (outbox->closed_count - at) * sizeof(int32_t));
        days[at] = business_date;
        outbox->closed_count++;
    }
    for (struct item *item = outbox->first; covers && item != NULL; item = item_next(item)) {
        if (item->entry.note.business_date == business_date &&
            (item->entry.state == OUTBOX_DONE || item->entry.state == OUTBOX_REFUSED))
            item->closed = true;
    }
}

void day_reopen(struct outbox *outbox, int32_t business_date)
{
    size_t at = day_at(outbox, business_date);
    if (!outbox_day_closed(outbox, business_date))
        return;
    int32_t *days = outbox->closed_days;
    memmove(days + at, days + at + 1, (--outbox->closed_count - at) * sizeof(int32_t));
}

/* --- what is to be written --- */

void item_unsettle(struct outbox *outbox, struct item *item)
{
    item->entry.unsettled = true;
    if (item->chained)
        return;
    item->chained = true;
    item->unsettled_next = outbox->unsettled;
    outbox->unsettled = item;
}

void items_settled(struct outbox *outbox)
{
    while (outbox->unsettled != NULL) {
        struct item *item = outbox->unsettled;
        outbox->unsettled = item->unsettled_next;
        item->chained = false;
        item->entry.unsettled = false;
    }
}

/* Ends come in records of at most so many, the number of which stands before them. */
struct ends {
    uint32_t left, in_record;
};

static size_t ends_size(uint32_t done, uint32_t dead)
{
    return (size_t)done * OUTBOX_RESULT_BYTES + (size_t)(done / OUTBOX_RESULTS_MAX + 1) * OUTBOX_RECORD_MIN +
           (size_t)dead * (OUTBOX_RESULT_BYTES + OUTBOX_RECORD_MIN);
}

static void encode_item(const struct item *item, struct ends *ends, struct wire_writer *writer)
{
    const struct outbox_entry *entry = &item->entry;
    struct outbox_end end = { entry->epoch, entry->number, entry->result, item->closed };
    if (entry->state == OUTBOX_DEAD) {
        outbox_ends_begin(writer, OUTBOX_TYPE_DEAD, 1);
    } else if (ends->in_record == 0) {
        ends->in_record = ends->left < OUTBOX_RESULTS_MAX ? ends->left : OUTBOX_RESULTS_MAX;
        ends->left -= ends->in_record;
        outbox_ends_begin(writer, OUTBOX_TYPE_DONE, ends->in_record--);
    } else {
        ends->in_record--;
    }
    outbox_end_encode(writer, &end);
    if (entry->state == OUTBOX_DEAD || ends->in_record == 0)
        outbox_ends_finish(writer);
}

static bool is_answered(const struct item *item)
{
    return item->entry.state == OUTBOX_DONE || item->entry.state == OUTBOX_REFUSED;
}

/* A discarded one is no longer in the index. */
static bool is_discarded(const struct outbox *outbox, const struct item *item)
{
    return item->entry.state == OUTBOX_DEAD &&
           item_find(outbox, item->entry.epoch, item->entry.number) != item;
}

uint32_t unsettled_count(const struct outbox *outbox)
{
    uint32_t unsettled = 0;
    for (const struct item *item = outbox->unsettled; item != NULL; item = item->unsettled_next)
        unsettled += item->entry.unsettled;
    return unsettled;
}

/* Marks what the next record holds; how many ends. */
static uint32_t take_unsettled(struct outbox *outbox)
{
    uint32_t taken = 0;
    const struct item *first = NULL;
    for (struct item *item = outbox->unsettled; item != NULL; item = item->unsettled_next) {
        item->taken = item->entry.unsettled && (first == NULL || (is_answered(first) && is_answered(item))) &&
                      taken < OUTBOX_RESULTS_MAX;
        if (item->taken && first == NULL)
            first = item;
        taken += item->taken;
    }
    return taken;
}

enum outbox_status unsettled_encode(struct outbox *outbox, size_t *out_size)
{
    struct ends ends = { take_unsettled(outbox), 0 };
    size_t size = ends_size(ends.left, 1);
    *out_size = 0;
    if (ends.left == 0)
        return OUTBOX_OK;
    if (!scratch_reserve(outbox, &outbox->record, size))
        return outbox_no_memory(outbox);
    struct wire_writer writer = wire_writer_over(outbox->record.bytes, size);
    for (const struct item *item = outbox->unsettled; item != NULL; item = item->unsettled_next) {
        if (item->taken && is_discarded(outbox, item))
            outbox_discard_encode(&writer, item->entry.epoch, item->entry.number);
        else if (item->taken)
            encode_item(item, &ends, &writer);
    }
    *out_size = wire_written(&writer);
    return OUTBOX_OK;
}

void unsettled_written(struct outbox *outbox)
{
    struct item **at = &outbox->unsettled;
    while (*at != NULL) {
        struct item *item = *at;
        if (item->taken) {
            item->entry.unsettled = false;
            item->chained = false;
            *at = item->unsettled_next;
        } else {
            at = &item->unsettled_next;
        }
    }
}

static uint32_t kept_count(const struct outbox *outbox)
{
    uint32_t kept = 0;
    for (const struct item *item = outbox->first; item != NULL; item = item_next(item))
        kept += is_answered(item) && !item->forget;
    return kept;
}

size_t answered_size(const struct outbox *outbox)
{
    return ends_size(kept_count(outbox), outbox->counts.dead);
}

void answered_encode(const struct outbox *outbox, struct wire_writer *writer)
{
    struct ends ends = { kept_count(outbox), 0 };
    for (const struct item *item = outbox->first; item != NULL; item = item_next(item)) {
        if (is_answered(item) && !item->forget)
            encode_item(item, &ends, writer);
    }
    for (const struct item *item = outbox->first; item != NULL; item = item_next(item)) {
        if (item->entry.state == OUTBOX_DEAD)
            encode_item(item, &ends, writer);
    }
}
