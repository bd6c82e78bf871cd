/*
 * Random operations of several clients against a model (points_model.h) that works everything out apart from the
 * daemon. Three tests, each on a ledger of its own: clients that take turns, whose order is known; clients that
 * send many requests at once, each on cards of its own; and all of them at once on the same few cards, where
 * afterwards the order is that of the journal. Everything is compared again after kill -9, and after a rebuild.
 *
 * PUNKT_SEED repeats a run; PUNKT_LONG=1 runs ten times as many rounds.
 */
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "model_stage.h"

#define SHARED_CARDS 5

static struct random *seed;

static int set_up(void **state)
{
    *state = stage_new(seed, false);
    return 0;
}

/* At an address that a kill does not change. */
static int set_up_to_kill(void **state)
{
    *state = stage_new(seed, true);
    return 0;
}

static int tear_down(void **state)
{
    stage_free(*state);
    return 0;
}

static unsigned rounds(unsigned count)
{
    return world_long() ? count * 10 : count;
}

/* --- clients that take turns --- */

static void turn_of(struct stage *stage, unsigned till)
{
    char card[PUNKT_CARD_MAX + 1];
    struct change change;
    change_card((unsigned)stage_below(stage, TILLS), stage_below(stage, 16), card);
    switch (stage_below(stage, 24)) {
    case 0:
        stage_compare_card(stage, card);
        break;
    case 1:
        if (model_card(stage->model, card).account != MODEL_NONE)
            stage_compare_statement(stage, card);
        break;
    case 2:
        stage_compare_totals(stage);
        break;
    case 3:
        stage_compare_repeat(stage, stage_any_sent(stage));
        break;
    case 4:
        stage_compare_conflict(stage, stage_any_sent(stage));
        break;
    case 5:
        stage_reconnect(stage, till);
        break;
    default:
        change_make(&stage->maker, (unsigned)stage_below(stage, TILLS), &change);
        stage_turn(stage, till, &change);
    }
}

static void test_turns(void **state)
{
    unsigned count = rounds(1000);
    struct stage *stage = *state;
    for (unsigned round = 0; round < count; round++) {
        for (unsigned i = 0; i < TILLS; i++)
            turn_of(stage, (unsigned)stage_below(stage, TILLS));
        if (stage_below(stage, count / 3) == 0)
            stage_kill_and_compare(stage);
    }
    stage_outlive(stage);
}

/* --- clients that send many at once --- */

static void on_answer(struct punkt *punkt, const struct punkt_answer *answer, void *ctx)
{
    struct sent *sent = ctx;
    struct outcome got;
    (void)punkt;
    outcome_of(answer, &got);
    sent->number = answer->number;
    if (!sent->unjudged) {
        stage_settle(sent, &got);
        return;
    }
    sent->outcome = got;
    sent->answered = true;
}

static unsigned unanswered(const struct stage *stage)
{
    unsigned count = 0;
    for (unsigned i = 0; i < TILLS; i++)
        count += punkt_unanswered(stage->tills[i]);
    return count;
}

/* Waits until something happens to one of the clients, and lets all of them see to it. */
static void process_all(struct stage *stage)
{
    struct pollfd fds[TILLS];
    int timeout_ms = WORLD_PATIENCE_MS;
    for (unsigned i = 0; i < TILLS; i++) {
        int wanted = punkt_wanted(stage->tills[i]);
        int due_ms = punkt_timeout_ms(stage->tills[i]);
        fds[i] = (struct pollfd){ .fd = punkt_fd(stage->tills[i]) };
        fds[i].events = (short)(((wanted & PUNKT_WANT_READ) != 0 ? POLLIN : 0) |
                                ((wanted & PUNKT_WANT_WRITE) != 0 ? POLLOUT : 0));
        if (due_ms >= 0 && due_ms < timeout_ms)
            timeout_ms = due_ms;
    }
    assert_true(poll(fds, TILLS, timeout_ms) >= 0);
    for (unsigned i = 0; i < TILLS; i++)
        (void)punkt_process(stage->tills[i]);
}

/* Until all is answered. Now and then the daemon is killed amid its work, and everybody goes on with the next. */
static void drive_all(struct stage *stage, bool kill_it)
{
    int64_t start_ms = world_now_ms();
    for (uint64_t steps = kill_it ? stage_below(stage, 12) : 0; steps > 0 && unanswered(stage) > 0; steps--)
        process_all(stage);
    if (kill_it) {
        world_kill(stage->world);
        world_start(stage->world);
    }
    while (unanswered(stage) > 0) {
        process_all(stage);
        world_patience(start_ms);
    }
}

static void test_bursts(void **state)
{
    unsigned count = rounds(400);
    struct stage *stage = *state;
    struct change change;
    stage->maker.own_cards = true;
    for (unsigned round = 0; round < count; round++) {
        for (unsigned i = 0; i < TILLS; i++) {
            for (uint64_t left = stage_below(stage, IN_FLIGHT_MAX + 1); left > 0; left--) {
                change_make(&stage->maker, i, &change);
                struct sent *sent = stage_sent(stage, i, &change);
                sent->booking = model_take(stage->model, &change, &sent->outcome);
                change_submit(stage->tills[i], &change, on_answer, sent);
            }
        }
        drive_all(stage, stage_below(stage, count / 12) == 0);
        if (stage_below(stage, count / 4) == 0)
            stage_compare_totals(stage);
    }
    stage_outlive(stage);
}

/* --- clients at once on the same cards --- */

/* A return of a part of some purchase that was answered, whoever made it. */
static bool make_shared_return(struct stage *stage, struct change *out)
{
    for (unsigned tries = 0; tries < 20; tries++) {
        const struct sent *sent = stage_any_sent(stage);
        if (!sent->answered || sent->change.kind != CHANGE_PURCHASE || sent->outcome.position == 0)
            continue;
        *out = (struct change){ .kind = CHANGE_RETURN,
                                .amount = (int64_t)stage_below(stage, (uint64_t)sent->change.amount + 1),
                                .sale_position = sent->outcome.position };
        memcpy(out->card, sent->change.card, sizeof(out->card));
        return true;
    }
    return false;
}

static int by_position(const void *a, const void *b)
{
    uint64_t left = (*(const struct sent *const *)a)->outcome.position;
    uint64_t right = (*(const struct sent *const *)b)->outcome.position;
    return left < right ? -1 : left > right;
}

/*
 * What was done, in the order of the journal, must be what the model does in that order: no race overdraws a card,
 * and every answer is right for its moment. A refusal leaves no position; it must be one that a race explains.
 */
static void judge_by_order(struct stage *stage, size_t from)
{
    size_t last = stage->sent_count;
    qsort(stage->sent + from, last - from, sizeof(struct sent *), by_position);
    for (size_t i = from; i < last; i++) {
        struct sent *sent = stage->sent[i];
        struct outcome got = sent->outcome;
        assert_true(sent->answered);
        if (got.code != PUNKT_RESULT_DONE) {
            assert_true(got.code == PUNKT_RESULT_NOT_ENOUGH_POINTS ||
                        got.code == PUNKT_RESULT_MORE_THAN_SOLD || got.code == PUNKT_RESULT_UNKNOWN_REASON ||
                        got.code == PUNKT_RESULT_LINES_MISMATCH || got.code == PUNKT_RESULT_OVER_LIMIT);
            assert_true(got.code != PUNKT_RESULT_NOT_ENOUGH_POINTS || got.needed > got.available);
            model_count_refusal(stage->model);
            stage->refused++;
            continue;
        }
        sent->booking = model_take(stage->model, &sent->change, &sent->outcome);
        stage_settle(sent, &got);
    }
}

/* Without the model: the sums of what was answered are those of the report. */
static void compare_sums(struct stage *stage, size_t from, const struct punkt_totals_answer *before)
{
    struct punkt_totals_answer after;
    int64_t earned = 0;
    int64_t taken = 0;
    stage_totals(stage, &after);
    for (size_t i = from; i < stage->sent_count; i++) {
        const struct sent *sent = stage->sent[i];
        if (sent->outcome.code != PUNKT_RESULT_DONE)
            continue;
        if (sent->change.kind == CHANGE_PURCHASE || sent->change.kind == CHANGE_ADJUST)
            earned += sent->outcome.points;
        else
            taken += sent->outcome.points;
    }
    assert_int_equal(after.outstanding - after.debt - (before->outstanding - before->debt), earned - taken);
    assert_int_equal(after.outstanding - after.debt,
                     after.earned - after.returned - after.unlinked - after.redeemed + after.adjusted);
}

static void race(struct stage *stage)
{
    struct change change;
    char card[PUNKT_CARD_MAX + 1];
    for (unsigned i = 0; i < TILLS; i++) {
        for (uint64_t left = stage_below(stage, IN_FLIGHT_MAX + 1); left > 0; left--) {
            change_card(0, stage_below(stage, SHARED_CARDS), card);
            if (stage_below(stage, 5) != 0 || !make_shared_return(stage, &change))
                change_make_simple(&stage->maker, 0, card, &change);
            struct sent *sent = stage_sent(stage, i, &change);
            sent->unjudged = true;
            change_submit(stage->tills[i], &change, on_answer, sent);
        }
    }
}

static void test_shared_cards(void **state)
{
    unsigned count = rounds(200);
    struct stage *stage = *state;
    struct punkt_totals_answer before;
    for (unsigned round = 0; round < count; round++) {
        size_t from = stage->sent_count;
        stage_totals(stage, &before);
        race(stage);
        drive_all(stage, stage_below(stage, count / 12) == 0);
        compare_sums(stage, from, &before);
        judge_by_order(stage, from);
        for (unsigned i = 0; i < SHARED_CARDS; i++)
            stage_compare_card(stage, model_card_number(stage->model, i));
    }
    stage_outlive(stage);
}

int main(void)
{
    static struct random random;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_turns, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bursts, set_up_to_kill, tear_down),
        cmocka_unit_test_setup_teardown(test_shared_cards, set_up_to_kill, tear_down),
    };
    random = random_seeded();
    seed = &random;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
