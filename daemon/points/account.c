#include "points/account.h"

#include <string.h>

#include "points/event.h"
#include "points/lots.h"

void account_copy(const struct account *from, struct account *out)
{
    PUNKT_CHECK(from->lot_count <= ACCOUNT_LOTS_MAX && from->debt_count <= ACCOUNT_DEBTS_MAX);
    memcpy(out, from, offsetof(struct account, debts));
    memcpy(out->debts, from->debts, from->debt_count * sizeof(out->debts[0]));
    memcpy(out->lots, from->lots, from->lot_count * sizeof(out->lots[0]));
}

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

/* NULL: it does not fit. */
static struct lot *make_lot(struct account *account, const struct lot_change *change)
{
    if (change->lot < 1 || change->lot > account->next_lot || change->lot == UINT32_MAX)
        return NULL;
    if (account->lot_count == ACCOUNT_LOTS_MAX)
        account_sweep_lots(account);
    if (account->lot_count == ACCOUNT_LOTS_MAX)
        return NULL;
    uint32_t index = lot_index(account, change->lot);
    struct lot *place = &account->lots[index];
    memmove(place + 1, place, (account->lot_count - index) * sizeof(*place));
    *place = (struct lot){ .number = change->lot,
                           .by_purchase = change->by_purchase,
                           .matures = change->matures,
                           .last_day = change->last_day };
    account->lot_count++;
    if (change->lot == account->next_lot)
        account->next_lot++;
    return place;
}

static bool lot_add(struct account *account, const struct lot_change *change)
{
    struct lot *lot = account_lot(account, change->lot);
    if (lot == NULL)
        lot = make_lot(account, change);
    return lot != NULL && change->points > 0 &&
           !__builtin_add_overflow(lot->points, change->points, &lot->points);
}

static bool lot_take(struct account *account, const struct lot_change *change)
{
    struct lot *lot = account_lot(account, change->lot);
    if (lot == NULL || change->points <= 0 || change->points > lot->points - lot->held)
        return false;
    lot->points -= change->points;
    return true;
}

static bool lot_join(struct account *account, const struct lot_change *change)
{
    struct lot *from = account_lot(account, change->lot);
    struct lot *into = account_lot(account, change->into);
    if (from == NULL || into == NULL)
        return false;
    into->by_purchase = false;
    if (from == into)
        return true;
    if (__builtin_add_overflow(into->points, from->points, &into->points))
        return false;
    into->held += from->held;
    if (from->matures > into->matures)
        into->matures = from->matures;
    from->points = 0;
    from->held = 0;
    return true;
}

bool account_change_lot(struct account *account, const struct lot_change *change)
{
    switch (change->kind) {
    case LOT_ADD:
        return lot_add(account, change);
    case LOT_TAKE:
        return lot_take(account, change);
    case LOT_JOIN:
        return lot_join(account, change);
    }
    return false;
}

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
    if (account->debt_count == ACCOUNT_DEBTS_MAX) {
        account->debts[0].points += account->debts[1].points;
        memmove(&account->debts[1], &account->debts[2], (ACCOUNT_DEBTS_MAX - 2) * sizeof(account->debts[0]));
        account->debt_count--;
    }
    account->debts[account->debt_count++] = (struct debt){ .cause = cause, .points = points };
    return true;
}

bool account_sound(const struct account *account)
{
    millipoints lots = 0;
    for (uint32_t i = 0; i < account->lot_count; i++) {
        const struct lot *lot = &account->lots[i];
        if (lot->points <= 0 || lot->held < 0 || lot->held > lot->points || lot->number >= account->next_lot)
            return false;
        if (i > 0 && account->lots[i - 1].number >= lot->number)
            return false;
        if (__builtin_add_overflow(lots, lot->points, &lots))
            return false;
    }
    millipoints debts = 0;
    for (uint32_t i = 0; i < account->debt_count; i++) {
        if (account->debts[i].points <= 0 || __builtin_add_overflow(debts, account->debts[i].points, &debts))
            return false;
    }
    return debts == account->debt && lots - debts == account->balance;
}

bool effect_apply(const struct effect *effect, enum event_type type, utc_us occurred, journal_position cause,
                  struct account *account)
{
    if (effect->account != account->number || (effect->is_purchase && type != EVENT_PURCHASE))
        return false;
    if (!account_settle(account, effect->debt_settled))
        return false;
    for (uint32_t i = 0; i < effect->lot_change_count; i++) {
        if (!account_change_lot(account, &effect->lot_changes[i]))
            return false;
    }
    account_sweep_lots(account);
    if (!account_owe(account, effect->debt_added, cause))
        return false;
    if (__builtin_add_overflow(account->balance, effect->change, &account->balance) ||
        __builtin_add_overflow(account->lifetime, effect->lifetime_change, &account->lifetime))
        return false;
    if (effect->is_purchase)
        account->last_purchase = i64_max(account->last_purchase, occurred);
    account->last_event = cause;
    return account->balance == effect->balance && account_sound(account);
}
