/*
 * Cards: issued, shown, blocked, replaced, closed, joined; their PINs, tags and activated offers.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "cli/parse.h"
#include "cli/request.h"

static int card_issue_check(struct cli *cli, const struct args *args)
{
    const char *csv = args->value[OPTION_CSV];
    return cli->json && csv != NULL && strcmp(csv, "-") == 0
               ? cli_usage(cli, "--json and --csv - both want the standard output")
               : CLI_OK;
}

/* The account of a card; 0 if it cannot be told. */
static uint64_t account_of(struct cli *cli, const char *number)
{
    struct punkt_card_show_request request = { .size = sizeof(request), .card = number };
    struct punkt_card_show_answer answer = PUNKT_ANSWER_INIT(answer);
    return punkt_card_show(cli->punkt, &request, &answer) == PUNKT_CALL_DONE ? answer.account : 0;
}

/*
 * How the numbers of a range go on is the programme's business, which only the daemon reads: of the three ways it is
 * the one whose last number leads to the last account.
 */
static bool find_check(struct cli *cli, const char *first, uint64_t count, uint64_t last_account,
                       enum punkt_card_check *out_check)
{
    static const enum punkt_card_check ways[] = { PUNKT_CARD_CHECK_NONE, PUNKT_CARD_CHECK_LUHN,
                                                  PUNKT_CARD_CHECK_EAN13 };
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        char last[PUNKT_CARD_MAX + 1];
        *out_check = ways[i];
        if (count == 1 ||
            (punkt_card_after(first, count - 1, ways[i], last) && account_of(cli, last) == last_account))
            return true;
    }
    return false;
}

static int write_cards(struct cli *cli, FILE *file, const struct msg_card_issue_request *request,
                       const struct msg_card_issue_answer *answer)
{
    char first[PUNKT_CARD_MAX + 1];
    char number[PUNKT_CARD_MAX + 1];
    char account[24];
    enum punkt_card_check check;
    (void)snprintf(first, sizeof(first), "%.*s", (int)request->card.size, request->card.bytes);
    if (!find_check(cli, first, answer->count, answer->account + answer->count - 1, &check))
        return cli_error(cli, CLI_FAILED, "no_csv",
                         "the cards are issued, but some of them have moved to other accounts since");
    (void)fputs("card,account\n", file);
    for (uint64_t i = 0; i < answer->count; i++) {
        if (i == 0)
            (void)snprintf(number, sizeof(number), "%s", first);
        else
            (void)punkt_card_after(first, i, check, number);
        (void)snprintf(account, sizeof(account), "%" PRIu64, answer->account + i);
        output_cell(file, number, ',');
        output_cell(file, account, '\n');
    }
    return CLI_OK;
}

/* Prints the answer, and writes the cards to `file` if there is one. */
static int issue_to(struct cli *cli, struct request *request, FILE *file)
{
    struct reply reply;
    int exit_code = request_send(cli, request, &reply);
    if (exit_code == CLI_OK)
        exit_code = file == cli->out ? cli_check(cli, &reply.head) : reply_finish(cli, &reply, request);
    if (exit_code == CLI_OK && file != NULL)
        exit_code = write_cards(cli, file, request->body, reply.body);
    reply_done(&reply);
    return exit_code;
}

static int card_issue_run(struct cli *cli, const struct args *args)
{
    const char *path = args->value[OPTION_CSV];
    struct request request;
    FILE *file = path != NULL && strcmp(path, "-") == 0 ? cli->out : NULL;
    int exit_code = request_begin(cli, args, OPERATION_CARD_ISSUE, &request);
    if (exit_code == CLI_OK && path != NULL && file == NULL && (file = fopen(path, "we")) == NULL)
        exit_code = cli_error(cli, CLI_FAILED, "bad_file", "cannot write %s: %s", path, strerror(errno));
    if (exit_code == CLI_OK)
        exit_code = issue_to(cli, &request, file);
    if (file != NULL && file != cli->out && fclose(file) != 0 && exit_code == CLI_OK)
        exit_code = cli_error(cli, CLI_FAILED, "bad_file", "cannot write %s: %s", path, strerror(errno));
    request_done(&request);
    return exit_code;
}

static int card_pin_check(struct cli *cli, const struct args *args)
{
    bool given = args->value[OPTION_PIN_FILE] != NULL || args->value[OPTION_PIN_STDIN] != NULL;
    if (args->value[OPTION_PIN_CLEAR] != NULL)
        return given ? cli_usage(cli, "--clear takes no PIN") : CLI_OK;
    if (!given && !pin_askable(cli))
        return cli_usage(cli, "nobody can be asked for a PIN here: --pin-file or --pin-stdin gives it");
    return CLI_OK;
}

static int card_pin_fill(struct cli *cli, const struct args *args, struct request *request)
{
    bool wanted = args->value[OPTION_PIN_CLEAR] == NULL && request->pin.text[0] == '\0';
    return wanted ? pin_ask(cli, true, &request->pin) : CLI_OK;
}

static int card_tag_check(struct cli *cli, const struct args *args)
{
    bool some = args_count(args, OPTION_TAG_SET) + args_count(args, OPTION_TAG_CLEAR) > 0;
    return some ? CLI_OK : cli_usage(cli, "--set or --clear says which tags");
}

const struct command cards_commands[] = {
    {
        .name = "card issue",
        .summary = "Issues a card, or a range of them, each with a new account.",
        .usage = "CARD",
        .examples = { "punkt card issue 2900000000018", "punkt card issue 990000000001 --count 500",
                      "punkt card issue 2900000000018 --count 500 --csv cards.csv" },
        .options = { OPTION_COUNT, OPTION_CSV },
        .words_min = 1,
        .words_max = 1,
        .change = true,
        .operation = PUNKT_OPERATION_CARD_ISSUE,
        .words = { "card" },
        .check = card_issue_check,
        .run = card_issue_run,
    },
    {
        .name = "card show",
        .summary = "Shows a card's status, points, stamps, tier and holds.",
        .usage = "CARD",
        .examples = { "punkt card show 2900000000018", "punkt card show 2900000000018 --lots",
                      "punkt card show 2900000000018 --at 2026-01-31T23:59:59" },
        .options = { OPTION_LOTS, OPTION_AT },
        .words_min = 1,
        .words_max = 1,
        .operation = PUNKT_OPERATION_CARD_SHOW,
        .words = { "card" },
    },
    {
        .name = "card block",
        .summary = "Blocks a card, say a lost one.",
        .usage = "CARD",
        .examples = { "punkt card block 2900000000018", "punkt card block 2900000000018 --reason lost" },
        .options = { OPTION_WHY, OPTION_OPERATOR },
        .words_min = 1,
        .words_max = 1,
        .change = true,
        .operation = PUNKT_OPERATION_CARD_BLOCK,
        .words = { "card" },
    },
    {
        .name = "card unblock",
        .summary = "Makes a blocked card active again; what waited in suspense joins its account.",
        .usage = "CARD",
        .examples = { "punkt card unblock 2900000000018", "punkt card unblock 2900000000018 --reason found" },
        .options = { OPTION_WHY, OPTION_OPERATOR },
        .words_min = 1,
        .words_max = 1,
        .change = true,
        .operation = PUNKT_OPERATION_CARD_UNBLOCK,
        .words = { "card" },
    },
    {
        .name = "card close",
        .summary = "Closes a card for good; with the last one the account forfeits what is left.",
        .usage = "CARD",
        .examples = { "punkt card close 2900000000018 --reason request" },
        .options = { OPTION_WHY, OPTION_OPERATOR },
        .words_min = 1,
        .words_max = 1,
        .change = true,
        .operation = PUNKT_OPERATION_CARD_CLOSE,
        .words = { "card" },
    },
    {
        .name = "card replace",
        .summary = "Gives everything of a card to a new one; the old number stays replaced for ever.",
        .usage = "OLD NEW",
        .examples = { "punkt card replace 2900000000018 2900000000025 --reason lost" },
        .options = { OPTION_WHY, OPTION_OPERATOR },
        .words_min = 2,
        .words_max = 2,
        .change = true,
        .operation = PUNKT_OPERATION_CARD_REPLACE,
        .words = { "card", "new_card" },
    },
    {
        .name = "card add",
        .summary = "Gives an account one more card.",
        .usage = "CARD NEWCARD",
        .examples = { "punkt card add 2900000000018 2900000000025" },
        .options = { OPTION_OPERATOR },
        .words_min = 2,
        .words_max = 2,
        .change = true,
        .operation = PUNKT_OPERATION_CARD_ADD,
        .words = { "card", "new_card" },
    },
    {
        .name = "card pin",
        .summary = "Sets the PIN of an account, which unlocks it too, or takes it off.",
        .usage = "CARD",
        .examples = { "punkt card pin 2900000000018", "punkt card pin 2900000000018 --pin-file pin.txt",
                      "punkt card pin 2900000000018 --clear" },
        .options = { OPTION_PIN_CLEAR, OPTION_PIN_FILE, OPTION_PIN_STDIN, OPTION_OPERATOR },
        .words_min = 1,
        .words_max = 1,
        .change = true,
        .operation = PUNKT_OPERATION_CARD_PIN,
        .words = { "card" },
        .check = card_pin_check,
        .fill = card_pin_fill,
    },
    {
        .name = "card tag",
        .summary = "Sets and takes off tags of an account.",
        .usage = "CARD [--set TAG]... [--clear TAG]...",
        .examples = { "punkt card tag 2900000000018 --set staff",
                      "punkt card tag 2900000000018 --set club --clear trial" },
        .options = { OPTION_TAG_SET, OPTION_TAG_CLEAR, OPTION_OPERATOR },
        .words_min = 1,
        .words_max = 1,
        .change = true,
        .operation = PUNKT_OPERATION_ACCOUNT_TAG,
        .words = { "card" },
        .check = card_tag_check,
    },
    {
        .name = "card activate",
        .summary = "Activates an offer for an account.",
        .usage = "CARD OFFER",
        .examples = { "punkt card activate 2900000000018 \"organic twice\"",
                      "punkt card activate 2900000000018 \"organic twice\" --off" },
        .options = { OPTION_OFF, OPTION_OPERATOR },
        .words_min = 2,
        .words_max = 2,
        .change = true,
        .operation = PUNKT_OPERATION_OFFER_ACTIVATE,
        .words = { "card", "offer" },
    },
    { .name = NULL },
};
