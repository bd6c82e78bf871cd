/*
 * Tills and servers that start again: what an earlier handle left, servers that have lost something, that are others, or whose
 * clock differs; callbacks that call back in; disks (LEDGER.md, Who sends and After a server's loss; RELIABILITY.md).
 */
#include "queue_world.h"

#include <signal.h>
#include <sys/resource.h>

#define LOST FRAME_FLAG_SERVER_LOST
#define ADVICE FRAME_FLAG_ADVICE

static void queue_sales(struct queue_world *world, unsigned count)
{
    struct punkt_purchase_answer answer;
    for (unsigned i = 0; i < count; i++)
        assert_int_equal(till_buy(world, 100, 0, &answer), PUNKT_CALL_QUEUED);
}

static uint64_t newest_epoch(const struct queue_world *world)
{
    return till_entry(world, till_entries(world) - 1).epoch;
}

/* --- an earlier handle --- */

/* What is left of earlier handles goes first, each under a HELLO for its own lane, then what is new. */
static void earlier_epochs_first(void **state)
{
    (void)state;
    enum { HANDLES = 3, SALES = 3 };
    uint64_t epochs[HANDLES];
    struct heard heard;
    struct queue_world *world = world_new(&(struct world_options){ .away = true });
    for (unsigned i = 0; i < HANDLES; i++) {
        queue_sales(world, SALES);
        epochs[i] = newest_epoch(world);
        if (i + 1 < HANDLES) {
            till_close(world);
            till_open(world);
        }
    }
    assert_true(epochs[0] != epochs[1] && epochs[1] != epochs[2] && epochs[0] != epochs[2]);
    world_away(world, false);
    world_until_empty(world);
    assert_int_equal(world_changes(world, 0), HANDLES * SALES);
    for (unsigned i = 0; i < HANDLES * SALES; i++) {
        assert_true(world_change(world, OPERATION_PURCHASE, i, &heard));
        assert_true(heard.epoch == epochs[i / SALES]);
        assert_int_equal(heard.number, i % SALES + 1);
        assert_int_equal(heard.flags, 0);
    }
    world_free(world);
}

/* A handle that is freed writes what it knows: the next one has nothing to ask again. */
static void freed_with_answers(void **state)
{
    (void)state;
    struct punkt_purchase_answer answer;
    struct queue_world *world = world_new(&(struct world_options){ 0 });
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(till_buy(world, 100, 0, &answer), PUNKT_CALL_DONE);
    till_close(world);
    till_open(world);
    assert_int_equal(till_queued(world), 0);
    assert_int_equal(till_entries(world), 5);
    assert_int_equal(till_buy(world, 100, 0, &answer), PUNKT_CALL_DONE);
    assert_int_equal(world_changes(world, 0), 6);
    world_free(world);
}

/* Points that a till which died may or may not have spent are given back by the next; what was undone is not twice. */
static void leftover_redemption(void **state)
{
    (void)state;
    for (unsigned undone = 0; undone < 2; undone++) {
        struct heard heard;
        struct queue_world *world = world_new(&(struct world_options){ 0 });
        struct punkt_reversal_answer reversed = PUNKT_ANSWER_INIT(reversed);
        assert_int_equal(punkt_connect(world->punkt, 0, NULL), PUNKT_CALL_DONE);
        world_rule(world, (struct rule){ .operation = OPERATION_REDEEM, .habit = HABIT_MUTE });
        world_rule(world, (struct rule){ .operation = OPERATION_REVERSAL, .habit = HABIT_SILENT });
        till_submit_redeem(world, 50, SHORT_MS);
        world_until_ended(world, 1);
        assert_int_equal(world->ended[0].call, PUNKT_CALL_QUEUED);
        uint64_t epoch = world->ended[0].epoch;
        if (undone)
            assert_int_equal(punkt_cancel(world->punkt, epoch, 1, SHORT_MS, &reversed), PUNKT_CALL_QUEUED);
        till_close(world);
        world_forget_rules(world);
        till_open(world);
        assert_int_equal(till_queued(world), 2);
        world_until_empty(world);
        assert_int_equal(world_booked(world, OPERATION_REDEEM), 1);
        assert_int_equal(world_booked(world, OPERATION_REVERSAL), 1);
        /* Behind what it undoes. */
        unsigned last = world_changes(world, 0) - 1;
        assert_true(world_change(world, 0, last, &heard));
        assert_int_equal(heard.operation, OPERATION_REVERSAL);
        assert_int_equal(world->alarms[PUNKT_ALARM_DEAD], 0);
        world_free(world);
    }
}

/* --- a server that has lost something --- */

struct sent {
    unsigned number;
    uint16_t flags;
};

static void expect_sent(struct queue_world *world, unsigned from, const struct sent *sent, unsigned count)
{
    struct heard heard;
    for (unsigned i = 0; i < count; i++) {
        assert_true(world_change(world, 0, from + i, &heard));
        assert_int_equal(heard.number, sent[i].number);
        assert_int_equal(heard.flags, sent[i].flags);
    }
}

/* A server that has fewer answers than its till: they are sent again under their old numbers, then what is new. */
static void answers_lost(void **state)
{
    static const struct sent sent[] = {
        { 3, LOST | ADVICE },
        { 4, LOST },
        { 5, LOST | ADVICE },
        { 6, 0 },
    };
    (void)state;
    struct punkt_purchase_answer answer;
    struct queue_world *world = world_new(&(struct world_options){ 0 });
    world_rule(world, (struct rule){ .number = 4, .habit = HABIT_REFUSE, .result = RESULT_CARD_BLOCKED });
    for (unsigned i = 1; i <= 5; i++)
        assert_int_equal(till_buy(world, 100 * i, 0, &answer), i == 4 ? PUNKT_CALL_REFUSED : PUNKT_CALL_DONE);
    uint64_t epoch = answer.head.epoch;
    world_away(world, true);
    world_lose(world, epoch, 2);
    world_away(world, false);
    till_submit(world, 600, 0);
    world_until_ended(world, 1);
    assert_int_equal(world->ended[0].call, PUNKT_CALL_DONE);
    world_until_empty(world);
    expect_sent(world, 5, sent, 4);
    assert_int_equal(world_changes(world, 0), 9);
    assert_true(world_highest(world, epoch) == 6);
    assert_int_equal(world->alarms[PUNKT_ALARM_SERVER_LOST], 1);
    assert_int_equal(world->settled_count, 0); /* they had ended before */
    assert_int_equal(till_entry(world, 3).state, PUNKT_OUTBOX_REFUSED);
    world_free(world);
}

static uint64_t lane_that_lost;

static bool has_all_again(struct queue_world *world)
{
    return world_highest(world, lane_that_lost) == 2;
}

/* A higher term: every lane that is remembered is held against the server, though nothing is to be sent on it. */
static void term_raised(void **state)
{
    static const struct sent sent[] = { { 2, LOST | ADVICE } };
    (void)state;
    struct punkt_purchase_answer answer;
    struct queue_world *world = world_new(&(struct world_options){ 0 });
    for (unsigned i = 1; i <= 2; i++)
        assert_int_equal(till_buy(world, 100, 0, &answer), PUNKT_CALL_DONE);
    uint64_t first = lane_that_lost = answer.head.epoch;
    till_close(world);
    till_open(world);
    assert_int_equal(till_buy(world, 300, 0, &answer), PUNKT_CALL_DONE);
    world_away(world, true);
    world_lose(world, first, 1);
    struct msg_hello_answer hello = world_hello(world);
    hello.term++;
    world_set_hello(world, &hello);
    world_away(world, false);
    till_submit(world, 400, 0);
    world_until_ended(world, 1);
    world_until(world, has_all_again, "what was lost is there again");
    world_until_empty(world);
    unsigned again = 0;
    struct heard heard;
    for (unsigned i = 0; world_change(world, 0, i, &heard); i++) {
        if (heard.epoch != first || (heard.flags & LOST) == 0)
            continue;
        assert_int_equal(heard.number, sent[0].number);
        assert_int_equal(heard.flags, sent[0].flags);
        again++;
    }
    assert_int_equal(again, 1);
    assert_int_equal(world_booked(world, OPERATION_PURCHASE), 4);
    world_free(world);
}

static uint64_t lanes_that_lost[4];

static bool all_have_again(struct queue_world *world)
{
    for (size_t i = 0; i < sizeof(lanes_that_lost) / sizeof(lanes_that_lost[0]); i++) {
        if (world_highest(world, lanes_that_lost[i]) != 1)
            return false;
    }
    return true;
}

/* One lane is held against the server after the other, without an answer in between that would wake the register. */
static void term_raised_over_many_lanes(void **state)
{
    (void)state;
    struct punkt_purchase_answer answer;
    struct queue_world *world = world_new(&(struct world_options){ 0 });
    size_t lanes = sizeof(lanes_that_lost) / sizeof(lanes_that_lost[0]);
    for (size_t i = 0; i < lanes; i++) {
        assert_int_equal(till_buy(world, 100, 0, &answer), PUNKT_CALL_DONE);
        lanes_that_lost[i] = answer.head.epoch;
        till_close(world);
        till_open(world);
    }
    struct msg_hello_answer hello = world_hello(world);
    hello.term++;
    world_set_hello(world, &hello);
    for (size_t i = 1; i < lanes; i += 2)
        world_lose(world, lanes_that_lost[i], 0);
    assert_int_equal(punkt_connect(world->punkt, 0, NULL), PUNKT_CALL_DONE);
    world_until(world, all_have_again, "what was lost of each lane is there again");
    world_until_empty(world);
    assert_int_equal(world->alarms[PUNKT_ALARM_SERVER_LOST], lanes / 2);
    assert_true(world->processed < 100);
    world_free(world);
}

/* Another ledger, or an older term: nothing is said to it but HELLO, and somebody is told. */
static void other_ledger(void **state)
{
    (void)state;
    for (unsigned older = 0; older < 2; older++) {
        struct punkt_purchase_answer answer;
        struct queue_world *world = world_new(&(struct world_options){ 0 });
        assert_int_equal(till_buy(world, 100, 0, &answer), PUNKT_CALL_DONE);
        struct msg_hello_answer right = world_hello(world), wrong = right;
        if (older)
            wrong.term--;
        else
            wrong.journal_id[0]++;
        world_away(world, true);
        world_set_hello(world, &wrong);
        world_away(world, false);
        assert_int_equal(till_buy(world, 200, 0, &answer), PUNKT_CALL_QUEUED);
        assert_int_equal(world->alarms[PUNKT_ALARM_OTHER_LEDGER], 1);
        till_close(world); /* it is remembered over a restart */
        till_open(world);
        assert_int_equal(till_buy(world, 300, 0, &answer), PUNKT_CALL_QUEUED);
        assert_int_equal(world->alarms[PUNKT_ALARM_OTHER_LEDGER], 2);
        assert_int_equal(world_changes(world, 0), 1);
        world_set_hello(world, &right);
        world_until_empty(world);
        assert_int_equal(world_booked(world, OPERATION_PURCHASE), 3);
        world_free(world);
    }
}

/* Clocks that differ by more than two minutes. Times that are filled in are the server's. */
static void clock_alarm(void **state)
{
    (void)state;
    struct punkt_purchase_answer answer;
    struct queue_world *world = world_new(&(struct world_options){ .away = true });
    world_clock(world, INT64_C(125) * 1000000);
    world_away(world, false);
    assert_int_equal(till_buy(world, 100, 0, &answer), PUNKT_CALL_DONE);
    assert_int_equal(world->alarms[PUNKT_ALARM_CLOCK], 1);
    assert_non_null(strstr(world->alarm_text, "behind"));
    struct punkt_server_info info = PUNKT_INIT(info);
    punkt_server_info(world->punkt, &info);
    assert_in_range(info.time_offset_us, INT64_C(120) * 1000000, INT64_C(126) * 1000000);
    world_away(world, true);
    world_clock(world, INT64_C(-110) * 1000000);
    world_away(world, false);
    assert_int_equal(till_buy(world, 100, 0, &answer), PUNKT_CALL_DONE);
    assert_int_equal(world->alarms[PUNKT_ALARM_CLOCK], 1);
    world_free(world);
}

/* What is to be printed when a sale is queued is known over a restart, and comes with QUEUED. */
static void offline_text(void **state)
{
    (void)state;
    struct punkt_purchase_answer answer;
    static struct msg_text_line lines[] = { { .text = { .data = "Points follow", .size = 13 } },
                                            { .text = { .data = "", .size = 0 } } };
    struct queue_world *world = world_new(&(struct world_options){ 0 });
    struct msg_hello_answer hello = world_hello(world);
    hello.offline_text = lines;
    hello.offline_text_count = 2;
    world_set_hello(world, &hello);
    assert_int_equal(till_buy(world, 100, 0, &answer), PUNKT_CALL_DONE);
    world_away(world, true);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(till_buy(world, 100, 0, &answer), PUNKT_CALL_QUEUED);
        assert_int_equal(answer.text_count, 2);
        assert_string_equal(answer.text[0], "Points follow");
        assert_string_equal(answer.text[1], "");
        till_close(world);
        till_open(world);
    }
    world_away(world, false);
    world_until_empty(world);
    world_free(world);
}

/* --- callbacks --- */

/* From inside a callback: submitting is fine, and so is cancelling; what processes is not, and says so. */
static void inside_once(struct queue_world *world)
{
    struct punkt_purchase_answer answer;
    world->inside = NULL;
    till_submit(world, 200, 0);
    assert_int_equal(
        punkt_submit_cancel(world->punkt, world->ended[0].epoch, world->ended[0].number, till_ended, world),
        PUNKT_CALL_DONE);
    assert_int_equal(till_buy(world, 300, 0, &answer), PUNKT_CALL_INVALID);
    assert_int_equal(punkt_process(world->punkt), 0);
    assert_int_equal(punkt_drive(world->punkt, -1), 0);
}

static void inside_callbacks(void **state)
{
    (void)state;
    for (unsigned away = 0; away < 2; away++) {
        struct queue_world *world = world_new(&(struct world_options){ .away = away != 0 });
        world->inside = inside_once;
        till_submit(world, 100, 0);
        world_until_ended(world, 3);
        for (unsigned i = 0; i < 3; i++)
            assert_int_equal(world->ended[i].call, away ? PUNKT_CALL_QUEUED : PUNKT_CALL_DONE);
        assert_int_equal(world->ended[0].operation, PUNKT_OPERATION_PURCHASE);
        assert_int_equal(world->ended[1].operation + world->ended[2].operation,
                         PUNKT_OPERATION_PURCHASE + PUNKT_OPERATION_REVERSAL); /* in any order */
        world_away(world, false);
        world_until_empty(world);
        assert_int_equal(world_changes(world, 0), 3);
        world_free(world);
    }
}

/* Blocking calls drive the queue, too, and bring the link up, though nobody else drives and none of them waits for it. */
static void blocking_calls_drain(void **state)
{
    (void)state;
    struct punkt_purchase_answer answer;
    struct punkt_card_show_request show = { .size = sizeof(show), .card = CARD };
    struct punkt_card_show_answer shown = PUNKT_ANSWER_INIT(shown);
    struct queue_world *world = world_new(&(struct world_options){ .away = true });
    queue_sales(world, 3);
    world_away(world, false);
    enum punkt_call call;
    unsigned calls = 0;
    while ((call = punkt_card_show(world->punkt, &show, &shown)) == PUNKT_CALL_NOT_SENT)
        assert_true(++calls < 100000); /* at once, until an attempt is due */
    assert_int_equal(call, PUNKT_CALL_DONE);
    assert_int_equal(shown.head.queued, till_queued(world) > 0 ? till_queued(world) : shown.head.queued);
    calls = 0;
    while ((call = till_buy(world, 100, 0, &answer)) == PUNKT_CALL_QUEUED)
        assert_true(++calls < 100000); /* at once, until an attempt is due */
    assert_int_equal(call, PUNKT_CALL_DONE);
    assert_int_equal(answer.head.number, 4 + calls);
    assert_int_equal(answer.head.queued, 0);
    world_free(world);
}

/* --- dates --- */

/* A business date that is given counts; one that is not is the day of the sale, not that of its sending. */
static void business_dates(void **state)
{
    (void)state;
    struct punkt_purchase_request request = {
        .size = sizeof(request), .card = CARD, .amount = 100, .business_date = 19000
    };
    struct punkt_purchase_answer answer = PUNKT_ANSWER_INIT(answer);
    struct msg_purchase_request sent;
    struct message_memory none = { 0 };
    struct heard heard;
    const char *field;
    struct queue_world *world = world_new(&(struct world_options){ 0 });
    assert_int_equal(punkt_purchase(world->punkt, &request, &answer), PUNKT_CALL_DONE);
    assert_int_equal(till_buy(world, 100, 0, &answer), PUNKT_CALL_DONE);
    for (unsigned i = 0; i < 2; i++) {
        assert_true(world_change(world, OPERATION_PURCHASE, i, &heard));
        assert_true(
            message_decode(MESSAGE_purchase_request, heard.body, heard.body_size, &none, &sent, &field));
        assert_int_equal(sent.business_date, till_entry(world, i).business_date);
        assert_int_equal(sent.business_date == 19000, i == 0);
        assert_true(sent.time != 0);
        assert_int_equal(sent.store.size, 1);
        assert_memory_equal(sent.till.bytes, "7", 1);
    }
    world_free(world);
}

/* --- the disk --- */

/* A disk that refuses: the till is told before it prints, an alarm says so once, nothing is sent. */
static void disk_refuses(void **state)
{
    (void)state;
    struct punkt_purchase_answer answer;
    struct rlimit before, none;
    struct queue_world *world = world_new(&(struct world_options){ 0 });
    assert_int_equal(till_buy(world, 100, 0, &answer), PUNKT_CALL_DONE);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    none = before;
    none.rlim_cur = 0;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    enum punkt_call first = till_buy(world, 200, 0, &answer);
    enum punkt_call second = till_buy(world, 300, 0, &answer);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    (void)signal(SIGXFSZ, handler);
    assert_int_equal(first, PUNKT_CALL_NOT_STORED);
    assert_int_equal(second, PUNKT_CALL_NOT_STORED);
    assert_int_equal(world->alarms[PUNKT_ALARM_OUTBOX_FAILED], 1);
    assert_int_equal(world_changes(world, 0), 1);
    assert_int_equal(till_buy(world, 400, 0, &answer), PUNKT_CALL_DONE);
    assert_int_equal(answer.head.number, 2);
    assert_int_equal(world_booked(world, OPERATION_PURCHASE), 2);
    world_free(world);
}

/* A number that was refused for good without being remembered holds the lane up only until HELLO names it as answered. */
static void refused_and_not_remembered(void **state)
{
    (void)state;
    struct queue_world *world = world_new(&(struct world_options){ 0 });
    struct punkt_outbox_info info = PUNKT_INIT(info);
    world_rule(world, (struct rule){ .operation = OPERATION_PURCHASE,
                                     .number = 1,
                                     .habit = HABIT_REFUSE,
                                     .result = RESULT_UNKNOWN_OPERATION });
    for (int64_t amount = 100; amount <= 300; amount += 100)
        till_submit(world, amount, PATIENCE_MS);
    world_until_empty(world);
    assert_int_equal(world_booked(world, OPERATION_PURCHASE), 2);
    punkt_outbox_info(world->punkt, &info);
    assert_int_equal(info.dead, 1);
    assert_int_equal(world->alarms[PUNKT_ALARM_DEAD], 1);
    world_until_ended(world, 3);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(earlier_epochs_first),
        cmocka_unit_test(refused_and_not_remembered),
        cmocka_unit_test(freed_with_answers),
        cmocka_unit_test(leftover_redemption),
        cmocka_unit_test(answers_lost),
        cmocka_unit_test(term_raised),
        cmocka_unit_test(term_raised_over_many_lanes),
        cmocka_unit_test(other_ledger),
        cmocka_unit_test(clock_alarm),
        cmocka_unit_test(offline_text),
        cmocka_unit_test(inside_callbacks),
        cmocka_unit_test(blocking_calls_drain),
        cmocka_unit_test(business_dates),
        cmocka_unit_test(disk_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
