/*
 * Checkpoints on a disk that fails or is full: this program has its own pwrite, writev, fdatasync and statvfs,
 * which LMDB calls.
 */
#include "state_world.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define META_PAGES_BYTES 8192 /* of LMDB's data file: behind them lie the records */
#define FREE_BYTES_MUCH (UINT64_C(600) << 20)
#define FREE_BYTES_LITTLE (UINT64_C(500) << 20)

static atomic_int data_error;
static atomic_int meta_error;
static atomic_int sync_error;
static atomic_uint failures_left; /* how many calls fail before all is well again */
static atomic_uint_fast64_t free_bytes;

static bool fails(atomic_int *error)
{
    int code = atomic_load(error);
    if (code == 0 || atomic_load(&failures_left) == 0)
        return false;
    atomic_fetch_sub(&failures_left, 1);
    errno = code;
    return true;
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t offset)
{
    if (fails(offset < META_PAGES_BYTES ? &meta_error : &data_error))
        return -1;
    return syscall(SYS_pwrite64, fd, bytes, size, offset);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    if (fails(&data_error))
        return -1;
    return syscall(SYS_writev, fd, parts, count);
}

int fdatasync(int fd)
{
    if (fails(&sync_error))
        return -1;
    return (int)syscall(SYS_fdatasync, fd);
}

int statvfs(const char *path, struct statvfs *out)
{
    (void)path;
    memset(out, 0, sizeof(*out));
    out->f_frsize = 1 << 20;
    out->f_bavail = atomic_load(&free_bytes) >> 20;
    return 0;
}

static void heal(void)
{
    atomic_store(&data_error, 0);
    atomic_store(&meta_error, 0);
    atomic_store(&sync_error, 0);
    atomic_store(&failures_left, UINT32_MAX);
    atomic_store(&free_bytes, FREE_BYTES_MUCH);
}

/* A checkpoint finds no space, then finds it: nothing is lost, and while it lasts state says so. */
static void check_resumes(atomic_int *where, int error, uint64_t free_at_first)
{
    struct world *world = world_new();
    uint8_t digest[STATE_DIGEST_SIZE];
    heal();
    world_open(world);
    world_put_text(world, "a", "one");
    world_put_text(world, "b", "one");
    world_checkpoint(world, 100);

    atomic_store(where, error);
    atomic_store(&free_bytes, free_at_first);
    world_put_text(world, "a", "two");
    world_remove(world, "b");
    struct state_mark mark = world_mark(200, false);
    uint64_t before = world_notified(world);
    assert_true(state_freeze(world->state, &mark, 0));
    world_await_notify(world, before);
    assert_true(state_low(world->state));
    assert_false(state_finish(world->state));
    world_expect_text(world, "a", "two");
    world_expect_text(world, "b", NULL);
    world_put_text(world, "c", "business that goes on in the reserve");

    heal();
    world_finish(world);
    assert_false(state_low(world->state));
    world_checkpoint(world, 300);
    world_digest(world, digest);
    world_close(world);
    world_open(world);
    world_assert_mark(&world->mark, 300, false);
    world_expect_text(world, "a", "two");
    world_expect_text(world, "b", NULL);
    world_expect_text(world, "c", "business that goes on in the reserve");
    world_free(world);
}

static void test_no_space_resumes(void **unused PUNKT_UNUSED)
{
    check_resumes(&data_error, ENOSPC, FREE_BYTES_MUCH);
}

static void test_io_error_with_little_free_resumes(void **unused PUNKT_UNUSED)
{
    check_resumes(&data_error, EIO, FREE_BYTES_LITTLE);
    check_resumes(&sync_error, EIO, FREE_BYTES_LITTLE);
}

/* A clean stop on a full disk says so and leaves what was there. */
static void test_no_space_at_the_stop(void **unused PUNKT_UNUSED)
{
    struct world *world = world_new();
    struct failure failure = { { 0 } };
    struct state_mark frozen = world_mark(200, false), last = world_mark(300, true);
    heal();
    world_open(world);
    world_put_text(world, "a", "one");
    world_checkpoint(world, 100);
    atomic_store(&data_error, ENOSPC);
    world_put_text(world, "a", "two");
    assert_int_equal(state_checkpoint_now(world->state, &last, &failure), PUNKT_FULL);
    world_expect_text(world, "a", "two");
    assert_true(state_freeze(world->state, &frozen, 0));
    world_put_text(world, "a", "three");
    assert_int_equal(state_checkpoint_now(world->state, &last, &failure), PUNKT_FULL);
    world_expect_text(world, "a", "three");
    world_close(world);
    heal();
    world_open(world);
    world_assert_mark(&world->mark, 100, false);
    world_expect_text(world, "a", "one");

    /* One that has space again before the daemon gives up. */
    atomic_store(&data_error, ENOSPC);
    world_put_text(world, "a", "four");
    const uint64_t before = world_notified(world);
    assert_true(state_freeze(world->state, &frozen, 0));
    world_await_notify(world, before);
    assert_true(state_low(world->state));
    heal();
    assert_int_equal(state_checkpoint_now(world->state, &last, &failure), PUNKT_OK);
    world_close(world);
    world_open(world);
    world_assert_mark(&world->mark, 300, true);
    world_expect_text(world, "a", "four");
    world_free(world);
}

static void body_checkpoint(struct world *world)
{
    const uint64_t before = world_notified(world);
    struct state_mark mark = world_mark(200, false);
    world_open(world);
    world_put_text(world, "a", "two");
    if (!state_freeze(world->state, &mark, 0))
        _exit(1);
    world_await_notify(world, before);
    _exit(2); /* neither done nor low was to be: fatal comes before */
}

static void body_checkpoint_data_fails(struct world *world)
{
    atomic_store(&data_error, EIO);
    body_checkpoint(world);
}

static void body_checkpoint_sync_fails(struct world *world)
{
    atomic_store(&sync_error, EIO);
    body_checkpoint(world);
}

/* One failure is enough, and space is no excuse: what the meta page says now is not known. */
static void body_checkpoint_meta_fails(struct world *world)
{
    const uint64_t before = world_notified(world);
    world_open(world);
    world_put_text(world, "a", "two");
    atomic_store(&meta_error, EIO);
    atomic_store(&failures_left, 1);
    atomic_store(&free_bytes, FREE_BYTES_LITTLE);
    struct state_mark mark = world_mark(200, false);
    if (!state_freeze(world->state, &mark, 0))
        _exit(1);
    world_await_notify(world, before);
    _exit(2);
}

/* Recovery is told, it has no thread to end the process. */
static void body_recovery_sync_fails(struct world *world)
{
    struct failure failure = { { 0 } };
    struct state_mark mark = world_mark(200, false);
    if (state_open(&world->options, &world->state, &world->found, &world->mark, &failure) != PUNKT_OK)
        _exit(1);
    world_put_text(world, "a", "two");
    atomic_store(&sync_error, EIO);
    if (state_checkpoint_now(world->state, &mark, &failure) != PUNKT_IO || failure.text[0] == '\0')
        _exit(1);
    _exit(WORLD_FATAL_EXIT);
}

static void test_other_failures_end_the_trust(void **unused PUNKT_UNUSED)
{
    void (*const bodies[])(struct world *) = { body_checkpoint_data_fails, body_checkpoint_sync_fails,
                                               body_checkpoint_meta_fails, body_recovery_sync_fails };
    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        struct world *world = world_new();
        struct failure failure = { { 0 } };
        heal();
        world_open(world);
        world_put_text(world, "a", "one");
        world_checkpoint(world, 100);
        world_close(world);
        int code = world_in_child(world, bodies[i]);
        if (code != WORLD_FATAL_EXIT)
            fail_msg("body %zu ended with %d", i, code);
        assert_int_equal(state_open(&world->options, &world->state, &world->found, &world->mark, &failure),
                         PUNKT_CORRUPT);
        assert_int_equal(state_erase(world->dir, &failure), PUNKT_OK);
        world_open(world);
        assert_false(world->found);
        world_free(world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_space_resumes),
        cmocka_unit_test(test_io_error_with_little_free_resumes),
        cmocka_unit_test(test_no_space_at_the_stop),
        cmocka_unit_test(test_other_failures_end_the_trust),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
