/*
 * The largest of everything: receipts of thousands of lines, amounts and points at their limits, ranges of cards,
 * long statements, a long programme. Each goes through whole, or is refused and leaves nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/random.h"
#include "proto/card.h"
#include "proto/frame.h"
#include "talk.h"
#include "world.h"

#define CARD "2900000000018"
#define EPOCH UINT64_C(0x0123456789abcdef)
#define LINES_MAX 4096
#define EX_CONFIG_CODE 78

/* --- receipts --- */

static struct msg_line lines[LINES_MAX];

/* Fills a receipt with lines of random worth, the codes as long as they may be if wide. */
static struct msg_purchase_request receipt_of(struct random *random, uint64_t count, bool wide,
                                              const char *receipt)
{
    struct msg_purchase_request purchase = talk_purchase(CARD, 0, receipt);
    char code[48];
    for (uint64_t i = 0; i < count; i++) {
        message_init(MESSAGE_line, &lines[i]);
        (void)snprintf(code, sizeof(code), wide ? "ARTICLE-%024llu" : "%llu", (unsigned long long)i);
        lines[i].code = talk_code(code);
        lines[i].amount = (int64_t)random_below(random, 10000);
        lines[i].quantity = 1000 * (1 + random_below(random, 9));
        if (wide)
            lines[i].category = talk_code("CATEGORY-THAT-IS-NAMED-AT-LENGTH");
        purchase.amount += (uint64_t)lines[i].amount;
    }
    purchase.lines = lines;
    purchase.lines_count = count;
    return purchase;
}

static struct msg_return_request return_of(const char *receipt, struct msg_return_line *return_lines,
                                           uint64_t count)
{
    struct msg_return_request request;
    message_init(MESSAGE_return_request, &request);
    request.card = talk_code(CARD);
    request.store = talk_code("1");
    request.till = talk_code("1");
    request.sale_receipt = talk_code(receipt);
    request.lines = return_lines;
    request.lines_count = count;
    return request;
}

/* Books a receipt of count lines and returns all of it in two parts; then repeats it all. The balance is 0 before
 * and after. Uses four numbers of the lane. */
static void sell_and_return(struct talk *talk, struct random *random, uint64_t number, uint64_t count,
                            bool wide)
{
    static struct msg_return_line back[LINES_MAX];
    struct msg_purchase_answer bought;
    struct msg_return_answer first, second;
    struct talk_answer answer;
    char receipt[32];
    (void)snprintf(receipt, sizeof(receipt), "R%llu", (unsigned long long)number);
    struct msg_purchase_request purchase = receipt_of(random, count, wide, receipt);
    talk_send(talk, OPERATION_PURCHASE, 0, number, &purchase);
    answer = talk_expect(talk, OPERATION_PURCHASE, number);
    talk_decode(talk, &answer, &bought);
    assert_int_equal(bought.earned, purchase.amount / 100);
    assert_int_equal(bought.available, bought.earned);

    /* Every other line by its number, then the rest by its code. */
    for (uint64_t i = 0; i < count; i++)
        message_init(MESSAGE_return_line, &back[i]);
    uint64_t odd = 0;
    for (uint64_t i = 0; i < count; i += 2)
        back[odd++].number = i + 1;
    struct msg_return_request returned = return_of(receipt, back, odd);
    talk_send(talk, OPERATION_RETURN, 0, number + 1, &returned);
    answer = talk_expect(talk, OPERATION_RETURN, number + 1);
    talk_decode(talk, &answer, &first);
    assert_int_equal(first.available, bought.earned - first.taken);
    talk_send(talk, OPERATION_RETURN, 0, number + 2, &returned);
    (void)talk_expect_refusal(talk, OPERATION_RETURN, number + 2, RESULT_MORE_THAN_SOLD);
    struct msg_return_line *rest = back;
    for (uint64_t i = 1; i < count; i += 2, rest++) {
        rest->number = 0;
        rest->code = lines[i].code;
        rest->quantity = lines[i].quantity;
    }
    struct msg_return_request others = return_of(receipt, back, count / 2);
    talk_send(talk, OPERATION_RETURN, 0, number + 3, &others);
    answer = talk_expect(talk, OPERATION_RETURN, number + 3);
    talk_decode(talk, &answer, &second);
    assert_int_equal(first.taken + second.taken, bought.earned);
    assert_int_equal(second.available, 0);
    assert_int_equal(second.debt, 0);

    talk_send(talk, OPERATION_PURCHASE, 0, number, &purchase);
    answer = talk_expect(talk, OPERATION_PURCHASE, number);
    assert_int_equal(answer.flags, FRAME_FLAG_REPLAYED);
    talk_send(talk, OPERATION_RETURN, 0, number + 3, &others);
    answer = talk_expect(talk, OPERATION_RETURN, number + 3);
    assert_int_equal(answer.flags, FRAME_FLAG_REPLAYED);
}

/* The entries of the newest page of a statement. */
static uint64_t statement_size(struct talk *talk)
{
    struct msg_statement_request request;
    struct msg_statement_answer page;
    message_init(MESSAGE_statement_request, &request);
    request.card = talk_code(CARD);
    request.limit = 200;
    talk_send(talk, OPERATION_STATEMENT, 0, UINT64_MAX, &request);
    struct talk_answer answer = talk_expect(talk, OPERATION_STATEMENT, UINT64_MAX);
    talk_decode(talk, &answer, &page);
    return page.entries_count;
}

static void test_receipts(void **state)
{
    static const struct {
        uint64_t count;
        bool wide;
    } sizes[] = { { 1, false },   { 2, true },          { 1200, false },
                  { 1200, true }, { LINES_MAX, false }, { LINES_MAX, true } };
    struct random random = random_seeded();
    struct world *world = world_new(NULL);
    struct talk *talk = talk_hello(world_address(world), EPOCH, 1, NULL);
    uint64_t number = 2;
    (void)state;
    talk_issue(talk, 1, CARD, 1);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++, number += 4)
        sell_and_return(talk, &random, number, sizes[i].count, sizes[i].wide);
    assert_int_equal(statement_size(talk), 1 + 3 * sizeof(sizes) / sizeof(sizes[0]));
    struct msg_totals_answer totals = talk_totals(talk);
    assert_int_equal(totals.earned, totals.returned);
    talk_free(talk);
    world_kill(world);
    world_start(world);
    talk = talk_hello(world_address(world), EPOCH, number, NULL);
    assert_int_equal(talk_totals(talk).events, totals.events);
    sell_and_return(talk, &random, number, LINES_MAX, true);
    assert_int_equal(talk_card(talk, CARD).available, 0);
    talk_free(talk);
    world_free(world);
}

/* One line does not add up: refused, whatever the size. */
static void test_mismatch(void **state)
{
    struct random random = random_seeded();
    struct world *world = world_new(NULL);
    struct talk *talk = talk_hello(world_address(world), EPOCH, 1, NULL);
    (void)state;
    talk_issue(talk, 1, CARD, 1);
    struct msg_purchase_request purchase = receipt_of(&random, LINES_MAX, false, "R1");
    purchase.amount++;
    talk_send(talk, OPERATION_PURCHASE, 0, 2, &purchase);
    (void)talk_expect_refusal(talk, OPERATION_PURCHASE, 2, RESULT_LINES_MISMATCH);
    purchase.amount--;
    talk_send(talk, OPERATION_PURCHASE, 0, 3, &purchase);
    (void)talk_expect(talk, OPERATION_PURCHASE, 3);
    talk_free(talk);
    world_free(world);
}

/* --- amounts and points --- */

static void buy(struct talk *talk, uint64_t number, uint64_t amount, enum result wanted)
{
    struct msg_purchase_request purchase = talk_purchase(CARD, amount, "");
    talk_send(talk, OPERATION_PURCHASE, 0, number, &purchase);
    if (wanted == RESULT_DONE)
        (void)talk_expect(talk, OPERATION_PURCHASE, number);
    else
        (void)talk_expect_refusal(talk, OPERATION_PURCHASE, number, wanted);
}

static void adjust(struct talk *talk, uint64_t number, int64_t points, bool debt, enum result wanted)
{
    struct msg_adjust_request request;
    message_init(MESSAGE_adjust_request, &request);
    request.card = talk_code(CARD);
    request.points = points;
    request.reason = talk_code("other");
    request.allow_debt = debt;
    talk_send(talk, OPERATION_ADJUST, 0, number, &request);
    if (wanted == RESULT_DONE)
        (void)talk_expect(talk, OPERATION_ADJUST, number);
    else
        (void)talk_expect_refusal(talk, OPERATION_ADJUST, number, wanted);
}

/* A balance stays below 10^12 points either way; what would not is refused. */
static void test_amounts(void **state)
{
    const int64_t most = INT64_C(999999999999);
    struct world *world = world_new(NULL);
    struct talk *talk = talk_hello(world_address(world), EPOCH, 1, NULL);
    uint64_t number = 1;
    (void)state;
    talk_issue(talk, number++, CARD, 1);
    buy(talk, number++, 0, RESULT_DONE);
    buy(talk, number++, 99, RESULT_DONE);
    assert_int_equal(talk_card(talk, CARD).available, 0);
    for (int i = 0; i < 100; i++)
        buy(talk, number++, (uint64_t)most, RESULT_DONE);
    int64_t balance = most / 100 * 100;
    assert_int_equal(talk_card(talk, CARD).available, balance);
    buy(talk, number++, (uint64_t)most, RESULT_OVER_LIMIT);
    buy(talk, number++, 100 * (uint64_t)(most - balance), RESULT_DONE);
    buy(talk, number++, 100, RESULT_OVER_LIMIT);
    adjust(talk, number++, 1, false, RESULT_OVER_LIMIT);
    adjust(talk, number++, MESSAGE_POINTS_MAX, false, RESULT_OVER_LIMIT);
    struct msg_card_show_answer card = talk_card(talk, CARD);
    assert_int_equal(card.available, most);
    assert_int_equal(card.lifetime, most);
    struct msg_redeem_request redeem = talk_redeem(CARD, (uint64_t)most);
    talk_send(talk, OPERATION_REDEEM, 0, number, &redeem);
    (void)talk_expect(talk, OPERATION_REDEEM, number++);
    adjust(talk, number++, -most, true, RESULT_DONE);
    adjust(talk, number++, -1, true, RESULT_OVER_LIMIT);
    assert_int_equal(talk_card(talk, CARD).debt, most);
    adjust(talk, number++, most, false, RESULT_DONE);
    card = talk_card(talk, CARD);
    assert_int_equal(card.debt, 0);
    assert_int_equal(card.available, 0);
    struct msg_totals_answer totals = talk_totals(talk);
    assert_int_equal(totals.outstanding - totals.debt,
                     totals.earned - totals.redeemed - totals.returned + totals.adjusted);
    talk_free(talk);
    world_free(world);
}

/* A time at its limit is booked at the server's time, flagged; as historic, at its own or not at all. */
static void test_times(void **state)
{
    static const uint64_t times[] = { 1, MESSAGE_TIME_MAX, MESSAGE_TIME_MAX - 1, INT64_C(951782400000000) };
    struct world *world = world_new(NULL);
    struct talk *talk = talk_hello(world_address(world), EPOCH, 1, NULL);
    uint64_t number = 2;
    (void)state;
    talk_issue(talk, 1, CARD, 1);
    for (size_t i = 0; i < 2 * sizeof(times) / sizeof(times[0]); i++) {
        struct msg_purchase_answer answer_body;
        struct talk_answer answer;
        struct msg_purchase_request purchase = talk_purchase(CARD, 100, "");
        bool historic = i % 2 == 1;
        purchase.time = times[i / 2];
        talk_send(talk, OPERATION_PURCHASE, historic ? FRAME_FLAG_HISTORIC : 0, number, &purchase);
        assert_true(talk_receive(talk, &answer));
        assert_int_equal(answer.number, number++);
        if (talk_result(talk, &answer) != RESULT_DONE)
            continue;
        talk_decode(talk, &answer, &answer_body);
        bool past = purchase.time < MESSAGE_TIME_MAX - 1; /* what has not happened yet is no history */
        assert_int_equal(answer_body.flags, historic && past ? 0 : 1);
    }
    assert_true(talk_card(talk, CARD).available >= 4);
    talk_free(talk);
    world_kill(world);
    world_start(world);
    talk = talk_hello(world_address(world), EPOCH, number, NULL);
    assert_int_equal(statement_size(talk), number - 1);
    talk_free(talk);
    world_free(world);
}

/* --- cards --- */

static void issue(struct talk *talk, uint64_t number, const char *card, uint64_t count, enum result wanted)
{
    struct msg_card_issue_request request = { .card = talk_code(card), .count = count };
    talk_send(talk, OPERATION_CARD_ISSUE, 0, number, &request);
    if (wanted == RESULT_DONE)
        (void)talk_expect(talk, OPERATION_CARD_ISSUE, number);
    else
        (void)talk_expect_refusal(talk, OPERATION_CARD_ISSUE, number, wanted);
}

static void test_ranges(void **state)
{
    struct world *world = world_new(NULL);
    struct talk *talk = talk_hello(world_address(world), EPOCH, 1, NULL);
    char card[40];
    (void)state;
    issue(talk, 1, "7000000000000000000", 10000, RESULT_DONE);
    issue(talk, 1, "7000000000000000000", 10000, RESULT_DONE);        /* the repeat */
    issue(talk, 2, "6999999999999990001", 10000, RESULT_CARD_EXISTS); /* the last one is; none is issued */
    assert_int_equal(talk_totals(talk).cards, 10000);
    issue(talk, 3, "6999999999999990001", 9999, RESULT_DONE);
    issue(talk, 4, "9990", 11, RESULT_INVALID_CARD_NUMBER);
    issue(talk, 5, "9990", 10, RESULT_DONE);
    issue(talk, 6, "A1", 2, RESULT_INVALID_CARD_NUMBER);
    issue(talk, 7, "A1", 1, RESULT_DONE);
    assert_int_equal(talk_totals(talk).cards, 20010);
    talk_free(talk);
    world_kill(world);
    world_start(world);
    talk = talk_hello(world_address(world), EPOCH, 8, NULL);
    for (uint64_t i = 0; i < 10000; i += 1111) {
        (void)snprintf(card, sizeof(card), "7%018llu", (unsigned long long)i);
        assert_int_equal(talk_card(talk, card).account, i + 1);
    }
    assert_int_equal(talk_card(talk, "9999").account, 20009);
    talk_free(talk);
    world_free(world);
}

/* With a check digit the range counts without it. */
static void test_range_ean13(void **state)
{
    const struct world_options options = {
        .programme = "programme: checked\ncurrency: EUR\ncards:\n  check: ean13\nbase:\n  - rule: spend\n    "
                     "points: 1\n    amount: 1.00\n...\n"
    };
    struct world *world = world_new(&options);
    struct talk *talk = talk_hello(world_address(world), EPOCH, 1, NULL);
    struct wire_code first = talk_code(CARD), last;
    char card[40] = "";
    (void)state;
    issue(talk, 1, "2900000000019", 10, RESULT_INVALID_CARD_NUMBER);
    issue(talk, 2, CARD, 10000, RESULT_DONE);
    assert_true(card_number_after(&first, 9999, CARD_CHECK_EAN13, &last));
    memcpy(card, last.bytes, last.size);
    assert_int_equal(talk_card(talk, card).account, 10000);
    assert_true(card_check_valid(&last, CARD_CHECK_EAN13));
    talk_free(talk);
    world_free(world);
}

/* --- statements --- */

/* Fills an account with purchases of 1.00, 2.00, ... under numbers from 2 on, a window at a time. */
static void fill_account(struct talk *talk, uint64_t count)
{
    for (uint64_t i = 0; i < count;) {
        uint64_t batch = count - i < 64 ? count - i : 64;
        for (uint64_t k = 0; k < batch; k++) {
            struct msg_purchase_request purchase = talk_purchase(CARD, (i + k + 1) * 100, "");
            talk_put(talk, OPERATION_PURCHASE, 0, 2 + i + k, &purchase);
        }
        talk_flush(talk);
        for (uint64_t k = 0; k < batch; k++)
            (void)talk_expect(talk, OPERATION_PURCHASE, 2 + i + k);
        i += batch;
    }
}

/* 200 full pages, newest first, nothing twice and nothing left out, while the account goes on changing. */
static void test_pages(void **state)
{
    enum { PAGES = 200 };
    struct world *world = world_new(NULL);
    struct talk *talk = talk_hello(world_address(world), EPOCH, 1, NULL);
    uint64_t limit = world_long() ? 200 : 5;
    uint64_t count = PAGES * limit;
    struct msg_statement_request request;
    struct msg_statement_answer page;
    uint64_t last_position = UINT64_MAX, seen = 0, pages = 0;
    (void)state;
    talk_issue(talk, 1, CARD, 1);
    fill_account(talk, count);
    int64_t balance = (int64_t)(count * (count + 1) / 2);
    message_init(MESSAGE_statement_request, &request);
    request.card = talk_code(CARD);
    request.limit = limit;
    do {
        talk_send(talk, OPERATION_STATEMENT, 0, UINT64_MAX, &request);
        struct talk_answer answer = talk_expect(talk, OPERATION_STATEMENT, UINT64_MAX);
        talk_decode(talk, &answer, &page);
        for (uint64_t i = 0; i < page.entries_count; i++, seen++) {
            const struct msg_statement_entry *entry = &page.entries[i];
            assert_true(entry->position < last_position);
            last_position = entry->position;
            assert_int_equal(entry->kind, seen < count ? 4 : 3);
            assert_int_equal(entry->points, count - seen);
            assert_int_equal(entry->balance, balance);
            balance -= entry->points;
        }
        pages++;
        request.from = page.next;
        if (pages % 16 == 0)
            buy(talk, 2 + count + pages / 16 - 1, 100, RESULT_DONE);
    } while (page.next != 0);
    assert_int_equal(seen, count + 1);
    assert_int_equal(pages, PAGES + 1);
    assert_int_equal(balance, 0);
    talk_free(talk);
    world_free(world);
}

/* --- programmes --- */

/* A programme of this size: comments are part of its text. */
static char *programme_of(size_t size)
{
    static const char begin[] =
        "programme: long\ncurrency: EUR\nbase:\n  - rule: spend\n    points: 1\n    amount: 1.00\n";
    static const char end[] = "...\n";
    static const char comment[] = "# rules are explained at length, so that those who come later know why\n";
    char *text = malloc(size + 1);
    assert_non_null(text);
    size_t at = sizeof(begin) - 1;
    memcpy(text, begin, at);
    while (size - at > 2 * sizeof(comment)) {
        memcpy(text + at, comment, sizeof(comment) - 1);
        at += sizeof(comment) - 1;
    }
    text[at++] = '#';
    while (at < size - sizeof(end))
        text[at++] = '.';
    text[at++] = '\n';
    memcpy(text + at, end, sizeof(end));
    return text;
}

static void test_programme(void **state)
{
    char *text = programme_of(60 * 1024);
    char *too_long = programme_of(64 * 1024 + 1);
    const struct world_options options = { .programme = text };
    const struct world_options refused = { .programme = too_long, .stopped = true };
    struct world *world = world_new(&options);
    struct talk *talk = talk_hello(world_address(world), 0, 1, NULL);
    (void)state;
    for (int start = 0; start < 2; start++) {
        struct msg_programme_show_request request;
        struct msg_programme_show_answer shown;
        message_init(MESSAGE_programme_show_request, &request);
        talk_send(talk, OPERATION_PROGRAMME_SHOW, 0, 1, &request);
        struct talk_answer answer = talk_expect(talk, OPERATION_PROGRAMME_SHOW, 1);
        talk_decode(talk, &answer, &shown);
        assert_int_equal(shown.version, 1);
        assert_int_equal(shown.text.size, strlen(text));
        assert_memory_equal(shown.text.data, text, strlen(text));
        talk_free(talk);
        world_kill(world);
        world_start(world); /* the same text: no new version */
        talk = talk_hello(world_address(world), 0, 1, NULL);
    }
    talk_free(talk);
    world_free(world);
    world = world_new(&refused);
    assert_int_equal(world_start_fails(world), EX_CONFIG_CODE);
    world_free(world);
    free(text);
    free(too_long);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_receipts), cmocka_unit_test(test_mismatch),  cmocka_unit_test(test_amounts),
        cmocka_unit_test(test_times),    cmocka_unit_test(test_ranges),    cmocka_unit_test(test_range_ean13),
        cmocka_unit_test(test_pages),    cmocka_unit_test(test_programme),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
