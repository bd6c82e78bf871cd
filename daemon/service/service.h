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
    /* Closes it after what was sent. */
    void (*close)(void *ctx, uint64_t conn);
    /* It is not read for so long: who sends too fast is slowed down. */
    void (*slow_down)(void *ctx, uint64_t conn, uint32_t milliseconds);
};

/* Who is at the other end of a connection, as its transport proved it: main copies it from net. */
enum service_proof {
    SERVICE_PROOF_LOCAL, /* the unproven loopback listener, or a Unix socket */
    SERVICE_PROOF_CERTIFICATE,
    SERVICE_PROOF_PSK,
    SERVICE_PROOF_CODE, /* an enrolment code: it may only enrol */
};
struct service_peer {
    enum service_proof proof;
    bool unix_socket;
    uint32_t uid;       /* of a Unix socket's peer */
    uint8_t key[32];    /* CERTIFICATE: SHA-256 of the public key */
    utc_us key_ends;    /* CERTIFICATE */
    uint64_t number;    /* PSK, CODE: whose the key is, as service_psk said */
    const char *source; /* the address without a port, or "unix": for the audit; copied */
};

#define SERVICE_PSK_MASTERS_MAX 8
#define SERVICE_UIDS_MAX 16

struct ca; /* ca.h */

struct service_limits {
    uint32_t in_flight_max;         /* told to clients at hello */
    uint32_t till_connections;      /* of one identity of role till: the newest wins; 0: 2 */
    uint32_t other_connections;     /* of one identity of another role: one more is refused; 0: 64 */
    uint32_t till_rate, till_burst; /* requests a second of a till, and how many at once; 50, 500 */
    uint32_t unknown_cards;         /* a minute and till, before the lock; 10 */
    uint32_t unknown_lock_s;        /* how long the lock lasts; 900 */
    uint32_t refusals_day;          /* of one identity that are remembered; 1,000 */
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

struct service_keys {
    uint8_t pepper[32]; /* of PINs and enrolment codes (LEDGER.md, Secrets) */
    /* Masters of pre-shared keys by number - 1; those whose bit is not set are not there. The newest makes new keys. */
    uint8_t psk_masters[SERVICE_PSK_MASTERS_MAX][32];
    uint32_t psk_masters_known;
};

struct service_options {
    struct ledger *ledger; /* borrowed; outlives the service */
    struct service_link link;
    struct service_limits limits;
    struct service_programmes programmes;
    const struct service_keys *keys; /* borrowed, outlives the service: it is where memory is locked */
    /* What enrolment hands out. */
    const struct ca *ca; /* NULL: nothing is signed here; tills and users bring certificates of another CA */
    uint16_t certificate_port; /* 0: nobody listens for certificates */
    uint16_t psk_port;         /* 0: nobody listens for pre-shared keys */
    uint16_t enrol_port;       /* 0: nobody listens for codes */
    const char *seal_key;      /* file of the key of seals; NULL: no seals are made */
    uint32_t uid_count; /* whose Unix connections are the local administrator's, besides root's and our own */
    uint32_t uids[SERVICE_UIDS_MAX];
};

/*
 * Makes the file of a first key of seals, which nothing overwrites; out_text is what the auditor keeps, to be wiped by the
 * caller. PUNKT_BUSY: it is there.
 */
#define SERVICE_SEAL_TEXT_MAX 168
PUNKT_MUST_CHECK enum punkt_status service_init_audit(const char *path, char out_text[SERVICE_SEAL_TEXT_MAX],
                                                      struct failure *failure);

/* Loads every published programme. PUNKT_INVALID: one of them cannot be read by this version. */
PUNKT_MUST_CHECK enum punkt_status service_open(const struct service_options *options,
                                                struct service **out_service, struct failure *failure);

/* The ports of service_options, once they are known: where 0 was asked for, a free one was picked. */
void service_listens(struct service *service, uint16_t certificate_port, uint16_t psk_port,
                     uint16_t enrol_port);

/* Publishes the programme as a new version in force from now, unless the newest has the same text. */
PUNKT_MUST_CHECK enum punkt_status service_publish(struct service *service, struct text text,
                                                   struct failure *failure);
/* Version of the newest programme; 0: none was published yet. */
uint32_t service_programme_version(const struct service *service);

enum service_verdict {
    SERVICE_TAKEN,
    SERVICE_NOT_NOW, /* no room in the ledger: offer the frame again after service_turn says so */
};

/* A connection opened or closed. NULL: it is refused. */
struct session *service_connected(struct service *service, uint64_t conn, const struct service_peer *peer);
void service_disconnected(struct service *service, struct session *session);

/*
 * The pre-shared key of the identity that a client names, for a listener for enrolment codes or one for keys, and the number
 * that says whose it is (of this key and no later one). False: there is none.
 */
PUNKT_MUST_CHECK bool service_psk(struct service *service, bool code, const char *identity, size_t size,
                                  uint8_t out_key[32], uint64_t *out_number);
/* A handshake failed: counted for the audit, and against the code whose number it is. */
void service_proof_refused(struct service *service, const struct service_peer *peer, const char *what);

PUNKT_MUST_CHECK enum service_verdict service_frame(struct service *service, struct session *session,
                                                    const struct frame *frame);
/* The frame's header announces too long a body: tells the client, whose connection then closes. */
void service_broken(struct service *service, struct session *session, const struct frame *frame);

/*
 * To be called once a turn, after ledger_process and before ledger_turn_end: sends the answers whose events are
 * durable, goes on with requests that waited. True: there is room, frames may be offered.
 */
bool service_turn(struct service *service);

/* Before a clean stop: what is counted is booked at once, or as soon as there is room. */
void service_end(struct service *service);

/* Something becomes due by itself right now: the next turn should not wait for a socket. */
bool service_has_work(const struct service *service);

/* No answer waits for the disk, and nothing that a clean stop should book: it gives them a moment. */
bool service_is_idle(const struct service *service);

/* After the ledger's threads have ended. NULL is fine. */
void service_free(struct service *service);
