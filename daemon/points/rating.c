#include "points/rating.h"

#include "points/rating_steps.h"
#include "points/wide.h"

minor_units spread_next(struct spread *spread, minor_units part)
{
    if (spread->whole <= 0 || spread->total == 0)
        return 0;
    spread->passed += part;
    minor_units until_here = mul_div(spread->total, spread->passed, spread->whole);
    minor_units share = until_here - spread->given;
    spread->given = until_here;
    return share;
}

struct spread money_off(uint32_t line_count, const struct sale_line *lines, bool with_discounts)
{
    struct spread spread = { 0 };
    for (uint32_t i = 0; i < line_count; i++) {
        const struct sale_line *line = &lines[i];
        if (line->kind == LINE_SALE)
            spread.whole += line->amount;
        else if (line->kind == LINE_REWARD || (line->kind == LINE_DISCOUNT && with_discounts))
            spread.total -= line->amount;
    }
    return spread;
}

millis_of_unit line_units(const struct sale_line *line)
{
    return line->quantity == 0 ? MILLIS_PER_UNIT : line->quantity;
}

bool line_is_goods(const struct sale_line *line)
{
    return line->kind != LINE_DISCOUNT && line->kind != LINE_REWARD;
}

/* --- the base of each line --- */

static minor_units line_base(const struct programme *programme, const struct sale_line *line, minor_units off)
{
    minor_units base = i64_max(line->amount - off, 0);
    if (programme->tax == TAX_EXCLUDED && line->amount > 0)
        base = mul_div(base, line->amount - line->tax, line->amount);
    return base;
}

static void fill_bases(const struct rating_input *input)
{
    const struct programme *programme = input->programme;
    struct spread off = money_off(input->line_count, input->lines, programme->discounts == DISCOUNTS_AFTER);
    off.total += input->paid;
    for (uint32_t i = 0; i < input->line_count; i++) {
        struct sale_line *line = &input->lines[i];
        line->base =
            line->kind == LINE_SALE ? line_base(programme, line, spread_next(&off, line->amount)) : 0;
    }
}

void rate_bases(const struct rating_input *input, struct rating *rating)
{
    PUNKT_CHECK(input->amount <= AMOUNT_MAX && input->paid >= 0 && input->paid <= AMOUNT_MAX);
    rating->left = 0;
    rating->before = 0;
    if (input->line_count > 0) {
        fill_bases(input);
        pass_lines(input->programme, input->line_count, input->lines, false, rating);
    } else {
        rating->whole = (struct sale_line){ .kind = LINE_SALE,
                                            .quantity = MILLIS_PER_UNIT,
                                            .amount = input->amount,
                                            .base = i64_max(input->amount - input->paid, 0) };
        pass_lines(input->programme, 1, &rating->whole, false, rating);
    }
    pass_receipt(input, rating);
}

/* --- base rules --- */

/* Which rules are looked at, and how. */
struct rule_judging {
    uint32_t tier_step;
    bool linked; /* false: goods whose purchase is not known: no visits, no minimum */
};

static bool rule_applies(const struct rating_input *input, const struct rating *rating,
                         const struct rule_judging *judging, uint32_t rule)
{
    const struct base_rule *base_rule = &input->programme->rules[rule];
    uint64_t bit = rule_bit(rule);
    return (rating->receipt_passes & rating->passed_by_any & bit) != 0 &&
           tier_fits(&base_rule->filter, judging->tier_step) &&
           (judging->linked || base_rule->kind != RULE_VISIT) &&
           (!judging->linked || minimum_fits(&base_rule->filter, bit, rating)) &&
           maximum_fits(&base_rule->filter, bit, rating);
}

static void rule_wins(struct rating *rating, const struct award_part *part)
{
    add_part(rating, part);
    rating->rules_won |= rule_bit(part->rule);
    rating->base_points += part->result;
}

static bool combine_rules(const struct rating_input *input, const struct rule_judging *judging,
                          struct rating *rating)
{
    const struct programme *programme = input->programme;
    enum combine combine = programme->rules_combine;
    PUNKT_CHECK(combine != COMBINE_NEWEST && programme->rule_count <= PROGRAMME_RULES_MAX);
    struct award_part best = { 0 };
    rating->base_points = 0;
    rating->rules_won = 0;
    rating->part_count = 0;
    for (uint32_t i = 0; i < programme->rule_count; i++) {
        struct award_part part;
        if (!rule_applies(input, rating, judging, i))
            continue;
        if (!rule_part(programme, rating, i, 0, &part))
            return false;
        if (combine == COMBINE_SUM && part.result > 0)
            rule_wins(rating, &part);
        else if (part.result > best.result)
            best = part;
        if (combine == COMBINE_FIRST && best.result > 0)
            break;
    }
    if (combine != COMBINE_SUM && best.result > 0)
        rule_wins(rating, &best);
    return rating->base_points <= MILLIPOINTS_MAX;
}

bool rate_base_rules(const struct rating_input *input, uint32_t tier_step, struct rating *rating)
{
    struct rule_judging judging = { .tier_step = tier_step, .linked = true };
    return combine_rules(input, &judging, rating);
}

bool rate_unlinked(const struct rating_input *input, struct rating *rating, millipoints *out_points)
{
    struct rule_judging judging = { .tier_step = 0, .linked = false };
    rate_bases(input, rating);
    *out_points = 0;
    if (!combine_rules(input, &judging, rating))
        return false;
    *out_points = rating->base_points;
    return true;
}
