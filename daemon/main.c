/*
 * punktd: the table of contents of the program. Options, then the stages of start and stop in their
 * order, then the turn of the loop.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/base.h"
#include "base/log.h"
#include "base/status.h"
#include "ledger/ledger.h"
#include "net/net.h"
#include "ops/command_line.h"
#include "ops/config.h"
#include "ops/confine.h"
#include "ops/privilege.h"
#include "ops/programme_reader.h"
#include "ops/secrets.h"
#include "ops/text_file.h"
#include "service/service.h"
#include "start/daemon.h"

#define FRAME_ROUNDS_MAX 16 /* of the sockets before a block is sealed: bounds what the first request waits */
#define DRAIN_MAX_US US_PER_SECOND /* what a clean stop gives answers that wait for the disk */

/* --- what the loop calls back --- */

static void on_ledger(evutil_socket_t fd, short what, void *ctx)
{
    struct daemon *daemon = ctx;
    (void)fd;
    (void)what;
    daemon->ledger_woke = true;
}

/* A turn at least this often: checkpoints do not wait for business. What changed meanwhile is said once. */
static void on_tick(evutil_socket_t fd, short what, void *ctx)
{
    struct daemon *daemon = ctx;
    (void)fd;
    (void)what;
    bool low = ledger_storage_low(daemon->ledger), lost = !ledger_clock_confirmed(daemon->ledger);
    if (low && !daemon->storage_low)
        log_error("storage is nearly full: new business is refused until there is space again");
    if (!low && daemon->storage_low)
        log_info("there is space again: business goes on");
    if (lost && !daemon->clock_lost)
        log_error("the machine's clock is not credible: time goes on from the last event. Set the clock, or "
                  "accept it with: punkt clock accept");
    if (!lost && daemon->clock_lost)
        log_info("the machine's clock is followed again");
    daemon->storage_low = low;
    daemon->clock_lost = lost;
    watch_certificate(daemon);
}

static void on_signal(evutil_socket_t fd, short what, void *ctx)
{
    struct daemon *daemon = ctx;
    (void)fd;
    (void)what;
    daemon->stopping = true;
}

static void on_hangup(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd;
    (void)what;
    reload_certificates(ctx);
}

/* --- stages --- */

/* Who may come through Unix sockets, as numbers: names are looked up once. */
static enum punkt_status find_admins(struct daemon *daemon, struct failure *failure)
{
    static_assert(CONFIG_ADMINS_MAX <= SERVICE_UIDS_MAX, "every one of `admins` has its place");
    for (uint32_t i = 0; i < daemon->config.admin_count; i++) {
        struct failure reason;
        if (privilege_user(daemon->config.admins[i], &daemon->admins[i], &reason) != PUNKT_OK) {
            failure_set(failure, "admins: %s", reason.text);
            return PUNKT_INVALID;
        }
    }
    daemon->admin_count = daemon->config.admin_count;
    return PUNKT_OK;
}

static enum punkt_status start_process(struct daemon *daemon, struct failure *failure)
{
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGHUP, SIG_IGN); /* until the loop hears it */
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files); /* fewer connections, then; accept survives it */
    }
    enum punkt_status status = find_admins(daemon, failure);
    /* As root, whose limit of locked memory is the higher one. */
    if (!privilege_lock_memory())
        log_warning(
            "no memory can be locked for keys, so they may come to the swap area; allow 8 MiB (ulimit -l, "
            "LimitMEMLOCK)");
    if (status == PUNKT_OK)
        status = privilege_drop(daemon->config.user, failure);
    privilege_guard();
    if (status == PUNKT_OK && privilege_is_root())
        log_warning("punktd runs as root; `user: NAME` in its settings makes it somebody who may do less");
    return status;
}

static enum punkt_status start_ledger(struct daemon *daemon, struct failure *failure)
{
    struct ledger_options options = { .dir = daemon->config.data,
                                      .segment_bytes = (uint64_t)daemon->config.journal.segment_mib << 20,
                                      .reserve_bytes = (uint64_t)daemon->config.journal.reserve_mib << 20,
                                      .map_bytes = (uint64_t)daemon->config.state.map_gib << 30,
                                      .layer_records = daemon->config.state.checkpoint_records,
                                      .layer_bytes = (uint64_t)daemon->config.state.checkpoint_mib << 20,
                                      .checkpoint_ms = daemon->config.state.checkpoint_ms,
                                      .build = PUNKT_BUILD_TIME * US_PER_SECOND,
                                      .fatal = storage_failed,
                                      .ctx = daemon };
    struct ledger_recovery recovery;
    enum punkt_status status = ledger_open(&options, &daemon->ledger, &recovery, failure);
    if (status != PUNKT_OK)
        return status;
    daemon->ledger_is_new = recovery.created;
    if (recovery.created)
        log_info("a new ledger begins in %s", daemon->config.data);
    else
        log_info("the ledger in %s stands at position %llu; %llu events of %llu blocks were replayed",
                 daemon->config.data, (unsigned long long)recovery.position,
                 (unsigned long long)recovery.events, (unsigned long long)recovery.blocks);
    if (recovery.torn_bytes > 0)
        log_warning("the journal ended in a torn write, which nobody was answered about: %llu bytes behind "
                    "position %llu were cut off",
                    (unsigned long long)recovery.torn_bytes, (unsigned long long)recovery.position);
    return PUNKT_OK;
}

static void stop_ledger(struct daemon *daemon)
{
    struct failure failure;
    if (ledger_close(daemon->ledger, &failure) != PUNKT_OK)
        log_error("the last checkpoint could not be written: %s; the next start replays the journal",
                  failure.text);
    daemon->ledger = NULL;
}

static enum punkt_status publish(struct daemon *daemon, struct failure *failure)
{
    if (daemon->config.programme[0] == '\0')
        return service_programme_version(daemon->service) > 0
                   ? PUNKT_OK
                   : service_publish(daemon->service, programme_text_default(), failure);
    struct problems problems = { .count = 0 };
    struct failure reason;
    struct programme draft;
    char *owned = NULL;
    size_t size = 0;
    enum punkt_status status =
        text_file_read(daemon->config.programme, PROGRAMME_FILE_BYTES_MAX, &owned, &size, &reason);
    if (status != PUNKT_OK) {
        failure_set(failure, "the programme %s is not used: %s", daemon->config.programme, reason.text);
        return PUNKT_INVALID;
    }
    struct text text = { owned, size };
    status = programme_read(text, daemon->config.programme, &draft, &problems);
    for (uint32_t i = 0; i < problems.count; i++)
        log_error("%s", problems.texts[i]);
    if (status == PUNKT_OK)
        status = service_publish(daemon->service, text, failure);
    else
        failure_set(failure, "the programme %s is not used: %u mistake%s", daemon->config.programme,
                    problems.count, problems.count == 1 ? "" : "s");
    free(owned);
    return status;
}

/* From the file to where the service looks, in locked memory all the way. */
static enum punkt_status read_keys(struct daemon *daemon, struct failure *failure)
{
    static_assert(sizeof(((struct secrets *)0)->psk_masters) ==
                      sizeof(((struct service_keys *)0)->psk_masters),
                  "as many masters");
    char path[2 * CONFIG_PATH_MAX];
    (void)snprintf(path, sizeof(path), "%s/secrets", daemon->config.data);
    const char *file = daemon->config.secrets[0] != '\0' ? daemon->config.secrets : path;
    struct secrets *secrets = privilege_keys(sizeof(*secrets));
    struct service_keys *keys = daemon->keys = privilege_keys(sizeof(*keys));
    if (secrets == NULL || keys == NULL) {
        privilege_keys_free(secrets, sizeof(*secrets));
        failure_set(failure, "there is no memory for keys");
        return PUNKT_NO_MEMORY;
    }
    bool there = access(file, F_OK) == 0;
    enum punkt_status status = secrets_load(file, secrets, failure);
    if (status == PUNKT_OK && !there && !daemon->ledger_is_new)
        log_warning(
            "the secrets %s were not there and are made anew: no PIN from before is right, no pre-shared key and "
            "no enrolment code is known. If there is a copy, stop punktd and put it back",
            file);
    memcpy(keys->pepper, secrets->pin_pepper, sizeof(keys->pepper));
    memcpy(keys->psk_masters, secrets->psk_masters, sizeof(keys->psk_masters));
    keys->psk_masters_known = secrets->psk_masters_known;
    privilege_keys_free(secrets, sizeof(*secrets));
    if (status == PUNKT_OK && daemon->config.psk.listen[0] != '\0' && keys->psk_masters_known == 0) {
        failure_set(
            failure,
            "psk.listen needs a line psk_master_1 in the secrets %s: 64 hexadecimal digits, as `openssl rand "
            "-hex 32` makes them",
            file);
        status = PUNKT_INVALID;
    }
    return status;
}

/* What enrolment hands out: of our CA with its key, or of another one without. */
static enum punkt_status open_ca(struct daemon *daemon, struct failure *failure)
{
    const struct config *config = &daemon->config;
    const char *key =
        config->enrol.listen[0] != '\0' && config->enrol.ca_key[0] != '\0' ? config->enrol.ca_key : NULL;
    if (config->tls.listen[0] == '\0')
        return PUNKT_OK;
    return ca_open(config->tls.ca, key, config->tls.certificate, &daemon->ca, failure);
}

static enum punkt_status start_service(struct daemon *daemon, struct failure *failure)
{
    const struct config *config = &daemon->config;
    struct service_options options = {
        .ledger = daemon->ledger,
        .link = service_link_of(daemon),
        .limits = { .in_flight_max = config->limits.in_flight_max,
                    .till_connections = config->limits.till_connections,
                    .other_connections = config->limits.other_connections,
                    .till_rate = config->limits.till_rate,
                    .till_burst = config->limits.till_burst,
                    .unknown_cards = config->limits.unknown_cards,
                    .unknown_lock_s = config->limits.unknown_lock_s,
                    .refusals_day = config->limits.refusals_day },
        .programmes = service_programmes(),
        .seal_key = config->seal_key[0] != '\0' ? config->seal_key : NULL,
        .uid_count = daemon->admin_count,
    };
    enum punkt_status status =
        seal_key_is_apart(config, failure) ? read_keys(daemon, failure) : PUNKT_INVALID;
    if (status == PUNKT_OK)
        status = open_ca(daemon, failure);
    if (status != PUNKT_OK)
        return status;
    options.keys = daemon->keys;
    options.ca = daemon->ca;
    memcpy(options.uids, daemon->admins, sizeof(options.uids));
    status = service_open(&options, &daemon->service, failure);
    if (status == PUNKT_OK)
        status = publish(daemon, failure);
    return status;
}

static void stop_service(struct daemon *daemon)
{
    /* Its pending work belongs to threads of the ledger, which ends first. */
    stop_ledger(daemon);
    service_free(daemon->service);
    daemon->service = NULL;
    ca_free(daemon->ca);
    daemon->ca = NULL;
    privilege_keys_free(daemon->keys, sizeof(*daemon->keys));
    daemon->keys = NULL;
}

static enum punkt_status start_loop(struct daemon *daemon, struct failure *failure)
{
    static const struct timeval tick = { .tv_usec = 100000 };
    struct event_config *config = event_config_new();
    if (config != NULL && event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK) == 0)
        daemon->loop = event_base_new_with_config(config);
    if (config != NULL)
        event_config_free(config);
    if (daemon->loop == NULL) {
        failure_set(failure, "the event loop cannot be made");
        return PUNKT_NO_MEMORY;
    }
    daemon->ledger_event =
        event_new(daemon->loop, ledger_fd(daemon->ledger), EV_READ | EV_PERSIST, on_ledger, daemon);
    daemon->tick_event = event_new(daemon->loop, -1, EV_PERSIST, on_tick, daemon);
    daemon->signal_events[0] = evsignal_new(daemon->loop, SIGTERM, on_signal, daemon);
    daemon->signal_events[1] = evsignal_new(daemon->loop, SIGINT, on_signal, daemon);
    daemon->signal_events[2] = evsignal_new(daemon->loop, SIGHUP, on_hangup, daemon);
    if (daemon->ledger_event == NULL || daemon->tick_event == NULL || daemon->signal_events[0] == NULL ||
        daemon->signal_events[1] == NULL || daemon->signal_events[2] == NULL ||
        event_add(daemon->ledger_event, NULL) != 0 || event_add(daemon->tick_event, &tick) != 0 ||
        event_add(daemon->signal_events[0], NULL) != 0 || event_add(daemon->signal_events[1], NULL) != 0 ||
        event_add(daemon->signal_events[2], NULL) != 0) {
        failure_set(failure, "the event loop cannot be made");
        return PUNKT_NO_MEMORY;
    }
    return PUNKT_OK;
}

static void free_event(struct event *event)
{
    if (event != NULL)
        event_free(event);
}

/* What listens for signals stays: who asks to stop twice does not cut the last checkpoint short. */
static void stop_loop(struct daemon *daemon)
{
    free_event(daemon->ledger_event);
    free_event(daemon->tick_event);
}

/* This thread is the last one: what it does not hear nobody does. */
static void stop_process(struct daemon *daemon)
{
    sigset_t both;
    (void)sigemptyset(&both);
    (void)sigaddset(&both, SIGTERM);
    (void)sigaddset(&both, SIGINT);
    (void)pthread_sigmask(SIG_BLOCK, &both, NULL);
    for (size_t i = 0; i < COUNT_OF(daemon->signal_events); i++)
        free_event(daemon->signal_events[i]);
    if (daemon->loop != NULL)
        event_base_free(daemon->loop);
}

static enum punkt_status start_confinement(struct daemon *daemon, struct failure *failure)
{
    (void)failure;
    struct failure reason;
    if (!daemon->config.seccomp)
        return PUNKT_OK;
    switch (confine(&reason)) {
    case CONFINED:
        log_info("system calls that punktd has no use for are refused from now on (seccomp)");
        break;
    case CONFINED_FAILED:
        log_warning("the kernel takes no filter of system calls: %s; punktd goes on without (seccomp)",
                    reason.text);
        break;
    case CONFINED_NOT_BUILT:
        log_debug("this build does not filter system calls (seccomp)");
        break;
    }
    return PUNKT_OK;
}

typedef enum punkt_status start_fn(struct daemon *daemon, struct failure *failure);
typedef void stop_fn(struct daemon *daemon);

/* Started in this order, stopped in the reverse one. A stop copes with what did not start. */
static const struct {
    const char *name;
    start_fn *start;
    stop_fn *stop;
} stages[] = {
    { "process", start_process, stop_process },
    { "ledger", start_ledger, stop_ledger }, /* recovers; no connection before it is whole */
    { "service", start_service, stop_service },
    { "loop", start_loop, stop_loop },
    { "net", start_net, stop_net },
    { "listeners", start_listeners, stop_listeners }, /* nobody is answered before everything is ready */
    { "confinement", start_confinement, NULL }, /* last: what a start needs is more than what follows it */
};

/* --- the turn of the loop --- */

/*
 * Frames come in and are decided. While the disk is free, whatever else has arrived by now comes along
 * before the block is sealed: one sync for all of them, and nobody waits for what is not there yet.
 */
static void take_frames(struct daemon *daemon)
{
    uint64_t before = daemon->frames;
    int wait = service_has_work(daemon->service) ? EVLOOP_NONBLOCK : 0;
    (void)event_base_loop(daemon->loop, EVLOOP_ONCE | wait);
    for (int i = 0; i < FRAME_ROUNDS_MAX && daemon->frames != before && ledger_may_seal(daemon->ledger);
         i++) {
        before = daemon->frames;
        (void)event_base_loop(daemon->loop, EVLOOP_ONCE | EVLOOP_NONBLOCK);
    }
}

static void daemon_turn(struct daemon *daemon)
{
    take_frames(daemon);
    if (daemon->ledger_woke) {
        daemon->ledger_woke = false;
        ledger_process(daemon->ledger); /* what its threads finished */
    }
    bool room = service_turn(daemon->service); /* answers whose events are durable go out */
    if (room && daemon->net_paused) {
        daemon->net_paused = false;
        net_resume(daemon->net);
    }
    ledger_turn_end(daemon->ledger); /* what was decided is on its way to the disk */
    net_turn_end(daemon->net);       /* one send a connection; what closed is freed */
}

/* Answers that wait for the disk still go out, for a moment; nothing new is taken. */
static void daemon_drain(struct daemon *daemon)
{
    int64_t until = daemon_monotonic_us() + DRAIN_MAX_US;
    net_stop_listening(daemon->net);
    net_pause(daemon->net);
    service_end(daemon->service);
    daemon->net_paused = false; /* stays paused: daemon_turn resumes only what it paused */
    while (!service_is_idle(daemon->service) && daemon_monotonic_us() < until)
        daemon_turn(daemon);
    net_turn_end(daemon->net);
}

static int run(struct daemon *daemon)
{
    struct failure failure = { .text = "" };
    size_t started = 0;
    int exit_code = EX_OK;
    for (; started < COUNT_OF(stages); started++) {
        enum punkt_status status = stages[started].start(daemon, &failure);
        if (status == PUNKT_OK)
            continue;
        log_error("%s", failure.text);
        exit_code = status == PUNKT_INVALID   ? EX_CONFIG
                    : status == PUNKT_BUSY    ? EX_TEMPFAIL
                    : status == PUNKT_IO      ? EX_IOERR
                    : status == PUNKT_FULL    ? EX_CANTCREAT
                    : status == PUNKT_CORRUPT ? EX_DATAERR
                                              : EX_OSERR;
        started++; /* what it began is stopped, too */
        break;
    }
    if (exit_code == EX_OK) {
        say_ready(daemon);
        while (!daemon->stopping)
            daemon_turn(daemon);
        log_info("stopping: writing a checkpoint");
        daemon_drain(daemon);
    }
    while (started > 0) {
        started--;
        if (stages[started].stop != NULL)
            stages[started].stop(daemon);
    }
    if (exit_code == EX_OK)
        log_info("stopped");
    return exit_code;
}

/* --- commands --- */

int main(int argc, char **argv)
{
    static struct daemon daemon; /* zeroed; the one of this process */
    struct command_line line = { .command = "" };
    command_line_read(argc, argv, &daemon.config, &line);
    log_set_level((enum log_level)daemon.config.log_level);
    if (strcmp(line.command, "init-ca") == 0)
        return command_init_ca(&line);
    if (strcmp(line.command, "init-audit") == 0)
        return command_init_audit(&daemon.config, &line);
    struct failure failure;
    bool offline = strcmp(line.command, "rebuild") == 0 || strcmp(line.command, "verify") == 0;
    /* Files that root made would be none of the daemon's. */
    if (offline && privilege_is_root() && privilege_drop(daemon.config.user, &failure) != PUNKT_OK) {
        fprintf(stderr, "punktd: %s\n", failure.text);
        return EX_CONFIG;
    }
    if (strcmp(line.command, "rebuild") == 0)
        return command_rebuild(&daemon.config);
    if (strcmp(line.command, "verify") == 0)
        return command_verify(&daemon.config, &line);
    if (line.command[0] != '\0')
        command_line_usage("no such command: ", line.command);
    if (config_settle(&daemon.config, &failure) != PUNKT_OK) {
        fprintf(stderr, "punktd: %s\n", failure.text);
        return EX_CONFIG;
    }
    return run(&daemon);
}
