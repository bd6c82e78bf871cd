#include "identity_acts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/x509.h>

static const char *in_folder(const struct service_world *world, const char *name)
{
    static char paths[4][128];
    static unsigned next;
    char *path = paths[next++ % COUNT_OF(paths)];
    snprintf(path, sizeof(paths[0]), "%s/ca/%s", world->dir, name);
    return path;
}

struct service_world *identity_world_new(void)
{
    struct service_world *world = service_world_new(NULL);
    struct failure failure = { { 0 } };
    struct ca *ca = NULL;
    const char *const names[] = { "punkt.example" };
    assert_int_equal(mkdir(in_folder(world, ""), 0700), 0);
    if (ca_make(in_folder(world, ""), names, 1, ledger_now(world->ledger), &failure) != PUNKT_OK ||
        ca_open(in_folder(world, "ca.pem"), in_folder(world, "ca.key"), in_folder(world, "server.pem"), &ca,
                &failure) != PUNKT_OK)
        fail_msg("%s", failure.text);
    world->options.ca = ca;
    world->options.certificate_port = 7443;
    world->options.psk_port = 7444;
    world->options.enrol_port = 7445;
    memset(world->keys.pepper, 42, sizeof(world->keys.pepper));
    service_world_restart(world);
    return world;
}

void identity_world_free(struct service_world *world)
{
    /* The service borrows it; the type says that it may not change it. */
    struct ca *ca = (struct ca *)(uintptr_t)world->options.ca;
    service_world_free(world);
    ca_free(ca);
}

int identity_set_up(void **state)
{
    *state = identity_world_new();
    return 0;
}

int identity_tear_down(void **state)
{
    identity_world_free(*state);
    return 0;
}

/* --- keys --- */

struct evp_pkey_st *key_new(void)
{
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    assert_non_null(key);
    return key;
}

void key_free(struct evp_pkey_st *key)
{
    EVP_PKEY_free(key);
}

size_t signing_request_of(struct evp_pkey_st *key, uint8_t out[1024])
{
    X509_REQ *request = X509_REQ_new();
    assert_non_null(request);
    assert_int_equal(X509_REQ_set_pubkey(request, key), 1);
    assert_true(X509_REQ_sign(request, key, EVP_sha256()) > 0);
    int size = i2d_X509_REQ(request, NULL);
    assert_true(size > 0 && size <= 1024);
    size = i2d_X509_REQ(request, &out);
    X509_REQ_free(request);
    return (size_t)size;
}

void certificate_for(const struct service_world *world, struct evp_pkey_st *key, struct ca_signed *out)
{
    uint8_t request[1024];
    struct failure failure = { { 0 } };
    struct text text = { (const char *)request, signing_request_of(key, request) };
    if (ca_sign(world->options.ca, text, "somebody", ledger_now(world->ledger), out, &failure) != PUNKT_OK)
        fail_msg("%s", failure.text);
}

struct service_peer peer_with(const struct ca_signed *certificate)
{
    struct service_peer peer = { .proof = SERVICE_PROOF_CERTIFICATE,
                                 .key_ends = certificate->ends,
                                 .source = "192.0.2.1" };
    memcpy(peer.key, certificate->key, sizeof(peer.key));
    return peer;
}

/* --- the administrator --- */

static enum result add(struct service_world *world, struct msg_identity_add_request *message)
{
    return service_call(world, OPERATION_IDENTITY_ADD, 0, message);
}

static struct msg_identity_add_request new_user(enum role role, const char *name)
{
    struct msg_identity_add_request message;
    message_init(MESSAGE_identity_add_request, &message);
    message.role = role;
    message.name = code(name);
    return message;
}

static struct msg_identity_add_request new_till(const char *store, const char *till)
{
    struct msg_identity_add_request message;
    message_init(MESSAGE_identity_add_request, &message);
    message.role = ROLE_TILL;
    message.store = code(store);
    message.till = code(till);
    return message;
}

enum result add_user(struct service_world *world, enum role role, const char *name)
{
    struct msg_identity_add_request message = new_user(role, name);
    return add(world, &message);
}

enum result add_till(struct service_world *world, const char *store, const char *till,
                     enum identity_proof proof)
{
    struct msg_identity_add_request message = new_till(store, till);
    message.proof = proof;
    return add(world, &message);
}

static uint64_t add_with_key(struct service_world *world, struct msg_identity_add_request *message,
                             struct service_peer *out_peer)
{
    struct ca_signed certificate;
    EVP_PKEY *key = key_new();
    certificate_for(world, key, &certificate);
    EVP_PKEY_free(key);
    message->certificate = (struct message_text){ certificate.pem, certificate.size };
    *out_peer = peer_with(&certificate);
    assert_int_equal(add(world, message), RESULT_DONE);
    return world->reply.message.identity_add_answer.identity;
}

uint64_t add_user_with_key(struct service_world *world, enum role role, const char *name,
                           struct service_peer *out_peer)
{
    struct msg_identity_add_request message = new_user(role, name);
    return add_with_key(world, &message, out_peer);
}

uint64_t add_till_with_key(struct service_world *world, const char *store, const char *till,
                           struct service_peer *out_peer)
{
    struct msg_identity_add_request message = new_till(store, till);
    return add_with_key(world, &message, out_peer);
}

enum result change_user(struct service_world *world, enum identity_act act, const char *name)
{
    struct msg_identity_change_request message;
    message_init(MESSAGE_identity_change_request, &message);
    message.act = act;
    message.name = code(name);
    return service_call(world, OPERATION_IDENTITY_CHANGE, 0, &message);
}

enum result change_till(struct service_world *world, enum identity_act act, const char *store,
                        const char *till)
{
    struct msg_identity_change_request message;
    message_init(MESSAGE_identity_change_request, &message);
    message.act = act;
    message.store = code(store);
    message.till = code(till);
    return service_call(world, OPERATION_IDENTITY_CHANGE, 0, &message);
}

/* --- codes --- */

struct code_word code_of_reply(const struct service_world *world)
{
    struct code_word word = { { 0 } };
    bool added = world->reply.type == (OPERATION_IDENTITY_ADD | FRAME_TYPE_DONE);
    struct message_text text = added ? world->reply.message.identity_add_answer.code
                                     : world->reply.message.identity_change_answer.code;
    assert_true(text.size == 0 || text.size == CODE_TEXT_SIZE);
    if (text.size > 0)
        memcpy(word.text, text.data, text.size);
    return word;
}

/* Crockford's base32, as a client reads it. */
static void code_bytes(const char *code, uint8_t out[20])
{
    static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    uint64_t held = 0;
    uint32_t bits = 0;
    size_t size = 0;
    for (const char *at = code; *at != '\0'; at++) {
        if (*at == '-')
            continue;
        const char *digit = strchr(digits, *at);
        assert_non_null(digit);
        held = held << 5 | (uint64_t)(digit - digits);
        for (bits += 5; bits >= 8; bits -= 8) {
            assert_true(size < 20);
            out[size++] = (uint8_t)(held >> (bits - 8));
        }
    }
    assert_int_equal(size, 20);
}

void code_credentials(const char *code, char out_name[32], uint8_t out_key[32])
{
    uint8_t bytes[20];
    static char digest[] = "SHA256";
    static char info[] = "punkt enrol psk";
    code_bytes(code, bytes);
    OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
                            OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, bytes + 4, 16),
                            OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info, strlen(info)),
                            OSSL_PARAM_construct_end() };
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf);
    assert_int_equal(EVP_KDF_derive(context, out_key, 32, params), 1);
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(kdf);
    snprintf(out_name, 32, "enrol/%02x%02x%02x%02x", bytes[0], bytes[1], bytes[2], bytes[3]);
}

enum result enrol(struct service_world *world, const char *code, struct evp_pkey_st *key, uint64_t *out_conn)
{
    char name[32];
    uint8_t client_key[32], server_key[32], request[1024];
    struct service_peer peer = { .proof = SERVICE_PROOF_CODE, .source = "192.0.2.9" };
    code_credentials(code, name, client_key);
    assert_true(service_psk(world->service, true, name, strlen(name), server_key, &peer.number));
    assert_memory_equal(server_key, client_key, 32);
    *out_conn = service_join(world, &peer);
    struct msg_enrol_request message;
    message_init(MESSAGE_enrol_request, &message);
    message.version_min = message.version_max = 1;
    if (key != NULL)
        message.signing_request =
            (struct message_text){ (const char *)request, signing_request_of(key, request) };
    return service_call(world, OPERATION_ENROL, 0, &message);
}

void assert_detail(const struct service_world *world, const char *want)
{
    struct message_text got = world->reply.message.refusal.detail;
    char detail[REFUSAL_DETAIL_MAX + 1] = { 0 };
    assert_int_not_equal(world->reply.result, RESULT_DONE);
    memcpy(detail, got.data, got.size);
    assert_string_equal(detail, want);
}

enum result ping(struct service_world *world)
{
    struct msg_ping_request message;
    message_init(MESSAGE_ping_request, &message);
    return service_call(world, OPERATION_PING, 0, &message);
}

uint64_t come(struct service_world *world, const struct service_peer *peer)
{
    uint64_t conn = service_join(world, peer);
    assert_int_equal(service_hello(world, ACTS_LANE), RESULT_DONE);
    return conn;
}

void assert_shut_out(struct service_world *world, const struct service_peer *peer, const char *why)
{
    uint64_t back = world->conn;
    uint64_t conn = service_join(world, peer);
    assert_int_equal(service_hello(world, ACTS_LANE), RESULT_NOT_PERMITTED);
    assert_detail(world, why);
    assert_true(service_closed(world, conn));
    service_speak(world, back);
    service_leave(world, conn);
}
