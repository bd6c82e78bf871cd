/* The oracle as a whole: days, versions of the programme, cards, time. */
#include "oracle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "oracle_steps.h"

#include "world.h"

#define DAY_US (INT64_C(86400) * 1000000)

/* --- days, by the C library --- */

static struct tm parts_of_day(int32_t day)
{
    time_t seconds = (time_t)day * 86400;
    struct tm parts;
    assert_non_null(gmtime_r(&seconds, &parts));
    return parts;
}

int32_t oracle_day(const struct oracle_programme *programme, int64_t time_us, int32_t *out_minute)
{
    time_t seconds = (time_t)(time_us / 1000000);
    struct tm parts;
    assert_int_equal(setenv("TZ", programme->berlin ? "Europe/Berlin" : "UTC", 1), 0);
    tzset();
    assert_non_null(localtime_r(&seconds, &parts));
    if (out_minute != NULL)
        *out_minute = parts.tm_hour * 60 + parts.tm_min;
    parts.tm_hour = parts.tm_min = parts.tm_sec = 0;
    return (int32_t)(timegm(&parts) / 86400);
}

int32_t oracle_month(int32_t day)
{
    struct tm parts = parts_of_day(day);
    return (parts.tm_year - 70) * 12 + parts.tm_mon;
}

int32_t oracle_month_end(int32_t month)
{
    struct tm parts = { .tm_year = 70 + (month + 1) / 12, .tm_mon = (month + 1) % 12, .tm_mday = 0 };
    return (int32_t)(timegm(&parts) / 86400);
}

int32_t oracle_add_months(int32_t day, int32_t months)
{
    int32_t month = oracle_month(day);
    int32_t added = oracle_month_end(month + months - 1) + (day - oracle_month_end(month - 1));
    int32_t end = oracle_month_end(month + months);
    return added < end ? added : end;
}

int32_t oracle_window_start(enum oracle_window window, const struct oracle_offer *period, int32_t day)
{
    switch (window) {
    case EACH_DAY:
        return day;
    case EACH_MONTH:
        return oracle_month_end(oracle_month(day) - 1) + 1;
    case EACH_YEAR:
        return oracle_month_end(oracle_month(day) / 12 * 12 - 1) + 1;
    case EACH_PERIOD:
        return period->from;
    case EACH_EVER:
    case EACH_NONE:
        break;
    }
    return 0;
}

/* --- the whole --- */

const struct oracle_programme *oracle_then(const struct oracle *oracle, int64_t time_us)
{
    unsigned version = oracle->version_count - 1;
    while (version > 0 && oracle->versions[version].from_us > time_us)
        version--;
    return &oracle->versions[version];
}

const struct oracle_programme *oracle_now(const struct oracle *oracle)
{
    return &oracle->versions[oracle->version_count - 1];
}

struct oracle *oracle_new(int64_t now_us, const struct oracle_programme *first)
{
    struct oracle *oracle = calloc(1, sizeof(*oracle));
    assert_non_null(oracle);
    oracle->versions[oracle->version_count++] = *first;
    oracle->now_us = now_us;
    oracle->today = oracle_day(first, now_us, NULL);
    oracle->first_month = oracle_month(oracle->today) - 24;
    for (unsigned i = 0; i < ORACLE_ACCOUNTS; i++) {
        oracle->cards[i] = (struct oracle_card){ .account = ORACLE_NONE, .waiting = ORACLE_NONE };
        (void)snprintf(oracle->cards[i].number, sizeof(oracle->cards[i].number), "29000000%05u", i * 10);
    }
    oracle->card_count = ORACLE_ACCOUNTS;
    return oracle;
}

static void free_all(void *items, size_t count)
{
    void **each = items;
    for (size_t i = 0; i < count; i++)
        free(each[i]);
    free(each);
}

void oracle_free(struct oracle *oracle)
{
    for (size_t i = 0; i < oracle->account_count; i++)
        free(oracle->accounts[i]);
    free_all(oracle->purchases, oracle->purchase_count);
    free_all(oracle->returns, oracle->return_count);
    free_all(oracle->spends, oracle->spend_count);
    free_all(oracle->holds, oracle->hold_count);
    free(oracle);
}

/* Midnights come before holds end, and what a hold had set aside may be over by then. */
void oracle_go_to(struct oracle *oracle, int64_t now_us)
{
    oracle->now_us = now_us;
    oracle->today = oracle_day(oracle_now(oracle), now_us, NULL);
    for (size_t i = 0; i < oracle->account_count; i++)
        oracle_midnights(oracle, oracle->accounts[i]);
    for (size_t i = 0; i < oracle->hold_count; i++) {
        struct oracle_hold *hold = oracle->holds[i];
        if (hold->state != HELD || hold->deadline_us > now_us)
            continue;
        struct oracle_account *account = oracle->accounts[oracle_account_index(oracle, hold->account)];
        oracle_end_hold(oracle, hold);
        hold->state = HOLD_WAS_RELEASED;
        oracle_end_event(oracle, account);
        oracle_midnights(oracle, account);
    }
}

size_t oracle_account_index(const struct oracle *oracle, size_t account)
{
    while (oracle->accounts[account]->merged_into != ORACLE_NONE)
        account = oracle->accounts[account]->merged_into;
    return account;
}

struct oracle_account *oracle_account_of(const struct oracle *oracle, unsigned card)
{
    size_t account = oracle->cards[card].account;
    return account == ORACLE_NONE ? NULL : oracle->accounts[oracle_account_index(oracle, account)];
}

size_t oracle_find(struct oracle *oracle, unsigned card, enum oracle_use use, struct oracle_answer *out)
{
    static const enum result refused[] = { RESULT_UNKNOWN_CARD,  RESULT_DONE,        RESULT_CARD_BLOCKED,
                                           RESULT_CARD_REPLACED, RESULT_CARD_CLOSED, RESULT_UNKNOWN_CARD };
    const struct oracle_card *found = &oracle->cards[card];
    enum oracle_card_status status = found->status;
    bool allowed = status == CARD_IS_ACTIVE || (status == CARD_IS_BLOCKED && use != USE_TO_SPEND) ||
                   (status != CARD_IS_UNKNOWN && use == USE_TO_RETURN);
    *out = (struct oracle_answer){ .result = allowed ? RESULT_DONE : refused[status] };
    if (status == CARD_IS_UNKNOWN)
        return ORACLE_NONE;
    size_t account = oracle_account_index(oracle, found->account);
    oracle_midnights(oracle, oracle->accounts[account]);
    if (allowed && oracle->accounts[account]->closed && use != USE_TO_RETURN)
        out->result = RESULT_ACCOUNT_CLOSED;
    return out->result == RESULT_DONE ? account : ORACLE_NONE;
}

void oracle_balance(const struct oracle *oracle, const struct oracle_account *account,
                    struct oracle_answer *out)
{
    out->available = oracle_free_points(oracle, account);
    out->debt = account->debt;
    out->pending = out->held = 0;
    for (uint32_t i = 1; i < account->next_lot; i++) {
        const struct oracle_lot *lot = &account->lots[i];
        out->held += lot->points > 0 ? lot->held : 0;
        out->pending += lot->points > 0 && lot->pending ? lot->points - lot->held : 0;
    }
    out->tier = account->tier;
}
