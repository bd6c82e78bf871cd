/*
 * Audits: the whole journal verified, and who did what.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "cli/parse.h"
#include "cli/request.h"

#define HEAD_SIZE 32
#define VERIFY_TIMEOUT_MS (60 * 60 * 1000) /* all of a large journal is read */

static const char hex_digits[] = "0123456789abcdef";

enum { HEAD_MISSING = 2 }; /* of the answer */

/* 64 hexadecimal digits, as `till close` prints a head; blanks between them, as on paper, do not count. */
static bool head_read(const char *text, uint8_t out[HEAD_SIZE])
{
    size_t digits = 0;
    for (const char *at = text; *at != '\0'; at++) {
        if (*at == ' ')
            continue;
        const char *found = strchr(hex_digits, tolower((unsigned char)*at));
        if (found == NULL || digits == 2 * (size_t)HEAD_SIZE)
            return false;
        uint8_t value = (uint8_t)(found - hex_digits);
        out[digits / 2] = digits % 2 == 0 ? (uint8_t)(value << 4) : (uint8_t)(out[digits / 2] | value);
        digits++;
    }
    return digits == 2 * (size_t)HEAD_SIZE;
}

int audit_verify_check(struct cli *cli, const struct args *args)
{
    const char *head = args->value[OPTION_HEAD];
    uint8_t bytes[HEAD_SIZE];
    if (head != NULL && !head_read(head, bytes))
        return cli_usage(
            cli, "--head: \"%s\" is no head: 64 hexadecimal digits, as punkt till close prints it", head);
    return CLI_OK;
}

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
static int verify_files(struct cli *cli, const struct args *args)
{
    char path[4096];
    const char *folder = args->value[OPTION_DATA];
    uint8_t bytes[HEAD_SIZE];
    char head[2 * HEAD_SIZE + 1];
    const char *words[8] = { "punktd", "verify", "--data", folder };
    char *argv[sizeof(words) / sizeof(words[0])];
    size_t count = 4;
    if (args->value[OPTION_HEAD] != NULL && head_read(args->value[OPTION_HEAD], bytes)) {
        for (size_t i = 0; i < sizeof(bytes); i++)
            (void)snprintf(head + 2 * i, 3, "%02x", bytes[i]);
        words[count++] = "--head";
        words[count++] = head;
    }
    if (cli->json)
        words[count] = "--json";
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

/* Sound in itself, and yet not what it was. */
static int head_missing(struct cli *cli)
{
    return cli_error(cli, CLI_FAILED, "head_missing",
                     "the journal does not lead through this head: it was rewritten or cut since, it is of "
                     "another ledger, or the head was not printed by it");
}

static int verified(struct cli *cli, const struct reply *reply)
{
    const struct msg_audit_verify_answer *answer = reply->body;
    if (answer != NULL && answer->state == PUNKT_AUDIT_MATCHES && answer->head == HEAD_MISSING)
        return head_missing(cli);
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
    uint8_t head[HEAD_SIZE];
    if (args->value[OPTION_DATA] != NULL)
        return verify_files(cli, args);
    int exit_code = request_begin(cli, args, OPERATION_AUDIT_VERIFY, &request);
    request.timeout_ms = cli_timeout_ms(cli, VERIFY_TIMEOUT_MS);
    if (exit_code == CLI_OK && args->value[OPTION_HEAD] != NULL &&
        head_read(args->value[OPTION_HEAD], head)) {
        struct msg_audit_verify_request *body = request.body;
        body->head = (struct message_text){ (const char *)head, sizeof(head) };
    }
    if (exit_code == CLI_OK)
        exit_code = request_send(cli, &request, &reply);
    if (exit_code == CLI_OK)
        exit_code = verified(cli, &reply);
    reply_done(&reply);
    request_done(&request);
    return exit_code;
}

/* --- who did what --- */

static int kind_unknown(struct cli *cli, const char *kind)
{
    char words[512] = "";
    size_t used = 0;
    for (uint32_t event = PUNKT_EVENT_TERM; event <= PUNKT_EVENT_SEAL && used < sizeof(words); event++)
        used += (size_t)snprintf(words + used, sizeof(words) - used, "%s%s", used > 0 ? ", " : "",
                                 punkt_event_name(event));
    return cli_usage(cli, "--kind: there is no kind of event \"%s\"; there are %s", kind, words);
}

/* A word that there is not would list nothing, as if nothing of the kind had happened. */
int audit_log_check(struct cli *cli, const struct args *args)
{
    const char *kind = args->value[OPTION_KIND];
    const char *limit = args->value[OPTION_LIMIT];
    uint64_t number;
    bool known = kind == NULL;
    for (uint32_t event = PUNKT_EVENT_TERM; !known && event <= PUNKT_EVENT_SEAL; event++)
        known = strcmp(kind, punkt_event_name(event)) == 0;
    if (!known)
        return kind_unknown(cli, kind);
    if (limit != NULL && !parse_uint(limit, 1, UINT64_MAX, &number))
        return cli_usage(cli, "--limit is a number from 1");
    return CLI_OK;
}

int audit_log_run(struct cli *cli, const struct args *args)
{
    struct request request = { .body = NULL };
    uint64_t limit = UINT64_MAX;
    if (args->value[OPTION_LIMIT] != NULL)
        (void)parse_uint(args->value[OPTION_LIMIT], 1, UINT64_MAX, &limit);
    int exit_code = request_begin(cli, args, OPERATION_AUDIT_LOG, &request);
    if (exit_code == CLI_OK)
        exit_code = pages_print(cli, &request, limit, "identity", "Nobody did anything of the kind.");
    request_done(&request);
    return exit_code;
}
