/*
 * The mock's sockets: one poll loop. Within a turn, what was sent is received first, then commands are done, then
 * requests are decided: a command takes effect before whatever was sent after it was written.
 */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "cli/mock_parts.h"

#define RECEIVE_BYTES 65536
#define REORDER_MAX 64
#define SPLIT_PAUSE_MS 2 /* between pieces, so that they are seen as such */
#define FIXED_FDS 3      /* listener, input, wake */
#define COMMAND_MAX 65536

/* An answer on its way. */
struct chunk {
    struct chunk *next;
    uint64_t due_ms;
    size_t size, sent;
    size_t piece; /* so many bytes at a time; 0: as they go */
    uint8_t bytes[];
};

struct conn {
    int fd;
    bool dead;   /* freed at the end of the turn */
    bool closes; /* once everything is sent */
    struct mock_session session;
    uint8_t *in;
    size_t in_size, in_capacity;
    struct chunk *first;
    uint64_t change_due_ms; /* answers of changes keep their order */
};

/* An answer that waits for those it is to come after. */
struct kept {
    struct conn *conn;
    struct chunk *chunk;
};

struct mock_net {
    int listener; /* -1: not listening */
    char address[MOCK_ADDRESS_SIZE];
    struct sockaddr_storage name;
    socklen_t name_size;
    struct conn **conns;
    size_t conn_count, conn_capacity;
    struct pollfd *polled;
    bool silent;
    struct kept kept[REORDER_MAX];
    size_t kept_count, kept_wanted; /* wanted 0: answers are not kept */
    int input;                      /* -1: none */
    bool input_commands, input_ended;
    char line[COMMAND_MAX];
    size_t line_size, line_number;
};

static uint64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* --- listening --- */

static bool why_not(char *why, const char *what)
{
    (void)snprintf(why, MOCK_WHY_SIZE, "%s: %s", what, strerror(errno));
    return false;
}

static bool read_unix(struct mock_net *net, const char *path, char *why)
{
    struct sockaddr_un name = { .sun_family = AF_UNIX };
    if (*path == '\0' || strlen(path) >= sizeof(name.sun_path)) {
        (void)snprintf(why, MOCK_WHY_SIZE, "that is no path of a socket");
        return false;
    }
    memcpy(name.sun_path, path, strlen(path) + 1);
    memcpy(&net->name, &name, sizeof(name));
    net->name_size = sizeof(name);
    (void)snprintf(net->address, sizeof(net->address), "unix:%s", path);
    return true;
}

static bool read_address(struct mock_net *net, const char *listen, char *why)
{
    char host[MOCK_ADDRESS_SIZE];
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV };
    struct addrinfo *found = NULL;
    if (strncmp(listen, "unix:", 5) == 0)
        return read_unix(net, listen + 5, why);
    (void)snprintf(host, sizeof(host), "%s", listen);
    char *colon = strrchr(host, ':');
    if (colon != NULL)
        *colon = '\0';
    size_t size = strlen(host);
    bool brackets = host[0] == '[' && host[size - 1] == ']';
    if (brackets)
        host[size - 1] = '\0';
    if (colon == NULL || getaddrinfo(host + brackets, colon + 1, &hints, &found) != 0) {
        (void)snprintf(why, MOCK_WHY_SIZE, "\"%s\" is not HOST:PORT with numbers, nor unix:PATH", listen);
        return false;
    }
    memcpy(&net->name, found->ai_addr, found->ai_addrlen);
    net->name_size = found->ai_addrlen;
    freeaddrinfo(found);
    return true;
}

/* Where it listens in the end: the port may have been any. */
static void write_address(struct mock_net *net)
{
    char host[NI_MAXHOST];
    char port[NI_MAXSERV];
    if (net->name.ss_family == AF_UNIX)
        return;
    net->name_size = sizeof(net->name);
    (void)getsockname(net->listener, (struct sockaddr *)&net->name, &net->name_size);
    (void)getnameinfo((struct sockaddr *)&net->name, net->name_size, host, sizeof(host), port, sizeof(port),
                      NI_NUMERICHOST | NI_NUMERICSERV);
    bool brackets = net->name.ss_family == AF_INET6;
    (void)snprintf(net->address, sizeof(net->address), "%s%.80s%s:%.8s", brackets ? "[" : "", host,
                   brackets ? "]" : "", port);
}

static bool listen_now(struct mock_net *net, char *why)
{
    const int on = 1;
    net->listener = socket(net->name.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (net->listener < 0)
        return why_not(why, "socket");
    (void)setsockopt(net->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(net->listener, (struct sockaddr *)&net->name, net->name_size) == 0 &&
        listen(net->listener, SOMAXCONN) == 0) {
        write_address(net);
        return true;
    }
    (void)why_not(why, "listen");
    (void)close(net->listener);
    net->listener = -1;
    return false;
}

static void listen_stop(struct mock_net *net)
{
    if (net->listener < 0)
        return;
    (void)close(net->listener);
    net->listener = -1;
    if (net->name.ss_family == AF_UNIX)
        (void)unlink(net->address + strlen("unix:"));
}

bool mock_net_open(struct mock *mock, const char *listen, char out_why[MOCK_WHY_SIZE])
{
    struct mock_net *net = calloc(1, sizeof(*net));
    if (net == NULL)
        return why_not(out_why, "the mock");
    net->listener = -1;
    net->input = -1;
    mock->net = net;
    return read_address(net, listen, out_why) && listen_now(net, out_why);
}

/* --- connections --- */

static bool conn_new(struct mock_net *net, int fd)
{
    if (net->conn_count == net->conn_capacity) {
        size_t capacity = net->conn_capacity * 2 + 16;
        struct conn **conns = realloc(net->conns, capacity * sizeof(struct conn *));
        if (conns != NULL)
            net->conns = conns;
        struct pollfd *polled = realloc(net->polled, (capacity + FIXED_FDS) * sizeof(struct pollfd));
        if (polled != NULL)
            net->polled = polled;
        if (conns == NULL || polled == NULL)
            return false;
        net->conn_capacity = capacity;
    }
    struct conn *conn = calloc(1, sizeof(*conn));
    if (conn == NULL)
        return false;
    conn->fd = fd;
    net->conns[net->conn_count++] = conn;
    return true;
}

static void accept_all(struct mock_net *net)
{
    const int on = 1;
    for (;;) {
        int fd = accept4(net->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0)
            return;
        if (net->name.ss_family != AF_UNIX)
            (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        if (!conn_new(net, fd))
            (void)close(fd);
    }
}

static void conn_free(struct conn *conn)
{
    (void)close(conn->fd);
    while (conn->first != NULL) {
        struct chunk *chunk = conn->first;
        conn->first = chunk->next;
        free(chunk);
    }
    free(conn->in);
    free(conn);
}

/* Sends what is due. */
static void conn_write(struct conn *conn, uint64_t now)
{
    while (conn->first != NULL && conn->first->due_ms <= now && !conn->dead) {
        struct chunk *chunk = conn->first;
        size_t size = chunk->size - chunk->sent;
        if (chunk->piece > 0 && size > chunk->piece)
            size = chunk->piece;
        ssize_t sent = send(conn->fd, chunk->bytes + chunk->sent, size, MSG_NOSIGNAL);
        if (sent < 0) {
            conn->dead = errno != EAGAIN && errno != EINTR;
            return;
        }
        chunk->sent += (size_t)sent;
        if (chunk->sent == chunk->size) {
            conn->first = chunk->next;
            free(chunk);
        } else if (chunk->piece > 0) {
            chunk->due_ms = now + SPLIT_PAUSE_MS;
        }
    }
    conn->dead = conn->dead || (conn->closes && conn->first == NULL);
}

/* Into the order of what is due; what has begun stays first. */
static void conn_add(struct conn *conn, struct chunk *chunk)
{
    struct chunk **link = &conn->first;
    while (*link != NULL && ((*link)->due_ms <= chunk->due_ms || (*link)->sent > 0))
        link = &(*link)->next;
    chunk->next = *link;
    *link = chunk;
}

/* All that were kept leave, the last first. */
static void kept_release(struct mock_net *net)
{
    net->kept_wanted = 0;
    while (net->kept_count > 0) {
        struct kept *kept = &net->kept[--net->kept_count];
        kept->chunk->due_ms = 0;
        conn_add(kept->conn, kept->chunk);
    }
}

/* A connection ends: the others are not to wait for its answers. */
static void kept_forget(struct mock_net *net, const struct conn *conn)
{
    size_t left = 0;
    for (size_t i = 0; i < net->kept_count; i++) {
        if (net->kept[i].conn == conn)
            free(net->kept[i].chunk);
        else
            net->kept[left++] = net->kept[i];
    }
    net->kept_wanted -= net->kept_count - left;
    net->kept_count = left;
    if (left > 0 && left == net->kept_wanted)
        kept_release(net);
}

static void conns_reap(struct mock_net *net)
{
    size_t left = 0;
    for (size_t i = 0; i < net->conn_count; i++) {
        if (!net->conns[i]->dead) {
            net->conns[left++] = net->conns[i];
            continue;
        }
        kept_forget(net, net->conns[i]);
        conn_free(net->conns[i]);
    }
    net->conn_count = left;
}

void mock_net_close(struct mock *mock)
{
    struct mock_net *net = mock->net;
    if (net == NULL)
        return;
    for (size_t i = 0; i < net->conn_count; i++)
        net->conns[i]->dead = true;
    conns_reap(net);
    listen_stop(net);
    free(net->conns);
    free(net->polled);
    free(net);
}

/* --- requests --- */

/* What rules make of the way of an answer. */
struct way {
    uint64_t delay_ms;
    size_t piece;
    bool twice, garbled, change, reordered;
};

static struct way way_of(struct mock *mock, const struct mock_request *request)
{
    const struct mock_line *delay = mock_rule_take(mock, MOCK_DELAY, request);
    const struct mock_line *split = mock_rule_take(mock, MOCK_SPLIT, request);
    return (struct way){ .delay_ms = delay != NULL ? delay->number : 0,
                         .piece = split != NULL ? (size_t)split->number : 0,
                         .twice = mock_rule_take(mock, MOCK_DUPLICATE, request) != NULL,
                         .garbled = mock_rule_take(mock, MOCK_GARBLE, request) != NULL,
                         .change = request->row != NULL && request->row->kind == OPERATION_KIND_CHANGE,
                         .reordered = request->row != NULL && request->row->code != OPERATION_HELLO };
}

/* The bytes of an answer; NULL: no memory. */
static struct chunk *chunk_of(const struct mock *mock, uint64_t number, const struct mock_reply *reply,
                              const struct way *way)
{
    size_t size = FRAME_HEADER_SIZE + reply->body_size;
    struct chunk *chunk = calloc(1, sizeof(*chunk) + 2 * size);
    if (chunk == NULL)
        return NULL;
    frame_put_header(chunk->bytes, (uint32_t)reply->body_size, reply->type, reply->flags, number);
    memcpy(chunk->bytes + FRAME_HEADER_SIZE, mock->bytes, reply->body_size);
    /* Garbled: every bit of the body is wrong, or of the type where there is none. */
    size_t from = reply->body_size > 0 ? FRAME_HEADER_SIZE : 4;
    size_t to = reply->body_size > 0 ? size : 6;
    for (size_t i = from; way->garbled && i < to; i++)
        chunk->bytes[i] ^= 0xFF;
    if (way->twice)
        memcpy(chunk->bytes + size, chunk->bytes, size);
    chunk->size = way->twice ? 2 * size : size;
    chunk->piece = way->piece;
    return chunk;
}

static void conn_answer(struct mock *mock, struct conn *conn, uint64_t number, const struct mock_reply *reply,
                        const struct way *way)
{
    struct mock_net *net = mock->net;
    struct chunk *chunk = chunk_of(mock, number, reply, way);
    if (chunk == NULL) {
        conn->dead = true;
        return;
    }
    chunk->due_ms = way->delay_ms > 0 ? now_ms() + way->delay_ms : 0;
    if (way->change && chunk->due_ms < conn->change_due_ms)
        chunk->due_ms = conn->change_due_ms;
    if (way->change)
        conn->change_due_ms = chunk->due_ms;
    if (net->kept_wanted == 0 || !way->reordered) {
        conn_add(conn, chunk);
        return;
    }
    net->kept[net->kept_count++] = (struct kept){ conn, chunk };
    if (net->kept_count == net->kept_wanted)
        kept_release(net);
}

/* Closes, now: what was answered before is on its way. */
static void conn_drop(struct conn *conn)
{
    conn_write(conn, now_ms());
    conn->dead = true;
}

static void conn_frame(struct mock *mock, struct conn *conn, const struct frame *frame)
{
    struct mock_request request;
    struct mock_reply reply;
    mock_request_look(mock, frame, &request);
    if (mock_rule_take(mock, MOCK_DROP_BEFORE, &request) != NULL) {
        conn_drop(conn);
        return;
    }
    bool drop = mock_rule_take(mock, MOCK_DROP_AFTER, &request) != NULL;
    struct way way = way_of(mock, &request);
    mock_request_take(mock, &conn->session, &request, &reply);
    if (drop)
        conn_drop(conn);
    else
        conn_answer(mock, conn, frame->number, &reply, &way);
}

/* Decides every whole frame that was received. */
static void conn_frames(struct mock *mock, struct conn *conn)
{
    size_t used = 0;
    while (!conn->dead && !conn->closes) {
        struct frame frame;
        struct mock_reply reply;
        size_t wanted;
        uint32_t body_max = conn->session.hello_said ? FRAME_BODY_MAX : FRAME_BODY_MAX_BEFORE_HELLO;
        enum frame_split split =
            frame_split(conn->in + used, conn->in_size - used, body_max, &frame, &wanted);
        if (split == FRAME_NEED_MORE)
            break;
        if (split == FRAME_WHOLE) {
            conn_frame(mock, conn, &frame);
            used += wanted;
            continue;
        }
        mock_frame_broken(mock, &frame, &reply);
        conn_answer(mock, conn, frame.number, &reply, &(struct way){ .delay_ms = 0 });
        conn->closes = true;
    }
    if (used > 0)
        memmove(conn->in, conn->in + used, conn->in_size - used);
    conn->in_size -= used;
}

static void conn_read(struct conn *conn)
{
    if (conn->in_capacity - conn->in_size < RECEIVE_BYTES) {
        size_t capacity = conn->in_size * 2 + RECEIVE_BYTES;
        uint8_t *more = realloc(conn->in, capacity);
        if (more == NULL) {
            conn->dead = true;
            return;
        }
        conn->in = more;
        conn->in_capacity = capacity;
    }
    ssize_t got = recv(conn->fd, conn->in + conn->in_size, RECEIVE_BYTES, 0);
    if (got > 0)
        conn->in_size += (size_t)got;
    else
        conn->dead = got == 0 || (errno != EAGAIN && errno != EINTR);
}

/* --- commands --- */

void mock_net_command(struct mock *mock, const struct mock_line *line)
{
    struct mock_net *net = mock->net;
    char why[MOCK_WHY_SIZE];
    switch ((int)line->verb) {
    case MOCK_REORDER:
        kept_release(net);
        net->kept_wanted = (size_t)line->number;
        break;
    case MOCK_GO_SILENT:
    case MOCK_GO_ON:
        net->silent = line->verb == MOCK_GO_SILENT;
        break;
    case MOCK_STOP_LISTENING:
        listen_stop(net);
        break;
    case MOCK_LISTEN_AGAIN:
        if (net->listener < 0 && !listen_now(net, why))
            (void)fprintf(mock->options.err, "punkt: mock: %s\n", why);
        break;
    case MOCK_CLOSE_CONNECTIONS:
        for (size_t i = 0; i < net->conn_count; i++)
            conn_drop(net->conns[i]);
        break;
    default:
        break;
    }
}

static void input_line(struct mock *mock, char *line)
{
    struct mock_net *net = mock->net;
    char why[MOCK_WHY_SIZE];
    size_t column;
    net->line_number++;
    if (mock_command(mock, line, why, &column))
        return;
    (void)fprintf(mock->options.err, "punkt: mock: -:%zu:%zu: %s\n", net->line_number, column, why);
    (void)fflush(mock->options.err);
}

/* Does the commands that are there by now. */
static void input_read(struct mock *mock)
{
    struct mock_net *net = mock->net;
    while (net->input >= 0 && !net->input_ended) {
        if (net->line_size == sizeof(net->line) - 1)
            net->line_size = 0; /* no command is that long */
        ssize_t got = read(net->input, net->line + net->line_size, sizeof(net->line) - 1 - net->line_size);
        if (got < 0)
            return;
        net->input_ended = got == 0;
        net->line_size = net->input_commands ? net->line_size + (size_t)got : 0;
        net->line[net->line_size] = '\0';
        char *start = net->line;
        char *end;
        while ((end = strchr(start, '\n')) != NULL) {
            *end = '\0';
            input_line(mock, start);
            start = end + 1;
        }
        if (net->input_ended && *start != '\0')
            input_line(mock, start);
        net->line_size -= (size_t)(start - net->line);
        memmove(net->line, start, net->line_size);
    }
}

void mock_listen_to(struct mock *mock, int fd, bool commands)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags >= 0)
        (void)fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    mock->net->input = fd;
    mock->net->input_commands = commands;
}

bool mock_input_ended(const struct mock *mock)
{
    return mock->net->input_ended;
}

const char *mock_address(const struct mock *mock)
{
    return mock->net->address;
}

/* --- the loop --- */

/* What to wait for; returns the longest time in milliseconds. */
static int turn_prepare(struct mock_net *net, int wake_fd, int timeout_ms)
{
    uint64_t now = now_ms();
    net->polled[0] = (struct pollfd){ .fd = net->listener, .events = POLLIN };
    net->polled[1] = (struct pollfd){ .fd = net->input_ended ? -1 : net->input, .events = POLLIN };
    net->polled[2] = (struct pollfd){ .fd = wake_fd, .events = POLLIN };
    for (size_t i = 0; i < net->conn_count; i++) {
        const struct conn *conn = net->conns[i];
        bool due = conn->first != NULL && conn->first->due_ms <= now;
        net->polled[FIXED_FDS + i] = (struct pollfd){ .fd = net->silent ? -1 : conn->fd,
                                                      .events = (short)(POLLIN | (due ? POLLOUT : 0)) };
        if (conn->first == NULL || due || net->silent)
            continue;
        uint64_t left = conn->first->due_ms - now;
        if (timeout_ms < 0 || left < (uint64_t)timeout_ms)
            timeout_ms = left < INT32_MAX ? (int)left : INT32_MAX;
    }
    return timeout_ms;
}

bool mock_turn(struct mock *mock, int wake_fd, int timeout_ms)
{
    struct mock_net *net = mock->net;
    struct pollfd few[FIXED_FDS];
    size_t count = net->conn_count;
    bool owned = net->polled != NULL;
    if (!owned)
        net->polled = few; /* nobody has connected yet */
    int wait_ms = turn_prepare(net, wake_fd, timeout_ms);
    bool good = poll(net->polled, FIXED_FDS + count, wait_ms) >= 0 || errno == EINTR;
    for (size_t i = 0; good && i < count; i++) {
        if ((net->polled[FIXED_FDS + i].revents & (POLLIN | POLLHUP | POLLERR)) != 0)
            conn_read(net->conns[i]);
    }
    if (!owned)
        net->polled = NULL;
    if (!good)
        return false;
    input_read(mock);
    for (size_t i = 0; i < count && !net->silent; i++)
        conn_frames(mock, net->conns[i]);
    for (size_t i = 0; i < count && !net->silent; i++)
        conn_write(net->conns[i], now_ms());
    conns_reap(net);
    if (net->listener >= 0)
        accept_all(net);
    return true;
}
