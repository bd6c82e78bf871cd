/*
 * The journal as the loop and the reader use it: what is appended can be read in memory, from the file
 * and after a restart, across any number of segments.
 */
#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "journal_world.h"

#define POSITIONS_MAX 4096

static void assert_ok(const struct world *world, enum punkt_status status)
{
    if (status != PUNKT_OK)
        fail_msg("%s: %s", punkt_status_name(status), world->failure.text);
}

static void an_empty_journal_has_a_beginning(void **state)
{
    (void)state;
    struct world world;
    struct journal_head beginning;
    uint8_t id[JOURNAL_ID_SIZE], zeros[JOURNAL_HASH_SIZE - JOURNAL_ID_SIZE] = { 0 };
    world_init(&world, 1);
    assert_ok(&world, world_open(&world, false));
    assert_true(journal_is_new(world.journal));
    memcpy(id, journal_id(world.journal), sizeof(id));
    journal_beginning(world.journal, &beginning);
    assert_memory_equal(beginning.hash, id, sizeof(id));
    assert_memory_equal(beginning.hash + sizeof(id), zeros, sizeof(zeros));
    assert_ok(&world, world_recover(&world, NULL, false));
    assert_memory_equal(&world.head, &beginning, sizeof(beginning));
    world_close(&world);

    assert_ok(&world, world_open(&world, false));
    assert_false(journal_is_new(world.journal));
    assert_memory_equal(journal_id(world.journal), id, sizeof(id));
    world_done(&world);
}

static void files_are_private(void **state)
{
    (void)state;
    struct world world;
    struct stat info;
    char name[SEGMENT_NAME_SIZE];
    world_init(&world, 2);
    assert_int_equal(rmdir(world.dir), 0);
    world_start(&world);
    assert_int_equal(stat(world.dir, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0700);
    assert_true(world_segment_name(&world, 0, name));
    assert_int_equal(stat(world_path(&world, name), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(info.st_size, WORLD_SEGMENT_BYTES);
    world_done(&world);
}

static void what_was_appended_is_there_after_a_restart(void **state)
{
    (void)state;
    struct world world;
    struct journal_head durable, again;
    uint64_t random = 3, events = 0;
    world_init(&world, 3);
    for (int session = 0; session < 4; session++) {
        world_start(&world);
        assert_int_equal(world.events_visited, events);
        for (int block = 0; block < 25; block++) {
            uint32_t count = 1 + (uint32_t)(world_random(&random) % 6);
            journal_position end = world_block(&world, count);
            events += count;
            assert_int_equal(journal_durable(world.journal), end);
            assert_int_equal(journal_next(world.journal), end);
        }
        journal_durable_head(world.journal, &durable);
        world_close(&world);
        assert_ok(&world, world_open(&world, false));
        assert_ok(&world, world_recover(&world, NULL, false));
        assert_memory_equal(&world.head, &durable, sizeof(durable));
        /* The same from the end: what a clean stop leaves. */
        assert_ok(&world, world_recover(&world, &durable, false));
        assert_int_equal(world.events_visited, 0);
        again = world.head;
        assert_memory_equal(&again, &durable, sizeof(durable));
        world_close(&world);
    }
    char name[SEGMENT_NAME_SIZE];
    assert_true(world_segment_name(&world, 5, name)); /* it took many segments */
    world_done(&world);
}

static void sealing_tells_where_the_chain_will_stand(void **state)
{
    (void)state;
    struct world world;
    struct journal_head sealed, durable;
    uint8_t hash[JOURNAL_HASH_SIZE];
    journal_position position;
    world_init(&world, 4);
    world_start(&world);
    assert_false(journal_seal(world.journal, 1, &sealed)); /* nothing in it */
    assert_int_equal(journal_next(world.journal), 0);
    for (int i = 0; i < 50; i++) {
        assert_true(world_append(&world, &position));
        assert_true(journal_next(world.journal) > position);
        assert_true(journal_seal(world.journal, 1000 + i, &sealed));
        assert_true(sealed.position >= journal_next(world.journal));
        journal_wait(world.journal, sealed.position);
        journal_durable_head(world.journal, &durable);
        assert_int_equal(durable.position, sealed.position);
        assert_int_equal(durable.next_sequence, sealed.next_sequence);
        assert_int_equal(durable.time, 1000 + i);
        assert_int_equal(journal_hash_of(world.journal, sealed.position, hash, &world.failure), PUNKT_OK);
        assert_memory_equal(hash, durable.hash, sizeof(hash));
    }
    assert_int_equal(journal_hash_of(world.journal, 0, hash, &world.failure), PUNKT_OK);
    assert_memory_equal(hash, journal_id(world.journal), JOURNAL_ID_SIZE);
    assert_int_equal(journal_hash_of(world.journal, sealed.position + 1, hash, &world.failure),
                     PUNKT_INVALID);
    world_done(&world);
}

/* The journal thread stands still in notify while the gate is closed. */
struct gate {
    sem_t open;
    atomic_bool closed;
};

static void wait_at_gate(void *ctx)
{
    struct gate *gate = ctx;
    if (atomic_load(&gate->closed))
        (void)sem_wait(&gate->open);
}

static void a_full_block_pushes_back_until_the_other_is_durable(void **state)
{
    (void)state;
    struct world world;
    struct gate gate;
    struct journal_head sealed;
    journal_position first, away, position, last = 0;
    const uint8_t *event;
    uint32_t size;
    (void)sem_init(&gate.open, 0, 0);
    atomic_init(&gate.closed, true);
    world_init(&world, 5);
    world.notify = wait_at_gate;
    world.ctx = &gate;
    world_start(&world);

    first = world_block(&world, 1); /* durable; the thread now waits at the gate */
    assert_true(world_append(&world, &away));
    assert_true(journal_seal(world.journal, 2, &sealed));
    assert_true(world_append(&world, &position));
    assert_false(journal_seal(world.journal, 3, &sealed)); /* the thread is not free */
    uint64_t in_open = world.next_sequence - 1;
    journal_position in_open_at = position;
    while (world_append(&world, &position))
        last = position;
    assert_false(journal_has_room(world.journal));
    assert_int_equal(journal_durable(world.journal), first);

    assert_true(journal_in_memory(world.journal, away, &event, &size));
    assert_true(world_event_is(&world, 2, event, size));
    assert_true(journal_in_memory(world.journal, in_open_at, &event, &size));
    assert_true(world_event_is(&world, in_open, event, size));
    assert_true(journal_in_memory(world.journal, last, &event, &size));
    assert_true(world_event_is(&world, world.next_sequence - 1, event, size));
    assert_false(journal_in_memory(world.journal, BLOCK_HEADER_SIZE, &event, &size));

    atomic_store(&gate.closed, false);
    (void)sem_post(&gate.open);
    journal_wait(world.journal, away + 1);
    assert_true(journal_has_room(world.journal));
    assert_true(world_append(&world, &position)); /* seals the full block itself */
    assert_true(position > last + world_event_size(&world, world.next_sequence - 2));
    journal_wait(world.journal, position - BLOCK_HEADER_SIZE);
    assert_true(journal_seal(world.journal, 4, &sealed));
    journal_wait(world.journal, sealed.position);
    uint64_t written = world.next_sequence;
    world_close(&world);
    world.notify = NULL;
    world_start(&world);
    assert_int_equal(world.next_sequence, written);
    world_done(&world);
    (void)sem_destroy(&gate.open);
}

static void the_largest_event_and_block_fit(void **state)
{
    (void)state;
    struct world world;
    struct journal_head sealed;
    journal_position position, second;
    uint32_t size;
    static uint8_t back[JOURNAL_EVENT_MAX];
    world_init(&world, 6);
    world.segment_bytes = JOURNAL_SEGMENT_BYTES_MIN;
    world_start(&world);
    for (int i = 0; i < 3; i++) { /* two such blocks are more than a segment */
        uint8_t *event = journal_reserve(world.journal, JOURNAL_EVENT_MAX, &position);
        assert_non_null(event);
        memset(event, i + 1, JOURNAL_EVENT_MAX);
        journal_commit(world.journal, JOURNAL_EVENT_MAX);
        uint32_t rest = JOURNAL_BLOCK_MAX - JOURNAL_EVENT_MAX - BLOCK_HEADER_SIZE - JOURNAL_HASH_SIZE;
        event = journal_reserve(world.journal, rest, &second);
        assert_non_null(event);
        assert_int_equal(second, position + JOURNAL_EVENT_MAX);
        memset(event, 9, rest);
        journal_commit(world.journal, rest);
        assert_true(journal_seal(world.journal, i, &sealed));
        assert_int_equal(sealed.position, position - BLOCK_HEADER_SIZE + JOURNAL_BLOCK_MAX);
        journal_wait(world.journal, sealed.position);
        assert_int_equal(journal_read_event(world.journal, position, back, &size, &world.failure), PUNKT_OK);
        assert_int_equal(size, JOURNAL_EVENT_MAX);
        assert_int_equal(back[JOURNAL_EVENT_MAX - 1], i + 1);
        assert_int_equal(journal_read_event(world.journal, second, back, &size, &world.failure), PUNKT_OK);
        assert_int_equal(size, rest);
    }
    char name[SEGMENT_NAME_SIZE];
    assert_true(world_segment_name(&world, 2, name));
    world_close(&world);
    struct journal_head beginning;
    assert_ok(&world, world_open(&world, false));
    journal_beginning(world.journal, &beginning);
    assert_ok(&world,
              journal_recover(world.journal, &beginning, false, NULL, NULL, &world.head, &world.failure));
    assert_int_equal(world.head.position, sealed.position);
    world_done(&world);
}

struct reading {
    struct world *world;
    atomic_uint_least64_t count; /* of positions that are durable */
    journal_position positions[POSITIONS_MAX];
    atomic_bool done;
    uint64_t wrong, read;
};

static void *read_all_the_time(void *arg)
{
    struct reading *reading = arg;
    uint64_t random = 77;
    uint8_t *buffer = malloc(JOURNAL_EVENT_MAX);
    struct failure failure;
    uint32_t size;
    while (buffer != NULL && !atomic_load(&reading->done)) {
        uint64_t count = atomic_load(&reading->count);
        if (count == 0)
            continue;
        /* Half of the time the newest one. */
        uint64_t index = world_random(&random) % 2 == 0 ? count - 1 : world_random(&random) % count;
        if (journal_read_event(reading->world->journal, reading->positions[index], buffer, &size, &failure) !=
                PUNKT_OK ||
            !world_event_is(reading->world, index + 1, buffer, size))
            reading->wrong++;
        reading->read++;
    }
    free(buffer);
    return NULL;
}

static void events_are_read_while_others_are_written(void **state)
{
    (void)state;
    static struct reading reading;
    struct world world;
    struct journal_damage damage;
    pthread_t thread;
    world_init(&world, 7);
    reading.world = &world;
    world_start(&world);
    assert_int_equal(pthread_create(&thread, NULL, read_all_the_time, &reading), 0);
    struct journal_head sealed, scanned;
    journal_beginning(world.journal, &scanned);
    uint64_t count = 0;
    while (count < 1500) {
        journal_position position;
        for (int i = 0; i < 5; i++) {
            assert_true(world_append(&world, &position));
            reading.positions[count++] = position;
        }
        assert_true(journal_seal(world.journal, 1, &sealed));
        journal_wait(world.journal, sealed.position);
        atomic_store(&reading.count, count);
        if (count % 50 == 0)
            assert_ok(&world, journal_scan(world.journal, &scanned, journal_durable(world.journal), 0,
                                           world_visit, &world, &damage, &world.failure));
    }
    atomic_store(&reading.done, true);
    (void)pthread_join(thread, NULL);
    assert_true(reading.read > 0);
    assert_int_equal(reading.wrong, 0);
    assert_int_equal(world.events_visited, count);
    world_done(&world);
}

static void reading_where_nothing_is_says_so(void **state)
{
    (void)state;
    struct world world;
    static uint8_t buffer[JOURNAL_EVENT_MAX];
    char name[SEGMENT_NAME_SIZE];
    uint32_t size;
    world_init(&world, 8);
    world_start(&world);
    while (!world_segment_name(&world, 3, name))
        (void)world_block(&world, 5);
    journal_position end = journal_durable(world.journal);
    assert_int_equal(journal_read_event(world.journal, end, buffer, &size, &world.failure), PUNKT_INVALID);
    assert_int_equal(journal_read_event(world.journal, end - 4, buffer, &size, &world.failure),
                     PUNKT_CORRUPT);

    /* The second segment goes to the archive, then the first. */
    journal_position second;
    assert_true(world_segment_name(&world, 1, name));
    assert_true(segment_name_parse(name, &second));
    assert_int_equal(unlink(world_path(&world, name)), 0);
    assert_int_equal(
        journal_read_event(world.journal, second + BLOCK_HEADER_SIZE, buffer, &size, &world.failure),
        PUNKT_NOT_FOUND);
    assert_non_null(strstr(world.failure.text, name));
    world_close(&world);
    assert_true(world_segment_name(&world, 0, name));
    assert_int_equal(unlink(world_path(&world, name)), 0);
    assert_ok(&world, world_open(&world, false));
    assert_int_equal(world_recover(&world, NULL, true), PUNKT_CORRUPT);
    world_done(&world);
}

static void a_journal_has_one_owner(void **state)
{
    (void)state;
    struct world world, second;
    world_init(&world, 9);
    world_start(&world);
    (void)world_block(&world, 3);
    second = world;
    second.journal = NULL;
    assert_int_equal(world_open(&second, false), PUNKT_BUSY);
    assert_int_equal(world_open(&second, true), PUNKT_BUSY);
    world_close(&world);

    /* Two may read at the same time, nobody may write meanwhile. */
    struct world third = second;
    assert_ok(&second, world_open(&second, true));
    assert_ok(&third, world_open(&third, true));
    assert_int_equal(world_open(&world, false), PUNKT_BUSY);
    assert_ok(&second, world_recover(&second, NULL, false));
    assert_int_equal(second.events_visited, 3);
    assert_int_equal(journal_start(second.journal, 1, &second.failure), PUNKT_INVALID);
    world_close(&second);
    world_close(&third);
    world_done(&world);
}

static void who_only_reads_makes_nothing(void **state)
{
    (void)state;
    struct world world;
    struct stat info;
    world_init(&world, 10);
    assert_int_equal(world_open(&world, true), PUNKT_NOT_FOUND);
    assert_int_equal(stat(world_path(&world, "lock"), &info), -1);
    assert_int_equal(rmdir(world.dir), 0);
    assert_int_equal(world_open(&world, true), PUNKT_NOT_FOUND);
    world_done(&world);
}

static void little_space_is_told(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 11);
    world.reserve_bytes = UINT64_MAX;
    world_start(&world);
    assert_true(journal_low(world.journal));
    (void)world_block(&world, 3); /* what is let through is written all the same */
    world_close(&world);
    world.reserve_bytes = 1;
    world_start(&world);
    assert_false(journal_low(world.journal));
    world_done(&world);
}

static void settings_that_cannot_be_are_refused(void **state)
{
    (void)state;
    struct world world;
    struct journal *journal = NULL;
    world_init(&world, 12);
    const struct journal_options small = { .dir = world.dir, .segment_bytes = JOURNAL_SEGMENT_BYTES_MIN - 1 };
    assert_int_equal(journal_open(&small, &journal, &world.failure), PUNKT_INVALID);
    world_start(&world);
    (void)world_block(&world, 1);
    world_close(&world);
    assert_ok(&world, world_open(&world, false));
    assert_ok(&world, world_recover(&world, NULL, false));
    assert_int_equal(journal_start(world.journal, 0, &world.failure), PUNKT_INVALID);
    assert_ok(&world, journal_start(world.journal, 7, &world.failure));
    (void)world_block(&world, 1);
    world_close(&world);
    assert_ok(&world, world_open(&world, false));
    assert_ok(&world, world_recover(&world, NULL, false));
    assert_int_equal(world.head.term, 7);
    assert_int_equal(journal_start(world.journal, 6, &world.failure), PUNKT_INVALID);
    world_done(&world);
}

static void leftover_spares_are_used_or_removed(void **state)
{
    (void)state;
    struct world world;
    struct stat info;
    char name[SEGMENT_NAME_SIZE];
    uint8_t garbage[3 * WORLD_SEGMENT_BYTES];
    memset(garbage, 0x5a, sizeof(garbage));
    world_init(&world, 13);
    world_write_file(&world, "spare-3", garbage, sizeof(garbage));
    world_write_file(&world, "spare-8", garbage, 100);
    world_write_file(&world, "spare-x", garbage, 100); /* nobody's business */
    world_start(&world);
    assert_true((stat(world_path(&world, "spare-3"), &info) == 0) +
                    (stat(world_path(&world, "spare-8"), &info) == 0) <
                2);
    while (!world_segment_name(&world, 3, name))
        (void)world_block(&world, 4);
    world_close(&world);
    assert_ok(&world, world_open(&world, false));
    assert_ok(&world, world_recover(&world, NULL, false)); /* no garbage behind the blocks */
    assert_int_equal(stat(world_path(&world, "spare-x"), &info), 0);
    world_done(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_journal_has_a_beginning),
        cmocka_unit_test(files_are_private),
        cmocka_unit_test(what_was_appended_is_there_after_a_restart),
        cmocka_unit_test(sealing_tells_where_the_chain_will_stand),
        cmocka_unit_test(a_full_block_pushes_back_until_the_other_is_durable),
        cmocka_unit_test(the_largest_event_and_block_fit),
        cmocka_unit_test(events_are_read_while_others_are_written),
        cmocka_unit_test(reading_where_nothing_is_says_so),
        cmocka_unit_test(a_journal_has_one_owner),
        cmocka_unit_test(who_only_reads_makes_nothing),
        cmocka_unit_test(little_space_is_told),
        cmocka_unit_test(settings_that_cannot_be_are_refused),
        cmocka_unit_test(leftover_spares_are_used_or_removed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
