/*
 * A handle of libpunkt in a poll loop. Header only: needs libpunkt and poll(2).
 *
 *      struct pollfd polled[2] = { { .fd = STDIN_FILENO, .events = POLLIN } };
 *      for (;;) {
 *          int wait_ms = punkt_poll_prepare(punkt, &polled[1], -1);
 *          if (poll(polled, 2, wait_ms) < 0 && errno != EINTR) ...
 *          if (polled[0].revents != 0) ... which may submit, or make blocking calls
 *          punkt_poll_process(punkt, &polled[1]);
 *      }
 *
 * Prepare before each poll, for the descriptor, what it waits for and the time may change with every call; process
 * after each, whatever it returned. The handle is the caller's; nothing is kept here.
 */
#ifndef PUNKT_POLL_H
#define PUNKT_POLL_H

#include <poll.h>
#include <punkt.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Writes into *out what to poll for; without a socket its descriptor is -1, which poll passes over. Returns for how
 * many milliseconds to poll: wait_ms, or less if the handle is due before. -1 in and out: as long as it takes.
 */
static inline int punkt_poll_prepare(const struct punkt *punkt, struct pollfd *out, int wait_ms)
{
    int wanted = punkt_wanted(punkt);
    int due_ms = punkt_timeout_ms(punkt);
    out->fd = punkt_fd(punkt);
    out->events = (short)(((wanted & PUNKT_WANT_READ) != 0 ? POLLIN : 0) |
                          ((wanted & PUNKT_WANT_WRITE) != 0 ? POLLOUT : 0));
    out->revents = 0;
    return due_ms >= 0 && (wait_ms < 0 || due_ms < wait_ms) ? due_ms : wait_ms;
}

/*
 * Processes the handle if its descriptor is ready, its time has come, or it wants to send what was submitted since. Calls
 * back; so not inside a callback. Returns how many requests ended.
 */
static inline unsigned punkt_poll_process(struct punkt *punkt, const struct pollfd *polled)
{
    if (polled->revents == 0 && punkt_timeout_ms(punkt) != 0 && (punkt_wanted(punkt) & PUNKT_WANT_WRITE) == 0)
        return 0;
    return punkt_process(punkt);
}

#ifdef __cplusplus
}
#endif

#endif
