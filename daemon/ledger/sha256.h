/*
 * SHA-256 with everything made once that can be: fetching the algorithm costs more than hashing a record.
 * Belongs to one thread. Hashing memory cannot fail; that it does not is checked.
 */
#pragma once

#include "base/base.h"
#include "base/status.h"

#define SHA256_SIZE 32

struct sha256 {
    void *algorithm; /* EVP_MD */
    void *context;   /* EVP_MD_CTX */
};

PUNKT_MUST_CHECK enum punkt_status sha256_init(struct sha256 *sha256);
/* One that was zeroed and never made is fine. */
void sha256_done(struct sha256 *sha256);

void sha256_begin(struct sha256 *sha256);
void sha256_add(struct sha256 *sha256, const void *bytes, size_t size);
void sha256_end(struct sha256 *sha256, uint8_t out_hash[SHA256_SIZE]);
