/*
 * Very many TLS connections from one thread, all at once: handshake, hello for a lane of their own, and then they stay. For
 * tests and for tests/bench; needs no cmocka. The daemon must allow an identity so many connections
 * (limits.till_connections, limits.other_connections).
 *
 *      static const char *const identities[] = { "olga.identity" };
 *      struct crowd *crowd = crowd_new(identities, 1, 1000);
 *      if (crowd == NULL || !crowd_come(crowd, "127.0.0.1:7443", 1000, 1000))
 *          ... crowd_failure() says why ...
 *      crowd_free(crowd);
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct crowd;

/*
 * identities: paths of identity files, by certificate or pre-shared key, which connections use in turns. most: how many
 * connections it may become. Raises the limit of our own descriptors. NULL: crowd_failure() says why.
 */
struct crowd *crowd_new(const char *const identities[], unsigned identity_count, unsigned most);

/* Closes all. NULL is fine. */
void crowd_free(struct crowd *crowd);

/*
 * So many more connections to an IPv4 address, and waits until all that there are have their answers to hello; more come
 * only while fewer than at_once are not yet answered. False: the first that failed ended it.
 */
bool crowd_come(struct crowd *crowd, const char *address, unsigned count, unsigned at_once);

/* So many more connections, whose handshakes begin: their first bytes are sent, and no answer is waited for. */
bool crowd_knock(struct crowd *crowd, const char *address, unsigned count);

/* Asks each that is there whether the daemon is, one after the other, and waits for its answer. */
bool crowd_ping(struct crowd *crowd);

/* Why the last call failed. */
const char *crowd_failure(void);

/* What a process has used so far of the processors, in nanoseconds, and of memory (VmRSS), in KiB; 0: it is not there. */
int64_t process_cpu_ns(pid_t pid);
int64_t process_memory_kib(pid_t pid);
