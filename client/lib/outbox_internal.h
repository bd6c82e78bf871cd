/*
 * What the files of the outbox share: what is remembered (outbox_entries.c), the file (outbox_file.c), reading it
 * (outbox_load.c) and writing it anew (outbox_compact.c).
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/outbox.h"
#include "lib/outbox_format.h"

#define OUTBOX_NAME_SIZE 200

/* An entry and what only the outbox knows of it. */
struct item {
    struct outbox_entry entry; /* first: callers hold a pointer to it */
    struct item *previous;     /* in order */
    struct item *in_bucket;    /* with the same hash */
    struct item *unsettled_next;
    bool taken;        /* in the record that is being written */
    bool chained;      /* in the chain of the unsettled */
    bool closed;       /* its day was closed after it was answered */
    bool again;        /* answered before: it is not new, and no cap counts it */
    bool forget;       /* the file being written goes without it */
    uint64_t moved_to; /* its body in the file being written */
};

/* Memory that grows and is kept. */
struct scratch {
    uint8_t *bytes;
    size_t capacity;
};

struct outbox {
    const struct heap *heap;
    uint32_t open_max;
    int64_t age_max_us;
    int64_t earliest_us, opened_us; /* wall clock */
    uint64_t preallocate;

    int folder, lock, fd; /* -1: none */
    char name[OUTBOX_NAME_SIZE];
    struct outbox_header header; /* the one that counts */
    bool header_written;         /* it names the epochs of this opening */
    uint64_t size;               /* of the file */
    uint64_t end;                /* of its records */
    uint64_t dirty_end;          /* up to where a write that failed may have left bytes */
    bool spoiled; /* something that was to be synced was not: never written to again, only replaced */

    uint64_t epochs[2], next_number[2]; /* of this opening, by lane */
    struct item *first, *last;
    struct item *oldest; /* every open one that was never reopened is this one or behind it */
    struct item *gone;   /* discarded; freed when nobody can hold them */
    struct item **buckets;
    size_t bucket_count, item_count;
    uint32_t again_count;
    struct item *unsettled;
    struct outbox_counts counts; /* open, queued, dead, kept, failed */

    int32_t *closed_days;
    size_t closed_count, closed_capacity;
    uint8_t known[OUTBOX_KNOWN_MAX];
    size_t known_size;

    struct scratch record; /* what is to be appended */
    struct scratch copy;   /* what is read, or written anew */
    char trouble[OUTBOX_WHY_SIZE];
};

/* Remembers why, with what errno says unless error is 0. Returns OUTBOX_FAILED. */
enum outbox_status outbox_fail(struct outbox *outbox, int error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
enum outbox_status outbox_no_memory(struct outbox *outbox);

/* At least so many bytes; what was in them stays. False: no memory. */
bool scratch_reserve(struct outbox *outbox, struct scratch *scratch, size_t size);

/* --- what is remembered --- */

struct item *item_of(const struct outbox_entry *entry);
struct item *item_find(const struct outbox *outbox, uint64_t epoch, uint64_t number);

/* A new one, not yet in the list; NULL: no memory. item_enter cannot fail. */
struct item *item_new(struct outbox *outbox);
void item_enter(struct outbox *outbox, struct item *item);

/* Out of the list and the index; the caller frees it. */
void item_leave(struct outbox *outbox, struct item *item);

/* The one place where a state changes. result: of all but OPEN. */
void item_change(struct outbox *outbox, struct item *item, enum outbox_state state,
                 const struct outbox_result *result);

/* To be written by the next flush; and everything was. */
void item_unsettle(struct outbox *outbox, struct item *item);
void items_settled(struct outbox *outbox);

bool item_may_go(const struct item *item, int64_t now_us);
/* Frees those marked `forget`, or takes the mark off. */
void items_forget(struct outbox *outbox, bool forget);
void items_free(struct outbox *outbox);

/* False: no memory. A day that is closed already is fine. */
bool day_reserve(struct outbox *outbox);
void day_close(struct outbox *outbox, int32_t business_date, bool covers);
void day_reopen(struct outbox *outbox, int32_t business_date);

/* How many are not on the disk yet. */
uint32_t unsettled_count(const struct outbox *outbox);
/* The next record about them, in outbox->record: one DONE of those that are answered, or of one the DEAD or DISCARD.
 * *out_size: 0 if there is none. One record only, for a crash must not leave the second without the first. */
enum outbox_status unsettled_encode(struct outbox *outbox, size_t *out_size);
/* What that record says is on the disk. */
void unsettled_written(struct outbox *outbox);
/* DONE and DEAD of everything that is answered and not to be forgotten. */
size_t answered_size(const struct outbox *outbox);
void answered_encode(const struct outbox *outbox, struct wire_writer *writer);

/* --- the file --- */

/* Finds the folder and locks the outbox. */
enum outbox_status file_lock(struct outbox *outbox, const char *path);
void file_unlock(struct outbox *outbox);

/* All of it, whatever is short or interrupted: 0, or errno. file_read: EIO if the file ends before. */
int file_write(int fd, const void *bytes, size_t size, uint64_t offset);
int file_read(int fd, void *bytes, size_t size, uint64_t offset);
/* Makes the file that long, with space for all of it: 0, or errno. */
int file_allocate(int fd, uint64_t size);
/* Renames and new names in the folder are durable: 0, or errno. */
int file_sync_folder(const struct outbox *outbox);

/* Appends what stands in outbox->record, one record, unsealed; writes the file anew where it must be. Durable when
 * OUTBOX_OK. `record` must have room for what is before dirty_end, too: it grows. */
enum outbox_status file_append(struct outbox *outbox, size_t size);

/* The header names the epochs of this opening, durably. */
enum outbox_status file_own(struct outbox *outbox);

/* The record of an operation, checked: *out lies in outbox->copy. */
enum outbox_status file_operation(struct outbox *outbox, const struct outbox_entry *entry,
                                  const uint8_t **out);

/* --- reading it, writing it anew --- */

/* Reads the whole file into memory, and makes durable what was found. out_why: "", or what was wrong and what became of it. */
enum outbox_status outbox_load(struct outbox *outbox, char out_why[OUTBOX_WHY_SIZE]);

/* Writes everything that is remembered and not marked `forget` into a new file, which takes the place of the old. */
enum outbox_status outbox_rewrite(struct outbox *outbox);
