/*
 * The register of tills and users, whole in memory: who an identity is, what it may, which connections it has. Filled from
 * state at start, changed by what the operations append (RELIABILITY.md, Identity, roles).
 */
#pragma once

#include "base/base.h"
#include "base/status.h"
#include "base/text.h"
#include "base/units.h"
#include "points/event.h"
#include "proto/message.h"

struct service;
struct session;
struct request;

#define ACTOR_NAME_MAX 65 /* STORE/TILL */
/* Tills and users together; one more is refused. */
#define REGISTER_MAX 200000
/* Wrong ones make an enrolment code void. */
#define CODE_TRIES 3

/* An entry. Its address is its own for as long as the service lives; texts point into it. */
struct registered {
    struct identity identity;
    char texts[3][32];
    uint32_t code_tries; /* wrong ones against the code that is out, since the start */
    bool void_listed;    /* whether it is in service->void_codes, by next_void */
    struct registered *next_void;
    struct session *sessions; /* its connections, newest first, by session->next_of_identity */
    uint32_t connections;
    /* What is counted of it since the start (abuse.c). */
    struct {
        utc_us bucket_full_us;  /* ledger time: when its bucket of requests is full again */
        utc_us unknown_from_us; /* the minute in which unknown cards are counted */
        utc_us locked_until_us; /* no look-ups of cards before */
        uint32_t unknown;
        bool alarm_due; /* of the lock */
        local_day refusals_day;
        uint32_t refusals;
    } abuse;
};

PUNKT_MUST_CHECK enum punkt_status register_open(struct service *service, struct failure *failure);
void register_free(struct service *service);

/*
 * NULL: there is none. A revoked one is found, too; look at its status. Of several tills of one place, the one that is not
 * revoked, else the newest. A code is found as long as it stands in the entry, over or not.
 */
struct registered *register_by_number(const struct service *service, uint64_t number);
struct registered *register_by_key(const struct service *service, const uint8_t key[32]);
struct registered *register_by_user(const struct service *service, struct text name);
struct registered *register_by_till(const struct service *service, struct text store, struct text till);
struct registered *register_by_code(const struct service *service, uint32_t handle);
uint64_t register_count(const struct service *service);

/* Takes an entry as an EVENT_IDENTITY that was just appended says. */
void register_take(struct service *service, const struct identity *after);

/* A connection of it opened, or closed. */
void register_connect(struct registered *who, struct session *session);
void register_disconnect(struct registered *who, struct session *session);
/* Closes its connections but one (NULL: all); returns how many. */
uint32_t register_close(struct service *service, struct registered *who, const struct session *but);

/* ROLE_NONE: no such identity, or one that may nothing now. IDENTITY_LOCAL is ROLE_ADMIN. */
enum role register_role(const struct service *service, uint64_t identity);

/* The name for people: a user's name, "STORE/TILL", "local", "server" (0), "identity 17". By value. */
struct actor_name {
    char text[ACTOR_NAME_MAX + 1];
};
struct actor_name actor_name(const struct service *service, uint64_t identity);
/* The identity of such a name; 0: none. */
uint64_t actor_by_name(const struct service *service, struct text name);
