/*
 * What the library has of the machine it runs on, but for files: clocks, random numbers, and sockets that never block.
 * A simulator links its own machine.c instead (tests/sim).
 */
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/address.h"

/* Monotonic time in microseconds; never 0. */
uint64_t machine_now_us(void);

/* The wall clock, microseconds since 1970-01-01 00:00 UTC. */
int64_t machine_wall_us(void);

/* size bytes that nobody can guess. False: there are none. */
bool machine_random(void *out, size_t size);

/* A socket that begins to connect to the address, to be closed by machine_close; -1: errno says why not. */
int machine_connect(const struct address *address);

/* Whether the socket is connected: 0, EINPROGRESS, or why it never will be. */
int machine_connected(int fd);

/* As recv, send without SIGPIPE, close, and poll. */
ssize_t machine_receive(int fd, void *bytes, size_t size);
ssize_t machine_send(int fd, const void *bytes, size_t size);
void machine_close(int fd);
int machine_poll(struct pollfd *fds, unsigned count, int wait_ms);
