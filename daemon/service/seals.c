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
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "base/log.h"
#include "ledger/fold.h"
#include "ledger/seal_check.h"
#include "service/internal.h"

#define SEAL_US (15 * 60 * US_PER_SECOND)
#define RETRY_US (60 * US_PER_SECOND)
#define SOON_US (10 * US_PER_SECOND) /* tills that close their day together share a seal */
#define SEAL_PATH_MAX 1024

struct seals {
    struct ledger_job job; /* first */
    struct service *service;
    bool keyed;      /* false: heads go to the log only */
    bool busy;       /* the worker has it */
    bool made;       /* the event is to be appended */
    bool complained; /* the key could not be moved on, and the log says so */
    int error;       /* why not: errno; 0: it was */
    bool soon;
    journal_position closed; /* of `soon`: the event that must be durable, to be sealed */
    utc_us due, last, said;  /* last: one was made; said: a head was logged */
    utc_us seen;             /* when the turn before was */
    bool all; /* nothing was booked up to `sealed` that no seal, or no head in the log, stands for */
    journal_position sealed;
    struct seal_key key; /* of the next seal */
    struct event event;
    char path[SEAL_PATH_MAX + 8];
};

/* --- the file --- */

/* Each answers errno, or 0. */
static int sync_folder(const char *path)
{
    char folder[SEAL_PATH_MAX + 8];
    (void)snprintf(folder, sizeof(folder), "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash == NULL)
        (void)snprintf(folder, sizeof(folder), ".");
    else
        slash[slash == folder ? 1 : 0] = '\0';
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return errno;
    int error = fsync(fd) == 0 ? 0 : errno;
    (void)close(fd);
    return error;
}

/* A new file, whole and on the disk, or none. */
static int write_key(const char *path, const struct seal_key *key)
{
    char text[SEAL_KEY_TEXT_MAX];
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno;
    size_t size = seal_key_write(key, text);
    ssize_t written = write(fd, text, size);
    int error = written == (ssize_t)size ? 0 : written < 0 ? errno : ENOSPC;
    OPENSSL_cleanse(text, sizeof(text));
    if (error == 0 && fsync(fd) != 0)
        error = errno;
    if (close(fd) != 0 && error == 0)
        error = errno;
    if (error != 0)
        (void)unlink(path);
    return error;
}

/* By rename: the file is the old key or the new one. */
static int store_key(const char *path, const struct seal_key *key)
{
    char beside[SEAL_PATH_MAX + 16];
    (void)snprintf(beside, sizeof(beside), "%s.new", path);
    (void)unlink(beside); /* of a crash */
    int error = write_key(beside, key);
    if (error == 0 && rename(beside, path) != 0)
        error = errno;
    return error == 0 ? sync_folder(path) : error;
}

enum punkt_status service_init_audit(const char *path, char out_text[SERVICE_SEAL_TEXT_MAX],
                                     struct failure *failure)
{
    struct seal_key key = { .number = 0 };
    static_assert(SERVICE_SEAL_TEXT_MAX > SEAL_KEY_TEXT_MAX, "and its end");
    bool random =
        RAND_bytes(key.lineage, sizeof(key.lineage)) == 1 && RAND_priv_bytes(key.key, sizeof(key.key)) == 1;
    int error = random ? write_key(path, &key) : 0;
    if (random && error == 0)
        error = sync_folder(path);
    if (random && error == 0)
        out_text[seal_key_write(&key, out_text)] = '\0';
    OPENSSL_cleanse(&key, sizeof(key));
    if (random && error == 0)
        return PUNKT_OK;
    failure_set(failure, "the key file %s cannot be made: %s", path,
                random ? strerror(error) : "no random numbers");
    return error == EEXIST ? PUNKT_BUSY : PUNKT_IO;
}

/* NULL, or why not. */
static const char *load_key(const char *path, struct seal_key *out)
{
    char text[SEAL_KEY_TEXT_MAX + 1];
    struct stat about;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return strerror(errno);
    const char *wrong = NULL;
    ssize_t size = read(fd, text, sizeof(text));
    if (size < 0 || fstat(fd, &about) != 0)
        wrong = strerror(errno);
    else if ((about.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        wrong = "others than its owner may use it";
    else if (!seal_key_read((struct text){ text, (size_t)size }, out))
        wrong = "it is no key, or damaged";
    (void)close(fd);
    OPENSSL_cleanse(text, sizeof(text));
    return wrong;
}

/* --- opening --- */

/*
 * NULL, or why it may not go on. A key that made the newest seal or an earlier one came back from a copy: what it seals now proves
 * nothing. One that is far ahead has made seals that the journal does not have: the auditor could never tell that from a forgery.
 */
static const char *why_unfit(struct service *service, const struct seal_key *key)
{
    struct seal_record newest;
    if (!fold_seal(ledger_fold(service->ledger), &newest) ||
        memcmp(newest.lineage, key->lineage, sizeof(key->lineage)) != 0)
        return NULL;
    if (key->number <= newest.key_number)
        return "it has made seals before, so it came back from a copy";
    if (key->number - newest.key_number > 1 + SEAL_MISSING_MAX)
        return "it has made seals that the journal does not have, so a copy of that was put back";
    return NULL;
}

static void open_key(struct seals *seals)
{
    const char *path = seals->service->options.seal_key;
    if (path == NULL)
        return;
    (void)snprintf(seals->path, sizeof(seals->path), "%s", path);
    const char *wrong = load_key(path, &seals->key);
    if (wrong != NULL)
        log_error(
            "no seals are made: the key file %s cannot be used: %s. A new one is made by: punktd init-audit %s",
            path, wrong, path);
    else if ((wrong = why_unfit(seals->service, &seals->key)) != NULL)
        log_error(
            "no seals are made: the key in %s is refused: %s. Move it away and begin anew with: punktd init-audit %s",
            path, wrong, path);
    else
        seals->keyed = true;
    if (!seals->keyed)
        OPENSSL_cleanse(&seals->key, sizeof(seals->key));
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
    open_key(seals);
    struct seal_record newest;
    bool sealed = fold_seal(ledger_fold(service->ledger), &newest);
    seals->due = (sealed ? newest.time : ledger_now(service->ledger)) + SEAL_US;
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
    bool made = seal_mac(seals->key.key, message, event->seal.mac) && seal_next_key(&next);
    seals->error = made ? store_key(seals->path, &next) : ENOMEM;
    if (seals->error == 0)
        seals->key = next;
    OPENSSL_cleanse(&next, sizeof(next));
    return JOB_DONE;
}

static void seal_done(struct ledger_job *job)
{
    struct seals *seals = (struct seals *)(void *)job;
    seals->busy = false;
    seals->made = seals->error == 0;
    if (seals->error != 0)
        seals->due = ledger_now(seals->service->ledger) + RETRY_US;
    if (seals->error != 0 && !seals->complained)
        log_error("no seal was made: the next key cannot be written to %s: %s", seals->path,
                  strerror(seals->error));
    if (seals->error == 0 && seals->complained)
        log_info("seals are made again");
    seals->complained = seals->error != 0;
}

/* Whether this head stands for all that was booked; else what came meanwhile waits for the next. */
static bool is_all(const struct service *service, journal_position head)
{
    return ledger_newest(service->ledger) < head;
}

static void append_seal(struct seals *seals)
{
    struct service *service = seals->service;
    seals->event.time = ledger_now(service->ledger);
    seals->event.occurred = seals->event.time;
    seals->event.day = today(service);
    seals->all = is_all(service, seals->event.seal.head);
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
    service->seals->closed = ledger_newest(service->ledger);
}

/* Whether it is time, for a quarter of an hour or for a day that was closed and is in the head now. */
static bool is_due(struct seals *seals, utc_us now)
{
    if (now < seals->seen) { /* somebody had the clock accepted, and time went back */
        seals->last = seals->said = 0;
        seals->due = now;
    }
    seals->seen = now;
    bool closed = seals->soon && ledger_durable(seals->service->ledger) > seals->closed;
    if (now < seals->due && !(closed && now >= seals->last + SOON_US))
        return false;
    seals->soon = seals->soon && !closed;
    return true;
}

bool seals_have_work(const struct service *service)
{
    return service->seals->busy || service->seals->made;
}

void seals_turn(struct service *service)
{
    struct seals *seals = service->seals;
    if (seals->made && ledger_has_room(service->ledger))
        append_seal(seals);
    utc_us now = ledger_now(service->ledger);
    if (seals_have_work(service) || !is_due(seals, now))
        return;
    seals->due = now + SEAL_US;
    if (seals->all && ledger_newest(service->ledger) == seals->sealed)
        return; /* nothing happened since */
    seals->last = now;
    seals->event = (struct event){ .type = EVENT_SEAL };
    seals->event.seal.head = ledger_head(service->ledger, seals->event.seal.head_hash);
    if (!seals->complained || now - seals->said >= SEAL_US) {
        say_head(seals->event.seal.head_hash, seals->event.seal.head);
        seals->said = now;
    }
    if (!seals->keyed) {
        seals->all = is_all(service, seals->event.seal.head);
        seals->sealed = ledger_newest(service->ledger);
        return;
    }
    seals->busy = true;
    seals->job = (struct ledger_job){ .run = seal_run, .done = seal_done };
    ledger_submit_work(service->ledger, &seals->job);
}
