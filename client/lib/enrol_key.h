/*
 * The key that a client makes for itself, the request to have it signed, and whether what came back is its certificate.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buffer.h"

#define ENROL_REQUEST_MAX 2048

/* Appends a new private key of the curve P-256, PEM; out is marked secret. False: OpenSSL refused, or no memory. */
bool enrol_key_make(struct buffer *out);

/* Whether this is such a key. */
bool enrol_key_good(const struct buffer *pem);

/* PKCS #10, DER. False: the key cannot be read, or no memory. */
bool enrol_key_request(const struct buffer *pem, uint8_t out[ENROL_REQUEST_MAX], size_t *out_size);

/* What is wrong with the certificate that was made for the key (all PEM), of static lifetime; NULL: nothing. */
const char *enrol_key_wrong(const struct buffer *pem, const struct buffer *certificate,
                            const struct buffer *ca);
