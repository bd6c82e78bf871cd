/* What a register asks for at an awkward moment: just when the server comes back. */
#include <limits.h>
#include <poll.h>
#include <punkt.h>
#include <stdio.h>
#include <string.h>

#include "world.h"

#define CARD "2900000000018"

static struct punkt *open_till(const struct world *world)
{
    char outbox[PATH_MAX];
    struct punkt *punkt;
    struct punkt_options options = PUNKT_INIT(options);
    (void)snprintf(outbox, sizeof(outbox), "%s/till.outbox", world_folder(world));
    options.server = world_address(world);
    options.outbox = outbox;
    options.store = "1";
    options.till = "1";
    assert_int_equal(punkt_new(&options, &punkt), PUNKT_CALL_DONE);
    return punkt;
}

static void buy(struct punkt *punkt, int64_t amount)
{
    struct punkt_purchase_request request = PUNKT_INIT(request);
    struct punkt_purchase_answer answer = PUNKT_ANSWER_INIT(answer);
    request.card = CARD;
    request.timeout_ms = WORLD_PATIENCE_MS;
    request.receipt = "1";
    request.amount = amount;
    assert_int_equal(punkt_purchase(punkt, &request, &answer), PUNKT_CALL_DONE);
}

static enum punkt_call redeem(struct punkt *punkt, int64_t points)
{
    struct punkt_redeem_request request = PUNKT_INIT(request);
    struct punkt_redeem_answer answer = PUNKT_ANSWER_INIT(answer);
    request.card = CARD;
    request.timeout_ms = WORLD_PATIENCE_MS;
    request.points = points;
    return punkt_redeem(punkt, &request, &answer);
}

static int64_t points_of(struct punkt *punkt)
{
    struct punkt_card_show_request request = PUNKT_INIT(request);
    struct punkt_card_show_answer answer = PUNKT_ANSWER_INIT(answer);
    request.card = CARD;
    request.timeout_ms = WORLD_PATIENCE_MS;
    assert_int_equal(punkt_card_show(punkt, &request, &answer), PUNKT_CALL_DONE);
    return answer.available;
}

static void remember(struct punkt *punkt, const struct punkt_answer *answer, void *ctx)
{
    (void)punkt;
    *(enum punkt_call *)ctx = answer->call;
}

/* The server has answered HELLO, and the handle has not read it yet: for it the link is still down. */
static void until_answer_waits(struct punkt *punkt)
{
    int64_t start = world_now_ms();
    struct pollfd fd = { .events = POLLIN };
    do {
        world_patience(start);
        (void)punkt_process(punkt);
        fd.fd = punkt_fd(punkt);
    } while (poll(&fd, 1, 20) <= 0);
    assert_int_equal(punkt_link_state(punkt), PUNKT_LINK_DOWN);
}

/* What is not stored is not sent, whatever the link turns out to be a moment later: its number is another's. */
static void test_server_is_back(void **state)
{
    struct world *world = world_new(&(struct world_options){ .unix_socket = true });
    enum punkt_call released = PUNKT_CALL_INVALID, first = PUNKT_CALL_INVALID;
    struct punkt_release_request release = PUNKT_INIT(release);
    struct punkt_redeem_request request = PUNKT_INIT(request);
    struct run run;
    (void)state;
    world_json(world, &run, "card", "issue", CARD, NULL);
    assert_int_equal(run.exit_code, 0);
    run_done(&run);
    struct punkt *punkt = open_till(world);
    buy(punkt, 10000);
    world_stop(world);
    assert_int_not_equal(punkt_connect(punkt, 300, NULL), PUNKT_CALL_DONE);
    release.card = request.card = CARD;
    release.hold = 1; /* there is none: it is stored, and the live lane seeks the server with it */
    request.points = 50;
    world_start(world);
    assert_int_equal(punkt_submit_release(punkt, &release, remember, &released), PUNKT_CALL_DONE);
    until_answer_waits(punkt);
    assert_int_equal(punkt_submit_redeem(punkt, &request, remember, &first), PUNKT_CALL_DONE);
    assert_int_equal(redeem(punkt, 40), PUNKT_CALL_NOT_SENT);
    while (punkt_unanswered(punkt) > 0)
        (void)punkt_drive(punkt, -1);
    assert_int_equal(released, PUNKT_CALL_QUEUED);
    assert_int_equal(first, PUNKT_CALL_NOT_SENT);
    assert_int_equal(redeem(punkt, 10), PUNKT_CALL_DONE);
    assert_int_equal(points_of(punkt), 90);
    punkt_free(punkt);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_server_is_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
