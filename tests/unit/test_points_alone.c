/*
 * The rules without anything around them: linked with daemon/points and daemon/base only, a state of two accounts is held
 * in plain variables, and every decision is made once. None allocates: the program's own malloc counts.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "points/decide.h"

#define POINT MILLIPOINTS_PER_POINT
#define NOW (INT64_C(1773144000) * US_PER_SECOND) /* 2026-03-10 12:00 UTC */

/* --- what is counted: the linker sends every call of these here (--wrap) --- */

static unsigned allocations;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void __real_free(void *block);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);
void __wrap_free(void *block);

void *__wrap_malloc(size_t size)
{
    allocations++;
    return __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    allocations++;
    return __real_calloc(count, size);
}

void *__wrap_realloc(void *block, size_t size)
{
    allocations++;
    return __real_realloc(block, size);
}

void __wrap_free(void *block)
{
    allocations++;
    __real_free(block);
}

/* Whether the counting works: a test that cannot fail would say nothing. */
static bool counts(void)
{
    void *volatile block = malloc(1);
    block = realloc(block, 2);
    free(block);
    block = calloc(1, 1);
    free(block);
    bool right = allocations == 5;
    allocations = 0;
    return right;
}

/* --- state --- */

#define CARDS 2
#define SALE 100
#define HOLD 200

static struct programme programme;
static struct account accounts[CARDS];
static struct hold_state hold_state;
static const char *const numbers[CARDS] = { "1", "2" };

static bool view_card(void *ctx, struct text number, struct card *out)
{
    (void)ctx;
    for (uint32_t i = 0; i < CARDS; i++) {
        if (!text_equal(number, text_of(numbers[i])))
            continue;
        *out = (struct card){ .id = i + 1, .account = i + 1, .status = CARD_ACTIVE };
        return true;
    }
    return false;
}

static bool view_account(void *ctx, account_number number, struct account *out)
{
    (void)ctx;
    if (number < 1 || number > CARDS)
        return false;
    account_copy(&accounts[number - 1], out);
    return true;
}

static bool view_returned(void *ctx, journal_position sale, struct returned *out)
{
    (void)ctx;
    (void)sale;
    (void)out;
    return false;
}

static bool view_hold(void *ctx, journal_position hold, struct hold_state *out)
{
    (void)ctx;
    *out = hold_state;
    return hold == HOLD && hold_state.account != 0;
}

static int64_t view_reward_used(void *ctx, uint64_t reward)
{
    (void)ctx;
    (void)reward;
    return 0;
}

static journal_position view_reversed_by(void *ctx, journal_position original)
{
    (void)ctx;
    (void)original;
    return 0;
}

static const struct programme *view_programme(void *ctx, uint32_t version, utc_us time)
{
    (void)ctx;
    (void)version;
    (void)time;
    return &programme;
}

static uint64_t view_next(void *ctx)
{
    (void)ctx;
    return CARDS + 1;
}

static const struct points_view view = { .card = view_card,
                                         .account = view_account,
                                         .returned = view_returned,
                                         .hold = view_hold,
                                         .reward_used = view_reward_used,
                                         .reversed_by = view_reversed_by,
                                         .programme = view_programme,
                                         .next_account = view_next,
                                         .next_card = view_next };

static void set_programme(void)
{
    programme_default(&programme);
    programme.version = 1;
    programme.expiry = (struct expiry){ .kind = EXPIRY_MONTHS, .months = 12, .through = THROUGH_MONTH };
    programme.tiers = (struct tiers){ .count = 1, .window = TIER_WINDOW_YEAR };
    programme.tiers.tiers[0] = (struct tier){ .id = 1, .from = 100, .factor = 1500 };
    programme.offer_count = 1;
    programme.offers[0] = (struct offer){ .kind = OFFER_MULTIPLY,
                                          .name = "double",
                                          .id = programme_id(TEXT_LITERAL("double")),
                                          .factor = 2000,
                                          .activate = true,
                                          .period = { .from = INT32_MIN, .through = DAY_NEVER } };
}

/* --- decisions --- */

static struct decision sale;   /* what a return and a reversal refer to */
static struct decision held;   /* what a capture and a release do */
static struct decision latest; /* all others */
static unsigned made;

static bool decided(const char *what, const struct decision *decision, enum refusal want)
{
    made++;
    if (decision->refusal != want)
        fprintf(stderr, "%s: refusal %d, wanted %d\n", what, decision->refusal, want);
    if (allocations != 0)
        fprintf(stderr, "%s: %u allocations\n", what, allocations);
    return decision->refusal == want && allocations == 0;
}

#define DECIDED(name, decision, want, ...)                                                                   \
    (decide_##name(&view, &(struct judgement){ .now = NOW }, &(__VA_ARGS__), (decision)),                    \
     decided(#name, (decision), (want)))

/* Folds what was decided for the first account. */
static bool folded(const struct decision *decision, journal_position position)
{
    bool fits = effect_apply(&decision->event.effects[0], position, &accounts[0]);
    if (!fits || allocations != 0)
        fprintf(stderr, "an effect does not fit, or folding it allocates\n");
    return fits && allocations == 0;
}

static bool buys_and_redeems(void)
{
    static const struct sale_line lines[] = { { .code = { "A", 1 }, .quantity = 1000, .amount = 10000 } };
    static const struct wish ten = { .points = 10 * POINT };
    return DECIDED(purchase, &sale, REFUSAL_NONE,
                   (struct purchase_request){
                       .card = { "1", 1 }, .amount = 10000, .line_count = 1, .lines = lines }) &&
           folded(&sale, SALE) &&
           DECIDED(redeem, &latest, REFUSAL_NONE,
                   (struct redeem_request){ .card = { "1", 1 }, .wish = ten }) &&
           DECIDED(hold, &held, REFUSAL_NONE, (struct hold_request){ .card = { "1", 1 }, .wish = ten }) &&
           folded(&held, HOLD);
}

static bool ends_a_hold(void)
{
    hold_state = (struct hold_state){ .account = 1, .deadline = held.event.hold.deadline };
    return DECIDED(capture, &latest, REFUSAL_NONE,
                   (struct capture_request){ .card = { "1", 1 }, .hold = HOLD, .hold_event = &held.event }) &&
           DECIDED(release, &latest, REFUSAL_NONE,
                   (struct release_request){ .card = { "1", 1 }, .hold = HOLD, .hold_event = &held.event });
}

static bool takes_goods_back(void)
{
    return DECIDED(
               return, &latest, REFUSAL_NONE,
                     (struct return_request){
                         .card = { "1", 1 }, .amount = 500, .sale = &sale.event, .sale_position = SALE }) &&
           DECIDED(unlinked_return, &latest, REFUSAL_NONE,
                   (struct unlinked_return_request){ .card = { "1", 1 }, .amount = 500 }) &&
           DECIDED(reversal, &latest, REFUSAL_NONE,
                   (struct reversal_request){ .original = { .identity = 1, .number = 2 },
                                              .amount = -1,
                                              .event = &sale.event,
                                              .position = SALE,
                                              .sale = &sale.event,
                                              .sale_position = SALE });
}

static bool does_what_the_office_wants(void)
{
    static const struct text why = { "goodwill", 8 };
    return DECIDED(adjust, &latest, REFUSAL_NONE,
                   (struct adjust_request){ .card = { "1", 1 }, .points = -POINT, .reason = why }) &&
           DECIDED(bonus, &latest, REFUSAL_NONE,
                   (struct bonus_request){ .card = { "1", 1 }, .points = POINT, .reason = why }) &&
           DECIDED(write_off, &latest, REFUSAL_NOTHING_TO_DO,
                   (struct write_off_request){ .card = { "1", 1 }, .reason = why }) &&
           DECIDED(transfer, &latest, REFUSAL_NONE,
                   (struct transfer_request){
                       .from_card = { "1", 1 }, .to_card = { "2", 1 }, .points = POINT, .reason = why }) &&
           DECIDED(award_move, &latest, REFUSAL_NONE,
                   (struct award_move_request){
                       .to_card = { "2", 1 }, .sale = &sale.event, .sale_position = SALE, .reason = why }) &&
           DECIDED(merge, &latest, REFUSAL_NONE,
                   (struct merge_request){ .from_card = { "1", 1 }, .to_card = { "2", 1 } });
}

static bool number_after(const void *ctx, uint64_t step, uint32_t check, char out[32], size_t *out_size)
{
    (void)ctx;
    (void)check;
    out[0] = (char)('3' + step);
    *out_size = 1;
    return step < 7;
}

static bool does_what_cards_need(void)
{
    static const struct text vip = { "vip", 3 };
    return DECIDED(issue, &latest, REFUSAL_NONE,
                   (struct issue_request){
                       .card = { "3", 1 }, .count = 7, .number_after = number_after, .check_valid = true }) &&
           DECIDED(card_act, &latest, REFUSAL_NONE,
                   (struct card_act_request){ .act = CARD_ACT_CLOSE, .card = { "1", 1 } }) &&
           DECIDED(card_replace, &latest, REFUSAL_NONE,
                   (struct card_replace_request){
                       .old_card = { "1", 1 }, .new_card = { "3", 1 }, .check_valid = true }) &&
           DECIDED(card_add, &latest, REFUSAL_NONE,
                   (struct card_add_request){
                       .card = { "1", 1 }, .new_card = { "3", 1 }, .check_valid = true }) &&
           DECIDED(tag, &latest, REFUSAL_NONE,
                   (struct tag_request){ .card = { "1", 1 }, .set_count = 1, .set = &vip }) &&
           DECIDED(activate, &latest, REFUSAL_NONE,
                   (struct activate_request){ .card = { "1", 1 }, .offer = { "double", 6 } }) &&
           DECIDED(pin_set, &latest, REFUSAL_NONE,
                   (struct pin_set_request){ .card = { "1", 1 }, .pin.set = true }) &&
           DECIDED(pin_try, &latest, REFUSAL_NONE, (struct pin_try_request){ .card = { "2", 1 } });
}

/* Two years on, all that was earned has expired. */
static bool lets_a_day_pass(void)
{
    struct balance balance;
    static struct account copy;
    bool due = decide_day(&view, NOW + 730 * US_PER_DAY, 1, &latest);
    account_copy(&accounts[0], &copy);
    account_on_day(&programme, calendar_day(&programme.calendar, NOW) + 730, &copy, &latest);
    points_balance(&copy, calendar_day(&programme.calendar, NOW) + 730, &balance);
    return decided("day", &latest, REFUSAL_NONE) && due && balance.available == 0 &&
           balance.held == 10 * POINT;
}

int main(void)
{
    if (!counts()) {
        fprintf(stderr, "allocations are not counted\n");
        return 1;
    }
    set_programme();
    for (uint32_t i = 0; i < CARDS; i++) {
        account_new(i + 1, &accounts[i]);
        accounts[i].card_count = 1;
    }
    accounts[1].pin.set = true;
    if (!buys_and_redeems() || !ends_a_hold() || !takes_goods_back() || !does_what_the_office_wants() ||
        !does_what_cards_need() || !lets_a_day_pass())
        return 1;
    printf("%u decisions, no allocation\n", made);
    return 0;
}
