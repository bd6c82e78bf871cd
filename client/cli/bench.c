/*
 * `punkt bench`: makes sure that the ledger is its own, issues its cards, runs the load, says what it
 * measured. Its cards are PREFIX and twelve digits, counted from zero without gaps, so that a later run
 * finds by bisection how many there are.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/load.h"
#include "cli/parse.h"

#define CARDS_MAX UINT64_C(100000000)
#define CONNECTIONS_MAX 10000
#define SECONDS_MAX 3600
#define RANGE 10000 /* cards of one request */
#define REQUEST_TIMEOUT_MS 30000

static int read_number(struct cli *cli, const struct args *args, enum option_id option, uint64_t maximum,
                       uint64_t otherwise, uint64_t *out_number)
{
    const char *text = args->value[option];
    *out_number = otherwise;
    if (text == NULL || parse_uint(text, 1, maximum, out_number))
        return CLI_OK;
    return cli_usage(cli, "--%s is from 1 to %" PRIu64, option_rows[option].name, maximum);
}

static int read_mix(struct cli *cli, const char *text, enum load_mix *out_mix)
{
    static const char *const names[] = {
        [LOAD_PURCHASE] = "purchase", [LOAD_BALANCE] = "balance", [LOAD_PING] = "ping"
    };
    *out_mix = LOAD_PURCHASE;
    if (text == NULL)
        return CLI_OK;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(text, names[i]) == 0) {
            *out_mix = (enum load_mix)i;
            return CLI_OK;
        }
    }
    return cli_usage(cli, "--mix is purchase, balance or ping");
}

static int read_options(struct cli *cli, const struct args *args, struct load_options *out)
{
    uint64_t connections = 0;
    uint64_t pipeline = 0;
    uint64_t seconds = 0;
    int exit_code = read_number(cli, args, OPTION_CONNECTIONS, CONNECTIONS_MAX, 64, &connections);
    if (exit_code == CLI_OK)
        exit_code = read_number(cli, args, OPTION_PIPELINE, PUNKT_WINDOW_MAX, 1, &pipeline);
    if (exit_code == CLI_OK)
        exit_code = read_number(cli, args, OPTION_SECONDS, SECONDS_MAX, 5, &seconds);
    if (exit_code == CLI_OK)
        exit_code = read_number(cli, args, OPTION_CARDS, CARDS_MAX, 1000000, &out->cards);
    if (exit_code == CLI_OK)
        exit_code = read_mix(cli, args->value[OPTION_MIX], &out->mix);
    out->prefix = args->value[OPTION_PREFIX] != NULL ? args->value[OPTION_PREFIX] : "99";
    if (exit_code == CLI_OK &&
        (strlen(out->prefix) > LOAD_PREFIX_MAX || strspn(out->prefix, "0123456789") != strlen(out->prefix)))
        exit_code = cli_usage(cli, "--prefix is at most %d digits", LOAD_PREFIX_MAX);
    out->server = cli->server;
    out->identity = cli->identity;
    out->timeout_ms = cli_timeout_ms(cli, REQUEST_TIMEOUT_MS);
    out->connections = (unsigned)connections;
    out->pipeline = (unsigned)pipeline;
    out->seconds = (uint32_t)seconds;
    return exit_code;
}

static int card_exists(struct cli *cli, const struct load_options *options, uint64_t index, bool *out_exists)
{
    char card[LOAD_PREFIX_MAX + LOAD_CARD_DIGITS + 1];
    struct punkt_card_show_request request = { .size = sizeof(request), .card = card };
    struct punkt_card_show_answer answer = PUNKT_ANSWER_INIT(answer);
    load_card(options->prefix, index, card);
    (void)punkt_card_show(cli->punkt, &request, &answer);
    *out_exists = answer.head.call == PUNKT_CALL_DONE;
    if (answer.head.call == PUNKT_CALL_REFUSED && answer.head.code == PUNKT_RESULT_UNKNOWN_CARD)
        return CLI_OK;
    return cli_check(cli, &answer.head);
}

/* How many cards of the bench there are: all below are, all from there on are not. */
static int count_own(struct cli *cli, const struct load_options *options, uint64_t *out_count)
{
    uint64_t low = 0;
    uint64_t high = CARDS_MAX;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        bool exists = false;
        int exit_code = card_exists(cli, options, middle, &exists);
        if (exit_code != CLI_OK)
            return exit_code;
        if (exists)
            low = middle + 1;
        else
            high = middle;
    }
    *out_count = low;
    return CLI_OK;
}

/* A ledger with other cards is somebody's. */
static int check_ledger(struct cli *cli, const struct load_options *options, bool force, uint64_t *out_own)
{
    struct punkt_totals_answer totals = PUNKT_ANSWER_INIT(totals);
    (void)punkt_totals(cli->punkt, NULL, &totals);
    int exit_code = cli_check(cli, &totals.head);
    *out_own = 0;
    if (exit_code != CLI_OK || totals.cards == 0)
        return exit_code;
    exit_code = count_own(cli, options, out_own);
    if (exit_code == CLI_OK && totals.cards != *out_own && !force)
        exit_code = cli_error(cli, CLI_REFUSED, "foreign_ledger",
                              "the ledger holds %" PRIu64
                              " cards that are not the bench's; --force uses it all the same",
                              totals.cards - *out_own);
    return exit_code;
}

static int issue_cards(struct cli *cli, const struct load_options *options, uint64_t from)
{
    bool progress = isatty(fileno(cli->err)) == 1;
    int exit_code = CLI_OK;
    for (uint64_t at = from; at < options->cards && exit_code == CLI_OK;) {
        char card[LOAD_PREFIX_MAX + LOAD_CARD_DIGITS + 1];
        uint64_t left = options->cards - at;
        struct punkt_card_issue_request request = { .size = sizeof(request),
                                                    .timeout_ms = cli_timeout_ms(cli, REQUEST_TIMEOUT_MS),
                                                    .card = card,
                                                    .count = (uint32_t)(left < RANGE ? left : RANGE) };
        struct punkt_card_issue_answer answer = PUNKT_ANSWER_INIT(answer);
        load_card(options->prefix, at, card);
        (void)punkt_card_issue(cli->punkt, &request, &answer);
        /* Another run with this prefix may be issuing, too. */
        if (answer.head.call != PUNKT_CALL_REFUSED || answer.head.code != PUNKT_RESULT_CARD_EXISTS)
            exit_code = cli_check(cli, &answer.head);
        at += request.count;
        if (progress)
            (void)fprintf(cli->err, "\rissuing cards: %" PRIu64 " of %" PRIu64 " ", at, options->cards);
    }
    if (progress && from < options->cards)
        (void)fputc('\n', cli->err);
    return exit_code;
}

static int print_result(struct cli *cli, const struct load_result *result)
{
    uint64_t per_second = result->elapsed_us > 0 ? result->operations * 1000000 / result->elapsed_us : 0;
    json_t *object = json_pack(
        "{s:I,s:I,s:I,s:I,s:I,s:I}", "operations", (json_int_t)result->operations, "per_second",
        (json_int_t)per_second, "p50_us", (json_int_t)histogram_percentile(&result->latency_us, 500),
        "p99_us", (json_int_t)histogram_percentile(&result->latency_us, 990), "p999_us",
        (json_int_t)histogram_percentile(&result->latency_us, 999), "errors", (json_int_t)result->errors);
    int exit_code = cli->json ? output_object(cli, cli->out, object) : output_pairs(cli, object);
    if (exit_code == CLI_OK && result->errors > 0 && result->code != PUNKT_RESULT_DONE)
        (void)fprintf(cli->err, "punkt: the last refusal was %s\n", punkt_result_name(result->code));
    return exit_code;
}

int bench_run(struct cli *cli, const struct args *args)
{
    struct load_options options = { .mix = LOAD_PURCHASE };
    struct load_result result;
    uint64_t own = 0;
    int exit_code = read_options(cli, args, &options);
    if (exit_code == CLI_OK)
        exit_code = cli_connect(cli, 1);
    if (exit_code == CLI_OK)
        exit_code = check_ledger(cli, &options, args->value[OPTION_FORCE] != NULL, &own);
    if (exit_code == CLI_OK)
        exit_code = issue_cards(cli, &options, own);
    if (exit_code != CLI_OK)
        return exit_code;
    switch (load_run(&options, &result)) {
    case LOAD_DONE:
        return print_result(cli, &result);
    case LOAD_UNREACHABLE:
        return cli_error(cli, CLI_UNREACHABLE, "not_sent", "only %u of %u connections got an answer",
                         result.connected, options.connections);
    case LOAD_FAILED:
        break;
    }
    return cli_error(cli, CLI_FAILED, "bench", "cannot begin: %s", strerror(result.failure));
}
