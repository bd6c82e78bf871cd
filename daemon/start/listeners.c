#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "start/daemon.h"

/* The port file appears whole: written beside, then renamed. */
static enum punkt_status write_port_file(const struct daemon *daemon, struct failure *failure)
{
    const char *path = daemon->config.port_file;
    char beside[CONFIG_PATH_MAX + 8];
    if (path[0] == '\0')
        return PUNKT_OK;
    (void)snprintf(beside, sizeof(beside), "%s.new", path);
    FILE *file = fopen(beside, "we");
    bool done = file != NULL && fprintf(file, "%s\n", daemon->addresses[0]) > 0;
    if (file != NULL && fclose(file) != 0)
        done = false;
    if (done && rename(beside, path) == 0)
        return PUNKT_OK;
    failure_set(failure, "the port file %s cannot be written: %s", path, strerror(errno));
    return PUNKT_IO;
}

enum punkt_status start_listeners(struct daemon *daemon, struct failure *failure)
{
    for (uint32_t i = 0; i < daemon->config.listen_count; i++) {
        enum punkt_status status = net_listen(daemon->net, NET_LISTEN_PLAIN, daemon->config.listen[i],
                                              daemon->addresses[i], sizeof(daemon->addresses[i]), failure);
        if (status != PUNKT_OK)
            return status;
    }
    return write_port_file(daemon, failure);
}

void stop_listeners(struct daemon *daemon)
{
    if (daemon->config.port_file[0] != '\0')
        (void)unlink(daemon->config.port_file); /* nobody listens there any more */
}

void say_ready(const struct daemon *daemon)
{
    char all[CONFIG_LISTEN_MAX * (sizeof(daemon->addresses[0]) + 2)];
    size_t used = 0;
    all[0] = '\0';
    for (uint32_t i = 0; i < daemon->config.listen_count; i++)
        used +=
            (size_t)snprintf(all + used, sizeof(all) - used, "%s%s", i > 0 ? ", " : "", daemon->addresses[i]);
    log_info("ready: listening on %s", all);
}
