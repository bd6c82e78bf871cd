/*
 * What ca.c and ca_files.c share. Nobody else includes this.
 */
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "service/ca.h"

/* A certificate to be made. */
struct ca_wanted {
    const char *common_name;
    X509 *issuer; /* NULL: a CA, signed by itself */
    EVP_PKEY *key, *signing_key;
    int64_t days;         /* at most as long as its issuer */
    const char *usage;    /* extended key usage; not for a CA */
    GENERAL_NAMES *names; /* NULL: none */
};

/* NULL: libcrypto says why. */
X509 *ca_certificate_make(const struct ca_wanted *wanted, utc_us now);
EVP_PKEY *ca_key_make(void);

/* NULL: failure says which file and what is wrong. */
X509 *ca_certificate_load(const char *path, struct failure *failure);
EVP_PKEY *ca_key_load(const char *path, struct failure *failure);

/* Words of a failure with libcrypto's own behind them; returns the status and leaves libcrypto no error. */
enum punkt_status ca_refused(struct failure *failure, enum punkt_status status, const char *what);

/* An address of 4 or 16 bytes as people write it. */
PUNKT_MUST_CHECK bool ca_address_text(const uint8_t *data, size_t size, char out[CA_NAME_MAX + 1]);
