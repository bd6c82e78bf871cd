/*
 * The link to the server: one socket at a time, bytes in and out, and when to try again after a loss. It knows
 * nothing of frames. It never blocks, but for the look-up of host names. With a TLS context its bytes go through TLS, whose
 * handshake is a part of CONNECTING.
 *
 *      DOWN --attempt is due, and somebody wants it--> CONNECTING --writable, handshake done--> OPEN
 *       ^-------------------- link_close, whatever the reason -----------------------'
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/address.h"
#include "lib/buffer.h"
#include "lib/tls.h"

#define LINK_TROUBLE_SIZE 256

enum link_state { LINK_DOWN, LINK_CONNECTING, LINK_OPEN };

struct link {
    enum link_state state;
    int fd;                      /* -1: none */
    unsigned serial;             /* another for each socket; 0: there was none */
    struct tls_context *context; /* to be set after link_init, outlives the link; NULL: plain bytes */
    struct tls *tls;             /* of the socket, once it is connected; owned */
    bool refused;                /* it went down last because one side does not take the other's proof */
    const struct heap *heap;
    char *servers; /* owned */
    struct address_list addresses;
    const struct link
        *beside; /* to be set after link_init, or NULL: while it is good, its server is tried first */
    unsigned address_index; /* of the attempt that is on or was last */
    bool good;              /* it was let in: after its loss the first address is tried first again */
    unsigned failures;      /* in a row; decides how long the next pause is */
    unsigned greetings;     /* since link_progress */
    uint64_t attempt_us;    /* DOWN: the next attempt is not before */
    uint64_t look_up_us;    /* names are not looked up again before */
    uint64_t began_us;      /* when the last attempt began; 0: there was none */
    uint64_t share_us;      /* what each part of an attempt may take: to connect, and the TLS handshake */
    uint64_t deadline_us;   /* CONNECTING: when it is given up */
    uint64_t random;        /* of the jitter */
    struct buffer in;
    struct buffer out;
    char trouble[LINK_TROUBLE_SIZE]; /* why it went down last; "" if it never did */
};

/* Monotonic time in microseconds; never 0. */
uint64_t link_now_us(void);

/* A random number from 0 to bound, both possible, of a generator whose state is *random. */
uint64_t link_jitter(uint64_t *random, uint64_t bound);

/* Takes a copy of servers; heap outlives the link. False: no memory. To be ended by link_done either way. */
bool link_init(struct link *link, const char *servers, uint64_t seed, const struct heap *heap);
void link_done(struct link *link);

/* How long connecting and HELLO may take: a share of patience_us, which is what a call may take, for each address. */
uint64_t link_share_us(const struct link *link, uint64_t patience_us);

/* DOWN and due: begins an attempt that may take its share of patience_us. Otherwise does nothing. */
void link_try(struct link *link, uint64_t now_us, uint64_t patience_us);

/* Both OPEN, or CONNECTING: whether it is to the same address. */
bool link_same_server(const struct link *link, const struct link *other);

/* CONNECTING: looks whether it is done, or too late. True: it has become OPEN just now. */
bool link_connected(struct link *link, uint64_t now_us);

/* Closes the socket, drops what the buffers hold, and decides when the next attempt is due: at once after the loss
 * of a link that was good and while there are untried addresses; else after a random pause, up to 0.5 s, then
 * twice as much each time, up to 60 s. The words say why. */
__attribute__((format(printf, 3, 4))) void link_close(struct link *link, uint64_t now_us, const char *format,
                                                      ...);

/* The server lets us in. That alone is no success: one that then always hangs up must not be asked without pause. */
void link_greeted(struct link *link);

/* The server did what it is there for: the next loss is the first again. */
void link_progress(struct link *link);

/* Somebody is waiting now: the next attempt is due at once, but not within half a second of the last. */
void link_hurry(struct link *link, uint64_t now_us);

/* Not DOWN: whether to wait for the socket to be writable though nothing is to be sent. Then reading is worth a try, too. */
bool link_wants_write(const struct link *link);

/* OPEN: reads what is there, up to some bound, behind in. False: the link went down. */
bool link_receive(struct link *link, uint64_t now_us);

/* OPEN: writes as much of out as the socket takes. False: the link went down. */
bool link_flush(struct link *link, uint64_t now_us);
