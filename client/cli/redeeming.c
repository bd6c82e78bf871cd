/*
 * Points spent: at once, or set aside first; and what was done undone.
 */
#include "cli/parse.h"
#include "cli/request.h"

/* On the wire a bill of zero is one that was not said, which would bound nothing. */
static int bill_check(struct cli *cli, const struct args *args)
{
    return parse_is_zero(args->value[OPTION_BILL]) ? cli_usage(cli, "a --bill of nothing needs no points")
                                                   : CLI_OK;
}

/* Either points or a reward; of a reward points are only what the till thinks it costs. */
static int spending_check(struct cli *cli, const struct args *args)
{
    bool reward = args->value[OPTION_REWARD] != NULL;
    if (args->positional_count < 2 && !reward)
        return cli_usage(cli, "usage: punkt %s %s", cli->command->name, cli->command->usage);
    if (!reward && args->value[OPTION_QUANTITY] != NULL)
        return cli_usage(cli, "--quantity is of a --reward");
    return bill_check(cli, args);
}

static int reverse_check(struct cli *cli, const struct args *args)
{
    bool both = args->value[OPTION_ORIGINAL_AMOUNT] != NULL && args->value[OPTION_ORIGINAL_POINTS] != NULL;
    if (args->value[OPTION_OF] != NULL && args->value[OPTION_OUTBOX] != NULL)
        return cli_usage(cli, "an outbox undoes its own: --of and --outbox exclude each other");
    return both ? cli_usage(cli, "an original has an --amount or --points, not both") : CLI_OK;
}

/* The points of a redemption or hold stand where the amount of a purchase does. */
static int reverse_fill(struct cli *cli, const struct args *args, struct request *request)
{
    struct msg_reversal_request *body = request->body;
    const char *text = args->value[OPTION_ORIGINAL_POINTS];
    int exit_code = CLI_OK;
    if (args->value[OPTION_OF] != NULL)
        exit_code = identity_number(cli, args->value[OPTION_OF], &body->identity);
    if (exit_code != CLI_OK || text == NULL)
        return exit_code;
    if (!parse_points(text, cli->info.points_decimals, &body->amount) || body->amount <= 0 ||
        body->amount > MESSAGE_AMOUNT_MAX)
        return cli_usage(cli, "--points: \"%s\" are no points with up to %u decimal%s", text,
                         cli->info.points_decimals, cli->info.points_decimals == 1 ? "" : "s");
    return CLI_OK;
}

#define PLACE OPTION_STORE, OPTION_TILL, OPTION_OPERATOR, OPTION_TIME
#define DATE OPTION_BUSINESS_DATE
#define PIN OPTION_PIN_FILE, OPTION_PIN_STDIN
#define SALE OPTION_SALE_RECEIPT, OPTION_SALE_DATE, OPTION_SALE_STORE, OPTION_SALE_TILL

const struct command redeeming_commands[] = {
    {
        .name = "redeem",
        .summary = "Spends points, or points or stamps on a reward.",
        .usage = "CARD POINTS | CARD --reward NAME",
        .examples = { "punkt redeem 2900000000018 40", "punkt redeem 2900000000018 500 --bill 4.20",
                      "punkt redeem 2900000000018 --reward coffee --quantity 2 --pin-file pin.txt" },
        .options = { OPTION_REWARD, OPTION_QUANTITY, OPTION_BILL, PIN, PLACE, DATE, SALE, OPTION_OUTBOX,
                     OPTION_RECEIPT_WIDTH, OPTION_LANGUAGE },
        .words_min = 1,
        .words_max = 2,
        .change = true,
        .operation = PUNKT_OPERATION_REDEEM,
        .words = { "card", "points" },
        .check = spending_check,
    },
    {
        .name = "hold",
        .summary = "Sets points or a reward aside, until it is captured, released or too late.",
        .usage = "CARD POINTS | CARD --reward NAME",
        .examples = { "punkt hold 2900000000018 40", "punkt hold 2900000000018 --reward coffee --for 15m" },
        .options = { OPTION_REWARD, OPTION_QUANTITY, OPTION_BILL, OPTION_FOR, PIN, PLACE, DATE,
                     OPTION_OUTBOX },
        .words_min = 1,
        .words_max = 2,
        .change = true,
        .operation = PUNKT_OPERATION_HOLD,
        .words = { "card", "points" },
        .check = spending_check,
    },
    {
        .name = "capture",
        .summary = "Spends what a hold has set aside, and gives the rest back.",
        .usage = "CARD HOLD [POINTS]",
        .examples = { "punkt capture 2900000000018 4711", "punkt capture 2900000000018 4711 25" },
        .options = { OPTION_BILL, PLACE, DATE, OPTION_OUTBOX },
        .words_min = 2,
        .words_max = 3,
        .change = true,
        .operation = PUNKT_OPERATION_CAPTURE,
        .words = { "card", "hold", "points" },
        .check = bill_check,
    },
    {
        .name = "release",
        .summary = "Gives back what a hold has set aside.",
        .usage = "CARD HOLD",
        .examples = { "punkt release 2900000000018 4711" },
        .options = { PLACE, DATE, OPTION_OUTBOX },
        .words_min = 2,
        .words_max = 2,
        .change = true,
        .operation = PUNKT_OPERATION_RELEASE,
        .words = { "card", "hold" },
    },
    {
        .name = "reverse",
        .summary = "Undoes an earlier change, whether or not it arrived.",
        .usage = "EPOCH:NUMBER",
        .examples = { "punkt reverse 9f86d081884c7d65:1",
                      "punkt reverse 9f86d081884c7d65:1 --card 2900000000018 --amount 105.00",
                      "punkt reverse 9f86d081884c7d65:1 --of 12/3" },
        .options = { OPTION_CARD, OPTION_ORIGINAL_AMOUNT, OPTION_ORIGINAL_POINTS, OPTION_OF, PLACE, DATE,
                     OPTION_OUTBOX },
        .words_min = 1,
        .words_max = 1,
        .change = true,
        .operation = PUNKT_OPERATION_REVERSAL,
        .words = { WORD_ORIGINAL },
        .check = reverse_check,
        .fill = reverse_fill,
    },
    { .name = NULL },
};
