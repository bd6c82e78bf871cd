#include "points/effect_maker.h"

#include "points/calendar.h"
#include "points/lots.h"

struct maker maker_begin(struct decision *decision, uint32_t side, local_day today)
{
    PUNKT_CHECK(side < EVENT_EFFECTS_MAX);
    struct decision_side *of = &decision->sides[side];
    PUNKT_CHECK(of->before.next_lot >= 1);
    account_copy(&of->before, &of->after);
    struct effect *effect = &decision->event.effects[side];
    *effect = (struct effect){ .account = of->before.number,
                               .tier = of->before.tier.id,
                               .lot_changes = of->lot_changes,
                               .changes = of->changes };
    decision->event.effect_count = (uint32_t)u64_max(decision->event.effect_count, side + 1);
    return (struct maker){ .effect = effect, .before = &of->before, .after = &of->after, .today = today };
}

/* --- single steps --- */

/* Writes a change down and does it. */
static void change(struct maker *maker, const struct lot_change *lot_change)
{
    struct effect *effect = maker->effect;
    if (effect->lot_change_count < EFFECT_LOT_CHANGES_MAX)
        effect->lot_changes[effect->lot_change_count++] = *lot_change;
    else
        maker->full = true;
    PUNKT_CHECK(account_change_lot(maker->after, lot_change));
}

/* A change that says what the lot is, so that its points can come back when it is gone. */
static void change_dated(struct maker *maker, enum lot_change_kind kind, const struct lot *lot,
                         millipoints points, journal_position hold)
{
    change(maker, &(struct lot_change){ .kind = kind,
                                        .by_purchase = lot->by_purchase,
                                        .pending = lot->pending,
                                        .counts = lot->counts,
                                        .inactive_months = lot->inactive_months,
                                        .lot = lot->number,
                                        .points = points,
                                        .earned = lot->earned,
                                        .matures = lot->matures,
                                        .last_day = lot->last_day,
                                        .hold = hold });
}

static millipoints take(struct maker *maker, const struct lot *lot, millipoints points)
{
    millipoints taken = i64_min(points, lot->points - lot->held);
    if (taken > 0)
        change_dated(maker, LOT_TAKE, lot, taken, 0);
    return taken;
}

/* Pays debt. What this event added goes last: it is the newest, and then was none. */
static void pay(struct maker *maker, millipoints points, millipoints *inout_paid)
{
    struct effect *effect = maker->effect;
    millipoints older = i64_min(points, maker->after->debt - effect->debt_added);
    *inout_paid += older;
    effect->debt_added -= points - older;
    PUNKT_CHECK(account_settle(maker->after, points));
}

static void settle(struct maker *maker, millipoints points)
{
    pay(maker, points, &maker->effect->debt_settled);
}

void maker_forgive(struct maker *maker, millipoints points)
{
    pay(maker, points, &maker->effect->debt_forgiven);
}

void maker_owe(struct maker *maker, millipoints points)
{
    PUNKT_CHECK(points >= 0);
    maker->effect->debt_added += points;
    PUNKT_CHECK(account_owe(maker->after, points, 0));
}

/* Whether a change adds to a sum, which may be full. */
static bool is_sum(enum account_change_kind kind)
{
    return kind == CHANGE_TALLY || kind == CHANGE_STAMPS || kind == CHANGE_MONTH;
}

void maker_change(struct maker *maker, const struct account_change *account_change)
{
    struct effect *effect = maker->effect;
    PUNKT_CHECK(effect->change_count < EFFECT_CHANGES_MAX);
    effect->changes[effect->change_count++] = *account_change;
    if (account_change_other(maker->after, account_change, 0))
        return;
    PUNKT_CHECK(is_sum(account_change->kind));
    maker->full = true;
}

void maker_tally(struct maker *maker, enum tally_kind kind, uint64_t id, local_day period, int64_t value)
{
    if (value != 0)
        maker_change(maker,
                     &(struct account_change){
                         .kind = CHANGE_TALLY, .which = kind, .id = id, .period = period, .value = value });
}

void maker_stamps(struct maker *maker, uint64_t purse, int64_t value)
{
    if (value != 0)
        maker_change(maker, &(struct account_change){ .kind = CHANGE_STAMPS, .id = purse, .value = value });
}

static void hold_stamps(struct maker *maker, uint64_t purse, int64_t value)
{
    if (value != 0)
        maker_change(maker,
                     &(struct account_change){ .kind = CHANGE_STAMPS_HELD, .id = purse, .value = value });
}

/* --- free points, in spending order --- */

static millipoints all_free(const struct account *account, local_day today)
{
    millipoints points = 0;
    for (uint32_t i = 0; i < account->lot_count; i++)
        points += lot_free(account, &account->lots[i], today);
    return points;
}

millipoints account_free(const struct account *account, local_day today)
{
    return i64_max(all_free(account, today) - account->debt, 0);
}

/* The free lot that is spent first: earliest last day, then oldest; DAY_NEVER is the latest day. */
static const struct lot *next_to_spend(const struct account *account, local_day today)
{
    const struct lot *next = NULL;
    local_day next_day = DAY_NEVER;
    for (uint32_t i = 0; i < account->lot_count; i++) {
        const struct lot *lot = &account->lots[i];
        if (lot_free(account, lot, today) == 0)
            continue;
        local_day last_day = lot_last_day(account, lot);
        if (next != NULL && last_day >= next_day)
            continue;
        next = lot;
        next_day = last_day;
    }
    return next;
}

millipoints maker_take_free(struct maker *maker, millipoints points)
{
    millipoints left = points;
    while (left > 0) {
        const struct lot *lot = next_to_spend(maker->after, maker->today);
        if (lot == NULL)
            break;
        left -= take(maker, lot, left);
    }
    return points - left;
}

void maker_settle(struct maker *maker)
{
    if (maker->after->debt > 0)
        settle(maker, maker_take_free(maker, maker->after->debt));
}

/* --- lots that are the same to their owner --- */

static int32_t quarter_of(local_day day)
{
    int32_t month = month_of_day(day);
    return month >= 0 ? month / 3 : (month - 2) / 3;
}

/* Whether two lots can be one: for spending and expiry, for tiers, and for what reports say of when it was earned. */
static bool same_terms(const struct lot *a, const struct lot *b)
{
    if (a->last_day != b->last_day || a->inactive_months != b->inactive_months || a->pending != b->pending)
        return false;
    if (a->pending && (a->matures != b->matures || a->counts != b->counts ||
                       month_of_day(a->earned) != month_of_day(b->earned)))
        return false;
    return quarter_of(a->earned) == quarter_of(b->earned);
}

/* The lot in which joined points like these are; NULL: there is none yet. */
static const struct lot *joined_lot(const struct account *account, const struct lot *like, bool with_held)
{
    for (uint32_t i = 0; i < account->lot_count; i++) {
        const struct lot *lot = &account->lots[i];
        if (!lot->by_purchase && lot->points > 0 && (with_held || lot->held == 0) && same_terms(lot, like))
            return lot;
    }
    return NULL;
}

/* Joins what need not be kept apart any more; the newest award always is. */
static void join_old_lots(struct maker *maker, const struct programme *programme, uint32_t newest)
{
    struct account *account = maker->after;
    local_day kept_since = maker->today - (local_day)programme->return_days;
    uint32_t count = 0;
    bool any_old = false;
    for (uint32_t i = 0; i < account->lot_count; i++) {
        bool apart = account->lots[i].by_purchase && account->lots[i].points > 0;
        count += apart;
        any_old |= apart && account->lots[i].earned < kept_since;
    }
    if (!any_old && count <= ACCOUNT_LOTS_BY_PURCHASE_MAX)
        return;
    for (uint32_t i = 0; i < account->lot_count; i++) {
        const struct lot *lot = &account->lots[i];
        bool old = lot->earned < kept_since;
        if (!lot->by_purchase || lot->points == 0 || lot->held != 0 || lot->number == newest)
            continue;
        if (!old && count <= ACCOUNT_LOTS_BY_PURCHASE_MAX)
            continue;
        const struct lot *into = joined_lot(account, lot, false);
        if (into == NULL)
            into = lot;
        change(maker, &(struct lot_change){ .kind = LOT_JOIN, .lot = lot->number, .into = into->number });
        count--;
    }
}

/* Whether a lot may be one of those that are joined for want of room. */
static bool joinable(const struct account *account, const struct lot *lot, local_day today)
{
    return lot->points > 0 && lot->held == 0 && !lot->pending && lot_last_day(account, lot) >= today;
}

/* A lot that may be joined, by what must be the same, and then by its last day. */
struct candidate {
    uint32_t lot;
    uint32_t inactive_months;
    int32_t quarter; /* in which it was earned: reports count by that, and by the month of the last day */
    local_day last_day;
};

static bool candidate_before(const struct candidate *a, const struct candidate *b)
{
    if (a->inactive_months != b->inactive_months)
        return a->inactive_months < b->inactive_months;
    return a->quarter != b->quarter ? a->quarter < b->quarter : a->last_day < b->last_day;
}

/* Shellsort, for qsort may allocate. */
static void sort_candidates(struct candidate *candidates, uint32_t count)
{
    static const uint32_t gaps[] = { 301, 132, 57, 23, 10, 4, 1 };
    for (size_t g = 0; g < COUNT_OF(gaps); g++) {
        for (uint32_t i = gaps[g]; i < count; i++) {
            struct candidate candidate = candidates[i];
            uint32_t to = i;
            for (; to >= gaps[g] && candidate_before(&candidate, &candidates[to - gaps[g]]); to -= gaps[g])
                candidates[to] = candidates[to - gaps[g]];
            candidates[to] = candidate;
        }
    }
}

/* Of the lots that can be spent and are counted together, the two closest in their last days, the earlier in *out_from. */
static bool closest_lots(const struct account *account, local_day today, uint32_t *out_from,
                         uint32_t *out_into)
{
    struct candidate candidates[ACCOUNT_LOTS_MAX];
    uint32_t count = 0;
    for (uint32_t i = 0; i < account->lot_count; i++) {
        const struct lot *lot = &account->lots[i];
        if (joinable(account, lot, today))
            candidates[count++] = (struct candidate){ lot->number, lot->inactive_months,
                                                      quarter_of(lot->earned), lot->last_day };
    }
    sort_candidates(candidates, count);
    int64_t smallest = INT64_MAX;
    for (uint32_t i = 1; i < count; i++) {
        const struct candidate *from = &candidates[i - 1];
        const struct candidate *into = &candidates[i];
        int64_t days = (int64_t)into->last_day - from->last_day;
        if (from->inactive_months != into->inactive_months || from->quarter != into->quarter ||
            days >= smallest || month_of_day(from->last_day) != month_of_day(into->last_day))
            continue;
        smallest = days;
        *out_from = from->lot;
        *out_into = into->lot;
    }
    return smallest != INT64_MAX;
}

/* Makes room for one more lot: at the limit, the two closest become one. */
static bool make_room(struct maker *maker)
{
    if (maker->after->lot_count < ACCOUNT_LOTS_MAX)
        return true;
    account_sweep_lots(maker->after);
    if (maker->after->lot_count < ACCOUNT_LOTS_MAX)
        return true;
    struct lot_change join = { .kind = LOT_JOIN };
    if (!closest_lots(maker->after, maker->today, &join.lot, &join.into))
        return false;
    change(maker, &join);
    return true;
}

/* --- points that come in --- */

/*
 * Puts points into a lot, made as `like` says if it is not there. like->number 0: into one that points of such terms were
 * joined in, or a new one. False: there is no room.
 */
static bool put(struct maker *maker, const struct lot *like, millipoints points, uint32_t *out_lot)
{
    struct lot what = *like;
    const struct lot *joined =
        what.number == 0 && !what.by_purchase ? joined_lot(maker->after, like, false) : NULL;
    if (joined != NULL)
        what.number = joined->number;
    const struct lot *there = what.number == 0 ? NULL : account_lot(maker->after, what.number);
    if (there == NULL && !make_room(maker))
        return false;
    if (what.number == 0 && maker->after->next_lot == UINT32_MAX)
        return false;
    if (what.number == 0)
        what.number = maker->after->next_lot;
    change_dated(maker, LOT_ADD, &what, points, 0);
    *out_lot = what.number;
    return true;
}

bool maker_give(struct maker *maker, const struct programme *programme, millipoints points,
                const struct lot_terms *terms, millipoints *out_settled, uint32_t *out_lot)
{
    PUNKT_CHECK(points >= 0);
    struct lot lot = { .by_purchase = terms->by_purchase,
                       .inactive_months = terms->inactive_months,
                       .earned = terms->earned,
                       .matures = terms->matures,
                       .last_day = terms->last_day };
    lot.pending = lot.matures > maker->today;
    lot.counts = lot.pending && terms->counts;
    /* What had expired before it came (DOMAIN.md, Numbers: an import) is never free. */
    bool free = !lot.pending && lot_last_day(maker->after, &lot) >= maker->today;
    *out_settled = free ? i64_min(points, maker->after->debt) : 0;
    *out_lot = 0;
    settle(maker, *out_settled);
    if (!lot.pending && terms->counts)
        maker_count(maker, programme, TIER_BY_POINTS, terms->earned, points);
    if (points == *out_settled)
        return true;
    if (!put(maker, &lot, points - *out_settled, out_lot))
        return false;
    if (terms->by_purchase)
        join_old_lots(maker, programme, *out_lot);
    return true;
}

/* The lot as it was when points were taken, or as it is now. */
static struct lot lot_to_give_back_to(struct maker *maker, const struct lot_change *taken, uint32_t number)
{
    const struct lot *there = account_lot(maker->after, number);
    if (there != NULL && there->points > 0)
        return *there;
    return (struct lot){ .number = number,
                         .by_purchase = taken->by_purchase,
                         .pending = taken->pending,
                         .counts = taken->counts,
                         .inactive_months = taken->inactive_months,
                         .earned = taken->earned,
                         .matures = taken->matures,
                         .last_day = taken->last_day };
}

static bool give_back_to(struct maker *maker, const struct lot_change *taken, uint32_t number,
                         millipoints points, uint32_t restore_days)
{
    struct lot lot = lot_to_give_back_to(maker, taken, number);
    bool over = !lot.pending && lot_last_day(maker->after, &lot) < maker->today;
    if (over) {
        lot.number = lot.points > 0 ? 0 : number; /* what is left of it keeps its day */
        lot.by_purchase = lot.by_purchase && lot.number != 0;
        lot.inactive_months = 0;
        lot.last_day = maker->today + (restore_days > 0 ? (local_day)restore_days : -1);
    }
    if (lot.pending && lot.matures < maker->today)
        lot.matures = maker->today;
    if (!lot.pending && lot.last_day >= maker->today) {
        millipoints settled = i64_min(points, maker->after->debt);
        settle(maker, settled);
        points -= settled;
    }
    uint32_t into;
    return points == 0 || put(maker, &lot, points, &into);
}

bool maker_give_back(struct maker *maker, const struct lot_change *takes, uint32_t take_count,
                     uint32_t lot_offset, millipoints skip, millipoints points, uint32_t restore_days)
{
    for (uint32_t i = take_count; i > 0 && points > 0; i--) {
        const struct lot_change *taken = &takes[i - 1];
        if (taken->kind != LOT_TAKE && taken->kind != LOT_CAPTURE)
            continue;
        millipoints skipped = i64_min(skip, taken->points);
        millipoints part = i64_min(points, taken->points - skipped);
        skip -= skipped;
        points -= part;
        if (part > 0 && !give_back_to(maker, taken, taken->lot + lot_offset, part, restore_days))
            return false;
    }
    PUNKT_CHECK(points == 0);
    return true;
}

/* --- points that go out --- */

millipoints maker_take_own(struct maker *maker, uint32_t number, const struct lot_terms *terms,
                           millipoints points, bool only_pending)
{
    if (number == 0)
        return 0;
    const struct lot *lot = account_lot(maker->after, number);
    if (lot == NULL || lot->points == 0) {
        if (number > maker->after->joined_through)
            return 0; /* it was spent: it is in no other */
        struct lot like = { .inactive_months = terms->inactive_months,
                            .earned = terms->earned,
                            .matures = terms->matures,
                            .last_day = terms->last_day };
        like.pending = like.matures > maker->today;
        like.counts = like.pending && terms->counts;
        lot = joined_lot(maker->after, &like, true);
    }
    if (lot == NULL || (only_pending && !lot->pending))
        return 0;
    return take(maker, lot, points);
}

/* --- holds --- */

bool maker_hold(struct maker *maker, const struct account_hold *hold)
{
    struct account *account = maker->after;
    if (account->hold_count == ACCOUNT_HOLDS_MAX)
        return false;
    millipoints left = hold->points;
    while (left > 0) {
        if (account->hold_part_count == ACCOUNT_HOLD_PARTS_MAX)
            return false;
        const struct lot *lot = next_to_spend(account, maker->today);
        PUNKT_CHECK(lot != NULL);
        struct lot_change part = { .kind = LOT_HOLD,
                                   .lot = lot->number,
                                   .points = i64_min(left, lot->points - lot->held) };
        change(maker, &part);
        left -= part.points;
    }
    hold_stamps(maker, hold->purse, hold->stamps);
    maker_change(maker, &(struct account_change){ .kind = CHANGE_HOLD_BEGUN, .hold = *hold });
    return true;
}

void maker_hold_end(struct maker *maker, journal_position id, millipoints points)
{
    const struct hold_part *parts;
    const struct account_hold *open = account_hold(maker->after, id, &parts);
    PUNKT_CHECK(open != NULL);
    const struct account_hold hold = *open;
    for (uint32_t i = 0; i < hold.part_count; i++) {
        struct hold_part part = parts[i];
        const struct lot *lot = account_lot(maker->after, part.lot);
        millipoints captured = i64_min(points, part.points);
        points -= captured;
        if (captured > 0)
            change_dated(maker, LOT_CAPTURE, lot, captured, id);
        if (captured < part.points)
            change(maker,
                   &(struct lot_change){
                       .kind = LOT_FREE, .lot = part.lot, .points = part.points - captured, .hold = id });
    }
    PUNKT_CHECK(points == 0);
    hold_stamps(maker, hold.purse, -hold.stamps);
    maker_change(maker, &(struct account_change){ .kind = CHANGE_HOLD_ENDED, .position = id });
    maker_settle(maker);
}

/* --- the whole --- */

bool maker_absorb(struct maker *target, struct maker *source, const struct programme *programme)
{
    PUNKT_CHECK(source->effect->lot_change_count == 0 && source->effect->change_count == 0);
    uint32_t offset = target->after->next_lot - 1;
    if (!account_absorb(target->after, source->before, offset))
        return false;
    maker_change(target, &(struct account_change){ .kind = CHANGE_ABSORB, .id = source->before->number });
    if (tier_step(programme, source->before) > tier_step(programme, target->after))
        maker_change(target, &(struct account_change){ .kind = CHANGE_TIER, .tier = source->before->tier });
    maker_change(source, &(struct account_change){
                             .kind = CHANGE_ABSORBED, .id = target->after->number, .value = offset });
    maker_settle(target);
    maker_tier(target, programme);
    return true;
}

static millipoints sum_of_lots(const struct account *account)
{
    millipoints points = 0;
    for (uint32_t i = 0; i < account->lot_count; i++)
        points += account->lots[i].points;
    return points;
}

void maker_balance(struct maker *maker)
{
    maker->after->balance = sum_of_lots(maker->after) - maker->after->debt;
}

bool maker_end(struct maker *maker, millipoints lifetime_change)
{
    struct account *after = maker->after;
    struct effect *effect = maker->effect;
    if (maker->full)
        return false;
    maker_settle(maker); /* while there is debt nothing is free */
    account_sweep_lots(after);
    millipoints lots = sum_of_lots(after);
    if (__builtin_add_overflow(after->lifetime, lifetime_change, &after->lifetime))
        return false;
    if (lots > MILLIPOINTS_MAX || after->debt > MILLIPOINTS_MAX || after->lifetime > MILLIPOINTS_MAX ||
        after->lifetime < -MILLIPOINTS_MAX)
        return false;
    millipoints balance = lots - after->debt;
    effect->change = balance - maker->before->balance;
    effect->balance = balance;
    effect->lifetime_change = lifetime_change;
    after->balance = balance;
    PUNKT_CHECK(account_sound(after));
    return true;
}
