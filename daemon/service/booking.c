/*
 * What changes have in common: how a decision becomes an event with its answer, how a refusal is kept,
 * how a receipt is recognised that was sent under another number.
 */
#include <string.h>

#include "ledger/fold.h"
#include "service/internal.h"

/* Which fields of a message content covers. A later list gets a later version, and old ones stay known. */
#define CONTENT_VERSION 1

int64_t points_to_wire(const struct service *service, millipoints points)
{
    return points / programme_step(programme_newest(service));
}

bool points_from_wire(const struct service *service, uint64_t points, millipoints *out)
{
    millipoints step = programme_step(programme_newest(service));
    if (points > (uint64_t)(MILLIPOINTS_MAX / step))
        return false;
    *out = (millipoints)points * step;
    return true;
}

struct judgement request_judgement(const struct request *request)
{
    struct judgement judgement = { .now = ledger_now(request->service->ledger) };
    if (request->flags & FRAME_FLAG_ADVICE)
        judgement.flags |= EVENT_FLAG_ADVICE;
    if (request->flags & FRAME_FLAG_HISTORIC)
        judgement.flags |= EVENT_FLAG_HISTORIC;
    if (request->flags & FRAME_FLAG_SERVER_LOST)
        judgement.flags |= EVENT_FLAG_SERVER_LOST;
    return judgement;
}

/* As sent, or the day of the time it is judged at. */
static local_day business_date(const struct request *request, uint64_t date, utc_us time)
{
    if (date != 0)
        return (local_day)date;
    struct judgement judgement = request_judgement(request);
    uint32_t flags = 0;
    utc_us occurred = judged_time(&judgement, time, &flags);
    return calendar_day(&programme_in_force(request->service, occurred)->calendar, occurred);
}

struct document document_of(const struct request *request, enum document_kind kind,
                            const struct wire_code *store, const struct wire_code *till, uint64_t date,
                            uint64_t time, const struct wire_code *number)
{
    return (struct document){ .kind = kind,
                              .store = text_of_code(store),
                              .till = text_of_code(till),
                              .business_date = business_date(request, date, (utc_us)time),
                              .number = text_of_code(number) };
}

local_day today(struct service *service)
{
    return calendar_day(&programme_newest(service)->calendar, ledger_now(service->ledger));
}

/* Every answer of a change begins with its position, so one member serves all. */
static void set_position(enum message message, union message_any *answer, journal_position position)
{
    const struct message_table *table = &message_tables[message];
    PUNKT_CHECK(table->fields[0].kind == FIELD_UINT && strcmp(table->fields[0].name, "position") == 0);
    memcpy((uint8_t *)answer + table->fields[0].offset, &position, sizeof(position));
}

/* Appends the event with the answer in service->bytes; the lane moves on; the answer waits for the disk. */
static void append(struct request *request, struct event *event, uint16_t type, uint16_t flags,
                   size_t answer_size)
{
    struct service *service = request->service;
    event->request.identity = request->identity;
    event->request.epoch = request->lane->epoch;
    event->request.number = request->number;
    memcpy(event->request.fingerprint, request->fingerprint, sizeof(event->request.fingerprint));
    event->answer_type = type;
    event->answer = (struct text){ (const char *)service->bytes, answer_size };
    journal_position position = ledger_reserve(service->ledger);
    ledger_append(service->ledger, event);
    request->lane->highest = request->number;
    answers_add(&service->answers, position, request->conn, type, flags, request->number, service->bytes,
                answer_size);
}

void book(struct request *request, struct event *event, union message_any *answer)
{
    struct service *service = request->service;
    set_position(request->row->answer, answer, ledger_reserve(service->ledger));
    struct wire_writer writer = wire_writer_over(service->bytes, FRAME_BODY_MAX);
    message_encode(request->row->answer, answer, &writer);
    PUNKT_CHECK(!writer.failed); /* decisions stay within the limits of fields */
    append(request, event, (uint16_t)(request->row->code | FRAME_TYPE_DONE), 0, wire_written(&writer));
}

void refuse(struct request *request, enum result result, const char *detail, millipoints needed,
            millipoints available)
{
    struct service *service = request->service;
    struct event event = { .type = EVENT_REFUSAL,
                           .time = ledger_now(service->ledger),
                           .refusal = { .result = (uint32_t)result } };
    event.occurred = event.time;
    size_t size = refusal_encode(result, detail, points_to_wire(service, needed),
                                 points_to_wire(service, available), service->bytes);
    append(request, &event, (uint16_t)(request->row->code | FRAME_TYPE_REFUSED), 0, size);
}

static enum result result_of(enum refusal refusal)
{
    switch (refusal) {
    case REFUSAL_NONE:
        break;
    case REFUSAL_INVALID_CARD_NUMBER:
        return RESULT_INVALID_CARD_NUMBER;
    case REFUSAL_LINES_MISMATCH:
        return RESULT_LINES_MISMATCH;
    case REFUSAL_CARD_EXISTS:
        return RESULT_CARD_EXISTS;
    case REFUSAL_UNKNOWN_CARD:
        return RESULT_UNKNOWN_CARD;
    case REFUSAL_CARD_CLOSED:
        return RESULT_CARD_CLOSED;
    case REFUSAL_CARD_REPLACED:
        return RESULT_CARD_REPLACED;
    case REFUSAL_CARD_BLOCKED:
        return RESULT_CARD_BLOCKED;
    case REFUSAL_UNKNOWN_PURCHASE:
        return RESULT_UNKNOWN_PURCHASE;
    case REFUSAL_OTHER_ACCOUNT:
        return RESULT_OTHER_ACCOUNT;
    case REFUSAL_UNKNOWN_LINE:
        return RESULT_UNKNOWN_LINE;
    case REFUSAL_MORE_THAN_SOLD:
        return RESULT_MORE_THAN_SOLD;
    case REFUSAL_UNKNOWN_REASON:
        return RESULT_UNKNOWN_REASON;
    case REFUSAL_NOT_ENOUGH_POINTS:
        return RESULT_NOT_ENOUGH_POINTS;
    case REFUSAL_OVER_LIMIT:
        return RESULT_OVER_LIMIT;
    }
    PUNKT_CHECK(false); /* not a refusal */
    return RESULT_DONE;
}

void refuse_decision(struct request *request)
{
    const struct decision *decision = &request->service->decision;
    bool counted = decision->refusal == REFUSAL_NOT_ENOUGH_POINTS;
    refuse(request, result_of(decision->refusal), decision->detail, counted ? decision->needed : 0,
           counted ? decision->available : 0);
}

void refuse_now(struct request *request, enum result result, const char *detail)
{
    uint8_t bytes[REFUSAL_BYTES_MAX];
    uint16_t type = (uint16_t)(request->row->code | FRAME_TYPE_REFUSED);
    size_t size = refusal_encode(result, detail, 0, 0, bytes);
    if (request->row->kind == OPERATION_KIND_CHANGE)
        answer_in_order(request->service, request->conn, type, 0, request->number, bytes, size, 0);
    else
        answer_bytes(request->service, request->conn, type, 0, request->number, bytes, size, 0);
}

/* Ties a new number to the event that booked the document: the first answer again. */
static void tie(struct request *request, const struct event *first, journal_position position,
                const struct document *document)
{
    struct service *service = request->service;
    struct event event = { .type = EVENT_TIE,
                           .time = ledger_now(service->ledger),
                           .document = *document,
                           .store = document->store,
                           .till = document->till,
                           .card = first->card,
                           .tie = { .first = position } };
    event.occurred = event.time;
    memcpy(event.content, first->content, sizeof(event.content));
    memcpy(service->bytes, first->answer.data, first->answer.size);
    append(request, &event, first->answer_type, FRAME_FLAG_REPLAYED, first->answer.size);
}

enum document_check document_settle(struct request *request, const struct document *document,
                                    const uint8_t content[16])
{
    if (document->number.size == 0)
        return DOCUMENT_NEW;
    journal_position position = fold_document(ledger_fold(request->service->ledger), document);
    if (position == 0)
        return DOCUMENT_NEW;
    if (request->fetched_position != position) {
        request->fetch = position;
        return DOCUMENT_FETCH;
    }
    const struct event *first = request->fetched;
    if (first == NULL)
        refuse_now(request, RESULT_BUSY,
                   "the first booking is in a part of the journal that cannot be read now");
    else if (memcmp(first->content, content, sizeof(first->content)) == 0)
        tie(request, first, position, document);
    else
        refuse(request, RESULT_RECEIPT_USED, "", 0, 0);
    return DOCUMENT_SETTLED;
}

uint32_t lines_for_points(struct service *service, const struct msg_line *lines, uint64_t count)
{
    PUNKT_CHECK(count <= LINES_MAX); /* the limit of the field */
    for (uint64_t i = 0; i < count; i++)
        service->lines[i] = (struct sale_line){ .code = text_of_code(&lines[i].code),
                                                .category = text_of_code(&lines[i].category),
                                                .kind = (enum line_kind)lines[i].kind,
                                                .quantity = (millis_of_unit)lines[i].quantity,
                                                .amount = lines[i].amount,
                                                .tax = lines[i].tax };
    return (uint32_t)count;
}

void hash16(struct service *service, uint16_t type, const void *bytes, size_t size, uint8_t out[16])
{
    uint8_t head[2] = { (uint8_t)type, (uint8_t)(type >> 8) };
    uint8_t whole[SHA256_SIZE];
    sha256_begin(&service->sha256);
    sha256_add(&service->sha256, head, sizeof(head));
    sha256_add(&service->sha256, bytes, size);
    sha256_end(&service->sha256, whole);
    memcpy(out, whole, 16);
}

void content_of(struct service *service, enum message message, const void *copy, uint8_t out[16])
{
    struct wire_writer writer = wire_writer_over(service->bytes, FRAME_BODY_MAX);
    /* By its name: content is kept for good, and a message's place in messages.def is not. */
    const char *name = message_tables[message].name;
    wire_write_bytes(&writer, name, strlen(name));
    message_encode(message, copy, &writer);
    PUNKT_CHECK(!writer.failed); /* it was decoded from a frame */
    hash16(service, CONTENT_VERSION, service->bytes, wire_written(&writer), out);
}

struct balance balance_after(struct service *service)
{
    struct balance balance;
    points_balance(&service->decision.after, today(service), &balance);
    return balance;
}
