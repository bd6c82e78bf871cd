/*
 * The server: service, points and ledger, with a folder, and connections that net.c makes. Each request is
 * answered and * durable before the next is heard.
 */
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ops/programme_reader.h"
#include "service/service.h"
#include "sim.h"

#define CONNS_MAX 128u
#define PATIENCE_MS 60000 /* of this machine, for its disk */
#define COPY_BYTES 65536u

static const char *const rooms[] = { "journal", "state" };

struct client {
    struct session *session; /* NULL: none */
    uint8_t *bytes;
    size_t size;
};

static struct server {
    char dir[128];
    unsigned life; /* which of its lives this is; the folder's name says it */
    struct ledger *ledger;
    struct service *service;
    struct client clients[CONNS_MAX];
    bool answered;
} server;

static void fatal(void *ctx, const char *what)
{
    (void)ctx;
    (void)fprintf(stderr, "fatal: %s\n", what);
    abort();
}

static void keep_proven(void *ctx, uint64_t conn)
{
    (void)ctx;
    (void)conn;
}

static void send_answer(void *ctx, uint64_t conn, uint16_t type, uint16_t flags, uint64_t number,
                        const void *body, size_t size)
{
    uint8_t *frame = malloc(FRAME_HEADER_SIZE + size);
    (void)ctx;
    assert_non_null(frame);
    frame_put_header(frame, (uint32_t)size, type, flags, number);
    if (size > 0)
        memcpy(frame + FRAME_HEADER_SIZE, body, size);
    sim_note("server: to %u type %04x flags %x number %llu, %zu bytes", (unsigned)conn, type, flags,
             (unsigned long long)number, size);
    net_answer((unsigned)conn, frame, FRAME_HEADER_SIZE + size);
    free(frame);
    server.answered = true;
}

static bool read_programme(struct text text, struct programme *out, struct failure *failure)
{
    struct problems problems = { .count = 0 };
    if (programme_read(text, "programme", out, &problems) == PUNKT_OK)
        return true;
    failure_set(failure, "%s", problems.count > 0 ? problems.texts[0] : "it cannot be read");
    return false;
}

/* --- turns --- */

static void turn(void)
{
    (void)service_turn(server.service);
    ledger_turn_end(server.ledger);
}

static void wait_for_threads(void)
{
    struct pollfd fd = { .fd = ledger_fd(server.ledger), .events = POLLIN };
    assert_true(service_has_work(server.service) || poll(&fd, 1, PATIENCE_MS) > 0);
    ledger_process(server.ledger);
    turn();
}

/* Until nothing waits for the disk. */
static void settle(void)
{
    while (!server.answered || !service_is_idle(server.service) ||
           ledger_durable(server.ledger) < ledger_end(server.ledger))
        wait_for_threads();
}

/* --- life --- */

static void start(void)
{
    struct failure failure = { { 0 } };
    struct ledger_recovery recovery;
    struct ledger_options ledger = { .dir = server.dir,
                                     .segment_bytes = 8 << 20,
                                     .reserve_bytes = 1,
                                     .map_bytes = UINT64_C(64) << 20,
                                     .layer_records = 10000,
                                     .layer_bytes = 4 << 20,
                                     .checkpoint_ms = 3600 * 1000,
                                     .fatal = fatal };
    if (ledger_open(&ledger, &server.ledger, &recovery, &failure) != PUNKT_OK)
        fail_msg("%s", failure.text);
    struct service_options options = { .ledger = server.ledger,
                                       .link = { .send = send_answer, .proven = keep_proven },
                                       .limits = { .in_flight_max = 16 },
                                       .programmes = { .read = read_programme } };
    if (service_open(&options, &server.service, &failure) != PUNKT_OK)
        fail_msg("%s", failure.text);
    sim_note("server: starts, %llu events replayed", (unsigned long long)recovery.events);
    server.answered = true;
}

void server_start(void)
{
    start();
    turn();
    settle();
}

static void stop(void)
{
    struct failure failure = { { 0 } };
    net_server_gone();
    if (ledger_close(server.ledger, &failure) != PUNKT_OK)
        fail_msg("%s", failure.text);
    service_free(server.service);
    server.service = NULL;
    server.ledger = NULL;
}

bool server_is_up(void)
{
    return server.service != NULL;
}

void server_offline(unsigned points)
{
    struct failure failure = { { 0 } };
    char programme[512];
    (void)snprintf(programme, sizeof(programme),
                   "programme: shop\ncurrency: EUR\nzone: UTC\nbase:\n  - rule: spend\n    points: 1\n"
                   "    amount: 1.00\nredeem:\n  points: 1\n  worth: 1.00\n");
    if (points > 0)
        (void)snprintf(programme + strlen(programme), sizeof(programme) - strlen(programme),
                       "  offline:\n    card: %u\n    till: %u\n", points, 3 * points);
    (void)snprintf(programme + strlen(programme), sizeof(programme) - strlen(programme), "...\n");
    if (service_publish(server.service, text_of(programme), &failure) != PUNKT_OK)
        fail_msg("%s", failure.text);
    turn();
    settle();
}

static void name_dir(void)
{
    (void)snprintf(server.dir, sizeof(server.dir), "%s/server-%u", sim.folder, server.life);
    assert_int_equal(mkdir(server.dir, 0700), 0);
}

void server_make(void)
{
    server = (struct server){ .life = 1 };
    name_dir();
    start(); /* a turn needs a programme */
    server_offline(2000);
}

void server_end(void)
{
    if (server_is_up())
        stop();
}

/* --- a crash --- */

static void copy_file(const char *from, const char *to)
{
    static uint8_t bytes[COPY_BYTES];
    static const uint8_t zeros[COPY_BYTES];
    int in = open(from, O_RDONLY | O_CLOEXEC), out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    off_t at = 0;
    ssize_t got;
    assert_true(in >= 0 && out >= 0);
    for (; (got = read(in, bytes, sizeof(bytes))) > 0; at += got) {
        if (memcmp(bytes, zeros, (size_t)got) != 0)
            assert_int_equal(pwrite(out, bytes, (size_t)got, at), got);
    }
    assert_int_equal(ftruncate(out, at), 0);
    (void)close(in);
    (void)close(out);
}

static void copy_folder(const char *from, const char *to, bool move)
{
    char source[512], target[512];
    DIR *folder = opendir(from);
    assert_non_null(folder);
    if (!move)
        assert_int_equal(mkdir(to, 0700), 0);
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        (void)snprintf(source, sizeof(source), "%s/%s", from, entry->d_name);
        (void)snprintf(target, sizeof(target), "%s/%s", to, entry->d_name);
        if (move)
            assert_int_equal(unlink(source), 0);
        else
            copy_file(source, target);
    }
    (void)closedir(folder);
    if (move)
        assert_int_equal(rmdir(from), 0);
}

/* What is durable now is what the next life finds; the stop of this one is thrown away. */
void server_crash(void)
{
    char old[128], from[256], to[256];
    sim_note("server: dies");
    (void)snprintf(old, sizeof(old), "%s", server.dir);
    server.life++;
    name_dir();
    for (size_t i = 0; i < sizeof(rooms) / sizeof(rooms[0]); i++) {
        (void)snprintf(from, sizeof(from), "%s/%s", old, rooms[i]);
        (void)snprintf(to, sizeof(to), "%s/%s", server.dir, rooms[i]);
        copy_folder(from, to, false);
    }
    stop();
    for (size_t i = 0; i < sizeof(rooms) / sizeof(rooms[0]); i++) {
        (void)snprintf(from, sizeof(from), "%s/%s", old, rooms[i]);
        copy_folder(from, "", true);
    }
}

/* --- connections --- */

void server_open_conn(unsigned conn)
{
    static const struct service_peer local = { .proof = SERVICE_PROOF_LOCAL, .source = "here" };
    struct client *client = &server.clients[conn];
    client->session = service_connected(server.service, conn, &local);
    assert_non_null(client->session);
    client->bytes = malloc(FRAME_HEADER_SIZE + FRAME_BODY_MAX + COPY_BYTES);
    assert_non_null(client->bytes);
    client->size = 0;
}

void server_close_conn(unsigned conn)
{
    struct client *client = &server.clients[conn];
    service_disconnected(server.service, client->session);
    free(client->bytes);
    *client = (struct client){ .session = NULL };
}

static void hear_frame(unsigned conn, const struct frame *frame)
{
    sim_note("server: from %u type %04x flags %x number %llu, %u bytes", conn, frame->type, frame->flags,
             (unsigned long long)frame->number, (unsigned)frame->body_size);
    server.answered = false;
    while (service_frame(server.service, server.clients[conn].session, frame) != SERVICE_TAKEN)
        wait_for_threads();
    turn();
    settle();
}

void server_hear(unsigned conn, const void *bytes, size_t size)
{
    struct client *client = &server.clients[conn];
    struct frame frame;
    size_t wanted, at = 0;
    assert_true(client->size + size <= FRAME_HEADER_SIZE + FRAME_BODY_MAX + COPY_BYTES);
    memcpy(client->bytes + client->size, bytes, size);
    client->size += size;
    while (client->size > at) {
        enum frame_split split =
            frame_split(client->bytes + at, client->size - at, FRAME_BODY_MAX, &frame, &wanted);
        assert_int_not_equal(split, FRAME_BROKEN); /* no till sends such */
        if (split != FRAME_WHOLE)
            break;
        hear_frame(conn, &frame);
        at += wanted;
    }
    memmove(client->bytes, client->bytes + at, client->size - at);
    client->size -= at;
}
