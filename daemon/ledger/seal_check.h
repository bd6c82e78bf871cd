/*
 * Checks the seals of a journal, one after the other (LEDGER.md, Secrets): that the chain leads through the head each of
 * them names, and, with a key that the auditor has kept, that it was made with its key and that none is missing.
 *
 * Who takes the machine over has the key of now. What they write in place of what was there they can only seal with that
 * one or a later one: so the numbers that should have sealed it are missing.
 */
#pragma once

#include "base/base.h"
#include "base/status.h"
#include "ledger/seal.h"

/* Numbers that may be missing in a row: the power fails between a key and its seal, once. */
#define SEAL_MISSING_MAX 1

struct seal_counts {
    uint64_t seals;   /* read */
    uint64_t genuine; /* of them, made with their key; 0 without a key */
    uint64_t
        others; /* of another lineage, or made before the key that was given: not checked; 0 without a key */
    uint64_t missing; /* numbers of the key's lineage */
};

struct seal_check {
    uint8_t journal_id[JOURNAL_ID_SIZE];
    bool keyed;
    struct seal_key key; /* of the next seal that can be checked */
    struct seal_counts counts;
};

/* key: the first of its lineage, or any of those behind it; NULL: none is there. Copied. */
void seal_check_begin(struct seal_check *check, const uint8_t journal_id[JOURNAL_ID_SIZE],
                      const struct seal_key *key);
/*
 * The next EVENT_SEAL of the journal. chain_hash: of the block of this chain that ends where its head does. PUNKT_CORRUPT: it
 * is none of this journal, or of another key; failure says which.
 */
PUNKT_MUST_CHECK enum punkt_status seal_check_event(struct seal_check *check, const struct event *event,
                                                    const uint8_t chain_hash[JOURNAL_HASH_SIZE],
                                                    struct failure *failure);
/* The key is gone from memory. */
void seal_check_end(struct seal_check *check);
