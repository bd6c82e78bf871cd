#include "fold_acts.h"

#include <string.h>

#define DECIDE_BY(name, type)                                                                                \
    void by_##name(struct fold_world *world, const void *request)                                            \
    {                                                                                                        \
        decide_##name(&world->view, &world->judgement, (const struct type *)request, world->decision);       \
    }
DECIDE_BY(issue, issue_request)
DECIDE_BY(purchase, purchase_request)
DECIDE_BY(return, return_request)
DECIDE_BY(unlinked_return, unlinked_return_request)
DECIDE_BY(redeem, redeem_request)
DECIDE_BY(hold, hold_request)
DECIDE_BY(capture, capture_request)
DECIDE_BY(release, release_request)
DECIDE_BY(reversal, reversal_request)
DECIDE_BY(adjust, adjust_request)
DECIDE_BY(bonus, bonus_request)
DECIDE_BY(write_off, write_off_request)
DECIDE_BY(transfer, transfer_request)
DECIDE_BY(award_move, award_move_request)
DECIDE_BY(merge, merge_request)
DECIDE_BY(card_act, card_act_request)
DECIDE_BY(card_replace, card_replace_request)
DECIDE_BY(card_add, card_add_request)
DECIDE_BY(tag, tag_request)
DECIDE_BY(activate, activate_request)
DECIDE_BY(pin_set, pin_set_request)
DECIDE_BY(pin_try, pin_try_request)

/* --- what is done to a world --- */

/* Books what is decided, unless it is refused. 0: refused. */
journal_position act(struct fold_world *world, fold_decide_fn *decide, const void *request)
{
    if (fold_world_decide(world, decide, request) != REFUSAL_NONE)
        return 0;
    return fold_world_book_decision(world);
}

journal_position must(struct fold_world *world, fold_decide_fn *decide, const void *request)
{
    journal_position position = act(world, decide, request);
    if (position == 0)
        fail_msg("refused (%d): %s", (int)world->decision->refusal, world->decision->detail);
    return position;
}

journal_position issue(struct fold_world *world, const char *card)
{
    struct issue_request request = { .card = text_of(card), .count = 1, .check_valid = true };
    uint8_t numbers[64];
    if (fold_world_decide(world, by_issue, &request) != REFUSAL_NONE)
        return 0;
    world->decision->event.cards_issued.numbers = fold_world_code(text_of(card), numbers);
    return fold_world_book_decision(world);
}

journal_position buy(struct fold_world *world, const char *card, minor_units amount, const char *number,
                     const struct wish *wish)
{
    struct purchase_request request = { .card = text_of(card),
                                        .amount = amount,
                                        .document = { .kind = DOCUMENT_SALE,
                                                      .store = TEXT_LITERAL("1"),
                                                      .till = TEXT_LITERAL("7"),
                                                      .business_date = 20000,
                                                      .number = text_of(number) },
                                        .wish_count = wish != NULL,
                                        .wishes = wish,
                                        .pin = PIN_RIGHT };
    return act(world, by_purchase, &request);
}

/* Redemptions that named the sale, as decisions about it need them. */
static void read_spent(struct fold_world *world, journal_position sale,
                       const struct event *events[SPENT_BACK_MAX])
{
    static struct returned returned;
    if (!fold_returned(world->live.fold, sale, &returned))
        return;
    for (uint32_t i = 0; i < returned.spent_count; i++) {
        if (returned.spent[i].redemption != sale)
            events[i] = fold_world_read(world, READ_SPENT + i, returned.spent[i].redemption);
    }
}

journal_position bring_back(struct fold_world *world, const char *card, journal_position sale,
                            minor_units amount)
{
    struct return_request request = { .card = text_of(card),
                                      .amount = amount,
                                      .sale = fold_world_read(world, READ_SALE, sale),
                                      .sale_position = sale };
    read_spent(world, sale, request.spent_events);
    return act(world, by_return, &request);
}

journal_position adjust(struct fold_world *world, const char *card, millipoints points)
{
    struct adjust_request request = {
        .card = text_of(card), .points = points, .reason = GOODWILL, .allow_debt = true
    };
    return act(world, by_adjust, &request);
}

journal_position redeem(struct fold_world *world, const char *card, struct wish wish, journal_position sale)
{
    struct redeem_request request = {
        .card = text_of(card), .wish = wish, .pin = PIN_RIGHT, .sale_position = sale
    };
    if (sale != 0)
        request.sale = fold_world_read(world, READ_SALE, sale);
    return act(world, by_redeem, &request);
}

journal_position hold(struct fold_world *world, const char *card, struct wish wish)
{
    struct hold_request request = { .card = text_of(card), .wish = wish, .seconds = 3600, .pin = PIN_RIGHT };
    return act(world, by_hold, &request);
}

journal_position capture(struct fold_world *world, const char *card, journal_position held,
                         millipoints points)
{
    struct capture_request request = {
        .card = text_of(card), .hold = held, .points = points, .hold_event = fold_world_read(world, 1, held)
    };
    return act(world, by_capture, &request);
}

journal_position release(struct fold_world *world, const char *card, journal_position held, bool timed_out)
{
    struct release_request request = { .card = text_of(card),
                                       .hold = held,
                                       .timed_out = timed_out,
                                       .hold_event = fold_world_read(world, 1, held) };
    return act(world, by_release, &request);
}

journal_position undo(struct fold_world *world, journal_position original)
{
    const struct event *event = fold_world_read(world, READ_ORIGINAL, original);
    struct hold_state held;
    struct reversal_request request = {
        .original = event->request, .amount = -1, .event = event, .position = original
    };
    if (event->type == EVENT_HOLD && fold_hold(world->live.fold, original, &held) && held.ended_by != 0) {
        request.ended_position = held.ended_by;
        request.ended = fold_world_read(world, READ_ENDED, held.ended_by);
        request.sale_position = event_sale(request.ended);
    } else if (event->type != EVENT_REVERSAL) {
        request.sale_position = event->type == EVENT_PURCHASE ? original : event_sale(event);
    }
    if (request.sale_position != 0) {
        request.sale = fold_world_read(world, READ_SALE, request.sale_position);
        read_spent(world, request.sale_position, request.spent_events);
    }
    return act(world, by_reversal, &request);
}

void act_on_card(struct fold_world *world, const char *card, enum card_act what)
{
    struct card_act_request request = { .act = what, .card = text_of(card), .reason = GOODWILL };
    (void)act(world, by_card_act, &request);
}

struct account account_of(struct fold_world *world, const char *number)
{
    struct card card;
    struct account account;
    memset(&account, 0, sizeof(account));
    assert_true(fold_card(world->live.fold, text_of(number), &card));
    assert_true(fold_account(world->live.fold, card.account, &account));
    return account;
}

void pass_days(struct fold_world *world, int64_t days)
{
    world->judgement.now += days * US_PER_DAY;
}
