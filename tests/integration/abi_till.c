/*
 * A register that uses every struct of punkt.h, for abi.sh: abi_till SERVER OUTBOX. It prints what it was answered, but for
 * times and positions, so that two runs on two new ledgers print the same. Compiled with GROWN, against a header
 * whose structs have one more field, `abi_till SERVER OUTBOX unknown` sets that field in every request instead.
 */
#include <punkt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CARD "2900000000018"
#define TIMEOUT_MS 30000

#define NUMBER(of, field) printf(#of "." #field " %lld\n", (long long)(of).field)
#define TEXT(of, field) printf(#of "." #field " \"%s\"\n", (of).field)
/* What differs from ledger to ledger. */
#define GIVEN(of, field) printf(#of "." #field " %s\n", (of).field > 0 ? "given" : "0")

#define ANSWER(type, variable) struct punkt_##type##_answer variable = PUNKT_ANSWER_INIT(variable)
#define CALL(operation, request, answer)                                                                     \
    show_head(#operation, punkt_##operation(punkt, &(request), &(answer)), &(answer).head)

static struct punkt *punkt;

static void show_head(const char *what, enum punkt_call call, const struct punkt_answer *head)
{
    printf("%s: %s, %s, %s, \"%s\", %s, number %llu, needed %lld, available %lld\n", what,
           punkt_call_name(call), head->name, head->text, head->detail, punkt_operation_name(head->operation),
           (unsigned long long)(head->number), (long long)head->needed, (long long)head->available);
}

/* outbox may be NULL. */
static void open_handle(const char *server, const char *outbox)
{
    const struct punkt_options options = { .size = sizeof(options),
                                           .server = server,
                                           .timeout_ms = TIMEOUT_MS,
                                           .software = "abi",
                                           .outbox = outbox,
                                           .store = "S",
                                           .till = "T" };
    struct punkt_server_info info = PUNKT_INIT(info);
    struct punkt_answer connected = { .size = sizeof(connected) };
    if (punkt_new(&options, &punkt) != PUNKT_CALL_DONE) {
        (void)fprintf(stderr, "no handle\n");
        exit(1);
    }
    show_head("connect", punkt_connect(punkt, 0, &connected), &connected);
    punkt_server_info(punkt, &info);
    NUMBER(info, known);
    NUMBER(info, connected);
    NUMBER(info, currency_exponent);
    NUMBER(info, programme_version);
    TEXT(info, currency);
    TEXT(info, zone);
    NUMBER(info, role);
    TEXT(info, name);
    GIVEN(info, time_us);
}

/* A code that cannot be one is found out before anybody is asked. */
static void enrol(void)
{
    const struct punkt_enrol_request request = { .size = sizeof(request),
                                                 .server = "localhost",
                                                 .code = "0410-610",
                                                 .identity = "none",
                                                 .timeout_ms = 1 };
    ANSWER(enrol, enrolled);
    show_head("enrol", punkt_enrol(&request, &enrolled), &enrolled.head);
    NUMBER(enrolled, identity);
    TEXT(enrolled, server);
}

static void issue(void)
{
    const struct punkt_card_issue_request card = { .size = sizeof(card), .card = CARD, .count = 2 };
    const struct punkt_adjust_request adjust = {
        .size = sizeof(adjust), .card = CARD, .points = 5000, .reason = "migration", .note = "of old"
    };
    const struct punkt_plain_request plain = PUNKT_INIT(plain);
    ANSWER(card_issue, issued);
    ANSWER(adjust, adjusted);
    ANSWER(ping, pinged);
    CALL(card_issue, card, issued);
    NUMBER(issued, account);
    NUMBER(issued, count);
    CALL(adjust, adjust, adjusted);
    NUMBER(adjusted, points);
    NUMBER(adjusted, available);
    CALL(ping, plain, pinged);
    GIVEN(pinged, time_us);
}

/* --- receipts --- */

static const struct punkt_line lines[] = {
    { .size = sizeof(lines[0]), .code = "MILK", .amount = 1600, .quantity = 4000, .category = "organic" },
    { .size = sizeof(lines[0]), .code = "COFFEE", .amount = 4400, .category = "coffee-to-go", .tax = 105 },
    { .size = sizeof(lines[0]), .code = "CHEESE", .amount = 100, .quantity = 2000, .category = "cooled" },
};
static const struct punkt_tender tenders[] = {
    { .size = sizeof(tenders[0]), .kind = "cash", .amount = 100 },
    { .size = sizeof(tenders[0]), .kind = "card", .amount = 6000 },
};
static const struct punkt_wish wishes[] = {
    { .size = sizeof(wishes[0]), .points = 450, .reward = "five euros" },
    { .size = sizeof(wishes[0]), .points = 200 },
};
static const char *const coupons[] = { "WINTER", "SPRING" };

#define RECEIPT                                                                                              \
    .card = CARD, .amount = 6100, .operator_ = "Ada", .lines = lines, .line_count = 3, .tenders = tenders,   \
    .tender_count = 2, .coupons = coupons, .coupon_count = 2, .wishes = wishes, .wish_count = 2

static void show_spent(const struct punkt_spent *const *spent, size_t count)
{
    for (size_t i = 0; i < count; i++)
        printf("spent %lld, worth %lld, \"%s\", \"%s\"\n", (long long)spent[i]->points,
               (long long)spent[i]->worth, spent[i]->reward, spent[i]->voucher);
}

static void show_purchase(const struct punkt_purchase_answer *sold)
{
    GIVEN(*sold, position);
    NUMBER(*sold, earned);
    NUMBER(*sold, available);
    NUMBER(*sold, pending);
    NUMBER(*sold, redeemed);
    NUMBER(*sold, paid);
    TEXT(*sold, tier);
    show_spent(sold->spent, sold->spent_count);
}

static void quote(void)
{
    const struct punkt_quote_request quote = { .size = sizeof(quote), RECEIPT };
    ANSWER(quote, quoted);
    CALL(quote, quote, quoted);
    NUMBER(quoted, earned);
    NUMBER(quoted, redeemed);
    NUMBER(quoted, available);
    TEXT(quoted, tier);
    for (size_t i = 0; i < quoted.part_count; i++)
        printf("part %u, \"%s\", %lld\n", quoted.parts[i]->kind, quoted.parts[i]->name,
               (long long)quoted.parts[i]->result);
    show_spent(quoted.spent, quoted.spent_count);
}

static void ended(struct punkt *handle, const struct punkt_answer *answer, void *ctx)
{
    (void)handle;
    show_head("submitted purchase", answer->call, answer);
    show_purchase((const struct punkt_purchase_answer *)(const void *)answer);
    *(bool *)ctx = true;
}

static void sell(void)
{
    const struct punkt_purchase_request sale = {
        .size = sizeof(sale), RECEIPT, .store = "S", .till = "T", .receipt = "R1"
    };
    struct punkt_status_request status = { .size = sizeof(status) };
    ANSWER(purchase, sold);
    ANSWER(status, state);
    bool done = false;
    CALL(purchase, sale, sold);
    show_purchase(&sold);
    status.number = sold.head.number;
    CALL(status, status, state);
    NUMBER(state, state);
    if (state.first != NULL) {
        show_head("first", state.first->call, state.first);
        show_purchase((const struct punkt_purchase_answer *)(const void *)state.first);
    }
    printf("submitted: %s\n", punkt_call_name(punkt_submit_purchase(punkt, &sale, ended, &done)));
    while (!done && punkt_unanswered(punkt) > 0)
        (void)punkt_drive(punkt, -1); /* the same receipt again: the first answer */
}

#define SOLD .card = CARD, .store = "S", .till = "T", .sale_receipt = "R1"

static void take_back(void)
{
    const struct punkt_return_line goods[] = {
        { .size = sizeof(goods[0]), .number = 1, .quantity = 2000 },
        { .size = sizeof(goods[0]), .code = "CHEESE", .quantity = 1000 },
    };
    const struct punkt_return_preview_request preview = {
        .size = sizeof(preview), SOLD, .lines = goods, .line_count = 2
    };
    const struct punkt_return_request back = {
        .size = sizeof(back), SOLD, .lines = goods, .line_count = 2, .document = "D1"
    };
    const struct punkt_unlinked_return_request unlinked = {
        .size = sizeof(unlinked), .card = CARD, .amount = 6100, .lines = lines, .line_count = 3
    };
    ANSWER(return_preview, previewed);
    ANSWER(return, taken);
    CALL(return_preview, preview, previewed);
    NUMBER(previewed, taken);
    NUMBER(previewed, amount);
    NUMBER(previewed, available);
    CALL(return, back, taken);
    NUMBER(taken, taken);
    NUMBER(taken, given_back);
    NUMBER(taken, available);
    CALL(unlinked_return, unlinked, taken);
    NUMBER(taken, taken);
    NUMBER(taken, debt);
}

/* --- points --- */

static void redeem_and_undo(void)
{
    const struct punkt_redeem_request redeem = {
        .size = sizeof(redeem), .card = CARD, .points = 1, .reward = "shopping bag", .quantity = 2
    };
    const struct punkt_redeem_request greedy = { .size = sizeof(greedy), .card = CARD, .points = 1000000 };
    struct punkt_reversal_request undo = { .size = sizeof(undo), .card = CARD };
    ANSWER(redeem, redeemed);
    ANSWER(reversal, undone);
    CALL(redeem, greedy, redeemed);
    CALL(redeem, redeem, redeemed);
    NUMBER(redeemed, redeemed);
    NUMBER(redeemed, available);
    NUMBER(redeemed, worth);
    TEXT(redeemed, reward);
    TEXT(redeemed, voucher);
    undo.number = redeemed.head.number;
    CALL(reversal, undo, undone);
    NUMBER(undone, outcome);
    NUMBER(undone, given_back);
    NUMBER(undone, available);
}

static void hold_and_capture(void)
{
    const struct punkt_hold_request hold = {
        .size = sizeof(hold), .card = CARD, .points = 300, .seconds = 600
    };
    struct punkt_capture_request capture = { .size = sizeof(capture), .card = CARD, .points = 200 };
    struct punkt_release_request release = { .size = sizeof(release), .card = CARD };
    ANSWER(hold, held);
    ANSWER(capture, captured);
    ANSWER(release, released);
    CALL(hold, hold, held);
    capture.hold = held.position;
    NUMBER(held, held);
    NUMBER(held, worth);
    GIVEN(held, deadline_us);
    CALL(capture, capture, captured);
    NUMBER(captured, redeemed);
    NUMBER(captured, given_back);
    TEXT(captured, reward);
    CALL(hold, hold, held);
    release.hold = held.position;
    CALL(release, release, released);
    NUMBER(released, given_back);
    NUMBER(released, available);
    CALL(hold, hold, held); /* stays, for show_card */
}

static void show_card(void)
{
    const struct punkt_card_show_request show = { .size = sizeof(show), .card = CARD, .with_lots = true };
    ANSWER(card_show, card);
    CALL(card_show, show, card);
    NUMBER(card, account);
    NUMBER(card, available);
    NUMBER(card, held);
    NUMBER(card, debt);
    TEXT(card, tier);
    GIVEN(card, last_event);
    for (size_t i = 0; i < card.purse_count; i++)
        printf("purse \"%s\" %lld\n", card.purses[i]->name, (long long)card.purses[i]->count);
    for (size_t i = 0; i < card.hold_count; i++)
        printf("hold %lld, \"%s\"\n", (long long)card.holds[i]->points, card.holds[i]->reward);
    for (size_t i = 0; i < card.lot_count; i++)
        printf("lot %u, %lld, %lld\n", card.lots[i]->number, (long long)card.lots[i]->points,
               (long long)card.lots[i]->held);
    for (size_t i = 0; i < card.tag_count; i++)
        printf("tag \"%s\"\n", card.tags[i]);
}

/* --- the office --- */

static void show_statement(void)
{
    const struct punkt_statement_request ask = { .size = sizeof(ask), .card = CARD, .limit = 100 };
    ANSWER(statement, page);
    CALL(statement, ask, page);
    NUMBER(page, entry_count);
    for (size_t i = 0; i < page.entry_count; i++) {
        const struct punkt_statement_entry *entry = punkt_statement_entry(&page, i);
        printf("%s, %lld, %lld, \"%s\", \"%s\"\n", punkt_event_name(entry->kind), (long long)entry->points,
               (long long)entry->balance, entry->receipt, entry->reason);
    }
}

static void ask_the_rest(void)
{
    const struct punkt_plain_request plain = PUNKT_INIT(plain);
    const struct punkt_programme_show_request show = { .size = sizeof(show), .version = 1 };
    const struct punkt_message_request history = { .size = sizeof(history),
                                                   .operation = PUNKT_OPERATION_PROGRAMME_HISTORY };
    ANSWER(totals, totals);
    ANSWER(programme_show, programme);
    ANSWER(message, message);
    ANSWER(audit_verify, audit);
    ANSWER(clock_accept, clock);
    CALL(totals, plain, totals);
    NUMBER(totals, accounts);
    NUMBER(totals, earned);
    NUMBER(totals, outstanding);
    NUMBER(totals, reversed);
    CALL(programme_show, show, programme);
    NUMBER(programme, version);
    printf("a text of %zu bytes\n", strlen(programme.text));
    CALL(message, history, message);
    NUMBER(message, type);
    GIVEN(message, body_size);
    CALL(audit_verify, plain, audit);
    NUMBER(audit, state);
    NUMBER(audit, events);
    TEXT(audit, file);
    CALL(clock_accept, plain, clock);
    GIVEN(clock, before_us);
}

/* --- the outbox --- */

static void show_outbox(void)
{
    struct punkt_outbox_info info = PUNKT_INIT(info);
    struct punkt_outbox_entry entry = PUNKT_INIT(entry);
    punkt_outbox_info(punkt, &info);
    NUMBER(info, present);
    NUMBER(info, failed);
    NUMBER(info, queued);
    NUMBER(info, dead);
    NUMBER(info, kept);
    NUMBER(info, max);
    GIVEN(info, bytes);
    for (uint64_t i = 0; punkt_outbox_entry(punkt, i, &entry); i++)
        printf("%s, number %llu, %s, live %d, amount %lld, earned %lld, redeemed %lld, card %s, a body %s\n",
               punkt_operation_name(entry.operation), (unsigned long long)entry.number,
               punkt_outbox_state_name(entry.state), entry.live, (long long)entry.amount,
               (long long)entry.earned, (long long)entry.redeemed, entry.card,
               entry.body_size > 0 ? "given" : "missing");
}

static void store_and_cancel(void)
{
    const struct punkt_purchase_request sale = { .size = sizeof(sale),
                                                 .card = CARD,
                                                 .amount = 1000,
                                                 .receipt = "R2",
                                                 .lines = lines + 2,
                                                 .line_count = 1 };
    const struct punkt_purchase_request good = { .size = sizeof(good),
                                                 .card = CARD,
                                                 .amount = 100,
                                                 .receipt = "R3",
                                                 .lines = lines + 2,
                                                 .line_count = 1 };
    ANSWER(purchase, sold);
    ANSWER(reversal, undone);
    CALL(purchase, sale, sold); /* its lines do not add up */
    CALL(purchase, good, sold);
    show_purchase(&sold);
    show_head("wait", punkt_wait(punkt, sold.head.epoch, sold.head.number, 0, &sold.head), &sold.head);
    show_purchase(&sold);
    show_head("cancel", punkt_cancel(punkt, sold.head.epoch, sold.head.number, 0, &undone), &undone.head);
    NUMBER(undone, outcome);
    NUMBER(undone, taken);
    printf("discard: %s\n", punkt_call_name(punkt_outbox_discard(punkt, 1, 1)));
    printf("link %s\n", punkt_link_state_name(punkt_link_state(punkt)));
    show_outbox();
}

static void show_figures(const char *side, const struct punkt_day_figures *figures)
{
    if (figures == NULL)
        return;
    printf("%s: %llu purchases of %lld, earned %lld, %llu redemptions, %llu reversals\n", side,
           (unsigned long long)figures->purchases, (long long)figures->purchase_amount,
           (long long)figures->earned, (unsigned long long)figures->redemptions,
           (unsigned long long)figures->reversals);
}

static void close_day(void)
{
    const struct punkt_close_day_request request = { .size = sizeof(request),
                                                     .timeout_ms = TIMEOUT_MS,
                                                     .operator_ = "Ada" };
    ANSWER(close_day, closed);
    char report[4096];
    CALL(close_day, request, closed);
    printf("%s, close %llu, queued %llu, dead %llu, store %s, till %s\n",
           punkt_close_state_name(closed.state), (unsigned long long)closed.close,
           (unsigned long long)closed.queued, (unsigned long long)closed.dead, closed.store, closed.till);
    show_figures("here", closed.here);
    show_figures("there", closed.there);
    for (size_t i = 0; i < closed.difference_count; i++) {
        const struct punkt_day_difference *difference = closed.differences[i];
        printf("number %llu, %s, missing there %d\n", (unsigned long long)difference->number,
               punkt_operation_name(difference->operation), difference->missing_there);
    }
    printf("a report %s\n",
           punkt_close_report(punkt, &closed, 40, report, sizeof(report)) > 200 ? "in full" : "in part");
}

/* --- fields of a newer header --- */

#ifdef GROWN
static void expect_unknown(const char *what, enum punkt_call call, const struct punkt_answer *head)
{
    if (call != PUNKT_CALL_INVALID || strstr(head->detail, "does not know") == NULL)
        printf("%s ended as %s, \"%s\"\n", what, punkt_call_name(call), head->detail);
}

#define UNKNOWN(operation, request_type, answer_type)                                                        \
    do {                                                                                                     \
        struct punkt_##request_type##_request request = { .size = sizeof(request), .grown = 1 };             \
        ANSWER(answer_type, answer);                                                                         \
        expect_unknown(#operation, punkt_##operation(punkt, &request, &answer), &answer.head);               \
    } while (0)

static void unknown_elements(void)
{
    const struct punkt_line line = { .size = sizeof(line), .code = "A", .grown = 1 };
    const struct punkt_tender tender = { .size = sizeof(tender), .kind = "cash", .grown = 1 };
    const struct punkt_wish wish = { .size = sizeof(wish), .points = 1, .grown = 1 };
    const struct punkt_return_line goods = { .size = sizeof(goods), .number = 1, .grown = 1 };
    const struct punkt_purchase_request sales[] = {
        { .size = sizeof(sales[0]), .card = CARD, .lines = &line, .line_count = 1 },
        { .size = sizeof(sales[0]), .card = CARD, .tenders = &tender, .tender_count = 1 },
        { .size = sizeof(sales[0]), .card = CARD, .wishes = &wish, .wish_count = 1 },
    };
    const struct punkt_return_request back = { .size = sizeof(back), SOLD, .lines = &goods, .line_count = 1 };
    ANSWER(purchase, sold);
    ANSWER(return, taken);
    for (size_t i = 0; i < sizeof(sales) / sizeof(sales[0]); i++)
        expect_unknown("purchase with elements", punkt_purchase(punkt, &sales[i], &sold), &sold.head);
    expect_unknown("return with lines", punkt_return(punkt, &back, &taken), &taken.head);
}

static void unknown_fields(const char *server)
{
    const struct punkt_options options = { .size = sizeof(options), .server = server, .grown = 1 };
    struct punkt *none;
    if (punkt_new(&options, &none) != PUNKT_CALL_INVALID)
        printf("options with an unknown field were taken\n");
    punkt_free(none);
    const struct punkt_enrol_request request = { .size = sizeof(request), .grown = 1 };
    ANSWER(enrol, enrolled);
    expect_unknown("enrol", punkt_enrol(&request, &enrolled), &enrolled.head);
    UNKNOWN(ping, plain, ping);
    UNKNOWN(card_issue, card_issue, card_issue);
    UNKNOWN(card_show, card_show, card_show);
    UNKNOWN(purchase, purchase, purchase);
    UNKNOWN(quote, quote, quote);
    UNKNOWN(return, return, return );
    UNKNOWN(unlinked_return, unlinked_return, return );
    UNKNOWN(return_preview, return_preview, return_preview);
    UNKNOWN(redeem, redeem, redeem);
    UNKNOWN(hold, hold, hold);
    UNKNOWN(capture, capture, capture);
    UNKNOWN(release, release, release);
    UNKNOWN(reversal, reversal, reversal);
    UNKNOWN(adjust, adjust, adjust);
    UNKNOWN(status, status, status);
    UNKNOWN(statement, statement, statement);
    UNKNOWN(programme_show, programme_show, programme_show);
    UNKNOWN(message, message, message);
    UNKNOWN(close_day, close_day, close_day);
    unknown_elements();
    printf("unknown fields were seen\n");
}
#endif

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
#ifdef GROWN
    if (argc == 4) {
        open_handle(argv[1], argv[2]);
        unknown_fields(argv[1]);
        punkt_free(punkt);
        return 0;
    }
#endif
    enrol();
    open_handle(argv[1], NULL);
    issue();
    quote();
    sell();
    take_back();
    redeem_and_undo();
    hold_and_capture();
    show_card();
    show_statement();
    ask_the_rest();
    punkt_free(punkt);

    open_handle(argv[1], argv[2]);
    store_and_cancel();
    close_day();
    punkt_free(punkt);
    return 0;
}
