#include <inttypes.h>
#include <string.h>

#include "points/decide_steps.h"
#include "points/goods_back.h"
#include "points/wide.h"

/* A purchase without lines is one unit of the whole amount. */
static uint32_t line_count_of(const struct purchase *sale)
{
    return sale->line_count == 0 ? 1 : sale->line_count;
}

static struct sale_line line_of(const struct purchase *sale, uint32_t index)
{
    if (sale->line_count == 0)
        return (struct sale_line){ .kind = LINE_SALE, .amount = sale->amount, .base = sale->base };
    return sale->lines[index];
}

/* A reward line that takes no money off is a thing that was given. */
static bool line_comes_back(const struct sale_line *line)
{
    return line_is_goods(line) || (line->kind == LINE_REWARD && line->amount == 0);
}

static void load_gone(struct decision *decision, const struct purchase *sale)
{
    struct goods_work *work = &decision->goods;
    uint32_t count = line_count_of(sale);
    memset(work->gone, 0, count * sizeof(work->gone[0]));
    memset(work->gone_by_amount, 0, count * sizeof(work->gone_by_amount[0]));
    memset(work->now, 0, count * sizeof(work->now[0]));
    work->slot_count = 0;
    for (uint32_t i = 0; i < decision->returned.line_count; i++) {
        const struct returned_line *line = &decision->returned.lines[i];
        PUNKT_CHECK(line->line >= 1 && line->line <= count);
        work->gone[line->line - 1] = line->quantity;
        work->gone_by_amount[line->line - 1] = line->by_amount;
    }
}

/* --- which lines come back --- */

/* What can still come back of a line, after what this request has named so far. */
static millis_of_unit quantity_left(const struct goods_work *work, const struct purchase *sale,
                                    uint32_t index)
{
    struct sale_line line = line_of(sale, index);
    return line_units(&line) - work->gone[index] - work->now[index];
}

/* The slot of a code, free or taken: open addressing, at most half full. */
static uint16_t *code_slot(struct goods_work *work, const struct purchase *sale, struct text code)
{
    uint32_t mask = work->slot_count - 1;
    uint32_t index = (uint32_t)programme_id(code) & mask;
    for (;;) {
        uint16_t *slot = &work->slots[index];
        if (*slot == 0)
            return slot;
        struct sale_line line = line_of(sale, *slot - 1U);
        if (text_equal(line.code, code))
            return slot;
        index = (index + 1) & mask;
    }
}

/* Chains the lines that can come back by their codes, each chain in the order of the receipt. */
static void index_codes(struct goods_work *work, const struct purchase *sale)
{
    uint32_t count = line_count_of(sale);
    work->slot_count = 2;
    while (work->slot_count < 2 * count)
        work->slot_count *= 2;
    PUNKT_CHECK(work->slot_count <= COUNT_OF(work->slots));
    memset(work->slots, 0, work->slot_count * sizeof(work->slots[0]));
    for (uint32_t i = count; i > 0; i--) {
        struct sale_line line = line_of(sale, i - 1);
        if (!line_comes_back(&line))
            continue;
        uint16_t *slot = code_slot(work, sale, line.code);
        work->next[i - 1] = *slot;
        *slot = (uint16_t)i;
    }
}

static enum refusal name_by_number(struct goods_work *work, const struct purchase *sale,
                                   const struct return_request_line *wanted)
{
    if (wanted->number > line_count_of(sale))
        return REFUSAL_UNKNOWN_LINE;
    uint32_t index = wanted->number - 1;
    struct sale_line line = line_of(sale, index);
    if (!line_comes_back(&line) || (wanted->code.size > 0 && !text_equal(line.code, wanted->code)))
        return REFUSAL_UNKNOWN_LINE;
    millis_of_unit left = quantity_left(work, sale, index);
    if (left == 0 || left < wanted->quantity)
        return REFUSAL_MORE_THAN_SOLD;
    work->now[index] += wanted->quantity == 0 ? left : wanted->quantity;
    return REFUSAL_NONE;
}

/* Takes from the lines of a chain in order. Those of which nothing is left leave it, but for the last: it tells the code. */
static void take_from_chain(struct goods_work *work, const struct purchase *sale, uint16_t *slot,
                            millis_of_unit quantity)
{
    for (uint16_t at = *slot; quantity > 0; at = work->next[at - 1]) {
        PUNKT_CHECK(at != 0);
        millis_of_unit part = i64_min(quantity_left(work, sale, at - 1U), quantity);
        work->now[at - 1] += part;
        quantity -= part;
        if (*slot == at && work->next[at - 1] != 0 && quantity_left(work, sale, at - 1U) == 0)
            *slot = work->next[at - 1];
    }
}

/* One request may spread over several lines with the same code. */
static enum refusal name_by_code(struct goods_work *work, const struct purchase *sale,
                                 const struct return_request_line *wanted, bool refused)
{
    if (work->slot_count == 0)
        index_codes(work, sale);
    uint16_t *slot = code_slot(work, sale, wanted->code);
    if (*slot == 0)
        return REFUSAL_UNKNOWN_LINE;
    if (refused)
        return REFUSAL_NONE;
    millis_of_unit left = 0;
    for (uint16_t at = *slot; at != 0 && (wanted->quantity == 0 || left < wanted->quantity);
         at = work->next[at - 1])
        left += quantity_left(work, sale, at - 1U);
    if (left == 0 || left < wanted->quantity)
        return REFUSAL_MORE_THAN_SOLD;
    take_from_chain(work, sale, slot, wanted->quantity == 0 ? left : wanted->quantity);
    return REFUSAL_NONE;
}

/* Names in work->now what comes back. An unknown line goes before one of which too much comes back. */
static bool name_lines(struct decision *decision, const struct purchase *sale,
                       const struct return_request *request)
{
    PUNKT_CHECK(request->line_count <= LINES_MAX);
    struct goods_work *work = &decision->goods;
    for (uint32_t i = 0; i < request->line_count; i++) {
        const struct return_request_line *wanted = &request->lines[i];
        PUNKT_CHECK(wanted->quantity >= 0);
        bool refused = decision->refusal != REFUSAL_NONE;
        enum refusal refusal = wanted->number != 0 ? name_by_number(work, sale, wanted)
                                                   : name_by_code(work, sale, wanted, refused);
        if (refusal == REFUSAL_NONE || (refused && refusal != REFUSAL_UNKNOWN_LINE))
            continue;
        decide_refuse(decision, refusal, "line %" PRIu32 " of the return", i + 1);
        if (refusal == REFUSAL_UNKNOWN_LINE)
            return false;
    }
    return decision->refusal == REFUSAL_NONE;
}

/* Writes down what was named. */
static void write_lines(struct decision *decision, const struct purchase *sale, bool by_amount)
{
    struct goods_return *goods = &decision->event.goods_return;
    const struct goods_work *work = &decision->goods;
    goods->lines = decision->returned_lines;
    for (uint32_t i = 0; i < line_count_of(sale); i++) {
        if (work->now[i] == 0)
            continue;
        decision->returned_lines[goods->line_count++] = (struct returned_line){
            .line = i + 1, .quantity = work->now[i], .by_amount = by_amount ? work->now[i] : 0
        };
    }
}

/* --- what is left of the purchase --- */

/* Sums over its lines. */
struct sums {
    minor_units before; /* left by quantity before this return, as if no amounts had come back */
    minor_units after;  /* the same after it, if it counts by quantity */
    minor_units named;  /* what the named lines amount to, by all that came back of each */
    bool by_amount;     /* what is named counts by its amount */
};

/* Adds a line; what is left of it by quantity goes into *rest. net: its amount, less its share of the discounts. */
static void add_line(const struct goods_work *work, uint32_t index, minor_units net, struct sums *sums,
                     struct sale_line *rest)
{
    millis_of_unit units = line_units(rest);
    millis_of_unit before = units - (work->gone[index] - work->gone_by_amount[index]);
    millis_of_unit after = sums->by_amount ? before : before - work->now[index];
    millis_of_unit all = units - work->gone[index];
    sums->before += mul_div(net, before, units);
    sums->after += mul_div(net, after, units);
    sums->named += mul_div(net, all, units) - mul_div(net, all - work->now[index], units);
    rest->base = rest->kind == LINE_SALE ? mul_div(rest->base, after, units) : 0;
    rest->quantity = after;
}

/*
 * A line's amount is net of its share of the receipt's discounts and rewards, so that the amounts of all lines are the
 * receipt's. More money off than goods were sold for makes them worth nothing.
 */
static struct sums add_lines(struct decision *decision, const struct purchase *sale, bool by_amount,
                             struct left *out)
{
    struct sums sums = { .by_amount = by_amount };
    const struct goods_work *work = &decision->goods;
    struct spread off = money_off(sale->line_count, sale->lines, true);
    *out = (struct left){ .nothing = true, .nothing_sold = true };
    for (uint32_t i = 0; i < line_count_of(sale); i++) {
        struct sale_line *rest = &decision->lines[i];
        *rest = line_of(sale, i);
        if (!line_comes_back(rest))
            continue;
        minor_units net = rest->amount - (rest->kind == LINE_SALE ? spread_next(&off, rest->amount) : 0);
        net = i64_max(net, 0);
        bool left = quantity_left(work, sale, i) > 0;
        out->sold += net;
        out->nothing = out->nothing && !left;
        out->nothing_sold = out->nothing_sold && !(left && rest->kind == LINE_SALE);
        add_line(work, i, net, &sums, rest);
    }
    out->rest.line_count = sale->line_count;
    out->rest.lines = decision->lines;
    out->rest.whole = decision->lines[0];
    return sums;
}

/* What amounts leave of it. */
static void leave_by_amounts(const struct sums *sums, minor_units by_amounts, struct left *out)
{
    minor_units left = sums->after - by_amounts;
    out->came_back = out->sold - left;
    if (by_amounts == 0)
        return;
    out->rest.before = sums->after;
    out->rest.left = left;
    if (left == 0) {
        out->nothing = true;
        out->nothing_sold = true;
    }
}

/*
 * By lines as long as no amount has come back; from then on lines count by their amount, and what was paid back as an
 * amount is not paid back again with the line.
 */
bool goods_by_request(struct decision *decision, const struct purchase *sale,
                      const struct return_request *request, struct left *out)
{
    struct goods_return *goods = &decision->event.goods_return;
    minor_units by_amounts = decision->returned.by_amount;
    goods->by_amount = request->line_count == 0 || by_amounts > 0;
    load_gone(decision, sale);
    if (!name_lines(decision, sale, request))
        return false;
    write_lines(decision, sale, goods->by_amount);
    struct sums sums = add_lines(decision, sale, goods->by_amount, out);
    minor_units left = sums.before - by_amounts;
    if (!goods->by_amount) {
        goods->amount = sums.before - sums.after;
    } else {
        PUNKT_CHECK(request->amount >= 0);
        goods->amount = request->line_count == 0 ? request->amount : i64_max(i64_min(sums.named, left), 0);
        by_amounts += goods->amount;
    }
    if (goods->by_amount && goods->amount > 0 && goods->amount > left) {
        decide_refuse(decision, REFUSAL_MORE_THAN_SOLD, "%" PRId64 " comes back, %" PRId64 " is left",
                      goods->amount, left);
        return false;
    }
    leave_by_amounts(&sums, by_amounts, out);
    return true;
}

minor_units goods_all(struct decision *decision, const struct purchase *sale)
{
    struct left left;
    load_gone(decision, sale);
    struct sums sums = add_lines(decision, sale, false, &left);
    return sums.before - decision->returned.by_amount;
}

/* Units that are left of the goods with a code. */
static millis_of_unit units_of_code(const struct goods_work *work, const struct purchase *sale,
                                    struct text code)
{
    millis_of_unit left = 0;
    for (uint32_t i = 0; i < sale->line_count; i++) {
        if (line_is_goods(&sale->lines[i]) && text_equal(sale->lines[i].code, code))
            left += quantity_left(work, sale, i);
    }
    return left;
}

/* A reward line that takes money off is for goods of its own code: of those, what was paid for comes back first. */
uint32_t goods_stay(const struct decision *decision, const struct purchase *sale, uint32_t line,
                    uint32_t quantity)
{
    if (line < 1 || line > line_count_of(sale))
        return quantity;
    struct sale_line reward = line_of(sale, line - 1);
    millis_of_unit left = line_comes_back(&reward) ? quantity_left(&decision->goods, sale, line - 1)
                                                   : units_of_code(&decision->goods, sale, reward.code);
    return (uint32_t)i64_min((left + MILLIS_PER_UNIT - 1) / MILLIS_PER_UNIT, quantity);
}
