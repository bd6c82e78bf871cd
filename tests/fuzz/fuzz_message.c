/*
 * Two bytes of type, then a body: decoded as that message. What decodes must be encoded as the same bytes again,
 * but for what a newer peer added behind the fields known here.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/message.h"

#include "fuzz.h"

#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                                  \
            abort();                                                                                         \
        }                                                                                                    \
    } while (0)

enum { BODY_MAX = 64 * 1024, LISTS_MAX = 4 * 1024 * 1024, STRUCT_MAX = 1024 };

static bool message_of(uint16_t type, enum message *out)
{
    const struct operation_row *row = operation_row(type & FRAME_TYPE_OPERATION);
    if ((type & FRAME_TYPE_REFUSED) != 0)
        *out = MESSAGE_refusal;
    else if (row != NULL)
        *out = (type & FRAME_TYPE_DONE) != 0 ? row->answer : row->request;
    return row != NULL || (type & FRAME_TYPE_REFUSED) != 0;
}

static bool has_list(enum message message)
{
    const struct message_table *table = &message_tables[message];
    for (size_t i = 0; i < table->field_count; i++) {
        if (table->fields[i].kind == FIELD_LIST)
            return true;
    }
    return false;
}

static bool decode(enum message message, const void *body, size_t size, void *lists, size_t lists_size,
                   void *out)
{
    struct message_memory memory = { .at = lists, .left = lists_size };
    const char *field = NULL;
    bool decoded = message_decode(message, body, size, &memory, out, &field);
    CHECK(field != NULL);
    CHECK(memory.left <= lists_size);
    return decoded;
}

static size_t encode(enum message message, const void *in, uint8_t *out)
{
    struct wire_writer writer = wire_writer_over(out, BODY_MAX);
    message_encode(message, in, &writer);
    CHECK(!writer.failed); /* whatever is decoded can be sent on */
    return wire_written(&writer);
}

static void round_trip(enum message message, const uint8_t *body, size_t size)
{
    static _Alignas(max_align_t) uint8_t lists[LISTS_MAX], lists_again[LISTS_MAX];
    static _Alignas(max_align_t) uint8_t decoded[STRUCT_MAX], decoded_again[STRUCT_MAX];
    static uint8_t encoded[BODY_MAX], encoded_again[BODY_MAX];
    char text[256];

    (void)decode(message, body, size, lists, size % 512, decoded); /* hardly any memory */
    if (!decode(message, body, size, lists, sizeof(lists), decoded))
        return;
    CHECK(message_print(message, decoded, text, sizeof(text)) > 0);
    CHECK(memchr(text, '\0', sizeof(text)) != NULL);

    size_t encoded_size = encode(message, decoded, encoded);
    CHECK(encoded_size <= size);
    /* Without lists, what a newer peer added and the presets before it are all that may be missing; within
     * lists, elements may have ended with such bytes too. */
    if (encoded_size == size || !has_list(message))
        CHECK(encoded_size == 0 || memcmp(encoded, body, encoded_size) == 0);

    CHECK(decode(message, encoded, encoded_size, lists_again, sizeof(lists_again), decoded_again));
    size_t again_size = encode(message, decoded_again, encoded_again);
    CHECK(again_size == encoded_size && memcmp(encoded, encoded_again, encoded_size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum message message;
    if (size < 2 || size - 2 > BODY_MAX || !message_of((uint16_t)(data[0] | data[1] << 8), &message))
        return 0;
    CHECK(message_tables[message].struct_size <= STRUCT_MAX);
    round_trip(message, data + 2, size - 2);
    return 0;
}
