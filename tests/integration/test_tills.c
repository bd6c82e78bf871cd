/*
 * Twenty tills with outboxes sell through a bad network (proxy.h) to a daemon, and daemon and tills are
 * killed at random. At the end every outbox is empty, every day is closed in balance, and the ledger has what
 * the tills' own lists have, each once.
 *
 * The same once more with purchases that redeem, while the daemon is away for longer, so that tills do so
 * without it.
 *
 * In its second and third form (network.h) the tills come over TLS; then the network spoils records, not frames.
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
#include "network.h"
#include "proxy.h"
#include "till_check.h"
#include "world.h"

#define TILLS 20u
#define TILLS_ON_NETWORK 8u /* a handshake under sanitizers is dear */
#define CARDS 30u
#define PROXIES 2u
#define CHAOS_MS 40000
#define CHAOS_ON_NETWORK_MS 10000
#define CHAOS_LONG_MS 600000
#define SECONDS_A_DAY 86400
#define AWAY_MS 1500
#define AWAY_LONGER_MS 5000 /* longer than tills take to see it */

/* A point is worth what earns one. */
#define PROGRAMME                                                                                            \
    "programme: shop\ncurrency: EUR\nzone: UTC\nbase:\n  - rule: spend\n    points: 1\n    amount: 1.00\n"   \
    "redeem:\n  points: 1\n  worth: 1.00\n  offline:\n    card: 2000\n    till: 20000\n...\n"

static struct random random_numbers;

struct shop {
    struct world *world;
    struct proxy *proxies[PROXIES]; /* ways to the one daemon; half of the tills prefer the second */
    char until[PATH_MAX];
    uint64_t seed;
    long long date; /* the business date of all, also if midnight passes */
    unsigned till_count;
    struct run tills[TILLS];
    bool redeems; /* purchases do, and the daemon is away for longer */
    unsigned till_kills, daemon_kills;
};

static void start_till(struct shop *shop, unsigned till)
{
    char name[16], seed[24], date[16], cards[16], servers[160], path[NETWORK_PATH_MAX];
    (void)snprintf(servers, sizeof(servers), "%s,%s", proxy_address(shop->proxies[till % PROXIES]),
                   proxy_address(shop->proxies[(till + 1) % PROXIES]));
    (void)snprintf(name, sizeof(name), "%u", till + 1);
    (void)snprintf(seed, sizeof(seed), "%" PRIu64, shop->seed + till);
    (void)snprintf(cards, sizeof(cards), "%u", CARDS);
    (void)snprintf(date, sizeof(date), "%lld", shop->date);
    const char *program = getenv("PUNKT_REGISTER");
    assert_non_null(program); /* ctest sets it */
    const char *identity = network_till(shop->world, "1", name, path);
    const char *argv[] = { program,  "--server", servers,     "--folder",    world_folder(shop->world),
                           "--till", name,       "--seed",    seed,          "--date",
                           date,     "--cards",  cards,       "--strangers", "--pace",
                           "60",     "--until",  shop->until, NULL,          NULL,
                           NULL,     NULL };
    size_t count = 0;
    while (argv[count] != NULL)
        count++;
    if (shop->redeems)
        argv[count++] = "--wishes";
    if (identity != NULL) {
        argv[count++] = "--identity";
        argv[count] = identity;
    }
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
    (void)poll(NULL, 0, (int)random_below(&random_numbers, shop->redeems ? AWAY_LONGER_MS : AWAY_MS));
    world_start(shop->world);
}

static void cause_chaos(struct shop *shop)
{
    int64_t end = world_now_ms() + (world_long()   ? CHAOS_LONG_MS
                                    : network_on() ? CHAOS_ON_NETWORK_MS
                                                   : CHAOS_MS);
    while (world_now_ms() < end) {
        (void)poll(NULL, 0, (int)random_below(&random_numbers, 600));
        if (random_below(&random_numbers, 8) == 0)
            kill_daemon(shop);
        else
            kill_till(shop, (unsigned)random_below(&random_numbers, shop->till_count));
    }
}

static void end_tills(struct shop *shop)
{
    int fd = open(shop->until, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    (void)close(fd);
    unsigned failed = 0;
    for (unsigned till = 0; till < shop->till_count; till++) {
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

/* Everything from the first sale to the last close. */
static struct till_sums run_shop(struct shop *shop)
{
    (void)snprintf(shop->until, sizeof(shop->until), "%s/until", world_folder(shop->world));
    shop->seed = random_u64(&random_numbers);
    shop->date = time(NULL) / SECONDS_A_DAY;
    shop->till_count = network_on() ? TILLS_ON_NETWORK : TILLS;
    for (unsigned i = 0; i < PROXIES; i++)
        shop->proxies[i] = proxy_new(network_server(shop->world), network_on(), random_u64(&random_numbers));
    till_check_issue(world_address(shop->world), CARDS);
    for (unsigned till = 0; till < shop->till_count; till++)
        start_till(shop, till);
    cause_chaos(shop);
    for (unsigned i = 0; i < PROXIES; i++)
        proxy_calm(shop->proxies[i]);
    end_tills(shop);
    struct till_sums sums =
        till_check(world_address(shop->world), world_folder(shop->world), shop->till_count, CARDS, false);
    printf("%u kills of tills, %u of the daemon\n", shop->till_kills, shop->daemon_kills);
    printf("%" PRIu64 " acts, of them %" PRIu64 " again, %" PRIu64 " queued, %" PRIu64 " spent, %" PRIu64
           " voided, %" PRIu64 " returned; %" PRIu64 " purchases redeemed, %" PRIu64 " of them offline\n",
           sums.acts, sums.again, sums.queued, sums.spent, sums.voided, sums.returned, sums.wishes,
           sums.offline);
    for (unsigned i = 0; i < PROXIES; i++) {
        printf("frames and connections %s\n", proxy_report(shop->proxies[i]));
        assert_true(proxy_faults(shop->proxies[i]) > 0);
        proxy_free(shop->proxies[i]);
    }
    world_free(shop->world);
    return sums;
}

static void test_tills_that_die(void **state)
{
    struct world_options options = { .unix_socket = true }; /* the proxy finds it again */
    struct shop shop = { .world = world_new(&options) };
    (void)state;
    struct till_sums sums = run_shop(&shop);
    assert_true(sums.acts > shop.till_count && sums.again > 0 &&
                sums.queued > 0); /* it was what it is meant to be */
}

static void test_tills_that_redeem_offline(void **state)
{
    struct world_options options = { .unix_socket = true, .programme = PROGRAMME };
    struct shop shop = { .world = world_new(&options), .redeems = true };
    (void)state;
    struct till_sums sums = run_shop(&shop);
    assert_true(sums.acts > shop.till_count && sums.wishes > sums.offline && sums.offline > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_tills_that_die),
                                        cmocka_unit_test(test_tills_that_redeem_offline) };
    random_numbers = random_seeded();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
