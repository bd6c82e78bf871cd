/*
 * A handle inside: its link, its lane and the requests under way. For the files of this folder only.
 */
#pragma once

#include <punkt.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/buffer.h"
#include "lib/call.h"
#include "lib/link.h"

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
    uint16_t flags;       /* of the frame */
    uint64_t number;      /* 0: a change that was never staged */
    struct buffer frame;  /* room for the header, then the body */
    uint64_t deadline_us; /* when the caller is told, whatever is known then */
    uint64_t staged_us;   /* when it was put behind the link's output last */
    uint64_t retry_us;    /* WAITING, not a change: not to be sent before */
    unsigned refusals;    /* retryable ones in a row */
    bool lost;            /* was sent on a link that went down before the answer: it may be booked */
    bool in_doubt;        /* the caller was told PUNKT_CALL_UNKNOWN and waits no longer */
    punkt_done_fn *on_done;
    void *ctx;
    uint32_t refusal_code; /* the last refusal that may be repeated; 0: none */
    int64_t refusal_needed;
    int64_t refusal_available;
    char refusal_detail[REFUSAL_DETAIL_SIZE];
    struct buffer answer; /* SETTLED: the answer's body, */
    uint16_t answer_type; /* and of its header */
    uint16_t answer_flags;
};

struct punkt {
    struct link link;
    bool ready;            /* the link is open and HELLO was answered on it */
    bool connect_wanted;   /* punkt_connect is waiting */
    uint64_t hello_number; /* of the HELLO on this link */
    uint32_t hello_refusal;
    uint64_t ping_number; /* of the ping that keeps the link alive; 0: none is under way */
    uint64_t ping_us;     /* when it was staged */
    uint64_t received_us; /* when bytes came last */
    uint64_t active_us;   /* when bytes came, or a request was staged, last */
    bool input_left;      /* the link's input may hold a whole frame that nobody has looked at */

    uint64_t epoch;
    uint64_t next_number; /* of the lane */
    uint64_t next_read;
    uint64_t lane_retry_us; /* changes are held back until then */
    unsigned lane_refusals;
    bool lane_careful; /* after a refusal: one change at a time, until one is answered for good */

    uint32_t timeout_ms;
    unsigned window;
    char software[65];
    struct punkt_server_info info;
    bool ledger_known; /* journal id and term of info are to be held against a server's */

    struct slot slots[PUNKT_WINDOW_MAX];
    struct slot
        *order[PUNKT_WINDOW_MAX]; /* WAITING and IN_FLIGHT, as they were submitted; changes by number */
    unsigned order_count;

    struct buffer lists; /* for encoding */
    struct buffer arena; /* what answers point to */
    union any_answer answer;
    char trouble[LINK_TROUBLE_SIZE];
    bool in_callback;
    bool stop;      /* what a blocking call waited for has ended: leave its answer alone */
    unsigned ended; /* requests that ended in this round */
};

/* --- slots.c: requests under way, and the rules of the lane --- */

/* A free slot, or the oldest settled one; NULL if the window is full. It joins the order at slot_add. */
struct slot *slot_take(struct punkt *punkt);
void slot_add(struct punkt *punkt, struct slot *slot);

/* Takes a slot out of the order; what was to be sent is forgotten. */
void slot_remove(struct punkt *punkt, struct slot *slot, enum slot_state next);

/* The request in flight with this number; NULL if there is none. */
struct slot *slot_in_flight(struct punkt *punkt, uint64_t number);

/* A change that nobody waits for, still in doubt or settled; NULL if there is none of this number. */
struct slot *slot_in_doubt(struct punkt *punkt, uint64_t number);

/* First number of the lane without a final answer, as far as is known here. */
uint64_t lane_first_unanswered(const struct punkt *punkt);

/* The next request, at *index or later in the order, that may be sent now; NULL if there is none. To be called
 * from *index 0 on, with the requests it returned being staged in between. */
struct slot *lane_next(const struct punkt *punkt, uint64_t now_us, unsigned *index);

/* When lane_next will find something that it does not find now; UINT64_MAX: by itself, never. */
uint64_t lane_wake_us(const struct punkt *punkt, uint64_t now_us);

/* A request was refused, and may be sent again later. */
void lane_refused(struct punkt *punkt, struct slot *slot, uint64_t now_us);

/* A change was answered for good: what it held back may go. */
void lane_moved(struct punkt *punkt);

/* The link is down: what was in flight waits again. */
void lane_lost(struct punkt *punkt);

/* What to tell the caller of a request whose deadline has passed; takes the number back if that can be done. */
enum punkt_call lane_give_up(struct punkt *punkt, struct slot *slot);

/* --- process.c --- */

/* punkt_process, and whether reading is worth a try. */
unsigned process(struct punkt *punkt, bool readable);

/* When the open or opening link needs a round though it is silent. */
uint64_t process_due_us(const struct punkt *punkt, uint64_t now_us);

/* Fills punkt->answer from a slot's settled answer. False: it cannot be read. */
bool process_settled(struct punkt *punkt, const struct slot *slot);

/* --- client.c --- */

/* Encodes a request into a slot and puts it into the order. */
enum punkt_call submit(struct punkt *punkt, const struct call *call, const void *request,
                       punkt_done_fn *on_done, void *ctx);

/* Submits and waits. */
enum punkt_call call_and_wait(struct punkt *punkt, const struct call *call, const void *request,
                              struct punkt_answer *out_answer);
