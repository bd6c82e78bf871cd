#include "points/calendar.h"

#include <string.h>

#define SECONDS_PER_DAY INT64_C(86400)
#define DAYS_PER_400_YEARS 146097

static int64_t floor_div(int64_t value, int64_t by)
{
    int64_t quotient = value / by;
    return value % by < 0 ? quotient - 1 : quotient;
}

void calendar_utc(struct calendar *out)
{
    memset(out, 0, sizeof(*out));
    memcpy(out->zone, "UTC", sizeof("UTC"));
}

/* How many transitions lie at or before an instant. */
static uint32_t transitions_until(const struct calendar *calendar, int64_t at_s)
{
    uint32_t low = 0;
    uint32_t high = calendar->transition_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (calendar->transitions[middle].at_s <= at_s)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The offset behind the first `passed` transitions. */
static int32_t offset_after(const struct calendar *calendar, uint32_t passed)
{
    return passed == 0 ? calendar->first_offset_s : calendar->transitions[passed - 1].offset_s;
}

local_day calendar_day_minute(const struct calendar *calendar, utc_us time, uint32_t *out_minute)
{
    int64_t at_s = floor_div(time, US_PER_SECOND);
    int64_t wall_s = at_s + offset_after(calendar, transitions_until(calendar, at_s));
    int64_t day = floor_div(wall_s, SECONDS_PER_DAY);
    *out_minute = (uint32_t)((wall_s - day * SECONDS_PER_DAY) / 60);
    return (local_day)day;
}

local_day calendar_day(const struct calendar *calendar, utc_us time)
{
    uint32_t minute;
    return calendar_day_minute(calendar, time, &minute);
}

uint32_t weekday_of(local_day day)
{
    /* Day 0, 1 January 1970, was a Thursday. */
    int64_t since_monday = (int64_t)day + 3;
    return (uint32_t)(since_monday - floor_div(since_monday, 7) * 7);
}

utc_us calendar_day_start(const struct calendar *calendar, local_day day)
{
    if (day == DAY_NEVER)
        return INT64_MAX;
    PUNKT_CHECK(day > -100000000 && day < 100000000);
    /* Between two transitions the clock runs straight. The day starts in the first such stretch that reaches
     * its midnight, or with the stretch, if the clock was put forward over midnight. */
    int64_t midnight_s = day * SECONDS_PER_DAY;
    uint32_t passed = transitions_until(calendar, midnight_s - 2 * SECONDS_PER_DAY);
    for (;; passed++) {
        int64_t start_s = midnight_s - offset_after(calendar, passed);
        if (passed > 0)
            start_s = i64_max(start_s, calendar->transitions[passed - 1].at_s);
        if (passed == calendar->transition_count || start_s < calendar->transitions[passed].at_s)
            return start_s * US_PER_SECOND;
    }
}

/* Leap days from year 1 through `year`; for earlier years below zero, so that differences are right. */
static int64_t leap_days_through(int64_t year)
{
    return floor_div(year, 4) - floor_div(year, 100) + floor_div(year, 400);
}

/* The day of 1 January. */
static int64_t day_of_year_start(int64_t year)
{
    return (year - 1970) * 365 + leap_days_through(year - 1) - leap_days_through(1969);
}

static uint32_t days_of_month(int64_t year, uint32_t month)
{
    static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = leap_days_through(year) != leap_days_through(year - 1);
    return days[month - 1] + (month == 2 && leap ? 1u : 0u);
}

struct civil_date civil_from_day(local_day day)
{
    /* The mean length of a year gives the year but for one at its ends. */
    int64_t year = 1970 + floor_div((int64_t)day * 400, DAYS_PER_400_YEARS);
    while (day_of_year_start(year) > day)
        year--;
    while (day_of_year_start(year + 1) <= day)
        year++;
    uint32_t left = (uint32_t)(day - day_of_year_start(year));
    uint32_t month = 1;
    while (left >= days_of_month(year, month)) {
        left -= days_of_month(year, month);
        month++;
    }
    return (struct civil_date){ .year = (int32_t)year, .month = month, .day = left + 1 };
}

local_day day_from_civil(struct civil_date date)
{
    PUNKT_CHECK(date.month >= 1 && date.month <= 12 && date.day >= 1 && date.day <= 31);
    int64_t day = day_of_year_start(date.year);
    for (uint32_t month = 1; month < date.month; month++)
        day += days_of_month(date.year, month);
    return (local_day)(day + date.day - 1);
}

int32_t month_of_day(local_day day)
{
    struct civil_date date = civil_from_day(day);
    return (date.year - 1970) * 12 + (int32_t)date.month - 1;
}

local_day month_first_day(int32_t month)
{
    int32_t year = 1970 + (int32_t)floor_div(month, 12);
    uint32_t in_year = (uint32_t)(month - (year - 1970) * 12);
    return day_from_civil((struct civil_date){ .year = year, .month = in_year + 1, .day = 1 });
}

local_day month_last_day(int32_t month)
{
    return month_first_day(month + 1) - 1;
}

local_day day_add_months(local_day day, int32_t months)
{
    struct civil_date date = civil_from_day(day);
    int32_t month = (date.year - 1970) * 12 + (int32_t)date.month - 1 + months;
    local_day same = month_first_day(month) + (local_day)date.day - 1;
    return (local_day)i64_min(same, month_last_day(month));
}
