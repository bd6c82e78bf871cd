/* Bounds: lots that are joined, debts that become one, and numbers that fit. */
#include "points_world.h"

#define POINT MILLIPOINTS_PER_POINT

/* --- lots (LEDGER.md, State) --- */

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

/* A full account joins the two lots of a month whose last days are closest: the points last as long as the later. */
static void a_full_account_joins_the_closest_days(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    struct account *account = &world->accounts[0];
    local_day today = world_today(world);
    for (uint32_t i = 0; i < ACCOUNT_LOTS_MAX; i++) {
        account->lots[i] =
            (struct lot){ .number = i + 1, .points = POINT, .last_day = today + 10 + 3 * (local_day)i };
        if (i == 495)
            account->lots[i].last_day++;
    }
    account->lot_count = ACCOUNT_LOTS_MAX;
    account->next_lot = ACCOUNT_LOTS_MAX + 1;
    account->balance = ACCOUNT_LOTS_MAX * POINT;
    assert_int_equal(world_adjust(world, 0, 5 * POINT, false), REFUSAL_NONE);
    assert_int_equal(account->lot_count, ACCOUNT_LOTS_MAX);
    assert_int_equal(account->lots[495].number, 497);
    assert_int_equal(account->lots[495].points, 2 * POINT);
    assert_int_equal(account->lots[495].last_day, today + 10 + 3 * 496);
    assert_int_equal(account->lots[ACCOUNT_LOTS_MAX - 1].last_day, DAY_NEVER);
    /* A redemption of everything names every lot. */
    assert_int_equal(world_redeem(world, 0, account->balance), REFUSAL_NONE);
    assert_int_equal(world->decision.event.effects[0].lot_change_count, ACCOUNT_LOTS_MAX);
    assert_int_equal(account->lot_count, 0);
    world_free(world);
}

/* --- debts --- */

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

/* (Numbers) A balance is below 10^12 points, on either side of zero. */
static void debt_has_a_limit(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    assert_int_equal(world_adjust(world, 0, -MILLIPOINTS_MAX, true), REFUSAL_NONE);
    assert_int_equal(world_adjust(world, 0, -1 * POINT, true), REFUSAL_OVER_LIMIT);
    assert_int_equal(world_unlinked(world, 0, 100), REFUSAL_OVER_LIMIT);
    assert_int_equal(world->accounts[0].balance, -MILLIPOINTS_MAX);
    world_free(world);
}

/* --- lines --- */

/* (Earning) `discount` and `reward` lines are zero or negative, the others zero or positive. */
static void lines_must_fit_their_kinds(void **state)
{
    (void)state;
    static const struct {
        struct sale_line line;
        const char *detail;
    } rows[] = {
        { { .kind = LINE_SALE, .quantity = 1000, .amount = 999 },
          "the lines add up to 999, the amount is 1000" },
        { { .kind = LINE_DISCOUNT, .amount = 1000 }, "line 1 takes money off, but its amount is above zero" },
        { { .kind = LINE_REWARD, .amount = 1000 }, "line 1 takes money off, but its amount is above zero" },
        { { .kind = LINE_SALE, .amount = -1000 }, "line 1 is goods, but its amount is below zero" },
        { { .kind = LINE_DEPOSIT, .amount = -1000 }, "line 1 is goods, but its amount is below zero" },
        { { .kind = LINE_STORED_VALUE, .amount = -1000 }, "line 1 is goods, but its amount is below zero" },
        { { .kind = LINE_SALE, .quantity = -1, .amount = 1000 }, "line 1 has a quantity below zero" },
        { { .kind = LINE_SALE, .amount = 1000, .tax = 1001 },
          "line 1 has a tax that is no part of its amount" },
    };
    struct world *world = world_new(1);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_null(world_purchase(world, 0, 1000, 1, &rows[i].line));
        assert_int_equal(world->decision.refusal, REFUSAL_LINES_MISMATCH);
        assert_string_equal(world->decision.detail, rows[i].detail);
    }
    const struct sale_line nothing[] = { { .kind = LINE_DISCOUNT },
                                         { .kind = LINE_REWARD },
                                         { .amount = 0 } };
    assert_non_null(world_purchase(world, 0, 0, COUNT_OF(nothing), nothing));
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(oldest_lots_are_joined),     cmocka_unit_test(a_full_account_joins_the_closest_days),
        cmocka_unit_test(oldest_debts_become_one),    cmocka_unit_test(debt_has_a_limit),
        cmocka_unit_test(lines_must_fit_their_kinds),
    };
    return cmocka_run_group_tests_name("points bounds", tests, NULL, NULL);
}
