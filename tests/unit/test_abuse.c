/* Every flag and blocking limit at its edge (RELIABILITY.md, Audit and abuse). */
#include "points_acts.h"

#define MINUTE (60 * US_PER_SECOND)

/* A world with nothing on but what the test turns on. */
static struct world *quiet_world(void)
{
    struct world *world = world_new(2);
    world->programme.abuse = (struct abuse_limits){ .staff_tag = "staff" };
    return world;
}

/* A purchase that was just now, unless it says otherwise. */
struct sold {
    const char *till, *operator;
    minor_units amount;
    int64_t ago_s;
    uint32_t flags;
    bool by_till;
};

static enum refusal sell(struct world *world, const struct sold *sold)
{
    struct purchase_request request = { .card = world_card(0),
                                        .amount = sold->amount != 0 ? sold->amount : 100,
                                        .time = world->now - sold->ago_s * US_PER_SECOND,
                                        .document = { .store = TEXT_LITERAL("S1"),
                                                      .till = text_of(sold->till != NULL ? sold->till : "1") },
                                        .operator= text_of(sold->operator!= NULL ? sold->operator: "") };
    do {
        struct judgement judgement = { .now = world->now, .flags = sold->flags, .till = sold->by_till };
        decide_purchase(&world->view, &judgement, &request, &world->decision);
    } while (world_day_first(world));
    enum refusal refusal = world->decision.refusal;
    if (refusal == REFUSAL_NONE)
        assert_non_null(world_book(world));
    return refusal;
}

/* What a purchase raises that is booked. */
static uint32_t raised(struct world *world, const struct sold *sold)
{
    assert_int_equal(sell(world, sold), REFUSAL_NONE);
    return world->decision.event.raises;
}

static void sell_times(struct world *world, uint32_t times, int64_t apart_s)
{
    for (uint32_t i = 0; i < times; i++) {
        assert_int_equal(raised(world, &(struct sold){ .till = "1" }), 0);
        world->now += apart_s * US_PER_SECOND;
    }
}

static void often_in_an_hour_at_one_till(void **state)
{
    (void)state;
    struct world *world = quiet_world();
    world->programme.abuse.card_hour = 3;
    sell_times(world, 2, 29 * 60);
    assert_int_equal(raised(world, &(struct sold){ .till = "2" }), 0);
    assert_int_equal(raised(world, &(struct sold){ .till = "1" }), FLAG_CARD_HOUR);
    world->now += 31 * MINUTE; /* the first two are more than an hour ago */
    assert_int_equal(raised(world, &(struct sold){ .till = "1" }), 0);
    assert_int_equal(raised(world, &(struct sold){ .till = "1" }), FLAG_CARD_HOUR);
    world_free(world);
}

/* An outbox that is drained, or a till that means ill, may send the last one first. */
static void the_order_hides_nothing(void **state)
{
    (void)state;
    struct world *world = quiet_world();
    world->programme.abuse.card_hour = 3;
    world->programme.abuse.operator_card = 4;
    struct sold sold = { .till = "1", .operator= "anna", .ago_s = 0 };
    assert_int_equal(raised(world, &sold), 0);
    sold.ago_s = 20 * 60;
    assert_int_equal(raised(world, &sold), 0);
    sold.ago_s = 70 * 60;
    assert_int_equal(raised(world, &sold), 0); /* of any hour only two */
    sold.ago_s = 40 * 60;
    assert_int_equal(raised(world, &sold), FLAG_CARD_HOUR | FLAG_OPERATOR);
    world_free(world);
}

/* Sixty minutes apart are not within an hour, whichever comes first. */
static void an_hour_ends(void **state)
{
    (void)state;
    struct world *world = quiet_world();
    world->programme.abuse.card_hour = 2;
    assert_int_equal(raised(world, &(struct sold){ .till = "1", .ago_s = 60 * 60 }), 0);
    assert_int_equal(raised(world, &(struct sold){ .till = "1" }), 0);
    assert_int_equal(raised(world, &(struct sold){ .till = "1", .ago_s = 120 * 60 }), 0);
    assert_int_equal(raised(world, &(struct sold){ .till = "1", .ago_s = 119 * 60 }), FLAG_CARD_HOUR);
    world_free(world);
}

static void often_on_a_day(void **state)
{
    (void)state;
    struct world *world = quiet_world();
    world->programme.abuse.card_day = 6;
    sell_times(world, 5, 60 * 60);
    assert_int_equal(raised(world, &(struct sold){ .till = "2" }), FLAG_CARD_DAY);
    world_go_to(world, 2026, 3, 11);
    assert_int_equal(raised(world, &(struct sold){ .till = "1" }), 0);
    world_free(world);
}

/* Days are those of the programme's zone, by the time of the sale. */
static void a_day_ends_at_midnight(void **state)
{
    (void)state;
    struct world *world = quiet_world();
    world->programme.abuse.card_day = 2;
    world->now = (int64_t)world_today(world) * US_PER_DAY - US_PER_SECOND;
    assert_int_equal(raised(world, &(struct sold){ .till = "1" }), 0);
    world->now += US_PER_SECOND;
    assert_int_equal(raised(world, &(struct sold){ .till = "1" }), 0);
    assert_int_equal(raised(world, &(struct sold){ .ago_s = 60 }), FLAG_CARD_DAY);
    assert_int_equal(raised(world, &(struct sold){ .till = "1" }), FLAG_CARD_DAY);
    world_free(world);
}

static void the_same_operator_in_thirty_days(void **state)
{
    (void)state;
    struct world *world = quiet_world();
    struct sold anna = { .operator= "anna" };
    world->programme.abuse.operator_card = 5;
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(raised(world, &anna), 0);
        assert_int_equal(raised(world, &(struct sold){ .operator= "bob" }), 0);
        world->now += 7 * US_PER_DAY;
    }
    assert_int_equal(raised(world, &(struct sold){ .operator= "" }), 0);
    assert_int_equal(raised(world, &anna), FLAG_OPERATOR);
    world->now += 30 * US_PER_DAY;
    assert_int_equal(raised(world, &anna), 0);
    world_free(world);
}

static void booked_late(void **state)
{
    (void)state;
    struct world *world = quiet_world();
    world->programme.abuse.late_s = 600;
    assert_int_equal(raised(world, &(struct sold){ .ago_s = 600 }), 0);
    assert_int_equal(raised(world, &(struct sold){ .ago_s = 601 }), FLAG_LATE_SALE);
    assert_int_equal(raised(world, &(struct sold){ .ago_s = 601, .flags = EVENT_FLAG_HISTORIC }), 0);
    assert_int_equal(raised(world, &(struct sold){ .ago_s = 601, .flags = EVENT_FLAG_ADVICE }),
                     FLAG_LATE_SALE);
    const uint32_t lost = EVENT_FLAG_ADVICE | EVENT_FLAG_SERVER_LOST;
    assert_int_equal(raised(world, &(struct sold){ .ago_s = 601, .flags = lost }), 0);
    world->programme.abuse.late_s = 0;
    assert_int_equal(raised(world, &(struct sold){ .ago_s = 86400 }), 0);
    world_free(world);
}

static void many_points_on_a_day(void **state)
{
    (void)state;
    struct world *world = quiet_world();
    world->programme.abuse.points_day = 50 * POINT;
    assert_int_equal(raised(world, &(struct sold){ .amount = 4900 }), 0);
    assert_int_equal(raised(world, &(struct sold){ .amount = 99 }), 0); /* earns nothing */
    assert_int_equal(raised(world, &(struct sold){ .amount = 100 }), FLAG_POINTS_DAY);
    assert_int_equal(raised(world, &(struct sold){ .amount = 99 }), 0);
    world_go_to(world, 2026, 3, 11);
    assert_int_equal(raised(world, &(struct sold){ .amount = 4900 }), 0);
    assert_int_equal(raised(world, &(struct sold){ .amount = 100, .ago_s = 86400 }), FLAG_POINTS_DAY);
    world_go_to(world, 2026, 3, 12);
    assert_int_equal(raised(world, &(struct sold){ .amount = 5000 }), FLAG_POINTS_DAY);
    world_free(world);
}

/* --- what is refused --- */

static void tills_are_refused_what_is_too_often(void **state)
{
    (void)state;
    struct world *world = quiet_world();
    world->programme.abuse.card_day_block = 4;
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(raised(world, &(struct sold){ .by_till = true }), 0);
    assert_int_equal(sell(world, &(struct sold){ .by_till = true }), REFUSAL_TOO_OFTEN);
    assert_int_equal(sell(world, &(struct sold){ .till = "2", .by_till = true }), REFUSAL_TOO_OFTEN);
    assert_int_equal(raised(world, &(struct sold){ .by_till = true, .flags = EVENT_FLAG_ADVICE }),
                     FLAG_BLOCKED_LIMIT);
    assert_int_equal(raised(world, &(struct sold){ .by_till = true, .flags = EVENT_FLAG_HISTORIC }), 0);
    assert_int_equal(raised(world, &(struct sold){ .by_till = false }), 0);
    world_go_to(world, 2026, 3, 11);
    assert_int_equal(raised(world, &(struct sold){ .by_till = true }), 0);
    world_free(world);
}

static void tills_are_refused_too_many_points(void **state)
{
    (void)state;
    struct world *world = quiet_world();
    world->programme.abuse.points_day_block = 200 * POINT;
    assert_int_equal(sell(world, &(struct sold){ .amount = 20000, .by_till = true }), REFUSAL_TOO_OFTEN);
    assert_int_equal(raised(world, &(struct sold){ .amount = 19900, .by_till = true }), 0);
    assert_int_equal(sell(world, &(struct sold){ .amount = 100, .by_till = true }), REFUSAL_TOO_OFTEN);
    assert_int_equal(raised(world, &(struct sold){ .amount = 99, .by_till = true }), 0);
    assert_int_equal(raised(world, &(struct sold){ .amount = 100, .flags = EVENT_FLAG_ADVICE }),
                     FLAG_BLOCKED_LIMIT);
    assert_int_equal(raised(world, &(struct sold){ .amount = 100 }), 0);
    world_free(world);
}

/* --- staff --- */

static void staff_cards(void **state)
{
    (void)state;
    struct world *world = quiet_world();
    world->programme.abuse.staff_day = 2;
    assert_int_equal(act_tag(world, "1", "staff-17", NULL), REFUSAL_NONE);
    assert_int_equal(raised(world, &(struct sold){ .operator= "18" }), 0);
    assert_int_equal(raised(world, &(struct sold){ .operator= "17" }), FLAG_STAFF);
    assert_int_equal(raised(world, &(struct sold){ .operator= "18" }), 0); /* no staff card by this tag alone */
    world_go_to(world, 2026, 3, 11);
    assert_int_equal(act_tag(world, "1", "staff", "staff-17"), REFUSAL_NONE);
    assert_int_equal(raised(world, &(struct sold){ .operator= "17" }), 0);
    assert_int_equal(raised(world, &(struct sold){ .operator= "17" }), FLAG_STAFF);
    world->programme.abuse.staff_day = 0;
    assert_int_equal(raised(world, &(struct sold){ .operator= "17" }), 0);
    world_free(world);
}

/* --- redeeming --- */

static uint32_t redeem(struct world *world, millipoints points, uint32_t flags)
{
    struct redeem_request request = { .card = world_card(0), .wish = { .points = points } };
    struct judgement judgement = { .now = world->now, .flags = flags };
    decide_redeem(&world->view, &judgement, &request, &world->decision);
    assert_non_null(world_book(world));
    return world->decision.event.raises;
}

static void redeemed_soon_after_the_first_earning(void **state)
{
    (void)state;
    struct world *world = quiet_world();
    world->programme.abuse.redeem_after_s = 30 * 60;
    assert_int_equal(act_bonus(world, "1", 10 * POINT), REFUSAL_NONE);
    assert_int_equal(redeem(world, POINT, 0), 0); /* nothing was earned yet */
    assert_int_equal(raised(world, &(struct sold){ .amount = 9900 }), 0);
    world->now += 30 * MINUTE;
    assert_int_equal(redeem(world, POINT, 0), FLAG_QUICK_REDEEM);
    assert_int_equal(redeem(world, POINT, EVENT_FLAG_HISTORIC), 0);
    world->now += MINUTE;
    assert_int_equal(redeem(world, POINT, 0), 0);
    assert_int_equal(raised(world, &(struct sold){ .amount = 9900 }), 0);
    assert_int_equal(redeem(world, POINT, 0), 0); /* it was not the first */
    world_go_to(world, 2026, 3, 12);
    assert_int_equal(raised(world, &(struct sold){ .amount = 9900 }), 0);
    assert_int_equal(world->accounts[0].first_earned, EARNED_LONG_AGO);
    assert_int_equal(redeem(world, POINT, 0), 0);
    assert_int_equal(raised(world, &(struct sold){ .amount = 9900 }), 0);
    assert_int_equal(world->accounts[0].first_earned, EARNED_LONG_AGO);
    world_free(world);
}

static void redeemed_in_a_purchase_soon_after_the_first(void **state)
{
    (void)state;
    struct world *world = quiet_world();
    world->programme.abuse.redeem_after_s = 30 * 60;
    struct wish wish = { .points = POINT };
    struct purchase_request request = {
        .card = world_card(0), .amount = 1000, .wish_count = 1, .wishes = &wish
    };
    assert_int_equal(raised(world, &(struct sold){ .amount = 9900 }), 0);
    world_ask(world, decide_purchase, &request);
    assert_int_equal(world_book(world)->event.raises, FLAG_QUICK_REDEEM);
    world->now += 31 * MINUTE;
    world_ask(world, decide_purchase, &request);
    assert_int_equal(world_book(world)->event.raises, 0);
    world_free(world);
}

static void redeemed_offline_beyond_the_limits(void **state)
{
    (void)state;
    struct world *world = quiet_world();
    const uint32_t offline = EVENT_FLAG_ADVICE | EVENT_FLAG_OFFLINE;
    world->programme.offline_card = 10 * POINT;
    world->programme.offline_till = 8 * POINT;
    assert_int_equal(act_bonus(world, "1", 100 * POINT), REFUSAL_NONE);
    assert_int_equal(redeem(world, 8 * POINT, offline), 0);
    assert_int_equal(redeem(world, 2 * POINT, offline), 0);
    assert_int_equal(redeem(world, 50 * POINT, EVENT_FLAG_ADVICE), 0);
    assert_int_equal(redeem(world, 1 * POINT, offline), FLAG_OFFLINE_LIMIT);
    world_go_to(world, 2026, 3, 11);
    assert_int_equal(redeem(world, 9 * POINT, offline), FLAG_OFFLINE_LIMIT); /* of a till */
    world_go_to(world, 2026, 3, 12);
    world->programme.offline_card = world->programme.offline_till = 0;
    assert_int_equal(redeem(world, 1 * POINT, offline), FLAG_OFFLINE_LIMIT);
    world_free(world);
}

/* --- goods that come back --- */

static void returns_without_a_purchase(void **state)
{
    (void)state;
    struct world *world = quiet_world();
    assert_int_equal(world_unlinked(world, 0, 100), REFUSAL_NONE);
    assert_int_equal(world->decision.event.raises, 0);
    world->flags = EVENT_FLAG_ADVICE;
    assert_int_equal(world_unlinked(world, 0, 100), REFUSAL_NONE);
    assert_int_equal(world->decision.event.raises, FLAG_UNLINKED);
    world->flags = EVENT_FLAG_ADVICE | EVENT_FLAG_HISTORIC;
    assert_int_equal(world_unlinked(world, 0, 100), REFUSAL_NONE);
    assert_int_equal(world->decision.event.raises, 0);
    world_free(world);
}

/* --- what is remembered --- */

static void nothing_is_kept_for_what_is_off(void **state)
{
    (void)state;
    struct world *world = quiet_world();
    sell_times(world, 3, 1);
    const struct account *account = &world->accounts[0];
    assert_int_equal(account->recent_count, 0);
    assert_int_equal(account->first_earned, 0);
    assert_int_equal(account->earned_on_day, 0);
    world_free(world);
}

static void the_newest_are_kept_by_time(void **state)
{
    (void)state;
    struct world *world = quiet_world();
    world->programme.abuse.card_day = 16;
    for (int64_t i = 0; i < 20; i++) /* each a minute before the one before */
        assert_int_equal(sell(world, &(struct sold){ .ago_s = 60 * i }), REFUSAL_NONE);
    const struct account *account = &world->accounts[0];
    assert_int_equal(account->recent_count, ACCOUNT_RECENT_MAX);
    for (uint32_t i = 0; i < ACCOUNT_RECENT_MAX; i++)
        assert_int_equal(account->recent[i] >> 32, account_minute(world->now) - (ACCOUNT_RECENT_MAX - 1) + i);
    world->now += 30 * US_PER_DAY; /* of that one and the newest the month is not over */
    assert_int_equal(sell(world, &(struct sold){ .till = "1" }), REFUSAL_NONE);
    assert_int_equal(account->recent_count, 2);
    world_free(world);
}

static void a_merge_keeps_what_both_did(void **state)
{
    (void)state;
    struct world *world = quiet_world();
    world->programme.abuse.card_day = 3;
    world->programme.abuse.points_day = 3 * POINT;
    world->programme.abuse.redeem_after_s = 60;
    sell_times(world, 1, 120);
    assert_non_null(world_purchase(world, 1, 100, 0, NULL));
    assert_int_equal(act_merge(world, "2", "1"), REFUSAL_NONE);
    const struct account *account = &world->accounts[0];
    assert_int_equal(account->recent_count, 2);
    assert_true(account->recent[0] < account->recent[1]);
    assert_int_equal(account->first_earned, account->recent[0] >> 32);
    assert_int_equal(account->earned_on_day, 2 * POINT);
    assert_int_equal(world->accounts[1].recent_count, 0);
    assert_int_equal(raised(world, &(struct sold){ .till = "1" }), FLAG_CARD_DAY | FLAG_POINTS_DAY);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(often_in_an_hour_at_one_till),
        cmocka_unit_test(the_order_hides_nothing),
        cmocka_unit_test(an_hour_ends),
        cmocka_unit_test(often_on_a_day),
        cmocka_unit_test(a_day_ends_at_midnight),
        cmocka_unit_test(the_same_operator_in_thirty_days),
        cmocka_unit_test(booked_late),
        cmocka_unit_test(many_points_on_a_day),
        cmocka_unit_test(tills_are_refused_what_is_too_often),
        cmocka_unit_test(tills_are_refused_too_many_points),
        cmocka_unit_test(staff_cards),
        cmocka_unit_test(redeemed_soon_after_the_first_earning),
        cmocka_unit_test(redeemed_in_a_purchase_soon_after_the_first),
        cmocka_unit_test(redeemed_offline_beyond_the_limits),
        cmocka_unit_test(returns_without_a_purchase),
        cmocka_unit_test(nothing_is_kept_for_what_is_off),
        cmocka_unit_test(the_newest_are_kept_by_time),
        cmocka_unit_test(a_merge_keeps_what_both_did),
    };
    return cmocka_run_group_tests_name("abuse", tests, NULL, NULL);
}
