#include "crowd_script.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "proto/frame.h"
#include "talk.h"

#define PIN "4711"
#define PIN_LANE 1u     /* the one that sets and tries PINs: each takes the worker a while */
#define PUBLISH_LANE 0u /* the one that publishes programmes */
#define CLOSE_LANE 2u   /* the one that closes days */
#define CARDS_ISSUED 4u /* A to D */
#define CARD_ADDED 4u   /* to A */
#define CARD_REPLACING 5u
#define CARD_UNKNOWN 6u

/* Steps that others speak of. */
enum {
    STEP_ISSUE = 0,
    STEP_PURCHASE = 1,
    STEP_LINES = 2,
    STEP_REDEEM = 4,
    STEP_HOLD_CAPTURED = 5,
    STEP_HOLD_RELEASED = 6,
    STEP_HOLD_TIMED_OUT = 7,
    STEP_WAITING = 8,
    STEP_WAITED_FOR = 9,
    STEP_PURCHASE_C = 12,
    STEP_RETURN = 17,
    STEP_HOLD_REVERSED = 22,
    STEP_HOLD_OF_PURCHASE = 25,
    STEP_REPLACE = 32,
    STEP_CAPTURING = 33,
    STEP_MERGE = 37,
    STEP_CLOSE = 38,
    STEP_AGAIN = 43,
    STEP_ISSUE_UNKNOWN = 46,
};

/* A request being made. */
struct making {
    const struct script *script;
    uint64_t number, random;
    const struct step *step;
    char card[16]; /* of the step's owner */
    struct script_request *out;
};

typedef void make_fn(struct making *making);

struct step {
    make_fn *make;
    enum operation operation;
    enum script_owner owner;
    unsigned of; /* the step that it speaks of */
};

uint64_t script_mixed(uint64_t seed, uint64_t a, uint64_t b)
{
    uint64_t z = seed + a * UINT64_C(0x9E3779B97F4A7C15) + b * UINT64_C(0xC2B2AE3D27D4EB4F);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

/* --- names --- */

static uint64_t period_of(uint64_t number)
{
    return (number - 1) / SCRIPT_STEPS;
}

static unsigned step_of(uint64_t number)
{
    return (unsigned)((number - 1) % SCRIPT_STEPS);
}

static uint64_t number_of(uint64_t period, unsigned step)
{
    return period * SCRIPT_STEPS + step + 1;
}

void script_lasting_card(unsigned index, char out_card[16])
{
    (void)snprintf(out_card, 16, "29%011u", 1000 + index);
}

static void period_card(const struct script *script, uint64_t period, unsigned index, char out_card[16])
{
    (void)snprintf(out_card, 16, "28%02u%07" PRIu64 "%02u", script->lane % 100, period % 10000000,
                   index % 100);
}

static void owner_card(const struct script *script, uint64_t period, enum script_owner owner,
                       char out_card[16])
{
    if (owner == OWNER_SHARED || owner == OWNER_LANE)
        script_lasting_card(owner == OWNER_SHARED ? 0 : 1 + script->lane, out_card);
    else
        period_card(script, period, owner == OWNER_UNKNOWN ? CARD_UNKNOWN : owner - OWNER_A, out_card);
}

static struct wire_code card_of(const struct making *making, unsigned index)
{
    char card[16];
    period_card(making->script, period_of(making->number), index, card);
    return talk_code(card);
}

static struct wire_code receipt_of(const struct script *script, uint64_t number)
{
    char receipt[24];
    (void)snprintf(receipt, sizeof(receipt), "%" PRIx64 "-%" PRIu64, script->epoch >> 32, number);
    return talk_code(receipt);
}

static uint64_t amount_of(const struct script *script, uint64_t number)
{
    return 100 + (script_mixed(script->seed, script->lane, number) >> 8) % 20000;
}

/* The number of the step that this one speaks of, and the position it was booked at; of a refused one
 * somewhere else. */
static uint64_t original(const struct making *making)
{
    return number_of(period_of(making->number), making->step->of);
}

static uint64_t original_position(const struct making *making)
{
    uint64_t position = making->script->outcomes[original(making) - 1].position;
    return position != 0 ? position : 1;
}

/* --- steps --- */

static void make_issue(struct making *making)
{
    struct msg_card_issue_request *issue = &making->out->body.issue;
    bool unknown = making->step->owner == OWNER_UNKNOWN;
    issue->card = card_of(making, unknown ? CARD_UNKNOWN : 0);
    issue->count = unknown ? 1 : CARDS_ISSUED;
}

static void make_purchase(struct making *making)
{
    struct msg_purchase_request *purchase = &making->out->body.purchase;
    *purchase = talk_purchase(making->card, amount_of(making->script, making->number), "");
    purchase->receipt = receipt_of(making->script, making->number);
}

static void make_lines(struct making *making)
{
    struct msg_purchase_request *purchase = &making->out->body.purchase;
    struct msg_line *lines = making->out->lines;
    make_purchase(making);
    purchase->amount = 0;
    for (unsigned i = 0; i < SCRIPT_LINES; i++) {
        message_init(MESSAGE_line, &lines[i]);
        lines[i].code = talk_code("4006381333931");
        lines[i].amount = (int64_t)(100 + (making->random >> i) % 1000);
        purchase->amount += (uint64_t)lines[i].amount;
    }
    purchase->lines = lines;
    purchase->lines_count = SCRIPT_LINES;
}

/* Pays a part with points: some, or those of a hold. */
static void make_wish(struct making *making)
{
    struct msg_wish *wish = &making->out->wish;
    make_purchase(making);
    message_init(MESSAGE_wish, wish);
    if (making->step->of != 0)
        wish->hold = original_position(making);
    else
        wish->points = (int64_t)(1 + making->random % 40);
    making->out->body.purchase.wishes = wish;
    making->out->body.purchase.wishes_count = 1;
}

/* A sale that has happened, with a card that nobody knows yet. */
static void make_advice(struct making *making)
{
    make_purchase(making);
    making->out->flags = FRAME_FLAG_ADVICE;
}

/* The same receipt under another number; the other one is another sale. */
static void make_again(struct making *making)
{
    uint64_t first = original(making);
    make_purchase(making);
    making->out->body.purchase.receipt = receipt_of(making->script, first);
    making->out->body.purchase.amount =
        amount_of(making->script, first) + (making->step->owner == OWNER_SHARED ? 1 : 0);
}

static void make_redeem(struct making *making)
{
    making->out->body.redeem = talk_redeem(making->card, 1 + making->random % 300);
}

static void make_hold(struct making *making)
{
    struct msg_hold_request *hold = &making->out->body.hold;
    hold->card = talk_code(making->card);
    hold->points = 1 + making->random % 100;
    hold->store = hold->till = talk_code("1");
    hold->seconds = step_of(making->number) == STEP_HOLD_TIMED_OUT ? 1 : 0;
}

static void make_capture(struct making *making)
{
    struct msg_capture_request *capture = &making->out->body.capture;
    capture->card = talk_code(making->card);
    capture->hold = original_position(making);
    capture->points = making->random % 2;
    capture->store = capture->till = talk_code("1");
}

static void make_release(struct making *making)
{
    struct msg_release_request *release = &making->out->body.release;
    release->card = talk_code(making->card);
    release->hold = original_position(making);
    release->store = release->till = talk_code("1");
}

/* A part of a purchase by its receipt, or a line of it by its position. */
static void make_return(struct making *making)
{
    struct msg_return_request *goods = &making->out->body.goods_return;
    goods->card = talk_code(making->card);
    goods->store = goods->till = talk_code("1");
    if (making->step->of != STEP_LINES) {
        goods->sale_receipt = receipt_of(making->script, original(making));
        goods->amount = amount_of(making->script, original(making)) / 2;
        return;
    }
    goods->sale_position = original_position(making);
    message_init(MESSAGE_return_line, &making->out->back);
    making->out->back.number = 1;
    goods->lines = &making->out->back;
    goods->lines_count = 1;
}

/* All of a purchase that is still to come: it waits. */
static void make_waiting(struct making *making)
{
    struct msg_return_request *goods = &making->out->body.goods_return;
    goods->card = talk_code(making->card);
    goods->store = goods->till = talk_code("1");
    goods->sale_receipt = receipt_of(making->script, original(making));
    goods->amount = amount_of(making->script, original(making));
    making->out->flags = FRAME_FLAG_ADVICE;
}

static void make_unlinked(struct making *making)
{
    struct msg_unlinked_return_request *goods = &making->out->body.unlinked;
    goods->card = talk_code(making->card);
    goods->store = goods->till = talk_code("1");
    goods->amount = 100 + making->random % 3000;
}

/* Also of one that has not come yet: it never will be booked. */
static void make_reversal(struct making *making)
{
    struct msg_reversal_request *reversal = &making->out->body.reversal;
    reversal->epoch = making->script->epoch;
    reversal->number = original(making);
    reversal->store = reversal->till = talk_code("1");
}

static void make_bonus(struct making *making)
{
    struct msg_bonus_request *bonus = &making->out->body.bonus;
    bonus->card = talk_code(making->card);
    bonus->points = 1 + making->random % 50;
    bonus->reason = talk_code("goodwill");
}

/* Takes more than there is, so that there is debt to write off; or gives a little. */
static void make_adjust(struct making *making)
{
    struct msg_adjust_request *adjust = &making->out->body.adjust;
    adjust->card = talk_code(making->card);
    adjust->points = (int64_t)(1 + making->random % 100);
    if (making->step->owner == OWNER_B)
        adjust->points -= 1000;
    adjust->allow_debt = 1;
    adjust->reason = talk_code("correction");
    adjust->note = talk_text("as agreed");
}

static void make_write_off(struct making *making)
{
    making->out->body.write_off.card = talk_code(making->card);
    making->out->body.write_off.reason = talk_code("goodwill");
}

static void make_transfer(struct making *making)
{
    struct msg_account_transfer_request *transfer = &making->out->body.transfer;
    transfer->from_card = talk_code(making->card);
    transfer->to_card = card_of(making, 1);
    transfer->points = 1 + making->random % 20;
}

static void make_move(struct making *making)
{
    making->out->body.move.card = card_of(making, 1);
    making->out->body.move.sale_position = original_position(making);
}

static void make_merge(struct making *making)
{
    making->out->body.merge.from_card = talk_code(making->card);
    making->out->body.merge.to_card = card_of(making, 1);
}

static void make_tags(struct making *making)
{
    struct msg_account_tag_request *tags = &making->out->body.tags;
    tags->card = talk_code(making->card);
    message_init(MESSAGE_tag, &making->out->tag);
    making->out->tag.tag = talk_code("staff");
    tags->set = &making->out->tag;
    tags->set_count = 1;
}

static void make_act(struct making *making)
{
    making->out->body.act.card = talk_code(making->card);
}

static void make_replace(struct making *making)
{
    making->out->body.replace.card = talk_code(making->card);
    making->out->body.replace.new_card = card_of(making, CARD_REPLACING);
}

static void make_add(struct making *making)
{
    making->out->body.add.card = talk_code(making->card);
    making->out->body.add.new_card = card_of(making, CARD_ADDED);
}

static void make_pin(struct making *making)
{
    making->out->body.set_pin.card = talk_code(making->card);
    making->out->pin = PIN;
}

/* Right and wrong PINs by turns. */
static void make_redeem_with_pin(struct making *making)
{
    make_redeem(making);
    making->out->pin = period_of(making->number) % 2 == 0 ? PIN : "0000";
}

static void make_publish(struct making *making)
{
    making->out->body.publish.version = 1;
}

/* A day on which nothing was sold, closed over and over, in balance or not. */
static void make_day_close(struct making *making)
{
    struct msg_day_close_request *close = &making->out->body.close;
    close->store = close->till = talk_code("1");
    close->date = 20400;
    close->purchases = making->random % 2;
}

/* --- the script --- */

static const struct step steps[SCRIPT_STEPS] = {
    [STEP_ISSUE] = { make_issue, OPERATION_CARD_ISSUE, OWNER_A, 0 },
    [STEP_PURCHASE] = { make_purchase, OPERATION_PURCHASE, OWNER_LANE, 0 },
    [STEP_LINES] = { make_lines, OPERATION_PURCHASE, OWNER_SHARED, 0 },
    { make_wish, OPERATION_PURCHASE, OWNER_LANE, 0 },
    [STEP_REDEEM] = { make_redeem, OPERATION_REDEEM, OWNER_SHARED, 0 },
    [STEP_HOLD_CAPTURED] = { make_hold, OPERATION_HOLD, OWNER_LANE, 0 },
    [STEP_HOLD_RELEASED] = { make_hold, OPERATION_HOLD, OWNER_LANE, 0 },
    [STEP_HOLD_TIMED_OUT] = { make_hold, OPERATION_HOLD, OWNER_SHARED, 0 },
    [STEP_WAITING] = { make_waiting, OPERATION_RETURN, OWNER_LANE, STEP_WAITED_FOR },
    [STEP_WAITED_FOR] = { make_purchase, OPERATION_PURCHASE, OWNER_LANE, 0 },
    { make_purchase, OPERATION_PURCHASE, OWNER_A, 0 },
    { make_purchase, OPERATION_PURCHASE, OWNER_B, 0 },
    [STEP_PURCHASE_C] = { make_purchase, OPERATION_PURCHASE, OWNER_C, 0 },
    { make_purchase, OPERATION_PURCHASE, OWNER_D, 0 },
    { make_bonus, OPERATION_BONUS, OWNER_A, 0 },
    { make_capture, OPERATION_CAPTURE, OWNER_LANE, STEP_HOLD_CAPTURED },
    { make_release, OPERATION_RELEASE, OWNER_LANE, STEP_HOLD_RELEASED },
    [STEP_RETURN] = { make_return, OPERATION_RETURN, OWNER_LANE, STEP_PURCHASE },
    { make_return, OPERATION_RETURN, OWNER_SHARED, STEP_LINES },
    { make_unlinked, OPERATION_UNLINKED_RETURN, OWNER_LANE, 0 },
    { make_reversal, OPERATION_REVERSAL, OWNER_SHARED, STEP_REDEEM },
    { make_reversal, OPERATION_REVERSAL, OWNER_LANE, STEP_HOLD_REVERSED + 1 },
    [STEP_HOLD_REVERSED] = { make_hold, OPERATION_HOLD, OWNER_LANE, 0 },
    { make_purchase, OPERATION_PURCHASE, OWNER_LANE, 0 }, /* was reversed before it came */
    { make_capture, OPERATION_CAPTURE, OWNER_SHARED, STEP_HOLD_TIMED_OUT },
    [STEP_HOLD_OF_PURCHASE] = { make_hold, OPERATION_HOLD, OWNER_SHARED, 0 },
    { make_transfer, OPERATION_ACCOUNT_TRANSFER, OWNER_A, 0 },
    { make_move, OPERATION_AWARD_MOVE, OWNER_C, STEP_PURCHASE_C },
    { make_act, OPERATION_CARD_BLOCK, OWNER_D, 0 },
    { make_purchase, OPERATION_PURCHASE, OWNER_D, 0 },
    { make_act, OPERATION_CARD_UNBLOCK, OWNER_D, 0 },
    { make_reversal, OPERATION_REVERSAL, OWNER_LANE, STEP_HOLD_REVERSED },
    [STEP_REPLACE] = { make_replace, OPERATION_CARD_REPLACE, OWNER_C, 0 },
    [STEP_CAPTURING] = { make_wish, OPERATION_PURCHASE, OWNER_SHARED, STEP_HOLD_OF_PURCHASE },
    { make_reversal, OPERATION_REVERSAL, OWNER_LANE, STEP_RETURN },
    { make_tags, OPERATION_ACCOUNT_TAG, OWNER_A, 0 },
    { make_add, OPERATION_CARD_ADD, OWNER_A, 0 },
    [STEP_MERGE] = { make_merge, OPERATION_ACCOUNT_MERGE, OWNER_A, 0 },
    [STEP_CLOSE] = { make_act, OPERATION_CARD_CLOSE, OWNER_D, 0 },
    { make_adjust, OPERATION_ADJUST, OWNER_B, 0 },
    { make_write_off, OPERATION_WRITE_OFF, OWNER_B, 0 },
    { make_advice, OPERATION_PURCHASE, OWNER_UNKNOWN, 0 },
    { make_adjust, OPERATION_ADJUST, OWNER_LANE, 0 },
    [STEP_AGAIN] = { make_again, OPERATION_PURCHASE, OWNER_LANE, STEP_PURCHASE },
    { make_again, OPERATION_PURCHASE, OWNER_SHARED, STEP_PURCHASE },
    { make_redeem, OPERATION_REDEEM, OWNER_LANE, 0 },
    [STEP_ISSUE_UNKNOWN] = { make_issue, OPERATION_CARD_ISSUE, OWNER_UNKNOWN, 0 },
    { make_reversal, OPERATION_REVERSAL, OWNER_SHARED, STEP_CAPTURING },
};

/* The lanes that do something else at a step. */
static const struct {
    unsigned lane, step;
    struct step instead;
} others[] = {
    { PIN_LANE, 42, { make_pin, OPERATION_CARD_PIN, OWNER_B, 0 } },
    { PIN_LANE, 45, { make_redeem_with_pin, OPERATION_REDEEM, OWNER_B, 0 } },
    { CLOSE_LANE, 45, { make_day_close, OPERATION_DAY_CLOSE, OWNER_LANE, 0 } },
    { PUBLISH_LANE, 47, { make_publish, OPERATION_PROGRAMME_PUBLISH, OWNER_LANE, 0 } },
};

static const struct step *step_at(const struct script *script, uint64_t number)
{
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (others[i].lane == script->lane && others[i].step == step_of(number))
            return &others[i].instead;
    }
    return &steps[step_of(number)];
}

void script_request(const struct script *script, uint64_t number, struct script_request *out)
{
    const struct step *step = step_at(script, number);
    struct making making = { .script = script,
                             .number = number,
                             .random = script_mixed(script->seed, script->lane, number) >> 8,
                             .step = step,
                             .out = out };
    memset(out, 0, sizeof(*out));
    out->operation = step->operation;
    message_init(operation_row((uint16_t)step->operation)->request, &out->body);
    owner_card(script, period_of(number), step->owner, making.card);
    step->make(&making);
}

enum operation script_operation(const struct script *script, uint64_t number)
{
    return step_at(script, number)->operation;
}

enum script_owner script_owner_of(const struct script *script, uint64_t number)
{
    return step_at(script, number)->owner;
}

/* --- answers --- */

/* How the balances changed. */
static void take_change(enum operation operation, const union script_answer *answer, struct outcome *out)
{
    switch ((int)operation) {
    case OPERATION_PURCHASE:
        out->earned = answer->purchase_answer.earned;
        out->redeemed = answer->purchase_answer.redeemed;
        break;
    case OPERATION_REDEEM:
        out->redeemed = answer->redeem_answer.redeemed;
        break;
    case OPERATION_CAPTURE:
        out->redeemed = answer->capture_answer.redeemed;
        break;
    case OPERATION_RETURN:
        out->change = answer->return_answer.given_back - answer->return_answer.taken;
        break;
    case OPERATION_UNLINKED_RETURN:
        out->change = -answer->unlinked_return_answer.taken;
        break;
    case OPERATION_REVERSAL:
        out->change = answer->reversal_answer.given_back - answer->reversal_answer.taken;
        break;
    case OPERATION_ADJUST:
        out->change = answer->adjust_answer.points;
        break;
    case OPERATION_BONUS:
        out->change = answer->bonus_answer.points;
        break;
    case OPERATION_WRITE_OFF:
        out->change = answer->write_off_answer.points;
        break;
    case OPERATION_AWARD_MOVE:
        out->moved = answer->award_move_answer.points;
        break;
    case OPERATION_ACCOUNT_TRANSFER:
        out->moved = answer->account_transfer_answer.points;
        break;
    case OPERATION_CARD_CLOSE:
        out->change = -answer->card_close_answer.forfeited;
        break;
    default: /* moves no points */
        break;
    }
    out->change += out->earned - out->redeemed - out->moved;
}

void script_outcome(const struct script *script, uint64_t number, const union script_answer *answer,
                    struct outcome *out)
{
    out->done = true;
    if (step_of(number) == STEP_AGAIN)
        return;                                       /* the first answer again: nothing happened */
    out->position = answer->purchase_answer.position; /* the first field of them all */
    take_change(script_operation(script, number), answer, out);
}

/* --- what became of cards --- */

static bool is_done(const struct script *script, uint64_t number, uint64_t up_to)
{
    return number <= up_to && script->outcomes[number - 1].done;
}

bool script_merged(const struct script *script, uint64_t period, uint64_t up_to)
{
    return is_done(script, number_of(period, STEP_MERGE), up_to);
}

bool script_card(const struct script *script, uint64_t period, enum script_owner owner, uint64_t up_to,
                 char out_card[16])
{
    unsigned issued = owner == OWNER_UNKNOWN ? STEP_ISSUE_UNKNOWN : STEP_ISSUE;
    bool replaced = owner == OWNER_C && is_done(script, number_of(period, STEP_REPLACE), up_to);
    if (replaced)
        period_card(script, period, CARD_REPLACING, out_card);
    else
        owner_card(script, period, owner, out_card);
    return owner == OWNER_SHARED || owner == OWNER_LANE || is_done(script, number_of(period, issued), up_to);
}

int64_t script_waited(const struct script *script, uint64_t number, uint64_t up_to)
{
    bool waited = step_of(number) == STEP_WAITED_FOR && is_done(script, number, up_to) &&
                  is_done(script, number_of(period_of(number), STEP_WAITING), up_to);
    return waited ? script->outcomes[number - 1].earned : 0;
}
