#include "points/event.h"

const char *event_type_name(enum event_type type)
{
    switch (type) {
    case EVENT_TERM:
        return "term";
    case EVENT_PROGRAMME:
        return "programme";
    case EVENT_CARDS_ISSUED:
        return "cards_issued";
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
    }
    return "unknown";
}
