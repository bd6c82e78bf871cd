/*
 * Who one is: the identity file that `punkt enrol` writes (punkt.h, Identity), and where it is.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "cli/cli.h"

/* Whether an address, "HOST" or "HOST:PORT" or the first of a list, is of this machine: anybody on it may be who it takes
 * them for. */
bool cli_is_local(const char *address);

/* The file that is named: `given` (--identity), else PUNKT_IDENTITY; NULL: none is. */
const char *cli_identity_named(const char *given);

/* The one in the home folder, where programs keep what is set up once (XDG Base Directory Specification), whether or not it
 * is there. False: there is no such folder. */
bool cli_identity_at_home(char out[IDENTITY_PATH_SIZE]);

/*
 * Chooses the file: that which was given (--identity), else PUNKT_IDENTITY unless cli->server is a Unix socket, through which
 * nobody proves anything, else the one in the home folder if it is there and cli->server is not known to be on this machine.
 * Sets cli->identity and what of a till is in the file.
 */
void cli_choose_identity(struct cli *cli, const char *given);

/* The value behind "name:" in the head of an identity file, cut to size; false: it has none, or cannot be read. */
bool cli_identity_value(const char *path, const char *name, char *out, size_t size);

/* Makes the folders above a file, for their owner alone; those that are there stay as they are. */
bool cli_make_folders(const char *path);
