#include "ledger/verify.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ledger/event_codec.h"
#include "ledger/fold.h"
#include "ledger/replay.h"

struct verify {
    struct journal *journal;
    struct state *scratch;
    char scratch_dir[PATH_MAX];
    struct replay replay;
    struct state_mark mark; /* what the checked state stands for */
    uint8_t digest[STATE_DIGEST_SIZE];
    journal_position until;
    struct journal_head at; /* read so far */
    bool compared;
    uint8_t head[JOURNAL_HASH_SIZE]; /* that was asked for, if report.head says so */
    struct seal_check seals;
    struct verify_report report;
};

static void durable_already(void *ctx, journal_position position)
{
    (void)ctx;
    (void)position;
}

static void head_known_already(void *ctx, struct journal_head *out_head)
{
    (void)ctx;
    (void)out_head;
}

static void wake_nobody(void *ctx)
{
    (void)ctx;
}

static void scratch_failed(void *ctx, const char *what)
{
    (void)ctx;
    fprintf(stderr, "punktd: the scratch state of a verification failed: %s\n", what);
    abort();
}

static void look_at_head(struct verify *verify, const struct journal_head *at)
{
    if (verify->report.head != VERIFY_HEAD_MISSING ||
        memcmp(at->hash, verify->head, sizeof(verify->head)) != 0)
        return;
    verify->report.head = VERIFY_HEAD_FOUND;
    verify->report.head_end = at->position;
    verify->report.head_time = at->time;
}

static enum punkt_status look_at_seal(void *ctx, const struct event *event, journal_position position,
                                      struct failure *failure)
{
    struct verify *verify = ctx;
    uint8_t hash[JOURNAL_HASH_SIZE];
    (void)position;
    if (event->type != EVENT_SEAL)
        return PUNKT_OK;
    enum punkt_status status = journal_scanned_hash(verify->journal, event->seal.head, hash, failure);
    if (status == PUNKT_OK)
        status = seal_check_event(&verify->seals, event, hash, failure);
    verify->report.seals = verify->seals.counts;
    return status == PUNKT_INVALID ? PUNKT_CORRUPT : status;
}

static void damage(struct verify *verify, const char *file, uint64_t offset, const char *detail)
{
    struct verify_report *report = &verify->report;
    report->outcome = VERIFY_DAMAGED;
    (void)snprintf(report->file, sizeof(report->file), "%.79s", file);
    report->offset = offset;
    (void)snprintf(report->detail, sizeof(report->detail), "%.255s", detail);
}

enum punkt_status verify_open(struct journal *journal, const struct verify_options *options,
                              struct verify **out_verify, struct failure *failure)
{
    struct verify *verify = calloc(1, sizeof(*verify));
    if (verify == NULL) {
        failure_set(failure, "no memory to verify with");
        return PUNKT_NO_MEMORY;
    }
    verify->journal = journal;
    verify->mark = options->mark;
    verify->until = options->until;
    memcpy(verify->digest, options->digest, STATE_DIGEST_SIZE);
    (void)snprintf(verify->scratch_dir, sizeof(verify->scratch_dir), "%s", options->scratch_dir);
    journal_beginning(journal, &verify->at);
    seal_check_begin(&verify->seals, verify->at.id, options->asked.seal_key);
    if (options->asked.head != NULL) {
        memcpy(verify->head, options->asked.head, sizeof(verify->head));
        verify->report.head = VERIFY_HEAD_MISSING;
        look_at_head(verify, &verify->at);
    }

    struct state_options scratch = { .dir = verify->scratch_dir,
                                     .map_bytes = options->map_bytes,
                                     .wait_durable = durable_already,
                                     .durable_head = head_known_already,
                                     .notify = wake_nobody,
                                     .fatal = scratch_failed };
    bool found;
    struct state_mark none;
    enum punkt_status status =
        state_erase(verify->scratch_dir, failure); /* left by a verification that was killed */
    if (status == PUNKT_OK)
        status = state_open(&scratch, &verify->scratch, &found, &none, failure);
    if (status == PUNKT_OK)
        status = replay_open(&verify->replay, verify->scratch, &verify->at, failure);
    if (status != PUNKT_OK) {
        verify_close(verify);
        return status;
    }
    verify->replay.also = look_at_seal;
    verify->replay.also_ctx = verify;
    *out_verify = verify;
    return PUNKT_OK;
}

/* The journal is folded up to where the checked state stands: the two must be one. */
static enum punkt_status compare(struct verify *verify, struct failure *failure)
{
    uint8_t digest[STATE_DIGEST_SIZE];
    struct state_mark mark;
    enum punkt_status status = replay_checkpoint(&verify->replay, failure);
    if (status != PUNKT_OK)
        return status;
    state_digest(verify->scratch, digest, &mark);
    verify->compared = true;
    bool same = memcmp(digest, verify->digest, STATE_DIGEST_SIZE) == 0;
    verify->report.outcome = same ? VERIFY_MATCHES : VERIFY_DIFFERS;
    if (!same)
        (void)snprintf(verify->report.detail, sizeof(verify->report.detail),
                       "state is not what the journal says it must be; stop the daemon and run: "
                       "punktd rebuild --data DIR");
    return PUNKT_OK;
}

enum punkt_status verify_block(void *ctx, const struct journal_block *block, struct failure *failure)
{
    struct verify *verify = ctx;
    verify->report.blocks++;
    verify->report.events += block->event_count;
    /* Behind the mark there is nothing to compare with, but events must still be known and fit. */
    enum punkt_status status = replay_block(&verify->replay, block, failure);
    if (status == PUNKT_OK)
        look_at_head(verify, &verify->replay.head);
    if (status == PUNKT_OK && !verify->compared && verify->replay.head.position == verify->mark.head.position)
        status = compare(verify, failure);
    return status;
}

enum punkt_status verify_slice(struct verify *verify, uint64_t slice_bytes, struct failure *failure)
{
    if (verify->mark.head.position == 0 && !verify->compared) {
        enum punkt_status status = compare(verify, failure);
        if (status != PUNKT_OK)
            return status;
    }
    struct journal_damage found = { .text = "" };
    enum punkt_status status = journal_scan(verify->journal, &verify->at, verify->until, slice_bytes,
                                            verify_block, verify, &found, failure);
    if (status == PUNKT_CORRUPT) {
        char file[80];
        (void)snprintf(file, sizeof(file), "journal/%s", found.file);
        damage(verify, file, found.offset, found.text[0] != '\0' ? found.text : failure->text);
        return PUNKT_OK;
    }
    if (status == PUNKT_OK && !verify->compared)
        damage(verify, "state", 0,
               "state stands for a position that is not the end of a block of the journal");
    return status;
}

const struct verify_report *verify_report(const struct verify *verify)
{
    return &verify->report;
}

void verify_close(struct verify *verify)
{
    if (verify == NULL)
        return;
    struct failure ignored;
    seal_check_end(&verify->seals);
    replay_close(&verify->replay);
    state_close(verify->scratch);
    if (state_erase(verify->scratch_dir, &ignored) == PUNKT_OK) /* else the next one erases it */
        (void)rmdir(verify->scratch_dir);
    free(verify);
}
