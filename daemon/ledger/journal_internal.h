/*
 * What the sources of the journal share: who owns which field, and what they do for each other.
 * Nobody but journal*.c and their tests includes this.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "ledger/journal.h"
#include "ledger/journal_format.h"

#define SPARE_SLICE_BYTES (256u * 1024) /* what a commit may have to wait for while a spare is made */
#define SPARE_NAME_SIZE 24u
#define FD_CACHE_SIZE 8u

/* A block that fills, or that is on its way. */
struct block_buffer {
    uint8_t *bytes; /* block_max of them */
    uint32_t used;  /* header included, hash not */
    uint32_t event_count;
    journal_position position;
    uint64_t first_sequence;
};

/* The segments in the folder, ascending. Any thread, under its lock. */
struct segment_table {
    pthread_mutex_t lock;
    journal_position *starts;
    size_t count, capacity;
};

/* The segment that blocks are written to, and the one that waits. Journal thread; before its start, who opens. */
struct segment_writer {
    int fd; /* -1: none */
    journal_position start;
    uint64_t bytes;

    int spare_fd; /* -1: no file */
    unsigned spare_number;
    uint64_t spare_written;
    bool spare_ready;   /* zeros are on the disk */
    bool spare_blocked; /* no space; tried again at the next check */
    bool spare_failed;  /* as blocked, until one could be made */
    uint8_t *zeros;     /* SPARE_SLICE_BYTES */
};

/* Files that readers hold open. */
struct fd_cache {
    pthread_mutex_t lock; /* held while reading, so that nobody closes what another reads; never by the
                             journal thread */
    struct {
        int fd; /* -1: free */
        journal_position start;
        uint64_t used_at;
    } slots[FD_CACHE_SIZE];
    uint64_t clock;
};

struct journal {
    /* Set by journal_open, then never changed. */
    struct journal_options options; /* dir is a copy */
    uint32_t block_max;             /* JOURNAL_BLOCK_MAX, less only where tests have tiny segments */
    int dir_fd, lock_fd;
    bool is_new;
    uint8_t id[JOURNAL_ID_SIZE];

    struct segment_table table;
    struct segment_writer writer;
    struct fd_cache cache;

    /* Loop thread. */
    bool recovered;
    uint64_t torn_bytes; /* what recovery found behind the last block, and made zero */
    struct block_buffer buffers[2];
    struct block_buffer *open, *away; /* away is the journal thread's while busy */
    uint32_t reserved;
    uint64_t next_sequence;
    uint64_t term;
    utc_us sealed_time; /* of the newest sealed block */

    /* Between threads. head is under the lock; the others are written under it and read without. */
    bool lock_made, started;
    pthread_mutex_t lock;
    pthread_cond_t work; /* for the journal thread: a block, or stop */
    pthread_cond_t done; /* for journal_wait: a block is durable */
    pthread_t thread;
    struct journal_head head;
    atomic_uint_least64_t durable;
    atomic_bool busy; /* away is handed over and not yet durable */
    atomic_bool stop;
    atomic_bool low;
    bool out_of_space; /* under the lock: the block that is away waits for a segment */

    /* Journal thread. */
    struct sha256 sha256;
    int64_t next_check_us; /* monotonic: when to look at the space again */
};

/* journal_open with segments smaller than JOURNAL_SEGMENT_BYTES_MIN, for tests that want many of them. */
PUNKT_MUST_CHECK enum punkt_status journal_open_sized(const struct journal_options *options,
                                                      uint64_t segment_bytes_min,
                                                      struct journal **out_journal, struct failure *failure);

/* --- journal_file.c: calls of the system that loop and report; 0 or an errno --- */

PUNKT_MUST_CHECK int file_write_all(int fd, const uint8_t *bytes, size_t size, uint64_t offset);
/* Reads size bytes; what lies behind the end of the file counts as EIO. */
PUNKT_MUST_CHECK int file_read_all(int fd, uint8_t *bytes, size_t size, uint64_t offset);
/* out_from and out_to: the run from the first to behind the last byte in [from, to) that is not zero; equal: none. */
PUNKT_MUST_CHECK int file_find_nonzero(int fd, uint64_t from, uint64_t to, uint64_t *out_from,
                                       uint64_t *out_to);
/* Writes the words of errno `error` met while doing `what` to `name` in the folder. Full space is PUNKT_FULL. */
enum punkt_status file_failure(const struct journal *journal, struct failure *failure, const char *what,
                               const char *name, int error);
int64_t monotonic_us(void);

/* --- journal_segment.c: the folder --- */

/* Makes and locks the folder, or opens it. */
PUNKT_MUST_CHECK enum punkt_status folder_open(struct journal *journal, struct failure *failure);
/* Fills the table; keeps one leftover spare to be made anew and removes the others. */
PUNKT_MUST_CHECK enum punkt_status folder_list(struct journal *journal, struct failure *failure);

PUNKT_MUST_CHECK bool table_add(struct segment_table *table, journal_position start);
/* The last segment that begins at or before position. False: none. */
PUNKT_MUST_CHECK bool table_find(struct segment_table *table, journal_position position, size_t *out_index,
                                 journal_position *out_start);
PUNKT_MUST_CHECK bool table_at(struct segment_table *table, size_t index, journal_position *out_start);

/*
 * Opens the segment that begins at start for reading (or reading and writing), checks its header and its
 * size. PUNKT_NOT_FOUND: no such file; PUNKT_CORRUPT fills out_damage.
 */
PUNKT_MUST_CHECK enum punkt_status segment_open(const struct journal *journal, journal_position start,
                                                bool to_write, int *out_fd, uint64_t *out_bytes,
                                                struct journal_damage *out_damage, struct failure *failure);

/* Writes one slice of the spare. PUNKT_FULL: no space, the file is gone again; PUNKT_IO: see failure. */
PUNKT_MUST_CHECK enum punkt_status spare_step(struct journal *journal, struct failure *failure);
/* Makes the ready spare the segment that begins at start, and the one to write to. */
PUNKT_MUST_CHECK enum punkt_status spare_take(struct journal *journal, journal_position start,
                                              struct failure *failure);
/* Bytes that others may still write on the file system; 0 on failure. */
uint64_t folder_free_bytes(const struct journal *journal);

/* --- journal_thread.c --- */

void *journal_thread(void *arg);
/* Looks at the space and sets journal_low. */
void journal_check_space(struct journal *journal);

/* --- journal_walk.c: block after block, for recovery and scans --- */

/* A walk along the chain. */
struct journal_walk {
    struct journal *journal;
    struct sha256 sha256;
    uint8_t *window; /* bytes of the file read ahead */
    uint64_t window_offset;
    uint32_t window_size;
    int fd;                 /* of the segment the walk is in; -1: none */
    size_t index;           /* of it, in the table */
    journal_position start; /* of it */
    uint64_t bytes;         /* of it */

    struct journal_head head; /* where the walk is */
    bool head_known;          /* false: only head.position is, for the walk began in the middle */

    /* Of a block that does not check out: the smallest run of the file that does not, the end of the block as
     * far as its header is sound (else 0), and the words. */
    uint64_t fault_from, fault_to, block_end;
    struct journal_damage damage;
};

PUNKT_MUST_CHECK enum punkt_status walk_init(struct journal_walk *walk, struct journal *journal,
                                             struct failure *failure);
void walk_done(struct journal_walk *walk);
/* Enters the segment at index of the table. PUNKT_CORRUPT fills walk->damage. */
PUNKT_MUST_CHECK enum punkt_status walk_enter(struct journal_walk *walk, size_t index,
                                              struct failure *failure);
/* Where in the file the next block begins. */
uint64_t walk_offset(const struct journal_walk *walk);
/*
 * Checks the block at walk->head and steps over it; until: position that it may reach. out_block is borrowed until
 * the next call. PUNKT_NOT_FOUND: zeros, or no room for a block; PUNKT_CORRUPT fills walk->damage and fault.
 */
PUNKT_MUST_CHECK enum punkt_status walk_next(struct journal_walk *walk, journal_position until,
                                             struct journal_block *out_block, struct failure *failure);
/* Checks that the rest of the segment is zero. PUNKT_CORRUPT fills walk->damage. */
PUNKT_MUST_CHECK enum punkt_status walk_check_zeros(struct journal_walk *walk, struct failure *failure);
/* Fills walk->damage for the segment the walk is in; returns PUNKT_CORRUPT. */
PUNKT_PRINTF(3, 4)
enum punkt_status walk_damaged(struct journal_walk *walk, uint64_t offset, const char *format, ...);

/* --- journal_read.c --- */

void cache_close(struct fd_cache *cache);
