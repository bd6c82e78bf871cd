#include "net/internal.h"

#define LOOK_AGAIN_US INT64_C(1000000)

/* A moment in milliseconds after another, which counts from when we read again if we had stopped. */
static int64_t after(const struct net *net, int64_t from_us, uint32_t timeout_ms)
{
    return i64_max(from_us, net->resumed_us) + (int64_t)timeout_ms * 1000;
}

static bool draining(const struct conn *conn)
{
    const size_t size = buffer_size(conn->out);
    return size > conn->net->options.output_high_bytes || (conn->state == CONN_CLOSING && size > 0);
}

int64_t conn_deadline_us(struct conn *conn)
{
    struct net *net = conn->net;
    const struct net_options *options = &net->options;
    const bool read = conn_may_take(conn);
    if (conn->state == CONN_LINGER)
        return conn->linger_until_us;
    if (conn->state == CONN_HANDSHAKE)
        return conn->opened_us + (int64_t)options->handshake_timeout_ms * 1000;
    /* Looked at now and then in any case, and soon if it is not read, for that may change. */
    int64_t deadline_us = net_now_us(net) + (read ? (int64_t)options->idle_timeout_ms * 1000 : LOOK_AGAIN_US);
    if (conn->slowed)
        deadline_us = i64_min(deadline_us, conn->slow_until_us);
    if (draining(conn))
        deadline_us = i64_min(deadline_us, conn->drain_from_us + (int64_t)options->drain_timeout_ms * 1000);
    if (conn->state == CONN_OPEN && !conn->proven && !net->paused)
        deadline_us = i64_min(deadline_us, after(net, conn->opened_us, options->hello_timeout_ms));
    if (!read)
        return deadline_us; /* who is not read is late with nothing else */
    if (conn->frame_started_us != 0)
        deadline_us = i64_min(deadline_us, after(net, conn->frame_started_us, options->frame_timeout_ms));
    if (conn->in_flight == 0)
        deadline_us = i64_min(deadline_us, after(net, conn->active_us, options->idle_timeout_ms));
    return deadline_us;
}

void conn_watch(struct conn *conn)
{
    const int64_t deadline_us = conn_deadline_us(conn);
    if (!link_joined(&conn->timer.link) || deadline_us < conn->timer.at_us)
        wheel_set(&conn->net->wheel, &conn->timer, deadline_us);
}

/* What did not come while we did not read is neither late nor a sign of idleness. */
static void speed_up(struct conn *conn)
{
    conn->slowed = false;
    conn->active_us = net_now_us(conn->net);
    if (conn->frame_started_us != 0)
        conn->frame_started_us = conn->active_us;
    conn_go_on(conn);
}

void net_expire(struct net *net)
{
    const int64_t now_us = net_now_us(net);
    struct link due;
    struct link *link;
    list_init(&due);
    wheel_collect(&net->wheel, now_us, &due);
    while ((link = list_shift(&due)) != NULL) {
        struct conn *conn = LINK_OWNER(LINK_OWNER(link, struct wheel_timer, link), struct conn, timer);
        if (conn->slowed && conn->slow_until_us <= now_us)
            speed_up(conn);
        if (conn_deadline_us(conn) > now_us) {
            conn_watch(conn);
            continue;
        }
        if (conn->state == CONN_HANDSHAKE)
            handshake_failed(conn, "it took too long", false);
        if (conn->state != CONN_LINGER)
            net->counts.timeouts++;
        conn_die(conn);
    }
}
