/*
 * TLS 1.3 behind the seam of transport.h, with every trap of RELIABILITY.md (Identity) in one place: no tickets and no
 * resumption (a resumed session skips the check of the certificate), no early data, no renegotiation, buffers given
 * back while a connection is idle, pre-shared keys in contexts of their own that have no certificate. Keys of sessions
 * are never logged. Belongs to the loop thread alone.
 *
 * tls_context.c makes the contexts, tls.c is one connection; when its handshake is stepped is decided in handshake.c.
 */
#pragma once

#include <openssl/types.h>

#include "net/net.h"
#include "net/transport.h"

#define TLS_GREETING_MAX (32u * 1024u)     /* bytes of a peer that are read before its handshake is done */
#define TLS_CERTIFICATES_MAX (16u * 1024u) /* bytes of its certificates */

/* What the connections of one net share. */
struct tls_shared {
    struct bio_method_st *socket; /* made by the first tls_shared_start */
    /* NULL where nobody listens; a connection keeps the one it began with. */
    SSL_CTX *contexts[NET_LISTENER_KINDS];
    bool (*psk)(void *ctx, enum net_listener kind, const char *identity, size_t size,
                uint8_t out_key[NET_PSK_SIZE], uint64_t *out_number); /* as in struct net_handler */
    void *ctx;
};

/* One connection: transport.state. */
struct tls {
    struct tls_shared *shared;
    SSL *ssl; /* from the peer's first byte until we have finished */
    int fd;
    enum net_listener kind;
    struct net_peer peer; /* what open() gets; the proof is filled in when the handshake is done */
    uint32_t greeting_bytes;
    bool greeted;        /* the handshake is done */
    bool ended;          /* the socket is */
    bool too_long;       /* the handshake has more than TLS_GREETING_MAX bytes */
    bool broken;         /* nothing can be read or written any more */
    bool psk_named;      /* it named a pre-shared key */
    uint64_t psk_number; /* what the handler gave for it */
    /* As it named it, for the log: cut, and '?' for what cannot be printed. */
    char psk_identity[NET_PSK_IDENTITY_MAX + 1];
};

/* Nothing is allocated that tls_shared_done does not give back. Failure: PUNKT_NO_MEMORY. */
PUNKT_MUST_CHECK enum punkt_status tls_shared_start(struct tls_shared *shared);

/* Takes a context over, for the connections to come; the one before lives as long as its connections. */
void tls_shared_use(struct tls_shared *shared, enum net_listener kind, SSL_CTX *context);

/* Gives contexts back; connections that are still there keep theirs, but must be closed before. */
void tls_shared_done(struct tls_shared *shared);

/*
 * A context for peers with certificates. Checks the files as net_use_certificates promises. PUNKT_INVALID: failure names
 * the file and what is wrong with it.
 */
PUNKT_MUST_CHECK enum punkt_status tls_context_for_certificates(const struct net_certificates *files,
                                                                SSL_CTX **out_context,
                                                                struct failure *failure);

/* A context for peers with pre-shared keys, which it asks tls_shared.psk for. */
PUNKT_MUST_CHECK enum punkt_status tls_context_for_keys(SSL_CTX **out_context);

/*
 * A connection whose handshake has yet to begin; peer is copied. The transport takes the descriptor over; without memory
 * `state` is NULL, and the descriptor is still the caller's.
 */
struct transport transport_tls(struct tls_shared *shared, enum net_listener kind, int fd,
                               const struct net_peer *peer);

enum tls_step {
    TLS_DONE, /* tls->peer says who it is */
    TLS_WANTS_READ,
    TLS_WANTS_WRITE,
    TLS_FAILED, /* what there was to say to the peer is said */
};

/*
 * Goes on with the handshake as far as the bytes go that are here. out_what: of TLS_FAILED, why, in a few words that live
 * as long as the program. out_key_wrong: whether it failed because the peer does not have the key it named.
 */
enum tls_step tls_greet(struct tls *tls, const char **out_what, bool *out_key_wrong);
