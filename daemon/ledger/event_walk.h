/*
 * Walks over the events of the journal: those of a block, and all since a time, for rehearsals and reports.
 */
#pragma once

#include "base/base.h"
#include "base/status.h"
#include "ledger/reader.h"

/* Called for each event, in order. Anything but PUNKT_OK stops the walk and is handed on. The event is borrowed. */
typedef enum punkt_status event_visit_fn(void *ctx, const struct event *event, journal_position position,
                                         struct failure *failure);

/* The events of a block that was checked; event and memory: room for one. PUNKT_CORRUPT: of no known format. */
PUNKT_MUST_CHECK enum punkt_status block_events(const struct journal_block *block,
                                                struct event_memory *memory, struct event *event,
                                                event_visit_fn *visit, void *ctx, struct failure *failure);

/* A walk from the first block of `from` or later up to the position `until`, the end of a durable block. */
struct event_walk {
    utc_us from;
    journal_position until;
    event_visit_fn *visit;
    void *ctx;
    bool begun; /* false at first */
    struct journal_head at;
    struct reading *reading; /* during a slice */
};

/*
 * Reads about slice_bytes more (0: all); reader thread, for the run of a job. The first events may be from before
 * `from`: a block has one time for all. PUNKT_BUSY: there is more; PUNKT_OK: that was all.
 */
PUNKT_MUST_CHECK enum punkt_status event_walk_slice(struct event_walk *walk, struct reading *reading,
                                                    uint64_t slice_bytes, struct failure *failure);
