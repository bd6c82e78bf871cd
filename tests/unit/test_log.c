/*
 * Lines of the log: one a line, by level, and no card number in them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

/* What a line says behind its time; "" if it was not written. */
static const char *said(void (*say)(const char *format, ...), const char *words)
{
    static char line[2048];
    int pipes[2], before = dup(STDERR_FILENO);
    assert_int_equal(pipe(pipes), 0);
    assert_int_equal(dup2(pipes[1], STDERR_FILENO), STDERR_FILENO);
    say("%s", words);
    assert_int_equal(dup2(before, STDERR_FILENO), STDERR_FILENO);
    (void)close(before);
    (void)close(pipes[1]);
    ssize_t size = read(pipes[0], line, sizeof(line) - 1);
    (void)close(pipes[0]);
    line[size > 0 ? size : 0] = '\0';
    if (size <= 0)
        return "";
    assert_int_equal(line[size - 1], '\n');
    line[size - 1] = '\0';
    return strchr(line, ' ') + 1;
}

static void no_card(void **unused PUNKT_UNUSED)
{
    static const struct {
        const char *words, *want;
    } rows[] = {
        { "card 2900000000018 is unknown", "info card 290000*****18 is unknown" },
        { "2900000000018", "info 290000*****18" },
        { "4111111111111111", "info 411111********11" },
        { "a 1234567890123, a 12345678901234567890.", "info a 123456*****23, a 123456************90." },
        { "position 123456789012 of 2026-11-22", "info position 123456789012 of 2026-11-22" },
        { "head 12345678901234567890123456789012345678901234567890123456789012ab",
          "info head 12345678901234567890123456789012345678901234567890123456789012ab" },
        { "", "info " },
        { "journal/0000000067108864.seg, offset 8", "info journal/0000000067108864.seg, offset 8" },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_string_equal(said(log_info, rows[i].words), rows[i].want);
}

static void levels(void **unused PUNKT_UNUSED)
{
    assert_string_equal(said(log_debug, "a"), "");
    assert_string_equal(said(log_warning, "a"), "warning a");
    log_set_level(LOG_LEVEL_ERROR);
    assert_string_equal(said(log_info, "a"), "");
    assert_string_equal(said(log_error, "a"), "error a");
    log_set_level(LOG_LEVEL_INFO);
}

/* What is too long is cut, and stays a line. */
static void long_line(void **unused PUNKT_UNUSED)
{
    static char words[4000];
    memset(words, 'x', sizeof(words) - 1);
    size_t size = strlen(said(log_info, words));
    assert_in_range(size, 900, 1024);
    memset(words, '7', sizeof(words) - 1);
    assert_non_null(strstr(said(log_info, words), "info 777777****"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_card),
        cmocka_unit_test(levels),
        cmocka_unit_test(long_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
