/*
 * Cards: who they lead to, and what is made with them.
 */
#include "ledger/fold_internal.h"
#include "proto/wire.h"

static void put_card(struct fold *fold, struct text number, const struct card *card)
{
    uint8_t record[SMALL_RECORD_MAX];
    struct key key = key_card(number);
    fold_put(fold, &key, record, card_encode(card, record, sizeof(record)));
}

/* The account that an effect of the event poured into that of effects[0]; 0: none. */
static account_number absorbed_by(const struct event *event)
{
    for (uint32_t i = 0; event->effect_count > 0 && i < event->effects[0].change_count; i++) {
        if (event->effects[0].changes[i].kind == CHANGE_ABSORB)
            return event->effects[0].changes[i].id;
    }
    return 0;
}

bool fold_suspense(struct fold *fold, const struct event *event, journal_position position)
{
    struct text number = event->suspense.number;
    account_number account = fold->totals.accounts + 1;
    struct card card;
    bool known = fold_card(fold, number, &card);
    if (event->effects[0].account != account || known == event->suspense.new_card)
        return false;
    if (!known) {
        card = (struct card){ .id = fold->totals.cards + 1, .account = account, .status = CARD_SUSPENSE };
        fold->totals.cards++;
    } else if (card.suspense == 0) {
        card.suspense = account;
    } else {
        return false;
    }
    if (event->card != card.id)
        return false;
    card.last_event = position;
    put_card(fold, number, &card);
    fold->totals.accounts++;
    fold_begin_account(fold, account, 0);
    fold->account.suspense = true;
    return true;
}

/* A card that waited in suspense is one now; its account is, or has gone into, that of effects[0]. */
static bool join_card(struct fold *fold, struct text number, card_id id, account_number account,
                      journal_position position)
{
    struct card card;
    if (!fold_card(fold, number, &card) || card.status != CARD_SUSPENSE || card.id != id)
        return false;
    card = (struct card){ .id = id, .account = account, .status = CARD_ACTIVE, .last_event = position };
    put_card(fold, number, &card);
    return true;
}

/* A new number of an account, or one that was in suspense, whose account has gone into this one. */
static bool begin_card(struct fold *fold, struct text number, card_id id, account_number account,
                       account_number suspense, const struct event *event, journal_position position)
{
    struct card waited;
    if (fold_card(fold, number, &waited))
        return waited.account == absorbed_by(event) && suspense == 0 &&
               join_card(fold, number, id, account, position);
    if (id != fold->totals.cards + 1)
        return false;
    fold->totals.cards++;
    struct card card = {
        .id = id, .account = account, .suspense = suspense, .status = CARD_ACTIVE, .last_event = position
    };
    put_card(fold, number, &card);
    return true;
}

/* The account that every card of a range begins with, but for its number: fold->account. */
static bool begin_issued(struct fold *fold, const struct event *event, journal_position position)
{
    struct lot lot = event->cards_issued.welcome;
    fold_begin_account(fold, event->cards_issued.first_account, position);
    fold->account.card_count = 1;
    if (lot.points == 0)
        return true;
    if (lot.points < 0 || lot.held != 0 || lot.by_purchase)
        return false;
    lot.number = fold->account.next_lot++;
    fold->account.lots[0] = lot;
    fold->account.lot_count = 1;
    fold->account.balance = lot.points;
    return reports_welcome(fold, &lot, event->cards_issued.count);
}

static bool issue_waiting(struct fold *fold, const struct event *event, struct wire_reader *numbers,
                          journal_position position)
{
    struct wire_code number;
    wire_read_code(numbers, &number);
    return !numbers->failed && event->effect_count == 1 && event->cards_issued.count == 1 &&
           event->effects[0].account == event->cards_issued.first_account &&
           join_card(fold, (struct text){ number.bytes, number.size }, event->cards_issued.first_card,
                     event->cards_issued.first_account, position);
}

/* Each with an account of its own, which is the next of the ledger like itself. */
static bool issue_new(struct fold *fold, const struct event *event, struct wire_reader *numbers,
                      journal_position position)
{
    struct totals *totals = &fold->totals;
    if (event->effect_count != 0 || event->cards_issued.first_account != totals->accounts + 1 ||
        event->cards_issued.first_card != totals->cards + 1 || !begin_issued(fold, event, position))
        return false;
    for (uint32_t i = 0; i < event->cards_issued.count; i++) {
        struct wire_code number;
        wire_read_code(numbers, &number);
        struct text text = { number.bytes, number.size };
        if (numbers->failed)
            return false;
        struct key key = key_card(text);
        if (fold_has(fold, &key))
            return false;
        struct card card = { .id = event->cards_issued.first_card + i,
                             .account = event->cards_issued.first_account + i,
                             .status = CARD_ACTIVE,
                             .last_event = position };
        put_card(fold, text, &card);
        fold->account.number = card.account;
        fold_write_account(fold, &fold->account);
    }
    totals->accounts += event->cards_issued.count;
    totals->cards += event->cards_issued.count;
    return true;
}

bool fold_cards_issued(struct fold *fold, const struct event *event, journal_position position)
{
    struct wire_reader numbers =
        wire_reader_over(event->cards_issued.numbers.data, event->cards_issued.numbers.size);
    bool issued = event->cards_issued.joins ? issue_waiting(fold, event, &numbers, position)
                                            : issue_new(fold, event, &numbers, position);
    return issued && wire_read_done(&numbers);
}

bool fold_card_added(struct fold *fold, const struct event *event, journal_position position)
{
    return event->effect_count > 0 && begin_card(fold, event->card_added.number, event->card_added.card,
                                                 event->effects[0].account, 0, event, position);
}

bool fold_card_status(struct fold *fold, const struct event *event, journal_position position)
{
    struct card card;
    account_number absorbed = absorbed_by(event);
    if (!fold_card(fold, event->card_status.number, &card) || card.status != event->card_status.before ||
        (absorbed != 0 && absorbed != card.suspense))
        return false;
    if (absorbed != 0)
        card.suspense = 0;
    card.status = event->card_status.after;
    card.last_event = position;
    put_card(fold, event->card_status.number, &card);
    return true;
}

/* The old record stays, says "replaced" for ever, and leads to the same account. */
bool fold_card_replaced(struct fold *fold, const struct event *event, journal_position position)
{
    struct card card;
    account_number absorbed = absorbed_by(event);
    if (!fold_card(fold, event->card_replaced.old_number, &card) ||
        (card.status != CARD_ACTIVE && card.status != CARD_BLOCKED))
        return false;
    account_number account = event->effect_count > 0 ? event->effects[0].account : card.account;
    account_number waits = card.suspense == absorbed ? 0 : card.suspense;
    card.suspense = 0;
    card.status = CARD_REPLACED;
    card.last_event = position;
    put_card(fold, event->card_replaced.old_number, &card);
    return begin_card(fold, event->card_replaced.new_number, event->card_replaced.new_card, account, waits,
                      event, position);
}

bool fold_merge(const struct event *event)
{
    account_number source = event->merge.source, target = event->merge.target;
    if (event->effect_count == 0) /* they were one before */
        return source == target;
    return event->effect_count == 2 && event->effects[0].account == target &&
           event->effects[1].account == source && absorbed_by(event) == source;
}
