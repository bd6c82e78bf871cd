/* Requests made up at random, sent and compared. Small ranges on purpose, so that they meet each other. */
#include <stdlib.h>
#include <string.h>

#include "oracle_stage.h"

#define DAY_US (INT64_C(86400) * 1000000)
#define CARDS_USED 14

static int64_t between(struct oracle_stage *stage, int64_t from, int64_t to)
{
    return from + (int64_t)oracle_below(stage, (uint64_t)(to - from + 1));
}

static unsigned any_card(struct oracle_stage *stage)
{
    return (unsigned)oracle_below(stage, oracle_once_in(stage, 30) ? CARDS_USED + 3 : 9);
}

static struct wire_code code_of_card(const struct oracle_stage *stage, unsigned card)
{
    return talk_code(stage->oracle->cards[card].number);
}

static struct wire_code word(enum oracle_words kind, unsigned index)
{
    return talk_code(oracle_word(kind, index).text);
}

static void same_balance(struct oracle_stage *stage, const struct oracle_answer *expected, int64_t available,
                         int64_t debt)
{
    oracle_same_points(stage, "available", expected->available, available);
    oracle_same_points(stage, "debt", expected->debt, debt);
}

/* --- receipts --- */

static int64_t any_time(struct oracle_stage *stage)
{
    const struct oracle_programme *programme = oracle_now(stage->oracle);
    int64_t time_us =
        stage->oracle->now_us - between(stage, 0, oracle_once_in(stage, 3) ? 29 * 24 : 20) * 3600 * 1000000;
    bool by_month = programme->tier_count > 0 && programme->sum != SUM_EVER;
    int32_t day = oracle_day(programme, time_us, NULL);
    return by_month && oracle_month(day) != oracle_month(stage->oracle->today) ? stage->oracle->now_us
                                                                               : time_us;
}

static void make_lines(struct oracle_stage *stage, struct oracle_receipt *out)
{
    out->line_count = (unsigned)oracle_below(stage, ORACLE_LINES);
    int64_t sold = 0;
    out->amount = out->line_count == 0 ? between(stage, 0, 15000) : 0;
    for (unsigned i = 0; i < out->line_count; i++) {
        struct oracle_line *line = &out->lines[i];
        *line = (struct oracle_line){ .article = (unsigned)oracle_below(stage, ARTICLES),
                                      .category = (unsigned)oracle_below(stage, CATEGORIES + 1),
                                      .units = oracle_once_in(stage, 2) ? 1000 : between(stage, 1, 4000) };
        if (oracle_once_in(stage, 8))
            line->kind = LINE_OF_DEPOSIT;
        if (sold > 0 && oracle_once_in(stage, 5))
            line->kind = LINE_OF_DISCOUNT;
        line->amount = line->kind == LINE_OF_DISCOUNT ? -between(stage, 0, sold) : between(stage, 0, 6000);
        line->tax = line->kind == LINE_OF_DISCOUNT ? 0 : between(stage, 0, line->amount / 4);
        sold += line->kind == LINE_OF_SALE ? line->amount : line->amount < 0 ? line->amount : 0;
        out->amount += line->amount;
    }
}

static size_t any_hold(struct oracle_stage *stage, unsigned card)
{
    const struct oracle *oracle = stage->oracle;
    for (unsigned tries = 0; tries < 10 && oracle->hold_count > 0; tries++) {
        size_t hold = oracle_below(stage, oracle->hold_count);
        if (oracle->holds[hold]->state == HELD || oracle_once_in(stage, 10)) {
            const struct oracle_account *owner =
                oracle->accounts[oracle_account_index(oracle, oracle->holds[hold]->account)];
            if (owner == oracle_account_of(oracle, card) || oracle_once_in(stage, 20))
                return hold;
        }
    }
    return ORACLE_NONE;
}

static struct oracle_wish make_wish(struct oracle_stage *stage)
{
    const struct oracle_programme *programme = oracle_now(stage->oracle);
    struct oracle_wish wish = { .reward = ORACLE_REWARDS, .hold = ORACLE_NONE, .quantity = 1 };
    if (programme->reward_count > 0 && oracle_once_in(stage, 2)) {
        wish.reward = (unsigned)oracle_below(stage, programme->reward_count + oracle_once_in(stage, 20));
        wish.reward = wish.reward == programme->reward_count ? ORACLE_REWARDS - 1 : wish.reward;
        wish.quantity = between(stage, 1, 3);
    } else {
        wish.points = between(stage, 1, 60) * 1000;
    }
    return wish;
}

static void make_wishes(struct oracle_stage *stage, struct oracle_receipt *out)
{
    unsigned count = oracle_once_in(stage, 3) ? 1 + (unsigned)oracle_below(stage, ORACLE_WISHES) : 0;
    for (unsigned i = 0; i < count; i++) {
        struct oracle_wish *wish = &out->wishes[out->wish_count];
        *wish = make_wish(stage);
        size_t hold = oracle_once_in(stage, 3) ? any_hold(stage, out->card) : ORACLE_NONE;
        if (hold != ORACLE_NONE) {
            *wish = (struct oracle_wish){ .reward = ORACLE_REWARDS, .hold = hold, .quantity = 1 };
            wish->points = oracle_once_in(stage, 2) ? 0 : between(stage, 1, 30) * 1000;
        }
        if (i == 0 || out->wishes[0].hold != wish->hold || wish->hold == ORACLE_NONE)
            out->wish_count++;
    }
}

/* A line for a free item: it takes off what one of that article costs. */
static void make_reward_line(struct oracle_stage *stage, struct oracle_receipt *out)
{
    const struct oracle_programme *programme = oracle_now(stage->oracle);
    for (unsigned i = 0; i < out->wish_count; i++) {
        struct oracle_wish *wish = &out->wishes[i];
        if (wish->hold != ORACLE_NONE || wish->reward >= programme->reward_count ||
            programme->rewards[wish->reward].kind != FOR_ITEM || out->line_count == 0 ||
            out->line_count == ORACLE_LINES)
            continue;
        unsigned article = programme->rewards[wish->reward].article;
        if (oracle_once_in(stage, 8))
            article = (article + 1) % ARTICLES;
        int64_t off = oracle_below(stage, 500) < 100 ? 0 : between(stage, 1, out->amount / 2 + 1);
        if (off > out->amount || off == 0)
            continue;
        out->lines[out->line_count++] = (struct oracle_line){
            .article = article, .category = CATEGORIES, .amount = -off, .units = 1000, .kind = LINE_OF_REWARD
        };
        out->amount -= off;
        wish->line = out->line_count;
    }
}

static struct oracle_receipt make_receipt(struct oracle_stage *stage)
{
    struct oracle_receipt receipt = { .card = any_card(stage),
                                      .time_us = any_time(stage),
                                      .store = (unsigned)oracle_below(stage, STORES),
                                      .coupons = (unsigned)oracle_below(stage, 1U << COUPONS) };
    make_lines(stage, &receipt);
    make_wishes(stage, &receipt);
    make_reward_line(stage, &receipt);
    receipt.tender_count = (unsigned)oracle_below(stage, ORACLE_TENDERS + 1);
    for (unsigned i = 0; i < receipt.tender_count; i++) {
        receipt.tenders[i].kind = (unsigned)oracle_below(stage, TENDERS);
        receipt.tenders[i].amount = between(stage, -200, 3000);
    }
    return receipt;
}

/* A receipt as its messages have it. */
struct message_of_receipt {
    struct msg_line lines[ORACLE_LINES];
    struct msg_tender tenders[ORACLE_TENDERS];
    struct msg_coupon coupons[COUPONS];
    struct msg_wish wishes[ORACLE_WISHES];
    uint64_t coupon_count;
};

static uint64_t position_of_hold(const struct oracle_stage *stage, size_t hold)
{
    for (size_t i = 0; i < stage->event_count; i++) {
        if (stage->events[i].kind == DID_HOLD && stage->events[i].index == hold)
            return stage->events[i].position;
    }
    return 0;
}

static void fill_wish(const struct oracle_stage *stage, const struct oracle_wish *wish, struct msg_wish *out)
{
    message_init(MESSAGE_wish, out);
    out->points = oracle_to_wire(stage, wish->points);
    out->quantity = (uint64_t)wish->quantity;
    out->line = wish->line;
    if (wish->reward < ORACLE_REWARDS)
        out->reward = word(WORD_REWARD, wish->reward);
    if (wish->hold != ORACLE_NONE)
        out->hold = position_of_hold(stage, wish->hold);
}

static void fill_receipt(const struct oracle_stage *stage, const struct oracle_receipt *receipt,
                         struct message_of_receipt *out)
{
    static const uint64_t kinds[] = { 0, 1, 2, 3 };
    for (unsigned i = 0; i < receipt->line_count; i++) {
        const struct oracle_line *line = &receipt->lines[i];
        message_init(MESSAGE_line, &out->lines[i]);
        out->lines[i].code = word(WORD_ARTICLE, line->article);
        out->lines[i].amount = line->amount;
        out->lines[i].quantity = (uint64_t)line->units;
        out->lines[i].kind = kinds[line->kind];
        out->lines[i].tax = line->tax;
        if (line->category < CATEGORIES)
            out->lines[i].category = word(WORD_CATEGORY, line->category);
    }
    for (unsigned i = 0; i < receipt->tender_count; i++) {
        out->tenders[i].kind = word(WORD_TENDER, receipt->tenders[i].kind);
        out->tenders[i].amount = receipt->tenders[i].amount;
    }
    out->coupon_count = 0;
    for (unsigned i = 0; i < COUPONS; i++) {
        if ((receipt->coupons >> i & 1) != 0)
            out->coupons[out->coupon_count++].code = word(WORD_COUPON, i);
    }
    for (unsigned i = 0; i < receipt->wish_count; i++)
        fill_wish(stage, &receipt->wishes[i], &out->wishes[i]);
}

static bool captures(const struct oracle_receipt *receipt)
{
    for (unsigned i = 0; i < receipt->wish_count; i++) {
        if (receipt->wishes[i].hold != ORACLE_NONE)
            return true;
    }
    return false;
}

/* The same receipt asked first: it must say what the purchase then does. */
static void quote(struct oracle_stage *stage, const struct oracle_receipt *receipt,
                  struct message_of_receipt *of)
{
    static uint64_t number = UINT64_C(1) << 51;
    struct msg_quote_request request;
    struct msg_quote_answer quoted;
    struct oracle_answer expected;
    struct talk_answer answer;
    message_init(MESSAGE_quote_request, &request);
    request.amount = (uint64_t)receipt->amount;
    request.time = (uint64_t)receipt->time_us;
    request.store = word(WORD_STORE, receipt->store);
    request.till = talk_code("1");
    request.card = code_of_card(stage, receipt->card);
    request.lines = of->lines;
    request.lines_count = receipt->line_count;
    request.tenders = of->tenders;
    request.tenders_count = receipt->tender_count;
    request.coupons = of->coupons;
    request.coupons_count = of->coupon_count;
    request.wishes = of->wishes;
    request.wishes_count = receipt->wish_count;
    oracle_buy(stage->oracle, receipt, false, &expected, NULL);
    talk_send(stage->talk, OPERATION_QUOTE, 0, ++number, &request);
    assert_true(talk_receive(stage->talk, &answer));
    if (!oracle_agree(stage, &answer, &expected))
        return;
    talk_decode(stage->talk, &answer, &quoted);
    oracle_same_points(stage, "quoted earned", expected.earned, quoted.earned);
    oracle_same_points(stage, "quoted redeemed", expected.redeemed, quoted.redeemed);
    oracle_same(stage, "quoted paid", expected.paid, (int64_t)quoted.paid);
    same_balance(stage, &expected, quoted.available, quoted.debt);
}

void oracle_do_purchase(struct oracle_stage *stage)
{
    struct oracle_receipt receipt = make_receipt(stage);
    struct msg_purchase_request request;
    struct msg_purchase_answer bought;
    struct oracle_answer expected;
    struct message_of_receipt of;
    size_t index = ORACLE_NONE;
    fill_receipt(stage, &receipt, &of);
    if (!captures(&receipt) && oracle_once_in(stage, 4))
        quote(stage, &receipt, &of);
    message_init(MESSAGE_purchase_request, &request);
    request.card = code_of_card(stage, receipt.card);
    request.amount = (uint64_t)receipt.amount;
    request.time = (uint64_t)receipt.time_us;
    request.store = word(WORD_STORE, receipt.store);
    request.till = talk_code("1");
    request.lines = of.lines;
    request.lines_count = receipt.line_count;
    request.tenders = of.tenders;
    request.tenders_count = receipt.tender_count;
    request.coupons = of.coupons;
    request.coupons_count = of.coupon_count;
    request.wishes = of.wishes;
    request.wishes_count = receipt.wish_count;
    oracle_buy(stage->oracle, &receipt, true, &expected, &index);
    struct talk_answer answer = oracle_send(stage, OPERATION_PURCHASE, &request);
    if (!oracle_agree(stage, &answer, &expected))
        return;
    talk_decode(stage->talk, &answer, &bought);
    oracle_note(stage, DID_PURCHASE, index, bought.position);
    oracle_same_points(stage, "earned", expected.earned, bought.earned);
    oracle_same_points(stage, "redeemed", expected.redeemed, bought.redeemed);
    oracle_same(stage, "paid", expected.paid, (int64_t)bought.paid);
    oracle_same_points(stage, "pending", expected.pending, bought.pending);
    oracle_same(stage, "rated at tier", expected.tier,
                bought.tier.size == 0 ? 0 : bought.tier.bytes[1] - '0');
    same_balance(stage, &expected, bought.available, bought.debt);
}

/* --- goods that come back --- */

static void preview(struct oracle_stage *stage, const struct msg_return_request *request,
                    struct msg_return_preview_answer *out, bool *out_done)
{
    static uint64_t number = UINT64_C(1) << 52;
    struct msg_return_preview_request asked;
    struct talk_answer answer;
    message_init(MESSAGE_return_preview_request, &asked);
    asked.card = request->card;
    asked.amount = request->amount;
    asked.store = request->store;
    asked.till = request->till;
    asked.sale_position = request->sale_position;
    asked.lines = request->lines;
    asked.lines_count = request->lines_count;
    talk_send(stage->talk, OPERATION_RETURN_PREVIEW, 0, ++number, &asked);
    assert_true(talk_receive(stage->talk, &answer));
    *out_done = talk_result(stage->talk, &answer) == RESULT_DONE;
    if (*out_done)
        talk_decode(stage->talk, &answer, out);
}

void oracle_do_return(struct oracle_stage *stage)
{
    const struct oracle_event *event = oracle_any(stage, DID_PURCHASE);
    if (event == NULL)
        return;
    const struct oracle_purchase *sale = stage->oracle->purchases[event->index];
    unsigned card = oracle_once_in(stage, 20) ? any_card(stage) : sale->receipt.card;
    stage->sale = sale;
    int64_t units[ORACLE_LINES] = { 0 };
    struct msg_return_line lines[ORACLE_LINES];
    struct msg_return_request request;
    struct msg_return_answer returned;
    struct oracle_answer expected;
    size_t index = ORACLE_NONE;
    message_init(MESSAGE_return_request, &request);
    for (unsigned i = 0; i < sale->receipt.line_count; i++) {
        int64_t left = sale->receipt.lines[i].units - sale->back.units[i];
        if (left <= 0 || oracle_once_in(stage, 2))
            continue;
        units[i] = oracle_once_in(stage, 2) ? left : between(stage, 1, left + (left > 2000));
        message_init(MESSAGE_return_line, &lines[request.lines_count]);
        lines[request.lines_count].number = i + 1;
        lines[request.lines_count++].quantity = (uint64_t)units[i];
    }
    if (request.lines_count == 0 || oracle_once_in(stage, 5)) {
        memset(units, 0, sizeof(units));
        request.lines_count = 0;
        request.amount =
            (uint64_t)between(stage, 1, sale->receipt.amount / (oracle_once_in(stage, 3) ? 1 : 3) + 1);
    }
    request.lines = lines;
    request.card = code_of_card(stage, card);
    request.store = request.till = talk_code("1");
    request.sale_position = event->position;
    struct msg_return_preview_answer seen = { 0 };
    bool previewed = false;
    if (oracle_once_in(stage, 3))
        preview(stage, &request, &seen, &previewed);
    oracle_bring_back(stage->oracle, card, event->index, units, (int64_t)request.amount, &expected, &index);
    struct talk_answer answer = oracle_send(stage, OPERATION_RETURN, &request);
    if (!oracle_agree(stage, &answer, &expected))
        return;
    talk_decode(stage->talk, &answer, &returned);
    oracle_note(stage, DID_RETURN, index, returned.position);
    oracle_same_points(stage, "taken", expected.taken, returned.taken);
    oracle_same_points(stage, "given back", expected.given_back, returned.given_back);
    oracle_same_points(stage, "shortfall", expected.shortfall, returned.shortfall);
    same_balance(stage, &expected, returned.available, returned.debt);
    if (!previewed)
        return;
    oracle_same(stage, "preview of taken", returned.taken, seen.taken);
    oracle_same(stage, "preview of given back", returned.given_back, seen.given_back);
    oracle_same(stage, "preview of shortfall", returned.shortfall, seen.shortfall);
    oracle_same(stage, "preview of available", returned.available, seen.available);
}

void oracle_do_unlinked(struct oracle_stage *stage)
{
    unsigned card = any_card(stage);
    int64_t amount = between(stage, 0, 3000);
    struct msg_unlinked_return_request request;
    struct msg_unlinked_return_answer returned;
    struct oracle_answer expected;
    message_init(MESSAGE_unlinked_return_request, &request);
    request.card = code_of_card(stage, card);
    request.amount = (uint64_t)amount;
    request.store = word(WORD_STORE, 0);
    request.till = talk_code("1");
    oracle_unlinked(stage->oracle, card, amount, &expected);
    struct talk_answer answer = oracle_send(stage, OPERATION_UNLINKED_RETURN, &request);
    if (!oracle_agree(stage, &answer, &expected))
        return;
    talk_decode(stage->talk, &answer, &returned);
    oracle_same_points(stage, "taken", expected.taken, returned.taken);
    oracle_same_points(stage, "shortfall", expected.shortfall, returned.shortfall);
    same_balance(stage, &expected, returned.available, returned.debt);
}

/* --- redeeming --- */

void oracle_do_redeem(struct oracle_stage *stage)
{
    unsigned card = any_card(stage);
    struct oracle_wish wish = make_wish(stage);
    int64_t bill = oracle_once_in(stage, 2) ? 0 : between(stage, 1, 4000);
    struct msg_redeem_request request =
        talk_redeem(stage->oracle->cards[card].number, (uint64_t)oracle_to_wire(stage, wish.points));
    struct msg_redeem_answer redeemed;
    struct oracle_answer expected;
    size_t index = ORACLE_NONE;
    request.bill = (uint64_t)bill;
    request.quantity = (uint64_t)wish.quantity;
    if (wish.reward < ORACLE_REWARDS)
        request.reward = word(WORD_REWARD, wish.reward);
    const struct oracle_event *named = oracle_once_in(stage, 2) ? oracle_any(stage, DID_PURCHASE) : NULL;
    size_t sale = named == NULL ? ORACLE_NONE : named->index;
    if (named != NULL) {
        request.sale_position = named->position;
        stage->sale = stage->oracle->purchases[sale];
        card = oracle_once_in(stage, 10) ? card : stage->sale->receipt.card;
        request.card = code_of_card(stage, card);
    }
    oracle_redeem(stage->oracle, card, &wish, bill == 0 ? -1 : bill, sale, &expected, &index);
    struct talk_answer answer = oracle_send(stage, OPERATION_REDEEM, &request);
    if (!oracle_agree(stage, &answer, &expected))
        return;
    talk_decode(stage->talk, &answer, &redeemed);
    oracle_note(stage, DID_REDEEM, index, redeemed.position);
    oracle_same_points(stage, "redeemed", expected.redeemed, redeemed.redeemed);
    oracle_same(stage, "worth", expected.worth, (int64_t)redeemed.worth);
    oracle_same(stage, "stamps", expected.stamps, redeemed.stamps);
    oracle_same_points(stage, "available", expected.available, redeemed.available);
}

void oracle_do_hold(struct oracle_stage *stage)
{
    unsigned card = any_card(stage);
    struct oracle_wish wish = make_wish(stage);
    int64_t seconds = 1800 + 3600 * between(stage, 0, 22);
    struct msg_hold_request request;
    struct msg_hold_answer held;
    struct oracle_answer expected;
    size_t index = ORACLE_NONE;
    message_init(MESSAGE_hold_request, &request);
    request.card = code_of_card(stage, card);
    request.points = (uint64_t)oracle_to_wire(stage, wish.points);
    request.store = request.till = talk_code("1");
    request.quantity = (uint64_t)wish.quantity;
    request.seconds = (uint64_t)seconds;
    if (wish.reward < ORACLE_REWARDS)
        request.reward = word(WORD_REWARD, wish.reward);
    oracle_hold(stage->oracle, card, &wish, -1, seconds, &expected, &index);
    struct talk_answer answer = oracle_send(stage, OPERATION_HOLD, &request);
    if (!oracle_agree(stage, &answer, &expected))
        return;
    talk_decode(stage->talk, &answer, &held);
    oracle_note(stage, DID_HOLD, index, held.position);
    oracle_same_points(stage, "held", expected.held, held.held);
    oracle_same(stage, "worth", expected.worth, (int64_t)held.worth);
    oracle_same(stage, "stamps", expected.stamps, held.stamps);
    oracle_same_points(stage, "available", expected.available, held.available);
}

void oracle_do_capture(struct oracle_stage *stage)
{
    unsigned card = any_card(stage);
    size_t hold = any_hold(stage, card);
    if (hold == ORACLE_NONE)
        return;
    int64_t points = oracle_once_in(stage, 2) ? 0 : between(stage, 1, 30) * 1000;
    struct msg_capture_request request;
    struct msg_capture_answer captured;
    struct oracle_answer expected;
    size_t index = ORACLE_NONE;
    message_init(MESSAGE_capture_request, &request);
    request.card = code_of_card(stage, card);
    request.hold = position_of_hold(stage, hold);
    request.points = (uint64_t)oracle_to_wire(stage, points);
    request.store = request.till = talk_code("1");
    oracle_capture(stage->oracle, card, hold, points, -1, &expected, &index);
    struct talk_answer answer = oracle_send(stage, OPERATION_CAPTURE, &request);
    if (!oracle_agree(stage, &answer, &expected))
        return;
    talk_decode(stage->talk, &answer, &captured);
    oracle_note(stage, DID_CAPTURE, index, captured.position);
    oracle_same_points(stage, "captured", expected.redeemed, captured.redeemed);
    oracle_same_points(stage, "given back", expected.given_back, captured.given_back);
    oracle_same(stage, "worth", expected.worth, (int64_t)captured.worth);
    oracle_same_points(stage, "available", expected.available, captured.available);
}

void oracle_do_release(struct oracle_stage *stage)
{
    unsigned card = any_card(stage);
    size_t hold = any_hold(stage, card);
    struct msg_release_request request;
    struct msg_release_answer released;
    struct oracle_answer expected;
    if (hold == ORACLE_NONE)
        return;
    message_init(MESSAGE_release_request, &request);
    request.card = code_of_card(stage, card);
    request.hold = position_of_hold(stage, hold);
    request.store = request.till = talk_code("1");
    oracle_release(stage->oracle, card, hold, &expected);
    struct talk_answer answer = oracle_send(stage, OPERATION_RELEASE, &request);
    if (!oracle_agree(stage, &answer, &expected))
        return;
    talk_decode(stage->talk, &answer, &released);
    oracle_same_points(stage, "given back", expected.given_back, released.given_back);
    oracle_same_points(stage, "available", expected.available, released.available);
}

/*
 * Whether a return that is undone counts again in a month that is over, and so might carry a tier of now again that it had
 * ended: DOMAIN.md does not say that a tier comes back then.
 */
static bool counts_again_late(const struct oracle_stage *stage, const struct oracle_event *event)
{
    const struct oracle *oracle = stage->oracle;
    const struct oracle_programme *programme = oracle_now(oracle);
    if (event->kind != DID_RETURN || programme->tier_count == 0 || programme->sum == SUM_EVER)
        return false;
    int32_t day = oracle->purchases[oracle->returns[event->index]->sale]->day;
    return oracle_month(day) != oracle_month(oracle->today);
}

void oracle_do_reversal(struct oracle_stage *stage)
{
    static const enum oracle_kind kinds[] = { DID_PURCHASE, DID_RETURN, DID_REDEEM, DID_HOLD, DID_CAPTURE };
    struct oracle_event *event = oracle_any(stage, kinds[oracle_below(stage, 5)]);
    if (event == NULL || event->reversed || counts_again_late(stage, event))
        return;
    struct msg_reversal_request request;
    struct msg_reversal_answer reversed;
    struct oracle_answer expected;
    message_init(MESSAGE_reversal_request, &request);
    request.epoch = stage->epoch;
    request.number = event->number;
    request.store = request.till = talk_code("1");
    oracle_reverse(stage->oracle, event->kind, event->index, &expected);
    event->reversed = true;
    struct talk_answer answer = oracle_send(stage, OPERATION_REVERSAL, &request);
    if (!oracle_agree(stage, &answer, &expected))
        return;
    talk_decode(stage->talk, &answer, &reversed);
    oracle_same(stage, "outcome", expected.outcome, (int64_t)reversed.outcome);
    oracle_same_points(stage, "reversed taken", expected.taken, reversed.taken);
    oracle_same_points(stage, "reversed given back", expected.given_back, reversed.given_back);
    oracle_same(stage, "reversed amount", expected.amount, (int64_t)reversed.amount);
    if (expected.outcome == 1)
        same_balance(stage, &expected, reversed.available, reversed.debt);
}
