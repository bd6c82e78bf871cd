/*
 * A till of which one allocation fails, whichever, from its first sale to the close of its day, against a real daemon:
 * what it was told is what was booked, and the day closes with exactly what is known to differ.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "punkt.h"
#include "world.h"

#define CARD "2900000000018"
#define TIMEOUT_MS 30000
#define ROUNDS_MAX 2000

/* --- memory --- */

static struct {
    unsigned long calls;
    unsigned long fail_at; /* the call that is in vain */
    unsigned long held;
} memory;

static void *resize(void *ctx, void *at, size_t size)
{
    (void)ctx;
    if (size == 0) {
        memory.held--;
        free(at);
        return NULL;
    }
    if (++memory.calls == memory.fail_at)
        return NULL;
    memory.held += at == NULL;
    return realloc(at, size);
}

/* --- a till --- */

static struct world *world;
static char till_name[16];
static char outbox_path[256];

/* What the till was told that is booked, or will be. */
static struct {
    uint64_t purchases;
    uint64_t redemptions;
    uint64_t reversals;
} told;

static enum punkt_call open_till(bool stored, struct punkt **out)
{
    const struct punkt_options options = { .size = sizeof(options),
                                           .server = world_address(world),
                                           .timeout_ms = TIMEOUT_MS,
                                           .outbox = stored ? outbox_path : NULL,
                                           .store = "S",
                                           .till = till_name,
                                           .receipt_width = 40,
                                           .resize = stored ? resize : NULL };
    return punkt_new(&options, out);
}

/* Whether it counts. Of the queue, what is QUEUED counts; of the live lane it is waited for when there is memory. */
static bool counts(struct punkt *punkt, enum punkt_call call, struct punkt_answer *answer, bool live)
{
    if (call == PUNKT_CALL_QUEUED && live) {
        uint64_t epoch = answer->epoch, number = answer->number;
        memory.fail_at = ULONG_MAX;
        call = punkt_wait(punkt, epoch, number, TIMEOUT_MS, answer);
        assert_int_equal(call, PUNKT_CALL_DONE);
    }
    if (call != PUNKT_CALL_DONE && call != PUNKT_CALL_QUEUED && call != PUNKT_CALL_NO_MEMORY &&
        call != PUNKT_CALL_NOT_SENT && call != PUNKT_CALL_NOT_STORED)
        fail_msg("ended as %s: %s", answer->name, answer->detail);
    return call == PUNKT_CALL_DONE || call == PUNKT_CALL_QUEUED;
}

static void sell(struct punkt *punkt, const char *receipt, struct punkt_purchase_answer *out)
{
    const struct punkt_line line = { .size = sizeof(line), .code = "A", .amount = 10000 };
    const struct punkt_purchase_request sale = { .size = sizeof(sale),
                                                 .card = CARD,
                                                 .amount = 10000,
                                                 .receipt = receipt,
                                                 .lines = &line,
                                                 .line_count = 1 };
    told.purchases += counts(punkt, punkt_purchase(punkt, &sale, out), &out->head, false);
}

static void work(struct punkt *punkt)
{
    const struct punkt_redeem_request redeem = { .size = sizeof(redeem), .card = CARD, .points = 5 };
    const struct punkt_close_day_request close = { .size = sizeof(close), .timeout_ms = TIMEOUT_MS };
    struct punkt_purchase_answer sold = PUNKT_ANSWER_INIT(sold);
    struct punkt_redeem_answer redeemed = PUNKT_ANSWER_INIT(redeemed);
    struct punkt_reversal_answer undone = PUNKT_ANSWER_INIT(undone);
    struct punkt_close_day_answer closed = PUNKT_ANSWER_INIT(closed);
    sell(punkt, "1", &sold);
    told.redemptions += counts(punkt, punkt_redeem(punkt, &redeem, &redeemed), &redeemed.head, true);
    sell(punkt, "2", &sold);
    if (sold.head.number != 0)
        told.reversals += counts(punkt, punkt_cancel(punkt, sold.head.epoch, sold.head.number, 0, &undone),
                                 &undone.head, false);
    (void)punkt_close_day(punkt, &close, &closed);
}

/* The day once more, with memory: it says what was booked. */
static void check_day(struct punkt *punkt)
{
    const struct punkt_close_day_request close = { .size = sizeof(close), .timeout_ms = TIMEOUT_MS };
    struct punkt_close_day_answer closed = PUNKT_ANSWER_INIT(closed);
    assert_int_equal(punkt_close_day(punkt, &close, &closed), PUNKT_CALL_DONE);
    assert_int_equal(closed.queued, 0);
    assert_int_equal(closed.dead, 0);
    assert_int_equal(closed.here->purchases, told.purchases);
    assert_int_equal(closed.there->purchases, told.purchases + 1); /* that of the other handle */
    assert_int_equal(closed.there->redemptions, told.redemptions);
    assert_int_equal(closed.there->reversals, told.reversals);
    assert_int_equal(closed.state, PUNKT_CLOSE_DIFFERENT);
    assert_int_equal(closed.difference_count, 1);
    assert_false(closed.differences[0]->missing_there);
}

/* False: the allocation was not reached. */
static bool round_of(unsigned long fail_at)
{
    struct punkt *other, *punkt;
    struct punkt_purchase_answer sold = PUNKT_ANSWER_INIT(sold);
    (void)snprintf(till_name, sizeof(till_name), "T%lu", fail_at);
    (void)snprintf(outbox_path, sizeof(outbox_path), "%s/outbox-%lu", world_folder(world), fail_at);
    memory.fail_at = ULONG_MAX;
    memset(&told, 0, sizeof(told));
    assert_int_equal(open_till(false, &other), PUNKT_CALL_DONE);
    sell(other, "0", &sold);
    assert_int_equal(told.purchases, 1);
    told.purchases = 0;
    punkt_free(other);

    assert_int_equal(open_till(true, &punkt), PUNKT_CALL_DONE);
    memory.calls = 0;
    memory.fail_at = fail_at;
    work(punkt);
    bool reached = memory.calls >= fail_at;
    memory.fail_at = ULONG_MAX;
    check_day(punkt);
    punkt_free(punkt);
    assert_int_equal(memory.held, 0);
    (void)unlink(outbox_path);
    return reached;
}

static void each_allocation_of_a_day(void **state)
{
    (void)state;
    struct run run;
    unsigned long fail_at = 1;
    world = world_new(&(struct world_options){ .unix_socket = true });
    world_json(world, &run, "card", "issue", CARD, NULL);
    assert_int_equal(run.exit_code, 0);
    run_done(&run);
    while (round_of(fail_at))
        assert_true(++fail_at < ROUNDS_MAX);
    assert_true(fail_at > 10);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(each_allocation_of_a_day) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
