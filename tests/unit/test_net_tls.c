/*
 * Who comes in over TLS and who does not: certificates, pre-shared keys, versions, ports; nothing is resumed.
 */
#include "tls_world.h"

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const struct world_key keys[] = {
    { "punkt/7/1", "a key of a till, of 32 bytes...", 7 },
    { "enrol/0a0b0c0d", "what a code makes, of 32 bytes.", 77 },
};
static const uint8_t other_key[NET_PSK_SIZE] = "a key that nobody has told us of";

static struct tls_world *new_world(void)
{
    const struct net_options options = world_options();
    struct tls_world *tls_world = tls_world_new(&options);
    tls_world->world->keys = keys;
    tls_world->world->keys_count = COUNT_OF(keys);
    return tls_world;
}

/* One that comes in, is served and leaves. */
static void expect_served(struct tls_client *client, struct world_session *session)
{
    struct world *world = client->world;
    tls_client_send_frame(client, 5, "hello", 5);
    tls_client_expect(client, 5, "hello", 5);
    assert_int_equal(session->frames, 1);
    assert_int_equal(client->tickets, 0);
    tls_client_free(client);
    WORLD_UNTIL(world, !session->open);
}

static void test_good_certificate(void **state PUNKT_UNUSED)
{
    struct tls_world *tls_world = new_world();
    struct world *world = tls_world->world;
    const time_t before = time(NULL);
    struct person till = person_new(PERSON_CLIENT, &tls_world->ca, -1000, 5000);
    const struct client_proof proof = { .person = &till };
    struct tls_client *client = tls_client_new(world, tls_world->where[NET_LISTEN_CERTIFICATE], &proof);
    struct world_session *session = tls_client_open(client);
    unsigned char *der = NULL;
    uint8_t key[32];
    const int size = i2d_PUBKEY(till.key, &der);
    assert_true(size > 0);
    assert_int_equal(EVP_Digest(der, (size_t)size, key, NULL, EVP_sha256(), NULL), 1);
    OPENSSL_free(der);
    assert_int_equal(session->peer.proof, NET_PROOF_CERTIFICATE);
    assert_memory_equal(session->peer.key, key, sizeof(key));
    assert_in_range(session->peer.key_ends_s, before + 5000, time(NULL) + 5000);
    assert_true(session->peer.local);
    assert_string_equal(session->peer.source, "127.0.0.1");
    assert_int_equal(net_counts(world->net)->handshakes, 1);
    expect_served(client, session);
    assert_int_equal(world->refused, 0);
    person_free(&till);
    tls_world_free(tls_world);
}

/* Each is wrong in one thing. */
static void test_certificates_refused(void **state PUNKT_UNUSED)
{
    struct tls_world *tls_world = new_world();
    struct person other_ca = person_new(PERSON_CA, NULL, -1000, 1000);
    struct person other = person_new(PERSON_CLIENT, &other_ca, -1000, 1000);
    struct person late = person_new(PERSON_CLIENT, &tls_world->ca, -1000, -10);
    struct person early = person_new(PERSON_CLIENT, &tls_world->ca, 1000, 2000);
    struct person own = person_new(PERSON_CLIENT, NULL, -1000, 1000);
    struct person server = person_new(PERSON_SERVER, &tls_world->ca, -1000, 1000);
    struct person good = person_new(PERSON_CLIENT, &tls_world->ca, -1000, 1000);
    const struct {
        struct client_proof proof;
        const char *what;
    } rows[] = {
        { { 0 }, "no certificate" },
        { { .person = &other }, "certificate signature failure" }, /* a CA of the same name, another key */
        { { .person = &own }, "self-signed certificate" },
        { { .person = &late }, "certificate has expired" },
        { { .person = &early }, "certificate is not yet valid" },
        { { .person = &server }, "unsuitable certificate purpose" },
        { { .person = &good, .version_max = TLS1_2_VERSION }, "no TLS 1.3" },
        { { .psk_identity = "punkt/7/1", .psk_key = keys[0].key }, "no certificate" },
    };
    struct world *world = tls_world->world;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct tls_client *client =
            tls_client_new(world, tls_world->where[NET_LISTEN_CERTIFICATE], &rows[i].proof);
        tls_client_expect_refused(client);
        tls_client_free(client);
        assert_int_equal(world->refused, i + 1);
        assert_string_equal(world->refused_what, rows[i].what);
        assert_string_equal(world->refused_identity, "");
    }
    assert_int_equal(net_counts(world->net)->handshakes_failed, COUNT_OF(rows));
    assert_int_equal(net_counts(world->net)->handshakes, 0);
    assert_int_equal(net_counts(world->net)->accepted, 0);
    struct person *const all[] = { &other_ca, &other, &late, &early, &own, &server, &good };
    for (size_t i = 0; i < COUNT_OF(all); i++)
        person_free(all[i]);
    tls_world_free(tls_world);
}

static void test_good_key(void **state PUNKT_UNUSED)
{
    struct tls_world *tls_world = new_world();
    struct world *world = tls_world->world;
    for (enum net_listener kind = NET_LISTEN_PSK; kind <= NET_LISTEN_ENROL; kind++) {
        const struct world_key *known = &keys[kind - NET_LISTEN_PSK];
        const struct client_proof proof = { .psk_identity = known->identity, .psk_key = known->key };
        struct tls_client *client = tls_client_new(world, tls_world->where[kind], &proof);
        struct world_session *session = tls_client_open(client);
        assert_int_equal(world->asked_kind, kind);
        assert_int_equal(session->peer.proof, NET_PROOF_PSK);
        assert_int_equal(session->peer.psk_number, known->number);
        expect_served(client, session);
    }
    assert_int_equal(world->refused, 0);
    tls_world_free(tls_world);
}

/* A wrong key and an identity that nobody has look the same, byte for byte: who guesses learns nothing. */
static void test_keys_refused(void **state PUNKT_UNUSED)
{
    struct tls_world *tls_world = new_world();
    struct person till = person_new(PERSON_CLIENT, &tls_world->ca, -1000, 1000);
    static const char too_long[] = "punkt/7/1 punkt/7/1 punkt/7/1 punkt/7/1 punkt/7/1 punkt/7/1 punkt/7/1";
    const struct {
        struct client_proof proof;
        const char *what;
        const char *identity;
        uint64_t number;
    } rows[] = {
        { { .psk_identity = "punkt/7/1", .psk_key = other_key }, "no such key", "punkt/7/1", 7 },
        { { .psk_identity = "punkt/8/1", .psk_key = other_key }, "no such key", "punkt/8/1", 0 },
        { { .psk_identity = "punkt/\n/1", .psk_key = other_key }, "no such key", "punkt/?/1", 0 },
        { { .psk_identity = too_long, .psk_key = keys[0].key },
          "no such key",
          "punkt/7/1 punkt/7/1 punkt/7/1 punkt/7/1 punkt/7/1 punkt/7/1 punk",
          0 },
        { { .person = &till }, "no pre-shared key", "", 0 },
        { { 0 }, "no pre-shared key", "", 0 },
        { { .version_max = TLS1_2_VERSION }, "no TLS 1.3", "", 0 },
    };
    struct world *world = tls_world->world;
    uint8_t first[64] = { 0 };
    size_t first_size = 0;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct tls_client *client = tls_client_new(world, tls_world->where[NET_LISTEN_PSK], &rows[i].proof);
        tls_client_expect_refused(client);
        if (i == 0) {
            assert_in_range(client->seen_size, 1, sizeof(first));
            first_size = client->seen_size;
            memcpy(first, client->seen, first_size);
        } else if (rows[i].proof.psk_identity != NULL) {
            assert_int_equal(client->seen_size, first_size);
            assert_memory_equal(client->seen, first, first_size);
        }
        tls_client_free(client);
        assert_int_equal(world->refused, i + 1);
        assert_string_equal(world->refused_what, rows[i].what);
        assert_string_equal(world->refused_identity, rows[i].identity);
        assert_int_equal(world->refused_number, rows[i].number);
    }
    assert_int_equal(world->sessions_count, 0);
    person_free(&till);
    tls_world_free(tls_world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_certificate),
        cmocka_unit_test(test_certificates_refused),
        cmocka_unit_test(test_good_key),
        cmocka_unit_test(test_keys_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
