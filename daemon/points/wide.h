/*
 * Products of two 64-bit numbers that are divided before they must fit again.
 */
#pragma once

#include "base/base.h"

__extension__ typedef __int128 wide;

/* floor(a x b / by), by > 0, which must fit into 64 bits. */
static inline int64_t mul_div(int64_t a, int64_t b, int64_t by)
{
    PUNKT_CHECK(by > 0);
    wide product = (wide)a * b;
    wide quotient = product / by;
    if (product % by < 0)
        quotient--;
    PUNKT_CHECK(quotient >= INT64_MIN && quotient <= INT64_MAX);
    return (int64_t)quotient;
}
