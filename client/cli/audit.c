#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "cli/request.h"

#define VERIFY_TIMEOUT_MS (60 * 60 * 1000) /* all of a large journal is read */

/* "punktd" in the folder of this program; false if that cannot be said. */
static bool daemon_beside(char *out_path, size_t size)
{
    ssize_t length = readlink("/proc/self/exe", out_path, size - 1);
    if (length <= 0)
        return false;
    out_path[length] = '\0';
    char *slash = strrchr(out_path, '/');
    if (slash == NULL || (size_t)(slash - out_path) + sizeof("/punktd") > size)
        return false;
    strcpy(slash, "/punktd");
    return true;
}

/* Only the daemon reads journals, so it checks the files of a stopped one, and its answer is ours. */
static int verify_files(struct cli *cli, const char *folder)
{
    char path[4096];
    const char *words[] = { "punktd", "verify", "--data", folder, cli->json ? "--json" : NULL, NULL };
    char *argv[sizeof(words) / sizeof(words[0])];
    memcpy(argv, words, sizeof(words)); /* execv takes texts that it promises not to change */
    (void)fflush(cli->out);
    if (daemon_beside(path, sizeof(path)))
        (void)execv(path, argv);
    (void)execvp("punktd", argv);
    return cli_error(cli, CLI_FAILED, "no_daemon", "cannot run punktd to read %s: %s", folder,
                     strerror(errno));
}

/* What is wrong, and where; as an object with the same keys as that of verify_files. */
static int damaged(struct cli *cli, const struct msg_audit_verify_answer *answer)
{
    if (!cli->json)
        return cli_error(cli, CLI_FAILED, "damage", "%.*s, offset %" PRIu64 ": %.*s", (int)answer->file.size,
                         answer->file.data, answer->offset, (int)answer->detail.size, answer->detail.data);
    json_t *object =
        json_pack("{s:{s:s, s:s%, s:b, s:s%, s:I}}", "error", "code", "damage", "message",
                  answer->detail.data, (size_t)answer->detail.size, "retryable", 0, "file", answer->file.data,
                  (size_t)answer->file.size, "offset", (json_int_t)answer->offset);
    int exit_code = output_object(cli, cli->err, object);
    return exit_code == CLI_OK ? CLI_FAILED : exit_code;
}

static int verified(struct cli *cli, const struct reply *reply)
{
    const struct msg_audit_verify_answer *answer = reply->body;
    if (answer == NULL || answer->state == PUNKT_AUDIT_MATCHES)
        return reply_finish(cli, reply, NULL);
    if (answer->state == PUNKT_AUDIT_DIFFERS)
        return cli_error(cli, CLI_FAILED, "state_differs",
                         "the journal is sound, but state is not what it says%s%.*s",
                         answer->detail.size > 0 ? ": " : "", (int)answer->detail.size, answer->detail.data);
    return damaged(cli, answer);
}

int audit_verify_run(struct cli *cli, const struct args *args)
{
    struct request request;
    struct reply reply = { .body = NULL };
    if (args->value[OPTION_DATA] != NULL)
        return verify_files(cli, args->value[OPTION_DATA]);
    int exit_code = request_begin(cli, args, OPERATION_AUDIT_VERIFY, &request);
    request.timeout_ms = cli_timeout_ms(cli, VERIFY_TIMEOUT_MS);
    if (exit_code == CLI_OK)
        exit_code = request_send(cli, &request, &reply);
    if (exit_code == CLI_OK)
        exit_code = verified(cli, &reply);
    reply_done(&reply);
    request_done(&request);
    return exit_code;
}
