/*
 * Random lives of a daemon: whatever is changed, frozen, made durable and reopened, state holds what a model holds.
 */
#include "state_world.h"

#include <stdio.h>
#include <string.h>

#include "random.h"

#define MODEL_KEYS 400

/* What state should hold: for each key the seed and size of its value. */
struct model {
    struct {
        bool there;
        uint32_t size;
        uint64_t seed;
    } records[MODEL_KEYS];
};

static size_t model_key(uint32_t index, char out_key[STATE_KEY_MAX])
{
    size_t size = 3 + index % 90; /* many share their beginning, and some are the beginning of others */
    memset(out_key, 'k', size);
    snprintf(out_key + size - 3, 4, "%03u", index);
    return size;
}

static void model_value(uint64_t seed, uint32_t size, uint8_t *out_value)
{
    struct random random = { seed };
    for (uint32_t i = 0; i < size; i++)
        out_value[i] = (uint8_t)random_u64(&random);
}

static void model_check(struct world *world, const struct model *model, uint32_t index)
{
    static uint8_t want[40000];
    char key[STATE_KEY_MAX];
    struct state_value found;
    size_t key_size = model_key(index, key);
    bool there = state_get(world->state, key, key_size, &found);
    if (there != model->records[index].there)
        fail_msg("key %u: %s", index, there ? "is there" : "is not there");
    if (!there)
        return;
    assert_int_equal(found.size, model->records[index].size);
    model_value(model->records[index].seed, found.size, want);
    if (found.size > 0)
        assert_memory_equal(found.data, want, found.size);
}

static void model_change(struct world *world, struct model *model, struct random *random)
{
    char key[STATE_KEY_MAX];
    uint32_t index = (uint32_t)random_below(random, MODEL_KEYS);
    size_t key_size = model_key(index, key);
    model->records[index].there = random_below(random, 4) != 0;
    if (!model->records[index].there) {
        state_remove_key(world->state, key, key_size);
        return;
    }
    uint32_t size_max = random_below(random, 50) == 0 ? 20000 : 300;
    model->records[index].size = (uint32_t)random_below(random, size_max);
    model->records[index].seed = random_u64(random);
    uint8_t *room = state_put(world->state, key, key_size, model->records[index].size);
    model_value(model->records[index].seed, model->records[index].size, room);
}

/* One life of a daemon: changes and look-ups, freezes and durable moments as they come. */
static void model_life(struct world *world, struct model *model, struct random *random,
                       journal_position *position)
{
    struct failure failure;
    bool frozen = false;
    for (int step = 0; step < 10000; step++) {
        uint64_t dice = random_below(random, 1000);
        if (dice < 500 && !state_is_crowded(world->state)) {
            model_change(world, model, random);
        } else if (dice < 980) {
            model_check(world, model, (uint32_t)random_below(random, MODEL_KEYS));
        } else if (dice < 985) {
            world_release(world, *position);
        } else if (dice < 990 && frozen) { /* a disk is slower than this loop */
            world_release(world, *position);
            world_finish(world);
            frozen = false;
        } else if (dice < 995) {
            frozen = !state_finish(world->state) && frozen;
        } else {
            struct state_mark mark = world_mark(*position + 1, false);
            if (state_freeze(world->state, &mark, 0)) {
                ++*position;
                frozen = true;
            }
        }
    }
    world_release(world, ++*position);
    struct state_mark mark = world_mark(*position, true);
    assert_int_equal(state_checkpoint_now(world->state, &mark, &failure), PUNKT_OK);
}

static void test_against_a_model(void **unused PUNKT_UNUSED)
{
    struct random random = random_seeded();
    struct model model = { 0 };
    journal_position position = 0;
    struct world *world = world_new();
    world->options.layer_bytes = 1u << 20;
    world_hold(world, true);
    for (int life = 0; life < 4; life++) {
        uint8_t digest[STATE_DIGEST_SIZE];
        world_open(world);
        if (life > 0)
            world_assert_mark(&world->mark, position, true);
        for (uint32_t i = 0; i < MODEL_KEYS; i++)
            model_check(world, &model, i);
        model_life(world, &model, &random, &position);
        world_digest(world, digest);
        world_close(world);
    }
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_a_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
