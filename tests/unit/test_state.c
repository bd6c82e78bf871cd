/*
 * State through all three levels: layers, marks, checkpoints, digest, scans. The journal is the test's.
 */
#include "state_world.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void test_levels(void **unused PUNKT_UNUSED)
{
    struct world *world = world_new();
    world_open(world);
    assert_false(world->found);
    world_put_text(world, "a", "stored");
    world_put_text(world, "b", "stored");
    world_put_text(world, "c", "stored");
    world_checkpoint(world, 100);

    world_put_text(world, "b", "frozen");
    world_remove(world, "c");
    world_put_text(world, "d", "frozen");
    world_hold(world, true);
    struct state_mark mark = world_mark(200, false);
    assert_true(state_freeze(world->state, &mark, 0));
    assert_false(state_freeze(world->state, &mark, 0));
    world_put_text(world, "c", "active");
    world_remove(world, "d");
    world_put_text(world, "e", "");
    for (int round = 0; round < 2; round++) {
        world_expect_text(world, "a", "stored");
        world_expect_text(world, "b", "frozen");
        world_expect_text(world, "c", "active");
        world_expect_text(world, "d", NULL);
        world_expect_text(world, "e", "");
        world_expect_text(world, "f", NULL);
        world_await_wait(world, 200);
        uint64_t before = world_notified(world);
        if (round == 0) {
            assert_false(state_finish(world->state));
            world_release(world, 200);
            world_await_notify(world, before);
            assert_true(state_finish(world->state));
            assert_false(state_finish(world->state));
        }
    }
    world_free(world);
}

static void test_reopen(void **unused PUNKT_UNUSED)
{
    struct world *world = world_new();
    struct failure failure;
    struct state_mark mark = world_mark(300, true);
    uint8_t before[STATE_DIGEST_SIZE], after[STATE_DIGEST_SIZE];
    world_open(world);
    world_put_text(world, "a", "one");
    world_checkpoint(world, 100);
    world_put_text(world, "b", "two");
    world_remove(world, "a");
    assert_int_equal(state_checkpoint_now(world->state, &mark, &failure), PUNKT_OK);
    world_digest(world, before);
    assert_true(state_bytes_used(world->state) > 0);
    state_warm(world->state);
    world_put_text(world, "c", "of no checkpoint");
    world_close(world);

    world_open(world);
    assert_true(world->found);
    world_assert_mark(&world->mark, 300, true);
    world_expect_text(world, "a", NULL);
    world_expect_text(world, "b", "two");
    world_expect_text(world, "c", NULL);
    world_digest(world, after);
    assert_memory_equal(before, after, sizeof(before));
    world_free(world);
}

static void assert_mode(const char *dir, const char *name, mode_t want)
{
    char path[128];
    struct stat stat_of;
    snprintf(path, sizeof(path), "%s%s", dir, name);
    assert_int_equal(stat(path, &stat_of), 0);
    assert_int_equal(stat_of.st_mode & 0777, want);
}

static void test_modes_and_default_map(void **unused PUNKT_UNUSED)
{
    struct world *world = world_new();
#ifndef __SANITIZE_THREAD__ /* which leaves no room for the default map in the address space */
    world->options.map_bytes = 0;
#endif
    world->options.layer_records = 0;
    world->options.layer_bytes = 0;
    world->options.record_burst_max = 0;
    world->options.interval_ms = 0;
    mode_t mask = umask(0);
    world_open(world);
    umask(mask);
    assert_mode(world->dir, "", 0700);
    assert_mode(world->dir, "/data.mdb", 0600);
    assert_mode(world->dir, "/lock.mdb", 0600);
    world_put_text(world, "a", "one");
    world_checkpoint(world, 100);
    world_expect_text(world, "a", "one");
    world_free(world);
}

/* Before the thread is there: recovery vouches for its marks, nobody is asked whether they are durable. */
static void test_recovery_checkpoints(void **unused PUNKT_UNUSED)
{
    struct world *world = world_new();
    struct failure failure;
    world_hold(world, true);
    assert_int_equal(state_open(&world->options, &world->state, &world->found, &world->mark, &failure),
                     PUNKT_OK);
    for (journal_position position = 100; position <= 300; position += 100) {
        struct state_mark mark = world_mark(position, false);
        memset(mark.head.hash, (int)(position % 251), sizeof(mark.head.hash));
        world_put_text(world, "a", "b");
        assert_int_equal(state_checkpoint_now(world->state, &mark, &failure), PUNKT_OK);
        assert_false(state_wants_freeze(world->state, INT64_MAX));
        world_expect_text(world, "a", "b");
    }
    world_close(world);
    world_open(world);
    assert_true(world->found);
    world_assert_mark(&world->mark, 300, false);
    world_free(world);
}

static void test_growing_values(void **unused PUNKT_UNUSED)
{
    struct world *world = world_new();
    static uint8_t bytes[STATE_VALUE_MAX];
    struct state_value found;
    world->options.layer_bytes = 16u << 20;
    memset(bytes, 'v', sizeof(bytes));
    world_open(world);
    for (int round = 0; round < 2; round++) {
        for (size_t size = 1; size <= sizeof(bytes); size *= 2) {
            world_put(world, "before", "x", 1);
            world_put(world, "grows", bytes, size);
            world_put(world, "behind", "y", 1);
            assert_true(state_get(world->state, "grows", 5, &found));
            assert_int_equal(found.size, size);
            assert_memory_equal(found.data, bytes, size);
        }
        world_put(world, "grows", bytes, 3);
        assert_true(state_get(world->state, "grows", 5, &found));
        assert_int_equal(found.size, 3);
        world_put(world, "grows", bytes, sizeof(bytes));
        world_expect_text(world, "before", "x");
        world_expect_text(world, "behind", "y");
        world_checkpoint(world, 100 + (journal_position)round);
    }
    assert_true(state_get(world->state, "grows", 5, &found));
    assert_int_equal(found.size, sizeof(bytes));
    assert_memory_equal(found.data, bytes, sizeof(bytes));
    world_free(world);
}

static void put_numbered(struct world *world, uint32_t first, uint32_t count, const char *value)
{
    char key[32];
    for (uint32_t i = first; i < first + count; i++) {
        snprintf(key, sizeof(key), "n%07u", i);
        world_put_text(world, key, value);
    }
}

static void test_bounds(void **unused PUNKT_UNUSED)
{
    struct world *world = world_new();
    const int64_t second = 1000000;
    world_open(world);
    assert_false(state_wants_freeze(world->state, 5 * second)); /* nothing to write */
    put_numbered(world, 0, 1, "x");
    assert_true(state_wants_freeze(world->state, 5 * second));
    world->now_us = 5 * second;
    world_checkpoint(world, 1);
    put_numbered(world, 0, 199, "x");
    assert_false(state_wants_freeze(world->state, 6 * second - 1));
    assert_true(state_wants_freeze(world->state, 6 * second));
    put_numbered(world, 199, 1, "x");
    assert_true(state_wants_freeze(world->state, 5 * second));
    put_numbered(world, 0, 199, "y"); /* the same ones */
    assert_false(state_is_crowded(world->state));
    put_numbered(world, 200, 199, "x");
    assert_false(state_is_crowded(world->state));
    put_numbered(world, 399, 1, "x");
    assert_true(state_is_crowded(world->state));
    put_numbered(world, 400, 50, "x"); /* the burst that there must be room for */
    world_checkpoint(world, 2);
    assert_false(state_is_crowded(world->state));

    static uint8_t large[60 * 1024];
    memset(large, 0, sizeof(large));
    world_put(world, "l1", large, sizeof(large));
    assert_true(state_wants_freeze(world->state, 5 * second));
    assert_false(state_is_crowded(world->state));
    world_put(world, "l2", large, sizeof(large));
    assert_true(state_is_crowded(world->state));
    world_free(world);
}

/* A small state may collect more: it has too few pages for a checkpoint that LMDB would have to spill. */
static void test_bound_of_a_small_state(void **unused PUNKT_UNUSED)
{
    struct world *world = world_new();
    world->options.layer_records_small = 300;
    world->options.small_pages = 4;
    world_open(world);
    put_numbered(world, 0, 299, "x");
    assert_false(state_wants_freeze(world->state, 0));
    put_numbered(world, 299, 1, "x");
    assert_true(state_wants_freeze(world->state, 0));
    world_checkpoint(world, 1); /* a leaf or two */
    put_numbered(world, 0, 299, "y");
    assert_false(state_is_crowded(world->state));
    put_numbered(world, 300, 299, "x");
    assert_false(state_is_crowded(world->state));
    put_numbered(world, 599, 2, "x");
    assert_true(state_is_crowded(world->state));
    world_checkpoint(world, 2); /* more than four pages: from now on the smaller bound */
    put_numbered(world, 0, 199, "z");
    assert_false(state_wants_freeze(world->state, 0));
    put_numbered(world, 199, 1, "z");
    assert_true(state_wants_freeze(world->state, 0));
    put_numbered(world, 200, 200, "z");
    assert_true(state_is_crowded(world->state));
    world_free(world);
}

/* The same records, written in another order, in other checkpoints, over others that went. */
static void test_digest_knows_only_records(void **unused PUNKT_UNUSED)
{
    uint8_t digests[3][STATE_DIGEST_SIZE], empty[STATE_DIGEST_SIZE] = { 0 };
    for (int way = 0; way < 3; way++) {
        struct world *world = world_new();
        world_open(world);
        if (way > 0) {
            put_numbered(world, 50, 120, "other");
            world_checkpoint(world, 10);
        }
        put_numbered(world, way == 2 ? 70 : 0, 30, "value");
        if (way > 0)
            world_checkpoint(world, 20);
        put_numbered(world, 0, 100, "value");
        for (uint32_t i = 100; i < 170; i++) {
            char key[32];
            snprintf(key, sizeof(key), "n%07u", i);
            world_remove(world, key);
        }
        world_checkpoint(world, 30);
        world_digest(world, digests[way]);
        assert_memory_equal(digests[way], digests[0], STATE_DIGEST_SIZE);
        assert_memory_not_equal(digests[way], empty, STATE_DIGEST_SIZE);
        world_put_text(world, "n0000007", "Value");
        world_checkpoint(world, 40);
        uint8_t changed[STATE_DIGEST_SIZE];
        world_digest(world, changed);
        assert_memory_not_equal(changed, digests[0], STATE_DIGEST_SIZE);
        world_free(world);
    }
}

/* A key or value that moves a byte to the other is another record. */
static void test_digest_separates_key_and_value(void **unused PUNKT_UNUSED)
{
    uint8_t digests[2][STATE_DIGEST_SIZE];
    for (int way = 0; way < 2; way++) {
        struct world *world = world_new();
        world_open(world);
        world_put_text(world, way == 0 ? "ab" : "a", way == 0 ? "c" : "bc");
        world_checkpoint(world, 10);
        world_digest(world, digests[way]);
        world_free(world);
    }
    assert_memory_not_equal(digests[0], digests[1], STATE_DIGEST_SIZE);
}

struct seen {
    uint32_t count;
    uint32_t stop_at; /* 0: never */
    char last[STATE_KEY_MAX + 1];
};

static bool see(void *ctx, const uint8_t *key, size_t key_size, const uint8_t *value, size_t size)
{
    struct seen *seen = ctx;
    char text[STATE_KEY_MAX + 1] = { 0 };
    memcpy(text, key, key_size);
    assert_true(strcmp(text, seen->last) > 0);
    assert_true(size == 1 && value[0] == 'x');
    memcpy(seen->last, text, sizeof(text));
    return ++seen->count != seen->stop_at;
}

static uint32_t scan(struct world *world, const char *prefix, const char *after, uint32_t limit,
                     struct seen *seen)
{
    seen->count = 0;
    memset(seen->last, 0, sizeof(seen->last));
    assert_int_equal(state_scan(world->state, prefix, strlen(prefix), after, strlen(after), limit, see, seen),
                     PUNKT_OK);
    return seen->count;
}

static void test_scan(void **unused PUNKT_UNUSED)
{
    struct world *world = world_new();
    struct seen seen = { 0 };
    world->options.layer_records = 30000;
    world->options.layer_bytes = 8u << 20;
    world_open(world);
    assert_int_equal(scan(world, "", "", UINT32_MAX, &seen), 0);
    put_numbered(world, 0, 25000, "x");
    world_put_text(world, "a", "x");
    world_put_text(world, "z", "x");
    assert_int_equal(scan(world, "", "", UINT32_MAX, &seen), 0); /* LMDB only */
    world_checkpoint(world, 10);
    assert_int_equal(scan(world, "", "", UINT32_MAX, &seen), 25002);
    assert_string_equal(seen.last, "z");
    assert_int_equal(scan(world, "n", "", UINT32_MAX, &seen), 25000);
    assert_string_equal(seen.last, "n0024999");
    assert_int_equal(scan(world, "n00", "", 100, &seen), 100);
    assert_string_equal(seen.last, "n0000099");
    assert_int_equal(scan(world, "n00", "n0000099", 11000, &seen), 11000);
    assert_string_equal(seen.last, "n0011099");
    assert_int_equal(scan(world, "n001", "n0000099", 20000, &seen), 10000); /* before the prefix */
    assert_int_equal(scan(world, "n", "n0024999", 20, &seen), 0);
    assert_int_equal(scan(world, "n", "zz", 20, &seen), 0);
    assert_int_equal(scan(world, "b", "", 20, &seen), 0);
    assert_int_equal(scan(world, "", "n00249995", 20, &seen), 1); /* behind one that is not there */
    assert_int_equal(scan(world, "n", "", 0, &seen), 0);
    seen.stop_at = 17;
    assert_int_equal(scan(world, "n", "", 100, &seen), 17);
    world_free(world);
}

static void body_killed_before_durable(struct world *world)
{
    struct state_mark mark = world_mark(200, false);
    world_open(world);
    world_put_text(world, "a", "one");
    world_checkpoint(world, 100);
    world_put_text(world, "a", "two");
    world_hold(world, true);
    if (!state_freeze(world->state, &mark, 0))
        _exit(1);
    world_await_wait(world, 200); /* everything is put; now the commit waits */
    _exit(0);
}

static void body_killed_after_commit(struct world *world)
{
    const uint64_t before = world_notified(world);
    struct state_mark mark = world_mark(200, false);
    world_open(world);
    world_put_text(world, "a", "three");
    if (!state_freeze(world->state, &mark, 0))
        _exit(1);
    world_await_notify(world, before);
    _exit(0);
}

static void test_never_ahead_of_the_journal(void **unused PUNKT_UNUSED)
{
    struct world *world = world_new();
    assert_int_equal(world_in_child(world, body_killed_before_durable), 0);
    world_open(world);
    world_assert_mark(&world->mark, 100, false);
    world_expect_text(world, "a", "one");
    world_close(world);
    assert_int_equal(world_in_child(world, body_killed_after_commit), 0);
    world_open(world);
    world_assert_mark(&world->mark, 200, false);
    world_expect_text(world, "a", "three");
    world_free(world);
}

/* A clean stop meets a checkpoint on its way: it is completed first. */
static void test_now_waits_for_the_running_one(void **unused PUNKT_UNUSED)
{
    struct world *world = world_new();
    struct failure failure;
    struct state_mark first = world_mark(100, false), second = world_mark(200, true);
    world_open(world);
    world_put_text(world, "a", "one");
    assert_true(state_freeze(world->state, &first, 0));
    world_put_text(world, "b", "two");
    assert_int_equal(state_checkpoint_now(world->state, &second, &failure), PUNKT_OK);
    assert_false(state_finish(world->state));
    world_expect_text(world, "a", "one");
    world_expect_text(world, "b", "two");
    world_close(world);
    world_open(world);
    world_assert_mark(&world->mark, 200, true);
    world_expect_text(world, "a", "one");
    world_expect_text(world, "b", "two");
    world_free(world);
}

/* Closing with a checkpoint on its way completes it. */
static void test_close_completes(void **unused PUNKT_UNUSED)
{
    struct world *world = world_new();
    struct state_mark mark = world_mark(100, false);
    world_open(world);
    world_put_text(world, "a", "one");
    assert_true(state_freeze(world->state, &mark, 0));
    world_close(world);
    world_open(world);
    world_assert_mark(&world->mark, 100, false);
    world_expect_text(world, "a", "one");
    world_free(world);
}

static void body_reads_flipped(struct world *world)
{
    struct state_value found;
    world_open(world);
    (void)state_get(world->state, "victim", 6, &found);
}

/* Flips a bit in each copy of the text in the data file. */
static void flip(const struct world *world, const char *text)
{
    char path[128];
    static uint8_t bytes[1 << 20];
    size_t flipped = 0;
    snprintf(path, sizeof(path), "%s/data.mdb", world->dir);
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    ssize_t size = read(fd, bytes, sizeof(bytes));
    assert_true(size > 0);
    for (uint8_t *at = bytes; (at = memmem(at, (size_t)(bytes + size - at), text, strlen(text))) != NULL;
         at++) {
        *at ^= 0x10;
        assert_int_equal(pwrite(fd, at, 1, at - bytes), 1);
        flipped++;
    }
    assert_true(flipped > 0);
    close(fd);
}

static void test_flipped_byte(void **unused PUNKT_UNUSED)
{
    struct world *world = world_new();
    struct failure failure = { { 0 } };
    uint8_t digest[STATE_DIGEST_SIZE];
    world_open(world);
    world_put_text(world, "victim", "a value to be found in the file");
    world_put_text(world, "sound", "1");
    world_checkpoint(world, 100);
    world_close(world);
    flip(world, "a value to be found");
    world_open(world);
    assert_int_equal(state_digest_recompute(world->state, digest, &failure), PUNKT_CORRUPT);
    world_expect_text(world, "sound", "1");
    world_close(world);
    assert_int_equal(world_in_child(world, body_reads_flipped), WORLD_FATAL_EXIT);

    /* From now on nobody trusts it, until it is made anew. */
    assert_int_equal(state_open(&world->options, &world->state, &world->found, &world->mark, &failure),
                     PUNKT_CORRUPT);
    assert_non_null(strstr(failure.text, "punktd rebuild"));
    assert_int_equal(state_erase(world->dir, &failure), PUNKT_OK);
    world_open(world);
    assert_false(world->found);
    world_expect_text(world, "sound", NULL);
    world_free(world);
}

/* More than the map holds: nothing is lost, new business would be refused, and closing does not hang. */
static void test_map_full(void **unused PUNKT_UNUSED)
{
    struct world *world = world_new();
    struct failure failure = { { 0 } };
    static uint8_t large[200 * 1024];
    struct state_value found;
    memset(large, 'l', sizeof(large));
    world->options.map_bytes = 1u << 20;
    world->options.layer_bytes = 4u << 20;
    world_open(world);
    world_put_text(world, "a", "one");
    world_checkpoint(world, 100);
    assert_false(state_low(world->state));
    for (char key[] = "l0"; key[1] < '8'; key[1]++)
        world_put(world, key, large, sizeof(large));
    struct state_mark mark = world_mark(200, false);
    uint64_t before = world_notified(world);
    assert_true(state_freeze(world->state, &mark, 0));
    world_await_notify(world, before);
    assert_true(state_low(world->state));
    assert_false(state_finish(world->state));
    assert_true(state_get(world->state, "l3", 2, &found));
    assert_int_equal(found.size, sizeof(large));
    mark = world_mark(300, true);
    assert_int_equal(state_checkpoint_now(world->state, &mark, &failure), PUNKT_FULL);
    world_expect_text(world, "a", "one");
    world_close(world);

    world->options.map_bytes = 64u << 20; /* a setting that the operator changes */
    world_open(world);
    world_assert_mark(&world->mark, 100, false);
    world_expect_text(world, "l3", NULL);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_levels),
        cmocka_unit_test(test_reopen),
        cmocka_unit_test(test_modes_and_default_map),
        cmocka_unit_test(test_recovery_checkpoints),
        cmocka_unit_test(test_growing_values),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_bound_of_a_small_state),
        cmocka_unit_test(test_digest_knows_only_records),
        cmocka_unit_test(test_digest_separates_key_and_value),
        cmocka_unit_test(test_scan),
        cmocka_unit_test(test_never_ahead_of_the_journal),
        cmocka_unit_test(test_now_waits_for_the_running_one),
        cmocka_unit_test(test_close_completes),
        cmocka_unit_test(test_flipped_byte),
        cmocka_unit_test(test_map_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
