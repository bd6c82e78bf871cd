/*
 * Returns that came before their purchase (DOMAIN.md, Returning goods): once it is booked they are decided, newest first,
 * each by an event of its own under the number of the return. What a crash left undone is done at the next start.
 */
#include <string.h>

#include "ledger/fold.h"
#include "service/internal.h"

/* The returned goods as they were asked for. */
static struct return_request goods_of(struct service *service, const struct event *waiting)
{
    for (uint32_t i = 0; i < waiting->waiting.line_count; i++)
        service->return_lines[i] =
            (struct return_request_line){ .number = waiting->waiting.lines[i].number,
                                          .quantity = waiting->waiting.lines[i].quantity,
                                          .code = waiting->waiting.lines[i].code };
    return (struct return_request){ .card = waiting->waiting.card,
                                    .time = waiting->occurred,
                                    .document = waiting->document,
                                    .operator= waiting->operator,
                                    .amount = waiting->waiting.amount,
                                    .line_count = waiting->waiting.line_count,
                                    .lines = service->return_lines };
}

/* Books what became of it: the return, or that nothing could be taken back. */
static void end_one(struct service *service, const struct event *waiting, journal_position position,
                    bool reversed)
{
    struct event *event = &service->decision.event;
    if (reversed || service->decision.refusal != REFUSAL_NONE)
        *event = (struct event){ .type = EVENT_REFUSAL,
                                 .time = ledger_now(service->ledger),
                                 .occurred = waiting->occurred,
                                 .day = today(service),
                                 .document = waiting->document,
                                 .refusal = { .result = reversed ? RESULT_NOTHING_TO_DO
                                                                 : result_of(service->decision.refusal) } };
    event->waited.event = position;
    event->waited.previous = waiting->waiting.previous;
    event->waited.sale = waiting->waiting.sale;
    if (!reversed) {
        /* Its number leads here from now on, and still has the first answer. */
        event->request = waiting->request;
        event->answer_type = waiting->answer_type;
        event->answer = waiting->answer;
        memcpy(event->content, waiting->content, sizeof(event->content));
    }
    append_own(service, event);
}

/*
 * Decides the newest return that waits for a purchase that is here. HANDLED: *out_previous is the one that waits for the same
 * before it; 0: there is none (any more).
 */
static enum handled decide_newest(struct request *request, journal_position newest,
                                  journal_position *out_previous)
{
    struct service *service = request->service;
    struct fold *fold = ledger_fold(service->ledger);
    const struct event *waiting;
    *out_previous = 0;
    if (!fetched_event(request, newest, &waiting))
        return HANDLED_FETCH;
    if (waiting == NULL || fold_waiting(fold, &waiting->waiting.sale) != newest)
        return HANDLED;
    struct return_request goods = goods_of(service, waiting);
    goods.sale_position = fold_document(fold, &waiting->waiting.sale);
    if (goods.sale_position == 0)
        return HANDLED; /* still not here, or undone meanwhile */
    if (!sale_fetch(request, goods.sale_position, &goods.sale) ||
        !spent_fetch(request, goods.sale_position, goods.spent_events))
        return HANDLED_FETCH;
    if (goods.sale == NULL)
        return HANDLED; /* it cannot be read now: the next start tries again */
    bool reversed = fold_reversed_by(fold, newest) != 0;
    struct judgement judgement = { .now = ledger_now(service->ledger),
                                   .flags = waiting->flags & ~(uint32_t)EVENT_FLAG_ADVICE };
    do
        decide_return(&service->view, &judgement, &goods, &service->decision);
    while (day_first(request));
    if (request->stalled || !ledger_has_room(service->ledger))
        return HANDLED_STALL;
    end_one(service, waiting, newest, reversed);
    *out_previous = waiting->waiting.previous;
    return HANDLED;
}

static void waiting_begin(struct service *service, journal_position newest);

static void waiting_goes_on(struct parked *parked)
{
    struct service *service = parked->pending.service;
    struct request request = parked_request(parked);
    journal_position newest;
    journal_position previous;
    memcpy(&newest, parked->body, sizeof(newest));
    enum handled handled = decide_newest(&request, newest, &previous);
    if (handled == HANDLED) {
        parked_free(parked);
        if (previous != 0)
            waiting_begin(service, previous); /* it may need as many events again */
    } else if (handled == HANDLED_STALL) {
        parked->next = service->waiting_stalled;
        service->waiting_stalled = parked;
    } else {
        parked_wait(parked, &request, handled, waiting_goes_on);
    }
}

/* Decides them at the next turn. */
static void waiting_begin(struct service *service, journal_position newest)
{
    struct request own = { .service = service,
                           .row = operation_row(OPERATION_RETURN),
                           .body = (const uint8_t *)&newest,
                           .body_size = sizeof(newest) };
    struct parked *parked = park(&own);
    if (parked == NULL)
        return; /* the next start finds it */
    parked->next = service->waiting_stalled;
    service->waiting_stalled = parked;
}

void waiting_end(struct service *service, const struct document *sale)
{
    journal_position newest = 0;
    if (service->returns_waited && sale->number.size > 0)
        newest = fold_waiting(ledger_fold(service->ledger), sale);
    if (newest != 0)
        waiting_begin(service, newest);
}

void waiting_turn(struct service *service)
{
    struct parked *parked = service->waiting_stalled;
    service->waiting_stalled = NULL;
    while (parked != NULL) {
        struct parked *next = parked->next;
        waiting_goes_on(parked);
        parked = next;
    }
}

static void waited_before(void *ctx, journal_position newest)
{
    struct service *service = ctx;
    service->returns_waited = true;
    waiting_begin(service, newest);
}

enum punkt_status waiting_open(struct service *service, struct failure *failure)
{
    if (fold_all_waiting(ledger_fold(service->ledger), waited_before, service))
        return PUNKT_OK;
    failure_set(failure, "the returns that wait cannot be read from state; run: punktd rebuild --data DIR");
    return PUNKT_CORRUPT;
}
