/* Which goods, receipts and moments a rule or offer is for. */
#include "rating_world.h"

/* What may be wrong with a receipt for the filter that asks for everything, in the order of DOMAIN.md. */
enum wrong {
    WRONG_INCLUDE,
    WRONG_EXCLUDED_CODE,
    WRONG_EXCLUDED_CATEGORY,
    WRONG_STORE,
    WRONG_TENDER,
    WRONG_MORE_TENDER,
    WRONG_TIER,
    WRONG_TAG,
    WRONG_COUPON,
    WRONG_DAY,
    WRONG_HOUR,
    WRONG_MINIMUM,
    WRONG_MAXIMUM,
    WRONG_COUNT,
};

static const char *const wrong_names[WRONG_COUNT] = {
    [WRONG_INCLUDE] = "(Earning) include",
    [WRONG_EXCLUDED_CODE] = "(Earning) exclude wins: a code",
    [WRONG_EXCLUDED_CATEGORY] = "(Earning) exclude wins: a category",
    [WRONG_STORE] = "(Earning) stores",
    [WRONG_TENDER] = "(Earning) tenders",
    [WRONG_MORE_TENDER] = "(Earning) tenders, of all the money paid",
    [WRONG_TIER] = "(Earning) tiers",
    [WRONG_TAG] = "(Earning) tags",
    [WRONG_COUPON] = "(Earning) coupon codes",
    [WRONG_DAY] = "(Earning) days",
    [WRONG_HOUR] = "(Earning) hours",
    [WRONG_MINIMUM] = "(Earning) minimum",
    [WRONG_MAXIMUM] = "(Earning) maximum",
};

/* A visit on Tuesday, 8 to 9, in store "7" at tier 1, of 10.00 to 20.00 of fish. */
static struct rating_world *picky_world(bool of_lines)
{
    struct rating_world *world = rating_world_new();
    struct base_rule *rule = add_rule(world, RULE_VISIT, POINT, 0);
    struct filter *filter = &rule->filter;
    include_category(world, filter, rule_bit(0), "fish");
    exclude_category(world, filter, rule_bit(0), "frozen");
    word(world, "4711")->include_code = rule_bit(0);
    word(world, "4712")->exclude_code = rule_bit(0);
    word(world, "7")->stores = rule_bit(0);
    word(world, "cash")->tenders = rule_bit(0);
    word(world, "debit")->tenders = rule_bit(0);
    word(world, "vip")->tags = rule_bit(0);
    word(world, "SPRING")->coupons = rule_bit(0);
    filter->has_stores = filter->has_tenders = filter->has_tags = filter->has_coupons = true;
    filter->tiers = 1U << 1;
    filter->days = 1U << 1;
    filter->hour_count = 1;
    filter->hours[0] = (struct filter_hours){ 8 * 60, 9 * 60 };
    filter->minimum = 1000;
    filter->maximum = 2000;
    filter->of_lines = of_lines;
    return world;
}

/* What earns of a receipt with these bits of enum wrong. */
static millipoints picky_earns(bool of_lines, uint32_t wrong)
{
    struct rating_world *world = picky_world(of_lines);
    bool is[WRONG_COUNT];
    for (uint32_t i = 0; i < WRONG_COUNT; i++)
        is[i] = (wrong >> i & 1) != 0;
    minor_units amount = is[WRONG_MINIMUM] ? 999 : is[WRONG_MAXIMUM] ? 2001 : is[WRONG_DAY] ? 1000 : 2000;
    add_line(world, is[WRONG_EXCLUDED_CODE] ? "4712" : "4711",
             is[WRONG_EXCLUDED_CATEGORY] ? "frozen" : "fish", amount);
    if (is[WRONG_INCLUDE])
        world->lines[0].code = world->lines[0].category = TEXT_LITERAL("other");
    if (of_lines)
        add_line(world, "1", "meat", 5000);
    struct tender tenders[] = { { TEXT_LITERAL("cash"), 1500 },
                                { TEXT_LITERAL("debit"), 1000 },
                                { TEXT_LITERAL("change"), -500 },
                                { TEXT_LITERAL("voucher"), is[WRONG_MORE_TENDER] ? 1 : 0 } };
    world->input.tenders = tenders;
    world->input.tender_count = is[WRONG_TENDER] ? 0 : COUNT_OF(tenders);
    struct text coupons[] = { TEXT_LITERAL("none"), TEXT_LITERAL("SPRING") };
    world->input.coupons = coupons;
    world->input.coupon_count = is[WRONG_COUPON] ? 1 : 2;
    world->input.store = is[WRONG_STORE] ? TEXT_LITERAL("8") : TEXT_LITERAL("7");
    world->account.tags[0] = (struct account_tag){ .size = 3, .text = "vip" };
    world->account.tag_count = is[WRONG_TAG] ? 0 : 1;
    world->input.occurred = instant(2026, 3, is[WRONG_DAY] ? 11 : 10, is[WRONG_HOUR] ? 9 : 8, 0);
    millipoints earned = rate_all(world, is[WRONG_TIER] ? 2 : 1);
    rating_world_free(world);
    return earned;
}

static void filters_ask_for_everything(void **state)
{
    (void)state;
    for (int of_lines = 0; of_lines < 2; of_lines++) {
        for (uint32_t i = 0; i < WRONG_COUNT; i++) {
            /* All that follow are wrong too; then it alone. */
            uint32_t others = (UINT32_C(1) << WRONG_COUNT) - (UINT32_C(2) << i);
            if (picky_earns(of_lines != 0, others | UINT32_C(1) << i) != 0 ||
                picky_earns(of_lines != 0, UINT32_C(1) << i) != 0)
                fail_msg("%s", wrong_names[i]);
        }
        assert_int_equal(picky_earns(of_lines != 0, 0), POINT);
    }
}

/* (Earning) A new account has no tags; a word in another role says nothing; the bit of no tier. */
static void filters_of_new_accounts(void **state)
{
    (void)state;
    struct rating_world *world = rating_world_new();
    struct filter *filter = &add_rule(world, RULE_VISIT, POINT, 0)->filter;
    world->input.amount = 100;
    world->input.account = NULL;
    filter->tiers = 1U << 0;
    assert_int_equal(rate_all(world, 0), POINT);
    assert_int_equal(rate_all(world, 1), 0);
    word(world, "vip")->coupons = rule_bit(0);
    world->input.store = TEXT_LITERAL("vip");
    filter->has_stores = true;
    assert_int_equal(rate_all(world, 0), 0);
    word(world, "vip")->stores = rule_bit(0);
    assert_int_equal(rate_all(world, 0), POINT);
    filter->has_tags = true;
    word(world, "vip")->tags = rule_bit(0);
    assert_int_equal(rate_all(world, 0), 0);
    world->input.account = &world->account;
    assert_int_equal(rate_all(world, 0), 0);
    rating_world_free(world);
}

/* --- days and hours --- */

struct hour_row {
    const char *what;
    uint8_t days; /* bit 0 Monday */
    struct filter_hours hours[2];
    struct {
        int32_t year;
        uint32_t month, day, hour, minute;
    } at;                   /* UTC */
    struct civil_date want; /* the day they began; year 0: they do not hold */
};

#define H(hour, minute) ((hour)*60 + (minute))
#define SUNDAY (1U << 6)
#define SATURDAY (1U << 5)

/* In Berlin: forward on 29 March 2026 01:00 UTC, back on 25 October 01:00 UTC. */
static const struct hour_row hour_rows[] = {

    { "start inclusive", 0, { { H(8, 0), H(9, 0) } }, { 2026, 3, 28, 7, 0 }, { 2026, 3, 28 } },
    { "before the start", 0, { { H(8, 0), H(9, 0) } }, { 2026, 3, 28, 6, 59 }, { 0 } },
    { "end exclusive", 0, { { H(8, 0), H(9, 0) } }, { 2026, 3, 28, 8, 0 }, { 0 } },
    { "until midnight", 0, { { H(8, 0), H(24, 0) } }, { 2026, 3, 28, 22, 59 }, { 2026, 3, 28 } },
    { "not past it", 0, { { H(8, 0), H(24, 0) } }, { 2026, 3, 28, 23, 0 }, { 0 } },
    { "the second hours",
      0,
      { { H(1, 0), H(2, 0) }, { H(8, 0), H(9, 0) } },
      { 2026, 3, 28, 7, 30 },
      { 2026, 3, 28 } },
    { "past midnight: the day they began",
      SATURDAY,
      { { H(22, 0), H(2, 0) } },
      { 2026, 3, 29, 0, 59 },
      { 2026, 3, 28 } },
    { "past midnight: not the day it is", SUNDAY, { { H(22, 0), H(2, 0) } }, { 2026, 3, 29, 0, 59 }, { 0 } },
    { "past midnight: the evening",
      SUNDAY,
      { { H(22, 0), H(2, 0) } },
      { 2026, 3, 29, 20, 0 },
      { 2026, 3, 29 } },
    { "all round the clock from six",
      SATURDAY,
      { { H(6, 0), H(6, 0) } },
      { 2026, 3, 29, 3, 59 },
      { 2026, 3, 28 } },
    { "a day alone", SUNDAY, { { 0 } }, { 2026, 3, 28, 23, 0 }, { 2026, 3, 29 } },
    { "clock forward: the last minute before",
      0,
      { { H(1, 0), H(2, 0) } },
      { 2026, 3, 29, 0, 59 },
      { 2026, 3, 29 } },
    { "clock forward: the hour that is not there",
      0,
      { { H(2, 0), H(3, 0) } },
      { 2026, 3, 29, 1, 0 },
      { 0 } },
    { "clock forward: the hour after", 0, { { H(3, 0), H(4, 0) } }, { 2026, 3, 29, 1, 0 }, { 2026, 3, 29 } },
    { "clock forward: past midnight over it",
      SATURDAY,
      { { H(22, 0), H(4, 0) } },
      { 2026, 3, 29, 1, 59 },
      { 2026, 3, 28 } },
    { "clock back: a repeated hour, first",
      SUNDAY,
      { { H(2, 0), H(3, 0) } },
      { 2026, 10, 25, 0, 30 },
      { 2026, 10, 25 } },
    { "clock back: a repeated hour, again",
      SUNDAY,
      { { H(2, 0), H(3, 0) } },
      { 2026, 10, 25, 1, 30 },
      { 2026, 10, 25 } },
    { "clock back: over at three", SUNDAY, { { H(2, 0), H(3, 0) } }, { 2026, 10, 25, 2, 0 }, { 0 } },
    { "clock back: past midnight, again",
      SATURDAY,
      { { H(22, 0), H(3, 0) } },
      { 2026, 10, 25, 1, 59 },
      { 2026, 10, 24 } },
    { "leap day, a Tuesday", 1U << 1, { { H(12, 0), H(13, 0) } }, { 2028, 2, 29, 11, 30 }, { 2028, 2, 29 } },
    { "month end, past midnight",
      1U << 1,
      { { H(23, 0), H(1, 0) } },
      { 2028, 2, 29, 23, 30 },
      { 2028, 2, 29 } },
    { "year end, past midnight: a Thursday",
      1U << 3,
      { { H(23, 0), H(1, 0) } },
      { 2026, 12, 31, 23, 30 },
      { 2026, 12, 31 } },
};

static void hours_of_the_wall_clock(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(hour_rows); i++) {
        const struct hour_row *row = &hour_rows[i];
        struct rating_world *world = rating_world_new();
        struct filter *filter = &add_rule(world, RULE_VISIT, POINT, 0)->filter;
        calendar_berlin(&world->programme.calendar);
        filter->days = row->days;
        while (filter->hour_count < 2 && row->hours[filter->hour_count].until > 0) {
            filter->hours[filter->hour_count] = row->hours[filter->hour_count];
            filter->hour_count++;
        }
        world->input.occurred =
            instant(row->at.year, row->at.month, row->at.day, row->at.hour, row->at.minute);
        world->input.amount = 100;
        bool holds = row->want.year != 0;
        if ((rate_all(world, 0) > 0) != holds)
            fail_msg("(Numbers, Earning) %s: earns %lld", row->what, (long long)world->sale.earned);
        local_day began = filter_use_day(filter, world->rating.day, world->rating.minute);
        if (holds && began != day_from_civil(row->want))
            fail_msg("(Earning) %s: not the day", row->what);
        rating_world_free(world);
    }
}

static void windows_begin(void **state)
{
    (void)state;
    struct period period = { .from = day_of(2026, 3, 5), .through = DAY_NEVER };
    struct period always = { .from = INT32_MIN, .through = DAY_NEVER };
    local_day leap = day_of(2028, 2, 29);
    assert_int_equal(window_start(WINDOW_DAY, &period, leap), leap);
    assert_int_equal(window_start(WINDOW_MONTH, &period, leap), day_of(2028, 2, 1));
    assert_int_equal(window_start(WINDOW_MONTH, &period, leap + 1), day_of(2028, 3, 1));
    assert_int_equal(window_start(WINDOW_MONTH, &period, day_of(2026, 12, 31)), day_of(2026, 12, 1));
    assert_int_equal(window_start(WINDOW_YEAR, &period, leap), day_of(2028, 1, 1));
    assert_int_equal(window_start(WINDOW_YEAR, &period, day_of(2027, 12, 31)), day_of(2027, 1, 1));
    assert_int_equal(window_start(WINDOW_PERIOD, &period, leap), period.from);
    assert_int_equal(window_start(WINDOW_PERIOD, &always, leap),
                     window_start(WINDOW_EVER, &always, leap - 900));
    assert_int_equal(window_start(WINDOW_EVER, &period, leap),
                     window_start(WINDOW_EVER, &period, leap + 900));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filters_ask_for_everything),
        cmocka_unit_test(filters_of_new_accounts),
        cmocka_unit_test(hours_of_the_wall_clock),
        cmocka_unit_test(windows_begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
