#include <assert.h>
#include <endian.h>
#include <string.h>

#include "ledger/fold.h"
#include "service/internal.h"

static_assert(TILL_EPOCHS_MAX == 16, "the limit of the list `lanes`");

void day_for_answer(const struct service *service, const struct till_day *day, struct msg_lane_range *lanes,
                    struct msg_day_totals_answer *out)
{
    static const struct till_day none = { .epoch_count = 0 };
    const struct till_day *from = day != NULL ? day : &none;
    message_init(MESSAGE_day_totals_answer, out);
    out->purchases = from->sums[TILL_PURCHASES].count;
    out->purchase_amount = from->sums[TILL_PURCHASES].amount;
    out->earned = points_to_wire(service, from->sums[TILL_PURCHASES].points);
    out->returns = (uint64_t)from->sums[TILL_RETURNS].count + from->sums[TILL_UNLINKED_RETURNS].count;
    out->return_amount = from->sums[TILL_RETURNS].amount + from->sums[TILL_UNLINKED_RETURNS].amount;
    out->returned =
        points_to_wire(service, from->sums[TILL_RETURNS].points + from->sums[TILL_UNLINKED_RETURNS].points);
    out->redemptions = from->sums[TILL_REDEMPTIONS].count;
    out->redeemed = points_to_wire(service, from->sums[TILL_REDEMPTIONS].points);
    out->redeemed_worth = from->sums[TILL_REDEMPTIONS].amount;
    out->reversals = from->sums[TILL_REVERSALS].count;
    memcpy(&out->hash, from->hash, sizeof(out->hash));
    out->hash = le64toh(out->hash); /* on the wire its bytes stand as they are here */
    out->more = from->more_epochs;
    out->lanes = lanes;
    for (uint32_t i = 0; i < from->epoch_count; i++)
        lanes[out->lanes_count++] = (struct msg_lane_range){ .epoch = from->epochs[i].epoch,
                                                             .first = from->epochs[i].first,
                                                             .last = from->epochs[i].last };
}

enum handled handle_day_totals(struct request *request)
{
    struct service *service = request->service;
    const struct msg_day_totals_request *message = &request->message->day_totals_request;
    struct msg_lane_range lanes[TILL_EPOCHS_MAX];
    struct till_day day;
    bool known = fold_till_day(ledger_fold(service->ledger), text_of_code(&message->store),
                               text_of_code(&message->till), (local_day)message->date, &day);
    union message_any answer;
    struct msg_day_totals_answer *out = &answer.day_totals_answer;
    day_for_answer(service, known ? &day : NULL, lanes, out);
    if (known) {
        out->closes = day.closes;
        out->close_state = day.close_state;
        out->close_time = (uint64_t)day.close_time;
        out->late = day.late;
    }
    answer_read(request, &answer, ledger_newest(service->ledger));
    return HANDLED;
}
