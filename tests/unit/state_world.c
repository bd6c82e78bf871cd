#include "state_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void wait_durable(void *ctx, journal_position position)
{
    struct world *world = ctx;
    pthread_mutex_lock(&world->mutex);
    world->awaited = position;
    pthread_cond_broadcast(&world->changed);
    while (world->held && world->durable < position)
        pthread_cond_wait(&world->changed, &world->mutex);
    pthread_mutex_unlock(&world->mutex);
}

/* The hash is known only when the block is durable: the mark that was frozen came without it. */
static void durable_head(void *ctx, struct journal_head *out_head)
{
    (void)ctx;
    memset(out_head->hash, (int)(out_head->position % 251), sizeof(out_head->hash));
}

static void notify(void *ctx)
{
    struct world *world = ctx;
    pthread_mutex_lock(&world->mutex);
    world->notified++;
    pthread_cond_broadcast(&world->changed);
    pthread_mutex_unlock(&world->mutex);
}

static void fatal(void *ctx, const char *what)
{
    (void)ctx;
    fprintf(stderr, "fatal: %s\n", what);
    _exit(WORLD_FATAL_EXIT);
}

struct world *world_new(void)
{
    struct world *world = calloc(1, sizeof(*world));
    assert_non_null(world);
    snprintf(world->folder, sizeof(world->folder), "/tmp/punkt-state-XXXXXX");
    assert_non_null(mkdtemp(world->folder));
    snprintf(world->dir, sizeof(world->dir), "%s/state", world->folder);
    pthread_mutex_init(&world->mutex, NULL);
    pthread_cond_init(&world->changed, NULL);
    world->options = (struct state_options){
        .dir = world->dir,
        .map_bytes = UINT64_C(64) << 20,
        .layer_records = 200,
        .layer_bytes = 64 * 1024,
        .record_burst_max = 50,
        .interval_ms = 1000,
        .wait_durable = wait_durable,
        .durable_head = durable_head,
        .notify = notify,
        .fatal = fatal,
        .ctx = world,
    };
    return world;
}

void world_free(struct world *world)
{
    struct failure failure;
    world_close(world);
    assert_int_equal(state_erase(world->dir, &failure), PUNKT_OK);
    (void)rmdir(world->dir);
    assert_int_equal(rmdir(world->folder), 0);
    pthread_cond_destroy(&world->changed);
    pthread_mutex_destroy(&world->mutex);
    free(world);
}

void world_open(struct world *world)
{
    struct failure failure = { { 0 } };
    if (state_open(&world->options, &world->state, &world->found, &world->mark, &failure) != PUNKT_OK)
        fail_msg("%s", failure.text);
    assert_int_equal(state_start(world->state, &failure), PUNKT_OK);
}

void world_close(struct world *world)
{
    state_close(world->state);
    world->state = NULL;
}

struct state_mark world_mark(journal_position position, bool clean)
{
    struct state_mark mark = { .ledger_time = (utc_us)position * 3, .clean = clean };
    mark.head.position = position;
    mark.head.next_sequence = position / 2;
    mark.head.term = position / 1000 + 1;
    mark.head.time = -(utc_us)position;
    memset(mark.head.id, 0x1D, sizeof(mark.head.id));
    return mark;
}

void world_assert_mark(const struct state_mark *mark, journal_position position, bool clean)
{
    struct state_mark want = world_mark(position, clean);
    durable_head(NULL, &want.head);
    assert_int_equal(mark->head.position, position);
    assert_int_equal(mark->head.next_sequence, want.head.next_sequence);
    assert_int_equal(mark->head.term, want.head.term);
    assert_int_equal(mark->head.time, want.head.time);
    assert_int_equal(mark->ledger_time, want.ledger_time);
    assert_int_equal(mark->clean, clean);
    assert_memory_equal(mark->head.id, want.head.id, sizeof(want.head.id));
    assert_memory_equal(mark->head.hash, want.head.hash, sizeof(want.head.hash));
}

void world_hold(struct world *world, bool held)
{
    pthread_mutex_lock(&world->mutex);
    world->held = held;
    pthread_cond_broadcast(&world->changed);
    pthread_mutex_unlock(&world->mutex);
}

void world_release(struct world *world, journal_position position)
{
    pthread_mutex_lock(&world->mutex);
    world->durable = position;
    pthread_cond_broadcast(&world->changed);
    pthread_mutex_unlock(&world->mutex);
}

void world_await_wait(struct world *world, journal_position position)
{
    pthread_mutex_lock(&world->mutex);
    while (world->awaited != position)
        pthread_cond_wait(&world->changed, &world->mutex);
    pthread_mutex_unlock(&world->mutex);
}

void world_await_notify(struct world *world, uint64_t before)
{
    pthread_mutex_lock(&world->mutex);
    while (world->notified <= before)
        pthread_cond_wait(&world->changed, &world->mutex);
    pthread_mutex_unlock(&world->mutex);
}

uint64_t world_notified(struct world *world)
{
    pthread_mutex_lock(&world->mutex);
    uint64_t notified = world->notified;
    pthread_mutex_unlock(&world->mutex);
    return notified;
}

void world_checkpoint(struct world *world, journal_position position)
{
    struct state_mark mark = world_mark(position, false);
    assert_true(state_freeze(world->state, &mark, world->now_us));
    world_finish(world);
}

void world_finish(struct world *world)
{
    for (uint64_t before = world_notified(world); !state_finish(world->state); before = world_notified(world))
        world_await_notify(world, before);
}

int world_in_child(struct world *world, void (*body)(struct world *world))
{
    int status;
    assert_null(world->state); /* an environment survives no fork */
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        body(world);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

void world_put(struct world *world, const char *key, const void *value, size_t size)
{
    uint8_t *room = state_put(world->state, key, strlen(key), (uint32_t)size);
    if (size > 0)
        memcpy(room, value, size);
}

void world_put_text(struct world *world, const char *key, const char *value)
{
    world_put(world, key, value, strlen(value));
}

void world_remove(struct world *world, const char *key)
{
    state_remove_key(world->state, key, strlen(key));
}

void world_expect_text(struct world *world, const char *key, const char *value)
{
    struct state_value found;
    bool there = state_get(world->state, key, strlen(key), &found);
    if (there != (value != NULL))
        fail_msg("%s: %s", key, there ? "is there" : "is not there");
    if (value == NULL)
        return;
    assert_int_equal(found.size, strlen(value));
    assert_memory_equal(found.data, value, found.size);
}

void world_digest(struct world *world, uint8_t out_digest[STATE_DIGEST_SIZE])
{
    struct failure failure;
    struct state_mark mark;
    uint8_t recomputed[STATE_DIGEST_SIZE];
    state_digest(world->state, out_digest, &mark);
    assert_int_equal(state_digest_recompute(world->state, recomputed, &failure), PUNKT_OK);
    assert_memory_equal(out_digest, recomputed, sizeof(recomputed));
}
