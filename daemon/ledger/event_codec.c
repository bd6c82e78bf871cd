#include "ledger/event_codec.h"

#include <string.h>

#include "ledger/codec.h"
#include "proto/wire.h"

#define EVENT_FORMAT 1

/* Which parts follow; a part that is empty takes no room. */
enum part {
    PART_REQUEST = 1 << 0,
    PART_CONTENT = 1 << 1,
    PART_DOCUMENT = 1 << 2,
    PART_PLACE = 1 << 3, /* store, till */
    PART_OPERATOR = 1 << 4,
    PART_ANSWER = 1 << 5,
};

enum sealed_field { SEALED_CARD_NUMBERS = 1, SEALED_OPERATOR = 2, SEALED_NOTE = 3 };
#define KEY_NONE 0

static void write_text(struct wire_writer *writer, struct text text)
{
    wire_write_uint(writer, text.size);
    wire_write_bytes(writer, text.data, text.size);
}

static struct text read_text(struct wire_reader *reader)
{
    uint64_t size = wire_read_uint(reader);
    const uint8_t *bytes = size <= wire_left(reader) ? wire_read_bytes(reader, (size_t)size) : NULL;
    if (bytes == NULL) {
        reader->failed = true;
        return (struct text){ NULL, 0 };
    }
    return (struct text){ (const char *)bytes, (size_t)size };
}

static void write_sealed(struct wire_writer *writer, enum sealed_field field, struct text text)
{
    wire_write_u8(writer, (uint8_t)field);
    wire_write_uint(writer, KEY_NONE);
    write_text(writer, text);
}

static struct text read_sealed(struct wire_reader *reader, enum sealed_field field)
{
    if (wire_read_u8(reader) != (uint8_t)field || wire_read_uint(reader) != KEY_NONE)
        reader->failed = true;
    return read_text(reader);
}

static void write_lot_change(struct wire_writer *writer, const struct lot_change *change)
{
    wire_write_u8(writer, (uint8_t)(change->kind << 1 | change->by_purchase));
    wire_write_uint(writer, change->lot);
    switch (change->kind) {
    case LOT_ADD:
        wire_write_sint(writer, change->points);
        wire_write_sint(writer, change->matures);
        codec_write_last_day(writer, change->last_day);
        break;
    case LOT_TAKE:
        wire_write_sint(writer, change->points);
        break;
    case LOT_JOIN:
        wire_write_uint(writer, change->into);
        wire_write_sint(writer, change->matures);
        codec_write_last_day(writer, change->last_day);
        break;
    }
}

static void read_lot_change(struct wire_reader *reader, struct lot_change *out)
{
    memset(out, 0, sizeof(*out));
    uint8_t head = wire_read_u8(reader);
    out->by_purchase = (head & 1) != 0;
    out->lot = codec_read_u32(reader);
    switch (head >> 1) {
    case LOT_ADD:
        out->kind = LOT_ADD;
        out->points = wire_read_sint(reader);
        out->matures = codec_read_day(reader);
        out->last_day = codec_read_last_day(reader);
        break;
    case LOT_TAKE:
        out->kind = LOT_TAKE;
        out->points = wire_read_sint(reader);
        break;
    case LOT_JOIN:
        out->kind = LOT_JOIN;
        out->into = codec_read_u32(reader);
        out->matures = codec_read_day(reader);
        out->last_day = codec_read_last_day(reader);
        break;
    default:
        reader->failed = true;
    }
}

static void write_effect(struct wire_writer *writer, const struct effect *effect)
{
    wire_write_uint(writer, effect->account);
    wire_write_uint(writer, effect->previous);
    wire_write_sint(writer, effect->change);
    wire_write_sint(writer, effect->balance);
    wire_write_sint(writer, effect->lifetime_change);
    wire_write_sint(writer, effect->debt_added);
    wire_write_sint(writer, effect->debt_settled);
    wire_write_u8(writer, effect->is_purchase);
    wire_write_uint(writer, effect->lot_change_count);
    for (uint32_t i = 0; i < effect->lot_change_count; i++)
        write_lot_change(writer, &effect->lot_changes[i]);
}

static void read_effect(struct wire_reader *reader, struct lot_change *changes, struct effect *out)
{
    out->account = wire_read_uint(reader);
    out->previous = wire_read_uint(reader);
    out->change = wire_read_sint(reader);
    out->balance = wire_read_sint(reader);
    out->lifetime_change = wire_read_sint(reader);
    out->debt_added = wire_read_sint(reader);
    out->debt_settled = wire_read_sint(reader);
    out->is_purchase = codec_read_bool(reader);
    out->lot_changes = changes;
    out->lot_change_count = (uint32_t)codec_read_up_to(reader, EFFECT_LOT_CHANGES_MAX);
    for (uint32_t i = 0; i < out->lot_change_count && !reader->failed; i++)
        read_lot_change(reader, &changes[i]);
}

static void write_sale_line(struct wire_writer *writer, const struct sale_line *line)
{
    write_text(writer, line->code);
    write_text(writer, line->category);
    wire_write_u8(writer, (uint8_t)line->kind);
    wire_write_sint(writer, line->quantity);
    wire_write_sint(writer, line->amount);
    wire_write_sint(writer, line->tax);
    wire_write_sint(writer, line->amount - line->base); /* mostly zero: one byte */
}

static void read_sale_line(struct wire_reader *reader, struct sale_line *out)
{
    out->code = read_text(reader);
    out->category = read_text(reader);
    uint8_t kind = wire_read_u8(reader);
    if (kind > LINE_STORED_VALUE)
        reader->failed = true;
    out->kind = (enum line_kind)kind;
    out->quantity = wire_read_sint(reader);
    out->amount = wire_read_sint(reader);
    out->tax = wire_read_sint(reader);
    int64_t less = wire_read_sint(reader);
    if (out->amount > AMOUNT_MAX || out->amount < -AMOUNT_MAX || less > AMOUNT_MAX || less < -AMOUNT_MAX)
        reader->failed = true;
    else
        out->base = out->amount - less;
}

static void write_sale_lines(struct wire_writer *writer, const struct sale_line *lines, uint32_t count)
{
    wire_write_uint(writer, count);
    for (uint32_t i = 0; i < count; i++)
        write_sale_line(writer, &lines[i]);
}

static uint32_t read_sale_lines(struct wire_reader *reader, struct sale_line *out)
{
    uint32_t count = (uint32_t)codec_read_up_to(reader, LINES_MAX);
    for (uint32_t i = 0; i < count && !reader->failed; i++)
        read_sale_line(reader, &out[i]);
    return count;
}

static void write_purchase(struct wire_writer *writer, const struct purchase *purchase)
{
    wire_write_sint(writer, purchase->amount);
    wire_write_sint(writer, purchase->base);
    wire_write_uint(writer, purchase->programme_version);
    wire_write_uint(writer, purchase->tier);
    wire_write_sint(writer, purchase->earned);
    wire_write_sint(writer, purchase->trimmed);
    wire_write_sint(writer, purchase->settled);
    wire_write_uint(writer, purchase->lot);
    wire_write_sint(writer, purchase->matures);
    codec_write_last_day(writer, purchase->last_day);
    write_sale_lines(writer, purchase->lines, purchase->line_count);
    wire_write_uint(writer, purchase->tender_count);
    for (uint32_t i = 0; i < purchase->tender_count; i++) {
        write_text(writer, purchase->tenders[i].kind);
        wire_write_sint(writer, purchase->tenders[i].amount);
    }
    wire_write_uint(writer, purchase->coupon_count);
    for (uint32_t i = 0; i < purchase->coupon_count; i++)
        write_text(writer, purchase->coupons[i]);
    wire_write_uint(writer, purchase->part_count);
    for (uint32_t i = 0; i < purchase->part_count; i++) {
        wire_write_uint(writer, purchase->parts[i].rule);
        wire_write_uint(writer, purchase->parts[i].kind);
        wire_write_sint(writer, purchase->parts[i].input);
        wire_write_sint(writer, purchase->parts[i].exact);
        wire_write_sint(writer, purchase->parts[i].result);
    }
}

static void read_purchase(struct wire_reader *reader, struct event_memory *memory, struct purchase *out)
{
    out->amount = wire_read_sint(reader);
    out->base = wire_read_sint(reader);
    out->programme_version = codec_read_u32(reader);
    out->tier = codec_read_u32(reader);
    out->earned = wire_read_sint(reader);
    out->trimmed = wire_read_sint(reader);
    out->settled = wire_read_sint(reader);
    out->lot = codec_read_u32(reader);
    out->matures = codec_read_day(reader);
    out->last_day = codec_read_last_day(reader);
    out->lines = memory->sale_lines;
    out->line_count = read_sale_lines(reader, memory->sale_lines);
    out->tenders = memory->tenders;
    out->tender_count = (uint32_t)codec_read_up_to(reader, TENDERS_MAX);
    for (uint32_t i = 0; i < out->tender_count; i++) {
        memory->tenders[i].kind = read_text(reader);
        memory->tenders[i].amount = wire_read_sint(reader);
    }
    out->coupons = memory->coupons;
    out->coupon_count = (uint32_t)codec_read_up_to(reader, COUPONS_MAX);
    for (uint32_t i = 0; i < out->coupon_count; i++)
        memory->coupons[i] = read_text(reader);
    out->part_count = (uint32_t)codec_read_up_to(reader, AWARD_PARTS_MAX);
    for (uint32_t i = 0; i < out->part_count; i++) {
        out->parts[i].rule = codec_read_u32(reader);
        out->parts[i].kind = codec_read_u32(reader);
        out->parts[i].input = wire_read_sint(reader);
        out->parts[i].exact = wire_read_sint(reader);
        out->parts[i].result = wire_read_sint(reader);
    }
}

static void write_goods_return(struct wire_writer *writer, const struct goods_return *goods)
{
    wire_write_uint(writer, goods->sale);
    wire_write_sint(writer, goods->amount);
    wire_write_u8(writer, goods->by_amount);
    wire_write_uint(writer, goods->programme_version);
    wire_write_sint(writer, goods->due);
    wire_write_sint(writer, goods->taken);
    wire_write_sint(writer, goods->given_back);
    wire_write_sint(writer, goods->shortfall);
    wire_write_sint(writer, goods->own_taken);
    wire_write_uint(writer, goods->line_count);
    for (uint32_t i = 0; i < goods->line_count; i++) {
        wire_write_uint(writer, goods->lines[i].line);
        wire_write_sint(writer, goods->lines[i].quantity);
        wire_write_sint(writer, goods->lines[i].by_amount);
    }
    write_sale_lines(writer, goods->sale_lines, goods->sale_line_count);
}

static void read_goods_return(struct wire_reader *reader, struct event_memory *memory,
                              struct goods_return *out)
{
    out->sale = wire_read_uint(reader);
    out->amount = wire_read_sint(reader);
    out->by_amount = codec_read_bool(reader);
    out->programme_version = codec_read_u32(reader);
    out->due = wire_read_sint(reader);
    out->taken = wire_read_sint(reader);
    out->given_back = wire_read_sint(reader);
    out->shortfall = wire_read_sint(reader);
    out->own_taken = wire_read_sint(reader);
    out->lines = memory->returned_lines;
    out->line_count = (uint32_t)codec_read_up_to(reader, LINES_MAX);
    for (uint32_t i = 0; i < out->line_count && !reader->failed; i++) {
        out->lines[i].line = codec_read_u32(reader);
        out->lines[i].quantity = wire_read_sint(reader);
        out->lines[i].by_amount = wire_read_sint(reader);
    }
    out->sale_lines = memory->sale_lines;
    out->sale_line_count = read_sale_lines(reader, memory->sale_lines);
}

static void write_detail(struct wire_writer *writer, const struct event *event)
{
    switch (event->type) {
    case EVENT_TERM:
        wire_write_uint(writer, event->term.old_term);
        wire_write_uint(writer, event->term.new_term);
        wire_write_uint(writer, event->term.old_position);
        wire_write_bytes(writer, event->term.old_hash, sizeof(event->term.old_hash));
        write_text(writer, event->term.who);
        write_text(writer, event->term.why);
        break;
    case EVENT_PROGRAMME:
        wire_write_uint(writer, event->programme.version);
        wire_write_sint(writer, event->programme.from);
        write_text(writer, event->programme.text);
        break;
    case EVENT_CARDS_ISSUED:
        wire_write_uint(writer, event->cards_issued.first_account);
        wire_write_uint(writer, event->cards_issued.first_card);
        wire_write_uint(writer, event->cards_issued.count);
        wire_write_uint(writer, event->cards_issued.check);
        write_sealed(writer, SEALED_CARD_NUMBERS, event->cards_issued.numbers);
        break;
    case EVENT_PURCHASE:
        write_purchase(writer, &event->purchase);
        break;
    case EVENT_RETURN:
    case EVENT_UNLINKED_RETURN:
        write_goods_return(writer, &event->goods_return);
        break;
    case EVENT_REDEMPTION:
        wire_write_sint(writer, event->redemption.points);
        wire_write_sint(writer, event->redemption.worth);
        break;
    case EVENT_ADJUSTMENT:
        wire_write_sint(writer, event->adjustment.points);
        write_text(writer, event->adjustment.reason);
        write_sealed(writer, SEALED_NOTE, event->adjustment.note);
        break;
    case EVENT_REFUSAL:
        wire_write_uint(writer, event->refusal.result);
        wire_write_uint(writer, event->refusal.account);
        break;
    case EVENT_TIE:
        wire_write_uint(writer, event->tie.first);
        break;
    case EVENT_CLOCK_ACCEPTED:
        wire_write_sint(writer, event->clock.before);
        wire_write_sint(writer, event->clock.after);
        break;
    }
}

static void read_detail(struct wire_reader *reader, struct event_memory *memory, struct event *out)
{
    const uint8_t *hash;
    switch (out->type) {
    case EVENT_TERM:
        out->term.old_term = wire_read_uint(reader);
        out->term.new_term = wire_read_uint(reader);
        out->term.old_position = wire_read_uint(reader);
        hash = wire_read_bytes(reader, sizeof(out->term.old_hash));
        if (hash != NULL)
            memcpy(out->term.old_hash, hash, sizeof(out->term.old_hash));
        out->term.who = read_text(reader);
        out->term.why = read_text(reader);
        break;
    case EVENT_PROGRAMME:
        out->programme.version = codec_read_u32(reader);
        out->programme.from = wire_read_sint(reader);
        out->programme.text = read_text(reader);
        break;
    case EVENT_CARDS_ISSUED:
        out->cards_issued.first_account = wire_read_uint(reader);
        out->cards_issued.first_card = wire_read_uint(reader);
        out->cards_issued.count = codec_read_u32(reader);
        out->cards_issued.check = codec_read_u32(reader);
        out->cards_issued.numbers = read_sealed(reader, SEALED_CARD_NUMBERS);
        break;
    case EVENT_PURCHASE:
        read_purchase(reader, memory, &out->purchase);
        break;
    case EVENT_RETURN:
    case EVENT_UNLINKED_RETURN:
        read_goods_return(reader, memory, &out->goods_return);
        break;
    case EVENT_REDEMPTION:
        out->redemption.points = wire_read_sint(reader);
        out->redemption.worth = wire_read_sint(reader);
        break;
    case EVENT_ADJUSTMENT:
        out->adjustment.points = wire_read_sint(reader);
        out->adjustment.reason = read_text(reader);
        out->adjustment.note = read_sealed(reader, SEALED_NOTE);
        break;
    case EVENT_REFUSAL:
        out->refusal.result = codec_read_u32(reader);
        out->refusal.account = wire_read_uint(reader);
        break;
    case EVENT_TIE:
        out->tie.first = wire_read_uint(reader);
        break;
    case EVENT_CLOCK_ACCEPTED:
        out->clock.before = wire_read_sint(reader);
        out->clock.after = wire_read_sint(reader);
        break;
    }
}

static bool all_zero(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != 0)
            return false;
    }
    return true;
}

static unsigned parts_of(const struct event *event)
{
    unsigned parts = 0;
    if (event->request.number != 0)
        parts |= PART_REQUEST;
    if (!all_zero(event->content, sizeof(event->content)))
        parts |= PART_CONTENT;
    if (event->document.number.size > 0)
        parts |= PART_DOCUMENT;
    if (event->store.size > 0 || event->till.size > 0)
        parts |= PART_PLACE;
    if (event->operator.size> 0)
        parts |= PART_OPERATOR;
    if (event->answer.size > 0 || event->answer_type != 0)
        parts |= PART_ANSWER;
    return parts;
}

static void write_document(struct wire_writer *writer, const struct document *document)
{
    wire_write_u8(writer, (uint8_t)document->kind);
    write_text(writer, document->store);
    write_text(writer, document->till);
    wire_write_sint(writer, document->business_date);
    write_text(writer, document->number);
}

static void read_document(struct wire_reader *reader, struct document *out)
{
    uint8_t kind = wire_read_u8(reader);
    if (kind > DOCUMENT_RETURN)
        reader->failed = true;
    out->kind = (enum document_kind)kind;
    out->store = read_text(reader);
    out->till = read_text(reader);
    out->business_date = codec_read_day(reader);
    out->number = read_text(reader);
}

static void write_parts(struct wire_writer *writer, const struct event *event, unsigned parts)
{
    if (parts & PART_REQUEST) {
        wire_write_uint(writer, event->request.identity);
        wire_write_u64(writer, event->request.epoch);
        wire_write_uint(writer, event->request.number);
        wire_write_bytes(writer, event->request.fingerprint, sizeof(event->request.fingerprint));
    }
    if (parts & PART_CONTENT)
        wire_write_bytes(writer, event->content, sizeof(event->content));
    if (parts & PART_DOCUMENT)
        write_document(writer, &event->document);
    if (parts & PART_PLACE) {
        write_text(writer, event->store);
        write_text(writer, event->till);
    }
    if (parts & PART_OPERATOR)
        write_sealed(writer, SEALED_OPERATOR, event->operator);
    if (parts & PART_ANSWER) {
        wire_write_u16(writer, event->answer_type);
        write_text(writer, event->answer);
    }
}

static void read_hash16(struct wire_reader *reader, uint8_t out[16])
{
    const uint8_t *bytes = wire_read_bytes(reader, 16);
    if (bytes != NULL)
        memcpy(out, bytes, 16);
}

static void read_parts(struct wire_reader *reader, unsigned parts, struct event *out)
{
    if (parts & PART_REQUEST) {
        out->request.identity = wire_read_uint(reader);
        out->request.epoch = wire_read_u64(reader);
        out->request.number = wire_read_uint(reader);
        read_hash16(reader, out->request.fingerprint);
    }
    if (parts & PART_CONTENT)
        read_hash16(reader, out->content);
    if (parts & PART_DOCUMENT)
        read_document(reader, &out->document);
    if (parts & PART_PLACE) {
        out->store = read_text(reader);
        out->till = read_text(reader);
    }
    if (parts & PART_OPERATOR)
        out->operator= read_sealed(reader, SEALED_OPERATOR);
    if (parts & PART_ANSWER) {
        out->answer_type = wire_read_u16(reader);
        out->answer = read_text(reader);
    }
}

size_t event_encode(const struct event *event, uint8_t *out, size_t capacity)
{
    struct wire_writer writer = wire_writer_over(out, capacity);
    unsigned parts = parts_of(event);
    wire_write_u8(&writer, (uint8_t)event->type);
    wire_write_u8(&writer, EVENT_FORMAT);
    wire_write_u8(&writer, (uint8_t)parts);
    wire_write_uint(&writer, event->sequence);
    wire_write_sint(&writer, event->time);
    wire_write_sint(&writer, event->time - event->occurred);
    wire_write_uint(&writer, event->flags);
    wire_write_uint(&writer, event->card);
    write_parts(&writer, event, parts);
    wire_write_uint(&writer, event->effect_count);
    for (uint32_t i = 0; i < event->effect_count; i++)
        write_effect(&writer, &event->effects[i]);
    write_detail(&writer, event);
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
    unsigned parts = wire_read_u8(&reader);
    out->sequence = wire_read_uint(&reader);
    out->time = wire_read_sint(&reader);
    int64_t age = wire_read_sint(&reader);
    if (__builtin_sub_overflow(out->time, age, &out->occurred))
        return false;
    out->flags = codec_read_u32(&reader);
    out->card = wire_read_uint(&reader);
    read_parts(&reader, parts, out);
    out->effect_count = (uint32_t)codec_read_up_to(&reader, EVENT_EFFECTS_MAX);
    for (uint32_t i = 0; i < out->effect_count && !reader.failed; i++)
        read_effect(&reader, memory->lot_changes[i], &out->effects[i]);
    if (!reader.failed)
        read_detail(&reader, memory, out);
    /* A part that is there but empty would be a second form of the same event. */
    return wire_read_done(&reader) && parts == parts_of(out);
}
