/*
 * LMDB behind one border: its codes, pointers and rules end here. One unnamed database; a record lies
 * there as its value and behind it the CRC32C (u32, little-endian) of key and value, so that a value
 * found under a wrong key is noticed as well.
 *
 * Never open a folder twice in a process, use an environment after a fork, or put it on a network disk.
 */
#pragma once

#include "base/base.h"
#include "base/status.h"
#include "ledger/state.h"

struct lmdb;

/*
 * A borrowed run of bytes. A value lies in a page as it is (aligned to 2 bytes, its checksum left out) and
 * lives until the snapshot is renewed or the transaction changes or ends.
 */
struct lmdb_bytes {
    const uint8_t *data;
    size_t size;
};

/*
 * Opens or makes the folder and its environment. PUNKT_CORRUPT: damaged, or distrusted by an earlier run;
 * lmdb_erase is the way out. *out_db is given to the caller.
 */
PUNKT_MUST_CHECK enum punkt_status lmdb_open(const char *dir, uint64_t map_bytes, struct lmdb **out_db,
                                             struct failure *failure);
/* NULL is fine. */
void lmdb_close(struct lmdb *db);
/* Removes the files of a folder that is not open. */
PUNKT_MUST_CHECK enum punkt_status lmdb_erase(const char *dir, struct failure *failure);
/* Leaves a file that makes every later lmdb_open fail, until lmdb_erase. Any thread. */
void lmdb_distrust(struct lmdb *db, const char *reason);

/*
 * --- one snapshot that is held all the time, by the loop ---
 * What is read is what was committed before the last renewal. PUNKT_NOT_FOUND; PUNKT_CORRUPT if the
 * checksum is wrong.
 */
PUNKT_MUST_CHECK enum punkt_status lmdb_get(struct lmdb *db, const void *key, size_t key_size,
                                            struct lmdb_bytes *out_value, struct failure *failure);
PUNKT_MUST_CHECK enum punkt_status lmdb_renew(struct lmdb *db, struct failure *failure);

/*
 * --- one writing transaction at a time, begun and ended on one thread ---
 * Its first failure sticks: what follows does nothing, and lmdb_commit ends it with that failure.
 */
struct lmdb_writer {
    struct lmdb *db;
    struct MDB_txn *txn;
    struct MDB_cursor *cursor; /* one for all: keys come in order, so most are on the page it stands on */
    struct failure *failure;   /* borrowed from lmdb_begin to lmdb_commit */
    enum punkt_status status;
};

void lmdb_begin(struct lmdb *db, struct lmdb_writer *out_writer, struct failure *failure);
/* False: there is none, or the transaction has failed. */
bool lmdb_find(struct lmdb_writer *writer, const void *key, size_t key_size, struct lmdb_bytes *out_value);
void lmdb_put(struct lmdb_writer *writer, const void *key, size_t key_size, const void *value, size_t size);
/* The record must be there. */
void lmdb_remove(struct lmdb_writer *writer, const void *key, size_t key_size);
/*
 * PUNKT_OK: it is on disk. PUNKT_FULL: disk or map is full, nothing happened, the same can be tried again.
 * Anything else: what is on disk is not known.
 */
PUNKT_MUST_CHECK enum punkt_status lmdb_commit(struct lmdb_writer *writer);
void lmdb_abort(struct lmdb_writer *writer);

/* --- any thread --- */

/* Which records a walk visits: those whose key begins with prefix and lies behind `after`, either may be empty. */
struct lmdb_walk_range {
    struct lmdb_bytes prefix;
    struct lmdb_bytes after;
    uint64_t limit; /* 0: all */
};

/*
 * Visits records in the order of their keys until visit says false. A fresh snapshot after each 10,000.
 * PUNKT_CORRUPT: a wrong checksum.
 */
PUNKT_MUST_CHECK enum punkt_status lmdb_walk(struct lmdb *db, const struct lmdb_walk_range *range,
                                             state_visit_fn *visit, void *ctx, struct failure *failure);
/* Bytes of the file that the last commit uses. */
uint64_t lmdb_bytes_used(struct lmdb *db);
/* Pages of the last commit that hold records. Any thread. */
uint64_t lmdb_pages(const struct lmdb *db);
/* Frees the reader slots of dead processes, whose snapshots would make the file grow. */
void lmdb_check_readers(struct lmdb *db);
/* Reads the file from begin to end into the page cache. */
void lmdb_warm(struct lmdb *db);
