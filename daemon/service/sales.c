/*
 * Finding the purchase that a return, a redemption, a reversal or a question names, and what was spent on it.
 */
#include "ledger/fold.h"
#include "service/internal.h"

#define SALE_SEARCH_DAYS 100 /* how far back a receipt without a date is looked for */

journal_position sale_find(struct request *request, const struct sale_name *name,
                           struct document *out_document)
{
    struct fold *fold = ledger_fold(request->service->ledger);
    *out_document = (struct document){ .kind = DOCUMENT_NONE };
    if (name->position != 0)
        return name->position < ledger_end(request->service->ledger) ? name->position : 0;
    struct document sale = { .kind = DOCUMENT_SALE,
                             .store = text_of_code(name->store->size > 0 ? name->store : name->here_store),
                             .till = text_of_code(name->till->size > 0 ? name->till : name->here_till),
                             .business_date = (local_day)name->date,
                             .number = text_of_code(name->receipt) };
    if (sale.number.size == 0)
        return 0;
    if (name->date == 0)
        sale.business_date = name->on;
    *out_document = sale;
    if (name->date != 0)
        return fold_document(fold, &sale);
    for (local_day back = 0; back <= SALE_SEARCH_DAYS && back <= name->on; back++) {
        sale.business_date = name->on - back;
        journal_position position = fold_document(fold, &sale);
        if (position != 0)
            return position;
    }
    return 0;
}

/*
 * The position may be the client's own, and bytes inside another event may look like one: only what the index of its
 * request leads to is believed.
 */
bool event_is_at(struct service *service, const struct event *event, journal_position position)
{
    return event != NULL && event->request.number != 0 &&
           fold_request(ledger_fold(service->ledger), event->request.identity, event->request.epoch,
                        event->request.number) == position;
}

bool sale_fetch(struct request *request, journal_position position, const struct event **out)
{
    *out = NULL;
    if (position == 0)
        return true;
    if (!fetched_event(request, position, out))
        return false;
    if (*out != NULL && ((*out)->type != EVENT_PURCHASE || !event_is_at(request->service, *out, position)))
        *out = NULL;
    return true;
}

bool spent_fetch(struct request *request, journal_position sale, const struct event *out[SPENT_BACK_MAX])
{
    struct service *service = request->service;
    struct returned *returned = &service->decision.returned;
    for (uint32_t i = 0; i < SPENT_BACK_MAX; i++)
        out[i] = NULL;
    if (sale == 0 || !fold_returned(ledger_fold(service->ledger), sale, returned))
        return true;
    for (uint32_t i = 0; i < returned->spent_count; i++) {
        journal_position redemption = returned->spent[i].redemption;
        if (redemption != sale && !fetched_event(request, redemption, &out[i]))
            return false;
    }
    return true;
}
