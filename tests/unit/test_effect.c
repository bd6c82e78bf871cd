/*
 * The fold of effects: what does not fit is told from what does, however it was damaged; and who may do what with a card,
 * by its status.
 */
#include "account_acts.h"

#include <string.h>

#include "points/decide_steps.h"
#include "points/lots.h"
#include "random.h"

/* --- misfits: "Apply checks before + change = after, in release too" (LEDGER.md, Journal) --- */

/* An account with a bit of everything: lots, of which one is held, and debt. */
static struct world *world_of_account(journal_position *out_hold)
{
    struct world *world = world_new(2);
    (void)act_add(world, 0, 100, DAY_NEVER);
    (void)act_add(world, 0, 200, date(2026, 6, 30));
    *out_hold = act_hold(world, 0, 250);
    act_owe(world, 0, 90);
    assert_int_equal(world->accounts[0].debt, 40);
    return world;
}

struct misfit {
    const char *what;
    bool fits;
    struct lot_change lot;
    struct account_change other;
    millipoints change, balance, settled, forgiven;
};

/* The account: lot 1 has 50 points, held; lot 2 has 200, held; debt 40, balance 210. */
static const struct misfit misfits[] = {
    { .what = "nothing", .fits = true, .balance = 210 },
    { .what = "a wrong balance", .balance = 211 },
    { .what = "a change that nothing made", .change = 1, .balance = 211 },
    { .what = "debt paid", .fits = true, .settled = 40, .change = 40, .balance = 250 },
    { .what = "more debt than there is", .settled = 41, .change = 41, .balance = 251 },
    { .what = "forgiven and paid twice", .settled = 30, .forgiven = 11, .change = 41, .balance = 251 },
    { .what = "points added",
      .fits = true,
      .lot = { .kind = LOT_ADD, .lot = 1, .points = 5 },
      .change = 5,
      .balance = 215 },
    { .what = "a new lot",
      .fits = true,
      .lot = { .kind = LOT_ADD, .lot = 3, .points = 5 },
      .change = 5,
      .balance = 215 },
    { .what = "nothing added", .lot = { .kind = LOT_ADD, .lot = 3 }, .balance = 210 },
    { .what = "a lot behind the next",
      .lot = { .kind = LOT_ADD, .lot = 4, .points = 5 },
      .change = 5,
      .balance = 215 },
    { .what = "lot 0", .lot = { .kind = LOT_ADD, .lot = 0, .points = 5 }, .change = 5, .balance = 215 },
    { .what = "points that are held",
      .lot = { .kind = LOT_TAKE, .lot = 1, .points = 1 },
      .change = -1,
      .balance = 209 },
    { .what = "held points expire",
      .lot = { .kind = LOT_EXPIRE, .lot = 1, .points = 1 },
      .change = -1,
      .balance = 209 },
    { .what = "more than all points",
      .lot = { .kind = LOT_ADD, .lot = 1, .points = INT64_MAX },
      .change = 1,
      .balance = 211 },
    { .what = "a lot that is not there",
      .lot = { .kind = LOT_TAKE, .lot = 9, .points = 1 },
      .change = -1,
      .balance = 209 },
    { .what = "held lots joined", .lot = { .kind = LOT_JOIN, .lot = 1, .into = 2 }, .balance = 210 },
    { .what = "a mature lot matures", .lot = { .kind = LOT_MATURE, .lot = 1 }, .balance = 210 },
    { .what = "more held than there is", .lot = { .kind = LOT_HOLD, .lot = 1, .points = 1 }, .balance = 210 },
    { .what = "freed, but the hold goes on",
      .fits = true,
      .lot = { .kind = LOT_FREE, .lot = 1, .points = 1, .hold = 300 },
      .balance = 210 },
    { .what = "freed of another hold",
      .lot = { .kind = LOT_FREE, .lot = 1, .points = 1, .hold = 299 },
      .balance = 210 },
    { .what = "freed more than it holds",
      .lot = { .kind = LOT_FREE, .lot = 1, .points = 51, .hold = 300 },
      .balance = 210 },
    { .what = "a part freed that is left empty",
      .lot = { .kind = LOT_FREE, .lot = 1, .points = 50, .hold = 300 },
      .balance = 210 },
    { .what = "a hold ends that holds",
      .other = { .kind = CHANGE_HOLD_ENDED, .position = 300 },
      .balance = 210 },
    { .what = "an unknown hold ends", .other = { .kind = CHANGE_HOLD_ENDED, .position = 1 }, .balance = 210 },
    { .what = "a hold of stamps begins",
      .fits = true,
      .other = { .kind = CHANGE_HOLD_BEGUN },
      .balance = 210 },
    { .what = "a hold begins without its points",
      .other = { .kind = CHANGE_HOLD_BEGUN, .hold = { .points = 1 } },
      .balance = 210 },
    { .what = "stamps freed that are not held",
      .other = { .kind = CHANGE_STAMPS_HELD, .id = 1, .value = -1 },
      .balance = 210 },
    { .what = "no kind of tally", .other = { .kind = CHANGE_TALLY, .which = 9, .value = 1 }, .balance = 210 },
    { .what = "no basis of a tier",
      .other = { .kind = CHANGE_MONTH, .which = TIER_BY_BALANCE, .value = 1 },
      .balance = 210 },
    { .what = "too many visits",
      .other = { .kind = CHANGE_MONTH, .which = TIER_BY_VISITS, .value = INT64_C(1) << 40 },
      .balance = 210 },
    { .what = "too many tries",
      .other = { .kind = CHANGE_PIN_WRONG, .value = PIN_TRIES + 1 },
      .balance = 210 },
    { .what = "fewer cards than none", .other = { .kind = CHANGE_CARDS, .value = -2 }, .balance = 210 },
    { .what = "a tag too long",
      .other = { .kind = CHANGE_TAG, .text = { "0123456789012345678901234567890123", 33 }, .value = 1 },
      .balance = 210 },
    { .what = "into itself", .other = { .kind = CHANGE_ABSORBED, .id = 1 }, .balance = 0, .change = -210 },
    { .what = "into another",
      .fits = true,
      .other = { .kind = CHANGE_ABSORBED, .id = 2 },
      .balance = 0,
      .change = -210 },
};

static void misfits_are_refused(void **state)
{
    (void)state;
    journal_position hold;
    struct world *world = world_of_account(&hold);
    assert_int_equal(hold, 300);
    static struct account account;
    for (size_t i = 0; i < COUNT_OF(misfits); i++) {
        struct lot_change lot = misfits[i].lot;
        struct account_change other = misfits[i].other;
        struct effect effect = { .account = 1,
                                 .change = misfits[i].change,
                                 .balance = misfits[i].balance,
                                 .debt_settled = misfits[i].settled,
                                 .debt_forgiven = misfits[i].forgiven,
                                 .lot_change_count = lot.kind != 0,
                                 .lot_changes = &lot,
                                 .change_count = other.kind != 0,
                                 .changes = &other };
        account_copy(&world->accounts[0], &account);
        if (effect_apply(&effect, 9900, &account) != misfits[i].fits)
            fail_msg("%s", misfits[i].what);
        effect.account = 2;
        account_copy(&world->accounts[0], &account);
        assert_false(effect_apply(&effect, 9900, &account));
    }
    world_free(world);
}

/* --- damage --- */

static int64_t random_value(struct random *random)
{
    static const int64_t values[] = { 0,         1,         -1,        2,          50,     INT32_MAX,
                                      INT32_MIN, INT64_MAX, INT64_MIN, UINT32_MAX, 1 << 20 };
    return random_below(random, 3) == 0 ? (int64_t)random_below(random, 400)
                                        : values[random_below(random, COUNT_OF(values))];
}

static struct lot_change random_lot_change(struct random *random)
{
    return (struct lot_change){ .kind = (enum lot_change_kind)random_below(random, 10),
                                .pending = random_below(random, 2) == 0,
                                .inactive_months = (uint8_t)random_below(random, 256),
                                .lot = (uint32_t)random_value(random),
                                .into = (uint32_t)random_value(random),
                                .points = random_value(random),
                                .earned = (local_day)random_value(random),
                                .hold = (journal_position)random_below(random, 4) * 100 };
}

static struct account_change random_change(struct random *random)
{
    static const char text[33] = "tag";
    struct account_change change = { .kind = (enum account_change_kind)random_below(
                                         random, ACCOUNT_CHANGE_KIND_MAX + 2),
                                     .which = (uint32_t)random_value(random),
                                     .id = (uint64_t)random_value(random),
                                     .period = (int32_t)random_value(random),
                                     .value = random_value(random) };
    if (change.kind == CHANGE_TAG)
        change.text = (struct text){ text, random_below(random, 40) % 34 };
    else
        change.hold = (struct account_hold){ .id = (uint64_t)random_below(random, 4) * 100,
                                             .points = random_value(random),
                                             .part_count = (uint32_t)random_value(random) };
    if (change.kind == CHANGE_TIER)
        change.tier = (struct tier_state){ .id = 1, .judge = (local_day)random_value(random) };
    return change;
}

/* "replay of damaged bytes must never crash": whatever an effect says, what it leaves is sound or was refused. */
static void damage_is_refused_or_sound(void **state)
{
    struct random *random = *state;
    journal_position hold;
    struct world *world = world_of_account(&hold);
    static struct account account;
    uint32_t fitted = 0;
    for (int i = 0; i < 100000; i++) {
        struct lot_change lots[4];
        struct account_change others[4];
        struct effect effect = { .account = 1,
                                 .debt_added = random_below(random, 4) == 0 ? random_value(random) : 0,
                                 .debt_settled = random_below(random, 4) == 0 ? random_value(random) : 0,
                                 .lot_change_count = (uint32_t)random_below(random, 3),
                                 .lot_changes = lots,
                                 .change_count = (uint32_t)random_below(random, 4),
                                 .changes = others };
        for (int k = 0; k < 4; k++) {
            lots[k] = random_lot_change(random);
            others[k] = random_change(random);
        }
        effect.change = random_below(random, 2) == 0 ? 0 : random_value(random);
        (void)__builtin_add_overflow(world->accounts[0].balance, effect.change, &effect.balance);
        account_copy(&world->accounts[0], &account);
        if (effect_apply(&effect, 9900, &account)) {
            assert_true(account_sound(&account));
            fitted++;
        }
    }
    assert_true(fitted > 1000);
    world_free(world);
}

/* What does not fit when an account is absorbed. */
static void not_every_account_can_be_absorbed(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        bool fits;
        uint32_t offset, lots, holds, tags;
        account_number number, merged_into;
    } rows[] = {
        { "fits", true, 10, ACCOUNT_LOTS_MAX - 10, ACCOUNT_HOLDS_MAX - 1, ACCOUNT_TAGS_MAX - 1, 2, 0 },
        { "itself", false, 10, 1, 0, 0, 1, 0 },
        { "merged before", false, 10, 1, 0, 0, 2, 3 },
        { "another offset", false, 11, 1, 0, 0, 2, 0 },
        { "too many lots", false, 10, ACCOUNT_LOTS_MAX - 9, 0, 0, 2, 0 },
        { "too many holds", false, 10, 1, ACCOUNT_HOLDS_MAX, 0, 2, 0 },
        { "too many tags", false, 10, 1, 0, ACCOUNT_TAGS_MAX, 2, 0 },
    };
    static struct account target, source;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        account_new(1, &target);
        for (uint32_t k = 0; k < 10; k++)
            target.lots[target.lot_count++] = (struct lot){ .number = target.next_lot++, .points = 1 };
        target.holds[target.hold_count++] = (struct account_hold){ .id = 1 };
        target.tags[target.tag_count++] = (struct account_tag){ .size = 6, .text = "target" };
        account_new(rows[i].number, &source);
        source.merged_into = rows[i].merged_into;
        for (uint32_t k = 0; k < rows[i].lots; k++)
            source.lots[source.lot_count++] = (struct lot){ .number = source.next_lot++, .points = 1 };
        for (uint32_t k = 0; k < rows[i].holds; k++)
            source.holds[source.hold_count++] = (struct account_hold){ .id = 2 + k };
        for (uint32_t k = 0; k < rows[i].tags; k++)
            source.tags[source.tag_count++] =
                (struct account_tag){ .size = 1, .text = { (char)('a' + (int)k) } };
        if (account_absorb(&target, &source, rows[i].offset) != rows[i].fits)
            fail_msg("%s", rows[i].what);
    }
}

/* Debts of both, oldest first; what is too many becomes one with the oldest. */
static void debts_are_absorbed_oldest_first(void **state)
{
    (void)state;
    static struct account target, source;
    account_new(1, &target);
    account_new(2, &source);
    for (uint32_t i = 0; i < ACCOUNT_DEBTS_MAX; i++) {
        assert_true(account_owe(&target, 1, 2 * i + 2));
        assert_true(account_owe(&source, 100, 2 * i + 1));
    }
    assert_true(account_absorb(&target, &source, 0));
    assert_int_equal(target.debt, ACCOUNT_DEBTS_MAX * 101);
    assert_int_equal(target.debt_count, ACCOUNT_DEBTS_MAX);
    assert_int_equal(target.debts[0].cause, 1);
    assert_int_equal(target.debts[0].points, 32 * 101 + 100);
    for (uint32_t i = 1; i < ACCOUNT_DEBTS_MAX; i++)
        assert_int_equal(target.debts[i].cause, ACCOUNT_DEBTS_MAX + i + 1);
    target.balance = -target.debt;
    assert_true(account_sound(&target));
}

/* --- cards by status (DOMAIN.md, Cards and accounts) --- */

#define BOTH (1U << CARD_ACTIVE | 1U << CARD_BLOCKED)

static void a_status_allows_what_the_programme_says(void **state)
{
    (void)state;
    static const struct {
        enum card_status status;
        enum card_use use;
        uint32_t may; /* earn or spend */
        uint32_t flags;
        enum refusal want;
    } rows[] = {
        { CARD_ACTIVE, CARD_USE_RETURN, BOTH, 0, REFUSAL_NONE },
        { CARD_BLOCKED, CARD_USE_RETURN, 0, 0, REFUSAL_NONE },
        { CARD_REPLACED, CARD_USE_RETURN, 0, 0, REFUSAL_NONE },
        { CARD_CLOSED, CARD_USE_RETURN, 0, 0, REFUSAL_NONE },
        { CARD_SUSPENSE, CARD_USE_RETURN, 0, 0, REFUSAL_NONE },
        { CARD_ACTIVE, CARD_USE_EARN, BOTH, 0, REFUSAL_NONE },
        { CARD_ACTIVE, CARD_USE_EARN, 0, 0, REFUSAL_CARD_BLOCKED },
        { CARD_BLOCKED, CARD_USE_EARN, BOTH, 0, REFUSAL_NONE },
        { CARD_BLOCKED, CARD_USE_EARN, 1U << CARD_ACTIVE, 0, REFUSAL_CARD_BLOCKED },
        { CARD_REPLACED, CARD_USE_EARN, BOTH, EVENT_FLAG_ADVICE, REFUSAL_CARD_REPLACED },
        { CARD_CLOSED, CARD_USE_EARN, BOTH, 0, REFUSAL_CARD_CLOSED },
        { CARD_SUSPENSE, CARD_USE_EARN, BOTH, 0, REFUSAL_UNKNOWN_CARD },
        { CARD_SUSPENSE, CARD_USE_EARN, BOTH, EVENT_FLAG_ADVICE, REFUSAL_NONE },
        { CARD_ACTIVE, CARD_USE_SPEND, 1U << CARD_ACTIVE, 0, REFUSAL_NONE },
        { CARD_BLOCKED, CARD_USE_SPEND, 1U << CARD_ACTIVE, 0, REFUSAL_CARD_BLOCKED },
        { CARD_BLOCKED, CARD_USE_SPEND, BOTH, 0, REFUSAL_NONE },
        { CARD_REPLACED, CARD_USE_SPEND, BOTH, 0, REFUSAL_CARD_REPLACED },
        { CARD_SUSPENSE, CARD_USE_SPEND, BOTH, EVENT_FLAG_ADVICE, REFUSAL_UNKNOWN_CARD },
        { CARD_ACTIVE, CARD_USE_OFFICE, 0, 0, REFUSAL_NONE },
        { CARD_BLOCKED, CARD_USE_OFFICE, 0, 0, REFUSAL_NONE },
        { CARD_REPLACED, CARD_USE_OFFICE, BOTH, 0, REFUSAL_CARD_REPLACED },
        { CARD_CLOSED, CARD_USE_OFFICE, BOTH, 0, REFUSAL_CARD_CLOSED },
        { CARD_SUSPENSE, CARD_USE_OFFICE, BOTH, EVENT_FLAG_ADVICE, REFUSAL_UNKNOWN_CARD },
    };
    struct world *world = world_new(1);
    struct judgement judgement = { .now = world->now };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        world->cards[0].status = rows[i].status;
        world->programme.may_earn = rows[i].may;
        world->programme.may_spend = rows[i].may;
        judgement.flags = rows[i].flags;
        decide_begin(&world->view, &judgement, EVENT_ADJUSTMENT, 0, &world->decision);
        bool may = decide_card(&world->view, &judgement, &world->decision, 0, world_card(0), rows[i].use);
        if (world->decision.refusal != rows[i].want || may != (rows[i].want == REFUSAL_NONE))
            fail_msg("row %zu: refusal %d", i, world->decision.refusal);
        assert_int_equal(world->decision.event.card, 1);
    }
    /* The last card of an account was closed, this one is added to it: nothing but returns. */
    world->cards[0].status = CARD_ACTIVE;
    world->accounts[0].closed = true;
    assert_false(decide_card(&world->view, &judgement, &world->decision, 0, world_card(0), CARD_USE_EARN));
    assert_int_equal(world->decision.refusal, REFUSAL_ACCOUNT_CLOSED);
    world_free(world);
}

int main(void)
{
    struct random random = random_seeded();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(misfits_are_refused),
        cmocka_unit_test_prestate(damage_is_refused_or_sound, &random),
        cmocka_unit_test(not_every_account_can_be_absorbed),
        cmocka_unit_test(debts_are_absorbed_oldest_first),
        cmocka_unit_test(a_status_allows_what_the_programme_says),
    };
    return cmocka_run_group_tests_name("effect", tests, NULL, NULL);
}
