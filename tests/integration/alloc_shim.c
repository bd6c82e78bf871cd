/*
 * Counts what the program itself allocates, not what its libraries do, and writes the number to $ALLOC_SHIM_LOG when the
 * program ends. Preloaded:
 *
 *   LD_PRELOAD=liballoc_shim.so ALLOC_SHIM_LOG=FILE punktd ...
 *
 * Programs built with a sanitizer want their runtime first: set ASAN_OPTIONS=verify_asan_link_order=0 in addition.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <inttypes.h>
#include <link.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXPORTED __attribute__((visibility("default")))

static struct {
    void *(*malloc)(size_t);
    void *(*calloc)(size_t, size_t);
    void *(*realloc)(void *, size_t);
    int (*posix_memalign)(void **, size_t, size_t);
    void *(*aligned_alloc)(size_t, size_t);
    char *(*strdup)(const char *);
    char *(*strndup)(const char *, size_t);
} real;

static uintptr_t program_begin, program_end;
static atomic_uint_fast64_t counted;

/* The program is the first object there is. */
static int find_program(struct dl_phdr_info *info, size_t size, void *ctx)
{
    (void)size;
    (void)ctx;
    program_begin = UINTPTR_MAX;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        if (segment->p_type != PT_LOAD)
            continue;
        uintptr_t begin = info->dlpi_addr + segment->p_vaddr;
        program_begin = begin < program_begin ? begin : program_begin;
        program_end = begin + segment->p_memsz > program_end ? begin + segment->p_memsz : program_end;
    }
    return 1;
}

static void resolve(const char *name, void *out)
{
    void *found = dlsym(RTLD_NEXT, name);
    if (found == NULL)
        abort();
    memcpy(out, &found, sizeof(found));
}

static void resolve_all(void)
{
    if (real.malloc != NULL)
        return;
    resolve("calloc", &real.calloc);
    resolve("realloc", &real.realloc);
    resolve("posix_memalign", &real.posix_memalign);
    resolve("aligned_alloc", &real.aligned_alloc);
    resolve("strdup", &real.strdup);
    resolve("strndup", &real.strndup);
    resolve("malloc", &real.malloc);
}

/* Not with the first allocation: that may come while the runtime of a sanitizer looks for what it replaces. */
__attribute__((constructor)) static void start(void)
{
    resolve_all();
    (void)dl_iterate_phdr(find_program, NULL);
}

__attribute__((destructor)) static void stop(void)
{
    const char *path = getenv("ALLOC_SHIM_LOG");
    char line[32];
    if (path == NULL)
        return;
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    int size = snprintf(line, sizeof(line), "%" PRIuFAST64 "\n", atomic_load(&counted));
    if (fd < 0 || write(fd, line, (size_t)size) != size)
        abort();
    (void)close(fd);
}

static void count(const void *caller)
{
    resolve_all();
    if ((uintptr_t)caller >= program_begin && (uintptr_t)caller < program_end)
        atomic_fetch_add(&counted, 1);
}
#define COUNT() count(__builtin_extract_return_addr(__builtin_return_address(0)))

EXPORTED void *malloc(size_t size)
{
    COUNT();
    return real.malloc(size);
}

EXPORTED void *calloc(size_t count_of, size_t size)
{
    COUNT();
    return real.calloc(count_of, size);
}

EXPORTED void *realloc(void *old, size_t size)
{
    COUNT();
    return real.realloc(old, size);
}

EXPORTED int posix_memalign(void **out, size_t alignment, size_t size)
{
    COUNT();
    return real.posix_memalign(out, alignment, size);
}

EXPORTED void *aligned_alloc(size_t alignment, size_t size)
{
    COUNT();
    return real.aligned_alloc(alignment, size);
}

EXPORTED char *strdup(const char *text)
{
    COUNT();
    return real.strdup(text);
}

EXPORTED char *strndup(const char *text, size_t size)
{
    COUNT();
    return real.strndup(text, size);
}
