/*
 * What an absent daemon costs a register: the first call that meets a daemon that does not answer costs its
 * time budget at most; from then on the link is known to be down, and calls return at once, apart from the
 * sync of the outbox.
 */
#include <inttypes.h>
#include <limits.h>
#include <punkt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "network.h"
#include "world.h"

#define CARD "2900000000018"
#define BUDGET_US 1500000
#define LATE_US 500000 /* for the scheduler of a busy machine; the budget itself is not stretched */
#define AT_ONCE_US 5000
#define CALLS 20

struct till {
    struct world *world;
    struct punkt *punkt;
    char folder[PATH_MAX],
        outbox[PATH_MAX]; /* in memory where that can be had, so that a sync costs nothing */
    char identity[NETWORK_PATH_MAX];
    unsigned sale;
};

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* How long a purchase took, and how it ended. */
static int64_t sell(struct till *till, enum punkt_call *out_call)
{
    char receipt[16];
    struct punkt_purchase_request request = PUNKT_INIT(request);
    struct punkt_purchase_answer answer = PUNKT_ANSWER_INIT(answer);
    (void)snprintf(receipt, sizeof(receipt), "%u", ++till->sale);
    request.card = CARD;
    request.receipt = receipt;
    request.amount = 100;
    int64_t start = now_us();
    *out_call = punkt_purchase(till->punkt, &request, &answer);
    return now_us() - start;
}

static void expect_sold(struct till *till, enum punkt_call wanted, int64_t at_most_us)
{
    enum punkt_call call;
    int64_t took = sell(till, &call);
    assert_int_equal(call, wanted);
    if (took > at_most_us)
        fail_msg("sale %u took %" PRId64 " us", till->sale, took);
}

static void open_handle(struct till *till)
{
    struct punkt_options options = PUNKT_INIT(options);
    options.server = network_server(till->world);
    options.identity = network_till(till->world, "1", "1", till->identity);
    options.outbox = till->outbox;
    options.store = "1";
    options.till = "1";
    assert_int_equal(punkt_new(&options, &till->punkt), PUNKT_CALL_DONE);
}

static struct till open_till(void)
{
    struct till till = { .world = world_new(NULL) };
    struct run run;
    bool memory = access("/dev/shm", W_OK) == 0;
    (void)snprintf(till.folder, sizeof(till.folder), "%s/punkt-budget-XXXXXX",
                   memory ? "/dev/shm" : world_folder(till.world));
    assert_non_null(mkdtemp(till.folder));
    (void)snprintf(till.outbox, sizeof(till.outbox), "%.4000s/till.outbox", till.folder);
    open_handle(&till);
    world_json(till.world, &run, "card", "issue", CARD, NULL);
    assert_int_equal(run.exit_code, 0);
    run_done(&run);
    return till;
}

static void close_till(struct till *till)
{
    char path[PATH_MAX];
    punkt_free(till->punkt);
    (void)unlink(till->outbox);
    (void)snprintf(path, sizeof(path), "%.4000s.lock", till->outbox);
    (void)unlink(path); /* if there is one */
    (void)rmdir(till->folder);
    world_free(till->world);
}

static void expect_drained(struct till *till)
{
    int64_t start = world_now_ms();
    struct punkt_outbox_info info = PUNKT_INIT(info);
    struct punkt_card_show_request show = PUNKT_INIT(show);
    struct punkt_card_show_answer shown = PUNKT_ANSWER_INIT(shown);
    for (punkt_outbox_info(till->punkt, &info); info.queued > 0; punkt_outbox_info(till->punkt, &info)) {
        (void)punkt_drive(till->punkt, 100);
        world_patience(start);
    }
    assert_int_equal(info.dead, 0);
    show.card = CARD;
    show.timeout_ms = WORLD_PATIENCE_MS;
    assert_int_equal(punkt_card_show(till->punkt, &show, &shown), PUNKT_CALL_DONE);
    assert_int_equal(shown.available, till->sale);
}

/* The best of several: a busy machine makes calls slower, never faster. */
static int64_t best_of_calls(struct till *till)
{
    int64_t best = INT64_MAX;
    for (int i = 0; i < CALLS; i++) {
        enum punkt_call call;
        int64_t took = sell(till, &call);
        assert_int_equal(call, PUNKT_CALL_QUEUED);
        if (took < best)
            best = took;
        (void)punkt_process(till->punkt); /* a register's loop goes on; that does not bring the link up */
        assert_int_not_equal(punkt_link_state(till->punkt), PUNKT_LINK_UP);
    }
    return best;
}

static void test_a_daemon_that_is_stopped(void **state)
{
    struct till till = open_till();
    (void)state;
    expect_sold(&till, PUNKT_CALL_DONE, BUDGET_US + LATE_US);
    assert_int_equal(kill(world_pid(till.world), SIGSTOP), 0);
    expect_sold(&till, PUNKT_CALL_QUEUED, BUDGET_US + LATE_US);
    assert_int_equal(punkt_link_state(till.punkt), PUNKT_LINK_DOWN);
    int64_t best = best_of_calls(&till);
    assert_int_equal(kill(world_pid(till.world), SIGCONT), 0);
    print_message("a call while the link is down: %" PRId64 " us\n", best);
    if (best > AT_ONCE_US)
        fail_msg("while the link is down a call takes %" PRId64 " us", best);
    expect_drained(&till);
    close_till(&till);
}

/* A handle that has never seen a server, and one that is not there at all: nobody listens. */
static void test_a_daemon_that_is_away(void **state)
{
    struct till till = open_till();
    (void)state;
    world_kill(till.world);
    expect_sold(&till, PUNKT_CALL_QUEUED, BUDGET_US + LATE_US);
    int64_t best = best_of_calls(&till);
    if (best > AT_ONCE_US)
        fail_msg("while nobody is there a call takes %" PRId64 " us", best);
    punkt_free(till.punkt);
    world_start(till.world); /* on another port: another handle goes on */
    open_handle(&till);
    expect_drained(&till);
    close_till(&till);
}

/* A budget of the caller's own. */
static void test_a_smaller_budget(void **state)
{
    struct till till = open_till();
    struct punkt_purchase_request request = PUNKT_INIT(request);
    struct punkt_purchase_answer answer = PUNKT_ANSWER_INIT(answer);
    (void)state;
    assert_int_equal(punkt_connect(till.punkt, WORLD_PATIENCE_MS, NULL), PUNKT_CALL_DONE);
    assert_int_equal(kill(world_pid(till.world), SIGSTOP), 0);
    request.card = CARD;
    request.receipt = "1";
    request.amount = 100;
    request.timeout_ms = 200;
    int64_t start = now_us();
    enum punkt_call call = punkt_purchase(till.punkt, &request, &answer);
    int64_t took = now_us() - start;
    assert_int_equal(kill(world_pid(till.world), SIGCONT), 0);
    assert_int_equal(call, PUNKT_CALL_QUEUED);
    assert_true(took >= 190000 && took <= 200000 + LATE_US);
    till.sale++;
    expect_drained(&till);
    close_till(&till);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_daemon_that_is_stopped),
        cmocka_unit_test(test_a_daemon_that_is_away),
        cmocka_unit_test(test_a_smaller_budget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
