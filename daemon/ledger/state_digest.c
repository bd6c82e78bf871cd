#include "ledger/state_digest.h"

#include <stdlib.h>

#include <openssl/evp.h>

#include "proto/wire.h"

#define SHA256_SIZE 32

struct digest_hasher {
    EVP_MD *md;
    EVP_MD_CTX *context;
};

enum punkt_status digest_hasher_new(struct digest_hasher **out_hasher)
{
    struct digest_hasher *hasher = calloc(1, sizeof(*hasher));
    if (hasher == NULL)
        return PUNKT_NO_MEMORY;
    hasher->md = EVP_MD_fetch(NULL, "SHA256", NULL);
    hasher->context = EVP_MD_CTX_new();
    if (hasher->md == NULL || hasher->context == NULL) {
        digest_hasher_free(hasher);
        return PUNKT_NO_MEMORY;
    }
    *out_hasher = hasher;
    return PUNKT_OK;
}

void digest_hasher_free(struct digest_hasher *hasher)
{
    if (hasher == NULL)
        return;
    EVP_MD_CTX_free(hasher->context);
    EVP_MD_free(hasher->md);
    free(hasher);
}

static struct digest_sum record_digest(struct digest_hasher *hasher, const void *key, size_t key_size,
                                       const void *value, size_t size)
{
    uint8_t hash[SHA256_SIZE];
    uint8_t prefix[2] = { (uint8_t)key_size, (uint8_t)(key_size >> 8) };
    /* A software digest on a context of its own fails only when it is misused. */
    PUNKT_CHECK(EVP_DigestInit_ex2(hasher->context, hasher->md, NULL) == 1);
    PUNKT_CHECK(EVP_DigestUpdate(hasher->context, prefix, sizeof(prefix)) == 1);
    PUNKT_CHECK(EVP_DigestUpdate(hasher->context, key, key_size) == 1);
    PUNKT_CHECK(EVP_DigestUpdate(hasher->context, value, size) == 1);
    PUNKT_CHECK(EVP_DigestFinal_ex(hasher->context, hash, NULL) == 1);
    struct digest_sum sum;
    digest_load(hash, &sum);
    return sum;
}

void digest_add(struct digest_sum *sum, struct digest_hasher *hasher, const void *key, size_t key_size,
                const void *value, size_t size)
{
    struct digest_sum record = record_digest(hasher, key, key_size, value, size);
    sum->low += record.low;
    sum->high += record.high + (sum->low < record.low);
}

void digest_take(struct digest_sum *sum, struct digest_hasher *hasher, const void *key, size_t key_size,
                 const void *value, size_t size)
{
    struct digest_sum record = record_digest(hasher, key, key_size, value, size);
    sum->high -= record.high + (sum->low < record.low);
    sum->low -= record.low;
}

void digest_store(const struct digest_sum *sum, uint8_t out_bytes[DIGEST_SIZE])
{
    struct wire_writer writer = wire_writer_over(out_bytes, DIGEST_SIZE);
    wire_write_u64(&writer, sum->low);
    wire_write_u64(&writer, sum->high);
}

void digest_load(const uint8_t bytes[DIGEST_SIZE], struct digest_sum *out_sum)
{
    struct wire_reader reader = wire_reader_over(bytes, DIGEST_SIZE);
    out_sum->low = wire_read_u64(&reader);
    out_sum->high = wire_read_u64(&reader);
}
