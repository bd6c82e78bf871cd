/*
 * The digest of state: the sum modulo 2^128 of a hash of every record. It is kept by adding the new and
 * taking away the old, so it depends neither on the order of records nor on the way they came about.
 */
#pragma once

#include "base/base.h"
#include "base/status.h"

#define DIGEST_SIZE 16

struct digest_sum {
    uint64_t low;
    uint64_t high;
};

/* SHA-256, made ready once: fetching it costs more than hashing a record. Belongs to one thread. */
struct digest_hasher;

PUNKT_MUST_CHECK enum punkt_status digest_hasher_new(struct digest_hasher **out_hasher);
/* NULL is fine. */
void digest_hasher_free(struct digest_hasher *hasher);

/* Adds, or takes away, the first 16 bytes of SHA-256(key size as u16, key, value). */
void digest_add(struct digest_sum *sum, struct digest_hasher *hasher, const void *key, size_t key_size,
                const void *value, size_t size);
void digest_take(struct digest_sum *sum, struct digest_hasher *hasher, const void *key, size_t key_size,
                 const void *value, size_t size);

/* Little-endian. */
void digest_store(const struct digest_sum *sum, uint8_t out_bytes[DIGEST_SIZE]);
void digest_load(const uint8_t bytes[DIGEST_SIZE], struct digest_sum *out_sum);
