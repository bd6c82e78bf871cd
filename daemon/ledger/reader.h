/*
 * The reader thread: whatever scans or fetches. Jobs run one after the other, long ones in slices, so
 * that a verification of the whole journal does not keep a return waiting.
 */
#pragma once

#include "base/base.h"
#include "base/status.h"
#include "ledger/event_codec.h"
#include "ledger/journal.h"
#include "ledger/state.h"

struct reader;

/* What a job may use; belongs to the reader thread. */
struct reading {
    struct journal *journal;
    struct state *state; /* for state_scan: what LMDB holds, which may be older than what the loop sees */
    struct event event;  /* the last one read */
    struct event_memory memory; /* its arrays */
    uint8_t *bytes;             /* its bytes, JOURNAL_EVENT_MAX */
};

/* Reads the event at position into reading->event. Its texts are valid until the next read. */
PUNKT_MUST_CHECK enum punkt_status reading_event(struct reading *reading, journal_position position,
                                                 struct failure *failure);

/*
 * The event as an account saw it, to walk back along its chain (reading_event, then this): *out_effect is what it did to
 * the account, NULL for a card issued with a new account; *out_previous the account's event before it, 0: it is the first.
 * Merges are not followed: the effect that empties an account is the last of its chain. False: it does not touch the
 * account.
 */
bool event_of_account(const struct event *event, account_number account, const struct effect **out_effect,
                      journal_position *out_previous);

enum job_step { JOB_DONE, JOB_MORE };

/* Embedded in what the job is about; the submitter owns it, and may free it from `done` on. */
struct ledger_job {
    journal_position wait_for; /* runs when the event at this position is durable; 0: at once */
    bool stored; /* for state_scan: and when LMDB holds what it changed; a checkpoint is hurried for that */
    enum job_step (*run)(struct ledger_job *job, struct reading *reading); /* reader thread; a slice */
    void (*done)(struct ledger_job *job);                                  /* loop thread */
    struct ledger_job *next;
};

PUNKT_MUST_CHECK enum punkt_status reader_open(struct journal *journal, struct state *state,
                                               void (*notify)(void *ctx), void *ctx,
                                               struct reader **out_reader);
/* Loop thread. */
void reader_submit(struct reader *reader, struct ledger_job *job);
/* Loop thread, after notify: calls `done` of the jobs that ended. */
void reader_process(struct reader *reader);
/* Lets the slice in progress end, drops what waits. NULL is fine. */
void reader_close(struct reader *reader);
