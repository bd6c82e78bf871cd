/*
 * Lanes over real sockets: strictly in order, whatever connections, repeats, fetches and crashes do; what may be
 * tried again holds back what comes behind it.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "../unit/random.h"
#include "proto/frame.h"
#include "punkt.h"
#include "talk.h"
#include "world.h"

#define CARD "2900000000018"
#define EPOCH UINT64_C(0x0123456789abcdef)
#define WINDOW 64 /* in_flight_max of the settings' defaults */

/* Bodies of answers by number, to be compared with those of repeats. */
struct kept {
    uint16_t type;
    uint8_t body[512];
    size_t size;
};

static void keep(struct kept *kept, const struct talk_answer *answer)
{
    assert_true(answer->body_size <= sizeof(kept->body));
    kept->type = answer->type;
    kept->size = answer->body_size;
    memcpy(kept->body, answer->body, answer->body_size);
}

static void expect_kept(const struct kept *kept, const struct talk_answer *answer)
{
    assert_int_equal(answer->type, kept->type);
    assert_int_equal(answer->body_size, kept->size);
    assert_memory_equal(answer->body, kept->body, kept->size);
}

static void send_purchase(struct talk *talk, uint64_t number, uint64_t amount, const char *receipt)
{
    struct msg_purchase_request purchase = talk_purchase(CARD, amount, receipt);
    talk_send(talk, OPERATION_PURCHASE, 0, number, &purchase);
}

static void buy(struct talk *talk, uint64_t number)
{
    send_purchase(talk, number, 100, "");
    (void)talk_expect(talk, OPERATION_PURCHASE, number);
}

/* --- order --- */

static void test_gap(void **state)
{
    struct world *world = world_new(NULL);
    struct talk *talk = talk_hello(world_address(world), EPOCH, 1, NULL);
    (void)state;
    uint64_t events = talk_totals(talk).events;
    for (uint64_t number = 2; number <= 5; number++)
        send_purchase(talk, number, 100, "");
    for (uint64_t number = 2; number <= 5; number++)
        (void)talk_expect_refusal(talk, OPERATION_PURCHASE, number, RESULT_OUT_OF_ORDER);
    assert_int_equal(talk_status(talk, EPOCH, 2).state, 0);
    assert_int_equal(talk_totals(talk).events, events);
    talk_issue(talk, 1, CARD, 1);
    send_purchase(talk, 3, 100, "");
    (void)talk_expect_refusal(talk, OPERATION_PURCHASE, 3, RESULT_OUT_OF_ORDER);
    for (uint64_t number = 2; number <= 5; number++)
        buy(talk, number);
    assert_int_equal(talk_card(talk, CARD).available, 4);
    talk_free(talk);
    world_free(world);
}

/* A body that cannot be read is a final answer; flags that mean nothing are not. */
static void test_malformed(void **state)
{
    struct world *world = world_new(NULL);
    struct talk *talk = talk_hello(world_address(world), EPOCH, 1, NULL);
    struct msg_purchase_request purchase = talk_purchase(CARD, 100, "");
    uint8_t header[FRAME_HEADER_SIZE];
    struct msg_hello_answer hello;
    (void)state;
    talk_issue(talk, 1, CARD, 1);
    uint64_t events = talk_totals(talk).events;
    frame_put_header(header, 0, OPERATION_PURCHASE, 0, 2);
    for (int twice = 0; twice < 2; twice++) {
        talk_send_bytes(talk, header, sizeof(header));
        (void)talk_expect_refusal(talk, OPERATION_PURCHASE, 2, RESULT_MALFORMED);
    }
    assert_int_equal(talk_totals(talk).events, events);
    send_purchase(talk, 2, 100, ""); /* the number is gone, and not for this */
    (void)talk_expect_refusal(talk, OPERATION_PURCHASE, 2, RESULT_CONFLICT);
    buy(talk, 3);
    talk_send(talk, OPERATION_PURCHASE, 0x0100, 4, &purchase);
    (void)talk_expect_refusal(talk, OPERATION_PURCHASE, 4, RESULT_MALFORMED);
    buy(talk, 4);
    talk_send_bytes(talk, header, sizeof(header)); /* malformed, and not the next: it changes nothing */
    struct talk_answer answer;
    assert_true(talk_receive(talk, &answer));
    buy(talk, 5);
    talk_free(talk);
    /* After a crash only the client knows of a malformed last number, and says so at hello. */
    frame_put_header(header, 0, OPERATION_PURCHASE, 0, 6);
    talk = talk_hello(world_address(world), EPOCH, 6, NULL);
    talk_send_bytes(talk, header, sizeof(header));
    (void)talk_expect_refusal(talk, OPERATION_PURCHASE, 6, RESULT_MALFORMED);
    talk_free(talk);
    world_kill(world);
    world_start(world);
    talk = talk_hello(world_address(world), EPOCH, 7, &hello);
    assert_int_equal(hello.last_booked, 5);
    buy(talk, 7);
    assert_int_equal(talk_card(talk, CARD).available, 4);
    talk_free(talk);
    world_free(world);
}

static void test_last_booked(void **state)
{
    struct world *world = world_new(NULL);
    struct msg_hello_answer hello;
    struct talk *talk = talk_hello(world_address(world), EPOCH, 1, &hello);
    (void)state;
    assert_int_equal(hello.last_booked, 0);
    assert_int_equal(hello.in_flight_max, WINDOW);
    talk_issue(talk, 1, CARD, 1);
    for (uint64_t number = 2; number <= 9; number++)
        buy(talk, number);
    send_purchase(talk, 11, 100, "");
    (void)talk_expect_refusal(talk, OPERATION_PURCHASE, 11, RESULT_OUT_OF_ORDER);
    talk_free(talk_hello(world_address(world), EPOCH, 1, &hello));
    assert_int_equal(hello.last_booked, 9);
    talk_free(talk_hello(world_address(world), EPOCH + 1, 1, &hello));
    assert_int_equal(hello.last_booked, 0);
    talk_free(talk_hello(world_address(world), 0, 1, &hello));
    assert_int_equal(hello.last_booked, 0);
    talk_free(talk);
    world_kill(world);
    world_start(world);
    talk = talk_hello(world_address(world), EPOCH, 1, &hello);
    assert_int_equal(hello.last_booked, 9);
    buy(talk, 10);
    talk_free(talk);
    world_free(world);
}

/* A connection that named no lane reads only. */
static void test_no_lane(void **state)
{
    struct world *world = world_new(NULL);
    struct talk *talk = talk_hello(world_address(world), 0, 1, NULL);
    (void)state;
    send_purchase(talk, 1, 100, "");
    (void)talk_expect_refusal(talk, OPERATION_PURCHASE, 1, RESULT_MALFORMED);
    assert_int_equal(talk_totals(talk).accounts, 0);
    talk_free(talk);
    talk = talk_hello(world_address(world), EPOCH, 1, NULL);
    send_purchase(talk, 0, 100, "");
    (void)talk_expect_refusal(talk, OPERATION_PURCHASE, 0, RESULT_MALFORMED);
    talk_issue(talk, 1, CARD, 1);
    talk_free(talk);
    world_free(world);
}

/* --- the same number twice at once --- */

/* One lane, two connections; both send the same numbers. Each is booked once, and both hear the same. */
static void test_two_connections(void **state)
{
    enum { BATCH = 16 };
    static struct kept kept[BATCH];
    struct random random = random_seeded();
    struct world *world = world_new(NULL);
    struct talk *talks[2] = { talk_hello(world_address(world), EPOCH, 1, NULL),
                              talk_hello(world_address(world), EPOCH, 1, NULL) };
    uint64_t rounds = world_long() ? 2000 : 200;
    uint64_t next = 2;
    int64_t earned = 0;
    (void)state;
    talk_issue(talks[0], 1, CARD, 1);
    for (uint64_t round = 0; round < rounds; round++, next += BATCH) {
        uint64_t split = random_below(&random, BATCH + 1);
        for (uint64_t i = 0; i < BATCH; i++) {
            struct msg_purchase_request purchase =
                talk_purchase(CARD, 100 * (1 + random_below(&random, 9)), "");
            earned += (int64_t)purchase.amount / 100;
            for (int side = 0; side < 2; side++)
                talk_put(talks[side], OPERATION_PURCHASE, 0, next + i, &purchase);
            if (i == split) /* one of them sends the first part before the other sends anything */
                talk_flush(talks[round % 2]);
        }
        talk_flush(talks[0]);
        talk_flush(talks[1]);
        unsigned firsts[BATCH] = { 0 };
        for (int side = 0; side < 2; side++) {
            for (uint64_t i = 0; i < BATCH; i++) {
                struct talk_answer answer = talk_expect(talks[side], OPERATION_PURCHASE, next + i);
                firsts[i] += (answer.flags & FRAME_FLAG_REPLAYED) == 0;
                if (side == 0)
                    keep(&kept[i], &answer);
                else
                    expect_kept(&kept[i], &answer);
            }
        }
        for (uint64_t i = 0; i < BATCH; i++)
            assert_int_equal(firsts[i], 1);
    }
    struct msg_totals_answer totals = talk_totals(talks[0]);
    assert_int_equal(totals.earned, earned);
    assert_int_equal(totals.events, 2 + rounds * BATCH);
    talk_free(talks[0]);
    talk_free(talks[1]);
    world_free(world);
}

/* --- windows with fetches in them --- */

/* The i-th request of a window: purchases and the returns of them, whose sales must be read back. */
static enum operation window_put(struct talk *talk, uint64_t first_number, uint64_t i)
{
    uint64_t number = first_number + i;
    char receipt[32];
    (void)snprintf(receipt, sizeof(receipt), "%llu", (unsigned long long)(number - i % 3));
    struct msg_purchase_request purchase = talk_purchase(CARD, 1000, receipt);
    struct msg_redeem_request redeem = talk_redeem(CARD, i % 2 == 0 ? 1 : 1000000);
    struct msg_return_request returned;
    if (i % 3 == 0) {
        talk_put(talk, OPERATION_PURCHASE, 0, number, &purchase);
        return OPERATION_PURCHASE;
    }
    if (i % 3 == 2) {
        talk_put(talk, OPERATION_REDEEM, 0, number, &redeem);
        return OPERATION_REDEEM;
    }
    message_init(MESSAGE_return_request, &returned);
    returned.card = talk_code(CARD);
    returned.amount = 300;
    returned.store = talk_code("1");
    returned.till = talk_code("1");
    (void)snprintf(receipt, sizeof(receipt), "%llu", (unsigned long long)(number - 1));
    returned.sale_receipt = talk_code(receipt);
    talk_put(talk, OPERATION_RETURN, 0, number, &returned);
    return OPERATION_RETURN;
}

/* Sends a window whole and expects its answers in order. Repeats: those that were kept, flagged. */
static void window_exchange(struct talk *talk, uint64_t first_number, uint64_t repeats,
                            struct kept kept[WINDOW])
{
    enum operation operations[WINDOW];
    for (uint64_t i = 0; i < WINDOW; i++)
        operations[i] = window_put(talk, first_number, i);
    talk_flush(talk);
    for (uint64_t i = 0; i < WINDOW; i++) {
        struct talk_answer answer;
        assert_true(talk_receive(talk, &answer));
        assert_int_equal(answer.number, first_number + i);
        assert_int_equal(answer.type & FRAME_TYPE_OPERATION, operations[i]);
        bool refused = operations[i] == OPERATION_REDEEM && i % 2 == 1;
        assert_int_equal((answer.type & FRAME_TYPE_DONE) != 0, !refused);
        assert_int_equal(answer.flags, i < repeats ? FRAME_FLAG_REPLAYED : 0);
        if (i < repeats)
            expect_kept(&kept[i], &answer);
        else
            keep(&kept[i], &answer);
    }
}

static void test_window(void **state)
{
    static struct kept kept[WINDOW];
    struct world *world = world_new(NULL);
    struct talk *talk = talk_hello(world_address(world), EPOCH, 1, NULL);
    uint64_t rounds = world_long() ? 100 : 10;
    uint64_t number = 2;
    (void)state;
    talk_issue(talk, 1, CARD, 1);
    for (uint64_t round = 0; round < rounds; round++, number += WINDOW)
        window_exchange(talk, number, 0, kept);
    struct msg_totals_answer totals = talk_totals(talk);
    assert_int_equal(totals.events, 2 + rounds * WINDOW);
    assert_int_equal(totals.returned, 3 * 21 * rounds);
    window_exchange(talk, number - WINDOW, WINDOW, kept);
    talk_free(talk);
    world_kill(world);
    world_start(world);
    talk = talk_hello(world_address(world), EPOCH, number - WINDOW, NULL);
    window_exchange(talk, number - WINDOW, WINDOW, kept);
    assert_int_equal(talk_totals(talk).events, totals.events);
    talk_free(talk);
    world_free(world);
}

/* The first half of a window is booked and its answers are lost in a crash; all of it is sent again. The repeats
 * must be read back, what is new need not, and still the answers come in order. */
static void test_repeats_before_new(void **state)
{
    static struct kept kept[WINDOW];
    struct world *world = world_new(NULL);
    uint64_t rounds = world_long() ? 30 : 5;
    uint64_t number = 2;
    (void)state;
    struct talk *talk = talk_hello(world_address(world), EPOCH, 1, NULL);
    talk_issue(talk, 1, CARD, 1);
    for (uint64_t round = 0; round < rounds; round++, number += WINDOW) {
        uint64_t half = 1 + round * 7 % (WINDOW - 1);
        for (uint64_t i = 0; i < half; i++)
            (void)window_put(talk, number, i);
        talk_flush(talk);
        for (uint64_t i = 0; i < half; i++) {
            struct talk_answer answer;
            assert_true(talk_receive(talk, &answer));
            keep(&kept[i], &answer);
        }
        talk_free(talk);
        world_kill(world);
        world_start(world);
        talk = talk_hello(world_address(world), EPOCH, number, NULL);
        window_exchange(talk, number, half, kept);
    }
    assert_int_equal(talk_totals(talk).events, 2 + rounds * WINDOW);
    talk_free(talk);
    world_free(world);
}

/* --- no space --- */

static bool write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    if (fd >= 0)
        (void)close(fd);
    return done;
}

/* A mount table of our own, as root or as root of our own users. Before any thread is started. */
static bool own_mounts(void)
{
    char map[64];
    uid_t uid = getuid();
    gid_t gid = getgid();
    if (unshare(CLONE_NEWNS) != 0) {
        if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
            return false;
        (void)write_text("/proc/self/setgroups", "deny");
        (void)snprintf(map, sizeof(map), "0 %u 1", (unsigned)uid);
        if (!write_text("/proc/self/uid_map", map))
            return false;
        (void)snprintf(map, sizeof(map), "0 %u 1", (unsigned)gid);
        if (!write_text("/proc/self/gid_map", map))
            return false;
    }
    return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

static bool small_disk; /* set by main */

/* Takes all of a file system but some bytes; removing the file gives it back. */
static void fill(const char *path, const char *folder, uint64_t leave)
{
    struct statvfs space;
    assert_int_equal(statvfs(folder, &space), 0);
    uint64_t left = (uint64_t)space.f_bavail * space.f_frsize;
    assert_true(left > leave);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(posix_fallocate(fd, 0, (off_t)(left - leave)), 0);
    (void)close(fd);
}

/* Purchases under number, then the following ones, until this is what the server says. Returns the number. */
static uint64_t buy_until(struct talk *talk, uint64_t number, enum result wanted)
{
    for (int64_t start = world_now_ms();; world_patience(start)) {
        struct talk_answer answer;
        send_purchase(talk, number, 100, "");
        assert_true(talk_receive(talk, &answer));
        assert_int_equal(answer.number, number);
        enum result result = talk_result(talk, &answer);
        if (result == wanted)
            return number;
        assert_true(result == RESULT_DONE || result == RESULT_STORAGE_FULL);
        if (result == RESULT_DONE)
            number++;
        for (int i = 0; i < 200; i++) /* looks at the space are rare; do not fill it meanwhile */
            talk_ping(talk);
    }
}

/* New business is refused, with what is behind it in the lane; everything that reads goes on. */
static void expect_full(const char *address, struct talk *talk, uint64_t number)
{
    uint8_t header[FRAME_HEADER_SIZE];
    uint64_t events = talk_totals(talk).events;
    for (uint64_t i = 0; i < 3; i++)
        send_purchase(talk, number + i, 100, "");
    (void)talk_expect_refusal(talk, OPERATION_PURCHASE, number, RESULT_STORAGE_FULL);
    (void)talk_expect_refusal(talk, OPERATION_PURCHASE, number + 1, RESULT_OUT_OF_ORDER);
    (void)talk_expect_refusal(talk, OPERATION_PURCHASE, number + 2, RESULT_OUT_OF_ORDER);
    struct talk *other = talk_hello(address, EPOCH + 1, 1, NULL);
    send_purchase(other, 1, 100, "");
    (void)talk_expect_refusal(other, OPERATION_PURCHASE, 1, RESULT_STORAGE_FULL);
    /* What comes first in the table of results is the answer. */
    frame_put_header(header, 0, OPERATION_PURCHASE, 0, 1);
    talk_send_bytes(other, header, sizeof(header));
    (void)talk_expect_refusal(other, OPERATION_PURCHASE, 1, RESULT_MALFORMED);
    talk_free(other);
    send_purchase(talk, 2, 100, "");
    struct talk_answer answer = talk_expect(talk, OPERATION_PURCHASE, 2);
    assert_int_equal(answer.flags, FRAME_FLAG_REPLAYED);
    assert_int_equal(talk_status(talk, EPOCH, number).state, 0);
    assert_int_equal(talk_status(talk, EPOCH, number - 1).state, 1);
    assert_int_equal(talk_card(talk, CARD).available, (int64_t)number - 2);
    assert_int_equal(talk_totals(talk).events, events);
}

static void test_storage_full(void **state)
{
    char disk[] = "/tmp/punkt-test-disk-XXXXXX";
    char filler[64];
    (void)state;
    if (!small_disk)
        skip();
    assert_non_null(mkdtemp(disk));
    assert_int_equal(mount("punkt-test", disk, "tmpfs", 0, "size=64m"), 0);
    const char *before = getenv("TMPDIR");
    assert_int_equal(setenv("TMPDIR", disk, 1), 0);
    struct world *world = world_new(NULL);
    (void)(before != NULL ? setenv("TMPDIR", before, 1) : unsetenv("TMPDIR"));
    struct talk *talk = talk_hello(world_address(world), EPOCH, 1, NULL);
    talk_issue(talk, 1, CARD, 1);
    buy(talk, 2);
    (void)snprintf(filler, sizeof(filler), "%s/filler", disk);
    fill(filler, disk, 12u << 20); /* under the 16 MiB of journal.reserve_mib */
    uint64_t number = buy_until(talk, 3, RESULT_STORAGE_FULL);
    expect_full(world_address(world), talk, number);
    /* A start finds it as full, and serves what it can. */
    talk_free(talk);
    world_stop(world);
    world_start(world);
    talk = talk_hello(world_address(world), EPOCH, number, NULL);
    expect_full(world_address(world), talk, number);
    /* It resumes by itself, and the number that was refused goes first. */
    assert_int_equal(unlink(filler), 0);
    assert_int_equal(buy_until(talk, number, RESULT_DONE), number);
    buy(talk, number + 1);
    buy(talk, number + 2);
    assert_int_equal(talk_card(talk, CARD).available, (int64_t)number + 1);
    talk_free(talk);
    world_free(world);
    assert_int_equal(umount2(disk, MNT_DETACH), 0);
    assert_int_equal(rmdir(disk), 0);
}

/* --- epochs --- */

static struct punkt *handle(const struct world *world)
{
    struct punkt_options options = { .size = sizeof(options), .server = world_address(world) };
    struct punkt *punkt;
    assert_int_equal(punkt_new(&options, &punkt), PUNKT_CALL_DONE);
    return punkt;
}

static void handle_buys(struct punkt *punkt, uint64_t wanted_number)
{
    struct punkt_purchase_request purchase = { .size = sizeof(purchase), .card = CARD, .amount = 100 };
    struct punkt_purchase_answer answer = PUNKT_ANSWER_INIT(answer);
    assert_int_equal(punkt_purchase(punkt, &purchase, &answer), PUNKT_CALL_DONE);
    assert_false(answer.head.replayed);
    assert_int_equal(answer.head.number, wanted_number);
}

/* Two processes of one program, started alike, name different lanes. */
static uint64_t epoch_of_a_process(const struct world *world)
{
    struct run run;
    unsigned long long epoch;
    world_json(world, &run, "--timeout", "0.2", "redeem", CARD, "1", NULL);
    assert_int_equal(run.exit_code, 6);
    const char *retry = strstr(run.err, "\"retry\":\"");
    assert_non_null(retry);
    assert_int_equal(sscanf(retry, "\"retry\":\"%llx:1\"", &epoch), 1);
    run_done(&run);
    return epoch;
}

/*
 * No number is used twice, wherever a till's files go. A handle of this version keeps no files: it makes a new
 * epoch each time it is opened, so what is tested here is that handles and processes never share one, also when
 * everything a till and a ledger have was copied to another machine and both go on. When the outbox comes, a
 * copied outbox file joins this test: opened twice, its new requests go under two new epochs, and those that it
 * held are booked once by whoever comes first.
 */
static void test_epochs(void **state)
{
    const struct world_options stopped = { .stopped = true };
    struct world *here = world_new(NULL);
    struct world *there = world_new(&stopped);
    (void)state;
    struct talk *talk = talk_hello(world_address(here), EPOCH, 1, NULL);
    talk_issue(talk, 1, CARD, 1);
    talk_free(talk);
    struct punkt *first = handle(here);
    handle_buys(first, 1);
    handle_buys(first, 2);
    uint64_t epochs[5] = { punkt_epoch(first) };
    punkt_free(first);
    world_stop(here);
    epochs[1] = epoch_of_a_process(here);
    epochs[2] = epoch_of_a_process(here);
    world_copy_data(here, there);
    world_start(here);
    world_start(there);
    struct punkt *second = handle(here), *copy = handle(there);
    handle_buys(second, 1);
    handle_buys(copy, 1);
    epochs[3] = punkt_epoch(second);
    epochs[4] = punkt_epoch(copy);
    for (int i = 0; i < 5; i++) {
        assert_true(epochs[i] != 0);
        for (int k = 0; k < i; k++)
            assert_true(epochs[i] != epochs[k]);
    }
    /* What was booked before the copy is known to both, what came later to one. */
    for (int place = 0; place < 2; place++) {
        talk = talk_hello(world_address(place == 0 ? here : there), 0, 1, NULL);
        assert_int_equal(talk_status(talk, epochs[0], 2).state, 1);
        assert_int_equal(talk_status(talk, epochs[3], 1).state, place == 0);
        assert_int_equal(talk_status(talk, epochs[4], 1).state, place == 1);
        assert_int_equal(talk_card(talk, CARD).available, 3);
        talk_free(talk);
    }
    punkt_free(second);
    punkt_free(copy);
    world_free(here);
    world_free(there);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gap),
        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_last_booked),
        cmocka_unit_test(test_no_lane),
        cmocka_unit_test(test_two_connections),
        cmocka_unit_test(test_window),
        cmocka_unit_test(test_repeats_before_new),
        cmocka_unit_test(test_storage_full),
        cmocka_unit_test(test_epochs),
    };
    small_disk = own_mounts();
    if (!small_disk)
        printf("no mounts of our own: the full disk is not tested\n");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
