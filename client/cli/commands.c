/*
 * The table of commands, and the way into them. Help comes from the table and from options.def.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/parse.h"

#define SERVER_DEFAULT "127.0.0.1:7400"

#define PLACE (OPTION_BIT(STORE) | OPTION_BIT(TILL) | OPTION_BIT(OPERATOR))

const struct command commands[] = {
    {
        .name = "card issue",
        .summary = "Issues a card, with a new account.",
        .usage = "CARD",
        .examples = { "punkt card issue 2900000000018", "punkt card issue 990000000001 --count 500" },
        .options = OPTION_BIT(COUNT),
        .words_min = 1,
        .words_max = 1,
        .change = true,
        .run = card_issue_run,
    },
    {
        .name = "card show",
        .summary = "Shows a card's status and points.",
        .usage = "CARD",
        .examples = { "punkt card show 2900000000018" },
        .words_min = 1,
        .words_max = 1,
        .run = card_show_run,
    },
    {
        .name = "purchase",
        .summary = "Books a receipt and gives its points.",
        .usage = "CARD AMOUNT",
        .examples = { "punkt purchase 2900000000018 105.00 --receipt R1",
                      "punkt purchase 2900000000018 7.98 --receipt R2 --line 4006381333931:2:7.98:stationery",
                      "punkt purchase 2900000000018 20.00 --receipt 0815 --store 12 --till 3 --time "
                      "2026-01-31T17:45:00+01:00" },
        .options = PLACE | OPTION_BIT(RECEIPT) | OPTION_BIT(TIME) | OPTION_BIT(DATE) | OPTION_BIT(LINE) |
                   OPTION_BIT(COUPON) | OPTION_BIT(TENDER),
        .words_min = 2,
        .words_max = 2,
        .change = true,
        .run = purchase_run,
    },
    {
        .name = "return",
        .summary = "Takes goods back, of a known sale or without one, and the points they gave.",
        .usage = "CARD",
        .examples = { "punkt return 2900000000018 --receipt R1 --amount 5.00 --document D1",
                      "punkt return 2900000000018 --receipt R2 --line 4006381333931:1",
                      "punkt return 2900000000018 --unlinked 12.50 --document D2" },
        .options = PLACE | OPTION_BIT(SALE_RECEIPT) | OPTION_BIT(AMOUNT) | OPTION_BIT(UNLINKED) |
                   OPTION_BIT(RETURN_LINE) | OPTION_BIT(DOCUMENT) | OPTION_BIT(SALE_DATE) |
                   OPTION_BIT(SALE_STORE) | OPTION_BIT(SALE_TILL) | OPTION_BIT(TIME),
        .words_min = 1,
        .words_max = 1,
        .change = true,
        .run = return_run,
    },
    {
        .name = "redeem",
        .summary = "Spends points.",
        .usage = "CARD POINTS",
        .examples = { "punkt redeem 2900000000018 40" },
        .options = PLACE | OPTION_BIT(TIME),
        .words_min = 2,
        .words_max = 2,
        .change = true,
        .run = redeem_run,
    },
    {
        .name = "adjust",
        .summary = "Adds or takes points, with a reason.",
        .usage = "CARD --reason R -- POINTS",
        .examples = { "punkt adjust 2900000000018 --reason goodwill -- 50",
                      "punkt adjust 2900000000018 --reason goodwill --note \"wrong card\" -- -10" },
        .options = OPTION_BIT(REASON) | OPTION_BIT(NOTE) | OPTION_BIT(ALLOW_DEBT) | OPTION_BIT(OPERATOR),
        .words_min = 2,
        .words_max = 2,
        .change = true,
        .run = adjust_run,
    },
    {
        .name = "statement",
        .summary = "Lists what happened to a card's account, newest first.",
        .usage = "CARD",
        .examples = { "punkt statement 2900000000018", "punkt statement 2900000000018 --limit 10" },
        .options = OPTION_BIT(LIMIT),
        .words_min = 1,
        .words_max = 1,
        .run = statement_run,
    },
    {
        .name = "report totals",
        .summary = "Shows the sums over the whole ledger.",
        .usage = "",
        .examples = { "punkt report totals" },
        .run = report_totals_run,
    },
    {
        .name = "status",
        .summary = "Asks what became of a change whose answer was lost.",
        .usage = "EPOCH:NUMBER",
        .examples = { "punkt status 9f86d081884c7d65:1" },
        .words_min = 1,
        .words_max = 1,
        .run = status_run,
    },
    {
        .name = "programme show",
        .summary = "Shows the programme in force, or an older version of it.",
        .usage = "[VERSION]",
        .examples = { "punkt programme show", "punkt programme show 2 >programme-2.yaml" },
        .words_max = 1,
        .run = programme_show_run,
    },
    {
        .name = "audit verify",
        .summary = "Reads the whole journal and compares it with state.",
        .usage = "",
        .examples = { "punkt audit verify", "punkt audit verify --data /var/lib/punkt" },
        .options = OPTION_BIT(DATA),
        .run = audit_verify_run,
    },
    {
        .name = "clock accept",
        .summary = "Takes the machine's clock as the ledger's time, after an alarm about it.",
        .usage = "",
        .examples = { "punkt clock accept" },
        .change = true,
        .run = clock_accept_run,
    },
    {
        .name = "import receipts",
        .summary =
            "Books the receipts of a CSV file, each judged at its own time. May be stopped and repeated.",
        .usage = "FILE|- --map NAME=COLUMN,...",
        .examples = { "punkt import receipts sales.csv --map "
                      "receipt=Number,code=Article,time=Sold,card=Member,amount=Total",
                      "zcat sales.csv.gz | punkt import receipts - --map "
                      "receipt=InvoiceNo,code=StockCode,quantity=Quantity,time=InvoiceDate,price=UnitPrice,"
                      "card=CustomerID --returns-prefix C --enrol" },
        .options = OPTION_BIT(MAP) | OPTION_BIT(RETURNS_PREFIX) | OPTION_BIT(ENROL) | OPTION_BIT(STORE) |
                   OPTION_BIT(TILL),
        .words_min = 1,
        .words_max = 1,
        .run = import_receipts_run,
    },
    {
        .name = "bench",
        .summary = "Measures how much the daemon does, on a ledger made for it.",
        .usage = "",
        .examples = { "punkt bench --connections 64 --pipeline 1 --seconds 5 --cards 1000000",
                      "punkt bench --connections 1000 --mix ping" },
        .options = OPTION_BIT(CONNECTIONS) | OPTION_BIT(PIPELINE) | OPTION_BIT(SECONDS) | OPTION_BIT(CARDS) |
                   OPTION_BIT(MIX) | OPTION_BIT(FORCE) | OPTION_BIT(PREFIX),
        .run = bench_run,
    },
    {
        .name = "ping",
        .summary = "Asks whether the daemon is there.",
        .usage = "",
        .examples = { "punkt ping", "punkt --server 10.0.0.5:7400 ping" },
        .run = ping_run,
    },
    { .name = NULL },
};

static void print_option(enum option_id id, FILE *out)
{
    const struct option_row *row = &option_rows[id];
    (void)fprintf(out, "  --%s%s%s\n        %s\n", row->name, row->argument[0] != '\0' ? " " : "",
                  row->argument, row->help);
}

static uint64_t options_of(const struct command *command)
{
    return command->change ? OPTIONS_GLOBAL : OPTIONS_GLOBAL & ~OPTION_BIT(RETRY);
}

static void help_of(const struct command *command, FILE *out)
{
    (void)fprintf(out, "%s\n\n", command->summary);
    for (size_t i = 0; i < EXAMPLES_MAX && command->examples[i] != NULL; i++)
        (void)fprintf(out, "    %s\n", command->examples[i]);
    (void)fprintf(out, "\nUsage: punkt %s%s%s [OPTION]...\n\n", command->name,
                  command->usage[0] != '\0' ? " " : "", command->usage);
    for (int id = 0; id < OPTION_COUNT_; id++) {
        if ((command->options & (UINT64_C(1) << id)) != 0)
            print_option((enum option_id)id, out);
    }
    if (command->options != 0)
        (void)fputc('\n', out);
    for (int id = 0; id < OPTION_COUNT_; id++) {
        if ((options_of(command) & (UINT64_C(1) << id)) != 0)
            print_option((enum option_id)id, out);
    }
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
    for (const struct command *row = commands; row->name != NULL; row++)
        (void)fprintf(out, "  %-16s  %s\n", row->name, row->summary);
    (void)fputs("\npunkt COMMAND --help says more about each.\n\n", out);
    for (int id = 0; id < OPTION_COUNT_; id++) {
        if ((OPTIONS_GLOBAL & (UINT64_C(1) << id)) != 0)
            print_option((enum option_id)id, out);
    }
    (void)fputs(
        "\nExit codes: 0 done, 1 failed, 2 wrong command line, 3 not found, 4 not permitted, 5 refused,\n"
        "6 unreachable (whether it was booked is not known).\n"
        "Without --server, PUNKT_SERVER says where the daemon is, else it is " SERVER_DEFAULT ".\n",
        out);
}

/* The row whose words stand at argv[first]; *out_words is how many those are. */
static const struct command *find_command(int argc, char **argv, int first, int *out_words)
{
    for (const struct command *row = commands; row->name != NULL; row++) {
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
    if (cli->server == NULL || cli->server[0] == '\0')
        cli->server = SERVER_DEFAULT;
    if (timeout != NULL && (!parse_decimal(timeout, strlen(timeout), &seconds) ||
                            !parse_scaled(seconds, 3, INT32_MAX, &timeout_ms) || timeout_ms <= 0))
        return cli_usage(cli, "--timeout is a number of seconds, at most three decimals");
    if (retry != NULL &&
        (!cli->command->change || !parse_retry(retry, &cli->retry_epoch, &cli->retry_number)))
        return cli_usage(cli, cli->command->change ? "--retry is EPOCH:NUMBER as the error said"
                                                   : "only a change is repeated with --retry");
    cli->timeout_ms = (uint32_t)timeout_ms;
    return CLI_OK;
}

static int run_command(struct cli *cli, struct args *args, int argc, char **argv, int first)
{
    char why[256];
    int words = 0;
    cli->command = find_command(argc, argv, first, &words);
    if (cli->command == NULL)
        return cli_usage(cli, "there is no command \"%s%s%s\"", argv[first], first + 1 < argc ? " " : "",
                         first + 1 < argc ? argv[first + 1] : "");
    if (args_read(args, argc, argv, first + words, OPTIONS_GLOBAL | cli->command->options, false, why,
                  sizeof(why)) < 0)
        return cli_usage(cli, "%s", why);
    if (args->value[OPTION_HELP] != NULL) {
        help_print(cli->command, cli->out);
        return CLI_OK;
    }
    if (args->positional_count < cli->command->words_min || args->positional_count > cli->command->words_max)
        return cli_usage(cli, "it is: punkt %s %s", cli->command->name, cli->command->usage);
    int exit_code = take_globals(cli, args);
    return exit_code == CLI_OK ? cli->command->run(cli, args) : exit_code;
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
    int first = args_read(&args, argc, argv, 1, OPTIONS_GLOBAL, true, why, sizeof(why));
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
