#include "cli/load.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define CONNECT_US (10 * 1000 * 1000) /* until every connection got its first answer */
#define WARM_US (500 * 1000)
#define DRAIN_US (5 * 1000 * 1000)
#define SWEEP_US (250 * 1000) /* how often handles are asked whether they want something by themselves */
#define EVENTS 256
#define DESCRIPTORS_SPARE 64

enum phase { PHASE_CONNECT, PHASE_WARM, PHASE_MEASURE, PHASE_DRAIN };

struct connection;

/* A request in flight, or idle because its place in the window is taken by a doubt. */
struct flight {
    struct connection *connection;
    uint64_t sent_us;
};

struct connection {
    struct load *load;
    struct punkt *punkt;
    struct flight *flights;
    int fd;     /* as epoll knows it, -1 for none */
    int wanted; /* likewise */
    bool answered;
};

struct load {
    const struct load_options *options;
    struct load_result *result;
    struct connection *connections;
    struct flight *flights;
    int epoll;
    enum phase phase;
    uint64_t phase_began_us;
    uint64_t now_us;
    uint64_t random;
    uint64_t receipts;
    size_t run_size; /* of the part of the receipt number that is the run's */
    char receipt[PUNKT_CARD_MAX + 1];
    char card[LOAD_PREFIX_MAX + LOAD_CARD_DIGITS + 1];
};

static uint64_t clock_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* xorshift64*: cheap, and good enough to choose cards. */
static uint64_t next_random(struct load *load)
{
    load->random ^= load->random >> 12;
    load->random ^= load->random << 25;
    load->random ^= load->random >> 27;
    return load->random * UINT64_C(0x2545F4914F6CDD1D);
}

void load_card(const char *prefix, uint64_t index, char out[LOAD_PREFIX_MAX + LOAD_CARD_DIGITS + 1])
{
    size_t size = strlen(prefix);
    memcpy(out, prefix, size);
    for (size_t i = LOAD_CARD_DIGITS; i-- > 0; index /= 10)
        out[size + i] = (char)('0' + index % 10);
    out[size + LOAD_CARD_DIGITS] = '\0';
}

/* Writes a number in base 36 and NUL; returns its digits. */
static size_t put_base36(char *out, uint64_t number)
{
    char digits[16];
    size_t count = 0;
    do {
        digits[count++] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[number % 36];
        number /= 36;
    } while (number > 0);
    for (size_t i = 0; i < count; i++)
        out[i] = digits[count - 1 - i];
    out[count] = '\0';
    return count;
}

static void on_answer(struct punkt *punkt, const struct punkt_answer *answer, void *ctx);

static enum punkt_call submit_purchase(struct load *load, struct flight *flight)
{
    (void)put_base36(load->receipt + load->run_size, load->receipts++);
    struct punkt_purchase_request request = {
        .size = sizeof(request),
        .card = load->card,
        .amount = 100 + (int64_t)(next_random(load) % 20000),
        .receipt = load->receipt,
    };
    return punkt_submit_purchase(flight->connection->punkt, &request, on_answer, flight);
}

static void submit(struct flight *flight)
{
    struct load *load = flight->connection->load;
    struct punkt *punkt = flight->connection->punkt;
    struct punkt_card_show_request show = { .size = sizeof(show), .card = load->card };
    enum punkt_call call = PUNKT_CALL_INVALID;
    if (load->options->mix != LOAD_PING)
        load_card(load->options->prefix, next_random(load) % load->options->cards, load->card);
    flight->sent_us = load->now_us;
    switch (load->options->mix) {
    case LOAD_PURCHASE:
        call = submit_purchase(load, flight);
        break;
    case LOAD_BALANCE:
        call = punkt_submit_card_show(punkt, &show, on_answer, flight);
        break;
    case LOAD_PING:
        call = punkt_submit_ping(punkt, NULL, on_answer, flight);
        break;
    }
    if (call != PUNKT_CALL_DONE && load->phase == PHASE_MEASURE)
        load->result->errors++;
}

static void on_answer(struct punkt *punkt, const struct punkt_answer *answer, void *ctx)
{
    struct flight *flight = ctx;
    struct load *load = flight->connection->load;
    struct load_result *result = load->result;
    (void)punkt;
    load->now_us = clock_us();
    if (!flight->connection->answered && answer->call != PUNKT_CALL_NOT_SENT &&
        answer->call != PUNKT_CALL_UNKNOWN) {
        flight->connection->answered = true;
        result->connected++;
    }
    if (answer->code != PUNKT_RESULT_DONE)
        result->code = answer->code;
    if (load->phase == PHASE_MEASURE) {
        if (answer->call == PUNKT_CALL_DONE) {
            result->operations++;
            histogram_record(&result->latency_us, load->now_us - flight->sent_us);
        } else {
            result->errors++;
        }
    }
    if (load->phase != PHASE_DRAIN)
        submit(flight);
}

/* Tells epoll what the handle wants now. A new socket may have the number of the old one. */
static void watch(struct connection *connection, bool always)
{
    int fd = punkt_fd(connection->punkt);
    int wanted = punkt_wanted(connection->punkt);
    if (fd == connection->fd && wanted == connection->wanted && !always)
        return;
    connection->fd = fd;
    connection->wanted = wanted;
    if (fd < 0)
        return;
    struct epoll_event event = { .data.ptr = connection };
    if ((wanted & PUNKT_WANT_READ) != 0)
        event.events |= EPOLLIN;
    if ((wanted & PUNKT_WANT_WRITE) != 0)
        event.events |= EPOLLOUT;
    if (epoll_ctl(connection->load->epoll, EPOLL_CTL_MOD, fd, &event) != 0 && errno == ENOENT)
        (void)epoll_ctl(connection->load->epoll, EPOLL_CTL_ADD, fd, &event);
}

static void process(struct connection *connection)
{
    (void)punkt_process(connection->punkt); /* answers make new requests, and the same turn sends them */
    watch(connection, false);
}

static void sweep(struct load *load)
{
    for (unsigned i = 0; i < load->options->connections; i++) {
        (void)punkt_process(load->connections[i].punkt);
        watch(&load->connections[i], true);
    }
}

static unsigned unanswered(const struct load *load)
{
    unsigned count = 0;
    for (unsigned i = 0; i < load->options->connections; i++)
        count += punkt_unanswered(load->connections[i].punkt);
    return count;
}

static void enter(struct load *load, enum phase phase)
{
    load->phase = phase;
    load->phase_began_us = load->now_us;
}

/* Moves from phase to phase by the clock. False when all is over. */
static bool move_on(struct load *load)
{
    uint64_t in_phase_us = load->now_us - load->phase_began_us;
    switch (load->phase) {
    case PHASE_CONNECT:
        if (load->result->connected < load->options->connections)
            return in_phase_us < CONNECT_US;
        enter(load, PHASE_WARM);
        return true;
    case PHASE_WARM:
        if (in_phase_us >= WARM_US)
            enter(load, PHASE_MEASURE);
        return true;
    case PHASE_MEASURE:
        if (in_phase_us >= (uint64_t)load->options->seconds * 1000000) {
            load->result->elapsed_us = in_phase_us;
            enter(load, PHASE_DRAIN);
        }
        return true;
    case PHASE_DRAIN:
        break;
    }
    return in_phase_us < DRAIN_US && unanswered(load) > 0;
}

static void loop(struct load *load)
{
    struct epoll_event events[EVENTS];
    uint64_t swept_us = 0;
    load->now_us = clock_us();
    enter(load, PHASE_CONNECT);
    for (unsigned i = 0; i < load->options->connections; i++) {
        for (unsigned k = 0; k < load->options->pipeline; k++)
            submit(&load->connections[i].flights[k]);
    }
    while (move_on(load)) {
        if (load->now_us - swept_us >= SWEEP_US) {
            sweep(load);
            swept_us = load->now_us;
        }
        int count = epoll_wait(load->epoll, events, EVENTS, SWEEP_US / 1000);
        load->now_us = clock_us();
        for (int i = 0; i < count; i++)
            process(events[i].data.ptr);
    }
}

/* A thousand connections need more descriptors than many shells allow by default. */
static void raise_descriptors(unsigned wanted)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
        return;
    limit.rlim_cur = limit.rlim_max == RLIM_INFINITY || limit.rlim_max >= wanted ? wanted : limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

static bool start(struct load *load)
{
    const struct load_options *options = load->options;
    raise_descriptors(options->connections + DESCRIPTORS_SPARE);
    load->epoll = epoll_create1(EPOLL_CLOEXEC);
    load->connections = calloc(options->connections, sizeof(*load->connections));
    load->flights = calloc((size_t)options->connections * options->pipeline, sizeof(*load->flights));
    if (load->epoll < 0 || load->connections == NULL || load->flights == NULL)
        return false;
    if (getrandom(&load->random, sizeof(load->random), 0) != (ssize_t)sizeof(load->random))
        return false;
    load->random |= 1;
    load->run_size = put_base36(load->receipt, load->random);
    load->receipt[load->run_size++] = '-';
    for (unsigned i = 0; i < options->connections; i++) {
        struct connection *connection = &load->connections[i];
        struct punkt_options handle = {
            .size = sizeof(handle),
            .server = options->server,
            .identity = options->identity,
            .timeout_ms = options->timeout_ms,
            .window = options->pipeline,
            .software = "punkt bench",
        };
        connection->load = load;
        connection->fd = -1;
        connection->flights = &load->flights[(size_t)i * options->pipeline];
        for (unsigned k = 0; k < options->pipeline; k++)
            connection->flights[k].connection = connection;
        if (punkt_new(&handle, &connection->punkt) != PUNKT_CALL_DONE)
            return false;
    }
    return true;
}

static void stop(struct load *load)
{
    for (unsigned i = 0; load->connections != NULL && i < load->options->connections; i++)
        punkt_free(load->connections[i].punkt);
    if (load->epoll >= 0)
        (void)close(load->epoll);
    free(load->flights);
    free(load->connections);
}

enum load_end load_run(const struct load_options *options, struct load_result *out_result)
{
    struct load load = { .options = options, .result = out_result, .epoll = -1 };
    enum load_end end = LOAD_FAILED;
    memset(out_result, 0, sizeof(*out_result));
    if (start(&load)) {
        loop(&load);
        end = out_result->connected == options->connections ? LOAD_DONE : LOAD_UNREACHABLE;
    } else {
        out_result->failure = errno;
    }
    stop(&load);
    return end;
}
