#include "cli/cli.h"
#include "cli/parse.h"

#define ISSUE_MAX 10000 /* cards of one request */

int card_issue_run(struct cli *cli, const struct args *args)
{
    const char *count = args->value[OPTION_COUNT];
    uint64_t number = 1;
    if (count != NULL && !parse_uint(count, 1, ISSUE_MAX, &number))
        return cli_usage(cli, "--count is from 1 to %d", ISSUE_MAX);
    int exit_code = cli_connect(cli, 1);
    if (exit_code != CLI_OK)
        return exit_code;
    struct punkt_card_issue_request request = { .size = sizeof(request),
                                                .card = args->positional[0],
                                                .count = (uint32_t)number };
    struct punkt_card_issue_answer answer = PUNKT_ANSWER_INIT(answer);
    (void)punkt_card_issue(cli->punkt, &request, &answer);
    return cli_finish(cli, &answer.head, request.card);
}

int card_show_run(struct cli *cli, const struct args *args)
{
    int exit_code = cli_connect(cli, 1);
    if (exit_code != CLI_OK)
        return exit_code;
    struct punkt_card_show_request request = { .size = sizeof(request), .card = args->positional[0] };
    struct punkt_card_show_answer answer = PUNKT_ANSWER_INIT(answer);
    (void)punkt_card_show(cli->punkt, &request, &answer);
    return cli_finish(cli, &answer.head, request.card);
}
