#include "cli/request.h"

#include <inttypes.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/fields.h"
#include "cli/parse.h"
#include "proto/card.h"
#include "proto/frame.h"

#define SLOW_TURN_MS 250

static int no_memory(struct cli *cli)
{
    return cli_error(cli, CLI_FAILED, "no_memory", "out of memory");
}

int request_init(struct cli *cli, enum operation operation, struct request *request)
{
    const struct operation_row *row = operation_row((uint16_t)operation);
    *request = (struct request){ .operation = operation, .message = row->request };
    request->body = calloc(1, message_tables[row->request].struct_size);
    if (request->body == NULL)
        return no_memory(cli);
    message_init(row->request, request->body);
    return CLI_OK;
}

void request_done(struct request *request)
{
    for (size_t i = 0; i < request->list_count; i++)
        free(request->lists[i]);
    free(request->body);
    pin_wipe(&request->pin);
    *request = (struct request){ .body = NULL };
}

void *request_memory(struct cli *cli, struct request *request, size_t count, size_t size)
{
    void *memory =
        request->list_count < REQUEST_LISTS_MAX ? calloc(count > 0 ? count : 1, size > 0 ? size : 1) : NULL;
    if (memory == NULL)
        (void)no_memory(cli);
    else
        request->lists[request->list_count++] = memory;
    return memory;
}

/* --- fields --- */

/* Seconds from 90s, 15m, 1h or 90. */
static bool parse_duration(const char *text, uint64_t most, uint64_t *out_seconds)
{
    static const struct {
        char unit;
        uint64_t seconds;
    } units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 } };
    char digits[16];
    uint64_t unit = 1;
    size_t size = strlen(text);
    if (size == 0 || size >= sizeof(digits))
        return false;
    memcpy(digits, text, size + 1);
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (digits[size - 1] != units[i].unit)
            continue;
        unit = units[i].seconds;
        digits[size - 1] = '\0';
        break;
    }
    uint64_t number;
    if (!parse_uint(digits, 1, most / unit, &number))
        return false;
    *out_seconds = number * unit;
    return true;
}

static int read_points(struct cli *cli, const struct message_field *field, const char *word, const char *text,
                       int64_t *out)
{
    if (!parse_points(text, cli->info.points_decimals, out))
        return cli_usage(cli, "%s: \"%s\" are no points with up to %u decimal%s", word, text,
                         cli->info.points_decimals, cli->info.points_decimals == 1 ? "" : "s");
    if (*out == 0 || (*out < 0 && field->kind == FIELD_UINT))
        return cli_usage(cli, "%s: \"%s\" are no points to speak of", word, text);
    return CLI_OK;
}

static int read_amount(struct cli *cli, const char *word, const char *text, int64_t *out)
{
    if (!parse_amount(text, cli->info.currency_exponent, out))
        return cli_usage(cli, "\"%s\" is no amount in %s with %u decimals", text, cli->info.currency,
                         cli->info.currency_exponent);
    return *out < 0 ? cli_usage(cli, "%s: %s is below zero", word, text) : CLI_OK;
}

/* A day alone is its first moment, but where something happened at a time of day. */
static int read_time(struct cli *cli, const struct message_field *field, const char *text, uint64_t *out)
{
    char moment[64];
    uint64_t day;
    int exit_code = cli_need_zone(cli);
    if (strcmp(field->name, "time") != 0 && parse_day(text, &day)) {
        (void)snprintf(moment, sizeof(moment), "%sT00:00:00", text);
        text = moment;
    }
    if (exit_code != CLI_OK || parse_time(text, out, NULL))
        return exit_code;
    return cli_usage(cli, "\"%s\" is no time such as 2026-01-31T17:45:00+01:00", text);
}

static int read_number(struct cli *cli, const struct request *request, const struct message_field *field,
                       const char *word, const char *text, int64_t *out)
{
    uint64_t most = field->limit < INT64_MAX ? field->limit : INT64_MAX;
    uint64_t number = 0;
    int exit_code = CLI_OK;
    switch (field_sense(request->message, field)) {
    case SENSE_POINTS:
        return read_points(cli, field, word, text, out);
    case SENSE_AMOUNT:
        return read_amount(cli, word, text, out);
    case SENSE_TIME:
        exit_code = read_time(cli, field, text, &number);
        break;
    case SENSE_DAY:
        if (!parse_day(text, &number))
            exit_code = cli_usage(cli, "\"%s\" is no date such as 2026-01-31", text);
        break;
    case SENSE_DURATION:
        if (!parse_duration(text, field->limit, &number))
            exit_code =
                cli_usage(cli, "%s: \"%s\" is no time such as 90s, 15m or 1h, a day at most", word, text);
        break;
    case SENSE_COUNT:
    case SENSE_YES:
    case SENSE_THOUSANDTHS:
    case SENSE_FLAGS:
    case SENSE_WORD:
    case SENSE_EPOCH:
    case SENSE_RATED:
    case SENSE_TEXT:
    case SENSE_LIST:
        if (!parse_uint(text, 1, most, &number) && most < UINT32_MAX)
            exit_code = cli_usage(cli, "%s: \"%s\" is no number from 1 to %" PRIu64, word, text, most);
        else if (number == 0)
            exit_code = cli_usage(cli, "%s: \"%s\" is no number", word, text);
        break;
    }
    *out = (int64_t)number;
    return exit_code;
}

static int read_code(struct cli *cli, const struct message_field *field, const char *word, const char *text,
                     struct wire_code *out)
{
    size_t size = strlen(text);
    if (field->kind == FIELD_CARD && !card_number_from_scan(text, size, out))
        return cli_usage(cli, "%s: \"%s\" is no card number: 1 to 32 of A-Z a-z 0-9 . _ %% + @ -", word,
                         text);
    if (field->kind == FIELD_CODE && (size == 0 || !wire_code_from(text, size, out)))
        return cli_usage(cli, "%s: \"%s\" is not 1 to 32 bytes of text", word, text);
    return CLI_OK;
}

int request_set(struct cli *cli, struct request *request, const char *name, const char *word,
                const char *text)
{
    const struct message_field *field = field_find(request->message, name);
    char *at = (char *)request->body + field->offset;
    int64_t number;
    int exit_code = CLI_OK;
    switch (field->kind) {
    case FIELD_CARD:
    case FIELD_CODE:
        return read_code(cli, field, word, text, (struct wire_code *)(void *)at);
    case FIELD_TEXT: {
        struct message_text line = { text, strlen(text) };
        if (line.size > field->limit || !wire_utf8_valid(text, line.size))
            return cli_usage(cli, "%s is one line of up to %" PRIu64 " bytes", word, field->limit);
        memcpy(at, &line, sizeof(line));
        return CLI_OK;
    }
    case FIELD_UINT:
    case FIELD_SINT:
        exit_code = read_number(cli, request, field, word, text, &number);
        memcpy(at, &number, sizeof(number));
        return exit_code;
    case FIELD_FIXED:
    case FIELD_HASH16:
    case FIELD_HASH32:
    case FIELD_TEXT_BLOCK:
    case FIELD_BYTES:
    case FIELD_LIST:
        break;
    }
    return cli_error(cli, CLI_FAILED, "unknown_field", "%s cannot be given here", word);
}

/* --set and --clear: a list of codes. */
static int set_tags(struct cli *cli, const struct args *args, struct request *request, enum option_id option,
                    const struct message_field *list)
{
    uint64_t count = args_count(args, option);
    struct msg_tag *tags = request_memory(cli, request, count, sizeof(*tags));
    if (tags == NULL)
        return CLI_FAILED;
    if (count > list->limit)
        return cli_usage(cli, "--%s at most %" PRIu64 " times", option_rows[option].name, list->limit);
    const char *text;
    uint64_t used = 0;
    int exit_code = CLI_OK;
    for (size_t i = 0; exit_code == CLI_OK && (text = args_next(args, option, &i)) != NULL;)
        exit_code = read_code(cli, &message_tables[MESSAGE_tag].fields[0], "a tag", text, &tags[used++].tag);
    memcpy((char *)request->body + list->offset, &tags, sizeof(tags));
    memcpy((char *)request->body + list->count_offset, &count, sizeof(count));
    return exit_code;
}

/* The first field of the option that the message has. */
static const struct message_field *field_of_option(enum message message, enum option_id option)
{
    const struct message_table *table = &message_tables[message];
    for (size_t i = 0; i < table->field_count; i++) {
        if (option_has_field(option, table->fields[i].name))
            return &table->fields[i];
    }
    return NULL;
}

/* Those that need the programme's decimals or zone are read once there is a connection; mistakes in others sooner. */
static bool is_for_now(enum message message, const struct message_field *field, bool connected)
{
    enum sense sense = field_sense(message, field);
    return (sense == SENSE_POINTS || sense == SENSE_AMOUNT || sense == SENSE_TIME) == connected;
}

static int fill_options(struct cli *cli, const struct args *args, struct request *request, bool connected)
{
    int exit_code = CLI_OK;
    for (const option_byte *at = cli->command->options; exit_code == CLI_OK && *at != OPTION_NONE; at++) {
        enum option_id option = (enum option_id) * at;
        const struct message_field *field = field_of_option(request->message, option);
        const char *value = args->value[option];
        char word[64];
        (void)snprintf(word, sizeof(word), "--%s", option_rows[option].name);
        if (value != NULL && option_rows[option].argument[0] == '\0')
            value = "1"; /* that it is given is all it says */
        if (field == NULL || !is_for_now(request->message, field, connected))
            continue;
        if (field->kind == FIELD_LIST && args_count(args, option) > 0)
            exit_code = set_tags(cli, args, request, option, field);
        else if (field->kind != FIELD_LIST && value != NULL)
            exit_code = request_set(cli, request, field->name, word, value);
    }
    return exit_code;
}

/* The change that EPOCH:NUMBER names. */
static int fill_original(struct cli *cli, struct request *request, const char *text)
{
    const struct message_field *epoch = field_find(request->message, "epoch");
    const struct message_field *number = field_find(request->message, "number");
    uint64_t values[2];
    if (!parse_retry(text, &values[0], &values[1]))
        return cli_usage(cli, "\"%s\" is no EPOCH:NUMBER", text);
    memcpy((char *)request->body + epoch->offset, &values[0], sizeof(values[0]));
    memcpy((char *)request->body + number->offset, &values[1], sizeof(values[1]));
    return CLI_OK;
}

static int fill_words(struct cli *cli, const struct args *args, struct request *request, bool connected)
{
    int exit_code = CLI_OK;
    for (size_t i = 0; exit_code == CLI_OK && i < args->positional_count && i < COMMAND_WORDS_MAX; i++) {
        const char *word = cli->command->words[i];
        if (word == NULL)
            break;
        const struct message_field *field = field_find(request->message, word);
        if (strcmp(word, WORD_OWN) == 0)
            continue;
        if (strcmp(word, WORD_ORIGINAL) == 0)
            exit_code = connected ? CLI_OK : fill_original(cli, request, args->positional[i]);
        else if (is_for_now(request->message, field, connected))
            exit_code = request_set(cli, request, word, word, args->positional[i]);
    }
    return exit_code;
}

/* Where somebody is who does not say: the till whose identity it is, else libpunkt's own default. */
static int fill_place(struct cli *cli, struct request *request, const char *name, const char *own)
{
    const struct message_field *field = field_find(request->message, name);
    if (field == NULL || !field->required || field_says(request->body, field))
        return CLI_OK;
    return request_set(cli, request, name, name, own[0] != '\0' ? own : "0");
}

static int fill(struct cli *cli, const struct args *args, struct request *request, bool connected)
{
    int exit_code = fill_words(cli, args, request, connected);
    return exit_code == CLI_OK ? fill_options(cli, args, request, connected) : exit_code;
}

static void preset(struct request *request, const char *name, uint64_t value)
{
    const struct message_field *field = field_find(request->message, name);
    if (field != NULL && !field_says(request->body, field))
        memcpy((char *)request->body + field->offset, &value, sizeof(value));
}

/* What goes into an outbox happens now, whenever it is sent. */
static void fill_now(const struct cli *cli, struct request *request)
{
    struct timespec clock;
    struct tm local;
    if (cli->outbox == NULL || operation_row((uint16_t)request->operation)->kind != OPERATION_KIND_CHANGE)
        return;
    (void)clock_gettime(CLOCK_REALTIME, &clock);
    int64_t now_us = (int64_t)clock.tv_sec * 1000000 + clock.tv_nsec / 1000 + cli->info.time_offset_us;
    time_t now = (time_t)(now_us / 1000000);
    preset(request, "time", (uint64_t)now_us);
    if (localtime_r(&now, &local) == NULL)
        return;
    struct tm day = { .tm_year = local.tm_year, .tm_mon = local.tm_mon, .tm_mday = local.tm_mday };
    preset(request, "business_date", (uint64_t)(timegm(&day) / 86400));
}

int request_begin(struct cli *cli, const struct args *args, enum operation operation, struct request *request)
{
    int exit_code = request_init(cli, operation, request);
    if (exit_code == CLI_OK)
        exit_code = fill(cli, args, request, false);
    if (exit_code == CLI_OK)
        exit_code = fill_place(cli, request, "store", cli->own_store);
    if (exit_code == CLI_OK)
        exit_code = fill_place(cli, request, "till", cli->own_till);
    if (args->value[OPTION_ADVICE] != NULL)
        request->flags |= PUNKT_FLAG_ADVICE;
    if (exit_code == CLI_OK && operation_takes_secret(operation))
        exit_code = pin_from_options(cli, args, &request->pin);
    if (exit_code == CLI_OK && cli->punkt == NULL)
        exit_code = cli_connect(cli, 1);
    if (exit_code == CLI_OK)
        exit_code = fill(cli, args, request, true);
    fill_now(cli, request);
    return exit_code;
}

/* --- sending --- */

/* Room for the lists of a message: an element takes a byte at least, and no more than its limit of them are read. */
static size_t lists_size(const struct message_table *table, size_t body_size)
{
    size_t size = 0;
    for (size_t i = 0; i < table->field_count; i++) {
        const struct message_field *field = &table->fields[i];
        if (field->kind != FIELD_LIST)
            continue;
        size_t count = field->limit < body_size ? (size_t)field->limit : body_size;
        size += count * message_tables[field->element].struct_size + alignof(max_align_t);
    }
    return size;
}

/* What it is read into: struct, bytes that its texts point to, lists, one behind the other. */
bool reply_read(enum message message, const void *bytes, size_t size, struct reply *out_reply)
{
    const struct message_table *table = &message_tables[message];
    size_t head = table->struct_size + size + alignof(max_align_t);
    size_t lists = lists_size(table, size);
    const char *field;
    head -= head % alignof(max_align_t);
    uint8_t *block = calloc(1, head + lists + 1);
    if (block == NULL)
        return false;
    uint8_t *copy = block + table->struct_size;
    if (size > 0)
        memcpy(copy, bytes, size);
    struct message_memory memory = { .at = block + head, .left = lists };
    out_reply->message = message;
    out_reply->body = block;
    if (message_decode(message, copy, size, &memory, block, &field))
        return true;
    reply_done(out_reply);
    return false;
}

void reply_done(struct reply *reply)
{
    free(reply->body);
    reply->body = NULL;
}

static int take_answer(struct cli *cli, enum operation operation, const struct punkt_message_answer *answer,
                       struct reply *out_reply)
{
    out_reply->head = answer->head;
    (void)snprintf(out_reply->detail, sizeof(out_reply->detail), "%s", answer->head.detail);
    out_reply->head.detail = out_reply->detail;
    if (answer->head.call != PUNKT_CALL_DONE ||
        reply_read(operation_row((uint16_t)operation)->answer, answer->body, answer->body_size, out_reply))
        return CLI_OK;
    return cli_error(cli, CLI_FAILED, "bad_answer", "the answer to %s cannot be read",
                     punkt_operation_name(operation));
}

/* The request's bytes; the caller's. NULL after an error that was printed. */
static void *encode(struct cli *cli, const struct request *request, struct punkt_message_request *out)
{
    void *bytes = malloc(FRAME_BODY_MAX);
    if (bytes == NULL) {
        (void)no_memory(cli);
        return NULL;
    }
    struct wire_writer writer = wire_writer_over(bytes, FRAME_BODY_MAX);
    message_encode(request->message, request->body, &writer);
    *out = (struct punkt_message_request){
        .size = sizeof(*out),
        .flags = request->flags,
        .timeout_ms = request->timeout_ms,
        .operation = (uint32_t)request->operation,
        .body = bytes,
        .body_size = wire_written(&writer),
        .pin = request->pin.text[0] != '\0' ? request->pin.text : NULL,
    };
    if (!writer.failed)
        return bytes;
    free(bytes);
    (void)cli_error(cli, CLI_USAGE, "usage", "more than a request may hold");
    return NULL;
}

int request_send(struct cli *cli, const struct request *request, struct reply *out_reply)
{
    struct punkt_message_request message;
    struct punkt_message_answer answer = PUNKT_ANSWER_INIT(answer);
    *out_reply = (struct reply){ .body = NULL };
    void *bytes = encode(cli, request, &message);
    if (bytes == NULL)
        return CLI_USAGE;
    (void)punkt_message(cli->punkt, &message, &answer);
    free(bytes);
    return take_answer(cli, request->operation, &answer, out_reply);
}

/* What is waited for, and what has become of it. */
struct waited {
    struct cli *cli;
    enum operation operation;
    struct reply *reply;
    int exit_code;
    bool ended;
};

static void on_answer(struct punkt *punkt, const struct punkt_answer *answer, void *ctx)
{
    struct waited *waited = ctx;
    (void)punkt;
    waited->exit_code = take_answer(waited->cli, waited->operation,
                                    (const struct punkt_message_answer *)(const void *)answer, waited->reply);
    waited->ended = true;
}

static void show_waiting(struct cli *cli, time_t began, bool last)
{
    struct timespec now;
    if (!isatty(STDERR_FILENO))
        return;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    (void)fprintf(cli->err, "\r%lld s%s", (long long)(now.tv_sec - began), last ? "\r\33[K" : "");
    (void)fflush(cli->err);
}

int request_send_slowly(struct cli *cli, const struct request *request, struct reply *out_reply)
{
    struct waited waited = { .cli = cli, .operation = request->operation, .reply = out_reply };
    struct punkt_message_request message;
    struct timespec began;
    *out_reply = (struct reply){ .body = NULL };
    void *bytes = encode(cli, request, &message);
    if (bytes == NULL)
        return CLI_USAGE;
    (void)clock_gettime(CLOCK_MONOTONIC, &began);
    enum punkt_call call = punkt_submit_message(cli->punkt, &message, on_answer, &waited);
    free(bytes);
    if (call != PUNKT_CALL_DONE)
        return cli_error(cli, CLI_USAGE, "usage", "%s", punkt_trouble(cli->punkt));
    while (!waited.ended) {
        (void)punkt_drive(cli->punkt, SLOW_TURN_MS);
        show_waiting(cli, began.tv_sec, waited.ended);
    }
    return waited.exit_code;
}

/* --- commands that are a row --- */

/* One that needs a PIN and has none: there may be somebody to ask. */
static int ask_and_send(struct cli *cli, struct request *request, struct reply *reply)
{
    int exit_code = pin_ask(cli, false, &request->pin);
    if (exit_code != CLI_OK)
        return exit_code;
    reply_done(reply);
    return request_send(cli, request, reply);
}

int request_finish(struct cli *cli, struct request *request)
{
    struct reply reply;
    int exit_code = request_send(cli, request, &reply);
    if (exit_code == CLI_OK && reply.head.call == PUNKT_CALL_REFUSED &&
        reply.head.code == PUNKT_RESULT_PIN_NEEDED && request->pin.text[0] == '\0' && pin_askable(cli))
        exit_code = ask_and_send(cli, request, &reply);
    if (exit_code == CLI_OK)
        exit_code = reply_finish(cli, &reply, request);
    reply_done(&reply);
    request_done(request);
    return exit_code;
}

int request_run_as(struct cli *cli, const struct args *args, enum operation operation,
                   request_fill_fn *fill_more)
{
    struct request request;
    int exit_code = request_begin(cli, args, operation, &request);
    if (exit_code == CLI_OK && fill_more != NULL)
        exit_code = fill_more(cli, args, &request);
    if (exit_code == CLI_OK)
        return request_finish(cli, &request);
    request_done(&request);
    return exit_code;
}

int request_run(struct cli *cli, const struct args *args)
{
    return request_run_as(cli, args, (enum operation)cli->command->operation, cli->command->fill);
}
