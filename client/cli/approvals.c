/*
 * What waits for somebody: proposals above a limit, and flags of what the office should look at.
 */
#include "cli/fields.h"
#include "cli/request.h"
#include "cli/tables.h"

/* --- proposals --- */

static int approval_list_run(struct cli *cli, const struct args *args)
{
    struct request request = { .body = NULL };
    int exit_code = request_begin(cli, args, OPERATION_APPROVAL_LIST, &request);
    if (exit_code == CLI_OK)
        exit_code = pages_print(cli, &request, UINT64_MAX, "state identity", "Nothing waits for approval.");
    request_done(&request);
    return exit_code;
}

/* One proposal, whatever became of it. */
static int proposal_print(struct cli *cli, const struct msg_approval_list_answer *answer)
{
    if (answer->entries_count == 0)
        return cli_error(cli, CLI_NOT_FOUND, punkt_result_name(PUNKT_RESULT_UNKNOWN_PROPOSAL), "%s",
                         punkt_result_text(PUNKT_RESULT_UNKNOWN_PROPOSAL));
    if (cli->json)
        return output_object(cli, cli->out, message_json(MESSAGE_proposal_entry, &answer->entries[0]));
    return output_pairs(cli, fields_text(cli, MESSAGE_proposal_entry, &answer->entries[0], false));
}

static int approval_show_run(struct cli *cli, const struct args *args)
{
    struct request request = { .body = NULL };
    struct reply reply = { .body = NULL };
    int exit_code = request_begin(cli, args, OPERATION_APPROVAL_LIST, &request);
    if (exit_code == CLI_OK)
        exit_code = request_send(cli, &request, &reply);
    if (exit_code == CLI_OK)
        exit_code = cli_check(cli, &reply.head);
    if (exit_code == CLI_OK)
        exit_code = proposal_print(cli, reply.body);
    reply_done(&reply);
    request_done(&request);
    return exit_code;
}

static int approve_fill(struct cli *cli, const struct args *args, struct request *request)
{
    struct msg_approval_decide_request *body = request->body;
    (void)cli;
    (void)args;
    body->approve = 1;
    return CLI_OK;
}

/* --- flags --- */

static int flags_list_run(struct cli *cli, const struct args *args)
{
    struct request request = { .body = NULL };
    int exit_code = request_begin(cli, args, OPERATION_FLAG_LIST, &request);
    if (exit_code == CLI_OK)
        exit_code = pages_print(cli, &request, UINT64_MAX, "identity", "Nothing is flagged.");
    request_done(&request);
    return exit_code;
}

const struct command approvals_commands[] = {
    {
        .name = "approval list",
        .summary = "Lists what is above somebody's limit and waits for another's approval.",
        .usage = "",
        .examples = { "punkt approval list" },
        .operation = PUNKT_OPERATION_APPROVAL_LIST,
        .run = approval_list_run,
    },
    {
        .name = "approval show",
        .summary = "Shows one proposal, whole, and what came of it.",
        .usage = "N",
        .examples = { "punkt approval show 4711" },
        .words_min = 1,
        .words_max = 1,
        .operation = PUNKT_OPERATION_APPROVAL_LIST,
        .words = { "proposal" },
        .run = approval_show_run,
    },
    {
        .name = "approval approve",
        .summary = "Approves the proposal of another, which books it.",
        .usage = "N",
        .examples = { "punkt approval approve 4711",
                      "punkt approval approve 4711 --note \"spoke with the customer\"" },
        .options = { OPTION_NOTE, OPTION_OPERATOR },
        .words_min = 1,
        .words_max = 1,
        .change = true,
        .operation = PUNKT_OPERATION_APPROVAL_DECIDE,
        .words = { "proposal" },
        .fill = approve_fill,
    },
    {
        .name = "approval reject",
        .summary = "Rejects the proposal of another: nothing is booked of it.",
        .usage = "N",
        .examples = { "punkt approval reject 4711 --note \"not without a receipt\"" },
        .options = { OPTION_NOTE, OPTION_OPERATOR },
        .words_min = 1,
        .words_max = 1,
        .change = true,
        .operation = PUNKT_OPERATION_APPROVAL_DECIDE,
        .words = { "proposal" },
    },
    {
        .name = "flags list",
        .summary = "Lists what the office should look at, oldest first.",
        .usage = "",
        .examples = { "punkt flags list", "punkt --json flags list" },
        .operation = PUNKT_OPERATION_FLAG_LIST,
        .run = flags_list_run,
    },
    {
        .name = "flags resolve",
        .summary = "Takes a flag off the list, once somebody has looked at it.",
        .usage = "N",
        .examples = { "punkt flags resolve 4711 --note \"the customer had two receipts\"" },
        .options = { OPTION_NOTE, OPTION_OPERATOR },
        .words_min = 1,
        .words_max = 1,
        .change = true,
        .operation = PUNKT_OPERATION_FLAG_RESOLVE,
        .words = { "flag" },
    },
    { .name = NULL },
};
