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
};

struct cli {
    FILE *out;
    FILE *err;
    bool json;
    const char *server;
    uint32_t timeout_ms;                /* 0: the command's own default */
    uint64_t retry_epoch, retry_number; /* 0: no --retry */
    const struct command *command;      /* NULL before it is known */
    struct punkt *punkt;                /* NULL before cli_open */
    struct punkt_server_info info;      /* of the server, after cli_connect */
    bool zone_known;                    /* this machine knows the server's time zone */
};

typedef int command_fn(struct cli *cli, const struct args *args);

#define EXAMPLES_MAX 4

struct command {
    const char *name;    /* "card issue" */
    const char *summary; /* a sentence */
    const char *usage;   /* what stands behind the name, without the options */
    const char *examples[EXAMPLES_MAX];
    uint64_t options; /* beyond OPTIONS_GLOBAL */
    size_t words_min, words_max;
    bool change; /* takes --retry */
    command_fn *run;
};

/* The table of commands; ends with a row without a name. */
extern const struct command commands[];

/* The whole command: argv in, exit code out. */
int cli_run(int argc, char **argv, FILE *out, FILE *err);

/* Help of one command, or, with NULL, of all. */
void help_print(const struct command *command, FILE *out);

/*
 * The connection, and how calls end: call.c.
 */

/* Makes the handle (cli->punkt) with a window of requests, in the lane of --retry if there is one. CLI_OK,
 * or the exit code of an error that was printed. */
int cli_open(struct cli *cli, unsigned window);

/* The same, and waits for the server: cli->info is known and its time zone is the process's (UTC if this
 * machine does not know that zone). */
int cli_connect(struct cli *cli, unsigned window);
/* The same, trying for so long; 0: as long as any call may take. */
int cli_connect_within(struct cli *cli, unsigned window, uint32_t timeout_ms);

/* For what reads wall clocks: CLI_OK if the zone is known, else the exit code of the error it printed. */
int cli_need_zone(struct cli *cli);

/* How long a request may take: --timeout, or default_ms. */
uint32_t cli_timeout_ms(const struct cli *cli, uint32_t default_ms);

/* CLI_OK if the call is DONE; otherwise prints why it is not and returns the exit code. */
int cli_check(struct cli *cli, const struct punkt_answer *answer);

/* The same, and prints an answer that is DONE. `card` is the one that was asked for, NULL for none. */
int cli_finish(struct cli *cli, const struct punkt_answer *answer, const char *card);

/* Prints an error of our own; code is its name for programs. Returns exit_code. */
int cli_error(struct cli *cli, int exit_code, const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The same for a wrong command line; CLI_USAGE. */
int cli_usage(struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * Answers as JSON and as sentences: answers.c. Each answer is the head of its operation's struct.
 */

/* The object for an answer that is DONE, keys in their fixed order. The caller's; NULL without memory. */
json_t *answer_json(const struct punkt_answer *answer, const char *card);

/* Prints the sentence or table for it. The exit code. */
int answer_print(struct cli *cli, const struct punkt_answer *answer, const char *card);

/* The inside of the error object for an answer that is not DONE; retry may be NULL. The caller's. */
json_t *refusal_json(const struct punkt_answer *answer, const char *retry);

/* Points of the programme as people write them; returns out. */
#define POINTS_TEXT_SIZE 32
const char *points_text(const struct cli *cli, int64_t points, char out[POINTS_TEXT_SIZE]);

/*
 * Lines and tables: output.c.
 */

/* Prints an object on a line of its own and releases it. NULL means there was no memory. The exit code. */
int output_object(struct cli *cli, FILE *stream, json_t *object);

/* A table of two columns, key and value, of an object of texts or integers; releases it. */
int output_pairs(struct cli *cli, json_t *object);

struct output_column {
    const char *key; /* and title */
    bool right;      /* aligned to the right, for numbers */
};

/* A table of an array of objects of texts or integers, a row each. Releases it. */
int output_rows(struct cli *cli, json_t *rows, const struct output_column *columns, size_t column_count);

/*
 * The commands, as the table names them.
 */
command_fn card_issue_run, card_show_run, purchase_run, return_run, redeem_run, adjust_run, statement_run;
command_fn report_totals_run, status_run, programme_show_run, audit_verify_run, clock_accept_run, ping_run;
command_fn import_receipts_run, bench_run;
