#include "lib/encode.h"

#include <assert.h>
#include <stdalign.h>
#include <string.h>

#include "proto/card.h"

/* More than any element of a list, or a request without its lists, takes on the wire. */
#define ELEMENT_WIRE_MAX 160
#define REQUEST_WIRE_MAX 1024

static_assert(PUNKT_CARD_MAX == WIRE_CODE_MAX, "a public code holds what a wire code holds");

bool build_wrong(struct build *build, const char *what)
{
    build->wrong = what;
    return false;
}

bool build_request(struct build *build, const void *request, void *out, size_t size)
{
    if (request == NULL)
        return build_wrong(build, "the request is missing");
    size_t given;
    memcpy(&given, request, sizeof(given));
    if (given < sizeof(build->head))
        return build_wrong(build, "size of the request is too small");
    if (size_has_unknown(request, given, size))
        return build_wrong(build, "the request has a field that this version of libpunkt does not know");
    size_copy(request, given, out, size);
    memcpy(&build->head, out, sizeof(build->head));
    if ((build->head.flags & ~(PUNKT_FLAG_ADVICE | PUNKT_FLAG_HISTORIC)) != 0)
        return build_wrong(build, "flags: unknown bits");
    return true;
}

bool build_plain_request(struct build *build, const void *request)
{
    struct punkt_plain_request plain = PUNKT_INIT(plain);
    return build_request(build, request == NULL ? &plain : request, &plain, sizeof(plain));
}

bool elements_begin(struct build *build, struct elements *elements, const char *complaint)
{
    elements->stride = elements->known;
    if (elements->count == 0)
        return true;
    if (elements->first == NULL)
        return build_wrong(build, complaint);
    memcpy(&elements->stride, elements->first, sizeof(elements->stride));
    return elements->stride >= elements->least || build_wrong(build, complaint);
}

bool elements_copy(struct build *build, const struct elements *elements, size_t index, void *out)
{
    const char *from = (const char *)elements->first + elements->stride * index;
    if (size_has_unknown(from, elements->stride, elements->known))
        return build_wrong(build, "an element has a field that this version of libpunkt does not know");
    size_copy(from, elements->stride, out, elements->known);
    return true;
}

bool code_from(const char *text, const char *preset, struct wire_code *out)
{
    *out = (struct wire_code){ 0 };
    if (text == NULL || *text == '\0')
        text = preset;
    size_t size = strnlen(text, WIRE_CODE_MAX + 1);
    return size == 0 || wire_code_from(text, size, out);
}

bool put_card(struct build *build, const char *card, struct wire_code *out)
{
    if (!code_from(card, "", out) || !card_number_valid(out))
        return build_wrong(build, "card: 1 to 32 of A-Z a-z 0-9 . _ % + @ -");
    if (!card_check_valid(out, (enum card_check)build->card_check))
        return build_wrong(build, "card: its check digit is wrong");
    memcpy(build->note.card, out->bytes, out->size);
    build->note.card[out->size] = '\0';
    return true;
}

bool put_code(struct build *build, const char *text, struct wire_code *out, const char *complaint)
{
    return code_from(text, "", out) || build_wrong(build, complaint);
}

static bool put_place(struct build *build, const char *text, const char *preset, struct wire_code *out,
                      const char *complaint)
{
    if (preset == NULL)
        preset = "0";
    if (build->own_place && text != NULL && *text != '\0' && strcmp(text, preset) != 0)
        return build_wrong(build, "store and till: the outbox is that of others");
    return code_from(text, preset, out) || build_wrong(build, complaint);
}

bool put_where(struct build *build, const char *store, const char *till, const char *operator_,
               struct wire_code *out_store, struct wire_code *out_till, struct wire_code *out_operator)
{
    return put_place(build, store, build->store, out_store, "store: 1 to 32 bytes") &&
           put_place(build, till, build->till, out_till, "till: 1 to 32 bytes") &&
           put_code(build, operator_, out_operator, "operator: 1 to 32 bytes");
}

bool put_unsigned(struct build *build, int64_t value, int64_t max, uint64_t *out, const char *complaint)
{
    if (value < 0 || value > max)
        return build_wrong(build, complaint);
    *out = (uint64_t)value;
    return true;
}

bool put_amount(struct build *build, int64_t value, uint64_t *out)
{
    build->note.amount = value;
    return put_unsigned(build, value, MESSAGE_AMOUNT_MAX, out, "amount: 0 or more, below 10^12");
}

bool put_time(struct build *build, int64_t value, uint64_t *out)
{
    return put_unsigned(build, value != 0 ? value : build->now_us, MESSAGE_TIME_MAX, out,
                        "time_us: from 1970 to 9999");
}

bool put_day(struct build *build, int32_t value, uint64_t *out)
{
    build->note.business_date = value != 0 ? value : build->today;
    return put_date(build, build->note.business_date, out);
}

bool put_date(struct build *build, int32_t value, uint64_t *out)
{
    return put_unsigned(build, value, MESSAGE_DAY_MAX, out, "business date: from 1970 to 9999");
}

bool signed_within(int64_t value, int64_t max)
{
    return value >= -max && value <= max;
}

bool build_lists_reserve(struct build *build, size_t size)
{
    buffer_clear(build->lists);
    build->wrong = NULL;
    return buffer_reserve(build->lists, size);
}

void *build_list(struct build *build, size_t size)
{
    void *at = build->lists->bytes + build->lists->end;
    build->lists->end += (size + alignof(max_align_t) - 1) / alignof(max_align_t) * alignof(max_align_t);
    memset(at, 0, size);
    return at;
}

bool build_body_begin(struct build *build, const char *pin, size_t size, struct wire_writer *out)
{
    size_t pin_size = pin != NULL ? strnlen(pin, FRAME_SECRET_MAX + 1) : 0;
    if (pin_size > FRAME_SECRET_MAX)
        return build_wrong(build, "pin: 1 to 32 bytes");
    buffer_clear(build->frame);
    build->wrong = NULL;
    if (!buffer_reserve(build->frame, FRAME_HEADER_SIZE + 1 + pin_size + size))
        return false;
    *out = wire_writer_over(build->frame->bytes + FRAME_HEADER_SIZE, 1 + pin_size + size);
    if (pin_size > 0) {
        build->head.flags |= FRAME_FLAG_SECRET;
        buffer_mark_secret(build->frame);
        wire_write_u8(out, (uint8_t)pin_size);
        wire_write_bytes(out, pin, pin_size);
    }
    return true;
}

bool build_body_end(struct build *build, const struct wire_writer *writer)
{
    if (writer->failed || wire_written(writer) > FRAME_BODY_MAX)
        return build_wrong(build, "a field is out of its range");
    build->frame->end = FRAME_HEADER_SIZE + wire_written(writer);
    return true;
}

void note_points(struct build_note *note, int64_t points)
{
    note->points += points;
    note->wishes[note->wish_count++] = points;
}

void note_hold(struct build_note *note, uint64_t hold, int64_t points)
{
    note->hold_points[note->hold_count] = points;
    note->holds[note->hold_count++] = hold;
}

bool put_message_with_pin(struct build *build, enum message message, const void *in, size_t elements,
                          const char *pin)
{
    struct wire_writer writer;
    if (!build_body_begin(build, pin, REQUEST_WIRE_MAX + elements * ELEMENT_WIRE_MAX, &writer))
        return false;
    message_encode(message, in, &writer);
    return build_body_end(build, &writer);
}

bool put_message(struct build *build, enum message message, const void *in, size_t elements)
{
    return put_message_with_pin(build, message, in, elements, NULL);
}
