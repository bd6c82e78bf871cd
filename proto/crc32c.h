/*
 * CRC-32C (Castagnoli, RFC 3720 appendix B.4), the checksum of events, records and files.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Checksum of size bytes, continuing from `crc` (0 to begin). */
uint32_t crc32c(uint32_t crc, const void *bytes, size_t size);

/* The same without the processor's instruction: what crc32c does where there is none. */
uint32_t crc32c_portable(uint32_t crc, const void *bytes, size_t size);
