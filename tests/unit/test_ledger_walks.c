/*
 * Walks of the reader thread: accounts that match, events since a time, an account's chain.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fold_acts.h"
#include "ledger/account_scan.h"
#include "ledger/event_walk.h"
#include "ledger/ledger.h"

/* --- accounts, over the state of a world --- */

static struct account_scan *scan_new(enum account_scan_kind kind, local_day day)
{
    struct account_scan *scan = calloc(1, sizeof(*scan));
    assert_non_null(scan);
    scan->kind = kind;
    scan->day = day;
    scan->job.run = account_scan_run;
    return scan;
}

/* Runs the job to its end, without a thread. */
static void run_scan(struct fold_world *world, struct account_scan *scan)
{
    struct reading *reading = calloc(1, sizeof(*reading));
    assert_non_null(reading);
    reading->state = world->live.state;
    while (scan->job.run(&scan->job, reading) == JOB_MORE) {
    }
    assert_false(scan->failed);
    free(reading);
}

static void assert_finds(struct fold_world *world, enum account_scan_kind kind, local_day day, uint32_t count,
                         account_number first)
{
    struct account_scan *scan = scan_new(kind, day);
    run_scan(world, scan);
    assert_true(scan->ended);
    assert_int_equal(scan->count, count);
    if (count > 0)
        assert_int_equal(scan->found[0], first);
    free(scan);
}

static void accounts_are_found_by_what_they_are(void **state)
{
    (void)state;
    struct fold_world *world = fold_world_new();
    world->programme.welcome = 0;
    for (int i = 0; i < 3; i++) {
        const char *cards[] = { "100", "200", "300" };
        assert_true(issue(world, cards[i]) != 0);
    }
    assert_true(adjust(world, "200", -7000) != 0);
    assert_true(buy(world, "300", 1000, "1", NULL) != 0); /* matures in two days */
    world->judgement.flags = EVENT_FLAG_ADVICE;
    assert_true(buy(world, "900", 1000, "2", NULL) != 0);
    local_day today = world->decision->event.day;
    fold_state_reload(&world->live);
    assert_finds(world, ACCOUNTS_IN_DEBT, 0, 1, 2);
    assert_finds(world, ACCOUNTS_IN_SUSPENSE, 0, 1, 4);
    assert_finds(world, ACCOUNTS_DUE, today, 0, 0);
    assert_finds(world, ACCOUNTS_DUE, today + 1, 0, 0);
    assert_finds(world, ACCOUNTS_DUE, today + 2, 2, 3);
    fold_world_free(world);
}

/* More than one batch and one slice hold. */
static void a_scan_goes_on_where_it_stopped(void **state)
{
    (void)state;
    enum { ACCOUNTS = 12000 };
    struct fold_world *world = fold_world_new();
    uint8_t *numbers = malloc(ACCOUNTS * 16);
    assert_non_null(numbers);
    size_t size = 0;
    for (int i = 0; i < ACCOUNTS; i++) {
        char card[16];
        uint8_t room[64];
        snprintf(card, sizeof(card), "%d", 1000000 + i);
        struct text code = fold_world_code(text_of(card), room);
        memcpy(numbers + size, code.data, code.size);
        size += code.size;
    }
    struct event event = { .type = EVENT_CARDS_ISSUED,
                           .time = FOLD_WORLD_START,
                           .cards_issued = { .first_account = 1,
                                             .first_card = 1,
                                             .count = ACCOUNTS,
                                             .welcome = { .points = 1000, .pending = true, .matures = 20600 },
                                             .number = TEXT_LITERAL("1000000"),
                                             .numbers = { (const char *)numbers, size } } };
    event.cards_issued.welcome.last_day = DAY_NEVER;
    (void)fold_world_book(world, &event);
    fold_world_check(world);
    struct account_scan *scan = scan_new(ACCOUNTS_DUE, 20600);
    account_number expected = 1;
    while (!scan->ended) {
        run_scan(world, scan);
        for (uint32_t i = 0; i < scan->count; i++)
            assert_int_equal(scan->found[i], expected++);
    }
    assert_int_equal(expected, ACCOUNTS + 1);
    free(scan);
    free(numbers);
    fold_world_free(world);
}

/* --- a ledger in a folder of its own --- */

struct walks {
    char dir[64];
    struct ledger *ledger;
    journal_position positions[40];
    uint32_t count;
};

static void fatal(void *ctx, const char *what)
{
    (void)ctx;
    fprintf(stderr, "fatal: %s\n", what);
    abort();
}

static void wait_for_threads(struct walks *walks)
{
    struct pollfd fd = { .fd = ledger_fd(walks->ledger), .events = POLLIN };
    assert_true(poll(&fd, 1, 10000) >= 0);
    ledger_process(walks->ledger);
}

/* Appends an event in a block of its own, from that time. */
static void append(struct walks *walks, struct event *event)
{
    journal_position position = ledger_reserve(walks->ledger);
    ledger_append(walks->ledger, event);
    ledger_turn_end(walks->ledger);
    while (ledger_durable(walks->ledger) <= position)
        wait_for_threads(walks);
    walks->positions[walks->count++] = position;
}

static void walks_open(struct walks *walks)
{
    struct failure failure = { { 0 } };
    struct ledger_recovery recovery;
    memset(walks, 0, sizeof(*walks));
    snprintf(walks->dir, sizeof(walks->dir), "/tmp/punkt-walks-XXXXXX");
    assert_non_null(mkdtemp(walks->dir));
    struct ledger_options options = { .dir = walks->dir,
                                      .segment_bytes = 16 << 20,
                                      .reserve_bytes = 1,
                                      .map_bytes = UINT64_C(256) << 20,
                                      .layer_records = 1000,
                                      .layer_bytes = 1 << 20,
                                      .fatal = fatal };
    if (ledger_open(&options, &walks->ledger, &recovery, &failure) != PUNKT_OK)
        fail_msg("%s", failure.text);
}

static void walks_close(struct walks *walks)
{
    struct failure failure = { { 0 } };
    char command[128];
    assert_int_equal(ledger_close(walks->ledger, &failure), PUNKT_OK);
    snprintf(command, sizeof(command), "rm -r %s", walks->dir);
    assert_int_equal(system(command), 0);
}

struct walk_job {
    struct ledger_job job;
    struct event_walk walk;
    struct walks *walks;
    uint32_t next; /* which event is expected */
    uint32_t slices;
    enum punkt_status status;
    bool ended;
};

static enum punkt_status expect_event(void *ctx, const struct event *event, journal_position position,
                                      struct failure *failure)
{
    struct walk_job *job = ctx;
    (void)failure;
    assert_int_equal(position, job->walks->positions[job->next]);
    assert_int_equal(event->sequence, job->next + 1);
    job->next++;
    return PUNKT_OK;
}

static enum job_step walk_run(struct ledger_job *job, struct reading *reading)
{
    struct walk_job *walk = (struct walk_job *)(void *)job;
    struct failure failure;
    walk->slices++;
    walk->status = event_walk_slice(&walk->walk, reading, 1, &failure);
    return walk->status == PUNKT_BUSY ? JOB_MORE : JOB_DONE;
}

static void walk_done(struct ledger_job *job)
{
    ((struct walk_job *)(void *)job)->ended = true;
}

/* From event `first` on, by its time. */
static void walk_from(struct walks *walks, uint32_t first)
{
    struct walk_job job = { .job = { .run = walk_run, .done = walk_done },
                            .walk = { .from = 1000 * (utc_us)(first + 1),
                                      .until = ledger_durable(walks->ledger),
                                      .visit = expect_event,
                                      .ctx = &job },
                            .walks = walks,
                            .next = first };
    ledger_submit(walks->ledger, &job.job);
    while (!job.ended)
        wait_for_threads(walks);
    assert_int_equal(job.status, PUNKT_OK);
    assert_int_equal(job.next, walks->count);
    assert_true(job.slices >= walks->count - first);
}

static void events_are_walked_from_a_time_on(void **state)
{
    (void)state;
    struct walks walks;
    walks_open(&walks);
    for (uint32_t i = 0; i < COUNT_OF(walks.positions); i++) {
        struct event event = { .type = EVENT_TIE, .time = 1000 * (utc_us)(i + 1), .tie = { .first = 1 } };
        append(&walks, &event);
    }
    for (uint32_t first = 0; first <= walks.count; first++)
        walk_from(&walks, first);
    walks_close(&walks);
}

/* --- what is stored --- */

struct stored_job {
    struct ledger_job job;
    struct totals totals; /* of LMDB */
    bool ended;
};

static bool visit_totals(void *ctx, const uint8_t *key, size_t key_size, const uint8_t *value, size_t size)
{
    struct stored_job *stored = ctx;
    (void)key;
    (void)key_size;
    return totals_decode((struct state_value){ value, (uint32_t)size }, &stored->totals);
}

static enum job_step stored_run(struct ledger_job *job, struct reading *reading)
{
    struct key key = key_totals();
    if (state_scan(reading->state, key.bytes, key.size, NULL, 0, 1, visit_totals, job) != PUNKT_OK)
        ((struct stored_job *)(void *)job)->totals.events = UINT64_MAX;
    return JOB_DONE;
}

static void stored_done(struct ledger_job *job)
{
    ((struct stored_job *)(void *)job)->ended = true;
}

/* Long before a checkpoint would be due by itself. */
static void a_job_may_wait_until_events_are_stored(void **state)
{
    (void)state;
    struct walks walks;
    walks_open(&walks);
    for (uint64_t events = 1; events <= 20; events++) {
        struct event event = { .type = EVENT_TIE, .time = 1000 * (utc_us)events, .tie = { .first = 1 } };
        struct stored_job stored = {
            .job = { .stored = true, .run = stored_run, .done = stored_done },
        };
        stored.job.wait_for = ledger_reserve(walks.ledger);
        ledger_append(walks.ledger, &event);
        ledger_submit(walks.ledger, &stored.job);
        while (!stored.ended) {
            ledger_turn_end(walks.ledger);
            wait_for_threads(&walks);
        }
        assert_int_equal(stored.totals.events, events);
    }
    walks_close(&walks);
}

/* --- an account's chain --- */

static void a_chain_leads_back_to_the_first_event(void **state)
{
    (void)state;
    struct fold_world *world = fold_world_new();
    journal_position made[4];
    made[0] = issue(world, "100");
    assert_true(issue(world, "200") != 0);
    made[1] = adjust(world, "100", 1000);
    assert_true(adjust(world, "200", 1000) != 0);
    made[2] = buy(world, "100", 1000, "1", NULL);
    made[3] = adjust(world, "100", -2000);
    journal_position at = account_of(world, "100").last_event;
    for (size_t i = COUNT_OF(made); i-- > 0;) {
        const struct effect *effect;
        journal_position previous;
        assert_int_equal(at, made[i]);
        const struct event *event = fold_world_read(world, 1, at);
        assert_true(event_of_account(event, 1, &effect, &previous));
        assert_int_equal(effect == NULL, i == 0);
        assert_false(event_of_account(event, 2, &effect, &at));
        at = previous;
    }
    assert_int_equal(at, 0);
    fold_world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accounts_are_found_by_what_they_are),
        cmocka_unit_test(a_scan_goes_on_where_it_stopped),
        cmocka_unit_test(events_are_walked_from_a_time_on),
        cmocka_unit_test(a_job_may_wait_until_events_are_stored),
        cmocka_unit_test(a_chain_leads_back_to_the_first_event),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
