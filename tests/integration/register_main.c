/*
 * punkt-register: a till as a process, over libpunkt with an outbox, for tests that kill it. It keeps a list
 * of its own (till_list.h), sells, takes back, redeems and cancels as its seed says, and goes on from its
 * list after a kill. At the end it drains its outbox and closes the day.
 *
 *      punkt-register --server 127.0.0.1:40123 --folder DIR --till 7 --seed 1 --date 20000 [--until FILE]
 *                     [--identity FILE]
 *
 * It ends with 0 when the day is closed in balance and nothing is dead (or --open was given), with 3 when the
 * end of an act cannot be stored, so that the next start has to see to it, and with 1 and a sentence when
 * something is wrong.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../unit/random.h"
#include "till_acts.h"

#define EXIT_OPEN 3
#define PATIENCE_S 100 /* to drain and to close */

/* --- the day --- */

static bool told_to_end(const struct till *till)
{
    if (till->settings.until != NULL && access(till->settings.until, F_OK) == 0)
        return true;
    return till->settings.acts > 0 && till->list.count >= till->settings.acts;
}

/* Somebody closes the day while it goes on, whatever comes of that: what was not told it in time is told it
 * later. */
static void close_early(struct till *till)
{
    struct punkt_close_day_request request = PUNKT_INIT(request);
    struct punkt_close_day_answer answer = PUNKT_ANSWER_INIT(answer);
    request.business_date = till->settings.date;
    request.timeout_ms = till->settings.timeout_ms;
    (void)punkt_close_day(till->punkt, &request, &answer);
}

static bool sell(struct till *till)
{
    struct random random = { till->settings.plan.seed ^ (uint64_t)getpid() };
    while (!told_to_end(till)) {
        struct till_act act = till_plan_next(&till->settings.plan, &till->list);
        if (!till_list_about(&till->list, &act))
            return till_complain(till, "the list cannot be written", NULL);
        if (!till_perform(till, &act))
            return false;
        if (till->punkt != NULL && random_below(&random, 100) == 0)
            close_early(till);
        if (till->punkt != NULL)
            (void)punkt_drive(till->punkt, (int)random_below(&random, till->settings.pace_ms));
    }
    return true;
}

static int64_t seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

static bool drain(struct till *till)
{
    struct punkt_outbox_info info = PUNKT_INIT(info);
    int64_t until = seconds() + PATIENCE_S;
    for (punkt_outbox_info(till->punkt, &info); info.queued > 0; punkt_outbox_info(till->punkt, &info)) {
        if (seconds() > until) {
            (void)fprintf(stderr, "till %s: %" PRIu64 " queued, link %s, %s\n", till->settings.till,
                          info.queued, punkt_link_state_name(punkt_link_state(till->punkt)),
                          punkt_trouble(till->punkt));
            return false;
        }
        (void)punkt_drive(till->punkt, 200);
    }
    return info.dead == 0 ? true : till_complain(till, "there are dead operations", NULL);
}

static bool close_day(struct till *till)
{
    struct punkt_close_day_request request = PUNKT_INIT(request);
    struct punkt_close_day_answer answer = PUNKT_ANSWER_INIT(answer);
    char report[4096];
    int64_t until = seconds() + PATIENCE_S;
    request.business_date = till->settings.date;
    do
        (void)punkt_close_day(till->punkt, &request, &answer);
    while (answer.state >= PUNKT_CLOSE_OPEN && seconds() <= until);
    if (answer.head.call == PUNKT_CALL_DONE && answer.state == PUNKT_CLOSE_BALANCED)
        return true;
    (void)till_complain(till, punkt_close_state_name(answer.state), &answer.head);
    (void)punkt_close_report(till->punkt, &answer, 60, report, sizeof(report));
    (void)fputs(report, stderr);
    return false;
}

/* --- start --- */

/* What an option gives; one of the three. */
struct setting {
    const char *name;
    const char **text;
    uint64_t *number;
    bool *flag;
};

#define SETTINGS 15

static bool read_options(int argc, char **argv, const struct setting settings[SETTINGS])
{
    struct option options[SETTINGS + 1] = { { .name = NULL } };
    for (int i = 0; i < SETTINGS; i++)
        options[i] = (struct option){ .name = settings[i].name,
                                      .has_arg = settings[i].flag != NULL ? no_argument : required_argument,
                                      .val = i };
    for (int found; (found = getopt_long(argc, argv, "", options, NULL)) >= 0;) {
        if (found >= SETTINGS)
            return false; /* '?' */
        if (settings[found].text != NULL)
            *settings[found].text = optarg;
        else if (settings[found].number != NULL)
            *settings[found].number = strtoull(optarg, NULL, 10);
        else
            *settings[found].flag = true;
    }
    return true;
}

static bool read_settings(int argc, char **argv, struct till_settings *out)
{
    uint64_t cards = 20, timeout_ms = 300, pace_ms = 15, date = 0;
    const struct setting settings[SETTINGS] = {
        { "server", .text = &out->server },
        { "identity", .text = &out->identity },
        { "folder", .text = &out->folder },
        { "till", .text = &out->till },
        { "until", .text = &out->until },
        { "script", .text = &out->plan.script },
        { "seed", .number = &out->plan.seed },
        { "acts", .number = &out->acts },
        { "cards", .number = &cards },
        { "timeout", .number = &timeout_ms },
        { "pace", .number = &pace_ms },
        { "date", .number = &date },
        { "strangers", .flag = &out->plan.strangers },
        { "wishes", .flag = &out->plan.wishes },
        { "open", .flag = &out->open },
    };
    bool good = read_options(argc, argv, settings);
    out->plan.cards = (unsigned)cards;
    out->timeout_ms = (uint32_t)timeout_ms;
    out->pace_ms = (uint32_t)pace_ms;
    out->date = (int32_t)date;
    return good && out->server != NULL && out->folder != NULL && out->till != NULL && cards > 0 &&
           pace_ms > 0;
}

int main(int argc, char **argv)
{
    struct till till = { .list = { .fd = -1 } };
    if (!read_settings(argc, argv, &till.settings)) {
        (void)fputs("usage: punkt-register --server ADDRESS --folder DIR --till TILL ...\n", stderr);
        return 2;
    }
    bool good = till_open(&till) && till_finish_last(&till) && sell(&till);
    if (good && !till.settings.open)
        good = till.punkt != NULL && drain(&till) && close_day(&till);
    punkt_free(till.punkt);
    till_list_close(&till.list);
    good = good && !till.lost_something;
    return good ? 0 : till.left_open ? EXIT_OPEN : 1;
}
