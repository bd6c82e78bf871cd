/*
 * What wishes come to, for what is redeemed directly (redeeming.c) and for holds (redeeming_holds.c). Private
 * to points.
 */
#pragma once

#include "base/base.h"
#include "base/units.h"
#include "points/decide_steps.h"
#include "points/effect_maker.h"

/*
 * By points (DOMAIN.md, Redeeming): as many of `points` as fit the bill, and what they are worth: more than
 * AMOUNT_MAX if no amount can be so much.
 */
void price_points(const struct programme *programme, millipoints points, minor_units bill,
                  struct redemption *out);

/* Whether that is enough to be taken at once. False: refused. */
bool reaches_minimum(const struct programme *programme, millipoints points, struct decision *decision);

/*
 * The money off. Of a line of the receipt, what it took off; else what the reward gives, at most the bill,
 * and of a per cent of an unknown bill nothing that is known yet.
 */
minor_units reward_worth(const struct reward *reward, uint32_t quantity, const struct wanted *wanted);

/* An advice takes what is free (or nothing); the rest is the merchant's loss, and flagged. */
void take_short(const struct account *account, local_day today, bool nothing, struct redemption *made,
                struct event *event);

/* Counts uses of a reward's limit. */
void count_use(struct maker *maker, uint64_t reward, local_day period, uint32_t uses);

/* A right PIN ends the count of wrong ones. */
void forget_wrong_pins(struct maker *maker, const struct cost *cost);

/*
 * Begins the hold of this event: sets aside what a wish costs, and its use. False: refused, the account has
 * no room.
 */
bool hold_cost(struct decision *decision, struct maker *maker, const struct cost *cost, utc_us deadline);

/* How a hold ended, for people; of an open one, that its deadline has passed. */
const char *hold_end_words(enum hold_end end);
