/*
 * What stands between tills and punktd where a test wants a bad network: a proxy in a thread of the test,
 * which takes connections on a port of its own and passes frames on, and, as its seed says,
 *
 *      drops whole frames, either way (also answers to what was booked), and sends some twice,
 *      holds them up, and passes bytes on in pieces, down to single ones,
 *      resets the connection, before a frame, behind it or in its middle,
 *      goes silent: takes everything, passes nothing on.
 *
 * Over TLS these are records instead, which nobody takes when one before is missing: what gets lost or comes twice ends the
 * connection.
 *
 * Frames of one direction keep their order. While punktd is away it hangs up on who comes. What it does is
 * bounded: a connection that lost a frame, or went silent, is reset after a few seconds.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct proxy;

/* Listens at once; target is "HOST:PORT", HOST a number, or "unix:PATH". Fails the running test when it cannot. */
struct proxy *proxy_new(const char *target, bool tls, uint64_t seed);
/* Ends the thread and closes all. NULL is fine. */
void proxy_free(struct proxy *proxy);

/* Where it listens, for the tills; borrowed until proxy_free. */
const char *proxy_address(const struct proxy *proxy);

/* From now on it passes on what it gets, and nothing else happens; what was silent is reset. */
void proxy_calm(struct proxy *proxy);

/* How often each fault took place, as a line of text for people; valid until proxy_free. */
const char *proxy_report(struct proxy *proxy);

/* How many faults of all kinds took place. */
uint64_t proxy_faults(const struct proxy *proxy);
