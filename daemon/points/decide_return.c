#include "points/decide.h"

#include <inttypes.h>
#include <string.h>

#include "points/decide_steps.h"
#include "points/effect_maker.h"
#include "points/rating.h"
#include "points/wide.h"

/* A purchase without lines is one unit of the whole amount. */
static uint32_t line_count_of(const struct purchase *purchase)
{
    return purchase->line_count == 0 ? 1 : purchase->line_count;
}

static struct sale_line line_of(const struct purchase *purchase, uint32_t index)
{
    if (purchase->line_count == 0)
        return (struct sale_line){ .kind = LINE_SALE, .amount = purchase->amount, .base = purchase->base };
    return purchase->lines[index];
}

/* What came back of a line; {line, 0, 0} if nothing did. The list is sorted by line. */
static struct returned_line returned_of(const struct returned_line *lines, uint32_t count, uint32_t line)
{
    uint32_t low = 0;
    uint32_t high = count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (lines[middle].line < line)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < count && lines[low].line == line)
        return lines[low];
    return (struct returned_line){ .line = line };
}

/* --- which lines come back --- */

/* What can still come back of a line, after what this request has named so far. */
static millis_of_unit quantity_left(const struct decision *decision, const struct purchase *sale,
                                    uint32_t index)
{
    const struct goods_return *goods_return = &decision->event.goods_return;
    struct sale_line line = line_of(sale, index);
    const struct returned *before = &decision->returned;
    return line_units(&line) - returned_of(before->lines, before->line_count, index + 1).quantity -
           returned_of(decision->returned_lines, goods_return->line_count, index + 1).quantity;
}

/* Notes a quantity in decision->returned_lines, sorted by line, one entry a line. */
static void note_line(struct decision *decision, uint32_t number, millis_of_unit quantity, bool by_amount)
{
    struct goods_return *goods_return = &decision->event.goods_return;
    uint32_t index = goods_return->line_count;
    while (index > 0 && decision->returned_lines[index - 1].line >= number)
        index--;
    struct returned_line *place = &decision->returned_lines[index];
    if (index == goods_return->line_count || place->line != number) {
        PUNKT_CHECK(goods_return->line_count < LINES_MAX);
        memmove(place + 1, place, (goods_return->line_count - index) * sizeof(*place));
        *place = (struct returned_line){ .line = number };
        goods_return->line_count++;
    }
    place->quantity += quantity;
    place->by_amount += by_amount ? quantity : 0;
}

/*
 * The line that a request means, from 1: its number, or the first with its code that has enough left.
 * 0: there is none; *out_refusal says why not.
 */
static uint32_t find_line(const struct decision *decision, const struct purchase *sale,
                          const struct return_request_line *wanted, enum refusal *out_refusal)
{
    bool by_number = wanted->number != 0;
    uint32_t from = by_number ? wanted->number - 1 : 0;
    uint32_t to = by_number ? (uint32_t)u64_min(wanted->number, line_count_of(sale)) : line_count_of(sale);
    *out_refusal = REFUSAL_UNKNOWN_LINE;
    for (uint32_t i = from; i < to; i++) {
        struct sale_line line = line_of(sale, i);
        bool code_fits = text_equal(line.code, wanted->code) || (by_number && wanted->code.size == 0);
        if (!line_is_goods(&line) || !code_fits)
            continue;
        millis_of_unit left = quantity_left(decision, sale, i);
        if (left > 0 && left >= wanted->quantity)
            return i + 1;
        *out_refusal = REFUSAL_MORE_THAN_SOLD;
    }
    return 0;
}

/* Resolves the request's lines into decision->returned_lines. */
static bool resolve_lines(struct decision *decision, const struct purchase *sale,
                          const struct return_request *request, bool by_amount)
{
    PUNKT_CHECK(request->line_count <= LINES_MAX);
    for (uint32_t i = 0; i < request->line_count; i++) {
        const struct return_request_line *wanted = &request->lines[i];
        enum refusal refusal;
        uint32_t number = find_line(decision, sale, wanted, &refusal);
        if (number == 0) {
            /* An unknown line goes before one of which too much comes back. */
            if (decision->refusal != REFUSAL_NONE && refusal != REFUSAL_UNKNOWN_LINE)
                continue;
            decide_refuse(decision, refusal, "line %" PRIu32 " of the return", i + 1);
            if (refusal == REFUSAL_UNKNOWN_LINE)
                return false;
            continue;
        }
        millis_of_unit left = quantity_left(decision, sale, number - 1);
        note_line(decision, number, wanted->quantity == 0 ? left : wanted->quantity, by_amount);
    }
    return decision->refusal == REFUSAL_NONE;
}

/* --- what is left of the purchase --- */

/* Sums over the lines that are left, as if no amounts had come back. */
struct rest {
    minor_units amount;
    struct goods goods;
    minor_units whole_lines; /* what the lines of this return amount to, by all that came back of each */
};

/* Adds a line of which `gone` came back by quantity. */
static void rest_add(struct rest *rest, const struct sale_line *line, minor_units net, millis_of_unit gone)
{
    millis_of_unit units = line_units(line);
    millis_of_unit left = units - gone;
    rest->amount += mul_div(net, left, units);
    if (line->kind == LINE_SALE) {
        rest->goods.base += mul_div(line->base, left, units);
        rest->goods.units += left;
    }
}

/*
 * The rest after the returns booked before and, if `with_new`, after those of decision->returned_lines that
 * count by quantity. A line's amount is net of its share of the receipt's discounts, so that the amounts
 * of all lines are the receipt's.
 */
static struct rest rest_of(const struct decision *decision, const struct purchase *sale, bool with_new)
{
    struct rest rest = { 0 };
    const struct returned *before = &decision->returned;
    const struct goods_return *goods_return = &decision->event.goods_return;
    struct spread off = money_off(sale->line_count, sale->lines, true);
    for (uint32_t i = 0; i < line_count_of(sale); i++) {
        struct sale_line line = line_of(sale, i);
        if (!line_is_goods(&line))
            continue;
        minor_units net = line.amount - (line.kind == LINE_SALE ? spread_next(&off, line.amount) : 0);
        struct returned_line booked = returned_of(before->lines, before->line_count, i + 1);
        struct returned_line new = returned_of(decision->returned_lines, goods_return->line_count, i + 1);
        millis_of_unit gone = booked.quantity - booked.by_amount;
        rest_add(&rest, &line, net, gone + (with_new ? new.quantity - new.by_amount : 0));

        millis_of_unit units = line_units(&line);
        millis_of_unit left = units - booked.quantity;
        rest.whole_lines += mul_div(net, left, units) - mul_div(net, left - new.quantity, units);
    }
    return rest;
}

/* Takes the share of amounts that came back from every line left. */
static void rest_take_amount(struct rest *rest, minor_units amount)
{
    if (amount == 0)
        return;
    PUNKT_CHECK(rest->amount > 0 && amount <= rest->amount);
    minor_units left = rest->amount - amount;
    rest->goods.base = mul_div(rest->goods.base, left, rest->amount);
    rest->goods.units = mul_div(rest->goods.units, left, rest->amount);
}

/*
 * Works out what comes back: goods_return.amount, by_amount and lines, and the goods that are left then.
 * By lines as long as no amount has come back; from then on lines count by their amount.
 */
static bool work_out_rest(struct decision *decision, const struct purchase *sale,
                          const struct return_request *request, struct goods *out_left)
{
    struct goods_return *goods_return = &decision->event.goods_return;
    goods_return->lines = decision->returned_lines;
    goods_return->by_amount = request->line_count == 0 || decision->returned.by_amount > 0;
    if (!resolve_lines(decision, sale, request, goods_return->by_amount))
        return false;
    struct rest before = rest_of(decision, sale, false);
    struct rest after = rest_of(decision, sale, true);
    minor_units left = before.amount - decision->returned.by_amount;
    minor_units by_amount = decision->returned.by_amount;
    if (!goods_return->by_amount) {
        goods_return->amount = before.amount - after.amount;
    } else {
        /* What was paid back as an amount is not paid back again with the line. */
        goods_return->amount =
            request->line_count == 0 ? request->amount : i64_max(i64_min(before.whole_lines, left), 0);
        by_amount += goods_return->amount;
    }
    if (goods_return->by_amount && goods_return->amount > left) {
        decide_refuse(decision, REFUSAL_MORE_THAN_SOLD, "%" PRId64 " comes back, %" PRId64 " is left",
                      goods_return->amount, left);
        return false;
    }
    rest_take_amount(&after, by_amount);
    *out_left = after.goods;
    return true;
}

/* --- what is due, and from where it is taken --- */

/* What the rest would have earned, by the rules that took part and in the version of then. */
static millipoints kept_points(const struct programme *programme, const struct purchase *sale,
                               const struct goods *left)
{
    millipoints keep = 0;
    for (uint32_t i = 0; i < sale->part_count; i++) {
        struct award_part part;
        if (!rule_earn(programme, sale->parts[i].rule, left, &part))
            return sale->earned;
        keep += part.result;
    }
    return i64_min(keep, sale->earned);
}

/* Takes what is due: own lot, other free points, then debt. */
static void take_due(struct decision *decision, local_day today, const struct purchase *sale)
{
    struct goods_return *goods_return = &decision->event.goods_return;
    effect_begin(decision, today);
    if (sale != NULL) {
        struct lot_terms terms = { .matures = sale->matures, .last_day = sale->last_day };
        goods_return->own_taken = effect_take_own(decision, today, sale->lot, &terms, goods_return->due);
    }
    millipoints left = goods_return->due - goods_return->own_taken;
    left -= effect_take_free(decision, today, left);
    effect_owe(decision, left);
    goods_return->taken = goods_return->due;
    if (!effect_end(decision, -goods_return->due))
        decide_refuse(decision, REFUSAL_OVER_LIMIT, "%s", "the debt is more than an account can hold");
}

/* The card leads to the account of the purchase. */
static bool same_account(const struct points_view *view, struct decision *decision, const struct event *sale)
{
    PUNKT_CHECK(sale->type == EVENT_PURCHASE && sale->effect_count > 0);
    if (sale->effects[0].account == decision->account.number)
        return true;
    /* Merges are followed only by a look-up; decision->after is not in use yet. */
    PUNKT_CHECK(view->account(view->ctx, sale->effects[0].account, &decision->after));
    if (decision->after.number == decision->account.number)
        return true;
    decide_refuse(decision, REFUSAL_OTHER_ACCOUNT, "%s", "");
    return false;
}

static bool find_sale(const struct points_view *view, struct decision *decision,
                      const struct return_request *request)
{
    if (request->sale == NULL) {
        decide_refuse(decision, REFUSAL_UNKNOWN_PURCHASE, "%s", "");
        return false;
    }
    if (!same_account(view, decision, request->sale))
        return false;
    if (!view->returned(view->ctx, request->sale_position, &decision->returned))
        memset(&decision->returned, 0, offsetof(struct returned, lines));
    return true;
}

void decide_return(const struct points_view *view, const struct judgement *judgement,
                   const struct return_request *request, struct decision *decision)
{
    decide_begin(decision, EVENT_RETURN, judgement, request->time);
    decide_document(decision, programme_at(view, decision->event.occurred), DOCUMENT_RETURN,
                    &request->document, request->operator);
    if (!decide_card(view, decision, request->card, CARD_USE_RETURN) || !find_sale(view, decision, request))
        return;
    const struct purchase *sale = &request->sale->purchase;
    struct goods left;
    if (!work_out_rest(decision, sale, request, &left))
        return;
    const struct programme *programme =
        view->programme(view->ctx, sale->programme_version, request->sale->occurred);
    PUNKT_CHECK(programme != NULL);
    struct goods_return *goods_return = &decision->event.goods_return;
    goods_return->sale = request->sale_position;
    goods_return->programme_version = sale->programme_version;
    millipoints keep = kept_points(programme, sale, &left);
    goods_return->due = i64_max(sale->earned - decision->returned.due - keep, 0);
    take_due(decision, decide_today(view, judgement), sale);
}

void decide_unlinked_return(const struct points_view *view, const struct judgement *judgement,
                            const struct unlinked_return_request *request, struct decision *decision)
{
    decide_begin(decision, EVENT_UNLINKED_RETURN, judgement, request->time);
    const struct programme *programme = programme_at(view, decision->event.occurred);
    decide_document(decision, programme, DOCUMENT_RETURN, &request->document, request->operator);
    if (!decide_lines_fit(decision, request->amount, request->line_count, request->lines) ||
        !decide_card(view, decision, request->card, CARD_USE_RETURN))
        return;
    struct goods_return *goods_return = &decision->event.goods_return;
    decide_copy_lines(decision, request->line_count, request->lines);
    struct goods goods;
    rate_goods(programme, request->amount, request->line_count, decision->lines, &goods);
    goods_return->amount = request->amount;
    goods_return->programme_version = programme->version;
    goods_return->sale_line_count = request->line_count;
    goods_return->sale_lines = decision->lines;
    struct award_part parts[AWARD_PARTS_MAX];
    uint32_t part_count;
    if (rate_base_rules(programme, &goods, parts, &part_count, &goods_return->due))
        take_due(decision, decide_today(view, judgement), NULL);
    else
        decide_refuse(decision, REFUSAL_OVER_LIMIT, "%s", "the debt is more than an account can hold");
}
