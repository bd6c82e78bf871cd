/* What the office asks for, made up at random, sent and compared; and which of all requests comes next. */
#include <stdlib.h>
#include <string.h>

#include "oracle_stage.h"

#define CARDS_FIRST 6
#define CARDS_USED 12

static int64_t between(struct oracle_stage *stage, int64_t from, int64_t to)
{
    return from + (int64_t)oracle_below(stage, (uint64_t)(to - from + 1));
}

static unsigned any_card(struct oracle_stage *stage)
{
    return (unsigned)oracle_below(stage, CARDS_USED);
}

static struct wire_code code_of_card(const struct oracle_stage *stage, unsigned card)
{
    return talk_code(stage->oracle->cards[card].number);
}

static void issue(struct oracle_stage *stage, unsigned card)
{
    struct msg_card_issue_request request = { .card = code_of_card(stage, card), .count = 1 };
    struct oracle_answer expected;
    oracle_issue(stage->oracle, card, &expected);
    struct talk_answer answer = oracle_send(stage, OPERATION_CARD_ISSUE, &request);
    (void)oracle_agree(stage, &answer, &expected);
}

static void adjust(struct oracle_stage *stage)
{
    unsigned card = any_card(stage);
    int64_t points =
        between(stage, 1, oracle_once_in(stage, 4) ? 300 : 40) * (oracle_once_in(stage, 3) ? -1000 : 1000);
    bool allow_debt = oracle_once_in(stage, 4);
    struct msg_adjust_request request;
    struct msg_adjust_answer adjusted;
    struct oracle_answer expected;
    message_init(MESSAGE_adjust_request, &request);
    request.card = code_of_card(stage, card);
    request.points = oracle_to_wire(stage, points);
    request.reason = talk_code("goodwill");
    request.allow_debt = allow_debt;
    oracle_adjust(stage->oracle, card, points, allow_debt, &expected);
    struct talk_answer answer = oracle_send(stage, OPERATION_ADJUST, &request);
    if (!oracle_agree(stage, &answer, &expected))
        return;
    talk_decode(stage->talk, &answer, &adjusted);
    oracle_same_points(stage, "adjusted", expected.earned, adjusted.points);
    oracle_same_points(stage, "available", expected.available, adjusted.available);
    oracle_same_points(stage, "debt", expected.debt, adjusted.debt);
}

static void bonus(struct oracle_stage *stage)
{
    unsigned card = any_card(stage);
    int64_t points = between(stage, 1, 40) * 1000;
    struct msg_bonus_request request;
    struct msg_bonus_answer given;
    struct oracle_answer expected;
    message_init(MESSAGE_bonus_request, &request);
    request.card = code_of_card(stage, card);
    request.points = (uint64_t)oracle_to_wire(stage, points);
    request.reason = talk_code("goodwill");
    oracle_bonus(stage->oracle, card, points, &expected);
    struct talk_answer answer = oracle_send(stage, OPERATION_BONUS, &request);
    if (!oracle_agree(stage, &answer, &expected))
        return;
    talk_decode(stage->talk, &answer, &given);
    oracle_same_points(stage, "bonus", expected.earned, given.points);
    oracle_same_points(stage, "available", expected.available, given.available);
    oracle_same_points(stage, "pending", expected.pending, given.pending);
}

static void write_off(struct oracle_stage *stage)
{
    unsigned card = any_card(stage);
    struct msg_write_off_request request;
    struct msg_write_off_answer forgiven;
    struct oracle_answer expected;
    message_init(MESSAGE_write_off_request, &request);
    request.card = code_of_card(stage, card);
    request.reason = talk_code("goodwill");
    oracle_write_off(stage->oracle, card, &expected);
    struct talk_answer answer = oracle_send(stage, OPERATION_WRITE_OFF, &request);
    if (!oracle_agree(stage, &answer, &expected))
        return;
    talk_decode(stage->talk, &answer, &forgiven);
    oracle_same_points(stage, "forgiven", expected.earned, forgiven.points);
}

static void transfer(struct oracle_stage *stage)
{
    unsigned from = any_card(stage), to = any_card(stage);
    int64_t points = between(stage, 1, 30) * 1000;
    struct msg_account_transfer_request request;
    struct msg_account_transfer_answer moved;
    struct oracle_answer expected;
    message_init(MESSAGE_account_transfer_request, &request);
    request.from_card = code_of_card(stage, from);
    request.to_card = code_of_card(stage, to);
    request.points = (uint64_t)oracle_to_wire(stage, points);
    oracle_transfer(stage->oracle, from, to, points, &expected);
    struct talk_answer answer = oracle_send(stage, OPERATION_ACCOUNT_TRANSFER, &request);
    if (!oracle_agree(stage, &answer, &expected))
        return;
    talk_decode(stage->talk, &answer, &moved);
    oracle_same_points(stage, "moved", expected.earned, moved.points);
    oracle_same_points(stage, "available", expected.available, moved.available);
}

/*
 * Not where what was counted in months decides on tiers: those of both together might carry one that neither did. Nor where
 * a tier is kept for days, which has two beginnings then.
 */
static void merge(struct oracle_stage *stage)
{
    const struct oracle_programme *programme = oracle_now(stage->oracle);
    unsigned from = any_card(stage), to = any_card(stage);
    struct msg_account_merge_request request;
    struct msg_account_merge_answer merged;
    struct oracle_answer expected;
    bool by_months = programme->basis != BASIS_BALANCE && programme->sum != SUM_EVER;
    if (programme->tier_count > 0 && (by_months || programme->kept == KEPT_DAYS))
        return;
    message_init(MESSAGE_account_merge_request, &request);
    request.from_card = code_of_card(stage, from);
    request.to_card = code_of_card(stage, to);
    oracle_merge(stage->oracle, from, to, &expected);
    struct talk_answer answer = oracle_send(stage, OPERATION_ACCOUNT_MERGE, &request);
    if (!oracle_agree(stage, &answer, &expected))
        return;
    talk_decode(stage->talk, &answer, &merged);
    oracle_same_points(stage, "available", expected.available, merged.available);
    oracle_same_points(stage, "pending", expected.pending, merged.pending);
    oracle_same_points(stage, "debt", expected.debt, merged.debt);
}

static uint64_t fill_tags(unsigned set, struct msg_tag out[TAGS])
{
    uint64_t count = 0;
    for (unsigned i = 0; i < TAGS; i++) {
        if ((set >> i & 1) != 0)
            out[count++].tag = talk_code(oracle_word(WORD_TAG, i).text);
    }
    return count;
}

static void tag(struct oracle_stage *stage)
{
    unsigned card = any_card(stage);
    unsigned set = (unsigned)oracle_below(stage, 1U << TAGS),
             clear = (unsigned)oracle_below(stage, 1U << TAGS);
    struct msg_tag sets[TAGS], clears[TAGS];
    struct msg_account_tag_request request;
    struct oracle_answer expected;
    message_init(MESSAGE_account_tag_request, &request);
    request.card = code_of_card(stage, card);
    request.set = sets;
    request.set_count = fill_tags(set, sets);
    request.clear = clears;
    request.clear_count = fill_tags(clear, clears);
    oracle_tag(stage->oracle, card, set, clear, &expected);
    struct talk_answer answer = oracle_send(stage, OPERATION_ACCOUNT_TAG, &request);
    (void)oracle_agree(stage, &answer, &expected);
}

static void activate(struct oracle_stage *stage)
{
    unsigned card = any_card(stage), offer = (unsigned)oracle_below(stage, ORACLE_OFFERS);
    bool off = oracle_once_in(stage, 5);
    struct msg_offer_activate_request request;
    struct oracle_answer expected;
    message_init(MESSAGE_offer_activate_request, &request);
    request.card = code_of_card(stage, card);
    request.offer = talk_code(oracle_word(WORD_OFFER, offer).text);
    request.off = off;
    oracle_activate(stage->oracle, card, offer, off, &expected);
    struct talk_answer answer = oracle_send(stage, OPERATION_OFFER_ACTIVATE, &request);
    (void)oracle_agree(stage, &answer, &expected);
}

/* Block, unblock and close have requests of one form. */
static void card_act(struct oracle_stage *stage)
{
    unsigned card = any_card(stage);
    enum operation act = !oracle_once_in(stage, 3)   ? OPERATION_CARD_UNBLOCK
                         : oracle_once_in(stage, 12) ? OPERATION_CARD_CLOSE
                                                     : OPERATION_CARD_BLOCK;
    struct msg_card_block_request block = { .card = code_of_card(stage, card) };
    struct msg_card_unblock_request unblock = { .card = block.card };
    struct msg_card_close_request close = { .card = block.card };
    const void *bodies[] = { &block, &unblock, &close };
    struct oracle_answer expected;
    oracle_card_act(stage->oracle, card, act, &expected);
    unsigned which = act == OPERATION_CARD_BLOCK ? 0 : act == OPERATION_CARD_UNBLOCK ? 1 : 2;
    struct talk_answer answer = oracle_send(stage, act, bodies[which]);
    (void)oracle_agree(stage, &answer, &expected);
}

static void card_new(struct oracle_stage *stage)
{
    unsigned card = any_card(stage), new_card = CARDS_FIRST + (unsigned)oracle_below(stage, 12);
    struct oracle_answer expected;
    struct talk_answer answer;
    bool replaces = oracle_once_in(stage, 2);
    struct msg_card_replace_request replace = { .card = code_of_card(stage, card),
                                                .new_card = code_of_card(stage, new_card) };
    struct msg_card_add_request add = { .card = replace.card, .new_card = replace.new_card };
    oracle_card_new(stage->oracle, card, new_card, replaces, &expected);
    answer = replaces ? oracle_send(stage, OPERATION_CARD_REPLACE, &replace)
                      : oracle_send(stage, OPERATION_CARD_ADD, &add);
    (void)oracle_agree(stage, &answer, &expected);
}

void oracle_open(struct oracle_stage *stage)
{
    for (unsigned i = 0; i < CARDS_FIRST; i++)
        issue(stage, i);
}

void oracle_publish(struct oracle_stage *stage)
{
    struct oracle *oracle = stage->oracle;
    struct msg_programme_publish_request request;
    struct msg_programme_publish_answer published;
    if (oracle->version_count == ORACLE_VERSIONS)
        return;
    struct oracle_programme *next = &oracle->versions[oracle->version_count];
    oracle_programme_make(stage->random, oracle->today, oracle_now(oracle), next);
    char *text = oracle_programme_text(next);
    message_init(MESSAGE_programme_publish_request, &request);
    request.text = talk_text(text);
    struct talk_answer answer = oracle_send(stage, OPERATION_PROGRAMME_PUBLISH, &request);
    free(text);
    struct oracle_answer expected = { .result = RESULT_DONE };
    if (!oracle_agree(stage, &answer, &expected))
        return;
    talk_decode(stage->talk, &answer, &published);
    next->from_us = (int64_t)published.from;
    oracle->version_count++;
    oracle->now_us = next->from_us > oracle->now_us ? next->from_us : oracle->now_us;
}

static void of_office(struct oracle_stage *stage)
{
    static void (*const acts[])(struct oracle_stage *) = { adjust,   adjust,   bonus,   write_off,
                                                           transfer, tag,      tag,     activate,
                                                           activate, card_act, card_new };
    if (oracle_once_in(stage, 4))
        issue(stage, any_card(stage));
    else if (oracle_once_in(stage, 25))
        merge(stage);
    else
        acts[oracle_below(stage, sizeof(acts) / sizeof(acts[0]))](stage);
}

void oracle_do(struct oracle_stage *stage)
{
    static void (*const acts[])(struct oracle_stage *) = {
        oracle_do_purchase, oracle_do_purchase, oracle_do_purchase, oracle_do_purchase, oracle_do_return,
        oracle_do_return,   oracle_do_unlinked, oracle_do_redeem,   oracle_do_hold,     oracle_do_capture,
        oracle_do_release,  oracle_do_reversal, of_office,          of_office,
    };
    acts[oracle_below(stage, sizeof(acts) / sizeof(acts[0]))](stage);
}
