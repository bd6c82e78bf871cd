#include "ledger/codec.h"

#include "ledger/codec_field.h"

void codec_write_day(struct wire_writer *writer, const struct codec_base *base, local_day day)
{
    wire_write_uint(writer, codec_store_day(day, base));
}

local_day codec_read_day(struct wire_reader *reader, const struct codec_base *base)
{
    int64_t day;
    if (!codec_unstore_day(wire_read_uint(reader), base, &day))
        reader->failed = true;
    return reader->failed ? 0 : (local_day)day;
}

void codec_write(struct wire_writer *writer, const struct codec_base *base, const struct codec_field *fields,
                 size_t count, const void *from)
{
    uint64_t stored[CODEC_FIELDS_MAX];
    uint64_t mask = 0;
    PUNKT_CHECK(count <= CODEC_FIELDS_MAX);
    for (size_t i = 0; i < count; i++) {
        if (codec_field_stored(&fields[i], base, from, &stored[i]))
            mask |= UINT64_C(1) << i;
        else
            PUNKT_CHECK(!fields[i].needed);
    }
    wire_write_uint(writer, mask);
    for (; mask != 0; mask &= mask - 1) {
        int i = __builtin_ctzll(mask);
        codec_write_field(writer, &fields[i], from, stored[i]);
    }
}

void codec_read(struct wire_reader *reader, const struct codec_base *base, const struct codec_field *fields,
                size_t count, void *out)
{
    PUNKT_CHECK(count <= CODEC_FIELDS_MAX);
    uint64_t mask = wire_read_uint(reader);
    if (count < CODEC_FIELDS_MAX && mask >> count != 0)
        reader->failed = true;
    for (size_t i = 0; i < count; i++)
        codec_read_or_clear(reader, base, &fields[i], (mask >> i & 1) != 0, out);
}
