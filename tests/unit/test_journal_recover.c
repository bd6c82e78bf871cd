/*
 * Recovery: what a crash can leave is cut or kept whole; what it cannot leave stops the start, with the
 * place of the damage.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "journal_world.h"

/* A journal of one segment, as it lies on the disk, and where its last block is. */
struct picture {
    struct world world;
    char name[SEGMENT_NAME_SIZE];
    uint8_t *bytes;
    size_t size;
    struct journal_head before, after; /* the last block */
    uint64_t from, to;                 /* its bytes in the file */
};

static void assert_status(const struct world *world, enum punkt_status is, enum punkt_status wanted)
{
    if (is != wanted)
        fail_msg("%s instead of %s: %s", punkt_status_name(is), punkt_status_name(wanted),
                 world->failure.text);
}

/* Blocks until the last one has at least `sectors` sectors. */
static void picture_take(struct picture *picture, uint64_t seed, uint32_t sectors)
{
    struct world *world = &picture->world;
    world_init(world, seed);
    world->segment_bytes = 64 * 1024;
    world_start(world);
    for (uint32_t i = 0; i < 3 + seed % 5; i++)
        (void)world_block(world, 1 + i % 3);
    journal_durable_head(world->journal, &picture->before);
    journal_position position;
    struct journal_head sealed;
    do
        assert_true(world_append(world, &position));
    while (journal_next(world->journal) < picture->before.position + sectors * SECTOR_SIZE);
    assert_true(journal_seal(world->journal, 99, &sealed));
    journal_wait(world->journal, sealed.position);
    journal_durable_head(world->journal, &picture->after);
    world_close(world);
    assert_true(world_segment_name(world, 0, picture->name));
    assert_false(world_segment_name(world, 1, picture->name));
    picture->bytes = world_read_file(world, picture->name, &picture->size);
    picture->from = SEGMENT_HEADER_SIZE + picture->before.position;
    picture->to = SEGMENT_HEADER_SIZE + picture->after.position;
}

static void picture_done(struct picture *picture)
{
    free(picture->bytes);
    world_done(&picture->world);
}

/* Puts a changed picture on the disk and recovers from it. */
static enum punkt_status picture_recover(struct picture *picture, const uint8_t *bytes,
                                         const struct journal_head *from, bool tail_may_be_torn)
{
    struct world *world = &picture->world;
    world_write_file(world, picture->name, bytes, picture->size);
    assert_status(world, world_open(world, false), PUNKT_OK);
    enum punkt_status status = world_recover(world, from, tail_may_be_torn);
    return status;
}

/* What is on the disk now: the blocks up to `head`, then zeros. */
static void assert_clean_end(struct picture *picture, const struct journal_head *head)
{
    size_t size;
    assert_memory_equal(&picture->world.head, head, sizeof(*head));
    uint8_t *bytes = world_read_file(&picture->world, picture->name, &size);
    uint64_t end = SEGMENT_HEADER_SIZE + head->position;
    assert_int_equal(size, picture->size);
    assert_memory_equal(bytes, picture->bytes, end);
    assert_true(bytes_are_zero(bytes + end, size - end));
    free(bytes);
}

static void assert_names_offset(const struct picture *picture, uint64_t from, uint64_t to)
{
    unsigned long long offset;
    const char *text = picture->world.failure.text;
    const char *found = strstr(text, ", offset ");
    assert_non_null(strstr(text, picture->name));
    assert_non_null(found);
    assert_int_equal(sscanf(found, ", offset %llu", &offset), 1);
    if (offset < from || offset >= to)
        fail_msg("offset %llu is not in [%llu, %llu): %s", offset, (unsigned long long)from,
                 (unsigned long long)to, text);
}

/* The sectors of the last block whose bit is not set were never written. */
static void picture_tear(const struct picture *picture, uint64_t written, uint8_t *out_bytes)
{
    memcpy(out_bytes, picture->bytes, picture->size);
    uint64_t first = picture->from / SECTOR_SIZE;
    for (uint64_t at = picture->from; at < picture->to; at++) {
        if ((written >> (at / SECTOR_SIZE - first) & 1) == 0)
            out_bytes[at] = 0;
    }
}

static void every_torn_write_is_cut(void **state)
{
    (void)state;
    for (uint64_t seed = 20; seed < 23; seed++) {
        struct picture picture;
        picture_take(&picture, seed, 6);
        uint8_t *torn = malloc(picture.size);
        uint64_t sectors = (picture.to - 1) / SECTOR_SIZE - picture.from / SECTOR_SIZE + 1;
        uint64_t variants = sectors <= 8 ? UINT64_C(1) << sectors : 256, random = seed;
        for (uint64_t i = 0; i < variants; i++) {
            uint64_t written = sectors <= 8 ? i : world_random(&random) & world_random(&random);
            picture_tear(&picture, written, torn);
            /* What was zero anyway is not missed. */
            bool whole = memcmp(torn, picture.bytes, picture.size) == 0;
            assert_status(&picture.world, picture_recover(&picture, torn, NULL, true), PUNKT_OK);
            assert_clean_end(&picture, whole ? &picture.after : &picture.before);
            world_close(&picture.world);
            /* The state may stand right before it, but not behind it. */
            assert_status(&picture.world, picture_recover(&picture, torn, &picture.before, true), PUNKT_OK);
            world_close(&picture.world);
            if (whole)
                continue;
            assert_status(&picture.world, picture_recover(&picture, torn, &picture.after, true),
                          PUNKT_CORRUPT);
            bool nothing = bytes_are_zero(torn + picture.from, picture.to - picture.from);
            assert_non_null(strstr(picture.world.failure.text, nothing ? "ends before" : "already stands"));
            world_close(&picture.world);
            assert_status(&picture.world, picture_recover(&picture, torn, NULL, false),
                          nothing ? PUNKT_OK : PUNKT_CORRUPT);
            world_close(&picture.world);
        }
        free(torn);
        picture_done(&picture);
    }
}

static void after_a_cut_the_journal_goes_on(void **state)
{
    (void)state;
    struct picture picture;
    picture_take(&picture, 31, 6);
    uint8_t *torn = malloc(picture.size);
    picture_tear(&picture, 0x15, torn);
    assert_status(&picture.world, picture_recover(&picture, torn, NULL, true), PUNKT_OK);
    assert_int_equal(journal_start(picture.world.journal, 1, &picture.world.failure), PUNKT_OK);
    for (int i = 0; i < 100; i++)
        (void)world_block(&picture.world, 3);
    uint64_t written = picture.world.next_sequence;
    world_close(&picture.world);
    world_start(&picture.world);
    assert_int_equal(picture.world.next_sequence, written);
    free(torn);
    picture_done(&picture);
}

static void a_flipped_byte_is_corruption(void **state)
{
    (void)state;
    for (uint64_t seed = 40; seed < 43; seed++) {
        struct picture picture;
        picture_take(&picture, seed, 5);
        uint8_t *bytes = malloc(picture.size);
        uint64_t random = seed;
        for (int i = 0; i < 400; i++) {
            /* Blocks in the middle, the last block, and each byte of a header. */
            uint64_t at = i < 80    ? picture.from + (uint64_t)i
                          : i < 240 ? picture.from + world_random(&random) % (picture.to - picture.from)
                                    : SEGMENT_HEADER_SIZE + world_random(&random) % picture.before.position;
            memcpy(bytes, picture.bytes, picture.size);
            bytes[at] ^= (uint8_t)(1 + world_random(&random) % 255);
            assert_status(&picture.world, picture_recover(&picture, bytes, NULL, true), PUNKT_CORRUPT);
            assert_names_offset(&picture, at >= picture.from ? picture.from : SEGMENT_HEADER_SIZE, at + 1);
            world_close(&picture.world);
            size_t size;
            uint8_t *after = world_read_file(&picture.world, picture.name, &size);
            assert_memory_equal(after, bytes, size); /* nothing was changed */
            free(after);
        }
        free(bytes);
        picture_done(&picture);
    }
}

static void a_zero_sector_elsewhere_does_not_explain_a_flipped_byte(void **state)
{
    (void)state;
    struct world world;
    struct journal_head sealed;
    journal_position first, second;
    char name[SEGMENT_NAME_SIZE];
    size_t size;
    world_init(&world, 50);
    world_start(&world);
    /* One event of letters, one of zeros over some sectors. */
    memset(journal_reserve(world.journal, 200, &first), 'a', 200);
    journal_commit(world.journal, 200);
    memset(journal_reserve(world.journal, 4000, &second), 0, 4000);
    journal_commit(world.journal, 4000);
    assert_true(journal_seal(world.journal, 1, &sealed));
    journal_wait(world.journal, sealed.position);
    world_close(&world);
    assert_true(world_segment_name(&world, 0, name));
    uint8_t *bytes = world_read_file(&world, name, &size);
    bytes[SEGMENT_HEADER_SIZE + first + 100] ^= 1;
    world_write_file(&world, name, bytes, size);
    assert_status(&world, world_open(&world, false), PUNKT_OK);
    assert_status(&world, world_recover(&world, NULL, true), PUNKT_CORRUPT);
    free(bytes);
    world_done(&world);
}

static void what_no_torn_write_explains_is_corruption(void **state)
{
    (void)state;
    struct picture picture;
    picture_take(&picture, 60, 6);
    uint8_t *bytes = malloc(picture.size);
    const uint64_t behind = picture.to;

    /* A byte far behind the end, farther than the torn block reaches. */
    memcpy(bytes, picture.bytes, picture.size);
    memset(bytes + picture.from + 1024, 0, 512);
    bytes[picture.to + 700] = 1;
    assert_status(&picture.world, picture_recover(&picture, bytes, NULL, true), PUNKT_CORRUPT);
    world_close(&picture.world);

    /* The first sectors of the last block are missing, and another block follows it. */
    memcpy(bytes, picture.bytes, picture.size);
    memcpy(bytes + behind, bytes + picture.from, picture.to - picture.from);
    memset(bytes + picture.from, 0, 1024);
    assert_status(&picture.world, picture_recover(&picture, bytes, NULL, true), PUNKT_CORRUPT);
    assert_non_null(strstr(picture.world.failure.text, "follows"));
    world_close(&picture.world);

    /* The same block twice: whole, but it does not follow itself. */
    memcpy(bytes, picture.bytes, picture.size);
    memcpy(bytes + behind, bytes + picture.from, picture.to - picture.from);
    assert_status(&picture.world, picture_recover(&picture, bytes, NULL, true), PUNKT_CORRUPT);
    assert_names_offset(&picture, behind, behind + BLOCK_HEADER_SIZE);
    world_close(&picture.world);

    /* Garbage without a missing sector. */
    memcpy(bytes, picture.bytes, picture.size);
    memset(bytes + behind, 0x77, 3000);
    assert_status(&picture.world, picture_recover(&picture, bytes, NULL, true), PUNKT_CORRUPT);
    assert_names_offset(&picture, behind, behind + 1);
    world_close(&picture.world);
    free(bytes);
    picture_done(&picture);
}

static void a_tail_longer_than_a_block_is_corruption(void **state)
{
    (void)state;
    struct world world;
    char name[SEGMENT_NAME_SIZE];
    size_t size;
    world_init(&world, 61);
    world.segment_bytes = JOURNAL_SEGMENT_BYTES_MIN;
    world_start(&world);
    (void)world_block(&world, 3);
    world_close(&world);
    assert_true(world_segment_name(&world, 0, name));
    uint8_t *bytes = world_read_file(&world, name, &size);
    uint64_t end = SEGMENT_HEADER_SIZE + world_event_size(&world, 1) + world_event_size(&world, 2) +
                   world_event_size(&world, 3) + BLOCK_HEADER_SIZE + JOURNAL_HASH_SIZE;
    for (uint64_t beyond = 0; beyond < 2; beyond++) {
        memset(bytes + end, 0, size - end);
        bytes[end + JOURNAL_BLOCK_MAX - 1 + beyond] = 1;
        world_write_file(&world, name, bytes, size);
        assert_status(&world, world_open(&world, false), PUNKT_OK);
        assert_status(&world, world_recover(&world, NULL, true), beyond == 0 ? PUNKT_OK : PUNKT_CORRUPT);
        world_close(&world);
    }
    free(bytes);
    world_done(&world);
}

static void journal_and_state_must_belong_together(void **state)
{
    (void)state;
    struct picture picture;
    picture_take(&picture, 70, 4);
    struct world *world = &picture.world;
    struct journal_head from = picture.before;
    from.hash[5] ^= 1;
    assert_status(world, picture_recover(&picture, picture.bytes, &from, true), PUNKT_CORRUPT);
    assert_non_null(strstr(world->failure.text, "punktd rebuild --data DIR"));
    world_close(world);

    from = picture.before;
    from.id[0] ^= 1;
    assert_status(world, picture_recover(&picture, picture.bytes, &from, true), PUNKT_CORRUPT);
    assert_non_null(strstr(world->failure.text, "punktd rebuild --data DIR"));
    world_close(world);

    from = picture.before;
    from.position++; /* where no block ends */
    assert_status(world, picture_recover(&picture, picture.bytes, &from, true), PUNKT_CORRUPT);
    world_close(world);

    from = picture.after;
    from.position += 1000;
    assert_status(world, picture_recover(&picture, picture.bytes, &from, true), PUNKT_CORRUPT);
    assert_non_null(strstr(world->failure.text, "ends before"));
    assert_non_null(strstr(world->failure.text, "punktd rebuild --data DIR"));
    world_close(world);

    from = picture.before;
    from.next_sequence++;
    assert_status(world, picture_recover(&picture, picture.bytes, &from, true), PUNKT_CORRUPT);
    picture_done(&picture);
}

/* A journal of several segments; heads[i] is the end of block i. */
static uint32_t write_segments(struct world *world, struct journal_head *heads, uint32_t heads_max)
{
    char name[SEGMENT_NAME_SIZE];
    uint32_t count = 0;
    world_start(world);
    while (!world_segment_name(world, 4, name)) {
        (void)world_block(world, 1 + count % 7);
        assert_true(count < heads_max);
        journal_durable_head(world->journal, &heads[count++]);
    }
    world_close(world);
    return count;
}

static void recovery_begins_at_any_block(void **state)
{
    (void)state;
    static struct journal_head heads[1000];
    struct world world;
    world_init(&world, 80);
    uint32_t count = write_segments(&world, heads, COUNT_OF(heads));
    for (uint32_t i = 0; i < count; i++) {
        assert_status(&world, world_open(&world, false), PUNKT_OK);
        assert_status(&world, world_recover(&world, &heads[i], true), PUNKT_OK);
        assert_memory_equal(&world.head, &heads[count - 1], sizeof(heads[0]));
        assert_int_equal(world.events_visited, heads[count - 1].next_sequence - heads[i].next_sequence);
        world_close(&world);
    }
    world_done(&world);
}

static void the_last_block_may_be_in_the_segment_before(void **state)
{
    (void)state;
    static struct journal_head heads[1000];
    struct world world;
    char last[SEGMENT_NAME_SIZE];
    size_t size;
    world_init(&world, 81);
    uint32_t count = write_segments(&world, heads, COUNT_OF(heads));
    assert_true(world_segment_name(&world, 4, last));
    uint8_t *bytes = world_read_file(&world, last, &size);
    /* The first block of the last segment is torn: only its header came to the disk. */
    for (int torn = 0; torn < 2; torn++) {
        memset(bytes + (torn ? SECTOR_SIZE : SEGMENT_HEADER_SIZE), 0,
               size - (torn ? SECTOR_SIZE : SEGMENT_HEADER_SIZE));
        world_write_file(&world, last, bytes, size);
        assert_status(&world, world_open(&world, false), PUNKT_OK);
        assert_status(&world, world_recover(&world, &heads[count - 2], true), PUNKT_OK);
        assert_memory_equal(&world.head, &heads[count - 2], sizeof(heads[0]));
        assert_int_equal(journal_start(world.journal, 1, &world.failure), PUNKT_OK);
        (void)world_block(&world, 2);
        world_close(&world);
        world_start(&world);
        world_close(&world);
    }
    free(bytes);
    world_done(&world);
}

static void damage_before_the_last_segment_is_never_a_torn_write(void **state)
{
    (void)state;
    static struct journal_head heads[1000];
    struct world world;
    char names[5][SEGMENT_NAME_SIZE];
    size_t size;
    world_init(&world, 82);
    (void)write_segments(&world, heads, COUNT_OF(heads));
    for (size_t i = 0; i < COUNT_OF(names); i++)
        assert_true(world_segment_name(&world, i, names[i]));

    /* A zero sector in the last block of the third segment, as a torn write would leave. */
    journal_position end;
    uint64_t start;
    assert_true(segment_name_parse(names[3], &end));
    assert_true(segment_name_parse(names[2], &start));
    uint8_t *bytes = world_read_file(&world, names[2], &size);
    uint64_t sector = (SEGMENT_HEADER_SIZE + end - start) / SECTOR_SIZE * SECTOR_SIZE;
    uint8_t kept[SECTOR_SIZE];
    memcpy(kept, bytes + sector, sizeof(kept));
    memset(bytes + sector, 0, sizeof(kept));
    world_write_file(&world, names[2], bytes, size);
    assert_status(&world, world_open(&world, false), PUNKT_OK);
    assert_status(&world, world_recover(&world, NULL, true), PUNKT_CORRUPT);
    assert_non_null(strstr(world.failure.text, names[2]));
    world_close(&world);

    /* A byte behind the blocks of a complete segment. */
    memcpy(bytes + sector, kept, sizeof(kept));
    bytes[size - 1] = 1;
    world_write_file(&world, names[2], bytes, size);
    assert_status(&world, world_open(&world, false), PUNKT_OK);
    assert_status(&world, world_recover(&world, NULL, true), PUNKT_CORRUPT);
    world_close(&world);
    bytes[size - 1] = 0;
    world_write_file(&world, names[2], bytes, size);

    /* Another header, a shorter file, no file. */
    bytes[20] ^= 1;
    world_write_file(&world, names[2], bytes, size);
    assert_status(&world, world_open(&world, false), PUNKT_OK);
    assert_status(&world, world_recover(&world, NULL, true), PUNKT_CORRUPT);
    world_close(&world);
    bytes[20] ^= 1;
    world_write_file(&world, names[2], bytes, size - 1);
    assert_status(&world, world_open(&world, false), PUNKT_OK);
    assert_status(&world, world_recover(&world, NULL, true), PUNKT_CORRUPT);
    world_close(&world);
    assert_int_equal(unlink(world_path(&world, names[2])), 0);
    assert_status(&world, world_open(&world, false), PUNKT_OK);
    assert_status(&world, world_recover(&world, NULL, true), PUNKT_CORRUPT);
    world_close(&world);
    world_write_file(&world, names[2], bytes, size);
    assert_status(&world, world_open(&world, false), PUNKT_OK);
    assert_status(&world, world_recover(&world, NULL, true), PUNKT_OK);
    free(bytes);
    world_done(&world);
}

static void who_only_reads_repairs_nothing(void **state)
{
    (void)state;
    struct picture picture;
    picture_take(&picture, 90, 6);
    uint8_t *torn = malloc(picture.size);
    size_t size;
    picture_tear(&picture, 0x09, torn);
    world_write_file(&picture.world, picture.name, torn, picture.size);
    assert_status(&picture.world, world_open(&picture.world, true), PUNKT_OK);
    assert_status(&picture.world, world_recover(&picture.world, NULL, true), PUNKT_OK);
    assert_memory_equal(&picture.world.head, &picture.before, sizeof(picture.before));
    uint8_t *after = world_read_file(&picture.world, picture.name, &size);
    assert_memory_equal(after, torn, size);
    free(after);
    free(torn);
    picture_done(&picture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_torn_write_is_cut),
        cmocka_unit_test(after_a_cut_the_journal_goes_on),
        cmocka_unit_test(a_flipped_byte_is_corruption),
        cmocka_unit_test(a_zero_sector_elsewhere_does_not_explain_a_flipped_byte),
        cmocka_unit_test(what_no_torn_write_explains_is_corruption),
        cmocka_unit_test(a_tail_longer_than_a_block_is_corruption),
        cmocka_unit_test(journal_and_state_must_belong_together),
        cmocka_unit_test(recovery_begins_at_any_block),
        cmocka_unit_test(the_last_block_may_be_in_the_segment_before),
        cmocka_unit_test(damage_before_the_last_segment_is_never_a_torn_write),
        cmocka_unit_test(who_only_reads_repairs_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
