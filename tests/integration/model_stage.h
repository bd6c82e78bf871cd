/*
 * Where the model test plays: a daemon, its model, and clients, each with a lane of its own. Everything here fails
 * the running test when daemon and model do not say the same.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <punkt.h>

#include "../unit/random.h"
#include "changes.h"
#include "points_model.h"
#include "world.h"

#define TILLS 4
#define IN_FLIGHT_MAX 16

/* A change that got, or will get, a final answer. */
struct sent {
    struct stage *stage;
    unsigned till;
    uint64_t number;
    size_t booking; /* that the answer reports; MODEL_NONE: refused */
    bool answered;
    bool unjudged; /* the model is asked later, in the order of the journal */
    struct change change;
    struct outcome outcome; /* expected; then, what was answered */
};

struct stage {
    struct world *world;
    struct model *model;
    struct maker maker;
    struct random *random;
    struct punkt *tills[TILLS];
    uint64_t epochs[TILLS];
    struct punkt_totals_answer before; /* of the new ledger */
    int64_t began_us;
    struct sent **sent; /* each its own, for callbacks point there */
    size_t sent_count, sent_capacity;
    uint64_t refused, replayed;
};

/* A new ledger with its clients, and the first eight cards of each client's share. On a Unix socket its address
 * stays the same after a kill. random is borrowed. */
struct stage *stage_new(struct random *random, bool unix_socket);
void stage_free(struct stage *stage);

uint64_t stage_below(struct stage *stage, uint64_t bound);

/* A client as it is after its machine was switched off and on: the same lane, another connection. */
void stage_reconnect(struct stage *stage, unsigned till);

/* Notes a change that a client is about to send. Borrowed from the stage. */
struct sent *stage_sent(struct stage *stage, unsigned till, const struct change *change);

/* Compares its answer with what the model expected, and takes over what only the ledger can know. */
void stage_settle(struct sent *sent, const struct outcome *got);

/* One change, answered before the next. */
void stage_turn(struct stage *stage, unsigned till, const struct change *change);

/* One of all that were sent. */
const struct sent *stage_any_sent(struct stage *stage);

/* What the report of totals says. */
void stage_totals(struct stage *stage, struct punkt_totals_answer *out);

/* A card that may be unknown; one that is not; the report of totals. Nothing may be in flight. */
void stage_compare_card(struct stage *stage, const char *card);
void stage_compare_statement(struct stage *stage, const char *card);
void stage_compare_totals(struct stage *stage);

/* The answer of before comes again, under the same number from another connection, and by status. */
void stage_compare_repeat(struct stage *stage, const struct sent *sent);

/* Another change under a number that is taken is refused. */
void stage_compare_conflict(struct stage *stage, const struct sent *sent);

/* kill -9, another start, and everything as before: every card, every statement, totals, some repeats. */
void stage_kill_and_compare(struct stage *stage);

/* The end of every test: everything compared now, after a kill, after a clean stop, and after a rebuild of state
 * from the journal alone. */
void stage_outlive(struct stage *stage);
