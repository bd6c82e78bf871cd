/*
 * Where net listens and where not; accepting when descriptors run out; Unix sockets.
 */
#include "net_world.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static void test_addresses_refused(void **state PUNKT_UNUSED)
{
    static const struct {
        const char *where;
        const char *says;
    } rows[] = {
        { "0.0.0.0:0", "without TLS only loopback" },
        { "192.0.2.1:7400", "without TLS only loopback" },
        { "[::]:0", "without TLS only loopback" },
        { "[2001:db8::1]:7400", "without TLS only loopback" },
        { "[::ffff:192.0.2.1]:7400", "without TLS only loopback" },
        { "127.0.0.1", "HOST:PORT" },
        { "127.0.0.1:", "HOST:PORT" },
        { "127.0.0.1:65536", "HOST:PORT" },
        { "127.0.0.1:7400x", "HOST:PORT" },
        { "127.0.0.1:-1", "HOST:PORT" },
        { ":7400", "HOST:PORT" },
        { "::1:7400", "HOST:PORT" },
        { "[::1:7400", "HOST:PORT" },
        { "", "HOST:PORT" },
        { "unix:", "path" },
        { "unix:/there/is/no/such/folder/punkt.sock", "bind" },
    };
    const struct net_options options = world_options();
    struct world *world = world_new(&options);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char address[128] = "untouched";
        struct failure failure = { "" };
        assert_int_equal(
            net_listen(world->net, NET_LISTEN_PLAIN, rows[i].where, address, sizeof(address), &failure),
            PUNKT_INVALID);
        if (strstr(failure.text, rows[i].says) == NULL || strstr(failure.text, rows[i].where) == NULL)
            fail_msg("%s: %s", rows[i].where, failure.text);
        assert_string_equal(address, "untouched");
    }
    world_free(world);
}

static void test_address_in_use(void **state PUNKT_UNUSED)
{
    const struct net_options options = world_options();
    struct world *world = world_new(&options);
    char address[128];
    struct failure failure = { "" };
    assert_int_equal(
        net_listen(world->net, NET_LISTEN_PLAIN, world->address, address, sizeof(address), &failure),
        PUNKT_BUSY);
    assert_non_null(strstr(failure.text, "in use"));
    world_free(world);
}

static void test_ipv6(void **state PUNKT_UNUSED)
{
    const struct net_options options = world_options();
    struct world *world = world_new(&options);
    char address[128];
    struct failure failure = { "" };
    const enum punkt_status status =
        net_listen(world->net, NET_LISTEN_PLAIN, "[::1]:0", address, sizeof(address), &failure);
    if (status != PUNKT_OK) { /* a machine without IPv6 */
        world_free(world);
        skip();
    }
    assert_memory_equal(address, "[::1]:", 6);
    const struct sockaddr_in6 there = { .sin6_family = AF_INET6,
                                        .sin6_port = htons((uint16_t)atoi(address + 6)),
                                        .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    const int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&there, sizeof(there)), 0);
    WORLD_UNTIL(world, world->sessions_count == 1);
    assert_true(world->sessions[0].peer.local);
    assert_memory_equal(world->sessions[0].peer.address, "[::1]:", 6);
    assert_string_equal(world->sessions[0].peer.source, "::1");
    client_send_frame(fd, 1, "six", 3);
    client_expect(world, fd, 1, "six", 3);
    close(fd);
    world_free(world);
}

static int number_of(int fd, int level, int name)
{
    int value = -1;
    socklen_t size = sizeof(value);
    assert_int_equal(getsockopt(fd, level, name, &value, &size), 0);
    return value;
}

/* Accepted sockets inherit what was set on the listener. */
static void test_socket_options(void **state PUNKT_UNUSED)
{
    const struct net_options options = world_options();
    struct world *world = world_new(&options);
    struct world_session *session;
    const int client = client_connect(world, &session);
    const int fd = conn_find(world->net, session->name)->transport.fd;
    assert_true(session->peer.local);
    assert_false(session->peer.unix_socket);
    assert_memory_equal(session->peer.address, "127.0.0.1:", 10);
    assert_int_not_equal(number_of(fd, IPPROTO_TCP, TCP_NODELAY), 0);
    assert_int_not_equal(number_of(fd, SOL_SOCKET, SO_KEEPALIVE), 0);
    assert_int_equal(number_of(fd, IPPROTO_TCP, TCP_KEEPIDLE), 60);
    assert_int_equal(number_of(fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 30000);
    assert_int_not_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
    assert_int_not_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
    assert_int_not_equal(fcntl(world->net->listeners[0].fd, F_GETFD) & FD_CLOEXEC, 0);
    assert_int_not_equal(fcntl(world->net->spare_fd, F_GETFD) & FD_CLOEXEC, 0);
    close(client);
    world_free(world);
}

static void test_stop_listening(void **state PUNKT_UNUSED)
{
    const struct net_options options = world_options();
    struct world *world = world_new(&options);
    struct world_session *session;
    const int fd = client_connect(world, &session);
    net_stop_listening(world->net);
    world_turn(world);
    const struct sockaddr_in there = { .sin_family = AF_INET,
                                       .sin_port = htons((uint16_t)atoi(strrchr(world->address, ':') + 1)),
                                       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    const int late = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(late, (const struct sockaddr *)&there, sizeof(there)), -1);
    assert_int_equal(errno, ECONNREFUSED);
    close(late);
    client_send_frame(fd, 1, "still here", 10); /* who is in stays in */
    client_expect(world, fd, 1, "still here", 10);
    close(fd);
    world_free(world);
}

/* Descriptors run out: the loop does not spin, those inside are served, and later it accepts again. */
static void test_descriptors_run_out(void **state PUNKT_UNUSED)
{
    const struct net_options options = world_options();
    struct world *world = world_new(&options);
    struct world_session *session;
    struct rlimit before;
    int fds[3 + ACCEPTS_PER_TURN + 5]; /* some come in, a turn's worth is refused, some are left */
    const int inside = client_connect(world, &session);
    for (size_t i = 0; i < COUNT_OF(fds); i++)
        fds[i] = client_dial(world);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    const int next = dup(inside); /* the lowest that is free: three more, then no more */
    assert_true(next >= 0);
    close(next);
    const struct rlimit tight = { (rlim_t)next + 3, before.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
    WORLD_UNTIL(world, net_counts(world->net)->accept_pauses > 0);
    for (int i = 0; i < 200; i++)
        world_turn(world);
    assert_int_equal(net_counts(world->net)->accept_pauses, 1); /* time stands still, so does the listener */
    assert_int_equal(world->sessions_count, 1 + 3);
    assert_int_equal(net_counts(world->net)->refused, ACCEPTS_PER_TURN);
    for (size_t i = 3; i < 3 + ACCEPTS_PER_TURN; i++)
        client_expect_end(world, fds[i]);
    client_send_frame(inside, 1, "me", 2);
    client_expect(world, inside, 1, "me", 2);

    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    world_advance(world, 300);
    WORLD_UNTIL(world, world->sessions_count == 1 + 3 + 5);
    const int again = client_dial(world);
    client_send_frame(again, 2, "again", 5);
    client_expect(world, again, 2, "again", 5);
    close(again);
    close(inside);
    for (size_t i = 0; i < COUNT_OF(fds); i++)
        close(fds[i]);
    world_free(world);
}

/* Slots come back with their connections: the table is used many times over. */
static void test_slots_come_back(void **state PUNKT_UNUSED)
{
    struct net_options options = world_options();
    options.conns_max = 4;
    options.unproven_max = 4;
    struct world *world = world_new(&options);
    for (int round = 0; round < 40; round++) {
        struct world_session *sessions[4];
        int fds[4];
        for (int i = 0; i < 4; i++)
            fds[i] = client_connect(world, &sessions[i]);
        for (int i = 0; i < 4; i++)
            close(fds[i]);
        WORLD_UNTIL(world, net_counts(world->net)->open_now == 0);
    }
    assert_int_equal(net_counts(world->net)->accepted, 160);
    assert_int_equal(net_counts(world->net)->closed, 160);
    assert_true(world->net->slots_used <= 8);
    world_free(world);
}

static int unix_dial(const char *path)
{
    struct sockaddr_un there = { .sun_family = AF_UNIX };
    (void)snprintf(there.sun_path, sizeof(there.sun_path), "%s", path);
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&there, sizeof(there)), 0);
    return fd;
}

/* A folder of its own for the socket; the caller removes it. */
static void make_folder(char *out_folder, char *out_path, char *out_where)
{
    const char *root = getenv("TMPDIR");
    (void)snprintf(out_folder, 64, "%s/net.XXXXXX", root != NULL && strlen(root) < 50 ? root : "/tmp");
    assert_non_null(mkdtemp(out_folder));
    (void)snprintf(out_path, 80, "%s/punkt", out_folder);
    (void)snprintf(out_where, 90, "unix:%s", out_path);
}

static void test_unix_socket(void **state PUNKT_UNUSED)
{
    char folder[64];
    char path[80];
    char where[90];
    char address[128];
    struct failure failure = { "" };
    struct stat found;
    const struct net_options options = world_options();
    struct world *world = world_new(&options);
    make_folder(folder, path, where);
    if (net_listen(world->net, NET_LISTEN_PLAIN, where, address, sizeof(address), &failure) != PUNKT_OK)
        fail_msg("%s", failure.text);
    assert_string_equal(address, where);
    assert_int_equal(lstat(path, &found), 0);
    assert_int_equal(found.st_mode & 0777, 0660);
    const int fd = unix_dial(path);
    WORLD_UNTIL(world, world->sessions_count == 1);
    assert_true(world->sessions[0].peer.local);
    assert_true(world->sessions[0].peer.unix_socket);
    assert_int_equal(world->sessions[0].peer.unix_uid, getuid());
    assert_string_equal(world->sessions[0].peer.address, "unix");
    client_send_frame(fd, 1, "near", 4);
    client_expect(world, fd, 1, "near", 4);
    /* Somebody answers on it, so nobody else may take it. */
    assert_int_equal(net_listen(world->net, NET_LISTEN_PLAIN, where, address, sizeof(address), &failure),
                     PUNKT_BUSY);
    close(fd);
    world_free(world);
    assert_int_equal(lstat(path, &found), -1); /* it leaves nothing behind */
    assert_int_equal(rmdir(folder), 0);
}

/* A killed daemon leaves its socket: the next one removes it. A file of another kind stays. */
static void test_stale_socket(void **state PUNKT_UNUSED)
{
    char folder[64];
    char path[80];
    char where[90];
    char address[128];
    struct failure failure = { "" };
    struct sockaddr_un there = { .sun_family = AF_UNIX };
    const struct net_options options = world_options();
    struct world *world = world_new(&options);
    make_folder(folder, path, where);
    (void)snprintf(there.sun_path, sizeof(there.sun_path), "%s", path);
    const int dead = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(dead, (const struct sockaddr *)&there, sizeof(there)), 0);
    close(dead);
    if (net_listen(world->net, NET_LISTEN_PLAIN, where, address, sizeof(address), &failure) != PUNKT_OK)
        fail_msg("%s", failure.text);
    const int fd = unix_dial(path);
    WORLD_UNTIL(world, world->sessions_count == 1);
    close(fd);
    net_stop_listening(world->net);

    const int file = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(file >= 0);
    close(file);
    assert_int_equal(net_listen(world->net, NET_LISTEN_PLAIN, where, address, sizeof(address), &failure),
                     PUNKT_BUSY);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses_refused),
        cmocka_unit_test(test_address_in_use),
        cmocka_unit_test(test_ipv6),
        cmocka_unit_test(test_socket_options),
        cmocka_unit_test(test_stop_listening),
        cmocka_unit_test(test_descriptors_run_out),
        cmocka_unit_test(test_slots_come_back),
        cmocka_unit_test(test_unix_socket),
        cmocka_unit_test(test_stale_socket),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
