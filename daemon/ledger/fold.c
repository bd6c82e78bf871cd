#include "ledger/fold.h"

#include <string.h>

#include "proto/wire.h"

static bool get(struct fold *fold, const struct key *key, struct state_value *out)
{
    return state_get(fold->state, key->bytes, key->size, out);
}

static void put(struct fold *fold, const struct key *key, const void *bytes, size_t size)
{
    memcpy(state_put(fold->state, key->bytes, key->size, (uint32_t)size), bytes, size);
}

static bool has(struct fold *fold, const struct key *key)
{
    struct state_value value;
    return get(fold, key, &value);
}

bool fold_card(struct fold *fold, struct text number, struct card *out)
{
    struct key key = key_card(number);
    struct state_value value;
    if (!get(fold, &key, &value))
        return false;
    PUNKT_CHECK(card_decode(value, out)); /* its checksum was right: other bytes are a bug of ours */
    return true;
}

/* Makes fold->account the account as it is now. */
static bool hold_account(struct fold *fold, account_number number)
{
    if (fold->account_held == number)
        return true;
    struct key key = key_account(number);
    struct state_value value;
    fold->account_held = 0;
    if (!get(fold, &key, &value))
        return false;
    PUNKT_CHECK(account_decode(value, &fold->account));
    fold->account_held = number;
    return true;
}

static bool hold_account_merged(struct fold *fold, account_number number)
{
    do {
        if (!hold_account(fold, number))
            return false;
        number = fold->account.merged_into;
    } while (number != 0);
    return true;
}

bool fold_account(struct fold *fold, account_number number, struct account *out)
{
    if (!hold_account_merged(fold, number))
        return false;
    account_copy(&fold->account, out);
    return true;
}

bool fold_account_event(struct fold *fold, account_number *inout_number, journal_position *out_last_event)
{
    if (!hold_account_merged(fold, *inout_number))
        return false;
    *inout_number = fold->account.number;
    *out_last_event = fold->account.last_event;
    return true;
}

bool fold_returned(struct fold *fold, journal_position sale, struct returned *out)
{
    struct key key = key_returned(sale);
    struct state_value value;
    if (!get(fold, &key, &value))
        return false;
    PUNKT_CHECK(returned_decode(value, out));
    return true;
}

bool fold_lane(struct fold *fold, uint64_t identity, uint64_t epoch, struct lane_record *out)
{
    struct key key = key_lane(identity, epoch);
    struct state_value value;
    if (!get(fold, &key, &value))
        return false;
    PUNKT_CHECK(lane_decode(value, out));
    return true;
}

journal_position fold_request(struct fold *fold, uint64_t identity, uint64_t epoch, uint64_t number)
{
    struct key key = key_requests(identity, epoch, number);
    struct state_value value;
    journal_position position;
    if (!get(fold, &key, &value))
        return 0;
    PUNKT_CHECK(requests_get(value, number % REQUESTS_PER_RECORD, &position));
    return position;
}

journal_position fold_document(struct fold *fold, const struct document *document)
{
    struct key key = key_document(document);
    struct state_value value;
    journal_position position;
    if (!get(fold, &key, &value))
        return 0;
    PUNKT_CHECK(position_decode(value, &position));
    return position;
}

bool fold_programme(struct fold *fold, uint32_t version, struct programme_record *out)
{
    struct key key = key_programme(version);
    struct state_value value;
    if (!get(fold, &key, &value))
        return false;
    PUNKT_CHECK(programme_decode(value, out));
    return true;
}

enum punkt_status fold_load(struct fold *fold, struct state *state, const struct state_mark *mark,
                            struct failure *failure)
{
    memset(fold, 0, sizeof(*fold));
    fold->state = state;
    fold->next_sequence = mark->head.next_sequence;
    fold->time = mark->ledger_time;
    struct key key = key_totals();
    struct state_value value;
    if (get(fold, &key, &value) && !totals_decode(value, &fold->totals)) {
        failure_set(failure, "the totals of state have a format that this version does not know; "
                             "run: punktd rebuild --data DIR");
        return PUNKT_CORRUPT;
    }
    while (key = key_programme(fold->programme_version + 1), has(fold, &key))
        fold->programme_version++;
    return PUNKT_OK;
}

void fold_store(struct fold *fold)
{
    uint8_t record[SMALL_RECORD_MAX];
    struct key key = key_totals();
    put(fold, &key, record, totals_encode(&fold->totals, record, sizeof(record)));
}

static void store_account(struct fold *fold, const struct account *account)
{
    struct key key = key_account(account->number);
    put(fold, &key, fold->record, account_encode(account, fold->record, sizeof(fold->record)));
}

static bool fold_effect(struct fold *fold, const struct event *event, const struct effect *effect,
                        journal_position position)
{
    struct account *account = &fold->account;
    if (!hold_account(fold, effect->account) || account->merged_into != 0 ||
        account->last_event != effect->previous)
        return false;
    millipoints debt_before = account->debt;
    if (!effect_apply(effect, event->type, event->occurred, position, account)) {
        fold->account_held = 0;
        return false;
    }
    account->last_event = position;
    store_account(fold, account);
    millipoints debt_change = account->debt - debt_before;
    fold->totals.debt += debt_change;
    fold->totals.outstanding += effect->change + debt_change;
    fold->totals.accounts_in_debt += (account->debt > 0) - (debt_before > 0);
    return true;
}

static bool fold_cards(struct fold *fold, const struct event *event, journal_position position)
{
    if (event->cards_issued.first_account != fold->totals.accounts + 1 ||
        event->cards_issued.first_card != fold->totals.cards + 1)
        return false;
    fold->account_held = 0;
    memset(&fold->account, 0, sizeof(fold->account));
    fold->account.last_event = position;
    fold->account.next_lot = 1;
    fold->account.card_count = 1;
    struct wire_reader numbers =
        wire_reader_over(event->cards_issued.numbers.data, event->cards_issued.numbers.size);
    for (uint32_t i = 0; i < event->cards_issued.count; i++) {
        struct wire_code number;
        wire_read_code(&numbers, &number);
        if (numbers.failed)
            return false;
        struct key key = key_card((struct text){ number.bytes, number.size });
        if (has(fold, &key))
            return false;
        struct card card = { .id = event->cards_issued.first_card + i,
                             .account = event->cards_issued.first_account + i,
                             .status = CARD_ACTIVE,
                             .last_event = position };
        uint8_t record[SMALL_RECORD_MAX];
        put(fold, &key, record, card_encode(&card, record, sizeof(record)));
        fold->account.number = card.account;
        store_account(fold, &fold->account);
    }
    fold->totals.accounts += event->cards_issued.count;
    fold->totals.cards += event->cards_issued.count;
    return wire_read_done(&numbers);
}

static bool fold_return(struct fold *fold, const struct goods_return *goods)
{
    struct returned *returned = &fold->returned;
    if (!fold_returned(fold, goods->sale, returned))
        memset(returned, 0, sizeof(*returned));
    if (!returned_apply(goods, returned))
        return false;
    struct key key = key_returned(goods->sale);
    put(fold, &key, fold->record, returned_encode(returned, fold->record, sizeof(fold->record)));
    return true;
}

static bool fold_new_programme(struct fold *fold, const struct event *event)
{
    if (event->programme.version != fold->programme_version + 1)
        return false;
    struct programme_record programme = { .version = event->programme.version,
                                          .from = event->programme.from,
                                          .text = event->programme.text };
    struct key key = key_programme(programme.version);
    if (programme.text.size + 32 > sizeof(fold->record))
        return false;
    put(fold, &key, fold->record, programme_encode(&programme, fold->record, sizeof(fold->record)));
    fold->programme_version = programme.version;
    return true;
}

static bool fold_detail(struct fold *fold, const struct event *event, journal_position position)
{
    struct totals *totals = &fold->totals;
    switch (event->type) {
    case EVENT_CARDS_ISSUED:
        return fold_cards(fold, event, position);
    case EVENT_PROGRAMME:
        return fold_new_programme(fold, event);
    case EVENT_PURCHASE:
        totals->earned += event->purchase.earned;
        return true;
    case EVENT_RETURN:
        totals->returned += event->goods_return.taken - event->goods_return.given_back;
        return fold_return(fold, &event->goods_return);
    case EVENT_UNLINKED_RETURN:
        totals->returned += event->goods_return.taken - event->goods_return.given_back;
        return true;
    case EVENT_REDEMPTION:
        totals->redeemed += event->redemption.points;
        return true;
    case EVENT_ADJUSTMENT:
        totals->adjusted += event->adjustment.points;
        return true;
    case EVENT_TERM:
    case EVENT_REFUSAL:
    case EVENT_TIE:
    case EVENT_CLOCK_ACCEPTED:
        return true;
    }
    return false;
}

/* The lane moves on, and the number leads to its event for good. */
static void fold_request_name(struct fold *fold, const struct request_name *request,
                              journal_position position)
{
    uint8_t record[REQUESTS_RECORD_MAX];
    struct lane_record lane = { .highest = request->number, .last_position = position };
    struct key key = key_lane(request->identity, request->epoch);
    put(fold, &key, record, lane_encode(&lane, record, sizeof(record)));

    key = key_requests(request->identity, request->epoch, request->number);
    struct state_value value = { NULL, 0 };
    (void)get(fold, &key, &value);
    size_t size = requests_set(value, request->number % REQUESTS_PER_RECORD, position, record);
    put(fold, &key, record, size);
}

bool fold_event(struct fold *fold, const struct event *event, journal_position position)
{
    if (event->sequence != fold->next_sequence)
        return false;
    for (uint32_t i = 0; i < event->effect_count; i++) {
        if (!fold_effect(fold, event, &event->effects[i], position))
            return false;
    }
    if (!fold_detail(fold, event, position))
        return false;
    bool booked =
        event->type == EVENT_PURCHASE || event->type == EVENT_RETURN || event->type == EVENT_UNLINKED_RETURN;
    if (booked && event->document.number.size > 0) {
        uint8_t record[SMALL_RECORD_MAX];
        struct key key = key_document(&event->document);
        put(fold, &key, record, position_encode(position, record, sizeof(record)));
    }
    if (event->request.number != 0)
        fold_request_name(fold, &event->request, position);
    fold->next_sequence++;
    fold->totals.events++;
    fold->time = event->time;
    return true;
}
