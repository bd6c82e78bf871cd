#include "net_world.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_MS 10000

static int64_t world_clock(void *ctx)
{
    struct world *world = ctx;
    world->now_us += world->clock_step_us;
    return world->now_us;
}

static void *on_open(void *ctx, struct net_conn_name name, const struct net_peer *peer)
{
    struct world *world = ctx;
    if (world->refuses)
        return NULL;
    assert_true(world->sessions_count < WORLD_SESSIONS);
    struct world_session *session = &world->sessions[world->sessions_count++];
    *session = (struct world_session){ .world = world, .name = name, .peer = *peer, .open = true };
    if (world->proves_at_once)
        net_proven(world->net, name);
    return session;
}

static enum net_verdict on_frame(void *ctx, void *session_pointer, const struct frame *frame)
{
    struct world *world = ctx;
    struct world_session *session = session_pointer;
    assert_true(session->open);
    const enum net_verdict verdict = world->on_frame(world, session, frame);
    if (verdict == NET_NOT_NOW)
        return verdict;
    if (world->frames < COUNT_OF(world->order))
        world->order[world->frames] = frame->number;
    world->frames++;
    session->frames++;
    session->last_number = frame->number;
    session->last_body_size = frame->body_size;
    return verdict;
}

static void on_broken(void *ctx, void *session_pointer, const struct frame *frame)
{
    struct world *world = ctx;
    struct world_session *session = session_pointer;
    session->broken++;
    (void)net_send(world->net, session->name, 1, 0, frame->number, "broken", 6, 1);
}

static void on_close(void *ctx PUNKT_UNUSED, void *session_pointer)
{
    struct world_session *session = session_pointer;
    assert_true(session->open);
    session->open = false;
    session->closed++;
    /* A name that is on its way out takes nothing any more. */
    assert_false(net_send(session->world->net, session->name, 1, 0, 1, NULL, 0, 0));
}

static bool on_psk(void *ctx, enum net_listener kind, const char *identity, size_t size,
                   uint8_t out_key[NET_PSK_SIZE], uint64_t *out_number)
{
    struct world *world = ctx;
    world->asked_kind = kind;
    for (size_t i = 0; i < world->keys_count; i++) {
        const struct world_key *known = &world->keys[i];
        if (strlen(known->identity) != size || memcmp(known->identity, identity, size) != 0)
            continue;
        memcpy(out_key, known->key, NET_PSK_SIZE);
        *out_number = known->number;
        return true;
    }
    return false;
}

static void on_refused(void *ctx, const struct net_peer *peer, const char *what, const char *identity,
                       uint64_t number)
{
    struct world *world = ctx;
    assert_string_equal(peer->source, "127.0.0.1");
    world->refused++;
    (void)snprintf(world->refused_what, sizeof(world->refused_what), "%s", what);
    (void)snprintf(world->refused_identity, sizeof(world->refused_identity), "%s", identity);
    world->refused_number = number;
    world->refused_proof = peer->proof;
}

enum net_verdict world_echo(struct world *world, struct world_session *session, const struct frame *frame)
{
    assert_true(net_send(world->net, session->name, frame->type, frame->flags, frame->number, frame->body,
                         frame->body_size, 1));
    return NET_TAKEN;
}

enum net_verdict world_hold(struct world *world PUNKT_UNUSED, struct world_session *session PUNKT_UNUSED,
                            const struct frame *frame PUNKT_UNUSED)
{
    return NET_TAKEN;
}

enum net_verdict world_not_now(struct world *world PUNKT_UNUSED, struct world_session *session PUNKT_UNUSED,
                               const struct frame *frame PUNKT_UNUSED)
{
    return NET_NOT_NOW;
}

enum net_verdict world_proving(struct world *world, struct world_session *session, const struct frame *frame)
{
    net_proven(world->net, session->name);
    return world_echo(world, session, frame);
}

enum net_verdict world_closing(struct world *world, struct world_session *session, const struct frame *frame)
{
    (void)world_echo(world, session, frame);
    return NET_CLOSE;
}

bool world_answer(struct world_session *session, const void *body, size_t size)
{
    return net_send(session->world->net, session->name, 1, 0, session->last_number, body, size, 1);
}

struct net_options world_options(void)
{
    struct net_options options = net_options_default();
    options.conns_max = 512;
    options.unproven_max = 64;
    options.pool_bytes = 4u * 1024 * 1024;
    options.monotonic_us = world_clock;
    return options;
}

struct world *world_new(const struct net_options *options)
{
    static const struct net_handler handler = { .open = on_open,
                                                .frame = on_frame,
                                                .broken = on_broken,
                                                .close = on_close,
                                                .psk = on_psk,
                                                .refused = on_refused };
    struct world *world = calloc(1, sizeof(*world));
    struct failure failure = { "" };
    assert_non_null(world);
    world->loop = event_base_new();
    assert_non_null(world->loop);
    world->now_us = 1000000;
    world->proves_at_once = true;
    world->on_frame = world_echo;
    assert_int_equal(net_open(options, &handler, world, world->loop, &world->net), PUNKT_OK);
    if (net_listen(world->net, NET_LISTEN_PLAIN, "127.0.0.1:0", world->address, sizeof(world->address),
                   &failure) != PUNKT_OK)
        fail_msg("%s", failure.text);
    return world;
}

void world_free(struct world *world)
{
    net_free(world->net);
    for (uint32_t i = 0; i < world->sessions_count; i++)
        assert_int_equal(world->sessions[i].closed, 1);
    event_base_free(world->loop);
    free(world);
}

void world_turn(struct world *world)
{
    (void)event_base_loop(world->loop, EVLOOP_ONCE | EVLOOP_NONBLOCK);
    net_turn_end(world->net);
}

int64_t world_real_ms(void)
{
    struct timespec now;
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &now), 0);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void world_patience(int64_t start_ms)
{
    if (world_real_ms() - start_ms > PATIENCE_MS)
        fail_msg("nothing happened for %d ms", PATIENCE_MS);
}

void world_advance(struct world *world, int64_t ms)
{
    world->now_us += ms * 1000;
    world_turn(world);
}

int client_dial(const struct world *world)
{
    return client_dial_to(world->address);
}

int client_dial_to(const char *where)
{
    const char *port = strrchr(where, ':') + 1;
    const struct sockaddr_in address = { .sin_family = AF_INET,
                                         .sin_port = htons((uint16_t)atoi(port)),
                                         .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    const int on = 1; /* single bytes go out at once */
    assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)), 0);
    return fd;
}

int client_connect(struct world *world, struct world_session **out_session)
{
    const uint32_t before = world->sessions_count;
    const int fd = client_dial(world);
    WORLD_UNTIL(world, world->sessions_count > before);
    *out_session = &world->sessions[before];
    return fd;
}

void client_send(int fd, const void *bytes, size_t size)
{
    const char *next = bytes;
    while (size > 0) {
        const ssize_t sent = send(fd, next, size, MSG_NOSIGNAL);
        assert_true(sent > 0);
        next += sent;
        size -= (size_t)sent;
    }
}

void client_send_frame(int fd, uint64_t number, const void *body, size_t size)
{
    uint8_t *frame = malloc(FRAME_HEADER_SIZE + size);
    assert_non_null(frame);
    frame_put_header(frame, (uint32_t)size, 1, 0, number);
    if (size > 0)
        memcpy(frame + FRAME_HEADER_SIZE, body, size);
    client_send(fd, frame, FRAME_HEADER_SIZE + size);
    free(frame);
}

void client_receive(struct world *world, int fd, void *out, size_t size)
{
    size_t have = 0;
    for (const int64_t start_ms = world_real_ms(); have < size; world_patience(start_ms)) {
        const ssize_t got = recv(fd, (char *)out + have, size - have, MSG_DONTWAIT);
        if (got > 0)
            have += (size_t)got;
        else if (got < 0 && errno == EAGAIN)
            world_turn(world);
        else
            fail_msg("the connection ended after %zu of %zu bytes", have, size);
    }
}

void client_expect(struct world *world, int fd, uint64_t number, const void *body, size_t size)
{
    uint8_t *bytes = malloc(FRAME_HEADER_SIZE + size);
    struct frame frame;
    size_t wanted;
    assert_non_null(bytes);
    client_receive(world, fd, bytes, FRAME_HEADER_SIZE + size);
    assert_int_equal(frame_split(bytes, FRAME_HEADER_SIZE + size, FRAME_BODY_MAX, &frame, &wanted),
                     FRAME_WHOLE);
    assert_int_equal(frame.number, number);
    assert_int_equal(frame.body_size, size);
    if (size > 0)
        assert_memory_equal(frame.body, body, size);
    free(bytes);
}

void client_expect_end(struct world *world, int fd)
{
    char byte;
    for (const int64_t start_ms = world_real_ms();; world_patience(start_ms)) {
        const ssize_t got = recv(fd, &byte, 1, MSG_DONTWAIT);
        if (got == 0 || (got < 0 && errno == ECONNRESET))
            return;
        assert_true(got < 0 && errno == EAGAIN);
        world_turn(world);
    }
}
