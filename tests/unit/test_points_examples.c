/* The worked examples of DOMAIN.md, all of them, in their order, through the decisions that a till causes. */
#include "goods_world.h"
#include "redeeming_world.h"

#define OFFER_BIT(index) (UINT64_C(1) << (PROGRAMME_RULES_MAX + (index)))

/* --- helpers --- */

static struct world *world_earning(millipoints points, minor_units per)
{
    struct world *world = world_new(1);
    world->programme.rules[0].points = points;
    world->programme.rules[0].amount = per;
    return world;
}

static void add_rule(struct world *world, enum rule_kind kind, millipoints points, minor_units per)
{
    world->programme.rules[world->programme.rule_count++] =
        (struct base_rule){ .kind = kind, .points = points, .amount = per };
}

static struct offer *add_multiplier(struct world *world, uint32_t factor)
{
    struct offer *offer = &world->programme.offers[world->programme.offer_count++];
    *offer = (struct offer){ .kind = OFFER_MULTIPLY,
                             .id = world->programme.offer_count,
                             .factor = factor,
                             .period = { .from = INT32_MIN, .through = DAY_NEVER } };
    return offer;
}

/* A step that every account is on. */
static void add_tier(struct world *world, uint32_t factor)
{
    world->programme.tiers = (struct tiers){ .count = 1, .window = TIER_WINDOW_EVER };
    world->programme.tiers.tiers[0] = (struct tier){ .id = 1, .factor = factor };
}

static millipoints earned(struct world *world, minor_units amount)
{
    return goods_bought(world, 0, amount)->event.purchase.earned / POINT;
}

static millipoints balance_of(const struct world *world)
{
    assert_int_equal(world->accounts[0].balance % POINT, 0);
    return world->accounts[0].balance / POINT;
}

static int64_t taken_by_return_of(struct world *world, const struct world_event *sale, minor_units amount)
{
    const struct world_event *back = goods_return_amount(world, 0, sale, amount);
    assert_non_null(back);
    return back->event.goods_return.taken / POINT;
}

/* Noon of a day, back or forth; a test begins where its example does. */
static void begin_on(struct world *world, int32_t year, uint32_t month, uint32_t day)
{
    world->now = 0;
    world_go_to(world, year, month, day);
}

/* --- earning --- */

static void one_point_per_ten(void **state)
{
    (void)state;
    struct world *world = world_earning(POINT, 1000);
    assert_int_equal(earned(world, 10500), 10);
    world_free(world);
}

static millipoints earned_taxed(enum tax_mode tax, minor_units with, minor_units without)
{
    struct world *world = world_earning(POINT, 1000);
    world->programme.tax = tax;
    struct sale_line line = { .quantity = 1000, .amount = with, .tax = with - without };
    millipoints points = goods_bought_lines(world, 0, 1, &line)->event.purchase.earned / POINT;
    world_free(world);
    return points;
}

static void with_and_without_tax(void **state)
{
    (void)state;
    assert_int_equal(earned_taxed(TAX_EXCLUDED, 2335, 2190), 2);
    assert_int_equal(earned_taxed(TAX_INCLUDED, 2335, 2190), 2);
    assert_int_equal(earned_taxed(TAX_EXCLUDED, 2100, 1950), 1);
    assert_int_equal(earned_taxed(TAX_INCLUDED, 2100, 1950), 2);
}

static void whole_or_exact(void **state)
{
    (void)state;
    struct world *world = world_earning(10 * POINT, 10000);
    assert_int_equal(earned(world, 27000), 20);
    world->programme.rules[0].exact = true;
    assert_int_equal(earned(world, 27000), 27);
    world_free(world);
}

static void base_three_and_a_half_more(void **state)
{
    (void)state;
    struct world *world = world_earning(POINT, 100);
    add_multiplier(world, 1500);
    assert_int_equal(earned(world, 300), 4);
    world_free(world);
}

static void tier_and_offer_on_base_points(void **state)
{
    (void)state;
    struct world *world = world_earning(POINT, 100);
    add_tier(world, 1500);
    add_multiplier(world, 2000);
    const struct purchase *purchase = &goods_bought(world, 0, 1000)->event.purchase;
    assert_int_equal(purchase->earned, 25 * POINT);
    assert_int_equal(purchase->part_count, 3);
    static const millipoints parts[] = { 10, 5, 10 };
    for (uint32_t i = 0; i < COUNT_OF(parts); i++)
        assert_int_equal(purchase->parts[i].result, parts[i] * POINT);
    world_free(world);
}

static void fish_times_three(void **state)
{
    (void)state;
    struct world *world = world_earning(POINT, 100);
    add_multiplier(world, 3000)->filter.has_include = true;
    programme_word_add(&world->programme, TEXT_LITERAL("fish"))->include_category = OFFER_BIT(0);
    const struct sale_line lines[] = {
        { .category = { "fish", 4 }, .quantity = 1000, .amount = 2000 },
        { .category = { "other", 5 }, .quantity = 1000, .amount = 3000 },
    };
    const struct purchase *purchase = &goods_bought_lines(world, 0, 2, lines)->event.purchase;
    assert_int_equal(purchase->earned, 90 * POINT);
    assert_int_equal(purchase->parts[0].result, 50 * POINT);
    assert_int_equal(purchase->parts[1].result, 40 * POINT);
    world_free(world);
}

static void best_or_sum_of_five_and_eight(void **state)
{
    (void)state;
    struct world *world = world_earning(5 * POINT, 1000);
    add_rule(world, RULE_SPEND, 8 * POINT, 1000);
    assert_int_equal(earned(world, 1000), 8);
    world->programme.rules_combine = COMBINE_SUM;
    assert_int_equal(earned(world, 1000), 13);
    world_free(world);
}

static void newest_and_newest_at_its_limit(void **state)
{
    (void)state;
    struct world *world = world_earning(POINT, 100);
    struct offer *newer = add_multiplier(world, 2000);
    newer->period.from = world_today(world) - 1;
    newer->limit = (struct limit){ WINDOW_EVER, 1 };
    add_multiplier(world, 3000)->period.from = world_today(world) - 30;
    assert_int_equal(earned(world, 400), 8);
    assert_int_equal(earned(world, 400), 12);
    world_free(world);
}

static void points_pay_and_never_earn(void **state)
{
    (void)state;
    struct world *world = world_earning(POINT, 100);
    world->programme.worth_amount = 100;
    goods_give(world, 0, 59 * POINT);
    struct wish fifty = { .points = 50 * POINT };
    struct world_event *sale = shop_buy(world, 0, 10600, 1, &fifty);
    assert_non_null(sale);
    assert_int_equal(sale->event.purchase.paid, 5000);
    assert_int_equal(sale->event.purchase.earned, 56 * POINT);
    assert_int_equal(balance_of(world), 65);
    world_free(world);
}

/* --- lots --- */

/* Three lots by their last day; 0: there is none. */
static void assert_lots(const struct world *world, millipoints march, millipoints june, millipoints never)
{
    millipoints got[3] = { 0 };
    for (uint32_t i = 0; i < world->accounts[0].lot_count; i++) {
        const struct lot *lot = &world->accounts[0].lots[i];
        bool has_end = lot->last_day != DAY_NEVER;
        uint32_t month = has_end ? civil_from_day(lot->last_day).month : 0;
        assert_true(!has_end || month == 3 || month == 6);
        got[has_end ? month / 3 - 1 : 2] += lot->points / POINT;
    }
    assert_int_equal(got[0], march);
    assert_int_equal(got[1], june);
    assert_int_equal(got[2], never);
}

static void spends_what_expires_first(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    goods_give(world, 0, 100 * POINT);
    world->programme.expiry = (struct expiry){ .kind = EXPIRY_MONTHS, .months = 3, .through = THROUGH_MONTH };
    goods_give(world, 0, 300 * POINT);
    world->programme.expiry.months = 0;
    goods_give(world, 0, 200 * POINT);
    assert_lots(world, 200, 300, 100);
    assert_int_equal(world_redeem(world, 0, 250 * POINT), REFUSAL_NONE);
    assert_lots(world, 0, 250, 100);
    assert_int_equal(world_redeem(world, 0, 300 * POINT), REFUSAL_NONE);
    assert_lots(world, 0, 0, 50);
    world_free(world);
}

/* What is earned on a day is there on its last day, and gone on the next. */
static void assert_usable_through(struct world *world, int32_t year, uint32_t month, uint32_t day)
{
    (void)goods_bought(world, 0, 10000);
    world_go_to(world, year, month, day);
    assert_int_equal(world_balance(world, 0).available, 100 * POINT);
    assert_int_equal(world_balance(world, 0).next_expiry, world_today(world));
    world->now += US_PER_DAY;
    assert_int_equal(world_balance(world, 0).available, 0);
    assert_int_equal(world_redeem(world, 0, POINT), REFUSAL_NOT_ENOUGH_POINTS);
    assert_int_equal(balance_of(world), 0);
    world_free(world);
}

static void a_month_from_31_january(void **state)
{
    (void)state;
    static const struct {
        int32_t year;
        uint32_t last;
    } rows[] = { { 2027, 28 }, { 2028, 29 } };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct world *world = world_new(1);
        world->programme.expiry = (struct expiry){ .kind = EXPIRY_MONTHS, .months = 1 };
        begin_on(world, rows[i].year, 1, 31);
        assert_usable_through(world, rows[i].year, 2, rows[i].last);
    }
}

static void yearly_after_a_year(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    world->programme.expiry =
        (struct expiry){ .kind = EXPIRY_YEARLY, .months = 12, .yearly_month = 6, .yearly_day = 30 };
    begin_on(world, 2024, 10, 10);
    assert_usable_through(world, 2026, 6, 30);
}

/* --- redeeming --- */

static void hold_release_and_capture(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    goods_give(world, 0, 20 * POINT);
    struct wish fifteen = { .points = 15 * POINT };
    struct world_event *hold = shop_hold(world, 0, &fifteen);
    assert_int_equal(world_balance(world, 0).available, 5 * POINT);
    assert_int_equal(world_balance(world, 0).held, 15 * POINT);
    assert_non_null(shop_release(world, 0, hold));
    assert_int_equal(world_balance(world, 0).available, 20 * POINT);
    hold = shop_hold(world, 0, &fifteen);
    assert_non_null(shop_capture(world, 0, hold, 0, 0));
    assert_int_equal(world_balance(world, 0).available, 5 * POINT);
    assert_int_equal(balance_of(world), 5);
    world_free(world);
}

static const struct redemption *redeemed_for(struct world *world, millipoints points, minor_units bill)
{
    struct redeem_request request = { .card = world_card(0), .wish.points = points, .bill = bill };
    struct world_event *booked = shop_redeem(world, &request);
    assert_non_null(booked);
    return &booked->event.redemption.made;
}

static void not_more_than_the_bill(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    world->programme.worth_amount = 100;
    goods_give(world, 0, 100 * POINT);
    const struct redemption *made = redeemed_for(world, 100 * POINT, 1000);
    assert_int_equal(made->points, 10 * POINT);
    assert_int_equal(made->worth, 1000);
    world_free(world);
}

static void whole_values_or_the_last_part(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    world->programme.worth_amount = 200;
    goods_give(world, 0, 200 * POINT);
    const struct redemption *made = redeemed_for(world, 100 * POINT, 9900);
    assert_int_equal(made->points, 49 * POINT);
    assert_int_equal(made->worth, 9800);
    world->programme.redeem_last_part = true;
    made = redeemed_for(world, 100 * POINT, 9900);
    assert_int_equal(made->points, 50 * POINT);
    assert_int_equal(made->worth, 9900);
    world_free(world);
}

/* --- returning goods --- */

static void twenty_five_comes_back_in_parts(void **state)
{
    (void)state;
    struct world *world = world_earning(POINT, 1000);
    struct world_event *sale = goods_bought(world, 0, 2500);
    assert_int_equal(sale->event.purchase.earned, 2 * POINT);
    assert_int_equal(taken_by_return_of(world, sale, 500), 0);
    assert_int_equal(taken_by_return_of(world, sale, 1500), 2);
    world_free(world);
}

/* B, or an amount of 10.00, comes back of A 20.00 and B 10.00. */
static int64_t taken_of_a_and_b(bool by_line)
{
    struct world *world = world_earning(POINT, 100);
    world->programme.rules_combine = COMBINE_SUM;
    add_rule(world, RULE_ITEM, 5 * POINT, 0);
    world->programme.rules[1].filter.has_include = true;
    programme_word_add(&world->programme, TEXT_LITERAL("B"))->include_code = UINT64_C(1) << 1;
    const struct sale_line lines[] = { { .code = { "A", 1 }, .quantity = 1000, .amount = 2000 },
                                       { .code = { "B", 1 }, .quantity = 1000, .amount = 1000 } };
    struct world_event *sale = goods_bought_lines(world, 0, 2, lines);
    assert_int_equal(sale->event.purchase.earned, 35 * POINT);
    struct return_request_line b = { .number = 2 };
    int64_t taken = by_line ? goods_return_lines(world, 0, sale, 1, &b)->event.goods_return.taken / POINT
                            : taken_by_return_of(world, sale, 1000);
    world_free(world);
    return taken;
}

static void a_line_or_its_amount(void **state)
{
    (void)state;
    assert_int_equal(taken_of_a_and_b(true), 15);
    assert_int_equal(taken_of_a_and_b(false), 12);
}

static void over_a_receipts_cap(void **state)
{
    (void)state;
    struct world *world = world_earning(POINT, 100);
    world->programme.caps = (struct caps){ .receipt = 100 * POINT };
    struct world_event *sale = goods_bought(world, 0, 12000);
    assert_int_equal(sale->event.purchase.earned, 100 * POINT);
    assert_int_equal(taken_by_return_of(world, sale, 2000), 0);
    assert_int_equal(taken_by_return_of(world, sale, 4000), 40);
    world->programme.caps.reject = true;
    assert_int_equal(earned(world, 12000), 0);
    world_free(world);
}

static void four_ways_to_claw_back(void **state)
{
    (void)state;
    static const struct {
        enum claw_back claw_back;
        int64_t balance;
    } rows[] = {
        { CLAW_BACK_PENDING, 20 }, { CLAW_BACK_OWN, 0 }, { CLAW_BACK_BALANCE, 0 }, { CLAW_BACK_DEBT, -80 }
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct world *world = world_earning(POINT, 100);
        world->programme.claw_back = rows[i].claw_back;
        struct world_event *sale = goods_bought(world, 0, 10000);
        assert_int_equal(world_redeem(world, 0, 80 * POINT), REFUSAL_NONE);
        (void)taken_by_return_of(world, sale, 10000);
        assert_int_equal(balance_of(world), rows[i].balance);
        world_free(world);
    }
}

static void what_expired_counts_as_taken(void **state)
{
    (void)state;
    struct world *world = world_earning(POINT, 100);
    world->programme.expiry = (struct expiry){ .kind = EXPIRY_MONTHS, .months = 1 };
    struct world_event *sale = goods_bought(world, 0, 10000);
    assert_int_equal(world_redeem(world, 0, 40 * POINT), REFUSAL_NONE);
    world_go_to(world, 2026, 4, 20);
    world_run_days(world);
    assert_int_equal(balance_of(world), 0);
    assert_int_equal(taken_by_return_of(world, sale, 10000), 40);
    assert_int_equal(balance_of(world), -40);
    world_free(world);
}

static void one_of_two_items_comes_back(void **state)
{
    (void)state;
    struct world *world = world_earning(POINT, 100);
    world->programme.worth_amount = 20;
    goods_give(world, 0, 200 * POINT);
    const struct sale_line items[] = { { .code = { "A", 1 }, .quantity = 1000, .amount = 5000 },
                                       { .code = { "B", 1 }, .quantity = 1000, .amount = 5000 } };
    struct wish wish = { .points = 150 * POINT };
    struct world_event *sale = goods_bought_with(world, 0, 2, items, &wish);
    assert_int_equal(sale->event.purchase.paid, 3000);
    assert_int_equal(sale->event.purchase.earned, 70 * POINT);
    assert_int_equal(balance_of(world), 120);
    struct return_request_line one = { .number = 1 };
    struct world_event *back = goods_return_lines(world, 0, sale, 1, &one);
    assert_int_equal(back->event.goods_return.taken, 35 * POINT);
    assert_int_equal(back->event.goods_return.given_back, 75 * POINT);
    assert_int_equal(balance_of(world), 160);
    world_free(world);
}

static void what_settled_a_debt_is_debt_again(void **state)
{
    (void)state;
    struct world *world = world_earning(POINT, 100);
    assert_int_equal(world_adjust(world, 0, -100 * POINT, true), REFUSAL_NONE);
    struct world_event *sale = goods_bought(world, 0, 15000);
    assert_int_equal(balance_of(world), 50);
    assert_int_equal(world->accounts[0].lot_count, 1);
    assert_int_equal(world->accounts[0].lots[0].points, 50 * POINT);
    (void)taken_by_return_of(world, sale, 15000);
    assert_int_equal(balance_of(world), -100);
    world_free(world);
}

/* --- tiers --- */

static void assert_tier(struct world *world, int32_t year, uint32_t month, uint32_t day, uint64_t want)
{
    world_go_to(world, year, month, day);
    world_run_days(world);
    assert_int_equal(world->accounts[0].tier.id, want);
}

static void the_last_year_that_carried_it(void **state)
{
    (void)state;
    static const struct {
        enum tier_kept kept;
        int32_t through; /* the end of this year */
    } rows[] = { { TIER_KEPT_PERIOD, 2025 }, { TIER_KEPT_NEXT, 2026 } };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct world *world = world_new(1);
        begin_on(world, 2025, 2, 1);
        world->programme.tiers =
            (struct tiers){ .count = 1, .window = TIER_WINDOW_YEAR, .kept = rows[i].kept };
        world->programme.tiers.tiers[0] = (struct tier){ .id = 7, .from = 10000, .factor = 1000 };
        (void)goods_bought(world, 0, 10000);
        assert_tier(world, 2025, 12, 31, 7);
        assert_tier(world, rows[i].through, 12, 31, 7);
        assert_tier(world, rows[i].through + 1, 1, 1, 0);
        world_free(world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_point_per_ten),
        cmocka_unit_test(with_and_without_tax),
        cmocka_unit_test(whole_or_exact),
        cmocka_unit_test(base_three_and_a_half_more),
        cmocka_unit_test(tier_and_offer_on_base_points),
        cmocka_unit_test(fish_times_three),
        cmocka_unit_test(best_or_sum_of_five_and_eight),
        cmocka_unit_test(newest_and_newest_at_its_limit),
        cmocka_unit_test(points_pay_and_never_earn),
        cmocka_unit_test(spends_what_expires_first),
        cmocka_unit_test(a_month_from_31_january),
        cmocka_unit_test(yearly_after_a_year),
        cmocka_unit_test(hold_release_and_capture),
        cmocka_unit_test(not_more_than_the_bill),
        cmocka_unit_test(whole_values_or_the_last_part),
        cmocka_unit_test(twenty_five_comes_back_in_parts),
        cmocka_unit_test(a_line_or_its_amount),
        cmocka_unit_test(over_a_receipts_cap),
        cmocka_unit_test(four_ways_to_claw_back),
        cmocka_unit_test(what_expired_counts_as_taken),
        cmocka_unit_test(one_of_two_items_comes_back),
        cmocka_unit_test(what_settled_a_debt_is_debt_again),
        cmocka_unit_test(the_last_year_that_carried_it),
    };
    return cmocka_run_group_tests_name("points examples", tests, NULL, NULL);
}
