#include "cli/options.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct option_row option_rows[OPTION_COUNT_] = {
    [OPTION_NONE] = { .name = "", .argument = "", .fields = "", .help = "" },
#define OPTION(NAME, name_, argument_, fields_, help_)                                                       \
    [OPTION_##NAME] = { .name = (name_), .argument = (argument_), .fields = (fields_), .help = (help_) },
#include "cli/options.def"
#undef OPTION
};

const option_byte options_global[] = { OPTION_SERVER, OPTION_IDENTITY, OPTION_JSON,    OPTION_TIMEOUT,
                                       OPTION_RETRY,  OPTION_HELP,     OPTION_VERSION, OPTION_NONE };

static const option_byte repeated_options[] = { OPTION_LINE,   OPTION_RETURN_LINE, OPTION_TENDER,
                                                OPTION_COUPON, OPTION_TAG_SET,     OPTION_TAG_CLEAR,
                                                OPTION_REDEEM, OPTION_REWARDS,     OPTION_CAPTURE,
                                                OPTION_NONE };

bool options_have(const option_byte *list, enum option_id option)
{
    while (*list != OPTION_NONE && *list != option)
        list++;
    return *list == option && option != OPTION_NONE;
}

bool option_repeated(enum option_id option)
{
    return options_have(repeated_options, option);
}

bool option_has_field(enum option_id option, const char *field)
{
    size_t size = strlen(field);
    const char *at = option_rows[option].fields;
    while (*at != '\0') {
        size_t length = strcspn(at, " ");
        if (length == size && strncmp(at, field, size) == 0)
            return true;
        at += length + (at[length] == ' ');
    }
    return false;
}

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

static void options_for_getopt(const struct args_rules *rules, struct option *out_table)
{
    size_t count = 0;
    for (int i = OPTION_NONE + 1; i < OPTION_COUNT_; i++) {
        if (!options_have(rules->allowed, (enum option_id)i) &&
            (rules->also_allowed == NULL || !options_have(rules->also_allowed, (enum option_id)i)))
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
    if (option_repeated(option)) {
        if (!add_repeated(args, option, value, most))
            return fail(out_why, why_size, "out of memory");
        return 0;
    }
    if (args->value[option] != NULL && option_rows[option].argument[0] != '\0')
        return fail(out_why, why_size, "--%s is given twice", option_rows[option].name);
    args->value[option] = value;
    return 0;
}

int args_read(struct args *args, int argc, char **argv, int first, const struct args_rules *rules,
              char *out_why, size_t why_size)
{
    struct option table[OPTION_COUNT_ + 1];
    options_for_getopt(rules, table);
    /* getopt looks at what stands behind argv[0] of what it is given. */
    char **words = argv + first - 1;
    int count = argc - first + 1;
    int code;
    optind = 0;
    opterr = 0;
    while ((code = getopt_long(count, words, rules->stop_at_word ? "+:" : ":", table, NULL)) != -1) {
        if (code == ':' || code == '?')
            return explain(code, words[optind - 1], out_why, why_size);
        if (take_option(args, (enum option_id)(code - CODE_OF(0)), (size_t)argc, out_why, why_size) != 0)
            return -1;
    }
    if (rules->stop_at_word)
        return first - 1 + optind;
    args->positional = words + optind;
    args->positional_count = (size_t)(count - optind);
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
