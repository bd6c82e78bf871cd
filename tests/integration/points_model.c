#include "points_model.h"

#include <stdlib.h>
#include <string.h>

#define DAY_US (INT64_C(86400) * 1000000)
#define SALE_SEARCH_DAYS 100
#define POINTS_MAX INT64_C(999999999999)

struct owner {
    char card[PUNKT_CARD_MAX + 1];
    size_t newest;
};

struct model {
    int64_t now_us;
    uint64_t events;
    struct booking *bookings;
    size_t booking_count, booking_capacity;
    struct owner *owners; /* one card each */
    size_t owner_count, owner_capacity;
};

struct model *model_new(int64_t now_us)
{
    struct model *model = calloc(1, sizeof(*model));
    if (model != NULL)
        model->now_us = now_us;
    return model;
}

void model_free(struct model *model)
{
    if (model == NULL)
        return;
    free(model->bookings);
    free(model->owners);
    free(model);
}

/* Room for one more; a test without memory has nothing to say. */
static void *grown(void *items, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity)
        return items;
    *capacity = *capacity == 0 ? 64 : *capacity * 2;
    items = realloc(items, *capacity * size);
    if (items == NULL)
        abort();
    return items;
}

size_t model_booking_count(const struct model *model)
{
    return model->booking_count;
}

const struct booking *model_booking(const struct model *model, size_t index)
{
    return &model->bookings[index];
}

const char *model_card_number(const struct model *model, size_t account)
{
    return account < model->owner_count ? model->owners[account].card : NULL;
}

static size_t owner_of(const struct model *model, const char *card)
{
    for (size_t i = 0; i < model->owner_count; i++) {
        if (strcmp(model->owners[i].card, card) == 0)
            return i;
    }
    return MODEL_NONE;
}

static int64_t balance_of(const struct model *model, size_t account)
{
    const struct booking *newest = &model->bookings[model->owners[account].newest];
    return newest->change.kind == CHANGE_ISSUE ? 0 : newest->balance;
}

struct model_card model_card(const struct model *model, const char *card)
{
    struct model_card out = { .account = owner_of(model, card), .newest = MODEL_NONE };
    if (out.account == MODEL_NONE)
        return out;
    int64_t sum = 0;
    out.newest = model->owners[out.account].newest;
    for (size_t i = out.newest; i != MODEL_NONE; i = model->bookings[i].previous) {
        const struct booking *booking = &model->bookings[i];
        enum change_kind kind = booking->change.kind;
        sum += booking->points;
        if (kind == CHANGE_PURCHASE || kind == CHANGE_RETURN || kind == CHANGE_UNLINKED_RETURN)
            out.lifetime += booking->points;
    }
    out.available = sum > 0 ? sum : 0;
    out.debt = sum < 0 ? -sum : 0;
    return out;
}

void model_totals(const struct model *model, struct punkt_totals_answer *out)
{
    out->accounts = out->cards = model->owner_count;
    out->events = model->events;
    out->earned = out->redeemed = out->returned = out->unlinked = out->adjusted = 0;
    out->outstanding = out->debt = 0;
    out->accounts_in_debt = 0;
    for (size_t i = 0; i < model->booking_count; i++) {
        const struct booking *booking = &model->bookings[i];
        switch (booking->change.kind) {
        case CHANGE_ISSUE:
            break;
        case CHANGE_PURCHASE:
            out->earned += booking->points;
            break;
        case CHANGE_RETURN:
            out->returned -= booking->points;
            break;
        case CHANGE_UNLINKED_RETURN:
            out->unlinked -= booking->points;
            break;
        case CHANGE_REDEEM:
            out->redeemed -= booking->points;
            break;
        case CHANGE_ADJUST:
            out->adjusted += booking->points;
            break;
        }
    }
    for (size_t i = 0; i < model->owner_count; i++) {
        int64_t balance = balance_of(model, i);
        out->outstanding += balance > 0 ? balance : 0;
        out->debt -= balance < 0 ? balance : 0;
        out->accounts_in_debt += balance < 0;
    }
}

/* --- goods --- */

/* A line of a receipt as returns see it: after its share of what was taken off. */
struct good {
    bool comes_back; /* it is goods at all */
    int64_t net;
    int64_t base; /* what earns */
    int64_t units;
};

static bool takes_off(const struct change_line *line)
{
    return line->kind == PUNKT_LINE_DISCOUNT || line->kind == PUNKT_LINE_REWARD;
}

static bool lines_fit(const struct change *change)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < change->line_count; i++) {
        const struct change_line *line = &change->lines[i];
        if (takes_off(line) ? line->amount > 0
                            : line->amount < 0 || line->tax < 0 || line->tax > line->amount)
            return false;
        sum += line->amount;
    }
    return change->line_count == 0 || sum == change->amount;
}

/* The lines of a receipt that fits; returns how many. What is taken off is spread by running totals. */
static uint32_t goods_of(const struct change *change, struct good goods[CHANGE_LINES_MAX])
{
    int64_t sold = 0;
    int64_t off = 0;
    int64_t passed = 0;
    if (change->line_count == 0) {
        goods[0] = (struct good){ true, change->amount, change->amount, 1000 };
        return 1;
    }
    for (uint32_t i = 0; i < change->line_count; i++) {
        const struct change_line *line = &change->lines[i];
        sold += line->kind == PUNKT_LINE_SALE ? line->amount : 0;
        off -= takes_off(line) ? line->amount : 0;
    }
    for (uint32_t i = 0; i < change->line_count; i++) {
        const struct change_line *line = &change->lines[i];
        bool given = line->kind == PUNKT_LINE_REWARD && line->amount == 0; /* a thing, no money */
        goods[i] = (struct good){ .comes_back = !takes_off(line) || given,
                                  .net = line->amount,
                                  .units = line->quantity == 0 ? 1000 : (int64_t)line->quantity };
        if (line->kind != PUNKT_LINE_SALE)
            continue;
        if (sold > 0)
            goods[i].net -= off * (passed + line->amount) / sold - off * passed / sold;
        passed += line->amount;
        goods[i].base = goods[i].net;
    }
    return change->line_count;
}

static int64_t points_for(const struct change *change)
{
    struct good goods[CHANGE_LINES_MAX];
    int64_t base = 0;
    uint32_t count = goods_of(change, goods);
    for (uint32_t i = 0; i < count; i++)
        base += goods[i].base;
    return base / 100;
}

/* --- documents --- */

static int32_t day_of(const struct change *change)
{
    return change->date != 0 ? change->date : (int32_t)(change->time_us / DAY_US);
}

static bool is_return(enum change_kind kind)
{
    return kind == CHANGE_RETURN || kind == CHANGE_UNLINKED_RETURN;
}

static const char *place(const char *text)
{
    return text[0] != '\0' ? text : "0";
}

/* The booking that has this document's key. */
static size_t find_document(const struct model *model, bool returned, const char *store, const char *till,
                            const char *number, int32_t day)
{
    for (size_t i = model->booking_count; number[0] != '\0' && i > 0; i--) {
        const struct change *change = &model->bookings[i - 1].change;
        bool kind_fits = returned ? is_return(change->kind) : change->kind == CHANGE_PURCHASE;
        if (kind_fits && strcmp(change->number, number) == 0 && day_of(change) == day &&
            strcmp(place(change->store), store) == 0 && strcmp(place(change->till), till) == 0)
            return i - 1;
    }
    return MODEL_NONE;
}

static bool same_line(const struct change_line *a, const struct change_line *b)
{
    uint64_t a_units = a->quantity == 0 ? 1000 : a->quantity;
    uint64_t b_units = b->quantity == 0 ? 1000 : b->quantity;
    return a->amount == b->amount && a_units == b_units && a->tax == b->tax && a->kind == b->kind &&
           strcmp(a->code, b->code) == 0;
}

/* What rating uses is the same: not number, time, date, place and operator. */
static bool same_content(const struct change *a, const struct change *b)
{
    bool same = a->kind == b->kind && strcmp(a->card, b->card) == 0 && a->amount == b->amount &&
                strcmp(a->coupon, b->coupon) == 0 && strcmp(a->sale_store, b->sale_store) == 0 &&
                strcmp(a->sale_till, b->sale_till) == 0 && strcmp(a->sale_receipt, b->sale_receipt) == 0 &&
                a->sale_date == b->sale_date && a->sale_position == b->sale_position &&
                a->line_count == b->line_count && a->return_line_count == b->return_line_count;
    for (uint32_t i = 0; same && i < a->line_count; i++)
        same = same_line(&a->lines[i], &b->lines[i]);
    for (uint32_t i = 0; same && i < a->return_line_count; i++)
        same = a->return_lines[i].number == b->return_lines[i].number &&
               a->return_lines[i].quantity == b->return_lines[i].quantity &&
               strcmp(a->return_lines[i].code, b->return_lines[i].code) == 0;
    return same;
}

/* The sale that a return names; the newest of its number within 100 days where it says no date. */
static size_t find_sale(const struct model *model, const struct change *change)
{
    const char *store = place(change->sale_store[0] != '\0' ? change->sale_store : change->store);
    const char *till = place(change->sale_till[0] != '\0' ? change->sale_till : change->till);
    if (change->sale_position != 0) {
        for (size_t i = 0; i < model->booking_count; i++) {
            const struct booking *booking = &model->bookings[i];
            if (booking->outcome.position == change->sale_position)
                return booking->change.kind == CHANGE_PURCHASE ? i : MODEL_NONE;
        }
        return MODEL_NONE;
    }
    if (change->sale_date != 0)
        return find_document(model, false, store, till, change->sale_receipt, change->sale_date);
    size_t found = MODEL_NONE;
    for (int32_t back = 0; back <= SALE_SEARCH_DAYS && found == MODEL_NONE; back++)
        found = find_document(model, false, store, till, change->sale_receipt, day_of(change) - back);
    return found;
}

/* --- returns --- */

/* What came back of a sale, in all the returns before this one. */
struct back {
    int64_t units[CHANGE_LINES_MAX]; /* of each line, however it counted */
    int64_t units_by_amount[CHANGE_LINES_MAX];
    int64_t amount; /* of the returns that count by it */
    int64_t points;
};

static struct back back_before(const struct model *model, size_t sale)
{
    struct back back = { .amount = 0 };
    for (size_t i = sale + 1; i < model->booking_count; i++) {
        const struct booking *booking = &model->bookings[i];
        if (booking->sale != sale)
            continue;
        for (uint32_t k = 0; k < CHANGE_LINES_MAX; k++) {
            back.units[k] += booking->units_back[k];
            back.units_by_amount[k] += booking->by_amount ? booking->units_back[k] : 0;
        }
        back.amount += booking->by_amount ? booking->came_back : 0;
        back.points -= booking->points;
    }
    return back;
}

/* Takes from the lines that are meant, in their order, until nothing is wanted any more. */
static uint32_t take_back(const struct change_return_line *wanted, const bool *meant, const int64_t *left,
                          uint32_t count, int64_t units[CHANGE_LINES_MAX])
{
    int64_t all = 0;
    bool known = false;
    for (uint32_t k = 0; k < count; k++) {
        known = known || meant[k];
        all += meant[k] ? left[k] : 0;
    }
    int64_t rest = wanted->quantity == 0 ? all : (int64_t)wanted->quantity;
    if (!known)
        return PUNKT_RESULT_UNKNOWN_LINE;
    if (all == 0 || all < rest)
        return PUNKT_RESULT_MORE_THAN_SOLD;
    for (uint32_t k = 0; k < count; k++) {
        int64_t part = !meant[k] ? 0 : left[k] < rest ? left[k] : rest;
        units[k] += part;
        rest -= part;
    }
    return PUNKT_RESULT_DONE;
}

/* Which lines of the sale come back, and how much of each. A code means all lines that have it. */
static uint32_t lines_back(const struct change *change, const struct change *sale, const struct good *goods,
                           uint32_t count, const struct back *before, int64_t units[CHANGE_LINES_MAX])
{
    uint32_t result = PUNKT_RESULT_DONE;
    for (uint32_t i = 0; i < change->return_line_count; i++) {
        const struct change_return_line *wanted = &change->return_lines[i];
        bool meant[CHANGE_LINES_MAX];
        int64_t left[CHANGE_LINES_MAX];
        for (uint32_t k = 0; k < count; k++) {
            bool code_fits = strcmp(sale->line_count > 0 ? sale->lines[k].code : "", wanted->code) == 0;
            bool number_fits = wanted->number == k + 1 && (code_fits || wanted->code[0] == '\0');
            meant[k] = goods[k].comes_back && (wanted->number == 0 ? code_fits : number_fits);
            left[k] = goods[k].units - before->units[k] - units[k];
        }
        uint32_t taken = take_back(wanted, meant, left, count, units);
        if (taken == PUNKT_RESULT_UNKNOWN_LINE)
            return taken;
        if (taken != PUNKT_RESULT_DONE)
            result = taken;
    }
    return result;
}

/* Sums over the lines, less so many units of each. */
static int64_t rest_amount(const struct good *goods, uint32_t count, const int64_t *gone)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < count; i++)
        sum += goods[i].comes_back ? goods[i].net * (goods[i].units - gone[i]) / goods[i].units : 0;
    return sum;
}

static int64_t rest_base(const struct good *goods, uint32_t count, const int64_t *gone)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < count; i++)
        sum += goods[i].comes_back ? goods[i].base * (goods[i].units - gone[i]) / goods[i].units : 0;
    return sum;
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/*
 * Works out a linked return: result, and in *booking what comes back and the points it takes. As long as only
 * lines came back, a line takes its units away; once an amount did, everything counts by its amount, which takes
 * the same share of all that the lines left.
 */
static uint32_t work_out_return(const struct model *model, const struct change *change,
                                struct booking *booking)
{
    const struct booking *sale = &model->bookings[booking->sale];
    struct good goods[CHANGE_LINES_MAX];
    uint32_t count = goods_of(&sale->change, goods);
    struct back before = back_before(model, booking->sale);
    uint32_t result = lines_back(change, &sale->change, goods, count, &before, booking->units_back);
    if (result != PUNKT_RESULT_DONE)
        return result;

    int64_t gone[CHANGE_LINES_MAX] = { 0 };     /* by units, before */
    int64_t gone_all[CHANGE_LINES_MAX] = { 0 }; /* with what counted by amount */
    int64_t gone_new[CHANGE_LINES_MAX] = { 0 }; /* and with this return */
    booking->by_amount = change->return_line_count == 0 || before.amount > 0;
    for (uint32_t i = 0; i < count; i++) {
        gone[i] = before.units[i] - before.units_by_amount[i];
        gone_all[i] = before.units[i];
        gone_new[i] = before.units[i] + booking->units_back[i];
    }
    int64_t amount_left = rest_amount(goods, count, gone);
    int64_t base_left;
    if (!booking->by_amount) {
        for (uint32_t i = 0; i < count; i++)
            gone[i] += booking->units_back[i];
        booking->came_back = amount_left - rest_amount(goods, count, gone);
        base_left = rest_base(goods, count, gone);
    } else {
        int64_t lines_worth = rest_amount(goods, count, gone_all) - rest_amount(goods, count, gone_new);
        int64_t payable = amount_left - before.amount;
        booking->came_back = change->return_line_count == 0 ? change->amount : smaller(lines_worth, payable);
        if (booking->came_back > payable)
            return PUNKT_RESULT_MORE_THAN_SOLD;
        base_left = rest_base(goods, count, gone);
        if (before.amount + booking->came_back > 0)
            base_left = base_left * (payable - booking->came_back) / amount_left;
    }
    int64_t keep = smaller(sale->outcome.points, base_left / 100);
    int64_t due = sale->outcome.points - before.points - keep;
    booking->points = due > 0 ? -due : 0;
    return PUNKT_RESULT_DONE;
}

/* --- deciding --- */

static uint32_t refuse_points(struct outcome *out, int64_t needed, int64_t available)
{
    out->needed = needed;
    out->available = available;
    return PUNKT_RESULT_NOT_ENOUGH_POINTS;
}

static bool reason_known(const char *reason)
{
    static const char *const reasons[] = { "goodwill", "complaint", "correction", "migration", "other" };
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        if (strcmp(reasons[i], reason) == 0)
            return true;
    }
    return false;
}

/* What a change does to the balance, in booking->points; the reason if nothing. */
static uint32_t decide(const struct model *model, const struct change *change, int64_t balance,
                       struct booking *booking, struct outcome *out)
{
    int64_t available = balance > 0 ? balance : 0;
    switch (change->kind) {
    case CHANGE_ISSUE:
        break;
    case CHANGE_PURCHASE:
        booking->points = points_for(change);
        break;
    case CHANGE_RETURN:
        booking->sale = find_sale(model, change);
        if (booking->sale == MODEL_NONE)
            return PUNKT_RESULT_UNKNOWN_PURCHASE;
        if (model->bookings[booking->sale].account != booking->account)
            return PUNKT_RESULT_OTHER_ACCOUNT;
        return work_out_return(model, change, booking);
    case CHANGE_UNLINKED_RETURN:
        booking->points = -points_for(change);
        break;
    case CHANGE_REDEEM:
        if (available < change->points)
            return refuse_points(out, change->points, available);
        booking->points = -change->points;
        out->worth = change->points;
        break;
    case CHANGE_ADJUST:
        if (!reason_known(change->reason))
            return PUNKT_RESULT_UNKNOWN_REASON;
        if (change->points < 0 && available < -change->points && !change->allow_debt)
            return refuse_points(out, -change->points, available);
        booking->points = change->points;
        break;
    }
    return PUNKT_RESULT_DONE;
}

static size_t add_booking(struct model *model, const struct booking *booking)
{
    model->bookings =
        grown(model->bookings, model->booking_count, &model->booking_capacity, sizeof(*model->bookings));
    model->bookings[model->booking_count] = *booking;
    return model->booking_count++;
}

/* The number `step` behind one of digits, as wide as it. */
static void card_after(const char *first, uint32_t step, char out[PUNKT_CARD_MAX + 1])
{
    size_t at = strlen(first);
    memcpy(out, first, at + 1);
    for (uint64_t carry = step; carry > 0 && at > 0; carry /= 10) {
        at--;
        carry += (uint64_t)(out[at] - '0');
        out[at] = (char)('0' + carry % 10);
    }
}

static size_t take_issue(struct model *model, const struct change *change, struct booking *booking,
                         struct outcome *out)
{
    char card[PUNKT_CARD_MAX + 1];
    uint32_t count = change->card_count == 0 ? 1 : change->card_count;
    for (uint32_t i = 0; i < count; i++) {
        card_after(change->card, i, card);
        if (owner_of(model, card) != MODEL_NONE) {
            out->code = PUNKT_RESULT_CARD_EXISTS;
            return MODEL_NONE;
        }
    }
    out->points = count;
    booking->account = model->owner_count;
    booking->outcome = *out;
    size_t index = add_booking(model, booking);
    for (uint32_t i = 0; i < count; i++) {
        model->owners =
            grown(model->owners, model->owner_count, &model->owner_capacity, sizeof(*model->owners));
        struct owner *owner = &model->owners[model->owner_count++];
        owner->newest = index;
        card_after(change->card, i, owner->card);
    }
    return index;
}

/* Everything but cards issued: on an account that must be there. */
static size_t take_on_account(struct model *model, const struct change *change, struct booking *booking,
                              struct outcome *out)
{
    booking->account = owner_of(model, change->card);
    if (booking->account == MODEL_NONE) {
        out->code = PUNKT_RESULT_UNKNOWN_CARD;
        return MODEL_NONE;
    }
    int64_t balance = balance_of(model, booking->account);
    out->code = decide(model, change, balance, booking, out);
    balance += booking->points;
    if (out->code == PUNKT_RESULT_DONE && (balance > POINTS_MAX || balance < -POINTS_MAX))
        out->code = PUNKT_RESULT_OVER_LIMIT;
    if (out->code != PUNKT_RESULT_DONE) {
        out->worth = 0;
        return MODEL_NONE;
    }
    bool takes = is_return(change->kind) || change->kind == CHANGE_REDEEM;
    out->points = takes ? -booking->points : booking->points;
    out->available = balance > 0 ? balance : 0;
    out->debt = balance < 0 ? -balance : 0;
    out->server_time_used = change->kind != CHANGE_REDEEM && change->time_us != 0 && !change->historic &&
                            change->time_us < model->now_us - 31 * DAY_US;
    booking->outcome = *out;
    booking->balance = balance;
    booking->previous = model->owners[booking->account].newest;
    return model->owners[booking->account].newest = add_booking(model, booking);
}

size_t model_take(struct model *model, const struct change *change, struct outcome *out_expected)
{
    struct booking booking = { .change = *change, .previous = MODEL_NONE, .sale = MODEL_NONE };
    *out_expected = (struct outcome){ .code = PUNKT_RESULT_DONE };
    model->events++;
    size_t first = find_document(model, is_return(change->kind), place(change->store), place(change->till),
                                 change->number, day_of(change));
    if (first != MODEL_NONE && same_content(change, &model->bookings[first].change)) {
        *out_expected = model->bookings[first].outcome;
        out_expected->replayed = true;
        return first;
    }
    bool with_lines = change->kind == CHANGE_PURCHASE || change->kind == CHANGE_UNLINKED_RETURN;
    if (with_lines && !lines_fit(change))
        out_expected->code = PUNKT_RESULT_LINES_MISMATCH;
    else if (first != MODEL_NONE)
        out_expected->code = PUNKT_RESULT_RECEIPT_USED;
    if (out_expected->code != PUNKT_RESULT_DONE)
        return MODEL_NONE;
    return change->kind == CHANGE_ISSUE ? take_issue(model, change, &booking, out_expected)
                                        : take_on_account(model, change, &booking, out_expected);
}

void model_count_refusal(struct model *model)
{
    model->events++;
}

void model_learn(struct model *model, size_t booking, uint64_t position, uint64_t account)
{
    model->bookings[booking].outcome.position = position;
    model->bookings[booking].outcome.account = account;
}
