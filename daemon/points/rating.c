#include "points/rating.h"

#include "points/wide.h"

minor_units spread_next(struct spread *spread, minor_units part)
{
    if (spread->whole <= 0)
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

static minor_units line_base(const struct programme *programme, const struct sale_line *line, minor_units off)
{
    minor_units base = i64_max(line->amount - off, 0);
    if (programme->tax == TAX_EXCLUDED && line->amount > 0)
        base = mul_div(base, line->amount - line->tax, line->amount);
    return base;
}

void rate_goods(const struct programme *programme, minor_units amount, uint32_t line_count,
                struct sale_line *lines, struct goods *out)
{
    *out = (struct goods){ 0 };
    if (line_count == 0) {
        out->base = i64_max(amount, 0);
        out->units = MILLIS_PER_UNIT;
        return;
    }
    struct spread off = money_off(line_count, lines, programme->discounts == DISCOUNTS_AFTER);
    for (uint32_t i = 0; i < line_count; i++) {
        lines[i].base = 0;
        if (lines[i].kind != LINE_SALE)
            continue;
        lines[i].base = line_base(programme, &lines[i], spread_next(&off, lines[i].amount));
        out->base += lines[i].base;
        out->units += line_units(&lines[i]);
    }
}

/* points for each whole `per` of input, or for each part of it too. */
static wide earn_per(const struct base_rule *rule, int64_t input, int64_t per)
{
    PUNKT_CHECK(per > 0);
    return rule->exact ? (wide)input * rule->points / per : (wide)(input / per) * rule->points;
}

bool rule_earn(const struct programme *programme, uint32_t rule, const struct goods *goods,
               struct award_part *out)
{
    PUNKT_CHECK(rule < programme->rule_count);
    const struct base_rule *base_rule = &programme->rules[rule];
    int64_t input = 0;
    wide exact = 0;
    switch (base_rule->kind) {
    case RULE_SPEND:
        input = goods->base;
        exact = earn_per(base_rule, input, base_rule->amount);
        break;
    case RULE_ITEM:
        input = goods->units;
        exact = earn_per(base_rule, input, MILLIS_PER_UNIT);
        break;
    case RULE_VISIT:
        input = goods->base > 0 ? 1 : 0;
        exact = (wide)input * base_rule->points;
        break;
    }
    if (exact > MILLIPOINTS_MAX)
        return false;
    *out = (struct award_part){
        .rule = rule, .kind = base_rule->kind, .input = input, .exact = (millipoints)exact
    };
    out->result = out->exact - out->exact % programme_step(programme);
    return true;
}

bool rate_base_rules(const struct programme *programme, const struct goods *goods,
                     struct award_part out_parts[AWARD_PARTS_MAX], uint32_t *out_count,
                     millipoints *out_points)
{
    struct award_part best = { 0 };
    for (uint32_t i = 0; i < programme->rule_count; i++) {
        struct award_part part;
        if (!rule_earn(programme, i, goods, &part))
            return false;
        if (part.result > best.result)
            best = part;
    }
    *out_count = best.result > 0 ? 1 : 0;
    *out_points = best.result;
    if (*out_count > 0)
        out_parts[0] = best;
    return true;
}
