#include "cli/parse.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "proto/message.h"

#define DIGITS_MAX 18 /* 10^18 fits in 63 bits */
#define MICROSECONDS UINT64_C(1000000)
#define SECONDS_A_DAY 86400

__extension__ typedef __int128 wide;

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int64_t power_of_ten(unsigned exponent)
{
    int64_t power = 1;
    while (exponent-- > 0)
        power *= 10;
    return power;
}

bool parse_decimal(const char *text, size_t size, struct parse_decimal *out_decimal)
{
    size_t at = 0;
    bool negative = size > 0 && text[0] == '-';
    if (size > 0 && (text[0] == '-' || text[0] == '+'))
        at++;
    int64_t units = 0;
    unsigned digits = 0;
    unsigned decimals = 0;
    bool behind_point = false;
    if (at == size || !is_digit(text[at]))
        return false;
    for (; at < size; at++) {
        if (text[at] == '.' && !behind_point && at + 1 < size) {
            behind_point = true;
            continue;
        }
        if (!is_digit(text[at]) || digits == DIGITS_MAX)
            return false;
        units = units * 10 + (text[at] - '0');
        digits += units != 0; /* leading zeros are free */
        decimals += behind_point;
        if (decimals > PARSE_DECIMALS_MAX)
            return false;
    }
    out_decimal->units = negative ? -units : units;
    out_decimal->decimals = decimals;
    return true;
}

bool parse_is_zero(const char *text)
{
    struct parse_decimal number;
    return text != NULL && parse_decimal(text, strlen(text), &number) && number.units == 0;
}

bool parse_product(struct parse_decimal a, struct parse_decimal b, unsigned decimals, int64_t limit,
                   int64_t *out_product)
{
    wide product = (wide)a.units * b.units;
    unsigned have = a.decimals + b.decimals;
    bool negative = product < 0;
    if (negative)
        product = -product;
    if (have <= decimals) {
        /* Below 10^36 before; the check against limit keeps the multiplication below 2^127. */
        if (product > limit)
            return false;
        product *= power_of_ten(decimals - have);
    } else {
        wide divisor = power_of_ten(have - decimals);
        product = (product + divisor / 2) / divisor;
    }
    if (product > limit)
        return false;
    *out_product = negative ? -(int64_t)product : (int64_t)product;
    return true;
}

bool parse_scaled(struct parse_decimal value, unsigned decimals, int64_t limit, int64_t *out_scaled)
{
    /* Zeros behind the last decimal that exists say nothing new: 5.000 is 5.00. */
    while (value.decimals > decimals && value.units % 10 == 0) {
        value.units /= 10;
        value.decimals--;
    }
    if (value.decimals > decimals)
        return false;
    return parse_product(value, (struct parse_decimal){ .units = 1 }, decimals, limit, out_scaled);
}

static bool parse_scaled_text(const char *text, unsigned decimals, int64_t limit, int64_t *out_scaled)
{
    struct parse_decimal value;
    return parse_decimal(text, strlen(text), &value) && parse_scaled(value, decimals, limit, out_scaled);
}

bool parse_amount(const char *text, unsigned exponent, int64_t *out_minor)
{
    return parse_scaled_text(text, exponent, MESSAGE_AMOUNT_MAX, out_minor);
}

bool parse_quantity(const char *text, uint64_t *out_thousandths)
{
    int64_t thousandths;
    if (!parse_scaled_text(text, 3, MESSAGE_QUANTITY_MAX, &thousandths) || thousandths < 0)
        return false;
    *out_thousandths = (uint64_t)thousandths;
    return true;
}

bool parse_points(const char *text, unsigned decimals, int64_t *out_points)
{
    return parse_scaled_text(text, decimals, MESSAGE_POINTS_MAX, out_points);
}

/* Digits in a base of 10 or 16 up to a character that is none of them. */
static bool parse_digits(const char **at, unsigned base, uint64_t *out_number)
{
    uint64_t number = 0;
    const char *begin = *at;
    for (;; (*at)++) {
        char c = **at;
        unsigned digit;
        if (is_digit(c))
            digit = (unsigned)(c - '0');
        else if (base == 16 && c >= 'a' && c <= 'f')
            digit = (unsigned)(c - 'a') + 10;
        else if (base == 16 && c >= 'A' && c <= 'F')
            digit = (unsigned)(c - 'A') + 10;
        else
            break;
        if (number > (UINT64_MAX - digit) / base)
            return false;
        number = number * base + digit;
    }
    *out_number = number;
    return *at > begin;
}

bool parse_uint(const char *text, uint64_t minimum, uint64_t maximum, uint64_t *out_number)
{
    uint64_t number;
    if (!parse_digits(&text, 10, &number) || *text != '\0' || number < minimum || number > maximum)
        return false;
    *out_number = number;
    return true;
}

bool parse_retry(const char *text, uint64_t *out_epoch, uint64_t *out_number)
{
    uint64_t epoch;
    uint64_t number;
    if (!parse_digits(&text, 16, &epoch) || *text++ != ':' || !parse_uint(text, 1, UINT64_MAX, &number))
        return false;
    if (epoch == 0)
        return false; /* the epoch of connections that only read */
    *out_epoch = epoch;
    *out_number = number;
    return true;
}

/* Exactly `count` digits, as a number from minimum to maximum. */
static bool take_digits(const char **at, unsigned count, int minimum, int maximum, int *out_number)
{
    int number = 0;
    for (unsigned i = 0; i < count; i++) {
        if (!is_digit((*at)[i]))
            return false;
        number = number * 10 + ((*at)[i] - '0');
    }
    *at += count;
    *out_number = number;
    return number >= minimum && number <= maximum;
}

/* Days since 1970; the calendar's own rules judge the day of the month. */
static bool take_day(const char **at, int64_t *out_day)
{
    int year;
    int month;
    int day;
    if (!take_digits(at, 4, 1970, 9999, &year) || *(*at)++ != '-' || !take_digits(at, 2, 1, 12, &month) ||
        *(*at)++ != '-' || !take_digits(at, 2, 1, 31, &day))
        return false;
    struct tm calendar = { .tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day };
    time_t seconds = timegm(&calendar);
    if (calendar.tm_mday != day)
        return false;
    *out_day = seconds / SECONDS_A_DAY;
    return true;
}

bool parse_day(const char *text, uint64_t *out_day)
{
    int64_t day;
    if (!take_day(&text, &day) || *text != '\0')
        return false;
    *out_day = (uint64_t)day;
    return true;
}

/* HH:MM[:SS[.FRACTION]] as microseconds of the day; what is finer than a microsecond is dropped. */
static bool take_clock(const char **at, int64_t *out_clock_us)
{
    int hour;
    int minute;
    int second = 0;
    int64_t fraction_us = 0;
    if (!take_digits(at, 2, 0, 23, &hour) || *(*at)++ != ':' || !take_digits(at, 2, 0, 59, &minute))
        return false;
    if (**at == ':') {
        (*at)++;
        if (!take_digits(at, 2, 0, 59, &second))
            return false;
        if (**at == '.') {
            int64_t unit_us = MICROSECONDS / 10;
            (*at)++;
            if (!is_digit(**at))
                return false;
            for (; is_digit(**at); (*at)++) {
                fraction_us += (**at - '0') * unit_us;
                unit_us /= 10;
            }
        }
    }
    *out_clock_us = (hour * 3600 + minute * 60 + second) * (int64_t)MICROSECONDS + fraction_us;
    return true;
}

/* Seconds east of UTC of the process's zone at an instant. */
static int64_t zone_offset_at(int64_t seconds)
{
    time_t instant = (time_t)seconds;
    struct tm local;
    return localtime_r(&instant, &local) != NULL ? local.tm_gmtoff : 0;
}

/*
 * The instant at which the wall clock of the process's zone shows `wall` (seconds as if it were UTC).
 * Not mktime: for a repeated or skipped hour its answer depends on what it was asked before.
 */
static int64_t instant_of_wall(int64_t wall)
{
    int64_t before = wall - zone_offset_at(wall - SECONDS_A_DAY);
    int64_t after = wall - zone_offset_at(wall + SECONDS_A_DAY);
    if (before + zone_offset_at(before) == wall)
        return before;
    return after + zone_offset_at(after) == wall ? after : before;
}

/* Z, +HH:MM or +HHMM, as seconds; *out_given is false where the text has none. */
static bool take_offset(const char **at, int64_t *out_offset, bool *out_given)
{
    char sign = **at;
    int hour;
    int minute;
    *out_given = sign != '\0';
    *out_offset = 0;
    if (sign == '\0')
        return true;
    (*at)++;
    if (sign == 'Z' || sign == 'z')
        return true;
    if ((sign != '+' && sign != '-') || !take_digits(at, 2, 0, 23, &hour))
        return false;
    if (**at == ':')
        (*at)++;
    if (!take_digits(at, 2, 0, 59, &minute))
        return false;
    *out_offset = (hour * 3600 + minute * 60) * (sign == '-' ? -1 : 1);
    return true;
}

bool parse_time(const char *text, uint64_t *out_time_us, uint64_t *out_day)
{
    int64_t day;
    int64_t clock_us;
    int64_t offset;
    bool given;
    if (!take_day(&text, &day) || (*text != 'T' && *text != 't' && *text != ' '))
        return false;
    text++;
    if (!take_clock(&text, &clock_us) || !take_offset(&text, &offset, &given) || *text != '\0')
        return false;
    int64_t wall = day * SECONDS_A_DAY + clock_us / (int64_t)MICROSECONDS;
    int64_t seconds = given ? wall - offset : instant_of_wall(wall);
    int64_t time_us = seconds * (int64_t)MICROSECONDS + clock_us % (int64_t)MICROSECONDS;
    if (time_us < 0 || time_us > MESSAGE_TIME_MAX)
        return false;
    if (out_time_us != NULL)
        *out_time_us = (uint64_t)time_us;
    if (out_day != NULL)
        *out_day = (uint64_t)day;
    return true;
}

bool zone_use(const char *name)
{
    char path[256];
    const char *folder = getenv("TZDIR");
    if (strcmp(name, "UTC") != 0) {
        int length =
            snprintf(path, sizeof(path), "%s/%s", folder != NULL ? folder : "/usr/share/zoneinfo", name);
        if (name[0] == '\0' || strstr(name, "..") != NULL || length < 0 || (size_t)length >= sizeof(path) ||
            access(path, R_OK) != 0)
            return false;
    }
    if (setenv("TZ", name, 1) != 0)
        return false;
    tzset();
    return true;
}

void time_text(uint64_t time_us, bool utc, char out[TIME_TEXT_SIZE])
{
    time_t seconds = (time_t)(time_us / MICROSECONDS);
    struct tm parts;
    if (time_us > (uint64_t)MESSAGE_TIME_MAX ||
        (utc ? gmtime_r(&seconds, &parts) : localtime_r(&seconds, &parts)) == NULL) {
        (void)snprintf(out, TIME_TEXT_SIZE, "%" PRIu64, time_us);
        return;
    }
    size_t length = strftime(out, TIME_TEXT_SIZE, utc ? "%Y-%m-%dT%H:%M:%S" : "%Y-%m-%d %H:%M:%S", &parts);
    if (utc && time_us % MICROSECONDS != 0)
        (void)snprintf(out + length, TIME_TEXT_SIZE - length, ".%06uZ", (unsigned)(time_us % MICROSECONDS));
    else if (utc)
        (void)snprintf(out + length, TIME_TEXT_SIZE - length, "Z");
}

void day_text(uint64_t day, char out[TIME_TEXT_SIZE])
{
    time_text(day * SECONDS_A_DAY * MICROSECONDS, true, out);
    out[strcspn(out, "T")] = '\0';
}

void decimal_text(int64_t scaled, unsigned decimals, char out[DECIMAL_TEXT_SIZE])
{
    uint64_t magnitude = scaled < 0 ? 0 - (uint64_t)scaled : (uint64_t)scaled;
    uint64_t unit = (uint64_t)power_of_ten(decimals);
    const char *sign = scaled < 0 ? "-" : "";
    if (decimals == 0)
        (void)snprintf(out, DECIMAL_TEXT_SIZE, "%s%" PRIu64, sign, magnitude);
    else
        (void)snprintf(out, DECIMAL_TEXT_SIZE, "%s%" PRIu64 ".%0*" PRIu64, sign, magnitude / unit,
                       (int)decimals, magnitude % unit);
}
