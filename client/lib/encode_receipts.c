/* Receipts and returns: from the structs of punkt.h to messages. */
#include <stdalign.h>
#include <string.h>

#include "lib/encode.h"

/* The lists of a receipt, as they are given, */
struct receipt {
    const struct punkt_line *lines;
    size_t line_count;
    const struct punkt_tender *tenders;
    size_t tender_count;
    const char *const *coupons;
    size_t coupon_count;
    const struct punkt_wish *wishes;
    size_t wish_count;
};

/* and as they are encoded. */
struct receipt_lists {
    struct msg_line *lines;
    struct msg_tender *tenders;
    struct msg_coupon *coupons;
    struct msg_wish *wishes;
};

/* The same members of structs of different types. */
#define RECEIPT_OF(in)                                                                                       \
    {                                                                                                        \
        (in).lines, (in).line_count, (in).tenders, (in).tender_count, (in).coupons, (in).coupon_count,       \
            (in).wishes, (in).wish_count                                                                     \
    }
#define RECEIPT_INTO(msg, receipt, lists_)                                                                   \
    do {                                                                                                     \
        (msg).lines = (lists_).lines;                                                                        \
        (msg).lines_count = (receipt).line_count;                                                            \
        (msg).tenders = (lists_).tenders;                                                                    \
        (msg).tenders_count = (receipt).tender_count;                                                        \
        (msg).coupons = (lists_).coupons;                                                                    \
        (msg).coupons_count = (receipt).coupon_count;                                                        \
        (msg).wishes = (lists_).wishes;                                                                      \
        (msg).wishes_count = (receipt).wish_count;                                                           \
    } while (0)

static size_t receipt_elements(const struct receipt *receipt)
{
    return receipt->line_count + receipt->tender_count + receipt->coupon_count + receipt->wish_count;
}

static bool put_line(struct build *build, const struct punkt_line *in, struct msg_line *out)
{
    message_init(MESSAGE_line, out);
    if (!code_from(in->code, "", &out->code) || out->code.size == 0)
        return build_wrong(build, "code of a line: 1 to 32 bytes");
    if (!put_code(build, in->category, &out->category, "category of a line: 1 to 32 bytes"))
        return false;
    if (!signed_within(in->amount, MESSAGE_AMOUNT_MAX) || !signed_within(in->tax, MESSAGE_AMOUNT_MAX))
        return build_wrong(build, "amount and tax of a line: below 10^12 either way");
    if (in->quantity > (uint64_t)MESSAGE_QUANTITY_MAX)
        return build_wrong(build, "quantity of a line: below 10^9");
    if (in->kind > PUNKT_LINE_STORED_VALUE)
        return build_wrong(build, "kind of a line: 0 to 4");
    out->amount = in->amount;
    out->tax = in->tax;
    out->kind = in->kind;
    out->quantity = in->quantity > 0 ? in->quantity : 1000;
    return true;
}

static bool put_lines(struct build *build, const struct punkt_line *lines, size_t count, struct msg_line *out)
{
    struct elements elements = ELEMENTS_OF(lines, count, struct punkt_line, tax);
    if (!elements_begin(build, &elements, "size of the first line"))
        return false;
    for (size_t i = 0; i < count; i++) {
        struct punkt_line line;
        if (!elements_copy(build, &elements, i, &line) || !put_line(build, &line, &out[i]))
            return false;
    }
    return true;
}

static bool put_tenders(struct build *build, const struct receipt *in, struct msg_tender *out)
{
    struct elements elements = ELEMENTS_OF(in->tenders, in->tender_count, struct punkt_tender, amount);
    if (!elements_begin(build, &elements, "size of the first tender"))
        return false;
    for (size_t i = 0; i < in->tender_count; i++) {
        struct punkt_tender tender;
        if (!elements_copy(build, &elements, i, &tender))
            return false;
        if (!code_from(tender.kind, "", &out[i].kind) || out[i].kind.size == 0)
            return build_wrong(build, "kind of a tender: 1 to 32 bytes");
        if (!signed_within(tender.amount, MESSAGE_AMOUNT_MAX))
            return build_wrong(build, "amount of a tender: below 10^12 either way");
        out[i].amount = tender.amount;
    }
    return true;
}

static bool put_coupons(struct build *build, const struct receipt *in, struct msg_coupon *out)
{
    if (in->coupon_count > 0 && in->coupons == NULL)
        return build_wrong(build, "coupons are missing");
    for (size_t i = 0; i < in->coupon_count; i++) {
        if (!code_from(in->coupons[i], "", &out[i].code) || out[i].code.size == 0)
            return build_wrong(build, "coupon: 1 to 32 bytes");
    }
    return true;
}

static bool put_wishes(struct build *build, const struct receipt *in, struct msg_wish *out)
{
    struct elements elements = ELEMENTS_OF(in->wishes, in->wish_count, struct punkt_wish, line);
    if (!elements_begin(build, &elements, "size of the first wish"))
        return false;
    for (size_t i = 0; i < in->wish_count; i++) {
        struct punkt_wish wish;
        if (!elements_copy(build, &elements, i, &wish))
            return false;
        message_init(MESSAGE_wish, &out[i]);
        if (!put_code(build, wish.reward, &out[i].reward, "reward of a wish: 1 to 32 bytes"))
            return false;
        if (wish.points < 0 || wish.points > MESSAGE_POINTS_MAX)
            return build_wrong(build, "points of a wish: 0 or more, below 10^12");
        if (wish.points == 0 && wish.hold == 0 && out[i].reward.size == 0)
            return build_wrong(build, "a wish has neither points, nor a reward, nor a hold");
        if (wish.line > PUNKT_LINES_MAX)
            return build_wrong(build, "line of a wish: up to 4096");
        if (wish.hold != 0)
            note_hold(&build->note, wish.hold, wish.points);
        else if (out[i].reward.size > 0)
            build->note.rewards = true;
        else
            note_points(&build->note, wish.points);
        out[i].points = wish.points;
        out[i].quantity = wish.quantity > 0 ? wish.quantity : 1;
        out[i].hold = wish.hold;
        out[i].line = wish.line;
    }
    return true;
}

static bool put_receipt(struct build *build, const struct receipt *in, struct receipt_lists *out)
{
    if (in->line_count > PUNKT_LINES_MAX || in->tender_count > 32 || in->coupon_count > 32 ||
        in->wish_count > PUNKT_WISHES_MAX)
        return build_wrong(build, "up to 4096 lines, 32 tenders, 32 coupons, 8 wishes");
    size_t lines_size = in->line_count * sizeof(*out->lines);
    size_t tenders_size = in->tender_count * sizeof(*out->tenders);
    size_t coupons_size = in->coupon_count * sizeof(*out->coupons);
    size_t wishes_size = in->wish_count * sizeof(*out->wishes);
    if (!build_lists_reserve(build, lines_size + tenders_size + coupons_size + wishes_size +
                                        4 * alignof(max_align_t)))
        return false;
    out->lines = build_list(build, lines_size);
    out->tenders = build_list(build, tenders_size);
    out->coupons = build_list(build, coupons_size);
    out->wishes = build_list(build, wishes_size);
    return put_lines(build, in->lines, in->line_count, out->lines) && put_tenders(build, in, out->tenders) &&
           put_coupons(build, in, out->coupons) && put_wishes(build, in, out->wishes);
}

bool encode_purchase(struct build *build, const void *request)
{
    struct punkt_purchase_request in;
    struct msg_purchase_request msg;
    struct receipt_lists lists;
    message_init(MESSAGE_purchase_request, &msg);
    if (!build_request(build, request, &in, sizeof(in)) || !put_card(build, in.card, &msg.card) ||
        !put_amount(build, in.amount, &msg.amount) || !put_time(build, in.time_us, &msg.time) ||
        !put_where(build, in.store, in.till, in.operator_, &msg.store, &msg.till, &msg.operator) ||
        !put_code(build, in.receipt, &msg.receipt, "receipt: 1 to 32 bytes") ||
        !put_day(build, in.business_date, &msg.business_date))
        return false;
    struct receipt receipt = RECEIPT_OF(in);
    if (!put_receipt(build, &receipt, &lists))
        return false;
    RECEIPT_INTO(msg, receipt, lists);
    build->note.bill = in.amount > 0 ? in.amount : -1;
    return put_message_with_pin(build, MESSAGE_purchase_request, &msg, receipt_elements(&receipt), in.pin);
}

bool encode_quote(struct build *build, const void *request)
{
    struct punkt_quote_request in;
    struct msg_quote_request msg;
    struct receipt_lists lists;
    message_init(MESSAGE_quote_request, &msg);
    if (!build_request(build, request, &in, sizeof(in)) || !put_amount(build, in.amount, &msg.amount) ||
        !put_time(build, in.time_us, &msg.time) ||
        !put_where(build, in.store, in.till, in.operator_, &msg.store, &msg.till, &msg.operator))
        return false;
    if (in.card != NULL && *in.card != '\0' && !put_card(build, in.card, &msg.card))
        return false;
    struct receipt receipt = RECEIPT_OF(in);
    if (!put_receipt(build, &receipt, &lists))
        return false;
    RECEIPT_INTO(msg, receipt, lists);
    return put_message(build, MESSAGE_quote_request, &msg, receipt_elements(&receipt));
}

static bool put_return_lines(struct build *build, const struct punkt_return_line *lines, size_t count,
                             struct msg_return_line **out)
{
    struct elements elements = ELEMENTS_OF(lines, count, struct punkt_return_line, code);
    if (!elements_begin(build, &elements, "size of the first line"))
        return false;
    if (count > PUNKT_LINES_MAX)
        return build_wrong(build, "up to 4096 lines");
    if (!build_lists_reserve(build, count * sizeof(**out) + alignof(max_align_t)))
        return false;
    struct msg_return_line *into = build_list(build, count * sizeof(**out));
    for (size_t i = 0; i < count; i++) {
        struct punkt_return_line line;
        if (!elements_copy(build, &elements, i, &line))
            return false;
        if (line.number > PUNKT_LINES_MAX || line.quantity > (uint64_t)MESSAGE_QUANTITY_MAX)
            return build_wrong(build, "number of a line: up to 4096; its quantity: below 10^9");
        if (!put_code(build, line.code, &into[i].code, "code of a line: 1 to 32 bytes"))
            return false;
        if (line.number == 0 && into[i].code.size == 0)
            return build_wrong(build, "a line has neither number nor code");
        into[i].number = line.number;
        into[i].quantity = line.quantity;
    }
    *out = into;
    return true;
}

bool encode_return(struct build *build, const void *request)
{
    struct punkt_return_request in;
    struct msg_return_request msg;
    message_init(MESSAGE_return_request, &msg);
    if (!build_request(build, request, &in, sizeof(in)) || !put_card(build, in.card, &msg.card) ||
        !put_amount(build, in.amount, &msg.amount) || !put_time(build, in.time_us, &msg.time) ||
        !put_where(build, in.store, in.till, in.operator_, &msg.store, &msg.till, &msg.operator) ||
        !put_code(build, in.sale_store, &msg.sale_store, "sale_store: 1 to 32 bytes") ||
        !put_code(build, in.sale_till, &msg.sale_till, "sale_till: 1 to 32 bytes") ||
        !put_date(build, in.sale_date, &msg.sale_date) ||
        !put_code(build, in.sale_receipt, &msg.sale_receipt, "sale_receipt: 1 to 32 bytes") ||
        !put_code(build, in.document, &msg.document, "document: 1 to 32 bytes") ||
        !put_day(build, in.business_date, &msg.business_date) ||
        !put_return_lines(build, in.lines, in.line_count, &msg.lines))
        return false;
    if (msg.sale_receipt.size == 0 && in.sale_position == 0)
        return build_wrong(build, "sale_receipt or sale_position must name the purchase");
    if (in.line_count > 0)
        build->note.amount = 0; /* it counts only where no lines are given */
    msg.lines_count = in.line_count;
    msg.sale_position = in.sale_position;
    return put_message(build, MESSAGE_return_request, &msg, in.line_count);
}

bool encode_return_preview(struct build *build, const void *request)
{
    struct punkt_return_preview_request in;
    struct msg_return_preview_request msg;
    message_init(MESSAGE_return_preview_request, &msg);
    if (!build_request(build, request, &in, sizeof(in)) || !put_card(build, in.card, &msg.card) ||
        !put_amount(build, in.amount, &msg.amount) || !put_time(build, in.time_us, &msg.time) ||
        !put_where(build, in.store, in.till, in.operator_, &msg.store, &msg.till, &msg.operator) ||
        !put_code(build, in.sale_store, &msg.sale_store, "sale_store: 1 to 32 bytes") ||
        !put_code(build, in.sale_till, &msg.sale_till, "sale_till: 1 to 32 bytes") ||
        !put_date(build, in.sale_date, &msg.sale_date) ||
        !put_code(build, in.sale_receipt, &msg.sale_receipt, "sale_receipt: 1 to 32 bytes") ||
        !put_day(build, in.business_date, &msg.business_date) ||
        !put_return_lines(build, in.lines, in.line_count, &msg.lines))
        return false;
    if (msg.sale_receipt.size == 0 && in.sale_position == 0)
        return build_wrong(build, "sale_receipt or sale_position must name the purchase");
    msg.lines_count = in.line_count;
    msg.sale_position = in.sale_position;
    return put_message(build, MESSAGE_return_preview_request, &msg, in.line_count);
}

bool encode_unlinked_return(struct build *build, const void *request)
{
    struct punkt_unlinked_return_request in;
    struct msg_unlinked_return_request msg;
    message_init(MESSAGE_unlinked_return_request, &msg);
    if (!build_request(build, request, &in, sizeof(in)) || !put_card(build, in.card, &msg.card) ||
        !put_amount(build, in.amount, &msg.amount) || !put_time(build, in.time_us, &msg.time) ||
        !put_where(build, in.store, in.till, in.operator_, &msg.store, &msg.till, &msg.operator) ||
        !put_code(build, in.document, &msg.document, "document: 1 to 32 bytes") ||
        !put_day(build, in.business_date, &msg.business_date))
        return false;
    if (in.line_count > PUNKT_LINES_MAX)
        return build_wrong(build, "up to 4096 lines");
    size_t size = in.line_count * sizeof(*msg.lines);
    if (!build_lists_reserve(build, size + alignof(max_align_t)))
        return false;
    msg.lines = build_list(build, size);
    msg.lines_count = in.line_count;
    if (!put_lines(build, in.lines, in.line_count, msg.lines))
        return false;
    return put_message(build, MESSAGE_unlinked_return_request, &msg, in.line_count);
}
