/*
 * A till with an outbox, and a server that was restored from a copy (LEDGER.md, After a server's loss): what the server has
 * lost of both lanes is sent again, and booked once.
 */
#include <inttypes.h>
#include <limits.h>
#include <punkt.h>
#include <stdio.h>
#include <string.h>

#include "network.h"
#include "world.h"

#define CARD "2900000000018"

struct restored {
    struct world *world, *past;
    struct punkt *punkt;
    unsigned receipt;
};

static void open_till(struct restored *at)
{
    char outbox[PATH_MAX], identity[NETWORK_PATH_MAX];
    struct punkt_options options = PUNKT_INIT(options);
    (void)snprintf(outbox, sizeof(outbox), "%s/till.outbox", world_folder(at->world));
    options.server = network_server(at->world);
    options.identity = network_till(at->world, "1", "1", identity);
    options.outbox = outbox;
    options.store = "1";
    options.till = "1";
    options.timeout_ms = WORLD_PATIENCE_MS;
    assert_int_equal(punkt_new(&options, &at->punkt), PUNKT_CALL_DONE);
}

/* Earns as many points as the amount has whole units. */
static void buy(struct restored *at, int64_t points)
{
    char receipt[16];
    struct punkt_purchase_request request = PUNKT_INIT(request);
    struct punkt_purchase_answer answer = PUNKT_ANSWER_INIT(answer);
    (void)snprintf(receipt, sizeof(receipt), "%u", ++at->receipt);
    request.card = CARD;
    request.receipt = receipt;
    request.amount = points * 100;
    assert_int_equal(punkt_purchase(at->punkt, &request, &answer), PUNKT_CALL_DONE);
    assert_int_equal(answer.earned, points);
}

static enum punkt_call redeem(struct restored *at, int64_t points)
{
    struct punkt_redeem_request request = PUNKT_INIT(request);
    struct punkt_redeem_answer answer = PUNKT_ANSWER_INIT(answer);
    request.card = CARD;
    request.points = points;
    enum punkt_call call = punkt_redeem(at->punkt, &request, &answer);
    if (call != PUNKT_CALL_DONE && call != PUNKT_CALL_REFUSED)
        fail_msg("redeem: %s %s", answer.head.name, answer.head.detail);
    return call;
}

/* A card, and a till that has earned so much with it; the copy of the ledger has no more than that. */
static void begin(struct restored *at, int64_t points)
{
    struct run run;
    *at = (struct restored){ .world = world_new(&(struct world_options){ .unix_socket = true }),
                             .past = world_new(&(struct world_options){ .stopped = true }) };
    world_json(at->world, &run, "card", "issue", CARD, NULL);
    assert_int_equal(run.exit_code, 0);
    run_done(&run);
    open_till(at);
    buy(at, points);
    world_stop(at->world);
    world_copy_data(at->world, at->past);
    world_start(at->world);
}

static void restore(struct restored *at)
{
    world_stop(at->world);
    world_lose(at->world, at->past);
    world_start(at->world);
}

static void end(struct restored *at)
{
    punkt_free(at->punkt);
    world_free(at->world);
    world_free(at->past);
}

static struct punkt_outbox_info outbox_of(const struct restored *at)
{
    struct punkt_outbox_info info = PUNKT_INIT(info);
    punkt_outbox_info(at->punkt, &info);
    return info;
}

/* Drives the till until the server has so many points for the card, and nothing is queued. */
static void expect_points(struct restored *at, int64_t points)
{
    int64_t start = world_now_ms();
    struct punkt_card_show_request request = PUNKT_INIT(request);
    for (;;) {
        struct punkt_card_show_answer answer = PUNKT_ANSWER_INIT(answer);
        request.card = CARD;
        assert_int_equal(punkt_card_show(at->punkt, &request, &answer), PUNKT_CALL_DONE);
        struct punkt_outbox_info info = outbox_of(at);
        assert_int_equal(info.dead, 0);
        if (answer.available == points && info.queued == 0)
            return;
        if (world_now_ms() - start > WORLD_PATIENCE_MS / 3)
            fail_msg("%" PRId64 " points, not %" PRId64 "; %" PRIu64 " queued", answer.available, points,
                     info.queued);
        (void)punkt_drive(at->punkt, 10);
    }
}

/* The live lane goes on with a new number only when the server has the lost ones again. */
static void test_live_lane(void **state)
{
    struct restored at;
    (void)state;
    begin(&at, 100);
    assert_int_equal(redeem(&at, 30), PUNKT_CALL_DONE);
    assert_int_equal(redeem(&at, 20), PUNKT_CALL_DONE);
    restore(&at);
    assert_int_equal(redeem(&at, 10), PUNKT_CALL_DONE);
    expect_points(&at, 40);
    end(&at);
}

/* Both lanes, with something new in each. */
static void test_both_lanes(void **state)
{
    struct restored at;
    (void)state;
    begin(&at, 100);
    buy(&at, 7);
    assert_int_equal(redeem(&at, 30), PUNKT_CALL_DONE);
    buy(&at, 5);
    restore(&at);
    buy(&at, 3);
    assert_int_equal(redeem(&at, 10), PUNKT_CALL_DONE);
    expect_points(&at, 100 + 7 - 30 + 5 + 3 - 10);
    end(&at);
}

/* A till that ends before it has asked for all its lanes asks when it is back. */
static void test_till_is_restarted(void **state)
{
    struct restored at;
    (void)state;
    begin(&at, 100);
    buy(&at, 7);
    punkt_free(at.punkt); /* another opening has another lane */
    open_till(&at);
    buy(&at, 5);
    punkt_free(at.punkt);
    open_till(&at);
    restore(&at);
    struct punkt_answer answer = PUNKT_INIT(answer);
    assert_int_equal(punkt_connect(at.punkt, 0, &answer), PUNKT_CALL_DONE); /* it has learned the new term */
    punkt_free(at.punkt);
    open_till(&at);
    expect_points(&at, 100 + 7 + 5);
    end(&at);
}

/* What was refused, and is decided anew, does not take points from a card that nobody gave anything for. */
static void test_refused_stays_refused(void **state)
{
    struct restored at;
    (void)state;
    begin(&at, 100);
    assert_int_equal(redeem(&at, 80), PUNKT_CALL_DONE);
    assert_int_equal(redeem(&at, 50), PUNKT_CALL_REFUSED);
    buy(&at, 60);
    restore(&at);
    buy(&at, 5);
    expect_points(&at, 100 - 80 + 60 + 5);
    end(&at);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_live_lane),
        cmocka_unit_test(test_both_lanes),
        cmocka_unit_test(test_till_is_restarted),
        cmocka_unit_test(test_refused_stays_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
