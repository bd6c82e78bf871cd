/*
 * Replay: folds blocks of the journal into a state that is not live, writing checkpoints on the way.
 * Used by recovery, rebuild and verification.
 */
#pragma once

#include "base/base.h"
#include "base/status.h"
#include "ledger/event_walk.h"
#include "ledger/fold.h"
#include "ledger/journal.h"
#include "ledger/state.h"

struct replay {
    struct fold *fold;
    struct event_memory *memory;
    struct event event;
    struct journal_head head; /* behind the last block that was folded */
    /* Sees each event once it is folded; NULL: nobody. Set behind replay_open. */
    event_visit_fn *also;
    void *also_ctx;
};

/* State must stand at `head`. replay->fold can be taken over by the caller (then set it NULL). */
PUNKT_MUST_CHECK enum punkt_status replay_open(struct replay *replay, struct state *state,
                                               const struct journal_head *head, struct failure *failure);

/* Folds a block. Writes a checkpoint *before* it when the layer has grown: the block itself may be the
 * last one and not yet durable. PUNKT_CORRUPT: an event that does not fit. */
PUNKT_MUST_CHECK enum punkt_status replay_block(struct replay *replay, const struct journal_block *block,
                                                struct failure *failure);

/* Brings state in LMDB to replay->head. */
PUNKT_MUST_CHECK enum punkt_status replay_checkpoint(struct replay *replay, struct failure *failure);
void replay_close(struct replay *replay);
