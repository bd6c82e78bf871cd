/*
 * The steps of which a change of an account is made: used by apply, and by decisions on a copy of the
 * account while they make the effect. Private to points.
 */
#pragma once

#include "base/base.h"
#include "base/units.h"
#include "points/account.h"
#include "points/event.h"

/* A lot by its number; NULL: there is none. Valid until a lot is made or lots are swept. */
struct lot *account_lot(struct account *account, uint32_t number);

/*
 * One change of a lot. What it empties stays, without points, until account_sweep_lots. False if it
 * does not fit.
 */
PUNKT_MUST_CHECK bool account_change_lot(struct account *account, const struct lot_change *change);
void account_sweep_lots(struct account *account);

/* Remembers what of a lot has expired; the first gives way when there is no room. */
void account_add_expired(struct account *account, const struct expired_lot *more);

/* Pays debt, oldest first. False if there is less. */
PUNKT_MUST_CHECK bool account_settle(struct account *account, millipoints points);

/*
 * Adds a debt, to the newest if that has the same cause; beyond ACCOUNT_DEBTS_MAX the two oldest become one, with the
 * cause of the older. False if it does not fit.
 */
PUNKT_MUST_CHECK bool account_owe(struct account *account, millipoints points, journal_position cause);

/* The first of a hold's parts in account.hold_parts; hold_index: of account.holds, or hold_count for what is in none yet. */
uint32_t account_first_part(const struct account *account, uint32_t hold_index);

/* One change of anything else; `cause` is the position of the event, 0 while it is decided. False if it does not fit. */
PUNKT_MUST_CHECK bool account_change_other(struct account *account, const struct account_change *change,
                                           journal_position cause);

/* Whether lots, holds and debts fit each other, and balance and debt are the sums they should be. */
PUNKT_MUST_CHECK bool account_sound(const struct account *account);

/* What of a lot can be spent on a day, but for debt. */
static inline millipoints lot_free(const struct account *account, const struct lot *lot, local_day today)
{
    if (lot->pending || lot->held == lot->points || lot_last_day(account, lot) < today)
        return 0;
    return lot->points - lot->held;
}
