#include "net/tls.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* A turn gives one connection no more than that: of small records in, of full ones (16 KiB) out. */
#define RECORDS_A_READ 64
#define RECORDS_A_WRITE 16

/*
 * The socket as OpenSSL sees it. Its own would raise SIGPIPE, and would not count what an unproven peer sends.
 */
static int socket_read(BIO *bio, char *out, size_t capacity, size_t *out_size)
{
    struct tls *tls = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (!tls->greeted && capacity > TLS_GREETING_MAX - tls->greeting_bytes)
        capacity = TLS_GREETING_MAX - tls->greeting_bytes;
    if (capacity == 0) {
        tls->too_long = true;
        return 0;
    }
    ssize_t got;
    do
        got = recv(tls->fd, out, capacity, 0);
    while (got < 0 && errno == EINTR);
    if (got < 0) {
        if (errno == EAGAIN || errno == EWOULDBLOCK)
            BIO_set_retry_read(bio);
        return 0;
    }
    if (got == 0) {
        tls->ended = true;
        return 0;
    }
    if (!tls->greeted)
        tls->greeting_bytes += (uint32_t)got;
    *out_size = (size_t)got;
    return 1;
}

static int socket_write(BIO *bio, const char *bytes, size_t size, size_t *out_size)
{
    const struct tls *tls = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    ssize_t sent;
    do
        sent = send(tls->fd, bytes, size, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    if (sent < 0) {
        if (errno == EAGAIN || errno == EWOULDBLOCK)
            BIO_set_retry_write(bio);
        return 0;
    }
    *out_size = (size_t)sent;
    return 1;
}

static long socket_control(BIO *bio, int what, long number PUNKT_UNUSED, void *pointer PUNKT_UNUSED)
{
    const struct tls *tls = BIO_get_data(bio);
    if (what == BIO_CTRL_EOF)
        return tls->ended ? 1 : 0;
    return what == BIO_CTRL_FLUSH ? 1 : 0;
}

enum punkt_status tls_shared_start(struct tls_shared *shared)
{
    if (shared->socket != NULL)
        return PUNKT_OK;
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "punkt socket");
    if (method == NULL)
        return PUNKT_NO_MEMORY;
    if (BIO_meth_set_read_ex(method, socket_read) != 1 || BIO_meth_set_write_ex(method, socket_write) != 1 ||
        BIO_meth_set_ctrl(method, socket_control) != 1) {
        BIO_meth_free(method);
        return PUNKT_NO_MEMORY;
    }
    shared->socket = method;
    return PUNKT_OK;
}

void tls_shared_use(struct tls_shared *shared, enum net_listener kind, SSL_CTX *context)
{
    SSL_CTX_free(shared->contexts[kind]);
    shared->contexts[kind] = context;
}

void tls_shared_done(struct tls_shared *shared)
{
    for (size_t i = 0; i < NET_LISTENER_KINDS; i++)
        SSL_CTX_free(shared->contexts[i]);
    BIO_meth_free(shared->socket);
    *shared = (struct tls_shared){ 0 };
}

/* Not before the peer has sent something: a silent one costs next to nothing. */
static bool begin(struct tls *tls)
{
    SSL *ssl = SSL_new(tls->shared->contexts[tls->kind]);
    BIO *bio = ssl == NULL ? NULL : BIO_new(tls->shared->socket);
    if (bio == NULL) {
        SSL_free(ssl);
        return false;
    }
    BIO_set_data(bio, tls);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl, bio, bio); /* takes it over */
    SSL_set_app_data(ssl, tls);
    SSL_set_accept_state(ssl);
    tls->ssl = ssl;
    return true;
}

static enum transport_result over(struct tls *tls)
{
    tls->broken = true;
    return TRANSPORT_FAILED;
}

/* Bytes of one record at most. */
static enum transport_result read_record(struct tls *tls, void *out, size_t capacity, size_t *out_size)
{
    if (tls->broken)
        return TRANSPORT_FAILED;
    ERR_clear_error();
    const int result = SSL_read_ex(tls->ssl, out, capacity, out_size);
    if (result == 1)
        return TRANSPORT_OK;
    const int error = SSL_get_error(tls->ssl, result);
    if (error == SSL_ERROR_WANT_READ)
        return TRANSPORT_AGAIN;
    /*
     * Wanting to write while reading is answering a key update of a peer that does not read. It could have us try without
     * end, so it goes, like whoever sends what is no TLS.
     */
    return error == SSL_ERROR_ZERO_RETURN ? TRANSPORT_ENDED : over(tls);
}

/* What the peer sends after we have finished is nobody's any more: it is not even decrypted. */
static enum transport_result read_scrap(const struct tls *tls, void *out, size_t capacity, size_t *out_size)
{
    const ssize_t got = recv(tls->fd, out, capacity, 0);
    if (got < 0)
        return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? TRANSPORT_AGAIN : TRANSPORT_FAILED;
    *out_size = (size_t)got;
    return got == 0 ? TRANSPORT_ENDED : TRANSPORT_OK;
}

static enum transport_result tls_read(struct transport *transport, void *out, size_t capacity,
                                      size_t *out_size)
{
    struct tls *tls = transport->state;
    if (tls->ssl == NULL)
        return read_scrap(tls, out, capacity, out_size);
    enum transport_result result = TRANSPORT_OK;
    size_t have = 0;
    for (int i = 0; i < RECORDS_A_READ && have < capacity && result == TRANSPORT_OK; i++) {
        size_t got = 0;
        result = read_record(tls, (char *)out + have, capacity - have, &got);
        have += got;
        if (result == TRANSPORT_OK && !SSL_has_pending(tls->ssl))
            result = TRANSPORT_AGAIN; /* known without asking the socket */
    }
    /* What is left over, or an end that came behind bytes, is told by the next call: the socket would not. */
    transport->pending = have > 0 && result != TRANSPORT_AGAIN;
    *out_size = have;
    return have > 0 ? TRANSPORT_OK : result;
}

static enum transport_result tls_write(struct transport *transport, const void *bytes, size_t size,
                                       size_t *out_size)
{
    struct tls *tls = transport->state;
    size_t sent = 0;
    for (int i = 0; i < RECORDS_A_WRITE && sent < size; i++) {
        size_t went = 0;
        if (tls->broken)
            return TRANSPORT_FAILED;
        ERR_clear_error();
        const int result = SSL_write_ex(tls->ssl, (const char *)bytes + sent, size - sent, &went);
        if (result != 1) {
            if (SSL_get_error(tls->ssl, result) != SSL_ERROR_WANT_WRITE)
                return over(tls);
            break;
        }
        sent += went;
    }
    *out_size = sent;
    return sent > 0 ? TRANSPORT_OK : TRANSPORT_AGAIN;
}

static void drop_ssl(struct tls *tls)
{
    SSL_free(tls->ssl);
    tls->ssl = NULL;
}

static void tls_finish(struct transport *transport)
{
    struct tls *tls = transport->state;
    if (tls->greeted && !tls->broken) {
        ERR_clear_error();
        (void)SSL_shutdown(tls->ssl); /* if there is no room for it, the end of the socket has to do */
    }
    (void)shutdown(tls->fd, SHUT_WR);
    transport->pending = false;
    drop_ssl(tls);
}

static void tls_close(struct transport *transport)
{
    struct tls *tls = transport->state;
    drop_ssl(tls);
    (void)close(tls->fd);
    free(tls);
    transport->state = NULL;
    transport->fd = -1;
}

struct transport transport_tls(struct tls_shared *shared, enum net_listener kind, int fd,
                               const struct net_peer *peer)
{
    static const struct transport_calls calls = { tls_read, tls_write, tls_finish, tls_close };
    struct tls *tls = malloc(sizeof(*tls));
    if (tls != NULL) {
        *tls = (struct tls){ .shared = shared, .fd = fd, .kind = kind, .peer = *peer };
        /* What it has to prove, also for those who are told that it failed. */
        tls->peer.proof = kind == NET_LISTEN_CERTIFICATE ? NET_PROOF_CERTIFICATE : NET_PROOF_PSK;
    }
    return (struct transport){ .calls = &calls, .fd = fd, .state = tls };
}

/* The register knows people and tills by their key, whoever signed it (RELIABILITY.md, Identity). */
static bool take_certificate(struct tls *tls)
{
    X509 *certificate = SSL_get0_peer_certificate(tls->ssl);
    unsigned char *der = NULL;
    struct tm ends;
    if (certificate == NULL || ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &ends) != 1)
        return false;
    const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
    const bool hashed =
        size > 0 && EVP_Digest(der, (size_t)size, tls->peer.key, NULL, EVP_sha256(), NULL) == 1;
    OPENSSL_free(der);
    tls->peer.key_ends_s = (int64_t)timegm(&ends);
    return hashed;
}

static bool take_proof(struct tls *tls)
{
    if (tls->kind == NET_LISTEN_CERTIFICATE)
        return take_certificate(tls);
    tls->peer.psk_number = tls->psk_number;
    return tls->psk_named && SSL_session_reused(tls->ssl) == 1; /* that is how OpenSSL says: by a key */
}

static const char *words_of(const struct tls *tls, unsigned long error)
{
    const long verified = SSL_get_verify_result(tls->ssl);
    if (tls->too_long)
        return "it is too long";
    if (verified != X509_V_OK)
        return X509_verify_cert_error_string(verified);
    switch (ERR_GET_LIB(error) == ERR_LIB_SSL ? ERR_GET_REASON(error) : 0) {
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
        return "no certificate";
    case SSL_R_BINDER_DOES_NOT_VERIFY:
        return "no such key";
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_NO_PROTOCOLS_AVAILABLE:
        return "no TLS 1.3";
    case SSL_R_HTTP_REQUEST:
    case SSL_R_HTTPS_PROXY_REQUEST:
    case SSL_R_WRONG_VERSION_NUMBER:
        return "no TLS";
    }
    if (tls->ended)
        return "the other side has hung up";
    if (tls->kind != NET_LISTEN_CERTIFICATE && !tls->psk_named)
        return "no pre-shared key";
    const char *reason = ERR_reason_error_string(error);
    return reason == NULL ? "the connection is lost" : reason;
}

enum tls_step tls_greet(struct tls *tls, const char **out_what, bool *out_key_wrong)
{
    *out_what = "no memory";
    *out_key_wrong = false;
    if (tls->ssl == NULL && !begin(tls))
        return TLS_FAILED;
    ERR_clear_error();
    const int result = SSL_do_handshake(tls->ssl);
    if (result == 1) {
        tls->greeted = take_proof(tls);
        *out_what = "nothing is proven";
        return tls->greeted ? TLS_DONE : TLS_FAILED;
    }
    switch (SSL_get_error(tls->ssl, result)) {
    case SSL_ERROR_WANT_READ:
        return TLS_WANTS_READ;
    case SSL_ERROR_WANT_WRITE:
        return TLS_WANTS_WRITE;
    }
    const unsigned long error = ERR_peek_error();
    *out_what = words_of(tls, error);
    *out_key_wrong =
        ERR_GET_LIB(error) == ERR_LIB_SSL && ERR_GET_REASON(error) == SSL_R_BINDER_DOES_NOT_VERIFY;
    ERR_clear_error();
    return TLS_FAILED;
}
