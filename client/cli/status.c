#include "cli/cli.h"
#include "cli/parse.h"

static json_t *status_json(const struct punkt_status_answer *answer)
{
    const struct punkt_answer *first = answer->first;
    if (answer->state == PUNKT_STATUS_NEVER_SEEN)
        return json_pack("{s:s}", "state", "never_seen");
    json_t *object = json_pack("{s:s}", "state", answer->state == PUNKT_STATUS_DONE ? "done" : "refused");
    if (object == NULL || first == NULL)
        return object;
    (void)json_object_set_new(object, "operation", json_string(punkt_operation_name(first->operation)));
    (void)json_object_set_new(object, "answer",
                              first->call == PUNKT_CALL_DONE ? answer_json(first, NULL)
                                                             : refusal_json(first, NULL));
    return object;
}

static int status_print(struct cli *cli, const struct punkt_status_answer *answer)
{
    const struct punkt_answer *first = answer->first;
    const char *operation = first != NULL ? punkt_operation_name(first->operation) : "an operation";
    if (answer->state == PUNKT_STATUS_NEVER_SEEN) {
        (void)fputs("The daemon has never seen it.\n", cli->out);
        return CLI_OK;
    }
    if (first == NULL || first->call != PUNKT_CALL_DONE) {
        (void)fprintf(cli->out, "%s: %s%s%s.\n", operation,
                      answer->state == PUNKT_STATUS_DONE ? "done" : "refused", first != NULL ? ", " : "",
                      first != NULL ? first->text : "");
        return CLI_OK;
    }
    (void)fprintf(cli->out, "%s, done. ", operation);
    return answer_print(cli, first, NULL);
}

int status_run(struct cli *cli, const struct args *args)
{
    struct punkt_status_request request = { .size = sizeof(request) };
    struct punkt_status_answer answer = PUNKT_ANSWER_INIT(answer);
    if (!parse_retry(args->positional[0], &request.epoch, &request.number))
        return cli_usage(cli, "\"%s\" is no EPOCH:NUMBER", args->positional[0]);
    int exit_code = cli_connect(cli, 1);
    if (exit_code != CLI_OK)
        return exit_code;
    (void)punkt_status(cli->punkt, &request, &answer);
    exit_code = cli_check(cli, &answer.head);
    if (exit_code != CLI_OK)
        return exit_code;
    return cli->json ? output_object(cli, cli->out, status_json(&answer)) : status_print(cli, &answer);
}
