#include "net/wheel.h"

void wheel_init(struct wheel *wheel, int64_t now_us)
{
    for (size_t i = 0; i < WHEEL_BUCKETS; i++)
        list_init(&wheel->buckets[i]);
    wheel->tick = now_us / WHEEL_TICK_US;
}

void wheel_set(struct wheel *wheel, struct wheel_timer *timer, int64_t at_us)
{
    /* The first tick that is not before the time, and neither passed nor a turn away. */
    int64_t tick = (at_us + WHEEL_TICK_US - 1) / WHEEL_TICK_US;
    tick = i64_max(tick, wheel->tick + 1);
    tick = i64_min(tick, wheel->tick + WHEEL_BUCKETS - 1);
    link_leave(&timer->link);
    timer->at_us = at_us;
    list_append(&wheel->buckets[tick % WHEEL_BUCKETS], &timer->link);
}

void wheel_collect(struct wheel *wheel, int64_t now_us, struct link *due)
{
    const int64_t now_tick = now_us / WHEEL_TICK_US;
    const int64_t passed = i64_min(now_tick - wheel->tick, WHEEL_BUCKETS);
    if (passed <= 0)
        return;
    struct link looked_at;
    list_init(&looked_at);
    for (int64_t i = 0; i < passed; i++)
        list_splice(&wheel->buckets[(wheel->tick + 1 + i) % WHEEL_BUCKETS], &looked_at);
    wheel->tick = now_tick;

    struct link *link;
    while ((link = list_shift(&looked_at)) != NULL) {
        struct wheel_timer *timer = LINK_OWNER(link, struct wheel_timer, link);
        if (timer->at_us <= now_us)
            list_append(due, link);
        else
            wheel_set(wheel, timer, timer->at_us);
    }
}
