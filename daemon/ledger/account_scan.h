/*
 * Accounts that match, found by the reader thread in LMDB: candidates, for what was found may have changed since the last
 * checkpoint; the loop looks each up again and decides (LEDGER.md, State).
 */
#pragma once

#include "base/base.h"
#include "ledger/reader.h"

enum account_scan_kind {
    ACCOUNTS_DUE,         /* something is due on `day` or before (account_due_day): the daily run */
    ACCOUNTS_IN_DEBT,     /* closed ones too */
    ACCOUNTS_IN_SUSPENSE, /* no issued card leads to them */
};

#define ACCOUNT_SCAN_MAX 1024

/* A job. Zeroed, kind, day and job.done are the submitter's; submitted again as it is, it goes on where it stopped. */
struct account_scan {
    struct ledger_job job; /* run: account_scan_run */
    enum account_scan_kind kind;
    local_day day;
    account_number after; /* the last one looked at; 0: none yet */
    bool ended;           /* all were looked at */
    bool failed;          /* state cannot be read */
    uint32_t count;
    account_number found[ACCOUNT_SCAN_MAX]; /* rising; merged accounts are left out */
};

/* Looks at 10,000 accounts a slice, until `found` is full or all were looked at. */
enum job_step account_scan_run(struct ledger_job *job, struct reading *reading);
