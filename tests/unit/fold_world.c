#include "fold_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ledger/fold_internal.h"
#include "proto/wire.h"

#define EVENT_ROOM (1024u * 1024)

/* --- state --- */

static void durable_already(void *ctx, journal_position position)
{
    (void)ctx;
    (void)position;
}

static void head_known_already(void *ctx, struct journal_head *out_head)
{
    (void)ctx;
    (void)out_head;
}

static void wake_nobody(void *ctx)
{
    (void)ctx;
}

static void fatal(void *ctx, const char *what)
{
    (void)ctx;
    fprintf(stderr, "fatal: %s\n", what);
    abort();
}

static struct state_mark mark_of(const struct fold *fold)
{
    struct state_mark mark = { .ledger_time = fold->time, .clean = true };
    mark.head.next_sequence = fold->next_sequence;
    mark.head.position = fold->next_sequence;
    return mark;
}

static void open_files(struct fold_state *state)
{
    struct state_options options = { .dir = state->dir,
                                     .map_bytes = UINT64_C(256) << 20,
                                     .layer_records = 4000,
                                     .layer_bytes = UINT64_C(16) << 20,
                                     .wait_durable = durable_already,
                                     .durable_head = head_known_already,
                                     .notify = wake_nobody,
                                     .fatal = fatal };
    struct failure failure = { { 0 } };
    struct state_mark mark;
    bool found;
    if (state_open(&options, &state->state, &found, &mark, &failure) != PUNKT_OK)
        fail_msg("%s", failure.text);
    if (!found) {
        memset(&mark, 0, sizeof(mark));
        mark.head.next_sequence = 1;
    }
    state->fold = calloc(1, sizeof(*state->fold));
    assert_non_null(state->fold);
    assert_int_equal(fold_load(state->fold, state->state, &mark, &failure), PUNKT_OK);
}

static void close_files(struct fold_state *state)
{
    fold_done(state->fold);
    free(state->fold);
    state_close(state->state);
}

void fold_state_open(struct fold_state *state)
{
    snprintf(state->dir, sizeof(state->dir), "/tmp/punkt-fold-XXXXXX");
    assert_non_null(mkdtemp(state->dir));
    open_files(state);
}

void fold_state_close(struct fold_state *state)
{
    struct failure failure;
    close_files(state);
    assert_int_equal(state_erase(state->dir, &failure), PUNKT_OK);
    (void)rmdir(state->dir);
}

static void checkpoint(struct fold_state *state)
{
    struct failure failure = { { 0 } };
    struct state_mark mark = mark_of(state->fold);
    fold_store(state->fold);
    if (state_checkpoint_now(state->state, &mark, &failure) != PUNKT_OK)
        fail_msg("%s", failure.text);
}

void fold_state_digest(struct fold_state *state, uint8_t out_digest[STATE_DIGEST_SIZE])
{
    struct state_mark mark;
    uint8_t recomputed[STATE_DIGEST_SIZE];
    struct failure failure;
    checkpoint(state);
    state_digest(state->state, out_digest, &mark);
    assert_int_equal(state_digest_recompute(state->state, recomputed, &failure), PUNKT_OK);
    assert_memory_equal(recomputed, out_digest, STATE_DIGEST_SIZE);
}

void fold_state_reload(struct fold_state *state)
{
    checkpoint(state);
    close_files(state);
    open_files(state);
}

/* --- what decisions see --- */

static bool view_card(void *ctx, struct text number, struct card *out)
{
    struct fold_world *world = ctx;
    return fold_card(world->live.fold, number, out);
}

static bool view_account(void *ctx, account_number number, struct account *out)
{
    struct fold_world *world = ctx;
    return fold_account(world->live.fold, number, out);
}

static bool view_returned(void *ctx, journal_position sale, struct returned *out)
{
    struct fold_world *world = ctx;
    return fold_returned(world->live.fold, sale, out);
}

static bool view_hold(void *ctx, journal_position hold, struct hold_state *out)
{
    struct fold_world *world = ctx;
    return fold_hold(world->live.fold, hold, out);
}

static int64_t view_reward_used(void *ctx, uint64_t reward)
{
    struct fold_world *world = ctx;
    return fold_reward_used(world->live.fold, reward);
}

static journal_position view_reversed_by(void *ctx, journal_position original)
{
    struct fold_world *world = ctx;
    return fold_reversed_by(world->live.fold, original);
}

static const struct programme *view_programme(void *ctx, uint32_t version, utc_us time)
{
    struct fold_world *world = ctx;
    (void)time;
    return version <= 1 ? &world->programme : NULL;
}

static account_number view_next_account(void *ctx)
{
    struct fold_world *world = ctx;
    return world->live.fold->totals.accounts + 1;
}

static card_id view_next_card(void *ctx)
{
    struct fold_world *world = ctx;
    return world->live.fold->totals.cards + 1;
}

/* --- the programme --- */

static void name_it(char *out, const char *name)
{
    memcpy(out, name, strlen(name) + 1);
}

static void make_rewards(struct programme *programme)
{
    struct reward *reward = &programme->rewards[0];
    *reward = (struct reward){ .kind = REWARD_GIFT, .cost_points = 50000, .per = 1, .has_stock = true };
    reward->stock = 1000;
    reward->period = (struct period){ INT32_MIN, DAY_NEVER };
    name_it(reward->name, "mug");
    name_it(reward->item, "mug");
    reward->id = programme_id(TEXT_LITERAL("mug"));
    programme->reward_count = 1;
}

static void make_tiers(struct programme *programme)
{
    struct tiers *tiers = &programme->tiers;
    tiers->count = 1;
    tiers->basis = TIER_BY_SPEND;
    tiers->window = TIER_WINDOW_YEAR;
    tiers->kept = TIER_KEPT_NEXT;
    tiers->tiers[0] = (struct tier){ .from = 20000, .factor = 1500 };
    name_it(tiers->tiers[0].name, "silver");
    tiers->tiers[0].id = programme_id(TEXT_LITERAL("silver"));
}

static void make_programme(struct programme *programme)
{
    programme_default(programme);
    programme->version = 1;
    programme->return_spent = true;
    programme->restore_days = 7;
    programme->unlinked_returns = true;
    programme->mature_days = 2;
    programme->expiry = (struct expiry){ .kind = EXPIRY_MONTHS, .months = 2 };
    programme->welcome = 5000;
    programme->may_earn = 1u << CARD_ACTIVE;
    programme->may_spend = 1u << CARD_ACTIVE;
    name_it(programme->reasons[0], "goodwill");
    programme->reason_count = 1;
    programme->offers[0] = (struct offer){ .kind = OFFER_ADD, .points = 1000, .activate = true };
    programme->offers[0].period = (struct period){ INT32_MIN, DAY_NEVER };
    name_it(programme->offers[0].name, "spring");
    programme->offers[0].id = programme_id(TEXT_LITERAL("spring"));
    programme->offer_count = 1;
    make_tiers(programme);
    make_rewards(programme);
}

/* --- the world --- */

struct fold_world *fold_world_new(void)
{
    struct fold_world *world = calloc(1, sizeof(*world));
    assert_non_null(world);
    world->decision = calloc(1, sizeof(*world->decision));
    assert_non_null(world->decision);
    fold_state_open(&world->live);
    make_programme(&world->programme);
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
    world->judgement = (struct judgement){ .now = FOLD_WORLD_START, .role = TEXT_LITERAL("admin") };
    struct event published = { .type = EVENT_PROGRAMME,
                               .time = FOLD_WORLD_START,
                               .occurred = FOLD_WORLD_START,
                               .programme = { .version = 1,
                                              .from = FOLD_WORLD_START,
                                              .text = TEXT_LITERAL("programme: test\n...\n") } };
    fold_world_book(world, &published);
    return world;
}

void fold_world_free(struct fold_world *world)
{
    fold_state_close(&world->live);
    for (size_t i = 0; i < FOLD_READ_SLOTS; i++)
        free(world->read[i]);
    free(world->bytes);
    free(world->decision);
    free(world);
}

static void make_room(struct fold_world *world)
{
    if (world->capacity - world->size > EVENT_ROOM)
        return;
    world->capacity = 2 * world->capacity + 2 * EVENT_ROOM;
    world->bytes = realloc(world->bytes, world->capacity);
    assert_non_null(world->bytes);
}

journal_position fold_world_prepare(struct fold_world *world, struct event *event)
{
    struct fold *fold = world->live.fold;
    event->sequence = fold->next_sequence;
    for (uint32_t i = 0; i < event->effect_count; i++) {
        struct effect *effect = &event->effects[i];
        effect->previous = 0;
        if (event->suspense.number.size == 0)
            assert_true(fold_account_event(fold, &effect->account, &effect->previous));
    }
    return world->size + 1;
}

journal_position fold_world_book(struct fold_world *world, struct event *event)
{
    make_room(world);
    journal_position position = fold_world_prepare(world, event);
    uint8_t *at = world->bytes + world->size;
    size_t size = event_encode(event, at + JOURNAL_EVENT_HEADER_SIZE, EVENT_ROOM - JOURNAL_EVENT_HEADER_SIZE);
    uint32_t stored = (uint32_t)(size + JOURNAL_EVENT_HEADER_SIZE);
    memcpy(at, &stored, sizeof(stored));
    world->size += stored;
    const struct event *read = fold_world_read(world, 0, position);
    if (!fold_event(world->live.fold, read, position))
        fail_msg("event %llu, a %s, does not fit", (unsigned long long)event->sequence,
                 event_type_name(event->type));
    world->last = position;
    world->events++;
    return position;
}

struct text fold_world_code(struct text number, uint8_t room[64])
{
    struct wire_code code;
    assert_true(wire_code_from(number.data, number.size, &code));
    struct wire_writer writer = wire_writer_over(room, 64);
    wire_write_code(&writer, &code);
    return (struct text){ (const char *)room, wire_written(&writer) };
}

/* What service would say of where it comes from. */
static void place_it(struct fold_world *world, struct event *event)
{
    static const char stores[][2] = { "1", "2", "3" };
    size_t index = (size_t)(world->events % COUNT_OF(stores));
    if (event->store.size == 0 && event->type != EVENT_DAY) {
        event->store = text_of(stores[index]);
        event->till = text_of("7");
    }
    if (event->type == EVENT_DAY || event->request.number != 0)
        return;
    event->request = (struct request_name){ .identity = 1, .epoch = 77 };
    struct lane_record lane = { .highest = 0 };
    (void)fold_lane(world->live.fold, 1, 77, &lane);
    event->request.number = lane.highest + 1;
    memset(event->request.fingerprint, (int)(event->request.number % 251), 16);
}

journal_position fold_world_book_decision(struct fold_world *world)
{
    assert_int_equal(world->decision->refusal, REFUSAL_NONE);
    place_it(world, &world->decision->event);
    return fold_world_book(world, &world->decision->event);
}

const struct event *fold_world_read(struct fold_world *world, uint32_t slot, journal_position position)
{
    uint32_t size;
    const uint8_t *at = world->bytes + position - 1;
    memcpy(&size, at, sizeof(size));
    if (world->read[slot] == NULL)
        world->read[slot] = calloc(1, sizeof(*world->read[slot]));
    assert_non_null(world->read[slot]);
    assert_true(event_decode(at + JOURNAL_EVENT_HEADER_SIZE, size - JOURNAL_EVENT_HEADER_SIZE,
                             &world->read[slot]->memory, &world->read[slot]->event));
    return &world->read[slot]->event;
}

journal_position fold_world_next(const struct fold_world *world, journal_position position)
{
    uint32_t size;
    memcpy(&size, world->bytes + position - 1, sizeof(size));
    return position + size;
}

const char *fold_world_card_of(struct fold_world *world, journal_position position)
{
    static char number[8];
    static struct account account;
    const struct event *event = fold_world_read(world, 0, position);
    account_number wanted = event->effects[0].account;
    if (fold_account(world->live.fold, wanted, &account))
        wanted = account.number;
    for (uint32_t i = 100; i < 400; i++) {
        struct card card;
        snprintf(number, sizeof(number), "%u", i);
        if (fold_card(world->live.fold, text_of(number), &card) &&
            fold_account(world->live.fold, card.account, &account) && account.number == wanted)
            return number;
    }
    return number;
}

static bool replay_until(const struct fold_world *world, struct fold_state *into)
{
    static struct event_memory memory;
    struct event event;
    for (size_t at = 0; at < world->size;) {
        uint32_t size;
        memcpy(&size, world->bytes + at, sizeof(size));
        if (!event_decode(world->bytes + at + JOURNAL_EVENT_HEADER_SIZE, size - JOURNAL_EVENT_HEADER_SIZE,
                          &memory, &event) ||
            !fold_event(into->fold, &event, at + 1))
            return false;
        if (state_wants_freeze(into->state, 0))
            checkpoint(into);
        at += size;
    }
    return true;
}

void fold_world_replay(const struct fold_world *world, struct fold_state *into)
{
    assert_true(replay_until(world, into));
}

bool fold_world_fits(struct fold_world *world, const struct event *event, journal_position position)
{
    struct fold_state copy;
    fold_state_open(&copy);
    fold_world_replay(world, &copy);
    bool fits = fold_event(copy.fold, event, position);
    fold_state_close(&copy);
    return fits;
}

enum refusal fold_world_decide(struct fold_world *world, fold_decide_fn *decide, const void *request)
{
    decide(world, request);
    while (world->decision->refusal == REFUSAL_DAY_FIRST) {
        account_number due = world->decision->day_first;
        assert_true(decide_day(&world->view, world->judgement.now, due, world->decision));
        (void)fold_world_book_decision(world);
        decide(world, request);
    }
    return world->decision->refusal;
}

/* --- invariants --- */

struct report_sums {
    millipoints outstanding, left;
    millipoints lots, debts, balances;
    uint64_t in_debt;
};

static bool add_outstanding(void *ctx, const uint8_t *key, size_t key_size, const uint8_t *value, size_t size)
{
    struct report_sums *sums = ctx;
    struct state_value record = { value, (uint32_t)size };
    millipoints points;
    int32_t month;
    assert_true(key_read_outstanding(key, key_size, &month));
    assert_true(outstanding_decode(record, &points));
    assert_true(points >= 0);
    sums->outstanding += points;
    return true;
}

static bool add_cohort(void *ctx, const uint8_t *key, size_t key_size, const uint8_t *value, size_t size)
{
    struct report_sums *sums = ctx;
    struct state_value record = { value, (uint32_t)size };
    struct cohort cohort;
    int32_t quarter;
    assert_true(key_read_cohort(key, key_size, &quarter));
    assert_true(cohort_decode(record, &cohort));
    assert_int_equal(cohort.issued,
                     cohort.redeemed + cohort.expired + cohort.returned + cohort.other + cohort.left);
    sums->left += cohort.left;
    return true;
}

static void add_accounts(struct fold_world *world, struct report_sums *sums)
{
    static struct account account;
    struct fold *fold = world->live.fold;
    for (account_number number = 1; number <= fold->totals.accounts; number++) {
        struct key key = key_account(number);
        struct state_value record;
        struct account_peek peek;
        assert_true(fold_get(fold, &key, &record) && account_peek(record, &peek));
        assert_true(fold_account(fold, number, &account));
        assert_int_equal(peek.merged, account.number != number);
        if (peek.merged)
            continue;
        assert_int_equal(peek.due, account_due_day(&account));
        assert_int_equal(peek.in_debt, account.debt > 0);
        for (uint32_t i = 0; i < account.lot_count; i++)
            sums->lots += account.lots[i].points;
        sums->debts += account.debt;
        sums->balances += account.balance;
        sums->in_debt += account.debt > 0;
    }
}

void fold_world_check(struct fold_world *world)
{
    struct fold *fold = world->live.fold;
    struct report_sums sums = { 0 };
    checkpoint(&world->live);
    struct key months = key_all_outstanding();
    struct key cohorts = key_all_cohorts();
    assert_int_equal(
        state_scan(fold->state, months.bytes, months.size, NULL, 0, UINT32_MAX, add_outstanding, &sums),
        PUNKT_OK);
    assert_int_equal(
        state_scan(fold->state, cohorts.bytes, cohorts.size, NULL, 0, UINT32_MAX, add_cohort, &sums),
        PUNKT_OK);
    add_accounts(world, &sums);
    assert_int_equal(sums.lots, fold->totals.outstanding);
    assert_int_equal(sums.debts, fold->totals.debt);
    assert_int_equal(sums.in_debt, fold->totals.accounts_in_debt);
    assert_int_equal(sums.outstanding, fold->totals.outstanding);
    assert_int_equal(sums.left, fold->totals.outstanding);
    millipoints moved = 0;
    for (uint32_t why = 0; why < MOVEMENT_COUNT; why++)
        moved += fold->totals.moved[why];
    assert_int_equal(moved, sums.balances);
    assert_int_equal(fold->totals.moved[MOVEMENT_TRANSFERRED], 0);
}
