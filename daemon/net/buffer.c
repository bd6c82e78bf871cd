#include "net/buffer.h"

#include <stdlib.h>
#include <string.h>

#define SLAB_BYTES (1024u * 1024u)

struct buffer_slab {
    struct buffer_slab *next;
};

/* Multiples of this keep each buffer where alignas wants it. */
static size_t round_up(size_t bytes)
{
    return (bytes + alignof(struct buffer) - 1) & ~(alignof(struct buffer) - 1);
}

static bool kind_grow(struct buffer_kind *kind)
{
    const size_t stride = round_up(sizeof(struct buffer) + kind->capacity);
    const size_t first = round_up(sizeof(struct buffer_slab));
    struct buffer_slab *slab = aligned_alloc(alignof(struct buffer), SLAB_BYTES);
    if (slab == NULL)
        return false;
    slab->next = kind->slabs;
    kind->slabs = slab;
    for (size_t at = first; at + stride <= SLAB_BYTES; at += stride) {
        struct buffer *buffer = (struct buffer *)(void *)((uint8_t *)slab + at);
        buffer->capacity = kind->capacity;
        buffer->next_free = kind->free;
        kind->free = buffer;
    }
    return true;
}

static struct buffer *kind_get(struct buffer_kind *kind)
{
    if (kind->free == NULL && !kind_grow(kind))
        return NULL;
    struct buffer *buffer = kind->free;
    kind->free = buffer->next_free;
    return buffer;
}

static void kind_put(struct buffer_kind *kind, struct buffer *buffer)
{
    buffer->next_free = kind->free;
    kind->free = buffer;
}

static void kind_done(struct buffer_kind *kind)
{
    while (kind->slabs != NULL) {
        struct buffer_slab *slab = kind->slabs;
        kind->slabs = slab->next;
        free(slab);
    }
    kind->free = NULL;
}

static struct buffer *pool_get(struct buffers *buffers, size_t capacity, enum buffer_need need)
{
    const uint64_t limit = need == BUFFER_OVERDRAW ? 2 * buffers->pool_bytes : buffers->pool_bytes;
    if (capacity > UINT32_MAX / 2 || buffers->pool_used_bytes + capacity > limit)
        return NULL;
    struct buffer *buffer = aligned_alloc(alignof(struct buffer), round_up(sizeof(*buffer) + capacity));
    if (buffer == NULL)
        return NULL;
    buffer->capacity = (uint32_t)capacity;
    buffers->pool_used_bytes += capacity;
    return buffer;
}

enum punkt_status buffers_init(struct buffers *buffers, uint64_t pool_bytes)
{
    *buffers = (struct buffers){
        .small = { .capacity = BUFFER_SMALL_BYTES },
        .own = { .capacity = BUFFER_OWN_BYTES },
        .pool_bytes = pool_bytes,
    };
    if (kind_grow(&buffers->small) && kind_grow(&buffers->own))
        return PUNKT_OK;
    buffers_done(buffers);
    return PUNKT_NO_MEMORY;
}

void buffers_done(struct buffers *buffers)
{
    PUNKT_CHECK(buffers->pool_used_bytes == 0);
    kind_done(&buffers->small);
    kind_done(&buffers->own);
}

struct buffer *buffer_get(struct buffers *buffers, size_t capacity, enum buffer_need need)
{
    struct buffer *buffer;
    if (capacity <= BUFFER_SMALL_BYTES)
        buffer = kind_get(&buffers->small);
    else if (capacity <= BUFFER_OWN_BYTES)
        buffer = kind_get(&buffers->own);
    else
        buffer = pool_get(buffers, capacity, need);
    if (buffer != NULL) {
        buffer->start = 0;
        buffer->end = 0;
    }
    return buffer;
}

void buffer_put(struct buffers *buffers, struct buffer *buffer)
{
    if (buffer == NULL)
        return;
    if (buffer->capacity == BUFFER_SMALL_BYTES) {
        kind_put(&buffers->small, buffer);
    } else if (buffer->capacity == BUFFER_OWN_BYTES) {
        kind_put(&buffers->own, buffer);
    } else {
        PUNKT_CHECK(buffers->pool_used_bytes >= buffer->capacity);
        buffers->pool_used_bytes -= buffer->capacity;
        buffers->pool_returned = true;
        free(buffer);
    }
}

static void move_into(struct buffer *to, const struct buffer *from)
{
    const size_t size = buffer_size(from);
    PUNKT_CHECK(size <= to->capacity);
    if (size > 0)
        memmove(to->data, from->data + from->start, size);
    to->start = 0;
    to->end = (uint32_t)size;
}

bool buffer_reserve(struct buffers *buffers, struct buffer **inout_buffer, size_t capacity,
                    enum buffer_need need)
{
    struct buffer *old = *inout_buffer;
    if (old != NULL && old->capacity - old->start >= capacity)
        return true;
    if (old != NULL && old->capacity >= capacity) {
        move_into(old, old);
        return true;
    }
    struct buffer *grown = buffer_get(buffers, capacity, need);
    if (grown == NULL)
        return false;
    if (old != NULL)
        move_into(grown, old);
    buffer_put(buffers, old);
    *inout_buffer = grown;
    return true;
}

void buffer_park(struct buffers *buffers, struct buffer **inout_buffer, size_t wanted)
{
    struct buffer *large = *inout_buffer;
    const size_t size = buffer_size(large);
    if (size == 0) {
        buffer_put(buffers, large);
        *inout_buffer = NULL;
        return;
    }
    if (large->capacity == BUFFER_SMALL_BYTES || size > BUFFER_SMALL_BYTES || wanted > BUFFER_SMALL_BYTES)
        return;
    struct buffer *small = buffer_get(buffers, BUFFER_SMALL_BYTES, BUFFER_IF_ROOM);
    if (small == NULL)
        return; /* it is only about thrift */
    move_into(small, large);
    buffer_put(buffers, large);
    *inout_buffer = small;
}
