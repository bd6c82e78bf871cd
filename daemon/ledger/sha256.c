#include "ledger/sha256.h"

#include <openssl/evp.h>

enum punkt_status sha256_init(struct sha256 *sha256)
{
    sha256->algorithm = EVP_MD_fetch(NULL, "SHA256", NULL);
    sha256->context = EVP_MD_CTX_new();
    if (sha256->algorithm != NULL && sha256->context != NULL)
        return PUNKT_OK;
    sha256_done(sha256);
    return PUNKT_NO_MEMORY;
}

void sha256_done(struct sha256 *sha256)
{
    EVP_MD_CTX_free(sha256->context);
    EVP_MD_free(sha256->algorithm);
    sha256->context = NULL;
    sha256->algorithm = NULL;
}

void sha256_begin(struct sha256 *sha256)
{
    PUNKT_CHECK(EVP_DigestInit_ex2(sha256->context, sha256->algorithm, NULL) == 1);
}

void sha256_add(struct sha256 *sha256, const void *bytes, size_t size)
{
    PUNKT_CHECK(EVP_DigestUpdate(sha256->context, bytes, size) == 1);
}

void sha256_end(struct sha256 *sha256, uint8_t out_hash[SHA256_SIZE])
{
    PUNKT_CHECK(EVP_DigestFinal_ex(sha256->context, out_hash, NULL) == 1);
}
