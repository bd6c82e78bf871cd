/*
 * A well-formed request of every operation, for tests that go through the table of operations.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/message.h"

#define OPERATIONS_MAX 100

/* Room for any request. */
union any_request {
#define OPERATION(code, NAME, name, kind, roles, doc) struct msg_##name##_request name##_request;
#include "proto/operations.def"
#undef OPERATION
};

/* All operations by code; returns how many. */
uint32_t every_operation(const struct operation_row *out[OPERATIONS_MAX]);

/* Fills a struct msg_<operation>_request: store and till wherever they are asked for, else the shortest that is whole. */
void every_request_fill(const struct operation_row *row, const char *store, const char *till, void *out);
