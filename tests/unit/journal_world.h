/*
 * A journal in a folder of its own, and events whose bytes follow from a seed and their sequence
 * number, so that every reader can say whether an event is what was written.
 */
#pragma once

#include "base/base.h"
#include "base/status.h"
#include "ledger/journal.h"
#include "ledger/journal_internal.h"

#define WORLD_SEGMENT_BYTES (16u * 1024)
#define WORLD_EVENT_MAX 3000u

struct world {
    char dir[256]; /* the journal's folder, made by world_init */
    uint64_t seed; /* of the events' bytes */
    uint64_t segment_bytes;
    uint64_t reserve_bytes;
    struct journal *journal;
    struct journal_head head;  /* as recovered */
    uint64_t next_sequence;    /* of the next event to append */
    uint64_t events_visited;   /* by the last recovery or scan */
    struct failure failure;    /* of the last call that failed */
    void (*notify)(void *ctx); /* NULL: nobody is told */
    void *ctx;
};

/* A folder under TMPDIR or the system's; the seed is printed. */
void world_init(struct world *world, uint64_t seed);
/* Closes the journal and removes the folder. */
void world_done(struct world *world);

/* Opens with segments as small as segment_bytes says. */
enum punkt_status world_open(struct world *world, bool read_only);
/* Recovers from `from` (NULL: the beginning), checking every event; fills head and next_sequence. */
enum punkt_status world_recover(struct world *world, const struct journal_head *from, bool tail_may_be_torn);
/* Opens, recovers from the beginning, starts; each must succeed. */
void world_start(struct world *world);
void world_close(struct world *world);

/* The next random number of a sequence that begins at *state. */
uint64_t world_random(uint64_t *state);
/* Size of the event with that number, header included, and its payload. */
uint32_t world_event_size(const struct world *world, uint64_t sequence);
void world_event_fill(const struct world *world, uint64_t sequence, uint8_t *event);
/* Whether the event is the one with that number. */
bool world_event_is(const struct world *world, uint64_t sequence, const uint8_t *event, uint32_t size);

/* Appends the next event; false: no room. Its position is handed out. */
bool world_append(struct world *world, journal_position *out_position);
/* Appends `count` events, seals them as one block and waits until it is durable. Hands out the head's position. */
journal_position world_block(struct world *world, uint32_t count);

/* Checks the events of a block; a journal_visit_fn with the world as ctx. */
enum punkt_status world_visit(void *ctx, const struct journal_block *block, struct failure *failure);

/* --- files of the journal --- */

/* Path of a file in the folder, in a buffer that the next call overwrites. */
const char *world_path(const struct world *world, const char *name);
/* A whole file; the caller frees. */
uint8_t *world_read_file(const struct world *world, const char *name, size_t *out_size);
void world_write_file(const struct world *world, const char *name, const uint8_t *bytes, size_t size);
/* Name of the segment with that index, ascending. False: there are not so many. */
bool world_segment_name(const struct world *world, size_t index, char out_name[SEGMENT_NAME_SIZE]);
