#include "lib/buffer.h"

#include <stdlib.h>
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
    uint8_t *bytes = realloc(buffer->bytes, capacity);
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
}

void buffer_done(struct buffer *buffer)
{
    free(buffer->bytes);
    *buffer = (struct buffer){ 0 };
}
