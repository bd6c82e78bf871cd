/*
 * Identity files: whatever one holds, it is read or refused with a reason; what was read is written so that it reads the same.
 */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/identity.h"
#include "lib/tls.h"

static void must(bool holds)
{
    if (!holds)
        abort();
}

/* A file of these bytes, without a disk; its path. */
static int file_of(const void *bytes, size_t size, char path[64])
{
    int fd = memfd_create("identity", MFD_CLOEXEC);
    must(fd >= 0 && fchmod(fd, 0600) == 0 && (size == 0 || write(fd, bytes, size) == (ssize_t)size));
    (void)snprintf(path, 64, "/proc/self/fd/%d", fd);
    return fd;
}

static enum punkt_call read_bytes(struct identity *identity, const void *bytes, size_t size)
{
    char path[64];
    char why[IDENTITY_WHY_SIZE] = "";
    int fd = file_of(bytes, size, path);
    identity_init(identity, NULL);
    enum punkt_call read = identity_read(identity, path, why);
    must((read == PUNKT_CALL_DONE) == (why[0] == '\0'));
    must(close(fd) == 0);
    return read;
}

/* Read and written again, it says the same. */
static void check_same(const struct identity *first)
{
    struct buffer text = { .secret = true };
    struct identity second;
    must(identity_format(first, &text));
    must(read_bytes(&second, buffer_data(&text), buffer_size(&text)) == PUNKT_CALL_DONE);
    must(strcmp(first->server, second.server) == 0 && strcmp(first->server_name, second.server_name) == 0);
    must(strcmp(first->store, second.store) == 0 && strcmp(first->till, second.till) == 0);
    must(strcmp(first->psk_identity, second.psk_identity) == 0);
    must(memcmp(first->psk_key, second.psk_key, sizeof(first->psk_key)) == 0);
    must(buffer_size(&first->key) == buffer_size(&second.key));
    must(buffer_size(&first->ca) == buffer_size(&second.ca));
    identity_done(&second);
    buffer_done(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct identity identity;
    struct tls_context *context;
    char why[IDENTITY_WHY_SIZE];
    if (read_bytes(&identity, data, size) == PUNKT_CALL_DONE) {
        check_same(&identity);
        enum punkt_call usable = tls_context_new(&identity, &context, why);
        must((usable == PUNKT_CALL_DONE) == (why[0] == '\0'));
        tls_context_free(context);
    }
    identity_done(&identity);
    return 0;
}
