#include "world.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "network.h"

#define ARGUMENTS_MAX 64
#define ENVIRONMENT_MAX 16

extern char **environ;

struct world {
    char folder[128], data[160], config[160], port_file[160], programme[160];
    char listen[192], address[192];
    char *environment[ENVIRONMENT_MAX + 1];
    rlim_t descriptors_max;
    bool has_programme;
    struct network *network; /* NULL: tills are nobody */
    int clock_fd;            /* of the file that says how far ahead its clock is; -1: it has the machine's */
    bool heard_by_all;       /* PUNKT_VERBOSE=1 */
    pid_t pid;
    /* What punktd says is read by a thread, so that it never waits for the test. */
    pthread_t listener;
    int says_fd;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t more;
    char *said;
    size_t said_size;
    bool said_all;
};

int64_t world_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void world_patience(int64_t start_ms)
{
    if (world_now_ms() - start_ms > WORLD_PATIENCE_MS)
        fail_msg("waited %d ms in vain", WORLD_PATIENCE_MS);
}

bool world_long(void)
{
    const char *wanted = getenv("PUNKT_LONG");
    return wanted != NULL && strcmp(wanted, "1") == 0;
}

/* --- programs --- */

static const char *program_path(const char *name, char *out, size_t capacity)
{
    const char *folder = getenv("PUNKT_BIN");
    if (strchr(name, '/') != NULL)
        return name;
    assert_non_null(folder); /* ctest sets it: where our programs are */
    (void)snprintf(out, capacity, "%s/%s", folder, name);
    return out;
}

struct spawn {
    const char *const *argv;
    char *const *environment; /* put in front of ours; NULL: nothing */
    rlim_t descriptors_max;   /* 0: as it is */
    int fds[3];               /* its standard input, output and error */
    int life_fd;              /* stays open in it until it ends; -1: none */
};

/* In the child, between fork and exec: only what is allowed there. */
_Noreturn static void spawn_child(const struct spawn *spawn, const char *path, char **environment,
                                  pid_t parent)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(127); /* the test died before it could be asked to take us along */
    if (spawn->descriptors_max > 0) {
        struct rlimit limit = { spawn->descriptors_max, spawn->descriptors_max };
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
    for (int i = 0; i < 3; i++)
        (void)dup2(spawn->fds[i], i);
    if (spawn->life_fd >= 0)
        (void)fcntl(spawn->life_fd, F_SETFD, 0);
    /* exec takes char *const[] for history's sake; it changes nothing. */
    union {
        const char *const *given;
        char *const *taken;
    } argv = { spawn->argv };
    (void)execve(path, argv.taken, environment);
    _exit(127);
}

static pid_t spawn_program(const struct spawn *spawn)
{
    char path[512];
    char *environment[512];
    size_t count = 0;
    for (char *const *more = spawn->environment; more != NULL && *more != NULL; more++)
        environment[count++] = *more;
    for (char **ours = environ; *ours != NULL && count + 1 < sizeof(environment) / sizeof(environment[0]);
         ours++)
        environment[count++] = *ours;
    environment[count] = NULL;
    const char *program = program_path(spawn->argv[0], path, sizeof(path));
    pid_t parent = getpid();
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        spawn_child(spawn, program, environment, parent);
    return pid;
}

static int exit_code_of(pid_t pid)
{
    int status;
    while (waitpid(pid, &status, 0) < 0)
        assert_int_equal(errno, EINTR);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

void run_begin(const char *const argv[], const char *input, struct run *out_run)
{
    int life[2];
    *out_run = (struct run){ .pid = 0 };
    int in = open(input != NULL ? input : "/dev/null", O_RDONLY | O_CLOEXEC);
    assert_true(in >= 0);
    assert_int_equal(pipe2(life, O_CLOEXEC), 0);
    out_run->fds[0] = memfd_create("out", MFD_CLOEXEC);
    out_run->fds[1] = memfd_create("err", MFD_CLOEXEC);
    out_run->fds[2] = life[0];
    assert_true(out_run->fds[0] >= 0 && out_run->fds[1] >= 0);
    struct spawn spawn = { .argv = argv,
                           .fds = { in, out_run->fds[0], out_run->fds[1] },
                           .life_fd = life[1] };
    out_run->pid = spawn_program(&spawn);
    (void)close(in);
    (void)close(life[1]);
}

static char *file_text(int fd, size_t *out_size)
{
    struct stat info;
    assert_int_equal(fstat(fd, &info), 0);
    char *text = malloc((size_t)info.st_size + 1);
    assert_non_null(text);
    *out_size = 0;
    while (*out_size < (size_t)info.st_size) {
        ssize_t got = pread(fd, text + *out_size, (size_t)info.st_size - *out_size, (off_t)*out_size);
        assert_true(got > 0);
        *out_size += (size_t)got;
    }
    text[*out_size] = '\0';
    (void)close(fd);
    return text;
}

/* A report of a sanitizer is a failure, however the program ended. */
static void expect_no_report(const char *program, const char *said)
{
    static const char *const marks[] = { "ERROR: AddressSanitizer", "ERROR: LeakSanitizer",
                                         "runtime error:", "WARNING: ThreadSanitizer" };
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        if (strstr(said, marks[i]) != NULL)
            fail_msg("%s reports: %s", program, said);
    }
}

void run_end(struct run *run)
{
    struct pollfd life = { .fd = run->fds[2], .events = POLLIN };
    size_t err_size;
    if (poll(&life, 1, 2 * WORLD_PATIENCE_MS) == 0) {
        (void)kill(run->pid, SIGKILL);
        char *said = file_text(run->fds[1], &err_size);
        print_error("a program said: %s\n", said);
        free(said);
        fail_msg("the program did not end in time");
    }
    run->exit_code = exit_code_of(run->pid);
    run->pid = 0;
    (void)close(run->fds[2]);
    run->out = file_text(run->fds[0], &run->out_size);
    run->err = file_text(run->fds[1], &err_size);
    expect_no_report("a program", run->err);
}

void run_done(struct run *run)
{
    free(run->out);
    free(run->err);
    run->out = run->err = NULL;
}

void run_well(const char *const argv[])
{
    struct run run;
    run_begin(argv, NULL, &run);
    run_end(&run);
    if (run.exit_code != 0)
        fail_msg("%s ends with %d: %s%s", argv[0], run.exit_code, run.out, run.err);
    run_done(&run);
}

static void run_punkt(const struct world *world, bool json, struct run *out_run, va_list more)
{
    const char *argv[ARGUMENTS_MAX] = { "punkt", "--server", world->address };
    size_t count = 3;
    if (json)
        argv[count++] = "--json";
    for (const char *next; (next = va_arg(more, const char *)) != NULL;) {
        assert_true(count + 1 < ARGUMENTS_MAX);
        argv[count++] = next;
    }
    argv[count] = NULL;
    run_begin(argv, NULL, out_run);
    run_end(out_run);
}

void world_punkt(const struct world *world, struct run *out_run, ...)
{
    va_list more;
    va_start(more, out_run);
    run_punkt(world, false, out_run, more);
    va_end(more);
}

void world_json(const struct world *world, struct run *out_run, ...)
{
    va_list more;
    va_start(more, out_run);
    run_punkt(world, true, out_run, more);
    va_end(more);
}

/* --- files --- */

/* And frees the text. */
static void write_file(const char *path, char *text)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    free(text);
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *where)
{
    (void)info;
    (void)kind;
    (void)where;
    return remove(path);
}

void world_configure(struct world *world, const char *settings)
{
    write_file(world->config, network_settings(world->network, settings));
}

void world_set_environment(struct world *world, const char *const *environment)
{
    size_t count = 0;
    for (size_t i = 0; world->environment[i] != NULL; i++)
        free(world->environment[i]);
    for (; environment != NULL && environment[count] != NULL; count++) {
        assert_true(count < ENVIRONMENT_MAX);
        world->environment[count] = strdup(environment[count]);
        assert_non_null(world->environment[count]);
    }
    world->environment[count] = NULL;
}

void world_set_programme(struct world *world, const char *programme)
{
    char *text = network_programme(world->network, programme);
    world->has_programme = text != NULL;
    if (world->has_programme)
        write_file(world->programme, text);
}

void world_clock_ahead(struct world *world, int64_t ahead_us)
{
    assert_true(world->clock_fd >= 0);
    assert_int_equal(pwrite(world->clock_fd, &ahead_us, sizeof(ahead_us), 0), sizeof(ahead_us));
}

/* The shim stands before the sanitizer's runtime, and passes on to it. */
static void give_clock(struct world *world)
{
    char settings[3][2200], path[192];
    const char *environment[] = { settings[0], settings[1], settings[2], NULL };
    const char *shim = getenv("PUNKT_CLOCK_SHIM"), *asan = getenv("ASAN_OPTIONS");
    assert_non_null(shim); /* ctest sets it */
    (void)snprintf(path, sizeof(path), "%s/clock", world->folder);
    (void)snprintf(settings[0], sizeof(settings[0]), "LD_PRELOAD=%s", shim);
    (void)snprintf(settings[1], sizeof(settings[1]), "CLOCK_SHIM_FILE=%s", path);
    (void)snprintf(settings[2], sizeof(settings[2]), "ASAN_OPTIONS=%.2000s:verify_asan_link_order=0",
                   asan != NULL ? asan : "");
    world->clock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    world_clock_ahead(world, 0);
    world_set_environment(world, environment);
}

void world_copy_data(const struct world *from, struct world *to)
{
    struct run run;
    const char *argv[] = { "/bin/cp", "-a", from->data, to->data, NULL };
    assert_int_equal(from->pid, 0);
    assert_int_equal(to->pid, 0);
    (void)nftw(to->data, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    run_begin(argv, NULL, &run);
    run_end(&run);
    assert_int_equal(run.exit_code, 0);
    run_done(&run);
}

void world_lose(struct world *world, const struct world *past)
{
    char journal[PATH_MAX], copy[PATH_MAX], config[PATH_MAX];
    (void)snprintf(journal, sizeof(journal), "%s/journal", world_data(world));
    (void)snprintf(copy, sizeof(copy), "%s/journal", world_data(past));
    (void)snprintf(config, sizeof(config), "%s/punktd.yaml", world_folder(world));
    run_well((const char *const[]){ "/bin/rm", "-r", journal, NULL });
    run_well((const char *const[]){ "/bin/cp", "-a", copy, journal, NULL });
    assert_int_not_equal(world_start_fails(world), 0);
    run_well(
        (const char *const[]){ "punktd", "rebuild", "--config", config, "--data", world_data(world), NULL });
}

/* --- what punktd says --- */

static void *listen_to_daemon(void *ctx)
{
    struct world *world = ctx;
    char bytes[4096];
    ssize_t got;
    while ((got = read(world->says_fd, bytes, sizeof(bytes))) > 0 || (got < 0 && errno == EINTR)) {
        if (got < 0)
            continue;
        if (world->heard_by_all)
            (void)fwrite(bytes, 1, (size_t)got, stderr);
        (void)pthread_mutex_lock(&world->lock);
        char *grown = realloc(world->said, world->said_size + (size_t)got + 1);
        if (grown != NULL) {
            memcpy(grown + world->said_size, bytes, (size_t)got);
            world->said = grown;
            world->said_size += (size_t)got;
            world->said[world->said_size] = '\0';
        }
        (void)pthread_cond_broadcast(&world->more);
        (void)pthread_mutex_unlock(&world->lock);
    }
    (void)pthread_mutex_lock(&world->lock);
    world->said_all = true;
    (void)pthread_cond_broadcast(&world->more);
    (void)pthread_mutex_unlock(&world->lock);
    return NULL;
}

enum heard { HEARD, HEARD_END, HEARD_NOTHING };

/* Waits for a text; NULL: for the end. */
static enum heard wait_heard(struct world *world, const char *text)
{
    struct timespec until;
    enum heard heard = HEARD_NOTHING;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += WORLD_PATIENCE_MS / 1000;
    (void)pthread_mutex_lock(&world->lock);
    for (int rc = 0; rc == 0; rc = pthread_cond_timedwait(&world->more, &world->lock, &until)) {
        if (text != NULL && world->said != NULL && strstr(world->said, text) != NULL)
            heard = HEARD;
        else if (world->said_all)
            heard = HEARD_END;
        if (heard != HEARD_NOTHING)
            break;
    }
    (void)pthread_mutex_unlock(&world->lock);
    return heard;
}

char *world_said(struct world *world)
{
    (void)pthread_mutex_lock(&world->lock);
    char *said = strdup(world->said != NULL ? world->said : "");
    (void)pthread_mutex_unlock(&world->lock);
    assert_non_null(said);
    return said;
}

_Noreturn static void fail_said(struct world *world, const char *what)
{
    char *said = world_said(world);
    print_error("%s; punktd said:\n%s\n", what, said);
    free(said);
    fail();
    abort(); /* fail does not return, but does not say so */
}

void world_wait_said(struct world *world, const char *text)
{
    if (wait_heard(world, text) != HEARD)
        fail_said(world, text);
}

/* --- the life of punktd --- */

static void launch(struct world *world)
{
    int says[2];
    const char *argv[] = { "punktd",         "--config", world->config,    "--data",
                           world->data,      "--listen", world->listen,    "--port-file",
                           world->port_file, NULL,       world->programme, NULL };
    if (world->has_programme)
        argv[9] = "--programme";
    assert_int_equal(world->pid, 0);
    network_prepare(world->network);
    (void)unlink(world->port_file);
    free(world->said);
    world->said = NULL;
    world->said_size = 0;
    world->said_all = false;
    assert_int_equal(pipe2(says, O_CLOEXEC), 0);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    assert_true(null >= 0);
    struct spawn spawn = { .argv = argv,
                           .environment = world->environment,
                           .descriptors_max = world->descriptors_max,
                           .fds = { null, null, says[1] },
                           .life_fd = -1 };
    world->pid = spawn_program(&spawn);
    (void)close(null);
    (void)close(says[1]);
    world->says_fd = says[0];
    assert_int_equal(pthread_create(&world->listener, NULL, listen_to_daemon, world), 0);
}

/* punktd has ended, or was told to: takes leave of it. */
static int bury(struct world *world)
{
    if (wait_heard(world, NULL) != HEARD_END) {
        (void)kill(world->pid, SIGKILL);
        fail_said(world, "punktd does not end");
    }
    int code = exit_code_of(world->pid);
    world->pid = 0;
    (void)pthread_join(world->listener, NULL);
    (void)close(world->says_fd);
    char *said = world_said(world);
    expect_no_report("punktd", said);
    free(said);
    return code;
}

void world_start(struct world *world)
{
    launch(world);
    if (wait_heard(world, " ready: listening on ") != HEARD) {
        (void)bury(world);
        fail_said(world, "punktd does not start");
    }
    FILE *file = fopen(world->port_file, "re");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%191s", world->address), 1);
    (void)fclose(file);
}

int world_start_fails(struct world *world)
{
    launch(world);
    if (wait_heard(world, " ready: listening on ") != HEARD_END)
        fail_said(world, "punktd was not to start");
    return bury(world);
}

void world_kill(struct world *world)
{
    assert_int_equal(kill(world->pid, SIGKILL), 0);
    assert_int_equal(bury(world), -SIGKILL);
}

void world_stop(struct world *world)
{
    assert_int_equal(kill(world->pid, SIGTERM), 0);
    int code = bury(world);
    if (code != 0) {
        print_error("punktd ended with %d\n", code);
        fail_said(world, "a clean stop is exit 0");
    }
}

int world_wait_exit(struct world *world)
{
    return bury(world);
}

struct world *world_new(const struct world_options *options)
{
    static const struct world_options defaults;
    const char *temporary = getenv("TMPDIR");
    struct world *world = calloc(1, sizeof(*world));
    if (options == NULL)
        options = &defaults;
    assert_non_null(world);
    (void)pthread_mutex_init(&world->lock, NULL);
    (void)pthread_cond_init(&world->more, NULL);
    (void)snprintf(world->folder, sizeof(world->folder), "%s/punkt-test-XXXXXX",
                   temporary != NULL && strlen(temporary) < 64 ? temporary : "/tmp");
    assert_non_null(mkdtemp(world->folder));
    (void)snprintf(world->data, sizeof(world->data), "%s/data", world->folder);
    (void)snprintf(world->config, sizeof(world->config), "%s/punktd.yaml", world->folder);
    (void)snprintf(world->port_file, sizeof(world->port_file), "%s/port", world->folder);
    (void)snprintf(world->programme, sizeof(world->programme), "%s/programme.yaml", world->folder);
    if (options->unix_socket)
        (void)snprintf(world->listen, sizeof(world->listen), "unix:%s/socket", world->folder);
    else
        (void)snprintf(world->listen, sizeof(world->listen), "127.0.0.1:0");
    world->network = network_new(world->folder);
    world_configure(world, options->settings != NULL ? options->settings : WORLD_JOURNAL);
    world_set_environment(world, options->environment);
    world->descriptors_max = options->descriptors_max;
    world->heard_by_all = getenv("PUNKT_VERBOSE") != NULL;
    world_set_programme(world, options->programme);
    world->clock_fd = -1;
    if (options->own_clock)
        give_clock(world);
    if (!options->stopped)
        world_start(world);
    return world;
}

void world_free(struct world *world)
{
    if (world == NULL)
        return;
    if (world->pid != 0)
        world_stop(world);
    if (world->clock_fd >= 0)
        (void)close(world->clock_fd);
    (void)nftw(world->folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    world_set_environment(world, NULL);
    (void)pthread_cond_destroy(&world->more);
    (void)pthread_mutex_destroy(&world->lock);
    network_free(world->network);
    free(world->said);
    free(world);
}

const char *world_address(const struct world *world)
{
    return world->address;
}

const char *world_folder(const struct world *world)
{
    return world->folder;
}

const char *world_data(const struct world *world)
{
    return world->data;
}

pid_t world_pid(const struct world *world)
{
    return world->pid;
}

const struct network *world_network(const struct world *world)
{
    return world->network;
}
