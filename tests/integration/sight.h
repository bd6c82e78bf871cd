/* What a client that is refused sees of the server, and how long it takes: is there anything to be learned from it? */
#pragma once

#include <stddef.h>

#include <openssl/ssl.h>

#include "tls_talk.h"

#define SIGHT_ROUNDS 15
#define SIGHT_WRONG_KEY_ALERT                                                                                \
    SSL_AD_ILLEGAL_PARAMETER /* what OpenSSL says to a binder that does not verify */

/*
 * Looks at all of these pre-shared keys in turn, SIGHT_ROUNDS times, each of which is refused as a wrong key is. Fails the
 * running test if there is a difference in the bytes that come, or an obvious one in the time that it takes.
 */
void sight_expect_alike(const char *address, const struct tls_proof *proofs, size_t count);
