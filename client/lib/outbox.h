/*
 * The outbox: one append-only file in which every change of a till stands before it is sent, and its answer after.
 * It knows nothing of sockets and of what the operations mean, and has no clock: times come in.
 *
 * The file (RELIABILITY.md, Outbox of the client): two copies of a header, of which the valid one with the higher
 * generation counts, then records, each with length, type, number, payload and checksum, never updated in place.
 *
 *      0            4096          8192
 *      | header     | header      | OP | OP | DONE | OP | DEAD | ...            zeros to 16 MiB and beyond |
 *
 * A record is one pwrite and one fdatasync. A bad record with nothing valid behind it is a torn tail: it was never
 * acknowledged and is cut. With something valid behind it, it is corruption: the file is kept aside, what is valid
 * saved, and the caller told. After a fdatasync that failed the file is never synced again: what is known is
 * written to a new one.
 *
 * An entry is one operation:
 *
 *      outbox_append --> OPEN --outbox_settle--> DONE or REFUSED --closed, and seven days old--> forgotten
 *                          '---outbox_bury----> DEAD --outbox_discard--> forgotten
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buffer.h"
#include "lib/heap.h"

/* The two lanes of a till (LEDGER.md, Who sends): the queue is drained in order, the live one goes on beside it. */
enum outbox_lane { OUTBOX_LANE_QUEUE = 0, OUTBOX_LANE_LIVE = 1 };

enum outbox_state {
    OUTBOX_OPEN = 1,    /* no final answer is known */
    OUTBOX_DONE = 2,    /* booked */
    OUTBOX_REFUSED = 3, /* refused for good, and the caller, or an advice, has taken over */
    OUTBOX_DEAD = 4,    /* can never be booked: somebody must look at it */
};

/* What the caller says of an operation besides its bytes; kept as it is. */
struct outbox_note {
    int64_t created_us;      /* wall clock, microseconds since 1970 */
    int32_t business_date;   /* days since 1970 */
    int64_t amount;          /* of the goods, minor units; 0: none */
    int64_t offline_points;  /* redeemed without asking the server */
    char card[33];           /* ""; with NUL */
    uint64_t replaces_epoch; /* an advice: the refused operation that it stands for; else 0, 0 */
    uint64_t replaces_number;
    /* How long the outbox had been open by a clock that nobody puts right; 0: not known. On no disk. */
    int64_t passed_us;
};

/* How an operation ended, as far as it is worth keeping. */
struct outbox_result {
    int64_t at_us;     /* wall clock */
    uint32_t result;   /* 0: done; else why it was refused */
    uint64_t position; /* of its event; 0: none, or of no interest */
    bool tied;         /* done, but the document was booked before under another number */
    int64_t earned, redeemed, worth, available; /* points and minor units, as on the wire */
    bool balance_known;                         /* available is the card's balance at at_us */
    /* Of a hold: when it is given back by itself, on the server's clock. On no disk: 0 once it was opened again. */
    int64_t held_until_us;
};

struct outbox_entry {
    struct outbox_entry *next; /* in the order in which they were appended */
    enum outbox_lane lane;
    enum outbox_state state;
    uint64_t epoch, number; /* of its lane */
    uint16_t operation;
    uint16_t flags;          /* of the frame */
    uint8_t fingerprint[16]; /* first bytes of SHA-256 over operation (two bytes, little-endian) and body */
    struct outbox_note note;
    struct outbox_result result; /* not OPEN */
    uint32_t body_size;
    uint64_t body_offset; /* in the file; moves when it is compacted */
    bool unsettled;       /* settled here, not yet on the disk */
    /* The caller's own, zero at first, on no disk: */
    void *waiter;
    bool ended;            /* of a hold: it was captured or given back */
    bool cancelled;        /* a reversal, or an advice in its place, stands behind it */
    bool unasked;          /* no caller knows of it: nobody is told how it ends */
    bool reopened;         /* see outbox_reopen */
    uint16_t resend_flags; /* of the frame, besides flags */
};

enum outbox_status {
    OUTBOX_OK = 0,
    OUTBOX_FULL,    /* too many are open, or the oldest is too old */
    OUTBOX_FAILED,  /* the disk refused; nothing was appended that anybody may count on. May be tried again */
    OUTBOX_IN_USE,  /* another process has it open */
    OUTBOX_FOREIGN, /* it is another till's, or no outbox at all, or of a version that is not known */
    OUTBOX_NO_MEMORY,
};

struct outbox_options {
    const char *path;
    const char *store, *till; /* 1 to 32 bytes; of a new file; of an old one they must be the same */
    uint64_t epochs[2];       /* of this opening, by lane: new random numbers, not 0 */
    int64_t now_us;           /* wall clock */
    int64_t earliest_us;      /* what was made before was made by a clock that was wrong, and has no age */
    uint32_t open_max;        /* operations without an answer */
    int64_t age_max_us;       /* of the oldest of them */
    uint64_t preallocate;     /* bytes; what the file has from the beginning */
    const struct heap *heap;  /* outlives the outbox; NULL: libc's */
};

struct outbox;

/*
 * Opens, or makes, locks and reads the file: 0600, in a folder that is there. out_why: one line about what went wrong, or,
 * after OUTBOX_OK, about damage that was found and what became of it; "" if all is well. *out: to be given to
 * outbox_close; NULL unless OUTBOX_OK. The lock is on PATH.lock, which stays; a damaged file stays as PATH.damaged-N.
 *
 * What damage took is not known any more. Of a lane of an earlier opening numbers may then be missing, which a server
 * never passes over: the caller sees it in the numbers of its entries. An answer that is lost only makes an entry
 * OPEN again.
 */
#define OUTBOX_WHY_SIZE 512
enum outbox_status outbox_open(const struct outbox_options *options, struct outbox **out,
                               char out_why[OUTBOX_WHY_SIZE]);

/* Writes what is settled, if the disk lets it, and closes. NULL is fine. */
void outbox_close(struct outbox *outbox);

/*
 * Appends an operation under the next number of this opening's epoch in its lane. OUTBOX_OK: it is durable, and *out is its
 * entry. Otherwise the caller must not send it, and its number is the next one's; after OUTBOX_FAILED it may still be
 * there when the process ends and the outbox is opened again. body: up to FRAME_BODY_MAX bytes, copied as they are, so
 * without secrets. OUTBOX_FULL is judged at note->created_us, or earlier, if since the opening a shorter time
 * has passed than the wall clock says: a clock that is put right makes nothing old. An advice (replaces_epoch) is never too much, for it ends
 * an operation that is OPEN.
 */
enum outbox_status outbox_append(struct outbox *outbox, enum outbox_lane lane, uint16_t operation,
                                 uint16_t flags, const void *body, size_t body_size,
                                 const struct outbox_note *note, struct outbox_entry **out);

/* An OPEN entry ended: at once here, on the disk with outbox_flush. A lost settling is harmless: asked again, the
 * server answers the same. */
void outbox_settle(struct outbox *outbox, struct outbox_entry *entry, const struct outbox_result *result);

/* One DONE record with everything settled since the last, synced. OUTBOX_OK if there is nothing. */
enum outbox_status outbox_flush(struct outbox *outbox);

/* An OPEN entry goes to the DEAD list, durably (at the next flush where the disk refuses now), and off it. A discarded
 * entry is not to be used any more, whatever the status. */
enum outbox_status outbox_bury(struct outbox *outbox, struct outbox_entry *entry,
                               const struct outbox_result *result);
enum outbox_status outbox_discard(struct outbox *outbox, struct outbox_entry *entry);

/* Answered before (or dead) by a server that has lost it: OPEN again, under its number. In memory only: it is found out
 * again. OUTBOX_FULL does not count it, nor does oldest_us. */
void outbox_reopen(struct outbox *outbox, struct outbox_entry *entry);

/* The body as it was appended, behind what `out` holds. False: it cannot be read (or no memory). */
bool outbox_body(struct outbox *outbox, const struct outbox_entry *entry, struct buffer *out);

/* All entries that are remembered, oldest first; they stay where they are until outbox_compact forgets them. */
struct outbox_entry *outbox_first(const struct outbox *outbox);
struct outbox_entry *outbox_find(const struct outbox *outbox, uint64_t epoch, uint64_t number);

/* The lanes of this opening. */
uint64_t outbox_epoch(const struct outbox *outbox, enum outbox_lane lane);
uint64_t outbox_next_number(const struct outbox *outbox, enum outbox_lane lane);

/* What is to be known again after a restart (of the server, in the form its owner gives it); up to OUTBOX_KNOWN_MAX
 * bytes, the last counts. Durable when OUTBOX_OK. */
#define OUTBOX_KNOWN_MAX 8192
enum outbox_status outbox_keep(struct outbox *outbox, const void *bytes, size_t size);
const void *outbox_known(const struct outbox *outbox, size_t *out_size);

/* A close of this business date was in balance: what was answered of it may be forgotten when it is seven days old.
 * Durable when OUTBOX_OK. The day counts as closed until something of it is appended. */
enum outbox_status outbox_close_day(struct outbox *outbox, int32_t business_date);
bool outbox_day_closed(const struct outbox *outbox, int32_t business_date);

/* Writes a new file without what may be forgotten, if that is worth it (it has grown past what it was given, and half of
 * it is waste; or `always`), and takes its place. Entries that are forgotten are freed: the caller holds pointers to
 * OPEN and DEAD ones only. outbox_open does it by itself. */
enum outbox_status outbox_compact(struct outbox *outbox, int64_t now_us, bool always);

struct outbox_counts {
    uint32_t open;   /* both lanes */
    uint32_t queued; /* of them in the queue */
    uint32_t dead;
    uint32_t kept;      /* answered, not forgotten yet */
    uint32_t unsettled; /* answered, dead or discarded, and not on the disk yet */
    uint32_t reopened;  /* of the open ones */
    int64_t oldest_us;  /* when the oldest open one was made; 0: none is */
    uint64_t bytes;     /* of the file that are used */
    bool failed;        /* the last thing the disk said was no */
};

void outbox_counts(const struct outbox *outbox, struct outbox_counts *out);

/* Why the last call failed: one line, "" if it did not. */
const char *outbox_trouble(const struct outbox *outbox);
