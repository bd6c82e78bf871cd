/*
 * What the files of rating share: which goods pass a filter, and what one rule or offer gives for them, of a
 * purchase as of the rest of one. Private to rating.
 */
#pragma once

#include "base/base.h"
#include "base/units.h"
#include "points/programme.h"
#include "points/rating.h"

/* The bit of a base rule, or of an offer, in the masks of struct programme_word and struct rating. */
static inline uint64_t rule_bit(uint32_t rule)
{
    return UINT64_C(1) << rule;
}
static inline uint64_t offer_bit(uint32_t offer)
{
    return UINT64_C(1) << (PROGRAMME_RULES_MAX + offer);
}

/* --- filters (rating_filter.c) --- */

/*
 * Takes over the lines, their bases being known: which filters each passes, and the sums. of_rest: a line
 * without quantity is not there any more; else it is one unit. What is left by amounts stands in rating->left
 * and before.
 */
void pass_lines(const struct programme *programme, uint32_t line_count, const struct sale_line *lines,
                bool of_rest, struct rating *rating);

/*
 * Day and minute, and what the filters of receipts say to store, tenders, tags, coupons, days, hours; offers'
 * periods.
 */
void pass_receipt(const struct rating_input *input, struct rating *rating);

/* The lines that pass all of these filters, together. */
struct goods {
    minor_units base;
    millis_of_unit units; /* without the share by amounts: points by unit are cut by it instead */
};
struct goods goods_of(const struct rating *rating, uint64_t filters);

/* Whether a filter is for accounts at this step; and whether the base is enough for it, or too much. */
bool tier_fits(const struct filter *filter, uint32_t tier_step);
bool minimum_fits(const struct filter *filter, uint64_t bit, const struct rating *rating);
bool maximum_fits(const struct filter *filter, uint64_t bit, const struct rating *rating);

/* --- what one gives (rating_parts.c). False: more points than the ledger holds --- */

/* A base rule, for the lines that pass its filter and those of `also`. */
PUNKT_MUST_CHECK bool rule_part(const struct programme *programme, const struct rating *rating, uint32_t rule,
                                uint64_t also, struct award_part *out);
/* A tier, 1 the lowest, and an offer, for rating->base_points and rating->rules_won. */
PUNKT_MUST_CHECK bool tier_part(const struct programme *programme, const struct rating *rating,
                                uint32_t tier_step, struct award_part *out);
PUNKT_MUST_CHECK bool offer_part(const struct programme *programme, const struct rating *rating,
                                 uint32_t offer, struct award_part *out);

/* Points cut down to what can be booked. */
millipoints points_down(const struct programme *programme, millipoints points);

void add_part(struct rating *rating, const struct award_part *part);
