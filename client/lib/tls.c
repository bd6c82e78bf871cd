#include "lib/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "lib/machine.h"
#include "lib/tls_words.h"

#define CHAIN_DEPTH_MAX 4
#define CERTIFICATES_MAX 16384 /* bytes that a server may send of them */
/* The only suite whose hash is that of an external pre-shared key; with others beside it, OpenSSL passes the key over. */
#define PSK_SUITE "TLS_AES_128_GCM_SHA256"

static const unsigned char psk_suite_number[] = { 0x13, 0x01 };

struct tls_context {
    const struct heap *heap;
    SSL_CTX *ssl;
    BIO_METHOD *socket; /* OpenSSL's own raises SIGPIPE, and knows no other machine's sockets */
    char server_name[sizeof(((struct identity *)NULL)->server_name)];
    char psk_identity[IDENTITY_PSK_NAME_MAX + 1]; /* "": certificates */
    uint8_t psk_key[IDENTITY_PSK_KEY_SIZE];
    char ca_path[sizeof(((struct identity *)NULL)->ca_path)];
};

struct tls {
    const struct tls_context *context;
    SSL *ssl;
    int fd;
    bool open;        /* the handshake is done, and nothing has failed since */
    bool wants_write; /* what was blocked last */
    bool refused;
    struct tls_loss loss;
    char server_name[sizeof(((struct identity *)NULL)->server_name)]; /* that its certificate must have */
    char trouble[TLS_TROUBLE_SIZE];
};

/* --- the socket, for OpenSSL --- */

/* What became of a transfer of the socket: what the socket said is kept, for OpenSSL keeps no errno. */
static int socket_result(BIO *bio, struct tls *tls, ssize_t size, int retry)
{
    if (size > 0)
        return (int)size;
    if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR || errno == ENOTCONN))
        BIO_set_flags(bio, retry | BIO_FLAGS_SHOULD_RETRY);
    else
        tls->loss = (struct tls_loss){ .ended = size == 0, .error = size == 0 ? 0 : errno };
    return -1;
}

static int socket_read(BIO *bio, char *bytes, int size)
{
    struct tls *tls = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    return socket_result(bio, tls, machine_receive(tls->fd, bytes, (size_t)size), BIO_FLAGS_READ);
}

static int socket_write(BIO *bio, const char *bytes, int size)
{
    struct tls *tls = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    return socket_result(bio, tls, machine_send(tls->fd, bytes, (size_t)size), BIO_FLAGS_WRITE);
}

static long socket_control(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH ? 1 : 0; /* nothing is kept back */
}

static BIO_METHOD *socket_method(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "punkt");
    if (method != NULL && BIO_meth_set_read(method, socket_read) == 1 &&
        BIO_meth_set_write(method, socket_write) == 1 && BIO_meth_set_ctrl(method, socket_control) == 1)
        return method;
    BIO_meth_free(method);
    return NULL;
}

/* --- the context --- */

/* OpenSSL would ask for a passphrase on the terminal of the process. */
static int no_passphrase(char *out, int size, int writing, void *ctx)
{
    (void)out;
    (void)size;
    (void)writing;
    (void)ctx;
    return -1;
}

static BIO *pem_of(const struct buffer *text)
{
    size_t size = buffer_size(text);
    return size > 0 ? BIO_new_mem_buf(buffer_data(text), (int)size) : NULL; /* at most IDENTITY_FILE_MAX */
}

/* The first is ours, what follows leads to a CA that the server knows. */
static bool use_certificates(SSL_CTX *ssl, BIO *pem)
{
    X509 *own = PEM_read_bio_X509(pem, NULL, no_passphrase, NULL);
    X509 *next;
    bool good = own != NULL && SSL_CTX_use_certificate(ssl, own) == 1;
    X509_free(own);
    while (good && (next = PEM_read_bio_X509(pem, NULL, no_passphrase, NULL)) != NULL) {
        good = SSL_CTX_add0_chain_cert(ssl, next) == 1;
        if (!good)
            X509_free(next);
    }
    return good;
}

static bool use_key(SSL_CTX *ssl, BIO *pem)
{
    EVP_PKEY *key = PEM_read_bio_PrivateKey(pem, NULL, no_passphrase, NULL);
    bool good = key != NULL && SSL_CTX_use_PrivateKey(ssl, key) == 1;
    EVP_PKEY_free(key);
    return good;
}

/* Whoever is named here may vouch for the server, also one that is itself vouched for by another; nobody else. */
static bool use_ca(SSL_CTX *ssl, BIO *pem)
{
    X509_STORE *store = SSL_CTX_get_cert_store(ssl);
    X509 *ca;
    unsigned count = 0;
    bool good = X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN) == 1;
    while (good && (ca = PEM_read_bio_X509(pem, NULL, no_passphrase, NULL)) != NULL) {
        good = X509_STORE_add_cert(store, ca) == 1;
        X509_free(ca);
        count++;
    }
    return good && count > 0;
}

typedef bool use_fn(SSL_CTX *ssl, BIO *pem);

static enum punkt_call use_block(SSL_CTX *ssl, const struct buffer *block, use_fn *use, const char *what,
                                 char *why)
{
    BIO *pem = pem_of(block);
    bool good = pem != NULL && use(ssl, pem);
    BIO_free(pem);
    if (good)
        return PUNKT_CALL_DONE;
    (void)snprintf(why, IDENTITY_WHY_SIZE, "the %s cannot be read", what);
    return PUNKT_CALL_INVALID;
}

static enum punkt_call use_blocks(SSL_CTX *ssl, const struct identity *identity, char *why)
{
    enum punkt_call used =
        use_block(ssl, &identity->certificate, use_certificates, "client's certificate", why);
    if (used == PUNKT_CALL_DONE)
        used = use_block(ssl, &identity->key, use_key,
                         "private key (one without a passphrase, of the client's certificate)", why);
    if (used == PUNKT_CALL_DONE)
        used = use_block(ssl, &identity->ca, use_ca, "certificate of the server's CA", why);
    if (used == PUNKT_CALL_DONE && SSL_CTX_check_private_key(ssl) != 1) {
        (void)snprintf(why, IDENTITY_WHY_SIZE, "the private key is not that of the client's certificate");
        used = PUNKT_CALL_INVALID;
    }
    return used;
}

/* The session that an external pre-shared key is: OpenSSL's way to offer one in TLS 1.3. */
static int offer_psk(SSL *ssl, const EVP_MD *digest, const unsigned char **out_name, size_t *out_size,
                     SSL_SESSION **out_session)
{
    const struct tls *tls = SSL_get_app_data(ssl);
    const struct tls_context *context = tls->context;
    const SSL_CIPHER *suite = SSL_CIPHER_find(ssl, psk_suite_number);
    SSL_SESSION *session = SSL_SESSION_new();
    *out_session = NULL;
    if (digest != NULL && EVP_MD_get_type(digest) != NID_sha256) {
        SSL_SESSION_free(session);
        return 1; /* none for that digest */
    }
    if (session == NULL || suite == NULL ||
        SSL_SESSION_set1_master_key(session, context->psk_key, sizeof(context->psk_key)) != 1 ||
        SSL_SESSION_set_cipher(session, suite) != 1 ||
        SSL_SESSION_set_protocol_version(session, TLS1_3_VERSION) != 1) {
        SSL_SESSION_free(session);
        return 0;
    }
    *out_name = (const unsigned char *)context->psk_identity;
    *out_size = strlen(context->psk_identity);
    *out_session = session;
    return 1;
}

static bool set_up(struct tls_context *context)
{
    SSL_CTX *ssl = context->ssl;
    X509_VERIFY_PARAM *verification = SSL_CTX_get0_param(ssl);
    bool psk = context->psk_identity[0] != '\0';
    char groups[] = "P-256:X25519"; /* OpenSSL's macro takes no constant */
    /* What was decrypted is wiped when it is handed on: an enrolment's answer may hold a key. */
    (void)SSL_CTX_set_options(ssl, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                       SSL_OP_CLEANSE_PLAINTEXT);
    (void)SSL_CTX_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                    SSL_MODE_RELEASE_BUFFERS);
    (void)SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
    (void)SSL_CTX_set_max_cert_list(ssl, CERTIFICATES_MAX);
    /* With a pre-shared key nobody is trusted: a server that does not have it cannot do with a certificate. */
    SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_verify_depth(ssl, CHAIN_DEPTH_MAX);
    if (psk)
        SSL_CTX_set_psk_use_session_callback(ssl, offer_psk);
    X509_VERIFY_PARAM_set_hostflags(verification, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_CTX_set_min_proto_version(ssl, TLS1_3_VERSION) == 1 &&
           SSL_CTX_set_max_proto_version(ssl, TLS1_3_VERSION) == 1 &&
           SSL_CTX_set1_groups_list(ssl, groups) == 1 &&
           X509_VERIFY_PARAM_set_purpose(verification, X509_PURPOSE_SSL_SERVER) == 1 &&
           (!psk || SSL_CTX_set_ciphersuites(ssl, PSK_SUITE) == 1);
}

enum punkt_call tls_context_new(const struct identity *identity, struct tls_context **out, char *why)
{
    struct tls_context *context = heap_take(identity->heap, sizeof(*context));
    *out = NULL;
    (void)snprintf(why, IDENTITY_WHY_SIZE, "no memory");
    if (context == NULL)
        return PUNKT_CALL_NO_MEMORY;
    context->heap = identity->heap;
    memcpy(context->server_name, identity->server_name, sizeof(context->server_name));
    memcpy(context->psk_identity, identity->psk_identity, sizeof(context->psk_identity));
    memcpy(context->psk_key, identity->psk_key, sizeof(context->psk_key));
    memcpy(context->ca_path, identity->ca_path, sizeof(context->ca_path));
    ERR_clear_error();
    context->ssl = SSL_CTX_new(TLS_client_method());
    context->socket = socket_method();
    enum punkt_call made = context->ssl != NULL && context->socket != NULL && set_up(context)
                               ? PUNKT_CALL_DONE
                               : PUNKT_CALL_NO_MEMORY;
    if (made == PUNKT_CALL_DONE && context->psk_identity[0] == '\0')
        made = use_blocks(context->ssl, identity, why);
    ERR_clear_error();
    if (made != PUNKT_CALL_DONE) {
        tls_context_free(context);
        return made;
    }
    why[0] = '\0';
    *out = context;
    return PUNKT_CALL_DONE;
}

void tls_context_free(struct tls_context *context)
{
    if (context == NULL)
        return;
    SSL_CTX_free(context->ssl);
    BIO_meth_free(context->socket);
    OPENSSL_cleanse(context->psk_key, sizeof(context->psk_key));
    heap_give(context->heap, context);
}

/* --- a stream --- */

/* Takes HOST of "HOST:PORT" or "[HOST]:PORT". */
static void host_of(const char *server, char *out, size_t capacity)
{
    const char *end = strrchr(server, ':');
    size_t size = end != NULL ? (size_t)(end - server) : strlen(server);
    if (size >= 2 && server[0] == '[' && server[size - 1] == ']') {
        server++;
        size -= 2;
    }
    (void)snprintf(out, capacity, "%.*s", (int)size, server);
}

static bool expect_name(SSL *ssl, char *name)
{
    X509_VERIFY_PARAM *verification = SSL_get0_param(ssl);
    if (X509_VERIFY_PARAM_set1_ip_asc(verification, name) == 1)
        return true;
    return SSL_set1_host(ssl, name) == 1 && SSL_set_tlsext_host_name(ssl, name) == 1;
}

static bool begin(struct tls *tls)
{
    const struct tls_context *context = tls->context;
    BIO *bio = BIO_new(context->socket);
    if (bio == NULL)
        return false;
    BIO_set_data(bio, tls);
    BIO_set_init(bio, 1);
    tls->ssl = SSL_new(context->ssl);
    if (tls->ssl == NULL) {
        BIO_free(bio);
        return false;
    }
    SSL_set_bio(tls->ssl, bio, bio); /* which takes it over */
    SSL_set_connect_state(tls->ssl);
    return SSL_set_app_data(tls->ssl, tls) == 1 &&
           (context->psk_identity[0] != '\0' || expect_name(tls->ssl, tls->server_name));
}

struct tls *tls_new(struct tls_context *context, int fd, const char *server)
{
    struct tls *tls = heap_take(context->heap, sizeof(*tls));
    if (tls == NULL)
        return NULL;
    tls->context = context;
    tls->fd = fd;
    if (context->server_name[0] != '\0')
        memcpy(tls->server_name, context->server_name, sizeof(tls->server_name));
    else
        host_of(server, tls->server_name, sizeof(tls->server_name));
    ERR_clear_error();
    bool good = begin(tls);
    ERR_clear_error();
    if (good)
        return tls;
    tls_free(tls);
    return NULL;
}

void tls_free(struct tls *tls)
{
    if (tls == NULL)
        return;
    ERR_clear_error();
    if (tls->open)
        (void)SSL_shutdown(tls->ssl); /* the socket takes it at once, or nobody hears it */
    SSL_free(tls->ssl);
    ERR_clear_error();
    heap_give(tls->context->heap, tls);
}

bool tls_wants_write(const struct tls *tls)
{
    return tls->wants_write;
}

bool tls_pending(const struct tls *tls)
{
    return tls->open && SSL_pending(tls->ssl) > 0;
}

const char *tls_trouble(const struct tls *tls)
{
    return tls->trouble;
}

bool tls_refused(const struct tls *tls)
{
    return tls->refused;
}

static enum tls_proof proof_of(const struct tls_context *context)
{
    if (context->psk_identity[0] == '\0')
        return TLS_PROOF_CERTIFICATE;
    return strncmp(context->psk_identity, TLS_CODE_PREFIX, strlen(TLS_CODE_PREFIX)) == 0 ? TLS_PROOF_CODE
                                                                                         : TLS_PROOF_PSK;
}

static enum tls_result fail(struct tls *tls)
{
    const struct tls_failure failure = { .ssl = tls->ssl,
                                         .loss = tls->loss,
                                         .shaken = tls->open,
                                         .proof = proof_of(tls->context),
                                         .ca_path = tls->context->ca_path,
                                         .server_name = tls->server_name };
    tls->open = false;
    tls->refused = tls_words(&failure, tls->trouble, sizeof(tls->trouble));
    return tls->loss.ended ? TLS_ENDED : TLS_FAILED;
}

/* What OpenSSL's call came to; its queue of errors was empty before. */
static enum tls_result result_of(struct tls *tls, int returned)
{
    int error = returned > 0 ? SSL_ERROR_NONE : SSL_get_error(tls->ssl, returned);
    enum tls_result result = TLS_BLOCKED;
    tls->wants_write = error == SSL_ERROR_WANT_WRITE;
    if (error == SSL_ERROR_NONE)
        result = TLS_DONE;
    else if (error == SSL_ERROR_ZERO_RETURN)
        tls->loss.ended = true;
    if (error != SSL_ERROR_NONE && error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
        result = fail(tls);
    ERR_clear_error();
    return result;
}

/* What the handshake must have come to, whatever OpenSSL was told elsewhere. */
static bool proven(const struct tls *tls)
{
    if (SSL_version(tls->ssl) != TLS1_3_VERSION)
        return false;
    if (tls->context->psk_identity[0] != '\0')
        return SSL_session_reused(tls->ssl) == 1;
    return SSL_session_reused(tls->ssl) == 0 && SSL_get0_peer_certificate(tls->ssl) != NULL &&
           SSL_get_verify_result(tls->ssl) == X509_V_OK;
}

enum tls_result tls_shake(struct tls *tls)
{
    ERR_clear_error();
    enum tls_result result = result_of(tls, SSL_do_handshake(tls->ssl));
    if (result != TLS_DONE)
        return result;
    if (!proven(tls))
        return fail(tls);
    tls->open = true;
    return TLS_DONE;
}

enum tls_result tls_receive(struct tls *tls, void *bytes, size_t size, size_t *out_size)
{
    ERR_clear_error();
    return result_of(tls, SSL_read_ex(tls->ssl, bytes, size, out_size));
}

enum tls_result tls_send(struct tls *tls, const void *bytes, size_t size, size_t *out_size)
{
    ERR_clear_error();
    return result_of(tls, SSL_write_ex(tls->ssl, bytes, size, out_size));
}
