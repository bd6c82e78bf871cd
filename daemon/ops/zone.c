#include "ops/zone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DATABASE "/usr/share/zoneinfo"
#define SECONDS_PER_DAY INT64_C(86400)
#define YEAR_1970_S INT64_C(0)
#define YEAR_2000_S INT64_C(946684800)
#define YEAR_2038_S INT64_C(2145916800)
#define YEAR_2100_S INT64_C(4102444800)

/* Names of the database have no other characters; and none leads out of its folder. */
static bool name_valid(const char *name)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/";
    size_t size = strlen(name);
    return size > 0 && size < sizeof(((struct calendar *)NULL)->zone) && strspn(name, allowed) == size &&
           name[0] != '/';
}

/* The C library takes an unknown zone for UTC and says nothing, so the file is looked for first. */
static bool zone_exists(const char *name)
{
    const char *folder = getenv("TZDIR");
    char path[512];
    char magic[4];
    int size = snprintf(path, sizeof(path), "%s/%s", folder != NULL ? folder : DATABASE, name);
    if (size < 0 || (size_t)size >= sizeof(path))
        return false;
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    bool whole = fread(magic, sizeof(magic), 1, file) == 1 && memcmp(magic, "TZif", sizeof(magic)) == 0;
    (void)fclose(file);
    return whole;
}

/* Seconds east of UTC at an instant, in the zone that TZ names. */
static int32_t offset_at(int64_t at_s)
{
    time_t time = (time_t)at_s;
    struct tm local;
    PUNKT_CHECK(localtime_r(&time, &local) != NULL);
    return (int32_t)local.tm_gmtoff;
}

/* The first instant of (from, to] whose offset is not that of `from`, given that `to`'s is another. */
static int64_t find_transition(int64_t from, int64_t to)
{
    int32_t before = offset_at(from);
    while (to - from > 1) {
        int64_t middle = from + (to - from) / 2;
        if (offset_at(middle) == before)
            from = middle;
        else
            to = middle;
    }
    return to;
}

/*
 * How far to look ahead from an instant for the next transition. Beyond 2037 zones go by rules, whose summers and winters
 * last for weeks, and the C library reads the rule again for every question.
 */
static int64_t step_at(int64_t at_s)
{
    return at_s < YEAR_2038_S ? SECONDS_PER_DAY : 7 * SECONDS_PER_DAY;
}

/* Fills the table from an instant on. False: it does not fit. */
static bool probe(int64_t from, struct calendar *out)
{
    out->first_offset_s = offset_at(from);
    out->transition_count = 0;
    memset(out->transitions, 0, sizeof(out->transitions));
    int32_t offset_s = out->first_offset_s;
    for (int64_t at_s = from; at_s < YEAR_2100_S; at_s += step_at(at_s)) {
        int64_t next_s = at_s + step_at(at_s);
        if (offset_at(next_s) == offset_s)
            continue;
        if (out->transition_count == CALENDAR_TRANSITIONS_MAX)
            return false;
        int64_t transition_s = find_transition(at_s, next_s);
        offset_s = offset_at(next_s);
        out->transitions[out->transition_count].at_s = transition_s;
        out->transitions[out->transition_count].offset_s = offset_s;
        out->transition_count++;
    }
    return true;
}

/* Sets the process's zone; NULL: the one of the machine. */
static bool set_zone(const char *name)
{
    int failed = name == NULL ? unsetenv("TZ") : setenv("TZ", name, 1);
    tzset();
    return failed == 0;
}

enum punkt_status zone_read(const char *name, struct calendar *out)
{
    enum punkt_status status = PUNKT_NO_MEMORY;
    const char *before = getenv("TZ");
    char *saved = before == NULL ? NULL : strdup(before);
    if (!name_valid(name) || (!zone_exists(name) && strcmp(name, "UTC") != 0)) {
        status = PUNKT_NOT_FOUND;
        goto out;
    }
    if ((before != NULL && saved == NULL) || !set_zone(name))
        goto out;
    calendar_utc(out);
    (void)snprintf(out->zone, sizeof(out->zone), "%s", name);
    status = probe(YEAR_1970_S, out) || probe(YEAR_2000_S, out) ? PUNKT_OK : PUNKT_FULL;
    PUNKT_CHECK(set_zone(saved));
out:
    free(saved);
    return status;
}
