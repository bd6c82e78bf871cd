#include "base/base.h"

#include <stdio.h>
#include <stdlib.h>

void punkt_check_failed(const char *condition, const char *file, int line)
{
    fprintf(stderr, "punktd: check failed, this is a bug: %s (%s:%d)\n", condition, file, line);
    abort();
}
