#include "tls_world.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static void add_extension(X509 *certificate, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

struct person person_new(enum person_use use, const struct person *issuer, long from_s, long to_s)
{
    static const char *const names[] = { "Test CA", "Test server", "Test client" };
    static const char *const extensions[] = { "critical,CA:TRUE", "serverAuth", "clientAuth" };
    struct person person = { EVP_EC_gen("P-256"), X509_new() };
    assert_non_null(person.key);
    assert_non_null(person.certificate);
    const X509 *signer = issuer == NULL ? person.certificate : issuer->certificate;
    X509_NAME *name = X509_get_subject_name(person.certificate);
    assert_int_equal(X509_set_version(person.certificate, X509_VERSION_3), 1);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(person.certificate), 1 + (long)use), 1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(person.certificate), from_s));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(person.certificate), to_s));
    assert_int_equal(
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)names[use], -1, -1, 0),
        1);
    assert_int_equal(X509_set_issuer_name(person.certificate, X509_get_subject_name(signer)), 1);
    assert_int_equal(X509_set_pubkey(person.certificate, person.key), 1);
    add_extension(person.certificate, use == PERSON_CA ? NID_basic_constraints : NID_ext_key_usage,
                  extensions[use]);
    assert_true(X509_sign(person.certificate, issuer == NULL ? person.key : issuer->key, EVP_sha256()) > 0);
    return person;
}

void person_free(struct person *person)
{
    EVP_PKEY_free(person->key);
    X509_free(person->certificate);
}

static FILE *create(const char *path)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    return file;
}

void tls_world_write(const struct tls_world *tls_world, const struct person *server, const struct person *ca)
{
    FILE *file = create(tls_world->certificate_file);
    assert_int_equal(PEM_write_X509(file, server->certificate), 1);
    assert_int_equal(fclose(file), 0);
    file = create(tls_world->key_file);
    assert_int_equal(fchmod(fileno(file), 0600), 0);
    assert_int_equal(PEM_write_PrivateKey(file, server->key, NULL, NULL, 0, NULL, NULL), 1);
    assert_int_equal(fclose(file), 0);
    file = create(tls_world->ca_file);
    assert_int_equal(PEM_write_X509(file, ca->certificate), 1);
    assert_int_equal(fclose(file), 0);
}

static void make_folder(struct tls_world *tls_world)
{
    const char *root = getenv("TMPDIR");
    char *folder = tls_world->folder;
    (void)snprintf(folder, sizeof(tls_world->folder), "%s/tls.XXXXXX",
                   root != NULL && strlen(root) < 50 ? root : "/tmp");
    assert_non_null(mkdtemp(folder));
    (void)snprintf(tls_world->certificate_file, sizeof(tls_world->certificate_file), "%s/server.pem", folder);
    (void)snprintf(tls_world->key_file, sizeof(tls_world->key_file), "%s/server.key", folder);
    (void)snprintf(tls_world->ca_file, sizeof(tls_world->ca_file), "%s/ca.pem", folder);
    tls_world->files = (struct net_certificates){ .certificate = tls_world->certificate_file,
                                                  .key = tls_world->key_file,
                                                  .ca = tls_world->ca_file };
}

struct tls_world *tls_world_new(const struct net_options *options)
{
    struct tls_world *tls_world = calloc(1, sizeof(*tls_world));
    struct failure failure = { "" };
    assert_non_null(tls_world);
    tls_world->world = world_new(options);
    tls_world->ca = person_new(PERSON_CA, NULL, -1000, 100000);
    tls_world->server = person_new(PERSON_SERVER, &tls_world->ca, -1000, 100000);
    make_folder(tls_world);
    tls_world_write(tls_world, &tls_world->server, &tls_world->ca);
    struct net *net = tls_world->world->net;
    if (net_use_certificates(net, &tls_world->files, &failure) != PUNKT_OK)
        fail_msg("%s", failure.text);
    for (enum net_listener kind = NET_LISTEN_CERTIFICATE; kind <= NET_LISTEN_ENROL; kind++)
        if (net_listen(net, kind, "127.0.0.1:0", tls_world->where[kind], sizeof(tls_world->where[kind]),
                       &failure) != PUNKT_OK)
            fail_msg("%s", failure.text);
    return tls_world;
}

void tls_world_free(struct tls_world *tls_world)
{
    world_free(tls_world->world);
    person_free(&tls_world->ca);
    person_free(&tls_world->server);
    (void)unlink(tls_world->certificate_file);
    (void)unlink(tls_world->key_file);
    (void)unlink(tls_world->ca_file);
    assert_int_equal(rmdir(tls_world->folder), 0);
    free(tls_world);
}

static int on_ask(SSL *ssl, const EVP_MD *md PUNKT_UNUSED, const unsigned char **out_identity,
                  size_t *out_identity_size, SSL_SESSION **out_session)
{
    static const unsigned char suite[] = { 0x13, 0x01 };
    const struct client_proof *proof = &((struct tls_client *)SSL_get_app_data(ssl))->proof;
    SSL_SESSION *session = SSL_SESSION_new();
    assert_non_null(session);
    assert_int_equal(SSL_SESSION_set1_master_key(session, proof->psk_key, NET_PSK_SIZE), 1);
    assert_int_equal(SSL_SESSION_set_cipher(session, SSL_CIPHER_find(ssl, suite)), 1);
    assert_int_equal(SSL_SESSION_set_protocol_version(session, TLS1_3_VERSION), 1);
    if (proof->early)
        assert_int_equal(SSL_SESSION_set_max_early_data(session, 1000), 1);
    *out_identity = (const unsigned char *)proof->psk_identity;
    *out_identity_size = strlen(proof->psk_identity);
    *out_session = session;
    return 1;
}

static void on_message(int sent, int version PUNKT_UNUSED, int type, const void *bytes, size_t size,
                       SSL *ssl PUNKT_UNUSED, void *arg)
{
    struct tls_client *client = arg;
    if (!sent && type == SSL3_RT_HANDSHAKE && size > 0 &&
        *(const unsigned char *)bytes == SSL3_MT_NEWSESSION_TICKET)
        client->tickets++;
}

static void make_ssl(struct tls_client *client)
{
    const struct client_proof *proof = &client->proof;
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    assert_non_null(context);
    if (proof->psk_identity != NULL) {
        assert_int_equal(SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256"), 1);
        SSL_CTX_set_psk_use_session_callback(context, on_ask);
    }
    if (proof->person != NULL) {
        assert_int_equal(SSL_CTX_use_certificate(context, proof->person->certificate), 1);
        assert_int_equal(SSL_CTX_use_PrivateKey(context, proof->person->key), 1);
    }
    if (proof->version_max != 0)
        assert_int_equal(SSL_CTX_set_max_proto_version(context, proof->version_max), 1);
    SSL_CTX_set_msg_callback(context, on_message);
    client->ssl = SSL_new(context);
    client->in = BIO_new(BIO_s_mem());
    client->out = BIO_new(BIO_s_mem());
    assert_non_null(client->ssl);
    assert_non_null(client->in);
    assert_non_null(client->out);
    SSL_set_bio(client->ssl, client->in, client->out);
    SSL_set_app_data(client->ssl, client);
    SSL_set_msg_callback_arg(client->ssl, client);
    SSL_set_connect_state(client->ssl);
    SSL_CTX_free(context);
}

struct tls_client *tls_client_new(struct world *world, const char *where, const struct client_proof *proof)
{
    struct tls_client *client = calloc(1, sizeof(*client));
    assert_non_null(client);
    client->world = world;
    client->proof = *proof;
    client->fd = client_dial_to(where);
    make_ssl(client);
    return client;
}

void tls_client_free(struct tls_client *client)
{
    SSL_free(client->ssl);
    (void)close(client->fd);
    free(client);
}

static void keep_seen(struct tls_client *client, const char *bytes, size_t size)
{
    const size_t room = sizeof(client->seen) - client->seen_size;
    const size_t kept = size < room ? size : room;
    memcpy(client->seen + client->seen_size, bytes, kept);
    client->seen_size += kept;
}

bool tls_client_pump_out(struct tls_client *client, size_t most)
{
    char *bytes;
    const long size = BIO_get_mem_data(client->out, &bytes);
    const size_t next = (size_t)size < most ? (size_t)size : most;
    const ssize_t sent = next == 0 ? 0 : send(client->fd, bytes, next, MSG_DONTWAIT | MSG_NOSIGNAL);
    char scrap[4096];
    for (ssize_t left = sent; left > 0;) {
        const int gone =
            BIO_read(client->out, scrap, left < (ssize_t)sizeof(scrap) ? (int)left : (int)sizeof(scrap));
        assert_true(gone > 0);
        left -= gone;
    }
    return BIO_pending(client->out) > 0;
}

void tls_client_pump(struct tls_client *client)
{
    char bytes[4096];
    (void)tls_client_pump_out(client, SIZE_MAX);
    for (;;) {
        const ssize_t got = recv(client->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
        if (got < 0 && errno == EAGAIN)
            return;
        if (got <= 0) {
            client->ended = true;
            return;
        }
        keep_seen(client, bytes, (size_t)got);
        assert_int_equal(BIO_write(client->in, bytes, (int)got), got);
    }
}

/* Says whether an operation that did not succeed may succeed later. */
static void note_failure(struct tls_client *client, int result)
{
    const int error = SSL_get_error(client->ssl, result);
    client->failed = client->failed || (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE);
    ERR_clear_error();
}

bool tls_client_step(struct tls_client *client)
{
    ERR_clear_error();
    tls_client_pump(client);
    const int result = SSL_do_handshake(client->ssl);
    if (result != 1)
        note_failure(client, result);
    tls_client_pump(client);
    return result == 1;
}

struct world_session *tls_client_open(struct tls_client *client)
{
    struct world *world = client->world;
    const uint32_t before = world->sessions_count;
    WORLD_UNTIL(world, tls_client_step(client) && world->sessions_count > before);
    return &world->sessions[before];
}

void tls_client_expect_refused(struct tls_client *client)
{
    struct world *world = client->world;
    const uint32_t sessions = world->sessions_count;
    for (const int64_t start_ms = world_real_ms(); !client->ended; world_patience(start_ms)) {
        (void)tls_client_step(client);
        world_turn(world);
    }
    assert_int_equal(world->sessions_count, sessions);
    assert_int_equal(world->net->counts.unproven_now, 0);
}

void tls_client_write(struct tls_client *client, const void *bytes, size_t size)
{
    size_t sent = 0;
    while (sent < size) {
        size_t went = 0;
        ERR_clear_error();
        assert_int_equal(SSL_write_ex(client->ssl, (const char *)bytes + sent, size - sent, &went), 1);
        sent += went;
    }
}

void tls_client_send(struct tls_client *client, const void *bytes, size_t size)
{
    tls_client_write(client, bytes, size);
    for (const int64_t start_ms = world_real_ms(); tls_client_pump_out(client, SIZE_MAX);
         world_patience(start_ms)) {
        world_turn(client->world);
        tls_client_pump(client);
    }
}

void tls_client_send_frame(struct tls_client *client, uint64_t number, const void *body, size_t size)
{
    uint8_t *frame = malloc(FRAME_HEADER_SIZE + size);
    assert_non_null(frame);
    frame_put_header(frame, (uint32_t)size, 1, 0, number);
    if (size > 0)
        memcpy(frame + FRAME_HEADER_SIZE, body, size);
    tls_client_send(client, frame, FRAME_HEADER_SIZE + size);
    free(frame);
}

size_t tls_client_take(struct tls_client *client, void *out, size_t capacity)
{
    size_t have = 0;
    tls_client_pump(client);
    while (have < capacity) {
        size_t got = 0;
        ERR_clear_error();
        const int result = SSL_read_ex(client->ssl, (char *)out + have, capacity - have, &got);
        if (result != 1) {
            note_failure(client, result);
            break;
        }
        have += got;
    }
    return have;
}

void tls_client_expect(struct tls_client *client, uint64_t number, const void *body, size_t size)
{
    uint8_t *bytes = malloc(FRAME_HEADER_SIZE + size);
    const size_t whole = FRAME_HEADER_SIZE + size;
    size_t have = 0;
    size_t wanted;
    struct frame frame;
    assert_non_null(bytes);
    for (const int64_t start_ms = world_real_ms(); have < whole; world_patience(start_ms)) {
        const size_t got = tls_client_take(client, bytes + have, whole - have);
        have += got;
        if (got > 0)
            continue;
        if (client->failed || client->ended)
            fail_msg("the connection ended after %zu of %zu bytes", have, whole);
        world_turn(client->world);
    }
    assert_int_equal(frame_split(bytes, whole, FRAME_BODY_MAX, &frame, &wanted), FRAME_WHOLE);
    assert_int_equal(frame.number, number);
    assert_int_equal(frame.body_size, size);
    if (size > 0)
        assert_memory_equal(frame.body, body, size);
    free(bytes);
}

bool tls_client_expect_end(struct tls_client *client)
{
    char byte;
    for (const int64_t start_ms = world_real_ms(); !client->ended; world_patience(start_ms)) {
        assert_int_equal(tls_client_take(client, &byte, 1), 0);
        world_turn(client->world);
    }
    assert_int_equal(tls_client_take(client, &byte, 1), 0);
    return (SSL_get_shutdown(client->ssl) & SSL_RECEIVED_SHUTDOWN) != 0;
}
