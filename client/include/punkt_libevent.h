/*
 * A handle of libpunkt in a libevent loop. Header only: needs libpunkt and libevent 2 (libevent_core).
 *
 *      struct punkt_libevent attached;
 *      if (punkt_libevent_attach(&attached, base, punkt) != 0) ...
 *      punkt_submit_purchase(punkt, &sale, on_answer, ctx);
 *      punkt_libevent_kick(&attached);
 *      event_base_dispatch(base);
 *      punkt_libevent_detach(&attached);
 *      punkt_free(punkt);
 *
 * Any number of handles share a base, each with a struct of its own. All is done on the thread of the base.
 *
 * The handle's descriptor may change, and its number may come again, whenever it is processed. Therefore the event goes
 * off once: libevent forgets the descriptor while it is still open, and is told of it anew after. A base with
 * EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST would not notice a change; do not use it with a handle without an outbox.
 */
#ifndef PUNKT_LIBEVENT_H
#define PUNKT_LIBEVENT_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <punkt.h>
#include <sys/time.h>

#ifdef __cplusplus
extern "C" {
#endif

/* An attached handle: the caller's memory, which stays where it is until it is detached. Its fields are for the
 * functions below only. */
struct punkt_libevent {
    struct punkt *punkt;
    struct event_base *base;
    struct event event; /* the handle's descriptor, or none, and its time; goes off once */
    bool processing;    /* and will be watched anew after it */
};

static inline void punkt_libevent_ready(evutil_socket_t fd, short what, void *ctx);

/*
 * Looks again what the handle waits for. To be called after punkt_submit_... and after any other call that may have
 * changed that, such as a blocking one. Processes nothing and calls nobody back, so it is right inside a callback, too.
 * 0, or -1: libevent has no memory, and the handle is not watched until this is called again with success.
 */
static inline int punkt_libevent_kick(struct punkt_libevent *attached)
{
    if (attached->processing)
        return 0;
    int wanted = punkt_wanted(attached->punkt);
    int due_ms = punkt_timeout_ms(attached->punkt);
    short what = (short)(((wanted & PUNKT_WANT_READ) != 0 ? EV_READ : 0) |
                         ((wanted & PUNKT_WANT_WRITE) != 0 ? EV_WRITE : 0));
    struct timeval due;
    due.tv_sec = due_ms / 1000;
    due.tv_usec = (due_ms % 1000) * 1000;
    if (event_del(&attached->event) != 0 ||
        event_assign(&attached->event, attached->base, what != 0 ? punkt_fd(attached->punkt) : -1, what,
                     punkt_libevent_ready, attached) != 0)
        return -1;
    return what != 0 || due_ms >= 0 ? event_add(&attached->event, due_ms >= 0 ? &due : NULL) : 0;
}

/* Called by libevent. */
static inline void punkt_libevent_ready(evutil_socket_t fd, short what, void *ctx)
{
    struct punkt_libevent *attached = (struct punkt_libevent *)ctx;
    (void)fd;
    (void)what;
    attached->processing = true;
    (void)punkt_process(attached->punkt);
    attached->processing = false;
    if (punkt_libevent_kick(attached) != 0) /* comes back at once, and tries again */
        event_active(&attached->event, EV_TIMEOUT, 0);
}

/* Watches a handle from now on. Both stay the caller's, and outlive the attachment. 0, or -1: libevent has no memory;
 * then nothing is attached. */
static inline int punkt_libevent_attach(struct punkt_libevent *out, struct event_base *base,
                                        struct punkt *punkt)
{
    out->punkt = punkt;
    out->base = base;
    out->processing = false;
    if (event_assign(&out->event, base, -1, 0, punkt_libevent_ready, out) != 0)
        return -1;
    return punkt_libevent_kick(out);
}

/* Watches it no more: before punkt_free, and before the base is freed. Not inside a callback of the handle. */
static inline void punkt_libevent_detach(struct punkt_libevent *attached)
{
    (void)event_del(&attached->event);
}

#ifdef __cplusplus
}
#endif

#endif
