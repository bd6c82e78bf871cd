/*
 * A receipt as points reads it, for purchases and quotes; and what came of its wishes, for their answers.
 */
#include "ledger/fold.h"
#include "service/internal.h"

uint32_t lines_for_points(struct service *service, const struct msg_line *lines, uint64_t count)
{
    PUNKT_CHECK(count <= LINES_MAX); /* the limit of the field */
    for (uint64_t i = 0; i < count; i++)
        service->lines[i] = (struct sale_line){ .code = text_of_code(&lines[i].code),
                                                .category = text_of_code(&lines[i].category),
                                                .kind = (enum line_kind)lines[i].kind,
                                                .quantity = (millis_of_unit)lines[i].quantity,
                                                .amount = lines[i].amount,
                                                .tax = lines[i].tax };
    return (uint32_t)count;
}

uint32_t tenders_for_points(struct service *service, const struct msg_tender *tenders, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        service->tenders[i] =
            (struct tender){ .kind = text_of_code(&tenders[i].kind), .amount = tenders[i].amount };
    return (uint32_t)count;
}

uint32_t coupons_for_points(struct service *service, const struct msg_coupon *coupons, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        service->coupons[i] = text_of_code(&coupons[i].code);
    return (uint32_t)count;
}

void wishes_for_points(struct request *request, const struct msg_wish *wishes, uint64_t count)
{
    struct service *service = request->service;
    for (uint64_t i = 0; i < count; i++) {
        struct wish *wish = &service->wishes[i];
        *wish = (struct wish){ .reward = text_of_code(&wishes[i].reward),
                               .quantity = (uint32_t)wishes[i].quantity,
                               .hold = wishes[i].hold,
                               .line = (uint32_t)wishes[i].line };
        uint64_t points = wishes[i].points > 0 ? (uint64_t)wishes[i].points : 0;
        if (!points_from_wire(service, points, &wish->points))
            wish->points = MILLIPOINTS_MAX; /* more than any account has */
    }
}

bool wishes_fetch(struct request *request, uint64_t count)
{
    struct service *service = request->service;
    for (uint64_t i = 0; i < count; i++) {
        struct wish *wish = &service->wishes[i];
        struct hold_state state;
        if (wish->hold == 0 || (request->flags & FRAME_FLAG_ADVICE) == 0 ||
            !fold_hold(ledger_fold(service->ledger), wish->hold, &state))
            continue; /* only an advice may come too late, and then takes what the hold was for */
        if (!fetched_event(request, wish->hold, &wish->hold_event))
            return false;
    }
    return true;
}

void spent_for_wire(struct service *service, const struct redemption *redemptions, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct msg_spent *out = &service->spent[i];
        message_init(MESSAGE_spent, out);
        out->points = points_to_wire(service, redemptions[i].points);
        out->worth = (uint64_t)redemptions[i].worth;
        out->stamps = redemptions[i].stamps;
        out->shortfall = points_to_wire(service, redemptions[i].shortfall);
        code_for_wire(reward_name(service, redemptions[i].reward), &out->reward);
        code_for_wire(reward_voucher(service, redemptions[i].reward), &out->voucher);
    }
}

uint64_t flags_for_wire(const struct event *event)
{
    uint64_t flags = 0;
    if ((event->flags & EVENT_FLAG_SERVER_TIME) != 0)
        flags |= ANSWER_FLAG_SERVER_TIME;
    if ((event->flags & EVENT_FLAG_SUSPENSE) != 0)
        flags |= ANSWER_FLAG_SUSPENSE;
    if ((event->flags & EVENT_FLAG_SHORTFALL) != 0)
        flags |= ANSWER_FLAG_SHORTFALL;
    if ((event->flags & EVENT_FLAG_OLD_PERIOD) != 0)
        flags |= ANSWER_FLAG_OLD_PERIOD;
    return flags;
}

struct text part_name(const struct programme *programme, const struct award_part *part)
{
    switch (part->kind) {
    case PART_SPEND:
    case PART_ITEM:
    case PART_VISIT:
        return text_of(programme->rules[part->rule].name);
    case PART_TIER:
        return text_of(programme->tiers.tiers[part->rule - 1].name);
    case PART_MULTIPLY:
    case PART_ADD:
    case PART_STAMP:
        return text_of(programme->offers[part->rule].name);
    case PART_CAP_RECEIPT:
        return TEXT_LITERAL("receipt");
    case PART_CAP_DAY:
        return TEXT_LITERAL("day");
    case PART_CAP_MONTH:
        return TEXT_LITERAL("month");
    case PART_CAP_BALANCE:
        return TEXT_LITERAL("balance");
    }
    return (struct text){ "", 0 };
}

uint32_t parts_for_wire(struct service *service, const struct programme *programme,
                        const struct award_part *parts, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct msg_part *out = &service->parts[i];
        message_init(MESSAGE_part, out);
        out->kind = (uint64_t)parts[i].kind;
        code_for_wire(part_name(programme, &parts[i]), &out->name);
        out->input = parts[i].input;
        out->exact = parts[i].exact;
        out->result = parts[i].result;
    }
    return count;
}
