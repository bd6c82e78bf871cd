/*
 * What tills do with points, field by field: what a caller's struct becomes on the wire, and what a message becomes in
 * the caller's answer. Which requests never leave.
 */
#include <punkt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "client_server.h"

static struct server server;

static struct punkt *client(const char *address)
{
    struct punkt_options options = { .size = sizeof(options), .server = address, .timeout_ms = 9000 };
    struct punkt *punkt;
    assert_int_equal(punkt_new(&options, &punkt), PUNKT_CALL_DONE);
    return punkt;
}

static void check(struct server *s, bool right, const char *what)
{
    if (!right)
        server_fail(s, "%s", what);
}

static struct wire_code code(const char *text)
{
    struct wire_code code;
    assert_true(wire_code_from(text, strlen(text), &code));
    return code;
}

static bool is(const struct wire_code *code, const char *text)
{
    return code->size == strlen(text) && memcmp(code->bytes, text, code->size) == 0;
}

/* Receives a request and decodes it; its secret part must be this one, "" for none. Returns its number. */
static uint64_t expect(struct server *s, enum operation operation, const char *pin, void *out)
{
    static max_align_t space[4096];
    struct message_memory memory = { .at = (uint8_t *)space, .left = sizeof(space) };
    char secret[FRAME_SECRET_MAX + 1];
    uint64_t number = server_expect(s, operation);
    server_secret(s, secret);
    check(s, strcmp(secret, pin) == 0, "the PIN");
    message_init(operation_row((uint16_t)operation)->request, out);
    server_decode(s, operation_row((uint16_t)operation)->request, &memory, out);
    return number;
}

/* --- receipts --- */

static void script_receipts(struct server *s)
{
    struct msg_purchase_request bought;
    struct msg_quote_request quoted;
    struct msg_return_preview_request preview;
    struct msg_spent spent[] = {
        { .points = 40, .worth = 80, .reward = code("coffee"), .voucher = code("V1") },
        { .points = 5, .stamps = 6, .shortfall = 7 },
    };
    struct msg_part parts[] = { { .kind = 4, .name = code("gold"), .input = 1, .exact = 2, .result = -3 } };
    struct msg_purchase_answer bought_answer = {
        .flags = 14, .redeemed = 45, .paid = 80, .tier = code("gold"), .spent = spent, .spent_count = 2
    };
    struct msg_quote_answer quote_answer = { .earned = 1,
                                             .redeemed = 2,
                                             .paid = 3,
                                             .available = 4,
                                             .pending = 5,
                                             .debt = 6,
                                             .tier = code("gold"),
                                             .programme_version = 7,
                                             .flags = 9,
                                             .parts = parts,
                                             .parts_count = 1,
                                             .spent = spent,
                                             .spent_count = 1 };
    struct msg_return_preview_answer preview_answer = {
        .taken = 35, .given_back = 75, .shortfall = 1, .amount = 5000, .available = 160, .debt = 2
    };
    server_welcome(s);
    uint64_t number = expect(s, OPERATION_PURCHASE, "0815", &bought);
    check(s, server_good(s) && bought.wishes_count == 3 && bought.lines_count == 1, "lists of the purchase");
    if (server_good(s)) {
        check(s, bought.wishes[0].points == 100 && bought.wishes[0].quantity == 1, "a wish by points");
        check(s, is(&bought.wishes[1].reward, "coffee") && bought.wishes[1].quantity == 2, "a reward");
        check(s, bought.wishes[1].line == 1 && bought.wishes[2].hold == 77, "line and hold");
    }
    server_done(s, OPERATION_PURCHASE, number, 0, &bought_answer);

    number = expect(s, OPERATION_QUOTE, "", &quoted);
    check(s, server_good(s) && quoted.card.size == 0 && quoted.amount == 9 && is(&quoted.till, "0"), "quote");
    check(s, server_good(s) && quoted.coupons_count == 1 && quoted.tenders_count == 1, "lists of the quote");
    server_done(s, OPERATION_QUOTE, number, 0, &quote_answer);
    number = expect(s, OPERATION_QUOTE, "", &quoted);
    check(s, server_good(s) && is(&quoted.card, "1"), "a quote for a card");
    server_done(s, OPERATION_QUOTE, number, 0, &quote_answer);

    number = expect(s, OPERATION_RETURN_PREVIEW, "", &preview);
    check(s, server_good(s) && preview.sale_position == 3 && preview.amount == 5000, "preview");
    server_done(s, OPERATION_RETURN_PREVIEW, number, 0, &preview_answer);
}

static void buy_with_points(struct punkt *punkt)
{
    const struct punkt_line line = { .size = sizeof(line), .code = "A", .amount = 200 };
    const struct punkt_wish wishes[] = {
        { .size = sizeof(wishes[0]), .points = 100 },
        { .size = sizeof(wishes[0]), .reward = "coffee", .quantity = 2, .line = 1 },
        { .size = sizeof(wishes[0]), .hold = 77 },
    };
    const struct punkt_purchase_request request = { .size = sizeof(request),
                                                    .card = "1",
                                                    .amount = 200,
                                                    .lines = &line,
                                                    .line_count = 1,
                                                    .wishes = wishes,
                                                    .wish_count = 3,
                                                    .pin = "0815" };
    struct punkt_purchase_answer answer = PUNKT_ANSWER_INIT(answer);
    assert_int_equal(punkt_purchase(punkt, &request, &answer), PUNKT_CALL_DONE);
    assert_false(answer.server_time_used);
    assert_true(answer.in_suspense && answer.fell_short && answer.old_period);
    assert_int_equal(answer.redeemed, 45);
    assert_int_equal(answer.paid, 80);
    assert_string_equal(answer.tier, "gold");
    assert_int_equal(answer.spent_count, 2);
    assert_int_equal(answer.spent[0]->points, 40);
    assert_int_equal(answer.spent[0]->worth, 80);
    assert_string_equal(answer.spent[0]->reward, "coffee");
    assert_string_equal(answer.spent[0]->voucher, "V1");
    assert_int_equal(answer.spent[1]->stamps, 6);
    assert_int_equal(answer.spent[1]->shortfall, 7);
    assert_string_equal(answer.spent[1]->reward, "");
}

static void ask_for_quotes(struct punkt *punkt)
{
    static const char *const coupons[] = { "K1" };
    const struct punkt_tender tender = { .size = sizeof(tender), .kind = "cash", .amount = 9 };
    struct punkt_quote_request request = { .size = sizeof(request),
                                           .amount = 9,
                                           .tenders = &tender,
                                           .tender_count = 1,
                                           .coupons = coupons,
                                           .coupon_count = 1 };
    struct punkt_quote_answer answer = PUNKT_ANSWER_INIT(answer);
    assert_int_equal(punkt_quote(punkt, &request, &answer), PUNKT_CALL_DONE);
    assert_int_equal(answer.head.number, 0); /* a read has none */
    assert_int_equal(answer.earned, 1);
    assert_int_equal(answer.redeemed, 2);
    assert_int_equal(answer.paid, 3);
    assert_int_equal(answer.available, 4);
    assert_int_equal(answer.pending, 5);
    assert_int_equal(answer.debt, 6);
    assert_int_equal(answer.programme_version, 7);
    assert_true(answer.server_time_used && answer.old_period);
    assert_string_equal(answer.tier, "gold");
    assert_int_equal(answer.part_count, 1);
    assert_int_equal(answer.parts[0]->kind, PUNKT_PART_TIER);
    assert_string_equal(answer.parts[0]->name, "gold");
    assert_int_equal(answer.parts[0]->input, 1);
    assert_int_equal(answer.parts[0]->exact, 2);
    assert_int_equal(answer.parts[0]->result, -3);
    assert_int_equal(answer.spent_count, 1);
    assert_string_equal(answer.spent[0]->reward, "coffee");
    request.card = "1";
    assert_int_equal(punkt_quote(punkt, &request, &answer), PUNKT_CALL_DONE);
}

static void receipts(void **state)
{
    (void)state;
    const struct punkt_return_preview_request preview = {
        .size = sizeof(preview), .card = "1", .amount = 5000, .sale_position = 3
    };
    struct punkt_return_preview_answer taken = PUNKT_ANSWER_INIT(taken);
    server_start(&server, NULL, script_receipts);
    struct punkt *punkt = client(server.address);
    buy_with_points(punkt);
    ask_for_quotes(punkt);
    assert_int_equal(punkt_return_preview(punkt, &preview, &taken), PUNKT_CALL_DONE);
    assert_int_equal(taken.taken, 35);
    assert_int_equal(taken.given_back, 75);
    assert_int_equal(taken.shortfall, 1);
    assert_int_equal(taken.amount, 5000);
    assert_int_equal(taken.available, 160);
    assert_int_equal(taken.debt, 2);
    punkt_free(punkt);
    server_join(&server);
}

/* --- points that are spent, set aside, given back --- */

static void script_redeem(struct server *s)
{
    struct msg_redeem_request redeem;
    struct msg_redeem_answer redeem_answer = {
        .redeemed = 1, .stamps = 2, .shortfall = 3, .reward = code("book"), .voucher = code("V2")
    };
    uint64_t number = expect(s, OPERATION_REDEEM, "1", &redeem);
    check(s, server_good(s) && redeem.points == 0 && is(&redeem.reward, "book"), "a reward");
    check(s, server_good(s) && redeem.quantity == 1 && redeem.bill == 9, "quantity and bill");
    check(s, is(&redeem.sale_store, "SS") && is(&redeem.sale_till, "ST") && is(&redeem.sale_receipt, "SR"),
          "sale");
    check(s, redeem.sale_date == 5 && redeem.sale_position == 6, "date and position of the sale");
    server_done(s, OPERATION_REDEEM, number, 0, &redeem_answer);
}

static void script_spending(struct server *s)
{
    struct msg_hold_request hold;
    struct msg_capture_request capture;
    struct msg_release_request release;
    struct msg_reversal_request reversal;
    struct msg_hold_answer hold_answer = { .position = 70,
                                           .held = 1,
                                           .worth = 2,
                                           .deadline = 3,
                                           .available = 4,
                                           .stamps = 5,
                                           .reward = code("book") };
    struct msg_capture_answer capture_answer = { .position = 71,
                                                 .redeemed = 1,
                                                 .worth = 2,
                                                 .given_back = 3,
                                                 .available = 4,
                                                 .stamps = 5,
                                                 .shortfall = 6,
                                                 .reward = code("book"),
                                                 .voucher = code("V3") };
    struct msg_release_answer release_answer = { .position = 72, .given_back = 3, .available = 4 };
    struct msg_reversal_answer reversal_answer = {
        .position = 73, .outcome = 3, .taken = 1, .given_back = 2, .available = 3, .debt = 4, .amount = 5
    };
    server_welcome(s);
    script_redeem(s);
    uint64_t number = expect(s, OPERATION_HOLD, "12345678901234567890123456789012", &hold);
    check(s, server_good(s) && hold.points == 15 && hold.quantity == 1 && hold.seconds == 60, "hold");
    check(s, server_good(s) && hold.bill == 10 && is(&hold.store, "S") && is(&hold.operator, "O"),
          "its place");
    server_done(s, OPERATION_HOLD, number, 0, &hold_answer);
    number = expect(s, OPERATION_CAPTURE, "", &capture);
    check(s, server_good(s) && capture.hold == 70 && capture.points == 0 && capture.bill == 11, "capture");
    server_done(s, OPERATION_CAPTURE, number, 0, &capture_answer);
    number = expect(s, OPERATION_RELEASE, "", &release);
    check(s, server_good(s) && release.hold == 70 && is(&release.card, "1"), "release");
    server_done(s, OPERATION_RELEASE, number, 0, &release_answer);
    number = expect(s, OPERATION_REVERSAL, "", &reversal);
    check(s, server_good(s) && reversal.epoch == s->hello_epoch && reversal.number == 2, "reversal");
    check(s, server_good(s) && reversal.card.size == 0 && reversal.amount == -1, "nothing said");
    server_done(s, OPERATION_REVERSAL, number, 0, &reversal_answer);
    number = expect(s, OPERATION_REVERSAL, "", &reversal);
    check(s, server_good(s) && reversal.epoch == 9 && is(&reversal.card, "1") && reversal.amount == 0,
          "what it should be");
    server_done(s, OPERATION_REVERSAL, number, 0, &reversal_answer);
}

static void redeem_a_reward(struct punkt *punkt)
{
    const struct punkt_redeem_request request = { .size = sizeof(request),
                                                  .card = "1",
                                                  .reward = "book",
                                                  .bill = 9,
                                                  .sale_store = "SS",
                                                  .sale_till = "ST",
                                                  .sale_date = 5,
                                                  .sale_receipt = "SR",
                                                  .sale_position = 6,
                                                  .pin = "1" };
    struct punkt_redeem_answer answer = PUNKT_ANSWER_INIT(answer);
    assert_int_equal(punkt_redeem(punkt, &request, &answer), PUNKT_CALL_DONE);
    assert_int_equal(answer.stamps, 2);
    assert_int_equal(answer.shortfall, 3);
    assert_string_equal(answer.reward, "book");
    assert_string_equal(answer.voucher, "V2");
}

static void hold_and_capture(struct punkt *punkt)
{
    const struct punkt_hold_request hold = { .size = sizeof(hold),
                                             .card = "1",
                                             .points = 15,
                                             .store = "S",
                                             .operator_ = "O",
                                             .bill = 10,
                                             .seconds = 60,
                                             .pin = "12345678901234567890123456789012" };
    const struct punkt_capture_request capture = {
        .size = sizeof(capture), .card = "1", .hold = 70, .bill = 11
    };
    struct punkt_hold_answer held = PUNKT_ANSWER_INIT(held);
    struct punkt_capture_answer captured = PUNKT_ANSWER_INIT(captured);
    assert_int_equal(punkt_hold(punkt, &hold, &held), PUNKT_CALL_DONE);
    assert_int_equal(held.position, 70);
    assert_int_equal(held.held, 1);
    assert_int_equal(held.worth, 2);
    assert_int_equal(held.deadline_us, 3);
    assert_int_equal(held.available, 4);
    assert_int_equal(held.stamps, 5);
    assert_string_equal(held.reward, "book");
    assert_int_equal(punkt_capture(punkt, &capture, &captured), PUNKT_CALL_DONE);
    assert_int_equal(captured.position, 71);
    assert_int_equal(captured.redeemed, 1);
    assert_int_equal(captured.worth, 2);
    assert_int_equal(captured.given_back, 3);
    assert_int_equal(captured.available, 4);
    assert_int_equal(captured.stamps, 5);
    assert_int_equal(captured.shortfall, 6);
    assert_string_equal(captured.reward, "book");
    assert_string_equal(captured.voucher, "V3");
}

static void spending(void **state)
{
    (void)state;
    const struct punkt_release_request release = { .size = sizeof(release), .card = "1", .hold = 70 };
    struct punkt_reversal_request reversal = { .size = sizeof(reversal), .number = 2 };
    struct punkt_release_answer released = PUNKT_ANSWER_INIT(released);
    struct punkt_reversal_answer reversed = PUNKT_ANSWER_INIT(reversed);
    server_start(&server, NULL, script_spending);
    struct punkt *punkt = client(server.address);
    redeem_a_reward(punkt);
    hold_and_capture(punkt);
    assert_int_equal(punkt_release(punkt, &release, &released), PUNKT_CALL_DONE);
    assert_int_equal(released.position, 72);
    assert_int_equal(released.given_back, 3);
    assert_int_equal(released.available, 4);
    assert_int_equal(punkt_reversal(punkt, &reversal, &reversed), PUNKT_CALL_DONE);
    assert_int_equal(reversed.outcome, PUNKT_REVERSAL_WILL_BE_REFUSED);
    assert_int_equal(reversed.taken, 1);
    assert_int_equal(reversed.given_back, 2);
    assert_int_equal(reversed.available, 3);
    assert_int_equal(reversed.debt, 4);
    assert_int_equal(reversed.amount, 5);
    assert_int_equal(reversed.head.number, 5);
    reversal.epoch = 9;
    reversal.card = "1";
    reversal.with_amount = true;
    assert_int_equal(punkt_reversal(punkt, &reversal, &reversed), PUNKT_CALL_DONE);
    punkt_free(punkt);
    server_join(&server);
}

/* --- what is shown --- */

#define LOTS 1024

static void script_shows(struct server *s)
{
    static struct msg_lot_entry lots[LOTS];
    struct msg_card_show_request show;
    struct msg_statement_request page;
    struct msg_tag tags[] = { { .tag = code("staff") }, { .tag = code("10") } };
    struct msg_purse purses[] = { { .name = code("coffee"), .count = -1000, .held = 2 } };
    struct msg_hold_entry holds[] = { { .hold = 8, .points = 9, .deadline = 10, .reward = code("book") } };
    struct msg_offer_entry offers[] = { { .offer = code("double") } };
    struct msg_card_show_answer card = { .status = 5,
                                         .cards = 2,
                                         .tier = code("gold"),
                                         .tier_through = 20001,
                                         .pin = 2,
                                         .last_purchase = 17,
                                         .last_event = 18,
                                         .flags = 3,
                                         .tags = tags,
                                         .tags_count = 2,
                                         .purses = purses,
                                         .purses_count = 1,
                                         .holds = holds,
                                         .holds_count = 1,
                                         .activated = offers,
                                         .activated_count = 1,
                                         .lots = lots,
                                         .lots_count = LOTS };
    struct msg_statement_entry entries[] = { { .kind = 17, .card = code("2"), .expired = -3, .refers = 4 } };
    struct msg_statement_answer statement = { .entries = entries, .entries_count = 1 };
    struct msg_totals_answer totals = {
        .bonus = 1, .unlinked = -2, .expired = -3, .forfeited = -4, .written_off = 5, .reversed = -6
    };
    for (uint64_t i = 0; i < LOTS; i++)
        lots[i] = (struct msg_lot_entry){
            .number = i, .points = 1000, .held = 1, .earned = 3, .matures = 4, .last_day = 5
        };
    server_welcome(s);
    uint64_t number = expect(s, OPERATION_CARD_SHOW, "", &show);
    check(s, server_good(s) && show.at == 99 && show.lots == 1, "at, with lots");
    server_done(s, OPERATION_CARD_SHOW, number, 0, &card);
    number = expect(s, OPERATION_STATEMENT, "", &page);
    check(s, server_good(s) && page.with_merged == 1 && page.limit == 50, "a page");
    server_done(s, OPERATION_STATEMENT, number, 0, &statement);
    server_done(s, OPERATION_TOTALS, server_expect(s, OPERATION_TOTALS), 0, &totals);
}

static void show_card(struct punkt *punkt)
{
    const struct punkt_card_show_request request = {
        .size = sizeof(request), .card = "1", .at_us = 99, .with_lots = true
    };
    struct punkt_card_show_answer answer = PUNKT_ANSWER_INIT(answer);
    assert_int_equal(punkt_card_show(punkt, &request, &answer), PUNKT_CALL_DONE);
    assert_string_equal(punkt_card_status_name(answer.status), "suspense");
    assert_int_equal(answer.cards, 2);
    assert_string_equal(answer.tier, "gold");
    assert_int_equal(answer.tier_through, 20001);
    assert_int_equal(answer.pin, PUNKT_PIN_LOCKED);
    assert_int_equal(answer.last_purchase_us, 17);
    assert_int_equal(answer.last_event, 18);
    assert_true(answer.account_closed && answer.beside_suspense);
    assert_int_equal(answer.tag_count, 2);
    assert_string_equal(answer.tags[0], "staff");
    assert_string_equal(answer.tags[1], "10");
    assert_int_equal(answer.purse_count, 1);
    assert_string_equal(answer.purses[0]->name, "coffee");
    assert_int_equal(answer.purses[0]->count, -1000);
    assert_int_equal(answer.purses[0]->held, 2);
    assert_int_equal(answer.hold_count, 1);
    assert_int_equal(answer.holds[0]->hold, 8);
    assert_int_equal(answer.holds[0]->points, 9);
    assert_int_equal(answer.holds[0]->deadline_us, 10);
    assert_string_equal(answer.holds[0]->reward, "book");
    assert_int_equal(answer.activated_count, 1);
    assert_string_equal(answer.activated[0], "double");
    assert_int_equal(answer.lot_count, LOTS);
    const struct punkt_lot *last = answer.lots[LOTS - 1];
    assert_int_equal(last->number, LOTS - 1);
    assert_int_equal(last->points, 1000);
    assert_int_equal(last->held, 1);
    assert_int_equal(last->earned, 3);
    assert_int_equal(last->matures, 4);
    assert_int_equal(last->last_day, 5);
}

static void shows(void **state)
{
    (void)state;
    const struct punkt_statement_request page = { .size = sizeof(page), .card = "1", .with_merged = true };
    struct punkt_statement_answer statement = PUNKT_ANSWER_INIT(statement);
    struct punkt_totals_answer totals = PUNKT_ANSWER_INIT(totals);
    server_start(&server, NULL, script_shows);
    struct punkt *punkt = client(server.address);
    show_card(punkt);
    assert_int_equal(punkt_statement(punkt, &page, &statement), PUNKT_CALL_DONE);
    const struct punkt_statement_entry *entry = punkt_statement_entry(&statement, 0);
    assert_non_null(entry);
    assert_string_equal(punkt_event_name(entry->kind), "transfer");
    assert_string_equal(entry->card, "2");
    assert_int_equal(entry->expired, -3);
    assert_int_equal(entry->refers, 4);
    assert_int_equal(punkt_totals(punkt, NULL, &totals), PUNKT_CALL_DONE);
    assert_int_equal(totals.bonus, 1);
    assert_int_equal(totals.unlinked, -2);
    assert_int_equal(totals.expired, -3);
    assert_int_equal(totals.forfeited, -4);
    assert_int_equal(totals.written_off, 5);
    assert_int_equal(totals.reversed, -6);
    punkt_free(punkt);
    server_join(&server);
}

/* --- what never leaves --- */

static const char *complaint(struct punkt *punkt, enum punkt_call call)
{
    assert_int_equal(call, PUNKT_CALL_INVALID);
    return punkt_trouble(punkt);
}

static void wrong_wishes(void **state)
{
    (void)state;
    static const char *const long_code = "123456789012345678901234567890123";
    const struct {
        const char *says;
        struct punkt_wish wish;
    } rows[] = {
        { "size of the first wish", { .points = 1 } },
        { "neither points", { .size = sizeof(rows[0].wish) } },
        { "points of a wish", { .size = sizeof(rows[0].wish), .points = -1 } },
        { "points of a wish", { .size = sizeof(rows[0].wish), .points = INT64_C(1000000000000000) } },
        { "reward of a wish", { .size = sizeof(rows[0].wish), .reward = long_code } },
        { "line of a wish", { .size = sizeof(rows[0].wish), .points = 1, .line = 4097 } },
    };
    struct punkt *punkt = client("unix:/nonexistent/socket");
    struct punkt_purchase_answer answer = PUNKT_ANSWER_INIT(answer);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct punkt_purchase_request request = {
            .size = sizeof(request), .card = "1", .wishes = &rows[i].wish, .wish_count = 1
        };
        const char *says = complaint(punkt, punkt_purchase(punkt, &request, &answer));
        if (strstr(says, rows[i].says) == NULL)
            fail_msg("row %zu: '%s' instead of '%s'", i, says, rows[i].says);
    }
    const struct punkt_purchase_request many = {
        .size = sizeof(many), .card = "1", .wishes = &rows[1].wish, .wish_count = 9
    };
    assert_non_null(strstr(complaint(punkt, punkt_purchase(punkt, &many, &answer)), "8 wishes"));
    assert_int_equal(punkt_unanswered(punkt), 0);
    punkt_free(punkt);
}

static void wrong_spending(void **state)
{
    (void)state;
    static const char *const long_pin = "123456789012345678901234567890123";
    const struct {
        const char *says;
        struct punkt_redeem_request request;
    } rows[] = {
        { "points", { .size = sizeof(rows[0].request), .card = "1" } },
        { "points", { .size = sizeof(rows[0].request), .card = "1", .points = -1, .reward = "book" } },
        { "bill", { .size = sizeof(rows[0].request), .card = "1", .points = 1, .bill = -1 } },
        { "pin", { .size = sizeof(rows[0].request), .card = "1", .points = 1, .pin = long_pin } },
        { "date", { .size = sizeof(rows[0].request), .card = "1", .points = 1, .sale_date = -1 } },
    };
    const struct punkt_hold_request long_hold = {
        .size = sizeof(long_hold), .card = "1", .points = 1, .seconds = 86401
    };
    const struct punkt_capture_request no_hold = { .size = sizeof(no_hold), .card = "1" };
    const struct punkt_release_request nothing = { .size = sizeof(nothing), .card = "1" };
    const struct punkt_reversal_request no_number = { .size = sizeof(no_number) };
    const struct punkt_reversal_request amount = { .size = sizeof(amount), .number = 1, .amount = 5 };
    struct punkt_redeem_answer redeemed = PUNKT_ANSWER_INIT(redeemed);
    struct punkt_hold_answer held = PUNKT_ANSWER_INIT(held);
    struct punkt_capture_answer captured = PUNKT_ANSWER_INIT(captured);
    struct punkt_release_answer released = PUNKT_ANSWER_INIT(released);
    struct punkt_reversal_answer reversed = PUNKT_ANSWER_INIT(reversed);
    struct punkt *punkt = client("unix:/nonexistent/socket");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *says = complaint(punkt, punkt_redeem(punkt, &rows[i].request, &redeemed));
        if (strstr(says, rows[i].says) == NULL)
            fail_msg("row %zu: '%s' instead of '%s'", i, says, rows[i].says);
    }
    assert_non_null(strstr(complaint(punkt, punkt_hold(punkt, &long_hold, &held)), "seconds"));
    assert_non_null(strstr(complaint(punkt, punkt_capture(punkt, &no_hold, &captured)), "hold"));
    assert_non_null(strstr(complaint(punkt, punkt_release(punkt, &nothing, &released)), "hold"));
    assert_non_null(strstr(complaint(punkt, punkt_reversal(punkt, &no_number, &reversed)), "number"));
    assert_non_null(strstr(complaint(punkt, punkt_reversal(punkt, &amount, &reversed)), "amount"));
    punkt_free(punkt);
}

/* A caller built with an older header: what its structs do not have yet has its default. */
static void script_older(struct server *s)
{
    struct msg_redeem_request redeem;
    struct msg_redeem_answer answer = { .redeemed = 40, .stamps = 5 };
    server_welcome(s);
    uint64_t number = expect(s, OPERATION_REDEEM, "", &redeem);
    check(s, server_good(s) && redeem.points == 40 && redeem.reward.size == 0 && redeem.quantity == 1,
          "defaults");
    server_done(s, OPERATION_REDEEM, number, 0, &answer);
}

static void older_callers(void **state)
{
    (void)state;
    struct punkt_redeem_request request = { .size = offsetof(struct punkt_redeem_request, reward),
                                            .card = "1",
                                            .points = 40,
                                            .reward = "not read",
                                            .pin = "not read" };
    struct punkt_redeem_answer answer = { .head = { .size = offsetof(struct punkt_redeem_answer, stamps) },
                                          .stamps = 77 };
    server_start(&server, NULL, script_older);
    struct punkt *punkt = client(server.address);
    assert_int_equal(punkt_redeem(punkt, &request, &answer), PUNKT_CALL_DONE);
    assert_int_equal(answer.redeemed, 40);
    assert_int_equal(answer.stamps, 77); /* is not the callee's */
    punkt_free(punkt);
    server_join(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(receipts),     cmocka_unit_test(spending),       cmocka_unit_test(shows),
        cmocka_unit_test(wrong_wishes), cmocka_unit_test(wrong_spending), cmocka_unit_test(older_callers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
