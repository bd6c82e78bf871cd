#include "points/event.h"

const char *event_type_name(enum event_type type)
{
    switch (type) {
    case EVENT_TERM:
        return "term";
    case EVENT_PROGRAMME:
        return "programme";
    case EVENT_CARDS_ISSUED:
        return "card_issued";
    case EVENT_PURCHASE:
        return "purchase";
    case EVENT_RETURN:
        return "return";
    case EVENT_UNLINKED_RETURN:
        return "unlinked_return";
    case EVENT_REDEMPTION:
        return "redemption";
    case EVENT_ADJUSTMENT:
        return "adjustment";
    case EVENT_REFUSAL:
        return "refusal";
    case EVENT_TIE:
        return "tie";
    case EVENT_CLOCK_ACCEPTED:
        return "clock_accepted";
    case EVENT_DAY:
        return "day";
    case EVENT_CARD_ADDED:
        return "card_added";
    case EVENT_CARD_STATUS:
        return "card_status";
    case EVENT_CARD_REPLACED:
        return "card_replaced";
    case EVENT_MERGE:
        return "merge";
    case EVENT_TRANSFER:
        return "transfer";
    case EVENT_TAGS:
        return "tags";
    case EVENT_ACTIVATION:
        return "activation";
    case EVENT_PIN_SET:
        return "pin_set";
    case EVENT_PIN_TRY:
        return "pin_try";
    case EVENT_HOLD:
        return "hold";
    case EVENT_CAPTURE:
        return "capture";
    case EVENT_RELEASE:
        return "release";
    case EVENT_REVERSAL:
        return "reversal";
    case EVENT_TOMBSTONE:
        return "tombstone";
    case EVENT_BONUS:
        return "bonus";
    case EVENT_WRITE_OFF:
        return "write_off";
    case EVENT_AWARD_MOVED:
        return "award_moved";
    case EVENT_RETURN_WAITING:
        return "return_waiting";
    case EVENT_DAY_CLOSE:
        return "day_closed";
    case EVENT_IDENTITY:
        return "identity";
    case EVENT_PROPOSAL:
        return "proposal";
    case EVENT_PROPOSAL_ENDED:
        return "proposal_ended";
    case EVENT_ATTEMPTS:
        return "attempts";
    case EVENT_ALARM:
        return "alarm";
    case EVENT_FLAG_RESOLVED:
        return "flag_resolved";
    case EVENT_SEAL:
        return "seal";
    }
    return "unknown";
}

local_day event_business_date(const struct event *event)
{
    if (event->document.kind != DOCUMENT_NONE || event->document.business_date != 0)
        return event->document.business_date; /* a receipt without a number has one, too */
    return event->business_date != 0 ? event->business_date : event->day;
}
