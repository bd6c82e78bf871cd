#include "ledger/fold.h"
#include "service/internal.h"

enum handled handle_totals(struct request *request)
{
    struct service *service = request->service;
    const struct totals *totals = &ledger_fold(service->ledger)->totals;
    union message_any answer;
    struct msg_totals_answer *out = &answer.totals_answer;
    message_init(MESSAGE_totals_answer, out);
    out->accounts = totals->accounts;
    out->cards = totals->cards;
    out->earned = points_to_wire(service, totals->moved[MOVEMENT_EARNED]);
    out->redeemed = points_to_wire(service, -totals->moved[MOVEMENT_REDEEMED]);
    out->returned = points_to_wire(service, -totals->moved[MOVEMENT_RETURNED]);
    out->adjusted = points_to_wire(service, totals->moved[MOVEMENT_ADJUSTED]);
    out->bonus = points_to_wire(service, totals->moved[MOVEMENT_BONUS]);
    out->unlinked = points_to_wire(service, -totals->moved[MOVEMENT_UNLINKED]);
    out->expired = points_to_wire(service, -totals->moved[MOVEMENT_EXPIRED]);
    out->forfeited = points_to_wire(service, -totals->moved[MOVEMENT_FORFEITED]);
    out->written_off = points_to_wire(service, totals->moved[MOVEMENT_WRITTEN_OFF]);
    out->reversed = points_to_wire(service, totals->moved[MOVEMENT_REVERSED]);
    out->outstanding = points_to_wire(service, totals->outstanding);
    out->debt = points_to_wire(service, totals->debt);
    out->accounts_in_debt = totals->accounts_in_debt;
    out->events = totals->events;
    answer_read(request, &answer, ledger_newest(service->ledger));
    return HANDLED;
}
