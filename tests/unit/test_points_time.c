/*
 * Points and the wall clock of a zone (DOMAIN.md, Numbers): days of 23 and 25 hours, days that begin at one o'clock or have
 * their last hour twice, leap days, ends of months and years, a programme that is published at noon, and tills whose clock is
 * wrong.
 */
#include "points_world.h"

#include <stdio.h>

#define POINT MILLIPOINTS_PER_POINT
#define HOUR 3600

/* --- zones and instants --- */

/* An instant by its UTC date and time. */
struct moment {
    int32_t year;
    uint32_t month, day;
    int hour, minute;
};

static utc_us instant(struct moment at)
{
    struct civil_date date = { .year = at.year, .month = at.month, .day = at.day };
    return day_from_civil(date) * US_PER_DAY + (at.hour * HOUR + at.minute * 60) * US_PER_SECOND;
}

struct change {
    struct moment at;
    int32_t offset_s;
};

/* Forward on 29 March 2026 at two o'clock, back on 25 October at three. */
static const struct change berlin[] = {
    { { 2026, 3, 29, 1, 0 }, 2 * HOUR },
    { { 2026, 10, 25, 1, 0 }, HOUR },
    { { 2028, 3, 26, 1, 0 }, 2 * HOUR },
};

/* At midnight: 4 November 2018 begins at one o'clock; 17 February 2018 has its last hour twice. */
static const struct change sao_paulo[] = {
    { { 2017, 10, 15, 3, 0 }, -2 * HOUR },
    { { 2018, 2, 18, 2, 0 }, -3 * HOUR },
    { { 2018, 11, 4, 3, 0 }, -2 * HOUR },
    { { 2019, 2, 17, 2, 0 }, -3 * HOUR },
};

enum zone { UTC, BERLIN, SAO_PAULO };

static void set_changes(struct calendar *calendar, int32_t first_offset_s, uint32_t count,
                        const struct change *changes)
{
    calendar->first_offset_s = first_offset_s;
    calendar->transition_count = count;
    for (uint32_t i = 0; i < count; i++) {
        calendar->transitions[i].at_s = instant(changes[i].at) / US_PER_SECOND;
        calendar->transitions[i].offset_s = changes[i].offset_s;
    }
}

/* 1 point per 1.00, in a zone. */
static struct world *world_in(enum zone zone)
{
    struct world *world = world_new(1);
    calendar_utc(&world->programme.calendar);
    if (zone == BERLIN)
        set_changes(&world->programme.calendar, HOUR, COUNT_OF(berlin), berlin);
    if (zone == SAO_PAULO)
        set_changes(&world->programme.calendar, -3 * HOUR, COUNT_OF(sao_paulo), sao_paulo);
    return world;
}

static millipoints earned_at(struct world *world, utc_us now, minor_units amount)
{
    world->now = now;
    const struct world_event *sale = world_purchase(world, 0, amount, 0, NULL);
    assert_non_null(sale);
    return sale->event.purchase.earned / POINT;
}

static void assert_points(const char *what, millipoints got, millipoints want)
{
    if (got != want)
        fail_msg("%s: %lld points, wanted %lld", what, (long long)got, (long long)want);
}

/* --- in which day a cap counts --- */

static const struct {
    const char *what;
    enum zone zone;
    struct moment first, second;
    bool same_day;
} cap_rows[] = {
    { "an ordinary midnight", BERLIN, { 2026, 3, 27, 22, 59 }, { 2026, 3, 27, 23, 0 }, false },
    { "the day of 23 hours", BERLIN, { 2026, 3, 28, 23, 0 }, { 2026, 3, 29, 21, 59 }, true },
    { "and its end", BERLIN, { 2026, 3, 28, 23, 0 }, { 2026, 3, 29, 22, 0 }, false },
    { "the day of 25 hours", BERLIN, { 2026, 10, 24, 22, 0 }, { 2026, 10, 25, 22, 59 }, true },
    { "and its end", BERLIN, { 2026, 10, 24, 22, 0 }, { 2026, 10, 25, 23, 0 }, false },
    { "an hour that comes twice", BERLIN, { 2026, 10, 25, 0, 30 }, { 2026, 10, 25, 1, 30 }, true },
    { "before a leap day", BERLIN, { 2028, 2, 28, 22, 59 }, { 2028, 2, 28, 23, 0 }, false },
    { "a leap day", BERLIN, { 2028, 2, 28, 23, 0 }, { 2028, 2, 29, 22, 59 }, true },
    { "and its end", BERLIN, { 2028, 2, 29, 22, 59 }, { 2028, 2, 29, 23, 0 }, false },
    { "the end of a year", BERLIN, { 2026, 12, 31, 22, 59 }, { 2026, 12, 31, 23, 0 }, false },
    { "a day that begins at one", SAO_PAULO, { 2018, 11, 4, 2, 59 }, { 2018, 11, 4, 3, 0 }, false },
    { "the whole of it", SAO_PAULO, { 2018, 11, 4, 3, 0 }, { 2018, 11, 5, 1, 59 }, true },
    { "a last hour twice", SAO_PAULO, { 2018, 2, 18, 1, 30 }, { 2018, 2, 18, 2, 30 }, true },
    { "and its end", SAO_PAULO, { 2018, 2, 18, 2, 59 }, { 2018, 2, 18, 3, 0 }, false },
};

static void caps_count_in_days_of_the_zone(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cap_rows); i++) {
        struct world *world = world_in(cap_rows[i].zone);
        world->programme.caps.day = 10 * POINT;
        assert_points(cap_rows[i].what, earned_at(world, instant(cap_rows[i].first), 1500), 10);
        assert_points(cap_rows[i].what, earned_at(world, instant(cap_rows[i].second), 1500),
                      cap_rows[i].same_day ? 0 : 10);
        world_free(world);
    }
}

/* --- midnights: maturing and expiring --- */

static const struct {
    const char *what;
    enum zone zone;
    struct moment bought;
    uint32_t mature_days;
    uint32_t months;        /* until it expires; THROUGH_DAY */
    struct moment midnight; /* at which it matures (months 0) or is gone */
} midnight_rows[] = {
    { "matures at a midnight", BERLIN, { 2026, 3, 26, 12, 0 }, 1, 0, { 2026, 3, 26, 23, 0 } },
    { "matures as 29 March begins", BERLIN, { 2026, 3, 28, 12, 0 }, 1, 0, { 2026, 3, 28, 23, 0 } },
    { "matures after 23 hours more", BERLIN, { 2026, 3, 28, 12, 0 }, 2, 0, { 2026, 3, 29, 22, 0 } },
    { "matures after 25 hours more", BERLIN, { 2026, 10, 24, 12, 0 }, 2, 0, { 2026, 10, 25, 23, 0 } },
    { "matures on a leap day", BERLIN, { 2028, 2, 28, 12, 0 }, 1, 0, { 2028, 2, 28, 23, 0 } },
    { "matures after a leap day", BERLIN, { 2028, 2, 28, 12, 0 }, 2, 0, { 2028, 2, 29, 23, 0 } },
    { "matures at one o'clock", SAO_PAULO, { 2018, 11, 3, 12, 0 }, 1, 0, { 2018, 11, 4, 3, 0 } },
    { "matures behind the hour that comes twice",
      SAO_PAULO,
      { 2018, 2, 17, 12, 0 },
      1,
      0,
      { 2018, 2, 18, 3, 0 } },
    { "bought in that hour, again", SAO_PAULO, { 2018, 2, 18, 2, 30 }, 1, 0, { 2018, 2, 18, 3, 0 } },
    { "gone with 28 March", BERLIN, { 2026, 2, 28, 12, 0 }, 0, 1, { 2026, 3, 28, 23, 0 } },
    { "gone with the day of 23 hours", BERLIN, { 2026, 1, 29, 12, 0 }, 0, 2, { 2026, 3, 29, 22, 0 } },
    { "gone with the day of 25 hours", BERLIN, { 2026, 9, 25, 12, 0 }, 0, 1, { 2026, 10, 25, 23, 0 } },
    { "gone with a leap day", BERLIN, { 2028, 1, 31, 12, 0 }, 0, 1, { 2028, 2, 29, 23, 0 } },
    { "gone with 28 February", BERLIN, { 2027, 1, 31, 12, 0 }, 0, 1, { 2027, 2, 28, 23, 0 } },
    { "gone with the end of a month", BERLIN, { 2026, 3, 31, 12, 0 }, 0, 1, { 2026, 4, 30, 22, 0 } },
    { "gone with the year", BERLIN, { 2026, 8, 31, 12, 0 }, 0, 4, { 2026, 12, 31, 23, 0 } },
    { "gone as a day begins at one", SAO_PAULO, { 2018, 10, 3, 12, 0 }, 0, 1, { 2018, 11, 4, 3, 0 } },
    { "there twice in the last hour", SAO_PAULO, { 2018, 1, 17, 12, 0 }, 0, 1, { 2018, 2, 18, 3, 0 } },
    { "bought a minute before midnight", BERLIN, { 2026, 3, 30, 21, 59 }, 0, 1, { 2026, 4, 30, 22, 0 } },
    { "bought at midnight", BERLIN, { 2026, 3, 30, 22, 0 }, 0, 1, { 2026, 4, 30, 22, 0 } },
    { "counted from the day it matures", BERLIN, { 2026, 1, 30, 12, 0 }, 1, 1, { 2026, 2, 28, 23, 0 } },
};

/* Whether a point can be spent at an instant; what is due before that is booked. */
static bool can_spend(struct world *world, utc_us now)
{
    struct redeem_request request = { .card = world_card(0), .wish.points = POINT };
    world->now = now;
    world_ask(world, decide_redeem, &request);
    assert_int_equal(world_balance(world, 0).available > 0, world->decision.refusal == REFUSAL_NONE);
    return world->decision.refusal == REFUSAL_NONE;
}

static void lots_change_at_midnights_of_the_zone(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(midnight_rows); i++) {
        struct world *world = world_in(midnight_rows[i].zone);
        bool expires = midnight_rows[i].months > 0;
        world->programme.mature_days = midnight_rows[i].mature_days;
        if (expires)
            world->programme.expiry =
                (struct expiry){ .kind = EXPIRY_MONTHS, .months = midnight_rows[i].months };
        assert_points(midnight_rows[i].what, earned_at(world, instant(midnight_rows[i].bought), 1500), 15);
        utc_us midnight = instant(midnight_rows[i].midnight);
        if (can_spend(world, midnight - 1) != expires || can_spend(world, midnight) == expires)
            fail_msg("%s", midnight_rows[i].what);
        world_free(world);
    }
}

/* What comes back after its last day is there for restore_days: through the end of the last of them. */
static void restored_points_end_at_a_midnight(void **state)
{
    (void)state;
    struct world *world = world_in(BERLIN);
    world->programme.expiry = (struct expiry){ .kind = EXPIRY_MONTHS, .months = 0 };
    world->programme.restore_days = 2;
    assert_points("earned", earned_at(world, instant((struct moment){ 2026, 3, 27, 12, 0 }), 1500), 15);
    assert_int_equal(world_redeem(world, 0, 15 * POINT), REFUSAL_NONE);
    const struct world_event *taken = world->events[world->event_count - 1];
    world->now = instant((struct moment){ 2026, 3, 28, 12, 0 });
    struct reversal_request request = {
        .original.number = 9, .amount = -1, .event = &taken->event, .position = taken->position
    };
    world_ask(world, decide_reversal, &request);
    assert_non_null(world_book(world));
    /* 28 March and two days more, of which one has 23 hours. */
    utc_us end = instant((struct moment){ 2026, 3, 30, 22, 0 });
    assert_true(can_spend(world, end - 1));
    assert_false(can_spend(world, end));
    world_free(world);
}

/* --- hours --- */

#define TRIES 4

struct hour_row {
    const char *what;
    uint16_t from, until; /* minutes */
    uint8_t days;
    struct moment at[TRIES]; /* year 0: no more */
    bool doubled[TRIES];     /* the offer is for one use a day */
};

#define SATURDAY (1U << 5)
#define SUNDAY (1U << 6)
#define OCLOCK(hour) ((hour)*60)

static const struct hour_row hour_rows[] = {
    { "past midnight is the day it began",
      OCLOCK(22),
      OCLOCK(2),
      0,
      { { 2026, 3, 20, 20, 59 }, { 2026, 3, 20, 21, 0 }, { 2026, 3, 21, 0, 59 }, { 2026, 3, 21, 21, 0 } },
      { false, true, false, true } },
    { "past midnight alone, then the evening",
      OCLOCK(22),
      OCLOCK(2),
      0,
      { { 2026, 3, 20, 23, 30 }, { 2026, 3, 21, 0, 59 }, { 2026, 3, 21, 1, 0 }, { 2026, 3, 21, 21, 0 } },
      { true, false, false, true } },
    { "Saturday's night is on Sunday morning",
      OCLOCK(22),
      OCLOCK(2),
      SATURDAY,
      { { 2026, 3, 20, 23, 30 }, { 2026, 3, 21, 23, 30 }, { 2026, 3, 22, 0, 59 }, { 2026, 3, 22, 21, 30 } },
      { false, true, false, false } },
    { "over the hour that is not there",
      OCLOCK(22),
      OCLOCK(3),
      SATURDAY,
      { { 2026, 3, 28, 20, 59 }, { 2026, 3, 29, 0, 59 }, { 2026, 3, 29, 1, 0 }, { 2026, 3, 29, 2, 0 } },
      { false, true, false, false } },
    { "only the hour that is not there",
      OCLOCK(2),
      OCLOCK(3),
      SUNDAY,
      { { 2026, 3, 29, 0, 59 }, { 2026, 3, 29, 1, 0 }, { 2026, 4, 5, 0, 0 }, { 2026, 4, 5, 1, 0 } },
      { false, false, true, false } },
    { "an hour that comes twice, once used",
      OCLOCK(2),
      OCLOCK(3),
      SUNDAY,
      { { 2026, 10, 24, 23, 59 }, { 2026, 10, 25, 0, 0 }, { 2026, 10, 25, 1, 59 }, { 2026, 10, 25, 2, 0 } },
      { false, true, false, false } },
    { "an hour that comes twice, the second time",
      OCLOCK(2),
      OCLOCK(3),
      SUNDAY,
      { { 2026, 10, 24, 23, 59 }, { 2026, 10, 25, 1, 0 }, { 2026, 10, 25, 2, 0 }, { 0, 0, 0, 0, 0 } },
      { false, true, false, false } },
    { "the night of a year's end",
      OCLOCK(20),
      OCLOCK(4),
      0,
      { { 2026, 12, 31, 19, 0 }, { 2027, 1, 1, 2, 59 }, { 2027, 1, 1, 3, 0 }, { 2027, 1, 1, 19, 0 } },
      { true, false, false, true } },
};

static void hours_of_offers(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(hour_rows); i++) {
        const struct hour_row *row = &hour_rows[i];
        struct world *world = world_in(BERLIN);
        world->programme.offer_count = 1;
        world->programme.offers[0] = (struct offer){
            .kind = OFFER_MULTIPLY,
            .id = 1,
            .factor = 2000,
            .limit = { WINDOW_DAY, 1 },
            .period = { .from = INT32_MIN, .through = DAY_NEVER },
            .filter = { .days = row->days, .hour_count = 1, .hours = { { row->from, row->until } } }
        };
        for (uint32_t k = 0; k < TRIES && row->at[k].year != 0; k++) {
            char what[80];
            (void)snprintf(what, sizeof(what), "%s, %u", row->what, k + 1);
            assert_points(what, earned_at(world, instant(row->at[k]), 1000), row->doubled[k] ? 20 : 10);
        }
        world_free(world);
    }
}

/* --- periods --- */

/* A period's days are those of the zone, both inclusive. */
static void periods_begin_and_end_at_midnights(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        struct moment at;
        millipoints want;
    } rows[] = {
        { "the minute before", { 2026, 3, 28, 22, 59 }, 10 },
        { "its first", { 2026, 3, 28, 23, 0 }, 20 },
        { "in it", { 2026, 6, 1, 12, 0 }, 20 },
        { "its last", { 2026, 10, 25, 22, 59 }, 20 },
        { "the minute behind", { 2026, 10, 25, 23, 0 }, 10 },
    };
    struct world *world = world_in(BERLIN);
    world->programme.offer_count = 1;
    world->programme.offers[0] =
        (struct offer){ .kind = OFFER_MULTIPLY,
                        .id = 1,
                        .factor = 2000,
                        .period = { .from = day_from_civil((struct civil_date){ 2026, 3, 29 }),
                                    .through = day_from_civil((struct civil_date){ 2026, 10, 25 }) } };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_points(rows[i].what, earned_at(world, instant(rows[i].at), 1000), rows[i].want);
    world_free(world);
}

/* (Tiers) A year ends at the zone's midnight: what is bought before it counts for that year, and the tier falls with it. */
static void a_year_of_a_tier_ends_at_midnight(void **state)
{
    (void)state;
    struct world *world = world_in(SAO_PAULO);
    world->programme.tiers =
        (struct tiers){ .count = 1, .window = TIER_WINDOW_YEAR, .kept = TIER_KEPT_PERIOD };
    world->programme.tiers.tiers[0] = (struct tier){ .id = 7, .from = 2000, .factor = 1000 };
    utc_us new_year = instant((struct moment){ 2019, 1, 1, 2, 0 });
    (void)earned_at(world, new_year - 1, 2000);
    assert_int_equal(world->accounts[0].tier.id, 7);
    world->now = new_year;
    world_run_days(world);
    assert_int_equal(world->accounts[0].tier.id, 0);
    (void)earned_at(world, new_year, 1999);
    assert_int_equal(world->accounts[0].tier.id, 0);
    world_free(world);
}

/* --- a programme that is published at noon --- */

/* A world whose version 2, of three points for one, is in force from noon on. */
static struct world *published_at_noon(utc_us *out_noon)
{
    struct world *world = world_in(BERLIN);
    *out_noon = instant((struct moment){ 2026, 3, 29, 10, 0 });
    world->programme.caps.day = 50 * POINT;
    world->now = *out_noon;
    struct programme *next = world_publish(world);
    next->rules[0].points = 3 * POINT;
    next->mature_days = 1;
    next->expiry = (struct expiry){ .kind = EXPIRY_MONTHS, .months = 1 };
    next->claw_back = CLAW_BACK_OWN;
    return world;
}

/* (Numbers) Rules are judged at the time of the purchase, not of arrival. */
static void the_version_is_that_of_the_purchase(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        utc_us time; /* from noon; 0: that of arrival */
        utc_us arrives;
        uint32_t version;
        millipoints want;
    } rows[] = {
        { "before noon", 0, -1, 1, 10 },
        { "at noon", 0, 0, 2, 30 },
        { "bought before, sent after", -1, US_PER_DAY, 1, 10 },
        { "bought after, sent later", 1, US_PER_DAY, 2, 30 },
        { "a clock that is ahead", US_PER_SECOND, -US_PER_SECOND, 2, 30 },
        { "too late: the time of arrival", -US_PER_DAY, 31 * US_PER_DAY, 2, 30 },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        utc_us noon;
        struct world *world = published_at_noon(&noon);
        world->now = noon + rows[i].arrives;
        struct purchase_request request = { .card = world_card(0),
                                            .amount = 1000,
                                            .time = rows[i].time == 0 ? 0 : noon + rows[i].time };
        world_ask(world, decide_purchase, &request);
        const struct world_event *sale = world_book(world);
        assert_non_null(sale);
        assert_points(rows[i].what, sale->event.purchase.earned / POINT, rows[i].want);
        assert_int_equal(sale->event.purchase.programme_version, rows[i].version);
        world_free(world);
    }
}

/* A day's cap counts over both versions; maturing and expiry are those of the version that rated. */
static void a_day_of_two_versions(void **state)
{
    (void)state;
    utc_us noon;
    struct world *world = published_at_noon(&noon);
    assert_points("version 1", earned_at(world, noon - 1, 3000), 30);
    assert_points("version 2, what is left of the cap", earned_at(world, noon, 3000), 20);
    const struct account *account = &world->accounts[0];
    assert_int_equal(account->lot_count, 2);
    local_day today = world_today(world);
    assert_int_equal(account->lots[0].last_day, DAY_NEVER);
    assert_false(account->lots[0].pending);
    assert_int_equal(account->lots[1].matures, today + 1);
    assert_int_equal(account->lots[1].last_day, day_add_months(today + 1, 1));
    world_free(world);
}

/* (Back office) Returns are rated by the purchase's version; `claw_back` is today's. */
static void a_return_of_the_day_before(void **state)
{
    (void)state;
    utc_us noon;
    struct world *world = published_at_noon(&noon);
    assert_points("version 1", earned_at(world, noon - 1, 3000), 30);
    assert_int_equal(world_redeem(world, 0, 25 * POINT), REFUSAL_NONE);
    world->now = noon;
    assert_int_equal(world_return(world, 0, world->sales[0], 1000, 0, NULL), REFUSAL_NONE);
    const struct goods_return *goods = &world->decision.event.goods_return;
    assert_int_equal(goods->programme_version, 1);
    assert_int_equal(goods->due, 10 * POINT);
    assert_int_equal(goods->own_taken, 5 * POINT);
    assert_int_equal(goods->shortfall, 5 * POINT);
    world_free(world);
}

/* (Lots) A new programme does not re-date old lots. */
static void old_lots_keep_their_dates(void **state)
{
    (void)state;
    struct world *world = world_in(BERLIN);
    world->programme.expiry = (struct expiry){ .kind = EXPIRY_MONTHS, .months = 1 };
    assert_points("version 1", earned_at(world, instant((struct moment){ 2026, 3, 10, 12, 0 }), 1000), 10);
    local_day last_day = world->accounts[0].lots[0].last_day;
    world_publish(world)->expiry = (struct expiry){ .kind = EXPIRY_NEVER };
    assert_points("version 2", earned_at(world, world->now, 2000), 20);
    assert_int_equal(world->accounts[0].lots[0].last_day, last_day);
    assert_int_equal(world->accounts[0].lots[1].last_day, DAY_NEVER);
    utc_us end = calendar_day_start(&world->programme.calendar, last_day + 1);
    world->now = end - 1;
    assert_int_equal(world_balance(world, 0).available, 30 * POINT);
    world->now = end;
    assert_int_equal(world_balance(world, 0).available, 20 * POINT);
    world_free(world);
}

/* --- clocks of tills --- */

/* (Numbers) The till's time if within -31 days and +1 day of the server's, else the server's, flagged. */
static void till_time_out_of_bounds_is_not_used(void **state)
{
    (void)state;
    static const struct {
        utc_us off;
        uint32_t flags;
        bool used;
    } rows[] = {
        { -31 * US_PER_DAY, 0, true },
        { -31 * US_PER_DAY - 1, 0, false },
        { US_PER_DAY, 0, true },
        { US_PER_DAY + 1, 0, false },
        { -6000 * US_PER_DAY, EVENT_FLAG_HISTORIC, true },
    };
    struct judgement judgement = { .now = WORLD_START };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        uint32_t flags = 0;
        utc_us time = WORLD_START + rows[i].off;
        judgement.flags = rows[i].flags;
        assert_int_equal(judged_time(&judgement, time, &flags), rows[i].used ? time : WORLD_START);
        assert_int_equal(flags, rows[i].used ? 0 : EVENT_FLAG_SERVER_TIME);
    }
    uint32_t flags = 0;
    assert_int_equal(judged_time(&judgement, 0, &flags), WORLD_START);
    assert_int_equal(flags, 0);
}

/* (Numbers) The business date only names the receipt: if a till does not say it, it is the day of the purchase. */
static void documents_get_their_day(void **state)
{
    (void)state;
    struct world *world = world_in(BERLIN);
    local_day day = day_from_civil((struct civil_date){ 2026, 3, 29 });
    world->now = instant((struct moment){ 2026, 3, 31, 12, 0 });
    struct judgement judgement = { .now = world->now };
    struct purchase_request request = { .card = world_card(0),
                                        .amount = 100,
                                        .time = instant((struct moment){ 2026, 3, 29, 21, 59 }),
                                        .document = { .store = { "S", 1 }, .till = { "T", 1 } } };
    decide_purchase(&world->view, &judgement, &request, &world->decision);
    const struct event *event = &world->decision.event;
    assert_int_equal(event->document.kind, DOCUMENT_NONE);
    assert_int_equal(event->document.business_date, day);
    assert_true(text_equal(event->store, TEXT_LITERAL("S")));
    assert_true(text_equal(event->till, TEXT_LITERAL("T")));
    assert_int_equal(event->purchase.day, day);
    assert_int_equal(event->day, day + 2);
    request.document.number = TEXT_LITERAL("R1");
    request.document.business_date = 20000;
    decide_purchase(&world->view, &judgement, &request, &world->decision);
    assert_int_equal(event->document.kind, DOCUMENT_SALE);
    assert_int_equal(event->document.business_date, 20000);
    assert_int_equal(event->purchase.day, day);
    world_free(world);
}

/* (Redeeming) A hold is for an interval on the server's clock, whatever the wall clock does meanwhile. */
static void a_hold_lasts_over_a_clock_change(void **state)
{
    (void)state;
    static const struct moment starts[] = { { 2026, 3, 29, 0, 50 }, { 2026, 10, 25, 0, 50 } };
    for (size_t i = 0; i < COUNT_OF(starts); i++) {
        struct world *world = world_in(BERLIN);
        (void)earned_at(world, instant(starts[i]), 1000);
        struct hold_request request = { .card = world_card(0), .wish.points = 5 * POINT };
        world_ask(world, decide_hold, &request);
        const struct world_event *hold = world_book(world);
        assert_non_null(hold);
        assert_int_equal(hold->event.hold.deadline, world->now + HOLD_S_DEFAULT * US_PER_SECOND);
        struct capture_request capture = { .card = world_card(0), .hold = hold->position };
        world->now = hold->event.hold.deadline - 1;
        world_ask(world, decide_capture, &capture);
        assert_int_equal(world->decision.refusal, REFUSAL_NONE);
        world->now++;
        world_ask(world, decide_capture, &capture);
        assert_int_equal(world->decision.refusal, REFUSAL_HOLD_ENDED);
        world_free(world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(caps_count_in_days_of_the_zone),
        cmocka_unit_test(lots_change_at_midnights_of_the_zone),
        cmocka_unit_test(restored_points_end_at_a_midnight),
        cmocka_unit_test(hours_of_offers),
        cmocka_unit_test(periods_begin_and_end_at_midnights),
        cmocka_unit_test(a_year_of_a_tier_ends_at_midnight),
        cmocka_unit_test(the_version_is_that_of_the_purchase),
        cmocka_unit_test(a_day_of_two_versions),
        cmocka_unit_test(a_return_of_the_day_before),
        cmocka_unit_test(old_lots_keep_their_dates),
        cmocka_unit_test(till_time_out_of_bounds_is_not_used),
        cmocka_unit_test(documents_get_their_day),
        cmocka_unit_test(a_hold_lasts_over_a_clock_change),
    };
    return cmocka_run_group_tests_name("points time", tests, NULL, NULL);
}
