#include "proto/wire.h"

#include <endian.h>
#include <string.h>

struct wire_reader wire_reader_over(const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    /* NULL and 0 is an empty run as well, but NULL + 0 has no meaning in C. */
    return (struct wire_reader){ .at = at, .end = size > 0 ? at + size : at, .failed = false };
}

size_t wire_left(const struct wire_reader *reader)
{
    return reader->failed ? 0 : (size_t)(reader->end - reader->at);
}

bool wire_read_done(const struct wire_reader *reader)
{
    return !reader->failed && reader->at == reader->end;
}

const uint8_t *wire_read_bytes(struct wire_reader *reader, size_t size)
{
    if (reader->failed || (size_t)(reader->end - reader->at) < size) {
        reader->failed = true;
        return NULL;
    }
    const uint8_t *bytes = reader->at;
    if (size > 0)
        reader->at += size;
    return bytes;
}

uint8_t wire_read_u8(struct wire_reader *reader)
{
    const uint8_t *bytes = wire_read_bytes(reader, 1);
    return bytes != NULL ? *bytes : 0;
}

uint16_t wire_read_u16(struct wire_reader *reader)
{
    uint16_t value = 0;
    const uint8_t *bytes = wire_read_bytes(reader, sizeof(value));
    if (bytes != NULL)
        memcpy(&value, bytes, sizeof(value));
    return le16toh(value);
}

uint32_t wire_read_u32(struct wire_reader *reader)
{
    uint32_t value = 0;
    const uint8_t *bytes = wire_read_bytes(reader, sizeof(value));
    if (bytes != NULL)
        memcpy(&value, bytes, sizeof(value));
    return le32toh(value);
}

uint64_t wire_read_u64(struct wire_reader *reader)
{
    uint64_t value = 0;
    const uint8_t *bytes = wire_read_bytes(reader, sizeof(value));
    if (bytes != NULL)
        memcpy(&value, bytes, sizeof(value));
    return le64toh(value);
}

uint64_t wire_read_long_uint(struct wire_reader *reader)
{
    const uint8_t *at = reader->at;
    const uint8_t *end = reader->failed ? at : reader->end;
    uint64_t value = 0;
    for (unsigned shift = 0; at < end; shift += 7) {
        uint64_t byte = *at++;
        value |= (byte & 0x7F) << shift;
        if (byte >= 0x80 && shift < 63)
            continue;
        if ((shift == 63 && byte > 1) || (byte == 0 && shift > 0))
            break; /* over 64 bits, or a shorter form exists */
        reader->at = at;
        return value;
    }
    reader->failed = true;
    return 0;
}

int64_t wire_read_sint(struct wire_reader *reader)
{
    uint64_t value = wire_read_uint(reader);
    return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

struct wire_writer wire_writer_over(void *bytes, size_t capacity)
{
    uint8_t *at = bytes;
    return (struct wire_writer){
        .begin = at, .at = at, .end = capacity > 0 ? at + capacity : at, .failed = false
    };
}

size_t wire_written(const struct wire_writer *writer)
{
    return (size_t)(writer->at - writer->begin);
}

void wire_write_bytes(struct wire_writer *writer, const void *bytes, size_t size)
{
    if (writer->failed || (size_t)(writer->end - writer->at) < size) {
        writer->failed = true;
        return;
    }
    if (size > 0) {
        memcpy(writer->at, bytes, size);
        writer->at += size;
    }
}

void wire_write_u8(struct wire_writer *writer, uint8_t value)
{
    wire_write_bytes(writer, &value, sizeof(value));
}

void wire_write_u16(struct wire_writer *writer, uint16_t value)
{
    value = htole16(value);
    wire_write_bytes(writer, &value, sizeof(value));
}

void wire_write_u32(struct wire_writer *writer, uint32_t value)
{
    value = htole32(value);
    wire_write_bytes(writer, &value, sizeof(value));
}

void wire_write_u64(struct wire_writer *writer, uint64_t value)
{
    value = htole64(value);
    wire_write_bytes(writer, &value, sizeof(value));
}

/* Where there may be no room for the longest number. */
static void write_uint_at_end(struct wire_writer *writer, uint64_t value)
{
    uint8_t bytes[WIRE_UINT_SIZE_MAX];
    size_t size = 0;
    while (value >= 0x80) {
        bytes[size++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    bytes[size++] = (uint8_t)value;
    wire_write_bytes(writer, bytes, size);
}

void wire_write_long_uint(struct wire_writer *writer, uint64_t value)
{
    if (writer->failed || (size_t)(writer->end - writer->at) < WIRE_UINT_SIZE_MAX) {
        write_uint_at_end(writer, value);
        return;
    }
    writer->at = wire_put_uint(writer->at, value);
}

void wire_write_sint(struct wire_writer *writer, int64_t value)
{
    wire_write_uint(writer, ((uint64_t)value << 1) ^ (uint64_t)(value >> 63));
}

static uint64_t word_at(const char *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof(word));
    return word;
}

/* Whether eight bytes are digits: their high halves are 3, also with 6 added to their low ones. */
static bool digits_word(uint64_t word)
{
    const uint64_t high = UINT64_C(0xF0F0F0F0F0F0F0F0);
    const uint64_t threes = UINT64_C(0x3030303030303030);
    return (word & high) == threes && ((word + UINT64_C(0x0606060606060606)) & high) == threes;
}

static bool all_digits(const char *bytes, size_t size)
{
    while (size >= 8 && digits_word(word_at(bytes))) {
        bytes += 8;
        size -= 8;
        if (size == 0)
            return true;
    }
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] < '0' || bytes[i] > '9')
            return false;
    }
    return size > 0;
}

static void read_code_digits(struct wire_reader *reader, size_t count, struct wire_code *out)
{
    const uint8_t *packed = wire_read_bytes(reader, (count + 1) / 2);
    if (packed == NULL)
        return;
    for (size_t i = 0; i < count; i++) {
        unsigned digit = i % 2 == 0 ? packed[i / 2] >> 4 : packed[i / 2] & 0xF;
        if (digit > 9) {
            reader->failed = true;
            return;
        }
        out->bytes[i] = (char)('0' + digit);
    }
    if (count % 2 == 1 && (packed[count / 2] & 0xF) != 0xF) {
        reader->failed = true;
        return;
    }
    out->size = (uint8_t)count;
}

void wire_read_code(struct wire_reader *reader, struct wire_code *out)
{
    out->size = 0;
    uint8_t head = wire_read_u8(reader);
    size_t size = head & 0x7F;
    if (size > WIRE_CODE_MAX || head == 0x80) {
        reader->failed = true;
    } else if ((head & 0x80) != 0) {
        read_code_digits(reader, size, out);
    } else {
        const uint8_t *bytes = wire_read_bytes(reader, size);
        if (bytes == NULL)
            return;
        if (all_digits((const char *)bytes, size) || !wire_code_from((const char *)bytes, size, out))
            reader->failed = true;
    }
}

void wire_write_code(struct wire_writer *writer, const struct wire_code *code)
{
    wire_write_code_text(writer, code->bytes, code->size);
}

/* Two digits a byte; behind an odd number of them 0xF. Eight at a time while there are so many. */
static void pack_digits(const char *bytes, size_t size, uint8_t *out)
{
    size_t i = 0;
    for (; i + 8 <= size; i += 8) {
        uint64_t digits = le64toh(word_at(bytes + i)) & UINT64_C(0x0F0F0F0F0F0F0F0F);
        uint64_t pairs = (digits << 4 | digits >> 8) & UINT64_C(0x00FF00FF00FF00FF);
        pairs = (pairs | pairs >> 8) & UINT64_C(0x0000FFFF0000FFFF);
        uint32_t packed = htole32((uint32_t)(pairs | pairs >> 16));
        memcpy(out + i / 2, &packed, sizeof(packed));
    }
    for (; i < size; i += 2) {
        unsigned high = (unsigned)(bytes[i] - '0');
        unsigned low = i + 1 < size ? (unsigned)(bytes[i + 1] - '0') : 0xF;
        out[i / 2] = (uint8_t)(high << 4 | low);
    }
}

void wire_write_code_text(struct wire_writer *writer, const char *bytes, size_t size)
{
    /* What no reader accepts is never written: a peer would lose its connection over it. */
    if (size > WIRE_CODE_MAX) {
        writer->failed = true;
        return;
    }
    if (!all_digits(bytes, size)) {
        if (!wire_utf8_valid(bytes, size))
            writer->failed = true;
        wire_write_u8(writer, (uint8_t)size);
        wire_write_bytes(writer, bytes, size);
        return;
    }
    uint8_t packed[1 + WIRE_CODE_MAX / 2];
    packed[0] = (uint8_t)(0x80 | size);
    pack_digits(bytes, size, packed + 1);
    wire_write_bytes(writer, packed, 1 + (size + 1) / 2);
}

bool wire_code_from(const char *bytes, size_t size, struct wire_code *out)
{
    if (size > WIRE_CODE_MAX || !wire_utf8_valid(bytes, size))
        return false;
    out->size = (uint8_t)size;
    if (size > 0)
        memcpy(out->bytes, bytes, size);
    return true;
}

bool wire_code_equal(const struct wire_code *a, const struct wire_code *b)
{
    return a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0;
}

/* Length of the UTF-8 sequence at bytes, 0 if there is none that RFC 3629 allows. */
static size_t utf8_sequence(const uint8_t *bytes, size_t left)
{
    uint8_t first = bytes[0];
    if (first < 0x80)
        return first >= 0x20 && first != 0x7F ? 1 : 0;
    size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || left < size)
        return 0;
    for (size_t i = 1; i < size; i++) {
        if ((bytes[i] & 0xC0) != 0x80)
            return 0;
    }
    if ((first == 0xE0 && bytes[1] < 0xA0) || (first == 0xED && bytes[1] > 0x9F) ||
        (first == 0xF0 && bytes[1] < 0x90) || (first == 0xF4 && bytes[1] > 0x8F))
        return 0;
    return size;
}

/* Whether eight bytes are ASCII without control characters: a borrow or carry out of a byte shows in its high bit. */
static bool plain_word(uint64_t word)
{
    uint64_t below_space = word - UINT64_C(0x2020202020202020);
    uint64_t delete_or_more = word + UINT64_C(0x0101010101010101);
    return ((word | below_space | delete_or_more) & UINT64_C(0x8080808080808080)) == 0;
}

/* One to seven bytes as eight, some of them twice. */
static uint64_t short_word(const uint8_t *bytes, size_t size)
{
    uint32_t first, last;
    if (size < sizeof(first))
        return bytes[0] | (uint64_t)bytes[size / 2] << 8 | (uint64_t)bytes[size - 1] << 16 |
               UINT64_C(0x2020202020000000);
    memcpy(&first, bytes, sizeof(first));
    memcpy(&last, bytes + size - sizeof(last), sizeof(last));
    return first | (uint64_t)last << 32;
}

/* Whether all is ASCII without control characters, as nearly every text is: words at a time, the last may overlap. */
static bool plain_text(const uint8_t *bytes, size_t size)
{
    if (size < 8)
        return size == 0 || plain_word(short_word(bytes, size));
    for (size_t i = 0; i + 8 < size; i += 8) {
        if (!plain_word(word_at((const char *)bytes + i)))
            return false;
    }
    return plain_word(word_at((const char *)bytes + size - 8));
}

bool wire_utf8_valid(const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    if (plain_text(at, size))
        return true;
    while (size > 0) {
        size_t step = utf8_sequence(at, size);
        if (step == 0)
            return false;
        at += step;
        size -= step;
    }
    return true;
}
