/*
 * What all commands share: the options of the process, the connection, and how things are printed.
 *
 * A command is a function of (cli, args) that returns the exit code. It writes its result to cli->out,
 * and only once it has one: after a refusal or an error nothing stands there, and one error object (with
 * --json) or sentence stands on cli->err.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>
#include <punkt.h>

#include "cli/options.h"

enum cli_exit {
    CLI_OK = 0,
    CLI_FAILED = 1,
    CLI_USAGE = 2,
    CLI_NOT_FOUND = 3,
    CLI_NOT_PERMITTED = 4,
    CLI_REFUSED = 5,
    CLI_UNREACHABLE = 6, /* whether it was booked is not known */
    CLI_QUEUED = 7,      /* in the outbox: it will be booked */
};

#define IDENTITY_PATH_SIZE 4096

struct cli {
    FILE *out;
    FILE *err;
    bool json;
    bool reads;           /* this run changes nothing, though its command could */
    const char *server;   /* NULL: as the identity file says */
    const char *identity; /* the file that says who one is (identity.h); NULL: there is none */
    char identity_path[IDENTITY_PATH_SIZE]; /* of the one in the home folder, if that is it */
    char own_store[PUNKT_CARD_MAX + 1], own_till[PUNKT_CARD_MAX + 1]; /* of a till's identity; "" */
    uint32_t timeout_ms;                                              /* 0: the command's own default */
    uint64_t retry_epoch, retry_number;                               /* 0: no --retry */
    uint64_t first_number; /* of a command that makes several changes: its first; else 0 */
    const char *outbox;    /* NULL: none; else the store and till that it is of are given: */
    const char *store, *till;
    uint32_t receipt_width; /* 0: no texts for receipts */
    const char *language;
    const struct command *command; /* NULL before it is known */
    struct punkt *punkt;           /* NULL before cli_open */
    struct punkt_server_info info; /* of the server, after cli_connect */
    char alarm[640];               /* of a handle that is being made; "" */
    char trouble[256];             /* why none was made; "" */
    bool zone_known;               /* this machine knows the server's time zone */
};

struct request; /* request.h */
struct reply;

typedef int command_fn(struct cli *cli, const struct args *args);
typedef int request_fill_fn(struct cli *cli, const struct args *args, struct request *request);

#define EXAMPLES_MAX 4
#define COMMAND_OPTIONS_MAX 24
#define COMMAND_WORDS_MAX 3
#define COMMAND_NEEDS_MAX 4
#define WORDS_ANY SIZE_MAX

/* A word EPOCH:NUMBER, which goes into two fields; one that the command reads itself. */
#define WORD_ORIGINAL "epoch:number"
#define WORD_OWN ""

/*
 * A command. Most are this row and no code: the words and options become fields of the operation's request
 * (request.h), and the answer is printed by what its fields mean (answers.c).
 */
struct command {
    const char *name;    /* "card issue" */
    const char *summary; /* a sentence */
    const char *usage;   /* what stands behind the name, without the options */
    const char *examples[EXAMPLES_MAX];
    option_byte options[COMMAND_OPTIONS_MAX]; /* beyond options_global; OPTION_NONE ends them */
    option_byte needs[COMMAND_NEEDS_MAX];     /* of them, those that must be given */
    size_t words_min, words_max;
    bool change; /* takes --retry */
    enum punkt_operation operation;
    const char *words[COMMAND_WORDS_MAX]; /* fields of its request that the words are for, in their order */
    command_fn *check;                    /* NULL, or what is to be looked at before a connection is made */
    request_fill_fn *fill;                /* NULL, or what the row does not say of the request */
    command_fn *run;                      /* NULL: request_run */
};

/* The tables of commands, one a group; each ends with a row without a name. */
extern const struct command cards_commands[], accounts_commands[], book_commands[], redeeming_commands[];
extern const struct command office_commands[], programme_commands[], reports_commands[], why_commands[];
extern const struct command upkeep_commands[], outbox_commands[], identities_commands[];
extern const struct command approvals_commands[], enrol_commands[], till_commands[];

/* The whole command: argv in, exit code out. */
int cli_run(int argc, char **argv, FILE *out, FILE *err);

/* Help of one command, or, with NULL, of all. */
void help_print(const struct command *command, FILE *out);

/*
 * The connection, and how calls end: call.c.
 */

/* Makes the handle (cli->punkt) with a window of requests, in the lane of --retry if there is one, or with the
 * outbox. CLI_OK, or the exit code of an error that was printed. */
int cli_open(struct cli *cli, unsigned window);

/* cli_open, of an outbox that is there: a name that was mistyped does not become a new one. */
int cli_open_outbox(struct cli *cli);

/* The same with options of the caller's, whose on_alarm calls cli_alarm while cli->punkt is NULL: so the outbox tells why
 * it cannot be used. */
int cli_make(struct cli *cli, const struct punkt_options *options);
void cli_alarm(struct cli *cli, const char *text);

/* Takes what the server has told, now or, with an outbox, earlier, into cli->info, and makes its zone the process's.
 * False: it has told nothing. */
bool cli_learn(struct cli *cli);

/* cli_open, and waits for the server: cli->info is known and its time zone is the process's (UTC if this
 * machine does not know that zone). With an outbox what is known from earlier will do. */
int cli_connect(struct cli *cli, unsigned window);
/* The same, trying for so long; 0: as long as any call may take. */
int cli_connect_within(struct cli *cli, unsigned window, uint32_t timeout_ms);

/* For what reads wall clocks: CLI_OK if the zone is known, else the exit code of the error it printed. */
int cli_need_zone(struct cli *cli);

/* How long a request may take: --timeout, or default_ms. */
uint32_t cli_timeout_ms(const struct cli *cli, uint32_t default_ms);

/* What the command exits with after such an answer. */
int cli_exit_code(const struct punkt_answer *answer);

/* CLI_OK if the call is DONE; otherwise prints why it is not, and what to do, and returns the exit code. */
int cli_check(struct cli *cli, const struct punkt_answer *answer);

/* Prints an error of our own; code is its name for programs. Returns exit_code. */
int cli_error(struct cli *cli, int exit_code, const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The same for a wrong command line; CLI_USAGE. */
int cli_usage(struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * Answers as JSON, as sentences and as tables: answers.c.
 */

/* What cli_check does, then prints an answer that is DONE. The request is that which it answers, or NULL. */
int reply_finish(struct cli *cli, const struct reply *reply, const struct request *request);

/* The object for an answer that is DONE, keys in their fixed order. The caller's; NULL without memory. */
json_t *reply_json(const struct reply *reply, const struct request *request);

/* Prints the sentence or tables for it. The exit code. */
int reply_print(struct cli *cli, const struct reply *reply, const struct request *request);

/* An entry of a statement, whose fields are an old form of their own. */
struct msg_statement_entry;
json_t *statement_entry_json(const struct msg_statement_entry *entry);

/*
 * Refusals: refusals.c.
 */

/* The inside of the error object for an answer that is not DONE; retry may be NULL. The caller's. */
json_t *refusal_json(const struct punkt_answer *answer, const char *retry);

/* Points of the programme as people write them; returns out. */
#define POINTS_TEXT_SIZE 32
const char *points_text(const struct cli *cli, int64_t points, char out[POINTS_TEXT_SIZE]);

/* What points are worth when they are redeemed, minor units, rounded down; 0: not known. */
int64_t points_worth(const struct cli *cli, int64_t points);

/* What can be done about a refusal; NULL if the refusal itself says it all. */
const char *refusal_advice(uint32_t code);

/* "61 needed, 60 available", of points or stamps; false if the refusal names no numbers. */
#define REFUSAL_NUMBERS_SIZE 96
bool refusal_numbers(const struct cli *cli, const struct punkt_answer *answer,
                     char out[REFUSAL_NUMBERS_SIZE]);

/*
 * Lines and tables: output.c.
 */

/* Prints an object on a line of its own and releases it. NULL means there was no memory. The exit code. */
int output_object(struct cli *cli, FILE *stream, json_t *object);

/* A table of two columns, key and value, of an object of texts or integers; releases it. */
int output_pairs(struct cli *cli, json_t *object);

struct output_column {
    const char *key; /* "next_expiry"; the title has blanks */
    bool right;      /* aligned to the right, for numbers */
};

/* A table of an array of objects of texts or integers, a row each. Releases it. */
int output_rows(struct cli *cli, json_t *rows, const struct output_column *columns, size_t column_count);

/* A cell of CSV, quoted where it must be, and what stands behind it: ',' or '\n'. */
void output_cell(FILE *stream, const char *text, char behind);

/*
 * The commands of upkeep_commands that have files of their own.
 */
command_fn audit_verify_run, audit_log_run, import_receipts_run, bench_run, mock_run;
command_fn audit_verify_check, audit_log_check;
