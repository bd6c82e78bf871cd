/*
 * Who comes in over TLS and who does not: certificates, pre-shared keys, versions, ports; nothing is resumed.
 */
#include "tls_world.h"

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
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
    assert_int_equal(session->last_number, 5);
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
        assert_int_equal(world->refused_proof, NET_PROOF_CERTIFICATE);
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
        assert_int_equal(world->refused_proof, NET_PROOF_PSK);
    }
    assert_int_equal(world->sessions_count, 0);
    person_free(&till);
    tls_world_free(tls_world);
}

/* What TLS 1.3 has for coming back faster would pass the check of the certificate by: there is none of it. */
static void test_nothing_is_resumed(void **state PUNKT_UNUSED)
{
    struct tls_world *tls_world = new_world();
    struct world *world = tls_world->world;
    struct person till = person_new(PERSON_CLIENT, &tls_world->ca, -1000, 5000);
    const struct client_proof proof = { .person = &till };
    const char *where = tls_world->where[NET_LISTEN_CERTIFICATE];
    struct tls_client *client = tls_client_new(world, where, &proof);
    struct world_session *session = tls_client_open(client);
    tls_client_send_frame(client, 1, "once", 4);
    tls_client_expect(client, 1, "once", 4);
    SSL_SESSION *before = SSL_get1_session(client->ssl);
    assert_non_null(before);
    assert_int_equal(SSL_SESSION_is_resumable(before), 0);
    assert_false(SSL_SESSION_has_ticket(before));
    assert_int_not_equal(SSL_renegotiate(client->ssl), 1);
    expect_served(client, session);

    client = tls_client_new(world, where, &proof);
    assert_int_equal(SSL_set_session(client->ssl, before), 1);
    session = tls_client_open(client);
    assert_int_equal(SSL_session_reused(client->ssl), 0);
    assert_int_equal(session->peer.proof, NET_PROOF_CERTIFICATE);
    expect_served(client, session);
    SSL_SESSION_free(before);
    person_free(&till);
    tls_world_free(tls_world);
}

/* Early data could be sent again by whoever sees them. */
static void test_early_data_are_refused(void **state PUNKT_UNUSED)
{
    struct tls_world *tls_world = new_world();
    struct world *world = tls_world->world;
    const struct client_proof proof = { .psk_identity = "punkt/7/1", .psk_key = keys[0].key, .early = true };
    struct tls_client *client = tls_client_new(world, tls_world->where[NET_LISTEN_PSK], &proof);
    uint8_t frame[FRAME_HEADER_SIZE];
    size_t went = 0;
    frame_put_header(frame, 0, 1, 0, 1);
    assert_int_equal(SSL_write_early_data(client->ssl, frame, sizeof(frame), &went), 1);
    assert_int_equal(went, sizeof(frame));
    tls_client_expect_refused(client);
    assert_int_equal(SSL_get_early_data_status(client->ssl), SSL_EARLY_DATA_REJECTED);
    assert_int_equal(world->refused, 1);
    assert_int_equal(world->refused_number, 0); /* the key was right: nothing was tried */
    assert_int_equal(world->frames, 0);
    tls_client_free(client);
    tls_world_free(tls_world);
}

static void test_key_updates(void **state PUNKT_UNUSED)
{
    struct tls_world *tls_world = new_world();
    struct world *world = tls_world->world;
    const struct client_proof proof = { .psk_identity = "punkt/7/1", .psk_key = keys[0].key };
    struct tls_client *client = tls_client_new(world, tls_world->where[NET_LISTEN_PSK], &proof);
    struct world_session *session = tls_client_open(client);
    for (uint64_t i = 1; i <= 5; i++) {
        assert_int_equal(SSL_key_update(client->ssl, SSL_KEY_UPDATE_REQUESTED), 1);
        tls_client_send_frame(client, i, "new key", 7);
        tls_client_expect(client, i, "new key", 7);
    }
    assert_true(session->open);
    tls_client_free(client);
    tls_world_free(tls_world);
}

/* Who asks for new keys without end, and does not read the answers, costs one connection. */
static void test_key_updates_unread(void **state PUNKT_UNUSED)
{
    struct tls_world *tls_world = new_world();
    struct world *world = tls_world->world;
    const struct client_proof proof = { .psk_identity = "punkt/7/1", .psk_key = keys[0].key };
    struct tls_client *client = tls_client_new(world, tls_world->where[NET_LISTEN_PSK], &proof);
    struct world_session *session = tls_client_open(client);
    const int small = 4096; /* or it takes a while until there is no room for our answers */
    const int fd = conn_find(world->net, session->name)->transport.fd;
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
    assert_int_equal(setsockopt(client->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
    for (const int64_t start_ms = world_real_ms(); session->open; world_patience(start_ms)) {
        for (int i = 0; i < 100; i++) {
            assert_int_equal(SSL_key_update(client->ssl, SSL_KEY_UPDATE_REQUESTED), 1);
            assert_int_equal(SSL_do_handshake(client->ssl), 1);
        }
        (void)tls_client_pump_out(client, SIZE_MAX);
        world_turn(world);
    }
    assert_int_equal(session->closed, 1);
    tls_client_free(client);
    tls_world_free(tls_world);
}

static void test_no_tls(void **state PUNKT_UNUSED)
{
    static const char *const rows[] = { "GET / HTTP/1.1\r\nHost: till\r\n\r\n",
                                        "\x16\x03\x01\x00\x04\x02\x00\x00\x00", "SSH-2.0-OpenSSH_9.2\r\n" };
    struct tls_world *tls_world = new_world();
    struct world *world = tls_world->world;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const int fd = client_dial_to(tls_world->where[NET_LISTEN_CERTIFICATE]);
        const uint32_t before = world->refused;
        client_send(fd, rows[i], i == 1 ? 9 : strlen(rows[i]));
        WORLD_UNTIL(world, world->refused > before);
        if (i == 0)
            assert_string_equal(world->refused_what, "no TLS");
        close(fd);
    }
    /* Who only looks whether anybody listens has tried nothing; who leaves half-way has. */
    close(client_dial_to(tls_world->where[NET_LISTEN_CERTIFICATE]));
    WORLD_UNTIL(world, net_counts(world->net)->handshakes_failed == COUNT_OF(rows) + 1);
    assert_int_equal(world->refused, COUNT_OF(rows));
    const int fd = client_dial_to(tls_world->where[NET_LISTEN_CERTIFICATE]);
    client_send(fd, "\x16\x03\x01", 3);
    close(fd);
    WORLD_UNTIL(world, world->refused == COUNT_OF(rows) + 1);
    assert_string_equal(world->refused_what, "the other side has hung up");
    assert_int_equal(net_counts(world->net)->unproven_now, 0);
    tls_world_free(tls_world);
}

static void test_listening_needs(void **state PUNKT_UNUSED)
{
    static const struct net_handler none = { 0 };
    static const struct {
        enum net_listener kind;
        const char *where;
        const char *words;
    } rows[] = {
        { NET_LISTEN_CERTIFICATE, "127.0.0.1:0", "there is no certificate" },
        { NET_LISTEN_PSK, "127.0.0.1:0", "nobody knows keys" },
        { NET_LISTEN_ENROL, "127.0.0.1:0", "nobody knows keys" },
        { NET_LISTEN_PSK, "unix:/nowhere/punkt", "over a Unix socket there is no TLS" },
        { NET_LISTEN_PLAIN, "0.0.0.0:0", "tls.listen" },
    };
    struct event_base *loop = event_base_new();
    const struct net_options options = net_options_default();
    struct net *net = NULL;
    char address[128];
    assert_int_equal(net_open(&options, &none, NULL, loop, &net), PUNKT_OK);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct failure failure = { "" };
        assert_int_equal(net_listen(net, rows[i].kind, rows[i].where, address, sizeof(address), &failure),
                         PUNKT_INVALID);
        assert_non_null(strstr(failure.text, rows[i].words));
    }
    net_free(net);
    event_base_free(loop);
    /* With TLS it may be any address. */
    struct failure failure = { "" };
    struct tls_world *tls_world = new_world();
    assert_int_equal(net_listen(tls_world->world->net, NET_LISTEN_CERTIFICATE, "0.0.0.0:0", address,
                                sizeof(address), &failure),
                     PUNKT_OK);
    tls_world_free(tls_world);
}

/* New files are for those who come; a bad file changes nothing. */
static void test_reload(void **state PUNKT_UNUSED)
{
    struct tls_world *tls_world = new_world();
    struct world *world = tls_world->world;
    const char *where = tls_world->where[NET_LISTEN_CERTIFICATE];
    struct failure failure = { "" };
    struct person till = person_new(PERSON_CLIENT, &tls_world->ca, -1000, 5000);
    struct person new_ca = person_new(PERSON_CA, NULL, -1000, 5000);
    struct person new_server = person_new(PERSON_SERVER, &new_ca, -1000, 5000);
    struct person new_till = person_new(PERSON_CLIENT, &new_ca, -1000, 5000);
    const struct client_proof proof = { .person = &till };
    const struct client_proof new_proof = { .person = &new_till };
    struct tls_client *old = tls_client_new(world, where, &proof);
    struct world_session *old_session = tls_client_open(old);
    tls_world_write(tls_world, &new_server, &new_ca);
    assert_int_equal(net_use_certificates(world->net, &tls_world->files, &failure), PUNKT_OK);

    struct tls_client *client = tls_client_new(world, where, &new_proof);
    struct world_session *session = tls_client_open(client);
    assert_int_equal(X509_cmp(SSL_get0_peer_certificate(client->ssl), new_server.certificate), 0);
    expect_served(client, session);
    client = tls_client_new(world, where, &proof); /* of the CA before */
    tls_client_expect_refused(client);
    tls_client_free(client);
    expect_served(old, old_session); /* who was there stays */
    struct person *const all[] = { &till, &new_ca, &new_server, &new_till };
    for (size_t i = 0; i < COUNT_OF(all); i++)
        person_free(all[i]);
    tls_world_free(tls_world);
}

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

enum damage {
    NO_CERTIFICATE,
    EXPIRED,
    NOT_YET,
    CLIENTS,
    OTHER_KEY,
    NO_KEY,
    OPEN_KEY,
    NO_CA,
    MISSING_CA,
    MISSING_CERTIFICATE,
    DAMAGES
};

static void damage_files(struct tls_world *tls_world, enum damage damage)
{
    static const struct {
        enum person_use use;
        long from_s, to_s;
    } wrong[DAMAGES] = {
        [EXPIRED] = { PERSON_SERVER, -1000, -10 },
        [NOT_YET] = { PERSON_SERVER, 1000, 2000 },
        [CLIENTS] = { PERSON_CLIENT, -1000, 1000 },
    };
    tls_world_write(tls_world, &tls_world->server, &tls_world->ca);
    if (wrong[damage].to_s != 0) {
        struct person bad =
            person_new(wrong[damage].use, &tls_world->ca, wrong[damage].from_s, wrong[damage].to_s);
        tls_world_write(tls_world, &bad, &tls_world->ca);
        person_free(&bad);
    }
    if (damage == OTHER_KEY) {
        const struct person mixed = { tls_world->ca.key, tls_world->server.certificate };
        tls_world_write(tls_world, &mixed, &tls_world->ca);
    }
    if (damage == NO_CERTIFICATE)
        write_text(tls_world->certificate_file, "nothing\n");
    if (damage == NO_KEY)
        write_text(tls_world->key_file, "nothing\n");
    if (damage == OPEN_KEY)
        assert_int_equal(chmod(tls_world->key_file, 0640), 0);
    if (damage == NO_CA)
        write_text(tls_world->ca_file, "");
    if (damage == MISSING_CA)
        assert_int_equal(unlink(tls_world->ca_file), 0);
    if (damage == MISSING_CERTIFICATE)
        assert_int_equal(unlink(tls_world->certificate_file), 0);
}

static void test_bad_files(void **state PUNKT_UNUSED)
{
    static const struct {
        const char *file;
        const char *words;
    } rows[DAMAGES] = {
        [NO_CERTIFICATE] = { "server.pem", "there is no certificate in it" },
        [EXPIRED] = { "server.pem", "expired" },
        [NOT_YET] = { "server.pem", "not yet valid" },
        [CLIENTS] = { "server.pem", "not one for servers" },
        [OTHER_KEY] = { "server.key", "not the key of the certificate" },
        [NO_KEY] = { "server.key", "there is no private key in it" },
        [OPEN_KEY] = { "server.key", "others may read the key" },
        [NO_CA] = { "ca.pem", "there is no certificate of a CA in it" },
        [MISSING_CA] = { "ca.pem", "No such file" },
        [MISSING_CERTIFICATE] = { "server.pem", "No such file" },
    };
    struct tls_world *tls_world = new_world();
    struct world *world = tls_world->world;
    struct person till = person_new(PERSON_CLIENT, &tls_world->ca, -1000, 5000);
    const struct client_proof proof = { .person = &till };
    for (enum damage damage = 0; damage < DAMAGES; damage++) {
        struct failure failure = { "" };
        damage_files(tls_world, damage);
        assert_int_equal(net_use_certificates(world->net, &tls_world->files, &failure), PUNKT_INVALID);
        assert_non_null(strstr(failure.text, rows[damage].file));
        assert_non_null(strstr(failure.text, rows[damage].words));
        struct tls_client *client = tls_client_new(world, tls_world->where[NET_LISTEN_CERTIFICATE], &proof);
        struct world_session *session = tls_client_open(client);
        assert_int_equal(X509_cmp(SSL_get0_peer_certificate(client->ssl), tls_world->server.certificate), 0);
        expect_served(client, session);
    }
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
        cmocka_unit_test(test_nothing_is_resumed),
        cmocka_unit_test(test_early_data_are_refused),
        cmocka_unit_test(test_key_updates),
        cmocka_unit_test(test_key_updates_unread),
        cmocka_unit_test(test_no_tls),
        cmocka_unit_test(test_listening_needs),
        cmocka_unit_test(test_reload),
        cmocka_unit_test(test_bad_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
