/*
 * What changes have in common: how a decision becomes an event with its answer, how a refusal is kept,
 * how a receipt is recognised that was sent under another number.
 */
#include <string.h>

#include "ledger/fold.h"
#include "service/internal.h"
#include "service/proof.h"

/* Of what can be proposed: acts of the office, returns without their purchase. The limit of approval_decide_answer. */
#define APPROVED_ANSWER_MAX 4096

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

bool points_wanted(struct request *request, uint64_t points, millipoints *out)
{
    if (points > 0 && points_from_wire(request->service, points, out))
        return true;
    refuse(request, RESULT_OVER_LIMIT, "points must not be zero and must be below 10^12");
    return false;
}

struct judgement request_judgement(const struct request *request)
{
    enum role role = request_role(request);
    struct judgement judgement = { .now = ledger_now(request->service->ledger),
                                   .role = text_of(role_name(role)),
                                   .approved = request->approves_row != NULL,
                                   .till = role == ROLE_TILL };
    if (request->flags & FRAME_FLAG_ADVICE)
        judgement.flags |= EVENT_FLAG_ADVICE;
    if (request->flags & FRAME_FLAG_HISTORIC)
        judgement.flags |= EVENT_FLAG_HISTORIC;
    if (request->flags & FRAME_FLAG_SERVER_LOST)
        judgement.flags |= EVENT_FLAG_SERVER_LOST;
    if (request->flags & FRAME_FLAG_OFFLINE)
        judgement.flags |= EVENT_FLAG_OFFLINE;
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
    utc_us now = ledger_now(service->ledger);
    return calendar_day(&programme_in_force(service, now)->calendar, now);
}

/* Every answer of a change begins with its position, so one member serves all. */
static void set_position(enum message message, union message_any *answer, journal_position position)
{
    const struct message_table *table = &message_tables[message];
    PUNKT_CHECK(table->fields[0].kind == FIELD_UINT && strcmp(table->fields[0].name, "position") == 0);
    memcpy((uint8_t *)answer + table->fields[0].offset, &position, sizeof(position));
}

/* What an answer is typed as: the operation that was sent. */
static uint16_t answer_type(const struct request *request, uint16_t outcome)
{
    const struct operation_row *row = request->approves_row != NULL ? request->approves_row : request->row;
    return (uint16_t)(row->code | outcome);
}

/* Somebody of the register who is no till. The local administrator stands for tills that have not proven who they are. */
static bool is_foreign(const struct request *request)
{
    return request->identity != IDENTITY_LOCAL && request_role(request) != ROLE_TILL;
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
    if (is_foreign(request))
        event->flags |= EVENT_FLAG_FOREIGN;
    if (fold_is_late(ledger_fold(service->ledger), event))
        event->flags |= EVENT_FLAG_LATE;
    journal_position position = ledger_reserve(service->ledger);
    ledger_append(service->ledger, event);
    if (event->type == EVENT_IDENTITY)
        register_take(service, &event->identity.after);
    if (event->approves != 0)
        approval_ended(service, event->approves);
    service->returns_waited = service->returns_waited || event->type == EVENT_RETURN_WAITING;
    request->lane->highest = request->number;
    struct text body = event->answer;
    if (request->approves_row == NULL)                /* who approves prints no receipt */
        (void)receipt_text_add(request, type, &body); /* of this event, so it waits for it anyway */
    code_add(service, type, &body);
    answers_add(&service->answers, position, request->conn, type, flags, request->number, body.data,
                body.size);
    if (event->suspense.new_card)
        abuse_unknown_card(request); /* an advice; the next one is told less */
}

void append_own(struct service *service, struct event *event)
{
    (void)ledger_reserve(service->ledger);
    ledger_append(service->ledger, event);
    if (event->type == EVENT_IDENTITY)
        register_take(service, &event->identity.after);
}

static size_t encode_answer(const struct operation_row *row, const union message_any *answer, uint8_t *out,
                            size_t capacity)
{
    struct wire_writer writer = wire_writer_over(out, capacity);
    message_encode(row->answer, answer, &writer);
    PUNKT_CHECK(!writer.failed); /* decisions stay within the limits of fields */
    return wire_written(&writer);
}

/* The event is what was proposed: who asks approves it, and is answered that. */
static size_t approve(struct request *request, struct event *event, const union message_any *answer)
{
    uint8_t inner[APPROVED_ANSWER_MAX];
    size_t size = encode_answer(request->row, answer, inner, sizeof(inner));
    union message_any outer;
    struct msg_approval_decide_answer *out = &outer.approval_decide_answer;
    message_init(MESSAGE_approval_decide_answer, out);
    out->position = ledger_reserve(request->service->ledger);
    out->operation = request->row->code;
    out->answer = (struct message_text){ (const char *)inner, size };
    event->approves = request->approves;
    event->approval_note = request->approval_note;
    return encode_answer(request->approves_row, &outer, request->service->bytes, FRAME_BODY_MAX);
}

void book(struct request *request, struct event *event, union message_any *answer)
{
    struct service *service = request->service;
    abuse_hide(request, answer);
    set_position(request->row->answer, answer, ledger_reserve(service->ledger));
    size_t size = request->approves_row != NULL
                      ? approve(request, event, answer)
                      : encode_answer(request->row, answer, service->bytes, FRAME_BODY_MAX);
    append(request, event, answer_type(request, FRAME_TYPE_DONE), 0, size);
}

/* The refusal in service->bytes, for good. */
static void refuse_encoded(struct request *request, enum result result, size_t size)
{
    struct service *service = request->service;
    if (!abuse_may_refuse(request)) {
        refuse_now(request, RESULT_RATE, "too many requests were refused today");
        if (result == RESULT_UNKNOWN_CARD)
            abuse_unknown_card(request);
        return;
    }
    struct event event = { .type = EVENT_REFUSAL,
                           .time = ledger_now(service->ledger),
                           .day = today(service),
                           .refusal = { .result = (uint32_t)result } };
    event.occurred = event.time;
    append(request, &event, answer_type(request, FRAME_TYPE_REFUSED), 0, size);
    if (result == RESULT_UNKNOWN_CARD)
        abuse_unknown_card(request);
}

void refuse_by(struct request *request, struct event *event, enum result result, const char *detail)
{
    size_t size = refusal_encode(result, detail, 0, 0, request->service->bytes);
    append(request, event, answer_type(request, FRAME_TYPE_REFUSED), 0, size);
}

void refuse(struct request *request, enum result result, const char *detail)
{
    refuse_encoded(request, result, refusal_encode(result, detail, 0, 0, request->service->bytes));
}

/* The refusals of points have the names of results.def. */
static const uint16_t results[] = {
    [REFUSAL_INVALID_CARD_NUMBER] = RESULT_INVALID_CARD_NUMBER,
    [REFUSAL_LINES_MISMATCH] = RESULT_LINES_MISMATCH,
    [REFUSAL_CARD_EXISTS] = RESULT_CARD_EXISTS,
    [REFUSAL_UNKNOWN_CARD] = RESULT_UNKNOWN_CARD,
    [REFUSAL_CARD_CLOSED] = RESULT_CARD_CLOSED,
    [REFUSAL_CARD_REPLACED] = RESULT_CARD_REPLACED,
    [REFUSAL_CARD_BLOCKED] = RESULT_CARD_BLOCKED,
    [REFUSAL_CARD_NOT_BLOCKED] = RESULT_CARD_NOT_BLOCKED,
    [REFUSAL_ACCOUNT_CLOSED] = RESULT_ACCOUNT_CLOSED,
    [REFUSAL_SAME_ACCOUNT] = RESULT_SAME_ACCOUNT,
    [REFUSAL_UNKNOWN_HOLD] = RESULT_UNKNOWN_HOLD,
    [REFUSAL_HOLD_ENDED] = RESULT_HOLD_ENDED,
    [REFUSAL_UNKNOWN_PURCHASE] = RESULT_UNKNOWN_PURCHASE,
    [REFUSAL_OTHER_ACCOUNT] = RESULT_OTHER_ACCOUNT,
    [REFUSAL_CANNOT_BE_REVERSED] = RESULT_CANNOT_BE_REVERSED,
    [REFUSAL_DOES_NOT_MATCH] = RESULT_DOES_NOT_MATCH,
    [REFUSAL_PURCHASE_REVERSED] = RESULT_PURCHASE_REVERSED,
    [REFUSAL_UNKNOWN_LINE] = RESULT_UNKNOWN_LINE,
    [REFUSAL_MORE_THAN_SOLD] = RESULT_MORE_THAN_SOLD,
    [REFUSAL_UNLINKED_OFF] = RESULT_UNLINKED_OFF,
    [REFUSAL_UNKNOWN_REASON] = RESULT_UNKNOWN_REASON,
    [REFUSAL_UNKNOWN_REWARD] = RESULT_UNKNOWN_REWARD,
    [REFUSAL_UNKNOWN_OFFER] = RESULT_UNKNOWN_OFFER,
    [REFUSAL_NOT_OFFERED] = RESULT_NOT_OFFERED,
    [REFUSAL_PIN_NEEDED] = RESULT_PIN_NEEDED,
    [REFUSAL_PIN_WRONG] = RESULT_PIN_WRONG,
    [REFUSAL_PIN_LOCKED] = RESULT_PIN_LOCKED,
    [REFUSAL_OUT_OF_STOCK] = RESULT_OUT_OF_STOCK,
    [REFUSAL_LIMIT_REACHED] = RESULT_LIMIT_REACHED,
    [REFUSAL_MORE_THAN_HELD] = RESULT_MORE_THAN_HELD,
    [REFUSAL_BELOW_MINIMUM] = RESULT_BELOW_MINIMUM,
    [REFUSAL_NOT_ENOUGH_STAMPS] = RESULT_NOT_ENOUGH_STAMPS,
    [REFUSAL_NOT_ENOUGH_POINTS] = RESULT_NOT_ENOUGH_POINTS,
    [REFUSAL_NOTHING_TO_DO] = RESULT_NOTHING_TO_DO,
    [REFUSAL_NEEDS_APPROVAL] = RESULT_NEEDS_APPROVAL,
    [REFUSAL_OVER_LIMIT] = RESULT_OVER_LIMIT,
    [REFUSAL_TOO_OFTEN] = RESULT_TOO_OFTEN,
};

enum result result_of(enum refusal refusal)
{
    PUNKT_CHECK(refusal < COUNT_OF(results) && results[refusal] != 0); /* else not a refusal */
    return (enum result)results[refusal];
}

bool day_first(struct request *request)
{
    struct service *service = request->service;
    const struct decision *decision = &service->decision;
    if (decision->refusal != REFUSAL_DAY_FIRST)
        return false;
    if (daily_book(service, decision->day_first))
        return true;
    request->stalled = true;
    return false;
}

bool decision_ended(struct request *request, enum handled *out_handled)
{
    *out_handled = request->stalled ? HANDLED_STALL : HANDLED;
    if (!request->stalled && !ledger_has_room(request->service->ledger))
        *out_handled = HANDLED_STALL; /* what came first took it */
    if (*out_handled == HANDLED_STALL)
        return true;
    if (request->service->decision.refusal == REFUSAL_NONE)
        return false;
    refuse_decision(request);
    pin_was_right(request);
    return true;
}

/* The encoded refusal of the decision, into out. */
static size_t decision_encode(const struct request *request, uint8_t out[REFUSAL_BYTES_MAX])
{
    const struct service *service = request->service;
    const struct decision *decision = &service->decision;
    if (abuse_hides_refusal(request))
        return refusal_encode(RESULT_UNKNOWN_CARD, "", 0, 0, out);
    bool stamps = decision->refusal == REFUSAL_NOT_ENOUGH_STAMPS; /* those are thousandths everywhere */
    return refusal_encode(result_of(decision->refusal), decision->detail,
                          stamps ? decision->needed : points_to_wire(service, decision->needed),
                          stamps ? decision->available : points_to_wire(service, decision->available), out);
}

void refuse_decision(struct request *request)
{
    struct service *service = request->service;
    /* A PIN is stored nowhere, so what came with one cannot wait. */
    if (service->decision.refusal == REFUSAL_NEEDS_APPROVAL && request->secret.size == 0) {
        approval_propose(request);
        return;
    }
    size_t size = decision_encode(request, service->bytes);
    refuse_encoded(request, result_of(service->decision.refusal), size);
}

void answer_decision(struct request *request)
{
    struct service *service = request->service;
    uint8_t bytes[REFUSAL_BYTES_MAX];
    size_t size = decision_encode(request, bytes);
    answer_bytes(service, request->conn, (uint16_t)(request->row->code | FRAME_TYPE_REFUSED), 0,
                 request->number, bytes, size, ledger_newest(service->ledger));
    if (service->decision.refusal == REFUSAL_UNKNOWN_CARD)
        abuse_unknown_card(request);
}

void refuse_now(struct request *request, enum result result, const char *detail)
{
    uint8_t bytes[REFUSAL_BYTES_MAX];
    uint16_t type = answer_type(request, FRAME_TYPE_REFUSED);
    size_t size = refusal_encode(result, detail, 0, 0, bytes);
    if (request->row->kind == OPERATION_KIND_CHANGE)
        answer_in_order(request->service, request->conn, type, 0, request->number, bytes, size, 0);
    else
        answer_bytes(request->service, request->conn, type, 0, request->number, bytes, size, 0);
}

/* The answer of the event, as to who asked for it: of what was approved, the one inside. Returns its type. */
static uint16_t answer_of(const struct event *event, struct text *out)
{
    struct message_memory memory = { NULL, 0 };
    struct msg_approval_decide_answer outer;
    const char *field;
    *out = event->answer;
    if (event->approves == 0)
        return event->answer_type;
    PUNKT_CHECK(message_decode(MESSAGE_approval_decide_answer, event->answer.data, event->answer.size,
                               &memory, &outer, &field));
    *out = text_of_message(outer.answer);
    return (uint16_t)(outer.operation | FRAME_TYPE_DONE);
}

/* Ties a new number to the event that booked the document: the first answer again, and a flag that says so. */
void tie(struct request *request, const struct event *first, journal_position position,
         const struct document *document)
{
    struct service *service = request->service;
    struct text answer;
    uint16_t type = answer_of(first, &answer);
    struct event event = { .type = EVENT_TIE,
                           .time = ledger_now(service->ledger),
                           .day = today(service),
                           .document = *document,
                           .store = document->store,
                           .till = document->till,
                           .card = first->card,
                           .tie = { .first = position } };
    event.occurred = event.time;
    memcpy(event.content, first->content, sizeof(event.content));
    memcpy(service->bytes, answer.data, answer.size);
    append(request, &event, type, FRAME_FLAG_REPLAYED | FRAME_FLAG_TIED, answer.size);
}

enum document_check document_settle(struct request *request, const struct document *document,
                                    const uint8_t content[16])
{
    if (document->number.size == 0)
        return DOCUMENT_NEW;
    journal_position position = fold_document(ledger_fold(request->service->ledger), document);
    if (position == 0)
        return DOCUMENT_NEW;
    if (request->approves_row != NULL) {
        refuse(request, RESULT_RECEIPT_USED, "it was booked after it was proposed");
        return DOCUMENT_SETTLED;
    }
    const struct event *first;
    if (!fetched_event(request, position, &first))
        return DOCUMENT_FETCH;
    if (first == NULL)
        refuse_now(request, RESULT_BUSY,
                   "the first booking is in a part of the journal that cannot be read now");
    else if (memcmp(first->content, content, sizeof(first->content)) == 0)
        tie(request, first, position, document);
    else
        refuse(request, RESULT_RECEIPT_USED, "");
    return DOCUMENT_SETTLED;
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

struct balance balance_after(struct service *service, uint32_t side)
{
    struct balance balance;
    points_balance(&service->decision.sides[side].after, service->decision.event.day, &balance);
    return balance;
}
