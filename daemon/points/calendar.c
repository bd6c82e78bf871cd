#include "points/calendar.h"

#include <string.h>

#define SECONDS_PER_DAY INT64_C(86400)
/* Years are counted from 1 March: so leap days come last, and the lengths of months go by one rule. */
#define DAYS_PER_400_YEARS 146097
#define DAYS_PER_100_YEARS 36524 /* but for the last of four, which has a day more */
#define DAYS_PER_4_YEARS 1461
#define MARCH_OF_YEAR_0 (-719468) /* its first day */

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

struct civil_date civil_from_day(local_day day)
{
    int64_t since = (int64_t)day - MARCH_OF_YEAR_0;
    int64_t era = floor_div(since, DAYS_PER_400_YEARS);
    uint32_t in_era = (uint32_t)(since - era * DAYS_PER_400_YEARS);
    /* Without the leap days before it, what is left are years of 365 days. */
    uint32_t year = (in_era - in_era / (DAYS_PER_4_YEARS - 1) + in_era / DAYS_PER_100_YEARS -
                     in_era / (DAYS_PER_400_YEARS - 1)) /
                    365;
    uint32_t in_year = in_era - (365 * year + year / 4 - year / 100);
    /* From March on, five months have 153 days. */
    uint32_t month = (5 * in_year + 2) / 153;
    return (struct civil_date){ .year = (int32_t)(era * 400 + year + (month >= 10)),
                                .month = month < 10 ? month + 3 : month - 9,
                                .day = in_year - (153 * month + 2) / 5 + 1 };
}

local_day day_from_civil(struct civil_date date)
{
    PUNKT_CHECK(date.month >= 1 && date.month <= 12 && date.day >= 1 && date.day <= 31);
    int64_t year = (int64_t)date.year - (date.month < 3);
    int64_t month = date.month < 3 ? date.month + 9 : date.month - 3;
    int64_t days = year * 365 + floor_div(year, 4) - floor_div(year, 100) + floor_div(year, 400);
    return (local_day)(MARCH_OF_YEAR_0 + days + (153 * month + 2) / 5 + date.day - 1);
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
