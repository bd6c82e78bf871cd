/*
 * What the files of service share. Nobody else includes this.
 */
#pragma once

#include "base/base.h"
#include "ledger/event_codec.h"
#include "ledger/ledger.h"
#include "ledger/sha256.h"
#include "points/decide.h"
#include "proto/message.h"
#include "service/answers.h"
#include "service/guards.h"
#include "service/receipt_text.h"
#include "service/register.h"
#include "service/service.h"

#define REFUSAL_DETAIL_MAX 400  /* the limit of `detail`: what is longer is cut, for a long path is no bug */
#define REFUSAL_BYTES_MAX 512   /* of an encoded refusal */
#define IDENTITY_ANSWER_MAX 512 /* of an encoded answer of identity_add or identity_change */
#define PIN_CHECKS_MAX 64       /* that wait for the worker */
#define LANE_SLOTS 4096         /* of the table of lanes in use; collisions are chained */

/* Bits of `flags` in answers (messages.def). */
#define ANSWER_FLAG_SERVER_TIME 0x01 /* purchase, quote, return, unlinked return */
#define ANSWER_FLAG_SUSPENSE 0x02    /* purchase, quote */
#define ANSWER_FLAG_WAITS 0x02       /* return */
#define ANSWER_FLAG_SHORTFALL 0x04   /* purchase, quote */
#define ANSWER_FLAG_OLD_PERIOD 0x08  /* purchase, quote */

/* Any message, decoded. */
union message_any {
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

struct parked;

/* Events read back for one request: the sale of a return, what was spent on it, the original of a reversal. */
#define FETCHED_MAX (SPENT_BACK_MAX + 4)

/* One of them, decoded; one table for all requests, for only one is in hand. Made once. */
struct fetched {
    journal_position position; /* 0: free */
    bool readable;
    uint8_t *bytes; /* what event and memory point into; grows */
    size_t capacity, size;
    struct event event;
    struct event_memory memory;
};

/* The changes of one (identity, epoch), decided strictly in order. Lives while a session or a parked
 * request needs it; what lasts is in state. */
struct lane {
    uint64_t identity;
    uint64_t epoch;
    uint64_t highest; /* the last number with a final answer */
    uint32_t users;
    bool tombstones;             /* some number was reversed before it came: new ones are looked up */
    struct parked *parked_first; /* the first may be waiting for a thread, the others wait for it */
    struct parked **parked_end;
    bool waiting; /* the first of them is: for the reader, or for the worker */
    bool stalled; /* in service->stalled: could go on, but there was no room */
    struct lane *next_stalled;
    struct lane *next; /* in its slot of the table */
};

struct session {
    uint64_t conn;
    uint64_t identity; /* proven; 0 before hello */
    enum service_proof proof;
    struct registered *who; /* of the register; NULL: the local administrator, or nobody */
    bool local;             /* the local administrator */
    bool closing;           /* nothing more is taken from it */
    bool counted;           /* among the connections of `who` */
    uint32_t key_version;   /* of `who` when it connected */
    uint32_t code_handle;   /* CODE: of the code that it came with */
    utc_us key_ends;        /* of the certificate that it came with; 0: none */
    char source[48];
    struct session *next_of_identity, *previous_of_identity;
    struct lane *lane; /* NULL: this connection only reads */
    uint64_t claim;    /* the last number that the client has a final answer for, it says; 0: none */
    struct receipt_wish receipt;
};

/* One request on its way through a handler. */
struct request {
    struct service *service;
    struct session *session; /* NULL when it waited: the connection may be gone */
    uint64_t conn;
    uint64_t identity;
    struct lane *lane;
    const struct operation_row *row;
    uint16_t flags;
    uint64_t number;
    const uint8_t *body;
    uint32_t body_size;
    uint8_t fingerprint[16]; /* of a change */
    const union message_any *message;
    struct receipt_wish receipt; /* of the connection */
    struct text secret;          /* of a change: the PIN that came with it; empty: none */
    bool secret_broken;
    enum pin_check pin;   /* what is known of it */
    struct text pin_card; /* whose: set by pin_settle */
    bool answered;        /* refused on the way to its decision: there is nothing more to do */
    bool stalled;         /* no room was left for what had to come first */
    /*
     * Set while a proposal is decided by who approves it. `row` and what was sent are the proposal's then, and this is
     * the row of approval_decide: its is the answer, with that operation's inside.
     */
    const struct operation_row *approves_row;
    journal_position approves;
    struct text approval_note;
    millipoints proposed_points; /* what was asked for is no more than who approves it saw */
    utc_us proposed;             /* when */
    journal_position fetch;      /* what to read back: set with HANDLED_FETCH */
    struct account_pin check;    /* what to check the secret against: set with HANDLED_PIN */
    account_number check_for;
};

enum handled {
    HANDLED,       /* answered, or will be */
    HANDLED_FETCH, /* read the event at request->fetch, then ask again */
    HANDLED_PIN,   /* check the secret on the worker thread, then ask again */
    HANDLED_STALL, /* there is no room for the next event: ask again when there is */
};

/* Work that outlives the call that began it: on the reader thread, or behind it. */
struct pending {
    struct pending *next, **link; /* of service->pending, so that a stop can free it */
    void (*drop)(struct pending *pending);
    struct service *service;
    uint64_t conn;
    uint64_t number;
    uint16_t type;
    uint16_t flags;
};

/* A request that waits for a thread, or in its lane behind one that does. */
struct parked {
    struct pending pending;
    struct ledger_job job;
    void (*resume)(struct parked *parked);
    uint64_t identity;
    struct lane *lane; /* NULL: a read */
    struct parked *next;
    /* What was read back for it so far; bytes NULL: it cannot be read. */
    uint32_t fetched_count;
    struct {
        journal_position position;
        uint8_t *bytes;
        size_t size;
    } fetched[FETCHED_MAX];
    enum pin_check pin;
    struct account_pin check;
    account_number check_for;
    bool secret_broken;
    struct receipt_wish receipt;
    uint32_t secret_size;
    char secret[FRAME_SECRET_MAX];
    uint32_t body_size;
    uint8_t body[];
};

struct service {
    struct service_options options;
    struct ledger *ledger;
    struct answers answers;
    struct sha256 sha256;
    struct lane *lanes[LANE_SLOTS];
    struct lane *stalled;
    struct parked *waiting_stalled; /* returns that waited for their purchase, to be decided */
    bool returns_waited;            /* false: no return waits, so no purchase need look for one */
    struct pending *pending;
    struct programme **programmes; /* by version - 1 */
    uint32_t programme_count;
    struct points_view view;
    struct points_view view_of_reads; /* accounts as they are after what is due today */
    struct decision *scratch;
    bool verifying;   /* one verification at a time */
    uint32_t reports; /* being made */
    bool rehearsing;  /* one rehearsal at a time */

    /* Scratch of the request in hand, made once. */
    union message_any message;
    uint8_t *lists; /* decoded lists */
    size_t lists_size;
    struct sale_line lines[LINES_MAX]; /* of a request, for points */
    struct tender tenders[TENDERS_MAX];
    struct text coupons[COUPONS_MAX];
    struct wish wishes[REDEMPTIONS_MAX];
    struct msg_spent spent[REDEMPTIONS_MAX]; /* for answers */
    struct msg_part parts[AWARD_PARTS_MAX];
    struct receipt_scratch *receipt;
    struct return_request_line return_lines[LINES_MAX];
    uint8_t *bytes; /* an encoded answer, or what is hashed: FRAME_BODY_MAX */
    struct decision decision;
    struct fetched *fetched; /* FETCHED_MAX */
    uint32_t fetched_count;
    struct daily *daily;
    account_number pin_checks[PIN_CHECKS_MAX]; /* whose PIN the worker checks now */
    uint32_t pin_check_count;
    struct register_table *registered;             /* register.c */
    bool ending;                                   /* service_end was called */
    struct attempts *attempts;                     /* attempts.c */
    struct approvals *approvals;                   /* approvals.c: open proposals with their deadlines */
    struct till_fields till_fields[MESSAGE_COUNT]; /* permission.c */
    struct seals *seals;                           /* seals.c; NULL: none are made */
    uint8_t with_code[IDENTITY_ANSWER_MAX];
    struct registered *void_codes; /* whose enrolment code became void; it may have another by now */
};

/* --- service.c --- */

/* Appends an event of the daemon itself: no request, no answer. There must be room. */
void append_own(struct service *service, struct event *event);
/* Decodes the body into service->message, or refuses it as malformed. */
PUNKT_MUST_CHECK bool request_decode(struct request *request);

/* Puts work on the list of what a stop must free, and takes it off. */
void pending_add(struct pending *pending, const struct request *request,
                 void (*drop)(struct pending *pending));
void pending_remove(struct pending *pending);
/* What is to be answered once the work is done; the connection may be gone by then. */
struct request pending_request(const struct pending *pending);

/* --- lane.c --- */

/* The lane in use of (identity, epoch), from state if nobody used it; NULL: no memory. One user more. */
struct lane *lane_use(struct service *service, uint64_t identity, uint64_t epoch);
void lane_leave(struct service *service, struct lane *lane);
/* Asks the handler of a change. */
enum handled handle_change(struct request *request);
/* Takes a change: decides it, parks it or answers it. */
enum service_verdict lane_take(struct request *request);
/* A number of the lane was reversed before it came. */
void lane_tombstone(struct service *service, uint64_t identity, uint64_t epoch);
/* Goes on with lanes that had no room. */
void lanes_resume(struct service *service);

/* --- fetched.c: what is read back for a request --- */

/*
 * The event at a position that is known to be one's (from state); *out is NULL if it cannot be read. False: it is not here
 * yet, request->fetch says so: return HANDLED_FETCH. Valid until the request is handled.
 */
PUNKT_MUST_CHECK bool fetched_event(struct request *request, journal_position position,
                                    const struct event **out);
/* The bytes of one that is here, as fetched_take wants them. */
struct text fetched_bytes(struct service *service, journal_position position);
/* Forgets all; takes one over, copied. Bytes NULL: it cannot be read. */
void fetched_clear(struct service *service);
void fetched_take(struct service *service, journal_position position, const uint8_t *bytes, size_t size);
void fetched_free(struct service *service);

/* --- parked.c --- */

/* Copies the request. NULL: no memory. */
struct parked *park(const struct request *request);
/* The request again, with all that came so far in service->fetched. */
struct request parked_request(struct parked *parked);
/* Has done what `handled` asks for, then calls resume. */
void parked_wait(struct parked *parked, const struct request *request, enum handled handled,
                 void (*resume)(struct parked *parked));
void parked_free(struct parked *parked);

/* --- daily.c: what becomes due by itself (midnights of accounts, deadlines of holds) --- */

enum punkt_status daily_open(struct service *service, struct failure *failure);
/* A few accounts, a few holds: a slice. */
void daily_turn(struct service *service);
bool daily_has_work(const struct service *service);
void daily_hold_begun(struct service *service, journal_position hold, utc_us deadline);
void daily_free(struct service *service);
/* EVENT_DAY of an account, if it has something due. False: there was no room for it. */
PUNKT_MUST_CHECK bool daily_book(struct service *service, account_number account);

/* --- pins.c (LEDGER.md, Secrets) --- */

/*
 * Before a decision that asks for the PIN of a card's account: has the secret checked if there is one and the account has
 * a PIN. HANDLED: go on, request->pin is what to judge by (or, if request->answered, end); else return what it returns.
 */
enum handled pin_settle(struct request *request, struct text number);
/* What the PIN came with was refused: still it was right, and the count of wrong ones begins anew. */
void pin_was_right(struct request *request);
/* For a new PIN: hash and salt of the secret, in request->check once it says HANDLED. */
enum handled pin_make(struct request *request, struct text number);
/* Worker thread: PIN_RIGHT or PIN_WRONG; or makes hash and salt if pin->set is false. */
enum pin_check pin_work(const struct service *service, account_number account, struct text secret,
                        struct account_pin *pin);
/* Loop thread: the account's next try may be checked. */
void pin_done(struct service *service, account_number account);

/* --- booking.c: what changes have in common --- */

/*
 * After each decide_*: true if it must be asked again, for EVENT_DAY of an account had to come first and is booked now. Reads
 * book nothing: they decide with service->view_of_reads.
 *
 *      do
 *          decide_redeem(&service->view, &judgement, &redeem, decision);
 *      while (day_first(request));
 *      if (decision_ended(request, &handled))
 *          return handled;
 */
bool day_first(struct request *request);
/* Ends a change that was decided: refused and answered (HANDLED), without room (HANDLED_STALL); false: it is done, book it. */
bool decision_ended(struct request *request, enum handled *out_handled);

/* Points as on the wire: integers in the programme's smallest unit. */
int64_t points_to_wire(const struct service *service, millipoints points);
/* False: more than the ledger can hold. */
PUNKT_MUST_CHECK bool points_from_wire(const struct service *service, uint64_t points, millipoints *out);
/* The same of points that a change is about. False: refused, they are zero or too many. */
PUNKT_MUST_CHECK bool points_wanted(struct request *request, uint64_t points, millipoints *out);
struct judgement request_judgement(const struct request *request);
/* The key of a receipt or return document, with its business date: as sent, or the day it is judged at. */
struct document document_of(const struct request *request, enum document_kind kind,
                            const struct wire_code *store, const struct wire_code *till, uint64_t date,
                            uint64_t time, const struct wire_code *number);
local_day today(struct service *service);

/* Books the event of a decision: the answer goes into it and leaves when it is durable. The message's field
 * `position` is filled here. */
void book(struct request *request, struct event *event, union message_any *answer);
/* Refuses for good: an event, so that a repeat is refused alike. */
void refuse(struct request *request, enum result result, const char *detail);
/* The same by an event that says more than EVENT_REFUSAL. */
void refuse_by(struct request *request, struct event *event, enum result result, const char *detail);
enum result result_of(enum refusal refusal);
/* Refuses as the decision says. */
void refuse_decision(struct request *request);
/* A read is refused as the decision says. */
void answer_decision(struct request *request);
/* Refuses without a trace: malformed, or to be tried again. */
void refuse_now(struct request *request, enum result result, const char *detail);

/* Ties this number to the event that answered the same before: its answer again. */
void tie(struct request *request, const struct event *first, journal_position position,
         const struct document *document);

enum document_check { DOCUMENT_NEW, DOCUMENT_SETTLED, DOCUMENT_FETCH };
/*
 * Looks a receipt or return document up. SETTLED: it was booked before, and the answer (the first again,
 * tied to this number; or `receipt already used`) is on its way. content: of this request.
 */
enum document_check document_settle(struct request *request, const struct document *document,
                                    const uint8_t content[16]);

/* The first 16 bytes of SHA-256 over type (little-endian) and bytes. */
void hash16(struct service *service, uint16_t type, const void *bytes, size_t size, uint8_t out[16]);
/* The content of a document: a hash over the message without what a second sending may change (time, operator)
 * and what its key holds already. The copy is the caller's, with those fields emptied. */
void content_of(struct service *service, enum message message, const void *copy, uint8_t out[16]);
/* The balance of a side after the event of service->decision. */
struct balance balance_after(struct service *service, uint32_t side);

/* --- sales.c --- */

/* How a request names a purchase: by position, or by receipt. */
struct sale_name {
    journal_position position;            /* 0: by receipt */
    const struct wire_code *store, *till; /* empty: here */
    const struct wire_code *here_store, *here_till;
    const struct wire_code *receipt; /* empty: none is named */
    uint64_t date;                   /* 0: the newest of this number up to `on`, 100 days back */
    local_day on;
};

/* Where it stands; 0: nowhere. out_document: what was looked for, number empty if by position. */
journal_position sale_find(struct request *request, const struct sale_name *name,
                           struct document *out_document);
/* Whether an event that was read back was booked there, by the index of its request. */
bool event_is_at(struct service *service, const struct event *event, journal_position position);
/* The purchase at a position, read back; NULL: there is none. False: HANDLED_FETCH. Position 0: none. */
PUNKT_MUST_CHECK bool sale_fetch(struct request *request, journal_position position,
                                 const struct event **out);
/* The redemptions that named it (struct returned, spent), read back. False: HANDLED_FETCH. */
PUNKT_MUST_CHECK bool spent_fetch(struct request *request, journal_position sale,
                                  const struct event *out[SPENT_BACK_MAX]);

/* --- waiting.c: returns that came before their purchase (DOMAIN.md, Returning goods) --- */

/* The purchase with this key was booked: what waits for it is decided at the next turn. */
void waiting_end(struct service *service, const struct document *sale);
void waiting_turn(struct service *service);
PUNKT_MUST_CHECK enum punkt_status waiting_open(struct service *service, struct failure *failure);

/* --- receipts.c: each into the service's scratch of that name; returns the count --- */

uint32_t lines_for_points(struct service *service, const struct msg_line *lines, uint64_t count);
uint32_t tenders_for_points(struct service *service, const struct msg_tender *tenders, uint64_t count);
uint32_t coupons_for_points(struct service *service, const struct msg_coupon *coupons, uint64_t count);
void wishes_for_points(struct request *request, const struct msg_wish *wishes, uint64_t count);
/* Reads back the holds that an advice captures. False: HANDLED_FETCH. */
PUNKT_MUST_CHECK bool wishes_fetch(struct request *request, uint64_t count);
void spent_for_wire(struct service *service, const struct redemption *redemptions, uint32_t count);
/* The part's name in the version that rated it. */
struct text part_name(const struct programme *programme, const struct award_part *part);
uint32_t parts_for_wire(struct service *service, const struct programme *programme,
                        const struct award_part *parts, uint32_t count);
/* The flags of a purchase_answer or quote_answer. */
uint64_t flags_for_wire(const struct event *event);

/* --- reading.c: what reads have in common --- */

/* Answers a read when the event at wait_for is durable (0: at once). */
void answer_read(struct request *request, const union message_any *answer, journal_position wait_for);
void answer_bytes(struct service *service, uint64_t conn, uint16_t type, uint16_t flags, uint64_t number,
                  const void *bytes, size_t size, journal_position wait_for);
/* The same for an answer to a change without an event of its own: it leaves behind the lane's answers before it. */
void answer_in_order(struct service *service, uint64_t conn, uint16_t type, uint16_t flags, uint64_t number,
                     const void *bytes, size_t size, journal_position wait_for);
/* The body of a refusal, into out; returns its size. */
size_t refusal_encode(enum result result, const char *detail, int64_t needed, int64_t available,
                      uint8_t out[REFUSAL_BYTES_MAX]);
/* A read is refused for what state says: that must be durable, as what a read answers. */
void refuse_read(struct request *request, enum result result, const char *detail);
/* A refusal of a read, or one without trace. */
void answer_refusal(struct service *service, uint64_t conn, uint16_t type, uint64_t number,
                    enum result result, const char *detail, journal_position wait_for);
/* Why a read has no answer now: RESULT_BUSY. */
#define JOURNAL_UNREADABLE "that part of the journal cannot be read now"
#define STATE_UNREADABLE "state cannot be read"
/* 0: never, or no day. */
uint64_t day_for_wire(local_day day);
struct text text_of_code(const struct wire_code *code);
struct text text_of_message(struct message_text text);
/* A name of the programme, or what was a code when it came. */
void code_for_wire(struct text text, struct wire_code *out);
struct place place_of(const struct wire_code *store, const struct wire_code *till,
                      const struct wire_code *operator, uint64_t business_date);
/* What an effect freed of holds. */
millipoints points_freed(const struct effect *effect);

/* --- event_texts.c: what an event says of itself, whatever its type; borrowed from it --- */

/* Empty: none. */
struct text event_reason(const struct event *event);
struct text event_note(const struct event *event);
/* The event that it refers to: the purchase of a return, the hold of a capture, the original of a reversal. 0: none. */
journal_position event_refers(const struct event *event);

/* --- programmes.c --- */

enum punkt_status programmes_load(struct service *service, struct failure *failure);
const struct programme *programme_in_force(const struct service *service, utc_us time);
/* The newest: its currency and decimals are everybody's. */
const struct programme *programme_newest(const struct service *service);
/*
 * Takes a text as the next version, compiled; what is left is to append its event. PUNKT_INVALID: failure says why not.
 * `from` in the past: now. The text is borrowed until then.
 */
PUNKT_MUST_CHECK enum punkt_status programme_prepare(struct service *service, struct text text, utc_us from,
                                                     struct programme_record *out_record,
                                                     struct failure *failure);
/*
 * Whether a text has the limits of roles that the newest version has; only the administrator may publish others, for whoever
 * has a limit would else raise it first. An invalid text changes none.
 */
PUNKT_MUST_CHECK bool programme_keeps_limits(const struct service *service, struct text text);
/* What a valid text may not change any more: a problem of the whole. */
void programme_against_first(struct service *service, struct text text,
                             void (*each)(void *ctx, uint32_t line, uint32_t column, struct text what),
                             void *ctx);
/* Compiles a text that might become the next version. PUNKT_INVALID: failure says why it cannot. */
PUNKT_MUST_CHECK enum punkt_status programme_draft(struct service *service, struct text text,
                                                   struct programme *out, struct failure *failure);
struct event programme_event(const struct programme_record *record);
/* Names of the newest version that has the id; empty: none has. */
struct text reward_name(const struct service *service, uint64_t id);
struct text reward_voucher(const struct service *service, uint64_t id);
struct text tier_name(const struct service *service, uint64_t id);
struct text purse_name(const struct service *service, uint64_t id);
struct text offer_name(const struct service *service, uint64_t id);
void programmes_free(struct service *service);

/* --- op_day_totals.c --- */

/* What is booked of a till's day (day NULL: nothing), without its closes. lanes: TILL_EPOCHS_MAX of them. */
void day_for_answer(const struct service *service, const struct till_day *day, struct msg_lane_range *lanes,
                    struct msg_day_totals_answer *out);

/* --- one handler an operation: handle_NAME in op_*.c --- */

#define OPERATION(code, NAME, name, kind, roles, doc) enum handled handle_##name(struct request *request);
#include "proto/operations.def"
#undef OPERATION
