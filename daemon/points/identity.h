/*
 * Who may do what, and who did it (RELIABILITY.md, Identity, roles; Audit and abuse): what events and state say of tills,
 * users, proposals, attempts and flags.
 */
#pragma once

#include "base/base.h"
#include "base/text.h"
#include "base/units.h"

/* Numbered for ever; sent on the wire. */
enum identity_status {
    IDENTITY_ADDED = 1,
    IDENTITY_ACTIVE = 2,
    IDENTITY_SUSPENDED = 3,
    IDENTITY_REVOKED = 4
};
enum identity_proof { PROOF_CERTIFICATE = 0, PROOF_PSK = 1 };
/* What was done to it. Those of identity_change_request have its numbers. */
enum identity_act {
    IDENTITY_ACT_SUSPEND = 1,
    IDENTITY_ACT_RESUME = 2,
    IDENTITY_ACT_REVOKE = 3,
    IDENTITY_ACT_ROLE = 4,
    IDENTITY_ACT_ROTATE = 5, /* a new code, or a certificate of another CA */
    IDENTITY_ACT_ADD = 6,
    IDENTITY_ACT_ENROL = 7, /* the code was used */
};

/* A till or user, as an event leaves it and state keeps it: no secret of anybody is in it. */
struct identity {
    uint64_t number;  /* from IDENTITY_FIRST, without gaps */
    uint32_t role;    /* enum role of proto/message.h */
    uint32_t status;  /* enum identity_status. One that is suspended before it enrolled becomes ADDED again */
    uint32_t proof;   /* enum identity_proof */
    struct text name; /* of a user; else empty */
    struct text store; /* of a till; else empty */
    struct text till;
    utc_us added;
    utc_us enrolled;      /* 0: it has no key */
    utc_us key_ends;      /* of its certificate; 0: never, or not known */
    uint8_t key[32];      /* SHA-256 of its public key (SubjectPublicKeyInfo, DER); zeros: none */
    uint32_t key_version; /* how often it was enrolled; the version of its pre-shared key; 0: never */
    uint32_t psk_master;  /* which master its pre-shared key is made of; 0: none */
    /* The enrolment code that is out: its handle, which says whose it is; what it is derived with; until when. Zeros: none. */
    uint32_t code_handle;
    uint8_t code_salt[16];
    utc_us code_ends;
    uint8_t
        code_key[32]; /* the key that it was used for already: only that may use it again; zeros: not used */
};
#define IDENTITY_LOCAL 1 /* the unproven loopback or Unix listener, role admin */
#define IDENTITY_FIRST 2 /* of the register */

/* How a proposal ended. Numbered for ever; sent on the wire. */
enum proposal_state { PROPOSAL_OPEN = 1, PROPOSAL_APPROVED = 2, PROPOSAL_REJECTED = 3, PROPOSAL_EXPIRED = 4 };
#define PROPOSAL_S (24 * 60 * 60)

/* What was refused, without an event of its own. Numbered for ever. */
enum attempt_kind {
    ATTEMPT_PROOF = 1,         /* a connection that proved nothing, or something wrong */
    ATTEMPT_ENROLMENT = 2,     /* an enrolment code that is wrong, used or over */
    ATTEMPT_CONFLICT = 3,      /* a number of a lane with another request under it */
    ATTEMPT_NOT_PERMITTED = 4, /* a read that the role may not ask for */
    ATTEMPT_RATE = 5,          /* more refusals a day than are remembered */
};

/* Why the office should look at something (RELIABILITY.md, Audit and abuse), a bit each. Numbered for ever; on the wire. */
enum flag_kind {
    FLAG_CARD_HOUR = 0x01,      /* several purchases of a card in an hour at one till */
    FLAG_CARD_DAY = 0x02,       /* many purchases of a card on a day */
    FLAG_OPERATOR = 0x04,       /* the same operator and card again and again */
    FLAG_LATE_SALE = 0x08,      /* booked long after the sale */
    FLAG_POINTS_DAY = 0x10,     /* many points on a day */
    FLAG_QUICK_REDEEM = 0x20,   /* redeemed soon after the first earning */
    FLAG_STAFF = 0x40,          /* a staff card, at its owner's own till or too often */
    FLAG_UNLINKED = 0x80,       /* a return that should have named its purchase */
    FLAG_OFFLINE_LIMIT = 0x100, /* redeemed offline beyond what the till may */
    FLAG_UNKNOWN_CARDS = 0x200, /* a till asked for one unknown card after the other */
    FLAG_BLOCKED_LIMIT = 0x400, /* an advice beyond a limit that refuses requests */
};
