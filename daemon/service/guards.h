/*
 * What stands between a request and its handler, and what is written down of it: permission, approvals, attempts, seals,
 * limits against abuse. Part of internal.h.
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
union message_any;

/* --- permission.c (RELIABILITY.md, Identity, roles) --- */

/* The fields of a message that a till may not fill as it likes (permission.c). */
#define TILL_RULES 4
struct till_fields {
    uint32_t count;
    struct {
        uint32_t rule, offset;
    } of[TILL_RULES];
};

/*
 * Whether who sends it may ask for this: the operation by role (operations.def), then what the decoded message names: a till
 * only its own store, till and lanes, and one card at a time; historic only by the office. *out_detail: why not, for people;
 * of static lifetime.
 */
PUNKT_MUST_CHECK bool permitted(const struct request *request, const char **out_detail);
/* The same before it is decoded, by role alone. */
PUNKT_MUST_CHECK bool permitted_role(const struct request *request, const char **out_detail);
enum role request_role(const struct request *request);
/* Says no: to a change for good; of a read it is counted. */
void refuse_not_permitted(struct request *request, const char *detail);
/* Finds what a till's messages name, once. */
void permission_open(struct service *service);
/* Whose lane a request speaks of: `named` in its message, 0: its own. */
uint64_t identity_named(const struct request *request, uint64_t named);

/* --- approvals.c: proposals that wait for another identity --- */

PUNKT_MUST_CHECK enum punkt_status approvals_open(struct service *service, struct failure *failure);
void approvals_free(struct service *service);
/* The decision was refused as NEEDS_APPROVAL: books the proposal instead, and answers that. */
void approval_propose(struct request *request);
/* Who proposed it undoes that, or somebody for him: ends it, if it is open. */
void approval_withdraw(struct request *request, journal_position proposal);
/* It was decided. */
void approval_ended(struct service *service, journal_position proposal);
/* Those that are open, from `from` on, oldest first; returns how many, up to most. */
uint32_t approvals_open_from(const struct service *service, journal_position from, uint32_t most,
                             journal_position *out);
/* Ends what is too old. */
void approvals_turn(struct service *service);
bool approvals_have_work(const struct service *service);

/* --- attempts.c: what was refused without an event of its own, counted by source and minute --- */

PUNKT_MUST_CHECK enum punkt_status attempts_open(struct service *service, struct failure *failure);
void attempts_free(struct service *service);
/* source: an address, or the name of who; identity: of the register, 0 unknown. */
void attempt_count(struct service *service, enum attempt_kind kind, struct text source, uint64_t identity,
                   const char *detail);
/* The words of a kind, for the log and the audit log: "refused proof", ... */
const char *attempt_words(enum attempt_kind kind);
/* Books what a minute that is over has counted. */
void attempts_turn(struct service *service);
/* Some are counted and not booked. */
bool attempts_are_open(const struct service *service);

/* --- seals.c (LEDGER.md, Secrets) --- */

PUNKT_MUST_CHECK enum punkt_status seals_open(struct service *service, struct failure *failure);
void seals_free(struct service *service);
/* Makes one if it is time. */
void seals_turn(struct service *service);
/* One whose key was moved on: a clean stop waits for its event. */
bool seals_have_work(const struct service *service);
/* The newest event closes a day: one is made when that is durable. */
void seal_soon(struct service *service);

/* --- abuse.c (RELIABILITY.md, Limits; Audit and abuse) --- */

/* A frame was taken: slows its connection down if it is a till's that sends too fast. No allocation, no system call. */
void abuse_frame(struct service *service, struct session *session);
/* A card was named that nobody issued: too many of them lock the till, which raises an alarm. */
void abuse_unknown_card(struct request *request);
/* Whether the till of this request, which is decoded, may look up the card that it names; if not, that is an unknown one. */
PUNKT_MUST_CHECK bool abuse_may_look_up(const struct request *request);
/* Whether it is locked: then nothing is said of any account. */
PUNKT_MUST_CHECK bool abuse_is_locked(const struct request *request);
/* Whether it is locked, and what it asks was let through as an advice: any refusal reads like one of an unknown card. */
PUNKT_MUST_CHECK bool abuse_hides_refusal(const struct request *request);
/* Takes balances out of the answer to a locked till, and whether the card was known. */
void abuse_hide(struct request *request, union message_any *answer);
/* One more final refusal is remembered. False: it had too many today, RESULT_RATE. */
PUNKT_MUST_CHECK bool abuse_may_refuse(struct request *request);
