/*
 * The list that a till keeps of its own: what it was about to do, written and synced before, and what it was
 * told, written and synced after. It is what the ledger is held against at the end. One line of text each:
 *
 *      about 17 purchase card 3 amount 1500 refers 0 wish 12
 *      again 17                        its outcome was lost with the process; the same is done once more
 *      told 17 queued code 0 epoch 7233 number 4 position 0 points 0 spent 12
 *
 * A line without its end was not written: the till died.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum till_kind {
    TILL_PURCHASE,
    TILL_RETURN,
    TILL_REDEEM,
    TILL_HOLD,
    TILL_CAPTURE,
    TILL_RELEASE,
    TILL_VOID, /* of an earlier purchase */
    TILL_KINDS
};

/* What the customer was told. */
enum till_word {
    TILL_NOTHING, /* not yet */
    TILL_DONE,
    TILL_REFUSED,
    TILL_QUEUED,
    TILL_NOT_SENT,
    TILL_NOT_STORED, /* no points: the receipt says so */
    TILL_CANCELLED,
    TILL_WORDS
};

struct till_act {
    uint64_t seq; /* from 1, without gaps; the receipt or document number */
    enum till_kind kind;
    unsigned card;   /* till_card() */
    int64_t amount;  /* minor units, or points for redeem and hold */
    uint64_t refers; /* seq of the purchase, or of the hold; 0: none */
    int64_t wish;    /* points that a purchase is to redeem; 0: none */
    bool again;      /* tried more than once */
    enum till_word told;
    uint32_t code; /* why it was refused */
    uint64_t epoch, number, position;
    int64_t points; /* earned, taken, spent or held */
    int64_t spent;  /* by the wish of a purchase, as the receipt says */
    bool undone;    /* a purchase that a return or void refers to, a hold that was captured or released */
};

struct till_list {
    int fd; /* to append to; -1: only read */
    struct till_act *acts;
    size_t count, capacity;
};

/* Opens, or makes, and reads the file; what was not written whole is cut. False: it cannot be, or is no list.
 * */
bool till_list_open(const char *path, bool append, struct till_list *out);
void till_list_close(struct till_list *list);

/* Each is on the disk when it returns. False: it is not, and the till may not go on. */
bool till_list_about(struct till_list *list, const struct till_act *act);
bool till_list_again(struct till_list *list, uint64_t seq);
/* act has been told; its place in the list gets what it says. */
bool till_list_told(struct till_list *list, const struct till_act *act);

/* The act with this number; NULL: there is none. */
struct till_act *till_list_act(const struct till_list *list, uint64_t seq);

const char *till_kind_name(enum till_kind kind);
const char *till_word_name(enum till_word word);

/* So many cards behind those that are issued tills sell to as well, if they are told to. */
#define TILL_STRANGERS 4u

/* The card that all tills of a test call by this number, 13 digits and NUL. */
void till_card(unsigned index, char out_card[16]);

/* Numbers of the documents of an act: "R17" of a purchase, "D17" of a return. */
void till_document(const struct till_act *act, char out_document[24]);
