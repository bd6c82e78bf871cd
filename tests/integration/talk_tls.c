#include "talk_tls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "talk.h"
#include "world.h"

#define LINE_MAX_SIZE 256

struct talk_tls {
    SSL_CTX *context;
    SSL *ssl;
    int fd;
    char psk_identity[LINE_MAX_SIZE];
    unsigned char psk_key[32];
};

/* What a line of the file says; "" if there is none. */
static void value_of(const char *identity, const char *name, char out[LINE_MAX_SIZE])
{
    char line[LINE_MAX_SIZE];
    size_t size = strlen(name);
    FILE *file = fopen(identity, "re");
    assert_non_null(file);
    out[0] = '\0';
    while (out[0] == '\0' && fgets(line, sizeof(line), file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, name, size) == 0 && strncmp(line + size, ": ", 2) == 0)
            (void)snprintf(out, LINE_MAX_SIZE, "%s", line + size + 2);
    }
    assert_int_equal(fclose(file), 0);
}

/* --- proofs --- */

static void use_certificate(struct talk_tls *tls, const char *identity)
{
    FILE *file = fopen(identity, "re");
    assert_non_null(file);
    EVP_PKEY *key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
    X509 *certificate = PEM_read_X509(file, NULL, NULL, NULL);
    X509 *ca = PEM_read_X509(file, NULL, NULL, NULL);
    assert_true(key != NULL && certificate != NULL && ca != NULL);
    assert_int_equal(SSL_CTX_use_certificate(tls->context, certificate), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(tls->context, key), 1);
    assert_int_equal(X509_STORE_add_cert(SSL_CTX_get_cert_store(tls->context), ca), 1);
    EVP_PKEY_free(key);
    X509_free(certificate);
    X509_free(ca);
    assert_int_equal(fclose(file), 0);
}

static int offer_key(SSL *ssl, const EVP_MD *digest, const unsigned char **out_name, size_t *out_size,
                     SSL_SESSION **out_session)
{
    static const unsigned char suite[] = { 0x13, 0x01 };
    const struct talk_tls *tls = SSL_get_app_data(ssl);
    SSL_SESSION *session = SSL_SESSION_new();
    (void)digest;
    assert_non_null(session);
    assert_int_equal(SSL_SESSION_set1_master_key(session, tls->psk_key, sizeof(tls->psk_key)), 1);
    assert_int_equal(SSL_SESSION_set_cipher(session, SSL_CIPHER_find(ssl, suite)), 1);
    assert_int_equal(SSL_SESSION_set_protocol_version(session, TLS1_3_VERSION), 1);
    *out_name = (const unsigned char *)tls->psk_identity;
    *out_size = strlen(tls->psk_identity);
    *out_session = session;
    return 1;
}

static void use_key(struct talk_tls *tls, const char *identity)
{
    char hex[LINE_MAX_SIZE];
    long size;
    value_of(identity, "psk_key", hex);
    unsigned char *key = OPENSSL_hexstr2buf(hex, &size);
    assert_non_null(key);
    assert_int_equal(size, sizeof(tls->psk_key));
    memcpy(tls->psk_key, key, sizeof(tls->psk_key));
    OPENSSL_free(key);
    assert_int_equal(SSL_CTX_set_ciphersuites(tls->context, "TLS_AES_128_GCM_SHA256"), 1);
    SSL_CTX_set_psk_use_session_callback(tls->context, offer_key);
}

/* --- connections --- */

struct talk_tls *talk_tls_new(const char *identity, int *out_fd)
{
    char server[LINE_MAX_SIZE];
    struct timeval patience = { .tv_sec = WORLD_PATIENCE_MS / 1000 };
    struct talk_tls *tls = calloc(1, sizeof(*tls));
    assert_non_null(tls);
    value_of(identity, "server", server);
    value_of(identity, "psk_identity", tls->psk_identity);
    tls->context = SSL_CTX_new(TLS_client_method());
    assert_non_null(tls->context);
    SSL_CTX_set_verify(tls->context, SSL_VERIFY_PEER, NULL);
    if (tls->psk_identity[0] != '\0')
        use_key(tls, identity);
    else
        use_certificate(tls, identity);
    tls->fd = *out_fd = talk_dial(server);
    assert_int_equal(setsockopt(tls->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
    tls->ssl = SSL_new(tls->context);
    assert_non_null(tls->ssl);
    SSL_set_app_data(tls->ssl, tls);
    assert_int_equal(SSL_set_fd(tls->ssl, tls->fd), 1);
    assert_int_equal(SSL_connect(tls->ssl), 1);
    return tls;
}

void talk_tls_free(struct talk_tls *tls)
{
    if (tls == NULL)
        return;
    SSL_free(tls->ssl);
    SSL_CTX_free(tls->context);
    (void)close(tls->fd);
    free(tls);
}

void talk_tls_send(struct talk_tls *tls, const void *bytes, size_t size)
{
    if (size > 0)
        assert_int_equal(SSL_write(tls->ssl, bytes, (int)size), (int)size);
}

size_t talk_tls_receive(struct talk_tls *tls, void *out, size_t size)
{
    int got = SSL_read(tls->ssl, out, (int)size);
    if (got <= 0)
        assert_int_not_equal(SSL_get_error(tls->ssl, got), SSL_ERROR_WANT_READ); /* patience has ended */
    return got > 0 ? (size_t)got : 0;
}
