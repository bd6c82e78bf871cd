/*
 * What events and records have in common as bytes: numbers narrower than 64 bits, and days. Every value
 * has one form only and every form one value, so that bytes and meaning are one. Private to ledger.
 */
#pragma once

#include "base/base.h"
#include "base/units.h"
#include "proto/wire.h"

/* A number up to max; a greater one fails the reader, and is 0. */
static inline uint64_t codec_read_up_to(struct wire_reader *reader, uint64_t max)
{
    uint64_t value = wire_read_uint(reader);
    if (value > max)
        reader->failed = true;
    return reader->failed ? 0 : value;
}

static inline uint32_t codec_read_u32(struct wire_reader *reader)
{
    return (uint32_t)codec_read_up_to(reader, UINT32_MAX);
}

static inline bool codec_read_bool(struct wire_reader *reader)
{
    uint8_t value = wire_read_u8(reader);
    if (value > 1)
        reader->failed = true;
    return value == 1;
}

static inline local_day codec_read_day(struct wire_reader *reader)
{
    int64_t day = wire_read_sint(reader);
    if (day < INT32_MIN || day > INT32_MAX)
        reader->failed = true;
    return reader->failed ? 0 : (local_day)day;
}

/* The last day of a lot: DAY_NEVER is 0, every other day one more than itself. None lies before 1970. */
static inline void codec_write_last_day(struct wire_writer *writer, local_day day)
{
    wire_write_sint(writer, day == DAY_NEVER ? 0 : (int64_t)day + 1);
}

static inline local_day codec_read_last_day(struct wire_reader *reader)
{
    int64_t stored = wire_read_sint(reader);
    if (stored <= INT32_MIN || stored > INT32_MAX) /* DAY_NEVER itself has its other form */
        reader->failed = true;
    return reader->failed ? 0 : stored == 0 ? DAY_NEVER : (local_day)(stored - 1);
}
