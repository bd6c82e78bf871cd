/*
 * Verification: every byte of the journal is looked at, and a changed one is found where it is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "journal_world.h"

#define SEGMENTS 3u

/* A stopped journal of some segments, opened for reading. */
static void scan_init(struct world *world, uint64_t seed)
{
    char name[SEGMENT_NAME_SIZE];
    world_init(world, seed);
    world_start(world);
    do
        (void)world_block(world, 1 + (uint32_t)(world->next_sequence % 5));
    while (!world_segment_name(world, SEGMENTS, name));
    world_close(world);
    PUNKT_CHECK(world_open(world, true) == PUNKT_OK && world_recover(world, NULL, false) == PUNKT_OK);
}

static enum punkt_status scan(struct world *world, uint64_t slice_bytes, uint32_t *out_slices,
                              struct journal_damage *out_damage)
{
    struct journal_head at;
    enum punkt_status status;
    journal_beginning(world->journal, &at);
    world->events_visited = 0;
    *out_slices = 0;
    do {
        status = journal_scan(world->journal, &at, world->head.position, slice_bytes, world_visit, world,
                              out_damage, &world->failure);
        ++*out_slices;
    } while (status == PUNKT_BUSY);
    if (status == PUNKT_OK)
        assert_memory_equal(&at, &world->head, sizeof(at));
    return status;
}

static void a_sound_journal_scans_whole_and_in_slices(void **state)
{
    (void)state;
    struct world world;
    struct journal_damage damage;
    uint32_t slices;
    scan_init(&world, 1);
    assert_int_equal(scan(&world, 0, &slices, &damage), PUNKT_OK);
    assert_int_equal(slices, 1);
    assert_int_equal(world.events_visited, world.next_sequence - 1);
    const uint64_t sizes[] = { 1, 300, 1000, 5000, WORLD_SEGMENT_BYTES };
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        assert_int_equal(scan(&world, sizes[i], &slices, &damage), PUNKT_OK);
        assert_true(slices > 1);
        assert_int_equal(world.events_visited, world.next_sequence - 1);
    }
    world_done(&world);
}

/* Flips a byte of the file, scans, flips it back; the damage must be named at or before the byte. */
static void flip_and_scan(struct world *world, const char *name, uint64_t offset, uint64_t nearest,
                          uint32_t slice)
{
    struct journal_damage damage = { .file = "" };
    size_t size;
    uint32_t slices;
    uint8_t *bytes = world_read_file(world, name, &size);
    bytes[offset] ^= 0x10;
    world_write_file(world, name, bytes, size);
    if (scan(world, slice, &slices, &damage) != PUNKT_CORRUPT)
        fail_msg("a flipped byte at offset %llu of %s was not found", (unsigned long long)offset, name);
    assert_string_equal(damage.file, name);
    if (damage.offset > offset || damage.offset < nearest)
        fail_msg("offset %llu was named %llu: %s", (unsigned long long)offset,
                 (unsigned long long)damage.offset, damage.text);
    bytes[offset] ^= 0x10;
    world_write_file(world, name, bytes, size);
    free(bytes);
}

static void a_flipped_byte_is_found_wherever_it_is(void **state)
{
    (void)state;
    struct world world;
    struct journal_damage damage;
    char name[SEGMENT_NAME_SIZE];
    uint32_t slices;
    uint64_t random = 2, used;
    journal_position start, next;
    scan_init(&world, 2);
    for (uint32_t i = 0; i <= SEGMENTS; i++) {
        assert_true(world_segment_name(&world, i, name) && segment_name_parse(name, &start));
        bool complete = table_at(&world.journal->table, i + 1, &next);
        used = SEGMENT_HEADER_SIZE + (complete ? next : world.head.position) - start;
        for (uint64_t at = 0; at < SEGMENT_HEADER_SIZE; at += 3)
            flip_and_scan(&world, name, at, 0, 0);
        for (uint64_t at = SEGMENT_HEADER_SIZE; at < SEGMENT_HEADER_SIZE + BLOCK_HEADER_SIZE; at++)
            flip_and_scan(&world, name, at, SEGMENT_HEADER_SIZE, 0);
        for (int n = 0; n < 100; n++) {
            uint64_t at = SEGMENT_HEADER_SIZE + world_random(&random) % (used - SEGMENT_HEADER_SIZE);
            /* Never farther away than an event. */
            flip_and_scan(&world, name, at, at > WORLD_EVENT_MAX ? at - WORLD_EVENT_MAX : 0, n % 2 ? 0 : 700);
        }
        if (!complete)
            continue;
        const uint64_t zeros[] = { used, WORLD_SEGMENT_BYTES - 1, used + (WORLD_SEGMENT_BYTES - used) / 2 };
        for (size_t n = 0; n < COUNT_OF(zeros); n++)
            flip_and_scan(&world, name, zeros[n], zeros[n], n == 0 ? 0 : 1);
    }
    assert_int_equal(scan(&world, 0, &slices, &damage), PUNKT_OK);
    world_done(&world);
}

static void files_of_another_length_are_found(void **state)
{
    (void)state;
    struct world world;
    struct journal_damage damage;
    char name[SEGMENT_NAME_SIZE];
    uint32_t slices;
    size_t size;
    scan_init(&world, 3);
    assert_true(world_segment_name(&world, 1, name));
    uint8_t *bytes = world_read_file(&world, name, &size);
    uint8_t *longer = calloc(1, size + 10);
    memcpy(longer, bytes, size);
    const size_t sizes[] = { size + 10, size + 1, size - 1, 100, 10, 0 };
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        world_write_file(&world, name, longer, sizes[i]);
        assert_int_equal(scan(&world, 0, &slices, &damage), PUNKT_CORRUPT);
        assert_string_equal(damage.file, name);
        assert_int_equal(damage.offset, sizes[i] > size ? size : sizes[i]);
    }
    world_write_file(&world, name, bytes, size);
    assert_int_equal(scan(&world, 0, &slices, &damage), PUNKT_OK);
    assert_int_equal(unlink(world_path(&world, name)), 0);
    assert_int_equal(scan(&world, 0, &slices, &damage), PUNKT_CORRUPT);
    assert_string_equal(damage.file, name);
    assert_non_null(strstr(damage.text, "missing"));
    free(longer);
    free(bytes);
    world_done(&world);
}

/* Somebody who changes history can make every checksum right, but not the hash that the next block names. */
static void a_rewritten_block_breaks_the_chain(void **state)
{
    (void)state;
    struct world world;
    struct journal_damage damage;
    struct block_header header;
    struct sha256 sha256;
    char name[SEGMENT_NAME_SIZE];
    size_t size;
    uint32_t slices;
    uint8_t previous[JOURNAL_HASH_SIZE], hash[JOURNAL_HASH_SIZE];
    scan_init(&world, 6);
    assert_true(world_segment_name(&world, 1, name));
    uint8_t *bytes = world_read_file(&world, name, &size);
    uint8_t *block = bytes + SEGMENT_HEADER_SIZE;
    assert_null(block_header_decode(block, size, &header));
    uint8_t *event = block + BLOCK_HEADER_SIZE;
    event[JOURNAL_EVENT_HEADER_SIZE] ^= 1;
    event_finish(event, load_u32(event));
    assert_int_equal(sha256_init(&sha256), PUNKT_OK);
    memcpy(previous, block + 48, sizeof(previous));
    block_finish(&sha256, block, header.size, previous, hash);
    sha256_done(&sha256);
    world_write_file(&world, name, bytes, size);
    struct journal_head at;
    journal_beginning(world.journal, &at);
    assert_int_equal(
        journal_scan(world.journal, &at, world.head.position, 0, NULL, NULL, &damage, &world.failure),
        PUNKT_CORRUPT);
    assert_string_equal(damage.file, name);
    assert_int_equal(damage.offset,
                     SEGMENT_HEADER_SIZE + header.size + 48); /* the next one does not follow it */
    assert_non_null(strstr(damage.text, "hash before"));
    assert_int_equal(scan(&world, 100, &slices, &damage),
                     PUNKT_INVALID); /* what the visitor says of that event */
    assert_int_equal(world_recover(&world, NULL, true), PUNKT_INVALID);
    assert_int_equal(journal_recover(world.journal, &at, true, NULL, NULL, &world.head, &world.failure),
                     PUNKT_CORRUPT);
    free(bytes);
    world_done(&world);
}

static void a_segment_of_another_journal_is_found(void **state)
{
    (void)state;
    struct world world;
    struct journal_damage damage;
    struct segment_header header;
    char name[SEGMENT_NAME_SIZE];
    size_t size;
    uint32_t slices;
    scan_init(&world, 7);
    assert_true(world_segment_name(&world, 1, name));
    uint8_t *bytes = world_read_file(&world, name, &size);
    assert_null(segment_header_decode(bytes, &header));
    header.id[0] ^= 1;
    segment_header_encode(&header, bytes);
    world_write_file(&world, name, bytes, size);
    assert_int_equal(scan(&world, 0, &slices, &damage), PUNKT_CORRUPT);
    assert_string_equal(damage.file, name);
    assert_non_null(strstr(damage.text, "another journal"));
    header.id[0] ^= 1;
    header.start++;
    segment_header_encode(&header, bytes);
    world_write_file(&world, name, bytes, size);
    assert_int_equal(scan(&world, 0, &slices, &damage), PUNKT_CORRUPT);
    free(bytes);
    world_done(&world);
}

static void a_cut_off_journal_is_found(void **state)
{
    (void)state;
    struct world world;
    struct journal_damage damage;
    struct journal_head at;
    scan_init(&world, 4);
    journal_beginning(world.journal, &at);
    /* Up to where it once was longer. */
    assert_int_equal(journal_scan(world.journal, &at, world.head.position + 1000, 0, world_visit, &world,
                                  &damage, &world.failure),
                     PUNKT_CORRUPT);
    assert_non_null(strstr(damage.text, "missing"));
    world_done(&world);
}

static enum punkt_status refuse(void *ctx, const struct journal_block *block, struct failure *failure)
{
    uint32_t *left = ctx;
    (void)block;
    if ((*left)-- > 0)
        return PUNKT_OK;
    failure_set(failure, "enough");
    return PUNKT_FULL;
}

static void what_the_visitor_says_is_handed_on(void **state)
{
    (void)state;
    struct world world;
    struct journal_damage damage;
    struct journal_head at;
    uint32_t left = 3;
    scan_init(&world, 5);
    journal_beginning(world.journal, &at);
    assert_int_equal(
        journal_scan(world.journal, &at, world.head.position, 0, refuse, &left, &damage, &world.failure),
        PUNKT_FULL);
    assert_string_equal(world.failure.text, "enough");
    assert_int_equal(at.position, 0);
    world_done(&world);
}

static enum punkt_status note_first(void *ctx, const struct journal_block *block, struct failure *failure)
{
    utc_us *first = ctx;
    (void)failure;
    if (*first < 0)
        *first = block->time;
    return PUNKT_OK;
}

/* Blocks have the number of the event behind them as their time: each time is found, and a scan goes on from there. */
static void a_time_is_found_and_scanned_from(void **state)
{
    (void)state;
    struct world world;
    struct journal_damage damage;
    scan_init(&world, 7);
    journal_position end = world.head.position;
    for (utc_us time = 0; time <= (utc_us)world.next_sequence + 1; time++) {
        struct journal_head at;
        utc_us first = -1;
        assert_int_equal(journal_find_time(world.journal, time, end, &at, &world.failure), PUNKT_OK);
        assert_true(time > 2 || at.position == 0);
        assert_true(at.time < time || at.position == 0); /* the block before is from before */
        assert_int_equal(
            journal_scan(world.journal, &at, end, 0, note_first, &first, &damage, &world.failure), PUNKT_OK);
        assert_int_equal(at.position, end);
        if (time <= (utc_us)world.next_sequence)
            assert_true(first >= time);
        else
            assert_int_equal(first, -1);
    }
    world_done(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sound_journal_scans_whole_and_in_slices),
        cmocka_unit_test(a_flipped_byte_is_found_wherever_it_is),
        cmocka_unit_test(files_of_another_length_are_found),
        cmocka_unit_test(a_rewritten_block_breaks_the_chain),
        cmocka_unit_test(a_segment_of_another_journal_is_found),
        cmocka_unit_test(a_cut_off_journal_is_found),
        cmocka_unit_test(what_the_visitor_says_is_handed_on),
        cmocka_unit_test(a_time_is_found_and_scanned_from),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
