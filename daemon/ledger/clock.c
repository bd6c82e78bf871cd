#include "ledger/clock.h"

#include <sys/timex.h>
#include <time.h>

#define FORWARD_MAX_AT_START_US (31 * US_PER_DAY)
#define JUMP_FORWARD_MAX_US (60 * US_PER_SECOND)
#define JUMP_BACK_MAX_US (2 * US_PER_SECOND)

static void follow(struct ledger_clock *clock, const struct clock_reading *reading)
{
    clock->confirmed = true;
    clock->anchor_time = reading->realtime_us;
    clock->anchor_monotonic_us = reading->monotonic_us;
}

void ledger_clock_init(struct ledger_clock *clock, const struct clock_reading *reading, utc_us last_event,
                       utc_us build)
{
    *clock = (struct ledger_clock){ .time = last_event };
    bool credible = last_event == 0 ? reading->realtime_us >= build
                                    : reading->realtime_us >= last_event &&
                                          reading->realtime_us - last_event <= FORWARD_MAX_AT_START_US;
    bool forward = reading->realtime_us >= last_event;
    if (credible || (forward && reading->synchronised)) {
        follow(clock, reading);
        return;
    }
    /* Time goes on from the last event; an empty journal has none and begins with the build. */
    clock->anchor_time = last_event == 0 ? build : last_event;
    clock->anchor_monotonic_us = reading->monotonic_us;
}

utc_us ledger_clock_now(struct ledger_clock *clock, const struct clock_reading *reading)
{
    utc_us expected = clock->anchor_time + (reading->monotonic_us - clock->anchor_monotonic_us);
    int64_t jump = reading->realtime_us - expected;
    if (clock->confirmed) {
        if (jump <= JUMP_FORWARD_MAX_US && jump >= -JUMP_BACK_MAX_US)
            follow(clock, reading);
        else
            clock->confirmed = false;
    } else if (reading->synchronised && reading->realtime_us >= clock->time) {
        follow(clock, reading);
    }
    utc_us now = clock->confirmed ? reading->realtime_us : expected;
    clock->time = i64_max(clock->time, now);
    return clock->time;
}

void ledger_clock_accept(struct ledger_clock *clock, const struct clock_reading *reading)
{
    follow(clock, reading);
    clock->time = reading->realtime_us;
}

struct clock_reading clock_read(bool ask_kernel)
{
    struct timespec realtime, monotonic;
    clock_gettime(CLOCK_REALTIME, &realtime);
    clock_gettime(CLOCK_MONOTONIC, &monotonic);
    struct clock_reading reading = {
        .realtime_us = realtime.tv_sec * US_PER_SECOND + realtime.tv_nsec / 1000,
        .monotonic_us = monotonic.tv_sec * US_PER_SECOND + monotonic.tv_nsec / 1000,
    };
    if (ask_kernel) {
        struct timex timex = { .modes = 0 };
        int clock_state = adjtimex(&timex);
        reading.synchronised = clock_state >= 0 && clock_state != TIME_ERROR;
    }
    return reading;
}
