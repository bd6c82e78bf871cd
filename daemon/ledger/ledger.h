/*
 * The ledger: events become durable and become state. Owns the journal, state, their threads and the
 * ledger's time. Belongs to the loop thread.
 *
 *   ledger_reserve -> (decide) -> ledger_append: the event is folded into state in memory and stands in the
 *   open block; ledger_turn_end seals the block when the journal thread is free; what reports the event
 *   may leave when ledger_durable() has passed its position.
 */
#pragma once

#include "base/base.h"
#include "base/status.h"
#include "base/units.h"
#include "ledger/clock.h"
#include "ledger/reader.h"
#include "ledger/records.h"
#include "ledger/verify.h"
#include "points/event.h"

struct ledger;

struct ledger_options {
    const char *dir;        /* DIR: holds journal/ and state/ */
    uint64_t segment_bytes; /* 0: default */
    uint64_t reserve_bytes; /* free space below which new business is refused; 0: two segments */
    uint64_t map_bytes;     /* 0: default */
    uint32_t layer_records; /* 0: default */
    uint64_t layer_bytes;   /* 0: default */
    uint32_t checkpoint_ms; /* 0: default */
    utc_us build;           /* an empty journal trusts no clock before this */
    /* A write or sync failed: say so and end with status 70, without another answer. Any thread. */
    void (*fatal)(void *ctx, const char *what);
    void *ctx;
};

/* What recovery found and did, for the log. */
struct ledger_recovery {
    bool created;              /* a new ledger */
    uint64_t blocks, events;   /* replayed behind the checkpoint */
    journal_position position; /* where the journal ends */
    uint64_t torn_bytes;       /* of a write that was never whole, cut off behind it */
};

/*
 * Opens the ledger, recovers it (LEDGER.md, Recovery), starts its threads. PUNKT_CORRUPT and PUNKT_BUSY
 * come with words that say which file, where, and what to do.
 */
PUNKT_MUST_CHECK enum punkt_status ledger_open(const struct ledger_options *options,
                                               struct ledger **out_ledger,
                                               struct ledger_recovery *out_recovery, struct failure *failure);

/* Throws state away and folds it anew from the journal alone. If the journal ends before what the old
 * state stood for, a new term begins, and an event says so. The daemon must not run. */
PUNKT_MUST_CHECK enum punkt_status ledger_rebuild(const struct ledger_options *options,
                                                  struct ledger_recovery *out_recovery,
                                                  struct failure *failure);

/* Verifies the files of a stopped daemon. A key of seals that fits none of them is damage, too. */
PUNKT_MUST_CHECK enum punkt_status ledger_verify_files(const struct ledger_options *options,
                                                       const struct verify_asked *asked,
                                                       struct verify_report *out_report,
                                                       struct failure *failure);

/* Readable when ledger_process has work. */
int ledger_fd(const struct ledger *ledger);
/* Takes what the threads finished: drops a frozen layer, ends jobs, starts those whose event is durable now. */
void ledger_process(struct ledger *ledger);
/* End of a turn of the loop: seals, freezes. */
void ledger_turn_end(struct ledger *ledger);

/* A block waits to be sealed, and the journal thread is free to take it. */
bool ledger_may_seal(const struct ledger *ledger);
/* False: no room for another decision; stop reading sockets until ledger_process made some. */
bool ledger_has_room(const struct ledger *ledger);
/* Storage is nearly full: new business is refused, what gives points back goes on. */
bool ledger_storage_low(const struct ledger *ledger);

/* Position of the next event, final. ledger_has_room must have been true in this turn. */
journal_position ledger_reserve(struct ledger *ledger);
/* Appends the event at the reserved position: fills its sequence and each effect's previous event. */
void ledger_append(struct ledger *ledger, struct event *event);
/* Position of the newest event; what has no position of its own waits for it. 0: none yet. */
journal_position ledger_newest(const struct ledger *ledger);
/* Behind the last event, durable or not. */
journal_position ledger_end(const struct ledger *ledger);
/* Events below this position are durable. */
journal_position ledger_durable(const struct ledger *ledger);

/* What stands for all that is durable: the hash of the newest durable block, into out_hash, and where that ends. */
journal_position ledger_head(struct ledger *ledger, uint8_t out_hash[32]);

/* Ledger time, read from the machine's clocks at most once a turn. */
utc_us ledger_now(struct ledger *ledger);
bool ledger_clock_confirmed(const struct ledger *ledger);
/* Takes the machine's clock as the ledger's; out_before, out_after: ledger time. */
void ledger_take_clock(struct ledger *ledger, utc_us *out_before, utc_us *out_after);

/* The look-ups of fold.h, over live state. */
struct fold *ledger_fold(struct ledger *ledger);

const uint8_t *ledger_id(const struct ledger *ledger);
uint64_t ledger_term(const struct ledger *ledger);

/*
 * The event at position, as event_decode takes it, while its block is in memory. Borrowed until something is
 * appended twice or the turn ends. False: a job must read it.
 */
bool ledger_event_in_memory(const struct ledger *ledger, journal_position position, struct text *out_bytes);

/* Runs a job on the reader thread once the event it waits for is durable. */
void ledger_submit(struct ledger *ledger, struct ledger_job *job);
/* Runs a job at once on the worker thread, which is for scrypt and signing and reads nothing. */
void ledger_submit_work(struct ledger *ledger, struct ledger_job *job);
/* A verification of the whole ledger up to the last checkpoint, to be sliced by a job. head: see struct verify_asked. */
PUNKT_MUST_CHECK enum punkt_status ledger_verify_open(struct ledger *ledger, const uint8_t *head,
                                                      struct verify **out_verify, struct failure *failure);

/* Clean stop: everything appended becomes durable, state is brought to the journal's end. NULL is fine. */
PUNKT_MUST_CHECK enum punkt_status ledger_close(struct ledger *ledger, struct failure *failure);
