/*
 * A real `punkt mock` for a test: told what to do over its standard input, asked at its end what it has booked.
 *
 *      struct mock_world *mock = mock_world_new(NULL);
 *      mock_world_tell(mock, "drop purchase after commit");       takes effect before what is sent after it
 *      ...
 *      json_t *booked = mock_world_end(mock);                     an array of objects, to be released
 *
 * Everything here fails the running cmocka test when it cannot do what it says. What it starts dies with the test.
 */
#pragma once

#include <jansson.h>

#include "world.h"

struct mock_world;

/* Starts it with more options than --script -, --dump and --until-eof: strings, NULL at the end; NULL: none. */
struct mock_world *mock_world_new(const char *const *options);

const char *mock_world_address(const struct mock_world *mock);

/* A line for its script. */
void mock_world_tell(struct mock_world *mock, const char *line);

/* The next line that it prints, without its end; borrowed until the next. */
const char *mock_world_line(struct mock_world *mock);

/* Ends its standard input and expects that it ends with 0, having said this on standard error and nothing else. */
json_t *mock_world_end_saying(struct mock_world *mock, const char *said);
json_t *mock_world_end(struct mock_world *mock); /* "" */

/* The same by a signal. */
json_t *mock_world_end_by(struct mock_world *mock, int signal);
