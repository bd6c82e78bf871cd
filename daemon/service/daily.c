/*
 * What becomes due by itself: midnights of accounts (the daily run, DOMAIN.md, Lots) and deadlines of
 * holds. In slices, so that no till waits: the reader thread finds candidates, the loop looks each up again
 * and books a few a turn.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "ledger/account_scan.h"
#include "ledger/fold.h"
#include "service/internal.h"

#define SLICE_MAX 16 /* accounts and holds booked a turn */

struct deadline {
    utc_us at;
    journal_position hold;
};

struct daily {
    struct service *service;
    /* The run: the candidates of a scan, batch by batch. */
    struct account_scan scan;
    bool scanning;
    bool running;
    local_day day; /* for which it runs, or has run */
    uint32_t done; /* of the batch */
    /* Open holds, a heap by deadline. Those that ended stay until their deadline. */
    struct deadline *holds;
    size_t hold_count, hold_capacity;
};

bool daily_book(struct service *service, account_number account)
{
    struct decision *decision = &service->decision;
    if (!ledger_has_room(service->ledger))
        return false;
    if (decide_day(&service->view, ledger_now(service->ledger), account, decision))
        append_own(service, &decision->event);
    return true;
}

/* --- holds --- */

static bool earlier(const struct deadline *a, const struct deadline *b)
{
    return a->at < b->at || (a->at == b->at && a->hold < b->hold);
}

void daily_hold_begun(struct service *service, journal_position hold, utc_us deadline)
{
    struct daily *daily = service->daily;
    if (daily->hold_count == daily->hold_capacity) {
        size_t capacity = daily->hold_capacity * 2 + 64;
        struct deadline *grown = realloc(daily->holds, capacity * sizeof(*grown));
        PUNKT_CHECK(grown != NULL); /* a hold that nobody would end */
        daily->holds = grown;
        daily->hold_capacity = capacity;
    }
    size_t at = daily->hold_count++;
    struct deadline new = { deadline, hold };
    while (at > 0 && earlier(&new, &daily->holds[(at - 1) / 2])) {
        daily->holds[at] = daily->holds[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    daily->holds[at] = new;
}

static void remove_first(struct daily *daily)
{
    struct deadline last = daily->holds[--daily->hold_count];
    size_t at = 0;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child + 1 < daily->hold_count && earlier(&daily->holds[child + 1], &daily->holds[child]))
            child++;
        if (child >= daily->hold_count || !earlier(&daily->holds[child], &last))
            break;
        daily->holds[at] = daily->holds[child];
        at = child;
    }
    if (daily->hold_count > 0)
        daily->holds[at] = last;
}

/* Ends the hold whose deadline has passed, unless it has ended. False: no room. */
static bool time_out(struct service *service, journal_position hold)
{
    struct decision *decision = &service->decision;
    struct judgement judgement = { .now = ledger_now(service->ledger) };
    struct release_request release = { .hold = hold, .timed_out = true };
    struct hold_state state;
    if (!fold_hold(ledger_fold(service->ledger), hold, &state) || state.end != HOLD_OPEN)
        return true;
    do
        decide_release(&service->view, &judgement, &release, decision);
    while (decision->refusal == REFUSAL_DAY_FIRST && daily_book(service, decision->day_first));
    if (!ledger_has_room(service->ledger))
        return false;
    PUNKT_CHECK(decision->refusal == REFUSAL_NONE);
    append_own(service, &decision->event);
    return true;
}

static uint32_t end_holds(struct daily *daily)
{
    struct service *service = daily->service;
    uint32_t ended = 0;
    while (ended < SLICE_MAX && daily->hold_count > 0 && daily->holds[0].at <= ledger_now(service->ledger) &&
           ledger_has_room(service->ledger)) {
        if (!time_out(service, daily->holds[0].hold))
            break;
        remove_first(daily);
        ended++;
    }
    return ended;
}

/* --- accounts --- */

static void scan_done(struct ledger_job *job)
{
    struct daily *daily = (struct daily *)(void *)((char *)job - offsetof(struct daily, scan.job));
    daily->scanning = false;
    daily->done = 0;
    if (daily->scan.failed)
        log_error("the daily run cannot read state; it goes on with what is touched");
}

static void begin_batch(struct daily *daily)
{
    daily->scanning = true;
    daily->scan.job.done = scan_done;
    daily->scan.job.run = account_scan_run;
    ledger_submit(daily->service->ledger, &daily->scan.job);
}

static void run_accounts(struct daily *daily, uint32_t most)
{
    struct service *service = daily->service;
    for (uint32_t i = 0; i < most && daily->done < daily->scan.count; i++) {
        if (!daily_book(service, daily->scan.found[daily->done]))
            return;
        daily->done++;
    }
    if (daily->done < daily->scan.count)
        return;
    daily->running = !daily->scan.ended && !daily->scan.failed;
    if (daily->running)
        begin_batch(daily);
}

void daily_turn(struct service *service)
{
    struct daily *daily = service->daily;
    uint32_t ended = end_holds(daily);
    if (!daily->running && ledger_clock_confirmed(service->ledger) && daily->day < today(service)) {
        daily->running = true;
        daily->day = today(service);
        memset(&daily->scan, 0, sizeof(daily->scan));
        daily->scan.kind = ACCOUNTS_DUE;
        daily->scan.day = daily->day;
        /* What changed up to midnight must be where it is looked for. */
        daily->scan.job.stored = true;
        daily->scan.job.wait_for = ledger_newest(service->ledger);
        begin_batch(daily);
    }
    if (daily_has_work(service))
        run_accounts(daily, SLICE_MAX - ended);
}

/*
 * While storage is nearly full the run waits: what is due is not spendable even before its event, and the
 * reserve is for captures, reversals and the ends of holds.
 */
bool daily_has_work(const struct service *service)
{
    const struct daily *daily = service->daily;
    return daily->running && !daily->scanning && ledger_has_room(service->ledger) &&
           !ledger_storage_low(service->ledger);
}

/* --- opening and closing --- */

static void hold_is_open(void *ctx, journal_position hold, const struct open_hold *open)
{
    daily_hold_begun(ctx, hold, open->deadline);
}

enum punkt_status daily_open(struct service *service, struct failure *failure)
{
    service->daily = calloc(1, sizeof(*service->daily));
    if (service->daily == NULL) {
        failure_set(failure, "no memory for the daily run");
        return PUNKT_NO_MEMORY;
    }
    service->daily->service = service;
    service->daily->day = INT32_MIN;
    if (fold_open_holds(ledger_fold(service->ledger), hold_is_open, service))
        return PUNKT_OK;
    failure_set(failure, "the open holds of state cannot be read; run: punktd rebuild --data DIR");
    return PUNKT_CORRUPT;
}

void daily_free(struct service *service)
{
    if (service->daily != NULL)
        free(service->daily->holds);
    free(service->daily);
}
