/*
 * A journal at random, of every act there is: after each event the sums hold, and what is folded from its bytes is the
 * same state, byte by byte.
 */
#include <stdio.h>
#include <string.h>

#include "fold_acts.h"
#include "random.h"

#define STEPS 4000
#define CARDS 12 /* in use at a time; every so many steps the oldest goes, and a new one comes */
#define STEPS_A_CARD 50
#define REMEMBERED 64

struct run {
    struct fold_world *world;
    struct random random;
    uint32_t steps;
    uint32_t numbers; /* of receipts given out */
    journal_position newest_hold;
    journal_position sales[REMEMBERED], holds[REMEMBERED], any[REMEMBERED];
    journal_position proposals[REMEMBERED], flags[REMEMBERED];
    uint32_t sale_count, hold_count, any_count, proposal_count, flag_count;
    uint32_t booked[EVENT_TYPE_MAX + 1];
};

static void remember(struct run *run, journal_position list[REMEMBERED], uint32_t *count,
                     journal_position position)
{
    if (position == 0)
        return;
    if (*count < REMEMBERED)
        list[(*count)++] = position;
    else
        list[random_below(&run->random, REMEMBERED)] = position;
}

static journal_position recall(struct run *run, const journal_position list[REMEMBERED], uint32_t count)
{
    return count == 0 ? 0 : list[random_below(&run->random, count)];
}

static const char *some_card(struct run *run)
{
    static char card[2][16];
    static uint32_t turn;
    turn ^= 1;
    snprintf(card[turn], sizeof(card[turn]), "%u",
             100 + run->steps / STEPS_A_CARD + (unsigned)random_below(&run->random, CARDS));
    return card[turn];
}

static struct wish some_wish(struct run *run)
{
    if (random_below(&run->random, 3) == 0)
        return (struct wish){ .reward = TEXT_LITERAL("mug"), .quantity = 1 };
    return (struct wish){ .points = 1000 * (millipoints)(1 + random_below(&run->random, 40)) };
}

static journal_position random_sale(struct run *run)
{
    char number[16];
    struct wish wish = some_wish(run);
    bool spends = random_below(&run->random, 4) == 0;
    snprintf(number, sizeof(number), "%u", ++run->numbers);
    run->world->judgement.flags = random_below(&run->random, 3) == 0 ? EVENT_FLAG_ADVICE : 0;
    journal_position sale = buy(run->world, some_card(run), (minor_units)random_below(&run->random, 20000),
                                number, spends ? &wish : NULL);
    run->world->judgement.flags = 0;
    remember(run, run->sales, &run->sale_count, sale);
    return sale;
}

static journal_position random_goods(struct run *run)
{
    journal_position sale = recall(run, run->sales, run->sale_count);
    if (sale == 0 || random_below(&run->random, 5) == 0) {
        struct unlinked_return_request request = { .card = text_of(some_card(run)), .amount = 700 };
        return act(run->world, by_unlinked_return, &request);
    }
    minor_units amount = 1 + (minor_units)random_below(&run->random, 9000);
    return bring_back(run->world, fold_world_card_of(run->world, sale), sale, amount);
}

static journal_position random_hold_act(struct run *run)
{
    journal_position held =
        random_below(&run->random, 2) == 0 ? run->newest_hold : recall(run, run->holds, run->hold_count);
    uint64_t what = random_below(&run->random, 4);
    if (held == 0 || what == 0) {
        held = hold(run->world, some_card(run), some_wish(run));
        remember(run, run->holds, &run->hold_count, held);
        run->newest_hold = held;
        return held;
    }
    const char *card = fold_world_card_of(run->world, held);
    if (what == 1)
        return release(run->world, card, held, false);
    struct hold_state state;
    assert_true(fold_hold(run->world->live.fold, held, &state));
    if (what == 2 && state.deadline <= run->world->judgement.now)
        return release(run->world, "", held, true);
    return capture(run->world, card, held, 0);
}

static journal_position random_redemption(struct run *run)
{
    journal_position sale = recall(run, run->sales, run->sale_count);
    if (sale == 0 || random_below(&run->random, 2) == 0)
        return redeem(run->world, some_card(run), some_wish(run), 0);
    return redeem(run->world, fold_world_card_of(run->world, sale), some_wish(run), sale);
}

static journal_position random_points(struct run *run)
{
    const char *card = some_card(run);
    switch (random_below(&run->random, 5)) {
    case 0: {
        millipoints points = 1000 * ((millipoints)random_below(&run->random, 300) - 120);
        return adjust(run->world, card, points != 0 ? points : 1000);
    }
    case 1: {
        struct bonus_request request = { .card = text_of(card), .points = 9000, .reason = GOODWILL };
        return act(run->world, by_bonus, &request);
    }
    case 2: {
        struct write_off_request request = { .card = text_of(card), .reason = GOODWILL };
        if (random_below(&run->random, 2) == 0)
            (void)adjust(run->world, card, -400000);
        return act(run->world, by_write_off, &request);
    }
    case 3: {
        struct transfer_request request = {
            .from_card = text_of(card), .to_card = text_of(some_card(run)), .points = 3000, .reason = GOODWILL
        };
        return act(run->world, by_transfer, &request);
    }
    default:
        return random_redemption(run);
    }
}

static journal_position random_card_act(struct run *run)
{
    char number[16];
    const char *card = some_card(run);
    snprintf(number, sizeof(number), "9%u", ++run->numbers);
    switch (random_below(&run->random, 9)) {
    case 0: {
        struct card_replace_request request = {
            .old_card = text_of(card), .new_card = text_of(number), .check_valid = true, .reason = GOODWILL
        };
        return random_below(&run->random, 4) == 0 ? act(run->world, by_card_replace, &request) : 0;
    }
    case 1: {
        struct card_add_request request = { .card = text_of(card),
                                            .new_card = text_of(number),
                                            .check_valid = true };
        return act(run->world, by_card_add, &request);
    }
    case 2: {
        struct merge_request request = { .from_card = text_of(card),
                                         .to_card = text_of(some_card(run)),
                                         .reason = GOODWILL };
        return random_below(&run->random, 2) == 0 ? act(run->world, by_merge, &request) : 0;
    }
    case 3:
        act_on_card(run->world, card, random_below(&run->random, 5) == 0 ? CARD_ACT_CLOSE : CARD_ACT_BLOCK);
        return 0;
    case 4:
    case 5:
        act_on_card(run->world, card, CARD_ACT_UNBLOCK);
        return 0;
    default:
        return issue(run->world, card);
    }
}

static journal_position random_detail(struct run *run)
{
    struct text card = text_of(some_card(run));
    switch (random_below(&run->random, 5)) {
    case 0: {
        struct text tag = TEXT_LITERAL("vip");
        struct tag_request request = { .card = card, .set_count = 1, .set = &tag };
        return act(run->world, by_tag, &request);
    }
    case 1: {
        struct activate_request request = { .card = card, .offer = TEXT_LITERAL("spring") };
        return act(run->world, by_activate, &request);
    }
    case 2: {
        struct pin_set_request request = { .card = card,
                                           .pin = { .set = random_below(&run->random, 2) == 0 } };
        return act(run->world, by_pin_set, &request);
    }
    case 3: {
        struct pin_set_request set = { .card = card, .pin = { .set = true } };
        struct pin_try_request request = { .card = card };
        (void)act(run->world, by_pin_set, &set);
        return act(run->world, by_pin_try, &request);
    }
    default: {
        journal_position sale = recall(run, run->sales, run->sale_count);
        if (sale == 0)
            return 0;
        struct award_move_request request = { .to_card = card,
                                              .sale = fold_world_read(run->world, 1, sale),
                                              .sale_position = sale,
                                              .reason = GOODWILL };
        return act(run->world, by_award_move, &request);
    }
    }
}

/* One of the last days of a till, which goes on with it or not. */
static void close_a_day(struct run *run, struct event *event)
{
    struct fold *fold = run->world->live.fold;
    struct till_day day;
    event->store = random_below(&run->random, 2) == 0 ? TEXT_LITERAL("1") : TEXT_LITERAL("2");
    event->till = TEXT_LITERAL("7");
    event->business_date = 20000 + (local_day)random_below(&run->random, 2);
    (void)fold_till_day(fold, event->store, event->till, event->business_date, &day);
    event->day_close.number = fold_till_closes(fold, event->store, event->till) + 1;
    event->day_close.late = day.late;
}

/* --- the register, proposals, flags, seals --- */

/* One more, or one that is there and not revoked; till is the greater part. */
static void change_an_identity(struct run *run, struct event *event)
{
    struct fold *fold = run->world->live.fold;
    struct identity *after = &event->identity.after;
    uint64_t count = fold->totals.identities;
    event->identity.act = (enum identity_act)(1 + random_below(&run->random, IDENTITY_ACT_ENROL));
    if (count == 0 || !fold_identity(fold, IDENTITY_FIRST + random_below(&run->random, count), after) ||
        after->status == IDENTITY_REVOKED || event->identity.act == IDENTITY_ACT_ADD) {
        event->identity.act = IDENTITY_ACT_ADD;
        *after = (struct identity){ .number = IDENTITY_FIRST + count,
                                    .role = 1,
                                    .status = IDENTITY_ADDED,
                                    .store = TEXT_LITERAL("1"),
                                    .till = TEXT_LITERAL("7"),
                                    .added = event->time };
    }
    if (event->identity.act == IDENTITY_ACT_REVOKE)
        after->status = IDENTITY_REVOKED;
    if (event->identity.act == IDENTITY_ACT_ENROL) {
        after->status = IDENTITY_ACTIVE;
        after->key_version++;
        after->enrolled = event->time;
    }
}

static void make_a_seal(struct run *run, struct event *event)
{
    struct seal_record last = { .key_number = 0 };
    (void)fold_seal(run->world->live.fold, &last);
    event->seal.key_number = last.key_number + 1;
    event->seal.head = random_below(&run->random, run->world->size);
}

/* Ends an open proposal, by what happens or for itself. */
static bool end_a_proposal(struct run *run, struct event *event)
{
    journal_position proposal = recall(run, run->proposals, run->proposal_count);
    struct proposal_record record;
    if (proposal == 0 || !fold_proposal(run->world->live.fold, proposal, &record) ||
        record.state != PROPOSAL_OPEN)
        return false;
    if (random_below(&run->random, 2) == 0) {
        event->type = EVENT_CLOCK_ACCEPTED;
        event->approves = proposal;
        event->approval_note = TEXT_LITERAL("seen");
        event->request = (struct request_name){ .identity = 3, .epoch = 79, .number = ++run->numbers };
        return true;
    }
    event->proposal_ended.proposal = proposal;
    event->proposal_ended.state = random_below(&run->random, 2) == 0 ? PROPOSAL_REJECTED : PROPOSAL_EXPIRED;
    return true;
}

static bool resolve_a_flag(struct run *run, struct event *event)
{
    struct flag_record record;
    event->flag_resolved.flag = recall(run, run->flags, run->flag_count);
    return fold_flag(run->world->live.fold, event->flag_resolved.flag, &record);
}

static journal_position random_register(struct run *run)
{
    static const enum event_type types[] = { EVENT_IDENTITY,     EVENT_PROPOSAL, EVENT_PROPOSAL_ENDED,
                                             EVENT_ATTEMPTS,     EVENT_ALARM,    EVENT_SEAL,
                                             EVENT_FLAG_RESOLVED };
    struct fold_world *world = run->world;
    struct event event = { .type = types[random_below(&run->random, COUNT_OF(types))],
                           .time = world->judgement.now };
    if (event.type == EVENT_IDENTITY)
        change_an_identity(run, &event);
    else if (event.type == EVENT_SEAL)
        make_a_seal(run, &event);
    else if (event.type == EVENT_PROPOSAL)
        event.proposal.deadline = event.time + PROPOSAL_S * US_PER_SECOND;
    else if (event.type == EVENT_ATTEMPTS)
        event.attempts.kind = ATTEMPT_PROOF;
    else if (event.type == EVENT_ALARM)
        event.raises = FLAG_UNKNOWN_CARDS;
    else if (event.type == EVENT_PROPOSAL_ENDED && !end_a_proposal(run, &event))
        return 0;
    else if (event.type == EVENT_FLAG_RESOLVED && !resolve_a_flag(run, &event))
        return 0;
    world->decision->event = event;
    world->decision->refusal = REFUSAL_NONE;
    journal_position position = fold_world_book_decision(world);
    if (event.type == EVENT_PROPOSAL)
        remember(run, run->proposals, &run->proposal_count, position);
    if (event.type == EVENT_ALARM)
        remember(run, run->flags, &run->flag_count, position);
    return 0; /* none of them can be undone */
}

/* What no decision makes, or only under its own conditions. */
static journal_position random_other(struct run *run)
{
    static const enum event_type types[] = { EVENT_TERM,           EVENT_REFUSAL,        EVENT_TIE,
                                             EVENT_CLOCK_ACCEPTED, EVENT_RETURN_WAITING, EVENT_DAY_CLOSE };
    struct fold_world *world = run->world;
    journal_position first = recall(run, run->sales, run->sale_count);
    struct event event = { .type = types[random_below(&run->random, COUNT_OF(types))],
                           .time = world->judgement.now };
    if (event.type == EVENT_REFUSAL)
        event.refusal.result = 1;
    if (event.type == EVENT_TIE)
        event.tie.first = first != 0 ? first : 1;
    if (event.type == EVENT_RETURN_WAITING) {
        event.waiting.sale = (struct document){ .kind = DOCUMENT_SALE, .number = TEXT_LITERAL("5") };
        event.waiting.previous = fold_waiting(world->live.fold, &event.waiting.sale);
        event.waiting.card = TEXT_LITERAL("100");
    }
    if (event.type == EVENT_DAY_CLOSE)
        close_a_day(run, &event);
    world->decision->event = event;
    world->decision->refusal = REFUSAL_NONE;
    return fold_world_book_decision(world);
}

static journal_position random_undo(struct run *run)
{
    journal_position original = recall(run, run->any, run->any_count);
    if (random_below(&run->random, 4) == 0) { /* of a number that never came */
        struct reversal_request request = {
            .original = { .identity = 1, .epoch = 78, .number = ++run->numbers }, .amount = -1
        };
        return act(run->world, by_reversal, &request);
    }
    if (original == 0 || fold_reversed_by(run->world->live.fold, original) != 0)
        return 0;
    return undo(run->world, original);
}

static void step(struct run *run)
{
    journal_position position = 0;
    switch (random_below(&run->random, 13)) {
    case 12:
        position = random_register(run);
        break;
    case 0:
    case 1:
    case 2:
        position = random_sale(run);
        break;
    case 3:
        position = random_goods(run);
        break;
    case 4:
    case 5:
        position = random_hold_act(run);
        break;
    case 6:
        position = random_points(run);
        break;
    case 7:
    case 8:
        position = random_card_act(run);
        break;
    case 9:
        position = random_detail(run);
        break;
    case 10:
        position = random_below(&run->random, 3) == 0 ? random_other(run) : random_undo(run);
        break;
    default:
        pass_days(run->world, (int64_t)random_below(&run->random, 6));
        break;
    }
    remember(run, run->any, &run->any_count, position);
}

static void count_types(struct run *run)
{
    for (journal_position at = 1; at <= run->world->last; at = fold_world_next(run->world, at))
        run->booked[fold_world_read(run->world, 0, at)->type]++;
}

static void a_random_journal_folds_to_the_same_state(void **state)
{
    (void)state;
    static struct run run;
    uint8_t live[STATE_DIGEST_SIZE], again[STATE_DIGEST_SIZE];
    struct fold_state replayed;
    run = (struct run){ .world = fold_world_new(), .random = random_seeded() };
    for (uint32_t i = 0; i < STEPS; i++) {
        run.steps = i;
        step(&run);
        if (i % 50 == 0)
            fold_world_check(run.world);
        if (i % 400 == 399)
            fold_state_reload(&run.world->live);
    }
    fold_world_check(run.world);
    fold_state_open(&replayed);
    fold_world_replay(run.world, &replayed);
    fold_state_digest(&run.world->live, live);
    fold_state_digest(&replayed, again);
    assert_memory_equal(live, again, STATE_DIGEST_SIZE);
    count_types(&run);
    for (uint32_t type = 1; type <= EVENT_TYPE_MAX; type++) {
        if (run.booked[type] == 0)
            fail_msg("no %s was booked", event_type_name((enum event_type)type));
    }
    fold_state_close(&replayed);
    fold_world_free(run.world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_random_journal_folds_to_the_same_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
