/*
 * The typed messages: structs, and the tables that encode, decode and print them. Everything here
 * is made from messages.def, operations.def and results.def.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/frame.h"
#include "proto/wire.h"

#define PROTOCOL_VERSION 1

/* Limits of fields, as messages.def names them. */
#define MESSAGE_POINTS_MAX (INT64_C(1000000000000) * 1000 - 1) /* below 10^12 points of three decimals */
#define MESSAGE_AMOUNT_MAX INT64_C(999999999999)
#define MESSAGE_QUANTITY_MAX INT64_C(999999999)
#define MESSAGE_TIME_MAX INT64_C(253402300799999999) /* the end of the year 9999 */
#define MESSAGE_DAY_MAX 2932896                      /* its last day */
#define MESSAGE_ELEMENT_SIZE_MAX 1152 /* bytes of a list's element; a test holds the table to it */

/* A borrowed run of bytes: points into the frame that was decoded. */
struct message_text {
    const char *data;
    uint64_t size;
};

/*
 * As much of a string as a TEXT field of this limit takes: cut before what is too long, no UTF-8 or a control
 * character. For words that come from elsewhere, such as file names in a detail. Borrows the string.
 */
struct message_text message_text_of(const char *string, size_t limit);

/* struct msg_NAME: one member a field; a list is a pointer and NAME_count. */
#define MESSAGE_TYPE_UINT uint64_t
#define MESSAGE_TYPE_SINT int64_t
#define MESSAGE_TYPE_FIXED uint64_t
#define MESSAGE_TYPE_HASH16 message_hash16
#define MESSAGE_TYPE_HASH32 message_hash32
#define MESSAGE_TYPE_CARD struct wire_code
#define MESSAGE_TYPE_CODE struct wire_code
#define MESSAGE_TYPE_TEXT struct message_text
#define MESSAGE_TYPE_TEXT_BLOCK struct message_text
#define MESSAGE_TYPE_BYTES struct message_text
typedef uint8_t message_hash16[16];
typedef uint8_t message_hash32[32];

#define MESSAGE(name, doc) struct msg_##name {
#define FIELD(message, KIND, name, need, limit, preset, doc) MESSAGE_TYPE_##KIND name;
#define LIST(message, element, name, limit, doc)                                                             \
    struct msg_##element *name;                                                                              \
    uint64_t name##_count;
#define END(name)                                                                                            \
    char end_; /* keeps a message without fields a valid struct */                                           \
    }                                                                                                        \
    ;
#include "proto/messages.def"
#undef MESSAGE
#undef FIELD
#undef LIST
#undef END

enum message {
#define MESSAGE(name, doc) MESSAGE_##name,
#define FIELD(message, KIND, name, need, limit, preset, doc)
#define LIST(message, element, name, limit, doc)
#define END(name)
#include "proto/messages.def"
#undef MESSAGE
#undef FIELD
#undef LIST
#undef END
    MESSAGE_COUNT
};

enum operation {
#define OPERATION(code, NAME, name, kind, roles, doc) OPERATION_##NAME = (code),
#include "proto/operations.def"
#undef OPERATION
};

/* Who an identity is. */
enum role {
    ROLE_NONE = 0,
#define ROLE(number, NAME, name, letter, doc) ROLE_##NAME = (number),
#include "proto/roles.def"
#undef ROLE
};
#define ROLE_COUNT 6

enum result {
    RESULT_DONE = 0,
#define RESULT(code, NAME, name, finality, exit_code, text) RESULT_##NAME = (code),
#include "proto/results.def"
#undef RESULT
};

enum field_kind {
    FIELD_UINT,
    FIELD_SINT,
    FIELD_FIXED,
    FIELD_HASH16,
    FIELD_HASH32,
    FIELD_CARD,
    FIELD_CODE,
    FIELD_TEXT,
    FIELD_TEXT_BLOCK,
    FIELD_BYTES,
    FIELD_LIST,
};

struct message_field {
    const char *name;
    const char *doc;
    enum field_kind kind;
    bool required;
    enum message element;  /* FIELD_LIST: of what */
    uint32_t offset;       /* of the member in the struct */
    uint32_t count_offset; /* FIELD_LIST: of its count */
    uint64_t limit;        /* largest value, size in bytes, or count */
    uint64_t preset;       /* value of an OPTIONAL number that is not on the wire */
};

struct message_table {
    const char *name;
    const char *doc;
    const struct message_field *fields;
    size_t field_count;
    size_t struct_size;
};

extern const struct message_table message_tables[MESSAGE_COUNT];

/* Where decoded lists go: caller-owned memory, aligned for max_align_t, used from the front. */
struct message_memory {
    uint8_t *at;
    size_t left;
};

/*
 * Decodes a body into out (a struct msg_NAME, written whole). Lists are placed in memory; texts
 * point into body. What stands behind the last field known here is skipped (a newer peer's field).
 * False: malformed; *out_field then names the field that is wrong (or "" ), and out is undefined.
 */
bool message_decode(enum message message, const void *body, size_t size, struct message_memory *memory,
                    void *out, const char **out_field);

/*
 * Encodes a struct msg_NAME behind the writer's position, in the shortest form. Values over their
 * limits make the writer fail.
 */
void message_encode(enum message message, const void *in, struct wire_writer *writer);

/*
 * Sets every OPTIONAL field of a struct msg_NAME to its preset and all others to zero.
 */
void message_init(enum message message, void *out);

/* Prints a message as text, a field a line, for people and dissectors; ends with NUL, truncated to
 * capacity. Returns the length of the whole text. */
size_t message_print(enum message message, const void *in, char *out, size_t capacity);

enum operation_kind { OPERATION_KIND_SESSION, OPERATION_KIND_READ, OPERATION_KIND_CHANGE };

struct operation_row {
    enum operation code;
    const char *name;
    const char *doc;
    enum operation_kind kind;
    char roles[ROLE_COUNT]; /* by role - 1: its letter, or a dash: it may not */
    enum message request;
    enum message answer;
};

/* The row of an operation, NULL if the code is unknown. */
const struct operation_row *operation_row(uint16_t code);

/* Whether a request may carry a secret part (FRAME_FLAG_SECRET): those that ask for a PIN, or set one. */
bool operation_takes_secret(enum operation operation);

/* Whether a role may ask for the operation at all; ROLE_NONE may nothing. */
bool operation_allows(const struct operation_row *row, enum role role);

/* "till", "supervisor", ...; "" for no role. */
const char *role_name(enum role role);
/* ROLE_NONE: there is none of this name. */
enum role role_by_name(const char *name, size_t size);

struct result_row {
    enum result code;
    const char *name;
    const char *text;
    bool retryable;
    int exit_code; /* of the command `punkt` */
};

/* The row of a result, NULL for a code not known here. */
const struct result_row *result_row(uint64_t code);
