/*
 * Pages of the audit log, and a clock that goes ahead at will, for tests of what is written down by time.
 */
#pragma once

#include "service_world.h"

/* The machine's clocks go on so many microseconds later from the next turn on. */
void clock_forward(int64_t us);
/* The wall clock alone goes back. */
void clock_back(int64_t us);
/* What the threads have finished, then a turn of the service; waits for nothing. */
void turn(struct service_world *world);

/* What is asked for; zeros: all of it. */
struct page_wish {
    const char *kind, *actor;
    utc_us since, until;
    uint64_t from, limit;
};
enum result page_result(struct service_world *world, const struct page_wish *wish);
/* Its page, borrowed until the next request. */
const struct msg_audit_log_answer *page(struct service_world *world, const struct page_wish *wish);
/* How many acts of a kind there are, on one page. */
size_t acts_of_kind(struct service_world *world, const char *kind);
void assert_act(const struct msg_audit_entry *got, const char *kind, const char *actor, const char *detail);
