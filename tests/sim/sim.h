/*
 * A simulator: tills and their server in one process, over a clock, a net and disks of its own
 * (RELIABILITY.md, How it is tested). All chance comes from a seed, and one thing happens at a time, so that
 * a seed is always the same story.
 *
 * The tills are what tests/integration/till_acts.h makes of libpunkt, each on a thread, of which one runs
 * until it waits. libpunkt is as it is shipped, but for machine.c. The server is service, points and ledger
 * as they are. Everything fails the running cmocka test when it cannot do what it says.
 */
#pragma once

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../unit/random.h"

#define SIM_SECOND_US UINT64_C(1000000)
#define SIM_MINUTE_US (60 * SIM_SECOND_US)
#define SIM_HOUR_US (60 * SIM_MINUTE_US)
#define SIM_START_US INT64_C(1762560000000000) /* 2025-11-08 00:00 UTC */
#define SIM_START_DATE 20400                   /* the same as a business date */
#define SIM_CARDS 12u
#define SIM_ADDRESS "127.0.0.1:7400" /* of the server; nobody listens there */

/* What is true of the whole world. There is one at a time. */
struct sim {
    uint64_t now_us; /* monotonic, from 1 */
    struct random random;
    bool calm;     /* from now on nothing goes wrong */
    bool trace;    /* steps are printed */
    uint64_t hash; /* of all steps */
    char folder[64];
};

extern struct sim sim;

/* --- sim.c --- */

/* A number below bound, and whether something happens that does so once in so many times. */
uint64_t sim_below(uint64_t bound);
bool sim_chance(uint64_t once_in);

/* A step of the story. */
__attribute__((format(printf, 1, 2))) void sim_note(const char *format, ...);

/* What happens next, at this moment or later, while somebody who is no till waits for these until then. */
void sim_step(struct pollfd *fds, unsigned count, uint64_t until_us);

/* --- net.c --- */

/* No connection is left of an earlier world. */
void net_clear(void);

/* What is due happens. When the next is; UINT64_MAX: nothing is under way. */
void net_step(void);
uint64_t net_due_us(void);

/* poll for what is true at this moment; wait_us is not slept. */
int net_ready(struct pollfd *fds, unsigned count);

/* When one of these may be ready, if nothing else happens. */
uint64_t net_ready_us(const struct pollfd *fds, unsigned count);

/* The server says this on a connection, or is gone from all of them. */
void net_answer(unsigned conn, const void *bytes, size_t size);
void net_server_gone(void);

/* --- server.c --- */

void server_make(void);
void server_end(void);
bool server_is_up(void);

/* Dies, as with a power cut: what was durable is what there is; then starts again. */
void server_crash(void);
void server_start(void);

/* Publishes a programme that lets so many points be redeemed offline by a card a day. */
void server_offline(unsigned points);

/* A connection opens, says something, and ends. */
void server_open_conn(unsigned conn);
void server_hear(unsigned conn, const void *bytes, size_t size);
void server_close_conn(unsigned conn);

/* --- disk.c --- */

struct disk;

/* The files and the memory of a process that may die. */
struct disk *disk_new(const char *prefix);
void disk_free(struct disk *disk);
void *disk_resize(void *disk, void *memory, size_t size);

/* Writes and syncs of this thread are those of the disk; die is called before each, and may not return. */
void disk_use(struct disk *disk, void (*die)(void));

/* The process died: of what was not synced chance decides what there is. Descriptors and memory are gone. */
void disk_crash(struct disk *disk);

/* --- tills.c --- */

#define TILLS_MAX 4u

void tills_make(unsigned count, uint64_t seed);
void tills_end(void);
unsigned tills_count(void);

/* One of them dies soon, or its wall clock is put off by so much. */
void tills_kill(unsigned till);
void tills_move_clock(unsigned till, int64_t by_us);

/* Lets each run that has something to do now; when the next has. */
bool tills_step(void);
uint64_t tills_due_us(void);

/* All of them have done their acts; and drained, and closed their days. */
bool tills_have_acted(void);
bool tills_have_ended(void);

/* Whether each ended as it should; asked once all have. */
bool tills_are_good(void);

/* Called by machine.c: a till waits. Not on a till's thread: false. */
bool tills_wait(struct pollfd *fds, unsigned count, int wait_ms, int *out_ready);
/* The place where a till that is to die does. */
void tills_maybe_die(void);
int64_t tills_clock_us(void);
