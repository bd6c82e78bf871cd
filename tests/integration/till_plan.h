/*
 * What a till of a test does next: it follows from its seed and from its list, so that a till that was killed
 * goes on as if nothing had been.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "till_list.h"

struct till_plan {
    uint64_t seed;
    /* Kinds of the first acts, a letter each (prdhclv, in the order of enum till_kind); NULL: none. */
    const char *script;
    unsigned cards; /* that are issued; 1 or more */
    bool strangers; /* sells on cards, too, that are not */
    bool wishes;    /* some purchases redeem */
};

/* The act after the last one of the list. */
struct till_act till_plan_next(const struct till_plan *plan, const struct till_list *list);
