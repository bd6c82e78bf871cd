/*
 * How every record begins and ends. Private to records.
 */
#pragma once

#include "ledger/codec.h"
#include "ledger/records.h"

#define RECORD_VERSION 4

/* 1 January 2026: the days around it are short. Part of the format. */
#define RECORD_DAY 20454
static const struct codec_base record_base = { .day = RECORD_DAY, .time = RECORD_DAY * US_PER_DAY };

static inline struct wire_writer record_begin(uint8_t *out, size_t capacity)
{
    struct wire_writer writer = wire_writer_over(out, capacity);
    wire_write_u8(&writer, RECORD_VERSION);
    return writer;
}

static inline size_t record_end(const struct wire_writer *writer)
{
    PUNKT_CHECK(!writer->failed);
    return wire_written(writer);
}

static inline struct wire_reader record_open(struct state_value value)
{
    struct wire_reader reader = wire_reader_over(value.data, value.size);
    if (wire_read_u8(&reader) != RECORD_VERSION)
        reader.failed = true;
    return reader;
}

/* A record that is the fields of one struct. */
static inline size_t record_write(const struct codec_field *fields, size_t count, const void *from,
                                  uint8_t *out, size_t capacity)
{
    struct wire_writer writer = record_begin(out, capacity);
    codec_write(&writer, &record_base, fields, count, from);
    return record_end(&writer);
}

static inline bool record_read(struct state_value value, const struct codec_field *fields, size_t count,
                               void *out)
{
    struct wire_reader reader = record_open(value);
    codec_read(&reader, &record_base, fields, count, out);
    return wire_read_done(&reader);
}
