/*
 * The command line of punktd over its settings. Ends the process on a mistake (64, 78) and for --help and
 * --version.
 */
#pragma once

#include "ops/config.h"

#define COMMAND_LINE_NAMES_MAX 16

struct command_line {
    const char *command; /* "", "rebuild", "verify", "init-ca", "init-audit" */
    bool json;
    const char *head;     /* verify: as it was given; NULL: not */
    const char *seal_key; /* verify: a file; NULL: none */
    const char *folder;   /* init-ca */
    const char *file;     /* init-audit */
    bool renew;
    uint32_t name_count; /* of the server */
    const char *names[COMMAND_LINE_NAMES_MAX];
};

/* Defaults, over them the file of --config, over them the options. */
void command_line_read(int argc, char **argv, struct config *config, struct command_line *out);

/* Says what is wrong with the command line, and ends with 64. */
PUNKT_NORETURN void command_line_usage(const char *what, const char *which);
