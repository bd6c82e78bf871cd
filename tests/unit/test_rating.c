/* What goods earn by the base rules: bases of lines, rules and their combination. */
#include "rating_world.h"

/* --- bases of lines --- */

struct base_row {
    const char *what;
    enum tax_mode tax;
    enum discount_mode discounts;
    minor_units paid;
    struct {
        enum line_kind kind;
        minor_units amount, tax;
        minor_units want; /* the base */
    } lines[6];
};

static const struct base_row base_rows[] = {
    { "(Earning) a price of zero", TAX_EXCLUDED, DISCOUNTS_AFTER, 0, { { LINE_SALE, 0, 0, 0 } } },
    { "(Earning) only sale lines earn",
      TAX_INCLUDED,
      DISCOUNTS_AFTER,
      0,
      { { LINE_DEPOSIT, 25, 0, 0 }, { LINE_STORED_VALUE, 5000, 0, 0 }, { LINE_SALE, 100, 0, 100 } } },
    { "(Earning) less its share of discounts: parts add up",
      TAX_INCLUDED,
      DISCOUNTS_AFTER,
      0,
      { { LINE_SALE, 100, 0, 67 },
        { LINE_SALE, 100, 0, 67 },
        { LINE_SALE, 100, 0, 66 },
        { LINE_DISCOUNT, -100, 0, 0 } } },
    { "(Earning) discounts: before leaves them out, but not rewards",
      TAX_INCLUDED,
      DISCOUNTS_BEFORE,
      0,
      { { LINE_SALE, 1000, 0, 900 }, { LINE_DISCOUNT, -500, 0, 0 }, { LINE_REWARD, -100, 0, 0 } } },
    { "(Earning) less its share of rewards and discounts",
      TAX_INCLUDED,
      DISCOUNTS_AFTER,
      0,
      { { LINE_SALE, 1000, 0, 400 }, { LINE_DISCOUNT, -500, 0, 0 }, { LINE_REWARD, -100, 0, 0 } } },
    { "(Earning) not below zero",
      TAX_INCLUDED,
      DISCOUNTS_AFTER,
      0,
      { { LINE_SALE, 300, 0, 0 }, { LINE_DEPOSIT, 1000, 0, 0 }, { LINE_DISCOUNT, -400, 0, 0 } } },
    { "(Earning) of what was paid with points",
      TAX_INCLUDED,
      DISCOUNTS_AFTER,
      1500,
      { { LINE_SALE, 1000, 0, 500 }, { LINE_SALE, 2000, 0, 1000 }, { LINE_DEPOSIT, 25, 0, 0 } } },
    { "(Earning) tax: excluded, x (amount - tax) / amount",
      TAX_EXCLUDED,
      DISCOUNTS_AFTER,
      0,
      { { LINE_SALE, 2335, 145, 2190 } } },
    { "(Earning) tax: excluded, of what is left of the line",
      TAX_EXCLUDED,
      DISCOUNTS_AFTER,
      595,
      { { LINE_SALE, 1190, 190, 500 } } },
    { "(Earning) tax: included", TAX_INCLUDED, DISCOUNTS_AFTER, 0, { { LINE_SALE, 2335, 145, 2335 } } },
};

static void bases_of_lines(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(base_rows); i++) {
        const struct base_row *row = &base_rows[i];
        struct rating_world *world = rating_world_new();
        minor_units sum = 0;
        world->programme.tax = row->tax;
        world->programme.discounts = row->discounts;
        world->input.paid = row->paid;
        for (size_t k = 0; k < COUNT_OF(row->lines); k++) {
            struct sale_line *line = add_line(world, "", "", row->lines[k].amount);
            line->kind = row->lines[k].kind;
            line->tax = row->lines[k].tax;
            sum += row->lines[k].want;
        }
        rate_all(world, 0);
        for (size_t k = 0; k < COUNT_OF(row->lines); k++) {
            if (world->lines[k].base != row->lines[k].want)
                fail_msg("%s: line %zu has %lld", row->what, k + 1, (long long)world->lines[k].base);
        }
        assert_int_equal(world->rating.base, sum);
        rating_world_free(world);
    }
}

static void a_receipt_without_lines_is_one(void **state)
{
    (void)state;
    struct rating_world *world = rating_world_new();
    add_rule(world, RULE_SPEND, POINT, 100);
    add_rule(world, RULE_ITEM, 7 * POINT, 0);
    world->programme.rules_combine = COMBINE_SUM;
    world->input.amount = 1000;
    world->input.paid = 300;
    assert_int_equal(rate_all(world, 0), 14 * POINT);
    assert_int_equal(world->sale.base, 700);
    /* A filter that names words passes no line without any; one that excludes words does. */
    include_category(world, &world->programme.rules[0].filter, rule_bit(0), "fish");
    exclude_category(world, &world->programme.rules[1].filter, rule_bit(1), "fish");
    assert_int_equal(rate_all(world, 0), 7 * POINT);
    world->input.amount = -500;
    assert_int_equal(rate_all(world, 0), 7 * POINT);
    assert_int_equal(world->sale.base, 0);
    rating_world_free(world);
}

/* --- base rules --- */

struct rule_row {
    const char *what;
    struct {
        enum rule_kind kind;
        millipoints points;
        minor_units amount;
        bool exact;
    } rules[3];
    struct {
        enum combine combine;
        uint32_t decimals;
        minor_units amount;
        millis_of_unit quantity;
    } given;
    struct {
        uint32_t parts;
        millipoints points;
    } want;
};

static const struct rule_row rule_rows[] = {
    { "nothing whole", { { RULE_SPEND, POINT, 1000, false } }, { COMBINE_BEST, 0, 999, UNIT }, { 0, 0 } },
    { "(examples) 1 point per 10.00; 105.00",
      { { RULE_SPEND, POINT, 1000, false } },
      { COMBINE_BEST, 0, 10500, UNIT },
      { 1, 10 * POINT } },
    { "(examples) 21.90 without tax",
      { { RULE_SPEND, POINT, 1000, false } },
      { COMBINE_BEST, 0, 2190, UNIT },
      { 1, 2 * POINT } },
    { "(examples) 23.35 with tax",
      { { RULE_SPEND, POINT, 1000, false } },
      { COMBINE_BEST, 0, 2335, UNIT },
      { 1, 2 * POINT } },
    { "(examples) 19.50 without tax",
      { { RULE_SPEND, POINT, 1000, false } },
      { COMBINE_BEST, 0, 1950, UNIT },
      { 1, POINT } },
    { "(examples) 21.00 with tax",
      { { RULE_SPEND, POINT, 1000, false } },
      { COMBINE_BEST, 0, 2100, UNIT },
      { 1, 2 * POINT } },
    { "(examples) 10 points per 100.00; 270.00: whole",
      { { RULE_SPEND, 10 * POINT, 10000, false } },
      { COMBINE_BEST, 0, 27000, UNIT },
      { 1, 20 * POINT } },
    { "(examples) the same, exact",
      { { RULE_SPEND, 10 * POINT, 10000, true } },
      { COMBINE_BEST, 0, 27000, UNIT },
      { 1, 27 * POINT } },
    { "(Earning) exact: 12.7 units earn 12 without decimals",
      { { RULE_ITEM, POINT, 0, true } },
      { COMBINE_BEST, 0, 100, 12700 },
      { 1, 12 * POINT } },
    { "(Earning) exact: 12.7 units earn 12.7",
      { { RULE_ITEM, POINT, 0, true } },
      { COMBINE_BEST, 1, 100, 12700 },
      { 1, 12700 } },
    { "(Earning) item: each whole unit",
      { { RULE_ITEM, 2 * POINT, 0, false } },
      { COMBINE_BEST, 3, 100, 2999 },
      { 1, 4 * POINT } },
    { "(Earning) no quantity is one unit",
      { { RULE_ITEM, 2 * POINT, 0, false } },
      { COMBINE_BEST, 0, 100, 0 },
      { 1, 2 * POINT } },
    { "(Earning) visit: a receipt whose base is above zero",
      { { RULE_VISIT, 5 * POINT, 0, false } },
      { COMBINE_BEST, 0, 1, UNIT },
      { 1, 5 * POINT } },
    { "(Earning) visit: not of base zero",
      { { RULE_VISIT, 5 * POINT, 0, false } },
      { COMBINE_BEST, 0, 0, UNIT },
      { 0, 0 } },
    { "(Numbers) points of a rule have three decimals, rounded down once",
      { { RULE_SPEND, 1500, 100, false } },
      { COMBINE_BEST, 0, 300, UNIT },
      { 1, 4 * POINT } },
    { "(Numbers) to decimals",
      { { RULE_SPEND, 1555, 100, false } },
      { COMBINE_BEST, 2, 100, UNIT },
      { 1, 1550 } },
    { "(Numbers) each rule is rounded by itself",
      { { RULE_SPEND, 1500, 100, false }, { RULE_VISIT, 1500, 0, false } },
      { COMBINE_SUM, 0, 100, UNIT },
      { 2, 2 * POINT } },
    { "(examples) base rules give 5 and 8: best",
      { { RULE_VISIT, 5 * POINT, 0, false }, { RULE_VISIT, 8 * POINT, 0, false } },
      { COMBINE_BEST, 0, 100, UNIT },
      { 1, 8 * POINT } },
    { "(examples) base rules give 5 and 8: sum",
      { { RULE_VISIT, 5 * POINT, 0, false }, { RULE_VISIT, 8 * POINT, 0, false } },
      { COMBINE_SUM, 0, 100, UNIT },
      { 2, 13 * POINT } },
    { "(Earning) first that earns",
      { { RULE_SPEND, 99 * POINT, 1000, false },
        { RULE_VISIT, 5 * POINT, 0, false },
        { RULE_VISIT, 8 * POINT, 0, false } },
      { COMBINE_FIRST, 0, 100, UNIT },
      { 1, 5 * POINT } },
    { "(Numbers) 128-bit intermediates",
      { { RULE_SPEND, MILLIPOINTS_MAX, AMOUNT_MAX, true } },
      { COMBINE_BEST, 3, AMOUNT_MAX, UNIT },
      { 1, MILLIPOINTS_MAX } },
};

static void base_rules_earn(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rule_rows); i++) {
        const struct rule_row *row = &rule_rows[i];
        struct rating_world *world = rating_world_new();
        for (size_t k = 0; k < COUNT_OF(row->rules) && row->rules[k].kind != 0; k++)
            add_rule(world, row->rules[k].kind, row->rules[k].points, row->rules[k].amount)->exact =
                row->rules[k].exact;
        world->programme.rules_combine = row->given.combine;
        world->programme.decimals = row->given.decimals;
        add_line(world, "", "", row->given.amount)->quantity = row->given.quantity;
        if (rate_all(world, 0) != row->want.points || world->sale.part_count != row->want.parts)
            fail_msg("%s: %lld of %u parts", row->what, (long long)world->sale.earned,
                     world->sale.part_count);
        assert_int_equal(world->rating.base_points, row->want.points);
        assert_int_equal(world->sale.trimmed, 0);
        rating_world_free(world);
    }
}

/* (Earning) A tie goes to the first in the file. What took part is kept with its input and exact value. */
static void a_tie_goes_to_the_first(void **state)
{
    (void)state;
    struct rating_world *world = rating_world_new();
    world->programme.rules_combine = COMBINE_BEST;
    add_rule(world, RULE_SPEND, 100, 100);
    add_rule(world, RULE_SPEND, 5500, 1000);
    add_rule(world, RULE_SPEND, 5000, 1000);
    add_line(world, "", "", 1090);
    assert_int_equal(rate_all(world, 0), 5 * POINT);
    assert_int_equal(world->parts[0].kind, PART_SPEND);
    assert_int_equal(world->parts[0].rule, 1);
    assert_int_equal(world->parts[0].input, 1090);
    assert_int_equal(world->parts[0].exact, 5500);
    assert_int_equal(world->parts[0].result, 5000);
    assert_int_equal(world->rating.rules_won, 2);
    rating_world_free(world);
}

/* (Numbers) An award is below 10^12 points. */
static void more_than_the_ledger_holds(void **state)
{
    (void)state;
    struct rating_world *world = rating_world_new();
    add_rule(world, RULE_VISIT, MILLIPOINTS_MAX, 0);
    add_rule(world, RULE_VISIT, 1, 0);
    world->programme.decimals = 3;
    world->programme.rules_combine = COMBINE_SUM;
    world->input.amount = 100;
    rate_bases(&world->input, &world->rating);
    assert_false(rate_base_rules(&world->input, 0, &world->rating));
    world->programme.rule_count = 1;
    rate_bases(&world->input, &world->rating);
    assert_true(rate_base_rules(&world->input, 0, &world->rating));
    world->programme.tiers.tiers[0].points = 1;
    assert_false(rate_extras(&world->input, 1, &world->rating));
    world->programme.rules[0] =
        (struct base_rule){ .kind = RULE_SPEND, .points = MILLIPOINTS_MAX, .amount = 1 };
    rate_bases(&world->input, &world->rating);
    assert_false(rate_base_rules(&world->input, 0, &world->rating));
    rating_world_free(world);
}

/* --- goods whose purchase is not known --- */

/* (Returning goods) No visits, minimum, tier, offers, caps. */
static void unlinked_goods(void **state)
{
    (void)state;
    struct rating_world *world = rating_world_new();
    add_rule(world, RULE_SPEND, POINT, 100)->filter.minimum = 100000;
    add_rule(world, RULE_VISIT, 500 * POINT, 0);
    add_rule(world, RULE_ITEM, 2 * POINT, 0)->filter.tiers = 1U << 2;
    add_rule(world, RULE_ITEM, 3 * POINT, 0)->filter.has_stores = true;
    world->programme.rules_combine = COMBINE_SUM;
    world->programme.tiers.tiers[0].factor = 3000;
    world->programme.caps.receipt = POINT;
    add_offer(world, OFFER_MULTIPLY)->factor = 2000;
    word(world, "7")->stores = rule_bit(3);
    add_line(world, "", "", 1000);
    world->input.amount = 1000;
    millipoints points;
    assert_true(rate_unlinked(&world->input, &world->rating, &points));
    assert_int_equal(points, 10 * POINT);
    world->input.store = TEXT_LITERAL("7");
    assert_true(rate_unlinked(&world->input, &world->rating, &points));
    assert_int_equal(points, 13 * POINT);
    world->programme.rules[0].points = MILLIPOINTS_MAX;
    assert_false(rate_unlinked(&world->input, &world->rating, &points));
    rating_world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bases_of_lines),
        cmocka_unit_test(a_receipt_without_lines_is_one),
        cmocka_unit_test(base_rules_earn),
        cmocka_unit_test(a_tie_goes_to_the_first),
        cmocka_unit_test(more_than_the_ledger_holds),
        cmocka_unit_test(unlinked_goods),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
