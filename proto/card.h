/*
 * Card numbers: which are acceptable, check digits, counting through a range, cleaning what a
 * magnetic stripe reader types. For both sides: the client checks before any network call.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/wire.h"

enum card_check {
    CARD_CHECK_NONE = 0,
    CARD_CHECK_LUHN = 1,  /* ISO/IEC 7812-1 annex B */
    CARD_CHECK_EAN13 = 2, /* GS1 General Specifications, 7.9: thirteen digits */
};

/* 1 to 32 bytes of A-Z a-z 0-9 . _ % + @ - */
bool card_number_valid(const struct wire_code *number);

/* Whether the check digit (the last one) is right; always true for CARD_CHECK_NONE. */
bool card_check_valid(const struct wire_code *number, enum card_check check);

/*
 * The number `step` places after `first` in a range: digits only, same length, counted without the
 * check digit, which is made anew. False if first is not digits only, its check digit is wrong, or
 * the range runs out of digits.
 */
bool card_number_after(const struct wire_code *first, uint64_t step, enum card_check check,
                       struct wire_code *out);

/*
 * Takes what was scanned: strips the sentinels of track 2 (leading ';', trailing '?') and
 * everything from '=' on, and surrounding blanks. False if what is left is no card number.
 */
bool card_number_from_scan(const char *scanned, size_t size, struct wire_code *out);
