/*
 * The words behind `punkt`: options from options.def, and what is not an option. One list of options
 * for all commands; a command says which of them it takes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum option_id {
#define OPTION(NAME, name, argument, help) OPTION_##NAME,
#include "cli/options.def"
#undef OPTION
    OPTION_COUNT_
};

_Static_assert(OPTION_COUNT_ <= 64, "a set of options fits in 64 bits");

#define OPTION_BIT(NAME) (UINT64_C(1) << OPTION_##NAME)

/* What every command takes. */
#define OPTIONS_GLOBAL                                                                                       \
    (OPTION_BIT(SERVER) | OPTION_BIT(JSON) | OPTION_BIT(TIMEOUT) | OPTION_BIT(RETRY) | OPTION_BIT(HELP) |    \
     OPTION_BIT(VERSION))

struct option_row {
    const char *name;
    const char *argument; /* "" where it takes none */
    const char *help;
};

extern const struct option_row option_rows[OPTION_COUNT_];

#define POSITIONAL_MAX 4

struct option_given {
    enum option_id option;
    const char *value;
};

/* What was given; texts are borrowed from argv. */
struct args {
    const char *value[OPTION_COUNT_]; /* NULL: not given; "" for options without an argument */
    struct option_given *repeated;    /* --line, --tender and --coupon, in the order given */
    size_t repeated_count;
    const char *positional[POSITIONAL_MAX];
    size_t positional_count;
};

/*
 * Reads options of the set `allowed` from argv[first] on. With stop_at_word it ends at the first word
 * that is no option; otherwise options and words may be mixed, and "--" ends the options. Returns the
 * index of the first word not consumed (argc without stop_at_word), or -1 and a sentence in out_why,
 * which holds why_size bytes. May be called again for the same args.
 */
int args_read(struct args *args, int argc, char **argv, int first, uint64_t allowed, bool stop_at_word,
              char *out_why, size_t why_size);

/* The next value of a repeated option from *index on, which moves behind it; NULL behind the last. */
const char *args_next(const struct args *args, enum option_id option, size_t *index);

/* How often a repeated option was given. */
size_t args_count(const struct args *args, enum option_id option);

/* Frees what args_read allocated. */
void args_done(struct args *args);
