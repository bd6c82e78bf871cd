/*
 * Inside the mock. Sockets and time are in mock_net.c; frames, lanes and rules in mock_lanes.c; what is remembered in
 * mock_changes.c; what requests come to in mock_ledger.c, mock_goods.c, mock_spending.c and mock_days.c; what points are
 * worth in mock_points.c.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "cli/mock.h"
#include "cli/mock_json.h"
#include "cli/mock_script.h"
#include "proto/message.h"

#define MOCK_LINES_MAX 4096 /* of a receipt: the limit of the field */
#define MOCK_HOLD_S 900     /* how long a hold lives that does not say, as punktd's preset has it */
#define MOCK_FINGERPRINT_SIZE 16

enum mock_card_status {
    MOCK_CARD_UNKNOWN = 0,
    MOCK_CARD_ACTIVE = 1,
    MOCK_CARD_BLOCKED = 2,
    MOCK_CARD_REPLACED = 3,
    MOCK_CARD_CLOSED = 4,
    MOCK_CARD_SUSPENSE = 5,
};

/* A card and its account: here each has one. */
struct mock_account {
    struct wire_code card;
    uint64_t number;
    enum mock_card_status status;
    bool issued;  /* by a request */
    int64_t free; /* points that are not held; below zero: debt */
    int64_t held;
    int64_t lifetime;
    struct mock_account *beside; /* what advices brought after its card was closed; NULL: nothing */
    struct wire_code tier;
    uint64_t expiry_day;
    int64_t expiry_points;
    uint64_t last_purchase, last_event;
};

enum mock_hold_end { MOCK_HOLD_OPEN, MOCK_HOLD_CAPTURED, MOCK_HOLD_RELEASED, MOCK_HOLD_TIMED_OUT };

/* What a change came to. Positions are those of other changes; 0: none. */
struct mock_made {
    bool booked;    /* done, and not for the second time */
    bool suspended; /* to what waits for the card */
    struct mock_account *account;
    struct wire_code store, till;
    uint64_t date;  /* business date under which a till's day counts it */
    char *document; /* its key in the index while it stands; owned */
    int64_t amount, worth;
    int64_t points;       /* earned, taken, redeemed or held */
    int64_t sent;         /* of a return: the amount that the request said; 0: lines */
    uint64_t close_state; /* of a day's close */
    int64_t given;        /* points that went to the account: of a return, a reversal */
    uint64_t
        of; /* of a return or redemption its purchase, of a capture its hold, of a reversal the original */
    uint64_t undone;           /* its reversal */
    int64_t returned;          /* of a purchase: points that returns took of it so far */
    int64_t by_amount;         /* of a purchase or return: minor units that came back as amounts */
    int64_t spent, spent_back; /* of a purchase: points spent on it, those of them that came back */
    uint64_t wishes;           /* of a purchase: its own redemptions */
    int64_t wished;            /* and the points that they spent */
    int64_t paid, paid_later;  /* money off by its own redemptions, and by those that named it afterwards */
    uint64_t *
        lines; /* of a purchase, by line: thousandths that came back, by quantity, then by amount; of a return its own */
    size_t line_count;
    enum mock_hold_end end; /* of a hold */
    uint64_t ended;         /* what captured it */
    uint64_t deadline;
};

/* A request that was answered for good, or a command that changed a card: what happened, in its order. */
struct mock_change {
    uint64_t position; /* counts from 1 */
    uint64_t epoch, number;
    const struct operation_row *row; /* NULL: a command, or a tombstone's number */
    uint16_t flags;
    uint64_t time_us; /* when it was decided */
    uint8_t fingerprint[MOCK_FINGERPRINT_SIZE];
    uint8_t *body; /* as received, without its secret part */
    size_t body_size;
    uint16_t answer_type;
    uint8_t *answer;
    size_t answer_size;
    bool forced;            /* the answer is a rule's, not the ledger's */
    uint64_t first;         /* a tie: what it stands for */
    struct mock_card *card; /* a command; owned */
    struct mock_made made;
};

/* Why not. */
struct mock_refusal {
    enum result result;
    char detail[96];
    int64_t needed, available;
};

struct mock_net; /* mock_net.c */

struct mock {
    struct mock_options options;
    unsigned currency_exponent;
    uint64_t term;
    bool zone_known;
    struct mock_line *rules;
    size_t rule_count, rule_capacity;
    struct mock_change **changes;
    size_t change_count, change_capacity;
    struct mock_account **accounts;
    size_t account_count, account_capacity;
    /* Keys of changes, lanes, tombstones, documents and cards, with a letter before; values are places or numbers. */
    json_t *index;
    size_t open_holds;
    struct mock_refusal refusal;
    /* Of the request in hand. */
    union mock_message message, answer;
    uint8_t *lists, *more_lists; /* what decoded lists are placed in, MOCK_LISTS_SIZE each */
    uint8_t *bytes;              /* FRAME_BODY_MAX, of the answer */
    struct msg_spent spent[8];   /* lists of the answer, as long as they may be */
    struct msg_lane_range lanes[16];
    struct msg_number_block blocks[128];
    struct msg_text_line text[2];
    char text_bytes[2][64];
    uint64_t receipt_width; /* of the session in hand */
    uint64_t now_us;        /* of the decision */
    struct mock_net *net;
};

#define MOCK_LISTS_SIZE (MOCK_LINES_MAX * (sizeof(struct msg_line) + sizeof(struct msg_return_line)) + 65536)

/* --- mock_net.c --- */

/* Opens the listener. False: out_why says why. */
bool mock_net_open(struct mock *mock, const char *listen, char out_why[MOCK_WHY_SIZE]);
void mock_net_close(struct mock *mock);

/* Does what commands of connections say. */
void mock_net_command(struct mock *mock, const struct mock_line *line);

/* --- mock_lanes.c --- */

/* What a connection has said of itself. */
struct mock_session {
    bool hello_said;
    uint64_t epoch; /* 0: no lane */
    uint64_t claim; /* up to here the client has final answers, it says */
    uint64_t receipt_width;
};

/* A frame, looked at. */
struct mock_request {
    const struct frame *frame;
    const struct operation_row *row; /* NULL: unknown */
    const uint8_t *body;             /* without the secret part */
    size_t body_size;
    bool decoded;      /* into mock->message */
    bool secret_wrong; /* the secret part is none */
    const char *field; /* that is wrong, if it is not decoded */
};

struct mock_reply {
    uint16_t type, flags;
    size_t body_size; /* of mock->bytes */
};

void mock_request_look(struct mock *mock, const struct frame *frame, struct mock_request *out);

/* The first rule of this verb for the request, which has one time less from then on; NULL: none. */
const struct mock_line *mock_rule_take(struct mock *mock, enum mock_verb verb,
                                       const struct mock_request *request);

/* Decides, and writes the answer. */
void mock_request_take(struct mock *mock, struct mock_session *session, const struct mock_request *request,
                       struct mock_reply *out);

/* The refusal of a frame whose body is too long. */
void mock_frame_broken(struct mock *mock, const struct frame *frame, struct mock_reply *out);

/* --- mock_changes.c --- */

/* Keeps a command that changes a card, and does it. False: no memory. */
bool mock_card_set(struct mock *mock, const struct mock_card *card);

/* Forgets the last so many that were booked, and all behind the first of them. MOCK_EVERYTHING: all. */
#define MOCK_EVERYTHING UINT64_MAX
void mock_lose(struct mock *mock, uint64_t count);

/* Decodes the request of a change again, beside that in hand, and for as long as nobody else does so. */
void mock_change_read(struct mock *mock, const struct mock_change *change, union mock_message *out);

struct mock_change *mock_change_at(const struct mock *mock, uint64_t position); /* NULL: none */
struct mock_change *mock_change_named(const struct mock *mock, uint64_t epoch, uint64_t number);

/* Places in the index. out_value is left alone if there is none. */
bool mock_index_get(const struct mock *mock, const char *key, uint64_t *out_value);
void mock_index_set(struct mock *mock, const char *key, uint64_t value);

#define MOCK_NAME_SIZE 48
/* "c:EPOCH:NUMBER" and such; returns out. */
const char *mock_name(char letter, uint64_t epoch, uint64_t number, char out[MOCK_NAME_SIZE]);

/* Highest number of a lane with a final answer; and it is at least this one from now on. */
uint64_t mock_lane_highest(const struct mock *mock, uint64_t epoch);
void mock_lane_move(struct mock *mock, uint64_t epoch, uint64_t highest);

/* A change that is not there yet, though its position is; NULL: no memory. It is added, or freed. */
struct mock_change *mock_change_new(struct mock *mock);
void mock_change_add(struct mock *mock, struct mock_change *change);
void mock_change_free(struct mock_change *change);

/* Bytes of one's own, to be freed; NULL: no memory. */
uint8_t *mock_copy(const void *bytes, size_t size);

/* --- mock_ledger.c --- */

/* What a request came to. */
enum mock_verdict {
    MOCK_DONE,    /* the answer is in mock->answer */
    MOCK_REFUSED, /* mock->refusal says why, nothing happened */
    MOCK_TIED,    /* change->first was the same: its answer again */
    MOCK_UNKNOWN, /* the mock does not play this operation */
};

/* Decides a change from mock->message and books it. */
enum mock_verdict mock_decide(struct mock *mock, struct mock_change *change);

/* Answers a read from mock->message. */
enum mock_verdict mock_read(struct mock *mock, enum operation operation);

/* Sets mock->refusal; MOCK_REFUSED. */
enum mock_verdict mock_refuse(struct mock *mock, enum result result, const char *detail);
enum mock_verdict mock_refuse_for(struct mock *mock, enum result result, int64_t needed, int64_t available);

/* The account of a card. NULL: the card is not known, or there is no memory; create: only the latter. */
struct mock_account *mock_account(struct mock *mock, const struct wire_code *card, bool create);
int64_t mock_available(const struct mock_account *account);
int64_t mock_debt(const struct mock_account *account);

/* The account of a card that may earn, or spend; NULL and a refusal if it may not (punktd's presets). */
struct mock_account *mock_account_to_earn(struct mock *mock, const struct wire_code *card);
struct mock_account *mock_account_to_spend(struct mock *mock, const struct wire_code *card);
/* The same for what is undone or given back: whatever its status is. */
struct mock_account *mock_account_known(struct mock *mock, const struct wire_code *card);
/* And for what has happened already: a card that is not known has what waits for it. *out_suspended says so. */
struct mock_account *mock_account_of_advice(struct mock *mock, const struct wire_code *card,
                                            bool *out_suspended);
bool mock_may_earn(const struct mock_account *account);

/* And for purchases that have happened: beside the account where that is closed. */
struct mock_account *mock_account_beside(struct mock *mock, const struct wire_code *card,
                                         bool *out_suspended);

/* Gives back what holds of the account have set aside that are over now. */
void mock_holds_end(struct mock *mock);

/* The day of a time in the zone; the time a request is judged at, and whether that is the server's own instead. */
uint64_t mock_day(uint64_t time_us);
uint64_t mock_time(const struct mock *mock, uint64_t time_us, uint16_t flags, bool *out_servers);

/*
 * The document of a receipt or return, kind 's' or 'r'. MOCK_DONE: it is new, and change->made.document its key (NULL
 * without a number). content, of the request without what may differ, is compared with that of the first.
 */
struct mock_document {
    char kind;
    const struct wire_code *store, *till, *number;
    uint64_t date, time;
};
enum mock_verdict mock_document(struct mock *mock, struct mock_change *change,
                                const struct mock_document *document);

/* The key of a document, to be freed; NULL without a number or memory. */
char *mock_document_key(char kind, const struct wire_code *store, const struct wire_code *till, uint64_t date,
                        const struct wire_code *number);

/* --- mock_points.c --- */

/* value * part / whole, down; the product may need more than 64 bits. */
int64_t mock_share(int64_t value, int64_t part, int64_t whole);

/* Points for so much of the currency; what points are worth. */
int64_t mock_rate(const struct mock *mock, int64_t base);
int64_t mock_worth(const struct mock *mock, int64_t points);

/* As many points as a bill takes, and what they are worth. */
int64_t mock_cut(const struct mock *mock, int64_t points, int64_t bill, int64_t *out_worth);

int64_t mock_power_of_ten(unsigned exponent);

/* --- mock_goods.c, mock_spending.c, mock_days.c: what operations come to --- */

/* The purchase that a return or redemption names; NULL: unknown. */
struct mock_sale_name {
    uint64_t position, date, on;
    const struct wire_code *store, *till, *here_store, *here_till, *receipt;
};
struct mock_change *mock_sale(struct mock *mock, const struct mock_sale_name *name);

/* Ends an open hold; what it has set aside is free again. */
void mock_hold_end(struct mock *mock, struct mock_change *hold, enum mock_hold_end end, uint64_t by);

/* Spends for the wishes of a receipt; MOCK_DONE, or why not. */
enum mock_verdict mock_wishes(struct mock *mock, struct mock_change *change, struct mock_account *account,
                              const struct msg_purchase_request *request, struct msg_purchase_answer *out);

/* Of a purchase: what has not come back, minor units. Of a return: makes its purchase as if it had not been. */
int64_t mock_goods_left(struct mock *mock, struct mock_change *sale);
void mock_return_undo(struct mock *mock, struct mock_change *goods);

typedef enum mock_verdict mock_decide_fn(struct mock *mock, struct mock_change *change);
typedef enum mock_verdict mock_read_fn(struct mock *mock);

mock_decide_fn mock_purchase, mock_return, mock_unlinked_return, mock_redeem, mock_hold, mock_capture,
    mock_release, mock_reversal, mock_day_close;
mock_read_fn mock_quote, mock_return_preview, mock_day_totals, mock_day_numbers;
