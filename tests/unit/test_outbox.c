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
#include <openssl/sha.h>

#include "outbox_world.h"
#include "proto/frame.h"

#define DAY_US (INT64_C(86400) * 1000000)

/* --- round trips --- */

static void keeps_what_it_was_given(void **state)
{
    struct outbox_world *world = *state;
    struct outbox_note note = { 123456789, -7, 99, 5, "ABC", 77, 8, 0 };
    struct outbox_entry *entry;
    world_open(world);
    assert_int_equal(outbox_append(world->outbox, OUTBOX_LANE_LIVE, 0x1234, 0x8001, "body", 4, &note, &entry),
                     OUTBOX_OK);
    struct outbox_entry before = *entry;
    uint64_t epoch = outbox_epoch(world->outbox, OUTBOX_LANE_LIVE);
    world_close(world);
    world_open(world);
    assert_int_equal(world_count(world), 1);
    entry = outbox_find(world->outbox, epoch, 1);
    assert_ptr_equal(entry, outbox_first(world->outbox));
    assert_int_equal(entry->lane, OUTBOX_LANE_LIVE);
    assert_int_equal(entry->state, OUTBOX_OPEN);
    assert_int_equal(entry->epoch, epoch);
    assert_int_equal(entry->number, 1);
    assert_int_equal(entry->operation, 0x1234);
    assert_int_equal(entry->flags, 0x8001);
    assert_int_equal(entry->note.created_us, 123456789);
    assert_int_equal(entry->note.business_date, -7);
    assert_int_equal(entry->note.amount, 99);
    assert_int_equal(entry->note.offline_points, 5);
    assert_string_equal(entry->note.card, "ABC");
    assert_int_equal(entry->note.replaces_epoch, 77);
    assert_int_equal(entry->note.replaces_number, 8);
    assert_int_equal(entry->body_offset, before.body_offset);
    assert_memory_equal(entry->fingerprint, before.fingerprint, 16);
    expect_body(world, entry, "body");
}

static void fingerprint_is_of_operation_and_body(void **state)
{
    struct outbox_world *world = *state;
    uint8_t whole[SHA256_DIGEST_LENGTH];
    static const uint8_t bytes[] = { 5, 0, 't', 'e', 'x', 't' };
    world_open(world);
    (void)SHA256(bytes, sizeof(bytes), whole);
    assert_memory_equal(world_append(world, "text")->fingerprint, whole, 16);
}

static void expect_result(const struct outbox_entry *entry, enum outbox_state want,
                          const struct outbox_result *result)
{
    assert_int_equal(entry->state, want);
    assert_int_equal(entry->result.at_us, result->at_us);
    assert_int_equal(entry->result.result, result->result);
    assert_int_equal(entry->result.position, result->position);
    assert_int_equal(entry->result.tied, result->tied);
    assert_int_equal(entry->result.earned, result->earned);
    assert_int_equal(entry->result.redeemed, result->redeemed);
    assert_int_equal(entry->result.worth, result->worth);
    assert_int_equal(entry->result.available, result->available);
    assert_int_equal(entry->result.balance_known, result->balance_known);
}

static void keeps_how_it_ended(void **state)
{
    struct outbox_world *world = *state;
    struct outbox_result done = world_result(5, 0), refused = world_result(6, 17), dead = world_result(7, 2);
    done.tied = true;
    refused.balance_known = false;
    world_open(world);
    struct outbox_entry *first = world_append(world, "a"), *second = world_append(world, "b");
    struct outbox_entry *third = world_append(world, "c");
    (void)world_append(world, "d");
    outbox_settle(world->outbox, first, &done);
    outbox_settle(world->outbox, second, &refused);
    assert_true(first->unsettled);
    assert_int_equal(outbox_bury(world->outbox, third, &dead), OUTBOX_OK);
    assert_false(first->unsettled);
    for (int round = 0; round < 3; round++) {
        struct outbox_counts counts;
        outbox_counts(world->outbox, &counts);
        assert_int_equal(counts.open, 1);
        assert_int_equal(counts.queued, 1);
        assert_int_equal(counts.dead, 1);
        assert_int_equal(counts.kept, 2);
        expect_result(world_entry(world, 0), OUTBOX_DONE, &done);
        expect_result(world_entry(world, 1), OUTBOX_REFUSED, &refused);
        expect_result(world_entry(world, 2), OUTBOX_DEAD, &dead);
        assert_int_equal(world_entry(world, 3)->state, OUTBOX_OPEN);
        if (round == 0)
            world_kill(world);
        else
            world_close(world);
        world_open(world);
        if (round == 1)
            assert_int_equal(outbox_compact(world->outbox, 0, true), OUTBOX_OK);
    }
}

static void a_settling_waits_for_the_flush(void **state)
{
    struct outbox_world *world = *state;
    struct outbox_result done = world_result(5, 0);
    struct outbox_counts before, after;
    world_open(world);
    outbox_settle(world->outbox, world_append(world, "a"), &done);
    outbox_settle(world->outbox, world_append(world, "b"), &done);
    outbox_counts(world->outbox, &before);
    assert_int_equal(before.unsettled, 2);
    world_kill(world);
    world_open(world);
    assert_int_equal(world_entry(world, 0)->state, OUTBOX_OPEN);
    outbox_settle(world->outbox, world_entry(world, 0), &done);
    outbox_settle(world->outbox, world_entry(world, 1), &done);
    outbox_settle(world->outbox, world_entry(world, 1),
                  &(struct outbox_result){ .result = 9 }); /* too late */
    assert_int_equal(outbox_flush(world->outbox), OUTBOX_OK);
    outbox_counts(world->outbox, &after);
    assert_int_equal(after.unsettled, 0);
    assert_int_equal(after.bytes - before.bytes, 40 + 2 * 72); /* one record */
    assert_int_equal(outbox_flush(world->outbox), OUTBOX_OK);
    world_kill(world);
    world_open(world);
    expect_result(world_entry(world, 1), OUTBOX_DONE, &done);
    outbox_counts(world->outbox, &before);
    assert_int_equal(before.bytes, after.bytes);
}

static void numbers_and_epochs(void **state)
{
    struct outbox_world *world = *state;
    struct outbox_note note = world_note(1, 1);
    struct outbox_entry *entry;
    world_open(world);
    uint64_t old = outbox_epoch(world->outbox, OUTBOX_LANE_QUEUE);
    for (uint64_t i = 1; i <= 3; i++) {
        assert_int_equal(outbox_next_number(world->outbox, OUTBOX_LANE_QUEUE), i);
        assert_int_equal(world_append(world, "q")->number, i);
    }
    assert_int_equal(outbox_append(world->outbox, OUTBOX_LANE_LIVE, 1, 0, NULL, 0, &note, &entry), OUTBOX_OK);
    assert_int_equal(entry->number, 1);
    expect_body(world, entry, "");
    world_close(world);
    world_open(world);
    assert_int_not_equal(outbox_epoch(world->outbox, OUTBOX_LANE_QUEUE), old);
    assert_int_equal(outbox_next_number(world->outbox, OUTBOX_LANE_QUEUE), 1);
    assert_int_equal(world_append(world, "new")->number, 1);
    assert_int_equal(world_count(world), 5);
    assert_int_equal(world_entry(world, 0)->epoch, old);
    assert_int_equal(world_entry(world, 2)->number, 3);
    expect_body(world, world_entry(world, 4), "new");
    world_close(world);
    /* These were used, whoever made them. */
    world->openings--;
    assert_int_equal(world_try(world), OUTBOX_FAILED);
    assert_non_null(strstr(world->why, "used before"));
}

static void an_opening_leaves_nothing(void **state)
{
    struct outbox_world *world = *state;
    size_t before_size, after_size;
    world_open(world);
    (void)world_append(world, "a");
    world_close(world);
    uint8_t *before = world_bytes(world, "", &before_size);
    world_open(world);
    world_close(world);
    uint8_t *after = world_bytes(world, "", &after_size);
    assert_int_equal(before_size, after_size);
    assert_memory_equal(before, after, before_size);
    free(before);
    free(after);
}

static void what_is_known(void **state)
{
    struct outbox_world *world = *state;
    uint8_t bytes[OUTBOX_KNOWN_MAX + 1];
    size_t size;
    memset(bytes, 0x5A, sizeof(bytes));
    world_open(world);
    (void)outbox_known(world->outbox, &size);
    assert_int_equal(size, 0);
    assert_int_equal(outbox_keep(world->outbox, "first", 5), OUTBOX_OK);
    assert_int_equal(outbox_keep(world->outbox, bytes, OUTBOX_KNOWN_MAX), OUTBOX_OK);
    assert_int_equal(outbox_keep(world->outbox, bytes, OUTBOX_KNOWN_MAX + 1), OUTBOX_FAILED);
    world_close(world);
    world_open(world);
    assert_memory_equal(outbox_known(world->outbox, &size), bytes, OUTBOX_KNOWN_MAX);
    assert_int_equal(size, OUTBOX_KNOWN_MAX);
    assert_int_equal(outbox_keep(world->outbox, "last", 4), OUTBOX_OK);
    assert_int_equal(outbox_compact(world->outbox, 0, true), OUTBOX_OK);
    world_close(world);
    world_open(world);
    assert_memory_equal(outbox_known(world->outbox, &size), "last", 4);
    assert_int_equal(size, 4);
}

static void dead_ones_are_discarded(void **state)
{
    struct outbox_world *world = *state;
    struct outbox_result dead = world_result(7, 2);
    struct outbox_counts counts;
    world_open(world);
    struct outbox_entry *first = world_append(world, "a");
    struct outbox_entry *second = world_append(world, "b");
    uint64_t epoch = first->epoch;
    assert_int_equal(outbox_discard(world->outbox, second), OUTBOX_OK); /* it is not dead */
    assert_int_equal(world_count(world), 2);
    assert_int_equal(outbox_bury(world->outbox, first, &dead), OUTBOX_OK);
    assert_int_equal(outbox_discard(world->outbox, first), OUTBOX_OK);
    assert_null(outbox_find(world->outbox, epoch, 1));
    outbox_counts(world->outbox, &counts);
    assert_int_equal(counts.dead, 0);
    world_kill(world);
    world_open(world);
    assert_int_equal(world_count(world), 1);
    expect_body(world, outbox_first(world->outbox), "b");
}

/* A lane has no gaps: what is dead is asked for again with what is answered. */
static void dead_ones_are_reopened(void **state)
{
    struct outbox_world *world = *state;
    struct outbox_result dead = world_result(7, 2), done = world_result(8, 0);
    world_open(world);
    struct outbox_entry *entry = world_append(world, "a");
    assert_int_equal(outbox_bury(world->outbox, entry, &dead), OUTBOX_OK);
    outbox_reopen(world->outbox, entry);
    assert_int_equal(entry->state, OUTBOX_OPEN);
    outbox_settle(world->outbox, entry, &done);
    world_close(world);
    world_open(world);
    expect_result(world_entry(world, 0), OUTBOX_DONE, &done);
}

static void reopened_ones_are_open(void **state)
{
    struct outbox_world *world = *state;
    struct outbox_result done = world_result(7, 0);
    struct outbox_counts counts;
    world->options.open_max = 2;
    world_open(world);
    struct outbox_entry *entry = world_append(world, "a");
    outbox_settle(world->outbox, entry, &done);
    outbox_reopen(world->outbox, entry);
    assert_int_equal(entry->state, OUTBOX_OPEN);
    assert_int_equal(outbox_flush(world->outbox), OUTBOX_OK);
    outbox_counts(world->outbox, &counts);
    assert_int_equal(counts.open, 1);
    assert_int_equal(counts.oldest_us, 0); /* no cap counts it */
    (void)world_append(world, "b");
    (void)world_append(world, "c");
    outbox_settle(world->outbox, entry, &done);
    outbox_settle(world->outbox, world_entry(world, 1), &done);
    world_close(world);
    world_open(world);
    expect_result(world_entry(world, 0), OUTBOX_DONE, &done);
    expect_result(world_entry(world, 1), OUTBOX_DONE, &done);
    assert_int_equal(world_entry(world, 2)->state, OUTBOX_OPEN);
}

/* --- caps --- */

static enum outbox_status try_append(struct outbox_world *world, int64_t created_us, uint64_t replaces)
{
    struct outbox_note note = world_note(created_us, 1);
    struct outbox_entry *entry;
    note.replaces_epoch = replaces;
    return outbox_append(world->outbox, OUTBOX_LANE_QUEUE, 1, 0, "x", 1, &note, &entry);
}

static void full_of_operations(void **state)
{
    struct outbox_world *world = *state;
    struct outbox_result done = world_result(7, 0);
    world->options.open_max = 3;
    world_open(world);
    for (int i = 0; i < 3; i++)
        assert_int_equal(try_append(world, 1, 0), OUTBOX_OK);
    assert_int_equal(try_append(world, 1, 0), OUTBOX_FULL);
    assert_string_equal(outbox_trouble(world->outbox), "outbox full: 3 operations have no answer yet");
    assert_int_equal(try_append(world, 1, 5), OUTBOX_OK); /* an advice */
    assert_int_equal(outbox_bury(world->outbox, world_entry(world, 0), &done), OUTBOX_OK);
    outbox_settle(world->outbox, world_entry(world, 1), &done);
    assert_int_equal(try_append(world, 1, 0), OUTBOX_OK);
    assert_int_equal(try_append(world, 1, 0), OUTBOX_FULL);
}

static void full_of_age(void **state)
{
    struct outbox_world *world = *state;
    struct outbox_result done = world_result(7, 0);
    world_open(world);
    assert_int_equal(try_append(world, 1, 0), OUTBOX_OK);
    assert_int_equal(try_append(world, 7 * DAY_US, 0), OUTBOX_OK);
    assert_int_equal(try_append(world, 7 * DAY_US + 1, 0), OUTBOX_OK);
    assert_int_equal(try_append(world, 7 * DAY_US + 2, 0), OUTBOX_FULL);
    assert_string_equal(outbox_trouble(world->outbox),
                        "outbox full: an operation has had no answer for 168 hours");
    assert_int_equal(try_append(world, 7 * DAY_US + 2, 5), OUTBOX_OK); /* an advice */
    outbox_settle(world->outbox, world_entry(world, 0), &done);
    assert_int_equal(try_append(world, 7 * DAY_US + 2, 0), OUTBOX_OK);
}

/* A till wakes up in 1970 or a fortnight ago, sells, and gets the time: nothing of that is old. */
static void full_of_age_by_a_clock_that_was_wrong(void **state)
{
    struct outbox_world *world = *state;
    struct outbox_note note = world_note(0, 1);
    struct outbox_entry *entry;
    const int64_t now = 20000 * DAY_US, begins[] = { 1, now - 14 * DAY_US };
    world->options.earliest_us = 10000 * DAY_US;
    for (size_t i = 0; i < 2; i++) {
        world->options.now_us = begins[i];
        world_open(world);
        note.created_us = begins[i] + 1000;
        note.passed_us = 1000;
        assert_int_equal(outbox_append(world->outbox, OUTBOX_LANE_QUEUE, 1, 0, "x", 1, &note, &entry),
                         OUTBOX_OK);
        note.created_us = now;
        note.passed_us = 7 * DAY_US + 1000;
        assert_int_equal(outbox_append(world->outbox, OUTBOX_LANE_QUEUE, 1, 0, "x", 1, &note, &entry),
                         OUTBOX_OK);
        note.passed_us++;
        assert_int_equal(outbox_append(world->outbox, OUTBOX_LANE_QUEUE, 1, 0, "x", 1, &note, &entry),
                         i == 0 ? OUTBOX_OK : OUTBOX_FULL);
        world_close(world);
        world->options.now_us = now;
        world_open(world); /* what bears the date of 1970 has no age; what bears a likely one has */
        assert_int_equal(try_append(world, now, 0), i == 0 ? OUTBOX_OK : OUTBOX_FULL);
        world_close(world);
        (void)unlink(world->path);
    }
}

/* What was made in a future that was none is not old, nor is anything while the clock says that future again. */
static void full_of_age_by_a_clock_ahead(void **state)
{
    struct outbox_world *world = *state;
    const int64_t now = 20000 * DAY_US;
    world->options.now_us = now;
    world_open(world);
    assert_int_equal(try_append(world, now + 4000 * DAY_US, 0), OUTBOX_OK);
    assert_int_equal(try_append(world, now, 0), OUTBOX_OK);
    world_close(world);
    world->options.now_us = now + 4000 * DAY_US;
    world_open(world);
    assert_int_equal(try_append(world, now + 4001 * DAY_US, 0), OUTBOX_OK);
    assert_int_equal(try_append(world, now + 8 * DAY_US, 0), OUTBOX_OK);
}

/* --- days and compaction --- */

static void forgets_after_a_close_and_seven_days(void **state)
{
    struct outbox_world *world = *state;
    struct outbox_result done = world_result(DAY_US, 0), refused = world_result(DAY_US, 3);
    world_open(world);
    outbox_settle(world->outbox, world_append(world, "done"), &done);
    outbox_settle(world->outbox, world_append(world, "refused"), &refused);
    (void)world_append(world, "open");
    assert_int_equal(outbox_bury(world->outbox, world_append(world, "dead"), &refused), OUTBOX_OK);
    assert_int_equal(outbox_compact(world->outbox, 30 * DAY_US, true), OUTBOX_OK);
    assert_int_equal(world_count(world), 4); /* its day is not closed */
    assert_false(outbox_day_closed(world->outbox, 20000));
    assert_int_equal(outbox_close_day(world->outbox, 20000), OUTBOX_OK);
    assert_true(outbox_day_closed(world->outbox, 20000));
    world_kill(world);
    world_open(world);
    assert_true(outbox_day_closed(world->outbox, 20000));
    assert_int_equal(outbox_compact(world->outbox, 8 * DAY_US, true), OUTBOX_OK);
    assert_int_equal(world_count(world), 4); /* nor are seven days over */
    assert_int_equal(outbox_compact(world->outbox, 8 * DAY_US + 1, true), OUTBOX_OK);
    assert_int_equal(world_count(world), 2);
    assert_true(outbox_day_closed(world->outbox, 20000));
    world_close(world);
    world_open(world);
    assert_true(outbox_day_closed(world->outbox, 20000));
    expect_body(world, world_entry(world, 0), "open");
    expect_body(world, world_entry(world, 1), "dead");
}

/* What is appended for a day that was closed is not covered by that close. */
static void late_operations_wait_for_the_next_close(void **state)
{
    struct outbox_world *world = *state;
    struct outbox_result done = world_result(DAY_US, 0);
    world_open(world);
    outbox_settle(world->outbox, world_append(world, "in time"), &done);
    assert_int_equal(outbox_close_day(world->outbox, 20000), OUTBOX_OK);
    outbox_settle(world->outbox, world_append(world, "late"), &done);
    assert_false(outbox_day_closed(world->outbox, 20000));
    assert_int_equal(outbox_compact(world->outbox, 2 * DAY_US, true), OUTBOX_OK);
    world_close(world);
    world_open(world);
    assert_false(outbox_day_closed(world->outbox, 20000));
    assert_int_equal(outbox_compact(world->outbox, 20 * DAY_US, true), OUTBOX_OK);
    assert_int_equal(world_count(world), 1);
    expect_body(world, world_entry(world, 0), "late");
    assert_int_equal(outbox_close_day(world->outbox, 20000), OUTBOX_OK);
    assert_int_equal(outbox_compact(world->outbox, 20 * DAY_US, true), OUTBOX_OK);
    assert_int_equal(world_count(world), 0);
}

static void days_are_found_again(void **state)
{
    struct outbox_world *world = *state;
    static const int32_t days[] = { 20005, -3, 20001, 20005, 20003, INT32_MIN, INT32_MAX };
    world_open(world);
    for (size_t i = 0; i < sizeof(days) / sizeof(days[0]); i++)
        assert_int_equal(outbox_close_day(world->outbox, days[i]), OUTBOX_OK);
    for (int32_t day = 20010; day < 20050; day++)
        assert_int_equal(outbox_close_day(world->outbox, day), OUTBOX_OK);
    assert_int_equal(outbox_compact(world->outbox, 1, true), OUTBOX_OK);
    world_close(world);
    world_open(world);
    for (size_t i = 0; i < sizeof(days) / sizeof(days[0]); i++)
        assert_true(outbox_day_closed(world->outbox, days[i]));
    assert_false(outbox_day_closed(world->outbox, 20002));
    assert_false(outbox_day_closed(world->outbox, 20050));
}

static off_t file_size(const struct outbox_world *world)
{
    struct stat info;
    assert_int_equal(stat(world->path, &info), 0);
    return info.st_size;
}

/* It grows past what it was given, and is written anew when half of it is waste. */
static void compacts_when_it_is_worth_it(void **state)
{
    struct outbox_world *world = *state;
    struct outbox_result done = world_result(DAY_US, 0);
    struct outbox_counts counts;
    world_open(world);
    assert_int_equal(file_size(world), 32768);
    for (int i = 0; i < 200; i++)
        outbox_settle(world->outbox, world_append(world, "goods"), &done);
    assert_int_equal(outbox_close_day(world->outbox, 20000), OUTBOX_OK);
    assert_true(file_size(world) > 32768);
    assert_int_equal(outbox_compact(world->outbox, 2 * DAY_US, false), OUTBOX_OK);
    assert_int_equal(world_count(world), 200);
    world_close(world);
    world->options.now_us = 9 * DAY_US;
    world_open(world);
    assert_int_equal(world_count(world), 0);
    assert_int_equal(file_size(world), 32768);
    outbox_counts(world->outbox, &counts);
    assert_true(counts.bytes < 8192 + 100);
    assert_false(world_has(world, ".new"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define OUTBOX_TEST(name) cmocka_unit_test_setup_teardown(name, outbox_world_make, outbox_world_remove)
        OUTBOX_TEST(keeps_what_it_was_given),
        OUTBOX_TEST(fingerprint_is_of_operation_and_body),
        OUTBOX_TEST(keeps_how_it_ended),
        OUTBOX_TEST(a_settling_waits_for_the_flush),
        OUTBOX_TEST(numbers_and_epochs),
        OUTBOX_TEST(an_opening_leaves_nothing),
        OUTBOX_TEST(what_is_known),
        OUTBOX_TEST(dead_ones_are_discarded),
        OUTBOX_TEST(dead_ones_are_reopened),
        OUTBOX_TEST(reopened_ones_are_open),
        OUTBOX_TEST(full_of_operations),
        OUTBOX_TEST(full_of_age),
        OUTBOX_TEST(full_of_age_by_a_clock_that_was_wrong),
        OUTBOX_TEST(full_of_age_by_a_clock_ahead),
        OUTBOX_TEST(forgets_after_a_close_and_seven_days),
        OUTBOX_TEST(late_operations_wait_for_the_next_close),
        OUTBOX_TEST(days_are_found_again),
        OUTBOX_TEST(compacts_when_it_is_worth_it),
    };
    return cmocka_run_group_tests_name("outbox", tests, NULL, NULL);
}
