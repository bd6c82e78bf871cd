/*
 * What reports are made of: the slots that its records are kept in, points by the month of their last day and cohorts by
 * the quarter they were earned in. Counts of events are in fold_counts.c.
 */
#include <string.h>

#include "ledger/fold_internal.h"

/* --- slots --- */

static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0x9E3779B97F4A7C15);
    return hash ^ hash >> 32;
}

/* Any spread will do: where a record is kept meanwhile, nobody sees. By words, the last of which may overlap. */
static uint32_t slot_of(const struct key *key)
{
    uint64_t hash = key->size;
    uint64_t word = 0;
    if (key->size < sizeof(word)) {
        for (size_t i = 0; i < key->size; i++)
            word = word << 8 | key->bytes[i];
        return (uint32_t)(mix(hash, word) % REPORT_SLOTS);
    }
    for (size_t i = 0; i + sizeof(word) < key->size; i += sizeof(word)) {
        memcpy(&word, key->bytes + i, sizeof(word));
        hash = mix(hash, word);
    }
    memcpy(&word, key->bytes + key->size - sizeof(word), sizeof(word));
    return (uint32_t)(mix(hash, word) % REPORT_SLOTS);
}

static void store_slot(struct fold *fold, struct report_slot *slot)
{
    uint8_t record[REPORT_RECORD_MAX];
    size_t size = 0;
    switch (slot->kind) {
    case REPORT_DAY_COUNTS:
        size = day_counts_encode(&slot->day_counts, record, sizeof(record));
        break;
    case REPORT_OUTSTANDING:
        size = outstanding_encode(slot->outstanding, record, sizeof(record));
        break;
    case REPORT_COHORT:
        size = cohort_encode(&slot->cohort, record, sizeof(record));
        break;
    case REPORT_TILL_DAY:
        size = till_day_encode(&slot->till_day, record, sizeof(record));
        break;
    }
    fold_put(fold, &slot->key, record, size);
    slot->changed = false;
}

static void load_slot(struct fold *fold, struct report_slot *slot)
{
    struct state_value value;
    bool read = true;
    const size_t head = offsetof(struct report_slot, day_counts);
    memset((char *)slot + head, 0, sizeof(*slot) - head);
    slot->known = fold_get(fold, &slot->key, &value);
    if (!slot->known)
        return;
    switch (slot->kind) {
    case REPORT_DAY_COUNTS:
        read = day_counts_decode(value, &slot->day_counts);
        break;
    case REPORT_OUTSTANDING:
        read = outstanding_decode(value, &slot->outstanding);
        break;
    case REPORT_COHORT:
        read = cohort_decode(value, &slot->cohort);
        break;
    case REPORT_TILL_DAY:
        read = till_day_decode(value, &slot->till_day);
        break;
    }
    PUNKT_CHECK(read); /* its checksum was right: other bytes are a bug of ours */
}

struct report_slot *reports_find(struct fold *fold, enum report_kind kind, const struct key *key)
{
    struct report_slot *slot = &fold->reports[slot_of(key)];
    if (slot->kind == kind && slot->key.size == key->size &&
        memcmp(slot->key.bytes, key->bytes, key->size) == 0)
        return slot;
    if (slot->changed)
        store_slot(fold, slot);
    slot->kind = kind;
    slot->key = *key;
    load_slot(fold, slot);
    return slot;
}

struct report_slot *reports_change(struct fold *fold, enum report_kind kind, const struct key *key)
{
    struct report_slot *slot = reports_find(fold, kind, key);
    slot->known = true;
    slot->changed = true;
    return slot;
}

void reports_store(struct fold *fold)
{
    for (size_t i = 0; i < REPORT_SLOTS; i++) {
        if (fold->reports[i].changed)
            store_slot(fold, &fold->reports[i]);
    }
}

/* --- look-up --- */

bool fold_till_day(struct fold *fold, struct text store, struct text till, local_day business_date,
                   struct till_day *out)
{
    struct key key = key_till_day(store, till, business_date);
    struct report_slot *slot = reports_find(fold, REPORT_TILL_DAY, &key);
    *out = slot->till_day;
    return slot->known;
}

/* --- lots: what expires when, and cohorts --- */

/* Of a lot, what reports ask for. */
struct lot_class {
    int32_t month;   /* of its last day, or OUTSTANDING_... */
    int32_t quarter; /* in which it was earned */
};

static struct lot_class class_of(local_day earned, local_day last_day, uint8_t inactive_months)
{
    int32_t months = month_of_day(earned);
    struct lot_class class = { .quarter = months >= 0 ? months / 3 : -((2 - months) / 3) };
    class.month = inactive_months > 0     ? OUTSTANDING_INACTIVE
                  : last_day == DAY_NEVER ? OUTSTANDING_NEVER
                                          : month_of_day(last_day);
    return class;
}

static const struct lot *find_lot(const struct account *account, uint32_t number)
{
    uint32_t low = 0;
    uint32_t high = account->lot_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (account->lots[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low < account->lot_count && account->lots[low].number == number ? &account->lots[low] : NULL;
}

/* Of a lot of the account, or of one that this effect made before its change `index`, or makes by it. */
static bool class_of_lot(const struct effect *effect, uint32_t number, uint32_t index,
                         const struct account *account, struct lot_class *out)
{
    const struct lot *lot = find_lot(account, number);
    if (lot != NULL) {
        *out = class_of(lot->earned, lot->last_day, lot->inactive_months);
        return true;
    }
    for (uint32_t i = 0; i <= index; i++) {
        const struct lot_change *change = &effect->lot_changes[i];
        if (change->kind != LOT_ADD || change->lot != number)
            continue;
        *out = class_of(change->earned, change->last_day, change->inactive_months);
        return true;
    }
    return false;
}

/* Why points of a cohort came or went. */
enum cohort_part { COHORT_ISSUED, COHORT_REDEEMED, COHORT_EXPIRED, COHORT_RETURNED, COHORT_OTHER };

static enum cohort_part part_of_add(const struct event *event)
{
    bool issues = event->type == EVENT_PURCHASE || event->type == EVENT_CARDS_ISSUED ||
                  event->type == EVENT_BONUS || event->type == EVENT_ADJUSTMENT;
    if (issues)
        return COHORT_ISSUED;
    if (event->type == EVENT_RETURN) /* what was spent on the purchase comes back */
        return COHORT_REDEEMED;
    if (event->type != EVENT_REVERSAL)
        return COHORT_OTHER;
    bool of_return = event->reversal.type == EVENT_RETURN || event->reversal.type == EVENT_UNLINKED_RETURN;
    return of_return ? COHORT_RETURNED : COHORT_REDEEMED;
}

static bool is_of(const struct redemption *redemption, uint32_t change)
{
    return change >= redemption->change_first && change - redemption->change_first < redemption->change_count;
}

/* index: of the effect, change: its place there. Redemptions are effects[0]'s. */
static bool is_redeemed(const struct event *event, uint32_t index, uint32_t change)
{
    if (index != 0)
        return false;
    if (event->type != EVENT_PURCHASE)
        return (event->type == EVENT_REDEMPTION || event->type == EVENT_CAPTURE) &&
               is_of(&event->redemption.made, change);
    for (uint32_t i = 0; i < event->purchase.redemption_count; i++) {
        if (is_of(&event->purchase.redemptions[i], change))
            return true;
    }
    return false;
}

static enum cohort_part part_of_take(const struct event *event, uint32_t index, uint32_t change)
{
    if (is_redeemed(event, index, change))
        return COHORT_REDEEMED;
    if (event->type == EVENT_RETURN || event->type == EVENT_UNLINKED_RETURN)
        return COHORT_RETURNED;
    if (event->type != EVENT_REVERSAL)
        return COHORT_OTHER;
    return event->reversal.type == EVENT_RETURN     ? COHORT_REDEEMED
           : event->reversal.type == EVENT_PURCHASE ? COHORT_RETURNED
                                                    : COHORT_OTHER;
}

static bool add(millipoints *sum, millipoints points)
{
    return !__builtin_add_overflow(*sum, points, sum);
}

/* Points come to a class of lots (above zero) or go. */
static bool move_points(struct fold *fold, const struct lot_class *class, enum cohort_part part,
                        millipoints points)
{
    struct key key = key_outstanding(class->month);
    if (!add(&reports_change(fold, REPORT_OUTSTANDING, &key)->outstanding, points))
        return false;
    key = key_cohort(class->quarter);
    struct cohort *cohort = &reports_change(fold, REPORT_COHORT, &key)->cohort;
    bool fits = add(&cohort->left, points);
    switch (part) {
    case COHORT_ISSUED:
        return fits && add(&cohort->issued, points);
    case COHORT_REDEEMED:
        return fits && add(&cohort->redeemed, -points);
    case COHORT_EXPIRED:
        return fits && add(&cohort->expired, -points);
    case COHORT_RETURNED:
        return fits && add(&cohort->returned, -points);
    case COHORT_OTHER:
        return fits && add(&cohort->other, -points);
    }
    return false;
}

/* A lot that goes into another must expire and be counted with it. */
static bool joins_its_like(const struct effect *effect, uint32_t index, const struct account *account)
{
    const struct lot_change *change = &effect->lot_changes[index];
    struct lot_class from, into;
    return class_of_lot(effect, change->lot, index, account, &from) &&
           class_of_lot(effect, change->into, index, account, &into) && from.month == into.month &&
           from.quarter == into.quarter;
}

static bool lot_changed(struct fold *fold, const struct event *event, const struct effect *effect,
                        uint32_t index, const struct account *account)
{
    const struct lot_change *change = &effect->lot_changes[index];
    enum cohort_part part = COHORT_OTHER;
    struct lot_class class;
    switch (change->kind) {
    case LOT_JOIN:
        return joins_its_like(effect, index, account);
    case LOT_MATURE:
    case LOT_HOLD:
    case LOT_FREE:
        return true;
    case LOT_ADD:
        part = part_of_add(event);
        break;
    case LOT_TAKE:
    case LOT_CAPTURE:
        part = part_of_take(event, effect == &event->effects[0] ? 0 : 1, index);
        break;
    case LOT_EXPIRE:
        part = COHORT_EXPIRED;
        break;
    }
    if (change->points <= 0 || change->points > MILLIPOINTS_MAX ||
        !class_of_lot(effect, change->lot, index, account, &class))
        return false;
    return move_points(fold, &class, part, change->kind == LOT_ADD ? change->points : -change->points);
}

bool reports_lots(struct fold *fold, const struct event *event, const struct effect *effect,
                  const struct account *account)
{
    for (uint32_t i = 0; i < effect->lot_change_count; i++) {
        if (!lot_changed(fold, event, effect, i, account))
            return false;
    }
    return true;
}

bool reports_welcome(struct fold *fold, const struct lot *lot, uint32_t count)
{
    struct lot_class class = class_of(lot->earned, lot->last_day, lot->inactive_months);
    millipoints points;
    return !__builtin_mul_overflow(lot->points, (int64_t)count, &points) &&
           add(&fold->totals.outstanding, points) && move_points(fold, &class, COHORT_ISSUED, points);
}
