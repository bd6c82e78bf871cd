/*
 * PINs: from a file, from the standard input, or typed without echo; never from the command line, which every
 * process of the machine can read.
 */
#pragma once

#include <stdbool.h>

#include "cli/cli.h"
#include "proto/frame.h"

struct pin {
    char text[FRAME_SECRET_MAX + 1]; /* "": none */
};

/* What --pin-file or --pin-stdin says; none if neither was given. CLI_OK, or the exit code of the error printed. */
int pin_from_options(struct cli *cli, const struct args *args, struct pin *out);

/* Whether somebody can be asked for one. */
bool pin_askable(const struct cli *cli);

/* Asks on the terminal, twice if it is to be `repeated`. */
int pin_ask(struct cli *cli, bool repeated, struct pin *out);

void pin_wipe(struct pin *pin);
