/*
 * The register as the administrator keeps it, every act and every reason not to; and who may say hello afterwards.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "identity_acts.h"
#include "service_acts.h"

#define LANE 5

static int set_up(void **state)
{
    *state = identity_world_new();
    return 0;
}

static int tear_down(void **state)
{
    identity_world_free(*state);
    return 0;
}

static enum result ping(struct service_world *world)
{
    struct msg_ping_request message;
    message_init(MESSAGE_ping_request, &message);
    return service_call(world, OPERATION_PING, 0, &message);
}

/* Comes and says hello; the connection is spoken over. */
static uint64_t come(struct service_world *world, const struct service_peer *peer)
{
    uint64_t conn = service_join(world, peer);
    assert_int_equal(service_hello(world, LANE), RESULT_DONE);
    return conn;
}

/* Comes, is refused with these words, and is closed. */
static void assert_refused(struct service_world *world, const struct service_peer *peer, const char *why)
{
    uint64_t back = world->conn;
    uint64_t conn = service_join(world, peer);
    assert_int_equal(service_hello(world, LANE), RESULT_NOT_PERMITTED);
    assert_detail(world, why);
    assert_true(service_closed(world, conn));
    service_speak(world, back);
    service_leave(world, conn);
}

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
    certificate_for(world, key, &certificate); /* another one for the same key */
    assert_int_equal(add_certificate(world, "otto", &certificate, PROOF_CERTIFICATE), RESULT_IDENTITY_EXISTS);
    assert_int_equal(change_user(world, IDENTITY_ACT_REVOKE, "anna"), RESULT_DONE);
    assert_int_equal(add_certificate(world, "otto", &certificate, PROOF_CERTIFICATE), RESULT_IDENTITY_EXISTS);
    certificate.size = 60; /* of its text */
    assert_int_equal(add_certificate(world, "otto", &certificate, PROOF_CERTIFICATE), RESULT_MALFORMED);
    assert_null(register_by_user(world->service, TEXT_LITERAL("otto")));
    key_free(key);
}

/* Without a CA that signs, or without a master, a code would lead nowhere. */
static void assert_not_set_up(void **state)
{
    struct service_world *world = *state;
    const struct ca *ca = world->options.ca;
    world->options.ca = NULL;
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
    assert_refused(world, &peer, "suspended by the administrator");
    assert_int_equal(change_till(world, IDENTITY_ACT_SUSPEND, "S", "1"), RESULT_NOTHING_TO_DO);
    service_world_restart(world);
    assert_refused(world, &peer, "suspended by the administrator");
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
    assert_refused(world, &peer, "revoked by the administrator, for good");
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
    assert_refused(world, &before, "this key is not in the register of tills and users");
    service_speak(world, late);
    assert_int_equal(service_hello(world, LANE), RESULT_NOT_PERMITTED);
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

/* --- who may connect --- */

static void assert_unix_socket(void **state)
{
    struct service_world *world = *state;
    struct service_peer peer = { .proof = SERVICE_PROOF_LOCAL, .unix_socket = true, .source = "unix" };
    static const char why[] =
        "this socket is for root, the daemon's own user and `admins` of its configuration";
    world->options.uid_count = 1;
    world->options.uids[0] = 4242;
    service_world_restart(world);
    uint32_t allowed[] = { 0, (uint32_t)geteuid(), 4242 };
    for (size_t i = 0; i < COUNT_OF(allowed); i++) {
        peer.uid = allowed[i];
        (void)come(world, &peer);
        assert_int_equal(world->reply.message.hello_answer.identity, IDENTITY_LOCAL);
    }
    peer.uid = 4243;
    assert_refused(world, &peer, why);
    peer.unix_socket = false; /* by loopback: everyone on this machine */
    (void)come(world, &peer);
}

static void assert_unknown_key(void **state)
{
    struct service_world *world = *state;
    struct service_peer peer = { .proof = SERVICE_PROOF_CERTIFICATE, .key = { 1 }, .source = "192.0.2.1" };
    assert_refused(world, &peer, "this key is not in the register of tills and users");
    memset(peer.key, 0, sizeof(peer.key)); /* those who have none are not found by none */
    assert_int_equal(add_user(world, ROLE_ADMIN, "anna"), RESULT_DONE);
    assert_refused(world, &peer, "this key is not in the register of tills and users");
}

/* Nothing before hello, and no enrolment without a code. */
static void assert_hello_first(void **state)
{
    struct service_world *world = *state;
    struct service_peer peer;
    struct msg_enrol_request message;
    (void)add_user_with_key(world, ROLE_ADMIN, "anna", &peer);
    (void)service_join(world, &peer);
    assert_int_equal(ping(world), RESULT_HELLO_FIRST);
    message_init(MESSAGE_enrol_request, &message);
    message.version_min = message.version_max = 1;
    assert_int_equal(service_call(world, OPERATION_ENROL, 0, &message), RESULT_NOT_PERMITTED);
    assert_int_equal(service_hello(world, LANE), RESULT_DONE);
    assert_int_equal(service_call(world, OPERATION_ENROL, 0, &message), RESULT_NOT_PERMITTED);
    service_speak(world, 1);
    assert_int_equal(service_call(world, OPERATION_ENROL, 0, &message), RESULT_NOT_PERMITTED);
}

static void assert_certificate_ends(void **state)
{
    struct service_world *world = *state;
    struct service_peer peer;
    (void)add_user_with_key(world, ROLE_ADMIN, "anna", &peer);
    peer.key_ends = ledger_now(world->ledger) - 1;
    assert_refused(world, &peer, "the certificate has ended");
    peer.key_ends = ledger_now(world->ledger) + INT64_C(3600) * US_PER_SECOND;
    uint64_t conn = come(world, &peer);
    assert_int_equal(ping(world), RESULT_DONE);
    world->session->key_ends = ledger_now(world->ledger); /* an hour later */
    assert_int_equal(ping(world), RESULT_NOT_PERMITTED);
    assert_detail(world, "the certificate has ended");
    assert_true(service_closed(world, conn));
}

/* Two connections of a till: the newest win, as soon as they have said hello. */
static void assert_till_connections(void **state)
{
    struct service_world *world = *state;
    struct service_peer peer;
    uint64_t conns[4];
    uint64_t till = add_till_with_key(world, "S", "1", &peer);
    conns[0] = come(world, &peer);
    conns[1] = come(world, &peer);
    conns[2] = service_join(world, &peer);
    assert_false(service_closed(world, conns[0]));
    assert_int_equal(service_hello(world, LANE), RESULT_DONE);
    assert_int_equal(service_hello(world, LANE + 1), RESULT_DONE); /* another lane: no other connection */
    assert_true(service_closed(world, conns[0]));
    assert_false(service_closed(world, conns[1]));
    conns[3] = come(world, &peer);
    assert_true(service_closed(world, conns[1]));
    assert_false(service_closed(world, conns[2]));
    assert_int_equal(register_by_number(world->service, till)->connections, 2);
    service_leave(world, conns[0]);
    service_leave(world, conns[1]);
    service_leave(world, conns[2]);
    assert_int_equal(register_by_number(world->service, till)->connections, 1);
}

/* So many of another identity: one more is refused until one goes. The local administrator has no limit. */
static void assert_other_connections(void **state)
{
    struct service_world *world = *state;
    struct service_peer peer;
    static const struct service_peer local = { .proof = SERVICE_PROOF_LOCAL, .source = "here" };
    world->options.limits.other_connections = 3;
    service_world_restart(world);
    (void)add_user_with_key(world, ROLE_OFFICE, "anna", &peer);
    uint64_t first = come(world, &peer);
    (void)come(world, &peer);
    (void)come(world, &peer);
    uint64_t refused = service_join(world, &peer);
    assert_int_equal(service_hello(world, LANE), RESULT_RATE);
    assert_true(service_closed(world, refused));
    assert_false(service_closed(world, first));
    service_leave(world, first);
    (void)come(world, &peer);
    for (uint32_t i = 0; i < 5; i++)
        (void)come(world, &local);
}

/* Two identities have lanes of their own, also with the same epoch. */
static void assert_lanes_apart(void **state)
{
    struct service_world *world = *state;
    struct service_peer anna;
    struct service_peer otto;
    (void)add_user_with_key(world, ROLE_ADMIN, "anna", &anna);
    (void)add_user_with_key(world, ROLE_ADMIN, "otto", &otto);
    uint64_t one = come(world, &anna);
    (void)come(world, &otto);
    assert_int_equal(add_user(world, ROLE_OFFICE, "ida"), RESULT_DONE);
    assert_int_equal(world->reply.number, 1);
    service_speak(world, one);
    assert_int_equal(add_user(world, ROLE_OFFICE, "eva"), RESULT_DONE);
    assert_int_equal(world->reply.number, 1);
}

/* --- requests of others --- */

static enum result undo(struct service_world *world, uint64_t identity, uint64_t number)
{
    struct msg_reversal_request message;
    message_init(MESSAGE_reversal_request, &message);
    message.identity = identity;
    message.epoch = LANE;
    message.number = number;
    message.store = code("S1");
    message.till = code("1");
    return service_call(world, OPERATION_REVERSAL, 0, &message);
}

static uint64_t state_of(struct service_world *world, uint64_t identity, uint64_t number)
{
    struct msg_status_request message;
    message_init(MESSAGE_status_request, &message);
    message.identity = identity;
    message.epoch = LANE;
    message.number = number;
    assert_int_equal(service_call(world, OPERATION_STATUS, 0, &message), RESULT_DONE);
    return world->reply.message.status_answer.state;
}

static uint64_t last_of(struct service_world *world, uint64_t identity)
{
    struct msg_day_numbers_request message;
    message_init(MESSAGE_day_numbers_request, &message);
    message.identity = identity;
    message.epoch = LANE;
    assert_int_equal(service_call(world, OPERATION_DAY_NUMBERS, 0, &message), RESULT_DONE);
    return world->reply.message.day_numbers_answer.last;
}

/* Two lanes of one epoch: what is named is that of whom it is named of. */
static void assert_of_others(void **state)
{
    struct service_world *world = *state;
    struct service_peer anna;
    struct service_peer otto;
    uint64_t office = add_user_with_key(world, ROLE_OFFICE, "anna", &anna);
    uint64_t supervisor = add_user_with_key(world, ROLE_SUPERVISOR, "otto", &otto);
    uint64_t hers = come(world, &anna);
    (void)issue(world, "1001");
    (void)buy(world, "1001", 5000, "S1", "17", false);
    uint64_t his = come(world, &otto);
    assert_int_equal(last_of(world, 0), 0);
    assert_int_equal(last_of(world, office), 2);
    assert_int_equal(state_of(world, 0, 2), 0);
    assert_int_equal(state_of(world, office, 2), 1);
    /* His number 2 has not come yet, hers is undone. */
    assert_int_equal(undo(world, office, 2), RESULT_DONE);
    assert_int_equal(world->reply.message.reversal_answer.outcome, 1);
    assert_int_equal(world->reply.message.reversal_answer.taken, 50);
    assert_int_equal(undo(world, office, 2), RESULT_DONE); /* as it was answered first */
    assert_int_equal(world->reply.message.reversal_answer.outcome, 1);
    /* The number of this very request, but of her: it was never seen, and will be refused. */
    assert_int_equal(undo(world, office, 3), RESULT_DONE);
    assert_int_equal(world->reply.message.reversal_answer.outcome, 3);
    assert_int_equal(undo(world, supervisor, 4), RESULT_DOES_NOT_MATCH); /* this very request */
    assert_int_equal(undo(world, supervisor + 1, 1), RESULT_UNKNOWN_IDENTITY);
    service_speak(world, hers);
    struct msg_purchase_request late;
    message_init(MESSAGE_purchase_request, &late);
    late.card = code("1001");
    late.receipt = code("18");
    late.amount = 100;
    late.store = code("S1");
    late.till = code("1");
    assert_int_equal(service_call(world, OPERATION_PURCHASE, 0, &late), RESULT_WILL_BE_REFUSED);
    service_speak(world, his);
    assert_int_equal(state_of(world, 0, 5), 2);
}

/* --- what the audit log says of those who were refused --- */

static uint64_t attempts(struct service_world *world)
{
    struct msg_audit_log_request message;
    message_init(MESSAGE_audit_log_request, &message);
    message.kind = code("attempts");
    message.limit = 200;
    service_end(world->service);
    service_speak(world, 1);
    assert_int_equal(service_call(world, OPERATION_AUDIT_LOG, 0, &message), RESULT_DONE);
    return world->reply.message.audit_log_answer.entries_count;
}

static void assert_attempts(void **state)
{
    struct service_world *world = *state;
    struct service_peer stranger = { .proof = SERVICE_PROOF_CERTIFICATE,
                                     .key = { 9 },
                                     .source = "192.0.2.7" };
    struct service_peer nobody = { .proof = SERVICE_PROOF_CERTIFICATE, .source = "192.0.2.8" };
    for (uint32_t i = 0; i < 3; i++)
        assert_refused(world, &stranger, "this key is not in the register of tills and users");
    for (uint32_t i = 0; i < 5; i++)
        service_proof_refused(world->service, &nobody, "no certificate");
    assert_int_equal(attempts(world), 2); /* one of each source */
    const struct msg_audit_entry *entries = world->reply.message.audit_log_answer.entries;
    assert_non_null(memmem(entries[0].detail.data, entries[0].detail.size, "192.0.2.7", 9));
    assert_non_null(memmem(entries[1].detail.data, entries[1].detail.size, "192.0.2.8", 9));
    assert_non_null(memmem(entries[1].detail.data, entries[1].detail.size, "5", 1));
}

#define A_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        A_TEST(assert_added),
        A_TEST(assert_names_refused),
        A_TEST(assert_once),
        A_TEST(assert_key_once),
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
        A_TEST(assert_unix_socket),
        A_TEST(assert_unknown_key),
        A_TEST(assert_hello_first),
        A_TEST(assert_certificate_ends),
        A_TEST(assert_till_connections),
        A_TEST(assert_other_connections),
        A_TEST(assert_lanes_apart),
        A_TEST(assert_of_others),
        A_TEST(assert_attempts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
