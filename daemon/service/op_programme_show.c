#include "ledger/fold.h"
#include "service/internal.h"

enum handled handle_programme_show(struct request *request)
{
    struct service *service = request->service;
    uint64_t version = request->message->programme_show_request.version;
    if (version == 0)
        version = programme_in_force(service, ledger_now(service->ledger))->version;
    struct programme_record record;
    if (!fold_programme(ledger_fold(service->ledger), (uint32_t)version, &record)) {
        answer_refusal(service, request->conn, OPERATION_PROGRAMME_SHOW, request->number,
                       RESULT_UNKNOWN_VERSION, "", ledger_newest(service->ledger));
        return HANDLED;
    }
    union message_any answer;
    struct msg_programme_show_answer *out = &answer.programme_show_answer;
    message_init(MESSAGE_programme_show_answer, out);
    out->version = record.version;
    out->from = (uint64_t)record.from;
    out->text = (struct message_text){ record.text.data, record.text.size };
    answer_read(request, &answer, ledger_newest(service->ledger));
    return HANDLED;
}
