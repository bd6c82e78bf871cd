/*
 * What ledger.c (running) and ledger_files.c (not running) share. Nobody else includes this.
 */
#pragma once

#include "ledger/fold.h"
#include "ledger/ledger.h"
#include "ledger/paths.h"
#include "ledger/replay.h"

struct ledger {
    struct ledger_options options;
    struct ledger_paths paths;
    struct journal *journal;
    struct state *state;
    struct reader *reader;
    struct reader *worker; /* the same machine for what takes long and reads nothing */
    struct replay replay;  /* its fold becomes the live one */
    struct fold *fold;
    int wake_fd;
    uint64_t term;
    struct ledger_clock clock;
    bool clock_read_this_turn;
    uint8_t *reserved; /* room for an event in the open block */
    bool open_block_empty;
    journal_position reserved_position;
    journal_position newest;
    struct ledger_job warm;     /* reads state through, once */
    struct ledger_job *waiting; /* jobs whose event is not durable (or stored) yet */
    journal_position stored;    /* LMDB holds what the events below it changed */
    journal_position frozen;    /* or will, when the checkpoint in progress is done */
};

/* Of what options names; nothing is opened yet. NULL: no memory. */
struct ledger *ledger_new(const struct ledger_options *options);
/* Closes whatever is there, without a word to the files. */
void ledger_drop(struct ledger *ledger);

PUNKT_MUST_CHECK enum punkt_status ledger_open_journal(struct ledger *ledger, bool read_only,
                                                       struct failure *failure);
/* A state without a mark stands at the journal's beginning. */
PUNKT_MUST_CHECK enum punkt_status ledger_open_state(struct ledger *ledger, bool *out_found,
                                                     struct state_mark *out_mark, struct failure *failure);
/* Folds what stands behind `mark` into state and writes a checkpoint at the journal's end. */
PUNKT_MUST_CHECK enum punkt_status ledger_recover(struct ledger *ledger, const struct state_mark *mark,
                                                  struct ledger_recovery *report, struct failure *failure);
PUNKT_MUST_CHECK enum punkt_status ledger_start_threads(struct ledger *ledger, struct failure *failure);
void ledger_start_clock(struct ledger *ledger);

/* A rebuild that did not come to its end leaves the state that was there before it; one that did, nothing. */
PUNKT_MUST_CHECK enum punkt_status ledger_restore_state(const struct ledger *ledger, struct failure *failure);

/* What a verification compares with; `until` is the caller's to set. */
struct verify_options ledger_verify_options(const struct ledger *ledger, const uint8_t *digest,
                                            const struct state_mark *mark);
