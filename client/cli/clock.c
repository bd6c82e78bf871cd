#include "cli/cli.h"

int clock_accept_run(struct cli *cli, const struct args *args)
{
    struct punkt_clock_accept_answer answer = PUNKT_ANSWER_INIT(answer);
    (void)args;
    int exit_code = cli_connect(cli, 1);
    if (exit_code != CLI_OK)
        return exit_code;
    (void)punkt_clock_accept(cli->punkt, NULL, &answer);
    return cli_finish(cli, &answer.head, NULL);
}
