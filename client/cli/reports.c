/*
 * Reports, the day of a till, and statements: as many pages as there are, as one table.
 */
#include <string.h>

#include "cli/fields.h"
#include "cli/parse.h"
#include "cli/request.h"
#include "cli/tables.h"

#define STATEMENT_PAGE 200 /* entries of a page at most, the protocol's limit */
#define RATE "redemption_rate"
#define RATE_TEXT_SIZE (DECIMAL_TEXT_SIZE + 4)

/* The reports by the second word of their command, and their numbers on the wire. */
enum report { REPORT_COHORTS = 7 };
static const char *const report_names[] = { NULL,     "liability", "activity", "stores",
                                            "expiry", "debt",      "suspense", "cohorts" };

static uint64_t report_of(const struct command *command)
{
    const char *name = strchr(command->name, ' ') + 1;
    uint64_t report = 1;
    while (strcmp(report_names[report], name) != 0)
        report++;
    return report;
}

/* Of a cohort, in thousandths of what was issued. */
static int64_t redemption_rate(const struct msg_report_row *row)
{
    __extension__ typedef __int128 wide;
    wide spent = row->redeemed < 0 ? -(wide)row->redeemed : row->redeemed;
    return row->earned > 0 ? (int64_t)(spent * 1000 / row->earned) : 0;
}

/* Rows of a report for programs, an object a line. */
static int print_objects(struct cli *cli, const struct msg_report_answer *page, uint64_t report)
{
    int exit_code = CLI_OK;
    for (uint64_t i = 0; i < page->rows_count && exit_code == CLI_OK; i++) {
        json_t *object = message_json(MESSAGE_report_row, &page->rows[i]);
        if (object != NULL && report == REPORT_COHORTS)
            (void)json_object_set_new(object, RATE, json_integer(redemption_rate(&page->rows[i])));
        exit_code = output_object(cli, cli->out, object);
    }
    return exit_code;
}

/* The same for people: per cent, with one decimal. */
static const char *rate_text(const struct msg_report_row *row, char out[RATE_TEXT_SIZE])
{
    char rate[DECIMAL_TEXT_SIZE];
    decimal_text(redemption_rate(row), 1, rate);
    (void)snprintf(out, RATE_TEXT_SIZE, "%s %%", rate);
    return out;
}

static int print_csv(struct cli *cli, const struct msg_report_answer *page, uint64_t report)
{
    int exit_code = CLI_OK;
    for (uint64_t i = 0; i < page->rows_count && exit_code == CLI_OK; i++) {
        const struct msg_report_row *row = &page->rows[i];
        char rate[RATE_TEXT_SIZE];
        exit_code = csv_row(cli, cli->out, MESSAGE_report_row, row,
                            report == REPORT_COHORTS ? rate_text(row, rate) : NULL);
    }
    return exit_code;
}

static int add_rows(struct cli *cli, const struct msg_report_answer *page, uint64_t report, struct rows *rows)
{
    size_t before = json_array_size(rows->array);
    int exit_code = rows_add(cli, rows, page->rows, page->rows_count);
    for (uint64_t i = 0; exit_code == CLI_OK && report == REPORT_COHORTS && i < page->rows_count; i++) {
        char rate[RATE_TEXT_SIZE];
        (void)json_object_set_new(json_array_get(rows->array, before + i), RATE,
                                  json_string(rate_text(&page->rows[i], rate)));
    }
    return exit_code;
}

/* A page; its `next` goes into the request for the next one. */
static int take_page(struct cli *cli, const struct args *args, struct request *request, struct rows *rows)
{
    struct msg_report_request *body = request->body;
    struct reply reply;
    int exit_code = request_send(cli, request, &reply);
    if (exit_code == CLI_OK)
        exit_code = cli_check(cli, &reply.head);
    if (exit_code == CLI_OK) {
        const struct msg_report_answer *page = reply.body;
        body->next = page->next;
        if (cli->json)
            exit_code = print_objects(cli, page, body->report);
        else if (args->value[OPTION_AS_CSV] != NULL)
            exit_code = print_csv(cli, page, body->report);
        else
            exit_code = add_rows(cli, page, body->report, rows);
    }
    reply_done(&reply);
    return exit_code;
}

static int take_pages(struct cli *cli, const struct args *args, struct request *request, struct rows *rows)
{
    const struct msg_report_request *body = request->body;
    int exit_code = CLI_OK;
    do
        exit_code = take_page(cli, args, request, rows);
    while (exit_code == CLI_OK && body->next != 0);
    return exit_code;
}

static int report_run(struct cli *cli, const struct args *args)
{
    struct request request;
    struct rows rows;
    bool csv = args->value[OPTION_AS_CSV] != NULL;
    int exit_code = request_begin(cli, args, OPERATION_REPORT, &request);
    rows_init(&rows, MESSAGE_report_row);
    if (exit_code == CLI_OK) {
        struct msg_report_request *body = request.body;
        body->report = report_of(cli->command);
        rows.computed = body->report == REPORT_COHORTS ? RATE : NULL;
        if (csv)
            csv_header(cli->out, MESSAGE_report_row, rows.computed);
        exit_code = take_pages(cli, args, &request, &rows);
    }
    if (exit_code == CLI_OK && !cli->json && !csv)
        exit_code = rows_print(cli, &rows);
    rows_done(&rows);
    request_done(&request);
    return exit_code;
}

static int report_check(struct cli *cli, const struct args *args)
{
    const char *from = args->value[OPTION_FROM_DAY];
    const char *through = args->value[OPTION_THROUGH_DAY];
    uint64_t first;
    uint64_t last;
    if (cli->json && args->value[OPTION_AS_CSV] != NULL)
        return cli_usage(cli, "either --json or --csv");
    if (from != NULL && through != NULL && parse_day(from, &first) && parse_day(through, &last) &&
        first > last)
        return cli_usage(cli, "--from %s is after --through %s", from, through);
    return CLI_OK;
}

/* --- statements --- */

static int take_entries(struct cli *cli, const struct msg_statement_answer *page, struct rows *rows)
{
    int exit_code = CLI_OK;
    if (!cli->json)
        return rows_add(cli, rows, page->entries, page->entries_count);
    for (uint64_t i = 0; i < page->entries_count && exit_code == CLI_OK; i++)
        exit_code = output_object(cli, cli->out, statement_entry_json(&page->entries[i]));
    return exit_code;
}

static int take_statement(struct cli *cli, struct request *request, uint64_t limit, struct rows *rows)
{
    struct msg_statement_request *body = request->body;
    int exit_code = CLI_OK;
    do {
        struct reply reply;
        body->limit = limit < STATEMENT_PAGE ? limit : STATEMENT_PAGE;
        exit_code = request_send(cli, request, &reply);
        if (exit_code == CLI_OK)
            exit_code = cli_check(cli, &reply.head);
        if (exit_code == CLI_OK) {
            const struct msg_statement_answer *page = reply.body;
            exit_code = take_entries(cli, page, rows);
            body->from = page->next;
            limit -= page->entries_count < limit ? page->entries_count : limit;
        }
        reply_done(&reply);
    } while (exit_code == CLI_OK && body->from != 0 && limit > 0);
    return exit_code;
}

static int statement_run(struct cli *cli, const struct args *args)
{
    const char *limit_text = args->value[OPTION_LIMIT];
    struct request request;
    struct rows rows;
    uint64_t limit = UINT64_MAX;
    if (limit_text != NULL && !parse_uint(limit_text, 1, UINT64_MAX, &limit))
        return cli_usage(cli, "--limit is a number from 1");
    int exit_code = request_begin(cli, args, OPERATION_STATEMENT, &request);
    rows_init(&rows, MESSAGE_statement_entry);
    if (exit_code == CLI_OK)
        exit_code = take_statement(cli, &request, limit, &rows);
    if (exit_code == CLI_OK && !cli->json)
        exit_code = rows_print(cli, &rows);
    rows_done(&rows);
    request_done(&request);
    return exit_code;
}

/* A report: its name, what it tells, examples, and its options. */
#define REPORT(second, summary_, example, ...)                                                               \
    {                                                                                                        \
        .name = "report " second, .summary = summary_, .usage = "",                                          \
        .examples = { "punkt report " second, example }, .options = { __VA_ARGS__ },                         \
        .operation = PUNKT_OPERATION_REPORT, .check = report_check, .run = report_run,                       \
    }

const struct command reports_commands[] = {
    {
        .name = "statement",
        .summary = "Lists what happened to a card's account, newest first.",
        .usage = "CARD",
        .examples = { "punkt statement 2900000000018", "punkt statement 2900000000018 --limit 10",
                      "punkt statement 2900000000018 --with-merged" },
        .options = { OPTION_LIMIT, OPTION_WITH_MERGED },
        .words_min = 1,
        .words_max = 1,
        .operation = PUNKT_OPERATION_STATEMENT,
        .words = { "card" },
        .run = statement_run,
    },
    {
        .name = "till totals",
        .summary = "Shows what a till booked on a business date.",
        .usage = "--store S --till T --date D",
        .examples = { "punkt till totals --store 12 --till 3 --date 2026-01-31" },
        .options = { OPTION_STORE, OPTION_TILL, OPTION_DAY },
        .needs = { OPTION_STORE, OPTION_TILL, OPTION_DAY },
        .operation = PUNKT_OPERATION_DAY_TOTALS,
    },
    {
        .name = "report totals",
        .summary = "Shows the sums over the whole ledger.",
        .usage = "",
        .examples = { "punkt report totals" },
        .operation = PUNKT_OPERATION_TOTALS,
    },
    REPORT("liability", "Shows what the chain owes now, and when it would expire.",
           "punkt report liability --csv >liability.csv", OPTION_AS_CSV),
    REPORT("activity", "Shows how the balance of all accounts moved, day by day.",
           "punkt report activity --from 2026-01-01 --through 2026-01-31", OPTION_FROM_DAY,
           OPTION_THROUGH_DAY, OPTION_AS_CSV),
    REPORT("stores", "Shows what happened by store and tier.",
           "punkt report stores --from 2026-01-01 --through 2026-01-31", OPTION_FROM_DAY, OPTION_THROUGH_DAY,
           OPTION_AS_CSV),
    REPORT("expiry", "Shows how many points expire in which month.", "punkt --json report expiry",
           OPTION_AS_CSV),
    REPORT("debt", "Lists the accounts that owe points.", "punkt report debt --csv >debt.csv", OPTION_AS_CSV),
    REPORT("suspense", "Lists the numbers whose points wait for a card.",
           "punkt report suspense --csv >suspense.csv", OPTION_AS_CSV),
    REPORT("cohorts", "Shows what became of the points of each quarter, and the share that was redeemed.",
           "punkt report cohorts --csv >cohorts.csv", OPTION_AS_CSV),
    { .name = NULL },
};
