/*
 * Stands in for libFuzzer in ordinary builds: runs the target once on nothing and once on each file of the
 * folders given, so that what the fuzzer once found stays found without clang.
 */
#include "fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_SIZE = 4096, INPUT_BYTES_MAX = 4 << 20 };

/* Reads a whole file into memory of exactly its size, so that a sanitizer sees the first byte too far. */
static void replay_file(const char *path)
{
    static uint8_t buffer[INPUT_BYTES_MAX];
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        exit(EXIT_FAILURE);
    }
    size_t size = fread(buffer, 1, sizeof(buffer), file);
    if (ferror(file) || !feof(file)) {
        fprintf(stderr, "%s: cannot be read as a whole\n", path);
        exit(EXIT_FAILURE);
    }
    fclose(file);

    uint8_t *input = malloc(size > 0 ? size : 1);
    if (input == NULL)
        abort();
    memcpy(input, buffer, size);
    (void)LLVMFuzzerTestOneInput(input, size);
    free(input);
}

/* Returns how many files the folder holds; one that does not exist holds none. */
static int replay_folder(const char *folder)
{
    int count = 0;
    DIR *dir = opendir(folder);
    if (dir == NULL)
        return 0;
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        char path[PATH_SIZE];
        if (entry->d_name[0] == '.')
            continue;
        if (snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name) >= (int)sizeof(path))
            abort();
        /* Seen again when the target crashes: the last name printed is the culprit. */
        printf("%s\n", path);
        fflush(stdout);
        replay_file(path);
        count++;
    }
    closedir(dir);
    return count;
}

int main(int argc, char **argv)
{
    int count = 0;
    (void)LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
    for (int i = 1; i < argc; i++)
        count += replay_folder(argv[i]);
    printf("%d inputs replayed\n", count);
    return EXIT_SUCCESS;
}
