#include "ops/text_file.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum punkt_status read_all(FILE *file, size_t max_bytes, char *data, size_t *out_size,
                                  struct failure *failure)
{
    size_t size = fread(data, 1, max_bytes + 1, file);
    if (ferror(file)) {
        failure_set(failure, "%s", strerror(errno));
        return PUNKT_IO;
    }
    if (size > max_bytes) {
        failure_set(failure, "larger than %zu bytes", max_bytes);
        return PUNKT_FULL;
    }
    data[size] = '\0';
    *out_size = size;
    return PUNKT_OK;
}

enum punkt_status text_file_read(const char *path, size_t max_bytes, char **out_data, size_t *out_size,
                                 struct failure *failure)
{
    enum punkt_status status = PUNKT_IO;
    char *data = NULL;
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        failure_set(failure, "%s", strerror(errno));
        goto out;
    }
    data = malloc(max_bytes + 1);
    if (data == NULL) {
        failure_set(failure, "out of memory");
        status = PUNKT_NO_MEMORY;
        goto out;
    }
    status = read_all(file, max_bytes, data, out_size, failure);
    if (status == PUNKT_OK) {
        *out_data = data;
        data = NULL;
    }
out:
    free(data);
    if (file != NULL)
        (void)fclose(file);
    return status;
}

bool path_lies_in(const char *path, const char *folder)
{
    char beside[PATH_MAX], real[PATH_MAX], outer[PATH_MAX];
    if ((size_t)snprintf(beside, sizeof(beside), "%s", path) >= sizeof(beside))
        return false; /* no file has such a name */
    char *slash = strrchr(beside, '/');
    if (slash == NULL)
        (void)snprintf(beside, sizeof(beside), ".");
    else
        slash[slash == beside ? 1 : 0] = '\0';
    if (realpath(beside, real) == NULL || realpath(folder, outer) == NULL)
        return false;
    size_t size = strlen(outer);
    return strncmp(real, outer, size) == 0 && (real[size] == '\0' || real[size] == '/' || size == 1);
}
