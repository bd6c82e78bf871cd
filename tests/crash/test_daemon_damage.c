/*
 * Files that changed while punktd did not look. A torn tail is cut, and nothing else is: damage stops the
 * start with file and offset, or is found by verification; a journal that ends before state does is not
 * taken for the whole one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/random.h"
#include "crowd.h"
#include "fault.h"
#include "ledger_files.h"
#include "talk.h"

#define EXIT_DATA 65
#define EXIT_DAMAGE 1
#define SECTOR 512u
#define RARELY WORLD_JOURNAL "  checkpoint_ms: 60000\n" /* only when starting and stopping */

static struct random random_numbers;

static struct world *new_world(const char *settings, struct crowd **out_crowd)
{
    struct world_options options = { .settings = settings };
    struct world *world = world_new(&options);
    *out_crowd = crowd_new(random_u64(&random_numbers));
    crowd_issue(*out_crowd, world_address(world));
    return world;
}

/* Killed under load, with blocks behind the last checkpoint. */
static void load_and_kill(struct world *world, struct crowd *crowd)
{
    assert_true(crowd_connect(crowd, world_address(world)));
    assert_true(crowd_run(crowd, 200 + random_below(&random_numbers, 200)));
    world_kill(world);
    crowd_hang_up(crowd);
}

static bool said(struct world *world, const char *text)
{
    char *all = world_said(world);
    bool found = strstr(all, text) != NULL;
    free(all);
    return found;
}

static struct place last_block(const struct world *world)
{
    size_t count;
    struct place *blocks = files_blocks(world, &count);
    struct place last = blocks[count - 1];
    free(blocks);
    return last;
}

/* What the daemon booked by itself since (a hold that timed out) may stand behind it. */
static bool block_ends_at(const struct world *world, journal_position position)
{
    size_t count;
    struct place *blocks = files_blocks(world, &count);
    bool ends = false;
    for (size_t i = 0; i < count; i++)
        ends = ends || blocks[i].position + blocks[i].size == position;
    free(blocks);
    return ends;
}

/* Some of the sectors of a block were never written; at least one. */
static void tear(const struct world *world, const struct place *block)
{
    uint64_t first = block->offset / SECTOR, last = (block->offset + block->size - 1) / SECTOR;
    uint64_t must = first + random_below(&random_numbers, last - first + 1);
    for (uint64_t sector = first; sector <= last; sector++) {
        uint64_t from = sector * SECTOR, to = from + SECTOR;
        if (sector != must && random_below(&random_numbers, 2) == 0)
            continue;
        from = from < block->offset ? block->offset : from;
        to = to > block->offset + block->size ? block->offset + block->size : to;
        files_zero(world, block->file, from, to - from);
    }
}

/* A disk that forgets what it promised to keep is beyond us: here it is only the means to a torn tail. */
static void test_torn_tail_is_cut(void **state)
{
    unsigned rounds = world_long() ? 40 : 5;
    struct crowd *crowd;
    struct world *world = new_world(RARELY, &crowd);
    (void)state;
    for (unsigned i = 0; i < rounds; i++) {
        char stands[64];
        load_and_kill(world, crowd);
        crowd_free(crowd);
        struct place torn = last_block(world);
        tear(world, &torn);
        /* Of a small block nothing may be left: then there is nothing to cut. */
        bool left = !files_are_zero(world, torn.file, torn.offset, torn.size);
        free(punktd_command(world, "verify", 0)); /* as the next start will take it */
        world_start(world);
        (void)snprintf(stands, sizeof(stands), "position %llu;", (unsigned long long)torn.position);
        if (!said(world, stands) || said(world, "torn") != left)
            fail_msg("the cut at %s is not told", stands);
        expect_verified(world);
        world_kill(world);
        assert_true(block_ends_at(world, torn.position));
        world_start(world); /* all is whole again */
        assert_false(said(world, "torn"));
        crowd = crowd_new(random_u64(&random_numbers)); /* the one before would miss the block */
    }
    crowd_free(crowd);
    world_free(world);
}

/* A byte anywhere in the blocks, behind the first `from` ones. */
static struct place any_byte(const struct world *world, journal_position from)
{
    size_t count;
    struct place *blocks = files_blocks(world, &count);
    struct place place;
    assert_true(blocks[count - 1].position >= from);
    do {
        place = blocks[random_below(&random_numbers, count)];
    } while (place.position < from);
    place.offset += random_below(&random_numbers, place.size);
    free(blocks);
    return place;
}

static uint8_t any_bit(void)
{
    return (uint8_t)(1u << random_below(&random_numbers, 8));
}

static void test_flipped_byte_stops_the_start(void **state)
{
    unsigned rounds = world_long() ? 200 : 10;
    uint8_t digest[STATE_DIGEST_SIZE];
    struct crowd *crowd;
    struct world *world = new_world(RARELY, &crowd);
    (void)state;
    load_and_kill(world, crowd);
    struct state_mark mark = files_mark(world, digest);
    for (unsigned i = 0; i < rounds; i++) {
        uint8_t bit = any_bit();
        struct place place = any_byte(world, mark.head.position);
        files_flip(world, place.file, place.offset, bit);
        expect_refused_start(world, EXIT_DATA, place.file, "offset ");
        free(punktd_command(world, "verify", EXIT_DAMAGE));
        files_flip(world, place.file, place.offset, bit);
    }
    /* The refused starts have changed nothing. */
    world_start(world);
    assert_true(crowd_connect(crowd, world_address(world)));
    crowd_settle(crowd, world_address(world));
    crowd_free(crowd);
    world_free(world);
}

/* What audit verify says of a journal that was damaged beneath it. */
static void expect_damage_found(const struct world *world, const struct place *place)
{
    struct run run;
    world_json(world, &run, "audit", "verify", NULL);
    if (run.exit_code != EXIT_DAMAGE || strstr(run.err, place->file) == NULL ||
        strstr(run.err, "offset") == NULL)
        fail_msg("a flipped byte of %s at %llu: exit %d, %s%s", place->file,
                 (unsigned long long)place->offset, run.exit_code, run.out, run.err);
    run_done(&run);
}

static void test_flipped_byte_is_found_by_verify(void **state)
{
    unsigned rounds = world_long() ? 100 : 8;
    struct crowd *crowd;
    struct world *world = new_world(WORLD_JOURNAL, &crowd);
    (void)state;
    assert_true(crowd_connect(crowd, world_address(world)));
    assert_true(crowd_run(crowd, 500));
    crowd_settle(crowd, world_address(world));
    for (unsigned i = 0; i < rounds; i++) {
        uint8_t bit = any_bit();
        struct place place = any_byte(world, 0);
        if (i == 0)
            place.offset = random_below(&random_numbers, 48); /* the segment's header */
        files_flip(world, place.file, place.offset, bit);
        expect_damage_found(world, &place);
        files_flip(world, place.file, place.offset, bit);
    }
    expect_verified(world);
    world_stop(world);
    for (unsigned i = 0; i < rounds; i++) {
        uint8_t bit = any_bit();
        struct place place = any_byte(world, 0);
        files_flip(world, place.file, place.offset, bit);
        char *text = punktd_command(world, "verify", EXIT_DAMAGE);
        if (strstr(text, place.file) == NULL)
            fail_msg("a flipped byte of %s: %s", place.file, text);
        free(text);
        files_flip(world, place.file, place.offset, bit);
    }
    free(punktd_command(world, "verify", 0));
    world_start(world);
    assert_true(crowd_connect(crowd, world_address(world)));
    crowd_settle(crowd, world_address(world));
    crowd_free(crowd);
    world_free(world);
}

/* An event of a version that is not ours: nobody guesses what it means. */
static void check_unknown_event(bool type, uint8_t value)
{
    struct crowd *crowd;
    struct world *world = new_world(RARELY, &crowd);
    char where[64];
    load_and_kill(world, crowd);
    struct place last = last_block(world);
    files_change_event(world, &last, type, value);
    (void)snprintf(where, sizeof(where), "%s, block at offset %llu", last.file,
                   (unsigned long long)last.offset);
    expect_refused_start(world, EXIT_DATA, where, "start the version that wrote it");
    char *text = punktd_command(world, "verify", EXIT_DAMAGE);
    if (strstr(text, last.file) == NULL || strstr(text, "does not know") == NULL)
        fail_msg("an event of another version: %s", text);
    free(text);
    text = punktd_command(world, "rebuild", EXIT_DATA);
    assert_non_null(strstr(text, "does not know"));
    free(text);
    expect_refused_start(world, EXIT_DATA, where, "does not know"); /* and so it stays */
    crowd_free(crowd);
    world_free(world);
}

static void test_unknown_event_stops_the_start(void **state)
{
    (void)state;
    check_unknown_event(true, 0);
    check_unknown_event(true, 200);
    check_unknown_event(false, 1); /* the format before this one, which nobody has */
    check_unknown_event(false, 99);
}

/* What would be a torn tail after a crash is damage after a clean stop. */
static void test_nothing_is_cut_after_a_clean_stop(void **state)
{
    struct crowd *crowd;
    struct world *world = new_world(RARELY, &crowd);
    (void)state;
    assert_true(crowd_connect(crowd, world_address(world)));
    assert_true(crowd_run(crowd, 200));
    crowd_settle(crowd, world_address(world));
    world_stop(world);
    crowd_hang_up(crowd);

    struct place last = last_block(world);
    uint64_t behind = last.offset + last.size + (uint64_t)2 * SECTOR; /* its first sector is zero */
    files_flip(world, last.file, behind, 0x80);
    expect_refused_start(world, EXIT_DATA, last.file, "after a clean stop nothing may be cut");
    free(punktd_command(world, "verify", EXIT_DAMAGE));
    files_flip(world, last.file, behind, 0x80);
    world_start(world);
    world_kill(world);
    files_flip(world, last.file, behind, 0x80); /* after a kill it may be what is left of a block */
    world_start(world);
    world_stop(world);

    last = last_block(world);
    tear(world, &last);
    /* Of a small block nothing may be left: then the journal just ends too early. */
    if (files_are_zero(world, last.file, last.offset, last.size))
        expect_refused_start(world, EXIT_DATA, "the journal ends before state does", "punktd rebuild");
    else
        expect_refused_start(world, EXIT_DATA, last.file, "state already stands for what was there");
    crowd_free(crowd);
    world_free(world);
}

/* The journal was cut: state knows more, and is not thrown away without a word. */
static void check_cut(bool clean)
{
    struct crowd *crowd;
    struct world *world = new_world(RARELY, &crowd);
    struct msg_hello_answer hello;
    size_t count;
    assert_true(crowd_connect(crowd, world_address(world)));
    assert_true(crowd_run(crowd, 400));
    crowd_settle(crowd, world_address(world));
    world_stop(world);
    crowd_hang_up(crowd);
    if (!clean) {
        world_start(world);
        world_kill(world);
    }
    struct place *blocks = files_blocks(world, &count);
    const struct place *cut = &blocks[1 + random_below(&random_numbers, count - 1)];
    const struct place *last = &blocks[count - 1];
    assert_string_equal(cut->file, last->file);
    files_zero(world, cut->file, cut->offset, last->offset + last->size - cut->offset);
    expect_refused_start(world, EXIT_DATA, "the journal ends before state does", "punktd rebuild");
    expect_refused_start(world, EXIT_DATA, "the journal ends before state does", "punktd rebuild");
    free(punktd_command(world, "rebuild", 0));
    free(blocks);

    world_start(world);
    talk_free(talk_hello(world_address(world), 0, 1, &hello));
    assert_int_equal(hello.term, 2);
    expect_verified(world);
    crowd_free(crowd);
    crowd = crowd_new(random_u64(&random_numbers)); /* others would miss what was cut */
    load_and_kill(world, crowd);
    free(punktd_command(world, "rebuild", 0)); /* nothing is missing: no new term */
    world_start(world);
    talk_free(talk_hello(world_address(world), 0, 1, &hello));
    assert_int_equal(hello.term, 2);
    expect_verified(world);
    crowd_free(crowd);
    world_free(world);
}

static void test_cut_journal(void **state)
{
    (void)state;
    check_cut(true);
    check_cut(false);
}

/* Journal and state of two ledgers do not become one. */
static void test_state_of_another_ledger(void **state)
{
    char path[2][512];
    struct run run;
    struct world *one = world_new(NULL), *other = world_new(NULL);
    (void)state;
    world_stop(one);
    world_stop(other);
    assert_true(files_remove(other, "state", "data.mdb") == 1);
    (void)snprintf(path[0], sizeof(path[0]), "%s/state/data.mdb", world_data(one));
    (void)snprintf(path[1], sizeof(path[1]), "%s/state/data.mdb", world_data(other));
    const char *argv[] = { "/bin/cp", path[0], path[1], NULL };
    run_begin(argv, NULL, &run);
    run_end(&run);
    assert_int_equal(run.exit_code, 0);
    run_done(&run);
    expect_refused_start(other, EXIT_DATA, "another journal", "punktd rebuild");
    free(punktd_command(other, "rebuild", 0));
    world_start(other);
    world_free(one);
    world_free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_torn_tail_is_cut),
        cmocka_unit_test(test_flipped_byte_stops_the_start),
        cmocka_unit_test(test_flipped_byte_is_found_by_verify),
        cmocka_unit_test(test_unknown_event_stops_the_start),
        cmocka_unit_test(test_nothing_is_cut_after_a_clean_stop),
        cmocka_unit_test(test_cut_journal),
        cmocka_unit_test(test_state_of_another_ledger),
    };
    random_numbers = random_seeded();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
