#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>

const char *punkt_status_name(enum punkt_status status)
{
    switch (status) {
    case PUNKT_OK:
        return "ok";
    case PUNKT_NOT_FOUND:
        return "not found";
    case PUNKT_FULL:
        return "full";
    case PUNKT_CORRUPT:
        return "corrupt";
    case PUNKT_IO:
        return "input/output error";
    case PUNKT_NO_MEMORY:
        return "out of memory";
    case PUNKT_BUSY:
        return "busy";
    case PUNKT_INVALID:
        return "invalid";
    }
    return "unknown";
}

void failure_set(struct failure *failure, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(failure->text, sizeof(failure->text), format, args);
    va_end(args);
}
