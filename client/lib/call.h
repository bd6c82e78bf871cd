/*
 * The calls: for each operation, how its public request becomes a message, and a message its public answer.
 */
#pragma once

#include <punkt.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buffer.h"
#include "proto/message.h"

/* What every public request begins with. */
struct request_head {
    size_t size;
    uint32_t flags;
    uint32_t timeout_ms;
};

/* What the outbox and the offline rules want to know of a request, noted while it is encoded. */
struct build_note {
    char card[PUNKT_CARD_MAX + 1];
    int64_t amount;        /* of the goods, minor units */
    int32_t business_date; /* days since 1970; 0: none */
    int64_t bill;   /* no more is redeemed, minor units; 0: not said; below zero: nothing is to be paid */
    int64_t points; /* to be redeemed by points, */
    int64_t wishes[PUNKT_WISHES_MAX]; /* as so many wishes, each of which is cut by itself; */
    unsigned wish_count;
    bool rewards;                          /* by rewards, */
    uint64_t holds[PUNKT_WISHES_MAX];      /* and by capturing holds: their positions, */
    int64_t hold_points[PUNKT_WISHES_MAX]; /* and how much of each; 0: all of it */
    unsigned hold_count;
    uint64_t epoch, number; /* of the original of a reversal */
};

/* A request on its way into a frame. */
struct build {
    struct buffer *frame;     /* gets the body, behind FRAME_HEADER_SIZE bytes left free */
    struct buffer *lists;     /* memory for lists while encoding */
    struct request_head head; /* the flags are those of the frame */
    uint32_t operation;
    uint64_t began_us;        /* when the caller began to wait for it, by link_now_us() */
    uint64_t epoch;           /* of the handle */
    const char *store, *till; /* where a request names none; NULL: "0" */
    int64_t now_us;           /* when a change happened that does not say so; 0: leave it to the server */
    int32_t today;            /* its business date, likewise */
    bool own_place;           /* those are the only ones: the outbox is that till's */
    uint32_t card_check;      /* enum punkt_card_check */
    struct build_note note;
    const char *wrong; /* after a failure: what cannot be sent, of static lifetime; NULL: no memory */
    const char *field; /* of a body that was given, which is wrong, of static lifetime; NULL: none */
};

/* Encodes a public request (NULL allowed only for plain ones). */
typedef bool call_encode_fn(struct build *build, const void *request);

union any_answer {
    struct punkt_answer head;
    struct punkt_return_answer any_return;
#define CALL(NAME, name, request, answer) struct answer name##_;
#include "lib/calls.def"
#undef CALL
    struct punkt_message_answer message_;
    struct punkt_close_day_answer close_day_;
};

/* Fills what stands behind the head of a public answer from a decoded message; texts and entries are placed in
 * memory. False: something does not fit. */
typedef bool call_fill_fn(const void *message, struct message_memory *memory, union any_answer *out);

struct call {
    uint32_t operation;   /* PUNKT_OPERATION_NONE: punkt_message, whose request says which */
    enum message message; /* of the answer */
    size_t answer_size;
    call_encode_fn *encode;
    call_fill_fn *fill; /* NULL: the answer is the body as it came */
};

/* The call of an operation; that of punkt_message if it has none of its own. */
const struct call *call_of(uint32_t operation);

#define CALL(NAME, name, request, answer)                                                                    \
    call_encode_fn encode_##name;                                                                            \
    call_fill_fn fill_##name;
#include "lib/calls.def"
#undef CALL
call_encode_fn encode_message;

/* An answer as it came. */
struct call_bytes {
    uint16_t type; /* of its frame */
    const void *body;
    size_t size;
};

/*
 * Decodes an answer, done or refused, into out: head zeroed but for size, call, code, name, text, operation, and
 * what a refusal says. Memory is kept in arena, and what out points to lives there until the next use of it.
 * False: the body is not what it should be, or no memory.
 */
bool call_decode(const struct call *call, const struct call_bytes *bytes, struct buffer *arena,
                 union any_answer *out);

/* Sets the head for how a call of an operation ended without words of the server. */
void call_head(const struct call *call, uint32_t operation, enum punkt_call how, union any_answer *out);

/* Sets code, name, text and retryable for a refusal. */
void call_head_code(struct punkt_answer *head, uint32_t code);
