#include "service/receipt_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "service/internal.h"
#include "service/receipt_lines.h"

/* Lists of the answers that bring text: what was spent, and the text that none was booked with. */
#define LISTS_MAX (REDEMPTIONS_MAX * sizeof(struct msg_spent) + 256)
#define BODY_MAX (4096 + RECEIPT_LINES_MAX * (4 * RECEIPT_WIDTH_MAX + 8)) /* stored answers have 4096 */

#define CARD_SHOWN_FIRST 6
#define CARD_SHOWN_LAST 2

struct receipt_scratch {
    union message_any answer;
    _Alignas(max_align_t) uint8_t lists[LISTS_MAX];
    struct account account;
    struct receipt_words words;
    struct receipt_lines lines;
    uint8_t body[BODY_MAX];
};

/* One text on its way. */
struct composing {
    const struct service *service;
    const struct programme *programme; /* in force now */
    const struct receipt_language *language;
    struct receipt_words *words;
};

struct receipt_scratch *receipt_scratch_new(void)
{
    return calloc(1, sizeof(struct receipt_scratch));
}

void receipt_scratch_free(struct receipt_scratch *scratch)
{
    free(scratch);
}

/* --- values --- */

/* Names that come out of a programme may have anything in them. */
static void put_text(struct composing *composing, enum receipt_value value, struct text text)
{
    char *out = composing->words->text[value];
    PUNKT_CHECK(text.size <= RECEIPT_VALUE_MAX);
    for (size_t i = 0; i < text.size; i++) {
        unsigned char byte = (unsigned char)text.data[i];
        out[i] = byte < ' ' || byte == 0x7F ? ' ' : text.data[i];
    }
    out[text.size] = '\0';
}

/* A number of smallest units, with its decimals. */
static void put_decimal(struct composing *composing, enum receipt_value value, int64_t number,
                        uint32_t decimals)
{
    char text[RECEIPT_VALUE_MAX + 1];
    int64_t unit = 1;
    for (uint32_t i = 0; i < decimals; i++)
        unit *= 10;
    int64_t whole = number / unit;
    int64_t part = number % unit;
    if (decimals == 0)
        (void)snprintf(text, sizeof(text), "%" PRId64, number);
    else
        (void)snprintf(text, sizeof(text), "%s%" PRId64 "%c%0*" PRId64, number < 0 ? "-" : "",
                       whole < 0 ? -whole : whole, composing->language->comma ? ',' : '.', (int)decimals,
                       part < 0 ? -part : part);
    put_text(composing, value, text_of(text));
}

/* Points as on the wire. */
static void put_points(struct composing *composing, enum receipt_value value, int64_t points)
{
    put_decimal(composing, value, points, composing->programme->decimals);
}

static void put_points_above_zero(struct composing *composing, enum receipt_value value, millipoints points)
{
    int64_t wire = points_to_wire(composing->service, points);
    if (wire > 0)
        put_points(composing, value, wire);
}

static void put_amount_above_zero(struct composing *composing, enum receipt_value value, uint64_t amount)
{
    if (amount > 0)
        put_decimal(composing, value, (int64_t)amount, composing->programme->currency_exponent);
}

/* In the language's form, whose letters the reader of programmes looked at. */
static void put_day(struct composing *composing, enum receipt_value value, local_day day)
{
    struct civil_date date = civil_from_day(day);
    char text[RECEIPT_DATE_MAX + 1];
    size_t used = 0;
    const char *form = composing->language->date;
    while (*form != '\0') {
        size_t letters = strspn(form, *form == 'D' ? "D" : *form == 'M' ? "M" : "Y");
        uint32_t number = *form == 'D' ? date.day : *form == 'M' ? date.month : (uint32_t)date.year % 10000;
        if (letters == 0) {
            text[used++] = *form++;
            continue;
        }
        if (letters == 2)
            number %= 100;
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%0*" PRIu32, (int)letters, number);
        form += letters;
    }
    put_text(composing, value, (struct text){ text, used });
}

/* Of a short number as many places are hidden as of one that is just long enough. */
static void put_card(struct composing *composing, const struct wire_code *card)
{
    char text[WIRE_CODE_MAX];
    size_t first = card->size > CARD_SHOWN_FIRST + CARD_SHOWN_LAST ? CARD_SHOWN_FIRST : 0;
    size_t last = card->size > CARD_SHOWN_LAST ? card->size - CARD_SHOWN_LAST : card->size;
    memcpy(text, card->bytes, card->size);
    memset(text + first, '*', last - first);
    put_text(composing, RECEIPT_CARD, (struct text){ text, card->size });
}

/* The day on which the last of the pending points matures; DAY_NEVER: none are pending. */
static local_day pending_until(const struct account *account)
{
    local_day until = DAY_NEVER;
    for (uint32_t i = 0; i < account->lot_count; i++) {
        const struct lot *lot = &account->lots[i];
        if (lot->pending && (until == DAY_NEVER || lot->matures > until))
            until = lot->matures;
    }
    return until;
}

static void put_account(struct composing *composing, const struct account *account, struct text store,
                        local_day day)
{
    const struct programme *programme = composing->programme;
    struct balance balance;
    points_balance(account, day, &balance);
    put_points(composing, RECEIPT_AVAILABLE, points_to_wire(composing->service, balance.available));
    put_points_above_zero(composing, RECEIPT_PENDING, balance.pending);
    local_day until = pending_until(account);
    if (until != DAY_NEVER)
        put_day(composing, RECEIPT_PENDING_UNTIL, until);
    put_points_above_zero(composing, RECEIPT_DEBT, balance.debt);
    put_text(composing, RECEIPT_TIER, tier_name(composing->service, account->tier.id));
    if (balance.next_expiry != DAY_NEVER) {
        put_day(composing, RECEIPT_NEXT_EXPIRY, balance.next_expiry);
        put_points_above_zero(composing, RECEIPT_NEXT_EXPIRY_POINTS, balance.next_expiry_points);
    }
    millipoints missing;
    const struct reward *next =
        points_next_reward(&composing->service->view, programme, account, store, day, &missing);
    if (next != NULL) {
        put_text(composing, RECEIPT_REWARD, text_of(next->name));
        put_points_above_zero(composing, RECEIPT_POINTS_TO_REWARD, missing);
    }
}

/* --- answers --- */

/* What the operations with text have in common; of their messages, which begin differently. */
struct receipt_source {
    enum receipt_kind kind;
    enum message answer;
    const struct wire_code *card, *store;
    const struct wire_code *number; /* of the receipt or document; NULL: it has none */
};

/* False: the operation's answer has no text. */
static bool source_of(const struct request *request, struct receipt_source *out)
{
    const union message_any *message = request->message;
    out->answer = request->row->answer;
    if (request->row->code == OPERATION_PURCHASE) {
        const struct msg_purchase_request *purchase = &message->purchase_request;
        out->kind = RECEIPT_PURCHASE;
        out->card = &purchase->card;
        out->store = &purchase->store;
        out->number = &purchase->receipt;
    } else if (request->row->code == OPERATION_RETURN) {
        const struct msg_return_request *goods = &message->return_request;
        out->kind = RECEIPT_RETURN;
        out->card = &goods->card;
        out->store = &goods->store;
        out->number = &goods->document;
    } else if (request->row->code == OPERATION_UNLINKED_RETURN) {
        const struct msg_unlinked_return_request *goods = &message->unlinked_return_request;
        out->kind = RECEIPT_RETURN;
        out->card = &goods->card;
        out->store = &goods->store;
        out->number = &goods->document;
    } else if (request->row->code == OPERATION_REDEEM) {
        const struct msg_redeem_request *redeem = &message->redeem_request;
        out->kind = RECEIPT_REDEMPTION;
        out->card = &redeem->card;
        out->store = &redeem->store;
        out->number = NULL;
    } else {
        return false;
    }
    return true;
}

static void put_if_above_zero(struct composing *composing, enum receipt_value value, int64_t points)
{
    if (points > 0)
        put_points(composing, value, points);
}

/* What the answer itself says. */
static void put_answer(struct composing *composing, enum message message, const union message_any *answer)
{
    if (message == MESSAGE_purchase_answer) {
        const struct msg_purchase_answer *purchase = &answer->purchase_answer;
        put_points(composing, RECEIPT_EARNED, purchase->earned);
        put_if_above_zero(composing, RECEIPT_REDEEMED, purchase->redeemed);
        put_amount_above_zero(composing, RECEIPT_PAID, purchase->paid);
    } else if (message == MESSAGE_return_answer) {
        const struct msg_return_answer *goods = &answer->return_answer;
        if ((goods->flags & ANSWER_FLAG_WAITS) == 0)
            put_points(composing, RECEIPT_TAKEN, goods->taken);
        put_if_above_zero(composing, RECEIPT_GIVEN_BACK, goods->given_back);
    } else if (message == MESSAGE_unlinked_return_answer) {
        put_points(composing, RECEIPT_TAKEN, answer->unlinked_return_answer.taken);
    } else {
        PUNKT_CHECK(message == MESSAGE_redeem_answer);
        put_if_above_zero(composing, RECEIPT_REDEEMED, answer->redeem_answer.redeemed);
        put_amount_above_zero(composing, RECEIPT_PAID, answer->redeem_answer.worth);
    }
}

/* The text goes where the answer has its list for it. */
static void set_text(enum message message, union message_any *answer, struct receipt_lines *lines)
{
    const struct message_field *field = message_tables[message].fields;
    while (field->kind != FIELD_LIST || field->element != MESSAGE_text_line)
        field++; /* source_of knows those that have one */
    struct msg_text_line *first = lines->lines;
    uint64_t count = lines->count;
    memcpy((uint8_t *)answer + field->offset, &first, sizeof(first));
    memcpy((uint8_t *)answer + field->count_offset, &count, sizeof(count));
}

/* Language and programme of a connection's text. False: there is none. */
static bool begin(const struct service *service, const struct receipt_wish *wish, struct composing *out)
{
    *out = (struct composing){ .service = service,
                               .programme = programme_in_force(service, ledger_now(service->ledger)),
                               .words = &service->receipt->words };
    out->language = receipt_language(&out->programme->texts, text_of(wish->language));
    memset(out->words, 0, sizeof(*out->words));
    return out->language != NULL;
}

static void make(const struct composing *composing, enum receipt_kind kind, uint32_t width)
{
    receipt_lines_make(&composing->programme->texts, composing->language, kind, composing->words, width,
                       &composing->service->receipt->lines);
}

bool receipt_text_add(const struct request *request, uint16_t type, struct text *body)
{
    struct service *service = request->service;
    struct receipt_scratch *scratch = service->receipt;
    struct receipt_source source;
    struct composing composing;
    if (request->receipt.width == 0 || (type & FRAME_TYPE_DONE) == 0 || !source_of(request, &source) ||
        !begin(service, &request->receipt, &composing))
        return false;
    struct message_memory memory = { scratch->lists, sizeof(scratch->lists) };
    const char *field;
    /* As it was booked; by a newer version maybe, with more than is known here. */
    if (!message_decode(source.answer, body->data, body->size, &memory, &scratch->answer, &field))
        return false;
    put_answer(&composing, source.answer, &scratch->answer);
    put_card(&composing, source.card);
    if (source.number != NULL)
        put_text(&composing, RECEIPT_NUMBER, text_of_code(source.number));
    struct card card;
    const struct points_view *view = &service->view_of_reads;
    if (!abuse_is_locked(request) && view->card(view->ctx, text_of_code(source.card), &card) &&
        view->account(view->ctx, card.account, &scratch->account))
        put_account(&composing, &scratch->account, text_of_code(source.store), today(service));
    make(&composing, source.kind, request->receipt.width);
    if (scratch->lines.count == 0)
        return false;
    set_text(source.answer, &scratch->answer, &scratch->lines);
    struct wire_writer writer = wire_writer_over(scratch->body, sizeof(scratch->body));
    message_encode(source.answer, &scratch->answer, &writer);
    PUNKT_CHECK(!writer.failed); /* the reader of programmes and the limits of values see to it */
    *body = (struct text){ (const char *)scratch->body, wire_written(&writer) };
    return true;
}

struct msg_text_line *receipt_text_offline(struct service *service, const struct receipt_wish *wish,
                                           uint64_t *out_count)
{
    struct composing composing;
    *out_count = 0;
    if (wish->width == 0 || !begin(service, wish, &composing))
        return NULL;
    make(&composing, RECEIPT_OFFLINE, wish->width);
    *out_count = service->receipt->lines.count;
    return service->receipt->lines.lines;
}
