/*
 * State for tests: a temporary folder, a journal that is durable when the test says so, and children that
 * end as a killed daemon does.
 */
#pragma once

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ledger/state.h"

#define WORLD_FATAL_EXIT 70

struct world {
    char folder[64]; /* temporary */
    char dir[80];    /* of state, inside it */
    struct state_options options;
    struct state *state;
    bool found;
    struct state_mark mark; /* of the last world_open */
    int64_t now_us;

    pthread_mutex_t mutex; /* over all below */
    pthread_cond_t changed;
    bool held; /* the journal is not durable by itself */
    journal_position durable;
    journal_position awaited; /* what the checkpoint thread waited for last */
    uint64_t notified;
};

/* A small state: 200 records or 64 KiB a layer, bursts of 50, a map of 64 MiB. Nothing is open yet. */
struct world *world_new(void);
/* Closes and removes everything. */
void world_free(struct world *world);

/* Opens, and starts the thread. */
void world_open(struct world *world);
void world_close(struct world *world);

/* The head of a block at position, as the journal would have it. */
struct state_mark world_mark(journal_position position, bool clean);
void world_assert_mark(const struct state_mark *mark, journal_position position, bool clean);

/* Whether the journal becomes durable by itself (false) or by world_release (true). */
void world_hold(struct world *world, bool held);
void world_release(struct world *world, journal_position position);
/* Waits until the checkpoint thread waits for position. */
void world_await_wait(struct world *world, journal_position position);
/* Waits until notify was called more often than `before`. */
void world_await_notify(struct world *world, uint64_t before);
uint64_t world_notified(struct world *world);
/* Freezes at position, waits, and finishes. The journal must not be held. */
void world_checkpoint(struct world *world, journal_position position);

/* Finishes the checkpoint that is on its way, as soon as it is done. */
void world_finish(struct world *world);

/* Runs body in a child that has no environment open; its exit code. A return of body is exit 0. */
int world_in_child(struct world *world, void (*body)(struct world *world));

void world_put(struct world *world, const char *key, const void *value, size_t size);
void world_put_text(struct world *world, const char *key, const char *value);
void world_remove(struct world *world, const char *key);
/* value NULL: there must be no such record. */
void world_expect_text(struct world *world, const char *key, const char *value);
/* The digest of the last commit, which must be that of the records that are there. */
void world_digest(struct world *world, uint8_t out_digest[STATE_DIGEST_SIZE]);
