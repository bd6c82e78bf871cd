/*
 * libpunkt: what a cash register links to give, take and show points.
 *
 * A handle (struct punkt) stands for one connection to a server, one lane of changes, and what is known of the
 * server. It connects by itself when there is something to send, connects again after a loss, and sends again
 * what was not answered, under the same number, so that the server books it once.
 *
 *      struct punkt_options options = { .size = sizeof(options), .server = "127.0.0.1:7400" };
 *      struct punkt *punkt;
 *      if (punkt_new(&options, &punkt) != PUNKT_CALL_DONE) ...
 *      struct punkt_purchase_request sale = { .size = sizeof(sale), .card = "2900000000018", .amount = 10500 };
 *      struct punkt_purchase_answer answer = PUNKT_ANSWER_INIT(answer);
 *      switch (punkt_purchase(punkt, &sale, &answer)) ...
 *
 * Structs. Every struct of this header begins with its size, which the caller sets to sizeof; the PUNKT_..._INIT
 * macros do. In requests and options zero, or NULL, always means "the default", so that a designated initializer
 * names only what matters. Later versions add fields at the end, none of them in what was padding, and move none;
 * struct punkt_answer, which stands inside others, has its reserved words for that and never grows. So a program runs
 * with a library of another age than its header. What the caller does not have is as if it were zero; what this
 * library does not have, it refuses where it is not zero (PUNKT_CALL_INVALID), and leaves zero in answers. Structs
 * that the library hands out are to be read no further than their size says.
 *
 * Two planes. A call ends on one of two planes: the server answered (DONE or REFUSED), or it did not (NOT_SENT,
 * UNKNOWN). A missing answer is never a failure: after UNKNOWN the change may have been booked, or may be yet.
 * See enum punkt_call and "Numbers, lanes and doubt" below.
 *
 * Units. Amounts are integers in minor units of the programme's currency (cents), points integers in the
 * programme's smallest unit, times microseconds since 1970-01-01 00:00 UTC, days whole days since then, and
 * quantities thousandths of a unit. struct punkt_server_info says how many decimals people expect.
 *
 * Texts are UTF-8 and end with NUL. "Code" below: 1 to 32 bytes without control characters; for cards 1 to 32
 * of A-Z a-z 0-9 . _ % + @ -. NULL and "" both mean none.
 *
 * Ownership. What a call takes is the caller's and is not kept: requests are encoded before the call returns.
 * Pointers inside answers point into the handle and are valid until the next call with that handle (in a
 * callback: until it returns). Texts that belong to no handle, such as names of results, are valid for ever.
 *
 * Threads. A handle is used by one thread at a time, also by functions that only ask; two handles share nothing.
 * Functions that take no handle, and punkt_new, may be called from any thread at any time: "any thread" below. A
 * handle is not used in the child of a fork. The library starts no threads, installs no signal handlers, raises no
 * SIGPIPE, and never ends the process.
 */
#ifndef PUNKT_H
#define PUNKT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define PUNKT_API __attribute__((visibility("default")))
#else
#define PUNKT_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Initializers: size set, all else zero. `variable` is the struct being initialized. */
#ifdef __cplusplus
#define PUNKT_INIT(variable)                                                                                 \
    {                                                                                                        \
        sizeof(variable)                                                                                     \
    }
#define PUNKT_ANSWER_INIT(variable)                                                                          \
    {                                                                                                        \
        {                                                                                                    \
            sizeof(variable)                                                                                 \
        }                                                                                                    \
    }
#else
#define PUNKT_INIT(variable)                                                                                 \
    {                                                                                                        \
        .size = sizeof(variable)                                                                             \
    }
#define PUNKT_ANSWER_INIT(variable)                                                                          \
    {                                                                                                        \
        .head = {.size = sizeof(variable) }                                                                  \
    }
#endif

#define PUNKT_CARD_MAX 32    /* bytes of a card number or another code, without NUL */
#define PUNKT_LINES_MAX 4096 /* lines of a receipt or return */
#define PUNKT_WISHES_MAX 8   /* wishes of a receipt */
#define PUNKT_WINDOW_MAX 64  /* requests of a handle that may be unanswered at once */

/* ------------------------------------------------------------------------------------------------ how calls end */

enum punkt_call {
    /* The server did it, durably. (Or answered a question.) */
    PUNKT_CALL_DONE = 0,
    /* The server said no. answer.code says why; if answer.retryable, the deadline passed while it kept saying
     * "not now", nothing was booked, and the same call may be made again. Any other no is final. */
    PUNKT_CALL_REFUSED = 1,
    /* Only of a handle with an outbox: stored here durably, outcome not known yet. A purchase or return has happened,
     * and will be booked; anything else counts only on DONE: wait for it, or cancel it. See "The outbox". */
    PUNKT_CALL_QUEUED = 2,
    /* No answer, and nothing of the request left this machine: nothing was booked or will be. */
    PUNKT_CALL_NOT_SENT = 3,
    /* No answer, but the request was sent, in part at least. See "Numbers, lanes and doubt". */
    PUNKT_CALL_UNKNOWN = 4,
    /* The call itself is wrong (a field out of range, a struct too small, a bad server address, a blocking call
     * inside a callback); answer.detail, or punkt_trouble(), says what. Nothing was sent. */
    PUNKT_CALL_INVALID = 5,
    /* punkt_submit_...: as many requests as the window allows are unanswered. Process, then submit again. */
    PUNKT_CALL_WINDOW_FULL = 6,
    PUNKT_CALL_NO_MEMORY = 7,
    /* The outbox could not take it (full, or the disk refused); answer.detail says why. Nothing was sent: sell
     * without points, and say so on the receipt. */
    PUNKT_CALL_NOT_STORED = 8,
};

/* Why the server refused. Numbers are for ever; a newer server may send ones that are not listed here. */
enum punkt_result {
    PUNKT_RESULT_DONE = 0,
    PUNKT_RESULT_FRAME_TOO_LARGE = 1,
    PUNKT_RESULT_HELLO_FIRST = 2,
    PUNKT_RESULT_VERSION = 3,
    PUNKT_RESULT_UNKNOWN_OPERATION = 4,
    PUNKT_RESULT_MALFORMED = 5,
    PUNKT_RESULT_NOT_READY = 6,
    PUNKT_RESULT_BUSY = 7,
    PUNKT_RESULT_OUT_OF_ORDER = 8,
    PUNKT_RESULT_CONFLICT = 9,
    PUNKT_RESULT_NOT_PERMITTED = 10,
    PUNKT_RESULT_RATE = 11,
    PUNKT_RESULT_STORAGE_FULL = 12,
    PUNKT_RESULT_INVALID_CARD_NUMBER = 13,
    PUNKT_RESULT_LINES_MISMATCH = 14,
    PUNKT_RESULT_RECEIPT_USED = 15,
    PUNKT_RESULT_CARD_EXISTS = 16,
    PUNKT_RESULT_UNKNOWN_CARD = 17,
    PUNKT_RESULT_CARD_CLOSED = 18,
    PUNKT_RESULT_CARD_REPLACED = 19,
    PUNKT_RESULT_CARD_BLOCKED = 20,
    PUNKT_RESULT_UNKNOWN_PURCHASE = 21,
    PUNKT_RESULT_OTHER_ACCOUNT = 22,
    PUNKT_RESULT_UNKNOWN_LINE = 23,
    PUNKT_RESULT_MORE_THAN_SOLD = 24,
    PUNKT_RESULT_UNKNOWN_REASON = 25,
    PUNKT_RESULT_NOT_ENOUGH_POINTS = 26,
    PUNKT_RESULT_OVER_LIMIT = 27,
    PUNKT_RESULT_UNKNOWN_VERSION = 28,
    PUNKT_RESULT_CLOCK_FINE = 29,
    PUNKT_RESULT_WILL_BE_REFUSED = 30,
    PUNKT_RESULT_CARD_NOT_BLOCKED = 31,
    PUNKT_RESULT_ACCOUNT_CLOSED = 32,
    PUNKT_RESULT_SAME_ACCOUNT = 33,
    PUNKT_RESULT_UNKNOWN_HOLD = 34,
    PUNKT_RESULT_HOLD_ENDED = 35,
    PUNKT_RESULT_CANNOT_BE_REVERSED = 36,
    PUNKT_RESULT_DOES_NOT_MATCH = 37,
    PUNKT_RESULT_PURCHASE_REVERSED = 38,
    PUNKT_RESULT_UNLINKED_OFF = 39,
    PUNKT_RESULT_UNKNOWN_REWARD = 40,
    PUNKT_RESULT_UNKNOWN_OFFER = 41,
    PUNKT_RESULT_NOT_OFFERED = 42,
    PUNKT_RESULT_PIN_NEEDED = 43,
    PUNKT_RESULT_PIN_WRONG = 44,
    PUNKT_RESULT_PIN_LOCKED = 45,
    PUNKT_RESULT_OUT_OF_STOCK = 46,
    PUNKT_RESULT_LIMIT_REACHED = 47,
    PUNKT_RESULT_MORE_THAN_HELD = 48,
    PUNKT_RESULT_BELOW_MINIMUM = 49,
    PUNKT_RESULT_NOT_ENOUGH_STAMPS = 50,
    PUNKT_RESULT_NOTHING_TO_DO = 51,
    PUNKT_RESULT_NEEDS_APPROVAL = 52,
    PUNKT_RESULT_INVALID_PROGRAMME = 53,
    PUNKT_RESULT_UNKNOWN_EVENT = 54,
    PUNKT_RESULT_TOO_OFTEN = 55,
    PUNKT_RESULT_UNKNOWN_IDENTITY = 56,
    PUNKT_RESULT_IDENTITY_EXISTS = 57,
    PUNKT_RESULT_IDENTITY_REVOKED = 58,
    PUNKT_RESULT_CODE_USED = 59,
    PUNKT_RESULT_UNKNOWN_PROPOSAL = 60,
    PUNKT_RESULT_PROPOSAL_ENDED = 61,
    PUNKT_RESULT_OWN_PROPOSAL = 62,
    PUNKT_RESULT_UNKNOWN_FLAG = 63,
    PUNKT_RESULT_NOT_SET_UP = 64,
    /* Said by this library, never by a server. */
    PUNKT_RESULT_OFFLINE = 200, /* points cannot be redeemed now: the server is away */
};

/* What a result is called in JSON ("unknown_card"), and in a sentence; never NULL. Any thread. */
PUNKT_API const char *punkt_result_name(uint32_t code);
PUNKT_API const char *punkt_result_text(uint32_t code);
/* Whether the same request may succeed later, under the same number. Any thread. */
PUNKT_API bool punkt_result_retryable(uint32_t code);
/* What the command `punkt` exits with after this refusal: 1, 3, 4, 5 or 6; 0 for PUNKT_RESULT_DONE. Any thread. */
PUNKT_API int punkt_result_exit_code(uint32_t code);
/* "done", "refused", "queued", "not_sent", "unknown", "invalid", "window_full", "no_memory",
 * "not_stored". Any thread. */
PUNKT_API const char *punkt_call_name(enum punkt_call call);

enum punkt_operation {
    PUNKT_OPERATION_NONE = 0,
    PUNKT_OPERATION_HELLO = 1,
    PUNKT_OPERATION_PING = 2,
    PUNKT_OPERATION_STATUS = 3,
    PUNKT_OPERATION_CARD_ISSUE = 16,
    PUNKT_OPERATION_CARD_SHOW = 17,
    PUNKT_OPERATION_CARD_BLOCK = 18,
    PUNKT_OPERATION_CARD_UNBLOCK = 19,
    PUNKT_OPERATION_CARD_REPLACE = 20,
    PUNKT_OPERATION_CARD_ADD = 21,
    PUNKT_OPERATION_CARD_CLOSE = 22,
    PUNKT_OPERATION_ACCOUNT_MERGE = 23,
    PUNKT_OPERATION_ACCOUNT_TRANSFER = 24,
    PUNKT_OPERATION_ACCOUNT_TAG = 25,
    PUNKT_OPERATION_OFFER_ACTIVATE = 26,
    PUNKT_OPERATION_CARD_PIN = 27,
    PUNKT_OPERATION_PURCHASE = 32,
    PUNKT_OPERATION_RETURN = 33,
    PUNKT_OPERATION_UNLINKED_RETURN = 34,
    PUNKT_OPERATION_REDEEM = 35,
    PUNKT_OPERATION_HOLD = 36,
    PUNKT_OPERATION_CAPTURE = 37,
    PUNKT_OPERATION_RELEASE = 38,
    PUNKT_OPERATION_REVERSAL = 39,
    PUNKT_OPERATION_QUOTE = 40,
    PUNKT_OPERATION_RETURN_PREVIEW = 41,
    PUNKT_OPERATION_DAY_CLOSE = 48,
    PUNKT_OPERATION_DAY_NUMBERS = 49,
    PUNKT_OPERATION_DAY_TOTALS = 50,
    PUNKT_OPERATION_ADJUST = 64,
    PUNKT_OPERATION_BONUS = 65,
    PUNKT_OPERATION_WRITE_OFF = 66,
    PUNKT_OPERATION_AWARD_MOVE = 67,
    PUNKT_OPERATION_STATEMENT = 80,
    PUNKT_OPERATION_TOTALS = 81,
    PUNKT_OPERATION_PROGRAMME_SHOW = 82,
    PUNKT_OPERATION_PROGRAMME_CHECK = 83,
    PUNKT_OPERATION_PROGRAMME_PUBLISH = 84,
    PUNKT_OPERATION_PROGRAMME_REHEARSE = 85,
    PUNKT_OPERATION_PROGRAMME_HISTORY = 86,
    PUNKT_OPERATION_WHY = 87,
    PUNKT_OPERATION_REPORT = 88,
    PUNKT_OPERATION_AUDIT_VERIFY = 96,
    PUNKT_OPERATION_CLOCK_ACCEPT = 97,
    PUNKT_OPERATION_AUDIT_LOG = 98,
    PUNKT_OPERATION_IDENTITY_ADD = 112,
    PUNKT_OPERATION_IDENTITY_CHANGE = 113,
    PUNKT_OPERATION_IDENTITY_LIST = 114,
    PUNKT_OPERATION_ENROL = 115,
    PUNKT_OPERATION_APPROVAL_LIST = 118,
    PUNKT_OPERATION_APPROVAL_DECIDE = 119,
    PUNKT_OPERATION_FLAG_LIST = 120,
    PUNKT_OPERATION_FLAG_RESOLVE = 121,
};

/* "purchase"; "unknown" for an operation this library does not know. Any thread. */
PUNKT_API const char *punkt_operation_name(uint32_t operation);

/*
 * The head of every answer: how the call ended. Filled whatever that was; the fields behind the head have
 * meaning only after PUNKT_CALL_DONE and are zero otherwise. size is that of the whole struct it is the head of.
 */
struct punkt_answer {
    size_t size;
    enum punkt_call call;
    uint32_t code;        /* enum punkt_result; the last refusal heard, also when the call ended otherwise */
    const char *name;     /* punkt_result_name(code) after a refusal, else punkt_call_name(call) */
    const char *text;     /* one sentence for people */
    const char *detail;   /* what exactly; may be "" */
    uint32_t operation;   /* enum punkt_operation */
    bool replayed;        /* the server had answered this before; these are the first answer's contents */
    bool retryable;       /* after a refusal: nothing was booked, the same may succeed later */
    int64_t needed;       /* after not_enough_points: points the request needs, */
    int64_t available;    /* and points that are free */
    uint64_t epoch;       /* of a change: its lane, */
    uint64_t number;      /* and its number there; 0 if it was given none (reads, NOT_SENT, INVALID) */
    uint64_t queued;      /* operations in the outbox that have no answer yet; a balance is without them */
    uint64_t reserved[5]; /* 0 */
};

/* ------------------------------------------------------------------------------------------------------ handles */

struct punkt;

/*
 * How a submitted request ended: called exactly once for each, from punkt_process, punkt_drive or a blocking call,
 * never from punkt_submit_... answer is the head of the operation's answer struct and may be cast to it; it is
 * valid until the callback returns. The callback may submit. It may not call anything that processes, nor
 * punkt_free.
 */
typedef void punkt_done_fn(struct punkt *punkt, const struct punkt_answer *answer, void *ctx);

/* What somebody should look at. The numbers are for ever. */
enum punkt_alarm {
    PUNKT_ALARM_STUCK = 1,         /* the oldest queued operation was put off six times: kept, and tried on */
    PUNKT_ALARM_DEAD = 2,          /* an operation can never be booked: see punkt_outbox_entry */
    PUNKT_ALARM_OUTBOX_FAILED = 3, /* the outbox cannot be written */
    PUNKT_ALARM_OUTBOX_FULL = 4,
    PUNKT_ALARM_DAMAGED = 5,     /* the outbox was found damaged; the file is kept aside, the rest is saved */
    PUNKT_ALARM_SERVER_LOST = 6, /* the server has lost what it had answered; it is sent again */
    PUNKT_ALARM_OTHER_LEDGER =
        7,                 /* a server with another journal, or an older term, or that says we are another
                                   * identity than what waits in the outbox is of: it is not spoken to */
    PUNKT_ALARM_CLOCK = 8, /* this machine's clock is more than 2 minutes from the server's */
};

/* text: one line for people, valid until the function returns. Called like punkt_done_fn, and from punkt_new. */
typedef void punkt_alarm_fn(struct punkt *punkt, enum punkt_alarm alarm, const char *text, void *ctx);

struct punkt_options {
    size_t size;
    /* "HOST:PORT", "[IPV6]:PORT" or "unix:PATH"; several, separated by commas, are tried in turn. Required.
     * A name instead of an address is resolved at each attempt to connect, and that may block. */
    const char *server;
    uint32_t timeout_ms;  /* how long a call may take by default, connecting included; 0: 1500 */
    uint32_t window;      /* requests that may be unanswered at once, 1 to PUNKT_WINDOW_MAX; 0: 16 */
    const char *software; /* for the server's log, up to 64 bytes; NULL: "libpunkt" and its version */
    /* To go on with a lane of an earlier handle: its epoch, and the number that the next change gets. 0, 0: a new
     * lane with a random epoch. See punkt_epoch(). */
    uint64_t epoch;
    uint64_t next_number;
    /* The ledger that was spoken to earlier (struct punkt_server_info): a server with another journal id, or with
     * a lower term, is not spoken to. All zero, 0: whichever answers first. */
    uint8_t journal_id[16];
    uint64_t term;
    /* A file in which every change is stored before it is sent (see "The outbox"); its folder must be there. NULL: no
     * outbox. With one, store and till are required, and epoch, next_number, journal_id and term are its own. */
    const char *outbox;
    const char *store; /* of every request that names none; NULL: "0" */
    const char *till;
    uint32_t outbox_max;  /* operations without an answer before the outbox is full; 0: 10000 */
    uint32_t outbox_days; /* or when the oldest of them is so old; 0: 7 */
    /* Told of what somebody should look at; see enum punkt_alarm. May be NULL. */
    punkt_alarm_fn *on_alarm;
    /* Told of the final answer to an operation that ended as QUEUED before: the answer struct of its operation, as in
     * punkt_done_fn. May be NULL. */
    punkt_done_fn *on_settled;
    void *ctx; /* for both */
    /* The receipt text that answers bring: columns, 16 to 64 (0: none), and language ("de", "de-AT"; NULL: the
     * programme's first). */
    uint32_t receipt_width;
    const char *language;
    /* Where memory comes from, as realloc: memory NULL gets new memory, size 0 gives it back. NULL: libc. OpenSSL and
     * the resolver use their own. */
    void *(*resize)(void *ctx, void *memory, size_t size);
    void *resize_ctx;
    /* Who this is: the path of an identity file, as punkt_enrol writes it. See "Identity". NULL: nobody, which only a
     * server on this machine takes. */
    const char *identity;
    /* The same without such a file, or over what it says. Paths of PEM files: */
    const char *certificate; /* this client's, the chain behind it */
    const char *key;         /* and its private key, without a passphrase */
    const char *ca;          /* what signs the server's certificate; nothing else is trusted */
    const char *server_name; /* that the server's certificate must have; NULL: the host of the address */
    const char *
        psk_identity; /* a pre-shared key instead of certificates, on both sides: its name, up to 64 bytes, */
    const char *psk_key; /* and 64 hexadecimal digits */
    /* Where punkt_new says why it took nothing: one line with NUL, "" if nothing is wrong; 128 bytes are enough for most.
     * NULL: nobody reads it. */
    char *trouble;
    size_t trouble_size;
};

/*
 * Identity.
 *
 * A server on another machine is spoken to over TLS 1.3 alone, and both sides prove who they are: by certificates, or by a
 * pre-shared key. All of that is in one file, which punkt_enrol (the command `punkt enrol`) writes, and which options.identity
 * names. Then server, store and till may be NULL, for they are in it too; what the options say goes first. Without an
 * identity only addresses of this machine are taken: "unix:PATH", 127.0.0.0/8, [::1] and localhost.
 *
 * The file holds lines `name: value`, then PEM blocks (RFC 7468): PRIVATE KEY, CERTIFICATE of this client, and one or more
 * CERTIFICATEs that sign the server's; with a pre-shared key, no blocks. Names, each at most once: server, server_name,
 * store and till, or name (of a user), role, psk_identity, psk_key. Empty lines, and lines that begin with '#', are passed
 * over. Only its owner may read it (mode 0600 or 0400), and it must be ours: else it is not taken.
 *
 * punkt_new reads it, once; another file is for the next handle. That the server accepts us is known when HELLO is
 * answered, not before: punkt_connect() waits for that, and punkt_trouble() says why there is no connection.
 *
 * The library uses OpenSSL's defaults of the process, and empties the calling thread's queue of OpenSSL errors.
 */

/* What an identity may do. The numbers are for ever. */
enum punkt_role {
    PUNKT_ROLE_NONE = 0,
    PUNKT_ROLE_TILL = 1,
    PUNKT_ROLE_SUPERVISOR = 2,
    PUNKT_ROLE_OFFICE = 3,
    PUNKT_ROLE_APPROVER = 4,
    PUNKT_ROLE_AUDITOR = 5,
    PUNKT_ROLE_ADMIN = 6,
};

/* "till", "supervisor", ...; "" for none. Any thread. */
PUNKT_API const char *punkt_role_name(uint32_t role);

/*
 * Makes a handle; nothing is connected yet. PUNKT_CALL_DONE, PUNKT_CALL_INVALID (options, a server address or an identity
 * that cannot be used), PUNKT_CALL_NOT_STORED (the outbox) or PUNKT_CALL_NO_MEMORY (also: no random numbers);
 * options->trouble says what. *out is the caller's, to be given to punkt_free, and NULL after a failure. Any thread.
 */
PUNKT_API enum punkt_call punkt_new(const struct punkt_options *options, struct punkt **out);

/*
 * Closes the connection and frees all. Callbacks of requests not yet ended are not called; those of them that
 * were sent are then as after PUNKT_CALL_UNKNOWN. NULL is fine. Not inside a callback.
 */
PUNKT_API void punkt_free(struct punkt *punkt);

/* The lane of this handle's changes, and the number its next change will get. */
PUNKT_API uint64_t punkt_epoch(const struct punkt *punkt);
PUNKT_API uint64_t punkt_next_number(const struct punkt *punkt);

/* Why there is no connection, or what was wrong with the last call: one line, "" if nothing. Never NULL; valid
 * until the next call with this handle. */
PUNKT_API const char *punkt_trouble(const struct punkt *punkt);

/* What the server said of itself when it was last connected; kept while it is away. */
struct punkt_server_info {
    size_t size;
    bool known;     /* false, and all else zero: no server has answered yet */
    bool connected; /* at this moment, as far as is known */
    uint8_t journal_id[16];
    uint64_t term;
    uint64_t last_booked;       /* highest number of this lane that was answered for good, then */
    int64_t time_us;            /* the server's time when it answered, */
    int64_t time_offset_us;     /* and what to add to this machine's clock to get the server's */
    uint32_t frame_max;         /* bytes */
    uint32_t in_flight_max;     /* requests */
    char currency[4];           /* ISO 4217 */
    uint32_t currency_exponent; /* decimals of an amount in major units, 0 to 4 */
    uint32_t points_decimals;   /* 0 to 3 */
    uint32_t programme_version;
    char zone[65];          /* the programme's time zone, a name of the IANA database */
    uint32_t card_check;    /* enum punkt_card_check: of every card number of the programme */
    int64_t redeem_points;  /* so many points, */
    int64_t redeem_worth;   /* are worth so many minor units; 0, 0: not told */
    int64_t redeem_minimum; /* points at once at least, */
    int64_t redeem_step;    /* and multiples of so many */
    int64_t offline_card; /* points that a card may redeem offline on one day; 0: redeeming offline is off */
    int64_t offline_till; /* points that this till may redeem in one offline period */
    /* Who we are to it: */
    uint64_t identity;   /* number in its register; 1: the local administrator; 0: not told */
    int64_t key_ends_us; /* when the certificate that we came with ends; 0: never */
    uint32_t role;       /* enum punkt_role */
    char name[33];       /* of a user, */
    char store[33];      /* or of a till: the only store, */
    char till[33];       /* and the only till, that it may name */
};

/* How the link to the servers is. */
enum punkt_link_state {
    PUNKT_LINK_IDLE = 0,       /* not connected, and nobody has asked for it yet */
    PUNKT_LINK_CONNECTING = 1, /* trying; it was not seen to be down */
    PUNKT_LINK_UP = 2,         /* the server has answered on it */
    /* Every server was tried in vain, or was silent. A handle with an outbox waits for none then: what can be queued is,
     * at once, everything else ends as NOT_SENT. */
    PUNKT_LINK_DOWN = 3,
};

PUNKT_API enum punkt_link_state punkt_link_state(const struct punkt *punkt);
/* "idle", "connecting", "up", "down". Any thread. */
PUNKT_API const char *punkt_link_state_name(enum punkt_link_state state);

/* Writes what is known into *out_info, as much as its size holds. */
PUNKT_API void punkt_server_info(const struct punkt *punkt, struct punkt_server_info *out_info);

/*
 * Connects now and waits until the server has answered, timeout_ms at most (0: the handle's). Not needed before
 * other calls. PUNKT_CALL_DONE (at once, if connected), PUNKT_CALL_REFUSED (it will not speak with us),
 * PUNKT_CALL_NOT_SENT (not reachable, or another ledger than before). out_answer may be NULL.
 */
PUNKT_API enum punkt_call punkt_connect(struct punkt *punkt, uint32_t timeout_ms,
                                        struct punkt_answer *out_answer);

/*
 * Numbers, lanes and doubt.
 *
 * Changes (PROTOCOL.md's table of operations says which are: purchase and redeem are, card_show and quote are not)
 * of a handle form a lane, named by its epoch, and are numbered from 1 without gaps. A change gets its number when its first byte is sent,
 * and the server decides changes strictly in that order, each number once.
 *
 * Until a change's deadline the handle does all it can: it connects again after a loss (at once, then with
 * random pauses that grow from 0.5 s to 60 s), sends what was not answered again in order, and repeats what was
 * refused with a retryable result. When the deadline passes:
 *
 *   - nothing was sent: PUNKT_CALL_NOT_SENT. The change had no number and is forgotten.
 *   - each time it was sent it was refused as retryable, and no later change has a number: PUNKT_CALL_REFUSED
 *     with that result. The change is forgotten and the next one gets its number.
 *   - otherwise: PUNKT_CALL_UNKNOWN. The change is *in doubt*. It keeps its number and its place in the window,
 *     and the handle goes on sending it, before anything newer, whenever it is driven and has a connection,
 *     until a final answer came. So a doubt never makes a gap, nothing overtakes it, and it is booked at most
 *     once; but do not count on it having been, or not having been, booked.
 *
 * What to do about a doubt: punkt_repeat() waits for that answer. Or go on: the next call settles it on its way.
 * Or ask later, from any handle: punkt_status(). Or end the process and repeat the same change from another, with
 * epoch and next_number in the options. To make a doubt's number end without knowing is not possible; a new
 * handle has a new lane, and leaves the old one as it is. Purchases and returns with a receipt or document number
 * are booked once even under two numbers.
 */

/* How many changes of this handle are in doubt. */
PUNKT_API unsigned punkt_in_doubt(const struct punkt *punkt);

/*
 * Waits for the answer to a change that ended as PUNKT_CALL_UNKNOWN, timeout_ms at most (0: the handle's).
 * out_answer is the head of the answer struct of the change's operation, as in the call that made it. Returns like
 * that call; UNKNOWN again is possible. Answers that came meanwhile are kept until they are asked for here or
 * their place is needed. PUNKT_CALL_INVALID: no such change is in doubt here; ask punkt_status().
 */
PUNKT_API enum punkt_call punkt_repeat(struct punkt *punkt, uint64_t number, uint32_t timeout_ms,
                                       struct punkt_answer *out_answer);

/* ------------------------------------------------------------------------------------------ requests and answers */

/* Flags of requests. */
#define PUNKT_FLAG_ADVICE 0x0002U   /* it has happened already: never refused for business reasons */
#define PUNKT_FLAG_HISTORIC 0x0004U /* judged at its own time, whatever its age; for imports */

/* Requests without fields of their own: ping, totals, audit_verify, clock_accept. NULL is one with defaults. */
struct punkt_plain_request {
    size_t size;
    uint32_t flags;
    uint32_t timeout_ms; /* here and below: how long this request may take; 0: the handle's */
};

struct punkt_ping_answer {
    struct punkt_answer head;
    int64_t time_us; /* the server's */
};

struct punkt_card_issue_request {
    size_t size;
    uint32_t flags;
    uint32_t timeout_ms;
    const char *card; /* the number, or the first of a range */
    uint32_t count;   /* 1 to 10000, all or none; a range has digits only and counts upwards; 0: 1 */
};

enum punkt_card_status {
    PUNKT_CARD_ACTIVE = 1,
    PUNKT_CARD_BLOCKED = 2,
    PUNKT_CARD_REPLACED = 3,
    PUNKT_CARD_CLOSED = 4,
    PUNKT_CARD_SUSPENSE = 5, /* not issued; advices are booked under its number until it is */
};

/* "active", "blocked", "replaced", "closed", "suspense"; "unknown" for others. Any thread. */
PUNKT_API const char *punkt_card_status_name(uint32_t status);

struct punkt_card_issue_answer {
    struct punkt_answer head;
    uint64_t position; /* here and below: where the event stands in the journal */
    uint64_t account;  /* of the first card; those of a range follow on */
    uint32_t status;   /* enum punkt_card_status */
    uint32_t count;
};

struct punkt_card_show_request {
    size_t size;
    uint32_t flags;
    uint32_t timeout_ms;
    const char *card;
    int64_t at_us;  /* as it was at this moment; 0: now */
    bool with_lots; /* the answer lists every lot */
};

enum punkt_pin_state {
    PUNKT_PIN_NONE = 0,
    PUNKT_PIN_SET = 1,
    PUNKT_PIN_LOCKED = 2, /* three wrong ones in a row: the office must set a new one */
};

/* Stamps of an account. */
struct punkt_purse {
    size_t size;
    const char *name;
    int64_t count; /* thousandths of a stamp; below zero after returns */
    int64_t held;  /* of them, set aside by holds */
};

/* An open hold. */
struct punkt_open_hold {
    size_t size;
    uint64_t hold;       /* its position, which is its name */
    int64_t points;      /* set aside */
    int64_t deadline_us; /* when it is given back by itself */
    const char *reward;  /* ""; or the name of the reward that is set aside */
};

/* What is left of an award. */
struct punkt_lot {
    size_t size;
    uint32_t number;  /* within the account */
    int64_t points;   /* unspent */
    int64_t held;     /* of them, set aside by holds */
    int32_t earned;   /* day of the purchase or adjustment */
    int32_t matures;  /* can be spent from this day on */
    int32_t last_day; /* and through this one; 0: never expires */
};

struct punkt_card_show_answer {
    struct punkt_answer head;
    uint64_t account;
    uint32_t status;         /* enum punkt_card_status */
    int64_t available;       /* points that can be spent now */
    int64_t pending;         /* not matured yet */
    int64_t held;            /* set aside by holds */
    int64_t debt;            /* owed by the account */
    int64_t lifetime;        /* ever earned by purchases, less returns */
    int32_t next_expiry_day; /* last day of the points that expire next, days since 1970; 0: none */
    int64_t next_expiry_points;
    uint32_t cards;       /* that lead to the account */
    uint32_t pin;         /* enum punkt_pin_state */
    const char *tier;     /* ""; here and below texts are never NULL */
    int32_t tier_through; /* last day for which the tier is kept; 0: open */
    bool account_closed;
    bool beside_suspense;     /* points wait in suspense under the card's number */
    int64_t last_purchase_us; /* when the last purchase was made; 0: none yet */
    uint64_t last_event;      /* position of the account's newest event */
    /* Lists: here and below arrays of pointers, borrowed from the handle as all else. */
    const char *const *tags;
    size_t tag_count;
    const struct punkt_purse *const *purses;
    size_t purse_count;
    const struct punkt_open_hold *const *holds; /* oldest first */
    size_t hold_count;
    const char *const *activated; /* offers */
    size_t activated_count;
    const struct punkt_lot *const *lots; /* oldest first; with_lots: all of them */
    size_t lot_count;
};

enum punkt_line_kind {
    PUNKT_LINE_SALE = 0,
    PUNKT_LINE_DISCOUNT = 1,
    PUNKT_LINE_REWARD = 2,
    PUNKT_LINE_DEPOSIT = 3,
    PUNKT_LINE_STORED_VALUE = 4,
};

/* Elements of one array all have the size of its first. */
struct punkt_line {
    size_t size;
    const char *code;     /* article; required */
    int64_t amount;       /* after its discounts, with tax; zero or negative for discounts and rewards */
    uint64_t quantity;    /* thousandths of a unit, below 10^9; 0: one unit */
    const char *category; /* of the article */
    uint32_t kind;        /* enum punkt_line_kind */
    int64_t tax;          /* contained in amount */
};

struct punkt_tender {
    size_t size;
    const char *kind; /* the programme's word for it: "cash", "card", ... */
    int64_t amount;
};

/*
 * A redemption that a receipt makes, or a hold that it captures. By points, by reward, or of a hold; it is booked
 * with the receipt, or the receipt is refused.
 */
struct punkt_wish {
    size_t size;
    /* By points: how many; of a hold: up to so many, 0: all; of a reward: what it costs as far as the till
     * knows, a hint. */
    int64_t points;
    const char *reward; /* name of a reward of the programme */
    uint32_t quantity;  /* of the reward; 0: 1 */
    uint64_t hold;      /* position of the hold to capture; 0: none */
    uint32_t line;      /* line of the receipt that is the reward, from 1; 0: none */
};

/* What came of a wish. */
struct punkt_spent {
    size_t size;
    int64_t points;
    int64_t worth;       /* money off, minor units */
    int64_t stamps;      /* thousandths */
    int64_t shortfall;   /* of an advice: points that were not there, the merchant's loss */
    const char *reward;  /* its name, "" by points */
    const char *voucher; /* code to hand out, or "" */
};

struct punkt_purchase_request {
    size_t size;
    uint32_t flags;
    uint32_t timeout_ms;
    const char *card;
    int64_t amount;        /* sum of the receipt, 0 or more and below 10^12; with lines it is their sum */
    int64_t time_us;       /* when it happened; 0: when it is booked */
    const char *store;     /* NULL: "0" */
    const char *till;      /* NULL: "0" */
    const char *receipt;   /* the till's number of it, unique per store, till and business date */
    int32_t business_date; /* days since 1970; 0: the day of its time */
    const char *operator_; /* who served */
    const struct punkt_line *lines;
    size_t line_count; /* 0: one sale line of the whole amount */
    const struct punkt_tender *tenders;
    size_t tender_count;        /* up to 32 */
    const char *const *coupons; /* coupon codes that were scanned */
    size_t coupon_count;        /* up to 32 */
    const struct punkt_wish *wishes;
    size_t wish_count; /* up to PUNKT_WISHES_MAX */
    const char *pin;   /* where wishes redeem; see struct punkt_redeem_request */
};

struct punkt_purchase_answer {
    struct punkt_answer head;
    uint64_t position;
    int64_t earned;
    int64_t available; /* points that can be spent now */
    int64_t pending;
    int64_t debt;
    bool server_time_used; /* the till's time was too far off */
    bool in_suspense;      /* an advice: the card is not issued, or may not earn; see PROTOCOL.md, Advices */
    bool fell_short;       /* an advice: a redemption of it was not covered */
    bool old_period;       /* a limit or cap was counted in an older period than is kept */
    int64_t redeemed;      /* points spent by it */
    int64_t paid;          /* money off by its redemptions, minor units */
    const char *tier;      /* at which it was rated; "" */
    const struct punkt_spent *const *spent; /* by wish, in their order */
    size_t spent_count;
    const char *const *text; /* lines ready to print, "" a blank one; none unless the handle asked for text */
    size_t text_count;
};

/* A receipt that is not booked: what it would earn and spend. */
struct punkt_quote_request {
    size_t size;
    uint32_t flags;
    uint32_t timeout_ms;
    const char *card; /* NULL: a new account */
    int64_t amount;   /* from here on as in struct punkt_purchase_request */
    int64_t time_us;
    const char *store;
    const char *till;
    const char *operator_;
    const struct punkt_line *lines;
    size_t line_count;
    const struct punkt_tender *tenders;
    size_t tender_count;
    const char *const *coupons;
    size_t coupon_count;
    const struct punkt_wish *wishes; /* no captures */
    size_t wish_count;
};

enum punkt_part_kind {
    PUNKT_PART_SPEND = 1,
    PUNKT_PART_ITEM = 2,
    PUNKT_PART_VISIT = 3,
    PUNKT_PART_TIER = 4,
    PUNKT_PART_MULTIPLY = 5,
    PUNKT_PART_ADD = 6,
    PUNKT_PART_STAMP = 7,
    PUNKT_PART_CAP_RECEIPT = 8,
    PUNKT_PART_CAP_DAY = 9,
    PUNKT_PART_CAP_MONTH = 10,
    PUNKT_PART_CAP_BALANCE = 11,
};

/* A rule that took part in an award. */
struct punkt_part {
    size_t size;
    uint32_t kind;    /* enum punkt_part_kind */
    const char *name; /* of the rule, offer or tier */
    int64_t input;    /* minor units, thousandths of units, receipts, or points, by kind */
    int64_t exact;    /* thousandths of a point or stamp, before rounding */
    int64_t result;   /* the same, after it */
};

struct punkt_quote_answer {
    struct punkt_answer head;
    int64_t earned;
    int64_t redeemed;
    int64_t paid;      /* money off, minor units */
    int64_t available; /* after it, as if it had been booked */
    int64_t pending;
    int64_t debt;
    const char *tier; /* at which it was rated; "" */
    uint32_t programme_version;
    bool server_time_used;
    bool old_period;
    const struct punkt_part *const *parts;
    size_t part_count;
    const struct punkt_spent *const *spent; /* by wish, in their order */
    size_t spent_count;
};

/* Goods that come back, of a known purchase. */
struct punkt_return_line {
    size_t size;
    uint32_t number;   /* line of the purchase, from 1; 0: the lines with this code, from the first on */
    uint64_t quantity; /* thousandths of a unit; 0: all that is left */
    const char *code;  /* where number is 0 */
};

struct punkt_return_request {
    size_t size;
    uint32_t flags;
    uint32_t timeout_ms;
    const char *card;
    int64_t amount; /* 0 or more; where no lines are given */
    int64_t time_us;
    const char *store;      /* that takes the goods back; NULL: "0" */
    const char *till;       /* NULL: "0" */
    const char *sale_store; /* of the purchase; NULL: the same */
    const char *sale_till;  /* of the purchase; NULL: the same */
    int32_t sale_date;      /* business date of the purchase; 0: the newest of this number within 100 days */
    const char *sale_receipt; /* receipt number of the purchase, */
    uint64_t sale_position;   /* or instead its position */
    const char *document;     /* number of the return's own document, a key like a receipt's */
    int32_t business_date;    /* of the return; 0: the day of its time */
    const char *operator_;
    const struct punkt_return_line *lines;
    size_t line_count; /* 0: the amount */
};

/* A return that is not booked; fields as in struct punkt_return_request. */
struct punkt_return_preview_request {
    size_t size;
    uint32_t flags;
    uint32_t timeout_ms;
    const char *card;
    int64_t amount;
    int64_t time_us;
    const char *store;
    const char *till;
    const char *sale_store;
    const char *sale_till;
    int32_t sale_date;
    const char *sale_receipt;
    uint64_t sale_position;
    int32_t business_date;
    const char *operator_;
    const struct punkt_return_line *lines;
    size_t line_count;
};

struct punkt_return_preview_answer {
    struct punkt_answer head;
    int64_t taken;      /* points it would take, from lots and as debt */
    int64_t given_back; /* spent points that would come back */
    int64_t shortfall;  /* points due that would be forgiven */
    int64_t amount;     /* what the goods are worth, minor units */
    int64_t available;  /* after it, as if it had been booked */
    int64_t debt;
};

struct punkt_unlinked_return_request {
    size_t size;
    uint32_t flags;
    uint32_t timeout_ms;
    const char *card;
    int64_t amount; /* 0 or more; with lines it is their sum */
    int64_t time_us;
    const char *store; /* NULL: "0" */
    const char *till;  /* NULL: "0" */
    const char *document;
    int32_t business_date;
    const char *operator_;
    const struct punkt_line *lines;
    size_t line_count; /* 0: one line of the whole amount */
};

/* Of both kinds of return. */
struct punkt_return_answer {
    struct punkt_answer head;
    uint64_t position;
    int64_t taken;      /* points taken, from lots and as debt */
    int64_t given_back; /* points spent on the purchase that came back */
    int64_t shortfall;  /* points due that were forgiven */
    int64_t available;
    int64_t debt;
    bool server_time_used;
    bool waiting;            /* an advice: it waits for its purchase, and has taken nothing yet */
    const char *const *text; /* as in struct punkt_purchase_answer */
    size_t text_count;
    int64_t amount; /* what the goods are worth, minor units; waiting: as it was asked for */
};

struct punkt_redeem_request {
    size_t size;
    uint32_t flags;
    uint32_t timeout_ms;
    const char *card;
    int64_t points; /* 1 or more; of a reward: what it costs as far as the till knows, a hint */
    int64_t time_us;
    const char *store; /* NULL: "0" */
    const char *till;  /* NULL: "0" */
    const char *operator_;
    const char *reward;     /* name of a reward of the programme; NULL: by points */
    uint32_t quantity;      /* of the reward; 0: 1 */
    int64_t bill;           /* what is to be paid, minor units: no more is taken; 0: not said */
    const char *sale_store; /* the purchase that it belongs to, if it is booked: as in a return */
    const char *sale_till;
    int32_t sale_date;
    const char *sale_receipt; /* NULL, and no position: it belongs to none */
    uint64_t sale_position;
    /* The account's PIN, if the programme asks for it: 1 to 32 bytes. It travels beside the request, is in no
     * journal, and is wiped from the handle's memory when the request has its final answer. */
    const char *pin;
    int32_t business_date; /* days since 1970; 0: the day it is booked on */
};

struct punkt_redeem_answer {
    struct punkt_answer head;
    uint64_t position;
    int64_t redeemed;
    int64_t available;
    int64_t worth;           /* minor units */
    int64_t stamps;          /* spent, thousandths */
    int64_t shortfall;       /* of an advice: points that were not there */
    const char *reward;      /* its name, or "" */
    const char *voucher;     /* code to hand out, or "" */
    const char *const *text; /* as in struct punkt_purchase_answer */
    size_t text_count;
};

/* Sets points or a reward aside. */
struct punkt_hold_request {
    size_t size;
    uint32_t flags;
    uint32_t timeout_ms;
    const char *card;
    int64_t points; /* 1 or more; of a reward: a hint */
    int64_t time_us;
    const char *store; /* NULL: "0" */
    const char *till;  /* NULL: "0" */
    const char *operator_;
    const char *reward;    /* NULL: points */
    uint32_t quantity;     /* of the reward; 0: 1 */
    int64_t bill;          /* what is to be paid, minor units: no more is set aside; 0: not said */
    uint32_t seconds;      /* how long, up to 86400; 0: as the programme says */
    const char *pin;       /* see struct punkt_redeem_request */
    int32_t business_date; /* days since 1970; 0: the day it is booked on */
};

struct punkt_hold_answer {
    struct punkt_answer head;
    uint64_t position; /* the name of the hold, for capture and release */
    int64_t held;
    int64_t worth;       /* minor units */
    int64_t deadline_us; /* when it is given back by itself, on the server's clock */
    int64_t available;
    int64_t stamps;     /* set aside, thousandths */
    const char *reward; /* its name, or "" */
};

/* Spends what a hold has set aside, and gives the rest back. A receipt captures by a wish instead. */
struct punkt_capture_request {
    size_t size;
    uint32_t flags;
    uint32_t timeout_ms;
    const char *card;
    uint64_t hold;  /* its position */
    int64_t points; /* up to so many; 0: all of it */
    int64_t time_us;
    const char *store; /* NULL: "0" */
    const char *till;  /* NULL: "0" */
    const char *operator_;
    int64_t bill;          /* what is to be paid, minor units: no more is taken; 0: not said */
    int32_t business_date; /* days since 1970; 0: the day it is booked on */
};

struct punkt_capture_answer {
    struct punkt_answer head;
    uint64_t position;
    int64_t redeemed;
    int64_t worth;      /* minor units */
    int64_t given_back; /* points that are free again */
    int64_t available;
    int64_t stamps;      /* spent, thousandths */
    int64_t shortfall;   /* of an advice: points that were not there */
    const char *reward;  /* its name, or "" */
    const char *voucher; /* code to hand out, or "" */
};

struct punkt_release_request {
    size_t size;
    uint32_t flags;
    uint32_t timeout_ms;
    const char *card;
    uint64_t hold; /* its position */
    int64_t time_us;
    const char *store; /* NULL: "0" */
    const char *till;  /* NULL: "0" */
    const char *operator_;
    int32_t business_date; /* days since 1970; 0: the day it is booked on */
};

struct punkt_release_answer {
    struct punkt_answer head;
    uint64_t position;
    int64_t given_back; /* points that are free again */
    int64_t available;
};

/*
 * Undoes an earlier change of this identity, whether or not it arrived. It goes in the lane of its original, so by
 * the same handle: another's could overtake it.
 */
struct punkt_reversal_request {
    size_t size;
    uint32_t flags;
    uint32_t timeout_ms;
    uint64_t epoch;  /* of the original; 0: this handle's */
    uint64_t number; /* of the original: head.number of its answer */
    int64_t time_us;
    const char *store; /* NULL: "0" */
    const char *till;  /* NULL: "0" */
    const char *operator_;
    /* What the original was, to be held against it; a difference is refused as does_not_match. */
    const char *card; /* NULL: not said */
    bool with_amount; /* amount is said: */
    int64_t amount;   /* that of a purchase or return, or what a redemption or hold was worth; minor units */
    int32_t business_date; /* days since 1970; 0: the day it is booked on */
    uint64_t identity;     /* whose the original was: its number in the server's register; 0: of who sends */
};

enum punkt_reversal_outcome {
    PUNKT_REVERSAL_REVERSED = 1,
    PUNKT_REVERSAL_NOTHING = 2,         /* it was refused, or its hold had ended */
    PUNKT_REVERSAL_WILL_BE_REFUSED = 3, /* it was never seen; if it comes yet it is refused for good */
};

struct punkt_reversal_answer {
    struct punkt_answer head;
    uint64_t position;
    uint32_t outcome;   /* enum punkt_reversal_outcome */
    int64_t taken;      /* points taken from the account */
    int64_t given_back; /* points given to it */
    int64_t available;
    int64_t debt;
    int64_t amount; /* of a purchase: what was not returned before, minor units */
};

struct punkt_adjust_request {
    size_t size;
    uint32_t flags;
    uint32_t timeout_ms;
    const char *card;
    int64_t points;        /* not 0; negative takes */
    const char *reason;    /* of the programme's list */
    const char *note;      /* up to 200 bytes */
    bool allow_debt;       /* may take more than is free */
    const char *operator_; /* who decided */
};

struct punkt_adjust_answer {
    struct punkt_answer head;
    uint64_t position;
    int64_t points; /* the change of the balance */
    int64_t available;
    int64_t debt;
};

/* Asks what became of a change, of this or another handle of the same identity. */
struct punkt_status_request {
    size_t size;
    uint32_t flags;
    uint32_t timeout_ms;
    uint64_t epoch; /* 0: this handle's */
    uint64_t number;
    uint64_t identity; /* whose: its number in the server's register; 0: of who asks */
};

enum punkt_status_state {
    PUNKT_STATUS_NEVER_SEEN = 0,
    PUNKT_STATUS_DONE = 1,
    PUNKT_STATUS_REFUSED = 2,
};

struct punkt_status_answer {
    struct punkt_answer head;
    uint32_t state; /* enum punkt_status_state */
    /* The first answer: head of the answer struct of first->operation, or of struct punkt_message_answer if that
     * has no call of its own; borrowed from the handle. NULL if never seen. */
    const struct punkt_answer *first;
};

struct punkt_statement_request {
    size_t size;
    uint32_t flags;
    uint32_t timeout_ms;
    const char *card;
    uint64_t from;    /* `next` of the page before; 0: the newest */
    uint32_t limit;   /* entries of a page at most, 1 to 200; 0: 50 */
    bool with_merged; /* goes on with the events of accounts that were merged into it */
};

/* One event, as the account saw it. Texts are never NULL. */
struct punkt_statement_entry {
    size_t size;
    uint64_t position;
    int64_t time_us;
    uint32_t kind; /* type of the event; punkt_event_name() */
    int64_t points;
    int64_t balance; /* after it: all lots less debt */
    const char *store;
    const char *till;
    const char *receipt; /* or the return's document */
    const char *reason;
    const char *operator_;
    const char *card; /* the other card or account of it, for people */
    int64_t expired;  /* of the change: points that expired */
    /* Position of the event it refers to: the purchase of a return, the original of a reversal. */
    uint64_t refers;
};

struct punkt_statement_answer {
    struct punkt_answer head;
    uint64_t next; /* where the next page begins; 0: this was the last */
    size_t entry_count;
    const void *entries; /* read through punkt_statement_entry() */
};

/* The entry at index, newest first, borrowed from the handle that answered; NULL behind the last. */
PUNKT_API const struct punkt_statement_entry *punkt_statement_entry(
    const struct punkt_statement_answer *answer, size_t index);

struct punkt_totals_answer {
    struct punkt_answer head;
    uint64_t accounts;
    uint64_t cards;
    int64_t earned;
    int64_t redeemed;
    int64_t returned;    /* taken by returns of known purchases, less those given back */
    int64_t adjusted;    /* added by adjustments, less those taken */
    int64_t outstanding; /* points in lots */
    int64_t debt;
    uint64_t accounts_in_debt;
    uint64_t events;  /* refusals and ties included */
    int64_t bonus;    /* awarded without a purchase */
    int64_t unlinked; /* taken by returns without a purchase */
    int64_t expired;
    int64_t forfeited;   /* lost by closing */
    int64_t written_off; /* debt that was forgiven */
    int64_t reversed;    /* change by reversals */
};

struct punkt_programme_show_request {
    size_t size;
    uint32_t flags;
    uint32_t timeout_ms;
    uint32_t version; /* 0: the one in force */
};

struct punkt_programme_show_answer {
    struct punkt_answer head;
    uint32_t version;
    int64_t from_us;  /* in force from */
    const char *text; /* YAML, borrowed from the handle */
};

enum punkt_audit_state {
    PUNKT_AUDIT_DAMAGE = 0,  /* see file, offset, detail */
    PUNKT_AUDIT_MATCHES = 1, /* journal and state agree */
    PUNKT_AUDIT_DIFFERS = 2, /* the journal is sound, the state is not what it says */
};

struct punkt_audit_verify_answer {
    struct punkt_answer head;
    uint64_t blocks;
    uint64_t events;
    uint32_t state;   /* enum punkt_audit_state */
    const char *file; /* inside the data folder */
    uint64_t offset;
    const char *detail;
};

struct punkt_clock_accept_answer {
    struct punkt_answer head;
    uint64_t position;
    int64_t before_us; /* the ledger's time before, */
    int64_t after_us;  /* and from now on */
};

/*
 * Any operation, with the bodies of its messages as PROTOCOL.md has them: for what has no call of its own. Numbers,
 * repeats and doubt are as with all others, and so is the outbox; but nothing is filled in: with an outbox say store,
 * till, time and business date.
 */
struct punkt_message_request {
    size_t size;
    uint32_t flags;
    uint32_t timeout_ms;
    uint32_t operation; /* enum punkt_operation, but not hello */
    /* The operation's request message, without the secret part; NULL, 0: one without fields. It is read before it is
     * sent, and PUNKT_CALL_INVALID if that cannot be done. */
    const void *body;
    size_t body_size;
    const char *pin; /* for purchase, redeem, hold and card_pin; see struct punkt_redeem_request */
};

/*
 * After PUNKT_CALL_DONE, body is the operation's answer message, and after a final PUNKT_CALL_REFUSED the message
 * `refusal`, of which the head tells as well; otherwise type is 0 and body empty. Borrowed from the handle.
 */
struct punkt_message_answer {
    struct punkt_answer head;
    uint32_t type; /* of the answer's frame: 0x8000 or 0x4000 and the operation */
    const void *body;
    size_t body_size;
};

/* ----------------------------------------------------------------------------------------------- blocking calls */

/*
 * Each sends one request and waits for its answer, until the request's timeout. Returns what out_answer->head.call
 * says as well. Callbacks of requests that were submitted earlier may be called meanwhile. Not inside a callback.
 */
PUNKT_API enum punkt_call punkt_ping(struct punkt *punkt, const struct punkt_plain_request *request,
                                     struct punkt_ping_answer *out_answer);
PUNKT_API enum punkt_call punkt_card_issue(struct punkt *punkt,
                                           const struct punkt_card_issue_request *request,
                                           struct punkt_card_issue_answer *out_answer);
PUNKT_API enum punkt_call punkt_card_show(struct punkt *punkt, const struct punkt_card_show_request *request,
                                          struct punkt_card_show_answer *out_answer);
/* Books a receipt and awards its points. */
PUNKT_API enum punkt_call punkt_purchase(struct punkt *punkt, const struct punkt_purchase_request *request,
                                         struct punkt_purchase_answer *out_answer);
/* Takes back goods of a purchase that the ledger knows. */
PUNKT_API enum punkt_call punkt_return(struct punkt *punkt, const struct punkt_return_request *request,
                                       struct punkt_return_answer *out_answer);
/* Takes back goods whose purchase is not known. */
PUNKT_API enum punkt_call punkt_unlinked_return(struct punkt *punkt,
                                                const struct punkt_unlinked_return_request *request,
                                                struct punkt_return_answer *out_answer);
/* Says what a purchase would do, and what a return would; books nothing. */
PUNKT_API enum punkt_call punkt_quote(struct punkt *punkt, const struct punkt_quote_request *request,
                                      struct punkt_quote_answer *out_answer);
PUNKT_API enum punkt_call punkt_return_preview(struct punkt *punkt,
                                               const struct punkt_return_preview_request *request,
                                               struct punkt_return_preview_answer *out_answer);
/* Spends points: they are spent only on PUNKT_CALL_DONE. So with holds and captures. */
PUNKT_API enum punkt_call punkt_redeem(struct punkt *punkt, const struct punkt_redeem_request *request,
                                       struct punkt_redeem_answer *out_answer);
PUNKT_API enum punkt_call punkt_hold(struct punkt *punkt, const struct punkt_hold_request *request,
                                     struct punkt_hold_answer *out_answer);
PUNKT_API enum punkt_call punkt_capture(struct punkt *punkt, const struct punkt_capture_request *request,
                                        struct punkt_capture_answer *out_answer);
PUNKT_API enum punkt_call punkt_release(struct punkt *punkt, const struct punkt_release_request *request,
                                        struct punkt_release_answer *out_answer);
/* Undoes an earlier change. */
PUNKT_API enum punkt_call punkt_reversal(struct punkt *punkt, const struct punkt_reversal_request *request,
                                         struct punkt_reversal_answer *out_answer);
PUNKT_API enum punkt_call punkt_adjust(struct punkt *punkt, const struct punkt_adjust_request *request,
                                       struct punkt_adjust_answer *out_answer);
PUNKT_API enum punkt_call punkt_status(struct punkt *punkt, const struct punkt_status_request *request,
                                       struct punkt_status_answer *out_answer);
PUNKT_API enum punkt_call punkt_statement(struct punkt *punkt, const struct punkt_statement_request *request,
                                          struct punkt_statement_answer *out_answer);
PUNKT_API enum punkt_call punkt_totals(struct punkt *punkt, const struct punkt_plain_request *request,
                                       struct punkt_totals_answer *out_answer);
PUNKT_API enum punkt_call punkt_programme_show(struct punkt *punkt,
                                               const struct punkt_programme_show_request *request,
                                               struct punkt_programme_show_answer *out_answer);
/* Reads the whole journal: minutes on a large one, so give it a timeout_ms of its own. */
PUNKT_API enum punkt_call punkt_audit_verify(struct punkt *punkt, const struct punkt_plain_request *request,
                                             struct punkt_audit_verify_answer *out_answer);
PUNKT_API enum punkt_call punkt_clock_accept(struct punkt *punkt, const struct punkt_plain_request *request,
                                             struct punkt_clock_accept_answer *out_answer);
/* Any operation. */
PUNKT_API enum punkt_call punkt_message(struct punkt *punkt, const struct punkt_message_request *request,
                                        struct punkt_message_answer *out_answer);

/* ------------------------------------------------------------------------------------------------------- outbox */

/*
 * The outbox.
 *
 * A handle with an outbox stores every change in a file before it is sent, and its answer after, so that neither a
 * crash of the till nor an absent server loses or doubles one. It has two lanes. The *queue* takes purchases,
 * returns, advices and their reversals: they are sent strictly in order, for as long as it takes, also by the next
 * handle that opens the file. The *live* lane takes everything else; it needs the server now. Reads are not stored.
 *
 * Calls end as:
 *
 *   - DONE, REFUSED: the server's word.
 *   - QUEUED: no answer in time; at once while the link is known to be down.
 *       A purchase or return has happened: go on. If its answer is a refusal later, it is sent again as an advice,
 *       which is never refused for business reasons. on_settled tells how it ended.
 *       A redemption, hold, capture or release counts only on DONE: punkt_wait for it, or punkt_cancel it. One whose till
 *       dies meanwhile is cancelled by the next handle. If the disk refuses to store that it is DONE,
 *       PUNKT_ALARM_OUTBOX_FAILED comes first: cancel it then, for the next handle would.
 *       A purchase with wishes that ends as QUEUED has them granted by the offline rules below: answer.redeemed and
 *       .paid say what counts. If they cannot be granted it is REFUSED with PUNKT_RESULT_OFFLINE instead and will not
 *       be booked: sell without them, under the same receipt number.
 *       A till that died before it knew the end of one cancels what the outbox has of it (punkt_outbox_entry), and
 *       sells it again: nobody knows what was granted.
 *   - NOT_SENT: of the live lane: the server is not there, nothing was stored or will be booked.
 *   - NOT_STORED: the outbox cannot take it: sell without points, and say so.
 *
 * What can never be booked (malformed, conflict, a refused advice) goes to the DEAD list, with an alarm, and stays
 * there until somebody discards it.
 *
 * Fields that are not given are filled in here, for the sale happens now, whenever it is sent: store and till from the
 * options, the time from this machine's clock (corrected by what the last server's clock said), the business date from its local day.
 *
 * Redeeming offline is off unless the programme allows it (redeem: offline:). Then points are granted by a balance that this
 * till has seen: all of it for 12 hours, 70 per cent of it for 12 more, nothing after that; never more than offline_card
 * points of a card on one day, nor offline_till points before the server is back. Rewards need
 * the server, and so do holds, but for a purchase that captures one of this handle's own before its deadline.
 *
 * The file belongs to one handle at a time (PUNKT_CALL_INVALID otherwise). Drive the handle (punkt_process,
 * punkt_drive) when the till is idle: that is when the queue drains.
 */

/* Waits for the final answer to a change that ended as QUEUED, timeout_ms at most (0: the handle's). out_answer is
 * the head of the answer struct of its operation. QUEUED again is possible. Of one that was answered long ago only the
 * head, points and position are known. PUNKT_CALL_INVALID: the outbox does not know it. */
PUNKT_API enum punkt_call punkt_wait(struct punkt *punkt, uint64_t epoch, uint64_t number,
                                     uint32_t timeout_ms, struct punkt_answer *out_answer);

/* Puts a reversal behind a change that was stored, whether or not it was sent, and waits for the reversal's answer as
 * a blocking call does. QUEUED: it will be undone, or will never be booked. */
PUNKT_API enum punkt_call punkt_cancel(struct punkt *punkt, uint64_t epoch, uint64_t number,
                                       uint32_t timeout_ms, struct punkt_reversal_answer *out_answer);
/* The same without waiting; ends like every submitted request. */
PUNKT_API enum punkt_call punkt_submit_cancel(struct punkt *punkt, uint64_t epoch, uint64_t number,
                                              punkt_done_fn *on_done, void *ctx);

struct punkt_outbox_info {
    size_t size;
    bool present;      /* the handle has an outbox */
    bool failed;       /* the disk said no when it was last written */
    uint64_t queued;   /* operations without an answer, */
    uint64_t live;     /* of them of the live lane */
    uint64_t dead;     /* operations that can never be booked */
    uint64_t kept;     /* answered ones that are remembered, for the end of the day and for a server's loss */
    uint64_t max;      /* of queued */
    int64_t oldest_us; /* when the oldest of queued was made; 0: none is */
    uint64_t bytes;    /* of the file that are in use */
};

PUNKT_API void punkt_outbox_info(const struct punkt *punkt, struct punkt_outbox_info *out_info);

enum punkt_outbox_state {
    PUNKT_OUTBOX_QUEUED = 1,
    PUNKT_OUTBOX_DONE = 2,
    PUNKT_OUTBOX_REFUSED = 3,
    PUNKT_OUTBOX_DEAD = 4,
};

/* "queued", "done", "refused", "dead". Any thread. */
PUNKT_API const char *punkt_outbox_state_name(enum punkt_outbox_state state);

/* An operation of the outbox; texts are valid until the next call with the handle. */
struct punkt_outbox_entry {
    size_t size;
    uint64_t epoch;
    uint64_t number;
    enum punkt_outbox_state state;
    bool live;          /* of the live lane */
    bool advice;        /* sent as one */
    uint32_t operation; /* enum punkt_operation */
    int64_t created_us;
    int32_t business_date;
    int64_t amount; /* of the goods, minor units */
    int64_t earned; /* DONE: points */
    int64_t redeemed;
    int64_t offline_points;  /* redeemed here without the server */
    uint32_t result;         /* REFUSED, DEAD: why */
    uint64_t position;       /* DONE: of its event */
    uint64_t replaces_epoch; /* an advice: the refused operation that it stands for */
    uint64_t replaces_number;
    const char *card;
    const void *body; /* the request's message, as PROTOCOL.md has it; NULL: cannot be read */
    size_t body_size;
};

/* The index-th that is remembered, oldest first; false behind the last. */
PUNKT_API bool punkt_outbox_entry(struct punkt *punkt, uint64_t index, struct punkt_outbox_entry *out_entry);

/* Takes an operation off the DEAD list, durably. PUNKT_CALL_INVALID: it is not there. */
PUNKT_API enum punkt_call punkt_outbox_discard(struct punkt *punkt, uint64_t epoch, uint64_t number);

/* --- the end of the day --- */

/* Closes a business date: first everything queued is sent, then both sides' figures are held against each other, what the
 * server lacks is sent again, and the server books the close. Of a handle with an outbox only. */
struct punkt_close_day_request {
    size_t size;
    uint32_t flags;
    uint32_t timeout_ms;   /* for all of it; 0: 30000 */
    int32_t business_date; /* 0: today; tomorrow at most */
    const char *operator_;
};

enum punkt_close_state {
    PUNKT_CLOSE_BALANCED = 0,  /* both sides have the same */
    PUNKT_CLOSE_DIFFERENT = 1, /* see differences */
    PUNKT_CLOSE_OPEN = 2,      /* operations are still queued; the server has booked it as open */
    PUNKT_CLOSE_NOT_REACHED =
        3, /* the server was not there: the till's own figures only, close again later */
};

/* "in balance", "not in balance", "open", "server not reached". Any thread. */
PUNKT_API const char *punkt_close_state_name(enum punkt_close_state state);

/* Figures of a till's business date, of one side. */
struct punkt_day_figures {
    size_t size;
    uint64_t purchases;
    int64_t purchase_amount; /* minor units */
    int64_t earned;          /* points; the till's side knows those it was told */
    uint64_t returns;
    int64_t return_amount;
    int64_t returned; /* points */
    uint64_t redemptions;
    int64_t redeemed; /* points */
    int64_t redeemed_worth;
    uint64_t reversals;
    uint64_t hash; /* XOR over what was booked (PROTOCOL.md, End of day) */
};

struct punkt_day_difference {
    size_t size;
    uint64_t epoch;
    uint64_t number;
    bool missing_there; /* booked by the till's list, not by the server's; else the reverse */
    uint32_t operation; /* if it is known here */
    int64_t amount;
};

/* After DONE; after QUEUED or NOT_SENT with state NOT_REACHED, and the till's own figures. */
struct punkt_close_day_answer {
    struct punkt_answer head;
    enum punkt_close_state state;
    uint64_t position; /* of the close */
    uint64_t close;    /* running number of this till's closes */
    int32_t business_date;
    int64_t time_us;           /* when it was made */
    uint8_t journal_head[32];  /* hash of the journal behind its newest whole block: the till is a witness */
    uint64_t journal_position; /* the position behind that block */
    uint64_t queued;           /* operations that are not answered */
    uint64_t dead;
    uint64_t late;   /* operations that came after the close before this one */
    uint64_t resent; /* operations that the server lacked and has now */
    const struct punkt_day_figures *here;
    const struct punkt_day_figures *there; /* NULL: NOT_REACHED */
    const struct punkt_day_difference *const *differences;
    size_t difference_count;
    const char *store;
    const char *till;
};

PUNKT_API enum punkt_call punkt_close_day(struct punkt *punkt, const struct punkt_close_day_request *request,
                                          struct punkt_close_day_answer *out_answer);
PUNKT_API enum punkt_call punkt_submit_close_day(struct punkt *punkt,
                                                 const struct punkt_close_day_request *request,
                                                 punkt_done_fn *on_done, void *ctx);

/* The report of a close, ready to print (Z-report): lines of up to `width` columns (24 to 80) that end with '\n', UTF-8, English.
 * Writes at most capacity bytes, NUL included, and returns the length of the whole text. Decimals and currency are those of
 * the handle's server. */
PUNKT_API size_t punkt_close_report(const struct punkt *punkt, const struct punkt_close_day_answer *answer,
                                    unsigned width, char *out_text, size_t capacity);

/* ---------------------------------------------------------------------------------------------------- enrolment */

/*
 * Makes this machine a till, or its user a user, of a server: with the one-time code that the server's administrator was
 * given (`punkt till add`, `punkt user add`). Client and server prove to each other that they have the code, so nothing
 * else needs to be known of the server before. The private key is made here and never leaves this machine; the server signs
 * its certificate; all that a handle needs is written as an identity file (see "Identity").
 *
 * The answer may get lost: the same call with the same code goes on, within the code's time, with the same key, which is
 * kept in a file beside the identity (its path and ".enrolling") until then.
 */
struct punkt_enrol_request {
    size_t size;
    uint32_t flags;       /* 0 */
    uint32_t timeout_ms;  /* for all of it; 0: 15000 */
    const char *server;   /* "HOST", "HOST:PORT", "[IPV6]" or "[IPV6]:PORT"; without a port 7445 */
    const char *code;     /* 32 letters and digits; case, dashes and blanks do not matter */
    const char *identity; /* path of the file to be written; its folder must be there */
    const char *software; /* for the server's log, up to 64 bytes; NULL: "libpunkt" and its version */
    bool replace;         /* an identity that is there is replaced */
};

struct punkt_enrol_answer {
    struct punkt_answer head; /* detail points to trouble, of the caller's own struct */
    char trouble[256];        /* what exactly was wrong, one line; "" after DONE */
    uint64_t identity;        /* its number in the server's register */
    int64_t key_ends_us;      /* when its certificate ends; 0: never */
    uint32_t role;            /* enum punkt_role */
    bool psk;                 /* it proves itself by a pre-shared key, not by a certificate */
    char name[33];            /* of a user, */
    char store[33], till[33]; /* or of a till */
    char server[256];         /* as in the file: where it will connect to */
};

/*
 * Enrols, and waits for it. PUNKT_CALL_DONE: the file is written. PUNKT_CALL_REFUSED: the server does not take the code
 * (PUNKT_RESULT_CODE_USED: it is wrong, used or over), or says why else. PUNKT_CALL_NOT_SENT: not reachable, the code is
 * unused. PUNKT_CALL_UNKNOWN: no answer; enrol again with the same code. PUNKT_CALL_INVALID: the request, a code that cannot
 * be one (trouble names the group), or an identity that is there already. PUNKT_CALL_NOT_STORED: the file cannot be written.
 * Any thread; blocks, also for the look-up of a host name.
 */
PUNKT_API enum punkt_call punkt_enrol(const struct punkt_enrol_request *request,
                                      struct punkt_enrol_answer *out_answer);

/* --------------------------------------------------------------------------------------------- for event loops */

/*
 * The same without waiting, and many at once. Submitting encodes the request and returns; nothing is sent before
 * punkt_process. One loop:
 *
 *      while (punkt_room(punkt) > 0 && more) punkt_submit_purchase(punkt, &next, on_answer, ctx);
 *      punkt_drive(punkt, -1);          or, in a loop of one's own, poll for punkt_fd, punkt_wanted and
 *                                       punkt_timeout_ms, then punkt_process(punkt)
 */

/*
 * PUNKT_CALL_DONE: taken, and on_done will be called; changes get their numbers in the order they were submitted.
 * Otherwise nothing was taken and on_done is not called: PUNKT_CALL_INVALID (punkt_trouble says what),
 * PUNKT_CALL_WINDOW_FULL or PUNKT_CALL_NO_MEMORY.
 */
PUNKT_API enum punkt_call punkt_submit_ping(struct punkt *punkt, const struct punkt_plain_request *request,
                                            punkt_done_fn *on_done, void *ctx);
PUNKT_API enum punkt_call punkt_submit_card_issue(struct punkt *punkt,
                                                  const struct punkt_card_issue_request *request,
                                                  punkt_done_fn *on_done, void *ctx);
PUNKT_API enum punkt_call punkt_submit_card_show(struct punkt *punkt,
                                                 const struct punkt_card_show_request *request,
                                                 punkt_done_fn *on_done, void *ctx);
PUNKT_API enum punkt_call punkt_submit_purchase(struct punkt *punkt,
                                                const struct punkt_purchase_request *request,
                                                punkt_done_fn *on_done, void *ctx);
PUNKT_API enum punkt_call punkt_submit_return(struct punkt *punkt, const struct punkt_return_request *request,
                                              punkt_done_fn *on_done, void *ctx);
PUNKT_API enum punkt_call punkt_submit_unlinked_return(struct punkt *punkt,
                                                       const struct punkt_unlinked_return_request *request,
                                                       punkt_done_fn *on_done, void *ctx);
PUNKT_API enum punkt_call punkt_submit_quote(struct punkt *punkt, const struct punkt_quote_request *request,
                                             punkt_done_fn *on_done, void *ctx);
PUNKT_API enum punkt_call punkt_submit_return_preview(struct punkt *punkt,
                                                      const struct punkt_return_preview_request *request,
                                                      punkt_done_fn *on_done, void *ctx);
PUNKT_API enum punkt_call punkt_submit_redeem(struct punkt *punkt, const struct punkt_redeem_request *request,
                                              punkt_done_fn *on_done, void *ctx);
PUNKT_API enum punkt_call punkt_submit_hold(struct punkt *punkt, const struct punkt_hold_request *request,
                                            punkt_done_fn *on_done, void *ctx);
PUNKT_API enum punkt_call punkt_submit_capture(struct punkt *punkt,
                                               const struct punkt_capture_request *request,
                                               punkt_done_fn *on_done, void *ctx);
PUNKT_API enum punkt_call punkt_submit_release(struct punkt *punkt,
                                               const struct punkt_release_request *request,
                                               punkt_done_fn *on_done, void *ctx);
PUNKT_API enum punkt_call punkt_submit_reversal(struct punkt *punkt,
                                                const struct punkt_reversal_request *request,
                                                punkt_done_fn *on_done, void *ctx);
PUNKT_API enum punkt_call punkt_submit_adjust(struct punkt *punkt, const struct punkt_adjust_request *request,
                                              punkt_done_fn *on_done, void *ctx);
PUNKT_API enum punkt_call punkt_submit_status(struct punkt *punkt, const struct punkt_status_request *request,
                                              punkt_done_fn *on_done, void *ctx);
PUNKT_API enum punkt_call punkt_submit_statement(struct punkt *punkt,
                                                 const struct punkt_statement_request *request,
                                                 punkt_done_fn *on_done, void *ctx);
PUNKT_API enum punkt_call punkt_submit_totals(struct punkt *punkt, const struct punkt_plain_request *request,
                                              punkt_done_fn *on_done, void *ctx);
PUNKT_API enum punkt_call punkt_submit_programme_show(struct punkt *punkt,
                                                      const struct punkt_programme_show_request *request,
                                                      punkt_done_fn *on_done, void *ctx);
PUNKT_API enum punkt_call punkt_submit_audit_verify(struct punkt *punkt,
                                                    const struct punkt_plain_request *request,
                                                    punkt_done_fn *on_done, void *ctx);
PUNKT_API enum punkt_call punkt_submit_clock_accept(struct punkt *punkt,
                                                    const struct punkt_plain_request *request,
                                                    punkt_done_fn *on_done, void *ctx);
PUNKT_API enum punkt_call punkt_submit_message(struct punkt *punkt,
                                               const struct punkt_message_request *request,
                                               punkt_done_fn *on_done, void *ctx);

/* How many more requests may be submitted now, and how many callbacks are still to come. */
PUNKT_API unsigned punkt_room(const struct punkt *punkt);
PUNKT_API unsigned punkt_unanswered(const struct punkt *punkt);

#define PUNKT_WANT_READ 1
#define PUNKT_WANT_WRITE 2

/* What to poll for; all three may change with every call, the descriptor too. -1: there is no socket now. */
PUNKT_API int punkt_fd(const struct punkt *punkt);
PUNKT_API int punkt_wanted(const struct punkt *punkt);
/* In how many milliseconds punkt_process is due though the socket is silent; -1: not at all. An idle connection
 * is due once a minute, to be kept alive. */
PUNKT_API int punkt_timeout_ms(const struct punkt *punkt);

/* Does all that can be done without waiting: connects, sends, receives, calls back. Returns how many requests
 * ended. Calling it more often than needed is harmless. */
PUNKT_API unsigned punkt_process(struct punkt *punkt);

/* Waits until something can be done, wait_ms at most (-1: as long as it takes; but returns at once if nothing is
 * unanswered), and processes it once. Returns how many requests ended. */
PUNKT_API unsigned punkt_drive(struct punkt *punkt, int wait_ms);

/* ------------------------------------------------------------------------------------------------------ helpers */

/* Any thread: everything down to the end. */

enum punkt_card_check {
    PUNKT_CARD_CHECK_NONE = 0,
    PUNKT_CARD_CHECK_LUHN = 1,  /* ISO/IEC 7812-1 */
    PUNKT_CARD_CHECK_EAN13 = 2, /* thirteen digits */
};

/* Whether this can be a card number, and its check digit is right. */
PUNKT_API bool punkt_card_valid(const char *card, enum punkt_card_check check);

/* The number inside what a magnetic stripe reader typed (sentinels and everything from '=' on are dropped), with
 * NUL. False if there is none; out_card is then "". */
PUNKT_API bool punkt_card_from_scan(const char *scanned, char out_card[PUNKT_CARD_MAX + 1]);

/* The number `step` places after first in a range, its check digit made anew. False if first is not digits only,
 * its check digit is wrong, or the range ends before; out_card is then "". */
PUNKT_API bool punkt_card_after(const char *first, uint64_t step, enum punkt_card_check check,
                                char out_card[PUNKT_CARD_MAX + 1]);

/*
 * "105.00" with decimals 2 is 10500. Takes an optional '-', digits, and up to `decimals` digits behind one '.';
 * nothing else, no blanks. False, and *out_value untouched, if it is something else or does not fit.
 */
PUNKT_API bool punkt_decimal_parse(const char *text, unsigned decimals, int64_t *out_value);

/* 10500 with decimals 2 is "105.00". Writes at most capacity bytes, NUL included, and returns the length of the
 * whole text. 24 bytes are enough for every value with up to 4 decimals; more than 18 are not written. */
PUNKT_API size_t punkt_decimal_format(int64_t value, unsigned decimals, char *out_text, size_t capacity);

/* What events are about. A statement lists those that concern its account. More will come. */
enum punkt_event {
    PUNKT_EVENT_TERM = 1, /* a new term of the journal begins */
    PUNKT_EVENT_PROGRAMME = 2,
    PUNKT_EVENT_CARDS_ISSUED = 3,
    PUNKT_EVENT_PURCHASE = 4,
    PUNKT_EVENT_RETURN = 5,
    PUNKT_EVENT_UNLINKED_RETURN = 6,
    PUNKT_EVENT_REDEMPTION = 7,
    PUNKT_EVENT_ADJUSTMENT = 8,
    PUNKT_EVENT_REFUSAL = 9,
    PUNKT_EVENT_TIE = 10, /* a number for a document that was booked before */
    PUNKT_EVENT_CLOCK_ACCEPTED = 11,
    PUNKT_EVENT_DAY = 12, /* points matured or expired, or the tier changed, with a day */
    PUNKT_EVENT_CARD_ADDED = 13,
    PUNKT_EVENT_CARD_STATUS = 14, /* blocked, unblocked or closed */
    PUNKT_EVENT_CARD_REPLACED = 15,
    PUNKT_EVENT_MERGE = 16,
    PUNKT_EVENT_TRANSFER = 17,
    PUNKT_EVENT_TAGS = 18,
    PUNKT_EVENT_ACTIVATION = 19,
    PUNKT_EVENT_PIN_SET = 20,
    PUNKT_EVENT_PIN_TRY = 21, /* a PIN is counted as wrong before it is checked */
    PUNKT_EVENT_HOLD = 22,
    PUNKT_EVENT_CAPTURE = 23,
    PUNKT_EVENT_RELEASE = 24, /* asked for, or timed out */
    PUNKT_EVENT_REVERSAL = 25,
    PUNKT_EVENT_TOMBSTONE = 26, /* a reversal of what was never seen */
    PUNKT_EVENT_BONUS = 27,
    PUNKT_EVENT_WRITE_OFF = 28,
    PUNKT_EVENT_AWARD_MOVED = 29,
    PUNKT_EVENT_RETURN_WAITING = 30, /* an advice whose purchase is not here yet */
    PUNKT_EVENT_DAY_CLOSED = 31,     /* a till closed a business date */
    PUNKT_EVENT_IDENTITY = 32,       /* the register of tills and users changed */
    PUNKT_EVENT_PROPOSAL = 33,       /* a request above a limit: it waits for another's approval */
    PUNKT_EVENT_PROPOSAL_ENDED = 34, /* rejected, or ended by itself */
    PUNKT_EVENT_ATTEMPTS = 35,       /* refused proofs and the like, counted */
    PUNKT_EVENT_ALARM = 36,          /* the server raised a flag of its own */
    PUNKT_EVENT_FLAG_RESOLVED = 37,
    PUNKT_EVENT_SEAL = 38, /* of the journal's head */
};

/* The constant in small letters ("unlinked_return"; "card_issued" for the first); "event" for others. */
PUNKT_API const char *punkt_event_name(uint32_t kind);

/* The version of the library, "0.1.0". */
PUNKT_API const char *punkt_version(void);

#ifdef __cplusplus
}
#endif

#endif
