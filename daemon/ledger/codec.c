#include "ledger/codec.h"

#include <string.h>

/* The other form of a signed number: small whatever its sign. */
static uint64_t fold_sign(int64_t value)
{
    return ((uint64_t)value << 1) ^ (uint64_t)(value >> 63);
}

static int64_t unfold_sign(uint64_t value)
{
    return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

/* Differences wrap, so that every one has its number. */
static int64_t minus(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a - (uint64_t)b);
}

static int64_t plus(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

/* Bytes of a field of numbers, by form. */
static const uint8_t widths[] = {
    [CODEC_FORM_BOOL] = 1,       [CODEC_FORM_U8] = 1,  [CODEC_FORM_U16] = 2,     [CODEC_FORM_U32] = 4,
    [CODEC_FORM_U64] = 8,        [CODEC_FORM_ID] = 8,  [CODEC_FORM_ID_BASE] = 8, [CODEC_FORM_I32] = 4,
    [CODEC_FORM_I64] = 8,        [CODEC_FORM_DAY] = 4, [CODEC_FORM_TIME] = 8,    [CODEC_FORM_I64_BESIDE] = 8,
    [CODEC_FORM_DAY_BESIDE] = 4,
};

/* A number of a struct; one of 32 bits with its sign. */
static int64_t load(const uint8_t *at, uint8_t width)
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
static void store(uint8_t *at, uint8_t width, int64_t value)
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

static struct text text_at(const void *at)
{
    struct text text;
    memcpy(&text, at, sizeof(text));
    return text;
}

static bool all_zero(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != 0)
            return false;
    }
    return true;
}

static bool within(int64_t value, uint64_t max)
{
    return max == 0 || (value <= (int64_t)max && value >= -(int64_t)max);
}

/* Days as they are written: 0 never, 1 always was, then the others around the base. */
enum { STORED_NEVER = 0, STORED_ALWAYS = 1, STORED_DAYS = 2 };

static uint64_t store_day(local_day day, const struct codec_base *base)
{
    if (day == DAY_NEVER)
        return STORED_NEVER;
    if (day == INT32_MIN)
        return STORED_ALWAYS;
    return STORED_DAYS + fold_sign((int64_t)day - base->day);
}

static bool unstore_day(uint64_t stored, const struct codec_base *base, int64_t *out)
{
    if (stored < STORED_DAYS) {
        *out = stored == STORED_NEVER ? DAY_NEVER : INT32_MIN;
        return true;
    }
    *out = plus(unfold_sign(stored - STORED_DAYS), base->day);
    return *out > INT32_MIN && *out < INT32_MAX;
}

void codec_write_day(struct wire_writer *writer, const struct codec_base *base, local_day day)
{
    wire_write_uint(writer, store_day(day, base));
}

local_day codec_read_day(struct wire_reader *reader, const struct codec_base *base)
{
    int64_t day;
    if (!unstore_day(wire_read_uint(reader), base, &day))
        reader->failed = true;
    return reader->failed ? 0 : (local_day)day;
}

/* What a field of numbers is written as. False: it is as it mostly is, and not written. */
static bool number_stored(const struct codec_field *field, const struct codec_base *base, const uint8_t *from,
                          uint64_t *out)
{
    uint8_t width = widths[field->form];
    int64_t value = load(from + field->at, width);
    switch ((enum codec_form)field->form) {
    case CODEC_FORM_U32:
        *out = (uint32_t)value;
        break;
    case CODEC_FORM_I32:
    case CODEC_FORM_I64:
        *out = fold_sign(value);
        break;
    case CODEC_FORM_DAY:
        *out = store_day((local_day)value, base);
        return value != 0;
    case CODEC_FORM_TIME:
        *out = fold_sign(minus(value, base->time));
        return value != 0;
    case CODEC_FORM_ID_BASE:
        *out = (uint64_t)value;
        return *out != base->id;
    case CODEC_FORM_I64_BESIDE:
    case CODEC_FORM_DAY_BESIDE:
        *out = fold_sign(minus(value, load(from + field->beside, width)));
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
static bool field_stored(const struct codec_field *field, const struct codec_base *base, const uint8_t *from,
                         uint64_t *out)
{
    if (field->form < CODEC_FORM_BYTES)
        return number_stored(field, base, from, out);
    if (field->form == CODEC_FORM_BYTES)
        return !all_zero(from + field->at, field->max);
    if (field->form == CODEC_FORM_CODE_BESIDE)
        return !text_equal(text_at(from + field->at), text_at(from + field->beside));
    return text_at(from + field->at).size > 0;
}

static bool code_valid(struct text text)
{
    return text.size <= WIRE_CODE_MAX && wire_utf8_valid(text.data, text.size);
}

static bool text_valid(const struct codec_field *field, struct text text)
{
    if (field->form == CODEC_FORM_TEXT)
        return field->max == 0 || text.size <= field->max;
    if (field->form == CODEC_FORM_SEALED && field->seal != SEALED_CARD_NUMBER)
        return true;
    return code_valid(text);
}

/* Whether a number is one that the reader takes back. */
static bool number_valid(const struct codec_field *field, const uint8_t *from, uint64_t stored)
{
    if (field->form == CODEC_FORM_I64 || field->form == CODEC_FORM_I64_BESIDE)
        return within(load(from + field->at, sizeof(int64_t)), field->max);
    if (field->form == CODEC_FORM_BOOL)
        return stored <= 1;
    return field->form > CODEC_FORM_U64 || stored <= field->max;
}

static void write_field(struct wire_writer *writer, const struct codec_field *field, const uint8_t *from,
                        uint64_t stored)
{
    if (field->form == CODEC_FORM_BYTES) {
        wire_write_bytes(writer, from + field->at, field->max);
    } else if (field->form > CODEC_FORM_BYTES) {
        struct text text = text_at(from + field->at);
        PUNKT_CHECK(text_valid(field, text));
        if (field->form == CODEC_FORM_SEALED) {
            wire_write_u8(writer, field->seal);
            wire_write_uint(writer, CODEC_KEY_NONE);
        }
        wire_write_uint(writer, text.size);
        wire_write_bytes(writer, text.data, text.size);
    } else {
        PUNKT_CHECK(number_valid(field, from, stored));
        if (field->form == CODEC_FORM_ID || field->form == CODEC_FORM_ID_BASE)
            wire_write_u64(writer, stored);
        else if (field->form != CODEC_FORM_BOOL)
            wire_write_uint(writer, stored);
    }
}

void codec_write(struct wire_writer *writer, const struct codec_base *base, const struct codec_field *fields,
                 size_t count, const void *from)
{
    uint64_t stored[CODEC_FIELDS_MAX];
    uint64_t mask = 0;
    PUNKT_CHECK(count <= CODEC_FIELDS_MAX);
    for (size_t i = 0; i < count; i++) {
        if (field_stored(&fields[i], base, from, &stored[i]))
            mask |= UINT64_C(1) << i;
        else
            PUNKT_CHECK(!fields[i].needed);
    }
    wire_write_uint(writer, mask);
    for (; mask != 0; mask &= mask - 1) {
        int i = __builtin_ctzll(mask);
        write_field(writer, &fields[i], from, stored[i]);
    }
}

/* Puts a number into its field. False: it is none that the writer writes. */
static bool put_number(const struct codec_field *field, const struct codec_base *base, uint64_t stored,
                       uint8_t *out)
{
    uint8_t width = widths[field->form];
    int64_t value = (int64_t)stored;
    bool valid = true;
    switch ((enum codec_form)field->form) {
    case CODEC_FORM_I32:
        value = unfold_sign(stored);
        valid = value >= INT32_MIN && value <= INT32_MAX;
        break;
    case CODEC_FORM_I64:
        value = unfold_sign(stored);
        break;
    case CODEC_FORM_DAY:
        valid = unstore_day(stored, base, &value);
        break;
    case CODEC_FORM_TIME:
        value = plus(unfold_sign(stored), base->time);
        break;
    case CODEC_FORM_I64_BESIDE:
        value = plus(unfold_sign(stored), load(out + field->beside, width));
        break;
    case CODEC_FORM_DAY_BESIDE:
        value = plus(unfold_sign(stored), load(out + field->beside, width));
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
    store(out + field->at, width, value);
    return valid && number_valid(field, out, stored);
}

/* What a field is when it was not written. */
static void clear_field(const struct codec_field *field, const struct codec_base *base, uint8_t *out)
{
    uint8_t *at = out + field->at;
    if (field->form == CODEC_FORM_BYTES)
        memset(at, 0, field->max);
    else if (field->form == CODEC_FORM_CODE_BESIDE)
        memcpy(at, out + field->beside, sizeof(struct text));
    else if (field->form > CODEC_FORM_BYTES)
        memcpy(at, &(struct text){ NULL, 0 }, sizeof(struct text));
    else if (field->form == CODEC_FORM_I64_BESIDE || field->form == CODEC_FORM_DAY_BESIDE)
        store(at, widths[field->form], load(out + field->beside, widths[field->form]));
    else if (field->form == CODEC_FORM_ID_BASE)
        store(at, widths[field->form], (int64_t)base->id);
    else
        store(at, widths[field->form], 0);
}

static bool read_text(struct wire_reader *reader, const struct codec_field *field, uint8_t *out)
{
    if (field->form == CODEC_FORM_SEALED &&
        (wire_read_u8(reader) != field->seal || wire_read_uint(reader) != CODEC_KEY_NONE))
        return false;
    uint64_t size = wire_read_uint(reader);
    const uint8_t *bytes = size <= wire_left(reader) ? wire_read_bytes(reader, (size_t)size) : NULL;
    struct text text = { (const char *)bytes, (size_t)size };
    if (bytes == NULL || !text_valid(field, text))
        return false;
    memcpy(out + field->at, &text, sizeof(text));
    return true;
}

/* False: these are not the bytes that would be written of a field that has to be. */
static bool read_field(struct wire_reader *reader, const struct codec_field *field,
                       const struct codec_base *base, uint8_t *out)
{
    uint64_t again;
    if (field->form == CODEC_FORM_BYTES) {
        const uint8_t *bytes = wire_read_bytes(reader, field->max);
        if (bytes == NULL)
            return false;
        memcpy(out + field->at, bytes, field->max);
    } else if (field->form > CODEC_FORM_BYTES) {
        if (!read_text(reader, field, out))
            return false;
    } else {
        uint64_t stored = 1;
        if (field->form == CODEC_FORM_ID || field->form == CODEC_FORM_ID_BASE)
            stored = wire_read_u64(reader);
        else if (field->form != CODEC_FORM_BOOL)
            stored = wire_read_uint(reader);
        if (reader->failed || !put_number(field, base, stored, out))
            return false;
    }
    return field_stored(field, base, out, &again);
}

void codec_read(struct wire_reader *reader, const struct codec_base *base, const struct codec_field *fields,
                size_t count, void *out)
{
    PUNKT_CHECK(count <= CODEC_FIELDS_MAX);
    uint64_t mask = wire_read_uint(reader);
    if (count < CODEC_FIELDS_MAX && mask >> count != 0)
        reader->failed = true;
    for (size_t i = 0; i < count; i++) {
        bool written = !reader->failed && (mask >> i & 1) != 0;
        if (written && read_field(reader, &fields[i], base, out))
            continue;
        if (written || fields[i].needed)
            reader->failed = true;
        clear_field(&fields[i], base, out);
    }
}
