/*
 * Makes the effect of a decision on one account: each step is written down as a change and done to `after`, which
 * thereby knows what the next step finds. Private to points.
 */
#pragma once

#include "base/base.h"
#include "base/units.h"
#include "points/decide.h"

struct maker {
    struct effect *effect;
    const struct account *before;
    struct account *after;
    local_day today;
    bool full; /* more than an account or an effect can hold: the steps go on, and maker_end says so */
};

/*
 * Begins effect `side` (0 or 1) of the decision on decision->sides[side].before, which was looked up and has nothing due.
 */
struct maker maker_begin(struct decision *decision, uint32_t side, local_day today);

/* What can be spent on a day: matured, not past its last day, not held, less debt. */
millipoints account_free(const struct account *account, local_day today);

/* What a lot is to be. */
struct lot_terms {
    bool by_purchase;
    bool counts;             /* for a tier by points, when it matures */
    uint8_t inactive_months; /* as of struct lot */
    local_day earned;
    local_day matures;
    local_day last_day;
};

/* The terms of an award that was earned on a day: expiry is counted from the day it matures (DOMAIN.md, Lots). */
struct lot_terms award_terms(const struct programme *programme, local_day earned);
/* Of points that an adjustment adds: matured at once, today's expiry. */
struct lot_terms added_terms(const struct programme *programme, local_day today);

/*
 * Points that come in: if they have matured, and not expired, they pay debt first, the rest becomes a lot. *out_settled:
 * what paid debt; *out_lot: 0 if nothing is left. False: the account can hold no more lots. What has matured and counts is
 * counted for a tier by points (maker_count) here; what has not, when it matures.
 */
PUNKT_MUST_CHECK bool maker_give(struct maker *maker, const struct programme *programme, millipoints points,
                                 const struct lot_terms *terms, millipoints *out_settled, uint32_t *out_lot);

/*
 * Takes from a purchase's own lot up to `points`, matured or not, but nothing held; if it was joined, from the lot it is
 * in now. Returns what it took. only_pending: nothing, if it has matured.
 */
millipoints maker_take_own(struct maker *maker, uint32_t number, const struct lot_terms *terms,
                           millipoints points, bool only_pending);

/* Takes free points in spending order, up to `points`. Returns what it took. */
millipoints maker_take_free(struct maker *maker, millipoints points);

/*
 * Gives points back to the lots they came from, last taken first, with their dates; a lot that is gone is
 * made again; one that has expired meanwhile is usable for restore_days more (0: it expires at once, by the
 * next EVENT_DAY). Debt is settled first, as with all points that become free. What was taken while it was
 * pending comes back pending, and matures today by the next EVENT_DAY if its day is over.
 *
 * takes: the lot changes of the event that took them, of which TAKE and CAPTURE are looked at; lot_offset: if
 * the account was merged since; skip: of the last ones, so much was given back before. False: as maker_give.
 */
PUNKT_MUST_CHECK bool maker_give_back(struct maker *maker, const struct lot_change *takes,
                                      uint32_t take_count, uint32_t lot_offset, millipoints skip,
                                      millipoints points, uint32_t restore_days);

/* Of a bonus: an award without a purchase, which counts for a tier by points (DOMAIN.md, Back office). */
struct lot_terms bonus_terms(const struct programme *programme, local_day today);
/* Gives a bonus, today. False: as maker_give. */
PUNKT_MUST_CHECK bool maker_bonus(struct maker *maker, const struct programme *programme, millipoints points);

/* Pays debt with what is free, in spending order: after what came in otherwise than by maker_give. */
void maker_settle(struct maker *maker);

/* Adds to the debt. Forgives debt, oldest first. */
void maker_owe(struct maker *maker, millipoints points);
void maker_forgive(struct maker *maker, millipoints points);

/*
 * Begins the hold of this event: sets its points aside, in spending order, and its stamps. They must be there. Not the use
 * of its reward. False: the account has as many holds, or lots in holds, as it can have.
 */
PUNKT_MUST_CHECK bool maker_hold(struct maker *maker, const struct account_hold *hold);
/*
 * Ends a hold: captures `points` of what it holds, in spending order, gives the rest back (which settles debt; what has
 * expired meanwhile expires by the next EVENT_DAY). Its stamps are not set aside any more: a capture takes them by
 * maker_stamps. Not the use of its reward.
 */
void maker_hold_end(struct maker *maker, journal_position id, millipoints points);

/* Anything else, written down and done. It must fit, but for sums that are full. */
void maker_change(struct maker *maker, const struct account_change *change);
void maker_tally(struct maker *maker, enum tally_kind kind, uint64_t id, local_day period, int64_t value);
void maker_stamps(struct maker *maker, uint64_t purse, int64_t value);

/* --- tiers (tiers.c; DOMAIN.md, Tiers) --- */

/* Step of the account's tier in this version of the programme; 0: none, or one that it does not know. */
uint32_t tier_step(const struct programme *programme, const struct account *account);
/* The step that the account reaches if a purchase of this base on this day counts first (visit: it earns). */
uint32_t tier_step_with(const struct programme *programme, const struct account *account, local_day day,
                        local_day today, minor_units base, bool visit);
/* Adds to what the month of `day` counted (nothing, if the programme has no tiers), and forgets what no window needs. */
void maker_count(struct maker *maker, const struct programme *programme, enum tier_basis basis, local_day day,
                 int64_t value);
/*
 * Judges the tier after the event, or at a midnight when nothing happened but time; writes CHANGE_TIER if anything about
 * it changes. Comes last.
 */
void maker_tier(struct maker *maker, const struct programme *programme);
void maker_tier_midnight(struct maker *maker, const struct programme *programme);

/*
 * The account of side 1 goes into that of side 0 (merges, joins of suspense): CHANGE_ABSORB and CHANGE_ABSORBED, the
 * better tier, then debt is settled and the tier judged. False: the target can hold no more lots, holds or tags.
 * What the source had of lifetime is left to both lifetime_changes.
 */
PUNKT_MUST_CHECK bool maker_absorb(struct maker *target, struct maker *source,
                                   const struct programme *programme);

/* Brings the balance of `after` up to date, for who looks at it before the end. */
void maker_balance(struct maker *maker);

/*
 * Ends the effect: debt is settled with what is free, change, balance. False: lots, debt, lifetime, stamps, sums or the changes
 * themselves are over what an account or an effect holds.
 */
PUNKT_MUST_CHECK bool maker_end(struct maker *maker, millipoints lifetime_change);
