/*
 * What verification finds with what an auditor kept: a head that was told, and the first key of the seals. Every byte
 * changed, every end cut, and everything that a forger can make fit.
 */
#include "audit_world.h"

#include <stdio.h>
#include <string.h>

#include "random.h"

static const uint8_t *last_head(const struct audit_world *world)
{
    return world->heads[AUDIT_BLOCKS - 1];
}

static void what_was_not_touched_passes(void **state)
{
    (void)state;
    struct audit_world *world = audit_world_new();
    audit_copy(world);
    struct verify_report report = audit_verify(world, NULL, NULL);
    assert_true(audit_is_fine(&report));
    assert_int_equal(report.head, VERIFY_HEAD_NONE);
    assert_int_equal(report.blocks, AUDIT_BLOCKS);
    assert_int_equal(report.seals.seals, AUDIT_BLOCKS / 3);
    assert_int_equal(report.seals.genuine, 0);
    for (size_t i = 0; i < AUDIT_BLOCKS; i++) {
        report = audit_verify(world, world->heads[i], &world->first);
        assert_true(audit_is_fine(&report));
        assert_int_equal(report.head, VERIFY_HEAD_FOUND);
        assert_int_equal(report.head_end, world->at[i + 1] - SEGMENT_HEADER_SIZE);
        assert_true(report.head_time > 0);
        assert_int_equal(report.seals.genuine, AUDIT_BLOCKS / 3);
        assert_int_equal(report.seals.missing, 0);
        assert_int_equal(report.seals.others, 0);
    }
    audit_world_free(world);
}

/* A journal that was not used yet stands for its id. */
static void the_head_before_the_first_block_is_there(void **state)
{
    (void)state;
    struct audit_world *world = audit_world_new();
    uint8_t head[JOURNAL_HASH_SIZE] = { 0 };
    audit_copy(world);
    memcpy(head, world->id, sizeof(world->id));
    struct verify_report report = audit_verify(world, head, NULL);
    assert_int_equal(report.head, VERIFY_HEAD_FOUND);
    assert_int_equal(report.head_end, 0);
    head[31] = 1;
    report = audit_verify(world, head, NULL);
    assert_int_equal(report.head, VERIFY_HEAD_MISSING);
    assert_int_equal(report.outcome, VERIFY_MATCHES);
    assert_false(audit_is_fine(&report));
    audit_world_free(world);
}

static void every_byte_counts(void **state)
{
    (void)state;
    struct audit_world *world = audit_world_new();
    struct random random = random_seeded();
    audit_copy(world);
    for (uint32_t i = 0; i < world->used; i++) {
        uint8_t was = world->file[i];
        world->file[i] ^= (uint8_t)(1 << random_below(&random, 8));
        audit_store(world);
        struct verify_report report = audit_verify(world, last_head(world), NULL);
        if (audit_is_fine(&report))
            fail_msg("byte %u of the file may be changed", i);
        world->file[i] = was;
    }
    audit_store(world);
    struct verify_report report = audit_verify(world, last_head(world), &world->first);
    assert_true(audit_is_fine(&report));
    audit_world_free(world);
}

/* With the state that stood for more, and without one, as if the ledger had never been longer. */
static void every_cut_is_found(void **state)
{
    (void)state;
    struct audit_world *world = audit_world_new();
    for (size_t left = 0; left < AUDIT_BLOCKS; left++) {
        for (int with_state = 0; with_state < 2; with_state++) {
            audit_copy(world);
            memset(world->file + world->at[left], 0, world->used - world->at[left]);
            audit_store(world);
            struct verify_report report = audit_verify(world, last_head(world), NULL);
            assert_false(audit_is_fine(&report));
            assert_true(audit_rebuild(world, with_state == 1));
            report = audit_verify(world, NULL, NULL);
            assert_true(audit_is_fine(&report)); /* nobody brought anything along */
            for (size_t i = 0; i < AUDIT_BLOCKS; i++) {
                report = audit_verify(world, world->heads[i], NULL);
                assert_int_equal(report.head, i < left ? VERIFY_HEAD_FOUND : VERIFY_HEAD_MISSING);
            }
        }
    }
    audit_world_free(world);
}

/* --- the forger --- */

/* The seals behind a block: how many, and the number of the first. */
static size_t seals_behind(struct audit_world *world, size_t block, uint64_t *out_first)
{
    size_t count = 0;
    for (size_t i = AUDIT_BLOCKS; i-- > block + 1;)
        count += audit_is_seal(world, i, out_first);
    return count;
}

static void check_heads(struct audit_world *world, size_t forged)
{
    for (size_t i = 0; i < AUDIT_BLOCKS; i++) {
        struct verify_report report = audit_verify(world, world->heads[i], NULL);
        assert_int_equal(report.head, i < forged ? VERIFY_HEAD_FOUND : VERIFY_HEAD_MISSING);
        assert_true(i < forged || !audit_is_fine(&report));
    }
}

/* What the first key finds of a forgery that has seals behind it. */
static void check_key(struct audit_world *world, enum forged_seals seals, uint64_t first_behind,
                      size_t behind)
{
    struct verify_report report = audit_verify(world, NULL, &world->first);
    uint64_t missing = world->now.number - first_behind;
    if (seals == FORGED_LINEAGE && first_behind > AUDIT_FIRST_NUMBER) {
        assert_int_equal(report.seals.genuine, first_behind - AUDIT_FIRST_NUMBER);
        assert_int_equal(report.seals.others, behind); /* the auditor sees when another one began */
    } else if (seals == FORGED_LATER && missing <= SEAL_MISSING_MAX) {
        assert_int_equal(report.seals.missing, missing); /* the last of them may be lost, and is told */
    } else {
        assert_int_equal(report.outcome, VERIFY_DAMAGED);
        assert_non_null(strstr(report.detail, "rewritten"));
    }
}

static void a_forger_is_found(void **state)
{
    (void)state;
    struct audit_world *world = audit_world_new();
    for (size_t block = 0; block < AUDIT_BLOCKS; block++) {
        for (int seals = 0; seals < FORGED_COUNT; seals++) {
            uint64_t first_behind = 0;
            audit_copy(world);
            size_t behind = seals_behind(world, block, &first_behind);
            bool is_seal = audit_is_seal(world, block, NULL);
            audit_forge(world, block, (enum forged_seals)seals);
            audit_store(world);
            assert_true(audit_rebuild(world, false));
            struct verify_report report = audit_verify(world, NULL, NULL);
            assert_int_equal(audit_is_fine(&report), seals != FORGED_COPIED || behind == 0);
            if (audit_is_fine(&report))
                check_heads(world, block);
            if (is_seal) /* its code was changed */
                assert_int_equal(audit_verify(world, NULL, &world->first).outcome, VERIFY_DAMAGED);
            else if (behind > 0)
                check_key(world, (enum forged_seals)seals, first_behind, behind);
        }
    }
    audit_world_free(world);
}

/* --- keys --- */

/* Any key checks the seals from its own on. */
static void later_keys_check_later_seals(void **state)
{
    (void)state;
    struct audit_world *world = audit_world_new();
    struct seal_key key = world->first;
    audit_copy(world);
    for (uint64_t passed = 0; key.number < world->now.number; passed++) {
        struct verify_report report = audit_verify(world, NULL, &key);
        assert_true(audit_is_fine(&report));
        assert_int_equal(report.seals.others, passed);
        assert_int_equal(report.seals.genuine, AUDIT_BLOCKS / 3 - passed);
        assert_true(seal_next_key(&key));
    }
    struct verify_report report = audit_verify(world, NULL, &key); /* it has made none yet */
    assert_int_equal(report.outcome, VERIFY_DAMAGED);
    audit_world_free(world);
}

static void other_keys_are_not_of_this_ledger(void **state)
{
    (void)state;
    struct audit_world *world = audit_world_new();
    struct seal_key key = world->first;
    audit_copy(world);
    key.key[7] ^= 1;
    assert_int_equal(audit_verify(world, NULL, &key).outcome, VERIFY_DAMAGED);
    key = world->first;
    key.lineage[0] ^= 1;
    assert_int_equal(audit_verify(world, NULL, &key).outcome, VERIFY_DAMAGED);
    key = world->first;
    key.number -= 2; /* seals that should be there are not */
    assert_int_equal(audit_verify(world, NULL, &key).outcome, VERIFY_DAMAGED);
    audit_world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_not_touched_passes),
        cmocka_unit_test(the_head_before_the_first_block_is_there),
        cmocka_unit_test(every_byte_counts),
        cmocka_unit_test(every_cut_is_found),
        cmocka_unit_test(a_forger_is_found),
        cmocka_unit_test(later_keys_check_later_seals),
        cmocka_unit_test(other_keys_are_not_of_this_ledger),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
