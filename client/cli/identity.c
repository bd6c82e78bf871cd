/*
 * Who one is: the identity file, how it comes to be, and what the daemon says to it.
 */
#include "cli/identity.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/parse.h"

#define LINE_SIZE 1024

bool cli_is_local(const char *address)
{
    static const char *const names[] = { "localhost", "[::1]" };
    size_t size = strcspn(address, ",");
    if (strncmp(address, "unix:", strlen("unix:")) == 0 || strncmp(address, "127.", strlen("127.")) == 0)
        return true;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        size_t length = strlen(names[i]);
        if (size >= length && strncmp(address, names[i], length) == 0 &&
            (size == length || address[length] == ':'))
            return true;
    }
    return false;
}

bool cli_identity_value(const char *path, const char *name, char *out, size_t size)
{
    char line[LINE_SIZE];
    size_t length = strlen(name);
    bool found = false;
    FILE *file = fopen(path, "re");
    while (file != NULL && !found && fgets(line, sizeof(line), file) != NULL &&
           strncmp(line, "-----", strlen("-----")) != 0) {
        found = strncmp(line, name, length) == 0 && line[length] == ':';
        if (!found)
            continue;
        const char *value = line + length + 1;
        value += strspn(value, " ");
        (void)snprintf(out, size, "%.*s", (int)strcspn(value, "\r\n"), value);
    }
    if (file != NULL)
        (void)fclose(file);
    return found;
}

bool cli_make_folders(const char *path)
{
    char folder[IDENTITY_PATH_SIZE];
    int size = snprintf(folder, sizeof(folder), "%s", path);
    if (size < 1 || (size_t)size >= sizeof(folder))
        return false;
    for (char *at = strchr(folder + 1, '/'); at != NULL; at = strchr(at + 1, '/')) {
        *at = '\0';
        if (mkdir(folder, 0700) != 0 && errno != EEXIST)
            return false;
        *at = '/';
    }
    return true;
}

bool cli_identity_at_home(char out[IDENTITY_PATH_SIZE])
{
    const char *config = getenv("XDG_CONFIG_HOME");
    const char *home = getenv("HOME");
    bool usable = config != NULL && config[0] == '/';
    if (!usable && (home == NULL || home[0] != '/'))
        return false;
    int size = snprintf(out, IDENTITY_PATH_SIZE, "%s%s/punkt/identity", usable ? config : home,
                        usable ? "" : "/.config");
    return size > 0 && size < IDENTITY_PATH_SIZE;
}

const char *cli_identity_named(const char *given)
{
    const char *path = given != NULL ? given : getenv("PUNKT_IDENTITY");
    return path != NULL && path[0] != '\0' ? path : NULL;
}

void cli_choose_identity(struct cli *cli, const char *given)
{
    struct stat status;
    bool socket = cli->server != NULL && strncmp(cli->server, "unix:", strlen("unix:")) == 0;
    cli->identity = given != NULL || !socket ? cli_identity_named(given) : NULL;
    if (cli->identity == NULL && (cli->server == NULL || !cli_is_local(cli->server)) &&
        cli_identity_at_home(cli->identity_path) && stat(cli->identity_path, &status) == 0)
        cli->identity = cli->identity_path;
    if (cli->identity == NULL)
        return;
    if (!cli_identity_value(cli->identity, "store", cli->own_store, sizeof(cli->own_store)) ||
        !cli_identity_value(cli->identity, "till", cli->own_till, sizeof(cli->own_till)))
        cli->own_store[0] = cli->own_till[0] = '\0';
}
