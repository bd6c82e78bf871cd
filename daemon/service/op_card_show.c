#include "ledger/fold.h"
#include "service/internal.h"

enum handled handle_card_show(struct request *request)
{
    struct service *service = request->service;
    struct fold *fold = ledger_fold(service->ledger);
    struct account *account = &service->decision.sides[0].before;
    struct card card;
    if (!fold_card(fold, text_of_code(&request->message->card_show_request.card), &card)) {
        answer_refusal(service, request->conn, OPERATION_CARD_SHOW, request->number, RESULT_UNKNOWN_CARD, "",
                       ledger_newest(service->ledger));
        return HANDLED;
    }
    PUNKT_CHECK(fold_account(fold, card.account, account));
    struct balance balance;
    points_balance(account, today(service), &balance);
    union message_any answer;
    struct msg_card_show_answer *out = &answer.card_show_answer;
    message_init(MESSAGE_card_show_answer, out);
    out->account = account->number;
    out->status = card.status;
    out->available = points_to_wire(service, balance.available);
    out->pending = points_to_wire(service, balance.pending);
    out->held = points_to_wire(service, balance.held);
    out->debt = points_to_wire(service, balance.debt);
    out->lifetime = points_to_wire(service, balance.lifetime);
    if (balance.next_expiry != DAY_NEVER) {
        out->next_expiry_day = (uint64_t)balance.next_expiry;
        out->next_expiry_points = points_to_wire(service, balance.next_expiry_points);
    }
    answer_read(request, &answer, u64_max(account->last_event, card.last_event));
    return HANDLED;
}
