/*
 * A frame becomes a request of a proven identity, a request a decision, a decision an answer:
 *
 *   service_frame -> session (hello, identity, lane) -> operation table -> points -> ledger
 *   -> answer, held back until what it reports is durable -> link.send
 *
 * Knows no sockets: connections are numbers, and what goes out goes through struct service_link.
 * Belongs to the loop thread.
 */
#pragma once

#include "base/base.h"
#include "base/status.h"
#include "base/text.h"
#include "ledger/ledger.h"
#include "points/programme.h"
#include "proto/frame.h"

struct service;
struct session;

/* What service needs of the connections. */
struct service_link {
    void *ctx;
    /* Sends an answer to one request; a connection that is gone drops it. */
    void (*send)(void *ctx, uint64_t conn, uint16_t type, uint16_t flags, uint64_t number, const void *body,
                 size_t size);
    /* The connection said hello. */
    void (*proven)(void *ctx, uint64_t conn);
};

struct service_limits {
    uint32_t in_flight_max; /* told to clients at hello */
};

/* How texts of a programme are read: by main, from ops. */
struct service_programmes {
    /* Compiles it; false: failure says why. */
    bool (*read)(struct text text, struct programme *out, struct failure *failure);
    /* Calls `each` for every mistake; line 0: of the whole text. */
    void (*check)(struct text text, void (*each)(void *ctx, uint32_t line, uint32_t column, struct text what),
                  void *ctx);
    /* Calls `each` for every difference of two valid texts. */
    void (*diff)(struct text before, struct text after, void (*each)(void *ctx, struct text line), void *ctx);
};

struct service_options {
    struct ledger *ledger; /* borrowed; outlives the service */
    struct service_link link;
    struct service_limits limits;
    struct service_programmes programmes;
    uint8_t pepper[32]; /* of PINs (LEDGER.md, Secrets) */
};

/* Loads every published programme. PUNKT_INVALID: one of them cannot be read by this version. */
PUNKT_MUST_CHECK enum punkt_status service_open(const struct service_options *options,
                                                struct service **out_service, struct failure *failure);

/* Publishes the programme as a new version in force from now, unless the newest has the same text. */
PUNKT_MUST_CHECK enum punkt_status service_publish(struct service *service, struct text text,
                                                   struct failure *failure);
/* Version of the newest programme; 0: none was published yet. */
uint32_t service_programme_version(const struct service *service);

enum service_verdict {
    SERVICE_TAKEN,
    SERVICE_NOT_NOW, /* no room in the ledger: offer the frame again after service_turn says so */
};

/* A connection opened or closed. NULL: no memory. */
struct session *service_connected(struct service *service, uint64_t conn);
void service_disconnected(struct service *service, struct session *session);

PUNKT_MUST_CHECK enum service_verdict service_frame(struct service *service, struct session *session,
                                                    const struct frame *frame);
/* The frame's header announces too long a body: tells the client, whose connection then closes. */
void service_broken(struct service *service, struct session *session, const struct frame *frame);

/*
 * To be called once a turn, after ledger_process and before ledger_turn_end: sends the answers whose events are
 * durable, goes on with requests that waited. True: there is room, frames may be offered.
 */
bool service_turn(struct service *service);

/* Something becomes due by itself right now: the next turn should not wait for a socket. */
bool service_has_work(const struct service *service);

/* Answers that wait for the disk: a clean stop gives them a moment. */
bool service_is_idle(const struct service *service);

/* After the ledger's threads have ended. NULL is fine. */
void service_free(struct service *service);
