/*
 * An outbox in a folder of its own for tests, and entries to fill it with.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/outbox.h"

#define OUTBOX_WORLD_PATH 128

struct outbox_world {
    char dir[64];
    char path[OUTBOX_WORLD_PATH];
    struct outbox_options options; /* the next opening's; its epochs are new ones each time */
    uint64_t openings;
    struct outbox *outbox; /* NULL: closed */
    char why[OUTBOX_WHY_SIZE];
};

/* cmocka's set-up and tear-down: *state is a world with an outbox not yet opened. */
int outbox_world_make(void **state);
int outbox_world_remove(void **state);

/* Opens it under new epochs; the status. */
enum outbox_status world_try(struct outbox_world *world);
/* The same, which must succeed, with nothing to say. */
void world_open(struct outbox_world *world);
void world_close(struct outbox_world *world);
/* Closed without a flush: as if the process had been killed. */
void world_kill(struct outbox_world *world);

/* Appends to the queue an operation with this text as its body; must succeed. */
struct outbox_entry *world_append(struct outbox_world *world, const char *text);
struct outbox_note world_note(int64_t created_us, int32_t business_date);
struct outbox_result world_result(int64_t at_us, uint32_t result);

/* Whether the entry's body is this text; fails if it cannot be read. */
void expect_body(struct outbox_world *world, const struct outbox_entry *entry, const char *text);

/* The n-th entry from 0, which must be there. */
struct outbox_entry *world_entry(const struct outbox_world *world, size_t n);
size_t world_count(const struct outbox_world *world);

/* The file as it is: to be freed. And put in its place. */
uint8_t *world_bytes(const struct outbox_world *world, const char *suffix, size_t *out_size);
void world_put(const struct outbox_world *world, const void *bytes, size_t size);
bool world_has(const struct outbox_world *world, const char *suffix);
