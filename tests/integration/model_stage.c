#include "model_stage.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Checkpoints meet the kills. */
#define SETTINGS WORLD_JOURNAL "  checkpoint_ms: 50\n"

static int64_t wall_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

uint64_t stage_below(struct stage *stage, uint64_t bound)
{
    return random_below(stage->random, bound);
}

/* --- clients --- */

static struct punkt *connect_lane(const struct stage *stage, uint64_t epoch, uint64_t next_number)
{
    struct punkt_options options = { .size = sizeof(options),
                                     .server = world_address(stage->world),
                                     .timeout_ms = CHANGE_TIMEOUT_MS,
                                     .window = IN_FLIGHT_MAX,
                                     .epoch = epoch,
                                     .next_number = next_number };
    struct punkt *punkt;
    assert_int_equal(punkt_new(&options, &punkt), PUNKT_CALL_DONE);
    return punkt;
}

/* A client as it is after its machine was switched off and on: the same lane, another connection. */
void stage_reconnect(struct stage *stage, unsigned till)
{
    uint64_t next_number = punkt_next_number(stage->tills[till]);
    punkt_free(stage->tills[till]);
    stage->tills[till] = connect_lane(stage, stage->epochs[till], next_number);
}

static struct punkt *any_till(struct stage *stage)
{
    return stage->tills[stage_below(stage, TILLS)];
}

void stage_totals(struct stage *stage, struct punkt_totals_answer *out)
{
    *out = (struct punkt_totals_answer)PUNKT_ANSWER_INIT(*out);
    assert_int_equal(punkt_totals(any_till(stage), NULL, out), PUNKT_CALL_DONE);
}

/* --- sending and comparing --- */

struct sent *stage_sent(struct stage *stage, unsigned till, const struct change *change)
{
    if (stage->sent_count == stage->sent_capacity) {
        stage->sent_capacity = stage->sent_capacity == 0 ? 256 : stage->sent_capacity * 2;
        stage->sent = realloc(stage->sent, stage->sent_capacity * sizeof(struct sent *));
        assert_non_null(stage->sent);
    }
    struct sent *sent = calloc(1, sizeof(*sent));
    assert_non_null(sent);
    *sent = (struct sent){ .stage = stage, .till = till, .booking = MODEL_NONE, .change = *change };
    stage->sent[stage->sent_count++] = sent;
    return sent;
}

/* Compares an answer with what the model expected, and takes over what only the ledger can know. */
void stage_settle(struct sent *sent, const struct outcome *got)
{
    struct stage *stage = sent->stage;
    struct outcome expected = sent->outcome;
    if (sent->booking != MODEL_NONE) {
        const struct booking *booking = model_booking(stage->model, sent->booking);
        bool known = booking->outcome.position != 0;
        /* A receipt that came again reports what its first answer brought. */
        expected.position = known ? booking->outcome.position : got->position;
        expected.account = known ? booking->outcome.account : got->account;
        if (!known)
            model_learn(stage->model, sent->booking, got->position, got->account);
    }
    outcome_expect(&sent->change, &expected, got);
    assert_true(got->replayed || !expected.replayed);
    stage->refused += got->code != PUNKT_RESULT_DONE;
    stage->replayed += got->replayed;
    sent->outcome = *got;
    sent->answered = true;
}

/* One change, answered before the next. */
void stage_turn(struct stage *stage, unsigned till, const struct change *change)
{
    struct outcome got;
    struct sent *sent = stage_sent(stage, till, change);
    uint64_t accounts = 0;
    for (; model_card_number(stage->model, accounts) != NULL; accounts++)
        ;
    sent->number = punkt_next_number(stage->tills[till]);
    sent->booking = model_take(stage->model, change, &sent->outcome);
    change_send(stage->tills[till], change, &got);
    assert_int_equal(got.replayed, sent->outcome.replayed);
    stage_settle(sent, &got);
    if (change->kind == CHANGE_ISSUE && got.code == PUNKT_RESULT_DONE)
        assert_int_equal(got.account, accounts + 1);
}

void stage_compare_card(struct stage *stage, const char *card)
{
    struct punkt_card_show_request request = { .size = sizeof(request), .card = card };
    struct punkt_card_show_answer answer = PUNKT_ANSWER_INIT(answer);
    struct model_card expected = model_card(stage->model, card);
    enum punkt_call call = punkt_card_show(any_till(stage), &request, &answer);
    if (expected.account == MODEL_NONE) {
        assert_int_equal(call, PUNKT_CALL_REFUSED);
        assert_int_equal(answer.head.code, PUNKT_RESULT_UNKNOWN_CARD);
        return;
    }
    assert_int_equal(call, PUNKT_CALL_DONE);
    assert_int_equal(answer.status, PUNKT_CARD_ACTIVE);
    assert_int_equal(answer.available, expected.available);
    assert_int_equal(answer.debt, expected.debt);
    assert_int_equal(answer.lifetime, expected.lifetime);
    assert_int_equal(answer.pending, 0);
    assert_int_equal(answer.held, 0);
    assert_int_equal(answer.next_expiry_day, 0);
}

static void compare_entry(const struct stage *stage, const struct punkt_statement_entry *entry,
                          const struct booking *booking)
{
    static const uint32_t kinds[] = {
        [CHANGE_ISSUE] = PUNKT_EVENT_CARDS_ISSUED, [CHANGE_PURCHASE] = PUNKT_EVENT_PURCHASE,
        [CHANGE_RETURN] = PUNKT_EVENT_RETURN,      [CHANGE_UNLINKED_RETURN] = PUNKT_EVENT_UNLINKED_RETURN,
        [CHANGE_REDEEM] = PUNKT_EVENT_REDEMPTION,  [CHANGE_ADJUST] = PUNKT_EVENT_ADJUSTMENT,
    };
    const struct change *change = &booking->change;
    bool placed = change->kind != CHANGE_ISSUE && change->kind != CHANGE_ADJUST;
    assert_int_equal(entry->kind, kinds[change->kind]);
    assert_int_equal(entry->position, booking->outcome.position);
    assert_int_equal(entry->points, booking->points);
    assert_int_equal(entry->balance, booking->balance);
    assert_string_equal(entry->store, !placed ? "" : change->store[0] != '\0' ? change->store : "0");
    assert_string_equal(entry->till, !placed ? "" : change->till[0] != '\0' ? change->till : "0");
    assert_string_equal(entry->receipt, change->number);
    assert_string_equal(entry->reason, change->reason);
    assert_string_equal(entry->operator_, change->operator_);
    if (change->time_us != 0 && !booking->outcome.server_time_used)
        assert_int_equal(entry->time_us, change->time_us);
    else
        assert_in_range(entry->time_us, stage->began_us - 1000000, wall_us() + 1000000);
}

/* The whole statement, in pages of any size, newest first. */
void stage_compare_statement(struct stage *stage, const char *card)
{
    size_t expected = model_card(stage->model, card).newest;
    struct punkt_statement_request request = { .size = sizeof(request), .card = card };
    do {
        struct punkt_statement_answer page = PUNKT_ANSWER_INIT(page);
        request.limit = 1 + (uint32_t)stage_below(stage, 200);
        assert_int_equal(punkt_statement(any_till(stage), &request, &page), PUNKT_CALL_DONE);
        assert_true(page.entry_count <= request.limit);
        assert_true(page.next == 0 || page.entry_count == request.limit);
        for (size_t i = 0; i < page.entry_count; i++) {
            assert_int_not_equal(expected, MODEL_NONE);
            const struct booking *booking = model_booking(stage->model, expected);
            compare_entry(stage, punkt_statement_entry(&page, i), booking);
            expected = booking->change.kind == CHANGE_ISSUE ? MODEL_NONE : booking->previous;
        }
        request.from = page.next;
    } while (request.from != 0);
    assert_int_equal(expected, MODEL_NONE);
}

void stage_compare_totals(struct stage *stage)
{
    struct punkt_totals_answer got;
    struct punkt_totals_answer expected;
    stage_totals(stage, &got);
    model_totals(stage->model, &expected);
    assert_int_equal(got.accounts, expected.accounts);
    assert_int_equal(got.cards, expected.cards);
    assert_int_equal(got.earned, expected.earned);
    assert_int_equal(got.redeemed, expected.redeemed);
    assert_int_equal(got.returned, expected.returned);
    assert_int_equal(got.unlinked, expected.unlinked);
    assert_int_equal(got.adjusted, expected.adjusted);
    assert_int_equal(got.outstanding, expected.outstanding);
    assert_int_equal(got.debt, expected.debt);
    assert_int_equal(got.accounts_in_debt, expected.accounts_in_debt);
    assert_int_equal(got.events - stage->before.events, expected.events);
    assert_int_equal(got.outstanding - got.debt,
                     got.earned - got.returned - got.unlinked - got.redeemed + got.adjusted);
}

/* The answer of before comes again, under the same number from another connection, and by status. */
void stage_compare_repeat(struct stage *stage, const struct sent *sent)
{
    struct punkt *punkt = connect_lane(stage, stage->epochs[sent->till], sent->number);
    struct punkt_status_request request = { .size = sizeof(request),
                                            .epoch = stage->epochs[sent->till],
                                            .number = sent->number };
    struct punkt_status_answer status = PUNKT_ANSWER_INIT(status);
    bool done = sent->outcome.code == PUNKT_RESULT_DONE;
    struct outcome got;
    change_send(punkt, &sent->change, &got);
    assert_true(got.replayed);
    outcome_expect(&sent->change, &sent->outcome, &got);

    assert_int_equal(punkt_status(punkt, &request, &status), PUNKT_CALL_DONE);
    assert_int_equal(status.state, done ? PUNKT_STATUS_DONE : PUNKT_STATUS_REFUSED);
    assert_non_null(status.first);
    outcome_of(status.first, &got);
    outcome_expect(&sent->change, &sent->outcome, &got);
    punkt_free(punkt);
}

/* Another change under a number that is taken. */
void stage_compare_conflict(struct stage *stage, const struct sent *sent)
{
    struct punkt *punkt = connect_lane(stage, stage->epochs[sent->till], sent->number);
    struct change other = sent->change;
    struct outcome got;
    change_alter(&other);
    change_send(punkt, &other, &got);
    assert_int_equal(got.code, PUNKT_RESULT_CONFLICT);
    punkt_free(punkt);
}

const struct sent *stage_any_sent(struct stage *stage)
{
    assert_true(stage->sent_count > 0);
    return stage->sent[stage_below(stage, stage->sent_count)];
}

static void stage_compare_everything(struct stage *stage)
{
    char unknown[PUNKT_CARD_MAX + 1];
    const char *card;
    stage_compare_totals(stage);
    for (size_t i = 0; (card = model_card_number(stage->model, i)) != NULL; i++) {
        stage_compare_card(stage, card);
        stage_compare_statement(stage, card);
    }
    change_card(77, 1, unknown);
    stage_compare_card(stage, unknown);
    for (unsigned i = 0; i < 20; i++)
        stage_compare_repeat(stage, stage_any_sent(stage));
    stage_compare_totals(stage);
}

/* --- what may befall the daemon --- */

void stage_kill_and_compare(struct stage *stage)
{
    world_kill(stage->world);
    world_start(stage->world);
    for (unsigned i = 0; i < TILLS; i++)
        stage_reconnect(stage, i);
    stage_compare_everything(stage);
}

static void run_offline(const struct stage *stage, const char *command, const char *expected)
{
    char config[256];
    struct run run;
    const char *argv[] = { "punktd", command, "--config", config, "--data", world_data(stage->world), NULL };
    (void)snprintf(config, sizeof(config), "%s/punktd.yaml", world_folder(stage->world));
    run_begin(argv, NULL, &run);
    run_end(&run);
    if (run.exit_code != 0 || strstr(run.out, expected) == NULL)
        fail_msg("punktd %s ends with %d: %s%s", command, run.exit_code, run.out, run.err);
    run_done(&run);
}

/* The end of every test: all again after a kill, after a clean stop, and from the journal alone. */
void stage_outlive(struct stage *stage)
{
    struct punkt_audit_verify_answer audit = PUNKT_ANSWER_INIT(audit);
    stage_compare_everything(stage);
    stage_kill_and_compare(stage);
    struct punkt_plain_request request = { .size = sizeof(request), .timeout_ms = CHANGE_TIMEOUT_MS };
    assert_int_equal(punkt_audit_verify(any_till(stage), &request, &audit), PUNKT_CALL_DONE);
    assert_int_equal(audit.state, PUNKT_AUDIT_MATCHES);

    world_stop(stage->world);
    run_offline(stage, "verify", "matches");
    run_offline(stage, "rebuild", "was rebuilt");
    run_offline(stage, "verify", "matches");
    world_start(stage->world);
    for (unsigned i = 0; i < TILLS; i++)
        stage_reconnect(stage, i);
    stage_compare_everything(stage);
    print_message("%zu changes, of them %" PRIu64 " refused and %" PRIu64 " replayed; %zu bookings\n",
                  stage->sent_count, stage->refused, stage->replayed, model_booking_count(stage->model));
}

/* --- beginning and end --- */

static void issue_first_cards(struct stage *stage)
{
    for (unsigned i = 0; i < TILLS; i++) {
        struct change change = { .kind = CHANGE_ISSUE, .card_count = 8 };
        change_card(i, 0, change.card);
        stage_turn(stage, i, &change);
    }
}

struct stage *stage_new(struct random *random, bool unix_socket)
{
    struct world_options options = { .settings = SETTINGS, .unix_socket = unix_socket };
    struct stage *stage = calloc(1, sizeof(*stage));
    assert_non_null(stage);
    stage->world = world_new(&options);
    stage->random = random;
    stage->began_us = wall_us();
    stage->model = model_new(stage->began_us);
    assert_non_null(stage->model);
    stage->maker = (struct maker){ .random = random, .model = stage->model, .now_us = stage->began_us };
    for (unsigned i = 0; i < TILLS; i++) {
        stage->tills[i] = connect_lane(stage, 0, 0);
        stage->epochs[i] = punkt_epoch(stage->tills[i]);
    }
    stage_totals(stage, &stage->before);
    issue_first_cards(stage);
    return stage;
}

void stage_free(struct stage *stage)
{
    for (unsigned i = 0; i < TILLS; i++)
        punkt_free(stage->tills[i]);
    for (size_t i = 0; i < stage->sent_count; i++)
        free(stage->sent[i]);
    world_free(stage->world);
    model_free(stage->model);
    free(stage->sent);
    free(stage);
}
