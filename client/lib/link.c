#include "lib/link.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/machine.h"

#define PAUSE_FIRST_US (UINT64_C(500) * 1000)
#define PAUSE_MAX_US (UINT64_C(60) * 1000 * 1000)
#define PAUSE_DOUBLINGS_MAX 7 /* 0.5 s doubled so often is over a minute */
#define HURRY_PAUSE_US (UINT64_C(500) * 1000)
#define LOOK_UP_SLOW_US 1000
#define LOOK_UP_PAUSES 20 /* times as long as the last look-up took */
#define ATTEMPT_MIN_US (UINT64_C(250) * 1000)
#define ATTEMPT_MAX_US (UINT64_C(5) * 1000 * 1000)
#define RECEIVE_SIZE ((size_t)16 * 1024)

uint64_t link_now_us(void)
{
    return machine_now_us();
}

uint64_t link_jitter(uint64_t *random, uint64_t bound)
{
    /* splitmix64: not secret, only spread. */
    uint64_t mixed = *random += UINT64_C(0x9E3779B97F4A7C15);
    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94D049BB133111EB);
    mixed ^= mixed >> 31;
    return bound == UINT64_MAX ? mixed : mixed % (bound + 1);
}

bool link_init(struct link *link, const char *servers, uint64_t seed, const struct heap *heap)
{
    size_t size = strlen(servers) + 1;
    memset(link, 0, sizeof(*link));
    link->fd = -1;
    link->random = seed;
    link->heap = heap;
    link->in.heap = heap;
    link->out.heap = heap;
    link->servers = heap_take(heap, size);
    if (link->servers == NULL)
        return false;
    memcpy(link->servers, servers, size);
    return true;
}

void link_done(struct link *link)
{
    if (link->fd >= 0)
        machine_close(link->fd);
    link->fd = -1;
    heap_give(link->heap, link->servers);
    link->servers = NULL;
    buffer_done(&link->in);
    buffer_done(&link->out);
}

/* When the next attempt is due, judged by how many in a row have failed. */
static uint64_t next_attempt_us(struct link *link, uint64_t now_us)
{
    unsigned count = link->addresses.count > 0 ? link->addresses.count : 1;
    if (link->failures % count != 0)
        return now_us; /* not all addresses have been tried in this round */
    unsigned rounds = link->failures / count;
    if (rounds == 0)
        return now_us;
    unsigned doublings = rounds - 1 < PAUSE_DOUBLINGS_MAX ? rounds - 1 : PAUSE_DOUBLINGS_MAX;
    uint64_t pause_us = PAUSE_FIRST_US << doublings;
    return now_us + link_jitter(&link->random, pause_us < PAUSE_MAX_US ? pause_us : PAUSE_MAX_US);
}

void link_close(struct link *link, uint64_t now_us, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char why[LINK_TROUBLE_SIZE / 2];
    (void)vsnprintf(why, sizeof(why), format, arguments);
    va_end(arguments);
    const char *name = link->address_index < link->addresses.count
                           ? link->addresses.items[link->address_index].name
                           : link->servers;
    (void)snprintf(link->trouble, sizeof(link->trouble), "%.120s: %s", name, why);

    if (link->fd >= 0)
        machine_close(link->fd);
    link->fd = -1;
    link->state = LINK_DOWN;
    if (link->good)
        link->address_index = link->addresses.count;
    link->good = false;
    buffer_clear(&link->in);
    buffer_clear(&link->out);
    link->attempt_us = next_attempt_us(link, now_us);
}

/*
 * What a name leads to may have changed. While the resolver is away a look-up takes seconds, in which the caller waits: what
 * was known is used then, and the next look-up is not before many times as long.
 */
static bool look_up(struct link *link, uint64_t *now_us, const char **out_why)
{
    struct address_list found;
    uint64_t start_us = link_now_us();
    bool good = address_resolve(link->servers, &found, out_why);
    uint64_t took_us = link_now_us() - start_us;
    if (took_us >= LOOK_UP_SLOW_US)
        *now_us += took_us; /* it is no part of the attempt */
    link->look_up_us = *now_us + took_us * LOOK_UP_PAUSES;
    if (good)
        link->addresses = found;
    return link->addresses.count > 0;
}

bool link_same_server(const struct link *link, const struct link *other)
{
    const struct address *one = &link->addresses.items[link->address_index];
    const struct address *two = &other->addresses.items[other->address_index];
    return one->size == two->size && memcmp(&one->storage, &two->storage, one->size) == 0;
}

/* A server that lets the handle's other link in need not be looked for among those that do not. */
static void begin_beside(struct link *link)
{
    if (link->beside == NULL || link->beside->state != LINK_OPEN || !link->beside->good)
        return;
    while (link->address_index < link->addresses.count && !link_same_server(link, link->beside))
        link->address_index++;
    if (link->address_index == link->addresses.count)
        link->address_index = 0;
}

/* The first address of a new round. False: none is known. */
static bool begin_round(struct link *link, uint64_t *now_us)
{
    const char *why = "";
    link->address_index = 0;
    if (*now_us >= link->look_up_us && !look_up(link, now_us, &why)) {
        link->failures++;
        link_close(link, *now_us, "%s", why);
        return false;
    }
    if (link->addresses.count == 0)
        link->attempt_us = link->look_up_us;
    begin_beside(link);
    return link->addresses.count > 0;
}

uint64_t link_share_us(const struct link *link, uint64_t patience_us)
{
    uint64_t share_us = patience_us / (link->addresses.count > 0 ? link->addresses.count : 1);
    if (share_us < ATTEMPT_MIN_US)
        return ATTEMPT_MIN_US;
    return share_us < ATTEMPT_MAX_US ? share_us : ATTEMPT_MAX_US;
}

void link_try(struct link *link, uint64_t now_us, uint64_t patience_us)
{
    if (link->state != LINK_DOWN || now_us < link->attempt_us)
        return;
    link->began_us = now_us;
    if (link->addresses.count == 0 || ++link->address_index >= link->addresses.count) {
        if (!begin_round(link, &now_us))
            return;
    }
    link->failures++; /* until link_greeted says otherwise */

    link->fd = machine_connect(&link->addresses.items[link->address_index]);
    if (link->fd < 0) {
        link_close(link, now_us, "%s", strerror(errno));
        return;
    }
    link->serial++;
    link->state = LINK_CONNECTING;
    link->deadline_us = now_us + link_share_us(link, patience_us);
}

bool link_connected(struct link *link, uint64_t now_us)
{
    if (link->state != LINK_CONNECTING)
        return false;
    int error = machine_connected(link->fd);
    if (error == EINPROGRESS) {
        if (now_us >= link->deadline_us)
            link_close(link, now_us, "no connection in time");
        return false;
    }
    if (error != 0) {
        link_close(link, now_us, "%s", strerror(error));
        return false;
    }
    link->state = LINK_OPEN;
    return true;
}

void link_greeted(struct link *link)
{
    link->good = true;
    link->failures = link->addresses.count * link->greetings++;
}

void link_progress(struct link *link)
{
    link->greetings = 0;
    link->failures = 0;
}

void link_hurry(struct link *link, uint64_t now_us)
{
    if (link->state != LINK_DOWN || link->attempt_us <= now_us)
        return;
    uint64_t earliest_us = link->began_us == 0 ? now_us : link->began_us + HURRY_PAUSE_US;
    if (link->attempt_us > earliest_us)
        link->attempt_us = earliest_us;
}

bool link_receive(struct link *link, uint64_t now_us)
{
    if (!buffer_reserve(&link->in, RECEIVE_SIZE)) {
        link_close(link, now_us, "no memory for what it sends");
        return false;
    }
    ssize_t size = machine_receive(link->fd, link->in.bytes + link->in.end, link->in.capacity - link->in.end);
    if (size > 0) {
        link->in.end += (size_t)size;
        return true;
    }
    if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return true;
    link_close(link, now_us, "%s", size == 0 ? "the server closed the connection" : strerror(errno));
    return false;
}

bool link_flush(struct link *link, uint64_t now_us)
{
    while (buffer_size(&link->out) > 0) {
        ssize_t size = machine_send(link->fd, buffer_data(&link->out), buffer_size(&link->out));
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return true;
        if (size < 0) {
            link_close(link, now_us, "%s", strerror(errno));
            return false;
        }
        buffer_consume(&link->out, (size_t)size);
    }
    return true;
}
