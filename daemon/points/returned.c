#include <string.h>

#include "points/event.h"

void returned_new(struct returned *out)
{
    memset(out, 0, offsetof(struct returned, lines));
}

journal_position event_sale(const struct event *event)
{
    if (event->type == EVENT_RETURN)
        return event->goods_return.sale;
    if (event->type == EVENT_REDEMPTION || event->type == EVENT_CAPTURE)
        return event->redemption.sale;
    if (event->type == EVENT_REVERSAL)
        return event->reversal.goods.sale;
    return event->type == EVENT_AWARD_MOVED ? event->award_moved.sale : 0;
}

/* Where a line is in the list, or where it belongs. */
static uint32_t line_index(const struct returned *returned, uint32_t line)
{
    uint32_t low = 0;
    uint32_t high = returned->line_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (returned->lines[middle].line < line)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool add_line(struct returned *returned, const struct returned_line *line)
{
    uint32_t index = line_index(returned, line->line);
    struct returned_line *place = &returned->lines[index];
    if (line->quantity <= 0 || line->by_amount < 0 || line->by_amount > line->quantity)
        return false;
    if (index == returned->line_count || place->line != line->line) {
        if (returned->line_count == LINES_MAX)
            return false;
        memmove(place + 1, place, (returned->line_count - index) * sizeof(*place));
        *place = (struct returned_line){ .line = line->line };
        returned->line_count++;
    }
    place->by_amount += line->by_amount;
    return !__builtin_add_overflow(place->quantity, line->quantity, &place->quantity);
}

static bool take_line(struct returned *returned, const struct returned_line *line)
{
    uint32_t index = line_index(returned, line->line);
    struct returned_line *place = &returned->lines[index];
    if (index == returned->line_count || place->line != line->line || line->quantity <= 0 ||
        line->quantity > place->quantity || line->by_amount > place->by_amount)
        return false;
    place->quantity -= line->quantity;
    place->by_amount -= line->by_amount;
    if (place->quantity == 0) {
        returned->line_count--;
        memmove(place, place + 1, (returned->line_count - index) * sizeof(*place));
    }
    return true;
}

/* What came back of a redemption; made if it is not there. NULL: there is no room. */
static struct spent_back *spent_of(struct returned *returned, journal_position redemption, uint32_t index,
                                   millipoints points)
{
    for (uint32_t i = 0; i < returned->spent_count; i++) {
        struct spent_back *spent = &returned->spent[i];
        if (spent->redemption == redemption && spent->index == index)
            return spent->points == points ? spent : NULL;
    }
    if (returned->spent_count == SPENT_BACK_MAX)
        return NULL;
    struct spent_back *spent = &returned->spent[returned->spent_count++];
    *spent = (struct spent_back){ .redemption = redemption, .index = index, .points = points };
    return spent;
}

static bool fold_back(struct returned *returned, const struct redemption_back *back, int64_t sign)
{
    struct spent_back *spent = spent_of(returned, back->redemption, back->index, back->of_points);
    if (spent == NULL)
        return false;
    int64_t quantity = (int64_t)spent->quantity_back + sign * back->quantity;
    spent->quantity_back = (uint32_t)quantity;
    spent->given_back += sign * back->points;
    spent->stamps_back += sign * back->stamps;
    return quantity >= 0 && quantity <= UINT32_MAX && spent->given_back >= 0 &&
           spent->given_back <= spent->points && spent->stamps_back >= 0;
}

static bool in_bounds(const int64_t *sums, size_t count, int64_t lowest)
{
    for (size_t i = 0; i < count; i++) {
        if (sums[i] < lowest || sums[i] > MILLIPOINTS_MAX)
            return false;
    }
    return true;
}

/* Within what 64 bits can add up. */
static bool goods_in_bounds(const struct goods_return *goods)
{
    const int64_t sums[] = { goods->amount,    goods->due,     goods->given_back, goods->own_taken,
                             goods->base_back, goods->expired, goods->owed_again };
    for (uint32_t i = 0; i < goods->back_count; i++) {
        const int64_t of_back[] = { goods->backs[i].points, goods->backs[i].stamps };
        if (!in_bounds(of_back, COUNT_OF(of_back), 0))
            return false;
    }
    return in_bounds(sums, COUNT_OF(sums), -MILLIPOINTS_MAX) &&
           in_bounds(goods->stamps_back, STAMP_PARTS_MAX, -MILLIPOINTS_MAX);
}

/* The sums of goods that came back; sign -1: of a return that does not stand any more. */
static bool fold_sums(struct returned *returned, const struct goods_return *goods, int64_t sign)
{
    returned->by_amount += goods->by_amount ? sign * goods->amount : 0;
    returned->due += sign * goods->due;
    returned->given_back += sign * goods->given_back;
    returned->own_taken += sign * goods->own_taken;
    returned->base_back += sign * goods->base_back;
    /* What a return from before a move counted was forgotten by the move. */
    returned->expired = i64_max(returned->expired + sign * goods->expired, 0);
    returned->owed_again = i64_max(returned->owed_again + sign * goods->owed_again, 0);
    for (uint32_t i = 0; i < STAMP_PARTS_MAX; i++)
        returned->stamps_back[i] += sign * goods->stamps_back[i];
    if (sign > 0)
        returned->uses_back |= goods->uses_back;
    else
        returned->uses_back &= ~goods->uses_back;
    if (goods->visit_back)
        returned->visit_back = sign > 0;
    const int64_t sums[] = { returned->by_amount, returned->due,       returned->given_back,
                             returned->own_taken, returned->base_back, returned->expired,
                             returned->owed_again };
    return in_bounds(sums, COUNT_OF(sums), 0) && in_bounds(returned->stamps_back, STAMP_PARTS_MAX, 0);
}

static bool fold_goods(struct returned *returned, const struct goods_return *goods, int64_t sign)
{
    if (!goods_in_bounds(goods))
        return false;
    for (uint32_t i = 0; i < goods->line_count; i++) {
        const struct returned_line *line = &goods->lines[i];
        if (!(sign > 0 ? add_line(returned, line) : take_line(returned, line)))
            return false;
    }
    for (uint32_t i = 0; i < goods->back_count; i++) {
        if (!fold_back(returned, &goods->backs[i], sign))
            return false;
    }
    return fold_sums(returned, goods, sign);
}

static bool fold_reversal(struct returned *returned, const struct event *event)
{
    bool undoes = event->reversal.undoes_return;
    if (undoes && returned->returns == 0)
        return false;
    returned->returns -= undoes ? 1 : 0;
    if (event->reversal.type == EVENT_PURCHASE)
        returned->reversed = true;
    return fold_goods(returned, &event->reversal.goods, undoes ? -1 : 1);
}

static bool fold_award_moved(struct returned *returned, const struct event *event)
{
    if (event->effect_count != 2)
        return false;
    returned->moved_to = event->effects[1].account;
    returned->moved_lot = event->award_moved.lot;
    returned->moved_settled = event->award_moved.settled;
    returned->moved_expired = event->award_moved.expired;
    returned->expired = 0;
    returned->owed_again = 0;
    return true;
}

bool returned_apply(const struct event *event, journal_position position, struct returned *returned)
{
    PUNKT_CHECK(event_sale(event) != 0);
    if (event->type == EVENT_AWARD_MOVED)
        return fold_award_moved(returned, event);
    if (event->type == EVENT_REVERSAL)
        return fold_reversal(returned, event);
    if (event->type == EVENT_RETURN) {
        returned->returns++;
        return fold_goods(returned, &event->goods_return, 1);
    }
    struct spent_back *named = spent_of(returned, position, 0, event->redemption.made.points);
    if (named != NULL)
        named->worth = event->redemption.made.worth;
    return named != NULL;
}
