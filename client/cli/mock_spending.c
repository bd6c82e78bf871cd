/*
 * What the mock makes of redemptions, wishes and holds, by points only; and of reversals.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/mock_parts.h"

#define FLAG_FELL_SHORT 4
#define US_PER_SECOND UINT64_C(1000000)
#define BILL_UNKNOWN (-1)

/* What is to be spent, and what comes of it. */
struct spending {
    struct mock_account *account;
    int64_t points; /* wanted; of a hold 0: all */
    int64_t bill;   /* minor units; BILL_UNKNOWN: no bound */
    bool advice;    /* it has happened: what is not there is the merchant's loss */
    bool barred;    /* the card may not spend */
    bool reward;    /* by a reward, of which the mock has none */
    int64_t made, worth, shortfall, given_back;
};

/* Of what has happened: as much as there is. */
static void take_short(const struct mock *mock, struct spending *spending, int64_t there)
{
    int64_t wanted = spending->made;
    spending->made = spending->barred || spending->reward ? 0 : wanted < there ? wanted : there;
    spending->shortfall = wanted - spending->made;
    spending->worth = spending->reward ? 0 : mock_worth(mock, wanted);
}

/* Spends points that are free. */
static enum mock_verdict spend(struct mock *mock, struct spending *spending)
{
    int64_t there = mock_available(spending->account);
    if (spending->reward && !spending->advice)
        return mock_refuse(mock, RESULT_UNKNOWN_REWARD, "the mock has no rewards");
    spending->made = mock_cut(mock, spending->points, spending->bill, &spending->worth);
    if (spending->advice) {
        take_short(mock, spending, there);
    } else if (spending->made < 1) {
        return mock_refuse(mock, RESULT_BELOW_MINIMUM, "");
    } else if (spending->made > there) {
        return mock_refuse_for(mock, RESULT_NOT_ENOUGH_POINTS, spending->made, there);
    }
    spending->account->free -= spending->made;
    return MOCK_DONE;
}

static const char *end_words(const struct mock_made *hold)
{
    static const char *const words[] = { [MOCK_HOLD_OPEN] = "its time is over",
                                         [MOCK_HOLD_CAPTURED] = "it was captured",
                                         [MOCK_HOLD_RELEASED] = "it was released",
                                         [MOCK_HOLD_TIMED_OUT] = "it timed out" };
    return words[hold->end];
}

static struct mock_change *hold_at(const struct mock *mock, uint64_t position)
{
    struct mock_change *change = mock_change_at(mock, position);
    bool hold = change != NULL && change->row != NULL && change->row->code == OPERATION_HOLD &&
                change->made.account != NULL;
    return hold ? change : NULL;
}

/* An open hold of the account; NULL and a refusal if it is none. */
static struct mock_change *hold_open(struct mock *mock, uint64_t position, const struct mock_account *account)
{
    struct mock_change *hold = hold_at(mock, position);
    if (hold == NULL)
        (void)mock_refuse(mock, RESULT_UNKNOWN_HOLD, "");
    else if (hold->made.end != MOCK_HOLD_OPEN)
        (void)mock_refuse(mock, RESULT_HOLD_ENDED, end_words(&hold->made));
    else if (account != NULL && hold->made.account != account)
        (void)mock_refuse(mock, RESULT_OTHER_ACCOUNT, "");
    else
        return hold;
    return NULL;
}

void mock_hold_end(struct mock *mock, struct mock_change *hold, enum mock_hold_end end, uint64_t by)
{
    hold->made.end = end;
    hold->made.ended = by;
    hold->made.account->held -= hold->made.points;
    hold->made.account->free += hold->made.points;
    mock->open_holds--;
}

/* A capture that comes too late, as an advice: if the hold was given back, of what is free; else of nothing. */
static void capture_late(struct mock *mock, const struct mock_change *hold, struct spending *spending)
{
    bool given_back =
        hold != NULL && (hold->made.end == MOCK_HOLD_RELEASED || hold->made.end == MOCK_HOLD_TIMED_OUT);
    int64_t wanted = spending->points == 0 && hold != NULL ? hold->made.points : spending->points;
    spending->made = mock_cut(mock, wanted, spending->bill, &spending->worth);
    take_short(mock, spending, given_back ? mock_available(spending->account) : 0);
    spending->account->free -= spending->made;
}

/* Spends what a hold has set aside, and gives the rest back. */
static enum mock_verdict capture(struct mock *mock, uint64_t position, uint64_t by, struct spending *spending)
{
    struct mock_change *hold = hold_open(mock, position, spending->account);
    if (hold == NULL && spending->advice) {
        capture_late(mock, hold_at(mock, position), spending);
        return MOCK_DONE;
    }
    if (hold == NULL)
        return MOCK_REFUSED;
    int64_t held = hold->made.points;
    int64_t wanted = spending->points == 0 ? held : spending->points;
    if (wanted > held && !spending->advice)
        return mock_refuse_for(mock, RESULT_MORE_THAN_HELD, wanted, held);
    spending->made = mock_cut(mock, wanted, spending->bill, &spending->worth);
    if (spending->made < 1 && !spending->advice)
        return mock_refuse(mock, RESULT_BELOW_MINIMUM, "");
    spending->shortfall = spending->made > held ? spending->made - held : 0;
    spending->made -= spending->shortfall;
    spending->given_back = held - spending->made;
    mock_hold_end(mock, hold, MOCK_HOLD_CAPTURED, by);
    hold->made.given = spending->made;
    hold->made.account->free -= spending->made;
    return MOCK_DONE;
}

/* --- wishes of a receipt --- */

/* Makes holds as they were that a receipt captured before it was refused. */
static void holds_again(struct mock *mock, const struct msg_purchase_request *request, uint64_t count,
                        uint64_t position)
{
    for (uint64_t i = 0; i < count; i++) {
        struct mock_change *hold = hold_at(mock, request->wishes[i].hold);
        if (hold == NULL || hold->made.end != MOCK_HOLD_CAPTURED || hold->made.ended != position)
            continue;
        hold->made.end = MOCK_HOLD_OPEN;
        hold->made.ended = 0;
        mock->open_holds++;
    }
}

enum mock_verdict mock_wishes(struct mock *mock, struct mock_change *change, struct mock_account *account,
                              const struct msg_purchase_request *request, struct msg_purchase_answer *out)
{
    struct mock_made *made = &change->made;
    const struct mock_account before = *account;
    out->spent = mock->spent;
    for (uint64_t i = 0; i < request->wishes_count; i++) {
        const struct msg_wish *wish = &request->wishes[i];
        struct spending spending = { .account = account,
                                     .points = wish->points > 0 ? wish->points : 0,
                                     .bill = (int64_t)request->amount - made->paid,
                                     .advice = (change->flags & FRAME_FLAG_ADVICE) != 0,
                                     .barred = account->status != MOCK_CARD_ACTIVE,
                                     .reward = wish->reward.size > 0 };
        enum mock_verdict verdict =
            wish->hold != 0 ? capture(mock, wish->hold, change->position, &spending) : spend(mock, &spending);
        if (verdict != MOCK_DONE) {
            holds_again(mock, request, i, change->position);
            *account = before;
            return verdict;
        }
        message_init(MESSAGE_spent, &mock->spent[i]);
        mock->spent[i].points = spending.made;
        mock->spent[i].worth = (uint64_t)spending.worth;
        mock->spent[i].shortfall = spending.shortfall;
        made->spent += spending.made;
        made->paid += spending.worth;
        out->flags |= spending.shortfall > 0 ? FLAG_FELL_SHORT : 0;
    }
    made->wishes = request->wishes_count;
    made->wished = made->spent;
    out->spent_count = request->wishes_count;
    out->redeemed = made->spent;
    out->paid = (uint64_t)made->paid;
    return MOCK_DONE;
}

/* --- redemptions and holds of their own --- */

/* What is common to them in what is kept. */
static void made_of(struct mock_change *change, const struct spending *spending,
                    const struct wire_code *store, const struct wire_code *till, uint64_t date)
{
    change->made.date = date != 0 ? date : change->made.date;
    change->made.account = spending->account;
    change->made.store = *store;
    change->made.till = *till;
    change->made.points = spending->made;
    change->made.worth = spending->worth;
}

static bool names_sale(const struct msg_redeem_request *request)
{
    return request->sale_position != 0 || request->sale_receipt.size > 0;
}

/* The purchase that a redemption names, if it names one. */
static enum mock_verdict redeemed_on(struct mock *mock, const struct msg_redeem_request *request,
                                     struct mock_change **out)
{
    struct mock_sale_name name = { .position = request->sale_position,
                                   .date = request->sale_date,
                                   .on = mock_day(mock->now_us),
                                   .store = &request->sale_store,
                                   .till = &request->sale_till,
                                   .here_store = &request->store,
                                   .here_till = &request->till,
                                   .receipt = &request->sale_receipt };
    *out = names_sale(request) ? mock_sale(mock, &name) : NULL;
    return names_sale(request) && *out == NULL ? mock_refuse(mock, RESULT_UNKNOWN_PURCHASE, "") : MOCK_DONE;
}

static enum mock_verdict sale_fits(struct mock *mock, const struct mock_change *sale,
                                   const struct mock_account *account)
{
    if (sale != NULL && sale->made.account != account)
        return mock_refuse(mock, RESULT_OTHER_ACCOUNT, "");
    if (sale != NULL && sale->made.undone != 0)
        return mock_refuse(mock, RESULT_PURCHASE_REVERSED, "");
    return MOCK_DONE;
}

static int64_t bill_of(uint64_t bill, const struct mock_change *sale)
{
    if (bill != 0)
        return (int64_t)bill;
    return sale == NULL ? BILL_UNKNOWN : sale->made.amount - sale->made.paid - sale->made.paid_later;
}

typedef struct mock_account *account_fn(struct mock *mock, const struct wire_code *card);

/* The account of who spends: as `otherwise` has it, but of an advice whatever the card is. */
static struct mock_account *spender_of(struct mock *mock, struct mock_change *change,
                                       const struct wire_code *card, account_fn *otherwise)
{
    return (change->flags & FRAME_FLAG_ADVICE) != 0
               ? mock_account_of_advice(mock, card, &change->made.suspended)
               : otherwise(mock, card);
}

enum mock_verdict mock_redeem(struct mock *mock, struct mock_change *change)
{
    const struct msg_redeem_request *request = &mock->message.redeem_request;
    struct mock_change *sale;
    if (request->points == 0 && request->reward.size == 0)
        return mock_refuse(mock, RESULT_OVER_LIMIT, "neither points nor a reward is asked for");
    if (redeemed_on(mock, request, &sale) != MOCK_DONE && (change->flags & FRAME_FLAG_ADVICE) == 0)
        return MOCK_REFUSED;
    bool advice = (change->flags & FRAME_FLAG_ADVICE) != 0;
    struct mock_account *account = spender_of(mock, change, &request->card, mock_account_to_spend);
    if (account == NULL)
        return MOCK_REFUSED;
    if (sale_fits(mock, sale, account) != MOCK_DONE) {
        if (!advice)
            return MOCK_REFUSED;
        sale = NULL; /* it has happened, whatever it was for */
    }
    struct spending spending = { .account = account,
                                 .points = (int64_t)request->points,
                                 .bill = bill_of(request->bill, sale),
                                 .advice = advice,
                                 .barred = account->status != MOCK_CARD_ACTIVE,
                                 .reward = request->reward.size > 0 };
    if (spend(mock, &spending) != MOCK_DONE)
        return MOCK_REFUSED;
    made_of(change, &spending, &request->store, &request->till, request->business_date);
    if (sale != NULL) {
        change->made.of = sale->position;
        sale->made.spent += spending.made;
        sale->made.paid_later += spending.worth;
    }
    struct msg_redeem_answer *out = &mock->answer.redeem_answer;
    message_init(MESSAGE_redeem_answer, out);
    out->redeemed = spending.made;
    out->available = mock_available(spending.account);
    out->worth = (uint64_t)spending.worth;
    out->shortfall = spending.shortfall;
    return MOCK_DONE;
}

enum mock_verdict mock_hold(struct mock *mock, struct mock_change *change)
{
    const struct msg_hold_request *request = &mock->message.hold_request;
    if (request->points == 0 && request->reward.size == 0)
        return mock_refuse(mock, RESULT_OVER_LIMIT, "neither points nor a reward is asked for");
    struct spending spending = { .account = mock_account_to_spend(mock, &request->card),
                                 .points = (int64_t)request->points,
                                 .bill = bill_of(request->bill, NULL),
                                 .reward = request->reward.size > 0 };
    if (spending.account == NULL || spend(mock, &spending) != MOCK_DONE)
        return MOCK_REFUSED;
    made_of(change, &spending, &request->store, &request->till, request->business_date);
    spending.account->held += spending.made;
    change->made.deadline =
        mock->now_us + (request->seconds != 0 ? request->seconds : MOCK_HOLD_S) * US_PER_SECOND;
    mock->open_holds++;
    struct msg_hold_answer *out = &mock->answer.hold_answer;
    message_init(MESSAGE_hold_answer, out);
    out->held = spending.made;
    out->worth = (uint64_t)spending.worth;
    out->deadline = change->made.deadline;
    out->available = mock_available(spending.account);
    return MOCK_DONE;
}

enum mock_verdict mock_capture(struct mock *mock, struct mock_change *change)
{
    const struct msg_capture_request *request = &mock->message.capture_request;
    struct spending spending = { .account = spender_of(mock, change, &request->card, mock_account_known),
                                 .points = (int64_t)request->points,
                                 .bill = bill_of(request->bill, NULL),
                                 .advice = (change->flags & FRAME_FLAG_ADVICE) != 0 };
    if (spending.account == NULL)
        return MOCK_REFUSED;
    spending.barred = spending.account->status != MOCK_CARD_ACTIVE;
    if (capture(mock, request->hold, change->position, &spending) != MOCK_DONE)
        return MOCK_REFUSED;
    made_of(change, &spending, &request->store, &request->till, request->business_date);
    change->made.of = request->hold;
    struct msg_capture_answer *out = &mock->answer.capture_answer;
    message_init(MESSAGE_capture_answer, out);
    out->redeemed = spending.made;
    out->worth = (uint64_t)spending.worth;
    out->given_back = spending.given_back;
    out->available = mock_available(spending.account);
    out->shortfall = spending.shortfall;
    return MOCK_DONE;
}

enum mock_verdict mock_release(struct mock *mock, struct mock_change *change)
{
    const struct msg_release_request *request = &mock->message.release_request;
    struct mock_account *account = request->card.size > 0 ? mock_account_known(mock, &request->card) : NULL;
    if (account == NULL && request->card.size > 0)
        return MOCK_REFUSED;
    struct mock_change *hold = hold_open(mock, request->hold, account);
    if (hold == NULL)
        return MOCK_REFUSED;
    mock_hold_end(mock, hold, MOCK_HOLD_RELEASED, change->position);
    struct mock_made *made = &change->made;
    made->account = hold->made.account;
    made->store = request->store;
    made->till = request->till;
    made->of = hold->position;
    made->date = request->business_date != 0 ? request->business_date : made->date;
    struct msg_release_answer *out = &mock->answer.release_answer;
    message_init(MESSAGE_release_answer, out);
    out->given_back = hold->made.points;
    out->available = mock_available(made->account);
    return MOCK_DONE;
}

/* --- reversals --- */

/* What undoing an original gives to its account and takes from it; *out_done: there was something to undo. */
static void undo_spent(struct mock *mock, struct mock_change *original, struct msg_reversal_answer *out,
                       bool *out_done)
{
    struct mock_made *made = &original->made;
    bool captured = original->row->code == OPERATION_CAPTURE;
    const struct mock_change *hold = captured ? hold_at(mock, made->of) : NULL;
    struct mock_change *sale = captured ? NULL : mock_change_at(mock, made->of);
    int64_t back = made->points;
    *out_done =
        back > 0 && (hold == NULL || hold->made.undone == 0) && (sale == NULL || sale->made.undone == 0);
    if (!*out_done)
        return;
    if (sale != NULL) {
        int64_t left = sale->made.spent - sale->made.spent_back;
        back = back < left ? back : left;
        sale->made.spent -= back;
        sale->made.paid_later -= made->worth;
    }
    made->account->free += back;
    out->given_back = back;
}

static void undo_hold(struct mock *mock, struct mock_change *original, uint64_t by,
                      struct msg_reversal_answer *out, bool *out_done)
{
    struct mock_made *made = &original->made;
    struct mock_change *ended = mock_change_at(mock, made->ended);
    *out_done = made->end == MOCK_HOLD_OPEN || (made->end == MOCK_HOLD_CAPTURED && ended->made.undone == 0);
    if (made->end == MOCK_HOLD_OPEN) {
        mock_hold_end(mock, original, MOCK_HOLD_RELEASED, by);
    } else if (*out_done) {
        if (ended->row->code == OPERATION_PURCHASE)
            ended->made.spent -= made->given;
        made->account->free += made->given;
        out->given_back = made->given;
    }
}

static void undo_purchase(struct mock *mock, struct mock_change *original, struct msg_reversal_answer *out)
{
    struct mock_made *made = &original->made;
    out->taken = made->points - made->returned;
    out->given_back = made->spent - made->spent_back;
    out->amount = (uint64_t)mock_goods_left(mock, original);
    made->account->lifetime -= out->taken;
    made->account->free += out->given_back - out->taken;
}

static void undo_return(struct mock *mock, struct mock_change *original, struct msg_reversal_answer *out,
                        bool *out_done)
{
    struct mock_made *made = &original->made;
    const struct mock_change *sale = mock_change_at(mock, made->of);
    *out_done = sale == NULL || sale->made.undone == 0;
    if (!*out_done)
        return;
    out->given_back = made->points;
    out->taken = made->given;
    if (sale != NULL) {
        mock_return_undo(mock, original);
    } else {
        made->account->free += made->points;
        made->account->lifetime += made->points;
    }
}

static bool undo(struct mock *mock, struct mock_change *original, uint64_t by,
                 struct msg_reversal_answer *out)
{
    bool done = true;
    if (original->made.account == NULL) /* a return that waits, or an answer of a rule */
        return original->row->code == OPERATION_RETURN && !original->forced;
    switch ((int)original->row->code) {
    case OPERATION_PURCHASE:
        undo_purchase(mock, original, out);
        break;
    case OPERATION_RETURN:
    case OPERATION_UNLINKED_RETURN:
        undo_return(mock, original, out, &done);
        break;
    case OPERATION_HOLD:
        undo_hold(mock, original, by, out, &done);
        break;
    default:
        undo_spent(mock, original, out, &done);
        break;
    }
    return done;
}

static bool can_be_reversed(const struct mock_change *original)
{
    switch ((int)original->row->code) {
    case OPERATION_PURCHASE:
    case OPERATION_RETURN:
    case OPERATION_UNLINKED_RETURN:
    case OPERATION_REDEEM:
    case OPERATION_HOLD:
    case OPERATION_CAPTURE:
        return true;
    default:
        return false;
    }
}

/* Whether the original is what the till thinks it was. */
static bool matches(const struct mock_change *original, const struct msg_reversal_request *request)
{
    const struct mock_made *made = &original->made;
    bool goods = original->row->code == OPERATION_PURCHASE || original->row->code == OPERATION_RETURN ||
                 original->row->code == OPERATION_UNLINKED_RETURN;
    if (made->account == NULL)
        return true;
    if (request->amount >= 0 && request->amount != (goods ? made->amount : made->worth))
        return false;
    return request->card.size == 0 || wire_code_equal(&request->card, &made->account->card);
}

/* Never seen, or passed over. */
static enum mock_verdict reverse_unseen(struct mock *mock, struct mock_change *change,
                                        const struct msg_reversal_request *request)
{
    char name[MOCK_NAME_SIZE];
    uint64_t highest = 0;
    (void)mock_index_get(mock, mock_name('l', request->epoch, 0, name), &highest);
    mock->answer.reversal_answer.outcome = request->number <= highest ? 2 : 3;
    if (request->number <= highest)
        return MOCK_DONE;
    (void)mock_name('t', request->epoch, request->number, name);
    if (mock_index_get(mock, name, &change->first))
        return MOCK_TIED;
    mock_index_set(mock, name, change->position);
    return MOCK_DONE;
}

static enum mock_verdict reverse(struct mock *mock, struct mock_change *change, struct mock_change *original,
                                 const struct msg_reversal_request *request)
{
    struct msg_reversal_answer *out = &mock->answer.reversal_answer;
    out->outcome = 2;
    if ((original->answer_type & FRAME_TYPE_DONE) == 0)
        return MOCK_DONE;
    if (original->made.undone != 0) {
        change->first = original->made.undone;
        return MOCK_TIED;
    }
    if (!can_be_reversed(original))
        return mock_refuse(mock, RESULT_CANNOT_BE_REVERSED, original->row->name);
    if (!matches(original, request))
        return mock_refuse(mock, RESULT_DOES_NOT_MATCH, "");
    if (undo(mock, original, change->position, out)) {
        out->outcome = 1;
        original->made.undone = change->position;
        if (original->made.document != NULL)
            (void)json_object_del(mock->index, original->made.document);
    }
    struct mock_made *made = &change->made;
    made->account = original->made.account;
    made->of = original->position;
    made->points = out->taken;
    made->given = out->given_back;
    if (out->outcome == 1 && made->account != NULL) {
        out->available = mock_available(made->account);
        out->debt = mock_debt(made->account);
    }
    return MOCK_DONE;
}

enum mock_verdict mock_reversal(struct mock *mock, struct mock_change *change)
{
    const struct msg_reversal_request *request = &mock->message.reversal_request;
    if (request->number == 0 || request->epoch == 0 ||
        (request->epoch == change->epoch && request->number == change->number))
        return mock_refuse(mock, RESULT_DOES_NOT_MATCH, "that is no earlier request");
    message_init(MESSAGE_reversal_answer, &mock->answer.reversal_answer);
    change->made.store = request->store;
    change->made.till = request->till;
    if (request->business_date != 0)
        change->made.date = request->business_date;
    struct mock_change *original = mock_change_named(mock, request->epoch, request->number);
    if (original != NULL && original->first != 0)
        original = mock_change_at(mock, original->first);
    return original == NULL ? reverse_unseen(mock, change, request)
                            : reverse(mock, change, original, request);
}
