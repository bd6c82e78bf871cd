/*
 * A world (net_world.h) with listeners for TLS, certificates made for it, and clients that speak TLS over real sockets
 * through memory, so that a test sees and can hold back what is on the wire.
 */
#pragma once

#include "net_world.h"

#include <openssl/types.h>

/* Somebody with a key pair and a certificate. */
struct person {
    EVP_PKEY *key;
    X509 *certificate;
};

enum person_use { PERSON_CA, PERSON_SERVER, PERSON_CLIENT };

/* Valid from and to, in seconds from now; issuer NULL signs itself. */
struct person person_new(enum person_use use, const struct person *issuer, long from_s, long to_s);
void person_free(struct person *person);

struct tls_world {
    struct world *world;
    struct person ca;
    struct person server;
    char folder[64];
    char certificate_file[96];
    char key_file[96];
    char ca_file[96];
    struct net_certificates files;
    char where[NET_LISTENER_KINDS][128]; /* addresses of the listeners */
};

/* Writes these as the files of the world; net does not know of it yet. */
void tls_world_write(const struct tls_world *tls_world, const struct person *server, const struct person *ca);

/* Listens for every kind. */
struct tls_world *tls_world_new(const struct net_options *options);
void tls_world_free(struct tls_world *tls_world);

/* What a client brings; all zero has nothing to prove. */
struct client_proof {
    const struct person *person;
    const char *psk_identity;
    const uint8_t *psk_key; /* NET_PSK_SIZE bytes */
    bool early;             /* the key says that early data are welcome */
    int version_max;        /* 0: the newest */
};

struct tls_client {
    struct world *world;
    struct client_proof proof;
    SSL *ssl;
    BIO *in;
    BIO *out;
    int fd;
    bool ended;         /* the socket's other end has shut, or reset it */
    bool failed;        /* TLS has */
    int tickets;        /* that came */
    uint8_t seen[8192]; /* the first bytes that came */
    size_t seen_size;
};

/* Connects the socket; nothing is sent yet. */
struct tls_client *tls_client_new(struct world *world, const char *where, const struct client_proof *proof);
void tls_client_free(struct tls_client *client);

/* Takes from the socket what is there and gives it what is to be sent, without waiting. */
void tls_client_pump(struct tls_client *client);

/* The sending half of it, and no more than that many bytes. Whether some are left. */
bool tls_client_pump_out(struct tls_client *client, size_t most);

/* Goes on with the handshake without waiting. Whether this side thinks that it is done. */
bool tls_client_step(struct tls_client *client);

/* Turns the world until the handshake is done and there is a session for it. */
struct world_session *tls_client_open(struct tls_client *client);

/* Turns the world until the other side has refused the handshake and ended. */
void tls_client_expect_refused(struct tls_client *client);

/* Encrypts, and leaves it to the pump to send. */
void tls_client_write(struct tls_client *client, const void *bytes, size_t size);

/* Encrypts and sends, turning the world while there is no room. */
void tls_client_send(struct tls_client *client, const void *bytes, size_t size);
void tls_client_send_frame(struct tls_client *client, uint64_t number, const void *body, size_t size);

/* Decrypts what is here; 0 if nothing is. */
size_t tls_client_take(struct tls_client *client, void *out, size_t capacity);

/* Turns the world until one answer is here, and expects this number and body. */
void tls_client_expect(struct tls_client *client, uint64_t number, const void *body, size_t size);

/* Turns the world until the other side has ended. Whether it said so by TLS as well. */
bool tls_client_expect_end(struct tls_client *client);
