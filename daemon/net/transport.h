/*
 * How bytes come and go: the seam behind which TLS (tls.h) has its place. Whoever splits frames sees only
 * this, never a socket call or an SSL object. Nothing here waits.
 */
#pragma once

#include "base/base.h"

enum transport_result {
    TRANSPORT_OK,    /* at least one byte went */
    TRANSPORT_AGAIN, /* not now; the loop will tell when */
    TRANSPORT_ENDED, /* the peer will send no more */
    TRANSPORT_FAILED /* nothing goes any more, in no direction */
};

struct transport;

struct transport_calls {
    enum transport_result (*read)(struct transport *transport, void *out, size_t capacity, size_t *out_size);
    enum transport_result (*write)(struct transport *transport, const void *bytes, size_t size,
                                   size_t *out_size);
    /* Tells the peer that nothing more will be written. */
    void (*finish)(struct transport *transport);
    /* Gives back whatever there is, the descriptor as well. */
    void (*close)(struct transport *transport);
};

struct transport {
    const struct transport_calls *calls;
    int fd;
    bool pending; /* set by read: there may be more to read, which the socket does not tell of */
    void *state;  /* of the calls; a plain socket has none */
};

/* A plain stream socket, already non-blocking; the transport takes it over. */
struct transport transport_plain(int fd);
