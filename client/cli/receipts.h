/*
 * Receipts out of a CSV file: columns by name, lines grouped by receipt number, each receipt handed on
 * when it is complete. Streams: memory does not grow with the file. No network, no clock; local times
 * are those of the process's zone (zone_use).
 *
 * A receipt is complete when RECEIPTS_WINDOW further lines have not named it, or at the end. A line
 * for a completed one is an error, found among the last SEEN_MAX (seen.h).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECEIPTS_WINDOW 1000
#define RECEIPTS_LINES_MAX 4096 /* lines of one receipt, the protocol's limit */
#define RECEIPTS_CODE_MAX 32    /* bytes of a number or code */

/* What a column may mean; `--map` names them as here, in lower case. */
enum receipts_role {
    RECEIPTS_RECEIPT,
    RECEIPTS_CODE,
    RECEIPTS_QUANTITY,
    RECEIPTS_TIME,
    RECEIPTS_PRICE,
    RECEIPTS_CARD,
    RECEIPTS_AMOUNT,
    RECEIPTS_CATEGORY,
    RECEIPTS_STORE,
    RECEIPTS_TILL,
    RECEIPTS_COUNT
};

extern const char *const receipts_role_names[RECEIPTS_COUNT];

struct receipts_options {
    char *columns[RECEIPTS_COUNT]; /* header of the column, NULL where there is none; borrowed */
    const char *returns_prefix;    /* receipt numbers that begin so are returns; NULL: none are */
    const char *store;             /* of all receipts, unless there is a column */
    const char *till;
    unsigned currency_exponent;
};

/* A number or code, ends with NUL. */
struct receipts_code {
    char text[RECEIPTS_CODE_MAX + 1];
};

struct receipts_line {
    struct receipts_code code;
    struct receipts_code category; /* "" for none */
    int64_t amount;                /* minor units, sign as booked: opposite to the file's on a return */
    uint64_t quantity;             /* thousandths, never negative */
};

struct receipts_receipt {
    bool returned; /* goods that came back */
    struct receipts_code number;
    struct receipts_code card;
    struct receipts_code store;
    struct receipts_code till;
    uint64_t time_us; /* of its first line */
    uint64_t day;     /* the calendar day written there, days since 1970 */
    int64_t amount;   /* sum of its lines */
    const struct receipts_line *lines;
    uint32_t line_count;
    uint64_t first_line; /* its first line in the file, from 1, for messages */
};

/* Takes a complete receipt, valid for the call. False stops the reading. */
typedef bool receipts_fn(const struct receipts_receipt *receipt, void *ctx);

enum receipts_status {
    RECEIPTS_OK,
    RECEIPTS_STOPPED, /* the callback said so */
    RECEIPTS_BAD,     /* the file; receipts_error says what */
    RECEIPTS_NO_MEMORY,
};

struct receipts;

/*
 * Reads "receipt=InvoiceNo,code=StockCode,..." into options->columns, which then point into text
 * (changed in place). False, and why in *out_why (static), for an unknown or repeated name and when
 * one that is needed is missing: receipt, code, time, card, and price with quantity or amount.
 */
bool receipts_map(char *text, struct receipts_options *options, const char **out_why);

/* NULL without memory. The options and what they point to are borrowed for its life. */
struct receipts *receipts_new(const struct receipts_options *options, receipts_fn *take, void *ctx);

void receipts_free(struct receipts *receipts);

/* The next bytes of the file. After anything but RECEIPTS_OK it gives the same answer again. */
enum receipts_status receipts_feed(struct receipts *receipts, const void *bytes, size_t size);

/* The end of the file: hands on what is left. */
enum receipts_status receipts_finish(struct receipts *receipts);

/* What is wrong with the file, with the line; valid until receipts_free. */
const char *receipts_error(const struct receipts *receipts);

uint64_t receipts_lines(const struct receipts *receipts);         /* lines of receipts handed on or open */
uint64_t receipts_skipped_lines(const struct receipts *receipts); /* lines without a card */
