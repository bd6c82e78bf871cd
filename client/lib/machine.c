#include "lib/machine.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define UNACKNOWLEDGED_MAX_MS 30000U /* what the peer's kernel does not acknowledge so long never arrives */

/* --- clocks and random numbers --- */

uint64_t machine_now_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail: the clock exists and now is ours */
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000 + 1;
}

int64_t machine_wall_us(void)
{
    struct timespec wall;
    (void)clock_gettime(CLOCK_REALTIME, &wall); /* cannot fail: the clock exists and wall is ours */
    return (int64_t)wall.tv_sec * 1000000 + wall.tv_nsec / 1000;
}

bool machine_random(void *out, size_t size)
{
    return getrandom(out, size, 0) == (ssize_t)size;
}

/* --- sockets --- */

/* None of them is worth failing for: without them a dead peer is found later. */
static void set_socket_options(int fd, int family)
{
    int on = 1;
    unsigned unacknowledged_ms = UNACKNOWLEDGED_MAX_MS;
    if (family == AF_UNIX)
        return;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unacknowledged_ms, sizeof(unacknowledged_ms));
}

int machine_connect(const struct address *address)
{
    int family = address->storage.ss_family;
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    set_socket_options(fd, family);
    if (connect(fd, (const struct sockaddr *)&address->storage, address->size) == 0 || errno == EINPROGRESS ||
        errno == EINTR)
        return fd;
    int error = errno;
    (void)close(fd);
    errno = error;
    return -1;
}

int machine_connected(int fd)
{
    struct pollfd poll_fd = { .fd = fd, .events = POLLOUT };
    if (poll(&poll_fd, 1, 0) <= 0)
        return EINPROGRESS;
    int error = 0;
    socklen_t size = sizeof(error);
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

ssize_t machine_receive(int fd, void *bytes, size_t size)
{
    return recv(fd, bytes, size, 0);
}

ssize_t machine_send(int fd, const void *bytes, size_t size)
{
    return send(fd, bytes, size, MSG_NOSIGNAL);
}

void machine_close(int fd)
{
    (void)close(fd);
}

int machine_poll(struct pollfd *fds, unsigned count, int wait_ms)
{
    return poll(fds, count, wait_ms);
}
