/*
 * From a document to a struct, by a table of rows: which keys there are, of what form, within which
 * limits, and where they go. Whatever does not fit is a problem with its place, and reading goes on.
 */
#pragma once

#include "base/base.h"
#include "base/text.h"
#include "base/units.h"
#include "ops/document.h"
#include "ops/problems.h"

/* Decimals of amounts that are not known yet: amounts are then passed over, unread and without a problem. */
#define SCHEMA_DECIMALS_UNKNOWN UINT32_MAX

/*
 * One reading of one file. The decimals are looked at whenever an amount or points are read, for the file
 * may say them further up; they may be NULL where no row needs them.
 */
struct schema_run {
    const char *file;
    struct problems *problems;
    const uint32_t *amount_decimals; /* of the currency, or SCHEMA_DECIMALS_UNKNOWN */
    const uint32_t *point_decimals;  /* of points as they are booked, 0 to 3 */
};

/* Reads a node of its own form into the struct `out`. */
typedef void schema_read_fn(const struct schema_run *run, const struct document_node *node, void *out);

enum schema_form {
    SCHEMA_WHOLE,       /* a whole number, min to max, into a uint32_t */
    SCHEMA_FACTOR,      /* up to three decimals, min to max thousandths, into a uint32_t */
    SCHEMA_THOUSANDTHS, /* the same into an int64_t */
    SCHEMA_POINTS, /* points that are booked as they stand: millipoints, min to max, with the run's decimals */
    SCHEMA_AMOUNT,   /* minor units, min to max, with the run's decimals */
    SCHEMA_TEXT,     /* a text of min to max bytes, into a char array of max + 1 */
    SCHEMA_WORD,     /* one of `words`; its index goes into a uint32_t or an enum */
    SCHEMA_EITHER,   /* the first or the second of `words`, into a bool: false or true */
    SCHEMA_TRUTH,    /* true or false, into a bool */
    SCHEMA_DAY,      /* 2026-03-01, 1970 to 2099, into a local_day */
    SCHEMA_DURATION, /* 90s, 15m or 2h, min to max seconds, into a uint32_t; if min is 0, 0 too */
    SCHEMA_OWN,      /* by `read` */
    SCHEMA_ROWS,     /* no key of its own: the rows of `table` stand here, their struct is at `offset` */
};

struct schema_table;

struct schema_row {
    const char *key; /* with those of the maps around it: "limits.conns_max" */
    enum schema_form form;
    bool required;
    size_t offset;
    int64_t min, max;
    const char *const *words; /* ends with NULL; an empty one only keeps its number */
    schema_read_fn *read;
    const struct schema_table *table;
};

struct schema_table {
    const char *section; /* of the manual that has its keys; "": the beginning */
    const char *what;    /* the map, in problems: "limit", "a rule", "this" */
    const struct schema_row *rows;
    size_t row_count;
};

/*
 * Reads a map into the struct `out`, in the order of the rows, so that a row may rely on those above it.
 * Rows whose key is not there leave `out` alone.
 */
void schema_read(const struct schema_run *run, const struct schema_table *table,
                 const struct document_node *map, void *out);

/* The value of a key with dots; NULL: it is not there, or this is no map. */
const struct document_node *schema_find(const struct document_node *map, const char *key);

/* Adds a problem at a node. */
PUNKT_PRINTF(3, 4)
void schema_complain(const struct schema_run *run, const struct document_node *node, const char *format, ...);

#define SCHEMA_SHOWN_MAX 40

/* What stands at a node, as people see it; long texts are cut. By value. */
struct schema_shown {
    char text[SCHEMA_SHOWN_MAX + 8];
};
struct schema_shown schema_show(const struct document_node *node);

/* Whether it is one of `words`, and which; complains of nothing. */
bool schema_word_is(const struct document_node *node, const char *const *words, uint32_t *out_index);

/*
 * Each reads one value of its form and answers false if it complained; then *out is left alone. `key` names
 * the value in the problem.
 */

/* The form SCHEMA_AMOUNT; false also without a problem if the decimals are not known. */
bool schema_amount(const struct schema_run *run, const struct document_node *node, const char *key,
                   int64_t min, int64_t max, minor_units *out);
/* The form SCHEMA_POINTS. */
bool schema_points(const struct schema_run *run, const struct document_node *node, const char *key,
                   int64_t min, int64_t max, millipoints *out);

/*
 * A number with up to `decimals` decimals, quoted or not, as a multiple of its smallest part: "1.5" with
 * 3 is 1500. min and max are in the smallest part.
 */
bool schema_decimal(const struct schema_run *run, const struct document_node *node, const char *key,
                    uint32_t decimals, int64_t min, int64_t max, int64_t *out);

/* A text of min to max bytes into out, which has max + 1. */
bool schema_text(const struct schema_run *run, const struct document_node *node, const char *key, size_t min,
                 size_t max, char *out);

/* The index of the text among `words`, as in the form SCHEMA_WORD. */
bool schema_word(const struct schema_run *run, const struct document_node *node, const char *key,
                 const char *const *words, uint32_t *out_index);

/*
 * Whether it is a list of at least one item; `what` and `example` say of which. A list of more than `max`
 * is complained of and answers true: the caller reads the first `max`.
 */
bool schema_list(const struct schema_run *run, const struct document_node *node, const char *key,
                 const char *what, const char *example, uint32_t max);
