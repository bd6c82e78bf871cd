/*
 * A small world around net: a loop turned by hand, a clock that only the test moves, a handler that
 * records what it gets and does what the test says, and clients over real sockets. One world a test.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <event2/event.h>

#include "net/internal.h"

#define WORLD_SESSIONS 1200

struct world;

struct world_session {
    struct world *world;
    struct net_conn_name name;
    struct net_peer peer;
    bool open;
    uint32_t frames;
    uint32_t broken;
    uint32_t closed;
    uint32_t last_body_size;
    uint64_t last_number;
};

/* A pre-shared key that the handler knows. */
struct world_key {
    const char *identity;
    uint8_t key[NET_PSK_SIZE];
    uint64_t number;
};

/* What the handler does with a frame: the tests set it, the default answers with the same body. */
typedef enum net_verdict world_frame_fn(struct world *world, struct world_session *session,
                                        const struct frame *frame);

struct world {
    struct event_base *loop;
    struct net *net;
    int64_t now_us;
    char address[128];
    bool refuses;        /* open() returns NULL */
    bool proves_at_once; /* open() proves; on unless the test says otherwise */
    world_frame_fn *on_frame;
    int64_t clock_step_us; /* the clock moves on by itself, each time it is read */
    const struct world_key *keys;
    size_t keys_count;
    enum net_listener asked_kind; /* where a key was asked for last */
    uint32_t refused;             /* handshakes, and what was said of the last one: */
    char refused_what[128];
    char refused_identity[NET_PSK_IDENTITY_MAX + 1];
    uint64_t refused_number;
    enum net_proof refused_proof;
    uint32_t sessions_count;
    uint64_t frames;
    uint64_t order[4096]; /* numbers of the first frames, as they came */
    struct world_session sessions[WORLD_SESSIONS];
};

/* Small limits where the default is large: tests change a copy. */
struct net_options world_options(void);

/* A world with one listener on a free loopback port. */
struct world *world_new(const struct net_options *options);
void world_free(struct world *world);

/* One turn of the loop that does not wait, and its end. */
void world_turn(struct world *world);

/* Fails the test when a wait that began at start_ms has lasted too long; for loops that turn the world. */
void world_patience(int64_t start_ms);
int64_t world_real_ms(void);

/* Turns until the claim holds; fails the test when it does not in a while. */
#define WORLD_UNTIL(world, claim)                                                                            \
    do {                                                                                                     \
        for (const int64_t start_ms_ = world_real_ms(); !(claim); world_patience(start_ms_))                 \
            world_turn(world);                                                                               \
    } while (0)

/* Moves the clock and ends a turn, so that time-outs are seen. */
void world_advance(struct world *world, int64_t ms);

world_frame_fn world_echo;    /* answers at once */
world_frame_fn world_hold;    /* takes, answers never; the test answers */
world_frame_fn world_not_now; /* has no room */
world_frame_fn world_proving; /* proves on the first frame, answers */
world_frame_fn world_closing; /* answers, then closes */

/* Answers the last frame of a session; false when its connection is gone. */
bool world_answer(struct world_session *session, const void *body, size_t size);

/* A client's socket, blocking, connected to the world's first listener, and its session. */
int client_connect(struct world *world, struct world_session **out_session);

/* The same without waiting until the world has accepted it. */
int client_dial(const struct world *world);

/* The same to a port of this host: "127.0.0.1:PORT". */
int client_dial_to(const char *where);

/* Sends all bytes. */
void client_send(int fd, const void *bytes, size_t size);
void client_send_frame(int fd, uint64_t number, const void *body, size_t size);

/* Turns the world until that many bytes came, and reads them. */
void client_receive(struct world *world, int fd, void *out, size_t size);

/* Reads one answer and expects this number and body. */
void client_expect(struct world *world, int fd, uint64_t number, const void *body, size_t size);

/* Whether the other side has closed, and nothing is left to read. Turns the world until it is known. */
void client_expect_end(struct world *world, int fd);
