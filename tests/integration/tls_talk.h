/*
 * Talking TLS to punktd by hand (talk.h is the same without): with any proof or none, in order or not, and what goes over the
 * wire is kept. Everything fails the running test when it cannot do what it says in WORLD_PATIENCE_MS.
 *
 *      struct tls_proof proof = tls_proof_read(path);               as punkt enrol wrote it
 *      struct tls_talk *talk = tls_talk_open(address, &proof);
 *      assert_true(tls_talk_shake(talk));
 *      tls_talk_send(talk, OPERATION_HELLO, 0, number, &hello);
 *      assert_int_equal(tls_talk_answer(talk, OPERATION_HELLO, number), RESULT_DONE);
 *      tls_talk_free(talk);
 *      tls_proof_free(&proof);
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/types.h>

#include "proto/message.h"

#define TLS_TALK_KEY_SIZE 32

/* What a client brings; all zero has nothing to prove. */
struct tls_proof {
    EVP_PKEY *key;
    X509 *certificate;
    uint32_t more_certificates; /* the same, so often behind it */
    char psk_identity[72];      /* "": none */
    uint8_t psk_key[TLS_TALK_KEY_SIZE];
    int version_max; /* 0: the newest */
};

/* That of an identity file. */
struct tls_proof tls_proof_read(const char *path);

/* The pre-shared key that an enrolment code is. */
struct tls_proof tls_proof_code(const char *code);

/* A CA of the test's own, valid now. */
struct tls_proof tls_proof_ca(void);

/* The CA that `punktd init-ca` made in a folder, with its key. */
struct tls_proof tls_proof_ca_of(const char *folder);

/* A client certificate for this key (NULL: a new one) that the CA signed, valid from and to so many seconds from now. */
struct tls_proof tls_proof_signed(const struct tls_proof *ca, EVP_PKEY *key, long from_s, long to_s);

void tls_proof_free(struct tls_proof *proof);

struct tls_talk;

/* A connection on which nothing was said yet. The proof is copied, its key and certificate stay the caller's. */
struct tls_talk *tls_talk_open(const char *address, const struct tls_proof *proof);

/* Closes. NULL is fine. */
void tls_talk_free(struct tls_talk *talk);

int tls_talk_fd(const struct tls_talk *talk);

/* The handshake, as far as this side sees it: the other may refuse it after that. False: it failed. */
bool tls_talk_shake(struct tls_talk *talk);

/* Sends a request; body is a struct msg_<operation>_request. */
void tls_talk_send(struct tls_talk *talk, enum operation operation, uint16_t flags, uint64_t number,
                   const void *body);

/* Encrypts and sends any bytes. What the other side does not take any more is lost without a word. */
void tls_talk_send_bytes(struct tls_talk *talk, const void *bytes, size_t size);

/*
 * Sends bytes as the first record behind the handshake, of any type, encrypted as the other side expects it: OpenSSL never
 * would. Nothing else can be sent after it.
 */
void tls_talk_send_record(struct tls_talk *talk, uint8_t type, const void *bytes, size_t size);

/* The answer to a request, whose number it must have: RESULT_DONE, or why not. */
enum result tls_talk_answer(struct tls_talk *talk, enum operation operation, uint64_t number);

/* Decodes the last answer, which is done, into a struct msg_<operation>_answer without a list; it borrows from the talk. */
void tls_talk_decode(struct tls_talk *talk, enum operation operation, void *out_body);

/* Reads until the other side has ended; how many bytes it said in TLS before that. */
size_t tls_talk_end(struct tls_talk *talk);

/* The TLS alert with which it ended; 0: none (close_notify, or the end of the socket). */
uint8_t tls_talk_alert(const struct tls_talk *talk);

/* What went over the wire so far, borrowed until more does. */
const uint8_t *tls_talk_sent(const struct tls_talk *talk, size_t *out_size);
const uint8_t *tls_talk_seen(const struct tls_talk *talk, size_t *out_size);
