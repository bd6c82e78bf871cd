/*
 * Whose pre-shared key a handshake names: names are what they must be, and who asks does not learn whom we know.
 */
#include <string.h>
#include <time.h>

#include "identity_acts.h"

/* The least CPU time that a hundred look-ups of a name cost. */
static int64_t cost_of(struct service_world *world, bool code, const char *name)
{
    int64_t least = INT64_MAX;
    for (int batch = 0; batch < 20; batch++) {
        struct timespec from, to;
        uint8_t key[32];
        uint64_t number;
        unsigned found = 0;
        assert_int_equal(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from), 0);
        for (int i = 0; i < 100; i++)
            found += service_psk(world->service, code, name, strlen(name), key, &number);
        assert_int_equal(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to), 0);
        assert_true(found == 0 || found == 100);
        least = i64_min(least, (to.tv_sec - from.tv_sec) * INT64_C(1000000000) + to.tv_nsec - from.tv_nsec);
    }
    return least;
}

/* Whom we know and whom we do not know takes as long: who asks learns nothing (RELIABILITY.md, Identity). */
static void assert_psk_takes_as_long(void **state)
{
    struct service_world *world = *state;
    char name[32];
    uint8_t key[32];
    uint64_t conn;
    assert_int_equal(add_till(world, "S", "1", PROOF_PSK), RESULT_DONE);
    struct code_word code = code_of_reply(world);
    code_credentials(code.text, name, key);
    int64_t known = cost_of(world, true, name);
    int64_t unknown = cost_of(world, true, "enrol/00000001");
    if (unknown < known / 2 || unknown > known * 2)
        fail_msg("a code that is out costs %lld ns, another %lld ns", (long long)known, (long long)unknown);
    assert_int_equal(enrol(world, code.text, NULL, &conn), RESULT_DONE);
    known = cost_of(world, false, "punkt/2/1");
    unknown = cost_of(world, false, "punkt/3/1");
    if (unknown < known / 2 || unknown > known * 2)
        fail_msg("a known key costs %lld ns, another %lld ns", (long long)known, (long long)unknown);
}

/* Names are what they must be, to the byte. */
static void assert_psk_names(void **state)
{
    struct service_world *world = *state;
    static const char *const wrong[] = { "",
                                         "punkt",
                                         "punkt/",
                                         "punkt/2",
                                         "punkt/2/",
                                         "punkt/2/0",
                                         "punkt/2/2",
                                         "punkt/3/1",
                                         "punkt/1/1",
                                         "punkt/02/1",
                                         "punkt/2/01",
                                         "punkt/2/1 ",
                                         "punkt/2/1/1",
                                         "punkt/-2/1",
                                         "punkt/2/+1",
                                         "Punkt/2/1",
                                         "punkt/2a/1",
                                         "punkt//1",
                                         "enrol/2/1",
                                         "punkt/0/0",
                                         "enrol/",
                                         "enrol/0",
                                         "enrol/000000",
                                         "enrol/00000000",
                                         "enrol/0000000g",
                                         "punkt/18446744073709551618/1",
                                         "punkt/2/4294967297" };
    uint64_t conn;
    uint64_t number;
    uint8_t key[32];
    assert_int_equal(add_till(world, "S", "1", PROOF_PSK), RESULT_DONE);
    assert_int_equal(enrol(world, code_of_reply(world).text, NULL, &conn), RESULT_DONE);
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        assert_false(service_psk(world->service, false, wrong[i], strlen(wrong[i]), key, &number));
        assert_false(service_psk(world->service, true, wrong[i], strlen(wrong[i]), key, &number));
    }
    assert_true(service_psk(world->service, false, "punkt/2/1", 9, key, &number));
    assert_false(service_psk(world->service, true, "punkt/2/1", 9, key, &number));
    /* One who comes by certificate has no pre-shared key, enrolled or not. */
    struct service_peer peer;
    service_speak(world, 1);
    assert_int_equal(add_till_with_key(world, "S", "2", &peer), 3);
    assert_false(service_psk(world->service, false, "punkt/3/1", 9, key, &number));
}

/*
 * Of PROTOCOL.md, computed with another program: the master is 1, 2, 3 and zeros. A ledger that was restored gives numbers again
 * that it has lost: whoever had the number before has another key.
 */
static void assert_psk_key(void **state)
{
    static const uint8_t example[] = { 0x60, 0xb8, 0xa2, 0x36, 0x55, 0xc1, 0x0e, 0x76, 0x00, 0x12, 0xf4,
                                       0x13, 0x0a, 0x40, 0x49, 0xb5, 0x1e, 0xe0, 0xbe, 0xb0, 0x98, 0x60,
                                       0xa2, 0x88, 0x6b, 0x37, 0xb0, 0x27, 0xbb, 0x67, 0x40, 0x9a };
    struct service_world *world = *state;
    struct identity till = { .number = 2, .key_version = 1, .psk_master = 1, .enrolled = 1795253400000001 };
    uint8_t key[32];
    assert_true(psk_derive(world->service, &till, key));
    assert_memory_equal(key, example, sizeof(key));
    till.enrolled++;
    assert_true(psk_derive(world->service, &till, key));
    assert_memory_not_equal(key, example, sizeof(key));
    till.enrolled--;
    till.key_version++;
    assert_true(psk_derive(world->service, &till, key));
    assert_memory_not_equal(key, example, sizeof(key));
    till.psk_master = 2; /* no other one stands in for a master that is gone */
    assert_false(psk_derive(world->service, &till, key));
}

/* A key that was replaced between the handshake and what comes first. */
static void assert_psk_over(void **state)
{
    struct service_world *world = *state;
    struct service_peer peer = { .proof = SERVICE_PROOF_PSK, .source = "192.0.2.3" };
    uint64_t conn;
    assert_int_equal(add_till(world, "S", "1", PROOF_PSK), RESULT_DONE);
    assert_int_equal(enrol(world, code_of_reply(world).text, NULL, &conn), RESULT_DONE);
    service_speak(world, 1);
    peer.number = UINT64_C(2) << 32 | 2;
    assert_shut_out(world, &peer, "this pre-shared key is over");
    peer.number = UINT64_C(1) << 32 | 2;
    (void)come(world, &peer);
}

#define A_TEST(name) cmocka_unit_test_setup_teardown(name, identity_set_up, identity_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = { A_TEST(assert_psk_names), A_TEST(assert_psk_key),
                                        A_TEST(assert_psk_over), A_TEST(assert_psk_takes_as_long) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
