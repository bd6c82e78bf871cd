/*
 * crash_images LOG ROOT OUT COUNT SEED [BASE]
 *
 * Builds COUNT crash images OUT/0, OUT/1, ... from the log that the shim wrote (io_shim.c) of what happened under
 * ROOT. BASE is a copy of ROOT from before the log began. Prints a line "folder cut" for each: cut is the size that
 * the log had at the crash. What was acknowledged when the log was no larger must be found in the image. Every
 * second crash is between a write and its sync; the last one is at the very end.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "crash_image.h"

int main(int argc, char **argv)
{
    if (argc != 6 && argc != 7) {
        fprintf(stderr, "usage: crash_images LOG ROOT OUT COUNT SEED [BASE]\n");
        return 2;
    }
    struct crash_log *log = crash_log_open(argv[1], argv[2], argc == 7 ? argv[6] : NULL);
    unsigned long long count = strtoull(argv[4], NULL, 10), seed = strtoull(argv[5], NULL, 10);
    (void)mkdir(argv[3], 0700); /* may be there */
    for (unsigned long long i = 0; i < count; i++) {
        char out[PATH_MAX];
        /* Spread evenly, each somewhere in its part. */
        uint64_t image_seed = (seed + i) * UINT64_C(0x9e3779b97f4a7c15);
        uint64_t part = crash_log_size(log) / count + 1;
        uint64_t cut = i * part + (image_seed >> 20) % part;
        if (i % 2 == 0)
            cut = crash_log_write_end(log, cut);
        if (i + 1 == count || cut > crash_log_size(log))
            cut = crash_log_size(log);
        (void)snprintf(out, sizeof(out), "%s/%llu", argv[3], i);
        crash_image_build(log, cut, image_seed, out);
        printf("%s %llu\n", out, (unsigned long long)cut);
    }
    crash_log_close(log);
    return 0;
}
