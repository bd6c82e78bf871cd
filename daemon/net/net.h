/*
 * Sockets in, whole frames out; frames in, bytes out. Never looks inside a frame's body and never
 * waits for a client. Belongs to the loop thread alone.
 *
 *   kernel -> input buffer -> frame_split -> handler.frame      (at most frames_per_turn a turn)
 *   net_send -> output buffer -> one send() a connection at the end of the turn (net_turn_end)
 *
 * A connection is named by slot and generation: a name outlives its connection harmlessly, what
 * is sent to it then is dropped. Closing is a request; memory goes at the end of the turn. A peer that
 * shuts its side still gets the answers to what it asked.
 */
#pragma once

#include "base/base.h"
#include "base/status.h"
#include "proto/frame.h"

struct event_base;
struct net;

struct net_conn_name {
    uint32_t slot;
    uint32_t generation; /* never 0 for a connection that was */
};

/* How a connection proved who it is: by the kind of listener that it came through. */
enum net_proof {
    NET_PROOF_LOCAL,       /* plain bytes over a Unix socket or from a loopback address: unix_uid says who */
    NET_PROOF_CERTIFICATE, /* TLS: a certificate that our CA signed, whose key is `key` */
    NET_PROOF_PSK,         /* TLS: a pre-shared key; `psk_number` is what the handler gave with it */
};

/* Who is at the other end. */
struct net_peer {
    enum net_proof proof;
    bool local;        /* Unix socket or loopback address */
    uint32_t unix_uid; /* SO_PEERCRED, where unix_socket */
    bool unix_socket;
    uint8_t key[32];    /* CERTIFICATE: SHA-256 of the public key (SubjectPublicKeyInfo, DER) */
    int64_t key_ends_s; /* CERTIFICATE: its last second, since 1970 UTC */
    uint64_t psk_number;
    char address[64]; /* for the log: "127.0.0.1:1234", "unix" */
    char source
        [48]; /* the same without the port, as limits an address count it: "127.0.0.1", "2001:db8::/64", "unix" */
};

#define NET_PSK_SIZE 32
#define NET_PSK_IDENTITY_MAX 64

/* The kinds of listeners. They share no TLS context. */
enum net_listener {
    NET_LISTEN_PLAIN, /* loopback and Unix sockets only */
    NET_LISTEN_CERTIFICATE,
    NET_LISTEN_PSK,
    NET_LISTEN_ENROL, /* pre-shared keys made of enrolment codes */
};
#define NET_LISTENER_KINDS 4

/* Files of a listener by certificate, PEM. */
struct net_certificates {
    const char *certificate; /* of this server, the chain behind it */
    const char *key;
    const char *ca; /* that signs clients */
};

enum net_verdict {
    NET_TAKEN,   /* the frame was dealt with; an answer comes now or later */
    NET_NOT_NOW, /* no room: the frame stays in the input, is offered again after net_resume() */
    NET_CLOSE,   /* send what is in the output, then close */
};

struct net_handler {
    /*
     * A connection opened: with TLS, when its handshake is done. Returns the session pointer that the other calls get;
     * NULL refuses it.
     */
    void *(*open)(void *ctx, struct net_conn_name name, const struct net_peer *peer);
    /* A whole frame. Its body is valid during the call only. */
    enum net_verdict (*frame)(void *ctx, void *session, const struct frame *frame);
    /* A header that announces too long a body: framing is lost, the connection closes after this call
     * and what it sent. */
    void (*broken)(void *ctx, void *session, const struct frame *frame);
    /* The connection is gone; the session pointer is the handler's to free. Called once, by net_turn_end or
     * net_free, never within another call of the handler. */
    void (*close)(void *ctx, void *session);
    /*
     * The pre-shared key of an identity that a client names, and the number that says whose it is, for net_peer. False: there
     * is none; the handshake then fails as with a wrong key, told apart by nothing. NULL where no listener asks.
     */
    bool (*psk)(void *ctx, enum net_listener kind, const char *identity, size_t size,
                uint8_t out_key[NET_PSK_SIZE], uint64_t *out_number);
    /*
     * A handshake failed: `what` in a few words for the log ("no certificate", "certificate has expired", ...). identity: of
     * the pre-shared key that was named, "" if none was. number: what psk gave for that identity, if the peer does not have
     * its key; 0 if psk had none, or if something else failed, such as the network. peer->proof: what was asked for; nothing
     * of it is proven. Called within the loop's events or by net_turn_end. NULL: nobody asks.
     */
    void (*refused)(void *ctx, const struct net_peer *peer, const char *what, const char *identity,
                    uint64_t number);
};

struct net_options {
    uint32_t conns_max;                /* proven connections, 10,000 */
    uint32_t unproven_max;             /* not yet proven, 512; the next ones wait in the kernel's queue */
    uint32_t unproven_per_address_max; /* 20; loopback and Unix sockets have no limit an address */
    uint32_t in_flight_max;            /* requests without answer a connection, 64 */
    uint32_t frames_per_turn;          /* of one connection in one turn of the loop, 64 */
    uint32_t output_high_bytes;        /* over it a connection is not read, 256 KiB */
    uint64_t
        pool_bytes; /* shared by frames and output over 32 KiB, 64 MiB; answers overdraw it, up to twice */
    uint32_t handshake_timeout_ms; /* from accept to the end of the TLS handshake, absolute, 5,000 */
    uint32_t hello_timeout_ms;     /* from then to net_proven, absolute, 5,000 */
    uint32_t
        handshake_us_per_turn; /* what handshakes may take of one turn; at least one step is done, 2,000 */
    uint32_t frame_timeout_ms; /* from a frame's first byte to its last, absolute, 10,000 */
    uint32_t idle_timeout_ms;  /* 180,000 */
    uint32_t drain_timeout_ms; /* output over its mark without progress, 15,000 */
    int64_t (*monotonic_us)(void *ctx); /* the clock, passed in */
};

/* The values of RELIABILITY.md; the clock is CLOCK_MONOTONIC. */
struct net_options net_options_default(void);

struct net_counts {
    uint64_t handshakes, handshakes_failed;
    uint64_t accepted, closed, refused, frames_in, frames_out, bytes_in, bytes_out, accept_pauses, timeouts;
    uint32_t open_now, unproven_now;
};

PUNKT_MUST_CHECK enum punkt_status net_open(const struct net_options *options,
                                            const struct net_handler *handler, void *ctx,
                                            struct event_base *loop, struct net **out_net);

/*
 * Reads the files that NET_LISTEN_CERTIFICATE needs and checks them: the key is the certificate's and for
 * its owner only, the certificate is valid now and for servers. Called again, it takes new files for the connections to come; those that are there stay. PUNKT_INVALID, and what
 * was used before is used on: failure names the file and what is wrong.
 */
PUNKT_MUST_CHECK enum punkt_status net_use_certificates(struct net *net, const struct net_certificates *files,
                                                        struct failure *failure);

/*
 * Listens on "HOST:PORT" (IPv4, "[IPv6]:PORT", port 0 picks a free one) or, plain, "unix:PATH". PLAIN is refused with a
 * message anywhere but on loopback and Unix sockets; CERTIFICATE before net_use_certificates; PSK and ENROL without
 * handler.psk. out_address (at least 128 bytes) gets the address as it is now, with the port picked.
 */
PUNKT_MUST_CHECK enum punkt_status net_listen(struct net *net, enum net_listener kind, const char *where,
                                              char *out_address, size_t address_capacity,
                                              struct failure *failure);

/*
 * The connection said who it is: larger frames, no HELLO timer, counted among the proven. One more than
 * conns_max closes after its output.
 */
void net_proven(struct net *net, struct net_conn_name name);

/*
 * Queues an answer: header and body are copied. `answers` is how many requests it answers (1, or 0
 * for a message nobody asked for). False: the connection is gone, nothing happened. May be called at
 * any time, within the handler's calls as well; the bytes leave at the end of the turn.
 */
bool net_send(struct net *net, struct net_conn_name name, uint16_t type, uint16_t flags, uint64_t number,
              const void *body, size_t size, uint32_t answers);

/*
 * Closes after the output is sent. No more frames are taken and net_send answers false from now on; the
 * session ends, by close(), when the output is sent or will never be.
 */
void net_close_after_output(struct net *net, struct net_conn_name name);

/* Does not read this connection before a moment of the monotonic clock: who sends too fast is slowed down. */
void net_slow_down(struct net *net, struct net_conn_name name, int64_t until_us);

/* Stops reading every socket (the ledger has no room), and goes on, offering left frames again. */
void net_pause(struct net *net);
void net_resume(struct net *net);

/* No more connections from now on. */
void net_stop_listening(struct net *net);

/*
 * End of a turn: one send a connection with output, then the frames of closed connections, buffers
 * and slots are given back. To be called after each turn of the loop, as the last thing before the loop
 * may sleep again. A timer of ours wakes an idle loop four times a second, so that time-outs are seen.
 */
void net_turn_end(struct net *net);

const struct net_counts *net_counts(const struct net *net);

/* Closes everything; NULL is fine. */
void net_free(struct net *net);
