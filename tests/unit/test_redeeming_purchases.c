/* What purchases redeem and capture, online and as advices (DOMAIN.md, Redeeming). */
#include "redeeming_world.h"

static const struct redemption *made_of(const struct world_event *sale, uint32_t index)
{
    assert_non_null(sale);
    assert_true(index < sale->event.purchase.redemption_count);
    return &sale->event.purchase.redemptions[index];
}

static bool short_of(const struct world_event *sale)
{
    return (sale->event.flags & EVENT_FLAG_SHORTFALL) != 0;
}

/* --- several wishes --- */

struct pair {
    const char *name;
    uint32_t reward; /* SHOP_REWARDS: by points */
    uint32_t first, second;
    enum refusal refusal;
};

static struct wish wish_of(uint32_t reward, uint32_t quantity)
{
    if (reward == SHOP_REWARDS)
        return (struct wish){ .points = quantity * POINT };
    return (struct wish){ .reward = shop_reward_name(reward), .quantity = quantity };
}

static void wishes_see_what_was_taken_before(void **state)
{
    (void)state;
    static const struct pair rows[] = {
        { "points", SHOP_REWARDS, 60, 41, REFUSAL_NOT_ENOUGH_POINTS },
        { "points, enough", SHOP_REWARDS, 60, 40, REFUSAL_NONE },
        { "points for rewards", FIVE_OFF, 15, 11, REFUSAL_NOT_ENOUGH_POINTS },
        { "stamps", COFFEE, 3, 2, REFUSAL_NOT_ENOUGH_STAMPS },
        { "stamps, enough", COFFEE, 3, 1, REFUSAL_NONE },
        { "stock goes before the limit", MUG, 2, 2, REFUSAL_OUT_OF_STOCK },
        { "limit", MUG, 2, 1, REFUSAL_LIMIT_REACHED },
        { "a mug each", MUG, 1, 1, REFUSAL_NONE },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct world *world = shop_new(1);
        shop_give(world, 0, 100 * POINT);
        shop_stamp(world, 0, 40 * POINT);
        shop_raise(world, 0);
        const struct wish wishes[] = { wish_of(rows[i].reward, rows[i].first),
                                       wish_of(rows[i].reward, rows[i].second) };
        const struct world_event *sale = shop_buy(world, 0, 100000, 2, wishes);
        assert_refused(world, rows[i].name, rows[i].refusal);
        /* Booked with its redemptions, or refused whole. */
        if (sale == NULL)
            assert_int_equal(world->accounts[0].balance, 100 * POINT);
        if (sale == NULL && rows[i].refusal == REFUSAL_NOT_ENOUGH_POINTS && rows[i].reward == SHOP_REWARDS) {
            assert_int_equal(world->decision.needed, 41 * POINT);
            assert_int_equal(world->decision.available, 40 * POINT);
        }
        world_free(world);
    }
}

/* --- lines that are the reward --- */

struct line_row {
    const char *name;
    uint32_t reward, quantity, line;
    struct sale_line given; /* line 2 of the receipt; line 1 is 20.00 of bread */
    enum refusal refusal;
    minor_units worth;
};

static const struct line_row line_rows[] = {
    { "no such line", COFFEE, 1, 3, { .kind = LINE_REWARD, .amount = -400 }, REFUSAL_UNKNOWN_LINE, 0 },
    { "another item",
      COFFEE,
      1,
      2,
      { .code = { "TEA", 3 }, .kind = LINE_REWARD, .amount = -400 },
      REFUSAL_NOT_OFFERED,
      0 },
    { "more than the reward gives",
      COFFEE,
      1,
      2,
      { .code = { "COFFEE", 6 }, .kind = LINE_REWARD, .amount = -401 },
      REFUSAL_NOT_OFFERED,
      0 },
    { "a free item, by code",
      COFFEE,
      1,
      2,
      { .code = { "COFFEE", 6 }, .kind = LINE_REWARD, .amount = -400 },
      REFUSAL_NONE,
      0 },
    { "two of them",
      COFFEE,
      2,
      2,
      { .code = { "COFFEE", 6 }, .kind = LINE_REWARD, .amount = -800 },
      REFUSAL_NONE,
      0 },
    { "more money off than the reward gives",
      FIVE_OFF,
      1,
      2,
      { .kind = LINE_REWARD, .amount = -501 },
      REFUSAL_NOT_OFFERED,
      0 },
    { "money off, by a line", FIVE_OFF, 1, 2, { .kind = LINE_REWARD, .amount = -500 }, REFUSAL_NONE, 500 },
    { "more than the per cent",
      TENTH_OFF,
      1,
      2,
      { .kind = LINE_REWARD, .amount = -201 },
      REFUSAL_NOT_OFFERED,
      0 },
    { "per cent of the bill before it",
      TENTH_OFF,
      1,
      2,
      { .kind = LINE_REWARD, .amount = -200 },
      REFUSAL_NONE,
      200 },
    { "a voucher is any line", CINEMA, 1, 2, { .kind = LINE_REWARD, .amount = -900 }, REFUSAL_NONE, 0 },
};

static void lines_are_held_against_the_reward(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(line_rows); i++) {
        const struct line_row *row = &line_rows[i];
        struct world *world = shop_new(1);
        shop_give(world, 0, 100 * POINT);
        shop_stamp(world, 0, 40 * POINT);
        struct sale_line lines[] = { { .code = { "BREAD", 5 }, .amount = 2000 }, row->given };
        struct wish wish = wish_of(row->reward, row->quantity);
        wish.line = row->line;
        struct purchase_request request = { .card = world_card(0),
                                            .amount = 2000 + row->given.amount,
                                            .line_count = 2,
                                            .lines = lines,
                                            .wish_count = 1,
                                            .wishes = &wish };
        world_ask(world, decide_purchase, &request);
        const struct world_event *sale = world_book(world);
        assert_refused(world, row->name, row->refusal);
        if (sale != NULL) {
            assert_int_equal(made_of(sale, 0)->line, 2);
            assert_int_equal(made_of(sale, 0)->worth, row->worth);
            assert_int_equal(sale->event.purchase.base, 2000 + row->given.amount); /* taken off once */
        }
        world_free(world);
    }
}

static void items_are_known_by_category_too(void **state)
{
    (void)state;
    struct world *world = shop_new(1);
    shop_stamp(world, 0, 40 * POINT);
    shop_reward(world, COFFEE)->item_is_category = true;
    struct sale_line lines[] = { { .category = { "COFFEE", 6 }, .amount = 300 },
                                 { .category = { "COFFEE", 6 }, .kind = LINE_REWARD, .amount = -300 } };
    struct wish wish = wish_of(COFFEE, 1);
    wish.line = 2;
    struct purchase_request request = {
        .card = world_card(0), .line_count = 2, .lines = lines, .wish_count = 1, .wishes = &wish
    };
    world_ask(world, decide_purchase, &request);
    assert_non_null(world_book(world));
    lines[1].category = TEXT_LITERAL("TEA");
    world_ask(world, decide_purchase, &request);
    assert_refused(world, "another category", REFUSAL_NOT_OFFERED);
    world_free(world);
}

static void nothing_to_pay_takes_nothing(void **state)
{
    (void)state;
    struct world *world = shop_new(1);
    shop_give(world, 0, 100 * POINT);
    const struct wish wishes[] = { wish_of(SHOP_REWARDS, 10), wish_of(SHOP_REWARDS, 10) };
    assert_null(shop_buy(world, 0, 1000, 2, wishes));
    assert_refused(world, "the first pays it all", REFUSAL_BELOW_MINIMUM);
    const struct world_event *sale = shop_buy(world, 0, 1500, 2, wishes);
    assert_int_equal(made_of(sale, 0)->points, 10 * POINT);
    assert_int_equal(made_of(sale, 1)->points, 5 * POINT);
    world_free(world);
}

/* --- captures --- */

static void purchases_capture(void **state)
{
    (void)state;
    struct world *world = shop_new(1);
    shop_give(world, 0, 100 * POINT);
    const struct wish wanted = { .points = 30 * POINT };
    const struct world_event *hold = shop_hold(world, 0, &wanted);
    const struct wish twice[] = { { .hold = hold->position, .points = POINT }, { .hold = hold->position } };
    assert_null(shop_buy(world, 0, 5000, 2, twice));
    assert_refused(world, "twice at once", REFUSAL_HOLD_ENDED);
    shop_set_pin(world, 0, PIN_TRIES); /* locks redeeming, not capturing */
    const struct world_event *sale = shop_buy(world, 0, 1000, 1, &(struct wish){ .hold = hold->position });
    assert_int_equal(made_of(sale, 0)->points, 10 * POINT); /* up to the bill */
    assert_int_equal(made_of(sale, 0)->worth, 1000);
    assert_int_equal(sale->event.purchase.base, 0);
    assert_int_equal(shop_free(world, 0), 90 * POINT);
    assert_null(shop_buy(world, 0, 1000, 1, &(struct wish){ .hold = hold->position }));
    assert_refused(world, "twice", REFUSAL_HOLD_ENDED);
    world_free(world);
}

static void a_captured_reward_was_counted_with_its_hold(void **state)
{
    (void)state;
    struct world *world = shop_new(1);
    shop_give(world, 0, 100 * POINT);
    shop_raise(world, 0);
    shop_reward(world, MUG)->limit.uses = 3;
    const struct wish wanted = wish_of(MUG, 2);
    const struct world_event *hold = shop_hold(world, 0, &wanted);
    const struct wish two[] = { { .hold = hold->position }, wish_of(MUG, 2) };
    assert_null(shop_buy(world, 0, 1000, 2, two));
    assert_refused(world, "four of three", REFUSAL_OUT_OF_STOCK);
    const struct wish one[] = { { .hold = hold->position }, wish_of(MUG, 1) };
    assert_non_null(shop_buy(world, 0, 1000, 2, one));
    assert_int_equal(shop_used(world, MUG), 3);
    assert_int_equal(shop_uses(world, 0, MUG), 3);
    world_free(world);
}

/* --- advices --- */

struct advice_row {
    const char *name;
    struct wish wish;
    enum card_status status;
    enum pin_check pin;
    millipoints points, shortfall;
    minor_units worth;
};

static const struct advice_row advice_rows[] = {
    { "enough", { .points = 20 * POINT }, CARD_ACTIVE, PIN_RIGHT, 20 * POINT, 0, 2000 },
    { "as far as points are free",
      { .points = 40 * POINT },
      CARD_ACTIVE,
      PIN_RIGHT,
      30 * POINT,
      10 * POINT,
      4000 },
    { "up to the bill", { .points = 60 * POINT }, CARD_ACTIVE, PIN_RIGHT, 30 * POINT, 20 * POINT, 5000 },
    { "money off",
      { .reward = { "five off", 8 }, .quantity = 10 },
      CARD_ACTIVE,
      PIN_RIGHT,
      30 * POINT,
      10 * POINT,
      5000 },
    { "an unknown reward: what the till thinks",
      { .reward = { "gone", 4 }, .points = 7 * POINT },
      CARD_ACTIVE,
      PIN_RIGHT,
      0,
      7 * POINT,
      0 },
    { "not offered, out of stock, over the limit",
      { .reward = { "mug", 3 }, .quantity = 20 },
      CARD_ACTIVE,
      PIN_RIGHT,
      20 * POINT,
      0,
      0 },
    { "no PIN: nobody's points", { .points = 20 * POINT }, CARD_ACTIVE, PIN_NOT_GIVEN, 0, 20 * POINT, 2000 },
    { "a wrong PIN", { .points = 20 * POINT }, CARD_ACTIVE, PIN_WRONG, 0, 20 * POINT, 2000 },
    { "a locked account", { .points = 20 * POINT }, CARD_ACTIVE, PIN_UNCHECKED, 0, 20 * POINT, 2000 },
    { "a card that may not spend", { .points = 20 * POINT }, CARD_BLOCKED, PIN_RIGHT, 0, 20 * POINT, 2000 },
    { "no such line", { .points = 20 * POINT, .line = 9 }, CARD_ACTIVE, PIN_RIGHT, 20 * POINT, 0, 2000 },
};

/* The account has 30 points and a PIN; the bill is 50.00. */
static void advices_take_what_is_free(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(advice_rows); i++) {
        const struct advice_row *row = &advice_rows[i];
        struct world *world = shop_new(1);
        shop_give(world, 0, 30 * POINT);
        shop_set_pin(world, 0, 2);
        world->cards[0].status = row->status;
        world->flags = EVENT_FLAG_ADVICE;
        struct purchase_request request = {
            .card = world_card(0), .amount = 5000, .wish_count = 1, .wishes = &row->wish, .pin = row->pin
        };
        world_ask(world, decide_purchase, &request);
        const struct world_event *sale = world_book(world);
        assert_refused(world, row->name, REFUSAL_NONE);
        const struct redemption *made = made_of(sale, 0);
        if (made->points != row->points || made->shortfall != row->shortfall || made->worth != row->worth)
            fail_msg("%s: %lld points, %lld short, worth %lld", row->name, (long long)made->points,
                     (long long)made->shortfall, (long long)made->worth);
        assert_int_equal(short_of(sale), row->shortfall > 0);
        assert_int_equal(sale->event.purchase.paid, row->worth);
        assert_int_equal(world->accounts[0].pin.wrong, row->pin == PIN_RIGHT ? 0 : 2);
        world_free(world);
    }
}

static void advices_are_short_of_stamps_too(void **state)
{
    (void)state;
    struct world *world = shop_new(1);
    shop_stamp(world, 0, 15 * POINT);
    world->flags = EVENT_FLAG_ADVICE;
    const struct wish wish = wish_of(COFFEE, 2);
    const struct world_event *sale = shop_buy(world, 0, 5000, 1, &wish);
    assert_int_equal(made_of(sale, 0)->stamps, 15 * POINT);
    assert_int_equal(made_of(sale, 0)->quantity, 2);
    assert_true(short_of(sale));
    assert_int_equal(world->accounts[0].stamps[0].count, 0);
    world_free(world);
}

enum late {
    LATE_OPEN,
    LATE_TIMED_OUT,
    LATE_SPENT,
    LATE_UNKNOWN_EVENT,
    LATE_CAPTURED,
    LATE_OTHERS,
    LATE_NO_HOLD
};

struct late_row {
    const char *name;
    enum late late;
    millipoints points, shortfall;
    bool captured;
};

static journal_position make_late(struct world *world, enum late late, const struct world_event *hold)
{
    world->now = hold->event.hold.deadline;
    if (late == LATE_TIMED_OUT || late == LATE_SPENT || late == LATE_UNKNOWN_EVENT)
        assert_non_null(shop_time_out(world, hold));
    struct redeem_request redeem = { .card = world_card(0), .wish.points = 90 * POINT };
    if (late == LATE_SPENT)
        assert_non_null(shop_redeem(world, &redeem));
    world->now = hold->event.time;
    if (late == LATE_CAPTURED)
        assert_non_null(shop_capture(world, 0, hold, 0, 0));
    world->now = hold->event.hold.deadline;
    return late == LATE_NO_HOLD ? 7 : hold->position;
}

static void late_captures_take_what_is_free(void **state)
{
    (void)state;
    static const struct late_row rows[] = {
        { "overdue, but not given back yet", LATE_OPEN, 20 * POINT, 0, true },
        { "timed out", LATE_TIMED_OUT, 20 * POINT, 0, false },
        { "timed out, then spent", LATE_SPENT, 10 * POINT, 10 * POINT, false },
        { "timed out, and no more is known", LATE_UNKNOWN_EVENT, 0, 0, false },
        { "captured before: not once more", LATE_CAPTURED, 0, 20 * POINT, false },
        { "of another account", LATE_OTHERS, 0, 20 * POINT, false },
        { "no such hold", LATE_NO_HOLD, 0, 20 * POINT, false },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct late_row *row = &rows[i];
        struct world *world = shop_new(2);
        shop_give(world, 0, 100 * POINT);
        shop_give(world, 1, 100 * POINT);
        const struct wish wanted = { .points = 20 * POINT };
        const struct world_event *hold = shop_hold(world, 0, &wanted);
        const struct wish late = { .hold = make_late(world, row->late, hold),
                                   .hold_event = row->late == LATE_UNKNOWN_EVENT ? NULL : &hold->event };
        uint32_t card = row->late == LATE_OTHERS ? 1 : 0;
        millipoints before = world->accounts[card].balance;
        assert_null(shop_buy(world, card, 5000, 1, &late)); /* online it is refused */
        world->flags = EVENT_FLAG_ADVICE;
        const struct world_event *sale = shop_buy(world, card, 5000, 1, &late);
        assert_refused(world, row->name, REFUSAL_NONE);
        const struct redemption *made = made_of(sale, 0);
        if (made->points != row->points || made->shortfall != row->shortfall)
            fail_msg("%s: %lld points, %lld short", row->name, (long long)made->points,
                     (long long)made->shortfall);
        assert_int_equal(made->hold, row->captured ? hold->position : 0);
        assert_int_equal(short_of(sale), row->shortfall > 0);
        assert_int_equal(world->accounts[card].balance, before - row->points + sale->event.purchase.earned);
        world_free(world);
    }
}

static void late_captures_of_rewards(void **state)
{
    (void)state;
    struct world *world = shop_new(1);
    shop_give(world, 0, 100 * POINT);
    shop_raise(world, 0);
    const struct wish wanted = wish_of(MUG, 2);
    const struct world_event *hold = shop_hold(world, 0, &wanted);
    world->now = hold->event.hold.deadline;
    assert_non_null(shop_time_out(world, hold));
    assert_int_equal(shop_used(world, MUG), 0);
    world->flags = EVENT_FLAG_ADVICE;
    const struct wish late = { .hold = hold->position, .hold_event = &hold->event };
    const struct world_event *sale = shop_buy(world, 0, 5000, 1, &late);
    assert_int_equal(made_of(sale, 0)->points, 2 * POINT);
    assert_int_equal(made_of(sale, 0)->reward, shop_reward(world, MUG)->id);
    assert_int_equal(shop_used(world, MUG), 2);
    assert_int_equal(shop_uses(world, 0, MUG), 2);
    assert_false(short_of(sale));
    world_free(world);
}

/* On its own, what an advice takes for a hold that has ended is a redemption: no hold is captured. */
static void late_captures_without_a_purchase(void **state)
{
    (void)state;
    struct world *world = shop_new(1);
    shop_give(world, 0, 100 * POINT);
    const struct wish wanted = { .points = 20 * POINT };
    const struct world_event *hold = shop_hold(world, 0, &wanted);
    assert_non_null(shop_release(world, 0, hold));
    world->flags = EVENT_FLAG_ADVICE;
    const struct world_event *booked = shop_capture(world, 0, hold, 15 * POINT, 0);
    assert_int_equal(booked->event.type, EVENT_REDEMPTION);
    assert_int_equal(booked->event.redemption.made.points, 15 * POINT);
    world->cards[0].status = CARD_BLOCKED;
    booked = shop_capture(world, 0, hold, 15 * POINT, 0);
    assert_int_equal(booked->event.redemption.made.points, 0);
    assert_int_equal(booked->event.redemption.made.shortfall, 15 * POINT);
    world_free(world);
}

static void a_quote_takes_nothing(void **state)
{
    (void)state;
    struct world *world = shop_new(1);
    shop_give(world, 0, 100 * POINT);
    shop_set_pin(world, 0, 1);
    const struct wish wish = wish_of(FIVE_OFF, 1);
    struct purchase_request quote = {
        .card = world_card(0), .amount = 1000, .wish_count = 1, .wishes = &wish, .pin = PIN_RIGHT
    };
    world_ask(world, decide_purchase, &quote);
    assert_refused(world, "a quote asks for no PIN", REFUSAL_NONE);
    assert_int_equal(world->decision.event.purchase.redemptions[0].points, 4 * POINT);
    assert_int_equal(world->decision.sides[0].after.balance, (100 - 4 + 5) * POINT);
    assert_int_equal(world->accounts[0].balance, 100 * POINT);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wishes_see_what_was_taken_before),
        cmocka_unit_test(lines_are_held_against_the_reward),
        cmocka_unit_test(items_are_known_by_category_too),
        cmocka_unit_test(nothing_to_pay_takes_nothing),
        cmocka_unit_test(purchases_capture),
        cmocka_unit_test(a_captured_reward_was_counted_with_its_hold),
        cmocka_unit_test(advices_take_what_is_free),
        cmocka_unit_test(advices_are_short_of_stamps_too),
        cmocka_unit_test(late_captures_take_what_is_free),
        cmocka_unit_test(late_captures_of_rewards),
        cmocka_unit_test(late_captures_without_a_purchase),
        cmocka_unit_test(a_quote_takes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
