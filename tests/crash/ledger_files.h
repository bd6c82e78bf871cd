/*
 * A look into the data folder of a punktd that does not run, through the ledger's own library, and damage
 * to it. Everything fails the running cmocka test when it cannot do what it says.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "ledger/journal.h"
#include "ledger/state.h"
#include "world.h"

/* What state stands for, and its digest. */
struct state_mark files_mark(const struct world *world, uint8_t out_digest[STATE_DIGEST_SIZE]);

/* Fails unless state stands for a block end of the journal: the journal is sound up to there. */
void files_expect_state_not_ahead(const struct world *world);

/* Where a block lies. */
struct place {
    char file[24]; /* in DIR/journal */
    uint64_t offset;
    uint32_t size;
    journal_position position; /* of its first byte */
};

/* All blocks of the journal, in order; to be freed. */
struct place *files_blocks(const struct world *world, size_t *out_count);

/* Changes bits of one byte of a file of DIR/journal. */
void files_flip(const struct world *world, const char *file, uint64_t offset, uint8_t bits);

/* Makes bytes zero: as if they had never been written. */
void files_zero(const struct world *world, const char *file, uint64_t offset, uint64_t size);

/*
 * Makes the first event of the last block one of another type or format, and the checksums fit: as a
 * version of punktd that is not ours would have written it. There are blocks before it in its segment.
 */
void files_change_event(const struct world *world, const struct place *last, bool type, uint8_t value);

/* Whether nothing but zeros is at this place of a file of the journal. */
bool files_are_zero(const struct world *world, const char *file, uint64_t offset, uint64_t size);

/* Removes the files of a folder of DIR whose name begins so: "journal", "spare-". Returns how many. */
unsigned files_remove(const struct world *world, const char *folder, const char *begin);
