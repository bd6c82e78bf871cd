/*
 * Thousands of TLS connections that do nothing, and a thousand that come at once while somebody sells (RELIABILITY.md,
 * Identity). Against a punktd without sanitizers, whose memory and processor time are its own.
 *
 * What it takes is counted in processor time of punktd and compared with the cost of one handshake in the same run, so
 * it is the same however much the machine has to do beside.
 */
#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crowd.h"
#include "secure.h"
#include "talk.h"

#define CARD "2900000000018"
#define IDLE 5000
#define IDLE_KIB_MAX 40
#define AT_ONCE 256 /* fewer than may be there without proof */
#define CROWD 1000
#define TILLS 16
#define TILL_CONNECTIONS 64
#define SALES_MAX 100000
#define SALES_MIN 20
#define SALES_ALONE 100
#define MEASURED 100
#define TURN_NS 2000000 /* what handshakes may take of a turn of the loop, and one more step */

/* Time-outs are no part of this, and their clock runs on when the machine is slow. */
#define LIMITS                                                                                               \
    "limits:\n  other_connections: 10000\n  till_connections: 64\n  handshake_timeout_ms: 60000\n"           \
    "  hello_timeout_ms: 60000\n"

static_assert(TILLS * TILL_CONNECTIONS >= CROWD, "every connection belongs to a till");

static struct crowd *crowd_of(char identities[][SECURE_PATH_MAX], unsigned identity_count, unsigned most)
{
    const char *paths[TILLS];
    for (unsigned i = 0; i < identity_count; i++)
        paths[i] = identities[i];
    struct crowd *crowd = crowd_new(paths, identity_count, most);
    if (crowd == NULL)
        fail_msg("no crowd: %s", crowd_failure());
    return crowd;
}

static void come(struct crowd *crowd, const char *address, unsigned count, unsigned at_once)
{
    if (!crowd_come(crowd, address, count, at_once))
        fail_msg("not all have come: %s", crowd_failure());
}

static void enrol_tills(const struct world *world, bool psk, char out[TILLS][SECURE_PATH_MAX])
{
    for (unsigned i = 0; i < TILLS; i++) {
        char till[16];
        (void)snprintf(till, sizeof(till), "%u", i + 1);
        (psk ? secure_psk_till : secure_till)(world, "S1", till, out[i]);
    }
}

/* --- idle --- */

static void small_when_idle(const char *word, char identities[][SECURE_PATH_MAX], unsigned identity_count,
                            unsigned count, struct world *world)
{
    char address[SECURE_PATH_MAX];
    secure_address(world, word, address);
    struct crowd *crowd = crowd_of(identities, identity_count, count);
    int64_t before = process_memory_kib(world_pid(world));
    assert_true(before > 0);
    come(crowd, address, count, AT_ONCE);
    int64_t silent = process_memory_kib(world_pid(world)) - before;
    if (!crowd_ping(crowd))
        fail_msg("not all are there: %s", crowd_failure());
    int64_t after = process_memory_kib(world_pid(world)) - before;
    printf("%s: %u connections of %.1f KiB, of %.1f KiB once each has asked something\n", word, count,
           (double)silent / count, (double)after / count);
    assert_in_range(silent, count, (int64_t)IDLE_KIB_MAX * count);
    assert_in_range(after, count, (int64_t)IDLE_KIB_MAX * count);
    crowd_free(crowd);
}

static void test_idle_certificates(void **state)
{
    struct world *world = secure_world_more(NULL, LIMITS);
    char olga[1][SECURE_PATH_MAX];
    (void)state;
    secure_user(world, "olga", "supervisor", olga[0]);
    small_when_idle("tls", olga, 1, IDLE, world);
    world_free(world);
}

static void test_idle_keys(void **state)
{
    struct world *world = secure_world_more(NULL, LIMITS);
    char tills[TILLS][SECURE_PATH_MAX];
    (void)state;
    enrol_tills(world, true, tills);
    small_when_idle("psk", tills, TILLS, CROWD, world);
    world_free(world);
}

/* --- a crowd --- */

/* Who sells meanwhile, and what punktd did between each request and its answer. */
struct seller {
    const struct world *world;
    struct secure *secure;
    unsigned sold;
    int64_t used_ns[SALES_MAX];
};

static void sell(struct seller *seller)
{
    struct msg_purchase_request purchase = talk_purchase(CARD, 100, "");
    int64_t start_ns = process_cpu_ns(world_pid(seller->world));
    assert_int_equal(secure_call(seller->secure, OPERATION_PURCHASE, 0, &purchase), RESULT_DONE);
    assert_true(seller->sold < SALES_MAX);
    seller->used_ns[seller->sold++] = process_cpu_ns(world_pid(seller->world)) - start_ns;
}

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

/*
 * What it did at most beside `percent` of its work: of moments, not of sales, for a sale that waits keeps those that would
 * have waited after it from being asked for.
 */
static int64_t used_at(struct seller *seller, unsigned percent)
{
    int64_t all_ns = 0;
    int64_t sum_ns = 0;
    unsigned at = 0;
    qsort(seller->used_ns, seller->sold, sizeof(seller->used_ns[0]), by_size);
    for (unsigned i = 0; i < seller->sold; i++)
        all_ns += seller->used_ns[i];
    while (at + 1 < seller->sold && (sum_ns += seller->used_ns[at]) * 100 < all_ns * percent)
        at++;
    return seller->used_ns[at];
}

/*
 * All at once: each has sent its first bytes before punktd sees one of them. In a process of its own, for its handshakes
 * must not hold up who sells.
 */
_Noreturn static void be_crowd(struct crowd *crowd, const char *address, pid_t daemon)
{
    bool served = kill(daemon, SIGSTOP) == 0 && crowd_knock(crowd, address, CROWD);
    served = kill(daemon, SIGCONT) == 0 && served && crowd_come(crowd, address, 0, CROWD);
    if (!served)
        (void)fprintf(stderr, "%s\n", crowd_failure());
    _exit(served ? 0 : 1);
}

static void sell_beside(struct seller *seller, struct crowd *crowd, const char *address)
{
    int ended;
    pid_t child = fork();
    if (child == 0)
        be_crowd(crowd, address, world_pid(seller->world));
    assert_true(child > 0);
    while (waitpid(child, &ended, WNOHANG) == 0)
        sell(seller);
    assert_int_equal(ended, 0);
}

/* What one handshake costs, hello included. */
static int64_t handshake_ns(const struct world *world, const char *address,
                            char tills[TILLS][SECURE_PATH_MAX])
{
    struct crowd *crowd = crowd_of(tills, TILLS, MEASURED);
    int64_t before_ns = process_cpu_ns(world_pid(world));
    come(crowd, address, MEASURED, 1);
    int64_t cost_ns = (process_cpu_ns(world_pid(world)) - before_ns) / MEASURED;
    crowd_free(crowd);
    return cost_ns;
}

static void crowd_comes(bool psk)
{
    static struct seller seller;
    struct world *world = secure_world_more(NULL, LIMITS);
    char tills[TILLS][SECURE_PATH_MAX];
    char olga[SECURE_PATH_MAX];
    char address[SECURE_PATH_MAX];
    struct msg_card_issue_request issue;
    enrol_tills(world, psk, tills);
    secure_user(world, "olga", "supervisor", olga);
    world_kill(world);
    world_start(world);

    seller = (struct seller){ .world = world, .secure = secure_hello(world, olga, 7) };
    message_init(MESSAGE_card_issue_request, &issue);
    issue.card = talk_code(CARD);
    assert_int_equal(secure_call(seller.secure, OPERATION_CARD_ISSUE, 0, &issue), RESULT_DONE);
    secure_address(world, psk ? "psk" : "tls", address);
    int64_t cost_ns = handshake_ns(world, address, tills);
    while (seller.sold < SALES_ALONE)
        sell(&seller);
    int64_t alone_ns = used_at(&seller, 50);

    seller.sold = 0;
    struct crowd *crowd = crowd_of(tills, TILLS, CROWD);
    int64_t before_ns = process_cpu_ns(world_pid(world));
    sell_beside(&seller, crowd, address);
    int64_t crowd_ns =
        process_cpu_ns(world_pid(world)) - before_ns - (int64_t)seller.sold * alone_ns; /* about */
    crowd_free(crowd);
    int64_t half_ns = used_at(&seller, 50);
    int64_t most_ns = used_at(&seller, 99);
    printf(
        "%s: one handshake %lld us, %d at once %lld us each; beside them %u sales, each while punktd did %lld us "
        "of work (p50), %lld (p99); alone %lld\n",
        psk ? "psk" : "tls", (long long)cost_ns / 1000, CROWD, (long long)crowd_ns / 1000 / CROWD,
        seller.sold, (long long)half_ns / 1000, (long long)most_ns / 1000, (long long)alone_ns / 1000);
    assert_true(seller.sold >= SALES_MIN);
    /* Not dearer at once than one after the other, by more than what differs from run to run. */
    assert_true(crowd_ns < 2 * CROWD * cost_ns);
    /* A sale is taken in one turn and answered in another, not behind hundreds of handshakes. */
    assert_true(half_ns < alone_ns + 8 * (TURN_NS + cost_ns));
    assert_true(most_ns < alone_ns + 20 * (TURN_NS + cost_ns));
    secure_free(seller.secure);
    world_free(world);
}

static void test_certificates(void **state)
{
    (void)state;
    crowd_comes(false);
}

static void test_keys(void **state)
{
    (void)state;
    crowd_comes(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_idle_certificates),
        cmocka_unit_test(test_idle_keys),
        cmocka_unit_test(test_certificates),
        cmocka_unit_test(test_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
