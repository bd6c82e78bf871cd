/*
 * What is read back for a request: events of the journal, decoded, a few at a time. Their bytes are copied, so that
 * what is appended meanwhile does not move them.
 */
#include <stdlib.h>
#include <string.h>

#include "service/internal.h"

static struct fetched *find(struct service *service, journal_position position)
{
    for (uint32_t i = 0; i < service->fetched_count; i++) {
        if (service->fetched[i].position == position)
            return &service->fetched[i];
    }
    return NULL;
}

bool fetched_event(struct request *request, journal_position position, const struct event **out)
{
    struct fetched *fetched = find(request->service, position);
    if (fetched == NULL) {
        request->fetch = position;
        return false;
    }
    *out = fetched->readable ? &fetched->event : NULL;
    return true;
}

struct text fetched_bytes(struct service *service, journal_position position)
{
    const struct fetched *fetched = find(service, position);
    PUNKT_CHECK(fetched != NULL && fetched->readable);
    return (struct text){ (const char *)fetched->bytes, fetched->size };
}

void fetched_clear(struct service *service)
{
    service->fetched_count = 0;
}

void fetched_take(struct service *service, journal_position position, const uint8_t *bytes, size_t size)
{
    PUNKT_CHECK(service->fetched_count < FETCHED_MAX);
    struct fetched *fetched = &service->fetched[service->fetched_count++];
    fetched->position = position;
    fetched->readable = false;
    if (bytes == NULL)
        return;
    if (fetched->capacity < size) {
        uint8_t *grown = realloc(fetched->bytes, size);
        if (grown == NULL)
            return;
        fetched->bytes = grown;
        fetched->capacity = size;
    }
    memcpy(fetched->bytes, bytes, size);
    fetched->size = size;
    fetched->readable = event_decode(fetched->bytes, size, &fetched->memory, &fetched->event);
}

void fetched_free(struct service *service)
{
    for (uint32_t i = 0; service->fetched != NULL && i < FETCHED_MAX; i++)
        free(service->fetched[i].bytes);
    free(service->fetched);
}
