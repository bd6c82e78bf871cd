/*
 * Lanes after a server's loss (LEDGER.md): what a restored server has lost is sent again under its old numbers.
 */
#include <stdio.h>

#include "day_till.h"
#include "proto/frame.h"

/* Sends a number again that a server lost; the answer must be new. */
static void sends_again(struct till *till, uint64_t number)
{
    const struct sent *sent = &till->sent[number];
    talk_send(till->talk, sent->operation, sent->flags | FRAME_FLAG_SERVER_LOST, number, &sent->body);
    struct talk_answer answer = talk_expect(till->talk, sent->operation, number);
    assert_int_equal(answer.flags, 0);
}

/* A purchase without a body. */
static uint64_t send_malformed(struct till *till, uint64_t number)
{
    uint8_t header[FRAME_HEADER_SIZE];
    frame_put_header(header, 0, OPERATION_PURCHASE, FRAME_FLAG_SERVER_LOST, number);
    talk_send_bytes(till->talk, header, sizeof(header));
    (void)talk_expect_refusal(till->talk, OPERATION_PURCHASE, number, RESULT_MALFORMED);
    return number;
}

static void test_server_lost(void **state)
{
    struct world *world = world_new(NULL);
    struct world *past = world_new(&(struct world_options){ .stopped = true });
    struct till *till = till_open(world);
    struct msg_hello_answer hello;
    struct sent some;
    (void)state;
    some = purchase(10000, "a", DATE);
    (void)position_of(till, &some);
    uint64_t kept = till->number;
    world_stop(world);
    world_copy_data(world, past);
    world_start(world);
    talk_free(till->talk);
    till->talk = talk_hello(till_address(world), EPOCH, till->number + 1, &hello);
    uint64_t term = hello.term;
    some = purchase(5000, "b", DATE);
    (void)position_of(till, &some);
    some = redeem(30);
    (void)position_of(till, &some);
    uint64_t malformed = send_malformed(till, ++till->number);
    some = purchase(2000, "", DATE);
    (void)position_of(till, &some);
    expect_close(till, &till->day, 1, IN_BALANCE, 0);
    struct msg_card_show_answer card = talk_card(till->talk, CARD);
    talk_free(till->talk);
    world_stop(world);

    world_lose(world, past);
    world_start(world);
    till->talk = talk_hello(till_address(world), EPOCH, till->number + 1, &hello);
    assert_int_equal(hello.last_booked, kept);
    assert_true(hello.term > term);
    for (uint64_t number = kept + 1; number <= till->number; number++) {
        if (number == malformed)
            (void)send_malformed(till, number); /* the lane passes over it as it did before */
        else
            sends_again(till, number);
    }
    struct msg_card_show_answer again = talk_card(till->talk, CARD);
    assert_int_equal(again.available, card.available);
    assert_int_equal(again.lifetime, card.lifetime);
    expect_blocks(till);
    expect_totals(till, 1, IN_BALANCE, 0);
    /* Once each: they are there now, and the lane goes on. */
    talk_send(till->talk, OPERATION_REDEEM, FRAME_FLAG_SERVER_LOST, kept + 2, &till->sent[kept + 2].body);
    struct talk_answer answer = talk_expect(till->talk, OPERATION_REDEEM, kept + 2);
    assert_int_equal(answer.flags, FRAME_FLAG_REPLAYED);
    struct msg_redeem_answer redeemed;
    talk_decode(till->talk, &answer, &redeemed);
    assert_int_equal(flags_of(till, redeemed.position), FLAG_SERVER_LOST);
    some = purchase(100, "c", DATE);
    (void)position_of(till, &some);
    expect_close(till, &till->day, 2, IN_BALANCE, 1);
    till_free(till);
    world_free(world);
    world_free(past);
}

/* What a client claims holds for the next new change only, and not for what it sends again. */
static void test_claim(void **state)
{
    struct world *world = world_new(NULL);
    struct msg_hello_answer hello;
    struct talk *talk = talk_hello(till_address(world), EPOCH, 5, &hello);
    struct msg_purchase_request one = talk_purchase(CARD, 100, "");
    (void)state;
    assert_int_equal(hello.last_booked, 0);
    talk_send(talk, OPERATION_PURCHASE, 0, 6, &one); /* neither the claimed one nor below it */
    (void)talk_expect_refusal(talk, OPERATION_PURCHASE, 6, RESULT_OUT_OF_ORDER);
    talk_issue(talk, 1, CARD, 1);
    talk_send(talk, OPERATION_PURCHASE, 0, 5, &one); /* one was sent again: 2 is next */
    (void)talk_expect_refusal(talk, OPERATION_PURCHASE, 5, RESULT_OUT_OF_ORDER);
    talk_send(talk, OPERATION_PURCHASE, 0, 2, &one);
    (void)talk_expect(talk, OPERATION_PURCHASE, 2);
    talk_free(talk);
    talk = talk_hello(till_address(world), EPOCH, 5, &hello);
    assert_int_equal(hello.last_booked, 2);
    talk_send(talk, OPERATION_PURCHASE, 0, 5, &one); /* 3 and 4 were malformed, or are lost for good */
    (void)talk_expect(talk, OPERATION_PURCHASE, 5);
    talk_send(talk, OPERATION_PURCHASE, 0, 4, &one);
    (void)talk_expect_refusal(talk, OPERATION_PURCHASE, 4, RESULT_CONFLICT);
    talk_free(talk_hello(till_address(world), EPOCH, 3, &hello));
    assert_int_equal(hello.last_booked, 5);
    talk_free(talk);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_server_lost),
        cmocka_unit_test(test_claim),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
