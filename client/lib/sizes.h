/*
 * Structs of punkt.h as a caller's header has them: all begin with their size, and only grow at their ends.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The size of a struct up to and with this field: fields that are added behind it do not change that. */
#define SIZE_THROUGH(type, field) (offsetof(type, field) + sizeof(((type *)NULL)->field))

/* Whether what is given has a field behind the known ones that is not zero: it must not be passed over silently. */
static inline bool size_has_unknown(const void *from, size_t given, size_t known)
{
    for (size_t i = known; i < given; i++) {
        if (((const uint8_t *)from)[i] != 0)
            return true;
    }
    return false;
}

/* Copies what both know and makes the rest of out zero; the size in it is then the copied one. */
static inline void size_copy(const void *from, size_t given, void *out, size_t known)
{
    memset(out, 0, known);
    memcpy(out, from, given < known ? given : known);
}
