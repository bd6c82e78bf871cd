/*
 * codec_write and codec_read for one table that is known here: straight code instead of a loop over its rows, three times
 * as fast and many times as large. For what every purchase has. Private to ledger.
 */
#pragma once

#include "ledger/codec_field.h"

#if defined(__OPTIMIZE__) && !defined(__clang__)
#define CODEC_UNROLL _Pragma("GCC unroll 64")
#else
#define CODEC_UNROLL
#endif

/* Whether all fields of a table are numbers that are written as such. */
CODEC_INLINE bool codec_all_numbers(const struct codec_field *fields, size_t count)
{
    bool all = true;
    CODEC_UNROLL
    for (size_t i = 0; i < count; i++)
        all = all && fields[i].form < CODEC_FORM_BYTES && fields[i].form != CODEC_FORM_ID &&
              fields[i].form != CODEC_FORM_ID_BASE;
    return all;
}

/* What is written of numbers, where there is room for all of them. */
CODEC_INLINE void codec_put_numbers(struct wire_writer *writer, const struct codec_field *fields,
                                    size_t count, const void *from, uint64_t mask, const uint64_t *stored)
{
    uint8_t *at = wire_put_uint(writer->at, mask);
    CODEC_UNROLL
    for (size_t i = 0; i < count; i++) {
        if ((mask >> i & 1) == 0)
            continue;
        PUNKT_CHECK(codec_number_valid(&fields[i], from, stored[i]));
        if (fields[i].form != CODEC_FORM_BOOL)
            at = wire_put_uint(at, stored[i]);
    }
    writer->at = at;
}

CODEC_INLINE void codec_write_unrolled(struct wire_writer *writer, const struct codec_base *base,
                                       const struct codec_field *fields, size_t count, const void *from)
{
    uint64_t stored[CODEC_FIELDS_MAX];
    uint64_t mask = 0;
    CODEC_UNROLL
    for (size_t i = 0; i < count; i++) {
        if (codec_field_stored(&fields[i], base, from, &stored[i]))
            mask |= UINT64_C(1) << i;
        else
            PUNKT_CHECK(!fields[i].needed);
    }
    if (codec_all_numbers(fields, count) && !writer->failed &&
        (size_t)(writer->end - writer->at) >= (count + 1) * WIRE_UINT_SIZE_MAX) {
        codec_put_numbers(writer, fields, count, from, mask, stored);
        return;
    }
    wire_write_uint(writer, mask);
    CODEC_UNROLL
    for (size_t i = 0; i < count; i++) {
        if ((mask >> i & 1) != 0)
            codec_write_field(writer, &fields[i], from, stored[i]);
    }
}

CODEC_INLINE void codec_read_unrolled(struct wire_reader *reader, const struct codec_base *base,
                                      const struct codec_field *fields, size_t count, void *out)
{
    uint64_t mask = wire_read_uint(reader);
    if (count < CODEC_FIELDS_MAX && mask >> count != 0)
        reader->failed = true;
    CODEC_UNROLL
    for (size_t i = 0; i < count; i++)
        codec_read_or_clear(reader, base, &fields[i], (mask >> i & 1) != 0, out);
}
