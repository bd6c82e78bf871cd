#include "audit_world.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ledger/event_codec.h"

#define START (INT64_C(1773144000) * US_PER_SECOND)

static void fatal(void *ctx, const char *what)
{
    (void)ctx;
    fprintf(stderr, "fatal: %s\n", what);
    abort();
}

static struct ledger_options options_of(const char *dir)
{
    return (struct ledger_options){ .dir = dir,
                                    .segment_bytes = JOURNAL_SEGMENT_BYTES_MIN,
                                    .reserve_bytes = 1,
                                    .map_bytes = UINT64_C(64) << 20,
                                    .layer_records = 1000,
                                    .layer_bytes = 1 << 20,
                                    .fatal = fatal };
}

static void run(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void run(const char *format, ...)
{
    char command[256];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(command, sizeof(command), format, args);
    va_end(args);
    if (system(command) != 0)
        fail_msg("%s", command);
}

/* --- the ledger --- */

static void make_seal(struct audit_world *world, struct ledger *ledger, struct event *event)
{
    uint8_t message[SEAL_MESSAGE_SIZE];
    event->seal.head = ledger_head(ledger, event->seal.head_hash);
    event->seal.key_number = world->now.number;
    memcpy(event->seal.lineage, world->now.lineage, SEAL_LINEAGE_SIZE);
    seal_message(world->id, event, message);
    assert_true(seal_mac(world->now.key, message, event->seal.mac));
    assert_true(seal_next_key(&world->now));
}

/* Blocks 2, 5, 8 and so on are seals. */
static struct event event_of(struct audit_world *world, struct ledger *ledger, size_t block)
{
    struct event event = { .time = START + (utc_us)block * US_PER_SECOND, .day = 20522 };
    event.occurred = event.time;
    if (block % 3 == 2) {
        event.type = EVENT_SEAL;
        make_seal(world, ledger, &event);
    } else if (block % 3 == 1) {
        event.type = EVENT_IDENTITY;
        event.identity.act = IDENTITY_ACT_ADD;
        event.identity.reason = TEXT_LITERAL("they asked");
        event.identity.after = (struct identity){ .number = IDENTITY_FIRST + block / 3,
                                                  .role = 3,
                                                  .status = IDENTITY_ADDED,
                                                  .name = TEXT_LITERAL("lea"),
                                                  .added = event.time };
    } else {
        event.type = EVENT_ATTEMPTS;
        event.attempts.kind = ATTEMPT_PROOF;
        event.attempts.source = TEXT_LITERAL("192.0.2.7");
        event.attempts.count = 5;
        event.attempts.detail = TEXT_LITERAL("unknown key");
    }
    return event;
}

static void append(struct audit_world *world, struct ledger *ledger, size_t block)
{
    struct event event = event_of(world, ledger, block);
    journal_position position = ledger_reserve(ledger);
    ledger_append(ledger, &event);
    ledger_turn_end(ledger);
    while (ledger_durable(ledger) <= position) {
        struct pollfd fd = { .fd = ledger_fd(ledger), .events = POLLIN };
        assert_true(poll(&fd, 1, 10000) >= 0);
        ledger_process(ledger);
    }
    world->at[block + 1] = SEGMENT_HEADER_SIZE + (uint32_t)ledger_head(ledger, world->heads[block]);
}

struct audit_world *audit_world_new(void)
{
    struct audit_world *world = calloc(1, sizeof(*world));
    struct ledger *ledger;
    struct ledger_recovery recovery;
    struct failure failure = { "" };
    assert_non_null(world);
    (void)snprintf(world->dir, sizeof(world->dir), "/tmp/punkt-audit-XXXXXX");
    assert_non_null(mkdtemp(world->dir));
    (void)snprintf(world->copy, sizeof(world->copy), "%s/copy", world->dir);
    char dir[48];
    (void)snprintf(dir, sizeof(dir), "%s/ledger", world->dir);
    struct ledger_options options = options_of(dir);
    if (ledger_open(&options, &ledger, &recovery, &failure) != PUNKT_OK)
        fail_msg("%s", failure.text);
    memcpy(world->id, ledger_id(ledger), sizeof(world->id));
    world->now.number = AUDIT_FIRST_NUMBER;
    memset(world->now.key, 0x5A, sizeof(world->now.key));
    memset(world->now.lineage, 0x11, sizeof(world->now.lineage));
    world->first = world->now;
    world->at[0] = SEGMENT_HEADER_SIZE;
    for (size_t i = 0; i < AUDIT_BLOCKS; i++)
        append(world, ledger, i);
    world->used = world->at[AUDIT_BLOCKS];
    assert_true(world->used < sizeof(world->file));
    assert_int_equal(ledger_close(ledger, &failure), PUNKT_OK);
    assert_int_equal(sha256_init(&world->sha256), PUNKT_OK);
    return world;
}

void audit_world_free(struct audit_world *world)
{
    sha256_done(&world->sha256);
    run("rm -r %s", world->dir);
    free(world);
}

/* --- the copy --- */

static int open_segment(const struct audit_world *world)
{
    char name[SEGMENT_NAME_SIZE], path[160];
    segment_name(0, name);
    (void)snprintf(path, sizeof(path), "%s/journal/%s", world->copy, name);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

void audit_copy(struct audit_world *world)
{
    run("rm -rf %s && cp -r --sparse=always %s/ledger %s", world->copy, world->dir, world->copy);
    int fd = open_segment(world);
    assert_int_equal(pread(fd, world->file, sizeof(world->file), 0), sizeof(world->file));
    assert_int_equal(close(fd), 0);
}

void audit_store(struct audit_world *world)
{
    int fd = open_segment(world);
    assert_int_equal(pwrite(fd, world->file, sizeof(world->file), 0), sizeof(world->file));
    assert_int_equal(close(fd), 0);
}

bool audit_rebuild(struct audit_world *world, bool state)
{
    struct ledger_options options = options_of(world->copy);
    struct ledger_recovery recovery;
    struct failure failure;
    if (!state)
        run("rm -r %s/state", world->copy);
    return ledger_rebuild(&options, &recovery, &failure) == PUNKT_OK;
}

struct verify_report audit_verify(struct audit_world *world, const uint8_t *head, const struct seal_key *key)
{
    struct ledger_options options = options_of(world->copy);
    struct verify_asked asked = { .head = head, .seal_key = key };
    struct verify_report report = { .outcome = VERIFY_MATCHES };
    struct failure failure;
    if (ledger_verify_files(&options, &asked, &report, &failure) != PUNKT_OK)
        report = (struct verify_report){ .outcome = VERIFY_DAMAGED };
    return report;
}

bool audit_is_fine(const struct verify_report *report)
{
    return report->outcome == VERIFY_MATCHES && report->head != VERIFY_HEAD_MISSING;
}

/* --- the forger --- */

static struct event_memory memory;

static uint8_t *event_at(struct audit_world *world, size_t block, uint32_t *out_size)
{
    uint8_t *at = world->file + world->at[block] + BLOCK_HEADER_SIZE;
    *out_size = load_u32(at);
    return at;
}

/* Of a copy of its bytes, which the texts point into. */
static struct event read_event(struct audit_world *world, size_t block, uint8_t bytes[4096])
{
    struct event event;
    uint32_t size;
    const uint8_t *at = event_at(world, block, &size);
    assert_true(size <= 4096);
    memcpy(bytes, at, size);
    assert_true(
        event_decode(bytes + JOURNAL_EVENT_HEADER_SIZE, size - JOURNAL_EVENT_HEADER_SIZE, &memory, &event));
    return event;
}

static void write_event(struct audit_world *world, size_t block, const struct event *event)
{
    uint8_t bytes[4096];
    uint32_t size;
    uint8_t *at = event_at(world, block, &size);
    assert_int_equal(event_encode(event, bytes, sizeof(bytes)), size - JOURNAL_EVENT_HEADER_SIZE);
    memcpy(at + JOURNAL_EVENT_HEADER_SIZE, bytes, size - JOURNAL_EVENT_HEADER_SIZE);
    event_finish(at, size);
}

bool audit_is_seal(struct audit_world *world, size_t block, uint64_t *out_number)
{
    uint8_t bytes[4096];
    struct event event = read_event(world, block, bytes);
    if (event.type == EVENT_SEAL && out_number != NULL)
        *out_number = event.seal.key_number;
    return event.type == EVENT_SEAL;
}

static void change(struct event *event)
{
    switch ((int)event->type) {
    case EVENT_SEAL:
        event->seal.mac[0] ^= 1;
        break;
    case EVENT_IDENTITY:
        event->identity.after.role = 6;
        break;
    default:
        event->attempts.count = 1;
        break;
    }
}

static void seal_again(struct audit_world *world, struct event *event, enum forged_seals seals,
                       struct seal_key *key)
{
    uint8_t message[SEAL_MESSAGE_SIZE];
    if (seals == FORGED_COPIED)
        return;
    uint32_t end = SEGMENT_HEADER_SIZE + (uint32_t)event->seal.head;
    memcpy(event->seal.head_hash, world->file + end - JOURNAL_HASH_SIZE, JOURNAL_HASH_SIZE);
    if (seals == FORGED_HEADS)
        return;
    if (seals == FORGED_LATER)
        event->seal.key_number = key->number;
    memcpy(event->seal.lineage, key->lineage, SEAL_LINEAGE_SIZE);
    seal_message(world->id, event, message);
    assert_true(seal_mac(key->key, message, event->seal.mac));
    assert_true(seal_next_key(key));
}

void audit_forge(struct audit_world *world, size_t block, enum forged_seals seals)
{
    struct seal_key key = world->now;
    uint8_t bytes[4096], hash[JOURNAL_HASH_SIZE];
    if (seals == FORGED_LINEAGE)
        memset(key.lineage, 0x22, sizeof(key.lineage));
    memcpy(hash, world->file + world->at[block] + 48, sizeof(hash)); /* of the block before */
    for (size_t i = block; i < AUDIT_BLOCKS; i++) {
        struct event event = read_event(world, i, bytes);
        if (i == block)
            change(&event);
        else if (event.type == EVENT_SEAL)
            seal_again(world, &event, seals, &key);
        write_event(world, i, &event);
        block_finish(&world->sha256, world->file + world->at[i], world->at[i + 1] - world->at[i], hash, hash);
    }
}
