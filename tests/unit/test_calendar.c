/* Days of zones: both clock changes of a year, days that start late, twice or not at all, and leap days. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "points/calendar.h"

#define HOUR 3600

static local_day day_of(int32_t year, uint32_t month, uint32_t day)
{
    return day_from_civil((struct civil_date){ .year = year, .month = month, .day = day });
}

/* An instant by its UTC date and time. */
static utc_us at(int32_t year, uint32_t month, uint32_t day, int hour, int minute, int second)
{
    return day_of(year, month, day) * US_PER_DAY + (hour * HOUR + minute * 60 + second) * US_PER_SECOND;
}

/* A zone whose clock goes to `during` at `from` and back at `until`. */
static struct calendar zone_of(int32_t before, utc_us from, int32_t during, utc_us until)
{
    struct calendar calendar;
    calendar_utc(&calendar);
    calendar.first_offset_s = before;
    calendar.transition_count = 2;
    calendar.transitions[0].at_s = from / US_PER_SECOND;
    calendar.transitions[0].offset_s = during;
    calendar.transitions[1].at_s = until / US_PER_SECOND;
    calendar.transitions[1].offset_s = before;
    return calendar;
}

/* A day's start is its first instant: the microsecond before is another day, and a round trip stays. */
static void assert_start(const struct calendar *calendar, local_day day, utc_us want)
{
    assert_int_equal(calendar_day_start(calendar, day), want);
    assert_int_equal(calendar_day(calendar, want), day);
    assert_int_equal(calendar_day(calendar, want - 1), day - 1);
}

static void utc_days(void **state)
{
    (void)state;
    struct calendar utc;
    calendar_utc(&utc);
    assert_string_equal(utc.zone, "UTC");
    assert_int_equal(calendar_day(&utc, 0), 0);
    assert_int_equal(calendar_day(&utc, -1), -1);
    assert_int_equal(calendar_day(&utc, -US_PER_DAY), -1);
    assert_int_equal(calendar_day(&utc, US_PER_DAY - 1), 0);
    assert_start(&utc, 20000, 20000 * US_PER_DAY);
    assert_int_equal(calendar_day_start(&utc, DAY_NEVER), INT64_MAX);
}

/* Central Europe 2026: forward on 29 March 01:00 UTC, back on 25 October 01:00 UTC. */
static void both_changes_of_a_year(void **state)
{
    (void)state;
    struct calendar zone = zone_of(HOUR, at(2026, 3, 29, 1, 0, 0), 2 * HOUR, at(2026, 10, 25, 1, 0, 0));
    assert_start(&zone, day_of(2026, 3, 28), at(2026, 3, 27, 23, 0, 0));
    assert_start(&zone, day_of(2026, 3, 29), at(2026, 3, 28, 23, 0, 0));
    assert_start(&zone, day_of(2026, 3, 30), at(2026, 3, 29, 22, 0, 0));
    assert_start(&zone, day_of(2026, 10, 25), at(2026, 10, 24, 22, 0, 0));
    assert_start(&zone, day_of(2026, 10, 26), at(2026, 10, 25, 23, 0, 0));
    /* Days of 23 and 25 hours. */
    assert_int_equal(calendar_day_start(&zone, day_of(2026, 3, 30)) -
                         calendar_day_start(&zone, day_of(2026, 3, 29)),
                     23 * HOUR * US_PER_SECOND);
    assert_int_equal(calendar_day_start(&zone, day_of(2026, 10, 26)) -
                         calendar_day_start(&zone, day_of(2026, 10, 25)),
                     25 * HOUR * US_PER_SECOND);
    /* The repeated hour is the same day both times. */
    assert_int_equal(calendar_day(&zone, at(2026, 10, 25, 0, 30, 0)), day_of(2026, 10, 25));
    assert_int_equal(calendar_day(&zone, at(2026, 10, 25, 1, 30, 0)), day_of(2026, 10, 25));
}

/* Where summer time begins at midnight, the day starts at one o'clock (Asuncion, Beirut, Havana). */
static void day_without_midnight(void **state)
{
    (void)state;
    struct calendar zone = zone_of(-4 * HOUR, at(2024, 10, 6, 4, 0, 0), -3 * HOUR, at(2025, 3, 23, 3, 0, 0));
    assert_start(&zone, day_of(2024, 10, 6), at(2024, 10, 6, 4, 0, 0));
    assert_start(&zone, day_of(2024, 10, 7), at(2024, 10, 7, 3, 0, 0));
    /* Back at midnight: the last hour of the day before comes twice, and the day starts after the second. */
    assert_int_equal(calendar_day(&zone, at(2025, 3, 23, 2, 59, 59)), day_of(2025, 3, 22));
    assert_start(&zone, day_of(2025, 3, 23), at(2025, 3, 23, 4, 0, 0));
}

/* Back at half past midnight: the day starts twice, and the first start counts. */
static void midnight_twice(void **state)
{
    (void)state;
    struct calendar zone = zone_of(0, at(2026, 3, 1, 12, 0, 0), HOUR, at(2026, 10, 24, 23, 30, 0));
    assert_int_equal(calendar_day_start(&zone, day_of(2026, 10, 25)), at(2026, 10, 24, 23, 0, 0));
    assert_int_equal(calendar_day(&zone, at(2026, 10, 24, 23, 0, 0)), day_of(2026, 10, 25));
    assert_int_equal(calendar_day(&zone, at(2026, 10, 24, 23, 45, 0)), day_of(2026, 10, 24));
}

/* Samoa went from UTC-10 to UTC+14 and had no 30 December 2011. */
static void day_that_never_was(void **state)
{
    (void)state;
    struct calendar zone =
        zone_of(-10 * HOUR, at(2011, 12, 30, 10, 0, 0), 14 * HOUR, at(2099, 1, 1, 0, 0, 0));
    assert_int_equal(calendar_day(&zone, at(2011, 12, 30, 9, 59, 59)), day_of(2011, 12, 29));
    assert_int_equal(calendar_day(&zone, at(2011, 12, 30, 10, 0, 0)), day_of(2011, 12, 31));
    assert_int_equal(calendar_day_start(&zone, day_of(2011, 12, 30)), at(2011, 12, 30, 10, 0, 0));
    assert_int_equal(calendar_day_start(&zone, day_of(2011, 12, 31)), at(2011, 12, 30, 10, 0, 0));
}

static void known_dates(void **state)
{
    (void)state;
    static const struct {
        struct civil_date date;
        local_day day;
    } rows[] = {
        { { 1970, 1, 1 }, 0 },     { { 1969, 12, 31 }, -1 },    { { 2000, 2, 29 }, 11016 },
        { { 2000, 3, 1 }, 11017 }, { { 2024, 2, 29 }, 19782 },  { { 2023, 3, 1 }, 19417 },
        { { 2100, 3, 1 }, 47541 }, { { 2026, 11, 21 }, 20778 }, { { 1600, 2, 29 }, -135081 },
        { { 0, 3, 1 }, -719468 },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct civil_date date = civil_from_day(rows[i].day);
        assert_int_equal(day_from_civil(rows[i].date), rows[i].day);
        assert_int_equal(date.year, rows[i].date.year);
        assert_int_equal(date.month, rows[i].date.month);
        assert_int_equal(date.day, rows[i].date.day);
    }
}

/* Every day of eight hundred years follows the day before, and comes back. */
static void dates_and_days_are_the_same(void **state)
{
    (void)state;
    struct civil_date before = civil_from_day(day_of(1599, 12, 31));
    for (local_day day = day_of(1600, 1, 1); day <= day_of(2400, 12, 31); day++) {
        struct civil_date date = civil_from_day(day);
        assert_int_equal(day_from_civil(date), day);
        bool next_day = date.year == before.year && date.month == before.month && date.day == before.day + 1;
        bool next_month = date.year == before.year && date.month == before.month + 1 && date.day == 1;
        bool next_year = date.year == before.year + 1 && date.month == 1 && date.day == 1 && before.day == 31;
        assert_true(next_day || next_month || next_year);
        before = date;
    }
}

/* The wall clock's minute skips an hour, and shows one twice. */
static void minutes_of_the_wall_clock(void **state)
{
    (void)state;
    struct calendar zone = zone_of(HOUR, at(2026, 3, 29, 1, 0, 0), 2 * HOUR, at(2026, 10, 25, 1, 0, 0));
    const struct {
        utc_us time;
        local_day day;
        uint32_t minute;
    } rows[] = {
        { at(2026, 3, 28, 22, 59, 59), day_of(2026, 3, 28), 1439 },
        { at(2026, 3, 28, 23, 0, 0), day_of(2026, 3, 29), 0 },
        { at(2026, 3, 29, 0, 59, 59), day_of(2026, 3, 29), 119 },
        { at(2026, 3, 29, 1, 0, 0), day_of(2026, 3, 29), 180 },
        { at(2026, 10, 25, 0, 30, 0), day_of(2026, 10, 25), 150 },
        { at(2026, 10, 25, 1, 30, 0), day_of(2026, 10, 25), 150 },
        { at(1969, 12, 31, 22, 59, 59), day_of(1969, 12, 31), 1439 },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        uint32_t minute;
        assert_int_equal(calendar_day_minute(&zone, rows[i].time, &minute), rows[i].day);
        assert_int_equal(minute, rows[i].minute);
    }
}

static void weekdays(void **state)
{
    (void)state;
    assert_int_equal(weekday_of(day_of(1970, 1, 1)), 3);
    assert_int_equal(weekday_of(day_of(1969, 12, 28)), 6);
    assert_int_equal(weekday_of(day_of(1900, 1, 1)), 0);
    assert_int_equal(weekday_of(day_of(2028, 2, 29)), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utc_days),
        cmocka_unit_test(both_changes_of_a_year),
        cmocka_unit_test(day_without_midnight),
        cmocka_unit_test(midnight_twice),
        cmocka_unit_test(day_that_never_was),
        cmocka_unit_test(known_dates),
        cmocka_unit_test(dates_and_days_are_the_same),
        cmocka_unit_test(minutes_of_the_wall_clock),
        cmocka_unit_test(weekdays),
    };
    return cmocka_run_group_tests_name("calendar", tests, NULL, NULL);
}
