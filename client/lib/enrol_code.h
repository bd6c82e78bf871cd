/*
 * Enrolment codes: 32 letters and digits (Crockford's base 32) of 20 bytes: a handle of 4, by which the server finds what the
 * code is for, and a secret of 16, which both sides have and nobody sends.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/identity.h"

#define ENROL_HANDLE_DIGITS 8
#define ENROL_SECRET_SIZE 16

struct enrol_code {
    char handle[ENROL_HANDLE_DIGITS + 1]; /* as hexadecimal digits */
    uint8_t secret[ENROL_SECRET_SIZE];    /* to be wiped by who has it */
};

/*
 * Reads what somebody typed: case, dashes and blanks do not matter, O is 0, I and L are 1. False: why, with room for
 * IDENTITY_WHY_SIZE, says what it lacks, and in which group of four.
 */
bool enrol_code_read(const char *text, struct enrol_code *out, char *why);

/* The pre-shared key of the connection that the code is used on. False: OpenSSL refused, or no memory. */
bool enrol_code_key(const struct enrol_code *code, uint8_t out_key[IDENTITY_PSK_KEY_SIZE]);
