#include "ledger/replay.h"

#include <stdlib.h>
#include <string.h>

#include "ledger/journal_format.h"
#include "proto/wire.h"

enum punkt_status replay_open(struct replay *replay, struct state *state, const struct journal_head *head,
                              struct failure *failure)
{
    replay->fold = malloc(sizeof(*replay->fold));
    replay->memory = malloc(sizeof(*replay->memory));
    replay->head = *head;
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

enum punkt_status replay_block(struct replay *replay, const struct journal_block *block,
                               struct failure *failure)
{
    struct state *state = replay->fold->state;
    if (state_wants_freeze(state, 0) || state_is_crowded(state)) {
        enum punkt_status status = replay_checkpoint(replay, failure);
        if (status != PUNKT_OK)
            return status;
    }
    struct wire_reader reader = wire_reader_over(block->events, block->events_size);
    for (uint32_t i = 0; i < block->event_count; i++) {
        journal_position position =
            block->position + BLOCK_HEADER_SIZE + (uint64_t)(reader.at - block->events);
        uint32_t size = wire_read_u32(&reader);
        (void)wire_read_u32(&reader); /* its checksum: the block's hash says more */
        const uint8_t *bytes = size >= JOURNAL_EVENT_HEADER_SIZE
                                   ? wire_read_bytes(&reader, size - JOURNAL_EVENT_HEADER_SIZE)
                                   : NULL;
        if (bytes == NULL ||
            !event_decode(bytes, size - JOURNAL_EVENT_HEADER_SIZE, replay->memory, &replay->event) ||
            !fold_event(replay->fold, &replay->event, position)) {
            failure_set(failure, "the event at position %llu of the journal does not fit what came before it",
                        (unsigned long long)position);
            return PUNKT_CORRUPT;
        }
    }
    replay->head.position = block->position + block->size;
    memcpy(replay->head.hash, block->hash, sizeof(replay->head.hash));
    replay->head.next_sequence = replay->fold->next_sequence;
    replay->head.term = block->term;
    replay->head.time = block->time;
    return PUNKT_OK;
}

void replay_close(struct replay *replay)
{
    free(replay->fold);
    free(replay->memory);
    replay->fold = NULL;
    replay->memory = NULL;
}
