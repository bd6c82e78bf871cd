/*
 * Enrolment: a code serves once, for one key, for thirty minutes and three wrong tries; what it brings is what lets its owner
 * in from then on. No code and no key is in the journal or in state.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "identity_acts.h"
#include "ledger/fold.h"

static const struct identity *identity(const struct service_world *world, uint64_t number)
{
    return &register_by_number(world->service, number)->identity;
}

/* What is in memory is what state has. */
static void assert_kept(const struct service_world *world, uint64_t number)
{
    struct identity kept;
    const struct identity *here = identity(world, number);
    assert_true(fold_identity(ledger_fold(world->ledger), number, &kept));
    assert_int_equal(kept.status, here->status);
    assert_int_equal(kept.key_version, here->key_version);
    assert_int_equal(kept.code_handle, here->code_handle);
    assert_memory_equal(kept.key, here->key, sizeof(kept.key));
    assert_memory_equal(kept.code_key, here->code_key, sizeof(kept.code_key));
}

/* Who comes with what the certificate of the last answer says. */
static struct service_peer peer_of_reply(const struct service_world *world)
{
    const struct msg_enrol_answer *answer = &world->reply.message.enrol_answer;
    struct service_peer peer = { .proof = SERVICE_PROOF_CERTIFICATE, .source = "192.0.2.9" };
    struct failure failure = { { 0 } };
    struct text pem = { answer->certificate.data, (size_t)answer->certificate.size };
    if (certificate_read(pem, peer.key, &peer.key_ends, &failure) != PUNKT_OK)
        fail_msg("%s", failure.text);
    return peer;
}

static void assert_code_form(const char *code)
{
    assert_int_equal(strlen(code), CODE_TEXT_SIZE);
    for (size_t i = 0; i < CODE_TEXT_SIZE; i++)
        assert_true(i % 5 == 4 ? code[i] == '-'
                               : strchr("0123456789ABCDEFGHJKMNPQRSTVWXYZ", code[i]) != NULL);
}

static void assert_by_certificate(void **state)
{
    struct service_world *world = *state;
    const struct msg_enrol_answer *answer = &world->reply.message.enrol_answer;
    struct evp_pkey_st *key = key_new();
    uint64_t conn;
    assert_int_equal(add_till(world, "S", "1", PROOF_CERTIFICATE), RESULT_DONE);
    uint64_t till = world->reply.message.identity_add_answer.identity;
    int64_t left = (int64_t)world->reply.message.identity_add_answer.code_ends - ledger_now(world->ledger);
    assert_in_range(left, INT64_C(1795) * US_PER_SECOND, INT64_C(1800) * US_PER_SECOND);
    struct code_word code = code_of_reply(world);
    assert_code_form(code.text);
    assert_int_equal(enrol(world, code.text, key, &conn), RESULT_DONE);
    assert_true(service_closed(world, conn));
    assert_int_equal(answer->identity, till);
    assert_int_equal(answer->role, ROLE_TILL);
    assert_int_equal(answer->proof, PROOF_CERTIFICATE);
    assert_int_equal(answer->port, 7443);
    assert_memory_equal(answer->store.bytes, "S", 1);
    assert_memory_equal(answer->till.bytes, "1", 1);
    struct text ca = ca_certificate(world->options.ca);
    assert_int_equal(answer->ca.size, ca.size);
    assert_memory_equal(answer->ca.data, ca.data, ca.size);
    assert_int_equal(answer->server_name.size, strlen("punkt.example"));
    assert_int_equal(answer->psk_identity.size, 0);
    struct service_peer peer = peer_of_reply(world);
    assert_int_equal(answer->key_ends, peer.key_ends);
    assert_kept(world, till);
    assert_int_equal(identity(world, till)->key_version, 1);
    (void)service_join(world, &peer);
    assert_int_equal(service_hello(world, ACTS_LANE), RESULT_DONE);
    assert_int_equal(world->reply.message.hello_answer.identity, till);
    key_free(key);
}

/* The answer was lost: the same key gets it again, and no event says so. Another key does not. */
static void assert_once(void **state)
{
    struct service_world *world = *state;
    struct evp_pkey_st *key = key_new();
    struct evp_pkey_st *other = key_new();
    uint64_t conn;
    assert_int_equal(add_user(world, ROLE_OFFICE, "anna"), RESULT_DONE);
    struct code_word code = code_of_reply(world);
    assert_int_equal(enrol(world, code.text, key, &conn), RESULT_DONE);
    struct service_peer first = peer_of_reply(world);
    journal_position newest = ledger_newest(world->ledger);
    assert_int_equal(enrol(world, code.text, other, &conn), RESULT_CODE_USED);
    assert_true(service_closed(world, conn));
    assert_int_equal(enrol(world, code.text, key, &conn), RESULT_DONE);
    struct service_peer again = peer_of_reply(world);
    assert_memory_equal(again.key, first.key, sizeof(first.key));
    assert_int_equal(ledger_newest(world->ledger), newest);
    assert_int_equal(identity(world, IDENTITY_FIRST)->key_version, 1);
    service_world_restart(world);
    assert_int_equal(enrol(world, code.text, other, &conn), RESULT_CODE_USED);
    assert_int_equal(enrol(world, code.text, key, &conn), RESULT_DONE);
    key_free(other);
    key_free(key);
}

static bool is_offered(struct service_world *world, const char *code)
{
    char name[32];
    uint8_t client[32], server[32];
    uint64_t number;
    code_credentials(code, name, client);
    return service_psk(world->service, true, name, strlen(name), server, &number);
}

static void fail_handshake(struct service_world *world, const char *code)
{
    char name[32];
    uint8_t client[32], server[32];
    struct service_peer peer = { .proof = SERVICE_PROOF_CODE, .source = "192.0.2.66" };
    code_credentials(code, name, client);
    if (!service_psk(world->service, true, name, strlen(name), server, &peer.number))
        peer.number = 0;
    service_proof_refused(world->service, &peer, "a wrong key");
}

/* Three wrong tries, and it is void for good; that is an event. */
static void assert_three_tries(void **state)
{
    struct service_world *world = *state;
    assert_int_equal(add_user(world, ROLE_OFFICE, "anna"), RESULT_DONE);
    struct code_word anna = code_of_reply(world);
    assert_int_equal(add_user(world, ROLE_OFFICE, "otto"), RESULT_DONE);
    struct code_word otto = code_of_reply(world);
    fail_handshake(world, anna.text);
    fail_handshake(world, anna.text);
    assert_true(is_offered(world, anna.text));
    fail_handshake(world, anna.text);
    assert_false(is_offered(world, anna.text));
    fail_handshake(world, anna.text);
    (void)service_turn(world->service);
    assert_int_equal(identity(world, IDENTITY_FIRST)->code_handle, 0);
    assert_kept(world, IDENTITY_FIRST);
    service_world_restart(world);
    assert_false(is_offered(world, anna.text));
    assert_true(is_offered(world, otto.text));
    /* A new one is as good as the first was. */
    assert_int_equal(change_user(world, IDENTITY_ACT_ROTATE, "anna"), RESULT_DONE);
    anna = code_of_reply(world);
    fail_handshake(world, anna.text);
    fail_handshake(world, anna.text);
    assert_true(is_offered(world, anna.text));
}

/* Between the handshake and the request the code may end. */
static void assert_code_ends(void **state)
{
    struct service_world *world = *state;
    struct service_peer peer = { .proof = SERVICE_PROOF_CODE, .source = "192.0.2.9" };
    struct msg_enrol_request message;
    char name[32];
    uint8_t key[32];
    assert_int_equal(add_till(world, "S", "1", PROOF_PSK), RESULT_DONE);
    struct code_word code = code_of_reply(world);
    struct registered *who = register_by_number(world->service, IDENTITY_FIRST);
    code_credentials(code.text, name, key);
    assert_true(service_psk(world->service, true, name, strlen(name), key, &peer.number));
    (void)service_join(world, &peer);
    utc_us ends = who->identity.code_ends;
    who->identity.code_ends = ledger_now(world->ledger); /* half an hour later */
    message_init(MESSAGE_enrol_request, &message);
    message.version_min = message.version_max = 1;
    assert_int_equal(service_call(world, OPERATION_ENROL, 0, &message), RESULT_CODE_USED);
    assert_false(service_psk(world->service, true, name, strlen(name), key, &peer.number));
    who->identity.code_ends = ends;
    assert_true(service_psk(world->service, true, name, strlen(name), key, &peer.number));
}

static enum result repeat_last(struct service_world *world, enum operation operation, const void *message)
{
    world->number--;
    return service_call(world, operation, 0, message);
}

/* A repeat brings the code again while it may be used, and no other code. */
static void assert_repeated(void **state)
{
    struct service_world *world = *state;
    struct msg_identity_add_request message;
    struct evp_pkey_st *key = key_new();
    uint64_t conn;
    message_init(MESSAGE_identity_add_request, &message);
    message.role = ROLE_OFFICE;
    message.name = code("anna");
    assert_int_equal(service_call(world, OPERATION_IDENTITY_ADD, 0, &message), RESULT_DONE);
    struct code_word first = code_of_reply(world);
    assert_int_equal(repeat_last(world, OPERATION_IDENTITY_ADD, &message), RESULT_DONE);
    struct code_word again = code_of_reply(world);
    assert_string_equal(again.text, first.text);
    assert_int_equal(enrol(world, first.text, key, &conn), RESULT_DONE);
    key_free(key);
    service_speak(world, 1);
    assert_int_equal(repeat_last(world, OPERATION_IDENTITY_ADD, &message), RESULT_DONE);
    assert_string_equal(code_of_reply(world).text, "");
    assert_int_equal(change_user(world, IDENTITY_ACT_ROTATE, "anna"), RESULT_DONE);
    assert_string_not_equal(code_of_reply(world).text, "");
    world->number--;
    assert_int_equal(repeat_last(world, OPERATION_IDENTITY_ADD, &message), RESULT_DONE);
    assert_string_equal(code_of_reply(world).text, "");
}

/* What is asked of the request for a certificate. A wrong one does not use the code up. */
static void assert_signing_request(void **state)
{
    struct service_world *world = *state;
    struct msg_enrol_request message;
    struct service_peer peer = { .proof = SERVICE_PROOF_CODE, .source = "192.0.2.9" };
    struct evp_pkey_st *key = key_new();
    char name[32];
    uint8_t psk[32];
    uint64_t conn;
    assert_int_equal(add_user(world, ROLE_OFFICE, "anna"), RESULT_DONE);
    struct code_word code = code_of_reply(world);
    assert_int_equal(enrol(world, code.text, NULL, &conn), RESULT_MALFORMED);
    code_credentials(code.text, name, psk);
    assert_true(service_psk(world->service, true, name, strlen(name), psk, &peer.number));
    message_init(MESSAGE_enrol_request, &message);
    message.version_min = message.version_max = 1;
    message.signing_request = (struct message_text){ "rubbish", 7 };
    conn = service_join(world, &peer);
    assert_int_equal(service_call(world, OPERATION_ENROL, 0, &message), RESULT_MALFORMED);
    assert_true(service_closed(world, conn));
    message.version_min = message.version_max = 2;
    conn = service_join(world, &peer);
    assert_int_equal(service_call(world, OPERATION_ENROL, 0, &message), RESULT_VERSION);
    assert_int_equal(identity(world, IDENTITY_FIRST)->status, IDENTITY_ADDED);
    assert_int_equal(enrol(world, code.text, key, &conn), RESULT_DONE);
    key_free(key);
}

/* A key that is somebody's is not registered again; one that was its own before is. */
static void assert_key_of_another(void **state)
{
    struct service_world *world = *state;
    struct evp_pkey_st *key = key_new();
    uint64_t conn;
    assert_int_equal(add_user(world, ROLE_OFFICE, "anna"), RESULT_DONE);
    assert_int_equal(enrol(world, code_of_reply(world).text, key, &conn), RESULT_DONE);
    service_speak(world, 1);
    assert_int_equal(add_user(world, ROLE_ADMIN, "otto"), RESULT_DONE);
    assert_int_equal(enrol(world, code_of_reply(world).text, key, &conn), RESULT_IDENTITY_EXISTS);
    service_speak(world, 1);
    assert_int_equal(change_user(world, IDENTITY_ACT_ROTATE, "anna"), RESULT_DONE);
    assert_int_equal(enrol(world, code_of_reply(world).text, key, &conn), RESULT_DONE);
    assert_int_equal(identity(world, IDENTITY_FIRST)->key_version, 2);
    key_free(key);
}

/* With a code nothing else can be asked for. */
static void assert_only_enrols(void **state)
{
    struct service_world *world = *state;
    struct service_peer peer = { .proof = SERVICE_PROOF_CODE, .source = "192.0.2.9" };
    struct msg_ping_request ping;
    char name[32];
    uint8_t key[32];
    assert_int_equal(add_user(world, ROLE_ADMIN, "anna"), RESULT_DONE);
    code_credentials(code_of_reply(world).text, name, key);
    assert_true(service_psk(world->service, true, name, strlen(name), key, &peer.number));
    uint64_t conn = service_join(world, &peer);
    message_init(MESSAGE_ping_request, &ping);
    assert_int_equal(service_hello(world, ACTS_LANE), RESULT_NOT_PERMITTED);
    assert_true(service_closed(world, conn));
    conn = service_join(world, &peer);
    assert_int_equal(service_call(world, OPERATION_PING, 0, &ping), RESULT_NOT_PERMITTED);
    assert_true(service_closed(world, conn));
}

/* The code of one that is suspended waits; that of a revoked one is over. */
static void assert_suspended(void **state)
{
    struct service_world *world = *state;
    struct evp_pkey_st *key = key_new();
    uint64_t conn;
    assert_int_equal(add_user(world, ROLE_OFFICE, "anna"), RESULT_DONE);
    struct code_word code = code_of_reply(world);
    assert_int_equal(change_user(world, IDENTITY_ACT_SUSPEND, "anna"), RESULT_DONE);
    assert_int_equal(enrol(world, code.text, key, &conn), RESULT_NOT_PERMITTED);
    service_speak(world, 1);
    assert_int_equal(change_user(world, IDENTITY_ACT_RESUME, "anna"), RESULT_DONE);
    assert_int_equal(enrol(world, code.text, key, &conn), RESULT_DONE);
    service_speak(world, 1);
    assert_int_equal(change_user(world, IDENTITY_ACT_REVOKE, "anna"), RESULT_DONE);
    assert_false(is_offered(world, code.text));
    key_free(key);
}

/* The old key serves until the new one is registered. */
static void assert_rotated(void **state)
{
    struct service_world *world = *state;
    struct evp_pkey_st *key = key_new();
    struct service_peer before;
    uint64_t conn;
    uint64_t till = add_till_with_key(world, "S", "1", &before);
    uint64_t old = service_join(world, &before);
    assert_int_equal(service_hello(world, ACTS_LANE), RESULT_DONE);
    service_speak(world, 1);
    assert_int_equal(change_till(world, IDENTITY_ACT_ROTATE, "S", "1"), RESULT_DONE);
    assert_int_equal(world->reply.message.identity_change_answer.closed, 0);
    assert_int_equal(world->reply.message.identity_change_answer.status, IDENTITY_ACTIVE);
    assert_false(service_closed(world, old));
    struct code_word code = code_of_reply(world);
    (void)service_join(world, &before);
    assert_int_equal(service_hello(world, ACTS_LANE), RESULT_DONE);
    assert_int_equal(enrol(world, code.text, key, &conn), RESULT_DONE);
    struct service_peer after = peer_of_reply(world);
    assert_true(service_closed(world, old));
    (void)service_join(world, &before);
    assert_int_equal(service_hello(world, ACTS_LANE), RESULT_NOT_PERMITTED);
    (void)service_join(world, &after);
    assert_int_equal(service_hello(world, ACTS_LANE), RESULT_DONE);
    assert_int_equal(world->reply.message.hello_answer.identity, till);
    key_free(key);
}

/* --- pre-shared keys --- */

struct shared {
    char name[64];
    uint8_t key[32];
};

static struct shared shared_of_reply(const struct service_world *world)
{
    const struct msg_enrol_answer *answer = &world->reply.message.enrol_answer;
    struct shared shared = { .name = "" };
    assert_int_equal(answer->psk_key.size, 32);
    memcpy(shared.name, answer->psk_identity.data, answer->psk_identity.size);
    memcpy(shared.key, answer->psk_key.data, 32);
    return shared;
}

/* Comes with a pre-shared key. False: there is none of that name, or it is another. */
static bool come_with(struct service_world *world, const struct shared *shared)
{
    struct service_peer peer = { .proof = SERVICE_PROOF_PSK, .source = "192.0.2.9" };
    uint8_t key[32];
    if (!service_psk(world->service, false, shared->name, strlen(shared->name), key, &peer.number) ||
        memcmp(key, shared->key, sizeof(key)) != 0)
        return false;
    (void)service_join(world, &peer);
    return true;
}

static void assert_by_psk(void **state)
{
    struct service_world *world = *state;
    const struct msg_enrol_answer *answer = &world->reply.message.enrol_answer;
    struct evp_pkey_st *key = key_new();
    uint64_t conn;
    assert_int_equal(add_till(world, "S", "1", PROOF_PSK), RESULT_DONE);
    struct code_word code = code_of_reply(world);
    assert_int_equal(enrol(world, code.text, key, &conn), RESULT_DONE);
    assert_true(service_closed(world, conn));
    assert_int_equal(answer->proof, PROOF_PSK);
    assert_int_equal(answer->port, 7444);
    assert_int_equal(answer->certificate.size, 0);
    struct shared first = shared_of_reply(world);
    assert_string_equal(first.name, "punkt/2/1");
    assert_kept(world, IDENTITY_FIRST);
    /* The answer was lost: the same again. */
    assert_int_equal(enrol(world, code.text, key, &conn), RESULT_DONE);
    struct shared again = shared_of_reply(world);
    key_free(key);
    assert_string_equal(again.name, first.name);
    assert_memory_equal(again.key, first.key, 32);
    /* It has arrived when the key is used: from then on the code is over. */
    assert_true(come_with(world, &first));
    assert_true(is_offered(world, code.text));
    assert_int_equal(service_hello(world, ACTS_LANE), RESULT_DONE);
    assert_int_equal(world->reply.message.hello_answer.identity, IDENTITY_FIRST);
    assert_false(is_offered(world, code.text));
    service_world_restart(world);
    assert_false(is_offered(world, code.text));
    assert_true(come_with(world, &first));
    assert_int_equal(service_hello(world, ACTS_LANE), RESULT_DONE);
}

/*
 * Who has seen a code cannot have the same pre-shared key as whom it was meant for: whoever is second is refused, and notices.
 * That the one and the same asks again is known by its signing request; without one a code serves once.
 */
static void assert_psk_once(void **state)
{
    struct service_world *world = *state;
    struct evp_pkey_st *keys[] = { key_new(), key_new(), NULL };
    uint64_t conn;
    for (size_t first = 0; first < COUNT_OF(keys); first += 2) {
        assert_int_equal(add_till(world, "S", first == 0 ? "1" : "2", PROOF_PSK), RESULT_DONE);
        struct code_word code = code_of_reply(world);
        assert_int_equal(enrol(world, code.text, keys[first], &conn), RESULT_DONE);
        for (size_t i = 0; i < COUNT_OF(keys); i++)
            assert_int_equal(enrol(world, code.text, keys[i], &conn),
                             i == first && keys[i] != NULL ? RESULT_DONE : RESULT_CODE_USED);
        service_world_restart(world);
        assert_int_equal(enrol(world, code.text, keys[1], &conn), RESULT_CODE_USED);
        assert_int_equal(enrol(world, code.text, NULL, &conn), RESULT_CODE_USED);
        service_speak(world, 1);
    }
    key_free(keys[0]);
    key_free(keys[1]);
}

static void assert_psk_rotated(void **state)
{
    struct service_world *world = *state;
    uint64_t conn;
    assert_int_equal(add_till(world, "S", "1", PROOF_PSK), RESULT_DONE);
    assert_int_equal(enrol(world, code_of_reply(world).text, NULL, &conn), RESULT_DONE);
    struct shared first = shared_of_reply(world);
    assert_true(come_with(world, &first));
    assert_int_equal(service_hello(world, ACTS_LANE), RESULT_DONE);
    uint64_t old = world->conn;
    service_speak(world, 1);
    /* A newer master makes the next key; the first still makes the first. */
    world->keys.psk_masters[3][5] = 9;
    world->keys.psk_masters_known |= 8;
    assert_int_equal(change_till(world, IDENTITY_ACT_ROTATE, "S", "1"), RESULT_DONE);
    struct code_word code = code_of_reply(world);
    assert_true(come_with(world, &first)); /* is on its way while the new key is made */
    uint64_t late = world->conn;
    assert_int_equal(enrol(world, code.text, NULL, &conn), RESULT_DONE);
    struct shared second = shared_of_reply(world);
    assert_string_equal(second.name, "punkt/2/2");
    assert_memory_not_equal(second.key, first.key, 32);
    assert_int_equal(identity(world, IDENTITY_FIRST)->psk_master, 4);
    assert_true(service_closed(world, old));
    service_speak(world, late);
    assert_int_equal(service_hello(world, ACTS_LANE), RESULT_NOT_PERMITTED);
    assert_false(come_with(world, &first));
    assert_true(come_with(world, &second));
    assert_int_equal(service_hello(world, ACTS_LANE), RESULT_DONE);
    /* A master that is no longer there takes its keys along. */
    world->keys.psk_masters_known = 1;
    assert_false(come_with(world, &second));
}

/* Suspended and revoked ones are told so, and not at the handshake. */
static void assert_psk_shut_out(void **state)
{
    struct service_world *world = *state;
    uint64_t conn;
    assert_int_equal(add_till(world, "S", "1", PROOF_PSK), RESULT_DONE);
    assert_int_equal(enrol(world, code_of_reply(world).text, NULL, &conn), RESULT_DONE);
    struct shared shared = shared_of_reply(world);
    service_speak(world, 1);
    assert_int_equal(change_till(world, IDENTITY_ACT_SUSPEND, "S", "1"), RESULT_DONE);
    assert_true(come_with(world, &shared));
    assert_int_equal(service_hello(world, ACTS_LANE), RESULT_NOT_PERMITTED);
    assert_detail(world, "suspended by the administrator");
    service_speak(world, 1);
    assert_int_equal(change_till(world, IDENTITY_ACT_REVOKE, "S", "1"), RESULT_DONE);
    assert_true(come_with(world, &shared));
    assert_int_equal(service_hello(world, ACTS_LANE), RESULT_NOT_PERMITTED);
    assert_detail(world, "revoked by the administrator, for good");
}

/* --- secrets --- */

static bool contains(const uint8_t *bytes, size_t size, const void *what, size_t what_size)
{
    return memmem(bytes, size, what, what_size) != NULL;
}

/* Of every file of the ledger. */
static bool ledger_contains(const struct service_world *world, const void *what, size_t size)
{
    char command[256];
    bool found = false;
    snprintf(command, sizeof(command), "find %s/journal %s/state -type f", world->dir, world->dir);
    FILE *files = popen(command, "r");
    assert_non_null(files);
    char path[512];
    while (fgets(path, sizeof(path), files) != NULL) {
        path[strcspn(path, "\n")] = '\0';
        FILE *file = fopen(path, "rb");
        assert_non_null(file);
        assert_int_equal(fseek(file, 0, SEEK_END), 0);
        long end = ftell(file);
        assert_true(end >= 0);
        rewind(file);
        uint8_t *bytes = malloc((size_t)end + 1);
        assert_non_null(bytes);
        assert_int_equal(fread(bytes, 1, (size_t)end, file), end);
        found = found || contains(bytes, (size_t)end, what, size);
        free(bytes);
        fclose(file);
    }
    assert_int_equal(pclose(files), 0);
    return found;
}

static void assert_no_secret_kept(void **state)
{
    struct service_world *world = *state;
    uint64_t conn;
    uint8_t code_key[32];
    char name[32];
    assert_int_equal(add_till(world, "STORE-NAME", "1", PROOF_PSK), RESULT_DONE);
    struct code_word code = code_of_reply(world);
    code_credentials(code.text, name, code_key);
    assert_int_equal(enrol(world, code.text, NULL, &conn), RESULT_DONE);
    struct shared shared = shared_of_reply(world);
    service_world_restart(world); /* all of it is in the files */
    assert_true(ledger_contains(world, "STORE-NAME", 10));
    assert_false(ledger_contains(world, code.text, CODE_TEXT_SIZE));
    assert_false(ledger_contains(world, code_key, sizeof(code_key)));
    assert_false(ledger_contains(world, shared.key, sizeof(shared.key)));
}

#define A_TEST(name) cmocka_unit_test_setup_teardown(name, identity_set_up, identity_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        A_TEST(assert_by_certificate), A_TEST(assert_once),         A_TEST(assert_three_tries),
        A_TEST(assert_code_ends),      A_TEST(assert_repeated),     A_TEST(assert_signing_request),
        A_TEST(assert_key_of_another), A_TEST(assert_only_enrols),  A_TEST(assert_suspended),
        A_TEST(assert_rotated),        A_TEST(assert_by_psk),       A_TEST(assert_psk_rotated),
        A_TEST(assert_psk_once),       A_TEST(assert_psk_shut_out), A_TEST(assert_no_secret_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
