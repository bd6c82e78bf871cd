/*
 * Every way in which an operation of the queue can end for a till, and what the server hears of it meanwhile
 * (RELIABILITY.md, Outbox of the client; DESIGN.md, The client; LEDGER.md, Who sends).
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/link.h"
#include "queue_world.h"

#define ADVICE FRAME_FLAG_ADVICE

/* --- answered while somebody waits --- */

static void done(void **state)
{
    (void)state;
    struct punkt_purchase_answer answer;
    struct queue_world *world = world_new(&(struct world_options){ 0 });
    assert_int_equal(till_buy(world, 10500, 0, &answer), PUNKT_CALL_DONE);
    assert_int_equal(answer.earned, 105);
    assert_int_equal(answer.available, 1000);
    assert_int_equal(answer.head.number, 1);
    assert_int_equal(answer.head.queued, 0);
    struct punkt_outbox_entry entry = till_entry(world, 0);
    assert_int_equal(entry.state, PUNKT_OUTBOX_DONE);
    assert_int_equal(entry.earned, 105);
    assert_int_equal(entry.amount, 10500);
    assert_string_equal(entry.card, CARD);
    assert_true(entry.epoch == answer.head.epoch && entry.number == 1);
    assert_int_equal(world->settled_count, 0);
    world_free(world);
}

/* A refusal that is heard is the caller's to deal with: nothing follows. */
static void refused_and_heard(void **state)
{
    (void)state;
    struct punkt_purchase_answer answer;
    struct queue_world *world = world_new(&(struct world_options){ 0 });
    world_rule(world, (struct rule){ .habit = HABIT_REFUSE, .result = RESULT_CARD_BLOCKED, .times = 1 });
    assert_int_equal(till_buy(world, 100, 0, &answer), PUNKT_CALL_REFUSED);
    assert_int_equal(answer.head.code, PUNKT_RESULT_CARD_BLOCKED);
    assert_int_equal(till_buy(world, 100, 0, &answer), PUNKT_CALL_DONE);
    assert_int_equal(answer.head.number, 2);
    assert_int_equal(till_entry(world, 0).state, PUNKT_OUTBOX_REFUSED);
    assert_int_equal(till_entry(world, 0).result, PUNKT_RESULT_CARD_BLOCKED);
    assert_int_equal(till_entries(world), 2);
    assert_int_equal(world->settled_count, 0);
    world_free(world);
}

/* --- answered when nobody waits any more --- */

static void queued_then_done(void **state)
{
    (void)state;
    struct punkt_purchase_answer answer;
    struct queue_world *world = world_new(&(struct world_options){ 0 });
    world_rule(world, (struct rule){ .operation = OPERATION_PURCHASE, .habit = HABIT_MUTE, .times = 1 });
    assert_int_equal(till_buy(world, 100, SHORT_MS, &answer), PUNKT_CALL_QUEUED);
    assert_int_equal(answer.head.number, 1);
    assert_int_equal(answer.head.queued, 1);
    assert_int_equal(punkt_unanswered(world->punkt), 0);
    world_until_settled(world, 1);
    assert_int_equal(world->settled[0].call, PUNKT_CALL_DONE);
    assert_int_equal(world->settled[0].number, 1);
    assert_true(world->settled[0].epoch == answer.head.epoch);
    assert_true(world->settled[0].replayed); /* it had been booked, and was once */
    assert_int_equal(world_booked(world, OPERATION_PURCHASE), 1);
    assert_int_equal(till_queued(world), 0);
    world_free(world);
}

static void expect_same_body(const struct heard *a, const struct heard *b)
{
    assert_int_equal(a->operation, b->operation);
    assert_int_equal(a->body_size, b->body_size);
    assert_memory_equal(a->body, b->body, a->body_size);
}

/* Goods have changed hands: the refusal becomes an advice, under a number of its own, with the same bytes. */
static void queued_then_refused(void **state)
{
    (void)state;
    struct heard first, second;
    struct queue_world *world = world_new(&(struct world_options){ .away = true });
    till_submit(world, 100, SHORT_MS);
    world_until_ended(world, 1);
    assert_int_equal(world->ended[0].call, PUNKT_CALL_QUEUED);
    world_rule(world, (struct rule){ .number = 1, .habit = HABIT_REFUSE, .result = RESULT_CARD_BLOCKED });
    world_away(world, false);
    world_until_settled(world, 1);
    assert_int_equal(world->settled[0].call, PUNKT_CALL_DONE);
    assert_int_equal(world->settled[0].number, 2);
    assert_int_equal(world_changes(world, 0), 2);
    assert_true(world_change(world, 0, 0, &first) && world_change(world, 0, 1, &second));
    assert_int_equal(first.flags & ADVICE, 0);
    assert_int_equal(second.flags & ADVICE, ADVICE);
    assert_int_equal(second.number, 2);
    expect_same_body(&first, &second);
    struct punkt_outbox_entry advice = till_entry(world, 1);
    assert_true(advice.advice && advice.replaces_epoch == first.epoch && advice.replaces_number == 1);
    assert_int_equal(till_entry(world, 0).state, PUNKT_OUTBOX_REFUSED);
    assert_int_equal(world->alarms[PUNKT_ALARM_DEAD], 0);
    world_free(world);
}

/* What can never be booked, and why; nobody waits. */
static void dead(void **state)
{
    static const struct {
        enum result first, second; /* of the request, of its advice; DONE: there is none */
    } rows[] = {
        { RESULT_MALFORMED, RESULT_DONE },
        { RESULT_CONFLICT, RESULT_DONE },
        { RESULT_CARD_BLOCKED, RESULT_NOT_PERMITTED },
        { RESULT_CARD_BLOCKED, RESULT_MALFORMED },
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct queue_world *world = world_new(&(struct world_options){ .away = true });
        bool advised = rows[i].second != RESULT_DONE;
        till_submit(world, 100, SHORT_MS);
        world_until_ended(world, 1);
        world_rule(world, (struct rule){ .number = 1, .habit = HABIT_REFUSE, .result = rows[i].first });
        if (advised)
            world_rule(world, (struct rule){ .number = 2, .habit = HABIT_REFUSE, .result = rows[i].second });
        world_away(world, false);
        world_until_settled(world, 1);
        assert_int_equal(world->settled[0].call, PUNKT_CALL_REFUSED);
        assert_int_equal(world->alarms[PUNKT_ALARM_DEAD], 1);
        assert_int_equal(till_queued(world), 0);
        struct punkt_outbox_entry entry = till_entry(world, advised);
        assert_int_equal(entry.state, PUNKT_OUTBOX_DEAD);
        assert_int_equal(entry.result, advised ? rows[i].second : rows[i].first);
        /* The lane goes on behind it, and it stays until somebody discards it. */
        till_submit(world, 200, 0);
        world_until_ended(world, 2);
        assert_int_equal(world->ended[1].call, PUNKT_CALL_DONE);
        till_close(world);
        till_open(world);
        assert_int_equal(till_entry(world, advised).state, PUNKT_OUTBOX_DEAD);
        entry = till_entry(world, advised);
        assert_int_equal(punkt_outbox_discard(world->punkt, entry.epoch, entry.number), PUNKT_CALL_DONE);
        assert_int_equal(punkt_outbox_discard(world->punkt, entry.epoch, entry.number), PUNKT_CALL_INVALID);
        world_free(world);
    }
}

/* Heard while somebody waits, it is dead all the same, for the till's lists must show it. */
static void malformed_and_heard(void **state)
{
    (void)state;
    struct punkt_purchase_answer answer;
    struct queue_world *world = world_new(&(struct world_options){ 0 });
    world_rule(world, (struct rule){ .number = 1, .habit = HABIT_REFUSE, .result = RESULT_MALFORMED });
    assert_int_equal(till_buy(world, 100, 0, &answer), PUNKT_CALL_REFUSED);
    assert_int_equal(till_entry(world, 0).state, PUNKT_OUTBOX_DEAD);
    assert_int_equal(world->alarms[PUNKT_ALARM_DEAD], 1);
    world_free(world);
}

/* --- put off --- */

static bool stuck(struct queue_world *world)
{
    return world->alarms[PUNKT_ALARM_STUCK] > 0;
}

/* Six refusals that may be repeated: somebody is told once, and it is kept and tried on. */
static void put_off(void **state)
{
    static const enum result results[] = { RESULT_BUSY, RESULT_RATE, RESULT_STORAGE_FULL, RESULT_NOT_READY };
    (void)state;
    for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++) {
        struct queue_world *world = world_new(&(struct world_options){ 0 });
        world_rule(world, (struct rule){ .habit = HABIT_REFUSE, .result = results[i], .times = 7 });
        till_submit(world, 100, SHORT_MS);
        world_until_ended(world, 1);
        assert_int_equal(world->ended[0].call, PUNKT_CALL_QUEUED);
        world_until(world, stuck, "somebody is told");
        assert_true(world_changes(world, 0) >= 6);
        world_until_settled(world, 1);
        assert_int_equal(world->settled[0].call, PUNKT_CALL_DONE);
        assert_int_equal(world->settled[0].number, 1);
        assert_int_equal(world_changes(world, 0), 8);
        assert_int_equal(world->alarms[PUNKT_ALARM_STUCK], 1);
        world_free(world);
    }
}

/* --- order and window --- */

/* Numbers reach the server ascending without a gap, and no more are unanswered than the window allows. */
static void in_order(void **state)
{
    (void)state;
    enum { SALES = 40, WINDOW = 4 };
    struct heard heard;
    struct queue_world *world = world_new(&(struct world_options){ .away = true, .window = WINDOW });
    for (unsigned i = 1; i <= SALES; i++) {
        till_submit(world, 100 * i, SHORT_MS);
        world_until_ended(world, i);
    }
    world_rule(world, (struct rule){ .number = 9, .habit = HABIT_SILENT });
    world_away(world, false);
    world_until_settled(world, 8);
    till_submit(world, 100, SHORT_MS); /* the new one waits its turn, and is told so */
    world_until_ended(world, SALES + 1);
    assert_int_equal(world->ended[SALES].call, PUNKT_CALL_QUEUED);
    for (unsigned i = 0; world_change(world, OPERATION_PURCHASE, i, &heard); i++)
        assert_true(heard.number <= 8 + WINDOW);
    world_forget_rules(world);
    world_away(world, true); /* the one that was passed over comes again on a new connection */
    world_away(world, false);
    world_until_empty(world);
    assert_int_equal(world_booked(world, OPERATION_PURCHASE), SALES + 1);
    uint64_t last = 0;
    unsigned connection = 0;
    for (unsigned i = 0; world_change(world, OPERATION_PURCHASE, i, &heard); i++) {
        if (heard.connection == connection)
            assert_true(heard.number == last + 1);
        last = heard.number;
        connection = heard.connection;
    }
    assert_int_equal(last, SALES + 1);
    assert_int_equal(world->settled_count, SALES + 1);
    for (unsigned i = 0; i <= SALES; i++)
        assert_int_equal(world->settled[i].number, i + 1);
    world_free(world);
}

/* The answer is lost with the connection: the same number and bytes again, booked once. */
static void answer_lost(void **state)
{
    (void)state;
    struct heard first, second;
    struct queue_world *world = world_new(&(struct world_options){ 0 });
    world_rule(world,
               (struct rule){ .operation = OPERATION_PURCHASE, .habit = HABIT_HANG_UP_DONE, .times = 1 });
    till_submit(world, 100, 0);
    world_until_ended(world, 1);
    assert_int_equal(world->ended[0].call, PUNKT_CALL_DONE);
    assert_true(world->ended[0].replayed);
    assert_true(world_change(world, 0, 0, &first) && world_change(world, 0, 1, &second));
    assert_int_equal(first.number, second.number);
    assert_int_not_equal(first.connection, second.connection);
    expect_same_body(&first, &second);
    assert_int_equal(world_booked(world, 0), 1);
    world_free(world);
}

static void window_full(void **state)
{
    (void)state;
    struct queue_world *world = world_new(&(struct world_options){ .window = 2 });
    struct punkt_purchase_request request = { .size = sizeof(request), .card = CARD, .amount = 100 };
    assert_int_equal(punkt_room(world->punkt), 2);
    till_submit(world, 100, 0);
    till_submit(world, 200, 0);
    assert_int_equal(punkt_room(world->punkt), 0);
    assert_int_equal(punkt_unanswered(world->punkt), 2);
    assert_int_equal(punkt_submit_purchase(world->punkt, &request, till_ended, world),
                     PUNKT_CALL_WINDOW_FULL);
    assert_int_equal(till_entries(world), 2); /* not taken: not stored */
    world_until_ended(world, 2);
    till_submit(world, 300, 0);
    world_until_ended(world, 3);
    assert_int_equal(world_booked(world, OPERATION_PURCHASE), 3);
    world_free(world);
}

/* To wait for room, and then for the answer, is one wait. */
static void one_budget_for_room_and_answer(void **state)
{
    (void)state;
    const uint32_t others_ms = 1000, own_ms = 1300;
    struct punkt_purchase_answer answer;
    struct queue_world *world = world_new(&(struct world_options){ .window = 1 });
    world_silent(world, true);
    till_submit(world, 100, others_ms);
    uint64_t began_us = link_now_us();
    assert_int_equal(till_buy(world, 200, SHORT_MS, &answer), PUNKT_CALL_NOT_SENT); /* there was no room */
    assert_true(link_now_us() - began_us < others_ms * UINT64_C(1000));
    assert_int_equal(world->ended_count, 0);
    began_us = link_now_us();
    assert_int_equal(till_buy(world, 200, own_ms, &answer), PUNKT_CALL_QUEUED);
    assert_true(link_now_us() - began_us < (own_ms + others_ms - SHORT_MS) * UINT64_C(1000));
    assert_int_equal(till_entries(world), 2);
    world_free(world);
}

static void outbox_full(void **state)
{
    (void)state;
    struct punkt_purchase_answer answer;
    struct queue_world *world = world_new(&(struct world_options){ .away = true, .outbox_max = 2 });
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(till_buy(world, 100, SHORT_MS, &answer), PUNKT_CALL_QUEUED);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(till_buy(world, 100, SHORT_MS, &answer), PUNKT_CALL_NOT_STORED);
        assert_non_null(strstr(answer.head.detail, "outbox full"));
    }
    assert_int_equal(world->alarms[PUNKT_ALARM_OUTBOX_FULL], 1); /* once, until there is room again */
    world_away(world, false);
    world_until_empty(world);
    assert_int_equal(till_buy(world, 100, 0, &answer), PUNKT_CALL_DONE);
    world_free(world);
}

/* A register that knows nothing but its blocking sales gets out of it as well, once the server is back. */
static void outbox_full_and_nobody_drives(void **state)
{
    (void)state;
    struct punkt_purchase_answer answer;
    struct queue_world *world = world_new(&(struct world_options){ .away = true, .outbox_max = 2 });
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(till_buy(world, 100, 0, &answer), PUNKT_CALL_QUEUED);
    world_away(world, false);
    enum punkt_call call;
    unsigned calls = 0;
    while ((call = till_buy(world, 100, 0, &answer)) == PUNKT_CALL_NOT_STORED)
        assert_true(++calls < 300000); /* at once, until an attempt is due */
    assert_int_equal(call, PUNKT_CALL_DONE);
    assert_int_equal(answer.head.number, 3); /* what was not stored has no number */
    world_until_empty(world);
    assert_int_equal(world_booked(world, OPERATION_PURCHASE), 3);
    world_free(world);
}

/* --- the link --- */

/* Once the link is known to be down nobody waits for it. */
static void known_to_be_down(void **state)
{
    (void)state;
    struct punkt_purchase_answer answer;
    struct punkt_redeem_request redeem = { .size = sizeof(redeem), .card = CARD, .points = 5 };
    struct punkt_redeem_answer redeemed = PUNKT_ANSWER_INIT(redeemed);
    struct punkt_card_show_request show = { .size = sizeof(show), .timeout_ms = 5000, .card = CARD };
    struct punkt_card_show_answer shown = PUNKT_ANSWER_INIT(shown);
    struct queue_world *world = world_new(&(struct world_options){ .away = true });
    assert_int_equal(punkt_link_state(world->punkt), PUNKT_LINK_IDLE);
    assert_int_equal(till_buy(world, 100, 0, &answer),
                     PUNKT_CALL_QUEUED); /* refused connections are heard at once */
    assert_int_equal(punkt_link_state(world->punkt), PUNKT_LINK_DOWN);
    assert_int_equal(till_buy(world, 100, 0, &answer), PUNKT_CALL_QUEUED);
    /* The live lane needs the server: nothing is stored. */
    assert_int_equal(punkt_redeem(world->punkt, &redeem, &redeemed), PUNKT_CALL_NOT_SENT);
    assert_int_equal(till_entries(world), 2);
    /* So do questions: the customer sees no balance then, but does not wait for none. */
    uint64_t asked_us = link_now_us();
    assert_int_equal(punkt_card_show(world->punkt, &show, &shown), PUNKT_CALL_NOT_SENT);
    assert_true(link_now_us() - asked_us < (uint64_t)show.timeout_ms * 1000);
    world_away(world, false);
    world_until_empty(world);
    assert_int_equal(punkt_link_state(world->punkt), PUNKT_LINK_UP);
    assert_int_equal(punkt_redeem(world->punkt, &redeem, &redeemed), PUNKT_CALL_DONE);
    assert_int_equal(redeemed.redeemed, 5);
    world_free(world);
}

static bool both_greeted(struct queue_world *world)
{
    return world_changes(world, OPERATION_HELLO) >= 2;
}

/* A server that says nothing is doubted on both links, so that the next call does not wait, whichever lane it takes. */
static void silent_on_both(void **state)
{
    (void)state;
    struct punkt_purchase_answer answer;
    struct punkt_hold_request hold = { .size = sizeof(hold), .card = CARD, .points = 5 };
    struct punkt_hold_answer held = PUNKT_ANSWER_INIT(held);
    struct queue_world *world = world_new(&(struct world_options){ 0 });
    assert_int_equal(till_buy(world, 100, 0, &answer), PUNKT_CALL_DONE);
    assert_int_equal(punkt_hold(world->punkt, &hold, &held), PUNKT_CALL_DONE);
    world_until(world, both_greeted, "both links are up");
    world_silent(world, true);
    assert_int_equal(till_buy(world, 100, SHORT_MS, &answer), PUNKT_CALL_QUEUED);
    assert_int_equal(punkt_link_state(world->punkt), PUNKT_LINK_DOWN);
    assert_int_equal(punkt_hold(world->punkt, &hold, &held), PUNKT_CALL_NOT_SENT);
    assert_int_equal(till_buy(world, 100, 0, &answer), PUNKT_CALL_QUEUED);
    world_silent(world, false);
    world_until_empty(world);
    assert_int_equal(till_buy(world, 100, 0, &answer), PUNKT_CALL_DONE);
    assert_int_equal(world_booked(world, OPERATION_PURCHASE), 4);
    world_free(world);
}

/* Servers in order of preference: the first that is there is taken. */
static void several_servers(void **state)
{
    (void)state;
    struct punkt_purchase_answer answer;
    struct queue_world *world =
        world_new(&(struct world_options){ .more_servers = "unix:/nonexistent/a,unix:/nonexistent/b," });
    assert_int_equal(till_buy(world, 100, 0, &answer), PUNKT_CALL_DONE);
    world_away(world, true);
    assert_int_equal(till_buy(world, 100, 0, &answer), PUNKT_CALL_QUEUED);
    assert_int_equal(punkt_link_state(world->punkt), PUNKT_LINK_DOWN);
    world_away(world, false);
    world_until_empty(world);
    assert_int_equal(till_buy(world, 100, 0, &answer), PUNKT_CALL_DONE);
    world_free(world);
}

/* A server that lets the kernel take connections and never says anything. */
static int silent_server(char *out_servers, size_t capacity)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)(void *)&address, size), 0);
    assert_int_equal(listen(fd, 16), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)(void *)&address, &size), 0);
    (void)snprintf(out_servers, capacity, "127.0.0.1:%d,", ntohs(address.sin_port));
    return fd;
}

/* The preferred server hangs: the next is asked within the same call, on both links, and nobody is sent away meanwhile. */
static void first_server_is_silent(void **state)
{
    (void)state;
    char servers[32];
    struct punkt_purchase_answer answer;
    struct punkt_redeem_request redeem = { .size = sizeof(redeem), .card = CARD, .points = 5 };
    struct punkt_redeem_answer redeemed = PUNKT_ANSWER_INIT(redeemed);
    int silent = silent_server(servers, sizeof(servers));
    struct queue_world *world =
        world_new(&(struct world_options){ .more_servers = servers, .timeout_ms = 3000 });
    uint64_t start_us = link_now_us();
    assert_int_equal(punkt_redeem(world->punkt, &redeem, &redeemed), PUNKT_CALL_DONE);
    uint64_t first_us = link_now_us() - start_us;
    assert_true(first_us >= 1500000); /* half of the call's time was given to the one that is silent */
    assert_int_equal(till_buy(world, 100, 0, &answer), PUNKT_CALL_DONE);
    assert_true(link_now_us() - start_us <
                first_us + 1200000); /* the other link does not ask that one again */
    assert_int_equal(punkt_link_state(world->punkt), PUNKT_LINK_UP);
    till_close(world);
    till_open(world);
    assert_int_equal(till_buy(world, 100, 0, &answer), PUNKT_CALL_DONE); /* the queue's link alone, in time */
    world_free(world);
    (void)close(silent);
}

/* A loop that looks at the descriptor and the time alone neither misses work nor turns for nothing. */
static void loop_does_not_spin(void **state)
{
    (void)state;
    enum { SALES = 20 };
    struct queue_world *world = world_new(&(struct world_options){ 0 });
    for (unsigned i = 1; i <= SALES; i++) {
        till_submit(world, 100, 0);
        world_until_ended(world, i);
    }
    assert_true(world->processed <= 8 * SALES);
    world_away(world, true);
    till_submit(world, 100, SHORT_MS);
    world_until_ended(world, SALES + 1);
    world_away(world, false);
    unsigned before = world->processed;
    world_until_empty(world);
    assert_true(world->processed - before <= 60); /* a few attempts, each a few turns */
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(done),
        cmocka_unit_test(refused_and_heard),
        cmocka_unit_test(queued_then_done),
        cmocka_unit_test(queued_then_refused),
        cmocka_unit_test(dead),
        cmocka_unit_test(malformed_and_heard),
        cmocka_unit_test(put_off),
        cmocka_unit_test(in_order),
        cmocka_unit_test(answer_lost),
        cmocka_unit_test(window_full),
        cmocka_unit_test(one_budget_for_room_and_answer),
        cmocka_unit_test(outbox_full),
        cmocka_unit_test(outbox_full_and_nobody_drives),
        cmocka_unit_test(known_to_be_down),
        cmocka_unit_test(silent_on_both),
        cmocka_unit_test(several_servers),
        cmocka_unit_test(first_server_is_silent),
        cmocka_unit_test(loop_does_not_spin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
