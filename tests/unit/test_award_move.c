/* An award on the wrong card goes to the right one, and returns follow it (DOMAIN.md, Back office). */
#include "goods_world.h"

static enum refusal move(struct world *world, const struct world_event *sale, uint32_t to_card)
{
    struct award_move_request request = { .to_card = world_card(to_card),
                                          .reason = TEXT_LITERAL("wrong card") };
    if (sale != NULL) {
        request.sale = &sale->event;
        request.sale_position = sale->position;
    }
    world_ask(world, decide_award_move, &request);
    (void)world_book(world);
    return world->decision.refusal;
}

static void what_was_spent_of_it_becomes_debt(void **state)
{
    (void)state;
    struct world *world = world_new(2);
    struct world_event *sale = goods_bought(world, 0, 10000);
    assert_int_equal(world_redeem(world, 0, 80 * POINT), REFUSAL_NONE);
    assert_int_equal(move(world, sale, 1), REFUSAL_NONE);
    const struct event *event = &goods_event(world, world->position)->event;
    assert_int_equal(event->award_moved.points, 100 * POINT);
    assert_int_equal(event->effects[0].change + event->effects[1].change, 0);
    assert_int_equal(goods_account(world, 0)->balance, -80 * POINT);
    assert_int_equal(goods_account(world, 0)->lifetime, 0);
    assert_int_equal(goods_account(world, 1)->balance, 100 * POINT);
    assert_int_equal(goods_account(world, 1)->lifetime, 100 * POINT);
    world_free(world);
}

/* With the award's dates; then returned with the right card: due from where it is. */
static void returns_follow(void **state)
{
    (void)state;
    struct world *world = world_new(3);
    world->programme.expiry = (struct expiry){ .kind = EXPIRY_MONTHS, .months = 12 };
    struct world_event *sale = goods_bought(world, 0, 10000);
    local_day last_day = sale->event.purchase.last_day;
    goods_return_amount(world, 0, sale, 1000);
    world->now += 5 * US_PER_DAY;
    assert_int_equal(move(world, sale, 1), REFUSAL_NONE);
    assert_int_equal(goods_account(world, 1)->lots[0].last_day, last_day);
    assert_int_equal(goods_account(world, 1)->lots[0].points, 90 * POINT);
    struct world_event *back = goods_return_amount(world, 1, sale, 4000);
    assert_int_equal(back->event.effect_count, 2);
    assert_int_equal(back->event.effects[0].account, goods_account(world, 1)->number);
    assert_int_equal(back->event.goods_return.own_taken, 40 * POINT);
    assert_int_equal(goods_account(world, 0)->balance, 0);
    assert_int_equal(goods_account(world, 1)->balance, 50 * POINT);
    assert_int_equal(goods_account(world, 1)->lifetime, 50 * POINT);
    for (uint32_t card = 0; card <= 2; card += 2) {
        assert_null(goods_return_amount(world, card, sale, 100));
        assert_int_equal(world->decision.refusal, REFUSAL_OTHER_ACCOUNT);
    }
    /* Moved on, and undone. */
    assert_int_equal(move(world, sale, 2), REFUSAL_NONE);
    assert_int_equal(goods_account(world, 1)->balance, 0);
    assert_int_equal(goods_undo(world, sale)->event.reversal.taken, 50 * POINT);
    assert_int_equal(goods_account(world, 2)->balance, 0);
    world_free(world);
}

/* A return from before the move is undone where the award is now. */
static void an_undone_return_follows_too(void **state)
{
    (void)state;
    for (uint32_t before = 0; before < 2; before++) {
        struct world *world = world_new(2);
        struct world_event *sale = goods_bought(world, 0, 10000);
        struct world_event *back = NULL;
        if (before == 1)
            back = goods_return_amount(world, 0, sale, 4000);
        assert_int_equal(move(world, sale, 1), REFUSAL_NONE);
        if (before == 0)
            back = goods_return_amount(world, 1, sale, 4000);
        assert_int_equal(goods_account(world, 1)->balance, 60 * POINT);
        assert_int_equal(goods_undo(world, back)->event.reversal.given, 40 * POINT);
        assert_int_equal(goods_account(world, 0)->balance, 0);
        assert_int_equal(goods_account(world, 1)->balance, 100 * POINT);
        assert_int_equal(goods_account(world, 1)->lifetime, 100 * POINT);
        assert_int_equal(sale->returned->due, 0);
        assert_int_equal(goods_undo(world, sale)->event.reversal.taken, 100 * POINT);
        assert_int_equal(goods_account(world, 1)->balance, 0);
        world_free(world);
    }
}

/* It pays the right account's debt first, and is debt there again when it goes back. */
static void it_settles_the_debt_that_it_finds(void **state)
{
    (void)state;
    struct world *world = world_new(2);
    struct world_event *sale = goods_bought(world, 0, 10000);
    goods_give(world, 1, -30 * POINT);
    assert_int_equal(move(world, sale, 1), REFUSAL_NONE);
    assert_int_equal(goods_account(world, 1)->balance, 70 * POINT);
    assert_int_equal(sale->returned->moved_settled, 30 * POINT);
    world->programme.claw_back = CLAW_BACK_OWN;
    struct world_event *back = goods_return_amount(world, 1, sale, 10000);
    assert_int_equal(back->event.goods_return.owed_again, 30 * POINT);
    assert_int_equal(back->event.goods_return.own_taken, 70 * POINT);
    assert_int_equal(goods_account(world, 1)->balance, -30 * POINT);
    world_free(world);
}

/* Of 100, 40 were spent and 60 expired: the 40 go over, the 60 count as taken ever after. */
static void what_expired_does_not_go_over(void **state)
{
    (void)state;
    struct world *world = world_new(2);
    world->programme.expiry = (struct expiry){ .kind = EXPIRY_MONTHS, .months = 1 };
    struct world_event *sale = goods_bought(world, 0, 10000);
    assert_int_equal(world_redeem(world, 0, 40 * POINT), REFUSAL_NONE);
    world_go_to(world, 2026, 4, 11);
    world_run_days(world);
    assert_int_equal(move(world, sale, 1), REFUSAL_NONE);
    assert_int_equal(goods_account(world, 0)->balance, -40 * POINT);
    assert_int_equal(sale->returned->moved_expired, 60 * POINT);
    world_run_days(world); /* what went over keeps its day, which is past */
    assert_int_equal(goods_account(world, 1)->balance, 0);
    const struct goods_return *back = &goods_return_amount(world, 1, sale, 10000)->event.goods_return;
    assert_int_equal(back->expired, 100 * POINT);
    assert_int_equal(back->taken, 0);
    assert_int_equal(goods_account(world, 1)->balance, 0);
    world_free(world);
}

/* What was spent on the purchase comes back to who spent it. */
static void spent_points_go_to_the_buyer(void **state)
{
    (void)state;
    struct world *world = world_new(2);
    goods_give(world, 0, 200 * POINT);
    struct sale_line line = { .quantity = 1000, .amount = 10000 };
    struct wish wish = { .points = 150 * POINT };
    struct world_event *sale = goods_bought_with(world, 0, 1, &line, &wish);
    assert_int_equal(sale->event.purchase.earned, 98 * POINT);
    assert_int_equal(move(world, sale, 1), REFUSAL_NONE);
    struct wish more = { .points = 20 * POINT };
    goods_redeem(world, 1, &more, sale);
    assert_int_equal(goods_account(world, 1)->balance, 78 * POINT);
    struct world_event *back = goods_return_amount(world, 1, sale, 10000);
    assert_int_equal(back->event.goods_return.given_back, 170 * POINT);
    assert_int_equal(goods_account(world, 0)->balance, 200 * POINT);
    assert_int_equal(goods_account(world, 1)->balance, 0);
    assert_int_equal(goods_undo(world, back)->event.reversal.taken, 170 * POINT);
    assert_int_equal(goods_account(world, 0)->balance, 50 * POINT);
    assert_int_equal(goods_account(world, 1)->balance, 78 * POINT);
    world_free(world);
}

/* Lifetime and what counts for a tier move, and stamps. */
static void what_it_counted_goes_along(void **state)
{
    (void)state;
    for (enum tier_basis basis = TIER_BY_SPEND; basis <= TIER_BY_VISITS; basis++) {
        struct world *world = world_new(2);
        struct programme *programme = &world->programme;
        programme->tiers.count = 1;
        programme->tiers.basis = basis;
        programme->tiers.window = TIER_WINDOW_EVER;
        programme->tiers.tiers[0] = (struct tier){ .id = 42, .from = 1, .factor = 1000 };
        programme->purse_count = 1;
        programme->purses[0].id = 77;
        programme->offer_count = 1;
        programme->offers[0] = (struct offer){ .kind = OFFER_STAMP, .id = 5, .points = POINT };
        programme->offers[0].period = (struct period){ .from = INT32_MIN, .through = DAY_NEVER };
        struct world_event *sale = goods_bought(world, 0, 10000);
        assert_int_equal(goods_account(world, 0)->tier.id, 42);
        assert_int_equal(goods_account(world, 0)->stamps[0].count, POINT);
        assert_int_equal(move(world, sale, 1), REFUSAL_NONE);
        const struct account *from = goods_account(world, 0);
        const struct account *to = goods_account(world, 1);
        assert_int_equal(from->tier.id, 0);
        assert_int_equal(to->tier.id, 42);
        assert_int_equal(from->ever.spend + from->ever.visits + from->ever.points, 0);
        assert_true(to->ever.spend + to->ever.visits + to->ever.points > 0);
        const struct stamps *left = account_stamps(from, 77);
        assert_true(left == NULL || left->count == 0);
        assert_int_equal(account_stamps(to, 77)->count, POINT);
        assert_non_null(goods_undo(world, sale));
        assert_int_equal(to->tier.id, 0);
        assert_int_equal(to->ever.spend + to->ever.visits + to->ever.points, 0);
        world_free(world);
    }
}

/* Each row breaks one rule fewer than the one above (enum refusal). */
static void refusals_come_in_their_order(void **state)
{
    (void)state;
    struct world *world = world_new(3);
    struct world_event *sale = goods_bought(world, 0, 10000);
    world->cards[2].status = CARD_CLOSED;
    assert_int_equal(move(world, NULL, 2), REFUSAL_CARD_CLOSED);
    assert_int_equal(move(world, NULL, 1), REFUSAL_UNKNOWN_PURCHASE);
    assert_non_null(goods_undo(world, sale));
    assert_int_equal(move(world, sale, 0), REFUSAL_SAME_ACCOUNT);
    assert_int_equal(move(world, sale, 1), REFUSAL_PURCHASE_REVERSED);
    sale = goods_bought(world, 0, 10000);
    assert_non_null(goods_return_amount(world, 0, sale, 10000));
    assert_int_equal(move(world, sale, 1), REFUSAL_NOTHING_TO_DO);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_spent_of_it_becomes_debt),
        cmocka_unit_test(returns_follow),
        cmocka_unit_test(an_undone_return_follows_too),
        cmocka_unit_test(it_settles_the_debt_that_it_finds),
        cmocka_unit_test(what_expired_does_not_go_over),
        cmocka_unit_test(spent_points_go_to_the_buyer),
        cmocka_unit_test(what_it_counted_goes_along),
        cmocka_unit_test(refusals_come_in_their_order),
    };
    return cmocka_run_group_tests_name("moved awards", tests, NULL, NULL);
}
