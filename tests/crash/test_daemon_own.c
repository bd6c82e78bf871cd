/*
 * What the daemon books by itself, across crashes and full space: holds time out, a return that waited is
 * decided, the daily run goes on where it was interrupted, and tries of a PIN are not forgotten.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>

#include "fault.h"
#include "ledger_files.h"
#include "proto/frame.h"
#include "till.h"

#define ACCOUNTS 60u            /* with something due: several slices of the daily run */
#define EARNED 100              /* on each of them, and expired */
#define DAYS_AGO 100            /* sales that are imported; their points are gone by now */
#define RESERVE_MAX_MIB 1048576 /* the largest that the configuration knows */
#define OFTEN WORLD_JOURNAL "  checkpoint_ms: 10\n"

static const char programme[] = "programme: short\n"
                                "currency: EUR\n"
                                "zone: UTC\n"
                                "base:\n"
                                "  - rule: spend\n"
                                "    points: 1\n"
                                "    amount: 1.00\n"
                                "expiry: {months: 1}\n"
                                "...\n";

static void wait_for_held(struct till *till, int64_t held)
{
    int64_t start = world_now_ms();
    while (talk_card(till->talk, TILL_CARD).held != held)
        world_patience(start);
}

/* --- holds --- */

/* (DOMAIN.md, Redeeming: each hold ends exactly once; the time-out gives all back.) */
static void test_holds_outlive_a_kill(void **state)
{
    struct world_options options = { .settings = OFTEN };
    struct world *world = world_new(&options);
    struct till till = till_with_points(world, 100);
    (void)state;
    uint64_t late = till_hold(&till, 10, 1), open = till_hold(&till, 20, 3600),
             captured = till_hold(&till, 30, 1);
    assert_int_equal(till_capture(&till, captured), RESULT_DONE);
    till_close(&till);
    world_kill(world);
    world_start(world);
    till_again(&till, world);
    wait_for_held(&till, 20);
    assert_int_equal(till_capture(&till, late), RESULT_HOLD_ENDED);
    assert_int_equal(till_capture(&till, captured), RESULT_HOLD_ENDED);
    assert_int_equal(till_release(&till, captured), RESULT_HOLD_ENDED);
    assert_int_equal(talk_card(till.talk, TILL_CARD).available, 50);
    assert_int_equal(till_capture(&till, open), RESULT_DONE);
    assert_int_equal(talk_card(till.talk, TILL_CARD).available, 50);
    expect_verified(world);
    till_close(&till);
    world_free(world);
}

/* Killed when the time-out is about to be written: it is booked at the next start, once. */
static void test_killed_at_a_time_out(void **state)
{
    struct fault fault = { .call = "pwrite", .path = ".seg", .error = "kill" };
    struct world *world = world_new(NULL);
    struct till till = till_with_points(world, 100);
    (void)state;
    till_close(&till);
    world_stop(world);
    fault_set(world, &fault);
    world_start(world);
    till_again(&till, world);
    uint64_t hold = till_hold(&till, 40, 1);
    fault_on(world);
    assert_int_equal(world_wait_exit(world), -SIGKILL);
    till_close(&till);
    fault_set(world, NULL);
    world_start(world);
    till_again(&till, world);
    wait_for_held(&till, 0);
    assert_int_equal(till_capture(&till, hold), RESULT_HOLD_ENDED);
    assert_int_equal(talk_card(till.talk, TILL_CARD).available, 100);
    expect_verified(world);
    till_close(&till);
    world_free(world);
}

/* --- a return that waits --- */

static struct msg_return_request return_of(const char *receipt, uint64_t amount)
{
    struct msg_return_request goods;
    message_init(MESSAGE_return_request, &goods);
    goods.card = talk_code(TILL_CARD);
    goods.store = goods.till = talk_code("1");
    goods.sale_receipt = talk_code(receipt);
    goods.amount = amount;
    return goods;
}

/* The purchase is on the disk, and what is decided of the return that waited for it is not. */
static void check_killed_between(unsigned at, bool purchase_is_there)
{
    struct fault fault = { .call = "pwrite", .path = ".seg", .error = "kill", .at = at };
    struct world *world = world_new(NULL);
    struct till till = till_with_points(world, 100);
    struct msg_return_request goods = return_of("R1", 5000);
    struct msg_return_answer returned;
    struct msg_purchase_request purchase = till_purchase(50, "R1");
    assert_int_equal(till_send(&till, OPERATION_RETURN, FRAME_FLAG_ADVICE, &goods, &returned), RESULT_DONE);
    assert_int_equal(returned.flags & 2, 2);
    till_close(&till);
    world_stop(world); /* so that the return is read from the journal, after the purchase's block */
    fault_set(world, &fault);
    world_start(world);
    till_again(&till, world);
    fault_on(world);
    talk_send(till.talk, OPERATION_PURCHASE, 0, till.number, &purchase); /* perhaps even answered */
    assert_int_equal(world_wait_exit(world), -SIGKILL);
    till_close(&till);
    files_expect_state_not_ahead(world);

    fault_set(world, NULL);
    world_start(world);
    till_again(&till, world);
    assert_int_equal(talk_status(till.talk, till.epoch, till.number).state, purchase_is_there ? 1 : 0);
    assert_int_equal(till_send(&till, OPERATION_PURCHASE, 0, &purchase, NULL), RESULT_DONE);
    int64_t start = world_now_ms();
    while (talk_totals(till.talk).returned != 50)
        world_patience(start);
    assert_int_equal(talk_card(till.talk, TILL_CARD).available, 100);
    world_kill(world);
    world_start(world); /* once */
    till_again(&till, world);
    assert_int_equal(talk_card(till.talk, TILL_CARD).available, 100);
    expect_verified(world);
    till_close(&till);
    world_free(world);
}

static void test_killed_before_a_return_that_waited(void **state)
{
    (void)state;
    check_killed_between(1, false);
    check_killed_between(2, true);
}

/* --- PINs --- */

static enum result redeem_with(struct till *till, const char *pin)
{
    struct msg_redeem_request redeem = talk_redeem(TILL_CARD, 1);
    return till_send_with_pin(till, OPERATION_REDEEM, &redeem, pin);
}

/* (DOMAIN.md, Cards and accounts: three wrong ones in a row lock redemption.) Each try stands before it
 * is checked. */
static void test_tries_of_a_pin_are_not_forgotten(void **state)
{
    struct fault fault = { .call = "pwrite", .path = ".seg", .error = "kill", .at = 2 };
    struct world *world = world_new(NULL);
    struct till till = till_with_points(world, 100);
    struct msg_card_pin_request set = { .card = talk_code(TILL_CARD) };
    struct msg_redeem_request redeem = talk_redeem(TILL_CARD, 1);
    (void)state;
    assert_int_equal(till_send_with_pin(&till, OPERATION_CARD_PIN, &set, "4711"), RESULT_DONE);
    assert_int_equal(redeem_with(&till, "4711"), RESULT_DONE);
    assert_int_equal(redeem_with(&till, "0000"), RESULT_PIN_WRONG);
    till_close(&till);
    world_kill(world);

    /* Killed when the answer to the second wrong one was to be written: it was counted before. */
    fault_set(world, &fault);
    world_start(world);
    till_again(&till, world);
    fault_on(world);
    till_send_in_vain(&till, OPERATION_REDEEM, &redeem, "0000");
    assert_int_equal(world_wait_exit(world), -SIGKILL);
    till_close(&till);
    fault_set(world, NULL);
    world_start(world);
    till_again(&till, world);
    assert_int_equal(talk_status(till.talk, till.epoch, till.number).state, 0);
    assert_int_equal(redeem_with(&till, "0000"), RESULT_PIN_WRONG);
    assert_int_equal(redeem_with(&till, "4711"), RESULT_PIN_LOCKED);
    assert_int_equal(talk_card(till.talk, TILL_CARD).pin, 2);
    assert_int_equal(talk_card(till.talk, TILL_CARD).available, 99);
    till_close(&till);
    world_free(world);
}

/* --- the daily run --- */

/* Sales of long ago on many accounts, whose points have expired; nobody touches them again. */
static void import_expired(const struct world *world)
{
    struct till till = till_open(world, 1, 1);
    struct msg_hello_answer hello;
    talk_free(talk_hello(world_address(world), 0, 1, &hello));
    talk_issue(till.talk, till.number++, TILL_CARD, ACCOUNTS);
    for (unsigned i = 0; i < ACCOUNTS; i++) {
        char card[16];
        (void)snprintf(card, sizeof(card), "%lld", atoll(TILL_CARD) + (long long)i);
        struct msg_purchase_request purchase = talk_purchase(card, 100 * EARNED, "");
        purchase.time = hello.time - (uint64_t)DAYS_AGO * 86400 * 1000000;
        assert_int_equal(till_send(&till, OPERATION_PURCHASE, FRAME_FLAG_HISTORIC, &purchase, NULL),
                         RESULT_DONE);
    }
    assert_int_equal(talk_totals(till.talk).earned, (int64_t)ACCOUNTS * EARNED);
    till_close(&till);
}

static int64_t expired(const struct world *world)
{
    struct talk *talk = talk_hello(world_address(world), 0, 1, NULL);
    int64_t points = talk_totals(talk).expired;
    talk_free(talk);
    return points;
}

static void wait_for_expired(const struct world *world, int64_t points)
{
    int64_t start = world_now_ms();
    while (expired(world) != points)
        world_patience(start);
}

/*
 * Killed in the middle of its run, again and again: each account is done once. A slice is written as a
 * block, and punktd dies when it is to be synced; that it comes to that again shows that there was
 * something left.
 */
static void test_daily_run_goes_on(void **state)
{
    struct fault fault = { .call = "fdatasync", .path = ".seg", .error = "kill" };
    struct world_options options = { .settings = OFTEN, .programme = programme };
    struct world *world = world_new(&options);
    const int64_t all = (int64_t)ACCOUNTS * EARNED;
    (void)state;
    import_expired(world);
    world_stop(world);
    fault_set(world, &fault);
    fault_on(world);
    for (unsigned i = 0; i < 3; i++) {
        world_start(world);
        assert_int_equal(world_wait_exit(world), -SIGKILL);
        files_expect_state_not_ahead(world);
    }
    fault_set(world, NULL);
    world_start(world);
    wait_for_expired(world, all);
    expect_verified(world);
    world_kill(world);
    world_start(world);
    assert_int_equal(expired(world), all);
    world_free(world);
}

/* With hardly any space the run waits: nothing of what is due can be spent anyway. */
static void test_daily_run_waits_for_space(void **state)
{
    struct world_options options = { .settings = OFTEN, .programme = programme };
    struct world *world = world_new(&options);
    struct statvfs space;
    char wants_more[128];
    (void)state;
    assert_int_equal(statvfs(world_data(world), &space), 0);
    if ((uint64_t)space.f_bavail * space.f_frsize >> 20 >= RESERVE_MAX_MIB) {
        print_message("not tested: no reserve is larger than the space there is\n");
        world_free(world);
        skip();
    }
    import_expired(world);
    world_stop(world);
    (void)snprintf(wants_more, sizeof(wants_more),
                   "journal:\n  segment_mib: 8\n  reserve_mib: %d\nstate:\n  map_gib: 4\n", RESERVE_MAX_MIB);
    world_configure(world, wants_more);
    world_start(world);
    world_wait_said(world, "storage is nearly full");
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(expired(world), 0);
    world_stop(world);
    world_configure(world, OFTEN);
    world_start(world);
    wait_for_expired(world, (int64_t)ACCOUNTS * EARNED);
    expect_verified(world);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_holds_outlive_a_kill),
        cmocka_unit_test(test_killed_at_a_time_out),
        cmocka_unit_test(test_killed_before_a_return_that_waited),
        cmocka_unit_test(test_tries_of_a_pin_are_not_forgotten),
        cmocka_unit_test(test_daily_run_goes_on),
        cmocka_unit_test(test_daily_run_waits_for_space),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
