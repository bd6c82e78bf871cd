/*
 * The register in memory. Entries are made once and never move. Four tables find them by what names them; what an entry was
 * named by before stays in its table until that is made anew, and is told apart by looking at the entry.
 */
#include "service/register.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/fold.h"
#include "service/internal.h"
#include "service/proof.h"

/* What an entry may be found by. */
enum finder { BY_KEY, BY_USER, BY_TILL, BY_CODE };
#define FINDERS 4
#define SLOTS_FIRST 64

/* Open addressing: 0 or an entry's number. */
struct finder_table {
    uint32_t *slots;
    uint32_t capacity; /* a power of two, at least twice what is used */
    uint32_t used;
};

struct register_table {
    struct registered **entries; /* by number - IDENTITY_FIRST */
    uint64_t count, capacity;
    struct finder_table finders[FINDERS];
};

/* --- what an entry is found by --- */

static const uint8_t no_key[32];

static uint32_t hash_bytes(uint32_t hash, const void *bytes, size_t size)
{
    const uint8_t *from = bytes;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ from[i]) * 16777619u; /* FNV-1a: names come from the administrator, keys are hashes */
    return hash;
}

static uint32_t hash_text(uint32_t hash, struct text text)
{
    hash = hash_bytes(hash, text.data, text.size);
    return (hash ^ 0xFF) * 16777619u; /* no byte of a text */
}

static bool has(const struct identity *identity, enum finder finder)
{
    switch (finder) {
    case BY_KEY:
        return memcmp(identity->key, no_key, sizeof(no_key)) != 0;
    case BY_USER:
        return identity->name.size > 0;
    case BY_TILL:
        return identity->till.size > 0;
    case BY_CODE:
        return identity->code_handle != 0;
    }
    return false;
}

static uint32_t hash_of(const struct identity *identity, enum finder finder)
{
    uint32_t hash = 2166136261u;
    switch (finder) {
    case BY_KEY:
        return hash_bytes(hash, identity->key, sizeof(identity->key));
    case BY_USER:
        return hash_text(hash, identity->name);
    case BY_TILL:
        return hash_text(hash_text(hash, identity->store), identity->till);
    case BY_CODE:
        return hash_bytes(hash, &identity->code_handle, sizeof(identity->code_handle));
    }
    return hash;
}

static bool same(const struct identity *a, const struct identity *b, enum finder finder)
{
    switch (finder) {
    case BY_KEY:
        return memcmp(a->key, b->key, sizeof(a->key)) == 0;
    case BY_USER:
        return text_equal(a->name, b->name);
    case BY_TILL:
        return text_equal(a->store, b->store) && text_equal(a->till, b->till);
    case BY_CODE:
        return a->code_handle == b->code_handle;
    }
    return false;
}

static struct registered *entry(const struct register_table *table, uint64_t number)
{
    return table->entries[number - IDENTITY_FIRST];
}

static void put_slot(struct finder_table *finder, uint32_t hash, uint32_t number)
{
    uint32_t slot = hash & (finder->capacity - 1);
    while (finder->slots[slot] != 0 && finder->slots[slot] != number)
        slot = (slot + 1) & (finder->capacity - 1);
    finder->used += finder->slots[slot] == 0;
    finder->slots[slot] = number;
}

/* Made anew of the entries as they are, with room for as many again. */
static void grow(struct register_table *table, enum finder which)
{
    struct finder_table *finder = &table->finders[which];
    uint32_t capacity = SLOTS_FIRST;
    while (capacity < 4 * table->count)
        capacity *= 2;
    free(finder->slots);
    *finder =
        (struct finder_table){ .slots = calloc(capacity, sizeof(*finder->slots)), .capacity = capacity };
    PUNKT_CHECK(finder->slots != NULL); /* an event that is booked cannot be left out */
    for (uint64_t i = 0; i < table->count; i++) {
        const struct identity *identity = &table->entries[i]->identity;
        if (has(identity, which))
            put_slot(finder, hash_of(identity, which), (uint32_t)identity->number);
    }
}

static void put(struct register_table *table, const struct identity *identity, enum finder which)
{
    struct finder_table *finder = &table->finders[which];
    if (2 * (finder->used + 1) > finder->capacity)
        grow(table, which); /* which takes this entry along */
    else
        put_slot(finder, hash_of(identity, which), (uint32_t)identity->number);
}

/* Whether a is the better answer: what is not revoked before what is, then the newer. */
static bool is_better(const struct registered *a, const struct registered *b)
{
    bool a_lives = a->identity.status != IDENTITY_REVOKED;
    bool b_lives = b->identity.status != IDENTITY_REVOKED;
    return a_lives != b_lives ? a_lives : a->identity.number > b->identity.number;
}

static struct registered *find(const struct service *service, const struct identity *wanted,
                               enum finder which)
{
    const struct register_table *table = service->registered;
    const struct finder_table *finder = &table->finders[which];
    struct registered *found = NULL;
    if (finder->capacity == 0 || !has(wanted, which))
        return NULL;
    uint32_t slot = hash_of(wanted, which) & (finder->capacity - 1);
    for (; finder->slots[slot] != 0; slot = (slot + 1) & (finder->capacity - 1)) {
        struct registered *candidate = entry(table, finder->slots[slot]);
        if (same(&candidate->identity, wanted, which) && (found == NULL || is_better(candidate, found)))
            found = candidate;
    }
    return found;
}

struct registered *register_by_number(const struct service *service, uint64_t number)
{
    const struct register_table *table = service->registered;
    return number >= IDENTITY_FIRST && number - IDENTITY_FIRST < table->count ? entry(table, number) : NULL;
}

struct registered *register_by_key(const struct service *service, const uint8_t key[32])
{
    struct identity wanted = { .number = 0 };
    memcpy(wanted.key, key, sizeof(wanted.key));
    return find(service, &wanted, BY_KEY);
}

struct registered *register_by_user(const struct service *service, struct text name)
{
    struct identity wanted = { .name = name };
    return find(service, &wanted, BY_USER);
}

struct registered *register_by_till(const struct service *service, struct text store, struct text till)
{
    struct identity wanted = { .store = store, .till = till };
    return find(service, &wanted, BY_TILL);
}

struct registered *register_by_code(const struct service *service, uint32_t handle)
{
    struct identity wanted = { .code_handle = handle };
    return find(service, &wanted, BY_CODE);
}

uint64_t register_count(const struct service *service)
{
    return service->registered->count;
}

/* --- filling it --- */

static struct text keep(struct text text, char into[32])
{
    PUNKT_CHECK(text.size <= 32); /* a code */
    if (text.size > 0)
        memmove(into, text.data, text.size); /* it may be what is there */
    return (struct text){ into, text.size };
}

static struct registered *add(struct register_table *table)
{
    if (table->count == table->capacity) {
        uint64_t capacity = table->capacity == 0 ? SLOTS_FIRST : 2 * table->capacity;
        struct registered **entries = realloc(table->entries, capacity * sizeof(struct registered *));
        PUNKT_CHECK(entries != NULL); /* an event that is booked cannot be left out */
        table->entries = entries;
        table->capacity = capacity;
    }
    struct registered *made = calloc(1, sizeof(*made));
    PUNKT_CHECK(made != NULL);
    table->entries[table->count++] = made;
    return made;
}

void register_take(struct service *service, const struct identity *after)
{
    struct register_table *table = service->registered;
    struct registered *who = register_by_number(service, after->number);
    PUNKT_CHECK(who != NULL || after->number == IDENTITY_FIRST + table->count);
    if (who == NULL)
        who = add(table);
    struct identity before = who->identity;
    who->identity = *after;
    who->identity.name = keep(after->name, who->texts[0]);
    who->identity.store = keep(after->store, who->texts[1]);
    who->identity.till = keep(after->till, who->texts[2]);
    if (before.code_handle != after->code_handle)
        who->code_tries = 0;
    for (int which = 0; which < FINDERS; which++) {
        bool is_new = before.number == 0 || !same(&before, after, (enum finder)which);
        if (is_new && has(after, (enum finder)which))
            put(table, &who->identity, (enum finder)which);
    }
}

enum punkt_status register_open(struct service *service, struct failure *failure)
{
    struct fold *fold = ledger_fold(service->ledger);
    struct identity identity;
    service->registered = calloc(1, sizeof(*service->registered));
    if (service->registered == NULL) {
        failure_set(failure, "no memory for the register");
        return PUNKT_NO_MEMORY;
    }
    for (uint64_t i = 0; i < fold->totals.identities; i++) {
        if (!fold_identity(fold, IDENTITY_FIRST + i, &identity)) {
            failure_set(failure, "identity %llu is not in state", (unsigned long long)(IDENTITY_FIRST + i));
            return PUNKT_CORRUPT;
        }
        register_take(service, &identity);
    }
    return PUNKT_OK;
}

void register_free(struct service *service)
{
    struct register_table *table = service->registered;
    if (table == NULL)
        return;
    for (uint64_t i = 0; i < table->count; i++)
        free(table->entries[i]);
    for (int which = 0; which < FINDERS; which++)
        free(table->finders[which].slots);
    free(table->entries);
    free(table);
    service->registered = NULL;
}

/* --- connections --- */

void register_connect(struct registered *who, struct session *session)
{
    session->previous_of_identity = NULL;
    session->next_of_identity = who->sessions;
    if (who->sessions != NULL)
        who->sessions->previous_of_identity = session;
    who->sessions = session;
    who->connections++;
}

void register_disconnect(struct registered *who, struct session *session)
{
    if (session->next_of_identity != NULL)
        session->next_of_identity->previous_of_identity = session->previous_of_identity;
    if (session->previous_of_identity != NULL)
        session->previous_of_identity->next_of_identity = session->next_of_identity;
    else
        who->sessions = session->next_of_identity;
    session->next_of_identity = session->previous_of_identity = NULL;
    who->connections--;
}

uint32_t register_close(struct service *service, struct registered *who, const struct session *but)
{
    uint32_t closed = 0;
    struct session *next;
    for (struct session *session = who->sessions; session != NULL; session = next) {
        next = session->next_of_identity;
        if (session == but)
            continue;
        session_close(service, session);
        closed++;
    }
    return closed;
}

/* --- who it is --- */

enum role register_role(const struct service *service, uint64_t identity)
{
    if (identity == IDENTITY_LOCAL)
        return ROLE_ADMIN;
    const struct registered *who = register_by_number(service, identity);
    return who != NULL && who->identity.status == IDENTITY_ACTIVE ? (enum role)who->identity.role : ROLE_NONE;
}

struct actor_name actor_name(const struct service *service, uint64_t identity)
{
    struct actor_name out;
    const struct registered *who = register_by_number(service, identity);
    if (identity == 0)
        (void)snprintf(out.text, sizeof(out.text), "server");
    else if (identity == IDENTITY_LOCAL)
        (void)snprintf(out.text, sizeof(out.text), "local");
    else if (who == NULL)
        (void)snprintf(out.text, sizeof(out.text), "identity %llu", (unsigned long long)identity);
    else if (who->identity.name.size > 0)
        (void)snprintf(out.text, sizeof(out.text), "%.*s", (int)who->identity.name.size,
                       who->identity.name.data);
    else
        (void)snprintf(out.text, sizeof(out.text), "%.*s/%.*s", (int)who->identity.store.size,
                       who->identity.store.data, (int)who->identity.till.size, who->identity.till.data);
    return out;
}

uint64_t actor_by_name(const struct service *service, struct text name)
{
    if (text_equal(name, TEXT_LITERAL("local")))
        return IDENTITY_LOCAL;
    const struct registered *who = register_by_user(service, name);
    for (size_t i = 0; i < name.size && who == NULL; i++) {
        if (name.data[i] == '/') /* a store may have one in its name, too */
            who = register_by_till(service, (struct text){ name.data, i },
                                   (struct text){ name.data + i + 1, name.size - i - 1 });
    }
    return who != NULL ? who->identity.number : 0;
}
