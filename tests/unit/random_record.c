#include "random_record.h"

#include <string.h>

/* A few, or sometimes as many as there is room for. */
static uint32_t many(struct maker *maker, uint32_t max)
{
    return random_below(maker->random, 30) == 0 ? max : any_count(maker, max);
}

static void make_lots(struct maker *maker, struct account *account)
{
    account->lot_count = many(maker, ACCOUNT_LOTS_MAX);
    for (uint32_t i = 0; i < account->lot_count; i++) {
        struct lot *lot = &account->lots[i];
        lot->number = any_u32(maker);
        lot->by_purchase = any_bool(maker);
        lot->pending = any_bool(maker);
        lot->counts = any_bool(maker);
        lot->inactive_months = (uint8_t)any_u32(maker);
        lot->points = any_i64(maker);
        lot->held = any_i64(maker);
        lot->earned = any_day(maker);
        lot->matures = any_bool(maker) ? lot->earned : any_day(maker);
        lot->last_day = any_day(maker);
    }
    account->debt_count = many(maker, ACCOUNT_DEBTS_MAX);
    for (uint32_t i = 0; i < account->debt_count; i++) {
        account->debts[i].cause = any_u64(maker);
        account->debts[i].points = any_i64(maker);
    }
    account->expired_count = many(maker, ACCOUNT_EXPIRED_MAX);
    for (uint32_t i = 0; i < account->expired_count; i++) {
        account->expired[i].lot = any_u32(maker);
        account->expired[i].points = any_i64(maker);
    }
}

static void make_counters(struct maker *maker, struct account *account)
{
    account->joined_through = any_u32(maker);
    account->tally_count = many(maker, ACCOUNT_TALLIES_MAX);
    for (uint32_t i = 0; i < account->tally_count; i++) {
        struct tally *tally = &account->tallies[i];
        tally->kind = (enum tally_kind)any_from_one(maker, TALLY_KIND_MAX);
        tally->id = any_u64(maker);
        tally->period = any_day(maker);
        tally->before = any_day(maker);
        tally->value = any_i64(maker);
        tally->value_before = any_i64(maker);
    }
    account->recent_count = many(maker, ACCOUNT_RECENT_MAX);
    for (uint32_t i = 0; i < account->recent_count; i++)
        account->recent[i] = any_u64(maker);
    account->first_earned = any_u32(maker);
    account->earned_day = any_day(maker);
    account->earned_on_day = any_i64(maker);
    account->stamps_count = many(maker, ACCOUNT_STAMPS_MAX);
    for (uint32_t i = 0; i < account->stamps_count; i++) {
        account->stamps[i].purse = any_u64(maker);
        account->stamps[i].count = any_i64(maker);
        account->stamps[i].held = any_i64(maker);
    }
    account->month_count = many(maker, ACCOUNT_MONTHS_MAX);
    for (uint32_t i = 0; i < account->month_count; i++) {
        account->months[i].month = (int32_t)any_within(maker, 3000000);
        account->months[i].visits = (int32_t)any_u32(maker);
        account->months[i].spend = any_i64(maker);
        account->months[i].points = any_i64(maker);
    }
}

static void make_holds(struct maker *maker, struct account *account)
{
    account->hold_count = many(maker, ACCOUNT_HOLDS_MAX);
    for (uint32_t i = 0; i < account->hold_count; i++) {
        struct account_hold *hold = &account->holds[i];
        hold->id = any_u64(maker);
        hold->points = any_i64(maker);
        hold->stamps = any_i64(maker);
        hold->purse = any_u64(maker);
        hold->reward = any_u64(maker);
        hold->quantity = any_u32(maker);
        hold->use_period = any_day(maker);
        hold->deadline = any_i64(maker);
        hold->part_count = any_up_to(maker, ACCOUNT_HOLD_PARTS_MAX);
    }
    account->hold_part_count = many(maker, ACCOUNT_HOLD_PARTS_MAX);
    for (uint32_t i = 0; i < account->hold_part_count; i++) {
        account->hold_parts[i].lot = any_u32(maker);
        account->hold_parts[i].points = any_i64(maker);
    }
}

static void make_marks(struct maker *maker, struct account *account)
{
    account->tag_count = many(maker, ACCOUNT_TAGS_MAX);
    for (uint32_t i = 0; i < account->tag_count; i++) {
        account->tags[i].size = (uint8_t)any_up_to(maker, sizeof(account->tags[i].text));
        memset(account->tags[i].text, 'a' + (int)i, account->tags[i].size);
    }
    account->activated_count = many(maker, ACCOUNT_ACTIVATED_MAX);
    for (uint32_t i = 0; i < account->activated_count; i++)
        account->activated[i] = any_u64(maker);
    if (any_bool(maker)) {
        account->pin.set = any_bool(maker);
        account->pin.wrong = (uint8_t)any_up_to(maker, PIN_TRIES);
        any_bytes(maker, account->pin.salt, sizeof(account->pin.salt));
        any_bytes(maker, account->pin.hash, sizeof(account->pin.hash));
    }
    if (any_bool(maker)) {
        account->tier.id = any_u64(maker);
        account->tier.since = any_day(maker);
        account->tier.through = any_day(maker);
        account->tier.grace = any_day(maker);
        account->tier.next = any_u64(maker);
        account->tier.next_day = any_day(maker);
        account->tier.judge = any_day(maker);
    }
}

static void make_account(struct maker *maker, union record *out)
{
    struct account *account = &out->account;
    account->number = any_u64(maker);
    account->merged_into = any_bool(maker) ? any_u64(maker) : 0;
    account->lot_offset = any_u32(maker);
    account->suspense = any_bool(maker);
    account->closed = any_bool(maker);
    account->last_event = any_u64(maker);
    account->balance = any_i64(maker);
    account->debt = any_bool(maker) ? any_i64(maker) : 0;
    account->lifetime = any_i64(maker);
    account->last_purchase = any_i64(maker);
    account->last_purchase_day = any_day(maker);
    account->next_lot = any_u32(maker);
    account->card_count = any_u32(maker);
    account->ever.visits = (int32_t)any_u32(maker);
    account->ever.spend = any_i64(maker);
    account->ever.points = any_i64(maker);
    make_lots(maker, account);
    make_counters(maker, account);
    make_holds(maker, account);
    make_marks(maker, account);
}

static void make_card(struct maker *maker, union record *out)
{
    out->card.id = any_u64(maker);
    out->card.account = any_u64(maker);
    out->card.suspense = any_u64(maker);
    out->card.status = (enum card_status)any_from_one(maker, CARD_SUSPENSE);
    out->card.last_event = any_u64(maker);
}

static void make_returned_lists(struct maker *maker, struct returned *returned)
{
    for (size_t i = 0; i < COUNT_OF(returned->stamps_back); i++)
        returned->stamps_back[i] = any_bool(maker) ? any_i64(maker) : 0;
    returned->spent_count = many(maker, SPENT_BACK_MAX);
    for (uint32_t i = 0; i < returned->spent_count; i++) {
        returned->spent[i].redemption = any_u64(maker);
        returned->spent[i].index = any_up_to(maker, REDEMPTIONS_MAX - 1);
        returned->spent[i].points = any_i64(maker);
        returned->spent[i].given_back = any_i64(maker);
        returned->spent[i].stamps_back = any_i64(maker);
        returned->spent[i].quantity_back = any_u32(maker);
        returned->spent[i].worth = any_i64(maker);
    }
    returned->line_count = many(maker, LINES_MAX);
    for (uint32_t i = 0; i < returned->line_count; i++) {
        returned->lines[i].line = any_up_to(maker, LINES_MAX);
        returned->lines[i].quantity = any_within(maker, QUANTITY_MAX);
        returned->lines[i].by_amount = any_within(maker, QUANTITY_MAX);
    }
}

static void make_returned(struct maker *maker, union record *out)
{
    struct returned *returned = &out->returned;
    returned->by_amount = any_i64(maker);
    returned->due = any_i64(maker);
    returned->given_back = any_i64(maker);
    returned->own_taken = any_i64(maker);
    returned->expired = any_i64(maker);
    returned->owed_again = any_i64(maker);
    returned->returns = any_u32(maker);
    returned->reversed = any_bool(maker);
    returned->visit_back = any_bool(maker);
    returned->moved_to = any_u64(maker);
    returned->moved_lot = any_u32(maker);
    returned->moved_settled = any_i64(maker);
    returned->moved_expired = any_i64(maker);
    returned->base_back = any_i64(maker);
    returned->uses_back = any_u64(maker);
    make_returned_lists(maker, returned);
}

static void make_totals(struct maker *maker, union record *out)
{
    out->totals.accounts = any_u64(maker);
    out->totals.cards = any_u64(maker);
    out->totals.events = any_u64(maker);
    out->totals.accounts_in_debt = any_u64(maker);
    out->totals.outstanding = any_i64(maker);
    out->totals.debt = any_i64(maker);
    out->totals.identities = any_u64(maker);
    out->totals.flags = any_u64(maker);
    for (size_t i = 0; i < MOVEMENT_COUNT; i++)
        out->totals.moved[i] = any_i64(maker);
}

static void make_lane(struct maker *maker, union record *out)
{
    out->lane.highest = any_u64(maker);
    out->lane.last_position = any_u64(maker);
    out->lane.tombstones = any_bool(maker);
}

static void make_position(struct maker *maker, union record *out)
{
    out->position = any_u64(maker);
}

/* The text is none of the union's bytes: it is compared by what it says. */
static const char programme_text[] = "programme: whatever it says";

static void make_programme(struct maker *maker, union record *out)
{
    size_t size = random_below(maker->random, sizeof(programme_text));
    out->programme.version = any_u32(maker);
    out->programme.from = any_i64(maker);
    out->programme.text = (struct text){ size > 0 ? programme_text : NULL, size };
}

static void make_hold(struct maker *maker, union record *out)
{
    out->hold.account = any_u64(maker);
    out->hold.deadline = any_i64(maker);
    out->hold.end = (enum hold_end)any_up_to(maker, HOLD_TIMED_OUT);
    out->hold.ended_by = any_u64(maker);
}

static void make_open_hold(struct maker *maker, union record *out)
{
    out->open_hold.account = any_u64(maker);
    out->open_hold.deadline = any_i64(maker);
}

static void make_reward(struct maker *maker, union record *out)
{
    out->reward.used = any_i64(maker);
}

static void make_day_counts(struct maker *maker, union record *out)
{
    for (size_t i = 0; i < MOVEMENT_COUNT; i++)
        out->day_counts.moved[i] = any_i64(maker);
    for (size_t i = 1; i <= EVENT_TYPE_MAX; i++)
        out->day_counts.events[i] = any_bool(maker) ? any_u32(maker) : 0;
    out->day_counts.spend = any_i64(maker);
    out->day_counts.returned = any_i64(maker);
    out->day_counts.unlinked = any_i64(maker);
    out->day_counts.worth = any_i64(maker);
}

static void make_outstanding(struct maker *maker, union record *out)
{
    out->outstanding = any_i64(maker);
}

static void make_cohort(struct maker *maker, union record *out)
{
    out->cohort.issued = any_i64(maker);
    out->cohort.redeemed = any_i64(maker);
    out->cohort.expired = any_i64(maker);
    out->cohort.returned = any_i64(maker);
    out->cohort.other = any_i64(maker);
    out->cohort.left = any_i64(maker);
}

static void make_till_day(struct maker *maker, union record *out)
{
    struct till_day *day = &out->till_day;
    for (size_t i = 0; i < TILL_KIND_COUNT; i++) {
        day->sums[i].count = any_u32(maker);
        day->sums[i].amount = any_i64(maker);
        day->sums[i].points = any_i64(maker);
    }
    any_bytes(maker, day->hash, sizeof(day->hash));
    day->more_epochs = any_bool(maker);
    day->returns_sent = any_i64(maker);
    day->closes = any_u64(maker);
    day->close_state = any_up_to(maker, DAY_OPEN);
    day->close_time = any_i64(maker);
    day->late = any_u64(maker);
    day->epoch_count = many(maker, TILL_EPOCHS_MAX);
    for (uint32_t i = 0; i < day->epoch_count; i++) {
        day->epochs[i].epoch = any_u64(maker);
        day->epochs[i].first = any_u64(maker);
        day->epochs[i].last = any_u64(maker);
    }
}

static void make_till(struct maker *maker, union record *out)
{
    out->till.closes = any_u64(maker);
    out->till.last_close = any_u64(maker);
}

/* Texts are none of the union's bytes: they are compared by what they say, each where it begins. */
static const char identity_letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcdefghijklmnopqrstuvwxyz";
enum { NAME_AT = 0, STORE_AT = 10, TILL_AT = 20 };

static struct text letters_from(struct maker *maker, size_t at)
{
    size_t size = any_up_to(maker, RECORD_CODE_MAX);
    return (struct text){ size > 0 ? identity_letters + at : NULL, size };
}

static void make_identity(struct maker *maker, union record *out)
{
    struct identity *identity = &out->identity;
    identity->number = any_u64(maker);
    identity->role = any_up_to(maker, UINT8_MAX);
    identity->status = any_from_one(maker, IDENTITY_REVOKED);
    identity->proof = any_up_to(maker, PROOF_PSK);
    identity->name = letters_from(maker, NAME_AT);
    identity->store = letters_from(maker, STORE_AT);
    identity->till = letters_from(maker, TILL_AT);
    identity->added = any_i64(maker);
    identity->enrolled = any_i64(maker);
    identity->key_ends = any_i64(maker);
    any_bytes(maker, identity->key, sizeof(identity->key));
    identity->key_version = any_u32(maker);
    identity->psk_master = any_u32(maker);
    identity->code_handle = any_u32(maker);
    any_bytes(maker, identity->code_salt, sizeof(identity->code_salt));
    identity->code_ends = any_i64(maker);
    any_bytes(maker, identity->code_key, sizeof(identity->code_key));
}

static void make_proposal(struct maker *maker, union record *out)
{
    out->proposal.identity = any_u64(maker);
    out->proposal.deadline = any_i64(maker);
    out->proposal.state = (enum proposal_state)any_from_one(maker, PROPOSAL_EXPIRED);
    out->proposal.ended_by = any_u64(maker);
}

static void make_flag(struct maker *maker, union record *out)
{
    out->flag.kinds = any_u32(maker);
    out->flag.time = any_i64(maker);
}

static void make_seal(struct maker *maker, union record *out)
{
    any_bytes(maker, out->seal.lineage, sizeof(out->seal.lineage));
    out->seal.key_number = any_u64(maker);
    out->seal.position = any_u64(maker);
    out->seal.time = any_i64(maker);
}

/* The functions of a kind, as functions of any record. */
#define ANY_RECORD(kind)                                                                                     \
    static size_t encode_##kind(const union record *from, uint8_t *out, size_t capacity)                     \
    {                                                                                                        \
        return kind##_encode(&from->kind, out, capacity);                                                    \
    }                                                                                                        \
    static bool decode_##kind(struct state_value value, union record *out)                                   \
    {                                                                                                        \
        return kind##_decode(value, &out->kind);                                                             \
    }
ANY_RECORD(account)
ANY_RECORD(card)
ANY_RECORD(returned)
ANY_RECORD(totals)
ANY_RECORD(lane)
ANY_RECORD(hold)
ANY_RECORD(open_hold)
ANY_RECORD(reward)
ANY_RECORD(day_counts)
ANY_RECORD(cohort)
ANY_RECORD(till_day)
ANY_RECORD(till)
ANY_RECORD(proposal)
ANY_RECORD(flag)
ANY_RECORD(seal)

static size_t encode_identity(const union record *from, uint8_t *out, size_t capacity)
{
    return identity_encode(&from->identity, out, capacity);
}

static void same_letters(struct text *text, size_t at)
{
    if (text->size > 0 && text->size <= RECORD_CODE_MAX &&
        memcmp(text->data, identity_letters + at, text->size) == 0)
        text->data = identity_letters + at;
}

static bool decode_identity(struct state_value value, union record *out)
{
    if (!identity_decode(value, &out->identity))
        return false;
    same_letters(&out->identity.name, NAME_AT);
    same_letters(&out->identity.store, STORE_AT);
    same_letters(&out->identity.till, TILL_AT);
    return true;
}

static size_t encode_position(const union record *from, uint8_t *out, size_t capacity)
{
    return position_encode(from->position, out, capacity);
}

static bool decode_position(struct state_value value, union record *out)
{
    return position_decode(value, &out->position);
}

static size_t encode_outstanding(const union record *from, uint8_t *out, size_t capacity)
{
    return outstanding_encode(from->outstanding, out, capacity);
}

static bool decode_outstanding(struct state_value value, union record *out)
{
    return outstanding_decode(value, &out->outstanding);
}

static size_t encode_programme(const union record *from, uint8_t *out, size_t capacity)
{
    return programme_encode(&from->programme, out, capacity);
}

static bool decode_programme(struct state_value value, union record *out)
{
    if (!programme_decode(value, &out->programme))
        return false;
    /* The same text wherever it lies. */
    size_t size = out->programme.text.size;
    if (size > 0 && size < sizeof(programme_text) &&
        memcmp(out->programme.text.data, programme_text, size) == 0)
        out->programme.text.data = programme_text;
    return true;
}

const struct record_kind record_kinds[KIND_COUNT] = {
    { "account", ACCOUNT_RECORD_MAX, make_account, encode_account, decode_account },
    { "card", SMALL_RECORD_MAX, make_card, encode_card, decode_card },
    { "returned", RETURNED_RECORD_MAX, make_returned, encode_returned, decode_returned },
    { "totals", SMALL_RECORD_MAX, make_totals, encode_totals, decode_totals },
    { "lane", SMALL_RECORD_MAX, make_lane, encode_lane, decode_lane },
    { "position", SMALL_RECORD_MAX, make_position, encode_position, decode_position },
    { "programme", SMALL_RECORD_MAX, make_programme, encode_programme, decode_programme },
    { "hold", SMALL_RECORD_MAX, make_hold, encode_hold, decode_hold },
    { "open hold", SMALL_RECORD_MAX, make_open_hold, encode_open_hold, decode_open_hold },
    { "reward", SMALL_RECORD_MAX, make_reward, encode_reward, decode_reward },
    { "day counts", REPORT_RECORD_MAX, make_day_counts, encode_day_counts, decode_day_counts },
    { "outstanding", SMALL_RECORD_MAX, make_outstanding, encode_outstanding, decode_outstanding },
    { "cohort", SMALL_RECORD_MAX, make_cohort, encode_cohort, decode_cohort },
    { "till day", REPORT_RECORD_MAX, make_till_day, encode_till_day, decode_till_day },
    { "till", SMALL_RECORD_MAX, make_till, encode_till, decode_till },
    { "identity", SMALL_RECORD_MAX, make_identity, encode_identity, decode_identity },
    { "proposal", SMALL_RECORD_MAX, make_proposal, encode_proposal, decode_proposal },
    { "flag", SMALL_RECORD_MAX, make_flag, encode_flag, decode_flag },
    { "seal", SMALL_RECORD_MAX, make_seal, encode_seal, decode_seal },
};
