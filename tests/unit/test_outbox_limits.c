#include "lib/outbox.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "outbox_world.h"
#include "proto/frame.h"

/* --- who may --- */

static void only_one_has_it_open(void **state)
{
    struct outbox_world *world = *state, other = *world;
    world_open(world);
    (void)world_append(world, "a");
    other.openings = 100;
    assert_int_equal(world_try(&other), OUTBOX_IN_USE);
    assert_non_null(strstr(other.why, "another process"));
    assert_null(other.outbox);
    assert_int_equal(outbox_compact(world->outbox, 0, true), OUTBOX_OK); /* now another file has the name */
    assert_int_equal(world_try(&other), OUTBOX_IN_USE);
    (void)world_append(world, "b");
    world_close(world);
    world_open(&other);
    assert_int_equal(world_count(&other), 2);
    world_close(&other);
}

static void only_its_till_may(void **state)
{
    struct outbox_world *world = *state;
    struct stat info;
    world_open(world);
    (void)world_append(world, "a");
    world_close(world);
    assert_int_equal(stat(world->path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    world->options.till = "4";
    assert_int_equal(world_try(world), OUTBOX_FOREIGN);
    assert_non_null(strstr(world->why, "the outbox of till 3 in store 7, not of till 4 in store 7"));
    world->options.till = "3";
    world->options.store = "8";
    assert_int_equal(world_try(world), OUTBOX_FOREIGN);
    world->options.store = "7";
    world_open(world);
    assert_int_equal(world_count(world), 1);
}

static void other_files_are_left_alone(void **state)
{
    struct outbox_world *world = *state;
    char text[9000];
    size_t size;
    memset(text, 'x', sizeof(text));
    for (size_t length = 0; length <= sizeof(text); length += 4500) {
        world_put(world, text, length);
        assert_int_equal(world_try(world), OUTBOX_FOREIGN);
        uint8_t *bytes = world_bytes(world, "", &size);
        assert_int_equal(size, length);
        assert_memory_equal(bytes, text, length);
        free(bytes);
    }
    (void)unlink(world->path);
    assert_int_equal(symlink("elsewhere", world->path), 0);
    assert_int_equal(world_try(world), OUTBOX_FAILED);
}

static void options_are_checked(void **state)
{
    struct outbox_world *world = *state;
    char path[OUTBOX_WORLD_PATH + 8];
    world->options.till = "";
    assert_int_equal(world_try(world), OUTBOX_FAILED);
    world->options.till = "123456789012345678901234567890123";
    assert_int_equal(world_try(world), OUTBOX_FAILED);
    world->options.till = "12345678901234567890123456789012";
    world_open(world);
    world_close(world);
    (void)snprintf(path, sizeof(path), "%s/", world->dir);
    world->options.path = path;
    assert_int_equal(world_try(world), OUTBOX_FAILED);
    (void)snprintf(path, sizeof(path), "%s/none/box", world->dir);
    assert_int_equal(world_try(world), OUTBOX_FAILED);
    assert_non_null(strstr(world->why, "No such file"));
}

/* --- sizes --- */

static void long_bodies(void **state)
{
    struct outbox_world *world = *state;
    struct outbox_note note = world_note(1, 1);
    struct outbox_entry *entry;
    struct buffer body = { 0 };
    uint8_t *bytes = malloc(FRAME_BODY_MAX + 1);
    assert_non_null(bytes);
    for (size_t i = 0; i <= FRAME_BODY_MAX; i++)
        bytes[i] = (uint8_t)(i * 7 / 3);
    world_open(world);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(outbox_append(world->outbox, OUTBOX_LANE_QUEUE, 1, 0, bytes + i, FRAME_BODY_MAX - i,
                                       &note, &entry),
                         OUTBOX_OK);
    assert_int_equal(
        outbox_append(world->outbox, OUTBOX_LANE_QUEUE, 1, 0, bytes, FRAME_BODY_MAX + 1, &note, &entry),
        OUTBOX_FAILED);
    (void)world_append(world, "short");
    assert_int_equal(outbox_compact(world->outbox, 0, true), OUTBOX_OK);
    world_close(world);
    world_open(world);
    for (size_t i = 0; i < 3; i++) {
        buffer_clear(&body);
        assert_true(outbox_body(world->outbox, world_entry(world, i), &body));
        assert_int_equal(buffer_size(&body), FRAME_BODY_MAX - i);
        assert_memory_equal(buffer_data(&body), bytes + i, FRAME_BODY_MAX - i);
    }
    expect_body(world, world_entry(world, 3), "short");
    buffer_done(&body);
    free(bytes);
}

static void ten_thousand(void **state)
{
    struct outbox_world *world = *state;
    struct outbox_result done = world_result(5, 0);
    char text[32];
    world->options.open_max = 10000;
    world_open(world);
    for (int i = 0; i < 10000; i++) {
        (void)snprintf(text, sizeof(text), "body %d", i);
        (void)world_append(world, text);
    }
    struct outbox_note note = world_note(1, 1);
    struct outbox_entry *entry;
    assert_int_equal(outbox_append(world->outbox, OUTBOX_LANE_QUEUE, 1, 0, "x", 1, &note, &entry),
                     OUTBOX_FULL);
    world_close(world);
    world_open(world);
    entry = outbox_first(world->outbox);
    for (int i = 0; i < 10000; i++, entry = entry->next) {
        (void)snprintf(text, sizeof(text), "body %d", i);
        expect_body(world, entry, text);
        assert_ptr_equal(outbox_find(world->outbox, entry->epoch, entry->number), entry);
        outbox_settle(world->outbox, entry, &done);
    }
    assert_int_equal(outbox_flush(world->outbox), OUTBOX_OK); /* in more than one record */
    world_kill(world);
    world_open(world);
    for (entry = outbox_first(world->outbox); entry != NULL; entry = entry->next)
        assert_int_equal(entry->state, OUTBOX_DONE);
}

/* --- the caller's memory --- */

struct meter {
    size_t calls, fail_at; /* 0: none */
    long held;
};

static void *metered(void *ctx, void *memory, size_t size)
{
    struct meter *meter = ctx;
    if (size == 0) {
        meter->held--;
        free(memory);
        return NULL;
    }
    if (++meter->calls == meter->fail_at)
        return NULL;
    void *got = realloc(memory, size);
    meter->held += memory == NULL;
    return got;
}

/* A little of everything, as far as memory allows it: how many appends were acknowledged. */
static size_t work_metered(struct outbox_world *world)
{
    struct outbox_note note = world_note(1, 1);
    struct outbox_result done = world_result(5, 0);
    struct outbox_entry *entry;
    size_t stored = 0;
    enum outbox_status status = world_try(world);
    if (status != OUTBOX_OK) {
        assert_int_equal(status, OUTBOX_NO_MEMORY);
        return 0;
    }
    assert_int_equal(world_count(world), 2);
    outbox_settle(world->outbox, world_entry(world, 0), &done);
    for (int i = 0; i < 70; i++) {
        status = outbox_append(world->outbox, OUTBOX_LANE_QUEUE, 1, 0, "body", 4, &note, &entry);
        stored += status == OUTBOX_OK;
        assert_true(status == OUTBOX_OK || status == OUTBOX_NO_MEMORY);
    }
    status = outbox_close_day(world->outbox, 20000);
    assert_true(status == OUTBOX_OK || status == OUTBOX_NO_MEMORY);
    status = outbox_compact(world->outbox, 0, true);
    assert_true(status == OUTBOX_OK || status == OUTBOX_NO_MEMORY);
    return stored;
}

/* Every allocation fails once: it is said, nothing is lost and nothing leaks. */
static void memory_runs_out(void **state)
{
    struct outbox_world *world = *state;
    struct meter meter = { 0 };
    struct heap heap = { metered, &meter };
    size_t size;
    world_open(world);
    (void)world_append(world, "first");
    (void)world_append(world, "second");
    world_close(world);
    uint8_t *bytes = world_bytes(world, "", &size);
    for (size_t at = 1; at == 1 || meter.calls >= at - 1; at++) {
        world_put(world, bytes, size);
        meter = (struct meter){ .fail_at = at };
        world->options.heap = &heap;
        size_t stored = work_metered(world);
        world_close(world);
        assert_int_equal(meter.held, 0);
        world->options.heap = NULL;
        world_open(world);
        assert_int_equal(world_count(world), 2 + stored);
        world_close(world);
        assert_true(at < 1000);
    }
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define OUTBOX_TEST(name) cmocka_unit_test_setup_teardown(name, outbox_world_make, outbox_world_remove)
        OUTBOX_TEST(only_one_has_it_open),
        OUTBOX_TEST(only_its_till_may),
        OUTBOX_TEST(other_files_are_left_alone),
        OUTBOX_TEST(options_are_checked),
        OUTBOX_TEST(long_bodies),
        OUTBOX_TEST(ten_thousand),
        OUTBOX_TEST(memory_runs_out),
    };
    return cmocka_run_group_tests_name("outbox_limits", tests, NULL, NULL);
}
