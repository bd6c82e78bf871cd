/*
 * The journal: a folder of segment files with blocks of events, each block chained to the one
 * before by SHA-256 and durable as a whole. It knows events as sized runs of bytes only.
 *
 *   loop:    journal_reserve -> bytes of an event -> journal_commit ... journal_seal
 *   journal thread:                                                  hash, pwrite, fdatasync -> notify
 *   reader thread:  journal_read_event, journal_read_block            (durable part only)
 *
 * A position counts bytes of blocks only: it is the same in every kind of journal. Formats are in
 * journal_format.h.
 */
#pragma once

#include "base/base.h"
#include "base/status.h"
#include "base/units.h"

#define JOURNAL_HASH_SIZE 32
#define JOURNAL_ID_SIZE 16
#define JOURNAL_EVENT_HEADER_SIZE 8 /* size and checksum, which journal_commit writes; the payload follows */
#define JOURNAL_BLOCK_MAX (4u * 1024 * 1024) /* bytes of a block, header and hash included */
#define JOURNAL_EVENT_MAX (2u * 1024 * 1024) /* bytes of one event; a block holds at least one */
#define JOURNAL_SEGMENT_BYTES_DEFAULT (64ull * 1024 * 1024)
#define JOURNAL_SEGMENT_BYTES_MIN (8ull * 1024 * 1024)

struct journal;

struct journal_options {
    const char *dir;        /* DATA/journal, made if missing */
    uint64_t segment_bytes; /* 0: default */
    uint64_t reserve_bytes; /* free space on the file system below which journal_low() is true */
    bool read_only; /* verification of a stopped daemon's files: the lock is shared, nothing is written or
                                * made (PUNKT_NOT_FOUND: no journal there), journal_start is refused */
    /* Called on the journal thread after a block became durable or the state of space changed; must only wake
     * the loop (write an eventfd). */
    void (*notify)(void *ctx);
    /* Called on the journal thread, or by journal_recover, when a write or sync failed: the process must end with
     * status 70 and no further answer. Does not return. */
    void (*fatal)(void *ctx, const char *what);
    void *ctx;
};

/* Where the chain stands: behind which block. */
struct journal_head {
    uint8_t id[JOURNAL_ID_SIZE];
    journal_position position;       /* behind the last block */
    uint8_t hash[JOURNAL_HASH_SIZE]; /* of the last block; of the id padded with zeros before the first */
    uint64_t next_sequence;          /* of the next event, from 1 */
    uint64_t term;                   /* of the last block, 1 before the first */
    utc_us time;                     /* of the last block, 0 before the first */
};

/* A block as it lies in memory or file. */
struct journal_block {
    journal_position position; /* of its first byte */
    uint32_t size;             /* header and hash included */
    uint32_t event_count;
    uint64_t first_sequence;
    uint64_t term;
    utc_us time;
    uint8_t hash[JOURNAL_HASH_SIZE];
    const uint8_t *events; /* borrowed for the call */
    uint32_t events_size;
};

/* Called for each block, in order. Anything but PUNKT_OK stops the walk and is handed on. */
typedef enum punkt_status journal_visit_fn(void *ctx, const struct journal_block *block,
                                           struct failure *failure);

/*
 * Opens or creates the folder: takes its lock (PUNKT_BUSY: another daemon has it), finds the
 * segments. No thread yet, nothing is written but what a new journal needs.
 */
PUNKT_MUST_CHECK enum punkt_status journal_open(const struct journal_options *options,
                                                struct journal **out_journal, struct failure *failure);

/* The id of the journal, and whether it was made by this journal_open. */
const uint8_t *journal_id(const struct journal *journal);
bool journal_is_new(const struct journal *journal);

/*
 * Walks all blocks from `from` (a head known from state, or the beginning: journal_beginning) to the
 * end, checks chain and checksums, ends at the last whole block. Follows LEDGER.md, Recovery: a torn
 * tail is cut only if `tail_may_be_torn` and all its conditions hold; everything else is
 * PUNKT_CORRUPT with file, offset and what to do. Then writes the last block again, zeros what lies
 * behind it, syncs. out_head: the end.
 */
PUNKT_MUST_CHECK enum punkt_status journal_recover(struct journal *journal, const struct journal_head *from,
                                                   bool tail_may_be_torn, journal_visit_fn *visit, void *ctx,
                                                   struct journal_head *out_head, struct failure *failure);
/* Bytes of a torn write that journal_recover cut off behind the head; 0: the end was sound. */
uint64_t journal_torn_bytes(const struct journal *journal);
void journal_beginning(const struct journal *journal, struct journal_head *out_head);

/* Starts the thread. Events can be reserved from now on. term: of the blocks to come. */
PUNKT_MUST_CHECK enum punkt_status journal_start(struct journal *journal, uint64_t term,
                                                 struct failure *failure);

/* --- loop thread --- */

/*
 * Room for an event of at most `size` bytes (<= JOURNAL_EVENT_MAX) in the open block; out_position is
 * where it will stand for ever. NULL: the open block is full and the one before still being written;
 * stop reading sockets until the next notify. Only one reservation at a time. A full block is sealed
 * here if the thread is free, with the time of the block before: so events of one decision stay in one
 * block if the first of them reserves room for all (less is committed, the rest reserved again).
 */
uint8_t *journal_reserve(struct journal *journal, uint32_t size, journal_position *out_position);
/* The event is written: size bytes of it count. */
void journal_commit(struct journal *journal, uint32_t size);
/* Whether journal_reserve(JOURNAL_EVENT_MAX) would succeed. */
bool journal_has_room(const struct journal *journal);
/*
 * Hands the open block to the thread if it is not empty and the thread is free. True if a block was
 * sealed: out_head is where the chain will stand, its hash not yet known (see journal_hash_of).
 */
bool journal_seal(struct journal *journal, utc_us time, struct journal_head *out_head);
/* The thread is free: an open block that is not empty would be sealed. */
bool journal_is_free(const struct journal *journal);
/* Position behind the last event committed (in the open block), and behind the last durable block. */
journal_position journal_next(const struct journal *journal);
journal_position journal_durable(const struct journal *journal);
/* The head of the newest durable block. Any thread. */
void journal_durable_head(struct journal *journal, struct journal_head *out_head);
/*
 * The hash of the block that ends at position, which must be durable (a checkpoint learns what it was sealed with).
 * Any thread but the journal's; reads the file. PUNKT_NOT_FOUND: its segment is not in the folder.
 */
PUNKT_MUST_CHECK enum punkt_status journal_hash_of(struct journal *journal, journal_position position,
                                                   uint8_t out_hash[JOURNAL_HASH_SIZE],
                                                   struct failure *failure);
/* The same of a block that a scan of this journal has passed, whether it is started or not. */
PUNKT_MUST_CHECK enum punkt_status journal_scanned_hash(struct journal *journal, journal_position position,
                                                        uint8_t out_hash[JOURNAL_HASH_SIZE],
                                                        struct failure *failure);
/* Waits until everything sealed is durable (clean stop, checkpoint thread). Any thread but the journal's. */
void journal_wait(struct journal *journal, journal_position position);
/* The same for a clean stop. False: there is no space for a segment now, and it may take any time. */
PUNKT_MUST_CHECK bool journal_wait_with_space(struct journal *journal, journal_position position);
/* No spare segment can be had, or less than reserve_bytes is free: refuse new business. */
bool journal_low(const struct journal *journal);
/*
 * The bytes of the event at position while its block is still in memory (open or on its way).
 * False: read it through the reader thread. Borrowed until the next call that may seal.
 */
bool journal_in_memory(const struct journal *journal, journal_position position, const uint8_t **out_event,
                       uint32_t *out_size);

/* --- reader thread; only below journal_durable() --- */

/*
 * Reads the event at position into buffer (JOURNAL_EVENT_MAX bytes). Checks length and checksum.
 * PUNKT_NOT_FOUND: its segment is not in the folder (archived); failure names the file.
 */
PUNKT_MUST_CHECK enum punkt_status journal_read_event(struct journal *journal, journal_position position,
                                                      uint8_t *buffer, uint32_t *out_size,
                                                      struct failure *failure);

/*
 * Where the first block of `time` or later begins, for journal_scan up to `until` (the end of a durable block): the head
 * before it; at `until` if there is none. Time goes back only where an operator had the clock accepted: segments are then
 * looked at as if it had not. What lies before is not checked.
 */
PUNKT_MUST_CHECK enum punkt_status journal_find_time(struct journal *journal, utc_us time,
                                                     journal_position until, struct journal_head *out_head,
                                                     struct failure *failure);

/* What a scan found wrong. */
struct journal_damage {
    char file[64];   /* inside the journal folder */
    uint64_t offset; /* in the file */
    char text[256];
};

/*
 * Reads everything from `from` up to position `until`, headers, blocks and (in segments that are
 * complete) the zeros behind them, and visits the blocks. For verification beside a live journal and,
 * through journal_open, of a stopped one. PUNKT_CORRUPT fills out_damage. A slice: stops with PUNKT_BUSY
 * after about slice_bytes (0: no bound); *inout_head is where to go on.
 */
PUNKT_MUST_CHECK enum punkt_status journal_scan(struct journal *journal, struct journal_head *inout_head,
                                                journal_position until, uint64_t slice_bytes,
                                                journal_visit_fn *visit, void *ctx,
                                                struct journal_damage *out_damage, struct failure *failure);

/* Stops the thread after what was sealed is durable; closes all. NULL is fine. */
void journal_close(struct journal *journal);
