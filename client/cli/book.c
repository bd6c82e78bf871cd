/*
 * Receipts and returns: booked, or only asked about. A command without --time sends none, so that its repetition
 * under --retry is the same bytes.
 */
#include "cli/goods.h"
#include "cli/parse.h"
#include "cli/request.h"

/* A purchase below zero would be a return: said before a connection is made. */
static int purchase_check(struct cli *cli, const struct args *args)
{
    const char *amount = args->positional[args->positional_count - 1];
    return amount[0] == '-' ? cli_usage(cli, "a purchase is not negative; goods that come back are a return")
                            : CLI_OK;
}

/* A card is what may be missing. */
static int quote_fill(struct cli *cli, const struct args *args, struct request *request)
{
    size_t last = args->positional_count - 1;
    int exit_code = last > 0 ? request_set(cli, request, "card", "card", args->positional[0]) : CLI_OK;
    if (exit_code == CLI_OK)
        exit_code = request_set(cli, request, "amount", "amount", args->positional[last]);
    return exit_code == CLI_OK ? goods_fill_receipt(cli, args, request) : exit_code;
}

/* A return is of a known sale, with an amount or with lines, or it is unlinked; never two of these. */
static int return_check(struct cli *cli, const struct args *args)
{
    bool unlinked = args->value[OPTION_UNLINKED] != NULL;
    bool amount = args->value[OPTION_AMOUNT] != NULL;
    bool lines = args_count(args, OPTION_RETURN_LINE) > 0;
    bool sale = args->value[OPTION_SALE_RECEIPT] != NULL || args->value[OPTION_EVENT] != NULL;
    if (unlinked == sale)
        return cli_usage(cli, "a return needs --receipt of its sale, or --unlinked AMOUNT");
    if (unlinked && (amount || args->value[OPTION_SALE_DATE] != NULL ||
                     args->value[OPTION_SALE_STORE] != NULL || args->value[OPTION_SALE_TILL] != NULL))
        return cli_usage(
            cli, "--unlinked has no sale, so --amount, --date, --sale-store and --sale-till mean nothing");
    if (unlinked && args->value[OPTION_PREVIEW] != NULL)
        return cli_usage(cli, "--preview is of a known sale");
    if (!unlinked && amount == lines)
        return cli_usage(cli, "a return of a sale needs --amount, or --line for each line that comes back");
    if (parse_is_zero(args->value[OPTION_AMOUNT]) || parse_is_zero(args->value[OPTION_UNLINKED]))
        return cli_usage(cli, "goods that are worth nothing take no points: there is nothing to return");
    return CLI_OK;
}

static int return_run(struct cli *cli, const struct args *args)
{
    if (args->value[OPTION_UNLINKED] != NULL)
        return request_run_as(cli, args, OPERATION_UNLINKED_RETURN, goods_fill_unlinked);
    cli->reads = args->value[OPTION_PREVIEW] != NULL;
    return request_run_as(cli, args, cli->reads ? OPERATION_RETURN_PREVIEW : OPERATION_RETURN,
                          goods_fill_return);
}

#define PLACE OPTION_STORE, OPTION_TILL, OPTION_OPERATOR, OPTION_TIME
#define RECEIPT_LISTS OPTION_LINE, OPTION_COUPON, OPTION_TENDER, OPTION_REDEEM, OPTION_REWARDS

const struct command book_commands[] = {
    {
        .name = "purchase",
        .summary = "Books a receipt and gives its points.",
        .usage = "CARD AMOUNT",
        .examples = { "punkt purchase 2900000000018 105.00 --receipt R1",
                      "punkt purchase 2900000000018 7.98 --receipt R2 --line 4006381333931:2:7.98:stationery",
                      "punkt purchase 2900000000018 20.00 --receipt 0815 --store 12 --till 3 --time "
                      "2026-01-31T17:45:00+01:00",
                      "punkt purchase 2900000000018 20.00 --receipt R3 --redeem 50 --reward coffee:2 "
                      "--pin-file pin.txt" },
        .options = { PLACE, OPTION_RECEIPT, OPTION_DATE, RECEIPT_LISTS, OPTION_CAPTURE, OPTION_PIN_FILE,
                     OPTION_PIN_STDIN, OPTION_ADVICE, OPTION_OUTBOX, OPTION_RECEIPT_WIDTH, OPTION_LANGUAGE },
        .words_min = 2,
        .words_max = 2,
        .change = true,
        .operation = PUNKT_OPERATION_PURCHASE,
        .words = { "card", "amount" },
        .check = purchase_check,
        .fill = goods_fill_receipt,
    },
    {
        .name = "quote",
        .summary = "Says what a receipt would earn and spend, and books nothing.",
        .usage = "[CARD] AMOUNT",
        .examples = { "punkt quote 2900000000018 105.00", "punkt quote 105.00",
                      "punkt quote 2900000000018 20.00 --redeem 50 --line 4006381333931:2:20.00" },
        .options = { PLACE, RECEIPT_LISTS },
        .words_min = 1,
        .words_max = 2,
        .operation = PUNKT_OPERATION_QUOTE,
        .check = purchase_check,
        .fill = quote_fill,
    },
    {
        .name = "return",
        .summary = "Takes goods back, of a known sale or without one, and the points they gave.",
        .usage = "CARD",
        .examples = { "punkt return 2900000000018 --receipt R1 --amount 5.00 --document D1",
                      "punkt return 2900000000018 --receipt R2 --line 4006381333931:1",
                      "punkt return 2900000000018 --receipt R1 --amount 5.00 --preview",
                      "punkt return 2900000000018 --unlinked 12.50 --document D2" },
        .options = { PLACE, OPTION_SALE_RECEIPT, OPTION_EVENT, OPTION_AMOUNT, OPTION_UNLINKED,
                     OPTION_RETURN_LINE, OPTION_DOCUMENT, OPTION_SALE_DATE, OPTION_SALE_STORE,
                     OPTION_SALE_TILL, OPTION_PREVIEW, OPTION_ADVICE, OPTION_OUTBOX, OPTION_RECEIPT_WIDTH,
                     OPTION_LANGUAGE },
        .words_min = 1,
        .words_max = 1,
        .change = true,
        .operation = PUNKT_OPERATION_RETURN,
        .words = { "card" },
        .check = return_check,
        .run = return_run,
    },
    { .name = NULL },
};
