/*
 * The net: connections from tills to the server. What is sent comes in pieces, later, or not at all; a
 * connection breaks with what is under way, or falls silent; a server that is away refuses.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/machine.h"
#include "sim.h"

#define CONNS_MAX 128u
#define FD_FIRST (1 << 20) /* no descriptor of this process */
#define DELAY_US 3000u
#define SERVER_PATIENCE_US (180 * SIM_SECOND_US)
#define ACCEPTED_MAX 65536u /* bytes under way, then the sender waits */

struct piece {
    struct piece *next;
    uint64_t due_us;
    size_t at, size;
    uint8_t bytes[];
};

/* One direction. */
struct way {
    struct piece *first, *last;
    size_t size;
};

struct conn {
    bool client, server; /* whose end is open; neither: the slot is free */
    bool opened;         /* at the server, now or before */
    bool silent;         /* nothing arrives any more */
    int error;           /* what the client is told; 0: the connection is or will be fine */
    uint64_t connect_us; /* when it is, or is known not to be; UINT64_MAX: never */
    uint64_t break_us;   /* UINT64_MAX: never */
    uint64_t end_us;     /* when the server learns of its end; UINT64_MAX: there is none yet */
    struct way up, down;
};

static struct conn conns[CONNS_MAX];

/* --- what is under way --- */

static void way_clear(struct way *way)
{
    for (struct piece *piece = way->first; piece != NULL;) {
        struct piece *next = piece->next;
        free(piece);
        piece = next;
    }
    *way = (struct way){ .size = 0 };
}

static void way_add(struct way *way, const uint8_t *bytes, size_t size)
{
    while (size > 0) {
        size_t part = sim_chance(3) ? 1 + (size_t)sim_below(size) : size;
        struct piece *piece = malloc(sizeof(*piece) + part);
        assert_non_null(piece);
        uint64_t due_us = sim.now_us + 100 + sim_below(sim_chance(20) ? 100 * DELAY_US : DELAY_US);
        if (way->last != NULL && way->last->due_us > due_us)
            due_us = way->last->due_us;
        *piece = (struct piece){ .due_us = due_us, .size = part };
        memcpy(piece->bytes, bytes, part);
        *(way->last != NULL ? &way->last->next : &way->first) = piece;
        way->last = piece;
        way->size += part;
        bytes += part;
        size -= part;
    }
}

static bool way_due(const struct way *way)
{
    return way->first != NULL && way->first->due_us <= sim.now_us;
}

/* Of the first piece, which is due. */
static size_t way_take(struct way *way, void *out, size_t size)
{
    struct piece *piece = way->first;
    if (size > piece->size - piece->at)
        size = piece->size - piece->at;
    memcpy(out, piece->bytes + piece->at, size);
    piece->at += size;
    way->size -= size;
    if (piece->at == piece->size) {
        way->first = piece->next;
        if (way->first == NULL)
            way->last = NULL;
        free(piece);
    }
    return size;
}

/* --- connections --- */

static unsigned index_of(const struct conn *conn)
{
    return (unsigned)(conn - conns);
}

static void end_server(struct conn *conn)
{
    if (conn->server)
        server_close_conn(index_of(conn));
    conn->server = false;
    way_clear(&conn->up);
    if (!conn->client)
        way_clear(&conn->down);
}

/* What is under way is lost; the client hears of it now, the server some time. */
static void break_conn(struct conn *conn)
{
    sim_note("net: connection %u breaks", index_of(conn));
    way_clear(&conn->up);
    if (sim_chance(2))
        way_clear(&conn->down);
    conn->break_us = UINT64_MAX;
    conn->error = sim_chance(2) ? ECONNRESET : EPIPE;
    conn->end_us = sim.now_us + sim_below(5 * SIM_SECOND_US);
}

static void fall_silent(struct conn *conn)
{
    sim_note("net: connection %u falls silent", index_of(conn));
    way_clear(&conn->up);
    way_clear(&conn->down);
    conn->break_us = UINT64_MAX;
    conn->silent = true;
    conn->end_us = sim.now_us + SERVER_PATIENCE_US;
}

static void open_conn(struct conn *conn)
{
    conn->opened = true;
    if (!server_is_up() || conn->error != 0) {
        conn->error = ECONNREFUSED;
        return;
    }
    conn->server = true;
    server_open_conn(index_of(conn));
}

static void conn_step(struct conn *conn)
{
    if (conn->client && !conn->opened && sim.now_us >= conn->connect_us)
        open_conn(conn);
    if (conn->server && sim.now_us >= conn->break_us) {
        if (sim_chance(4))
            fall_silent(conn);
        else
            break_conn(conn);
    }
    while (conn->server && way_due(&conn->up)) {
        uint8_t bytes[4096];
        size_t size = way_take(&conn->up, bytes, sizeof(bytes));
        server_hear(index_of(conn), bytes, size);
    }
    if (conn->server && sim.now_us >= conn->end_us)
        end_server(conn);
}

void net_step(void)
{
    for (unsigned i = 0; i < CONNS_MAX; i++)
        conn_step(&conns[i]);
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t conn_due_us(const struct conn *conn)
{
    uint64_t due_us = UINT64_MAX;
    if (conn->client && !conn->opened)
        due_us = conn->connect_us;
    if (conn->server)
        due_us = earlier(due_us, earlier(conn->break_us, conn->end_us));
    if (conn->server && conn->up.first != NULL)
        due_us = earlier(due_us, conn->up.first->due_us);
    return due_us;
}

uint64_t net_due_us(void)
{
    uint64_t due_us = UINT64_MAX;
    for (unsigned i = 0; i < CONNS_MAX; i++)
        due_us = earlier(due_us, conn_due_us(&conns[i]));
    return due_us;
}

void net_answer(unsigned conn, const void *bytes, size_t size)
{
    if (conns[conn].client && !conns[conn].silent && conns[conn].error == 0)
        way_add(&conns[conn].down, bytes, size);
}

void net_server_gone(void)
{
    for (unsigned i = 0; i < CONNS_MAX; i++) {
        struct conn *conn = &conns[i];
        if (!conn->server)
            continue;
        if (!conn->silent)
            break_conn(conn);
        end_server(conn);
    }
}

void net_clear(void)
{
    for (unsigned i = 0; i < CONNS_MAX; i++) {
        end_server(&conns[i]);
        way_clear(&conns[i].down);
        conns[i] = (struct conn){ .client = false };
    }
}

/* --- the client's end --- */

static struct conn *conn_of(int fd)
{
    assert_true(fd >= FD_FIRST && fd < FD_FIRST + (int)CONNS_MAX);
    return &conns[fd - FD_FIRST];
}

static void choose_fate(struct conn *conn)
{
    conn->connect_us = sim.now_us + 100 + sim_below(DELAY_US);
    conn->break_us = conn->end_us = UINT64_MAX;
    if (sim.calm)
        return;
    if (sim_chance(20))
        conn->error = ECONNREFUSED;
    if (sim_chance(30))
        conn->connect_us = UINT64_MAX; /* nobody says anything */
    if (!sim_chance(3))
        conn->break_us = sim.now_us + sim_below(sim_chance(2) ? SIM_SECOND_US / 5 : 20 * SIM_SECOND_US);
}

int machine_connect(const struct address *address)
{
    (void)address;
    tills_maybe_die();
    for (unsigned i = 0; i < CONNS_MAX; i++) {
        struct conn *conn = &conns[i];
        if (conn->client || conn->server)
            continue;
        *conn = (struct conn){ .client = true };
        choose_fate(conn);
        return FD_FIRST + (int)i;
    }
    errno = EMFILE;
    return -1;
}

int machine_connected(int fd)
{
    const struct conn *conn = conn_of(fd);
    return conn->opened ? conn->error : EINPROGRESS;
}

ssize_t machine_receive(int fd, void *bytes, size_t size)
{
    struct conn *conn = conn_of(fd);
    tills_maybe_die();
    if (way_due(&conn->down))
        return (ssize_t)way_take(&conn->down, bytes, size);
    errno = conn->error != 0 ? conn->error : EAGAIN;
    return conn->error == EPIPE ? 0 : -1;
}

ssize_t machine_send(int fd, const void *bytes, size_t size)
{
    struct conn *conn = conn_of(fd);
    tills_maybe_die();
    if (conn->error != 0 || conn->up.size >= ACCEPTED_MAX) {
        errno = conn->error != 0 ? conn->error : EAGAIN;
        return -1;
    }
    if (sim_chance(10))
        size = 1 + (size_t)sim_below(size);
    if (!conn->silent)
        way_add(&conn->up, bytes, size);
    return (ssize_t)size;
}

void machine_close(int fd)
{
    struct conn *conn = conn_of(fd);
    conn->client = false;
    way_clear(&conn->down);
    if (conn->server && conn->end_us == UINT64_MAX)
        conn->end_us = sim.now_us + sim_below(SIM_SECOND_US);
}

static short ready_events(const struct pollfd *poll_fd)
{
    const struct conn *conn = conn_of(poll_fd->fd);
    unsigned events = 0;
    if (conn->opened && (conn->error != 0 || way_due(&conn->down)))
        events |= POLLIN;
    if (conn->opened && (conn->error != 0 || conn->up.size < ACCEPTED_MAX))
        events |= POLLOUT;
    return (short)(events & (unsigned)poll_fd->events);
}

int net_ready(struct pollfd *fds, unsigned count)
{
    int ready = 0;
    for (unsigned i = 0; i < count; i++) {
        fds[i].revents = fds[i].fd >= 0 ? ready_events(&fds[i]) : 0;
        ready += fds[i].revents != 0;
    }
    return ready;
}

uint64_t net_ready_us(const struct pollfd *fds, unsigned count)
{
    uint64_t due_us = UINT64_MAX;
    for (unsigned i = 0; i < count; i++) {
        const struct conn *conn = fds[i].fd >= 0 ? conn_of(fds[i].fd) : NULL;
        if (conn != NULL && conn->down.first != NULL)
            due_us = earlier(due_us, conn->down.first->due_us);
    }
    return due_us;
}
