#include "ops/problems.h"

#include <stdarg.h>
#include <stdio.h>

void problems_add(struct problems *problems, const char *file, uint32_t line, uint32_t column,
                  const char *format, ...)
{
    if (problems->count == PROBLEMS_MAX)
        return;
    struct problem_place *place = &problems->places[problems->count];
    char *text = problems->texts[problems->count++];
    int size = line == 0 ? snprintf(text, PROBLEM_TEXT_MAX, "%s: ", file)
                         : snprintf(text, PROBLEM_TEXT_MAX, "%s:%u:%u: ", file, line, column);
    *place = (struct problem_place){ .line = line, .column = column };
    if (size < 0 || size >= PROBLEM_TEXT_MAX)
        return;
    place->what = (uint32_t)size;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text + size, PROBLEM_TEXT_MAX - (size_t)size, format, args);
    va_end(args);
}
