/*
 * Who may connect and how often, whose requests may be named, and what is counted of those who are refused.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "identity_acts.h"
#include "service_acts.h"

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
    assert_shut_out(world, &peer, why);
    peer.unix_socket = false; /* by loopback: everyone on this machine */
    (void)come(world, &peer);
}

static void assert_unknown_key(void **state)
{
    struct service_world *world = *state;
    struct service_peer peer = { .proof = SERVICE_PROOF_CERTIFICATE, .key = { 1 }, .source = "192.0.2.1" };
    assert_shut_out(world, &peer, "this key is not in the register of tills and users");
    memset(peer.key, 0, sizeof(peer.key)); /* those who have none are not found by none */
    assert_int_equal(add_user(world, ROLE_ADMIN, "anna"), RESULT_DONE);
    assert_shut_out(world, &peer, "this key is not in the register of tills and users");
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
    assert_int_equal(service_hello(world, ACTS_LANE), RESULT_DONE);
    assert_int_equal(service_call(world, OPERATION_ENROL, 0, &message), RESULT_NOT_PERMITTED);
    service_speak(world, 1);
    assert_int_equal(service_call(world, OPERATION_ENROL, 0, &message), RESULT_NOT_PERMITTED);
}

/* A till has what was not answered in its outbox, and sends it again when it has another certificate. */
static void assert_certificate_ends(void **state)
{
    struct service_world *world = *state;
    struct service_peer peer;
    (void)add_user_with_key(world, ROLE_ADMIN, "anna", &peer);
    peer.key_ends = ledger_now(world->ledger) - 1;
    assert_shut_out(world, &peer, "the certificate has ended");
    peer.key_ends = ledger_now(world->ledger) + INT64_C(3600) * US_PER_SECOND;
    uint64_t conn = come(world, &peer);
    assert_int_equal(ping(world), RESULT_DONE);
    world->session->key_ends = ledger_now(world->ledger); /* an hour later */
    const struct frame frame = { .type = OPERATION_PING, .number = 1000 };
    world->reply.come = false;
    assert_int_equal(service_frame(world->service, world->session, &frame), SERVICE_TAKEN);
    (void)service_turn(world->service);
    assert_false(world->reply.come);
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
    assert_int_equal(service_hello(world, ACTS_LANE), RESULT_DONE);
    assert_int_equal(service_hello(world, ACTS_LANE + 1),
                     RESULT_DONE); /* another lane: no other connection */
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
    assert_int_equal(service_hello(world, ACTS_LANE), RESULT_RATE);
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
    message.epoch = ACTS_LANE;
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
    message.epoch = ACTS_LANE;
    message.number = number;
    assert_int_equal(service_call(world, OPERATION_STATUS, 0, &message), RESULT_DONE);
    return world->reply.message.status_answer.state;
}

static uint64_t last_of(struct service_world *world, uint64_t identity)
{
    struct msg_day_numbers_request message;
    message_init(MESSAGE_day_numbers_request, &message);
    message.identity = identity;
    message.epoch = ACTS_LANE;
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
    (void)service_turn(world->service);
    ledger_turn_end(world->ledger);
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
        assert_shut_out(world, &stranger, "this key is not in the register of tills and users");
    for (uint32_t i = 0; i < 5; i++)
        service_proof_refused(world->service, &nobody, "no certificate");
    assert_int_equal(attempts(world), 2); /* one of each source */
    const struct msg_audit_entry *entries = world->reply.message.audit_log_answer.entries;
    assert_non_null(memmem(entries[0].detail.data, entries[0].detail.size, "192.0.2.7", 9));
    assert_non_null(memmem(entries[1].detail.data, entries[1].detail.size, "192.0.2.8", 9));
    assert_non_null(memmem(entries[1].detail.data, entries[1].detail.size, "5", 1));
}

#define A_TEST(name) cmocka_unit_test_setup_teardown(name, identity_set_up, identity_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        A_TEST(assert_unix_socket),      A_TEST(assert_unknown_key),      A_TEST(assert_hello_first),
        A_TEST(assert_certificate_ends), A_TEST(assert_till_connections), A_TEST(assert_other_connections),
        A_TEST(assert_lanes_apart),      A_TEST(assert_of_others),        A_TEST(assert_attempts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
