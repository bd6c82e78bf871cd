/* All other requests: from the structs of punkt.h to messages. */
#include <stdalign.h>
#include <string.h>

#include "lib/encode.h"

bool encode_ping(struct build *build, const void *request)
{
    struct msg_ping_request msg = { 0 };
    return build_plain_request(build, request) && put_message(build, MESSAGE_ping_request, &msg, 0);
}

bool encode_totals(struct build *build, const void *request)
{
    struct msg_totals_request msg = { 0 };
    return build_plain_request(build, request) && put_message(build, MESSAGE_totals_request, &msg, 0);
}

bool encode_audit_verify(struct build *build, const void *request)
{
    struct msg_audit_verify_request msg = { 0 };
    return build_plain_request(build, request) && put_message(build, MESSAGE_audit_verify_request, &msg, 0);
}

bool encode_clock_accept(struct build *build, const void *request)
{
    struct msg_clock_accept_request msg = { 0 };
    return build_plain_request(build, request) && put_message(build, MESSAGE_clock_accept_request, &msg, 0);
}

bool encode_status(struct build *build, const void *request)
{
    struct punkt_status_request in;
    if (!build_request(build, request, &in, sizeof(in)))
        return false;
    if (in.number == 0)
        return build_wrong(build, "number: 1 or more");
    struct msg_status_request msg = { .epoch = in.epoch != 0 ? in.epoch : build->epoch,
                                      .number = in.number,
                                      .identity = in.identity };
    return put_message(build, MESSAGE_status_request, &msg, 0);
}

bool encode_card_issue(struct build *build, const void *request)
{
    struct punkt_card_issue_request in;
    struct msg_card_issue_request msg;
    message_init(MESSAGE_card_issue_request, &msg);
    if (!build_request(build, request, &in, sizeof(in)) || !put_card(build, in.card, &msg.card))
        return false;
    if (in.count > 10000)
        return build_wrong(build, "count: 1 to 10000");
    msg.count = in.count > 0 ? in.count : 1;
    return put_message(build, MESSAGE_card_issue_request, &msg, 0);
}

bool encode_card_show(struct build *build, const void *request)
{
    struct punkt_card_show_request in;
    struct msg_card_show_request msg;
    message_init(MESSAGE_card_show_request, &msg);
    if (!build_request(build, request, &in, sizeof(in)) || !put_card(build, in.card, &msg.card) ||
        !put_unsigned(build, in.at_us, MESSAGE_TIME_MAX, &msg.at, "at_us: from 1970 to 9999"))
        return false;
    msg.lots = in.with_lots ? 1 : 0;
    if (in.at_us != 0)
        build->note.card[0] = '\0'; /* what was then is no balance to go by */
    return put_message(build, MESSAGE_card_show_request, &msg, 0);
}

bool encode_adjust(struct build *build, const void *request)
{
    struct punkt_adjust_request in;
    struct msg_adjust_request msg;
    message_init(MESSAGE_adjust_request, &msg);
    if (!build_request(build, request, &in, sizeof(in)) || !put_card(build, in.card, &msg.card) ||
        !put_code(build, in.operator_, &msg.operator, "operator: 1 to 32 bytes"))
        return false;
    if (in.points == 0 || !signed_within(in.points, MESSAGE_POINTS_MAX))
        return build_wrong(build, "points: not 0, below 10^12 either way");
    if (!code_from(in.reason, "", &msg.reason) || msg.reason.size == 0)
        return build_wrong(build, "reason: 1 to 32 bytes");
    msg.note.data = in.note != NULL ? in.note : "";
    msg.note.size = strnlen(msg.note.data, 201);
    if (msg.note.size > 200 || !wire_utf8_valid(msg.note.data, msg.note.size))
        return build_wrong(build, "note: one line of UTF-8, up to 200 bytes");
    msg.points = in.points;
    msg.allow_debt = in.allow_debt ? 1 : 0;
    return put_message(build, MESSAGE_adjust_request, &msg, 0);
}

bool encode_statement(struct build *build, const void *request)
{
    struct punkt_statement_request in;
    struct msg_statement_request msg;
    message_init(MESSAGE_statement_request, &msg);
    if (!build_request(build, request, &in, sizeof(in)) || !put_card(build, in.card, &msg.card))
        return false;
    if (in.limit > 200)
        return build_wrong(build, "limit: 1 to 200");
    msg.from = in.from;
    msg.limit = in.limit > 0 ? in.limit : 50;
    msg.with_merged = in.with_merged ? 1 : 0;
    return put_message(build, MESSAGE_statement_request, &msg, 0);
}

bool encode_programme_show(struct build *build, const void *request)
{
    struct punkt_programme_show_request in;
    if (!build_request(build, request, &in, sizeof(in)))
        return false;
    struct msg_programme_show_request msg = { .version = in.version };
    return put_message(build, MESSAGE_programme_show_request, &msg, 0);
}

static size_t lists_size_max(enum message message, size_t body_size)
{
    const struct message_table *table = &message_tables[message];
    size_t size = 0;
    for (size_t i = 0; i < table->field_count; i++) {
        const struct message_field *field = &table->fields[i];
        if (field->kind != FIELD_LIST)
            continue;
        size_t count = field->limit < body_size / 2 ? (size_t)field->limit : body_size / 2;
        size += count * message_tables[field->element].struct_size + alignof(max_align_t);
    }
    return size;
}

union any_message {
#define MESSAGE(name, doc) struct msg_##name name;
#define FIELD(message, KIND, name, need, limit, preset, doc)
#define LIST(message, element, name, limit, doc)
#define END(name)
#include "proto/messages.def"
#undef MESSAGE
#undef FIELD
#undef LIST
#undef END
};

/* Limits of the message keep the sum of points small. */
static void note_purchase(struct build_note *note, const struct msg_purchase_request *msg)
{
    note->amount = (int64_t)msg->amount;
    note->bill = msg->amount > 0 ? (int64_t)msg->amount : -1;
    for (uint64_t i = 0; i < msg->wishes_count; i++) {
        const struct msg_wish *wish = &msg->wishes[i];
        if (wish->hold != 0)
            note_hold(note, wish->hold, (int64_t)wish->points);
        else if (wish->reward.size > 0)
            note->rewards = true;
        else
            note_points(note, (int64_t)wish->points);
    }
}

#define NOTE(msg)                                                                                            \
    memcpy(note->card, (msg).card.bytes, (msg).card.size);                                                   \
    note->business_date = (msg).business_date != 0 ? (int32_t)(msg).business_date : build->today
#define NOTE_SPENDING(msg)                                                                                   \
    NOTE(msg);                                                                                               \
    note->bill = (int64_t)(msg).bill;                                                                        \
    note->rewards = (msg).reward.size > 0;                                                                   \
    note_points(note, note->rewards ? 0 : (int64_t)(msg).points)

/* What the outbox wants to know of a body that came as bytes. */
static void note_message(struct build *build, enum message message, const union any_message *decoded)
{
    struct build_note *note = &build->note;
    if (message == MESSAGE_purchase_request) {
        NOTE(decoded->purchase_request);
        note_purchase(note, &decoded->purchase_request);
    } else if (message == MESSAGE_return_request) {
        NOTE(decoded->return_request);
        if (decoded->return_request.lines_count == 0)
            note->amount = (int64_t)decoded->return_request.amount;
    } else if (message == MESSAGE_unlinked_return_request) {
        NOTE(decoded->unlinked_return_request);
        note->amount = (int64_t)decoded->unlinked_return_request.amount;
    } else if (message == MESSAGE_redeem_request) {
        NOTE_SPENDING(decoded->redeem_request);
    } else if (message == MESSAGE_hold_request) {
        NOTE_SPENDING(decoded->hold_request);
    } else if (message == MESSAGE_capture_request) {
        NOTE(decoded->capture_request);
    } else if (message == MESSAGE_release_request) {
        NOTE(decoded->release_request);
    } else if (message == MESSAGE_reversal_request) {
        NOTE(decoded->reversal_request);
        note->epoch = decoded->reversal_request.epoch;
        note->number = decoded->reversal_request.number;
    }
}

static bool body_readable(struct build *build, enum message message, const void *body, size_t size)
{
    static const char *const complaint = "the body is not the operation's request, in the one form it has: ";
    union any_message decoded;
    size_t lists_size = lists_size_max(message, size);
    if (!build_lists_reserve(build, lists_size))
        return false;
    struct message_memory memory = { .at = build->lists->bytes, .left = build->lists->capacity };
    if (!message_decode(message, body, size, &memory, &decoded, &build->field))
        return build_wrong(build, complaint);
    note_message(build, message, &decoded);
    return true;
}

bool document_of_body(struct buffer *lists, uint16_t operation, const void *body, size_t size,
                      struct wire_code *out)
{
    struct build build = { .lists = lists };
    union any_message decoded;
    enum message message = operation_row(operation)->request;
    if (!build_lists_reserve(&build, lists_size_max(message, size)))
        return false;
    struct message_memory memory = { .at = lists->bytes, .left = lists->capacity };
    if (!message_decode(message, body, size, &memory, &decoded, &build.field))
        return false;
    if (message == MESSAGE_purchase_request)
        *out = decoded.purchase_request.receipt;
    else if (message == MESSAGE_return_request)
        *out = decoded.return_request.document;
    else if (message == MESSAGE_unlinked_return_request)
        *out = decoded.unlinked_return_request.document;
    else
        out->size = 0;
    return out->size > 0;
}

bool encode_message(struct build *build, const void *request)
{
    struct punkt_message_request in;
    struct wire_writer writer;
    if (!build_request(build, request, &in, sizeof(in)))
        return false;
    const struct operation_row *row =
        in.operation <= FRAME_TYPE_OPERATION ? operation_row((uint16_t)in.operation) : NULL;
    if (row == NULL || row->kind == OPERATION_KIND_SESSION)
        return build_wrong(build, "operation: not one that this version of libpunkt knows");
    if (in.pin != NULL && *in.pin != '\0' && !operation_takes_secret(row->code))
        return build_wrong(build, "pin: the operation takes none");
    if (in.body == NULL && in.body_size > 0)
        return build_wrong(build, "the body is missing");
    if (in.body_size > FRAME_BODY_MAX)
        return build_wrong(build, "the body is too large");
    if (!body_readable(build, row->request, in.body, in.body_size) ||
        !build_body_begin(build, in.pin, in.body_size, &writer))
        return false;
    wire_write_bytes(&writer, in.body, in.body_size);
    build->operation = in.operation;
    return build_body_end(build, &writer);
}
