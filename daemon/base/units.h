/*
 * The scalars of the ledger, named by their unit. Plain integers: the names are for the reader.
 */
#pragma once

#include "base/base.h"

typedef int64_t millipoints;       /* thousandths of a point */
typedef int64_t minor_units;       /* money, in minor units of the programme's currency */
typedef int64_t millis_of_unit;    /* quantities: thousandths of a unit */
typedef int64_t utc_us;            /* microseconds since 1970-01-01 00:00 UTC */
typedef int32_t local_day;         /* days since 1970-01-01, on the wall calendar of the programme's zone */
typedef uint64_t account_number;   /* 1..N, dense; 0 is none */
typedef uint64_t card_id;          /* 1..N, dense; 0 is none: how events name a card */
typedef uint64_t journal_position; /* bytes of blocks before it; 0 is none (no event is at 0) */

#define MILLIPOINTS_PER_POINT INT64_C(1000)
#define MILLIS_PER_UNIT INT64_C(1000)
#define DAY_NEVER INT32_MAX /* the last day of a lot that does not expire */

/* Limits are judged at decode, so that inner code may check them (DOMAIN.md, Numbers). */
#define AMOUNT_MAX INT64_C(999999999999)                    /* below 10^12 minor units */
#define QUANTITY_MAX INT64_C(999999999)                     /* below 10^9 thousandths */
#define MILLIPOINTS_MAX (INT64_C(1000000000000) * 1000 - 1) /* below 10^12 points */
#define LINES_MAX 4096

#define US_PER_SECOND INT64_C(1000000)
#define US_PER_DAY (INT64_C(86400) * US_PER_SECOND)
