/*
 * What an event says of itself, whatever its type: for statements and `why`.
 */
#include "service/internal.h"

static const struct text none = { "", 0 };

struct text event_reason(const struct event *event)
{
    switch (event->type) {
    case EVENT_ADJUSTMENT:
        return event->adjustment.reason;
    case EVENT_BONUS:
        return event->bonus.reason;
    case EVENT_WRITE_OFF:
        return event->write_off.reason;
    case EVENT_TRANSFER:
        return event->transfer.reason;
    case EVENT_MERGE:
        return event->merge.reason;
    case EVENT_CARD_STATUS:
        return event->card_status.reason;
    case EVENT_CARD_REPLACED:
        return event->card_replaced.reason;
    case EVENT_AWARD_MOVED:
        return event->award_moved.reason;
    case EVENT_TAGS:
    case EVENT_ACTIVATION:
    case EVENT_PIN_SET:
    case EVENT_PIN_TRY:
        return event->account_act.reason;
    case EVENT_TERM:
    case EVENT_PROGRAMME:
    case EVENT_CARDS_ISSUED:
    case EVENT_PURCHASE:
    case EVENT_RETURN:
    case EVENT_UNLINKED_RETURN:
    case EVENT_REDEMPTION:
    case EVENT_REFUSAL:
    case EVENT_TIE:
    case EVENT_CLOCK_ACCEPTED:
    case EVENT_DAY:
    case EVENT_CARD_ADDED:
    case EVENT_HOLD:
    case EVENT_CAPTURE:
    case EVENT_RELEASE:
    case EVENT_REVERSAL:
    case EVENT_TOMBSTONE:
    case EVENT_RETURN_WAITING:
    case EVENT_DAY_CLOSE:
    case EVENT_PROPOSAL_ENDED:
    case EVENT_ATTEMPTS:
    case EVENT_ALARM:
    case EVENT_FLAG_RESOLVED:
    case EVENT_SEAL:
        return none;
    case EVENT_IDENTITY:
        return event->identity.reason;
    case EVENT_PROPOSAL:
        return event->proposal.reason;
    }
    return none;
}

struct text event_note(const struct event *event)
{
    if (event->type == EVENT_ADJUSTMENT)
        return event->adjustment.note;
    if (event->type == EVENT_BONUS)
        return event->bonus.note;
    if (event->type == EVENT_WRITE_OFF)
        return event->write_off.note;
    if (event->type == EVENT_PROPOSAL)
        return event->proposal.note;
    if (event->type == EVENT_PROPOSAL_ENDED)
        return event->proposal_ended.note;
    if (event->type == EVENT_FLAG_RESOLVED)
        return event->flag_resolved.note;
    return event->type == EVENT_TRANSFER ? event->transfer.note : none;
}

journal_position event_refers(const struct event *event)
{
    switch (event->type) {
    case EVENT_RETURN:
        return event->goods_return.sale;
    case EVENT_REDEMPTION:
        return event->redemption.sale;
    case EVENT_CAPTURE:
        return event->redemption.made.hold;
    case EVENT_RELEASE:
        return event->release.hold;
    case EVENT_REVERSAL:
        return event->reversal.of;
    case EVENT_AWARD_MOVED:
        return event->award_moved.sale;
    case EVENT_TIE:
        return event->tie.first;
    case EVENT_RETURN_WAITING:
        return event->waiting.previous;
    case EVENT_REFUSAL:
        return event->waited.event;
    case EVENT_PROPOSAL_ENDED:
        return event->proposal_ended.proposal;
    case EVENT_FLAG_RESOLVED:
        return event->flag_resolved.flag;
    case EVENT_PROPOSAL:
        return 0;
    case EVENT_TERM:
    case EVENT_PROGRAMME:
    case EVENT_CARDS_ISSUED:
    case EVENT_PURCHASE:
    case EVENT_UNLINKED_RETURN:
    case EVENT_ADJUSTMENT:
    case EVENT_CLOCK_ACCEPTED:
    case EVENT_DAY:
    case EVENT_CARD_ADDED:
    case EVENT_CARD_STATUS:
    case EVENT_CARD_REPLACED:
    case EVENT_MERGE:
    case EVENT_TRANSFER:
    case EVENT_TAGS:
    case EVENT_ACTIVATION:
    case EVENT_PIN_SET:
    case EVENT_PIN_TRY:
    case EVENT_HOLD:
    case EVENT_TOMBSTONE:
    case EVENT_BONUS:
    case EVENT_WRITE_OFF:
    case EVENT_DAY_CLOSE:
    case EVENT_IDENTITY:
    case EVENT_ATTEMPTS:
    case EVENT_ALARM:
    case EVENT_SEAL:
        return 0;
    }
    return 0;
}
