/*
 * Random acts on an outbox and on a plain array beside it, with compactions, closings and kills between them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "outbox_world.h"
#include "random.h"

#define ENTRIES_MAX 4000
#define DAY_US (INT64_C(86400) * 1000000)

struct expected {
    enum outbox_lane lane;
    enum outbox_state state, on_disk; /* as it is; as it is after a kill */
    uint64_t epoch, number;
    int32_t business_date;
    int64_t at_us;
    bool closed;
    uint32_t result;
    char body[600];
};

struct model {
    struct outbox_world *world;
    struct random random;
    struct expected *entries;
    size_t count;
    int64_t now_us;
    uint64_t next[2];
    uint64_t known;
};

static void all_durable(struct model *model)
{
    for (size_t i = 0; i < model->count; i++) {
        if (model->entries[i].state != OUTBOX_OPEN)
            model->entries[i].on_disk = model->entries[i].state;
    }
}

static struct outbox_entry *found(const struct model *model, size_t i)
{
    struct outbox_entry *entry =
        outbox_find(model->world->outbox, model->entries[i].epoch, model->entries[i].number);
    assert_non_null(entry);
    return entry;
}

static void drop(struct model *model, size_t i)
{
    memmove(&model->entries[i], &model->entries[i + 1], (--model->count - i) * sizeof(model->entries[0]));
}

/* Everything is there, in order, as it should be. */
static void expect_all(const struct model *model)
{
    struct outbox_counts counts, want = { 0 };
    const struct outbox_entry *entry = outbox_first(model->world->outbox);
    for (size_t i = 0; i < model->count; i++, entry = entry->next) {
        const struct expected *expected = &model->entries[i];
        assert_non_null(entry);
        assert_int_equal(entry->epoch, expected->epoch);
        assert_int_equal(entry->number, expected->number);
        assert_int_equal(entry->lane, expected->lane);
        assert_int_equal(entry->state, expected->state);
        assert_int_equal(entry->note.business_date, expected->business_date);
        if (entry->state != OUTBOX_OPEN)
            assert_int_equal(entry->result.result, expected->result);
        assert_ptr_equal(found(model, i), entry);
        expect_body(model->world, entry, expected->body);
        want.open += entry->state == OUTBOX_OPEN;
        want.queued += entry->state == OUTBOX_OPEN && entry->lane == OUTBOX_LANE_QUEUE;
        want.dead += entry->state == OUTBOX_DEAD;
    }
    assert_null(entry);
    outbox_counts(model->world->outbox, &counts);
    assert_int_equal(counts.open, want.open);
    assert_int_equal(counts.queued, want.queued);
    assert_int_equal(counts.dead, want.dead);
    assert_int_equal(counts.kept, model->count - want.open - want.dead);
    size_t size;
    const void *known = outbox_known(model->world->outbox, &size);
    assert_int_equal(size, model->known == 0 ? 0 : sizeof(model->known));
    assert_memory_equal(known, &model->known, size);
}

static void act_append(struct model *model)
{
    struct expected *expected = &model->entries[model->count];
    struct outbox_entry *entry;
    *expected = (struct expected){ .state = OUTBOX_OPEN, .on_disk = OUTBOX_OPEN };
    expected->lane = (enum outbox_lane)random_below(&model->random, 2);
    expected->business_date = (int32_t)random_below(&model->random, 4);
    expected->epoch = outbox_epoch(model->world->outbox, expected->lane);
    expected->number = model->next[expected->lane]++;
    memset(expected->body, 'a' + (int)random_below(&model->random, 26), random_below(&model->random, 599));
    struct outbox_note note = world_note(model->now_us, expected->business_date);
    assert_int_equal(outbox_append(model->world->outbox, expected->lane, 1, 0, expected->body,
                                   strlen(expected->body), &note, &entry),
                     OUTBOX_OK);
    assert_int_equal(entry->number, expected->number);
    model->count++;
    assert_false(outbox_day_closed(model->world->outbox, expected->business_date));
}

static void act_end(struct model *model, size_t i)
{
    struct expected *expected = &model->entries[i];
    struct outbox_entry *entry = found(model, i);
    uint64_t kind = random_below(&model->random, 10);
    struct outbox_result result = world_result(model->now_us, kind == 0 ? 3 : 0);
    expected->result = result.result;
    if (expected->state == OUTBOX_OPEN && kind == 1) {
        assert_int_equal(outbox_bury(model->world->outbox, entry, &result), OUTBOX_OK);
        expected->state = OUTBOX_DEAD;
        all_durable(model);
    } else if (expected->state == OUTBOX_OPEN) {
        outbox_settle(model->world->outbox, entry, &result);
        expected->state = kind == 0 ? OUTBOX_REFUSED : OUTBOX_DONE;
        expected->at_us = model->now_us;
    } else if (expected->state == OUTBOX_DEAD) {
        assert_int_equal(outbox_discard(model->world->outbox, entry), OUTBOX_OK);
        drop(model, i);
        all_durable(model);
    } else {
        expected->result = entry->result.result;
    }
}

static void act_close_day(struct model *model)
{
    int32_t day = (int32_t)random_below(&model->random, 4);
    assert_int_equal(outbox_close_day(model->world->outbox, day), OUTBOX_OK);
    assert_true(outbox_day_closed(model->world->outbox, day));
    all_durable(model);
    for (size_t i = 0; i < model->count; i++) {
        struct expected *expected = &model->entries[i];
        if (expected->business_date == day &&
            (expected->state == OUTBOX_DONE || expected->state == OUTBOX_REFUSED))
            expected->closed = true;
    }
}

static void act_compact(struct model *model)
{
    assert_int_equal(outbox_compact(model->world->outbox, model->now_us, true), OUTBOX_OK);
    for (size_t i = model->count; i-- > 0;) {
        const struct expected *expected = &model->entries[i];
        if (expected->closed && expected->on_disk == expected->state &&
            expected->at_us < model->now_us - 7 * DAY_US)
            drop(model, i);
    }
    all_durable(model);
}

static void act_reopen(struct model *model, bool kill)
{
    if (kill)
        world_kill(model->world);
    else
        world_close(model->world);
    if (!kill)
        all_durable(model);
    for (size_t i = 0; i < model->count; i++)
        model->entries[i].state = model->entries[i].on_disk;
    world_open(model->world);
    model->next[0] = model->next[1] = 1;
}

static void act(struct model *model)
{
    uint64_t kind = random_below(&model->random, 100);
    model->now_us += (int64_t)random_below(&model->random, DAY_US / 20);
    if (kind < 45 && model->count < ENTRIES_MAX)
        act_append(model);
    else if (kind < 85 && model->count > 0)
        act_end(model, random_below(&model->random, model->count));
    else if (kind < 90)
        act_close_day(model);
    else if (kind < 93)
        act_compact(model);
    else if (kind < 95)
        act_reopen(model, random_below(&model->random, 2) == 0);
    else if (kind < 98) {
        assert_int_equal(outbox_flush(model->world->outbox), OUTBOX_OK);
        all_durable(model);
    } else {
        model->known = random_u64(&model->random);
        assert_int_equal(outbox_keep(model->world->outbox, &model->known, sizeof(model->known)), OUTBOX_OK);
    }
}

static void random_acts(void **state)
{
    struct model model = { .world = *state, .random = random_seeded(), .next = { 1, 1 } };
    model.entries = calloc(ENTRIES_MAX, sizeof(*model.entries));
    assert_non_null(model.entries);
    model.world->options.age_max_us = INT64_MAX / 2;
    model.world->options.preallocate = 1 << 22; /* what is forgotten is the model's to say */
    world_open(model.world);
    for (int i = 0; i < 6000; i++) {
        act(&model);
        if (i % 20 == 0)
            expect_all(&model);
    }
    act_reopen(&model, false);
    expect_all(&model);
    free(model.entries);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(random_acts, outbox_world_make, outbox_world_remove),
    };
    return cmocka_run_group_tests_name("outbox_model", tests, NULL, NULL);
}
