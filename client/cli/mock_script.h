/*
 * The words of the mock's commands, a line each:
 *
 *   refuse OPERATION RESULT              these change what a request comes to. OPERATION is a name of
 *   answer OPERATION {JSON}              PROTOCOL.md, or `any`. Behind each may stand, in this order:
 *   delay OPERATION TIME                   FIELD=VALUE ...   only requests whose field says that
 *   drop OPERATION before|after commit     times N           the next N; 1 unless said
 *   duplicate OPERATION                    always            all from now on
 *   split OPERATION BYTES
 *   garble OPERATION
 *   reorder N                            answers of the next N requests leave last first
 *   card NUMBER [balance N] [status WORD] [tier CODE] [expiry DAY N]
 *   term N  |  lose N                    another term of the ledger; the last N booked are gone, and term + 1
 *   go silent  |  go on                  accepts, but never reads or answers; answers again
 *   stop listening  |  listen again      connections are refused
 *   close connections
 *   forget rules
 *
 * '#' begins a comment where a word could begin. TIME is a number with ms or s.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "cli/mock.h"
#include "proto/message.h"

enum mock_verb {
    MOCK_NOTHING, /* a blank line, or a comment */
    /* Rules, which wait for requests. */
    MOCK_REFUSE,
    MOCK_ANSWER,
    MOCK_DELAY,
    MOCK_DROP_BEFORE,
    MOCK_DROP_AFTER,
    MOCK_DUPLICATE,
    MOCK_SPLIT,
    MOCK_GARBLE,
    MOCK_RULES_END,
    /* Commands, which are done at once. */
    MOCK_REORDER = MOCK_RULES_END,
    MOCK_CARD,
    MOCK_TERM,
    MOCK_LOSE,
    MOCK_GO_SILENT,
    MOCK_GO_ON,
    MOCK_STOP_LISTENING,
    MOCK_LISTEN_AGAIN,
    MOCK_CLOSE_CONNECTIONS,
    MOCK_FORGET_RULES,
};

#define MOCK_CONDITIONS_MAX 4
#define MOCK_VALUE_SIZE 128
#define MOCK_ALWAYS UINT64_MAX

/* FIELD=VALUE: as --json prints the field. */
struct mock_condition {
    const char *field; /* of proto's tables */
    char value[MOCK_VALUE_SIZE];
};

/* What `card` says; what it does not say stays. */
struct mock_card {
    struct wire_code number;
    bool has_balance, has_status, has_tier, has_expiry;
    int64_t balance;
    uint64_t status; /* as of card_show_answer; 0: unknown */
    struct wire_code tier;
    uint64_t expiry_day;
    int64_t expiry_points;
};

struct mock_line {
    enum mock_verb verb;
    enum operation operation; /* of a rule; 0: any */
    struct mock_condition conditions[MOCK_CONDITIONS_MAX];
    size_t condition_count;
    uint64_t times;     /* of a rule: so many requests are left; MOCK_ALWAYS */
    uint64_t number;    /* milliseconds, bytes, a count or term */
    enum result result; /* MOCK_REFUSE */
    json_t *json;       /* MOCK_ANSWER: owned */
    struct mock_card card;
};

/* Reads a line. False as in mock_command. mock_line_done in either case. */
bool mock_line_read(const char *line, struct mock_line *out, char out_why[MOCK_WHY_SIZE], size_t *out_column);

void mock_line_done(struct mock_line *line);

/* Whether a rule is for this request; in: its message. */
bool mock_line_fits(const struct mock_line *line, const struct operation_row *row, const void *in);
