/*
 * The bytes of an outbox: headers and records, encoded, decoded and checked. Nothing here touches a file.
 * Numbers are little-endian. All that is written once is never written over (RELIABILITY.md, Outbox of the client).
 *
 *      header   magic 8 | version 4 | store 33 | till 33 | epochs 2 x 8 | generation 8 | salt 8 | checksum 4
 *      record   length 4 | checksum 4 | type 2 | lane 2 | zero 4 | epoch 8 | number 8 | payload | zeros | end 1
 *
 * A record is a multiple of 8 bytes long, and its last byte is never zero: whatever was cut off shows.
 * Its checksum covers the rest of it, the salt of its file and where it stands, so that bytes of another file,
 * of another place or from inside a body never pass for a record.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/outbox.h"
#include "proto/frame.h"
#include "proto/wire.h"

#define OUTBOX_VERSION 1u
#define OUTBOX_SLOT_BYTES 4096u    /* of one copy of the header */
#define OUTBOX_RECORDS_BEGIN 8192u /* offset of the first record */
#define OUTBOX_HEADER_BYTES                                                                                  \
    114u /* of a copy that mean something: less than a sector, so a crash tears none */

#define OUTBOX_RECORD_HEAD 32u
#define OUTBOX_RECORD_MIN 40u                                        /* with its end */
#define OUTBOX_OPERATION_BYTES 112u                                  /* of an OP before its body */
#define OUTBOX_BODY_AT (OUTBOX_RECORD_HEAD + OUTBOX_OPERATION_BYTES) /* of an OP */
#define OUTBOX_RESULT_BYTES 72u                                      /* of one operation in a DONE or DEAD */
#define OUTBOX_RESULTS_MAX 8192u                                     /* in one record */
#define OUTBOX_DONE_BYTES (OUTBOX_RECORD_MIN + OUTBOX_RESULTS_MAX * OUTBOX_RESULT_BYTES)
#define OUTBOX_OPERATION_MAX (((size_t)OUTBOX_BODY_AT + FRAME_BODY_MAX + 8) & ~(size_t)7)
#define OUTBOX_RECORD_MAX OUTBOX_OPERATION_MAX

enum outbox_type {
    OUTBOX_TYPE_OP = 1,  /* epoch and number of the operation; what is kept of it, and its body */
    OUTBOX_TYPE_DONE,    /* results, as many as the length has room for */
    OUTBOX_TYPE_DEAD,    /* one result */
    OUTBOX_TYPE_DISCARD, /* epoch and number of a dead operation */
    OUTBOX_TYPE_KNOWN,   /* bytes; number is how many */
    OUTBOX_TYPE_CLOSED, /* number is the business date; lane is 1 if it covers what was answered before it, else 0 */
};

struct outbox_header {
    char store[33], till[33]; /* with NUL */
    uint64_t epochs[2];       /* of the last opening that wrote */
    uint64_t generation; /* of the header, over all files that were this outbox; its copy is generation % 2 */
    uint64_t salt;       /* of the file */
};

/* A record, its payload still in the bytes that it was decoded from. */
struct outbox_record {
    uint32_t size; /* of all of it */
    enum outbox_type type;
    uint16_t lane;
    uint64_t epoch, number;
    const uint8_t *payload;
    size_t payload_size; /* what is behind it included */
};

/* What an operation's end is on the disk. */
struct outbox_end {
    uint64_t epoch, number;
    struct outbox_result result;
    bool closed; /* its day is, and this end was in it */
};

enum outbox_header_fault {
    OUTBOX_HEADER_SOUND,
    OUTBOX_HEADER_STRANGE,
    OUTBOX_HEADER_BAD,
    OUTBOX_HEADER_NEWER
};

/* Fills a whole slot. */
void outbox_header_encode(const struct outbox_header *header, uint8_t out_slot[OUTBOX_SLOT_BYTES]);

/* *out only if it is sound. Strange: not an outbox's; bad: checksum; newer: another version. */
enum outbox_header_fault outbox_header_decode(const uint8_t slot[OUTBOX_SLOT_BYTES],
                                              struct outbox_header *out);

/* What an operation with a body of that size takes. */
size_t outbox_operation_size(size_t body_size);

/* Whole records, unsealed. */
void outbox_operation_encode(struct wire_writer *writer, const struct outbox_entry *entry, const void *body);
void outbox_known_encode(struct wire_writer *writer, const void *bytes, size_t size);
void outbox_closed_encode(struct wire_writer *writer, int32_t business_date, bool covers);
void outbox_discard_encode(struct wire_writer *writer, uint64_t epoch, uint64_t number);
/* The head of a DONE or DEAD, behind which as many ends are encoded. */
void outbox_ends_begin(struct wire_writer *writer, enum outbox_type type, uint32_t count);
/* Behind the last of them. */
void outbox_ends_finish(struct wire_writer *writer);
void outbox_end_encode(struct wire_writer *writer, const struct outbox_end *end);

/* Gives each of the records in bytes (whole ones, one behind the other) the checksum that it has at its offset. */
void outbox_seal(uint64_t salt, uint64_t offset, uint8_t *bytes, size_t size);

/* The size that the record claims, if it can be one at all and ends within `size_max`; else 0. `head` has
 * OUTBOX_RECORD_HEAD bytes. */
uint32_t outbox_record_size(const uint8_t *head, uint64_t size_max);

/* Checks a whole record, whose claimed size is that of outbox_record_size. *out points into bytes. */
bool outbox_record_decode(uint64_t salt, uint64_t offset, const uint8_t *bytes, struct outbox_record *out);

/* Of records whose checksum was right. False: not what this version writes. */
bool outbox_operation_decode(const struct outbox_record *record, uint64_t offset, struct outbox_entry *out);
bool outbox_end_decode(const struct outbox_record *record, uint32_t index, struct outbox_end *out);
uint32_t outbox_end_count(const struct outbox_record *record);

/* The first 16 bytes of SHA-256 over operation and body. False: no memory. */
bool outbox_fingerprint(uint16_t operation, const void *body, size_t size, uint8_t out[16]);
