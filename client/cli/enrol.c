/*
 * Becoming somebody, and being told who one is.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/identity.h"
#include "cli/parse.h"
#include "proto/message.h"

static json_t *text_or_null(const char *text)
{
    return text[0] != '\0' ? json_string(text) : json_null();
}

static json_t *time_or_null(int64_t time_us)
{
    char text[TIME_TEXT_SIZE];
    if (time_us <= 0)
        return json_null();
    time_text((uint64_t)time_us, true, text);
    return json_string(text);
}

static const char *role_text(uint32_t role)
{
    return role <= ROLE_COUNT ? role_name((enum role)role) : "";
}

/* "till 12/3", "user anna, supervisor" */
static void print_who(FILE *out, uint32_t role, const char *name, const char *store, const char *till)
{
    if (name[0] != '\0')
        (void)fprintf(out, "user %s, %s", name, role_text(role));
    else
        (void)fprintf(out, "till %s/%s", store, till);
}

/* When a key ends, if it does: " The key ends 2027-11-22 14:05:00." In UTC where the programme's zone is not known. */
static void print_end(FILE *out, int64_t key_ends_us, bool utc)
{
    char text[TIME_TEXT_SIZE];
    if (key_ends_us > 0) {
        time_text((uint64_t)key_ends_us, utc, text);
        (void)fprintf(out, " The key ends %s.", text);
    }
    (void)fputc('\n', out);
}

static int enrolled(struct cli *cli, const struct punkt_enrol_answer *answer, const char *path, bool at_home)
{
    if (cli->json)
        return output_object(
            cli, cli->out,
            json_pack("{s:I,s:s,s:s,s:o,s:o,s:o,s:o,s:s,s:s}", "identity", (json_int_t)answer->identity,
                      "role", role_text(answer->role), "proof", answer->psk ? "psk" : "certificate", "name",
                      text_or_null(answer->name), "store", text_or_null(answer->store), "till",
                      text_or_null(answer->till), "key_ends", time_or_null(answer->key_ends_us), "server",
                      answer->server, "file", path));
    (void)fputs(answer->name[0] != '\0' ? "You are " : "This is ", cli->out);
    print_who(cli->out, answer->role, answer->name, answer->store, answer->till);
    (void)fprintf(cli->out, ", number %" PRIu64 " of the register at %s.", answer->identity, answer->server);
    print_end(cli->out, answer->key_ends_us, true);
    (void)fprintf(cli->out, "The key is in %s, which nobody else may read. Try next:\n\n    punkt ", path);
    if (!at_home)
        (void)fprintf(cli->out, "--identity %s ", path);
    (void)fputs("whoami\n", cli->out);
    return CLI_OK;
}

static int enrol_run(struct cli *cli, const struct args *args)
{
    char home[IDENTITY_PATH_SIZE];
    struct punkt_enrol_answer answer = PUNKT_ANSWER_INIT(answer);
    const char *path = cli_identity_named(args->value[OPTION_IDENTITY]);
    bool at_home = path == NULL;
    if (at_home && !cli_identity_at_home(home))
        return cli_usage(cli, "there is neither XDG_CONFIG_HOME nor HOME: say where with --identity FILE");
    if (at_home)
        path = home;
    if (at_home && !cli_make_folders(path))
        return cli_error(cli, CLI_FAILED, "bad_file", "the folders of %s cannot be made", path);
    if (args->value[OPTION_REPLACE] == NULL && access(path, F_OK) == 0)
        return cli_usage(cli, "%s is there already, and says who one is; --replace overwrites it", path);
    struct punkt_enrol_request request = {
        .size = sizeof(request),
        .timeout_ms = cli_timeout_ms(cli, 0),
        .server = args->positional[0],
        .code = args->positional[1],
        .identity = path,
        .software = "punkt",
        .replace = args->value[OPTION_REPLACE] != NULL,
    };
    if (punkt_enrol(&request, &answer) == PUNKT_CALL_INVALID)
        return cli_usage(cli, "%s", answer.trouble);
    int exit_code = cli_check(cli, &answer.head);
    return exit_code == CLI_OK ? enrolled(cli, &answer, path, at_home) : exit_code;
}

static int whoami_run(struct cli *cli, const struct args *args)
{
    (void)args;
    int exit_code = cli_connect(cli, 1);
    const struct punkt_server_info *info = &cli->info;
    if (exit_code != CLI_OK)
        return exit_code;
    if (cli->json)
        return output_object(cli, cli->out,
                             json_pack("{s:I,s:s,s:o,s:o,s:o,s:o}", "identity", (json_int_t)info->identity,
                                       "role", role_text(info->role), "name", text_or_null(info->name),
                                       "store", text_or_null(info->store), "till", text_or_null(info->till),
                                       "key_ends", time_or_null(info->key_ends_us)));
    if (info->name[0] == '\0' && info->till[0] == '\0') {
        (void)fputs("The local administrator: so is whoever may connect to this address.\n", cli->out);
        return CLI_OK;
    }
    print_who(cli->out, info->role, info->name, info->store, info->till);
    (void)fprintf(cli->out, ", number %" PRIu64 " of the register.", info->identity);
    print_end(cli->out, info->key_ends_us, false);
    return CLI_OK;
}

const struct command enrol_commands[] = {
    {
        .name = "enrol",
        .summary = "Makes this machine a till, or you a user, with a code from punkt till add or user add.",
        .usage = "SERVER CODE",
        .examples = { "punkt enrol points.example.com 7Q4H-XKE2-0V9N-3M5T-R8CB-W1ZA-6JPD-YG2F",
                      "punkt enrol 10.0.0.5:7445 7Q4H-XKE2-0V9N-3M5T-R8CB-W1ZA-6JPD-YG2F --identity till.identity" },
        .options = { OPTION_REPLACE },
        .words_min = 2,
        .words_max = 2,
        .run = enrol_run,
    },
    {
        .name = "whoami",
        .summary = "Says who one is to the daemon, and what for.",
        .usage = "",
        .examples = { "punkt whoami", "punkt --identity till.identity whoami" },
        .run = whoami_run,
    },
    { .name = NULL },
};
