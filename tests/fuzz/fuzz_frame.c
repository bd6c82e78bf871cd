/*
 * A connection's input, cut into frames as a server does it: each cut is judged alike whether the bytes come at
 * once or one by one, and a frame that is put together again is the same bytes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/frame.h"
#include "proto/message.h"

#include "fuzz.h"

#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                                  \
            abort();                                                                                         \
        }                                                                                                    \
    } while (0)

/* A frame that is not whole says how many bytes it wants, and is not whole a byte before that. */
static void check_prefixes(const uint8_t *data, size_t size, uint32_t body_max)
{
    size_t have = 0;
    for (int steps = 0; steps < 3; steps++) {
        struct frame frame;
        size_t wanted = 0;
        enum frame_split split = frame_split(data, have, body_max, &frame, &wanted);
        if (split != FRAME_NEED_MORE || wanted > size)
            return;
        CHECK(wanted > have);
        size_t wanted_before = 0;
        CHECK(frame_split(data, wanted - 1, body_max, &frame, &wanted_before) == FRAME_NEED_MORE);
        CHECK(wanted_before == wanted);
        have = wanted;
    }
    CHECK(0); /* header, body, whole: never more than two steps */
}

static void check_frame(const uint8_t *data, const struct frame *frame, size_t wanted, uint32_t body_max)
{
    static _Alignas(max_align_t) uint8_t decoded[1024], lists[1024 * 1024];
    uint8_t header[FRAME_HEADER_SIZE];
    CHECK(frame->body_size <= body_max);
    CHECK(wanted == FRAME_HEADER_SIZE + (size_t)frame->body_size);
    CHECK(frame->body == data + FRAME_HEADER_SIZE);
    frame_put_header(header, frame->body_size, frame->type, frame->flags, frame->number);
    CHECK(memcmp(header, data, sizeof(header)) == 0);

    const struct operation_row *row = operation_row(frame->type);
    if (row == NULL)
        return;
    struct message_memory memory = { .at = lists, .left = sizeof(lists) };
    const char *field = NULL;
    (void)message_decode(row->request, frame->body, frame->body_size, &memory, decoded, &field);
    CHECK(field != NULL);
}

static void split_all(const uint8_t *data, size_t size, uint32_t body_max)
{
    for (;;) {
        struct frame frame;
        size_t wanted = 0;
        check_prefixes(data, size, body_max);
        switch (frame_split(data, size, body_max, &frame, &wanted)) {
        case FRAME_NEED_MORE:
            CHECK(wanted > size);
            return;
        case FRAME_BROKEN:
            CHECK(frame.body_size > body_max);
            return;
        case FRAME_WHOLE:
            CHECK(wanted <= size);
            check_frame(data, &frame, wanted, body_max);
            data += wanted;
            size -= wanted;
            break;
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    split_all(data, size, FRAME_BODY_MAX_BEFORE_HELLO);
    split_all(data, size, FRAME_BODY_MAX);
    return 0;
}
