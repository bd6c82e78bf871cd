#include "proxy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../unit/random.h"
#include "proto/frame.h"
#include "world.h"

#define PAIRS_MAX 128u
#define FLOW_BYTES (256u * 1024) /* of one direction, unsent; frames of these tests are far smaller */
#define LOST_MS 3000             /* then a connection that lost something is reset */
#define HOLD_MS 400              /* a frame is held up so long at most */
#define TURN_MS 20
#define RECORD_HEADER_SIZE 5u

enum fault {
    FAULT_DROP,
    FAULT_TWICE,
    FAULT_HOLD,
    FAULT_RESET,
    FAULT_CUT,
    FAULT_SILENT,
    FAULT_PIECES,
    FAULTS
};

static const char *const fault_names[FAULTS] = { "dropped", "sent twice", "held up",  "reset",
                                                 "cut",     "silent",     "in pieces" };

/* One direction of a connection. */
struct flow {
    uint8_t in[FLOW_BYTES]; /* received, not whole frames yet */
    size_t in_size;
    uint8_t out[FLOW_BYTES]; /* to be sent */
    size_t out_size;
    int64_t not_before_ms;
    bool ended; /* its sender has hung up */
};

struct pair {
    int fds[2];         /* of the till, of punktd; -1: free */
    struct flow *flows; /* what came from fds[i] and goes to the other */
    size_t piece;       /* bytes that are sent at once; 0: all there are */
    int64_t lost_since; /* a frame, or all since then; 0: nothing */
    bool silent;
    bool reset; /* as soon as what is to be sent is sent */
};

struct proxy {
    char target[128], address[64], report[256];
    bool tls;
    int listen_fd, wake_fd;
    struct random random;
    struct pair pairs[PAIRS_MAX];
    atomic_ullong faults[FAULTS];
    atomic_bool calm, stop;
    pthread_t thread;
};

/* --- sockets --- */

static void make_nonblocking(int fd)
{
    int one = 1;
    (void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)); /* not on Unix sockets */
}

static bool read_name(const char *target, struct sockaddr_in *out)
{
    char host[32];
    const char *colon = strrchr(target, ':');
    (void)snprintf(host, sizeof(host), "%.*s", (int)(colon - target), target);
    out->sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
    return inet_pton(AF_INET, host, &out->sin_addr) == 1;
}

/* -1: nobody is there. */
static int dial(const char *target)
{
    struct sockaddr_un unix_name = { .sun_family = AF_UNIX };
    struct sockaddr_in name = { .sin_family = AF_INET };
    bool is_unix = strncmp(target, "unix:", 5) == 0;
    const struct sockaddr *to = is_unix ? (struct sockaddr *)&unix_name : (struct sockaddr *)&name;
    if (is_unix)
        (void)snprintf(unix_name.sun_path, sizeof(unix_name.sun_path), "%s", target + 5);
    else if (!read_name(target, &name))
        return -1;
    int fd = socket(to->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, to, is_unix ? sizeof(unix_name) : sizeof(name)) != 0) {
        (void)close(fd);
        fd = -1;
    }
    return fd;
}

static void hang_up(struct pair *pair, bool reset)
{
    struct linger now = { .l_onoff = 1 };
    for (int i = 0; i < 2; i++) {
        if (reset)
            (void)setsockopt(pair->fds[i], SOL_SOCKET, SO_LINGER, &now, sizeof(now));
        (void)close(pair->fds[i]);
        pair->fds[i] = -1;
    }
    free(pair->flows);
    pair->flows = NULL;
}

/* --- faults --- */

static bool happens(struct proxy *proxy, enum fault fault, unsigned of_1000)
{
    if (atomic_load(&proxy->calm) || random_below(&proxy->random, 1000) >= of_1000)
        return false;
    (void)atomic_fetch_add(&proxy->faults[fault], 1);
    return true;
}

static void pass(struct flow *flow, const uint8_t *bytes, size_t size)
{
    if (size > sizeof(flow->out) - flow->out_size)
        size = sizeof(flow->out) - flow->out_size; /* a cut frame: the peer gives it up */
    memcpy(flow->out + flow->out_size, bytes, size);
    flow->out_size += size;
}

/* TCP does not lose frames: where one is lost the connection ends, but only after a while. */
static void lose(struct pair *pair)
{
    if (pair->lost_since == 0)
        pair->lost_since = world_now_ms();
}

/* What becomes of a whole frame. */
static void judge(struct proxy *proxy, struct pair *pair, struct flow *flow, const uint8_t *frame,
                  size_t size)
{
    if (pair->silent || pair->reset)
        return;
    pair->silent = happens(proxy, FAULT_SILENT, 3);
    if (pair->silent || happens(proxy, FAULT_DROP, 12)) {
        lose(pair);
        return;
    }
    if (happens(proxy, FAULT_CUT, 6)) {
        pass(flow, frame, (size_t)random_below(&proxy->random, size));
        pair->reset = true;
        return;
    }
    if (happens(proxy, FAULT_HOLD, 20))
        flow->not_before_ms = world_now_ms() + (int64_t)random_below(&proxy->random, HOLD_MS);
    pass(flow, frame, size);
    if (happens(proxy, FAULT_TWICE, 8))
        pass(flow, frame, size);
    if (happens(proxy, FAULT_RESET, 8))
        pair->reset = true;
}

/* A record of TLS: its type, two bytes of a version, two of its size. False: it is not whole yet. */
static bool split_record(const uint8_t *bytes, size_t size, size_t *out_size)
{
    if (size < RECORD_HEADER_SIZE)
        return false;
    *out_size = RECORD_HEADER_SIZE + ((size_t)bytes[3] << 8 | bytes[4]);
    return size >= *out_size;
}

static bool split(const struct proxy *proxy, const uint8_t *bytes, size_t size, size_t *out_size)
{
    struct frame frame;
    if (proxy->tls)
        return split_record(bytes, size, out_size);
    return frame_split(bytes, size, FRAME_BODY_MAX, &frame, out_size) == FRAME_WHOLE;
}

static void take_frames(struct proxy *proxy, struct pair *pair, struct flow *flow)
{
    size_t size = 0, taken = 0;
    while (split(proxy, flow->in + taken, flow->in_size - taken, &size)) {
        judge(proxy, pair, flow, flow->in + taken, size);
        taken += size;
    }
    memmove(flow->in, flow->in + taken, flow->in_size - taken);
    flow->in_size -= taken;
}

/* --- a turn --- */

static void accept_one(struct proxy *proxy)
{
    struct pair *pair = proxy->pairs;
    int fd = accept4(proxy->listen_fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0)
        return;
    while (pair < proxy->pairs + PAIRS_MAX && pair->fds[0] >= 0)
        pair++;
    int server = pair < proxy->pairs + PAIRS_MAX ? dial(proxy->target) : -1;
    if (server < 0) {
        (void)close(fd);
        return;
    }
    *pair = (struct pair){ .fds = { fd, server }, .flows = calloc(2, sizeof(struct flow)) };
    if (pair->flows == NULL) {
        hang_up(pair, true);
        return;
    }
    make_nonblocking(fd);
    make_nonblocking(server);
    pair->silent = happens(proxy, FAULT_SILENT, 20);
    if (pair->silent)
        lose(pair);
    if (happens(proxy, FAULT_PIECES, 250))
        pair->piece = 1 + (size_t)random_below(&proxy->random, 24);
}

/* False: the connection is gone. */
static bool receive(struct proxy *proxy, struct pair *pair, int from)
{
    struct flow *flow = &pair->flows[from];
    size_t room = sizeof(flow->in) - flow->in_size;
    if (flow->ended || room == 0)
        return !flow->ended;
    ssize_t got = recv(pair->fds[from], flow->in + flow->in_size, room, 0);
    if (got < 0)
        return errno == EAGAIN || errno == EINTR;
    flow->ended = got == 0;
    flow->in_size += (size_t)got;
    take_frames(proxy, pair, flow);
    return true;
}

static bool send_some(struct pair *pair, int from)
{
    struct flow *flow = &pair->flows[from];
    size_t size = pair->piece != 0 && pair->piece < flow->out_size ? pair->piece : flow->out_size;
    if (size == 0 || world_now_ms() < flow->not_before_ms)
        return true;
    ssize_t sent = send(pair->fds[!from], flow->out, size, MSG_NOSIGNAL);
    if (sent < 0)
        return errno == EAGAIN || errno == EINTR;
    memmove(flow->out, flow->out + sent, flow->out_size - (size_t)sent);
    flow->out_size -= (size_t)sent;
    return true;
}

static void serve(struct proxy *proxy, struct pair *pair, const short events[2])
{
    bool good = true;
    for (int i = 0; good && i < 2; i++) {
        if ((events[i] & (POLLIN | POLLHUP | POLLERR)) != 0)
            good = receive(proxy, pair, i);
        if (good)
            good = send_some(pair, i);
    }
    bool all_sent = good && pair->flows[0].out_size == 0 && pair->flows[1].out_size == 0;
    bool given_up =
        pair->lost_since != 0 && (atomic_load(&proxy->calm) || world_now_ms() - pair->lost_since > LOST_MS);
    if (!good || given_up || (pair->reset && all_sent))
        hang_up(pair, pair->reset || given_up);
    else if (all_sent && !pair->silent && (pair->flows[0].ended || pair->flows[1].ended))
        hang_up(pair, false);
}

/* What to wait for on one side of a connection. */
static short wanted(const struct pair *pair, int side)
{
    const struct flow *from = &pair->flows[side], *to = &pair->flows[!side];
    bool due = to->out_size > 0 && world_now_ms() >= to->not_before_ms;
    return (short)((from->ended || from->in_size == sizeof(from->in) ? 0 : POLLIN) | (due ? POLLOUT : 0));
}

static void turn(struct proxy *proxy)
{
    struct pollfd polls[2 + 2 * PAIRS_MAX] = { { .fd = proxy->wake_fd, .events = POLLIN },
                                               { .fd = proxy->listen_fd, .events = POLLIN } };
    for (unsigned i = 0; i < PAIRS_MAX; i++) {
        for (int side = 0; side < 2; side++) {
            int fd = proxy->pairs[i].fds[side];
            short events = fd >= 0 ? wanted(&proxy->pairs[i], side) : 0;
            /* Nothing wanted: it is not looked at, or a side that hung up would wake us for ever. */
            polls[2 + 2 * i + side] = (struct pollfd){ .fd = events != 0 ? fd : -1, .events = events };
        }
    }
    (void)poll(polls, 2 + 2 * PAIRS_MAX, TURN_MS);
    for (unsigned i = 0; i < PAIRS_MAX; i++) {
        short events[2] = { polls[2 + 2 * i].revents, polls[3 + 2 * i].revents };
        if (proxy->pairs[i].fds[0] >= 0)
            serve(proxy, &proxy->pairs[i], events);
    }
    if ((polls[1].revents & POLLIN) != 0)
        accept_one(proxy);
}

static void *run(void *ctx)
{
    struct proxy *proxy = ctx;
    while (!atomic_load(&proxy->stop))
        turn(proxy);
    return NULL;
}

/* --- from outside --- */

static void listen_somewhere(struct proxy *proxy)
{
    struct sockaddr_in name = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t size = sizeof(name);
    proxy->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_true(proxy->listen_fd >= 0);
    assert_int_equal(bind(proxy->listen_fd, (struct sockaddr *)&name, sizeof(name)), 0);
    assert_int_equal(listen(proxy->listen_fd, PAIRS_MAX), 0);
    assert_int_equal(getsockname(proxy->listen_fd, (struct sockaddr *)&name, &size), 0);
    (void)snprintf(proxy->address, sizeof(proxy->address), "127.0.0.1:%u", (unsigned)ntohs(name.sin_port));
}

struct proxy *proxy_new(const char *target, bool tls, uint64_t seed)
{
    struct proxy *proxy = calloc(1, sizeof(*proxy));
    assert_non_null(proxy);
    (void)snprintf(proxy->target, sizeof(proxy->target), "%s", target);
    proxy->tls = tls;
    proxy->random = (struct random){ seed };
    for (unsigned i = 0; i < PAIRS_MAX; i++)
        proxy->pairs[i].fds[0] = proxy->pairs[i].fds[1] = -1;
    proxy->wake_fd = eventfd(0, EFD_CLOEXEC);
    assert_true(proxy->wake_fd >= 0);
    listen_somewhere(proxy);
    assert_int_equal(pthread_create(&proxy->thread, NULL, run, proxy), 0);
    return proxy;
}

void proxy_free(struct proxy *proxy)
{
    uint64_t one = 1;
    if (proxy == NULL)
        return;
    atomic_store(&proxy->stop, true);
    assert_int_equal(write(proxy->wake_fd, &one, sizeof(one)), sizeof(one));
    assert_int_equal(pthread_join(proxy->thread, NULL), 0);
    for (unsigned i = 0; i < PAIRS_MAX; i++) {
        if (proxy->pairs[i].fds[0] >= 0)
            hang_up(&proxy->pairs[i], false);
    }
    (void)close(proxy->listen_fd);
    (void)close(proxy->wake_fd);
    free(proxy);
}

const char *proxy_address(const struct proxy *proxy)
{
    return proxy->address;
}

void proxy_calm(struct proxy *proxy)
{
    atomic_store(&proxy->calm, true);
}

uint64_t proxy_faults(const struct proxy *proxy)
{
    uint64_t all = 0;
    for (int i = 0; i < FAULTS; i++)
        all += atomic_load(&proxy->faults[i]);
    return all;
}

const char *proxy_report(struct proxy *proxy)
{
    size_t size = 0;
    for (int i = 0; i < FAULTS; i++)
        size += (size_t)snprintf(proxy->report + size, sizeof(proxy->report) - size, "%s%s %llu",
                                 i == 0 ? "" : ", ", fault_names[i],
                                 (unsigned long long)atomic_load(&proxy->faults[i]));
    return proxy->report;
}
