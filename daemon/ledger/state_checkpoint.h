/*
 * The checkpoint: writes one layer and its mark into LMDB, in one transaction, on a thread of its own.
 *
 *   idle --submit--> writing --committed--> done --release--> idle
 *                    writing --disk full--> writing, again each second
 *
 * All calls belong to the loop thread, but for what is said otherwise.
 */
#pragma once

#include "base/base.h"
#include "base/status.h"
#include "ledger/state.h"
#include "ledger/state_digest.h"
#include "ledger/state_layer.h"
#include "ledger/state_lmdb.h"

struct checkpoint;

/* Borrows options and db until checkpoint_free; reads the mark and digest of db. records_max: of a layer. */
PUNKT_MUST_CHECK enum punkt_status checkpoint_new(const struct state_options *options, struct lmdb *db,
                                                  uint32_t records_max, struct checkpoint **out_checkpoint,
                                                  bool *out_found, struct failure *failure);
/* Stops the thread: what was submitted is completed, unless the disk is full. NULL is fine. */
void checkpoint_free(struct checkpoint *checkpoint);

PUNKT_MUST_CHECK enum punkt_status checkpoint_start(struct checkpoint *checkpoint, struct failure *failure);

/* Hands a layer to the thread, which borrows it until checkpoint_release. Only when idle. */
void checkpoint_submit(struct checkpoint *checkpoint, const struct layer *layer,
                       const struct state_mark *mark);
bool checkpoint_is_done(struct checkpoint *checkpoint);
void checkpoint_release(struct checkpoint *checkpoint);

/* Waits until what was submitted is done. PUNKT_FULL: an attempt that began after the call found no space. */
PUNKT_MUST_CHECK enum punkt_status checkpoint_settle(struct checkpoint *checkpoint, struct failure *failure);

/*
 * Writes a layer on the calling thread, while nothing is submitted. PUNKT_FULL: nothing happened. Anything
 * else: state on disk is not trusted any more, and a marker file says so.
 */
PUNKT_MUST_CHECK enum punkt_status checkpoint_write(struct checkpoint *checkpoint, const struct layer *layer,
                                                    const struct state_mark *mark, struct failure *failure);

/* Of the last commit. Any thread. */
void checkpoint_last(struct checkpoint *checkpoint, struct state_mark *out_mark,
                     struct digest_sum *out_digest);
uint64_t checkpoint_bytes_used(const struct checkpoint *checkpoint);
/* Pages that hold records, without those that are free. */
uint64_t checkpoint_pages(const struct checkpoint *checkpoint);
/* The last attempt found no space. Any thread. */
bool checkpoint_low(const struct checkpoint *checkpoint);
