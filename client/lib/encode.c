/* From the structs of punkt.h to messages. */
#include <assert.h>
#include <stdalign.h>
#include <string.h>

#include "lib/call.h"
#include "proto/card.h"

/* More than any element of a list, or a request without its lists, takes on the wire. */
#define ELEMENT_WIRE_MAX 160
#define REQUEST_WIRE_MAX 1024

static_assert(PUNKT_CARD_MAX == WIRE_CODE_MAX, "a public code holds what a wire code holds");

static bool wrong(struct build *build, const char *what)
{
    build->wrong = what;
    return false;
}

/*
 * Copies as much of a request as this library knows. Fields behind that, of a newer header, must be zero: what
 * cannot be sent must not be dropped silently.
 */
static bool take(struct build *build, const void *request, void *out, size_t size)
{
    if (request == NULL)
        return wrong(build, "the request is missing");
    size_t given;
    memcpy(&given, request, sizeof(given));
    if (given < size)
        return wrong(build, "size of the request is too small");
    for (size_t i = size; i < given; i++) {
        if (((const unsigned char *)request)[i] != 0)
            return wrong(build, "the request has a field that this version of libpunkt does not know");
    }
    memcpy(out, request, size);
    memcpy(&build->head, out, sizeof(build->head));
    if ((build->head.flags & ~(PUNKT_FLAG_ADVICE | PUNKT_FLAG_HISTORIC)) != 0)
        return wrong(build, "flags: unknown bits");
    return true;
}

static bool take_plain(struct build *build, const void *request)
{
    struct punkt_plain_request plain = PUNKT_INIT(plain);
    return take(build, request == NULL ? &plain : request, &plain, sizeof(plain));
}

/* The stride of an array of public structs, told by its first; 0: not acceptable. */
static size_t stride_of(const void *first, size_t count, size_t known)
{
    if (count == 0)
        return known;
    if (first == NULL)
        return 0;
    size_t given;
    memcpy(&given, first, sizeof(given));
    return given >= known ? given : 0;
}

/* Copies element `index` of an array. */
static void element(const void *first, size_t stride, size_t index, void *out, size_t size)
{
    memcpy(out, (const char *)first + stride * index, size);
}

static bool code(const char *text, const char *preset, struct wire_code *out)
{
    *out = (struct wire_code){ 0 };
    if (text == NULL || *text == '\0')
        text = preset;
    size_t size = strnlen(text, WIRE_CODE_MAX + 1);
    return size == 0 || wire_code_from(text, size, out);
}

static bool put_card(struct build *build, const char *card, struct wire_code *out)
{
    if (!code(card, "", out) || !card_number_valid(out))
        return wrong(build, "card: 1 to 32 of A-Z a-z 0-9 . _ % + @ -");
    return true;
}

/* An optional code. */
static bool put_code(struct build *build, const char *text, struct wire_code *out, const char *complaint)
{
    return code(text, "", out) || wrong(build, complaint);
}

/* A store or a till: the preset is "0". */
static bool put_place(struct build *build, const char *text, struct wire_code *out, const char *complaint)
{
    return code(text, "0", out) || wrong(build, complaint);
}

static bool put_unsigned(struct build *build, int64_t value, int64_t max, uint64_t *out,
                         const char *complaint)
{
    if (value < 0 || value > max)
        return wrong(build, complaint);
    *out = (uint64_t)value;
    return true;
}

static bool put_amount(struct build *build, int64_t value, uint64_t *out)
{
    return put_unsigned(build, value, MESSAGE_AMOUNT_MAX, out, "amount: 0 or more, below 10^12");
}

static bool put_time(struct build *build, int64_t value, uint64_t *out)
{
    return put_unsigned(build, value, MESSAGE_TIME_MAX, out, "time_us: from 1970 to 9999");
}

static bool put_day(struct build *build, int32_t value, uint64_t *out)
{
    return put_unsigned(build, value, MESSAGE_DAY_MAX, out, "business date: from 1970 to 9999");
}

static bool signed_within(int64_t value, int64_t max)
{
    return value >= -max && value <= max;
}

/* Memory for lists of this request, all at once, so that it does not move under the first of them. */
static bool lists_reserve(struct build *build, size_t size)
{
    buffer_clear(build->lists);
    build->wrong = NULL;
    return buffer_reserve(build->lists, size);
}

static void *lists_take(struct build *build, size_t size)
{
    void *at = build->lists->bytes + build->lists->end;
    build->lists->end += (size + alignof(max_align_t) - 1) / alignof(max_align_t) * alignof(max_align_t);
    memset(at, 0, size);
    return at;
}

/* Begins the body behind the free place of the header: with the secret part, if there is one. */
static bool body_begin(struct build *build, const char *pin, size_t size, struct wire_writer *out)
{
    size_t pin_size = pin != NULL ? strnlen(pin, FRAME_SECRET_MAX + 1) : 0;
    if (pin_size > FRAME_SECRET_MAX)
        return wrong(build, "pin: 1 to 32 bytes");
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

static bool body_end(struct build *build, const struct wire_writer *writer)
{
    if (writer->failed || wire_written(writer) > FRAME_BODY_MAX)
        return wrong(build, "a field is out of its range");
    build->frame->end = FRAME_HEADER_SIZE + wire_written(writer);
    return true;
}

static bool put_message_with_pin(struct build *build, enum message message, const void *in, size_t elements,
                                 const char *pin)
{
    struct wire_writer writer;
    if (!body_begin(build, pin, REQUEST_WIRE_MAX + elements * ELEMENT_WIRE_MAX, &writer))
        return false;
    message_encode(message, in, &writer);
    return body_end(build, &writer);
}

static bool put_message(struct build *build, enum message message, const void *in, size_t elements)
{
    return put_message_with_pin(build, message, in, elements, NULL);
}

bool encode_ping(struct build *build, const void *request)
{
    struct msg_ping_request msg = { 0 };
    return take_plain(build, request) && put_message(build, MESSAGE_ping_request, &msg, 0);
}

bool encode_totals(struct build *build, const void *request)
{
    struct msg_totals_request msg = { 0 };
    return take_plain(build, request) && put_message(build, MESSAGE_totals_request, &msg, 0);
}

bool encode_audit_verify(struct build *build, const void *request)
{
    struct msg_audit_verify_request msg = { 0 };
    return take_plain(build, request) && put_message(build, MESSAGE_audit_verify_request, &msg, 0);
}

bool encode_clock_accept(struct build *build, const void *request)
{
    struct msg_clock_accept_request msg = { 0 };
    return take_plain(build, request) && put_message(build, MESSAGE_clock_accept_request, &msg, 0);
}

bool encode_status(struct build *build, const void *request)
{
    struct punkt_status_request in;
    if (!take(build, request, &in, sizeof(in)))
        return false;
    if (in.number == 0)
        return wrong(build, "number: 1 or more");
    struct msg_status_request msg = { .epoch = in.epoch != 0 ? in.epoch : build->epoch, .number = in.number };
    return put_message(build, MESSAGE_status_request, &msg, 0);
}

bool encode_card_issue(struct build *build, const void *request)
{
    struct punkt_card_issue_request in;
    struct msg_card_issue_request msg;
    message_init(MESSAGE_card_issue_request, &msg);
    if (!take(build, request, &in, sizeof(in)) || !put_card(build, in.card, &msg.card))
        return false;
    if (in.count > 10000)
        return wrong(build, "count: 1 to 10000");
    msg.count = in.count > 0 ? in.count : 1;
    return put_message(build, MESSAGE_card_issue_request, &msg, 0);
}

bool encode_card_show(struct build *build, const void *request)
{
    struct punkt_card_show_request in;
    struct msg_card_show_request msg;
    message_init(MESSAGE_card_show_request, &msg);
    return take(build, request, &in, sizeof(in)) && put_card(build, in.card, &msg.card) &&
           put_message(build, MESSAGE_card_show_request, &msg, 0);
}

static bool put_line(struct build *build, const struct punkt_line *in, struct msg_line *out)
{
    message_init(MESSAGE_line, out);
    if (!code(in->code, "", &out->code) || out->code.size == 0)
        return wrong(build, "code of a line: 1 to 32 bytes");
    if (!put_code(build, in->category, &out->category, "category of a line: 1 to 32 bytes"))
        return false;
    if (!signed_within(in->amount, MESSAGE_AMOUNT_MAX) || !signed_within(in->tax, MESSAGE_AMOUNT_MAX))
        return wrong(build, "amount and tax of a line: below 10^12 either way");
    if (in->quantity > (uint64_t)MESSAGE_QUANTITY_MAX)
        return wrong(build, "quantity of a line: below 10^9");
    if (in->kind > PUNKT_LINE_STORED_VALUE)
        return wrong(build, "kind of a line: 0 to 4");
    out->amount = in->amount;
    out->tax = in->tax;
    out->kind = in->kind;
    out->quantity = in->quantity > 0 ? in->quantity : 1000;
    return true;
}

static bool put_lines(struct build *build, const struct punkt_line *lines, size_t count, struct msg_line *out)
{
    size_t stride = stride_of(lines, count, sizeof(*lines));
    if (stride == 0)
        return wrong(build, "size of the first line");
    for (size_t i = 0; i < count; i++) {
        struct punkt_line line;
        element(lines, stride, i, &line, sizeof(line));
        if (!put_line(build, &line, &out[i]))
            return false;
    }
    return true;
}

static bool put_tenders(struct build *build, const struct punkt_purchase_request *in, struct msg_tender *out)
{
    size_t stride = stride_of(in->tenders, in->tender_count, sizeof(*in->tenders));
    if (stride == 0)
        return wrong(build, "size of the first tender");
    for (size_t i = 0; i < in->tender_count; i++) {
        struct punkt_tender tender;
        element(in->tenders, stride, i, &tender, sizeof(tender));
        if (!code(tender.kind, "", &out[i].kind) || out[i].kind.size == 0)
            return wrong(build, "kind of a tender: 1 to 32 bytes");
        if (!signed_within(tender.amount, MESSAGE_AMOUNT_MAX))
            return wrong(build, "amount of a tender: below 10^12 either way");
        out[i].amount = tender.amount;
    }
    return true;
}

static bool put_coupons(struct build *build, const struct punkt_purchase_request *in, struct msg_coupon *out)
{
    if (in->coupon_count > 0 && in->coupons == NULL)
        return wrong(build, "coupons are missing");
    for (size_t i = 0; i < in->coupon_count; i++) {
        if (!code(in->coupons[i], "", &out[i].code) || out[i].code.size == 0)
            return wrong(build, "coupon: 1 to 32 bytes");
    }
    return true;
}

static bool put_purchase_lists(struct build *build, const struct punkt_purchase_request *in,
                               struct msg_purchase_request *msg)
{
    if (in->line_count > PUNKT_LINES_MAX || in->tender_count > 32 || in->coupon_count > 32)
        return wrong(build, "up to 4096 lines, 32 tenders, 32 coupons");
    size_t lines_size = in->line_count * sizeof(*msg->lines);
    size_t tenders_size = in->tender_count * sizeof(*msg->tenders);
    size_t coupons_size = in->coupon_count * sizeof(*msg->coupons);
    if (!lists_reserve(build, lines_size + tenders_size + coupons_size + 3 * alignof(max_align_t)))
        return false;
    msg->lines = lists_take(build, lines_size);
    msg->lines_count = in->line_count;
    msg->tenders = lists_take(build, tenders_size);
    msg->tenders_count = in->tender_count;
    msg->coupons = lists_take(build, coupons_size);
    msg->coupons_count = in->coupon_count;
    return put_lines(build, in->lines, in->line_count, msg->lines) && put_tenders(build, in, msg->tenders) &&
           put_coupons(build, in, msg->coupons);
}

bool encode_purchase(struct build *build, const void *request)
{
    struct punkt_purchase_request in;
    struct msg_purchase_request msg;
    message_init(MESSAGE_purchase_request, &msg);
    if (!take(build, request, &in, sizeof(in)) || !put_card(build, in.card, &msg.card) ||
        !put_amount(build, in.amount, &msg.amount) || !put_time(build, in.time_us, &msg.time) ||
        !put_place(build, in.store, &msg.store, "store: 1 to 32 bytes") ||
        !put_place(build, in.till, &msg.till, "till: 1 to 32 bytes") ||
        !put_code(build, in.operator_, &msg.operator, "operator: 1 to 32 bytes") ||
        !put_code(build, in.receipt, &msg.receipt, "receipt: 1 to 32 bytes") ||
        !put_day(build, in.business_date, &msg.business_date) || !put_purchase_lists(build, &in, &msg))
        return false;
    return put_message(build, MESSAGE_purchase_request, &msg,
                       in.line_count + in.tender_count + in.coupon_count);
}

static bool put_return_lines(struct build *build, const struct punkt_return_request *in,
                             struct msg_return_request *msg)
{
    size_t stride = stride_of(in->lines, in->line_count, sizeof(*in->lines));
    if (stride == 0)
        return wrong(build, "size of the first line");
    if (in->line_count > PUNKT_LINES_MAX)
        return wrong(build, "up to 4096 lines");
    size_t size = in->line_count * sizeof(*msg->lines);
    if (!lists_reserve(build, size + alignof(max_align_t)))
        return false;
    msg->lines = lists_take(build, size);
    msg->lines_count = in->line_count;
    for (size_t i = 0; i < in->line_count; i++) {
        struct punkt_return_line line;
        element(in->lines, stride, i, &line, sizeof(line));
        if (line.number > PUNKT_LINES_MAX || line.quantity > (uint64_t)MESSAGE_QUANTITY_MAX)
            return wrong(build, "number of a line: up to 4096; its quantity: below 10^9");
        if (!put_code(build, line.code, &msg->lines[i].code, "code of a line: 1 to 32 bytes"))
            return false;
        if (line.number == 0 && msg->lines[i].code.size == 0)
            return wrong(build, "a line has neither number nor code");
        msg->lines[i].number = line.number;
        msg->lines[i].quantity = line.quantity;
    }
    return true;
}

bool encode_return(struct build *build, const void *request)
{
    struct punkt_return_request in;
    struct msg_return_request msg;
    message_init(MESSAGE_return_request, &msg);
    if (!take(build, request, &in, sizeof(in)) || !put_card(build, in.card, &msg.card) ||
        !put_amount(build, in.amount, &msg.amount) || !put_time(build, in.time_us, &msg.time) ||
        !put_place(build, in.store, &msg.store, "store: 1 to 32 bytes") ||
        !put_place(build, in.till, &msg.till, "till: 1 to 32 bytes") ||
        !put_code(build, in.operator_, &msg.operator, "operator: 1 to 32 bytes") ||
        !put_code(build, in.sale_store, &msg.sale_store, "sale_store: 1 to 32 bytes") ||
        !put_code(build, in.sale_till, &msg.sale_till, "sale_till: 1 to 32 bytes") ||
        !put_day(build, in.sale_date, &msg.sale_date) ||
        !put_code(build, in.sale_receipt, &msg.sale_receipt, "sale_receipt: 1 to 32 bytes") ||
        !put_code(build, in.document, &msg.document, "document: 1 to 32 bytes") ||
        !put_day(build, in.business_date, &msg.business_date) || !put_return_lines(build, &in, &msg))
        return false;
    if (msg.sale_receipt.size == 0 && in.sale_position == 0)
        return wrong(build, "sale_receipt or sale_position must name the purchase");
    msg.sale_position = in.sale_position;
    return put_message(build, MESSAGE_return_request, &msg, in.line_count);
}

bool encode_unlinked_return(struct build *build, const void *request)
{
    struct punkt_unlinked_return_request in;
    struct msg_unlinked_return_request msg;
    message_init(MESSAGE_unlinked_return_request, &msg);
    if (!take(build, request, &in, sizeof(in)) || !put_card(build, in.card, &msg.card) ||
        !put_amount(build, in.amount, &msg.amount) || !put_time(build, in.time_us, &msg.time) ||
        !put_place(build, in.store, &msg.store, "store: 1 to 32 bytes") ||
        !put_place(build, in.till, &msg.till, "till: 1 to 32 bytes") ||
        !put_code(build, in.operator_, &msg.operator, "operator: 1 to 32 bytes") ||
        !put_code(build, in.document, &msg.document, "document: 1 to 32 bytes") ||
        !put_day(build, in.business_date, &msg.business_date))
        return false;
    if (in.line_count > PUNKT_LINES_MAX)
        return wrong(build, "up to 4096 lines");
    size_t size = in.line_count * sizeof(*msg.lines);
    if (!lists_reserve(build, size + alignof(max_align_t)))
        return false;
    msg.lines = lists_take(build, size);
    msg.lines_count = in.line_count;
    if (!put_lines(build, in.lines, in.line_count, msg.lines))
        return false;
    return put_message(build, MESSAGE_unlinked_return_request, &msg, in.line_count);
}

bool encode_redeem(struct build *build, const void *request)
{
    struct punkt_redeem_request in;
    struct msg_redeem_request msg;
    message_init(MESSAGE_redeem_request, &msg);
    if (!take(build, request, &in, sizeof(in)) || !put_card(build, in.card, &msg.card) ||
        !put_time(build, in.time_us, &msg.time) ||
        !put_place(build, in.store, &msg.store, "store: 1 to 32 bytes") ||
        !put_place(build, in.till, &msg.till, "till: 1 to 32 bytes") ||
        !put_code(build, in.operator_, &msg.operator, "operator: 1 to 32 bytes"))
        return false;
    if (in.points < 1 || in.points > MESSAGE_POINTS_MAX)
        return wrong(build, "points: 1 or more, below 10^12");
    msg.points = (uint64_t)in.points;
    return put_message_with_pin(build, MESSAGE_redeem_request, &msg, 0, in.pin);
}

bool encode_adjust(struct build *build, const void *request)
{
    struct punkt_adjust_request in;
    struct msg_adjust_request msg;
    message_init(MESSAGE_adjust_request, &msg);
    if (!take(build, request, &in, sizeof(in)) || !put_card(build, in.card, &msg.card) ||
        !put_code(build, in.operator_, &msg.operator, "operator: 1 to 32 bytes"))
        return false;
    if (in.points == 0 || !signed_within(in.points, MESSAGE_POINTS_MAX))
        return wrong(build, "points: not 0, below 10^12 either way");
    if (!code(in.reason, "", &msg.reason) || msg.reason.size == 0)
        return wrong(build, "reason: 1 to 32 bytes");
    msg.note.data = in.note != NULL ? in.note : "";
    msg.note.size = strnlen(msg.note.data, 201);
    if (msg.note.size > 200 || !wire_utf8_valid(msg.note.data, msg.note.size))
        return wrong(build, "note: one line of UTF-8, up to 200 bytes");
    msg.points = in.points;
    msg.allow_debt = in.allow_debt ? 1 : 0;
    return put_message(build, MESSAGE_adjust_request, &msg, 0);
}

bool encode_statement(struct build *build, const void *request)
{
    struct punkt_statement_request in;
    struct msg_statement_request msg;
    message_init(MESSAGE_statement_request, &msg);
    if (!take(build, request, &in, sizeof(in)) || !put_card(build, in.card, &msg.card))
        return false;
    if (in.limit > 200)
        return wrong(build, "limit: 1 to 200");
    msg.from = in.from;
    msg.limit = in.limit > 0 ? in.limit : 50;
    return put_message(build, MESSAGE_statement_request, &msg, 0);
}

bool encode_programme_show(struct build *build, const void *request)
{
    struct punkt_programme_show_request in;
    if (!take(build, request, &in, sizeof(in)))
        return false;
    struct msg_programme_show_request msg = { .version = in.version };
    return put_message(build, MESSAGE_programme_show_request, &msg, 0);
}

static bool takes_pin(uint32_t operation)
{
    return operation == OPERATION_PURCHASE || operation == OPERATION_REDEEM || operation == OPERATION_HOLD ||
           operation == OPERATION_CARD_PIN;
}

/* As much memory as a body of this size may need for its lists. */
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

/* A server that cannot read a change passes over its number without a trace: such a body is better not sent. */
static bool body_readable(struct build *build, enum message message, const void *body, size_t size)
{
    static const char *const complaint = "the body is not the operation's request, in the one form it has: ";
    union {
#define MESSAGE(name, doc) struct msg_##name name;
#define FIELD(message, KIND, name, need, limit, preset, doc)
#define LIST(message, element, name, limit, doc)
#define END(name)
#include "proto/messages.def"
#undef MESSAGE
#undef FIELD
#undef LIST
#undef END
    } decoded;
    size_t lists_size = lists_size_max(message, size);
    if (!lists_reserve(build, lists_size))
        return false;
    struct message_memory memory = { .at = build->lists->bytes, .left = build->lists->capacity };
    return message_decode(message, body, size, &memory, &decoded, &build->field) || wrong(build, complaint);
}

bool encode_message(struct build *build, const void *request)
{
    struct punkt_message_request in;
    struct wire_writer writer;
    if (!take(build, request, &in, sizeof(in)))
        return false;
    const struct operation_row *row =
        in.operation <= FRAME_TYPE_OPERATION ? operation_row((uint16_t)in.operation) : NULL;
    if (row == NULL || row->kind == OPERATION_KIND_SESSION)
        return wrong(build, "operation: not one that this version of libpunkt knows");
    if (in.pin != NULL && *in.pin != '\0' && !takes_pin(in.operation))
        return wrong(build, "pin: the operation takes none");
    if (in.body == NULL && in.body_size > 0)
        return wrong(build, "the body is missing");
    if (in.body_size > FRAME_BODY_MAX)
        return wrong(build, "the body is too large");
    if (!body_readable(build, row->request, in.body, in.body_size) ||
        !body_begin(build, in.pin, in.body_size, &writer))
        return false;
    wire_write_bytes(&writer, in.body, in.body_size);
    build->operation = in.operation;
    return body_end(build, &writer);
}
