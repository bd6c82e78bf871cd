/*
 * What a till does over libpunkt with an outbox, and what it does after it died: it sells, takes back, redeems and cancels as
 * its plan says (till_plan.h), and keeps a list of its own (till_list.h). Nothing here reads a clock.
 */
#pragma once

#include <punkt.h>

#include "till_list.h"
#include "till_plan.h"

struct till_settings {
    const char *server, *folder, *till;
    const char *identity; /* its identity file; NULL: a program of this machine */
    const char *until;    /* sells until this file is there; NULL: until the acts are done */
    struct till_plan plan;
    uint64_t acts;
    uint32_t timeout_ms, pace_ms;                          /* pace: between two acts, at most */
    int32_t date;                                          /* of the first act */
    uint32_t acts_a_day;                                   /* so many have the same business date; 0: all */
    bool open;                                             /* ends without draining and closing */
    void *(*resize)(void *ctx, void *memory, size_t size); /* of the handle's options */
    void *resize_ctx;
};

struct till {
    struct till_settings settings;
    struct till_list list;
    struct punkt *punkt; /* NULL: there is no outbox, so that nothing can be stored */
    bool left_open;      /* the outbox did not take the end of the last act */
    bool disk_failed;    /* there was such an alarm during it */
    bool lost_something; /* there was an alarm that no kill and no bad network may cause */
};

/* Says what is wrong, and false. answer may be NULL. */
bool till_complain(const struct till *till, const char *what, const struct punkt_answer *answer);

/* The business date of an act. */
int32_t till_date(const struct till *till, uint64_t seq);

/* Opens list and outbox; settings are given, all else is zero. */
bool till_open(struct till *till);

/* The last act of the list, if nobody knows how it ended. A receipt is sold again under its number; if it
 * redeems, what an earlier process has left of it is undone first. */
bool till_finish_last(struct till *till);

/* Does what is on the list already; what is done is also told. */
bool till_perform(struct till *till, struct till_act *act);
