/*
 * Requests and answers, field by field: what a caller's struct becomes on the wire, what a message becomes in the
 * caller's answer, and which requests never leave. Helpers too.
 */
#include <assert.h>
#include <punkt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client_server.h"
#include "points/event.h"

static_assert((int)PUNKT_EVENT_CARDS_ISSUED == (int)EVENT_CARDS_ISSUED, "one number for an event everywhere");
static_assert((int)PUNKT_EVENT_PURCHASE == (int)EVENT_PURCHASE, "one number for an event everywhere");
static_assert((int)PUNKT_EVENT_RETURN == (int)EVENT_RETURN, "one number for an event everywhere");
static_assert((int)PUNKT_EVENT_UNLINKED_RETURN == (int)EVENT_UNLINKED_RETURN,
              "one number for an event everywhere");
static_assert((int)PUNKT_EVENT_REDEMPTION == (int)EVENT_REDEMPTION, "one number for an event everywhere");
static_assert((int)PUNKT_EVENT_ADJUSTMENT == (int)EVENT_ADJUSTMENT, "one number for an event everywhere");

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

static bool is(const struct wire_code *code, const char *text)
{
    return code->size == strlen(text) && memcmp(code->bytes, text, code->size) == 0;
}

/* --- changes --- */

static void answer_purchase(struct server *s)
{
    static max_align_t space[4096];
    struct message_memory memory = { .at = (uint8_t *)space, .left = sizeof(space) };
    struct msg_purchase_request got;
    struct msg_purchase_answer answer = {
        .position = 9, .earned = -1, .available = 2, .pending = 3, .debt = 4, .flags = 1
    };
    uint64_t number = server_expect(s, OPERATION_PURCHASE);
    server_decode(s, MESSAGE_purchase_request, &memory, &got);
    if (!server_good(s))
        return;
    check(s, s->frame.flags == (FRAME_FLAG_HISTORIC | FRAME_FLAG_ADVICE), "flags");
    check(s, is(&got.card, "CARD-1") && got.amount == 250 && got.time == 17 && got.business_date == 19000,
          "head");
    check(s, is(&got.store, "S") && is(&got.till, "0") && is(&got.receipt, "R1") && is(&got.operator, "O"),
          "codes");
    check(s, got.lines_count == 2 && got.tenders_count == 1 && got.coupons_count == 2, "counts");
    if (server_good(s)) {
        check(s, is(&got.lines[0].code, "A") && got.lines[0].amount == 300 && got.lines[0].quantity == 1000,
              "line 1");
        check(s,
              is(&got.lines[1].category, "c") && got.lines[1].amount == -50 &&
                  got.lines[1].quantity == 2500 && got.lines[1].kind == 1 && got.lines[1].tax == -7,
              "line 2");
        check(s, is(&got.tenders[0].kind, "cash") && got.tenders[0].amount == 250, "tender");
        check(s, is(&got.coupons[1].code, "K2"), "coupon");
    }
    server_done(s, OPERATION_PURCHASE, number, 0, &answer);
}

static void answer_return(struct server *s)
{
    static max_align_t space[4096];
    struct message_memory memory = { .at = (uint8_t *)space, .left = sizeof(space) };
    struct msg_return_request got;
    struct msg_return_answer answer = {
        .taken = 5, .given_back = 6, .shortfall = 7, .available = 8, .debt = 9
    };
    uint64_t number = server_expect(s, OPERATION_RETURN);
    server_decode(s, MESSAGE_return_request, &memory, &got);
    if (!server_good(s))
        return;
    check(s, is(&got.sale_store, "SS") && is(&got.sale_till, "ST") && is(&got.sale_receipt, "SR"), "sale");
    check(s, got.sale_date == 5 && got.sale_position == 6 && is(&got.document, "D1"), "document");
    check(s, got.lines_count == 2 && got.lines[0].number == 3 && got.lines[1].number == 0, "lines");
    check(s, got.lines_count == 2 && got.lines[1].quantity == 500 && is(&got.lines[1].code, "B"), "line 2");
    server_done(s, OPERATION_RETURN, number, 0, &answer);
}

static void answer_others(struct server *s)
{
    struct msg_unlinked_return_request unlinked;
    struct msg_unlinked_return_answer unlinked_answer = { .taken = 11 };
    struct msg_redeem_request redeem;
    struct msg_redeem_answer redeem_answer = { .redeemed = 40, .available = 60, .worth = 200 };
    struct msg_adjust_request adjust;
    struct msg_adjust_answer adjust_answer = { .points = -10, .available = 50, .debt = 1 };
    struct msg_card_issue_request issue;
    struct msg_card_issue_answer issue_answer = { .account = 4, .status = 1, .count = 10000 };
    struct msg_clock_accept_answer clock_answer = { .position = 1, .before = 2, .after = 3 };

    uint64_t number = server_expect(s, OPERATION_UNLINKED_RETURN);
    server_decode(s, MESSAGE_unlinked_return_request, NULL, &unlinked);
    check(s, server_good(s) && unlinked.amount == 77 && is(&unlinked.document, "D2"), "unlinked return");
    server_done(s, OPERATION_UNLINKED_RETURN, number, 0, &unlinked_answer);
    number = server_expect(s, OPERATION_REDEEM);
    server_decode(s, MESSAGE_redeem_request, NULL, &redeem);
    check(s, server_good(s) && redeem.points == 40 && redeem.time == 0 && is(&redeem.store, "0"), "redeem");
    server_done(s, OPERATION_REDEEM, number, 0, &redeem_answer);
    number = server_expect(s, OPERATION_ADJUST);
    server_decode(s, MESSAGE_adjust_request, NULL, &adjust);
    check(s,
          server_good(s) && adjust.points == -10 && adjust.allow_debt == 1 &&
              is(&adjust.reason, "goodwill") && adjust.note.size == 4,
          "adjust");
    server_done(s, OPERATION_ADJUST, number, 0, &adjust_answer);
    number = server_expect(s, OPERATION_CARD_ISSUE);
    server_decode(s, MESSAGE_card_issue_request, NULL, &issue);
    check(s, server_good(s) && issue.count == 10000, "issue");
    server_done(s, OPERATION_CARD_ISSUE, number, 0, &issue_answer);
    server_done(s, OPERATION_CLOCK_ACCEPT, server_expect(s, OPERATION_CLOCK_ACCEPT), 0, &clock_answer);
}

static void script_changes(struct server *s)
{
    server_welcome(s);
    answer_purchase(s);
    answer_return(s);
    answer_others(s);
}

static void buy_everything(struct punkt *punkt)
{
    static const char *const coupons[] = { "K1", "K2" };
    const struct punkt_tender tender = { .size = sizeof(tender), .kind = "cash", .amount = 250 };
    const struct punkt_line lines[] = {
        { .size = sizeof(lines[0]), .code = "A", .amount = 300 },
        { .size = sizeof(lines[0]),
          .code = "B",
          .amount = -50,
          .quantity = 2500,
          .category = "c",
          .kind = PUNKT_LINE_DISCOUNT,
          .tax = -7 },
    };
    const struct punkt_purchase_request request = { .size = sizeof(request),
                                                    .flags = PUNKT_FLAG_HISTORIC | PUNKT_FLAG_ADVICE,
                                                    .card = "CARD-1",
                                                    .amount = 250,
                                                    .time_us = 17,
                                                    .store = "S",
                                                    .receipt = "R1",
                                                    .business_date = 19000,
                                                    .operator_ = "O",
                                                    .lines = lines,
                                                    .line_count = 2,
                                                    .tenders = &tender,
                                                    .tender_count = 1,
                                                    .coupons = coupons,
                                                    .coupon_count = 2 };
    struct punkt_purchase_answer answer = PUNKT_ANSWER_INIT(answer);
    assert_int_equal(punkt_purchase(punkt, &request, &answer), PUNKT_CALL_DONE);
    assert_int_equal(answer.earned, -1);
    assert_int_equal(answer.pending, 3);
    assert_int_equal(answer.debt, 4);
    assert_true(answer.server_time_used);
}

static void take_back(struct punkt *punkt)
{
    const struct punkt_return_line lines[] = { { .size = sizeof(lines[0]), .number = 3 },
                                               { .size = sizeof(lines[0]), .quantity = 500, .code = "B" } };
    const struct punkt_return_request request = { .size = sizeof(request),
                                                  .card = "1",
                                                  .sale_store = "SS",
                                                  .sale_till = "ST",
                                                  .sale_date = 5,
                                                  .sale_receipt = "SR",
                                                  .sale_position = 6,
                                                  .document = "D1",
                                                  .lines = lines,
                                                  .line_count = 2 };
    const struct punkt_unlinked_return_request unlinked = {
        .size = sizeof(unlinked), .card = "1", .amount = 77, .document = "D2"
    };
    struct punkt_return_answer answer = PUNKT_ANSWER_INIT(answer);
    assert_int_equal(punkt_return(punkt, &request, &answer), PUNKT_CALL_DONE);
    assert_int_equal(answer.taken, 5);
    assert_int_equal(answer.given_back, 6);
    assert_int_equal(answer.shortfall, 7);
    assert_false(answer.server_time_used);
    assert_int_equal(punkt_unlinked_return(punkt, &unlinked, &answer), PUNKT_CALL_DONE);
    assert_int_equal(answer.taken, 11);
}

static void changes(void **state)
{
    (void)state;
    const struct punkt_redeem_request redeem = { .size = sizeof(redeem), .card = "1", .points = 40 };
    const struct punkt_adjust_request adjust = { .size = sizeof(adjust),
                                                 .card = "1",
                                                 .points = -10,
                                                 .reason = "goodwill",
                                                 .note = "sour",
                                                 .allow_debt = true };
    const struct punkt_card_issue_request issue = { .size = sizeof(issue), .card = "1", .count = 10000 };
    struct punkt_redeem_answer redeemed = PUNKT_ANSWER_INIT(redeemed);
    struct punkt_adjust_answer adjusted = PUNKT_ANSWER_INIT(adjusted);
    struct punkt_card_issue_answer issued = PUNKT_ANSWER_INIT(issued);
    struct punkt_clock_accept_answer accepted = PUNKT_ANSWER_INIT(accepted);
    server_start(&server, NULL, script_changes);
    struct punkt *punkt = client(server.address);
    buy_everything(punkt);
    take_back(punkt);
    assert_int_equal(punkt_redeem(punkt, &redeem, &redeemed), PUNKT_CALL_DONE);
    assert_int_equal(redeemed.worth, 200);
    assert_int_equal(punkt_adjust(punkt, &adjust, &adjusted), PUNKT_CALL_DONE);
    assert_int_equal(adjusted.points, -10);
    assert_int_equal(punkt_card_issue(punkt, &issue, &issued), PUNKT_CALL_DONE);
    assert_int_equal(issued.count, 10000);
    assert_string_equal(punkt_card_status_name(issued.status), "active");
    assert_int_equal(punkt_clock_accept(punkt, NULL, &accepted), PUNKT_CALL_DONE);
    assert_int_equal(accepted.after_us, 3);
    assert_int_equal(accepted.head.number, 7);
    punkt_free(punkt);
    server_join(&server);
}

/* --- reads --- */

static void answer_status(struct server *s)
{
    struct msg_status_request got;
    struct msg_redeem_answer redeem = { .redeemed = 40, .available = 60 };
    uint8_t body[64];
    struct wire_writer writer = wire_writer_over(body, sizeof(body));
    message_encode(MESSAGE_redeem_answer, &redeem, &writer);
    struct msg_status_answer answer = { .state = 1,
                                        .type = FRAME_TYPE_DONE | OPERATION_REDEEM,
                                        .answer = { .data = (char *)body, .size = wire_written(&writer) } };
    uint64_t number = server_expect(s, OPERATION_STATUS);
    server_decode(s, MESSAGE_status_request, NULL, &got);
    check(s, server_good(s) && got.epoch == s->hello_epoch && got.number == 12 && got.identity == 17,
          "status");
    server_done(s, OPERATION_STATUS, number, 0, &answer);
    answer = (struct msg_status_answer){ .state = 0 };
    server_done(s, OPERATION_STATUS, server_expect(s, OPERATION_STATUS), 0, &answer);
}

static void script_reads(struct server *s)
{
    static char programme[65536];
    struct msg_card_show_answer card = { .account = 4,
                                         .status = 2,
                                         .available = 5,
                                         .lifetime = 6,
                                         .next_expiry_day = 20000,
                                         .next_expiry_points = 3 };
    struct msg_totals_answer totals = { .accounts = 1, .events = UINT64_MAX, .adjusted = -3 };
    struct msg_programme_show_answer show = { .version = 3,
                                              .from = 4,
                                              .text = { programme, sizeof(programme) } };
    struct msg_audit_verify_answer audit = {
        .blocks = 1, .state = 0, .file = { "journal/0", 9 }, .offset = 44, .detail = { "hash", 4 }
    };
    memset(programme, 'x', sizeof(programme));
    server_welcome(s);
    server_done(s, OPERATION_CARD_SHOW, server_expect(s, OPERATION_CARD_SHOW), 0, &card);
    answer_status(s);
    server_done(s, OPERATION_TOTALS, server_expect(s, OPERATION_TOTALS), 0, &totals);
    server_done(s, OPERATION_PROGRAMME_SHOW, server_expect(s, OPERATION_PROGRAMME_SHOW), 0, &show);
    server_done(s, OPERATION_AUDIT_VERIFY, server_expect(s, OPERATION_AUDIT_VERIFY), 0, &audit);
}

static void ask_status(struct punkt *punkt)
{
    struct punkt_status_request request = { .size = sizeof(request), .number = 12, .identity = 17 };
    struct punkt_status_answer answer = PUNKT_ANSWER_INIT(answer);
    assert_int_equal(punkt_status(punkt, &request, &answer), PUNKT_CALL_DONE);
    assert_int_equal(answer.head.number, 0); /* a read has none */
    assert_int_equal(answer.state, PUNKT_STATUS_DONE);
    assert_non_null(answer.first);
    assert_int_equal(answer.first->operation, PUNKT_OPERATION_REDEEM);
    assert_int_equal(((const struct punkt_redeem_answer *)answer.first)->redeemed, 40);
    assert_int_equal(punkt_status(punkt, &request, &answer), PUNKT_CALL_DONE);
    assert_int_equal(answer.state, PUNKT_STATUS_NEVER_SEEN);
    assert_null(answer.first);
}

static void reads(void **state)
{
    (void)state;
    const struct punkt_card_show_request show = { .size = sizeof(show), .card = "1" };
    const struct punkt_programme_show_request version = { .size = sizeof(version) };
    struct punkt_card_show_answer card = PUNKT_ANSWER_INIT(card);
    struct punkt_totals_answer totals = PUNKT_ANSWER_INIT(totals);
    struct punkt_programme_show_answer programme = PUNKT_ANSWER_INIT(programme);
    struct punkt_audit_verify_answer audit = PUNKT_ANSWER_INIT(audit);
    server_start(&server, NULL, script_reads);
    struct punkt *punkt = client(server.address);
    assert_int_equal(punkt_card_show(punkt, &show, &card), PUNKT_CALL_DONE);
    assert_int_equal(card.next_expiry_day, 20000);
    assert_string_equal(punkt_card_status_name(card.status), "blocked");
    ask_status(punkt);
    assert_int_equal(punkt_totals(punkt, NULL, &totals), PUNKT_CALL_DONE);
    assert_int_equal(totals.adjusted, -3);
    assert_true(totals.events == UINT64_MAX);
    assert_int_equal(punkt_programme_show(punkt, &version, &programme), PUNKT_CALL_DONE);
    assert_int_equal(strlen(programme.text), 65536);
    assert_int_equal(punkt_audit_verify(punkt, NULL, &audit), PUNKT_CALL_DONE);
    assert_int_equal(audit.state, PUNKT_AUDIT_DAMAGE);
    assert_string_equal(audit.file, "journal/0");
    assert_int_equal(audit.offset, 44);
    punkt_free(punkt);
    server_join(&server);
}

/* --- what never leaves --- */

static void wrong_purchases(void **state)
{
    (void)state;
    static const char *const long_code = "123456789012345678901234567890123";
    const struct punkt_line no_code = { .size = sizeof(no_code), .amount = 1 };
    const struct punkt_line no_size = { .code = "A" };
    const struct {
        const char *says;
        struct punkt_purchase_request request;
    } rows[] = {
        { "size", { .card = "1" } },
        { "flags", { .size = sizeof(rows[0].request), .flags = 0x10, .card = "1" } },
        { "card", { .size = sizeof(rows[0].request) } },
        { "card", { .size = sizeof(rows[0].request), .card = "no blanks" } },
        { "card", { .size = sizeof(rows[0].request), .card = long_code } },
        { "amount", { .size = sizeof(rows[0].request), .card = "1", .amount = -1 } },
        { "amount", { .size = sizeof(rows[0].request), .card = "1", .amount = INT64_C(1000000000000) } },
        { "time", { .size = sizeof(rows[0].request), .card = "1", .time_us = -1 } },
        { "store", { .size = sizeof(rows[0].request), .card = "1", .store = long_code } },
        { "till", { .size = sizeof(rows[0].request), .card = "1", .till = "\x01" } },
        { "operator", { .size = sizeof(rows[0].request), .card = "1", .operator_ = "\xff" } },
        { "receipt", { .size = sizeof(rows[0].request), .card = "1", .receipt = long_code } },
        { "date", { .size = sizeof(rows[0].request), .card = "1", .business_date = -1 } },
        { "lines", { .size = sizeof(rows[0].request), .card = "1", .lines = &no_code, .line_count = 4097 } },
        { "line", { .size = sizeof(rows[0].request), .card = "1", .line_count = 1 } },
        { "size of the first line",
          { .size = sizeof(rows[0].request), .card = "1", .lines = &no_size, .line_count = 1 } },
        { "code of a line",
          { .size = sizeof(rows[0].request), .card = "1", .lines = &no_code, .line_count = 1 } },
    };
    struct punkt *punkt = client("unix:/nonexistent/socket");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct punkt_purchase_answer answer = PUNKT_ANSWER_INIT(answer);
        assert_int_equal(punkt_purchase(punkt, &rows[i].request, &answer), PUNKT_CALL_INVALID);
        if (strstr(answer.head.detail, rows[i].says) == NULL ||
            strcmp(answer.head.detail, punkt_trouble(punkt)) != 0)
            fail_msg("row %zu: '%s' instead of '%s'", i, answer.head.detail, rows[i].says);
    }
    assert_int_equal(punkt_unanswered(punkt), 0);
    punkt_free(punkt);
}

/* A caller built with a newer header: fields that are not known here may be there, but not be used. */
static void newer_callers(void **state)
{
    (void)state;
    struct {
        struct punkt_card_show_request known;
        uint64_t newer;
    } request = { .known = { .size = sizeof(request), .timeout_ms = 1, .card = "1" } };
    struct {
        struct punkt_card_show_answer known;
        uint64_t newer;
    } answer = { .known = { .head = { .size = sizeof(answer) } }, .newer = 7 };
    struct punkt *punkt = client("unix:/nonexistent/socket");
    assert_int_equal(punkt_card_show(punkt, &request.known, &answer.known), PUNKT_CALL_NOT_SENT);
    assert_int_equal(answer.newer, 0);
    assert_int_equal(answer.known.head.size, sizeof(answer));
    request.newer = 1;
    assert_int_equal(punkt_card_show(punkt, &request.known, &answer.known), PUNKT_CALL_INVALID);
    punkt_free(punkt);
}

static void wrong_options(void **state)
{
    (void)state;
    static const struct punkt_options rows[] = {
        { .size = offsetof(struct punkt_options, term), .server = "127.0.0.1:7400" },
        { .size = sizeof(rows[0]) },
        { .size = sizeof(rows[0]), .server = "" },
        { .size = sizeof(rows[0]), .server = "localhost" },
        { .size = sizeof(rows[0]), .server = ":7400" },
        { .size = sizeof(rows[0]), .server = "localhost:0" },
        { .size = sizeof(rows[0]), .server = "localhost:65536" },
        { .size = sizeof(rows[0]), .server = "localhost:http" },
        { .size = sizeof(rows[0]), .server = "::1:7400" },
        { .size = sizeof(rows[0]), .server = "[]:7400" },
        { .size = sizeof(rows[0]), .server = "unix:" },
        { .size = sizeof(rows[0]), .server = "localhost:1,,localhost:2" },
        { .size = sizeof(rows[0]), .server = "localhost:1", .window = PUNKT_WINDOW_MAX + 1 },
        { .size = sizeof(rows[0]), .server = "localhost:1", .next_number = 2 },
        { .size = sizeof(rows[0]), .server = "localhost:1", .software = "two\nlines" },
    };
    struct punkt *punkt;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (punkt_new(&rows[i], &punkt) != PUNKT_CALL_INVALID || punkt != NULL)
            fail_msg("row %zu was taken", i);
    }
    assert_int_equal(punkt_new(NULL, &punkt), PUNKT_CALL_INVALID);
    punkt_free(NULL);
    punkt = client("[::1]:7400,localhost:1,unix:/run/x");
    assert_int_equal(punkt_fd(punkt), -1);
    assert_int_equal(punkt_wanted(punkt), 0);
    assert_int_equal(punkt_timeout_ms(punkt), -1);
    assert_int_equal(punkt_process(punkt), 0);
    assert_int_equal(punkt_drive(punkt, -1), 0);
    punkt_free(punkt);
}

/* --- helpers --- */

static void decimals(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned decimals;
        bool good;
        int64_t value;
        const char *back; /* NULL: the text itself */
    } rows[] = {
        { "105.00", 2, true, 10500, NULL },
        { "105", 2, true, 10500, "105.00" },
        { "105.5", 2, true, 10550, "105.50" },
        { "-0.05", 2, true, -5, NULL },
        { "0", 0, true, 0, NULL },
        { "-7", 0, true, -7, NULL },
        { "0.001", 3, true, 1, NULL },
        { "9223372036854775807", 0, true, INT64_MAX, NULL },
        { "92233720368547758.07", 2, true, INT64_MAX, NULL },
        { "9223372036854775808", 0, false, 0, NULL },
        { "92233720368547758.08", 2, false, 0, NULL },
        { "99999999999999999999", 2, false, 0, NULL },
        { "1.005", 2, false, 0, NULL },
        { "1.", 2, false, 0, NULL },
        { ".5", 2, false, 0, NULL },
        { "1.0", 0, false, 0, NULL },
        { "", 2, false, 0, NULL },
        { "-", 2, false, 0, NULL },
        { "+1", 2, false, 0, NULL },
        { " 1", 2, false, 0, NULL },
        { "1e3", 2, false, 0, NULL },
        { "1,5", 2, false, 0, NULL },
        { "1.2.3", 2, false, 0, NULL },
        { "--1", 2, false, 0, NULL },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t value = 0;
        char back[32];
        if (punkt_decimal_parse(rows[i].text, rows[i].decimals, &value) != rows[i].good ||
            value != rows[i].value)
            fail_msg("%s", rows[i].text);
        if (!rows[i].good)
            continue;
        const char *want = rows[i].back != NULL ? rows[i].back : rows[i].text;
        assert_int_equal(punkt_decimal_format(value, rows[i].decimals, back, sizeof(back)), strlen(want));
        assert_string_equal(back, want);
    }
    char few[4];
    assert_int_equal(punkt_decimal_format(INT64_MIN, 2, few, sizeof(few)), 21);
    assert_string_equal(few, "-92");
    assert_int_equal(punkt_decimal_format(1, 2, NULL, 0), 4);
}

static void cards(void **state)
{
    (void)state;
    char card[PUNKT_CARD_MAX + 1];
    assert_true(punkt_card_valid("2900000000018", PUNKT_CARD_CHECK_EAN13));
    assert_false(punkt_card_valid("2900000000019", PUNKT_CARD_CHECK_EAN13));
    assert_true(punkt_card_valid("4111111111111111", PUNKT_CARD_CHECK_LUHN));
    assert_true(punkt_card_valid("any.thing@all", PUNKT_CARD_CHECK_NONE));
    assert_false(punkt_card_valid("", PUNKT_CARD_CHECK_NONE));
    assert_false(punkt_card_valid(NULL, PUNKT_CARD_CHECK_NONE));
    assert_true(punkt_card_from_scan(";4111111111111111=2512?", card));
    assert_string_equal(card, "4111111111111111");
    assert_false(punkt_card_from_scan(";=?", card));
    assert_string_equal(card, "");
    assert_true(punkt_card_after("2900000000018", 1, PUNKT_CARD_CHECK_EAN13, card));
    assert_string_equal(card, "2900000000025");
    assert_false(punkt_card_after("999", 1, PUNKT_CARD_CHECK_NONE, card));
}

static void names(void **state)
{
    (void)state;
    assert_string_equal(punkt_result_name(PUNKT_RESULT_UNKNOWN_CARD), "unknown_card");
    assert_int_equal(punkt_result_exit_code(PUNKT_RESULT_UNKNOWN_CARD), 3);
    assert_true(punkt_result_retryable(PUNKT_RESULT_BUSY));
    assert_string_equal(punkt_result_name(60000), "refused"); /* of a newer server */
    assert_int_equal(punkt_result_exit_code(60000), 1);
    assert_false(punkt_result_retryable(60000));
    assert_string_equal(punkt_operation_name(PUNKT_OPERATION_UNLINKED_RETURN), "unlinked_return");
    assert_string_equal(punkt_operation_name(70000), "unknown");
    assert_string_equal(punkt_call_name(PUNKT_CALL_NOT_SENT), "not_sent");
    assert_string_equal(punkt_event_name(200), "event");
    assert_string_equal(punkt_card_status_name(9), "unknown");
    assert_true(strlen(punkt_version()) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes),       cmocka_unit_test(reads),         cmocka_unit_test(wrong_purchases),
        cmocka_unit_test(newer_callers), cmocka_unit_test(wrong_options), cmocka_unit_test(decimals),
        cmocka_unit_test(cards),         cmocka_unit_test(names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
