#include "points/effect_maker.h"

#include "points/lots.h"

static struct effect *effect_of(struct decision *decision)
{
    return &decision->event.effects[0];
}

/* Writes a change down and does it. */
static void change(struct decision *decision, const struct lot_change *lot_change)
{
    struct effect *effect = effect_of(decision);
    PUNKT_CHECK(effect->lot_change_count < EFFECT_LOT_CHANGES_MAX);
    effect->lot_changes[effect->lot_change_count++] = *lot_change;
    PUNKT_CHECK(account_change_lot(&decision->after, lot_change));
}

static void settle(struct decision *decision, millipoints points)
{
    effect_of(decision)->debt_settled += points;
    PUNKT_CHECK(account_settle(&decision->after, points));
}

static millipoints take(struct decision *decision, const struct lot *lot, millipoints points)
{
    millipoints taken = i64_min(points, lot->points - lot->held);
    if (taken > 0)
        change(decision, &(struct lot_change){ .kind = LOT_TAKE, .lot = lot->number, .points = taken });
    return taken;
}

static millipoints lot_free(const struct lot *lot, local_day today)
{
    return lot->matures <= today && lot->last_day >= today ? lot->points - lot->held : 0;
}

/* The free lot that is spent first: earliest last day, then oldest; DAY_NEVER is the latest day. */
static const struct lot *next_to_spend(const struct account *account, local_day today)
{
    const struct lot *next = NULL;
    for (uint32_t i = 0; i < account->lot_count; i++) {
        const struct lot *lot = &account->lots[i];
        if (lot_free(lot, today) > 0 && (next == NULL || lot->last_day < next->last_day))
            next = lot;
    }
    return next;
}

static millipoints take_in_order(struct decision *decision, local_day today, millipoints points)
{
    millipoints left = points;
    while (left > 0) {
        const struct lot *lot = next_to_spend(&decision->after, today);
        if (lot == NULL)
            break;
        left -= take(decision, lot, left);
    }
    return points - left;
}

void effect_begin(struct decision *decision, local_day today)
{
    account_copy(&decision->account, &decision->after);
    struct effect *effect = effect_of(decision);
    *effect = (struct effect){ .account = decision->account.number, .lot_changes = decision->lot_changes };
    decision->event.effect_count = 1;
    if (decision->after.debt > 0)
        settle(decision, take_in_order(decision, today, decision->after.debt));
}

millipoints account_free(const struct account *account, local_day today)
{
    millipoints points = 0;
    for (uint32_t i = 0; i < account->lot_count; i++)
        points += lot_free(&account->lots[i], today);
    return i64_max(points - account->debt, 0);
}

/* Whether lots with these dates are the same to their owner. Days that are past mature alike. */
static bool same_terms(const struct lot *lot, local_day matures, local_day last_day, local_day today)
{
    bool both_matured = lot->matures <= today && matures <= today;
    return lot->last_day == last_day && (both_matured || lot->matures == matures);
}

/* The lot in which joined points with these dates are; NULL: there is none yet. */
static const struct lot *joined_lot(const struct account *account, local_day matures, local_day last_day,
                                    local_day today)
{
    for (uint32_t i = 0; i < account->lot_count; i++) {
        const struct lot *lot = &account->lots[i];
        if (!lot->by_purchase && lot->points > 0 && same_terms(lot, matures, last_day, today))
            return lot;
    }
    return NULL;
}

/* Joins what need not be kept apart any more; the newest award always is. */
static void join_old_lots(struct decision *decision, local_day today, uint32_t newest)
{
    struct account *account = &decision->after;
    uint32_t count = 0;
    for (uint32_t i = 0; i < account->lot_count; i++)
        count += account->lots[i].by_purchase && account->lots[i].points > 0;
    for (uint32_t i = 0; i < account->lot_count; i++) {
        const struct lot *lot = &account->lots[i];
        bool old = lot->matures < today - RETURN_DAYS;
        if (!lot->by_purchase || lot->points == 0 || lot->number == newest)
            continue;
        if (!old && count <= ACCOUNT_LOTS_BY_PURCHASE_MAX)
            continue;
        const struct lot *into = joined_lot(account, lot->matures, lot->last_day, today);
        if (into == NULL)
            into = lot;
        change(decision, &(struct lot_change){ .kind = LOT_JOIN, .lot = lot->number, .into = into->number });
        count--;
    }
}

/* Of the lots that can be spent, the two closest in their last days, the earlier in *out_from. */
static bool closest_lots(const struct account *account, local_day today, uint32_t *out_from,
                         uint32_t *out_into)
{
    int64_t smallest = INT64_MAX;
    for (uint32_t i = 0; i < account->lot_count; i++) {
        for (uint32_t k = 0; k < account->lot_count; k++) {
            const struct lot *from = &account->lots[i];
            const struct lot *into = &account->lots[k];
            int64_t days = (int64_t)into->last_day - from->last_day;
            if (i == k || days < 0 || days >= smallest || from->points == 0 || into->points == 0)
                continue;
            if (from->matures > today || into->matures > today || from->last_day < today)
                continue;
            smallest = days;
            *out_from = from->number;
            *out_into = into->number;
        }
    }
    return smallest != INT64_MAX;
}

/* Makes room for one more lot: at the limit, the two closest become one. */
static bool make_room(struct decision *decision, local_day today)
{
    account_sweep_lots(&decision->after);
    if (decision->after.lot_count < ACCOUNT_LOTS_MAX)
        return true;
    struct lot_change join = { .kind = LOT_JOIN };
    if (!closest_lots(&decision->after, today, &join.lot, &join.into))
        return false;
    change(decision, &join);
    return true;
}

bool effect_give(struct decision *decision, local_day today, millipoints points,
                 const struct lot_terms *terms, millipoints *out_settled, uint32_t *out_lot)
{
    struct account *account = &decision->after;
    *out_settled = i64_min(points, account->debt);
    *out_lot = 0;
    settle(decision, *out_settled);
    if (points == *out_settled)
        return true;
    struct lot_change add = { .kind = LOT_ADD,
                              .by_purchase = terms->by_purchase,
                              .lot = account->next_lot,
                              .points = points - *out_settled,
                              .matures = terms->matures,
                              .last_day = terms->last_day };
    const struct lot *joined = joined_lot(account, terms->matures, terms->last_day, today);
    if (!terms->by_purchase && joined != NULL)
        add.lot = joined->number;
    else if (account->next_lot == UINT32_MAX || !make_room(decision, today))
        return false;
    change(decision, &add);
    *out_lot = add.lot;
    if (terms->by_purchase)
        join_old_lots(decision, today, add.lot);
    return true;
}

millipoints effect_take_own(struct decision *decision, local_day today, uint32_t number,
                            const struct lot_terms *terms, millipoints points)
{
    if (number == 0)
        return 0;
    const struct lot *lot = account_lot(&decision->after, number);
    if (lot == NULL || lot->points == 0)
        lot = joined_lot(&decision->after, terms->matures, terms->last_day, today);
    return lot == NULL ? 0 : take(decision, lot, points);
}

millipoints effect_take_free(struct decision *decision, local_day today, millipoints points)
{
    return take_in_order(decision, today, points);
}

void effect_owe(struct decision *decision, millipoints points)
{
    effect_of(decision)->debt_added += points;
    PUNKT_CHECK(account_owe(&decision->after, points, 0));
}

bool effect_end(struct decision *decision, millipoints lifetime_change)
{
    struct account *after = &decision->after;
    struct effect *effect = effect_of(decision);
    account_sweep_lots(after);
    millipoints lots = 0;
    for (uint32_t i = 0; i < after->lot_count; i++)
        lots += after->lots[i].points;
    if (__builtin_add_overflow(after->lifetime, lifetime_change, &after->lifetime))
        return false;
    if (lots > MILLIPOINTS_MAX || after->debt > MILLIPOINTS_MAX || after->lifetime > MILLIPOINTS_MAX ||
        after->lifetime < -MILLIPOINTS_MAX)
        return false;
    millipoints balance = lots - after->debt;
    effect->change = balance - decision->account.balance;
    effect->balance = balance;
    effect->lifetime_change = lifetime_change;
    after->balance = balance;
    PUNKT_CHECK(account_sound(after));
    return true;
}
