/*
 * What is done to the files of a ledger that is not running: rebuild and verification.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ledger/ledger_internal.h"

/* Moves a state folder; the move is on disk when this returns. The target is empty or not there. */
static enum punkt_status move_state(const char *dir, const char *from, const char *to,
                                    struct failure *failure)
{
    if (rename(from, to) != 0) {
        if (errno == ENOENT)
            return PUNKT_NOT_FOUND;
        failure_set(failure, "cannot move %s to %s: %s", from, to, strerror(errno));
        return PUNKT_IO;
    }
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool synced = fd >= 0 && fsync(fd) == 0;
    if (!synced)
        failure_set(failure, "cannot sync %s: %s", dir, strerror(errno));
    if (fd >= 0)
        (void)close(fd);
    return synced ? PUNKT_OK : PUNKT_IO;
}

/* A rebuild that did not come to its end leaves the state that was there before it. */
enum punkt_status ledger_restore_state(const struct ledger *ledger, struct failure *failure)
{
    enum punkt_status status = state_erase(ledger->paths.discarded, failure);
    if (status != PUNKT_OK)
        return status;
    (void)rmdir(ledger->paths.discarded); /* mostly not there */
    if (access(ledger->paths.aside, F_OK) != 0)
        return PUNKT_OK;
    status = state_erase(ledger->paths.state, failure);
    if (status == PUNKT_OK)
        status = move_state(ledger->options.dir, ledger->paths.aside, ledger->paths.state, failure);
    return status;
}

/* The journal was cut below what the old state stood for: a new term begins, and says so. */
static enum punkt_status begin_term(struct ledger *ledger, const struct state_mark *old,
                                    struct failure *failure)
{
    ledger->term = u64_max(ledger->term, old->head.term) + 1;
    enum punkt_status status = ledger_start_threads(ledger, failure);
    if (status != PUNKT_OK)
        return status;
    ledger_start_clock(ledger);
    struct event event = { .type = EVENT_TERM,
                           .time = ledger_now(ledger),
                           .term = { .old_term = old->head.term,
                                     .new_term = ledger->term,
                                     .old_position = old->head.position,
                                     .who = TEXT_LITERAL("punktd rebuild"),
                                     .why = TEXT_LITERAL("the journal ends before what state stood for") } };
    event.occurred = event.time;
    memcpy(event.term.old_hash, old->head.hash, sizeof(event.term.old_hash));
    (void)ledger_reserve(ledger);
    ledger_append(ledger, &event);
    return PUNKT_OK;
}

/* The new state is whole: from the rename on, it is the state. */
static enum punkt_status rebuild_finish(struct ledger *ledger, struct failure *failure)
{
    struct ledger_paths paths = ledger->paths;
    const char *dir = ledger->options.dir;
    enum punkt_status status = ledger_close(ledger, failure);
    if (status != PUNKT_OK)
        return status;
    status = move_state(dir, paths.aside, paths.discarded, failure);
    if (status == PUNKT_NOT_FOUND)
        return PUNKT_OK; /* there was no old state */
    if (status == PUNKT_OK)
        status = state_erase(paths.discarded, failure);
    (void)rmdir(paths.discarded); /* or the next start does it */
    return status;
}

enum punkt_status ledger_rebuild(const struct ledger_options *options, struct ledger_recovery *out_recovery,
                                 struct failure *failure)
{
    struct ledger *ledger = ledger_new(options);
    if (ledger == NULL) {
        failure_set(failure, "no memory for the ledger");
        return PUNKT_NO_MEMORY;
    }
    memset(out_recovery, 0, sizeof(*out_recovery));
    struct state_mark old, mark;
    struct failure ignored;
    bool found = false, had_old = false;
    enum punkt_status status = ledger_paths_of(options->dir, &ledger->paths, failure);
    if (status == PUNKT_OK)
        status = ledger_open_journal(ledger, false, failure);
    if (status == PUNKT_OK)
        status = ledger_restore_state(ledger, failure);
    if (status != PUNKT_OK) {
        ledger_drop(ledger);
        return status;
    }
    /* What the old state stood for is worth knowing, if it can still be read. */
    if (ledger_open_state(ledger, &had_old, &old, &ignored) != PUNKT_OK)
        had_old = false;
    state_close(ledger->state);
    ledger->state = NULL;
    /* It also knows whether the journal's end may be torn: it is given up only for a whole new one. */
    status = move_state(options->dir, ledger->paths.state, ledger->paths.aside, failure);
    if (status == PUNKT_OK || status == PUNKT_NOT_FOUND)
        status = ledger_open_state(ledger, &found, &mark, failure);
    if (status != PUNKT_OK)
        goto out;
    bool cut = had_old && memcmp(old.head.id, mark.head.id, sizeof(mark.head.id)) == 0;
    mark.clean = cut && old.clean;
    status = ledger_recover(ledger, &mark, out_recovery, failure);
    cut = cut && out_recovery->position < old.head.position;
    if (status == PUNKT_OK)
        status = cut ? begin_term(ledger, &old, failure) : ledger_start_threads(ledger, failure);
    if (status == PUNKT_OK) {
        out_recovery->position = journal_next(ledger->journal);
        return rebuild_finish(ledger, failure);
    }
out:
    state_close(ledger->state);
    ledger->state = NULL;
    if (ledger_restore_state(ledger, &ignored) != PUNKT_OK)
        failure_set(failure, "%s, and the old state is still in %s: move it back", ignored.text,
                    ledger->paths.aside);
    ledger_drop(ledger);
    return status;
}

static void damaged(struct verify_report *report, const char *file, const char *detail)
{
    report->outcome = VERIFY_DAMAGED;
    report->offset = 0;
    (void)snprintf(report->file, sizeof(report->file), "%s", file);
    (void)snprintf(report->detail, sizeof(report->detail), "%.255s", detail);
}

/* What stands behind the last checkpoint: read as the next start will, without touching it. */
static enum punkt_status verify_tail(struct ledger *ledger, const struct state_mark *mark,
                                     struct verify *verify, struct verify_report *report,
                                     struct failure *failure)
{
    struct journal_head end;
    enum punkt_status status =
        journal_recover(ledger->journal, &mark->head, !mark->clean, verify_block, verify, &end, failure);
    *report = *verify_report(verify);
    if (status != PUNKT_CORRUPT)
        return status;
    damaged(report, "journal", failure->text);
    return PUNKT_OK;
}

/* Of a journal that was written anew no seal may be left. */
static void verify_seals(const struct verify_asked *asked, struct verify_report *report)
{
    if (asked->seal_key != NULL && report->seals.genuine == 0)
        damaged(report, "journal",
                "no seal was made with this key or a later one: the journal was rewritten, or the key is of "
                "another ledger");
}

/* The digest that was kept along the way must also be that of the records as they lie there. */
static void verify_records(struct ledger *ledger, const uint8_t digest[STATE_DIGEST_SIZE],
                           struct verify_report *report)
{
    uint8_t recomputed[STATE_DIGEST_SIZE];
    struct failure failure = { .text = "the records do not have the digest they were written with" };
    if (state_digest_recompute(ledger->state, recomputed, &failure) == PUNKT_OK &&
        memcmp(recomputed, digest, STATE_DIGEST_SIZE) == 0)
        return;
    damaged(report, "state/data.mdb", failure.text);
}

enum punkt_status ledger_verify_files(const struct ledger_options *options, const struct verify_asked *asked,
                                      struct verify_report *out_report, struct failure *failure)
{
    struct ledger *ledger = ledger_new(options);
    if (ledger == NULL) {
        failure_set(failure, "no memory for the ledger");
        return PUNKT_NO_MEMORY;
    }
    struct state_mark mark, written;
    uint8_t digest[STATE_DIGEST_SIZE];
    struct verify *verify = NULL;
    bool found = false;
    enum punkt_status status = ledger_paths_of(options->dir, &ledger->paths, failure);
    if (status == PUNKT_OK)
        status = ledger_open_journal(ledger, true, failure);
    if (status == PUNKT_OK)
        status = ledger_open_state(ledger, &found, &mark, failure);
    if (status == PUNKT_OK) {
        state_digest(ledger->state, digest, &written);
        struct verify_options checked = ledger_verify_options(ledger, digest, &mark);
        checked.until = mark.head.position;
        checked.asked = *asked;
        status = verify_open(ledger->journal, &checked, &verify, failure);
    }
    if (status == PUNKT_OK)
        status = verify_slice(verify, 0, failure);
    if (status == PUNKT_OK) {
        *out_report = *verify_report(verify);
        if (out_report->outcome == VERIFY_MATCHES)
            verify_records(ledger, digest, out_report);
        if (out_report->outcome == VERIFY_MATCHES)
            status = verify_tail(ledger, &mark, verify, out_report, failure);
        if (status == PUNKT_OK && out_report->outcome == VERIFY_MATCHES)
            verify_seals(asked, out_report);
    }
    verify_close(verify);
    ledger_drop(ledger);
    return status;
}
