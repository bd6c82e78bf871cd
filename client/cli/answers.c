#include <inttypes.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/parse.h"

_Static_assert(POINTS_TEXT_SIZE >= DECIMAL_TEXT_SIZE, "points are decimals");

const char *points_text(const struct cli *cli, int64_t points, char out[POINTS_TEXT_SIZE])
{
    decimal_text(points, cli->info.points_decimals, out);
    return out;
}

static json_t *json_uint(uint64_t value)
{
    return json_integer((json_int_t)value); /* what the ledger counts stays far below 2^63 */
}

static json_t *json_time(int64_t time_us)
{
    char text[TIME_TEXT_SIZE];
    time_text((uint64_t)time_us, true, text);
    return json_string(text);
}

json_t *refusal_json(const struct punkt_answer *answer, const char *retry)
{
    char message[768];
    bool more = answer->detail != NULL && answer->detail[0] != '\0';
    int length = snprintf(message, sizeof(message), "%s%s%s", answer->text, more ? ": " : "",
                          more ? answer->detail : "");
    bool unheard = answer->call == PUNKT_CALL_NOT_SENT || answer->call == PUNKT_CALL_UNKNOWN;
    if (length < 0 || (size_t)length >= sizeof(message))
        (void)snprintf(message, sizeof(message), "%s", answer->text);
    json_t *inside = json_pack("{s:s,s:s,s:b}", "code", answer->name, "message", message, "retryable",
                               answer->retryable || unheard);
    if (inside != NULL && retry != NULL)
        (void)json_object_set_new(inside, "retry", json_string(retry));
    if (inside != NULL && answer->call == PUNKT_CALL_REFUSED &&
        answer->code == PUNKT_RESULT_NOT_ENOUGH_POINTS) {
        (void)json_object_set_new(inside, "needed", json_integer(answer->needed));
        (void)json_object_set_new(inside, "available", json_integer(answer->available));
    }
    return inside;
}

static json_t *card_issue_json(const struct punkt_card_issue_answer *answer, const char *card)
{
    json_t *object = json_pack("{s:s*,s:o,s:s}", "card", card, "account", json_uint(answer->account),
                               "status", punkt_card_status_name(answer->status));
    if (object != NULL && answer->count > 1)
        (void)json_object_set_new(object, "count", json_integer(answer->count));
    return object;
}

static json_t *next_expiry_json(const struct punkt_card_show_answer *answer)
{
    char day[TIME_TEXT_SIZE];
    if (answer->next_expiry_day <= 0)
        return json_null();
    day_text((uint64_t)answer->next_expiry_day, day);
    return json_pack("{s:s,s:I}", "day", day, "points", (json_int_t)answer->next_expiry_points);
}

static json_t *card_show_json(const struct punkt_card_show_answer *answer, const char *card)
{
    return json_pack("{s:s*,s:o,s:s,s:I,s:I,s:I,s:I,s:I,s:o}", "card", card, "account",
                     json_uint(answer->account), "status", punkt_card_status_name(answer->status),
                     "available", (json_int_t)answer->available, "pending", (json_int_t)answer->pending,
                     "held", (json_int_t)answer->held, "debt", (json_int_t)answer->debt, "lifetime",
                     (json_int_t)answer->lifetime, "next_expiry", next_expiry_json(answer));
}

static json_t *purchase_json(const struct punkt_purchase_answer *answer)
{
    return json_pack("{s:s,s:b,s:I,s:I,s:I,s:I}", "result", "done", "replayed", answer->head.replayed,
                     "earned", (json_int_t)answer->earned, "available", (json_int_t)answer->available,
                     "pending", (json_int_t)answer->pending, "debt", (json_int_t)answer->debt);
}

static json_t *return_json(const struct punkt_return_answer *answer)
{
    return json_pack("{s:s,s:b,s:I,s:I,s:I,s:I,s:I}", "result", "done", "replayed", answer->head.replayed,
                     "taken", (json_int_t)answer->taken, "given_back", (json_int_t)answer->given_back,
                     "shortfall", (json_int_t)answer->shortfall, "available", (json_int_t)answer->available,
                     "debt", (json_int_t)answer->debt);
}

static json_t *redeem_json(const struct punkt_redeem_answer *answer)
{
    return json_pack("{s:s,s:b,s:I,s:I}", "result", "done", "replayed", answer->head.replayed, "redeemed",
                     (json_int_t)answer->redeemed, "available", (json_int_t)answer->available);
}

static json_t *adjust_json(const struct punkt_adjust_answer *answer)
{
    return json_pack("{s:s,s:b,s:I,s:I}", "result", "done", "replayed", answer->head.replayed, "points",
                     (json_int_t)answer->points, "available", (json_int_t)answer->available);
}

static json_t *totals_json(const struct punkt_totals_answer *answer)
{
    return json_pack("{s:o,s:o,s:I,s:I,s:I,s:I,s:I,s:I,s:o,s:o}", "accounts", json_uint(answer->accounts),
                     "cards", json_uint(answer->cards), "earned", (json_int_t)answer->earned, "redeemed",
                     (json_int_t)answer->redeemed, "returned", (json_int_t)answer->returned, "adjusted",
                     (json_int_t)answer->adjusted, "outstanding", (json_int_t)answer->outstanding, "debt",
                     (json_int_t)answer->debt, "accounts_in_debt", json_uint(answer->accounts_in_debt),
                     "events", json_uint(answer->events));
}

static json_t *programme_json(const struct punkt_programme_show_answer *answer)
{
    return json_pack("{s:I,s:o,s:s}", "version", (json_int_t)answer->version, "from",
                     json_time(answer->from_us), "text", answer->text);
}

static json_t *audit_json(const struct punkt_audit_verify_answer *answer)
{
    return json_pack("{s:o,s:o,s:s}", "blocks", json_uint(answer->blocks), "events",
                     json_uint(answer->events), "state", "matches");
}

static json_t *clock_json(const struct punkt_clock_accept_answer *answer)
{
    return json_pack("{s:s,s:b,s:o,s:o}", "result", "done", "replayed", answer->head.replayed, "before",
                     json_time(answer->before_us), "after", json_time(answer->after_us));
}

/* The head of an answer is its first member, so the pointer is that of the whole. */
#define WHOLE(type, head) ((const struct punkt_##type##_answer *)(const void *)(head))

json_t *answer_json(const struct punkt_answer *answer, const char *card)
{
    switch (answer->operation) { /* of others the answer is a message, without a form of its own here */
    case PUNKT_OPERATION_PING:
        return json_pack("{s:o}", "time", json_time(WHOLE(ping, answer)->time_us));
    case PUNKT_OPERATION_CARD_ISSUE:
        return card_issue_json(WHOLE(card_issue, answer), card);
    case PUNKT_OPERATION_CARD_SHOW:
        return card_show_json(WHOLE(card_show, answer), card);
    case PUNKT_OPERATION_PURCHASE:
        return purchase_json(WHOLE(purchase, answer));
    case PUNKT_OPERATION_RETURN:
    case PUNKT_OPERATION_UNLINKED_RETURN:
        return return_json(WHOLE(return, answer));
    case PUNKT_OPERATION_REDEEM:
        return redeem_json(WHOLE(redeem, answer));
    case PUNKT_OPERATION_ADJUST:
        return adjust_json(WHOLE(adjust, answer));
    case PUNKT_OPERATION_TOTALS:
        return totals_json(WHOLE(totals, answer));
    case PUNKT_OPERATION_PROGRAMME_SHOW:
        return programme_json(WHOLE(programme_show, answer));
    case PUNKT_OPERATION_AUDIT_VERIFY:
        return audit_json(WHOLE(audit_verify, answer));
    case PUNKT_OPERATION_CLOCK_ACCEPT:
        return clock_json(WHOLE(clock_accept, answer));
    default:
        break;
    }
    return json_object();
}

/* Points as JSON strings, for tables. */
static json_t *points_json(const struct cli *cli, int64_t points)
{
    char text[POINTS_TEXT_SIZE];
    return json_string(points_text(cli, points, text));
}

static int card_show_print(struct cli *cli, const struct punkt_card_show_answer *answer, const char *card)
{
    char expiry[96] = "none";
    if (answer->next_expiry_day > 0) {
        char day[TIME_TEXT_SIZE];
        char points[POINTS_TEXT_SIZE];
        day_text((uint64_t)answer->next_expiry_day, day);
        (void)snprintf(expiry, sizeof(expiry), "%s on %s",
                       points_text(cli, answer->next_expiry_points, points), day);
    }
    return output_pairs(
        cli,
        json_pack("{s:s*,s:o,s:s,s:o,s:o,s:o,s:o,s:o,s:s}", "card", card, "account",
                  json_uint(answer->account), "status", punkt_card_status_name(answer->status), "available",
                  points_json(cli, answer->available), "pending", points_json(cli, answer->pending), "held",
                  points_json(cli, answer->held), "debt", points_json(cli, answer->debt), "lifetime",
                  points_json(cli, answer->lifetime), "next expiry", expiry));
}

static int totals_print(struct cli *cli, const struct punkt_totals_answer *answer)
{
    return output_pairs(
        cli, json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "accounts", json_uint(answer->accounts),
                       "cards", json_uint(answer->cards), "earned", points_json(cli, answer->earned),
                       "redeemed", points_json(cli, answer->redeemed), "returned",
                       points_json(cli, answer->returned), "adjusted", points_json(cli, answer->adjusted),
                       "outstanding", points_json(cli, answer->outstanding), "debt",
                       points_json(cli, answer->debt), "accounts in debt",
                       json_uint(answer->accounts_in_debt), "events", json_uint(answer->events)));
}

/* "105 can be spent, 3 are pending, 5 are owed." */
static void print_balance(struct cli *cli, int64_t available, int64_t pending, int64_t debt)
{
    char text[POINTS_TEXT_SIZE];
    (void)fprintf(cli->out, "%s can be spent", points_text(cli, available, text));
    if (pending != 0)
        (void)fprintf(cli->out, ", %s are pending", points_text(cli, pending, text));
    if (debt != 0)
        (void)fprintf(cli->out, ", %s are owed", points_text(cli, debt, text));
    (void)fputs(".\n", cli->out);
}

static const char *again(const struct punkt_answer *answer)
{
    return answer->replayed ? "Booked before: " : "";
}

static void return_print(struct cli *cli, const struct punkt_return_answer *answer)
{
    char taken[POINTS_TEXT_SIZE];
    char text[POINTS_TEXT_SIZE];
    (void)fprintf(cli->out, "%s%s points taken", again(&answer->head),
                  points_text(cli, answer->taken, taken));
    if (answer->given_back != 0)
        (void)fprintf(cli->out, ", %s given back", points_text(cli, answer->given_back, text));
    if (answer->shortfall != 0)
        (void)fprintf(cli->out, ", %s forgiven", points_text(cli, answer->shortfall, text));
    (void)fputs(". ", cli->out);
    print_balance(cli, answer->available, 0, answer->debt);
}

static void redeem_print(struct cli *cli, const struct punkt_redeem_answer *answer)
{
    char points[POINTS_TEXT_SIZE];
    char worth[DECIMAL_TEXT_SIZE];
    (void)fprintf(cli->out, "%s%s points spent", again(&answer->head),
                  points_text(cli, answer->redeemed, points));
    if (answer->worth != 0) {
        decimal_text(answer->worth, cli->info.currency_exponent, worth);
        (void)fprintf(cli->out, ", worth %s %s", worth, cli->info.currency);
    }
    (void)fputs(". ", cli->out);
    print_balance(cli, answer->available, 0, 0);
}

static void card_issue_print(struct cli *cli, const struct punkt_card_issue_answer *answer, const char *card)
{
    (void)fprintf(cli->out, "%sCard %s is %s, account %" PRIu64, again(&answer->head),
                  card != NULL ? card : "", punkt_card_status_name(answer->status), answer->account);
    if (answer->count > 1)
        (void)fprintf(cli->out, "; %u cards in a row, an account each", answer->count);
    (void)fputs(".\n", cli->out);
}

static void clock_print(struct cli *cli, const struct punkt_clock_accept_answer *answer)
{
    char before[TIME_TEXT_SIZE];
    char after[TIME_TEXT_SIZE];
    time_text((uint64_t)answer->before_us, true, before);
    time_text((uint64_t)answer->after_us, true, after);
    (void)fprintf(cli->out, "%sThe ledger's time was %s and is now %s.\n", again(&answer->head), before,
                  after);
}

int answer_print(struct cli *cli, const struct punkt_answer *answer, const char *card)
{
    char points[POINTS_TEXT_SIZE];
    char when[TIME_TEXT_SIZE];
    switch (answer->operation) { /* of others the answer is a message, without a form of its own here */
    case PUNKT_OPERATION_PING:
        time_text((uint64_t)WHOLE(ping, answer)->time_us, true, when);
        (void)fprintf(cli->out, "The daemon is there; its time is %s.\n", when);
        break;
    case PUNKT_OPERATION_CARD_ISSUE:
        card_issue_print(cli, WHOLE(card_issue, answer), card);
        break;
    case PUNKT_OPERATION_CARD_SHOW:
        return card_show_print(cli, WHOLE(card_show, answer), card);
    case PUNKT_OPERATION_PURCHASE:
        (void)fprintf(cli->out, "%s%s points earned. ", again(answer),
                      points_text(cli, WHOLE(purchase, answer)->earned, points));
        print_balance(cli, WHOLE(purchase, answer)->available, WHOLE(purchase, answer)->pending,
                      WHOLE(purchase, answer)->debt);
        break;
    case PUNKT_OPERATION_RETURN:
    case PUNKT_OPERATION_UNLINKED_RETURN:
        return_print(cli, WHOLE(return, answer));
        break;
    case PUNKT_OPERATION_REDEEM:
        redeem_print(cli, WHOLE(redeem, answer));
        break;
    case PUNKT_OPERATION_ADJUST:
        (void)fprintf(cli->out, "%sThe balance changed by %s points. ", again(answer),
                      points_text(cli, WHOLE(adjust, answer)->points, points));
        print_balance(cli, WHOLE(adjust, answer)->available, 0, WHOLE(adjust, answer)->debt);
        break;
    case PUNKT_OPERATION_TOTALS:
        return totals_print(cli, WHOLE(totals, answer));
    case PUNKT_OPERATION_PROGRAMME_SHOW:
        (void)fputs(WHOLE(programme_show, answer)->text, cli->out);
        break;
    case PUNKT_OPERATION_AUDIT_VERIFY:
        (void)fprintf(cli->out,
                      "%" PRIu64 " blocks with %" PRIu64 " events are sound, and state matches them.\n",
                      WHOLE(audit_verify, answer)->blocks, WHOLE(audit_verify, answer)->events);
        break;
    case PUNKT_OPERATION_CLOCK_ACCEPT:
        clock_print(cli, WHOLE(clock_accept, answer));
        break;
    default:
        break;
    }
    return CLI_OK;
}
