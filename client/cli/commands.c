/*
 * The way into the commands. Help comes from their tables and from options.def.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/identity.h"
#include "cli/parse.h"
#include "cli/request.h"

#define SERVER_DEFAULT "127.0.0.1:7400"

static const struct command *const groups[] = {
    cards_commands,     accounts_commands,   book_commands,  redeeming_commands, office_commands,
    approvals_commands, reports_commands,    why_commands,   programme_commands, upkeep_commands,
    outbox_commands,    identities_commands, enrol_commands, till_commands,
};
#define GROUP_COUNT (sizeof(groups) / sizeof(groups[0]))

static void print_option(enum option_id id, FILE *out)
{
    const struct option_row *row = &option_rows[id];
    (void)fprintf(out, "  --%s%s%s\n        %s\n", row->name, row->argument[0] != '\0' ? " " : "",
                  row->argument, row->help);
}

/* In the order of options.def, which is the same for all commands. */
static void print_options(const option_byte *list, bool but_retry, FILE *out)
{
    for (int id = OPTION_NONE + 1; id < OPTION_COUNT_; id++) {
        if (options_have(list, (enum option_id)id) && !(but_retry && id == OPTION_RETRY))
            print_option((enum option_id)id, out);
    }
}

static void help_of(const struct command *command, FILE *out)
{
    (void)fprintf(out, "%s\n\n", command->summary);
    for (size_t i = 0; i < EXAMPLES_MAX && command->examples[i] != NULL; i++)
        (void)fprintf(out, "    %s\n", command->examples[i]);
    (void)fprintf(out, "\nUsage: punkt %s%s%s [OPTION]...\n\n", command->name,
                  command->usage[0] != '\0' ? " " : "", command->usage);
    print_options(command->options, false, out);
    if (command->options[0] != OPTION_NONE)
        (void)fputc('\n', out);
    print_options(options_global, !command->change, out);
}

void help_print(const struct command *command, FILE *out)
{
    if (command != NULL) {
        help_of(command, out);
        return;
    }
    (void)fputs("Loyalty points of a shop: what staff and the back office type.\n\n"
                "    punkt card issue 2900000000018\n"
                "    punkt purchase 2900000000018 105.00 --receipt R1\n"
                "    punkt card show 2900000000018\n\n"
                "Usage: punkt [OPTION]... COMMAND ...\n\n",
                out);
    for (size_t i = 0; i < GROUP_COUNT; i++) {
        for (const struct command *row = groups[i]; row->name != NULL; row++)
            (void)fprintf(out, "  %-18s  %s\n", row->name, row->summary);
    }
    (void)fputs("\npunkt COMMAND --help says more about each.\n\n", out);
    print_options(options_global, false, out);
    (void)fputs(
        "\nExit codes: 0 done, 1 failed, 2 wrong command line, 3 not found, 4 not permitted, 5 refused,\n"
        "6 unreachable (whether it was booked is not known), 7 queued in the outbox.\n"
        "Without --server, PUNKT_SERVER says where the daemon is, else the identity, else it is\n" SERVER_DEFAULT
        ". Without --identity, PUNKT_IDENTITY names the file, else it is ~/.config/punkt/identity\n"
        "if that is there and the daemon is not on this machine.\n",
        out);
}

/* The row of a group whose words stand at argv[first]; *out_words is how many those are. */
static const struct command *find_in(const struct command *rows, int argc, char **argv, int first,
                                     int *out_words)
{
    for (const struct command *row = rows; row->name != NULL; row++) {
        const char *space = strchr(row->name, ' ');
        size_t size = space != NULL ? (size_t)(space - row->name) : strlen(row->name);
        if (strlen(argv[first]) != size || strncmp(argv[first], row->name, size) != 0)
            continue;
        *out_words = space != NULL ? 2 : 1;
        if (space == NULL || (first + 1 < argc && strcmp(argv[first + 1], space + 1) == 0))
            return row;
    }
    return NULL;
}

static const struct command *find_command(int argc, char **argv, int first, int *out_words)
{
    const struct command *found = NULL;
    for (size_t i = 0; i < GROUP_COUNT && found == NULL; i++)
        found = find_in(groups[i], argc, argv, first, out_words);
    return found;
}

static const char *own_or_none(const char *own)
{
    return own[0] != '\0' ? own : NULL;
}

/* The till whose outbox it is, and what its receipts look like. */
static int take_outbox(struct cli *cli, const struct args *args)
{
    const char *width = args->value[OPTION_RECEIPT_WIDTH];
    uint64_t columns = 0;
    cli->outbox = args->value[OPTION_OUTBOX];
    cli->store = args->value[OPTION_STORE] != NULL ? args->value[OPTION_STORE] : own_or_none(cli->own_store);
    cli->till = args->value[OPTION_TILL] != NULL ? args->value[OPTION_TILL] : own_or_none(cli->own_till);
    cli->language = args->value[OPTION_LANGUAGE];
    if (cli->outbox != NULL && (cli->store == NULL || cli->till == NULL))
        return cli_usage(cli, "--outbox is of one till: --store and --till say which");
    if (cli->outbox != NULL && cli->retry_number != 0)
        return cli_usage(cli,
                         "what is in the outbox repeats itself: --retry and --outbox exclude each other");
    if (width != NULL && !parse_uint(width, 16, 64, &columns))
        return cli_usage(cli, "--receipt-width is a number from 16 to 64");
    cli->receipt_width = (uint32_t)columns;
    return CLI_OK;
}

/* Options that every command has, once all are read. */
static int take_globals(struct cli *cli, const struct args *args)
{
    const char *timeout = args->value[OPTION_TIMEOUT];
    const char *retry = args->value[OPTION_RETRY];
    int64_t timeout_ms = 0;
    struct parse_decimal seconds;
    cli->server = args->value[OPTION_SERVER];
    if (cli->server == NULL)
        cli->server = getenv("PUNKT_SERVER");
    if (cli->server != NULL && cli->server[0] == '\0')
        cli->server = NULL;
    cli_choose_identity(cli, args->value[OPTION_IDENTITY]);
    if (cli->server == NULL && cli->identity == NULL)
        cli->server = SERVER_DEFAULT;
    if (timeout != NULL && (!parse_decimal(timeout, strlen(timeout), &seconds) ||
                            !parse_scaled(seconds, 3, INT32_MAX, &timeout_ms) || timeout_ms <= 0))
        return cli_usage(cli, "--timeout is a number of seconds, at most three decimals");
    if (retry != NULL &&
        (!cli->command->change || !parse_retry(retry, &cli->retry_epoch, &cli->retry_number)))
        return cli_usage(cli, cli->command->change ? "--retry is EPOCH:NUMBER as the error said"
                                                   : "only a change is repeated with --retry");
    cli->timeout_ms = (uint32_t)timeout_ms;
    return take_outbox(cli, args);
}

static int check_needs(struct cli *cli, const struct args *args)
{
    for (const option_byte *at = cli->command->needs; *at != OPTION_NONE; at++) {
        bool own = (*at == OPTION_STORE && cli->store != NULL) || (*at == OPTION_TILL && cli->till != NULL);
        if (args->value[*at] == NULL && !own)
            return cli_usage(cli, "--%s is needed", option_rows[*at].name);
    }
    return CLI_OK;
}

/* "card" alone, or with a second word that none of its commands has: what there is. */
static int no_command(struct cli *cli, int argc, char **argv, int first)
{
    char list[256] = "";
    size_t used = 0;
    size_t size = strlen(argv[first]);
    for (size_t i = 0; i < GROUP_COUNT; i++) {
        for (const struct command *row = groups[i]; row->name != NULL; row++) {
            if (strncmp(row->name, argv[first], size) != 0 || row->name[size] != ' ')
                continue;
            int length = snprintf(list + used, sizeof(list) - used, "%s%s", used > 0 ? ", " : "",
                                  row->name + size + 1);
            if (length > 0 && (size_t)length < sizeof(list) - used)
                used += (size_t)length;
        }
    }
    if (used > 0)
        return cli_usage(cli, "punkt %s what? There is %s", argv[first], list);
    return cli_usage(cli, "there is no command \"%s%s%s\"", argv[first], first + 1 < argc ? " " : "",
                     first + 1 < argc ? argv[first + 1] : "");
}

/* Whether other commands begin with this word. */
static bool is_group(const char *name)
{
    size_t size = strlen(name);
    for (size_t i = 0; i < GROUP_COUNT; i++) {
        for (const struct command *row = groups[i]; row->name != NULL; row++) {
            if (strncmp(row->name, name, size) == 0 && row->name[size] == ' ')
                return true;
        }
    }
    return false;
}

/* Commands that begin with this word. */
static void print_group(const char *name, FILE *out)
{
    size_t size = strlen(name);
    for (size_t i = 0; i < GROUP_COUNT; i++) {
        for (const struct command *row = groups[i]; row->name != NULL; row++) {
            if (strncmp(row->name, name, size) == 0 && row->name[size] == ' ')
                (void)fprintf(out, "  %-18s  %s\n", row->name, row->summary);
        }
    }
    (void)fputs("\npunkt COMMAND --help says more about each.\n", out);
}

static int run_command(struct cli *cli, struct args *args, int argc, char **argv, int first)
{
    char why[256];
    int words = 0;
    cli->command = find_command(argc, argv, first, &words);
    if (cli->command == NULL && first + 2 == argc && is_group(argv[first]) &&
        strcmp(argv[first + 1], "--help") == 0) {
        print_group(argv[first], cli->out);
        return CLI_OK;
    }
    if (cli->command == NULL)
        return no_command(cli, argc, argv, first);
    struct args_rules rules = { .allowed = options_global, .also_allowed = cli->command->options };
    if (args_read(args, argc, argv, first + words, &rules, why, sizeof(why)) < 0)
        return cli_usage(cli, "%s", why);
    if (args->value[OPTION_HELP] != NULL) {
        help_print(cli->command, cli->out);
        return CLI_OK;
    }
    if (args->positional_count < cli->command->words_min || args->positional_count > cli->command->words_max)
        return cli->command->words_max == 0 && is_group(cli->command->name)
                   ? no_command(cli, argc, argv, first)
                   : cli_usage(cli, "usage: punkt %s %s", cli->command->name, cli->command->usage);
    int exit_code = take_globals(cli, args);
    if (exit_code == CLI_OK)
        exit_code = check_needs(cli, args);
    if (exit_code == CLI_OK && cli->command->check != NULL)
        exit_code = cli->command->check(cli, args);
    if (exit_code != CLI_OK)
        return exit_code;
    return cli->command->run != NULL ? cli->command->run(cli, args) : request_run(cli, args);
}

/* Errors are objects even where the command line cannot be read as far as --json. */
static bool wants_json(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--json") == 0)
            return true;
    }
    return false;
}

int cli_run(int argc, char **argv, FILE *out, FILE *err)
{
    struct cli cli = { .out = out, .err = err, .json = wants_json(argc, argv) };
    struct args args = { .positional_count = 0 };
    char why[256];
    int exit_code = CLI_OK;
    struct args_rules rules = { .allowed = options_global, .stop_at_word = true };
    int first = args_read(&args, argc, argv, 1, &rules, why, sizeof(why));
    if (first < 0)
        exit_code = cli_usage(&cli, "%s", why);
    else if (args.value[OPTION_VERSION] != NULL)
        (void)fprintf(out, "punkt %s\n", punkt_version());
    else if (args.value[OPTION_HELP] != NULL)
        help_print(NULL, out);
    else if (first == argc)
        exit_code = cli_usage(&cli, "which command?");
    else
        exit_code = run_command(&cli, &args, argc, argv, first);
    args_done(&args);
    punkt_free(cli.punkt);
    if (fflush(out) != 0 && exit_code == CLI_OK)
        exit_code = cli_error(&cli, CLI_FAILED, "output", "the output cannot be written");
    return exit_code;
}
