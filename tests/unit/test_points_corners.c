/* States that few accounts reach, and that rules meet all the same. */
#include "goods_world.h"
#include "redeeming_world.h"

static struct world_event *buy(struct world *world, const struct purchase_request *request)
{
    world_ask(world, decide_purchase, request);
    return world_book(world);
}

/* --- caps, limits --- */

/* (Earning) The cap on the balance, (Redeeming) judged on what the receipt's own redemptions left of it. */
static void what_a_receipt_spends_is_room_under_the_cap(void **state)
{
    (void)state;
    static const struct {
        bool spend_earned;
        millipoints earned;
    } rows[] = { { false, 50 * POINT }, { true, 0 } };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct world *world = shop_new(1);
        world->programme.caps.balance = 100 * POINT;
        world->programme.spend_earned = rows[i].spend_earned;
        shop_give(world, 0, 100 * POINT);
        struct wish wish = { .points = 50 * POINT };
        struct world_event *sale = shop_buy(world, 0, 15000, 1, &wish);
        assert_non_null(sale);
        assert_int_equal(sale->event.purchase.base, 10000);
        assert_int_equal(sale->event.purchase.earned, rows[i].earned);
        world_free(world);
    }
}

static bool apply(struct account *account, const struct account_change *change)
{
    struct account_change changes[1] = { *change };
    struct effect effect = { .account = account->number, .change_count = 1, .changes = changes };
    return effect_apply(&effect, 100, account);
}

/* (LEDGER.md, State) Only so many counters are kept: a use that counts for ever does not give way before others. */
static void what_counts_for_ever_gives_way_last(void **state)
{
    (void)state;
    static struct account account;
    account_new(1, &account);
    struct account_change use = { .kind = CHANGE_TALLY, .which = TALLY_REWARD, .id = 1, .value = 1 };
    assert_true(apply(&account, &use)); /* of its period 0 */
    for (uint64_t i = 2; i <= 2 * ACCOUNT_TALLIES_MAX; i++) {
        use.id = i;
        use.period = 20000 + (int32_t)i;
        assert_true(apply(&account, &use));
    }
    assert_int_equal(account.tally_count, ACCOUNT_TALLIES_MAX);
    assert_int_equal(account_tally(&account, TALLY_REWARD, 1, 0), 1);
    assert_int_equal(account_tally(&account, TALLY_REWARD, ACCOUNT_TALLIES_MAX + 1, 20161), 0);
    assert_int_equal(account_tally(&account, TALLY_REWARD, ACCOUNT_TALLIES_MAX + 2, 20162), 1);
    account.tally_count = 0;
    for (uint64_t i = 1; i <= ACCOUNT_TALLIES_MAX + 1; i++) {
        use.id = i;
        use.period = 0;
        assert_true(apply(&account, &use));
    }
    assert_int_equal(account_tally(&account, TALLY_REWARD, 1, 0), 0);
}

/* (Redeeming) A hold ends once, and gives its stamps back: their purse does not give way before that, nor do others that
 * hold stamps before those that are empty. */
static void purses_with_held_stamps_do_not_give_way(void **state)
{
    (void)state;
    static struct account account;
    account_new(1, &account);
    struct account_change got = { .kind = CHANGE_STAMPS };
    for (uint64_t purse = 1; purse <= ACCOUNT_STAMPS_MAX; purse++) {
        got.id = purse;
        got.value = purse == 5 ? 0 : 7 * POINT;
        assert_true(apply(&account, &got));
    }
    struct account_change held = { .kind = CHANGE_STAMPS_HELD, .id = 1, .value = 2 * POINT };
    assert_true(apply(&account, &held));
    got.value = POINT;
    got.id = 17;
    assert_true(apply(&account, &got));
    assert_null(account_stamps(&account, 5));
    got.id = 18;
    assert_true(apply(&account, &got));
    assert_null(account_stamps(&account, 2));
    held.value = -2 * POINT;
    assert_true(apply(&account, &held));
    assert_int_equal(account_stamps(&account, 1)->count, 7 * POINT);
    for (uint32_t i = 0; i < account.stamps_count; i++)
        account.stamps[i].held = 1;
    got.id = 19;
    assert_false(apply(&account, &got));
}

/* (Numbers) Limits are set at decode: goods are worth no more than an amount can be, whatever is taken off them. */
static void goods_are_no_more_than_an_amount(void **state)
{
    (void)state;
    struct sale_line lines[] = { { .kind = LINE_DEPOSIT, .amount = AMOUNT_MAX },
                                 { .kind = LINE_SALE, .amount = 1 },
                                 { .kind = LINE_DISCOUNT, .amount = -1 } };
    struct world *world = world_new(1);
    assert_null(world_purchase(world, 0, AMOUNT_MAX, COUNT_OF(lines), lines));
    assert_int_equal(world->decision.refusal, REFUSAL_LINES_MISMATCH);
    assert_string_equal(world->decision.detail, "the goods are worth more than an amount can be");
    lines[0].amount--;
    assert_non_null(world_purchase(world, 0, AMOUNT_MAX - 1, COUNT_OF(lines), lines));
    world_free(world);
}

/* (Earning) Stamps: a purse holds no more than 10^12 of them, on either side of zero. */
static void a_purse_has_a_limit(void **state)
{
    (void)state;
    struct world *world = shop_new(1);
    struct programme *programme = &world->programme;
    programme->offer_count = 1;
    programme->offers[0] = (struct offer){
        .kind = OFFER_STAMP, .id = 3, .points = POINT, .period = { .from = INT32_MIN, .through = DAY_NEVER }
    };
    shop_stamp(world, 0, MILLIPOINTS_MAX - POINT);
    assert_non_null(world_purchase(world, 0, 100, 0, NULL));
    assert_int_equal(world->accounts[0].stamps[0].count, MILLIPOINTS_MAX);
    assert_null(world_purchase(world, 0, 100, 0, NULL));
    assert_int_equal(world->decision.refusal, REFUSAL_OVER_LIMIT);
    world_free(world);
}

/* So many lots of a point each, whose last days follow each other. */
static void fill_lots(struct world *world, uint32_t count)
{
    struct account *account = &world->accounts[0];
    for (uint32_t i = 0; i < count; i++) {
        account->lots[account->lot_count++] =
            (struct lot){ .number = account->next_lot++,
                          .points = POINT,
                          .earned = world_today(world),
                          .last_day = world_today(world) + 10 + (local_day)i };
        account->balance += POINT;
    }
}

/* (Returning goods) What comes back to a full account, and what is taken of it, may be more than an event can tell. */
static void more_than_an_event_can_tell_is_refused(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    struct world_event *sale = goods_bought(world, 0, 1000000);
    assert_int_equal(world_redeem(world, 0, 10000 * POINT), REFUSAL_NONE);
    fill_lots(world, ACCOUNT_LOTS_MAX - 1);
    struct wish all = { .points = (ACCOUNT_LOTS_MAX - 1) * POINT };
    assert_non_null(goods_redeem(world, 0, &all, sale));
    fill_lots(world, ACCOUNT_LOTS_MAX);
    assert_null(goods_return_amount(world, 0, sale, 1000000));
    assert_int_equal(world->decision.refusal, REFUSAL_OVER_LIMIT);
    assert_int_equal(world_redeem(world, 0, ACCOUNT_LOTS_MAX * POINT), REFUSAL_NONE);
    assert_non_null(goods_return_amount(world, 0, sale, 1000000));
    assert_int_equal(world->accounts[0].balance, (ACCOUNT_LOTS_MAX - 1 - 10000) * POINT);
    world_free(world);
}

/* --- times --- */

/* (Numbers) An import keeps its own time; (Lots) what had expired by now pays no debt of now. */
static void what_has_expired_long_ago_settles_nothing(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    world->programme.expiry = (struct expiry){ .kind = EXPIRY_MONTHS, .months = 12 };
    assert_int_equal(world_adjust(world, 0, -30 * POINT, true), REFUSAL_NONE);
    world->flags = EVENT_FLAG_HISTORIC;
    struct purchase_request request = { .card = world_card(0),
                                        .amount = 10000,
                                        .time = world->now - 800 * US_PER_DAY };
    struct world_event *sale = buy(world, &request);
    assert_int_equal(sale->event.purchase.earned, 100 * POINT);
    assert_int_equal(sale->event.purchase.settled, 0);
    world_run_days(world);
    struct balance balance = world_balance(world, 0);
    assert_int_equal(balance.debt, 30 * POINT);
    assert_int_equal(balance.available, 0);
    assert_int_equal(world->accounts[0].balance, -30 * POINT);
    world_free(world);
}

/* (Numbers) It keeps its own time whatever its age; but what has not happened yet is no history. */
static void history_is_not_of_the_future(void **state)
{
    (void)state;
    struct judgement judgement = { .now = WORLD_START, .flags = EVENT_FLAG_HISTORIC };
    static const struct {
        utc_us ahead;
        bool kept;
    } rows[] = { { -20000 * US_PER_DAY, true },
                 { US_PER_DAY, true },
                 { US_PER_DAY + 1, false },
                 { 2000000 * US_PER_DAY, false } };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        uint32_t flags = 0;
        utc_us time = WORLD_START + rows[i].ahead;
        assert_int_equal(judged_time(&judgement, time, &flags), rows[i].kept ? time : WORLD_START);
        assert_int_equal(flags, rows[i].kept ? 0 : EVENT_FLAG_SERVER_TIME);
    }
}

/* (Tiers) A return counts back what its award counted, on the very day it matured; a till's clock was ahead. */
static void an_award_of_tomorrow_matures_when_it_says(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    struct programme *programme = &world->programme;
    programme->mature_days = 14;
    programme->tiers = (struct tiers){ .count = 1, .basis = TIER_BY_POINTS, .window = TIER_WINDOW_EVER };
    programme->tiers.tiers[0] = (struct tier){ .id = 5, .from = 1000 * POINT, .factor = 1000 };
    struct purchase_request request = { .card = world_card(0),
                                        .amount = 10000,
                                        .time = world->now + US_PER_DAY / 2 };
    struct world_event *sale = buy(world, &request);
    assert_int_equal(sale->event.purchase.matures, world->accounts[0].lots[0].matures);
    world->now += 14 * US_PER_DAY;
    world_run_days(world);
    assert_int_equal(world->accounts[0].ever.points, 100 * POINT);
    assert_non_null(goods_return_amount(world, 0, sale, 10000));
    assert_int_equal(world->accounts[0].ever.points, 0);
    world_free(world);
}

/* --- rewards --- */

/*
 * (Undoing) A reversal gives every counter back, (Returning goods) and what comes back of a thing is less the cost of what
 * stays: though the reward left the programme while it was held.
 */
static void a_held_reward_may_leave_the_programme(void **state)
{
    (void)state;
    struct world *world = shop_new(1);
    shop_give(world, 0, 100 * POINT);
    shop_raise(world, 0);
    struct wish wish = { .reward = shop_reward_name(MUG) };
    struct world_event *mug = shop_hold(world, 0, &wish);
    assert_non_null(mug);
    wish.reward = shop_reward_name(CINEMA);
    wish.quantity = 2;
    struct world_event *cinema = shop_hold(world, 0, &wish);
    assert_non_null(cinema);
    assert_int_equal(shop_uses(world, 0, MUG), 1);
    world_publish(world)->reward_count = 0;
    struct world_event *captured = shop_capture(world, 0, mug, 0, 0);
    assert_non_null(captured);
    assert_non_null(goods_undo(world, captured));
    assert_int_equal(shop_uses(world, 0, MUG), 0);
    assert_int_equal(shop_used(world, MUG), 0);

    struct sale_line tickets = { .quantity = 2000, .amount = 0, .kind = LINE_REWARD };
    struct wish capture = { .hold = cinema->position, .line = 1 };
    struct world_event *sale = goods_bought_with(world, 0, 1, &tickets, &capture);
    struct return_request_line one = { .number = 1, .quantity = 1000 };
    struct world_event *first = goods_return_lines(world, 0, sale, 1, &one);
    assert_int_equal(first->event.goods_return.given_back, 0); /* one costs as much as two */
    struct world_event *second = goods_return_lines(world, 0, sale, 1, &one);
    assert_int_equal(second->event.goods_return.given_back, 5 * POINT);
    world_free(world);
}

/* (Earning) Stamps are whole: of their share with the goods, parts do not come back, whatever parts points have. */
static void whole_stamps_come_back(void **state)
{
    (void)state;
    struct world *world = shop_new(1);
    world->programme.decimals = 3;
    struct reward *reward = shop_reward(world, FIVE_OFF);
    reward->cost_points = 0;
    reward->cost_stamps = 10 * POINT;
    shop_stamp(world, 0, 10 * POINT);
    struct wish wish = { .reward = shop_reward_name(FIVE_OFF) };
    struct sale_line line = { .quantity = 3000, .amount = 3000 };
    struct world_event *sale = goods_bought_with(world, 0, 1, &line, &wish);
    struct return_request_line one = { .number = 1, .quantity = 1000 };
    assert_non_null(goods_return_lines(world, 0, sale, 1, &one));
    assert_int_equal(world->accounts[0].stamps[0].count, 3 * POINT);
    world_free(world);
}

/* --- what is taken back --- */

/* (Returning goods) By `own` only the award's own lot is taken from: what was added since is not, nor what was joined. */
static void own_lots_are_nobody_elses(void **state)
{
    (void)state;
    static const struct {
        uint32_t purchases; /* beside it, so that lots are joined */
        bool spend;
        millipoints taken;
    } rows[] = { { 0, true, 0 },
                 { 0, false, 100 * POINT },
                 { ACCOUNT_LOTS_BY_PURCHASE_MAX + 5, false, 100 * POINT } };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct world *world = world_new(1);
        world->programme.claw_back = CLAW_BACK_OWN;
        struct world_event *sale = goods_bought(world, 0, 10000);
        if (rows[i].spend)
            assert_int_equal(world_redeem(world, 0, 100 * POINT), REFUSAL_NONE);
        for (uint32_t k = 0; k < rows[i].purchases; k++)
            (void)goods_bought(world, 0, 100);
        goods_give(world, 0, 50 * POINT);
        struct world_event *back = goods_return_amount(world, 0, sale, 10000);
        assert_int_equal(back->event.goods_return.taken, rows[i].taken);
        assert_int_equal(back->event.goods_return.shortfall, 100 * POINT - rows[i].taken);
        world_free(world);
    }
}

/* (Tiers) By balance it is judged after every event: of an account that is closed, nothing carries it. */
static void a_closed_account_has_no_tier_by_balance(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    world->programme.tiers = (struct tiers){ .count = 1, .basis = TIER_BY_BALANCE, .kept = TIER_KEPT_NONE };
    world->programme.tiers.tiers[0] = (struct tier){ .id = 5, .from = 10 * POINT, .factor = 1000 };
    goods_give(world, 0, 50 * POINT);
    assert_int_equal(world->accounts[0].tier.id, 5);
    struct card_act_request request = { .act = CARD_ACT_CLOSE, .card = world_card(0) };
    world_ask(world, decide_card_act, &request);
    assert_non_null(world_book(world));
    assert_true(world->accounts[0].closed);
    assert_int_equal(world->accounts[0].tier.id, 0);
    world_free(world);
}

/* --- undoing --- */

/* (Undoing) What an unlinked return counted as taken back is told by its reversal, for reports. */
static void an_unlinked_return_is_undone_with_its_amount(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    goods_give(world, 0, 100 * POINT);
    assert_int_equal(world_unlinked(world, 0, 2500), REFUSAL_NONE);
    struct world_event *undone = goods_undo(world, world->events[world->event_count - 1]);
    assert_int_equal(undone->event.reversal.goods.amount, 2500);
    assert_int_equal(world->accounts[0].balance, 100 * POINT);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_receipt_spends_is_room_under_the_cap),
        cmocka_unit_test(what_counts_for_ever_gives_way_last),
        cmocka_unit_test(purses_with_held_stamps_do_not_give_way),
        cmocka_unit_test(goods_are_no_more_than_an_amount),
        cmocka_unit_test(a_purse_has_a_limit),
        cmocka_unit_test(more_than_an_event_can_tell_is_refused),
        cmocka_unit_test(what_has_expired_long_ago_settles_nothing),
        cmocka_unit_test(history_is_not_of_the_future),
        cmocka_unit_test(an_award_of_tomorrow_matures_when_it_says),
        cmocka_unit_test(a_held_reward_may_leave_the_programme),
        cmocka_unit_test(whole_stamps_come_back),
        cmocka_unit_test(own_lots_are_nobody_elses),
        cmocka_unit_test(a_closed_account_has_no_tier_by_balance),
        cmocka_unit_test(an_unlinked_return_is_undone_with_its_amount),
    };
    return cmocka_run_group_tests_name("points corners", tests, NULL, NULL);
}
