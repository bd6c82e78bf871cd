/*
 * What the encoders of requests share: reading public structs of any age, their fields, and the body of the frame.
 * All that return bool say false for what cannot be sent; build->wrong then says what, and is NULL for no memory.
 * For the files encode_*.c only.
 */
#pragma once

#include <punkt.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/call.h"
#include "lib/sizes.h"
#include "proto/message.h"

/* Says what is wrong, of static lifetime; always false. */
bool build_wrong(struct build *build, const char *what);

/* Copies as much of a public request as this library knows, and what all begin with into build->head. */
bool build_request(struct build *build, const void *request, void *out, size_t size);

/* The same for one without fields of its own, which may be NULL. */
bool build_plain_request(struct build *build, const void *request);

/* An array of public structs of any age, which all have the size of the first. */
struct elements {
    const void *first;
    size_t count;
    size_t least;  /* size of an element in the first version of punkt.h, */
    size_t known;  /* and in this one */
    size_t stride; /* in the caller's; elements_begin sets it */
};

#define ELEMENTS_OF(array, count_, type, field)                                                              \
    {                                                                                                        \
        .first = (array), .count = (count_), .least = SIZE_THROUGH(type, field), .known = sizeof(type)       \
    }

/* False: they are missing, or smaller than in any version; the complaint is what build_wrong gets. */
bool elements_begin(struct build *build, struct elements *elements, const char *complaint);

/* Copies an element; fields that its caller does not have are zero. False: it says what this version does not know. */
bool elements_copy(struct build *build, const struct elements *elements, size_t index, void *out);

/* Memory for the lists of a request, all at once, so that it does not move under the first of them. */
bool build_lists_reserve(struct build *build, size_t size);

/* Zeroed memory of what was reserved, where sizes are rounded up to alignof(max_align_t) each. */
void *build_list(struct build *build, size_t size);

/* --- fields: complaint, of static lifetime, says what they must be --- */

/* A code, or the preset where text is NULL or "". False: it is none. */
bool code_from(const char *text, const char *preset, struct wire_code *out);
bool put_card(struct build *build, const char *card, struct wire_code *out);
/* Optional: NULL and "" are none. */
bool put_code(struct build *build, const char *text, struct wire_code *out, const char *complaint);
/* Where it happened: the preset of store and till is "0", the operator is optional. */
bool put_where(struct build *build, const char *store, const char *till, const char *operator_,
               struct wire_code *out_store, struct wire_code *out_till, struct wire_code *out_operator);
bool put_unsigned(struct build *build, int64_t value, int64_t max, uint64_t *out, const char *complaint);
bool put_amount(struct build *build, int64_t value, uint64_t *out);
bool put_time(struct build *build, int64_t value, uint64_t *out);
/* A business date: of the request itself, which the build may preset, or of something it names. */
bool put_day(struct build *build, int32_t value, uint64_t *out);
bool put_date(struct build *build, int32_t value, uint64_t *out);
bool signed_within(int64_t value, int64_t max);

/* --- the body --- */

/* Begins it behind the free place of the header, with room for size bytes behind the secret part, if there is one. */
bool build_body_begin(struct build *build, const char *pin, size_t size, struct wire_writer *out);
bool build_body_end(struct build *build, const struct wire_writer *writer);

/* Points that are to be redeemed, besides those noted before. As many times as a request has wishes at most. */
void note_points(struct build_note *note, int64_t points);

/* A hold that is captured or given back; points: 0 for all of it. There is room for as many as a request has wishes. */
void note_hold(struct build_note *note, uint64_t hold, int64_t points);

/* A body of one message; `elements` is how many its lists have together. pin may be NULL. */
bool put_message_with_pin(struct build *build, enum message message, const void *in, size_t elements,
                          const char *pin);
bool put_message(struct build *build, enum message message, const void *in, size_t elements);

/* The number of the receipt or document in the body of a purchase or return; lists is memory to work in. False: it has
 * none (or no memory). */
bool document_of_body(struct buffer *lists, uint16_t operation, const void *body, size_t size,
                      struct wire_code *out);
