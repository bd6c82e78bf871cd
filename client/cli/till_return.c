/*
 * Goods that come back. What a receipt of this till sold is read from the outbox, which remembers it.
 */
#include <inttypes.h>
#include <string.h>

#include "cli/parse.h"
#include "cli/request.h"
#include "cli/till.h"

/* The purchase with this receipt number, if it is remembered: the last one that was not refused. Its body is the
 * caller's, to be given to reply_done. */
static const struct msg_purchase_request *find_sale(struct till *till, const char *receipt, struct reply *out)
{
    struct punkt_outbox_entry entry = { .size = sizeof(entry) };
    *out = (struct reply){ .body = NULL };
    for (uint64_t i = 0; punkt_outbox_entry(till->cli->punkt, i, &entry); i++) {
        struct reply sale;
        if (entry.operation != PUNKT_OPERATION_PURCHASE || entry.body == NULL ||
            entry.state == PUNKT_OUTBOX_REFUSED ||
            !reply_read(MESSAGE_purchase_request, entry.body, entry.body_size, &sale))
            continue;
        const struct msg_purchase_request *body = sale.body;
        if (body->receipt.size == strlen(receipt) &&
            memcmp(body->receipt.bytes, receipt, body->receipt.size) == 0) {
            reply_done(out);
            *out = sale;
        } else {
            reply_done(&sale);
        }
    }
    return out->body;
}

/* The lines that come back: all of the sale, or one by its number or article. */
static int read_lines(struct till *till, const struct words *words, const struct msg_purchase_request *sale,
                      struct punkt_return_line *lines, size_t *out_count)
{
    uint64_t number = 0;
    *out_count = 0;
    if (words->count == 1) {
        if (sale == NULL)
            return till_fail(till, CLI_NOT_FOUND,
                             "this till does not remember receipt %s: say which line of it", words->word[0]);
        for (uint64_t i = 0; i < sale->lines_count && i < TILL_LINES_MAX; i++) {
            if (sale->lines[i].kind != PUNKT_LINE_DISCOUNT && sale->lines[i].kind != PUNKT_LINE_REWARD)
                lines[(*out_count)++] =
                    (struct punkt_return_line){ .size = sizeof(lines[0]), .number = (uint32_t)i + 1 };
        }
        return CLI_OK;
    }
    if (!parse_uint(words->word[1], 1, PUNKT_LINES_MAX, &number) && strlen(words->word[1]) >= TILL_CODE_SIZE)
        return till_fail(till, CLI_USAGE, "\"%s\" is no line", words->word[1]);
    lines[0] = (struct punkt_return_line){
        .size = sizeof(lines[0]),
        .number = (uint32_t)number,
        .code = number == 0 ? words->word[1] : NULL,
    };
    if (words->count > 2 && (!parse_quantity(words->word[2], &lines[0].quantity) || lines[0].quantity == 0))
        return till_fail(till, CLI_USAGE, "\"%s\" is no quantity with up to three decimals", words->word[2]);
    *out_count = 1;
    return CLI_OK;
}

/* What is paid out for the lines, by the prices of the sale: where the server cannot say. */
static int64_t worth_of(const struct msg_purchase_request *sale, const struct punkt_return_line *lines,
                        size_t count)
{
    int64_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        for (uint64_t j = 0; j < sale->lines_count; j++) {
            const struct msg_line *line = &sale->lines[j];
            bool same = lines[i].number != 0
                            ? lines[i].number == j + 1
                            : line->code.size == strlen(lines[i].code) &&
                                  memcmp(line->code.bytes, lines[i].code, line->code.size) == 0;
            if (!same)
                continue;
            int64_t share = line->amount;
            if (lines[i].quantity != 0 && lines[i].quantity < line->quantity &&
                !__builtin_mul_overflow(line->amount, (int64_t)lines[i].quantity, &share))
                share /= (int64_t)line->quantity;
            sum += share;
            break;
        }
    }
    return sum;
}

static void print_return(struct till *till, const char *document, const char *receipt, const int64_t *amount,
                         const struct punkt_return_answer *answer)
{
    char text[POINTS_TEXT_SIZE];
    char title[96];
    till_print_rule(till);
    (void)snprintf(title, sizeof(title), "RETURN %s of receipt %s", document, receipt);
    till_print_middle(till, title);
    if (amount != NULL)
        till_print_pair(till, "paid out", till_amount(till, *amount, text));
    if (answer->head.call == PUNKT_CALL_QUEUED) {
        /* The programme's words for what is queued are those of a sale. */
        till_print_middle(till, "The points will be taken later.");
    } else if (answer->text_count > 0) {
        till_print_lines(till, answer->text, answer->text_count);
    } else {
        till_print_pair(till, "points taken", till_points(till, answer->taken, text));
        if (answer->given_back != 0)
            till_print_pair(till, "points given back", till_points(till, answer->given_back, text));
        till_print_pair(till, "points", till_points(till, answer->available, text));
    }
    till_print_rule(till);
}

static int send(struct till *till, const struct words *words, const struct msg_purchase_request *sale,
                const struct punkt_return_line *lines, size_t line_count)
{
    struct punkt_return_answer answer = PUNKT_ANSWER_INIT(answer);
    char card[TILL_CODE_SIZE] = "";
    char document[TILL_NUMBER_SIZE];
    if (sale != NULL)
        memcpy(card, sale->card.bytes, sale->card.size);
    else
        memcpy(card, till->sale.card, sizeof(card));
    if (card[0] == '\0')
        return till_fail(till, CLI_USAGE, "whose? card NUMBER says");
    int exit_code = till_number(till, document);
    if (exit_code != CLI_OK)
        return exit_code;
    struct punkt_return_request request = {
        .size = sizeof(request),
        .card = card,
        .sale_receipt = words->word[0],
        .document = document,
        .operator_ = till->operator_,
        .lines = lines,
        .line_count = line_count,
    };
    (void)punkt_return(till->cli->punkt, &request, &answer);
    exit_code = till_check(till, &answer.head, true);
    if (exit_code != CLI_OK)
        return exit_code;
    int64_t amount = sale != NULL ? worth_of(sale, lines, line_count) : 0;
    if (answer.head.call == PUNKT_CALL_DONE)
        amount = answer.amount;
    print_return(till, document, words->word[0],
                 sale != NULL || answer.head.call == PUNKT_CALL_DONE ? &amount : NULL, &answer);
    return CLI_OK;
}

int till_take_back(struct till *till, const struct words *words)
{
    struct punkt_return_line lines[TILL_LINES_MAX];
    struct reply remembered;
    size_t count;
    const struct msg_purchase_request *sale = find_sale(till, words->word[0], &remembered);
    int exit_code = read_lines(till, words, sale, lines, &count);
    if (exit_code == CLI_OK)
        exit_code = send(till, words, sale, lines, count);
    reply_done(&remembered);
    return exit_code;
}
