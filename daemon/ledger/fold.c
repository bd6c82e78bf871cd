#include "ledger/fold.h"

#include <string.h>

#include "ledger/fold_internal.h"

bool fold_get(struct fold *fold, const struct key *key, struct state_value *out)
{
    return state_get(fold->state, key->bytes, key->size, out);
}

void fold_put(struct fold *fold, const struct key *key, const void *bytes, size_t size)
{
    memcpy(state_put(fold->state, key->bytes, key->size, (uint32_t)size), bytes, size);
}

void fold_remove(struct fold *fold, const struct key *key)
{
    state_remove_key(fold->state, key->bytes, key->size);
}

bool fold_has(struct fold *fold, const struct key *key)
{
    struct state_value value;
    return fold_get(fold, key, &value);
}

void fold_put_position(struct fold *fold, const struct key *key, journal_position position)
{
    uint8_t record[SMALL_RECORD_MAX];
    fold_put(fold, key, record, position_encode(position, record, sizeof(record)));
}

/* --- accounts --- */

/* The account as it is, from state, into any room. */
static bool read_account(struct fold *fold, account_number number, struct account *out)
{
    struct key key = key_account(number);
    struct state_value value;
    if (!fold_get(fold, &key, &value))
        return false;
    PUNKT_CHECK(account_decode(value, out)); /* its checksum was right: other bytes are a bug of ours */
    return true;
}

void fold_write_account(struct fold *fold, const struct account *account)
{
    struct key key = key_account(account->number);
    fold_put(fold, &key, fold->record, account_encode(account, fold->record, sizeof(fold->record)));
}

void fold_begin_account(struct fold *fold, account_number number, journal_position position)
{
    fold->account_held = 0;
    account_new(number, &fold->account);
    fold->account.last_event = position;
}

/* Makes fold->account the account as it is now. */
static bool hold_account(struct fold *fold, account_number number)
{
    if (number != 0 && fold->account_held == number)
        return true;
    fold->account_held = 0;
    if (!read_account(fold, number, &fold->account))
        return false;
    fold->account_held = number;
    return true;
}

static bool hold_account_merged(struct fold *fold, account_number number, uint32_t *out_lot_offset)
{
    *out_lot_offset = 0;
    while (hold_account(fold, number)) {
        if (fold->account.merged_into == 0)
            return true;
        *out_lot_offset += fold->account.lot_offset;
        number = fold->account.merged_into;
    }
    return false;
}

bool fold_account(struct fold *fold, account_number number, struct account *out)
{
    uint32_t lot_offset;
    if (!hold_account_merged(fold, number, &lot_offset))
        return false;
    account_copy(&fold->account, out);
    out->lot_offset = lot_offset;
    return true;
}

bool fold_account_event(struct fold *fold, account_number *inout_number, journal_position *out_last_event)
{
    uint32_t lot_offset;
    if (!hold_account_merged(fold, *inout_number, &lot_offset))
        return false;
    *inout_number = fold->account.number;
    *out_last_event = fold->account.last_event;
    return true;
}

bool fold_account_own(struct fold *fold, account_number number, account_number *out_merged_into,
                      journal_position *out_last_event)
{
    if (!hold_account(fold, number))
        return false;
    *out_merged_into = fold->account.merged_into;
    *out_last_event = fold->account.last_event;
    return true;
}

/* --- other look-ups --- */

bool fold_card(struct fold *fold, struct text number, struct card *out)
{
    struct key key = key_card(number);
    struct state_value value;
    if (!fold_get(fold, &key, &value))
        return false;
    PUNKT_CHECK(card_decode(value, out));
    return true;
}

bool fold_returned(struct fold *fold, journal_position sale, struct returned *out)
{
    struct key key = key_returned(sale);
    struct state_value value;
    if (!fold_get(fold, &key, &value))
        return false;
    PUNKT_CHECK(returned_decode(value, out));
    return true;
}

bool fold_hold(struct fold *fold, journal_position hold, struct hold_state *out)
{
    struct key key = key_hold(hold);
    struct state_value value;
    if (!fold_get(fold, &key, &value))
        return false;
    PUNKT_CHECK(hold_decode(value, out));
    return true;
}

int64_t fold_reward_used(struct fold *fold, uint64_t reward)
{
    struct key key = key_reward(reward);
    struct state_value value;
    struct reward_state state;
    if (!fold_get(fold, &key, &value))
        return 0;
    PUNKT_CHECK(reward_decode(value, &state));
    return state.used;
}

static journal_position get_position(struct fold *fold, const struct key *key)
{
    struct state_value value;
    journal_position position;
    if (!fold_get(fold, key, &value))
        return 0;
    PUNKT_CHECK(position_decode(value, &position));
    return position;
}

journal_position fold_reversed_by(struct fold *fold, journal_position original)
{
    struct key key = key_reversed(original);
    return get_position(fold, &key);
}

journal_position fold_waiting(struct fold *fold, const struct document *sale)
{
    struct key key = key_waiting(sale);
    return get_position(fold, &key);
}

journal_position fold_document(struct fold *fold, const struct document *document)
{
    struct key key = key_document(document);
    return get_position(fold, &key);
}

bool fold_lane(struct fold *fold, uint64_t identity, uint64_t epoch, struct lane_record *out)
{
    struct key key = key_lane(identity, epoch);
    struct state_value value;
    if (!fold_get(fold, &key, &value))
        return false;
    PUNKT_CHECK(lane_decode(value, out));
    return true;
}

journal_position fold_request(struct fold *fold, uint64_t identity, uint64_t epoch, uint64_t number)
{
    struct key key = key_requests(identity, epoch, number);
    struct state_value value;
    journal_position position;
    if (!fold_get(fold, &key, &value))
        return 0;
    PUNKT_CHECK(requests_get(value, number % REQUESTS_PER_RECORD, &position));
    return position;
}

bool fold_requests_booked(struct fold *fold, uint64_t identity, uint64_t epoch, uint64_t number,
                          struct requests_booked *out)
{
    struct key key = key_requests(identity, epoch, number);
    struct state_value value;
    memset(out, 0, sizeof(*out));
    if (!fold_get(fold, &key, &value))
        return false;
    PUNKT_CHECK(requests_booked(value, &out->booked, out->hash));
    for (uint64_t slot = 0; slot < REQUESTS_PER_RECORD; slot++) {
        journal_position position;
        PUNKT_CHECK(requests_get(value, slot, &position));
        out->known |= (uint64_t)(position != 0) << slot;
    }
    return true;
}

bool fold_programme(struct fold *fold, uint32_t version, struct programme_record *out)
{
    struct key key = key_programme(version);
    struct state_value value;
    if (!fold_get(fold, &key, &value))
        return false;
    PUNKT_CHECK(programme_decode(value, out));
    return true;
}

struct open_holds_visit {
    void (*visit)(void *ctx, journal_position hold, const struct open_hold *open);
    void *ctx;
};

static bool visit_open_hold(void *ctx, const uint8_t *key, size_t key_size, const uint8_t *value, size_t size)
{
    const struct open_holds_visit *holds = ctx;
    struct state_value record = { value, (uint32_t)size };
    journal_position position;
    struct open_hold open;
    PUNKT_CHECK(key_read_open_hold(key, key_size, &position) && open_hold_decode(record, &open));
    holds->visit(holds->ctx, position, &open);
    return true;
}

bool fold_open_holds(struct fold *fold,
                     void (*visit)(void *ctx, journal_position hold, const struct open_hold *open), void *ctx)
{
    struct open_holds_visit holds = { visit, ctx };
    struct key prefix = key_all_open_holds();
    return state_scan(fold->state, prefix.bytes, prefix.size, NULL, 0, UINT32_MAX, visit_open_hold, &holds) ==
           PUNKT_OK;
}

struct waiting_visit {
    void (*visit)(void *ctx, journal_position newest);
    void *ctx;
};

static bool visit_waiting(void *ctx, const uint8_t *key, size_t key_size, const uint8_t *value, size_t size)
{
    const struct waiting_visit *waiting = ctx;
    struct state_value record = { value, (uint32_t)size };
    journal_position newest;
    (void)key;
    (void)key_size;
    PUNKT_CHECK(position_decode(record, &newest));
    waiting->visit(waiting->ctx, newest);
    return true;
}

bool fold_all_waiting(struct fold *fold, void (*visit)(void *ctx, journal_position newest), void *ctx)
{
    struct waiting_visit waiting = { visit, ctx };
    struct key prefix = key_all_waiting();
    return state_scan(fold->state, prefix.bytes, prefix.size, NULL, 0, UINT32_MAX, visit_waiting, &waiting) ==
           PUNKT_OK;
}

/* --- loading, storing --- */

enum punkt_status fold_load(struct fold *fold, struct state *state, const struct state_mark *mark,
                            struct failure *failure)
{
    memset(fold, 0, sizeof(*fold));
    fold->state = state;
    fold->next_sequence = mark->head.next_sequence;
    fold->time = mark->ledger_time;
    struct key key = key_totals();
    struct state_value value;
    if (fold_get(fold, &key, &value) && !totals_decode(value, &fold->totals)) {
        failure_set(failure, "the totals of state have a format that this version does not know; "
                             "run: punktd rebuild --data DIR");
        return PUNKT_CORRUPT;
    }
    while (key = key_programme(fold->programme_version + 1), fold_has(fold, &key))
        fold->programme_version++;
    enum punkt_status status = sha256_init(&fold->sha256);
    if (status != PUNKT_OK)
        failure_set(failure, "no memory to fold the journal with");
    return status;
}

void fold_done(struct fold *fold)
{
    sha256_done(&fold->sha256);
}

void fold_store(struct fold *fold)
{
    uint8_t record[SMALL_RECORD_MAX];
    struct key key = key_totals();
    fold_put(fold, &key, record, totals_encode(&fold->totals, record, sizeof(record)));
    reports_store(fold);
}

/* --- effects --- */

/* The other account goes into fold->account, which the effect after this one empties. */
static bool fold_absorb(struct fold *fold, const struct event *event, account_number number)
{
    struct account *account = &fold->account;
    uint32_t offset = account->next_lot - 1;
    if (event->effect_count != 2 || event->effects[1].account != number || number == account->number ||
        !read_account(fold, number, &fold->source) || fold->source.merged_into != 0)
        return false;
    const struct effect *emptied = &event->effects[1];
    for (uint32_t i = 0; i < emptied->change_count; i++) {
        const struct account_change *change = &emptied->changes[i];
        if (change->kind == CHANGE_ABSORBED && change->id == account->number && change->value == offset)
            return account_absorb(account, &fold->source, offset);
    }
    return false;
}

static bool fold_absorbed(struct fold *fold, const struct event *event, uint32_t index)
{
    const struct effect *effect = &event->effects[index];
    uint32_t absorbed = 0;
    for (uint32_t i = 0; i < effect->change_count; i++) {
        if (effect->changes[i].kind != CHANGE_ABSORB)
            continue;
        if (index != 0 || ++absorbed > 1 || !fold_absorb(fold, event, effect->changes[i].id))
            return false;
    }
    return true;
}

/* fold->account is the account of the effect, as it is. */
static bool fold_effect_on(struct fold *fold, const struct event *event, uint32_t index,
                           journal_position position)
{
    struct account *account = &fold->account;
    const struct effect *effect = &event->effects[index];
    struct totals *totals = &fold->totals;
    millipoints debt_before = account->debt;
    if (!fold_absorbed(fold, event, index) || !fold_holds(fold, event, effect, account, position) ||
        !reports_lots(fold, event, effect, account) || !effect_apply(effect, position, account))
        return false;
    account->last_event = position;
    fold_write_account(fold, account);
    millipoints debt_change = account->debt - debt_before;
    totals->accounts_in_debt += (account->debt > 0) - (debt_before > 0);
    return !__builtin_add_overflow(totals->debt, debt_change, &totals->debt) &&
           !__builtin_add_overflow(totals->outstanding, effect->change + debt_change, &totals->outstanding);
}

static bool fold_effect(struct fold *fold, const struct event *event, uint32_t index,
                        journal_position position)
{
    const struct effect *effect = &event->effects[index];
    bool made = index == 0 && event->suspense.number.size > 0;
    if (made ? !fold_suspense(fold, event, position) : !hold_account(fold, effect->account))
        return false;
    if (fold->account.number != effect->account || fold->account.merged_into != 0 ||
        (made ? effect->previous != 0 : fold->account.last_event != effect->previous))
        return false;
    fold->account_held = 0; /* until it is whole again */
    if (!fold_effect_on(fold, event, index, position))
        return false;
    fold->account_held = effect->account;
    return true;
}

/* --- events --- */

static bool fold_new_programme(struct fold *fold, const struct event *event)
{
    if (event->programme.version != fold->programme_version + 1)
        return false;
    struct programme_record programme = { .version = event->programme.version,
                                          .from = event->programme.from,
                                          .published = event->time,
                                          .operator= event->operator,
                                          .text = event->programme.text };
    struct key key = key_programme(programme.version);
    if (programme.text.size + programme.operator.size + 64> sizeof(fold->record))
        return false;
    fold_put(fold, &key, fold->record, programme_encode(&programme, fold->record, sizeof(fold->record)));
    fold->programme_version = programme.version;
    return true;
}

static bool fold_detail(struct fold *fold, const struct event *event, journal_position position)
{
    switch (event->type) {
    case EVENT_CARDS_ISSUED:
        return fold_cards_issued(fold, event, position);
    case EVENT_CARD_ADDED:
        return fold_card_added(fold, event, position);
    case EVENT_CARD_STATUS:
        return fold_card_status(fold, event, position);
    case EVENT_CARD_REPLACED:
        return fold_card_replaced(fold, event, position);
    case EVENT_MERGE:
        return fold_merge(event);
    case EVENT_PROGRAMME:
        return fold_new_programme(fold, event);
    case EVENT_REVERSAL:
        return fold_reversal(fold, event, position);
    case EVENT_TOMBSTONE:
        return fold_tombstone(fold, event, position);
    case EVENT_RETURN_WAITING:
        return fold_return_waiting(fold, event, position);
    case EVENT_PURCHASE:
    case EVENT_RETURN:
    case EVENT_UNLINKED_RETURN:
    case EVENT_REDEMPTION:
    case EVENT_CAPTURE:
    case EVENT_AWARD_MOVED:
    case EVENT_ADJUSTMENT:
    case EVENT_HOLD:
    case EVENT_RELEASE:
    case EVENT_DAY:
    case EVENT_TRANSFER:
    case EVENT_TAGS:
    case EVENT_ACTIVATION:
    case EVENT_PIN_SET:
    case EVENT_PIN_TRY:
    case EVENT_BONUS:
    case EVENT_WRITE_OFF:
    case EVENT_TERM:
    case EVENT_REFUSAL:
    case EVENT_TIE:
    case EVENT_CLOCK_ACCEPTED:
    case EVENT_ATTEMPTS:
    case EVENT_ALARM:
        return true;
    case EVENT_DAY_CLOSE:
        return fold_day_close(fold, event, position);
    case EVENT_IDENTITY:
        return fold_identity_changed(fold, event);
    case EVENT_PROPOSAL:
        fold_proposed(fold, event, position);
        return true;
    case EVENT_PROPOSAL_ENDED:
        return fold_proposal_ends(fold, event, position);
    case EVENT_FLAG_RESOLVED:
        return fold_flag_resolved(fold, event);
    case EVENT_SEAL:
        return fold_sealed(fold, event, position);
    }
    return false;
}

void fold_put_request(struct fold *fold, const struct request_name *request, journal_position position,
                      const uint8_t *booked)
{
    uint8_t record[REQUESTS_RECORD_MAX];
    struct key key = key_requests(request->identity, request->epoch, request->number);
    struct state_value value = { NULL, 0 };
    (void)fold_get(fold, &key, &value);
    uint64_t slot = request->number % REQUESTS_PER_RECORD;
    size_t size = requests_set(value, slot, position, record);
    if (booked != NULL)
        requests_book(record, slot, booked);
    fold_put(fold, &key, record, size);
}

static void fold_event_document(struct fold *fold, const struct event *event, journal_position position)
{
    bool booked = event->type == EVENT_PURCHASE || event->type == EVENT_RETURN ||
                  event->type == EVENT_UNLINKED_RETURN || event->type == EVENT_RETURN_WAITING;
    if (!booked || event->document.number.size == 0)
        return;
    struct key key = key_document(&event->document);
    fold_put_position(fold, &key, position);
}

/*
 * The number leads to its event for good, and the lane moves on. False: it was there already, and this event is what
 * is said later about it.
 */
static bool fold_request_name(struct fold *fold, const struct event *event, journal_position position,
                              const uint8_t hash[TILL_HASH_SIZE])
{
    const struct request_name *request = &event->request;
    uint8_t record[REQUESTS_RECORD_MAX];
    struct lane_record lane = { .highest = 0 };
    (void)fold_lane(fold, request->identity, request->epoch, &lane);
    bool first_word = request->number > lane.highest;
    lane.highest = u64_max(lane.highest, request->number);
    lane.last_position = position;
    struct key key = key_lane(request->identity, request->epoch);
    fold_put(fold, &key, record, lane_encode(&lane, record, sizeof(record)));
    fold_put_request(fold, request, position, first_word && event_is_booked(event) ? hash : NULL);
    return first_word;
}

/* Opening + movements = closing, after every event. */
static bool fold_moved(struct totals *totals, const struct movements *movements)
{
    millipoints sum = 0;
    for (uint32_t why = 0; why < MOVEMENT_COUNT; why++) {
        for (uint32_t i = 0; i < EVENT_EFFECTS_MAX; i++) {
            if (__builtin_add_overflow(totals->moved[why], movements->moved[i][why], &totals->moved[why]))
                return false;
        }
        if (__builtin_add_overflow(sum, totals->moved[why], &sum))
            return false;
    }
    return sum == totals->outstanding - totals->debt;
}

/* What an advice may be of, that is never refused for its card. */
static bool may_begin_suspense(enum event_type type)
{
    return type == EVENT_PURCHASE || type == EVENT_UNLINKED_RETURN || type == EVENT_REDEMPTION;
}

bool fold_event(struct fold *fold, const struct event *event, journal_position position)
{
    struct movements movements;
    if (event->sequence != fold->next_sequence || !movements_of(event, &movements))
        return false;
    if (event->suspense.number.size > 0 && (!may_begin_suspense(event->type) || event->effect_count != 1))
        return false;
    for (uint32_t i = 0; i < event->effect_count; i++) {
        if (!fold_effect(fold, event, i, position))
            return false;
    }
    if (!fold_rewards(fold, event) || !fold_became(fold, event, position) ||
        !fold_detail(fold, event, position) || !fold_waited(fold, event) ||
        !fold_moved(&fold->totals, &movements))
        return false;
    if (event->approves != 0 &&
        (event->type == EVENT_PROPOSAL_ENDED || !fold_proposal_ends(fold, event, position)))
        return false;
    if (event->raises != 0)
        fold_raised(fold, event, position);
    fold_event_document(fold, event, position);
    uint8_t hash[TILL_HASH_SIZE] = { 0 };
    if (event->request.number != 0 && event_is_booked(event))
        request_hash(fold, &event->request, hash);
    bool first_word = event->request.number == 0 || fold_request_name(fold, event, position, hash);
    if (!count_event(fold, event, &movements, first_word ? hash : NULL))
        return false;
    fold->next_sequence++;
    fold->totals.events++;
    fold->time = event->time;
    return true;
}
