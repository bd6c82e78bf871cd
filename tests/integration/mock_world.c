#include "mock_world.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define OPTIONS_MAX 16

struct mock_world {
    pid_t pid;
    int in;
    FILE *out, *err;
    char *line;
    size_t line_capacity;
    char address[128];
    char dump[64];
};

/* In the child: becomes the mock. */
static _Noreturn void become(const struct mock_world *mock, const char *const *options, const int fds[3])
{
    char path[512];
    char *argv[OPTIONS_MAX + 8];
    size_t count = 0;
    const char *own[] = { "punkt", "mock", "--script", "-", "--until-eof", "--dump", mock->dump, NULL };
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (size_t i = 0; own[i] != NULL; i++)
        argv[count++] = strdup(own[i]);
    for (size_t i = 0; options != NULL && options[i] != NULL && i < OPTIONS_MAX; i++)
        argv[count++] = strdup(options[i]);
    argv[count] = NULL;
    for (int i = 0; i < 3; i++)
        (void)dup2(fds[i], i);
    (void)snprintf(path, sizeof(path), "%s/punkt", getenv("PUNKT_BIN"));
    (void)execv(path, argv);
    _exit(127);
}

struct mock_world *mock_world_new(const char *const *options)
{
    struct mock_world *mock = calloc(1, sizeof(*mock));
    int in[2], out[2], err[2];
    assert_non_null(mock);
    (void)snprintf(mock->dump, sizeof(mock->dump), "/tmp/punkt-mock-XXXXXX");
    int dump = mkstemp(mock->dump);
    assert_true(dump >= 0);
    (void)close(dump);
    assert_true(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0 && pipe2(err, O_CLOEXEC) == 0);
    mock->pid = fork();
    assert_true(mock->pid >= 0);
    if (mock->pid == 0)
        become(mock, options, (const int[]){ in[0], out[1], err[1] });
    (void)close(in[0]);
    (void)close(out[1]);
    (void)close(err[1]);
    mock->in = in[1];
    mock->out = fdopen(out[0], "r");
    mock->err = fdopen(err[0], "r");
    assert_true(mock->out != NULL && mock->err != NULL);
    const char *ready = mock_world_line(mock);
    if (sscanf(ready, "ready %127s", mock->address) != 1)
        fail_msg("the mock says \"%s\"", ready);
    return mock;
}

const char *mock_world_address(const struct mock_world *mock)
{
    return mock->address;
}

void mock_world_tell(struct mock_world *mock, const char *line)
{
    assert_true(dprintf(mock->in, "%s\n", line) > 0);
}

const char *mock_world_line(struct mock_world *mock)
{
    ssize_t size = getline(&mock->line, &mock->line_capacity, mock->out);
    if (size <= 0)
        fail_msg("the mock says nothing more");
    mock->line[size - 1] = '\0';
    return mock->line;
}

static json_t *booked_of(const char *path)
{
    char *line = NULL;
    size_t capacity = 0;
    json_t *booked = json_array();
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    while (getline(&line, &capacity, file) > 0) {
        json_t *object = json_loads(line, 0, NULL);
        if (object == NULL)
            fail_msg("%s: no object: %s", path, line);
        assert_int_equal(json_array_append_new(booked, object), 0);
    }
    free(line);
    (void)fclose(file);
    return booked;
}

json_t *mock_world_end_by(struct mock_world *mock, int signal)
{
    int held = dup(mock->in); /* its standard input goes on */
    assert_true(held >= 0);
    assert_int_equal(kill(mock->pid, signal), 0);
    json_t *booked = mock_world_end(mock);
    (void)close(held);
    return booked;
}

json_t *mock_world_end_saying(struct mock_world *mock, const char *said)
{
    char text[4096];
    int status;
    (void)close(mock->in);
    size_t size = fread(text, 1, sizeof(text) - 1, mock->err);
    text[size] = '\0';
    assert_int_equal(waitpid(mock->pid, &status, 0), mock->pid);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || strcmp(text, said) != 0)
        fail_msg("the mock ends with status %#x and says \"%s\"", (unsigned)status, text);
    json_t *booked = booked_of(mock->dump);
    (void)unlink(mock->dump);
    (void)fclose(mock->out);
    (void)fclose(mock->err);
    free(mock->line);
    free(mock);
    return booked;
}

json_t *mock_world_end(struct mock_world *mock)
{
    return mock_world_end_saying(mock, "");
}
