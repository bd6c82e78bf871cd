/*
 * `punkt mock`: the mock as a command, and what ties its parts together.
 */
#include "cli/mock.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/mock_parts.h"
#include "cli/parse.h"

#define SECONDS_MAX INT32_C(2000000) /* 23 days, whose milliseconds poll can wait */

/* --- the mock as a whole --- */

/* ISO 4217 has two decimals but for a few; those that shops may have are here. */
static unsigned exponent_of(const char *currency)
{
    static const char none[] = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF";
    static const char three[] = "BHD IQD JOD KWD LYD OMR TND";
    return strstr(none, currency) != NULL ? 0 : strstr(three, currency) != NULL ? 3 : 2;
}

struct mock *mock_new(const struct mock_options *options, char out_why[MOCK_WHY_SIZE])
{
    struct mock *mock = calloc(1, sizeof(*mock));
    (void)snprintf(out_why, MOCK_WHY_SIZE, "out of memory");
    if (mock == NULL)
        return NULL;
    mock->options = *options;
    mock->currency_exponent = exponent_of(options->currency);
    mock->term = 1;
    mock->zone_known = options->zone != NULL && zone_use(options->zone);
    mock->index = json_object();
    mock->lists = malloc(MOCK_LISTS_SIZE);
    mock->more_lists = malloc(MOCK_LISTS_SIZE);
    mock->bytes = malloc(FRAME_BODY_MAX + FRAME_HEADER_SIZE);
    if (mock->index != NULL && mock->lists != NULL && mock->more_lists != NULL && mock->bytes != NULL &&
        mock_net_open(mock, options->listen, out_why)) {
        if (!mock->zone_known)
            (void)zone_use("UTC");
        return mock;
    }
    mock_free(mock);
    return NULL;
}

static void forget_rules(struct mock *mock)
{
    for (size_t i = 0; i < mock->rule_count; i++)
        mock_line_done(&mock->rules[i]);
    mock->rule_count = 0;
}

void mock_free(struct mock *mock)
{
    if (mock == NULL)
        return;
    mock_net_close(mock);
    if (mock->index != NULL)
        mock_lose(mock, MOCK_EVERYTHING);
    forget_rules(mock);
    json_decref(mock->index);
    free(mock->rules);
    free(mock->changes);
    free(mock->accounts);
    free(mock->lists);
    free(mock->more_lists);
    free(mock->bytes);
    free(mock);
}

/* A rule waits behind those that there are; it is the mock's from now on. */
static bool add_rule(struct mock *mock, const struct mock_line *line)
{
    if (mock->rule_count == mock->rule_capacity) {
        size_t capacity = mock->rule_capacity * 2 + 16;
        struct mock_line *more = realloc(mock->rules, capacity * sizeof(*more));
        if (more == NULL)
            return false;
        mock->rules = more;
        mock->rule_capacity = capacity;
    }
    mock->rules[mock->rule_count++] = *line;
    return true;
}

/* Does what a line says. *out_kept: it is a rule now. False: no memory. */
static bool do_line(struct mock *mock, const struct mock_line *line, bool *out_kept)
{
    *out_kept = line->verb != MOCK_NOTHING && line->verb < MOCK_RULES_END;
    if (*out_kept)
        return add_rule(mock, line);
    if (line->verb == MOCK_CARD)
        return mock_card_set(mock, &line->card);
    if (line->verb == MOCK_TERM) {
        mock->term = line->number;
    } else if (line->verb == MOCK_LOSE) {
        mock_lose(mock, line->number);
        mock->term++;
    } else if (line->verb == MOCK_FORGET_RULES) {
        forget_rules(mock);
    } else {
        mock_net_command(mock, line);
    }
    return true;
}

bool mock_command(struct mock *mock, const char *text, char out_why[MOCK_WHY_SIZE], size_t *out_column)
{
    struct mock_line line;
    bool kept = false;
    bool good = mock_line_read(text, &line, out_why, out_column);
    if (good && !do_line(mock, &line, &kept)) {
        (void)snprintf(out_why, MOCK_WHY_SIZE, "out of memory");
        *out_column = 1;
        kept = good = false;
    }
    if (!kept)
        mock_line_done(&line);
    return good;
}

static json_t *change_json(struct mock *mock, const struct mock_change *change)
{
    struct message_memory memory = { mock->lists, MOCK_LISTS_SIZE };
    const char *field;
    char epoch[17];
    (void)snprintf(epoch, sizeof(epoch), "%016" PRIx64, change->epoch);
    mock_change_read(mock, change, &mock->message);
    if (!message_decode(change->row->answer, change->answer, change->answer_size, &memory, &mock->answer,
                        &field))
        return NULL;
    return json_pack("{s:s, s:I, s:s, s:o, s:I, s:o, s:o}", "epoch", epoch, "number",
                     (json_int_t)change->number, "operation", change->row->name, "flags",
                     mock_json_flags(change->flags), "position", (json_int_t)change->position, "request",
                     mock_json_write(change->row->request, &mock->message), "answer",
                     mock_json_write(change->row->answer, &mock->answer));
}

bool mock_dump(struct mock *mock, FILE *out)
{
    bool good = true;
    for (size_t i = 0; good && i < mock->change_count; i++) {
        if (!mock->changes[i]->made.booked)
            continue;
        json_t *object = change_json(mock, mock->changes[i]);
        good = object != NULL && json_dumpf(object, out, JSON_COMPACT) == 0 && fputc('\n', out) != EOF;
        json_decref(object);
    }
    return good && fflush(out) == 0;
}

/* --- the command --- */

/* A run of the command. */
struct run {
    struct cli *cli;
    struct mock_options options;
    const char *script; /* NULL: none; "-": live */
    const char *dump;
    bool until_eof;
    uint64_t seconds; /* 0: for ever */
    int signals;
    struct mock *mock;
};

static int read_options(struct cli *cli, const struct args *args, struct run *run)
{
    uint64_t decimals = 0;
    const char *balance = args->value[OPTION_BALANCE];
    const char *currency = args->value[OPTION_CURRENCY];
    const char *zone = args->value[OPTION_ZONE];
    *run = (struct run){ .cli = cli,
                         .script = args->value[OPTION_SCRIPT],
                         .dump = args->value[OPTION_DUMP],
                         .until_eof = args->value[OPTION_UNTIL_EOF] != NULL,
                         .signals = -1 };
    run->options = (struct mock_options){ .listen = args->value[OPTION_LISTEN],
                                          .zone = zone != NULL ? zone : "Europe/Berlin",
                                          .currency = currency != NULL ? currency : "EUR",
                                          .echo = args->value[OPTION_ECHO] != NULL,
                                          .out = cli->out,
                                          .err = cli->err };
    if (run->options.listen == NULL)
        run->options.listen = "127.0.0.1:0";
    if (strlen(run->options.currency) != 3 ||
        strspn(run->options.currency, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 3)
        return cli_usage(cli, "--currency is three capitals, as EUR");
    if (args->value[OPTION_DECIMALS] != NULL && !parse_uint(args->value[OPTION_DECIMALS], 0, 3, &decimals))
        return cli_usage(cli, "--decimals is from 0 to 3");
    run->options.points_decimals = (unsigned)decimals;
    if (balance != NULL && !parse_points(balance, (unsigned)decimals, &run->options.balance))
        return cli_usage(cli, "--balance is a number of points");
    if (args->value[OPTION_RUN_FOR] != NULL &&
        !parse_uint(args->value[OPTION_RUN_FOR], 1, SECONDS_MAX, &run->seconds))
        return cli_usage(cli, "--for is a whole number of seconds, %d at most", (int)SECONDS_MAX);
    return CLI_OK;
}

/* A script that is there from the start: every line must be right. */
static int read_script(struct run *run)
{
    char why[MOCK_WHY_SIZE];
    char *line = NULL;
    size_t capacity = 0, number = 0, column;
    int exit_code = CLI_OK;
    FILE *file = fopen(run->script, "re");
    if (file == NULL)
        return cli_error(run->cli, CLI_FAILED, "file", "%s: %s", run->script, strerror(errno));
    while (exit_code == CLI_OK && getline(&line, &capacity, file) >= 0) {
        number++;
        if (!mock_command(run->mock, line, why, &column))
            exit_code = cli_usage(run->cli, "%s:%zu:%zu: %s", run->script, number, column, why);
    }
    if (exit_code == CLI_OK && ferror(file))
        exit_code = cli_error(run->cli, CLI_FAILED, "file", "%s cannot be read", run->script);
    free(line);
    (void)fclose(file);
    return exit_code;
}

static int say_ready(const struct run *run)
{
    const char *address = mock_address(run->mock);
    if (run->cli->json)
        return output_object(run->cli, run->cli->out, json_pack("{s:s}", "ready", address));
    (void)fprintf(run->cli->out, "ready %s\n", address);
    return CLI_OK;
}

/* Until a signal, the end of the time, or of the input. */
static int loop(struct run *run)
{
    struct timespec now;
    struct signalfd_siginfo signal;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t end_ms = run->seconds > 0 ? (now.tv_sec + (int64_t)run->seconds) * 1000 : INT64_MAX;
    while (read(run->signals, &signal, sizeof(signal)) < 0) {
        (void)clock_gettime(CLOCK_MONOTONIC, &now);
        int64_t left_ms = end_ms - (now.tv_sec * 1000 + now.tv_nsec / 1000000);
        if (left_ms <= 0 || (run->until_eof && mock_input_ended(run->mock)))
            break;
        if (!mock_turn(run->mock, run->signals, run->seconds > 0 ? (int)left_ms : -1))
            return cli_error(run->cli, CLI_FAILED, "poll", "%s", strerror(errno));
    }
    return CLI_OK;
}

static int write_dump(struct run *run)
{
    bool standard = strcmp(run->dump, "-") == 0;
    FILE *file = standard ? run->cli->out : fopen(run->dump, "we");
    if (file == NULL)
        return cli_error(run->cli, CLI_FAILED, "file", "%s: %s", run->dump, strerror(errno));
    bool good = mock_dump(run->mock, file);
    if (!standard)
        good = fclose(file) == 0 && good;
    return good ? CLI_OK : cli_error(run->cli, CLI_FAILED, "file", "%s cannot be written", run->dump);
}

static int serve(struct run *run)
{
    int exit_code = CLI_OK;
    bool live = run->script != NULL && strcmp(run->script, "-") == 0;
    if (run->script != NULL && !live)
        exit_code = read_script(run);
    if (exit_code == CLI_OK && (live || run->until_eof))
        mock_listen_to(run->mock, STDIN_FILENO, live);
    if (exit_code == CLI_OK)
        exit_code = say_ready(run);
    (void)fflush(run->cli->out);
    if (exit_code == CLI_OK)
        exit_code = loop(run);
    if (exit_code == CLI_OK && run->dump != NULL)
        exit_code = write_dump(run);
    return exit_code;
}

int mock_run(struct cli *cli, const struct args *args)
{
    struct run run;
    char why[MOCK_WHY_SIZE];
    sigset_t ends, before;
    int exit_code = read_options(cli, args, &run);
    if (exit_code != CLI_OK)
        return exit_code;
    (void)sigemptyset(&ends);
    (void)sigaddset(&ends, SIGTERM);
    (void)sigaddset(&ends, SIGINT);
    (void)sigprocmask(SIG_BLOCK, &ends, &before);
    run.signals = signalfd(-1, &ends, SFD_NONBLOCK | SFD_CLOEXEC);
    run.mock = run.signals >= 0 ? mock_new(&run.options, why) : NULL;
    if (run.mock != NULL)
        exit_code = serve(&run);
    else
        exit_code = cli_error(cli, CLI_FAILED, "listen", "%s", run.signals >= 0 ? why : strerror(errno));
    mock_free(run.mock);
    if (run.signals >= 0)
        (void)close(run.signals);
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    return exit_code;
}
