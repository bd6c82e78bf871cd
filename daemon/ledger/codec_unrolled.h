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

/* How much room a struct of this table may take, its mask included; 0: it has texts. */
CODEC_INLINE size_t codec_room(const struct codec_field *fields, size_t count)
{
    size_t room = WIRE_UINT_SIZE_MAX;
    bool texts = false;
    CODEC_UNROLL
    for (size_t i = 0; i < count; i++) {
        room += fields[i].form == CODEC_FORM_BYTES ? (size_t)fields[i].max : WIRE_UINT_SIZE_MAX;
        texts = texts || fields[i].form > CODEC_FORM_BYTES;
    }
    return texts ? 0 : room;
}

/* What is written of a struct without texts, where there is room for all of it. */
CODEC_INLINE void codec_put_fields(struct wire_writer *writer, const struct codec_field *fields, size_t count,
                                   const void *from, uint64_t mask, const uint64_t *stored)
{
    uint8_t *at = wire_put_uint(writer->at, mask);
    CODEC_UNROLL
    for (size_t i = 0; i < count; i++) {
        if ((mask >> i & 1) == 0)
            continue;
        if (fields[i].form == CODEC_FORM_BYTES) {
            memcpy(at, (const uint8_t *)from + fields[i].at, fields[i].max);
            at += fields[i].max;
            continue;
        }
        PUNKT_CHECK(codec_number_valid(&fields[i], from, stored[i]));
        if (fields[i].form == CODEC_FORM_ID || fields[i].form == CODEC_FORM_ID_BASE)
            at = wire_put_u64(at, stored[i]);
        else if (fields[i].form != CODEC_FORM_BOOL)
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
    const size_t room = codec_room(fields, count);
    if (room > 0 && !writer->failed && (size_t)(writer->end - writer->at) >= room) {
        codec_put_fields(writer, fields, count, from, mask, stored);
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
