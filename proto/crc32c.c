#include "proto/crc32c.h"

#include <string.h>

#define POLYNOMIAL UINT32_C(0x82F63B78) /* reflected */

/* Bit by bit: only machines without the instruction come here. */
uint32_t crc32c_portable(uint32_t crc, const void *bytes, size_t size)
{
    crc = ~crc;
    for (const uint8_t *at = bytes; size > 0; size--) {
        crc ^= *at++;
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ (POLYNOMIAL & (0U - (crc & 1)));
    }
    return ~crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t crc32c_sse42(uint32_t crc, const uint8_t *at, size_t size)
{
    uint64_t wide = crc;
    for (; size >= 8; size -= 8, at += 8) {
        uint64_t word;
        memcpy(&word, at, sizeof(word));
        wide = __builtin_ia32_crc32di(wide, word);
    }
    crc = (uint32_t)wide;
    for (; size > 0; size--)
        crc = __builtin_ia32_crc32qi(crc, *at++);
    return crc;
}
#endif

uint32_t crc32c(uint32_t crc, const void *bytes, size_t size)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2"))
        return ~crc32c_sse42(~crc, bytes, size);
#endif
    return crc32c_portable(crc, bytes, size);
}
