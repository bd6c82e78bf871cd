#include "net/transport.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

static enum transport_result result_of_errno(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK ? TRANSPORT_AGAIN : TRANSPORT_FAILED;
}

static enum transport_result plain_read(struct transport *transport, void *out, size_t capacity,
                                        size_t *out_size)
{
    ssize_t got;
    do
        got = recv(transport->fd, out, capacity, 0);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return result_of_errno();
    if (got == 0)
        return TRANSPORT_ENDED;
    *out_size = (size_t)got;
    return TRANSPORT_OK;
}

static enum transport_result plain_write(struct transport *transport, const void *bytes, size_t size,
                                         size_t *out_size)
{
    ssize_t sent;
    do
        sent = send(transport->fd, bytes, size, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    if (sent < 0)
        return result_of_errno();
    *out_size = (size_t)sent;
    return TRANSPORT_OK;
}

static void plain_finish(struct transport *transport)
{
    (void)shutdown(transport->fd, SHUT_WR); /* fails only if the peer is gone, and then it knows */
}

static void plain_close(struct transport *transport)
{
    (void)close(transport->fd);
    transport->fd = -1;
}

struct transport transport_plain(int fd)
{
    static const struct transport_calls calls = { plain_read, plain_write, plain_finish, plain_close };
    return (struct transport){ .calls = &calls, .fd = fd };
}
