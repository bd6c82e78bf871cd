/*
 * Requests and answers as proto's messages: filled from the words and options of the command line, sent as they are,
 * read into structs. Most commands are nothing more than this and a row of the table of commands.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/cli.h"
#include "cli/pin.h"
#include "proto/message.h"

#define REQUEST_LISTS_MAX 8

struct request {
    enum operation operation;
    enum message message;
    void *body; /* struct msg_..._request, its own */
    uint32_t flags;
    uint32_t timeout_ms; /* 0: the usual */
    struct pin pin;
    void *lists[REQUEST_LISTS_MAX]; /* memory of its lists, and whatever else its fields borrow */
    size_t list_count;
};

struct reply {
    struct punkt_answer head; /* of its texts detail is here, the others are for ever */
    char detail[512];
    enum message message;
    void *body; /* struct msg_..._answer of an answer that is DONE, else NULL; all it borrows is within it */
};

/* An empty request, fields as preset. CLI_OK, or the exit code of the error it printed; done with in either case. */
int request_init(struct cli *cli, enum operation operation, struct request *request);

/* Wipes the PIN and frees all. */
void request_done(struct request *request);

/* Zeroed memory that lives as long as the request. NULL: there is none, and that was said. */
void *request_memory(struct cli *cli, struct request *request, size_t count, size_t size);

/*
 * An empty request with the words of the command's row, and every option whose field the message has; store and till
 * are 0 unless given. Then connects, if nobody has, and takes points, amounts and times by the programme's decimals
 * and zone. CLI_OK, or the exit code of the error it printed; request_done in either case.
 */
int request_begin(struct cli *cli, const struct args *args, enum operation operation,
                  struct request *request);

/* One field from a text; `word` says for complaints what it was called ("--bill", "POINTS"). */
int request_set(struct cli *cli, struct request *request, const char *field, const char *word,
                const char *text);

/*
 * Sends it and waits. CLI_OK whatever the answer says: that is in out_reply->head, for reply_check. Otherwise the exit
 * code of the error it printed. reply_done in either case.
 */
int request_send(struct cli *cli, const struct request *request, struct reply *out_reply);

/* The same for what takes its time: on a terminal it says for how long it has waited. */
int request_send_slowly(struct cli *cli, const struct request *request, struct reply *out_reply);

/* Reads the answer of an operation out of its bytes; false if it is none, or there is no memory. */
bool reply_read(enum message message, const void *bytes, size_t size, struct reply *out_reply);

void reply_done(struct reply *reply);

/* Sends it, prints what came of it, and is done with it: how most commands end. The exit code. */
int request_finish(struct cli *cli, struct request *request);

/* The whole of a command that is a row: its `fill` is called when all else is filled. */
int request_run(struct cli *cli, const struct args *args);

/* The same for another operation than the row's, and another such function, or NULL. */
int request_run_as(struct cli *cli, const struct args *args, enum operation operation,
                   request_fill_fn *fill_more);

struct rows;

/*
 * Sends a request whose message has `from` until its answers have no `next`, or there are `limit` of their `entries`:
 * printed as an object a line with --json, else added to rows, which the caller prints. The exit code.
 */
int pages_take(struct cli *cli, struct request *request, uint64_t limit, struct rows *rows);

/* The same with rows of its own, printed without the columns that are named in `without`; of no row the sentence `none`. */
int pages_print(struct cli *cli, struct request *request, uint64_t limit, const char *without,
                const char *none);

/*
 * The number in the register of a user, of STORE/TILL, or of a number as it is. CLI_OK, or the exit code of the error it
 * printed. Asks the server, unless it is a number.
 */
int identity_number(struct cli *cli, const char *name, uint64_t *out_number);
