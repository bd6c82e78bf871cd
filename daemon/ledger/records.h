/*
 * The records of state: one typed function a key, by value, and one encoder and decoder a record.
 * Keys are composite and big-endian, so that byte order is numeric order. Every record begins with
 * its version; a decoder answers false for bytes it does not understand.
 */
#pragma once

#include "base/base.h"
#include "base/text.h"
#include "base/units.h"
#include "ledger/state.h"
#include "points/account.h"
#include "points/event.h"

struct key {
    size_t size;
    uint8_t bytes[STATE_KEY_MAX];
};

struct key key_totals(void);
struct key key_programme(uint32_t version);
struct key key_lane(uint64_t identity, uint64_t epoch);
/* The record that holds the positions of 64 numbers, this one among them. */
struct key key_requests(uint64_t identity, uint64_t epoch, uint64_t number);
struct key key_card(struct text number);
struct key key_account(account_number number);
struct key key_document(const struct document *document);
struct key key_returned(journal_position sale);

#define REQUESTS_PER_RECORD 64

/* The lane of one (identity, epoch). */
struct lane_record {
    uint64_t highest;               /* number of the last change decided */
    journal_position last_position; /* of its event */
};

/* A published version of the programme. */
struct programme_record {
    uint32_t version;
    utc_us from;
    struct text text; /* borrowed from the record's bytes */
};

#define ACCOUNT_RECORD_MAX (128 + ACCOUNT_DEBTS_MAX * 20 + ACCOUNT_LOTS_MAX * 40)
#define RETURNED_RECORD_MAX (64 + LINES_MAX * 22)
#define SMALL_RECORD_MAX 256

size_t account_encode(const struct account *account, uint8_t *out, size_t capacity);
PUNKT_MUST_CHECK bool account_decode(struct state_value value, struct account *out);
size_t card_encode(const struct card *card, uint8_t *out, size_t capacity);
PUNKT_MUST_CHECK bool card_decode(struct state_value value, struct card *out);
size_t returned_encode(const struct returned *returned, uint8_t *out, size_t capacity);
PUNKT_MUST_CHECK bool returned_decode(struct state_value value, struct returned *out);
size_t totals_encode(const struct totals *totals, uint8_t *out, size_t capacity);
PUNKT_MUST_CHECK bool totals_decode(struct state_value value, struct totals *out);
size_t lane_encode(const struct lane_record *lane, uint8_t *out, size_t capacity);
PUNKT_MUST_CHECK bool lane_decode(struct state_value value, struct lane_record *out);
size_t position_encode(journal_position position, uint8_t *out, size_t capacity);
PUNKT_MUST_CHECK bool position_decode(struct state_value value, journal_position *out);
size_t programme_encode(const struct programme_record *programme, uint8_t *out, size_t capacity);
PUNKT_MUST_CHECK bool programme_decode(struct state_value value, struct programme_record *out);

/*
 * A record of requests: its version, then eight bytes a number, the position of its event (0: none was
 * booked under it), up to the last number in use. Read and written in place, since every change of a
 * lane does.
 */
#define REQUESTS_RECORD_MAX (1 + 8 * REQUESTS_PER_RECORD)
PUNKT_MUST_CHECK bool requests_get(struct state_value value, uint64_t slot, journal_position *out);
/* The record with one position set, into out (REQUESTS_RECORD_MAX); value: as it was, empty if new. */
size_t requests_set(struct state_value value, uint64_t slot, journal_position position,
                    uint8_t out[REQUESTS_RECORD_MAX]);
