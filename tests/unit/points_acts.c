#include "points_acts.h"

#include <stdio.h>

static enum refusal booked(struct world *world)
{
    (void)world_book(world);
    return world->decision.refusal;
}

/* Numbers of three digits, up to 999. */
static bool number_after(const void *ctx, uint64_t step, uint32_t check, char out[32], size_t *out_size)
{
    const char *first = ctx;
    unsigned number = 0;
    assert_int_equal(check, 0);
    assert_int_equal(sscanf(first, "%3u", &number), 1);
    if (number + step > 999)
        return false;
    *out_size = (size_t)snprintf(out, 32, "%03u", number + (unsigned)step);
    return true;
}

enum refusal act_issue(struct world *world, const char *number, uint32_t count, bool check_valid)
{
    struct issue_request request = { .card = text_of(number),
                                     .count = count,
                                     .number_after = number_after,
                                     .ctx = number,
                                     .check_valid = check_valid };
    world_ask(world, decide_issue, &request);
    return booked(world);
}

enum refusal act_card(struct world *world, enum card_act act, const char *number)
{
    struct card_act_request request = { .act = act, .card = text_of(number), .reason = TEXT_LITERAL("lost") };
    world_ask(world, decide_card_act, &request);
    return booked(world);
}

enum refusal act_replace(struct world *world, const char *old_number, const char *new_number)
{
    struct card_replace_request request = { .old_card = text_of(old_number),
                                            .new_card = text_of(new_number),
                                            .check_valid = true };
    world_ask(world, decide_card_replace, &request);
    return booked(world);
}

enum refusal act_add(struct world *world, const char *number, const char *new_number)
{
    struct card_add_request request = { .card = text_of(number),
                                        .new_card = text_of(new_number),
                                        .check_valid = true };
    world_ask(world, decide_card_add, &request);
    return booked(world);
}

enum refusal act_merge(struct world *world, const char *from, const char *to)
{
    struct merge_request request = { .from_card = text_of(from), .to_card = text_of(to) };
    world_ask(world, decide_merge, &request);
    return booked(world);
}

enum refusal act_transfer(struct world *world, const char *from, const char *to, millipoints points)
{
    struct transfer_request request = { .from_card = text_of(from),
                                        .to_card = text_of(to),
                                        .points = points,
                                        .reason = TEXT_LITERAL("goodwill") };
    world_ask(world, decide_transfer, &request);
    return booked(world);
}

enum refusal act_adjust(struct world *world, const char *number, millipoints points, bool allow_debt)
{
    struct adjust_request request = { .card = text_of(number),
                                      .points = points,
                                      .reason = TEXT_LITERAL("goodwill"),
                                      .allow_debt = allow_debt };
    world_ask(world, decide_adjust, &request);
    return booked(world);
}

enum refusal act_bonus(struct world *world, const char *number, millipoints points)
{
    struct bonus_request request = { .card = text_of(number),
                                     .points = points,
                                     .reason = TEXT_LITERAL("goodwill") };
    world_ask(world, decide_bonus, &request);
    return booked(world);
}

enum refusal act_write_off(struct world *world, const char *number, millipoints points)
{
    struct write_off_request request = { .card = text_of(number),
                                         .points = points,
                                         .reason = TEXT_LITERAL("goodwill") };
    world_ask(world, decide_write_off, &request);
    return booked(world);
}

enum refusal act_tag(struct world *world, const char *number, const char *set, const char *clear)
{
    struct text to_set = text_of(set != NULL ? set : "");
    struct text to_clear = text_of(clear != NULL ? clear : "");
    struct tag_request request = { .card = text_of(number),
                                   .set_count = set != NULL,
                                   .clear_count = clear != NULL,
                                   .set = &to_set,
                                   .clear = &to_clear };
    world_ask(world, decide_tag, &request);
    return booked(world);
}

enum refusal act_activate(struct world *world, const char *number, const char *offer, bool off)
{
    struct activate_request request = { .card = text_of(number), .offer = text_of(offer), .off = off };
    world_ask(world, decide_activate, &request);
    return booked(world);
}

enum refusal act_pin_set(struct world *world, const char *number, bool set)
{
    struct pin_set_request request = { .card = text_of(number),
                                       .pin = { .set = set, .wrong = 2, .salt = { 1 }, .hash = { 2 } } };
    world_ask(world, decide_pin_set, &request);
    return booked(world);
}

enum refusal act_pin_try(struct world *world, const char *number)
{
    struct pin_try_request request = { .card = text_of(number) };
    world_ask(world, decide_pin_try, &request);
    return booked(world);
}

enum refusal act_hold(struct world *world, const char *number, millipoints points)
{
    struct hold_request request = { .card = text_of(number), .wish = { .points = points } };
    world_ask(world, decide_hold, &request);
    return booked(world);
}

enum refusal act_buy(struct world *world, const char *number, minor_units amount, bool advice)
{
    struct purchase_request request = { .card = text_of(number), .amount = amount };
    world->flags = advice ? EVENT_FLAG_ADVICE : 0U;
    world_ask(world, decide_purchase, &request);
    world->flags = 0;
    return booked(world);
}

struct card act_card_of(struct world *world, const char *number)
{
    struct card card;
    assert_true(world->view.card(world->view.ctx, text_of(number), &card));
    return card;
}

void act_account_of(struct world *world, const char *number, struct account *out)
{
    assert_true(world->view.account(world->view.ctx, act_card_of(world, number).account, out));
}

millipoints act_balance_of(struct world *world, const char *number)
{
    struct account account;
    act_account_of(world, number, &account);
    return account.balance;
}

void assert_refused(const char *what, enum refusal got, enum refusal want)
{
    if (got != want)
        fail_msg("%s: refusal %d, wanted %d", what, got, want);
}
