/*
 * What the office should look at, judged by what the account remembers (RELIABILITY.md, Audit and abuse). Flags stand in
 * the event; nobody at the till notices.
 */
#include <string.h>

#include "points/decide_steps.h"
#include "points/effect_maker.h"

#define MINUTES_PER_HOUR 60
#define MINUTES_PER_DAY (24 * MINUTES_PER_HOUR)
#define DAY_MINUTES_MAX (26 * MINUTES_PER_HOUR) /* of the longest, when the clock is put back */

/* 16 bits of two names, never 0: enough to tell apart those that one card meets. */
static uint32_t place_hash(struct text first, struct text second)
{
    uint64_t hash = programme_id(first) * 31 + programme_id(second);
    hash ^= hash >> 32;
    hash = (hash ^ hash >> 16) & UINT16_MAX;
    return hash == 0 ? 1 : (uint32_t)hash;
}

static uint32_t till_hash(const struct event *event)
{
    return place_hash(event->store, event->till);
}

/* Numbers of operators are given by stores. */
static uint32_t operator_hash(const struct event *event)
{
    return event->operator.size == 0 ? 0 : place_hash(event->store, event->operator);
}

static bool is_historic(const struct judgement *judgement)
{
    return (judgement->flags & EVENT_FLAG_HISTORIC) != 0;
}

static bool is_advice(const struct judgement *judgement)
{
    return (judgement->flags & EVENT_FLAG_ADVICE) != 0;
}

void abuse_remember(const struct programme *programme, const struct event *event,
                    struct account_change *inout_change)
{
    const struct abuse_limits *limits = &programme->abuse;
    if ((limits->card_hour | limits->card_day | limits->card_day_block | limits->operator_card |
         limits->staff_day) != 0)
        inout_change->which = till_hash(event) << 16 | operator_hash(event);
    if (limits->points_day != 0 || limits->points_day_block != 0 || limits->redeem_after_s != 0)
        inout_change->id = (uint64_t)event->purchase.earned;
}

/* --- how often --- */

/* Purchases of the account, the one that is judged among them. */
struct often {
    uint32_t hour, day, operator;
};

static void count_day(const struct programme *programme, const struct account *account, local_day day,
                      struct often *inout_often)
{
    uint32_t begins = account_minute(calendar_day_start(&programme->calendar, day));
    uint32_t ends = account_minute(calendar_day_start(&programme->calendar, day + 1));
    for (uint32_t i = 0; i < account->recent_count; i++) {
        uint32_t at = (uint32_t)(account->recent[i] >> 32);
        inout_often->day += at >= begins && at < ends;
    }
}

/*
 * The most purchases in so many minutes that the one at `minute` is among, of those whose bits under the mask are `which`. An
 * outbox may bring later ones first.
 */
static uint32_t most_within(const struct account *account, uint32_t minute, uint32_t minutes, uint32_t mask,
                            uint32_t which)
{
    uint32_t most = 0;
    for (uint32_t i = 0; i <= account->recent_count; i++) {
        uint32_t end = i < account->recent_count ? (uint32_t)(account->recent[i] >> 32) : minute;
        uint32_t count = 1;
        if (end < minute || end - minute >= minutes)
            continue;
        for (uint32_t j = 0; j < account->recent_count; j++) {
            uint32_t at = (uint32_t)(account->recent[j] >> 32);
            count += at <= end && end - at < minutes && ((uint32_t)account->recent[j] & mask) == which;
        }
        most = count > most ? count : most;
    }
    return most;
}

static struct often count_often(const struct programme *programme, const struct account *account,
                                const struct event *event, uint32_t places)
{
    uint32_t minute = account_minute(event->occurred);
    uint32_t till = places & ~(uint32_t)UINT16_MAX;
    uint32_t operator= places & UINT16_MAX;
    struct often often = { .hour =
                               most_within(account, minute, MINUTES_PER_HOUR, ~(uint32_t)UINT16_MAX, till),
                           .day = 1 };
    if (operator!= 0)
        often.operator=
            most_within(account, minute, ABUSE_OPERATOR_DAYS * MINUTES_PER_DAY, UINT16_MAX, operator);
    bool any_near = false;
    for (uint32_t i = 0; i < account->recent_count; i++)
        any_near = any_near || (account->recent[i] >> 32) + DAY_MINUTES_MAX >= minute;
    if (any_near)
        count_day(programme, account, event->purchase.day, &often);
    return often;
}

static bool reaches(int64_t limit, int64_t value)
{
    return limit != 0 && value >= limit;
}

/* --- staff --- */

/* Whether the card is that of who serves it. */
static bool serves_itself(const struct abuse_limits *limits, const struct account *account,
                          struct text operator)
{
    char tag[sizeof(account->tags[0].text)];
    size_t size = strlen(limits->staff_tag);
    if (operator.size == 0 || size + 1 + operator.size> sizeof(tag))
        return false;
    memcpy(tag, limits->staff_tag, size);
    tag[size] = '-';
    memcpy(tag + size + 1, operator.data, operator.size);
    return account_has_tag(account, tag, size + 1 + operator.size);
}

static bool staff(const struct abuse_limits *limits, const struct account *account, const struct event *event,
                  uint32_t of_day)
{
    if (account->tag_count == 0)
        return false;
    return (reaches(limits->staff_day, of_day) &&
            account_has_tag(account, limits->staff_tag, strlen(limits->staff_tag))) ||
           serves_itself(limits, account, event->operator);
}

/* --- the whole --- */

/* Points that the account has earned on the day of the purchase, this one's too. */
static millipoints earned_today(const struct account *account, const struct purchase *purchase)
{
    bool same = account->earned_on_day != 0 && purchase->day <= account->earned_day;
    return purchase->earned + (same ? account->earned_on_day : 0);
}

static uint32_t raise_if(bool raised, enum flag_kind kind)
{
    return raised ? (uint32_t)kind : 0;
}

/* What a server that is lost had booked in time comes again much later. */
static bool booked_late(const struct judgement *judgement, const struct abuse_limits *limits,
                        const struct event *event)
{
    return limits->late_s != 0 && (judgement->flags & EVENT_FLAG_SERVER_LOST) == 0 &&
           event->time - event->occurred > limits->late_s * US_PER_SECOND;
}

bool abuse_purchase(const struct judgement *judgement, const struct programme *programme, uint32_t places,
                    struct decision *decision)
{
    const struct abuse_limits *limits = &programme->abuse;
    const struct account *account = &decision->sides[0].before;
    struct event *event = &decision->event;
    if (is_historic(judgement))
        return true;
    struct often often = count_often(programme, account, event, places);
    millipoints earned = earned_today(account, &event->purchase);
    if (reaches(limits->card_day_block, often.day) ||
        (event->purchase.earned > 0 && reaches(limits->points_day_block, earned))) {
        if (judgement->till && !is_advice(judgement)) {
            decide_refuse(decision, REFUSAL_TOO_OFTEN, "%s", "");
            return false;
        }
        event->raises |= raise_if(is_advice(judgement), FLAG_BLOCKED_LIMIT);
    }
    event->raises |=
        raise_if(reaches(limits->card_hour, often.hour), FLAG_CARD_HOUR) |
        raise_if(reaches(limits->card_day, often.day), FLAG_CARD_DAY) |
        raise_if(reaches(limits->operator_card, often.operator), FLAG_OPERATOR) |
        raise_if(event->purchase.earned > 0 && reaches(limits->points_day, earned), FLAG_POINTS_DAY) |
        raise_if(staff(limits, account, event, often.day), FLAG_STAFF) |
        raise_if(booked_late(judgement, limits, event), FLAG_LATE_SALE);
    return true;
}

/* What a till redeemed on its own is counted by account and day; what it should not have done is flagged. */
static bool beyond_offline(const struct programme *programme, const struct event *event, struct maker *maker,
                           millipoints points)
{
    local_day day = calendar_day(&programme->calendar, event->occurred);
    millipoints before = account_tally(maker->after, TALLY_OFFLINE, 0, day);
    maker_tally(maker, TALLY_OFFLINE, 0, day, points);
    return points > programme->offline_till || points > programme->offline_card - before;
}

void abuse_redeemed(const struct judgement *judgement, const struct programme *programme,
                    struct decision *decision, struct maker *maker, uint32_t count,
                    const struct redemption *redemptions)
{
    struct event *event = &decision->event;
    if (count == 0 || is_historic(judgement))
        return;
    uint32_t first = maker->before->first_earned;
    int64_t after_s = ((int64_t)account_minute(event->occurred) - first) * 60;
    event->raises |= raise_if(first > EARNED_LONG_AGO && programme->abuse.redeem_after_s != 0 &&
                                  after_s >= 0 && after_s <= programme->abuse.redeem_after_s,
                              FLAG_QUICK_REDEEM);
    if ((event->flags & EVENT_FLAG_OFFLINE) == 0)
        return;
    millipoints points = 0;
    for (uint32_t i = 0; i < count; i++)
        points += redemptions[i].points + redemptions[i].shortfall;
    event->raises |=
        raise_if(points > 0 && beyond_offline(programme, event, maker, points), FLAG_OFFLINE_LIMIT);
}
