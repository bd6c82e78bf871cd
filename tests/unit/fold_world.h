/*
 * State as the fold of events, for tests: decisions of points read it through the look-ups of the fold, and what they
 * make is encoded, folded and kept, so that it can be read back and folded again from the bytes.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ledger/fold.h"
#include "points/decide.h"

/* 2026-03-10 12:00 UTC. */
#define FOLD_WORLD_START (INT64_C(1773144000) * US_PER_SECOND)

/* A state in a folder of its own, and its fold. */
struct fold_state {
    char dir[64];
    struct state *state;
    struct fold *fold;
};

/* An event that was read back. Slot 0 is for the world's own use. */
struct fold_read {
    struct event event;
    struct event_memory memory;
};
enum { READ_ORIGINAL = 1, READ_SALE = 2, READ_ENDED = 3, READ_SPENT = 4 };
#define FOLD_READ_SLOTS (READ_SPENT + SPENT_BACK_MAX)

struct fold_world {
    struct fold_state live;
    struct programme programme;
    struct points_view view;
    struct judgement judgement;
    struct decision *decision;
    /* The journal: events one after the other, each with its size (u32) and checksum (u32, not filled) before it. */
    uint8_t *bytes;
    size_t size, capacity;
    journal_position last; /* of the last event; an event stands at 1 + its place in bytes */
    uint64_t events;
    /* What was read back, by slot: made when they are needed. */
    struct fold_read *read[FOLD_READ_SLOTS];
};

void fold_state_open(struct fold_state *state);
void fold_state_close(struct fold_state *state);
/* Stores what the fold keeps, writes a checkpoint, and hands out the digest of all records. */
void fold_state_digest(struct fold_state *state, uint8_t out_digest[STATE_DIGEST_SIZE]);
/* Writes a checkpoint, and begins again from what is on disk. */
void fold_state_reload(struct fold_state *state);

/* With a programme of rules, tiers, rewards and offers, published by its first event. */
struct fold_world *fold_world_new(void);
void fold_world_free(struct fold_world *world);

/* Fills what ledger and service fill, and hands out where the event will stand. */
journal_position fold_world_prepare(struct fold_world *world, struct event *event);
/* Prepares, encodes, decodes and folds the event; it must fit. */
journal_position fold_world_book(struct fold_world *world, struct event *event);
/* Books what world->decision holds; it must not be a refusal. */
journal_position fold_world_book_decision(struct fold_world *world);
/* The event at position, in a slot: valid until another one is read there. */
const struct event *fold_world_read(struct fold_world *world, uint32_t slot, journal_position position);
/* Where the event behind one stands. */
journal_position fold_world_next(const struct fold_world *world, journal_position position);
/* The number of a card that leads to the account of an event; borrowed until the next call. */
const char *fold_world_card_of(struct fold_world *world, journal_position position);
/* Whether the event fits, into a copy of the state that is thrown away. */
bool fold_world_fits(struct fold_world *world, const struct event *event, journal_position position);
/* Folds all of the journal into a state. */
void fold_world_replay(const struct fold_world *world, struct fold_state *into);
/* Totals, records of reports and accounts agree with each other (writes a checkpoint). */
void fold_world_check(struct fold_world *world);

/*
 * Decides, books what is due first and asks again; refusal NONE: world->decision is to be booked.
 * decide: a by_... of fold_acts.h.
 */
typedef void fold_decide_fn(struct fold_world *world, const void *request);
enum refusal fold_world_decide(struct fold_world *world, fold_decide_fn *decide, const void *request);

/* A card number as cards_issued.numbers has it, in room for 64 bytes. */
struct text fold_world_code(struct text number, uint8_t room[64]);
