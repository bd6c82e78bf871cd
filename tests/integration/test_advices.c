/*
 * What tills did on their own, at random: purchases, redemptions, captures and returns as advices, of cards of every status
 * and of none, among blocks, closings, replacements and merges, with a daemon that is killed in between. None is refused;
 * nobody's balance falls below zero by redeeming; what was moved adds up to what is there; and verify and rebuild find the
 * same state.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../unit/random.h"
#include "proto/frame.h"
#include "talk.h"
#include "world.h"

#define EPOCH UINT64_C(0x0123456789abcdef)
#define CARDS 12
#define STEPS 600
#define DAY_BALANCED 0
#define DAY_DIFFERS 1
#define FLAG_BOOKED_TO_SUSPENSE 2         /* of answers */
#define FAR_POINTS UINT64_C(999999999999) /* the most that can be said */

#define PROGRAMME                                                                                            \
    "currency: EUR\ncards: {may_earn: [active], may_spend: [active]}\n"                                      \
    "base:\n  - {rule: spend, points: 1, amount: 1.00}\n"                                                    \
    "redeem: {minimum: 5, step: 5, offline: {card: 100, till: 1000}}\nwelcome: 5\n"                          \
    "rewards: [{reward: gift, name: cup, what: c, points: 20}]\n"                                            \
    "receipt_text:\n  - language: de\n"                                                                      \
    "    purchase: [\"{earned}\\t{paid}\", \"{card}{receipt}{card}{receipt} {available}\", \"{debt}\"]\n"    \
    "    return: [\"{taken} {given_back}\\t{card}{card}{card}\"]\n"                                          \
    "    redemption: [\"{redeemed}{paid}{available}{reward}{points_to_reward}\"]\n...\n"

struct crowd {
    struct world *world;
    struct talk *talk;
    struct random random;
    uint64_t number;       /* of the last change */
    uint64_t sales[STEPS]; /* positions, and whose */
    unsigned sellers[STEPS];
    size_t sale_count;
    uint64_t holds[STEPS];
    unsigned holders[STEPS];
    size_t hold_count;
    uint64_t shortfall; /* of all advices */
    uint64_t suspense;  /* how many were booked there */
    uint64_t lines;     /* ready to print */
    uint64_t late;      /* operations that closes told of */
};

static uint64_t below(struct crowd *crowd, uint64_t bound)
{
    return random_below(&crowd->random, bound);
}

static struct wire_code card(unsigned index)
{
    char text[16];
    (void)snprintf(text, sizeof(text), "CARD-%u", index);
    return talk_code(text);
}

static struct wire_code any_till(struct crowd *crowd)
{
    return talk_code(below(crowd, 2) == 0 ? "1" : "2");
}

/* A business date, or none. */
static uint64_t any_date(struct crowd *crowd)
{
    uint64_t back = below(crowd, 5);
    return back == 4 ? 0 : (uint64_t)(time(NULL) / 86400) - back;
}

static unsigned any(struct crowd *crowd)
{
    return (unsigned)below(crowd, CARDS);
}

/* Sends a change. RESULT_DONE: *out_answer is decoded. */
static enum result send(struct crowd *crowd, enum operation operation, uint16_t flags, const void *request,
                        void *out_answer)
{
    struct talk_answer answer;
    talk_send(crowd->talk, operation, flags, ++crowd->number, request);
    assert_true(talk_receive(crowd->talk, &answer));
    assert_int_equal(answer.number, crowd->number);
    enum result result = talk_result(crowd->talk, &answer);
    if (result == RESULT_DONE)
        talk_decode(crowd->talk, &answer, out_answer);
    return result;
}

/* Of an advice: it is done. */
static void advise(struct crowd *crowd, enum operation operation, const void *request, void *out_answer)
{
    uint16_t offline = below(crowd, 2) == 0 ? FRAME_FLAG_OFFLINE : 0;
    enum result result = send(crowd, operation, FRAME_FLAG_ADVICE | offline, request, out_answer);
    if (result != RESULT_DONE)
        fail_msg("an advice of %s is refused: %s", operation_row((uint16_t)operation)->name,
                 result_row(result)->name);
}

static uint64_t any_points(struct crowd *crowd)
{
    return below(crowd, 10) == 0 ? FAR_POINTS : 1 + below(crowd, 150);
}

/* --- advices --- */

static void do_purchase(struct crowd *crowd)
{
    unsigned who = any(crowd);
    char receipt[16];
    struct msg_wish wishes[2];
    struct msg_purchase_answer answer;
    (void)snprintf(receipt, sizeof(receipt), "R%zu", crowd->sale_count);
    struct msg_purchase_request purchase = talk_purchase("", below(crowd, 20000), receipt);
    purchase.card = card(who);
    purchase.till = any_till(crowd);
    purchase.business_date = any_date(crowd);
    purchase.wishes = wishes;
    purchase.wishes_count = below(crowd, 3);
    for (size_t i = 0; i < purchase.wishes_count; i++) {
        message_init(MESSAGE_wish, &wishes[i]);
        wishes[i].points = (int64_t)any_points(crowd);
        if (crowd->hold_count > 0 && below(crowd, 2) == 0)
            wishes[i].hold = crowd->holds[below(crowd, crowd->hold_count)];
        else if (below(crowd, 4) == 0)
            wishes[i].reward = talk_code(below(crowd, 2) == 0 ? "gift" : "nothing");
    }
    advise(crowd, OPERATION_PURCHASE, &purchase, &answer);
    assert_true(answer.redeemed >= 0 && answer.paid <= purchase.amount);
    crowd->lines += answer.text_count;
    crowd->suspense += (answer.flags & FLAG_BOOKED_TO_SUSPENSE) != 0;
    crowd->sales[crowd->sale_count] = answer.position;
    crowd->sellers[crowd->sale_count++] = who;
}

static void do_redeem(struct crowd *crowd)
{
    struct msg_redeem_answer answer;
    struct msg_redeem_request redeem = talk_redeem("", any_points(crowd));
    redeem.card = card(any(crowd));
    redeem.till = any_till(crowd);
    redeem.business_date = any_date(crowd);
    redeem.bill = below(crowd, 2) == 0 ? below(crowd, 200) : 0;
    if (below(crowd, 4) == 0)
        redeem.reward = talk_code("gift");
    if (crowd->sale_count > 0 && below(crowd, 3) == 0)
        redeem.sale_position = crowd->sales[below(crowd, crowd->sale_count)];
    advise(crowd, OPERATION_REDEEM, &redeem, &answer);
    assert_true(answer.redeemed >= 0 && (uint64_t)answer.redeemed <= FAR_POINTS);
    crowd->shortfall += answer.shortfall > 0;
}

static void do_capture(struct crowd *crowd)
{
    struct msg_capture_answer answer;
    struct msg_capture_request capture;
    message_init(MESSAGE_capture_request, &capture);
    if (crowd->hold_count == 0)
        return;
    size_t index = below(crowd, crowd->hold_count);
    capture.card = card(below(crowd, 3) == 0 ? any(crowd) : crowd->holders[index]);
    capture.hold = crowd->holds[index];
    capture.points = below(crowd, 2) == 0 ? 0 : any_points(crowd);
    capture.bill = below(crowd, 2) == 0 ? below(crowd, 200) : 0;
    capture.store = capture.till = talk_code("1");
    advise(crowd, OPERATION_CAPTURE, &capture, &answer);
    crowd->shortfall += answer.shortfall > 0;
}

static void do_unlinked(struct crowd *crowd)
{
    struct msg_unlinked_return_answer answer;
    struct msg_unlinked_return_request goods;
    message_init(MESSAGE_unlinked_return_request, &goods);
    goods.card = card(any(crowd));
    goods.amount = below(crowd, 8000);
    goods.store = goods.till = talk_code("1");
    advise(crowd, OPERATION_UNLINKED_RETURN, &goods, &answer);
    assert_int_equal(answer.amount, goods.amount);
    crowd->lines += answer.text_count;
}

/* --- the rest of the world --- */

static void do_return(struct crowd *crowd)
{
    struct msg_return_answer answer;
    struct msg_return_request goods;
    message_init(MESSAGE_return_request, &goods);
    if (crowd->sale_count == 0)
        return;
    size_t index = below(crowd, crowd->sale_count);
    goods.card = card(crowd->sellers[index]);
    goods.amount = below(crowd, 3000);
    goods.store = goods.till = talk_code("1");
    goods.sale_position = crowd->sales[index];
    (void)send(crowd, OPERATION_RETURN, below(crowd, 2) == 0 ? FRAME_FLAG_ADVICE : 0, &goods, &answer);
}

static void do_hold(struct crowd *crowd)
{
    unsigned who = any(crowd);
    struct msg_hold_answer answer;
    struct msg_hold_request hold;
    message_init(MESSAGE_hold_request, &hold);
    hold.card = card(who);
    hold.points = 5 * (1 + below(crowd, 12));
    hold.store = hold.till = talk_code("1");
    if (send(crowd, OPERATION_HOLD, 0, &hold, &answer) != RESULT_DONE)
        return;
    crowd->holds[crowd->hold_count] = answer.position;
    crowd->holders[crowd->hold_count++] = who;
}

static void do_reversal(struct crowd *crowd)
{
    struct msg_reversal_answer answer;
    struct msg_reversal_request reversal;
    message_init(MESSAGE_reversal_request, &reversal);
    reversal.epoch = EPOCH;
    reversal.number = 1 + below(crowd, crowd->number + 1);
    reversal.store = reversal.till = talk_code("1");
    if (reversal.number != crowd->number + 1)
        (void)send(crowd, OPERATION_REVERSAL, 0, &reversal, &answer);
}

/* Cards are issued, blocked, unblocked, replaced and closed, accounts merged: as far as it can be. */
static void do_office(struct crowd *crowd)
{
    union {
        struct msg_card_issue_answer issue;
        struct msg_card_block_answer block;
        struct msg_card_unblock_answer unblock;
        struct msg_card_replace_answer replace;
        struct msg_card_close_answer close;
        struct msg_account_merge_answer merge;
    } answer;
    const struct wire_code one = card(any(crowd)), other = card(any(crowd));
    struct msg_card_issue_request issue = { .card = one, .count = 1 };
    struct msg_card_block_request block = { .card = one };
    struct msg_card_unblock_request unblock = { .card = one };
    struct msg_card_replace_request replace = { .card = one, .new_card = other };
    struct msg_card_close_request close = { .card = one };
    struct msg_account_merge_request merge = { .from_card = one, .to_card = other };
    const struct {
        enum operation operation;
        const void *request;
    } acts[] = {
        { OPERATION_CARD_ISSUE, &issue },     { OPERATION_CARD_ISSUE, &issue },
        { OPERATION_CARD_BLOCK, &block },     { OPERATION_CARD_UNBLOCK, &unblock },
        { OPERATION_CARD_UNBLOCK, &unblock }, { OPERATION_CARD_REPLACE, &replace },
        { OPERATION_CARD_CLOSE, &close },     { OPERATION_ACCOUNT_MERGE, &merge },
    };
    size_t act = below(crowd, below(crowd, 4) == 0 ? 8 : 5);
    (void)send(crowd, acts[act].operation, 0, acts[act].request, &answer);
}

/* A till closes a day: with what is booked, or with anything. */
static void do_close(struct crowd *crowd)
{
    struct msg_day_close_answer answer;
    struct msg_day_close_request close;
    message_init(MESSAGE_day_close_request, &close);
    close.store = talk_code("1");
    close.till = any_till(crowd);
    close.date = any_date(crowd);
    close.purchases = random_u64(&crowd->random);
    close.purchase_amount = close.return_amount = (int64_t)random_u64(&crowd->random);
    assert_int_equal(send(crowd, OPERATION_DAY_CLOSE, 0, &close, &answer), RESULT_DONE);
    assert_int_equal(answer.state, DAY_DIFFERS);
    crowd->late += answer.late;
    close.purchases = answer.purchases;
    close.purchase_amount = answer.purchase_amount;
    close.returns = answer.returns;
    close.return_amount = answer.return_amount;
    close.reversals = answer.reversals;
    close.hash = answer.hash;
    assert_int_equal(send(crowd, OPERATION_DAY_CLOSE, 0, &close, &answer), RESULT_DONE);
    assert_int_equal(answer.state, DAY_BALANCED);
    assert_int_equal(answer.late, 0);
}

static void step(struct crowd *crowd)
{
    static void (*const steps[])(struct crowd *) = { do_purchase, do_purchase, do_redeem, do_redeem,
                                                     do_capture,  do_unlinked, do_return, do_hold,
                                                     do_hold,     do_reversal, do_office, do_close };
    steps[below(crowd, sizeof(steps) / sizeof(steps[0]))](crowd);
}

/* A connection that wants text. */
static void open_till(struct crowd *crowd)
{
    struct msg_hello_request hello;
    message_init(MESSAGE_hello_request, &hello);
    hello.version_min = hello.version_max = PROTOCOL_VERSION;
    hello.epoch = EPOCH;
    hello.first_unanswered = crowd->number + 1;
    hello.receipt_width = below(crowd, 65);
    crowd->talk = talk_open(world_address(crowd->world));
    talk_send(crowd->talk, OPERATION_HELLO, 0, crowd->number, &hello);
    (void)talk_expect(crowd->talk, OPERATION_HELLO, crowd->number);
}

/* --- what must hold --- */

/* What moved is what there is. */
static void expect_sums(struct crowd *crowd)
{
    struct msg_totals_answer totals = talk_totals(crowd->talk);
    assert_int_equal(totals.outstanding - totals.debt,
                     totals.earned + totals.bonus + totals.adjusted + totals.written_off + totals.reversed -
                         totals.redeemed - totals.returned - totals.unlinked - totals.expired -
                         totals.forfeited);
}

static void kill_daemon(struct crowd *crowd)
{
    struct msg_totals_answer before = talk_totals(crowd->talk);
    talk_free(crowd->talk);
    world_kill(crowd->world);
    world_start(crowd->world);
    open_till(crowd);
    struct msg_totals_answer after = talk_totals(crowd->talk);
    assert_memory_equal(&before, &after, sizeof(before));
}

static void run_offline(const struct world *world, const char *command, const char *expected)
{
    char config[256];
    struct run run;
    const char *argv[] = { "punktd", command, "--config", config, "--data", world_data(world), NULL };
    (void)snprintf(config, sizeof(config), "%s/punktd.yaml", world_folder(world));
    run_begin(argv, NULL, &run);
    run_end(&run);
    if (run.exit_code != 0 || strstr(run.out, expected) == NULL)
        fail_msg("punktd %s ends with %d: %s%s", command, run.exit_code, run.out, run.err);
    run_done(&run);
}

static void test_crowd(void **state)
{
    struct world_options options = { .programme = PROGRAMME };
    struct crowd *crowd = calloc(1, sizeof(*crowd));
    (void)state;
    assert_non_null(crowd);
    crowd->random = random_seeded();
    crowd->world = world_new(&options);
    open_till(crowd);
    for (unsigned i = 0; i < STEPS; i++) {
        step(crowd);
        if (i % 20 == 0)
            expect_sums(crowd);
        if (i % 150 == 149)
            kill_daemon(crowd);
    }
    expect_sums(crowd);
    assert_true(crowd->shortfall > 0 && crowd->suspense > 0 && crowd->lines > 0 && crowd->late > 0);
    talk_free(crowd->talk);
    world_stop(crowd->world);
    run_offline(crowd->world, "verify", "matches");
    run_offline(crowd->world, "rebuild", "was rebuilt");
    run_offline(crowd->world, "verify", "matches");
    world_free(crowd->world);
    free(crowd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crowd),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
