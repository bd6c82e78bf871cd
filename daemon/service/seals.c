/*
 * Seals (LEDGER.md, Secrets): every quarter of an hour, and when a day was closed, the head of the journal goes to the log and,
 * authenticated by a key that only moves forward, into the journal. The next key is on the disk before the seal of the
 * one before it is: so no key of a seal that anybody has seen can be found on this machine any more.
 *
 *   due -> worker: MAC by the key, next key into its file -> loop: the event
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "base/log.h"
#include "ledger/fold.h"
#include "ledger/seal.h"
#include "service/internal.h"

#define SEAL_US (15 * 60 * US_PER_SECOND)
#define RETRY_US (60 * US_PER_SECOND)
#define SOON_US US_PER_SECOND /* a thousand tills that close their day at once share a seal */
#define SEAL_PATH_MAX 1024

struct seals {
    struct ledger_job job; /* first */
    struct service *service;
    bool keyed;  /* false: heads go to the log only */
    bool busy;   /* the worker has it */
    bool made;   /* the event is to be appended */
    bool failed; /* the key could not be moved on */
    bool complained;
    bool soon;
    utc_us due, last;
    journal_position sealed; /* what the newest seal covers, or the log */
    struct seal_key key;     /* of the next seal */
    struct event event;
    char path[SEAL_PATH_MAX + 8];
};

/* --- the file --- */

static bool sync_folder(const char *path)
{
    char folder[SEAL_PATH_MAX + 8];
    (void)snprintf(folder, sizeof(folder), "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash == NULL)
        (void)snprintf(folder, sizeof(folder), ".");
    else
        slash[slash == folder ? 1 : 0] = '\0';
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool done = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        (void)close(fd);
    return done;
}

static bool write_key(const char *path, int flags, const struct seal_key *key)
{
    char text[SEAL_KEY_TEXT_MAX];
    size_t size = seal_key_write(key, text);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0600);
    bool done = fd >= 0 && write(fd, text, size) == (ssize_t)size && fsync(fd) == 0;
    OPENSSL_cleanse(text, sizeof(text));
    if (fd >= 0 && close(fd) != 0)
        done = false;
    return done;
}

/* By rename: the file is the old key or the new one. */
static bool store_key(const char *path, const struct seal_key *key)
{
    char beside[SEAL_PATH_MAX + 16];
    (void)snprintf(beside, sizeof(beside), "%s.new", path);
    return write_key(beside, O_TRUNC, key) && rename(beside, path) == 0 && sync_folder(path);
}

enum punkt_status service_init_audit(const char *path, char out_text[SERVICE_SEAL_TEXT_MAX],
                                     struct failure *failure)
{
    struct seal_key key = { .number = 0 };
    static_assert(SERVICE_SEAL_TEXT_MAX > SEAL_KEY_TEXT_MAX, "and its end");
    bool random =
        RAND_bytes(key.lineage, sizeof(key.lineage)) == 1 && RAND_priv_bytes(key.key, sizeof(key.key)) == 1;
    if (random && write_key(path, O_EXCL, &key) && sync_folder(path)) {
        out_text[seal_key_write(&key, out_text)] = '\0';
        OPENSSL_cleanse(&key, sizeof(key));
        return PUNKT_OK;
    }
    OPENSSL_cleanse(&key, sizeof(key));
    failure_set(failure, "the key file %s cannot be made: %s", path,
                random ? strerror(errno) : "no random numbers");
    return random && errno == EEXIST ? PUNKT_BUSY : PUNKT_IO;
}

static bool load_key(const char *path, struct seal_key *out)
{
    char text[SEAL_KEY_TEXT_MAX + 1];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd >= 0 ? read(fd, text, sizeof(text)) : -1;
    if (fd >= 0)
        (void)close(fd);
    bool done = size > 0 && seal_key_read((struct text){ text, (size_t)size }, out);
    OPENSSL_cleanse(text, sizeof(text));
    return done;
}

/* --- opening --- */

/* A key that made the newest seal, or an earlier one, came back from a backup: what it seals now proves nothing. */
static bool was_used(struct service *service, const struct seal_key *key)
{
    struct seal_record newest;
    return fold_seal(ledger_fold(service->ledger), &newest) &&
           memcmp(newest.lineage, key->lineage, sizeof(key->lineage)) == 0 &&
           key->number <= newest.key_number;
}

static void open_key(struct seals *seals)
{
    const char *path = seals->service->options.seal_key;
    if (path == NULL)
        return;
    (void)snprintf(seals->path, sizeof(seals->path), "%s", path);
    if (!load_key(path, &seals->key))
        log_error(
            "no seals are made: the key file %s cannot be read: %s. Make one with: punktd init-audit %s",
            path, errno != 0 ? strerror(errno) : "it is damaged", path);
    else if (was_used(seals->service, &seals->key))
        log_error(
            "no seals are made: the key in %s has made seals before, so it came back from a backup. Remove it and "
            "begin anew with: punktd init-audit %s",
            path, path);
    else
        seals->keyed = true;
}

enum punkt_status seals_open(struct service *service, struct failure *failure)
{
    struct seals *seals = OPENSSL_secure_zalloc(sizeof(*seals));
    if (seals == NULL) {
        failure_set(failure, "no memory for the key of seals");
        return PUNKT_NO_MEMORY;
    }
    service->seals = seals;
    seals->service = service;
    errno = 0;
    open_key(seals);
    struct seal_record newest;
    seals->due = ledger_now(service->ledger) + SEAL_US;
    if (fold_seal(ledger_fold(service->ledger), &newest)) {
        seals->due = newest.time + SEAL_US;
        seals->sealed = newest.position;
    }
    return PUNKT_OK;
}

void seals_free(struct service *service)
{
    OPENSSL_secure_clear_free(service->seals, sizeof(*service->seals));
    service->seals = NULL;
}

/* --- a seal --- */

static enum job_step seal_run(struct ledger_job *job, struct reading *reading)
{
    struct seals *seals = (struct seals *)(void *)job; /* its first member */
    struct event *event = &seals->event;
    uint8_t message[SEAL_MESSAGE_SIZE];
    (void)reading;
    memcpy(event->seal.lineage, seals->key.lineage, sizeof(event->seal.lineage));
    event->seal.key_number = seals->key.number;
    seal_message(ledger_id(seals->service->ledger), event, message);
    struct seal_key next = seals->key;
    seals->failed = !seal_mac(seals->key.key, message, event->seal.mac) || !seal_next_key(&next) ||
                    !store_key(seals->path, &next);
    if (!seals->failed)
        seals->key = next;
    OPENSSL_cleanse(&next, sizeof(next));
    return JOB_DONE;
}

static void seal_done(struct ledger_job *job)
{
    struct seals *seals = (struct seals *)(void *)job;
    seals->busy = false;
    seals->made = !seals->failed;
    if (seals->failed)
        seals->due = ledger_now(seals->service->ledger) + RETRY_US;
    if (seals->failed && !seals->complained)
        log_error("no seal was made: the next key cannot be written to %s: %s", seals->path, strerror(errno));
    seals->complained = seals->failed;
}

static void append_seal(struct seals *seals)
{
    struct service *service = seals->service;
    seals->event.time = ledger_now(service->ledger);
    seals->event.occurred = seals->event.time;
    seals->event.day = today(service);
    append_own(service, &seals->event);
    seals->sealed = ledger_newest(service->ledger);
    seals->made = false;
}

static void say_head(const uint8_t hash[32], journal_position position)
{
    char digits[2 * 32 + 1];
    for (size_t i = 0; i < 32; i++)
        (void)snprintf(digits + 2 * i, 3, "%02x", hash[i]);
    log_info("head %s at position %llu", digits, (unsigned long long)position);
}

void seal_soon(struct service *service)
{
    service->seals->soon = true;
}

void seals_turn(struct service *service)
{
    struct seals *seals = service->seals;
    if (seals->made && ledger_has_room(service->ledger))
        append_seal(seals);
    utc_us now = ledger_now(service->ledger);
    if (seals->busy || seals->made || now < (seals->soon ? seals->last + SOON_US : seals->due))
        return;
    seals->soon = false;
    seals->last = now;
    seals->due = now + SEAL_US;
    if (ledger_newest(service->ledger) == seals->sealed)
        return; /* nothing happened since */
    seals->event = (struct event){ .type = EVENT_SEAL };
    seals->event.seal.head = ledger_head(service->ledger, seals->event.seal.head_hash);
    say_head(seals->event.seal.head_hash, seals->event.seal.head);
    if (!seals->keyed) {
        seals->sealed = ledger_newest(service->ledger);
        return;
    }
    seals->busy = true;
    seals->job = (struct ledger_job){ .run = seal_run, .done = seal_done };
    ledger_submit_work(service->ledger, &seals->job);
}
