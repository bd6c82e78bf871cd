/*
 * A server that does what a test tells it: a thread with one listening socket, driven by a script of the test's own.
 * Nothing in a script blocks for longer than SERVER_PATIENCE_MS. The first thing that goes wrong sticks, makes
 * all that follows do nothing, and fails the test in server_join.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "proto/message.h"

#define SERVER_PATIENCE_MS 10000

struct server;
typedef void server_script_fn(struct server *server);

/* What lies between a connection and its frames: bytes in and out as recv and send do, waiting no longer than a script may. */
struct server_stream {
    ssize_t (*receive)(void *ctx, void *bytes, size_t size);
    ssize_t (*send)(void *ctx, const void *bytes, size_t size);
    void (*close)(void *ctx); /* before the connection is closed; ctx is gone after it */
};

struct server {
    int listener;
    int connection;                     /* -1: none */
    const struct server_stream *stream; /* NULL: the connection itself */
    void *stream_ctx;
    pthread_t thread;
    server_script_fn *script;
    char address[64]; /* HOST:PORT, for the client */
    char failure[200];
    bool connection_closed;        /* the failure is that the client closed while a frame was expected */
    struct msg_hello_answer hello; /* what the next HELLO is answered with */
    uint64_t hello_epoch;          /* what the last HELLO said */
    uint64_t hello_first_unanswered;
    struct frame frame; /* the last one received, whole */
    uint8_t body[FRAME_BODY_MAX];
};

/* Listens on a free port of 127.0.0.1, or on path, and runs the script on a thread. */
void server_start(struct server *server, const char *path, server_script_fn *script);

/* Waits for the script's end; fails the test if something went wrong in it. */
void server_join(struct server *server);

/* For scripts. */
__attribute__((format(printf, 2, 3))) void server_fail(struct server *server, const char *format, ...);
bool server_good(const struct server *server);
void server_accept(struct server *server);
void server_close(struct server *server);

/* Waits until the client has closed. */
void server_expect_close(struct server *server);

/* Lays a stream over the connection that was accepted, until it is closed. */
void server_use_stream(struct server *server, const struct server_stream *stream, void *ctx);

/* Receives one frame, into server->frame; it must be this operation. Returns its number. */
uint64_t server_expect(struct server *server, enum operation operation);

/* The same, and its number must be this one. */
void server_expect_number(struct server *server, enum operation operation, uint64_t number);

/* Receives HELLO and answers it with server->hello. */
void server_hello(struct server *server);

/* server_accept and server_hello. */
void server_welcome(struct server *server);

/* Takes the secret part off the last frame, with NUL; "" if it has none. */
void server_secret(struct server *server, char out[FRAME_SECRET_MAX + 1]);

/* Decodes the last frame, without a secret part. */
void server_decode(struct server *server, enum message message, struct message_memory *memory, void *out);

void server_send(struct server *server, const void *bytes, size_t size);

/* Answers with a message, or a refusal. */
void server_done(struct server *server, enum operation operation, uint64_t number, uint16_t flags,
                 const void *in);
void server_refuse(struct server *server, enum operation operation, uint64_t number, enum result result,
                   const char *detail);

/* Answers purchase `number` with its number as points earned. */
void server_done_purchase(struct server *server, uint64_t number, uint16_t flags);
