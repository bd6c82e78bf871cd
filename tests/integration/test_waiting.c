/*
 * Returns that come before their purchase (DOMAIN.md, Returning goods), and what may become of them: decided once it is
 * there, refused then, sent again, undone.
 */
#include <string.h>

#include "proto/frame.h"
#include "talk.h"
#include "world.h"

#define CARD "2900000000018"
#define EPOCH UINT64_C(0x0123456789abcdef)

enum { REVERSED = 1, NOTHING_TO_REVERSE = 2 };

/* Goods of an amount come back; their receipt may not be here yet. */
static struct msg_return_request goods(const char *receipt, uint64_t amount, const char *document)
{
    struct msg_return_request goods;
    message_init(MESSAGE_return_request, &goods);
    goods.card = talk_code(CARD);
    goods.amount = amount;
    goods.store = goods.till = talk_code("1");
    goods.sale_receipt = talk_code(receipt);
    goods.document = talk_code(document);
    return goods;
}

#define TIED (FRAME_FLAG_REPLAYED | FRAME_FLAG_TIED)

/* An advice of a return whose answer says that it waits. */
static void expect_waits(struct talk *talk, uint64_t number, const struct msg_return_request *goods,
                         uint16_t flags)
{
    struct msg_return_answer answer;
    talk_send(talk, OPERATION_RETURN, FRAME_FLAG_ADVICE, number, goods);
    struct talk_answer got = talk_expect(talk, OPERATION_RETURN, number);
    assert_int_equal(got.flags, flags);
    talk_decode(talk, &got, &answer);
    assert_int_equal(answer.flags, 2);
}

static void buy(struct talk *talk, uint64_t number, uint64_t amount, const char *receipt)
{
    struct msg_purchase_request purchase = talk_purchase(CARD, amount, receipt);
    talk_send(talk, OPERATION_PURCHASE, 0, number, &purchase);
    (void)talk_expect(talk, OPERATION_PURCHASE, number);
}

static uint64_t undo(struct talk *talk, uint64_t number, uint64_t original)
{
    struct msg_reversal_request reversal;
    struct msg_reversal_answer answer;
    message_init(MESSAGE_reversal_request, &reversal);
    reversal.epoch = EPOCH;
    reversal.number = original;
    reversal.store = reversal.till = talk_code("1");
    talk_send(talk, OPERATION_REVERSAL, 0, number, &reversal);
    struct talk_answer got = talk_expect(talk, OPERATION_REVERSAL, number);
    talk_decode(talk, &got, &answer);
    return answer.outcome;
}

/* What is decided by itself is waited for. */
static void wait_for_balance(struct talk *talk, int64_t points)
{
    int64_t start = world_now_ms();
    while (talk_card(talk, CARD).available != points)
        world_patience(start);
}

static void wait_for_events(struct talk *talk, uint64_t events)
{
    int64_t start = world_now_ms();
    while (talk_totals(talk).events != events)
        world_patience(start);
}

/* (Returning goods) All that wait for a purchase are decided once it is here, whoever asked under how many numbers. */
static void test_all_are_decided(void **state)
{
    struct world *world = world_new(NULL);
    struct talk *talk = talk_hello(world_address(world), EPOCH, 1, NULL);
    (void)state;
    talk_issue(talk, 1, CARD, 1);
    struct msg_return_request ten = goods("7", 1000, "A");
    struct msg_return_request five = goods("7", 500, "B");
    struct msg_return_request two = goods("7", 200, "");
    expect_waits(talk, 2, &ten, 0);
    expect_waits(talk, 3, &five, 0);
    expect_waits(talk, 4, &two, 0);
    expect_waits(talk, 5, &ten, TIED);
    buy(talk, 6, 10000, "7");
    wait_for_balance(talk, 83);
    /* (LEDGER.md, Who sends) Status, repeat and reversal of either number mean the same. */
    assert_int_equal(undo(talk, 7, 5), REVERSED);
    assert_int_equal(talk_card(talk, CARD).available, 93);
    assert_int_equal(undo(talk, 8, 2), REVERSED);
    assert_int_equal(talk_card(talk, CARD).available, 93);
    assert_int_equal(undo(talk, 9, 6), REVERSED);
    assert_int_equal(talk_card(talk, CARD).available, 0);
    talk_free(talk);
    world_free(world);
}

/* (LEDGER.md, Who sends) Only what stands occupies its key: one that was refused in the end does not. */
static void test_refused_in_the_end(void **state)
{
    struct world *world = world_new(NULL);
    struct talk *talk = talk_hello(world_address(world), EPOCH, 1, NULL);
    (void)state;
    talk_issue(talk, 1, CARD, 1);
    struct msg_return_request much = goods("8", 99999, "C");
    expect_waits(talk, 2, &much, 0);
    expect_waits(talk, 3, &much, TIED);
    uint64_t events = talk_totals(talk).events;
    buy(talk, 4, 1000, "8");
    wait_for_events(talk, events + 2);
    talk_send(talk, OPERATION_RETURN, FRAME_FLAG_ADVICE, 5, &much);
    (void)talk_expect_refusal(talk, OPERATION_RETURN, 5, RESULT_MORE_THAN_SOLD);
    assert_int_equal(undo(talk, 6, 2), NOTHING_TO_REVERSE);
    assert_int_equal(undo(talk, 7, 3), NOTHING_TO_REVERSE);
    much.amount = 400;
    talk_send(talk, OPERATION_RETURN, 0, 8, &much);
    (void)talk_expect(talk, OPERATION_RETURN, 8);
    assert_int_equal(talk_card(talk, CARD).available, 6);
    talk_free(talk);
    world_free(world);
}

/* (Undoing) One that waits is undone under either of its numbers, and then nothing waits. */
static void test_undone_before(void **state)
{
    struct world *world = world_new(NULL);
    struct talk *talk = talk_hello(world_address(world), EPOCH, 1, NULL);
    (void)state;
    talk_issue(talk, 1, CARD, 1);
    struct msg_return_request four = goods("9", 400, "D");
    expect_waits(talk, 2, &four, 0);
    expect_waits(talk, 3, &four, TIED);
    assert_int_equal(undo(talk, 4, 3), REVERSED);
    uint64_t events = talk_totals(talk).events;
    buy(talk, 5, 1000, "9");
    wait_for_events(talk, events + 2);
    assert_int_equal(talk_card(talk, CARD).available, 10);
    assert_int_equal(undo(talk, 6, 2), REVERSED);
    talk_send(talk, OPERATION_RETURN, 0, 7, &four);
    (void)talk_expect(talk, OPERATION_RETURN, 7);
    assert_int_equal(talk_card(talk, CARD).available, 6);
    talk_free(talk);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_are_decided),
        cmocka_unit_test(test_refused_in_the_end),
        cmocka_unit_test(test_undone_before),
    };
    return cmocka_run_group_tests_name("waiting", tests, NULL, NULL);
}
