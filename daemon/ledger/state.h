/*
 * State as keys and values: two layers in memory over LMDB. Knows nothing of what is in a record
 * but that its first byte is the record's version.
 *
 *   state_get:  active layer -> frozen layer -> LMDB snapshot
 *   state_put:  active layer
 *   state_freeze: active becomes frozen; the checkpoint thread puts it into LMDB in key order, in one
 *                 transaction with the mark it stands for, and commits once that position is durable
 *   state_finish: the loop renews its snapshot, then drops the frozen layer
 *
 * Belongs to the loop thread, but for what is said otherwise. Values in LMDB carry a CRC32C behind
 * them, which state_get checks.
 */
#pragma once

#include "base/base.h"
#include "base/status.h"
#include "base/units.h"
#include "ledger/journal.h"

#define STATE_KEY_MAX 128
#define STATE_VALUE_MAX (256u * 1024)
#define STATE_DIGEST_SIZE 16

struct state;

/* What LMDB stands for; one record in the same transaction. */
struct state_mark {
    struct journal_head head;
    utc_us ledger_time;
    bool clean; /* written by a clean stop: nothing of the journal may be cut */
};

struct state_options {
    const char *dir;        /* DATA/state, made if missing */
    uint64_t map_bytes;     /* 0: 1 TiB */
    uint32_t layer_records; /* freeze wanted at this many records; 0: 60,000 */
    /*
     * While state has at most small_pages pages (0: 110,000) a checkpoint cannot change so many that LMDB
     * spills, whatever it writes; then a layer may hold this many records (0: layer_records), and a page
     * that many of them change is written once instead of each time.
     */
    uint32_t layer_records_small;
    uint32_t small_pages;
    uint64_t layer_bytes;      /* or this many bytes; 0: 64 MiB */
    uint32_t record_burst_max; /* records one decision can add, 20,100: room kept above twice the bound */
    uint32_t interval_ms;      /* or this long after the last one; 0: 1,000 */
    /* Waits until the journal is durable up to a position. Called on the checkpoint thread before commit. */
    void (*wait_durable)(void *ctx, journal_position position);
    /* Fills the hash of a sealed block's head once it is durable. Called after wait_durable, with the head that
     * state_freeze got, whose position must stay. */
    void (*durable_head)(void *ctx, struct journal_head *out_head);
    void (*notify)(void *ctx);                  /* checkpoint thread: wake the loop, state_finish has work */
    void (*fatal)(void *ctx, const char *what); /* any thread: end with status 70; does not return */
    void *ctx;
};

/*
 * Opens or creates the environment (MDB_NOTLS is the only flag, asserted; 512 readers). out_found:
 * whether it holds a mark. A marker file left by a failed meta write gives PUNKT_CORRUPT: state is not
 * trusted and must be rebuilt (state_erase).
 */
PUNKT_MUST_CHECK enum punkt_status state_open(const struct state_options *options, struct state **out_state,
                                              bool *out_found, struct state_mark *out_mark,
                                              struct failure *failure);

/* Removes the files of an environment that is not open, for a rebuild. */
PUNKT_MUST_CHECK enum punkt_status state_erase(const char *dir, struct failure *failure);

/* Starts the checkpoint thread. Before it, state_checkpoint_now is the only way to disk. */
PUNKT_MUST_CHECK enum punkt_status state_start(struct state *state, struct failure *failure);

struct state_value {
    /* Borrowed until the next state_put, state_remove_key, state_freeze, state_finish or state_checkpoint_now. */
    const uint8_t *data;
    uint32_t size;
};

/* False: no such record. A record whose checksum is wrong ends the process through `fatal`. */
bool state_get(struct state *state, const void *key, size_t key_size, struct state_value *out_value);
/* Room for a value of `size` bytes under key, in the active layer; what was there is lost. Write it at once. */
uint8_t *state_put(struct state *state, const void *key, size_t key_size, uint32_t size);
void state_remove_key(struct state *state, const void *key, size_t key_size);

/* Active has grown to its bound, or the interval is over and it is not empty: freeze at the next seal. In recovery,
 * where time does not count, monotonic_us is 0. */
bool state_wants_freeze(const struct state *state, int64_t monotonic_us);
/* Active has grown to twice its bound: stop reading sockets until a freeze succeeds. Above it there is room for
 * record_burst_max small records, and for as much again, so that recovery can fold a block whole. */
bool state_is_crowded(const struct state *state);
/* No frozen layer is on its way: state_freeze would succeed. */
bool state_may_freeze(const struct state *state);
/*
 * Active becomes frozen, to be written together with mark (whose head.hash may be unknown yet). False:
 * the frozen layer before is still on its way.
 */
bool state_freeze(struct state *state, const struct state_mark *mark, int64_t monotonic_us);
/* After notify: if the checkpoint is done, renews the snapshot and drops the frozen layer. True if it did. */
bool state_finish(struct state *state);
/* Whether the checkpoint in progress found the disk or map full; it is tried again each second. Any thread. */
bool state_low(const struct state *state);

/*
 * Recovery and clean stop: writes the active layer with mark, on the calling thread, and waits for it (and for
 * one that is on its way). Before state_start the mark is taken as it is: it must be whole and durable.
 * PUNKT_FULL: nothing happened, the active layer is as it was. Anything else: state on disk is not trusted
 * any more, which a marker file tells the next state_open.
 */
PUNKT_MUST_CHECK enum punkt_status state_checkpoint_now(struct state *state, const struct state_mark *mark,
                                                        struct failure *failure);

/* The digest and mark of the last commit: sum modulo 2^128 over SHA-256(key size, key, value), first 16
 * bytes each, of every record but the mark. Any thread. */
void state_digest(const struct state *state, uint8_t out_digest[STATE_DIGEST_SIZE],
                  struct state_mark *out_mark);

/* Recomputes the digest from every record, in slices of at most 10,000 records a snapshot (tests, verify of a
 * stopped daemon). PUNKT_CORRUPT if a record's checksum is wrong. */
PUNKT_MUST_CHECK enum punkt_status state_digest_recompute(struct state *state,
                                                          uint8_t out_digest[STATE_DIGEST_SIZE],
                                                          struct failure *failure);

/* Pages and bytes in use by LMDB, of the last commit. Any thread. */
uint64_t state_bytes_used(const struct state *state);

/* Reads the file through once so that the loop does not fault on cold pages. Any thread. */
void state_warm(struct state *state);

/* Calls visit for the records of LMDB whose key begins with prefix, at most `limit` from behind `after`
 * (empty: from the first), until visit says false; fresh short snapshots of its own, the mark left out. Reader
 * thread. */
typedef bool state_visit_fn(void *ctx, const uint8_t *key, size_t key_size, const uint8_t *value,
                            size_t size);
PUNKT_MUST_CHECK enum punkt_status state_scan(struct state *state, const void *prefix, size_t prefix_size,
                                              const void *after, size_t after_size, uint32_t limit,
                                              state_visit_fn *visit, void *ctx);

/* Stops the thread (a checkpoint in progress is completed), closes. NULL is fine. */
void state_close(struct state *state);
