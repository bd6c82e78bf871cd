/*
 * The mock without sockets: every command of its scripts and every mistake in one, messages from JSON, telling values.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/mock_json.h"
#include "cli/mock_script.h"
#include "cli/parse.h"
#include "messages.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define LISTS_SIZE (1024 * 1024)

/* --- scripts --- */

static struct mock_line read_good(const char *text)
{
    struct mock_line line;
    char why[MOCK_WHY_SIZE] = "";
    size_t column = 0;
    if (!mock_line_read(text, &line, why, &column))
        fail_msg("%s: %zu: %s", text, column, why);
    return line;
}

static void test_rules(void **state)
{
    static const struct {
        const char *text;
        enum mock_verb verb;
        enum operation operation;
        uint64_t number, times;
        size_t conditions;
    } rows[] = {
        { "", MOCK_NOTHING, 0, 0, 0, 0 },
        { "  # refuse purchase busy", MOCK_NOTHING, 0, 0, 0, 0 },
        { "refuse purchase card_blocked", MOCK_REFUSE, OPERATION_PURCHASE, 0, 1, 0 },
        { "refuse hello version always", MOCK_REFUSE, OPERATION_HELLO, 0, MOCK_ALWAYS, 0 },
        { "refuse any busy times 3 # for a while", MOCK_REFUSE, 0, 0, 3, 0 },
        { "delay purchase 500ms", MOCK_DELAY, OPERATION_PURCHASE, 500, 1, 0 },
        { "delay redeem 2s times 7", MOCK_DELAY, OPERATION_REDEEM, 2000, 7, 0 },
        { "drop purchase before commit", MOCK_DROP_BEFORE, OPERATION_PURCHASE, 0, 1, 0 },
        { "\tdrop return after commit always\r\n", MOCK_DROP_AFTER, OPERATION_RETURN, 0, MOCK_ALWAYS, 0 },
        { "duplicate hold", MOCK_DUPLICATE, OPERATION_HOLD, 0, 1, 0 },
        { "split any 1 always", MOCK_SPLIT, 0, 1, MOCK_ALWAYS, 0 },
        { "garble card_show", MOCK_GARBLE, OPERATION_CARD_SHOW, 0, 1, 0 },
        { "refuse purchase busy card=29 amount=10500 till=2 store=1 times 2", MOCK_REFUSE, OPERATION_PURCHASE,
          0, 2, 4 },
        { "reorder 3", MOCK_REORDER, 0, 3, 0, 0 },
        { "term 5", MOCK_TERM, 0, 5, 0, 0 },
        { "lose 2", MOCK_LOSE, 0, 2, 0, 0 },
        { "go silent", MOCK_GO_SILENT, 0, 0, 0, 0 },
        { "go on", MOCK_GO_ON, 0, 0, 0, 0 },
        { "stop listening", MOCK_STOP_LISTENING, 0, 0, 0, 0 },
        { "listen again", MOCK_LISTEN_AGAIN, 0, 0, 0, 0 },
        { "close connections", MOCK_CLOSE_CONNECTIONS, 0, 0, 0, 0 },
        { "forget rules", MOCK_FORGET_RULES, 0, 0, 0, 0 },
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct mock_line line = read_good(rows[i].text);
        if (line.verb != rows[i].verb || line.operation != rows[i].operation ||
            line.number != rows[i].number || line.times != rows[i].times ||
            line.condition_count != rows[i].conditions)
            fail_msg("%s: verb %d, operation %d, number %llu, times %llu", rows[i].text, (int)line.verb,
                     (int)line.operation, (unsigned long long)line.number, (unsigned long long)line.times);
        mock_line_done(&line);
    }
}

static void test_answer(void **state)
{
    (void)state;
    struct mock_line line =
        read_good("answer purchase {\"earned\": 7, \"tier\": \"gold\"} card=29 times 2 # so many");
    assert_int_equal(line.verb, MOCK_ANSWER);
    assert_int_equal(line.times, 2);
    assert_int_equal(line.condition_count, 1);
    assert_string_equal(line.conditions[0].field, "card");
    assert_string_equal(line.conditions[0].value, "29");
    assert_int_equal(json_integer_value(json_object_get(line.json, "earned")), 7);
    mock_line_done(&line);
    assert_null(line.json);
}

static void test_card(void **state)
{
    (void)state;
    struct mock_line line = read_good("card 2900 balance -5 status blocked tier gold expiry 2026-12-31 40");
    assert_int_equal(line.verb, MOCK_CARD);
    assert_int_equal(line.card.number.size, 4);
    assert_true(line.card.has_balance && line.card.has_status && line.card.has_tier && line.card.has_expiry);
    assert_int_equal(line.card.balance, -5);
    assert_int_equal(line.card.status, 2);
    assert_int_equal(line.card.expiry_day, 20818);
    assert_int_equal(line.card.expiry_points, 40);
    mock_line_done(&line);
    line = read_good("card 2900");
    assert_false(line.card.has_balance || line.card.has_status || line.card.has_tier || line.card.has_expiry);
    mock_line_done(&line);
    line = read_good("card 2900 status unknown");
    assert_true(line.card.has_status);
    assert_int_equal(line.card.status, 0);
    mock_line_done(&line);
}

static void test_mistakes(void **state)
{
    static const struct {
        const char *text;
        size_t column;
        const char *why; /* a part of it */
    } rows[] = {
        { "explode", 1, "there is no command \"explode\"" },
        { "  refuse", 9, "an operation is missing" },
        { "refuse sale busy", 8, "there is no operation \"sale\"" },
        { "refuse purchase", 16, "a result is missing" },
        { "refuse purchase broken", 17, "there is no result \"broken\"" },
        { "refuse purchase busy twice", 22, "what is \"twice\"" },
        { "refuse purchase busy times", 27, "how many times is missing" },
        { "refuse purchase busy times 0", 28, "from 1 to" },
        { "refuse purchase busy times x", 28, "from 1 to" },
        { "refuse purchase busy always times 2", 29, "the command ends before \"times\"" },
        { "refuse purchase busy colour=red", 22, "purchase_request has no field \"colour\"" },
        { "refuse purchase busy lines=1", 22, "has no field \"lines\"" },
        { "refuse any busy card=29", 17, "a field needs an operation" },
        { "refuse purchase busy card=1 till=1 store=1 amount=1 time=1", 53, "at most 4 fields" },
        { "answer purchase", 16, "an object is missing" },
        { "answer purchase 7", 17, "an object is missing" },
        { "answer any {}", 12, "`answer` needs one operation" },
        { "answer purchase {\"earned\": }", 28, "unexpected token" },
        { "answer purchase {\"earned\": \"much\"}", 17, "\"earned\" cannot be that" },
        { "answer purchase {\"gain\": 1}", 17, "purchase_answer has no field \"gain\"" },
        { "answer purchase {\"earned\": 1}x", 17, "a blank is missing" },
        { "delay purchase", 15, "a time is missing" },
        { "delay purchase 5", 16, "a time is a number with ms or s" },
        { "delay purchase 5min", 16, "a time is a number with ms or s" },
        { "delay purchase 0s", 16, "a time is a number with ms or s" },
        { "delay purchase 3601s", 16, "an hour at most" },
        { "drop purchase", 14, "before or after is missing" },
        { "drop purchase now", 15, "`before commit` or `after commit`" },
        { "drop purchase before", 21, "commit is missing" },
        { "drop purchase before noon", 22, "the word is `commit`" },
        { "drop return after commit receipt", 26, "what is \"receipt\"" },
        { "split purchase 0", 16, "from 1 to" },
        { "reorder 1", 9, "from 2 to 64" },
        { "reorder 65", 9, "from 2 to 64" },
        { "reorder 3 always", 11, "the command ends before \"always\"" },
        { "card", 5, "the number of the card is missing" },
        { "card 123456789012345678901234567890123", 6, "at most 32 bytes" },
        { "card 29 balance", 16, "a number of points is missing" },
        { "card 29 balance much", 17, "that is no number of points" },
        { "card 29 status gone", 16, "a status is active, blocked" },
        { "card 29 tier", 13, "the tier is missing" },
        { "card 29 expiry tomorrow", 16, "a day is YYYY-MM-DD" },
        { "card 29 expiry 2026-12-31", 26, "a number of points is missing" },
        { "card 29 colour red", 9, "what is \"colour\"" },
        { "term 0", 6, "from 1 to" },
        { "lose", 5, "how many is missing" },
        { "go", 3, "silent is missing" },
        { "go away", 4, "`go` is followed by `silent`" },
        { "stop now", 6, "`stop` is followed by `listening`" },
        { "forget rules now", 14, "the command ends before \"now\"" },
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct mock_line line;
        char why[MOCK_WHY_SIZE] = "";
        size_t column = 0;
        if (mock_line_read(rows[i].text, &line, why, &column))
            fail_msg("%s: is taken", rows[i].text);
        if (column != rows[i].column || strstr(why, rows[i].why) == NULL)
            fail_msg("%s: %zu: %s", rows[i].text, column, why);
        mock_line_done(&line);
    }
}

static void test_long_word(void **state)
{
    char text[400] = "refuse ";
    struct mock_line line;
    char why[MOCK_WHY_SIZE];
    size_t column = 0;
    (void)state;
    memset(text + 7, 'x', 300);
    assert_false(mock_line_read(text, &line, why, &column));
    assert_int_equal(column, 8);
    assert_non_null(strstr(why, "at most 127 bytes"));
    mock_line_done(&line);
}

static void test_fits(void **state)
{
    static const struct {
        const char *rule;
        bool fits;
    } rows[] = {
        { "refuse purchase busy", true },
        { "refuse any busy", true },
        { "refuse return busy", false },
        { "refuse purchase busy card=29", true },
        { "refuse purchase busy card=28", false },
        { "refuse purchase busy amount=10500", true },
        { "refuse purchase busy amount=1050", false },
        { "refuse purchase busy card=29 till=3", false },
        { "refuse purchase busy business_date=2026-11-22", true },
        { "refuse purchase busy receipt=null", true },
    };
    struct msg_purchase_request purchase;
    (void)state;
    message_init(MESSAGE_purchase_request, &purchase);
    (void)wire_code_from("29", 2, &purchase.card);
    (void)wire_code_from("2", 1, &purchase.till);
    purchase.amount = 10500;
    purchase.business_date = 20779;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct mock_line line = read_good(rows[i].rule);
        if (mock_line_fits(&line, operation_row(OPERATION_PURCHASE), &purchase) != rows[i].fits)
            fail_msg("%s", rows[i].rule);
        line.times = 0;
        assert_false(mock_line_fits(&line, operation_row(OPERATION_PURCHASE), &purchase));
        mock_line_done(&line);
    }
}

/* --- JSON --- */

static enum message message_of(const char *name)
{
    for (int message = 0; message < MESSAGE_COUNT; message++) {
        if (strcmp(message_tables[message].name, name) == 0)
            return (enum message)message;
    }
    fail_msg("there is no message %s", name);
    return (enum message)0;
}

/* The fields of a vector, encoded, are the end of its frame. */
static void check_vector(const json_t *row, uint8_t *lists, uint8_t *bytes)
{
    union mock_message in;
    struct message_memory memory = { lists, LISTS_SIZE };
    char why[MOCK_WHY_SIZE];
    const char *name = json_string_value(json_object_get(row, "name"));
    const char *frame = json_string_value(json_object_get(row, "frame"));
    enum message message = message_of(json_string_value(json_object_get(row, "message")));
    message_init(message, &in);
    if (!mock_json_read(message, json_object_get(row, "fields"), &memory, &in, why))
        fail_msg("%s: %s", name, why);
    struct wire_writer writer = wire_writer_over(bytes, FRAME_BODY_MAX);
    message_encode(message, &in, &writer);
    assert_false(writer.failed);
    size_t size = wire_written(&writer);
    assert_true(strlen(frame) >= 2 * size);
    frame += strlen(frame) - 2 * size;
    for (size_t i = 0; i < size; i++) {
        char hex[3];
        (void)snprintf(hex, sizeof(hex), "%02x", bytes[i]);
        if (memcmp(hex, frame + 2 * i, 2) != 0)
            fail_msg("%s: byte %zu of the body is %s", name, i, hex);
    }
}

static void test_vectors(void **state)
{
    char path[512], *line = NULL;
    size_t capacity = 0, count = 0;
    uint8_t *lists = malloc(LISTS_SIZE);
    uint8_t *bytes = malloc(FRAME_BODY_MAX);
    const char *source = getenv("PUNKT_SOURCE");
    (void)state;
    assert_true(source != NULL && lists != NULL && bytes != NULL);
    (void)snprintf(path, sizeof(path), "%s/proto/vectors/valid.jsonl", source);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    while (getline(&line, &capacity, file) > 0) {
        json_t *row = json_loads(line, 0, NULL);
        assert_non_null(row);
        check_vector(row, lists, bytes);
        json_decref(row);
        count++;
    }
    assert_true(count > 100);
    free(line);
    free(lists);
    free(bytes);
    (void)fclose(file);
}

/* What was written is read as the same. */
static void test_round(void **state)
{
    struct random random = random_seeded();
    uint8_t *lists = malloc(LISTS_SIZE);
    uint8_t *more = malloc(LISTS_SIZE);
    char why[MOCK_WHY_SIZE];
    (void)state;
    assert_true(lists != NULL && more != NULL);
    for (int i = 0; i < 20 * MESSAGE_COUNT; i++) {
        enum message message = (enum message)(i % MESSAGE_COUNT);
        struct message_memory memory = { lists, LISTS_SIZE }, again = { more, LISTS_SIZE };
        union mock_message first, second;
        message_random(message, &random, &memory, &first);
        json_t *object = mock_json_write(message, &first);
        message_init(message, &second);
        /* A number without a word is "unknown", which is none; of the words that exist all others are tried. */
        if (mock_json_read(message, object, &again, &second, why)) {
            json_t *same = mock_json_write(message, &second);
            if (!json_equal(object, same))
                fail_msg("%s differs", message_tables[message].name);
            json_decref(same);
        } else if (strstr(why, "cannot be that") == NULL) {
            fail_msg("%s: %s", message_tables[message].name, why);
        }
        json_decref(object);
    }
    free(lists);
    free(more);
}

static void test_readings(void **state)
{
    static const struct {
        const char *message, *text, *field;
        uint64_t wanted; /* of the field; of a wrong one UINT64_MAX */
    } rows[] = {
        { "card_show_answer", "{\"status\": \"blocked\"}", "status", 2 },
        { "card_show_answer", "{\"status\": 3}", "status", 3 },
        { "card_show_answer", "{\"status\": 6}", "status", UINT64_MAX },
        { "card_show_answer", "{\"status\": \"gone\"}", "status", UINT64_MAX },
        { "card_show_answer", "{\"flags\": [\"account_closed\", \"beside_suspense\"]}", "flags", 3 },
        { "card_show_answer", "{\"flags\": [\"late\"]}", "flags", UINT64_MAX },
        { "card_show_answer", "{\"flags\": [7]}", "flags", UINT64_MAX },
        { "card_show_answer", "{\"next_expiry_day\": \"2026-12-31\"}", "next_expiry_day", 20818 },
        { "card_show_answer", "{\"next_expiry_day\": \"soon\"}", "next_expiry_day", UINT64_MAX },
        { "card_show_answer", "{\"next_expiry_day\": null}", "next_expiry_day", 0 },
        { "card_show_answer", "{\"last_purchase\": \"1970-01-01T00:00:01Z\"}", "last_purchase", 1000000 },
        { "card_show_answer", "{\"available\": true}", "available", UINT64_MAX },
        { "card_show_answer", "{\"available\": 1.5}", "available", UINT64_MAX },
        { "card_show_answer", "{\"account\": -1}", "account", UINT64_MAX },
        { "card_show_answer", "{\"account\": \"9007199254740993\"}", "account", UINT64_C(9007199254740993) },
        { "adjust_request", "{\"allow_debt\": true}", "allow_debt", 1 },
        { "adjust_request", "{\"points\": -5}", "points", (uint64_t)-5 },
        { "adjust_request", "{\"points\": 999999999999999}", "points", UINT64_C(999999999999999) },
        { "adjust_request", "{\"points\": -1000000000000000}", "points", UINT64_MAX },
        { "status_request", "{\"epoch\": \"00ff\"}", "epoch", 255 },
        { "status_request", "{\"epoch\": \"xyz\"}", "epoch", UINT64_MAX },
        { "card_show_answer", "{\"tags\": [\"vip\", \"staff\"]}", "tags", 0 },
        { "card_show_answer", "{\"tags\": \"vip\"}", "tags", UINT64_MAX },
        { "card_show_answer", "{\"purses\": [1]}", "purses", UINT64_MAX },
        { "card_show_answer", "{\"tier\": 7}", "tier", UINT64_MAX },
        { "hello_answer", "{\"journal_id\": \"00\"}", "journal_id", UINT64_MAX },
        { "status_answer", "{\"answer\": \"zz\"}", "answer", UINT64_MAX },
    };
    (void)state;
    (void)zone_use("UTC");
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        uint8_t lists[4096] __attribute__((aligned));
        struct message_memory memory = { lists, sizeof(lists) };
        union mock_message in;
        char why[MOCK_WHY_SIZE];
        uint64_t number = 0;
        enum message message = message_of(rows[i].message);
        json_t *object = json_loads(rows[i].text, 0, NULL);
        assert_non_null(object);
        message_init(message, &in);
        bool good = mock_json_read(message, object, &memory, &in, why);
        if (good != (rows[i].wanted != UINT64_MAX) || good != mock_json_fits(message, object, why))
            fail_msg("%s is %s", rows[i].text, good ? "taken" : why);
        for (size_t j = 0; good && j < message_tables[message].field_count; j++) {
            const struct message_field *field = &message_tables[message].fields[j];
            if (strcmp(field->name, rows[i].field) == 0 && field->kind != FIELD_LIST)
                memcpy(&number, (const uint8_t *)&in + field->offset, sizeof(number));
        }
        if (good && number != rows[i].wanted)
            fail_msg("%s is %llu", rows[i].text, (unsigned long long)number);
        json_decref(object);
    }
}

/* --- telling values --- */

static void test_tell(void **state)
{
    uint8_t *lists = malloc(LISTS_SIZE);
    struct message_memory memory = { lists, LISTS_SIZE };
    union mock_message in;
    (void)state;
    mock_json_tell(MESSAGE_purchase_answer, &memory, &in);
    const struct msg_purchase_answer *purchase = &in.purchase_answer;
    assert_int_equal(purchase->position, 101);
    assert_int_equal(purchase->earned, 102);
    assert_int_equal(purchase->paid, 108);
    assert_int_equal(purchase->tier.size, 4);
    assert_memory_equal(purchase->tier.bytes, "tier", 4);
    assert_int_equal(purchase->spent_count, 2);
    assert_int_equal(purchase->spent[0].points, 101);
    assert_int_equal(purchase->spent[0].shortfall, 104);
    assert_int_equal(purchase->spent[1].points, 201);
    assert_memory_equal(purchase->spent[1].voucher.bytes, "voucher", 7);
    mock_json_tell(MESSAGE_card_show_answer, &memory, &in);
    assert_int_equal(in.card_show_answer.status, 5); /* its limit */
    assert_int_equal(in.card_show_answer.available, 103);
    free(lists);
}

/* All of them are within what the wire takes. */
static void test_tell_all(void **state)
{
    uint8_t *lists = malloc(LISTS_SIZE);
    uint8_t *bytes = malloc(FRAME_BODY_MAX);
    (void)state;
    for (int message = 0; message < MESSAGE_COUNT; message++) {
        struct message_memory memory = { lists, LISTS_SIZE };
        struct wire_writer writer = wire_writer_over(bytes, FRAME_BODY_MAX);
        union mock_message in;
        mock_json_tell((enum message)message, &memory, &in);
        message_encode((enum message)message, &in, &writer);
        if (writer.failed)
            fail_msg("%s", message_tables[message].name);
    }
    free(lists);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules),    cmocka_unit_test(test_answer),    cmocka_unit_test(test_card),
        cmocka_unit_test(test_mistakes), cmocka_unit_test(test_long_word), cmocka_unit_test(test_fits),
        cmocka_unit_test(test_vectors),  cmocka_unit_test(test_round),     cmocka_unit_test(test_readings),
        cmocka_unit_test(test_tell),     cmocka_unit_test(test_tell_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
