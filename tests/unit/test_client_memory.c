/*
 * Memory of a handle: all of it comes from the caller's function and goes back to it, and when there is none, at
 * whichever allocation, the call says so or goes on. What was told as booked is booked once, what was told as not taken
 * is not booked.
 */
#include <limits.h>
#include <poll.h>
#include <punkt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "client_server.h"

#define SALES 3
#define NUMBERS_MAX 64
#define ROUNDS_MAX 2000

/* --- the caller's memory --- */

static struct {
    unsigned long calls;
    unsigned long fail_from;  /* calls from this one on are in vain, */
    unsigned long fail_count; /* so many of them */
    unsigned long held;
} memory;

static void *resize(void *ctx, void *at, size_t size)
{
    assert_ptr_equal(ctx, &memory);
    if (size == 0) {
        assert_non_null(at);
        memory.held--;
        free(at);
        return NULL;
    }
    memory.calls++;
    if (memory.calls >= memory.fail_from && memory.calls - memory.fail_from < memory.fail_count)
        return NULL;
    void *anew = realloc(at, size);
    assert_non_null(anew);
    memory.held += at == NULL;
    return anew;
}

static void memory_begin(unsigned long fail_from, unsigned long fail_count)
{
    memory.calls = 0;
    memory.fail_from = fail_from;
    memory.fail_count = fail_count;
}

/* --- the server --- */

static struct server server;
static atomic_bool finished; /* the server may end when the client hangs up */

/* What the server knows, of the thread of its script until that has ended. A receipt is named by its amount. */
static struct {
    uint64_t epoch[2 * ROUNDS_MAX];
    uint64_t expected[2 * ROUNDS_MAX];
    size_t epochs;
    unsigned booked[ROUNDS_MAX * SALES + 1];
} ledger;

static uint64_t *expected_number(struct server *s)
{
    size_t i = 0;
    while (i < ledger.epochs && ledger.epoch[i] != s->hello_epoch)
        i++;
    if (i == ledger.epochs) {
        ledger.epoch[i] = s->hello_epoch;
        ledger.expected[i] = 1;
        ledger.epochs++;
    }
    return &ledger.expected[i];
}

static void serve_purchase(struct server *s)
{
    static max_align_t space[4096];
    struct message_memory lists = { .at = (uint8_t *)space, .left = sizeof(space) };
    struct msg_purchase_request sale = { .amount = 0 };
    uint64_t number = server_expect(s, OPERATION_PURCHASE);
    uint64_t *expected = expected_number(s);
    server_decode(s, MESSAGE_purchase_request, &lists, &sale);
    if (!server_good(s))
        return;
    if (number > *expected || sale.amount > (uint64_t)ROUNDS_MAX * SALES) {
        server_fail(s, "number %d where %d was expected", (int)number, (int)*expected);
        return;
    }
    bool replayed = number < *expected;
    if (!replayed) {
        ledger.booked[sale.amount]++;
        ++*expected;
    }
    server_done_purchase(s, number, replayed ? FRAME_FLAG_REPLAYED : 0);
}

/* False: the client has hung up, or this waits for it in vain. */
static bool wait_frame(struct server *s)
{
    struct pollfd poll_fd = { .fd = s->connection, .events = POLLIN };
    char byte;
    return poll(&poll_fd, 1, SERVER_PATIENCE_MS) > 0 && recv(s->connection, &byte, 1, MSG_PEEK) > 0;
}

/* A connection each; the client closes those for whose bytes it has no memory. */
static void script_sales(struct server *s)
{
    while (server_good(s) && !atomic_load(&finished)) {
        server_accept(s);
        if (!server_good(s) || !wait_frame(s))
            continue;
        server_hello(s);
        while (server_good(s) && wait_frame(s))
            serve_purchase(s);
        if (s->connection_closed)
            s->failure[0] = '\0';
    }
}

/* --- the till --- */

/* How often each sale must have been booked in the end. */
static unsigned wanted[ROUNDS_MAX * SALES + 1];
static uint64_t sales_made;
static char folder[64];
static char outbox_path[96];

static enum punkt_call open_handle(const char *address, bool stored, struct punkt **out)
{
    const struct punkt_options options = { .size = sizeof(options),
                                           .server = address,
                                           .timeout_ms = 9000,
                                           .outbox = stored ? outbox_path : NULL,
                                           .store = "S",
                                           .till = "T",
                                           .resize = resize,
                                           .resize_ctx = &memory };
    return punkt_new(&options, out);
}

static enum punkt_call sell(struct punkt *punkt, uint32_t timeout_ms)
{
    static const struct punkt_line line[] = {
        { .size = sizeof(line[0]), .code = "A", .amount = 0 },
        { .size = sizeof(line[0]), .code = "B", .amount = 0, .kind = PUNKT_LINE_DISCOUNT },
    };
    struct punkt_line lines[] = { line[0], line[1] };
    char receipt[24];
    uint64_t sale = ++sales_made;
    lines[0].amount = (int64_t)sale;
    (void)snprintf(receipt, sizeof(receipt), "R%llu", (unsigned long long)sale);
    const struct punkt_purchase_request request = { .size = sizeof(request),
                                                    .timeout_ms = timeout_ms,
                                                    .card = "1",
                                                    .amount = (int64_t)sale,
                                                    .receipt = receipt,
                                                    .lines = lines,
                                                    .line_count = 2 };
    struct punkt_purchase_answer answer = PUNKT_ANSWER_INIT(answer);
    enum punkt_call call = punkt_purchase(punkt, &request, &answer);
    while (call == PUNKT_CALL_UNKNOWN)
        call = punkt_repeat(punkt, answer.head.number, 9000, &answer.head);
    assert_int_equal(call, answer.head.call);
    if (call == PUNKT_CALL_DONE && answer.earned != (int64_t)answer.head.number)
        fail_msg("%d points for number %d", (int)answer.earned, (int)answer.head.number);
    if (call != PUNKT_CALL_DONE && call != PUNKT_CALL_QUEUED && call != PUNKT_CALL_NO_MEMORY &&
        call != PUNKT_CALL_NOT_STORED && call != PUNKT_CALL_NOT_SENT)
        fail_msg("a sale ended as %s, %s", answer.head.name, answer.head.detail);
    wanted[sale] = call == PUNKT_CALL_DONE || call == PUNKT_CALL_QUEUED;
    return call;
}

static uint64_t queued(const struct punkt *punkt)
{
    struct punkt_outbox_info info = PUNKT_INIT(info);
    punkt_outbox_info(punkt, &info);
    return info.queued;
}

static void end_handle(struct punkt *punkt, bool drained)
{
    for (unsigned turn = 0; drained && queued(punkt) > 0; turn++) {
        assert_true(turn < 1000);
        (void)punkt_drive(punkt, 1000);
    }
    punkt_free(punkt);
    assert_int_equal(memory.held, 0);
}

/* Sells while some allocations fail. False: none of them was reached. */
static bool sell_in_need(bool stored, unsigned long fail_from, unsigned long fail_count)
{
    struct punkt *punkt;
    (void)unlink(outbox_path); /* what it remembers would take more memory each time */
    memory_begin(fail_from, fail_count);
    enum punkt_call call = open_handle(server.address, stored, &punkt);
    if (call != PUNKT_CALL_DONE) {
        assert_int_equal(call, PUNKT_CALL_NO_MEMORY);
        assert_null(punkt);
        assert_int_equal(memory.held, 0);
        return true;
    }
    for (unsigned i = 0; i < SALES; i++)
        (void)sell(punkt, 0);
    bool reached = memory.calls >= fail_from;
    memory_begin(ULONG_MAX, 0);
    call = sell(punkt, 0); /* there is memory again; a link that was lost for want of it may not be up yet */
    assert_true(call == PUNKT_CALL_DONE || (stored && call == PUNKT_CALL_QUEUED));
    end_handle(punkt, stored);
    return reached;
}

/* Queues sales without a server, and opens their outbox again while some allocations fail. */
static bool reopen_in_need(unsigned long fail_from, unsigned long fail_count)
{
    struct punkt *punkt;
    (void)unlink(outbox_path);
    memory_begin(ULONG_MAX, 0);
    assert_int_equal(open_handle("unix:/nonexistent/socket", true, &punkt), PUNKT_CALL_DONE);
    for (unsigned i = 0; i < SALES; i++)
        assert_int_equal(sell(punkt, 1), PUNKT_CALL_QUEUED);
    end_handle(punkt, false);

    memory_begin(fail_from, fail_count);
    enum punkt_call call = open_handle(server.address, true, &punkt);
    if (call == PUNKT_CALL_DONE) {
        for (unsigned turn = 0; turn < 4; turn++)
            (void)punkt_drive(punkt, 10);
        punkt_free(punkt);
    } else {
        assert_int_equal(call, PUNKT_CALL_NO_MEMORY);
    }
    assert_int_equal(memory.held, 0);
    bool reached = memory.calls >= fail_from;
    memory_begin(ULONG_MAX, 0);
    assert_int_equal(open_handle(server.address, true, &punkt), PUNKT_CALL_DONE);
    end_handle(punkt, true);
    return reached;
}

/* --- rounds --- */

static void rounds_begin(void)
{
    memset(&ledger, 0, sizeof(ledger));
    memset(wanted, 0, sizeof(wanted));
    sales_made = 0;
    memory.held = 0;
    atomic_store(&finished, false);
    server_start(&server, NULL, script_sales);
}

/* The script ends with its client; then both sides' stories are compared. */
static void rounds_end(void)
{
    struct punkt *punkt;
    memory_begin(ULONG_MAX, 0);
    assert_int_equal(open_handle(server.address, false, &punkt), PUNKT_CALL_DONE);
    assert_int_equal(sell(punkt, 0), PUNKT_CALL_DONE);
    atomic_store(&finished, true);
    end_handle(punkt, false);
    server_join(&server);
    for (uint64_t sale = 1; sale <= sales_made; sale++) {
        if (ledger.booked[sale] != wanted[sale])
            fail_msg("sale %d was booked %u times instead of %u", (int)sale, ledger.booked[sale],
                     wanted[sale]);
    }
}

static void every_allocation_fails_once(bool stored)
{
    unsigned long fail_from = 1;
    rounds_begin();
    while (sell_in_need(stored, fail_from, 1))
        assert_true(++fail_from < ROUNDS_MAX / 2);
    assert_true(fail_from > 5);
    rounds_end();
}

static void without_an_outbox(void **state)
{
    (void)state;
    every_allocation_fails_once(false);
}

static void with_an_outbox(void **state)
{
    (void)state;
    every_allocation_fails_once(true);
}

static void none_for_a_while(void **state)
{
    (void)state;
    rounds_begin();
    for (unsigned long fail_from = 1; fail_from < 40; fail_from += 3) {
        (void)sell_in_need(false, fail_from, 5);
        (void)sell_in_need(true, fail_from, 5);
    }
    rounds_end();
}

static void an_outbox_that_is_opened_again(void **state)
{
    unsigned long fail_from = 1;
    (void)state;
    rounds_begin();
    while (reopen_in_need(fail_from, 1))
        assert_true(++fail_from < ROUNDS_MAX / 2);
    assert_true(fail_from > 5);
    rounds_end();
}

static int make_folder(void **state)
{
    (void)state;
    const char *base = getenv("TMPDIR");
    (void)snprintf(folder, sizeof(folder), "%.40s/memory-XXXXXX", base != NULL ? base : "/tmp");
    if (mkdtemp(folder) == NULL)
        return -1;
    (void)snprintf(outbox_path, sizeof(outbox_path), "%s/outbox", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    char lock_path[sizeof(outbox_path) + 8];
    (void)snprintf(lock_path, sizeof(lock_path), "%s.lock", outbox_path);
    (void)unlink(lock_path);
    (void)unlink(outbox_path);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_an_outbox),
        cmocka_unit_test(with_an_outbox),
        cmocka_unit_test(none_for_a_while),
        cmocka_unit_test(an_outbox_that_is_opened_again),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
