/*
 * What happened: counts by day, store and tier, and the day of a till, which it compares with its own at its close
 * (LEDGER.md, End of day).
 */
#include <endian.h>
#include <string.h>

#include "ledger/fold_internal.h"

static bool add(int64_t *sum, int64_t value)
{
    return !__builtin_add_overflow(*sum, value, sum);
}

/* Money off by redemptions, and points taken. */
struct redeemed {
    uint32_t count;
    minor_units worth;
    millipoints points;
};

static struct redeemed redeemed_by(const struct event *event)
{
    struct redeemed redeemed = { .count = 0 };
    const struct redemption *redemptions = NULL;
    if (event->type == EVENT_PURCHASE) {
        redeemed.count = event->purchase.redemption_count;
        redemptions = event->purchase.redemptions;
    } else if (event->type == EVENT_REDEMPTION || event->type == EVENT_CAPTURE) {
        redeemed.count = 1;
        redemptions = &event->redemption.made;
    }
    for (uint32_t i = 0; i < redeemed.count; i++) {
        redeemed.worth += redemptions[i].worth;
        redeemed.points += redemptions[i].points;
    }
    return redeemed;
}

/* --- days --- */

static bool count_amounts(const struct event *event, struct day_counts *counts)
{
    if (event->type == EVENT_PURCHASE && !add(&counts->spend, event->purchase.amount))
        return false;
    if (event->type == EVENT_RETURN)
        return add(&counts->returned, event->goods_return.amount);
    if (event->type == EVENT_UNLINKED_RETURN)
        return add(&counts->unlinked, event->goods_return.amount);
    if (event->type == EVENT_REVERSAL) {
        minor_units *counted = event->reversal.type == EVENT_RETURN            ? &counts->returned
                               : event->reversal.type == EVENT_UNLINKED_RETURN ? &counts->unlinked
                                                                               : &counts->spend;
        return event->reversal.goods.amount >= 0 && add(counted, -event->reversal.goods.amount);
    }
    return add(&counts->worth, redeemed_by(event).worth);
}

static bool count_day(struct fold *fold, const struct event *event, const struct movements *movements,
                      uint32_t index)
{
    uint64_t tier = index < event->effect_count ? event->effects[index].tier : 0;
    struct key key = key_day_counts(event->day, event->store, tier);
    struct day_counts *counts = &reports_change(fold, REPORT_DAY_COUNTS, &key)->day_counts;
    for (uint32_t why = 0; why < MOVEMENT_COUNT; why++) {
        if (!add(&counts->moved[why], movements->moved[index][why]))
            return false;
    }
    if (index > 0)
        return true;
    counts->events[event->type]++;
    return count_amounts(event, counts);
}

/* --- tills --- */

static enum till_kind kind_of(enum event_type type)
{
    /* One more than the kind; 0: others. */
    static const uint8_t kinds[EVENT_TYPE_MAX + 1] = {
        [EVENT_PURCHASE] = TILL_PURCHASES + 1,
        [EVENT_RETURN] = TILL_RETURNS + 1,
        [EVENT_RETURN_WAITING] = TILL_RETURNS + 1,
        [EVENT_UNLINKED_RETURN] = TILL_UNLINKED_RETURNS + 1,
        [EVENT_REDEMPTION] = TILL_REDEMPTIONS + 1,
        [EVENT_CAPTURE] = TILL_REDEMPTIONS + 1,
        [EVENT_HOLD] = TILL_HOLDS + 1,
        [EVENT_RELEASE] = TILL_RELEASES + 1,
        [EVENT_REVERSAL] = TILL_REVERSALS + 1,
        [EVENT_TOMBSTONE] = TILL_REVERSALS + 1,
    };
    return kinds[type] != 0 ? (enum till_kind)(kinds[type] - 1) : TILL_OTHERS;
}

static bool add_sums(struct till_day *day, enum till_kind kind, minor_units amount, millipoints points)
{
    return add(&day->sums[kind].amount, amount) && add(&day->sums[kind].points, points);
}

/* The amount of a return as its till sent it: lines of a purchase have none. 0: it is no return. */
static minor_units return_as_sent(const struct event *event)
{
    if (event->type == EVENT_UNLINKED_RETURN)
        return event->goods_return.amount;
    if (event->type == EVENT_RETURN_WAITING)
        return event->waiting.line_count == 0 ? event->waiting.amount : 0;
    return event->type == EVENT_RETURN && event->goods_return.line_count == 0 ? event->goods_return.amount
                                                                              : 0;
}

/* Redemptions of a purchase are counted, too: as those of their own. */
static bool count_sums(const struct event *event, struct till_day *day)
{
    enum till_kind kind = kind_of(event->type);
    struct redeemed redeemed = redeemed_by(event);
    minor_units amount = 0;
    millipoints points = 0;
    if (event->type == EVENT_PURCHASE) {
        amount = event->purchase.amount;
        points = event->purchase.earned;
    } else if (event->type == EVENT_RETURN || event->type == EVENT_UNLINKED_RETURN) {
        amount = event->goods_return.amount;
        points = event->goods_return.taken - event->goods_return.given_back;
    } else if (event->type == EVENT_RETURN_WAITING) {
        amount = event->waiting.amount; /* of lines: not known before the purchase is here */
    } else if (event->type == EVENT_HOLD) {
        points = event->hold.wanted.points;
    } else if (event->type == EVENT_REVERSAL) {
        amount = event->reversal.goods.amount;
        points = event->reversal.given - event->reversal.taken;
    }
    if (kind != TILL_REDEMPTIONS)
        day->sums[kind].count++;
    day->sums[TILL_REDEMPTIONS].count += redeemed.count;
    return add_sums(day, kind, amount, points) && add(&day->returns_sent, return_as_sent(event)) &&
           add_sums(day, TILL_REDEMPTIONS, redeemed.worth, redeemed.points);
}

static void count_number(const struct request_name *request, struct till_day *day)
{
    for (uint32_t i = 0; i < day->epoch_count; i++) {
        if (day->epochs[i].epoch != request->epoch)
            continue;
        day->epochs[i].first = u64_min(day->epochs[i].first, request->number);
        day->epochs[i].last = u64_max(day->epochs[i].last, request->number);
        return;
    }
    if (day->epoch_count == TILL_EPOCHS_MAX) {
        day->more_epochs = true;
        return;
    }
    day->epochs[day->epoch_count].epoch = request->epoch;
    day->epochs[day->epoch_count].first = request->number;
    day->epochs[day->epoch_count].last = request->number;
    day->epoch_count++;
}

bool event_is_booked(const struct event *event)
{
    return event->type != EVENT_REFUSAL && event->type != EVENT_TIE && event->type != EVENT_PROPOSAL;
}

/* The first bytes of SHA-256 over epoch, number (both little-endian) and fingerprint. */
void request_hash(struct fold *fold, const struct request_name *request, uint8_t out[TILL_HASH_SIZE])
{
    uint8_t bytes[16 + sizeof(request->fingerprint)];
    uint8_t hash[SHA256_SIZE];
    uint64_t epoch = htole64(request->epoch);
    uint64_t number = htole64(request->number);
    memcpy(bytes, &epoch, 8);
    memcpy(bytes + 8, &number, 8);
    memcpy(bytes + 16, request->fingerprint, sizeof(request->fingerprint));
    sha256_begin(&fold->sha256);
    sha256_add(&fold->sha256, bytes, sizeof(bytes));
    sha256_end(&fold->sha256, hash);
    memcpy(out, hash, TILL_HASH_SIZE);
}

/* A close says how the day stands and is no part of it; what others book in the till's name it cannot know. */
static bool counts_for_till(const struct event *event)
{
    return (event->flags & EVENT_FLAG_FOREIGN) == 0 && event->till.size > 0 && event_is_booked(event) &&
           event->type != EVENT_DAY_CLOSE;
}

static struct key key_of_till_day(const struct event *event)
{
    return key_till_day(event->store, event->till, event_business_date(event));
}

static bool count_till(struct fold *fold, const struct event *event, const uint8_t hash[TILL_HASH_SIZE])
{
    if (!counts_for_till(event))
        return true;
    struct key key = key_of_till_day(event);
    struct till_day *day = &reports_change(fold, REPORT_TILL_DAY, &key)->till_day;
    count_number(&event->request, day);
    for (size_t i = 0; i < TILL_HASH_SIZE; i++)
        day->hash[i] ^= hash[i];
    day->late += day->closes > 0;
    return count_sums(event, day);
}

bool fold_is_late(struct fold *fold, const struct event *event)
{
    if (!counts_for_till(event))
        return false;
    struct key key = key_of_till_day(event);
    return reports_find(fold, REPORT_TILL_DAY, &key)->till_day.closes > 0;
}

static struct till_record till_of(struct fold *fold, struct text store, struct text till)
{
    struct till_record record = { .closes = 0 };
    struct key key = key_till(store, till);
    struct state_value value;
    if (fold_get(fold, &key, &value))
        PUNKT_CHECK(till_decode(value, &record)); /* its checksum was right */
    return record;
}

uint64_t fold_till_closes(struct fold *fold, struct text store, struct text till)
{
    return till_of(fold, store, till).closes;
}

bool fold_day_close(struct fold *fold, const struct event *event, journal_position position)
{
    uint8_t bytes[SMALL_RECORD_MAX];
    struct till_record till = till_of(fold, event->store, event->till);
    if (event->day_close.number != till.closes + 1)
        return false;
    till.closes++;
    till.last_close = position;
    struct key key = key_till(event->store, event->till);
    fold_put(fold, &key, bytes, till_encode(&till, bytes, sizeof(bytes)));
    key = key_till_day(event->store, event->till, event->business_date);
    struct till_day *day = &reports_change(fold, REPORT_TILL_DAY, &key)->till_day;
    if (event->day_close.late != day->late)
        return false;
    day->closes++;
    day->late = 0;
    day->close_state = event->day_close.state;
    day->close_time = event->time;
    return true;
}

bool count_event(struct fold *fold, const struct event *event, const struct movements *movements,
                 const uint8_t *hash)
{
    uint32_t count = event->effect_count > 0 ? event->effect_count : 1;
    for (uint32_t i = 0; i < count; i++) {
        if (!count_day(fold, event, movements, i))
            return false;
    }
    return event->request.number == 0 || hash == NULL || count_till(fold, event, hash);
}
