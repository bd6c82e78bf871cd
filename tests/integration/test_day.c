/*
 * The end of a till's day, as PROTOCOL.md tells it: a till that keeps its own figures by that text must agree with the
 * daemon.
 */
#include <stdio.h>
#include <string.h>

#include "day_till.h"
#include "proto/frame.h"

/* Each figure by itself puts the day out of balance. */
static void expect_each_counts(struct till *till, uint64_t number)
{
    struct msg_day_close_request wrong[6];
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        wrong[i] = till->day;
    wrong[0].purchases++;
    wrong[1].purchase_amount--;
    wrong[2].returns++;
    wrong[3].return_amount++;
    wrong[4].reversals--;
    wrong[5].hash ^= 1;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        expect_close(till, &wrong[i], number++, NOT_IN_BALANCE, 0);
}

static void test_balance(void **state)
{
    struct world *world = world_new(NULL);
    struct till *till = till_open(world);
    (void)state;
    expect_totals(till, 0, IN_BALANCE, 0);
    expect_close(till, &till->day, 1, IN_BALANCE, 0); /* a day without business */
    till->day.date = DATE + 1;
    expect_close(till, &till->day, 2, IN_BALANCE, 0);
    till->day.date = DATE;
    does_business(till);
    expect_totals(till, 1, IN_BALANCE,
                  till->number - 5); /* but for the card, two closes, a tie and a refusal */
    expect_close(till, &till->day, 3, IN_BALANCE, till->number - 5);
    expect_totals(till, 2, IN_BALANCE, 0);
    struct msg_day_close_request answered = till->day;
    answered.return_amount = till->returned;
    assert_int_equal(till->returned - till->day.return_amount, 5000); /* the lines */
    expect_close(till, &answered, 4, IN_BALANCE, 0);
    struct msg_day_close_request queued = till->day;
    queued.queued = 2;
    expect_close(till, &queued, 5, OPEN, 0);
    expect_totals(till, 4, OPEN, 0);
    expect_each_counts(till, 6);
    expect_totals(till, 10, NOT_IN_BALANCE, 0);
    expect_close(till, &till->day, 12, IN_BALANCE, 0);
    expect_totals(till, 11, IN_BALANCE, 0);
    till_free(till);
    world_free(world);
}

/* "closed, then n late", through a crash. */
static void test_late(void **state)
{
    struct world *world = world_new(NULL);
    struct till *till = till_open(world);
    struct sent other = purchase(100, "o", DATE + 1);
    struct sent before = purchase(100, "a", DATE);
    struct sent late = purchase(200, "b", DATE);
    struct run run;
    (void)state;
    assert_int_equal(flags_of(till, position_of(till, &before)) & FLAG_LATE, 0);
    expect_close(till, &till->day, 1, IN_BALANCE, 0);
    assert_int_equal(flags_of(till, position_of(till, &late)) & FLAG_LATE, FLAG_LATE);
    late = redeem(1);
    assert_int_equal(flags_of(till, position_of(till, &late)) & FLAG_LATE, FLAG_LATE);
    (void)sends(till, &other, false);
    expect_totals(till, 1, IN_BALANCE, 2);
    talk_free(till->talk);
    world_kill(world);
    world_start(world);
    till->talk = talk_hello(till_address(world), EPOCH, till->number + 1, NULL);
    expect_totals(till, 1, IN_BALANCE, 2);
    world_punkt(world, &run, "till", "totals", "--store", "1", "--till", "1", "--date", "2025-11-08", NULL);
    assert_int_equal(run.exit_code, 0);
    assert_non_null(strstr(run.out, "in balance, then 2 late"));
    run_done(&run);
    world_json(world, &run, "till", "totals", "--store", "1", "--till", "1", "--date", "2025-11-08", NULL);
    assert_non_null(strstr(run.out, "\"closes\":1,\"close_state\":\"in_balance\",\"close_time\":\"20"));
    assert_non_null(strstr(run.out, "\"late\":2"));
    run_done(&run);
    world_json(world, &run, "till", "totals", "--store", "1", "--till", "1", "--date", "2025-11-09", NULL);
    assert_null(strstr(run.out, "close_state")); /* nobody closed it */
    run_done(&run);
    expect_close(till, &till->day, 2, IN_BALANCE, 2);
    expect_totals(till, 2, IN_BALANCE, 0);
    till_free(till);
    world_free(world);
}

/* A repeat of a close has the same bytes, whatever came since, and closes nothing. */
static void test_repeat(void **state)
{
    struct world *world = world_new(NULL);
    struct till *till = till_open(world);
    struct sent more = purchase(100, "a", DATE);
    uint8_t first[512];
    (void)state;
    struct sent close = { .operation = OPERATION_DAY_CLOSE, .body.close = till->day };
    struct talk_answer answer = sends(till, &close, true);
    size_t size = answer.body_size;
    assert_true(size <= sizeof(first));
    memcpy(first, answer.body, size);
    uint64_t number = till->number;
    (void)position_of(till, &more);
    for (int again = 0; again < 2; again++) {
        talk_send(till->talk, OPERATION_DAY_CLOSE, 0, number, &close.body);
        answer = talk_expect(till->talk, OPERATION_DAY_CLOSE, number);
        assert_int_equal(answer.flags, FRAME_FLAG_REPLAYED);
        assert_int_equal(answer.body_size, size);
        assert_memory_equal(answer.body, first, size);
        expect_totals(till, 1, IN_BALANCE, 1);
        talk_free(till->talk);
        world_kill(world);
        world_start(world);
        till->talk = talk_hello(till_address(world), EPOCH, till->number + 1, NULL);
    }
    till_free(till);
    world_free(world);
}

static void test_numbers(void **state)
{
    struct world *world = world_new(NULL);
    struct till *till = till_open(world);
    uint8_t malformed[FRAME_HEADER_SIZE];
    (void)state;
    assert_int_equal(numbers(till->talk, EPOCH + 1, 1).last, 0);
    does_business(till);
    frame_put_header(malformed, 0, OPERATION_PURCHASE, 0, ++till->number);
    talk_send_bytes(till->talk, malformed, sizeof(malformed)); /* answered, and not remembered */
    (void)talk_expect_refusal(till->talk, OPERATION_PURCHASE, till->number, RESULT_MALFORMED);
    struct sent next = reversal(190); /* reversed before it comes: known, and not answered */
    (void)position_of(till, &next);
    expect_blocks(till);
    while (till->number < 130) {
        char receipt[16];
        (void)snprintf(receipt, sizeof(receipt), "n%u", (unsigned)(till->number / 2));
        next = purchase(100, receipt, DATE); /* each twice: the second is tied */
        (void)sends(till, &next, true);
        if (till->number % 64 < 2)
            expect_blocks(till);
    }
    expect_blocks(till);
    talk_free(till->talk);
    world_kill(world);
    world_start(world);
    till->talk = talk_hello(till_address(world), EPOCH, till->number + 1, NULL);
    expect_blocks(till);
    assert_int_equal(numbers(till->talk, EPOCH, 64).blocks_count, 2);
    assert_int_equal(numbers(till->talk, EPOCH, 130).blocks[0].first, 128);
    assert_int_equal(numbers(till->talk, EPOCH, 192).blocks_count, 0);
    expect_close(till, &till->day, 1, IN_BALANCE, 0);
    till_free(till);
    world_free(world);
}

/* More blocks than a page has; of the local administrator, whom no rate slows down. */
static void test_pages(void **state)
{
    enum { ALL = 8300, AT_ONCE = 60 };
    struct world *world = world_new(NULL);
    struct talk *talk = talk_hello(world_address(world), EPOCH, 1, NULL);
    struct msg_redeem_request nothing = talk_redeem(CARD, 1); /* of a card that is not issued */
    (void)state;
    for (uint64_t number = 1; number <= ALL;) {
        uint64_t until = number + AT_ONCE <= ALL + 1 ? number + AT_ONCE : ALL + 1;
        for (uint64_t i = number; i < until; i++)
            talk_put(talk, OPERATION_REDEEM, 0, i, &nothing);
        talk_flush(talk);
        for (; number < until; number++)
            (void)talk_expect_refusal(talk, OPERATION_REDEEM, number, RESULT_UNKNOWN_CARD);
    }
    struct msg_day_numbers_answer page = numbers(talk, EPOCH, 0);
    assert_int_equal(page.last, ALL);
    assert_int_equal(page.blocks_count, 128);
    assert_int_equal(page.next, 8192);
    assert_int_equal(page.blocks[127].answered, UINT64_MAX);
    assert_int_equal(page.blocks[127].booked, 0);
    page = numbers(talk, EPOCH, page.next);
    assert_int_equal(page.blocks_count, 2);
    assert_int_equal(page.next, 0);
    assert_int_equal(page.blocks[1].answered, (UINT64_C(1) << (ALL % 64 + 1)) - 1);
    talk_free(talk);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_balance), cmocka_unit_test(test_late),  cmocka_unit_test(test_repeat),
        cmocka_unit_test(test_numbers), cmocka_unit_test(test_pages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
