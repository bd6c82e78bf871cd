#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"

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
static int damaged(struct cli *cli, const struct punkt_audit_verify_answer *answer)
{
    if (!cli->json)
        return cli_error(cli, CLI_FAILED, "damage", "%s, offset %" PRIu64 ": %s", answer->file,
                         answer->offset, answer->detail);
    json_t *object =
        json_pack("{s:{s:s, s:s, s:b, s:s, s:I}}", "error", "code", "damage", "message", answer->detail,
                  "retryable", 0, "file", answer->file, "offset", (json_int_t)answer->offset);
    int exit_code = output_object(cli, cli->err, object);
    return exit_code == CLI_OK ? CLI_FAILED : exit_code;
}

int audit_verify_run(struct cli *cli, const struct args *args)
{
    if (args->value[OPTION_DATA] != NULL)
        return verify_files(cli, args->value[OPTION_DATA]);
    int exit_code = cli_connect(cli, 1);
    if (exit_code != CLI_OK)
        return exit_code;
    struct punkt_plain_request request = { .size = sizeof(request),
                                           .timeout_ms = cli_timeout_ms(cli, VERIFY_TIMEOUT_MS) };
    struct punkt_audit_verify_answer answer = PUNKT_ANSWER_INIT(answer);
    (void)punkt_audit_verify(cli->punkt, &request, &answer);
    if (answer.head.call != PUNKT_CALL_DONE || answer.state == PUNKT_AUDIT_MATCHES)
        return cli_finish(cli, &answer.head, NULL);
    if (answer.state == PUNKT_AUDIT_DIFFERS)
        return cli_error(cli, CLI_FAILED, "state_differs",
                         "the journal is sound, but state is not what it says%s%s",
                         answer.detail[0] != '\0' ? ": " : "", answer.detail);
    return damaged(cli, &answer);
}
