/*
 * A session: one connection to the server, the lane it speaks for, and the requests under way on it. A handle has one, or
 * with an outbox two: the live lane and the queue. For the files of this folder only.
 */
#pragma once

#include <punkt.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/buffer.h"
#include "lib/call.h"
#include "lib/link.h"
#include "lib/outbox.h"

/* Numbers of requests that change nothing carry this bit, and so never meet those of the lane. */
#define READ_NUMBER (UINT64_C(1) << 63)

#define REFUSAL_DETAIL_SIZE 401

/* One request under way.
 *
 *      FREE -> WAITING <-> IN_FLIGHT -> FREE         ended, the callback was called
 *                              '------> SETTLED      answered for good while nobody was waiting for it any more
 */
enum slot_state { SLOT_FREE, SLOT_WAITING, SLOT_IN_FLIGHT, SLOT_SETTLED };

struct slot {
    enum slot_state state;
    const struct call *call;
    uint16_t operation;
    bool change;
    uint16_t flags;             /* of the frame */
    uint64_t number;            /* 0: a change that was never staged */
    struct buffer frame;        /* room for the header, then the body */
    uint64_t deadline_us;       /* when the caller is told, whatever is known then */
    uint64_t staged_us;         /* when it was put behind the link's output last */
    uint64_t retry_us;          /* WAITING, not a change: not to be sent before */
    unsigned refusals;          /* retryable ones in a row */
    bool lost;                  /* was sent on a link that went down before the answer: it may be booked */
    bool in_doubt;              /* nobody waits any longer, or waits for it somewhere else (keeper) */
    bool keeper;                /* of the queue: on_done is ours, and is called whenever the answer comes */
    struct outbox_entry *entry; /* where it stands in the outbox; NULL: it does not */
    punkt_done_fn *on_done;
    void *ctx;
    uint32_t refusal_code; /* the last refusal that may be repeated; 0: none */
    int64_t refusal_needed;
    int64_t refusal_available;
    char refusal_detail[REFUSAL_DETAIL_SIZE];
    char card[PUNKT_CARD_MAX + 1]; /* whose balance its answer tells; "": none */
    struct buffer answer;          /* SETTLED: the answer's body, */
    uint16_t answer_type;          /* and of its header */
    uint16_t answer_flags;
};

struct session {
    struct punkt *punkt; /* whose it is */
    struct link link;
    bool ready;            /* the link is open and HELLO was answered on it */
    bool greeted;          /* HELLO was answered on this link before */
    bool suspect;          /* the last connection, or an attempt, was silent: until HELLO is answered again */
    bool wanted;           /* connect though nothing is under way */
    uint64_t hello_number; /* of the HELLO on this link, */
    uint64_t hello_first;  /* its first unanswered number, */
    uint64_t hello_us;     /* and when it was said */
    uint32_t hello_refusal;
    uint64_t ping_number; /* of the ping that keeps the link alive; 0: none is under way */
    uint64_t ping_us;     /* when it was staged */
    uint64_t received_us; /* when bytes came last */
    uint64_t active_us;   /* when bytes came, or a request was staged, last */
    bool input_left;      /* the link's input may hold a whole frame that nobody has looked at */

    uint64_t epoch;
    uint64_t next_number; /* of the lane: of the next change that was never staged */
    uint64_t next_read;
    uint64_t lane_retry_us; /* changes are held back until then */
    unsigned lane_refusals;
    bool lane_careful; /* after a refusal: one change at a time, until one is answered for good */
    unsigned window;

    struct slot slots[PUNKT_WINDOW_MAX];
    struct slot
        *order[PUNKT_WINDOW_MAX]; /* WAITING and IN_FLIGHT, as they were submitted; changes by number */
    unsigned order_count;
};

/* --- slots.c: requests under way, and the rules of the lane --- */

/* A free slot, or the oldest settled one; NULL if the window is full. It joins the order at slot_add. */
struct slot *slot_take(struct session *session);
void slot_add(struct session *session, struct slot *slot);

/* Fills a slot before it is added: with what was built into encoded, which is left empty. */
void slot_fill(struct slot *slot, const struct call *call, const struct build *build, struct buffer *encoded,
               uint64_t deadline_us, punkt_done_fn *on_done, void *ctx);

/* Takes a slot out of the order; what was to be sent is forgotten. */
void slot_remove(struct session *session, struct slot *slot, enum slot_state next);

/* The request in flight with this number; NULL if there is none. */
struct slot *slot_in_flight(struct session *session, uint64_t number);

/* A change that nobody waits for, still in doubt or settled; NULL if there is none of this number. */
struct slot *slot_in_doubt(struct session *session, uint64_t number);

/* First number of the lane without a final answer, as far as is known here: also one that the other session sends again. */
uint64_t lane_first_unanswered(const struct session *session);

/* The next request, at *index or later in the order, that may be sent now; NULL if there is none. To be called
 * from *index 0 on, with the requests it returned being staged in between. */
struct slot *lane_next(const struct session *session, uint64_t now_us, unsigned *index);

/* When lane_next will find something that it does not find now; UINT64_MAX: by itself, never. */
uint64_t lane_wake_us(const struct session *session, uint64_t now_us);

/* A request was refused, and may be sent again later. */
void lane_refused(struct session *session, struct slot *slot, uint64_t now_us);

/* A change was answered for good: what it held back may go. */
void lane_moved(struct session *session);

/* The link is down: what was in flight waits again. */
void lane_lost(struct session *session);

/* What to tell the caller of a request whose deadline has passed; takes the number back if that can be done. */
enum punkt_call lane_give_up(struct session *session, struct slot *slot);

/* --- session.c --- */

/* One round: connects, receives, gives up what is too late, sends. Nothing in it waits. readable: reading is worth a
 * try. */
void session_round(struct session *session, bool readable, uint64_t now_us);

/* When the open or opening link needs a round though it is silent. */
uint64_t session_due_us(const struct session *session, uint64_t now_us);

/* Whether every server was tried in vain, or was silent. */
bool session_down(const struct session *session);

/* What to poll for: PUNKT_WANT_... */
int session_wanted(const struct session *session, uint64_t now_us);

/* Closes the link; the words say why. */
__attribute__((format(printf, 3, 4))) void session_drop(struct session *session, uint64_t now_us,
                                                        const char *format, ...);

/* Nobody was answered in time: if not one byte came since the oldest request in flight was sent, the link is dropped. */
void session_doubt_link(struct session *session, uint64_t now_us);

/* Speaks for another lane from now on; nothing may be under way. */
void session_use_lane(struct session *session, uint64_t epoch, uint64_t next_number, uint64_t now_us);

/* Hands punkt->answer to whoever waits for the slot, which is out of the order already. */
void session_call_back(struct session *session, struct slot *slot);

/* punkt->answer, read for its operation's call, becomes what the caller of punkt_message asked for: the bytes as they came.
 * Of any other call it stays as it is. */
void session_answer_as(struct punkt *punkt, const struct call *call);

/* Fills punkt->answer from a slot's settled answer. False: it cannot be read. */
bool session_settled(struct session *session, const struct slot *slot);
