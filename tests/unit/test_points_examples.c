/* The worked examples of the domain, each by the name it has there. */
#include "points_world.h"

#define POINT MILLIPOINTS_PER_POINT

struct earning_row {
    const char *what;
    millipoints points; /* of the rule, for each `per` */
    minor_units per;
    bool exact;
    uint32_t decimals;
    enum tax_mode tax;
    minor_units amount, tax_amount;
    millipoints want;
};

static const struct earning_row earning_rows[] = {
    { "1 point per 10.00; 105.00", 1000, 1000, false, 0, TAX_INCLUDED, 10500, 0, 10 * POINT },
    { "21.90 without tax", 1000, 1000, false, 0, TAX_EXCLUDED, 2335, 145, 2 * POINT },
    { "23.35 with tax", 1000, 1000, false, 0, TAX_INCLUDED, 2335, 145, 2 * POINT },
    { "19.50 without tax", 1000, 1000, false, 0, TAX_EXCLUDED, 2100, 150, 1 * POINT },
    { "21.00 with tax", 1000, 1000, false, 0, TAX_INCLUDED, 2100, 150, 2 * POINT },
    { "10 points per 100.00; 270.00: whole", 10000, 10000, false, 0, TAX_INCLUDED, 27000, 0, 20 * POINT },
    { "10 points per 100.00; 270.00: exact", 10000, 10000, true, 0, TAX_INCLUDED, 27000, 0, 27 * POINT },
    { "12.7 units of 1.00, exact, no decimals", 1000, 100, true, 0, TAX_INCLUDED, 1270, 0, 12 * POINT },
    { "12.7 units of 1.00, exact, one decimal", 1000, 100, true, 1, TAX_INCLUDED, 1270, 0, 12700 },
    { "1.5 points per 1.00; 3.00 rounds down", 1500, 100, false, 0, TAX_INCLUDED, 300, 0, 4 * POINT },
    { "1.5 points per 1.00; 3.00 with decimals", 1500, 100, false, 1, TAX_INCLUDED, 300, 0, 4500 },
    { "nothing whole", 1000, 1000, false, 0, TAX_INCLUDED, 999, 0, 0 },
    { "price zero", 1000, 100, true, 3, TAX_EXCLUDED, 0, 0, 0 },
};

static void earns_by_the_examples(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(earning_rows); i++) {
        const struct earning_row *row = &earning_rows[i];
        struct world *world = world_new(1);
        world->programme.decimals = row->decimals;
        world->programme.tax = row->tax;
        world->programme.rules[0].points = row->points;
        world->programme.rules[0].amount = row->per;
        world->programme.rules[0].exact = row->exact;
        struct sale_line line = { .quantity = 1000, .amount = row->amount, .tax = row->tax_amount };
        struct world_event *sale = world_purchase(world, 0, row->amount, 1, &line);
        if (sale == NULL || sale->event.purchase.earned != row->want)
            fail_msg("%s: %lld", row->what, sale == NULL ? -1LL : (long long)sale->event.purchase.earned);
        assert_int_equal(world->accounts[0].lot_count, row->want > 0 ? 1 : 0);
        world_free(world);
    }
}

/* What is off and which lines earn: 1 point per 1.00. */
static void only_sale_lines_earn(void **state)
{
    (void)state;
    struct sale_line lines[] = {
        { .kind = LINE_SALE, .quantity = 1000, .amount = 1000 },
        { .kind = LINE_DEPOSIT, .quantity = 1000, .amount = 25 },
        { .kind = LINE_SALE, .quantity = 2000, .amount = 2000 },
        { .kind = LINE_DISCOUNT, .amount = -1000 },
        { .kind = LINE_STORED_VALUE, .quantity = 1000, .amount = 5000 },
        { .kind = LINE_REWARD, .amount = -500 },
    };
    struct world *world = world_new(1);
    struct world_event *sale = world_purchase(world, 0, 6525, COUNT_OF(lines), lines);
    assert_int_equal(sale->event.purchase.earned, 15 * POINT);
    assert_int_equal(sale->event.purchase.base, 1500);
    assert_int_equal(sale->event.purchase.lines[0].base, 500);
    assert_int_equal(sale->event.purchase.lines[1].base, 0);
    assert_int_equal(sale->event.purchase.lines[2].base, 1000);
    assert_int_equal(sale->event.purchase.lines[4].base, 0);
    world->programme.discounts = DISCOUNTS_BEFORE;
    sale = world_purchase(world, 0, 6525, COUNT_OF(lines), lines);
    assert_int_equal(sale->event.purchase.base, 2500);
    /* More off than there is to pay for goods: the base stops at zero. */
    lines[3].amount = -4000;
    world->programme.discounts = DISCOUNTS_AFTER;
    sale = world_purchase(world, 0, 3525, COUNT_OF(lines), lines);
    assert_int_equal(sale->event.purchase.base, 0);
    assert_int_equal(sale->event.purchase.part_count, 0);
    world_free(world);
}

static void set_second_rule(struct world *world, millipoints points, minor_units per)
{
    world->programme.rule_count = 2;
    world->programme.rules[1] = (struct base_rule){ .kind = RULE_SPEND, .points = points, .amount = per };
}

static void best_of_two_rules_earns(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    world->programme.rules[0].points = 5 * POINT;
    world->programme.rules[0].amount = 1000;
    set_second_rule(world, 8 * POINT, 1000);
    struct world_event *sale = world_purchase(world, 0, 1000, 0, NULL);
    assert_int_equal(sale->event.purchase.earned, 8 * POINT);
    assert_int_equal(sale->event.purchase.part_count, 1);
    assert_int_equal(sale->event.purchase.parts[0].rule, 1);
    /* A tie goes to the first in the file. */
    set_second_rule(world, 5 * POINT, 1000);
    sale = world_purchase(world, 0, 1000, 0, NULL);
    assert_int_equal(sale->event.purchase.parts[0].rule, 0);
    assert_int_equal(sale->event.purchase.parts[0].input, 1000);
    assert_int_equal(sale->event.purchase.parts[0].exact, 5 * POINT);
    world_free(world);
}

static void add_lot(struct world *world, millipoints points, local_day last_day)
{
    struct account *account = &world->accounts[0];
    account->lots[account->lot_count++] =
        (struct lot){ .number = account->next_lot++, .points = points, .last_day = last_day };
    account->balance += points;
}

static void spends_what_expires_first(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    local_day today = calendar_day(&world->programme.calendar, world->now);
    add_lot(world, 100 * POINT, DAY_NEVER);
    add_lot(world, 300 * POINT, today + 90);
    add_lot(world, 200 * POINT, today);
    struct balance balance = world_balance(world, 0);
    assert_int_equal(balance.next_expiry, today);
    assert_int_equal(balance.next_expiry_points, 200 * POINT);
    assert_int_equal(world_redeem(world, 0, 250 * POINT), REFUSAL_NONE);
    const struct account *account = &world->accounts[0];
    assert_int_equal(account->lot_count, 2);
    assert_int_equal(account->lots[0].points, 100 * POINT);
    assert_int_equal(account->lots[1].points, 250 * POINT);
    assert_int_equal(world_redeem(world, 0, 300 * POINT), REFUSAL_NONE);
    assert_int_equal(account->lot_count, 1);
    assert_int_equal(account->lots[0].points, 50 * POINT);
    world_free(world);
}

static void returns_in_two_steps_leak_no_point(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    world->programme.rules[0].amount = 1000;
    struct world_event *sale = world_purchase(world, 0, 2500, 0, NULL);
    assert_int_equal(sale->event.purchase.earned, 2 * POINT);
    assert_int_equal(world_return(world, 0, sale, 500, 0, NULL), REFUSAL_NONE);
    assert_int_equal(world->decision.event.goods_return.taken, 0);
    assert_int_equal(world_return(world, 0, sale, 1500, 0, NULL), REFUSAL_NONE);
    assert_int_equal(world->decision.event.goods_return.taken, 2 * POINT);
    assert_int_equal(world_return(world, 0, sale, 501, 0, NULL), REFUSAL_MORE_THAN_SOLD);
    assert_int_equal(world_return(world, 0, sale, 500, 0, NULL), REFUSAL_NONE);
    assert_int_equal(world->decision.event.goods_return.taken, 0);
    world_free(world);
}

/* The issue's own: 105 points, 5.00 back takes 5. */
static void return_of_an_amount_takes_its_share(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    struct world_event *sale = world_purchase(world, 0, 10500, 0, NULL);
    assert_int_equal(world_return(world, 0, sale, 500, 0, NULL), REFUSAL_NONE);
    const struct goods_return *goods_return = &world->decision.event.goods_return;
    assert_int_equal(goods_return->taken, 5 * POINT);
    assert_int_equal(goods_return->own_taken, 5 * POINT);
    assert_true(goods_return->by_amount);
    assert_int_equal(world_balance(world, 0).available, 100 * POINT);
    assert_int_equal(world_balance(world, 0).lifetime, 100 * POINT);
    assert_int_equal(world_redeem(world, 0, 40 * POINT), REFUSAL_NONE);
    assert_int_equal(world->decision.event.redemption.made.worth, 40);
    assert_int_equal(world_adjust(world, 0, -10 * POINT, false), REFUSAL_NONE);
    assert_int_equal(world_balance(world, 0).available, 50 * POINT);
    assert_int_equal(world_balance(world, 0).lifetime, 100 * POINT);
    world_free(world);
}

static void spent_points_become_debt(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    struct world_event *sale = world_purchase(world, 0, 10000, 0, NULL);
    assert_int_equal(world_redeem(world, 0, 80 * POINT), REFUSAL_NONE);
    assert_int_equal(world_return(world, 0, sale, 10000, 0, NULL), REFUSAL_NONE);
    assert_int_equal(world->accounts[0].balance, -80 * POINT);
    assert_int_equal(world_balance(world, 0).debt, 80 * POINT);
    assert_int_equal(world->decision.event.goods_return.taken, 100 * POINT);
    assert_int_equal(world->decision.event.goods_return.own_taken, 20 * POINT);
    assert_int_equal(world->decision.event.goods_return.shortfall, 0);
    assert_int_equal(world->accounts[0].debts[0].cause, world->position);
    world_free(world);
}

static void debt_is_settled_first_and_comes_back(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    assert_int_equal(world_adjust(world, 0, -100 * POINT, true), REFUSAL_NONE);
    struct world_event *sale = world_purchase(world, 0, 15000, 0, NULL);
    assert_int_equal(sale->event.purchase.settled, 100 * POINT);
    assert_int_equal(world->accounts[0].balance, 50 * POINT);
    assert_int_equal(world->accounts[0].lot_count, 1);
    assert_int_equal(world->accounts[0].lots[0].points, 50 * POINT);
    assert_int_equal(world_return(world, 0, sale, 15000, 0, NULL), REFUSAL_NONE);
    assert_int_equal(world->accounts[0].balance, -100 * POINT);
    /* An award that debt swallows whole makes no lot. */
    sale = world_purchase(world, 0, 4000, 0, NULL);
    assert_int_equal(sale->event.purchase.lot, 0);
    assert_int_equal(world->accounts[0].debt, 60 * POINT);
    assert_int_equal(world_adjust(world, 0, 70 * POINT, false), REFUSAL_NONE);
    assert_int_equal(world->accounts[0].debt, 0);
    assert_int_equal(world_balance(world, 0).available, 10 * POINT);
    world_free(world);
}

/* Two lines of 20.00 and 10.00 with 3.00 off: shares 2.00 and 1.00. */
static const struct sale_line discounted[] = {
    { .code = { "A", 1 }, .quantity = 2000, .amount = 2000 },
    { .code = { "B", 1 }, .quantity = 1000, .amount = 1000 },
    { .kind = LINE_DISCOUNT, .amount = -300 },
};

static void returned_lines_take_their_base(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    struct world_event *sale = world_purchase(world, 0, 2700, COUNT_OF(discounted), discounted);
    assert_int_equal(sale->event.purchase.earned, 27 * POINT);
    struct return_request_line one_a = { .quantity = 1000, .code = { "A", 1 } };
    assert_int_equal(world_return(world, 0, sale, 0, 1, &one_a), REFUSAL_NONE);
    const struct goods_return *goods_return = &world->decision.event.goods_return;
    assert_int_equal(goods_return->taken, 9 * POINT);
    assert_int_equal(goods_return->amount, 900);
    assert_false(goods_return->by_amount);
    assert_int_equal(goods_return->lines[0].line, 1);
    struct return_request_line rest[] = { { .number = 2 }, { .number = 1 } };
    assert_int_equal(world_return(world, 0, sale, 0, 2, rest), REFUSAL_NONE);
    assert_int_equal(goods_return->taken, 18 * POINT);
    assert_int_equal(goods_return->line_count, 2);
    assert_int_equal(goods_return->lines[0].line, 1);
    assert_int_equal(goods_return->lines[0].quantity, 1000);
    assert_int_equal(world_balance(world, 0).available, 0);
    assert_int_equal(world_return(world, 0, sale, 0, 1, &one_a), REFUSAL_MORE_THAN_SOLD);
    assert_int_equal(world_return(world, 0, sale, 1, 0, NULL), REFUSAL_MORE_THAN_SOLD);
    world_free(world);
}

static void lines_after_an_amount_count_by_their_amount(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    struct world_event *sale = world_purchase(world, 0, 2700, COUNT_OF(discounted), discounted);
    assert_int_equal(world_return(world, 0, sale, 700, 0, NULL), REFUSAL_NONE);
    const struct goods_return *goods_return = &world->decision.event.goods_return;
    assert_int_equal(goods_return->taken, 7 * POINT);
    struct return_request_line b = { .number = 2, .code = { "B", 1 } };
    assert_int_equal(world_return(world, 0, sale, 0, 1, &b), REFUSAL_NONE);
    assert_true(goods_return->by_amount);
    assert_int_equal(goods_return->amount, 900);
    assert_int_equal(goods_return->taken, 9 * POINT);
    assert_int_equal(sale->returned->by_amount, 1600);
    assert_int_equal(sale->returned->lines[0].by_amount, 1000);
    /* 18.00 of A came, 11.00 is left: what was paid back is not paid back again. */
    struct return_request_line a = { .number = 1 };
    assert_int_equal(world_return(world, 0, sale, 0, 1, &a), REFUSAL_NONE);
    assert_int_equal(goods_return->amount, 1100);
    assert_int_equal(goods_return->taken, 11 * POINT);
    assert_int_equal(sale->returned->due, 27 * POINT);
    assert_int_equal(sale->returned->returns, 3);
    world_free(world);
}

static void unlinked_return_takes_what_the_goods_would_earn(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    assert_non_null(world_purchase(world, 0, 10000, 0, NULL));
    assert_int_equal(world_unlinked(world, 0, 3099), REFUSAL_NONE);
    assert_int_equal(world_balance(world, 0).available, 70 * POINT);
    assert_int_equal(world_balance(world, 0).lifetime, 70 * POINT);
    assert_int_equal(world_unlinked(world, 0, 10000), REFUSAL_NONE);
    assert_int_equal(world->accounts[0].balance, -30 * POINT);
    world_free(world);
}

static void till_time_out_of_bounds_is_not_used(void **state)
{
    (void)state;
    struct judgement judgement = { .now = WORLD_START };
    static const struct {
        int64_t days;
        uint32_t flags;
        bool used;
    } rows[] = {
        { -31, 0, true },
        { -32, 0, false },
        { 1, 0, true },
        { 2, 0, false },
        { -6000, EVENT_FLAG_HISTORIC, true },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        uint32_t flags = 0;
        utc_us time = WORLD_START + rows[i].days * US_PER_DAY;
        judgement.flags = rows[i].flags;
        assert_int_equal(judged_time(&judgement, time, &flags), rows[i].used ? time : WORLD_START);
        assert_int_equal(flags, rows[i].used ? 0 : EVENT_FLAG_SERVER_TIME);
    }
    uint32_t flags = 0;
    assert_int_equal(judged_time(&judgement, 0, &flags), WORLD_START);
    assert_int_equal(flags, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(earns_by_the_examples),
        cmocka_unit_test(only_sale_lines_earn),
        cmocka_unit_test(best_of_two_rules_earns),
        cmocka_unit_test(spends_what_expires_first),
        cmocka_unit_test(returns_in_two_steps_leak_no_point),
        cmocka_unit_test(return_of_an_amount_takes_its_share),
        cmocka_unit_test(spent_points_become_debt),
        cmocka_unit_test(debt_is_settled_first_and_comes_back),
        cmocka_unit_test(returned_lines_take_their_base),
        cmocka_unit_test(lines_after_an_amount_count_by_their_amount),
        cmocka_unit_test(unlinked_return_takes_what_the_goods_would_earn),
        cmocka_unit_test(till_time_out_of_bounds_is_not_used),
    };
    return cmocka_run_group_tests_name("points examples", tests, NULL, NULL);
}
