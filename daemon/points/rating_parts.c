#include "points/rating_steps.h"

#include <assert.h>

#include "points/wide.h"

#define FACTOR_ONE 1000 /* thousandths */

millipoints points_down(const struct programme *programme, millipoints points)
{
    return points - points % programme_step(programme);
}

void add_part(struct rating *rating, const struct award_part *part)
{
    static_assert(AWARD_PARTS_MAX == PROGRAMME_RULES_MAX + 1 + PROGRAMME_OFFERS_MAX + 4,
                  "each rule, the tier, each offer and each cap makes one part");
    PUNKT_CHECK(rating->part_count < AWARD_PARTS_MAX);
    rating->parts[rating->part_count++] = *part;
}

/* points for each whole `per` of input, or for each part of it too. */
static wide earn_per(bool exact, millipoints points, int64_t input, int64_t per)
{
    PUNKT_CHECK(per > 0);
    return exact ? (wide)input * points / per : (wide)(input / per) * points;
}

/* Fills exact, cut by what amounts have left of points that units earned, and the result. */
static bool part_earns(const struct programme *programme, const struct rating *rating, wide exact,
                       bool by_unit, struct award_part *out)
{
    if (exact > MILLIPOINTS_MAX)
        return false;
    out->exact = (millipoints)exact;
    if (by_unit && rating->before > 0)
        out->exact = mul_div(out->exact, rating->left, rating->before);
    out->result = points_down(programme, out->exact);
    return true;
}

bool rule_part(const struct programme *programme, const struct rating *rating, uint32_t rule, uint64_t also,
               struct award_part *out)
{
    PUNKT_CHECK(rule < programme->rule_count);
    const struct base_rule *base_rule = &programme->rules[rule];
    struct goods goods = goods_of(rating, rule_bit(rule) | also);
    wide exact = 0;
    *out = (struct award_part){ .rule = rule };
    switch (base_rule->kind) {
    case RULE_SPEND:
        out->kind = PART_SPEND;
        out->input = goods.base;
        exact = earn_per(base_rule->exact, base_rule->points, out->input, base_rule->amount);
        break;
    case RULE_ITEM:
        out->kind = PART_ITEM;
        out->input = goods.units;
        exact = earn_per(base_rule->exact, base_rule->points, out->input, MILLIS_PER_UNIT);
        break;
    case RULE_VISIT:
        out->kind = PART_VISIT;
        out->input = goods.base > 0 ? 1 : 0;
        exact = (wide)out->input * base_rule->points;
        break;
    }
    return part_earns(programme, rating, exact, base_rule->kind == RULE_ITEM, out);
}

bool tier_part(const struct programme *programme, const struct rating *rating, uint32_t tier_step,
               struct award_part *out)
{
    PUNKT_CHECK(tier_step >= 1 && tier_step <= programme->tiers.count);
    const struct tier *tier = &programme->tiers.tiers[tier_step - 1];
    *out = (struct award_part){ .rule = tier_step, .kind = PART_TIER, .input = rating->base_points };
    if (rating->base_points == 0)
        return true;
    wide exact = (wide)rating->base_points * (tier->factor - FACTOR_ONE) / FACTOR_ONE + tier->points;
    return part_earns(programme, rating, exact, false, out);
}

/*
 * The base points that the lines alone earn that an offer is for, by the rules that won: visits have no
 * lines.
 */
static bool points_of_lines(const struct programme *programme, const struct rating *rating, uint64_t offer,
                            millipoints *out_points)
{
    *out_points = 0;
    for (uint32_t i = 0; i < programme->rule_count; i++) {
        struct award_part part;
        if ((rating->rules_won & rule_bit(i)) == 0 || programme->rules[i].kind == RULE_VISIT)
            continue;
        if (!rule_part(programme, rating, i, offer, &part))
            return false;
        *out_points += part.result;
    }
    return true;
}

static bool multiply_part(const struct programme *programme, const struct rating *rating, uint32_t offer,
                          struct award_part *out)
{
    const struct offer *multiply = &programme->offers[offer];
    out->kind = PART_MULTIPLY;
    out->input = rating->base_points;
    if ((multiply->filter.has_include || multiply->filter.has_exclude) &&
        !points_of_lines(programme, rating, offer_bit(offer), &out->input))
        return false;
    return part_earns(programme, rating, (wide)out->input * (multiply->factor - FACTOR_ONE) / FACTOR_ONE,
                      false, out);
}

static bool add_offer_part(const struct programme *programme, const struct rating *rating, uint32_t offer,
                           struct award_part *out)
{
    const struct offer *add = &programme->offers[offer];
    out->kind = PART_ADD;
    if (add->per_unit) {
        out->input = goods_of(rating, offer_bit(offer)).units;
        return part_earns(programme, rating, earn_per(false, add->points, out->input, MILLIS_PER_UNIT), true,
                          out);
    }
    out->input = (rating->passed_by_any & offer_bit(offer)) != 0 ? 1 : 0;
    return part_earns(programme, rating, (wide)out->input * add->points, false, out);
}

/* Stamps are whole, whatever amounts have left of the units, and are not rounded as points are. */
static bool stamp_part(const struct programme *programme, const struct rating *rating, uint32_t offer,
                       struct award_part *out)
{
    const struct offer *stamp = &programme->offers[offer];
    struct goods goods = goods_of(rating, offer_bit(offer));
    out->kind = PART_STAMP;
    out->input = goods.base > 0 ? 1 : 0;
    wide exact = (wide)out->input * stamp->points;
    if (stamp->per_unit) {
        out->input = rating->before > 0 ? mul_div(goods.units, rating->left, rating->before) : goods.units;
        exact = earn_per(false, stamp->points, out->input, MILLIS_PER_UNIT);
    }
    if (exact > MILLIPOINTS_MAX)
        return false;
    out->exact = (int64_t)exact;
    out->result = out->exact;
    return true;
}

bool offer_part(const struct programme *programme, const struct rating *rating, uint32_t offer,
                struct award_part *out)
{
    PUNKT_CHECK(offer < programme->offer_count);
    *out = (struct award_part){ .rule = offer };
    switch (programme->offers[offer].kind) {
    case OFFER_MULTIPLY:
        return multiply_part(programme, rating, offer, out);
    case OFFER_ADD:
        return add_offer_part(programme, rating, offer, out);
    case OFFER_STAMP:
        return stamp_part(programme, rating, offer, out);
    }
    PUNKT_CHECK(!"an offer's kind");
    return false;
}
