/*
 * A clean stop in the middle of work: exit 0, every answer that was given stands, and the next start has nothing to
 * replay.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/random.h"
#include "proto/frame.h"
#include "talk.h"
#include "world.h"

#define TILLS 8
#define WINDOW 16

/* A lane with a window of changes in flight. Numbers below `answered` have been answered. */
struct till {
    struct talk *talk;
    char card[16];
    uint64_t epoch;
    uint64_t answered, sent; /* the next number to be answered, and to be sent */
};

static bool nothing_replayed(struct world *world)
{
    char *said = world_said(world);
    bool nothing = strstr(said, "; 0 events of 0 blocks were replayed") != NULL;
    if (!nothing)
        print_error("%s\n", said);
    free(said);
    return nothing;
}

/* Number n of a lane: the card, then purchases, each with its return behind it, whose sale must be read back. */
static void till_put(struct till *till)
{
    uint64_t number = till->sent++;
    char receipt[32];
    (void)snprintf(receipt, sizeof(receipt), "%llu", (unsigned long long)(number / 2));
    struct msg_card_issue_request issue = { .card = talk_code(till->card), .count = 1 };
    struct msg_purchase_request purchase = talk_purchase(till->card, 1000, receipt);
    struct msg_return_request returned;
    purchase.till = talk_code(till->card);
    message_init(MESSAGE_return_request, &returned);
    returned.card = talk_code(till->card);
    returned.amount = 300;
    returned.store = talk_code("1");
    returned.till = talk_code(till->card);
    returned.sale_receipt = talk_code(receipt);
    if (number == 1)
        talk_put(till->talk, OPERATION_CARD_ISSUE, 0, number, &issue);
    else if (number % 2 == 0)
        talk_put(till->talk, OPERATION_PURCHASE, 0, number, &purchase);
    else
        talk_put(till->talk, OPERATION_RETURN, 0, number, &returned);
}

static void till_fill(struct till *till)
{
    while (till->sent - till->answered < WINDOW)
        till_put(till);
    talk_flush(till->talk);
}

/* Takes one answer. False: the server has closed. */
static bool till_take(struct till *till)
{
    struct talk_answer answer;
    if (!talk_receive(till->talk, &answer))
        return false;
    assert_int_equal(talk_result(till->talk, &answer), RESULT_DONE);
    assert_int_equal(answer.number, till->answered++);
    return true;
}

static void tills_open(struct world *world, struct till tills[TILLS])
{
    for (int i = 0; i < TILLS; i++)
        tills[i].talk = talk_hello(world_address(world), tills[i].epoch, tills[i].answered, NULL);
}

/* What was answered is there, once; what was not is there or comes now, once. */
static void till_check(struct till *till)
{
    for (uint64_t number = till->answered > 2 * WINDOW ? till->answered - 2 * WINDOW : 1;
         number < till->answered; number++)
        assert_int_equal(talk_status(till->talk, till->epoch, number).state, 1);
    uint64_t unanswered = till->sent - till->answered;
    till->sent = till->answered;
    for (uint64_t i = 0; i < unanswered; i++)
        till_put(till);
    talk_flush(till->talk);
    for (uint64_t i = 0; i < unanswered; i++)
        assert_true(till_take(till));
    /* Every purchase gives 10, every return takes 3. */
    uint64_t booked = till->answered - 2;
    assert_int_equal(talk_card(till->talk, till->card).available, 10 * ((booked + 1) / 2) - 3 * (booked / 2));
}

/* Lets the tills work until so many answers came, then stops the daemon with all windows full. */
static void work_and_stop(struct world *world, struct till tills[TILLS], uint64_t answers, int signal_number)
{
    static const struct msg_audit_verify_request verify = { .end_ = 0 };
    while (answers > 0) {
        for (int i = 0; i < TILLS && answers > 0; i++) {
            till_fill(&tills[i]);
            for (int k = 0; k < WINDOW / 2 && answers > 0; k++, answers--)
                assert_true(till_take(&tills[i]));
        }
    }
    /* The reader thread is in the middle of something, too. */
    struct talk *auditor = talk_hello(world_address(world), 0, 1, NULL);
    talk_send(auditor, OPERATION_AUDIT_VERIFY, 0, 1, &verify);
    for (int i = 0; i < TILLS; i++)
        till_fill(&tills[i]);
    assert_int_equal(kill(world_pid(world), signal_number), 0);
    for (int i = 0; i < TILLS; i++) {
        while (till_take(&tills[i]))
            continue;
        talk_free(tills[i].talk);
    }
    assert_int_equal(world_wait_exit(world), 0);
    talk_free(auditor);
}

static void test_under_load(void **state)
{
    struct random random = random_seeded();
    struct world *world = world_new(NULL);
    struct till tills[TILLS];
    int rounds = world_long() ? 60 : 8;
    (void)state;
    for (int i = 0; i < TILLS; i++) {
        tills[i] = (struct till){ .epoch = (uint64_t)i + 1, .answered = 1, .sent = 1 };
        (void)snprintf(tills[i].card, sizeof(tills[i].card), "%d", 1000 + i);
    }
    tills_open(world, tills);
    for (int round = 0; round < rounds; round++) {
        work_and_stop(world, tills, random_below(&random, 2000), round % 2 == 0 ? SIGTERM : SIGINT);
        world_start(world);
        assert_true(nothing_replayed(world));
        tills_open(world, tills);
        for (int i = 0; i < TILLS; i++)
            till_check(&tills[i]);
    }
    for (int i = 0; i < TILLS; i++)
        talk_free(tills[i].talk);
    world_free(world);
}

/*
 * For a stop right after the start. The thread sanitizer of gcc 12 loses a signal that meets the first blocking
 * call of a thread while it makes room there for the signals of that thread; so under it the loop turns once first.
 */
static void start_to_stop(struct world *world)
{
    world_start(world);
#ifdef __SANITIZE_THREAD__
    talk_free(talk_hello(world_address(world), 0, 1, NULL));
#endif
}

/* Clients that do not help: silent ones, half a frame, one that never reads its answers. */
static void test_with_bad_clients(void **state)
{
    struct world *world = world_new(NULL);
    uint8_t header[FRAME_HEADER_SIZE];
    (void)state;
    struct talk *silent = talk_open(world_address(world));
    struct talk *half = talk_hello(world_address(world), 1, 1, NULL);
    struct talk *deaf = talk_hello(world_address(world), 2, 1, NULL);
    frame_put_header(header, 1000, OPERATION_PURCHASE, 0, 1);
    talk_send_bytes(half, header, sizeof(header));
    frame_put_header(header, 0, OPERATION_PROGRAMME_SHOW, 0, 1);
    for (int i = 0; i < 1000; i++)
        talk_send_bytes(deaf, header, sizeof(header));
    world_stop(world);
    talk_free(silent);
    talk_free(half);
    talk_free(deaf);
    start_to_stop(world);
    assert_true(nothing_replayed(world));
    world_free(world);
}

/* Stops before anything was asked, and more signals while the first is obeyed. */
static void test_at_once(void **state)
{
    struct world *world = world_new(&(struct world_options){ .stopped = true });
    (void)state;
    start_to_stop(world);
    for (int round = 0; round < 10; round++) {
        for (int again = 0; again <= round; again++)
            assert_int_equal(kill(world_pid(world), again % 2 == 0 ? SIGTERM : SIGINT), 0);
        assert_int_equal(world_wait_exit(world), 0);
        start_to_stop(world);
        assert_true(nothing_replayed(world));
    }
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_under_load),
        cmocka_unit_test(test_with_bad_clients),
        cmocka_unit_test(test_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
