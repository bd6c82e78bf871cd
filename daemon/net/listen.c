#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "net/internal.h"

#define BACKLOG 4096 /* the kernel cuts it to net.core.somaxconn */
#define UNIX_MODE 0660

#define KEEPALIVE_IDLE_S 60
#define KEEPALIVE_INTERVAL_S 10
#define KEEPALIVE_COUNT 3
#define USER_TIMEOUT_MS 30000

union any_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_un local;
    struct sockaddr_storage storage;
};

static bool is_loopback(const union any_address *address)
{
    if (address->any.sa_family == AF_INET)
        return ntohl(address->v4.sin_addr.s_addr) >> 24 == 127;
    if (address->any.sa_family != AF_INET6)
        return false;
    const struct in6_addr *v6 = &address->v6.sin6_addr;
    return IN6_IS_ADDR_LOOPBACK(v6) || (IN6_IS_ADDR_V4MAPPED(v6) && v6->s6_addr[12] == 127);
}

static void print_address(const union any_address *address, char *out, size_t capacity)
{
    char host[INET6_ADDRSTRLEN] = "?";
    if (address->any.sa_family == AF_INET) {
        (void)inet_ntop(AF_INET, &address->v4.sin_addr, host, sizeof(host));
        (void)snprintf(out, capacity, "%s:%u", host, (unsigned)ntohs(address->v4.sin_port));
    } else {
        (void)inet_ntop(AF_INET6, &address->v6.sin6_addr, host, sizeof(host));
        (void)snprintf(out, capacity, "[%s]:%u", host, (unsigned)ntohs(address->v6.sin6_port));
    }
}

/* One host has a whole /64 of IPv6 to itself: it counts as one address. */
static struct conn_origin origin_of(const union any_address *address)
{
    struct conn_origin origin = { .local = is_loopback(address) };
    if (address->any.sa_family == AF_INET) {
        origin.address[10] = 0xFF;
        origin.address[11] = 0xFF;
        memcpy(origin.address + 12, &address->v4.sin_addr, 4);
    } else if (IN6_IS_ADDR_V4MAPPED(&address->v6.sin6_addr)) {
        memcpy(origin.address, &address->v6.sin6_addr, 16);
    } else {
        memcpy(origin.address, &address->v6.sin6_addr, 8);
    }
    return origin;
}

/* As limits count it: the address without the port, of IPv6 the /64 that one host has. */
static void print_source(const union any_address *address, const struct conn_origin *origin, char *out,
                         size_t capacity)
{
    struct in6_addr v6 = { 0 };
    char host[INET6_ADDRSTRLEN] = "?";
    if (address->any.sa_family == AF_INET || IN6_IS_ADDR_V4MAPPED(&address->v6.sin6_addr)) {
        (void)inet_ntop(AF_INET, origin->address + 12, host, sizeof(host));
        (void)snprintf(out, capacity, "%s", host);
    } else if (origin->local) {
        (void)snprintf(out, capacity, "::1");
    } else {
        memcpy(&v6, origin->address, 8);
        (void)inet_ntop(AF_INET6, &v6, host, sizeof(host));
        (void)snprintf(out, capacity, "%.40s/64", host); /* half of it is one "::" */
    }
}

static void welcome_unix(struct net *net, int fd)
{
    struct ucred credentials = { .uid = UINT32_MAX };
    socklen_t size = sizeof(credentials);
    (void)getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size);
    const struct net_peer peer = {
        .local = true, .unix_uid = credentials.uid, .unix_socket = true, .address = "unix", .source = "unix"
    };
    const struct conn_origin origin = { .local = true };
    (void)conn_open(net, transport_plain(fd), &peer, &origin);
}

static void welcome(struct listener *listener, int fd, const union any_address *address)
{
    struct net *net = listener->net;
    net->accept_complained = false;
    if (listener->unix_path[0] != '\0') {
        welcome_unix(net, fd);
        return;
    }
    const struct conn_origin origin = origin_of(address);
    struct net_peer peer = { .local = origin.local };
    print_address(address, peer.address, sizeof(peer.address));
    print_source(address, &origin, peer.source, sizeof(peer.source));
    if (listener->kind == NET_LISTEN_PLAIN)
        (void)conn_open(net, transport_plain(fd), &peer, &origin);
    else
        conn_greet(net, listener->kind, fd, &peer, &origin);
}

static void open_spare(struct net *net)
{
    if (net->spare_fd < 0)
        net->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/*
 * No descriptor is left. Those who wait are let in with the spare one and closed at once, so that they
 * try again later instead of hanging; then the listeners rest, for the loop would spin on them.
 */
static void run_short(struct listener *listener, int error)
{
    struct net *net = listener->net;
    for (int i = 0; i < ACCEPTS_PER_TURN && net->spare_fd >= 0; i++) {
        (void)close(net->spare_fd);
        net->spare_fd = -1;
        const int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0)
            (void)close(fd);
        open_spare(net);
        if (fd < 0)
            break;
        net->counts.refused++;
    }
    net->counts.accept_pauses++;
    net->accept_resumes_us = net_now_us(net) + ACCEPT_PAUSE_US;
    if (!net->accept_complained)
        log_warning("new connections are refused for now: %s; raise the limit of open files",
                    strerror(error));
    net->accept_complained = true;
    listen_update(net);
}

/* Those who may not yet come in wait in the kernel's queue: somebody before them proves or leaves soon. */
static bool wants_more(const struct net *net)
{
    return net->accept_resumes_us == 0 && net->counts.unproven_now < net->options.unproven_max &&
           (net->slots_used < net->slots || !list_empty(&net->free_slots));
}

static void on_acceptable(evutil_socket_t fd PUNKT_UNUSED, short what PUNKT_UNUSED, void *arg)
{
    struct listener *listener = arg;
    struct net *net = listener->net;
    for (int i = 0; i < ACCEPTS_PER_TURN && wants_more(net); i++) {
        union any_address address = { 0 };
        socklen_t size = sizeof(address);
        const int fd_new = accept4(listener->fd, &address.any, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd_new >= net->fd_end) {
            (void)close(fd_new);
            net->counts.refused++;
            run_short(listener, EMFILE);
            return;
        }
        if (fd_new >= 0) {
            welcome(listener, fd_new, &address);
            continue;
        }
        if (errno == EAGAIN || errno == EWOULDBLOCK)
            return;
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            run_short(listener, errno);
            return;
        }
        /* Everything else is the fate of one connection, which Linux reports here (accept(2)). */
    }
    if (!wants_more(net))
        listen_update(net);
}

void listen_update(struct net *net)
{
    if (net->accept_resumes_us != 0 && net_now_us(net) >= net->accept_resumes_us) {
        net->accept_resumes_us = 0;
        open_spare(net);
    }
    const bool wanted = wants_more(net);
    if (wanted == net->accepting)
        return;
    net->accepting = wanted;
    for (uint32_t i = 0; i < net->listeners_count; i++) {
        struct event *event = net->listeners[i].event;
        if (!wanted)
            (void)event_del(event);
        else if (event_add(event, NULL) != 0)
            net->accepting = false; /* tried again at the end of the next turn */
    }
}

static enum punkt_status status_of_errno(int error)
{
    switch (error) {
    case EADDRINUSE:
        return PUNKT_BUSY;
    case EACCES:
    case EADDRNOTAVAIL:
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG:
        return PUNKT_INVALID;
    case ENOMEM:
        return PUNKT_NO_MEMORY;
    default:
        return PUNKT_IO;
    }
}

/* Says what failed and closes the socket. */
static enum punkt_status failed(int fd, const char *where, const char *what, struct failure *failure)
{
    const int error = errno;
    failure_set(failure, "cannot listen on %s: %s: %s", where, what, strerror(error));
    if (fd >= 0)
        (void)close(fd);
    return status_of_errno(error);
}

static bool set_number(int fd, int level, int name, int value)
{
    return setsockopt(fd, level, name, &value, sizeof(value)) == 0;
}

/* What is set here is inherited by the sockets that Linux accepts from it: no call a connection. */
static bool set_options(int fd, int family)
{
    return set_number(fd, SOL_SOCKET, SO_REUSEADDR, 1) &&
           (family != AF_INET6 || set_number(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1)) &&
           set_number(fd, IPPROTO_TCP, TCP_NODELAY, 1) && set_number(fd, SOL_SOCKET, SO_KEEPALIVE, 1) &&
           set_number(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S) &&
           set_number(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S) &&
           set_number(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_COUNT) &&
           set_number(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, USER_TIMEOUT_MS);
}

/* Cuts "HOST:PORT" or "[HOST]:PORT" in two. */
static bool cut_where(const char *where, char *out_host, size_t capacity, const char **out_port)
{
    const char *colon = strrchr(where, ':');
    if (colon == NULL || colon == where)
        return false;
    const char *host = where;
    size_t size = (size_t)(colon - where);
    if (host[0] == '[') {
        if (size < 3 || host[size - 1] != ']')
            return false;
        host++;
        size -= 2;
    } else if (memchr(host, ':', size) != NULL) {
        return false;
    }
    const size_t digits = strspn(colon + 1, "0123456789");
    if (digits == 0 || digits > 5 || colon[1 + digits] != '\0' || atoi(colon + 1) > UINT16_MAX ||
        size >= capacity)
        return false;
    memcpy(out_host, host, size);
    out_host[size] = '\0';
    *out_port = colon + 1;
    return true;
}

static enum punkt_status resolve(const char *where, enum net_listener kind, union any_address *out_address,
                                 socklen_t *out_size, struct failure *failure)
{
    char host[256];
    const char *port;
    if (!cut_where(where, host, sizeof(host), &port)) {
        failure_set(failure, "cannot listen on %s: it must be HOST:PORT, [IPv6]:PORT or unix:PATH", where);
        return PUNKT_INVALID;
    }
    const struct addrinfo hints = { .ai_flags = AI_NUMERICSERV, .ai_socktype = SOCK_STREAM };
    struct addrinfo *found = NULL;
    const int error = getaddrinfo(host, port, &hints, &found);
    if (error != 0) {
        failure_set(failure, "cannot listen on %s: %s", where, gai_strerror(error));
        return PUNKT_INVALID;
    }
    *out_address = (union any_address){ 0 };
    memcpy(out_address, found->ai_addr, found->ai_addrlen);
    *out_size = found->ai_addrlen;
    freeaddrinfo(found);
    if (kind == NET_LISTEN_PLAIN && !is_loopback(out_address)) {
        failure_set(failure,
                    "cannot listen on %s: without TLS only loopback addresses and Unix sockets are served; "
                    "for others there are tls.listen and psk.listen",
                    where);
        return PUNKT_INVALID;
    }
    return PUNKT_OK;
}

static enum punkt_status open_tcp(const char *where, struct listener *listener, char *out_address,
                                  size_t address_capacity, struct failure *failure)
{
    union any_address address;
    socklen_t size = 0;
    const enum punkt_status status = resolve(where, listener->kind, &address, &size, failure);
    if (status != PUNKT_OK)
        return status;
    const int fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return failed(fd, where, "socket", failure);
    if (!set_options(fd, address.any.sa_family))
        return failed(fd, where, "setsockopt", failure);
    if (bind(fd, &address.any, size) != 0)
        return failed(fd, where, "bind", failure);
    size = sizeof(address);
    if (getsockname(fd, &address.any, &size) != 0)
        return failed(fd, where, "getsockname", failure);
    if (listen(fd, BACKLOG) != 0)
        return failed(fd, where, "listen", failure);
    listener->fd = fd;
    print_address(&address, out_address, address_capacity);
    return PUNKT_OK;
}

/*
 * Removes a socket that a killed daemon left. One that somebody answers on, or a file that is no socket,
 * stays, and binding to it fails.
 */
static void remove_stale(const union any_address *address)
{
    struct stat found;
    if (lstat(address->local.sun_path, &found) != 0 || !S_ISSOCK(found.st_mode))
        return;
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    if (connect(fd, &address->any, sizeof(address->local)) != 0 && errno == ECONNREFUSED)
        (void)unlink(address->local.sun_path);
    (void)close(fd);
}

static enum punkt_status open_unix(const char *where, struct listener *listener, char *out_address,
                                   size_t address_capacity, struct failure *failure)
{
    const char *path = where + strlen("unix:");
    union any_address address = { .local = { .sun_family = AF_UNIX } };
    if (path[0] == '\0' || strlen(path) >= sizeof(address.local.sun_path)) {
        failure_set(failure, "cannot listen on %s: the path must have 1 to %zu characters", where,
                    sizeof(address.local.sun_path) - 1);
        return PUNKT_INVALID;
    }
    memcpy(address.local.sun_path, path, strlen(path) + 1);
    remove_stale(&address);
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return failed(fd, where, "socket", failure);
    /* Linux makes the file with the mode of the socket, less the umask: it is never open to more. */
    if (fchmod(fd, UNIX_MODE) != 0)
        return failed(fd, where, "fchmod", failure);
    if (bind(fd, &address.any, sizeof(address.local)) != 0)
        return failed(fd, where, "bind", failure);
    struct stat made;
    memcpy(listener->unix_path, path, strlen(path) + 1);
    if (chmod(path, UNIX_MODE) != 0 || lstat(path, &made) != 0)
        return failed(fd, where, "chmod", failure);
    if (listen(fd, BACKLOG) != 0)
        return failed(fd, where, "listen", failure);
    listener->fd = fd;
    listener->unix_device = made.st_dev;
    listener->unix_inode = made.st_ino;
    (void)snprintf(out_address, address_capacity, "%s", where);
    return PUNKT_OK;
}

static void close_listener(struct listener *listener)
{
    if (listener->event != NULL)
        event_free(listener->event);
    listener->event = NULL;
    struct stat found;
    /* Not if another daemon has put its own there meanwhile. */
    if (listener->unix_path[0] != '\0' && lstat(listener->unix_path, &found) == 0 &&
        found.st_dev == listener->unix_device && found.st_ino == listener->unix_inode)
        (void)unlink(listener->unix_path);
    (void)close(listener->fd);
    listener->fd = -1;
}

/* What connections of this kind need besides a socket. */
static enum punkt_status make_ready(struct net *net, enum net_listener kind, const char *where, bool on_unix,
                                    struct failure *failure)
{
    const char *lacks = NULL;
    if (kind == NET_LISTEN_PLAIN)
        return PUNKT_OK;
    if (on_unix)
        lacks = "over a Unix socket there is no TLS";
    else if (kind == NET_LISTEN_CERTIFICATE && net->tls.contexts[kind] == NULL)
        lacks = "there is no certificate for it";
    else if (kind != NET_LISTEN_CERTIFICATE && net->tls.psk == NULL)
        lacks = "nobody knows keys for it";
    if (lacks != NULL) {
        failure_set(failure, "cannot listen on %s: %s", where, lacks);
        return PUNKT_INVALID;
    }
    if (net->tls.contexts[kind] != NULL)
        return PUNKT_OK;
    SSL_CTX *context = NULL;
    enum punkt_status status = tls_shared_start(&net->tls);
    if (status == PUNKT_OK)
        status = tls_context_for_keys(&context);
    if (status == PUNKT_OK)
        tls_shared_use(&net->tls, kind, context);
    else
        failure_set(failure, "cannot listen on %s: no memory for TLS", where);
    return status;
}

enum punkt_status net_listen(struct net *net, enum net_listener kind, const char *where, char *out_address,
                             size_t address_capacity, struct failure *failure)
{
    const bool on_unix = strncmp(where, "unix:", strlen("unix:")) == 0;
    enum punkt_status status = make_ready(net, kind, where, on_unix, failure);
    if (status != PUNKT_OK)
        return status;
    if (net->listeners_count == LISTENERS_MAX) {
        failure_set(failure, "cannot listen on %s: %d addresses are enough", where, LISTENERS_MAX);
        return PUNKT_FULL;
    }
    struct listener *listener = &net->listeners[net->listeners_count];
    *listener = (struct listener){ .net = net, .kind = kind, .fd = -1 };
    status = on_unix ? open_unix(where, listener, out_address, address_capacity, failure)
                     : open_tcp(where, listener, out_address, address_capacity, failure);
    if (status != PUNKT_OK)
        return status;
    listener->event = event_new(net->loop, listener->fd, EV_READ | EV_PERSIST, on_acceptable, listener);
    if (listener->event == NULL || (net->accepting && event_add(listener->event, NULL) != 0)) {
        failure_set(failure, "cannot listen on %s: no memory", where);
        close_listener(listener);
        return PUNKT_NO_MEMORY;
    }
    net->listeners_count++;
    return PUNKT_OK;
}

void net_stop_listening(struct net *net)
{
    for (uint32_t i = 0; i < net->listeners_count; i++)
        close_listener(&net->listeners[i]);
    net->listeners_count = 0;
}
