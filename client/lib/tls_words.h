/*
 * Why a TLS connection failed, in words that say what to do about it. For tls.c only.
 */
#pragma once

#include <openssl/types.h>
#include <stdbool.h>
#include <stddef.h>

/* What the socket said last, if it is gone. */
struct tls_loss {
    bool ended;
    int error; /* errno; 0: none */
};

enum tls_proof {
    TLS_PROOF_CERTIFICATE,
    TLS_PROOF_PSK,
    TLS_PROOF_CODE, /* a pre-shared key that was made of an enrolment code */
};

struct tls_failure {
    const SSL *ssl;
    struct tls_loss loss;
    bool shaken; /* the handshake was done on our side */
    enum tls_proof proof;
    const char *ca_path;
    const char *server_name;
};

/* Takes the thread's queue of OpenSSL errors, too. True: one side does not take the other's proof. */
bool tls_words(const struct tls_failure *failure, char *out, size_t capacity);
