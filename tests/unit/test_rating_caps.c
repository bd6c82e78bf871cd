/* Caps on what a receipt, a day, a month earns, and on the balance. */
#include "rating_world.h"

struct cap_row {
    const char *what;
    struct caps caps;
    struct {
        millipoints day, month, balance;
    } before;
    uint32_t decimals;
    struct {
        enum part_kind kind; /* 0: none */
        millipoints points;
    } want; /* of 120 points */
};

static const struct cap_row cap_rows[] = {
    { "(examples) cap 100 a receipt: reject",
      { .receipt = 100000, .reject = true },
      { 0, 0, 0 },
      0,
      { PART_CAP_RECEIPT, 0 } },
    { "(examples) cap 100 a receipt: trim",
      { .receipt = 100000 },
      { 0, 0, 0 },
      0,
      { PART_CAP_RECEIPT, 100000 } },
    { "(Earning) reject: at the cap is not over it",
      { .receipt = 120000, .reject = true },
      { 0, 0, 0 },
      0,
      { 0, 120000 } },
    { "(Earning) a day's cap is full", { .day = 100000 }, { 100000, 0, 0 }, 0, { PART_CAP_DAY, 0 } },
    { "(Earning) over a day's cap, after a merge",
      { .day = 100000 },
      { 130000, 0, 0 },
      0,
      { PART_CAP_DAY, 0 } },
    { "(Earning) what is left of a day's cap; the last three trim",
      { .day = 100000, .reject = true },
      { 70000, 0, 0 },
      0,
      { PART_CAP_DAY, 30000 } },
    { "(Earning) what is left of a month's cap",
      { .month = 100000 },
      { 500000, 60000, 0 },
      0,
      { PART_CAP_MONTH, 40000 } },
    { "(Earning) a balance's cap: pending and held included",
      { .balance = 100000 },
      { 0, 0, 80000 },
      0,
      { PART_CAP_BALANCE, 20000 } },
    { "(Earning) a balance's cap: less debt",
      { .balance = 100000 },
      { 0, 0, -10000 },
      0,
      { PART_CAP_BALANCE, 110000 } },
    { "(Numbers) no smaller part than the programme's",
      { .receipt = 100500 },
      { 0, 0, 0 },
      0,
      { PART_CAP_RECEIPT, 100000 } },
    { "(Numbers) with decimals", { .receipt = 100500 }, { 0, 0, 0 }, 1, { PART_CAP_RECEIPT, 100500 } },
    { "(Earning) room enough",
      { .receipt = 200000, .day = 200000, .month = 200000, .balance = 200000 },
      { 80000, 80000, 80000 },
      0,
      { 0, 120000 } },
};

static struct tally tally_at(enum tally_kind kind, local_day period, int64_t value)
{
    return (struct tally){ .kind = kind, .period = period, .before = INT32_MIN, .value = value };
}

static void caps_trim(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cap_rows); i++) {
        const struct cap_row *row = &cap_rows[i];
        struct rating_world *world = rating_world_new();
        add_rule(world, RULE_SPEND, POINT, 100);
        world->programme.caps = row->caps;
        world->programme.decimals = row->decimals;
        world->input.amount = 12000;
        world->account.tallies[0] = tally_at(TALLY_CAP_DAY, day_of(2026, 3, 10), row->before.day);
        world->account.tallies[1] = tally_at(TALLY_CAP_MONTH, day_of(2026, 3, 1), row->before.month);
        world->account.tally_count = 2;
        world->account.balance = row->before.balance;
        if (rate_all(world, 0) != row->want.points)
            fail_msg("%s: %lld", row->what, (long long)world->sale.earned);
        assert_int_equal(world->sale.trimmed, 120000 - row->want.points);
        const struct award_part *part = row->want.kind == 0 ? NULL : part_of(world, row->want.kind);
        assert_int_equal(world->sale.part_count, row->want.kind == 0 ? 1 : 2);
        if (row->want.kind != 0 &&
            (part == NULL || part->input != 120000 || part->result != row->want.points - 120000))
            fail_msg("%s: the part", row->what);
        rating_world_free(world);
    }
}

/*
 * (Earning) All four in their order: each judges what the one before left; the tallies count what was earned
 * at last.
 */
static void caps_in_order(void **state)
{
    (void)state;
    struct rating_world *world = rating_world_new();
    add_rule(world, RULE_SPEND, POINT, 100);
    world->programme.caps = (struct caps){ .receipt = 90000, .day = 80000, .month = 70000, .balance = 60000 };
    world->input.amount = 12000;
    assert_int_equal(rate_all(world, 0), 60 * POINT);
    assert_int_equal(world->sale.trimmed, 60 * POINT);
    for (uint32_t i = 1; i < 5; i++) {
        assert_int_equal(world->parts[i].kind, PART_CAP_RECEIPT + i - 1);
        assert_int_equal(world->parts[i].result, i == 1 ? -30000 : -10000);
    }
    assert_int_equal(world->rating.tally_count, 2);
    assert_int_equal(world->rating.tallies[0].which, TALLY_CAP_DAY);
    assert_int_equal(world->rating.tallies[0].period, day_of(2026, 3, 10));
    assert_int_equal(world->rating.tallies[0].value, 60 * POINT);
    assert_int_equal(world->rating.tallies[1].which, TALLY_CAP_MONTH);
    assert_int_equal(world->rating.tallies[1].period, day_of(2026, 3, 1));
    assert_int_equal(world->rating.tallies[1].value, 60 * POINT);
    /* A new account has all the room. */
    world->account.balance = 60 * POINT;
    assert_int_equal(rate_all(world, 0), 0);
    assert_int_equal(world->rating.tally_count, 0);
    world->input.account = NULL;
    assert_int_equal(rate_all(world, 0), 60 * POINT);
    rating_world_free(world);
}

/* A programme that is full makes one part each. */
static void every_rule_offer_and_cap(void **state)
{
    (void)state;
    struct rating_world *world = rating_world_new();
    world->programme.rules_combine = COMBINE_SUM;
    world->programme.offers_combine = COMBINE_SUM;
    while (world->programme.rule_count < PROGRAMME_RULES_MAX)
        add_rule(world, RULE_VISIT, POINT, 0);
    while (world->programme.offer_count < PROGRAMME_OFFERS_MAX) {
        struct offer *offer = add_offer(world, OFFER_ADD);
        offer->points = POINT;
        offer->limit = (struct limit){ .window = WINDOW_EVER, .uses = 1 };
    }
    world->programme.tiers.tiers[0].points = POINT;
    world->programme.caps = (struct caps){ .receipt = 40000, .day = 30000, .month = 20000, .balance = 10000 };
    world->input.amount = 100;
    assert_int_equal(rate_all(world, 1), 10 * POINT);
    assert_int_equal(world->sale.part_count, AWARD_PARTS_MAX);
    assert_int_equal(world->rating.tally_count, RATING_TALLIES_MAX);
    assert_true(rate_uses(&world->programme, &world->sale) == (UINT64_C(1) << PROGRAMME_OFFERS_MAX) - 1);
    rating_world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(caps_trim),
        cmocka_unit_test(caps_in_order),
        cmocka_unit_test(every_rule_offer_and_cap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
