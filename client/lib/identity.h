/*
 * Who a client is: the identity file of punkt.h ("Identity"), read strictly, and written. What stands in it is checked for its
 * form only; whether keys and certificates are any good, tls.h finds out.
 */
#pragma once

#include <punkt.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/buffer.h"
#include "proto/wire.h"

#define IDENTITY_WHY_SIZE 256
#define IDENTITY_FILE_MAX ((size_t)64 * 1024)
#define IDENTITY_PSK_KEY_SIZE 32
#define IDENTITY_PSK_NAME_MAX 64
#define IDENTITY_SERVER_SIZE 512

/* Of a pre-shared key, or of certificates, or of neither: then nobody. All zero, but for the heap, is nobody. */
struct identity {
    const struct heap *heap;
    char server[IDENTITY_SERVER_SIZE];
    char server_name[256]; /* "": the host of the address */
    char store[WIRE_CODE_MAX + 1], till[WIRE_CODE_MAX + 1];
    char name[WIRE_CODE_MAX + 1]; /* of a user */
    char role[16];
    char psk_identity[IDENTITY_PSK_NAME_MAX + 1]; /* "": none */
    uint8_t psk_key[IDENTITY_PSK_KEY_SIZE];
    bool psk_key_known;
    struct buffer key;         /* PEM: the private key, */
    struct buffer certificate; /* its certificate, the chain behind it, */
    struct buffer ca;          /* and what signs the server's */
    char ca_path[128];         /* where the last came from, for messages; cut */
};

/* Nobody, with memory from the heap, which outlives it. */
void identity_init(struct identity *identity, const struct heap *heap);
/* Wipes the secrets and gives the memory back. */
void identity_done(struct identity *identity);

/*
 * Reads the identity file at path into one that is nobody. PUNKT_CALL_DONE; PUNKT_CALL_INVALID and PUNKT_CALL_NO_MEMORY:
 * why, with room for IDENTITY_WHY_SIZE, says what is wrong, with the file and the line, and what to do.
 */
enum punkt_call identity_read(struct identity *identity, const char *path, char *why);

/*
 * What a handle's options say: the file, if they name one, then what they say themselves. As identity_read; DONE also where
 * they say nothing at all.
 */
enum punkt_call identity_choose(struct identity *identity, const struct punkt_options *options, char *why);

/* Whether it proves itself at all. */
bool identity_proves(const struct identity *identity);

/* Appends the file's text. False: no memory. */
bool identity_format(const struct identity *identity, struct buffer *out);

/* Takes 64 hexadecimal digits. False: it is something else. */
bool identity_psk_key(const char *text, uint8_t out_key[IDENTITY_PSK_KEY_SIZE]);

/* Reads a whole file, up to IDENTITY_FILE_MAX, behind out's end. As identity_read. */
enum punkt_call identity_read_file(const char *path, bool secret, struct buffer *out, char *why);
