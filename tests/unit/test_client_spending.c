/*
 * Points that are spent at a till with an outbox: online, offline, and when nobody knows; undoing, waiting, PINs
 * (DOMAIN.md, Redeeming and Undoing; RELIABILITY.md, Outbox of the client; LEDGER.md, Secrets).
 */
#include "queue_world.h"

/* A till that may grant points offline, and has just seen a balance of 1000. */
static struct queue_world *offline_world(void)
{
    struct punkt_purchase_answer answer;
    struct queue_world *world = world_new(&(struct world_options){ 0 });
    struct msg_hello_answer hello = world_hello(world);
    hello.offline_card = 100;
    hello.offline_till = 150;
    hello.redeem_points = 1;
    hello.redeem_worth = 2;
    hello.redeem_minimum = 10;
    hello.redeem_step = 5;
    world_set_hello(world, &hello);
    assert_int_equal(till_buy(world, 100, 0, &answer), PUNKT_CALL_DONE);
    return world;
}

static void go_offline(struct queue_world *world)
{
    struct punkt_purchase_answer answer;
    world_away(world, true);
    assert_int_equal(till_buy(world, 100, 0, &answer), PUNKT_CALL_QUEUED);
    assert_int_equal(punkt_link_state(world->punkt), PUNKT_LINK_DOWN);
}

/* By the server's clock, which the till goes by. */
static void let_pass(struct queue_world *world, int64_t time_us)
{
    struct punkt_purchase_answer answer;
    world_clock(world, time_us);
    world_away(world, true);
    assert_int_equal(till_buy(world, 100, 0, &answer), PUNKT_CALL_QUEUED);
    world_away(world, false);
    world_until_empty(world);
}

static const struct told *last_ended(const struct queue_world *world)
{
    assert_true(world->ended_count > 0);
    return &world->ended[world->ended_count - 1];
}

/* --- offline --- */

/* Off by default; then by balance, form, and limits per card and till. Rewards and other cards' points need the server. */
static void granted_offline(void **state)
{
    static const struct {
        const char *card;
        int64_t points;
        enum punkt_call call;
        int64_t redeemed;
    } rows[] = {
        { CARD, 9, PUNKT_CALL_REFUSED, 0 },       /* below the minimum */
        { CARD, 52, PUNKT_CALL_QUEUED, 50 },      /* whole steps */
        { CARD, 55, PUNKT_CALL_REFUSED, 0 },      /* over what is left of the card's limit */
        { CARD, 50, PUNKT_CALL_QUEUED, 50 },      /* the rest of it */
        { CARD, 10, PUNKT_CALL_REFUSED, 0 },      /* nothing is left */
        { OTHER_CARD, 10, PUNKT_CALL_REFUSED, 0 } /* whose balance was never seen */
    };
    (void)state;
    struct queue_world *world = offline_world();
    go_offline(world);
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        till_submit_wish(world, rows[i].card, rows[i].points, 0);
        world_until_ended(world, i + 1);
        assert_int_equal(last_ended(world)->call, rows[i].call);
        assert_int_equal(last_ended(world)->redeemed, rows[i].redeemed);
        assert_int_equal(last_ended(world)->paid, 2 * rows[i].redeemed);
        if (rows[i].call == PUNKT_CALL_REFUSED)
            assert_int_equal(last_ended(world)->code, PUNKT_RESULT_OFFLINE);
    }
    assert_int_equal(till_queued(world), 3); /* what was refused here is not stored */
    world_away(world, false);
    world_until_empty(world);
    struct heard heard;
    for (unsigned i = 0; world_change(world, OPERATION_PURCHASE, i, &heard); i++) {
        uint16_t flags = heard.flags & (FRAME_FLAG_ADVICE | FRAME_FLAG_OFFLINE);
        assert_int_equal(flags, i < 2 ? 0 : FRAME_FLAG_ADVICE | FRAME_FLAG_OFFLINE);
    }
    /* The limit of the card is one of the day, also after the server has answered. */
    go_offline(world);
    till_submit_wish(world, CARD, 10, 0);
    world_until_ended(world, 7);
    assert_int_equal(last_ended(world)->code, PUNKT_RESULT_OFFLINE);
    world_free(world);
}

static void off_by_default(void **state)
{
    (void)state;
    struct punkt_purchase_answer answer;
    struct queue_world *world = world_new(&(struct world_options){ 0 });
    assert_int_equal(till_buy(world, 100, 0, &answer), PUNKT_CALL_DONE);
    go_offline(world);
    till_submit_wish(world, CARD, 10, 0);
    world_until_ended(world, 1);
    assert_int_equal(world->ended[0].call, PUNKT_CALL_REFUSED);
    assert_int_equal(world->ended[0].code, PUNKT_RESULT_OFFLINE);
    till_submit_redeem(world, 10, 0);
    world_until_ended(world, 2);
    assert_int_equal(world->ended[1].call, PUNKT_CALL_NOT_SENT);
    assert_int_equal(till_queued(world), 1);
    world_free(world);
}

/* The limits hold over a restart, and so does what is known of the server. */
static void restarted_offline(void **state)
{
    (void)state;
    struct queue_world *world = offline_world();
    go_offline(world);
    till_submit_wish(world, CARD, 80, 0);
    world_until_ended(world, 1);
    assert_int_equal(last_ended(world)->redeemed, 80);
    till_close(world);
    till_open(world);
    struct punkt_server_info info = PUNKT_INIT(info);
    punkt_server_info(world->punkt, &info);
    assert_true(info.known && !info.connected);
    assert_string_equal(info.currency, "EUR");
    assert_int_equal(info.offline_card, 100);
    till_submit_wish(world, CARD, 25,
                     0); /* the link was not tried yet: known to be down when that has failed */
    world_until_ended(world, 2);
    assert_int_equal(last_ended(world)->code, PUNKT_RESULT_OFFLINE);
    till_submit_wish(world, CARD, 20, 0);
    world_until_ended(world, 3);
    assert_int_equal(last_ended(world)->call, PUNKT_CALL_QUEUED);
    assert_int_equal(last_ended(world)->redeemed, 20);
    world_away(world, false);
    world_until_empty(world);
    world_free(world);
}

static void redeemed_offline(void **state)
{
    (void)state;
    struct queue_world *world = offline_world();
    go_offline(world);
    till_submit_redeem(world, 40, 0);
    world_until_ended(world, 1);
    assert_int_equal(world->ended[0].call, PUNKT_CALL_QUEUED);
    assert_int_equal(world->ended[0].redeemed, 40);
    assert_int_equal(world->ended[0].paid, 80);
    world_away(world, false);
    world_until_settled(world, 2);
    assert_int_equal(world->settled[1].operation, PUNKT_OPERATION_REDEEM);
    assert_int_equal(world->settled[1].call, PUNKT_CALL_DONE);
    world_free(world);
}

/* Points that this till has set aside of the card may be captured offline, once, as long as it has not undone that. */
static void captured_offline(void **state)
{
    static const struct {
        const char *card;
        bool cancelled, released, others, twice, late, restarted;
        enum punkt_call call, again;
    } rows[] = {
        { .card = CARD, .call = PUNKT_CALL_QUEUED, .again = PUNKT_CALL_REFUSED },
        { .card = OTHER_CARD, .call = PUNKT_CALL_REFUSED, .again = PUNKT_CALL_REFUSED },
        { .card = CARD, .cancelled = true, .call = PUNKT_CALL_REFUSED, .again = PUNKT_CALL_REFUSED },
        { .card = CARD, .released = true, .call = PUNKT_CALL_REFUSED, .again = PUNKT_CALL_REFUSED },
        { .card = CARD, .others = true, .call = PUNKT_CALL_REFUSED, .again = PUNKT_CALL_REFUSED },
        { .card = CARD, .twice = true, .call = PUNKT_CALL_REFUSED, .again = PUNKT_CALL_REFUSED },
        { .card = CARD, .late = true, .call = PUNKT_CALL_REFUSED, .again = PUNKT_CALL_REFUSED },
        { .card = CARD, .restarted = true, .call = PUNKT_CALL_REFUSED, .again = PUNKT_CALL_REFUSED },
    };
    (void)state;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct queue_world *world = offline_world();
        struct punkt_hold_request request = { .size = sizeof(request), .card = CARD, .points = 30 };
        struct punkt_hold_answer held = PUNKT_ANSWER_INIT(held);
        struct punkt_reversal_answer reversed = PUNKT_ANSWER_INIT(reversed);
        struct punkt_release_answer released = PUNKT_ANSWER_INIT(released);
        assert_int_equal(punkt_hold(world->punkt, &request, &held), PUNKT_CALL_DONE);
        struct punkt_release_request release = { .size = sizeof(release),
                                                 .card = CARD,
                                                 .hold = held.position };
        if (rows[i].cancelled)
            assert_int_equal(punkt_cancel(world->punkt, held.head.epoch, held.head.number, 0, &reversed),
                             PUNKT_CALL_DONE);
        if (rows[i].released)
            assert_int_equal(punkt_release(world->punkt, &release, &released), PUNKT_CALL_DONE);
        if (rows[i].late)
            let_pass(world, INT64_C(901) * 1000000);
        if (rows[i].restarted) {
            till_close(world);
            till_open(world);
        }
        go_offline(world);
        struct punkt_wish wish = { .size = sizeof(wish), .hold = held.position + rows[i].others };
        struct punkt_wish wishes[2] = { wish, wish };
        struct punkt_purchase_request sale = { .size = sizeof(sale),
                                               .card = rows[i].card,
                                               .amount = 10000,
                                               .wishes = wishes,
                                               .wish_count = rows[i].twice ? 2 : 1 };
        assert_int_equal(punkt_submit_purchase(world->punkt, &sale, till_ended, world), PUNKT_CALL_DONE);
        world_until_ended(world, 1);
        assert_int_equal(world->ended[0].call, rows[i].call);
        assert_int_equal(world->ended[0].redeemed, rows[i].call == PUNKT_CALL_QUEUED ? 30 : 0);
        assert_int_equal(world->ended[0].paid, rows[i].call == PUNKT_CALL_QUEUED ? 60 : 0);
        assert_int_equal(punkt_submit_purchase(world->punkt, &sale, till_ended, world), PUNKT_CALL_DONE);
        world_until_ended(world, 2);
        assert_int_equal(world->ended[1].call, rows[i].again);
        world_free(world);
    }
}

/* Each wish is cut by itself, as the server will do it. */
static void several_wishes_offline(void **state)
{
    static const struct {
        int64_t first, second, bill;
        enum punkt_call call;
        int64_t redeemed;
    } rows[] = {
        { 8, 8, 10000, PUNKT_CALL_QUEUED, 10 },   { 4, 4, 10000, PUNKT_CALL_REFUSED, 0 },
        { 17, 14, 10000, PUNKT_CALL_QUEUED, 25 }, { 30, 30, 70, PUNKT_CALL_QUEUED, 35 },
        { 30, 30, 0, PUNKT_CALL_REFUSED, 0 },
    };
    (void)state;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct queue_world *world = offline_world();
        struct punkt_wish wishes[2] = { { .size = sizeof(wishes[0]), .points = rows[i].first },
                                        { .size = sizeof(wishes[0]), .points = rows[i].second } };
        struct punkt_purchase_request sale = {
            .size = sizeof(sale), .card = CARD, .amount = rows[i].bill, .wishes = wishes, .wish_count = 2
        };
        go_offline(world);
        assert_int_equal(punkt_submit_purchase(world->punkt, &sale, till_ended, world), PUNKT_CALL_DONE);
        world_until_ended(world, 1);
        assert_int_equal(world->ended[0].call, rows[i].call);
        assert_int_equal(world->ended[0].redeemed, rows[i].redeemed);
        assert_int_equal(world->ended[0].paid, 2 * rows[i].redeemed);
        world_free(world);
    }
}

/* What is told of a capture is what the server will take: as much as is asked of it, and never more than the bill. */
static void captured_offline_in_part(void **state)
{
    static const struct {
        int64_t captured, points, bill; /* 0 captured: all of the 30 */
        enum punkt_call call;
        int64_t redeemed, paid;
    } rows[] = {
        { 0, 0, 10000, PUNKT_CALL_QUEUED, 30, 60 },
        { 10, 0, 10000, PUNKT_CALL_QUEUED, 10, 20 },
        { 30, 0, 10000, PUNKT_CALL_QUEUED, 30, 60 },
        { 31, 0, 10000, PUNKT_CALL_REFUSED, 0, 0 },
        { 0, 0, 40, PUNKT_CALL_QUEUED, 20, 40 },
        { 10, 50, 40, PUNKT_CALL_QUEUED, 20, 40 },
        { 0, 0, 0, PUNKT_CALL_QUEUED, 0, 0 },
        { 0, 50, 60, PUNKT_CALL_REFUSED, 0, 0 }, /* nothing is left that the points could pay */
    };
    (void)state;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct queue_world *world = offline_world();
        struct punkt_hold_request request = { .size = sizeof(request), .card = CARD, .points = 30 };
        struct punkt_hold_answer held = PUNKT_ANSWER_INIT(held);
        assert_int_equal(punkt_hold(world->punkt, &request, &held), PUNKT_CALL_DONE);
        go_offline(world);
        struct punkt_wish wishes[2] = {
            { .size = sizeof(wishes[0]), .hold = held.position, .points = rows[i].captured },
            { .size = sizeof(wishes[0]), .points = rows[i].points },
        };
        struct punkt_purchase_request sale = { .size = sizeof(sale),
                                               .card = CARD,
                                               .amount = rows[i].bill,
                                               .wishes = wishes,
                                               .wish_count = rows[i].points > 0 ? 2 : 1 };
        assert_int_equal(punkt_submit_purchase(world->punkt, &sale, till_ended, world), PUNKT_CALL_DONE);
        world_until_ended(world, 1);
        assert_int_equal(world->ended[0].call, rows[i].call);
        assert_int_equal(world->ended[0].redeemed, rows[i].redeemed);
        assert_int_equal(world->ended[0].paid, rows[i].paid);
        world_free(world);
    }
}

/* --- no answer in time --- */

/*
 * A purchase that redeems was sent, and nobody knows: what was sent is undone, and it is decided again by the offline rules
 * as an advice of its own; or refused, to be sold without points.
 */
static void decided_again(void **state)
{
    (void)state;
    for (unsigned granted = 0; granted < 2; granted++) {
        struct heard heard;
        struct queue_world *world = offline_world();
        world_silent(world, true);
        till_submit_wish(world, CARD, granted ? 50 : 500, SHORT_MS);
        world_until_ended(world, 1);
        assert_int_equal(world->ended[0].call, granted ? PUNKT_CALL_QUEUED : PUNKT_CALL_REFUSED);
        assert_int_equal(world->ended[0].redeemed, granted ? 50 : 0);
        if (!granted)
            assert_int_equal(world->ended[0].code, PUNKT_RESULT_OFFLINE);
        world_silent(world, false);
        world_until_empty(world);
        assert_int_equal(world_booked(world, OPERATION_REVERSAL), 1);
        assert_true(world_change(world, OPERATION_REVERSAL, 0, &heard));
        assert_int_equal(heard.number, 3); /* behind its original, before what stands for it */
        /* Only what the register was told of is reported to it. */
        assert_int_equal(world->settled_count, granted);
        if (granted) {
            assert_int_equal(world->settled[0].call, PUNKT_CALL_DONE);
            assert_int_equal(world->settled[0].number, world->ended[0].number);
            assert_int_equal(world->ended[0].number, 4);
        }
        world_free(world);
    }
}

/* A redemption of the live lane counts only on DONE: it is waited for, or cancelled. */
static void redemption_without_answer(void **state)
{
    (void)state;
    struct punkt_redeem_request request = {
        .size = sizeof(request), .timeout_ms = SHORT_MS, .card = CARD, .points = 50
    };
    struct punkt_redeem_answer answer = PUNKT_ANSWER_INIT(answer);
    struct punkt_reversal_answer reversed = PUNKT_ANSWER_INIT(reversed);
    struct heard heard;
    struct queue_world *world = offline_world();
    assert_int_equal(punkt_connect(world->punkt, 0, NULL), PUNKT_CALL_DONE);
    world_silent(world, true);
    assert_int_equal(punkt_redeem(world->punkt, &request, &answer), PUNKT_CALL_QUEUED);
    uint64_t epoch = answer.head.epoch, number = answer.head.number;
    assert_int_equal(number, 1);
    assert_int_equal(punkt_wait(world->punkt, epoch, number, SHORT_MS, &answer.head), PUNKT_CALL_QUEUED);
    world_silent(world, false);
    assert_int_equal(punkt_wait(world->punkt, epoch, number, 0, &answer.head), PUNKT_CALL_DONE);
    assert_int_equal(answer.redeemed, 50);
    assert_int_equal(punkt_wait(world->punkt, epoch, number, 0, &answer.head), PUNKT_CALL_DONE);
    assert_int_equal(answer.redeemed, 50); /* remembered */
    assert_int_equal(punkt_cancel(world->punkt, epoch, number, 0, &reversed), PUNKT_CALL_DONE);
    assert_true(world_change(world, OPERATION_REVERSAL, 0, &heard));
    assert_true(heard.epoch == epoch && heard.number == 2); /* in its original's lane */
    world_free(world);
}

/* --- undoing --- */

/* A sale that waits, one that was booked, one that was refused, one that nobody knows. */
static void cancelled(void **state)
{
    (void)state;
    struct punkt_purchase_answer answer;
    struct punkt_reversal_answer reversed = PUNKT_ANSWER_INIT(reversed);
    struct heard heard;
    struct queue_world *world = offline_world();
    go_offline(world);
    assert_int_equal(till_buy(world, 300, 0, &answer), PUNKT_CALL_QUEUED);
    uint64_t epoch = answer.head.epoch;
    assert_int_equal(punkt_cancel(world->punkt, epoch, 3, 0, &reversed), PUNKT_CALL_QUEUED);
    assert_int_equal(reversed.head.number, 4);
    /* Refused after it was cancelled: no advice follows, for nothing has changed hands. */
    world_rule(world, (struct rule){ .number = 3, .habit = HABIT_REFUSE, .result = RESULT_CARD_BLOCKED });
    world_away(world, false);
    world_until_empty(world);
    assert_int_equal(world_changes(world, OPERATION_PURCHASE), 3);
    assert_true(world_change(world, OPERATION_REVERSAL, 0, &heard));
    assert_int_equal(heard.number, 4);
    assert_int_equal(punkt_cancel(world->punkt, epoch, 3, 0, &reversed), PUNKT_CALL_INVALID);
    assert_int_equal(punkt_cancel(world->punkt, epoch, 99, 0, &reversed), PUNKT_CALL_INVALID);
    assert_int_equal(punkt_cancel(world->punkt, epoch, 1, 0, &reversed), PUNKT_CALL_DONE);
    assert_int_equal(punkt_submit_cancel(world->punkt, epoch, 2, till_ended, world), PUNKT_CALL_DONE);
    world_until_ended(world, 1);
    assert_int_equal(world->ended[0].call, PUNKT_CALL_DONE);
    assert_int_equal(world->ended[0].operation, PUNKT_OPERATION_REVERSAL);
    world_free(world);
}

/* While its caller still waits for the sale: both end, in order. */
static void cancelled_while_waiting(void **state)
{
    (void)state;
    struct queue_world *world = world_new(&(struct world_options){ 0 });
    till_submit(world, 100, 0);
    struct punkt_outbox_entry entry = till_entry(world, 0);
    assert_int_equal(punkt_submit_cancel(world->punkt, entry.epoch, entry.number, till_ended, world),
                     PUNKT_CALL_DONE);
    world_rule(world, (struct rule){ .number = 1, .habit = HABIT_REFUSE, .result = RESULT_CARD_BLOCKED });
    world_until_ended(world, 2);
    assert_int_equal(world->ended[0].operation, PUNKT_OPERATION_PURCHASE);
    assert_int_equal(world->ended[0].call, PUNKT_CALL_REFUSED);
    assert_int_equal(world->ended[1].operation, PUNKT_OPERATION_REVERSAL);
    assert_int_equal(world->ended[1].call, PUNKT_CALL_DONE);
    assert_int_equal(world_changes(world, OPERATION_PURCHASE), 1);
    world_free(world);
}

/* --- waiting --- */

/* A sale that has happened is refused while somebody waits for it: he hears of its advice. */
static void waited_for(void **state)
{
    (void)state;
    struct punkt_purchase_answer answer;
    struct queue_world *world = world_new(&(struct world_options){ .away = true });
    assert_int_equal(till_buy(world, 100, 0, &answer), PUNKT_CALL_QUEUED);
    uint64_t epoch = answer.head.epoch;
    assert_int_equal(punkt_wait(world->punkt, epoch, 1, 0, &answer.head), PUNKT_CALL_QUEUED); /* at once */
    assert_int_equal(punkt_wait(world->punkt, epoch, 2, 0, &answer.head), PUNKT_CALL_INVALID);
    world_rule(world, (struct rule){ .number = 1, .habit = HABIT_REFUSE, .result = RESULT_CARD_BLOCKED });
    world_away(world, false);
    world_until_link(world, PUNKT_LINK_UP);
    enum punkt_call call = punkt_wait(world->punkt, epoch, 1, 0, &answer.head);
    /* Had the refusal come before, the advice is what is to be waited for. */
    if (call == PUNKT_CALL_REFUSED)
        call = punkt_wait(world->punkt, epoch, 2, 0, &answer.head);
    assert_int_equal(call, PUNKT_CALL_DONE);
    assert_int_equal(answer.head.number, 2);
    world_free(world);
}

/* --- secrets --- */

static bool file_has(const char *path, const char *text)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t matched = 0, size = strlen(text);
    int byte;
    while (matched < size && (byte = fgetc(file)) != EOF)
        matched = byte == text[matched] ? matched + 1 : (byte == text[0] ? 1 : 0);
    (void)fclose(file);
    return matched == size;
}

/* A PIN goes to the server as long as its caller waits, and never into the outbox; the card does. */
static void pin(void **state)
{
    (void)state;
    struct heard heard;
    struct queue_world *world = offline_world();
    till_submit_wish(world, CARD, 50, 0);
    world_until_ended(world, 1);
    assert_int_equal(world->ended[0].call, PUNKT_CALL_DONE);
    assert_true(world_change(world, OPERATION_PURCHASE, 1, &heard));
    assert_string_equal(heard.secret, "4711");
    /* Lost on the way, it is there again when the connection is. */
    world_rule(world, (struct rule){ .operation = OPERATION_PURCHASE, .habit = HABIT_HANG_UP, .times = 1 });
    till_submit_wish(world, CARD, 50, 0);
    world_until_ended(world, 2);
    assert_int_equal(world->ended[1].call, PUNKT_CALL_DONE);
    assert_true(world_change(world, OPERATION_PURCHASE, 3, &heard));
    assert_string_equal(heard.secret, "4711");
    go_offline(world);
    till_submit_wish(world, CARD, 50, 0);
    world_until_ended(world, 3);
    assert_int_equal(world->ended[2].call, PUNKT_CALL_QUEUED);
    assert_true(file_has(world->outbox, CARD));
    assert_false(file_has(world->outbox, "4711"));
    world_away(world, false);
    world_until_empty(world);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(granted_offline),
        cmocka_unit_test(off_by_default),
        cmocka_unit_test(restarted_offline),
        cmocka_unit_test(redeemed_offline),
        cmocka_unit_test(captured_offline),
        cmocka_unit_test(several_wishes_offline),
        cmocka_unit_test(captured_offline_in_part),
        cmocka_unit_test(decided_again),
        cmocka_unit_test(redemption_without_answer),
        cmocka_unit_test(cancelled),
        cmocka_unit_test(cancelled_while_waiting),
        cmocka_unit_test(waited_for),
        cmocka_unit_test(pin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
