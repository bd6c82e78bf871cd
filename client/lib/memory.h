/*
 * Taking memory for what answers point to. For decode.c and fill.c.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/call.h"
#include "proto/message.h"

/* Takes aligned memory; NULL if there is not enough. */
void *memory_take(struct message_memory *memory, size_t size);

/* Copies a text and gives it the NUL that the wire does not have. False: not enough memory. */
bool memory_text(struct message_memory *memory, const char *bytes, uint64_t size, const char **out);
bool memory_code(struct message_memory *memory, const struct wire_code *code, const char **out);
