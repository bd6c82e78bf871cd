/*
 * TLS 1.3 between a link and its socket (RELIABILITY.md, Identity, roles): one context a handle, one stream a socket. Nothing
 * blocks. No tickets, no resumption, no early data; the server is verified against the one CA and by name, or by having the
 * pre-shared key. That the server takes our certificate is not known when the handshake is done, only when it answers.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "lib/identity.h"

#define TLS_TROUBLE_SIZE 160

/* What the name of a pre-shared key begins with that was made of an enrolment code. */
#define TLS_CODE_PREFIX "enrol/"

struct tls_context;
struct tls;

/*
 * A context for an identity that proves itself; what it needs of it, it keeps. PUNKT_CALL_DONE, PUNKT_CALL_NO_MEMORY, or
 * PUNKT_CALL_INVALID: why, with room for IDENTITY_WHY_SIZE, says what of it cannot be used. *out is the caller's.
 */
enum punkt_call tls_context_new(const struct identity *identity, struct tls_context **out, char *why);

/* Wipes its keys. Its streams are gone before. NULL is fine. */
void tls_context_free(struct tls_context *context);

/*
 * A stream over a socket that begins to connect, or is connected; the socket stays the caller's. server: the address as it
 * was given, HOST:PORT, whose host must be in the certificate if the identity names no other. NULL: no memory.
 */
struct tls *tls_new(struct tls_context *context, int fd, const char *server);

/* Says goodbye to the server if that can be done at once. NULL is fine. */
void tls_free(struct tls *tls);

enum tls_result {
    TLS_DONE,
    TLS_BLOCKED, /* again when the socket is ready: to be written if tls_wants_write, else to be read */
    TLS_ENDED,   /* the server closed */
    TLS_FAILED,
};

/* The handshake, as far as it goes. */
enum tls_result tls_shake(struct tls *tls);

/* At most size bytes of those that are there; *out_size is 1 or more after DONE. */
enum tls_result tls_receive(struct tls *tls, void *bytes, size_t size, size_t *out_size);

/* As many of size bytes as go; what was BLOCKED must be offered again, with more behind it at most. */
enum tls_result tls_send(struct tls *tls, const void *bytes, size_t size, size_t *out_size);

/* Whether what was BLOCKED last waits for the socket to be writable. */
bool tls_wants_write(const struct tls *tls);

/* Whether bytes are decrypted that no poll of the socket will tell of: receive before sleeping. */
bool tls_pending(const struct tls *tls);

/* Why it FAILED or ENDED, for people. */
const char *tls_trouble(const struct tls *tls);

/* FAILED because one side does not take the other's proof: nothing gets better by trying again. */
bool tls_refused(const struct tls *tls);
