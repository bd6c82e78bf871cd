#include "net/net.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "net/internal.h"

static int64_t clock_monotonic_us(void *ctx PUNKT_UNUSED)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail with this clock */
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

struct net_options net_options_default(void)
{
    return (struct net_options){
        .conns_max = 10000,
        .unproven_max = 512,
        .unproven_per_address_max = 20,
        .in_flight_max = 64,
        .frames_per_turn = 64,
        .output_high_bytes = 256 * 1024,
        .pool_bytes = UINT64_C(64) * 1024 * 1024,
        .handshake_timeout_ms = 5000,
        .hello_timeout_ms = 5000,
        .handshake_us_per_turn = 2000,
        .frame_timeout_ms = 10000,
        .idle_timeout_ms = 180000,
        .drain_timeout_ms = 15000,
        .monotonic_us = clock_monotonic_us,
    };
}

static bool options_sound(const struct net_options *options)
{
    return options->conns_max > 0 && options->unproven_max > 0 &&
           (uint64_t)options->conns_max + options->unproven_max < UINT32_MAX &&
           options->unproven_per_address_max > 0 && options->in_flight_max > 0 &&
           options->frames_per_turn > 0 &&
           options->pool_bytes >= FRAME_HEADER_SIZE + FRAME_BODY_MAX && /* or the largest frame never comes */
           options->pool_bytes < UINT64_MAX / 4 && options->handshake_timeout_ms > 0 &&
           options->hello_timeout_ms > 0 && options->frame_timeout_ms > 0 && options->idle_timeout_ms > 0 &&
           options->drain_timeout_ms > 0 && options->monotonic_us != NULL;
}

int64_t net_now_us(struct net *net)
{
    if (net->now_us == 0)
        net->now_us = net->options.monotonic_us(net->ctx);
    return net->now_us;
}

/* Nothing to do: that the loop woke is enough, for net_turn_end looks at the clock. */
static void on_tick(evutil_socket_t fd PUNKT_UNUSED, short what PUNKT_UNUSED, void *arg PUNKT_UNUSED)
{
}

/* Frames that were left in the last turn: their sockets are silent, so the loop would not tell. */
static void on_again(evutil_socket_t fd PUNKT_UNUSED, short what PUNKT_UNUSED, void *arg)
{
    struct net *net = arg;
    if (net->paused)
        return;
    struct link now;
    struct link *link;
    list_init(&now);
    list_splice(&net->more, &now);
    while ((link = list_shift(&now)) != NULL)
        conn_take_more(LINK_OWNER(link, struct conn, take));
}

/* Also while it is paused: the ledger, which has no room, has no part in them. */
static void on_greet(evutil_socket_t fd PUNKT_UNUSED, short what PUNKT_UNUSED, void *arg)
{
    handshakes_run(arg);
}

static void wake_for_more(struct net *net)
{
    if (!net->paused && !list_empty(&net->more))
        event_active(net->again, EV_TIMEOUT, 0);
    if (!list_empty(&net->handshakes))
        event_active(net->greet, EV_TIMEOUT, 0);
}

static bool start_events(struct net *net)
{
    const struct timeval tick = { .tv_usec = WHEEL_TICK_US };
    net->tick = event_new(net->loop, -1, EV_PERSIST, on_tick, net);
    net->again = event_new(net->loop, -1, 0, on_again, net);
    net->greet = event_new(net->loop, -1, 0, on_greet, net);
    return net->tick != NULL && net->again != NULL && net->greet != NULL && event_add(net->tick, &tick) == 0;
}

/*
 * Where the descriptors begin that clients do not get. The kernel gives the lowest that is free, so as long as
 * those are kept back the rest of the process can open its files, however many clients there are.
 */
static int descriptors_end(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur > INT_MAX)
        return INT_MAX;
    return (int)limit.rlim_cur - DESCRIPTORS_KEPT;
}

enum punkt_status net_open(const struct net_options *options, const struct net_handler *handler, void *ctx,
                           struct event_base *loop, struct net **out_net)
{
    if (!options_sound(options))
        return PUNKT_INVALID;
    struct net *net = calloc(1, sizeof(*net));
    if (net == NULL)
        return PUNKT_NO_MEMORY;
    net->options = *options;
    net->handler = *handler;
    net->ctx = ctx;
    net->tls.psk = handler->psk;
    net->tls.ctx = ctx;
    net->loop = loop;
    net->slots = options->conns_max + options->unproven_max;
    net->turn = 1;
    net->accepting = true;
    net->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    net->fd_end = descriptors_end();
    list_init(&net->free_slots);
    list_init(&net->more);
    list_init(&net->stopped);
    list_init(&net->handshakes);
    list_init(&net->dirty);
    list_init(&net->dead);
    list_init(&net->unproven);
    wheel_init(&net->wheel, net_now_us(net));
    net->now_us = 0;
    enum punkt_status status =
        net->spare_fd < 0 ? PUNKT_IO : buffers_init(&net->buffers, options->pool_bytes);
    if (status == PUNKT_OK) {
        net->conns = calloc(net->slots, sizeof(net->conns[0]));
        if (net->conns == NULL || !start_events(net))
            status = PUNKT_NO_MEMORY;
    }
    if (status != PUNKT_OK) {
        net_free(net);
        return status;
    }
    *out_net = net;
    return PUNKT_OK;
}

enum punkt_status net_use_certificates(struct net *net, const struct net_certificates *files,
                                       struct failure *failure)
{
    SSL_CTX *context = NULL;
    enum punkt_status status = tls_shared_start(&net->tls);
    if (status == PUNKT_OK)
        status = tls_context_for_certificates(files, &context, failure);
    else
        failure_set(failure, "no memory for TLS");
    if (status == PUNKT_OK)
        tls_shared_use(&net->tls, NET_LISTEN_CERTIFICATE, context);
    return status;
}

void net_proven(struct net *net, struct net_conn_name name)
{
    struct conn *conn = conn_find(net, name);
    if (conn == NULL || conn->proven)
        return;
    link_leave(&conn->unproven);
    net->counts.unproven_now--;
    conn->proven = true;
    net->proven_now++;
    if (net->proven_now > net->options.conns_max) {
        net->counts.refused++;
        conn_close_after_output(conn);
    }
}

bool net_send(struct net *net, struct net_conn_name name, uint16_t type, uint16_t flags, uint64_t number,
              const void *body, size_t size, uint32_t answers)
{
    PUNKT_CHECK(size <= FRAME_BODY_MAX);
    struct conn *conn = conn_find(net, name);
    if (conn == NULL)
        return false;
    uint8_t header[FRAME_HEADER_SIZE];
    frame_put_header(header, (uint32_t)size, type, flags, number);
    if (!conn_append(conn, header, body, size))
        return false;
    /* Whoever answers a broken frame answers one that was never taken. */
    conn->in_flight -= answers < conn->in_flight ? answers : conn->in_flight;
    net->counts.frames_out++;
    conn_mark_dirty(conn);
    conn_go_on(conn);
    return true;
}

void net_close_after_output(struct net *net, struct net_conn_name name)
{
    struct conn *conn = conn_find(net, name);
    if (conn != NULL)
        conn_close_after_output(conn);
}

void net_slow_down(struct net *net, struct net_conn_name name, int64_t until_us)
{
    struct conn *conn = conn_find(net, name);
    if (conn == NULL || until_us <= net_now_us(net))
        return;
    conn->slowed = true;
    conn->slow_until_us = until_us;
    conn_watch(conn);
}

void net_pause(struct net *net)
{
    net->paused = true;
}

void net_resume(struct net *net)
{
    if (!net->paused)
        return;
    net->paused = false;
    net->resumed_us = net_now_us(net);
    struct link *next;
    for (struct link *link = net->stopped.next; link != &net->stopped; link = next) {
        next = link->next;
        conn_go_on(LINK_OWNER(link, struct conn, take));
    }
    wake_for_more(net);
}

void net_turn_end(struct net *net)
{
    struct link *link;
    net_expire(net);
    do {
        while ((link = list_shift(&net->dirty)) != NULL)
            conn_flush(LINK_OWNER(link, struct conn, flush));
        /* The handler's close may send to others; they are flushed before this ends. */
        while ((link = list_shift(&net->dead)) != NULL)
            conn_release(LINK_OWNER(link, struct conn, flush));
        conn_serve_pool(net);
    } while (!list_empty(&net->dirty) || !list_empty(&net->dead));
    listen_update(net);
    wake_for_more(net);
    net->turn++;
    net->now_us = 0;
}

const struct net_counts *net_counts(const struct net *net)
{
    return &net->counts;
}

void net_free(struct net *net)
{
    if (net == NULL)
        return;
    struct link *link;
    net_stop_listening(net);
    for (uint32_t i = 0; i < net->slots_used; i++)
        if (net->conns[i].state != CONN_FREE)
            conn_die(&net->conns[i]);
    while ((link = list_shift(&net->dead)) != NULL)
        conn_release(LINK_OWNER(link, struct conn, flush));
    if (net->tick != NULL)
        event_free(net->tick);
    if (net->again != NULL)
        event_free(net->again);
    if (net->greet != NULL)
        event_free(net->greet);
    tls_shared_done(&net->tls);
    buffers_done(&net->buffers);
    free(net->conns);
    if (net->spare_fd >= 0)
        (void)close(net->spare_fd);
    free(net);
}
