#include <string.h>
#include <unistd.h>

#include "net/internal.h"

bool conn_may_take(const struct conn *conn)
{
    const struct net *net = conn->net;
    return conn->state == CONN_OPEN && !net->paused && !conn->ended && !conn->waits_for_pool &&
           !conn->slowed && conn->in_flight < net->options.in_flight_max &&
           buffer_size(conn->out) <= net->options.output_high_bytes;
}

static void set_state(struct conn *conn, enum conn_state next)
{
    static const uint8_t may_follow[] = {
        [CONN_FREE] = 1u << CONN_HANDSHAKE | 1u << CONN_OPEN,
        [CONN_HANDSHAKE] = 1u << CONN_OPEN | 1u << CONN_LINGER | 1u << CONN_DEAD,
        [CONN_OPEN] = 1u << CONN_CLOSING | 1u << CONN_DEAD,
        [CONN_CLOSING] = 1u << CONN_LINGER | 1u << CONN_DEAD,
        [CONN_LINGER] = 1u << CONN_DEAD,
        [CONN_DEAD] = 1u << CONN_FREE,
    };
    PUNKT_CHECK((may_follow[conn->state] & 1u << next) != 0);
    conn->state = next;
}

void conn_mute(struct conn *conn)
{
    if (conn->muted)
        return;
    (void)event_del(&conn->read_event);
    conn->muted = true;
}

void conn_unmute(struct conn *conn)
{
    if (!conn->muted)
        return;
    if (event_add(&conn->read_event, NULL) != 0) {
        conn_die(conn); /* the kernel has no memory to watch it */
        return;
    }
    conn->muted = false;
}

/* No event, no list: the connection is out of everybody's way. */
static void detach(struct conn *conn)
{
    conn_mute(conn);
    if (conn->blocked)
        (void)event_del(&conn->write_event);
    conn->blocked = false;
    link_leave(&conn->take);
    link_leave(&conn->flush);
}

static void leave_unproven(struct conn *conn)
{
    if (!link_joined(&conn->unproven))
        return;
    link_leave(&conn->unproven);
    conn->net->counts.unproven_now--;
}

/* The session ends here; the handler gets no more calls for it. */
static void end_session(struct conn *conn)
{
    struct net *net = conn->net;
    void *session = conn->session;
    leave_unproven(conn);
    if (conn->proven)
        net->proven_now--;
    conn->proven = false;
    conn->session = NULL;
    if (session == NULL)
        return;
    net->counts.closed++;
    net->counts.open_now--;
    net->handler.close(net->ctx, session);
}

void conn_die(struct conn *conn)
{
    if (conn->state == CONN_DEAD)
        return;
    detach(conn);
    link_leave(&conn->timer.link);
    set_state(conn, CONN_DEAD);
    list_append(&conn->net->dead, &conn->flush);
}

void conn_close_after_output(struct conn *conn)
{
    if (conn->state != CONN_OPEN)
        return;
    set_state(conn, CONN_CLOSING);
    link_leave(&conn->take);
    conn_mute(conn);
    conn->drain_from_us = net_now_us(conn->net);
    conn_watch(conn);
    conn_mark_dirty(conn);
}

void conn_linger(struct conn *conn)
{
    struct net *net = conn->net;
    end_session(conn);
    conn->transport.calls->finish(&conn->transport);
    if (conn->ended) {
        conn_die(conn);
        return;
    }
    set_state(conn, CONN_LINGER);
    buffer_put(&net->buffers, conn->in);
    conn->in = NULL;
    conn->linger_until_us = net_now_us(net) + LINGER_US;
    conn_watch(conn);
    conn_unmute(conn);
}

void conn_release(struct conn *conn)
{
    struct net *net = conn->net;
    PUNKT_CHECK(conn->state == CONN_DEAD && !link_joined(&conn->flush));
    end_session(conn);
    conn->transport.calls->close(&conn->transport);
    buffer_put(&net->buffers, conn->in);
    buffer_put(&net->buffers, conn->out);
    conn->in = NULL;
    conn->out = NULL;
    set_state(conn, CONN_FREE);
    conn->generation = conn->generation == UINT32_MAX ? 1 : conn->generation + 1;
    list_append(&net->free_slots, &conn->take);
}

/* Lists a connection whose input is not done with: for the next turn, or until something changes. */
static void list_rest(struct conn *conn)
{
    struct net *net = conn->net;
    if (link_joined(&conn->take) || conn->state != CONN_OPEN || conn->ended)
        return;
    if (!conn_may_take(conn)) {
        list_append(&net->stopped, &conn->take);
        return;
    }
    if (conn->hungry || conn->transport.pending)
        list_append(&net->more, &conn->take);
    conn_unmute(conn); /* muted if it was stopped for a while that is over */
}

void conn_go_on(struct conn *conn)
{
    if (!link_joined(&conn->take) || !conn_may_take(conn))
        return;
    link_leave(&conn->take);
    if (conn->hungry || conn->transport.pending)
        list_append(&conn->net->more, &conn->take);
    if (conn->frame_started_us != 0) {
        conn->frame_started_us = net_now_us(conn->net); /* its time does not run while we do not read */
        conn_watch(conn);
    }
    conn_unmute(conn);
}

/* The input ends within a frame, or is empty: finds room for the rest of it and starts its time-out. */
static void await_rest(struct conn *conn)
{
    struct net *net = conn->net;
    if (buffer_size(conn->in) > 0 && conn->frame_started_us == 0) {
        conn->frame_started_us = net_now_us(net);
        conn_watch(conn);
    }
    if (conn->wanted > BUFFER_OWN_BYTES &&
        !buffer_reserve(&net->buffers, &conn->in, conn->wanted, BUFFER_IF_ROOM))
        conn->waits_for_pool = true;
}

void conn_serve_pool(struct net *net)
{
    if (!net->buffers.pool_returned)
        return;
    net->buffers.pool_returned = false;
    struct link *next;
    for (struct link *link = net->stopped.next; link != &net->stopped; link = next) {
        struct conn *conn = LINK_OWNER(link, struct conn, take);
        next = link->next;
        if (!conn->waits_for_pool)
            continue;
        if (!buffer_reserve(&net->buffers, &conn->in, conn->wanted, BUFFER_IF_ROOM))
            return; /* whoever waits longest is first, however much it asks for */
        conn->waits_for_pool = false;
        conn_go_on(conn);
    }
}

/* Hands one whole frame over. False: the connection takes no more in this turn. */
static bool offer(struct conn *conn, const struct frame *frame)
{
    struct net *net = conn->net;
    const size_t frame_size = FRAME_HEADER_SIZE + (size_t)frame->body_size;
    conn->in_flight++; /* before the call, for the answer may come within it */
    const enum net_verdict verdict = net->handler.frame(net->ctx, conn->session, frame);
    if (verdict == NET_NOT_NOW) {
        conn->in_flight--;
        net_pause(net);
        return false;
    }
    net->counts.frames_in++;
    conn->turn_frames++;
    conn->frame_started_us = 0;
    conn->active_us = net_now_us(net);
    conn->wanted = FRAME_HEADER_SIZE;
    buffer_consume(conn->in, frame_size);
    if (verdict == NET_CLOSE)
        conn_close_after_output(conn);
    return true;
}

void conn_split(struct conn *conn)
{
    struct net *net = conn->net;
    if (conn->turn != net->turn) {
        conn->turn = net->turn;
        conn->turn_frames = 0;
    }
    conn->hungry = buffer_size(conn->in) > 0;
    while (conn->hungry && conn_may_take(conn) && conn->turn_frames < net->options.frames_per_turn) {
        const uint32_t body_max = conn->proven ? FRAME_BODY_MAX : FRAME_BODY_MAX_BEFORE_HELLO;
        struct frame frame;
        const enum frame_split found = frame_split(conn->in->data + conn->in->start, buffer_size(conn->in),
                                                   body_max, &frame, &conn->wanted);
        if (found == FRAME_NEED_MORE) {
            conn->hungry = false;
            await_rest(conn);
        } else if (found == FRAME_BROKEN) {
            net->handler.broken(net->ctx, conn->session, &frame);
            conn_close_after_output(conn);
        } else if (!offer(conn, &frame)) {
            break;
        } else {
            conn->hungry = buffer_size(conn->in) > 0;
        }
    }
    buffer_park(&net->buffers, &conn->in, conn->wanted);
    list_rest(conn);
}

/* The peer has shut its side. What it asked before is answered, then the connection closes. */
static void on_end(struct conn *conn)
{
    conn->ended = true;
    conn_mute(conn);
    buffer_put(&conn->net->buffers, conn->in); /* a frame that is half here stays half */
    conn->in = NULL;
    if (conn->in_flight == 0)
        conn_close_after_output(conn);
    else
        conn_mark_dirty(conn);
}

static void read_on(struct conn *conn)
{
    struct net *net = conn->net;
    /* A half frame that came small is read on in a large buffer: what follows it comes along. */
    const size_t capacity = conn->wanted > BUFFER_OWN_BYTES ? conn->wanted : BUFFER_OWN_BYTES;
    if (!buffer_reserve(&net->buffers, &conn->in, capacity, BUFFER_IF_ROOM)) {
        conn_die(conn); /* not the pool, which was asked in await_rest: there is no memory at all */
        return;
    }
    size_t size = 0;
    switch (conn->transport.calls->read(&conn->transport, conn->in->data + conn->in->end,
                                        buffer_room(conn->in), &size)) {
    case TRANSPORT_OK:
        /* Not read again: if there is more, the event is still there in the next turn. */
        conn->in->end += (uint32_t)size;
        net->counts.bytes_in += size;
        conn_split(conn);
        break;
    case TRANSPORT_AGAIN:
        buffer_park(&net->buffers, &conn->in, conn->wanted);
        break;
    case TRANSPORT_ENDED:
        on_end(conn);
        break;
    case TRANSPORT_FAILED:
        conn_die(conn);
        break;
    }
}

void conn_take_more(struct conn *conn)
{
    if (!conn->hungry && conn->transport.pending && conn_may_take(conn))
        read_on(conn);
    else
        conn_split(conn);
}

/* Throws away what the peer sends until it ends as well; its time-out runs meanwhile. */
static void read_to_end(struct conn *conn)
{
    struct buffers *buffers = &conn->net->buffers;
    struct buffer *scrap = buffer_get(buffers, BUFFER_OWN_BYTES, BUFFER_IF_ROOM);
    size_t size = 0;
    if (scrap == NULL) {
        conn_die(conn);
        return;
    }
    const enum transport_result result =
        conn->transport.calls->read(&conn->transport, scrap->data, scrap->capacity, &size);
    if (result == TRANSPORT_ENDED || result == TRANSPORT_FAILED)
        conn_die(conn);
    buffer_put(buffers, scrap);
}

static void on_readable(evutil_socket_t fd PUNKT_UNUSED, short what PUNKT_UNUSED, void *arg)
{
    struct conn *conn = arg;
    if (conn->state == CONN_LINGER) {
        read_to_end(conn);
        return;
    }
    if (!conn_may_take(conn)) {
        if (conn->state == CONN_HANDSHAKE) {
            handshake_queue(conn);
            return;
        }
        /* Only now, and not when it was stopped: most of the stopped send nothing before they go on. */
        list_rest(conn);
        conn_mute(conn);
        return;
    }
    if (conn->hungry)
        return; /* it is on a list, and what is here comes first */
    if (conn->turn == conn->net->turn && conn->turn_frames >= conn->net->options.frames_per_turn)
        return; /* the others have their turn; the event is still there in the next one */
    read_on(conn);
}

struct conn *conn_find(struct net *net, struct net_conn_name name)
{
    if (name.slot >= net->slots_used)
        return NULL;
    struct conn *conn = &net->conns[name.slot];
    return conn->generation == name.generation && conn->state == CONN_OPEN ? conn : NULL;
}

static struct conn *take_slot(struct net *net)
{
    struct link *link = list_shift(&net->free_slots);
    if (link != NULL)
        return LINK_OWNER(link, struct conn, take);
    if (net->slots_used == net->slots)
        return NULL;
    struct conn *conn = &net->conns[net->slots_used];
    conn->net = net;
    conn->slot = net->slots_used++;
    conn->generation = 1;
    return conn;
}

/* Whether one more that has not yet proven who it is may come from there. */
static bool admits(struct net *net, const struct conn_origin *origin)
{
    if (net->counts.unproven_now >= net->options.unproven_max)
        return false;
    if (origin->local)
        return true;
    uint32_t same = 0;
    for (struct link *link = net->unproven.next; link != &net->unproven; link = link->next) {
        const struct conn *other = LINK_OWNER(link, struct conn, unproven);
        if (!other->origin.local &&
            memcmp(other->origin.address, origin->address, sizeof(origin->address)) == 0)
            same++;
    }
    return same < net->options.unproven_per_address_max;
}

/* Every field but those that name the slot is as if it had never been used. */
static void reset(struct conn *conn, struct transport transport, const struct conn_origin *origin)
{
    struct net *net = conn->net;
    const int64_t now_us = net_now_us(net);
    *conn = (struct conn){
        .net = net,
        .slot = conn->slot,
        .generation = conn->generation,
        .transport = transport,
        .origin = *origin,
        .muted = true,
        .wanted = FRAME_HEADER_SIZE,
        .turn = net->turn,
        .opened_us = now_us,
        .active_us = now_us,
    };
    /* Fails only without a base or with a signal among the flags. */
    PUNKT_CHECK(event_assign(&conn->read_event, net->loop, transport.fd, EV_READ | EV_PERSIST, on_readable,
                             conn) == 0);
    PUNKT_CHECK(event_assign(&conn->write_event, net->loop, transport.fd, EV_WRITE | EV_PERSIST,
                             conn_on_writable, conn) == 0);
}

/* A slot for one more, if it may come; it counts as unproven from now on. */
static struct conn *admit(struct net *net, struct transport transport, const struct conn_origin *origin,
                          enum conn_state state)
{
    struct conn *conn = admits(net, origin) ? take_slot(net) : NULL;
    if (conn == NULL) {
        net->counts.refused++;
        transport.calls->close(&transport);
        return NULL;
    }
    reset(conn, transport, origin);
    set_state(conn, state);
    list_append(&net->unproven, &conn->unproven);
    net->counts.unproven_now++;
    conn_watch(conn);
    return conn;
}

static bool open_session(struct conn *conn, const struct net_peer *peer)
{
    struct net *net = conn->net;
    const struct net_conn_name name = { conn->slot, conn->generation };
    conn->session = net->handler.open(net->ctx, name, peer);
    if (conn->session == NULL) {
        net->counts.refused++;
        conn_die(conn);
        return false;
    }
    net->counts.accepted++;
    net->counts.open_now++;
    if (conn->state == CONN_OPEN)
        conn_unmute(conn);
    return conn->state == CONN_OPEN;
}

bool conn_open(struct net *net, struct transport transport, const struct net_peer *peer,
               const struct conn_origin *origin)
{
    struct conn *conn = admit(net, transport, origin, CONN_OPEN);
    return conn != NULL && open_session(conn, peer);
}

void conn_greet(struct net *net, enum net_listener kind, int fd, const struct net_peer *peer,
                const struct conn_origin *origin)
{
    const struct transport transport = transport_tls(&net->tls, kind, fd, peer);
    if (transport.state == NULL) {
        net->counts.refused++;
        (void)close(fd);
        return;
    }
    struct conn *conn = admit(net, transport, origin, CONN_HANDSHAKE);
    if (conn != NULL)
        conn_unmute(conn);
}

void conn_begin(struct conn *conn, const struct net_peer *peer)
{
    set_state(conn, CONN_OPEN);
    conn->opened_us = net_now_us(conn->net);
    conn->active_us = conn->opened_us;
    conn_watch(conn);
    if (!open_session(conn, peer))
        return;
    if (conn_may_take(conn)) {
        read_on(conn);
    } else {
        conn->transport.pending = true;
        list_rest(conn);
    }
}
