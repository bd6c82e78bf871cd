/*
 * punktd is killed under load, again and again: what was answered is booked once, state is never ahead of the
 * journal, and the journal alone leads to the same state.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/random.h"
#include "crowd.h"
#include "fault.h"
#include "ledger_files.h"

#define OFTEN WORLD_JOURNAL "  checkpoint_ms: 10\n" /* checkpoints one after the other */

static struct random random_numbers;

/* A world with checkpoints all the time, and a crowd with its cards. */
static struct world *new_world(struct crowd **out_crowd)
{
    struct world_options options = { .settings = OFTEN };
    struct world *world = world_new(&options);
    *out_crowd = crowd_new(random_u64(&random_numbers));
    crowd_issue(*out_crowd, world_address(world));
    return world;
}

/* The server is killed or kills itself. */
static void end_round(struct world *world, struct crowd *crowd)
{
    files_expect_state_not_ahead(world);
    fault_set(world, NULL);
    world_start(world);
    assert_true(crowd_connect(crowd, world_address(world)));
    crowd_settle(crowd, world_address(world));
}

static void test_kills(void **state)
{
    struct crowd *crowd;
    struct world *world = new_world(&crowd);
    uint8_t before[STATE_DIGEST_SIZE], after[STATE_DIGEST_SIZE];
    unsigned rounds = world_long() ? 100 : 10;
    (void)state;
    assert_true(crowd_connect(crowd, world_address(world)));
    for (unsigned i = 0; i < rounds; i++) {
        assert_true(crowd_run(crowd, random_below(&random_numbers, 600)));
        world_kill(world);
        crowd_hang_up(crowd);
        end_round(world, crowd);
    }
    expect_verified(world);
    world_stop(world);
    struct state_mark mark = files_mark(world, before);
    assert_true(mark.clean);
    free(punktd_command(world, "rebuild", 0));
    struct state_mark rebuilt = files_mark(world, after);
    assert_memory_equal(before, after, STATE_DIGEST_SIZE);
    assert_memory_equal(&mark.head.hash, &rebuilt.head.hash, JOURNAL_HASH_SIZE);
    assert_true(mark.head.position == rebuilt.head.position && mark.head.term == rebuilt.head.term);
    world_start(world);
    assert_true(crowd_connect(crowd, world_address(world)));
    crowd_settle(crowd, world_address(world));
    crowd_free(crowd);
    world_free(world);
}

/* Blocks come late to the disk, while checkpoints are ready at once: they have to wait for them. */
static void test_kill_between_checkpoint_and_sync(void **state)
{
    static const char *const calls[] = { "pwrite", "fdatasync" };
    struct crowd *crowd;
    struct world *world = new_world(&crowd);
    unsigned rounds = world_long() ? 60 : 6;
    (void)state;
    world_stop(world);
    for (unsigned i = 0; i < rounds; i++) {
        struct fault slow = { .call = calls[i % 2], .path = ".seg", .error = "slow", .forever = true };
        fault_set(world, &slow);
        world_start(world);
        fault_on(world);
        assert_true(crowd_connect(crowd, world_address(world)));
        assert_true(crowd_run(crowd, 100 + random_below(&random_numbers, 200)));
        world_kill(world);
        crowd_hang_up(crowd);
        end_round(world, crowd);
        world_stop(world);
    }
    crowd_free(crowd);
    world_free(world);
}

/* Killed at a certain call: before a block is written, before it is synced, within a checkpoint, a spare. */
static void test_kill_at_calls(void **state)
{
    static const struct fault faults[] = {
        { .call = "pwrite", .path = ".seg", .error = "kill" },
        { .call = "fdatasync", .path = ".seg", .error = "kill" },
        { .call = "all", .path = "data.mdb", .error = "kill" },
        { .call = "all", .path = "journal", .error = "kill" },
    };
    struct crowd *crowd;
    struct world *world = new_world(&crowd);
    unsigned rounds = world_long() ? 80 : 8;
    (void)state;
    world_stop(world);
    for (unsigned i = 0; i < rounds; i++) {
        struct fault fault = faults[i % 4];
        fault.at = 1 + (unsigned)random_below(&random_numbers, 30);
        fault_set(world, &fault);
        world_start(world);
        assert_true(crowd_connect(crowd, world_address(world)));
        fault_on(world);
        assert_false(crowd_run(crowd, 1000000));
        assert_int_equal(world_wait_exit(world), -SIGKILL);
        crowd_hang_up(crowd);
        end_round(world, crowd);
        world_stop(world);
    }
    crowd_free(crowd);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kills),
        cmocka_unit_test(test_kill_between_checkpoint_and_sync),
        cmocka_unit_test(test_kill_at_calls),
    };
    random_numbers = random_seeded();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
