#include "points_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POSITION_STEP 100

/* --- look-ups --- */

static struct card *find_card(struct world *world, struct text number)
{
    for (uint32_t i = 0; i < world->card_count; i++) {
        if (text_equal(text_of(world->numbers[i]), number))
            return &world->cards[i];
    }
    return NULL;
}

static struct world_event *find_event(struct world *world, journal_position position)
{
    uint64_t index = position / POSITION_STEP;
    return position % POSITION_STEP == 0 && index >= 1 && index <= world->event_count
               ? world->events[index - 1]
               : NULL;
}

static struct account *find_account(struct world *world, account_number number)
{
    assert_in_range(number, 1, world->account_count);
    return &world->accounts[number - 1];
}

static bool view_card(void *ctx, struct text number, struct card *out)
{
    struct card *card = find_card(ctx, number);
    if (card != NULL)
        *out = *card;
    return card != NULL;
}

static bool view_account(void *ctx, account_number number, struct account *out)
{
    struct world *world = ctx;
    if (number < 1 || number > world->account_count)
        return false;
    const struct account *account = find_account(world, number);
    uint32_t lot_offset = 0;
    while (account->merged_into != 0) {
        lot_offset += account->lot_offset;
        account = find_account(world, account->merged_into);
    }
    account_copy(account, out);
    out->lot_offset = lot_offset;
    return true;
}

static bool view_returned(void *ctx, journal_position position, struct returned *out)
{
    const struct world_event *sale = find_event(ctx, position);
    if (sale == NULL || !sale->became)
        return false;
    *out = *sale->returned;
    return true;
}

static struct hold_state *find_hold(struct world *world, journal_position position)
{
    for (uint32_t i = 0; i < world->hold_count; i++) {
        if (world->hold_ids[i] == position)
            return &world->holds[i];
    }
    return NULL;
}

static bool view_hold(void *ctx, journal_position position, struct hold_state *out)
{
    const struct hold_state *hold = find_hold(ctx, position);
    if (hold != NULL)
        *out = *hold;
    return hold != NULL;
}

static int64_t view_reward_used(void *ctx, uint64_t reward)
{
    const struct world *world = ctx;
    for (uint32_t i = 0; i < world->reward_count; i++) {
        if (world->reward_ids[i] == reward)
            return world->rewards_used[i];
    }
    return 0;
}

static journal_position view_reversed_by(void *ctx, journal_position original)
{
    const struct world_event *event = find_event(ctx, original);
    return event == NULL ? 0 : event->reversed_by;
}

static const struct programme *view_programme(void *ctx, uint32_t version, utc_us time)
{
    struct world *world = ctx;
    uint32_t later = world->later_count;
    if (version == 0) {
        while (later > 0 && world->later[later - 1].from > time)
            later--;
        version = later + 1;
    }
    if (version == 1)
        return &world->programme;
    return version - 2 < world->later_count ? &world->later[version - 2] : NULL;
}

static account_number view_next_account(void *ctx)
{
    return ((struct world *)ctx)->account_count + 1;
}

static card_id view_next_card(void *ctx)
{
    return ((struct world *)ctx)->card_count + 1;
}

/* --- the world --- */

struct text world_card(uint32_t index)
{
    static const char *const numbers[] = { "1", "2", "3", "4", "5", "6", "7", "8", "9" };
    assert_in_range(index, 0, COUNT_OF(numbers) - 1);
    return text_of(numbers[index]);
}

static struct account *make_account(struct world *world)
{
    assert_true(world->account_count < WORLD_ACCOUNTS_MAX);
    struct account *account = &world->accounts[world->account_count++];
    account_new(world->account_count, account);
    return account;
}

static struct card *make_card(struct world *world, struct text number, account_number account)
{
    assert_true(world->card_count < WORLD_ACCOUNTS_MAX && number.size < sizeof(world->numbers[0]));
    assert_null(find_card(world, number));
    memcpy(world->numbers[world->card_count], number.data, number.size);
    struct card *card = &world->cards[world->card_count++];
    *card = (struct card){ .id = world->card_count, .account = account, .status = CARD_ACTIVE };
    return card;
}

struct world *world_new(uint32_t card_count)
{
    struct world *world = calloc(1, sizeof(*world));
    assert_non_null(world);
    world->view = (struct points_view){ .ctx = world,
                                        .card = view_card,
                                        .account = view_account,
                                        .returned = view_returned,
                                        .hold = view_hold,
                                        .reward_used = view_reward_used,
                                        .reversed_by = view_reversed_by,
                                        .programme = view_programme,
                                        .next_account = view_next_account,
                                        .next_card = view_next_card };
    programme_default(&world->programme);
    world->programme.version = 1;
    world->now = WORLD_START;
    for (uint32_t i = 0; i < card_count; i++) {
        struct account *account = make_account(world);
        account->card_count = 1;
        make_card(world, world_card(i), account->number);
    }
    return world;
}

void world_free(struct world *world)
{
    for (uint32_t i = 0; i < world->block_count; i++)
        free(world->blocks[i]);
    free(world);
}

struct programme *world_publish(struct world *world)
{
    assert_true(world->later_count < WORLD_PROGRAMMES_MAX);
    struct programme *made = &world->later[world->later_count];
    *made = *view_programme(world, world->later_count + 1, 0);
    world->later_count++;
    made->version = world->later_count + 1;
    made->from = world->now;
    return made;
}

local_day world_today(const struct world *world)
{
    const struct programme *programme = world->view.programme(world->view.ctx, 0, world->now);
    return calendar_day(&programme->calendar, world->now);
}

void world_go_to(struct world *world, int32_t year, uint32_t month, uint32_t day)
{
    struct civil_date date = { .year = year, .month = month, .day = day };
    utc_us noon = day_from_civil(date) * US_PER_DAY + US_PER_DAY / 2;
    assert_true(noon >= world->now);
    world->now = noon;
}

/* --- what is kept of an event --- */

static void *keep(struct world *world, size_t size)
{
    void *block = calloc(1, size);
    assert_non_null(block);
    assert_true(world->block_count < COUNT_OF(world->blocks));
    world->blocks[world->block_count++] = block;
    return block;
}

static void *keep_copy(struct world *world, const void *bytes, size_t size)
{
    if (size == 0)
        return NULL;
    void *copy = keep(world, size);
    memcpy(copy, bytes, size);
    return copy;
}

/* Gives an array of the kept event, with its count, a copy of its own. */
#define KEEP(from, array, count)                                                                             \
    (from)->array = keep_copy(world, (from)->array, (from)->count * sizeof((from)->array[0]))

static void keep_goods(struct world *world, struct goods_return *goods)
{
    KEEP(goods, lines, line_count);
    KEEP(goods, sale_lines, sale_line_count);
    KEEP(goods, backs, back_count);
}

static void keep_purchase(struct world *world, struct purchase *purchase)
{
    KEEP(purchase, lines, line_count);
    KEEP(purchase, tenders, tender_count);
    KEEP(purchase, coupons, coupon_count);
    KEEP(purchase, parts, part_count);
    KEEP(purchase, redemptions, redemption_count);
}

static struct world_event *keep_event(struct world *world, const struct event *from)
{
    struct world_event *kept = keep(world, sizeof(*kept));
    assert_true(world->event_count < WORLD_EVENTS_MAX);
    world->events[world->event_count++] = kept;
    world->position += POSITION_STEP;
    kept->position = world->position;
    kept->event = *from;
    struct event *event = &kept->event;
    for (uint32_t i = 0; i < event->effect_count; i++) {
        struct effect *effect = &event->effects[i];
        KEEP(effect, lot_changes, lot_change_count);
        KEEP(effect, changes, change_count);
    }
    if (event->type == EVENT_PURCHASE) {
        keep_purchase(world, &event->purchase);
        kept->returned = keep(world, sizeof(*kept->returned));
        world->sales[world->sale_count++] = kept;
    }
    if (event->type == EVENT_RETURN || event->type == EVENT_UNLINKED_RETURN)
        keep_goods(world, &event->goods_return);
    if (event->type == EVENT_REVERSAL)
        keep_goods(world, &event->reversal.goods);
    if (event->type == EVENT_RETURN_WAITING)
        KEEP(&event->waiting, lines, line_count);
    return kept;
}

/* --- folding: cards --- */

static account_number absorbed_by(const struct event *event)
{
    for (uint32_t i = 0; event->effect_count > 0 && i < event->effects[0].change_count; i++) {
        if (event->effects[0].changes[i].kind == CHANGE_ABSORB)
            return event->effects[0].changes[i].id;
    }
    return 0;
}

static void fold_suspense(struct world *world, const struct event *event)
{
    struct account *account = make_account(world);
    account->suspense = true;
    assert_int_equal(account->number, event->effects[0].account);
    struct card *card = find_card(world, event->suspense.number);
    assert_int_equal(card == NULL, event->suspense.new_card);
    if (card == NULL) {
        make_card(world, event->suspense.number, account->number)->status = CARD_SUSPENSE;
    } else {
        assert_int_equal(card->suspense, 0);
        card->suspense = account->number;
    }
}

/* A number that becomes a card; one in suspense is one already. */
static void fold_new_card(struct world *world, struct text number, card_id id, account_number account)
{
    struct card *card = find_card(world, number);
    if (card == NULL)
        card = make_card(world, number, account);
    else
        assert_int_equal(card->status, CARD_SUSPENSE);
    assert_int_equal(card->id, id);
    card->status = CARD_ACTIVE;
    card->account = account;
}

/* Numbers of a range are digits, and count on. */
static void fold_issued(struct world *world, const struct event *event)
{
    account_number first = event->cards_issued.first_account;
    if (event->cards_issued.joins) {
        fold_new_card(world, event->cards_issued.number, event->cards_issued.first_card, first);
        return;
    }
    char number[33] = { 0 };
    memcpy(number, event->cards_issued.number.data, event->cards_issued.number.size);
    unsigned long long digits = strtoull(number, NULL, 10);
    for (uint32_t i = 0; i < event->cards_issued.count; i++) {
        struct account *account = make_account(world);
        assert_int_equal(account->number, first + i);
        account->card_count = 1;
        if (event->cards_issued.welcome.points > 0) {
            account->lots[account->lot_count++] = event->cards_issued.welcome;
            account->next_lot = 2;
            account->balance = event->cards_issued.welcome.points;
        }
        if (i > 0)
            (void)snprintf(number, sizeof(number), "%0*llu", (int)event->cards_issued.number.size,
                           digits + i);
        fold_new_card(world, text_of(number), event->cards_issued.first_card + i, account->number);
    }
}

static void fold_status(struct world *world, const struct event *event)
{
    struct card *card = find_card(world, event->card_status.number);
    assert_non_null(card);
    assert_int_equal(card->status, event->card_status.before);
    if (card->suspense != 0 && card->suspense == absorbed_by(event))
        card->suspense = 0;
    card->status = event->card_status.after;
}

static void fold_replaced(struct world *world, const struct event *event)
{
    struct card *old = find_card(world, event->card_replaced.old_number);
    assert_non_null(old);
    account_number waits = old->suspense == absorbed_by(event) ? 0 : old->suspense;
    old->suspense = 0;
    old->status = CARD_REPLACED;
    fold_new_card(world, event->card_replaced.new_number, event->card_replaced.new_card, old->account);
    find_card(world, event->card_replaced.new_number)->suspense = waits;
}

static void fold_cards(struct world *world, const struct event *event)
{
    if (event->type == EVENT_CARDS_ISSUED)
        fold_issued(world, event);
    else if (event->type == EVENT_CARD_ADDED)
        fold_new_card(world, event->card_added.number, event->card_added.card, event->effects[0].account);
    else if (event->type == EVENT_CARD_STATUS)
        fold_status(world, event);
    else if (event->type == EVENT_CARD_REPLACED)
        fold_replaced(world, event);
}

/* --- folding: rewards, holds, purchases --- */

static void add_used(struct world *world, uint64_t reward, int64_t quantity)
{
    if (reward == 0)
        return;
    uint32_t index = 0;
    while (index < world->reward_count && world->reward_ids[index] != reward)
        index++;
    if (index == world->reward_count) {
        assert_true(world->reward_count < WORLD_REWARDS_MAX);
        world->reward_ids[world->reward_count++] = reward;
    }
    world->rewards_used[index] += quantity;
    assert_true(world->rewards_used[index] >= 0);
}

static void add_backs(struct world *world, const struct goods_return *goods, int64_t sign)
{
    for (uint32_t i = 0; i < goods->back_count; i++)
        add_used(world, goods->backs[i].reward, sign * goods->backs[i].quantity);
}

static void fold_rewards(struct world *world, const struct event *event)
{
    if (event->type == EVENT_REDEMPTION || event->type == EVENT_CAPTURE)
        add_used(world, event->redemption.made.reward, event->redemption.made.quantity);
    if (event->type == EVENT_RETURN)
        add_backs(world, &event->goods_return, -1);
    if (event->type == EVENT_REVERSAL)
        add_backs(world, &event->reversal.goods, event->reversal.undoes_return ? 1 : -1);
    if (event->type != EVENT_PURCHASE)
        return;
    for (uint32_t i = 0; i < event->purchase.redemption_count; i++)
        add_used(world, event->purchase.redemptions[i].reward, event->purchase.redemptions[i].quantity);
}

static enum hold_end end_of(const struct event *event)
{
    if (event->type == EVENT_PURCHASE || event->type == EVENT_CAPTURE)
        return HOLD_CAPTURED;
    return event->type == EVENT_RELEASE && event->release.timed_out ? HOLD_TIMED_OUT : HOLD_RELEASED;
}

/* Holds that an effect begins or ends; before it is applied to the account. */
static void fold_holds(struct world *world, const struct world_event *booked, const struct effect *effect)
{
    for (uint32_t i = 0; i < effect->change_count; i++) {
        const struct account_change *change = &effect->changes[i];
        if (change->kind == CHANGE_HOLD_BEGUN) {
            assert_int_equal(booked->event.type, EVENT_HOLD);
            assert_true(world->hold_count < WORLD_HOLDS_MAX);
            world->hold_ids[world->hold_count] = booked->position;
            world->holds[world->hold_count++] =
                (struct hold_state){ .account = effect->account, .deadline = change->hold.deadline };
            add_used(world, change->hold.reward, change->hold.quantity);
        }
        if (change->kind == CHANGE_HOLD_ENDED) {
            const struct hold_part *parts;
            const struct account_hold *open =
                account_hold(find_account(world, effect->account), change->position, &parts);
            struct hold_state *hold = find_hold(world, change->position);
            assert_non_null(open);
            assert_int_equal(hold->end, HOLD_OPEN);
            hold->end = end_of(&booked->event);
            hold->ended_by = booked->position;
            add_used(world, open->reward, -(int64_t)open->quantity);
        }
    }
}

/* What became of the purchase that the event refers to, and of the event that it undoes. */
static void fold_became(struct world *world, const struct world_event *booked)
{
    const struct event *event = &booked->event;
    if (event->type == EVENT_REVERSAL && event->reversal.outcome == REVERSAL_DONE) {
        struct world_event *original = find_event(world, event->reversal.of);
        assert_non_null(original);
        assert_int_equal(original->reversed_by, 0);
        original->reversed_by = booked->position;
    }
    journal_position position = event_sale(event);
    if (position == 0)
        return;
    struct world_event *sale = find_event(world, position);
    assert_non_null(sale);
    assert_non_null(sale->returned);
    assert_true(returned_apply(event, booked->position, sale->returned));
    sale->became = true;
}

/* --- booking --- */

static struct balance balance_of(struct world *world, account_number number)
{
    static struct account account;
    account_copy(find_account(world, number), &account);
    account_on_day(view_programme(world, 0, world->now), world_today(world), &account, &world->scratch);
    struct balance balance;
    points_balance(&account, world_today(world), &balance);
    assert_int_equal(balance.available + balance.pending + balance.held - balance.debt, account.balance);
    return balance;
}

static struct account *apply(struct world *world, const struct world_event *booked, uint32_t index)
{
    const struct effect *effect = &booked->event.effects[index];
    struct account *account = find_account(world, effect->account);
    fold_holds(world, booked, effect);
    account_number absorbed = index == 0 ? absorbed_by(&booked->event) : 0;
    if (absorbed != 0)
        assert_true(account_absorb(account, find_account(world, absorbed), account->next_lot - 1));
    assert_true(effect_apply(effect, booked->position, account));
    assert_int_equal(account->last_event, booked->position);
    return account;
}

static struct world_event *fold(struct world *world, const struct event *from,
                                const struct decision *decision)
{
    struct world_event *booked = keep_event(world, from);
    const struct event *event = &booked->event;
    if (event->suspense.number.size > 0)
        fold_suspense(world, event);
    for (uint32_t i = 0; i < event->effect_count; i++) {
        const struct account *account = apply(world, booked, i);
        if (decision == NULL)
            continue;
        assert_same_account(account, &decision->sides[i].after);
        struct balance balance = balance_of(world, account->number);
        assert_true(balance.available >= 0);
        assert_true(balance.debt == 0 || balance.available == 0);
    }
    fold_cards(world, event);
    fold_rewards(world, event);
    fold_became(world, booked);
    return booked;
}

struct world_event *world_book(struct world *world)
{
    return world->decision.refusal == REFUSAL_NONE ? fold(world, &world->decision.event, &world->decision)
                                                   : NULL;
}

void world_replay(struct world *world, const struct event *event)
{
    (void)fold(world, event, NULL);
}

bool world_day_first(struct world *world)
{
    if (world->decision.refusal != REFUSAL_DAY_FIRST)
        return false;
    assert_true(decide_day(&world->view, world->now, world->decision.day_first, &world->decision));
    assert_non_null(world_book(world));
    return true;
}

void world_run_days(struct world *world)
{
    for (account_number number = 1; number <= world->account_count; number++) {
        if (decide_day(&world->view, world->now, number, &world->decision))
            assert_non_null(world_book(world));
    }
}

struct balance world_balance(struct world *world, uint32_t card)
{
    account_number number = world->cards[card].account;
    while (find_account(world, number)->merged_into != 0)
        number = find_account(world, number)->merged_into;
    return balance_of(world, number);
}
