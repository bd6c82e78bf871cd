/*
 * From a document to a struct, by a table of rows: which keys there are, of what form, within which
 * limits, and where they go. Whatever does not fit is a problem with its place, and reading goes on.
 */
#pragma once

#include "base/base.h"
#include "base/text.h"
#include "ops/document.h"
#include "ops/problems.h"

/* One reading of one file. */
struct schema_run {
    const char *file;
    struct problems *problems;
};

/* Reads a node of its own form into the struct `out`. */
typedef void schema_read_fn(const struct schema_run *run, const struct document_node *node, void *out);

enum schema_form {
    SCHEMA_WHOLE, /* a whole number, min to max, into a uint32_t */
    SCHEMA_TEXT,  /* a text of min to max bytes, into a char array of max + 1 */
    SCHEMA_WORD,  /* one of `words`; its index goes into a uint32_t or an enum */
    SCHEMA_TRUTH, /* true or false, into a bool */
    SCHEMA_OWN,   /* by `read` */
};

struct schema_row {
    const char *key; /* with those of the maps around it: "limits.conns_max" */
    enum schema_form form;
    bool required;
    size_t offset;
    int64_t min, max;
    const char *const *words; /* ends with NULL */
    schema_read_fn *read;
};

/*
 * Reads a map into the struct `out`, in the order of the rows, so that a row may rely on those above it.
 * Rows whose key is not there leave `out` alone.
 */
void schema_read(const struct schema_run *run, const struct schema_row *rows, size_t row_count,
                 const struct document_node *map, void *out);

/* Adds a problem at a node. */
PUNKT_PRINTF(3, 4)
void schema_complain(const struct schema_run *run, const struct document_node *node, const char *format, ...);

/*
 * A number with up to `decimals` decimals, quoted or not, as a multiple of its smallest part: "1.5" with
 * 3 is 1500. False: complained. min and max are in the smallest part.
 */
bool schema_decimal(const struct schema_run *run, const struct document_node *node, const char *key,
                    uint32_t decimals, int64_t min, int64_t max, int64_t *out);

/* A text of min to max bytes into out, which has max + 1. False: complained. */
bool schema_text(const struct schema_run *run, const struct document_node *node, const char *key, size_t min,
                 size_t max, char *out);
