#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "ops/text_file.h"
#include "start/daemon.h"

#define CERTIFICATE_BYTES_MAX (256u * 1024)
#define CERTIFICATE_WARNING_DAYS 30

/* How lines of the port file and the log call them. */
static const char *const kind_words[NET_LISTENER_KINDS] = {
    [NET_LISTEN_CERTIFICATE] = "tls", [NET_LISTEN_PSK] = "psk", [NET_LISTEN_ENROL] = "enrol"
};

/* --- certificates --- */

static utc_us machine_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * US_PER_SECOND + now.tv_nsec / 1000;
}

struct day_text {
    char text[16];
};

static struct day_text day_of(utc_us at)
{
    struct day_text day = { "" };
    time_t seconds = (time_t)(at / US_PER_SECOND);
    struct tm tm;
    if (gmtime_r(&seconds, &tm) != NULL)
        (void)strftime(day.text, sizeof(day.text), "%Y-%m-%d", &tm);
    return day;
}

/* The end of the server's certificate, the first of its file. net has read it: what fails here, fails without a word. */
static utc_us certificate_end(const char *path)
{
    struct failure unused;
    char *data;
    size_t size;
    uint8_t key[32];
    utc_us ends = 0;
    if (text_file_read(path, CERTIFICATE_BYTES_MAX, &data, &size, &unused) != PUNKT_OK)
        return 0;
    if (certificate_read((struct text){ data, size }, key, &ends, &unused) != PUNKT_OK)
        ends = 0;
    free(data);
    return ends;
}

void watch_certificate(struct daemon *daemon)
{
    if (daemon->certificate_ends == 0)
        return;
    utc_us now = machine_now();
    int64_t today = now / US_PER_DAY;
    if (today == daemon->certificate_warned_day ||
        now < daemon->certificate_ends - CERTIFICATE_WARNING_DAYS * US_PER_DAY)
        return;
    daemon->certificate_warned_day = today;
    if (now < daemon->certificate_ends)
        log_warning(
            "the server's certificate %s ends on %s; renew it (punktd init-ca --renew FOLDER) and send SIGHUP",
            daemon->config.tls.certificate, day_of(daemon->certificate_ends).text);
    else
        log_error(
            "the server's certificate %s ended on %s: no till can come in; renew it (punktd init-ca --renew "
            "FOLDER) and send SIGHUP",
            daemon->config.tls.certificate, day_of(daemon->certificate_ends).text);
}

static enum punkt_status use_certificates(struct daemon *daemon, struct failure *failure)
{
    struct net_certificates files = { .certificate = daemon->config.tls.certificate,
                                      .key = daemon->config.tls.key,
                                      .ca = daemon->config.tls.ca };
    char name[CA_NAME_MAX + 1];
    enum punkt_status status = ca_server_name_read(files.certificate, name, failure);
    if (status == PUNKT_OK)
        status = ca_check_files(daemon->ca, files.ca, files.certificate, failure);
    if (status == PUNKT_OK)
        status = net_use_certificates(daemon->net, &files, failure);
    if (status != PUNKT_OK)
        return status;
    ca_server_renamed(daemon->ca, name); /* who enrols from now on looks for this one */
    daemon->certificate_ends = certificate_end(files.certificate);
    daemon->certificate_warned_day = 0;
    log_info("the server's certificate is %s, until %s; clients have those of %s", files.certificate,
             day_of(daemon->certificate_ends).text, files.ca);
    watch_certificate(daemon);
    return PUNKT_OK;
}

void reload_certificates(struct daemon *daemon)
{
    struct failure failure;
    if (daemon->config.tls.listen[0] == '\0')
        log_info("asked to read the certificates again, and there are none");
    else if (use_certificates(daemon, &failure) != PUNKT_OK)
        log_error("the certificates are not used, and those from before stay: %s", failure.text);
}

/* --- where clients come in --- */

/* The port file appears whole: written beside, then renamed. Its first line is an address that needs no proof. */
static enum punkt_status write_port_file(const struct daemon *daemon, struct failure *failure)
{
    const char *path = daemon->config.port_file;
    char beside[CONFIG_PATH_MAX + 8];
    if (path[0] == '\0')
        return PUNKT_OK;
    (void)snprintf(beside, sizeof(beside), "%s.new", path);
    FILE *file = fopen(beside, "we");
    bool done = file != NULL;
    if (done && daemon->config.listen_count > 0)
        done = fprintf(file, "%s\n", daemon->addresses[0]) > 0;
    for (size_t i = 0; i < NET_LISTENER_KINDS; i++) {
        if (done && daemon->proven_addresses[i][0] != '\0')
            done = fprintf(file, "%s %s\n", kind_words[i], daemon->proven_addresses[i]) > 0;
    }
    if (file != NULL && fclose(file) != 0)
        done = false;
    if (done && rename(beside, path) == 0)
        return PUNKT_OK;
    failure_set(failure, "the port file %s cannot be written: %s", path, strerror(errno));
    return PUNKT_IO;
}

static enum punkt_status listen_plain(struct daemon *daemon, struct failure *failure)
{
    bool beside_proof = daemon->config.tls.listen[0] != '\0' || daemon->config.psk.listen[0] != '\0';
    for (uint32_t i = 0; i < daemon->config.listen_count; i++) {
        enum punkt_status status = net_listen(daemon->net, NET_LISTEN_PLAIN, daemon->config.listen[i],
                                              daemon->addresses[i], sizeof(daemon->addresses[i]), failure);
        if (status != PUNKT_OK)
            return status;
        if (beside_proof && strncmp(daemon->addresses[i], "unix:", 5) != 0)
            log_warning(
                "listen: everybody on this machine is the local administrator through %s; with listen: unix:PATH "
                "only root, the user of punktd and `admins` are",
                daemon->addresses[i]);
    }
    return PUNKT_OK;
}

static enum punkt_status listen_proven(struct daemon *daemon, enum net_listener kind, const char *where,
                                       struct failure *failure)
{
    char *address = daemon->proven_addresses[kind];
    return where[0] == '\0'
               ? PUNKT_OK
               : net_listen(daemon->net, kind, where, address, sizeof(daemon->proven_addresses[0]), failure);
}

static uint16_t port_of(const char *address)
{
    const char *colon = strrchr(address, ':');
    return colon == NULL ? 0 : (uint16_t)strtoul(colon + 1, NULL, 10);
}

enum punkt_status start_listeners(struct daemon *daemon, struct failure *failure)
{
    const struct config *config = &daemon->config;
    enum punkt_status status = config->tls.listen[0] != '\0' ? use_certificates(daemon, failure) : PUNKT_OK;
    if (status == PUNKT_OK)
        status = listen_proven(daemon, NET_LISTEN_CERTIFICATE, config->tls.listen, failure);
    if (status == PUNKT_OK)
        status = listen_proven(daemon, NET_LISTEN_PSK, config->psk.listen, failure);
    if (status == PUNKT_OK)
        status = listen_proven(daemon, NET_LISTEN_ENROL, config->enrol.listen, failure);
    /* Who is added is told where to enrol, and who enrols where to come back to. */
    service_listens(daemon->service, port_of(daemon->proven_addresses[NET_LISTEN_CERTIFICATE]),
                    port_of(daemon->proven_addresses[NET_LISTEN_PSK]),
                    port_of(daemon->proven_addresses[NET_LISTEN_ENROL]));
    if (status == PUNKT_OK)
        status = listen_plain(daemon, failure);
    return status == PUNKT_OK ? write_port_file(daemon, failure) : status;
}

void stop_listeners(struct daemon *daemon)
{
    if (daemon->config.port_file[0] != '\0')
        (void)unlink(daemon->config.port_file); /* nobody listens there any more */
}

void say_ready(const struct daemon *daemon)
{
    char all[(CONFIG_LISTEN_MAX + NET_LISTENER_KINDS) * (sizeof(daemon->addresses[0]) + 8)];
    size_t used = 0;
    all[0] = '\0';
    for (uint32_t i = 0; i < daemon->config.listen_count; i++)
        used += (size_t)snprintf(all + used, sizeof(all) - used, "%s%s", used > 0 ? ", " : "",
                                 daemon->addresses[i]);
    for (size_t i = 0; i < NET_LISTENER_KINDS; i++) {
        if (daemon->proven_addresses[i][0] != '\0')
            used += (size_t)snprintf(all + used, sizeof(all) - used, "%s%s %s", used > 0 ? ", " : "",
                                     kind_words[i], daemon->proven_addresses[i]);
    }
    log_info("ready: listening on %s", all);
}
