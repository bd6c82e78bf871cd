/*
 * Answers that are DONE: as objects for programs, as sentences or tables for people.
 *
 * Operations of the first hour have objects that programs know word for word: what was not there then is only added
 * where it says something. All others have every field of their message, in its order.
 */
#include <inttypes.h>
#include <string.h>

#include "cli/fields.h"
#include "cli/parse.h"
#include "cli/request.h"
#include "cli/sentences.h"
#include "cli/tables.h"

_Static_assert(POINTS_TEXT_SIZE >= DECIMAL_TEXT_SIZE, "points are decimals");

static const enum operation grown[] = {
    OPERATION_CARD_ISSUE,   OPERATION_CARD_SHOW,    OPERATION_PURCHASE, OPERATION_RETURN,
    OPERATION_REDEEM,       OPERATION_ADJUST,       OPERATION_TOTALS,   OPERATION_UNLINKED_RETURN,
    OPERATION_CLOCK_ACCEPT, OPERATION_AUDIT_VERIFY,
};

/* Whose object begins with the card of the request. */
static const enum operation of_a_card[] = { OPERATION_CARD_ISSUE, OPERATION_CARD_SHOW, OPERATION_BONUS };

/* What counts only once it is done. */
static const enum operation on_done_only[] = {
    OPERATION_REDEEM,
    OPERATION_HOLD,
    OPERATION_CAPTURE,
    OPERATION_RELEASE,
};

#define AMONG(operation, list) among(operation, list, sizeof(list) / sizeof((list)[0]))

static bool among(enum operation operation, const enum operation *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (list[i] == operation)
            return true;
    }
    return false;
}

const char *points_text(const struct cli *cli, int64_t points, char out[POINTS_TEXT_SIZE])
{
    decimal_text(points, cli->info.points_decimals, out);
    return out;
}

/* What a grown object does not have though its message always does. */
static bool is_left_out(const struct reply *reply, const struct message_field *field)
{
    if (strcmp(field->name, "position") == 0 || strcmp(field->name, "last_event") == 0)
        return true;
    if (reply->message == MESSAGE_adjust_answer && strcmp(field->name, "debt") == 0)
        return !field_says(reply->body, field);
    if (reply->message != MESSAGE_redeem_answer || strcmp(field->name, "worth") != 0)
        return false;
    return ((const struct msg_redeem_answer *)reply->body)->reward.size == 0;
}

/* {"day":...,"points":...}, or null: two fields that are one. */
static json_t *next_expiry_json(const struct msg_card_show_answer *answer)
{
    char day[TIME_TEXT_SIZE];
    if (answer->next_expiry_day == 0)
        return json_null();
    day_text(answer->next_expiry_day, day);
    return json_pack("{s:s,s:I}", "day", day, "points", (json_int_t)answer->next_expiry_points);
}

/* How a day was closed, if it was. */
static bool is_of_no_close(const struct reply *reply, const struct message_field *field)
{
    if (reply->message != MESSAGE_day_totals_answer)
        return false;
    return ((const struct msg_day_totals_answer *)reply->body)->closes == 0 &&
           (strncmp(field->name, "close_", strlen("close_")) == 0 || strcmp(field->name, "late") == 0);
}

static void add_field(json_t *object, const struct reply *reply, const struct message_field *field,
                      bool sparse)
{
    if (is_of_no_close(reply, field))
        return;
    if (strcmp(field->name, "next_expiry_day") == 0)
        (void)json_object_set_new(object, "next_expiry", next_expiry_json(reply->body));
    else if (strcmp(field->name, "next_expiry_points") != 0 &&
             (!sparse || (!is_left_out(reply, field) && (field->required || field_says(reply->body, field)))))
        (void)json_object_set_new(object, field->name, field_json(reply->message, reply->body, field));
}

static void add_card(json_t *object, const struct request *request)
{
    const struct message_field *card = request != NULL ? field_find(request->message, "card") : NULL;
    if (card != NULL)
        (void)json_object_set_new(object, "card", field_json(request->message, request->body, card));
}

/* What was approved is booked as the request that was proposed: its answer. False: rejected, or it cannot be read. */
static bool approved_read(const struct reply *reply, struct reply *out)
{
    const struct msg_approval_decide_answer *answer = reply->body;
    const struct operation_row *row = operation_row((uint16_t)answer->operation);
    *out = (struct reply){ .head = { .size = sizeof(out->head),
                                     .call = PUNKT_CALL_DONE,
                                     .operation = (uint32_t)answer->operation } };
    return row != NULL && answer->answer.size > 0 &&
           reply_read(row->answer, answer->answer.data, (size_t)answer->answer.size, out);
}

static void add_approved(json_t *object, const struct reply *reply)
{
    struct reply approved;
    bool good = approved_read(reply, &approved);
    (void)json_object_set_new(object, "answer", good ? reply_json(&approved, NULL) : json_null());
    if (good)
        reply_done(&approved);
}

json_t *reply_json(const struct reply *reply, const struct request *request)
{
    enum operation operation = (enum operation)reply->head.operation;
    const struct message_table *table = &message_tables[reply->message];
    bool change = operation_row((uint16_t)operation)->kind == OPERATION_KIND_CHANGE;
    json_t *object = json_object();
    if (object == NULL)
        return NULL;
    if (change && operation != OPERATION_CARD_ISSUE) {
        (void)json_object_set_new(object, "result", json_string("done"));
        (void)json_object_set_new(object, "replayed", json_boolean(reply->head.replayed));
    }
    if (AMONG(operation, of_a_card))
        add_card(object, request);
    for (size_t i = 0; i < table->field_count; i++)
        add_field(object, reply, &table->fields[i], AMONG(operation, grown));
    if (operation == OPERATION_APPROVAL_DECIDE)
        add_approved(object, reply);
    return object;
}

json_t *statement_entry_json(const struct msg_statement_entry *entry)
{
    static const char *const always[] = { "store", "till", "receipt", "reason" };
    const struct message_table *table = &message_tables[MESSAGE_statement_entry];
    json_t *object = json_object();
    for (size_t i = 0; object != NULL && i < table->field_count; i++) {
        const struct message_field *field = &table->fields[i];
        bool wanted = field->required || field_says(entry, field);
        for (size_t j = 0; j < sizeof(always) / sizeof(always[0]); j++)
            wanted = wanted || strcmp(field->name, always[j]) == 0;
        if (wanted && strcmp(field->name, "position") != 0)
            (void)json_object_set_new(object, field->name, field_json(MESSAGE_statement_entry, entry, field));
    }
    if (object != NULL)
        (void)json_object_set_new(object, "position", json_integer((json_int_t)entry->position));
    return object;
}

/* The rows of a card as people know them. */
static int card_show_print(struct cli *cli, const struct reply *reply, const struct request *request)
{
    const struct msg_card_show_answer *answer = reply->body;
    char day[TIME_TEXT_SIZE];
    char points[POINTS_TEXT_SIZE];
    char expiry[96] = "none";
    json_t *object = json_object();
    json_t *fields = fields_text(cli, reply->message, answer, false);
    if (answer->next_expiry_day > 0) {
        day_text(answer->next_expiry_day, day);
        (void)snprintf(expiry, sizeof(expiry), "%s on %s",
                       points_text(cli, answer->next_expiry_points, points), day);
    }
    if (request != NULL)
        add_card(object, request);
    const struct message_table *table = &message_tables[reply->message];
    for (size_t i = 0; i < table->field_count; i++) {
        const char *name = table->fields[i].name;
        json_t *text = json_object_get(fields, name);
        if (strcmp(name, "next_expiry_day") == 0)
            (void)json_object_set_new(object, "next_expiry", json_string(expiry));
        else if (text != NULL && strcmp(name, "next_expiry_points") != 0 && strcmp(name, "last_event") != 0)
            (void)json_object_set(object, name, text);
    }
    json_decref(fields);
    int exit_code = output_pairs(cli, object);
    return exit_code == CLI_OK ? lists_print(cli, reply->message, answer) : exit_code;
}

/* "in balance, then 2 late" */
static json_t *close_text(const struct msg_day_totals_answer *answer)
{
    static const char *const states[] = { "in balance", "not in balance", "open: the till had more to send" };
    char time[TIME_TEXT_SIZE];
    time_text(answer->close_time, false, time);
    return answer->late == 0 ? json_sprintf("%s, %s", time, states[answer->close_state])
                             : json_sprintf("%s, %s, then %llu late", time, states[answer->close_state],
                                            (unsigned long long)answer->late);
}

/* The day of a till, and in one row how it was closed. */
static int day_totals_print(struct cli *cli, const struct reply *reply)
{
    const struct msg_day_totals_answer *answer = reply->body;
    json_t *fields = fields_text(cli, reply->message, answer, false);
    (void)json_object_del(fields, "close_state");
    (void)json_object_del(fields, "close_time");
    (void)json_object_del(fields, "late");
    if (answer->closes > 0)
        (void)json_object_set_new(fields, "closed", close_text(answer));
    int exit_code = output_pairs(cli, fields);
    return exit_code == CLI_OK ? lists_print(cli, reply->message, answer) : exit_code;
}

/* What --receipt-width asked for: lines for the receipt, as they are. */
static void texts_print(struct cli *cli, const struct reply *reply)
{
    const struct message_field *field = field_find(reply->message, "text");
    uint64_t count = 0;
    if (field == NULL || field->kind != FIELD_LIST || field->element != MESSAGE_text_line)
        return;
    const struct msg_text_line *lines = field_list(reply->body, field, &count);
    for (uint64_t i = 0; i < count; i++)
        (void)fprintf(cli->out, "%.*s\n", (int)lines[i].text.size, lines[i].text.data);
}

/* What became of a proposal, and of an approved one what that did. */
static int decided_print(struct cli *cli, const struct reply *reply, const struct request *request)
{
    struct reply approved;
    (void)sentence_print(cli, reply, request);
    if (!approved_read(reply, &approved))
        return CLI_OK;
    int exit_code = reply_print(cli, &approved, NULL);
    reply_done(&approved);
    return exit_code;
}

int reply_print(struct cli *cli, const struct reply *reply, const struct request *request)
{
    if (reply->head.operation == PUNKT_OPERATION_APPROVAL_DECIDE)
        return decided_print(cli, reply, request);

    if (reply->head.operation == PUNKT_OPERATION_CARD_SHOW)
        return card_show_print(cli, reply, request);
    if (reply->head.operation == PUNKT_OPERATION_DAY_TOTALS)
        return day_totals_print(cli, reply);
    if (!sentence_print(cli, reply, request)) {
        int exit_code = output_pairs(cli, fields_text(cli, reply->message, reply->body, false));
        if (exit_code != CLI_OK)
            return exit_code;
    }
    texts_print(cli, reply);
    return lists_print(cli, reply->message, reply->body);
}

/* Points that the outbox says were redeemed without the server. */
static int64_t redeemed_offline(struct cli *cli, const struct punkt_answer *head)
{
    struct punkt_outbox_entry entry = { .size = sizeof(entry) };
    for (uint64_t i = 0; punkt_outbox_entry(cli->punkt, i, &entry); i++) {
        if (entry.epoch == head->epoch && entry.number == head->number)
            return entry.offline_points;
    }
    return 0;
}

int64_t points_worth(const struct cli *cli, int64_t points)
{
    int64_t worth = 0;
    if (cli->info.redeem_points > 0 && !__builtin_mul_overflow(points, cli->info.redeem_worth, &worth))
        worth /= cli->info.redeem_points;
    return worth;
}

/* What has happened will be booked. What it redeems, if the programme lets it, the customer has got. */
static int print_queued(struct cli *cli, const struct punkt_answer *head)
{
    char epoch[24], points[POINTS_TEXT_SIZE], worth[POINTS_TEXT_SIZE];
    punkt_server_info(cli->punkt, &cli->info);
    int64_t redeemed = redeemed_offline(cli, head), paid = points_worth(cli, redeemed);
    (void)snprintf(epoch, sizeof(epoch), "%016" PRIx64, head->epoch);
    if (cli->json) {
        json_t *object =
            json_pack("{s:b,s:s,s:I}", "queued", 1, "epoch", epoch, "number", (json_int_t)head->number);
        if (redeemed > 0) {
            (void)json_object_set_new(object, "redeemed", json_integer(redeemed));
            (void)json_object_set_new(object, "paid", json_integer(paid));
        }
        return output_object(cli, cli->out, object) == CLI_OK ? CLI_QUEUED : CLI_FAILED;
    }
    (void)fprintf(cli->out, "Queued as %s:%" PRIu64 ": it will be booked when the daemon is there.\n", epoch,
                  head->number);
    decimal_text(paid, cli->info.currency_exponent, worth);
    if (redeemed > 0)
        (void)fprintf(cli->out, "%s points redeemed offline, worth %s.\n", points_text(cli, redeemed, points),
                      worth);
    return CLI_QUEUED;
}

/* Stored, but not answered. What counts only once it is done is undone again, for nobody waits for it when this process
 * ends (DESIGN.md, The client). */
static int finish_queued(struct cli *cli, const struct punkt_answer *head)
{
    enum operation operation = (enum operation)head->operation;
    if (!AMONG(operation, on_done_only))
        return print_queued(cli, head);
    struct punkt_reversal_answer undone = PUNKT_ANSWER_INIT(undone);
    (void)punkt_cancel(cli->punkt, head->epoch, head->number, 0, &undone);
    return cli_error(cli, CLI_UNREACHABLE, "no_answer", "no answer came: it is undone, and does not count");
}

int reply_finish(struct cli *cli, const struct reply *reply, const struct request *request)
{
    if (reply->head.call == PUNKT_CALL_QUEUED)
        return finish_queued(cli, &reply->head);
    int exit_code = cli_check(cli, &reply->head);
    if (exit_code != CLI_OK)
        return exit_code;
    return cli->json ? output_object(cli, cli->out, reply_json(reply, request))
                     : reply_print(cli, reply, request);
}
