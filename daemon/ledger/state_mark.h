/*
 * The mark as bytes: the one record in LMDB that says what all the others stand for. Little-endian:
 *
 *   version u8 | clean u8 | id 16 | position u64 | hash 32 | next sequence u64 | term u64 | time u64
 *   | ledger time u64 | digest 16
 *
 * Its checksum is that of every record (state_lmdb.h).
 */
#pragma once

#include "ledger/state.h"
#include "ledger/state_digest.h"

#define MARK_SIZE 106

/* One byte that sorts before every other key. */
extern const uint8_t mark_key[1];

void mark_store(const struct state_mark *mark, const struct digest_sum *digest, uint8_t out_bytes[MARK_SIZE]);
/* False: of another size or version. */
bool mark_load(const uint8_t *bytes, size_t size, struct state_mark *out_mark, struct digest_sum *out_digest);
