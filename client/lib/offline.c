#include "lib/offline.h"

#include <string.h>

#define HOUR_US (INT64_C(3600) * 1000 * 1000)
#define TRUSTED_US (12 * HOUR_US)      /* all of a balance is trusted, */
#define HALF_TRUSTED_US (24 * HOUR_US) /* and then */
#define HALF_TRUSTED_PERCENT 70
#define CORRECTED_US                                                                                         \
    (INT64_C(60) * 1000 * 1000) /* the clock may go back so far when a server says its time */

static unsigned set_of(const char *card)
{
    uint32_t hash = 2166136261U; /* FNV-1a */
    for (const char *at = card; *at != '\0'; at++)
        hash = (hash ^ (unsigned char)*at) * 16777619U;
    return hash % BALANCE_SETS;
}

void balances_see(struct balances *balances, const char *card, int64_t available, int64_t at_us)
{
    struct seen_balance *set = balances->seen[set_of(card)];
    struct seen_balance *place = &set[0];
    if (*card == '\0' || strlen(card) >= sizeof(place->card))
        return;
    for (unsigned i = 0; i < BALANCE_WAYS; i++) {
        if (strcmp(set[i].card, card) == 0) {
            place = &set[i];
            break;
        }
        if (set[i].at_us < place->at_us)
            place = &set[i];
    }
    if (strcmp(place->card, card) == 0 && place->at_us > at_us)
        return;
    (void)strcpy(place->card, card);
    place->available = available;
    place->at_us = at_us;
}

const struct seen_balance *balances_find(const struct balances *balances, const char *card)
{
    const struct seen_balance *set = balances->seen[set_of(card)];
    for (unsigned i = 0; i < BALANCE_WAYS; i++) {
        if (*card != '\0' && strcmp(set[i].card, card) == 0)
            return &set[i];
    }
    return NULL;
}

/* Points of a seen balance that may be trusted at its age, which is under 24 hours. */
static int64_t trusted(const struct seen_balance *seen, int64_t age_us)
{
    if (seen->available <= 0)
        return 0;
    if (age_us < TRUSTED_US)
        return seen->available;
    return seen->available / 100 * HALF_TRUSTED_PERCENT + seen->available % 100 * HALF_TRUSTED_PERCENT / 100;
}

static int64_t at_least_zero(int64_t value)
{
    return value > 0 ? value : 0;
}

enum offline_verdict offline_decide(const struct offline_rules *rules, const struct seen_balance *seen,
                                    const struct offline_use *use, int64_t now_us, int64_t points,
                                    int64_t *out_left)
{
    *out_left = 0;
    if (rules->card_max <= 0 || rules->till_max <= 0)
        return OFFLINE_OFF;
    if (seen == NULL)
        return OFFLINE_UNSEEN;
    int64_t age_us = now_us - seen->at_us;
    if (age_us < -CORRECTED_US || age_us >= HALF_TRUSTED_US)
        return OFFLINE_OLD;
    int64_t balance = at_least_zero(trusted(seen, age_us) - use->card_open);
    int64_t card = at_least_zero(rules->card_max - use->card_today);
    int64_t till = at_least_zero(rules->till_max - use->till_period);
    *out_left = balance < card ? balance : card;
    *out_left = *out_left < till ? *out_left : till;
    if (points <= 0 || points < rules->minimum || (rules->step > 0 && points % rules->step != 0))
        return OFFLINE_FORM;
    if (points > balance)
        return OFFLINE_NOT_ENOUGH;
    if (points > card)
        return OFFLINE_CARD_LIMIT;
    return points > till ? OFFLINE_TILL_LIMIT : OFFLINE_GRANTED;
}

/* value * by / in, rounded down; all 0 or more, in not 0. Too large: the largest there is. */
static int64_t in_proportion(int64_t value, int64_t by, int64_t in)
{
    int64_t whole = value / in, rest = value % in;
    if (by > 0 && (whole > INT64_MAX / by / 2 || rest > INT64_MAX / by / 2))
        return INT64_MAX;
    return whole * by + rest * by / in;
}

int64_t offline_fit(const struct offline_rules *rules, int64_t points, int64_t bill)
{
    if (rules->worth > 0 && rules->points > 0 && bill > 0) {
        int64_t fit = in_proportion(bill, rules->points, rules->worth);
        points = points < fit ? points : fit;
    }
    return rules->step > 0 && points > 0 ? points - points % rules->step : points;
}

int64_t offline_worth(const struct offline_rules *rules, int64_t points)
{
    if (rules->worth <= 0 || rules->points <= 0 || points <= 0)
        return 0;
    return in_proportion(points, rules->worth, rules->points);
}

const char *offline_verdict_text(enum offline_verdict verdict)
{
    static const char *const texts[] = {
        [OFFLINE_GRANTED] = "",
        [OFFLINE_OFF] = "the programme does not allow it, or this till has never reached a server",
        [OFFLINE_UNSEEN] = "this till has not seen a balance of the card",
        [OFFLINE_OLD] = "the balance that this till has seen is older than 24 hours",
        [OFFLINE_FORM] = "fewer points than the programme takes at once, or not in its steps",
        [OFFLINE_NOT_ENOUGH] = "more than may be trusted of the balance that this till has seen",
        [OFFLINE_CARD_LIMIT] = "more than a card may redeem offline on one day",
        [OFFLINE_TILL_LIMIT] = "more than this till may redeem before the server is back",
        [OFFLINE_REWARD] = "rewards, and holds of others, need the server",
    };
    return texts[verdict];
}
