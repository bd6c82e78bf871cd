/*
 * What is left to a process that is confined, each tried in a child of its own: what the daemon does goes on, what it has no
 * use for is refused, and what only a burglar wants ends it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ops/confine.h"

enum { DONE = 0, REFUSED = 1, OTHER = 2, NOT_CONFINED = 3 };

static int outcome(bool done)
{
    return done ? DONE : errno == EPERM ? REFUSED : OTHER;
}

static int opens_a_socket(void)
{
    return outcome(socket(AF_INET, SOCK_STREAM, 0) >= 0);
}

static int runs_a_program(void)
{
    char *const words[] = { NULL };
    return outcome(execv("/bin/true", words) == 0);
}

static int traces(void)
{
    return outcome(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0);
}

static int becomes_root(void)
{
    return outcome(setuid(0) == 0);
}

static int forks(void)
{
    pid_t child = fork();
    if (child == 0)
        _exit(DONE);
    return outcome(child > 0);
}

static int runs_memory(void)
{
    return outcome(mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
}

static int makes_memory_run(void)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return page == MAP_FAILED ? OTHER : outcome(mprotect(page, 4096, PROT_READ | PROT_EXEC) == 0);
}

static int sets_a_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return OTHER;
    return outcome(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

static int becomes_dumpable(void)
{
    return outcome(prctl(PR_SET_DUMPABLE, 1) == 0);
}

static int kills_another(void)
{
    return outcome(kill(getppid(), 0) == 0);
}

static int makes_a_link(void)
{
    return outcome(symlink("/etc/passwd", "/tmp/punkt_confine_link") == 0);
}

static int reads_a_file(void)
{
    char bytes[16];
    int file = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    return outcome(file >= 0 && read(file, bytes, sizeof(bytes)) > 0 && close(file) == 0);
}

static void *nothing(void *ctx)
{
    return ctx;
}

static int starts_a_thread(void)
{
    pthread_t thread;
    return pthread_create(&thread, NULL, nothing, NULL) == 0 && pthread_join(thread, NULL) == 0 ? DONE
                                                                                                : OTHER;
}

static int aborts(void)
{
    abort();
}

struct row {
    const char *what;
    int (*act)(void);
    int want;   /* of the child, or */
    int signal; /* the signal that ends it */
};

static const struct row rows[] = {
    { "read a file", reads_a_file, DONE, 0 },
    { "start a thread", starts_a_thread, DONE, 0 },
    { "abort", aborts, 0, SIGABRT },
    { "run memory", runs_memory, REFUSED, 0 },
    { "make memory run", makes_memory_run, REFUSED, 0 },
    { "set a limit", sets_a_limit, REFUSED, 0 },
    { "become dumpable", becomes_dumpable, REFUSED, 0 },
    { "kill another", kills_another, REFUSED, 0 },
    { "make a link", makes_a_link, REFUSED, 0 },
    { "open a socket", opens_a_socket, 0, SIGSYS },
    { "run a program", runs_a_program, 0, SIGSYS },
    { "trace", traces, 0, SIGSYS },
    { "become root", becomes_root, 0, SIGSYS },
};

/* The exit status of a child, or minus the signal that ended it. */
static int child_that(int (*act)(void), bool confined)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        struct failure failure;
        struct rlimit none = { 0, 0 };
        (void)setrlimit(RLIMIT_CORE, &none);
        (void)signal(SIGABRT, SIG_DFL);
        (void)signal(SIGSYS, SIG_DFL);
        if (confined && confine(&failure) != CONFINED)
            _exit(NOT_CONFINED);
        _exit(act());
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static void confined(void **unused PUNKT_UNUSED)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int want = rows[i].signal != 0 ? -rows[i].signal : rows[i].want;
        int got = child_that(rows[i].act, true);
        if (got != want)
            fail_msg("%s: %d, expected %d", rows[i].what, got, want);
    }
    /* A process is refused, however the C library makes one. */
    int got = child_that(forks, true);
    if (got != REFUSED && got != -SIGSYS)
        fail_msg("fork: %d", got);
}

/* Each of them works for who is not confined, so that it is the filter that the other test sees. */
static void free_to_act(void **unused PUNKT_UNUSED)
{
    static int (*const acts[])(void) = { reads_a_file,     starts_a_thread, runs_memory,
                                         makes_memory_run, sets_a_limit,    becomes_dumpable,
                                         kills_another,    opens_a_socket,  forks };
    for (size_t i = 0; i < COUNT_OF(acts); i++)
        assert_int_equal(child_that(acts[i], false), DONE);
}

static int pipes[2];

static void *opens_later(void *ctx)
{
    char byte;
    if (read(pipes[0], &byte, 1) == 1)
        (void)opens_a_socket();
    return ctx;
}

/* Threads that were there before are confined as well. */
static int in_an_older_thread(void)
{
    struct failure failure;
    pthread_t thread;
    if (pipe(pipes) != 0 || pthread_create(&thread, NULL, opens_later, NULL) != 0 ||
        confine(&failure) != CONFINED)
        return NOT_CONFINED;
    if (write(pipes[1], "", 1) != 1)
        return OTHER;
    (void)pthread_join(thread, NULL);
    return DONE;
}

static void every_thread(void **unused PUNKT_UNUSED)
{
    assert_int_equal(child_that(in_an_older_thread, false), -SIGSYS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(confined),
        cmocka_unit_test(free_to_act),
        cmocka_unit_test(every_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
