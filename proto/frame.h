/*
 * The frame: a header of 16 bytes and a body. Little-endian.
 *
 *      0        4     6     8                16
 *      | length | type| flags| request number | body: length bytes |
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_HEADER_SIZE 16
#define FRAME_BODY_MAX_BEFORE_HELLO (4 * 1024 - FRAME_HEADER_SIZE)
#define FRAME_BODY_MAX (1024 * 1024 - FRAME_HEADER_SIZE)

/* Types: a request carries the code of its operation, an answer the same with one of these bits. */
#define FRAME_TYPE_DONE 0x8000    /* body: the operation's answer */
#define FRAME_TYPE_REFUSED 0x4000 /* body: message `refusal` */
#define FRAME_TYPE_OPERATION 0x3FFF

/* Flags stand outside the fingerprint: a repeat may carry others than the first. */
#define FRAME_FLAG_REPLAYED 0x0001 /* answer: this was answered before; these are the first bytes again */
#define FRAME_FLAG_ADVICE 0x0002   /* request: it has happened already; never refused for business reasons */
#define FRAME_FLAG_HISTORIC 0x0004 /* request: judged at its own time, whatever its age (imports) */
#define FRAME_FLAG_SERVER_LOST 0x0008 /* request: was answered before by a server that lost it */
/* Request: the body begins with a secret part, a byte with its length (1 to FRAME_SECRET_MAX) and so many bytes: a PIN. What
 * follows is the message, and only that is in the fingerprint. */
#define FRAME_FLAG_SECRET 0x0010
#define FRAME_SECRET_MAX 32
/* Answer: another number had booked the same before, and this one was tied to it; on every repeat of it, too. */
#define FRAME_FLAG_TIED 0x0020
/* Request: with FRAME_FLAG_ADVICE only; the till redeemed on its own, without the server (DOMAIN.md, Redeeming) */
#define FRAME_FLAG_OFFLINE 0x0040
/* What a request may carry; others make it malformed. */
#define FRAME_FLAGS_REQUEST                                                                                  \
    (FRAME_FLAG_ADVICE | FRAME_FLAG_HISTORIC | FRAME_FLAG_SERVER_LOST | FRAME_FLAG_SECRET |                  \
     FRAME_FLAG_OFFLINE)

struct frame {
    uint16_t type;
    uint16_t flags;
    uint64_t number;
    const uint8_t *body; /* borrowed from the bytes that were split */
    uint32_t body_size;
};

enum frame_split { FRAME_WHOLE, FRAME_NEED_MORE, FRAME_BROKEN };

/*
 * Finds one frame at the start of bytes. FRAME_NEED_MORE: *out_size_wanted is how many bytes the
 * frame has in all (or FRAME_HEADER_SIZE while the header is not whole). FRAME_BROKEN: the body is
 * longer than body_max; out holds the header, so that the peer can be told, then the connection
 * ends. FRAME_WHOLE: *out_size_wanted is what to consume.
 */
enum frame_split frame_split(const void *bytes, size_t size, uint32_t body_max, struct frame *out,
                             size_t *out_size_wanted);

/* Writes the header of a frame into out. */
void frame_put_header(uint8_t out[FRAME_HEADER_SIZE], uint32_t body_size, uint16_t type, uint16_t flags,
                      uint64_t number);
