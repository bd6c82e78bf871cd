/*
 * What the mock makes of receipts and of goods that come back: a point for each whole unit of the currency that the
 * sale lines come to, less discounts and what was paid with points; a return takes what the rest would not have earned
 * (DOMAIN.md, Returning goods).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/mock_parts.h"
#include "cli/parse.h"

#define LINE_SALE 0
#define LINE_DISCOUNT 1
#define LINE_REWARD 2

#define FLAG_SERVER_TIME 1
#define FLAG_SUSPENSE 2
#define FLAG_WAITS 2

/* --- the lines of a receipt --- */

/* The lines of a receipt as they are rated; one without lines is one of its amount. */
struct lines {
    const struct msg_purchase_request *receipt;
    struct msg_line whole;
    int64_t off;  /* money that discounts, rewards, and maybe points took off */
    int64_t sold; /* what the sale lines come to before */
    int64_t seen, given;
};

static size_t line_count(const struct msg_purchase_request *receipt)
{
    return receipt->lines_count > 0 ? receipt->lines_count : 1;
}

static struct msg_line line_of(const struct msg_purchase_request *receipt, size_t index)
{
    return receipt->lines_count > 0
               ? receipt->lines[index]
               : (struct msg_line){ .amount = (int64_t)receipt->amount, .quantity = 1000 };
}

static int64_t units_of(const struct msg_line *line)
{
    return line->quantity > 0 ? (int64_t)line->quantity : 1000;
}

/* Goods, or a reward that is a thing: it can come back. */
static bool comes_back(const struct msg_line *line)
{
    return line->kind != LINE_DISCOUNT && (line->kind != LINE_REWARD || line->amount == 0);
}

static struct lines lines_begin(const struct msg_purchase_request *receipt, int64_t paid)
{
    struct lines lines = { .receipt = receipt, .off = paid };
    for (size_t i = 0; i < line_count(receipt); i++) {
        struct msg_line line = line_of(receipt, i);
        if (line.kind == LINE_SALE)
            lines.sold += line.amount;
        else if (line.kind == LINE_DISCOUNT || line.kind == LINE_REWARD)
            lines.off -= line.amount;
    }
    return lines;
}

/* A line's amount less its share of what was taken off; sale lines in their order. */
static int64_t lines_net(struct lines *lines, const struct msg_line *line)
{
    if (line->kind != LINE_SALE)
        return line->amount > 0 ? line->amount : 0;
    lines->seen += line->amount;
    int64_t share = mock_share(lines->off, lines->seen, lines->sold) - lines->given;
    lines->given += share;
    return line->amount > share ? line->amount - share : 0;
}

static int64_t base_of(const struct msg_purchase_request *receipt, int64_t paid)
{
    struct lines lines = lines_begin(receipt, paid);
    int64_t base = 0;
    for (size_t i = 0; i < line_count(receipt); i++) {
        struct msg_line line = line_of(receipt, i);
        if (line.kind == LINE_SALE)
            base += lines_net(&lines, &line);
    }
    return base;
}

static bool lines_fit(uint64_t amount, const struct msg_line *lines, uint64_t count)
{
    int64_t sum = 0;
    for (uint64_t i = 0; i < count; i++) {
        bool off = lines[i].kind == LINE_DISCOUNT || lines[i].kind == LINE_REWARD;
        if (off ? lines[i].amount > 0 : lines[i].amount < 0)
            return false;
        sum += lines[i].amount;
    }
    return count == 0 || sum == (int64_t)amount;
}

/* --- purchases --- */

/* Points are spent at once, not captured: which asks more of the card. */
static bool spends_directly(const struct msg_purchase_request *receipt)
{
    for (uint64_t i = 0; i < receipt->wishes_count; i++) {
        if (receipt->wishes[i].hold == 0)
            return true;
    }
    return false;
}

/* The account that a receipt goes to; *out_suspended: what waits for its card. */
static struct mock_account *buyer_of(struct mock *mock, const struct mock_change *change,
                                     const struct msg_purchase_request *receipt, bool *out_suspended)
{
    struct mock_account *account = mock_account_to_earn(mock, &receipt->card);
    bool advice = (change->flags & FRAME_FLAG_ADVICE) != 0;
    *out_suspended = account == NULL && advice;
    if (*out_suspended)
        return mock_account_beside(mock, &receipt->card, out_suspended);
    return account == NULL || advice || !spends_directly(receipt)
               ? account
               : mock_account_to_spend(mock, &receipt->card);
}

/* What a till prints of a purchase, where it said how wide its paper is. */
static void write_text(struct mock *mock, struct msg_purchase_answer *out)
{
    const int64_t values[] = { out->earned, out->available };
    static const char *const words[] = { "Points earned", "Points" };
    for (size_t i = 0; i < 2; i++) {
        char number[DECIMAL_TEXT_SIZE];
        decimal_text(values[i], mock->options.points_decimals, number);
        int size = snprintf(mock->text_bytes[i], sizeof(mock->text_bytes[i]), "%s %s", words[i], number);
        uint64_t fits = mock->receipt_width < 16 ? 16 : mock->receipt_width;
        fits = (uint64_t)size < fits ? (uint64_t)size : fits;
        mock->text[i].text = (struct message_text){ mock->text_bytes[i], fits };
    }
    out->text = mock->text;
    out->text_count = 2;
}

/* All of a purchase but its document: what is spent, what is earned. */
static enum mock_verdict buy(struct mock *mock, struct mock_change *change,
                             const struct msg_purchase_request *receipt)
{
    struct msg_purchase_answer *out = &mock->answer.purchase_answer;
    struct mock_made *made = &change->made;
    bool servers;
    message_init(MESSAGE_purchase_answer, out);
    made->account = buyer_of(mock, change, receipt, &made->suspended);
    if (made->account == NULL)
        return MOCK_REFUSED;
    enum mock_verdict verdict = mock_wishes(mock, change, made->account, receipt, out);
    if (verdict != MOCK_DONE)
        return verdict;

    made->amount = (int64_t)receipt->amount;
    made->points = mock_rate(mock, base_of(receipt, made->paid));
    made->account->free += made->points;
    made->account->lifetime += made->points;
    made->account->last_purchase = mock_time(mock, receipt->time, change->flags, &servers);
    out->earned = made->points;
    out->available = mock_available(made->account);
    out->debt = mock_debt(made->account);
    out->flags |= (servers ? FLAG_SERVER_TIME : 0) | (made->suspended ? FLAG_SUSPENSE : 0);
    if (mock->receipt_width > 0)
        write_text(mock, out);
    return MOCK_DONE;
}

enum mock_verdict mock_purchase(struct mock *mock, struct mock_change *change)
{
    const struct msg_purchase_request *receipt = &mock->message.purchase_request;
    struct mock_document document = { .kind = 's',
                                      .store = &receipt->store,
                                      .till = &receipt->till,
                                      .number = &receipt->receipt,
                                      .date = receipt->business_date,
                                      .time = receipt->time };
    if (!lines_fit(receipt->amount, receipt->lines, receipt->lines_count))
        return mock_refuse(mock, RESULT_LINES_MISMATCH, "");
    enum mock_verdict verdict = mock_document(mock, change, &document);
    if (verdict != MOCK_DONE)
        return verdict;
    change->made.line_count = line_count(receipt);
    change->made.lines = calloc(2 * change->made.line_count, sizeof(uint64_t));
    if (change->made.lines == NULL)
        return mock_refuse(mock, RESULT_BUSY, "out of memory");
    return buy(mock, change, receipt);
}

enum mock_verdict mock_quote(struct mock *mock)
{
    const struct msg_quote_request request = mock->message.quote_request;
    struct msg_purchase_request receipt = { .card = request.card,
                                            .amount = request.amount,
                                            .time = request.time,
                                            .lines = request.lines,
                                            .lines_count = request.lines_count,
                                            .wishes = request.wishes,
                                            .wishes_count = request.wishes_count };
    struct mock_change change = { .flags = 0 };
    struct mock_account stranger = { .status = MOCK_CARD_ACTIVE };
    if (!lines_fit(request.amount, request.lines, request.lines_count))
        return mock_refuse(mock, RESULT_LINES_MISMATCH, "");
    for (uint64_t i = 0; i < request.wishes_count; i++) {
        if (request.wishes[i].hold != 0)
            return mock_refuse(mock, RESULT_UNKNOWN_HOLD, "a quote captures nothing");
    }
    struct mock_account *account =
        request.card.size > 0 ? mock_account_to_earn(mock, &request.card) : &stranger;
    if (account == NULL)
        return MOCK_REFUSED;
    const struct mock_account before = *account;
    const struct msg_purchase_answer *made = &mock->answer.purchase_answer;
    enum mock_verdict verdict;
    if (request.card.size > 0) {
        verdict = buy(mock, &change, &receipt);
    } else {
        message_init(MESSAGE_purchase_answer, &mock->answer.purchase_answer);
        verdict = mock_wishes(mock, &change, account, &receipt, &mock->answer.purchase_answer);
        mock->answer.purchase_answer.earned = mock_rate(mock, base_of(&receipt, change.made.paid));
        mock->answer.purchase_answer.available = made->earned;
    }
    *account = before;
    struct msg_quote_answer answer = { .earned = made->earned,
                                       .redeemed = made->redeemed,
                                       .paid = made->paid,
                                       .available = made->available,
                                       .debt = made->debt,
                                       .programme_version = 1,
                                       .flags = made->flags,
                                       .spent = made->spent,
                                       .spent_count = made->spent_count };
    mock->answer.quote_answer = answer;
    return verdict;
}

/* --- goods that come back --- */

struct mock_change *mock_sale(struct mock *mock, const struct mock_sale_name *name)
{
    struct mock_change *found = mock_change_at(mock, name->position);
    uint64_t days = name->date != 0 ? 0 : 100; /* a receipt without a date is looked for so far back */
    for (uint64_t back = 0; name->position == 0 && found == NULL && back <= days; back++) {
        uint64_t date = name->date != 0 ? name->date : name->on - (back < name->on ? back : name->on);
        uint64_t position = 0;
        char *key =
            mock_document_key('s', name->store->size > 0 ? name->store : name->here_store,
                              name->till->size > 0 ? name->till : name->here_till, date, name->receipt);
        if (key == NULL)
            break;
        (void)mock_index_get(mock, key, &position);
        free(key);
        found = mock_change_at(mock, position);
    }
    bool purchase = found != NULL && found->row != NULL && found->row->code == OPERATION_PURCHASE &&
                    found->made.account != NULL;
    return purchase ? found : NULL;
}

/* A return while it is worked out. */
struct goods {
    struct mock_change *sale;
    const struct msg_purchase_request *receipt;
    uint64_t *now;  /* by line, thousandths that come back */
    bool by_amount; /* lines count by their amount: one has come back before */
    int64_t amount; /* minor units that come back */
    int64_t due;    /* points */
    int64_t given_back;
};

static int64_t left_of(const struct goods *goods, size_t index)
{
    struct msg_line line = line_of(goods->receipt, index);
    return units_of(&line) - (int64_t)(goods->sale->made.lines[2 * index] + goods->now[index]);
}

/* Names what a line of the return asks for: one line, or those with its code from the first on. */
static enum mock_verdict name_line(struct mock *mock, struct goods *goods,
                                   const struct msg_return_line *wanted)
{
    bool known = false;
    int64_t left = (int64_t)wanted->quantity;
    bool all = wanted->quantity == 0;
    int64_t taken = 0;
    for (size_t i = 0; i < line_count(goods->receipt); i++) {
        struct msg_line line = line_of(goods->receipt, i);
        bool meant =
            wanted->number != 0 ? wanted->number == i + 1 : wire_code_equal(&line.code, &wanted->code);
        if (!meant || !comes_back(&line) ||
            (wanted->code.size > 0 && !wire_code_equal(&line.code, &wanted->code)))
            continue;
        known = true;
        int64_t part = left_of(goods, i);
        part = all || part < left ? part : left;
        goods->now[i] += (uint64_t)part;
        left -= all ? 0 : part;
        taken += part;
    }
    if (!known)
        return mock_refuse(mock, RESULT_UNKNOWN_LINE, "");
    return left > 0 || taken == 0 ? mock_refuse(mock, RESULT_MORE_THAN_SOLD, "") : MOCK_DONE;
}

/* An unknown line goes before one of which too much comes back. */
static enum mock_verdict name_lines(struct mock *mock, struct goods *goods,
                                    const struct msg_return_line *lines, uint64_t count)
{
    enum mock_verdict verdict = MOCK_DONE;
    for (uint64_t i = 0; i < count; i++) {
        if (name_line(mock, goods, &lines[i]) == MOCK_DONE)
            continue;
        verdict = MOCK_REFUSED;
        if (mock->refusal.result == RESULT_UNKNOWN_LINE)
            break;
    }
    return verdict;
}

/* Sums over the lines of a purchase. */
struct sums {
    int64_t sold, before, after, named, base;
    bool nothing;
};

static struct sums add_lines(const struct goods *goods)
{
    const struct mock_made *sale = &goods->sale->made;
    struct lines net = lines_begin(goods->receipt, 0);
    struct lines base = lines_begin(goods->receipt, sale->paid);
    struct sums sums = { .nothing = true };
    for (size_t i = 0; i < line_count(goods->receipt); i++) {
        struct msg_line line = line_of(goods->receipt, i);
        if (!comes_back(&line))
            continue;
        int64_t units = units_of(&line);
        int64_t worth = lines_net(&net, &line);
        int64_t gone = (int64_t)sale->lines[2 * i];
        int64_t before = units - (gone - (int64_t)sale->lines[2 * i + 1]);
        int64_t now = (int64_t)goods->now[i];
        int64_t after = goods->by_amount ? before : before - now;
        sums.sold += worth;
        sums.before += mock_share(worth, before, units);
        sums.after += mock_share(worth, after, units);
        sums.named += mock_share(worth, units - gone, units) - mock_share(worth, units - gone - now, units);
        if (line.kind == LINE_SALE)
            sums.base += mock_share(lines_net(&base, &line), after, units);
        sums.nothing = sums.nothing && left_of(goods, i) == 0;
    }
    return sums;
}

/* What comes back, what is due for it and what was spent on it. */
static enum mock_verdict work_out(struct mock *mock, struct goods *goods, uint64_t amount,
                                  const struct msg_return_line *lines, uint64_t count)
{
    const struct mock_made *sale = &goods->sale->made;
    goods->by_amount = count == 0 || sale->by_amount > 0;
    if (name_lines(mock, goods, lines, count) != MOCK_DONE)
        return MOCK_REFUSED;
    struct sums sums = add_lines(goods);
    int64_t left = sums.before - sale->by_amount;
    int64_t by_amount = sale->by_amount;
    if (goods->by_amount) {
        goods->amount = count == 0 ? (int64_t)amount : sums.named < left ? sums.named : left;
        by_amount += goods->amount;
        if (goods->amount > left)
            return mock_refuse(mock, RESULT_MORE_THAN_SOLD, "");
    } else {
        goods->amount = sums.before - sums.after;
    }
    int64_t stays = sums.after - by_amount;
    bool nothing = sums.nothing || (by_amount > 0 && stays == 0);
    int64_t rest = by_amount > 0 ? mock_share(sums.base, stays, sums.after) : sums.base;
    int64_t kept = nothing ? 0 : mock_rate(mock, rest);
    kept = kept < sale->points ? kept : sale->points;
    goods->due = sale->points - sale->returned - kept;
    goods->due = goods->due > 0 ? goods->due : 0;
    int64_t back = nothing ? sale->spent : mock_share(sale->spent, sums.sold - stays, sums.sold);
    goods->given_back = back > sale->spent_back ? back - sale->spent_back : 0;
    return MOCK_DONE;
}

/* The purchase that a return names, which must be of its card's account. */
static enum mock_verdict find_goods(struct mock *mock, const struct mock_sale_name *name,
                                    const struct wire_code *card, union mock_message *receipt,
                                    struct goods *out)
{
    struct mock_account *account = mock_account_known(mock, card);
    if (account == NULL)
        return MOCK_REFUSED;
    out->sale = mock_sale(mock, name);
    if (out->sale == NULL)
        return mock_refuse(mock, RESULT_UNKNOWN_PURCHASE, "");
    if (out->sale->made.account != account && out->sale->made.account != account->beside)
        return mock_refuse(mock, RESULT_OTHER_ACCOUNT, "");
    if (out->sale->made.undone != 0)
        return mock_refuse(mock, RESULT_PURCHASE_REVERSED, "");
    mock_change_read(mock, out->sale, receipt);
    out->receipt = &receipt->purchase_request;
    out->now = calloc(out->sale->made.line_count, sizeof(*out->now));
    return out->now != NULL ? MOCK_DONE : mock_refuse(mock, RESULT_BUSY, "out of memory");
}

static struct mock_sale_name name_of(const struct msg_return_request *request, uint64_t on)
{
    return (struct mock_sale_name){ .position = request->sale_position,
                                    .date = request->sale_date,
                                    .on = on,
                                    .store = &request->sale_store,
                                    .till = &request->sale_till,
                                    .here_store = &request->store,
                                    .here_till = &request->till,
                                    .receipt = &request->sale_receipt };
}

static void apply(struct mock_change *change, struct goods *goods)
{
    struct mock_made *made = &change->made;
    struct mock_made *sale = &goods->sale->made;

    made->account = sale->account;

    made->of = goods->sale->position;
    made->amount = goods->amount;
    made->points = goods->due;
    made->given = goods->given_back;
    made->by_amount = goods->by_amount ? goods->amount : 0;
    made->line_count = sale->line_count;
    made->lines = goods->now;
    for (size_t i = 0; i < sale->line_count; i++) {
        sale->lines[2 * i] += goods->now[i];
        sale->lines[2 * i + 1] += goods->by_amount ? goods->now[i] : 0;
    }
    sale->by_amount += made->by_amount;
    sale->returned += goods->due;
    sale->spent_back += goods->given_back;
    sale->account->lifetime -= goods->due;
    sale->account->free += goods->given_back - goods->due;
}

void mock_return_undo(struct mock *mock, struct mock_change *goods)
{
    struct mock_made *made = &goods->made;
    struct mock_made *sale = &mock_change_at(mock, made->of)->made;
    for (size_t i = 0; i < made->line_count; i++) {
        sale->lines[2 * i] -= made->lines[i];
        sale->lines[2 * i + 1] -= made->by_amount > 0 ? made->lines[i] : 0;
    }
    sale->by_amount -= made->by_amount;
    sale->returned -= made->points;
    sale->spent_back -= made->given;
    made->account->lifetime += made->points;
    made->account->free += made->points - made->given;
}

int64_t mock_goods_left(struct mock *mock, struct mock_change *sale)
{
    union mock_message receipt;
    mock_change_read(mock, sale, &receipt);
    struct goods goods = { .sale = sale, .receipt = &receipt.purchase_request };
    goods.now = calloc(sale->made.line_count, sizeof(*goods.now));
    if (goods.now == NULL)
        return 0;
    int64_t left = add_lines(&goods).before - sale->made.by_amount;
    free(goods.now);
    return left;
}

/* An advice whose purchase is not known: it waits, and nothing was taken so far. */
static enum mock_verdict wait_for_sale(struct mock *mock, struct mock_change *change)
{
    change->made.amount = (int64_t)mock->message.return_request.amount;
    message_init(MESSAGE_return_answer, &mock->answer.return_answer);
    mock->answer.return_answer.flags = FLAG_WAITS;
    return MOCK_DONE;
}

enum mock_verdict mock_return(struct mock *mock, struct mock_change *change)
{
    const struct msg_return_request *request = &mock->message.return_request;
    struct mock_document document = { .kind = 'r',
                                      .store = &request->store,
                                      .till = &request->till,
                                      .number = &request->document,
                                      .date = request->business_date,
                                      .time = request->time };
    enum mock_verdict verdict = mock_document(mock, change, &document);
    if (verdict != MOCK_DONE)
        return verdict;
    change->made.sent = request->lines_count == 0 ? (int64_t)request->amount : 0;
    struct mock_sale_name name = name_of(request, change->made.date);
    union mock_message receipt;
    struct goods goods = { .sale = NULL };
    verdict = find_goods(mock, &name, &request->card, &receipt, &goods);
    if (verdict != MOCK_DONE && goods.sale == NULL && (change->flags & FRAME_FLAG_ADVICE) != 0)
        return wait_for_sale(mock, change);
    if (verdict == MOCK_DONE)
        verdict = work_out(mock, &goods, request->amount, request->lines, request->lines_count);
    if (verdict != MOCK_DONE) {
        free(goods.now);
        return verdict;
    }
    apply(change, &goods);
    bool servers;
    (void)mock_time(mock, request->time, change->flags, &servers);
    int64_t points = change->made.account->free;
    struct msg_return_answer *out = &mock->answer.return_answer;
    message_init(MESSAGE_return_answer, out);
    out->taken = goods.due;
    out->amount = (uint64_t)goods.amount;
    out->given_back = goods.given_back;
    out->available = points > 0 ? points : 0;
    out->debt = points < 0 ? -points : 0;
    out->flags = servers ? FLAG_SERVER_TIME : 0;
    return MOCK_DONE;
}

enum mock_verdict mock_return_preview(struct mock *mock)
{
    const struct msg_return_preview_request *request = &mock->message.return_preview_request;
    struct mock_sale_name name = { .position = request->sale_position,
                                   .date = request->sale_date,
                                   .on = mock_day(mock->now_us),
                                   .store = &request->sale_store,
                                   .till = &request->sale_till,
                                   .here_store = &request->store,
                                   .here_till = &request->till,
                                   .receipt = &request->sale_receipt };
    union mock_message receipt;
    struct goods goods = { .sale = NULL };
    enum mock_verdict verdict = find_goods(mock, &name, &request->card, &receipt, &goods);
    if (verdict == MOCK_DONE)
        verdict = work_out(mock, &goods, request->amount, request->lines, request->lines_count);
    free(goods.now);
    if (verdict != MOCK_DONE)
        return verdict;
    const struct mock_made *sale = &goods.sale->made;
    int64_t points = sale->account->free + goods.given_back - goods.due;
    struct msg_return_preview_answer *out = &mock->answer.return_preview_answer;
    message_init(MESSAGE_return_preview_answer, out);
    out->taken = goods.due;
    out->given_back = goods.given_back;
    out->amount = (uint64_t)goods.amount;
    out->available = points > 0 ? points : 0;
    out->debt = points < 0 ? -points : 0;
    return MOCK_DONE;
}

enum mock_verdict mock_unlinked_return(struct mock *mock, struct mock_change *change)
{
    const struct msg_unlinked_return_request *request = &mock->message.unlinked_return_request;
    struct mock_document document = { .kind = 'r',
                                      .store = &request->store,
                                      .till = &request->till,
                                      .number = &request->document,
                                      .date = request->business_date,
                                      .time = request->time };
    struct msg_purchase_request receipt = { .amount = request->amount,
                                            .lines = request->lines,
                                            .lines_count = request->lines_count };
    if (!lines_fit(request->amount, request->lines, request->lines_count))
        return mock_refuse(mock, RESULT_LINES_MISMATCH, "");
    enum mock_verdict verdict = mock_document(mock, change, &document);
    if (verdict != MOCK_DONE)
        return verdict;
    struct mock_made *made = &change->made;
    struct mock_account *account = (change->flags & FRAME_FLAG_ADVICE) != 0
                                       ? mock_account_of_advice(mock, &request->card, &made->suspended)
                                       : mock_account_known(mock, &request->card);
    if (account == NULL)
        return MOCK_REFUSED;
    change->made.account = account;
    change->made.amount = change->made.sent = (int64_t)request->amount;
    change->made.points = mock_rate(mock, base_of(&receipt, 0));
    account->free -= change->made.points;
    account->lifetime -= change->made.points;
    struct msg_unlinked_return_answer *out = &mock->answer.unlinked_return_answer;
    message_init(MESSAGE_unlinked_return_answer, out);
    out->taken = change->made.points;
    out->amount = request->amount;
    out->available = mock_available(account);
    out->debt = mock_debt(account);
    return MOCK_DONE;
}
