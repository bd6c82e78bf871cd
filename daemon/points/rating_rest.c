#include "points/rating_steps.h"

/* What a base rule that won keeps: its minimum is judged again. */
static millipoints keep_rule(const struct programme *programme, struct rating *rating, uint32_t rule)
{
    struct award_part part;
    PUNKT_CHECK(rule < programme->rule_count);
    if (!minimum_fits(&programme->rules[rule].filter, rule_bit(rule), rating))
        return 0;
    /* A part of what fitted once. */
    PUNKT_CHECK(rule_part(programme, rating, rule, 0, &part));
    rating->rules_won |= rule_bit(rule);
    rating->base_points += part.result;
    return part.result;
}

static millipoints keep_tier(const struct programme *programme, const struct rating *rating,
                             uint32_t tier_step)
{
    struct award_part part;
    PUNKT_CHECK(tier_part(programme, rating, tier_step, &part));
    return part.result;
}

/* Points of an offer, or stamps. */
static int64_t keep_offer(const struct programme *programme, const struct rating *rating, uint32_t offer)
{
    struct award_part part;
    PUNKT_CHECK(offer < programme->offer_count);
    if (programme->offers_need_base && rating->base_points == 0)
        return 0;
    if (!minimum_fits(&programme->offers[offer].filter, offer_bit(offer), rating))
        return 0;
    PUNKT_CHECK(offer_part(programme, rating, offer, &part));
    return part.result;
}

/* The parts as they came: base rules, tier, offers. */
static void keep_parts(const struct programme *programme, const struct purchase *sale, struct rating *rating,
                       struct kept *out)
{
    uint32_t stamp_count = 0;
    uint64_t giving = 0;
    for (uint32_t i = 0; i < sale->part_count; i++) {
        uint32_t rule = sale->parts[i].rule;
        int64_t kept = 0;
        switch (sale->parts[i].kind) {
        case PART_SPEND:
        case PART_ITEM:
        case PART_VISIT:
            out->points += keep_rule(programme, rating, rule);
            break;
        case PART_TIER:
            out->points += keep_tier(programme, rating, rule);
            break;
        case PART_MULTIPLY:
        case PART_ADD:
            kept = keep_offer(programme, rating, rule);
            out->points += kept;
            giving |= kept > 0 ? UINT64_C(1) << rule : 0;
            break;
        case PART_STAMP:
            PUNKT_CHECK(stamp_count < STAMP_PARTS_MAX);
            kept = keep_offer(programme, rating, rule);
            out->stamps[stamp_count++] = kept;
            giving |= kept > 0 ? UINT64_C(1) << rule : 0;
            break;
        case PART_CAP_RECEIPT:
        case PART_CAP_DAY:
        case PART_CAP_MONTH:
        case PART_CAP_BALANCE:
            break;
        }
    }
    out->uses = rate_uses(programme, sale) & giving;
}

void rate_rest(const struct programme *programme, const struct purchase *sale, const struct rest *rest,
               struct rating *scratch, struct kept *out)
{
    PUNKT_CHECK(rest->left >= 0 && rest->left <= rest->before);
    *out = (struct kept){ 0 };
    /* Everything came back as amounts. */
    if (rest->before > 0 && rest->left == 0)
        return;
    scratch->left = rest->left;
    scratch->before = rest->before;
    scratch->base_points = 0;
    scratch->rules_won = 0;
    if (rest->line_count > 0)
        pass_lines(programme, rest->line_count, rest->lines, true, scratch);
    else
        pass_lines(programme, 1, &rest->whole, true, scratch);
    keep_parts(programme, sale, scratch, out);
    out->points = i64_min(out->points, sale->earned);
    out->base = scratch->base;
}
