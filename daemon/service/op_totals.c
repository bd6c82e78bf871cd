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
    out->earned = points_to_wire(service, totals->earned);
    out->redeemed = points_to_wire(service, totals->redeemed);
    out->returned = points_to_wire(service, totals->returned);
    out->adjusted = points_to_wire(service, totals->adjusted);
    out->outstanding = points_to_wire(service, totals->outstanding);
    out->debt = points_to_wire(service, totals->debt);
    out->accounts_in_debt = totals->accounts_in_debt;
    out->events = totals->events;
    answer_read(request, &answer, ledger_newest(service->ledger));
    return HANDLED;
}
