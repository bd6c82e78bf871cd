/*
 * What comes out of the register's printer.
 */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "cli/parse.h"
#include "cli/till.h"

#define WIDTH_MAX 80

/* Columns of a UTF-8 text: its bytes but those that go on a character. */
static size_t columns(const char *text)
{
    size_t count = 0;
    for (; *text != '\0'; text++)
        count += ((unsigned char)*text & 0xC0) != 0x80;
    return count;
}

void till_print_pair(struct till *till, const char *left, const char *right)
{
    size_t used = columns(left) + columns(right);
    size_t gap = used + 1 < till->width ? till->width - used : 1;
    till_say(till, "%s%*s%s\n", left, (int)gap, "", right);
}

void till_print_rule(struct till *till)
{
    char rule[WIDTH_MAX + 1];
    memset(rule, '-', sizeof(rule) - 1);
    rule[till->width < WIDTH_MAX ? till->width : WIDTH_MAX] = '\0';
    till_say(till, "%s\n", rule);
}

void till_print_middle(struct till *till, const char *text)
{
    size_t used = columns(text);
    till_say(till, "%*s%s\n", used < till->width ? (int)(till->width - used) / 2 : 0, "", text);
}

const char *till_quantity(uint64_t thousandths, char out[POINTS_TEXT_SIZE])
{
    char number[DECIMAL_TEXT_SIZE];
    out[0] = '\0';
    if (thousandths == 1000)
        return out;
    decimal_text((int64_t)thousandths, 3, number);
    char *point = strchr(number, '.');
    if (point != NULL && strcmp(point, ".000") == 0)
        *point = '\0';
    (void)snprintf(out, POINTS_TEXT_SIZE, "%.28s x", number);
    return out;
}

static void print_lines(struct till *till)
{
    const struct till_sale *sale = &till->sale;
    for (size_t i = 0; i < sale->line_count; i++) {
        char quantity[POINTS_TEXT_SIZE];
        char amount[POINTS_TEXT_SIZE];
        char left[TILL_CODE_SIZE + POINTS_TEXT_SIZE + 2];
        (void)till_quantity(sale->lines[i].quantity, quantity);
        (void)snprintf(left, sizeof(left), "%s%s%s", quantity, quantity[0] != '\0' ? " " : "",
                       sale->lines[i].code);
        till_print_pair(till, left, till_amount(till, sale->lines[i].amount, amount));
    }
}

/* The card as it may be read by whoever finds the receipt: its first six and last two digits. */
static void print_card(struct till *till)
{
    char masked[TILL_CODE_SIZE];
    size_t size = strlen(till->sale.card);
    memcpy(masked, till->sale.card, sizeof(masked));
    for (size_t i = 6; i + 2 < size; i++)
        masked[i] = '*';
    till_print_pair(till, "card", masked);
}

void till_print_lines(struct till *till, const char *const *lines, size_t count)
{
    for (size_t i = 0; i < count; i++)
        till_say(till, "%s\n", lines[i]);
}

/* In the programme's words, if it has some for receipts. */
static void print_points(struct till *till, const struct punkt_purchase_answer *answer)
{
    char text[POINTS_TEXT_SIZE];
    print_card(till);
    till_print_lines(till, answer->text, answer->text_count);
    if (answer->text_count > 0)
        return;
    if (answer->head.call == PUNKT_CALL_QUEUED) {
        till_print_middle(till, "The points will be booked later.");
        return;
    }
    till_print_pair(till, "points of this receipt", till_points(till, answer->earned, text));
    if (answer->pending != 0)
        till_print_pair(till, "points pending", till_points(till, answer->pending, text));
    till_print_pair(till, "points", till_points(till, answer->available, text));
    for (size_t i = 0; i < answer->spent_count; i++) {
        if (answer->spent[i]->voucher[0] != '\0')
            till_print_pair(till, "voucher", answer->spent[i]->voucher);
    }
}

/* Where, when, and which receipt. */
static void print_head(struct till *till)
{
    char text[160];
    char now[TIME_TEXT_SIZE];
    struct timespec clock;
    (void)clock_gettime(CLOCK_REALTIME, &clock);
    time_text((uint64_t)clock.tv_sec * 1000000, false, now);
    now[16] = '\0'; /* without the seconds */
    till_print_rule(till);
    (void)snprintf(text, sizeof(text), "STORE %s  TILL %s", till->store, till->name);
    till_print_middle(till, text);
    (void)snprintf(text, sizeof(text), "receipt %s", till->sale.number);
    till_print_pair(till, text, now);
    till_print_rule(till);
}

static void print_payment(struct till *till, int64_t points_pay)
{
    const struct till_sale *sale = &till->sale;
    char amount[POINTS_TEXT_SIZE];
    char left[64];
    (void)snprintf(left, sizeof(left), "TOTAL %s", till->cli->info.currency);
    till_print_pair(till, left, till_amount(till, sale->total, amount));
    if (points_pay != 0)
        till_print_pair(till, "paid with points", till_amount(till, points_pay, amount));
    for (size_t i = 0; i < sale->tender_count; i++) {
        bool last = i + 1 == sale->tender_count;
        till_print_pair(till, sale->tenders[i].kind,
                        till_amount(till, sale->tenders[i].amount + (last ? sale->change : 0), amount));
    }
    if (sale->change != 0)
        till_print_pair(till, "change", till_amount(till, sale->change, amount));
}

void till_print_receipt(struct till *till, const struct till_outcome *outcome)
{
    print_head(till);
    print_lines(till);
    till_print_rule(till);
    print_payment(till, outcome->answer != NULL ? outcome->answer->paid : 0);
    till_print_rule(till);
    if (outcome->not_stored != NULL) {
        till_print_middle(till, "No points for this receipt:");
        till_print_middle(till, outcome->not_stored);
    } else if (outcome->answer != NULL) {
        print_points(till, outcome->answer);
    } else {
        till_print_middle(till, "No card, no points.");
    }
    till_print_rule(till);
}
