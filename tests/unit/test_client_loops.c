/* The adapters for event loops: punkt_poll.h and punkt_libevent.h. */
#include <poll.h>
#include <punkt_libevent.h>
#include <punkt_poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "client_server.h"

#define SHORT_MS 150    /* a deadline that is meant to pass */
#define PATIENT_MS 9000 /* one that is not */
#define HANDLES_MAX 2

/* How requests ended; waiting for so many. */
struct ends {
    unsigned wanted;
    unsigned count;
    enum punkt_call calls[8];
    unsigned again; /* submit so many more from the callbacks, and kick */
    struct punkt_libevent *kick;
};

static struct server servers[HANDLES_MAX];
static char folder[64]; /* of outboxes */
static char outbox_paths[HANDLES_MAX][80];
static struct ends settled; /* what had ended as QUEUED */

static void submit_ping(struct punkt *punkt, uint32_t timeout_ms, struct ends *ends);

static void on_answer(struct punkt *punkt, const struct punkt_answer *answer, void *ctx)
{
    struct ends *ends = ctx;
    assert_in_range(ends->count, 0, 7);
    ends->calls[ends->count++] = answer->call;
    if (ends->again == 0)
        return;
    ends->again--;
    submit_ping(punkt, PATIENT_MS, ends);
    if (ends->kick != NULL)
        assert_int_equal(punkt_libevent_kick(ends->kick), 0);
}

static void submit_ping(struct punkt *punkt, uint32_t timeout_ms, struct ends *ends)
{
    struct punkt_plain_request request = { .size = sizeof(request), .timeout_ms = timeout_ms };
    assert_int_equal(punkt_submit_ping(punkt, &request, on_answer, ends), PUNKT_CALL_DONE);
}

static void submit_purchase(struct punkt *punkt, struct ends *ends)
{
    struct punkt_purchase_request request = {
        .size = sizeof(request), .timeout_ms = PATIENT_MS, .card = "2900000000018", .amount = 10500
    };
    assert_int_equal(punkt_submit_purchase(punkt, &request, on_answer, ends), PUNKT_CALL_DONE);
}

/* --- both loops: turns until so many requests have ended; returns how many turns that took --- */

struct driver {
    unsigned (*drive)(struct punkt *const *handles, size_t count, struct ends *ends);
    bool stored; /* handles have an outbox: their descriptor stays, and stands for two connections */
};

static unsigned drive_by_poll(struct punkt *const *handles, size_t count, struct ends *ends)
{
    unsigned turns = 0;
    for (; ends->count < ends->wanted; turns++) {
        struct pollfd polled[HANDLES_MAX];
        int wait_ms = -1;
        for (size_t i = 0; i < count; i++)
            wait_ms = punkt_poll_prepare(handles[i], &polled[i], wait_ms);
        (void)poll(polled, (nfds_t)count, wait_ms);
        for (size_t i = 0; i < count; i++)
            (void)punkt_poll_process(handles[i], &polled[i]);
    }
    return turns;
}

static unsigned drive_by_libevent(struct punkt *const *handles, size_t count, struct ends *ends)
{
    struct punkt_libevent attached[HANDLES_MAX];
    struct event_base *base = event_base_new();
    unsigned turns = 0;
    for (size_t i = 0; i < count; i++)
        assert_int_equal(punkt_libevent_attach(&attached[i], base, handles[i]), 0);
    ends->kick = &attached[0];
    for (; ends->count < ends->wanted; turns++)
        assert_int_equal(event_base_loop(base, EVLOOP_ONCE), 0);
    ends->kick = NULL;
    for (size_t i = 0; i < count; i++)
        punkt_libevent_detach(&attached[i]);
    assert_int_equal(event_base_get_num_events(base, EVENT_BASE_COUNT_ADDED | EVENT_BASE_COUNT_ACTIVE), 0);
    event_base_free(base);
    return turns;
}

static struct driver by_poll = { drive_by_poll, false };
static struct driver by_libevent = { drive_by_libevent, false };
static struct driver stored_by_poll = { drive_by_poll, true };
static struct driver stored_by_libevent = { drive_by_libevent, true };

static unsigned drive(void **state, struct punkt *const *handles, size_t count, struct ends *ends)
{
    const struct driver *driver = *state;
    return driver->drive(handles, count, ends);
}

static struct punkt *handle_to(const char *address, bool stored, size_t index)
{
    struct punkt *punkt;
    struct punkt_options options = { .size = sizeof(options), .server = address };
    if (stored) {
        settled = (struct ends){ .wanted = 1 };
        options.on_settled = on_answer;
        options.ctx = &settled;
        options.outbox = outbox_paths[index];
        options.store = "1";
        options.till = index == 0 ? "1" : "2";
    }
    assert_int_equal(punkt_new(&options, &punkt), PUNKT_CALL_DONE);
    return punkt;
}

static struct punkt *start(void **state, size_t index, server_script_fn *script)
{
    const struct driver *driver = *state;
    server_start(&servers[index], NULL, script);
    return handle_to(servers[index].address, driver != NULL && driver->stored, index);
}

static void finish(size_t index, struct punkt *punkt)
{
    punkt_free(punkt);
    server_join(&servers[index]);
}

static int make_folder(void **state)
{
    (void)state;
    const char *base = getenv("TMPDIR");
    (void)snprintf(folder, sizeof(folder), "%.40s/loops-XXXXXX", base != NULL ? base : "/tmp");
    if (mkdtemp(folder) == NULL)
        return -1;
    for (size_t i = 0; i < HANDLES_MAX; i++)
        (void)snprintf(outbox_paths[i], sizeof(outbox_paths[i]), "%s/%c", folder, (char)('0' + i));
    return 0;
}

/* After each test, for the next begins with empty outboxes. */
static int remove_outboxes(void **state)
{
    (void)state;
    for (size_t i = 0; i < HANDLES_MAX; i++) {
        char lock_path[sizeof(outbox_paths[0]) + 8];
        (void)snprintf(lock_path, sizeof(lock_path), "%.79s.lock", outbox_paths[i]);
        (void)unlink(lock_path);
        (void)unlink(outbox_paths[i]);
    }
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

/* --- a descriptor that changes --- */

static void script_lost_twice(struct server *s)
{
    for (int i = 0; i < 2; i++) {
        server_welcome(s);
        server_expect_number(s, OPERATION_PURCHASE, 1);
        server_close(s);
    }
    server_welcome(s);
    server_expect_number(s, OPERATION_PURCHASE, 1);
    server_done_purchase(s, 1, 0);
    server_expect_close(s);
}

/* The new socket mostly has the number of the old one, which a loop may take for the same. */
static void reconnects(void **state)
{
    struct ends ends = { .wanted = 1 };
    struct punkt *punkt = start(state, 0, script_lost_twice);
    int fd = punkt_fd(punkt);
    submit_purchase(punkt, &ends);
    drive(state, &punkt, 1, &ends);
    if (((const struct driver *)*state)->stored) {
        assert_int_equal(ends.calls[0], PUNKT_CALL_QUEUED); /* once the link was lost */
        drive(state, &punkt, 1, &settled);
        assert_int_equal(settled.calls[0], PUNKT_CALL_DONE);
        assert_int_equal(punkt_fd(punkt), fd);
    } else {
        assert_int_equal(ends.calls[0], PUNKT_CALL_DONE);
        assert_int_equal(fd, -1);
    }
    finish(0, punkt);
}

/* --- time --- */

static void script_silent(struct server *s)
{
    server_welcome(s);
    (void)server_expect(s, OPERATION_PING);
    server_expect_close(s);
}

static void deadlines(void **state)
{
    struct ends ends = { .wanted = 1 };
    struct punkt *punkt = start(state, 0, script_silent);
    submit_ping(punkt, SHORT_MS, &ends);
    unsigned turns = drive(state, &punkt, 1, &ends);
    assert_int_equal(ends.calls[0], PUNKT_CALL_UNKNOWN);
    assert_in_range(turns, 1, 20); /* nobody spins while nothing happens */
    finish(0, punkt);
}

/* Without a server there is no descriptor most of the time, only attempts. */
static void nobody_there(void **state)
{
    struct ends ends = { .wanted = 1 };
    struct punkt *punkt = handle_to("127.0.0.1:1", ((const struct driver *)*state)->stored, 0);
    submit_ping(punkt, SHORT_MS, &ends);
    unsigned turns = drive(state, &punkt, 1, &ends);
    assert_int_equal(ends.calls[0], PUNKT_CALL_NOT_SENT);
    assert_in_range(turns, 1, 30);
    punkt_free(punkt);
}

/* --- several handles, and submitting from callbacks --- */

static void script_pings(struct server *s)
{
    server_welcome(s);
    for (int i = 0; i < 2; i++) {
        struct msg_ping_answer answer = { .time = UINT64_C(1700000000000000) };
        server_done(s, OPERATION_PING, server_expect(s, OPERATION_PING), 0, &answer);
    }
    server_expect_close(s);
}

static void two_handles(void **state)
{
    struct punkt *handles[HANDLES_MAX];
    struct ends ends = { .wanted = 4 };
    for (size_t i = 0; i < HANDLES_MAX; i++) {
        handles[i] = start(state, i, script_pings);
        submit_ping(handles[i], PATIENT_MS, &ends);
        submit_ping(handles[i], PATIENT_MS, &ends);
    }
    drive(state, handles, HANDLES_MAX, &ends);
    for (size_t i = 0; i < HANDLES_MAX; i++) {
        assert_int_equal(ends.calls[2 * i], PUNKT_CALL_DONE);
        assert_int_equal(ends.calls[2 * i + 1], PUNKT_CALL_DONE);
        assert_int_equal(punkt_unanswered(handles[i]), 0);
        finish(i, handles[i]);
    }
}

static void submits_from_callback(void **state)
{
    struct ends ends = { .wanted = 2, .again = 1 };
    struct punkt *punkt = start(state, 0, script_pings);
    submit_ping(punkt, PATIENT_MS, &ends);
    drive(state, &punkt, 1, &ends);
    assert_int_equal(ends.calls[1], PUNKT_CALL_DONE);
    finish(0, punkt);
}

/* --- libevent alone --- */

static void script_purchases(struct server *s)
{
    server_welcome(s);
    for (uint64_t i = 1; i <= 2; i++) {
        server_expect_number(s, OPERATION_PURCHASE, i);
        server_done_purchase(s, i, 0);
    }
    server_expect_close(s);
}

static void kick_wakes(void **state)
{
    struct punkt_libevent attached;
    struct ends ends = { .wanted = 2 };
    struct event_base *base = event_base_new();
    struct punkt *punkt = start(state, 0, script_purchases);
    assert_int_equal(punkt_libevent_attach(&attached, base, punkt), 0);
    for (unsigned i = 1; i <= ends.wanted; i++) {
        submit_purchase(punkt, &ends);
        assert_int_equal(punkt_libevent_kick(&attached), 0);
        for (unsigned turns = 0; ends.count < i; turns++) {
            assert_in_range(turns, 0, 20);
            assert_int_equal(event_base_loop(base, EVLOOP_ONCE), 0);
        }
        assert_int_equal(ends.calls[i - 1], PUNKT_CALL_DONE);
    }
    /* Connected and idle it waits, for bytes and for the time to keep alive, and not for room to send. */
    assert_int_equal(event_pending(&attached.event, EV_READ | EV_WRITE | EV_TIMEOUT, NULL),
                     EV_READ | EV_TIMEOUT);
    assert_in_range(punkt_timeout_ms(punkt), 1000, 60000);
    punkt_libevent_detach(&attached);
    event_base_free(base);
    finish(0, punkt);
}

static void script_closes(struct server *s)
{
    server_welcome(s);
    (void)server_expect(s, OPERATION_PING);
    server_close(s);
}

/* What a callback opens may get the number of the socket that was just closed. */
struct opened {
    struct event_base *base;
    int handle_fd;
    int pair[2];
    struct event event;
    unsigned ended;
    unsigned read;
};

static void on_byte(evutil_socket_t fd, short what, void *ctx)
{
    char byte;
    struct opened *opened = ctx;
    (void)what;
    assert_int_equal(read(fd, &byte, 1), 1);
    opened->read++;
}

static void open_in_callback(struct punkt *punkt, const struct punkt_answer *answer, void *ctx)
{
    struct opened *opened = ctx;
    (void)answer;
    assert_int_equal(punkt_fd(punkt), -1);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, opened->pair), 0);
    assert_true(opened->pair[0] == opened->handle_fd || opened->pair[1] == opened->handle_fd);
    int other = opened->pair[0] == opened->handle_fd ? opened->pair[1] : opened->pair[0];
    event_assign(&opened->event, opened->base, opened->handle_fd, EV_READ, on_byte, opened);
    assert_int_equal(event_add(&opened->event, NULL), 0);
    assert_int_equal(write(other, "x", 1), 1);
    opened->ended++;
}

static void number_comes_again(void **state)
{
    struct punkt_libevent attached;
    struct opened opened = { .base = event_base_new() };
    struct punkt_plain_request request = { .size = sizeof(request), .timeout_ms = 2 * SHORT_MS };
    struct punkt *punkt = start(state, 0, script_closes);
    assert_int_equal(punkt_libevent_attach(&attached, opened.base, punkt), 0);
    assert_int_equal(punkt_submit_ping(punkt, &request, open_in_callback, &opened), PUNKT_CALL_DONE);
    assert_int_equal(punkt_libevent_kick(&attached), 0);
    struct punkt_server_info info = PUNKT_INIT(info);
    for (; !info.connected; punkt_server_info(punkt, &info))
        assert_int_equal(event_base_loop(opened.base, EVLOOP_ONCE), 0);
    opened.handle_fd = punkt_fd(punkt);
    /* The server has closed and the deadline has passed before the loop turns again: one round sees both. */
    struct pollfd closed = { .fd = opened.handle_fd, .events = POLLRDHUP };
    (void)poll(&closed, 1, PATIENT_MS);
    for (int due_ms; (due_ms = punkt_timeout_ms(punkt)) > 0;)
        (void)poll(NULL, 0, due_ms);
    while (opened.ended == 0 || opened.read == 0)
        assert_int_equal(event_base_loop(opened.base, EVLOOP_ONCE), 0);
    assert_int_equal(opened.ended, 1);
    punkt_libevent_detach(&attached);
    event_base_free(opened.base);
    (void)close(opened.pair[0]);
    (void)close(opened.pair[1]);
    finish(0, punkt);
}

#define ROW(test, driver)                                                                                    \
    {                                                                                                        \
#test " " #driver, test, NULL, remove_outboxes, &driver                                              \
    }
#define ROWS(test)                                                                                           \
    ROW(test, by_poll), ROW(test, by_libevent), ROW(test, stored_by_poll), ROW(test, stored_by_libevent)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROWS(reconnects),
        ROWS(deadlines),
        ROWS(nobody_there),
        ROWS(two_handles),
        ROWS(submits_from_callback),
        ROW(kick_wakes, by_libevent),
        ROW(kick_wakes, stored_by_libevent),
        ROW(number_comes_again, by_libevent),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
