/*
 * One field as bytes, in functions that the compiler can make straight code of once it knows the row. Private to codec.c
 * and codec_unrolled.h.
 */
#pragma once

#include <string.h>

#include "ledger/codec.h"

#define CODEC_INLINE static inline __attribute__((always_inline))

/* The other form of a signed number: small whatever its sign. */
CODEC_INLINE uint64_t codec_fold_sign(int64_t value)
{
    return ((uint64_t)value << 1) ^ (uint64_t)(value >> 63);
}

CODEC_INLINE int64_t codec_unfold_sign(uint64_t value)
{
    return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

/* Differences wrap, so that every one has its number. */
CODEC_INLINE int64_t codec_minus(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a - (uint64_t)b);
}

CODEC_INLINE int64_t codec_plus(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

/* Bytes of a field of numbers, by form. */
static const uint8_t codec_widths[] = {
    [CODEC_FORM_BOOL] = 1,       [CODEC_FORM_U8] = 1,  [CODEC_FORM_U16] = 2,     [CODEC_FORM_U32] = 4,
    [CODEC_FORM_U64] = 8,        [CODEC_FORM_ID] = 8,  [CODEC_FORM_ID_BASE] = 8, [CODEC_FORM_I32] = 4,
    [CODEC_FORM_I64] = 8,        [CODEC_FORM_DAY] = 4, [CODEC_FORM_TIME] = 8,    [CODEC_FORM_I64_BESIDE] = 8,
    [CODEC_FORM_DAY_BESIDE] = 4,
};

/* A number of a struct; one of 32 bits with its sign. */
CODEC_INLINE int64_t codec_load(const uint8_t *at, uint8_t width)
{
    int64_t wide;
    int32_t narrow;
    uint16_t narrower;
    switch (width) {
    case 8:
        memcpy(&wide, at, sizeof(wide));
        return wide;
    case 4:
        memcpy(&narrow, at, sizeof(narrow));
        return narrow;
    case 2:
        memcpy(&narrower, at, sizeof(narrower));
        return narrower;
    default:
        return *at;
    }
}

/* Its low bits, if it is too great: then it is refused afterwards. */
CODEC_INLINE void codec_store(uint8_t *at, uint8_t width, int64_t value)
{
    uint32_t narrow = (uint32_t)value;
    uint16_t narrower = (uint16_t)value;
    switch (width) {
    case 8:
        memcpy(at, &value, sizeof(value));
        break;
    case 4:
        memcpy(at, &narrow, sizeof(narrow));
        break;
    case 2:
        memcpy(at, &narrower, sizeof(narrower));
        break;
    default:
        *at = (uint8_t)value;
    }
}

CODEC_INLINE struct text codec_text_at(const void *at)
{
    struct text text;
    memcpy(&text, at, sizeof(text));
    return text;
}

CODEC_INLINE bool codec_all_zero(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != 0)
            return false;
    }
    return true;
}

CODEC_INLINE bool codec_within(int64_t value, uint64_t max)
{
    return max == 0 || (value <= (int64_t)max && value >= -(int64_t)max);
}

/* Days as they are written: 0 never, 1 always was, then the others around the base. */
enum { CODEC_STORED_NEVER = 0, CODEC_STORED_ALWAYS = 1, CODEC_STORED_DAYS = 2 };

CODEC_INLINE uint64_t codec_store_day(local_day day, const struct codec_base *base)
{
    if (day == DAY_NEVER)
        return CODEC_STORED_NEVER;
    if (day == INT32_MIN)
        return CODEC_STORED_ALWAYS;
    return CODEC_STORED_DAYS + codec_fold_sign((int64_t)day - base->day);
}

CODEC_INLINE bool codec_unstore_day(uint64_t stored, const struct codec_base *base, int64_t *out)
{
    if (stored < CODEC_STORED_DAYS) {
        *out = stored == CODEC_STORED_NEVER ? DAY_NEVER : INT32_MIN;
        return true;
    }
    *out = codec_plus(codec_unfold_sign(stored - CODEC_STORED_DAYS), base->day);
    return *out > INT32_MIN && *out < INT32_MAX;
}

/* What a field of numbers is written as. False: it is as it mostly is, and not written. */
CODEC_INLINE bool codec_number_stored(const struct codec_field *field, const struct codec_base *base,
                                      const uint8_t *from, uint64_t *out)
{
    uint8_t width = codec_widths[field->form];
    int64_t value = codec_load(from + field->at, width);
    switch ((enum codec_form)field->form) {
    case CODEC_FORM_U32:
        *out = (uint32_t)value;
        break;
    case CODEC_FORM_I32:
    case CODEC_FORM_I64:
        *out = codec_fold_sign(value);
        break;
    case CODEC_FORM_DAY:
        *out = codec_store_day((local_day)value, base);
        return value != 0;
    case CODEC_FORM_TIME:
        *out = codec_fold_sign(codec_minus(value, base->time));
        return value != 0;
    case CODEC_FORM_ID_BASE:
        *out = (uint64_t)value;
        return *out != base->id;
    case CODEC_FORM_I64_BESIDE:
    case CODEC_FORM_DAY_BESIDE:
        *out = codec_fold_sign(codec_minus(value, codec_load(from + field->beside, width)));
        break;
    case CODEC_FORM_BOOL:
    case CODEC_FORM_U8:
    case CODEC_FORM_U16:
    case CODEC_FORM_U64:
    case CODEC_FORM_ID:
    case CODEC_FORM_BYTES: /* and behind it: are no numbers */
    case CODEC_FORM_TEXT:
    case CODEC_FORM_CODE:
    case CODEC_FORM_CODE_BESIDE:
    case CODEC_FORM_SEALED:
        *out = (uint64_t)value;
    }
    return *out != 0;
}

/* Whether a field is written, and *out, if it is a number. */
CODEC_INLINE bool codec_field_stored(const struct codec_field *field, const struct codec_base *base,
                                     const uint8_t *from, uint64_t *out)
{
    if (field->form < CODEC_FORM_BYTES)
        return codec_number_stored(field, base, from, out);
    if (field->form == CODEC_FORM_BYTES)
        return !codec_all_zero(from + field->at, field->max);
    if (field->form == CODEC_FORM_CODE_BESIDE)
        return !text_equal(codec_text_at(from + field->at), codec_text_at(from + field->beside));
    return codec_text_at(from + field->at).size > 0;
}

CODEC_INLINE bool codec_code_valid(struct text text)
{
    return text.size <= WIRE_CODE_MAX && wire_utf8_valid(text.data, text.size);
}

CODEC_INLINE bool codec_text_valid(const struct codec_field *field, struct text text)
{
    if (field->form == CODEC_FORM_TEXT)
        return field->max == 0 || text.size <= field->max;
    if (field->form == CODEC_FORM_SEALED && field->seal != SEALED_CARD_NUMBER)
        return true;
    return codec_code_valid(text);
}

CODEC_INLINE bool codec_day_valid(int64_t day)
{
    return day == DAY_NEVER || day == INT32_MIN || (day <= CODEC_DAY_MAX && day >= -CODEC_DAY_MAX);
}

/* Whether a number is one that the reader takes back. */
CODEC_INLINE bool codec_number_valid(const struct codec_field *field, const uint8_t *from, uint64_t stored)
{
    const uint8_t *at = from + field->at;
    switch ((enum codec_form)field->form) {
    case CODEC_FORM_BOOL:
        return stored <= 1;
    case CODEC_FORM_U8:
    case CODEC_FORM_U16:
    case CODEC_FORM_U32:
    case CODEC_FORM_U64:
        return stored <= field->max;
    case CODEC_FORM_I32:
    case CODEC_FORM_I64:
    case CODEC_FORM_I64_BESIDE:
        return codec_within(codec_load(at, codec_widths[field->form]), field->max);
    case CODEC_FORM_DAY:
    case CODEC_FORM_DAY_BESIDE:
        return codec_day_valid(codec_load(at, codec_widths[field->form]));
    case CODEC_FORM_ID:
    case CODEC_FORM_ID_BASE:
    case CODEC_FORM_TIME:
    case CODEC_FORM_BYTES: /* and behind it: are no numbers */
    case CODEC_FORM_TEXT:
    case CODEC_FORM_CODE:
    case CODEC_FORM_CODE_BESIDE:
    case CODEC_FORM_SEALED:
        break;
    }
    return true;
}

CODEC_INLINE void codec_write_field(struct wire_writer *writer, const struct codec_field *field,
                                    const uint8_t *from, uint64_t stored)
{
    if (field->form == CODEC_FORM_BYTES) {
        wire_write_bytes(writer, from + field->at, field->max);
    } else if (field->form > CODEC_FORM_BYTES) {
        struct text text = codec_text_at(from + field->at);
        PUNKT_CHECK(codec_text_valid(field, text));
        if (field->form == CODEC_FORM_SEALED) {
            wire_write_u8(writer, field->seal);
            wire_write_uint(writer, CODEC_KEY_NONE);
        }
        wire_write_uint(writer, text.size);
        wire_write_bytes(writer, text.data, text.size);
    } else {
        PUNKT_CHECK(codec_number_valid(field, from, stored));
        if (field->form == CODEC_FORM_ID || field->form == CODEC_FORM_ID_BASE)
            wire_write_u64(writer, stored);
        else if (field->form != CODEC_FORM_BOOL)
            wire_write_uint(writer, stored);
    }
}

/* Puts a number into its field. False: it is none that the writer writes. */
CODEC_INLINE bool codec_put_number(const struct codec_field *field, const struct codec_base *base,
                                   uint64_t stored, uint8_t *out)
{
    uint8_t width = codec_widths[field->form];
    int64_t value = (int64_t)stored;
    bool valid = true;
    switch ((enum codec_form)field->form) {
    case CODEC_FORM_I32:
        value = codec_unfold_sign(stored);
        valid = value >= INT32_MIN && value <= INT32_MAX;
        break;
    case CODEC_FORM_I64:
        value = codec_unfold_sign(stored);
        break;
    case CODEC_FORM_DAY:
        valid = codec_unstore_day(stored, base, &value);
        break;
    case CODEC_FORM_TIME:
        value = codec_plus(codec_unfold_sign(stored), base->time);
        break;
    case CODEC_FORM_I64_BESIDE:
        value = codec_plus(codec_unfold_sign(stored), codec_load(out + field->beside, width));
        break;
    case CODEC_FORM_DAY_BESIDE:
        value = codec_plus(codec_unfold_sign(stored), codec_load(out + field->beside, width));
        valid = value >= INT32_MIN && value <= INT32_MAX;
        break;
    case CODEC_FORM_BOOL:
    case CODEC_FORM_U8:
    case CODEC_FORM_U16:
    case CODEC_FORM_U32:
    case CODEC_FORM_U64:
    case CODEC_FORM_ID:
    case CODEC_FORM_ID_BASE:
    case CODEC_FORM_BYTES: /* and behind it: are no numbers */
    case CODEC_FORM_TEXT:
    case CODEC_FORM_CODE:
    case CODEC_FORM_CODE_BESIDE:
    case CODEC_FORM_SEALED:
        break;
    }
    codec_store(out + field->at, width, value);
    return valid && codec_number_valid(field, out, stored);
}

/* What a field is when it was not written. */
CODEC_INLINE void codec_clear_field(const struct codec_field *field, const struct codec_base *base,
                                    uint8_t *out)
{
    uint8_t *at = out + field->at;
    if (field->form == CODEC_FORM_BYTES)
        memset(at, 0, field->max);
    else if (field->form == CODEC_FORM_CODE_BESIDE)
        memcpy(at, out + field->beside, sizeof(struct text));
    else if (field->form > CODEC_FORM_BYTES)
        memcpy(at, &(struct text){ NULL, 0 }, sizeof(struct text));
    else if (field->form == CODEC_FORM_I64_BESIDE || field->form == CODEC_FORM_DAY_BESIDE)
        codec_store(at, codec_widths[field->form],
                    codec_load(out + field->beside, codec_widths[field->form]));
    else if (field->form == CODEC_FORM_ID_BASE)
        codec_store(at, codec_widths[field->form], (int64_t)base->id);
    else
        codec_store(at, codec_widths[field->form], 0);
}

CODEC_INLINE bool codec_read_text(struct wire_reader *reader, const struct codec_field *field, uint8_t *out)
{
    if (field->form == CODEC_FORM_SEALED &&
        (wire_read_u8(reader) != field->seal || wire_read_uint(reader) != CODEC_KEY_NONE))
        return false;
    uint64_t size = wire_read_uint(reader);
    const uint8_t *bytes = size <= wire_left(reader) ? wire_read_bytes(reader, (size_t)size) : NULL;
    struct text text = { (const char *)bytes, (size_t)size };
    if (bytes == NULL || !codec_text_valid(field, text))
        return false;
    memcpy(out + field->at, &text, sizeof(text));
    return true;
}

/* False: these are not the bytes that would be written of a field that has to be. */
CODEC_INLINE bool codec_read_field(struct wire_reader *reader, const struct codec_field *field,
                                   const struct codec_base *base, uint8_t *out)
{
    uint64_t again;
    if (field->form == CODEC_FORM_BYTES) {
        const uint8_t *bytes = wire_read_bytes(reader, field->max);
        if (bytes == NULL)
            return false;
        memcpy(out + field->at, bytes, field->max);
    } else if (field->form > CODEC_FORM_BYTES) {
        if (!codec_read_text(reader, field, out))
            return false;
    } else {
        uint64_t stored = 1;
        if (field->form == CODEC_FORM_ID || field->form == CODEC_FORM_ID_BASE)
            stored = wire_read_u64(reader);
        else if (field->form != CODEC_FORM_BOOL)
            stored = wire_read_uint(reader);
        if (reader->failed || !codec_put_number(field, base, stored, out))
            return false;
    }
    return codec_field_stored(field, base, out, &again);
}

/* Reads the field, or makes it what it mostly is. */
CODEC_INLINE void codec_read_or_clear(struct wire_reader *reader, const struct codec_base *base,
                                      const struct codec_field *field, bool written, uint8_t *out)
{
    if (written && !reader->failed && codec_read_field(reader, field, base, out))
        return;
    if (written || field->needed)
        reader->failed = true;
    codec_clear_field(field, base, out);
}
