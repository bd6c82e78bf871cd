/*
 * punkt till: the register for demonstrations and staff, and the end of its day.
 */
#include "cli/till.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/identity.h"
#include "cli/parse.h"

#define WIDTH_DEFAULT 40
#define WIDTH_LEAST 24
#define WIDTH_MOST 80

int till_width(struct cli *cli, const struct args *args, unsigned *out)
{
    const char *text = args->value[OPTION_WIDTH];
    uint64_t width = WIDTH_DEFAULT;
    if (text != NULL && !parse_uint(text, WIDTH_LEAST, WIDTH_MOST, &width))
        return cli_usage(cli, "--width is a number from %d to %d", WIDTH_LEAST, WIDTH_MOST);
    *out = (unsigned)width;
    return CLI_OK;
}

/* A store or till in the name of a file: what could be read as a folder is not. */
static void append_name(char *path, const char *name)
{
    char *to = path + strlen(path);
    for (; *name != '\0' && (size_t)(to - path) < PATH_MAX - 2; name++) {
        bool plain = *name != '/' && *name != '.' && (unsigned char)*name > ' ';
        *to++ = plain ? *name : '_';
    }
    *to = '\0';
}

/* --outbox, or a file named by store and till where programs keep their state (XDG Base Directory Specification). */
static int find_outbox(struct till *till, const struct args *args)
{
    const char *given = args->value[OPTION_OUTBOX];
    const char *state = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    bool usable = state != NULL && state[0] == '/';
    int size;
    if (given != NULL) {
        size = snprintf(till->outbox, sizeof(till->outbox), "%s", given);
        return size > 0 && size < PATH_MAX / 2 ? CLI_OK : cli_usage(till->cli, "--outbox: no path of a file");
    }
    if (!usable && (home == NULL || home[0] != '/'))
        return cli_usage(till->cli, "there is neither XDG_STATE_HOME nor HOME: say where with --outbox FILE");
    size = snprintf(till->outbox, PATH_MAX / 2, "%s%s/punkt/", usable ? state : home,
                    usable ? "" : "/.local/state");
    if (size >= PATH_MAX / 2)
        return cli_usage(till->cli, "the folder for state has too long a name: say where with --outbox FILE");
    append_name(till->outbox, till->store);
    (void)strcat(till->outbox, "-");
    append_name(till->outbox, till->name);
    (void)strcat(till->outbox, ".outbox");
    if (cli_make_folders(till->outbox))
        return CLI_OK;
    return cli_error(till->cli, CLI_FAILED, "bad_file", "the folders of %s cannot be made: %s", till->outbox,
                     strerror(errno));
}

static int work(struct till *till, const struct args *args)
{
    const char *script = args->value[OPTION_LINES_FILE];
    int exit_code = till_open(till);
    if (exit_code == CLI_OK)
        exit_code = till_numbers_open(till);
    if (exit_code != CLI_OK)
        return exit_code;
    if (script == NULL && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
        return till_type(till);
    if (script == NULL || strcmp(script, "-") == 0)
        return till_script(till, STDIN_FILENO, "-");
    int fd = open(script, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return cli_error(till->cli, CLI_FAILED, "bad_file", "cannot read %s: %s", script, strerror(errno));
    exit_code = till_script(till, fd, script);
    (void)close(fd);
    return exit_code;
}

static int till_run(struct cli *cli, const struct args *args)
{
    if (cli->json)
        return cli_usage(cli, "a register prints receipts, no JSON");
    struct till *till = calloc(1, sizeof(*till));
    if (till == NULL)
        return cli_error(cli, CLI_FAILED, "no_memory", "out of memory");
    const char *no_colour = getenv("NO_COLOR");
    till->cli = cli;
    till->store = cli->store != NULL ? cli->store : "0";
    till->name = cli->till != NULL ? cli->till : "0";
    till->operator_ = args->value[OPTION_OPERATOR];
    till->language = args->value[OPTION_LANGUAGE];
    till->colour = (no_colour == NULL || no_colour[0] == '\0') && isatty(STDOUT_FILENO);
    int exit_code = till_width(cli, args, &till->width);
    if (exit_code == CLI_OK)
        exit_code = find_outbox(till, args);
    if (exit_code == CLI_OK)
        exit_code = work(till, args);
    /* Callbacks of the handle know the till. */
    punkt_free(cli->punkt);
    cli->punkt = NULL;
    free(till);
    return exit_code;
}

/* Longer names first: "till" alone would take them, too. */
const struct command till_commands[] = {
    {
        .name = "till close",
        .summary = "Closes a till's day: sends what waits, compares, and prints the report.",
        .usage = "--outbox FILE --store S --till T",
        .examples = { "punkt till close --outbox till.outbox --store 12 --till 3",
                      "punkt --json till close --outbox till.outbox --store 12 --till 3 --date 2026-01-31" },
        .options = { OPTION_OUTBOX, OPTION_STORE, OPTION_TILL, OPTION_OPERATOR, OPTION_DATE_CLOSED,
                     OPTION_WIDTH },
        .needs = { OPTION_OUTBOX, OPTION_STORE, OPTION_TILL },
        .run = till_close_run,
    },
    {
        .name = "till",
        .summary = "A register: type help in it.",
        .usage = "",
        .examples = { "punkt till", "punkt till --store 12 --till 3 --operator anna",
                      "punkt till --store 12 --till 3 --outbox till.outbox --script day.txt" },
        .options = { OPTION_STORE, OPTION_TILL, OPTION_OPERATOR, OPTION_OUTBOX, OPTION_LINES_FILE,
                     OPTION_WIDTH, OPTION_LANGUAGE },
        .run = till_run,
    },
    { .name = NULL },
};
