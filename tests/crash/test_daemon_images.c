/*
 * What a disk may hold of the whole data folder after the power went, journal and state: punktd starts on each such
 * image, nothing that was answered before is lost, and state is what the journal says. With syncs taken out the same
 * images show a loss: a harness that finds nothing proves nothing.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../unit/random.h"
#include "crash_image.h"
#include "crowd.h"
#include "fault.h"

#define OFTEN WORLD_JOURNAL "  checkpoint_ms: 10\n" /* checkpoints one after the other */
#define EXIT_STORAGE 70

static struct random random_numbers;

/* An answer, and the size that the log had by then: images of later moments must know of it. */
struct ack {
    uint64_t log_size;
    unsigned lane;
    uint64_t number;
};

/* What happened, as the log has it and as the crowd saw it. */
struct history {
    struct world *world;
    struct crowd *crowd;
    char log_path[PATH_MAX];
    struct ack *acks;
    size_t ack_count;
    uint64_t begin; /* size of the log when the crowd began */
    struct crash_log *log;
};

static uint64_t log_size(const struct history *history)
{
    struct stat info;
    assert_int_equal(stat(history->log_path, &info), 0);
    return (uint64_t)info.st_size;
}

static void on_answer(void *ctx, unsigned lane, uint64_t number)
{
    struct history *history = ctx;
    history->acks = realloc(history->acks, (history->ack_count + 1) * sizeof(*history->acks));
    assert_non_null(history->acks);
    history->acks[history->ack_count++] = (struct ack){ log_size(history), lane, number };
}

/* Starts with the fault, which is on from the beginning or when the crowd begins. */
static void start_with(struct history *history, const struct fault *fault, bool at_once)
{
    struct fault logged = fault != NULL ? *fault : (struct fault){ .call = NULL };
    logged.log = history->log_path;
    fault_set(history->world, &logged);
    if (at_once)
        fault_on(history->world);
    world_start(history->world);
}

/* Answers of one life of punktd, which is killed then, or ends by the fault. */
static void live(struct history *history, uint64_t answers)
{
    assert_true(crowd_connect(history->crowd, world_address(history->world)));
    fault_on(history->world);
    if (crowd_run(history->crowd, answers))
        world_kill(history->world);
    else
        assert_int_equal(world_wait_exit(history->world), EXIT_STORAGE);
    crowd_hang_up(history->crowd);
}

/* Two lives: one with the fault, and one that recovers from its end. */
static void history_make(struct history *history, const struct fault *fault, bool at_once, uint64_t answers)
{
    struct world_options options = { .settings = OFTEN, .stopped = true };
    *history = (struct history){ .world = world_new(&options) };
    history->crowd = crowd_new(random_u64(&random_numbers));
    (void)snprintf(history->log_path, sizeof(history->log_path), "%s/io-log", world_folder(history->world));
    crowd_on_answer(history->crowd, on_answer, history);
    start_with(history, fault, at_once);
    crowd_issue(history->crowd, world_address(history->world));
    history->begin = log_size(history);
    live(history, answers);
    if (!at_once) {
        start_with(history, NULL, false);
        live(history, answers / 2);
    }
    history->log = crash_log_open(history->log_path, world_data(history->world), NULL);
}

static void history_done(struct history *history)
{
    crash_log_close(history->log);
    crowd_free(history->crowd);
    world_free(history->world);
    free(history->acks);
}

/* Builds the i-th of count images as the data of a world; out_at_least: what it must know of each lane. */
static void build_image(const struct history *history, const struct world *image, unsigned i, unsigned count,
                        uint64_t out_at_least[CROWD_LANES])
{
    uint64_t end = crash_log_size(history->log), room = end - history->begin;
    uint64_t cut = history->begin + random_below(&random_numbers, room);
    if (i % 2 == 0)
        cut = crash_log_write_end(history->log, cut); /* between a write and its sync */
    if (cut > end || i + 1 == count)
        cut = end;
    memset(out_at_least, 0, CROWD_LANES * sizeof(*out_at_least));
    for (size_t k = 0; k < history->ack_count; k++) {
        if (history->acks[k].log_size <= cut)
            out_at_least[history->acks[k].lane] = history->acks[k].number;
    }
    (void)remove_tree(world_data(image)); /* there is none at first */
    crash_image_build(history->log, cut, random_u64(&random_numbers), world_data(image));
}

static void check_image(struct history *history, struct world *image, const uint64_t at_least[CROWD_LANES])
{
    world_start(image);
    crowd_check_past(history->crowd, world_address(image), at_least);
    expect_verified(image);
    world_kill(image);
    world_start(image); /* recovery can be recovered from */
    crowd_check_past(history->crowd, world_address(image), at_least);
    world_stop(image);
}

static void check_images(struct history *history, unsigned count)
{
    uint64_t at_least[CROWD_LANES];
    struct world_options options = { .settings = OFTEN, .stopped = true };
    struct world *image = world_new(&options);
    for (unsigned i = 0; i < count; i++) {
        build_image(history, image, i, count, at_least);
        check_image(history, image, at_least);
    }
    world_free(image);
}

/* Histories with this fault, and their images. */
static void check_histories(const struct fault *fault, unsigned images, uint64_t answers)
{
    unsigned histories = world_long() ? 10 : 1;
    for (unsigned i = 0; i < histories; i++) {
        struct history history;
        history_make(&history, fault, false, answers);
        check_images(&history, world_long() ? 10 : images);
        history_done(&history);
    }
}

static void test_images(void **state)
{
    (void)state;
    check_histories(NULL, 8, 600);
}

/* Blocks come late, and checkpoints have to wait for them. */
static void test_images_of_a_slow_journal(void **state)
{
    static const struct fault slow = { .call = "pwrite", .path = ".seg", .error = "slow", .forever = true };
    (void)state;
    check_histories(&slow, 6, 400);
}

/* After a failed sync what was written may never come to the disk, whatever is synced later. */
static void test_images_of_a_failed_sync(void **state)
{
    struct fault failed = { .call = "fdatasync", .path = ".seg", .error = "EIO" };
    (void)state;
    failed.at = 1 + (unsigned)random_below(&random_numbers, 15);
    check_histories(&failed, 6, 2000); /* more than 15 blocks hold */
}

/* --- planted faults --- */

/* In a process of its own, so that a check that fails is not the end of this test. */
static bool image_passes(struct history *history, struct world *image, const uint64_t at_least[CROWD_LANES])
{
    int status;
    (void)fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
        (void)dup2(null, STDOUT_FILENO);
        (void)dup2(null, STDERR_FILENO);
        (void)setenv("CMOCKA_TEST_ABORT", "1", 1); /* a failure ends the process */
        check_image(history, image, at_least);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Whether one of so many images of a history with this fault fails. */
static bool image_fails(const struct fault *fault, unsigned images)
{
    struct world_options options = { .settings = OFTEN, .stopped = true };
    struct history history;
    uint64_t at_least[CROWD_LANES];
    bool found = false;
    history_make(&history, fault, true, 300);
    struct world *image = world_new(&options);
    for (unsigned i = 0; i < images && !found; i++) {
        build_image(&history, image, i, images, at_least);
        found = !image_passes(&history, image, at_least);
    }
    world_free(image);
    history_done(&history);
    return found;
}

/* A sync is taken out: some image must show it. */
static void check_planted(const char *path)
{
    struct fault swallowed = { .call = "fdatasync", .path = path, .error = "swallow", .forever = true };
    if (!image_fails(&swallowed, 40))
        fail_msg("the sync of %s was taken out, and no image shows it", path);
}

static void test_planted(void **state)
{
    (void)state;
    assert_false(image_fails(NULL, 3)); /* the same way of looking finds nothing where nothing is */
    check_planted(".seg");
    check_planted("data.mdb");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_images),
        cmocka_unit_test(test_images_of_a_slow_journal),
        cmocka_unit_test(test_images_of_a_failed_sync),
        cmocka_unit_test(test_planted),
    };
    random_numbers = random_seeded();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
