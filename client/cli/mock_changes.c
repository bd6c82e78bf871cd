/*
 * What the mock remembers: every change that was answered for good, in its order, and the index that finds them.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/mock_parts.h"

/* --- the index --- */

bool mock_index_get(const struct mock *mock, const char *key, uint64_t *out_value)
{
    const json_t *value = json_object_get(mock->index, key);
    if (value != NULL)
        *out_value = (uint64_t)json_integer_value(value);
    return value != NULL;
}

void mock_index_set(struct mock *mock, const char *key, uint64_t value)
{
    (void)json_object_set_new(mock->index, key, json_integer((json_int_t)value));
}

const char *mock_name(char letter, uint64_t epoch, uint64_t number, char out[MOCK_NAME_SIZE])
{
    (void)snprintf(out, MOCK_NAME_SIZE, "%c:%016" PRIx64 ":%" PRIu64, letter, epoch, number);
    return out;
}

struct mock_change *mock_change_at(const struct mock *mock, uint64_t position)
{
    return position > 0 && position <= mock->change_count ? mock->changes[position - 1] : NULL;
}

struct mock_change *mock_change_named(const struct mock *mock, uint64_t epoch, uint64_t number)
{
    char name[MOCK_NAME_SIZE];
    uint64_t position = 0;
    (void)mock_index_get(mock, mock_name('c', epoch, number, name), &position);
    return mock_change_at(mock, position);
}

uint64_t mock_lane_highest(const struct mock *mock, uint64_t epoch)
{
    char name[MOCK_NAME_SIZE];
    uint64_t highest = 0;
    (void)mock_index_get(mock, mock_name('l', epoch, 0, name), &highest);
    return highest;
}

void mock_lane_move(struct mock *mock, uint64_t epoch, uint64_t highest)
{
    char name[MOCK_NAME_SIZE];
    if (highest > mock_lane_highest(mock, epoch))
        mock_index_set(mock, mock_name('l', epoch, 0, name), highest);
}

/* --- what is remembered --- */

void mock_change_free(struct mock_change *change)
{
    free(change->body);
    free(change->answer);
    free(change->card);
    free(change->made.document);
    free(change->made.lines);
    free(change);
}

/* A place at the end, for a change that is not there yet; NULL: no memory. */
struct mock_change *mock_change_new(struct mock *mock)
{
    if (mock->change_count == mock->change_capacity) {
        size_t capacity = mock->change_capacity * 2 + 64;
        struct mock_change **more = realloc(mock->changes, capacity * sizeof(struct mock_change *));
        if (more == NULL)
            return NULL;
        mock->changes = more;
        mock->change_capacity = capacity;
    }
    struct mock_change *change = calloc(1, sizeof(*change));
    if (change != NULL)
        change->position = mock->change_count + 1;
    return change;
}

void mock_change_add(struct mock *mock, struct mock_change *change)
{
    char name[MOCK_NAME_SIZE];
    mock->changes[mock->change_count++] = change;
    if (change->epoch == 0)
        return;
    mock_index_set(mock, mock_name('c', change->epoch, change->number, name), change->position);
    mock_lane_move(mock, change->epoch, change->number);
}

uint8_t *mock_copy(const void *bytes, size_t size)
{
    uint8_t *copy = malloc(size + 1);
    if (copy != NULL && size > 0)
        memcpy(copy, bytes, size);
    return copy;
}

void mock_change_read(struct mock *mock, const struct mock_change *change, union mock_message *out)
{
    struct message_memory memory = { mock->more_lists, MOCK_LISTS_SIZE };
    const char *field;
    /* It was decoded before. */
    (void)message_decode(change->row->request, change->body, change->body_size, &memory, out, &field);
}

static void card_apply(struct mock *mock, const struct mock_card *card)
{
    struct mock_account *account = mock_account(mock, &card->number, true);
    if (account == NULL)
        return;
    bool unknown = card->has_status && card->status == MOCK_CARD_UNKNOWN;
    if (card->has_balance || unknown) /* a card that is not known has nothing */
        account->free = card->balance;
    if (card->has_status)
        account->status = (enum mock_card_status)card->status;
    if (card->has_tier)
        account->tier = card->tier;
    if (card->has_expiry) {
        account->expiry_day = card->expiry_day;
        account->expiry_points = card->expiry_points;
    }
}

bool mock_card_set(struct mock *mock, const struct mock_card *card)
{
    struct mock_change *change = mock_change_new(mock);
    if (change == NULL)
        return false;
    change->card = malloc(sizeof(*change->card));
    if (change->card == NULL) {
        mock_change_free(change);
        return false;
    }
    *change->card = *card;
    mock_change_add(mock, change);
    card_apply(mock, card);
    return true;
}

/* Does again what a change did, with what is known by now of those before it. */
static void change_again(struct mock *mock, struct mock_change *change)
{
    struct message_memory memory = { mock->lists, MOCK_LISTS_SIZE };
    const char *field;
    free(change->made.document);
    free(change->made.lines);
    change->made =
        (struct mock_made){ .booked = change->forced && (change->answer_type & FRAME_TYPE_DONE) != 0 };
    if (change->card != NULL) {
        card_apply(mock, change->card);
    } else if (!change->forced && change->first == 0) {
        mock->now_us = change->time_us;
        if (message_decode(change->row->request, change->body, change->body_size, &memory, &mock->message,
                           &field))
            (void)mock_decide(mock, change);
    }
}

void mock_lose(struct mock *mock, uint64_t count)
{
    size_t left = mock->change_count;
    while (left > 0 && count > 0) {
        left--;
        count -= mock->changes[left]->made.booked && count != MOCK_EVERYTHING;
    }
    size_t all = mock->change_count;
    mock->change_count = 0;
    json_object_clear(mock->index);
    for (size_t i = 0; i < mock->account_count; i++)
        free(mock->accounts[i]);
    mock->account_count = 0;
    mock->open_holds = 0;
    for (size_t i = 0; i < left; i++) {
        change_again(mock, mock->changes[i]);
        mock_change_add(mock, mock->changes[i]);
    }
    for (size_t i = left; i < all; i++)
        mock_change_free(mock->changes[i]);
}
