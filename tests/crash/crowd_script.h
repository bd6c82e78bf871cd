/*
 * What the lanes of a crowd ask for: a script of SCRIPT_STEPS steps with every operation that changes
 * something, over and over. A period is one time through it; it has cards of its own beside those that
 * stay. Amounts follow from the seed, and what a step says of an earlier one from that one's answer, which
 * is at least 8 numbers before: so a repeat is the same bytes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/message.h"

#define SCRIPT_STEPS 48u
#define SCRIPT_LINES 20u /* of a large receipt */

/* Whose points a step changes. A to E and the unknown card are those of a period; A ends merged into B. */
enum script_owner { OWNER_SHARED, OWNER_LANE, OWNER_A, OWNER_B, OWNER_C, OWNER_D, OWNER_UNKNOWN };
#define OWNERS 7

/* What became of a number. */
struct outcome {
    bool known;
    bool done;
    uint32_t crc; /* of the answer's type and body */
    uint64_t position;
    int64_t earned, redeemed; /* of purchases; redeemed also of redemptions and captures */
    int64_t change;           /* of the balance of the step's owner */
    int64_t moved;            /* to the other owner */
};

/* The lane of a crowd that asks. */
struct script {
    uint64_t seed, epoch;
    unsigned lane;
    const struct outcome *outcomes; /* of number i + 1; of all numbers below the one asked for that matter */
};

struct script_request {
    enum operation operation;
    uint16_t flags;
    const char *pin; /* the secret part; NULL: none */
    union {
        struct msg_card_issue_request issue;
        struct msg_purchase_request purchase;
        struct msg_return_request goods_return;
        struct msg_unlinked_return_request unlinked;
        struct msg_redeem_request redeem;
        struct msg_hold_request hold;
        struct msg_capture_request capture;
        struct msg_release_request release;
        struct msg_reversal_request reversal;
        struct msg_adjust_request adjust;
        struct msg_bonus_request bonus;
        struct msg_write_off_request write_off;
        struct msg_award_move_request move;
        struct msg_account_transfer_request transfer;
        struct msg_account_merge_request merge;
        struct msg_account_tag_request tags;
        struct msg_card_close_request act; /* block and unblock have the same fields */
        struct msg_card_replace_request replace;
        struct msg_card_add_request add;
        struct msg_card_pin_request set_pin;
        struct msg_programme_publish_request publish;
        struct msg_day_close_request close;
    } body;
    struct msg_line lines[SCRIPT_LINES];
    struct msg_wish wish;
    struct msg_return_line back;
    struct msg_tag tag;
};

/* A done answer, of whatever operation. */
union script_answer {
#define MESSAGE(name, doc) struct msg_##name name;
#define FIELD(message, KIND, name, need, limit, preset, doc)
#define LIST(message, element, name, limit, doc)
#define END(name)
#include "proto/messages.def"
#undef MESSAGE
#undef FIELD
#undef LIST
#undef END
};

/* The request of a number. */
void script_request(const struct script *script, uint64_t number, struct script_request *out);

/* What the done answer to a number says, decoded as its operation's; known and crc are the caller's. */
void script_outcome(const struct script *script, uint64_t number, const union script_answer *answer,
                    struct outcome *out);

/* The operation of a number, whose points it is about, and to whom it moves what it moves. */
enum operation script_operation(const struct script *script, uint64_t number);
enum script_owner script_owner_of(const struct script *script, uint64_t number);
#define SCRIPT_MOVED_TO OWNER_B

/* The card to look an owner up by, after the first up_to numbers. False: there is none (yet, or any more). */
bool script_card(const struct script *script, uint64_t period, enum script_owner owner, uint64_t up_to,
                 char out_card[16]);

/* Points that the daemon took by itself once this number was booked: a return had waited for it. */
int64_t script_waited(const struct script *script, uint64_t number, uint64_t up_to);

/* Whether A's points are B's after the first up_to numbers. */
bool script_merged(const struct script *script, uint64_t period, uint64_t up_to);

/* A random number of two things. */
uint64_t script_mixed(uint64_t seed, uint64_t a, uint64_t b);

/* Card 0 is everybody's, card 1 + i that of lane i. */
void script_lasting_card(unsigned index, char out_card[16]);
