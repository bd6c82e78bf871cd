/*
 * The register as the administrator keeps it, every act and every reason not to; and who may say hello afterwards.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "identity_acts.h"
#include "service_acts.h"

static uint32_t status_of(const struct service_world *world, uint64_t number)
{
    return register_by_number(world->service, number)->identity.status;
}

/* --- adding --- */

static void assert_added(void **state)
{
    struct service_world *world = *state;
    struct service_peer office;
    struct service_peer till;
    const struct msg_hello_answer *hello = &world->reply.message.hello_answer;
    uint64_t anna = add_user_with_key(world, ROLE_OFFICE, "anna", &office);
    uint64_t first = add_till_with_key(world, "S", "1", &till);
    assert_int_equal(anna, IDENTITY_FIRST);
    assert_int_equal(first, IDENTITY_FIRST + 1);
    (void)come(world, &office);
    assert_int_equal(hello->identity, anna);
    assert_int_equal(hello->role, ROLE_OFFICE);
    assert_memory_equal(hello->name.bytes, "anna", 4);
    assert_int_equal(hello->till.size, 0);
    assert_int_equal(hello->key_ends, office.key_ends);
    (void)come(world, &till);
    assert_int_equal(hello->identity, first);
    assert_int_equal(hello->role, ROLE_TILL);
    assert_int_equal(hello->name.size, 0);
    assert_memory_equal(hello->store.bytes, "S", 1);
    assert_memory_equal(hello->till.bytes, "1", 1);
    service_world_restart(world);
    assert_int_equal(hello->identity, IDENTITY_LOCAL);
    assert_int_equal(hello->role, ROLE_ADMIN);
    assert_int_equal(hello->key_ends, 0);
    (void)come(world, &till);
    assert_int_equal(hello->identity, first);
}

static enum result add_as(struct service_world *world, uint64_t role, const char *name, const char *store,
                          const char *till)
{
    struct msg_identity_add_request message;
    message_init(MESSAGE_identity_add_request, &message);
    message.role = role;
    message.name = code(name);
    message.store = code(store);
    message.till = code(till);
    return service_call(world, OPERATION_IDENTITY_ADD, 0, &message);
}

static void assert_names_refused(void **state)
{
    struct service_world *world = *state;
    assert_int_equal(add_as(world, ROLE_NONE, "anna", "", ""), RESULT_MALFORMED);
    assert_int_equal(add_as(world, ROLE_TILL, "", "S", ""), RESULT_MALFORMED);
    assert_int_equal(add_as(world, ROLE_TILL, "", "", "1"), RESULT_MALFORMED);
    assert_int_equal(add_as(world, ROLE_TILL, "anna", "S", "1"), RESULT_MALFORMED);
    assert_int_equal(add_as(world, ROLE_TILL, "", "a/b", "c"), RESULT_MALFORMED);
    assert_int_equal(add_as(world, ROLE_TILL, "", "a", "b/c"), RESULT_MALFORMED);
    assert_int_equal(add_as(world, ROLE_OFFICE, "", "", ""), RESULT_MALFORMED);
    assert_int_equal(add_as(world, ROLE_OFFICE, "anna", "S", ""), RESULT_MALFORMED);
    assert_int_equal(add_as(world, ROLE_OFFICE, "anna", "", "1"), RESULT_MALFORMED);
    static const char *const reserved[] = { "local", "server", "identity 4", "S/1", "/" };
    for (size_t i = 0; i < COUNT_OF(reserved); i++)
        assert_int_equal(add_as(world, ROLE_ADMIN, reserved[i], "", ""), RESULT_MALFORMED);
    assert_int_equal(register_count(world->service), 0);
    assert_int_equal(add_as(world, ROLE_ADMIN, "locally", "", ""), RESULT_DONE);
}

static void assert_once(void **state)
{
    struct service_world *world = *state;
    assert_int_equal(add_user(world, ROLE_OFFICE, "anna"), RESULT_DONE);
    assert_int_equal(add_user(world, ROLE_ADMIN, "anna"), RESULT_IDENTITY_EXISTS);
    assert_int_equal(add_till(world, "S", "1", PROOF_PSK), RESULT_DONE);
    uint64_t till = world->reply.message.identity_add_answer.identity;
    assert_int_equal(world->reply.message.identity_add_answer.enrol_port, world->options.enrol_port);
    struct message_text server = world->reply.message.identity_add_answer.server;
    assert_int_equal(server.size, strlen("punkt.example"));
    assert_memory_equal(server.data, "punkt.example", server.size);
    assert_int_equal(add_till(world, "S", "1", PROOF_CERTIFICATE), RESULT_IDENTITY_EXISTS);
    assert_int_equal(change_user(world, IDENTITY_ACT_REVOKE, "anna"), RESULT_DONE);
    assert_int_equal(change_till(world, IDENTITY_ACT_REVOKE, "S", "1"), RESULT_DONE);
    /* A name is never given again, a till's place is. */
    assert_int_equal(add_user(world, ROLE_OFFICE, "anna"), RESULT_IDENTITY_REVOKED);
    assert_int_equal(add_till(world, "S", "1", PROOF_CERTIFICATE), RESULT_DONE);
    assert_int_equal(world->reply.message.identity_add_answer.identity, till + 1);
    assert_int_equal(change_till(world, IDENTITY_ACT_SUSPEND, "S", "1"), RESULT_DONE);
    assert_int_equal(world->reply.message.identity_change_answer.identity, till + 1);
    assert_int_equal(status_of(world, till), IDENTITY_REVOKED);
}

static enum result add_certificate(struct service_world *world, const char *name,
                                   const struct ca_signed *certificate, uint64_t proof)
{
    struct msg_identity_add_request message;
    message_init(MESSAGE_identity_add_request, &message);
    message.role = ROLE_AUDITOR;
    message.name = code(name);
    message.proof = proof;
    message.certificate = (struct message_text){ certificate->pem, certificate->size };
    return service_call(world, OPERATION_IDENTITY_ADD, 0, &message);
}

/* A key is registered once, even if who had it is revoked. */
static void assert_key_once(void **state)
{
    struct service_world *world = *state;
    struct ca_signed certificate;
    struct evp_pkey_st *key = key_new();
    certificate_for(world, key, &certificate);
    assert_int_equal(add_certificate(world, "anna", &certificate, PROOF_PSK), RESULT_MALFORMED);
    assert_int_equal(add_certificate(world, "anna", &certificate, PROOF_CERTIFICATE), RESULT_DONE);
    assert_int_equal(world->reply.message.identity_add_answer.code.size, 0);
    assert_int_equal(world->reply.message.identity_add_answer.code_ends, 0);
    assert_int_equal(world->reply.message.identity_add_answer.enrol_port, 0);
    assert_int_equal(world->reply.message.identity_add_answer.server.size, 0);
    certificate_for(world, key, &certificate); /* another one for the same key */
    assert_int_equal(add_certificate(world, "otto", &certificate, PROOF_CERTIFICATE), RESULT_IDENTITY_EXISTS);
    assert_int_equal(change_user(world, IDENTITY_ACT_REVOKE, "anna"), RESULT_DONE);
    assert_int_equal(add_certificate(world, "otto", &certificate, PROOF_CERTIFICATE), RESULT_IDENTITY_EXISTS);
    certificate.size = 60; /* of its text */
    assert_int_equal(add_certificate(world, "otto", &certificate, PROOF_CERTIFICATE), RESULT_MALFORMED);
    assert_null(register_by_user(world->service, TEXT_LITERAL("otto")));
    key_free(key);
}

/* Years ago: it has ended. */
static void assert_ended_certificate(void **state)
{
    struct service_world *world = *state;
    uint8_t request[1024];
    struct ca_signed certificate;
    struct failure failure = { { 0 } };
    struct evp_pkey_st *key = key_new();
    struct text text = { (const char *)request, signing_request_of(key, request) };
    utc_us then = ledger_now(world->ledger) - 3 * 365 * US_PER_DAY;
    assert_int_equal(ca_sign(world->options.ca, text, "anna", then, &certificate, &failure), PUNKT_OK);
    assert_true(certificate.ends < ledger_now(world->ledger));
    assert_int_equal(add_certificate(world, "anna", &certificate, PROOF_CERTIFICATE), RESULT_MALFORMED);
    assert_detail(world, "the certificate has ended");
    key_free(key);
}

static void assert_full_register(void **state)
{
    struct service_world *world = *state;
    struct identity somebody = { .number = IDENTITY_FIRST, .status = IDENTITY_REVOKED };
    for (; somebody.number < IDENTITY_FIRST + REGISTER_MAX - 1; somebody.number++)
        register_take(world->service, &somebody);
    assert_int_equal(register_count(world->service), REGISTER_MAX - 1);
    register_take(world->service, &somebody);
    assert_int_equal(add_user(world, ROLE_OFFICE, "anna"), RESULT_OVER_LIMIT);
    assert_detail(world, "the register is full");
}

/* Without a CA that signs, or without a master, a code would lead nowhere. */
static void assert_not_set_up(void **state)
{
    struct service_world *world = *state;
    const struct ca *ca = world->options.ca;
    world->options.ca = NULL;
    uint16_t psk_port = world->options.psk_port;
    service_listens(world->service, 7443, 0, 7445);
    assert_int_equal(add_till(world, "S", "1", PROOF_PSK), RESULT_NOT_SET_UP);
    service_listens(world->service, 7443, psk_port, 7445);
    world->keys.psk_masters_known = 0;
    service_world_restart(world);
    assert_int_equal(add_user(world, ROLE_OFFICE, "anna"), RESULT_NOT_SET_UP);
    assert_int_equal(add_till(world, "S", "1", PROOF_PSK), RESULT_NOT_SET_UP);
    assert_int_equal(register_count(world->service), 0);
    world->options.ca = ca;
}

/* --- changing --- */

static void assert_suspended(void **state)
{
    struct service_world *world = *state;
    struct service_peer peer;
    uint64_t till = add_till_with_key(world, "S", "1", &peer);
    uint64_t one = come(world, &peer);
    uint64_t two = come(world, &peer);
    service_speak(world, 1);
    assert_int_equal(change_till(world, IDENTITY_ACT_RESUME, "S", "1"), RESULT_NOTHING_TO_DO);
    assert_int_equal(change_till(world, IDENTITY_ACT_SUSPEND, "S", "1"), RESULT_DONE);
    assert_int_equal(world->reply.message.identity_change_answer.closed, 2);
    assert_int_equal(world->reply.message.identity_change_answer.status, IDENTITY_SUSPENDED);
    assert_true(service_closed(world, one) && service_closed(world, two));
    assert_int_equal(register_role(world->service, till), ROLE_NONE);
    assert_shut_out(world, &peer, "suspended by the administrator");
    assert_int_equal(change_till(world, IDENTITY_ACT_SUSPEND, "S", "1"), RESULT_NOTHING_TO_DO);
    service_world_restart(world);
    assert_shut_out(world, &peer, "suspended by the administrator");
    assert_int_equal(change_till(world, IDENTITY_ACT_RESUME, "S", "1"), RESULT_DONE);
    assert_int_equal(world->reply.message.identity_change_answer.closed, 0);
    (void)come(world, &peer);
    assert_int_equal(ping(world), RESULT_DONE);
}

/* One that never enrolled is what it was before it was suspended. */
static void assert_suspended_before_enrolment(void **state)
{
    struct service_world *world = *state;
    assert_int_equal(add_user(world, ROLE_OFFICE, "anna"), RESULT_DONE);
    assert_int_equal(change_user(world, IDENTITY_ACT_SUSPEND, "anna"), RESULT_DONE);
    assert_int_equal(change_user(world, IDENTITY_ACT_RESUME, "anna"), RESULT_DONE);
    assert_int_equal(world->reply.message.identity_change_answer.status, IDENTITY_ADDED);
}

static void assert_revoked(void **state)
{
    struct service_world *world = *state;
    struct service_peer peer;
    (void)add_user_with_key(world, ROLE_SUPERVISOR, "anna", &peer);
    uint64_t conn = come(world, &peer);
    service_speak(world, 1);
    assert_int_equal(change_user(world, IDENTITY_ACT_REVOKE, "anna"), RESULT_DONE);
    assert_int_equal(world->reply.message.identity_change_answer.closed, 1);
    assert_true(service_closed(world, conn));
    assert_shut_out(world, &peer, "revoked by the administrator, for good");
    static const enum identity_act acts[] = { IDENTITY_ACT_SUSPEND, IDENTITY_ACT_RESUME, IDENTITY_ACT_REVOKE,
                                              IDENTITY_ACT_ROLE, IDENTITY_ACT_ROTATE };
    for (size_t i = 0; i < COUNT_OF(acts); i++)
        assert_int_equal(change_user(world, acts[i], "anna"), RESULT_IDENTITY_REVOKED);
}

/* What a shut-out connection still sends is not even read. */
static void assert_nothing_taken(void **state)
{
    struct service_world *world = *state;
    struct service_peer peer;
    struct frame frame = { .type = OPERATION_PING, .number = 1 };
    (void)add_user_with_key(world, ROLE_SUPERVISOR, "anna", &peer);
    uint64_t conn = come(world, &peer);
    service_speak(world, 1);
    assert_int_equal(change_user(world, IDENTITY_ACT_REVOKE, "anna"), RESULT_DONE);
    service_speak(world, conn);
    world->reply.come = false;
    assert_int_equal(service_frame(world->service, world->session, &frame), SERVICE_TAKEN);
    assert_false(world->reply.come);
    assert_true(service_is_idle(world->service));
}

/* An administrator may shut himself out: the answer comes first. */
static void assert_revokes_himself(void **state)
{
    struct service_world *world = *state;
    struct service_peer peer;
    (void)add_user_with_key(world, ROLE_ADMIN, "root", &peer);
    uint64_t other = come(world, &peer);
    uint64_t own = come(world, &peer);
    assert_int_equal(change_user(world, IDENTITY_ACT_REVOKE, "root"), RESULT_DONE);
    assert_int_equal(world->reply.message.identity_change_answer.closed, 2);
    assert_true(service_closed(world, other));
    assert_true(service_closed(world, own));
}

static enum result role(struct service_world *world, const char *name, uint64_t role)
{
    struct msg_identity_change_request message;
    message_init(MESSAGE_identity_change_request, &message);
    message.act = IDENTITY_ACT_ROLE;
    message.role = role;
    message.name = code(name);
    return service_call(world, OPERATION_IDENTITY_CHANGE, 0, &message);
}

static void assert_roles(void **state)
{
    struct service_world *world = *state;
    struct service_peer peer;
    uint64_t anna = add_user_with_key(world, ROLE_SUPERVISOR, "anna", &peer);
    uint64_t conn = come(world, &peer);
    service_speak(world, 1);
    assert_int_equal(role(world, "anna", ROLE_SUPERVISOR), RESULT_NOTHING_TO_DO);
    assert_int_equal(role(world, "anna", ROLE_NONE), RESULT_MALFORMED);
    assert_int_equal(role(world, "anna", ROLE_TILL), RESULT_MALFORMED);
    assert_int_equal(role(world, "otto", ROLE_OFFICE), RESULT_UNKNOWN_IDENTITY);
    assert_int_equal(role(world, "anna", ROLE_OFFICE), RESULT_DONE);
    assert_int_equal(world->reply.message.identity_change_answer.role, ROLE_OFFICE);
    assert_false(service_closed(world, conn)); /* it may something else from now on */
    assert_int_equal(register_role(world->service, anna), ROLE_OFFICE);
    struct msg_identity_change_request message;
    message_init(MESSAGE_identity_change_request, &message);
    message.act = IDENTITY_ACT_ROLE;
    message.role = ROLE_OFFICE;
    message.store = code("S");
    message.till = code("1");
    assert_int_equal(add_till(world, "S", "1", PROOF_CERTIFICATE), RESULT_DONE);
    assert_int_equal(service_call(world, OPERATION_IDENTITY_CHANGE, 0, &message), RESULT_MALFORMED);
}

static void assert_change_malformed(void **state)
{
    struct service_world *world = *state;
    struct msg_identity_change_request message;
    assert_int_equal(add_user(world, ROLE_OFFICE, "anna"), RESULT_DONE);
    message_init(MESSAGE_identity_change_request, &message);
    message.name = code("anna");
    assert_int_equal(service_call(world, OPERATION_IDENTITY_CHANGE, 0, &message),
                     RESULT_MALFORMED); /* no act */
    message.act = IDENTITY_ACT_SUSPEND;
    message.till = code("1");
    assert_int_equal(service_call(world, OPERATION_IDENTITY_CHANGE, 0, &message), RESULT_MALFORMED);
    message.name = code("");
    assert_int_equal(service_call(world, OPERATION_IDENTITY_CHANGE, 0, &message), RESULT_MALFORMED);
    message.store = code("S");
    assert_int_equal(service_call(world, OPERATION_IDENTITY_CHANGE, 0, &message), RESULT_UNKNOWN_IDENTITY);
}

/* A certificate of another CA for a new key: the old one is over at once. */
static void assert_rotated_by_certificate(void **state)
{
    struct service_world *world = *state;
    struct service_peer before;
    struct ca_signed certificate;
    struct evp_pkey_st *key = key_new();
    uint64_t anna = add_user_with_key(world, ROLE_OFFICE, "anna", &before);
    uint64_t conn = come(world, &before);
    service_speak(world, 1);
    uint64_t late = service_join(world, &before); /* has not said hello yet */
    service_speak(world, 1);
    certificate_for(world, key, &certificate);
    key_free(key);
    struct msg_identity_change_request message;
    message_init(MESSAGE_identity_change_request, &message);
    message.act = IDENTITY_ACT_ROTATE;
    message.name = code("anna");
    message.certificate = (struct message_text){ certificate.pem, certificate.size };
    assert_int_equal(service_call(world, OPERATION_IDENTITY_CHANGE, 0, &message), RESULT_DONE);
    assert_int_equal(world->reply.message.identity_change_answer.closed, 1);
    assert_int_equal(world->reply.message.identity_change_answer.code.size, 0);
    assert_true(service_closed(world, conn));
    assert_shut_out(world, &before, "this key is not in the register of tills and users");
    service_speak(world, late);
    assert_int_equal(service_hello(world, ACTS_LANE), RESULT_NOT_PERMITTED);
    assert_detail(world, "this key was replaced by another");
    struct service_peer after = peer_with(&certificate);
    (void)come(world, &after);
    assert_int_equal(world->reply.message.hello_answer.identity, anna);
    service_speak(world, 1);
    assert_int_equal(service_call(world, OPERATION_IDENTITY_CHANGE, 0, &message), RESULT_IDENTITY_EXISTS);
}

/* --- the list --- */

static uint64_t list(struct service_world *world, uint64_t kind, const char *name, const char *store,
                     const char *till)
{
    struct msg_identity_list_request message;
    message_init(MESSAGE_identity_list_request, &message);
    message.kind = kind;
    message.name = code(name);
    message.store = code(store);
    message.till = code(till);
    assert_int_equal(service_call(world, OPERATION_IDENTITY_LIST, 0, &message), RESULT_DONE);
    return world->reply.message.identity_list_answer.entries_count;
}

static void assert_listed(void **state)
{
    struct service_world *world = *state;
    const struct msg_identity_list_answer *answer = &world->reply.message.identity_list_answer;
    struct service_peer peer;
    (void)add_user_with_key(world, ROLE_OFFICE, "anna", &peer);
    assert_int_equal(add_till(world, "S", "1", PROOF_PSK), RESULT_DONE);
    uint64_t code_ends = world->reply.message.identity_add_answer.code_ends;
    assert_int_equal(add_till(world, "S", "2", PROOF_CERTIFICATE), RESULT_DONE);
    assert_int_equal(add_till(world, "T", "1", PROOF_CERTIFICATE), RESULT_DONE);
    (void)come(world, &peer);
    service_speak(world, 1);
    assert_int_equal(list(world, 0, "", "", ""), 4);
    assert_int_equal(answer->next, 0);
    assert_int_equal(answer->entries[0].status, IDENTITY_ACTIVE);
    assert_int_equal(answer->entries[0].connections, 1);
    assert_memory_equal(answer->entries[0].key.data, peer.key, sizeof(peer.key));
    assert_int_equal(answer->entries[0].key_ends, peer.key_ends);
    assert_int_equal(answer->entries[0].key_version, 1);
    assert_int_equal(answer->entries[0].code_ends, 0);
    assert_int_equal(answer->entries[1].status, IDENTITY_ADDED);
    assert_int_equal(answer->entries[1].proof, PROOF_PSK);
    assert_int_equal(answer->entries[1].enrolled, 0);
    assert_int_equal(answer->entries[1].key.size, 0);
    assert_int_equal(answer->entries[1].code_ends, code_ends);
    assert_int_equal(list(world, 1, "", "", ""), 3);
    assert_int_equal(list(world, 2, "", "", ""), 1);
    assert_int_equal(list(world, 0, "anna", "", ""), 1);
    assert_int_equal(list(world, 0, "", "S", ""), 2);
    assert_int_equal(list(world, 0, "", "S", "2"), 1);
    assert_int_equal(list(world, 0, "", "", "1"), 2);
    assert_int_equal(list(world, 0, "otto", "", ""), 0);
}

static void assert_pages(void **state)
{
    struct service_world *world = *state;
    const struct msg_identity_list_answer *answer = &world->reply.message.identity_list_answer;
    for (uint32_t i = 0; i < 201; i++) {
        char till[8];
        snprintf(till, sizeof(till), "%u", i);
        assert_int_equal(add_till(world, "S", till, PROOF_PSK), RESULT_DONE);
    }
    assert_int_equal(list(world, 0, "", "", ""), 200);
    assert_int_equal(answer->next, IDENTITY_FIRST + 200);
    struct msg_identity_list_request message;
    message_init(MESSAGE_identity_list_request, &message);
    message.from = answer->next;
    assert_int_equal(service_call(world, OPERATION_IDENTITY_LIST, 0, &message), RESULT_DONE);
    assert_int_equal(answer->entries_count, 1);
    assert_int_equal(answer->entries[0].identity, IDENTITY_FIRST + 200);
    assert_int_equal(answer->next, 0);
}

#define A_TEST(name) cmocka_unit_test_setup_teardown(name, identity_set_up, identity_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        A_TEST(assert_added),
        A_TEST(assert_names_refused),
        A_TEST(assert_once),
        A_TEST(assert_key_once),
        A_TEST(assert_ended_certificate),
        A_TEST(assert_full_register),
        A_TEST(assert_not_set_up),
        A_TEST(assert_suspended),
        A_TEST(assert_suspended_before_enrolment),
        A_TEST(assert_revoked),
        A_TEST(assert_nothing_taken),
        A_TEST(assert_revokes_himself),
        A_TEST(assert_roles),
        A_TEST(assert_change_malformed),
        A_TEST(assert_rotated_by_certificate),
        A_TEST(assert_listed),
        A_TEST(assert_pages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
