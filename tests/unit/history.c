#include "history.h"

#include <stdlib.h>
#include <string.h>

uint32_t history_draw(struct history *history, uint32_t bound)
{
    return (uint32_t)random_below(&history->random, bound);
}

struct text history_card(struct history *history)
{
    uint32_t drawn = history_draw(history, 24);
    return world_card(drawn < HISTORY_CARDS * 4 ? drawn % HISTORY_CARDS : drawn % 4 + HISTORY_CARDS);
}

/* --- what was booked --- */

/* What an event says that it moved into all accounts. */
static millipoints said(const struct event *event)
{
    millipoints points = 0;
    switch ((uint32_t)event->type) {
    case EVENT_PURCHASE:
        points = event->purchase.earned;
        for (uint32_t i = 0; i < event->purchase.redemption_count; i++)
            points -= event->purchase.redemptions[i].points;
        return points;
    case EVENT_RETURN:
    case EVENT_UNLINKED_RETURN:
        return event->goods_return.given_back - event->goods_return.taken;
    case EVENT_REDEMPTION:
    case EVENT_CAPTURE:
        return -event->redemption.made.points;
    case EVENT_REVERSAL:
        return event->reversal.given - event->reversal.taken;
    case EVENT_ADJUSTMENT:
        return event->adjustment.points;
    case EVENT_BONUS:
        return event->bonus.points;
    case EVENT_WRITE_OFF:
        return event->write_off.points;
    case EVENT_CARD_STATUS:
        return -event->card_status.forfeited;
    case EVENT_CARDS_ISSUED:
        return event->cards_issued.welcome.points * event->cards_issued.count;
    case EVENT_DAY:
        return -event->day_run.expired;
    default:
        return 0; /* what only moves between accounts, or does not move points */
    }
}

static void look_at(struct history *history, struct world_event *booked)
{
    const struct event *event = &booked->event;
    millipoints moved = 0;
    for (uint32_t i = 0; i < event->effect_count; i++)
        moved += event->effects[i].change;
    if (event->type == EVENT_CARDS_ISSUED && !event->cards_issued.joins)
        moved += event->cards_issued.welcome.points * event->cards_issued.count;
    if (moved != said(event))
        fail_msg("a %s moved %lld, and says %lld", event_type_name(event->type), (long long)moved,
                 (long long)said(event));
    history->total += moved;
    if (event->type != EVENT_DAY)
        history->acts[history->count++] = booked;
}

/* What became of the purchase that the event refers to: never more than there was. */
static void look_at_sale(struct world *world, const struct event *event)
{
    journal_position position = event_sale(event);
    if (position == 0)
        return;
    const struct world_event *sale = goods_event(world, position);
    const struct returned *returned = sale->returned;
    assert_in_range(returned->due, 0, sale->event.purchase.earned);
    assert_true(returned->own_taken >= 0 && returned->expired >= 0 && returned->owed_again >= 0);
    assert_true(returned->own_taken + returned->expired + returned->owed_again <= returned->due);
    millipoints given_back = 0;
    for (uint32_t i = 0; i < returned->spent_count; i++) {
        assert_in_range(returned->spent[i].given_back, 0, returned->spent[i].points);
        given_back += returned->spent[i].given_back;
    }
    assert_int_equal(returned->given_back, given_back);
}

/* While there is debt nothing is free, in no lot. */
static void look_at_debt(const struct account *account, local_day today)
{
    for (uint32_t i = 0; account->debt > 0 && i < account->lot_count; i++) {
        const struct lot *lot = &account->lots[i];
        assert_true(lot->pending || lot->held == lot->points || lot_last_day(account, lot) < today);
    }
}

void history_look(struct history *history)
{
    struct world *world = history->world;
    for (; history->seen < world->event_count; history->seen++) {
        look_at(history, world->events[history->seen]);
        look_at_sale(world, &world->events[history->seen]->event);
    }
    millipoints total = 0;
    for (uint32_t i = 0; i < world->account_count; i++) {
        const struct account *account = &world->accounts[i];
        total += account->balance;
        assert_true(account->merged_into == 0 || account->balance == 0);
        look_at_debt(account, world_today(world));
    }
    assert_int_equal(total, history->total);
}

struct world_event *history_book(struct history *history)
{
    struct world_event *booked = world_book(history->world);
    history->refused += booked == NULL;
    history_look(history);
    return booked;
}

void history_assert_alike(const struct history *history)
{
    const struct decision *first = &history->world->decision;
    const struct decision *again = &history->world->scratch;
    assert_int_equal(again->refusal, first->refusal);
    assert_string_equal(again->detail, first->detail);
    assert_int_equal(again->needed, first->needed);
    assert_int_equal(again->available, first->available);
    if (first->refusal != REFUSAL_NONE)
        return;
    assert_int_equal(again->event.type, first->event.type);
    assert_int_equal(again->event.flags, first->event.flags);
    assert_int_equal(again->event.effect_count, first->event.effect_count);
    assert_int_equal(said(&again->event), said(&first->event));
    for (uint32_t i = 0; i < first->event.effect_count; i++)
        assert_same_account(&again->sides[i].after, &first->sides[i].after);
}

/* --- cards, accounts, office --- */

/* A number that was never used. NULL: they are used up. */
static const char *new_number(struct history *history)
{
    if (history->number_count == HISTORY_NUMBERS)
        return NULL;
    char *number = history->numbers[history->number_count];
    (void)snprintf(number, sizeof(history->numbers[0]), "%03u", 100 + 5 * history->number_count);
    history->number_count++;
    return number;
}

static void act_on_cards(struct history *history, const char *number, const char *other)
{
    struct world *world = history->world;
    uint32_t kind = history_draw(history, 40);
    if (kind < 8) {
        (void)act_card(world, CARD_ACT_BLOCK, number);
    } else if (kind < 26) {
        (void)act_card(world, CARD_ACT_UNBLOCK, number);
    } else if (kind < 27) {
        (void)act_card(world, CARD_ACT_CLOSE, number);
    } else if (kind < 30) {
        (void)act_issue(world, number, 1, true);
    } else if (kind < 32) {
        (void)act_add(world, other, number);
    } else if (kind < 36) {
        (void)act_merge(world, number, other);
    } else {
        const char *fresh = new_number(history);
        if (fresh == NULL)
            return;
        if (kind < 38)
            (void)act_replace(world, number, fresh);
        else
            (void)act_issue(world, fresh, 1 + history_draw(history, 2), true);
    }
}

static void act_on_accounts(struct history *history, const char *number)
{
    struct world *world = history->world;
    const char *tag = random_tags[history_draw(history, 2)];
    switch (history_draw(history, 6)) {
    case 0:
        (void)act_tag(world, number, tag, NULL);
        break;
    case 1:
        (void)act_tag(world, number, NULL, tag);
        break;
    case 2:
        (void)act_pin_set(world, number, history_draw(history, 2) == 0);
        break;
    case 3:
        (void)act_pin_try(world, number);
        break;
    default:
        (void)act_activate(world, number, random_offer_names[history_draw(history, RANDOM_OFFERS)],
                           history_draw(history, 4) == 0);
        break;
    }
}

static void move_award(struct history *history)
{
    struct world *world = history->world;
    if (world->sale_count == 0)
        return;
    const struct world_event *sale = world->sales[history_draw(history, world->sale_count)];
    struct award_move_request request = { .to_card = history_card(history),
                                          .sale = &sale->event,
                                          .sale_position = sale->position,
                                          .reason = TEXT_LITERAL("correction") };
    history_ask(history, decide_award_move, &request);
    (void)history_book(history);
}

static void act_of_office(struct history *history, const char *number, const char *other)
{
    struct world *world = history->world;
    millipoints smallest = programme_step(&world->programme);
    millipoints points = (1 + history_draw(history, 100 * 1000 / (uint32_t)smallest)) * smallest;
    uint32_t kind = history_draw(history, 12);
    if (kind < 3)
        (void)act_adjust(world, number, points, false);
    else if (kind < 5)
        (void)act_adjust(world, number, -points, history_draw(history, 2) == 0);
    else if (kind < 7)
        (void)act_bonus(world, number, points);
    else if (kind < 8)
        (void)act_write_off(world, number, history_draw(history, 2) == 0 ? points : 0);
    else if (kind < 10)
        (void)act_transfer(world, number, other, points);
    else
        move_award(history);
}

static void act_elsewhere(struct history *history)
{
    const char *number = history_card(history).data;
    const char *other = history_card(history).data;
    uint32_t kind = history_draw(history, 8);
    history->world->flags = 0;
    if (kind < 4)
        act_of_office(history, number, other);
    else if (kind < 6)
        act_on_cards(history, number, other);
    else
        act_on_accounts(history, number);
    history_look(history);
}

/* --- time --- */

static void pass(struct history *history, utc_us duration)
{
    struct world *world = history->world;
    utc_us until = world->now + duration;
    while (history->daily) {
        utc_us midnight = calendar_day_start(&world->programme.calendar, world_today(world) + 1);
        if (midnight > until)
            break;
        world->now = midnight;
        world_run_days(world);
    }
    world->now = until;
    history_look(history);
}

static void publish(struct history *history)
{
    struct world *world = history->world;
    if (history->versions && world->later_count < WORLD_PROGRAMMES_MAX)
        random_next_version(&history->random, world_publish(world));
}

static void let_time_pass(struct history *history)
{
    uint32_t kind = history_draw(history, 32);
    if (kind == 0)
        publish(history);
    if (kind < 16)
        pass(history, (utc_us)random_below(&history->random, (uint64_t)US_PER_DAY / 24));
    else if (kind < 30)
        pass(history, (utc_us)random_below(&history->random, (uint64_t)US_PER_DAY * 3));
    else
        pass(history, (utc_us)random_below(&history->random, (uint64_t)US_PER_DAY * 90));
}

/* --- the whole --- */

void history_step(struct history *history)
{
    uint32_t kind = history_draw(history, 32);
    history->world->flags = history_draw(history, 4) == 0 ? EVENT_FLAG_ADVICE : 0;
    if (kind < 9)
        history_buy(history);
    else if (kind < 13)
        history_return(history);
    else if (kind < 14)
        history_unlinked(history);
    else if (kind < 17)
        history_redeem(history);
    else if (kind < 19)
        history_hold(history);
    else if (kind < 21)
        history_end_hold(history);
    else if (kind < 22)
        history_time_out(history);
    else if (kind < 23)
        history_undo(history);
    else if (kind < 27)
        act_elsewhere(history);
    else
        let_time_pass(history);
}

struct history *history_new(struct random random, bool daily, bool versions)
{
    struct history *history = calloc(1, sizeof(*history));
    assert_non_null(history);
    history->random = random;
    history->daily = daily;
    history->versions = versions;
    history->world = world_new(HISTORY_CARDS);
    random_programme(&history->random, &history->world->programme);
    history->world->programme.version = 1;
    /* A decision says all there is: nothing of what was there before. */
    memset(&history->world->scratch, 0xA5, sizeof(history->world->scratch));
    return history;
}

void history_free(struct history *history)
{
    world_free(history->world);
    free(history);
}
