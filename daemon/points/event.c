#include "points/event.h"

#include <string.h>

const char *event_type_name(enum event_type type)
{
    switch (type) {
    case EVENT_TERM:
        return "term";
    case EVENT_PROGRAMME:
        return "programme";
    case EVENT_CARDS_ISSUED:
        return "cards_issued";
    case EVENT_PURCHASE:
        return "purchase";
    case EVENT_RETURN:
        return "return";
    case EVENT_UNLINKED_RETURN:
        return "unlinked_return";
    case EVENT_REDEMPTION:
        return "redemption";
    case EVENT_ADJUSTMENT:
        return "adjustment";
    case EVENT_REFUSAL:
        return "refusal";
    case EVENT_TIE:
        return "tie";
    case EVENT_CLOCK_ACCEPTED:
        return "clock_accepted";
    }
    return "unknown";
}

/* Where a line is in the list, or where it belongs. */
static uint32_t returned_line_index(const struct returned *returned, uint32_t line)
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

static bool returned_add_line(struct returned *returned, const struct returned_line *line)
{
    uint32_t index = returned_line_index(returned, line->line);
    struct returned_line *place = &returned->lines[index];
    if (index == returned->line_count || place->line != line->line) {
        if (returned->line_count == LINES_MAX)
            return false;
        memmove(place + 1, place, (returned->line_count - index) * sizeof(*place));
        *place = (struct returned_line){ .line = line->line };
        returned->line_count++;
    }
    if (line->quantity <= 0 || line->by_amount < 0 || line->by_amount > line->quantity)
        return false;
    place->by_amount += line->by_amount;
    return !__builtin_add_overflow(place->quantity, line->quantity, &place->quantity);
}

bool returned_apply(const struct goods_return *goods_return, struct returned *returned)
{
    for (uint32_t i = 0; i < goods_return->line_count; i++) {
        if (!returned_add_line(returned, &goods_return->lines[i]))
            return false;
    }
    if (goods_return->by_amount &&
        __builtin_add_overflow(returned->by_amount, goods_return->amount, &returned->by_amount))
        return false;
    returned->returns++;
    return !__builtin_add_overflow(returned->due, goods_return->due, &returned->due) &&
           !__builtin_add_overflow(returned->given_back, goods_return->given_back, &returned->given_back) &&
           !__builtin_add_overflow(returned->own_taken, goods_return->own_taken, &returned->own_taken);
}
