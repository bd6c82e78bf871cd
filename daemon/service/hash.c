#include "service/hash.h"

#include <openssl/evp.h>
#include <string.h>

enum punkt_status request_hasher_init(struct request_hasher *hasher)
{
    hasher->context = EVP_MD_CTX_new();
    hasher->digest = EVP_MD_fetch(NULL, "SHA256", NULL);
    return hasher->context != NULL && hasher->digest != NULL ? PUNKT_OK : PUNKT_NO_MEMORY;
}

void request_hasher_done(struct request_hasher *hasher)
{
    EVP_MD_CTX_free(hasher->context);
    EVP_MD_free(hasher->digest);
    hasher->context = NULL;
    hasher->digest = NULL;
}

void hash16(struct request_hasher *hasher, uint16_t type, const void *body, size_t size, uint8_t out[16])
{
    uint8_t head[2] = { (uint8_t)type, (uint8_t)(type >> 8) };
    uint8_t whole[EVP_MAX_MD_SIZE];
    bool done = EVP_DigestInit_ex2(hasher->context, hasher->digest, NULL) == 1 &&
                EVP_DigestUpdate(hasher->context, head, sizeof(head)) == 1 &&
                EVP_DigestUpdate(hasher->context, body, size) == 1 &&
                EVP_DigestFinal_ex(hasher->context, whole, NULL) == 1;
    PUNKT_CHECK(done); /* hashing memory cannot fail */
    memcpy(out, whole, 16);
}
