/*
 * Card show: the account of a card as it is, what is due today included; or as it was at a moment.
 */
#include <assert.h>
#include <stdlib.h>

#include "ledger/fold.h"
#include "service/past.h"

static_assert(ACCOUNT_TAGS_MAX == 16 && ACCOUNT_STAMPS_MAX == 16 && ACCOUNT_HOLDS_MAX == 16 &&
                  ACCOUNT_ACTIVATED_MAX == 48 && ACCOUNT_LOTS_MAX == 1024,
              "the limits of the lists of card_show_answer");

#define FLAG_CLOSED 1
#define FLAG_SUSPENSE 2

/* The lists of an answer. */
struct lists {
    struct msg_tag tags[ACCOUNT_TAGS_MAX];
    struct msg_purse purses[ACCOUNT_STAMPS_MAX];
    struct msg_hold_entry holds[ACCOUNT_HOLDS_MAX];
    struct msg_offer_entry activated[ACCOUNT_ACTIVATED_MAX];
    struct msg_lot_entry lots[ACCOUNT_LOTS_MAX];
};

static void lots_for_wire(const struct service *service, const struct account *account,
                          struct msg_card_show_answer *out)
{
    for (uint32_t i = 0; i < account->lot_count; i++) {
        const struct lot *lot = &account->lots[i];
        out->lots[i] = (struct msg_lot_entry){ .number = lot->number,
                                               .points = points_to_wire(service, lot->points),
                                               .held = points_to_wire(service, lot->held),
                                               .earned = day_for_wire(lot->earned),
                                               .matures = day_for_wire(lot->matures),
                                               .last_day = day_for_wire(lot_last_day(account, lot)) };
    }
    out->lots_count = account->lot_count;
}

static void lists_for_wire(const struct service *service, const struct account *account,
                           struct msg_card_show_answer *out)
{
    for (uint32_t i = 0; i < account->tag_count; i++)
        code_for_wire((struct text){ account->tags[i].text, account->tags[i].size }, &out->tags[i].tag);
    out->tags_count = account->tag_count;
    for (uint32_t i = 0; i < account->stamps_count; i++) {
        code_for_wire(purse_name(service, account->stamps[i].purse), &out->purses[i].name);
        out->purses[i].count = account->stamps[i].count;
        out->purses[i].held = account->stamps[i].held;
    }
    out->purses_count = account->stamps_count;
    for (uint32_t i = 0; i < account->hold_count; i++) {
        out->holds[i].hold = account->holds[i].id;
        out->holds[i].points = points_to_wire(service, account->holds[i].points);
        out->holds[i].deadline = (uint64_t)account->holds[i].deadline;
        code_for_wire(reward_name(service, account->holds[i].reward), &out->holds[i].reward);
    }
    out->holds_count = account->hold_count;
    for (uint32_t i = 0; i < account->activated_count; i++)
        code_for_wire(offer_name(service, account->activated[i]), &out->activated[i].offer);
    out->activated_count = account->activated_count;
}

static void account_for_wire(const struct service *service, const struct account *account, local_day day,
                             struct msg_card_show_answer *out)
{
    struct balance balance;
    points_balance(account, day, &balance);
    out->account = account->number;
    out->available = points_to_wire(service, balance.available);
    out->pending = points_to_wire(service, balance.pending);
    out->held = points_to_wire(service, balance.held);
    out->debt = points_to_wire(service, balance.debt);
    out->lifetime = points_to_wire(service, balance.lifetime);
    if (balance.next_expiry != DAY_NEVER) {
        out->next_expiry_day = day_for_wire(balance.next_expiry);
        out->next_expiry_points = points_to_wire(service, balance.next_expiry_points);
    }
    out->cards = account->card_count;
    code_for_wire(tier_name(service, account->tier.id), &out->tier);
    out->tier_through = account->tier.id != 0 ? day_for_wire(account->tier.through) : 0;
    out->pin = !account->pin.set ? 0 : account->pin.wrong >= PIN_TRIES ? 2 : 1;
    out->last_purchase = (uint64_t)i64_max(account->last_purchase, 0);
    out->last_event = account->last_event;
    out->flags = account->closed ? FLAG_CLOSED : 0;
}

void card_shown(struct request *request, const struct shown *shown, journal_position wait_for)
{
    struct service *service = request->service;
    struct lists *lists = calloc(1, sizeof(*lists));
    if (lists == NULL) {
        refuse_now(request, RESULT_BUSY, "out of memory");
        return;
    }
    const struct programme *programme = programme_in_force(service, shown->at);
    local_day day = calendar_day(&programme->calendar, shown->at);
    account_on_day(programme, day, shown->account, service->scratch);
    union message_any answer;
    struct msg_card_show_answer *out = &answer.card_show_answer;
    message_init(MESSAGE_card_show_answer, out);
    out->tags = lists->tags;
    out->purses = lists->purses;
    out->holds = lists->holds;
    out->activated = lists->activated;
    out->lots = lists->lots;
    account_for_wire(service, shown->account, day, out);
    out->status = shown->status;
    out->flags |= shown->waits ? FLAG_SUSPENSE : 0;
    lists_for_wire(service, shown->account, out);
    if (shown->with_lots)
        lots_for_wire(service, shown->account, out);
    answer_read(request, &answer, wait_for);
    free(lists);
}

enum handled handle_card_show(struct request *request)
{
    struct service *service = request->service;
    const struct msg_card_show_request *message = &request->message->card_show_request;
    struct fold *fold = ledger_fold(service->ledger);
    struct account *account = &service->decision.sides[0].before;
    struct card card;
    if (!fold_card(fold, text_of_code(&message->card), &card)) {
        refuse_read(request, RESULT_UNKNOWN_CARD, "");
        return HANDLED;
    }
    utc_us now = ledger_now(service->ledger);
    if (message->at != 0 && (utc_us)message->at < now) {
        past_begin(request, &card);
        return HANDLED;
    }
    PUNKT_CHECK(fold_account(fold, card.account, account));
    struct shown shown = { .account = account,
                           .at = now,
                           .status = card.status,
                           .waits = card.suspense != 0,
                           .with_lots = message->lots != 0 };
    card_shown(request, &shown, u64_max(account->last_event, card.last_event));
    return HANDLED;
}
