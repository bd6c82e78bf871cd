/*
 * What an outbox remembers: its entries in order and by number, their states, the days that are closed.
 */
#include <string.h>

#include "lib/outbox_internal.h"

#define BUCKETS_MIN 64
#define KEPT_US (INT64_C(7) * 86400 * 1000000) /* after the answer (LEDGER.md, After a server's loss) */

struct slot *slot_of(const struct outbox_entry *entry)
{
    return (struct slot *)(uintptr_t)entry; /* it is the first member */
}

static struct slot *slot_next(const struct slot *slot)
{
    return slot_of(slot->entry.next);
}

/* --- the index --- */

static size_t bucket_of(const struct outbox *outbox, uint64_t epoch, uint64_t number)
{
    /* Epochs are random, numbers are not: a factor spreads them. */
    uint64_t hash = (epoch ^ number) * UINT64_C(0x9E3779B97F4A7C15);
    return (size_t)(hash >> 32) & (outbox->bucket_count - 1);
}

static void index_enter(struct outbox *outbox, struct slot *slot)
{
    struct slot **bucket = &outbox->buckets[bucket_of(outbox, slot->entry.epoch, slot->entry.number)];
    slot->in_bucket = *bucket;
    *bucket = slot;
}

static void index_leave(struct outbox *outbox, const struct slot *slot)
{
    struct slot **at = &outbox->buckets[bucket_of(outbox, slot->entry.epoch, slot->entry.number)];
    while (*at != slot)
        at = &(*at)->in_bucket;
    *at = slot->in_bucket;
}

/* A larger index is only faster: without memory for it the old one goes on. */
static bool index_grow(struct outbox *outbox)
{
    size_t count = outbox->bucket_count == 0 ? BUCKETS_MIN : outbox->bucket_count * 2;
    struct slot **buckets = heap_take(outbox->heap, count * sizeof(struct slot *));
    if (buckets == NULL)
        return outbox->bucket_count > 0;
    heap_give(outbox->heap, outbox->buckets);
    outbox->buckets = buckets;
    outbox->bucket_count = count;
    for (struct slot *slot = outbox->first; slot != NULL; slot = slot_next(slot))
        index_enter(outbox, slot);
    return true;
}

struct slot *slot_find(const struct outbox *outbox, uint64_t epoch, uint64_t number)
{
    if (outbox->bucket_count == 0)
        return NULL;
    struct slot *slot = outbox->buckets[bucket_of(outbox, epoch, number)];
    while (slot != NULL && (slot->entry.epoch != epoch || slot->entry.number != number))
        slot = slot->in_bucket;
    return slot;
}

/* --- the list --- */

struct slot *slot_new(struct outbox *outbox)
{
    if (outbox->slot_count >= outbox->bucket_count && !index_grow(outbox))
        return NULL;
    return heap_take(outbox->heap, sizeof(struct slot));
}

/* What an entry counts as; NULL: nothing of its own. */
static void count(struct outbox *outbox, const struct slot *slot, bool more)
{
    uint32_t one = more ? 1 : UINT32_MAX; /* modulo 2 to the 32nd, one less */
    struct outbox_counts *counts = &outbox->counts;
    switch (slot->entry.state) {
    case OUTBOX_OPEN:
        counts->open += one;
        counts->queued += slot->entry.lane == OUTBOX_LANE_QUEUE ? one : 0;
        outbox->reopened_count += slot->reopened ? one : 0;
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

void slot_enter(struct outbox *outbox, struct slot *slot)
{
    slot->previous = outbox->last;
    if (outbox->last != NULL)
        outbox->last->entry.next = &slot->entry;
    else
        outbox->first = slot;
    outbox->last = slot;
    if (outbox->oldest == NULL)
        outbox->oldest = slot;
    index_enter(outbox, slot);
    outbox->slot_count++;
    count(outbox, slot, true);
}

void slot_leave(struct outbox *outbox, struct slot *slot)
{
    struct slot *next = slot_next(slot);
    if (slot->previous != NULL)
        slot->previous->entry.next = slot->entry.next;
    else
        outbox->first = next;
    if (next != NULL)
        next->previous = slot->previous;
    else
        outbox->last = slot->previous;
    if (outbox->oldest == slot)
        outbox->oldest = next;
    index_leave(outbox, slot);
    outbox->slot_count--;
    count(outbox, slot, false);
}

void slot_change(struct outbox *outbox, struct slot *slot, enum outbox_state state,
                 const struct outbox_result *result)
{
    count(outbox, slot, false);
    slot->entry.state = state;
    slot->closed = false;
    if (result != NULL)
        slot->entry.result = *result;
    count(outbox, slot, true);
}

bool slot_may_go(const struct slot *slot, int64_t now_us)
{
    return (slot->entry.state == OUTBOX_DONE || slot->entry.state == OUTBOX_REFUSED) && slot->closed &&
           !slot->entry.unsettled && slot->entry.result.at_us < now_us - KEPT_US;
}

static void free_gone(struct outbox *outbox)
{
    while (outbox->gone != NULL) {
        struct slot *slot = outbox->gone;
        outbox->gone = slot->previous;
        heap_give(outbox->heap, slot);
    }
}

void slots_forget(struct outbox *outbox, bool forget)
{
    for (struct slot *slot = outbox->first, *next; slot != NULL; slot = next) {
        next = slot_next(slot);
        if (forget && slot->forget) {
            slot_leave(outbox, slot);
            heap_give(outbox->heap, slot);
        } else {
            slot->forget = false;
        }
    }
    if (forget && outbox->unsettled == NULL)
        free_gone(outbox);
}

void slots_free(struct outbox *outbox)
{
    for (struct slot *slot = outbox->first, *next; slot != NULL; slot = next) {
        next = slot_next(slot);
        heap_give(outbox->heap, slot);
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
    for (struct slot *slot = outbox->first; covers && slot != NULL; slot = slot_next(slot)) {
        if (slot->entry.note.business_date == business_date &&
            (slot->entry.state == OUTBOX_DONE || slot->entry.state == OUTBOX_REFUSED))
            slot->closed = true;
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

void slot_unsettle(struct outbox *outbox, struct slot *slot)
{
    slot->entry.unsettled = true;
    if (slot->chained)
        return;
    slot->chained = true;
    slot->unsettled_next = outbox->unsettled;
    outbox->unsettled = slot;
}

void slots_settled(struct outbox *outbox)
{
    while (outbox->unsettled != NULL) {
        struct slot *slot = outbox->unsettled;
        outbox->unsettled = slot->unsettled_next;
        slot->chained = false;
        slot->entry.unsettled = false;
    }
}

/* Ends come in records of at most so many, the number of which stands before them. */
struct ends {
    uint32_t left, in_record;
};

static size_t ends_size(uint32_t done, uint32_t dead)
{
    return (size_t)done * OUTBOX_RESULT_BYTES + (size_t)(done / OUTBOX_RESULTS_MAX + 1) * OUTBOX_RECORD_HEAD +
           (size_t)dead * (OUTBOX_RESULT_BYTES + OUTBOX_RECORD_HEAD);
}

static void encode_slot(const struct slot *slot, struct ends *ends, struct wire_writer *writer)
{
    const struct outbox_entry *entry = &slot->entry;
    struct outbox_end end = { entry->epoch, entry->number, entry->result, slot->closed };
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
}

static bool is_answered(const struct slot *slot)
{
    return slot->entry.state == OUTBOX_DONE || slot->entry.state == OUTBOX_REFUSED;
}

/* A discarded one is no longer in the index. */
static bool is_discarded(const struct outbox *outbox, const struct slot *slot)
{
    return slot->entry.state == OUTBOX_DEAD &&
           slot_find(outbox, slot->entry.epoch, slot->entry.number) != slot;
}

static uint32_t unsettled_done(const struct outbox *outbox)
{
    uint32_t done = 0;
    for (const struct slot *slot = outbox->unsettled; slot != NULL; slot = slot->unsettled_next)
        done += slot->entry.unsettled && is_answered(slot);
    return done;
}

size_t unsettled_size(const struct outbox *outbox)
{
    uint32_t others = 0, done = unsettled_done(outbox);
    for (const struct slot *slot = outbox->unsettled; slot != NULL; slot = slot->unsettled_next)
        others += slot->entry.unsettled && !is_answered(slot);
    return done + others > 0 ? ends_size(done, others) : 0;
}

void unsettled_encode(const struct outbox *outbox, struct wire_writer *writer)
{
    struct ends ends = { unsettled_done(outbox), 0 };
    for (const struct slot *slot = outbox->unsettled; slot != NULL; slot = slot->unsettled_next) {
        if (slot->entry.unsettled && is_answered(slot))
            encode_slot(slot, &ends, writer);
    }
    /* Not between the ends of one record. */
    for (const struct slot *slot = outbox->unsettled; slot != NULL; slot = slot->unsettled_next) {
        if (!slot->entry.unsettled || is_answered(slot))
            continue;
        if (is_discarded(outbox, slot))
            outbox_discard_encode(writer, slot->entry.epoch, slot->entry.number);
        else
            encode_slot(slot, &ends, writer);
    }
}

static uint32_t kept_count(const struct outbox *outbox)
{
    uint32_t kept = 0;
    for (const struct slot *slot = outbox->first; slot != NULL; slot = slot_next(slot))
        kept += is_answered(slot) && !slot->forget;
    return kept;
}

size_t answered_size(const struct outbox *outbox)
{
    return ends_size(kept_count(outbox), outbox->counts.dead);
}

void answered_encode(const struct outbox *outbox, struct wire_writer *writer)
{
    struct ends ends = { kept_count(outbox), 0 };
    for (const struct slot *slot = outbox->first; slot != NULL; slot = slot_next(slot)) {
        if (is_answered(slot) && !slot->forget)
            encode_slot(slot, &ends, writer);
    }
    for (const struct slot *slot = outbox->first; slot != NULL; slot = slot_next(slot)) {
        if (slot->entry.state == OUTBOX_DEAD)
            encode_slot(slot, &ends, writer);
    }
}
