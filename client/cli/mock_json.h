/*
 * Messages from JSON, and the telling values of `punkt mock --echo`; by proto's tables.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "cli/mock.h"
#include "proto/message.h"

/* Room for any message's struct. */
union mock_message {
#define MESSAGE(name, doc) struct msg_##name name;
#define FIELD(message, KIND, name, need, limit, preset, doc)
#define LIST(message, element, name, limit, doc)
#define END(name)
#include "proto/messages.def"
#undef MESSAGE
#undef FIELD
#undef LIST
#undef END
};

/*
 * Sets the fields of a struct msg_NAME that the object names, and leaves the others. Numbers are integers; what --json
 * prints (words, days, times, flags, epochs) is read as well; hashes and bytes are hexadecimal; a list of elements with
 * one field takes their values.
 * Texts are borrowed from the object, lists are placed in memory. False: out_why says which field cannot be so.
 */
bool mock_json_read(enum message message, json_t *object, struct message_memory *memory, void *out,
                    char out_why[MOCK_WHY_SIZE]);

/* Whether mock_json_read would take it. */
bool mock_json_fits(enum message message, json_t *object, char out_why[MOCK_WHY_SIZE]);

/* A message as --json prints it. The caller's; NULL without memory. */
json_t *mock_json_write(enum message message, const void *in);

/* The words of a frame's flags. The caller's; NULL without memory. */
json_t *mock_json_flags(uint16_t flags);

/*
 * Telling values: the n-th field of PROTOCOL.md's table of the message has the number 100 + n, or its limit where
 * that is lower; texts, codes and bytes have the field's name, cut to their limit; hashes are bytes of 100 + n. Lists
 * have two elements; in the second, numbers begin with 201.
 */
void mock_json_tell(enum message message, struct message_memory *memory, void *out);
