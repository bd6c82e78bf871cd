/*
 * The end of a till's day: what it says on paper and to programs.
 */
#include <stdlib.h>

#include "cli/parse.h"
#include "cli/till.h"

#define CLOSE_MS 30000
#define STATE_WORD_SIZE 32

static json_t *figures_json(const struct punkt_day_figures *figures)
{
    char hash[24];
    if (figures == NULL)
        return json_null();
    (void)snprintf(hash, sizeof(hash), "%016llx", (unsigned long long)figures->hash);
    return json_pack(
        "{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:s}", "purchases", (json_int_t)figures->purchases,
        "purchase_amount", (json_int_t)figures->purchase_amount, "earned", (json_int_t)figures->earned,
        "returns", (json_int_t)figures->returns, "return_amount", (json_int_t)figures->return_amount,
        "returned", (json_int_t)figures->returned, "redemptions", (json_int_t)figures->redemptions,
        "redeemed", (json_int_t)figures->redeemed, "redeemed_worth", (json_int_t)figures->redeemed_worth,
        "reversals", (json_int_t)figures->reversals, "hash", hash);
}

static json_t *differences_json(const struct punkt_close_day_answer *answer)
{
    json_t *array = json_array();
    for (size_t i = 0; i < answer->difference_count; i++) {
        const struct punkt_day_difference *one = answer->differences[i];
        char epoch[24];
        (void)snprintf(epoch, sizeof(epoch), "%016llx", (unsigned long long)one->epoch);
        (void)json_array_append_new(
            array, json_pack("{s:s,s:I,s:s,s:s,s:I}", "epoch", epoch, "number", (json_int_t)one->number,
                             "missing", one->missing_there ? "there" : "here", "operation",
                             punkt_operation_name(one->operation), "amount", (json_int_t)one->amount));
    }
    return array;
}

/* Its name as a word of the protocol's: in_balance. */
static const char *state_word(enum punkt_close_state state, char out[STATE_WORD_SIZE])
{
    (void)snprintf(out, STATE_WORD_SIZE, "%s", punkt_close_state_name(state));
    for (char *at = out; *at != '\0'; at++) {
        if (*at == ' ')
            *at = '_';
    }
    return out;
}

static json_t *close_json(const struct punkt_close_day_answer *answer)
{
    char day[TIME_TEXT_SIZE];
    char time[TIME_TEXT_SIZE];
    char head[65];
    char state[STATE_WORD_SIZE];
    day_text((uint64_t)answer->business_date, day);
    time_text((uint64_t)answer->time_us, true, time);
    for (size_t i = 0; i < sizeof(answer->journal_head); i++)
        (void)snprintf(head + 2 * i, 3, "%02x", answer->journal_head[i]);
    return json_pack("{s:s,s:I,s:s,s:s,s:s,s:s,s:I,s:s,s:I,s:I,s:I,s:I,s:I,s:o,s:o,s:o}", "state",
                     state_word(answer->state, state), "close", (json_int_t)answer->close, "store",
                     answer->store, "till", answer->till, "date", day, "time", time, "position",
                     (json_int_t)answer->position, "journal_head", head, "journal_position",
                     (json_int_t)answer->journal_position, "queued", (json_int_t)answer->queued, "dead",
                     (json_int_t)answer->dead, "late", (json_int_t)answer->late, "resent",
                     (json_int_t)answer->resent, "here", figures_json(answer->here), "there",
                     figures_json(answer->there), "differences", differences_json(answer));
}

static int print_report(struct cli *cli, const struct punkt_close_day_answer *answer, unsigned width)
{
    size_t size = punkt_close_report(cli->punkt, answer, width, NULL, 0) + 1;
    char *text = malloc(size);
    if (text == NULL)
        return cli_error(cli, CLI_FAILED, "no_memory", "out of memory");
    (void)punkt_close_report(cli->punkt, answer, width, text, size);
    (void)fputs(text, cli->out);
    free(text);
    return CLI_OK;
}

static int exit_code_of(enum punkt_close_state state)
{
    switch (state) {
    case PUNKT_CLOSE_BALANCED:
        return CLI_OK;
    case PUNKT_CLOSE_OPEN:
        return CLI_QUEUED;
    case PUNKT_CLOSE_NOT_REACHED:
        return CLI_UNREACHABLE;
    case PUNKT_CLOSE_DIFFERENT:
        break;
    }
    return CLI_FAILED;
}

int till_close_day(struct cli *cli, int32_t business_date, const char *operator_, unsigned width)
{
    struct punkt_close_day_answer answer = PUNKT_ANSWER_INIT(answer);
    struct punkt_close_day_request request = {
        .size = sizeof(request),
        .timeout_ms = cli_timeout_ms(cli, CLOSE_MS),
        .business_date = business_date,
        .operator_ = operator_,
    };
    enum punkt_call call = punkt_close_day(cli->punkt, &request, &answer);
    if (call != PUNKT_CALL_DONE && call != PUNKT_CALL_QUEUED && call != PUNKT_CALL_NOT_SENT)
        return cli_check(cli, &answer.head);
    int exit_code =
        cli->json ? output_object(cli, cli->out, close_json(&answer)) : print_report(cli, &answer, width);
    return exit_code == CLI_OK ? exit_code_of(answer.state) : exit_code;
}

int till_close_run(struct cli *cli, const struct args *args)
{
    const char *date = args->value[OPTION_DATE_CLOSED];
    uint64_t day = 0;
    unsigned width;
    int exit_code = till_width(cli, args, &width);
    if (exit_code == CLI_OK && date != NULL && !parse_day(date, &day))
        exit_code = cli_usage(cli, "\"%s\" is no date such as 2026-01-31", date);
    if (exit_code == CLI_OK)
        exit_code = cli_open_outbox(cli);
    if (exit_code == CLI_OK && !cli_learn(cli)) {
        /* Which day is today, the programme's zone says; the outbox has not heard of it yet. */
        (void)punkt_connect(cli->punkt, 0, NULL);
        (void)cli_learn(cli);
    }
    return exit_code == CLI_OK ? till_close_day(cli, (int32_t)day, args->value[OPTION_OPERATOR], width)
                               : exit_code;
}
