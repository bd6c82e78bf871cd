#include "cli/cli.h"
#include "cli/parse.h"

int programme_show_run(struct cli *cli, const struct args *args)
{
    uint64_t version = 0; /* the one in force */
    if (args->positional_count > 0 && !parse_uint(args->positional[0], 1, UINT32_MAX, &version))
        return cli_usage(cli, "\"%s\" is no version of a programme", args->positional[0]);
    int exit_code = cli_connect(cli, 1);
    if (exit_code != CLI_OK)
        return exit_code;
    struct punkt_programme_show_request request = { .size = sizeof(request), .version = (uint32_t)version };
    struct punkt_programme_show_answer answer = PUNKT_ANSWER_INIT(answer);
    (void)punkt_programme_show(cli->punkt, &request, &answer);
    return cli_finish(cli, &answer.head, NULL);
}
