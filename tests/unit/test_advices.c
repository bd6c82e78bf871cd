/*
 * Advices: what has happened at a till is booked, whatever became of its card. And what cannot be, as PROTOCOL.md lists it.
 */
#include "service_acts.h"

#include <string.h>

static const char programme[] = "programme: Advices\n"
                                "base: [{rule: spend, points: 1, amount: 1.00}]\n"
                                "cards: {check: ean13, may_earn: [active]}\n"
                                "returns: {unlinked: false}\n"
                                "redeem: {minimum: 50, step: 10}\n"
                                "rewards: [{reward: gift, name: cup, what: c, points: 20, stores: [S9]}]\n"
                                "...\n";

/* Each has bought for 100.00 before its status changed; the unknown ones have bought nothing. */
#define ACTIVE "2900000000018"
#define BLOCKED "2900000000025"
#define CLOSED "2900000000032"
#define REPLACED "2900000000049"
#define NEW_CARD "2900000000056"
#define UNKNOWN "2900000000063"
#define WRONG_DIGIT "2900000000064"

static uint64_t sales[4];

static void close_card(struct service_world *world, const char *card)
{
    struct msg_card_close_request request;
    message_init(MESSAGE_card_close_request, &request);
    request.card = code(card);
    assert_int_equal(service_call(world, OPERATION_CARD_CLOSE, 0, &request), RESULT_DONE);
}

static void replace_card(struct service_world *world, const char *card, const char *new_card)
{
    struct msg_card_replace_request request;
    message_init(MESSAGE_card_replace_request, &request);
    request.card = code(card);
    request.new_card = code(new_card);
    assert_int_equal(service_call(world, OPERATION_CARD_REPLACE, 0, &request), RESULT_DONE);
}

static struct service_world *world_new(void)
{
    static const char *const cards[] = { ACTIVE, BLOCKED, CLOSED, REPLACED };
    struct service_world *world = service_world_new(programme);
    for (size_t i = 0; i < COUNT_OF(cards); i++) {
        issue(world, cards[i]);
        sales[i] = buy(world, cards[i], 10000, "S1", cards[i], false);
    }
    block(world, BLOCKED);
    close_card(world, CLOSED);
    replace_card(world, REPLACED, NEW_CARD);
    return world;
}

/* --- requests --- */

static enum result send_purchase(struct service_world *world, const char *card, uint16_t flags,
                                 uint64_t points)
{
    struct msg_purchase_request request;
    struct msg_wish wish = { .points = (int64_t)points, .quantity = 1 };
    message_init(MESSAGE_purchase_request, &request);
    request.card = code(card);
    request.amount = 5000;
    request.store = request.till = code("S1");
    request.wishes = &wish;
    request.wishes_count = points > 0;
    return service_call(world, OPERATION_PURCHASE, flags, &request);
}

static enum result send_return(struct service_world *world, const char *card, uint16_t flags, uint64_t sale,
                               const char *receipt)
{
    struct msg_return_request request;
    message_init(MESSAGE_return_request, &request);
    request.card = code(card);
    request.amount = 100;
    request.store = request.till = code("S1");
    request.sale_position = sale;
    request.sale_receipt = code(receipt);
    return service_call(world, OPERATION_RETURN, flags, &request);
}

static enum result send_unlinked(struct service_world *world, const char *card, uint16_t flags)
{
    struct msg_unlinked_return_request request;
    message_init(MESSAGE_unlinked_return_request, &request);
    request.card = code(card);
    request.amount = 1000;
    request.store = request.till = code("S1");
    return service_call(world, OPERATION_UNLINKED_RETURN, flags, &request);
}

static enum result send_redeem(struct service_world *world, const char *card, uint16_t flags, uint64_t points,
                               const char *reward, uint64_t sale)
{
    struct msg_redeem_request request;
    message_init(MESSAGE_redeem_request, &request);
    request.card = code(card);
    request.points = points;
    request.reward = code(reward);
    request.store = request.till = code("S1");
    request.sale_position = sale;
    return service_call(world, OPERATION_REDEEM, flags, &request);
}

static enum result send_capture(struct service_world *world, const char *card, uint16_t flags, uint64_t hold)
{
    struct msg_capture_request request;
    message_init(MESSAGE_capture_request, &request);
    request.card = code(card);
    request.hold = hold;
    request.points = 30;
    request.store = request.till = code("S1");
    return service_call(world, OPERATION_CAPTURE, flags, &request);
}

/* --- what is booked always --- */

struct card_row {
    const char *card;
    enum result online; /* of a redemption that an active card could make */
    int64_t left;       /* available after the advices: what the card may not spend */
};
static const struct card_row card_rows[] = {
    { ACTIVE, RESULT_DONE, 0 },          { BLOCKED, RESULT_CARD_BLOCKED, 100 },
    { CLOSED, RESULT_CARD_CLOSED, 0 },   { REPLACED, RESULT_CARD_REPLACED, 100 },
    { UNKNOWN, RESULT_UNKNOWN_CARD, 0 }, { WRONG_DIGIT, RESULT_UNKNOWN_CARD, 0 },
};

#define OFFLINE (FRAME_FLAG_ADVICE | FRAME_FLAG_OFFLINE)

static void purchases_are_booked(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(card_rows); i++) {
        struct service_world *world = world_new();
        const struct msg_purchase_answer *answer = &world->reply.message.purchase_answer;
        const struct card_row *row = &card_rows[i];
        bool active = i == 0;
        assert_int_equal(send_purchase(world, row->card, 0, 0), row->online);
        assert_int_equal(send_purchase(world, row->card, FRAME_FLAG_ADVICE, 0), RESULT_DONE);
        assert_int_equal(answer->earned, 50);
        assert_int_equal(send_purchase(world, row->card, OFFLINE, 300), RESULT_DONE);
        assert_int_equal(answer->redeemed + answer->spent[0].shortfall, 300);
        assert_int_equal(answer->redeemed, active ? 200 : 0);
        assert_int_equal(answer->paid, 300); /* it was off the bill */
        assert_int_equal(answer->flags & ANSWER_FLAG_SHORTFALL, ANSWER_FLAG_SHORTFALL);
        service_world_free(world);
    }
}

static void redemptions_are_booked(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(card_rows); i++) {
        struct service_world *world = world_new();
        const struct msg_redeem_answer *answer = &world->reply.message.redeem_answer;
        const struct card_row *row = &card_rows[i];
        bool active = i == 0;
        assert_int_equal(send_redeem(world, row->card, 0, 60, "", 0), row->online);
        if (active) /* the 60 points are gone: 40 are left */
            assert_int_equal(answer->available, 40);
        /* Below the minimum, more than there is, of no known reward, of one not offered here. */
        assert_int_equal(send_redeem(world, row->card, OFFLINE, 10, "", 0), RESULT_DONE);
        assert_int_equal(answer->redeemed, active ? 10 : 0);
        assert_int_equal(answer->redeemed + answer->shortfall, 10);
        assert_int_equal(send_redeem(world, row->card, OFFLINE, 100, "", 0), RESULT_DONE);
        assert_int_equal(answer->redeemed, active ? 30 : 0);
        assert_int_equal(answer->redeemed + answer->shortfall, 100);
        assert_int_equal(answer->worth, 100);
        assert_int_equal(send_redeem(world, row->card, OFFLINE, 25, "no such", 0), RESULT_DONE);
        assert_int_equal(answer->shortfall, 25);
        assert_int_equal(send_redeem(world, row->card, OFFLINE, 0, "cup", 0), RESULT_DONE);
        assert_int_equal(answer->shortfall, 20);
        assert_int_equal(answer->available, row->left);
        assert_int_equal(send_capture(world, row->card, FRAME_FLAG_ADVICE, 12345), RESULT_DONE);
        assert_int_equal(world->reply.message.capture_answer.shortfall, 30);
        assert_int_equal(world->reply.message.capture_answer.available, row->left);
        service_world_free(world);
    }
}

/* A purchase that is another's, is undone or unknown does not stop what was redeemed for it. */
static void redemptions_name_what_they_can(void **state)
{
    (void)state;
    struct service_world *world = world_new();
    const struct msg_redeem_answer *answer = &world->reply.message.redeem_answer;
    assert_int_equal(send_redeem(world, ACTIVE, 0, 50, "", sales[1]), RESULT_OTHER_ACCOUNT);
    assert_int_equal(send_redeem(world, ACTIVE, 0, 50, "", 7), RESULT_UNKNOWN_PURCHASE);
    assert_int_equal(send_redeem(world, ACTIVE, OFFLINE, 30, "", sales[1]), RESULT_DONE);
    assert_int_equal(answer->redeemed, 30);
    assert_int_equal(send_redeem(world, ACTIVE, OFFLINE, 30, "", 7), RESULT_DONE);
    assert_int_equal(answer->redeemed, 30);
    assert_int_equal(send_redeem(world, ACTIVE, OFFLINE, 30, "", sales[0]), RESULT_DONE);
    assert_int_equal(answer->redeemed, 30);
    assert_int_equal(answer->available, 10);
    service_world_free(world);
}

static void returns_are_booked(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(card_rows); i++) {
        struct service_world *world = world_new();
        const char *card = card_rows[i].card;
        if (i < COUNT_OF(sales)) {
            assert_int_equal(send_return(world, card, FRAME_FLAG_ADVICE, sales[i], ""), RESULT_DONE);
            assert_int_equal(world->reply.message.return_answer.taken, 1);
        }
        assert_int_equal(send_return(world, card, 0, 0, "77"),
                         i < COUNT_OF(sales) ? RESULT_UNKNOWN_PURCHASE : RESULT_UNKNOWN_CARD);
        assert_int_equal(send_return(world, card, FRAME_FLAG_ADVICE, 0, "77"), RESULT_DONE);
        assert_int_equal(world->reply.message.return_answer.flags, ANSWER_FLAG_WAITS);
        assert_int_equal(send_unlinked(world, card, 0),
                         i < COUNT_OF(sales) ? RESULT_UNLINKED_OFF : RESULT_UNKNOWN_CARD);
        assert_int_equal(send_unlinked(world, card, FRAME_FLAG_ADVICE), RESULT_DONE);
        assert_int_equal(world->reply.message.unlinked_return_answer.taken, 0);
        service_world_free(world);
    }
}

/* What an unknown card owes for goods without a purchase waits with its points. */
static void what_waits_in_suspense_adds_up(void **state)
{
    (void)state;
    struct service_world *world = service_world_new("base: [{rule: spend, points: 1, amount: 1.00}]\n...\n");
    assert_int_equal(send_unlinked(world, UNKNOWN, FRAME_FLAG_ADVICE), RESULT_DONE);
    assert_int_equal(world->reply.message.unlinked_return_answer.debt, 10);
    assert_int_equal(send_redeem(world, UNKNOWN, OFFLINE, 5, "", 0), RESULT_DONE);
    assert_int_equal(world->reply.message.redeem_answer.shortfall, 5);
    assert_int_equal(send_purchase(world, UNKNOWN, FRAME_FLAG_ADVICE, 0), RESULT_DONE);
    assert_int_equal(world->reply.message.purchase_answer.available, 40);
    assert_int_equal(send_redeem(world, UNKNOWN, OFFLINE, 5, "", 0), RESULT_DONE);
    assert_int_equal(world->reply.message.redeem_answer.shortfall, 5); /* not before the card is issued */
    issue(world, UNKNOWN);
    assert_int_equal(send_redeem(world, UNKNOWN, 0, 40, "", 0), RESULT_DONE);
    service_world_free(world);
}

static void the_event_says_that_it_was_offline(void **state)
{
    (void)state;
    struct service_world *world = world_new();
    struct msg_why_request why;
    message_init(MESSAGE_why_request, &why);
    assert_int_equal(send_redeem(world, ACTIVE, OFFLINE, 120, "", 0), RESULT_DONE);
    why.event = world->reply.message.redeem_answer.position;
    assert_int_equal(service_call(world, OPERATION_WHY, 0, &why), RESULT_DONE);
    assert_int_equal(world->reply.message.why_answer.flags,
                     EVENT_FLAG_ADVICE | EVENT_FLAG_OFFLINE | EVENT_FLAG_SHORTFALL);
    assert_int_equal(world->reply.message.why_answer.spent[0].shortfall, 20);
    assert_int_equal(send_redeem(world, ACTIVE, FRAME_FLAG_OFFLINE, 10, "", 0), RESULT_MALFORMED);
    service_world_free(world);
}

/* --- what cannot be booked: the list of PROTOCOL.md, Advices --- */

static void some_things_are_refused(void **state)
{
    (void)state;
    struct service_world *world = world_new();
    struct msg_purchase_request buying;
    struct msg_line line = { .code = code("A"), .amount = 1, .quantity = 1000 };
    message_init(MESSAGE_purchase_request, &buying);
    buying.card = code(ACTIVE);
    buying.amount = 2;
    buying.store = code("S1");
    buying.till = code("1");
    buying.lines = &line;
    buying.lines_count = 1;
    assert_int_equal(service_call(world, OPERATION_PURCHASE, FRAME_FLAG_ADVICE, &buying),
                     RESULT_LINES_MISMATCH);
    buying.lines_count = 0;
    buying.receipt = code(ACTIVE);
    assert_int_equal(service_call(world, OPERATION_PURCHASE, FRAME_FLAG_ADVICE, &buying),
                     RESULT_RECEIPT_USED);
    assert_int_equal(send_return(world, ACTIVE, FRAME_FLAG_ADVICE, sales[1], ""), RESULT_OTHER_ACCOUNT);
    assert_int_equal(send_return(world, ACTIVE, FRAME_FLAG_ADVICE, 0, ""), RESULT_UNKNOWN_PURCHASE);
    give_back(world, ACTIVE, sales[0], 9950);
    assert_int_equal(send_return(world, ACTIVE, FRAME_FLAG_ADVICE, sales[0], ""), RESULT_MORE_THAN_SOLD);
    assert_int_equal(send_redeem(world, ACTIVE, OFFLINE, 0, "", 0), RESULT_OVER_LIMIT);
    struct msg_release_request release;
    message_init(MESSAGE_release_request, &release);
    release.card = code(ACTIVE);
    release.hold = 12345;
    release.store = release.till = code("S1");
    assert_int_equal(service_call(world, OPERATION_RELEASE, FRAME_FLAG_ADVICE, &release),
                     RESULT_UNKNOWN_HOLD);
    struct msg_reversal_request reversal;
    message_init(MESSAGE_reversal_request, &reversal);
    reversal.epoch = 77;
    reversal.number = 1; /* the card that was issued */
    reversal.store = reversal.till = code("S1");
    assert_int_equal(service_call(world, OPERATION_REVERSAL, FRAME_FLAG_ADVICE, &reversal),
                     RESULT_CANNOT_BE_REVERSED);
    reversal.number = 2;
    reversal.card = code(BLOCKED);
    assert_int_equal(service_call(world, OPERATION_REVERSAL, FRAME_FLAG_ADVICE, &reversal),
                     RESULT_DOES_NOT_MATCH);
    reversal.number = 5000;
    assert_int_equal(service_call(world, OPERATION_REVERSAL, FRAME_FLAG_ADVICE, &reversal), RESULT_DONE);
    service_world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(purchases_are_booked),
        cmocka_unit_test(redemptions_are_booked),
        cmocka_unit_test(redemptions_name_what_they_can),
        cmocka_unit_test(returns_are_booked),
        cmocka_unit_test(what_waits_in_suspense_adds_up),
        cmocka_unit_test(the_event_says_that_it_was_offline),
        cmocka_unit_test(some_things_are_refused),
    };
    return cmocka_run_group_tests_name("advices", tests, NULL, NULL);
}
