#include "good_till.h"

#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <punkt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PACE_NS 25000000 /* between sales, so that there are fewer than 40 a second: a till may 50 */
#define SALES_MAX 40000  /* more than a test that ends ever sees */

struct good_till {
    struct punkt *punkt;
    uint64_t epoch, first_card, card_count;
    pthread_t thread;
    pthread_mutex_t lock; /* of all below */
    pthread_cond_t sold;
    int file; /* for a sync of its own */
    bool stop;
    char trouble[160]; /* of the sale that failed; "": none did */
    uint64_t sales;
    struct good_till_times took[SALES_MAX];
};

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Returns how it ended. */
static enum punkt_call sell(struct good_till *till, uint64_t number)
{
    char card[24], receipt[24];
    struct punkt_purchase_request sale = PUNKT_INIT(sale);
    struct punkt_purchase_answer answer = PUNKT_ANSWER_INIT(answer);
    (void)snprintf(card, sizeof(card), "%" PRIu64, till->first_card + number % till->card_count);
    (void)snprintf(receipt, sizeof(receipt), "g%" PRIu64, number);
    sale.card = card;
    sale.receipt = receipt;
    sale.amount = GOOD_TILL_AMOUNT;
    return punkt_purchase(till->punkt, &sale, &answer);
}

/* Whether it goes on. */
static bool note(struct good_till *till, enum punkt_call call, int64_t machine_us, int64_t sale_us)
{
    (void)pthread_mutex_lock(&till->lock);
    if (call != PUNKT_CALL_DONE)
        (void)snprintf(till->trouble, sizeof(till->trouble), "sale %" PRIu64 " ended with %d: %s",
                       till->sales, (int)call, punkt_trouble(till->punkt));
    else
        till->took[till->sales++] = (struct good_till_times){ sale_us, machine_us };
    bool goes_on = !till->stop && till->trouble[0] == '\0' && till->sales < SALES_MAX;
    (void)pthread_cond_signal(&till->sold);
    (void)pthread_mutex_unlock(&till->lock);
    return goes_on;
}

/* How late the machine wakes us at a moment, and how long it takes to sync a byte, whatever punktd does. */
static int64_t try_machine(struct good_till *till, const struct timespec *moment)
{
    (void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, moment, NULL);
    if (pwrite(till->file, "", 1, 0) != 1 || fdatasync(till->file) != 0)
        return INT64_MAX;
    return now_us() - ((int64_t)moment->tv_sec * 1000000 + moment->tv_nsec / 1000);
}

static void *sell_on(void *ctx)
{
    struct good_till *till = ctx;
    struct timespec next;
    int64_t machine_us, start_us;
    enum punkt_call call;
    uint64_t number = 0;
    do {
        clock_gettime(CLOCK_MONOTONIC, &next);
        next.tv_nsec += PACE_NS;
        next.tv_sec += next.tv_nsec / 1000000000;
        next.tv_nsec %= 1000000000;
        machine_us = try_machine(till, &next);
        start_us = now_us();
        call = sell(till, number++);
    } while (note(till, call, machine_us, now_us() - start_us));
    return NULL;
}

struct good_till *good_till_start(const char *identity, uint64_t first_card, uint64_t card_count)
{
    char path[256];
    struct good_till *till = calloc(1, sizeof(*till));
    pthread_condattr_t monotonic;
    struct punkt_options options = PUNKT_INIT(options);
    assert_non_null(till);
    (void)snprintf(path, sizeof(path), "%s.sync", identity);
    till->file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_true(till->file >= 0);
    till->first_card = first_card;
    till->card_count = card_count;
    options.identity = identity;
    options.timeout_ms = WORLD_PATIENCE_MS;
    assert_int_equal(punkt_new(&options, &till->punkt), PUNKT_CALL_DONE);
    till->epoch = punkt_epoch(till->punkt);
    (void)pthread_mutex_init(&till->lock, NULL);
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&till->sold, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    assert_int_equal(pthread_create(&till->thread, NULL, sell_on, till), 0);
    return till;
}

void good_till_wait(struct good_till *till, uint64_t sales)
{
    struct timespec until;
    int waited = 0;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += WORLD_PATIENCE_MS / 1000;
    (void)pthread_mutex_lock(&till->lock);
    while (till->sales < sales && till->trouble[0] == '\0' && waited == 0)
        waited = pthread_cond_timedwait(&till->sold, &till->lock, &until);
    uint64_t sold = till->sales;
    (void)pthread_mutex_unlock(&till->lock);
    (void)good_till_sales(till);
    if (sold < sales)
        fail_msg("the good till sold %" PRIu64 " times instead of %" PRIu64, sold, sales);
}

uint64_t good_till_sales(struct good_till *till)
{
    char trouble[sizeof(till->trouble)];
    (void)pthread_mutex_lock(&till->lock);
    uint64_t sales = till->sales;
    memcpy(trouble, till->trouble, sizeof(trouble));
    (void)pthread_mutex_unlock(&till->lock);
    if (trouble[0] != '\0')
        fail_msg("the good till: %s", trouble);
    return sales;
}

uint64_t good_till_epoch(const struct good_till *till)
{
    return till->epoch;
}

static int by_size(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

static int64_t p99_of(int64_t *times, size_t count)
{
    qsort(times, count, sizeof(*times), by_size);
    return times[(count * 99 + 99) / 100 - 1];
}

struct good_till_times good_till_p99(struct good_till *till, uint64_t from, uint64_t until)
{
    assert_true(from < until && until <= good_till_sales(till));
    size_t count = (size_t)(until - from);
    int64_t *times = malloc(2 * count * sizeof(*times));
    assert_non_null(times);
    (void)pthread_mutex_lock(&till->lock);
    for (size_t i = 0; i < count; i++) {
        times[i] = till->took[from + i].sale_us;
        times[count + i] = till->took[from + i].machine_us;
    }
    (void)pthread_mutex_unlock(&till->lock);
    struct good_till_times p99 = { p99_of(times, count), p99_of(times + count, count) };
    free(times);
    return p99;
}

uint64_t good_till_stop(struct good_till *till)
{
    if (till == NULL)
        return 0;
    (void)pthread_mutex_lock(&till->lock);
    till->stop = true;
    (void)pthread_mutex_unlock(&till->lock);
    (void)pthread_join(till->thread, NULL);
    uint64_t sales = till->sales;
    punkt_free(till->punkt);
    (void)close(till->file);
    (void)pthread_cond_destroy(&till->sold);
    (void)pthread_mutex_destroy(&till->lock);
    free(till);
    return sales;
}
