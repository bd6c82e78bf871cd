/*
 * Outboxes that a crash tore or a disk changed: what is sound is found, nothing wrong is ever taken for an entry, and
 * damage is said and kept.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/outbox_format.h"
#include "outbox_world.h"
#include "proto/crc32c.h"
#include "random.h"

#define SECTOR 512u

/* The file as it was while all was well, and what was in it. */
struct sound {
    uint8_t *bytes;
    size_t size;
    struct outbox_entry entries[8];
    char texts[8][1300];
    size_t count;
    uint64_t end;
};

static void sound_add(struct outbox_world *world, struct sound *sound, size_t size)
{
    char *text = sound->texts[sound->count];
    memset(text, 'a' + (int)sound->count, size);
    text[size] = '\0';
    sound->entries[sound->count++] = *world_append(world, text);
}

static void sound_take(struct outbox_world *world, struct sound *sound)
{
    struct outbox_counts counts;
    for (size_t i = 0; i < sound->count; i++)
        sound->entries[i] = *outbox_find(world->outbox, sound->entries[i].epoch, sound->entries[i].number);
    outbox_counts(world->outbox, &counts);
    sound->end = counts.bytes;
    world_close(world);
    sound->bytes = world_bytes(world, "", &sound->size);
}

static size_t record_at(const struct sound *sound, size_t n)
{
    return sound->entries[n].body_offset - OUTBOX_BODY_AT;
}

/* Everything that is there was there before, in its order; how many. */
static size_t expect_known(struct outbox_world *world, const struct sound *sound)
{
    size_t count = 0, n = 0;
    for (struct outbox_entry *entry = outbox_first(world->outbox); entry != NULL;
         entry = entry->next, count++) {
        while (n < sound->count &&
               (sound->entries[n].epoch != entry->epoch || sound->entries[n].number != entry->number))
            n++;
        assert_true(n < sound->count);
        assert_int_equal(entry->operation, sound->entries[n].operation);
        assert_memory_equal(entry->fingerprint, sound->entries[n].fingerprint, 16);
        assert_int_equal(entry->note.created_us, sound->entries[n].note.created_us);
        assert_string_equal(entry->note.card, sound->entries[n].note.card);
        assert_true(entry->state == sound->entries[n].state || entry->state == OUTBOX_OPEN);
        expect_body(world, entry, sound->texts[n]);
    }
    return count;
}

static bool take_away(struct outbox_world *world, const char *suffix)
{
    char path[OUTBOX_WORLD_PATH + 32];
    (void)snprintf(path, sizeof(path), "%s%s", world->path, suffix);
    return unlink(path) == 0;
}

/* A bad file with the first `count` entries in it, that a crash explains: nothing is said, and it goes on. */
static void expect_torn(struct outbox_world *world, const struct sound *sound, const void *bytes, size_t size,
                        size_t count)
{
    world_put(world, bytes, size);
    world_open(world);
    assert_int_equal(expect_known(world, sound), count);
    assert_false(world_has(world, ".damaged-1"));
    (void)world_append(world, "more");
    world_close(world);
    world_open(world);
    assert_int_equal(world_count(world), count + 1);
    expect_body(world, world_entry(world, count), "more");
    world_close(world);
}

static void torn_at_every_byte(void **state)
{
    struct outbox_world *world = *state;
    struct sound sound = { 0 };
    world_open(world);
    sound_add(world, &sound, 40);
    sound_add(world, &sound, 200);
    sound_add(world, &sound, 1200);
    sound_take(world, &sound);
    uint8_t *bad = malloc(sound.size);
    assert_non_null(bad);
    for (size_t at = record_at(&sound, 2); at < sound.end; at++) {
        memcpy(bad, sound.bytes, at);
        memset(bad + at, 0, sound.size - at);
        expect_torn(world, &sound, bad, sound.size, 2);
        expect_torn(world, &sound, sound.bytes, at, 2);
    }
    free(bad);
    free(sound.bytes);
}

/* Sectors come to the disk in any order. */
static void torn_in_any_sectors(void **state)
{
    struct outbox_world *world = *state;
    struct sound sound = { 0 };
    world_open(world);
    sound_add(world, &sound, 56);
    sound_add(world, &sound, 1200);
    sound_take(world, &sound);
    size_t begin = record_at(&sound, 1), first = begin / SECTOR, last = (sound.end - 1) / SECTOR;
    assert_true(last - first >= 2);
    uint8_t *bad = malloc(sound.size);
    assert_non_null(bad);
    for (unsigned missing = 1; missing < 1u << (last - first + 1); missing++) {
        memcpy(bad, sound.bytes, sound.size);
        for (size_t at = begin; at < sound.end; at++) {
            if ((missing >> (at / SECTOR - first) & 1) != 0)
                bad[at] = 0;
        }
        expect_torn(world, &sound, bad, sound.size, 1);
    }
    free(bad);
    free(sound.bytes);
}

/* --- damage --- */

static void make_small(struct outbox_world *world, struct sound *sound)
{
    struct outbox_result done = world_result(5, 0), dead = world_result(6, 4);
    world->options.preallocate = 12288;
    world_open(world);
    for (size_t i = 0; i < 3; i++)
        sound_add(world, sound, 10 + i);
    outbox_settle(world->outbox, world_entry(world, 0), &done);
    assert_int_equal(outbox_bury(world->outbox, world_entry(world, 1), &dead), OUTBOX_OK);
    assert_int_equal(outbox_keep(world->outbox, "known", 5), OUTBOX_OK);
    assert_int_equal(outbox_close_day(world->outbox, 19999), OUTBOX_OK);
    sound_add(world, sound, 16);
    sound_take(world, sound);
}

/* True: nothing of it was lost. */
static bool expect_saved(struct outbox_world *world, const struct sound *sound, size_t at)
{
    size_t known_size;
    bool damaged = world_has(world, ".damaged-1");
    size_t count = expect_known(world, sound);
    const void *known = outbox_known(world->outbox, &known_size);
    bool whole = count == sound->count && known_size == 5 && memcmp(known, "known", 5) == 0 &&
                 outbox_day_closed(world->outbox, 19999);
    for (size_t i = 0; i < sound->count && whole; i++)
        whole = world_entry(world, i)->state == sound->entries[i].state;
    assert_true(count + 1 >= sound->count);
    assert_int_equal(damaged, world->why[0] != '\0');
    /* Only a length that is wrong makes the last one look as if its end were missing. */
    size_t last = record_at(sound, sound->count - 1);
    assert_true(whole || damaged || (at >= last && at < last + 4));
    return whole;
}

static void a_flipped_bit_anywhere(void **state)
{
    struct outbox_world *world = *state;
    struct sound sound = { 0 };
    size_t lost = 0;
    make_small(world, &sound);
    for (size_t i = 0; i < (sound.end + 64) * 8; i++) {
        size_t at = i / 8;
        uint8_t bit = (uint8_t)(1u << i % 8);
        /* Nothing looks at what is behind a header; once in a while is often enough. */
        if (at < OUTBOX_RECORDS_BEGIN && at % OUTBOX_SLOT_BYTES >= OUTBOX_HEADER_BYTES && i % 97 != 0)
            continue;
        sound.bytes[at] ^= bit;
        world_put(world, sound.bytes, sound.size);
        sound.bytes[at] ^= bit;
        assert_int_equal(world_try(world), OUTBOX_OK);
        bool whole = expect_saved(world, &sound, at);
        lost += !whole;
        if (at < OUTBOX_RECORDS_BEGIN)
            assert_true(whole && world->why[0] == '\0');
        world_close(world);
        (void)take_away(world, ".damaged-1");
    }
    assert_true(lost > 100);
    free(sound.bytes);
}

/* One record in the middle is destroyed: it is missed, said, and everything else is there. */
static void damage_is_said_and_kept(void **state)
{
    struct outbox_world *world = *state;
    struct sound sound = { 0 };
    char want[OUTBOX_WHY_SIZE];
    size_t size;
    make_small(world, &sound);
    for (unsigned round = 1; round <= 2; round++) {
        char suffix[32];
        (void)snprintf(suffix, sizeof(suffix), ".damaged-%u", round);
        memset(sound.bytes + record_at(&sound, 1), round == 1 ? 0 : 0xA5, 100);
        world_put(world, sound.bytes, sound.size);
        assert_int_equal(world_try(world), OUTBOX_OK);
        (void)snprintf(
            want, sizeof(want),
            "till.outbox was damaged at offset %zu (places: 1); 7 records were saved, the file is kept as "
            "till.outbox%s",
            record_at(&sound, 1), suffix);
        assert_string_equal(world->why, want);
        assert_int_equal(expect_known(world, &sound), 3);
        assert_int_equal(world_entry(world, 1)->number, 3); /* the caller sees that 2 is missing */
        (void)world_append(world, "more");
        world_close(world);
        uint8_t *kept = world_bytes(world, suffix, &size);
        assert_int_equal(size, sound.size);
        assert_memory_equal(kept, sound.bytes, size);
        free(kept);
        world_open(world); /* and now all is well */
        assert_int_equal(world_count(world), 4);
        world_close(world);
    }
    free(sound.bytes);
}

static void headers_stand_for_each_other(void **state)
{
    struct outbox_world *world = *state;
    struct sound sound = { 0 };
    make_small(world, &sound);
    for (size_t copy = 0; copy < 2; copy++) {
        uint8_t slot[OUTBOX_SLOT_BYTES], *header = sound.bytes + copy * OUTBOX_SLOT_BYTES;
        memcpy(slot, header, sizeof(slot));
        memset(header, 0, sizeof(slot));
        expect_torn(world, &sound, sound.bytes, sound.size, 4);
        memcpy(header, slot, sizeof(slot));
    }
    sound.bytes[20] ^= 1;
    sound.bytes[OUTBOX_SLOT_BYTES + 20] ^= 1;
    world_put(world, sound.bytes, sound.size);
    assert_int_equal(world_try(world), OUTBOX_FOREIGN);
    assert_non_null(strstr(world->why, "both copies of its header are damaged"));
    free(sound.bytes);
}

static void a_later_version_is_refused(void **state)
{
    struct outbox_world *world = *state;
    struct sound sound = { 0 };
    make_small(world, &sound);
    uint8_t *newer = sound.bytes;
    newer[8] = OUTBOX_VERSION + 1;
    uint32_t crc = htole32(crc32c(0, newer, OUTBOX_HEADER_BYTES - 4));
    memcpy(newer + OUTBOX_HEADER_BYTES - 4, &crc, sizeof(crc));
    world_put(world, sound.bytes, sound.size);
    assert_int_equal(world_try(world), OUTBOX_FOREIGN);
    assert_non_null(strstr(world->why, "written by a later version"));
    free(sound.bytes);
}

/* A sound record is one only where it was written, and only in its file. */
static void records_of_elsewhere_are_none(void **state)
{
    struct outbox_world *world = *state, other = *world;
    struct sound sound = { 0 }, foreign = { 0 };
    make_small(world, &sound);
    (void)snprintf(other.path, sizeof(other.path), "%s/other", world->dir);
    other.options.path = other.path;
    other.openings = 50;
    make_small(&other, &foreign);
    assert_int_equal(foreign.end, sound.end);
    size_t begin = record_at(&sound, 3), size = sound.end - begin;
    memcpy(sound.bytes + sound.end, sound.bytes + begin, size);
    world_put(world, sound.bytes, sound.size);
    assert_int_equal(world_try(world), OUTBOX_OK);
    assert_int_equal(world_count(world), 4);
    world_close(world);
    memset(sound.bytes + sound.end, 0, size);
    memcpy(sound.bytes + begin, foreign.bytes + begin, size);
    world_put(world, sound.bytes, sound.size);
    assert_int_equal(world_try(world), OUTBOX_OK);
    assert_int_equal(world_count(world), 3);
    world_close(world);
    free(sound.bytes);
    free(foreign.bytes);
}

/* An outbox as the body of an operation, whose own head is then lost: what is inside is not what is searched for. */
static void a_body_is_never_taken_for_records(void **state)
{
    struct outbox_world *world = *state;
    struct sound sound = { 0 };
    struct outbox_note note = world_note(1, 1);
    struct outbox_entry *entry;
    make_small(world, &sound);
    world_put(world, sound.bytes, sound.size);
    world_open(world);
    assert_int_equal(
        outbox_append(world->outbox, OUTBOX_LANE_QUEUE, 1, 0, sound.bytes, sound.size, &note, &entry),
        OUTBOX_OK);
    size_t begin = entry->body_offset - OUTBOX_BODY_AT, size;
    (void)world_append(world, "behind it");
    world_close(world);
    uint8_t *bytes = world_bytes(world, "", &size);
    memset(bytes + begin, 0x11, 40);
    world_put(world, bytes, size);
    assert_int_equal(world_try(world), OUTBOX_OK);
    assert_int_equal(world_count(world), 5);
    expect_body(world, world_entry(world, 4), "behind it");
    free(bytes);
    free(sound.bytes);
}

/* Found only when it is read: said then, and no compaction throws the rest away. */
static void a_body_that_changes_later(void **state)
{
    struct outbox_world *world = *state;
    struct buffer body = { 0 };
    world_open(world);
    struct outbox_entry *first = world_append(world, "first"), *second = world_append(world, "second");
    int fd = open(world->path, O_WRONLY | O_CLOEXEC);
    assert_int_equal(pwrite(fd, "F", 1, (off_t)first->body_offset), 1);
    assert_false(outbox_body(world->outbox, first, &body));
    assert_non_null(strstr(outbox_trouble(world->outbox), "is damaged"));
    assert_int_equal(buffer_size(&body), 0);
    expect_body(world, second, "second");
    assert_int_equal(outbox_compact(world->outbox, 0, true), OUTBOX_FAILED);
    assert_false(world_has(world, ".new"));
    (void)world_append(world, "third");
    assert_int_equal(pwrite(fd, "f", 1, (off_t)first->body_offset), 1);
    (void)close(fd);
    assert_int_equal(outbox_compact(world->outbox, 0, true), OUTBOX_OK);
    assert_int_equal(world_count(world), 3);
    expect_body(world, first, "first");
}

/* Whoever compacted was killed before the new file had the name. */
static void a_new_file_without_the_name_is_nothing(void **state)
{
    struct outbox_world *world = *state;
    char path[OUTBOX_WORLD_PATH + 8];
    world_open(world);
    (void)world_append(world, "first");
    world_close(world);
    (void)snprintf(path, sizeof(path), "%s.new", world->path);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    assert_int_equal(write(fd, "half", 4), 4);
    (void)close(fd);
    world_open(world);
    expect_body(world, world_entry(world, 0), "first");
    assert_int_equal(outbox_compact(world->outbox, 0, true), OUTBOX_OK);
    assert_false(world_has(world, ".new"));
    expect_body(world, world_entry(world, 0), "first");
}

/* Anything at all behind a good header. */
static void any_bytes(void **state)
{
    struct outbox_world *world = *state;
    struct sound sound = { 0 };
    struct random random = random_seeded();
    make_small(world, &sound);
    uint8_t *bad = malloc(sound.size);
    assert_non_null(bad);
    for (int round = 0; round < 300; round++) {
        memcpy(bad, sound.bytes, sound.size);
        size_t room = sound.size - OUTBOX_RECORDS_BEGIN;
        for (uint64_t pieces = 1 + random_below(&random, 4); pieces > 0; pieces--) {
            size_t from = random_below(&random, room), to = random_below(&random, room);
            size_t size = random_below(&random, room - (from > to ? from : to));
            uint8_t *records = bad + OUTBOX_RECORDS_BEGIN;
            if (random_below(&random, 2) == 0)
                memmove(records + to, records + from, size);
            else
                records[to] = (uint8_t)random_u64(&random);
        }
        world_put(world, bad, sound.size);
        assert_int_equal(world_try(world), OUTBOX_OK);
        (void)expect_known(world, &sound);
        world_close(world);
        (void)take_away(world, ".damaged-1");
    }
    free(bad);
    free(sound.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define OUTBOX_TEST(name) cmocka_unit_test_setup_teardown(name, outbox_world_make, outbox_world_remove)
        OUTBOX_TEST(torn_at_every_byte),
        OUTBOX_TEST(torn_in_any_sectors),
        OUTBOX_TEST(a_flipped_bit_anywhere),
        OUTBOX_TEST(damage_is_said_and_kept),
        OUTBOX_TEST(headers_stand_for_each_other),
        OUTBOX_TEST(a_later_version_is_refused),
        OUTBOX_TEST(records_of_elsewhere_are_none),
        OUTBOX_TEST(a_body_is_never_taken_for_records),
        OUTBOX_TEST(a_body_that_changes_later),
        OUTBOX_TEST(a_new_file_without_the_name_is_nothing),
        OUTBOX_TEST(any_bytes),
    };
    return cmocka_run_group_tests_name("outbox_damage", tests, NULL, NULL);
}
