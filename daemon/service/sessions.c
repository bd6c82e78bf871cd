/*
 * Connections: who is at their other end, as the transport proved it and the register knows it (RELIABILITY.md, Identity,
 * roles), and how many of them one identity may have (Limits).
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "service/internal.h"
#include "service/proof.h"

#define TILL_CONNECTIONS 2 /* one for each of its lanes */
#define OTHER_CONNECTIONS 64

/* Whose Unix connections are the local administrator's. */
static bool is_administrator(const struct service *service, uint32_t uid)
{
    if (uid == 0 || uid == (uint32_t)geteuid())
        return true;
    for (uint32_t i = 0; i < service->options.uid_count; i++) {
        if (service->options.uids[i] == uid)
            return true;
    }
    return false;
}

static void find_who(const struct service *service, const struct service_peer *peer, struct session *session)
{
    switch (peer->proof) {
    case SERVICE_PROOF_LOCAL:
        session->local = !peer->unix_socket || is_administrator(service, peer->uid);
        return;
    case SERVICE_PROOF_CERTIFICATE:
        session->who = register_by_key(service, peer->key);
        session->key_ends = peer->key_ends;
        break;
    case SERVICE_PROOF_PSK:
        session->who = psk_owner(service, peer->number);
        break;
    case SERVICE_PROOF_CODE:
        session->code_handle = (uint32_t)peer->number;
        session->who = register_by_code(service, session->code_handle);
        break;
    }
    session->key_version = session->who != NULL ? session->who->identity.key_version : 0;
}

struct session *service_connected(struct service *service, uint64_t conn, const struct service_peer *peer)
{
    struct session *session = calloc(1, sizeof(*session));
    if (session == NULL)
        return NULL;
    session->conn = conn;
    session->proof = peer->proof;
    (void)snprintf(session->source, sizeof(session->source), "%s", peer->source);
    find_who(service, peer, session);
    return session;
}

/* Off the list of its identity. */
static void uncount(struct session *session)
{
    if (session->counted)
        register_disconnect(session->who, session);
    session->counted = false;
}

void service_disconnected(struct service *service, struct session *session)
{
    uncount(session);
    if (session->lane != NULL)
        lane_leave(service, session->lane);
    free(session);
}

void session_close(struct service *service, struct session *session)
{
    uncount(session);
    session->closing = true;
    service->options.link.close(service->options.link.ctx, session->conn);
}

void session_close_behind(struct service *service, struct session *session, journal_position wait_for)
{
    if (answers_are_empty(&service->answers)) {
        session_close(service, session);
        return;
    }
    uncount(session);
    session->closing = true;
    answers_add_close(&service->answers, wait_for, session->conn);
}

void session_attempt(struct service *service, const struct session *session, enum attempt_kind kind,
                     const char *detail)
{
    uint64_t identity = session->who != NULL ? session->who->identity.number : 0;
    attempt_count(service, kind, text_of(session->source), identity, detail);
}

const char *session_refused(const struct service *service, const struct session *session)
{
    const struct registered *who = session->who;
    if (session->proof == SERVICE_PROOF_LOCAL)
        return session->local
                   ? NULL
                   : "this socket is for root, the daemon's own user and `admins` of its configuration";
    if (who == NULL)
        return session->proof == SERVICE_PROOF_CERTIFICATE
                   ? "this key is not in the register of tills and users"
                   : "this pre-shared key is over";
    if (who->identity.key_version != session->key_version)
        return "this key was replaced by another";
    switch ((enum identity_status)who->identity.status) {
    case IDENTITY_ACTIVE:
        break;
    case IDENTITY_ADDED:
        return "not enrolled yet";
    case IDENTITY_SUSPENDED:
        return "suspended by the administrator";
    case IDENTITY_REVOKED:
        return "revoked by the administrator, for good";
    }
    bool over = session->key_ends != 0 && ledger_now(service->ledger) >= session->key_ends;
    return over ? "the certificate has ended" : NULL;
}

/* The one that said hello first. */
static struct session *oldest(const struct registered *who)
{
    struct session *session = who->sessions;
    while (session->next_of_identity != NULL)
        session = session->next_of_identity;
    return session;
}

bool session_enters(struct service *service, struct session *session)
{
    const struct service_limits *limits = &service->options.limits;
    struct registered *who = session->who;
    if (who == NULL || session->counted)
        return true;
    if (who->identity.proof == PROOF_PSK && code_is_used(&who->identity))
        code_void(service, who); /* the answer of its enrolment has arrived */
    bool till = who->identity.role == ROLE_TILL;
    uint32_t most = till ? limits->till_connections : limits->other_connections;
    if (most == 0)
        most = till ? TILL_CONNECTIONS : OTHER_CONNECTIONS;
    if (!till && who->connections >= most)
        return false;
    while (who->connections >= most)
        session_close(service, oldest(who));
    register_connect(who, session);
    session->counted = true;
    return true;
}
