#include "service/answers.h"

#include <stdlib.h>
#include <string.h>

#define CAPACITY_FIRST (1024u * 1024)

struct answer_head {
    journal_position wait_for;
    uint64_t conn;
    uint64_t number;
    uint32_t size;
    uint16_t type; /* 0: no answer, the connection is to be closed */
    uint16_t flags;
};

bool answers_have_room(const struct answers *answers)
{
    return answers->end - answers->begin < ANSWERS_BYTES_MAX / 2;
}

static void make_room(struct answers *answers, size_t size)
{
    if (answers->begin > 0 && answers->end + size > answers->capacity) {
        memmove(answers->bytes, answers->bytes + answers->begin, answers->end - answers->begin);
        answers->end -= answers->begin;
        answers->begin = 0;
    }
    size_t capacity = answers->capacity;
    while (answers->end + size > capacity)
        capacity = capacity == 0 ? CAPACITY_FIRST : capacity * 2;
    if (capacity == answers->capacity)
        return;
    uint8_t *bytes = realloc(answers->bytes, capacity);
    PUNKT_CHECK(bytes != NULL); /* an answer that is owed cannot be dropped */
    answers->bytes = bytes;
    answers->capacity = capacity;
}

void answers_add(struct answers *answers, journal_position wait_for, uint64_t conn, uint16_t type,
                 uint16_t flags, uint64_t number, const void *body, size_t size)
{
    struct answer_head head = { .wait_for = wait_for,
                                .conn = conn,
                                .number = number,
                                .size = (uint32_t)size,
                                .type = type,
                                .flags = flags };
    make_room(answers, sizeof(head) + size);
    memcpy(answers->bytes + answers->end, &head, sizeof(head));
    memcpy(answers->bytes + answers->end + sizeof(head), body, size);
    answers->end += sizeof(head) + size;
}

void answers_add_close(struct answers *answers, journal_position wait_for, uint64_t conn)
{
    answers_add(answers, wait_for, conn, 0, 0, 0, "", 0);
}

void answers_release(struct answers *answers, journal_position durable, const struct service_link *link)
{
    while (answers->begin < answers->end) {
        struct answer_head head;
        memcpy(&head, answers->bytes + answers->begin, sizeof(head));
        if (head.wait_for >= durable)
            return;
        if (head.type == 0)
            link->close(link->ctx, head.conn);
        else
            link->send(link->ctx, head.conn, head.type, head.flags, head.number,
                       answers->bytes + answers->begin + sizeof(head), head.size);
        answers->begin += sizeof(head) + head.size;
    }
    answers->begin = answers->end = 0;
}

bool answers_are_empty(const struct answers *answers)
{
    return answers->begin == answers->end;
}

void answers_done(struct answers *answers)
{
    free(answers->bytes);
    memset(answers, 0, sizeof(*answers));
}
