/*
 * The journal through crashes. Run by journal.sh:
 *
 *   crash_journal write DIR ACKS SEED BLOCKS SESSIONS [patient]
 *       Appends random events, in as many sessions of open, recover, append, close. For what was
 *       recovered and each block that became durable a line "log-size position recovered" is added to ACKS; log-size is that of IO_SHIM_LOG
 *       at that moment, recovered is 1 or 0.
 *       Ends with 0; 4 if there was no space (patient: waits for it instead); 5 if the journal did not open;
 *       70 from fatal().
 *   crash_journal recover DIR SEED POSITION
 *       Recovers; fails (1) unless everything up to POSITION is there and the journal can go on.
 *   crash_journal images LOG ROOT ACKS SEED COUNT OUT [BASE]
 *       Builds COUNT crash images under OUT and recovers each. ROOT holds the folder "journal". Fails (1) if one
 *       lost what was acknowledged before its crash, or does not recover.
 */
#include <fcntl.h>
#include <limits.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../unit/journal_world.h"
#include "crash_image.h"

#define ACKS_MAX 20000
#define SEGMENT_BYTES 8192u /* small, so that a short run sees many of them */

struct writer {
    struct world world;
    sem_t woken;
    int acks_fd;
    const char *log;
};

static void world_at(struct world *world, const char *dir, uint64_t seed)
{
    *world = (struct world){ .seed = seed, .segment_bytes = SEGMENT_BYTES, .next_sequence = 1 };
    PUNKT_CHECK((size_t)snprintf(world->dir, sizeof(world->dir), "%s", dir) < sizeof(world->dir));
}

/* --- write --- */

static void wake(void *ctx)
{
    struct writer *writer = ctx;
    (void)sem_post(&writer->woken);
}

/* In one call, so that the line is whole however the process ends. */
static void acknowledge(const struct writer *writer, journal_position position, bool recovered)
{
    struct stat info = { .st_size = 0 };
    char line[64];
    if (writer->log != NULL)
        (void)stat(writer->log, &info);
    int size = snprintf(line, sizeof(line), "%lld %llu %d\n", (long long)info.st_size,
                        (unsigned long long)position, recovered);
    PUNKT_CHECK(write(writer->acks_fd, line, (size_t)size) == size);
}

/* True: durable. False: there is no space, and nobody waits for it. */
static bool wait_durable(struct writer *writer, journal_position position, bool patient)
{
    while (journal_durable(writer->world.journal) < position) {
        if (!patient && journal_low(writer->world.journal))
            return false;
        (void)sem_wait(&writer->woken);
    }
    acknowledge(writer, journal_durable(writer->world.journal), false);
    return true;
}

static int write_blocks(struct writer *writer, uint32_t blocks, bool patient)
{
    struct world *world = &writer->world;
    struct journal_head head;
    journal_position position;
    uint64_t random = world->seed + world->next_sequence;
    for (uint32_t i = 0; i < blocks;) {
        while (journal_low(world->journal)) {
            if (!patient)
                return 4;
            (void)sem_wait(&writer->woken);
        }
        uint64_t count = 1 + world_random(&random) % 5;
        while (count-- > 0 && world_append(world, &position))
            continue;
        if (!journal_seal(world->journal, (utc_us)world->next_sequence, &head)) {
            (void)sem_wait(&writer->woken); /* the thread is not free: the open block grows meanwhile */
            continue;
        }
        i++;
        /* Sometimes on and on without looking, as the loop does. */
        if (world_random(&random) % 3 > 0 && !wait_durable(writer, head.position, patient))
            return 4;
    }
    return wait_durable(writer, head.position, patient) ? 0 : 4;
}

static int write_sessions(char **argv, bool patient)
{
    struct writer writer = { .log = getenv("IO_SHIM_LOG") };
    int result = 0;
    world_at(&writer.world, argv[0], strtoull(argv[2], NULL, 10));
    (void)sem_init(&writer.woken, 0, 0);
    writer.world.notify = wake;
    writer.world.ctx = &writer;
    writer.acks_fd = open(argv[1], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    PUNKT_CHECK(writer.acks_fd >= 0);
    for (uint32_t session = (uint32_t)atoi(argv[4]); session > 0 && result == 0; session--) {
        if (world_open(&writer.world, false) != PUNKT_OK ||
            world_recover(&writer.world, NULL, true) != PUNKT_OK ||
            journal_start(writer.world.journal, 1, &writer.world.failure) != PUNKT_OK) {
            fprintf(stderr, "refused: %s\n", writer.world.failure.text);
            result = 5;
        } else {
            /* From now on clients may be told of what is there. */
            acknowledge(&writer, writer.world.head.position, true);
            result = write_blocks(&writer, (uint32_t)atoi(argv[3]), patient);
        }
        world_close(&writer.world);
    }
    (void)close(writer.acks_fd);
    (void)sem_destroy(&writer.woken);
    return result;
}

/* --- recover --- */

/* NULL: sound, and nothing up to `acknowledged` is lost. Else what is wrong. */
static const char *recover(const char *dir, uint64_t seed, journal_position acknowledged)
{
    static char wrong[700];
    struct world world;
    world_at(&world, dir, seed);
    const char *what = NULL;
    if (world_open(&world, false) != PUNKT_OK)
        what = "does not open";
    else if (world_recover(&world, NULL, true) != PUNKT_OK)
        what = "does not recover";
    else if (world.head.position < acknowledged)
        what = "lost what was acknowledged";
    else if (world.events_visited != world.next_sequence - 1)
        what = "has gaps";
    else if (journal_start(world.journal, 1, &world.failure) != PUNKT_OK)
        what = "does not start";
    if (what == NULL) {
        /* And it goes on from there. */
        uint64_t written = world.next_sequence + 3;
        (void)world_block(&world, 3);
        world_close(&world);
        if (world_open(&world, false) != PUNKT_OK || world_recover(&world, NULL, false) != PUNKT_OK ||
            world.next_sequence != written)
            what = "does not go on";
    }
    (void)snprintf(wrong, sizeof(wrong), "%s: at %llu, acknowledged %llu: %s", what != NULL ? what : "",
                   (unsigned long long)world.head.position, (unsigned long long)acknowledged,
                   world.failure.text);
    world_close(&world);
    return what != NULL ? wrong : NULL;
}

/* --- images --- */

struct acks {
    uint64_t log_size[ACKS_MAX];
    journal_position position[ACKS_MAX];
    size_t count;
    uint64_t recovered_size[ACKS_MAX]; /* log_size of those after a recovery */
    size_t recovered_count;
};

static void acks_read(struct acks *acks, const char *path)
{
    unsigned long long size, position;
    int recovered;
    FILE *file = fopen(path, "re");
    PUNKT_CHECK(file != NULL);
    while (fscanf(file, "%llu %llu %d", &size, &position, &recovered) == 3) {
        PUNKT_CHECK(acks->count < ACKS_MAX);
        acks->log_size[acks->count] = size;
        acks->position[acks->count++] = position;
        if (recovered == 1)
            acks->recovered_size[acks->recovered_count++] = size;
    }
    (void)fclose(file);
}

static journal_position acknowledged_before(const struct acks *acks, uint64_t cut)
{
    journal_position most = 0;
    for (size_t i = 0; i < acks->count; i++) {
        if (acks->log_size[i] <= cut && acks->position[i] > most)
            most = acks->position[i];
    }
    return most;
}

/* The very end; the moment after a recovery, an acknowledgement or a write; or any moment. */
static uint64_t choose_cut(const struct acks *acks, const struct crash_log *log, uint64_t index,
                           uint64_t *random)
{
    uint64_t log_size = crash_log_size(log);
    if (index == 0)
        return log_size;
    uint64_t kind = index % 4, pick = world_random(random);
    if (kind == 1 && acks->recovered_count > 0)
        return u64_min(acks->recovered_size[pick % acks->recovered_count], log_size);
    if (kind == 2 && acks->count > 0)
        return u64_min(acks->log_size[pick % acks->count], log_size);
    return kind == 3 ? crash_log_write_end(log, pick % (log_size + 1)) : pick % (log_size + 1);
}

static int check_images(int argc, char **argv)
{
    static struct acks acks;
    struct crash_log *log = crash_log_open(argv[0], argv[1], argc > 6 ? argv[6] : NULL);
    uint64_t seed = strtoull(argv[3], NULL, 10), count = strtoull(argv[4], NULL, 10), bad = 0, random = seed;
    acks_read(&acks, argv[2]);
    for (uint64_t i = 0; i < count; i++) {
        char image[PATH_MAX], dir[PATH_MAX];
        uint64_t image_seed = world_random(&random);
        uint64_t cut = choose_cut(&acks, log, i, &random);
        (void)snprintf(image, sizeof(image), "%s/image", argv[5]);
        PUNKT_CHECK((size_t)snprintf(dir, sizeof(dir), "%s/journal", image) < sizeof(dir));
        crash_image_build(log, cut, image_seed, image);
        const char *wrong = recover(dir, seed, acknowledged_before(&acks, cut));
        if (wrong != NULL) {
            printf("seed %llu, image %llu, cut %llu: %s\n", (unsigned long long)seed, (unsigned long long)i,
                   (unsigned long long)cut, wrong);
            bad++;
        }
        PUNKT_CHECK(remove_tree(image));
    }
    printf("seed %llu: %llu images, %llu bad, %zu acknowledgements\n", (unsigned long long)seed,
           (unsigned long long)count, (unsigned long long)bad, acks.count);
    crash_log_close(log);
    return bad == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    if (argc >= 7 && strcmp(argv[1], "write") == 0)
        return write_sessions(argv + 2, argc > 7 && strcmp(argv[7], "patient") == 0);
    if (argc == 5 && strcmp(argv[1], "recover") == 0) {
        const char *wrong = recover(argv[2], strtoull(argv[3], NULL, 10), strtoull(argv[4], NULL, 10));
        if (wrong != NULL)
            printf("%s\n", wrong);
        return wrong == NULL ? 0 : 1;
    }
    if (argc >= 8 && strcmp(argv[1], "images") == 0)
        return check_images(argc - 2, argv + 2);
    fprintf(stderr, "usage: crash_journal write|recover|images ...; see the head of the source\n");
    return 2;
}
