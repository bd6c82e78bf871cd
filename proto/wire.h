/*
 * Bounded cursors over bytes: a reader and a writer whose first error sticks. Go straight through,
 * ask once at the end. Neither ever touches a byte outside its bounds, and neither allocates.
 *
 * Numbers are unsigned LEB128 in their shortest form, zig-zag where they may be negative. The
 * reader refuses longer forms, so that bytes and meaning are one (a repeat is the same bytes).
 */
#pragma once

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define WIRE_UINT_SIZE_MAX 10 /* bytes of the longest number */

struct wire_reader {
    const uint8_t *at;
    const uint8_t *end;
    bool failed;
};

struct wire_writer {
    uint8_t *begin;
    uint8_t *at;
    uint8_t *end;
    bool failed;
};

struct wire_reader wire_reader_over(const void *bytes, size_t size);
size_t wire_left(const struct wire_reader *reader);
/* True when everything was read and nothing failed. */
bool wire_read_done(const struct wire_reader *reader);
uint8_t wire_read_u8(struct wire_reader *reader);
uint16_t wire_read_u16(struct wire_reader *reader);
uint32_t wire_read_u32(struct wire_reader *reader);
uint64_t wire_read_u64(struct wire_reader *reader);
/* wire_read_uint of a number that is not one byte alone. */
uint64_t wire_read_long_uint(struct wire_reader *reader);

/* LEB128, shortest form only. Most numbers are a byte: they are read where they are asked for. */
static inline uint64_t wire_read_uint(struct wire_reader *reader)
{
    if (reader->at < reader->end && *reader->at < 0x80 && !reader->failed)
        return *reader->at++;
    return wire_read_long_uint(reader);
}

int64_t wire_read_sint(struct wire_reader *reader); /* zig-zag LEB128 */
/* A view into the reader's bytes, valid as long as those; NULL after a failure. Of no bytes it is
 * a view too, but may be NULL if the reader was made over NULL. */
const uint8_t *wire_read_bytes(struct wire_reader *reader, size_t size);

struct wire_writer wire_writer_over(void *bytes, size_t capacity);
size_t wire_written(const struct wire_writer *writer);
void wire_write_u8(struct wire_writer *writer, uint8_t value);
void wire_write_u16(struct wire_writer *writer, uint16_t value);
void wire_write_u32(struct wire_writer *writer, uint32_t value);
void wire_write_u64(struct wire_writer *writer, uint64_t value);
/* wire_write_uint where there is room for WIRE_UINT_SIZE_MAX bytes; returns what is behind it. */
static inline uint8_t *wire_put_uint(uint8_t *at, uint64_t value)
{
    while (value >= 0x80) {
        *at++ = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    *at++ = (uint8_t)value;
    return at;
}

/* wire_write_u64 where there is room for it; returns what is behind it. */
static inline uint8_t *wire_put_u64(uint8_t *at, uint64_t value)
{
    value = htole64(value);
    memcpy(at, &value, sizeof(value));
    return at + sizeof(value);
}

/* wire_write_uint of a number of several bytes, or where there may be no room. */
void wire_write_long_uint(struct wire_writer *writer, uint64_t value);

static inline void wire_write_uint(struct wire_writer *writer, uint64_t value)
{
    if (value < 0x80 && writer->at < writer->end && !writer->failed)
        *writer->at++ = (uint8_t)value;
    else
        wire_write_long_uint(writer, value);
}

void wire_write_sint(struct wire_writer *writer, int64_t value);
void wire_write_bytes(struct wire_writer *writer, const void *bytes, size_t size);

/*
 * Codes: card, store, till, operator, receipt and article numbers, by value. On the wire one byte
 * and what it announces: 0x00 to 0x20 that many bytes as they are; 0x81 to 0xA0 that many decimal
 * digits (low seven bits), two a byte, first digit in the high half, an odd end filled with 0xF.
 * A code of digits only is always packed.
 */
#define WIRE_CODE_MAX 32

struct wire_code {
    uint8_t size; /* 0: none */
    char bytes[WIRE_CODE_MAX];
};

#define WIRE_CODE_WIRE_SIZE_MAX (1 + WIRE_CODE_MAX)

/* Bytes must be UTF-8 without control characters; anything else fails the reader, and the writer. */
void wire_read_code(struct wire_reader *reader, struct wire_code *out);
void wire_write_code(struct wire_writer *writer, const struct wire_code *code);
/* The same of bytes that are in no struct; more than WIRE_CODE_MAX fail the writer, too. */
void wire_write_code_text(struct wire_writer *writer, const char *bytes, size_t size);
/* False, and out untouched, if size is over WIRE_CODE_MAX or the bytes are not acceptable. */
bool wire_code_from(const char *bytes, size_t size, struct wire_code *out);
bool wire_code_equal(const struct wire_code *a, const struct wire_code *b);

/* UTF-8 (RFC 3629) without control characters (C0 and DEL). */
bool wire_utf8_valid(const void *bytes, size_t size);
