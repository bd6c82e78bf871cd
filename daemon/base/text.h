/*
 * A borrowed run of bytes that somebody else owns, and a short code kept by value.
 */
#pragma once

#include <string.h>

#include "base/base.h"

struct text {
    const char *data;
    size_t size;
};

#define TEXT_LITERAL(literal) ((struct text){ (literal), sizeof(literal) - 1 })

static inline bool text_equal(struct text a, struct text b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static inline struct text text_of(const char *string)
{
    return (struct text){ string, strlen(string) };
}
