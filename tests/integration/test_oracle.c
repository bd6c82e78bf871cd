/*
 * Random histories of everything that points do, over the socket, against an oracle (oracle.h) that was written apart from
 * the daemon: programmes made up at random, days that pass, kills, and a rebuild at the end. Every answer must be the
 * oracle's, and every card. PUNKT_SEED repeats a run; PUNKT_LONG=1 runs twenty times as many histories.
 */
#include <string.h>

#include "oracle_stage.h"

#define HISTORIES 6
#define STEPS 250

static struct random seed;

static void history(void)
{
    struct oracle_stage *stage = oracle_stage_new(&seed);
    for (unsigned i = 0; i < STEPS; i++) {
        oracle_do(stage);
        if (oracle_once_in(stage, 20))
            oracle_wait(stage, 1 + (int64_t)oracle_below(stage, 20));
        if (oracle_once_in(stage, 25))
            oracle_wait(stage, 24 * (1 + (int64_t)oracle_below(stage, 25)));
        if (oracle_once_in(stage, 60))
            oracle_publish(stage);
        if (oracle_once_in(stage, 120))
            oracle_kill(stage);
        if (oracle_once_in(stage, 10))
            oracle_compare(stage);
    }
    oracle_compare(stage);
    oracle_kill(stage);
    oracle_rebuild(stage);
    print_message("%zu booked, %u versions, %lu refused\n", stage->event_count, stage->oracle->version_count,
                  (unsigned long)stage->refused);
    oracle_stage_free(stage);
}

static void test_histories(void **state)
{
    unsigned count = world_long() ? HISTORIES * 20 : HISTORIES;
    (void)state;
    for (unsigned i = 0; i < count; i++)
        history();
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_histories) };
    seed = random_seeded();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
