/*
 * What the files of this folder share: the table of connections and one connection. Nobody outside
 * includes this, except the tests.
 *
 *   FREE -> OPEN -> CLOSING -> LINGER -> DEAD -> FREE
 *     |       ^ |_______|_________________^
 *     HANDSHAKE ________________^_________|
 *
 * HANDSHAKE is how TLS begins: there is no session yet, and a handshake that fails lingers, for the peer must
 * hear why. OPEN takes frames. CLOSING only sends what is in the output. LINGER has sent everything and said so,
 * and throws away what the peer still sends, because closing a socket with unread input resets it, and
 * the reset can overtake our last words. The session ends with CLOSING; the socket with DEAD.
 *
 * Who waits where: a connection is in at most one of `more` (frames in its input, to be taken in the
 * next turn), `stopped` (something keeps it from being read) and `handshakes`, by its link `take`; and in at most one
 * of `dirty` (output to send at the end of the turn) and `dead`, by its link `flush`.
 */
#pragma once

#include <event2/event.h>
#include <event2/event_struct.h>

#include "net/buffer.h"
#include "net/list.h"
#include "net/net.h"
#include "net/tls.h"
#include "net/transport.h"
#include "net/wheel.h"

#define LISTENERS_MAX 8
#define ACCEPTS_PER_TURN 64
#define ACCEPT_PAUSE_US INT64_C(250000)
#define LINGER_US INT64_C(1000000)
#define DESCRIPTORS_KEPT 16 /* of the process, for what is opened while clients have all others */

enum conn_state { CONN_FREE, CONN_HANDSHAKE, CONN_OPEN, CONN_CLOSING, CONN_LINGER, CONN_DEAD };

/* Where a peer is, as far as limits care: 16 bytes, an IPv4 address mapped, of an IPv6 address its /64. */
struct conn_origin {
    bool local;
    uint8_t address[16];
};

struct conn {
    struct net *net;
    void *session; /* the handler's; NULL once its close was called */
    struct buffer *in;
    struct buffer *out;
    struct transport transport;

    uint32_t slot;
    uint32_t generation;
    enum conn_state state;
    bool proven;
    bool muted;           /* the read event is not registered */
    bool blocked;         /* the write event is registered: the kernel took less than there was */
    bool writable;        /* the write event has fired since */
    bool hungry;          /* there may be a whole frame in the input */
    bool waits_for_pool;  /* the next frame does not fit what we have */
    bool slowed;          /* not read until slow_until_us */
    bool ended;           /* the peer will send no more; what it asked is still answered */
    uint32_t in_flight;   /* frames taken and not answered */
    uint32_t turn_frames; /* taken in turn `turn` */
    uint64_t turn;
    size_t wanted; /* bytes of the frame that the input begins with, as far as known */

    int64_t opened_us;        /* the connection; of TLS, once its handshake is done, that moment */
    int64_t active_us;        /* a frame came, or bytes left */
    int64_t frame_started_us; /* 0 while no frame is half here */
    int64_t drain_from_us;    /* output over its mark since, or last progress since */
    int64_t linger_until_us;
    int64_t slow_until_us;

    struct link take;
    struct link flush;
    struct link unproven;
    struct wheel_timer timer;
    struct event read_event;
    struct event write_event;
    struct conn_origin origin;
};

struct listener {
    struct net *net;
    enum net_listener kind;
    int fd;
    char unix_path[108]; /* empty for TCP */
    uint64_t unix_device;
    uint64_t unix_inode;
    struct event *event;
};

struct net {
    struct net_options options;
    struct net_handler handler;
    void *ctx;
    struct event_base *loop;
    struct net_counts counts;
    struct buffers buffers;
    struct tls_shared tls;

    struct conn *conns; /* conns_max + unproven_max of them */
    uint32_t slots;
    uint32_t slots_used; /* slots beyond were never used: their memory is not touched yet */
    uint32_t proven_now;
    struct link free_slots;
    struct link more;
    struct link stopped;
    struct link handshakes; /* bytes of theirs are here, or room for ours */
    struct link dirty;
    struct link dead;
    struct link unproven;

    bool paused;
    uint64_t turn;
    int64_t now_us;     /* the clock as read in this turn; 0 when it was not */
    int64_t resumed_us; /* time-outs do not count what we did not read ourselves */
    struct wheel wheel;
    struct event *tick;  /* wakes an idle loop, so that its turn has an end */
    struct event *again; /* made active by hand when frames are left for the next turn */
    struct event *greet; /* the same for handshakes */

    struct listener listeners[LISTENERS_MAX];
    uint32_t listeners_count;
    int spare_fd;              /* given up to accept, and refuse, when descriptors run out */
    int fd_end;                /* descriptors from this number on are not for clients */
    bool accepting;            /* the listeners' events are registered */
    int64_t accept_resumes_us; /* 0 unless descriptors ran out */
    bool accept_complained;    /* one line in the log a shortage */
};

/* The time, read once a turn. */
int64_t net_now_us(struct net *net);

/*
 * conn.c: input. Opens a connection over a transport, which is taken over in any case. False: it was
 * refused, by a limit or by the handler, and the transport is closed (at the end of the turn).
 */
bool conn_open(struct net *net, struct transport transport, const struct net_peer *peer,
               const struct conn_origin *origin);

/* The same over TLS: the handler hears of it when its handshake is done. The descriptor is taken over in any case. */
void conn_greet(struct net *net, enum net_listener kind, int fd, const struct net_peer *peer,
                const struct conn_origin *origin);

/* The handshake is done: opens the session, and reads what came along with the end of the handshake. */
void conn_begin(struct conn *conn, const struct net_peer *peer);

/* Takes the read event away, or registers it; whichever it is already, stays. */
void conn_mute(struct conn *conn);
void conn_unmute(struct conn *conn);

/* The open connection of this name, or NULL. */
struct conn *conn_find(struct net *net, struct net_conn_name name);

/* Whether nothing keeps frames from being taken from this connection. */
bool conn_may_take(const struct conn *conn);

/* Goes on with a connection of the list `more`: with what is in its input, or with what its transport has. */
void conn_take_more(struct conn *conn);

/* Takes frames off the input, as many as budget and limits allow, and lists what is left. */
void conn_split(struct conn *conn);

/* Something that stopped a connection may have ended: reads it again if nothing else does. */
void conn_go_on(struct conn *conn);

/* Borrows from the pool for those who wait for it, in order, as far as it goes. */
void conn_serve_pool(struct net *net);

/* The connection takes no more frames and ends when its output is sent. */
void conn_close_after_output(struct conn *conn);

/* Nothing is sent or read any more. The memory stays until the end of the turn. */
void conn_die(struct conn *conn);

/* The peer has got, or will never get, the rest; tells the handler, then waits for the peer's end. */
void conn_linger(struct conn *conn);

/* Gives a dead connection's session, socket, buffers and slot back. */
void conn_release(struct conn *conn);

/* output.c: appends a frame. False: the connection died of it, for there was no memory. */
bool conn_append(struct conn *conn, const uint8_t *header, const void *body, size_t size);

/* Sends what there is, once. */
void conn_flush(struct conn *conn);

/* Asks the loop to tell when the socket takes more, and no longer. */
void conn_block(struct conn *conn);
void conn_unblock(struct conn *conn);

/* Puts a connection on the list of those that the end of the turn looks at. */
void conn_mark_dirty(struct conn *conn);

void conn_on_writable(evutil_socket_t fd, short what, void *arg);

/* handshake.c: the connection, whose handshake goes on, has its next step when it is its turn. */
void handshake_queue(struct conn *conn);

/* Steps for as long as a turn may take, at least one. */
void handshakes_run(struct net *net);

/* Counts and reports a handshake that came to nothing. */
void handshake_failed(struct conn *conn, const char *what, bool key_wrong);

/* timeouts.c: when the connection must be looked at, at the latest; it is late if that is not after now. */
int64_t conn_deadline_us(struct conn *conn);

/* Makes sure that the connection is looked at when its deadline, which may have come nearer, is over. */
void conn_watch(struct conn *conn);

/* Closes the connections whose time is over. */
void net_expire(struct net *net);

/* listen.c: registers or takes away the listeners' events, as limits, descriptors and time say. */
void listen_update(struct net *net);
