/*
 * A server that is busy, refuses, hangs up before or after booking, and is slow, all at random; against it a client
 * with many changes in flight and short deadlines. At the end both must tell the same story: each change booked once
 * at most, in order, and what the client was told is true. The seed is printed, and taken from PUNKT_SEED.
 */
#include <poll.h>
#include <punkt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <cmocka.h>

#include "client_server.h"

#define CHANGES 400 /* named by their amounts, from 1 */
#define PATIENT_MS 9000

static struct server server;
static atomic_bool calm;     /* the server behaves from now on */
static atomic_bool finished; /* and may end when the client hangs up */

/* What the server knows of the lane: which change has each number, and whether it was booked or refused. */
static struct {
    uint64_t expected;
    uint64_t change[CHANGES + 1];
    bool booked[CHANGES + 1];
} lane;

struct random {
    uint64_t state;
};

static unsigned roll(struct random *random, unsigned sides)
{
    random->state = random->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)((random->state >> 33) % sides);
}

static uint64_t seed;

static void answer_final(struct server *s, uint64_t number, bool replayed)
{
    if (lane.booked[number])
        server_done_purchase(s, number, replayed ? FRAME_FLAG_REPLAYED : 0);
    else
        server_refuse(s, OPERATION_PURCHASE, number, RESULT_RECEIPT_USED, "");
}

/* One frame that has come. False: hang up. */
static bool serve_purchase(struct server *s, struct random *random)
{
    struct msg_purchase_request purchase = { .amount = 0 };
    uint64_t number = server_expect(s, OPERATION_PURCHASE);
    server_decode(s, MESSAGE_purchase_request, NULL, &purchase);
    if (!server_good(s))
        return false;
    unsigned fate = atomic_load(&calm) ? 99 : roll(random, 100);
    if (number > CHANGES || number == 0) {
        server_fail(s, "number out of bounds");
        return false;
    }
    if (fate < 3)
        return false; /* before anything was done */
    if (number > lane.expected) {
        server_refuse(s, OPERATION_PURCHASE, number, RESULT_OUT_OF_ORDER, "");
        return true;
    }
    bool replayed = number < lane.expected;
    if (replayed && lane.change[number] != purchase.amount)
        server_fail(s, "number %d was change %d, and now %d", (int)number, (int)lane.change[number],
                    (int)purchase.amount);
    if (!replayed && fate < 15) {
        server_refuse(s, OPERATION_PURCHASE, number, fate < 12 ? RESULT_BUSY : RESULT_STORAGE_FULL, "");
        return true;
    }
    if (!replayed) {
        lane.change[number] = purchase.amount;
        lane.booked[number] = fate >= 25;
        lane.expected++;
    }
    if (fate > 95 && fate < 99)
        return false; /* booked, and nobody is told */
    answer_final(s, number, replayed);
    return true;
}

/* False: the client has hung up, or this waits for it in vain. */
static bool wait_frame(struct server *s, struct random *random)
{
    struct pollfd poll_fd = { .fd = s->connection, .events = POLLIN };
    char byte;
    if (!atomic_load(&calm) && roll(random, 10) == 0)
        (void)poll(NULL, 0, (int)roll(random, 30)); /* slow, so that deadlines pass */
    return poll(&poll_fd, 1, SERVER_PATIENCE_MS) > 0 && recv(s->connection, &byte, 1, MSG_PEEK) > 0;
}

static void script_chaos(struct server *s)
{
    struct random random = { seed };
    while (server_good(s)) {
        server_accept(s);
        bool served = server_good(s) && wait_frame(s, &random);
        if (served)
            server_hello(s);
        if (served && s->hello_first_unanswered > lane.expected)
            server_fail(s, "the client claims answers that it cannot have");
        while (served && server_good(s) && wait_frame(s, &random))
            served = serve_purchase(s, &random);
        if (s->connection_closed)
            s->failure[0] = '\0'; /* the client gave the link up: it may */
        if (atomic_load(&finished))
            break;
    }
}

/* What the client was told of each change. */
static struct {
    unsigned ended;
    unsigned count[PUNKT_CALL_NO_MEMORY + 1];
    enum punkt_call call[CHANGES + 1];
    uint64_t number[CHANGES + 1];
    bool retryable[CHANGES + 1];
    uint64_t change[CHANGES + 1]; /* the ctx of each is its element here */
} told;

static void note(struct punkt *punkt, const struct punkt_answer *answer, void *ctx)
{
    uint64_t change = *(uint64_t *)ctx;
    (void)punkt;
    told.ended++;
    told.count[answer->call]++;
    told.call[change] = answer->call;
    told.number[change] = answer->number;
    told.retryable[change] = answer->retryable;
}

static void play(struct punkt *punkt, struct random *random)
{
    for (uint64_t change = 1; change <= CHANGES; change++) {
        struct punkt_purchase_request request = { .size = sizeof(request),
                                                  .card = "1",
                                                  .amount = (int64_t)change };
        request.timeout_ms = roll(random, 4) == 0 ? 1 + roll(random, 60) : PATIENT_MS;
        told.change[change] = change;
        while (punkt_room(punkt) == 0 || roll(random, 3) == 0)
            (void)punkt_drive(punkt, (int)roll(random, 5));
        assert_int_equal(punkt_submit_purchase(punkt, &request, note, &told.change[change]), PUNKT_CALL_DONE);
    }
    atomic_store(&calm, true);
    while (punkt_unanswered(punkt) > 0)
        (void)punkt_drive(punkt, -1);
    while (punkt_in_doubt(punkt) > 0) /* settled on the way, though nobody asks */
        (void)punkt_drive(punkt, 1000);
}

/* Where a change stands in the lane; 0: nowhere. */
static uint64_t number_of(uint64_t change)
{
    uint64_t found = 0;
    for (uint64_t number = 1; number < lane.expected; number++) {
        if (lane.change[number] != change)
            continue;
        if (found != 0)
            fail_msg("change %d has two numbers", (int)change);
        found = number;
    }
    return found;
}

static void compare_change(uint64_t change)
{
    uint64_t number = number_of(change);
    switch (told.call[change]) {
    case PUNKT_CALL_DONE:
        assert_int_equal(number, told.number[change]);
        assert_true(lane.booked[number]);
        break;
    case PUNKT_CALL_REFUSED:
        assert_int_equal(number, told.retryable[change] ? 0 : told.number[change]);
        assert_false(number != 0 && lane.booked[number]);
        break;
    case PUNKT_CALL_NOT_SENT:
        assert_int_equal(number, 0);
        break;
    case PUNKT_CALL_UNKNOWN:
        assert_int_equal(number, told.number[change]); /* all doubts were settled in the end */
        break;
    case PUNKT_CALL_QUEUED:
    case PUNKT_CALL_INVALID:
    case PUNKT_CALL_WINDOW_FULL:
    case PUNKT_CALL_NO_MEMORY:
    case PUNKT_CALL_NOT_STORED:
        fail_msg("change %d ended as %s", (int)change, punkt_call_name(told.call[change]));
    }
}

static void chaos(void **state)
{
    (void)state;
    const char *given = getenv("PUNKT_SEED");
    seed = given != NULL ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
    print_message("PUNKT_SEED=%llu\n", (unsigned long long)seed);
    struct random random = { seed + 1 };
    lane.expected = 1;
    server_start(&server, NULL, script_chaos);
    struct punkt_options options = { .size = sizeof(options),
                                     .server = server.address,
                                     .window = 1 + roll(&random, 32) };
    struct punkt *punkt;
    assert_int_equal(punkt_new(&options, &punkt), PUNKT_CALL_DONE);
    play(punkt, &random);
    uint64_t next_number = punkt_next_number(punkt);
    atomic_store(&finished, true);
    punkt_free(punkt);
    server_join(&server);

    assert_int_equal(told.ended, CHANGES);
    assert_int_equal(next_number, lane.expected);
    for (uint64_t number = 2; number < lane.expected; number++)
        assert_true(lane.change[number] > lane.change[number - 1]); /* nothing has overtaken anything */
    for (uint64_t change = 1; change <= CHANGES; change++)
        compare_change(change);
    print_message("done %u, refused %u, not sent %u, unknown %u\n", told.count[PUNKT_CALL_DONE],
                  told.count[PUNKT_CALL_REFUSED], told.count[PUNKT_CALL_NOT_SENT],
                  told.count[PUNKT_CALL_UNKNOWN]);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(chaos) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
