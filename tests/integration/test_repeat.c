/*
 * Booked once: repeats under one number, receipts under a new number, before and after a crash; and two tills that
 * want the last points of a card at the same moment.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/random.h"
#include "proto/frame.h"
#include "talk.h"
#include "world.h"

#define CARD "2900000000018"
#define OTHER_CARD "2900000000025"
#define EPOCH UINT64_C(0x0123456789abcdef)
#define LOST_EPOCH UINT64_C(0x1123456789abcdef) /* of a till that lost its store */

/* An answer that was seen, to be compared with later ones. */
struct seen {
    enum operation operation;
    uint64_t number;
    uint16_t type;
    bool tied;
    uint8_t body[256];
    size_t size;
};

static struct seen seen_of(const struct talk_answer *answer)
{
    struct seen seen = { .operation = (enum operation)(answer->type & FRAME_TYPE_OPERATION),
                         .number = answer->number,
                         .type = answer->type,
                         .tied = (answer->flags & FRAME_FLAG_TIED) != 0,
                         .size = answer->body_size };
    assert_true(answer->body_size <= sizeof(seen.body));
    memcpy(seen.body, answer->body, answer->body_size);
    return seen;
}

static struct seen ask(struct talk *talk, enum operation operation, uint64_t number, const void *body,
                       uint16_t wanted_flags)
{
    struct talk_answer answer;
    talk_send(talk, operation, 0, number, body);
    assert_true(talk_receive(talk, &answer));
    assert_int_equal(answer.number, number);
    assert_int_equal(answer.flags, wanted_flags);
    return seen_of(&answer);
}

static void expect_same(const struct seen *first, const struct seen *again)
{
    assert_int_equal(again->type, first->type);
    assert_int_equal(again->size, first->size);
    assert_memory_equal(again->body, first->body, first->size);
}

#define REPLAYED_TIED (FRAME_FLAG_REPLAYED | FRAME_FLAG_TIED)

/* Sends it as it was and expects the first answer, flagged; then otherwise, and expects a conflict. */
static void expect_repeat(struct talk *talk, const struct seen *first, const void *body, const void *other)
{
    uint16_t flags = first->tied ? REPLAYED_TIED : FRAME_FLAG_REPLAYED;
    struct seen again = ask(talk, first->operation, first->number, body, flags);
    expect_same(first, &again);
    talk_send(talk, first->operation, 0, first->number, other);
    struct talk_answer answer = talk_expect_refusal(talk, first->operation, first->number, RESULT_CONFLICT);
    assert_int_equal(answer.flags, 0);
}

static void expect_status(struct talk *talk, uint64_t epoch, uint64_t number, const struct seen *first,
                          bool tied)
{
    struct msg_status_answer status = talk_status(talk, epoch, number);
    assert_int_equal(status.state, (first->type & FRAME_TYPE_DONE) != 0 ? 1 : 2);
    assert_int_equal(status.type, first->type);
    assert_int_equal(status.tied, tied);
    assert_int_equal(status.answer.size, first->size);
    assert_memory_equal(status.answer.data, first->body, first->size);
}

static void expect_totals(struct talk *talk, const struct msg_totals_answer *wanted)
{
    struct msg_totals_answer totals = talk_totals(talk);
    assert_int_equal(totals.events, wanted->events);
    assert_int_equal(totals.earned, wanted->earned);
    assert_int_equal(totals.redeemed, wanted->redeemed);
    assert_int_equal(totals.returned, wanted->returned);
    assert_int_equal(totals.adjusted, wanted->adjusted);
    assert_int_equal(totals.outstanding, wanted->outstanding);
    assert_int_equal(totals.debt, wanted->debt);
}

static struct msg_return_request return_of(const char *receipt, uint64_t amount, const char *document)
{
    struct msg_return_request request;
    message_init(MESSAGE_return_request, &request);
    request.card = talk_code(CARD);
    request.amount = amount;
    request.store = talk_code("1");
    request.till = talk_code("1");
    request.sale_receipt = talk_code(receipt);
    request.document = talk_code(document);
    return request;
}

static struct msg_unlinked_return_request unlinked_of(uint64_t amount, const char *document)
{
    struct msg_unlinked_return_request request;
    message_init(MESSAGE_unlinked_return_request, &request);
    request.card = talk_code(CARD);
    request.amount = amount;
    request.store = talk_code("1");
    request.till = talk_code("1");
    request.document = talk_code(document);
    return request;
}

/* One of every operation, two of them refused, and of each another request under its number. */
struct lane {
    struct msg_card_issue_request issue, issue_other;
    struct msg_purchase_request purchase, purchase_other;
    struct msg_return_request returned, returned_other;
    struct msg_unlinked_return_request unlinked, unlinked_other;
    struct msg_redeem_request redeem, redeem_other, too_much, too_much_other;
    struct msg_adjust_request adjust, adjust_other;
    struct seen seen[7];
};

static void lane_make(struct lane *lane)
{
    lane->issue = lane->issue_other = (struct msg_card_issue_request){ .card = talk_code(CARD), .count = 1 };
    lane->issue_other.card = talk_code(OTHER_CARD);
    lane->purchase = lane->purchase_other = talk_purchase(CARD, 10500, "R1");
    lane->purchase_other.amount = 10501;
    lane->returned = lane->returned_other = return_of("R1", 500, "D1");
    lane->returned_other.amount = 501;
    lane->unlinked = lane->unlinked_other = unlinked_of(300, "D2");
    lane->unlinked_other.document = talk_code("D3");
    lane->redeem = lane->redeem_other = talk_redeem(CARD, 40);
    lane->redeem_other.till = talk_code("2");
    lane->too_much = lane->too_much_other = talk_redeem(CARD, 4000);
    lane->too_much_other.points = 1; /* it would be done now: a conflict all the same */
    message_init(MESSAGE_adjust_request, &lane->adjust);
    lane->adjust.card = talk_code(CARD);
    lane->adjust.points = -10;
    lane->adjust.reason = talk_code("goodwill");
    lane->adjust_other = lane->adjust;
    lane->adjust_other.points = -9;
}

static void lane_send(struct lane *lane, struct talk *talk)
{
    lane->seen[0] = ask(talk, OPERATION_CARD_ISSUE, 1, &lane->issue, 0);
    lane->seen[1] = ask(talk, OPERATION_PURCHASE, 2, &lane->purchase, 0);
    lane->seen[2] = ask(talk, OPERATION_RETURN, 3, &lane->returned, 0);
    lane->seen[3] = ask(talk, OPERATION_UNLINKED_RETURN, 4, &lane->unlinked, 0);
    lane->seen[4] = ask(talk, OPERATION_REDEEM, 5, &lane->redeem, 0);
    lane->seen[5] = ask(talk, OPERATION_REDEEM, 6, &lane->too_much, 0);
    lane->seen[6] = ask(talk, OPERATION_ADJUST, 7, &lane->adjust, 0);
    for (size_t i = 0; i < 7; i++)
        assert_int_equal((lane->seen[i].type & FRAME_TYPE_DONE) != 0, i != 5);
}

static void lane_expect_repeats(struct lane *lane, struct talk *talk)
{
    expect_repeat(talk, &lane->seen[0], &lane->issue, &lane->issue_other);
    expect_repeat(talk, &lane->seen[1], &lane->purchase, &lane->purchase_other);
    expect_repeat(talk, &lane->seen[2], &lane->returned, &lane->returned_other);
    expect_repeat(talk, &lane->seen[3], &lane->unlinked, &lane->unlinked_other);
    expect_repeat(talk, &lane->seen[4], &lane->redeem, &lane->redeem_other);
    expect_repeat(talk, &lane->seen[5], &lane->too_much, &lane->too_much_other);
    expect_repeat(talk, &lane->seen[6], &lane->adjust, &lane->adjust_other);
    /* The same bytes as another operation are another request. */
    talk_send(talk, OPERATION_CARD_ISSUE, 0, 7, &lane->issue);
    (void)talk_expect_refusal(talk, OPERATION_CARD_ISSUE, 7, RESULT_CONFLICT);
    for (size_t i = 0; i < 7; i++)
        expect_status(talk, EPOCH, i + 1, &lane->seen[i], false);
    assert_int_equal(talk_status(talk, EPOCH, 8).state, 0);
    assert_int_equal(talk_status(talk, EPOCH + 1, 1).state, 0);
}

/* The same from the same connection, from another one, and after a crash and a clean stop. */
static void test_one_number(void **state)
{
    static struct lane lane;
    struct world *world = world_new(NULL);
    struct msg_hello_answer hello;
    (void)state;
    lane_make(&lane);
    struct talk *talk = talk_hello(world_address(world), EPOCH, 1, NULL);
    lane_send(&lane, talk);
    struct msg_totals_answer totals = talk_totals(talk);
    assert_int_equal(totals.outstanding, 105 - 5 - 3 - 40 - 10);
    lane_expect_repeats(&lane, talk);
    struct talk *beside = talk_hello(world_address(world), EPOCH, 1, &hello);
    assert_int_equal(hello.last_booked, 7);
    lane_expect_repeats(&lane, beside);
    expect_totals(beside, &totals);
    talk_free(beside);
    talk_free(talk);
    for (int round = 0; round < 2; round++) {
        if (round == 0)
            world_kill(world);
        else
            world_stop(world);
        totals.events +=
            (uint64_t)round; /* a clean stop books the conflicts of the minute, counted: one event */
        world_start(world);
        talk = talk_hello(world_address(world), EPOCH, 1, &hello);
        assert_int_equal(hello.last_booked, 7);
        lane_expect_repeats(&lane, talk);
        expect_totals(talk, &totals);
        talk_free(talk);
    }
    world_free(world);
}

/* Entries of the statement that have this kind. */
static uint64_t statement_count(struct talk *talk, uint64_t kind)
{
    struct msg_statement_request request;
    struct msg_statement_answer page;
    uint64_t count = 0;
    message_init(MESSAGE_statement_request, &request);
    request.card = talk_code(CARD);
    request.limit = 200;
    talk_send(talk, OPERATION_STATEMENT, 0, UINT64_MAX, &request);
    struct talk_answer answer = talk_expect(talk, OPERATION_STATEMENT, UINT64_MAX);
    talk_decode(talk, &answer, &page);
    assert_int_equal(page.next, 0);
    for (uint64_t i = 0; i < page.entries_count; i++)
        count += kind == 0 || page.entries[i].kind == kind;
    return count;
}

/* What a document is sent as again by a till that has forgotten its numbers. */
struct document {
    enum operation operation;
    const void *same;  /* other time and operator: the same content */
    const void *other; /* other content */
    const struct seen *first;
};

/* Numbers from number on: same, other, same again. Every answer is checked, and those of a repeat of each. */
static void lost_till_sends(struct talk *talk, uint64_t number, const struct document *document)
{
    struct msg_totals_answer before = talk_totals(talk);
    uint64_t statement = statement_count(talk, 0);
    struct seen same = ask(talk, document->operation, number, document->same, REPLAYED_TIED);
    expect_same(document->first, &same);
    struct seen other = ask(talk, document->operation, number + 1, document->other, 0);
    assert_int_equal(other.type, document->operation | FRAME_TYPE_REFUSED);
    struct talk_answer refused = { .type = other.type, .body = other.body, .body_size = other.size };
    assert_int_equal(talk_result(talk, &refused), RESULT_RECEIPT_USED);
    struct seen more = ask(talk, document->operation, number + 2, document->same, REPLAYED_TIED);
    expect_same(document->first, &more);
    /* Each has its own number now, and keeps its own content under it. */
    expect_repeat(talk, &same, document->same, document->other);
    expect_repeat(talk, &other, document->other, document->same);
    expect_repeat(talk, &more, document->same, document->other);
    expect_status(talk, LOST_EPOCH, number, document->first, true);
    expect_status(talk, LOST_EPOCH, number + 1, &other, false);
    expect_status(talk, LOST_EPOCH, number + 2, document->first, true);
    before.events += 3; /* two ties and a refusal; they move no points and stand in no statement */
    expect_totals(talk, &before);
    assert_int_equal(statement_count(talk, 0), statement);
}

static void lost_till_repeats(struct talk *talk, uint64_t number, const struct document *document)
{
    struct seen again = ask(talk, document->operation, number, document->same, REPLAYED_TIED);
    expect_same(document->first, &again);
    again = ask(talk, document->operation, number + 2, document->same, REPLAYED_TIED);
    expect_same(document->first, &again);
    expect_status(talk, LOST_EPOCH, number + 2, document->first, true);
}

/* One receipt, one return and one unlinked return, again under new numbers, before and after a crash. */
static void test_new_number(void **state)
{
    static struct lane lane;
    struct world *world = world_new(NULL);
    (void)state;
    lane_make(&lane);
    /* The till says its business date, so that midnight does not matter. */
    lane.purchase.business_date = lane.returned.business_date = lane.unlinked.business_date = 20000;
    lane.returned.sale_date = 20000;
    struct talk *talk = talk_hello(world_address(world), EPOCH, 1, NULL);
    lane_send(&lane, talk);
    talk_free(talk);
    struct msg_purchase_request purchase = lane.purchase, purchase_other;
    struct msg_return_request returned = lane.returned, returned_other;
    struct msg_unlinked_return_request unlinked = lane.unlinked, unlinked_other;
    purchase.operator= returned.operator= unlinked.operator= talk_code("4711");
    purchase.time = 1;
    purchase_other = purchase;
    purchase_other.amount++;
    returned_other = returned;
    returned_other.amount--;
    unlinked_other = unlinked;
    unlinked_other.amount++;
    const struct document documents[] = {
        { OPERATION_PURCHASE, &purchase, &purchase_other, &lane.seen[1] },
        { OPERATION_RETURN, &returned, &returned_other, &lane.seen[2] },
        { OPERATION_UNLINKED_RETURN, &unlinked, &unlinked_other, &lane.seen[3] },
    };
    talk = talk_hello(world_address(world), LOST_EPOCH, 1, NULL);
    for (uint64_t i = 0; i < 3; i++)
        lost_till_sends(talk, 1 + i * 3, &documents[i]);
    struct msg_totals_answer totals = talk_totals(talk);
    talk_free(talk);
    world_kill(world);
    world_start(world);
    talk = talk_hello(world_address(world), LOST_EPOCH, 1, NULL);
    for (uint64_t i = 0; i < 3; i++)
        lost_till_repeats(talk, 1 + i * 3, &documents[i]);
    expect_totals(talk, &totals);
    for (uint64_t i = 0; i < 3; i++)
        lost_till_sends(talk, 10 + i * 3, &documents[i]);
    talk_free(talk);
    world_free(world);
}

/* A key is store, till, business date and number: other in one of them is another receipt, and none is no key. */
static void test_keys(void **state)
{
    struct world *world = world_new(NULL);
    struct talk *talk = talk_hello(world_address(world), EPOCH, 1, NULL);
    struct msg_purchase_request purchase = talk_purchase(CARD, 100, "R1");
    uint64_t number = 1;
    (void)state;
    talk_issue(talk, number++, CARD, 1);
    purchase.business_date = 20000;
    (void)ask(talk, OPERATION_PURCHASE, number++, &purchase, 0);
    purchase.business_date = 20001;
    (void)ask(talk, OPERATION_PURCHASE, number++, &purchase, 0);
    purchase.till = talk_code("2");
    (void)ask(talk, OPERATION_PURCHASE, number++, &purchase, 0);
    purchase.store = talk_code("2");
    (void)ask(talk, OPERATION_PURCHASE, number++, &purchase, 0);
    purchase.receipt = talk_code("r1");
    (void)ask(talk, OPERATION_PURCHASE, number++, &purchase, 0);
    purchase.receipt = talk_code("");
    (void)ask(talk, OPERATION_PURCHASE, number++, &purchase, 0);
    (void)ask(talk, OPERATION_PURCHASE, number++, &purchase, 0);
    assert_int_equal(talk_totals(talk).earned, 7);
    assert_int_equal(statement_count(talk, 4), 7);
    talk_free(talk);
    world_free(world);
}

/* A refused request does not occupy its key. */
static void test_refused_key(void **state)
{
    struct world *world = world_new(NULL);
    struct talk *talk = talk_hello(world_address(world), EPOCH, 1, NULL);
    struct msg_purchase_request purchase = talk_purchase(CARD, 100, "R1");
    (void)state;
    talk_send(talk, OPERATION_PURCHASE, 0, 1, &purchase);
    (void)talk_expect_refusal(talk, OPERATION_PURCHASE, 1, RESULT_UNKNOWN_CARD);
    talk_issue(talk, 2, CARD, 1);
    /* Under its number it stays refused, though it would be done now. */
    struct seen again = ask(talk, OPERATION_PURCHASE, 1, &purchase, FRAME_FLAG_REPLAYED);
    assert_int_equal(again.type, OPERATION_PURCHASE | FRAME_TYPE_REFUSED);
    (void)ask(talk, OPERATION_PURCHASE, 3, &purchase, 0);
    assert_int_equal(talk_card(talk, CARD).available, 1);
    talk_free(talk);
    world_free(world);
}

/* Two tills, each with its own lane, redeem all of a card at once: one gets it, never both. */
static void test_race(void **state)
{
    struct random random = random_seeded();
    struct world *world = world_new(NULL);
    struct talk *tills[2] = { talk_hello(world_address(world), EPOCH, 1, NULL),
                              talk_hello(world_address(world), LOST_EPOCH, 1, NULL) };
    uint64_t numbers[2] = { 1, 1 };
    uint64_t wins[2] = { 0, 0 };
    int64_t earned = 0, redeemed = 0;
    int rounds = world_long() ? 3000 : 300;
    (void)state;
    talk_issue(tills[0], numbers[0]++, CARD, 1);
    for (int round = 0; round < rounds; round++) {
        uint64_t points = 1 + random_below(&random, 500);
        struct msg_purchase_request purchase = talk_purchase(CARD, points * 100, "");
        struct msg_redeem_request redeem = talk_redeem(CARD, points);
        uint64_t buyer = random_below(&random, 2);
        (void)ask(tills[buyer], OPERATION_PURCHASE, numbers[buyer]++, &purchase, 0);
        earned += (int64_t)points;
        uint64_t first = random_below(&random, 2);
        talk_send(tills[first], OPERATION_REDEEM, 0, numbers[first], &redeem);
        talk_send(tills[!first], OPERATION_REDEEM, 0, numbers[!first], &redeem);
        int done = 0;
        for (int i = 0; i < 2; i++) {
            struct talk_answer answer;
            assert_true(talk_receive(tills[i], &answer));
            assert_int_equal(answer.number, numbers[i]++);
            enum result result = talk_result(tills[i], &answer);
            assert_true(result == RESULT_DONE || result == RESULT_NOT_ENOUGH_POINTS);
            done += result == RESULT_DONE;
            wins[i] += result == RESULT_DONE;
        }
        assert_int_equal(done, 1);
        redeemed += (int64_t)points;
        assert_int_equal(talk_card(tills[0], CARD).available, 0);
    }
    printf("wins: %llu and %llu\n", (unsigned long long)wins[0], (unsigned long long)wins[1]);
    struct msg_totals_answer totals = talk_totals(tills[1]);
    assert_int_equal(totals.earned, earned);
    assert_int_equal(totals.redeemed, redeemed);
    assert_int_equal(totals.outstanding, 0);
    assert_int_equal(totals.debt, 0);
    assert_int_equal(totals.events, 2 + 3 * rounds);
    talk_free(tills[0]);
    talk_free(tills[1]);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_number),  cmocka_unit_test(test_new_number), cmocka_unit_test(test_keys),
        cmocka_unit_test(test_refused_key), cmocka_unit_test(test_race),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
