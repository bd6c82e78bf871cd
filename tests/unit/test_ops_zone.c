/* Zones: their transitions as tables, which the C library's own days are held against. */
#include "ops/zone.h"

#include <time.h>

#include "ops_files.h"

static local_day day_of(int32_t year, uint32_t month, uint32_t day)
{
    return day_from_civil((struct civil_date){ .year = year, .month = month, .day = day });
}

/* Berlin: no summer time before 1980, then two changes a year; Kathmandu: 5:30, later 5:45 hours. */
static void zones_become_tables(void **state)
{
    (void)state;
    struct calendar calendar;
    assert_int_equal(zone_read("Europe/Berlin", &calendar), PUNKT_OK);
    assert_int_equal(calendar.first_offset_s, 3600);
    assert_int_equal(calendar.transition_count, 240);
    assert_int_equal(calendar.transitions[0].at_s, 323830800);
    assert_int_equal(calendar.transitions[0].offset_s, 7200);
    int64_t hour = 3600 * US_PER_SECOND;
    assert_int_equal(calendar_day_start(&calendar, day_of(2026, 7, 1)),
                     day_of(2026, 7, 1) * US_PER_DAY - 2 * hour);
    assert_int_equal(calendar_day_start(&calendar, day_of(2099, 12, 1)),
                     day_of(2099, 12, 1) * US_PER_DAY - hour);
    assert_int_equal(zone_read("Asia/Kathmandu", &calendar), PUNKT_OK);
    assert_int_equal(calendar.first_offset_s, 19800);
    assert_int_equal(calendar.transition_count, 1);
    assert_int_equal(calendar.transitions[0].offset_s, 20700);
    /* Two changes in each of 130 years do not fit: from 2000 on they do. */
    assert_int_equal(zone_read("America/New_York", &calendar), PUNKT_OK);
    assert_int_equal(calendar.transition_count, 200);
    assert_int_equal(calendar_day_start(&calendar, day_of(2026, 7, 1)),
                     day_of(2026, 7, 1) * US_PER_DAY + 4 * hour);
    assert_int_equal(zone_read("UTC", &calendar), PUNKT_OK);
    assert_int_equal(calendar.transition_count, 0);
    assert_int_equal(zone_read("", &calendar), PUNKT_NOT_FOUND);
    assert_int_equal(zone_read("/etc/localtime", &calendar), PUNKT_NOT_FOUND);
}

/* Every hour of some years is the day that the C library says it is. */
static void tables_agree_with_the_library(void **state)
{
    (void)state;
    static const char *const zones[] = { "Europe/Berlin",     "America/New_York", "America/Havana",
                                         "Africa/Casablanca", "Pacific/Apia",     "Asia/Beirut" };
    for (size_t i = 0; i < COUNT_OF(zones); i++) {
        struct calendar calendar;
        assert_int_equal(zone_read(zones[i], &calendar), PUNKT_OK);
        assert_int_equal(setenv("TZ", zones[i], 1), 0);
        tzset();
        for (int64_t at_s = 1290000000; at_s < 1800000000; at_s += 1800) {
            time_t time = (time_t)at_s;
            struct tm local;
            assert_non_null(localtime_r(&time, &local));
            local_day day = day_of(local.tm_year + 1900, (uint32_t)local.tm_mon + 1, (uint32_t)local.tm_mday);
            if (calendar_day(&calendar, at_s * US_PER_SECOND) != day)
                fail_msg("%s at %lld", zones[i], (long long)at_s);
        }
        for (local_day day = day_of(2011, 1, 1); day < day_of(2026, 1, 1); day++) {
            utc_us start = calendar_day_start(&calendar, day);
            assert_true(calendar_day(&calendar, start) >= day);
            assert_true(calendar_day(&calendar, start - 1) < day);
        }
    }
}

/* The process's own zone is what it was. */
static void the_process_keeps_its_zone(void **state)
{
    (void)state;
    struct calendar calendar;
    assert_int_equal(setenv("TZ", "Asia/Tokyo", 1), 0);
    assert_int_equal(zone_read("Europe/Berlin", &calendar), PUNKT_OK);
    assert_string_equal(getenv("TZ"), "Asia/Tokyo");
    assert_int_equal(unsetenv("TZ"), 0);
    assert_int_equal(zone_read("Europe/Berlin", &calendar), PUNKT_OK);
    assert_null(getenv("TZ"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zones_become_tables),
        cmocka_unit_test(tables_agree_with_the_library),
        cmocka_unit_test(the_process_keeps_its_zone),
    };
    return cmocka_run_group_tests_name("ops zone", tests, NULL, NULL);
}
