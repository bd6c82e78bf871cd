/*
 * What the fields of messages mean to people and programs: which numbers are points, which amounts, times, words.
 * Read from proto's tables, and from a table of what those do not say.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "cli/cli.h"
#include "proto/message.h"

enum sense {
    SENSE_COUNT,
    SENSE_POINTS,      /* in the programme's smallest unit */
    SENSE_AMOUNT,      /* minor units */
    SENSE_THOUSANDTHS, /* of stamps, units or points */
    SENSE_TIME,        /* microseconds since 1970 UTC; 0: none */
    SENSE_DAY,         /* days since 1970; 0: none */
    SENSE_DURATION,    /* seconds */
    SENSE_YES,         /* 1: yes */
    SENSE_FLAGS,       /* a word a bit */
    SENSE_WORD,        /* a number that has a name */
    SENSE_EPOCH,       /* 64 bits in hexadecimal */
    SENSE_RATED,       /* of a rule: its kind says what it is */
    SENSE_TEXT,
    SENSE_LIST,
};

enum sense field_sense(enum message message, const struct message_field *field);

/* The field of this name; NULL if the message has none. */
const struct message_field *field_find(enum message message, const char *name);

/* Numbers, by whatever kind the field has. 0 for texts and lists. */
int64_t field_number(const void *in, const struct message_field *field);

/* Elements of a list, and their number. */
const void *field_list(const void *in, const struct message_field *field, uint64_t *out_count);

/* Whether it says anything: differs from its preset, or from zero and empty where it is required. */
bool field_says(const void *in, const struct message_field *field);

/* The words of the bits that are set. The name of one, NULL for bits without. */
const char *field_flag(enum message message, const struct message_field *field, unsigned bit);

/*
 * For programs: points and amounts as integers, days YYYY-MM-DD, times RFC 3339 in UTC; null for no text, day or
 * time; bytes in hexadecimal; lists as arrays, of values where the element has one field only. The caller's; NULL without memory.
 */
json_t *field_json(enum message message, const void *in, const struct message_field *field);

/* The same for a whole message: an object, the fields in their order. */
json_t *message_json(enum message message, const void *in);

/*
 * For people: points, amounts and quantities with decimals, local times; "" for none, words of a list with commas.
 * A JSON string, which tables take; NULL without memory.
 */
json_t *field_text(const struct cli *cli, enum message message, const void *in,
                   const struct message_field *field);

/* Thousandths without zeros at their end: 2.5, 3. */
#define THOUSANDTHS_TEXT_SIZE 32
void thousandths_text(int64_t value, char out[THOUSANDTHS_TEXT_SIZE]);
