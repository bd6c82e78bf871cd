#include "cli/options.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct option_row option_rows[OPTION_COUNT_] = {
#define OPTION(NAME, name_, argument_, help_)                                                                \
    [OPTION_##NAME] = { .name = (name_), .argument = (argument_), .help = (help_) },
#include "cli/options.def"
#undef OPTION
};

#define OPTIONS_REPEATED                                                                                     \
    (OPTION_BIT(LINE) | OPTION_BIT(RETURN_LINE) | OPTION_BIT(TENDER) | OPTION_BIT(COUPON))

/* Above every character, so that no long option looks like a short one to getopt. */
#define CODE_OF(option) (256 + (int)(option))

__attribute__((format(printf, 3, 4))) static int fail(char *out_why, size_t why_size, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(out_why, why_size, format, args);
    va_end(args);
    return -1;
}

static void options_for_getopt(uint64_t allowed, struct option *out_table)
{
    size_t count = 0;
    for (int i = 0; i < OPTION_COUNT_; i++) {
        if ((allowed & (UINT64_C(1) << i)) == 0)
            continue;
        out_table[count++] = (struct option){
            .name = option_rows[i].name,
            .has_arg = option_rows[i].argument[0] != '\0' ? required_argument : no_argument,
            .val = CODE_OF(i),
        };
    }
    out_table[count] = (struct option){ .name = NULL };
}

static bool add_repeated(struct args *args, enum option_id option, const char *value, size_t most)
{
    if (args->repeated == NULL)
        args->repeated = calloc(most, sizeof(*args->repeated));
    if (args->repeated == NULL)
        return false;
    args->repeated[args->repeated_count++] = (struct option_given){ .option = option, .value = value };
    return true;
}

/* What getopt complains about, as a sentence. */
static int explain(int code, const char *word, char *out_why, size_t why_size)
{
    if (code == ':')
        return fail(out_why, why_size, "%s needs a value", word);
    if (optopt >= CODE_OF(0))
        return fail(out_why, why_size, "--%s takes no value", option_rows[optopt - CODE_OF(0)].name);
    if (optopt != 0)
        return fail(out_why, why_size, "-%c is no option here (a negative number goes behind \"--\")",
                    optopt);
    return fail(out_why, why_size, "%s is no option here", word);
}

static int take_option(struct args *args, enum option_id option, size_t most, char *out_why, size_t why_size)
{
    const char *value = optarg != NULL ? optarg : "";
    if ((OPTIONS_REPEATED & (UINT64_C(1) << option)) != 0) {
        if (!add_repeated(args, option, value, most))
            return fail(out_why, why_size, "out of memory");
        return 0;
    }
    if (args->value[option] != NULL && option_rows[option].argument[0] != '\0')
        return fail(out_why, why_size, "--%s is given twice", option_rows[option].name);
    args->value[option] = value;
    return 0;
}

int args_read(struct args *args, int argc, char **argv, int first, uint64_t allowed, bool stop_at_word,
              char *out_why, size_t why_size)
{
    struct option table[OPTION_COUNT_ + 1];
    options_for_getopt(allowed, table);
    /* getopt looks at what stands behind argv[0] of what it is given. */
    char **words = argv + first - 1;
    int count = argc - first + 1;
    int code;
    optind = 0;
    opterr = 0;
    while ((code = getopt_long(count, words, stop_at_word ? "+:" : ":", table, NULL)) != -1) {
        if (code == ':' || code == '?')
            return explain(code, words[optind - 1], out_why, why_size);
        if (take_option(args, (enum option_id)(code - CODE_OF(0)), (size_t)argc, out_why, why_size) != 0)
            return -1;
    }
    if (stop_at_word)
        return first - 1 + optind;
    for (int i = optind; i < count; i++) {
        if (args->positional_count == POSITIONAL_MAX)
            return fail(out_why, why_size, "\"%s\" is one word too many", words[i]);
        args->positional[args->positional_count++] = words[i];
    }
    return argc;
}

const char *args_next(const struct args *args, enum option_id option, size_t *index)
{
    while (*index < args->repeated_count) {
        const struct option_given *given = &args->repeated[(*index)++];
        if (given->option == option)
            return given->value;
    }
    return NULL;
}

size_t args_count(const struct args *args, enum option_id option)
{
    size_t count = 0;
    for (size_t index = 0; args_next(args, option, &index) != NULL;)
        count++;
    return count;
}

void args_done(struct args *args)
{
    free(args->repeated);
    args->repeated = NULL;
    args->repeated_count = 0;
}
