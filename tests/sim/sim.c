#include "sim.h"

#include <stdio.h>

#define CENTURY_US (UINT64_C(36525) * 24 * SIM_HOUR_US)

struct sim sim;

uint64_t sim_below(uint64_t bound)
{
    return random_below(&sim.random, bound);
}

bool sim_chance(uint64_t once_in)
{
    return sim_below(once_in) == 0;
}

void sim_note(const char *format, ...)
{
    char line[256];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    for (const char *at = line; *at != '\0'; at++)
        sim.hash = (sim.hash ^ (uint8_t)*at) * UINT64_C(0x100000001b3); /* FNV-1a */
    sim.hash = (sim.hash ^ sim.now_us) * UINT64_C(0x100000001b3);
    if (sim.trace)
        (void)printf("%12.6f %s\n", (double)sim.now_us / (double)SIM_SECOND_US, line);
}

/* What happens at this moment, or else time goes on to what does next. */
void sim_step(struct pollfd *fds, unsigned count, uint64_t until_us)
{
    net_step();
    if (net_ready(fds, count) > 0)
        return;
    if (tills_step()) {
        sim.now_us += 1 + sim_below(50); /* nobody works in no time */
        return;
    }
    uint64_t dues_us[] = { tills_due_us(), net_ready_us(fds, count), until_us }, due_us = net_due_us();
    for (unsigned i = 0; i < sizeof(dues_us) / sizeof(dues_us[0]); i++) {
        if (dues_us[i] < due_us)
            due_us = dues_us[i];
    }
    if (due_us > CENTURY_US)
        due_us = sim.now_us + SIM_SECOND_US;
    sim.now_us = due_us > sim.now_us ? due_us : sim.now_us + 1;
}
