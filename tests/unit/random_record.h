/*
 * Records of every kind, whose fields take any value that one can hold.
 */
#pragma once

#include "ledger/records.h"
#include "random_maker.h"

/* Any record, so that one table serves all tests. */
union record {
    struct account account;
    struct card card;
    struct returned returned;
    struct totals totals;
    struct lane_record lane;
    struct programme_record programme;
    journal_position position;
    struct hold_state hold;
    struct open_hold open_hold;
    struct reward_state reward;
    struct day_counts day_counts;
    millipoints outstanding;
    struct cohort cohort;
    struct till_day till_day;
    struct till_record till;
    struct identity identity;
    struct proposal_record proposal;
    struct flag_record flag;
    struct seal_record seal;
};

struct record_kind {
    const char *name;
    size_t size_max;
    void (*make)(struct maker *maker, union record *out);
    size_t (*encode)(const union record *from, uint8_t *out, size_t capacity);
    bool (*decode)(struct state_value value, union record *out);
};

/* In the order of this: the tests name some of them. */
enum { KIND_ACCOUNT, KIND_CARD, KIND_RETURNED, KIND_HOLD = 7, KIND_TILL_DAY = 13, KIND_COUNT = 19 };
extern const struct record_kind record_kinds[KIND_COUNT];
