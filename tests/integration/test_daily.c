/*
 * The daily run beside tills (DOMAIN.md, Lots): a midnight on which every account has something due, and a till that goes
 * on selling. How long the till waits is counted in what was done before it, not in time: a batch of sales that was sent
 * at once has but a few slices of the run among it.
 */
#include <stdio.h>
#include <string.h>

#include "talk.h"
#include "world.h"

#define ACCOUNTS 50000
#define RANGE 10000
#define BATCH 32
#define SLICES_MAX 4 /* among a batch: of the turns in which it comes in */
#define SLICE 16     /* accounts a turn */
#define WELCOME 10
#define EPOCH UINT64_C(0x0123456789abcdef)
#define DAY_US (INT64_C(86400) * 1000000)

/* What is given with a card matures the day after. */
#define PROGRAMME                                                                                            \
    "currency: EUR\nbase:\n  - {rule: spend, points: 1, amount: 1.00}\nwelcome: 10\nlots: {mature_days: 1}\n...\n"

static uint64_t next_number = 1;

static void card_of(unsigned index, char out[16])
{
    (void)snprintf(out, 16, "29%011u", index);
}

static void issue_all(struct talk *talk)
{
    char card[16];
    for (unsigned first = 0; first < ACCOUNTS; first += RANGE) {
        card_of(first, card);
        talk_issue(talk, next_number++, card, RANGE);
    }
}

/* Sells to so many cards at once. Returns how many bytes of the journal lie between the first sale and the last. */
static uint64_t sell(struct talk *talk, unsigned first_card)
{
    uint64_t first = 0, last = 0;
    char card[16];
    for (unsigned i = 0; i < BATCH; i++) {
        card_of(first_card + i, card);
        struct msg_purchase_request purchase = talk_purchase(card, 300, "");
        talk_put(talk, OPERATION_PURCHASE, 0, next_number + i, &purchase);
    }
    talk_flush(talk);
    for (unsigned i = 0; i < BATCH; i++) {
        struct msg_purchase_answer bought;
        struct talk_answer answer = talk_expect(talk, OPERATION_PURCHASE, next_number++);
        talk_decode(talk, &answer, &bought);
        assert_int_equal(bought.earned, 3);
        first = i == 0 ? bought.position : first;
        last = bought.position;
    }
    return last - first;
}

/* Each account has matured once, by the run or because a till touched it; every point is there. */
static void expect_all_done(struct talk *talk, unsigned sold)
{
    struct msg_totals_answer totals = talk_totals(talk);
    char card[16];
    assert_int_equal(totals.bonus, ACCOUNTS * WELCOME);
    assert_int_equal(totals.earned, sold * 3);
    assert_int_equal(totals.outstanding, totals.bonus + totals.earned);
    assert_int_equal(totals.debt, 0);
    for (unsigned i = 0; i < ACCOUNTS; i += 4999) {
        card_of(i, card);
        struct msg_card_show_answer shown = talk_card(talk, card);
        assert_int_equal(shown.available, WELCOME);
        assert_in_range(shown.pending, 0, 3);
    }
}

static void test_midnight(void **state)
{
    struct world_options options = { .programme = PROGRAMME, .own_clock = true };
    struct world *world = world_new(&options);
    struct talk *talk = talk_hello(world_address(world), EPOCH, 1, NULL);
    unsigned sold = 0, beside = 0;
    int64_t start_ms = world_now_ms();
    (void)state;
    issue_all(talk);
    uint64_t alone = sell(talk, ACCOUNTS - 2 * BATCH); /* each sale a record of about the same size */
    sold += BATCH;
    uint64_t events = talk_totals(talk).events;
    uint64_t before = talk_card(talk, "2900000049999").last_event;
    world_clock_ahead(world, DAY_US);
    /* A midnight for each of them, and nothing else but the sales. */
    for (uint64_t now = events; now < events + ACCOUNTS + sold - BATCH; now = talk_totals(talk).events) {
        uint64_t among = sell(talk, 20000 + sold % 20000);
        if (now > events + SLICE && now < events + ACCOUNTS - SLICE) {
            beside++;
            /* A midnight's record is not longer than a sale's, and the sold cards have their own besides. */
            assert_true(among <= alone / (BATCH - 1) * (2 * BATCH + SLICES_MAX * SLICE));
        }
        sold += BATCH;
        world_patience(start_ms);
    }
    assert_true(beside > 0);
    assert_true(talk_card(talk, "2900000049999").last_event > before);
    expect_all_done(talk, sold);
    talk_free(talk);
    world_kill(world);
    world_start(world);
    talk = talk_hello(world_address(world), 0, 1, NULL);
    expect_all_done(talk, sold);
    talk_free(talk);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_midnight) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
