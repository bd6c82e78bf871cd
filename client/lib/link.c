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

static void drop_socket(struct link *link)
{
    tls_free(link->tls);
    link->tls = NULL;
    if (link->fd >= 0)
        machine_close(link->fd);
    link->fd = -1;
}

void link_done(struct link *link)
{
    drop_socket(link);
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
    char why[LINK_TROUBLE_SIZE - 90]; /* the rest is the server's name */
    (void)vsnprintf(why, sizeof(why), format, arguments);
    va_end(arguments);
    const char *name = link->address_index < link->addresses.count
                           ? link->addresses.items[link->address_index].name
                           : link->servers;
    (void)snprintf(link->trouble, sizeof(link->trouble), "%.80s: %s", name, why);

    link->refused = link->tls != NULL && tls_refused(link->tls);
    drop_socket(link);
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
    link->share_us = link_share_us(link, patience_us);
    link->deadline_us = now_us + link->share_us;
}

/* As errno: 0, EINPROGRESS, or why not; the words are another's if it is EPROTO. */
static int connect_more(struct link *link, uint64_t now_us)
{
    if (link->tls == NULL) {
        int error = machine_connected(link->fd);
        if (error != 0 || link->context == NULL)
            return error;
        link->tls = tls_new(link->context, link->fd, link->addresses.items[link->address_index].name);
        if (link->tls == NULL)
            return ENOMEM;
        link->deadline_us = now_us + link->share_us;
    }
    switch (tls_shake(link->tls)) {
    case TLS_DONE:
        return 0;
    case TLS_BLOCKED:
        return EINPROGRESS;
    case TLS_ENDED:
    case TLS_FAILED:
        break;
    }
    return EPROTO;
}

bool link_connected(struct link *link, uint64_t now_us)
{
    if (link->state != LINK_CONNECTING)
        return false;
    int error = connect_more(link, now_us);
    if (error == EINPROGRESS) {
        if (now_us >= link->deadline_us)
            link_close(link, now_us, "no %s in time", link->tls != NULL ? "TLS handshake" : "connection");
        return false;
    }
    if (error != 0) {
        link_close(link, now_us, "%s", link->tls != NULL ? tls_trouble(link->tls) : strerror(error));
        return false;
    }
    link->state = LINK_OPEN;
    return true;
}

bool link_wants_write(const struct link *link)
{
    return link->tls != NULL ? tls_wants_write(link->tls) : link->state == LINK_CONNECTING;
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

/* What else a loss may mean before the server has let us in: in TLS 1.3 it judges our certificate after our handshake is done,
 * and to plain bytes a TLS server says nothing at all. */
static const char *loss_hint(const struct link *link)
{
    if (link->good)
        return "";
    if (link->tls == NULL)
        return ", perhaps because it wants TLS: with an identity";
    return tls_refused(link->tls) ? "" : ", perhaps because it does not accept our key";
}

/* One transfer. False: the link went down. *out_size 0: the socket has no more for now, or takes no more. */
static bool receive_some(struct link *link, void *bytes, size_t size, uint64_t now_us, size_t *out_size)
{
    const char *why = "the server closed the connection";
    *out_size = 0;
    if (link->tls != NULL) {
        enum tls_result result = tls_receive(link->tls, bytes, size, out_size);
        if (result == TLS_DONE || result == TLS_BLOCKED)
            return true;
        why = tls_trouble(link->tls);
    } else {
        ssize_t got = machine_receive(link->fd, bytes, size);
        *out_size = got > 0 ? (size_t)got : 0;
        if (got > 0 || (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)))
            return true;
        if (got < 0)
            why = strerror(errno);
    }
    link_close(link, now_us, "%s%s", why, loss_hint(link));
    return false;
}

/* What TLS has decrypted is taken whole: no poll of the socket would tell of the rest. */
bool link_receive(struct link *link, uint64_t now_us)
{
    size_t got;
    do {
        if (!buffer_reserve(&link->in, RECEIVE_SIZE)) {
            link_close(link, now_us, "no memory for what it sends");
            return false;
        }
        if (!receive_some(link, link->in.bytes + link->in.end, link->in.capacity - link->in.end, now_us,
                          &got))
            return false;
        link->in.end += got;
    } while (got > 0 && link->tls != NULL && tls_pending(link->tls));
    return true;
}

static bool send_some(struct link *link, uint64_t now_us, size_t *out_size)
{
    const char *why;
    *out_size = 0;
    if (link->tls != NULL) {
        enum tls_result result =
            tls_send(link->tls, buffer_data(&link->out), buffer_size(&link->out), out_size);
        if (result == TLS_DONE || result == TLS_BLOCKED)
            return true;
        why = tls_trouble(link->tls);
    } else {
        ssize_t sent;
        do
            sent = machine_send(link->fd, buffer_data(&link->out), buffer_size(&link->out));
        while (sent < 0 && errno == EINTR);
        *out_size = sent > 0 ? (size_t)sent : 0;
        if (sent > 0 || (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)))
            return true;
        why = strerror(errno);
    }
    link_close(link, now_us, "%s", why);
    return false;
}

bool link_flush(struct link *link, uint64_t now_us)
{
    size_t sent = 1;
    while (sent > 0 && buffer_size(&link->out) > 0) {
        if (!send_some(link, now_us, &sent))
            return false;
        buffer_consume(&link->out, sent);
    }
    return true;
}
