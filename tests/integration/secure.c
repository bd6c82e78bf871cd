#include "secure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "network.h"
#include "talk.h"

struct secure {
    SSL_CTX *context;
    SSL *ssl;
    int fd;
    uint64_t next, next_read;         /* numbers */
    const struct operation_row *sent; /* what was asked for last, */
    uint64_t number;                  /* under this number, */
    struct msg_refusal refusal;       /* and what came of it: result is RESULT_DONE if it is done */
    uint8_t frame[FRAME_HEADER_SIZE + FRAME_BODY_MAX];
};

/* --- the world --- */

struct world *secure_world_new(const char *programme)
{
    return secure_world_more(programme, "");
}

struct world *secure_world_more(const char *programme, const char *more)
{
    struct world_options options = { .programme = programme, .stopped = true };
    struct world *world = world_new(&options);
    char folder[SECURE_PATH_MAX];
    char settings[1024];
    (void)snprintf(folder, sizeof(folder), "%s/tls", world_folder(world));
    const char *const argv[] = { "punktd", "init-ca", folder, "--name", "127.0.0.1", NULL };
    run_well(argv);
    (void)snprintf(settings, sizeof(settings),
                   WORLD_JOURNAL "tls:\n  listen: 127.0.0.1:0\n  folder: %s\nenrol:\n  listen: 127.0.0.1:0\n"
                                 "psk:\n  listen: 127.0.0.1:0\n%s",
                   folder, more);
    world_configure(world, settings);
    world_start(world);
    return world;
}

void secure_address(const struct world *world, const char *word, char out[SECURE_PATH_MAX])
{
    char path[SECURE_PATH_MAX];
    char line[SECURE_PATH_MAX];
    bool found = false;
    size_t size = strlen(word);
    (void)snprintf(path, sizeof(path), "%s/port", world_folder(world));
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    while (!found && fgets(line, sizeof(line), file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        found = strncmp(line, word, size) == 0 && line[size] == ' ';
    }
    assert_int_equal(fclose(file), 0);
    assert_true(found);
    (void)snprintf(out, SECURE_PATH_MAX, "%s", line + size + 1);
}

/* Uses the code that an answer holds. */
static void enrol(const struct world *world, struct run *added, const char *file, char out[SECURE_PATH_MAX])
{
    char address[SECURE_PATH_MAX];
    secure_address(world, "enrol", address);
    (void)snprintf(out, SECURE_PATH_MAX, "%.128s/%.64s.identity", world_folder(world), file);
    network_enrol(added, address, out);
}

void secure_user(const struct world *world, const char *name, const char *role, char out[SECURE_PATH_MAX])
{
    struct run run;
    world_json(world, &run, "user", "add", name, "--role", role, NULL);
    enrol(world, &run, name, out);
}

static void add_till(const struct world *world, const char *store, const char *till, const char *proof,
                     char out[SECURE_PATH_MAX])
{
    struct run run;
    char place[SECURE_PATH_MAX];
    (void)snprintf(place, sizeof(place), "%s/%s", store, till);
    world_json(world, &run, "till", "add", place, proof, NULL);
    (void)snprintf(place, sizeof(place), "%s-%s", store, till);
    enrol(world, &run, place, out);
}

void secure_till(const struct world *world, const char *store, const char *till, char out[SECURE_PATH_MAX])
{
    add_till(world, store, till, NULL, out);
}

void secure_psk_till(const struct world *world, const char *store, const char *till,
                     char out[SECURE_PATH_MAX])
{
    add_till(world, store, till, "--psk", out);
}

/* --- connections --- */

/* The identity file holds PEM blocks behind its lines: key, certificate, CA. */
static SSL_CTX *context_of(const char *identity)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    FILE *file = fopen(identity, "re");
    assert_non_null(context);
    assert_non_null(file);
    EVP_PKEY *key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
    X509 *certificate = PEM_read_X509(file, NULL, NULL, NULL);
    X509 *ca = PEM_read_X509(file, NULL, NULL, NULL);
    assert_true(key != NULL && certificate != NULL && ca != NULL);
    assert_int_equal(SSL_CTX_use_certificate(context, certificate), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(context, key), 1);
    assert_int_equal(X509_STORE_add_cert(SSL_CTX_get_cert_store(context), ca), 1);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    EVP_PKEY_free(key);
    X509_free(certificate);
    X509_free(ca);
    assert_int_equal(fclose(file), 0);
    return context;
}

struct secure *secure_hello(const struct world *world, const char *identity, uint64_t epoch)
{
    char address[SECURE_PATH_MAX];
    struct secure *secure = calloc(1, sizeof(*secure));
    struct timeval patience = { .tv_sec = WORLD_PATIENCE_MS / 1000 };
    struct msg_hello_request hello;
    assert_non_null(secure);
    secure_address(world, "tls", address);
    secure->fd = talk_dial(address);
    assert_int_equal(setsockopt(secure->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
    secure->context = context_of(identity);
    secure->ssl = SSL_new(secure->context);
    assert_non_null(secure->ssl);
    assert_int_equal(SSL_set_fd(secure->ssl, secure->fd), 1);
    assert_int_equal(SSL_connect(secure->ssl), 1);
    message_init(MESSAGE_hello_request, &hello);
    hello.version_min = hello.version_max = PROTOCOL_VERSION;
    hello.epoch = epoch;
    hello.first_unanswered = 1;
    secure->next = 1;
    assert_int_equal(secure_call(secure, OPERATION_HELLO, 0, &hello), RESULT_DONE);
    return secure;
}

void secure_free(struct secure *secure)
{
    SSL_free(secure->ssl);
    SSL_CTX_free(secure->context);
    (void)close(secure->fd);
    free(secure);
}

static void read_whole(struct secure *secure, uint8_t *out, size_t size)
{
    for (size_t got = 0; got < size;) {
        int count = SSL_read(secure->ssl, out + got, (int)(size - got));
        assert_true(count > 0);
        got += (size_t)count;
    }
}

void secure_send(struct secure *secure, enum operation operation, uint16_t flags, const void *body)
{
    const struct operation_row *row = operation_row((uint16_t)operation);
    bool change = row->kind == OPERATION_KIND_CHANGE;
    struct wire_writer writer = wire_writer_over(secure->frame + FRAME_HEADER_SIZE, FRAME_BODY_MAX);
    message_encode(row->request, body, &writer);
    assert_false(writer.failed);
    secure->sent = row;
    secure->number = change ? secure->next : (UINT64_C(1) << 40) + secure->next_read++;
    frame_put_header(secure->frame, (uint32_t)wire_written(&writer), (uint16_t)operation, flags,
                     secure->number);
    int size = (int)(FRAME_HEADER_SIZE + wire_written(&writer));
    assert_int_equal(SSL_write(secure->ssl, secure->frame, size), size);
}

static void read_frame(struct secure *secure, struct frame *out)
{
    size_t size = FRAME_HEADER_SIZE;
    size_t got = 0;
    enum frame_split split;
    do {
        read_whole(secure, secure->frame + got, size - got);
        got = size;
        split = frame_split(secure->frame, got, FRAME_BODY_MAX, out, &size);
    } while (split == FRAME_NEED_MORE);
    assert_int_equal(split, FRAME_WHOLE);
}

enum result secure_answer(struct secure *secure)
{
    struct frame frame;
    struct message_memory memory = { NULL, 0 };
    const char *field;
    read_frame(secure, &frame);
    assert_int_equal(frame.number, secure->number);
    secure->refusal.result = RESULT_DONE;
    if (frame.type != (secure->sent->code | FRAME_TYPE_DONE)) {
        assert_int_equal(frame.type, secure->sent->code | FRAME_TYPE_REFUSED);
        assert_true(
            message_decode(MESSAGE_refusal, frame.body, frame.body_size, &memory, &secure->refusal, &field));
    }
    enum result result = (enum result)secure->refusal.result;
    bool final = result == RESULT_DONE || !result_row(result)->retryable;
    if (secure->sent->kind == OPERATION_KIND_CHANGE && final)
        secure->next++;
    return result;
}

enum result secure_call(struct secure *secure, enum operation operation, uint16_t flags, const void *body)
{
    secure_send(secure, operation, flags, body);
    return secure_answer(secure);
}

struct message_text secure_detail(const struct secure *secure)
{
    assert_int_not_equal(secure->refusal.result, RESULT_DONE);
    return secure->refusal.detail;
}

void secure_expect_end(struct secure *secure)
{
    uint8_t byte;
    int count = SSL_read(secure->ssl, &byte, sizeof(byte));
    assert_true(count <= 0);
    assert_int_not_equal(SSL_get_error(secure->ssl, count), SSL_ERROR_WANT_READ); /* patience has ended */
}
