/*
 * What comes back with goods besides what they earned (DOMAIN.md, Returning goods): points and stamps that were spent on them,
 * stock, uses, room under caps, stamps that they earned, what they counted for a tier.
 */
#include <stdio.h>

#include "goods_world.h"

#define EXPECT(what, got, want)                                                                              \
    do {                                                                                                     \
        if ((got) != (want))                                                                                 \
            fail_msg("%s: %s is %lld, not %lld", what, #got, (long long)(got), (long long)(want));           \
    } while (0)

/* --- points --- */

/* Two items of 50.00, 30.00 of it paid with 150 points. */
static const struct sale_line two_items[] = {
    { .code = { "A", 1 }, .quantity = 1000, .amount = 5000 },
    { .code = { "B", 1 }, .quantity = 1000, .amount = 5000 },
};

/* Points worth 0.20 each, an opening balance of 200. */
static struct world *world_of_two_items(struct world_event **out_sale)
{
    struct world *world = world_new(1);
    world->programme.worth_amount = 20;
    goods_give(world, 0, 200 * POINT);
    struct wish wish = { .points = 150 * POINT };
    *out_sale = goods_bought_with(world, 0, COUNT_OF(two_items), two_items, &wish);
    assert_int_equal((*out_sale)->event.purchase.paid, 3000);
    assert_int_equal((*out_sale)->event.purchase.earned, 70 * POINT);
    assert_int_equal(goods_account(world, 0)->balance, 120 * POINT);
    return world;
}

/* DOMAIN.md, Worked examples: earns 70, balance 120; -35 and +75: 160. */
static void one_of_two_items_comes_back(void **state)
{
    (void)state;
    struct world_event *sale;
    struct world *world = world_of_two_items(&sale);
    struct return_request_line a = { .code = TEXT_LITERAL("A") };
    const struct goods_return *back = &goods_return_lines(world, 0, sale, 1, &a)->event.goods_return;
    assert_int_equal(back->taken, 35 * POINT);
    assert_int_equal(back->given_back, 75 * POINT);
    assert_int_equal(goods_account(world, 0)->balance, 160 * POINT);
    struct return_request_line b = { .code = TEXT_LITERAL("B") };
    back = &goods_return_lines(world, 0, sale, 1, &b)->event.goods_return;
    assert_int_equal(back->given_back, 75 * POINT);
    assert_int_equal(goods_account(world, 0)->balance, 200 * POINT);
    assert_int_equal(sale->returned->spent_count, 1);
    assert_int_equal(sale->returned->spent[0].given_back, 150 * POINT);
    world_free(world);
}

static void no_order_of_amounts_gives_back_more(void **state)
{
    (void)state;
    static const minor_units parts[] = { 3333, 1, 3333, 3332, 1 };
    struct world_event *sale;
    struct world *world = world_of_two_items(&sale);
    millipoints given = 0;
    minor_units returned = 0;
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        given += goods_return_amount(world, 0, sale, parts[i])->event.goods_return.given_back;
        returned += parts[i];
        /* floor(spent x amount returned / sold) in all */
        assert_int_equal(given, 150 * returned / 10000 * POINT);
    }
    assert_int_equal(goods_account(world, 0)->balance, 200 * POINT);
    world_free(world);
}

/* What a purchase spent, and what was named to it since, come back together: last spent first. */
static void what_named_the_purchase_comes_back_too(void **state)
{
    (void)state;
    struct world_event *sale;
    struct world *world = world_of_two_items(&sale);
    struct wish wish = { .points = 50 * POINT };
    struct world_event *named = goods_redeem(world, 0, &wish, sale);
    assert_int_equal(goods_account(world, 0)->balance, 70 * POINT);
    const struct goods_return *back = &goods_return_amount(world, 0, sale, 4000)->event.goods_return;
    assert_int_equal(back->given_back, 80 * POINT);
    assert_int_equal(back->back_count, 2);
    assert_int_equal(back->backs[0].redemption, named->position);
    assert_int_equal(back->backs[0].points, 50 * POINT);
    assert_int_equal(back->backs[1].redemption, sale->position);
    assert_int_equal(back->backs[1].points, 30 * POINT);
    back = &goods_return_amount(world, 0, sale, 6000)->event.goods_return;
    assert_int_equal(back->given_back, 120 * POINT);
    assert_int_equal(goods_account(world, 0)->balance, 200 * POINT);
    world_free(world);
}

/* What was undone by itself is no part of what was spent. */
static void an_undone_redemption_is_left_alone(void **state)
{
    (void)state;
    struct world_event *sale;
    struct world *world = world_of_two_items(&sale);
    struct wish wish = { .points = 50 * POINT };
    struct world_event *named = goods_redeem(world, 0, &wish, sale);
    assert_non_null(goods_undo(world, named));
    assert_int_equal(goods_account(world, 0)->balance, 120 * POINT);
    assert_int_equal(goods_return_amount(world, 0, sale, 5000)->event.goods_return.given_back, 75 * POINT);
    assert_int_equal(goods_return_amount(world, 0, sale, 5000)->event.goods_return.given_back, 75 * POINT);
    assert_int_equal(goods_account(world, 0)->balance, 200 * POINT);
    world_free(world);
}

static void what_was_spent_stays_spent_if_the_programme_says_so(void **state)
{
    (void)state;
    struct world_event *sale;
    struct world *world = world_of_two_items(&sale);
    world_publish(world)->return_spent = false; /* today's */
    const struct goods_return *back = &goods_return_amount(world, 0, sale, 10000)->event.goods_return;
    assert_int_equal(back->given_back, 0);
    assert_int_equal(back->taken, 70 * POINT);
    assert_int_equal(goods_account(world, 0)->balance, 50 * POINT);
    world_free(world);
}

static const struct {
    const char *what;
    uint32_t restore_days;
    local_day last_day; /* of what came back, from the day of the return on */
} restore_rows[] = {
    { "7 days", 7, 7 },
    { "1 day", 1, 1 },
    { "none: it expires at once", 0, -1 },
};

/* Lots of points that come back keep their day, but what has expired meanwhile gets restore_days. */
static void points_come_back_to_their_lots(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(restore_rows); i++) {
        const char *what = restore_rows[i].what;
        struct world *world = world_new(1);
        world->programme.expiry = (struct expiry){ .kind = EXPIRY_MONTHS, .months = 1 };
        goods_give(world, 0, 100 * POINT);
        world_publish(world)->expiry.kind = EXPIRY_NEVER;
        goods_give(world, 0, 100 * POINT);
        struct wish wish = { .points = 150 * POINT };
        world->now += US_PER_DAY;
        struct world_event *sale = goods_bought_with(world, 0, COUNT_OF(two_items), two_items, &wish);
        world_go_to(world, 2026, 5, 1);
        world_publish(world)->restore_days = restore_rows[i].restore_days;
        /* 50 of the last lot come back, then 25 of the first. */
        assert_int_equal(goods_return_amount(world, 0, sale, 5000)->event.goods_return.given_back,
                         75 * POINT);
        const struct account *account = goods_account(world, 0);
        EXPECT(what, account->lots[0].number, 1);
        EXPECT(what, account->lots[0].points, 25 * POINT);
        EXPECT(what, account->lots[0].last_day, world_today(world) + restore_rows[i].last_day);
        EXPECT(what, account->lots[1].points, 100 * POINT);
        EXPECT(what, account->lots[1].last_day, DAY_NEVER);
        world_free(world);
    }
}

/* 100 of a lot without a day were taken after 50 of one with a day: they come back first, however many returns there are. */
static void what_came_back_before_is_passed_over(void **state)
{
    (void)state;
    static const millipoints later[] = { 40, 80, 100, 100 };
    static const millipoints sooner[] = { 0, 0, 20, 50 };
    struct world *world = world_new(1);
    goods_give(world, 0, 100 * POINT);
    world_publish(world)->expiry = (struct expiry){ .kind = EXPIRY_MONTHS, .months = 12 };
    goods_give(world, 0, 50 * POINT);
    struct wish wish = { .points = 150 * POINT };
    world->later[0].rule_count = 0;
    struct sale_line line = { .quantity = 1000, .amount = 15000 };
    struct world_event *sale = goods_bought_with(world, 0, 1, &line, &wish);
    const struct account *account = goods_account(world, 0);
    assert_int_equal(account->balance, 0);
    for (uint32_t i = 0; i < COUNT_OF(later); i++) {
        goods_return_amount(world, 0, sale, i == 3 ? 3000 : 4000);
        assert_int_equal(account->lots[0].number, 1);
        assert_int_equal(account->lots[0].points, later[i] * POINT);
        assert_int_equal(account->lot_count > 1 ? account->lots[1].points : 0, sooner[i] * POINT);
    }
    world_free(world);
}

/* --- rewards --- */

enum { COFFEE = 0, MONEY = 1, GIFT = 2 };

static void set_reward(struct programme *programme, const struct reward *reward, const char *name)
{
    struct reward *made = &programme->rewards[programme->reward_count++];
    *made = *reward;
    (void)snprintf(made->name, sizeof(made->name), "%s", name);
    made->id = programme_id(text_of(name));
    made->period = (struct period){ .from = INT32_MIN, .through = DAY_NEVER };
    made->limit = (struct limit){ .window = WINDOW_MONTH, .uses = 8 };
    made->has_stock = true;
    made->stock = 100;
}

/* A coffee costs 10 stamps, 5.00 off 100 points, two cups as a gift 40 points. Each coffee bought is a stamp. */
static struct world *world_of_rewards(void)
{
    struct world *world = world_new(1);
    struct programme *programme = &world->programme;
    programme->purse_count = 1;
    programme->purses[0].id = programme_id(TEXT_LITERAL("coffees"));
    programme->offer_count = 1;
    programme->offers[0] = (struct offer){ .kind = OFFER_STAMP,
                                           .id = programme_id(TEXT_LITERAL("stamps")),
                                           .points = POINT,
                                           .per_unit = true,
                                           .period = { .from = INT32_MIN, .through = DAY_NEVER },
                                           .limit = { .window = WINDOW_DAY, .uses = 5 } };
    programme->offers[0].filter.has_include = true;
    programme_word_add(programme, TEXT_LITERAL("coffee"))->include_code = UINT64_C(1) << PROGRAMME_RULES_MAX;
    struct reward coffee = { .kind = REWARD_ITEM, .item = "coffee", .cost_stamps = 10000, .per = 1 };
    struct reward money = { .kind = REWARD_MONEY_OFF, .amount = 500, .cost_points = 100 * POINT, .per = 1 };
    struct reward gift = { .kind = REWARD_GIFT, .item = "cup", .cost_points = 40 * POINT, .per = 2 };
    set_reward(programme, &coffee, "free coffee");
    set_reward(programme, &money, "five off");
    set_reward(programme, &gift, "cups");
    goods_give(world, 0, 500 * POINT);
    struct account *account = goods_account(world, 0);
    account->stamps_count = 1;
    account->stamps[0] = (struct stamps){ .purse = programme->purses[0].id, .count = 20 * POINT };
    return world;
}

static int64_t used(struct world *world, uint32_t reward)
{
    return world->view.reward_used(world, world->programme.rewards[reward].id);
}

static int64_t uses(struct world *world, enum tally_kind kind, uint64_t id)
{
    const struct account *account = goods_account(world, 0);
    for (uint32_t i = 0; i < account->tally_count; i++) {
        if (account->tallies[i].kind == kind && account->tallies[i].id == id)
            return account->tallies[i].value;
    }
    return 0;
}

static int64_t uses_of(struct world *world, uint32_t reward)
{
    return uses(world, TALLY_REWARD, world->programme.rewards[reward].id);
}

/* Money off comes back with the goods, by their amount; its stock and its use with the last of it. */
static void money_off_comes_back_by_amount(void **state)
{
    (void)state;
    struct world *world = world_of_rewards();
    struct wish wish = { .reward = TEXT_LITERAL("five off"), .line = 3 };
    struct sale_line lines[] = { two_items[0], two_items[1], { .kind = LINE_REWARD, .amount = -500 } };
    struct world_event *sale = goods_bought_with(world, 0, COUNT_OF(lines), lines, &wish);
    assert_int_equal(sale->event.purchase.earned, 95 * POINT);
    assert_int_equal(used(world, MONEY), 1);
    struct return_request_line a = { .number = 1 };
    const struct goods_return *back = &goods_return_lines(world, 0, sale, 1, &a)->event.goods_return;
    assert_int_equal(back->given_back, 50 * POINT);
    assert_int_equal(back->amount, 4750);
    assert_int_equal(used(world, MONEY), 1);
    assert_int_equal(uses_of(world, MONEY), 1);
    struct return_request_line b = { .number = 2 };
    back = &goods_return_lines(world, 0, sale, 1, &b)->event.goods_return;
    assert_int_equal(back->given_back, 50 * POINT);
    assert_int_equal(used(world, MONEY), 0);
    assert_int_equal(uses_of(world, MONEY), 0);
    assert_int_equal(goods_account(world, 0)->balance, 500 * POINT);
    world_free(world);
}

/* Five cups at two for 40 points: 120. What stays is paid for: of 4, 3, 2, 1, 0 it costs 80, 80, 40, 40, 0. */
static void a_gift_comes_back_with_its_line(void **state)
{
    (void)state;
    static const millipoints given[] = { 40, 0, 40, 0, 40 };
    struct world *world = world_of_rewards();
    struct wish wish = { .reward = TEXT_LITERAL("cups"), .quantity = 5, .line = 2 };
    struct sale_line lines[] = { two_items[0],
                                 { .code = TEXT_LITERAL("cup"), .kind = LINE_REWARD, .quantity = 5000 } };
    struct world_event *sale = goods_bought_with(world, 0, COUNT_OF(lines), lines, &wish);
    assert_int_equal(used(world, GIFT), 5);
    assert_int_equal(uses_of(world, GIFT), 5);
    /* The goods alone bring nothing of it back. */
    struct return_request_line a = { .number = 1 };
    assert_int_equal(goods_return_lines(world, 0, sale, 1, &a)->event.goods_return.given_back, 0);
    for (uint32_t i = 0; i < COUNT_OF(given); i++) {
        struct return_request_line cup = { .quantity = 1000, .code = TEXT_LITERAL("cup") };
        const struct goods_return *back = &goods_return_lines(world, 0, sale, 1, &cup)->event.goods_return;
        assert_int_equal(back->given_back, given[i] * POINT);
        assert_int_equal(used(world, GIFT), 4 - i);
        assert_int_equal(uses_of(world, GIFT), 4 - i);
    }
    assert_int_equal(goods_account(world, 0)->balance, 500 * POINT);
    world_free(world);
}

/* An advice that found 100 of the 120: what stays is paid for first. */
static void a_shortfall_does_not_come_back(void **state)
{
    (void)state;
    struct world *world = world_of_rewards();
    goods_give(world, 0, -400 * POINT);
    world->flags = EVENT_FLAG_ADVICE;
    struct wish wish = { .reward = TEXT_LITERAL("cups"), .quantity = 5, .line = 1 };
    struct sale_line cups = { .code = TEXT_LITERAL("cup"), .kind = LINE_REWARD, .quantity = 5000 };
    struct world_event *sale = goods_bought_with(world, 0, 1, &cups, &wish);
    assert_int_equal(sale->event.purchase.redemptions[0].shortfall, 20 * POINT);
    struct return_request_line cup = { .number = 1, .quantity = 1000 };
    assert_int_equal(goods_return_lines(world, 0, sale, 1, &cup)->event.goods_return.given_back, 20 * POINT);
    cup.quantity = 4000;
    assert_int_equal(goods_return_lines(world, 0, sale, 1, &cup)->event.goods_return.given_back, 80 * POINT);
    assert_int_equal(goods_account(world, 0)->balance, 100 * POINT);
    world_free(world);
}

/* Three coffees, one of them free: what was paid for comes back first, the free one, and its stamps, last. */
static void a_free_item_comes_back_after_those_paid_for(void **state)
{
    (void)state;
    static const int64_t stamps[] = { 10 + 2, 10 + 1, 20 };
    struct world *world = world_of_rewards();
    struct wish wish = { .reward = TEXT_LITERAL("free coffee"), .line = 2 };
    struct text code = TEXT_LITERAL("coffee");
    struct sale_line lines[] = { { .code = code, .quantity = 3000, .amount = 750 },
                                 { .code = code, .kind = LINE_REWARD, .amount = -250 } };
    struct world_event *sale = goods_bought_with(world, 0, COUNT_OF(lines), lines, &wish);
    const struct stamps *purse = &goods_account(world, 0)->stamps[0];
    assert_int_equal(purse->count, (10 + 3) * POINT);
    for (uint32_t i = 0; i < COUNT_OF(stamps); i++) {
        struct return_request_line coffee = { .quantity = 1000, .code = code };
        assert_non_null(goods_return_lines(world, 0, sale, 1, &coffee));
        assert_int_equal(purse->count, stamps[i] * POINT);
        assert_int_equal(used(world, COFFEE), i == 2 ? 0 : 1);
        assert_int_equal(uses_of(world, COFFEE), i == 2 ? 0 : 1);
    }
    world_free(world);
}

/* --- what the goods earned besides points --- */

/* Stamps go with the goods, below zero if need be; the use of the offer when nothing of it is left. */
static void stamps_go_with_the_goods(void **state)
{
    (void)state;
    struct world *world = world_of_rewards();
    uint64_t offer = world->programme.offers[0].id;
    struct sale_line coffees = { .code = TEXT_LITERAL("coffee"), .quantity = 2000, .amount = 500 };
    struct world_event *sale = goods_bought_lines(world, 0, 1, &coffees);
    goods_account(world, 0)->stamps[0].count = 0; /* spent elsewhere */
    assert_int_equal(uses(world, TALLY_OFFER, offer), 1);
    struct return_request_line one = { .number = 1, .quantity = 1000 };
    struct world_event *back = goods_return_lines(world, 0, sale, 1, &one);
    assert_int_equal(back->event.goods_return.stamps_back[0], POINT);
    assert_int_equal(goods_account(world, 0)->stamps[0].count, -POINT);
    assert_int_equal(uses(world, TALLY_OFFER, offer), 1);
    back = goods_return_lines(world, 0, sale, 1, &one);
    assert_int_equal(back->event.goods_return.uses_back, 1);
    assert_int_equal(goods_account(world, 0)->stamps[0].count, -2 * POINT);
    assert_int_equal(uses(world, TALLY_OFFER, offer), 0);
    world_free(world);
}

/* Room under a cap comes back on the day of the purchase, and only there. */
static void room_under_caps_comes_back(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    world->programme.caps = (struct caps){ .day = 100 * POINT, .month = 150 * POINT };
    struct world_event *sale = goods_bought(world, 0, 12000);
    assert_int_equal(sale->event.purchase.earned, 100 * POINT);
    goods_return_amount(world, 0, sale, 9000);
    assert_int_equal(uses(world, TALLY_CAP_DAY, 0), 30 * POINT);
    assert_int_equal(uses(world, TALLY_CAP_MONTH, 0), 30 * POINT);
    assert_int_equal(goods_bought(world, 0, 10000)->event.purchase.earned, 70 * POINT);
    world->now += US_PER_DAY;
    assert_int_equal(goods_bought(world, 0, 500)->event.purchase.earned, 5 * POINT);
    goods_return_amount(world, 0, sale, 1000);
    assert_int_equal(uses(world, TALLY_CAP_DAY, 0), 5 * POINT);
    assert_int_equal(goods_account(world, 0)->tallies[0].value_before, 90 * POINT);
    world->now += 2 * US_PER_DAY;
    assert_int_equal(goods_bought(world, 0, 4000)->event.purchase.earned, 40 * POINT);
    world->now += US_PER_DAY;
    assert_int_equal(goods_bought(world, 0, 4000)->event.purchase.earned, 15 * POINT);
    /* The day of the purchase is forgotten, the month is not. */
    goods_return_amount(world, 0, sale, 2000);
    assert_int_equal(uses(world, TALLY_CAP_DAY, 0), 15 * POINT);
    assert_int_equal(uses(world, TALLY_CAP_MONTH, 0), 130 * POINT);
    world_free(world);
}

/* Two tiers by spend, visits or points of this month and the one before; returned in the month after. */
static void a_return_counts_back_in_the_purchases_month(void **state)
{
    (void)state;
    for (enum tier_basis basis = TIER_BY_SPEND; basis <= TIER_BY_VISITS; basis++) {
        struct world *world = world_new(1);
        struct tiers *tiers = &world->programme.tiers;
        tiers->count = 1;
        tiers->basis = basis;
        tiers->window_months = 2;
        tiers->kept = TIER_KEPT_NONE;
        tiers->tiers[0] =
            (struct tier){ .id = 42, .from = basis == TIER_BY_VISITS ? 1 : 10000, .factor = 1000 };
        if (basis == TIER_BY_POINTS)
            tiers->tiers[0].from = 100 * POINT;
        struct world_event *sale = goods_bought(world, 0, 10000);
        const struct account *account = goods_account(world, 0);
        assert_int_equal(account->tier.id, 42);
        world_go_to(world, 2026, 4, 1);
        goods_return_amount(world, 0, sale, 100);
        assert_int_equal(account->tier.id, basis == TIER_BY_VISITS ? 42 : 0);
        goods_return_amount(world, 0, sale, 9900);
        assert_int_equal(account->tier.id, 0);
        for (uint32_t i = 0; i < account->month_count; i++) {
            assert_int_equal(account->months[i].spend, 0);
            assert_int_equal(account->months[i].visits, 0);
            assert_int_equal(account->months[i].points, 0);
        }
        assert_int_equal(account->ever.spend, 0);
        assert_int_equal(account->ever.visits, 0);
        assert_int_equal(account->ever.points, 0);
        world_free(world);
    }
}

/* An award that is still pending has not counted, so it does not count back; matured, it does. */
static void points_count_back_once_they_matured(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    struct tiers *tiers = &world->programme.tiers;
    tiers->count = 1;
    tiers->basis = TIER_BY_POINTS;
    tiers->window = TIER_WINDOW_EVER;
    tiers->tiers[0] = (struct tier){ .id = 42, .from = 1000 * POINT, .factor = 1000 };
    world->programme.mature_days = 14;
    struct world_event *sale = goods_bought(world, 0, 10000);
    const struct account *account = goods_account(world, 0);
    goods_return_amount(world, 0, sale, 1000);
    assert_int_equal(account->ever.points, 0);
    world_go_to(world, 2026, 3, 25);
    goods_return_amount(world, 0, sale, 1000);
    assert_int_equal(account->ever.points, 80 * POINT);
    goods_return_amount(world, 0, sale, 8000);
    assert_int_equal(account->ever.points, 0);
    assert_int_equal(account->balance, 0);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_of_two_items_comes_back),
        cmocka_unit_test(no_order_of_amounts_gives_back_more),
        cmocka_unit_test(what_named_the_purchase_comes_back_too),
        cmocka_unit_test(an_undone_redemption_is_left_alone),
        cmocka_unit_test(what_was_spent_stays_spent_if_the_programme_says_so),
        cmocka_unit_test(points_come_back_to_their_lots),
        cmocka_unit_test(what_came_back_before_is_passed_over),
        cmocka_unit_test(money_off_comes_back_by_amount),
        cmocka_unit_test(a_gift_comes_back_with_its_line),
        cmocka_unit_test(a_shortfall_does_not_come_back),
        cmocka_unit_test(a_free_item_comes_back_after_those_paid_for),
        cmocka_unit_test(stamps_go_with_the_goods),
        cmocka_unit_test(room_under_caps_comes_back),
        cmocka_unit_test(a_return_counts_back_in_the_purchases_month),
        cmocka_unit_test(points_count_back_once_they_matured),
    };
    return cmocka_run_group_tests_name("what was spent on goods", tests, NULL, NULL);
}
