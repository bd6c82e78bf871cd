/*
 * A world for system tests: a folder of its own, the real punktd on it, and the real command punkt beside it.
 * Frames by hand are in talk.h.
 *
 *      struct world *world = world_new(NULL);          punktd is ready when this returns
 *      struct run run;
 *      world_json(world, &run, "card", "issue", "2900000000018", NULL);
 *      assert_int_equal(run.exit_code, 0);
 *      run_done(&run);
 *      world_kill(world);                              kill -9
 *      world_start(world);                             again, on the same folder
 *      world_free(world);                              SIGTERM, exit 0 expected; the folder is removed
 *
 * PUNKT_VERBOSE=1 shows what punktd says as it says it, PUNKT_LONG=1 runs the long form of the tests.
 *
 * Everything here fails the running cmocka test when it cannot do what it says, within WORLD_PATIENCE_MS; so
 * nothing returns a status. Call it from the program's first thread only. What it starts dies with the test.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include <cmocka.h>

#define WORLD_PATIENCE_MS                                                                                    \
    60000 /* after this a wait is a failure: machines under test are slow, not that slow */

/* The settings of every world: small segments make a start cheap, and beside a thread sanitizer there is no room for
 * the address space that a real ledger sets aside. Ends within "state:"; its other keys may follow. */
#define WORLD_JOURNAL "journal:\n  segment_mib: 8\n  reserve_mib: 16\nstate:\n  map_gib: 4\n"

struct world;

/* Zero is the default of each. Strings are copied. */
struct world_options {
    const char *settings; /* text of punktd.yaml, without the last "..."; WORLD_JOURNAL, and more behind it */
    const char *programme; /* text of a programme; without it the daemon's own: 1 point per whole 1.00 EUR */
    const char *const *environment; /* "NAME=VALUE" ..., NULL at the end, put into the daemon's environment */
    rlim_t descriptors_max;         /* RLIMIT_NOFILE of the daemon, soft and hard */
    bool unix_socket;               /* listens on a Unix socket, whose address is the same after a restart */
    bool own_clock; /* its wall clock can be put forward (world_clock_ahead); not with environment */
    bool stopped;   /* world_new does not start it: world_start, or world_start_fails, does */
};

/* Makes the folder, writes its files and starts punktd. */
struct world *world_new(const struct world_options *options);

/* Ends punktd if it runs (cleanly, and expects exit 0), and removes the folder. NULL is fine. */
void world_free(struct world *world);

/* Starts punktd on the folder and waits until it says that it is ready. */
void world_start(struct world *world);

/* Starts punktd and expects that it ends before it is ready. Returns its exit code, or minus a signal. */
int world_start_fails(struct world *world);

/* kill -9, and waits for the end. */
void world_kill(struct world *world);

/* SIGTERM, and expects exit 0. */
void world_stop(struct world *world);

/* Waits until punktd ends by itself. Returns its exit code, or minus a signal. */
int world_wait_exit(struct world *world);

/* Other settings from the next start on; as in world_options. */
void world_configure(struct world *world, const char *settings);

/* Another programme, or none, for the next start; as in world_options. */
void world_set_programme(struct world *world, const char *programme);

/* Another environment from the next start on; as in world_options. */
void world_set_environment(struct world *world, const char *const *environment);

/* From now on the wall clock of punktd is so far ahead of the machine's; of a world with own_clock. */
void world_clock_ahead(struct world *world, int64_t ahead_us);

/* Copies the ledger's folder into that of another world; both must be stopped. */
void world_copy_data(const struct world *from, struct world *to);

/* The journal becomes what it was when it was copied to `past`, and state is made anew from it, in a new term; both must be
 * stopped, and stay so. */
void world_lose(struct world *world, const struct world *past);

/* Borrowed until world_free (address: until the next start). */
const char *world_address(const struct world *world); /* for --server: "127.0.0.1:40123", or "unix:..." */
const char *world_folder(const struct world *world);  /* room for a test's own files, too */
const char *world_data(const struct world *world);    /* --data: the folder of journal/ and state/ */
pid_t world_pid(const struct world *world);           /* of punktd; 0 when it does not run */

/* What punktd wrote to standard error since its last start, as a string to be freed. */
char *world_said(struct world *world);

/* Waits until punktd has said this since its last start. */
void world_wait_said(struct world *world, const char *text);

/* --- programs --- */

/* How a program ended, and what it wrote. */
struct run {
    int exit_code; /* or minus a signal */
    char *out;     /* standard output, ends with NUL */
    char *err;     /* standard error, likewise */
    size_t out_size;
    pid_t pid;  /* while it runs */
    int fds[3]; /* private: standard output, standard error, and a pipe that closes when it ends */
};

/* punkt --server ADDRESS ...; the arguments are strings, NULL at the end. run_done frees what it wrote. */
__attribute__((sentinel)) void world_punkt(const struct world *world, struct run *out_run, ...);

/* The same with --json before the arguments. */
__attribute__((sentinel)) void world_json(const struct world *world, struct run *out_run, ...);

/*
 * Starts a program: argv[0] is a path, or the name of one of our programs ("punkt", "punktd"). Standard input
 * is the file input, or empty if that is NULL. Then run_end waits for its end.
 */
void run_begin(const char *const argv[], const char *input, struct run *out_run);
void run_end(struct run *run);
void run_done(struct run *run);

/* Runs a program, which must end with 0. */
void run_well(const char *const argv[]);

/* Milliseconds of the monotonic clock; fails the test when WORLD_PATIENCE_MS have passed since start_ms. */
int64_t world_now_ms(void);
void world_patience(int64_t start_ms);

/* Whether PUNKT_LONG=1 asks for the long form of the tests. */
bool world_long(void);
