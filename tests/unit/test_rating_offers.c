/* What comes on top of base points: tiers, offers, their limits, stamps. */
#include "rating_world.h"

/* --- tiers and offers --- */

struct offer_row {
    const char *what;
    struct {
        millipoints base; /* a point for each, spent */
        uint32_t tier_factor;
        millipoints tier_points;
    } given;
    struct {
        enum offer_kind kind;
        uint32_t factor;
        millipoints points;
        bool per_unit;
        local_day from;      /* 0: always was */
        uint32_t uses, used; /* uses 0: no limit */
    } offers[3];
    struct {
        enum combine combine;
        uint32_t decimals;
    } how;
    struct {
        uint32_t parts;
        millipoints points;
    } want;
};

#define ALWAYS 0
#define JANUARY 20454 /* 2026-01-01 */
#define FEBRUARY 20485

static const struct offer_row offer_rows[] = {
    { "(Earning) none applies when base points are zero",
      { 0, 1500, 5000 },
      { { OFFER_MULTIPLY, 2000, 0, false, ALWAYS, 0, 0 }, { OFFER_ADD, 0, 5000, false, ALWAYS, 0, 0 } },
      { COMBINE_SUM, 0 },
      { 0, 0 } },
    { "(examples) base 3, offer x 1.5",
      { 3000, 1000, 0 },
      { { OFFER_MULTIPLY, 1500, 0, false, ALWAYS, 0, 0 } },
      { COMBINE_NEWEST, 0 },
      { 2, 4000 } },
    { "(Numbers) the same with decimals",
      { 3000, 1000, 0 },
      { { OFFER_MULTIPLY, 1500, 0, false, ALWAYS, 0, 0 } },
      { COMBINE_NEWEST, 1 },
      { 2, 4500 } },
    { "(examples) base 10, tier x 1.5, offer x 2: on base points, never on each other",
      { 10000, 1500, 0 },
      { { OFFER_MULTIPLY, 2000, 0, false, ALWAYS, 0, 0 } },
      { COMBINE_NEWEST, 0 },
      { 3, 25000 } },
    { "(Tiers) a tier adds", { 10000, 1000, 7000 }, { { 0 } }, { COMBINE_NEWEST, 0 }, { 2, 17000 } },
    { "(Numbers) the tier is rounded by itself",
      { 3000, 1500, 400 },
      { { 0 } },
      { COMBINE_NEWEST, 0 },
      { 2, 4000 } },
    { "(examples) base 4, newer offer x 2 and older x 3: newest",
      { 4000, 1000, 0 },
      { { OFFER_MULTIPLY, 2000, 0, false, FEBRUARY, 0, 0 },
        { OFFER_MULTIPLY, 3000, 0, false, JANUARY, 0, 0 } },
      { COMBINE_NEWEST, 0 },
      { 2, 8000 } },
    { "(examples) newest at its limit",
      { 4000, 1000, 0 },
      { { OFFER_MULTIPLY, 2000, 0, false, FEBRUARY, 3, 3 },
        { OFFER_MULTIPLY, 3000, 0, false, JANUARY, 0, 0 } },
      { COMBINE_NEWEST, 0 },
      { 2, 12000 } },
    { "(Earning) newest with a use left",
      { 4000, 1000, 0 },
      { { OFFER_MULTIPLY, 2000, 0, false, FEBRUARY, 3, 2 },
        { OFFER_MULTIPLY, 3000, 0, false, JANUARY, 0, 0 } },
      { COMBINE_NEWEST, 0 },
      { 2, 8000 } },
    { "(Earning) same start: last in the file",
      { 4000, 1000, 0 },
      { { OFFER_MULTIPLY, 2000, 0, false, JANUARY, 0, 0 },
        { OFFER_MULTIPLY, 3000, 0, false, JANUARY, 0, 0 } },
      { COMBINE_NEWEST, 0 },
      { 2, 12000 } },
    { "(Earning) what gives nothing gives way",
      { 4000, 1000, 0 },
      { { OFFER_MULTIPLY, 2000, 0, false, JANUARY, 0, 0 },
        { OFFER_MULTIPLY, 1100, 0, false, FEBRUARY, 0, 0 } },
      { COMBINE_NEWEST, 0 },
      { 2, 8000 } },
    { "(Earning) best",
      { 4000, 1000, 0 },
      { { OFFER_MULTIPLY, 2000, 0, false, FEBRUARY, 0, 0 },
        { OFFER_MULTIPLY, 3000, 0, false, JANUARY, 0, 0 } },
      { COMBINE_BEST, 0 },
      { 2, 12000 } },
    { "(Earning) best at its limit",
      { 4000, 1000, 0 },
      { { OFFER_MULTIPLY, 2000, 0, false, FEBRUARY, 0, 0 },
        { OFFER_MULTIPLY, 3000, 0, false, JANUARY, 1, 1 } },
      { COMBINE_BEST, 0 },
      { 2, 8000 } },
    { "(Earning) sum",
      { 4000, 1000, 0 },
      { { OFFER_MULTIPLY, 2000, 0, false, FEBRUARY, 0, 0 },
        { OFFER_MULTIPLY, 3000, 0, false, JANUARY, 0, 0 } },
      { COMBINE_SUM, 0 },
      { 3, 16000 } },
    { "(Earning) add once a receipt",
      { 4000, 1000, 0 },
      { { OFFER_ADD, 0, 5000, false, ALWAYS, 0, 0 } },
      { COMBINE_NEWEST, 0 },
      { 2, 9000 } },
    { "(Earning) add per unit: 2.5 units",
      { 4000, 1000, 0 },
      { { OFFER_ADD, 0, 5000, true, ALWAYS, 0, 0 } },
      { COMBINE_NEWEST, 0 },
      { 2, 14000 } },
    { "(Numbers) an offer is rounded at its end",
      { 4000, 1000, 0 },
      { { OFFER_ADD, 0, 1700, true, ALWAYS, 0, 0 } },
      { COMBINE_NEWEST, 0 },
      { 2, 7000 } },
    { "(Earning) stamps are outside of combine, and no points",
      { 4000, 1000, 0 },
      { { OFFER_STAMP, 0, 1000, false, FEBRUARY, 0, 0 },
        { OFFER_ADD, 0, 2000, false, JANUARY, 0, 0 },
        { OFFER_STAMP, 0, 1000, true, FEBRUARY, 0, 0 } },
      { COMBINE_NEWEST, 0 },
      { 4, 6000 } },
};

static void set_offers(struct rating_world *world, const struct offer_row *row)
{
    for (size_t k = 0; k < COUNT_OF(row->offers) && row->offers[k].kind != 0; k++) {
        struct offer *offer = add_offer(world, row->offers[k].kind);
        offer->factor = row->offers[k].factor;
        offer->points = row->offers[k].points;
        offer->per_unit = row->offers[k].per_unit;
        if (row->offers[k].from != ALWAYS)
            offer->period.from = row->offers[k].from;
        if (row->offers[k].uses == 0)
            continue;
        offer->limit = (struct limit){ .window = WINDOW_PERIOD, .uses = row->offers[k].uses };
        world->account.tallies[world->account.tally_count++] = (struct tally){ .kind = TALLY_OFFER,
                                                                               .id = offer->id,
                                                                               .period = offer->period.from,
                                                                               .before = INT32_MIN,
                                                                               .value = row->offers[k].used };
    }
}

static void offers_come_on_top(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(offer_rows); i++) {
        const struct offer_row *row = &offer_rows[i];
        struct rating_world *world = rating_world_new();
        world->programme.decimals = row->how.decimals;
        world->programme.offers_combine = row->how.combine;
        world->programme.tiers.tiers[1].factor = row->given.tier_factor;
        world->programme.tiers.tiers[1].points = row->given.tier_points;
        add_rule(world, RULE_SPEND, POINT, 100);
        set_offers(world, row);
        add_line(world, "", "", row->given.base / 10)->quantity = 2500;
        if (rate_all(world, 2) != row->want.points || world->sale.part_count != row->want.parts)
            fail_msg("%s: %lld of %u parts", row->what, (long long)world->sale.earned,
                     world->sale.part_count);
        rating_world_free(world);
    }
}

/* (Tiers) No tier, or one that does nothing, is no part. */
static void a_tier_that_gives_nothing(void **state)
{
    (void)state;
    struct rating_world *world = rating_world_new();
    add_rule(world, RULE_VISIT, POINT, 0);
    world->input.amount = 100;
    world->programme.tiers.tiers[0].points = 3 * POINT;
    assert_int_equal(rate_all(world, 2), POINT);
    assert_null(part_of(world, PART_TIER));
    assert_int_equal(rate_all(world, 0), POINT);
    assert_int_equal(rate_all(world, 1), 4 * POINT);
    assert_int_equal(part_of(world, PART_TIER)->rule, 1);
    assert_int_equal(part_of(world, PART_TIER)->input, POINT);
    rating_world_free(world);
}

/* (Earning) multiply with a line filter: x what the matching lines alone earn by the rules that won. */
static void multiply_of_lines(void **state)
{
    (void)state;
    struct rating_world *world = rating_world_new();
    struct base_rule *spend = add_rule(world, RULE_SPEND, POINT, 100);
    struct offer *offer = add_offer(world, OFFER_MULTIPLY);
    offer->factor = 3000;
    include_category(world, &offer->filter, offer_bit(0), "fish");
    add_line(world, "1", "fish", 2000);
    add_line(world, "2", "other", 3000);
    /* (examples) fish 20.00, other 30.00, offer x 3 on fish. */
    assert_int_equal(rate_all(world, 0), 90 * POINT);
    assert_int_equal(part_of(world, PART_MULTIPLY)->input, 20 * POINT);
    /* The rule's own filter holds for the lines too. */
    exclude_category(world, &spend->filter, rule_bit(0), "other");
    assert_int_equal(rate_all(world, 0), 60 * POINT);
    exclude_category(world, &spend->filter, rule_bit(0), "fish");
    assert_int_equal(rate_all(world, 0), 0);
    word(world, "fish")->exclude_category = 0;
    /* Exclude wins over include. */
    word(world, "1")->exclude_code = offer_bit(0);
    assert_int_equal(rate_all(world, 0), 20 * POINT);
    word(world, "1")->exclude_code = 0;
    /* Visits have no lines; without a line filter all base points count. */
    world->programme.rules_combine = COMBINE_SUM;
    add_rule(world, RULE_VISIT, 5 * POINT, 0);
    add_rule(world, RULE_ITEM, 7 * POINT, 0);
    assert_int_equal(rate_all(world, 0), (39 + 2 * 27) * POINT);
    offer->filter.has_include = false;
    assert_int_equal(rate_all(world, 0), 3 * 39 * POINT);
    /* A filter that only excludes is one of lines as well, even where nothing is excluded. */
    exclude_category(world, &offer->filter, offer_bit(0), "meat");
    assert_int_equal(rate_all(world, 0), (39 + 2 * 34) * POINT);
    rating_world_free(world);
}

/* (Earning) add: once a receipt with a matching line, or per unit of them. */
static void add_for_lines(void **state)
{
    (void)state;
    struct rating_world *world = rating_world_new();
    add_rule(world, RULE_VISIT, POINT, 0);
    struct offer *offer = add_offer(world, OFFER_ADD);
    offer->points = 3 * POINT;
    include_category(world, &offer->filter, offer_bit(0), "fish");
    add_line(world, "1", "meat", 1000)->quantity = 9 * UNIT;
    add_line(world, "2", "fish", 0)->kind = LINE_DEPOSIT;
    assert_int_equal(rate_all(world, 0), POINT);
    world->lines[1].kind = LINE_SALE;
    assert_int_equal(rate_all(world, 0), 4 * POINT);
    assert_int_equal(part_of(world, PART_ADD)->input, 1);
    offer->per_unit = true;
    add_line(world, "3", "fish", 100)->quantity = 1500;
    assert_int_equal(rate_all(world, 0), 7 * POINT);
    assert_int_equal(part_of(world, PART_ADD)->input, 2500);
    rating_world_free(world);
}

/* (Earning) Offers have a period and may have to be activated, by the account, before the purchase. */
static void when_and_for_whom(void **state)
{
    (void)state;
    struct rating_world *world = rating_world_new();
    add_rule(world, RULE_VISIT, POINT, 0);
    struct offer *offer = add_offer(world, OFFER_ADD);
    offer->points = 9 * POINT;
    offer->period = (struct period){ .from = day_of(2028, 2, 28), .through = day_of(2028, 2, 29) };
    offer->activate = true;
    offer->filter.hour_count = 1;
    offer->filter.hours[0] = (struct filter_hours){ 22 * 60, 2 * 60 };
    offer->filter.tiers = 1U << 1;
    world->input.amount = 100;
    world->input.account = NULL;
    world->input.occurred = instant(2028, 3, 1, 2, 0);
    assert_int_equal(rate_all(world, 2), POINT);
    world->input.occurred = instant(2028, 3, 1, 22, 0);
    assert_int_equal(rate_all(world, 2), POINT);
    /* The first hours of 1 March belong to the leap day, the last day of the period. */
    world->input.occurred = instant(2028, 3, 1, 1, 59);
    assert_int_equal(rate_all(world, 2), POINT);
    assert_int_equal(rate_all(world, 1), POINT);
    world->input.account = &world->account;
    world->account.activated[world->account.activated_count++] = offer->id + 1;
    assert_int_equal(rate_all(world, 1), POINT);
    world->account.activated[world->account.activated_count++] = offer->id;
    assert_int_equal(rate_all(world, 1), 10 * POINT);
    world->input.occurred = instant(2028, 2, 28, 1, 59);
    assert_int_equal(rate_all(world, 1), POINT);
    world->input.occurred = instant(2028, 2, 28, 22, 0);
    assert_int_equal(rate_all(world, 1), 10 * POINT);
    rating_world_free(world);
}

/* (Earning) needs_base: false. */
static void offers_without_base_points(void **state)
{
    (void)state;
    struct rating_world *world = rating_world_new();
    add_rule(world, RULE_SPEND, POINT, 1000);
    add_offer(world, OFFER_ADD)->points = 9 * POINT;
    world->input.amount = 999;
    assert_int_equal(rate_all(world, 0), 0);
    world->programme.offers_need_base = false;
    assert_int_equal(rate_all(world, 0), 9 * POINT);
    rating_world_free(world);
}

/* --- limits --- */

static const struct account_change *tally_of(const struct rating_world *world, uint64_t id)
{
    for (uint32_t i = 0; i < world->rating.tally_count; i++) {
        if (world->rating.tallies[i].id == id)
            return &world->rating.tallies[i];
    }
    return NULL;
}

/* (Earning) A use counts when it gave points, on the day its hours began. */
static void uses_of_offers(void **state)
{
    (void)state;
    struct rating_world *world = rating_world_new();
    add_rule(world, RULE_SPEND, POINT, 100);
    struct offer *offer = add_offer(world, OFFER_MULTIPLY);
    offer->factor = 1500;
    offer->limit = (struct limit){ .window = WINDOW_DAY, .uses = 1 };
    offer->filter.hour_count = 1;
    offer->filter.hours[0] = (struct filter_hours){ 22 * 60, 2 * 60 };
    world->input.occurred = instant(2026, 3, 1, 1, 0);
    world->input.amount = 199;
    assert_int_equal(rate_all(world, 0), POINT);
    assert_int_equal(world->rating.tally_count, 0);
    assert_int_equal(rate_uses(&world->programme, &world->sale), 0);
    world->input.amount = 200;
    assert_int_equal(rate_all(world, 0), 3 * POINT);
    assert_int_equal(world->rating.tally_count, 1);
    assert_int_equal(tally_of(world, offer->id)->which, TALLY_OFFER);
    assert_int_equal(tally_of(world, offer->id)->period, day_of(2026, 2, 28));
    assert_int_equal(tally_of(world, offer->id)->value, 1);
    assert_int_equal(rate_uses(&world->programme, &world->sale), 1);
    offer->limit.window = WINDOW_MONTH;
    rate_all(world, 0);
    assert_int_equal(tally_of(world, offer->id)->period, day_of(2026, 2, 1));
    /* None of a limit that is not there, or if a cap left nothing. */
    offer->limit.window = WINDOW_NONE;
    rate_all(world, 0);
    assert_int_equal(world->rating.tally_count, 0);
    offer->limit.window = WINDOW_EVER;
    world->programme.caps = (struct caps){ .receipt = 2 * POINT, .reject = true };
    assert_int_equal(rate_all(world, 0), 0);
    assert_int_equal(world->rating.tally_count, 0);
    assert_int_equal(rate_uses(&world->programme, &world->sale), 0);
    rating_world_free(world);
}

/*
 * (LEDGER.md, State) This period and the one before are kept; an older purchase counts into the oldest, and
 * is flagged.
 */
static void uses_in_older_periods(void **state)
{
    (void)state;
    struct rating_world *world = rating_world_new();
    add_rule(world, RULE_SPEND, POINT, 100);
    struct offer *offer = add_offer(world, OFFER_MULTIPLY);
    offer->factor = 2000;
    offer->limit = (struct limit){ .window = WINDOW_DAY, .uses = 2 };
    local_day today = day_of(2026, 3, 10);
    world->account.tallies[world->account.tally_count++] = (struct tally){ .kind = TALLY_OFFER,
                                                                           .id = offer->id,
                                                                           .period = today,
                                                                           .before = today - 1,
                                                                           .value = 2,
                                                                           .value_before = 1 };
    world->input.amount = 100;
    assert_int_equal(rate_all(world, 0), POINT);
    for (int days = 1; days < 3; days++) {
        world->input.occurred -= US_PER_DAY;
        assert_int_equal(rate_all(world, 0), 2 * POINT);
        assert_int_equal(tally_of(world, offer->id)->period, today - days);
        assert_int_equal(world->rating.old_period, days == 2);
    }
    world->account.tallies[0].value_before = 2;
    assert_int_equal(rate_all(world, 0), POINT);
    assert_false(world->rating.old_period);
    rating_world_free(world);
}

/* --- stamps --- */

/* (Earning) A stamp offer counts units or visits, into a purse of its own. */
static void stamps(void **state)
{
    (void)state;
    struct rating_world *world = rating_world_new();
    add_rule(world, RULE_SPEND, POINT, 100);
    struct offer *offer = add_offer(world, OFFER_STAMP);
    offer->points = 1500;
    offer->limit = (struct limit){ .window = WINDOW_DAY, .uses = 1 };
    include_category(world, &offer->filter, offer_bit(0), "coffee");
    add_line(world, "1", "bread", 1000);
    add_line(world, "2", "coffee", 0)->quantity = 3200;
    rate_all(world, 0);
    assert_null(part_of(world, PART_STAMP));
    assert_int_equal(world->rating.stamp_count, 0);
    world->lines[1].amount = 1;
    assert_int_equal(rate_all(world, 0), 10 * POINT);
    assert_int_equal(part_of(world, PART_STAMP)->input, 1);
    assert_int_equal(part_of(world, PART_STAMP)->result, 1500);
    assert_int_equal(tally_of(world, offer->id)->value, 1);
    offer->per_unit = true;
    assert_int_equal(rate_all(world, 0), 10 * POINT);
    assert_int_equal(part_of(world, PART_STAMP)->input, 3200);
    assert_int_equal(part_of(world, PART_STAMP)->result, 4500);
    /* They are no points: no cap touches them, and their use counts. */
    world->programme.caps = (struct caps){ .receipt = POINT, .reject = true };
    assert_int_equal(rate_all(world, 0), 0);
    assert_int_equal(part_of(world, PART_STAMP)->result, 4500);
    assert_int_equal(tally_of(world, offer->id)->value, 1);
    assert_int_equal(rate_uses(&world->programme, &world->sale), 1);
    for (int i = 0; i < 20; i++)
        add_offer(world, OFFER_STAMP)->points = POINT;
    rate_all(world, 0);
    assert_int_equal(world->rating.stamp_count, STAMP_PARTS_MAX);
    rating_world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offers_come_on_top),
        cmocka_unit_test(a_tier_that_gives_nothing),
        cmocka_unit_test(multiply_of_lines),
        cmocka_unit_test(add_for_lines),
        cmocka_unit_test(when_and_for_whom),
        cmocka_unit_test(offers_without_base_points),
        cmocka_unit_test(uses_of_offers),
        cmocka_unit_test(uses_in_older_periods),
        cmocka_unit_test(stamps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
