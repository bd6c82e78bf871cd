/*
 * Servers that are not what they should be, or say what they should not; and callbacks, windows and reads beside it.
 */
#include <punkt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "client_server.h"
#include "lib/client.h"

#define SHORT_MS 150
#define PATIENT_MS 9000

static struct server server;

static struct punkt *client(uint32_t timeout_ms, uint32_t window)
{
    struct punkt_options options = {
        .size = sizeof(options), .server = server.address, .timeout_ms = timeout_ms, .window = window
    };
    struct punkt *punkt;
    assert_int_equal(punkt_new(&options, &punkt), PUNKT_CALL_DONE);
    return punkt;
}

static enum punkt_call buy(struct punkt *punkt, uint32_t timeout_ms, struct punkt_purchase_answer *answer)
{
    struct punkt_purchase_request request = {
        .size = sizeof(request), .timeout_ms = timeout_ms, .card = "2900000000018", .amount = 10500
    };
    *answer = (struct punkt_purchase_answer)PUNKT_ANSWER_INIT(*answer);
    return punkt_purchase(punkt, &request, answer);
}

/* --- bytes --- */

static void script_byte_by_byte(struct server *s)
{
    uint8_t bytes[64];
    struct msg_purchase_answer answer = { .position = 7, .earned = 300, .available = 400 };
    server_welcome(s);
    server_expect_number(s, OPERATION_PURCHASE, 1);
    struct wire_writer writer =
        wire_writer_over(bytes + FRAME_HEADER_SIZE, sizeof(bytes) - FRAME_HEADER_SIZE);
    message_encode(MESSAGE_purchase_answer, &answer, &writer);
    frame_put_header(bytes, (uint32_t)wire_written(&writer), FRAME_TYPE_DONE | OPERATION_PURCHASE, 0, 1);
    for (size_t i = 0; i < FRAME_HEADER_SIZE + wire_written(&writer); i++)
        server_send(s, &bytes[i], 1);
    server_expect_close(s);
}

static void byte_by_byte(void **state)
{
    (void)state;
    struct punkt_purchase_answer answer;
    server_start(&server, NULL, script_byte_by_byte);
    struct punkt *punkt = client(PATIENT_MS, 0);
    assert_int_equal(buy(punkt, 0, &answer), PUNKT_CALL_DONE);
    assert_int_equal(answer.earned, 300);
    punkt_free(punkt);
    server_join(&server);
}

/* Each of these ends the connection; the purchase goes on over the next one, under its number. */
static const struct bad_answer {
    const char *what;
    uint32_t body_size;
    uint16_t type;
    uint64_t number;
    uint8_t body[8];
} bad_answers[] = {
    { "larger than any frame", FRAME_BODY_MAX + 1, FRAME_TYPE_DONE | OPERATION_PURCHASE, 1, { 0 } },
    { "neither done nor refused", 0, OPERATION_PURCHASE, 1, { 0 } },
    { "both done and refused", 0, FRAME_TYPE_DONE | FRAME_TYPE_REFUSED | OPERATION_PURCHASE, 1, { 0 } },
    { "another operation", 5, FRAME_TYPE_DONE | OPERATION_REDEEM, 1, { 0 } },
    { "another number", 5, FRAME_TYPE_DONE | OPERATION_PURCHASE, 2, { 0 } },
    { "a read that was never asked", 1, FRAME_TYPE_DONE | OPERATION_PING, UINT64_MAX, { 0 } },
    { "a body too short", 2, FRAME_TYPE_DONE | OPERATION_PURCHASE, 1, { 0 } },
    { "a number in a longer form", 6, FRAME_TYPE_DONE | OPERATION_PURCHASE, 1, { 0x80, 0 } },
    { "an empty refusal", 0, FRAME_TYPE_REFUSED | OPERATION_PURCHASE, 1, { 0 } },
    { "refused for no reason", 1, FRAME_TYPE_REFUSED | OPERATION_PURCHASE, 1, { 0 } },
};
#define BAD_COUNT (sizeof(bad_answers) / sizeof(bad_answers[0]))

static void script_bad_answers(struct server *s)
{
    for (size_t i = 0; i < BAD_COUNT; i++) {
        const struct bad_answer *bad = &bad_answers[i];
        uint8_t bytes[FRAME_HEADER_SIZE + sizeof(bad->body)];
        server_welcome(s);
        server_expect_number(s, OPERATION_PURCHASE, i + 1);
        frame_put_header(bytes, bad->body_size, bad->type, 0, bad->number == 1 ? i + 1 : bad->number + i);
        memcpy(bytes + FRAME_HEADER_SIZE, bad->body, sizeof(bad->body));
        server_send(s, bytes,
                    FRAME_HEADER_SIZE +
                        (bad->body_size < sizeof(bad->body) ? bad->body_size : sizeof(bad->body)));
        if (server_good(s))
            server_expect_close(s);
        if (!server_good(s))
            server_fail(s, "after %s", bad->what);
        server_welcome(s);
        server_expect_number(s, OPERATION_PURCHASE, i + 1);
        server_done_purchase(s, i + 1, 0);
    }
}

static void bad_answers_end_the_connection(void **state)
{
    (void)state;
    struct punkt_purchase_answer answer;
    server_start(&server, NULL, script_bad_answers);
    struct punkt *punkt = client(PATIENT_MS, 0);
    for (size_t i = 0; i < BAD_COUNT; i++) {
        assert_int_equal(buy(punkt, 0, &answer), PUNKT_CALL_DONE);
        assert_int_equal(answer.earned, i + 1);
    }
    punkt_free(punkt);
    server_join(&server);
}

/* Random bytes behind sound headers, until the client has given up; then sense. Each loss makes the client pause
 * longer, so a round is a handle of its own. */
#define GARBAGE_ROUNDS 60

static uint64_t seed;

static void script_garbage(struct server *s)
{
    uint64_t random = seed;
    for (int round = 0; server_good(s); round++) {
        uint8_t bytes[400];
        for (size_t i = 0; i < sizeof(bytes); i++) {
            random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            bytes[i] = (uint8_t)(random >> 56) & (round % 3 == 0 ? 0xFF : 0x07);
        }
        server_welcome(s);
        uint64_t number = server_expect(s, OPERATION_STATEMENT);
        if (s->frame.type == OPERATION_PING)
            break;
        uint32_t size = (uint32_t)(random % (sizeof(bytes) - FRAME_HEADER_SIZE));
        if (round % 5 != 0) /* else: even the header is garbage */
            frame_put_header(bytes, size,
                             (round % 2 == 0 ? FRAME_TYPE_DONE : FRAME_TYPE_REFUSED) | OPERATION_STATEMENT, 0,
                             number);
        server_send(s, bytes, FRAME_HEADER_SIZE + size);
        if (s->connection_closed)
            s->failure[0] = '\0'; /* the last client had connected again when its deadline came */
    }
    s->failure[0] = '\0'; /* it was a ping instead of a statement: the client is through */
    struct msg_ping_answer pong = { .time = 1 };
    server_done(s, OPERATION_PING, s->frame.number, 0, &pong);
}

static void garbage(void **state)
{
    (void)state;
    struct punkt_statement_request request = { .size = sizeof(request), .timeout_ms = 20, .card = "1" };
    struct punkt_statement_answer page = PUNKT_ANSWER_INIT(page);
    seed = (uint64_t)time(NULL);
    print_message("seed %llu\n", (unsigned long long)seed);
    server_start(&server, NULL, script_garbage);
    for (int round = 0; round < GARBAGE_ROUNDS; round++) {
        struct punkt *punkt = client(PATIENT_MS, 0);
        if (punkt_connect(punkt, 0, NULL) != PUNKT_CALL_DONE)
            fail_msg("round %d: %s; %s", round, punkt_trouble(punkt), server.failure);
        /* Whatever it makes of that: it must end, and leave nothing behind. */
        enum punkt_call call = punkt_statement(punkt, &request, &page);
        assert_true(call == PUNKT_CALL_UNKNOWN || call == PUNKT_CALL_REFUSED || call == PUNKT_CALL_DONE);
        for (size_t i = 0; i < page.entry_count; i++)
            assert_true(strlen(punkt_statement_entry(&page, i)->receipt) <= PUNKT_CARD_MAX);
        punkt_free(punkt);
    }
    struct punkt *punkt = client(PATIENT_MS, 0);
    struct punkt_ping_answer pong = PUNKT_ANSWER_INIT(pong);
    assert_int_equal(punkt_ping(punkt, NULL, &pong), PUNKT_CALL_DONE);
    punkt_free(punkt);
    server_join(&server);
}

/* --- who it is --- */

static void script_another_ledger(struct server *s)
{
    server_welcome(s);
    server_expect_number(s, OPERATION_PURCHASE, 1);
    server_done_purchase(s, 1, 0);
    s->hello.journal_id[0]++;
    server_welcome(s);
    server_expect_close(s);
    s->hello.journal_id[0]--;
    s->hello.term--;
    server_welcome(s);
    server_expect_close(s);
    s->hello.term += 2;
    server_welcome(s);
    server_expect_number(s, OPERATION_PURCHASE, 2);
    server_done_purchase(s, 2, 0);
}

static void another_ledger(void **state)
{
    (void)state;
    struct punkt_purchase_answer answer;
    server_start(&server, NULL, script_another_ledger);
    struct punkt *punkt = client(PATIENT_MS, 0);
    assert_int_equal(buy(punkt, 0, &answer), PUNKT_CALL_DONE);
    assert_int_equal(buy(punkt, 0, &answer), PUNKT_CALL_DONE);
    struct punkt_server_info info = PUNKT_INIT(info);
    punkt_server_info(punkt, &info);
    assert_int_equal(info.term, 6);
    punkt_free(punkt);
    server_join(&server);
}

static void script_wrong_from_the_start(struct server *s)
{
    server_welcome(s);
    server_expect_close(s);
}

static void known_ledger(void **state)
{
    (void)state;
    struct punkt_answer answer = { .size = sizeof(answer) };
    server_start(&server, NULL, script_wrong_from_the_start);
    struct punkt_options options = {
        .size = sizeof(options), .server = server.address, .timeout_ms = SHORT_MS, .journal_id = { 9 }
    };
    struct punkt *punkt;
    assert_int_equal(punkt_new(&options, &punkt), PUNKT_CALL_DONE);
    assert_int_equal(punkt_connect(punkt, 0, &answer), PUNKT_CALL_NOT_SENT);
    struct punkt_server_info info = PUNKT_INIT(info);
    punkt_server_info(punkt, &info);
    assert_false(info.known);
    punkt_free(punkt);
    server_join(&server);
}

static void script_refuses_hello(struct server *s)
{
    server_accept(s);
    uint64_t number = server_expect(s, OPERATION_HELLO);
    server_refuse(s, OPERATION_HELLO, number, RESULT_VERSION, "speaks 2 to 3");
    server_expect_close(s);
    server_accept(s);
    number = server_expect(s, OPERATION_HELLO);
    server_refuse(s, OPERATION_HELLO, number, RESULT_NOT_READY, "");
    server_welcome(s);
    server_expect_close(s);
}

static void hello_refused(void **state)
{
    (void)state;
    struct punkt_answer answer = { .size = sizeof(answer) };
    server_start(&server, NULL, script_refuses_hello);
    struct punkt *punkt = client(PATIENT_MS, 0);
    assert_int_equal(punkt_connect(punkt, 0, &answer), PUNKT_CALL_REFUSED);
    assert_int_equal(answer.code, PUNKT_RESULT_VERSION);
    assert_non_null(strstr(answer.detail, "speaks 2 to 3"));
    assert_int_equal(punkt_connect(punkt, 0, &answer), PUNKT_CALL_DONE); /* not ready is only for a while */
    struct punkt_server_info info = PUNKT_INIT(info);
    punkt_server_info(punkt, &info);
    assert_true(info.known);
    assert_true(info.connected);
    assert_int_equal(info.journal_id[2], 3);
    assert_string_equal(info.currency, "EUR");
    assert_string_equal(info.zone, "Europe/Berlin");
    assert_int_equal(info.programme_version, 7);
    punkt_free(punkt);
    server_join(&server);
}

static void script_small_frames(struct server *s)
{
    s->hello.frame_max = 200;
    server_welcome(s);
    server_expect_number(s, OPERATION_PURCHASE, 1);
    server_done_purchase(s, 1, 0);
}

static void too_large_for_the_server(void **state)
{
    (void)state;
    struct punkt_purchase_answer answer = PUNKT_ANSWER_INIT(answer);
    struct punkt_line lines[100];
    struct punkt_purchase_request request = {
        .size = sizeof(request), .card = "1", .amount = 100, .lines = lines, .line_count = 100
    };
    for (size_t i = 0; i < 100; i++)
        lines[i] = (struct punkt_line){ .size = sizeof(lines[i]), .code = "article", .amount = 1 };
    server_start(&server, NULL, script_small_frames);
    struct punkt *punkt = client(PATIENT_MS, 0);
    assert_int_equal(punkt_purchase(punkt, &request, &answer), PUNKT_CALL_REFUSED);
    assert_int_equal(answer.head.code, PUNKT_RESULT_FRAME_TOO_LARGE);
    assert_int_equal(answer.head.number, 0);
    assert_int_equal(buy(punkt, 0, &answer), PUNKT_CALL_DONE);
    punkt_free(punkt);
    server_join(&server);
}

/* --- many at once --- */

struct pump {
    struct punkt_purchase_request request;
    unsigned to_submit;
    unsigned done;
};

/* Submits the next from inside the callback, and shows that nothing else may be called there. */
static void pump_next(struct punkt *punkt, const struct punkt_answer *answer, void *ctx)
{
    struct pump *pump = ctx;
    struct punkt_ping_answer ping = PUNKT_ANSWER_INIT(ping);
    assert_int_equal(answer->call, PUNKT_CALL_DONE);
    assert_int_equal(answer->operation, PUNKT_OPERATION_PURCHASE);
    assert_int_equal(((const struct punkt_purchase_answer *)answer)->earned, answer->number);
    pump->done++;
    assert_int_equal(punkt_ping(punkt, NULL, &ping), PUNKT_CALL_INVALID);
    assert_int_equal(punkt_process(punkt), 0);
    assert_true(punkt_room(punkt) > 0);
    if (pump->to_submit > 0) {
        pump->to_submit--;
        assert_int_equal(punkt_submit_purchase(punkt, &pump->request, pump_next, pump), PUNKT_CALL_DONE);
    }
}

#define PUMP_COUNT 500

/* Counts what is in flight at most; answers in bunches. */
static void script_pump(struct server *s)
{
    s->hello.in_flight_max = 5;
    server_welcome(s);
    for (uint64_t number = 1; number <= PUMP_COUNT; number += 5) {
        for (uint64_t i = 0; i < 5; i++)
            server_expect_number(s, OPERATION_PURCHASE, number + i);
        for (uint64_t i = 0; i < 5; i++)
            server_done_purchase(s, number + i, 0);
    }
}

static void many_in_flight(void **state)
{
    (void)state;
    struct pump pump = { .request = { .size = sizeof(pump.request), .card = "1", .amount = 1 },
                         .to_submit = PUMP_COUNT - 8 };
    server_start(&server, NULL, script_pump);
    struct punkt *punkt = client(PATIENT_MS, 8);
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(punkt_submit_purchase(punkt, &pump.request, pump_next, &pump), PUNKT_CALL_DONE);
    assert_int_equal(punkt_room(punkt), 0);
    assert_int_equal(punkt_submit_purchase(punkt, &pump.request, pump_next, &pump), PUNKT_CALL_WINDOW_FULL);
    while (pump.done < PUMP_COUNT)
        (void)punkt_drive(punkt, -1);
    assert_int_equal(punkt_unanswered(punkt), 0);
    punkt_free(punkt);
    server_join(&server);
}

/* A read that nobody waits for any more is answered late; changes beside it are not disturbed. */
static void script_late(struct server *s)
{
    struct msg_totals_answer totals = { .cards = 3 };
    server_welcome(s);
    uint64_t read = server_expect(s, OPERATION_TOTALS);
    uint64_t ping = server_expect(s, OPERATION_PING);
    struct msg_ping_answer pong = { .time = 1 };
    server_done(s, OPERATION_PING, ping, 0, &pong);
    server_expect_number(s, OPERATION_PURCHASE, 1);
    server_done(s, OPERATION_TOTALS, read, 0, &totals);
    server_done_purchase(s, 1, 0);
}

static void note_call(struct punkt *punkt, const struct punkt_answer *answer, void *ctx)
{
    (void)punkt;
    *(enum punkt_call *)ctx = answer->call;
}

static void late_read(void **state)
{
    (void)state;
    enum punkt_call read = PUNKT_CALL_QUEUED, ping = PUNKT_CALL_QUEUED;
    struct punkt_plain_request request = { .size = sizeof(request), .timeout_ms = SHORT_MS };
    struct punkt_purchase_answer answer;
    server_start(&server, NULL, script_late);
    struct punkt *punkt = client(PATIENT_MS, 0);
    assert_int_equal(punkt_connect(punkt, 0, NULL), PUNKT_CALL_DONE);
    assert_int_equal(punkt_submit_totals(punkt, &request, note_call, &read), PUNKT_CALL_DONE);
    assert_int_equal(punkt_submit_ping(punkt, NULL, note_call, &ping), PUNKT_CALL_DONE);
    while (read == PUNKT_CALL_QUEUED || ping == PUNKT_CALL_QUEUED)
        (void)punkt_drive(punkt, -1);
    assert_int_equal(read, PUNKT_CALL_UNKNOWN);
    assert_int_equal(ping, PUNKT_CALL_DONE);
    assert_int_equal(punkt_in_doubt(punkt), 0); /* nothing is in doubt about a question */
    assert_int_equal(buy(punkt, 0, &answer), PUNKT_CALL_DONE);
    punkt_free(punkt);
    server_join(&server);
}

/* The answer of a blocking call is not written over by answers that came with it. */
static void script_together(struct server *s)
{
    struct msg_statement_entry entry = { .position = 5, .kind = 4, .receipt = { .size = 2, .bytes = "R1" } };
    struct msg_statement_answer page = { .entries = &entry, .entries_count = 1 };
    server_welcome(s);
    server_expect_number(s, OPERATION_PURCHASE, 1);
    uint64_t statement = server_expect(s, OPERATION_STATEMENT);
    server_done(s, OPERATION_STATEMENT, statement, 0, &page);
    server_refuse(s, OPERATION_PURCHASE, 1, RESULT_RECEIPT_USED,
                  "a detail that takes the place of the entry's text");
    server_expect_close(s);
}

static void answers_together(void **state)
{
    (void)state;
    enum punkt_call bought = PUNKT_CALL_QUEUED;
    struct punkt_purchase_request purchase = { .size = sizeof(purchase), .card = "1", .amount = 1 };
    struct punkt_statement_request request = { .size = sizeof(request), .card = "1" };
    struct punkt_statement_answer page = PUNKT_ANSWER_INIT(page);
    server_start(&server, NULL, script_together);
    struct punkt *punkt = client(PATIENT_MS, 0);
    assert_int_equal(punkt_submit_purchase(punkt, &purchase, note_call, &bought), PUNKT_CALL_DONE);
    assert_int_equal(punkt_statement(punkt, &request, &page), PUNKT_CALL_DONE);
    assert_int_equal(page.entry_count, 1);
    const struct punkt_statement_entry *entry = punkt_statement_entry(&page, 0);
    assert_string_equal(entry->receipt, "R1");
    assert_string_equal(entry->store, "");
    assert_string_equal(punkt_event_name(entry->kind), "purchase");
    assert_null(punkt_statement_entry(&page, 1));
    while (bought == PUNKT_CALL_QUEUED)
        (void)punkt_drive(punkt, -1);
    assert_int_equal(bought, PUNKT_CALL_REFUSED);
    punkt_free(punkt);
    server_join(&server);
}

/* --- alone --- */

#define SECOND_US (UINT64_C(1000) * 1000)

static void script_idle(struct server *s)
{
    struct msg_ping_answer pong = { .time = 1 };
    server_welcome(s);
    server_done(s, OPERATION_PING, server_expect(s, OPERATION_PING), 0, &pong);
    server_expect(s,
                  OPERATION_PING); /* not answered: the link is given up, and not sought again for nothing */
    server_expect_close(s);
    server_welcome(s);
    server_expect_number(s, OPERATION_PURCHASE, 1);
    server_done_purchase(s, 1, 0);
}

static void idle_connection(void **state)
{
    (void)state;
    struct punkt_purchase_answer answer;
    server_start(&server, NULL, script_idle);
    struct punkt *punkt = client(PATIENT_MS, 0);
    assert_int_equal(punkt_connect(punkt, 0, NULL), PUNKT_CALL_DONE);
    assert_in_range(punkt_timeout_ms(punkt), 50000, 60000);
    punkt->live.active_us -= 60 * SECOND_US;
    assert_int_equal(punkt_timeout_ms(punkt), 0);
    (void)punkt_process(punkt);
    assert_true(punkt->live.ping_number != 0);
    while (punkt->live.ping_number != 0)
        (void)punkt_drive(punkt, PATIENT_MS);
    assert_int_equal(punkt_wanted(punkt), PUNKT_WANT_READ);
    punkt->live.active_us -= 60 * SECOND_US;
    (void)punkt_process(punkt);
    punkt->live.ping_us -= 10 * SECOND_US;
    (void)punkt_process(punkt);
    assert_int_equal(punkt_fd(punkt), -1);
    assert_int_equal(punkt_timeout_ms(punkt), -1);
    assert_non_null(strstr(punkt_trouble(punkt), "ping"));
    assert_int_equal(buy(punkt, 0, &answer), PUNKT_CALL_DONE);
    punkt_free(punkt);
    server_join(&server);
}

/* How long a link that finds nobody pauses: not at first, then at random up to a bound that doubles to a minute. */
static void pauses(void **state)
{
    (void)state;
    static struct link link;
    uint64_t now_us = 1000 * SECOND_US, bound_us = SECOND_US / 2, longest_us = 0;
    assert_true(link_init(&link, "unix:/nonexistent/a,unix:/nonexistent/b", 1, NULL));
    for (int round = 0; round < 200; round++) {
        link_try(&link, now_us, SECOND_US);
        assert_int_equal(link.state, LINK_DOWN);
        assert_true(link.attempt_us == now_us); /* the second address is tried at once */
        link_try(&link, now_us, SECOND_US);
        uint64_t pause_us = link.attempt_us - now_us;
        assert_true(pause_us <= bound_us);
        bound_us = bound_us < 30 * SECOND_US ? bound_us * 2 : 60 * SECOND_US;
        longest_us = pause_us > longest_us ? pause_us : longest_us;
        now_us = link.attempt_us;
    }
    assert_true(longest_us > 50 * SECOND_US);
    link.attempt_us =
        now_us + 40 * SECOND_US; /* somebody waits now: but not sooner than half a second after */
    link_hurry(&link, now_us);
    assert_true(link.attempt_us <= link.began_us + SECOND_US / 2);

    link_progress(&link); /* a link that was good is sought again at once, */
    link_greeted(&link);
    link_close(&link, now_us, "lost");
    assert_true(link.attempt_us == now_us);
    for (int round = 1; round <= 3; round++) { /* but not if it only ever greets and hangs up */
        link_greeted(&link);
        link_close(&link, now_us, "lost");
        assert_in_range(link.attempt_us - now_us, 0, (SECOND_US / 2) << (round - 1));
        assert_int_equal(link.failures, 2 * round);
    }
    link_done(&link);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(byte_by_byte),
        cmocka_unit_test(bad_answers_end_the_connection),
        cmocka_unit_test(garbage),
        cmocka_unit_test(another_ledger),
        cmocka_unit_test(known_ledger),
        cmocka_unit_test(hello_refused),
        cmocka_unit_test(too_large_for_the_server),
        cmocka_unit_test(many_in_flight),
        cmocka_unit_test(late_read),
        cmocka_unit_test(answers_together),
        cmocka_unit_test(idle_connection),
        cmocka_unit_test(pauses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
