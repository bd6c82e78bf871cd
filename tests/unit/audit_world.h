/*
 * A small ledger of a folder of its own, an event a block, with seals; copies of it, damage to them, and a forger who
 * knows all formats.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ledger/journal_format.h"
#include "ledger/ledger.h"
#include "ledger/seal.h"

#define AUDIT_BLOCKS 14
#define AUDIT_FILE_MAX (64u * 1024) /* bytes of the segment that are in use, and some behind them */
#define AUDIT_FIRST_NUMBER 3        /* of the first seal's key */

struct audit_world {
    char dir[32];  /* of the ledger as it was written */
    char copy[64]; /* of what is tampered with */
    struct sha256 sha256;
    uint8_t file[AUDIT_FILE_MAX];                   /* of the copy's only segment */
    uint32_t used;                                  /* bytes of it, its header included */
    uint32_t at[AUDIT_BLOCKS + 1];                  /* where each block begins in the file; the end */
    uint8_t heads[AUDIT_BLOCKS][JOURNAL_HASH_SIZE]; /* of each block, as told when it was written */
    uint8_t id[JOURNAL_ID_SIZE];
    struct seal_key first, now; /* the key of the first seal, and the one that would make the next */
};

struct audit_world *audit_world_new(void);
void audit_world_free(struct audit_world *world);

/* A fresh copy of the ledger, its segment in `file`. */
void audit_copy(struct audit_world *world);
/* Puts `file` into the copy. */
void audit_store(struct audit_world *world);
/* Makes the copy's state anew from its journal; state: what was there before is known to it. False: refused. */
bool audit_rebuild(struct audit_world *world, bool state);

/* Verifies the copy. NULL: nothing is brought along. */
struct verify_report audit_verify(struct audit_world *world, const uint8_t *head, const struct seal_key *key);
/* What punktd verify ends with: true is 0. */
bool audit_is_fine(const struct verify_report *report);

/* Whether a block holds a seal; then its number, into out_number (may be NULL), which else stays as it is. */
bool audit_is_seal(struct audit_world *world, size_t block, uint64_t *out_number);

/* What a forger does with the seals behind what was changed. */
enum forged_seals {
    FORGED_COPIED,      /* as they were */
    FORGED_HEADS,       /* of the new heads, but with the codes that were there */
    FORGED_SAME_NUMBER, /* made with the key of now, under the numbers that were there */
    FORGED_LATER,       /* made with the key of now and those behind it, as these */
    FORGED_LINEAGE,     /* made with keys of a lineage of its own */
};
#define FORGED_COUNT 5
/* Changes a block, in `file`, and makes everything behind it fit: events, checksums, chain. */
void audit_forge(struct audit_world *world, size_t block, enum forged_seals seals);
