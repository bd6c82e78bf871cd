/*
 * A receipt is paid, booked and printed; the last one is undone.
 */
#include <string.h>

#include "cli/parse.h"
#include "cli/pin.h"
#include "cli/till.h"

/* Ends the receipt: it is on paper. */
static void finish(struct till *till, const struct till_outcome *outcome)
{
    const struct punkt_answer *head = outcome->answer != NULL ? &outcome->answer->head : NULL;
    till_print_receipt(till, outcome);
    till->last_epoch = head != NULL ? head->epoch : 0;
    till->last_change = head != NULL ? head->number : 0;
    memcpy(till->last_receipt, till->sale.number, sizeof(till->last_receipt));
    till_sale_reset(till);
}

/* What was tendered is forgotten: the customer has not paid yet. */
static int unpaid(struct till *till, int exit_code)
{
    till->sale.tender_count = 0;
    till->sale.tendered = 0;
    till->sale.change = 0;
    return exit_code;
}

static enum punkt_call book(struct till *till, struct pin *pin, struct punkt_purchase_answer *answer)
{
    const struct till_sale *sale = &till->sale;
    struct till_lists lists;
    till_lists_fill(sale, true, &lists);
    struct punkt_purchase_request request = {
        .size = sizeof(request),
        .card = sale->card,
        .amount = sale->total,
        .receipt = sale->number,
        .operator_ = till->operator_,
        .lines = lists.lines,
        .line_count = sale->line_count,
        .tenders = lists.tenders,
        .tender_count = sale->tender_count,
        .coupons = lists.coupons,
        .coupon_count = sale->coupon_count,
        .wishes = lists.wishes,
        .wish_count = lists.wish_count,
        .pin = pin->text[0] != '\0' ? pin->text : NULL,
    };
    return punkt_purchase(till->cli->punkt, &request, answer);
}

static int book_and_print(struct till *till)
{
    struct punkt_purchase_answer answer = PUNKT_ANSWER_INIT(answer);
    struct till_outcome outcome = { .answer = &answer };
    struct pin pin = { .text = "" };
    enum punkt_call call = book(till, &pin, &answer);
    if (call == PUNKT_CALL_REFUSED && answer.head.code == PUNKT_RESULT_PIN_NEEDED && pin_askable(till->cli) &&
        pin_ask(till->cli, false, &pin) == CLI_OK)
        call = book(till, &pin, &answer);
    pin_wipe(&pin);
    if (call == PUNKT_CALL_REFUSED && answer.head.code == PUNKT_RESULT_RECEIPT_USED)
        till->sale.number[0] = '\0'; /* an outbox that was lost: the next number is a new one */
    if (call == PUNKT_CALL_NOT_STORED) {
        outcome = (struct till_outcome){ .not_stored = answer.head.detail };
        finish(till, &outcome);
        return CLI_OK;
    }
    int exit_code = till_check(till, &answer.head, true);
    if (exit_code != CLI_OK) {
        till_say(till, "The receipt is still open; %s sells it without points.\n",
                 till->sale.wish_count > 0 ? "redeem off, or card none," : "card none");
        return unpaid(till, exit_code);
    }
    finish(till, &outcome);
    return CLI_OK;
}

/* One tender: its kind and, unless it pays the rest, its amount. */
static int read_tender(struct till *till, const struct words *words, int64_t due, struct till_tender *out,
                       int64_t *out_given)
{
    const char *kind = words->count > 0 ? words->word[0] : "cash";
    const char *text = words->count > 1 ? words->word[1] : NULL;
    *out_given = due;
    /* "pay 20.00" is cash. */
    if (words->count == 1 && kind[0] >= '0' && kind[0] <= '9') {
        text = kind;
        kind = "cash";
    }
    if (text != NULL &&
        (!parse_amount(text, till->cli->info.currency_exponent, out_given) || *out_given <= 0))
        return till_fail(till, CLI_USAGE, "\"%s\" is no amount", text);
    if (strlen(kind) >= sizeof(out->kind))
        return till_fail(till, CLI_USAGE, "\"%s\" is no kind of payment", kind);
    memcpy(out->kind, kind, strlen(kind) + 1);
    if (*out_given > due && strcmp(kind, "cash") != 0)
        return till_fail(till, CLI_USAGE, "change is given on cash only");
    out->amount = *out_given < due ? *out_given : due;
    return CLI_OK;
}

int till_pay(struct till *till, const struct words *words)
{
    struct till_sale *sale = &till->sale;
    struct till_tender tender = { .amount = 0 };
    char amount[POINTS_TEXT_SIZE];
    int64_t points_pay;
    int64_t given;
    if (sale->line_count == 0)
        return till_fail(till, CLI_USAGE, "the receipt is empty");
    int64_t due = till_due(till, &points_pay);
    int exit_code = due > 0 ? read_tender(till, words, due, &tender, &given) : CLI_OK;
    if (exit_code != CLI_OK)
        return exit_code;
    if (tender.amount > 0 && sale->tender_count == TILL_TENDERS_MAX)
        return till_fail(till, CLI_USAGE, "that are more than %d payments", TILL_TENDERS_MAX);
    if (tender.amount > 0) {
        sale->tenders[sale->tender_count++] = tender;
        sale->tendered += tender.amount;
        sale->change = given - tender.amount;
    }
    if (due > tender.amount) {
        till_say(till, "%s %s to pay\n", till_amount(till, due - tender.amount, amount),
                 till->cli->info.currency);
        return CLI_OK;
    }
    if (sale->number[0] == '\0')
        exit_code = till_number(till, sale->number);
    if (exit_code != CLI_OK)
        return unpaid(till, exit_code);
    if (sale->card[0] != '\0')
        return book_and_print(till);
    finish(till, &(struct till_outcome){ .answer = NULL });
    return CLI_OK;
}

int till_void(struct till *till, const struct words *words)
{
    struct punkt_reversal_answer answer = PUNKT_ANSWER_INIT(answer);
    char taken[POINTS_TEXT_SIZE];
    char available[POINTS_TEXT_SIZE];
    (void)words;
    if (till->last_change == 0)
        return till_fail(till, CLI_USAGE, "there is no receipt of this run to undo");
    (void)punkt_cancel(till->cli->punkt, till->last_epoch, till->last_change, 0, &answer);
    int exit_code = till_check(till, &answer.head, true);
    if (exit_code != CLI_OK)
        return exit_code;
    till->last_change = 0;
    if (answer.head.call == PUNKT_CALL_QUEUED)
        till_say(till, "Receipt %s will be undone when the server is back.\n", till->last_receipt);
    else if (answer.outcome == PUNKT_REVERSAL_REVERSED)
        till_say(till, "Receipt %s is undone: %s points taken, %s can be spent.\n", till->last_receipt,
                 till_points(till, answer.taken, taken), till_points(till, answer.available, available));
    else
        till_say(till, "Receipt %s is undone; nothing was booked.\n", till->last_receipt);
    return CLI_OK;
}
