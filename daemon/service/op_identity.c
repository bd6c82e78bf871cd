/*
 * The register of tills and users, as the administrator keeps it: added, suspended, resumed, revoked, another role, another
 * key (RELIABILITY.md, Identity, roles).
 */
#include <stdlib.h>
#include <string.h>

#include "service/ca.h"
#include "service/internal.h"
#include "service/proof.h"

#define ENTRIES_MAX 200     /* of a page: the limit of the field */
#define LOOKED_AT_MAX 20000 /* for one page, so that a search keeps nobody waiting */

/* --- what both have in common --- */

/* The key of a certificate that another CA made. False: refused. */
static bool take_certificate(struct request *request, struct message_text pem, struct identity *identity)
{
    struct service *service = request->service;
    struct failure failure = { { 0 } };
    utc_us now = ledger_now(service->ledger);
    if (certificate_read(text_of_message(pem), identity->key, &identity->key_ends, &failure) != PUNKT_OK)
        refuse(request, RESULT_MALFORMED, failure.text);
    else if (identity->key_ends <= now)
        refuse(request, RESULT_MALFORMED, "the certificate has ended");
    else if (register_by_key(service, identity->key) != NULL)
        refuse(request, RESULT_IDENTITY_EXISTS, "the key of this certificate is in the register");
    else {
        identity->enrolled = now;
        identity->key_version++;
        return true;
    }
    return false;
}

/* A new enrolment code. False: refused. */
static bool take_code(struct request *request, struct identity *identity)
{
    const struct service *service = request->service;
    bool psk = identity->proof == PROOF_PSK;
    if (psk && psk_newest_master(service) == 0)
        refuse(request, RESULT_NOT_SET_UP, "no psk_master in the secrets file");
    else if (psk && service->options.psk_port == 0)
        refuse(request, RESULT_NOT_SET_UP, "punktd listens nowhere for pre-shared keys");
    else if (!psk && (service->options.ca == NULL || !ca_signs(service->options.ca)))
        refuse(request, RESULT_NOT_SET_UP, "punktd signs no certificates; bring one of your CA");
    else if (!code_make(service, identity))
        refuse_now(request, RESULT_BUSY, "no randomness for a code");
    else
        return true;
    return false;
}

/* Where a code is taken: the port, and the name that the server's certificate has first. */
static void tell_where(const struct service *service, uint64_t *out_port, struct message_text *out_server)
{
    const struct ca *ca = service->options.ca;
    *out_port = service->options.enrol_port;
    if (ca != NULL && strcmp(ca_server_name(ca), CA_SERVER_UNNAMED) != 0)
        *out_server = message_text_of(ca_server_name(ca), 255);
}

/* Books the entry as it is after the request; `reason` and `operator` as sent. */
static void book_identity(struct request *request, enum identity_act act, const struct identity *after,
                          struct text reason, const struct wire_code *operator, union message_any * answer)
{
    struct service *service = request->service;
    struct event event = { .type = EVENT_IDENTITY,
                           .time = ledger_now(service->ledger),
                           .day = today(service),
                           .operator= text_of_code(operator),
                           .identity = { .act = act, .after = *after, .reason = reason } };
    event.occurred = event.time;
    book(request, &event, answer);
}

/* --- adding --- */

static bool begins_with(struct text text, const char *word)
{
    size_t size = strlen(word);
    return text.size >= size && memcmp(text.data, word, size) == 0;
}

static bool has_slash(struct text text)
{
    return memchr(text.data, '/', text.size) != NULL;
}

/* Names that mean somebody else in what people read (actor_name). */
static bool is_reserved(struct text name)
{
    return text_equal(name, TEXT_LITERAL("local")) || text_equal(name, TEXT_LITERAL("server")) ||
           begins_with(name, "identity ") || has_slash(name);
}

/* What is wrong with how a new one is named; NULL: nothing. */
static const char *wrong_name(const struct msg_identity_add_request *message)
{
    bool till = message->role == ROLE_TILL;
    if (message->role == ROLE_NONE)
        return "field role";
    if (till && (message->store.size == 0 || message->till.size == 0))
        return "a till has a store and a till";
    if (till && (has_slash(text_of_code(&message->store)) || has_slash(text_of_code(&message->till))))
        return "no slash in a store or a till: it stands between them where people read STORE/TILL";
    if (till && message->name.size > 0)
        return "a till has no name";
    if (!till && (message->store.size > 0 || message->till.size > 0))
        return "only the role till has a store and a till";
    if (!till && message->name.size == 0)
        return "a user has a name";
    if (!till && is_reserved(text_of_code(&message->name)))
        return "a user's name has no slash in it, and is none that Punkt uses";
    return NULL;
}

/* Whether the name or place is somebody's. Then it is refused. */
static bool is_taken(struct request *request, const struct msg_identity_add_request *message)
{
    const struct service *service = request->service;
    bool till = message->role == ROLE_TILL;
    const struct registered *who =
        till ? register_by_till(service, text_of_code(&message->store), text_of_code(&message->till))
             : register_by_user(service, text_of_code(&message->name));
    if (who == NULL || (till && who->identity.status == IDENTITY_REVOKED))
        return false;
    if (who->identity.status ==
        IDENTITY_REVOKED) /* so that an old name in the audit log is not somebody new */
        refuse(request, RESULT_IDENTITY_REVOKED, "the name of a revoked user is not given again");
    else
        refuse(request, RESULT_IDENTITY_EXISTS, "");
    return true;
}

static bool take_new(struct request *request, const struct msg_identity_add_request *message,
                     struct identity *out)
{
    const char *wrong = wrong_name(message);
    if (wrong == NULL && message->proof == PROOF_PSK && message->certificate.size > 0)
        wrong = "who proves itself by a pre-shared key has no certificate";
    if (wrong != NULL) {
        refuse(request, RESULT_MALFORMED, wrong);
        return false;
    }
    if (is_taken(request, message))
        return false;
    if (register_count(request->service) >= REGISTER_MAX) {
        refuse(request, RESULT_OVER_LIMIT, "the register is full");
        return false;
    }
    *out = (struct identity){ .number = IDENTITY_FIRST + register_count(request->service),
                              .role = (uint32_t)message->role,
                              .status = message->certificate.size > 0 ? IDENTITY_ACTIVE : IDENTITY_ADDED,
                              .proof = (uint32_t)message->proof,
                              .name = text_of_code(&message->name),
                              .store = text_of_code(&message->store),
                              .till = text_of_code(&message->till),
                              .added = ledger_now(request->service->ledger) };
    return message->certificate.size > 0 ? take_certificate(request, message->certificate, out)
                                         : take_code(request, out);
}

enum handled handle_identity_add(struct request *request)
{
    const struct msg_identity_add_request *message = &request->message->identity_add_request;
    struct identity identity;
    if (!take_new(request, message, &identity))
        return HANDLED;
    union message_any answer;
    message_init(MESSAGE_identity_add_answer, &answer.identity_add_answer);
    answer.identity_add_answer.identity = identity.number;
    answer.identity_add_answer.code_ends = (uint64_t)identity.code_ends;
    if (identity.code_ends != 0)
        tell_where(request->service, &answer.identity_add_answer.enrol_port,
                   &answer.identity_add_answer.server);
    book_identity(request, IDENTITY_ACT_ADD, &identity, (struct text){ "", 0 }, &message->operator, & answer);
    return HANDLED;
}

/* --- changing --- */

/* Whom the request names; NULL: refused. */
static struct registered *find_named(struct request *request,
                                     const struct msg_identity_change_request *message)
{
    const struct service *service = request->service;
    bool user = message->name.size > 0;
    if (user ? message->store.size > 0 || message->till.size > 0
             : message->store.size == 0 || message->till.size == 0) {
        refuse(request, RESULT_MALFORMED, "either a user's name, or the store and till of a till");
        return NULL;
    }
    struct registered *who =
        user ? register_by_user(service, text_of_code(&message->name))
             : register_by_till(service, text_of_code(&message->store), text_of_code(&message->till));
    if (who == NULL)
        refuse(request, RESULT_UNKNOWN_IDENTITY, "");
    else if (who->identity.status == IDENTITY_REVOKED)
        refuse(request, RESULT_IDENTITY_REVOKED, "");
    else
        return who;
    return NULL;
}

static bool nothing_to_do(struct request *request, const char *detail)
{
    refuse(request, RESULT_NOTHING_TO_DO, detail);
    return false;
}

static bool change_role(struct request *request, uint64_t role, struct identity *identity)
{
    if (role == ROLE_NONE || (role == ROLE_TILL) != (identity->role == ROLE_TILL)) {
        refuse(request, RESULT_MALFORMED, "a user has one of the roles of users, a till that of tills");
        return false;
    }
    if (role == identity->role)
        return nothing_to_do(request, "that is its role");
    identity->role = (uint32_t)role;
    return true;
}

static bool rotate(struct request *request, struct message_text certificate, struct identity *identity)
{
    if (certificate.size == 0)
        return take_code(request, identity);
    if (identity->proof == PROOF_PSK) {
        refuse(request, RESULT_MALFORMED, "who proves itself by a pre-shared key has no certificate");
        return false;
    }
    if (!take_certificate(request, certificate, identity))
        return false;
    code_clear(identity);
    if (identity->status == IDENTITY_ADDED)
        identity->status = IDENTITY_ACTIVE;
    return true;
}

/* The entry as the act leaves it. False: refused. */
static bool act_on(struct request *request, const struct msg_identity_change_request *message,
                   struct identity *identity)
{
    bool suspended = identity->status == IDENTITY_SUSPENDED;
    switch (message->act) {
    case IDENTITY_ACT_SUSPEND:
        identity->status = IDENTITY_SUSPENDED;
        return !suspended || nothing_to_do(request, "it is suspended already");
    case IDENTITY_ACT_RESUME:
        identity->status = identity->enrolled != 0 ? IDENTITY_ACTIVE : IDENTITY_ADDED;
        return suspended || nothing_to_do(request, "it is not suspended");
    case IDENTITY_ACT_REVOKE:
        identity->status = IDENTITY_REVOKED;
        code_clear(identity);
        return true;
    case IDENTITY_ACT_ROLE:
        return change_role(request, message->role, identity);
    case IDENTITY_ACT_ROTATE:
        return rotate(request, message->certificate, identity);
    default:
        refuse(request, RESULT_MALFORMED, "field act");
        return false;
    }
}

/* Its connections go: at once, but for the one that asked for it, whose answer goes first. */
static void close_connections(struct request *request, struct registered *who)
{
    struct service *service = request->service;
    struct session *own = who->sessions;
    while (own != NULL && own->conn != request->conn)
        own = own->next_of_identity;
    (void)register_close(service, who, own);
    if (own != NULL)
        session_close_behind(service, own, ledger_newest(service->ledger));
}

enum handled handle_identity_change(struct request *request)
{
    const struct msg_identity_change_request *message = &request->message->identity_change_request;
    struct registered *who = find_named(request, message);
    if (who == NULL)
        return HANDLED;
    struct identity identity = who->identity;
    if (!act_on(request, message, &identity))
        return HANDLED;
    bool shut_out = identity.status == IDENTITY_SUSPENDED || identity.status == IDENTITY_REVOKED ||
                    identity.key_version != who->identity.key_version;
    union message_any answer;
    struct msg_identity_change_answer *out = &answer.identity_change_answer;
    message_init(MESSAGE_identity_change_answer, out);
    out->identity = identity.number;
    out->status = identity.status;
    out->role = identity.role;
    out->closed = shut_out ? who->connections : 0;
    if (message->act == IDENTITY_ACT_ROTATE)
        out->code_ends = (uint64_t)identity.code_ends;
    if (out->code_ends != 0)
        tell_where(request->service, &out->enrol_port, &out->server);
    book_identity(request, (enum identity_act)message->act, &identity, text_of_message(message->reason),
                  &message->operator, & answer);
    if (shut_out)
        close_connections(request, who);
    return HANDLED;
}

/* --- the list --- */

static bool is_wanted(const struct identity *identity, const struct msg_identity_list_request *message)
{
    bool till = identity->role == ROLE_TILL;
    return (message->kind == 0 || (message->kind == 1) == till) &&
           (message->name.size == 0 || text_equal(identity->name, text_of_code(&message->name))) &&
           (message->store.size == 0 || text_equal(identity->store, text_of_code(&message->store))) &&
           (message->till.size == 0 || text_equal(identity->till, text_of_code(&message->till)));
}

static void tell_entry(const struct service *service, const struct registered *who,
                       struct msg_identity_entry *out)
{
    const struct identity *identity = &who->identity;
    message_init(MESSAGE_identity_entry, out);
    out->identity = identity->number;
    out->role = identity->role;
    out->status = identity->status;
    out->proof = identity->proof;
    code_for_wire(identity->name, &out->name);
    code_for_wire(identity->store, &out->store);
    code_for_wire(identity->till, &out->till);
    out->added = (uint64_t)identity->added;
    out->enrolled = (uint64_t)identity->enrolled;
    out->key_ends = (uint64_t)identity->key_ends;
    if (identity->enrolled != 0 && identity->proof == PROOF_CERTIFICATE)
        out->key = (struct message_text){ (const char *)identity->key, sizeof(identity->key) };
    out->key_version = identity->key_version;
    out->code_ends =
        code_is_good(service, who) && !code_is_used(identity) ? (uint64_t)identity->code_ends : 0;
    out->connections = who->connections;
}

enum handled handle_identity_list(struct request *request)
{
    struct service *service = request->service;
    const struct msg_identity_list_request *message = &request->message->identity_list_request;
    struct msg_identity_entry *entries = calloc(ENTRIES_MAX, sizeof(*entries));
    if (entries == NULL) {
        refuse_now(request, RESULT_BUSY, "out of memory");
        return HANDLED;
    }
    union message_any answer;
    struct msg_identity_list_answer *out = &answer.identity_list_answer;
    message_init(MESSAGE_identity_list_answer, out);
    out->entries = entries;
    uint64_t number = u64_max(message->from, IDENTITY_FIRST);
    uint64_t end = IDENTITY_FIRST + register_count(service);
    for (uint32_t looked = 0; number < end && looked < LOOKED_AT_MAX && out->entries_count < ENTRIES_MAX;
         looked++) {
        const struct registered *who = register_by_number(service, number++);
        if (is_wanted(&who->identity, message))
            tell_entry(service, who, &entries[out->entries_count++]);
    }
    out->next = number < end ? number : 0;
    answer_read(request, &answer, ledger_newest(service->ledger));
    free(entries);
    return HANDLED;
}
