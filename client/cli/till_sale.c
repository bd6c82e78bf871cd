/*
 * The receipt that is being made.
 */
#include <string.h>

#include "cli/parse.h"
#include "cli/till.h"
#include "proto/message.h"

void till_sale_reset(struct till *till)
{
    till->sale = (struct till_sale){ .line_count = 0 };
}

/* A code of the wire: 1 to 32 bytes of text. */
static bool take_code(const char *text, char out[TILL_CODE_SIZE])
{
    size_t size = strlen(text);
    struct wire_code code;
    if (size == 0 || size >= TILL_CODE_SIZE || !wire_code_from(text, size, &code))
        return false;
    memcpy(out, text, size + 1);
    return true;
}

int till_card(struct till *till, const struct words *words)
{
    char card[TILL_CODE_SIZE];
    if (strcmp(words->word[0], "none") == 0) {
        till->sale.card[0] = '\0';
        till->sale.wish_count = 0;
        return CLI_OK;
    }
    if (!punkt_card_from_scan(words->word[0], card) ||
        !punkt_card_valid(card, (enum punkt_card_check)till->cli->info.card_check))
        return till_fail(till, CLI_REFUSED, "\"%s\" is no card number, or its check digit is wrong",
                         words->word[0]);
    memcpy(till->sale.card, card, sizeof(card));
    return CLI_OK;
}

/* What stands behind article and price: x QUANTITY, category C, deposit, voucher. */
static int read_rest(struct till *till, const struct words *words, struct till_line *line)
{
    for (size_t i = 2; i < words->count; i++) {
        const char *word = words->word[i];
        const char *next = i + 1 < words->count ? words->word[i + 1] : "";
        if (strcmp(word, "deposit") == 0) {
            line->kind = PUNKT_LINE_DEPOSIT;
        } else if (strcmp(word, "voucher") == 0) {
            line->kind = PUNKT_LINE_STORED_VALUE;
        } else if (strcmp(word, "x") == 0) {
            if (!parse_quantity(next, &line->quantity) || line->quantity == 0)
                return till_fail(till, CLI_USAGE, "\"%s\" is no quantity with up to three decimals", next);
            i++;
        } else if (strcmp(word, "category") == 0) {
            if (!take_code(next, line->category))
                return till_fail(till, CLI_USAGE, "\"%s\" is no category", next);
            i++;
        } else {
            return till_fail(till, CLI_USAGE,
                             "behind the price stands x QUANTITY, category C, deposit or voucher");
        }
    }
    return CLI_OK;
}

int till_unpaid(struct till *till)
{
    return till->sale.tendered == 0
               ? CLI_OK
               : till_fail(till, CLI_USAGE,
                           "a part is paid: the receipt costs no less now; pay the rest, or clear it");
}

int till_add(struct till *till, const struct words *words)
{
    struct till_sale *sale = &till->sale;
    struct till_line line = { .quantity = 1000, .kind = PUNKT_LINE_SALE };
    struct parse_decimal price;
    const char *text = words->word[1];
    char amount[POINTS_TEXT_SIZE];
    unsigned exponent = till->cli->info.currency_exponent;
    int64_t single;
    if (sale->line_count == TILL_LINES_MAX)
        return till_fail(till, CLI_FAILED, "a receipt of this register has %d lines at most", TILL_LINES_MAX);
    if (!take_code(words->word[0], line.code))
        return till_fail(till, CLI_USAGE, "\"%s\" is no article", words->word[0]);
    if (!parse_decimal(text, strlen(text), &price) || !parse_amount(text, exponent, &single))
        return till_fail(till, CLI_USAGE, "\"%s\" is no price with %u decimals", text, exponent);
    int exit_code = read_rest(till, words, &line);
    if (exit_code != CLI_OK)
        return exit_code;
    struct parse_decimal quantity = { .units = (int64_t)line.quantity, .decimals = 3 };
    if (!parse_product(quantity, price, exponent, MESSAGE_AMOUNT_MAX, &line.amount) ||
        line.amount + sale->total > MESSAGE_AMOUNT_MAX)
        return till_fail(till, CLI_USAGE, "that is more than a receipt may cost");
    exit_code = line.amount < 0 ? till_unpaid(till) : CLI_OK;
    if (exit_code != CLI_OK)
        return exit_code;
    if (line.amount < 0 && line.kind == PUNKT_LINE_SALE)
        line.kind = PUNKT_LINE_DISCOUNT;
    if (line.amount < 0 && line.kind != PUNKT_LINE_DISCOUNT)
        return till_fail(till, CLI_USAGE, "below zero is a discount, nothing else");
    if (line.amount + sale->total < 0)
        return till_fail(till, CLI_USAGE,
                         "the receipt would be below zero; goods that come back are taken back");
    sale->lines[sale->line_count++] = line;
    sale->total += line.amount;
    till_say(till, "%zu: %s  %s\n", sale->line_count, line.code, till_amount(till, line.amount, amount));
    return CLI_OK;
}

int till_remove(struct till *till, const struct words *words)
{
    struct till_sale *sale = &till->sale;
    uint64_t number;
    if (!parse_uint(words->word[0], 1, sale->line_count, &number))
        return till_fail(till, CLI_USAGE, "\"%s\" is no line of this receipt", words->word[0]);
    struct till_line *line = &sale->lines[number - 1];
    int exit_code = till_unpaid(till);
    if (exit_code != CLI_OK)
        return exit_code;
    if (sale->total - line->amount < 0)
        return till_fail(till, CLI_USAGE, "without it the receipt is below zero: remove the discount first");
    sale->total -= line->amount;
    sale->line_count--;
    memmove(line, line + 1, (sale->line_count - (number - 1)) * sizeof(*line));
    return CLI_OK;
}

int till_coupon(struct till *till, const struct words *words)
{
    struct till_sale *sale = &till->sale;
    if (sale->coupon_count == TILL_COUPONS_MAX ||
        !take_code(words->word[0], sale->coupons[sale->coupon_count]))
        return till_fail(till, CLI_USAGE, "\"%s\" is no coupon, or there are %d of them", words->word[0],
                         TILL_COUPONS_MAX);
    sale->coupon_count++;
    return CLI_OK;
}

int till_clear(struct till *till, const struct words *words)
{
    (void)words;
    till_sale_reset(till);
    return CLI_OK;
}

void till_lists_fill(const struct till_sale *sale, bool captures, struct till_lists *out)
{
    for (size_t i = 0; i < sale->line_count; i++) {
        const struct till_line *line = &sale->lines[i];
        out->lines[i] = (struct punkt_line){
            .size = sizeof(out->lines[i]),
            .code = line->code,
            .amount = line->amount,
            .quantity = line->quantity,
            .category = line->category,
            .kind = line->kind,
        };
    }
    for (size_t i = 0; i < sale->tender_count; i++)
        out->tenders[i] = (struct punkt_tender){ .size = sizeof(out->tenders[i]),
                                                 .kind = sale->tenders[i].kind,
                                                 .amount = sale->tenders[i].amount };
    for (size_t i = 0; i < sale->coupon_count; i++)
        out->coupons[i] = sale->coupons[i];
    out->wish_count = 0;
    for (size_t i = 0; i < sale->wish_count; i++) {
        const struct till_wish *wish = &sale->wishes[i];
        if (wish->hold == 0 || captures)
            out->wishes[out->wish_count++] = (struct punkt_wish){ .size = sizeof(out->wishes[0]),
                                                                  .points = wish->points,
                                                                  .reward = wish->reward,
                                                                  .hold = wish->hold };
    }
}

static enum punkt_call quote(struct till *till, struct punkt_quote_answer *answer)
{
    const struct till_sale *sale = &till->sale;
    struct till_lists lists;
    till_lists_fill(sale, false, &lists);
    struct punkt_quote_request request = {
        .size = sizeof(request),
        .card = sale->card[0] != '\0' ? sale->card : NULL,
        .amount = sale->total,
        .operator_ = till->operator_,
        .lines = lists.lines,
        .line_count = sale->line_count,
        .tenders = lists.tenders,
        .tender_count = sale->tender_count,
        .coupons = lists.coupons,
        .coupon_count = sale->coupon_count,
        .wishes = lists.wishes,
        .wish_count = lists.wish_count,
    };
    return punkt_quote(till->cli->punkt, &request, answer);
}

/* What points pay by what the server has told of their worth: for captures, which a quote does not know, or for all of
 * them where it cannot be asked. */
static int64_t worth_of_wishes(const struct till *till, bool captures_only)
{
    int64_t points = 0;
    for (size_t i = 0; i < till->sale.wish_count; i++) {
        const struct till_wish *wish = &till->sale.wishes[i];
        points += wish->reward[0] == '\0' && (wish->hold != 0 || !captures_only) ? wish->points : 0;
    }
    return points_worth(till->cli, points);
}

int64_t till_due(struct till *till, int64_t *out_points_pay)
{
    struct punkt_quote_answer answer = PUNKT_ANSWER_INIT(answer);
    int64_t pay = 0;
    if (till->sale.wish_count > 0)
        pay = quote(till, &answer) == PUNKT_CALL_DONE ? answer.paid + worth_of_wishes(till, true)
                                                      : worth_of_wishes(till, false);
    *out_points_pay = pay < till->sale.total ? pay : till->sale.total;
    return till->sale.total - *out_points_pay - till->sale.tendered;
}

int till_show(struct till *till, const struct words *words)
{
    const struct till_sale *sale = &till->sale;
    char amount[POINTS_TEXT_SIZE];
    char quantity[POINTS_TEXT_SIZE];
    char points[POINTS_TEXT_SIZE];
    (void)words;
    for (size_t i = 0; i < sale->line_count; i++) {
        const struct till_line *line = &sale->lines[i];
        till_say(till, "%3zu  %-20s %8s %10s\n", i + 1, line->code, till_quantity(line->quantity, quantity),
                 till_amount(till, line->amount, amount));
    }
    for (size_t i = 0; i < sale->wish_count; i++) {
        const struct till_wish *wish = &sale->wishes[i];
        if (wish->reward[0] != '\0')
            till_say(till, "     redeem \"%s\"\n", wish->reward);
        else if (wish->hold != 0)
            till_say(till, "     capture %llu\n", (unsigned long long)wish->hold);
        else
            till_say(till, "     redeem %s points\n", till_points(till, wish->points, points));
    }
    till_say(till, "     total %s\n", till_amount(till, sale->total, amount));
    return CLI_OK;
}

int till_quote(struct till *till, const struct words *words)
{
    struct punkt_quote_answer answer = PUNKT_ANSWER_INIT(answer);
    char amount[POINTS_TEXT_SIZE];
    char points[POINTS_TEXT_SIZE];
    (void)words;
    if (till->sale.line_count == 0)
        return till_fail(till, CLI_USAGE, "the receipt is empty");
    enum punkt_call call = quote(till, &answer);
    if (call == PUNKT_CALL_NOT_SENT || call == PUNKT_CALL_UNKNOWN) {
        till_say(till, "Total %s %s. The server is away: what it earns is not known yet.\n",
                 till_amount(till, till->sale.total, amount), till->cli->info.currency);
        return CLI_OK;
    }
    int exit_code = till_check(till, &answer.head, false);
    if (exit_code != CLI_OK)
        return exit_code;
    till_say(till, "Total %s %s. ", till_amount(till, till->sale.total, amount), till->cli->info.currency);
    if (answer.redeemed > 0 || answer.paid > 0)
        till_say(till, "%s points pay %s. ", till_points(till, answer.redeemed, points),
                 till_amount(till, answer.paid, amount));
    till_say(till, "It would earn %s points.\n", till_points(till, answer.earned, points));
    return CLI_OK;
}
