/*
 * punkt outbox: what a till has not been able to send, what can never be booked, and how it is got rid of.
 */
#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/fields.h"
#include "cli/parse.h"
#include "cli/request.h"
#include "cli/tables.h"
#include "cli/till.h"

#define TURN_MS 250
#define SEND_MS 60000

static uint64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static uint64_t waiting(const struct cli *cli)
{
    struct punkt_outbox_info info = { .size = sizeof(info) };
    punkt_outbox_info(cli->punkt, &info);
    return info.queued;
}

static void show_waiting(const struct cli *cli, uint64_t count)
{
    if (!isatty(STDERR_FILENO))
        return;
    (void)fprintf(cli->err, "\r\33[K");
    if (count > 0)
        (void)fprintf(cli->err, "%" PRIu64 " waiting", count);
    (void)fflush(cli->err);
}

uint64_t outbox_drain(struct cli *cli, uint32_t most_ms)
{
    uint64_t began = now_ms();
    uint64_t left;
    while ((left = waiting(cli)) > 0) {
        uint64_t passed = now_ms() - began;
        show_waiting(cli, left);
        if (passed >= most_ms)
            break;
        (void)punkt_drive(cli->punkt, most_ms - passed < TURN_MS ? (int)(most_ms - passed) : TURN_MS);
    }
    show_waiting(cli, 0);
    return left;
}

/* --- what is in it --- */

/* The number of a receipt or document, out of the request itself; "" if it has none. */
static void document_of(const struct punkt_outbox_entry *entry, char out[TILL_CODE_SIZE])
{
    static const char *const names[] = { "receipt", "document" };
    struct reply body;
    out[0] = '\0';
    enum message message = operation_row((uint16_t)entry->operation)->request;
    if (entry->body == NULL || !reply_read(message, entry->body, entry->body_size, &body))
        return;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && out[0] == '\0'; i++) {
        const struct message_field *field = field_find(message, names[i]);
        struct wire_code code = { .size = 0 };
        if (field == NULL || field->kind != FIELD_CODE)
            continue;
        memcpy(&code, (const char *)body.body + field->offset, sizeof(code));
        memcpy(out, code.bytes, code.size);
        out[code.size] = '\0';
    }
    reply_done(&body);
}

static json_t *entry_object(struct cli *cli, const struct punkt_outbox_entry *entry, bool for_programs)
{
    char number[64];
    char document[TILL_CODE_SIZE];
    char amount[POINTS_TEXT_SIZE];
    char made[TIME_TEXT_SIZE];
    bool refused = entry->state == PUNKT_OUTBOX_DEAD || entry->state == PUNKT_OUTBOX_REFUSED;
    document_of(entry, document);
    time_text((uint64_t)entry->created_us, for_programs, made);
    json_t *object = json_object();
    if (for_programs) {
        (void)snprintf(number, sizeof(number), "%016" PRIx64, entry->epoch);
        (void)json_object_set_new(object, "epoch", json_string(number));
        (void)json_object_set_new(object, "number", json_integer((json_int_t)entry->number));
        (void)json_object_set_new(object, "amount", json_integer(entry->amount));
        (void)json_object_set_new(object, "advice", json_boolean(entry->advice));
        (void)json_object_set_new(object, "code",
                                  refused ? json_string(punkt_result_name(entry->result)) : json_null());
    } else {
        (void)snprintf(number, sizeof(number), "%016" PRIx64 ":%" PRIu64, entry->epoch, entry->number);
        decimal_text(entry->amount, cli->info.currency_exponent, amount);
        (void)json_object_set_new(object, "number", json_string(number));
        (void)json_object_set_new(object, "amount", json_string(entry->amount != 0 ? amount : ""));
        (void)json_object_set_new(object, "why",
                                  json_string(refused ? punkt_result_text(entry->result) : ""));
    }
    (void)json_object_set_new(object, "made", json_string(made));
    (void)json_object_set_new(object, "state", json_string(punkt_outbox_state_name(entry->state)));
    (void)json_object_set_new(object, "operation", json_string(punkt_operation_name(entry->operation)));
    (void)json_object_set_new(object, "receipt", json_string(document));
    (void)json_object_set_new(object, "card", json_string(entry->card));
    return object;
}

json_t *outbox_entries(struct cli *cli, unsigned states, bool for_programs)
{
    struct punkt_outbox_entry entry = { .size = sizeof(entry) };
    json_t *array = json_array();
    for (uint64_t i = 0; array != NULL && punkt_outbox_entry(cli->punkt, i, &entry); i++) {
        if ((states & 1U << entry.state) != 0)
            (void)json_array_append_new(array, entry_object(cli, &entry, for_programs));
    }
    return array;
}

int outbox_entries_print(struct cli *cli, unsigned states)
{
    static const struct output_column columns[] = {
        { "number", false }, { "made", false },  { "operation", false }, { "receipt", false },
        { "card", false },   { "amount", true }, { "state", false },     { "why", false },
    };
    return output_rows(cli, outbox_entries(cli, states, false), columns,
                       sizeof(columns) / sizeof(columns[0]));
}

/* --- the commands --- */

/* Opens the file; nothing is sent yet. */
static int open_outbox(struct cli *cli)
{
    int exit_code = cli_open_outbox(cli);
    if (exit_code == CLI_OK && !cli_learn(cli))
        cli->info = (struct punkt_server_info){ .size = sizeof(cli->info), .currency_exponent = 2 };
    return exit_code;
}

static int print_entries(struct cli *cli, unsigned states)
{
    if (!cli->json)
        return outbox_entries_print(cli, states);
    json_t *rows = outbox_entries(cli, states, true);
    int exit_code = rows != NULL ? CLI_OK : cli_error(cli, CLI_FAILED, "no_memory", "out of memory");
    for (size_t i = 0; exit_code == CLI_OK && i < json_array_size(rows); i++)
        exit_code = output_object(cli, cli->out, json_incref(json_array_get(rows, i)));
    json_decref(rows);
    return exit_code;
}

static int list_run(struct cli *cli, const struct args *args)
{
    unsigned states = 1U << PUNKT_OUTBOX_QUEUED | 1U << PUNKT_OUTBOX_DEAD;
    if (args->value[OPTION_ALL] != NULL)
        states |= 1U << PUNKT_OUTBOX_DONE | 1U << PUNKT_OUTBOX_REFUSED;
    int exit_code = open_outbox(cli);
    return exit_code == CLI_OK ? print_entries(cli, states) : exit_code;
}

/* The request of one operation, field by field. */
static int show_entry(struct cli *cli, const struct punkt_outbox_entry *entry)
{
    enum message message = operation_row((uint16_t)entry->operation)->request;
    struct reply body = { .body = NULL };
    json_t *object = entry_object(cli, entry, cli->json);
    bool readable = entry->body != NULL && reply_read(message, entry->body, entry->body_size, &body);
    if (cli->json) {
        (void)json_object_set_new(object, "request",
                                  readable ? message_json(message, body.body) : json_null());
        reply_done(&body);
        return output_object(cli, cli->out, object);
    }
    int exit_code = output_pairs(cli, object);
    if (exit_code == CLI_OK && readable) {
        (void)fputs("\nrequest:\n", cli->out);
        exit_code = output_pairs(cli, fields_text(cli, message, body.body, false));
    }
    if (exit_code == CLI_OK && readable)
        exit_code = lists_print(cli, message, body.body);
    reply_done(&body);
    return exit_code;
}

static int show_run(struct cli *cli, const struct args *args)
{
    struct punkt_outbox_entry entry = { .size = sizeof(entry) };
    uint64_t epoch;
    uint64_t number;
    if (!parse_retry(args->positional[0], &epoch, &number))
        return cli_usage(cli, "\"%s\" is no EPOCH:NUMBER", args->positional[0]);
    int exit_code = open_outbox(cli);
    if (exit_code != CLI_OK)
        return exit_code;
    for (uint64_t i = 0; punkt_outbox_entry(cli->punkt, i, &entry); i++) {
        if (entry.epoch == epoch && entry.number == number)
            return show_entry(cli, &entry);
    }
    return cli_error(cli, CLI_NOT_FOUND, "unknown_number", "the outbox does not know %s",
                     args->positional[0]);
}

static int send_run(struct cli *cli, const struct args *args)
{
    (void)args;
    int exit_code = open_outbox(cli);
    if (exit_code != CLI_OK)
        return exit_code;
    uint64_t before = waiting(cli);
    uint64_t left = outbox_drain(cli, cli_timeout_ms(cli, SEND_MS));
    struct punkt_outbox_info info = { .size = sizeof(info) };
    punkt_outbox_info(cli->punkt, &info);
    if (cli->json)
        exit_code = output_object(cli, cli->out,
                                  json_pack("{s:I,s:I,s:I}", "sent", (json_int_t)(before - left), "queued",
                                            (json_int_t)left, "dead", (json_int_t)info.dead));
    else
        (void)fprintf(cli->out, "%" PRIu64 " sent, %" PRIu64 " waiting, %" PRIu64 " dead.\n", before - left,
                      left, info.dead);
    if (left > 0 && !cli->json)
        (void)fprintf(cli->err, "punkt: %s\n", punkt_trouble(cli->punkt));
    return exit_code == CLI_OK && left > 0 ? CLI_QUEUED : exit_code;
}

static int discard_run(struct cli *cli, const struct args *args)
{
    uint64_t epoch;
    uint64_t number;
    if (!parse_retry(args->positional[0], &epoch, &number))
        return cli_usage(cli, "\"%s\" is no EPOCH:NUMBER", args->positional[0]);
    int exit_code = open_outbox(cli);
    if (exit_code != CLI_OK)
        return exit_code;
    if (punkt_outbox_discard(cli->punkt, epoch, number) != PUNKT_CALL_DONE)
        return cli_error(cli, CLI_NOT_FOUND, "not_dead", "%s", punkt_trouble(cli->punkt));
    if (cli->json)
        return output_object(cli, cli->out, json_pack("{s:s}", "discarded", args->positional[0]));
    (void)fprintf(cli->out, "%s is discarded.\n", args->positional[0]);
    return CLI_OK;
}

#define FILE_OF_TILL OPTION_OUTBOX, OPTION_STORE, OPTION_TILL

const struct command outbox_commands[] = {
    {
        .name = "outbox list",
        .summary = "Lists what a till has not sent yet, and what can never be booked.",
        .usage = "--outbox FILE --store S --till T",
        .examples = { "punkt outbox list --outbox till.outbox --store 12 --till 3",
                      "punkt --json outbox list --outbox till.outbox --store 12 --till 3 --all" },
        .options = { FILE_OF_TILL, OPTION_ALL },
        .needs = { FILE_OF_TILL },
        .run = list_run,
    },
    {
        .name = "outbox show",
        .summary = "Shows one operation of a till's outbox.",
        .usage = "EPOCH:NUMBER --outbox FILE --store S --till T",
        .examples = { "punkt outbox show 9f86d081884c7d65:3 --outbox till.outbox --store 12 --till 3" },
        .options = { FILE_OF_TILL },
        .needs = { FILE_OF_TILL },
        .words_min = 1,
        .words_max = 1,
        .run = show_run,
    },
    {
        .name = "outbox send",
        .summary = "Sends what waits in a till's outbox.",
        .usage = "--outbox FILE --store S --till T",
        .examples = { "punkt outbox send --outbox till.outbox --store 12 --till 3 --timeout 30" },
        .options = { FILE_OF_TILL },
        .needs = { FILE_OF_TILL },
        .run = send_run,
    },
    {
        .name = "outbox discard",
        .summary = "Takes off the list what can never be booked.",
        .usage = "EPOCH:NUMBER --outbox FILE --store S --till T",
        .examples = { "punkt outbox discard 9f86d081884c7d65:3 --outbox till.outbox --store 12 --till 3" },
        .options = { FILE_OF_TILL },
        .needs = { FILE_OF_TILL },
        .words_min = 1,
        .words_max = 1,
        .run = discard_run,
    },
    { .name = NULL },
};
