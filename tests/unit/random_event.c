#include "random_maker.h"

#include <string.h>

static bool is_whole_lot(enum lot_change_kind kind)
{
    return kind == LOT_ADD || kind == LOT_TAKE || kind == LOT_CAPTURE;
}

/* Only the fields that its kind names. */
static void make_lot_change(struct maker *maker, struct lot_change *out)
{
    *out = (struct lot_change){ .kind = (enum lot_change_kind)(LOT_ADD +
                                                               random_below(maker->random, LOT_CAPTURE)),
                                .lot = any_u32(maker) };
    if (maker->largest)
        out->kind = LOT_CAPTURE;
    if (is_whole_lot(out->kind)) {
        out->by_purchase = any_bool(maker);
        out->pending = any_bool(maker);
        out->counts = any_bool(maker);
        out->inactive_months = (uint8_t)any_u32(maker);
        out->earned = any_day(maker);
        out->matures = random_below(maker->random, 2) == 0 ? out->earned : any_day(maker);
        out->last_day = any_day(maker);
    }
    if (out->kind == LOT_JOIN)
        out->into = any_u32(maker);
    else if (out->kind != LOT_MATURE)
        out->points = any_i64(maker);
    if (out->kind == LOT_HOLD || out->kind == LOT_FREE || out->kind == LOT_CAPTURE)
        out->hold = any_u64(maker);
}

static void make_tier(struct maker *maker, struct tier_state *out)
{
    *out = (struct tier_state){ .id = any_u64(maker),
                                .since = any_day(maker),
                                .through = any_day(maker),
                                .grace = any_day(maker),
                                .next = any_u64(maker),
                                .next_day = any_day(maker),
                                .judge = any_day(maker) };
}

static void make_hold(struct maker *maker, struct account_hold *out)
{
    *out = (struct account_hold){ .id = any_u64(maker),
                                  .points = any_i64(maker),
                                  .stamps = any_i64(maker),
                                  .purse = any_u64(maker),
                                  .reward = any_u64(maker),
                                  .quantity = any_u32(maker),
                                  .use_period = any_day(maker),
                                  .deadline = any_i64(maker),
                                  .part_count = any_up_to(maker, ACCOUNT_HOLD_PARTS_MAX) };
}

/* Only the fields that its kind names. */
static void make_change(struct maker *maker, struct account_change *out)
{
    memset(out, 0, sizeof(*out));
    out->kind = (enum account_change_kind)(1 + random_below(maker->random, ACCOUNT_CHANGE_KIND_MAX));
    if (maker->largest)
        out->kind = CHANGE_HOLD_BEGUN;
    switch (out->kind) {
    case CHANGE_TALLY:
        out->which = any_from_one(maker, TALLY_KIND_MAX);
        out->id = any_u64(maker);
        out->period = any_day(maker);
        out->value = any_i64(maker);
        break;
    case CHANGE_MONTH:
        out->which = any_up_to(maker, TIER_BY_BALANCE);
        out->period = (int32_t)any_within(maker, 3000000);
        out->value = any_i64(maker);
        break;
    case CHANGE_MONTHS_KEPT:
        out->period = (int32_t)any_within(maker, 3000000);
        break;
    case CHANGE_TIER:
        make_tier(maker, &out->tier);
        break;
    case CHANGE_TAG:
        out->text = any_text(maker);
        out->value = any_bool(maker);
        break;
    case CHANGE_ACTIVATED:
        out->id = any_u64(maker);
        out->value = any_bool(maker);
        break;
    case CHANGE_PIN:
        out->pin.set = any_bool(maker);
        out->pin.wrong = (uint8_t)any_up_to(maker, PIN_TRIES);
        any_bytes(maker, out->pin.salt, sizeof(out->pin.salt));
        any_bytes(maker, out->pin.hash, sizeof(out->pin.hash));
        break;
    case CHANGE_PIN_WRONG:
        out->value = any_up_to(maker, PIN_TRIES);
        break;
    case CHANGE_HOLD_BEGUN:
        make_hold(maker, &out->hold);
        break;
    case CHANGE_HOLD_ENDED:
        out->position = any_u64(maker);
        break;
    case CHANGE_CARDS:
        out->value = any_i64(maker);
        break;
    case CHANGE_SUSPENSE:
        out->value = any_bool(maker);
        break;
    case CHANGE_CLOSED:
        break;
    case CHANGE_ABSORB:
        out->id = any_u64(maker);
        break;
    case CHANGE_STAMPS:
    case CHANGE_STAMPS_HELD:
    case CHANGE_ABSORBED:
        out->id = any_u64(maker);
        out->value = any_i64(maker);
        break;
    case CHANGE_LAST_PURCHASE:
        out->period = any_day(maker);
        out->value = any_i64(maker);
        out->which = any_u32(maker);
        out->id = any_u64(maker);
        break;
    }
}

static void make_effect(struct maker *maker, uint32_t index, struct effect *out)
{
    struct event_memory *arrays = &maker->room->arrays;
    *out = (struct effect){ .account = any_u64(maker),
                            .previous = any_u64(maker),
                            .change = any_i64(maker),
                            .balance = any_i64(maker),
                            .lifetime_change = any_i64(maker),
                            .debt_added = any_i64(maker),
                            .debt_settled = any_i64(maker),
                            .debt_forgiven = any_i64(maker),
                            .tier = any_bool(maker) ? any_u64(maker) : 0,
                            .lot_change_count = any_count(maker, EFFECT_LOT_CHANGES_MAX),
                            .lot_changes = arrays->lot_changes[index],
                            .change_count = any_count(maker, EFFECT_CHANGES_MAX),
                            .changes = arrays->changes[index] };
    for (uint32_t i = 0; i < out->lot_change_count; i++)
        make_lot_change(maker, &out->lot_changes[i]);
    for (uint32_t i = 0; i < out->change_count; i++)
        make_change(maker, &out->changes[i]);
}

/* Each part is there or not, as are the fields of it. */
static void make_parts(struct maker *maker, struct event *out)
{
    if (any_bool(maker)) {
        out->request.identity = any_u64(maker);
        out->request.epoch = any_u64(maker);
        out->request.number = any_u64(maker);
        any_bytes(maker, out->request.fingerprint, sizeof(out->request.fingerprint));
    }
    if (any_bool(maker)) {
        any_bytes(maker, out->content, sizeof(out->content));
        make_document(maker, &out->document);
        out->store = out->document.store;
        out->till = out->document.till;
    }
    if (any_bool(maker)) {
        out->store = any_text(maker);
        out->till = any_text(maker);
    }
    if (any_bool(maker))
        out->operator= any_text(maker);
    if (any_bool(maker)) {
        out->answer_type = (uint16_t)any_u64(maker);
        out->answer = any_text(maker);
    }
    if (any_bool(maker)) {
        out->suspense.number = any_text(maker);
        out->suspense.new_card = any_bool(maker);
    }
    if (any_bool(maker)) {
        out->waited.event = any_u64(maker);
        out->waited.previous = any_u64(maker);
        make_document(maker, &out->waited.sale);
    }
    if (any_bool(maker)) {
        out->raises = any_u32(maker);
        out->approves = any_u64(maker);
        out->approval_note = any_text(maker);
    }
}

void random_event(struct random *random, enum event_type type, enum random_event_size size,
                  struct random_event_room *room, struct event *out)
{
    struct maker maker = { random, room, size == RANDOM_EVENT_LARGEST };
    for (size_t i = 0; i < sizeof(room->letters); i++)
        room->letters[i] = (char)('!' + i);
    memset(out, 0, sizeof(*out));
    out->type = type;
    out->sequence = any_u64(&maker);
    out->time = any_i64(&maker);
    out->occurred = random_below(random, 2) == 0 ? out->time : any_i64(&maker);
    out->day = any_day(&maker);
    out->flags = any_u32(&maker);
    out->business_date = any_day(&maker);
    out->card = any_u64(&maker);
    make_parts(&maker, out);
    out->effect_count = any_count(&maker, EVENT_EFFECTS_MAX);
    for (uint32_t i = 0; i < out->effect_count; i++)
        make_effect(&maker, i, &out->effects[i]);
    make_detail(&maker, out);
}
