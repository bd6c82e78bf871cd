/*
 * What events and records have in common as bytes: a struct is a mask that says which of its fields are not as they
 * mostly are, then those fields, in the order of its table. Every value has one form only and every form one value, so
 * that bytes and meaning are one; what is mostly zero takes a bit. Private to ledger.
 */
#pragma once

#include <assert.h>

#include "base/base.h"
#include "base/text.h"
#include "base/units.h"
#include "proto/wire.h"

/* What days, times and ids are compared with, so that they are short. */
struct codec_base {
    local_day day;
    utc_us time;
    uint64_t id; /* for ids that are mostly one and the same */
};

/* How a field stands among the bytes. `max` 0 of I32, I64 and TEXT: any. Whatever is over a max, or not valid, fails the reader. */
enum codec_form {
    CODEC_FORM_BOOL,        /* its bit in the mask is all there is */
    CODEC_FORM_U8,          /* up to max */
    CODEC_FORM_U16,         /* up to max */
    CODEC_FORM_U32,         /* up to max; enums too */
    CODEC_FORM_U64,         /* up to max */
    CODEC_FORM_ID,          /* eight bytes: of a name, so all of them are used */
    CODEC_FORM_ID_BASE,     /* the same; mostly that of the base */
    CODEC_FORM_I32,         /* -max to max */
    CODEC_FORM_I64,         /* -max to max */
    CODEC_FORM_DAY,         /* DAY_NEVER, INT32_MIN, -CODEC_DAY_MAX to CODEC_DAY_MAX; mostly 0 */
    CODEC_FORM_TIME,        /* mostly 0 */
    CODEC_FORM_I64_BESIDE,  /* -max to max; mostly the same as the field beside it, which comes before it */
    CODEC_FORM_DAY_BESIDE,  /* the same */
    CODEC_FORM_BYTES,       /* max of them */
    CODEC_FORM_TEXT,        /* of up to max bytes */
    CODEC_FORM_CODE,        /* text that wire_code_from takes */
    CODEC_FORM_CODE_BESIDE, /* mostly the same as the one beside it */
    CODEC_FORM_SEALED,      /* text: which field, number of the key (0: none), bytes */
};

/* Numbered for ever: what a sealed field is. */
enum codec_seal {
    SEALED_CARD_NUMBERS = 1, /* codes of proto/wire.h, one behind the other */
    SEALED_OPERATOR = 2,
    SEALED_NOTE = 3,
    SEALED_CARD_NUMBER = 4,
    SEALED_REQUEST = 5, /* the body of a proposal */
};

/* What the calendar can count with; months alike. */
#define CODEC_DAY_MAX 99999999
#define CODEC_MONTH_MAX (CODEC_DAY_MAX / 31)

#define CODEC_KEY_NONE 0 /* a sealed field that is not encrypted */

#define CODEC_FIELDS_MAX 64 /* a bit each of the mask */
struct codec_field {
    uint16_t at;     /* where it is in the struct */
    uint16_t beside; /* FORM_..._BESIDE: where the other one is */
    uint8_t form;
    uint8_t seal;
    bool needed; /* zero is no value of it */
    uint64_t max;
};

/* Writes a struct. PUNKT_CHECK: what would not be read again is a bug of ours. */
void codec_write(struct wire_writer *writer, const struct codec_base *base, const struct codec_field *fields,
                 size_t count, const void *from);
/* Reads one: fields without a row are not touched. After a failure every count is still within its max. */
void codec_read(struct wire_reader *reader, const struct codec_base *base, const struct codec_field *fields,
                size_t count, void *out);
#define CODEC_FIELDS(fields) (fields), COUNT_OF(fields)

/* A day that stands by itself: in its form, whatever it is. */
void codec_write_day(struct wire_writer *writer, const struct codec_base *base, local_day day);
local_day codec_read_day(struct wire_reader *reader, const struct codec_base *base);

/* Rows of a table: a member of a struct, which has the size that its form wants, or it does not compile. */
#define CODEC_ROW(type, member, bytes, form, beside, seal, needed, max)                                      \
    {                                                                                                        \
        (uint16_t)(offsetof(type, member) +                                                                  \
                   0 * sizeof(char[sizeof(((type *)0)->member) == (bytes) ? 1 : -1])),                       \
            (beside), (form), (seal), (needed), (max)                                                        \
    }
#define CODEC_BOOL(type, member) CODEC_ROW(type, member, 1, CODEC_FORM_BOOL, 0, 0, false, 0)
#define CODEC_U8(type, member, max) CODEC_ROW(type, member, 1, CODEC_FORM_U8, 0, 0, false, max)
#define CODEC_U16(type, member, max) CODEC_ROW(type, member, 2, CODEC_FORM_U16, 0, 0, false, max)
#define CODEC_U32(type, member, max) CODEC_ROW(type, member, 4, CODEC_FORM_U32, 0, 0, false, max)
#define CODEC_ENUM(type, member, max) CODEC_ROW(type, member, 4, CODEC_FORM_U32, 0, 0, true, max)
#define CODEC_U64(type, member) CODEC_ROW(type, member, 8, CODEC_FORM_U64, 0, 0, false, UINT64_MAX)
#define CODEC_ID(type, member) CODEC_ROW(type, member, 8, CODEC_FORM_ID, 0, 0, false, 0)
#define CODEC_ID_BASE(type, member) CODEC_ROW(type, member, 8, CODEC_FORM_ID_BASE, 0, 0, false, 0)
#define CODEC_I32(type, member, max) CODEC_ROW(type, member, 4, CODEC_FORM_I32, 0, 0, false, max)
#define CODEC_I64(type, member, max) CODEC_ROW(type, member, 8, CODEC_FORM_I64, 0, 0, false, max)
#define CODEC_DAY(type, member) CODEC_ROW(type, member, 4, CODEC_FORM_DAY, 0, 0, false, 0)
#define CODEC_TIME(type, member) CODEC_ROW(type, member, 8, CODEC_FORM_TIME, 0, 0, false, 0)
#define CODEC_I64_BESIDE(type, member, other, max)                                                           \
    CODEC_ROW(type, member, 8, CODEC_FORM_I64_BESIDE, offsetof(type, other), 0, false, max)
#define CODEC_DAY_BESIDE(type, member, other)                                                                \
    CODEC_ROW(type, member, 4, CODEC_FORM_DAY_BESIDE, offsetof(type, other), 0, false, 0)
#define CODEC_BYTES(type, member, size) CODEC_ROW(type, member, size, CODEC_FORM_BYTES, 0, 0, false, size)
#define CODEC_TEXT(type, member, max)                                                                        \
    CODEC_ROW(type, member, sizeof(struct text), CODEC_FORM_TEXT, 0, 0, false, max)
/* Breaks the build when a struct changes its size: whoever adds a field adds its row, and then the new size. */
#define CODEC_ROWS_ARE_OF(type, size) static_assert(sizeof(type) == (size), "every field has its row above")

/* A whole struct text, in a list of them. */
#define CODEC_CODE_ITSELF                                                                                    \
    {                                                                                                        \
        0, 0, CODEC_FORM_CODE, 0, false, 0                                                                   \
    }
#define CODEC_CODE(type, member) CODEC_ROW(type, member, sizeof(struct text), CODEC_FORM_CODE, 0, 0, false, 0)
#define CODEC_CODE_BESIDE(type, member, other)                                                               \
    CODEC_ROW(type, member, sizeof(struct text), CODEC_FORM_CODE_BESIDE, offsetof(type, other), 0, false, 0)
#define CODEC_SEALED(type, member, what)                                                                     \
    CODEC_ROW(type, member, sizeof(struct text), CODEC_FORM_SEALED, 0, what, false, 0)
