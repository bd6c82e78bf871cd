/*
 * What many TLS connections cost a daemon: bench_tls WHAT ADDRESS PID COUNT IDENTITY...
 *
 * memory: so many connections, idle; prints the daemon's KiB for each
 * handshakes: one after the other; prints the microseconds of the daemon's processors for each, hello included
 * crowd: all at once, while the first identity sells; prints how many are served a second, the processor time of each,
 *        and what a sale took (p50, p99, longest) before and beside them, in microseconds
 *
 * PID: the daemon, on this machine. IDENTITY: identity files, which the connections use in turns.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <punkt.h>

#include "crowd.h"
#include "receipts.h"

#define SALES_MAX 100000
#define SALES_BEFORE 500
#define CARDS                                                                                                \
    10000 /* that the seller finds, from RECEIPT_CARD_FIRST on; one that is used too often is refused */
#define AT_ONCE 256 /* while memory is measured: the daemon takes no more than 512 that have proven nothing */

struct bench {
    const char *address;
    pid_t pid;
    unsigned count;
    const char *const *identities;
    unsigned identity_count;
};

static int64_t now_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int failed(const char *what)
{
    (void)fprintf(stderr, "bench_tls: %s\n", what);
    return 1;
}

static int come(const struct bench *bench, unsigned at_once, struct crowd **out_crowd)
{
    struct crowd *crowd = crowd_new(bench->identities, bench->identity_count, bench->count);
    *out_crowd = crowd;
    return crowd != NULL && crowd_come(crowd, bench->address, bench->count, at_once)
               ? 0
               : failed(crowd_failure());
}

static int measure_memory(const struct bench *bench)
{
    struct crowd *crowd;
    const int64_t before_kib = process_memory_kib(bench->pid);
    const int result = come(bench, AT_ONCE, &crowd);
    if (result == 0)
        (void)printf("%.1f\n", (double)(process_memory_kib(bench->pid) - before_kib) / (double)bench->count);
    crowd_free(crowd);
    return result;
}

static int measure_handshakes(const struct bench *bench)
{
    struct crowd *crowd;
    const int64_t before_ns = process_cpu_ns(bench->pid);
    const int result = come(bench, 1, &crowd);
    if (result == 0)
        (void)printf("%.0f\n",
                     (double)(process_cpu_ns(bench->pid) - before_ns) / 1000 / (double)bench->count);
    crowd_free(crowd);
    return result;
}

/* --- a crowd --- */

struct seller {
    struct punkt *punkt;
    unsigned sold;
    unsigned next_card;
    int64_t took_us[SALES_MAX];
};

static bool sell(struct seller *seller)
{
    char card[24];
    struct punkt_purchase_request request = { .size = sizeof(request), .card = card, .amount = 100 };
    struct punkt_purchase_answer answer = PUNKT_ANSWER_INIT(answer);
    (void)snprintf(card, sizeof(card), "%" PRIu64, RECEIPT_CARD_FIRST + seller->next_card++ % CARDS);
    const int64_t start_us = now_us();
    if (punkt_purchase(seller->punkt, &request, &answer) != PUNKT_CALL_DONE) {
        (void)fprintf(stderr, "bench_tls: no sale: %s\n", answer.head.text);
        return false;
    }
    seller->took_us[seller->sold++] = now_us() - start_us;
    return true;
}

static int by_length(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a;
    const int64_t y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static void print_sales(struct seller *seller)
{
    qsort(seller->took_us, seller->sold, sizeof(seller->took_us[0]), by_length);
    (void)printf(" %" PRId64 " %" PRId64 " %" PRId64, seller->took_us[seller->sold / 2],
                 seller->took_us[seller->sold * 99 / 100], seller->took_us[seller->sold - 1]);
    seller->sold = 0;
}

/* In a process of its own, for its handshakes must not hold up who measures. It prints how many a second were served. */
_Noreturn static void be_crowd(const struct bench *bench)
{
    struct crowd *crowd;
    const int64_t start_us = now_us();
    const int result = come(bench, bench->count, &crowd);
    if (result == 0)
        (void)printf("%.0f", (double)bench->count * 1e6 / (double)(now_us() - start_us));
    (void)fflush(stdout);
    _exit(result);
}

static int measure_crowd(const struct bench *bench)
{
    static struct seller seller;
    int ended = 0;
    struct punkt_options options = { .size = sizeof(options),
                                     .identity = bench->identities[0],
                                     .software = "bench_tls" };
    seller.next_card = (unsigned)(now_us() % CARDS); /* another run was at the first ones already */
    if (punkt_new(&options, &seller.punkt) != PUNKT_CALL_DONE)
        return failed("the seller has no identity");
    while (seller.sold < SALES_BEFORE) {
        if (!sell(&seller))
            return 1;
    }
    const int64_t before_ns = process_cpu_ns(bench->pid);
    const pid_t crowd = fork();
    if (crowd == 0)
        be_crowd(bench);
    bool selling = crowd > 0;
    unsigned before = seller.sold;
    while (selling && waitpid(crowd, &ended, WNOHANG) == 0)
        selling = seller.sold < SALES_MAX && sell(&seller);
    const int64_t used_ns = process_cpu_ns(bench->pid) - before_ns;
    if (!selling || ended != 0) {
        if (selling == false && crowd > 0)
            (void)kill(crowd, SIGKILL);
        return failed("the crowd was not served");
    }
    (void)printf(" %.0f", (double)used_ns / 1000 / (double)bench->count);
    const unsigned beside = seller.sold - before;
    seller.sold = before;
    print_sales(&seller);
    memmove(seller.took_us, seller.took_us + before, beside * sizeof(seller.took_us[0]));
    seller.sold = beside;
    print_sales(&seller);
    (void)printf(" %u\n", beside);
    punkt_free(seller.punkt);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *what;
        int (*measure)(const struct bench *bench);
    } kinds[] = { { "memory", measure_memory },
                  { "handshakes", measure_handshakes },
                  { "crowd", measure_crowd } };
    unsigned pid;
    struct bench bench = { 0 };
    if (argc < 6 || !receipt_parse(argv[3], 1, 1u << 22, &pid) ||
        !receipt_parse(argv[4], 1, 10000, &bench.count)) {
        (void)fputs("usage: bench_tls memory|handshakes|crowd ADDRESS PID COUNT IDENTITY...\n", stderr);
        return 2;
    }
    bench.address = argv[2];
    bench.pid = (pid_t)pid;
    bench.identities = (const char *const *)argv + 5;
    bench.identity_count = (unsigned)argc - 5;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(kinds[i].what, argv[1]) == 0)
            return kinds[i].measure(&bench);
    }
    return 2;
}
