/*
 * Where a handle's memory comes from: the caller's function of punkt_options, or libc's.
 */
#pragma once

#include <stddef.h>

/* As realloc: memory NULL gets new memory, size 0 gives it back and returns NULL. */
typedef void *heap_resize_fn(void *ctx, void *memory, size_t size);

struct heap {
    heap_resize_fn *resize; /* NULL: libc's */
    void *ctx;
};

/* heap may be NULL: libc's. NULL: no memory, and what was there is untouched. size is not 0. */
void *heap_resize(const struct heap *heap, void *memory, size_t size);

/* The same, new and zeroed. */
void *heap_take(const struct heap *heap, size_t size);

/* memory may be NULL. */
void heap_give(const struct heap *heap, void *memory);
