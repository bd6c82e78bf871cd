/*
 * The ledger's time: never going backwards, and following the machine's clock only while that is
 * credible (LEDGER.md, Time). Pure: both clocks are passed in.
 */
#pragma once

#include "base/base.h"
#include "base/units.h"

struct ledger_clock {
    utc_us time;        /* what was given out last */
    utc_us anchor_time; /* ledger time at the anchor */
    int64_t anchor_monotonic_us;
    bool confirmed; /* false: time goes on by the monotonic clock alone; an alarm was due */
};

/* What the machine says. */
struct clock_reading {
    utc_us realtime_us;
    int64_t monotonic_us;
    bool synchronised; /* the kernel reports a synchronised clock (adjtimex) */
};

/*
 * At start. last_event: time of the last event, 0 for an empty journal, which trusts a clock later than
 * `build`. Confirmed if the machine's clock is between the last event and 31 days after it, or the
 * kernel reports it synchronised.
 */
void ledger_clock_init(struct ledger_clock *clock, const struct clock_reading *reading, utc_us last_event,
                       utc_us build);

/* Ledger time now. Loses confirmation when the clock jumps over 60 s forward or 2 s back. */
utc_us ledger_clock_now(struct ledger_clock *clock, const struct clock_reading *reading);

/* An operator accepts the machine's clock: the only thing that may make time go back. */
void ledger_clock_accept(struct ledger_clock *clock, const struct clock_reading *reading);

/* Reads the machine's clocks. adjtimex is asked only if `ask_kernel`, since it is a system call. */
struct clock_reading clock_read(bool ask_kernel);
