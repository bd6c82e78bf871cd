#include "proto/frame.h"

#include "proto/wire.h"

enum frame_split frame_split(const void *bytes, size_t size, uint32_t body_max, struct frame *out,
                             size_t *out_size_wanted)
{
    *out_size_wanted = FRAME_HEADER_SIZE;
    if (size < FRAME_HEADER_SIZE)
        return FRAME_NEED_MORE;
    struct wire_reader reader = wire_reader_over(bytes, FRAME_HEADER_SIZE);
    out->body_size = wire_read_u32(&reader);
    out->type = wire_read_u16(&reader);
    out->flags = wire_read_u16(&reader);
    out->number = wire_read_u64(&reader);
    out->body = (const uint8_t *)bytes + FRAME_HEADER_SIZE;
    if (out->body_size > body_max) /* judged before the body is awaited */
        return FRAME_BROKEN;
    *out_size_wanted = FRAME_HEADER_SIZE + (size_t)out->body_size;
    return size < *out_size_wanted ? FRAME_NEED_MORE : FRAME_WHOLE;
}

void frame_put_header(uint8_t out[FRAME_HEADER_SIZE], uint32_t body_size, uint16_t type, uint16_t flags,
                      uint64_t number)
{
    struct wire_writer writer = wire_writer_over(out, FRAME_HEADER_SIZE);
    wire_write_u32(&writer, body_size);
    wire_write_u16(&writer, type);
    wire_write_u16(&writer, flags);
    wire_write_u64(&writer, number);
}
