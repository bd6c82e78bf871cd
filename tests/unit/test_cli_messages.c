/*
 * The commands as rows, and answers as people and programs see them: no server, only messages.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/fields.h"
#include "cli/parse.h"
#include "cli/request.h"
#include "cli/sentences.h"
#include "cli/tables.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static const struct command *const groups[] = {
    cards_commands,  accounts_commands,  book_commands,       redeeming_commands,
    office_commands, reports_commands,   why_commands,        programme_commands,
    upkeep_commands, approvals_commands, identities_commands,
};

/* What the command prints into; close_out gives the text, to be freed. */
static char *printed;
static size_t printed_size;

static struct cli open_out(void)
{
    struct cli cli = { .info = { .currency = "EUR", .currency_exponent = 2, .points_decimals = 1 } };
    cli.out = open_memstream(&printed, &printed_size);
    cli.err = cli.out;
    assert_non_null(cli.out);
    (void)zone_use("UTC");
    return cli;
}

static char *close_out(struct cli *cli)
{
    assert_int_equal(fclose(cli->out), 0);
    return printed;
}

static void expect_printed(struct cli *cli, const char *wanted)
{
    char *text = close_out(cli);
    assert_string_equal(text, wanted);
    free(text);
}

/* --- rows --- */

static void check_words(const struct command *row, enum message message)
{
    for (size_t i = 0; i < COMMAND_WORDS_MAX && row->words[i] != NULL; i++) {
        const char *word = row->words[i];
        bool known = strcmp(word, WORD_OWN) == 0 || strcmp(word, WORD_ORIGINAL) == 0;
        if (!known && field_find(message, word) == NULL)
            fail_msg("%s: its request has no field %s", row->name, word);
    }
}

/* Where an option goes, its request has a field for it; of a return, either kind of request. */
static void check_options(const struct command *row, enum message message)
{
    for (const option_byte *at = row->options; *at != OPTION_NONE; at++) {
        bool found = option_rows[*at].fields[0] == '\0';
        const struct message_table *tables[] = { &message_tables[message],
                                                 &message_tables[MESSAGE_unlinked_return_request] };
        for (size_t i = 0; i < (row->operation == PUNKT_OPERATION_RETURN ? COUNT_OF(tables) : 1U); i++) {
            for (size_t j = 0; j < tables[i]->field_count; j++)
                found = found || option_has_field((enum option_id) * at, tables[i]->fields[j].name);
        }
        if (!found)
            fail_msg("%s: its request has no field for --%s", row->name, option_rows[*at].name);
    }
    for (const option_byte *at = row->needs; *at != OPTION_NONE; at++)
        assert_true(options_have(row->options, (enum option_id) * at));
}

/* Every row fits its message, and every operation has a command. */
static void test_rows(void **state)
{
    bool has_command[OPERATION_FLAG_RESOLVE + 1] = { false };
    (void)state;
    has_command[OPERATION_RETURN_PREVIEW] = true;  /* return --preview */
    has_command[OPERATION_UNLINKED_RETURN] = true; /* return --unlinked */
    has_command[OPERATION_DAY_CLOSE] = true;       /* of a till that knows what it sent: it has an outbox */
    has_command[OPERATION_DAY_NUMBERS] = true;     /* the same */
    for (size_t i = 0; i < COUNT_OF(groups); i++) {
        for (const struct command *row = groups[i]; row->name != NULL; row++) {
            assert_non_null(row->examples[0]);
            if (row->operation == PUNKT_OPERATION_NONE)
                continue;
            const struct operation_row *operation = operation_row((uint16_t)row->operation);
            has_command[row->operation] = true;
            if (row->change != (operation->kind == OPERATION_KIND_CHANGE))
                fail_msg("%s: whether it takes --retry", row->name);
            check_words(row, operation->request);
            check_options(row, operation->request);
        }
    }
    for (uint16_t code = 0; code <= OPERATION_FLAG_RESOLVE; code++) {
        const struct operation_row *operation = operation_row(code);
        if (operation != NULL && operation->kind != OPERATION_KIND_SESSION && !has_command[code])
            fail_msg("no command for %s", operation->name);
    }
}

/* --- fields --- */

static void test_senses(void **state)
{
    static const struct {
        enum message message;
        const char *field;
        enum sense sense;
    } rows[] = {
        { MESSAGE_purchase_answer, "earned", SENSE_POINTS },
        { MESSAGE_purchase_answer, "paid", SENSE_AMOUNT },
        { MESSAGE_purchase_answer, "flags", SENSE_FLAGS },
        { MESSAGE_purchase_answer, "position", SENSE_COUNT },
        { MESSAGE_purchase_answer, "spent", SENSE_LIST },
        { MESSAGE_purchase_request, "time", SENSE_TIME },
        { MESSAGE_purchase_request, "business_date", SENSE_DAY },
        { MESSAGE_line, "quantity", SENSE_THOUSANDTHS },
        { MESSAGE_redeem_request, "quantity", SENSE_COUNT },
        { MESSAGE_redeem_answer, "stamps", SENSE_THOUSANDTHS },
        { MESSAGE_redeem_answer, "voucher", SENSE_TEXT },
        { MESSAGE_hold_request, "seconds", SENSE_DURATION },
        { MESSAGE_purse, "count", SENSE_THOUSANDTHS },
        { MESSAGE_card_issue_answer, "count", SENSE_COUNT },
        { MESSAGE_card_show_answer, "status", SENSE_WORD },
        { MESSAGE_report_row, "earned", SENSE_POINTS },
        { MESSAGE_report_row, "spend", SENSE_AMOUNT },
        { MESSAGE_report_row, "worth", SENSE_AMOUNT },
        { MESSAGE_report_row, "purchases", SENSE_COUNT },
        { MESSAGE_day_totals_answer, "purchase_amount", SENSE_AMOUNT },
        { MESSAGE_day_totals_answer, "hash", SENSE_EPOCH },
        { MESSAGE_day_totals_answer, "close_state", SENSE_WORD },
        { MESSAGE_day_totals_answer, "close_time", SENSE_TIME },
        { MESSAGE_day_close_answer, "state", SENSE_WORD },
        { MESSAGE_day_close_answer, "return_amount_sent", SENSE_AMOUNT },
        { MESSAGE_day_close_answer, "late", SENSE_COUNT },
        { MESSAGE_day_close_answer, "head", SENSE_TEXT },
        { MESSAGE_totals_answer, "outstanding", SENSE_POINTS },
        { MESSAGE_programme_rehearse_answer, "old_points", SENSE_POINTS },
        { MESSAGE_programme_rehearse_answer, "receipts", SENSE_COUNT },
        { MESSAGE_rehearsed_rule, "old_points", SENSE_RATED },
        { MESSAGE_part, "input", SENSE_RATED },
        { MESSAGE_move, "last_day", SENSE_DAY },
        { MESSAGE_programme_entry, "current", SENSE_YES },
        { MESSAGE_identity_entry, "status", SENSE_WORD },
        { MESSAGE_identity_entry, "key_ends", SENSE_TIME },
        { MESSAGE_identity_entry, "key", SENSE_TEXT },
        { MESSAGE_identity_entry, "key_version", SENSE_COUNT },
        { MESSAGE_identity_change_answer, "role", SENSE_WORD },
        { MESSAGE_proposal_entry, "operation", SENSE_WORD },
        { MESSAGE_proposal_entry, "points", SENSE_POINTS },
        { MESSAGE_proposal_entry, "amount", SENSE_AMOUNT },
        { MESSAGE_flag_entry, "kinds", SENSE_FLAGS },
        { MESSAGE_flag_entry, "flag", SENSE_COUNT },
        { MESSAGE_audit_entry, "points", SENSE_POINTS },
        { MESSAGE_audit_verify_answer, "head", SENSE_WORD },
        { MESSAGE_audit_log_request, "since", SENSE_TIME },
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct message_field *field = field_find(rows[i].message, rows[i].field);
        assert_non_null(field);
        if (field_sense(rows[i].message, field) != rows[i].sense)
            fail_msg("%s.%s", message_tables[rows[i].message].name, rows[i].field);
    }
}

static void expect_json(json_t *value, const char *wanted)
{
    char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    assert_string_equal(text, wanted);
    free(text);
    json_decref(value);
}

/* Times and days as texts, numbers as integers, bits and states as words; null where nothing is said. */
static void test_json(void **state)
{
    struct msg_hold_entry hold = { .hold = 4711, .points = 55, .deadline = 1767225600000000 };
    struct msg_lot_entry lot = { .number = 3, .points = 105, .earned = 20454, .matures = 20454 };
    struct msg_part part = { .kind = 2, .name = { 4, "cups" }, .input = 2500, .exact = 7500, .result = 7000 };
    struct msg_tag tags[] = { { .tag = { 5, "staff" } }, { .tag = { 4, "club" } } };
    struct msg_account_tag_answer tagged = { .position = 7, .tags = tags, .tags_count = 2 };
    struct msg_lane_range range = { .epoch = UINT64_C(0xFEDCBA9876543210), .first = 1, .last = 2 };
    struct msg_programme_entry entry = { .version = 2, .current = 1, .name = { "Fresh", 5 } };
    (void)state;
    expect_json(message_json(MESSAGE_hold_entry, &hold),
                "{\"hold\":4711,\"points\":55,\"deadline\":\"2026-01-01T00:00:00Z\",\"reward\":null}");
    expect_json(
        message_json(MESSAGE_lot_entry, &lot),
        "{\"number\":3,\"points\":105,\"held\":0,\"earned\":\"2026-01-01\",\"matures\":\"2026-01-01\","
        "\"last_day\":null}");
    expect_json(message_json(MESSAGE_part, &part),
                "{\"kind\":\"item\",\"name\":\"cups\",\"input\":2500,\"exact\":7500,\"result\":7000}");
    expect_json(message_json(MESSAGE_account_tag_answer, &tagged),
                "{\"position\":7,\"tags\":[\"staff\",\"club\"]}");
    expect_json(message_json(MESSAGE_lane_range, &range),
                "{\"epoch\":\"fedcba9876543210\",\"first\":1,\"last\":2}");
    expect_json(message_json(MESSAGE_programme_entry, &entry),
                "{\"version\":2,\"from\":null,\"published\":null,\"current\":true,\"name\":\"Fresh\","
                "\"operator\":null}");
}

/* Who there is, and what somebody should look at. */
static void test_register_json(void **state)
{
    static const uint8_t key[] = { 0x00, 0x9f, 0xff };
    struct msg_identity_entry entry = { .identity = 5,
                                        .role = ROLE_TILL,
                                        .status = 3,
                                        .proof = 1,
                                        .store = { 2, "12" },
                                        .till = { 1, "3" },
                                        .added = 1767225600000000,
                                        .key = { (const char *)key, sizeof(key) } };
    struct msg_flag_entry flag = { .flag = 9, .kinds = 0x401, .event = { 8, "purchase" }, .identity = 5 };
    (void)state;
    expect_json(message_json(MESSAGE_identity_entry, &entry),
                "{\"identity\":5,\"role\":\"till\",\"status\":\"suspended\",\"proof\":\"psk\",\"name\":null,"
                "\"store\":\"12\",\"till\":\"3\",\"added\":\"2026-01-01T00:00:00Z\",\"enrolled\":null,"
                "\"key_ends\":null,\"key\":\"009fff\",\"key_version\":0,\"code_ends\":null,"
                "\"connections\":0}");
    expect_json(
        message_json(MESSAGE_flag_entry, &flag),
        "{\"flag\":9,\"time\":null,\"kinds\":[\"card_hour\",\"blocked_limit\"],\"event\":\"purchase\","
        "\"identity\":5,\"actor\":null,\"account\":0,\"store\":null,\"till\":null,\"operator\":null,"
        "\"points\":0,\"amount\":0}");
}

/* The answer of what was approved is that of the request that was proposed. */
static void test_decided(void **state)
{
    struct msg_adjust_answer adjust = { .position = 12, .points = 500, .available = 1105 };
    uint8_t bytes[64];
    struct wire_writer writer = wire_writer_over(bytes, sizeof(bytes));
    message_encode(MESSAGE_adjust_answer, &adjust, &writer);
    struct msg_approval_decide_answer decided = { .position = 12,
                                                  .operation = OPERATION_ADJUST,
                                                  .answer = { (const char *)bytes, wire_written(&writer) } };
    struct reply reply = { .head = { .operation = PUNKT_OPERATION_APPROVAL_DECIDE },
                           .message = MESSAGE_approval_decide_answer,
                           .body = &decided };
    struct cli cli = open_out();
    (void)state;
    expect_json(reply_json(&reply, NULL),
                "{\"result\":\"done\",\"replayed\":false,\"position\":12,\"operation\":\"adjust\",\"answer\":"
                "{\"result\":\"done\",\"replayed\":false,\"points\":500,\"available\":1105}}");
    assert_int_equal(reply_print(&cli, &reply, NULL), CLI_OK);
    expect_printed(&cli, "Approved and booked: adjust.\n"
                         "The balance changed by 50.0 points. 110.5 can be spent.\n");
    decided.answer = (struct message_text){ "", 0 };
    expect_json(reply_json(&reply, NULL),
                "{\"result\":\"done\",\"replayed\":false,\"position\":12,\"operation\":\"adjust\","
                "\"answer\":null}");
    cli = open_out();
    assert_int_equal(reply_print(&cli, &reply, NULL), CLI_OK);
    expect_printed(&cli, "Rejected, nothing is booked: adjust.\n");
}

/* The objects of the first hour stay word for word; what is new is added where it says something. */
static void test_grown_json(void **state)
{
    struct msg_purchase_answer purchase = { .position = 9, .earned = 105, .available = 105 };
    struct msg_redeem_answer redeem = { .redeemed = 40, .available = 60, .worth = 40 };
    struct msg_statement_entry entry = { .position = 12, .kind = PUNKT_EVENT_ADJUSTMENT, .points = -10 };
    struct reply reply = { .head = { .operation = PUNKT_OPERATION_PURCHASE },
                           .message = MESSAGE_purchase_answer,
                           .body = &purchase };
    (void)state;
    expect_json(reply_json(&reply, NULL),
                "{\"result\":\"done\",\"replayed\":false,\"earned\":105,\"available\":105,\"pending\":0,"
                "\"debt\":0}");
    purchase.redeemed = 5;
    purchase.flags = 5;
    reply.head.replayed = true;
    expect_json(reply_json(&reply, NULL),
                "{\"result\":\"done\",\"replayed\":true,\"earned\":105,\"available\":105,\"pending\":0,"
                "\"debt\":0,\"flags\":[\"server_time\",\"fell_short\"],\"redeemed\":5}");
    struct msg_text_line text[] = { { .text = { "Thanks", 6 } }, { .text = { "", 0 } } };
    purchase = (struct msg_purchase_answer){ .earned = 1, .text = text, .text_count = 2 };
    expect_json(reply_json(&reply, NULL),
                "{\"result\":\"done\",\"replayed\":true,\"earned\":1,\"available\":0,"
                "\"pending\":0,\"debt\":0,\"text\":[\"Thanks\",\"\"]}");
    reply = (struct reply){ .head = { .operation = PUNKT_OPERATION_REDEEM },
                            .message = MESSAGE_redeem_answer,
                            .body = &redeem };
    expect_json(reply_json(&reply, NULL),
                "{\"result\":\"done\",\"replayed\":false,\"redeemed\":40,\"available\":60}");
    redeem.reward = (struct wire_code){ 6, "cinema" };
    expect_json(reply_json(&reply, NULL),
                "{\"result\":\"done\",\"replayed\":false,\"redeemed\":40,\"available\":60,\"worth\":40,"
                "\"reward\":\"cinema\"}");
    expect_json(statement_entry_json(&entry),
                "{\"time\":null,\"kind\":\"adjustment\",\"points\":-10,\"balance\":0,\"store\":null,"
                "\"till\":null,\"receipt\":null,\"reason\":null,\"position\":12}");
}

static void expect_text(const struct cli *cli, enum message message, const void *in, const char *field,
                        const char *wanted)
{
    json_t *text = field_text(cli, message, in, field_find(message, field));
    assert_string_equal(json_string_value(text), wanted);
    json_decref(text);
}

static void test_texts(void **state)
{
    struct msg_part parts[] = {
        { .kind = PUNKT_PART_SPEND, .input = 10500, .exact = 105000 },
        { .kind = PUNKT_PART_ITEM, .input = 2500 },
        { .kind = PUNKT_PART_VISIT, .input = 1 },
        { .kind = PUNKT_PART_TIER, .input = 105500 },
        { .kind = PUNKT_PART_ADD, .input = 1 },
        { .kind = PUNKT_PART_ADD, .input = 3000 },
    };
    static const char *const inputs[] = { "105.00", "2.5", "1", "105.5", "1", "3" };
    struct msg_rehearsed_rule stamps = { .kind = PUNKT_PART_STAMP, .old_points = 4000, .new_points = 25 };
    struct msg_spent spent = { .points = 105, .worth = 10500, .stamps = 2500 };
    struct cli cli = open_out();
    (void)state;
    for (size_t i = 0; i < COUNT_OF(parts); i++)
        expect_text(&cli, MESSAGE_part, &parts[i], "input", inputs[i]);
    expect_text(&cli, MESSAGE_part, &parts[0], "exact", "105");
    expect_text(&cli, MESSAGE_rehearsed_rule, &stamps, "old_points", "4");
    stamps.kind = PUNKT_PART_SPEND;
    expect_text(&cli, MESSAGE_rehearsed_rule, &stamps, "new_points", "2.5");
    expect_text(&cli, MESSAGE_spent, &spent, "points", "10.5");
    expect_text(&cli, MESSAGE_spent, &spent, "worth", "105.00");
    expect_text(&cli, MESSAGE_spent, &spent, "stamps", "2.5");
    expect_text(&cli, MESSAGE_spent, &spent, "voucher", "");
    expect_printed(&cli, "");
}

/* --- sentences --- */

/* What a sentence says of an answer. */
static void expect_sentence(enum operation operation, const void *body, bool replayed, const char *wanted)
{
    struct cli cli = open_out();
    union {
        const void *given;
        void *body;
    } borrowed = { .given = body }; /* nobody writes to it */
    struct reply reply = { .head = { .operation = (uint32_t)operation, .replayed = replayed },
                           .message = operation_row((uint16_t)operation)->answer,
                           .body = borrowed.body };
    assert_true(sentence_print(&cli, &reply, NULL));
    expect_printed(&cli, wanted);
}

static void test_sentences(void **state)
{
    struct msg_purchase_answer purchase = { .earned = 105, .available = 1105 };
    struct msg_return_answer returned = { .taken = 50, .given_back = 20, .available = 10, .debt = 30 };
    struct msg_redeem_answer redeem = { .stamps = 10000, .reward = { 6, "coffee" }, .available = 70 };
    struct msg_hold_answer hold = {
        .position = 4711, .held = 400, .worth = 40, .deadline = 1767225600000000
    };
    struct msg_reversal_answer reversal = { .outcome = 1, .taken = 50, .available = 10 };
    struct msg_account_tag_answer tags = { .position = 1 };
    struct msg_offer_activate_answer offer = { .active = 0 };
    (void)state;
    expect_sentence(OPERATION_PURCHASE, &purchase, false, "10.5 points earned. 110.5 can be spent.\n");
    expect_sentence(OPERATION_PURCHASE, &purchase, true,
                    "Booked before: 10.5 points earned. 110.5 can be spent.\n");
    purchase.redeemed = 50;
    purchase.paid = 50;
    purchase.pending = 105;
    purchase.flags = 2;
    expect_sentence(OPERATION_PURCHASE, &purchase, false,
                    "10.5 points earned, 5.0 spent, 0.50 EUR paid with points. 110.5 can be spent, 10.5 are "
                    "pending. It waits in suspense until the card may earn.\n");
    expect_sentence(OPERATION_RETURN, &returned, false,
                    "5.0 points taken, 2.0 given back. 1.0 can be spent, 3.0 are owed.\n");
    expect_sentence(OPERATION_REDEEM, &redeem, false,
                    "0.0 points and 10 stamps spent for coffee. 7.0 can be spent.\n");
    expect_sentence(OPERATION_HOLD, &hold, false,
                    "Hold 4711: 40.0 points set aside, worth 0.40 EUR, until 2026-01-01 00:00:00. 0.0 can be "
                    "spent.\n");
    expect_sentence(OPERATION_REVERSAL, &reversal, false,
                    "Reversed: 5.0 points taken, 0.0 given back. 1.0 can be spent, 0.0 are owed.\n");
    reversal.outcome = 3;
    expect_sentence(OPERATION_REVERSAL, &reversal, false,
                    "It was never seen. If it comes yet, it will be refused.\n");
    expect_sentence(OPERATION_ACCOUNT_TAG, &tags, false, "The account has no tags.\n");
    expect_sentence(OPERATION_OFFER_ACTIVATE, &offer, false, "The offer  is not active.\n");
    struct msg_identity_change_answer change = { .identity = 5, .status = 4, .role = ROLE_TILL, .closed = 2 };
    expect_sentence(OPERATION_IDENTITY_CHANGE, &change, false,
                    "Number 5 of the register is revoked. Connections that were closed: 2.\n");
    change = (struct msg_identity_change_answer){ .identity = 6, .status = 2, .role = ROLE_OFFICE };
    expect_sentence(OPERATION_IDENTITY_CHANGE, &change, false,
                    "Number 6 of the register is active as office.\n");
}

/* A message with something in every field, so that nothing of a pattern is left out. */
static void fill_all(enum message message, void *body, void *element)
{
    const struct message_table *table = &message_tables[message];
    for (size_t i = 0; i < table->field_count; i++) {
        const struct message_field *field = &table->fields[i];
        char *at = (char *)body + field->offset;
        uint64_t one = 1;
        if (field->kind == FIELD_UINT || field->kind == FIELD_SINT || field->kind == FIELD_FIXED) {
            memcpy(at, &one, sizeof(one));
        } else if (field->kind == FIELD_LIST) {
            fill_all(field->element, element, NULL); /* elements have no lists of their own */
            memcpy(at, &element, sizeof(element));
            memcpy((char *)body + field->count_offset, &one, sizeof(one));
        } else if (field->kind == FIELD_CARD || field->kind == FIELD_CODE) {
            *(struct wire_code *)(void *)at = (struct wire_code){ 1, "x" };
        } else {
            *(struct message_text *)(void *)at = (struct message_text){ "x", 1 };
        }
    }
}

/* Every value that a pattern names is there: no hole in any sentence. */
static void test_no_holes(void **state)
{
    static _Alignas(max_align_t) char body[4096];
    static _Alignas(max_align_t) char request_body[4096];
    static _Alignas(max_align_t) char element[MESSAGE_ELEMENT_SIZE_MAX];
    (void)state;
    for (uint16_t code = 1; code <= OPERATION_FLAG_RESOLVE; code++) {
        const struct operation_row *row = operation_row(code);
        if (row == NULL || row->kind == OPERATION_KIND_SESSION)
            continue;
        fill_all(row->answer, body, element);
        fill_all(row->request, request_body, element);
        struct request request = { .operation = row->code, .message = row->request, .body = request_body };
        struct reply reply = { .head = { .operation = code }, .message = row->answer, .body = body };
        struct cli cli = open_out();
        bool has = sentence_print(&cli, &reply, &request);
        char *text = close_out(&cli);
        if (has && (strstr(text, "  ") != NULL || strpbrk(text, "{}[]#=") != NULL ||
                    strstr(text, " .") != NULL || strstr(text, " ,") != NULL || text[0] == '\n'))
            fail_msg("%s: %s", row->name, text);
        if (!has && row->kind == OPERATION_KIND_CHANGE)
            fail_msg("no sentence for %s", row->name);
        free(text);
    }
}

/* --- refusals --- */

static void test_refusal_numbers(void **state)
{
    struct cli cli = open_out();
    char text[REFUSAL_NUMBERS_SIZE];
    struct punkt_answer answer = { .call = PUNKT_CALL_REFUSED,
                                   .code = PUNKT_RESULT_BELOW_MINIMUM,
                                   .name = "below_minimum",
                                   .text = "fewer",
                                   .detail = "",
                                   .needed = 2000 };
    (void)state;
    assert_true(refusal_numbers(&cli, &answer, text));
    assert_string_equal(text, "at least 200.0, this comes to 0.0");
    expect_json(refusal_json(&answer, NULL),
                "{\"code\":\"below_minimum\",\"message\":\"fewer\",\"retryable\":false,\"needed\":2000,"
                "\"available\":0}");
    answer.code = PUNKT_RESULT_NOT_ENOUGH_STAMPS;
    answer.needed = 10000;
    answer.available = 2500;
    assert_true(refusal_numbers(&cli, &answer, text));
    assert_string_equal(text, "10 needed, 2.5 available");
    answer.needed = 0;
    answer.available = 0;
    assert_false(refusal_numbers(&cli, &answer, text));
    expect_json(refusal_json(&answer, "ff:1"),
                "{\"code\":\"below_minimum\",\"message\":\"fewer\",\"retryable\":false,\"retry\":\"ff:1\"}");
    expect_printed(&cli, "");
}

/* --- tables --- */

/* Columns that nowhere say anything are left out, but never those that are always there. */
static void test_rows_print(void **state)
{
    struct msg_spent spent[] = { { .points = 105, .worth = 1 },
                                 { .points = 20, .voucher = { 2, "V1" }, .stamps = 500 } };
    struct cli cli = open_out();
    (void)state;
    assert_int_equal(elements_print(&cli, MESSAGE_spent, spent, COUNT_OF(spent)), CLI_OK);
    expect_printed(&cli, "points worth stamps voucher\n"
                         "  10.5  0.01        \n"
                         "   2.0  0.00    0.5 V1\n");
}

static void test_csv(void **state)
{
    struct msg_problem problem = { .line = 3, .column = 1, .text = { "say \"a, b\"", 10 } };
    struct cli cli = open_out();
    (void)state;
    csv_header(cli.out, MESSAGE_problem, NULL);
    assert_int_equal(csv_row(&cli, cli.out, MESSAGE_problem, &problem, NULL), CLI_OK);
    expect_printed(&cli, "line,column,text\n3,1,\"say \"\"a, b\"\"\"\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),       cmocka_unit_test(test_senses),
        cmocka_unit_test(test_json),       cmocka_unit_test(test_register_json),
        cmocka_unit_test(test_decided),    cmocka_unit_test(test_grown_json),
        cmocka_unit_test(test_texts),      cmocka_unit_test(test_sentences),
        cmocka_unit_test(test_no_holes),   cmocka_unit_test(test_refusal_numbers),
        cmocka_unit_test(test_rows_print), cmocka_unit_test(test_csv),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
