/*
 * What an outbox costs a till, and how fast one drains: beside the same purchases without an outbox, and beside the
 * bare cost of making as many bytes durable on the same file system.
 *
 * usage: bench_till SERVER FOLDER [LINES]
 *
 * SERVER: a daemon with a new ledger. FOLDER: where the outbox goes; it decides what a sync costs. LINES: of each
 * receipt, 0 to 64; default 10. Everything is measured in turns, ROUNDS times; the medians of the rounds are printed.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <punkt.h>

#include "receipts.h"

#define ROUNDS 5
#define CALLS 500    /* of a kind in a round */
#define QUEUED 10000 /* as many as an outbox takes */
#define CARDS 1000   /* so that an account's history plays no part */
#define PATIENCE_MS 60000
#define FILE_BYTES (16 << 20) /* of the file that is synced: what an outbox takes at once */

enum measure {
    SYNC_US,   /* one pwrite and fdatasync of an operation's bytes */
    PLAIN_US,  /* a blocking purchase without an outbox */
    OUTBOX_US, /* with one */
    AWAY_US,   /* with one, while the link is known to be down */
    AWAY_P99_US,
    PIPELINED, /* purchases a second, without an outbox */
    DRAINED,   /* operations a second */
    OPERATION_BYTES,
    FILE_USED_BYTES,
    FILE_SIZE_BYTES,
    EMPTY_BYTES, /* memory of a handle whose outbox is new */
    FULL_BYTES,  /* with QUEUED operations */
    MEASURES
};

static const char *const names[MEASURES] = {
    [SYNC_US] = "pwrite and fdatasync of an operation's bytes, us",
    [PLAIN_US] = "blocking purchase without an outbox, us",
    [OUTBOX_US] = "blocking purchase with an outbox, us",
    [AWAY_US] = "purchase while the link is down, us",
    [AWAY_P99_US] = "one in a hundred of them is slower, us",
    [PIPELINED] = "pipelined purchases without an outbox, a second",
    [DRAINED] = "queued operations drained, a second",
    [OPERATION_BYTES] = "bytes of an operation in the outbox",
    [FILE_USED_BYTES] = "bytes of a full outbox that are in use",
    [FILE_SIZE_BYTES] = "bytes of its file",
    [EMPTY_BYTES] = "memory of a handle with an empty outbox, bytes",
    [FULL_BYTES] = "memory of a handle with a full outbox, bytes",
};

struct bench {
    const char *server, *folder;
    unsigned lines;
    unsigned receipt; /* the last one's number: none is used twice */
    unsigned answered;
    size_t memory; /* of the handle that counts */
    int64_t took[QUEUED];
    int64_t rounds[MEASURES][ROUNDS];
};

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void check(bool fine, const char *what)
{
    if (fine)
        return;
    (void)fprintf(stderr, "bench_till: %s\n", what);
    exit(1);
}

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static int64_t median(int64_t *values, size_t count)
{
    qsort(values, count, sizeof(values[0]), by_size);
    return values[count / 2];
}

/* As realloc; counts what the allocator gives, which is what the process pays. */
static void *counted(void *ctx, void *memory, size_t size)
{
    struct bench *bench = ctx;
    size_t before = malloc_usable_size(memory);
    if (size == 0) {
        bench->memory -= before;
        free(memory);
        return NULL;
    }
    void *moved = realloc(memory, size);
    if (moved != NULL)
        bench->memory += malloc_usable_size(moved) - before;
    return moved;
}

static void outbox_path(const struct bench *bench, const char *name, char path[PATH_MAX])
{
    (void)snprintf(path, PATH_MAX, "%s/%s", bench->folder, name);
}

/* outbox: the name of its file; NULL: without one. */
static struct punkt *open_till(struct bench *bench, const char *server, const char *outbox)
{
    char path[PATH_MAX];
    struct punkt *punkt;
    struct punkt_options options = PUNKT_INIT(options);
    options.server = server;
    options.store = "1";
    options.till = "1";
    options.resize = counted;
    options.resize_ctx = bench;
    if (outbox != NULL) {
        outbox_path(bench, outbox, path);
        options.outbox = path;
    }
    bench->memory = 0;
    check(punkt_new(&options, &punkt) == PUNKT_CALL_DONE, "cannot make a handle");
    return punkt;
}

static void remove_outbox(const struct bench *bench, const char *outbox)
{
    char path[PATH_MAX], lock[PATH_MAX + 8];
    outbox_path(bench, outbox, path);
    (void)snprintf(lock, sizeof(lock), "%s.lock", path);
    check(unlink(path) == 0, "cannot remove the outbox");
    (void)unlink(lock);
}

static void count_answer(struct punkt *punkt, const struct punkt_answer *answer, void *ctx)
{
    struct bench *bench = ctx;
    (void)punkt;
    check(answer->call == PUNKT_CALL_DONE, answer->text);
    bench->answered++;
}

/* The next receipt: submitted, or in a blocking call. */
static enum punkt_call sell(struct bench *bench, struct punkt *punkt, bool submit)
{
    struct punkt_line lines[RECEIPT_LINES_MAX];
    char codes[RECEIPT_LINES_MAX][16], card[24], receipt[16];
    struct punkt_purchase_request request = PUNKT_INIT(request);
    struct punkt_purchase_answer answer = PUNKT_ANSWER_INIT(answer);
    unsigned i = ++bench->receipt;
    (void)snprintf(card, sizeof(card), "%" PRIu64, RECEIPT_CARD_FIRST + i % CARDS);
    (void)snprintf(receipt, sizeof(receipt), "%u", i);
    request.card = card;
    request.receipt = receipt;
    request.operator_ = "7";
    request.lines = lines;
    request.line_count = bench->lines;
    request.amount = receipt_amount(i, bench->lines, lines, codes);
    request.timeout_ms = PATIENCE_MS;
    return submit ? punkt_submit_purchase(punkt, &request, count_answer, bench)
                  : punkt_purchase(punkt, &request, &answer);
}

static void issue(struct bench *bench)
{
    char card[24];
    struct punkt *punkt = open_till(bench, bench->server, NULL);
    struct punkt_card_issue_request request = PUNKT_INIT(request);
    struct punkt_card_issue_answer answer = PUNKT_ANSWER_INIT(answer);
    (void)snprintf(card, sizeof(card), "%" PRIu64, RECEIPT_CARD_FIRST);
    request.card = card;
    request.count = CARDS;
    check(punkt_card_issue(punkt, &request, &answer) == PUNKT_CALL_DONE, "cannot issue the cards");
    punkt_free(punkt);
}

/* The floor under everything that is to survive loss of power. */
static int64_t sync_us(struct bench *bench, size_t size)
{
    static const uint8_t bytes[65536];
    char path[PATH_MAX];
    outbox_path(bench, "floor", path);
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    check(fd >= 0 && size <= sizeof(bytes), "cannot make a file to sync");
    check(posix_fallocate(fd, 0, FILE_BYTES) == 0 && fsync(fd) == 0, "cannot fill the file to sync");
    for (size_t i = 0; i < CALLS; i++) {
        int64_t start = now_us();
        check(pwrite(fd, bytes, size, (off_t)(i * size)) == (ssize_t)size && fdatasync(fd) == 0,
              "cannot sync");
        bench->took[i] = now_us() - start;
    }
    (void)close(fd);
    (void)unlink(path);
    return median(bench->took, CALLS);
}

/* Blocking purchases, with an outbox or without. */
static int64_t blocking_us(struct bench *bench, const char *outbox)
{
    struct punkt *punkt = open_till(bench, bench->server, outbox);
    check(punkt_connect(punkt, PATIENCE_MS, NULL) == PUNKT_CALL_DONE, "cannot connect");
    for (size_t i = 0; i < CALLS; i++) {
        int64_t start = now_us();
        check(sell(bench, punkt, false) == PUNKT_CALL_DONE, "a purchase was not done");
        bench->took[i] = now_us() - start;
    }
    punkt_free(punkt);
    if (outbox != NULL)
        remove_outbox(bench, outbox);
    return median(bench->took, CALLS);
}

/* Fills the outbox; nobody listens where it sends to. */
static void fill(struct bench *bench, const char *outbox, int64_t out[MEASURES])
{
    char nobody[PATH_MAX + 16], path[PATH_MAX];
    struct stat file;
    (void)snprintf(nobody, sizeof(nobody), "unix:%s/nobody", bench->folder);
    outbox_path(bench, outbox, path);
    struct punkt *punkt = open_till(bench, nobody, outbox);
    struct punkt_outbox_info empty = PUNKT_INIT(empty), full = PUNKT_INIT(full);
    punkt_outbox_info(punkt, &empty);
    out[EMPTY_BYTES] = (int64_t)bench->memory;
    for (size_t i = 0; i < QUEUED; i++) {
        int64_t start = now_us();
        check(sell(bench, punkt, false) == PUNKT_CALL_QUEUED, "a purchase was not queued");
        bench->took[i] = now_us() - start;
    }
    punkt_outbox_info(punkt, &full);
    check(full.queued == QUEUED && stat(path, &file) == 0, "the outbox has not what was queued");
    out[FULL_BYTES] = (int64_t)bench->memory;
    out[OPERATION_BYTES] = (int64_t)((full.bytes - empty.bytes) / QUEUED);
    out[FILE_USED_BYTES] = (int64_t)full.bytes;
    out[FILE_SIZE_BYTES] = (int64_t)file.st_size;
    punkt_free(punkt);
    /* The first call finds out that nobody is there. */
    out[AWAY_US] = median(bench->took + 1, QUEUED - 1);
    out[AWAY_P99_US] = bench->took[QUEUED / 100 * 99];
}

static int64_t drained_per_second(struct bench *bench, const char *outbox)
{
    int64_t start = now_us();
    struct punkt *punkt = open_till(bench, bench->server, outbox);
    struct punkt_outbox_info info = PUNKT_INIT(info);
    for (punkt_outbox_info(punkt, &info); info.queued > 0; punkt_outbox_info(punkt, &info))
        (void)punkt_drive(punkt, -1);
    int64_t took = now_us() - start;
    check(info.dead == 0 && info.kept == QUEUED, "what was queued was not booked");
    punkt_free(punkt);
    remove_outbox(bench, outbox);
    return INT64_C(1000000) * QUEUED / took;
}

/* With the default window, which is that of an outbox, too. */
static int64_t pipelined_per_second(struct bench *bench)
{
    unsigned sent = 0;
    struct punkt *punkt = open_till(bench, bench->server, NULL);
    bench->answered = 0;
    int64_t start = now_us();
    while (bench->answered < QUEUED) {
        for (; sent < QUEUED && punkt_room(punkt) > 0; sent++)
            check(sell(bench, punkt, true) == PUNKT_CALL_DONE, "a purchase was not taken");
        (void)punkt_drive(punkt, -1);
    }
    int64_t took = now_us() - start;
    punkt_free(punkt);
    return INT64_C(1000000) * QUEUED / took;
}

static void measure_round(struct bench *bench, unsigned round)
{
    int64_t out[MEASURES] = { 0 };
    fill(bench, "queue", out);
    out[SYNC_US] = sync_us(bench, (size_t)out[OPERATION_BYTES]);
    out[PLAIN_US] = blocking_us(bench, NULL);
    out[OUTBOX_US] = blocking_us(bench, "outbox");
    out[PIPELINED] = pipelined_per_second(bench);
    out[DRAINED] = drained_per_second(bench, "queue");
    for (size_t i = 0; i < MEASURES; i++)
        bench->rounds[i][round] = out[i];
}

static void print(struct bench *bench)
{
    int64_t of[MEASURES];
    for (size_t i = 0; i < MEASURES; i++) {
        of[i] = median(bench->rounds[i], ROUNDS);
        printf("%-52s %12" PRId64 "   (%" PRId64 " to %" PRId64 ")\n", names[i], of[i], bench->rounds[i][0],
               bench->rounds[i][ROUNDS - 1]);
    }
    printf("with an outbox / without: %.2f; more by %.2f syncs; while the link is down: %.2f syncs; "
           "drained / pipelined: %.2f\n",
           (double)of[OUTBOX_US] / (double)of[PLAIN_US],
           (double)(of[OUTBOX_US] - of[PLAIN_US]) / (double)of[SYNC_US],
           (double)of[AWAY_US] / (double)of[SYNC_US], (double)of[DRAINED] / (double)of[PIPELINED]);
}

int main(int argc, char **argv)
{
    static struct bench bench = { .lines = 10 };
    if (argc < 3 || argc > 4 || (argc == 4 && !receipt_parse(argv[3], 0, RECEIPT_LINES_MAX, &bench.lines))) {
        (void)fputs("usage: bench_till SERVER FOLDER [LINES]\n", stderr);
        return 2;
    }
    bench.server = argv[1];
    bench.folder = argv[2];
    issue(&bench);
    for (unsigned round = 0; round < ROUNDS; round++)
        measure_round(&bench, round);
    print(&bench);
    return 0;
}
