#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static enum log_level level_now = LOG_LEVEL_INFO;

void log_set_level(enum log_level level)
{
    level_now = level;
}

PUNKT_PRINTF(3, 0)
static void log_line(enum log_level level, const char *word, const char *format, va_list args)
{
    if (level > level_now)
        return;
    char line[1024];
    struct timespec now;
    struct tm parts;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &parts);
    size_t used = strftime(line, sizeof(line), "%Y-%m-%dT%H:%M:%S", &parts);
    used += (size_t)snprintf(line + used, sizeof(line) - used, ".%03ldZ %s ", now.tv_nsec / 1000000, word);
    int more = vsnprintf(line + used, sizeof(line) - used - 1, format, args);
    if (more > 0)
        used += (size_t)more < sizeof(line) - used - 1 ? (size_t)more : sizeof(line) - used - 2;
    line[used++] = '\n';
    /* One write a line, so that lines of two threads never mix. Nothing can be done if it fails. */
    ssize_t ignored = write(STDERR_FILENO, line, used);
    (void)ignored;
}

#define LOG_FUNCTION(name, level, word)                                                                      \
    void name(const char *format, ...)                                                                       \
    {                                                                                                        \
        va_list args;                                                                                        \
        va_start(args, format);                                                                              \
        log_line(level, word, format, args);                                                                 \
        va_end(args);                                                                                        \
    }

LOG_FUNCTION(log_error, LOG_LEVEL_ERROR, "error")
LOG_FUNCTION(log_warning, LOG_LEVEL_WARNING, "warning")
LOG_FUNCTION(log_info, LOG_LEVEL_INFO, "info")
LOG_FUNCTION(log_debug, LOG_LEVEL_DEBUG, "debug")
