/*
 * A ring of links inside the things they join: nothing is allocated to be in a list, and leaving one
 * needs no search. A head is a link that is never taken out; a link in no list is all zero.
 */
#pragma once

#include "base/base.h"

struct link {
    struct link *prev;
    struct link *next;
};

/* The thing that a link is a member of. */
#define LINK_OWNER(pointer, type, member) ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

static inline void list_init(struct link *head)
{
    head->prev = head;
    head->next = head;
}

static inline bool list_empty(const struct link *head)
{
    return head->next == head;
}

static inline bool link_joined(const struct link *link)
{
    return link->next != NULL;
}

/* The link must be in no list. */
static inline void list_append(struct link *head, struct link *link)
{
    PUNKT_CHECK(!link_joined(link));
    link->prev = head->prev;
    link->next = head;
    head->prev->next = link;
    head->prev = link;
}

/* A link in no list stays as it is. */
static inline void link_leave(struct link *link)
{
    if (!link_joined(link))
        return;
    link->prev->next = link->next;
    link->next->prev = link->prev;
    link->prev = NULL;
    link->next = NULL;
}

/* Takes the first link out; NULL when the list is empty. */
static inline struct link *list_shift(struct link *head)
{
    if (list_empty(head))
        return NULL;
    struct link *first = head->next;
    link_leave(first);
    return first;
}

/* Moves all links behind those of `to`. */
static inline void list_splice(struct link *from, struct link *to)
{
    if (list_empty(from))
        return;
    from->next->prev = to->prev;
    from->prev->next = to;
    to->prev->next = from->next;
    to->prev = from->prev;
    list_init(from);
}
