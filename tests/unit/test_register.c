/*
 * The register in memory: found by whatever names an entry, also by what it is named by now and no longer by what it was;
 * the same after a restart.
 */
#include <stdio.h>
#include <string.h>

#include "ledger/fold.h"
#include "service_world.h"

/* As an operation does it. */
static void change(struct service_world *world, enum identity_act act, const struct identity *after)
{
    struct service *service = world->service;
    struct event event = { .type = EVENT_IDENTITY,
                           .time = ledger_now(world->ledger),
                           .day = today(service),
                           .identity = { .act = act, .after = *after } };
    event.occurred = event.time;
    while (!ledger_has_room(world->ledger))
        service_turns(world);
    append_own(service, &event);
    ledger_turn_end(world->ledger);
}

static uint64_t next_number(const struct service_world *world)
{
    return IDENTITY_FIRST + register_count(world->service);
}

static struct identity a_user(struct service_world *world, const char *name)
{
    return (struct identity){ .number = next_number(world),
                              .role = ROLE_OFFICE,
                              .status = IDENTITY_ACTIVE,
                              .name = text_of(name),
                              .added = ledger_now(world->ledger) };
}

static struct identity a_till(struct service_world *world, const char *store, const char *till)
{
    return (struct identity){ .number = next_number(world),
                              .role = ROLE_TILL,
                              .status = IDENTITY_ACTIVE,
                              .store = text_of(store),
                              .till = text_of(till),
                              .added = ledger_now(world->ledger) };
}

static uint64_t number_of(const struct registered *who)
{
    return who != NULL ? who->identity.number : 0;
}

static uint64_t by_user(const struct service_world *world, const char *name)
{
    return number_of(register_by_user(world->service, text_of(name)));
}

static uint64_t by_till(const struct service_world *world, const char *store, const char *till)
{
    return number_of(register_by_till(world->service, text_of(store), text_of(till)));
}

static void assert_empty(void **state)
{
    struct service_world *world = service_world_new(NULL);
    static const uint8_t none[32];
    (void)state;
    assert_int_equal(register_count(world->service), 0);
    assert_null(register_by_number(world->service, 0));
    assert_null(register_by_number(world->service, IDENTITY_LOCAL));
    assert_null(register_by_number(world->service, IDENTITY_FIRST));
    assert_null(register_by_number(world->service, UINT64_MAX));
    assert_null(register_by_key(world->service, none));
    assert_null(register_by_code(world->service, 0));
    assert_int_equal(by_user(world, ""), 0);
    assert_int_equal(by_user(world, "anna"), 0);
    assert_int_equal(by_till(world, "", ""), 0);
    assert_int_equal(register_role(world->service, 0), ROLE_NONE);
    assert_int_equal(register_role(world->service, IDENTITY_LOCAL), ROLE_ADMIN);
    assert_int_equal(register_role(world->service, IDENTITY_FIRST), ROLE_NONE);
    service_world_free(world);
}

static void assert_finders(void **state)
{
    struct service_world *world = service_world_new(NULL);
    (void)state;
    struct identity anna = a_user(world, "anna");
    anna.key[31] = 7;
    anna.code_handle = 99;
    change(world, IDENTITY_ACT_ADD, &anna);
    struct identity till = a_till(world, "0042", "3");
    change(world, IDENTITY_ACT_ADD, &till);
    const struct registered *kept = register_by_number(world->service, anna.number);
    assert_int_equal(by_user(world, "anna"), anna.number);
    assert_int_equal(by_till(world, "0042", "3"), till.number);
    assert_int_equal(by_till(world, "00423", ""), 0);
    assert_int_equal(by_till(world, "0", "0423"), 0);
    assert_ptr_equal(register_by_key(world->service, anna.key), kept);
    assert_ptr_equal(register_by_code(world->service, 99), kept);
    /* Another key and no code: what was is forgotten. */
    uint8_t before[32];
    memcpy(before, anna.key, sizeof(before));
    anna.key[0] = 1;
    anna.code_handle = 0;
    change(world, IDENTITY_ACT_ENROL, &anna);
    assert_null(register_by_key(world->service, before));
    assert_null(register_by_code(world->service, 99));
    assert_ptr_equal(register_by_key(world->service, anna.key), kept);
    /* And back to the first. */
    memcpy(anna.key, before, sizeof(before));
    change(world, IDENTITY_ACT_ENROL, &anna);
    assert_ptr_equal(register_by_key(world->service, before), kept);
    service_world_free(world);
}

static void assert_roles(void **state)
{
    struct service_world *world = service_world_new(NULL);
    (void)state;
    struct identity anna = a_user(world, "anna");
    change(world, IDENTITY_ACT_ADD, &anna);
    assert_int_equal(register_role(world->service, anna.number), ROLE_OFFICE);
    static const enum identity_status nothing[] = { IDENTITY_ADDED, IDENTITY_SUSPENDED, IDENTITY_REVOKED };
    for (size_t i = 0; i < COUNT_OF(nothing); i++) {
        anna.status = nothing[i];
        change(world, nothing[i] == IDENTITY_REVOKED ? IDENTITY_ACT_REVOKE : IDENTITY_ACT_SUSPEND, &anna);
        assert_int_equal(register_role(world->service, anna.number), ROLE_NONE);
    }
    service_world_free(world);
}

/* The place of a revoked till can be had again; its old entry is still there. */
static void assert_place_again(void **state)
{
    struct service_world *world = service_world_new(NULL);
    (void)state;
    struct identity first = a_till(world, "S", "1");
    change(world, IDENTITY_ACT_ADD, &first);
    first.status = IDENTITY_REVOKED;
    change(world, IDENTITY_ACT_REVOKE, &first);
    assert_int_equal(by_till(world, "S", "1"), first.number);
    struct identity second = a_till(world, "S", "1");
    change(world, IDENTITY_ACT_ADD, &second);
    assert_int_equal(by_till(world, "S", "1"), second.number);
    second.status = IDENTITY_REVOKED;
    change(world, IDENTITY_ACT_REVOKE, &second);
    assert_int_equal(by_till(world, "S", "1"), second.number);
    assert_int_equal(register_by_number(world->service, first.number)->identity.status, IDENTITY_REVOKED);
    service_world_free(world);
}

static void assert_name(const struct service_world *world, uint64_t identity, const char *name)
{
    struct actor_name got = actor_name(world->service, identity);
    assert_string_equal(got.text, name);
}

static void assert_names(void **state)
{
    struct service_world *world = service_world_new(NULL);
    (void)state;
    struct identity anna = a_user(world, "anna");
    change(world, IDENTITY_ACT_ADD, &anna);
    struct identity till =
        a_till(world, "12345678901234567890123456789012", "a/567890123456789012345678901234");
    change(world, IDENTITY_ACT_ADD, &till);
    assert_name(world, 0, "server");
    assert_name(world, IDENTITY_LOCAL, "local");
    assert_name(world, anna.number, "anna");
    assert_name(world, till.number, "12345678901234567890123456789012/a/567890123456789012345678901234");
    assert_name(world, 17, "identity 17");
    assert_int_equal(actor_by_name(world->service, TEXT_LITERAL("local")), IDENTITY_LOCAL);
    assert_int_equal(actor_by_name(world->service, TEXT_LITERAL("anna")), anna.number);
    assert_int_equal(actor_by_name(world->service, text_of(actor_name(world->service, till.number).text)),
                     till.number);
    assert_int_equal(actor_by_name(world->service, TEXT_LITERAL("otto")), 0);
    assert_int_equal(actor_by_name(world->service, TEXT_LITERAL("S/1")), 0);
    assert_int_equal(actor_by_name(world->service, TEXT_LITERAL("")), 0);
    service_world_free(world);
}

#define MANY 1000

static void key_for(uint32_t i, uint32_t version, uint8_t out[32])
{
    memset(out, 0, 32);
    memcpy(out, &i, sizeof(i));
    memcpy(out + 4, &version, sizeof(version));
    out[31] = 1;
}

static void assert_many(struct service_world *world, const uint32_t *versions)
{
    for (uint32_t i = 0; i < MANY; i++) {
        uint8_t key[32];
        char name[16];
        key_for(i, versions[i], key);
        snprintf(name, sizeof(name), "user%u", i);
        struct registered *who = register_by_number(world->service, IDENTITY_FIRST + i);
        assert_non_null(who);
        assert_ptr_equal(register_by_user(world->service, text_of(name)), who);
        assert_ptr_equal(register_by_key(world->service, key), who);
        assert_ptr_equal(register_by_code(world->service, i + 1 + versions[i] * MANY), who);
        for (uint32_t version = 0; version < versions[i]; version++) {
            key_for(i, version, key);
            assert_null(register_by_key(world->service, key));
            assert_null(register_by_code(world->service, i + 1 + version * MANY));
        }
    }
}

/* Many, each with another key now and then, so that the tables are made anew often; then a restart. */
static void assert_grows(void **state)
{
    struct service_world *world = service_world_new(NULL);
    static uint32_t versions[MANY];
    (void)state;
    for (uint32_t i = 0; i < MANY; i++) {
        char name[16];
        snprintf(name, sizeof(name), "user%u", i);
        struct identity user = a_user(world, name);
        user.code_handle = i + 1;
        key_for(i, 0, user.key);
        change(world, IDENTITY_ACT_ADD, &user);
    }
    for (uint32_t turn = 0; turn < 3 * MANY; turn++) {
        uint32_t i = turn * 7919 % MANY;
        struct identity user = register_by_number(world->service, IDENTITY_FIRST + i)->identity;
        versions[i]++;
        user.code_handle = i + 1 + versions[i] * MANY;
        key_for(i, versions[i], user.key);
        change(world, IDENTITY_ACT_ENROL, &user);
    }
    assert_int_equal(register_count(world->service), MANY);
    assert_many(world, versions);
    service_world_restart(world);
    assert_int_equal(register_count(world->service), MANY);
    assert_many(world, versions);
    service_world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(assert_empty), cmocka_unit_test(assert_finders),     cmocka_unit_test(assert_roles),
        cmocka_unit_test(assert_names), cmocka_unit_test(assert_place_again), cmocka_unit_test(assert_grows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
