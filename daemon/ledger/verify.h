/*
 * Verification: reads the whole journal, folds it into a scratch state up to the position that the
 * checked state stands for, and compares digests. In slices, beside a live daemon or alone.
 *
 * That the chain is whole says nothing about who made it: who can write the files can make another one. So a head that
 * was told earlier, to somebody who kept it, must be in it; and its seals must be right (seal_check.h).
 */
#pragma once

#include "base/base.h"
#include "base/status.h"
#include "ledger/journal.h"
#include "ledger/seal_check.h"
#include "ledger/state.h"

enum verify_outcome { VERIFY_DAMAGED = 0, VERIFY_MATCHES = 1, VERIFY_DIFFERS = 2 };

/* What was found of the head that was asked for. On the wire as these numbers. */
enum verify_head { VERIFY_HEAD_NONE = 0, VERIFY_HEAD_FOUND = 1, VERIFY_HEAD_MISSING = 2 };
/* What a missing head means, for people. */
#define VERIFY_HEAD_MISSING_TEXT                                                                             \
    "the chain does not lead through the head that was given: since that was told, the journal was "         \
    "rewritten or cut, or this is another ledger"

struct verify_report {
    enum verify_outcome outcome;
    uint64_t blocks, events;
    enum verify_head head;
    journal_position head_end; /* FOUND: the position behind that block, */
    utc_us head_time;          /* and when it was made; 0: before the first */
    struct seal_counts seals;
    char file[80];   /* of the damage, inside the data folder */
    uint64_t offset; /* in it */
    char detail[256];
};

struct verify;

/* What an auditor brings along; zeros: nothing. Copied. */
struct verify_asked {
    const uint8_t *head; /* JOURNAL_HASH_SIZE bytes: hash of a block that must be there; NULL: none */
    const struct seal_key
        *seal_key; /* to recompute seals with; NULL: none. Never given to a running daemon */
};

struct verify_options {
    struct verify_asked asked;
    const char *scratch_dir; /* made new, removed by verify_close */
    uint64_t map_bytes;      /* of the scratch state, as of the checked one; 0: 1 TiB */
    const uint8_t *digest;   /* STATE_DIGEST_SIZE bytes, and */
    struct state_mark mark;  /* the position: what state was recorded to be */
    journal_position until;  /* how far the journal is read: the durable end */
};

/* What the options point to is copied. */
PUNKT_MUST_CHECK enum punkt_status verify_open(struct journal *journal, const struct verify_options *options,
                                               struct verify **out_verify, struct failure *failure);

/* Reads about slice_bytes more (0: all). PUNKT_BUSY: not done yet; PUNKT_OK: the report is whole. Anything
 * else: verification itself failed. */
PUNKT_MUST_CHECK enum punkt_status verify_slice(struct verify *verify, uint64_t slice_bytes,
                                                struct failure *failure);
/* A journal_visit_fn with a verify that is done up to its mark: what stands behind it must be events that
 * are known and fit. */
PUNKT_MUST_CHECK enum punkt_status verify_block(void *ctx, const struct journal_block *block,
                                                struct failure *failure);
const struct verify_report *verify_report(const struct verify *verify);
void verify_close(struct verify *verify);
