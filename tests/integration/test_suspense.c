/* Sales that already happened, for cards that are not there or may not earn (DOMAIN.md, Cards and accounts): never refused,
 * booked to suspense, and joined when the card is issued or unblocked; with a daemon that is killed in between. */
#include <string.h>

#include "proto/frame.h"
#include "talk.h"
#include "world.h"

#define CARD "2900000000018"
#define OTHER "2900000000025"
#define NEW "2900000000032"
#define EPOCH UINT64_C(0x0123456789abcdef)

enum { IS_ACTIVE = 1, IS_WAITING = 5, FLAG_BOOKED_TO_SUSPENSE = 2, FLAG_POINTS_WAIT = 2 };

/* Blocked cards do not earn here, unlike by default. */
#define PROGRAMME                                                                                            \
    "currency: EUR\ncards: {may_earn: [active], may_spend: [active]}\n"                                      \
    "base:\n  - {rule: spend, points: 1, amount: 1.00}\nwelcome: 5\n...\n"

static struct world *world;
static struct talk *talk;
static uint64_t next_number;

static void kill_daemon(void)
{
    talk_free(talk);
    world_kill(world);
    world_start(world);
    talk = talk_hello(world_address(world), EPOCH, next_number, NULL);
}

static void begin(void)
{
    struct world_options options = { .programme = PROGRAMME };
    world = world_new(&options);
    talk = talk_hello(world_address(world), EPOCH, 1, NULL);
    next_number = 1;
}

static void end(void)
{
    talk_free(talk);
    world_free(world);
}

static struct msg_purchase_answer sold(const char *card, uint64_t amount)
{
    struct msg_purchase_request purchase = talk_purchase(card, amount, "");
    struct msg_purchase_answer bought;
    talk_send(talk, OPERATION_PURCHASE, FRAME_FLAG_ADVICE, next_number, &purchase);
    struct talk_answer answer = talk_expect(talk, OPERATION_PURCHASE, next_number++);
    talk_decode(talk, &answer, &bought);
    return bought;
}

static void refused_online(const char *card, enum result result)
{
    struct msg_purchase_request purchase = talk_purchase(card, 1000, "");
    talk_send(talk, OPERATION_PURCHASE, 0, next_number, &purchase);
    (void)talk_expect_refusal(talk, OPERATION_PURCHASE, next_number++, result);
}

static void act(enum operation operation, const void *request)
{
    talk_send(talk, operation, 0, next_number, request);
    (void)talk_expect(talk, operation, next_number++);
}

static void expect_sums(void)
{
    struct msg_totals_answer totals = talk_totals(talk);
    assert_int_equal(totals.outstanding - totals.debt,
                     totals.earned + totals.bonus + totals.reversed - totals.returned);
}

/* "an unknown card as a new account ... its points join the account, with their dates, when the card is issued" */
static void test_unknown_card(void **state)
{
    (void)state;
    begin();
    refused_online(CARD, RESULT_UNKNOWN_CARD);
    struct msg_purchase_answer first = sold(CARD, 2000);
    assert_int_equal(first.earned, 20);
    assert_int_equal(first.flags, FLAG_BOOKED_TO_SUSPENSE);
    kill_daemon();
    struct msg_purchase_answer second = sold(CARD, 3000);
    assert_int_equal(second.flags, FLAG_BOOKED_TO_SUSPENSE);
    assert_int_equal(talk_card(talk, CARD).status, IS_WAITING);
    assert_int_equal(talk_card(talk, CARD).available, 50);
    refused_online(CARD, RESULT_UNKNOWN_CARD);
    struct msg_redeem_request redeem = talk_redeem(CARD, 1);
    talk_send(talk, OPERATION_REDEEM, 0, next_number, &redeem);
    (void)talk_expect_refusal(talk, OPERATION_REDEEM, next_number++, RESULT_UNKNOWN_CARD);

    /* Returns and reversals work in suspense. */
    struct msg_return_request goods;
    message_init(MESSAGE_return_request, &goods);
    goods.card = talk_code(CARD);
    goods.amount = 500;
    goods.store = goods.till = talk_code("1");
    goods.sale_position = second.position;
    act(OPERATION_RETURN, &goods);
    struct msg_reversal_request reversal;
    message_init(MESSAGE_reversal_request, &reversal);
    reversal.epoch = EPOCH;
    reversal.number = 2; /* the first sale; the refusal before it was 1 */
    reversal.store = reversal.till = talk_code("1");
    act(OPERATION_REVERSAL, &reversal);
    assert_int_equal(talk_card(talk, CARD).available, 25);

    kill_daemon();
    talk_issue(talk, next_number++, CARD, 1);
    struct msg_card_show_answer shown = talk_card(talk, CARD);
    assert_int_equal(shown.status, IS_ACTIVE);
    assert_int_equal(shown.available, 25 + 5);
    act(OPERATION_REDEEM, &redeem);
    kill_daemon();
    assert_int_equal(talk_card(talk, CARD).available, 29);
    end();
}

/* "unblocked": beside a blocked card its points wait; "from a replaced card at once". */
static void test_cards_that_may_not_earn(void **state)
{
    struct msg_card_block_request block = { .card = talk_code(CARD) };
    struct msg_card_unblock_request unblock = { .card = talk_code(CARD) };
    struct msg_card_replace_request replace = { .card = talk_code(OTHER), .new_card = talk_code(NEW) };
    (void)state;
    begin();
    talk_issue(talk, next_number++, CARD, 1);
    talk_issue(talk, next_number++, OTHER, 1);
    act(OPERATION_CARD_BLOCK, &block);
    refused_online(CARD, RESULT_CARD_BLOCKED);
    assert_int_equal(sold(CARD, 4000).flags, FLAG_BOOKED_TO_SUSPENSE);
    kill_daemon();
    struct msg_card_show_answer shown = talk_card(talk, CARD);
    assert_int_equal(shown.available, 5);
    assert_int_equal(shown.flags, FLAG_POINTS_WAIT);
    act(OPERATION_CARD_UNBLOCK, &unblock);
    kill_daemon();
    shown = talk_card(talk, CARD);
    assert_int_equal(shown.available, 45);
    assert_int_equal(shown.lifetime, 40);
    assert_int_equal(shown.flags, 0);

    act(OPERATION_CARD_REPLACE, &replace);
    refused_online(OTHER, RESULT_CARD_REPLACED);
    assert_int_equal(sold(OTHER, 700).flags, 0);
    kill_daemon();
    assert_int_equal(talk_card(talk, NEW).available, 12);
    expect_sums();
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unknown_card),
        cmocka_unit_test(test_cards_that_may_not_earn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
