/*
 * Calls of the whole daemon fail: a journal that cannot be written or synced ends it with status 70 and without an
 * answer; full space where it can be waited for turns into refusals that say so, and goes away by itself.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "../unit/random.h"
#include "crowd.h"
#include "fault.h"
#include "ledger_files.h"
#include "talk.h"

#define EXIT_DATA 65
#define EXIT_STORAGE 70
#define CARD "2900000000018"
#define EPOCH 4711u
#define FREE_BYTES_LOW (UINT64_C(640) << 20) /* with less, a failing checkpoint is taken for a full disk */

static struct random random_numbers;

static const struct {
    const char *call, *error;
    bool ends; /* always: the others are made good by a second call */
} journal_faults[] = {
    { "fdatasync", "EIO", true }, { "fdatasync", "ENOSPC", true }, { "pwrite", "EIO", true },
    { "pwrite", "ENOSPC", true }, { "pwrite", "short", false },    { "pwrite", "half", false },
};
#define JOURNAL_FAULTS (sizeof(journal_faults) / sizeof(journal_faults[0]))

static struct fault journal_fault(size_t index, unsigned at)
{
    return (struct fault){
        .call = journal_faults[index].call, .path = ".seg", .error = journal_faults[index].error, .at = at
    };
}

/* --- the journal --- */

/* One purchase at a time, each a block: those before the fault are answered, that one and later ones are not. */
static void check_unanswered(struct world *world, size_t index, unsigned at)
{
    struct fault fault = journal_fault(index, at);
    uint64_t epoch = random_u64(&random_numbers) | 1, number = 1;
    struct msg_purchase_request purchase = talk_purchase(CARD, 10000, "");
    struct talk_answer answer;
    fault_set(world, &fault);
    world_start(world);
    struct talk *talk = talk_hello(world_address(world), epoch, 1, NULL);
    int64_t earned = talk_totals(talk).earned;
    fault_on(world);
    for (; number < at; number++) {
        talk_send(talk, OPERATION_PURCHASE, 0, number, &purchase);
        (void)talk_expect(talk, OPERATION_PURCHASE, number);
    }
    talk_send(talk, OPERATION_PURCHASE, 0, number, &purchase);
    talk_expect_end(talk);
    talk_free(talk);
    assert_int_equal(world_wait_exit(world), EXIT_STORAGE);

    fault_set(world, NULL);
    world_start(world);
    talk = talk_hello(world_address(world), epoch, number, NULL);
    talk_send(talk, OPERATION_PURCHASE, 0, number, &purchase);
    answer = talk_expect(talk, OPERATION_PURCHASE, number);
    (void)answer;
    assert_int_equal(talk_totals(talk).earned, earned + 100 * (int64_t)number);
    talk_free(talk);
    world_stop(world);
}

static void test_failed_block_is_not_answered(void **state)
{
    struct world *world = world_new(NULL);
    struct talk *talk = talk_hello(world_address(world), EPOCH, 1, NULL);
    unsigned positions = world_long() ? 20 : 2;
    (void)state;
    talk_issue(talk, 1, CARD, 1);
    talk_free(talk);
    world_stop(world);
    for (size_t i = 0; i < JOURNAL_FAULTS; i++) {
        for (unsigned k = 0; k < positions && journal_faults[i].ends; k++)
            check_unanswered(world, i, 1 + k * 3);
    }
    world_free(world);
}

/* The same under load: what was answered is there, what was not is booked once by a repeat. */
static void check_under_load(struct world *world, struct crowd *crowd, size_t index, unsigned at)
{
    struct fault fault = journal_fault(index, at);
    fault_set(world, &fault);
    world_start(world);
    assert_true(crowd_connect(crowd, world_address(world)));
    fault_on(world);
    bool there = true;
    while (there && (journal_faults[index].ends || fault_hits(world) == 0))
        there = crowd_run(crowd, 50);
    if (there)
        world_kill(world);
    else
        assert_int_equal(world_wait_exit(world), EXIT_STORAGE);
    crowd_hang_up(crowd);
    assert_int_equal(fault_hits(world), 1);
    files_expect_state_not_ahead(world);
    fault_set(world, NULL);
    world_start(world);
    assert_true(crowd_connect(crowd, world_address(world)));
    crowd_settle(crowd, world_address(world));
}

static void test_journal_fails_under_load(void **state)
{
    struct world *world = world_new(NULL);
    struct crowd *crowd = crowd_new(random_u64(&random_numbers));
    unsigned positions = world_long() ? 30 : 2;
    (void)state;
    crowd_issue(crowd, world_address(world));
    world_stop(world);
    for (size_t i = 0; i < JOURNAL_FAULTS; i++) {
        for (unsigned k = 0; k < positions; k++) {
            check_under_load(world, crowd, i, 1 + k * 7);
            world_stop(world);
        }
    }
    world_start(world);
    expect_verified(world);
    crowd_free(crowd);
    world_free(world);
}

/* Recovery writes the last block again; nobody is answered if that fails. */
static void test_recovery_fails(void **state)
{
    static const struct {
        const char *call, *error;
        unsigned positions;
    } faults[] = { { "pwrite", "EIO", 2 }, { "fsync", "EIO", 1 } };
    struct world *world = world_new(NULL);
    struct crowd *crowd = crowd_new(random_u64(&random_numbers));
    (void)state;
    crowd_issue(crowd, world_address(world));
    assert_true(crowd_connect(crowd, world_address(world)));
    assert_true(crowd_run(crowd, 50));
    world_kill(world);
    crowd_hang_up(crowd);
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        for (unsigned at = 1; at <= faults[i].positions; at++) {
            struct fault fault = {
                .call = faults[i].call, .path = ".seg", .error = faults[i].error, .at = at
            };
            fault_set(world, &fault);
            fault_on(world);
            expect_refused_start(world, EXIT_STORAGE, ".seg", "Input/output error");
        }
    }
    fault_set(world, NULL);
    world_start(world);
    assert_true(crowd_connect(crowd, world_address(world)));
    crowd_settle(crowd, world_address(world));
    crowd_free(crowd);
    world_free(world);
}

/* --- full space --- */

/* Sends purchases until one is answered with `wanted` (done, or storage full); all others with the other one. */
static void purchase_until(struct talk *talk, uint64_t *inout_number, enum result wanted)
{
    struct msg_purchase_request purchase = talk_purchase(CARD, 10000, "");
    struct talk_answer answer;
    int64_t start = world_now_ms();
    for (;;) {
        talk_send(talk, OPERATION_PURCHASE, 0, *inout_number, &purchase);
        assert_true(talk_receive(talk, &answer));
        enum result result = talk_result(talk, &answer);
        assert_true(result == RESULT_DONE || result == RESULT_STORAGE_FULL);
        if (result == RESULT_DONE)
            ++*inout_number;
        if (result == wanted)
            return;
        world_patience(start);
    }
}

/* With storage full, what is not new business goes on. */
static void expect_rest_goes_on(const struct world *world, struct talk *talk, uint64_t number)
{
    struct run run;
    assert_int_equal(talk_card(talk, CARD).available, 100 * (int64_t)(number - 1));
    assert_int_equal(talk_status(talk, EPOCH, number).state, 0);
    if (number > 1)
        assert_int_equal(talk_status(talk, EPOCH, number - 1).state, 1);
    world_json(world, &run, "statement", CARD, NULL);
    assert_int_equal(run.exit_code, 0);
    run_done(&run);
    world_json(world, &run, "purchase", CARD, "5.00", "--timeout", "1", NULL);
    assert_int_not_equal(run.exit_code, 0);
    run_done(&run);
    talk_ping(talk);
}

/* Space is full while the fault is on, as the ledger notices by itself; then it resumes by itself. */
static void check_full(const struct fault *fault, bool without_spares)
{
    struct world *world = world_new(NULL);
    struct talk *talk = talk_hello(world_address(world), 1, 1, NULL);
    uint64_t number = 1;
    talk_issue(talk, 1, CARD, 1);
    talk_free(talk);
    world_stop(world);
    if (without_spares)
        assert_true(files_remove(world, "journal", "spare-") > 0);
    fault_set(world, fault);
    if (without_spares)
        fault_on(world);
    world_start(world);
    fault_on(world);
    talk = talk_hello(world_address(world), EPOCH, 1, NULL);
    purchase_until(talk, &number, RESULT_STORAGE_FULL);
    expect_rest_goes_on(world, talk, number);
    assert_true(fault_hits(world) > 0);
    fault_off(world);
    purchase_until(talk, &number, RESULT_DONE);
    assert_int_equal(talk_card(talk, CARD).available, 100 * (int64_t)(number - 1));
    talk_free(talk);
    expect_verified(world);

    /* Nothing of it is lost, and the next start knows nothing of trouble. */
    world_kill(world);
    fault_set(world, NULL);
    world_start(world);
    talk = talk_hello(world_address(world), EPOCH, number, NULL);
    assert_int_equal(talk_card(talk, CARD).available, 100 * (int64_t)(number - 1));
    talk_free(talk);
    world_free(world);
}

static void test_no_space_for_a_spare(void **state)
{
    static const struct fault fault = {
        .call = "pwrite", .path = "spare-", .error = "ENOSPC", .forever = true
    };
    (void)state;
    check_full(&fault, true);
}

static void test_no_space_for_a_checkpoint(void **state)
{
    static const struct fault fault = {
        .call = "all", .path = "data.mdb", .error = "ENOSPC", .forever = true
    };
    (void)state;
    check_full(&fault, false);
}

/* --- a checkpoint that fails otherwise --- */

/* The start refuses state that may be anything, and rebuild makes it anew. */
static void expect_rebuilt(struct world *world)
{
    expect_refused_start(world, EXIT_DATA, "not trusted", "punktd rebuild");
    free(punktd_command(world, "rebuild", 0));
    world_start(world);
}

static void check_checkpoint(struct world *world, struct crowd *crowd, const struct fault *fault)
{
    fault_set(world, fault);
    world_start(world);
    assert_true(crowd_connect(crowd, world_address(world)));
    fault_on(world);
    assert_false(crowd_run(crowd, 10000000));
    assert_int_equal(world_wait_exit(world), EXIT_STORAGE);
    crowd_hang_up(crowd);
    fault_set(world, NULL);
    expect_rebuilt(world);
    assert_true(crowd_connect(crowd, world_address(world)));
    crowd_settle(crowd, world_address(world));
    expect_verified(world);
    world_stop(world);
}

static void test_checkpoint_fails(void **state)
{
    static const char *const calls[] = { "all", "fdatasync", "pwrite" };
    struct world_options options = { .settings = WORLD_JOURNAL "  checkpoint_ms: 10\n" };
    struct world *world = world_new(&options);
    struct crowd *crowd = crowd_new(random_u64(&random_numbers));
    unsigned positions = world_long() ? 8 : 1;
    struct statvfs space;
    (void)state;
    assert_int_equal(statvfs(world_data(world), &space), 0);
    if ((uint64_t)space.f_bavail * space.f_frsize < FREE_BYTES_LOW) {
        print_message("not tested: with so little free space an error counts as a full disk\n");
        world_free(world);
        crowd_free(crowd);
        skip();
    }
    crowd_issue(crowd, world_address(world));
    world_stop(world);
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        for (unsigned at = 1; at <= positions; at++) {
            struct fault fault = { .call = calls[i], .path = "data.mdb", .error = "EIO", .at = at };
            check_checkpoint(world, crowd, &fault);
        }
    }
    crowd_free(crowd);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_failed_block_is_not_answered),
        cmocka_unit_test(test_journal_fails_under_load),
        cmocka_unit_test(test_recovery_fails),
        cmocka_unit_test(test_no_space_for_a_spare),
        cmocka_unit_test(test_no_space_for_a_checkpoint),
        cmocka_unit_test(test_checkpoint_fails),
    };
    random_numbers = random_seeded();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
