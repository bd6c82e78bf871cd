/*
 * SHA-256, with everything that can be made once made once.
 */
#pragma once

#include "base/base.h"
#include "base/status.h"

struct request_hasher {
    void *context; /* EVP_MD_CTX */
    void *digest;  /* EVP_MD */
};

PUNKT_MUST_CHECK enum punkt_status request_hasher_init(struct request_hasher *hasher);
void request_hasher_done(struct request_hasher *hasher);

/* The first 16 bytes of SHA-256 over type (little-endian) and body. */
void hash16(struct request_hasher *hasher, uint16_t type, const void *body, size_t size, uint8_t out[16]);
