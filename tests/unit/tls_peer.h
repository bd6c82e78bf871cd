/*
 * The TLS side of a scripted server (client_server.h), and certificates for both sides, made when they are needed.
 */
#pragma once

#include <openssl/types.h>

#include "client_server.h"

#define PEER_NAME "punktd.example"
#define PEER_KEY_SIZE 32

enum peer_use { PEER_CA, PEER_SERVER, PEER_CLIENT };

/* Somebody with a key pair and a certificate. */
struct peer_person {
    EVP_PKEY *key;
    X509 *certificate;
};

/* Valid from and to, in seconds from now; issuer NULL signs itself. names: of a server, as in X509v3 ("DNS:..."), else NULL. */
struct peer_person peer_person_new(enum peer_use use, const struct peer_person *issuer, const char *names,
                                   long from_s, long to_s);
void peer_person_free(struct peer_person *person);

/* Signs a certificate for the key of a PKCS #10 request, DER; NULL: it is none. The caller's. */
X509 *peer_sign(const struct peer_person *ca, const void *request, size_t size);

/* As PEM, with NUL; to be given to OPENSSL_free. */
char *peer_pem(const X509 *certificate);

/* How a server speaks TLS. All zero wants nothing and has nothing. */
struct peer_tls {
    const struct peer_person *person; /* its certificate; NULL: none */
    const struct peer_person *ca;     /* that must have signed the client's; NULL: it asks for none */
    const char *psk_identity;         /* that it knows; NULL: no pre-shared keys */
    uint8_t psk_key[PEER_KEY_SIZE];
    int version_max;   /* 0: the newest */
    size_t record_max; /* bytes of a record, and of a piece on the wire; 0: as they come */
};

/*
 * Shakes hands on the connection that was accepted, for scripts. False: it failed; then nothing is expected of the connection,
 * and the script goes on. tls lives as long as the connection.
 */
bool peer_shake(struct server *server, const struct peer_tls *tls);

/* Takes new keys for what it sends, and asks the client to do the same (RFC 8446, 4.6.3), for scripts. */
void peer_renew_keys(struct server *server);

/* server_accept, and a handshake that must not fail. */
void peer_accept(struct server *server, const struct peer_tls *tls);
