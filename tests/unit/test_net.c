/*
 * Frames over real sockets: whole, in pieces, many at once, too long; answers, pauses, names, endings.
 */
#include "net_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "random.h"

static void test_bytes_one_by_one(void **state PUNKT_UNUSED)
{
    const struct net_options options = world_options();
    struct world *world = world_new(&options);
    struct world_session *session;
    const int fd = client_connect(world, &session);
    uint8_t frame[FRAME_HEADER_SIZE + 5];
    frame_put_header(frame, 5, 1, 0, 77);
    memcpy(frame + FRAME_HEADER_SIZE, "hello", 5);
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < sizeof(frame); i++) {
            assert_int_equal(session->frames, round);
            client_send(fd, frame + i, 1);
            world_turn(world);
        }
        client_expect(world, fd, 77, "hello", 5);
    }
    assert_int_equal(net_counts(world->net)->frames_in, 3);
    assert_int_equal(net_counts(world->net)->frames_out, 3);
    assert_int_equal(net_counts(world->net)->bytes_in, 3 * sizeof(frame));
    assert_int_equal(net_counts(world->net)->bytes_out, 3 * sizeof(frame));
    close(fd);
    WORLD_UNTIL(world, !session->open);
    world_free(world);
}

/* All frames come at once; the socket is silent afterwards, and none may be forgotten. */
static void test_many_at_once(void **state PUNKT_UNUSED)
{
    struct net_options options = world_options();
    options.frames_per_turn = 8;
    struct world *world = world_new(&options);
    struct world_session *session;
    const int fd = client_connect(world, &session);
    uint8_t burst[100][FRAME_HEADER_SIZE];
    for (uint64_t i = 0; i < COUNT_OF(burst); i++)
        frame_put_header(burst[i], 0, 1, 0, i + 1);
    client_send(fd, burst, sizeof(burst));
    uint32_t before = 0;
    while (session->frames < COUNT_OF(burst)) {
        world_turn(world);
        assert_true(session->frames - before <= 8);
        before = session->frames;
    }
    for (uint64_t i = 0; i < COUNT_OF(burst); i++)
        client_expect(world, fd, i + 1, NULL, 0);
    close(fd);
    world_free(world);
}

/* The greedy one has its budget a turn, and the modest ones are served in the same turns. */
static void test_fairness(void **state PUNKT_UNUSED)
{
    struct net_options options = world_options();
    options.frames_per_turn = 4;
    options.in_flight_max = 10000;
    struct world *world = world_new(&options);
    struct world_session *greedy;
    struct world_session *modest;
    const int greedy_fd = client_connect(world, &greedy);
    const int modest_fd = client_connect(world, &modest);
    uint8_t burst[2000][FRAME_HEADER_SIZE];
    for (uint64_t i = 0; i < COUNT_OF(burst); i++)
        frame_put_header(burst[i], 0, 1, 0, i + 1);
    client_send(greedy_fd, burst, sizeof(burst));
    world_turn(world);
    for (uint64_t i = 1; i <= 50; i++) {
        const uint32_t before = greedy->frames;
        client_send_frame(modest_fd, i, NULL, 0);
        WORLD_UNTIL(world, modest->frames == i);
        assert_true(greedy->frames > before);
        assert_true(greedy->frames - before <= 12); /* one turn, or few if the kernel took its time */
        client_expect(world, modest_fd, i, NULL, 0);
    }
    assert_true(greedy->frames < COUNT_OF(burst));
    WORLD_UNTIL(world, greedy->frames == COUNT_OF(burst));
    close(greedy_fd);
    close(modest_fd);
    world_free(world);
}

/* Random sizes, random pieces, random turns between: what comes back is what was sent. */
static void test_random_pieces(void **state PUNKT_UNUSED)
{
    struct random random = random_seeded();
    struct net_options options = world_options();
    options.frames_per_turn = 3;
    struct world *world = world_new(&options);
    struct world_session *session;
    const int fd = client_connect(world, &session);
    for (int round = 0; round < 20; round++) {
        uint8_t *bytes = malloc(600000);
        size_t size = 0;
        const uint64_t count = 1 + random_below(&random, 12);
        assert_non_null(bytes);
        for (uint64_t i = 0; i < count; i++) {
            const uint64_t large = random_below(&random, 4) == 0 ? 50000 : 300;
            const uint32_t body_size = (uint32_t)random_below(&random, large);
            frame_put_header(bytes + size, body_size, 1, 0, i + 1);
            size += FRAME_HEADER_SIZE;
            for (uint32_t j = 0; j < body_size; j++)
                bytes[size++] = (uint8_t)random_u64(&random);
        }
        uint8_t *back = malloc(size);
        size_t sent = 0;
        size_t have = 0;
        assert_non_null(back);
        while (have < size) {
            const size_t piece = u64_min(size - sent, 1 + random_below(&random, 20000));
            client_send(fd, bytes + sent, piece);
            sent += piece;
            world_turn(world);
            const ssize_t got = recv(fd, back + have, size - have, MSG_DONTWAIT);
            have += got > 0 ? (size_t)got : 0;
        }
        assert_memory_equal(back, bytes, size);
        free(back);
        free(bytes);
    }
    close(fd);
    world_free(world);
}

static void test_largest_frame(void **state PUNKT_UNUSED)
{
    const struct net_options options = world_options();
    struct world *world = world_new(&options);
    struct world_session *session;
    const int fd = client_connect(world, &session);
    uint8_t *body = calloc(1, FRAME_BODY_MAX);
    uint8_t header[FRAME_HEADER_SIZE];
    assert_non_null(body);
    body[FRAME_BODY_MAX - 1] = 1;
    frame_put_header(header, FRAME_BODY_MAX, 1, 0, 9);
    client_send(fd, header, sizeof(header));
    for (size_t sent = 0; sent < FRAME_BODY_MAX;) {
        const size_t piece = u64_min(30000, FRAME_BODY_MAX - sent);
        client_send(fd, body + sent, piece);
        sent += piece;
        world_turn(world);
    }
    client_expect(world, fd, 9, body, FRAME_BODY_MAX);
    WORLD_UNTIL(world, world->net->buffers.pool_used_bytes == 0);
    /* A small one after it finds everything as it was. */
    client_send_frame(fd, 10, "x", 1);
    client_expect(world, fd, 10, "x", 1);
    free(body);
    close(fd);
    world_free(world);
}

static void test_too_long(void **state PUNKT_UNUSED)
{
    static const struct {
        bool proven;
        uint32_t body_size;
        bool broken;
    } rows[] = {
        { true, UINT32_MAX, true },
        { true, FRAME_BODY_MAX + 1, true },
        { false, FRAME_BODY_MAX, true },
        { false, FRAME_BODY_MAX_BEFORE_HELLO + 1, true },
        { false, FRAME_BODY_MAX_BEFORE_HELLO, false },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct net_options options = world_options();
        struct world *world = world_new(&options);
        struct world_session *session;
        world->proves_at_once = rows[i].proven;
        const int fd = client_connect(world, &session);
        uint8_t bytes[FRAME_HEADER_SIZE + FRAME_BODY_MAX_BEFORE_HELLO] = { 0 };
        frame_put_header(bytes, rows[i].body_size, 1, 0, 5);
        client_send(fd, bytes, sizeof(bytes)); /* the rest of it is thrown away, not left to reset us */
        if (rows[i].broken) {
            client_expect(world, fd, 5, "broken", 6);
            client_expect_end(world, fd);
            assert_int_equal(session->broken, 1);
            assert_int_equal(session->frames, 0);
            assert_false(session->open);
        } else {
            client_expect(world, fd, 5, bytes + FRAME_HEADER_SIZE, rows[i].body_size);
            assert_true(session->open);
        }
        close(fd);
        world_free(world);
    }
}

/* A long frame behind the one that proves is judged by the new measure. */
static void test_long_after_proof(void **state PUNKT_UNUSED)
{
    const struct net_options options = world_options();
    struct world *world = world_new(&options);
    struct world_session *session;
    uint8_t bytes[FRAME_HEADER_SIZE * 2 + 5000] = { 0 };
    world->proves_at_once = false;
    world->on_frame = world_proving;
    const int fd = client_connect(world, &session);
    assert_int_equal(net_counts(world->net)->unproven_now, 1);
    frame_put_header(bytes, 0, 1, 0, 1);
    frame_put_header(bytes + FRAME_HEADER_SIZE, 5000, 1, 0, 2);
    client_send(fd, bytes, sizeof(bytes));
    client_expect(world, fd, 1, NULL, 0);
    client_expect(world, fd, 2, bytes + 2 * FRAME_HEADER_SIZE, 5000);
    assert_int_equal(net_counts(world->net)->unproven_now, 0);
    close(fd);
    world_free(world);
}

static void test_pause_and_resume(void **state PUNKT_UNUSED)
{
    const struct net_options options = world_options();
    struct world *world = world_new(&options);
    struct world_session *one;
    struct world_session *other;
    const int one_fd = client_connect(world, &one);
    const int other_fd = client_connect(world, &other);
    world->on_frame = world_not_now;
    client_send_frame(one_fd, 1, "a", 1);
    client_send_frame(one_fd, 2, "b", 1);
    client_send_frame(other_fd, 3, "c", 1);
    for (int i = 0; i < 20; i++)
        world_turn(world);
    assert_int_equal(world->frames, 0);
    /* Frames that come while it is paused are not taken either, though there would be room. */
    world->on_frame = world_echo;
    client_send_frame(other_fd, 4, "d", 1);
    for (int i = 0; i < 20; i++)
        world_turn(world);
    assert_int_equal(world->frames, 0);
    net_resume(world->net);
    client_expect(world, one_fd, 1, "a", 1);
    client_expect(world, one_fd, 2, "b", 1);
    client_expect(world, other_fd, 3, "c", 1);
    client_expect(world, other_fd, 4, "d", 1);
    /* A pause without a frame in hand. */
    net_pause(world->net);
    client_send_frame(one_fd, 5, "e", 1);
    for (int i = 0; i < 20; i++)
        world_turn(world);
    assert_int_equal(world->frames, 4);
    net_resume(world->net);
    client_expect(world, one_fd, 5, "e", 1);
    close(one_fd);
    close(other_fd);
    world_free(world);
}

/* Paused while frames of it wait for the next turn, and more bytes come: it is not deaf afterwards. */
static void test_pause_with_frames_left(void **state PUNKT_UNUSED)
{
    struct net_options options = world_options();
    options.frames_per_turn = 1;
    struct world *world = world_new(&options);
    struct world_session *session;
    world->on_frame = world_hold;
    const int fd = client_connect(world, &session);
    uint8_t burst[3][FRAME_HEADER_SIZE];
    for (uint64_t i = 0; i < COUNT_OF(burst); i++)
        frame_put_header(burst[i], 0, 1, 0, i + 1);
    client_send(fd, burst, sizeof(burst));
    WORLD_UNTIL(world, session->frames == 1);
    const struct conn *conn = conn_find(world->net, session->name);
    net_pause(world->net);
    client_send_frame(fd, 4, NULL, 0);
    WORLD_UNTIL(world, conn->muted);
    assert_int_equal(session->frames, 1);
    net_resume(world->net);
    /* Without the end of a turn between: the loop knows by itself that there is something to do. */
    (void)event_base_loop(world->loop, EVLOOP_ONCE | EVLOOP_NONBLOCK);
    assert_int_equal(session->frames, 2);
    WORLD_UNTIL(world, session->frames == 4);
    close(fd);
    world_free(world);
}

/* Many pauses at random moments lose no frame and change no order. */
static void test_pauses_lose_nothing(void **state PUNKT_UNUSED)
{
    struct random random = random_seeded();
    struct net_options options = world_options();
    options.frames_per_turn = 5;
    options.in_flight_max = 7;
    struct world *world = world_new(&options);
    struct world_session *sessions[4];
    int fds[4];
    uint64_t sent[4] = { 0 };
    uint64_t received[4] = { 0 };
    for (int i = 0; i < 4; i++)
        fds[i] = client_connect(world, &sessions[i]);
    for (int step = 0; step < 4000; step++) {
        const uint64_t i = random_below(&random, 4);
        for (uint64_t n = random_below(&random, 12); n > 0; n--)
            client_send_frame(fds[i], ++sent[i], "body", random_below(&random, 5));
        world->on_frame = random_below(&random, 5) == 0 ? world_not_now : world_echo;
        world_turn(world);
        if (random_below(&random, 2) == 0)
            net_resume(world->net);
        uint8_t bytes[FRAME_HEADER_SIZE + 4];
        while (received[i] < sent[i] && recv(fds[i], bytes, 1, MSG_DONTWAIT | MSG_PEEK) == 1) {
            struct frame frame;
            size_t wanted;
            client_receive(world, fds[i], bytes, FRAME_HEADER_SIZE);
            (void)frame_split(bytes, FRAME_HEADER_SIZE, FRAME_BODY_MAX, &frame, &wanted);
            assert_int_equal(frame.number, ++received[i]);
            client_receive(world, fds[i], bytes + FRAME_HEADER_SIZE, frame.body_size);
        }
    }
    world->on_frame = world_echo;
    net_resume(world->net);
    for (int i = 0; i < 4; i++)
        WORLD_UNTIL(world, sessions[i]->frames == sent[i]);
    for (int i = 0; i < 4; i++)
        close(fds[i]);
    world_free(world);
}

/* The name of a connection that is gone reaches nobody, not even who sits in its slot now. */
static void test_old_names(void **state PUNKT_UNUSED)
{
    const struct net_options options = world_options();
    struct world *world = world_new(&options);
    struct world_session *first;
    struct world_session *second;
    world->on_frame = world_hold;
    int fd = client_connect(world, &first);
    client_send_frame(fd, 1, NULL, 0);
    WORLD_UNTIL(world, first->frames == 1);
    const struct linger hard = { .l_onoff = 1 };
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard)), 0);
    close(fd); /* a reset: nobody waits for the answer */
    WORLD_UNTIL(world, !first->open);
    fd = client_connect(world, &second);
    assert_int_equal(second->name.slot, first->name.slot);
    assert_int_not_equal(second->name.generation, first->name.generation);
    assert_false(world_answer(first, "late", 4));
    net_close_after_output(world->net, first->name);
    net_proven(world->net, first->name);
    world_turn(world);
    assert_true(second->open);
    assert_false(net_send(world->net, (struct net_conn_name){ 0 }, 1, 0, 1, NULL, 0, 0));
    assert_false(net_send(world->net, (struct net_conn_name){ 400, 1 }, 1, 0, 1, NULL, 0, 0));
    assert_false(net_send(world->net, (struct net_conn_name){ UINT32_MAX, 1 }, 1, 0, 1, NULL, 0, 0));
    client_send_frame(fd, 2, NULL, 0);
    WORLD_UNTIL(world, second->frames == 1);
    assert_true(world_answer(second, "right", 5));
    client_expect(world, fd, 2, "right", 5);
    close(fd);
    world_free(world);
}

static void test_close_verdict(void **state PUNKT_UNUSED)
{
    const struct net_options options = world_options();
    struct world *world = world_new(&options);
    struct world_session *session;
    world->on_frame = world_closing;
    const int fd = client_connect(world, &session);
    client_send_frame(fd, 1, "bye", 3);
    client_send_frame(fd, 2, "unheard", 7);
    client_expect(world, fd, 1, "bye", 3);
    client_expect_end(world, fd);
    assert_int_equal(session->frames, 1);
    assert_int_equal(session->closed, 1);
    close(fd);
    WORLD_UNTIL(world, !list_empty(&world->net->free_slots));
    world_free(world);
}

/* Whoever shuts its side after asking still gets what it asked for. */
static void test_half_closed(void **state PUNKT_UNUSED)
{
    const struct net_options options = world_options();
    struct world *world = world_new(&options);
    struct world_session *session;
    world->on_frame = world_hold;
    const int fd = client_connect(world, &session);
    client_send_frame(fd, 1, "ask", 3);
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    for (int i = 0; i < 20; i++)
        world_turn(world);
    assert_true(session->open);
    assert_true(world_answer(session, "answer", 6));
    client_expect(world, fd, 1, "answer", 6);
    client_expect_end(world, fd);
    assert_int_equal(session->closed, 1);
    close(fd);
    world_free(world);
}

/* One handler call closes and answers other connections than its own. */
static enum net_verdict meddle(struct world *world, struct world_session *session, const struct frame *frame)
{
    for (uint32_t i = 0; i < world->sessions_count; i++) {
        struct world_session *other = &world->sessions[i];
        if (other == session)
            continue;
        (void)net_send(world->net, other->name, 1, 0, 100, "news", 4, 0);
        if (i % 2 == 0)
            net_close_after_output(world->net, other->name);
    }
    net_close_after_output(world->net, session->name);
    assert_false(net_send(world->net, session->name, 1, 0, 1, NULL, 0, 1));
    assert_int_equal(frame->body_size, 4); /* the body outlives the closing of its own connection */
    assert_memory_equal(frame->body, "stir", 4);
    return NET_TAKEN;
}

static void test_meddling(void **state PUNKT_UNUSED)
{
    const struct net_options options = world_options();
    struct world *world = world_new(&options);
    struct world_session *sessions[5];
    int fds[5];
    for (int i = 0; i < 5; i++)
        fds[i] = client_connect(world, &sessions[i]);
    world->on_frame = meddle;
    for (int i = 0; i < 5; i += 2) /* those that will be closed have frames on the way */
        client_send_frame(fds[i], 1, "stir", 4);
    client_send_frame(fds[1], 1, "stir", 4);
    WORLD_UNTIL(world, !sessions[0]->open && !sessions[2]->open && !sessions[4]->open);
    client_expect(world, fds[3], 100, "news", 4);
    assert_true(sessions[3]->open);
    for (int i = 0; i < 5; i++)
        close(fds[i]);
    world_free(world);
}

static void test_refused_by_handler(void **state PUNKT_UNUSED)
{
    const struct net_options options = world_options();
    struct world *world = world_new(&options);
    world->refuses = true;
    const int fd = client_dial(world);
    client_expect_end(world, fd);
    assert_int_equal(net_counts(world->net)->refused, 1);
    assert_int_equal(net_counts(world->net)->open_now, 0);
    close(fd);
    world_free(world);
}

static void test_options_refused(void **state PUNKT_UNUSED)
{
    static const struct net_handler handler = { 0 };
    struct event_base *loop = event_base_new();
    struct net *net = NULL;
    struct net_options options = net_options_default();
    options.pool_bytes = 1000;
    assert_int_equal(net_open(&options, &handler, NULL, loop, &net), PUNKT_INVALID);
    options = net_options_default();
    options.frames_per_turn = 0;
    assert_int_equal(net_open(&options, &handler, NULL, loop, &net), PUNKT_INVALID);
    assert_null(net);
    net_free(NULL);
    options = net_options_default();
    assert_int_equal(net_open(&options, &handler, NULL, loop, &net), PUNKT_OK);
    net_free(net);
    event_base_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes_one_by_one),
        cmocka_unit_test(test_many_at_once),
        cmocka_unit_test(test_fairness),
        cmocka_unit_test(test_random_pieces),
        cmocka_unit_test(test_largest_frame),
        cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_long_after_proof),
        cmocka_unit_test(test_pause_and_resume),
        cmocka_unit_test(test_pause_with_frames_left),
        cmocka_unit_test(test_pauses_lose_nothing),
        cmocka_unit_test(test_old_names),
        cmocka_unit_test(test_close_verdict),
        cmocka_unit_test(test_half_closed),
        cmocka_unit_test(test_meddling),
        cmocka_unit_test(test_refused_by_handler),
        cmocka_unit_test(test_options_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
