/*
 * Accounts: merged, and points moved between them.
 */
#include "cli/cli.h"

const struct command accounts_commands[] = {
    {
        .name = "account merge",
        .summary = "Moves everything of one card's account into another's, and closes it.",
        .usage = "FROM TO",
        .examples = { "punkt account merge 2900000000025 2900000000018 --reason doublet" },
        .options = { OPTION_WHY, OPTION_OPERATOR },
        .words_min = 2,
        .words_max = 2,
        .change = true,
        .operation = PUNKT_OPERATION_ACCOUNT_MERGE,
        .words = { "from_card", "to_card" },
    },
    {
        .name = "account transfer",
        .summary = "Moves points from one card's account to another's.",
        .usage = "FROM TO POINTS",
        .examples = { "punkt account transfer 2900000000018 2900000000025 100 --note \"a present\"" },
        .options = { OPTION_WHY, OPTION_NOTE, OPTION_OPERATOR },
        .words_min = 3,
        .words_max = 3,
        .change = true,
        .operation = PUNKT_OPERATION_ACCOUNT_TRANSFER,
        .words = { "from_card", "to_card", "points" },
    },
    { .name = NULL },
};
