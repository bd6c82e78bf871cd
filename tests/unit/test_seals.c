/*
 * Seals: heads that are authenticated by a key that only moves forward (LEDGER.md, Secrets).
 */
#include <fcntl.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit_pages.h"
#include "ledger/fold.h"
#include "ledger/seal.h"
#include "service_acts.h"

#define MINUTE (60 * US_PER_SECOND)
#define QUARTER (15 * MINUTE)

/* The folder whose key file is watched, and what was done to it, by the worker alone: s, the new one is on the disk; r, it is
 * in its place; f, the folder is on the disk, too. */
static _Atomic(const char *) watched;
static char done[8];

/* The linker sends the calls of the service and the ledger here (--wrap). */
int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __real_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to);

static void note(const char *path, const char *what)
{
    const char *folder = watched;
    size_t size = folder != NULL ? strlen(folder) : 0;
    if (folder != NULL && strncmp(path, folder, size) == 0 && strlen(done) + 1 < sizeof(done))
        strcat(done, path[size] == '\0' ? "f" : what);
}

int __wrap_fsync(int fd)
{
    char link[32], path[256];
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, sizeof(path) - 1);
    path[size > 0 ? size : 0] = '\0';
    note(path, "s");
    return __real_fsync(fd);
}

int __wrap_rename(const char *from, const char *to)
{
    note(to, "r");
    return __real_rename(from, to);
}

/* A world with a key in a folder of its own. */
struct sealed {
    struct service_world *world;
    char dir[64], path[80], beside[96];
    char first[SERVICE_SEAL_TEXT_MAX];
};

static struct sealed begin(void)
{
    struct sealed sealed;
    struct failure failure;
    snprintf(sealed.dir, sizeof(sealed.dir), "/tmp/punkt-seals-XXXXXX");
    assert_non_null(mkdtemp(sealed.dir));
    snprintf(sealed.path, sizeof(sealed.path), "%s/key", sealed.dir);
    snprintf(sealed.beside, sizeof(sealed.beside), "%s.new", sealed.path);
    assert_int_equal(service_init_audit(sealed.path, sealed.first, &failure), PUNKT_OK);
    sealed.world = service_world_new(NULL);
    return sealed;
}

/* The daemon again, with that file. */
static void restart(struct sealed *sealed)
{
    sealed->world->options.seal_key = sealed->path;
    service_world_restart(sealed->world);
}

static void end(struct sealed *sealed)
{
    char command[128];
    service_world_free(sealed->world);
    snprintf(command, sizeof(command), "rm -r %s", sealed->dir);
    assert_int_equal(system(command), 0);
}

static void write_text(const char *path, const char *text, mode_t mode)
{
    (void)unlink(path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fchmod(fileno(file), mode), 0);
    assert_int_equal(fclose(file), 0);
}

static void read_text(const char *path, char out[SERVICE_SEAL_TEXT_MAX])
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t size = fread(out, 1, SERVICE_SEAL_TEXT_MAX - 1, file);
    out[size] = '\0';
    (void)fclose(file);
}

static struct seal_key key_now(const struct sealed *sealed)
{
    char text[SERVICE_SEAL_TEXT_MAX];
    struct seal_key key;
    read_text(sealed->path, text);
    assert_true(seal_key_read(text_of(text), &key));
    return key;
}

/* How many seals the ledger's lineage has, of those that are folded. */
static uint64_t seals(struct sealed *sealed)
{
    struct seal_record newest;
    return fold_seal(ledger_fold(sealed->world->ledger), &newest) ? newest.key_number + 1 : 0;
}

static void wait_for_seals(struct sealed *sealed, uint64_t count)
{
    turn(sealed->world);
    while (seals(sealed) < count)
        service_turns(sealed->world);
    assert_int_equal(seals(sealed), count);
}

static void quarters_pass(struct sealed *sealed, int count)
{
    for (int i = 0; i < count; i++) {
        clock_forward(QUARTER);
        turn(sealed->world);
        assert_false(seals_have_work(sealed->world->service));
    }
}

static uint64_t close_day(struct sealed *sealed)
{
    struct msg_day_close_request request;
    message_init(MESSAGE_day_close_request, &request);
    request.store = code("S1");
    request.till = code("1");
    request.date = 20000;
    assert_int_equal(service_call(sealed->world, OPERATION_DAY_CLOSE, 0, &request), RESULT_DONE);
    return sealed->world->reply.message.day_close_answer.position;
}

/* Of the newest seal, as the audit log tells it. */
static unsigned long long sealed_head(struct sealed *sealed)
{
    unsigned long long key, head;
    char detail[128];
    const struct msg_audit_log_answer *log = page(sealed->world, &(struct page_wish){ .kind = "seal" });
    assert_true(log->entries_count > 0);
    const struct message_text *said = &log->entries[log->entries_count - 1].detail;
    snprintf(detail, sizeof(detail), "%.*s", (int)said->size, said->data);
    assert_int_equal(sscanf(detail, "key %llu, head at position %llu", &key, &head), 2);
    assert_int_equal(key + 1, seals(sealed));
    return head;
}

static void the_first_key_is_made_once(void **state)
{
    (void)state;
    struct sealed sealed = begin();
    char text[SERVICE_SEAL_TEXT_MAX], again[SERVICE_SEAL_TEXT_MAX];
    struct failure failure;
    struct stat about;
    read_text(sealed.path, text);
    assert_string_equal(text, sealed.first);
    assert_int_equal(key_now(&sealed).number, 0);
    assert_int_equal(stat(sealed.path, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0600);
    assert_int_equal(service_init_audit(sealed.path, again, &failure), PUNKT_BUSY);
    read_text(sealed.path, text);
    assert_string_equal(text, sealed.first);
    assert_int_equal(service_init_audit("/nowhere/at/all", again, &failure), PUNKT_IO);
    end(&sealed);
}

static void a_quarter_of_an_hour_is_sealed(void **state)
{
    (void)state;
    struct sealed sealed = begin();
    restart(&sealed);
    turn(sealed.world);
    assert_false(seals_have_work(sealed.world->service));
    uint64_t card = issue(sealed.world, "1001");
    clock_forward(QUARTER);
    wait_for_seals(&sealed, 1);
    assert_true(sealed_head(&sealed) > card);
    assert_int_equal(key_now(&sealed).number, 1);
    /* Nothing happens, and nothing is sealed but that. */
    quarters_pass(&sealed, 3);
    assert_int_equal(key_now(&sealed).number, 1);
    (void)issue(sealed.world, "1002");
    clock_forward(QUARTER);
    wait_for_seals(&sealed, 2);
    assert_int_equal(access(sealed.beside, F_OK), -1);
    end(&sealed);
}

/* What nobody sealed before a stop is sealed after it, though nothing happens any more. */
static void a_stop_forgets_nothing(void **state)
{
    (void)state;
    struct sealed sealed = begin();
    uint64_t card = issue(sealed.world, "1001");
    restart(&sealed);
    clock_forward(QUARTER);
    wait_for_seals(&sealed, 1);
    assert_true(sealed_head(&sealed) > card);
    quarters_pass(&sealed, 2);
    end(&sealed);
}

/* What is not on the disk when the head is taken is not in it: the next seal has it. */
static void what_came_meanwhile_is_sealed_next(void **state)
{
    (void)state;
    struct sealed sealed = begin();
    restart(&sealed);
    attempt_count(sealed.world->service, ATTEMPT_PROOF, TEXT_LITERAL("192.0.2.1"), 0, "no");
    clock_forward(QUARTER);
    turn(sealed.world); /* books it, then begins a seal */
    assert_true(seals_have_work(sealed.world->service));
    uint64_t late = ledger_newest(sealed.world->ledger);
    wait_for_seals(&sealed, 1);
    assert_true(sealed_head(&sealed) <= late);
    clock_forward(QUARTER);
    wait_for_seals(&sealed, 2);
    assert_true(sealed_head(&sealed) > late);
    quarters_pass(&sealed, 1);
    end(&sealed);
}

static void a_close_is_sealed_at_once(void **state)
{
    (void)state;
    struct sealed sealed = begin();
    restart(&sealed);
    uint64_t position = close_day(&sealed);
    wait_for_seals(&sealed, 1);
    assert_true(sealed_head(&sealed) > position);
    /* Those that follow within moments share one. */
    (void)close_day(&sealed);
    position = close_day(&sealed);
    turn(sealed.world);
    assert_false(seals_have_work(sealed.world->service));
    clock_forward(10 * US_PER_SECOND);
    wait_for_seals(&sealed, 2);
    assert_true(sealed_head(&sealed) > position);
    end(&sealed);
}

/* So no key of a seal that anybody sees is on the machine any more; a clean stop waits for the seal. */
static void the_key_moves_first(void **state)
{
    (void)state;
    struct sealed sealed = begin();
    restart(&sealed);
    (void)issue(sealed.world, "1001");
    clock_forward(QUARTER);
    turn(sealed.world);
    while (key_now(&sealed).number == 0)
        (void)sched_yield(); /* the worker is at it; nothing takes what it has done */
    assert_int_equal(seals(&sealed), 0);
    assert_false(service_is_idle(sealed.world->service));
    wait_for_seals(&sealed, 1);
    assert_true(service_is_idle(sealed.world->service));
    struct seal_key first, now = key_now(&sealed);
    assert_true(seal_key_read(text_of(sealed.first), &first));
    assert_true(seal_next_key(&first));
    assert_memory_equal(&first, &now, sizeof(now));
    end(&sealed);
}

/* After a power cut the file is the old key or the next one, and the next one once a seal was made. */
static void the_key_is_on_the_disk_first(void **state)
{
    (void)state;
    struct sealed sealed = begin();
    restart(&sealed);
    (void)issue(sealed.world, "1001");
    watched = sealed.dir;
    clock_forward(QUARTER);
    wait_for_seals(&sealed, 1);
    watched = NULL;
    assert_string_equal(done, "srf");
    end(&sealed);
}

static void assert_no_seals(struct sealed *sealed)
{
    uint64_t before = seals(sealed);
    struct seal_key key = key_now(sealed), after;
    restart(sealed);
    (void)close_day(sealed);
    clock_forward(QUARTER);
    turn(sealed->world);
    assert_false(seals_have_work(sealed->world->service));
    after = key_now(sealed);
    assert_int_equal(seals(sealed), before);
    assert_memory_equal(&key, &after, sizeof(key));
}

static void write_number(struct sealed *sealed, uint64_t number)
{
    char text[SERVICE_SEAL_TEXT_MAX];
    struct seal_key key;
    assert_true(seal_key_read(text_of(sealed->first), &key));
    while (key.number < number)
        assert_true(seal_next_key(&key));
    text[seal_key_write(&key, text)] = '\0';
    write_text(sealed->path, text, 0600);
}

static void keys_that_prove_nothing_are_refused(void **state)
{
    (void)state;
    static const char *const cards[] = { "1001", "1002", "1003" };
    struct sealed sealed = begin();
    restart(&sealed);
    for (uint64_t i = 0; i < 3; i++) {
        (void)issue(sealed.world, cards[i]);
        clock_forward(QUARTER);
        wait_for_seals(&sealed, i + 1);
    }
    /* From a copy: the first, and the one that made the newest seal. */
    write_number(&sealed, 0);
    assert_no_seals(&sealed);
    write_number(&sealed, 2);
    assert_no_seals(&sealed);
    /* A copy of the journal was put back. */
    write_number(&sealed, 5);
    assert_no_seals(&sealed);
    /* Others may read it. */
    write_number(&sealed, 3);
    assert_int_equal(chmod(sealed.path, 0640), 0);
    assert_no_seals(&sealed);
    /* The power failed between a key and its seal, once. */
    write_number(&sealed, 4);
    restart(&sealed);
    (void)close_day(&sealed);
    while (seals(&sealed) < 5)
        service_turns(sealed.world);
    /* Another lineage begins where it likes. */
    struct failure failure;
    assert_int_equal(unlink(sealed.path), 0);
    assert_int_equal(service_init_audit(sealed.path, sealed.first, &failure), PUNKT_OK);
    restart(&sealed);
    (void)close_day(&sealed);
    while (key_now(&sealed).number == 0 || seals_have_work(sealed.world->service))
        service_turns(sealed.world);
    assert_int_equal(seals(&sealed), 1);
    end(&sealed);
}

static size_t count_in(const char *path, const char *words)
{
    static char said[1 << 16];
    size_t count = 0;
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    said[fread(said, 1, sizeof(said) - 1, file)] = '\0';
    (void)fclose(file);
    for (const char *at = said; (at = strstr(at, words)) != NULL; at++)
        count++;
    return count;
}

/* A minute later it tries again, and fails once more. */
static void fail_again(struct sealed *sealed)
{
    clock_forward(MINUTE);
    turn(sealed->world);
    assert_true(seals_have_work(sealed->world->service));
    while (seals_have_work(sealed->world->service))
        service_turns(sealed->world);
    assert_int_equal(seals(sealed), 0);
    assert_int_equal(key_now(sealed).number, 0);
}

static void a_key_that_cannot_move_makes_no_seal(void **state)
{
    (void)state;
    struct sealed sealed = begin();
    char log[96];
    restart(&sealed);
    (void)issue(sealed.world, "1001");
    assert_int_equal(mkdir(sealed.beside, 0700), 0); /* in the way, of root, too */
    snprintf(log, sizeof(log), "%s/log", sealed.dir);
    int console = dup(STDERR_FILENO);
    int file = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(console >= 0 && file >= 0 && dup2(file, STDERR_FILENO) >= 0);
    clock_forward(QUARTER - MINUTE);
    for (int i = 0; i < 4; i++)
        fail_again(&sealed);
    assert_int_equal(rmdir(sealed.beside), 0);
    clock_forward(MINUTE);
    wait_for_seals(&sealed, 1);
    (void)dup2(console, STDERR_FILENO);
    (void)close(console);
    (void)close(file);
    assert_int_equal(count_in(log, "no seal was made: the next key cannot be written to"), 1);
    assert_int_equal(count_in(log, "seals are made again"), 1);
    assert_int_equal(count_in(log, "head "), 1);
    assert_int_equal(key_now(&sealed).number, 1);
    end(&sealed);
}

static void time_may_go_back(void **state)
{
    (void)state;
    struct sealed sealed = begin();
    utc_us before, after;
    restart(&sealed);
    (void)close_day(&sealed);
    wait_for_seals(&sealed, 1);
    clock_back(100 * QUARTER);
    turn(sealed.world);
    ledger_take_clock(sealed.world->ledger, &before, &after);
    (void)issue(sealed.world, "1001");
    wait_for_seals(&sealed, 2);
    end(&sealed);
}

/* The log alone says heads. */
static void without_a_key_heads_are_logged(void **state)
{
    (void)state;
    struct sealed sealed = begin();
    service_world_restart(sealed.world);
    (void)close_day(&sealed);
    quarters_pass(&sealed, 2);
    assert_int_equal(seals(&sealed), 0);
    assert_int_equal(key_now(&sealed).number, 0);
    end(&sealed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_key_is_made_once),
        cmocka_unit_test(a_quarter_of_an_hour_is_sealed),
        cmocka_unit_test(a_stop_forgets_nothing),
        cmocka_unit_test(what_came_meanwhile_is_sealed_next),
        cmocka_unit_test(a_close_is_sealed_at_once),
        cmocka_unit_test(the_key_moves_first),
        cmocka_unit_test(the_key_is_on_the_disk_first),
        cmocka_unit_test(keys_that_prove_nothing_are_refused),
        cmocka_unit_test(a_key_that_cannot_move_makes_no_seal),
        cmocka_unit_test(time_may_go_back),
        cmocka_unit_test(without_a_key_heads_are_logged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
