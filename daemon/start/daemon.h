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
#include "service/service.h"

#define EXIT_STORAGE 70 /* a write or sync failed: nothing more may be answered (EX_SOFTWARE) */

struct event;
struct event_base;

struct daemon {
    struct config config;
    struct ledger *ledger;
    struct service *service;
    struct event_base *loop;
    struct event *ledger_event, *tick_event, *signal_events[2];
    struct net *net;
    bool net_paused;
    bool ledger_woke;             /* its threads finished something */
    uint64_t frames;              /* taken so far */
    bool storage_low, clock_lost; /* as said in the log */
    bool stopping;
    char addresses[CONFIG_LISTEN_MAX][128];
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

/* --- listeners.c --- */

PUNKT_MUST_CHECK enum punkt_status start_listeners(struct daemon *daemon, struct failure *failure);
void stop_listeners(struct daemon *daemon);
/* One line, whatever is listened on: what supervisors and scripts wait for. */
void say_ready(const struct daemon *daemon);

/* --- commands.c: each returns the exit status --- */

int command_rebuild(const struct config *config);
int command_verify(const struct config *config, const struct command_line *line);
