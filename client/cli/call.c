#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/parse.h"
#include "proto/wire.h"

#define TIMEOUT_DEFAULT_MS 5000
#define TIMEOUT_TILL_MS 1500 /* with an outbox: a customer waits (RELIABILITY.md, Outbox of the client) */
#define RETRY_TEXT_SIZE 64

uint32_t cli_timeout_ms(const struct cli *cli, uint32_t default_ms)
{
    return cli->timeout_ms != 0 ? cli->timeout_ms : default_ms;
}

void cli_alarm(struct cli *cli, const char *text)
{
    if (cli->punkt == NULL)
        (void)snprintf(cli->alarm, sizeof(cli->alarm), "%s", text);
    else
        (void)fprintf(cli->err, "punkt: %s\n", text);
}

static bool is_place(const char *code)
{
    size_t size = strlen(code);
    return size >= 1 && size <= PUNKT_CARD_MAX && wire_utf8_valid(code, size);
}

int cli_make(struct cli *cli, const struct punkt_options *options)
{
    cli->alarm[0] = '\0';
    cli->trouble[0] = '\0';
    enum punkt_call call = punkt_new(options, &cli->punkt);
    switch (call) {
    case PUNKT_CALL_DONE:
        if (cli->alarm[0] != '\0')
            (void)fprintf(cli->err, "punkt: %s\n", cli->alarm);
        return CLI_OK;
    case PUNKT_CALL_INVALID:
    case PUNKT_CALL_NOT_STORED:
        if (cli->alarm[0] != '\0')
            return cli_error(cli, CLI_FAILED, "bad_outbox", "%s", cli->alarm);
        if (options->outbox != NULL && !(is_place(options->store) && is_place(options->till)))
            return cli_usage(cli, "--store and --till are 1 to %d bytes of text", PUNKT_CARD_MAX);
        if (cli->identity != NULL)
            return cli_error(cli, CLI_FAILED, "bad_identity", "%s", cli->trouble);
        return cli_usage(cli, "%s", cli->trouble);
    case PUNKT_CALL_REFUSED:
    case PUNKT_CALL_QUEUED:
    case PUNKT_CALL_NOT_SENT:
    case PUNKT_CALL_UNKNOWN:
    case PUNKT_CALL_WINDOW_FULL:
    case PUNKT_CALL_NO_MEMORY:
        break;
    }
    return cli_error(cli, CLI_FAILED, "no_memory", "out of memory");
}

/* What somebody should look at is said, whatever the command goes on to do. */
static void on_alarm(struct punkt *punkt, enum punkt_alarm alarm, const char *text, void *ctx)
{
    (void)punkt;
    (void)alarm;
    cli_alarm(ctx, text);
}

int cli_open(struct cli *cli, unsigned window)
{
    struct punkt_options options = {
        .size = sizeof(options),
        .server = cli->server,
        .identity = cli->identity,
        .trouble = cli->trouble,
        .trouble_size = sizeof(cli->trouble),
        .timeout_ms = cli_timeout_ms(cli, cli->outbox != NULL ? TIMEOUT_TILL_MS : TIMEOUT_DEFAULT_MS),
        .window = window,
        .software = "punkt",
        .epoch = cli->retry_epoch,
        .next_number = cli->retry_number,
        .outbox = cli->outbox,
        .store = cli->store,
        .till = cli->till,
        .on_alarm = on_alarm,
        .ctx = cli,
        .receipt_width = cli->receipt_width,
        .language = cli->language,
    };
    return cli_make(cli, &options);
}

int cli_open_outbox(struct cli *cli)
{
    if (access(cli->outbox, F_OK) != 0)
        return cli_error(cli, CLI_FAILED, "bad_outbox", "%s: %s", cli->outbox, strerror(errno));
    return cli_open(cli, 0);
}

bool cli_learn(struct cli *cli)
{
    struct punkt_server_info info = { .size = sizeof(info) };
    punkt_server_info(cli->punkt, &info);
    if (!info.known)
        return false;
    cli->info = info;
    cli->zone_known = zone_use(info.zone);
    if (!cli->zone_known)
        (void)zone_use("UTC");
    return true;
}

int cli_connect_within(struct cli *cli, unsigned window, uint32_t timeout_ms)
{
    struct punkt_answer answer = { .size = sizeof(answer) };
    int exit_code = cli_open(cli, window);
    if (exit_code != CLI_OK)
        return exit_code;
    (void)punkt_connect(cli->punkt, timeout_ms, &answer);
    if (cli->outbox != NULL && answer.call != PUNKT_CALL_REFUSED && cli_learn(cli))
        return CLI_OK;
    exit_code = cli_check(cli, &answer);
    if (exit_code == CLI_OK)
        (void)cli_learn(cli);
    else if (cli->outbox != NULL && answer.call == PUNKT_CALL_NOT_SENT && !cli->json)
        (void)fprintf(
            cli->err,
            "punkt: nothing is queued either: this outbox has never reached a daemon, and only that "
            "knows the currency; once it has, it takes sales without\n");
    return exit_code;
}

int cli_connect(struct cli *cli, unsigned window)
{
    return cli_connect_within(cli, window, 0);
}

int cli_need_zone(struct cli *cli)
{
    if (cli->zone_known)
        return CLI_OK;
    return cli_error(cli, CLI_FAILED, "unknown_zone",
                     "this machine does not know the programme's time zone %s; install tzdata",
                     cli->info.zone);
}

/* "EPOCH:NUMBER" under which the same change can be made again without being booked twice, "" for reads. */
static void retry_text(const struct cli *cli, const struct punkt_answer *answer, char out[RETRY_TEXT_SIZE])
{
    out[0] = '\0';
    if (cli->command == NULL || !cli->command->change || cli->reads || cli->punkt == NULL ||
        cli->outbox != NULL)
        return;
    /* Without a number of its own nothing was booked, and the change would get the next. */
    uint64_t number = answer->number != 0 ? answer->number : punkt_next_number(cli->punkt);
    if (cli->first_number != 0) /* what was done of a list is answered as before */
        number = cli->first_number;
    (void)snprintf(out, RETRY_TEXT_SIZE, "%016" PRIx64 ":%" PRIu64, punkt_epoch(cli->punkt), number);
}

int cli_exit_code(const struct punkt_answer *answer)
{
    switch (answer->call) {
    case PUNKT_CALL_DONE:
        return CLI_OK;
    case PUNKT_CALL_REFUSED:
        return punkt_result_exit_code(answer->code);
    case PUNKT_CALL_NOT_SENT:
    case PUNKT_CALL_UNKNOWN:
        return CLI_UNREACHABLE;
    case PUNKT_CALL_INVALID:
        return CLI_USAGE;
    case PUNKT_CALL_QUEUED:
        return CLI_QUEUED;
    case PUNKT_CALL_WINDOW_FULL:
    case PUNKT_CALL_NO_MEMORY:
    case PUNKT_CALL_NOT_STORED:
        break;
    }
    return CLI_FAILED;
}

/* Prints the inside of an error object as an object, or its message as a sentence. The caller's no longer. */
static void print_error(struct cli *cli, json_t *inside, const char *numbers)
{
    const char *message = json_string_value(json_object_get(inside, "message"));
    json_t *object = cli->json && inside != NULL ? json_pack("{s:O}", "error", inside) : NULL;
    if (object != NULL)
        (void)output_object(cli, cli->err, object);
    else
        (void)fprintf(cli->err, "punkt: %s%s%s%s\n", message != NULL ? message : "out of memory",
                      numbers != NULL ? " (" : "", numbers != NULL ? numbers : "",
                      numbers != NULL ? ")" : "");
    json_decref(inside);
}

int cli_check(struct cli *cli, const struct punkt_answer *answer)
{
    char retry[RETRY_TEXT_SIZE];
    char numbers[REFUSAL_NUMBERS_SIZE];
    int exit_code = cli_exit_code(answer);
    if (exit_code == CLI_OK)
        return CLI_OK;
    retry_text(cli, answer, retry);
    bool repeatable = exit_code == CLI_UNREACHABLE && retry[0] != '\0';
    const char *advice = answer->call == PUNKT_CALL_REFUSED ? refusal_advice(answer->code) : NULL;
    print_error(cli, refusal_json(answer, repeatable ? retry : NULL),
                refusal_numbers(cli, answer, numbers) ? numbers : NULL);
    if (!cli->json && repeatable)
        (void)fprintf(cli->err, "punkt: the same command with --retry %s books it once, whatever happened\n",
                      retry);
    if (!cli->json && advice != NULL)
        (void)fprintf(cli->err, "punkt: %s\n", advice);
    return exit_code;
}

__attribute__((format(printf, 3, 0))) static json_t *own_error(int exit_code, const char *code,
                                                               const char *format, va_list args)
{
    char message[512];
    (void)vsnprintf(message, sizeof(message), format, args);
    /* What was typed may be anything; JSON and terminals want text. */
    for (char *at = message; !wire_utf8_valid(message, strlen(message)) && *at != '\0'; at++) {
        if (*at < ' ' || *at > '~')
            *at = '?';
    }
    return json_pack("{s:s,s:s,s:b}", "code", code, "message", message, "retryable",
                     exit_code == CLI_UNREACHABLE);
}

int cli_error(struct cli *cli, int exit_code, const char *code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    json_t *inside = own_error(exit_code, code, format, args);
    va_end(args);
    print_error(cli, inside, NULL);
    return exit_code;
}

int cli_usage(struct cli *cli, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    json_t *inside = own_error(CLI_USAGE, "usage", format, args);
    va_end(args);
    print_error(cli, inside, NULL);
    if (!cli->json)
        (void)fprintf(cli->err, "punkt: see punkt %s%s--help\n",
                      cli->command != NULL ? cli->command->name : "", cli->command != NULL ? " " : "");
    return CLI_USAGE;
}
