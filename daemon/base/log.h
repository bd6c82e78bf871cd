/*
 * One line an event to standard error: "2026-11-21T10:00:00.123Z level words". The level is the
 * only writable global of the daemon, set once at start. Libraries (points, ledger) never log. No line
 * names a card number: whatever looks like one, 13 digits or more, leaves as its first 6 and last 2.
 */
#pragma once

#include "base/base.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

void log_set_level(enum log_level level);

PUNKT_PRINTF(1, 2) void log_error(const char *format, ...);
PUNKT_PRINTF(1, 2) void log_warning(const char *format, ...);
PUNKT_PRINTF(1, 2) void log_info(const char *format, ...);
PUNKT_PRINTF(1, 2) void log_debug(const char *format, ...);
