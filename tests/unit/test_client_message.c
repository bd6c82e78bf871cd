/*
 * punkt_message, and what becomes of a PIN: the bytes of any operation go out and come back as they are, under the
 * rules of every other call; a PIN is repeated with its request, and gone when that has its final answer.
 */
#include <punkt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "client_server.h"
#include "lib/client.h"

#define PIN "4711-0815"

static struct server server;

static struct punkt *client(const char *address, uint32_t timeout_ms)
{
    struct punkt_options options = { .size = sizeof(options), .server = address, .timeout_ms = timeout_ms };
    struct punkt *punkt;
    assert_int_equal(punkt_new(&options, &punkt), PUNKT_CALL_DONE);
    return punkt;
}

static size_t encoded(enum message message, const void *in, uint8_t *out, size_t capacity)
{
    struct wire_writer writer = wire_writer_over(out, capacity);
    message_encode(message, in, &writer);
    assert_false(writer.failed);
    return wire_written(&writer);
}

static size_t bonus_body(uint8_t out[64])
{
    const struct msg_bonus_request bonus = { .card = { 1, "1" }, .points = 5, .reason = { 1, "b" } };
    return encoded(MESSAGE_bonus_request, &bonus, out, 64);
}

/* --- bytes --- */

static const struct msg_bonus_answer bonus_answer = { .position = 9, .points = 5, .available = 7 };

static void script_bytes(struct server *s)
{
    static struct msg_report_row rows[1000];
    struct msg_report_answer report = { .next = 3, .rows = rows, .rows_count = 1000 };
    uint8_t body[64];
    size_t size = bonus_body(body);
    for (size_t i = 0; i < 1000; i++)
        rows[i] = (struct msg_report_row){
            .opening = INT64_MAX, .earned = -INT64_MAX, .closing = INT64_MAX, .accounts = UINT64_MAX
        };
    server_welcome(s);
    server_expect_number(s, OPERATION_BONUS, 1);
    if (s->frame.body_size != size || memcmp(s->frame.body, body, size) != 0 ||
        s->frame.flags != FRAME_FLAG_HISTORIC)
        server_fail(s, "other bytes");
    server_done(s, OPERATION_BONUS, 1, FRAME_FLAG_REPLAYED, &bonus_answer);
    server_expect_number(s, OPERATION_BONUS, 2);
    server_refuse(s, OPERATION_BONUS, 2, RESULT_BUSY, "once more");
    server_expect_number(s, OPERATION_BONUS, 2);
    server_refuse(s, OPERATION_BONUS, 2, RESULT_UNKNOWN_REASON, "b");
    uint64_t number = server_expect(s, OPERATION_REPORT);
    if ((number & READ_NUMBER) == 0)
        server_fail(s, "a read with a number of the lane");
    server_done(s, OPERATION_REPORT, number, 0, &report);
    server_done(s, OPERATION_PROGRAMME_HISTORY, server_expect(s, OPERATION_PROGRAMME_HISTORY), 0,
                &(struct msg_programme_history_answer){ .versions = NULL });
}

static void ask_for_report(struct punkt *punkt)
{
    static max_align_t space[32 * 1024];
    struct message_memory memory = { .at = (uint8_t *)space, .left = sizeof(space) };
    const struct msg_report_request report = { .report = 2, .limit = 1000 };
    uint8_t body[64];
    struct punkt_message_request request = { .size = sizeof(request),
                                             .operation = PUNKT_OPERATION_REPORT,
                                             .body = body };
    struct punkt_message_answer answer = PUNKT_ANSWER_INIT(answer);
    struct msg_report_answer got;
    const char *field = "";
    request.body_size = encoded(MESSAGE_report_request, &report, body, sizeof(body));
    assert_int_equal(punkt_message(punkt, &request, &answer), PUNKT_CALL_DONE);
    assert_int_equal(answer.head.number, 0);
    assert_true(message_decode(MESSAGE_report_answer, answer.body, answer.body_size, &memory, &got, &field));
    assert_int_equal(got.rows_count, 1000);
    assert_true(got.rows[999].accounts == UINT64_MAX);
}

static void bytes_go_and_come_as_they_are(void **state)
{
    (void)state;
    uint8_t body[64], wanted[64];
    const struct punkt_message_request history = { .size = sizeof(history),
                                                   .operation = PUNKT_OPERATION_PROGRAMME_HISTORY };
    struct punkt_message_request request = { .size = sizeof(request),
                                             .flags = PUNKT_FLAG_HISTORIC,
                                             .operation = PUNKT_OPERATION_BONUS,
                                             .body = body,
                                             .body_size = bonus_body(body) };
    struct punkt_message_answer answer = PUNKT_ANSWER_INIT(answer);
    server_start(&server, NULL, script_bytes);
    struct punkt *punkt = client(server.address, 9000);
    assert_int_equal(punkt_message(punkt, &request, &answer), PUNKT_CALL_DONE);
    assert_int_equal(answer.head.operation, PUNKT_OPERATION_BONUS);
    assert_int_equal(answer.head.number, 1);
    assert_true(answer.head.replayed);
    assert_int_equal(answer.type, FRAME_TYPE_DONE | OPERATION_BONUS);
    assert_int_equal(answer.body_size, encoded(MESSAGE_bonus_answer, &bonus_answer, wanted, sizeof(wanted)));
    assert_memory_equal(answer.body, wanted, answer.body_size);

    assert_int_equal(punkt_message(punkt, &request, &answer), PUNKT_CALL_REFUSED);
    assert_int_equal(answer.head.code, PUNKT_RESULT_UNKNOWN_REASON);
    assert_string_equal(answer.head.detail, "b");
    assert_int_equal(answer.type, FRAME_TYPE_REFUSED | OPERATION_BONUS);
    assert_int_equal(*(const uint8_t *)answer.body, RESULT_UNKNOWN_REASON);
    ask_for_report(punkt);
    assert_int_equal(punkt_message(punkt, &history, &answer), PUNKT_CALL_DONE);
    assert_int_equal(answer.body_size, 0);
    assert_non_null(answer.body);
    punkt_free(punkt);
    server_join(&server);
}

/* --- doubt --- */

static void script_doubt(struct server *s)
{
    uint8_t body[64];
    struct msg_status_answer status = { .state = 1, .type = FRAME_TYPE_DONE | OPERATION_BONUS };
    status.answer.data = (const char *)body;
    status.answer.size = encoded(MESSAGE_bonus_answer, &bonus_answer, body, sizeof(body));
    server_welcome(s);
    server_expect_number(s, OPERATION_BONUS, 1);
    server_close(s); /* and no answer in time: it may have been booked */
    server_welcome(s);
    server_expect_number(s, OPERATION_BONUS, 1);
    server_done(s, OPERATION_BONUS, 1, FRAME_FLAG_REPLAYED, &bonus_answer);
    server_done(s, OPERATION_STATUS, server_expect(s, OPERATION_STATUS), 0, &status);
}

static void a_doubt_is_settled_under_its_number(void **state)
{
    (void)state;
    uint8_t body[64];
    const struct punkt_message_request request = { .size = sizeof(request),
                                                   .timeout_ms = 300,
                                                   .operation = PUNKT_OPERATION_BONUS,
                                                   .body = body,
                                                   .body_size = bonus_body(body) };
    const struct punkt_status_request status = { .size = sizeof(status), .number = 1 };
    struct punkt_message_answer answer = PUNKT_ANSWER_INIT(answer);
    struct punkt_status_answer told = PUNKT_ANSWER_INIT(told);
    server_start(&server, NULL, script_doubt);
    struct punkt *punkt = client(server.address, 9000);
    enum punkt_call call = punkt_message(punkt, &request, &answer);
    if (call == PUNKT_CALL_UNKNOWN) {
        assert_int_equal(answer.head.operation, PUNKT_OPERATION_BONUS);
        assert_int_equal(answer.body_size, 0);
        call = punkt_repeat(punkt, 1, 9000, &answer.head);
    }
    assert_int_equal(call, PUNKT_CALL_DONE); /* the link may be up again in time */
    assert_int_equal(answer.type, FRAME_TYPE_DONE | OPERATION_BONUS);
    assert_true(answer.body_size > 0);
    assert_int_equal(punkt_status(punkt, &status, &told), PUNKT_CALL_DONE);
    assert_non_null(told.first);
    assert_int_equal(told.first->operation, PUNKT_OPERATION_BONUS);
    assert_int_equal(told.first->size, sizeof(struct punkt_message_answer));
    assert_true(((const struct punkt_message_answer *)told.first)->body_size > 0);
    punkt_free(punkt);
    server_join(&server);
}

/* --- what never leaves --- */

static void wrong_messages(void **state)
{
    (void)state;
    static const uint8_t good[] = "\x81\x1F\x05\x01"
                                  "b";
    static const uint8_t trailing[] = "\x81\x1F\x05\x01"
                                      "b"
                                      "\x00";
    static uint8_t large[FRAME_BODY_MAX + 1];
    const struct {
        const char *says;
        struct punkt_message_request request;
    } rows[] = {
        { "operation", { .operation = PUNKT_OPERATION_NONE } },
        { "operation", { .operation = PUNKT_OPERATION_HELLO } },
        { "operation", { .operation = 48 } }, /* reserved */
        { "operation", { .operation = 0x10000 | PUNKT_OPERATION_PING } },
        { "flags", { .operation = PUNKT_OPERATION_PING, .flags = FRAME_FLAG_SECRET } },
        { "pin: the operation takes none", { .operation = PUNKT_OPERATION_PING, .pin = "1" } },
        { "missing", { .operation = PUNKT_OPERATION_BONUS, .body_size = 5 } },
        { "too large", { .operation = PUNKT_OPERATION_PING, .body = large, .body_size = sizeof(large) } },
        { "has: card", { .operation = PUNKT_OPERATION_BONUS } },
        { "has: reason", { .operation = PUNKT_OPERATION_BONUS, .body = good, .body_size = 3 } },
        { "has: note", { .operation = PUNKT_OPERATION_BONUS, .body = trailing, .body_size = 6 } },
        { "has: wishes",
          { .operation = PUNKT_OPERATION_PURCHASE,
            .body = "\x81\x1F\x05\x00\x81\x0F\x81\x0F\x00\x00\x00\x00\x00\x00\x01",
            .body_size = 15 } },
    };
    struct punkt *punkt = client("unix:/nonexistent/socket", 9000);
    struct punkt_message_answer answer = PUNKT_ANSWER_INIT(answer);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct punkt_message_request request = rows[i].request;
        request.size = sizeof(request);
        if (punkt_message(punkt, &request, &answer) != PUNKT_CALL_INVALID ||
            strstr(answer.head.detail, rows[i].says) == NULL)
            fail_msg("row %zu: '%s' instead of '%s'", i, answer.head.detail, rows[i].says);
    }
    assert_int_equal(punkt_unanswered(punkt), 0);
    punkt_free(punkt);
}

/* --- PINs --- */

static bool holds_pin(const struct buffer *buffer)
{
    return buffer->bytes != NULL && memmem(buffer->bytes, buffer->capacity, PIN, strlen(PIN)) != NULL;
}

static bool handle_holds_pin(const struct punkt *punkt)
{
    bool held = holds_pin(&punkt->live.link.out) || holds_pin(&punkt->encoded) || holds_pin(&punkt->arena) ||
                holds_pin(&punkt->lists);
    for (size_t i = 0; i < PUNKT_WINDOW_MAX; i++)
        held |= holds_pin(&punkt->live.slots[i].frame) || holds_pin(&punkt->live.slots[i].answer);
    return held;
}

static void expect_pin(struct server *s, uint64_t number)
{
    char secret[FRAME_SECRET_MAX + 1];
    struct msg_redeem_request redeem = { .points = 0 };
    server_expect_number(s, OPERATION_REDEEM, number);
    server_secret(s, secret);
    server_decode(s, MESSAGE_redeem_request, NULL, &redeem);
    if (strcmp(secret, PIN) != 0 || redeem.points != 40)
        server_fail(s, "the PIN, and the message behind it");
}

static const struct msg_redeem_answer redeemed = { .redeemed = 40 };

static void script_pins(struct server *s)
{
    struct msg_card_pin_answer set = { .pin = 1 };
    char secret[FRAME_SECRET_MAX + 1];
    server_welcome(s);
    expect_pin(s, 1);
    server_refuse(s, OPERATION_REDEEM, 1, RESULT_BUSY, "another PIN is being checked");
    expect_pin(s, 1);
    server_close(s);
    server_welcome(s);
    expect_pin(s, 1);
    server_done(s, OPERATION_REDEEM, 1, 0, &redeemed);
    expect_pin(s, 2);
    server_refuse(s, OPERATION_REDEEM, 2, RESULT_PIN_WRONG, "");
    server_expect_number(s, OPERATION_CARD_PIN, 3);
    server_secret(s, secret);
    if (strcmp(secret, PIN) != 0)
        server_fail(s, "the PIN that is set");
    server_done(s, OPERATION_CARD_PIN, 3, 0, &set);
}

static void set_pin(struct punkt *punkt)
{
    const struct msg_card_pin_request pin = { .card = { 1, "1" } };
    uint8_t body[64];
    const struct punkt_message_request request = { .size = sizeof(request),
                                                   .operation = PUNKT_OPERATION_CARD_PIN,
                                                   .body = body,
                                                   .body_size = encoded(MESSAGE_card_pin_request, &pin, body,
                                                                        sizeof(body)),
                                                   .pin = PIN };
    struct punkt_message_answer answer = PUNKT_ANSWER_INIT(answer);
    assert_int_equal(punkt_message(punkt, &request, &answer), PUNKT_CALL_DONE);
}

static void pins_are_repeated_and_then_gone(void **state)
{
    (void)state;
    const struct punkt_redeem_request request = {
        .size = sizeof(request), .card = "1", .points = 40, .pin = PIN
    };
    struct punkt_redeem_answer answer = PUNKT_ANSWER_INIT(answer);
    server_start(&server, NULL, script_pins);
    struct punkt *punkt = client(server.address, 9000);
    assert_int_equal(punkt_redeem(punkt, &request, &answer), PUNKT_CALL_DONE);
    assert_false(handle_holds_pin(punkt));
    assert_int_equal(punkt_redeem(punkt, &request, &answer), PUNKT_CALL_REFUSED);
    assert_int_equal(answer.head.code, PUNKT_RESULT_PIN_WRONG);
    assert_false(handle_holds_pin(punkt));
    set_pin(punkt);
    assert_false(handle_holds_pin(punkt));
    punkt_free(punkt);
    server_join(&server);
}

static void ignore(struct punkt *punkt, const struct punkt_answer *answer, void *ctx)
{
    (void)punkt;
    *(enum punkt_call *)ctx = answer->call;
}

/* Kept while it may have to be sent, not a moment longer; nor is that of a request that is never sent kept. */
static void pins_of_requests_without_an_answer(void **state)
{
    (void)state;
    enum punkt_call call = PUNKT_CALL_DONE;
    struct punkt_redeem_request request = {
        .size = sizeof(request), .timeout_ms = 1, .card = "1", .points = 40, .pin = PIN
    };
    struct punkt *punkt = client("unix:/nonexistent/socket", 1);
    assert_int_equal(punkt_submit_redeem(punkt, &request, ignore, &call), PUNKT_CALL_DONE);
    assert_true(handle_holds_pin(punkt));
    while (punkt_unanswered(punkt) > 0)
        (void)punkt_drive(punkt, -1);
    assert_int_equal(call, PUNKT_CALL_NOT_SENT);
    assert_false(handle_holds_pin(punkt));
    punkt_free(punkt);
}

static void secret_buffers_leave_nothing(void **state)
{
    (void)state;
    struct buffer buffer = { .bytes = NULL };
    assert_true(buffer_append(&buffer, "public", 6));
    buffer_mark_secret(&buffer);
    assert_true(buffer_append(&buffer, PIN, strlen(PIN)));
    for (int i = 0; i < 1000; i++) /* grows, and is moved */
        assert_true(buffer_append(&buffer, "0123456789", 10));
    assert_memory_equal(buffer_data(&buffer), "public" PIN, 6 + strlen(PIN));
    buffer_consume(&buffer, 6);
    assert_true(holds_pin(&buffer));
    buffer_consume(&buffer, buffer_size(&buffer));
    assert_false(holds_pin(&buffer));
    assert_false(buffer.secret);
    buffer_done(&buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_go_and_come_as_they_are),
        cmocka_unit_test(a_doubt_is_settled_under_its_number),
        cmocka_unit_test(wrong_messages),
        cmocka_unit_test(pins_are_repeated_and_then_gone),
        cmocka_unit_test(pins_of_requests_without_an_answer),
        cmocka_unit_test(secret_buffers_leave_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
