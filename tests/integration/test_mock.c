/*
 * `punkt mock` seen from its clients: every command of a script by what it does to frames, or to libpunkt.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <punkt.h>

#include "mock_world.h"
#include "proto/frame.h"
#include "talk.h"

#define CARD "2900000000018"
#define EPOCH UINT64_C(0x0123456789abcdef)

static const struct msg_ping_request ping = { .end_ = 0 };

static void expect_booked(json_t *booked, size_t count)
{
    if (json_array_size(booked) != count)
        fail_msg("%zu are booked, not %zu", json_array_size(booked), count);
    json_decref(booked);
}

/* The commands told so far have taken effect. */
static void settle(struct mock_world *mock)
{
    struct talk *talk = talk_hello(mock_world_address(mock), 0, 1, NULL);
    talk_ping(talk);
    talk_free(talk);
}

static void send_purchase(struct talk *talk, uint64_t number, uint64_t amount)
{
    struct msg_purchase_request purchase = talk_purchase(CARD, amount, "");
    talk_send(talk, OPERATION_PURCHASE, 0, number, &purchase);
}

static int64_t earned_of(struct talk *talk, const struct talk_answer *answer)
{
    struct msg_purchase_answer out;
    talk_decode(talk, answer, &out);
    return out.earned;
}

static struct punkt *client_of(const char *address)
{
    struct punkt_options options = { .size = sizeof(options), .server = address, .timeout_ms = 20000 };
    struct punkt *punkt;
    assert_int_equal(punkt_new(&options, &punkt), PUNKT_CALL_DONE);
    return punkt;
}

static struct punkt_purchase_answer sell(struct punkt *punkt, int64_t amount)
{
    struct punkt_purchase_request request = {
        .size = sizeof(request), .card = CARD, .amount = amount, .store = "1", .till = "2"
    };
    struct punkt_purchase_answer answer = PUNKT_ANSWER_INIT(answer);
    (void)punkt_purchase(punkt, &request, &answer);
    return answer;
}

/* --- its life --- */

static void test_ends(void **state)
{
    static const char *const seconds[] = { "punkt", "--json", "mock", "--for", "1", NULL };
    struct run run;
    (void)state;
    json_decref(mock_world_end(mock_world_new(NULL)));
    expect_booked(mock_world_end_by(mock_world_new(NULL), SIGTERM), 0);
    expect_booked(mock_world_end_by(mock_world_new(NULL), SIGINT), 0);
    run_begin(seconds, NULL, &run);
    run_end(&run);
    assert_int_equal(run.exit_code, 0);
    json_t *ready = json_loads(run.out, 0, NULL);
    assert_non_null(json_string_value(json_object_get(ready, "ready")));
    json_decref(ready);
    run_done(&run);
}

/* A file with a mistake starts nothing, and says where it is. */
static void test_wrong_script(void **state)
{
    char path[] = "/tmp/punkt-script-XXXXXX";
    char wanted[128];
    int fd = mkstemp(path);
    struct run run;
    (void)state;
    assert_true(fd >= 0);
    assert_true(dprintf(fd, "# a comment\ncard 29 balance 5\nrefuse purchase nothing\n") > 0);
    (void)close(fd);
    run_begin((const char *const[]){ "punkt", "mock", "--script", path, NULL }, NULL, &run);
    run_end(&run);
    assert_int_equal(run.exit_code, 2);
    (void)snprintf(wanted, sizeof(wanted), "%s:3:17: there is no result \"nothing\"", path);
    assert_non_null(strstr(run.err, wanted));
    assert_string_equal(run.out, "");
    run_done(&run);
    (void)unlink(path);
}

static void test_live_mistake(void **state)
{
    struct mock_world *mock = mock_world_new(NULL);
    (void)state;
    mock_world_tell(mock, "card 29 balance 5");
    mock_world_tell(mock, "card 29 colour red");
    mock_world_tell(mock, "card 29 tier gold");
    struct talk *talk = talk_hello(mock_world_address(mock), 0, 1, NULL);
    struct msg_card_show_answer card = talk_card(talk, "29");
    assert_int_equal(card.available, 5);
    assert_memory_equal(card.tier.bytes, "gold", 4);
    talk_free(talk);
    expect_booked(
        mock_world_end_saying(
            mock, "punkt: mock: -:2:9: what is \"colour\"? There is balance, status, tier, expiry\n"),
        0);
}

/* --- rules --- */

static void test_refuse(void **state)
{
    struct mock_world *mock = mock_world_new(NULL);
    struct talk *talk = talk_hello(mock_world_address(mock), EPOCH, 1, NULL);
    struct msg_purchase_request other = talk_purchase("2900000000025", 100, "");
    (void)state;
    mock_world_tell(mock, "refuse purchase card_blocked card=" CARD " times 2");
    send_purchase(talk, 1, 100);
    (void)talk_expect_refusal(talk, OPERATION_PURCHASE, 1, RESULT_CARD_BLOCKED);
    talk_send(talk, OPERATION_PURCHASE, 0, 2, &other);
    (void)talk_expect(talk, OPERATION_PURCHASE, 2);
    send_purchase(talk, 3, 100);
    (void)talk_expect_refusal(talk, OPERATION_PURCHASE, 3, RESULT_CARD_BLOCKED);
    send_purchase(talk, 3, 100); /* for good: a repeat is told the same */
    (void)talk_expect_refusal(talk, OPERATION_PURCHASE, 3, RESULT_CARD_BLOCKED);
    send_purchase(talk, 4, 100);
    (void)talk_expect(talk, OPERATION_PURCHASE, 4);
    /* What may be tried again leaves its number. */
    mock_world_tell(mock, "refuse purchase busy");
    send_purchase(talk, 5, 100);
    (void)talk_expect_refusal(talk, OPERATION_PURCHASE, 5, RESULT_BUSY);
    send_purchase(talk, 6, 100);
    (void)talk_expect_refusal(talk, OPERATION_PURCHASE, 6, RESULT_OUT_OF_ORDER);
    send_purchase(talk, 5, 100);
    (void)talk_expect(talk, OPERATION_PURCHASE, 5);
    talk_free(talk);
    expect_booked(mock_world_end(mock), 3);
}

static void test_refuse_hello(void **state)
{
    struct mock_world *mock = mock_world_new(NULL);
    struct msg_hello_request hello = { .version_min = 1, .version_max = 1, .first_unanswered = 1 };
    struct talk *talk = talk_open(mock_world_address(mock));
    (void)state;
    mock_world_tell(mock, "refuse hello version");
    talk_send(talk, OPERATION_HELLO, 0, 7, &hello);
    (void)talk_expect_refusal(talk, OPERATION_HELLO, 7, RESULT_VERSION);
    talk_send(talk, OPERATION_PING, 0, 8, &ping);
    (void)talk_expect_refusal(talk, OPERATION_PING, 8, RESULT_HELLO_FIRST);
    talk_send(talk, OPERATION_HELLO, 0, 9, &hello);
    (void)talk_expect(talk, OPERATION_HELLO, 9);
    talk_free(talk);
    expect_booked(mock_world_end(mock), 0);
}

static void test_answer(void **state)
{
    struct mock_world *mock = mock_world_new(NULL);
    struct talk *talk = talk_hello(mock_world_address(mock), EPOCH, 1, NULL);
    struct talk_answer answer;
    struct msg_purchase_answer out;
    struct msg_programme_history_answer history;
    static const struct msg_programme_history_request request = { .end_ = 0 };
    (void)state;
    mock_world_tell(mock,
                    "answer purchase {\"earned\": 7, \"tier\": \"gold\", \"spent\": [{\"points\": 3}]}");
    send_purchase(talk, 1, 10000);
    answer = talk_expect(talk, OPERATION_PURCHASE, 1);
    talk_decode(talk, &answer, &out);
    assert_int_equal(out.earned, 7);
    assert_int_equal(out.available, 100); /* what it does not name is as it was */
    assert_memory_equal(out.tier.bytes, "gold", 4);
    assert_int_equal(out.spent_count, 1);
    assert_int_equal(out.spent[0].points, 3);
    /* An operation that the mock does not play. */
    talk_send(talk, OPERATION_PROGRAMME_HISTORY, 0, 90, &request);
    (void)talk_expect_refusal(talk, OPERATION_PROGRAMME_HISTORY, 90, RESULT_UNKNOWN_OPERATION);
    mock_world_tell(mock, "answer programme_history {\"versions\": [{\"version\": 3}]} always");
    for (uint64_t number = 91; number < 93; number++) {
        talk_send(talk, OPERATION_PROGRAMME_HISTORY, 0, number, &request);
        answer = talk_expect(talk, OPERATION_PROGRAMME_HISTORY, number);
        talk_decode(talk, &answer, &history);
        assert_int_equal(history.versions_count, 1);
        assert_int_equal(history.versions[0].version, 3);
    }
    mock_world_tell(mock, "forget rules");
    talk_send(talk, OPERATION_PROGRAMME_HISTORY, 0, 93, &request);
    (void)talk_expect_refusal(talk, OPERATION_PROGRAMME_HISTORY, 93, RESULT_UNKNOWN_OPERATION);
    talk_free(talk);
    expect_booked(mock_world_end(mock), 1);
}

static void test_delay(void **state)
{
    struct mock_world *mock = mock_world_new(NULL);
    struct talk *slow = talk_hello(mock_world_address(mock), EPOCH, 1, NULL);
    struct talk *other = talk_hello(mock_world_address(mock), EPOCH + 1, 1, NULL);
    (void)state;
    mock_world_tell(mock, "delay purchase 300ms");
    int64_t start_ms = world_now_ms();
    send_purchase(slow, 1, 100);
    send_purchase(slow, 2, 200);
    talk_send(slow, OPERATION_PING, 0, 77, &ping);
    (void)talk_expect(slow, OPERATION_PING, 77); /* overtakes, for it is no change */
    send_purchase(other, 1, 300);
    (void)talk_expect(other, OPERATION_PURCHASE, 1);
    (void)talk_expect(slow, OPERATION_PURCHASE, 1);
    assert_true(world_now_ms() - start_ms >= 299);
    (void)talk_expect(slow, OPERATION_PURCHASE, 2);
    talk_free(slow);
    talk_free(other);
    expect_booked(mock_world_end(mock), 3);
}

static void test_drop(void **state)
{
    struct mock_world *mock = mock_world_new(NULL);
    struct punkt *punkt = client_of(mock_world_address(mock));
    (void)state;
    mock_world_tell(mock, "drop purchase before commit");
    struct punkt_purchase_answer answer = sell(punkt, 1050);
    assert_int_equal(answer.head.call, PUNKT_CALL_DONE);
    assert_false(answer.head.replayed);
    mock_world_tell(mock, "drop purchase after commit times 2");
    answer = sell(punkt, 2050);
    assert_int_equal(answer.head.call, PUNKT_CALL_DONE);
    assert_true(answer.head.replayed);
    assert_int_equal(answer.earned, 20);
    assert_int_equal(answer.available, 30);
    punkt_free(punkt);
    expect_booked(mock_world_end(mock), 2);
}

static void test_duplicate(void **state)
{
    struct mock_world *mock = mock_world_new(NULL);
    struct talk *talk = talk_hello(mock_world_address(mock), EPOCH, 1, NULL);
    struct punkt *punkt = client_of(mock_world_address(mock));
    struct talk_answer answer;
    (void)state;
    mock_world_tell(mock, "duplicate purchase");
    send_purchase(talk, 1, 500);
    answer = talk_expect(talk, OPERATION_PURCHASE, 1);
    assert_int_equal(earned_of(talk, &answer), 5);
    answer = talk_expect(talk, OPERATION_PURCHASE, 1);
    assert_int_equal(earned_of(talk, &answer), 5);
    mock_world_tell(mock, "duplicate any always");
    for (int64_t i = 1; i <= 3; i++) {
        struct punkt_purchase_answer sold = sell(punkt, i * 100);
        assert_int_equal(sold.head.call, PUNKT_CALL_DONE);
        assert_int_equal(sold.earned, i);
    }
    talk_free(talk);
    punkt_free(punkt);
    expect_booked(mock_world_end(mock), 4);
}

static void test_reorder(void **state)
{
    struct mock_world *mock = mock_world_new(NULL);
    struct talk *talk = talk_hello(mock_world_address(mock), EPOCH, 1, NULL);
    (void)state;
    mock_world_tell(mock, "reorder 3");
    for (uint64_t number = 1; number <= 4; number++)
        send_purchase(talk, number, 100);
    (void)talk_expect(talk, OPERATION_PURCHASE, 3);
    (void)talk_expect(talk, OPERATION_PURCHASE, 2);
    (void)talk_expect(talk, OPERATION_PURCHASE, 1);
    (void)talk_expect(talk, OPERATION_PURCHASE, 4);
    talk_free(talk);
    expect_booked(mock_world_end(mock), 4);
}

static void test_split(void **state)
{
    struct mock_world *mock = mock_world_new(NULL);
    struct punkt *punkt = client_of(mock_world_address(mock));
    (void)state;
    mock_world_tell(mock, "split any 1 times 2");
    mock_world_tell(mock, "split any 7 times 2");
    for (int64_t i = 1; i <= 4; i++)
        assert_int_equal(sell(punkt, i * 100).earned, i);
    punkt_free(punkt);
    expect_booked(mock_world_end(mock), 4);
}

static void test_garble(void **state)
{
    struct mock_world *mock = mock_world_new(NULL);
    struct talk *talk = talk_hello(mock_world_address(mock), EPOCH, 1, NULL);
    struct talk_answer answer;
    (void)state;
    send_purchase(talk, 1, 100);
    answer = talk_expect(talk, OPERATION_PURCHASE, 1);
    uint8_t first[64];
    assert_true(answer.body_size <= sizeof(first));
    memcpy(first, answer.body, answer.body_size);
    mock_world_tell(mock, "garble purchase");
    send_purchase(talk, 1, 100);
    answer = talk_expect(talk, OPERATION_PURCHASE, 1);
    for (size_t i = 0; i < answer.body_size; i++)
        assert_int_equal(answer.body[i], first[i] ^ 0xFF);
    talk_free(talk);
    expect_booked(mock_world_end(mock), 1);
}

/* --- commands --- */

static void test_silence(void **state)
{
    struct mock_world *mock = mock_world_new(NULL);
    struct talk *talk = talk_hello(mock_world_address(mock), EPOCH, 1, NULL);
    struct pollfd polled = { .fd = talk_fd(talk), .events = POLLIN };
    (void)state;
    mock_world_tell(mock, "go silent");
    send_purchase(talk, 1, 100);
    assert_int_equal(poll(&polled, 1, 100), 0);
    mock_world_tell(mock, "go on");
    (void)talk_expect(talk, OPERATION_PURCHASE, 1);
    talk_free(talk);
    expect_booked(mock_world_end(mock), 1);
}

static void test_listening(void **state)
{
    struct mock_world *mock = mock_world_new(NULL);
    struct punkt *punkt = client_of(mock_world_address(mock));
    struct talk *witness = talk_hello(mock_world_address(mock), 0, 1, NULL);
    struct punkt_ping_answer pong = PUNKT_ANSWER_INIT(pong);
    struct punkt_plain_request request = { .size = sizeof(request), .timeout_ms = 200 };
    (void)state;
    assert_int_equal(sell(punkt, 100).head.call, PUNKT_CALL_DONE);
    mock_world_tell(mock, "stop listening");
    talk_ping(witness);
    mock_world_tell(mock, "close connections");
    talk_expect_end(witness);
    talk_free(witness);
    assert_int_not_equal(punkt_ping(punkt, &request, &pong), PUNKT_CALL_DONE);
    mock_world_tell(mock, "listen again");
    assert_int_equal(sell(punkt, 200).head.call, PUNKT_CALL_DONE);
    punkt_free(punkt);
    expect_booked(mock_world_end(mock), 2);
}

static void test_cards(void **state)
{
    struct mock_world *mock = mock_world_new((const char *const[]){ "--balance", "50", NULL });
    struct talk *talk = talk_hello(mock_world_address(mock), EPOCH, 1, NULL);
    struct msg_redeem_request redeem = talk_redeem(CARD, 51);
    (void)state;
    talk_send(talk, OPERATION_REDEEM, 0, 1, &redeem);
    (void)talk_expect_refusal(talk, OPERATION_REDEEM, 1, RESULT_NOT_ENOUGH_POINTS);
    mock_world_tell(mock, "card " CARD " balance 500 expiry 2026-12-31 40");
    talk_send(talk, OPERATION_REDEEM, 0, 2, &redeem);
    (void)talk_expect(talk, OPERATION_REDEEM, 2);
    struct msg_card_show_answer card = talk_card(talk, CARD);
    assert_int_equal(card.available, 449);
    assert_int_equal(card.next_expiry_day, 20818);
    assert_int_equal(card.next_expiry_points, 40);
    mock_world_tell(mock, "card " CARD " status blocked");
    assert_int_equal(talk_card(talk, CARD).status, 2);
    talk_send(talk, OPERATION_REDEEM, 0, 3, &redeem);
    (void)talk_expect_refusal(talk, OPERATION_REDEEM, 3, RESULT_CARD_BLOCKED);
    mock_world_tell(mock, "card " CARD " status unknown");
    send_purchase(talk, 4, 100);
    (void)talk_expect_refusal(talk, OPERATION_PURCHASE, 4, RESULT_UNKNOWN_CARD);
    struct msg_purchase_request purchase = talk_purchase(CARD, 700, "");
    talk_send(talk, OPERATION_PURCHASE, FRAME_FLAG_ADVICE, 5, &purchase);
    struct talk_answer answer = talk_expect(talk, OPERATION_PURCHASE, 5);
    struct msg_purchase_answer out;
    talk_decode(talk, &answer, &out);
    assert_int_equal(out.flags, 2); /* to suspense */
    assert_int_equal(out.available, 7);
    assert_int_equal(talk_card(talk, CARD).status, 5);
    talk_free(talk);
    expect_booked(mock_world_end(mock), 2);
}

/* A server that lost what it had answered: the till sends it again under its old numbers. */
static void test_lose(void **state)
{
    struct mock_world *mock = mock_world_new(NULL);
    struct msg_hello_answer hello;
    struct talk *talk = talk_hello(mock_world_address(mock), EPOCH, 1, &hello);
    (void)state;
    assert_int_equal(hello.term, 1);
    for (uint64_t number = 1; number <= 5; number++) {
        send_purchase(talk, number, number * 100);
        (void)talk_expect(talk, OPERATION_PURCHASE, number);
    }
    assert_int_equal(talk_card(talk, CARD).available, 15);
    mock_world_tell(mock, "lose 2");
    talk_free(talk);
    talk = talk_hello(mock_world_address(mock), EPOCH, 6, &hello);
    assert_int_equal(hello.term, 2);
    assert_int_equal(hello.last_booked, 3);
    assert_int_equal(talk_card(talk, CARD).available, 6);
    struct msg_purchase_request again = talk_purchase(CARD, 400, "");
    talk_send(talk, OPERATION_PURCHASE, FRAME_FLAG_ADVICE | FRAME_FLAG_SERVER_LOST, 4, &again);
    struct talk_answer answer = talk_expect(talk, OPERATION_PURCHASE, 4);
    assert_int_equal(answer.flags, 0);
    send_purchase(talk, 3, 300);
    answer = talk_expect(talk, OPERATION_PURCHASE, 3);
    assert_int_equal(answer.flags, FRAME_FLAG_REPLAYED);
    mock_world_tell(mock, "term 9");
    talk_free(talk);
    talk = talk_hello(mock_world_address(mock), EPOCH, 5, &hello);
    assert_int_equal(hello.term, 9);
    assert_int_equal(talk_card(talk, CARD).available, 10);
    talk_free(talk);
    expect_booked(mock_world_end(mock), 4);
}

/* --- an outbox --- */

static uint64_t queued_of(struct punkt *punkt)
{
    struct punkt_outbox_info info = { .size = sizeof(info) };
    punkt_outbox_info(punkt, &info);
    return info.queued;
}

/* Until everything in the outbox is answered. */
static void drain(struct punkt *punkt)
{
    int64_t start_ms = world_now_ms();
    while (queued_of(punkt) > 0) {
        (void)punkt_drive(punkt, 100);
        world_patience(start_ms);
    }
}

/* Sales that were queued, and those that a server has lost, are booked once each. */
static void test_outbox(void **state)
{
    char folder[] = "/tmp/punkt-outbox-XXXXXX";
    char path[64];
    struct mock_world *mock = mock_world_new(NULL);
    struct punkt_options options = { .size = sizeof(options),
                                     .server = mock_world_address(mock),
                                     .timeout_ms = 200,
                                     .store = "1",
                                     .till = "2" };
    struct punkt *punkt;
    (void)state;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof(path), "%s/outbox", folder);
    options.outbox = path;
    assert_int_equal(punkt_new(&options, &punkt), PUNKT_CALL_DONE);
    assert_int_equal(sell(punkt, 100).head.call, PUNKT_CALL_DONE);
    mock_world_tell(mock, "go silent");
    assert_int_equal(sell(punkt, 200).head.call, PUNKT_CALL_QUEUED);
    assert_int_equal(sell(punkt, 300).head.call, PUNKT_CALL_QUEUED);
    mock_world_tell(mock, "drop purchase after commit times 2");
    mock_world_tell(mock, "go on");
    drain(punkt);
    mock_world_tell(mock, "lose 2");
    mock_world_tell(mock, "close connections");
    (void)sell(punkt, 400);
    drain(punkt);
    punkt_free(punkt);
    json_t *booked = mock_world_end(mock);
    int64_t amounts = 0;
    for (size_t i = 0; i < json_array_size(booked); i++)
        amounts += json_integer_value(
            json_object_get(json_object_get(json_array_get(booked, i), "request"), "amount"));
    assert_int_equal(amounts, 1000);
    expect_booked(booked, 4);
    assert_int_equal(unlink(path), 0);
    (void)snprintf(path, sizeof(path), "%s/outbox.lock", folder);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

/* --- what is printed --- */

static void test_dump(void **state)
{
    struct mock_world *mock = mock_world_new(NULL);
    struct talk *talk = talk_hello(mock_world_address(mock), EPOCH, 1, NULL);
    struct msg_purchase_request purchase = talk_purchase(CARD, 10500, "R1");
    struct talk_answer answer;
    (void)state;
    talk_send(talk, OPERATION_PURCHASE, FRAME_FLAG_ADVICE, 1, &purchase);
    (void)talk_expect(talk, OPERATION_PURCHASE, 1);
    talk_send(talk, OPERATION_PURCHASE, 0, 2, &purchase); /* the same receipt: tied */
    answer = talk_expect(talk, OPERATION_PURCHASE, 2);
    assert_int_equal(answer.flags, FRAME_FLAG_REPLAYED | FRAME_FLAG_TIED);
    purchase.amount = 10600;
    talk_send(talk, OPERATION_PURCHASE, 0, 3, &purchase);
    (void)talk_expect_refusal(talk, OPERATION_PURCHASE, 3, RESULT_RECEIPT_USED);
    talk_free(talk);
    json_t *booked = mock_world_end(mock);
    const char *epoch = NULL, *operation = NULL, *flag = NULL, *receipt = NULL;
    json_int_t number = 0, amount = 0, earned = 0;
    assert_int_equal(json_array_size(booked), 1);
    assert_int_equal(json_unpack(json_array_get(booked, 0), "{s:s, s:I, s:s, s:[s], s:{s:I, s:s}, s:{s:I}}",
                                 "epoch", &epoch, "number", &number, "operation", &operation, "flags", &flag,
                                 "request", "amount", &amount, "receipt", &receipt, "answer", "earned",
                                 &earned),
                     0);
    assert_string_equal(epoch, "0123456789abcdef");
    assert_string_equal(operation, "purchase");
    assert_string_equal(flag, "advice");
    assert_string_equal(receipt, "R1");
    assert_true(number == 1 && amount == 10500 && earned == 105);
    json_decref(booked);
}

static void test_echo(void **state)
{
    struct mock_world *mock = mock_world_new((const char *const[]){ "--echo", NULL });
    struct punkt *punkt = client_of(mock_world_address(mock));
    (void)state;
    struct punkt_purchase_answer sold = sell(punkt, 1050);
    assert_int_equal(sold.head.call, PUNKT_CALL_DONE);
    assert_int_equal(sold.position, 101);
    assert_int_equal(sold.earned, 102);
    assert_int_equal(sold.available, 103);
    assert_string_equal(sold.tier, "tier");
    json_t *hello = json_loads(mock_world_line(mock), 0, NULL);
    assert_string_equal(json_string_value(json_object_get(hello, "operation")), "hello");
    json_t *purchase = json_loads(mock_world_line(mock), 0, NULL);
    assert_string_equal(json_string_value(json_object_get(purchase, "operation")), "purchase");
    assert_int_equal(json_integer_value(json_object_get(purchase, "number")), 1);
    const json_t *fields = json_object_get(purchase, "fields");
    assert_int_equal(json_integer_value(json_object_get(fields, "amount")), 1050);
    assert_string_equal(json_string_value(json_object_get(fields, "till")), "2");
    json_decref(hello);
    json_decref(purchase);
    punkt_free(punkt);
    expect_booked(mock_world_end(mock), 1);
}

static void test_ready_again(void **state)
{
    char path[64];
    char option[96];
    (void)state;
    (void)snprintf(path, sizeof(path), "/tmp/punkt-mock-%d.socket", (int)getpid());
    (void)snprintf(option, sizeof(option), "unix:%s", path);
    struct mock_world *mock = mock_world_new((const char *const[]){ "--listen", option, NULL });
    assert_string_equal(mock_world_address(mock), option);
    settle(mock);
    expect_booked(mock_world_end(mock), 0);
    assert_int_not_equal(access(path, F_OK), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ends),         cmocka_unit_test(test_wrong_script),
        cmocka_unit_test(test_live_mistake), cmocka_unit_test(test_refuse),
        cmocka_unit_test(test_refuse_hello), cmocka_unit_test(test_answer),
        cmocka_unit_test(test_delay),        cmocka_unit_test(test_drop),
        cmocka_unit_test(test_duplicate),    cmocka_unit_test(test_reorder),
        cmocka_unit_test(test_split),        cmocka_unit_test(test_garble),
        cmocka_unit_test(test_silence),      cmocka_unit_test(test_listening),
        cmocka_unit_test(test_cards),        cmocka_unit_test(test_lose),
        cmocka_unit_test(test_dump),         cmocka_unit_test(test_echo),
        cmocka_unit_test(test_outbox),       cmocka_unit_test(test_ready_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
