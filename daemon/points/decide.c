#include "points/decide.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "points/decide_steps.h"
#include "points/effect_maker.h"
#include "points/lots.h"

#define TILL_TIME_PAST (31 * US_PER_DAY)
#define TILL_TIME_FUTURE (1 * US_PER_DAY)

void decide_refuse(struct decision *decision, enum refusal refusal, const char *format, ...)
{
    decision->refusal = refusal;
    decision->needed = 0; /* also where no decision was begun */
    decision->available = 0;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(decision->detail, sizeof(decision->detail), format, args);
    va_end(args);
}

void decide_refuse_points(struct decision *decision, millipoints needed, millipoints available)
{
    decide_refuse(decision, REFUSAL_NOT_ENOUGH_POINTS, "%s", "");
    decision->needed = needed;
    decision->available = available;
}

void decide_begin(const struct points_view *view, const struct judgement *judgement, enum event_type type,
                  utc_us time, struct decision *decision)
{
    memset(&decision->event, 0, sizeof(decision->event));
    decision->refusal = REFUSAL_NONE;
    decision->day_first = 0;
    decision->needed = 0;
    decision->available = 0;
    decision->detail[0] = '\0';
    for (uint32_t i = 0; i < EVENT_EFFECTS_MAX; i++) {
        decision->sides[i].before.number = 0;
        decision->sides[i].after.number = 0;
    }
    decision->event.type = type;
    decision->event.time = judgement->now;
    decision->event.day = decide_today(view, judgement);
    decision->event.flags = judgement->flags;
    decision->event.occurred = judged_time(judgement, time, &decision->event.flags);
}

utc_us judged_time(const struct judgement *judgement, utc_us time, uint32_t *out_flags)
{
    if (time == 0)
        return judgement->now;
    bool historic = (judgement->flags & EVENT_FLAG_HISTORIC) != 0;
    if ((historic || time >= judgement->now - TILL_TIME_PAST) && time <= judgement->now + TILL_TIME_FUTURE)
        return time;
    *out_flags |= EVENT_FLAG_SERVER_TIME;
    return judgement->now;
}

const struct programme *programme_at(const struct points_view *view, utc_us time)
{
    const struct programme *programme = view->programme(view->ctx, 0, time);
    PUNKT_CHECK(programme != NULL);
    return programme;
}

local_day decide_today(const struct points_view *view, const struct judgement *judgement)
{
    return calendar_day(&programme_at(view, judgement->now)->calendar, judgement->now);
}

void decide_document(struct decision *decision, const struct programme *programme, enum document_kind kind,
                     const struct document *document, struct text operator)
{
    struct event *event = &decision->event;
    event->document = *document;
    event->document.kind = document->number.size > 0 ? kind : DOCUMENT_NONE;
    if (document->business_date == 0)
        event->document.business_date = calendar_day(&programme->calendar, event->occurred);
    event->store = document->store;
    event->till = document->till;
    event->operator= operator;
}

static enum refusal refusal_of_status(enum card_status status)
{
    switch (status) {
    case CARD_ACTIVE: /* a programme may say so */
    case CARD_BLOCKED:
        return REFUSAL_CARD_BLOCKED;
    case CARD_REPLACED:
        return REFUSAL_CARD_REPLACED;
    case CARD_CLOSED:
        return REFUSAL_CARD_CLOSED;
    case CARD_SUSPENSE:
        return REFUSAL_UNKNOWN_CARD;
    }
    PUNKT_CHECK(!"a card status");
    return REFUSAL_UNKNOWN_CARD;
}

/* Whether a status allows a use. A card in suspense is unknown to all but what already happened. */
static bool status_allows(const struct programme *programme, const struct judgement *judgement,
                          enum card_status status, enum card_use use)
{
    bool advice = (judgement->flags & EVENT_FLAG_ADVICE) != 0;
    switch (use) {
    case CARD_USE_RETURN:
        return true;
    case CARD_USE_EARN:
        return status == CARD_SUSPENSE ? advice : (programme->may_earn >> status & 1U) != 0;
    case CARD_USE_OFFICE:
        return status == CARD_ACTIVE || status == CARD_BLOCKED;
    case CARD_USE_SPEND:
        return status != CARD_SUSPENSE && (programme->may_spend >> status & 1U) != 0;
    }
    PUNKT_CHECK(!"a use of a card");
    return false;
}

bool decide_account(const struct points_view *view, const struct judgement *judgement,
                    struct decision *decision, uint32_t side, account_number number)
{
    struct account *before = &decision->sides[side].before;
    PUNKT_CHECK(view->account(view->ctx, number, before));
    if (account_due_day(before) > decide_today(view, judgement))
        return true;
    decide_refuse(decision, REFUSAL_DAY_FIRST, "%s", "");
    decision->day_first = before->number;
    return false;
}

bool decide_card(const struct points_view *view, const struct judgement *judgement, struct decision *decision,
                 uint32_t side, struct text number, enum card_use use)
{
    struct card card;
    if (!view->card(view->ctx, number, &card)) {
        decide_refuse(decision, REFUSAL_UNKNOWN_CARD, "%s", "");
        return false;
    }
    if (side == 0)
        decision->event.card = card.id;
    bool due = !decide_account(view, judgement, decision, side, card.account);
    enum refusal refusal = REFUSAL_NONE;
    if (!status_allows(programme_at(view, judgement->now), judgement, card.status, use))
        refusal = refusal_of_status(card.status);
    else if (decision->sides[side].before.closed && use != CARD_USE_RETURN)
        refusal = REFUSAL_ACCOUNT_CLOSED;
    if (refusal != REFUSAL_NONE)
        decide_refuse(decision, refusal, "%s", "");
    return refusal == REFUSAL_NONE && !due;
}

/* What is wrong with a line; NULL: nothing. */
static const char *line_fault(const struct sale_line *line)
{
    PUNKT_CHECK(line->amount >= -AMOUNT_MAX && line->amount <= AMOUNT_MAX);
    PUNKT_CHECK(line->quantity <= QUANTITY_MAX);
    if (line->quantity < 0)
        return "has a quantity below zero";
    switch (line->kind) {
    case LINE_DISCOUNT:
    case LINE_REWARD:
        return line->amount > 0 ? "takes money off, but its amount is above zero" : NULL;
    case LINE_SALE:
    case LINE_DEPOSIT:
    case LINE_STORED_VALUE:
        if (line->amount < 0)
            return "is goods, but its amount is below zero";
        return line->tax < 0 || line->tax > line->amount ? "has a tax that is no part of its amount" : NULL;
    }
    return "is of no known kind";
}

bool decide_lines_fit(struct decision *decision, minor_units amount, uint32_t line_count,
                      const struct sale_line *lines)
{
    PUNKT_CHECK(line_count <= LINES_MAX);
    minor_units sum = 0;
    minor_units goods = 0;
    for (uint32_t i = 0; i < line_count; i++) {
        const char *fault = line_fault(&lines[i]);
        if (fault != NULL) {
            decide_refuse(decision, REFUSAL_LINES_MISMATCH, "line %" PRIu32 " %s", i + 1, fault);
            return false;
        }
        sum += lines[i].amount;
        goods += i64_max(lines[i].amount, 0);
    }
    if (line_count == 0 || (sum == amount && goods <= AMOUNT_MAX))
        return true;
    if (sum == amount)
        decide_refuse(decision, REFUSAL_LINES_MISMATCH, "%s",
                      "the goods are worth more than an amount can be");
    else
        decide_refuse(decision, REFUSAL_LINES_MISMATCH,
                      "the lines add up to %" PRId64 ", the amount is %" PRId64, sum, amount);
    return false;
}

void decide_copy_lines(struct decision *decision, uint32_t line_count, const struct sale_line *lines)
{
    if (line_count > 0)
        memcpy(decision->lines, lines, line_count * sizeof(decision->lines[0]));
}

void points_balance(const struct account *account, local_day today, struct balance *out)
{
    *out = (struct balance){ .debt = account->debt, .lifetime = account->lifetime, .next_expiry = DAY_NEVER };
    for (uint32_t i = 0; i < account->lot_count; i++) {
        const struct lot *lot = &account->lots[i];
        out->held += lot->held;
        out->available += lot_free(account, lot, today);
        if (lot->pending)
            out->pending += lot->points - lot->held;
        local_day last_day = lot_last_day(account, lot);
        if (last_day < today || last_day == DAY_NEVER || last_day > out->next_expiry ||
            lot->held == lot->points)
            continue;
        if (last_day < out->next_expiry)
            out->next_expiry_points = 0;
        out->next_expiry = last_day;
        out->next_expiry_points += lot->points - lot->held;
    }
    out->available = i64_max(out->available - account->debt, 0);
}
