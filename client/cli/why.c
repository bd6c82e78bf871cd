/*
 * Why an event gave or took what it did.
 */
#include "cli/request.h"

static int why_check(struct cli *cli, const struct args *args)
{
    bool event = args->value[OPTION_EVENT] != NULL;
    if (event == (args->value[OPTION_SALE_RECEIPT] != NULL))
        return cli_usage(cli, "--receipt or --event says which event");
    if (event && (args->value[OPTION_STORE] != NULL || args->value[OPTION_TILL] != NULL ||
                  args->value[OPTION_SALE_DATE] != NULL))
        return cli_usage(cli, "--store, --till and --date are of a --receipt");
    return CLI_OK;
}

/* A receipt was printed somewhere: where purchases are booked that do not say. */
static int why_fill(struct cli *cli, const struct args *args, struct request *request)
{
    const struct msg_why_request *body = request->body;
    int exit_code = CLI_OK;
    if (args->value[OPTION_SALE_RECEIPT] != NULL && body->store.size == 0)
        exit_code = request_set(cli, request, "store", "--store", cli->store != NULL ? cli->store : "0");
    if (exit_code == CLI_OK && args->value[OPTION_SALE_RECEIPT] != NULL && body->till.size == 0)
        exit_code = request_set(cli, request, "till", "--till", cli->till != NULL ? cli->till : "0");
    return exit_code;
}

const struct command why_commands[] = {
    {
        .name = "why",
        .summary = "Explains an event: rule by rule and lot by lot.",
        .usage = "--receipt R | --event POSITION",
        .examples = { "punkt why --receipt R1",
                      "punkt why --receipt 0815 --store 12 --till 3 --date 2026-01-31",
                      "punkt why --card 2900000000018 --event 4711" },
        .options = { OPTION_SALE_RECEIPT, OPTION_STORE, OPTION_TILL, OPTION_SALE_DATE, OPTION_CARD,
                     OPTION_EVENT },
        .operation = PUNKT_OPERATION_WHY,
        .check = why_check,
        .fill = why_fill,
    },
    { .name = NULL },
};
