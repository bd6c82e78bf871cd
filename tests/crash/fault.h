/*
 * Faults of storage for a punktd of world.h, through the shim (io_shim.c says what the fields mean). A fault
 * takes place only while it is on, so that a start is not hit unless the test wants it.
 */
#pragma once

#include <stdbool.h>

#include "world.h"

struct fault {
    const char *call, *path, *error;
    unsigned at; /* 0: 1 */
    bool forever;
    const char *log; /* a file to log all writes in DIR to; NULL: no log */
};

/* From the next start on punktd runs with this fault; NULL: without the shim. It is off. */
void fault_set(struct world *world, const struct fault *fault);

/* The fault is on, or off; from the next call of punktd on. */
void fault_on(const struct world *world);
void fault_off(const struct world *world);

/* How often it took place since the last start. */
unsigned fault_hits(const struct world *world);

/* punktd COMMAND --data DIR with the world's settings; expects that exit code, and returns what it wrote to both
 * outputs, to be freed. */
char *punktd_command(const struct world *world, const char *command, int exit_code);

/* punkt audit verify: fails unless everything matches. */
void expect_verified(const struct world *world);

/* Starts punktd and expects that it refuses with this exit code and words with both texts in them. */
void expect_refused_start(struct world *world, int exit_code, const char *text, const char *text2);
