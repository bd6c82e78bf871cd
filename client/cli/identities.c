/*
 * The register of tills and users: who there is, what they may, and the codes with which they enrol.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/fields.h"
#include "cli/identity.h"
#include "cli/parse.h"
#include "cli/request.h"
#include "cli/tables.h"

enum { ACT_SUSPEND = 1, ACT_RESUME, ACT_REVOKE, ACT_ROLE, ACT_ROTATE };
enum { KIND_TILLS = 1, KIND_USERS };

#define HOST_SIZE 264   /* 255, in brackets */
#define ENROL_PORT 7445 /* which `punkt enrol` takes unless it is told another */

/* Columns that say nothing of tills, or of users; a key is for `show`. */
#define NOT_OF_TILLS "name role key"
#define NOT_OF_USERS "store till key"

static bool is_of_till(const struct command *command)
{
    return strncmp(command->name, "till ", strlen("till ")) == 0;
}

/* --- which one --- */

/* STORE/TILL; a store may have a slash in its name. */
static bool place_read(const char *text, struct wire_code *out_store, struct wire_code *out_till)
{
    const char *slash = strrchr(text, '/');
    return slash != NULL && slash > text && slash[1] != '\0' &&
           wire_code_from(text, (size_t)(slash - text), out_store) &&
           wire_code_from(slash + 1, strlen(slash + 1), out_till);
}

static int place_usage(struct cli *cli, const char *text)
{
    return cli_usage(cli, "\"%s\" is no STORE/TILL such as 12/3, each of up to 32 bytes", text);
}

/* The till or user that the first word names, into fields of the request. */
static int who_fill(struct cli *cli, const struct args *args, struct request *request)
{
    const char *word = args->positional[0];
    if (!is_of_till(cli->command))
        return request_set(cli, request, "name", "NAME", word);
    const struct message_field *store = field_find(request->message, "store");
    const struct message_field *till = field_find(request->message, "till");
    struct wire_code place[2];
    if (!place_read(word, &place[0], &place[1]))
        return place_usage(cli, word);
    memcpy((char *)request->body + store->offset, &place[0], sizeof(place[0]));
    memcpy((char *)request->body + till->offset, &place[1], sizeof(place[1]));
    return CLI_OK;
}

static int role_of_user(struct cli *cli, const char *text, uint64_t *out_role)
{
    enum role role = role_by_name(text, strlen(text));
    if (role == ROLE_NONE || role == ROLE_TILL)
        return cli_usage(cli, "\"%s\" is no role of a user: supervisor, office, approver, auditor or admin",
                         text);
    *out_role = (uint64_t)role;
    return CLI_OK;
}

/* What is typed wrong is said before a connection is made. */
static int who_check(struct cli *cli, const struct args *args)
{
    struct wire_code code[2];
    const char *word = args->positional[0];
    if (is_of_till(cli->command))
        return place_read(word, &code[0], &code[1]) ? CLI_OK : place_usage(cli, word);
    if (word[0] == '\0' || !wire_code_from(word, strlen(word), &code[0]))
        return cli_usage(cli, "NAME: \"%s\" is not 1 to 32 bytes of text", word);
    return CLI_OK;
}

static int add_check(struct cli *cli, const struct args *args)
{
    uint64_t role;
    if (args->value[OPTION_PSK] != NULL && args->value[OPTION_CERTIFICATE] != NULL)
        return cli_usage(cli, "either --psk or --certificate");
    if (!is_of_till(cli->command) && role_of_user(cli, args->value[OPTION_ROLE], &role) != CLI_OK)
        return CLI_USAGE;
    return who_check(cli, args);
}

static int role_check(struct cli *cli, const struct args *args)
{
    uint64_t role;
    int exit_code = role_of_user(cli, args->positional[1], &role);
    return exit_code == CLI_OK ? who_check(cli, args) : exit_code;
}

/* --- requests --- */

/* --certificate: the file, into the request's field of that name. */
static int certificate_fill(struct cli *cli, const struct args *args, struct request *request)
{
    const char *path = args->value[OPTION_CERTIFICATE];
    const struct message_field *field = field_find(request->message, "certificate");
    if (path == NULL)
        return CLI_OK;
    char *bytes = request_memory(cli, request, 1, (size_t)field->limit + 1);
    if (bytes == NULL)
        return CLI_FAILED;
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return cli_error(cli, CLI_FAILED, "bad_file", "%s: %s", path, strerror(errno));
    struct message_text text = { bytes, fread(bytes, 1, (size_t)field->limit + 1, file) };
    bool failed = ferror(file) != 0;
    (void)fclose(file);
    if (failed || text.size == 0 || text.size > field->limit || strstr(bytes, "-----BEGIN CERT") == NULL)
        return cli_error(cli, CLI_FAILED, "bad_file",
                         "%s: this is no certificate (PEM) of up to %" PRIu64 " bytes", path, field->limit);
    if (strstr(bytes, "PRIVATE KEY-----") != NULL)
        return cli_error(
            cli, CLI_FAILED, "bad_file",
            "%s: a private key is in it, which is nobody else's business: give the certificate alone", path);
    memcpy((char *)request->body + field->offset, &text, sizeof(text));
    return CLI_OK;
}

static int add_fill(struct cli *cli, const struct args *args, struct request *request)
{
    struct msg_identity_add_request *body = request->body;
    int exit_code = who_fill(cli, args, request);
    body->role = ROLE_TILL;
    if (exit_code == CLI_OK && !is_of_till(cli->command))
        exit_code = role_of_user(cli, args->value[OPTION_ROLE], &body->role);
    return exit_code == CLI_OK ? certificate_fill(cli, args, request) : exit_code;
}

/* What the second word of the command does. */
static uint64_t act_of(const struct command *command)
{
    static const char *const acts[] = { [ACT_SUSPEND] = "suspend", "resume", "revoke", "role", "rotate" };
    const char *word = strchr(command->name, ' ') + 1;
    uint64_t act = ACT_SUSPEND;
    while (strcmp(acts[act], word) != 0)
        act++;
    return act;
}

static int change_fill(struct cli *cli, const struct args *args, struct request *request)
{
    struct msg_identity_change_request *body = request->body;
    int exit_code = who_fill(cli, args, request);
    body->act = act_of(cli->command);
    if (exit_code == CLI_OK && body->act == ACT_ROLE)
        exit_code = role_of_user(cli, args->positional[1], &body->role);
    return exit_code == CLI_OK ? certificate_fill(cli, args, request) : exit_code;
}

/* --- answers --- */

/* The daemon's own word for where it is, or the name of this machine, on which it is. */
static void local_host(const struct reply *reply, char out[HOST_SIZE])
{
    const struct message_field *field = field_find(reply->message, "server");
    const struct message_text *server = (const void *)((const char *)reply->body + field->offset);
    if (server->size > 0) {
        bool bare = memchr(server->data, ':', server->size) != NULL; /* IPv6, which a port may follow */
        (void)snprintf(out, HOST_SIZE, bare ? "[%.*s]" : "%.*s", (int)server->size, server->data);
    } else if (gethostname(out, HOST_SIZE) != 0) {
        (void)snprintf(out, HOST_SIZE, "localhost");
    }
    out[HOST_SIZE - 1] = '\0';
}

/* Where the new one reaches the daemon: the host that was asked, unless nobody else would ask there. */
static void enrol_host(const struct cli *cli, const struct reply *reply, char out[HOST_SIZE])
{
    char server[HOST_SIZE] = "";
    if (cli->server != NULL)
        (void)snprintf(server, sizeof(server), "%.*s", (int)strcspn(cli->server, ","), cli->server);
    else if (cli->identity != NULL)
        (void)cli_identity_value(cli->identity, "server", server, sizeof(server));
    if (server[0] == '\0' || cli_is_local(server)) {
        local_host(reply, out);
        return;
    }
    char *port = strrchr(server, ':');
    if (port != NULL)
        *port = '\0';
    (void)snprintf(out, HOST_SIZE, "%s", server);
}

static uint64_t number_in(const struct reply *reply, const char *name)
{
    return (uint64_t)field_number(reply->body, field_find(reply->message, name));
}

/* The one command that makes a machine this till, or its user this user. */
static void print_code(struct cli *cli, const struct reply *reply)
{
    const struct message_field *code = field_find(reply->message, "code");
    uint64_t port = number_in(reply, "enrol_port");
    char host[HOST_SIZE], ends[TIME_TEXT_SIZE];
    if (!field_says(reply->body, code))
        return;
    json_t *text = field_text(cli, reply->message, reply->body, code);
    time_text(number_in(reply, "code_ends"), false, ends);
    enrol_host(cli, reply, host);
    (void)fprintf(cli->out, "Once, until %s, to be typed %s:\n\n    punkt enrol %s", ends,
                  is_of_till(cli->command) ? "at the till" : "by that user", host);
    if (port != 0 && port != ENROL_PORT)
        (void)fprintf(cli->out, ":%" PRIu64, port);
    (void)fprintf(cli->out, " %s\n", json_string_value(text) != NULL ? json_string_value(text) : "");
    json_decref(text);
    if (port == 0)
        (void)fputs("\nBut the daemon listens nowhere for it: set enrol.listen in its settings.\n", cli->out);
}

/* An entry of the register is added or changed. */
static int change_run(struct cli *cli, const struct args *args)
{
    struct request request = { .body = NULL };
    struct reply reply = { .body = NULL };
    int exit_code = request_begin(cli, args, (enum operation)cli->command->operation, &request);
    if (exit_code == CLI_OK)
        exit_code = cli->command->fill(cli, args, &request);
    if (exit_code == CLI_OK)
        exit_code = request_send(cli, &request, &reply);
    if (exit_code == CLI_OK)
        exit_code = reply_finish(cli, &reply, &request);
    if (exit_code == CLI_OK && !cli->json)
        print_code(cli, &reply);
    reply_done(&reply);
    request_done(&request);
    return exit_code;
}

static int list_run(struct cli *cli, const struct args *args)
{
    struct request request = { .body = NULL };
    bool tills = is_of_till(cli->command);
    int exit_code = request_begin(cli, args, OPERATION_IDENTITY_LIST, &request);
    if (exit_code == CLI_OK) {
        struct msg_identity_list_request *body = request.body;
        body->kind = tills ? KIND_TILLS : KIND_USERS;
        exit_code = pages_print(cli, &request, UINT64_MAX, tills ? NOT_OF_TILLS : NOT_OF_USERS,
                                tills ? "No till is in the register." : "No user is in the register.");
    }
    request_done(&request);
    return exit_code;
}

/* Everything about an entry, without what can only be empty. */
static int entry_print(struct cli *cli, const struct msg_identity_entry *entry)
{
    if (cli->json)
        return output_object(cli, cli->out, message_json(MESSAGE_identity_entry, entry));
    json_t *fields = fields_text(cli, MESSAGE_identity_entry, entry, false);
    static const char *const places[] = { "name", "store", "till" };
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        if (!field_says(entry, field_find(MESSAGE_identity_entry, places[i])))
            (void)json_object_del(fields, places[i]);
    }
    return output_pairs(cli, fields);
}

static int unknown_identity(struct cli *cli, const char *name)
{
    return cli_error(cli, CLI_NOT_FOUND, punkt_result_name(PUNKT_RESULT_UNKNOWN_IDENTITY), "%s: %s", name,
                     punkt_result_text(PUNKT_RESULT_UNKNOWN_IDENTITY));
}

/* What is found of one name: most often one entry, but a till that was revoked may be there again, as another. */
struct found {
    uint64_t count, number;
    bool print;
};

/* Asks until the whole register was looked at: a page may end early, without an entry. */
static int find(struct cli *cli, struct request *request, struct found *found)
{
    struct msg_identity_list_request *body = request->body;
    int exit_code;
    do {
        struct reply reply;
        exit_code = request_send(cli, request, &reply);
        if (exit_code == CLI_OK)
            exit_code = cli_check(cli, &reply.head);
        const struct msg_identity_list_answer *answer = reply.body;
        for (uint64_t i = 0; exit_code == CLI_OK && i < answer->entries_count; i++) {
            if (found->print && found->count > 0 && !cli->json)
                (void)fputc('\n', cli->out);
            if (found->print)
                exit_code = entry_print(cli, &answer->entries[i]);
            found->number = answer->entries[i].identity;
            found->count++;
        }
        if (exit_code == CLI_OK)
            body->from = answer->next;
        reply_done(&reply);
    } while (exit_code == CLI_OK && body->from != 0);
    return exit_code;
}

static int show_run(struct cli *cli, const struct args *args)
{
    struct request request = { .body = NULL };
    struct found found = { .print = true };
    int exit_code = request_begin(cli, args, OPERATION_IDENTITY_LIST, &request);
    if (exit_code == CLI_OK)
        exit_code = who_fill(cli, args, &request);
    if (exit_code == CLI_OK)
        exit_code = find(cli, &request, &found);
    if (exit_code == CLI_OK && found.count == 0)
        exit_code = unknown_identity(cli, args->positional[0]);
    request_done(&request);
    return exit_code;
}

/* --- numbers of the register --- */

/* Who is meant, in a request that asks the register for it. */
static int name_fill(struct cli *cli, const char *name, struct request *request)
{
    struct msg_identity_list_request *body = request->body;
    if (strchr(name, '/') == NULL)
        return request_set(cli, request, "name", "--of", name);
    return place_read(name, &body->store, &body->till) ? CLI_OK : place_usage(cli, name);
}

int identity_number(struct cli *cli, const char *name, uint64_t *out_number)
{
    struct request request = { .body = NULL };
    struct found found = { .count = 0 };
    if (parse_uint(name, 1, INT64_MAX, out_number))
        return CLI_OK;
    int exit_code = request_init(cli, OPERATION_IDENTITY_LIST, &request);
    if (exit_code == CLI_OK)
        exit_code = name_fill(cli, name, &request);
    if (exit_code == CLI_OK)
        exit_code = find(cli, &request, &found);
    request_done(&request);
    if (exit_code == CLI_NOT_PERMITTED && !cli->json)
        (void)fputs("punkt: --of takes the number in the register from those who may not look it up\n",
                    cli->err);
    if (exit_code == CLI_OK && found.count == 0)
        return unknown_identity(cli, name);
    if (exit_code == CLI_OK && found.count > 1)
        return cli_error(cli, CLI_REFUSED, "ambiguous",
                         "%s was added more than once: give the number, as punkt till show %s lists them",
                         name, name);
    *out_number = found.number;
    return exit_code;
}

/* --- the table --- */

/* Ones that change an entry: the second word, what it does, and what follows the name. */
#define CHANGE_OF(first, second, NAME_, name_, summary_, ...)                                                \
    {                                                                                                        \
        .name = first " " second, .summary = summary_, .usage = NAME_,                                       \
        .examples = { "punkt " first " " second " " name_ }, .options = { __VA_ARGS__, OPTION_OPERATOR },    \
        .words_min = 1, .words_max = 1, .change = true, .operation = PUNKT_OPERATION_IDENTITY_CHANGE,        \
        .words = { WORD_OWN }, .check = who_check, .fill = change_fill, .run = change_run,                   \
    }

const struct command identities_commands[] = {
    {
        .name = "till add",
        .summary = "Registers a till, and prints the one command to type there.",
        .usage = "STORE/TILL",
        .examples = { "punkt till add 12/3", "punkt till add 12/3 --psk",
                      "punkt till add 12/3 --certificate till-12-3.pem" },
        .options = { OPTION_PSK, OPTION_CERTIFICATE, OPTION_OPERATOR },
        .words_min = 1,
        .words_max = 1,
        .change = true,
        .operation = PUNKT_OPERATION_IDENTITY_ADD,
        .words = { WORD_OWN },
        .check = add_check,
        .fill = add_fill,
        .run = change_run,
    },
    {
        .name = "till list",
        .summary = "Lists the tills of the register.",
        .usage = "",
        .examples = { "punkt till list", "punkt till list --store 12" },
        .options = { OPTION_STORE_OF_TILLS },
        .operation = PUNKT_OPERATION_IDENTITY_LIST,
        .run = list_run,
    },
    {
        .name = "till show",
        .summary = "Shows a till of the register: its key, since when, until when.",
        .usage = "STORE/TILL",
        .examples = { "punkt till show 12/3" },
        .words_min = 1,
        .words_max = 1,
        .operation = PUNKT_OPERATION_IDENTITY_LIST,
        .words = { WORD_OWN },
        .check = who_check,
        .run = show_run,
    },
    CHANGE_OF("till", "suspend", "STORE/TILL", "12/3 --reason \"stolen, or mislaid\"",
              "Lets a till in no more, until it is resumed; closes its connections.", OPTION_WHY),
    CHANGE_OF("till", "resume", "STORE/TILL", "12/3", "Lets a suspended till in again.", OPTION_WHY),
    CHANGE_OF("till", "revoke", "STORE/TILL", "12/3 --reason stolen",
              "Lets a till in no more, for ever; closes its connections.", OPTION_WHY),
    CHANGE_OF("till", "rotate", "STORE/TILL", "12/3",
              "Gives a till a new key: prints the command to type there. The old key serves until then.",
              OPTION_CERTIFICATE, OPTION_WHY),
    {
        .name = "user add",
        .summary = "Registers a user, and prints the one command for them to type.",
        .usage = "NAME --role ROLE",
        .examples = { "punkt user add anna --role supervisor",
                      "punkt user add ben --role office --certificate ben.pem" },
        .options = { OPTION_ROLE, OPTION_CERTIFICATE, OPTION_OPERATOR },
        .needs = { OPTION_ROLE },
        .words_min = 1,
        .words_max = 1,
        .change = true,
        .operation = PUNKT_OPERATION_IDENTITY_ADD,
        .words = { WORD_OWN },
        .check = add_check,
        .fill = add_fill,
        .run = change_run,
    },
    {
        .name = "user list",
        .summary = "Lists the users of the register.",
        .usage = "",
        .examples = { "punkt user list" },
        .operation = PUNKT_OPERATION_IDENTITY_LIST,
        .run = list_run,
    },
    {
        .name = "user show",
        .summary = "Shows a user of the register: role, key, since when, until when.",
        .usage = "NAME",
        .examples = { "punkt user show anna" },
        .words_min = 1,
        .words_max = 1,
        .operation = PUNKT_OPERATION_IDENTITY_LIST,
        .words = { WORD_OWN },
        .check = who_check,
        .run = show_run,
    },
    {
        .name = "user role",
        .summary = "Gives a user another role, from their next request on.",
        .usage = "NAME ROLE",
        .examples = { "punkt user role anna office --reason \"moves to the back office\"" },
        .options = { OPTION_WHY, OPTION_OPERATOR },
        .words_min = 2,
        .words_max = 2,
        .change = true,
        .operation = PUNKT_OPERATION_IDENTITY_CHANGE,
        .words = { WORD_OWN, WORD_OWN },
        .check = role_check,
        .fill = change_fill,
        .run = change_run,
    },
    CHANGE_OF("user", "suspend", "NAME", "anna --reason \"on leave\"",
              "Lets a user in no more, until they are resumed; closes their connections.", OPTION_WHY),
    CHANGE_OF("user", "resume", "NAME", "anna", "Lets a suspended user in again.", OPTION_WHY),
    CHANGE_OF("user", "revoke", "NAME", "anna --reason \"has left\"",
              "Lets a user in no more, for ever; closes their connections.", OPTION_WHY),
    CHANGE_OF("user", "rotate", "NAME", "anna",
              "Gives a user a new key: prints the command to type. The old key serves until then.",
              OPTION_CERTIFICATE, OPTION_WHY),
    { .name = NULL },
};
