/*
 * Tables of messages: one message as names and values, a list of them as rows. Points, amounts and times as people
 * write them; what nowhere says anything is left out.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "cli/cli.h"
#include "proto/message.h"

/* Rows of one kind of message, from as many pages as there are. */
struct rows {
    enum message message;
    json_t *array;        /* of objects of texts; NULL without memory */
    uint64_t says;        /* bits of the fields that say something in some row */
    const char *computed; /* a column behind the others that is no field of the message; NULL: none */
    const char *without;  /* fields that are no columns, with blanks between; NULL: none */
};

void rows_init(struct rows *rows, enum message message);
void rows_done(struct rows *rows);

/* CLI_OK, or the exit code of the error it printed. */
int rows_add(struct cli *cli, struct rows *rows, const void *elements, uint64_t count);

/* Prints the table; nothing but its headings if there is no row. */
int rows_print(struct cli *cli, const struct rows *rows);

/* The fields as an object of texts by their names; lists of more than a word are left out. NULL without memory. */
json_t *fields_text(const struct cli *cli, enum message message, const void *in, bool all);

/* The lists of a message that are not empty, each a table under its name. The exit code. */
int lists_print(struct cli *cli, enum message message, const void *in);

/* All of a list: a table, or with --json an object a line. The exit code. */
int elements_print(struct cli *cli, enum message message, const void *elements, uint64_t count);

/*
 * CSV: the names of all fields, and a line of their values as in tables. Behind them the name of a computed column, and
 * its value; NULL: none.
 */
void csv_header(FILE *stream, enum message message, const char *computed);
int csv_row(struct cli *cli, FILE *stream, enum message message, const void *in, const char *computed);
