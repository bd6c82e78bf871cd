#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/tls.h"

#define CHAIN_MAX 2 /* certificates between a peer's and the CA's */
#define SECURITY_LEVEL 2

/* The one suite of pre-shared keys: with another hash, OpenSSL would pass over a key without a word. */
#define PSK_SUITE "TLS_AES_128_GCM_SHA256"
static const unsigned char psk_suite_number[] = { 0x13, 0x01 };

/* What holds for every context, whoever its peers are and whatever the system's openssl.cnf says. */
static SSL_CTX *context_new(const char *suites)
{
    char groups[] = "X25519:P-256"; /* not const, for OpenSSL casts it */
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (context == NULL)
        return NULL;
    SSL_CTX_set_security_level(context, SECURITY_LEVEL);
    /* A peer that vanishes without a word has ended like any other: frames say themselves whether they are whole. */
    (void)SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                           SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF);
    (void)SSL_CTX_clear_options(context, SSL_OP_ALLOW_NO_DHE_KEX);
    (void)SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                        SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    (void)SSL_CTX_clear_mode(context,
                             SSL_MODE_AUTO_RETRY); /* or a read goes on while the peer sends key updates */
    (void)SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_read_ahead(context, 1); /* one system call for many records */
    SSL_CTX_set_max_cert_list(context, TLS_CERTIFICATES_MAX);
    if (SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) != 1 ||
        SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) != 1 ||
        SSL_CTX_set_num_tickets(context, 0) != 1 || SSL_CTX_set_max_early_data(context, 0) != 1 ||
        SSL_CTX_set_recv_max_early_data(context, 0) != 1 || SSL_CTX_set_ciphersuites(context, suites) != 1 ||
        SSL_CTX_set1_groups_list(context, groups) != 1) {
        SSL_CTX_free(context);
        return NULL;
    }
    return context;
}

/* Never asks at a terminal: a key with a password is one that cannot be used. */
static int no_password(char *out PUNKT_UNUSED, int capacity PUNKT_UNUSED, int writing PUNKT_UNUSED,
                       void *ctx PUNKT_UNUSED)
{
    return -1;
}

static FILE *open_file(const char *path, struct failure *failure)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        failure_set(failure, "%s: %s", path, strerror(errno));
    return file;
}

/* The first certificate of the file, which is this server's; NULL when it cannot be used. */
static X509 *read_certificate(const char *path, struct failure *failure)
{
    FILE *file = open_file(path, failure);
    if (file == NULL)
        return NULL;
    X509 *certificate = PEM_read_X509(file, NULL, no_password, NULL);
    (void)fclose(file);
    const char *wrong = NULL;
    if (certificate == NULL)
        wrong = "there is no certificate in it, in PEM form";
    else if (X509_cmp_current_time(X509_get0_notBefore(certificate)) >= 0)
        wrong = "the certificate is not yet valid";
    else if (X509_cmp_current_time(X509_get0_notAfter(certificate)) <= 0)
        wrong = "the certificate has expired";
    else if (X509_check_purpose(certificate, X509_PURPOSE_SSL_SERVER, 0) != 1)
        wrong = "the certificate is not one for servers";
    if (wrong == NULL)
        return certificate;
    failure_set(failure, "%s: %s", path, wrong);
    X509_free(certificate);
    return NULL;
}

/* What root owns and lets us read by a group (systemd's credentials), root means so. */
static bool is_private(FILE *file)
{
    struct stat status;
    if (fstat(fileno(file), &status) != 0)
        return false;
    mode_t others = status.st_uid == 0 && geteuid() != 0 ? 007 : 077;
    return (status.st_mode & others) == 0;
}

static EVP_PKEY *read_key(const char *path, struct failure *failure)
{
    FILE *file = open_file(path, failure);
    if (file == NULL)
        return NULL;
    if (!is_private(file)) {
        failure_set(failure, "%s: others may read the key; run: chmod 600 %s", path, path);
        (void)fclose(file);
        return NULL;
    }
    EVP_PKEY *key = PEM_read_PrivateKey(file, NULL, no_password, NULL);
    (void)fclose(file);
    if (key == NULL)
        failure_set(failure, "%s: there is no private key in it, in PEM form and without a password", path);
    return key;
}

static bool use_own(SSL_CTX *context, const struct net_certificates *files, struct failure *failure)
{
    X509 *certificate = read_certificate(files->certificate, failure);
    EVP_PKEY *key = certificate == NULL ? NULL : read_key(files->key, failure);
    bool used = false;
    if (key == NULL)
        goto out;
    if (X509_check_private_key(certificate, key) != 1) {
        failure_set(failure, "%s: it is not the key of the certificate in %s", files->key,
                    files->certificate);
        goto out;
    }
    ERR_clear_error();
    if (SSL_CTX_use_certificate_chain_file(context, files->certificate) != 1 ||
        SSL_CTX_use_PrivateKey(context, key) != 1) {
        const char *reason = ERR_reason_error_string(ERR_peek_error());
        failure_set(failure, "%s: %s", files->certificate, reason == NULL ? "it cannot be used" : reason);
        goto out;
    }
    used = true;
out:
    EVP_PKEY_free(key);
    X509_free(certificate);
    return used;
}

static bool use_ca(SSL_CTX *context, const char *path, struct failure *failure)
{
    FILE *file = open_file(path, failure);
    if (file == NULL)
        return false;
    (void)fclose(file);
    if (SSL_CTX_load_verify_file(context, path) == 1)
        return true;
    failure_set(failure, "%s: there is no certificate of a CA in it, in PEM form", path);
    return false;
}

enum punkt_status tls_context_for_certificates(const struct net_certificates *files, SSL_CTX **out_context,
                                               struct failure *failure)
{
    SSL_CTX *context =
        context_new("TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256");
    if (context == NULL) {
        failure_set(
            failure,
            "TLS cannot be used: no memory, or the OpenSSL of this system does not have what it takes");
        return PUNKT_NO_MEMORY;
    }
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_CTX_set_verify_depth(context, CHAIN_MAX);
    const bool sound = SSL_CTX_set_purpose(context, X509_PURPOSE_SSL_CLIENT) == 1 &&
                       use_own(context, files, failure) && use_ca(context, files->ca, failure);
    ERR_clear_error();
    if (!sound) {
        SSL_CTX_free(context);
        return PUNKT_INVALID;
    }
    *out_context = context;
    return PUNKT_OK;
}

/* The session that stands for a key. */
static SSL_SESSION *session_of_key(SSL *ssl, const uint8_t key[NET_PSK_SIZE])
{
    const SSL_CIPHER *suite = SSL_CIPHER_find(ssl, psk_suite_number);
    SSL_SESSION *session = SSL_SESSION_new();
    if (session == NULL || suite == NULL || SSL_SESSION_set1_master_key(session, key, NET_PSK_SIZE) != 1 ||
        SSL_SESSION_set_cipher(session, suite) != 1 ||
        SSL_SESSION_set_protocol_version(session, TLS1_3_VERSION) != 1) {
        SSL_SESSION_free(session);
        return NULL;
    }
    return session;
}

static void keep_identity(struct tls *tls, const unsigned char *identity, size_t size)
{
    const size_t kept = size < NET_PSK_IDENTITY_MAX ? size : NET_PSK_IDENTITY_MAX;
    for (size_t i = 0; i < kept; i++)
        tls->psk_identity[i] = identity[i] >= ' ' && identity[i] <= '~' ? (char)identity[i] : '?';
    tls->psk_identity[kept] = '\0';
    tls->psk_named = true;
    tls->psk_number = 0;
}

/*
 * An identity that nobody has gets a key that nobody has: it fails at the same place, with the same alert, as a known
 * one with a wrong key. Without any session OpenSSL would go on without a key, and fail in another way.
 */
static int on_psk(SSL *ssl, const unsigned char *identity, size_t size, SSL_SESSION **out_session)
{
    struct tls *tls = SSL_get_app_data(ssl);
    uint8_t random[NET_PSK_SIZE];
    uint8_t key[NET_PSK_SIZE];
    uint64_t number = 0;
    keep_identity(tls, identity, size);
    if (RAND_bytes(random, sizeof(random)) != 1)
        return 0;
    const bool known =
        size <= NET_PSK_IDENTITY_MAX &&
        tls->shared->psk(tls->shared->ctx, tls->kind, (const char *)identity, size, key, &number);
    tls->psk_number = known ? number : 0;
    *out_session = session_of_key(ssl, known ? key : random);
    OPENSSL_cleanse(key, sizeof(key));
    OPENSSL_cleanse(random, sizeof(random));
    return *out_session != NULL;
}

enum punkt_status tls_context_for_keys(SSL_CTX **out_context)
{
    SSL_CTX *context = context_new(PSK_SUITE);
    if (context == NULL)
        return PUNKT_NO_MEMORY;
    SSL_CTX_set_psk_find_session_callback(context, on_psk);
    *out_context = context;
    return PUNKT_OK;
}
