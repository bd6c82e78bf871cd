#include "cli/cli.h"
#include "cli/parse.h"

#define PAGE 200 /* entries of a page at most, the protocol's limit */

static const struct output_column columns[] = {
    { "time", false },  { "kind", false }, { "points", true },   { "balance", true },
    { "store", false }, { "till", false }, { "receipt", false }, { "reason", false },
};
#define COLUMN_COUNT (sizeof(columns) / sizeof(columns[0]))

/* "" becomes null: an event without a receipt has none. */
static json_t *text_or_null(const char *text)
{
    return text[0] != '\0' ? json_string(text) : json_null();
}

static json_t *entry_json(const struct punkt_statement_entry *entry)
{
    char when[TIME_TEXT_SIZE];
    time_text((uint64_t)entry->time_us, true, when);
    return json_pack("{s:s,s:s,s:I,s:I,s:o,s:o,s:o,s:o}", "time", when, "kind", punkt_event_name(entry->kind),
                     "points", (json_int_t)entry->points, "balance", (json_int_t)entry->balance, "store",
                     text_or_null(entry->store), "till", text_or_null(entry->till), "receipt",
                     text_or_null(entry->receipt), "reason", text_or_null(entry->reason));
}

/* The same for people: local time, points with their decimals. */
static json_t *entry_row(const struct cli *cli, const struct punkt_statement_entry *entry)
{
    char when[TIME_TEXT_SIZE];
    char points[POINTS_TEXT_SIZE];
    char balance[POINTS_TEXT_SIZE];
    time_text((uint64_t)entry->time_us, false, when);
    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "time", when, "kind", punkt_event_name(entry->kind),
                     "points", points_text(cli, entry->points, points), "balance",
                     points_text(cli, entry->balance, balance), "store", entry->store, "till", entry->till,
                     "receipt", entry->receipt, "reason", entry->reason);
}

/* Prints a page, or, for people, adds it to the rows of the table. */
static int take_page(struct cli *cli, const struct punkt_statement_answer *page, json_t *rows)
{
    int exit_code = CLI_OK;
    for (size_t i = 0; i < page->entry_count && exit_code == CLI_OK; i++) {
        const struct punkt_statement_entry *entry = punkt_statement_entry(page, i);
        if (cli->json)
            exit_code = output_object(cli, cli->out, entry_json(entry));
        else if (json_array_append_new(rows, entry_row(cli, entry)) != 0)
            exit_code = cli_error(cli, CLI_FAILED, "no_memory", "out of memory");
    }
    return exit_code;
}

static int take_pages(struct cli *cli, const char *card, uint64_t limit, json_t *rows)
{
    uint64_t from = 0;
    int exit_code = CLI_OK;
    do {
        struct punkt_statement_request request = {
            .size = sizeof(request),
            .card = card,
            .from = from,
            .limit = (uint32_t)(limit < PAGE ? limit : PAGE),
        };
        struct punkt_statement_answer answer = PUNKT_ANSWER_INIT(answer);
        (void)punkt_statement(cli->punkt, &request, &answer);
        exit_code = cli_check(cli, &answer.head);
        if (exit_code == CLI_OK)
            exit_code = take_page(cli, &answer, rows);
        from = answer.next;
        limit -= answer.entry_count < limit ? answer.entry_count : limit;
    } while (exit_code == CLI_OK && from != 0 && limit > 0);
    return exit_code;
}

int statement_run(struct cli *cli, const struct args *args)
{
    const char *limit_text = args->value[OPTION_LIMIT];
    uint64_t limit = UINT64_MAX;
    if (limit_text != NULL && !parse_uint(limit_text, 1, UINT64_MAX, &limit))
        return cli_usage(cli, "--limit is a number from 1");
    int exit_code = cli_connect(cli, 1);
    if (exit_code != CLI_OK)
        return exit_code;
    json_t *rows = json_array();
    exit_code = take_pages(cli, args->positional[0], limit, rows);
    if (cli->json || exit_code != CLI_OK) {
        json_decref(rows);
        return exit_code;
    }
    return output_rows(cli, rows, columns, COLUMN_COUNT);
}
