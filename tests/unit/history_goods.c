#include "history.h"

#include <string.h>

#define LINES 8
#define WISHES 3

static bool one_in(struct history *history, uint32_t n)
{
    return history_draw(history, n) == 0;
}

/* Mostly now; some tills are late, a few too late, and some have a clock that is ahead. */
static utc_us random_time(struct history *history)
{
    utc_us now = history->world->now;
    uint32_t kind = history_draw(history, 10);
    if (kind < 6)
        return 0;
    if (kind < 9)
        return now - (utc_us)random_below(&history->random, (uint64_t)US_PER_DAY * (kind == 8 ? 40 : 3));
    return now + (utc_us)random_below(&history->random, (uint64_t)US_PER_DAY * 5 / 4);
}

static enum pin_check random_pin(struct history *history)
{
    static const enum pin_check rare[] = { PIN_NOT_GIVEN, PIN_WRONG, PIN_UNCHECKED };
    return one_in(history, 8) ? rare[history_draw(history, 3)] : PIN_RIGHT;
}

static struct text random_store(struct history *history)
{
    return text_of(random_stores[history_draw(history, 2)]);
}

/* One of the newest holds, which may still be open; its event, if it is known. */
static journal_position random_hold_id(struct history *history, const struct event **out_event)
{
    struct world *world = history->world;
    *out_event = NULL;
    if (world->hold_count == 0 || one_in(history, 32))
        return 77;
    uint32_t back = history_draw(history, world->hold_count < 4 ? world->hold_count : 4);
    journal_position id = world->hold_ids[world->hold_count - 1 - back];
    *out_event = one_in(history, 8) ? NULL : &goods_event(world, id)->event;
    return id;
}

/* A card of the account that made the hold, mostly. */
static struct text hold_card(struct history *history, journal_position hold)
{
    struct world *world = history->world;
    const struct world_event *begun = goods_event(world, hold);
    return begun == NULL || one_in(history, 8) ? history_card(history)
                                               : text_of(world->numbers[begun->event.card - 1]);
}

static struct wish random_wish(struct history *history, uint32_t line_count, bool may_capture)
{
    struct wish wish = { .points = (1 + history_draw(history, 60)) * POINT };
    uint32_t kind = history_draw(history, may_capture ? 5 : 4);
    if (kind == 4) {
        wish.hold = random_hold_id(history, &wish.hold_event);
        wish.points = one_in(history, 2) ? 0 : wish.points;
    } else if (kind >= 2) {
        wish.reward = text_of(random_reward_names[history_draw(history, RANDOM_REWARDS)]);
        wish.quantity = history_draw(history, 4);
        wish.line = history_draw(history, line_count + 1);
    }
    return wish;
}

/* --- undone at once --- */

struct balances {
    millipoints of[WORLD_ACCOUNTS_MAX];
};

static void note(const struct history *history, struct balances *out)
{
    for (uint32_t i = 0; i < WORLD_ACCOUNTS_MAX; i++)
        out->of[i] = i < history->world->account_count ? history->world->accounts[i].balance : 0;
}

/* Some of what was booked is undone before anything else happens; unless something expired, it leaves nothing. */
static void undo_some(struct history *history, const struct balances *before,
                      const struct world_event *booked)
{
    struct world *world = history->world;
    if (booked == NULL || booked->event.type == EVENT_RETURN_WAITING || !one_in(history, 6))
        return;
    struct reversal_request request = goods_undo_request(world, booked);
    history_ask(history, decide_reversal, &request);
    uint32_t first = history->seen;
    if (history_book(history) == NULL)
        return;
    millipoints expired = 0;
    for (uint32_t i = first; i < world->event_count; i++)
        expired += world->events[i]->event.type == EVENT_DAY ? world->events[i]->event.day_run.expired : 0;
    history->undone++;
    for (uint32_t i = 0; expired == 0 && i < world->account_count; i++) {
        if (world->accounts[i].balance != before->of[i])
            fail_msg("a %s was undone: account %u had %lld, and has %lld",
                     event_type_name(booked->event.type), i + 1, (long long)before->of[i],
                     (long long)world->accounts[i].balance);
    }
}

/* --- purchases --- */

static minor_units random_lines(struct history *history, struct sale_line lines[LINES], uint32_t count)
{
    minor_units amount = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct sale_line *line = &lines[i];
        *line =
            (struct sale_line){ .code = text_of(random_codes[history_draw(history, RANDOM_WORDS)]),
                                .category = text_of(random_categories[history_draw(history, RANDOM_WORDS)]),
                                .quantity = (millis_of_unit)history_draw(history, 5) * 500,
                                .amount = history_draw(history, 4000) };
        line->tax = line->amount / 6;
        uint32_t kind = history_draw(history, 10);
        if (kind < 2) {
            line->kind = kind == 0 ? LINE_DISCOUNT : LINE_REWARD;
            line->amount = -(minor_units)history_draw(history, 600);
            line->tax = 0;
        } else if (kind < 4) {
            line->kind = kind == 2 ? LINE_DEPOSIT : LINE_STORED_VALUE;
        }
        amount += line->amount;
    }
    return amount;
}

void history_buy(struct history *history)
{
    struct sale_line lines[LINES];
    struct wish wishes[WISHES];
    struct tender tenders[1] = { { .kind = text_of(random_tenders[history_draw(history, 2)]) } };
    struct text coupons[1] = { text_of(random_coupons[history_draw(history, 2)]) };
    struct purchase_request request = { .card = history_card(history),
                                        .time = random_time(history),
                                        .document.store = random_store(history),
                                        .line_count = history_draw(history, LINES + 1),
                                        .lines = lines,
                                        .tender_count = history_draw(history, 2),
                                        .tenders = tenders,
                                        .coupon_count = history_draw(history, 2),
                                        .coupons = coupons,
                                        .wish_count =
                                            one_in(history, 2) ? history_draw(history, WISHES + 1) : 0,
                                        .wishes = wishes,
                                        .pin = random_pin(history) };
    request.amount = request.line_count == 0 ? history_draw(history, 20000)
                                             : random_lines(history, lines, request.line_count);
    tenders[0].amount = request.amount;
    for (uint32_t i = 0; i < request.wish_count; i++)
        wishes[i] = random_wish(history, request.line_count, true);
    if (request.wish_count > 0 && wishes[0].hold != 0)
        request.card = hold_card(history, wishes[0].hold);
    if (one_in(history, 16)) {
        history->world->flags |= EVENT_FLAG_HISTORIC;
        request.time = history->world->now - (utc_us)history_draw(history, 900) * US_PER_DAY;
    }
    history_ask(history, decide_purchase, &request);
    struct balances before;
    note(history, &before);
    undo_some(history, &before, history_book(history));
}

/* --- goods that come back --- */

struct text history_owner(struct world *world, const struct world_event *sale)
{
    account_number moved_to = sale->returned->moved_to;
    for (uint32_t i = 0; moved_to != 0 && i < world->card_count; i++) {
        if (world->cards[i].account == moved_to)
            return text_of(world->numbers[i]);
    }
    return text_of(world->numbers[sale->event.card - 1]);
}

static struct text card_of(struct history *history, const struct world_event *sale)
{
    return one_in(history, 16) ? history_card(history) : history_owner(history->world, sale);
}

void history_return(struct history *history)
{
    struct world *world = history->world;
    if (world->sale_count == 0)
        return;
    const struct world_event *sale = world->sales[history_draw(history, world->sale_count)];
    struct return_request request = goods_request(world, 0, sale);
    struct return_request_line lines[2];
    uint32_t line_count = sale->event.purchase.line_count;
    request.card = card_of(history, sale);
    request.line_count = history_draw(history, 3);
    request.lines = lines;
    for (uint32_t i = 0; i < request.line_count; i++)
        lines[i] = (struct return_request_line){ .number = 1 + history_draw(history,
                                                                            line_count == 0 ? 1 : line_count),
                                                 .quantity = (millis_of_unit)history_draw(history, 4) * 500 };
    if (request.line_count == 0)
        request.amount = 1 + history_draw(history, 3000);
    if (one_in(history, 40)) {
        request.sale = NULL;
        request.sale_document = (struct document){ .kind = DOCUMENT_SALE, .number = TEXT_LITERAL("R1") };
    }
    history_ask(history, decide_return, &request);
    struct balances before;
    note(history, &before);
    undo_some(history, &before, history_book(history));
}

void history_unlinked(struct history *history)
{
    struct unlinked_return_request request = { .card = history_card(history),
                                               .amount = history_draw(history, 3000),
                                               .time = random_time(history) };
    history_ask(history, decide_unlinked_return, &request);
    struct balances before;
    note(history, &before);
    undo_some(history, &before, history_book(history));
}

/* --- redeeming --- */

void history_redeem(struct history *history)
{
    struct world *world = history->world;
    struct redeem_request request = { .card = history_card(history),
                                      .bill = one_in(history, 2) ? 0 : 1 + history_draw(history, 9000),
                                      .time = random_time(history),
                                      .place.store = random_store(history),
                                      .pin = random_pin(history) };
    uint32_t line_count = 0;
    if (one_in(history, 2) && world->sale_count > 0) {
        const struct world_event *sale = world->sales[world->sale_count - 1];
        request.sale = &sale->event;
        request.sale_position = sale->position;
        request.card = card_of(history, sale);
        line_count = sale->event.purchase.line_count;
    }
    request.wish = random_wish(history, line_count, false);
    history_ask(history, decide_redeem, &request);
    struct balances before;
    note(history, &before);
    undo_some(history, &before, history_book(history));
}

void history_hold(struct history *history)
{
    struct hold_request request = { .card = history_card(history),
                                    .wish = random_wish(history, 0, false),
                                    .bill = one_in(history, 2) ? 0 : 1 + history_draw(history, 9000),
                                    .seconds = history_draw(history, HOLD_S_MAX + 1),
                                    .time = random_time(history),
                                    .place.store = random_store(history),
                                    .pin = random_pin(history) };
    history->world->flags = 0;
    history_ask(history, decide_hold, &request);
    struct balances before;
    note(history, &before);
    undo_some(history, &before, history_book(history));
}

static void capture(struct history *history)
{
    struct capture_request request = { .points =
                                           one_in(history, 2) ? 0 : (1 + history_draw(history, 40)) * POINT,
                                       .bill = one_in(history, 2) ? 0 : 1 + history_draw(history, 4000),
                                       .time = random_time(history) };
    request.hold = random_hold_id(history, &request.hold_event);
    request.card = hold_card(history, request.hold);
    history_ask(history, decide_capture, &request);
    struct balances before;
    note(history, &before);
    undo_some(history, &before, history_book(history));
}

void history_end_hold(struct history *history)
{
    if (!one_in(history, 3)) {
        capture(history);
        return;
    }
    struct release_request request = { .time = random_time(history) };
    request.hold = random_hold_id(history, &request.hold_event);
    request.card = hold_card(history, request.hold);
    history_ask(history, decide_release, &request);
    (void)history_book(history);
}

void history_time_out(struct history *history)
{
    struct world *world = history->world;
    world->flags = 0;
    for (uint32_t i = 0; i < world->hold_count; i++) {
        const struct hold_state *hold = &world->holds[i];
        if (hold->end != HOLD_OPEN || hold->deadline > world->now)
            continue;
        struct release_request request = { .hold = world->hold_ids[i], .timed_out = true };
        history_ask(history, decide_release, &request);
        assert_non_null(history_book(history));
    }
}

/* --- undoing --- */

/* Of what was undone before, a till gets the first answer again: nothing is decided. */
void history_undo(struct history *history)
{
    struct world *world = history->world;
    if (history->count == 0)
        return;
    const struct world_event *act = history->acts[history_draw(history, history->count)];
    if (act->reversed_by != 0)
        return;
    struct reversal_request request = goods_undo_request(world, act);
    if (one_in(history, 8))
        request.card = history_card(history);
    history_ask(history, decide_reversal, &request);
    (void)history_book(history);
}
