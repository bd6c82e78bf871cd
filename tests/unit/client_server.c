#include "client_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

void server_fail(struct server *server, const char *format, ...)
{
    va_list arguments;
    if (server->failure[0] != '\0')
        return;
    va_start(arguments, format);
    (void)vsnprintf(server->failure, sizeof(server->failure), format, arguments);
    va_end(arguments);
}

bool server_good(const struct server *server)
{
    return server->failure[0] == '\0';
}

static bool wait_readable(struct server *server, int fd, const char *what)
{
    struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
    if (!server_good(server))
        return false;
    if (fd < 0 || poll(&poll_fd, 1, SERVER_PATIENCE_MS) <= 0)
        server_fail(server, "waited in vain for %s", what);
    return server_good(server);
}

void server_accept(struct server *server)
{
    server_close(server);
    server->connection_closed = false;
    if (!wait_readable(server, server->listener, "a connection"))
        return;
    server->connection = accept(server->listener, NULL, NULL);
    if (server->connection < 0)
        server_fail(server, "accept: %s", strerror(errno));
}

void server_use_stream(struct server *server, const struct server_stream *stream, void *ctx)
{
    server->stream = stream;
    server->stream_ctx = ctx;
}

void server_close(struct server *server)
{
    if (server->stream != NULL)
        server->stream->close(server->stream_ctx);
    server->stream = NULL;
    if (server->connection >= 0)
        (void)close(server->connection);
    server->connection = -1;
}

static ssize_t receive_some(struct server *server, void *out, size_t size)
{
    if (server->stream != NULL)
        return server->stream->receive(server->stream_ctx, out, size);
    return wait_readable(server, server->connection, "bytes") ? recv(server->connection, out, size, 0) : -1;
}

static bool receive(struct server *server, void *out, size_t size)
{
    uint8_t *at = out;
    while (size > 0) {
        ssize_t got = server_good(server) ? receive_some(server, at, size) : -1;
        if (!server_good(server))
            return false;
        if (got <= 0) {
            server->connection_closed = true;
            server_fail(server, "the client closed while a frame was expected");
            return false;
        }
        at += got;
        size -= (size_t)got;
    }
    return true;
}

void server_expect_close(struct server *server)
{
    char byte;
    if (server_good(server) && receive_some(server, &byte, 1) > 0)
        server_fail(server, "the client sent more instead of closing");
}

uint64_t server_expect(struct server *server, enum operation operation)
{
    uint8_t header[FRAME_HEADER_SIZE];
    size_t wanted;
    if (!receive(server, header, sizeof(header)))
        return 0;
    if (frame_split(header, sizeof(header), FRAME_BODY_MAX, &server->frame, &wanted) == FRAME_BROKEN) {
        server_fail(server, "a broken frame");
        return 0;
    }
    server->frame.body = server->body;
    if (!receive(server, server->body, server->frame.body_size))
        return 0;
    if (server->frame.type != operation)
        server_fail(server, "operation %u instead of %u", server->frame.type, (unsigned)operation);
    return server->frame.number;
}

void server_expect_number(struct server *server, enum operation operation, uint64_t number)
{
    uint64_t got = server_expect(server, operation);
    if (got != number)
        server_fail(server, "number %llu instead of %llu", (unsigned long long)got,
                    (unsigned long long)number);
}

void server_secret(struct server *server, char out[FRAME_SECRET_MAX + 1])
{
    out[0] = '\0';
    if (!server_good(server) || (server->frame.flags & FRAME_FLAG_SECRET) == 0)
        return;
    size_t size = server->frame.body_size > 0 ? server->frame.body[0] : 0;
    if (size == 0 || size > FRAME_SECRET_MAX || size >= server->frame.body_size) {
        server_fail(server, "the secret part is broken");
        return;
    }
    memcpy(out, server->frame.body + 1, size);
    out[size] = '\0';
    server->frame.body += 1 + size;
    server->frame.body_size -= (uint32_t)(1 + size);
}

void server_decode(struct server *server, enum message message, struct message_memory *memory, void *out)
{
    struct message_memory none = { 0 };
    const char *field = "";
    if (server_good(server) && !message_decode(message, server->frame.body, server->frame.body_size,
                                               memory != NULL ? memory : &none, out, &field))
        server_fail(server, "cannot decode field %s", field);
}

void server_hello(struct server *server)
{
    struct msg_hello_request hello = { 0 };
    uint64_t number = server_expect(server, OPERATION_HELLO);
    server_decode(server, MESSAGE_hello_request, NULL, &hello);
    server->hello_epoch = hello.epoch;
    server->hello_first_unanswered = hello.first_unanswered;
    server_done(server, OPERATION_HELLO, number, 0, &server->hello);
}

void server_welcome(struct server *server)
{
    server_accept(server);
    server_hello(server);
}

void server_send(struct server *server, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    while (size > 0 && server_good(server)) {
        ssize_t sent = server->stream != NULL ? server->stream->send(server->stream_ctx, at, size)
                                              : send(server->connection, at, size, MSG_NOSIGNAL);
        if (sent <= 0) {
            server->connection_closed = errno == EPIPE || errno == ECONNRESET;
            server_fail(server, "send: %s", strerror(errno));
            return;
        }
        at += sent;
        size -= (size_t)sent;
    }
}

static void send_message(struct server *server, uint16_t type, uint64_t number, uint16_t flags,
                         enum message message, const void *in)
{
    static __thread uint8_t bytes[FRAME_HEADER_SIZE + FRAME_BODY_MAX];
    struct wire_writer writer = wire_writer_over(bytes + FRAME_HEADER_SIZE, FRAME_BODY_MAX);
    message_encode(message, in, &writer);
    if (writer.failed)
        server_fail(server, "cannot encode an answer");
    frame_put_header(bytes, (uint32_t)wire_written(&writer), type, flags, number);
    server_send(server, bytes, FRAME_HEADER_SIZE + wire_written(&writer));
}

void server_done(struct server *server, enum operation operation, uint64_t number, uint16_t flags,
                 const void *in)
{
    const struct operation_row *row = operation_row((uint16_t)operation);
    send_message(server, (uint16_t)(FRAME_TYPE_DONE | operation), number, flags, row->answer, in);
}

void server_refuse(struct server *server, enum operation operation, uint64_t number, enum result result,
                   const char *detail)
{
    struct msg_refusal refusal = { .result = result, .detail = { .data = detail, .size = strlen(detail) } };
    if (result == RESULT_NOT_ENOUGH_POINTS) {
        refusal.needed = 40;
        refusal.available = 12;
    }
    send_message(server, (uint16_t)(FRAME_TYPE_REFUSED | operation), number, 0, MESSAGE_refusal, &refusal);
}

void server_done_purchase(struct server *server, uint64_t number, uint16_t flags)
{
    struct msg_purchase_answer answer = { .position = 100 * number,
                                          .earned = (int64_t)number,
                                          .available = 105 };
    server_done(server, OPERATION_PURCHASE, number, flags, &answer);
}

static void listen_on(struct server *server, const char *path)
{
    struct sockaddr_un local = { .sun_family = AF_UNIX };
    struct sockaddr_in inet = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof(inet);
    server->listener = socket(path != NULL ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(server->listener >= 0);
    if (path != NULL) {
        (void)snprintf(local.sun_path, sizeof(local.sun_path), "%s", path);
        (void)snprintf(server->address, sizeof(server->address), "unix:%s", path);
        assert_int_equal(bind(server->listener, (struct sockaddr *)&local, sizeof(local)), 0);
    } else {
        assert_int_equal(bind(server->listener, (struct sockaddr *)&inet, sizeof(inet)), 0);
        assert_int_equal(getsockname(server->listener, (struct sockaddr *)&inet, &size), 0);
        (void)snprintf(server->address, sizeof(server->address), "127.0.0.1:%u", ntohs(inet.sin_port));
    }
    assert_int_equal(listen(server->listener, 16), 0);
}

static void *run(void *ctx)
{
    struct server *server = ctx;
    server->script(server);
    server_close(server);
    return NULL;
}

void server_start(struct server *server, const char *path, server_script_fn *script)
{
    memset(server, 0, sizeof(*server));
    server->connection = -1;
    server->script = script;
    server->hello = (struct msg_hello_answer){
        .version = PROTOCOL_VERSION,
        .time = UINT64_C(1700000000000000),
        .journal_id = { 1, 2, 3 },
        .term = 5,
        .frame_max = FRAME_HEADER_SIZE + FRAME_BODY_MAX,
        .in_flight_max = 64,
        .currency = { .data = "EUR", .size = 3 },
        .currency_exponent = 2,
        .zone = { .data = "Europe/Berlin", .size = 13 },
        .programme_version = 7,
    };
    listen_on(server, path);
    assert_int_equal(pthread_create(&server->thread, NULL, run, server), 0);
}

void server_join(struct server *server)
{
    assert_int_equal(pthread_join(server->thread, NULL), 0);
    (void)close(server->listener);
    if (!server_good(server))
        fail_msg("the server's script: %s", server->failure);
}
