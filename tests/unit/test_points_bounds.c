/* Bounds: lots that are joined, debts that become one, and numbers that fit. */
#include "goods_world.h"
#include "points_acts.h"

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

/* --- "Award and balance below 10^12 points" (Numbers): whatever brings points into a full account is refused --- */

/* Nothing more goes into the account of card "1". */
static void fill(struct world *world)
{
    goods_give(world, 0, MILLIPOINTS_MAX - world->accounts[0].balance);
}

static struct world_event *last_event(struct world *world)
{
    return world->events[world->event_count - 1];
}

static void adjust_full(struct world *world)
{
    fill(world);
    (void)act_adjust(world, "1", 1, false);
}

static void bonus_full(struct world *world)
{
    fill(world);
    (void)act_bonus(world, "1", POINT);
}

static void buy_full(struct world *world)
{
    fill(world);
    (void)act_buy(world, "1", 1000, true);
}

static void transfer_full(struct world *world)
{
    goods_give(world, 1, 10 * POINT);
    fill(world);
    (void)act_transfer(world, "2", "1", 10 * POINT);
}

static void merge_full(struct world *world)
{
    goods_give(world, 1, 10 * POINT);
    fill(world);
    (void)act_merge(world, "2", "1");
}

static void move_award_full(struct world *world)
{
    struct award_move_request request = { .to_card = world_card(0), .reason = TEXT_LITERAL("correction") };
    const struct world_event *sale = goods_bought(world, 1, 1000);
    fill(world);
    request.sale = &sale->event;
    request.sale_position = sale->position;
    world_ask(world, decide_award_move, &request);
}

static void unblock_full(struct world *world)
{
    world->programme.may_earn = 1U << CARD_ACTIVE;
    (void)act_card(world, CARD_ACT_BLOCK, "1");
    (void)act_buy(world, "1", 1000, true);
    fill(world);
    (void)act_card(world, CARD_ACT_UNBLOCK, "1");
}

static void add_full(struct world *world)
{
    (void)act_buy(world, "77", 1000, true);
    fill(world);
    (void)act_add(world, "1", "77");
}

static void replace_full(struct world *world)
{
    (void)act_buy(world, "77", 1000, true);
    fill(world);
    (void)act_replace(world, "1", "77");
}

static void welcome_full(struct world *world)
{
    (void)act_buy(world, "77", 1000, true);
    world->programme.welcome = MILLIPOINTS_MAX;
    (void)act_issue(world, "77", 1, true);
}

static void return_full(struct world *world)
{
    struct wish wish = { .points = 100 * POINT };
    const struct sale_line line = { .quantity = 1000, .amount = 200 };
    goods_give(world, 0, 100 * POINT);
    struct world_event *sale = goods_bought_with(world, 0, 1, &line, &wish);
    fill(world);
    (void)goods_return_amount(world, 0, sale, 200);
}

static void undo_purchase_full(struct world *world)
{
    struct wish wish = { .points = 100 * POINT };
    const struct sale_line line = { .quantity = 1000, .amount = 200 };
    goods_give(world, 0, 100 * POINT);
    struct world_event *sale = goods_bought_with(world, 0, 1, &line, &wish);
    fill(world);
    (void)goods_undo(world, sale);
}

static void undo_return_full(struct world *world)
{
    struct world_event *sale = goods_bought(world, 0, 1000);
    struct world_event *back = goods_return_amount(world, 0, sale, 1000);
    fill(world);
    (void)goods_undo(world, back);
}

static void undo_unlinked_full(struct world *world)
{
    goods_give(world, 0, 10 * POINT);
    assert_int_equal(world_unlinked(world, 0, 1000), REFUSAL_NONE);
    struct world_event *back = last_event(world);
    fill(world);
    (void)goods_undo(world, back);
}

static void undo_redemption_full(struct world *world)
{
    goods_give(world, 0, 10 * POINT);
    assert_int_equal(world_redeem(world, 0, 10 * POINT), REFUSAL_NONE);
    struct world_event *redeemed = last_event(world);
    fill(world);
    (void)goods_undo(world, redeemed);
}

/* More than an award can be. */
static void unlinked_too_much(struct world *world)
{
    world->programme.rules[0].points = MILLIPOINTS_MAX;
    (void)world_unlinked(world, 0, 1000);
}

static void a_full_account_takes_no_more(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        void (*act)(struct world *world);
    } rows[] = {
        { "adjustment", adjust_full },
        { "bonus", bonus_full },
        { "purchase", buy_full },
        { "transfer", transfer_full },
        { "merge", merge_full },
        { "moved award", move_award_full },
        { "unblocked card", unblock_full },
        { "added card", add_full },
        { "replaced card", replace_full },
        { "welcome", welcome_full },
        { "return that gives back", return_full },
        { "purchase undone", undo_purchase_full },
        { "return undone", undo_return_full },
        { "unlinked return undone", undo_unlinked_full },
        { "redemption undone", undo_redemption_full },
        { "unlinked return", unlinked_too_much },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct world *world = world_new(2);
        rows[i].act(world);
        assert_refused(rows[i].what, world->decision.refusal, REFUSAL_OVER_LIMIT);
        world_free(world);
    }
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
        cmocka_unit_test(oldest_lots_are_joined),
        cmocka_unit_test(a_full_account_joins_the_closest_days),
        cmocka_unit_test(oldest_debts_become_one),
        cmocka_unit_test(debt_has_a_limit),
        cmocka_unit_test(a_full_account_takes_no_more),
        cmocka_unit_test(lines_must_fit_their_kinds),
    };
    return cmocka_run_group_tests_name("points bounds", tests, NULL, NULL);
}
