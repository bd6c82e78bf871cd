/*
 * The bytes of connections. Small and own buffers come from slabs that are kept for good, through
 * free lists, so that the buffer used last, which is still in the cache, is the one used next. What
 * is larger than an own buffer is borrowed from a pool of bounded size.
 *
 *      data        start          end         capacity
 *      | consumed   | bytes to use | room      |
 *
 * A connection holds no buffer while it has neither input nor output. Two own buffers, one each way,
 * are the 64 KiB that a connection may call its own.
 */
#pragma once

#include <stdalign.h>

#include "base/base.h"
#include "base/status.h"

#define BUFFER_SMALL_BYTES 4096u /* a whole frame of somebody who is not proven yet */
#define BUFFER_OWN_BYTES (32u * 1024u)

struct buffer {
    struct buffer *next_free;
    uint32_t capacity;
    uint32_t start;
    uint32_t end;
    /* A cache line of head before the data keeps equal buffers from falling into one set of the cache. */
    alignas(64) uint8_t data[];
};

struct buffer_slab; /* many buffers of one size, allocated at once */

struct buffer_kind {
    uint32_t capacity;
    struct buffer *free;
    struct buffer_slab *slabs;
};

struct buffers {
    struct buffer_kind small;
    struct buffer_kind own;
    uint64_t pool_bytes;
    uint64_t pool_used_bytes;
    bool pool_returned; /* something came back to the pool; whoever waits for it resets this */
};

enum buffer_need {
    BUFFER_IF_ROOM,  /* NULL when the pool is empty: the asker waits */
    BUFFER_OVERDRAW, /* for answers, which cannot wait: NULL only at twice the pool */
};

/* The first slabs are allocated here. Failure: PUNKT_NO_MEMORY, and nothing is left to free. */
PUNKT_MUST_CHECK enum punkt_status buffers_init(struct buffers *buffers, uint64_t pool_bytes);

/* Every buffer must be back, for those of the pool are freed only there. */
void buffers_done(struct buffers *buffers);

/* An empty buffer of at least `capacity` bytes, or NULL (no memory, or no room in the pool). */
PUNKT_MUST_CHECK struct buffer *buffer_get(struct buffers *buffers, size_t capacity, enum buffer_need need);

/* Gives a buffer back; NULL is fine. */
void buffer_put(struct buffers *buffers, struct buffer *buffer);

/*
 * Makes sure that *inout_buffer has at least `capacity` bytes from its start on, by moving its bytes to
 * the front or into another buffer. NULL becomes an empty buffer. False: nothing has changed.
 */
PUNKT_MUST_CHECK bool buffer_reserve(struct buffers *buffers, struct buffer **inout_buffer, size_t capacity,
                                     enum buffer_need need);

/* Gives an empty buffer back, and a few bytes a small one if `wanted` bytes fit there. */
void buffer_park(struct buffers *buffers, struct buffer **inout_buffer, size_t wanted);

static inline size_t buffer_size(const struct buffer *buffer)
{
    return buffer == NULL ? 0 : buffer->end - buffer->start;
}

static inline size_t buffer_room(const struct buffer *buffer)
{
    return buffer->capacity - buffer->end;
}

static inline void buffer_consume(struct buffer *buffer, size_t size)
{
    PUNKT_CHECK(size <= buffer_size(buffer));
    buffer->start += (uint32_t)size;
}
