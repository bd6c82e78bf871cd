/*
 * Clients that are slow, silent, greedy, too many or gone: each ends as its limit says, and a till beside them
 * works on. Nothing here is measured; what must come is waited for, what must not end too early is timed.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proto/frame.h"
#include "talk.h"
#include "world.h"

#define CARD "2900000000018"
#define EPOCH UINT64_C(0x0123456789abcdef)
#define TICK_MS 20 /* between two bytes of a slow client */

#define TIMEOUT_MS 1000
#define SHORT_LIMITS                                                                                         \
    WORLD_JOURNAL "limits:\n  hello_timeout_ms: 1000\n  frame_timeout_ms: 1000\n  drain_timeout_ms: 1000\n"

/* The till beside them: as long as it works, the others did no harm. */
struct till {
    struct talk *talk;
    uint64_t next;
};

static struct till till_open(const struct world *world)
{
    struct till till = { talk_hello(world_address(world), EPOCH, 1, NULL), 2 };
    talk_issue(till.talk, 1, CARD, 1);
    return till;
}

static void till_works(struct till *till)
{
    struct msg_purchase_request purchase = talk_purchase(CARD, 100, "");
    talk_send(till->talk, OPERATION_PURCHASE, 0, till->next, &purchase);
    (void)talk_expect(till->talk, OPERATION_PURCHASE, till->next++);
    talk_ping(till->talk);
}

/* Checks what it booked, and closes. */
static void till_close(struct till *till)
{
    assert_int_equal(talk_card(till->talk, CARD).available, (int64_t)till->next - 2);
    assert_int_equal(talk_totals(till->talk).events, till->next);
    talk_free(till->talk);
}

/* Whether the server has closed it, looked for up to wait_ms; reads and drops what came before. */
static bool closed(int fd, int wait_ms)
{
    char bytes[4096];
    struct pollfd ready = { .fd = fd, .events = POLLIN };
    while (poll(&ready, 1, wait_ms) > 0) {
        ssize_t got = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
        if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
            return true;
    }
    return false;
}

/* A byte, if the connection still takes one. */
static void trickle(int fd)
{
    (void)send(fd, "", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* --- slow --- */

/* Bytes that trickle do not extend a time-out: neither hello's nor a frame's. */
static void test_slowloris(void **state)
{
    enum { SLOW = 20 };
    const struct world_options options = { .settings = SHORT_LIMITS };
    struct world *world = world_new(&options);
    struct till till = till_open(world);
    struct talk *slow[SLOW];
    uint8_t header[FRAME_HEADER_SIZE];
    bool gone[SLOW] = { false };
    int left = SLOW;
    (void)state;
    int64_t start = world_now_ms();
    for (int i = 0; i < SLOW; i++) {
        bool hello_said = i % 2 == 0;
        slow[i] = hello_said ? talk_hello(world_address(world), (uint64_t)i + 1, 1, NULL)
                             : talk_open(world_address(world));
        frame_put_header(header, hello_said ? FRAME_BODY_MAX : FRAME_BODY_MAX_BEFORE_HELLO,
                         hello_said ? OPERATION_PURCHASE : OPERATION_HELLO, 0, 1);
        /* Some trickle the header, too. */
        talk_send_bytes(slow[i], header, i % 4 < 2 ? sizeof(header) : 1);
    }
    while (left > 0) {
        world_patience(start);
        till_works(&till);
        (void)closed(talk_fd(slow[0]), TICK_MS); /* the pause; whoever is gone is seen below */
        for (int i = 0; i < SLOW; i++) {
            if (gone[i])
                continue;
            gone[i] = closed(talk_fd(slow[i]), 0);
            left -= gone[i];
            if (!gone[i])
                trickle(talk_fd(slow[i]));
        }
        if (left < SLOW)
            assert_true(world_now_ms() - start > TIMEOUT_MS - 100);
    }
    for (int i = 0; i < SLOW; i++)
        talk_free(slow[i]);
    till_close(&till);
    world_free(world);
}

/* Who says nothing is closed, who pings is not. */
static void test_silent(void **state)
{
    const struct world_options options = { .settings = WORLD_JOURNAL "limits:\n  idle_timeout_ms: 1000\n" };
    struct world *world = world_new(&options);
    struct till till = till_open(world);
    struct talk *silent = talk_hello(world_address(world), EPOCH + 1, 1, NULL);
    int64_t start = world_now_ms();
    (void)state;
    while (!closed(talk_fd(silent), TICK_MS)) {
        world_patience(start);
        till_works(&till);
    }
    assert_true(world_now_ms() - start > TIMEOUT_MS - 100);
    talk_free(silent);
    till_close(&till);
    world_free(world);
}

/* --- many --- */

/* More sockets than may be unproven, all silent. Who is known works on, and newcomers come in by and by. */
static void test_unproven(void **state)
{
    enum { SOCKETS = 600 };
    static int fds[SOCKETS];
    const struct world_options options = { .settings = SHORT_LIMITS };
    struct world *world = world_new(&options);
    struct till till = till_open(world);
    (void)state;
    for (int i = 0; i < SOCKETS; i++) {
        fds[i] = talk_dial(world_address(world));
        if (i % 10 == 0)
            till_works(&till);
    }
    struct talk *late = talk_hello(world_address(world), EPOCH + 1, 1, NULL);
    talk_ping(late);
    talk_free(late);
    int64_t start = world_now_ms();
    for (int i = 0; i < SOCKETS;) {
        world_patience(start);
        till_works(&till);
        if (!closed(fds[i], TICK_MS))
            continue;
        (void)close(fds[i]);
        i++;
    }
    till_close(&till);
    world_free(world);
}

/* Raises the soft limit of our own descriptors; returns how many connections that is good for. */
static unsigned descriptors(unsigned wanted)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    rlim_t needed = wanted + 100;
    if (limit.rlim_cur < needed) {
        limit.rlim_cur = limit.rlim_max < needed ? limit.rlim_max : needed;
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    }
    return limit.rlim_cur < needed ? (unsigned)limit.rlim_cur - 100 : wanted;
}

static void test_idle_connections(void **state)
{
    struct world *world = world_new(NULL);
    struct till till = till_open(world);
    unsigned count = descriptors(world_long() ? 5000 : 2000);
    struct talk **idle = calloc(count, sizeof(struct talk *));
    (void)state;
    assert_non_null(idle);
    printf("%u idle connections\n", count);
    for (unsigned i = 0; i < count; i++) {
        idle[i] = talk_hello(world_address(world), i + 1, 1, NULL);
        if (i % 50 == 0)
            till_works(&till);
    }
    for (int i = 0; i < 100; i++)
        till_works(&till);
    for (unsigned i = 0; i < count; i++) {
        talk_ping(idle[i]);
        talk_free(idle[i]);
    }
    free(idle);
    till_close(&till);
    world_free(world);
}

/* Connects and says hello, whether or not the server takes it. */
static int say_hello(const struct world *world)
{
    struct msg_hello_request hello;
    uint8_t frame[64];
    int fd = talk_dial(world_address(world));
    message_init(MESSAGE_hello_request, &hello);
    hello.version_min = hello.version_max = PROTOCOL_VERSION;
    struct wire_writer writer =
        wire_writer_over(frame + FRAME_HEADER_SIZE, sizeof(frame) - FRAME_HEADER_SIZE);
    message_encode(MESSAGE_hello_request, &hello, &writer);
    frame_put_header(frame, (uint32_t)wire_written(&writer), OPERATION_HELLO, 0, 1);
    (void)send(fd, frame, FRAME_HEADER_SIZE + wire_written(&writer), MSG_NOSIGNAL);
    return fd;
}

/* A full window of purchases, again and again; about 1 KiB of the journal each. */
static void till_hurries(struct till *till, uint64_t purchases)
{
    enum { WINDOW = 64, LINES = 12 };
    static struct msg_line lines[LINES];
    for (int i = 0; i < LINES; i++) {
        message_init(MESSAGE_line, &lines[i]);
        lines[i].code = talk_code("ARTICLE-THAT-IS-NAMED-AT-LENGTH!");
        lines[i].category = talk_code("CATEGORY-THAT-IS-NAMED-AT-LENGTH");
        lines[i].amount = i == 0 ? 100 : 0;
    }
    for (uint64_t i = 0; i < purchases; i += WINDOW) {
        for (uint64_t k = 0; k < WINDOW; k++) {
            struct msg_purchase_request purchase = talk_purchase(CARD, 100, "");
            purchase.lines = lines;
            purchase.lines_count = LINES;
            talk_put(till->talk, OPERATION_PURCHASE, 0, till->next + k, &purchase);
        }
        talk_flush(till->talk);
        for (uint64_t k = 0; k < WINDOW; k++)
            (void)talk_expect(till->talk, OPERATION_PURCHASE, till->next + k);
        till->next += WINDOW;
    }
}

/* Newcomers are let in again, if not at once: the listener may rest a moment, and closes who comes before. */
static void expect_let_in(const struct world *world)
{
    struct run run = { .exit_code = -1 };
    for (int64_t start = world_now_ms(); run.exit_code != 0; world_patience(start)) {
        world_json(world, &run, "--timeout", "2", "ping", NULL);
        run_done(&run);
    }
}

/* How many of the sockets were served, and how many shut at once; the others wait. */
static void count_sockets(const int *fds, int count, int *out_served, int *out_shut)
{
    char byte;
    *out_served = *out_shut = 0;
    for (int i = 0; i < count; i++) {
        ssize_t got = recv(fds[i], &byte, 1, MSG_PEEK | MSG_DONTWAIT);
        *out_served += got > 0;
        *out_shut += got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
    }
}

/*
 * Few descriptors. Some get in and are served, others are closed, and not all are given away: the ledger goes on
 * meanwhile, into new files of the journal and back into old ones. When there is room again, everybody gets in.
 */
static void test_few_descriptors(void **state)
{
    enum { DESCRIPTORS = 64, KEPT = 16, SOCKETS = 100 };
    const struct world_options options = { .descriptors_max = DESCRIPTORS };
    struct world *world = world_new(&options);
    struct till till = till_open(world);
    struct msg_purchase_request purchase = talk_purchase(CARD, 100, "");
    int fds[SOCKETS];
    int served = 0, shut = 0;
    (void)state;
    for (int i = 0; i < SOCKETS; i++)
        fds[i] = say_hello(world);
    for (int64_t start = world_now_ms(); served == 0 || shut == 0; world_patience(start)) {
        till_works(&till);
        count_sockets(fds, SOCKETS, &served, &shut);
    }
    till_hurries(&till, world_long() ? 100000 : 20000); /* 8,000 fill a file of the journal */
    /* The first purchase is in the oldest file. */
    talk_send(till.talk, OPERATION_PURCHASE, 0, 2, &purchase);
    assert_int_equal(talk_expect(till.talk, OPERATION_PURCHASE, 2).flags, FRAME_FLAG_REPLAYED);
    count_sockets(fds, SOCKETS, &served, &shut);
    assert_in_range(served, 1, DESCRIPTORS - KEPT - 4);
    for (int i = 0; i < SOCKETS; i++)
        (void)close(fds[i]);
    expect_let_in(world);
    till_close(&till);
    world_free(world);
}

/* --- gone --- */

/* Clients that go in the middle of something: by reset, half closed, in the middle of a frame. */
static void test_half_open(void **state)
{
    enum { ROUNDS = 60 };
    const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };
    const struct world_options options = { .settings = SHORT_LIMITS };
    struct world *world = world_new(&options);
    struct till till = till_open(world);
    uint8_t header[FRAME_HEADER_SIZE];
    uint64_t booked = 0;
    (void)state;
    frame_put_header(header, 100, OPERATION_PURCHASE, 0, 1);
    for (uint64_t i = 0; i < ROUNDS; i++) {
        struct talk *talk = talk_hello(world_address(world), i + 1, 1, NULL);
        struct msg_purchase_request purchase = talk_purchase(CARD, 0, "");
        if (i % 3 == 0) { /* what it asked before is answered */
            talk_send(talk, OPERATION_PURCHASE, 0, 1, &purchase);
            assert_int_equal(shutdown(talk_fd(talk), SHUT_WR), 0);
            (void)talk_expect(talk, OPERATION_PURCHASE, 1);
            talk_expect_end(talk);
            booked++;
        } else if (i % 3 == 1) { /* half a frame, then gone */
            talk_send_bytes(talk, header, sizeof(header));
            assert_int_equal(setsockopt(talk_fd(talk), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)), 0);
        } else { /* half a frame, then only half gone: nothing more can come */
            talk_send_bytes(talk, header, sizeof(header));
            assert_int_equal(shutdown(talk_fd(talk), SHUT_WR), 0);
            talk_expect_end(talk);
        }
        talk_free(talk);
        till_works(&till);
    }
    assert_int_equal(talk_totals(till.talk).events, till.next + booked);
    talk_free(till.talk);
    world_free(world);
}

/* --- greedy --- */

/* A length that nobody may announce: refused and closed, however much comes behind it. */
static void test_huge_length(void **state)
{
    enum { SOCKETS = 50 };
    static const uint8_t noise[65536];
    const struct world_options options = { .settings = SHORT_LIMITS };
    struct world *world = world_new(&options);
    struct till till = till_open(world);
    uint8_t header[FRAME_HEADER_SIZE];
    (void)state;
    for (uint64_t i = 0; i < SOCKETS; i++) {
        struct talk *talk = talk_hello(world_address(world), i + 1, 1, NULL);
        frame_put_header(header, i % 2 == 0 ? UINT32_MAX : FRAME_BODY_MAX + 1, OPERATION_PURCHASE, 0, 1);
        talk_send_bytes(talk, header, sizeof(header));
        if (i % 3 != 0) /* as much as the server's socket takes */
            (void)send(talk_fd(talk), noise, sizeof(noise), MSG_NOSIGNAL | MSG_DONTWAIT);
        (void)talk_expect_refusal(talk, OPERATION_PURCHASE, 1, RESULT_FRAME_TOO_LARGE);
        talk_expect_end(talk);
        talk_free(talk);
        till_works(&till);
    }
    till_close(&till);
    world_free(world);
}

/* Many of the largest frames, none of them ever whole: they share a small pool, and small requests need none. */
static void test_unfinished_frames(void **state)
{
    enum { SOCKETS = 16 };
    static const uint8_t noise[256 * 1024];
    const struct world_options options = { .settings = SHORT_LIMITS "  pool_mib: 4\n" };
    struct world *world = world_new(&options);
    struct till till = till_open(world);
    struct talk *talks[SOCKETS];
    uint8_t header[FRAME_HEADER_SIZE];
    (void)state;
    frame_put_header(header, FRAME_BODY_MAX, OPERATION_PURCHASE, 0, 1);
    for (uint64_t i = 0; i < SOCKETS; i++) {
        talks[i] = talk_hello(world_address(world), i + 1, 1, NULL);
        talk_send_bytes(talks[i], header, sizeof(header));
        (void)send(talk_fd(talks[i]), noise, sizeof(noise), MSG_NOSIGNAL | MSG_DONTWAIT);
        till_works(&till);
    }
    int64_t start = world_now_ms();
    for (int i = 0; i < SOCKETS;) {
        world_patience(start);
        till_works(&till);
        i += closed(talk_fd(talks[i]), TICK_MS);
    }
    for (int i = 0; i < SOCKETS; i++)
        talk_free(talks[i]);
    till_close(&till);
    world_free(world);
}

/* Asks for long answers and never reads one: it is not read either, then closed. */
static void test_never_reads(void **state)
{
    enum { SOCKETS = 4, TEXT = 60 * 1024 };
    static char programme[TEXT];
    const struct world_options options = { .settings = SHORT_LIMITS, .programme = programme };
    uint8_t ask[FRAME_HEADER_SIZE];
    struct talk *talks[SOCKETS];
    const int small = 4096;
    (void)state;
    memset(programme, '#', sizeof(programme) - 1);
    int size =
        snprintf(programme, sizeof(programme),
                 "programme: p\ncurrency: EUR\nbase:\n  - rule: spend\n    points: 1\n    amount: 1.00\n#");
    programme[size] = '#';
    memcpy(programme + sizeof(programme) - 6, "\n...\n", 6);
    struct world *world = world_new(&options);
    struct till till = till_open(world);
    frame_put_header(ask, 0, OPERATION_PROGRAMME_SHOW, 0, 1);
    for (uint64_t i = 0; i < SOCKETS; i++) {
        talks[i] = talk_hello(world_address(world), i + 1, 1, NULL);
        (void)setsockopt(talk_fd(talks[i]), SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
    }
    int64_t start = world_now_ms();
    for (int i = 0; i < SOCKETS;) {
        struct pollfd gone = { .fd = talk_fd(talks[i]), .events = POLLRDHUP };
        world_patience(start);
        till_works(&till);
        for (int k = i; k < SOCKETS; k++)
            (void)send(talk_fd(talks[k]), ask, sizeof(ask), MSG_NOSIGNAL | MSG_DONTWAIT);
        i += poll(&gone, 1, 0) > 0;
    }
    for (int i = 0; i < SOCKETS; i++)
        talk_free(talks[i]);
    till_close(&till);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slowloris),       cmocka_unit_test(test_silent),
        cmocka_unit_test(test_unproven),        cmocka_unit_test(test_idle_connections),
        cmocka_unit_test(test_few_descriptors), cmocka_unit_test(test_half_open),
        cmocka_unit_test(test_huge_length),     cmocka_unit_test(test_unfinished_frames),
        cmocka_unit_test(test_never_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
