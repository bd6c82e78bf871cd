/*
 * The tills: each a thread with libpunkt, of which one runs at a time; they die anywhere that they write,
 * sync, send or wait.
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../integration/till_acts.h"
#include "lib/client.h"
#include "lib/machine.h"
#include "sim.h"

#define ACTS 24u
#define ACTS_A_DAY 10u
#define FIRST_DATE (SIM_START_DATE - (int32_t)((ACTS - 1) / ACTS_A_DAY)) /* the last has begun */
#define PATIENCE_US (2 * SIM_HOUR_US)                                    /* with a calm net, for everything */
#define TRIES_MAX 50u
#define LONG_IDLE_MS 600000 /* while others still sell */

enum state { ACTING, DRAINING, ENDED };

struct one {
    char name[8], folder[96];
    pthread_t thread;
    sem_t go;
    struct random random;
    struct disk *disk;
    struct till till;
    struct punkt *handle; /* whose epoll descriptor is to be closed */
    enum state state;
    bool good;
    unsigned kill_in; /* places from here at which it may die; 0: it lives on */
    unsigned conns[2];
    int64_t clock_us;
    struct pollfd *fds; /* it waits for */
    unsigned fd_count;
    uint64_t until_us;
    jmp_buf death;
};

static struct one tills[TILLS_MAX];
static unsigned count;
static sem_t back;
static _Thread_local struct one *me;

unsigned tills_count(void)
{
    return count;
}

void tills_kill(unsigned till)
{
    if (tills[till].state != ENDED)
        tills[till].kill_in = 1 + (unsigned)sim_below(sim_chance(2) ? 8 : 200);
}

void tills_move_clock(unsigned till, int64_t by_us)
{
    sim_note("till %s: its clock is off by %lld us", tills[till].name, (long long)by_us);
    tills[till].clock_us = by_us;
}

int64_t tills_clock_us(void)
{
    return me != NULL ? me->clock_us : 0;
}

/* --- waiting and dying --- */

static void wait_semaphore(sem_t *semaphore)
{
    while (sem_wait(semaphore) != 0)
        assert_int_equal(errno, EINTR);
}

void tills_maybe_die(void)
{
    if (me == NULL || me->kill_in == 0 || --me->kill_in > 0)
        return;
    longjmp(me->death, 1);
}

bool tills_wait(struct pollfd *fds, unsigned fd_count, int wait_ms, int *out_ready)
{
    if (me == NULL)
        return false;
    tills_maybe_die();
    me->fds = fds;
    me->fd_count = fd_count;
    me->until_us = wait_ms < 0 ? UINT64_MAX : sim.now_us + (uint64_t)wait_ms * 1000;
    (void)sem_post(&back);
    wait_semaphore(&me->go);
    me->fds = NULL;
    *out_ready = net_ready(fds, fd_count);
    return true;
}

bool tills_step(void)
{
    bool ran = false;
    for (unsigned i = 0; i < count; i++) {
        struct one *one = &tills[i];
        if (one->state == ENDED || (one->until_us > sim.now_us && net_ready(one->fds, one->fd_count) == 0))
            continue;
        (void)sem_post(&one->go);
        wait_semaphore(&back);
        ran = true;
    }
    return ran;
}

uint64_t tills_due_us(void)
{
    uint64_t due_us = UINT64_MAX;
    for (unsigned i = 0; i < count; i++) {
        if (tills[i].state == ENDED)
            continue;
        uint64_t ready_us = net_ready_us(tills[i].fds, tills[i].fd_count);
        if (tills[i].until_us < due_us)
            due_us = tills[i].until_us;
        if (ready_us < due_us)
            due_us = ready_us;
    }
    return due_us;
}

/* --- what it does --- */

static void close_date(struct one *one, int32_t date, struct punkt_close_day_answer *out_answer)
{
    struct punkt_close_day_request request = PUNKT_INIT(request);
    *out_answer = (struct punkt_close_day_answer)PUNKT_ANSWER_INIT(*out_answer);
    request.business_date = date;
    (void)punkt_close_day(one->till.punkt, &request, out_answer);
    sim_note("till %s: closes %d: %s, %s", one->name, (int)date, out_answer->head.name,
             punkt_close_state_name(out_answer->state));
}

/* Most acts follow at once; sometimes nobody comes for hours. */
static int pause_ms(struct one *one)
{
    uint64_t chance = random_below(&one->random, 100);
    uint64_t most_us = chance < 75 ? SIM_SECOND_US / 5 : chance < 96 ? SIM_MINUTE_US : 13 * SIM_HOUR_US;
    return (int)(random_below(&one->random, most_us) / 1000);
}

/* Drives the handle for a while, whatever comes. */
static void idle(struct one *one, int wait_ms)
{
    uint64_t until_us = sim.now_us + (uint64_t)wait_ms * 1000;
    do
        (void)punkt_drive(one->till.punkt, (int)((until_us - sim.now_us) / 1000));
    while (sim.now_us < until_us && (until_us - sim.now_us) / 1000 > 0);
}

static bool act(struct one *one)
{
    struct till *till = &one->till;
    while (till->list.count < ACTS) {
        struct till_act next = till_plan_next(&till->settings.plan, &till->list);
        if (!till_list_about(&till->list, &next) || !till_perform(till, &next))
            return false;
        sim_note(
            "till %s: act %llu %s card %u amount %lld: %s, code %u, number %llu, points %lld, spent %lld",
            one->name, (unsigned long long)next.seq, till_kind_name(next.kind), next.card,
            (long long)next.amount, till_word_name(next.told), next.code, (unsigned long long)next.number,
            (long long)next.points, (long long)next.spent);
        struct punkt_close_day_answer answer;
        if (random_below(&one->random, 20) == 0)
            close_date(one, till_date(till, next.seq), &answer);
        idle(one, pause_ms(one));
    }
    return true;
}

static bool drain(struct one *one)
{
    struct punkt_outbox_info info = PUNKT_INIT(info);
    uint64_t until_us = UINT64_MAX;
    one->state = DRAINING;
    for (punkt_outbox_info(one->till.punkt, &info); info.queued > 0 || !sim.calm;
         punkt_outbox_info(one->till.punkt, &info)) {
        if (sim.calm && until_us == UINT64_MAX)
            until_us = sim.now_us + PATIENCE_US;
        if (sim.now_us > until_us)
            return till_complain(&one->till, punkt_trouble(one->till.punkt), NULL);
        idle(one, sim.calm ? 1000 : LONG_IDLE_MS);
    }
    return info.dead == 0 ? true : till_complain(&one->till, "there are dead operations", NULL);
}

static bool close_days(struct one *one)
{
    struct punkt_close_day_answer answer;
    char report[4096];
    for (int32_t date = FIRST_DATE; date <= till_date(&one->till, ACTS); date++) {
        unsigned tries = 0;
        do
            close_date(one, date, &answer);
        while (answer.state >= PUNKT_CLOSE_OPEN && ++tries < TRIES_MAX);
        if (answer.head.call == PUNKT_CALL_DONE && answer.state == PUNKT_CLOSE_BALANCED)
            continue;
        (void)punkt_close_report(one->till.punkt, &answer, 60, report, sizeof(report));
        (void)fputs(report, stderr);
        return till_complain(&one->till, "a day is not in balance", &answer.head);
    }
    return true;
}

/* --- its lives --- */

/* The handle is the first that a process takes memory for. */
static void *resize(void *ctx, void *memory, size_t size)
{
    struct one *one = ctx;
    void *got = disk_resize(one->disk, memory, size);
    if (one->handle == NULL && memory == NULL)
        one->handle = memset(got, 0, size);
    return got;
}

static void open_till(struct one *one)
{
    one->handle = NULL;
    one->till = (struct till){ .settings = { .server = SIM_ADDRESS,
                                             .folder = one->folder,
                                             .till = one->name,
                                             .plan = one->till.settings.plan,
                                             .timeout_ms = 300,
                                             .date = FIRST_DATE,
                                             .acts_a_day = ACTS_A_DAY,
                                             .resize = resize,
                                             .resize_ctx = one },
                               .list = { .fd = -1 } };
    sim_note("till %s: starts", one->name);
}

static void live(struct one *one)
{
    open_till(one);
    bool good = till_open(&one->till) && one->till.punkt != NULL && till_finish_last(&one->till) &&
                act(one) && drain(one) && close_days(one) && !one->till.lost_something;
    one->kill_in = 0;
    punkt_free(one->till.punkt);
    till_list_close(&one->till.list);
    one->good = good;
    one->state = ENDED;
    sim_note("till %s: ends %s", one->name, good ? "well" : "badly");
}

static void bury(struct one *one)
{
    sim_note("till %s: dies", one->name);
    if (one->handle != NULL) {
        if (one->handle->epoll > 0)
            (void)close(one->handle->epoll);
        if (one->handle->live.link.fd > 0)
            machine_close(one->handle->live.link.fd);
        if (one->handle->queue.link.fd > 0)
            machine_close(one->handle->queue.link.fd);
    }
    one->till.list.fd = -1; /* closed with the others */
    disk_crash(one->disk);
    till_list_close(&one->till.list);
}

static void *run(void *ctx)
{
    me = ctx;
    wait_semaphore(&me->go);
    disk_use(me->disk, tills_maybe_die);
    while (me->state != ENDED) {
        if (setjmp(me->death) == 0)
            live(me);
        else
            bury(me);
    }
    (void)sem_post(&back);
    return NULL;
}

static void make(struct one *one, unsigned index, uint64_t seed)
{
    char target[160], list[160];
    *one = (struct one){ .random = { seed }, .fds = NULL, .until_us = sim.now_us };
    (void)snprintf(one->name, sizeof(one->name), "%u", index + 1);
    (void)snprintf(one->folder, sizeof(one->folder), "%s/%s", sim.folder, one->name);
    assert_int_equal(mkdir(one->folder, 0700), 0);
    (void)snprintf(target, sizeof(target), "%s/%s.list", one->folder, one->name);
    (void)snprintf(list, sizeof(list), "%s/%s.list", sim.folder, one->name);
    assert_int_equal(symlink(target, list), 0); /* where till_check looks for it */
    one->disk = disk_new(one->folder);
    one->till.settings.plan =
        (struct till_plan){ .seed = seed, .cards = SIM_CARDS, .strangers = true, .wishes = true };
    assert_int_equal(sem_init(&one->go, 0, 0), 0);
    assert_int_equal(pthread_create(&one->thread, NULL, run, one), 0);
}

void tills_make(unsigned wanted, uint64_t seed)
{
    assert_int_equal(sem_init(&back, 0, 0), 0);
    for (count = 0; count < wanted; count++)
        make(&tills[count], count, seed + count);
}

void tills_end(void)
{
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(pthread_join(tills[i].thread, NULL), 0);
        assert_int_equal(sem_destroy(&tills[i].go), 0);
        disk_free(tills[i].disk);
    }
    assert_int_equal(sem_destroy(&back), 0);
    count = 0;
}

bool tills_have_acted(void)
{
    bool acting = false;
    for (unsigned i = 0; i < count; i++)
        acting |= tills[i].state == ACTING;
    return !acting;
}

bool tills_have_ended(void)
{
    bool ended = true;
    for (unsigned i = 0; i < count; i++)
        ended &= tills[i].state == ENDED;
    return ended;
}

bool tills_are_good(void)
{
    bool good = true;
    for (unsigned i = 0; i < count; i++)
        good &= tills[i].good;
    return good;
}
