/*
 * The small CA of punktd (`punktd init-ca`), and what is asked of certificates: P-256 keys, SHA-256. Only libcrypto; the
 * functions may be called from any thread.
 */
#pragma once

#include "base/base.h"
#include "base/status.h"
#include "base/text.h"
#include "base/units.h"

struct ca;

#define CA_DAYS 3650
#define CA_SERVER_DAYS 825
#define CA_CLIENT_DAYS 825
#define CA_NAME_MAX 253            /* of a name of the DNS */
#define CA_SERVER_UNNAMED "punktd" /* the name of a server that was given none */

/*
 * Makes a CA in a folder that is there: ca.pem, ca.key, server.pem, server.key; keys with mode 0600, each synced. names:
 * of the server, "host.example" or "192.0.2.1", up to 16; the first, or CA_SERVER_UNNAMED, is what clients look for. PUNKT_BUSY: one
 * of the files is there, nothing is overwritten.
 */
PUNKT_MUST_CHECK enum punkt_status ca_make(const char *folder, const char *const *names, uint32_t name_count,
                                           utc_us now, struct failure *failure);
/*
 * Another key and certificate for the server, by the CA of that folder; server.pem and server.key are replaced by rename.
 * Without names it has those of the one before.
 */
PUNKT_MUST_CHECK enum punkt_status ca_renew_server(const char *folder, const char *const *names,
                                                   uint32_t name_count, utc_us now, struct failure *failure);

/*
 * Opens a CA to sign with. key_path NULL: it signs nothing, and only hands out the certificate of ca_path (another CA).
 * server_path: the server's certificate, whose first name clients are told to look for.
 */
PUNKT_MUST_CHECK enum punkt_status ca_open(const char *ca_path, const char *key_path, const char *server_path,
                                           struct ca **out_ca, struct failure *failure);
void ca_free(struct ca *ca);

/* Whether it signs. */
bool ca_signs(const struct ca *ca);
/* Its certificate, PEM, and the name of the server. */
struct text ca_certificate(const struct ca *ca);
const char *ca_server_name(const struct ca *ca);

/* The name that clients look for: the first of a server's certificate. */
PUNKT_MUST_CHECK enum punkt_status ca_server_name_read(const char *server_path, char out[CA_NAME_MAX + 1],
                                                       struct failure *failure);
/*
 * Whether clients that have the certificate of this CA will know the server by these files: ca_path still has that CA, and, if
 * it signs, the certificate of server_path leads to it, over what stands behind it there. PUNKT_INVALID: failure says what not.
 */
PUNKT_MUST_CHECK enum punkt_status ca_check_files(const struct ca *ca, const char *ca_path,
                                                  const char *server_path, struct failure *failure);
/* The server has another certificate now, with this name. In the thread that asks for it; signing may go on meanwhile. */
void ca_server_renamed(struct ca *ca, const char *name);

#define CA_PEM_MAX 8192
struct ca_signed {
    uint8_t key[32]; /* SHA-256 of the public key */
    utc_us ends;
    size_t size;
    char pem[CA_PEM_MAX];
};
/*
 * Checks a signing request (PKCS #10, DER: its own signature, a key of P-256) and signs a client's certificate for it; of the
 * request only the key is taken. common_name: for people. PUNKT_INVALID: the request is not what it must be.
 */
PUNKT_MUST_CHECK enum punkt_status ca_sign(const struct ca *ca, struct text signing_request,
                                           const char *common_name, utc_us now, struct ca_signed *out,
                                           struct failure *failure);
/* Checks a signing request alike, and says only whose key it has. */
PUNKT_MUST_CHECK enum punkt_status signing_request_read(struct text signing_request, uint8_t out_key[32],
                                                        struct failure *failure);

/* Key and end of a certificate in PEM. PUNKT_INVALID: it cannot be read. */
PUNKT_MUST_CHECK enum punkt_status certificate_read(struct text pem, uint8_t out_key[32], utc_us *out_ends,
                                                    struct failure *failure);
