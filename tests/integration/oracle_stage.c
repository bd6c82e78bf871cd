#include "oracle_stage.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOUR_US (INT64_C(3600) * 1000000)
#define SETTINGS WORLD_JOURNAL "  checkpoint_ms: 50\n"

uint64_t oracle_below(struct oracle_stage *stage, uint64_t bound)
{
    return random_below(stage->random, bound);
}

bool oracle_once_in(struct oracle_stage *stage, uint64_t times)
{
    return random_below(stage->random, times) == 0;
}

int64_t oracle_to_wire(const struct oracle_stage *stage, int64_t points)
{
    return points / oracle_step(oracle_now(stage->oracle));
}

/* --- comparing --- */

static void show_sale(const struct oracle_stage *stage, const struct oracle_purchase *sale)
{
    const struct oracle_account *account = stage->oracle->accounts[sale->account];
    (void)fprintf(
        stderr,
        "of a purchase on day %d by version %u: amount %" PRId64 ", %u lines, base %" PRId64
        ", base points %" PRId64 ", earned %" PRId64 ", lot %u, settled %" PRId64 ", matures %d, through %d\n"
        "before: due %" PRId64 ", expired %" PRId64 ", owed again %" PRId64 ", by amount %" PRId64 "\n",
        (int)sale->day, sale->version + 1, sale->receipt.amount, sale->receipt.line_count, sale->award.base,
        sale->award.base_points, sale->award.earned, (unsigned)sale->lot, sale->settled, (int)sale->matures,
        (int)sale->last_day, sale->back.due, sale->back.expired, sale->back.owed_again, sale->back.by_amount);
    for (unsigned i = 0; i < sale->award.part_count; i++)
        (void)fprintf(stderr, "part: kind %d, index %u, result %" PRId64 "\n", (int)sale->award.parts[i].kind,
                      sale->award.parts[i].index, sale->award.parts[i].result);
    for (unsigned i = 0; i < sale->receipt.line_count; i++)
        (void)fprintf(
            stderr, "line: %u of %u, amount %" PRId64 ", units %" PRId64 ", kind %d, base %" PRId64 "\n",
            sale->receipt.lines[i].article, sale->receipt.lines[i].category, sale->receipt.lines[i].amount,
            sale->receipt.lines[i].units, (int)sale->receipt.lines[i].kind, sale->line_base[i]);
    for (size_t i = 0; i < sale->spend_count; i++) {
        const struct oracle_spend *spend = stage->oracle->spends[sale->spends[i]];
        (void)fprintf(stderr,
                      "spent: kind %d, quantity %" PRId64 ", points %" PRId64 " (back %" PRId64
                      "), stamps %" PRId64 ", line %u, hold %zd%s\n",
                      (int)spend->kind, spend->wish.quantity, spend->points, spend->back.points,
                      spend->stamps, spend->wish.line, (ssize_t)spend->wish.hold,
                      spend->undone ? ", undone" : "");
    }
    for (uint32_t i = 1; i < account->next_lot; i++) {
        const struct oracle_lot *lot = &account->lots[i];
        if (lot->points > 0)
            (void)fprintf(stderr,
                          "lot %u now: %" PRId64 " (held %" PRId64 ") of day %d, matures %d, through %d%s\n",
                          (unsigned)i, lot->points, lot->held, (int)lot->earned, (int)lot->matures,
                          (int)lot->last_day, lot->by_purchase ? ", of a purchase" : "");
    }
}

static void fail_here(struct oracle_stage *stage)
{
    if (stage->sale != NULL)
        show_sale(stage, stage->sale);
    for (unsigned i = 0; i < stage->oracle->version_count; i++) {
        char *text = oracle_programme_text(&stage->oracle->versions[i]);
        (void)fprintf(stderr, "version %u:\n%s", i + 1, text);
        free(text);
    }
    (void)fprintf(stderr, "day %d, the last card looked at is %s\n", (int)stage->oracle->today,
                  stage->oracle->cards[stage->looks_at].number);
    (void)fprintf(stderr, "the last requests:\n%s\n%s\n%s", stage->shown[0], stage->shown[1],
                  stage->shown[2]);
    fail_msg("the ledger and the oracle disagree at number %" PRIu64, stage->number - 1);
}

void oracle_same(struct oracle_stage *stage, const char *what, int64_t expected, int64_t got)
{
    if (expected == got)
        return;
    print_error("%s: expected %" PRId64 ", got %" PRId64 "\n", what, expected, got);
    fail_here(stage);
}

void oracle_same_points(struct oracle_stage *stage, const char *what, int64_t expected, int64_t got)
{
    oracle_same(stage, what, expected, got * oracle_step(oracle_now(stage->oracle)));
}

struct talk_answer oracle_send(struct oracle_stage *stage, enum operation operation, const void *body)
{
    struct talk_answer answer;
    uint64_t number = stage->number++;
    memmove(stage->shown[0], stage->shown[1], sizeof(stage->shown) - sizeof(stage->shown[0]));
    (void)message_print(operation_row((uint16_t)operation)->request, body, stage->shown[2],
                        sizeof(stage->shown[2]));
    talk_send(stage->talk, operation, 0, number, body);
    assert_true(talk_receive(stage->talk, &answer));
    assert_int_equal(answer.number, number);
    return answer;
}

static const char *name_of(enum result result)
{
    return result == RESULT_DONE ? "done" : result_row(result)->name;
}

bool oracle_agree(struct oracle_stage *stage, const struct talk_answer *answer,
                  const struct oracle_answer *expected)
{
    struct msg_refusal refusal = talk_refusal(stage->talk, answer);
    if ((enum result)refusal.result != expected->result) {
        print_error("expected %s, got %s: %.*s\n", name_of(expected->result),
                    name_of((enum result)refusal.result), (int)refusal.detail.size,
                    refusal.detail.data == NULL ? "" : refusal.detail.data);
        print_error("needed %" PRId64 " (%" PRId64 "), available %" PRId64 " (%" PRId64 ")\n",
                    expected->needed, refusal.needed, expected->available, refusal.available);
        fail_here(stage);
    }
    if (expected->result == RESULT_DONE)
        return true;
    bool stamps = expected->result == RESULT_NOT_ENOUGH_STAMPS;
    int64_t step = stamps ? 1 : oracle_step(oracle_now(stage->oracle));
    oracle_same(stage, "needed", expected->needed / step, refusal.needed);
    oracle_same(stage, "available", expected->available / step, refusal.available);
    stage->refused++;
    return false;
}

void oracle_note(struct oracle_stage *stage, enum oracle_kind kind, size_t index, uint64_t position)
{
    stage->events = realloc(stage->events, (stage->event_count + 1) * sizeof(*stage->events));
    assert_non_null(stage->events);
    stage->events[stage->event_count++] = (struct oracle_event){
        .kind = kind, .index = index, .position = position, .number = stage->number - 1
    };
}

struct oracle_event *oracle_any(struct oracle_stage *stage, enum oracle_kind kind)
{
    for (unsigned tries = 0; tries < 60 && stage->event_count > 0; tries++) {
        size_t near = stage->event_count < 80 ? stage->event_count : 80;
        struct oracle_event *event = &stage->events[stage->event_count - 1 - oracle_below(stage, near)];
        if (event->kind == kind)
            return event;
    }
    return NULL;
}

static int by_dates(const void *a, const void *b)
{
    const struct oracle_lot *left = a, *right = b;
    const int64_t differences[] = { left->last_day - (int64_t)right->last_day,
                                    left->matures - (int64_t)right->matures,
                                    left->earned - (int64_t)right->earned, left->points - right->points,
                                    left->held - right->held };
    for (unsigned i = 0; i < 5; i++) {
        if (differences[i] != 0)
            return differences[i] < 0 ? -1 : 1;
    }
    return 0;
}

static void compare_lots(struct oracle_stage *stage, const struct oracle_account *account,
                         const struct msg_card_show_answer *shown)
{
    static struct oracle_lot expected[ORACLE_LOTS], got[ORACLE_LOTS];
    size_t count = 0;
    for (uint32_t i = 1; i < account->next_lot; i++) {
        if (account->lots[i].points > 0)
            expected[count++] = account->lots[i];
    }
    oracle_same(stage, "lots", (int64_t)count, (int64_t)shown->lots_count);
    int64_t step = oracle_step(oracle_now(stage->oracle));
    for (size_t i = 0; i < count; i++) {
        const struct msg_lot_entry *lot = &shown->lots[i];
        got[i] = (struct oracle_lot){ .points = lot->points * step,
                                      .held = lot->held * step,
                                      .earned = (int32_t)lot->earned,
                                      .matures = (int32_t)lot->matures };
        got[i].last_day = lot->last_day == 0 ? ORACLE_NEVER : (int32_t)lot->last_day;
        if (expected[i].inactive_months > 0) {
            uint32_t number = (uint32_t)lot->number;
            expected[i].last_day = got[i].last_day =
                ORACLE_NEVER; /* it moves: the balance says when it is over */
            (void)number;
        }
    }
    qsort(expected, count, sizeof(expected[0]), by_dates);
    qsort(got, count, sizeof(got[0]), by_dates);
    for (size_t i = 0; i < count; i++) {
        oracle_same(stage, "points of a lot", expected[i].points, got[i].points);
        oracle_same(stage, "held of a lot", expected[i].held, got[i].held);
        oracle_same(stage, "last day of a lot", expected[i].last_day, got[i].last_day);
        oracle_same(stage, "a lot matures", expected[i].matures, got[i].matures);
    }
}

static void compare_purses(struct oracle_stage *stage, const struct oracle_account *account,
                           const struct msg_card_show_answer *shown)
{
    int64_t stamps[ORACLE_PURSES] = { 0 }, held[ORACLE_PURSES] = { 0 };
    for (uint64_t i = 0; i < shown->purses_count; i++) {
        for (unsigned k = 0; k < ORACLE_PURSES; k++) {
            struct wire_code name = talk_code(oracle_word(WORD_PURSE, k).text);
            if (name.size != shown->purses[i].name.size ||
                memcmp(name.bytes, shown->purses[i].name.bytes, name.size) != 0)
                continue;
            stamps[k] = shown->purses[i].count;
            held[k] = shown->purses[i].held;
        }
    }
    for (unsigned k = 0; k < ORACLE_PURSES; k++) {
        oracle_same(stage, "stamps", account->stamps[k], stamps[k]);
        oracle_same(stage, "stamps held", account->stamps_held[k], held[k]);
    }
}

static void compare_card(struct oracle_stage *stage, unsigned card)
{
    stage->looks_at = card;
    static uint64_t number = UINT64_C(1) << 50;
    struct oracle_card *of = &stage->oracle->cards[card];
    struct msg_card_show_request request = { .card = talk_code(of->number), .lots = 1 };
    struct msg_card_show_answer shown;
    struct talk_answer answer;
    talk_send(stage->talk, OPERATION_CARD_SHOW, 0, ++number, &request);
    assert_true(talk_receive(stage->talk, &answer));
    if (of->status == CARD_IS_UNKNOWN) {
        assert_int_equal(talk_result(stage->talk, &answer), RESULT_UNKNOWN_CARD);
        return;
    }
    talk_decode(stage->talk, &answer, &shown);
    struct oracle_account *account = oracle_account_of(stage->oracle, card);
    struct oracle_answer expected = { 0 };
    oracle_go_to(stage->oracle, stage->oracle->now_us); /* what has come in and is over already */
    oracle_balance(stage->oracle, account, &expected);
    oracle_same(stage, "status", of->status, (int64_t)shown.status);
    oracle_same_points(stage, "available of a card", expected.available, shown.available);
    oracle_same_points(stage, "pending of a card", expected.pending, shown.pending);
    oracle_same_points(stage, "held of a card", expected.held, shown.held);
    oracle_same_points(stage, "debt of a card", expected.debt, shown.debt);
    oracle_same_points(stage, "lifetime of a card", account->lifetime, shown.lifetime);
    oracle_same(stage, "cards", account->cards, (int64_t)shown.cards);
    oracle_same(stage, "tier of a card", account->tier > 0, shown.tier.size > 0);
    if (account->tier > 0)
        oracle_same(stage, "tier", '0' + (int64_t)account->tier, shown.tier.bytes[1]);
    compare_purses(stage, account, &shown);
    compare_lots(stage, account, &shown);
}

void oracle_compare(struct oracle_stage *stage)
{
    for (unsigned i = 0; i < stage->oracle->card_count; i++)
        compare_card(stage, i);
    struct msg_totals_answer totals = talk_totals(stage->talk);
    int64_t came = totals.earned + totals.bonus + totals.adjusted + totals.written_off + totals.reversed;
    int64_t went = totals.redeemed + totals.returned + totals.unlinked + totals.expired + totals.forfeited;
    oracle_same(stage, "what came less what went", came - went, totals.outstanding - totals.debt);
}

/* --- time --- */

static uint64_t time_of_ping(struct oracle_stage *stage)
{
    struct msg_hello_answer hello;
    struct talk *talk = talk_hello(world_address(stage->world), 0, 1, &hello);
    uint64_t time = hello.time;
    talk_free(talk);
    return time;
}

static void wait_for_holds(struct oracle_stage *stage)
{
    int64_t start_ms = world_now_ms();
    for (unsigned i = 0; i < stage->oracle->card_count; i++) {
        struct oracle_account *account = oracle_account_of(stage->oracle, i);
        if (account == NULL)
            continue;
        size_t open = 0;
        for (size_t k = 0; k < stage->oracle->hold_count; k++) {
            const struct oracle_hold *hold = stage->oracle->holds[k];
            open += hold->state == HELD &&
                    stage->oracle->accounts[oracle_account_index(stage->oracle, hold->account)] == account;
        }
        while (talk_card(stage->talk, stage->oracle->cards[i].number).holds_count != open)
            world_patience(start_ms);
    }
}

void oracle_wait(struct oracle_stage *stage, int64_t hours)
{
    int64_t start_ms = world_now_ms();
    int64_t before_us = (int64_t)time_of_ping(stage);
    stage->ahead_us += hours * HOUR_US;
    world_clock_ahead(stage->world, stage->ahead_us);
    while ((int64_t)time_of_ping(stage) < before_us + hours * HOUR_US)
        world_patience(start_ms);
    oracle_go_to(stage->oracle, stage->oracle->now_us + hours * HOUR_US);
    wait_for_holds(stage);
}

/* --- beginning, end, and between --- */

static void connect_again(struct oracle_stage *stage)
{
    talk_free(stage->talk);
    stage->talk = talk_hello(world_address(stage->world), stage->epoch, stage->number, NULL);
}

void oracle_kill(struct oracle_stage *stage)
{
    world_kill(stage->world);
    world_start(stage->world);
    connect_again(stage);
    oracle_compare(stage);
}

void oracle_rebuild(struct oracle_stage *stage)
{
    char config[256];
    struct run run;
    const char *argv[] = {
        "punktd", "rebuild", "--config", config, "--data", world_data(stage->world), NULL
    };
    (void)snprintf(config, sizeof(config), "%s/punktd.yaml", world_folder(stage->world));
    world_stop(stage->world);
    run_begin(argv, NULL, &run);
    run_end(&run);
    if (run.exit_code != 0)
        fail_msg("punktd rebuild ends with %d: %s%s", run.exit_code, run.out, run.err);
    run_done(&run);
    world_start(stage->world);
    connect_again(stage);
    oracle_compare(stage);
}

struct oracle_stage *oracle_stage_new(struct random *random)
{
    struct world_options options = { .settings = SETTINGS, .own_clock = true, .stopped = true };
    struct oracle_stage *stage = calloc(1, sizeof(*stage));
    struct oracle_programme programme;
    assert_non_null(stage);
    stage->random = random;
    stage->world = world_new(&options);
    int64_t now_us = (int64_t)time(NULL) * 1000000;
    /* At half past an hour, so that minutes do not matter; before noon. */
    int64_t begin_us = now_us - now_us % (24 * HOUR_US) + 34 * HOUR_US + HOUR_US / 2;
    stage->ahead_us = begin_us - now_us;
    world_clock_ahead(stage->world, stage->ahead_us);
    oracle_programme_make(random, (int32_t)(begin_us / (24 * HOUR_US)), NULL, &programme);
    char *text = oracle_programme_text(&programme);
    world_set_programme(stage->world, text);
    free(text);
    world_start(stage->world);
    world_set_programme(stage->world, NULL);
    stage->oracle = oracle_new(begin_us, &programme);
    stage->epoch = random_u64(random) | 1;
    stage->number = 1;
    stage->talk = talk_hello(world_address(stage->world), stage->epoch, 1, NULL);
    oracle_open(stage);
    return stage;
}

void oracle_stage_free(struct oracle_stage *stage)
{
    talk_free(stage->talk);
    world_free(stage->world);
    oracle_free(stage->oracle);
    free(stage->events);
    free(stage);
}
