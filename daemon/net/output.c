#include <string.h>

#include "net/internal.h"

void conn_mark_dirty(struct conn *conn)
{
    if (!link_joined(&conn->flush))
        list_append(&conn->net->dirty, &conn->flush);
}

void conn_on_writable(evutil_socket_t fd PUNKT_UNUSED, short what PUNKT_UNUSED, void *arg)
{
    struct conn *conn = arg;
    if (conn->state == CONN_HANDSHAKE) {
        conn_unblock(conn);
        handshake_queue(conn);
        return;
    }
    conn->writable = true;
    conn_mark_dirty(conn); /* sent at the end of the turn, with what is answered meanwhile */
}

bool conn_append(struct conn *conn, const uint8_t *header, const void *body, size_t size)
{
    struct net *net = conn->net;
    const size_t before = buffer_size(conn->out);
    size_t capacity = before + FRAME_HEADER_SIZE + size;
    /* Grows by doubling, so that many small answers do not move what is there each time. */
    if (conn->out != NULL && capacity > conn->out->capacity)
        capacity = u64_max(capacity, 2 * (uint64_t)conn->out->capacity);
    if (!buffer_reserve(&net->buffers, &conn->out, capacity, BUFFER_OVERDRAW)) {
        conn_die(conn); /* its peer asks again under the same number, and is answered alike */
        return false;
    }
    uint8_t *end = conn->out->data + conn->out->end;
    memcpy(end, header, FRAME_HEADER_SIZE);
    if (size > 0)
        memcpy(end + FRAME_HEADER_SIZE, body, size);
    conn->out->end += (uint32_t)(FRAME_HEADER_SIZE + size);
    const size_t high = net->options.output_high_bytes;
    if (before <= high && buffer_size(conn->out) > high) {
        conn->drain_from_us = net_now_us(net);
        conn_watch(conn);
    }
    return true;
}

void conn_block(struct conn *conn)
{
    if (conn->blocked)
        return;
    if (event_add(&conn->write_event, NULL) != 0) {
        conn_die(conn);
        return;
    }
    conn->blocked = true;
}

void conn_unblock(struct conn *conn)
{
    if (!conn->blocked)
        return;
    (void)event_del(&conn->write_event);
    conn->blocked = false;
}

static void send_once(struct conn *conn)
{
    struct net *net = conn->net;
    size_t sent = 0;
    switch (conn->transport.calls->write(&conn->transport, conn->out->data + conn->out->start,
                                         buffer_size(conn->out), &sent)) {
    case TRANSPORT_OK:
        net->counts.bytes_out += sent;
        conn->active_us = net_now_us(net);
        conn->drain_from_us = conn->active_us;
        buffer_consume(conn->out, sent);
        break;
    case TRANSPORT_AGAIN:
        break;
    case TRANSPORT_ENDED:
    case TRANSPORT_FAILED:
        conn_die(conn);
        return;
    }
    if (buffer_size(conn->out) > 0) {
        conn_block(conn);
        return;
    }
    conn_unblock(conn);
    buffer_put(&net->buffers, conn->out);
    conn->out = NULL;
}

void conn_flush(struct conn *conn)
{
    if (buffer_size(conn->out) > 0 && (!conn->blocked || conn->writable))
        send_once(conn);
    conn->writable = false;
    if (conn->state == CONN_OPEN)
        conn_go_on(conn); /* the output may be under its mark again */
    if (conn->state == CONN_OPEN && conn->ended && conn->in_flight == 0)
        conn_close_after_output(conn);
    if (conn->state == CONN_CLOSING && buffer_size(conn->out) == 0) {
        link_leave(&conn->flush); /* closing may just have put it there */
        conn_linger(conn);
    }
}
