/*
 * Each I/O call of a till's outbox fails, one after the other, while the till sells to punktd: with EIO, with
 * ENOSPC, and cut short; once, and for good. Afterwards, on a disk that works, the till goes on from its
 * list, drains and closes its day in balance, and list and ledger agree: what the till was told is stored is
 * booked once, and of what is not it was told so before the receipt was printed.
 */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../unit/random.h"
#include "till_check.h"
#include "world.h"

#define CARDS 10u
#define SCRIPT "ppprpdhcpvp" /* the kinds of its acts (punkt-register, --script) */
#define ACTS_BEFORE "4"      /* of the run before the fault, if there is one */
#define ACTS_MORE "14"       /* of the last run, which goes on */
#define NOBODY "127.0.0.1:1" /* where no daemon is */
#define POSITIONS_MAX 1000u  /* more calls than any run makes */
#define EXIT_OPEN 3
#define SECONDS_A_DAY 86400

struct disk {
    const char *error;
    bool forever;
};

/* What the till is like when the fault comes. */
enum stage {
    STAGE_NEW,  /* it makes its outbox */
    STAGE_USED, /* it has one, in which an earlier process left what the daemon had not answered */
    STAGE_AWAY, /* it makes its outbox, and the daemon is away */
    STAGES
};

static const char *const stage_names[STAGES] = { "a new outbox", "a used outbox", "no daemon" };

struct shop {
    struct world *world;
    unsigned tills;
    char folder[PATH_MAX], counts[PATH_MAX];
    char seed[24], date[24];
};

/* The register as a child: it gets what is in our environment at that moment. */
static int run_till(const struct shop *shop, const char *server, const char *acts, bool open, struct run *run)
{
    char till[16], cards[16];
    const char *program = getenv("PUNKT_REGISTER");
    assert_non_null(program); /* ctest sets it */
    (void)snprintf(till, sizeof(till), "%u", shop->tills);
    (void)snprintf(cards, sizeof(cards), "%u", CARDS);
    const char *argv[] = { program,      "--server",
                           server,       "--folder",
                           shop->folder, "--till",
                           till,         "--seed",
                           shop->seed,   "--date",
                           shop->date,   "--cards",
                           cards,        "--acts",
                           acts,         "--script",
                           SCRIPT,       "--timeout",
                           "10000",      "--pace",
                           "1",          open ? "--open" : NULL,
                           NULL };
    run_begin(argv, NULL, run);
    run_end(run);
    return run->exit_code;
}

static void set_fault(const struct shop *shop, const struct disk *disk, unsigned at)
{
    char text[16];
    const char *shim = getenv("PUNKT_IO_SHIM");
    assert_non_null(shim); /* ctest sets it */
    (void)setenv("LD_PRELOAD", shim, 1);
    (void)setenv("IO_SHIM_CALL", "all", 1);
    (void)setenv("IO_SHIM_PATH", ".outbox", 1);
    (void)setenv("IO_SHIM_ERROR", disk->error, 1);
    (void)setenv("IO_SHIM_FOREVER", disk->forever ? "1" : "0", 1);
    (void)setenv("IO_SHIM_COUNT", shop->counts, 1);
    (void)snprintf(text, sizeof(text), "%u", at);
    (void)setenv("IO_SHIM_AT", text, 1);
}

/* The shim comes before the sanitizer's runtime, and passes on to it. */
static void let_shim_be_first(void)
{
    char text[2200];
    const char *asan = getenv("ASAN_OPTIONS");
    (void)snprintf(text, sizeof(text), "%.2000s:verify_asan_link_order=0", asan != NULL ? asan : "");
    (void)setenv("ASAN_OPTIONS", text, 1);
}

static unsigned hits(const struct shop *shop)
{
    unsigned calls = 0, count = 0;
    FILE *file = fopen(shop->counts, "re");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "calls %u hits %u", &calls, &count), 2);
    (void)fclose(file);
    return count;
}

/* It is drained and closed: only its list is looked at from here on, and outboxes are large. */
static void remove_outbox(const struct shop *shop)
{
    static const char *const endings[] = { "", ".lock", ".new" };
    char path[PATH_MAX + 32];
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        (void)snprintf(path, sizeof(path), "%s/%u.outbox%s", shop->folder, shop->tills, endings[i]);
        (void)unlink(path); /* the last two are there at times */
    }
}

/* A till of its own meets the fault at this call, and goes on without it. False: it makes fewer calls. */
static bool run_with_fault(struct shop *shop, enum stage stage, const struct disk *disk, unsigned at)
{
    struct run run;
    char acts[16];
    const char *server = world_address(shop->world);
    shop->tills++;
    (void)snprintf(acts, sizeof(acts), "%zu", strlen(SCRIPT));
    if (stage == STAGE_USED) {
        assert_int_equal(run_till(shop, NOBODY, ACTS_BEFORE, true, &run), 0);
        run_done(&run);
    }
    set_fault(shop, disk, at);
    int code = run_till(shop, stage == STAGE_AWAY ? NOBODY : server, acts, true, &run);
    (void)unsetenv("LD_PRELOAD");
    if (code != 0 && code != EXIT_OPEN)
        fail_msg("till %u, %s at call %u: ended with %d: %s", shop->tills, disk->error, at, code, run.err);
    run_done(&run);
    bool hit = hits(shop) > 0;
    code = run_till(shop, server, ACTS_MORE, false, &run);
    if (code != 0)
        fail_msg("till %u after %s at call %u%s: ended with %d: %s", shop->tills, disk->error, at,
                 disk->forever ? " and later" : "", code, run.err);
    run_done(&run);
    remove_outbox(shop);
    return hit;
}

/* Every position for a fault that happens once; a sample of them, or all in the long form, for one that
 * stays. */
static void run_all(struct shop *shop, enum stage stage, const struct disk *disk, struct random *random)
{
    unsigned at = 1, tills = shop->tills;
    while (run_with_fault(shop, stage, disk, at)) {
        at += disk->forever && !world_long() ? 1 + (unsigned)random_below(random, 12) : 1;
        assert_true(at < POSITIONS_MAX);
    }
    print_message("%s, %s%s: %u of %u calls\n", stage_names[stage], disk->error,
                  disk->forever ? " for good" : "", shop->tills - tills - 1, at - 1);
    assert_true(at > strlen(SCRIPT)); /* each act is stored */
}

static void test_every_call_fails(void **state)
{
    static const struct disk disks[] = { { "EIO", false }, { "ENOSPC", false }, { "short", false },
                                         { "EIO", true },  { "ENOSPC", true },  { "short", true } };
    struct random random = random_seeded();
    struct shop shop = { .world = world_new(NULL) };
    (void)state;
    (void)snprintf(shop.folder, sizeof(shop.folder), "%s", world_folder(shop.world));
    (void)snprintf(shop.counts, sizeof(shop.counts), "%.4000s/counts", shop.folder);
    (void)snprintf(shop.seed, sizeof(shop.seed), "%" PRIu64, random_u64(&random));
    (void)snprintf(shop.date, sizeof(shop.date), "%lld", (long long)(time(NULL) / SECONDS_A_DAY));
    till_check_issue(world_address(shop.world), CARDS);
    let_shim_be_first();
    for (size_t i = 0; i < sizeof(disks) / sizeof(disks[0]); i++) {
        for (int stage = 0; stage < STAGES; stage++)
            run_all(&shop, (enum stage)stage, &disks[i], &random);
        (void)till_check(world_address(shop.world), shop.folder, shop.tills, CARDS, disks[i].forever);
    }
    world_free(shop.world);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_every_call_fails) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
