/*
 * What people type and files hold, as the integers of the wire: amounts in minor units, quantities in
 * thousandths, points in the programme's smallest unit, times in microseconds. Exact: decimal digits
 * in, integers out, no floating point. Every function returns false, and leaves its outputs alone, for
 * text that is anything else, has more decimals than there are, or is over a limit of the protocol.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A decimal number: units / 10^decimals. At most 18 digits in all. */
struct parse_decimal {
    int64_t units;
    unsigned decimals;
};

#define PARSE_DECIMALS_MAX 9

/* Sign, digits, and a point with at most PARSE_DECIMALS_MAX further digits; "1." and ".5" are not numbers. */
bool parse_decimal(const char *text, size_t size, struct parse_decimal *out_decimal);

/* Whether this is a number and zero, however many zeros it has. text may be NULL, which is none. */
bool parse_is_zero(const char *text);

/*
 * The product with `decimals` decimals, rounded half away from zero: what a line of a receipt costs.
 * False if it is over limit (a magnitude, in the smallest unit).
 */
bool parse_product(struct parse_decimal a, struct parse_decimal b, unsigned decimals, int64_t limit,
                   int64_t *out_product);

/* A decimal as an integer of 10^-decimals, without rounding; limit is a magnitude. */
bool parse_scaled(struct parse_decimal value, unsigned decimals, int64_t limit, int64_t *out_scaled);

/* An amount in major units, as minor units of a currency with `exponent` decimals; may be negative. */
bool parse_amount(const char *text, unsigned exponent, int64_t *out_minor);

/* A quantity, as thousandths; not negative. */
bool parse_quantity(const char *text, uint64_t *out_thousandths);

/* Points, in the programme's smallest unit; may be negative. */
bool parse_points(const char *text, unsigned decimals, int64_t *out_points);

/* A whole number from minimum to maximum, digits only. */
bool parse_uint(const char *text, uint64_t minimum, uint64_t maximum, uint64_t *out_number);

/* EPOCH:NUMBER, as the error object prints it: sixteen hexadecimal digits at most, then a number from 1. */
bool parse_retry(const char *text, uint64_t *out_epoch, uint64_t *out_number);

/* YYYY-MM-DD, as days since 1970-01-01. */
bool parse_day(const char *text, uint64_t *out_day);

/*
 * YYYY-MM-DD, then T or a blank, HH:MM[:SS[.FRACTION]], then Z, +HH:MM, -HH:MM or nothing, as
 * microseconds since 1970 UTC. Nothing means the process's time zone (zone_use). A time that the
 * clocks skipped is taken as if they had not been changed yet, one they showed twice as the first.
 * *out_day is the calendar day as written; either output may be NULL.
 */
bool parse_time(const char *text, uint64_t *out_time_us, uint64_t *out_day);

/*
 * Makes an IANA zone ("Europe/Vienna") the process's. False if this machine does not know it: glibc
 * itself would quietly take UTC.
 */
bool zone_use(const char *name);

/* "YYYY-MM-DD HH:MM:SS" in the process's zone, or, with utc, "YYYY-MM-DDTHH:MM:SS[.ffffff]Z". */
#define TIME_TEXT_SIZE 32
void time_text(uint64_t time_us, bool utc, char out[TIME_TEXT_SIZE]);

/* "YYYY-MM-DD" of days since 1970. */
void day_text(uint64_t day, char out[TIME_TEXT_SIZE]);

/* An integer of 10^-decimals as text: 10500 with 2 is "105.00". */
#define DECIMAL_TEXT_SIZE 32
void decimal_text(int64_t scaled, unsigned decimals, char out[DECIMAL_TEXT_SIZE]);
