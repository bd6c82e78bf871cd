#include "lib/buffer.h"

#include <openssl/crypto.h>
#include <string.h>

#define BUFFER_CAPACITY_MIN 256

size_t buffer_size(const struct buffer *buffer)
{
    return buffer->end - buffer->begin;
}

uint8_t *buffer_data(const struct buffer *buffer)
{
    return buffer->bytes + buffer->begin;
}

/* realloc would leave the old bytes behind. */
static uint8_t *move_secret(struct buffer *buffer, size_t capacity)
{
    uint8_t *bytes = heap_resize(buffer->heap, NULL, capacity);
    if (bytes == NULL)
        return NULL;
    if (buffer->bytes != NULL) {
        memcpy(bytes, buffer->bytes, buffer->end);
        OPENSSL_cleanse(buffer->bytes, buffer->capacity);
        heap_give(buffer->heap, buffer->bytes);
    }
    return bytes;
}

bool buffer_reserve(struct buffer *buffer, size_t size)
{
    size_t held = buffer_size(buffer);
    if (buffer->capacity - buffer->end >= size && buffer->bytes != NULL)
        return true;
    if (held > SIZE_MAX / 2 - size)
        return false;
    if (held > 0 && buffer->begin > 0)
        memmove(buffer->bytes, buffer->bytes + buffer->begin, held);
    buffer->begin = 0;
    buffer->end = held;
    if (buffer->capacity - held >= size && buffer->bytes != NULL)
        return true;

    size_t capacity = buffer->capacity < BUFFER_CAPACITY_MIN ? BUFFER_CAPACITY_MIN : buffer->capacity;
    while (capacity - held < size)
        capacity *= 2;
    uint8_t *bytes =
        buffer->secret ? move_secret(buffer, capacity) : heap_resize(buffer->heap, buffer->bytes, capacity);
    if (bytes == NULL)
        return false;
    buffer->bytes = bytes;
    buffer->capacity = capacity;
    return true;
}

bool buffer_append(struct buffer *buffer, const void *bytes, size_t size)
{
    if (!buffer_reserve(buffer, size))
        return false;
    if (size > 0)
        memcpy(buffer->bytes + buffer->end, bytes, size);
    buffer->end += size;
    return true;
}

void buffer_consume(struct buffer *buffer, size_t size)
{
    size_t held = buffer_size(buffer);
    buffer->begin += size < held ? size : held;
    if (buffer->begin == buffer->end)
        buffer_clear(buffer);
}

void buffer_clear(struct buffer *buffer)
{
    buffer->begin = 0;
    buffer->end = 0;
    if (buffer->secret && buffer->bytes != NULL)
        OPENSSL_cleanse(buffer->bytes, buffer->capacity);
    buffer->secret = false;
}

void buffer_mark_secret(struct buffer *buffer)
{
    buffer->secret = true;
}

void buffer_done(struct buffer *buffer)
{
    buffer_clear(buffer);
    heap_give(buffer->heap, buffer->bytes);
    *buffer = (struct buffer){ .heap = buffer->heap };
}
