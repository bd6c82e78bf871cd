/*
 * The templates of what tills print (punkt-programme(5), Receipt text), as a part of the compiled programme: a plain
 * value. How they become lines is service's.
 *
 * A template is a text of a line. {name} stands for a value; a template one of whose values is not there is left out. What
 * comes behind a tab ends at the right edge.
 */
#pragma once

#include "base/base.h"
#include "base/text.h"

#define RECEIPT_LANGUAGES_MAX 8
#define RECEIPT_LANGUAGE_MAX 32   /* bytes of its code: de, de-AT */
#define RECEIPT_LINES_MAX 16      /* of a kind; also of what is printed at once */
#define RECEIPT_TEMPLATE_MAX 200  /* bytes */
#define RECEIPT_BYTES_MAX 16384   /* of all templates of a programme */
#define RECEIPT_DATE_MAX 12       /* bytes of the form of a date */
#define RECEIPT_DATE "YYYY-MM-DD" /* where a language has none */

/* What is printed for. Bits of masks. */
enum receipt_kind {
    RECEIPT_PURCHASE = 0,
    RECEIPT_RETURN = 1, /* unlinked ones too */
    RECEIPT_REDEMPTION = 2,
    RECEIPT_OFFLINE = 3, /* what is queued: nothing is known yet */
};
#define RECEIPT_KINDS 4

enum receipt_value {
    RECEIPT_EARNED,
    RECEIPT_REDEEMED,
    RECEIPT_PAID,
    RECEIPT_TAKEN,
    RECEIPT_GIVEN_BACK,
    RECEIPT_AVAILABLE,
    RECEIPT_PENDING,
    RECEIPT_PENDING_UNTIL,
    RECEIPT_DEBT,
    RECEIPT_TIER,
    RECEIPT_NEXT_EXPIRY,
    RECEIPT_NEXT_EXPIRY_POINTS,
    RECEIPT_REWARD,
    RECEIPT_POINTS_TO_REWARD,
    RECEIPT_CARD,
    RECEIPT_NUMBER, /* of the receipt, or of the return's document */
};
#define RECEIPT_VALUES 16

struct receipt_template {
    uint16_t at, size; /* in receipt_texts.bytes */
};

struct receipt_language {
    char code[RECEIPT_LANGUAGE_MAX + 1];
    char date[RECEIPT_DATE_MAX + 1]; /* DD, MM and YYYY or YY, with what stands between them */
    bool comma;                      /* before decimals; else a point */
    uint8_t counts[RECEIPT_KINDS];
    struct receipt_template templates[RECEIPT_KINDS][RECEIPT_LINES_MAX];
};

struct receipt_texts {
    uint32_t language_count; /* 0: nothing is printed */
    struct receipt_language languages[RECEIPT_LANGUAGES_MAX];
    uint32_t size;
    char bytes[RECEIPT_BYTES_MAX];
};

/* The language of that code (letters of either case), else that of it without its region, else the first; NULL: there is none. */
const struct receipt_language *receipt_language(const struct receipt_texts *texts, struct text code);

/* A piece of a template: words as they stand, or a value. */
struct receipt_piece {
    struct text text; /* the words, or the name of the value */
    bool is_value;
};
/*
 * Takes the next piece off a template. False: it has ended, or what is left of it begins a brace that does not close (then
 * *template is not empty).
 */
bool receipt_piece_next(struct text *template, struct receipt_piece *out);

/* Which value has the name, among those that a kind knows. False: none. */
PUNKT_MUST_CHECK bool receipt_value(enum receipt_kind kind, struct text name, enum receipt_value *out);
/* The name of the index-th value that a kind knows, in the order of enum receipt_value; NULL: there are no more. */
const char *receipt_value_name(enum receipt_kind kind, size_t index);
