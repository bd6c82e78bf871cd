/*
 * Two at once: daemons on one folder, connections with the same card, hold, request or programme; and what
 * goes on while there is no space for anything new.
 */
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/random.h"
#include "fault.h"
#include "ledger_files.h"
#include "till.h"

#define EXIT_STORAGE 70
#define EXIT_IN_USE 75
#define RIVAL 815u /* epoch of the other till */
#define NEVER 99u  /* an epoch in which nothing comes */
#define LINES 4096u
#define SEGMENT_BYTES (8u << 20)
#define SEGMENT_FULL (SEGMENT_BYTES - (512u << 10)) /* a position: hardly any room behind it in the segment */
#define IN_FLIGHT 60u
#define SILENCE_MS 1500 /* longer than a disk takes */

static struct random random_numbers;

static unsigned rounds(unsigned few)
{
    return world_long() ? 20 * few : few;
}

/* --- daemons --- */

static void expect_in_use(const struct world *world, const char *command)
{
    char config[PATH_MAX];
    struct run run;
    (void)snprintf(config, sizeof(config), "%s/punktd.yaml", world_folder(world));
    const char *argv[] = { "punktd", command, "--data", world_data(world), "--config", config, NULL };
    if (command[0] == '-')
        argv[1] = "--listen=127.0.0.1:0";
    run_begin(argv, NULL, &run);
    run_end(&run);
    if (run.exit_code != EXIT_IN_USE || strstr(run.err, "in use by another process") == NULL)
        fail_msg("punktd %s beside another: exit %d, %s%s", command, run.exit_code, run.out, run.err);
    run_done(&run);
}

static void test_two_daemons(void **state)
{
    struct world *world = world_new(NULL);
    struct till till = till_with_points(world, 100);
    (void)state;
    expect_in_use(world, "-");
    expect_in_use(world, "rebuild");
    assert_int_equal(talk_card(till.talk, TILL_CARD).available, 100); /* the first one did not notice */
    till_close(&till);
    world_kill(world);
    world_start(world); /* nobody else's lock is left */
    expect_verified(world);
    world_free(world);
}

/* --- the same points, the same hold --- */

/* Sends both before either is answered, in either order. Returns how many were done; the other one's
 * reason. */
static unsigned send_both(struct till *tills, enum operation operation, const void *body,
                          enum result *out_other)
{
    unsigned first = (unsigned)random_below(&random_numbers, 2), done = 0;
    for (unsigned i = 0; i < 2; i++) {
        struct till *till = &tills[(first + i) % 2];
        talk_send(till->talk, operation, 0, till->number, body);
    }
    for (unsigned i = 0; i < 2; i++) {
        struct talk_answer answer;
        assert_true(talk_receive(tills[i].talk, &answer));
        assert_int_equal(answer.number, tills[i].number++);
        enum result result = talk_result(tills[i].talk, &answer);
        if (result == RESULT_DONE)
            done++;
        else
            *out_other = result;
    }
    return done;
}

/* The last points are spent twice. */
static void test_redeem_at_once(void **state)
{
    struct world *world = world_new(NULL);
    struct till tills[2] = { till_with_points(world, 60), till_open(world, RIVAL, 1) };
    struct msg_purchase_request purchase = till_purchase(60, "");
    struct msg_redeem_request redeem = talk_redeem(TILL_CARD, 60);
    (void)state;
    for (unsigned i = 0; i < rounds(20); i++) {
        enum result other = RESULT_DONE;
        assert_int_equal(send_both(tills, OPERATION_REDEEM, &redeem, &other), 1);
        assert_int_equal(other, RESULT_NOT_ENOUGH_POINTS);
        assert_int_equal(talk_card(tills[0].talk, TILL_CARD).available, 0);
        assert_int_equal(till_send(&tills[i % 2], OPERATION_PURCHASE, 0, &purchase, NULL), RESULT_DONE);
    }
    expect_verified(world);
    till_close(&tills[0]);
    till_close(&tills[1]);
    world_free(world);
}

/* A hold is captured twice; and captured while it is released, or times out. */
static void test_capture_at_once(void **state)
{
    struct world *world = world_new(NULL);
    struct till tills[2] = { till_with_points(world, 10000), till_open(world, RIVAL, 1) };
    struct msg_capture_request capture;
    int64_t spent = 0;
    (void)state;
    message_init(MESSAGE_capture_request, &capture);
    capture.card = talk_code(TILL_CARD);
    capture.store = capture.till = talk_code("1");
    for (unsigned i = 0; i < rounds(20); i++) {
        enum result other = RESULT_DONE;
        capture.hold = till_hold(&tills[i % 2], 10, 0);
        assert_int_equal(send_both(tills, OPERATION_CAPTURE, &capture, &other), 1);
        assert_int_equal(other, RESULT_HOLD_ENDED);
        assert_int_equal(till_release(&tills[0], capture.hold), RESULT_HOLD_ENDED);
        spent += 10;
        assert_int_equal(talk_card(tills[0].talk, TILL_CARD).available, 10000 - spent);
    }
    /* At its deadline it is the one or the other, once. */
    uint64_t hold = till_hold(&tills[0], 10, 1);
    int64_t start = world_now_ms();
    while (world_now_ms() - start < 990)
        talk_ping(tills[1].talk);
    enum result result = till_capture(&tills[1], hold);
    assert_true(result == RESULT_DONE || result == RESULT_HOLD_ENDED);
    spent += result == RESULT_DONE ? 10 : 0;
    assert_int_equal(till_release(&tills[0], hold), RESULT_HOLD_ENDED);
    assert_int_equal(talk_card(tills[0].talk, TILL_CARD).available, 10000 - spent);
    assert_int_equal(talk_card(tills[0].talk, TILL_CARD).held, 0);
    expect_verified(world);
    till_close(&tills[0]);
    till_close(&tills[1]);
    world_free(world);
}

/* --- a reversal that races its original --- */

/* (DOMAIN.md, Undoing.) Whichever comes first: nothing is left of it, on this connection, in this lane or
 * not. */
static void check_reversal_race(struct till *till, struct till *rival, bool reversal_first)
{
    struct msg_purchase_request purchase = till_purchase(50, "");
    struct msg_reversal_request reversal;
    struct msg_reversal_answer reversed;
    struct talk_answer answer;
    message_init(MESSAGE_reversal_request, &reversal);
    reversal.epoch = till->epoch;
    reversal.number = till->number;
    reversal.store = reversal.till = talk_code("1");
    for (unsigned i = 0; i < 2; i++) {
        if ((i == 0) == reversal_first)
            talk_send(rival->talk, OPERATION_REVERSAL, 0, rival->number, &reversal);
        else
            talk_send(till->talk, OPERATION_PURCHASE, 0, till->number, &purchase);
    }
    answer = talk_expect(rival->talk, OPERATION_REVERSAL, rival->number++);
    talk_decode(rival->talk, &answer, &reversed);
    assert_true(talk_receive(till->talk, &answer));
    assert_int_equal(answer.number, till->number++);
    enum result result = talk_result(till->talk, &answer);
    if (reversed.outcome == 1)
        assert_int_equal(result, RESULT_DONE);
    else
        assert_int_equal(result, RESULT_WILL_BE_REFUSED);
    assert_true(reversed.outcome == 1 || reversed.outcome == 3);
    assert_int_equal(talk_card(till->talk, TILL_CARD).available, 100);
    /* Once more it says the same; or that what was refused meanwhile needs no undoing. */
    struct msg_reversal_answer again;
    assert_int_equal(till_reverse(rival, till->epoch, till->number - 1, &again), RESULT_DONE);
    assert_int_equal(again.outcome, reversed.outcome == 1 ? 1 : 2);
    assert_true(reversed.outcome != 1 || again.position == reversed.position);
}

static void test_reversal_races_its_original(void **state)
{
    struct world *world = world_new(NULL);
    struct till till = till_with_points(world, 100), rival = till_open(world, RIVAL, 1);
    (void)state;
    for (unsigned i = 0; i < rounds(20); i++)
        check_reversal_race(&till, &rival, i % 2 == 0);
    /* Tombstones outlive a crash, for numbers that come only then. */
    uint64_t number = till.number;
    assert_int_equal(till_reverse(&rival, till.epoch, number, NULL), RESULT_DONE);
    world_kill(world);
    world_start(world);
    till_again(&till, world);
    till_again(&rival, world);
    struct msg_purchase_request purchase = till_purchase(50, "");
    assert_int_equal(till_send(&till, OPERATION_PURCHASE, 0, &purchase, NULL), RESULT_WILL_BE_REFUSED);
    assert_int_equal(talk_card(till.talk, TILL_CARD).available, 100);
    expect_verified(world);
    till_close(&till);
    till_close(&rival);
    world_free(world);
}

/* In one lane over two connections: what comes too early is told so, and nothing is booked twice. */
static void test_lane_on_two_connections(void **state)
{
    struct world *world = world_new(NULL);
    struct till till = till_with_points(world, 100), other = till;
    struct msg_purchase_request purchase = till_purchase(50, "");
    (void)state;
    other.talk = talk_hello(world_address(world), till.epoch, till.number, NULL);
    for (unsigned i = 0; i < rounds(20); i++) {
        uint64_t bought = till.number++;
        struct talk_answer answer;
        talk_send(till.talk, OPERATION_PURCHASE, 0, bought, &purchase);
        other.number = bought + 1;
        while (till_reverse(&other, till.epoch, bought, NULL) == RESULT_OUT_OF_ORDER)
            continue;
        answer = talk_expect(till.talk, OPERATION_PURCHASE, bought);
        (void)answer;
        till.number = other.number;
        assert_int_equal(talk_card(till.talk, TILL_CARD).available, 100);
        assert_int_equal(talk_totals(till.talk).earned, 100 + 50 * ((int64_t)i + 1));
    }
    till_close(&till);
    till_close(&other);
    world_free(world);
}

/* --- a programme that is published while goods are sold --- */

static const char *const programmes[] = {
    "programme: one\ncurrency: EUR\nzone: UTC\nbase:\n  - rule: spend\n    points: 1\n    amount: 1.00\n...\n",
    "programme: two\ncurrency: EUR\nzone: UTC\nbase:\n  - rule: spend\n    points: 2\n    amount: 1.00\n...\n",
};

/* (DOMAIN.md, Back office: an immutable version from a moment on.) What is booked before it earns by the
 * one before. */
static void test_publish_races_purchases(void **state)
{
    struct world *world = world_new(NULL);
    struct till till = till_with_points(world, 100), office = till_open(world, RIVAL, 1);
    struct msg_purchase_request purchase = till_purchase(100, "");
    struct msg_programme_publish_request publish;
    int64_t factor = 1, earned = 100;
    (void)state;
    message_init(MESSAGE_programme_publish_request, &publish);
    for (unsigned i = 0; i < rounds(20); i++) {
        struct msg_purchase_answer sales[4];
        struct msg_programme_publish_answer published;
        publish.text = talk_text(programmes[(i + 1) % 2]);
        for (unsigned k = 0; k < 4; k++)
            talk_put(till.talk, OPERATION_PURCHASE, 0, till.number + k, &purchase);
        talk_flush(till.talk);
        assert_int_equal(till_send(&office, OPERATION_PROGRAMME_PUBLISH, 0, &publish, &published),
                         RESULT_DONE);
        for (unsigned k = 0; k < 4; k++) {
            struct talk_answer answer = talk_expect(till.talk, OPERATION_PURCHASE, till.number++);
            talk_decode(till.talk, &answer, &sales[k]);
            int64_t by = sales[k].position < published.position ? factor : 3 - factor;
            assert_int_equal(sales[k].earned, 100 * by);
            earned += sales[k].earned;
        }
        factor = 3 - factor;
    }
    assert_int_equal(talk_totals(till.talk).earned, earned);
    expect_verified(world);
    world_kill(world);
    world_start(world);
    till_again(&till, world);
    assert_int_equal(till_send(&till, OPERATION_PURCHASE, 0, &purchase, NULL), RESULT_DONE);
    assert_int_equal(talk_totals(till.talk).earned, earned + 100 * factor);
    till_close(&till);
    till_close(&office);
    world_free(world);
}

/* --- no space --- */

static const struct fault full = { .call = "pwrite", .path = "spare-", .error = "ENOSPC", .forever = true };

static void wait_for_held(struct till *till, int64_t held)
{
    int64_t start = world_now_ms();
    while (talk_card(till->talk, TILL_CARD).held != held)
        world_patience(start);
}

/* Storage is nearly full: the same lane is told to wait with new business, and the rest is done. */
static struct till start_nearly_full(struct world *world, struct till *till)
{
    struct msg_purchase_request purchase = till_purchase(1, "");
    int64_t start = world_now_ms();
    till_close(till);
    world_stop(world);
    assert_true(files_remove(world, "journal", "spare-") > 0);
    fault_set(world, &full);
    fault_on(world);
    world_start(world);
    world_wait_said(world, "storage is nearly full");
    till_again(till, world);
    struct till buyer = till_open(world, RIVAL, 1);
    while (till_send(&buyer, OPERATION_PURCHASE, 0, &purchase, NULL) != RESULT_STORAGE_FULL)
        world_patience(start);
    return buyer;
}

/* (RELIABILITY.md, Journal and state.) Holds end in every way, and what was sold can be undone. */
static void test_nearly_full(void **state)
{
    struct world *world = world_new(NULL);
    struct till till = till_with_points(world, 100);
    struct msg_redeem_request redeem = talk_redeem(TILL_CARD, 1);
    struct msg_reversal_answer reversed;
    (void)state;
    uint64_t captured = till_hold(&till, 10, 0), released = till_hold(&till, 10, 0);
    uint64_t timed_out = till_hold(&till, 10, 4), spent = till.number;
    assert_int_equal(till_send(&till, OPERATION_REDEEM, 0, &redeem, NULL), RESULT_DONE);
    struct till buyer = start_nearly_full(world, &till);
    assert_int_equal(till_capture(&till, captured), RESULT_DONE);
    assert_int_equal(till_release(&till, released), RESULT_DONE);
    assert_int_equal(till_reverse(&till, till.epoch, spent, &reversed), RESULT_DONE);
    assert_int_equal(reversed.outcome, 1);
    wait_for_held(&till, 0);
    assert_int_equal(till_capture(&till, timed_out), RESULT_HOLD_ENDED);
    assert_int_equal(till_send(&till, OPERATION_REDEEM, 0, &redeem, NULL), RESULT_STORAGE_FULL);
    assert_int_equal(talk_card(till.talk, TILL_CARD).available, 90 + talk_totals(till.talk).earned - 100);
    fault_off(world);
    int64_t start = world_now_ms();
    while (till_send(&till, OPERATION_REDEEM, 0, &redeem, NULL) == RESULT_STORAGE_FULL)
        world_patience(start);
    expect_verified(world);
    till_close(&buyer);
    till_close(&till);
    world_free(world);
}

/* Large receipts, until the first segment has hardly any room. */
static void fill_segment(struct till *till)
{
    struct msg_line *lines = calloc(LINES, sizeof(*lines));
    struct msg_purchase_request purchase = till_purchase(0, "");
    struct msg_purchase_answer answer = { .position = 0 };
    assert_non_null(lines);
    for (unsigned i = 0; i < LINES; i++) {
        message_init(MESSAGE_line, &lines[i]);
        lines[i].code = talk_code("ARTICLE-WITH-A-RATHER-LONG-CODE");
    }
    purchase.lines = lines;
    purchase.lines_count = LINES;
    while (answer.position < SEGMENT_FULL)
        assert_int_equal(till_send(till, OPERATION_PURCHASE, 0, &purchase, &answer), RESULT_DONE);
    free(lines);
}

/* Another block like the last one does not fit behind it. */
static bool segment_is_full(const struct world *world)
{
    size_t count;
    struct place *blocks = files_blocks(world, &count);
    uint64_t end = blocks[count - 1].offset + 2 * (uint64_t)blocks[count - 1].size;
    free(blocks);
    return end > SEGMENT_BYTES;
}

/* Undoes what never came, until no answer comes any more though everything else is answered: the journal
 * is full. Returns how many are without an answer. */
static unsigned send_until_full(struct world *world, struct till *till, struct till *other)
{
    struct msg_reversal_request reversal;
    struct pollfd wanted = { .fd = talk_fd(till->talk), .events = POLLIN };
    unsigned in_flight = 0;
    message_init(MESSAGE_reversal_request, &reversal);
    reversal.epoch = NEVER;
    reversal.store = reversal.till = talk_code("1");
    int64_t silent = world_now_ms();
    while (world_now_ms() - silent < SILENCE_MS || !segment_is_full(world)) {
        for (; in_flight < IN_FLIGHT; in_flight++) {
            reversal.number = till->number + in_flight;
            talk_put(till->talk, OPERATION_REVERSAL, 0, till->number + in_flight, &reversal);
        }
        talk_flush(till->talk);
        talk_ping(other->talk);
        if (poll(&wanted, 1, 0) == 0)
            continue;
        for (; in_flight > 0; in_flight--)
            (void)talk_expect(till->talk, OPERATION_REVERSAL, till->number++);
        silent = world_now_ms();
    }
    return in_flight;
}

/* A stop does not wait for space that may never come; what was not answered is not kept, and all else is. */
static void test_stop_when_full(void **state)
{
    struct world *world = world_new(NULL);
    struct till till = till_with_points(world, 100);
    (void)state;
    fill_segment(&till);
    struct till buyer = start_nearly_full(world, &till);
    assert_true(send_until_full(world, &till, &buyer) > 0);
    uint64_t answered = till.number - 1;
    assert_int_equal(kill(world_pid(world), SIGTERM), 0);
    assert_int_equal(world_wait_exit(world), EXIT_STORAGE);
    fault_set(world, NULL);
    world_start(world);
    till_again(&till, world);
    assert_int_equal(talk_status(till.talk, till.epoch, answered).state, 1);
    assert_int_equal(talk_status(till.talk, till.epoch, answered + 1).state, 0);
    expect_verified(world);
    till_close(&buyer);
    till_close(&till);
    world_free(world);
}

/* Not one block more can be written while a hold times out: everything waits, nothing ends, and then all
 * goes on. */
static void test_full(void **state)
{
    struct world *world = world_new(NULL);
    struct till till = till_with_points(world, 100);
    (void)state;
    fill_segment(&till);
    uint64_t hold = till_hold(&till, 10, 5);
    struct till buyer = start_nearly_full(world, &till);
    int64_t start = world_now_ms();
    unsigned in_flight = send_until_full(world, &till, &buyer);
    while (world_now_ms() - start < 6000)
        talk_ping(buyer.talk);
    fault_off(world);
    for (; in_flight > 0; in_flight--)
        (void)talk_expect(till.talk, OPERATION_REVERSAL, till.number++);
    wait_for_held(&till, 0);
    assert_int_equal(till_capture(&till, hold), RESULT_HOLD_ENDED);
    expect_verified(world);
    world_kill(world);
    fault_set(world, NULL);
    world_start(world);
    till_again(&till, world);
    assert_int_equal(talk_card(till.talk, TILL_CARD).held, 0);
    till_close(&buyer);
    till_close(&till);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_daemons),
        cmocka_unit_test(test_redeem_at_once),
        cmocka_unit_test(test_capture_at_once),
        cmocka_unit_test(test_reversal_races_its_original),
        cmocka_unit_test(test_lane_on_two_connections),
        cmocka_unit_test(test_publish_races_purchases),
        cmocka_unit_test(test_nearly_full),
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_stop_when_full),
    };
    random_numbers = random_seeded();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
