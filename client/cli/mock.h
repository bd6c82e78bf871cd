/*
 * The mock: a test double of punktd in one process, for the tests of who builds a till on libpunkt. It speaks the
 * protocol, keeps lanes as strictly as punktd does, gives a point for each whole unit of the currency, and forgets
 * everything at its end. Commands (mock_script.h) make it refuse, delay, drop and worse.
 *
 * One thread, one poll loop; no function may be called from within another of the same mock.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define MOCK_WHY_SIZE 256
#define MOCK_ADDRESS_SIZE 128

struct mock;

struct mock_options {
    const char *listen; /* HOST:PORT, [IPV6]:PORT (port 0: a free one) or unix:PATH; borrowed for the call */
    const char *zone;   /* IANA name; NULL: UTC. It becomes the time zone of the process */
    const char *currency;     /* ISO 4217; borrowed as long as the mock lives */
    unsigned points_decimals; /* 0 to 3 */
    int64_t balance;          /* of a card that nobody has said anything of, in the smallest unit of points */
    bool echo;                /* requests are printed to out, answers have telling values (mock_json.h) */
    FILE *out;                /* of echo; NULL without it */
    FILE *err;                /* complaints about commands that come while it runs */
};

/* Listens. NULL: why not is in out_why. */
struct mock *mock_new(const struct mock_options *options, char out_why[MOCK_WHY_SIZE]);

/* Closes all connections and forgets everything. NULL is fine. */
void mock_free(struct mock *mock);

/* Where it listens, as libpunkt takes it; valid as long as the mock. */
const char *mock_address(const struct mock *mock);

/*
 * One line of a script (mock_script.h): blank lines and comments are fine. False: it cannot be read, nothing happened;
 * *out_column, from 1, says where and out_why what is wrong.
 */
bool mock_command(struct mock *mock, const char *line, char out_why[MOCK_WHY_SIZE], size_t *out_column);

/*
 * Commands come from this descriptor, too, from now on, and each takes effect before whatever was sent to the mock
 * after it was written. With `commands` false what comes is ignored, and only its end counts. The descriptor stays
 * the caller's, and is made non-blocking.
 */
void mock_listen_to(struct mock *mock, int fd, bool commands);

/* Whether that descriptor has ended. */
bool mock_input_ended(const struct mock *mock);

/*
 * One turn of the loop: waits for connections, requests, commands, what is due, or wake_fd (-1: none), for
 * timeout_ms at most (-1: for ever), and does what there is to do. False: the loop cannot go on, errno says why.
 */
bool mock_turn(struct mock *mock, int wake_fd, int timeout_ms);

/*
 * Everything that is booked, in its order, one JSON object a line: epoch, number, operation, flags, position, request,
 * answer. Refusals, and numbers that a receipt was sent again under, are not. False: it could not be written.
 */
bool mock_dump(struct mock *mock, FILE *out);
