#include "lib/heap.h"

#include <stdlib.h>
#include <string.h>

void *heap_resize(const struct heap *heap, void *memory, size_t size)
{
    if (heap != NULL && heap->resize != NULL)
        return heap->resize(heap->ctx, memory, size);
    return realloc(memory, size);
}

void *heap_take(const struct heap *heap, size_t size)
{
    void *memory = heap_resize(heap, NULL, size);
    if (memory != NULL)
        memset(memory, 0, size);
    return memory;
}

void heap_give(const struct heap *heap, void *memory)
{
    if (memory == NULL)
        return;
    if (heap != NULL && heap->resize != NULL)
        (void)heap->resize(heap->ctx, memory, 0);
    else
        free(memory);
}
