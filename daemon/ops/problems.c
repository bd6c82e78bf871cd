#include "ops/problems.h"

#include <stdarg.h>
#include <stdio.h>

void problems_add(struct problems *problems, const char *file, size_t line, size_t column, const char *format,
                  ...)
{
    if (problems->count == PROBLEMS_MAX)
        return;
    char *text = problems->texts[problems->count++];
    int size = line == 0 ? snprintf(text, PROBLEM_TEXT_MAX, "%s: ", file)
                         : snprintf(text, PROBLEM_TEXT_MAX, "%s:%zu:%zu: ", file, line, column);
    if (size < 0 || size >= PROBLEM_TEXT_MAX)
        return;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text + size, PROBLEM_TEXT_MAX - (size_t)size, format, args);
    va_end(args);
}
