/*
 * The handshakes of TLS: the costly part of a connection that nobody has proven anything for. Whoever has sent
 * something waits in a queue; each turn of the loop gives the queue a bounded time (RELIABILITY.md: 1.33 ms of CPU a
 * certificate, so a thousand clients at once are more than a second), and those that are proven are served between.
 */
#include "net/internal.h"

void handshake_queue(struct conn *conn)
{
    conn_mute(conn);
    if (!link_joined(&conn->take))
        list_append(&conn->net->handshakes, &conn->take);
}

void handshake_failed(struct conn *conn, const char *what, bool key_wrong)
{
    struct net *net = conn->net;
    const struct tls *tls = conn->transport.state;
    net->counts.handshakes_failed++;
    conn->ended = tls->ended;
    if (tls->ended && tls->greeting_bytes == 0)
        return; /* somebody looked whether anybody listens: nothing was tried */
    if (net->handler.refused != NULL)
        net->handler.refused(net->ctx, &tls->peer, what, tls->psk_identity, key_wrong ? tls->psk_number : 0);
}

static void step(struct conn *conn)
{
    struct net *net = conn->net;
    struct tls *tls = conn->transport.state;
    const char *what;
    bool key_wrong;
    switch (tls_greet(tls, &what, &key_wrong)) {
    case TLS_DONE:
        net->counts.handshakes++;
        conn_begin(conn, &tls->peer);
        break;
    case TLS_WANTS_READ:
        conn_unmute(conn);
        break;
    case TLS_WANTS_WRITE:
        conn_block(conn);
        break;
    case TLS_FAILED:
        handshake_failed(conn, what, key_wrong);
        conn_linger(conn);
        break;
    }
}

void handshakes_run(struct net *net)
{
    const int64_t until_us = net->options.monotonic_us(net->ctx) + net->options.handshake_us_per_turn;
    struct link *link;
    while ((link = list_shift(&net->handshakes)) != NULL) {
        step(LINK_OWNER(link, struct conn, take));
        if (net->options.monotonic_us(net->ctx) >= until_us)
            break;
    }
}
