/*
 * What becomes of changes when the server is busy, away, slow or not what it was: numbers, order, repetition, doubt.
 */
#include <punkt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client_server.h"

#define SHORT_MS 150    /* a deadline that is meant to pass */
#define PATIENT_MS 9000 /* one that is not */

static struct server server;

static struct punkt *client_with(uint32_t timeout_ms, const char *address)
{
    struct punkt_options options = PUNKT_INIT(options);
    struct punkt *punkt;
    options.server = address;
    options.timeout_ms = timeout_ms;
    assert_int_equal(punkt_new(&options, &punkt), PUNKT_CALL_DONE);
    return punkt;
}

static struct punkt *client(uint32_t timeout_ms)
{
    return client_with(timeout_ms, server.address);
}

static enum punkt_call buy(struct punkt *punkt, struct punkt_purchase_answer *answer)
{
    struct punkt_purchase_request request = PUNKT_INIT(request);
    *answer = (struct punkt_purchase_answer)PUNKT_ANSWER_INIT(*answer);
    request.card = "2900000000018";
    request.amount = 10500;
    return punkt_purchase(punkt, &request, answer);
}

/* --- answered --- */

static void script_done(struct server *s)
{
    server_welcome(s);
    server_expect_number(s, OPERATION_PURCHASE, 1);
    server_done_purchase(s, 1, 0);
    server_expect_number(s, OPERATION_PURCHASE, 2);
    server_done_purchase(s, 2, FRAME_FLAG_REPLAYED);
    server_expect_close(s);
}

static void done(void **state)
{
    (void)state;
    struct punkt_purchase_answer answer;
    server_start(&server, NULL, script_done);
    struct punkt *punkt = client(PATIENT_MS);
    assert_int_equal(buy(punkt, &answer), PUNKT_CALL_DONE);
    assert_int_equal(answer.head.number, 1);
    assert_true(answer.head.epoch == punkt_epoch(punkt));
    assert_int_equal(answer.earned, 1);
    assert_int_equal(answer.available, 105);
    assert_int_equal(answer.position, 100);
    assert_false(answer.head.replayed);
    assert_string_equal(answer.head.name, "done");
    assert_int_equal(buy(punkt, &answer), PUNKT_CALL_DONE);
    assert_int_equal(answer.head.number, 2);
    assert_true(answer.head.replayed);
    assert_int_equal(punkt_next_number(punkt), 3);
    punkt_free(punkt);
    server_join(&server);
    assert_int_equal(server.hello_first_unanswered, 1);
}

static void script_refused(struct server *s)
{
    server_welcome(s);
    server_expect_number(s, OPERATION_REDEEM, 1);
    server_refuse(s, OPERATION_REDEEM, 1, RESULT_NOT_ENOUGH_POINTS, "40 of 12");
    server_expect_number(s, OPERATION_PURCHASE, 2);
    server_refuse(s, OPERATION_PURCHASE, 2, RESULT_CONFLICT, "");
    server_expect_number(s, OPERATION_PURCHASE, 3);
    server_done_purchase(s, 3, 0);
}

static void refused_for_good(void **state)
{
    (void)state;
    struct punkt_purchase_answer answer;
    struct punkt_redeem_request redeem = PUNKT_INIT(redeem);
    struct punkt_redeem_answer redeemed = PUNKT_ANSWER_INIT(redeemed);
    server_start(&server, NULL, script_refused);
    struct punkt *punkt = client(PATIENT_MS);
    redeem.card = "2900000000018";
    redeem.points = 40;
    assert_int_equal(punkt_redeem(punkt, &redeem, &redeemed), PUNKT_CALL_REFUSED);
    assert_int_equal(redeemed.head.code, PUNKT_RESULT_NOT_ENOUGH_POINTS);
    assert_string_equal(redeemed.head.name, "not_enough_points");
    assert_string_equal(redeemed.head.detail, "40 of 12");
    assert_int_equal(redeemed.head.needed, 40);
    assert_int_equal(redeemed.head.available, 12);
    assert_false(redeemed.head.retryable);
    assert_int_equal(punkt_result_exit_code(redeemed.head.code), 5);
    assert_int_equal(buy(punkt, &answer), PUNKT_CALL_REFUSED);
    assert_int_equal(answer.head.code, PUNKT_RESULT_CONFLICT);
    assert_int_equal(buy(punkt, &answer), PUNKT_CALL_DONE);
    punkt_free(punkt);
    server_join(&server);
}

/* --- refused for now --- */

static void script_busy_then_done(struct server *s)
{
    server_welcome(s);
    for (int i = 0; i < 3; i++) {
        server_expect_number(s, OPERATION_PURCHASE, 1);
        server_refuse(s, OPERATION_PURCHASE, 1, i == 0 ? RESULT_BUSY : RESULT_STORAGE_FULL, "");
    }
    server_expect_number(s, OPERATION_PURCHASE, 1);
    server_done_purchase(s, 1, 0);
}

static void busy_then_done(void **state)
{
    (void)state;
    struct punkt_purchase_answer answer;
    server_start(&server, NULL, script_busy_then_done);
    struct punkt *punkt = client(PATIENT_MS);
    assert_int_equal(buy(punkt, &answer), PUNKT_CALL_DONE);
    assert_int_equal(answer.head.number, 1);
    punkt_free(punkt);
    server_join(&server);
}

/* Refuses number 1 until its purchase is another. */
static void script_busy_for_long(struct server *s)
{
    struct msg_purchase_request purchase = { .amount = 0 };
    server_welcome(s);
    while (server_good(s)) {
        server_expect_number(s, OPERATION_PURCHASE, 1);
        server_decode(s, MESSAGE_purchase_request, NULL, &purchase);
        if (purchase.amount == 1)
            break;
        server_refuse(s, OPERATION_PURCHASE, 1, RESULT_BUSY, "full of work");
    }
    server_done_purchase(s, 1, 0);
}

static void busy_until_the_deadline(void **state)
{
    (void)state;
    struct punkt_purchase_answer answer;
    struct punkt_purchase_request other = { .size = sizeof(other), .card = "1", .amount = 1 };
    server_start(&server, NULL, script_busy_for_long);
    struct punkt *punkt = client(PATIENT_MS);
    assert_int_equal(punkt_connect(punkt, 0, NULL), PUNKT_CALL_DONE);
    struct punkt_purchase_request request = {
        .size = sizeof(request), .timeout_ms = SHORT_MS, .card = "2900000000018", .amount = 10500
    };
    answer = (struct punkt_purchase_answer)PUNKT_ANSWER_INIT(answer);
    /* The last word was "busy", unless the deadline fell between sending and hearing it. */
    enum punkt_call call = punkt_purchase(punkt, &request, &answer);
    if (call == PUNKT_CALL_UNKNOWN)
        call = punkt_repeat(punkt, 1, SHORT_MS, &answer.head);
    assert_int_equal(call, PUNKT_CALL_REFUSED);
    assert_int_equal(answer.head.code, PUNKT_RESULT_BUSY);
    assert_true(answer.head.retryable);
    assert_string_equal(answer.head.detail, "full of work");
    assert_int_equal(punkt_in_doubt(punkt), 0);
    assert_int_equal(punkt_next_number(punkt), 1); /* nothing was booked: the number is free */
    assert_int_equal(punkt_purchase(punkt, &other, &answer), PUNKT_CALL_DONE);
    assert_int_equal(answer.head.number, 1);
    punkt_free(punkt);
    server_join(&server);
}

/* How the requests of a test ended, in that order. */
struct ends {
    unsigned count;
    uint64_t numbers[64];
    enum punkt_call calls[64];
};

static void note_end(struct punkt *punkt, const struct punkt_answer *answer, void *ctx)
{
    struct ends *ends = ctx;
    (void)punkt;
    assert_true(ends->count < 64);
    ends->numbers[ends->count] = answer->number;
    ends->calls[ends->count++] = answer->call;
}

static void submit_some(struct punkt *punkt, unsigned count, uint32_t timeout_ms, struct ends *ends)
{
    struct punkt_purchase_request request = { .size = sizeof(request),
                                              .timeout_ms = timeout_ms,
                                              .card = "1" };
    for (unsigned i = 0; i < count; i++) {
        request.amount = 100 + i;
        assert_int_equal(punkt_submit_purchase(punkt, &request, note_end, ends), PUNKT_CALL_DONE);
    }
}

static void drive_until(struct punkt *punkt, const struct ends *ends, unsigned count)
{
    while (ends->count < count)
        (void)punkt_drive(punkt, -1);
    assert_int_equal(ends->count, count);
}

/* The first is busy, so the others are out of order; the order must be right when they come again. */
static void script_out_of_order(struct server *s)
{
    server_welcome(s);
    for (uint64_t number = 1; number <= 3; number++)
        server_expect_number(s, OPERATION_PURCHASE, number);
    server_refuse(s, OPERATION_PURCHASE, 1, RESULT_BUSY, "");
    server_refuse(s, OPERATION_PURCHASE, 2, RESULT_OUT_OF_ORDER, "");
    server_refuse(s, OPERATION_PURCHASE, 3, RESULT_OUT_OF_ORDER, "");
    server_expect_number(s, OPERATION_PURCHASE, 1); /* alone, until it is through */
    server_refuse(s, OPERATION_PURCHASE, 1, RESULT_RATE, "");
    for (uint64_t number = 1; number <= 3; number++) {
        server_expect_number(s, OPERATION_PURCHASE, number);
        server_done_purchase(s, number, 0);
    }
}

static void out_of_order(void **state)
{
    (void)state;
    struct ends ends = { 0 };
    server_start(&server, NULL, script_out_of_order);
    struct punkt *punkt = client(PATIENT_MS);
    submit_some(punkt, 3, 0, &ends);
    drive_until(punkt, &ends, 3);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(ends.calls[i], PUNKT_CALL_DONE);
        assert_int_equal(ends.numbers[i], i + 1);
    }
    punkt_free(punkt);
    server_join(&server);
}

/* --- the connection is lost --- */

static void script_dropped(struct server *s)
{
    server_welcome(s);
    for (uint64_t number = 1; number <= 4; number++)
        server_expect_number(s, OPERATION_PURCHASE, number);
    server_done_purchase(s, 1, 0);
    server_welcome(s); /* closes the first connection */
    if (s->hello_first_unanswered != 2)
        server_fail(s, "first_unanswered is %llu", (unsigned long long)s->hello_first_unanswered);
    for (uint64_t number = 2; number <= 4; number++) {
        server_expect_number(s, OPERATION_PURCHASE, number);
        server_done_purchase(s, number, number == 2 ? FRAME_FLAG_REPLAYED : 0);
    }
}

static void dropped_after_sending(void **state)
{
    (void)state;
    struct ends ends = { 0 };
    server_start(&server, NULL, script_dropped);
    struct punkt *punkt = client(PATIENT_MS);
    submit_some(punkt, 4, 0, &ends);
    drive_until(punkt, &ends, 4);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(ends.calls[i], PUNKT_CALL_DONE);
        assert_int_equal(ends.numbers[i], i + 1);
    }
    punkt_free(punkt);
    server_join(&server);
}

/* A till stands idle, the server restarts, the till sells: nothing is in doubt, for the loss is seen first. */
static void script_restart(struct server *s)
{
    server_welcome(s);
    server_expect_number(s, OPERATION_PURCHASE, 1);
    server_done_purchase(s, 1, 0);
    server_welcome(s);
    server_expect_number(s, OPERATION_PURCHASE, 2);
    server_done_purchase(s, 2, 0);
}

static void server_restarted(void **state)
{
    (void)state;
    struct punkt_purchase_answer answer;
    server_start(&server, NULL, script_restart);
    struct punkt *punkt = client(PATIENT_MS);
    for (unsigned i = 1; i <= 2; i++) {
        assert_int_equal(buy(punkt, &answer), PUNKT_CALL_DONE);
        assert_int_equal(answer.head.number, i);
    }
    punkt_free(punkt);
    server_join(&server);
}

static void nobody_listens(void **state)
{
    (void)state;
    struct punkt_purchase_answer answer;
    char directory[] = "/tmp/punkt-client-XXXXXX";
    char address[64];
    assert_non_null(mkdtemp(directory));
    (void)snprintf(address, sizeof(address), "unix:%s/none", directory);
    struct punkt *punkt = client_with(SHORT_MS, address);
    assert_int_equal(buy(punkt, &answer), PUNKT_CALL_NOT_SENT);
    assert_int_equal(answer.head.number, 0);
    assert_non_null(strstr(answer.head.detail, "No such file"));
    assert_int_equal(punkt_next_number(punkt), 1);
    assert_int_equal(punkt_in_doubt(punkt), 0);
    assert_int_equal(punkt_connect(punkt, SHORT_MS, NULL), PUNKT_CALL_NOT_SENT);
    punkt_free(punkt);
    assert_int_equal(remove(directory), 0);
}

static void script_one_purchase(struct server *s)
{
    server_welcome(s);
    server_expect_number(s, OPERATION_PURCHASE, 1);
    server_done_purchase(s, 1, 0);
}

static void second_address(void **state)
{
    (void)state;
    struct punkt_purchase_answer answer;
    char addresses[128];
    server_start(&server, NULL, script_one_purchase);
    (void)snprintf(addresses, sizeof(addresses), "unix:/nonexistent/socket,%s", server.address);
    struct punkt *punkt = client_with(PATIENT_MS, addresses);
    assert_int_equal(buy(punkt, &answer), PUNKT_CALL_DONE);
    punkt_free(punkt);
    server_join(&server);
}

static void unix_socket(void **state)
{
    (void)state;
    struct punkt_purchase_answer answer;
    char directory[] = "/tmp/punkt-client-XXXXXX";
    char path[64];
    assert_non_null(mkdtemp(directory));
    (void)snprintf(path, sizeof(path), "%s/socket", directory);
    server_start(&server, path, script_one_purchase);
    struct punkt *punkt = client(PATIENT_MS);
    assert_int_equal(buy(punkt, &answer), PUNKT_CALL_DONE);
    punkt_free(punkt);
    server_join(&server);
    assert_int_equal(remove(path), 0);
    assert_int_equal(remove(directory), 0);
}

/* --- no answer --- */

static void script_silent(struct server *s)
{
    server_welcome(s);
    server_expect_number(s, OPERATION_PURCHASE, 1);
    server_expect_close(s); /* the client gives up a link on which nothing comes */
    server_welcome(s);
    if (s->hello_first_unanswered != 1)
        server_fail(s, "first_unanswered is %llu", (unsigned long long)s->hello_first_unanswered);
    server_expect_number(s, OPERATION_PURCHASE, 1);
    server_done_purchase(s, 1, FRAME_FLAG_REPLAYED);
    server_expect_number(s, OPERATION_PURCHASE, 2);
    server_done_purchase(s, 2, 0);
}

static struct punkt *client_in_doubt(void)
{
    struct punkt_purchase_answer answer = PUNKT_ANSWER_INIT(answer);
    struct punkt_purchase_request request = {
        .size = sizeof(request), .timeout_ms = SHORT_MS, .card = "1", .amount = 100
    };
    struct punkt *punkt = client(PATIENT_MS);
    assert_int_equal(punkt_connect(punkt, 0, NULL), PUNKT_CALL_DONE);
    assert_int_equal(punkt_purchase(punkt, &request, &answer), PUNKT_CALL_UNKNOWN);
    assert_int_equal(answer.head.number, 1);
    assert_true(answer.head.epoch == punkt_epoch(punkt));
    assert_int_equal(punkt_in_doubt(punkt), 1);
    assert_int_equal(punkt_next_number(punkt), 2);
    return punkt;
}

static void doubt_repeated(void **state)
{
    (void)state;
    struct punkt_purchase_answer answer = PUNKT_ANSWER_INIT(answer);
    server_start(&server, NULL, script_silent);
    struct punkt *punkt = client_in_doubt();
    assert_int_equal(punkt_repeat(punkt, 2, 0, &answer.head), PUNKT_CALL_INVALID);
    assert_int_equal(punkt_repeat(punkt, 1, 0, &answer.head), PUNKT_CALL_DONE);
    assert_int_equal(answer.earned, 1);
    assert_true(answer.head.replayed);
    assert_int_equal(punkt_in_doubt(punkt), 0);
    assert_int_equal(buy(punkt, &answer), PUNKT_CALL_DONE);
    assert_int_equal(answer.head.number, 2);
    assert_int_equal(punkt_repeat(punkt, 1, 0, &answer.head), PUNKT_CALL_INVALID);
    punkt_free(punkt);
    server_join(&server);
}

static void doubt_settled_by_the_next_call(void **state)
{
    (void)state;
    struct punkt_purchase_answer answer;
    server_start(&server, NULL, script_silent);
    struct punkt *punkt = client_in_doubt();
    assert_int_equal(buy(punkt, &answer), PUNKT_CALL_DONE);
    assert_int_equal(answer.head.number, 2);
    assert_int_equal(punkt_in_doubt(punkt), 0);
    assert_int_equal(punkt_repeat(punkt, 1, 0, &answer.head), PUNKT_CALL_DONE);
    assert_int_equal(answer.head.number, 1);
    assert_int_equal(answer.earned, 1);
    assert_int_equal(punkt_repeat(punkt, 1, 0, &answer.head), PUNKT_CALL_INVALID); /* it was asked for */
    punkt_free(punkt);
    server_join(&server);
}

static void script_continued(struct server *s)
{
    server_welcome(s);
    if (s->hello_epoch != 77 || s->hello_first_unanswered != 9)
        server_fail(s, "not the lane that was asked for");
    server_expect_number(s, OPERATION_PURCHASE, 9);
    server_done_purchase(s, 9, FRAME_FLAG_REPLAYED);
}

static void lane_continued(void **state)
{
    (void)state;
    struct punkt_purchase_answer answer;
    server_start(&server, NULL, script_continued);
    struct punkt_options options = { .size = sizeof(options),
                                     .server = server.address,
                                     .timeout_ms = PATIENT_MS,
                                     .epoch = 77,
                                     .next_number = 9 };
    struct punkt *punkt;
    assert_int_equal(punkt_new(&options, &punkt), PUNKT_CALL_DONE);
    assert_int_equal(buy(punkt, &answer), PUNKT_CALL_DONE);
    assert_true(answer.head.replayed);
    assert_int_equal(answer.head.number, 9);
    punkt_free(punkt);
    server_join(&server);
}

/* Changes that wait behind one that is never sent: none has a number, and none makes a gap. */
static void expired_before_sending(void **state)
{
    (void)state;
    struct ends ends = { 0 };
    struct punkt_purchase_answer answer;
    struct punkt *punkt = client_with(SHORT_MS, "unix:/nonexistent/socket");
    submit_some(punkt, 3, 0, &ends);
    assert_int_equal(punkt_unanswered(punkt), 3);
    drive_until(punkt, &ends, 3);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(ends.calls[i], PUNKT_CALL_NOT_SENT);
    assert_int_equal(punkt_next_number(punkt), 1);
    assert_int_equal(buy(punkt, &answer), PUNKT_CALL_NOT_SENT);
    punkt_free(punkt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(done),
        cmocka_unit_test(refused_for_good),
        cmocka_unit_test(busy_then_done),
        cmocka_unit_test(busy_until_the_deadline),
        cmocka_unit_test(out_of_order),
        cmocka_unit_test(dropped_after_sending),
        cmocka_unit_test(server_restarted),
        cmocka_unit_test(nobody_listens),
        cmocka_unit_test(second_address),
        cmocka_unit_test(unix_socket),
        cmocka_unit_test(doubt_repeated),
        cmocka_unit_test(doubt_settled_by_the_next_call),
        cmocka_unit_test(lane_continued),
        cmocka_unit_test(expired_before_sending),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
