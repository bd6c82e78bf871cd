/*
 * The table of DOMAIN.md, Undoing, over the wire: each row by itself, and again with a daemon that is killed between any
 * two requests.
 */
#include <string.h>

#include "proto/frame.h"
#include "talk.h"
#include "world.h"

#define CARD "2900000000018"
#define OTHER "2900000000025"
#define EPOCH UINT64_C(0x0123456789abcdef)

enum { REVERSED = 1, NOTHING_TO_REVERSE = 2, WILL_BE_REFUSED = 3 };

/* A till that begins with 1,000 points on each of two cards. */
struct till {
    struct world *world;
    struct talk *talk;
    uint64_t number; /* of the next change */
    bool killing;
};

static void between_requests(struct till *till)
{
    if (!till->killing)
        return;
    talk_free(till->talk);
    world_kill(till->world);
    world_start(till->world);
    till->talk = talk_hello(world_address(till->world), EPOCH, till->number, NULL);
}

/* Returns the number it went under. */
static uint64_t send(struct till *till, enum operation operation, const void *body, struct talk_answer *out)
{
    between_requests(till);
    uint64_t number = till->number++;
    talk_send(till->talk, operation, 0, number, body);
    assert_true(talk_receive(till->talk, out));
    assert_int_equal(out->number, number);
    return number;
}

static uint64_t done(struct till *till, enum operation operation, const void *body, struct talk_answer *out)
{
    uint64_t number = send(till, operation, body, out);
    assert_int_equal(talk_result(till->talk, out), RESULT_DONE);
    return number;
}

static uint64_t adjust(struct till *till, const char *card, int64_t points)
{
    struct msg_adjust_request adjust;
    struct talk_answer answer;
    message_init(MESSAGE_adjust_request, &adjust);
    adjust.card = talk_code(card);
    adjust.points = points;
    adjust.reason = talk_code("goodwill");
    return done(till, OPERATION_ADJUST, &adjust, &answer);
}

static struct till begin(const void *killing)
{
    struct till till = { .world = world_new(NULL), .number = 1, .killing = *(const bool *)killing };
    till.talk = talk_hello(world_address(till.world), EPOCH, 1, NULL);
    talk_issue(till.talk, till.number++, CARD, 1);
    talk_issue(till.talk, till.number++, OTHER, 1);
    (void)adjust(&till, CARD, 1000);
    return till;
}

static void end(struct till *till)
{
    talk_free(till->talk);
    world_free(till->world);
}

static int64_t available(struct till *till)
{
    between_requests(till);
    return talk_card(till->talk, CARD).available;
}

static struct msg_reversal_request reversal_of(uint64_t number)
{
    struct msg_reversal_request reversal;
    message_init(MESSAGE_reversal_request, &reversal);
    reversal.epoch = EPOCH;
    reversal.number = number;
    reversal.store = reversal.till = talk_code("1");
    return reversal;
}

static struct msg_reversal_answer reverse(struct till *till, uint64_t number)
{
    struct msg_reversal_request request = reversal_of(number);
    struct msg_reversal_answer reversed;
    struct talk_answer answer;
    (void)done(till, OPERATION_REVERSAL, &request, &answer);
    talk_decode(till->talk, &answer, &reversed);
    return reversed;
}

static void refused(struct till *till, const struct msg_reversal_request *request, enum result result)
{
    struct talk_answer answer;
    (void)send(till, OPERATION_REVERSAL, request, &answer);
    assert_int_equal(talk_result(till->talk, &answer), result);
}

static uint64_t buy(struct till *till, uint64_t amount, uint64_t *out_position)
{
    struct msg_purchase_request purchase = talk_purchase(CARD, amount, "");
    struct msg_purchase_answer bought;
    struct talk_answer answer;
    uint64_t number = done(till, OPERATION_PURCHASE, &purchase, &answer);
    talk_decode(till->talk, &answer, &bought);
    if (out_position != NULL)
        *out_position = bought.position;
    return number;
}

static uint64_t hold(struct till *till, uint64_t points, uint64_t *out_position)
{
    struct msg_hold_request request;
    struct msg_hold_answer held;
    struct talk_answer answer;
    message_init(MESSAGE_hold_request, &request);
    request.card = talk_code(CARD);
    request.points = points;
    request.store = request.till = talk_code("1");
    uint64_t number = done(till, OPERATION_HOLD, &request, &answer);
    talk_decode(till->talk, &answer, &held);
    *out_position = held.position;
    return number;
}

static uint64_t capture(struct till *till, uint64_t position, uint64_t points)
{
    struct msg_capture_request request;
    struct talk_answer answer;
    message_init(MESSAGE_capture_request, &request);
    request.card = talk_code(CARD);
    request.hold = position;
    request.points = points;
    request.store = request.till = talk_code("1");
    return done(till, OPERATION_CAPTURE, &request, &answer);
}

static uint64_t release(struct till *till, uint64_t position)
{
    struct msg_release_request request;
    struct talk_answer answer;
    message_init(MESSAGE_release_request, &request);
    request.card = talk_code(CARD);
    request.hold = position;
    request.store = request.till = talk_code("1");
    return done(till, OPERATION_RELEASE, &request, &answer);
}

static uint64_t bring_back(struct till *till, uint64_t position, uint64_t amount)
{
    struct msg_return_request goods;
    struct talk_answer answer;
    message_init(MESSAGE_return_request, &goods);
    goods.card = talk_code(CARD);
    goods.amount = amount;
    goods.store = goods.till = talk_code("1");
    goods.sale_position = position;
    return done(till, OPERATION_RETURN, &goods, &answer);
}

/* "booked: reversed"; "reversed before: nothing, the first answer again" */
static void test_booked(void **state)
{
    struct till till = begin(*state);
    uint64_t position;
    uint64_t sale = buy(&till, 5000, &position);
    uint64_t back = bring_back(&till, position, 2000);
    struct msg_redeem_request redeem = talk_redeem(CARD, 300);
    struct talk_answer answer;
    uint64_t spent = done(&till, OPERATION_REDEEM, &redeem, &answer);
    assert_int_equal(available(&till), 1000 + 30 - 300);

    struct msg_reversal_answer reversed = reverse(&till, spent);
    assert_int_equal(reversed.outcome, REVERSED);
    assert_int_equal(reversed.given_back, 300);
    assert_int_equal(reversed.available, 1030);
    reversed = reverse(&till, back);
    assert_int_equal(reversed.outcome, REVERSED);
    assert_int_equal(reversed.given_back, 20);
    struct msg_reversal_answer first = reverse(&till, sale);
    assert_int_equal(first.outcome, REVERSED);
    assert_int_equal(first.taken, 50);
    assert_int_equal(first.amount, 5000);
    assert_int_equal(available(&till), 1000);

    struct msg_reversal_answer again = reverse(&till, sale);
    assert_int_equal(again.position, first.position);
    assert_int_equal(again.outcome, REVERSED);
    assert_int_equal(again.taken, 50);
    assert_int_equal(available(&till), 1000);
    end(&till);
}

/* "was refused: nothing to reverse"; "never seen: a tombstone: if it arrives later it is refused for good" */
static void test_not_booked(void **state)
{
    struct till till = begin(*state);
    struct msg_redeem_request redeem = talk_redeem(CARD, 5000);
    struct talk_answer answer;
    uint64_t number = send(&till, OPERATION_REDEEM, &redeem, &answer);
    assert_int_equal(talk_result(till.talk, &answer), RESULT_NOT_ENOUGH_POINTS);
    assert_int_equal(reverse(&till, number).outcome, NOTHING_TO_REVERSE);

    uint64_t later = EPOCH + 1; /* the till's other lane, whose request is still on its way */
    struct msg_reversal_request early = reversal_of(1);
    struct msg_reversal_answer tombstone;
    early.epoch = later;
    (void)done(&till, OPERATION_REVERSAL, &early, &answer);
    talk_decode(till.talk, &answer, &tombstone);
    assert_int_equal(tombstone.outcome, WILL_BE_REFUSED);
    between_requests(&till);
    struct talk *lane = talk_hello(world_address(till.world), later, 1, NULL);
    struct msg_purchase_request purchase = talk_purchase(CARD, 9900, "R1");
    for (unsigned i = 0; i < 2; i++) {
        talk_send(lane, OPERATION_PURCHASE, 0, 1, &purchase);
        (void)talk_expect_refusal(lane, OPERATION_PURCHASE, 1, RESULT_WILL_BE_REFUSED);
    }
    /* Its receipt is free: under a new number it is booked. */
    talk_send(lane, OPERATION_PURCHASE, 0, 2, &purchase);
    (void)talk_expect(lane, OPERATION_PURCHASE, 2);
    talk_free(lane);
    assert_int_equal(available(&till), 1099);
    end(&till);
}

/* "a hold, or its capture: open, captured, ended: released, refunded (the hold stays ended), nothing" */
static void test_holds(void **state)
{
    struct till till = begin(*state);
    uint64_t open, captured, again, ended;
    uint64_t open_number = hold(&till, 100, &open);
    assert_int_equal(available(&till), 900);
    assert_int_equal(reverse(&till, open_number).outcome, REVERSED);
    assert_int_equal(available(&till), 1000);

    uint64_t captured_number = hold(&till, 200, &captured);
    (void)capture(&till, captured, 150);
    assert_int_equal(available(&till), 850);
    struct msg_reversal_answer refund = reverse(&till, captured_number);
    assert_int_equal(refund.outcome, REVERSED);
    assert_int_equal(refund.given_back, 150);
    assert_int_equal(available(&till), 1000);

    (void)hold(&till, 300, &again);
    uint64_t capture_number = capture(&till, again, 0);
    assert_int_equal(reverse(&till, capture_number).given_back, 300);
    assert_int_equal(available(&till), 1000);

    uint64_t ended_number = hold(&till, 50, &ended);
    (void)release(&till, ended);
    assert_int_equal(reverse(&till, ended_number).outcome, NOTHING_TO_REVERSE);
    assert_int_equal(available(&till), 1000);
    end(&till);
}

/* "partly returned: the rest is reversed, with the amount" */
static void test_partly_returned(void **state)
{
    struct till till = begin(*state);
    uint64_t position;
    uint64_t sale = buy(&till, 5000, &position);
    (void)bring_back(&till, position, 2000);
    struct msg_reversal_answer reversed = reverse(&till, sale);
    assert_int_equal(reversed.outcome, REVERSED);
    assert_int_equal(reversed.amount, 3000);
    assert_int_equal(reversed.taken, 30);
    assert_int_equal(available(&till), 1000);
    end(&till);
}

/* "a reversal, a release, an adjustment, an act on cards: cannot be reversed"; "another card or amount than said" */
static void test_refused(void **state)
{
    struct till till = begin(*state);
    struct msg_card_block_request block = { .card = talk_code(OTHER) };
    struct talk_answer answer;
    uint64_t position;
    uint64_t kinds[4];
    uint64_t sale = buy(&till, 5000, NULL);
    (void)hold(&till, 50, &position);
    kinds[0] = release(&till, position);
    kinds[1] = adjust(&till, CARD, 7);
    kinds[2] = done(&till, OPERATION_CARD_BLOCK, &block, &answer);
    struct msg_reversal_request request = reversal_of(sale);
    request.amount = 4999;
    refused(&till, &request, RESULT_DOES_NOT_MATCH);
    request.amount = 5000;
    request.card = talk_code(OTHER);
    refused(&till, &request, RESULT_DOES_NOT_MATCH);
    request.card = talk_code(CARD);
    kinds[3] = done(&till, OPERATION_REVERSAL, &request, &answer);
    for (unsigned i = 0; i < 4; i++) {
        request = reversal_of(kinds[i]);
        refused(&till, &request, RESULT_CANNOT_BE_REVERSED);
    }
    assert_int_equal(available(&till), 1007);
    end(&till);
}

#define ROW(function, killing)                                                                               \
    {                                                                                                        \
#function "(" #killing ")", function, NULL, NULL, &(killing)                                         \
    }

int main(void)
{
    static bool alive = false, killed = true;
    const struct CMUnitTest tests[] = {
        ROW(test_booked, alive),          ROW(test_booked, killed),
        ROW(test_not_booked, alive),      ROW(test_not_booked, killed),
        ROW(test_holds, alive),           ROW(test_holds, killed),
        ROW(test_partly_returned, alive), ROW(test_partly_returned, killed),
        ROW(test_refused, alive),         ROW(test_refused, killed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
