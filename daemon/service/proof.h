/*
 * Connections, and what their other ends prove themselves with: shared by the files of service that deal with who somebody
 * is. Nobody else includes this.
 */
#pragma once

#include "service/internal.h"

/* --- sessions.c --- */

/* Closes a connection after what was sent; nothing more is taken from it. */
void session_close(struct service *service, struct session *session);
/* The same behind the answer that waits for an event: its own last one. */
void session_close_behind(struct service *service, struct session *session, journal_position wait_for);
/* Counts what it did for the audit: by its source, and its identity if that is known. */
void session_attempt(struct service *service, const struct session *session, enum attempt_kind kind,
                     const char *detail);
/* Why it may not say hello, for people; NULL: it may. */
const char *session_refused(const struct service *service, const struct session *session);
/*
 * It says its first hello: counted among the connections of its identity, whose oldest goes for it if that is a till
 * (RELIABILITY.md, Limits). False: there are too many.
 */
PUNKT_MUST_CHECK bool session_enters(struct service *service, struct session *session);

/* --- psk.c: pre-shared keys and enrolment codes (LEDGER.md, Secrets) --- */

#define PSK_NAME_MAX 63
#define CODE_TEXT_SIZE 39 /* eight groups of four and what joins them */

/* The key of an identity in its version. False: its master is not in the secrets file. */
PUNKT_MUST_CHECK bool psk_derive(const struct service *service, const struct identity *identity,
                                 uint8_t out_key[32]);
/* The name that goes with it: "punkt/NUMBER/VERSION". */
void psk_name(const struct identity *identity, char out[PSK_NAME_MAX + 1]);
/* Which master new keys are made of; 0: there is none. */
uint32_t psk_newest_master(const struct service *service);
/* Whose key service_psk gave with this number; NULL: it was replaced since. */
struct registered *psk_owner(const struct service *service, uint64_t number);

/* Whether a code is out that may be used, now and not too often tried. */
bool code_is_good(const struct service *service, const struct registered *who);
/* Whether it was used already: then it serves only who used it, until it ends. */
bool code_is_used(const struct identity *identity);
/* Gives the identity a new code: handle, salt, end. False: there is no randomness. */
PUNKT_MUST_CHECK bool code_make(const struct service *service, struct identity *identity);
void code_clear(struct identity *identity);
/* The code as people type it; a secret. False: it cannot be derived. */
PUNKT_MUST_CHECK bool code_text(const struct service *service, const struct identity *identity,
                                char out[CODE_TEXT_SIZE + 1]);
/*
 * Adds the code to the answer of identity_add or identity_change that is about to leave, if it is out still: no event and no
 * record has it. *body is then the longer one, in the service's scratch until the next call.
 */
void code_add(struct service *service, uint16_t type, struct text *body);
/* The code may not be used any more. */
void code_void(struct service *service, struct registered *who);
/* Books what codes became void. */
void codes_turn(struct service *service);
