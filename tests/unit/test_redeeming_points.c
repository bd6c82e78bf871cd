/* How many points a redemption takes, and for how much (DOMAIN.md, Redeeming). */
#include "redeeming_world.h"

#include <inttypes.h>

struct cut {
    const char *name;
    minor_units worth_amount; /* of a point, or of `per` */
    millipoints per, step, minimum;
    uint32_t decimals;
    bool last_part;
    millipoints have, want;
    minor_units bill;
    enum refusal refusal;
    millipoints points;
    minor_units worth;
};

static void assert_cut(const struct cut *row)
{
    struct world *world = shop_new(1);
    struct programme *programme = &world->programme;
    programme->worth_amount = row->worth_amount;
    programme->worth_points = row->per == 0 ? POINT : row->per;
    programme->redeem_step = row->step;
    programme->redeem_minimum = row->minimum;
    programme->redeem_last_part = row->last_part;
    programme->decimals = row->decimals;
    shop_give(world, 0, row->have);
    struct redeem_request request = { .card = world_card(0), .wish.points = row->want, .bill = row->bill };
    const struct world_event *booked = shop_redeem(world, &request);
    assert_refused(world, row->name, row->refusal);
    if (booked != NULL) {
        const struct redemption *made = &booked->event.redemption.made;
        if (made->points != row->points || made->worth != row->worth)
            fail_msg("%s: took %" PRId64 " for %" PRId64, row->name, made->points, made->worth);
        assert_int_equal(shop_free(world, 0), row->have - row->points);
        assert_int_equal(made->shortfall, 0);
    } else if (row->refusal == REFUSAL_NOT_ENOUGH_POINTS) {
        assert_int_equal(world->decision.needed, row->points);
        assert_int_equal(world->decision.available, row->have);
    }
    world_free(world);
}

static const struct cut cuts[] = {
    { .name = "100 points at 1.00, bill 10.00: takes 10, not 100 (Worked examples)",
      .worth_amount = 100,
      .have = 200 * POINT,
      .want = 100 * POINT,
      .bill = 1000,
      .points = 10 * POINT,
      .worth = 1000 },
    { .name = "points worth 2.00 each, bill 99.00: 49 for 98.00 (Worked examples)",
      .worth_amount = 200,
      .have = 200 * POINT,
      .want = 100 * POINT,
      .bill = 9900,
      .points = 49 * POINT,
      .worth = 9800 },
    { .name = "the same, last: part: 50 for 99.00 (Worked examples)",
      .worth_amount = 200,
      .last_part = true,
      .have = 200 * POINT,
      .want = 100 * POINT,
      .bill = 9900,
      .points = 50 * POINT,
      .worth = 9900 },
    { .name = "last: part, and whole ones reach zero: none more",
      .worth_amount = 200,
      .last_part = true,
      .have = 200 * POINT,
      .want = 100 * POINT,
      .bill = 9800,
      .points = 49 * POINT,
      .worth = 9800 },
    { .name = "last: part, and fewer are wanted",
      .worth_amount = 200,
      .last_part = true,
      .have = 200 * POINT,
      .want = 49 * POINT,
      .bill = 9900,
      .points = 49 * POINT,
      .worth = 9800 },
    { .name = "last: part, of a bill below one point",
      .worth_amount = 200,
      .last_part = true,
      .have = 2 * POINT,
      .want = 2 * POINT,
      .bill = 1,
      .points = POINT,
      .worth = 1 },
    { .name = "last: part is the smallest part that is booked",
      .worth_amount = 200,
      .last_part = true,
      .decimals = 2,
      .have = 200 * POINT,
      .want = 100 * POINT,
      .bill = 9901,
      .points = 49510,
      .worth = 9901 },
    { .name = "then down to the step",
      .worth_amount = 200,
      .step = 10 * POINT,
      .have = 200 * POINT,
      .want = 100 * POINT,
      .bill = 9900,
      .points = 40 * POINT,
      .worth = 8000 },
    { .name = "the step comes after the last part",
      .worth_amount = 200,
      .step = 10 * POINT,
      .last_part = true,
      .have = 200 * POINT,
      .want = 100 * POINT,
      .bill = 9900,
      .points = 50 * POINT,
      .worth = 9900 },
    { .name = "the step without a bill",
      .worth_amount = 200,
      .step = 10 * POINT,
      .have = 200 * POINT,
      .want = 39 * POINT,
      .points = 30 * POINT,
      .worth = 6000 },
    { .name = "then the minimum",
      .worth_amount = 200,
      .step = 10 * POINT,
      .minimum = 41 * POINT,
      .have = 200 * POINT,
      .want = 100 * POINT,
      .bill = 9900,
      .refusal = REFUSAL_BELOW_MINIMUM },
    { .name = "the minimum itself",
      .worth_amount = 200,
      .step = 10 * POINT,
      .minimum = 40 * POINT,
      .have = 200 * POINT,
      .want = 100 * POINT,
      .bill = 9900,
      .points = 40 * POINT,
      .worth = 8000 },
    { .name = "a bill below one point",
      .worth_amount = 200,
      .have = 2 * POINT,
      .want = 2 * POINT,
      .bill = 199,
      .refusal = REFUSAL_BELOW_MINIMUM },
    { .name = "the minimum goes before want of points",
      .worth_amount = 200,
      .minimum = 50 * POINT,
      .have = POINT,
      .want = 49 * POINT,
      .refusal = REFUSAL_BELOW_MINIMUM },
    { .name = "not enough for what remains: both numbers",
      .worth_amount = 100,
      .have = 5 * POINT,
      .want = 100 * POINT,
      .bill = 1000,
      .refusal = REFUSAL_NOT_ENOUGH_POINTS,
      .points = 10 * POINT },
    { .name = "enough for what remains",
      .worth_amount = 100,
      .have = 10 * POINT,
      .want = 100 * POINT,
      .bill = 1000,
      .points = 10 * POINT,
      .worth = 1000 },
    { .name = "no bill, no cut",
      .worth_amount = 100,
      .have = 100 * POINT,
      .want = 100 * POINT,
      .points = 100 * POINT,
      .worth = 10000 },
    { .name = "worth is rounded down",
      .worth_amount = 1,
      .per = 100 * POINT,
      .have = 300 * POINT,
      .want = 299 * POINT,
      .points = 299 * POINT,
      .worth = 2 },
    { .name = "the whole value fits, not the rounded one",
      .worth_amount = 1,
      .per = 100 * POINT,
      .have = 300 * POINT,
      .want = 299 * POINT,
      .bill = 2,
      .points = 200 * POINT,
      .worth = 2 },
    { .name = "parts of a point are cut to what is booked",
      .worth_amount = 100,
      .decimals = 1,
      .have = 20 * POINT,
      .want = 20 * POINT,
      .bill = 999,
      .points = 9900,
      .worth = 990 },
    { .name = "worth nothing: the bill is no bound",
      .worth_amount = 0,
      .have = 20 * POINT,
      .want = 20 * POINT,
      .bill = 999,
      .points = 20 * POINT },
    { .name = "worth more than an amount can be",
      .worth_amount = AMOUNT_MAX,
      .have = 2 * POINT,
      .want = 2 * POINT,
      .refusal = REFUSAL_OVER_LIMIT },
    { .name = "the same, with a bill",
      .worth_amount = AMOUNT_MAX,
      .have = 2 * POINT,
      .want = 2 * POINT,
      .bill = AMOUNT_MAX,
      .points = POINT,
      .worth = AMOUNT_MAX },
};

static void points_are_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cuts); i++)
        assert_cut(&cuts[i]);
}

/* An advice, or a capture after the worth of a point changed, is not refused for it. */
static void worth_is_at_most_an_amount(void **state)
{
    (void)state;
    struct world *world = shop_new(1);
    shop_give(world, 0, 10 * POINT);
    const struct world_event *hold = shop_hold(world, 0, &(struct wish){ .points = 2 * POINT });
    world->programme.worth_amount = AMOUNT_MAX;
    const struct world_event *booked = shop_capture(world, 0, hold, 0, 0);
    assert_int_equal(booked->event.redemption.made.worth, AMOUNT_MAX);
    world->flags = EVENT_FLAG_ADVICE;
    struct redeem_request request = { .card = world_card(0), .wish.points = 2 * POINT };
    booked = shop_redeem(world, &request);
    assert_int_equal(booked->event.redemption.made.worth, AMOUNT_MAX);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(points_are_cut),
        cmocka_unit_test(worth_is_at_most_an_amount),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
