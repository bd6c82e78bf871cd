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

struct service_world {
    char dir[64];
    struct ledger *ledger;
    struct service *service;
    struct session *session;
    uint64_t number, read_number;
    struct service_reply reply;
    uint8_t request[FRAME_BODY_MAX];
};

/* programme: YAML, published at once; NULL: the one without a file. */
struct service_world *service_world_new(const char *programme);
void service_world_free(struct service_world *world);

/*
 * Sends a request, as the next of its lane or a read, and waits for the answer, in world->reply until the next one. The
 * first with these bytes or a refusal: what it says.
 */
enum result service_call(struct service_world *world, enum operation operation, uint16_t flags,
                         const void *message);
/* Lets the threads work, then a turn of the service. */
void service_turns(struct service_world *world);

struct wire_code code(const char *text);
