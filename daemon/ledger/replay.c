#include "ledger/replay.h"

#include <stdlib.h>
#include <string.h>

#include "ledger/event_walk.h"

enum punkt_status replay_open(struct replay *replay, struct state *state, const struct journal_head *head,
                              struct failure *failure)
{
    replay->fold = calloc(1, sizeof(*replay->fold));
    replay->memory = malloc(sizeof(*replay->memory));
    replay->head = *head;
    replay->also = NULL;
    if (replay->fold == NULL || replay->memory == NULL) {
        failure_set(failure, "no memory to replay the journal with");
        replay_close(replay);
        return PUNKT_NO_MEMORY;
    }
    struct state_mark mark = { .head = *head, .ledger_time = head->time };
    return fold_load(replay->fold, state, &mark, failure);
}

enum punkt_status replay_checkpoint(struct replay *replay, struct failure *failure)
{
    fold_store(replay->fold);
    struct state_mark mark = { .head = replay->head, .ledger_time = replay->fold->time };
    return state_checkpoint_now(replay->fold->state, &mark, failure);
}

static enum punkt_status fold_visited(void *ctx, const struct event *event, journal_position position,
                                      struct failure *failure)
{
    struct replay *replay = ctx;
    if (fold_event(replay->fold, event, position))
        return replay->also != NULL ? replay->also(replay->also_ctx, event, position, failure) : PUNKT_OK;
    failure_set(failure,
                "the event at position %llu does not fit what came before it: run punktd verify, which says "
                "whether it is the journal or state",
                (unsigned long long)position);
    return PUNKT_CORRUPT;
}

enum punkt_status replay_block(struct replay *replay, const struct journal_block *block,
                               struct failure *failure)
{
    struct state *state = replay->fold->state;
    enum punkt_status status = PUNKT_OK;
    if (state_wants_freeze(state, 0) || state_is_crowded(state))
        status = replay_checkpoint(replay, failure);
    if (status == PUNKT_OK)
        status = block_events(block, replay->memory, &replay->event, fold_visited, replay, failure);
    if (status != PUNKT_OK)
        return status;
    replay->head.position = block->position + block->size;
    memcpy(replay->head.hash, block->hash, sizeof(replay->head.hash));
    replay->head.next_sequence = replay->fold->next_sequence;
    replay->head.term = block->term;
    replay->head.time = block->time;
    return PUNKT_OK;
}

void replay_close(struct replay *replay)
{
    if (replay->fold != NULL)
        fold_done(replay->fold);
    free(replay->fold);
    free(replay->memory);
    replay->fold = NULL;
    replay->memory = NULL;
}
