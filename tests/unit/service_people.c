#include "service_people.h"

#include <string.h>

void change_identity(struct service_world *world, enum identity_act act, const struct identity *after)
{
    struct event event = { .type = EVENT_IDENTITY,
                           .time = ledger_now(world->ledger),
                           .day = today(world->service),
                           .identity = { .act = act, .after = *after } };
    event.occurred = event.time;
    while (!ledger_has_room(world->ledger))
        service_turns(world);
    append_own(world->service, &event);
    register_take(world->service, after);
    ledger_turn_end(world->ledger);
}

static void key_of(uint64_t number, uint8_t out[32])
{
    memset(out, 0xA5, 32);
    memcpy(out, &number, sizeof(number));
}

static uint64_t add(struct service_world *world, struct identity *identity)
{
    identity->number = IDENTITY_FIRST + register_count(world->service);
    identity->status = IDENTITY_ACTIVE;
    identity->added = identity->enrolled = ledger_now(world->ledger);
    identity->key_version = 1;
    key_of(identity->number, identity->key);
    change_identity(world, IDENTITY_ACT_ADD, identity);
    return identity->number;
}

uint64_t add_user(struct service_world *world, enum role role, const char *name)
{
    struct identity user = { .role = role, .name = text_of(name) };
    return add(world, &user);
}

uint64_t add_till(struct service_world *world, const char *store, const char *till)
{
    struct identity identity = { .role = ROLE_TILL, .store = text_of(store), .till = text_of(till) };
    return add(world, &identity);
}

uint64_t join_as(struct service_world *world, uint64_t identity, uint64_t epoch)
{
    struct service_peer peer = { .proof = SERVICE_PROOF_CERTIFICATE, .source = "192.0.2.1" };
    key_of(identity, peer.key);
    uint64_t conn = service_join(world, &peer);
    assert_int_equal(service_hello(world, epoch), RESULT_DONE);
    assert_int_equal(world->session->identity, identity);
    return conn;
}

void assert_detail(const struct service_world *world, const char *want)
{
    struct message_text got = world->reply.message.refusal.detail;
    assert_int_not_equal(world->reply.result, RESULT_DONE);
    assert_int_equal(got.size, strlen(want));
    assert_memory_equal(got.data, want, got.size);
}
