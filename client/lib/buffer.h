/*
 * Bytes that come in at the end and go out at the front; grows, and keeps what it has grown to.
 *
 *      | consumed | held: begin to end | free |
 *
 * Marked secret, it leaves nothing of what it held in memory that it gives up.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/heap.h"

/* All zero is an empty one with libc's memory. */
struct buffer {
    const struct heap *heap; /* where its bytes come from; stays. NULL: libc */
    uint8_t *bytes;
    size_t begin;
    size_t end;
    size_t capacity;
    bool secret; /* until it is empty */
};

/* How many bytes it holds. */
size_t buffer_size(const struct buffer *buffer);

/* The first byte held; moves with every buffer_reserve. */
uint8_t *buffer_data(const struct buffer *buffer);

/* Makes room for `size` bytes behind the end. False: no memory, and nothing has changed. */
bool buffer_reserve(struct buffer *buffer, size_t size);

/* Copies bytes behind the end. False: no memory, and nothing has changed. */
bool buffer_append(struct buffer *buffer, const void *bytes, size_t size);

/* Drops bytes from the front; at most as many as there are. */
void buffer_consume(struct buffer *buffer, size_t size);

/* Drops everything, keeps the memory. */
void buffer_clear(struct buffer *buffer);

/* What it holds and what comes is wiped when it goes, until the buffer is next empty. */
void buffer_mark_secret(struct buffer *buffer);

/* Gives the memory back; all zero afterwards, but for the heap. */
void buffer_done(struct buffer *buffer);
