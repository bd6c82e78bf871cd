/*
 * How fast net takes frames and answers them, with nothing behind it: bench_net [connections [pipeline
 * [seconds]]]. A child process keeps `pipeline` requests of 64 bytes in flight on each connection.
 */
#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "net/net.h"

#define FRAME_BYTES 64
#define CONNECTIONS_MAX 10000
#define PIPELINE_MAX 64

struct bench {
    struct net *net;
    uint64_t turns;
};

static void *on_open(void *ctx, struct net_conn_name name, const struct net_peer *peer PUNKT_UNUSED)
{
    const struct bench *bench = ctx;
    struct net_conn_name *session = malloc(sizeof(*session));
    if (session == NULL)
        return NULL;
    *session = name;
    net_proven(bench->net, name);
    return session;
}

static enum net_verdict on_frame(void *ctx, void *session, const struct frame *frame)
{
    const struct bench *bench = ctx;
    const struct net_conn_name *name = session;
    (void)net_send(bench->net, *name, frame->type, 0, frame->number, frame->body, frame->body_size, 1);
    return NET_TAKEN;
}

static void on_broken(void *ctx PUNKT_UNUSED, void *session PUNKT_UNUSED,
                      const struct frame *frame PUNKT_UNUSED)
{
}

static void on_close(void *ctx PUNKT_UNUSED, void *session)
{
    free(session);
}

static double seconds_now(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int dial(const char *address)
{
    const struct sockaddr_in there = { .sin_family = AF_INET,
                                       .sin_port = htons((uint16_t)atoi(strrchr(address, ':') + 1)),
                                       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    const int on = 1;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&there, sizeof(there)) != 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0) {
        perror("dial");
        exit(EXIT_FAILURE);
    }
    return fd;
}

/* Sends as many frames as came back, on every connection, until the time is over. Returns how many. */
static uint64_t load(const char *address, int connections, int pipeline, double seconds)
{
    static char burst[PIPELINE_MAX * FRAME_BYTES];
    static struct epoll_event ready[CONNECTIONS_MAX];
    static size_t left_over[CONNECTIONS_MAX];
    static int fds[CONNECTIONS_MAX];
    uint64_t answered = 0;
    for (int i = 0; i < pipeline; i++)
        frame_put_header((uint8_t *)burst + i * FRAME_BYTES, FRAME_BYTES - FRAME_HEADER_SIZE, 1, 0, 1);
    const int epoll = epoll_create1(EPOLL_CLOEXEC);
    for (int i = 0; i < connections; i++) {
        struct epoll_event event = { .events = EPOLLIN, .data.u32 = (uint32_t)i };
        fds[i] = dial(address);
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, fds[i], &event) != 0)
            exit(EXIT_FAILURE);
    }
    const double end = seconds_now() + seconds;
    for (int i = 0; i < connections; i++)
        if (send(fds[i], burst, (size_t)pipeline * FRAME_BYTES, MSG_NOSIGNAL) < 0)
            exit(EXIT_FAILURE);
    while (seconds_now() < end) {
        const int count = epoll_wait(epoll, ready, connections, 1000);
        for (int i = 0; i < count; i++) {
            char answers[sizeof(burst)];
            const uint32_t at = ready[i].data.u32;
            const ssize_t got = recv(fds[at], answers, sizeof(answers), MSG_DONTWAIT);
            if (got <= 0)
                exit(EXIT_FAILURE);
            const size_t whole = (left_over[at] + (size_t)got) / FRAME_BYTES;
            left_over[at] = (left_over[at] + (size_t)got) % FRAME_BYTES;
            answered += whole;
            if (whole > 0 && send(fds[at], burst, whole * FRAME_BYTES, MSG_NOSIGNAL) < 0)
                exit(EXIT_FAILURE);
        }
    }
    return answered;
}

/* Serves until the last connection is gone. */
static void serve(struct bench *bench, struct event_base *loop)
{
    do {
        (void)event_base_loop(loop, EVLOOP_ONCE);
        net_turn_end(bench->net);
        bench->turns++;
    } while (net_counts(bench->net)->accepted == 0 || net_counts(bench->net)->open_now > 0);
}

static int argument(int argc, char **argv, int index, int fallback, int max)
{
    const int value = argc > index ? atoi(argv[index]) : fallback;
    return value < 1 || value > max ? fallback : value;
}

int main(int argc, char **argv)
{
    const int connections = argument(argc, argv, 1, 64, CONNECTIONS_MAX);
    const int pipeline = argument(argc, argv, 2, 1, PIPELINE_MAX);
    const int seconds = argument(argc, argv, 3, 3, 3600);
    static const struct net_handler handler = {
        .open = on_open, .frame = on_frame, .broken = on_broken, .close = on_close
    };
    const struct net_options options = net_options_default();
    struct bench bench = { 0 };
    char address[128];
    struct failure failure = { "" };
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
    struct event_base *loop = event_base_new();
    if (loop == NULL || net_open(&options, &handler, &bench, loop, &bench.net) != PUNKT_OK)
        return EXIT_FAILURE;
    if (net_listen(bench.net, NET_LISTEN_PLAIN, "127.0.0.1:0", address, sizeof(address), &failure) !=
        PUNKT_OK) {
        (void)fprintf(stderr, "%s\n", failure.text);
        return EXIT_FAILURE;
    }
    const pid_t child = fork();
    if (child == 0) {
        const uint64_t answered = load(address, connections, pipeline, seconds);
        (void)printf("%d connections, %d in flight each: %.0f messages/s\n", connections, pipeline,
                     (double)answered / seconds);
        (void)fflush(stdout);
        _exit(0);
    }
    if (child < 0)
        return EXIT_FAILURE;
    serve(&bench, loop);
    (void)waitpid(child, NULL, 0);
    (void)printf("%.1f messages a turn of the loop\n",
                 (double)net_counts(bench.net)->frames_in / (double)bench.turns);
    net_free(bench.net);
    event_base_free(loop);
    return EXIT_SUCCESS;
}
