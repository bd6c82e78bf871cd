/*
 * What reads have in common: answers that wait for what they report.
 */
#include <string.h>

#include "service/internal.h"

struct text text_of_code(const struct wire_code *code)
{
    return (struct text){ code->bytes, code->size };
}

struct text text_of_message(struct message_text text)
{
    return (struct text){ text.data, (size_t)text.size };
}

void code_for_wire(struct text text, struct wire_code *out)
{
    PUNKT_CHECK(wire_code_from(text.data, text.size, out));
}

uint64_t day_for_wire(local_day day)
{
    return day == DAY_NEVER || day < 0 ? 0 : (uint64_t)day;
}

struct place place_of(const struct wire_code *store, const struct wire_code *till,
                      const struct wire_code *operator, uint64_t business_date)
{
    return (struct place){ .store = text_of_code(store),
                           .till = text_of_code(till),
                           .operator= text_of_code(operator),
                           .business_date = (local_day)business_date };
}

millipoints points_freed(const struct effect *effect)
{
    millipoints freed = 0;
    for (uint32_t i = 0; i < effect->lot_change_count; i++)
        freed += effect->lot_changes[i].kind == LOT_FREE ? effect->lot_changes[i].points : 0;
    return freed;
}

void answer_bytes(struct service *service, uint64_t conn, uint16_t type, uint16_t flags, uint64_t number,
                  const void *bytes, size_t size, journal_position wait_for)
{
    const struct service_link *link = &service->options.link;
    if (wait_for == 0 || wait_for < ledger_durable(service->ledger))
        link->send(link->ctx, conn, type, flags, number, bytes, size);
    else
        answers_add(&service->answers, wait_for, conn, type, flags, number, bytes, size);
}

void answer_in_order(struct service *service, uint64_t conn, uint16_t type, uint16_t flags, uint64_t number,
                     const void *bytes, size_t size, journal_position wait_for)
{
    if (answers_are_empty(&service->answers))
        answer_bytes(service, conn, type, flags, number, bytes, size, wait_for);
    else
        answers_add(&service->answers, wait_for, conn, type, flags, number, bytes, size);
}

void answer_read(struct request *request, const union message_any *answer, journal_position wait_for)
{
    struct service *service = request->service;
    struct wire_writer writer = wire_writer_over(service->bytes, FRAME_BODY_MAX);
    message_encode(request->row->answer, answer, &writer);
    PUNKT_CHECK(!writer.failed);
    answer_bytes(service, request->conn, (uint16_t)(request->row->code | FRAME_TYPE_DONE), 0, request->number,
                 service->bytes, wire_written(&writer), wait_for);
}

size_t refusal_encode(enum result result, const char *detail, int64_t needed, int64_t available,
                      uint8_t out[REFUSAL_BYTES_MAX])
{
    struct msg_refusal refusal;
    message_init(MESSAGE_refusal, &refusal);
    refusal.result = result;
    refusal.detail = message_text_of(detail, REFUSAL_DETAIL_MAX);
    refusal.needed = needed;
    refusal.available = available;
    struct wire_writer writer = wire_writer_over(out, REFUSAL_BYTES_MAX);
    message_encode(MESSAGE_refusal, &refusal, &writer);
    PUNKT_CHECK(!writer.failed);
    return wire_written(&writer);
}

void answer_refusal(struct service *service, uint64_t conn, uint16_t type, uint64_t number,
                    enum result result, const char *detail, journal_position wait_for)
{
    uint8_t bytes[REFUSAL_BYTES_MAX];
    size_t size = refusal_encode(result, detail, 0, 0, bytes);
    type = (uint16_t)((type & FRAME_TYPE_OPERATION) | FRAME_TYPE_REFUSED);
    answer_bytes(service, conn, type, 0, number, bytes, size, wait_for);
}

void refuse_read(struct request *request, enum result result, const char *detail)
{
    struct service *service = request->service;
    answer_refusal(service, request->conn, (uint16_t)request->row->code, request->number, result, detail,
                   ledger_newest(service->ledger));
    if (result == RESULT_UNKNOWN_CARD)
        abuse_unknown_card(request);
}
