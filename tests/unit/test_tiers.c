/*
 * Tiers (DOMAIN.md, Tiers) as stories: what is bought and brought back on which days, and the tier after it. Each is told
 * twice, with every midnight booked on its day and with all of them when the account is next touched: nobody can tell.
 */
#include "account_acts.h"

#include <string.h>

#define STEPS_MAX 12
#define SILVER_FROM 500
#define GOLD_FROM 1000

enum { NONE = 0, SILVER = 1, GOLD = 2 };

/* On `day` so much is counted, for a purchase of `of` (0: of that day); then the tier is `want`. */
struct step {
    struct civil_date day;
    int64_t value;
    uint32_t want;
    struct civil_date of;
};

struct story {
    const char *what;
    struct tiers rules;
    struct step steps[STEPS_MAX];
};

#define YEAR .window = TIER_WINDOW_YEAR
#define EVER .window = TIER_WINDOW_EVER
#define LAST_MONTHS(n) .window = TIER_WINDOW_MONTHS, .window_months = (n)
#define GRACE_DAYS(n) .grace = TIER_GRACE_DAYS, .grace_count = (n)
#define KEPT_DAYS(n) .kept = TIER_KEPT_DAYS, .kept_days = (n)

static const struct story stories[] = {
    { "worked example: by the year, last carried by 2025, kept: period",
      { YEAR, .kept = TIER_KEPT_PERIOD },
      { { { 2025, 6, 1 }, 999, SILVER, { 0 } },
        { { 2025, 6, 2 }, 1, GOLD, { 0 } },
        { { 2025, 12, 31 }, 0, GOLD, { 0 } },
        { { 2026, 1, 1 }, 0, NONE, { 0 } } } },
    { "worked example: by the year, last carried by 2025, kept: next",
      { YEAR, .kept = TIER_KEPT_NEXT },
      { { { 2025, 6, 1 }, 1000, GOLD, { 0 } },
        { { 2026, 12, 31 }, 0, GOLD, { 0 } },
        { { 2027, 1, 1 }, 0, NONE, { 0 } } } },
    { "next: falls to what 2026 earned",
      { YEAR, .kept = TIER_KEPT_NEXT },
      { { { 2025, 6, 1 }, 1000, GOLD, { 0 } },
        { { 2026, 6, 1 }, 500, GOLD, { 0 } },
        { { 2027, 1, 1 }, 0, SILVER, { 0 } },
        { { 2027, 12, 31 }, 0, SILVER, { 0 } },
        { { 2028, 1, 1 }, 0, NONE, { 0 } } } },
    { "next: carried again",
      { YEAR, .kept = TIER_KEPT_NEXT },
      { { { 2025, 6, 1 }, 1000, GOLD, { 0 } },
        { { 2026, 12, 31 }, 1000, GOLD, { 0 } },
        { { 2027, 12, 31 }, 0, GOLD, { 0 } },
        { { 2028, 1, 1 }, 0, NONE, { 0 } } } },
    { "compared with >=",
      { EVER, .kept = TIER_KEPT_NONE },
      { { { 2026, 3, 10 }, 499, NONE, { 0 } },
        { { 2026, 3, 10 }, 1, SILVER, { 0 } },
        { { 2026, 3, 10 }, 499, SILVER, { 0 } },
        { { 2026, 3, 10 }, 1, GOLD, { 0 } } } },
    { "months: this calendar month and those before; none: while the sum carries it",
      { LAST_MONTHS(3), .kept = TIER_KEPT_NONE },
      { { { 2026, 1, 31 }, 300, NONE, { 0 } },
        { { 2026, 2, 28 }, 300, SILVER, { 0 } },
        { { 2026, 3, 31 }, 0, SILVER, { 0 } },
        { { 2026, 4, 1 }, 0, NONE, { 0 } } } },
    { "months: period is the last month whose sum carried it",
      { LAST_MONTHS(2), .kept = TIER_KEPT_PERIOD },
      { { { 2024, 1, 31 }, 500, SILVER, { 0 } },
        { { 2024, 2, 29 }, 0, SILVER, { 0 } },
        { { 2024, 3, 1 }, 0, NONE, { 0 } } } },
    { "months: next is the one after it",
      { LAST_MONTHS(2), .kept = TIER_KEPT_NEXT },
      { { { 2024, 1, 31 }, 500, SILVER, { 0 } },
        { { 2024, 3, 31 }, 0, SILVER, { 0 } },
        { { 2024, 4, 1 }, 0, NONE, { 0 } } } },
    { "months: of two sums the last that carries it",
      { LAST_MONTHS(12), .kept = TIER_KEPT_PERIOD },
      { { { 2025, 3, 1 }, 500, SILVER, { 0 } },
        { { 2026, 2, 28 }, 500, GOLD, { 0 } },
        { { 2026, 3, 1 }, 0, SILVER, { 0 } },
        { { 2027, 1, 31 }, 0, SILVER, { 0 } },
        { { 2027, 2, 1 }, 0, NONE, { 0 } } } },
    { "days: through the n-th day after it was reached, then judged",
      { EVER, KEPT_DAYS(30) },
      { { { 2026, 3, 10 }, 500, SILVER, { 0 } }, { { 2026, 4, 10 }, 0, SILVER, { 0 } } } },
    { "days: by the year; not carried when judged",
      { YEAR, KEPT_DAYS(30) },
      { { { 2025, 12, 10 }, 500, SILVER, { 0 } },
        { { 2026, 1, 9 }, 0, SILVER, { 0 } },
        { { 2026, 1, 10 }, 0, NONE, { 0 } } } },
    { "days: carried when judged, so kept as long again",
      { YEAR, KEPT_DAYS(30) },
      { { { 2025, 11, 20 }, 500, SILVER, { 0 } },
        { { 2025, 12, 21 }, 0, SILVER, { 0 } },
        { { 2026, 1, 20 }, 0, SILVER, { 0 } },
        { { 2026, 1, 21 }, 0, NONE, { 0 } } } },
    { "grace: days, behind the last day that it was kept",
      { YEAR, .kept = TIER_KEPT_PERIOD, GRACE_DAYS(10) },
      { { { 2025, 6, 1 }, 1000, GOLD, { 0 } },
        { { 2026, 1, 10 }, 0, GOLD, { 0 } },
        { { 2026, 1, 11 }, 0, NONE, { 0 } } } },
    { "grace: the sum has recovered",
      { YEAR, .kept = TIER_KEPT_PERIOD, GRACE_DAYS(10) },
      { { { 2025, 6, 1 }, 1000, GOLD, { 0 } },
        { { 2026, 1, 10 }, 1000, GOLD, { 0 } },
        { { 2026, 12, 31 }, 0, GOLD, { 0 } },
        { { 2027, 1, 10 }, 0, GOLD, { 0 } },
        { { 2027, 1, 11 }, 0, NONE, { 0 } } } },
    { "grace: recovered for the lower one only",
      { YEAR, .kept = TIER_KEPT_PERIOD, GRACE_DAYS(10) },
      { { { 2025, 6, 1 }, 1000, GOLD, { 0 } },
        { { 2026, 1, 10 }, 500, GOLD, { 0 } },
        { { 2026, 1, 11 }, 0, SILVER, { 0 } } } },
    { "grace: months, through: month",
      { YEAR, .kept = TIER_KEPT_PERIOD, .grace = TIER_GRACE_MONTHS, .grace_count = 2,
        .grace_through_month = true },
      { { { 2025, 6, 1 }, 500, SILVER, { 0 } },
        { { 2026, 2, 28 }, 0, SILVER, { 0 } },
        { { 2026, 3, 1 }, 0, NONE, { 0 } } } },
    { "grace: months, clipped",
      { LAST_MONTHS(1), .kept = TIER_KEPT_NONE, .grace = TIER_GRACE_MONTHS, .grace_count = 1 },
      { { { 2026, 1, 15 }, 500, SILVER, { 0 } },
        { { 2026, 2, 28 }, 0, SILVER, { 0 } },
        { { 2026, 3, 1 }, 0, NONE, { 0 } } } },
    { "down: one step, kept as if reached",
      { YEAR, .kept = TIER_KEPT_PERIOD, .down_one = true },
      { { { 2025, 6, 1 }, 1000, GOLD, { 0 } },
        { { 2026, 1, 1 }, 0, SILVER, { 0 } },
        { { 2026, 12, 31 }, 0, SILVER, { 0 } },
        { { 2027, 1, 1 }, 0, NONE, { 0 } } } },
    { "down: one, days",
      { YEAR, KEPT_DAYS(20), .down_one = true },
      { { { 2025, 12, 31 }, 1000, GOLD, { 0 } },
        { { 2026, 1, 20 }, 0, GOLD, { 0 } },
        { { 2026, 1, 21 }, 0, SILVER, { 0 } },
        { { 2026, 2, 10 }, 0, SILVER, { 0 } },
        { { 2026, 2, 11 }, 0, NONE, { 0 } } } },
    { "down: one, none: nothing keeps the lower one either",
      { LAST_MONTHS(1), .kept = TIER_KEPT_NONE, .down_one = true },
      { { { 2026, 1, 15 }, 1000, GOLD, { 0 } },
        { { 2026, 1, 31 }, 0, GOLD, { 0 } },
        { { 2026, 2, 1 }, 0, NONE, { 0 } } } },
    { "down: one, none, but each step has its grace",
      { LAST_MONTHS(1), .kept = TIER_KEPT_NONE, .down_one = true, GRACE_DAYS(5) },
      { { { 2026, 1, 15 }, 1000, GOLD, { 0 } },
        { { 2026, 2, 5 }, 0, GOLD, { 0 } },
        { { 2026, 2, 6 }, 0, SILVER, { 0 } },
        { { 2026, 2, 10 }, 0, SILVER, { 0 } },
        { { 2026, 2, 11 }, 0, NONE, { 0 } } } },
    { "up: next, with the next month",
      { LAST_MONTHS(3), .kept = TIER_KEPT_NEXT, .up_next = true },
      { { { 2026, 1, 15 }, 500, NONE, { 0 } },
        { { 2026, 1, 31 }, 500, NONE, { 0 } },
        { { 2026, 2, 1 }, 0, GOLD, { 0 } },
        { { 2026, 4, 30 }, 0, GOLD, { 0 } },
        { { 2026, 5, 1 }, 0, NONE, { 0 } } } },
    { "up: next, with the next year",
      { YEAR, .kept = TIER_KEPT_PERIOD, .up_next = true },
      { { { 2025, 3, 1 }, 1000, NONE, { 0 } },
        { { 2025, 12, 31 }, 0, NONE, { 0 } },
        { { 2026, 1, 1 }, 0, GOLD, { 0 } },
        { { 2026, 12, 31 }, 0, GOLD, { 0 } },
        { { 2027, 1, 1 }, 0, NONE, { 0 } } } },
    { "up: next, brought back before",
      { YEAR, .kept = TIER_KEPT_NEXT, .up_next = true },
      { { { 2025, 3, 1 }, 1000, NONE, { 0 } },
        { { 2025, 12, 31 }, -600, NONE, { 2025, 3, 1 } },
        { { 2026, 1, 1 }, 0, NONE, { 0 } } } },
    { "a return counts back in the purchase's month",
      { LAST_MONTHS(2), .kept = TIER_KEPT_NONE },
      { { { 2026, 1, 15 }, 600, SILVER, { 0 } },
        { { 2026, 2, 15 }, 400, GOLD, { 0 } },
        { { 2026, 2, 16 }, -100, SILVER, { 2026, 1, 15 } },
        { { 2026, 3, 1 }, 100, SILVER, { 0 } },
        { { 2026, 3, 2 }, -1, NONE, { 2026, 2, 15 } } } },
    { "a return ends the tier without grace",
      { YEAR, .kept = TIER_KEPT_NONE, GRACE_DAYS(10) },
      { { { 2026, 3, 10 }, 500, SILVER, { 0 } }, { { 2026, 3, 11 }, -1, NONE, { 2026, 3, 10 } } } },
    { "a return in the year after, of what carried it",
      { YEAR, .kept = TIER_KEPT_NEXT, GRACE_DAYS(10), .down_one = true },
      { { { 2025, 12, 1 }, 1000, GOLD, { 0 } },
        { { 2026, 1, 20 }, -100, SILVER, { 2025, 12, 1 } },
        { { 2026, 12, 31 }, 0, SILVER, { 0 } },
        { { 2027, 1, 11 }, 0, NONE, { 0 } } } },
    { "a return of what did not carry it changes nothing",
      { YEAR, .kept = TIER_KEPT_NEXT },
      { { { 2025, 12, 1 }, 1000, GOLD, { 0 } },
        { { 2026, 1, 20 }, 400, GOLD, { 0 } },
        { { 2026, 1, 21 }, -400, GOLD, { 2026, 1, 20 } },
        { { 2026, 12, 31 }, 0, GOLD, { 0 } } } },
    { "a return leaves what the year before carried",
      { YEAR, .kept = TIER_KEPT_NEXT },
      { { { 2025, 12, 1 }, 1000, GOLD, { 0 } },
        { { 2026, 6, 1 }, 1000, GOLD, { 0 } },
        { { 2026, 7, 1 }, -500, GOLD, { 2026, 6, 1 } },
        { { 2026, 12, 31 }, 0, GOLD, { 0 } },
        { { 2027, 1, 1 }, 0, SILVER, { 0 } } } },
    { "a return within the days that it is kept",
      { EVER, KEPT_DAYS(100) },
      { { { 2026, 3, 10 }, 1000, GOLD, { 0 } },
        { { 2026, 3, 20 }, -1, SILVER, { 2026, 3, 10 } },
        { { 2026, 3, 21 }, -499, SILVER, { 2026, 3, 10 } },
        { { 2026, 3, 22 }, -1, NONE, { 2026, 3, 10 } } } },
    { "an old purchase counts in its month",
      { YEAR, .kept = TIER_KEPT_NEXT },
      { { { 2026, 3, 10 }, 1000, NONE, { 2024, 3, 10 } },
        { { 2026, 3, 10 }, 400, NONE, { 2025, 3, 10 } },
        { { 2026, 3, 11 }, 600, SILVER, { 0 } } } },
    { "ever: never falls by itself",
      { EVER, .kept = TIER_KEPT_NEXT },
      { { { 2025, 3, 10 }, 500, SILVER, { 0 } }, { { 2033, 3, 10 }, 0, SILVER, { 0 } } } },
};

static void set_levels(struct tiers *tiers)
{
    tiers->count = 2;
    static const char *const names[] = { "silver", "gold" };
    for (uint32_t i = 0; i < 2; i++) {
        struct tier *tier = &tiers->tiers[i];
        memcpy(tier->name, names[i], strlen(names[i]));
        tier->id = programme_id(text_of(names[i]));
        tier->from = i == 0 ? SILVER_FROM : GOLD_FROM;
        tier->factor = 1000;
    }
}

static struct world *world_with(const struct tiers *rules)
{
    struct world *world = world_new(1);
    world->now = date(2024, 1, 1) * US_PER_DAY;
    world->programme.tiers = *rules;
    set_levels(&world->programme.tiers);
    return world;
}

/* Goes on to a day, with or without a run at each midnight. */
static void go_to(struct world *world, struct civil_date day, bool daily)
{
    while (daily && world_today(world) < day_from_civil(day)) {
        world->now += US_PER_DAY;
        world_run_days(world);
    }
    if (world_today(world) < day_from_civil(day))
        world_go_to(world, day.year, day.month, day.day);
    world_run_days(world);
}

static void tell(const struct story *story, bool daily, struct account *out)
{
    struct world *world = world_with(&story->rules);
    for (uint32_t i = 0; i < STEPS_MAX && story->steps[i].day.year != 0; i++) {
        const struct step *step = &story->steps[i];
        go_to(world, step->day, daily);
        if (step->value != 0)
            act_count(world, 0, TIER_BY_SPEND, day_from_civil(step->of.year == 0 ? step->day : step->of),
                      step->value);
        uint32_t got = tier_step(&world->programme, &world->accounts[0]);
        if (got != step->want)
            fail_msg("%s: step %u of the story, tier %u", story->what, i + 1, got);
    }
    account_copy(&world->accounts[0], out);
    world_free(world);
}

static void the_stories(void **state)
{
    (void)state;
    static struct account daily, at_once;
    for (size_t i = 0; i < COUNT_OF(stories); i++) {
        tell(&stories[i], true, &daily);
        tell(&stories[i], false, &at_once);
        assert_same_account(&at_once, &daily);
    }
}

/* "Spending lowers no tier but one by `balance`": matured lots less debt, judged after every event. */
static void by_balance(void **state)
{
    (void)state;
    for (int with_grace = 0; with_grace < 2; with_grace++) {
        struct world *world = world_with(&(struct tiers){ .basis = TIER_BY_BALANCE, .kept = TIER_KEPT_NONE });
        struct tiers *tiers = &world->programme.tiers;
        tiers->grace = with_grace ? TIER_GRACE_DAYS : TIER_GRACE_NONE;
        tiers->grace_count = 3;
        const struct account *account = &world->accounts[0];
        world_go_to(world, 2026, 3, 10);
        (void)act_add(world, 0, 600, date(2026, 3, 31));
        assert_int_equal(tier_step(&world->programme, account), SILVER);
        (void)act_add(world, 0, 400, DAY_NEVER);
        assert_int_equal(tier_step(&world->programme, account), GOLD);
        (void)act_take(world, 0, 1);
        assert_int_equal(tier_step(&world->programme, account), with_grace ? GOLD : SILVER);
        world_go_to(world, 2026, 3, 31);
        world_run_days(world);
        assert_int_equal(tier_step(&world->programme, account), SILVER);
        /* What expires at a midnight lowers it that midnight; its last day was the day before. */
        world_go_to(world, 2026, 4, 1);
        world_run_days(world);
        assert_int_equal(account->balance, 400);
        assert_int_equal(tier_step(&world->programme, account), with_grace ? SILVER : NONE);
        world_go_to(world, 2026, 4, 3);
        world_run_days(world);
        assert_int_equal(tier_step(&world->programme, account), with_grace ? SILVER : NONE);
        world_go_to(world, 2026, 4, 4);
        world_run_days(world);
        assert_int_equal(tier_step(&world->programme, account), NONE);
        world_free(world);
    }
}

/* Points that are pending are "not counted for a tier until then"; then in the month of the purchase. */
static void by_points_when_they_mature(void **state)
{
    (void)state;
    struct world *world = world_with(
        &(struct tiers){ .basis = TIER_BY_POINTS, .window = TIER_WINDOW_MONTHS, .window_months = 1 });
    const struct account *account = &world->accounts[0];
    world->programme.tiers.kept = TIER_KEPT_NONE;
    world->programme.mature_days = 14;
    world_go_to(world, 2026, 3, 10);
    (void)act_award(world, 0, date(2026, 3, 10), 700);
    world_go_to(world, 2026, 3, 20);
    (void)act_award(world, 0, date(2026, 3, 20), 300);
    assert_int_equal(account->month_count, 0);
    world_go_to(world, 2026, 3, 23);
    world_run_days(world);
    assert_int_equal(tier_step(&world->programme, account), NONE);
    world_go_to(world, 2026, 3, 24);
    world_run_days(world);
    assert_int_equal(tier_step(&world->programme, account), SILVER);
    /* In April they mature for March, which the window has left. */
    world_go_to(world, 2026, 4, 3);
    world_run_days(world);
    assert_int_equal(tier_step(&world->programme, account), NONE);
    assert_int_equal(account->month_count, 1);
    assert_int_equal(account->months[0].month, month_of_day(date(2026, 3, 1)));
    assert_int_equal(account->months[0].points, 1000);
    /* Matured at once, they count at once, whatever of them paid debt. */
    world->programme.mature_days = 0;
    act_owe(world, 0, 2000);
    (void)act_award(world, 0, date(2026, 4, 3), 500);
    assert_int_equal(tier_step(&world->programme, account), SILVER);
    world_free(world);
}

/* "A purchase's own spend or visit counts first, then it is rated at the tier reached." */
static void own_spend_counts_first(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        struct tiers rules;
        struct civil_date day;
        minor_units base;
        bool visit;
        uint32_t want;
    } rows[] = {
        { "not enough", { LAST_MONTHS(2), .basis = TIER_BY_SPEND }, { 2026, 3, 10 }, 299, true, NONE },
        { "reached", { LAST_MONTHS(2), .basis = TIER_BY_SPEND }, { 2026, 3, 10 }, 300, true, SILVER },
        { "two steps", { LAST_MONTHS(2), .basis = TIER_BY_SPEND }, { 2026, 3, 10 }, 800, true, GOLD },
        { "of the month before",
          { LAST_MONTHS(2), .basis = TIER_BY_SPEND },
          { 2026, 2, 10 },
          300,
          true,
          SILVER },
        { "too old", { LAST_MONTHS(2), .basis = TIER_BY_SPEND }, { 2026, 1, 31 }, 300, true, NONE },
        { "too old for a window, not for ever",
          { EVER, .basis = TIER_BY_SPEND },
          { 2020, 1, 31 },
          300,
          true,
          SILVER },
        { "of last year", { YEAR, .basis = TIER_BY_SPEND }, { 2025, 12, 31 }, 300, true, NONE },
        { "of this year", { YEAR, .basis = TIER_BY_SPEND }, { 2026, 1, 1 }, 300, true, SILVER },
        { "up: next", { YEAR, .basis = TIER_BY_SPEND, .up_next = true }, { 2026, 3, 10 }, 300, true, NONE },
        { "a visit", { YEAR, .basis = TIER_BY_VISITS }, { 2026, 3, 10 }, 9999, true, SILVER },
        { "no visit", { YEAR, .basis = TIER_BY_VISITS }, { 2026, 3, 10 }, 9999, false, NONE },
        { "points are counted behind it",
          { YEAR, .basis = TIER_BY_POINTS },
          { 2026, 3, 10 },
          9999,
          true,
          NONE },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct world *world = world_with(&rows[i].rules);
        world_go_to(world, 2026, 3, 10);
        act_count(world, 0, TIER_BY_SPEND, date(2026, 3, 1), 200);
        act_count(world, 0, TIER_BY_VISITS, date(2026, 3, 1), 499);
        uint32_t got = tier_step_with(&world->programme, &world->accounts[0], day_from_civil(rows[i].day),
                                      world_today(world), rows[i].base, rows[i].visit);
        if (got != rows[i].want)
            fail_msg("%s: %u", rows[i].what, got);
        world_free(world);
    }
}

/* A tier that a new version does not know counts as none, and is judged at the next event. */
static void an_unknown_tier_is_judged(void **state)
{
    (void)state;
    struct world *world = world_with(&(struct tiers){ YEAR, .kept = TIER_KEPT_NEXT });
    const struct account *account = &world->accounts[0];
    world_go_to(world, 2025, 3, 10);
    act_count(world, 0, TIER_BY_SPEND, world_today(world), 1000);
    world_go_to(world, 2026, 3, 10);
    struct programme *renamed = world_publish(world);
    renamed->tiers.tiers[1].id = programme_id(TEXT_LITERAL("platinum"));
    assert_int_equal(tier_step(renamed, account), NONE);
    (void)act_add(world, 0, 1, DAY_NEVER);
    assert_int_equal(tier_step(renamed, account), GOLD);
    assert_int_equal(account->tier.since, date(2026, 3, 10));
    assert_int_equal(account->tier.through, date(2026, 12, 31));
    /* A higher sum is asked for: what was promised is kept. */
    struct programme *dearer = world_publish(world);
    dearer->tiers.tiers[1].from = 5000;
    (void)act_add(world, 0, 1, DAY_NEVER);
    assert_int_equal(tier_step(dearer, account), GOLD);
    assert_int_equal(account->tier.through, date(2026, 12, 31));
    struct programme *without = world_publish(world);
    without->tiers.count = 0;
    (void)act_add(world, 0, 1, DAY_NEVER);
    assert_int_equal(account->tier.id, 0);
    assert_int_equal(account_due_day(account), DAY_NEVER);
    world_free(world);
}

/* An account whose tier rests on nothing is never due; one that is carried for ever neither. */
static void only_what_changes_is_due(void **state)
{
    (void)state;
    struct world *world = world_with(&(struct tiers){ YEAR, .kept = TIER_KEPT_NEXT });
    const struct account *account = &world->accounts[0];
    act_count(world, 0, TIER_BY_SPEND, world_today(world), 100);
    assert_int_equal(account_due_day(account), DAY_NEVER);
    act_count(world, 0, TIER_BY_SPEND, world_today(world), 400);
    assert_int_equal(account_due_day(account), date(2026, 1, 1));
    world->programme.tiers.tiers[0].from = 0;
    world_go_to(world, 2026, 1, 1);
    world_run_days(world);
    assert_int_equal(tier_step(&world->programme, account), SILVER);
    assert_int_equal(account_due_day(account), DAY_NEVER);
    world_free(world);
}

/* Months that no window needs are forgotten, but stay in what was counted ever. */
static void old_months_are_forgotten(void **state)
{
    (void)state;
    struct world *world = world_with(&(struct tiers){ YEAR });
    const struct account *account = &world->accounts[0];
    for (int32_t month = 0; month < 100; month++) {
        local_day day = day_add_months(date(2024, 1, 15), month);
        struct civil_date at = civil_from_day(day);
        world_go_to(world, at.year, at.month, at.day);
        act_count(world, 0, TIER_BY_SPEND, day, 1);
        act_count(world, 0, TIER_BY_SPEND, date(2000, 1, 1), 1);
    }
    assert_int_equal(account->month_count, TIER_MONTHS_MAX + 12);
    assert_int_equal(account->ever.spend, 200);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_stories),
        cmocka_unit_test(by_balance),
        cmocka_unit_test(by_points_when_they_mature),
        cmocka_unit_test(own_spend_counts_first),
        cmocka_unit_test(an_unknown_tier_is_judged),
        cmocka_unit_test(only_what_changes_is_due),
        cmocka_unit_test(old_months_are_forgotten),
    };
    return cmocka_run_group_tests_name("tiers", tests, NULL, NULL);
}
