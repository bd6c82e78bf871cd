/*
 * Twenty tills with outboxes sell through a bad network (proxy.h) to a daemon, and daemon and tills are killed at
 * random. At the end every outbox is empty, every day is closed in balance, and the ledger has what the tills' own
 * lists have, each once.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../unit/random.h"
#include "proxy.h"
#include "till_check.h"
#include "world.h"

#define TILLS 20u
#define CARDS 30u
#define PROXIES 2u
#define CHAOS_MS 40000
#define CHAOS_LONG_MS 600000
#define SECONDS_A_DAY 86400

static struct random random_numbers;

struct shop {
    struct world *world;
    struct proxy *proxies[PROXIES]; /* ways to the one daemon; half of the tills prefer the second */
    char until[PATH_MAX];
    uint64_t seed;
    long long date; /* the business date of all, also if midnight passes */
    struct run tills[TILLS];
    unsigned till_kills, daemon_kills;
};

static void start_till(struct shop *shop, unsigned till)
{
    char name[16], seed[24], date[16], cards[16], servers[160];
    (void)snprintf(servers, sizeof(servers), "%s,%s", proxy_address(shop->proxies[till % PROXIES]),
                   proxy_address(shop->proxies[(till + 1) % PROXIES]));
    (void)snprintf(name, sizeof(name), "%u", till + 1);
    (void)snprintf(seed, sizeof(seed), "%" PRIu64, shop->seed + till);
    (void)snprintf(cards, sizeof(cards), "%u", CARDS);
    (void)snprintf(date, sizeof(date), "%lld", shop->date);
    const char *program = getenv("PUNKT_REGISTER");
    assert_non_null(program); /* ctest sets it */
    const char *argv[] = { program,  "--server", servers,     "--folder",    world_folder(shop->world),
                           "--till", name,       "--seed",    seed,          "--date",
                           date,     "--cards",  cards,       "--strangers", "--pace",
                           "60",     "--until",  shop->until, NULL };
    run_begin(argv, NULL, &shop->tills[till]);
}

static void kill_till(struct shop *shop, unsigned till)
{
    struct run *run = &shop->tills[till];
    (void)kill(run->pid, SIGKILL);
    run_end(run);
    if (run->exit_code != -SIGKILL)
        fail_msg("till %u ended with %d: %s%s", till + 1, run->exit_code, run->out, run->err);
    run_done(run);
    shop->till_kills++;
    start_till(shop, till);
}

static void kill_daemon(struct shop *shop)
{
    world_kill(shop->world);
    shop->daemon_kills++;
    (void)poll(NULL, 0, (int)random_below(&random_numbers, 1500)); /* away for a while */
    world_start(shop->world);
}

static void cause_chaos(struct shop *shop)
{
    int64_t end = world_now_ms() + (world_long() ? CHAOS_LONG_MS : CHAOS_MS);
    while (world_now_ms() < end) {
        (void)poll(NULL, 0, (int)random_below(&random_numbers, 600));
        if (random_below(&random_numbers, 8) == 0)
            kill_daemon(shop);
        else
            kill_till(shop, (unsigned)random_below(&random_numbers, TILLS));
    }
}

static void end_tills(struct shop *shop)
{
    int fd = open(shop->until, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    (void)close(fd);
    unsigned failed = 0;
    for (unsigned till = 0; till < TILLS; till++) {
        struct run *run = &shop->tills[till];
        run_end(run);
        if (run->exit_code != 0) {
            print_error("till %u ended with %d: %s%s\n", till + 1, run->exit_code, run->out, run->err);
            failed++;
        }
        run_done(run);
    }
    assert_int_equal(failed, 0);
}

static void test_tills(void **state)
{
    struct world_options options = { .unix_socket = true }; /* the proxy finds it again */
    struct shop shop = { .world = world_new(&options),
                         .seed = random_u64(&random_numbers),
                         .date = time(NULL) / SECONDS_A_DAY };
    (void)state;
    (void)snprintf(shop.until, sizeof(shop.until), "%s/until", world_folder(shop.world));
    for (unsigned i = 0; i < PROXIES; i++)
        shop.proxies[i] = proxy_new(world_address(shop.world), random_u64(&random_numbers));
    till_check_issue(world_address(shop.world), CARDS);
    for (unsigned till = 0; till < TILLS; till++)
        start_till(&shop, till);
    cause_chaos(&shop);
    for (unsigned i = 0; i < PROXIES; i++)
        proxy_calm(shop.proxies[i]);
    end_tills(&shop);
    struct till_sums sums =
        till_check(world_address(shop.world), world_folder(shop.world), TILLS, CARDS, false);
    printf("%u kills of tills, %u of the daemon\n", shop.till_kills, shop.daemon_kills);
    printf("%" PRIu64 " acts, of them %" PRIu64 " again, %" PRIu64 " queued, %" PRIu64 " spent, %" PRIu64
           " voided, %" PRIu64 " returned\n",
           sums.acts, sums.again, sums.queued, sums.spent, sums.voided, sums.returned);
    /* It was what it is meant to be. */
    assert_true(sums.acts > TILLS && sums.again > 0 && sums.queued > 0);
    for (unsigned i = 0; i < PROXIES; i++) {
        printf("frames and connections %s\n", proxy_report(shop.proxies[i]));
        assert_true(proxy_faults(shop.proxies[i]) > 0);
        proxy_free(shop.proxies[i]);
    }
    world_free(shop.world);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_tills) };
    random_numbers = random_seeded();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
