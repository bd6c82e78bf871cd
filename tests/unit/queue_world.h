/*
 * A till with an outbox and its server, for tests of the queue. The server is a thread that keeps lanes as strictly as
 * punktd does, remembers what it answered, does what its rules say, and writes down every frame that came. The till is
 * a handle that collects what it was told.
 *
 *      struct queue_world *world = world_new(&(struct world_options){ 0 });
 *      world_rule(world, (struct rule){ .operation = OPERATION_PURCHASE, .habit = HABIT_SILENT });
 *      ...
 *      world_free(world);                     fails the test if something went wrong on either side
 *
 * Nothing waits for longer than PATIENCE_MS.
 */
#pragma once

#include <pthread.h>
#include <punkt.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "proto/message.h"

#define PATIENCE_MS 20000
#define SHORT_MS 120 /* a deadline that is meant to pass */
#define CARD "2900000000018"
#define OTHER_CARD "2900000000025"

enum habit {
    HABIT_REFUSE,       /* with result */
    HABIT_SILENT,       /* neither booked nor answered */
    HABIT_MUTE,         /* booked, not answered */
    HABIT_HANG_UP,      /* closes the connection instead */
    HABIT_HANG_UP_DONE, /* books, then closes */
};

/* What the server does to some requests instead of booking them. */
struct rule {
    enum operation operation; /* 0: any */
    uint64_t number;          /* 0: any */
    unsigned times;           /* 0: always */
    enum habit habit;
    enum result result;
};

/* A frame that came. */
struct heard {
    unsigned connection; /* counts up */
    uint64_t epoch;      /* of the connection's lane */
    uint64_t number;     /* of a HELLO: the first that is unanswered */
    uint16_t operation, flags;
    char secret[65];
    uint8_t body[256]; /* its beginning, without the secret part */
    size_t body_size;
};

/* How something ended for the till. */
struct told {
    enum punkt_call call;
    uint32_t code, operation;
    uint64_t epoch, number;
    int64_t redeemed, paid; /* of purchases and redemptions */
    size_t text_count;
    bool replayed;
};

#define HEARD_MAX 4096
#define TOLD_MAX 512
#define ALARMS 16

struct world_options {
    const char *more_servers; /* before the world's own, with a comma behind; NULL: none */
    unsigned window;
    uint32_t timeout_ms; /* 0: PATIENCE_MS */
    uint32_t outbox_max;
    bool away; /* the server does not listen yet */
};

struct world_server;

struct queue_world {
    struct world_options options;
    char folder[64], address[96], servers[256], outbox[96];
    struct world_server *server;
    struct punkt *punkt;
    struct told ended[TOLD_MAX], settled[TOLD_MAX];
    unsigned ended_count, settled_count;
    unsigned alarms[ALARMS];                   /* how often, by enum punkt_alarm */
    char alarm_text[400];                      /* of the last */
    unsigned processed;                        /* calls of punkt_process by world_until */
    void (*inside)(struct queue_world *world); /* called at the end of each callback; NULL: nothing */
};

struct queue_world *world_new(const struct world_options *options);
void world_free(struct queue_world *world);

/* --- the server --- */

/* What HELLO is answered with, from now on, but for time and last_booked. */
struct msg_hello_answer world_hello(struct queue_world *world);
void world_set_hello(struct queue_world *world, const struct msg_hello_answer *hello);

void world_rule(struct queue_world *world, struct rule rule);
void world_forget_rules(struct queue_world *world);

/* Nobody listens, and all connections are closed; or it does again. */
void world_away(struct queue_world *world, bool away);

/* Connections are taken, and nothing is read or said. */
void world_silent(struct queue_world *world, bool silent);

/* The balance that answers tell. */
void world_balance(struct queue_world *world, int64_t available);

/* How far the server's clock is ahead of this machine's, from the next HELLO on. */
void world_clock(struct queue_world *world, int64_t ahead_us);

/* All behind that number of the lane is forgotten. */
void world_lose(struct queue_world *world, uint64_t epoch, uint64_t highest);

/* Frames that came so far, and one of them. */
unsigned world_heard(struct queue_world *world);
struct heard world_frame(struct queue_world *world, unsigned index);

/* Of the changes of this operation (0: any) that came, the index-th; false: there are fewer. */
bool world_change(struct queue_world *world, enum operation operation, unsigned index, struct heard *out);
unsigned world_changes(struct queue_world *world, enum operation operation);

/* How many changes of this operation (0: any) are booked. */
unsigned world_booked(struct queue_world *world, enum operation operation);

/* The highest number of a lane that was answered for good. */
uint64_t world_highest(struct queue_world *world, uint64_t epoch);

/* --- the till --- */

/* Opens the handle (world_new does), and closes it. */
void till_open(struct queue_world *world);
void till_close(struct queue_world *world);

/* The callback that collects into world->ended; its ctx is the world. */
punkt_done_fn till_ended;

/* A blocking purchase of so many minor units. */
enum punkt_call till_buy(struct queue_world *world, int64_t amount, uint32_t timeout_ms,
                         struct punkt_purchase_answer *out);
/* A submitted one; fails the test unless it is taken. */
void till_submit(struct queue_world *world, int64_t amount, uint32_t timeout_ms);
/* A purchase that redeems points. */
void till_submit_wish(struct queue_world *world, const char *card, int64_t points, uint32_t timeout_ms);
void till_submit_redeem(struct queue_world *world, int64_t points, uint32_t timeout_ms);

/* Operations that have no answer yet. */
uint64_t till_queued(const struct queue_world *world);

/* The index-th entry of the outbox; fails the test if there is none. */
struct punkt_outbox_entry till_entry(const struct queue_world *world, uint64_t index);
uint64_t till_entries(const struct queue_world *world);

/* Drives the handle as an event loop would, by punkt_fd and punkt_timeout_ms alone, until `until` holds (or fails the
 * test). */
typedef bool until_fn(struct queue_world *world);
void world_until(struct queue_world *world, until_fn *until, const char *what);
void world_until_ended(struct queue_world *world, unsigned count);
void world_until_settled(struct queue_world *world, unsigned count);
void world_until_empty(struct queue_world *world);
void world_until_link(struct queue_world *world, enum punkt_link_state state);
