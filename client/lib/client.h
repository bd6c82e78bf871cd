/*
 * A handle inside: its sessions, its outbox, and what is known of the server. For the files of this folder only.
 */
#pragma once

#include "lib/day.h"
#include "lib/heap.h"
#include "lib/known.h"
#include "lib/offline.h"
#include "lib/queue.h"
#include "lib/session.h"
#include "lib/sizes.h"

/* Somebody who waits for an operation of the queue. Out of use: on_done is NULL. */
struct waiter {
    struct outbox_entry *entry;
    const struct call *call;
    punkt_done_fn *on_done;
    void *ctx;
    uint64_t deadline_us;
    struct buffer secret;   /* the PIN part of its body, which is in no outbox */
    struct build_note note; /* of its request */
    uint32_t operation;
    bool again;                   /* punkt_wait: QUEUED is nothing new to it */
    int64_t granted;              /* points redeemed by the offline rules, and */
    int64_t granted_worth;        /* what they are worth: told with QUEUED */
    int64_t held, held_worth;     /* what it captures of holds: told with QUEUED, too */
    enum offline_verdict verdict; /* not granted: told with REFUSED; entry is NULL */
    int64_t left;                 /* points that could have been */
};

/* A socket that the handle's epoll descriptor watches. */
struct watched {
    unsigned serial; /* of the link's socket; 0: none */
    int wanted;
};

struct closing;

struct punkt {
    struct session live;
    struct session queue; /* unused without an outbox */
    struct heap heap;
    struct tls_context *tls; /* of both links; NULL: plain bytes */

    struct outbox *outbox; /* NULL: none */
    struct outbox_entry
        *feed; /* the next OPEN one of the lane of the queue's session to be given to it; NULL: none */
    struct waiter waiters[PUNKT_WINDOW_MAX];
    unsigned waiter_count;
    const struct outbox_entry *looked_at; /* by punkt_outbox_entry last; NULL: begin anew */
    uint64_t looked_index;
    uint32_t outbox_max; /* operations without an answer */
    uint64_t outbox_opened_us;
    bool leftovers;     /* there may be OPEN entries of other lanes than the queue's own */
    uint64_t *to_check; /* lanes to be held against a server that may have lost some of them; owned */
    size_t check_count;
    uint64_t checking_term;   /* the server's for which they are; 0: none was newer in this handle */
    uint64_t checked_term;    /* up to this term all lanes are known to be whole; kept in the outbox */
    uint64_t feed_us;         /* nothing is fed before: it could not be read; 0: the last could */
    uint64_t flush_us;        /* what is settled is not written before: the disk refused */
    struct balances balances; /* seen */
    struct closing *closing;  /* a close of a day that is under way; NULL: none */
    char store[33], till[33];
    int epoll; /* -1: none */
    struct watched watched[2];

    uint32_t timeout_ms;
    unsigned window;
    char software[65];
    uint32_t receipt_width;
    char language[33];
    struct punkt_server_info info;
    bool ledger_known; /* journal id and term of info are to be held against a server's */
    char offline_text[OFFLINE_LINES_MAX][OFFLINE_LINE_SIZE]; /* what to print when a sale is queued */
    unsigned offline_line_count;
    const char *offline_lines[OFFLINE_LINES_MAX];

    punkt_alarm_fn *on_alarm;
    punkt_done_fn *on_settled;
    void *ctx; /* of both */
    bool alarmed_stuck, alarmed_clock, alarmed_failed, alarmed_full, alarmed_ledger;

    struct buffer lists;   /* for encoding */
    struct buffer encoded; /* a request that goes to the outbox */
    struct buffer arena;   /* what answers point to */
    union any_answer answer;
    uint16_t answer_flags;                 /* of its frame */
    const struct call_bytes *answer_bytes; /* what it was read from, while that is there; else NULL */
    char trouble[LINK_TROUBLE_SIZE];
    bool in_callback;
    bool stop;      /* what a blocking call waited for has ended: leave its answer alone */
    unsigned ended; /* requests that ended in this round */
};

/* --- handle.c --- */

/* What punkt_trouble says of the call that is on. */
void say_trouble(struct punkt *punkt, const char *text);

/* How long a call may take; 0: as the handle's. */
uint64_t budget_us(const struct punkt *punkt, uint32_t timeout_ms);

/* Calls back with punkt->answer. */
void tell(struct punkt *punkt, punkt_done_fn *on_done, void *ctx);

__attribute__((format(printf, 3, 4))) void alarm_somebody(struct punkt *punkt, enum punkt_alarm alarm,
                                                          const char *format, ...);

/* --- client.c --- */

/* Encodes a request and sends it on its way. */
enum punkt_call submit(struct punkt *punkt, const struct call *call, const void *request,
                       punkt_done_fn *on_done, void *ctx);

/* Submits and waits. */
enum punkt_call call_and_wait(struct punkt *punkt, const struct call *call, const void *request,
                              struct punkt_answer *out_answer);

/* Who waits in a blocking call, and where its answer goes. */
struct waiting {
    struct punkt_answer *out;
    bool ended;
};

/* Whether a blocking call may be made; otherwise trouble says why not. */
bool wait_allowed(struct punkt *punkt, const struct punkt_answer *out_answer);

/* The callback of one who waits; ctx is the struct waiting. */
punkt_done_fn wait_collect;

/* Drives the handle until it has ended. */
enum punkt_call wait_for(struct punkt *punkt, struct waiting *waiting);

/* Copies as much of an answer as the caller's struct holds. */
void wait_copy(const struct punkt_answer *answer, struct punkt_answer *out);

/* For a call that ended before it was anything in the handle; call is NULL where there is none. */
enum punkt_call end_call(struct punkt *punkt, const struct call *call, enum punkt_call how,
                         struct punkt_answer *out_answer);
