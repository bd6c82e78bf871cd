/* The machine that libpunkt runs on here: net.c has the sockets. */
#include "lib/machine.h"

#include "ledger/clock.h"
#include "sim.h"

uint64_t machine_now_us(void)
{
    return sim.now_us;
}

int64_t machine_wall_us(void)
{
    return SIM_START_US + (int64_t)sim.now_us + tills_clock_us();
}

bool machine_random(void *out, size_t size)
{
    uint8_t *bytes = out;
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)sim_below(256);
    return true;
}

static int wait_for_world(struct pollfd *fds, unsigned count, int wait_ms)
{
    uint64_t until_us = wait_ms < 0 ? UINT64_MAX : sim.now_us + (uint64_t)wait_ms * 1000;
    int ready;
    while ((ready = net_ready(fds, count)) == 0 && sim.now_us < until_us)
        sim_step(fds, count, until_us);
    return ready;
}

int machine_poll(struct pollfd *fds, unsigned count, int wait_ms)
{
    int ready;
    return tills_wait(fds, count, wait_ms, &ready) ? ready : wait_for_world(fds, count, wait_ms);
}

/* The clocks of the server, in place of the ledger's own. */
struct clock_reading __wrap_clock_read(bool ask_kernel);

struct clock_reading __wrap_clock_read(bool ask_kernel)
{
    return (struct clock_reading){ .realtime_us = SIM_START_US + (int64_t)sim.now_us,
                                   .monotonic_us = (int64_t)sim.now_us,
                                   .synchronised = ask_kernel };
}
