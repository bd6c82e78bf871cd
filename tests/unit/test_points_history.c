/*
 * What must hold whatever happens: after each step of a random history the balance is the sum of lots less
 * debt (effect_apply checks it), nothing is free while there is debt, and no order of partial returns leaks
 * a point. And the bounds of an account: lots that are joined, debts that become one.
 */
#include "points_world.h"

#include <stdlib.h>

#include "random.h"

#define POINT MILLIPOINTS_PER_POINT

/* Makes a receipt of random lines, some with money off; returns its amount. */
static minor_units random_lines(struct random *random, struct sale_line lines[WORLD_LINES_MAX],
                                uint32_t *out_count)
{
    static const char codes[] = "ABC";
    minor_units amount = 0;
    *out_count = (uint32_t)random_below(random, WORLD_LINES_MAX);
    for (uint32_t i = 0; i < *out_count; i++) {
        struct sale_line *line = &lines[i];
        *line = (struct sale_line){ .code = { &codes[random_below(random, 3)], 1 },
                                    .quantity = (int64_t)random_below(random, 5) * 1000,
                                    .amount = (int64_t)random_below(random, 3000) };
        line->tax = line->amount / 6;
        if (random_below(random, 8) == 0)
            line->kind = LINE_DEPOSIT;
        if (random_below(random, 6) == 0) {
            line->kind = random_below(random, 2) == 0 ? LINE_DISCOUNT : LINE_REWARD;
            line->amount = -line->amount / 20;
            line->tax = 0;
        }
        amount += line->amount;
    }
    return *out_count == 0 ? (minor_units)random_below(random, 20000) : amount;
}

static struct world_event *random_purchase(struct world *world, struct random *random, uint32_t card)
{
    struct sale_line lines[WORLD_LINES_MAX];
    uint32_t count;
    minor_units amount = random_lines(random, lines, &count);
    return world_purchase(world, card, amount, count, lines);
}

static minor_units sold(const struct world_event *sale)
{
    return sale->event.purchase.amount;
}

/* Brings back a random part; by lines, or by an amount. */
static enum refusal random_return(struct world *world, struct random *random, uint32_t card,
                                  struct world_event *sale)
{
    if (random_below(random, 2) == 0) {
        minor_units amount = 1 + (minor_units)random_below(random, (uint64_t)i64_max(sold(sale), 1));
        return world_return(world, card, sale, amount, 0, NULL);
    }
    uint32_t lines = sale->event.purchase.line_count;
    struct return_request_line line = { .number = 1 + (uint32_t)random_below(random, lines == 0 ? 1 : lines),
                                        .quantity = (int64_t)random_below(random, 3) * 1000 };
    return world_return(world, card, sale, 0, 1, &line);
}

static void check_sale(const struct world_event *sale)
{
    assert_true(sale->returned->due >= 0);
    assert_true(sale->returned->due <= sale->event.purchase.earned);
    assert_true(sale->returned->own_taken <= sale->returned->due);
}

/* Brings back whatever is left, line by line and then the rest as an amount: nothing is kept, nothing more is due. */
static void return_all(struct world *world, uint32_t card, struct world_event *sale)
{
    uint32_t lines = sale->event.purchase.line_count;
    for (uint32_t i = 1; i <= (lines == 0 ? 1 : lines); i++) {
        struct return_request_line line = { .number = i };
        (void)world_return(world, card, sale, 0, 1, &line);
    }
    assert_int_equal(sale->returned->due, sale->event.purchase.earned);
}

static void set_random_rules(struct world *world, struct random *random)
{
    struct programme *programme = &world->programme;
    programme->decimals = (uint32_t)random_below(random, 4);
    programme->tax = random_below(random, 2) == 0 ? TAX_INCLUDED : TAX_EXCLUDED;
    programme->discounts = random_below(random, 2) == 0 ? DISCOUNTS_AFTER : DISCOUNTS_BEFORE;
    programme->rule_count = 1 + (uint32_t)random_below(random, 3);
    for (uint32_t i = 0; i < programme->rule_count; i++) {
        programme->rules[i] = (struct base_rule){ .kind = RULE_SPEND,
                                                  .points = 1 + (int64_t)random_below(random, 20000),
                                                  .amount = 1 + (int64_t)random_below(random, 2000),
                                                  .exact = random_below(random, 2) == 0 };
    }
}

static void random_step(struct world *world, struct random *random, uint32_t card)
{
    millipoints points = (1 + (millipoints)random_below(random, 200)) * POINT;
    uint32_t which = (uint32_t)random_below(random, 10);
    if (which < 4) {
        (void)random_purchase(world, random, card);
    } else if (which < 7 && world->sale_count > 0) {
        struct world_event *sale = world->sales[random_below(random, world->sale_count)];
        uint32_t owner = (uint32_t)sale->event.effects[0].account - 1;
        (void)random_return(world, random, owner, sale);
        check_sale(sale);
    } else if (which == 7) {
        millipoints available = world_balance(world, card).available;
        enum refusal refusal = world_redeem(world, card, points);
        assert_int_equal(refusal, available >= points ? REFUSAL_NONE : REFUSAL_NOT_ENOUGH_POINTS);
    } else if (which == 8) {
        (void)world_adjust(world, card, random_below(random, 2) == 0 ? points : -points,
                           random_below(random, 2) == 0);
    } else {
        assert_int_equal(world_unlinked(world, card, (minor_units)random_below(random, 3000)), REFUSAL_NONE);
    }
    world->now += (int64_t)random_below(random, 3) * US_PER_DAY;
}

static void any_history_keeps_the_sums(void **state)
{
    struct random *random = *state;
    for (int round = 0; round < 20; round++) {
        struct world *world = world_new(3);
        set_random_rules(world, random);
        for (int step = 0; step < 400; step++)
            random_step(world, random, (uint32_t)random_below(random, 3));
        millipoints lifetime = 0;
        for (uint32_t i = 0; i < world->sale_count; i++) {
            struct world_event *sale = world->sales[i];
            return_all(world, (uint32_t)sale->event.effects[0].account - 1, sale);
            lifetime += sale->event.purchase.earned - sale->returned->due;
        }
        assert_int_equal(lifetime, 0);
        world_free(world);
    }
}

/* One purchase, returned in many random steps or at once, costs the same. */
static void partial_returns_cost_what_the_full_one_does(void **state)
{
    struct random *random = *state;
    for (int round = 0; round < 300; round++) {
        struct world *world = world_new(1);
        set_random_rules(world, random);
        struct world_event *sale = random_purchase(world, random, 0);
        if (sale == NULL) {
            world_free(world);
            continue;
        }
        millipoints earned = sale->event.purchase.earned;
        assert_int_equal(world->accounts[0].balance, earned);
        for (int step = 0; step < 8; step++) {
            (void)random_return(world, random, 0, sale);
            check_sale(sale);
            assert_int_equal(world->accounts[0].balance, earned - sale->returned->due);
        }
        return_all(world, 0, sale);
        assert_int_equal(world->accounts[0].balance, 0);
        assert_int_equal(world->accounts[0].lifetime, 0);
        world_free(world);
    }
}

static uint32_t lots_by_purchase(const struct account *account)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < account->lot_count; i++)
        count += account->lots[i].by_purchase;
    return count;
}

static void oldest_lots_are_joined(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    const struct account *account = &world->accounts[0];
    for (uint32_t i = 0; i < ACCOUNT_LOTS_BY_PURCHASE_MAX; i++)
        assert_non_null(world_purchase(world, 0, 10000, 0, NULL));
    assert_int_equal(account->lot_count, ACCOUNT_LOTS_BY_PURCHASE_MAX);
    /* The first of a kind to be joined stays where it is, and only is not kept apart any more. */
    assert_non_null(world_purchase(world, 0, 10000, 0, NULL));
    assert_int_equal(account->lot_count, ACCOUNT_LOTS_BY_PURCHASE_MAX + 1);
    assert_false(account->lots[0].by_purchase);
    for (uint32_t i = 0; i < 10; i++)
        assert_non_null(world_purchase(world, 0, 10000, 0, NULL));
    assert_int_equal(account->lot_count, ACCOUNT_LOTS_BY_PURCHASE_MAX + 1);
    assert_int_equal(lots_by_purchase(account), ACCOUNT_LOTS_BY_PURCHASE_MAX);
    assert_int_equal(account->lots[0].points, 1100 * POINT);
    /* What was joined is returned from the lot that it is in. */
    assert_int_equal(world_return(world, 0, world->sales[3], 5000, 0, NULL), REFUSAL_NONE);
    assert_int_equal(world->decision.event.goods_return.own_taken, 50 * POINT);
    assert_int_equal(account->lots[0].points, 1050 * POINT);
    /* An addition by the office has no purchase of its own either. */
    assert_int_equal(world_adjust(world, 0, 7 * POINT, false), REFUSAL_NONE);
    assert_int_equal(account->lots[0].points, 1057 * POINT);
    world_free(world);
}

static void a_full_account_joins_the_closest_days(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    struct account *account = &world->accounts[0];
    local_day today = calendar_day(&world->programme.calendar, world->now);
    for (uint32_t i = 0; i < ACCOUNT_LOTS_MAX; i++) {
        account->lots[i] =
            (struct lot){ .number = i + 1, .points = POINT, .last_day = today + 10 + 3 * (local_day)i };
        if (i == 500)
            account->lots[i].last_day++;
    }
    account->lot_count = ACCOUNT_LOTS_MAX;
    account->next_lot = ACCOUNT_LOTS_MAX + 1;
    account->balance = ACCOUNT_LOTS_MAX * POINT;
    assert_int_equal(world_adjust(world, 0, 5 * POINT, false), REFUSAL_NONE);
    assert_int_equal(account->lot_count, ACCOUNT_LOTS_MAX);
    assert_int_equal(account->lots[500].number, 502);
    assert_int_equal(account->lots[500].points, 2 * POINT);
    assert_int_equal(account->lots[500].last_day, today + 10 + 3 * 501);
    assert_int_equal(account->lots[ACCOUNT_LOTS_MAX - 1].last_day, DAY_NEVER);
    /* A redemption of everything names every lot. */
    assert_int_equal(world_redeem(world, 0, account->balance), REFUSAL_NONE);
    assert_int_equal(world->decision.event.effects[0].lot_change_count, ACCOUNT_LOTS_MAX);
    assert_int_equal(account->lot_count, 0);
    world_free(world);
}

static void oldest_debts_become_one(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    const struct account *account = &world->accounts[0];
    for (int i = 0; i < ACCOUNT_DEBTS_MAX + 10; i++)
        assert_int_equal(world_adjust(world, 0, -2 * POINT, true), REFUSAL_NONE);
    assert_int_equal(account->debt_count, ACCOUNT_DEBTS_MAX);
    assert_int_equal(account->debts[0].points, 22 * POINT);
    assert_int_equal(account->debts[0].cause, 100);
    assert_int_equal(world_adjust(world, 0, 23 * POINT, false), REFUSAL_NONE);
    assert_int_equal(account->debt_count, ACCOUNT_DEBTS_MAX - 1);
    assert_int_equal(account->debts[0].points, 1 * POINT);
    world_free(world);
}

int main(void)
{
    struct random random = random_seeded();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(any_history_keeps_the_sums, &random),
        cmocka_unit_test_prestate(partial_returns_cost_what_the_full_one_does, &random),
        cmocka_unit_test(oldest_lots_are_joined),
        cmocka_unit_test(a_full_account_joins_the_closest_days),
        cmocka_unit_test(oldest_debts_become_one),
    };
    return cmocka_run_group_tests_name("points history", tests, NULL, NULL);
}
