/*
 * What goods earn: the base of each line, and what the base rules make of it. Private to points.
 */
#pragma once

#include "base/base.h"
#include "base/units.h"
#include "points/event.h"
#include "points/programme.h"

/* What rules look at: of a receipt, or of what is left of it after returns. */
struct goods {
    minor_units base;
    millis_of_unit units;
};

/*
 * Hands a total out to parts in proportion to them, by running totals, so that what is handed out
 * adds up to the total.
 */
struct spread {
    minor_units total; /* to hand out */
    minor_units whole; /* sum of all the parts, above zero; else nothing is handed out */
    minor_units passed;
    minor_units given;
};

/* The share of the next part. */
minor_units spread_next(struct spread *spread, minor_units part);

/* The money off that a receipt's lines share: all of kind reward and, if so wanted, discount. */
struct spread money_off(uint32_t line_count, const struct sale_line *lines, bool with_discounts);

/* The units of a line: a line without a quantity is one unit. */
millis_of_unit line_units(const struct sale_line *line);

/* Whether a line is goods: something that can come back. */
bool line_is_goods(const struct sale_line *line);

/*
 * Fills the base of each line, and says what they are together. Without lines: one sale line of the
 * whole amount. Every amount is at most AMOUNT_MAX.
 */
void rate_goods(const struct programme *programme, minor_units amount, uint32_t line_count,
                struct sale_line *lines, struct goods *out);

/* What one rule makes of goods: input, exact, result. False: more points than the ledger holds. */
PUNKT_MUST_CHECK bool rule_earn(const struct programme *programme, uint32_t rule, const struct goods *goods,
                                struct award_part *out);

/*
 * What the base rules make of goods together: the part of the one that earns most, the first of several.
 * *out_count: how many parts took part, 0 if nothing is earned. False: more points than the ledger holds.
 */
PUNKT_MUST_CHECK bool rate_base_rules(const struct programme *programme, const struct goods *goods,
                                      struct award_part out_parts[AWARD_PARTS_MAX], uint32_t *out_count,
                                      millipoints *out_points);
