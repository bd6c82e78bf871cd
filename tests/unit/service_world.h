/*
 * A ledger in a folder of its own and the service over it, for tests: requests are frames, answers are waited for.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "service/internal.h"

/* An answer, or the refusal. */
struct service_reply {
    bool come;
    uint64_t number;
    uint16_t type;
    size_t size;
    uint8_t body[FRAME_BODY_MAX];
    enum result result; /* RESULT_DONE: message is the answer */
    union message_any message;
    uint8_t lists[8 << 20];
};

#define WORLD_CONNECTIONS 80

struct service_world {
    char dir[64];
    struct ledger *ledger;
    struct service *service;
    uint64_t conn;           /* of the connection that requests go over */
    struct session *session; /* and its session */
    uint64_t number, read_number;
    /* Of connection i + 1, while another one is spoken over. */
    struct {
        struct session *session;
        uint64_t number;
        bool closed; /* the service asked for it */
    } connections[WORLD_CONNECTIONS];
    uint32_t connection_count;
    uint32_t slowed;    /* how often a connection was to be read more slowly */
    uint32_t slowed_ms; /* and for how long the last time */
    struct service_options options;
    struct service_keys keys; /* that these name */
    struct service_reply reply;
    uint8_t request[FRAME_BODY_MAX];
};

/* programme: YAML, published at once; NULL: one that awards a point a euro. */
struct service_world *service_world_new(const char *programme);
void service_world_free(struct service_world *world);

/*
 * Sends a request, as the next of its lane or a read, and waits for the answer, in world->reply until the next one. The
 * first with these bytes or a refusal: what it says.
 */
enum result service_call(struct service_world *world, enum operation operation, uint16_t flags,
                         const void *message);
/* Another connection; requests go over it from now on, from number 1. Returns its name. */
uint64_t service_join(struct service_world *world, const struct service_peer *peer);
/* Says hello over it for a lane. */
enum result service_hello(struct service_world *world, uint64_t epoch);
/* Requests go over another one again. The first of a world is 1. */
void service_speak(struct service_world *world, uint64_t conn);
/* Whether the service asked for a connection to be closed. */
bool service_closed(const struct service_world *world, uint64_t conn);
/* Its other end is gone. Not that of the one spoken over. */
void service_leave(struct service_world *world, uint64_t conn);
/* Stops the service and the ledger, and starts them again over the same folder; nobody is connected but a first one. */
void service_world_restart(struct service_world *world);
/* Lets the threads work, then a turn of the service. */
void service_turns(struct service_world *world);

struct wire_code code(const char *text);
