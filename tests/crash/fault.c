#include "fault.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SETTING_SIZE (PATH_MAX + 64)
#define SETTINGS 9

static void file_of(const struct world *world, const char *name, char out[PATH_MAX])
{
    (void)snprintf(out, PATH_MAX, "%s/%s", world_folder(world), name);
}

void fault_set(struct world *world, const struct fault *fault)
{
    char settings[SETTINGS + 3][SETTING_SIZE];
    const char *environment[SETTINGS + 4];
    const char *shim = getenv("PUNKT_IO_SHIM"), *asan = getenv("ASAN_OPTIONS");
    unsigned count = 0;
    fault_off(world);
    if (fault == NULL) {
        world_set_environment(world, NULL);
        return;
    }
    assert_non_null(shim); /* ctest sets it */
    (void)snprintf(settings[count++], SETTING_SIZE, "LD_PRELOAD=%s", shim);
    /* The shim comes before the sanitizer's runtime, and passes on to it. */
    (void)snprintf(settings[count++], SETTING_SIZE, "ASAN_OPTIONS=%.2000s:verify_asan_link_order=0",
                   asan != NULL ? asan : "");
    (void)snprintf(settings[count++], SETTING_SIZE, "IO_SHIM_WHILE=%s/fault-on", world_folder(world));
    (void)snprintf(settings[count++], SETTING_SIZE, "IO_SHIM_COUNT=%s/fault-count", world_folder(world));
    (void)snprintf(settings[count++], SETTING_SIZE, "IO_SHIM_AT=%u", fault->at == 0 ? 1 : fault->at);
    (void)snprintf(settings[count++], SETTING_SIZE, "IO_SHIM_FOREVER=%d", fault->forever);
    if (fault->call != NULL) {
        (void)snprintf(settings[count++], SETTING_SIZE, "IO_SHIM_CALL=%s", fault->call);
        (void)snprintf(settings[count++], SETTING_SIZE, "IO_SHIM_PATH=%s", fault->path);
        (void)snprintf(settings[count++], SETTING_SIZE, "IO_SHIM_ERROR=%s", fault->error);
    }
    if (fault->log != NULL) {
        (void)snprintf(settings[count++], SETTING_SIZE, "IO_SHIM_LOG=%s", fault->log);
        (void)snprintf(settings[count++], SETTING_SIZE, "IO_SHIM_LOG_PATH=%s", world_data(world));
    }
    for (unsigned i = 0; i < count; i++)
        environment[i] = settings[i];
    environment[count] = NULL;
    world_set_environment(world, environment);
}

void fault_on(const struct world *world)
{
    char path[PATH_MAX];
    file_of(world, "fault-on", path);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    (void)close(fd);
}

void fault_off(const struct world *world)
{
    char path[PATH_MAX];
    file_of(world, "fault-on", path);
    (void)unlink(path); /* may be off */
}

unsigned fault_hits(const struct world *world)
{
    char path[PATH_MAX];
    unsigned calls = 0, hits = 0;
    file_of(world, "fault-count", path);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "calls %u hits %u", &calls, &hits), 2);
    (void)fclose(file);
    return hits;
}

char *punktd_command(const struct world *world, const char *command, int exit_code)
{
    char config[PATH_MAX];
    struct run run;
    file_of(world, "punktd.yaml", config);
    const char *argv[] = { "punktd", command, "--data", world_data(world), "--config", config, NULL };
    assert_int_equal(world_pid(world), 0);
    run_begin(argv, NULL, &run);
    run_end(&run);
    if (run.exit_code != exit_code)
        fail_msg("punktd %s ended with %d: %s%s", command, run.exit_code, run.out, run.err);
    size_t size = strlen(run.out) + strlen(run.err) + 1;
    char *said = malloc(size);
    assert_non_null(said);
    (void)snprintf(said, size, "%s%s", run.out, run.err);
    run_done(&run);
    return said;
}

void expect_verified(const struct world *world)
{
    struct run run;
    world_json(world, &run, "audit", "verify", NULL);
    if (run.exit_code != 0 || strstr(run.out, "\"matches\"") == NULL)
        fail_msg("verify ended with %d: %s%s", run.exit_code, run.out, run.err);
    run_done(&run);
}

void expect_refused_start(struct world *world, int exit_code, const char *text, const char *text2)
{
    int code = world_start_fails(world);
    char *said = world_said(world);
    if (code != exit_code || strstr(said, text) == NULL || strstr(said, text2) == NULL)
        fail_msg("expected exit %d, '%s' and '%s'; punktd ended with %d: %s", exit_code, text, text2, code,
                 said);
    free(said);
}
