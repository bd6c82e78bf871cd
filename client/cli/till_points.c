/*
 * Points at the register: asked for, spent, set aside.
 */
#include <inttypes.h>
#include <string.h>

#include "cli/parse.h"
#include "cli/pin.h"
#include "cli/till.h"

static int need_card(struct till *till)
{
    return till->sale.card[0] != '\0' ? CLI_OK : till_fail(till, CLI_USAGE, "whose? card NUMBER says");
}

int till_balance(struct till *till, const struct words *words)
{
    struct punkt_card_show_answer answer = PUNKT_ANSWER_INIT(answer);
    struct punkt_card_show_request request = {
        .size = sizeof(request),
        .card = words->count > 0 ? words->word[0] : till->sale.card,
    };
    char points[POINTS_TEXT_SIZE];
    char day[TIME_TEXT_SIZE];
    int exit_code = words->count > 0 ? CLI_OK : need_card(till);
    if (exit_code != CLI_OK)
        return exit_code;
    (void)punkt_card_show(till->cli->punkt, &request, &answer);
    exit_code = till_check(till, &answer.head, false);
    if (exit_code != CLI_OK)
        return exit_code;
    till_say(till, "%s points", till_points(till, answer.available, points));
    if (answer.pending != 0)
        till_say(till, ", %s pending", till_points(till, answer.pending, points));
    if (answer.held != 0)
        till_say(till, ", %s set aside", till_points(till, answer.held, points));
    if (answer.debt != 0)
        till_say(till, ", %s owed", till_points(till, answer.debt, points));
    if (answer.tier[0] != '\0')
        till_say(till, ", tier %s", answer.tier);
    if (answer.next_expiry_day != 0) {
        day_text((uint64_t)answer.next_expiry_day, day);
        till_say(till, ", %s until %s", till_points(till, answer.next_expiry_points, points), day);
    }
    if (answer.head.queued > 0)
        till_say(till, ", without %" PRIu64 " that wait", answer.head.queued);
    till_say(till, "\n");
    return CLI_OK;
}

/* Points or the name of a reward. */
static int read_what(struct till *till, const char *text, struct till_wish *out)
{
    *out = (struct till_wish){ .points = 0 };
    bool number = text[0] >= '0' && text[0] <= '9';
    if (number && parse_points(text, till->cli->info.points_decimals, &out->points) && out->points > 0)
        return CLI_OK;
    if (number || strlen(text) >= sizeof(out->reward))
        return till_fail(till, CLI_USAGE, "\"%s\" are no points, and no reward", text);
    memcpy(out->reward, text, strlen(text) + 1);
    return CLI_OK;
}

static int add_wish(struct till *till, const struct till_wish *wish)
{
    struct till_sale *sale = &till->sale;
    char amount[POINTS_TEXT_SIZE];
    int64_t points_pay;
    int exit_code = till_unpaid(till);
    if (exit_code != CLI_OK)
        return exit_code;
    if (sale->wish_count == TILL_WISHES_MAX)
        return till_fail(till, CLI_USAGE, "at most %d redemptions on a receipt", TILL_WISHES_MAX);
    sale->wishes[sale->wish_count++] = *wish;
    int64_t due = till_due(till, &points_pay);
    if (points_pay > 0)
        till_say(till, "Points pay %s; ", till_amount(till, points_pay, amount));
    till_say(till, "%s %s to pay\n", till_amount(till, due, amount), till->cli->info.currency);
    return CLI_OK;
}

/*
 * A change of the live lane counts only once it is DONE. What ended as QUEUED is waited for once more and then
 * cancelled, so that the till never hands out what may not have been booked (DESIGN.md, The client).
 */
static int settle(struct till *till, struct punkt_answer *answer)
{
    uint64_t epoch = answer->epoch;
    uint64_t number = answer->number;
    if (answer->call == PUNKT_CALL_QUEUED)
        (void)punkt_wait(till->cli->punkt, epoch, number, 0, answer);
    if (answer->call != PUNKT_CALL_QUEUED)
        return till_check(till, answer, false);
    struct punkt_reversal_answer undone = PUNKT_ANSWER_INIT(undone);
    (void)punkt_cancel(till->cli->punkt, epoch, number, 0, &undone);
    return till_fail(till, CLI_UNREACHABLE, "no answer: it is undone, and does not count");
}

/* Asks for a PIN if that is what is missing and somebody is there. Whether it was given. */
static bool ask_pin(struct till *till, const struct punkt_answer *answer, struct pin *pin)
{
    return answer->call == PUNKT_CALL_REFUSED && answer->code == PUNKT_RESULT_PIN_NEEDED &&
           pin->text[0] == '\0' && pin_askable(till->cli) && pin_ask(till->cli, false, pin) == CLI_OK;
}

static int redeem_now(struct till *till, const struct till_wish *wish)
{
    struct punkt_redeem_answer answer = PUNKT_ANSWER_INIT(answer);
    char points[POINTS_TEXT_SIZE];
    struct pin pin = { .text = "" };
    do {
        struct punkt_redeem_request request = {
            .size = sizeof(request),
            .card = till->sale.card,
            .points = wish->points,
            .reward = wish->reward,
            .operator_ = till->operator_,
            .pin = pin.text[0] != '\0' ? pin.text : NULL,
        };
        answer = (struct punkt_redeem_answer)PUNKT_ANSWER_INIT(answer);
        (void)punkt_redeem(till->cli->punkt, &request, &answer);
    } while (ask_pin(till, &answer.head, &pin));
    pin_wipe(&pin);
    int exit_code = settle(till, &answer.head);
    if (exit_code != CLI_OK)
        return exit_code;
    till_say(till, "%s points spent", till_points(till, answer.redeemed, points));
    if (answer.worth != 0)
        till_say(till, ", worth %s", till_amount(till, answer.worth, points));
    if (answer.voucher[0] != '\0')
        till_say(till, ", voucher %s", answer.voucher);
    till_say(till, ". %s can be spent.\n", till_points(till, answer.available, points));
    return CLI_OK;
}

int till_redeem(struct till *till, const struct words *words)
{
    struct till_wish wish;
    if (strcmp(words->word[0], "off") == 0) {
        till->sale.wish_count = 0;
        return CLI_OK;
    }
    int exit_code = need_card(till);
    if (exit_code == CLI_OK)
        exit_code = read_what(till, words->word[0], &wish);
    if (exit_code != CLI_OK)
        return exit_code;
    return till->sale.line_count > 0 ? add_wish(till, &wish) : redeem_now(till, &wish);
}

int till_hold(struct till *till, const struct words *words)
{
    struct punkt_hold_answer answer = PUNKT_ANSWER_INIT(answer);
    struct till_wish wish;
    char points[POINTS_TEXT_SIZE];
    char until[TIME_TEXT_SIZE];
    struct pin pin = { .text = "" };
    int exit_code = need_card(till);
    if (exit_code == CLI_OK)
        exit_code = read_what(till, words->word[0], &wish);
    if (exit_code != CLI_OK)
        return exit_code;
    do {
        struct punkt_hold_request request = {
            .size = sizeof(request),
            .card = till->sale.card,
            .points = wish.points,
            .reward = wish.reward,
            .operator_ = till->operator_,
            .pin = pin.text[0] != '\0' ? pin.text : NULL,
        };
        answer = (struct punkt_hold_answer)PUNKT_ANSWER_INIT(answer);
        (void)punkt_hold(till->cli->punkt, &request, &answer);
    } while (ask_pin(till, &answer.head, &pin));
    pin_wipe(&pin);
    exit_code = settle(till, &answer.head);
    if (exit_code != CLI_OK)
        return exit_code;
    time_text((uint64_t)answer.deadline_us, false, until);
    till_say(till, "Hold %" PRIu64 ": %s points set aside until %s.\n", answer.position,
             till_points(till, answer.held, points), until);
    return CLI_OK;
}

static int capture_now(struct till *till, const struct till_wish *wish)
{
    struct punkt_capture_answer answer = PUNKT_ANSWER_INIT(answer);
    struct punkt_capture_request request = {
        .size = sizeof(request),
        .card = till->sale.card,
        .hold = wish->hold,
        .points = wish->points,
        .operator_ = till->operator_,
    };
    char points[POINTS_TEXT_SIZE];
    (void)punkt_capture(till->cli->punkt, &request, &answer);
    int exit_code = settle(till, &answer.head);
    if (exit_code != CLI_OK)
        return exit_code;
    till_say(till, "%s points spent", till_points(till, answer.redeemed, points));
    if (answer.worth != 0)
        till_say(till, ", worth %s", till_amount(till, answer.worth, points));
    if (answer.voucher[0] != '\0')
        till_say(till, ", voucher %s", answer.voucher);
    till_say(till, ". %s can be spent.\n", till_points(till, answer.available, points));
    return CLI_OK;
}

/* How much the open hold of the card has set aside. */
static int find_hold(struct till *till, struct till_wish *wish)
{
    struct punkt_card_show_answer answer = PUNKT_ANSWER_INIT(answer);
    struct punkt_card_show_request request = { .size = sizeof(request), .card = till->sale.card };
    (void)punkt_card_show(till->cli->punkt, &request, &answer);
    int exit_code = till_check(till, &answer.head, false);
    if (exit_code != CLI_OK)
        return exit_code;
    for (size_t i = 0; i < answer.hold_count; i++) {
        if (answer.holds[i]->hold != wish->hold)
            continue;
        if (wish->points == 0)
            wish->points = answer.holds[i]->points;
        return CLI_OK;
    }
    return till_fail(till, CLI_NOT_FOUND, "the card has no such open hold");
}

int till_capture(struct till *till, const struct words *words)
{
    struct till_wish wish = { .points = 0 };
    int exit_code = need_card(till);
    if (exit_code != CLI_OK)
        return exit_code;
    if (!parse_uint(words->word[0], 1, INT64_MAX, &wish.hold))
        return till_fail(till, CLI_USAGE, "\"%s\" is no hold; hold POINTS has told its number",
                         words->word[0]);
    if (words->count > 1 &&
        (!parse_points(words->word[1], till->cli->info.points_decimals, &wish.points) || wish.points <= 0))
        return till_fail(till, CLI_USAGE, "\"%s\" are no points", words->word[1]);
    if (till->sale.line_count == 0)
        return capture_now(till, &wish);
    exit_code = find_hold(till, &wish);
    return exit_code == CLI_OK ? add_wish(till, &wish) : exit_code;
}

int till_release(struct till *till, const struct words *words)
{
    struct punkt_release_answer answer = PUNKT_ANSWER_INIT(answer);
    struct punkt_release_request request = { .size = sizeof(request), .card = till->sale.card };
    char points[POINTS_TEXT_SIZE];
    int exit_code = need_card(till);
    if (exit_code != CLI_OK)
        return exit_code;
    if (!parse_uint(words->word[0], 1, INT64_MAX, &request.hold))
        return till_fail(till, CLI_USAGE, "\"%s\" is no hold; hold POINTS has told its number",
                         words->word[0]);
    request.operator_ = till->operator_;
    (void)punkt_release(till->cli->punkt, &request, &answer);
    exit_code = settle(till, &answer.head);
    if (exit_code == CLI_OK)
        till_say(till, "%s points are free again.\n", till_points(till, answer.given_back, points));
    return exit_code;
}
