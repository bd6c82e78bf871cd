/*
 * Answers that wait for the disk, first in, first out: an answer leaves only when everything it
 * reports is durable.
 */
#pragma once

#include "base/base.h"
#include "base/units.h"
#include "service/service.h"

struct answers {
    uint8_t *bytes; /* records one behind the other: struct answer_head, body */
    size_t capacity;
    size_t begin, end; /* what waits */
};

#define ANSWERS_BYTES_MAX (64u * 1024 * 1024)

/* Room for another answer of any size; else stop taking requests. */
bool answers_have_room(const struct answers *answers);
void answers_add(struct answers *answers, journal_position wait_for, uint64_t conn, uint16_t type,
                 uint16_t flags, uint64_t number, const void *body, size_t size);
/* Closes the connection when what stands at wait_for is durable, behind the answers that were added before. */
void answers_add_close(struct answers *answers, journal_position wait_for, uint64_t conn);
/* Sends those that wait for positions below durable. */
void answers_release(struct answers *answers, journal_position durable, const struct service_link *link);
bool answers_are_empty(const struct answers *answers);
void answers_done(struct answers *answers);
