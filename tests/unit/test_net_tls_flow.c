/*
 * Bytes over TLS, in pieces and many at once, and what net does when a handshake is slow, too long, or one of many. Time
 * is the test's.
 */
#include "tls_world.h"

#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "random.h"

static const struct world_key keys[] = { { "punkt/7/1", "a key of a till, of 32 bytes...", 7 } };
static const struct client_proof key_proof = { .psk_identity = "punkt/7/1", .psk_key = keys[0].key };

static struct tls_world *new_world(const struct net_options *options)
{
    struct tls_world *tls_world = tls_world_new(options);
    tls_world->world->keys = keys;
    tls_world->world->keys_count = COUNT_OF(keys);
    return tls_world;
}

static struct tls_client *new_client(struct tls_world *tls_world)
{
    return tls_client_new(tls_world->world, tls_world->where[NET_LISTEN_PSK], &key_proof);
}

static void turn_some(struct world *world)
{
    for (int i = 0; i < 30; i++)
        world_turn(world);
}

/* What the client sends first, without waiting for anything. */
static void say_hello(struct tls_client *client)
{
    assert_false(tls_client_step(client));
    assert_false(client->failed);
}

/* Random sizes, random records, random pieces on the wire: what comes back is what was sent. */
static void test_random_pieces(void **state PUNKT_UNUSED)
{
    struct random random = random_seeded();
    struct net_options options = world_options();
    options.frames_per_turn = 3;
    struct tls_world *tls_world = new_world(&options);
    struct world *world = tls_world->world;
    struct tls_client *client = new_client(tls_world);
    (void)tls_client_open(client);
    for (int round = 0; round < 10; round++) {
        uint8_t *bytes = malloc(600000);
        const uint64_t count = 1 + random_below(&random, 12);
        size_t size = 0;
        assert_non_null(bytes);
        for (uint64_t i = 0; i < count; i++) {
            const uint32_t body_size =
                (uint32_t)random_below(&random, random_below(&random, 4) == 0 ? 50000 : 300);
            frame_put_header(bytes + size, body_size, 1, 0, i + 1);
            size += FRAME_HEADER_SIZE;
            for (uint32_t j = 0; j < body_size; j++)
                bytes[size++] = (uint8_t)random_u64(&random);
        }
        uint8_t *back = malloc(size);
        size_t written = 0;
        size_t have = 0;
        assert_non_null(back);
        for (const int64_t start_ms = world_real_ms(); have < size; world_patience(start_ms)) {
            const size_t piece = u64_min(size - written, 1 + random_below(&random, 20000));
            if (piece > 0)
                tls_client_write(client, bytes + written, piece);
            written += piece;
            (void)tls_client_pump_out(client, 1 + random_below(&random, 30000));
            world_turn(world);
            have += tls_client_take(client, back + have, size - have);
        }
        assert_memory_equal(back, bytes, size);
        free(back);
        free(bytes);
    }
    tls_client_free(client);
    tls_world_free(tls_world);
}

/* The same one byte at a time, handshake and all. */
static void test_bytes_one_by_one(void **state PUNKT_UNUSED)
{
    const struct net_options options = world_options();
    struct tls_world *tls_world = new_world(&options);
    struct world *world = tls_world->world;
    struct tls_client *client = new_client(tls_world);
    assert_int_equal(SSL_do_handshake(client->ssl), -1);
    for (const int64_t start_ms = world_real_ms(); world->sessions_count == 0; world_patience(start_ms)) {
        if (!tls_client_pump_out(client, 1))
            (void)tls_client_step(client);
        turn_some(world);
    }
    uint8_t frame[FRAME_HEADER_SIZE];
    frame_put_header(frame, 0, 1, 0, 9);
    tls_client_write(client, frame, sizeof(frame));
    while (tls_client_pump_out(client, 1)) {
        turn_some(world);
        assert_int_equal(world->frames, 0);
    }
    tls_client_expect(client, 9, NULL, 0);
    tls_client_free(client);
    tls_world_free(tls_world);
}

static void test_largest_frame(void **state PUNKT_UNUSED)
{
    const struct net_options options = world_options();
    struct tls_world *tls_world = new_world(&options);
    struct world *world = tls_world->world;
    struct tls_client *client = new_client(tls_world);
    (void)tls_client_open(client);
    uint8_t *body = calloc(1, FRAME_BODY_MAX);
    assert_non_null(body);
    for (size_t i = 0; i < FRAME_BODY_MAX; i++)
        body[i] = (uint8_t)(i * 31 + i / 256);
    for (uint64_t i = 1; i <= 3; i++) {
        tls_client_send_frame(client, i, body, FRAME_BODY_MAX);
        tls_client_expect(client, i, body, FRAME_BODY_MAX);
    }
    WORLD_UNTIL(world, world->net->buffers.pool_used_bytes == 0);
    free(body);
    tls_client_free(client);
    tls_world_free(tls_world);
}

/* A record waits for room in the socket, and the answers behind it move to a larger buffer meanwhile. */
static void test_answers_move(void **state PUNKT_UNUSED)
{
    enum { ANSWER = 300000 };
    const struct net_options options = world_options();
    struct tls_world *tls_world = new_world(&options);
    struct world *world = tls_world->world;
    struct tls_client *client = new_client(tls_world);
    struct world_session *session = tls_client_open(client);
    const struct conn *conn = conn_find(world->net, session->name);
    const int small = 32768;
    uint8_t *body = calloc(1, ANSWER);
    assert_non_null(body);
    assert_int_equal(setsockopt(conn->transport.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
    for (uint64_t i = 1; i <= 4; i++) {
        body[0] = (uint8_t)i;
        assert_true(net_send(world->net, session->name, 1, 0, i, body, ANSWER, 0));
        WORLD_UNTIL(world, conn->blocked);
        turn_some(world);
    }
    for (uint64_t i = 1; i <= 4; i++) {
        body[0] = (uint8_t)i;
        tls_client_expect(client, i, body, ANSWER);
    }
    free(body);
    tls_client_free(client);
    tls_world_free(tls_world);
}

/*
 * Bytes that are decrypted, or at least off the socket, while the socket is silent: none may be forgotten, whether the
 * turn's budget, the limit in flight or a pause kept them from being read, in one record or in many.
 */
static void send_burst(struct tls_client *client, uint64_t first, uint64_t count, bool one_record)
{
    static uint8_t burst[2000][FRAME_HEADER_SIZE];
    assert_true(count <= COUNT_OF(burst));
    for (uint64_t i = 0; i < count; i++) {
        frame_put_header(burst[i], 0, 1, 0, first + i);
        if (!one_record)
            tls_client_write(client, burst[i], sizeof(burst[i]));
    }
    if (one_record)
        tls_client_write(client, burst, count * FRAME_HEADER_SIZE);
    assert_false(tls_client_pump_out(client, SIZE_MAX)); /* all of it is on its way at once */
}

static void test_many_at_once(void **state PUNKT_UNUSED)
{
    struct net_options options = world_options();
    options.in_flight_max = 10000;
    for (int one_record = 0; one_record < 2; one_record++) {
        for (uint32_t budget = 1; budget <= 64; budget *= 8) {
            options.frames_per_turn = budget;
            struct tls_world *tls_world = new_world(&options);
            struct tls_client *client = new_client(tls_world);
            struct world_session *session = tls_client_open(client);
            send_burst(client, 1, 1000, one_record == 1);
            const int64_t start_ms = world_real_ms();
            for (uint32_t before = 0; session->frames < 1000; before = session->frames) {
                world_patience(start_ms);
                world_turn(tls_world->world);
                assert_true(session->frames - before <= budget);
            }
            for (uint64_t i = 1; i <= 1000; i++)
                tls_client_expect(client, i, NULL, 0);
            tls_client_free(client);
            tls_world_free(tls_world);
        }
    }
}

static void test_left_over(void **state PUNKT_UNUSED)
{
    struct net_options options = world_options();
    options.in_flight_max = 3;
    struct tls_world *tls_world = new_world(&options);
    struct world *world = tls_world->world;
    struct tls_client *client = new_client(tls_world);
    struct world_session *session = tls_client_open(client);
    world->on_frame = world_hold;
    send_burst(client, 1, 200, false);
    for (uint32_t taken = 0; taken < 200; taken++) {
        WORLD_UNTIL(world, session->frames == (taken + 3 < 200 ? taken + 3 : 200));
        assert_true(world_answer(session, NULL, 0));
    }
    world->on_frame = world_not_now;
    send_burst(client, 201, 50, false);
    turn_some(world);
    assert_int_equal(session->frames, 200);
    world->on_frame = world_echo;
    net_resume(world->net);
    WORLD_UNTIL(world, session->frames == 250);
    tls_client_free(client);
    tls_world_free(tls_world);
}

/* Its first frames come along with the end of the handshake, while net is paused. */
static void test_hello_at_once(void **state PUNKT_UNUSED)
{
    const struct net_options options = world_options();
    struct tls_world *tls_world = new_world(&options);
    struct world *world = tls_world->world;
    for (int paused = 0; paused < 2; paused++) {
        struct tls_client *client = new_client(tls_world);
        const uint32_t before = world->sessions_count;
        uint8_t frame[FRAME_HEADER_SIZE];
        frame_put_header(frame, 0, 1, 0, 4);
        say_hello(client);
        WORLD_UNTIL(world, recv(client->fd, frame, 1, MSG_DONTWAIT | MSG_PEEK) == 1);
        frame_put_header(frame, 0, 1, 0, 4);
        tls_client_pump(client);
        assert_int_equal(SSL_do_handshake(client->ssl), 1); /* what it says to that is not sent yet */
        tls_client_write(client, frame, sizeof(frame));
        if (paused == 1)
            net_pause(world->net);
        assert_false(tls_client_pump_out(client, SIZE_MAX));
        WORLD_UNTIL(world, world->sessions_count > before);
        turn_some(world);
        assert_int_equal(world->sessions[before].frames, 1 - paused);
        net_resume(world->net);
        tls_client_expect(client, 4, NULL, 0);
        tls_client_free(client);
    }
    tls_world_free(tls_world);
}

/* Whoever shuts its side after asking still gets what it asked for, whether or not it said so by TLS. */
static void test_half_closed(void **state PUNKT_UNUSED)
{
    const struct net_options options = world_options();
    struct tls_world *tls_world = new_world(&options);
    struct world *world = tls_world->world;
    for (int polite = 0; polite < 2; polite++) {
        struct tls_client *client = new_client(tls_world);
        struct world_session *session = tls_client_open(client);
        world->on_frame = world_hold;
        tls_client_send_frame(client, 1, "ask", 3);
        if (polite == 1)
            assert_int_equal(SSL_shutdown(client->ssl), 0);
        assert_false(tls_client_pump_out(client, SIZE_MAX));
        assert_int_equal(shutdown(client->fd, SHUT_WR), 0);
        WORLD_UNTIL(world, session->frames == 1);
        turn_some(world);
        assert_true(session->open);
        assert_true(world_answer(session, "answer", 6));
        tls_client_expect(client, 1, "answer", 6);
        assert_true(tls_client_expect_end(client));
        assert_int_equal(session->closed, 1);
        tls_client_free(client);
    }
    tls_world_free(tls_world);
}

/* We say that it is over, by TLS too, and what the peer still sends does not reset our last words. */
static void test_we_close(void **state PUNKT_UNUSED)
{
    const struct net_options options = world_options();
    struct tls_world *tls_world = new_world(&options);
    struct world *world = tls_world->world;
    struct tls_client *client = new_client(tls_world);
    struct world_session *session = tls_client_open(client);
    world->on_frame = world_closing;
    send_burst(client, 1, 500, false);
    tls_client_expect(client, 1, NULL, 0);
    assert_true(tls_client_expect_end(client));
    assert_int_equal(session->frames, 1);
    assert_int_equal(session->closed, 1);
    tls_client_free(client);
    tls_world_free(tls_world);
}

/* Bytes that are no record of this connection end it, and nothing else. */
static void test_forged_record(void **state PUNKT_UNUSED)
{
    const struct net_options options = world_options();
    struct tls_world *tls_world = new_world(&options);
    struct world *world = tls_world->world;
    struct tls_client *client = new_client(tls_world);
    struct tls_client *other = new_client(tls_world);
    struct world_session *session = tls_client_open(client);
    (void)tls_client_open(other);
    tls_client_send_frame(client, 1, "before", 6);
    client_send(client->fd, "\x17\x03\x03\x00\x20 thirty-two bytes that are no one's", 37);
    WORLD_UNTIL(world, !session->open);
    assert_int_equal(session->frames, 1); /* what came whole before it counts */
    tls_client_send_frame(other, 1, "after", 5);
    tls_client_expect(other, 1, "after", 5);
    tls_client_free(client);
    tls_client_free(other);
    tls_world_free(tls_world);
}

/* A byte now and then does not put off the end of a handshake's time. */
static void test_slow_handshake(void **state PUNKT_UNUSED)
{
    const struct net_options options = world_options();
    struct tls_world *tls_world = new_world(&options);
    struct world *world = tls_world->world;
    struct tls_client *slow = new_client(tls_world);
    assert_int_equal(SSL_do_handshake(slow->ssl), -1);
    const int silent = client_dial_to(tls_world->where[NET_LISTEN_PSK]);
    WORLD_UNTIL(world, net_counts(world->net)->unproven_now == 2);
    for (int i = 0; i < 5; i++) {
        assert_true(tls_client_pump_out(slow, 1));
        assert_int_equal(net_counts(world->net)->unproven_now, 2);
        turn_some(world);
        world_advance(world, 990);
    }
    assert_int_equal(world->refused, 0);
    world_advance(world, 310);
    assert_int_equal(world->refused, 2);
    assert_string_equal(world->refused_what, "it took too long");
    assert_int_equal(net_counts(world->net)->timeouts, 2);
    assert_int_equal(net_counts(world->net)->unproven_now, 0);
    client_expect_end(world, silent);
    close(silent);
    tls_client_free(slow);
    tls_world_free(tls_world);
}

/* HELLO has its own time, from the end of the handshake on. */
static void test_hello_time(void **state PUNKT_UNUSED)
{
    const struct net_options options = world_options();
    struct tls_world *tls_world = new_world(&options);
    struct world *world = tls_world->world;
    struct tls_client *client = new_client(tls_world);
    world->proves_at_once = false;
    WORLD_UNTIL(world, net_counts(world->net)->unproven_now == 1);
    world_advance(world, 4000);
    struct world_session *session = tls_client_open(client);
    assert_int_equal(net_counts(world->net)->unproven_now, 1);
    world_advance(world, 4900);
    assert_true(session->open);
    world_advance(world, 400);
    assert_false(session->open);
    assert_int_equal(world->refused, 0);
    tls_client_free(client);
    tls_world_free(tls_world);
}

/* A message of a handshake that announces more than anybody needs is not waited for. */
static void test_oversized_handshake(void **state PUNKT_UNUSED)
{
    const struct net_options options = world_options();
    struct tls_world *tls_world = new_world(&options);
    struct world *world = tls_world->world;
    uint8_t record[5 + 16384] = { 0x16, 3, 1, 0x40, 0, 1, 1, 0x86, 0xA0 };
    const int fd = client_dial_to(tls_world->where[NET_LISTEN_CERTIFICATE]);
    WORLD_UNTIL(world, net_counts(world->net)->unproven_now == 1);
    const struct tls *tls = world->net->conns[0].transport.state;
    client_send(fd, record, sizeof(record));
    turn_some(world);
    assert_int_equal(tls->greeting_bytes, sizeof(record));
    memset(record + 5, 0, 4);
    client_send(fd, record, sizeof(record));
    WORLD_UNTIL(world, world->refused == 1);
    assert_int_equal(tls->greeting_bytes, TLS_GREETING_MAX);
    assert_string_equal(world->refused_what, "it is too long");
    client_expect_end(world, fd);
    close(fd);
    tls_world_free(tls_world);
}

/* Clients whose first bytes are here before the world looks. */
static void greet_together(struct tls_world *tls_world, struct tls_client **clients, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        clients[i] = new_client(tls_world);
        say_hello(clients[i]);
    }
    WORLD_UNTIL(tls_world->world, net_counts(tls_world->world->net)->unproven_now == count);
}

/* They all come in in the end. */
static void open_all(struct tls_client **clients, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        (void)tls_client_open(clients[i]);
        tls_client_free(clients[i]);
    }
}

/* How many have got an answer to their greeting. */
static uint32_t count_answered(struct tls_client **clients, size_t count)
{
    uint32_t answered = 0;
    char byte;
    for (size_t i = 0; i < count; i++)
        answered += recv(clients[i]->fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 1;
    return answered;
}

static uint32_t count_waiting(const struct net *net)
{
    uint32_t waiting = 0;
    for (const struct link *link = net->handshakes.next; link != &net->handshakes; link = link->next)
        waiting++;
    return waiting;
}

/* Handshakes that are ready together have a bounded part of each turn, and whoever is inside is served between. */
static void test_handshakes_take_turns(void **state PUNKT_UNUSED)
{
    struct net_options options = world_options();
    options.handshake_us_per_turn = 0; /* one step a turn, for there must be one */
    struct tls_world *tls_world = new_world(&options);
    struct world *world = tls_world->world;
    struct tls_client *clients[40];
    struct tls_client *inside = new_client(tls_world);
    struct world_session *session = tls_client_open(inside);
    greet_together(tls_world, clients, COUNT_OF(clients));
    uint64_t turn = world->net->turn;
    for (uint32_t before = count_answered(clients, COUNT_OF(clients)); before < COUNT_OF(clients);) {
        const uint64_t number = session->frames + 1;
        tls_client_send_frame(inside, number, NULL, 0);
        tls_client_expect(inside, number, NULL, 0);
        const uint32_t answered = count_answered(clients, COUNT_OF(clients));
        assert_true(answered - before <= world->net->turn - turn);
        turn = world->net->turn;
        before = answered;
    }
    assert_true(session->frames >= 10);
    open_all(clients, COUNT_OF(clients));
    assert_int_equal(net_counts(world->net)->handshakes, COUNT_OF(clients) + 1);
    tls_client_free(inside);
    tls_world_free(tls_world);
}

/* The time they take is measured; when nobody waits any more, the loop is left alone. */
static void test_time_of_handshakes(void **state PUNKT_UNUSED)
{
    const struct net_options options = world_options();
    struct tls_world *tls_world = new_world(&options);
    struct world *world = tls_world->world;
    struct tls_client *clients[30];
    greet_together(tls_world, clients, COUNT_OF(clients));
    world->clock_step_us = 700; /* what a step takes: the third one is over the 2 ms of a turn */
    WORLD_UNTIL(world, !list_empty(&world->net->handshakes));
    const uint32_t most = count_waiting(world->net);
    assert_true(most >= 10);
    for (uint32_t waiting = most; waiting > 0;) {
        assert_true(event_pending(world->net->greet, EV_TIMEOUT, NULL) != 0);
        world_turn(world);
        const uint32_t left = count_waiting(world->net);
        assert_true(left + 3 >= waiting);
        waiting = left;
    }
    assert_int_equal(event_pending(world->net->greet, EV_TIMEOUT, NULL), 0);
    world->clock_step_us = 0;
    open_all(clients, COUNT_OF(clients));
    tls_world_free(tls_world);
}

/* 600 sockets that prove nothing: half of them silent, half of them with half a greeting. */
static void test_unproven_crowd(void **state PUNKT_UNUSED)
{
    enum { SOCKETS = 600 };
    struct net_options options = world_options();
    options.unproven_max = 512;
    struct tls_world *tls_world = new_world(&options);
    struct world *world = tls_world->world;
    struct tls_client *inside = new_client(tls_world);
    struct tls_client *crowd[SOCKETS];
    (void)tls_client_open(inside);
    for (int i = 0; i < SOCKETS; i++) {
        crowd[i] = new_client(tls_world);
        if (i % 2 == 0)
            continue;
        assert_int_equal(SSL_do_handshake(crowd[i]->ssl), -1);
        assert_true(tls_client_pump_out(crowd[i], 100));
    }
    WORLD_UNTIL(world, net_counts(world->net)->unproven_now == 512);
    for (uint64_t i = 1; i <= 100; i++) {
        tls_client_send_frame(inside, i, "still here", 10);
        tls_client_expect(inside, i, "still here", 10);
    }
    world_advance(world, 5300);
    WORLD_UNTIL(world, net_counts(world->net)->unproven_now ==
                           SOCKETS - 512); /* the rest, from the kernel's queue */
    assert_int_equal(world->refused, 512);
    tls_client_send_frame(inside, 101, NULL, 0);
    tls_client_expect(inside, 101, NULL, 0);
    world_advance(world, 5300);
    assert_int_equal(net_counts(world->net)->unproven_now, 0);
    for (int i = 0; i < SOCKETS; i++)
        tls_client_free(crowd[i]);
    tls_client_free(inside);
    tls_world_free(tls_world);
}

/* They all come back at once: everybody is let in, though only so many at a time are unproven. */
static void test_everybody_at_once(void **state PUNKT_UNUSED)
{
    enum { CLIENTS = 1000 };
    struct net_options options = world_options();
    options.conns_max = CLIENTS;
    options.unproven_max = 100;
    struct tls_world *tls_world = new_world(&options);
    struct world *world = tls_world->world;
    static struct tls_client *clients[CLIENTS];
    uint32_t done = 0;
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = new_client(tls_world);
        say_hello(clients[i]);
    }
    int64_t moved_ms = world_real_ms();
    while (world->sessions_count < CLIENTS) {
        const uint32_t before = done;
        for (int i = 0; i < CLIENTS; i++)
            if (!SSL_is_init_finished(clients[i]->ssl))
                done += tls_client_step(clients[i]);
        world_turn(world);
        if (done > before)
            moved_ms = world_real_ms();
        world_patience(moved_ms);
    }
    for (int i = 0; i < CLIENTS; i++) {
        tls_client_send_frame(clients[i], 1, NULL, 0);
        tls_client_expect(clients[i], 1, NULL, 0);
        tls_client_free(clients[i]);
    }
    assert_int_equal(world->refused, 0);
    tls_world_free(tls_world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_pieces),
        cmocka_unit_test(test_bytes_one_by_one),
        cmocka_unit_test(test_largest_frame),
        cmocka_unit_test(test_answers_move),
        cmocka_unit_test(test_many_at_once),
        cmocka_unit_test(test_left_over),
        cmocka_unit_test(test_hello_at_once),
        cmocka_unit_test(test_half_closed),
        cmocka_unit_test(test_we_close),
        cmocka_unit_test(test_forged_record),
        cmocka_unit_test(test_slow_handshake),
        cmocka_unit_test(test_hello_time),
        cmocka_unit_test(test_oversized_handshake),
        cmocka_unit_test(test_handshakes_take_turns),
        cmocka_unit_test(test_time_of_handshakes),
        cmocka_unit_test(test_unproven_crowd),
        cmocka_unit_test(test_everybody_at_once),
    };
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit); /* for two thousand sockets */
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
