#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "changes.h"

union any_answer {
    struct punkt_answer head;
    struct punkt_card_issue_answer card_issue;
    struct punkt_purchase_answer purchase;
    struct punkt_return_answer goods_return;
    struct punkt_redeem_answer redeem;
    struct punkt_adjust_answer adjust;
};

/* How a request leaves: with an answer to wait for, or with a callback. */
struct way {
    struct punkt *punkt;
    union any_answer *answer; /* NULL: submit */
    punkt_done_fn *on_done;
    void *ctx;
};

static enum punkt_call send_issue(const struct way *way, const struct change *change)
{
    struct punkt_card_issue_request request = { .size = sizeof(request),
                                                .timeout_ms = CHANGE_TIMEOUT_MS,
                                                .card = change->card,
                                                .count = change->card_count };
    if (way->answer == NULL)
        return punkt_submit_card_issue(way->punkt, &request, way->on_done, way->ctx);
    way->answer->head.size = sizeof(way->answer->card_issue);
    return punkt_card_issue(way->punkt, &request, &way->answer->card_issue);
}

static void fill_lines(const struct change *change, struct punkt_line lines[CHANGE_LINES_MAX])
{
    for (uint32_t i = 0; i < change->line_count; i++) {
        const struct change_line *line = &change->lines[i];
        lines[i] = (struct punkt_line){ .size = sizeof(lines[i]),
                                        .code = line->code,
                                        .amount = line->amount,
                                        .quantity = line->quantity,
                                        .kind = line->kind,
                                        .tax = line->tax };
    }
}

static enum punkt_call send_purchase(const struct way *way, const struct change *change)
{
    struct punkt_line lines[CHANGE_LINES_MAX];
    const char *coupons[] = { change->coupon };
    fill_lines(change, lines);
    struct punkt_purchase_request request = { .size = sizeof(request),
                                              .flags = change->historic ? PUNKT_FLAG_HISTORIC : 0,
                                              .timeout_ms = CHANGE_TIMEOUT_MS,
                                              .card = change->card,
                                              .amount = change->amount,
                                              .time_us = change->time_us,
                                              .store = change->store,
                                              .till = change->till,
                                              .receipt = change->number,
                                              .business_date = change->date,
                                              .operator_ = change->operator_,
                                              .lines = lines,
                                              .line_count = change->line_count,
                                              .coupons = coupons,
                                              .coupon_count = change->coupon[0] != '\0' };
    if (way->answer == NULL)
        return punkt_submit_purchase(way->punkt, &request, way->on_done, way->ctx);
    way->answer->head.size = sizeof(way->answer->purchase);
    return punkt_purchase(way->punkt, &request, &way->answer->purchase);
}

static enum punkt_call send_return(const struct way *way, const struct change *change)
{
    struct punkt_return_line lines[CHANGE_RETURN_LINES_MAX];
    for (uint32_t i = 0; i < change->return_line_count; i++)
        lines[i] = (struct punkt_return_line){ .size = sizeof(lines[i]),
                                               .number = change->return_lines[i].number,
                                               .quantity = change->return_lines[i].quantity,
                                               .code = change->return_lines[i].code };
    struct punkt_return_request request = { .size = sizeof(request),
                                            .flags = change->historic ? PUNKT_FLAG_HISTORIC : 0,
                                            .timeout_ms = CHANGE_TIMEOUT_MS,
                                            .card = change->card,
                                            .amount = change->amount,
                                            .time_us = change->time_us,
                                            .store = change->store,
                                            .till = change->till,
                                            .sale_store = change->sale_store,
                                            .sale_till = change->sale_till,
                                            .sale_date = change->sale_date,
                                            .sale_receipt = change->sale_receipt,
                                            .sale_position = change->sale_position,
                                            .document = change->number,
                                            .business_date = change->date,
                                            .operator_ = change->operator_,
                                            .lines = lines,
                                            .line_count = change->return_line_count };
    if (way->answer == NULL)
        return punkt_submit_return(way->punkt, &request, way->on_done, way->ctx);
    way->answer->head.size = sizeof(way->answer->goods_return);
    return punkt_return(way->punkt, &request, &way->answer->goods_return);
}

static enum punkt_call send_unlinked_return(const struct way *way, const struct change *change)
{
    struct punkt_line lines[CHANGE_LINES_MAX];
    fill_lines(change, lines);
    struct punkt_unlinked_return_request request = { .size = sizeof(request),
                                                     .flags = change->historic ? PUNKT_FLAG_HISTORIC : 0,
                                                     .timeout_ms = CHANGE_TIMEOUT_MS,
                                                     .card = change->card,
                                                     .amount = change->amount,
                                                     .time_us = change->time_us,
                                                     .store = change->store,
                                                     .till = change->till,
                                                     .document = change->number,
                                                     .business_date = change->date,
                                                     .operator_ = change->operator_,
                                                     .lines = lines,
                                                     .line_count = change->line_count };
    if (way->answer == NULL)
        return punkt_submit_unlinked_return(way->punkt, &request, way->on_done, way->ctx);
    way->answer->head.size = sizeof(way->answer->goods_return);
    return punkt_unlinked_return(way->punkt, &request, &way->answer->goods_return);
}

static enum punkt_call send_redeem(const struct way *way, const struct change *change)
{
    struct punkt_redeem_request request = { .size = sizeof(request),
                                            .timeout_ms = CHANGE_TIMEOUT_MS,
                                            .card = change->card,
                                            .points = change->points,
                                            .time_us = change->time_us,
                                            .store = change->store,
                                            .till = change->till,
                                            .operator_ = change->operator_ };
    if (way->answer == NULL)
        return punkt_submit_redeem(way->punkt, &request, way->on_done, way->ctx);
    way->answer->head.size = sizeof(way->answer->redeem);
    return punkt_redeem(way->punkt, &request, &way->answer->redeem);
}

static enum punkt_call send_adjust(const struct way *way, const struct change *change)
{
    struct punkt_adjust_request request = { .size = sizeof(request),
                                            .timeout_ms = CHANGE_TIMEOUT_MS,
                                            .card = change->card,
                                            .points = change->points,
                                            .reason = change->reason,
                                            .allow_debt = change->allow_debt,
                                            .operator_ = change->operator_ };
    if (way->answer == NULL)
        return punkt_submit_adjust(way->punkt, &request, way->on_done, way->ctx);
    way->answer->head.size = sizeof(way->answer->adjust);
    return punkt_adjust(way->punkt, &request, &way->answer->adjust);
}

static enum punkt_call send_on(const struct way *way, const struct change *change)
{
    switch (change->kind) {
    case CHANGE_ISSUE:
        return send_issue(way, change);
    case CHANGE_PURCHASE:
        return send_purchase(way, change);
    case CHANGE_RETURN:
        return send_return(way, change);
    case CHANGE_UNLINKED_RETURN:
        return send_unlinked_return(way, change);
    case CHANGE_REDEEM:
        return send_redeem(way, change);
    case CHANGE_ADJUST:
        return send_adjust(way, change);
    }
    return PUNKT_CALL_INVALID;
}

void change_send(struct punkt *punkt, const struct change *change, struct outcome *out)
{
    union any_answer answer;
    struct way way = { .punkt = punkt, .answer = &answer };
    memset(&answer, 0, sizeof(answer));
    (void)send_on(&way, change);
    outcome_of(&answer.head, out);
}

void change_submit(struct punkt *punkt, const struct change *change, punkt_done_fn *on_done, void *ctx)
{
    struct way way = { .punkt = punkt, .on_done = on_done, .ctx = ctx };
    enum punkt_call call = send_on(&way, change);
    if (call != PUNKT_CALL_DONE)
        fail_msg("cannot submit: %s, %s", punkt_call_name(call), punkt_trouble(punkt));
}

static void outcome_of_return(const struct punkt_return_answer *answer, struct outcome *out)
{
    out->position = answer->position;
    out->points = answer->taken;
    out->available = answer->available;
    out->debt = answer->debt;
    out->server_time_used = answer->server_time_used;
    assert_int_equal(answer->given_back, 0);
    assert_int_equal(answer->shortfall, 0);
}

static void outcome_of_purchase(const struct punkt_purchase_answer *answer, struct outcome *out)
{
    out->position = answer->position;
    out->points = answer->earned;
    out->available = answer->available;
    out->debt = answer->debt;
    out->server_time_used = answer->server_time_used;
    assert_int_equal(answer->pending, 0);
}

void outcome_of(const struct punkt_answer *answer, struct outcome *out)
{
    const union any_answer *any = (const void *)answer;
    if (answer->call != PUNKT_CALL_DONE && answer->call != PUNKT_CALL_REFUSED)
        fail_msg("%s ended as %s: %s %s", punkt_operation_name(answer->operation), answer->name, answer->text,
                 answer->detail);
    *out = (struct outcome){ .code = PUNKT_RESULT_DONE, .replayed = answer->replayed };
    if (answer->call == PUNKT_CALL_REFUSED) {
        out->code = answer->code;
        out->needed = answer->needed;
        out->available = answer->available;
    } else if (answer->operation == PUNKT_OPERATION_CARD_ISSUE) {
        out->position = any->card_issue.position;
        out->account = any->card_issue.account;
        out->points = any->card_issue.count;
    } else if (answer->operation == PUNKT_OPERATION_PURCHASE) {
        outcome_of_purchase(&any->purchase, out);
    } else if (answer->operation == PUNKT_OPERATION_RETURN ||
               answer->operation == PUNKT_OPERATION_UNLINKED_RETURN) {
        outcome_of_return(&any->goods_return, out);
    } else if (answer->operation == PUNKT_OPERATION_REDEEM) {
        out->position = any->redeem.position;
        out->points = any->redeem.redeemed;
        out->available = any->redeem.available;
        out->worth = any->redeem.worth;
    } else if (answer->operation == PUNKT_OPERATION_ADJUST) {
        out->position = any->adjust.position;
        out->points = any->adjust.points;
        out->available = any->adjust.available;
        out->debt = any->adjust.debt;
    } else {
        fail_msg("no change: operation %" PRIu32, answer->operation);
    }
}

static void show_change(const struct change *change)
{
    static const char *const kinds[] = {
        "issue", "purchase", "return", "unlinked return", "redeem", "adjust"
    };
    print_error("%s of %s, count %" PRIu32 ", amount %" PRId64 ", points %" PRId64 ", time %" PRId64
                "%s, store '%s' till '%s' number '%s' date %" PRId32 "%s\n",
                kinds[change->kind], change->card, change->card_count, change->amount, change->points,
                change->time_us, change->historic ? " historic" : "", change->store, change->till,
                change->number, change->date, change->allow_debt ? ", debt allowed" : "");
    print_error("sale: store '%s' till '%s' receipt '%s' date %" PRId32 " position %" PRIu64
                "; reason '%s'\n",
                change->sale_store, change->sale_till, change->sale_receipt, change->sale_date,
                change->sale_position, change->reason);
    for (uint32_t i = 0; i < change->line_count; i++)
        print_error("line %s: %" PRIu64 " for %" PRId64 ", tax %" PRId64 ", kind %" PRIu32 "\n",
                    change->lines[i].code, change->lines[i].quantity, change->lines[i].amount,
                    change->lines[i].tax, change->lines[i].kind);
    for (uint32_t i = 0; i < change->return_line_count; i++)
        print_error("back: line %" PRIu32 " '%s', %" PRIu64 "\n", change->return_lines[i].number,
                    change->return_lines[i].code, change->return_lines[i].quantity);
}

static void show_outcome(const char *what, const struct outcome *outcome)
{
    print_error("%s: %s, position %" PRIu64 ", account %" PRIu64 ", points %" PRId64 ", available %" PRId64
                ", debt %" PRId64 ", worth %" PRId64 ", needed %" PRId64 "%s\n",
                what, punkt_result_name(outcome->code), outcome->position, outcome->account, outcome->points,
                outcome->available, outcome->debt, outcome->worth, outcome->needed,
                outcome->server_time_used ? ", server's time" : "");
}

void outcome_expect(const struct change *change, const struct outcome *expected, const struct outcome *got)
{
    /* A redemption does not say what is owed: it is done only where nothing is. */
    int64_t debt = change->kind == CHANGE_REDEEM ? 0 : expected->debt;
    if (expected->code == got->code && expected->position == got->position &&
        expected->account == got->account && expected->points == got->points &&
        expected->available == got->available && debt == got->debt && expected->worth == got->worth &&
        expected->needed == got->needed && expected->server_time_used == got->server_time_used)
        return;
    show_change(change);
    show_outcome("expected", expected);
    show_outcome("got", got);
    fail_msg("the ledger and the model disagree");
}
