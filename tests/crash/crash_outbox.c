/*
 * The outbox through crashes and failing calls. Run by outbox.sh:
 *
 *   crash_outbox write DIR ACKS SEED ACTS SESSIONS
 *       Random acts on DIR/outbox, in as many openings. For what was acknowledged, and for what was found when it
 *       was opened, for that is sent, lines "log-size what epoch number serial" are added to ACKS; log-size is that of
 *       IO_SHIM_LOG at that moment. Ends with 0; 4 if something was refused that a later act may do; 5 if the outbox did
 *       not open.
 *   crash_outbox check DIR ACKS
 *       Opens; fails (1) unless everything acknowledged is there, and the outbox can go on.
 *   crash_outbox images LOG ROOT ACKS SEED COUNT OUT [BASE]
 *       Builds COUNT crash images under OUT and checks each. ROOT holds the outbox. Fails (1) if one lost what was
 *       acknowledged before its crash, or looks damaged.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../unit/random.h"
#include "crash_image.h"
#include "lib/outbox.h"

#define ACKS_MAX 60000
#define BODY_MAX 20000u
#define PREALLOCATED 16384u /* little, so that it grows */

#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                                  \
            exit(2);                                                                                         \
        }                                                                                                    \
    } while (0)

enum what {
    STORED = 'A',    /* the operation with that serial */
    ANSWERED = 'D',  /* how it ended */
    DISCARDED = 'x', /* it may be gone from here on */
    KNOWN = 'K',     /* that serial, or a later one */
    CLOSED = 'C',    /* the day of that serial */
};

struct ack {
    unsigned long long log_size, epoch, number, serial;
    char what;
};

struct acks {
    struct ack *rows;
    size_t count;
};

/* --- what an operation looks like --- */

/* Its size and bytes follow from its serial, which stands before them. */
static size_t body_of(uint64_t serial, uint8_t body[BODY_MAX])
{
    struct random random = { serial };
    size_t size = sizeof(serial) + random_below(&random, random_below(&random, 10) == 0 ? BODY_MAX - 8 : 900);
    for (size_t i = sizeof(serial); i < size; i++)
        body[i] = (uint8_t)random_u64(&random);
    memcpy(body, &serial, sizeof(serial));
    return size;
}

/* 0: it is none that was ever appended. */
static uint64_t serial_of(struct outbox *outbox, const struct outbox_entry *entry)
{
    static uint8_t want[BODY_MAX];
    struct buffer body = { 0 };
    uint64_t serial = 0;
    if (outbox_body(outbox, entry, &body) && buffer_size(&body) >= sizeof(serial)) {
        memcpy(&serial, buffer_data(&body), sizeof(serial));
        size_t size = body_of(serial, want);
        if (size != buffer_size(&body) || memcmp(want, buffer_data(&body), size) != 0)
            serial = 0;
    }
    buffer_done(&body);
    return serial;
}

static int32_t day_of(uint64_t serial)
{
    return (int32_t)(30000 + serial);
}

static enum outbox_status open_at(const char *dir, struct outbox **out, char why[OUTBOX_WHY_SIZE])
{
    char path[PATH_MAX];
    struct outbox_options options = { .path = path,
                                      .store = "7",
                                      .till = "3",
                                      .open_max = UINT32_MAX,
                                      .age_max_us = INT64_MAX / 2,
                                      .preallocate = PREALLOCATED };
    CHECK((size_t)snprintf(path, sizeof(path), "%s/outbox", dir) < sizeof(path));
    CHECK(getrandom(options.epochs, sizeof(options.epochs), 0) == (ssize_t)sizeof(options.epochs));
    return outbox_open(&options, out, why);
}

/* --- write --- */

struct writer {
    struct outbox *outbox;
    struct random random;
    const char *log;
    int acks_fd;
    uint64_t serial; /* the last that was used */
    bool refused;
};

/* In one call, so that the line is whole however the process ends. */
static void acknowledge(const struct writer *writer, enum what what, uint64_t epoch, uint64_t number,
                        uint64_t serial)
{
    struct stat info = { .st_size = 0 };
    char line[128];
    if (writer->log != NULL)
        (void)stat(writer->log, &info);
    int size = snprintf(line, sizeof(line), "%lld %c %llu %llu %llu\n", (long long)info.st_size, (char)what,
                        (unsigned long long)epoch, (unsigned long long)number, (unsigned long long)serial);
    CHECK(write(writer->acks_fd, line, (size_t)size) == size);
}

/* What is found is sent: from now on it must stay. */
static void acknowledge_found(struct writer *writer)
{
    for (struct outbox_entry *entry = outbox_first(writer->outbox); entry != NULL; entry = entry->next) {
        uint64_t serial = serial_of(writer->outbox, entry);
        CHECK(serial != 0);
        writer->serial = serial > writer->serial ? serial : writer->serial;
        acknowledge(writer, STORED, entry->epoch, entry->number, serial);
    }
}

static void act_append(struct writer *writer)
{
    static uint8_t body[BODY_MAX];
    size_t size = body_of(++writer->serial, body);
    struct outbox_note note = { .created_us = 1, .business_date = 1 };
    struct outbox_entry *entry;
    enum outbox_lane lane = (enum outbox_lane)random_below(&writer->random, 2);
    if (outbox_append(writer->outbox, lane, 1, 0, body, size, &note, &entry) == OUTBOX_OK)
        acknowledge(writer, STORED, entry->epoch, entry->number, writer->serial);
    else
        writer->refused = true;
}

static struct outbox_entry *any_entry(struct writer *writer, enum outbox_state state)
{
    struct outbox_entry *entry = outbox_first(writer->outbox), *found = NULL;
    for (; entry != NULL; entry = entry->next) {
        if (entry->state == state && (found == NULL || random_below(&writer->random, 4) == 0))
            found = entry;
    }
    return found;
}

static void act_settle(struct writer *writer)
{
    struct outbox_entry *entries[3] = { NULL };
    for (int i = 0; i < 3; i++) {
        struct outbox_result result = { .at_us = 1, .result = (uint32_t)random_below(&writer->random, 2) };
        entries[i] = any_entry(writer, OUTBOX_OPEN);
        if (entries[i] != NULL)
            outbox_settle(writer->outbox, entries[i], &result);
    }
    if (outbox_flush(writer->outbox) != OUTBOX_OK)
        writer->refused = true;
    for (int i = 0; i < 3; i++) {
        if (entries[i] != NULL && !entries[i]->unsettled)
            acknowledge(writer, ANSWERED, entries[i]->epoch, entries[i]->number, 0);
    }
}

static void act_bury(struct writer *writer)
{
    struct outbox_entry *entry = any_entry(writer, OUTBOX_DEAD);
    struct outbox_result result = { .at_us = 1, .result = 9 };
    enum outbox_status status = OUTBOX_OK;
    if (entry != NULL && random_below(&writer->random, 2) == 0) {
        acknowledge(writer, DISCARDED, entry->epoch, entry->number, 0);
        status = outbox_discard(writer->outbox, entry);
    } else if ((entry = any_entry(writer, OUTBOX_OPEN)) != NULL) {
        status = outbox_bury(writer->outbox, entry, &result);
        if (status == OUTBOX_OK)
            acknowledge(writer, ANSWERED, entry->epoch, entry->number, 0);
    }
    writer->refused = writer->refused || status != OUTBOX_OK;
}

static void act_others(struct writer *writer, uint64_t kind)
{
    enum outbox_status status;
    writer->serial++;
    if (kind == 0) {
        status = outbox_compact(writer->outbox, 0, true);
    } else if (kind == 1) {
        status = outbox_close_day(writer->outbox, day_of(writer->serial));
        if (status == OUTBOX_OK)
            acknowledge(writer, CLOSED, 0, 0, writer->serial);
    } else {
        status = outbox_keep(writer->outbox, &writer->serial, sizeof(writer->serial));
        if (status == OUTBOX_OK)
            acknowledge(writer, KNOWN, 0, 0, writer->serial);
    }
    writer->refused = writer->refused || status != OUTBOX_OK;
}

static void act(struct writer *writer)
{
    uint64_t kind = random_below(&writer->random, 20);
    if (kind < 3)
        act_others(writer, kind);
    else if (kind < 6)
        act_settle(writer);
    else if (kind < 8)
        act_bury(writer);
    else
        act_append(writer);
}

static void acks_read(struct acks *acks, const char *path);

static int write_sessions(char **argv)
{
    struct writer writer = { .log = getenv("IO_SHIM_LOG"), .random = { strtoull(argv[2], NULL, 10) } };
    struct acks before = { NULL, 0 };
    char why[OUTBOX_WHY_SIZE];
    acks_read(&before, argv[1]);
    for (size_t i = 0; i < before.count; i++)
        writer.serial = before.rows[i].serial > writer.serial ? before.rows[i].serial : writer.serial;
    free(before.rows);
    writer.acks_fd = open(argv[1], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    CHECK(writer.acks_fd >= 0);
    int result = 0;
    for (int session = atoi(argv[4]); session > 0 && result == 0; session--) {
        if (open_at(argv[0], &writer.outbox, why) != OUTBOX_OK) {
            fprintf(stderr, "refused: %s\n", why);
            result = 5;
            break;
        }
        acknowledge_found(&writer);
        for (int acts = atoi(argv[3]); acts > 0; acts--)
            act(&writer);
        outbox_close(writer.outbox);
    }
    (void)close(writer.acks_fd);
    return result == 0 && writer.refused ? 4 : result;
}

/* --- check --- */

static void acks_read(struct acks *acks, const char *path)
{
    struct ack ack;
    acks->rows = calloc(ACKS_MAX, sizeof(*acks->rows));
    CHECK(acks->rows != NULL);
    FILE *file = fopen(path, "re");
    while (file != NULL && fscanf(file, "%llu %c %llu %llu %llu", &ack.log_size, &ack.what, &ack.epoch,
                                  &ack.number, &ack.serial) == 5) {
        CHECK(acks->count < ACKS_MAX);
        acks->rows[acks->count++] = ack;
    }
    if (file != NULL)
        (void)fclose(file);
}

static bool was_discarded(const struct acks *acks, uint64_t epoch, uint64_t number)
{
    for (size_t i = 0; i < acks->count; i++) {
        const struct ack *ack = &acks->rows[i];
        if (ack->what == DISCARDED && ack->epoch == epoch && ack->number == number)
            return true;
    }
    return false;
}

/* What one acknowledgement promised; NULL: it is kept. */
static const char *check_ack(struct outbox *outbox, const struct acks *acks, const struct ack *ack)
{
    const struct outbox_entry *entry = outbox_find(outbox, ack->epoch, ack->number);
    uint64_t known = 0;
    size_t size;
    switch ((enum what)ack->what) {
    case STORED:
        if (entry == NULL)
            return was_discarded(acks, ack->epoch, ack->number) ? NULL : "an operation is lost";
        return serial_of(outbox, entry) == ack->serial ? NULL : "an operation is another one";
    case ANSWERED:
        return entry == NULL || entry->state != OUTBOX_OPEN ? NULL : "an answer is lost";
    case KNOWN:
        memcpy(&known, outbox_known(outbox, &size), sizeof(known));
        return size == sizeof(known) && known >= ack->serial ? NULL : "what was known is lost";
    case CLOSED:
        return outbox_day_closed(outbox, day_of(ack->serial)) ? NULL : "a closed day is lost";
    case DISCARDED:
        break;
    }
    return NULL;
}

/* Whatever else is there is whole, in order and without gaps. */
static const char *check_entries(struct outbox *outbox, const struct acks *acks)
{
    uint64_t last = 0;
    for (struct outbox_entry *entry = outbox_first(outbox); entry != NULL; entry = entry->next) {
        uint64_t serial = serial_of(outbox, entry);
        if (serial <= last)
            return serial == 0 ? "a body is wrong" : "the order is wrong";
        if (entry->number > 1 && outbox_find(outbox, entry->epoch, entry->number - 1) == NULL &&
            !was_discarded(acks, entry->epoch, entry->number - 1))
            return "a lane has a gap";
        last = serial;
    }
    return NULL;
}

/* NULL: everything acknowledged when the log had `cut` bytes is in the outbox, and it goes on. */
static const char *check(const char *dir, const struct acks *acks, uint64_t cut, char why[OUTBOX_WHY_SIZE])
{
    struct outbox *outbox;
    struct outbox_note note = { .created_us = 1 };
    struct outbox_entry *entry;
    const char *wrong = NULL;
    if (open_at(dir, &outbox, why) != OUTBOX_OK)
        return "does not open";
    if (why[0] != '\0')
        wrong = "looks damaged";
    for (size_t i = 0; i < acks->count && wrong == NULL; i++) {
        if (acks->rows[i].log_size <= cut)
            wrong = check_ack(outbox, acks, &acks->rows[i]);
    }
    if (wrong == NULL)
        wrong = check_entries(outbox, acks);
    if (wrong == NULL && outbox_append(outbox, OUTBOX_LANE_QUEUE, 1, 0, "on", 2, &note, &entry) != OUTBOX_OK)
        wrong = "does not go on";
    outbox_close(outbox);
    return wrong;
}

/* --- images --- */

/* The very end; the moment of an acknowledgement, or after a write; or any moment. */
static uint64_t choose_cut(const struct acks *acks, const struct crash_log *log, uint64_t index,
                           struct random *random)
{
    uint64_t log_size = crash_log_size(log), kind = index % 3;
    uint64_t any = random_below(random, log_size + 1);
    if (index == 0)
        return log_size;
    if (kind == 1 && acks->count > 0) {
        uint64_t size = acks->rows[random_below(random, acks->count)].log_size;
        return size < log_size ? size : log_size;
    }
    return kind == 2 ? crash_log_write_end(log, any) : any;
}

static int check_images(int argc, char **argv)
{
    struct acks acks = { NULL, 0 };
    struct crash_log *log = crash_log_open(argv[0], argv[1], argc > 6 ? argv[6] : NULL);
    uint64_t count = strtoull(argv[4], NULL, 10), bad = 0;
    struct random random = { strtoull(argv[3], NULL, 10) };
    acks_read(&acks, argv[2]);
    for (uint64_t i = 0; i < count; i++) {
        char image[PATH_MAX], why[OUTBOX_WHY_SIZE];
        uint64_t image_seed = random_u64(&random), cut = choose_cut(&acks, log, i, &random);
        (void)snprintf(image, sizeof(image), "%s/image", argv[5]);
        crash_image_build(log, cut, image_seed, image);
        const char *wrong = check(image, &acks, cut, why);
        if (wrong != NULL) {
            printf("seed %s, image %llu, cut %llu: %s: %s\n", argv[3], (unsigned long long)i,
                   (unsigned long long)cut, wrong, why);
            bad++;
        }
        CHECK(remove_tree(image));
    }
    printf("seed %s: %llu images, %llu bad, %zu acknowledgements\n", argv[3], (unsigned long long)count,
           (unsigned long long)bad, acks.count);
    crash_log_close(log);
    free(acks.rows);
    return bad == 0 ? 0 : 1;
}

static int check_once(const char *dir, const char *acks_path)
{
    struct acks acks = { NULL, 0 };
    char why[OUTBOX_WHY_SIZE];
    acks_read(&acks, acks_path);
    const char *wrong = check(dir, &acks, UINT64_MAX, why);
    free(acks.rows);
    if (wrong != NULL)
        printf("%s: %s\n", wrong, why);
    return wrong == NULL ? 0 : 1;
}

int main(int argc, char **argv)
{
    if (argc == 7 && strcmp(argv[1], "write") == 0)
        return write_sessions(argv + 2);
    if (argc == 4 && strcmp(argv[1], "check") == 0)
        return check_once(argv[2], argv[3]);
    if (argc >= 8 && strcmp(argv[1], "images") == 0)
        return check_images(argc - 2, argv + 2);
    fprintf(stderr, "usage: crash_outbox write|check|images ...; see the head of the source\n");
    return 2;
}
