/*
 * Makes the effect of a decision on one account: each step is written down as a change and done to
 * decision->after, which thereby knows what the next step finds. Private to points.
 */
#pragma once

#include "base/base.h"
#include "base/units.h"
#include "points/decide.h"

/* Awards older than this are joined with others (LEDGER.md, State). */
#define RETURN_DAYS 100

/*
 * Begins effect 0 on decision->account, which was looked up before. Debt that points matured meanwhile
 * can pay is paid: from here on, while there is debt, nothing is free.
 */
void effect_begin(struct decision *decision, local_day today);

/* What can be spent on a day: matured, not past its last day, not held, less debt. */
millipoints account_free(const struct account *account, local_day today);

/* What a lot is to be. */
struct lot_terms {
    bool by_purchase;
    local_day matures;
    local_day last_day;
};

/*
 * Points that come in: pay debt first, the rest becomes a lot. *out_settled: what paid debt; *out_lot: 0
 * if nothing is left. False: the account can hold no more lots.
 */
PUNKT_MUST_CHECK bool effect_give(struct decision *decision, local_day today, millipoints points,
                                  const struct lot_terms *terms, millipoints *out_settled, uint32_t *out_lot);

/*
 * Takes from a purchase's own lot up to `points`, matured or not, but nothing held; if it was joined, from
 * the lot it is in now. Returns what it took.
 */
millipoints effect_take_own(struct decision *decision, local_day today, uint32_t lot,
                            const struct lot_terms *terms, millipoints points);

/* Takes free points in spending order, up to `points`. Returns what it took. */
millipoints effect_take_free(struct decision *decision, local_day today, millipoints points);

/* Adds to the debt. */
void effect_owe(struct decision *decision, millipoints points);

/* Ends effect 0: change, balance. False: lots, debt or lifetime are over what the ledger holds. */
PUNKT_MUST_CHECK bool effect_end(struct decision *decision, millipoints lifetime_change);
