#include "tls_peer.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

/* --- certificates --- */

static bool add_extension(X509 *certificate, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    bool good = extension != NULL && X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return good;
}

/* Without cmocka, for a script may call it. NULL: OpenSSL refused. */
static X509 *make_certificate(enum peer_use use, EVP_PKEY *key, const struct peer_person *issuer,
                              const char *names, const long valid_s[2])
{
    static const char *const common[] = { "Test CA", "Test server", "Test client" };
    static const char *const uses[] = { "critical,CA:TRUE", "serverAuth", "clientAuth" };
    X509 *made = X509_new();
    X509_NAME *name = X509_get_subject_name(made);
    const X509 *signer = issuer != NULL ? issuer->certificate : made;
    bool good = X509_set_version(made, X509_VERSION_3) == 1 &&
                ASN1_INTEGER_set(X509_get_serialNumber(made), 1 + (long)use) == 1 &&
                X509_gmtime_adj(X509_getm_notBefore(made), valid_s[0]) != NULL &&
                X509_gmtime_adj(X509_getm_notAfter(made), valid_s[1]) != NULL &&
                X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)common[use], -1,
                                           -1, 0) == 1 &&
                X509_set_issuer_name(made, X509_get_subject_name(signer)) == 1 &&
                X509_set_pubkey(made, key) == 1 &&
                add_extension(made, use == PEER_CA ? NID_basic_constraints : NID_ext_key_usage, uses[use]) &&
                (names == NULL || add_extension(made, NID_subject_alt_name, names)) &&
                X509_sign(made, issuer != NULL ? issuer->key : key, EVP_sha256()) > 0;
    if (good)
        return made;
    X509_free(made);
    return NULL;
}

struct peer_person peer_person_new(enum peer_use use, const struct peer_person *issuer, const char *names,
                                   long from_s, long to_s)
{
    const long valid_s[] = { from_s, to_s };
    struct peer_person person = { .key = EVP_EC_gen("P-256") };
    assert_non_null(person.key);
    person.certificate = make_certificate(use, person.key, issuer, names, valid_s);
    assert_non_null(person.certificate);
    return person;
}

void peer_person_free(struct peer_person *person)
{
    EVP_PKEY_free(person->key);
    X509_free(person->certificate);
}

X509 *peer_sign(const struct peer_person *ca, const void *request, size_t size)
{
    const unsigned char *at = request;
    const long valid_s[] = { -60, 86400 };
    X509_REQ *read = d2i_X509_REQ(NULL, &at, (long)size);
    EVP_PKEY *key = read != NULL ? X509_REQ_get0_pubkey(read) : NULL;
    X509 *made = key != NULL && X509_REQ_verify(read, key) == 1
                     ? make_certificate(PEER_CLIENT, key, ca, NULL, valid_s)
                     : NULL;
    X509_REQ_free(read);
    return made;
}

char *peer_pem(const X509 *certificate)
{
    BIO *memory = BIO_new(BIO_s_mem());
    char *bytes = NULL;
    char *text = NULL;
    if (memory != NULL && PEM_write_bio_X509(memory, certificate) == 1) {
        size_t size = (size_t)BIO_get_mem_data(memory, &bytes);
        text = OPENSSL_malloc(size + 1);
        memcpy(text, bytes, size);
        text[size] = '\0';
    }
    BIO_free(memory);
    return text;
}

/* --- TLS over a connection of a script: what is to be sent goes through memory, to be sent in pieces --- */

struct peer {
    const struct peer_tls *tls;
    struct server *server;
    int fd;
    SSL *ssl;
    BIO *in, *out;
};

static bool send_pieces(struct peer *peer)
{
    char *bytes = NULL;
    size_t left = (size_t)BIO_get_mem_data(peer->out, &bytes);
    while (left > 0) {
        size_t piece =
            peer->tls->record_max > 0 && peer->tls->record_max < left ? peer->tls->record_max : left;
        ssize_t sent = send(peer->fd, bytes, piece, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        bytes += sent;
        left -= (size_t)sent;
    }
    (void)BIO_reset(peer->out);
    return true;
}

/* True: there is more to be read. */
static bool receive_piece(struct peer *peer)
{
    char bytes[4096];
    struct pollfd fd = { .fd = peer->fd, .events = POLLIN };
    if (poll(&fd, 1, SERVER_PATIENCE_MS) <= 0) {
        server_fail(peer->server, "waited in vain for TLS");
        return false;
    }
    ssize_t got = recv(peer->fd, bytes, sizeof(bytes), 0);
    return got > 0 && BIO_write(peer->in, bytes, (int)got) == (int)got;
}

/* After a call of OpenSSL that returned this. True: to be called again. */
static bool again(struct peer *peer, int returned)
{
    int error = SSL_get_error(peer->ssl, returned);
    bool sent = send_pieces(peer);
    ERR_clear_error();
    return returned <= 0 && sent && error == SSL_ERROR_WANT_READ && receive_piece(peer);
}

static ssize_t peer_receive(void *ctx, void *bytes, size_t size)
{
    struct peer *peer = ctx;
    int got;
    do {
        ERR_clear_error();
        got = SSL_read(peer->ssl, bytes, (int)size);
    } while (again(peer, got));
    return got;
}

static ssize_t peer_send(void *ctx, const void *bytes, size_t size)
{
    struct peer *peer = ctx;
    size_t record = peer->tls->record_max > 0 && peer->tls->record_max < size ? peer->tls->record_max : size;
    ERR_clear_error();
    int sent = SSL_write(peer->ssl, bytes, (int)record);
    if (!send_pieces(peer)) {
        errno = EPIPE;
        return -1;
    }
    return sent;
}

static void peer_close(void *ctx)
{
    struct peer *peer = ctx;
    ERR_clear_error();
    if (SSL_is_init_finished(peer->ssl))
        (void)SSL_shutdown(peer->ssl);
    (void)send_pieces(peer);
    SSL_free(peer->ssl);
    ERR_clear_error();
    free(peer);
}

static const struct server_stream peer_stream = { peer_receive, peer_send, peer_close };

static int find_psk(SSL *ssl, const unsigned char *identity, size_t size, SSL_SESSION **out)
{
    static const unsigned char suite[] = { 0x13, 0x01 };
    const struct peer_tls *tls = ((struct peer *)SSL_get_app_data(ssl))->tls;
    *out = NULL;
    if (size != strlen(tls->psk_identity) || memcmp(identity, tls->psk_identity, size) != 0)
        return 1; /* unknown: the handshake fails for want of a certificate */
    *out = SSL_SESSION_new();
    return *out != NULL && SSL_SESSION_set1_master_key(*out, tls->psk_key, PEER_KEY_SIZE) == 1 &&
           SSL_SESSION_set_cipher(*out, SSL_CIPHER_find(ssl, suite)) == 1 &&
           SSL_SESSION_set_protocol_version(*out, TLS1_3_VERSION) == 1;
}

static bool set_up(SSL_CTX *context, const struct peer_tls *tls)
{
    bool good = SSL_CTX_set_num_tickets(context, 0) == 1;
    if (tls->version_max != 0)
        good = good && SSL_CTX_set_max_proto_version(context, tls->version_max) == 1;
    if (tls->person != NULL)
        good = good && SSL_CTX_use_certificate(context, tls->person->certificate) == 1 &&
               SSL_CTX_use_PrivateKey(context, tls->person->key) == 1;
    if (tls->ca != NULL) {
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
        good = good && X509_STORE_add_cert(SSL_CTX_get_cert_store(context), tls->ca->certificate) == 1;
    }
    if (tls->psk_identity != NULL) {
        SSL_CTX_set_psk_find_session_callback(context, find_psk);
        good = good && SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256") == 1;
    }
    return good;
}

static struct peer *peer_new(struct server *server, const struct peer_tls *tls)
{
    struct peer *peer = calloc(1, sizeof(*peer));
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    *peer = (struct peer){ .tls = tls, .server = server, .fd = server->connection };
    int on = 1; /* so that pieces arrive as they are sent */
    (void)setsockopt(peer->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (!set_up(context, tls))
        server_fail(server, "no TLS context for the server");
    peer->ssl = SSL_new(context);
    peer->in = BIO_new(BIO_s_mem());
    peer->out = BIO_new(BIO_s_mem());
    SSL_set_bio(peer->ssl, peer->in, peer->out);
    (void)SSL_set_app_data(peer->ssl, peer);
    SSL_set_accept_state(peer->ssl);
    SSL_CTX_free(context);
    return peer;
}

bool peer_shake(struct server *server, const struct peer_tls *tls)
{
    int shaken;
    if (!server_good(server))
        return false;
    struct peer *peer = peer_new(server, tls);
    server_use_stream(server, &peer_stream, peer);
    do {
        ERR_clear_error();
        shaken = SSL_do_handshake(peer->ssl);
    } while (again(peer, shaken));
    return shaken == 1;
}

void peer_renew_keys(struct server *server)
{
    struct peer *peer = server->stream_ctx;
    if (!server_good(server))
        return;
    ERR_clear_error();
    if (SSL_key_update(peer->ssl, SSL_KEY_UPDATE_REQUESTED) != 1 || SSL_do_handshake(peer->ssl) != 1 ||
        !send_pieces(peer))
        server_fail(server, "no new keys");
}

void peer_accept(struct server *server, const struct peer_tls *tls)
{
    server_accept(server);
    if (server_good(server) && !peer_shake(server, tls))
        server_fail(server, "the handshake failed");
}
