/*
 * What an answer says to people, in sentences: a pattern an operation, filled with the answer's fields.
 */
#pragma once

#include <stdbool.h>

#include "cli/request.h"

/*
 * Prints the sentences of an operation and a line end. False if it has none: then its answer is a table.
 *
 * In a pattern {field} is the value of a field of the answer, or else of the request. What stands in [ ] is left out
 * unless each field in it says something. [field=N: ] stands only if the field, or the length of the list, is N (of
 * bytes: 1 if there are any), [field>N: ] only if it is more, and [field#N: ] only if bit N of it is set; the fields in
 * these may be anything.
 */
bool sentence_print(const struct cli *cli, const struct reply *reply, const struct request *request);
