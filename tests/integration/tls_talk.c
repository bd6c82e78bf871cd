#include "tls_talk.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/ssl.h>

#include "proto/frame.h"
#include "talk.h"

#define RECORD_HEADER_SIZE 5
#define AES_KEY_SIZE 16
#define NONCE_SIZE 12
#define TAG_SIZE 16
#define SECRET_SIZE 32

struct wire_bytes {
    uint8_t *data;
    size_t size;
};

struct tls_talk {
    struct tls_proof proof;
    SSL *ssl;
    BIO *in, *out;
    int fd;
    bool ended;
    uint8_t alert;
    struct wire_bytes sent, seen;
    uint8_t secret[SECRET_SIZE]; /* of what this side sends */
    size_t answer_size;
    uint8_t frame[FRAME_HEADER_SIZE + FRAME_BODY_MAX];
};

static void keep(struct wire_bytes *bytes, const void *more, size_t size)
{
    bytes->data = realloc(bytes->data, bytes->size + size);
    assert_non_null(bytes->data);
    memcpy(bytes->data + bytes->size, more, size);
    bytes->size += size;
}

/* --- what OpenSSL asks and tells --- */

static int on_psk(SSL *ssl, const EVP_MD *md, const unsigned char **out_identity, size_t *out_identity_size,
                  SSL_SESSION **out_session)
{
    static const unsigned char suite[] = { 0x13, 0x01 };
    const struct tls_proof *proof = &((struct tls_talk *)SSL_get_app_data(ssl))->proof;
    SSL_SESSION *session = SSL_SESSION_new();
    (void)md;
    assert_non_null(session);
    assert_int_equal(SSL_SESSION_set1_master_key(session, proof->psk_key, TLS_TALK_KEY_SIZE), 1);
    assert_int_equal(SSL_SESSION_set_cipher(session, SSL_CIPHER_find(ssl, suite)), 1);
    assert_int_equal(SSL_SESSION_set_protocol_version(session, TLS1_3_VERSION), 1);
    *out_identity = (const unsigned char *)proof->psk_identity;
    *out_identity_size = strlen(proof->psk_identity);
    *out_session = session;
    return 1;
}

static void on_info(const SSL *ssl, int where, int value)
{
    struct tls_talk *talk = SSL_get_app_data(ssl);
    if ((where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT && (value & 0xff) != SSL_AD_CLOSE_NOTIFY)
        talk->alert = (uint8_t)(value & 0xff);
}

/* "LABEL client-random secret", both as hexadecimal digits. */
static void on_key(const SSL *ssl, const char *line)
{
    static const char label[] = "CLIENT_TRAFFIC_SECRET_0 ";
    struct tls_talk *talk = SSL_get_app_data(ssl);
    const char *secret = strrchr(line, ' ');
    if (strncmp(line, label, sizeof(label) - 1) != 0)
        return;
    assert_non_null(secret);
    for (size_t i = 0; i < SECRET_SIZE; i++) {
        unsigned byte;
        assert_int_equal(sscanf(secret + 1 + 2 * i, "%2x", &byte), 1);
        talk->secret[i] = (uint8_t)byte;
    }
}

/* --- opening --- */

static SSL_CTX *context_of(const struct tls_proof *proof)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    assert_non_null(context);
    assert_int_equal(SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256"), 1);
    SSL_CTX_set_info_callback(context, on_info);
    SSL_CTX_set_keylog_callback(context, on_key);
    if (proof->psk_identity[0] != '\0')
        SSL_CTX_set_psk_use_session_callback(context, on_psk);
    if (proof->certificate != NULL) {
        assert_int_equal(SSL_CTX_use_certificate(context, proof->certificate), 1);
        assert_int_equal(SSL_CTX_use_PrivateKey(context, proof->key), 1);
    }
    for (uint32_t i = 0; i < proof->more_certificates; i++)
        assert_int_equal(SSL_CTX_add1_chain_cert(context, proof->certificate), 1);
    if (proof->version_max != 0)
        assert_int_equal(SSL_CTX_set_max_proto_version(context, proof->version_max), 1);
    return context;
}

struct tls_talk *tls_talk_open(const char *address, const struct tls_proof *proof)
{
    struct tls_talk *talk = calloc(1, sizeof(*talk));
    SSL_CTX *context = context_of(proof);
    assert_non_null(talk);
    talk->proof = *proof;
    talk->fd = talk_dial(address);
    talk->ssl = SSL_new(context);
    talk->in = BIO_new(BIO_s_mem());
    talk->out = BIO_new(BIO_s_mem());
    assert_true(talk->ssl != NULL && talk->in != NULL && talk->out != NULL);
    SSL_set_bio(talk->ssl, talk->in, talk->out); /* takes them over */
    SSL_set_app_data(talk->ssl, talk);
    SSL_set_connect_state(talk->ssl);
    SSL_CTX_free(context);
    return talk;
}

void tls_talk_free(struct tls_talk *talk)
{
    if (talk == NULL)
        return;
    SSL_free(talk->ssl);
    (void)close(talk->fd);
    free(talk->sent.data);
    free(talk->seen.data);
    free(talk);
}

int tls_talk_fd(const struct tls_talk *talk)
{
    return talk->fd;
}

/* --- the wire --- */

static void wait_for(int fd, short events)
{
    struct pollfd wanted = { .fd = fd, .events = events };
    if (poll(&wanted, 1, WORLD_PATIENCE_MS) == 0)
        fail_msg("%s", events == POLLIN ? "no answer over TLS in time" : "the server does not read");
}

static void send_raw(struct tls_talk *talk, const uint8_t *bytes, size_t size)
{
    keep(&talk->sent, bytes, size);
    while (size > 0 && !talk->ended) {
        wait_for(talk->fd, POLLOUT);
        ssize_t went = send(talk->fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (went < 0 && (errno == EAGAIN || errno == EINTR))
            continue;
        if (went < 0)
            return; /* it has ended; what it said is read all the same */
        bytes += went;
        size -= (size_t)went;
    }
}

static void flush(struct tls_talk *talk)
{
    char *bytes;
    long size = BIO_get_mem_data(talk->out, &bytes);
    if (size > 0)
        send_raw(talk, (const uint8_t *)bytes, (size_t)size);
    (void)BIO_reset(talk->out);
}

/* False: nothing more comes. */
static bool take(struct tls_talk *talk)
{
    char bytes[16384];
    if (talk->ended)
        return false;
    wait_for(talk->fd, POLLIN);
    ssize_t got = recv(talk->fd, bytes, sizeof(bytes), 0);
    if (got < 0 && errno == EINTR)
        return true;
    if (got <= 0) {
        talk->ended = true;
        return false;
    }
    keep(&talk->seen, bytes, (size_t)got);
    assert_int_equal(BIO_write(talk->in, bytes, (int)got), got);
    return true;
}

/* After a call of OpenSSL that returned this. True: to be called again. */
static bool again(struct tls_talk *talk, int result)
{
    int error = SSL_get_error(talk->ssl, result);
    flush(talk);
    ERR_clear_error();
    return error == SSL_ERROR_WANT_READ && take(talk);
}

bool tls_talk_shake(struct tls_talk *talk)
{
    int result;
    do {
        ERR_clear_error();
        result = SSL_do_handshake(talk->ssl);
    } while (result != 1 && again(talk, result));
    flush(talk);
    return result == 1;
}

void tls_talk_send_bytes(struct tls_talk *talk, const void *bytes, size_t size)
{
    ERR_clear_error();
    assert_int_equal(SSL_write(talk->ssl, bytes, (int)size), size); /* memory takes all of it */
    flush(talk);
}

void tls_talk_send(struct tls_talk *talk, enum operation operation, uint16_t flags, uint64_t number,
                   const void *body)
{
    struct wire_writer writer = wire_writer_over(talk->frame + FRAME_HEADER_SIZE, FRAME_BODY_MAX);
    message_encode(operation_row((uint16_t)operation)->request, body, &writer);
    assert_false(writer.failed);
    size_t size = wire_written(&writer);
    frame_put_header(talk->frame, (uint32_t)size, (uint16_t)operation, flags, number);
    tls_talk_send_bytes(talk, talk->frame, FRAME_HEADER_SIZE + size);
}

/* Bytes of TLS that came; 0: the end. */
static size_t read_some(struct tls_talk *talk, void *out, size_t capacity)
{
    size_t got = 0;
    int result;
    do {
        ERR_clear_error();
        result = SSL_read_ex(talk->ssl, out, capacity, &got);
    } while (result != 1 && again(talk, result));
    return result == 1 ? got : 0;
}

size_t tls_talk_end(struct tls_talk *talk)
{
    char bytes[4096];
    size_t said = 0;
    for (size_t got; (got = read_some(talk, bytes, sizeof(bytes))) > 0;)
        said += got;
    while (take(talk)) /* what OpenSSL would not take any more */
        ;
    return said;
}

uint8_t tls_talk_alert(const struct tls_talk *talk)
{
    return talk->alert;
}

const uint8_t *tls_talk_sent(const struct tls_talk *talk, size_t *out_size)
{
    *out_size = talk->sent.size;
    return talk->sent.data;
}

const uint8_t *tls_talk_seen(const struct tls_talk *talk, size_t *out_size)
{
    *out_size = talk->seen.size;
    return talk->seen.data;
}

/* --- answers --- */

enum result tls_talk_answer(struct tls_talk *talk, enum operation operation, uint64_t number)
{
    struct frame frame;
    struct msg_refusal refusal = { .result = RESULT_DONE };
    struct message_memory memory = { NULL, 0 };
    const char *field;
    size_t wanted = FRAME_HEADER_SIZE;
    enum frame_split split = FRAME_NEED_MORE;
    for (size_t have = 0; split == FRAME_NEED_MORE;) {
        size_t got = read_some(talk, talk->frame + have, wanted - have);
        if (got == 0)
            fail_msg("the server closed instead of answering %s", operation_row((uint16_t)operation)->name);
        have += got;
        split = frame_split(talk->frame, have, FRAME_BODY_MAX, &frame, &wanted);
    }
    assert_int_equal(split, FRAME_WHOLE);
    assert_int_equal(frame.number, number);
    assert_int_equal(frame.type & FRAME_TYPE_OPERATION, operation);
    talk->answer_size = frame.body_size;
    if ((frame.type & FRAME_TYPE_DONE) == 0)
        assert_true(message_decode(MESSAGE_refusal, frame.body, frame.body_size, &memory, &refusal, &field));
    return (enum result)refusal.result;
}

void tls_talk_decode(struct tls_talk *talk, enum operation operation, void *out_body)
{
    struct message_memory memory = { NULL, 0 };
    const char *field;
    assert_true(message_decode(operation_row((uint16_t)operation)->answer, talk->frame + FRAME_HEADER_SIZE,
                               talk->answer_size, &memory, out_body, &field));
}

/* --- a record of our own (RFC 8446, 5.2, 5.3, 7.3) --- */

/* HKDF-Expand-Label of the secret without a context. */
static void expand(struct tls_talk *talk, const char *label, uint8_t *out, size_t size)
{
    static char digest[] = "SHA256";
    int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
    uint8_t info[32] = { 0, (uint8_t)size, (uint8_t)(6 + strlen(label)) };
    size_t info_size = 3 + (size_t)snprintf((char *)info + 3, sizeof(info) - 4, "tls13 %s", label) + 1;
    OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
                            OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
                            OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, talk->secret, SECRET_SIZE),
                            OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info, info_size),
                            OSSL_PARAM_construct_end() };
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf);
    assert_non_null(context);
    info[info_size - 1] = 0; /* the length of the context */
    assert_int_equal(EVP_KDF_derive(context, out, size, params), 1);
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(kdf);
}

void tls_talk_send_record(struct tls_talk *talk, uint8_t type, const void *bytes, size_t size)
{
    uint8_t key[AES_KEY_SIZE], nonce[NONCE_SIZE];
    uint8_t record[RECORD_HEADER_SIZE + 2048] = { SSL3_RT_APPLICATION_DATA, 3, 3 };
    size_t rest = size + 1 + TAG_SIZE; /* behind the header */
    int used = 0;
    assert_in_range(size, 1, 2048 - 1 - TAG_SIZE);
    record[3] = (uint8_t)(rest >> 8);
    record[4] = (uint8_t)rest;
    memcpy(record + RECORD_HEADER_SIZE, bytes, size);
    record[RECORD_HEADER_SIZE + size] = type;
    expand(talk, "key", key, sizeof(key));
    expand(talk, "iv", nonce, sizeof(nonce)); /* the first record has number 0 */
    uint8_t *body = record + RECORD_HEADER_SIZE;
    EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    assert_non_null(cipher);
    assert_int_equal(EVP_EncryptInit_ex(cipher, EVP_aes_128_gcm(), NULL, key, nonce), 1);
    assert_int_equal(EVP_EncryptUpdate(cipher, NULL, &used, record, RECORD_HEADER_SIZE), 1);
    assert_int_equal(EVP_EncryptUpdate(cipher, body, &used, body, (int)size + 1), 1);
    assert_int_equal(used, size + 1);
    assert_int_equal(EVP_EncryptFinal_ex(cipher, body + used, &used), 1);
    assert_int_equal(EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_GET_TAG, TAG_SIZE, body + size + 1), 1);
    EVP_CIPHER_CTX_free(cipher);
    send_raw(talk, record, RECORD_HEADER_SIZE + rest);
}
