/* From messages to the answers of punkt.h. */
#include "lib/memory.h"

/* Bits of an answer's flags. */
#define FLAG_SERVER_TIME 1U
#define FLAG_SUSPENSE 2U /* of a purchase; of a return: it waits */
#define FLAG_SHORTFALL 4U
#define FLAG_OLD_PERIOD 8U
#define FLAG_ACCOUNT_CLOSED 1U /* of a card */
#define FLAG_BESIDE_SUSPENSE 2U

static bool take_spent(struct message_memory *memory, const struct msg_spent *in, uint64_t count,
                       const struct punkt_spent *const **out)
{
    struct punkt_spent *items = memory_take(memory, count * sizeof(*items));
    const struct punkt_spent **list = memory_take(memory, count * sizeof(*list));
    if (items == NULL || list == NULL)
        return false;
    for (uint64_t i = 0; i < count; i++) {
        items[i] = (struct punkt_spent){ .size = sizeof(items[i]),
                                         .points = in[i].points,
                                         .worth = (int64_t)in[i].worth,
                                         .stamps = in[i].stamps,
                                         .shortfall = in[i].shortfall };
        if (!memory_code(memory, &in[i].reward, &items[i].reward) ||
            !memory_code(memory, &in[i].voucher, &items[i].voucher))
            return false;
        list[i] = &items[i];
    }
    *out = list;
    return true;
}

static bool take_parts(struct message_memory *memory, const struct msg_part *in, uint64_t count,
                       const struct punkt_part *const **out)
{
    struct punkt_part *items = memory_take(memory, count * sizeof(*items));
    const struct punkt_part **list = memory_take(memory, count * sizeof(*list));
    if (items == NULL || list == NULL)
        return false;
    for (uint64_t i = 0; i < count; i++) {
        items[i] = (struct punkt_part){ .size = sizeof(items[i]),
                                        .kind = (uint32_t)in[i].kind,
                                        .input = in[i].input,
                                        .exact = in[i].exact,
                                        .result = in[i].result };
        if (!memory_code(memory, &in[i].name, &items[i].name))
            return false;
        list[i] = &items[i];
    }
    *out = list;
    return true;
}

static bool take_purses(struct message_memory *memory, const struct msg_card_show_answer *msg,
                        struct punkt_card_show_answer *out)
{
    struct punkt_purse *items = memory_take(memory, msg->purses_count * sizeof(*items));
    const struct punkt_purse **list = memory_take(memory, msg->purses_count * sizeof(*list));
    if (items == NULL || list == NULL)
        return false;
    for (uint64_t i = 0; i < msg->purses_count; i++) {
        const struct msg_purse *in = &msg->purses[i];
        items[i] = (struct punkt_purse){ .size = sizeof(items[i]), .count = in->count, .held = in->held };
        if (!memory_code(memory, &in->name, &items[i].name))
            return false;
        list[i] = &items[i];
    }
    out->purses = list;
    out->purse_count = msg->purses_count;
    return true;
}

static bool take_holds(struct message_memory *memory, const struct msg_card_show_answer *msg,
                       struct punkt_card_show_answer *out)
{
    struct punkt_open_hold *items = memory_take(memory, msg->holds_count * sizeof(*items));
    const struct punkt_open_hold **list = memory_take(memory, msg->holds_count * sizeof(*list));
    if (items == NULL || list == NULL)
        return false;
    for (uint64_t i = 0; i < msg->holds_count; i++) {
        const struct msg_hold_entry *in = &msg->holds[i];
        items[i] = (struct punkt_open_hold){ .size = sizeof(items[i]),
                                             .hold = in->hold,
                                             .points = in->points,
                                             .deadline_us = (int64_t)in->deadline };
        if (!memory_code(memory, &in->reward, &items[i].reward))
            return false;
        list[i] = &items[i];
    }
    out->holds = list;
    out->hold_count = msg->holds_count;
    return true;
}

static bool take_lots(struct message_memory *memory, const struct msg_card_show_answer *msg,
                      struct punkt_card_show_answer *out)
{
    struct punkt_lot *items = memory_take(memory, msg->lots_count * sizeof(*items));
    const struct punkt_lot **list = memory_take(memory, msg->lots_count * sizeof(*list));
    if (items == NULL || list == NULL)
        return false;
    for (uint64_t i = 0; i < msg->lots_count; i++) {
        const struct msg_lot_entry *in = &msg->lots[i];
        items[i] = (struct punkt_lot){ .size = sizeof(items[i]),
                                       .number = (uint32_t)in->number,
                                       .points = in->points,
                                       .held = in->held,
                                       .earned = (int32_t)in->earned,
                                       .matures = (int32_t)in->matures,
                                       .last_day = (int32_t)in->last_day };
        list[i] = &items[i];
    }
    out->lots = list;
    out->lot_count = msg->lots_count;
    return true;
}

static bool take_tags(struct message_memory *memory, const struct msg_card_show_answer *msg,
                      struct punkt_card_show_answer *out)
{
    const char **list = memory_take(memory, msg->tags_count * sizeof(*list));
    if (list == NULL)
        return false;
    for (uint64_t i = 0; i < msg->tags_count; i++) {
        if (!memory_code(memory, &msg->tags[i].tag, &list[i]))
            return false;
    }
    out->tags = list;
    out->tag_count = msg->tags_count;
    return true;
}

static bool take_activated(struct message_memory *memory, const struct msg_card_show_answer *msg,
                           struct punkt_card_show_answer *out)
{
    const char **list = memory_take(memory, msg->activated_count * sizeof(*list));
    if (list == NULL)
        return false;
    for (uint64_t i = 0; i < msg->activated_count; i++) {
        if (!memory_code(memory, &msg->activated[i].offer, &list[i]))
            return false;
    }
    out->activated = list;
    out->activated_count = msg->activated_count;
    return true;
}

static bool take_text(struct message_memory *memory, const struct msg_text_line *in, uint64_t count,
                      const char *const **out, size_t *out_count)
{
    const char **list = memory_take(memory, count * sizeof(*list));
    if (list == NULL)
        return false;
    for (uint64_t i = 0; i < count; i++) {
        if (!memory_text(memory, in[i].text.data, in[i].text.size, &list[i]))
            return false;
    }
    *out = list;
    *out_count = count;
    return true;
}

bool fill_ping(const void *message, struct message_memory *memory, union any_answer *out)
{
    const struct msg_ping_answer *msg = message;
    (void)memory;
    out->ping_.time_us = (int64_t)msg->time;
    return true;
}

bool fill_card_issue(const void *message, struct message_memory *memory, union any_answer *out)
{
    const struct msg_card_issue_answer *msg = message;
    (void)memory;
    out->card_issue_.position = msg->position;
    out->card_issue_.account = msg->account;
    out->card_issue_.status = (uint32_t)msg->status;
    out->card_issue_.count = (uint32_t)msg->count;
    return true;
}

bool fill_card_show(const void *message, struct message_memory *memory, union any_answer *out)
{
    const struct msg_card_show_answer *msg = message;
    struct punkt_card_show_answer *card = &out->card_show_;
    out->card_show_.account = msg->account;
    out->card_show_.status = (uint32_t)msg->status;
    out->card_show_.available = msg->available;
    out->card_show_.pending = msg->pending;
    out->card_show_.held = msg->held;
    out->card_show_.debt = msg->debt;
    out->card_show_.lifetime = msg->lifetime;
    out->card_show_.next_expiry_day = (int32_t)msg->next_expiry_day;
    out->card_show_.next_expiry_points = msg->next_expiry_points;
    out->card_show_.cards = (uint32_t)msg->cards;
    out->card_show_.pin = (uint32_t)msg->pin;
    out->card_show_.tier_through = (int32_t)msg->tier_through;
    out->card_show_.account_closed = (msg->flags & FLAG_ACCOUNT_CLOSED) != 0;
    out->card_show_.beside_suspense = (msg->flags & FLAG_BESIDE_SUSPENSE) != 0;
    out->card_show_.last_purchase_us = (int64_t)msg->last_purchase;
    out->card_show_.last_event = msg->last_event;
    return memory_code(memory, &msg->tier, &card->tier) && take_tags(memory, msg, card) &&
           take_purses(memory, msg, card) && take_holds(memory, msg, card) &&
           take_activated(memory, msg, card) && take_lots(memory, msg, card);
}

bool fill_purchase(const void *message, struct message_memory *memory, union any_answer *out)
{
    const struct msg_purchase_answer *msg = message;
    out->purchase_.position = msg->position;
    out->purchase_.earned = msg->earned;
    out->purchase_.available = msg->available;
    out->purchase_.pending = msg->pending;
    out->purchase_.debt = msg->debt;
    out->purchase_.server_time_used = (msg->flags & FLAG_SERVER_TIME) != 0;
    out->purchase_.in_suspense = (msg->flags & FLAG_SUSPENSE) != 0;
    out->purchase_.fell_short = (msg->flags & FLAG_SHORTFALL) != 0;
    out->purchase_.old_period = (msg->flags & FLAG_OLD_PERIOD) != 0;
    out->purchase_.redeemed = msg->redeemed;
    out->purchase_.paid = (int64_t)msg->paid;
    out->purchase_.spent_count = msg->spent_count;
    return memory_code(memory, &msg->tier, &out->purchase_.tier) &&
           take_spent(memory, msg->spent, msg->spent_count, &out->purchase_.spent) &&
           take_text(memory, msg->text, msg->text_count, &out->purchase_.text, &out->purchase_.text_count);
}

bool fill_quote(const void *message, struct message_memory *memory, union any_answer *out)
{
    const struct msg_quote_answer *msg = message;
    out->quote_.earned = msg->earned;
    out->quote_.redeemed = msg->redeemed;
    out->quote_.paid = (int64_t)msg->paid;
    out->quote_.available = msg->available;
    out->quote_.pending = msg->pending;
    out->quote_.debt = msg->debt;
    out->quote_.programme_version = (uint32_t)msg->programme_version;
    out->quote_.server_time_used = (msg->flags & FLAG_SERVER_TIME) != 0;
    out->quote_.old_period = (msg->flags & FLAG_OLD_PERIOD) != 0;
    out->quote_.part_count = msg->parts_count;
    out->quote_.spent_count = msg->spent_count;
    return memory_code(memory, &msg->tier, &out->quote_.tier) &&
           take_parts(memory, msg->parts, msg->parts_count, &out->quote_.parts) &&
           take_spent(memory, msg->spent, msg->spent_count, &out->quote_.spent);
}

bool fill_return_preview(const void *message, struct message_memory *memory, union any_answer *out)
{
    const struct msg_return_preview_answer *msg = message;
    (void)memory;
    out->return_preview_.taken = msg->taken;
    out->return_preview_.given_back = msg->given_back;
    out->return_preview_.shortfall = msg->shortfall;
    out->return_preview_.amount = (int64_t)msg->amount;
    out->return_preview_.available = msg->available;
    out->return_preview_.debt = msg->debt;
    return true;
}

bool fill_return(const void *message, struct message_memory *memory, union any_answer *out)
{
    const struct msg_return_answer *msg = message;
    out->any_return.position = msg->position;
    out->any_return.taken = msg->taken;
    out->any_return.given_back = msg->given_back;
    out->any_return.shortfall = msg->shortfall;
    out->any_return.available = msg->available;
    out->any_return.debt = msg->debt;
    out->any_return.amount = (int64_t)msg->amount;
    out->any_return.server_time_used = (msg->flags & FLAG_SERVER_TIME) != 0;
    out->any_return.waiting = (msg->flags & FLAG_SUSPENSE) != 0;
    return take_text(memory, msg->text, msg->text_count, &out->any_return.text, &out->any_return.text_count);
}

bool fill_unlinked_return(const void *message, struct message_memory *memory, union any_answer *out)
{
    const struct msg_unlinked_return_answer *msg = message;
    out->any_return.position = msg->position;
    out->any_return.taken = msg->taken;
    out->any_return.given_back = msg->given_back;
    out->any_return.shortfall = msg->shortfall;
    out->any_return.available = msg->available;
    out->any_return.debt = msg->debt;
    out->any_return.amount = (int64_t)msg->amount;
    out->any_return.server_time_used = (msg->flags & FLAG_SERVER_TIME) != 0;
    return take_text(memory, msg->text, msg->text_count, &out->any_return.text, &out->any_return.text_count);
}

bool fill_redeem(const void *message, struct message_memory *memory, union any_answer *out)
{
    const struct msg_redeem_answer *msg = message;
    out->redeem_.position = msg->position;
    out->redeem_.redeemed = msg->redeemed;
    out->redeem_.available = msg->available;
    out->redeem_.worth = (int64_t)msg->worth;
    out->redeem_.stamps = msg->stamps;
    out->redeem_.shortfall = msg->shortfall;
    return memory_code(memory, &msg->reward, &out->redeem_.reward) &&
           memory_code(memory, &msg->voucher, &out->redeem_.voucher) &&
           take_text(memory, msg->text, msg->text_count, &out->redeem_.text, &out->redeem_.text_count);
}

bool fill_hold(const void *message, struct message_memory *memory, union any_answer *out)
{
    const struct msg_hold_answer *msg = message;
    out->hold_.position = msg->position;
    out->hold_.held = msg->held;
    out->hold_.worth = (int64_t)msg->worth;
    out->hold_.deadline_us = (int64_t)msg->deadline;
    out->hold_.available = msg->available;
    out->hold_.stamps = msg->stamps;
    return memory_code(memory, &msg->reward, &out->hold_.reward);
}

bool fill_capture(const void *message, struct message_memory *memory, union any_answer *out)
{
    const struct msg_capture_answer *msg = message;
    out->capture_.position = msg->position;
    out->capture_.redeemed = msg->redeemed;
    out->capture_.worth = (int64_t)msg->worth;
    out->capture_.given_back = msg->given_back;
    out->capture_.available = msg->available;
    out->capture_.stamps = msg->stamps;
    out->capture_.shortfall = msg->shortfall;
    return memory_code(memory, &msg->reward, &out->capture_.reward) &&
           memory_code(memory, &msg->voucher, &out->capture_.voucher);
}

bool fill_release(const void *message, struct message_memory *memory, union any_answer *out)
{
    const struct msg_release_answer *msg = message;
    (void)memory;
    out->release_.position = msg->position;
    out->release_.given_back = msg->given_back;
    out->release_.available = msg->available;
    return true;
}

bool fill_reversal(const void *message, struct message_memory *memory, union any_answer *out)
{
    const struct msg_reversal_answer *msg = message;
    (void)memory;
    out->reversal_.position = msg->position;
    out->reversal_.outcome = (uint32_t)msg->outcome;
    out->reversal_.taken = msg->taken;
    out->reversal_.given_back = msg->given_back;
    out->reversal_.available = msg->available;
    out->reversal_.debt = msg->debt;
    out->reversal_.amount = (int64_t)msg->amount;
    return true;
}

bool fill_adjust(const void *message, struct message_memory *memory, union any_answer *out)
{
    const struct msg_adjust_answer *msg = message;
    (void)memory;
    out->adjust_.position = msg->position;
    out->adjust_.points = msg->points;
    out->adjust_.available = msg->available;
    out->adjust_.debt = msg->debt;
    return true;
}

static bool fill_entry(const struct msg_statement_entry *in, struct message_memory *memory,
                       struct punkt_statement_entry *out)
{
    *out = (struct punkt_statement_entry){
        .size = sizeof(*out),
        .position = in->position,
        .time_us = (int64_t)in->time,
        .kind = (uint32_t)in->kind,
        .points = in->points,
        .balance = in->balance,
        .expired = in->expired,
        .refers = in->refers,
    };
    return memory_code(memory, &in->store, &out->store) && memory_code(memory, &in->till, &out->till) &&
           memory_code(memory, &in->receipt, &out->receipt) &&
           memory_code(memory, &in->reason, &out->reason) &&
           memory_code(memory, &in->operator, & out->operator_) && memory_code(memory, &in->card, &out->card);
}

bool fill_statement(const void *message, struct message_memory *memory, union any_answer *out)
{
    const struct msg_statement_answer *msg = message;
    struct punkt_statement_entry *entries = memory_take(memory, msg->entries_count * sizeof(*entries));
    if (entries == NULL)
        return false;
    for (size_t i = 0; i < msg->entries_count; i++) {
        if (!fill_entry(&msg->entries[i], memory, &entries[i]))
            return false;
    }
    out->statement_.next = msg->next;
    out->statement_.entry_count = msg->entries_count;
    out->statement_.entries = entries;
    return true;
}

bool fill_totals(const void *message, struct message_memory *memory, union any_answer *out)
{
    const struct msg_totals_answer *msg = message;
    (void)memory;
    out->totals_.accounts = msg->accounts;
    out->totals_.cards = msg->cards;
    out->totals_.earned = msg->earned;
    out->totals_.redeemed = msg->redeemed;
    out->totals_.returned = msg->returned;
    out->totals_.adjusted = msg->adjusted;
    out->totals_.outstanding = msg->outstanding;
    out->totals_.debt = msg->debt;
    out->totals_.accounts_in_debt = msg->accounts_in_debt;
    out->totals_.events = msg->events;
    out->totals_.bonus = msg->bonus;
    out->totals_.unlinked = msg->unlinked;
    out->totals_.expired = msg->expired;
    out->totals_.forfeited = msg->forfeited;
    out->totals_.written_off = msg->written_off;
    out->totals_.reversed = msg->reversed;
    return true;
}

bool fill_programme_show(const void *message, struct message_memory *memory, union any_answer *out)
{
    const struct msg_programme_show_answer *msg = message;
    out->programme_show_.version = (uint32_t)msg->version;
    out->programme_show_.from_us = (int64_t)msg->from;
    return memory_text(memory, msg->text.data, msg->text.size, &out->programme_show_.text);
}

bool fill_audit_verify(const void *message, struct message_memory *memory, union any_answer *out)
{
    const struct msg_audit_verify_answer *msg = message;
    out->audit_verify_.blocks = msg->blocks;
    out->audit_verify_.events = msg->events;
    out->audit_verify_.state = (uint32_t)msg->state;
    out->audit_verify_.offset = msg->offset;
    return memory_text(memory, msg->file.data, msg->file.size, &out->audit_verify_.file) &&
           memory_text(memory, msg->detail.data, msg->detail.size, &out->audit_verify_.detail);
}

bool fill_clock_accept(const void *message, struct message_memory *memory, union any_answer *out)
{
    const struct msg_clock_accept_answer *msg = message;
    (void)memory;
    out->clock_accept_.position = msg->position;
    out->clock_accept_.before_us = (int64_t)msg->before;
    out->clock_accept_.after_us = (int64_t)msg->after;
    return true;
}
