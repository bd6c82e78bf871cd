/*
 * A zone of the IANA database as a table of transitions.
 */
#pragma once

#include "base/base.h"
#include "base/status.h"
#include "points/calendar.h"

/*
 * Makes the table from 1970 through 2099, or from 2000 on if it would be too long. Sets the process's TZ
 * for it and puts it back: no other thread may use local time meanwhile. PUNKT_NOT_FOUND: there is no such
 * zone; PUNKT_FULL: it has more transitions than fit.
 */
PUNKT_MUST_CHECK enum punkt_status zone_read(const char *name, struct calendar *out);
