/*
 * Pre-shared keys of tills and users, and enrolment codes, which are such keys too. None of them is kept: each is derived,
 * from a master of the secrets file or from the pepper, when it is needed (LEDGER.md, Secrets; RELIABILITY.md, Identity,
 * roles).
 */
#include <stdio.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include "service/internal.h"
#include "service/proof.h"

#define CODE_SECRET_SIZE 16
#define CODE_BYTES (4 + CODE_SECRET_SIZE) /* handle, secret */
#define CODE_S (30 * 60)

/* --- derivation --- */

/* HKDF-SHA256 (RFC 5869). No salt: salt_size 0. */
static bool derive(const uint8_t *key, size_t key_size, const uint8_t *salt, size_t salt_size,
                   const void *info, size_t info_size, uint8_t *out, size_t out_size)
{
    static char digest[] = "SHA256";
    OSSL_PARAM params[5];
    size_t count = 0;
    params[count++] = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0);
    params[count++] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)key, key_size);
    params[count++] =
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)(uintptr_t)info, info_size);
    if (salt_size > 0)
        params[count++] =
            OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)(uintptr_t)salt, salt_size);
    params[count] = OSSL_PARAM_construct_end();
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *context = kdf != NULL ? EVP_KDF_CTX_new(kdf) : NULL;
    bool done = context != NULL && EVP_KDF_derive(context, out, out_size, params) == 1;
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(kdf);
    return done;
}

/* A label, then numbers, little-endian; returns the size. */
static size_t info_for(const char *label, uint64_t number, uint32_t version, uint8_t out[64])
{
    size_t size = strlen(label);
    memcpy(out, label, size);
    for (size_t i = 0; i < 8; i++)
        out[size++] = (uint8_t)(number >> (8 * i));
    for (size_t i = 0; i < 4 && version != 0; i++)
        out[size++] = (uint8_t)(version >> (8 * i));
    return size;
}

bool psk_derive(const struct service *service, const struct identity *identity, uint8_t out_key[32])
{
    uint8_t info[64];
    uint32_t master = identity->psk_master;
    if (master == 0 || master > SERVICE_PSK_MASTERS_MAX ||
        (service->options.keys->psk_masters_known >> (master - 1) & 1) == 0)
        return false;
    size_t size = info_for("punkt psk", identity->number, identity->key_version, info);
    /* A restored ledger gives numbers again that it has lost; who had one before must not come in as another. */
    for (size_t i = 0; i < 8; i++)
        info[size++] = (uint8_t)((uint64_t)identity->enrolled >> (8 * i));
    return derive(service->options.keys->psk_masters[master - 1], 32, NULL, 0, info, size, out_key, 32);
}

void psk_name(const struct identity *identity, char out[PSK_NAME_MAX + 1])
{
    (void)snprintf(out, PSK_NAME_MAX + 1, "punkt/%llu/%u", (unsigned long long)identity->number,
                   identity->key_version);
}

uint32_t psk_newest_master(const struct service *service)
{
    uint32_t newest = 0;
    for (uint32_t i = 0; i < SERVICE_PSK_MASTERS_MAX; i++) {
        if ((service->options.keys->psk_masters_known >> i & 1) != 0)
            newest = i + 1;
    }
    return newest;
}

/* --- enrolment codes --- */

bool code_is_good(const struct service *service, const struct registered *who)
{
    return who->identity.code_handle != 0 && who->code_tries < CODE_TRIES &&
           ledger_now(service->ledger) < who->identity.code_ends;
}

bool code_is_used(const struct identity *identity)
{
    static const uint8_t none[32];
    return memcmp(identity->code_key, none, sizeof(none)) != 0;
}

bool code_make(const struct service *service, struct identity *identity)
{
    uint8_t random[4];
    do {
        if (RAND_bytes(random, sizeof(random)) != 1 ||
            RAND_bytes(identity->code_salt, sizeof(identity->code_salt)) != 1)
            return false;
        identity->code_handle =
            (uint32_t)random[0] << 24 | (uint32_t)random[1] << 16 | (uint32_t)random[2] << 8 | random[3];
    } while (identity->code_handle == 0 || register_by_code(service, identity->code_handle) != NULL);
    identity->code_ends = ledger_now(service->ledger) + CODE_S * US_PER_SECOND;
    memset(identity->code_key, 0, sizeof(identity->code_key));
    return true;
}

void code_clear(struct identity *identity)
{
    identity->code_handle = 0;
    identity->code_ends = 0;
    memset(identity->code_salt, 0, sizeof(identity->code_salt));
    memset(identity->code_key, 0, sizeof(identity->code_key));
}

static bool code_secret(const struct service *service, const struct identity *identity,
                        uint8_t out[CODE_SECRET_SIZE])
{
    uint8_t info[64];
    size_t size = info_for("punkt enrol", identity->number, 0, info);
    return derive(service->options.keys->pepper, sizeof(service->options.keys->pepper), identity->code_salt,
                  sizeof(identity->code_salt), info, size, out, CODE_SECRET_SIZE);
}

bool code_text(const struct service *service, const struct identity *identity, char out[CODE_TEXT_SIZE + 1])
{
    static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"; /* Crockford's base32 */
    uint8_t bytes[CODE_BYTES];
    for (size_t i = 0; i < 4; i++)
        bytes[i] = (uint8_t)(identity->code_handle >> (24 - 8 * i));
    bool done = code_secret(service, identity, bytes + 4);
    size_t size = 0;
    uint32_t bits = 0;
    uint32_t held = 0;
    for (size_t i = 0; i < CODE_BYTES; i++) {
        held = held << 8 | bytes[i];
        for (bits += 8; bits >= 5; bits -= 5) {
            if (size % 5 == 4)
                out[size++] = '-';
            out[size++] = digits[held >> (bits - 5) & 31];
        }
    }
    PUNKT_CHECK(size == CODE_TEXT_SIZE);
    out[size] = '\0';
    OPENSSL_cleanse(bytes, sizeof(bytes));
    return done;
}

/* The code of the identity, if it is the one that the answer speaks of: they end at the same moment. */
static bool code_for(const struct service *service, uint64_t number, uint64_t ends,
                     char out[CODE_TEXT_SIZE + 1])
{
    const struct registered *who = register_by_number(service, number);
    return who != NULL && ends != 0 && (uint64_t)who->identity.code_ends == ends &&
           code_is_good(service, who) && !code_is_used(&who->identity) &&
           code_text(service, &who->identity, out);
}

void code_add(struct service *service, uint16_t type, struct text *body)
{
    bool add = type == (OPERATION_IDENTITY_ADD | FRAME_TYPE_DONE);
    if (!add && type != (OPERATION_IDENTITY_CHANGE | FRAME_TYPE_DONE))
        return;
    enum message message = add ? MESSAGE_identity_add_answer : MESSAGE_identity_change_answer;
    union message_any answer;
    struct message_memory memory = { NULL, 0 }; /* neither has a list */
    const char *field;
    char code[CODE_TEXT_SIZE + 1];
    PUNKT_CHECK(message_decode(message, body->data, body->size, &memory, &answer, &field));
    uint64_t number = add ? answer.identity_add_answer.identity : answer.identity_change_answer.identity;
    uint64_t ends = add ? answer.identity_add_answer.code_ends : answer.identity_change_answer.code_ends;
    if (!code_for(service, number, ends, code))
        return;
    struct message_text text = message_text_of(code, CODE_TEXT_SIZE);
    if (add)
        answer.identity_add_answer.code = text;
    else
        answer.identity_change_answer.code = text;
    struct wire_writer writer = wire_writer_over(service->with_code, sizeof(service->with_code));
    message_encode(message, &answer, &writer);
    PUNKT_CHECK(!writer.failed); /* a few numbers and the code */
    *body = (struct text){ (const char *)service->with_code, wire_written(&writer) };
    OPENSSL_cleanse(code, sizeof(code));
}

/* --- handshakes --- */

/* Behind a prefix, a number in decimals or hexadecimals without anything before it; returns what is behind it. */
static const char *read_number(const char *from, const char *end, unsigned base, uint64_t *out)
{
    *out = 0;
    const char *at = from;
    for (; at < end && at - from < 16; at++) {
        unsigned digit = *at >= '0' && *at <= '9'   ? (unsigned)(*at - '0')
                         : *at >= 'a' && *at <= 'f' ? (unsigned)(*at - 'a') + 10
                                                    : base;
        if (digit >= base)
            break;
        *out = *out * base + digit;
    }
    return at > from && (at - from == 1 || *from != '0' || base == 16) ? at : NULL;
}

/* In place of who is not there: its key is derived as well, so that time does not tell whom we know. */
static struct identity nobody(const struct service *service)
{
    return (struct identity){ .key_version = 1, .psk_master = psk_newest_master(service) };
}

/* "punkt/17/3" */
static bool key_of_identity(const struct service *service, const char *name, const char *end,
                            uint8_t out_key[32], uint64_t *out_number)
{
    uint64_t number;
    uint64_t version;
    const char *at = read_number(name, end, 10, &number);
    if (at == NULL || at == end || *at != '/' || read_number(at + 1, end, 10, &version) != end)
        return false;
    const struct registered *who = register_by_number(service, number);
    bool known = who != NULL && who->identity.proof == PROOF_PSK && version != 0 &&
                 who->identity.key_version == version;
    const struct identity other = nobody(service);
    bool derived = psk_derive(service, known ? &who->identity : &other, out_key);
    *out_number = version << 32 | number;
    return known && derived;
}

/* "enrol/0123abcd" */
static bool key_of_code(const struct service *service, const char *name, const char *end, uint8_t out_key[32],
                        uint64_t *out_number)
{
    static const char info[] = "punkt enrol psk";
    uint8_t secret[CODE_SECRET_SIZE];
    uint64_t handle;
    if (end - name != 8 || read_number(name, end, 16, &handle) != end)
        return false;
    const struct registered *who = register_by_code(service, (uint32_t)handle);
    bool known = who != NULL && code_is_good(service, who);
    const struct identity other = nobody(service);
    *out_number = handle;
    bool done = code_secret(service, known ? &who->identity : &other, secret) &&
                derive(secret, sizeof(secret), NULL, 0, info, sizeof(info) - 1, out_key, 32);
    OPENSSL_cleanse(secret, sizeof(secret));
    return known && done;
}

bool service_psk(struct service *service, bool code, const char *identity, size_t size, uint8_t out_key[32],
                 uint64_t *out_number)
{
    const char *prefix = code ? "enrol/" : "punkt/";
    const char *end = identity + size;
    if (size < 6 || memcmp(identity, prefix, 6) != 0)
        return false;
    return code ? key_of_code(service, identity + 6, end, out_key, out_number)
                : key_of_identity(service, identity + 6, end, out_key, out_number);
}

struct registered *psk_owner(const struct service *service, uint64_t number)
{
    struct registered *who = register_by_number(service, number & UINT32_MAX);
    return who != NULL && who->identity.key_version == number >> 32 ? who : NULL;
}

/* Wrong tries are counted in memory; that they made the code void is an event, as soon as there is room for it. */
static void code_tried(struct service *service, struct registered *who)
{
    if (!code_is_good(service, who))
        return;
    if (++who->code_tries < CODE_TRIES || who->void_listed)
        return;
    who->void_listed = true;
    who->next_void = service->void_codes;
    service->void_codes = who;
}

void code_void(struct service *service, struct registered *who)
{
    while (code_is_good(service, who))
        code_tried(service, who);
}

void service_proof_refused(struct service *service, const struct service_peer *peer, const char *what)
{
    bool code = peer->proof == SERVICE_PROOF_CODE;
    struct registered *who = code ? register_by_code(service, (uint32_t)peer->number)
                             : peer->proof == SERVICE_PROOF_PSK ? psk_owner(service, peer->number)
                                                                : NULL;
    attempt_count(service, code ? ATTEMPT_ENROLMENT : ATTEMPT_PROOF, text_of(peer->source),
                  who != NULL ? who->identity.number : 0, what);
    if (code && who != NULL)
        code_tried(service, who);
}

static void book_void(struct service *service, const struct registered *who)
{
    struct event event = { .type = EVENT_IDENTITY,
                           .time = ledger_now(service->ledger),
                           .day = today(service),
                           .identity = { .act = IDENTITY_ACT_ROTATE,
                                         .after = who->identity,
                                         .reason = code_is_used(&who->identity)
                                                       ? TEXT_LITERAL("its enrolment code has done its work")
                                                       : TEXT_LITERAL("too many wrong tries of its code") } };
    event.occurred = event.time;
    code_clear(&event.identity.after);
    append_own(service, &event);
}

void codes_turn(struct service *service)
{
    while (service->void_codes != NULL && ledger_has_room(service->ledger)) {
        struct registered *who = service->void_codes;
        service->void_codes = who->next_void;
        who->void_listed = false;
        if (who->identity.code_handle != 0 && who->code_tries >= CODE_TRIES)
            book_void(service, who);
    }
}
