/*
 * The programme: looked at, checked, rehearsed, published. Only the daemon reads programmes; here they are text.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/fields.h"
#include "cli/request.h"
#include "cli/tables.h"

#define REHEARSE_TIMEOUT_MS (60 * 60 * 1000) /* all receipts of those days are rated */

static const char *name_of(const char *path)
{
    return strcmp(path, "-") == 0 ? "stdin" : path;
}

/* "FILE:3:5: what is wrong", as compilers say it; without a line for what is wrong with the whole. */
static void print_problem(FILE *stream, const char *path, const struct msg_problem *problem)
{
    if (problem->line == 0)
        (void)fprintf(stream, "%s: ", name_of(path));
    else
        (void)fprintf(stream, "%s:%" PRIu64 ":%" PRIu64 ": ", name_of(path), problem->line, problem->column);
    (void)fprintf(stream, "%.*s\n", (int)problem->text.size, problem->text.data);
}

static bool is_text(const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        bool layout = bytes[i] == '\n' || bytes[i] == '\r' || bytes[i] == '\t';
        if (!layout && ((unsigned char)bytes[i] < ' ' || bytes[i] == '\x7f'))
            return false;
    }
    char *copy = malloc(size + 1);
    if (copy == NULL)
        return false;
    for (size_t i = 0; i < size; i++)
        copy[i] = (unsigned char)bytes[i] < ' ' ? ' ' : bytes[i];
    bool valid = wire_utf8_valid(copy, size);
    free(copy);
    return valid;
}

/* The first line that is no text, from 1; 0: all of them are. */
static unsigned bad_line(const char *bytes, size_t size)
{
    const char *end = bytes + size;
    unsigned line = 1;
    for (const char *at = bytes; at < end; line++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        stop = stop != NULL ? stop + 1 : end;
        if (!is_text(at, (size_t)(stop - at)))
            return line;
        at = stop;
    }
    return 0;
}

/* The file as the request's `text`, which is borrowed from the request's memory. */
static int read_text(struct cli *cli, const char *path, struct request *request)
{
    const struct message_field *field = field_find(request->message, "text");
    char *bytes = request_memory(cli, request, 1, (size_t)field->limit + 1);
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    if (bytes == NULL || file == NULL) {
        if (file != NULL && file != stdin)
            (void)fclose(file);
        return bytes == NULL
                   ? CLI_FAILED
                   : cli_error(cli, CLI_FAILED, "bad_file", "cannot read %s: %s", path, strerror(errno));
    }
    struct message_text text = { bytes, fread(bytes, 1, (size_t)field->limit + 1, file) };
    int failed = ferror(file) != 0 ? errno : 0;
    if (file != stdin)
        (void)fclose(file);
    if (failed != 0)
        return cli_error(cli, CLI_FAILED, "bad_file", "cannot read %s: %s", path, strerror(failed));
    if (text.size > field->limit)
        return cli_error(cli, CLI_REFUSED, "invalid_programme", "%s: more than %" PRIu64 " bytes",
                         name_of(path), field->limit);
    unsigned line = bad_line(bytes, (size_t)text.size);
    if (line != 0)
        return cli_error(cli, CLI_REFUSED, "invalid_programme", "%s:%u:1: this line is no UTF-8 text",
                         name_of(path), line);
    memcpy((char *)request->body + field->offset, &text, sizeof(text));
    return CLI_OK;
}

static int text_fill(struct cli *cli, const struct args *args, struct request *request)
{
    return read_text(cli, args->positional[0], request);
}

/* Asks the daemon what is wrong with the file, or different in it. */
static int check(struct cli *cli, const struct args *args, struct reply *out_reply)
{
    struct request request = { .body = NULL };
    *out_reply = (struct reply){ .body = NULL };
    int exit_code = request_begin(cli, args, OPERATION_PROGRAMME_CHECK, &request);
    if (exit_code == CLI_OK)
        exit_code = read_text(cli, args->positional[0], &request);
    if (exit_code == CLI_OK)
        exit_code = request_send(cli, &request, out_reply);
    if (exit_code == CLI_OK)
        exit_code = cli_check(cli, &out_reply->head);
    request_done(&request);
    return exit_code;
}

/* What a check found: mistakes, the same for all who ask. */
static int print_problems(FILE *stream, const char *path, const struct msg_programme_check_answer *answer)
{
    for (uint64_t i = 0; i < answer->problems_count; i++)
        print_problem(stream, path, &answer->problems[i]);
    return answer->problems_count > 0 ? CLI_REFUSED : CLI_OK;
}

static int programme_check_run(struct cli *cli, const struct args *args)
{
    struct reply reply;
    int exit_code = check(cli, args, &reply);
    const struct msg_programme_check_answer *answer = reply.body;
    if (exit_code == CLI_OK && cli->json) {
        exit_code = output_object(cli, cli->out, reply_json(&reply, NULL));
        if (exit_code == CLI_OK && answer->problems_count > 0)
            exit_code = CLI_REFUSED;
    } else if (exit_code == CLI_OK) {
        exit_code = print_problems(cli->out, args->positional[0], answer);
        if (exit_code == CLI_OK)
            (void)fprintf(cli->out,
                          "%s is a valid programme. Differences from version %" PRIu64 ": %" PRIu64 ".\n",
                          name_of(args->positional[0]), answer->version, answer->differences_count);
    }
    reply_done(&reply);
    return exit_code;
}

static int programme_diff_run(struct cli *cli, const struct args *args)
{
    struct reply reply;
    int exit_code = check(cli, args, &reply);
    const struct msg_programme_check_answer *answer = reply.body;
    if (exit_code == CLI_OK && cli->json) {
        exit_code = output_object(cli, cli->out, reply_json(&reply, NULL));
        if (exit_code == CLI_OK && answer->problems_count > 0)
            exit_code = CLI_REFUSED;
    } else if (exit_code == CLI_OK) {
        exit_code = print_problems(cli->err, args->positional[0], answer);
        for (uint64_t i = 0; exit_code == CLI_OK && i < answer->differences_count; i++)
            (void)fprintf(cli->out, "%.*s\n", (int)answer->differences[i].text.size,
                          answer->differences[i].text.data);
    }
    reply_done(&reply);
    return exit_code;
}

/* The end of a request that carries a programme: if it cannot be read, every mistake is named. */
static int finish(struct cli *cli, const struct args *args, const struct request *request,
                  const struct reply *reply)
{
    bool invalid = reply->head.call == PUNKT_CALL_REFUSED &&
                   reply->head.code == PUNKT_RESULT_INVALID_PROGRAMME && !cli->json;
    struct reply checked;
    int exit_code = reply_finish(cli, reply, request);
    if (invalid && strcmp(args->positional[0], "-") != 0) {
        if (check(cli, args, &checked) == CLI_OK)
            (void)print_problems(cli->err, args->positional[0], checked.body);
        reply_done(&checked);
    }
    return exit_code;
}

static int programme_publish_run(struct cli *cli, const struct args *args)
{
    struct request request;
    struct reply reply = { .body = NULL };
    int exit_code = request_begin(cli, args, OPERATION_PROGRAMME_PUBLISH, &request);
    if (exit_code == CLI_OK)
        exit_code = text_fill(cli, args, &request);
    if (exit_code == CLI_OK)
        exit_code = request_send(cli, &request, &reply);
    if (exit_code == CLI_OK)
        exit_code = finish(cli, args, &request, &reply);
    reply_done(&reply);
    request_done(&request);
    return exit_code;
}

static int programme_rehearse_run(struct cli *cli, const struct args *args)
{
    struct request request;
    struct reply reply = { .body = NULL };
    int exit_code = request_begin(cli, args, OPERATION_PROGRAMME_REHEARSE, &request);
    request.timeout_ms = cli_timeout_ms(cli, REHEARSE_TIMEOUT_MS);
    if (exit_code == CLI_OK)
        exit_code = text_fill(cli, args, &request);
    if (exit_code == CLI_OK)
        exit_code = request_send_slowly(cli, &request, &reply);
    if (exit_code == CLI_OK)
        exit_code = finish(cli, args, &request, &reply);
    reply_done(&reply);
    request_done(&request);
    return exit_code;
}

static int programme_history_run(struct cli *cli, const struct args *args)
{
    struct request request;
    struct reply reply = { .body = NULL };
    int exit_code = request_begin(cli, args, OPERATION_PROGRAMME_HISTORY, &request);
    if (exit_code == CLI_OK)
        exit_code = request_send(cli, &request, &reply);
    if (exit_code == CLI_OK)
        exit_code = cli_check(cli, &reply.head);
    if (exit_code == CLI_OK) {
        const struct msg_programme_history_answer *answer = reply.body;
        exit_code = elements_print(cli, MESSAGE_programme_entry, answer->versions, answer->versions_count);
    }
    reply_done(&reply);
    request_done(&request);
    return exit_code;
}

const struct command programme_commands[] = {
    {
        .name = "programme check",
        .summary = "Reads a programme and names every mistake in it.",
        .usage = "FILE|-",
        .examples = { "punkt programme check programme.yaml" },
        .words_min = 1,
        .words_max = 1,
        .operation = PUNKT_OPERATION_PROGRAMME_CHECK,
        .words = { WORD_OWN },
        .run = programme_check_run,
    },
    {
        .name = "programme diff",
        .summary = "Says what a programme would change, against the newest version or another.",
        .usage = "FILE|- [VERSION]",
        .examples = { "punkt programme diff programme.yaml", "punkt programme diff programme.yaml 2" },
        .words_min = 1,
        .words_max = 2,
        .operation = PUNKT_OPERATION_PROGRAMME_CHECK,
        .words = { WORD_OWN, "version" },
        .run = programme_diff_run,
    },
    {
        .name = "programme rehearse",
        .summary = "Rates the receipts of past days by a draft: who and what would gain and lose.",
        .usage = "FILE|- --days N",
        .examples = { "punkt programme rehearse programme.yaml --days 30" },
        .options = { OPTION_DAYS },
        .needs = { OPTION_DAYS },
        .words_min = 1,
        .words_max = 1,
        .operation = PUNKT_OPERATION_PROGRAMME_REHEARSE,
        .words = { WORD_OWN },
        .run = programme_rehearse_run,
    },
    {
        .name = "programme publish",
        .summary = "Publishes a programme as a new version, which stays for ever.",
        .usage = "FILE|-",
        .examples = { "punkt programme publish programme.yaml",
                      "punkt programme publish programme.yaml --from 2026-02-01T00:00" },
        .options = { OPTION_FROM_TIME, OPTION_OPERATOR },
        .words_min = 1,
        .words_max = 1,
        .change = true,
        .operation = PUNKT_OPERATION_PROGRAMME_PUBLISH,
        .words = { WORD_OWN },
        .run = programme_publish_run,
    },
    {
        .name = "programme rollback",
        .summary = "Publishes an earlier version again, as a new one.",
        .usage = "VERSION",
        .examples = { "punkt programme rollback 3" },
        .options = { OPTION_FROM_TIME, OPTION_OPERATOR },
        .words_min = 1,
        .words_max = 1,
        .change = true,
        .operation = PUNKT_OPERATION_PROGRAMME_PUBLISH,
        .words = { "version" },
    },
    {
        .name = "programme show",
        .summary = "Shows the programme in force, or another version of it.",
        .usage = "[VERSION]",
        .examples = { "punkt programme show", "punkt programme show 2 >programme-2.yaml" },
        .words_max = 1,
        .operation = PUNKT_OPERATION_PROGRAMME_SHOW,
        .words = { "version" },
    },
    {
        .name = "programme history",
        .summary = "Lists the versions of the programme, newest first.",
        .usage = "",
        .examples = { "punkt programme history" },
        .operation = PUNKT_OPERATION_PROGRAMME_HISTORY,
        .run = programme_history_run,
    },
    { .name = NULL },
};
