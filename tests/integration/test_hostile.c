/*
 * Requests that are well formed and make no sense: each gets an answer, and a daemon that still talks. What they name is not
 * there, is something else, or is as much as a field can say.
 */
#include <stdio.h>
#include <string.h>

#include "proto/frame.h"
#include "talk.h"
#include "world.h"

#define CARD "2900000000018"
#define OTHER_CARD "2900000000025"
#define EPOCH UINT64_C(0x0123456789abcdef)

struct till {
    struct world *world;
    struct talk *talk;
    uint64_t next;
};

static struct till till_open(void)
{
    struct till till = { .world = world_new(NULL), .next = 3 };
    till.talk = talk_hello(world_address(till.world), EPOCH, 1, NULL);
    talk_issue(till.talk, 1, CARD, 1);
    talk_issue(till.talk, 2, OTHER_CARD, 1);
    return till;
}

static void till_close(struct till *till)
{
    talk_ping(till->talk);
    talk_free(till->talk);
    world_free(till->world);
}

/* Whatever the answer is: there is one, and it is remembered. */
static enum result sends(struct till *till, enum operation operation, uint16_t flags, const void *body)
{
    struct talk_answer answer;
    talk_send(till->talk, operation, flags, till->next, body);
    assert_true(talk_receive(till->talk, &answer));
    assert_int_equal(answer.number, till->next);
    till->next++;
    return talk_result(till->talk, &answer);
}

/* (Limits) A tag has a name. */
static void test_tags_without_a_name(void **state)
{
    struct till till = till_open();
    struct msg_account_tag_request request;
    struct msg_tag none = { .tag = talk_code("") };
    (void)state;
    message_init(MESSAGE_account_tag_request, &request);
    request.card = talk_code(CARD);
    request.set = &none;
    request.set_count = 1;
    assert_int_equal(sends(&till, OPERATION_ACCOUNT_TAG, 0, &request), RESULT_OVER_LIMIT);
    request.set_count = 0;
    request.clear = &none;
    request.clear_count = 1;
    assert_int_equal(sends(&till, OPERATION_ACCOUNT_TAG, 0, &request), RESULT_OVER_LIMIT);
    till_close(&till);
}

static const uint64_t positions[] = { 1, 2, 100, 1000, UINT64_MAX - 1, UINT64_MAX };

/* Wishes of a receipt: below zero, beyond all, holds that are none, an event of another kind. */
static void test_wishes(void **state)
{
    static const uint16_t flags[] = { 0, FRAME_FLAG_ADVICE };
    struct msg_wish wishes[] = {
        { .points = -1 },
        { .points = -MESSAGE_POINTS_MAX, .quantity = UINT32_MAX },
        { .points = MESSAGE_POINTS_MAX },
        { .points = 5, .line = 4096 },
        { .points = 5, .quantity = 0 },
        { .points = 5, .reward = { .size = 3, .bytes = "mug" }, .quantity = UINT32_MAX },
    };
    struct till till = till_open();
    struct msg_purchase_request purchase = talk_purchase(CARD, 1000, "");
    (void)state;
    purchase.wishes_count = 1;
    for (size_t f = 0; f < 2; f++) {
        for (size_t i = 0; i < sizeof(wishes) / sizeof(wishes[0]); i++) {
            purchase.wishes = &wishes[i];
            enum result result = sends(&till, OPERATION_PURCHASE, flags[f], &purchase);
            assert_int_equal(result == RESULT_DONE, f == 1);
        }
        for (size_t i = 0; i < sizeof(positions) / sizeof(positions[0]); i++) {
            struct msg_wish wish = { .points = 5, .hold = positions[i] };
            purchase.wishes = &wish;
            enum result result = sends(&till, OPERATION_PURCHASE, flags[f], &purchase);
            assert_int_equal(result, f == 1 ? RESULT_DONE : RESULT_UNKNOWN_HOLD);
        }
    }
    till_close(&till);
}

static struct msg_capture_request capture_of(const char *card, uint64_t hold)
{
    struct msg_capture_request capture;
    message_init(MESSAGE_capture_request, &capture);
    capture.card = talk_code(card);
    capture.hold = hold;
    capture.store = capture.till = talk_code("1");
    return capture;
}

/* A hold that is another card's, another event, or nowhere. */
static void test_holds(void **state)
{
    struct till till = till_open();
    struct msg_purchase_request purchase = talk_purchase(CARD, 1000, "");
    struct msg_hold_request hold;
    struct msg_hold_answer held;
    (void)state;
    assert_int_equal(sends(&till, OPERATION_PURCHASE, 0, &purchase), RESULT_DONE);
    message_init(MESSAGE_hold_request, &hold);
    hold.card = talk_code(CARD);
    hold.points = 5;
    hold.store = hold.till = talk_code("1");
    talk_send(till.talk, OPERATION_HOLD, 0, till.next, &hold);
    struct talk_answer answer = talk_expect(till.talk, OPERATION_HOLD, till.next++);
    talk_decode(till.talk, &answer, &held);
    for (size_t i = 0; i < sizeof(positions) / sizeof(positions[0]); i++) {
        struct msg_capture_request capture = capture_of(CARD, positions[i]);
        assert_int_equal(sends(&till, OPERATION_CAPTURE, 0, &capture), RESULT_UNKNOWN_HOLD);
        assert_int_equal(sends(&till, OPERATION_CAPTURE, FRAME_FLAG_ADVICE, &capture), RESULT_DONE);
    }
    struct msg_capture_request others = capture_of(OTHER_CARD, held.position);
    assert_int_equal(sends(&till, OPERATION_CAPTURE, 0, &others), RESULT_OTHER_ACCOUNT);
    assert_int_equal(sends(&till, OPERATION_CAPTURE, FRAME_FLAG_ADVICE, &others), RESULT_DONE);
    struct msg_capture_request own = capture_of(CARD, held.position);
    own.points = MESSAGE_POINTS_MAX;
    assert_int_equal(sends(&till, OPERATION_CAPTURE, 0, &own), RESULT_MORE_THAN_HELD);
    assert_int_equal(sends(&till, OPERATION_CAPTURE, FRAME_FLAG_ADVICE, &own), RESULT_DONE);
    assert_int_equal(talk_card(till.talk, CARD).available, 5);
    till_close(&till);
}

/* A purchase that is somewhere in the journal, or not. */
static void test_positions_of_purchases(void **state)
{
    static const uint16_t flags[] = { 0, FRAME_FLAG_ADVICE };
    struct till till = till_open();
    struct msg_return_request goods;
    struct msg_redeem_request redeem = talk_redeem(CARD, 1);
    (void)state;
    message_init(MESSAGE_return_request, &goods);
    goods.card = talk_code(CARD);
    goods.amount = 100;
    goods.store = goods.till = talk_code("1");
    for (size_t i = 0; i < sizeof(positions) / sizeof(positions[0]); i++) {
        for (size_t f = 0; f < 2; f++) {
            goods.sale_position = redeem.sale_position = positions[i];
            assert_int_equal(sends(&till, OPERATION_RETURN, flags[f], &goods), RESULT_UNKNOWN_PURCHASE);
            /* A redemption that has happened is booked without the purchase that it cannot name. */
            enum result redeemed = flags[f] == FRAME_FLAG_ADVICE ? RESULT_DONE : RESULT_UNKNOWN_PURCHASE;
            assert_int_equal(sends(&till, OPERATION_REDEEM, flags[f], &redeem), redeemed);
        }
    }
    till_close(&till);
}

/* (Undoing) Numbers that say nothing, are later ones, of other lanes, or of reversals and what they left. */
static void test_reversals(void **state)
{
    static const struct {
        uint64_t epoch;
        int64_t number; /* beyond this one */
        enum result want;
    } rows[] = {
        { 0, -1, RESULT_DOES_NOT_MATCH },
        { EPOCH, 0, RESULT_DOES_NOT_MATCH },
        { EPOCH, 1, RESULT_DONE },
        { EPOCH, 0, RESULT_WILL_BE_REFUSED },
        { EPOCH, -1, RESULT_DONE },
        { EPOCH, -3, RESULT_CANNOT_BE_REVERSED },
        { EPOCH + 1, 1, RESULT_DONE },
        { EPOCH + 1, 0, RESULT_DONE },
        { EPOCH, INT64_MAX - 100, RESULT_DONE },
    };
    struct till till = till_open();
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct msg_reversal_request reversal;
        message_init(MESSAGE_reversal_request, &reversal);
        reversal.epoch = rows[i].epoch;
        reversal.number = till.next + (uint64_t)rows[i].number;
        reversal.store = reversal.till = talk_code("1");
        enum result got = sends(&till, OPERATION_REVERSAL, 0, &reversal);
        if (got != rows[i].want)
            fail_msg("row %zu: %d", i, (int)got);
    }
    till_close(&till);
}

/* (End of day) Figures that are as much as a field can say, of the first and the last day, in balance with nothing. */
static void test_figures_of_a_day(void **state)
{
    static const int64_t amounts[] = { 0, INT64_MAX, -INT64_MAX };
    static const uint64_t counts[] = { 0, UINT64_MAX }, dates[] = { 0, MESSAGE_DAY_MAX };
    struct till till = till_open();
    (void)state;
    for (size_t i = 0; i < 3 * 2 * 2; i++) {
        struct msg_day_close_request close;
        message_init(MESSAGE_day_close_request, &close);
        close.store = close.till = talk_code("1");
        close.purchase_amount = close.return_amount = amounts[i % 3];
        close.purchases = close.returns = close.reversals = close.hash = counts[i / 3 % 2];
        close.queued = i % 5 == 4 ? UINT64_MAX : 0;
        close.date = dates[i / 6];
        assert_int_equal(sends(&till, OPERATION_DAY_CLOSE, 0, &close), RESULT_DONE);
    }
    world_kill(till.world); /* the journal is read again */
    world_start(till.world);
    talk_free(till.talk);
    till.talk = talk_hello(world_address(till.world), EPOCH, till.next, NULL);
    till_close(&till);
}

/* (Who sends) A lane that begins where numbers end: each number gets an answer, and what is asked of it, too. */
static void test_last_numbers(void **state)
{
    static const uint64_t firsts[] = { 0, 64, UINT64_MAX - 64 * 200, UINT64_MAX - 1, UINT64_MAX };
    struct till till = till_open();
    struct msg_purchase_request sale = talk_purchase(CARD, 100, "");
    struct msg_day_numbers_answer numbers;
    struct msg_hello_answer hello;
    (void)state;
    talk_free(till.talk);
    till.talk = talk_hello(world_address(till.world), EPOCH + 1, UINT64_MAX - 1, NULL);
    for (uint64_t number = UINT64_MAX - 1; number != 0; number++) {
        talk_send(till.talk, OPERATION_PURCHASE, 0, number, &sale);
        (void)talk_expect(till.talk, OPERATION_PURCHASE, number);
    }
    talk_send(till.talk, OPERATION_PURCHASE, 0, 1, &sale);
    (void)talk_expect_refusal(till.talk, OPERATION_PURCHASE, 1, RESULT_CONFLICT);
    for (size_t i = 0; i < sizeof(firsts) / sizeof(firsts[0]); i++) {
        struct msg_day_numbers_request request = { .epoch = EPOCH + 1, .first = firsts[i] };
        talk_send(till.talk, OPERATION_DAY_NUMBERS, 0, 7, &request);
        struct talk_answer answer = talk_expect(till.talk, OPERATION_DAY_NUMBERS, 7);
        talk_decode(till.talk, &answer, &numbers);
        assert_true(numbers.last == UINT64_MAX && numbers.next != firsts[i]);
    }
    talk_free(till.talk);
    till.talk = talk_hello(world_address(till.world), EPOCH + 1, 1, &hello);
    assert_true(hello.last_booked == UINT64_MAX);
    till_close(&till);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_figures_of_a_day),
        cmocka_unit_test(test_last_numbers),
        cmocka_unit_test(test_tags_without_a_name),
        cmocka_unit_test(test_wishes),
        cmocka_unit_test(test_holds),
        cmocka_unit_test(test_positions_of_purchases),
        cmocka_unit_test(test_reversals),
    };
    return cmocka_run_group_tests_name("hostile", tests, NULL, NULL);
}
