/*
 * What net does when a peer is slow, silent, greedy or one too many. Time is the test's.
 */
#include "net_world.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Turns that would show something that should not happen. */
static void turn_some(struct world *world)
{
    for (int i = 0; i < 30; i++)
        world_turn(world);
}

static void expect_late(struct world *world, struct world_session *session)
{
    assert_false(session->open);
    assert_int_equal(session->closed, 1);
    assert_int_equal(net_counts(world->net)->timeouts, 1);
}

static void test_hello_time_out(void **state PUNKT_UNUSED)
{
    const struct net_options options = world_options();
    struct world *world = world_new(&options);
    struct world_session *session;
    world->proves_at_once = false;
    const int fd = client_connect(world, &session);
    for (uint64_t i = 1; i <= 4; i++) { /* neither bytes nor frames put it off */
        client_send_frame(fd, i, NULL, 0);
        client_expect(world, fd, i, NULL, 0);
        world_advance(world, 1000);
    }
    world_advance(world, 900);
    assert_true(session->open);
    world_advance(world, 400);
    expect_late(world, session);
    client_expect_end(world, fd);
    close(fd);
    world_free(world);
}

static void test_proof_ends_hello_timer(void **state PUNKT_UNUSED)
{
    const struct net_options options = world_options();
    struct world *world = world_new(&options);
    struct world_session *session;
    world->proves_at_once = false;
    const int fd = client_connect(world, &session);
    world_advance(world, 4000);
    net_proven(world->net, session->name);
    net_proven(world->net, session->name);
    for (int i = 0; i < 10; i++)
        world_advance(world, 10000);
    assert_true(session->open);
    assert_int_equal(net_counts(world->net)->unproven_now, 0);
    close(fd);
    world_free(world);
}

static void test_frame_time_out(void **state PUNKT_UNUSED)
{
    const struct net_options options = world_options();
    struct world *world = world_new(&options);
    struct world_session *session;
    const int fd = client_connect(world, &session);
    uint8_t frame[FRAME_HEADER_SIZE + 50] = { 0 };
    frame_put_header(frame, 50, 1, 0, 1);
    for (size_t i = 0; i < 10; i++) { /* a byte a second keeps it alive no longer */
        assert_true(session->open);
        client_send(fd, frame + i, 1);
        WORLD_UNTIL(world, net_counts(world->net)->bytes_in == i + 1);
        world_advance(world, 1000);
    }
    world_advance(world, 300);
    expect_late(world, session);
    close(fd);
    world_free(world);
}

/* The timer of a frame begins with that frame, not with the one before it. */
static void test_frame_time_is_its_own(void **state PUNKT_UNUSED)
{
    const struct net_options options = world_options();
    struct world *world = world_new(&options);
    struct world_session *session;
    const int fd = client_connect(world, &session);
    uint8_t frame[FRAME_HEADER_SIZE];
    for (uint64_t i = 1; i <= 10; i++) {
        frame_put_header(frame, 0, 1, 0, i);
        client_send(fd, frame, 8);
        WORLD_UNTIL(world, net_counts(world->net)->bytes_in == 16 * (i - 1) + 8);
        world_advance(world, 9000);
        client_send(fd, frame + 8, 8);
        client_expect(world, fd, i, NULL, 0);
        world_advance(world, 9000);
    }
    assert_true(session->open);
    close(fd);
    world_free(world);
}

static void test_idle_time_out(void **state PUNKT_UNUSED)
{
    const struct net_options options = world_options();
    struct world *world = world_new(&options);
    struct world_session *session;
    const int fd = client_connect(world, &session);
    for (int i = 0; i < 10; i++)
        world_advance(world, 17000);
    client_send_frame(fd, 1, NULL, 0);
    client_expect(world, fd, 1, NULL, 0);
    for (int i = 0; i < 10; i++)
        world_advance(world, 17000);
    assert_true(session->open);
    world_advance(world, 11000);
    expect_late(world, session);
    close(fd);
    world_free(world);
}

/* Whoever waits for our answer is not idle; what we did not read is not late. */
static void test_not_their_fault(void **state PUNKT_UNUSED)
{
    const struct net_options options = world_options();
    struct world *world = world_new(&options);
    struct world_session *waiting;
    struct world_session *new;
    struct world_session *half;
    world->on_frame = world_hold;
    const int waiting_fd = client_connect(world, &waiting);
    const int half_fd = client_connect(world, &half);
    client_send_frame(waiting_fd, 1, NULL, 0);
    client_send(half_fd, "half", 4);
    WORLD_UNTIL(world, waiting->frames == 1 && net_counts(world->net)->bytes_in == 20);
    world->proves_at_once = false;
    const int new_fd = client_connect(world, &new);
    net_pause(world->net);
    for (int i = 0; i < 400; i++)
        world_advance(world, 1000);
    assert_true(waiting->open && new->open && half->open);
    net_resume(world->net);
    world_advance(world, 4000);
    assert_true(new->open);
    world_advance(world, 3000);
    assert_false(new->open);
    assert_true(half->open);
    for (int i = 0; i < 5; i++)
        world_advance(world, 1000);
    assert_false(half->open);
    assert_true(waiting->open);
    assert_true(world_answer(waiting, "at last", 7));
    client_expect(world, waiting_fd, 1, "at last", 7);
    close(waiting_fd);
    close(half_fd);
    close(new_fd);
    world_free(world);
}

static void test_in_flight(void **state PUNKT_UNUSED)
{
    struct net_options options = world_options();
    options.in_flight_max = 3;
    struct world *world = world_new(&options);
    struct world_session *session;
    world->on_frame = world_hold;
    const int fd = client_connect(world, &session);
    for (uint64_t i = 1; i <= 10; i++)
        client_send_frame(fd, i, NULL, 0);
    WORLD_UNTIL(world, session->frames == 3);
    turn_some(world);
    assert_int_equal(session->frames, 3);
    /* The loop would spin on what waits there, unless the connection is not looked at. */
    client_send_frame(fd, 11, NULL, 0);
    WORLD_UNTIL(world, conn_find(world->net, session->name)->muted);
    assert_true(world_answer(session, NULL, 0));
    WORLD_UNTIL(world, session->frames == 4);
    turn_some(world);
    assert_int_equal(session->frames, 4);
    /* A message that answers nothing makes no room; one that answers three makes room for three. */
    assert_true(net_send(world->net, session->name, 1, 0, 0, NULL, 0, 0));
    turn_some(world);
    assert_int_equal(session->frames, 4);
    assert_true(net_send(world->net, session->name, 1, 0, 0, NULL, 0, 3));
    WORLD_UNTIL(world, session->frames == 7);
    world->on_frame = world_echo;
    assert_true(net_send(world->net, session->name, 1, 0, 0, NULL, 0, 3));
    WORLD_UNTIL(world, session->frames == 11);
    client_send_frame(fd, 12, NULL, 0); /* what came while it was not read has not deafened it */
    WORLD_UNTIL(world, session->frames == 12);
    close(fd);
    world_free(world);
}

/* Asks without reading until nothing more is taken. Returns how many frames were. */
static uint32_t flood(struct world *world, int fd, struct world_session *session)
{
    static const uint8_t body[4000];
    uint8_t frame[FRAME_HEADER_SIZE + sizeof(body)];
    uint32_t before = 0;
    frame_put_header(frame, sizeof(body), 1, 0, 1);
    memcpy(frame + FRAME_HEADER_SIZE, body, sizeof(body));
    for (int quiet = 0; quiet < 200; quiet = session->frames == before ? quiet + 1 : 0) {
        before = session->frames;
        size_t sent = 0;
        const ssize_t first = send(fd, frame, sizeof(frame), MSG_DONTWAIT | MSG_NOSIGNAL);
        for (sent = first > 0 ? (size_t)first : 0; first > 0 && sent < sizeof(frame) && quiet < 200;
             quiet++) {
            const ssize_t more = send(fd, frame + sent, sizeof(frame) - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
            sent += more > 0 ? (size_t)more : 0;
            world_turn(world);
        }
        world_turn(world);
    }
    return session->frames;
}

/* Who asks and never reads is not read any more, and closed when nothing has moved for a while. */
static void test_never_reading(void **state PUNKT_UNUSED)
{
    struct net_options options = world_options();
    options.output_high_bytes = 64 * 1024;
    struct world *world = world_new(&options);
    struct world_session *greedy;
    struct world_session *modest;
    const int greedy_fd = client_connect(world, &greedy);
    const int modest_fd = client_connect(world, &modest);
    const uint32_t taken = flood(world, greedy_fd, greedy);
    const struct conn *conn = conn_find(world->net, greedy->name);
    assert_non_null(conn);
    assert_true(buffer_size(conn->out) > options.output_high_bytes);
    assert_true(buffer_size(conn->out) < options.output_high_bytes + 2 * 4016u);
    client_send_frame(modest_fd, 1, NULL, 0);
    client_expect(world, modest_fd, 1, NULL, 0);
    world_advance(world, 14000);
    assert_true(greedy->open);
    assert_int_equal(greedy->frames, taken);
    world_advance(world, 1300);
    expect_late(world, greedy);
    assert_int_equal(world->net->buffers.pool_used_bytes, 0);
    assert_true(modest->open);
    close(greedy_fd);
    close(modest_fd);
    world_free(world);
}

/* The same peer reads at last: it is read again, and nothing is missing. */
static void test_reading_late(void **state PUNKT_UNUSED)
{
    struct net_options options = world_options();
    options.output_high_bytes = 64 * 1024;
    struct world *world = world_new(&options);
    struct world_session *session;
    const int fd = client_connect(world, &session);
    static uint8_t bytes[FRAME_HEADER_SIZE + 4000];
    const uint32_t taken = flood(world, fd, session);
    world_advance(world, 10000);
    for (uint32_t i = 0; i < taken; i++)
        client_receive(world, fd, bytes, sizeof(bytes));
    WORLD_UNTIL(world, session->frames > taken);
    world_advance(world, 14000);
    world_advance(world, 14000);
    assert_true(session->open);
    assert_false(conn_find(world->net, session->name)->blocked);
    close(fd);
    world_free(world);
}

/* News that nobody asked for and nobody reads: the same end, counted from when it became too much. */
static void test_news_unread(void **state PUNKT_UNUSED)
{
    struct net_options options = world_options();
    options.output_high_bytes = 64 * 1024;
    struct world *world = world_new(&options);
    struct world_session *session;
    static const uint8_t news[1000];
    const int fd = client_connect(world, &session);
    const struct conn *conn = conn_find(world->net, session->name);
    while (buffer_size(conn->out) < 60 * 1024) {
        assert_true(net_send(world->net, session->name, 1, 0, 0, news, sizeof(news), 0));
        world_turn(world);
    }
    world_advance(world, 60000);
    assert_true(session->open);
    while (buffer_size(conn->out) <= options.output_high_bytes)
        assert_true(net_send(world->net, session->name, 1, 0, 0, news, sizeof(news), 0));
    world_advance(world, 14000);
    assert_true(session->open);
    world_advance(world, 1300);
    expect_late(world, session);
    close(fd);
    world_free(world);
}

/* Large frames wait for the pool in order; small ones go on. */
static void test_pool_is_empty(void **state PUNKT_UNUSED)
{
    struct net_options options = world_options();
    options.pool_bytes = FRAME_HEADER_SIZE + FRAME_BODY_MAX;
    struct world *world = world_new(&options);
    struct world_session *sessions[3];
    int fds[3];
    uint8_t header[FRAME_HEADER_SIZE];
    uint8_t *body = calloc(1, 600000);
    assert_non_null(body);
    world->on_frame = world_hold;
    for (int i = 0; i < 3; i++)
        fds[i] = client_connect(world, &sessions[i]);
    frame_put_header(header, 600000, 1, 0, 1);
    client_send(fds[0], header, sizeof(header));
    WORLD_UNTIL(world, world->net->buffers.pool_used_bytes > 0);
    client_send(fds[1], header, sizeof(header));
    client_send(fds[1], "begun", 5);
    turn_some(world);
    assert_true(conn_find(world->net, sessions[1]->name)->waits_for_pool);
    client_send_frame(fds[2], 1, "small", 5);
    WORLD_UNTIL(world, sessions[2]->frames == 1);
    /* The one that waits is not late, for it is not read; the one that has room and sends nothing is. */
    for (int i = 0; i < 11; i++)
        world_advance(world, 1000);
    assert_false(sessions[0]->open);
    assert_true(sessions[1]->open);
    for (size_t sent = 5; sent < 600000;) {
        const size_t piece = u64_min(30000, 600000 - sent);
        client_send(fds[1], body + sent, piece);
        sent += piece;
        world_turn(world);
    }
    WORLD_UNTIL(world, sessions[1]->frames == 1);
    assert_int_equal(sessions[1]->last_body_size, 600000);
    WORLD_UNTIL(world, world->net->buffers.pool_used_bytes == 0);
    /* Having sent a large frame does not make one need the pool for a small one. */
    client_send(fds[2], header, sizeof(header));
    WORLD_UNTIL(world, world->net->buffers.pool_used_bytes > 0);
    client_send_frame(fds[1], 2, "small", 5);
    WORLD_UNTIL(world, sessions[1]->frames == 2);
    for (int i = 0; i < 3; i++)
        close(fds[i]);
    free(body);
    world_free(world);
}

/* Answers overdraw the pool, up to twice its size; then the connection goes, not the daemon. */
static void test_answers_overdraw(void **state PUNKT_UNUSED)
{
    struct net_options options = world_options();
    options.pool_bytes = FRAME_HEADER_SIZE + FRAME_BODY_MAX;
    struct world *world = world_new(&options);
    struct world_session *sessions[4];
    int fds[4];
    uint8_t *body = calloc(1, 700000);
    assert_non_null(body);
    for (int i = 0; i < 4; i++)
        fds[i] = client_connect(world, &sessions[i]);
    assert_true(net_send(world->net, sessions[0]->name, 1, 0, 1, body, 700000, 0));
    assert_true(net_send(world->net, sessions[1]->name, 1, 0, 1, body, 700000, 0));
    assert_true(net_send(world->net, sessions[2]->name, 1, 0, 1, body, 600000, 0));
    assert_false(net_send(world->net, sessions[3]->name, 1, 0, 1, body, 700000, 0));
    client_expect_end(world, fds[3]);
    client_expect(world, fds[0], 1, body, 700000);
    client_expect(world, fds[1], 1, body, 700000);
    client_expect(world, fds[2], 1, body, 600000);
    assert_int_equal(world->net->buffers.pool_used_bytes, 0);
    for (int i = 0; i < 4; i++)
        close(fds[i]);
    free(body);
    world_free(world);
}

/* Whoever is one too many waits in the kernel's queue until somebody proves or leaves. */
static void test_too_many_unproven(void **state PUNKT_UNUSED)
{
    struct net_options options = world_options();
    options.unproven_max = 5;
    struct world *world = world_new(&options);
    int fds[12];
    world->proves_at_once = false;
    for (size_t i = 0; i < COUNT_OF(fds); i++)
        fds[i] = client_dial(world);
    WORLD_UNTIL(world, world->sessions_count == 5);
    turn_some(world);
    assert_int_equal(net_counts(world->net)->unproven_now, 5);
    net_proven(world->net, world->sessions[0].name);
    WORLD_UNTIL(world, world->sessions_count == 6);
    turn_some(world);
    assert_int_equal(world->sessions_count, 6);
    world_advance(world, 5300); /* the five were too slow */
    assert_true(world->sessions[0].open);
    assert_false(world->sessions[1].open);
    WORLD_UNTIL(world, world->sessions_count == 11);
    for (uint32_t i = 6; i < 11; i++)
        net_proven(world->net, world->sessions[i].name);
    WORLD_UNTIL(world, world->sessions_count == 12);
    for (size_t i = 0; i < COUNT_OF(fds); i++)
        close(fds[i]);
    world_free(world);
}

/* No more than the agreed number are proven; what was said to the last one still reaches it. */
static void test_too_many_proven(void **state PUNKT_UNUSED)
{
    struct net_options options = world_options();
    options.conns_max = 2;
    struct world *world = world_new(&options);
    struct world_session *sessions[3];
    int fds[3];
    world->proves_at_once = false;
    world->on_frame = world_proving;
    for (int i = 0; i < 3; i++)
        fds[i] = client_connect(world, &sessions[i]);
    for (int i = 0; i < 2; i++) {
        client_send_frame(fds[i], 1, NULL, 0);
        client_expect(world, fds[i], 1, NULL, 0);
    }
    assert_true(net_send(world->net, sessions[2]->name, 1, 0, 7, "too many", 8, 0));
    net_proven(world->net, sessions[2]->name);
    client_expect(world, fds[2], 7, "too many", 8);
    client_expect_end(world, fds[2]);
    assert_false(sessions[2]->open);
    assert_int_equal(world->net->proven_now, 2);
    for (int i = 0; i < 3; i++)
        close(fds[i]);
    world_free(world);
}

/* A connection as if it came from there: one end of a pair. Returns the other end. */
static int come_from(struct world *world, bool local, uint8_t last_byte)
{
    int ends[2];
    const struct net_peer peer = { .local = local, .address = "somewhere" };
    const struct conn_origin origin = { .local = local, .address = { 10, [15] = last_byte } };
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    (void)conn_open(world->net, transport_plain(ends[0]), &peer, &origin);
    return ends[1];
}

static void test_unproven_of_an_address(void **state PUNKT_UNUSED)
{
    struct net_options options = world_options();
    options.unproven_per_address_max = 3;
    struct world *world = world_new(&options);
    int fds[4 + 1 + 4 + 1];
    size_t count = 0;
    world->proves_at_once = false;
    for (int i = 0; i < 4; i++)
        fds[count++] = come_from(world, false, 1);
    client_expect_end(world, fds[3]);
    assert_int_equal(world->sessions_count, 3);
    assert_int_equal(net_counts(world->net)->refused, 1);
    fds[count++] = come_from(world, false, 2); /* another address */
    for (int i = 0; i < 4; i++)
        fds[count++] = come_from(world, true, 1); /* local ones are not counted by address */
    assert_int_equal(world->sessions_count, 8);
    net_proven(world->net, world->sessions[0].name);
    fds[count++] = come_from(world, false, 1);
    assert_int_equal(world->sessions_count, 9);
    for (size_t i = 0; i < count; i++)
        close(fds[i]);
    world_free(world);
}

/* Our end closes, theirs sends on and on: it is thrown away for a moment, then the slot comes back. */
static void test_linger_has_an_end(void **state PUNKT_UNUSED)
{
    const struct net_options options = world_options();
    struct world *world = world_new(&options);
    struct world_session *session;
    const int fd = client_connect(world, &session);
    net_close_after_output(world->net, session->name);
    world_turn(world);
    assert_int_equal(session->closed, 1);
    client_expect_end(world, fd);
    for (int i = 0; i < 10; i++) {
        client_send_frame(fd, 1, "on and on", 9);
        world_turn(world);
    }
    assert_true(list_empty(&world->net->free_slots));
    world_advance(world, 1300);
    assert_false(list_empty(&world->net->free_slots));
    assert_int_equal(net_counts(world->net)->timeouts, 0);
    assert_int_equal(session->frames, 0);
    close(fd);
    world_free(world);
}

static enum net_verdict slow_for_a_while(struct world *world, struct world_session *session,
                                         const struct frame *frame)
{
    net_slow_down(world->net, session->name, world->now_us + 500 * 1000);
    return world_echo(world, session, frame);
}

/* Who sends too fast is read frame by frame, in its own time; the others are not slower for it. */
static void test_slowed_down(void **state PUNKT_UNUSED)
{
    const struct net_options options = world_options();
    struct world *world = world_new(&options);
    struct world_session *fast;
    struct world_session *modest;
    const int fast_fd = client_connect(world, &fast);
    const int modest_fd = client_connect(world, &modest);
    world->on_frame = slow_for_a_while;
    for (uint64_t i = 1; i <= 3; i++)
        client_send_frame(fast_fd, i, NULL, 0);
    for (uint32_t taken = 1; taken <= 3; taken++) {
        WORLD_UNTIL(world, fast->frames == taken);
        client_expect(world, fast_fd, taken, NULL, 0); /* answers are not held back */
        world_advance(world, 490);
        turn_some(world);
        assert_int_equal(fast->frames, taken);
        world_advance(world, 260);
    }
    client_send_frame(fast_fd, 4, NULL, 0); /* the loop does not spin on what waits there */
    WORLD_UNTIL(world, fast->frames == 4);
    client_send_frame(fast_fd, 5, NULL, 0);
    WORLD_UNTIL(world, conn_find(world->net, fast->name)->muted);
    world->on_frame = world_echo;
    client_send_frame(modest_fd, 1, NULL, 0);
    client_expect(world, modest_fd, 1, NULL, 0);
    assert_int_equal(fast->frames, 4);
    world_advance(world, 760);
    WORLD_UNTIL(world, fast->frames == 5);
    net_slow_down(world->net, fast->name, world->now_us); /* over already */
    client_send_frame(fast_fd, 6, NULL, 0);
    WORLD_UNTIL(world, fast->frames == 6);
    close(fast_fd);
    close(modest_fd);
    world_free(world);
}

/* While it is not read, it is neither idle nor late with the rest of its frame; afterwards its time begins anew. */
static void test_slowed_is_not_late(void **state PUNKT_UNUSED)
{
    const struct net_options options = world_options();
    struct world *world = world_new(&options);
    struct world_session *half;
    struct world_session *idle;
    const int half_fd = client_connect(world, &half);
    const int idle_fd = client_connect(world, &idle);
    client_send(half_fd, "half", 4);
    WORLD_UNTIL(world, net_counts(world->net)->bytes_in == 4);
    net_slow_down(world->net, half->name, world->now_us + INT64_C(400000000));
    net_slow_down(world->net, idle->name, world->now_us + INT64_C(400000000));
    for (int i = 0; i < 40; i++)
        world_advance(world, 10000);
    assert_true(half->open && idle->open);
    world_advance(world, 1000); /* they are read again by now */
    world_advance(world, 8500);
    assert_true(half->open);
    world_advance(world, 2000);
    assert_false(half->open);
    world_advance(world, 160000);
    assert_true(idle->open);
    world_advance(world, 20000);
    assert_false(idle->open);
    close(half_fd);
    close(idle_fd);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hello_time_out),
        cmocka_unit_test(test_proof_ends_hello_timer),
        cmocka_unit_test(test_frame_time_out),
        cmocka_unit_test(test_frame_time_is_its_own),
        cmocka_unit_test(test_idle_time_out),
        cmocka_unit_test(test_not_their_fault),
        cmocka_unit_test(test_in_flight),
        cmocka_unit_test(test_never_reading),
        cmocka_unit_test(test_reading_late),
        cmocka_unit_test(test_news_unread),
        cmocka_unit_test(test_pool_is_empty),
        cmocka_unit_test(test_answers_overdraw),
        cmocka_unit_test(test_too_many_unproven),
        cmocka_unit_test(test_too_many_proven),
        cmocka_unit_test(test_unproven_of_an_address),
        cmocka_unit_test(test_linger_has_an_end),
        cmocka_unit_test(test_slowed_down),
        cmocka_unit_test(test_slowed_is_not_late),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
