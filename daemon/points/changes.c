/* What changes of an account besides its lots and debts. */
#include "points/lots.h"

#include <string.h>

/* Removes an entry of a table. */
static void remove_entry(void *table, uint32_t *count, size_t size, uint32_t index)
{
    PUNKT_CHECK(index < *count);
    char *entry = (char *)table + index * size;
    (*count)--;
    memmove(entry, entry + size, (*count - index) * size);
}

/* --- tallies and stamps --- */

static struct tally *tally_of(struct account *account, uint32_t kind, uint64_t id)
{
    for (uint32_t i = 0; i < account->tally_count; i++) {
        struct tally *tally = &account->tallies[i];
        if (tally->kind == (enum tally_kind)kind && tally->id == id)
            return tally;
    }
    return NULL;
}

/* What counts for ever has the period 0, and gives way last. */
static bool gives_way_before(const struct tally *a, const struct tally *b)
{
    return b->period == 0 ? a->period != 0 : a->period != 0 && a->period < b->period;
}

static bool new_tally(struct account *account, const struct account_change *change)
{
    if (account->tally_count == ACCOUNT_TALLIES_MAX) {
        uint32_t oldest = 0;
        for (uint32_t i = 1; i < account->tally_count; i++) {
            if (gives_way_before(&account->tallies[i], &account->tallies[oldest]))
                oldest = i;
        }
        remove_entry(account->tallies, &account->tally_count, sizeof(account->tallies[0]), oldest);
    }
    account->tallies[account->tally_count++] = (struct tally){ .kind = (enum tally_kind)change->which,
                                                               .id = change->id,
                                                               .period = change->period,
                                                               .before = INT32_MIN,
                                                               .value = change->value };
    return true;
}

/* The two newest periods are kept; what is older counts into the older of them. */
static bool change_tally(struct account *account, const struct account_change *change)
{
    if (change->which < TALLY_CAP_DAY || change->which > TALLY_KIND_MAX)
        return false;
    struct tally *tally = tally_of(account, change->which, change->id);
    if (tally == NULL)
        return new_tally(account, change);
    if (change->period > tally->period) {
        tally->before = tally->period;
        tally->value_before = tally->value;
        tally->period = change->period;
        tally->value = 0;
    } else if (change->period < tally->period && change->period > tally->before) {
        tally->before = change->period;
        tally->value_before = 0;
    }
    int64_t *value = change->period == tally->period ? &tally->value : &tally->value_before;
    return !__builtin_add_overflow(*value, change->value, value);
}

/* Which purse gives way to another: nothing that a hold will give back, and rather one that is empty. False: none can. */
static bool purse_to_forget(const struct account *account, uint32_t *out_index)
{
    bool found = false;
    for (uint32_t i = account->stamps_count; i > 0; i--) {
        const struct stamps *stamps = &account->stamps[i - 1];
        if (stamps->held != 0 || (found && stamps->count != 0 && account->stamps[*out_index].count == 0))
            continue;
        *out_index = i - 1;
        found = true;
    }
    return found;
}

/* NULL: there is no room for another one. */
static struct stamps *stamps_of(struct account *account, uint64_t purse)
{
    uint32_t oldest = 0;
    for (uint32_t i = 0; i < account->stamps_count; i++) {
        if (account->stamps[i].purse == purse)
            return &account->stamps[i];
    }
    if (account->stamps_count == ACCOUNT_STAMPS_MAX) {
        if (!purse_to_forget(account, &oldest))
            return NULL;
        remove_entry(account->stamps, &account->stamps_count, sizeof(account->stamps[0]), oldest);
    }
    struct stamps *made = &account->stamps[account->stamps_count++];
    *made = (struct stamps){ .purse = purse };
    return made;
}

static bool change_stamps(struct account *account, uint64_t purse, int64_t count, int64_t held)
{
    struct stamps *stamps = stamps_of(account, purse);
    return stamps != NULL && !__builtin_add_overflow(stamps->count, count, &stamps->count) &&
           !__builtin_add_overflow(stamps->held, held, &stamps->held) && stamps->held >= 0 &&
           stamps->count <= MILLIPOINTS_MAX && stamps->count >= -MILLIPOINTS_MAX;
}

/* --- months --- */

static struct month_sum *month_of(struct account *account, int32_t month)
{
    uint32_t index = account->month_count;
    while (index > 0 && account->months[index - 1].month >= month)
        index--;
    struct month_sum *place = &account->months[index];
    if (index < account->month_count && place->month == month)
        return place;
    if (account->month_count == ACCOUNT_MONTHS_MAX) {
        if (index == 0)
            return NULL; /* older than all that are kept */
        remove_entry(account->months, &account->month_count, sizeof(account->months[0]), 0);
        place--;
    }
    memmove(place + 1, place, (size_t)(&account->months[account->month_count] - place) * sizeof(*place));
    *place = (struct month_sum){ .month = month };
    account->month_count++;
    return place;
}

static bool month_add(struct month_sum *sum, const struct month_sum *more)
{
    return !__builtin_add_overflow(sum->visits, more->visits, &sum->visits) &&
           !__builtin_add_overflow(sum->spend, more->spend, &sum->spend) &&
           !__builtin_add_overflow(sum->points, more->points, &sum->points);
}

static bool account_add_month(struct account *account, const struct month_sum *more)
{
    struct month_sum *sum = month_of(account, more->month);
    return sum == NULL || month_add(sum, more);
}

static bool change_month(struct account *account, const struct account_change *change)
{
    struct month_sum more = { .month = change->period };
    switch (change->which) {
    case TIER_BY_SPEND:
        more.spend = change->value;
        break;
    case TIER_BY_POINTS:
        more.points = change->value;
        break;
    case TIER_BY_VISITS:
        more.visits = (int32_t)change->value;
        if (more.visits != change->value)
            return false;
        break;
    default:
        return false;
    }
    return account_add_month(account, &more) && month_add(&account->ever, &more);
}

static bool keep_months(struct account *account, int32_t oldest)
{
    while (account->month_count > 0 && account->months[0].month < oldest)
        remove_entry(account->months, &account->month_count, sizeof(account->months[0]), 0);
    return true;
}

/* --- tags and activations --- */

static bool set_tag(struct account *account, struct text text, bool set)
{
    if (text.size < 1 || text.size > sizeof(account->tags[0].text))
        return false;
    for (uint32_t i = 0; i < account->tag_count; i++) {
        if (account->tags[i].size != text.size || memcmp(account->tags[i].text, text.data, text.size) != 0)
            continue;
        if (!set)
            remove_entry(account->tags, &account->tag_count, sizeof(account->tags[0]), i);
        return true;
    }
    if (!set)
        return true;
    if (account->tag_count == ACCOUNT_TAGS_MAX)
        return false;
    struct account_tag *tag = &account->tags[account->tag_count++];
    *tag = (struct account_tag){ .size = (uint8_t)text.size };
    memcpy(tag->text, text.data, text.size);
    return true;
}

static bool set_activated(struct account *account, uint64_t offer, bool set)
{
    for (uint32_t i = 0; i < account->activated_count; i++) {
        if (account->activated[i] != offer)
            continue;
        if (!set)
            remove_entry(account->activated, &account->activated_count, sizeof(account->activated[0]), i);
        return true;
    }
    if (!set)
        return true;
    if (account->activated_count == ACCOUNT_ACTIVATED_MAX)
        remove_entry(account->activated, &account->activated_count, sizeof(account->activated[0]), 0);
    account->activated[account->activated_count++] = offer;
    return true;
}

/* --- holds --- */

static bool begin_hold(struct account *account, const struct account_hold *wanted, journal_position cause)
{
    uint32_t first = account_first_part(account, account->hold_count);
    if (account->hold_count == ACCOUNT_HOLDS_MAX || first > account->hold_part_count)
        return false;
    millipoints points = 0;
    for (uint32_t i = first; i < account->hold_part_count; i++)
        points += account->hold_parts[i].points;
    struct account_hold *hold = &account->holds[account->hold_count++];
    *hold = *wanted;
    hold->id = cause;
    hold->part_count = account->hold_part_count - first;
    return points == hold->points;
}

static bool end_hold(struct account *account, journal_position id)
{
    const struct hold_part *parts;
    const struct account_hold *hold = account_hold(account, id, &parts);
    if (hold == NULL)
        return false;
    for (uint32_t i = 0; i < hold->part_count; i++) {
        if (parts[i].points != 0)
            return false;
    }
    uint32_t first = (uint32_t)(parts - account->hold_parts);
    account->hold_part_count -= hold->part_count;
    memmove(&account->hold_parts[first], &account->hold_parts[first + hold->part_count],
            (account->hold_part_count - first) * sizeof(account->hold_parts[0]));
    uint32_t index = (uint32_t)(hold - account->holds);
    remove_entry(account->holds, &account->hold_count, sizeof(account->holds[0]), index);
    return true;
}

/* --- recent purchases --- */

static void forget_recent(struct account *account)
{
    remove_entry(account->recent, &account->recent_count, sizeof(account->recent[0]), 0);
}

/* Puts one in its place by time; what is too old or too many is forgotten. */
static void remember_recent(struct account *account, uint64_t recent)
{
    const uint64_t days = UINT64_C(24) * 60 * ACCOUNT_RECENT_DAYS;
    if (account->recent_count == ACCOUNT_RECENT_MAX) {
        if (recent < account->recent[0])
            return;
        forget_recent(account);
    }
    uint32_t at = account->recent_count++;
    for (; at > 0 && account->recent[at - 1] > recent; at--)
        account->recent[at] = account->recent[at - 1];
    account->recent[at] = recent;
    while ((account->recent[0] >> 32) + days < account->recent[account->recent_count - 1] >> 32)
        forget_recent(account);
}

/* Points of a purchase of a day; of one before the day that is kept they count into that. */
static bool remember_earned(struct account *account, local_day day, millipoints points)
{
    if (account->earned_on_day == 0 || day > account->earned_day) {
        account->earned_day = day;
        account->earned_on_day = 0;
    }
    return !__builtin_add_overflow(account->earned_on_day, points, &account->earned_on_day);
}

/* minute: of a purchase that earned, or of another account's first one. */
static void remember_first(struct account *account, uint32_t minute)
{
    if (account->first_earned == 0 || (minute != 0 && minute < account->first_earned))
        account->first_earned = minute;
    else if (minute > account->first_earned && minute - account->first_earned > 24 * 60)
        account->first_earned = EARNED_LONG_AGO;
}

/* --- merging --- */

static bool absorb_lots(struct account *target, const struct account *source, uint32_t offset)
{
    if (offset + 1 != target->next_lot || source->next_lot < 1 || source->next_lot >= UINT32_MAX - offset ||
        source->lot_count > ACCOUNT_LOTS_MAX - target->lot_count ||
        source->hold_count > ACCOUNT_HOLDS_MAX - target->hold_count ||
        source->hold_part_count > ACCOUNT_HOLD_PARTS_MAX - target->hold_part_count)
        return false;
    for (uint32_t i = 0; i < source->lot_count; i++) {
        struct lot *lot = &target->lots[target->lot_count++];
        *lot = source->lots[i];
        lot->number += offset;
    }
    for (uint32_t i = 0; i < source->hold_count; i++)
        target->holds[target->hold_count++] = source->holds[i];
    for (uint32_t i = 0; i < source->hold_part_count; i++) {
        struct hold_part *part = &target->hold_parts[target->hold_part_count++];
        *part = source->hold_parts[i];
        part->lot += offset;
    }
    for (uint32_t i = 0; i < source->expired_count; i++)
        account_add_expired(target, &(struct expired_lot){ .lot = source->expired[i].lot + offset,
                                                           .points = source->expired[i].points });
    if (source->joined_through > 0)
        target->joined_through = source->joined_through + offset;
    target->next_lot = source->next_lot + offset;
    return true;
}

/* Debts of both, oldest first; what is too many becomes one with the oldest. */
static bool absorb_debts(struct account *target, const struct account *source)
{
    struct debt debts[2 * ACCOUNT_DEBTS_MAX];
    uint32_t count = 0;
    uint32_t of_target = 0;
    uint32_t of_source = 0;
    while (of_target < target->debt_count || of_source < source->debt_count) {
        bool next_of_target = of_source == source->debt_count ||
                              (of_target < target->debt_count &&
                               target->debts[of_target].cause <= source->debts[of_source].cause);
        debts[count++] = next_of_target ? target->debts[of_target++] : source->debts[of_source++];
    }
    uint32_t first = count > ACCOUNT_DEBTS_MAX ? count - ACCOUNT_DEBTS_MAX : 0;
    for (uint32_t i = 1; i <= first; i++)
        debts[i].points += debts[i - 1].points;
    if (first > 0)
        debts[first].cause = debts[0].cause;
    target->debt_count = count - first;
    memcpy(target->debts, &debts[first], target->debt_count * sizeof(debts[0]));
    return !__builtin_add_overflow(target->debt, source->debt, &target->debt);
}

static bool absorb_counters(struct account *target, const struct account *source)
{
    bool fits = true;
    for (uint32_t i = 0; i < source->tally_count; i++) {
        const struct tally *tally = &source->tallies[i];
        struct account_change change = {
            .which = tally->kind, .id = tally->id, .period = tally->before, .value = tally->value_before
        };
        if (tally->before != INT32_MIN)
            fits = fits && change_tally(target, &change);
        change.period = tally->period;
        change.value = tally->value;
        fits = fits && change_tally(target, &change);
    }
    for (uint32_t i = 0; i < source->stamps_count; i++)
        fits = fits && change_stamps(target, source->stamps[i].purse, source->stamps[i].count,
                                     source->stamps[i].held);
    for (uint32_t i = 0; i < source->month_count; i++)
        fits = fits && account_add_month(target, &source->months[i]);
    return fits && month_add(&target->ever, &source->ever);
}

bool account_absorb(struct account *target, const struct account *source, uint32_t offset)
{
    if (source->number == target->number || source->merged_into != 0 ||
        !absorb_lots(target, source, offset) || !absorb_debts(target, source) ||
        !absorb_counters(target, source))
        return false;
    for (uint32_t i = 0; i < source->tag_count; i++) {
        struct text tag = { source->tags[i].text, source->tags[i].size };
        if (!set_tag(target, tag, true))
            return false;
    }
    for (uint32_t i = 0; i < source->activated_count; i++)
        (void)set_activated(target, source->activated[i], true);
    if (source->last_purchase != 0 &&
        (target->last_purchase == 0 || source->last_purchase > target->last_purchase)) {
        target->last_purchase = source->last_purchase;
        target->last_purchase_day = source->last_purchase_day;
    }
    target->card_count += source->card_count;
    for (uint32_t i = 0; i < source->recent_count; i++)
        remember_recent(target, source->recent[i]);
    remember_first(target, source->first_earned);
    return source->earned_on_day == 0 || remember_earned(target, source->earned_day, source->earned_on_day);
}

/* Nothing is left but where it went, and its lifetime, which the effect takes. */
static bool empty_into(struct account *account, uint64_t target, int64_t offset)
{
    if (target == 0 || target == account->number || account->merged_into != 0 || offset < 0 ||
        offset >= UINT32_MAX)
        return false;
    bool suspense = account->suspense;
    journal_position last_event = account->last_event;
    millipoints balance = account->balance;
    millipoints lifetime = account->lifetime;
    uint32_t next_lot = account->next_lot;
    account_new(account->number, account);
    account->merged_into = target;
    account->lot_offset = (uint32_t)offset;
    account->closed = true;
    account->suspense = suspense;
    account->last_event = last_event;
    account->balance = balance;
    account->lifetime = lifetime;
    account->next_lot = next_lot;
    return true;
}

/* --- all kinds --- */

static bool change_cards(struct account *account, int64_t value)
{
    int64_t count;
    if (__builtin_add_overflow(account->card_count, value, &count) || count < 0 || count > UINT32_MAX)
        return false;
    account->card_count = (uint32_t)count;
    return true;
}

static bool change_last_purchase(struct account *account, const struct account_change *change)
{
    if (account->last_purchase == 0 || change->value > account->last_purchase) {
        account->last_purchase = change->value;
        account->last_purchase_day = change->period;
    }
    if (change->which != 0)
        remember_recent(account, (uint64_t)account_minute(change->value) << 32 | change->which);
    if (change->id == 0)
        return true;
    remember_first(account, account_minute(change->value));
    return change->id <= MILLIPOINTS_MAX && remember_earned(account, change->period, (millipoints)change->id);
}

static bool change_wrong_pins(struct account *account, int64_t value)
{
    if (value < 0 || value > PIN_TRIES)
        return false;
    account->pin.wrong = (uint8_t)value;
    return true;
}

bool account_change_other(struct account *account, const struct account_change *change,
                          journal_position cause)
{
    switch (change->kind) {
    case CHANGE_TALLY:
        return change_tally(account, change);
    case CHANGE_STAMPS:
        return change_stamps(account, change->id, change->value, 0);
    case CHANGE_STAMPS_HELD:
        return change_stamps(account, change->id, 0, change->value);
    case CHANGE_MONTH:
        return change_month(account, change);
    case CHANGE_MONTHS_KEPT:
        return keep_months(account, change->period);
    case CHANGE_TIER:
        account->tier = change->tier;
        return true;
    case CHANGE_TAG:
        return set_tag(account, change->text, change->value != 0);
    case CHANGE_ACTIVATED:
        return set_activated(account, change->id, change->value != 0);
    case CHANGE_PIN:
        account->pin = change->pin;
        return true;
    case CHANGE_PIN_WRONG:
        return change_wrong_pins(account, change->value);
    case CHANGE_HOLD_BEGUN:
        return begin_hold(account, &change->hold, cause);
    case CHANGE_HOLD_ENDED:
        return end_hold(account, change->position);
    case CHANGE_CARDS:
        return change_cards(account, change->value);
    case CHANGE_SUSPENSE:
        account->suspense = change->value != 0;
        return true;
    case CHANGE_CLOSED:
        account->closed = true;
        return true;
    case CHANGE_ABSORB:
        return true; /* done before, by account_absorb */
    case CHANGE_ABSORBED:
        return empty_into(account, change->id, change->value);
    case CHANGE_LAST_PURCHASE:
        return change_last_purchase(account, change);
    }
    return false;
}

bool effect_apply(const struct effect *effect, journal_position cause, struct account *account)
{
    if (effect->account != account->number || !account_settle(account, effect->debt_settled) ||
        !account_settle(account, effect->debt_forgiven))
        return false;
    for (uint32_t i = 0; i < effect->lot_change_count; i++) {
        if (!account_change_lot(account, &effect->lot_changes[i]))
            return false;
    }
    account_sweep_lots(account);
    if (!account_owe(account, effect->debt_added, cause))
        return false;
    for (uint32_t i = 0; i < effect->change_count; i++) {
        if (!account_change_other(account, &effect->changes[i], cause))
            return false;
    }
    if (__builtin_add_overflow(account->balance, effect->change, &account->balance) ||
        __builtin_add_overflow(account->lifetime, effect->lifetime_change, &account->lifetime))
        return false;
    account->last_event = cause;
    return account->balance == effect->balance && account_sound(account);
}
