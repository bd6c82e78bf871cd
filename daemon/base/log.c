#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* How much of a card number is shown (RELIABILITY.md, Audit and abuse), and from where on digits look like one: EAN-13. */
#define SHOWN_FIRST 6
#define SHOWN_LAST 2
#define MASKED_DIGITS_MIN 13

static enum log_level level_now = LOG_LEVEL_INFO;

void log_set_level(enum log_level level)
{
    level_now = level;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/*
 * Nobody logs card numbers, but lines hold what clients sent and what files are called: whatever looks like one is masked
 * before it leaves. Hashes have letters among their digits; positions are that long in no journal of this world, but for
 * those in the names of its segments, which an operator must be able to find.
 */
static void mask_cards(char *text)
{
    for (char *at = text; *at != '\0';) {
        size_t digits = 0, size = 0;
        for (; is_word(at[size]); size++)
            digits += is_digit(at[size]);
        if (digits == size && size >= MASKED_DIGITS_MIN && strncmp(at + size, ".seg", 4) != 0)
            memset(at + SHOWN_FIRST, '*', size - SHOWN_FIRST - SHOWN_LAST);
        at += size > 0 ? size : 1;
    }
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
    char *words = line + used;
    int more = vsnprintf(line + used, sizeof(line) - used - 1, format, args);
    if (more > 0)
        used += (size_t)more < sizeof(line) - used - 1 ? (size_t)more : sizeof(line) - used - 2;
    line[used] = '\0';
    mask_cards(words);
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
