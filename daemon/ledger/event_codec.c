#include "ledger/event_codec.h"

#include <string.h>

#include "ledger/codec_unrolled.h"
#include "ledger/event_parts.h"
#include "proto/wire.h"

/*
 * Rows and types are added at the end only: what was written without them is read as it was, and who does not know them
 * refuses what has them.
 */
#define EVENT_FORMAT 2

static const struct codec_field event_fields[] = {
    CODEC_U64(struct event, sequence),
    CODEC_DAY(struct event, day),
    CODEC_U64(struct event, card),
    CODEC_U64(struct event, request.identity),
    CODEC_ID(struct event, request.epoch),
    CODEC_U64(struct event, request.number),
    CODEC_BYTES(struct event, request.fingerprint, 16),
    CODEC_U32(struct event, flags, UINT32_MAX),
    CODEC_BYTES(struct event, content, 16),
    CODEC_U32(struct event, document.kind, DOCUMENT_RETURN),
    CODEC_CODE(struct event, document.store),
    CODEC_CODE(struct event, document.till),
    CODEC_DAY(struct event, document.business_date),
    CODEC_CODE(struct event, document.number),
    CODEC_CODE_BESIDE(struct event, store, document.store),
    CODEC_CODE_BESIDE(struct event, till, document.till),
    CODEC_U16(struct event, answer_type, UINT16_MAX),
    CODEC_TEXT(struct event, answer, 0),
    CODEC_U32(struct event, effect_count, EVENT_EFFECTS_MAX),
    CODEC_I64_BESIDE(struct event, occurred, time, 0),
    CODEC_SEALED(struct event, operator, SEALED_OPERATOR),
    CODEC_SEALED(struct event, suspense.number, SEALED_CARD_NUMBER),
    CODEC_BOOL(struct event, suspense.new_card),
    CODEC_U64(struct event, waited.event),
    CODEC_U64(struct event, waited.previous),
    CODEC_U32(struct event, waited.sale.kind, DOCUMENT_RETURN),
    CODEC_CODE(struct event, waited.sale.store),
    CODEC_CODE(struct event, waited.sale.till),
    CODEC_DAY(struct event, waited.sale.business_date),
    CODEC_CODE(struct event, waited.sale.number),
    CODEC_DAY(struct event, business_date),
    CODEC_U32(struct event, raises, UINT32_MAX),
    CODEC_U64(struct event, approves),
    CODEC_SEALED(struct event, approval_note, SEALED_NOTE),
};
CODEC_ROWS_ARE_OF(struct event, 944);

/* Days of the event's own fields are near that of its time, all others near its day and when it happened. */
static struct codec_base base_of_time(const struct event *event)
{
    int64_t day = event->time / US_PER_DAY - (event->time % US_PER_DAY < 0);
    return (struct codec_base){ .day = (local_day)day, .time = event->time };
}

static struct codec_base base_of_day(const struct event *event)
{
    return (struct codec_base){ .day = event->day, .time = event->occurred };
}

/* The tier in the detail is mostly that of the account. */
static uint64_t tier_of(const struct event *event)
{
    return event->effect_count > 0 ? event->effects[0].tier : 0;
}

size_t event_encode(const struct event *event, uint8_t *out, size_t capacity)
{
    struct wire_writer writer = wire_writer_over(out, capacity);
    struct codec_base base = base_of_time(event);
    PUNKT_CHECK(event->type >= 1 && event->type <= EVENT_TYPE_MAX);
    wire_write_u8(&writer, (uint8_t)event->type);
    wire_write_u8(&writer, EVENT_FORMAT);
    wire_write_sint(&writer, event->time);
    codec_write_unrolled(&writer, &base, CODEC_FIELDS(event_fields), event);
    base = base_of_day(event);
    for (uint32_t i = 0; i < event->effect_count; i++)
        effect_write(&writer, &base, &event->effects[i]);
    base.id = tier_of(event);
    detail_write(&writer, &base, event);
    PUNKT_CHECK(!writer.failed);
    return wire_written(&writer);
}

bool event_decode(const uint8_t *bytes, size_t size, struct event_memory *memory, struct event *out)
{
    struct wire_reader reader = wire_reader_over(bytes, size);
    memset(out, 0, sizeof(*out));
    uint8_t type = wire_read_u8(&reader);
    uint8_t format = wire_read_u8(&reader);
    if (reader.failed || type < 1 || type > EVENT_TYPE_MAX || format != EVENT_FORMAT)
        return false;
    out->type = (enum event_type)type;
    out->time = wire_read_sint(&reader);
    struct codec_base base = base_of_time(out);
    codec_read_unrolled(&reader, &base, CODEC_FIELDS(event_fields), out);
    base = base_of_day(out);
    for (uint32_t i = 0; i < out->effect_count && !reader.failed; i++)
        effect_read(&reader, &base, memory->lot_changes[i], memory->changes[i], &out->effects[i]);
    base.id = tier_of(out);
    if (!reader.failed)
        detail_read(&reader, &base, memory, out);
    return wire_read_done(&reader);
}
