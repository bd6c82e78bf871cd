/* The server of queue_world.h. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "queue_server.h"
#include "queue_world.h"

static void complain(struct world_server *server, const char *what)
{
    if (server->failure[0] == '\0')
        (void)snprintf(server->failure, sizeof(server->failure), "%s", what);
}

static void hang_up(struct connection *connection)
{
    if (connection->fd >= 0)
        (void)close(connection->fd);
    connection->fd = -1;
    connection->size = 0;
}

/* --- lanes --- */

static struct lane *lane_at(struct world_server *server, uint64_t epoch)
{
    for (unsigned i = 0; i < server->lane_count; i++) {
        if (server->lanes[i].epoch == epoch)
            return &server->lanes[i];
    }
    if (server->lane_count == LANES) {
        complain(server, "too many lanes");
        return &server->lanes[0];
    }
    struct lane *lane = &server->lanes[server->lane_count++];
    lane->epoch = epoch;
    lane->highest = 0;
    for (unsigned i = 0; i < LANE_MAX; i++)
        lane->results[i] = NO_ANSWER;
    return lane;
}

/* --- answers --- */

static void answer(struct world_server *server, struct connection *connection, uint16_t type, uint64_t number,
                   uint16_t flags, enum message message, const void *in)
{
    uint8_t bytes[4096];
    struct wire_writer writer =
        wire_writer_over(bytes + FRAME_HEADER_SIZE, sizeof(bytes) - FRAME_HEADER_SIZE);
    message_encode(message, in, &writer);
    if (writer.failed)
        complain(server, "an answer is too large");
    frame_put_header(bytes, (uint32_t)wire_written(&writer), type, flags, number);
    size_t size = FRAME_HEADER_SIZE + wire_written(&writer);
    /* A few hundred bytes always fit into the socket; a client that is gone needs none. */
    if (send(connection->fd, bytes, size, MSG_NOSIGNAL) != (ssize_t)size && errno != EPIPE &&
        errno != ECONNRESET)
        complain(server, "an answer could not be sent");
}

static void refuse(struct world_server *server, struct connection *connection, const struct frame *frame,
                   uint16_t result, uint16_t flags)
{
    struct msg_refusal refusal = { .result = result };
    answer(server, connection, (uint16_t)(FRAME_TYPE_REFUSED | frame->type), frame->number, flags,
           MESSAGE_refusal, &refusal);
}

union answers {
    struct msg_purchase_answer purchase;
    struct msg_return_answer back;
    struct msg_redeem_answer redeem;
    struct msg_hold_answer hold;
    struct msg_capture_answer capture;
    struct msg_release_answer release;
    struct msg_reversal_answer reversal;
    struct msg_ping_answer ping;
};

static uint64_t server_now(const struct world_server *server)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)((int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000 + server->clock_ahead_us);
}

/* What was asked for is done to the letter. */
static void fill_done(struct world_server *server, const struct frame *frame, union answers *out)
{
    struct msg_wish wishes[8];
    struct message_memory memory = { .at = (uint8_t *)wishes, .left = sizeof(wishes) };
    struct msg_purchase_request purchase;
    struct msg_redeem_request redeem;
    const char *field;
    const struct operation_row *row = operation_row(frame->type);
    message_init(row->answer, out);
    switch (frame->type) {
    case OPERATION_PURCHASE:
        if (!message_decode(row->request, frame->body, frame->body_size, &memory, &purchase, &field)) {
            complain(server, "a purchase that cannot be read");
            return;
        }
        out->purchase.position = server->position;
        out->purchase.earned = purchase.amount / 100;
        out->purchase.available = server->available;
        for (size_t i = 0; i < purchase.wishes_count; i++)
            out->purchase.redeemed += (int64_t)purchase.wishes[i].points;
        out->purchase.paid = (uint64_t)out->purchase.redeemed;
        break;
    case OPERATION_REDEEM:
        if (!message_decode(row->request, frame->body, frame->body_size, &memory, &redeem, &field)) {
            complain(server, "a redemption that cannot be read");
            return;
        }
        out->redeem.position = server->position;
        out->redeem.redeemed = (int64_t)redeem.points;
        out->redeem.worth = redeem.points;
        out->redeem.available = server->available;
        break;
    case OPERATION_HOLD:
        out->hold.position = server->position;
        out->hold.held = 30;
        out->hold.worth = 60;
        out->hold.deadline = server_now(server) + UINT64_C(900) * 1000000;
        out->hold.available = server->available;
        break;
    default:
        break;
    }
}

static void replay(struct world_server *server, struct connection *connection, const struct frame *frame,
                   uint16_t flags)
{
    uint16_t result = connection->lane->results[frame->number % LANE_MAX];
    union answers done;
    if (result != 0) {
        refuse(server, connection, frame, result, flags);
        return;
    }
    fill_done(server, frame, &done);
    answer(server, connection, (uint16_t)(FRAME_TYPE_DONE | frame->type), frame->number, flags,
           operation_row(frame->type)->answer, &done);
}

/* --- requests --- */

static void take_hello(struct world_server *server, struct connection *connection, const struct frame *frame)
{
    struct message_memory none = { 0 };
    struct msg_hello_request hello;
    const char *field;
    if (!message_decode(MESSAGE_hello_request, frame->body, frame->body_size, &none, &hello, &field)) {
        complain(server, "a hello that cannot be read");
        return;
    }
    connection->lane = lane_at(server, hello.epoch);
    connection->claim = hello.first_unanswered - 1;
    server->hello.last_booked = connection->lane->highest;
    struct heard *heard = &server->heard[server->heard_count - 1];
    heard->epoch = hello.epoch;
    heard->number = hello.first_unanswered;
    struct msg_hello_answer welcome = server->hello;
    welcome.time = server_now(server);
    answer(server, connection, FRAME_TYPE_DONE | OPERATION_HELLO, frame->number, 0, MESSAGE_hello_answer,
           &welcome);
}

static struct rule *rule_for(struct world_server *server, const struct frame *frame)
{
    for (unsigned i = 0; i < server->rule_count; i++) {
        struct rule *rule = &server->rules[i];
        if ((rule->operation != 0 && rule->operation != (enum operation)frame->type) ||
            (rule->number != 0 && rule->number != frame->number) || rule->times == 1)
            continue;
        if (rule->times > 1)
            rule->times--;
        return rule;
    }
    return NULL;
}

/* Does not move its lane on: what may come again, and what punktd cannot even read. */
static bool passing(uint16_t result)
{
    return result == RESULT_UNKNOWN_OPERATION || result == RESULT_BUSY || result == RESULT_RATE ||
           result == RESULT_STORAGE_FULL || result == RESULT_NOT_READY || result == RESULT_OUT_OF_ORDER;
}

static void take_change(struct world_server *server, struct connection *connection, const struct frame *frame)
{
    struct lane *lane = connection->lane;
    const struct rule *rule = rule_for(server, frame);
    if (connection->claim > lane->highest && frame->number == connection->claim + 1)
        lane->highest = connection->claim;
    if (rule != NULL && rule->habit == HABIT_SILENT)
        return;
    if (rule != NULL && rule->habit == HABIT_HANG_UP) {
        hang_up(connection);
        return;
    }
    if (frame->number > lane->highest + 1) {
        refuse(server, connection, frame, RESULT_OUT_OF_ORDER, 0);
        return;
    }
    if (frame->number <= lane->highest && lane->results[frame->number % LANE_MAX] != NO_ANSWER) {
        replay(server, connection, frame, FRAME_FLAG_REPLAYED);
        return;
    }
    uint16_t result = rule != NULL && rule->habit == HABIT_REFUSE ? (uint16_t)rule->result : 0;
    if (passing(result)) {
        refuse(server, connection, frame, result, 0);
        return;
    }
    lane->highest = frame->number;
    lane->results[frame->number % LANE_MAX] = result;
    lane->operations[frame->number % LANE_MAX] = frame->type;
    server->position++;
    if (rule != NULL && rule->habit == HABIT_HANG_UP_DONE)
        hang_up(connection);
    else if (rule == NULL || rule->habit == HABIT_REFUSE)
        replay(server, connection, frame, 0);
}

static void take_read(struct world_server *server, struct connection *connection, const struct frame *frame)
{
    struct msg_ping_answer ping = { .time = 1 };
    struct msg_card_show_answer card;
    message_init(MESSAGE_card_show_answer, &card);
    card.account = 1;
    card.status = PUNKT_CARD_ACTIVE;
    card.available = server->available;
    if (frame->type == OPERATION_PING)
        answer(server, connection, FRAME_TYPE_DONE | OPERATION_PING, frame->number, 0, MESSAGE_ping_answer,
               &ping);
    else if (frame->type == OPERATION_CARD_SHOW)
        answer(server, connection, FRAME_TYPE_DONE | OPERATION_CARD_SHOW, frame->number, 0,
               MESSAGE_card_show_answer, &card);
    else
        refuse(server, connection, frame, RESULT_UNKNOWN_OPERATION, 0);
}

/* Takes the secret part off, and writes the frame down. */
static void hear(struct world_server *server, const struct connection *connection, struct frame *frame)
{
    if (server->heard_count == HEARD_MAX) {
        complain(server, "too many frames");
        server->heard_count--;
    }
    struct heard *heard = &server->heard[server->heard_count++];
    *heard = (struct heard){ .connection = connection->serial,
                             .epoch = connection->lane != NULL ? connection->lane->epoch : 0,
                             .number = frame->number,
                             .operation = frame->type,
                             .flags = frame->flags };
    if ((frame->flags & FRAME_FLAG_SECRET) != 0 && frame->body_size > 0 && frame->body[0] < 65 &&
        frame->body[0] < frame->body_size) {
        size_t size = frame->body[0];
        memcpy(heard->secret, frame->body + 1, size);
        frame->body += 1 + size;
        frame->body_size -= (uint32_t)(1 + size);
    }
    heard->body_size = frame->body_size < sizeof(heard->body) ? frame->body_size : sizeof(heard->body);
    memcpy(heard->body, frame->body, heard->body_size);
}

static void take_frames(struct world_server *server, struct connection *connection)
{
    size_t at = 0;
    while (connection->fd >= 0) {
        struct frame frame;
        size_t wanted;
        enum frame_split split =
            frame_split(connection->input + at, connection->size - at, FRAME_BODY_MAX, &frame, &wanted);
        if (split == FRAME_BROKEN)
            complain(server, "a broken frame");
        if (split != FRAME_WHOLE)
            break;
        at += wanted;
        const struct operation_row *row = operation_row(frame.type);
        hear(server, connection, &frame);
        if (frame.type == OPERATION_HELLO)
            take_hello(server, connection, &frame);
        else if (connection->lane == NULL)
            complain(server, "no hello");
        else if (row != NULL && row->kind == OPERATION_KIND_CHANGE)
            take_change(server, connection, &frame);
        else
            take_read(server, connection, &frame);
    }
    if (connection->fd < 0)
        return;
    connection->size -= at;
    memmove(connection->input, connection->input + at, connection->size);
}

/* --- sockets --- */

static void listen_anew(struct world_server *server)
{
    struct sockaddr_un local = { .sun_family = AF_UNIX };
    (void)snprintf(local.sun_path, sizeof(local.sun_path), "%s", server->path);
    (void)unlink(server->path);
    server->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (server->listener < 0 || bind(server->listener, (struct sockaddr *)&local, sizeof(local)) != 0 ||
        listen(server->listener, 16) != 0)
        complain(server, strerror(errno));
}

static void stop_listening(struct world_server *server)
{
    if (server->listener >= 0)
        (void)close(server->listener);
    server->listener = -1;
    (void)unlink(server->path);
    for (unsigned i = 0; i < CONNECTIONS; i++)
        hang_up(&server->connections[i]);
}

static void accept_one(struct world_server *server)
{
    int fd = accept(server->listener, NULL, NULL);
    if (fd < 0)
        return;
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        struct connection *connection = &server->connections[i];
        if (connection->fd >= 0)
            continue;
        connection->fd = fd;
        connection->serial = ++server->serial;
        connection->lane = NULL;
        connection->size = 0;
        return;
    }
    complain(server, "too many connections");
    (void)close(fd);
}

static void receive(struct world_server *server, struct connection *connection)
{
    ssize_t got = recv(connection->fd, connection->input + connection->size, INPUT_MAX - connection->size,
                       MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        hang_up(connection);
        return;
    }
    connection->size += (size_t)got;
    take_frames(server, connection);
}

static void *serve(void *ctx)
{
    struct world_server *server = ctx;
    bool ending = false;
    while (!ending) {
        struct pollfd fds[2 + CONNECTIONS];
        (void)pthread_mutex_lock(&server->lock);
        bool deaf = server->silent;
        fds[0] = (struct pollfd){ .fd = server->wake[0], .events = POLLIN };
        fds[1] = (struct pollfd){ .fd = server->listener, .events = POLLIN };
        for (unsigned i = 0; i < CONNECTIONS; i++)
            fds[2 + i] = (struct pollfd){ .fd = deaf ? -1 : server->connections[i].fd, .events = POLLIN };
        (void)pthread_mutex_unlock(&server->lock);
        (void)poll(fds, 2 + CONNECTIONS, -1);
        (void)pthread_mutex_lock(&server->lock);
        uint8_t dropped[64];
        if (fds[0].revents != 0)
            (void)!read(server->wake[0], dropped, sizeof(dropped));
        if (fds[1].revents != 0 && fds[1].fd == server->listener)
            accept_one(server);
        for (unsigned i = 0; i < CONNECTIONS; i++) {
            if (fds[2 + i].revents != 0 && fds[2 + i].fd == server->connections[i].fd && !server->silent)
                receive(server, &server->connections[i]);
        }
        ending = server->ending;
        (void)pthread_mutex_unlock(&server->lock);
    }
    return NULL;
}

/* --- what tests do to it --- */

static struct world_server *take(struct queue_world *world)
{
    (void)pthread_mutex_lock(&world->server->lock);
    return world->server;
}

static void leave(struct world_server *server)
{
    (void)pthread_mutex_unlock(&server->lock);
    (void)!write(server->wake[1], "", 1);
}

struct world_server *server_new(const char *path, bool away)
{
    struct world_server *server = calloc(1, sizeof(*server));
    assert_non_null(server);
    (void)snprintf(server->path, sizeof(server->path), "%s", path);
    server->hello = (struct msg_hello_answer){
        .version = PROTOCOL_VERSION,
        .journal_id = { 1, 2, 3 },
        .term = 5,
        .frame_max = FRAME_HEADER_SIZE + FRAME_BODY_MAX,
        .in_flight_max = 64,
        .currency = { .data = "EUR", .size = 3 },
        .currency_exponent = 2,
        .zone = { .data = "Europe/Berlin", .size = 13 },
        .programme_version = 7,
    };
    server->available = 1000;
    for (unsigned i = 0; i < CONNECTIONS; i++)
        server->connections[i].fd = -1;
    server->listener = -1;
    server->away = away;
    assert_int_equal(pipe2(server->wake, O_CLOEXEC | O_NONBLOCK), 0);
    assert_int_equal(pthread_mutex_init(&server->lock, NULL), 0);
    if (!away)
        listen_anew(server);
    assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
    return server;
}

void server_free(struct world_server *server)
{
    char failure[sizeof(server->failure)];
    (void)pthread_mutex_lock(&server->lock);
    server->ending = true;
    leave(server);
    assert_int_equal(pthread_join(server->thread, NULL), 0);
    stop_listening(server);
    (void)close(server->wake[0]);
    (void)close(server->wake[1]);
    (void)pthread_mutex_destroy(&server->lock);
    memcpy(failure, server->failure, sizeof(failure));
    free(server);
    if (failure[0] != '\0')
        fail_msg("the server: %s", failure);
}

struct msg_hello_answer world_hello(struct queue_world *world)
{
    struct world_server *server = take(world);
    struct msg_hello_answer hello = server->hello;
    leave(server);
    return hello;
}

void world_set_hello(struct queue_world *world, const struct msg_hello_answer *hello)
{
    struct world_server *server = take(world);
    server->hello = *hello;
    leave(server);
}

void world_rule(struct queue_world *world, struct rule rule)
{
    struct world_server *server = take(world);
    assert_true(server->rule_count < RULES);
    if (rule.times > 0)
        rule.times++; /* 1 is used up */
    server->rules[server->rule_count++] = rule;
    leave(server);
}

void world_forget_rules(struct queue_world *world)
{
    struct world_server *server = take(world);
    server->rule_count = 0;
    leave(server);
}

void world_away(struct queue_world *world, bool away)
{
    struct world_server *server = take(world);
    if (away)
        stop_listening(server);
    else if (server->away)
        listen_anew(server);
    server->away = away;
    leave(server);
}

void world_silent(struct queue_world *world, bool silent)
{
    struct world_server *server = take(world);
    server->silent = silent;
    leave(server);
}

void world_balance(struct queue_world *world, int64_t available)
{
    struct world_server *server = take(world);
    server->available = available;
    leave(server);
}

void world_clock(struct queue_world *world, int64_t ahead_us)
{
    struct world_server *server = take(world);
    server->clock_ahead_us = ahead_us;
    leave(server);
}

void world_lose(struct queue_world *world, uint64_t epoch, uint64_t highest)
{
    struct world_server *server = take(world);
    struct lane *lane = lane_at(server, epoch);
    for (uint64_t number = highest + 1; number <= lane->highest; number++)
        lane->results[number % LANE_MAX] = NO_ANSWER;
    lane->highest = highest;
    leave(server);
}

unsigned world_heard(struct queue_world *world)
{
    struct world_server *server = take(world);
    unsigned count = server->heard_count;
    leave(server);
    return count;
}

struct heard world_frame(struct queue_world *world, unsigned index)
{
    struct world_server *server = take(world);
    struct heard heard = { 0 };
    bool there = index < server->heard_count;
    if (there)
        heard = server->heard[index];
    leave(server);
    assert_true(there);
    return heard;
}

bool world_change(struct queue_world *world, enum operation operation, unsigned index, struct heard *out)
{
    struct world_server *server = take(world);
    bool found = false;
    for (unsigned i = 0; i < server->heard_count && !found; i++) {
        const struct heard *heard = &server->heard[i];
        bool fits = operation != 0 ? heard->operation == operation
                                   : operation_row(heard->operation)->kind == OPERATION_KIND_CHANGE;
        if (!fits || index-- > 0)
            continue;
        *out = *heard;
        found = true;
    }
    leave(server);
    return found;
}

unsigned world_changes(struct queue_world *world, enum operation operation)
{
    unsigned count = 0;
    struct heard heard;
    while (world_change(world, operation, count, &heard))
        count++;
    return count;
}

unsigned world_booked(struct queue_world *world, enum operation operation)
{
    struct world_server *server = take(world);
    unsigned count = 0;
    for (unsigned i = 0; i < server->lane_count; i++) {
        for (unsigned j = 0; j < LANE_MAX; j++)
            count += server->lanes[i].results[j] == 0 &&
                     (operation == 0 || server->lanes[i].operations[j] == operation);
    }
    leave(server);
    return count;
}

uint64_t world_highest(struct queue_world *world, uint64_t epoch)
{
    struct world_server *server = take(world);
    uint64_t highest = lane_at(server, epoch)->highest;
    leave(server);
    return highest;
}
