#include "points/lots.h"

#include <string.h>

/* Where a lot is in the account, or where it belongs. */
static uint32_t lot_index(const struct account *account, uint32_t number)
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
    return low;
}

struct lot *account_lot(struct account *account, uint32_t number)
{
    uint32_t index = lot_index(account, number);
    if (index < account->lot_count && account->lots[index].number == number)
        return &account->lots[index];
    return NULL;
}

void account_sweep_lots(struct account *account)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < account->lot_count; i++) {
        if (account->lots[i].points == 0)
            continue;
        if (kept != i)
            account->lots[kept] = account->lots[i];
        kept++;
    }
    account->lot_count = kept;
}

/* Makes room for a lot. NULL: it does not fit. */
static struct lot *insert_lot(struct account *account, uint32_t number)
{
    if (number < 1 || number > account->next_lot || number == UINT32_MAX)
        return NULL;
    if (account->lot_count == ACCOUNT_LOTS_MAX)
        account_sweep_lots(account);
    if (account->lot_count == ACCOUNT_LOTS_MAX)
        return NULL;
    uint32_t index = lot_index(account, number);
    struct lot *place = &account->lots[index];
    memmove(place + 1, place, (account->lot_count - index) * sizeof(*place));
    account->lot_count++;
    if (number == account->next_lot)
        account->next_lot++;
    return place;
}

/* --- changes of a lot --- */

/* An emptied lot is as good as none: what goes into it says what it is. */
static bool lot_add(struct account *account, const struct lot_change *change)
{
    struct lot *lot = account_lot(account, change->lot);
    bool made = lot == NULL || lot->points == 0;
    if (lot == NULL)
        lot = insert_lot(account, change->lot);
    if (lot == NULL || change->points <= 0)
        return false;
    if (made) {
        *lot = (struct lot){ .number = change->lot,
                             .by_purchase = change->by_purchase,
                             .pending = change->pending,
                             .counts = change->counts,
                             .inactive_months = change->inactive_months,
                             .earned = change->earned,
                             .matures = change->matures,
                             .last_day = change->last_day };
    }
    return !__builtin_add_overflow(lot->points, change->points, &lot->points);
}

/* Takes what is not held. */
static bool lot_take(struct account *account, const struct lot_change *change)
{
    struct lot *lot = account_lot(account, change->lot);
    if (lot == NULL || change->points <= 0 || change->points > lot->points - lot->held)
        return false;
    lot->points -= change->points;
    return true;
}

void account_add_expired(struct account *account, const struct expired_lot *more)
{
    for (uint32_t i = 0; i < account->expired_count; i++) {
        if (account->expired[i].lot == more->lot) {
            account->expired[i].points =
                i64_min(account->expired[i].points, INT64_MAX - more->points) + more->points;
            return;
        }
    }
    if (account->expired_count == ACCOUNT_EXPIRED_MAX) {
        account->expired_count--;
        memmove(&account->expired[0], &account->expired[1], account->expired_count * sizeof(*more));
    }
    account->expired[account->expired_count++] = *more;
}

/* What expires of a lot by purchase is remembered for its return. */
static bool lot_expire(struct account *account, const struct lot_change *change)
{
    if (!lot_take(account, change))
        return false;
    if (account_lot(account, change->lot)->by_purchase)
        account_add_expired(account, &(struct expired_lot){ .lot = change->lot, .points = change->points });
    return true;
}

static bool lot_join(struct account *account, const struct lot_change *change)
{
    struct lot *from = account_lot(account, change->lot);
    struct lot *into = account_lot(account, change->into);
    if (from == NULL || into == NULL || from->held != 0 || into->held != 0)
        return false;
    if (from != into && (from->pending != into->pending || from->inactive_months != into->inactive_months))
        return false;
    into->by_purchase = false;
    account->joined_through = (uint32_t)u64_max(account->joined_through, u64_max(change->lot, change->into));
    if (from == into)
        return true;
    if (__builtin_add_overflow(into->points, from->points, &into->points))
        return false;
    if (from->matures > into->matures)
        into->matures = from->matures;
    from->points = 0;
    return true;
}

static bool lot_mature(struct account *account, const struct lot_change *change)
{
    struct lot *lot = account_lot(account, change->lot);
    if (lot == NULL || !lot->pending || lot->points == 0)
        return false;
    lot->pending = false;
    lot->counts = false;
    return true;
}

/* --- changes of what holds have set aside --- */

uint32_t account_first_part(const struct account *account, uint32_t hold_index)
{
    uint32_t first = 0;
    for (uint32_t i = 0; i < hold_index; i++)
        first += account->holds[i].part_count;
    return first;
}

/* Parts behind those of all holds belong to the hold that this event begins. */
static bool lot_hold(struct account *account, const struct lot_change *change)
{
    struct lot *lot = account_lot(account, change->lot);
    if (lot == NULL || change->points <= 0 || change->points > lot->points - lot->held ||
        account->hold_part_count == ACCOUNT_HOLD_PARTS_MAX)
        return false;
    lot->held += change->points;
    account->hold_parts[account->hold_part_count++] =
        (struct hold_part){ .lot = change->lot, .points = change->points };
    return true;
}

/* The part of an open hold that lies in a lot; NULL: there is none. */
static struct hold_part *find_part(struct account *account, journal_position hold, uint32_t lot)
{
    uint32_t first = 0;
    for (uint32_t i = 0; i < account->hold_count; i++) {
        const struct account_hold *open = &account->holds[i];
        for (uint32_t k = first; k < first + open->part_count; k++) {
            if (open->id == hold && account->hold_parts[k].lot == lot)
                return &account->hold_parts[k];
        }
        first += open->part_count;
    }
    return NULL;
}

/* Takes points out of a hold; captured, out of the lot too. */
static bool lot_unhold(struct account *account, const struct lot_change *change, bool capture)
{
    struct lot *lot = account_lot(account, change->lot);
    struct hold_part *part = find_part(account, change->hold, change->lot);
    if (lot == NULL || part == NULL || change->points <= 0 || change->points > part->points ||
        change->points > lot->held)
        return false;
    part->points -= change->points;
    lot->held -= change->points;
    if (capture)
        lot->points -= change->points;
    return true;
}

bool account_change_lot(struct account *account, const struct lot_change *change)
{
    switch (change->kind) {
    case LOT_ADD:
        return lot_add(account, change);
    case LOT_TAKE:
        return lot_take(account, change);
    case LOT_EXPIRE:
        return lot_expire(account, change);
    case LOT_JOIN:
        return lot_join(account, change);
    case LOT_MATURE:
        return lot_mature(account, change);
    case LOT_HOLD:
        return lot_hold(account, change);
    case LOT_FREE:
        return lot_unhold(account, change, false);
    case LOT_CAPTURE:
        return lot_unhold(account, change, true);
    }
    return false;
}

/* --- debts --- */

bool account_settle(struct account *account, millipoints points)
{
    if (points < 0 || points > account->debt)
        return false;
    account->debt -= points;
    uint32_t paid = 0;
    while (points > 0 && paid < account->debt_count) {
        struct debt *oldest = &account->debts[paid];
        millipoints part = i64_min(points, oldest->points);
        oldest->points -= part;
        points -= part;
        if (oldest->points == 0)
            paid++;
    }
    account->debt_count -= paid;
    memmove(account->debts, account->debts + paid, account->debt_count * sizeof(account->debts[0]));
    return points == 0;
}

bool account_owe(struct account *account, millipoints points, journal_position cause)
{
    if (points < 0 || __builtin_add_overflow(account->debt, points, &account->debt))
        return false;
    if (points == 0)
        return true;
    struct debt *newest = account->debt_count == 0 ? NULL : &account->debts[account->debt_count - 1];
    if (newest != NULL && newest->cause == cause) {
        newest->points += points;
        return true;
    }
    if (account->debt_count == ACCOUNT_DEBTS_MAX) {
        account->debts[0].points += account->debts[1].points;
        memmove(&account->debts[1], &account->debts[2], (ACCOUNT_DEBTS_MAX - 2) * sizeof(account->debts[0]));
        account->debt_count--;
    }
    account->debts[account->debt_count++] = (struct debt){ .cause = cause, .points = points };
    return true;
}

/* --- what must hold --- */

static bool lots_sound(const struct account *account, millipoints *out_points, millipoints *out_held)
{
    *out_points = 0;
    *out_held = 0;
    for (uint32_t i = 0; i < account->lot_count; i++) {
        const struct lot *lot = &account->lots[i];
        if (lot->points <= 0 || lot->held < 0 || lot->held > lot->points || lot->number >= account->next_lot)
            return false;
        if (i > 0 && account->lots[i - 1].number >= lot->number)
            return false;
        if (__builtin_add_overflow(*out_points, lot->points, out_points))
            return false;
        *out_held += lot->held;
    }
    return true;
}

/* Whether what a lot says is held is what the parts say; `held` is the sum over all lots. */
static bool holds_sound(const struct account *account, millipoints held)
{
    if (account_first_part(account, account->hold_count) != account->hold_part_count)
        return false;
    for (uint32_t i = 0; i < account->hold_part_count; i++) {
        const struct hold_part *part = &account->hold_parts[i];
        uint32_t index = lot_index(account, part->lot);
        if (part->points <= 0 || index == account->lot_count || account->lots[index].number != part->lot)
            return false;
        millipoints of_lot = 0;
        for (uint32_t k = 0; k < account->hold_part_count; k++)
            of_lot += account->hold_parts[k].lot == part->lot ? account->hold_parts[k].points : 0;
        if (of_lot != account->lots[index].held)
            return false;
        held -= part->points;
    }
    return held == 0;
}

bool account_sound(const struct account *account)
{
    millipoints points;
    millipoints held;
    if (!lots_sound(account, &points, &held) || !holds_sound(account, held))
        return false;
    millipoints debts = 0;
    for (uint32_t i = 0; i < account->debt_count; i++) {
        if (account->debts[i].points <= 0 || __builtin_add_overflow(debts, account->debts[i].points, &debts))
            return false;
    }
    return debts == account->debt && points - debts == account->balance;
}
