/*
 * Days on the wall calendar of a zone, from a table of its transitions: no clock, no files, no libc
 * time functions. The table is made by ops when a programme is loaded.
 */
#pragma once

#include "base/base.h"
#include "base/units.h"

#define CALENDAR_TRANSITIONS_MAX 256

struct calendar {
    char zone[65];          /* name in the IANA database */
    int32_t first_offset_s; /* seconds east of UTC before the first transition */
    uint32_t transition_count;
    struct {
        int64_t at_s; /* from this instant, seconds since 1970 UTC */
        int32_t offset_s;
    } transitions[CALENDAR_TRANSITIONS_MAX];
};

/* A calendar without transitions, "UTC". */
void calendar_utc(struct calendar *out);

/* The day on which an instant falls. */
local_day calendar_day(const struct calendar *calendar, utc_us time);

/* The same, and the minute of the day that the wall clock shows, 0 to 1439. */
local_day calendar_day_minute(const struct calendar *calendar, utc_us time, uint32_t *out_minute);

/* 0 Monday ... 6 Sunday. */
uint32_t weekday_of(local_day day);

/* The first instant of a day. */
utc_us calendar_day_start(const struct calendar *calendar, local_day day);

struct civil_date {
    int32_t year;
    uint32_t month; /* 1..12 */
    uint32_t day;   /* 1..31 */
};

/* Proleptic Gregorian calendar (ISO 8601). */
struct civil_date civil_from_day(local_day day);
local_day day_from_civil(struct civil_date date);

/* The same day of the month so many months later or before, or the last day of that month if it is shorter. */
local_day day_add_months(local_day day, int32_t months);

/* Months since January 1970, the first day of one, the last day of one. */
int32_t month_of_day(local_day day);
local_day month_first_day(int32_t month);
local_day month_last_day(int32_t month);
