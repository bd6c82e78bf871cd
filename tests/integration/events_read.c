#include "events_read.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "ledger/event_codec.h"
#include "ledger/event_walk.h"
#include "ledger/journal.h"

struct reader {
    struct event_memory memory;
    struct event event;
    void (*visit)(void *ctx, const struct event *event);
    void *ctx;
};

static enum punkt_status on_event(void *ctx, const struct event *event, journal_position position,
                                  struct failure *failure)
{
    const struct reader *reader = ctx;
    (void)position;
    (void)failure;
    reader->visit(reader->ctx, event);
    return PUNKT_OK;
}

static enum punkt_status on_block(void *ctx, const struct journal_block *block, struct failure *failure)
{
    struct reader *reader = ctx;
    return block_events(block, &reader->memory, &reader->event, on_event, reader, failure);
}

static void wake_nobody(void *ctx)
{
    (void)ctx;
}

static void storage_failed(void *ctx, const char *what)
{
    (void)ctx;
    fail_msg("%s", what);
}

void events_read(const struct world *world, void (*visit)(void *ctx, const struct event *event), void *ctx)
{
    char folder[PATH_MAX];
    struct failure failure = { .text = "" };
    struct journal *journal = NULL;
    struct journal_head from, end;
    struct reader *reader = calloc(1, sizeof(*reader));
    assert_non_null(reader);
    assert_int_equal(world_pid(world), 0);
    reader->visit = visit;
    reader->ctx = ctx;
    (void)snprintf(folder, sizeof(folder), "%s/journal", world_data(world));
    struct journal_options options = {
        .dir = folder, .read_only = true, .notify = wake_nobody, .fatal = storage_failed
    };
    if (journal_open(&options, &journal, &failure) != PUNKT_OK)
        fail_msg("%s", failure.text);
    journal_beginning(journal, &from);
    if (journal_recover(journal, &from, false, on_block, reader, &end, &failure) != PUNKT_OK)
        fail_msg("%s", failure.text);
    journal_close(journal);
    free(reader);
}
