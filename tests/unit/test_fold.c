/*
 * State as the fold of all events: what each type of event leaves behind, and events that do not fit.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fold_acts.h"
#include "ledger/fold_internal.h"
#include "ledger/sha256.h"

/* --- cards and accounts --- */

static void a_card_is_issued_with_its_welcome(void **state)
{
    (void)state;
    struct fold_world *world = fold_world_new();
    struct card card;
    assert_true(issue(world, "100") != 0);
    assert_true(fold_card(world->live.fold, text_of("100"), &card));
    assert_int_equal(card.id, 1);
    assert_int_equal(card.account, 1);
    assert_int_equal(card.status, CARD_ACTIVE);
    assert_int_equal(account_of(world, "100").balance, 5000);
    assert_int_equal(world->live.fold->totals.moved[MOVEMENT_BONUS], 5000);
    fold_world_check(world);
    fold_world_free(world);
}

/* DOMAIN.md, Cards and accounts: an advice for an unknown card waits under its number until the card is issued. */
static void suspense_joins_when_the_card_is_issued(void **state)
{
    (void)state;
    struct fold_world *world = fold_world_new();
    struct card card;
    world->judgement.flags = EVENT_FLAG_ADVICE;
    assert_true(buy(world, "900", 1000, "1", NULL) != 0);
    assert_true(buy(world, "900", 500, "2", NULL) != 0);
    assert_true(fold_card(world->live.fold, text_of("900"), &card));
    assert_int_equal(card.status, CARD_SUSPENSE);
    assert_true(account_of(world, "900").suspense);
    assert_int_equal(world->live.fold->totals.accounts, 1);
    world->judgement.flags = 0;
    assert_true(issue(world, "900") != 0);
    assert_true(fold_card(world->live.fold, text_of("900"), &card));
    assert_int_equal(card.status, CARD_ACTIVE);
    assert_int_equal(card.account, 1);
    struct account account = account_of(world, "900");
    assert_false(account.suspense);
    assert_int_equal(account.balance, 15000 + 5000); /* 10.00 and 5.00 spent, and the welcome */
    assert_int_equal(world->live.fold->totals.cards, 1);
    fold_world_check(world);
    fold_world_free(world);
}

/* DOMAIN.md, Cards and accounts: a blocked card may not earn here; its points join when it is unblocked. */
static void suspense_joins_when_the_card_is_unblocked(void **state)
{
    (void)state;
    struct fold_world *world = fold_world_new();
    struct card card;
    assert_true(issue(world, "100") != 0);
    act_on_card(world, "100", CARD_ACT_BLOCK);
    world->judgement.flags = EVENT_FLAG_ADVICE;
    assert_true(buy(world, "100", 1000, "1", NULL) != 0);
    world->judgement.flags = 0;
    assert_true(fold_card(world->live.fold, text_of("100"), &card));
    assert_int_equal(card.suspense, 2);
    assert_int_equal(account_of(world, "100").balance, 5000);
    fold_world_check(world);
    act_on_card(world, "100", CARD_ACT_UNBLOCK);
    assert_true(fold_card(world->live.fold, text_of("100"), &card));
    assert_int_equal(card.suspense, 0);
    assert_int_equal(card.status, CARD_ACTIVE);
    assert_int_equal(account_of(world, "100").balance, 15000);
    struct account absorbed;
    assert_true(fold_account(world->live.fold, 2, &absorbed));
    assert_int_equal(absorbed.number, 1);
    assert_int_equal(absorbed.lot_offset, 1); /* its first lot is the second here */
    fold_world_check(world);
    fold_world_free(world);
}

static void cards_are_replaced_added_and_merged(void **state)
{
    (void)state;
    struct fold_world *world = fold_world_new();
    struct card card;
    assert_true(issue(world, "100") != 0 && issue(world, "200") != 0);
    assert_true(buy(world, "200", 1000, "1", NULL) != 0);
    struct card_replace_request replace = {
        .old_card = text_of("100"), .new_card = text_of("101"), .check_valid = true, .reason = GOODWILL
    };
    (void)must(world, by_card_replace, &replace);
    struct card_add_request more = { .card = text_of("101"),
                                     .new_card = text_of("102"),
                                     .check_valid = true };
    (void)must(world, by_card_add, &more);
    assert_true(fold_card(world->live.fold, text_of("100"), &card));
    assert_int_equal(card.status, CARD_REPLACED);
    assert_int_equal(card.account, 1);
    assert_true(fold_card(world->live.fold, text_of("102"), &card));
    assert_int_equal(card.id, 4);
    assert_int_equal(account_of(world, "101").card_count, 2);
    struct merge_request merge = { .from_card = text_of("200"),
                                   .to_card = text_of("102"),
                                   .reason = GOODWILL };
    (void)must(world, by_merge, &merge);
    assert_int_equal(account_of(world, "200").number, 1);
    assert_int_equal(account_of(world, "200").card_count, 3);
    assert_int_equal(account_of(world, "100").balance, 5000 + 5000 + 10000);
    (void)must(world, by_merge, &merge); /* again: nothing changes */
    assert_int_equal(account_of(world, "200").card_count, 3);
    fold_world_check(world);
    fold_world_free(world);
}

/* --- holds and rewards --- */

struct holds_seen {
    uint32_t count;
    journal_position last;
    struct open_hold open;
};

static void see_hold(void *ctx, journal_position position, const struct open_hold *open)
{
    struct holds_seen *seen = ctx;
    seen->count++;
    seen->last = position;
    seen->open = *open;
}

static struct holds_seen open_holds(struct fold_world *world)
{
    struct holds_seen seen = { 0 };
    fold_state_reload(&world->live);
    assert_true(fold_open_holds(world->live.fold, see_hold, &seen));
    return seen;
}

/* DOMAIN.md, Redeeming: each hold ends exactly once; a reward's stock is set aside with it. */
static void holds_begin_and_end_once(void **state)
{
    (void)state;
    struct fold_world *world = fold_world_new();
    struct hold_state held;
    uint64_t mug = programme_id(TEXT_LITERAL("mug"));
    assert_true(issue(world, "100") != 0 && adjust(world, "100", 300000) != 0);
    struct wish points = { .points = 20000 };
    struct wish mugs = { .reward = TEXT_LITERAL("mug"), .quantity = 2 };
    journal_position first = hold(world, "100", points);
    journal_position second = hold(world, "100", mugs);
    journal_position third = hold(world, "100", points);
    assert_true(first != 0 && second != 0 && third != 0);
    assert_int_equal(fold_reward_used(world->live.fold, mug), 2);
    assert_int_equal(open_holds(world).count, 3);
    journal_position captured = capture(world, "100", second, 0);
    assert_true(captured != 0);
    assert_int_equal(fold_reward_used(world->live.fold, mug), 2);
    assert_true(release(world, "100", first, false) != 0);
    assert_true(fold_hold(world->live.fold, second, &held));
    assert_int_equal(held.end, HOLD_CAPTURED);
    assert_int_equal(held.ended_by, captured);
    assert_true(fold_hold(world->live.fold, first, &held));
    assert_int_equal(held.end, HOLD_RELEASED);
    struct holds_seen seen = open_holds(world);
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.last, third);
    assert_int_equal(seen.open.account, 1);
    pass_days(world, 1);
    assert_true(release(world, "", third, true) != 0);
    assert_true(fold_hold(world->live.fold, third, &held));
    assert_int_equal(held.end, HOLD_TIMED_OUT);
    assert_int_equal(open_holds(world).count, 0);
    assert_true(undo(world, captured) != 0);
    assert_int_equal(fold_reward_used(world->live.fold, mug), 0);
    assert_int_equal(account_of(world, "100").balance, 305000);
    fold_world_check(world);
    fold_world_free(world);
}

/* --- undoing --- */

/* DOMAIN.md, Undoing: the opposite event, both linked; only what stands occupies its key (LEDGER.md). */
static void a_reversal_links_both_and_frees_the_key(void **state)
{
    (void)state;
    struct fold_world *world = fold_world_new();
    struct returned *returned = calloc(1, sizeof(*returned));
    assert_non_null(returned);
    struct document key = { .kind = DOCUMENT_SALE,
                            .store = TEXT_LITERAL("1"),
                            .till = TEXT_LITERAL("7"),
                            .business_date = 20000,
                            .number = TEXT_LITERAL("1") };
    assert_true(issue(world, "100") != 0);
    journal_position sale = buy(world, "100", 10000, "1", NULL);
    assert_int_equal(fold_document(world->live.fold, &key), sale);
    journal_position back = bring_back(world, "100", sale, 4000);
    assert_true(back != 0);
    assert_true(fold_returned(world->live.fold, sale, returned));
    assert_int_equal(returned->returns, 1);
    assert_int_equal(returned->due, 40000);
    journal_position undone = undo(world, back);
    assert_true(undone != 0);
    assert_int_equal(fold_reversed_by(world->live.fold, back), undone);
    assert_true(fold_returned(world->live.fold, sale, returned));
    assert_int_equal(returned->returns, 0);
    assert_int_equal(returned->due, 0);
    undone = undo(world, sale);
    assert_true(undone != 0);
    assert_int_equal(fold_reversed_by(world->live.fold, sale), undone);
    assert_true(fold_returned(world->live.fold, sale, returned));
    assert_true(returned->reversed);
    assert_int_equal(fold_document(world->live.fold, &key), 0);
    assert_int_equal(account_of(world, "100").balance, 5000);
    fold_world_check(world);
    free(returned);
    fold_world_free(world);
}

/* DOMAIN.md, Undoing: never seen: a tombstone, which the number finds when it comes. */
static void a_tombstone_waits_for_its_number(void **state)
{
    (void)state;
    struct fold_world *world = fold_world_new();
    struct lane_record lane;
    struct reversal_request request = { .original = { .identity = 1, .epoch = 77, .number = 9 },
                                        .amount = -1 };
    journal_position tombstone = must(world, by_reversal, &request);
    assert_int_equal(fold_request(world->live.fold, 1, 77, 9), tombstone);
    assert_true(fold_lane(world->live.fold, 1, 77, &lane));
    assert_true(lane.tombstones);
    assert_int_equal(lane.highest, 1);
    assert_true(issue(world, "100") != 0);
    assert_true(fold_lane(world->live.fold, 1, 77, &lane));
    assert_true(lane.tombstones);
    assert_int_equal(lane.highest, 2);
    assert_int_equal(fold_request(world->live.fold, 1, 77, 9), tombstone);
    fold_world_free(world);
}

struct waiting_seen {
    uint32_t count;
    journal_position newest;
};

static void see_waiting(void *ctx, journal_position newest)
{
    struct waiting_seen *seen = ctx;
    seen->count++;
    seen->newest = newest;
}

static void waiting_returns_are_chained(void **state)
{
    (void)state;
    struct fold_world *world = fold_world_new();
    struct document sale = { .kind = DOCUMENT_SALE,
                             .store = TEXT_LITERAL("1"),
                             .till = TEXT_LITERAL("7"),
                             .business_date = 20000,
                             .number = TEXT_LITERAL("5") };
    struct event event = { .type = EVENT_RETURN_WAITING,
                           .time = FOLD_WORLD_START,
                           .request = { .identity = 1, .epoch = 5, .number = 1 },
                           .waiting = { .sale = sale, .card = TEXT_LITERAL("100"), .amount = 100 } };
    journal_position first = fold_world_book(world, &event);
    assert_int_equal(fold_waiting(world->live.fold, &sale), first);
    event.request.number = 2;
    (void)fold_world_prepare(world, &event);
    assert_false(fold_world_fits(world, &event, 5000)); /* it must name the first */
    event.waiting.previous = first;
    journal_position second = fold_world_book(world, &event);
    assert_int_equal(fold_waiting(world->live.fold, &sale), second);
    struct waiting_seen seen = { 0 };
    fold_state_reload(&world->live);
    assert_true(fold_all_waiting(world->live.fold, see_waiting, &seen));
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.newest, second);
    assert_int_equal(fold_waiting(world->live.fold, &sale), second);
    /* What is said later about the number: it leads there, and the lane stays where it is. */
    struct event refusal = { .type = EVENT_REFUSAL, .time = FOLD_WORLD_START, .request = event.request };
    refusal.request.number = 1;
    refusal.refusal.result = 1;
    journal_position later = fold_world_book(world, &refusal);
    struct lane_record lane;
    assert_true(fold_lane(world->live.fold, 1, 5, &lane));
    assert_int_equal(lane.highest, 2);
    assert_int_equal(fold_request(world->live.fold, 1, 5, 1), later);
    assert_int_equal(fold_request(world->live.fold, 1, 5, 2), second);
    fold_world_free(world);
}

/* --- the day of a till --- */

/* LEDGER.md, End of day: counts and sums by kind, first and last number, XOR over what was booked. */
static void a_till_day_adds_up(void **state)
{
    (void)state;
    struct fold_world *world = fold_world_new();
    struct fold *fold = world->live.fold;
    struct till_day day;
    assert_true(issue(world, "100") != 0);
    journal_position sales[3];
    uint8_t want[TILL_HASH_SIZE] = { 0 };
    for (size_t i = 0; i < COUNT_OF(sales); i++) {
        char number[8];
        snprintf(number, sizeof(number), "%zu", i);
        sales[i] = buy(world, "100", 1000, number, NULL);
        assert_true(sales[i] != 0);
        const struct request_name *request = &fold_world_read(world, 1, sales[i])->request;
        uint8_t hash[SHA256_SIZE];
        uint8_t bytes[32] = { (uint8_t)request->epoch, [8] = (uint8_t)request->number };
        memcpy(bytes + 16, request->fingerprint, 16);
        sha256_begin(&fold->sha256);
        sha256_add(&fold->sha256, bytes, sizeof(bytes));
        sha256_end(&fold->sha256, hash);
        for (size_t j = 0; j < TILL_HASH_SIZE; j++)
            want[j] ^= hash[j];
    }
    assert_true(fold_till_day(fold, text_of("1"), text_of("7"), 20000, &day));
    assert_memory_equal(day.hash, want, sizeof(want));
    assert_int_equal(day.sums[TILL_PURCHASES].count, 3);
    assert_int_equal(day.sums[TILL_PURCHASES].amount, 3000);
    assert_int_equal(day.sums[TILL_PURCHASES].points, 30000);
    assert_int_equal(day.epoch_count, 1);
    assert_int_equal(day.epochs[0].epoch, 77);
    assert_int_equal(day.epochs[0].first, 2);
    assert_int_equal(day.epochs[0].last, 4);
    assert_false(fold_till_day(fold, text_of("1"), text_of("7"), 20001, &day));
    struct key key = key_day_counts(fold_world_read(world, 1, sales[0])->day, text_of("1"), 0);
    const struct report_slot *slot = reports_find(fold, REPORT_DAY_COUNTS, &key);
    assert_true(slot->known);
    assert_int_equal(slot->day_counts.events[EVENT_PURCHASE], 3);
    assert_int_equal(slot->day_counts.spend, 3000);
    assert_int_equal(slot->day_counts.moved[MOVEMENT_EARNED], 30000);
    fold_world_free(world);
}

/* More tills than there are slots: what gives way is stored, and found again. */
static void reports_outlive_their_slots(void **state)
{
    (void)state;
    struct fold_world *world = fold_world_new();
    struct till_day day;
    char till[12];
    struct event event = { .type = EVENT_RETURN_WAITING,
                           .time = FOLD_WORLD_START,
                           .store = TEXT_LITERAL("1"),
                           .request = { .identity = 1, .epoch = 5 },
                           .waiting = { .sale = { .kind = DOCUMENT_SALE }, .card = TEXT_LITERAL("1") } };
    for (uint32_t i = 0; i < 3 * REPORT_SLOTS; i++) {
        snprintf(till, sizeof(till), "%u", i % (2 * REPORT_SLOTS));
        event.till = text_of(till);
        event.request.number++;
        event.waiting.amount = i;
        event.waiting.previous = fold_waiting(world->live.fold, &event.waiting.sale);
        (void)fold_world_book(world, &event);
    }
    for (uint32_t i = 0; i < 2 * REPORT_SLOTS; i++) {
        snprintf(till, sizeof(till), "%u", i);
        assert_true(fold_till_day(world->live.fold, text_of("1"), text_of(till), 0, &day));
        assert_int_equal(day.sums[TILL_RETURNS].count, i < REPORT_SLOTS ? 2 : 1);
        assert_int_equal(day.sums[TILL_RETURNS].amount, i < REPORT_SLOTS ? 2 * i + 2 * REPORT_SLOTS : i);
    }
    fold_world_free(world);
}

/* --- events that do not fit --- */

enum wrong {
    WRONG_NOTHING,
    WRONG_SEQUENCE,
    WRONG_ACCOUNT,
    WRONG_PREVIOUS,
    WRONG_BALANCE,
    WRONG_CHANGE,
    WRONG_EARNED,
    WRONG_REDEEMED,
    WRONG_LOT,
    WRONG_EXPIRED,
    WRONG_SUSPENSE,
    WRONG_TYPE,
};

static const struct {
    const char *what;
    enum wrong wrong;
} wrongs[] = {
    { "as it is", WRONG_NOTHING },
    { "another number in the sequence", WRONG_SEQUENCE },
    { "an account that is not there", WRONG_ACCOUNT },
    { "not the account's last event", WRONG_PREVIOUS },
    { "before + change is not after", WRONG_BALANCE },
    { "the lots do not add up to the balance", WRONG_CHANGE },
    { "the detail says more than the effect", WRONG_EARNED },
    { "a redemption that took nothing", WRONG_REDEEMED },
    { "points out of a lot that is not there", WRONG_LOT },
    { "a lot that expires in passing", WRONG_EXPIRED },
    { "an account made that is not the next", WRONG_SUSPENSE },
    { "another type", WRONG_TYPE },
};

static void make_wrong(struct event *event, enum wrong wrong, struct redemption *redemption)
{
    struct effect *effect = &event->effects[0];
    if (wrong == WRONG_SEQUENCE)
        event->sequence++;
    if (wrong == WRONG_ACCOUNT)
        effect->account = 77;
    if (wrong == WRONG_PREVIOUS)
        effect->previous--;
    if (wrong == WRONG_BALANCE)
        effect->balance++;
    if (wrong == WRONG_CHANGE) {
        effect->change += 1000;
        effect->balance += 1000;
        event->purchase.earned += 1000;
    }
    if (wrong == WRONG_EARNED)
        event->purchase.earned += 1000;
    if (wrong == WRONG_REDEEMED) {
        *redemption = (struct redemption){ .points = 1000 };
        event->purchase.redemptions = redemption;
        event->purchase.redemption_count = 1;
    }
    if (wrong == WRONG_LOT)
        effect->lot_changes[0].kind = LOT_TAKE;
    if (wrong == WRONG_EXPIRED)
        effect->lot_changes[0].kind = LOT_EXPIRE;
    if (wrong == WRONG_SUSPENSE)
        event->suspense.number = TEXT_LITERAL("555");
    if (wrong == WRONG_TYPE)
        event->type = EVENT_REDEMPTION;
}

static void wrong_events_do_not_fit(void **state)
{
    (void)state;
    struct fold_world *world = fold_world_new();
    assert_true(issue(world, "100") != 0);
    for (size_t i = 0; i < COUNT_OF(wrongs); i++) {
        struct redemption redemption;
        struct purchase_request request = { .card = text_of("100"),
                                            .amount = 1000,
                                            .document = { .kind = DOCUMENT_SALE } };
        assert_int_equal(fold_world_decide(world, by_purchase, &request), REFUSAL_NONE);
        struct event *event = &world->decision->event;
        journal_position position = fold_world_prepare(world, event);
        make_wrong(event, wrongs[i].wrong, &redemption);
        if (fold_world_fits(world, event, position) != (wrongs[i].wrong == WRONG_NOTHING))
            fail_msg("%s", wrongs[i].what);
    }
    fold_world_free(world);
}

/* Details that contradict state: a world with card 100 of account 1, and its welcome of 5 points. */
#define NO_EFFECT                                                                                            \
    {                                                                                                        \
        .account = 1, .balance = 5000                                                                        \
    }

static void assert_none_fits(const struct event *events, size_t count)
{
    struct fold_world *world = fold_world_new();
    assert_true(issue(world, "100") != 0);
    for (size_t i = 0; i < count; i++) {
        struct event event = events[i];
        journal_position position = fold_world_prepare(world, &event);
        if (fold_world_fits(world, &event, position))
            fail_msg("a wrong %s fits (row %zu)", event_type_name(event.type), i);
    }
    fold_world_free(world);
}

static void wrong_cards_do_not_fit(void **state)
{
    (void)state;
    const struct event events[] = {
        { .type = EVENT_CARDS_ISSUED, .cards_issued = { .first_account = 3, .first_card = 2, .count = 0 } },
        { .type = EVENT_CARD_STATUS,
          .card_status = { .number = TEXT_LITERAL("100"), .before = CARD_BLOCKED, .after = CARD_ACTIVE } },
        { .type = EVENT_CARD_STATUS,
          .card_status = { .number = TEXT_LITERAL("1"), .before = CARD_ACTIVE, .after = CARD_BLOCKED } },
        { .type = EVENT_CARD_REPLACED,
          .card_replaced = { .old_number = TEXT_LITERAL("100"),
                             .new_number = TEXT_LITERAL("2"),
                             .new_card = 5 } },
        { .type = EVENT_CARD_ADDED,
          .effect_count = 1,
          .effects = { NO_EFFECT },
          .card_added = { .number = TEXT_LITERAL("100"), .card = 2 } },
        { .type = EVENT_MERGE, .merge = { .source = 1, .target = 2 } },
        { .type = EVENT_PROGRAMME, .programme = { .version = 3, .text = GOODWILL } },
    };
    assert_none_fits(events, COUNT_OF(events));
}

static void wrong_acts_do_not_fit(void **state)
{
    (void)state;
    struct account_change ended = { .kind = CHANGE_HOLD_ENDED, .position = 3 };
    const struct event events[] = {
        { .type = EVENT_RELEASE,
          .effect_count = 1,
          .effects = { { .account = 1, .balance = 5000, .change_count = 1, .changes = &ended } },
          .release = { .hold = 3 } },
        { .type = EVENT_RETURN, .goods_return = { .sale = 0 } },
        { .type = EVENT_REVERSAL, .reversal = { .of = 0, .outcome = REVERSAL_DONE } },
        { .type = EVENT_REVERSAL,
          .reversal = { .of = 1,
                        .outcome = REVERSAL_DONE,
                        .frees = { .kind = DOCUMENT_SALE,
                                   .business_date = 1,
                                   .number = TEXT_LITERAL("1") } } },
        { .type = EVENT_TOMBSTONE, /* its number came before */
          .reversal = { .original = { .identity = 1, .epoch = 77, .number = 1 },
                        .outcome = REVERSAL_TOMBSTONE } },
        { .type = EVENT_WRITE_OFF,
          .effect_count = 1,
          .effects = { NO_EFFECT },
          .write_off = { .points = 1 } },
        { .type = EVENT_BONUS, .effect_count = 1, .effects = { NO_EFFECT }, .bonus = { .points = 1 } },
        { .type = EVENT_TRANSFER, .effect_count = 1, .effects = { NO_EFFECT }, .transfer = { .points = 0 } },
        { .type = EVENT_DAY, .effect_count = 1, .effects = { NO_EFFECT }, .day_run = { .expired = 1 } },
    };
    assert_none_fits(events, COUNT_OF(events));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_card_is_issued_with_its_welcome),
        cmocka_unit_test(suspense_joins_when_the_card_is_issued),
        cmocka_unit_test(suspense_joins_when_the_card_is_unblocked),
        cmocka_unit_test(cards_are_replaced_added_and_merged),
        cmocka_unit_test(holds_begin_and_end_once),
        cmocka_unit_test(a_reversal_links_both_and_frees_the_key),
        cmocka_unit_test(a_tombstone_waits_for_its_number),
        cmocka_unit_test(waiting_returns_are_chained),
        cmocka_unit_test(a_till_day_adds_up),
        cmocka_unit_test(reports_outlive_their_slots),
        cmocka_unit_test(wrong_events_do_not_fit),
        cmocka_unit_test(wrong_cards_do_not_fit),
        cmocka_unit_test(wrong_acts_do_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
