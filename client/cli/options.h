/*
 * The words behind `punkt`: options from options.def, and what is not an option. One list of options
 * for all commands; a command says which of them it takes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum option_id {
    OPTION_NONE, /* ends a list of options */
#define OPTION(NAME, name, argument, fields, help) OPTION_##NAME,
#include "cli/options.def"
#undef OPTION
    OPTION_COUNT_
};

/* A list of options, ended by OPTION_NONE: in tables a byte each. */
typedef uint8_t option_byte;

_Static_assert(OPTION_COUNT_ <= UINT8_MAX, "an option fits in a byte");

/* What every command takes. */
extern const option_byte options_global[];

bool options_have(const option_byte *list, enum option_id option);

struct option_row {
    const char *name;
    const char *argument; /* "" where it takes none */
    const char *fields;   /* of the request's message, with blanks between; "" none */
    const char *help;
};

extern const struct option_row option_rows[OPTION_COUNT_]; /* that of OPTION_NONE is empty */

struct option_given {
    enum option_id option;
    const char *value;
};

/* What was given; texts are borrowed from argv. */
struct args {
    const char *value[OPTION_COUNT_]; /* NULL: not given; "" for options without an argument */
    struct option_given *repeated;    /* those that may be repeated, in the order given */
    size_t repeated_count;
    char **positional; /* within argv */
    size_t positional_count;
};

/* Whether an option may be given more than once: it is in args->repeated then. */
bool option_repeated(enum option_id option);

/*
 * Reads the options of both lists (the second may be NULL) from argv[first] on. With stop_at_word it ends at the
 * first word that is no option; otherwise options and words may be mixed, and "--" ends the options. Returns the
 * index of the first word not consumed (argc without stop_at_word), or -1 and a sentence in out_why,
 * which holds why_size bytes. May be called again for the same args.
 */
struct args_rules {
    const option_byte *allowed;
    const option_byte *also_allowed;
    bool stop_at_word;
};
int args_read(struct args *args, int argc, char **argv, int first, const struct args_rules *rules,
              char *out_why, size_t why_size);

/* The next value of a repeated option from *index on, which moves behind it; NULL behind the last. */
const char *args_next(const struct args *args, enum option_id option, size_t *index);

/* How often a repeated option was given. */
size_t args_count(const struct args *args, enum option_id option);

/* Whether a field is named in the fields of an option. */
bool option_has_field(enum option_id option, const char *field);

/* Frees what args_read allocated. */
void args_done(struct args *args);
