/* Random changes. Small ranges on purpose, so that they meet each other: the same receipts, the same lines, more
 * than was sold, less than is there. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "changes.h"

#define CARDS 12     /* of a share that most changes are about */
#define CARDS_MAX 60 /* that may be issued */
#define DAY_US (INT64_C(86400) * 1000000)

static uint64_t below(struct maker *maker, uint64_t bound)
{
    return random_below(maker->random, bound);
}

static bool once_in(struct maker *maker, uint64_t times)
{
    return below(maker, times) == 0;
}

void change_card(unsigned owner, uint64_t index, char out[PUNKT_CARD_MAX + 1])
{
    (void)snprintf(out, PUNKT_CARD_MAX + 1, "29%02u%09" PRIu64, owner, index);
}

static void any_card(struct maker *maker, unsigned owner, char out[PUNKT_CARD_MAX + 1])
{
    change_card(owner, once_in(maker, 40) ? 900000 : below(maker, CARDS), out);
}

static void make_issue(struct maker *maker, unsigned owner, struct change *out)
{
    out->kind = CHANGE_ISSUE;
    out->card_count = (uint32_t)below(maker, 5);
    change_card(owner, below(maker, CARDS_MAX), out->card);
}

/* Store, till and number of a document, its time and its day. */
static void make_document(struct maker *maker, unsigned owner, const char *prefix, struct change *out)
{
    static const int32_t days_back[] = { 0, 0, 1, 5, 99, 150 };
    int32_t today = (int32_t)(maker->now_us / DAY_US);
    (void)snprintf(out->store, sizeof(out->store), "S%u", owner);
    if (!once_in(maker, 3))
        (void)snprintf(out->till, sizeof(out->till), "%" PRIu64, below(maker, 3));
    if (!once_in(maker, 5))
        (void)snprintf(out->operator_, sizeof(out->operator_), "op%" PRIu64, below(maker, 3));
    if (!once_in(maker, 5))
        (void)snprintf(out->number, sizeof(out->number), "%s%u", prefix,
                       once_in(maker, 4) ? (unsigned)below(maker, 20) : 100 + ++maker->fresh);
    out->date = today - days_back[below(maker, sizeof(days_back) / sizeof(days_back[0]))];
    switch (below(maker, 6)) {
    case 0: /* some days late, and the day is that of the time */
        out->time_us = maker->now_us - (int64_t)below(maker, (uint64_t)(20 * DAY_US));
        out->date = once_in(maker, 2) ? 0 : out->date;
        break;
    case 1: /* too late to be believed */
        out->time_us = maker->now_us - 40 * DAY_US;
        break;
    case 2: /* from the files of years ago */
        out->historic = true;
        out->time_us = maker->now_us - 1500 * DAY_US;
        break;
    default:
        break;
    }
}

static int64_t any_amount(struct maker *maker)
{
    static const int64_t corners[] = { 0, 1, 99, 100, 101, 199, 200, 100000 };
    if (once_in(maker, 6))
        return corners[below(maker, sizeof(corners) / sizeof(corners[0]))];
    return (int64_t)below(maker, 5000);
}

/* Lines that add up; what they take off is less than what is sold. */
static void make_lines(struct maker *maker, struct change *out)
{
    static const uint32_t kinds[] = { PUNKT_LINE_SALE,     PUNKT_LINE_SALE,    PUNKT_LINE_SALE,
                                      PUNKT_LINE_SALE,     PUNKT_LINE_DEPOSIT, PUNKT_LINE_STORED_VALUE,
                                      PUNKT_LINE_DISCOUNT, PUNKT_LINE_REWARD };
    int64_t sold = 0;
    out->line_count = 1 + (uint32_t)below(maker, CHANGE_LINES_MAX);
    for (uint32_t i = 0; i < out->line_count; i++) {
        struct change_line *line = &out->lines[i];
        line->kind = kinds[below(maker, sizeof(kinds) / sizeof(kinds[0]))];
        line->code[0] = (char)('A' + below(maker, 4));
        if (line->kind == PUNKT_LINE_DISCOUNT || line->kind == PUNKT_LINE_REWARD) {
            line->amount = -(int64_t)below(maker, (uint64_t)sold + 1);
            sold += line->amount;
        } else {
            line->amount = any_amount(maker);
            line->quantity = once_in(maker, 2) ? 0 : 1000 * below(maker, 6);
            line->quantity += once_in(maker, 5) ? 1 + below(maker, 2500) : 0;
            line->tax = once_in(maker, 3) ? line->amount / 6 : 0;
            sold += line->kind == PUNKT_LINE_SALE ? line->amount : 0;
        }
        out->amount += line->amount;
    }
    if (!once_in(maker, 20))
        return;
    /* Something does not fit. */
    if (once_in(maker, 2))
        out->amount++;
    else
        out->lines[0].tax = out->lines[0].amount + 1;
}

static void make_goods(struct maker *maker, struct change *out)
{
    if (once_in(maker, 2))
        make_lines(maker, out);
    else
        out->amount = any_amount(maker);
}

static void make_purchase(struct maker *maker, unsigned owner, struct change *out)
{
    out->kind = CHANGE_PURCHASE;
    make_document(maker, owner, "R", out);
    make_goods(maker, out);
    if (once_in(maker, 20))
        (void)snprintf(out->coupon, sizeof(out->coupon), "C%" PRIu64, below(maker, 3));
}

static bool is_of(const struct change *change, unsigned owner)
{
    char card[PUNKT_CARD_MAX + 1];
    change_card(owner, 0, card);
    return memcmp(change->card, card, 4) == 0;
}

/* A booking that may be asked for again, at random; MODEL_NONE when luck does not find one. */
static size_t any_booking(struct maker *maker, unsigned owner, bool sale)
{
    size_t count = model_booking_count(maker->model);
    for (unsigned tries = 0; count > 0 && tries < 30; tries++) {
        /* Rather a late one: what is new is changed most. */
        size_t index = count - 1 - (size_t)below(maker, once_in(maker, 2) && count > 40 ? 40 : count);
        const struct change *change = &model_booking(maker->model, index)->change;
        if (maker->own_cards && !is_of(change, owner))
            continue;
        if (sale ? change->kind == CHANGE_PURCHASE : change->number[0] != '\0')
            return index;
    }
    return MODEL_NONE;
}

static void name_sale(struct maker *maker, const struct booking *sale, struct change *out)
{
    const struct change *change = &sale->change;
    bool nameless = change->number[0] == '\0' || change->date == 0;
    if (once_in(maker, 25)) {
        (void)snprintf(out->sale_receipt, sizeof(out->sale_receipt), "never");
    } else if (sale->outcome.position != 0 && (nameless || once_in(maker, 6))) {
        /* Now and then a position where nothing begins. */
        out->sale_position = sale->outcome.position + (once_in(maker, 10) ? 5 : 0);
    } else {
        (void)snprintf(out->sale_receipt, sizeof(out->sale_receipt), "%s",
                       nameless ? "none" : change->number);
        if (strcmp(change->store, out->store) != 0 || once_in(maker, 2))
            memcpy(out->sale_store, change->store, sizeof(out->sale_store));
        if (strcmp(change->till, out->till) != 0 || once_in(maker, 2))
            (void)snprintf(out->sale_till, sizeof(out->sale_till), "%s",
                           change->till[0] != '\0' ? change->till : "0");
        out->sale_date = once_in(maker, 3) ? 0 : change->date;
    }
}

static void make_return(struct maker *maker, unsigned owner, struct change *out)
{
    out->kind = CHANGE_RETURN;
    make_document(maker, owner, "D", out);
    size_t index = any_booking(maker, owner, true);
    if (index == MODEL_NONE) {
        (void)snprintf(out->sale_receipt, sizeof(out->sale_receipt), "nothing");
        return;
    }
    const struct booking *sale = model_booking(maker->model, index);
    const struct change *sold = &sale->change;
    if (!once_in(maker, 12))
        memcpy(out->card, sold->card, sizeof(out->card));
    name_sale(maker, sale, out);
    if (once_in(maker, 3)) {
        out->amount = once_in(maker, 4) ? sold->amount : (int64_t)below(maker, (uint64_t)sold->amount + 20);
        return;
    }
    out->return_line_count = 1 + (uint32_t)below(maker, CHANGE_RETURN_LINES_MAX);
    for (uint32_t i = 0; i < out->return_line_count; i++) {
        struct change_return_line *line = &out->return_lines[i];
        /* Now and then a line that was not sold. */
        uint32_t which =
            (uint32_t)below(maker, sold->line_count + (once_in(maker, 15) || sold->line_count == 0));
        if (once_in(maker, 2) || sold->line_count == 0)
            line->number = which + 1;
        else
            line->code[0] = which < sold->line_count ? sold->lines[which].code[0] : 'Z';
        line->quantity = once_in(maker, 3) ? 0 : once_in(maker, 3) ? 1 + below(maker, 1500) : 1000;
    }
}

static void make_unlinked_return(struct maker *maker, unsigned owner, struct change *out)
{
    out->kind = CHANGE_UNLINKED_RETURN;
    make_document(maker, owner, "D", out);
    make_goods(maker, out);
}

static void make_redeem(struct maker *maker, unsigned owner, struct change *out)
{
    out->kind = CHANGE_REDEEM;
    (void)snprintf(out->store, sizeof(out->store), "S%u", owner);
    int64_t available = model_card(maker->model, out->card).available;
    out->points = once_in(maker, 4) ? available : (int64_t)below(maker, (uint64_t)available / 2 + 20);
    out->points += out->points == 0 || once_in(maker, 8);
}

/* Now and then more than an account can hold; one card a share is kept for that, the others stay poor. */
static void make_adjust(struct maker *maker, unsigned owner, struct change *out)
{
    out->kind = CHANGE_ADJUST;
    bool much = once_in(maker, 20);
    if (much)
        change_card(owner, 0, out->card);
    out->points = 1 + (int64_t)below(maker, much ? UINT64_C(999999999999) : 200);
    out->points = once_in(maker, 2) ? -out->points : out->points;
    out->allow_debt = once_in(maker, 2);
    (void)snprintf(out->reason, sizeof(out->reason), "%s", once_in(maker, 20) ? "whim" : "goodwill");
    if (once_in(maker, 3))
        (void)snprintf(out->operator_, sizeof(out->operator_), "chief");
}

/* A document again, under another number: told by another operator, and sometimes not the same. */
static bool make_again(struct maker *maker, unsigned owner, struct change *out)
{
    size_t index = any_booking(maker, owner, false);
    if (index == MODEL_NONE)
        return false;
    *out = model_booking(maker->model, index)->change;
    (void)snprintf(out->operator_, sizeof(out->operator_), "again");
    if (out->date != 0)
        out->time_us = 0;
    if (once_in(maker, 4))
        change_alter(out);
    return true;
}

void change_alter(struct change *change)
{
    switch (change->kind) {
    case CHANGE_ISSUE:
        change->card_count += 2;
        break;
    case CHANGE_PURCHASE:
    case CHANGE_UNLINKED_RETURN:
        change->amount++;
        if (change->line_count > 0)
            change->lines[change->line_count - 1].amount++;
        break;
    case CHANGE_RETURN:
        if (change->return_line_count > 0)
            change->return_lines[0].quantity++;
        else
            change->amount++;
        break;
    case CHANGE_REDEEM:
    case CHANGE_ADJUST:
        change->points = change->points == -1 ? 1 : change->points + 1;
        break;
    }
}

void change_make(struct maker *maker, unsigned owner, struct change *out)
{
    uint64_t dice = below(maker, 100);
    memset(out, 0, sizeof(*out));
    any_card(maker, owner, out->card);
    if (dice < 3)
        make_issue(maker, owner, out);
    else if (dice < 12 && make_again(maker, owner, out))
        return;
    else if (dice < 45)
        make_purchase(maker, owner, out);
    else if (dice < 72)
        make_return(maker, owner, out);
    else if (dice < 78)
        make_unlinked_return(maker, owner, out);
    else if (dice < 90)
        make_redeem(maker, owner, out);
    else
        make_adjust(maker, owner, out);
}

void change_make_simple(struct maker *maker, unsigned owner, const char *card, struct change *out)
{
    uint64_t dice = below(maker, 100);
    memset(out, 0, sizeof(*out));
    (void)snprintf(out->card, sizeof(out->card), "%s", card);
    (void)snprintf(out->store, sizeof(out->store), "S9");
    if (dice < 40) {
        out->kind = CHANGE_PURCHASE;
        make_goods(maker, out);
    } else if (dice < 50) {
        out->kind = CHANGE_UNLINKED_RETURN;
        out->amount = any_amount(maker);
    } else if (dice < 85) {
        out->kind = CHANGE_REDEEM;
        out->points = 1 + (int64_t)below(maker, 60);
    } else {
        make_adjust(maker, owner, out);
    }
}
