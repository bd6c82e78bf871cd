/*
 * What the files of start share: the daemon as it runs. main.c has its stages and its turn; here are the callbacks between
 * net and service, the listeners with their certificates, and the commands that are no daemon.
 */
#pragma once

#include "base/base.h"
#include "base/status.h"
#include "ledger/ledger.h"
#include "net/net.h"
#include "ops/command_line.h"
#include "ops/config.h"
#include "service/ca.h"
#include "service/service.h"

#define EXIT_STORAGE 70 /* a write or sync failed: nothing more may be answered (EX_SOFTWARE) */

struct event;
struct event_base;

struct daemon {
    struct config config;
    struct ledger *ledger;
    struct service *service;
    struct event_base *loop;
    struct event *ledger_event, *tick_event, *signal_events[3];
    struct net *net;
    bool net_paused;
    bool ledger_woke;             /* its threads finished something */
    uint64_t frames;              /* taken so far */
    bool storage_low, clock_lost; /* as said in the log */
    bool stopping;
    bool ledger_is_new;                             /* made by this start */
    char addresses[CONFIG_LISTEN_MAX][128];         /* plain ones */
    char proven_addresses[NET_LISTENER_KINDS][128]; /* the others, by kind; "": none */
    struct service_keys *keys;                      /* in locked memory */
    struct ca *ca;                                  /* NULL: nobody listens for certificates */
    utc_us certificate_ends;                        /* the server's; 0: it has none */
    int64_t certificate_warned_day;                 /* since 1970, as said in the log */
    uint32_t admin_count;
    uint32_t admins[SERVICE_UIDS_MAX];
};

int64_t daemon_monotonic_us(void);

/* --- links.c: what the threads, net and service call back --- */

/* Of ledger_options.fatal: says why and ends the process. */
void storage_failed(void *ctx, const char *what);
/* Opens the table of connections, whose frames go to the service. */
PUNKT_MUST_CHECK enum punkt_status start_net(struct daemon *daemon, struct failure *failure);
void stop_net(struct daemon *daemon);
/* How the service sends, and reads programmes. */
struct service_link service_link_of(struct daemon *daemon);
struct service_programmes service_programmes(void);

/* --- listeners.c: where clients come in, and the certificates of the one kind --- */

PUNKT_MUST_CHECK enum punkt_status start_listeners(struct daemon *daemon, struct failure *failure);
void stop_listeners(struct daemon *daemon);
/* Asked for by SIGHUP: the certificates are read again, and those from before stay if the new ones are no good. */
void reload_certificates(struct daemon *daemon);
/* Says once a day that the server's certificate ends soon, or has. */
void watch_certificate(struct daemon *daemon);
/* One line, whatever is listened on: what supervisors and scripts wait for. */
void say_ready(const struct daemon *daemon);

/* --- commands.c: each returns the exit status --- */

int command_rebuild(const struct config *config);
int command_init_ca(const struct command_line *line);
/* As the user of the settings, who moves the key on later. */
int command_init_audit(const struct config *config, const struct command_line *line);
/* False: the key of seals lies in the data folder, and so in its copies, from which it must not come back. */
PUNKT_MUST_CHECK bool seal_key_is_apart(const struct config *config, struct failure *failure);
int command_verify(const struct config *config, const struct command_line *line);
