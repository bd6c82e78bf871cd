/*
 * The digest of state: the sum modulo 2^128 of a hash of every record. It is kept by adding the new and
 * taking away the old, so it depends neither on the order of records nor on the way they came about.
 */
#pragma once

#include "base/base.h"
#include "ledger/sha256.h"

#define DIGEST_SIZE 16

struct digest_sum {
    uint64_t low;
    uint64_t high;
};

/* Adds, or takes away, the first 16 bytes of SHA-256(key size as u16, key, value). */
void digest_add(struct digest_sum *sum, struct sha256 *sha256, const void *key, size_t key_size,
                const void *value, size_t size);
void digest_take(struct digest_sum *sum, struct sha256 *sha256, const void *key, size_t key_size,
                 const void *value, size_t size);

/* Little-endian. */
void digest_store(const struct digest_sum *sum, uint8_t out_bytes[DIGEST_SIZE]);
void digest_load(const uint8_t bytes[DIGEST_SIZE], struct digest_sum *out_sum);
