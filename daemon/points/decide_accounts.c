#include "points/decide.h"

#include "points/decide_steps.h"
#include "points/effect_maker.h"

void decide_join(const struct points_view *view, const struct judgement *judgement, struct decision *decision,
                 account_number other, int64_t cards)
{
    if (other != 0 && !decide_account(view, judgement, decision, 1, other))
        return;
    PUNKT_CHECK(other == 0 || decision->sides[1].before.number != decision->sides[0].before.number);
    const struct programme *programme = programme_at(view, judgement->now);
    local_day today = decide_today(view, judgement);
    struct maker account = maker_begin(decision, 0, today);
    if (cards != 0)
        maker_change(&account, &(struct account_change){ .kind = CHANGE_CARDS, .value = cards });
    millipoints lifetime = 0;
    bool fits = true;
    if (other != 0) {
        struct maker source = maker_begin(decision, 1, today);
        lifetime = source.before->lifetime;
        fits = maker_absorb(&account, &source, programme);
        if (fits && source.before->suspense)
            maker_change(&source, &(struct account_change){ .kind = CHANGE_SUSPENSE, .value = 0 });
        fits = fits && maker_end(&source, -lifetime);
    }
    if (!fits || !maker_end(&account, lifetime))
        decide_over_limit(decision);
}

/* Looks up the cards of both sides; of two refusals the one of higher precedence is the answer. */
static bool two_cards(const struct points_view *view, const struct judgement *judgement,
                      struct decision *decision, struct text number, struct text other)
{
    if (decide_card(view, judgement, decision, 0, number, CARD_USE_OFFICE))
        return decide_card(view, judgement, decision, 1, other, CARD_USE_OFFICE);
    enum refusal first = decision->refusal;
    if (first != REFUSAL_DAY_FIRST &&
        (decide_card(view, judgement, decision, 1, other, CARD_USE_OFFICE) || decision->refusal > first))
        decide_refuse(decision, first, "%s", "");
    return false;
}

void decide_merge(const struct points_view *view, const struct judgement *judgement,
                  const struct merge_request *request, struct decision *decision)
{
    decide_begin(view, judgement, EVENT_MERGE, 0, decision);
    struct event *event = &decision->event;
    event->operator= request->operator;
    event->merge.reason = request->reason;
    if (!two_cards(view, judgement, decision, request->to_card, request->from_card))
        return;
    event->merge.target = decision->sides[0].before.number;
    event->merge.source = decision->sides[1].before.number;
    /* Merged before: repeating it changes nothing. */
    if (event->merge.source != event->merge.target)
        decide_join(view, judgement, decision, event->merge.source, 0);
}

/* What was taken of the lots of one account goes into the other, with its dates. */
static bool give_taken(const struct decision *decision, struct maker *to, const struct programme *programme)
{
    const struct effect *taken = &decision->event.effects[0];
    for (uint32_t i = 0; i < taken->lot_change_count; i++) {
        const struct lot_change *take = &taken->lot_changes[i];
        PUNKT_CHECK(take->kind == LOT_TAKE);
        struct lot_terms terms = { .inactive_months = take->inactive_months,
                                   .earned = take->earned,
                                   .matures = take->matures,
                                   .last_day = take->last_day };
        millipoints settled;
        uint32_t into;
        if (!maker_give(to, programme, take->points, &terms, &settled, &into))
            return false;
    }
    return true;
}

void decide_transfer(const struct points_view *view, const struct judgement *judgement,
                     const struct transfer_request *request, struct decision *decision)
{
    PUNKT_CHECK(request->points > 0 && request->points <= MILLIPOINTS_MAX);
    decide_begin(view, judgement, EVENT_TRANSFER, 0, decision);
    const struct programme *programme = programme_at(view, judgement->now);
    struct event *event = &decision->event;
    event->operator= request->operator;
    event->transfer.points = request->points;
    event->transfer.reason = request->reason;
    event->transfer.note = request->note;
    if (!two_cards(view, judgement, decision, request->from_card, request->to_card))
        return;
    if (decision->sides[0].before.number == decision->sides[1].before.number) {
        decide_refuse(decision, REFUSAL_SAME_ACCOUNT, "%s", "");
        return;
    }
    /* A customer's own wish needs no reason. */
    if (request->reason.size > 0 && !decide_reason(decision, programme, request->reason))
        return;
    local_day today = decide_today(view, judgement);
    millipoints available = account_free(&decision->sides[0].before, today);
    if (available < request->points) {
        decide_refuse_points(decision, request->points, available);
        return;
    }
    if (!decide_within_role(decision, programme, judgement, ROLE_LIMIT_ADJUST, request->points))
        return;
    struct maker from = maker_begin(decision, 0, today);
    struct maker to = maker_begin(decision, 1, today);
    PUNKT_CHECK(maker_take_free(&from, request->points) == request->points);
    bool fits = give_taken(decision, &to, programme);
    maker_tier(&from, programme);
    maker_tier(&to, programme);
    if (!fits || !maker_end(&from, 0) || !maker_end(&to, 0))
        decide_over_limit(decision);
}

/* Begins an act that changes no points. False: refused. */
static bool begin_act(const struct points_view *view, const struct judgement *judgement,
                      struct decision *decision, enum event_type type, struct text card, enum card_use use)
{
    decide_begin(view, judgement, type, 0, decision);
    return decide_card(view, judgement, decision, 0, card, use);
}

static void end_act(struct decision *decision, struct maker *maker)
{
    if (!maker_end(maker, 0))
        decide_over_limit(decision);
}

static void change_tag(struct maker *maker, struct text tag, bool set)
{
    PUNKT_CHECK(tag.size > 0 && tag.size <= sizeof(((struct account_tag *)NULL)->text));
    if (account_has_tag(maker->after, tag.data, tag.size) != set)
        maker_change(maker, &(struct account_change){ .kind = CHANGE_TAG, .value = set, .text = tag });
}

static bool tags_named(const struct text *tags, uint32_t count, struct decision *decision)
{
    for (uint32_t i = 0; i < count; i++) {
        if (tags[i].size > 0)
            continue;
        decide_refuse(decision, REFUSAL_OVER_LIMIT, "%s", "a tag has a name");
        return false;
    }
    return true;
}

void decide_tag(const struct points_view *view, const struct judgement *judgement,
                const struct tag_request *request, struct decision *decision)
{
    PUNKT_CHECK(request->set_count <= ACCOUNT_TAGS_MAX && request->clear_count <= ACCOUNT_TAGS_MAX);
    if (!begin_act(view, judgement, decision, EVENT_TAGS, request->card, CARD_USE_OFFICE))
        return;
    decision->event.operator= request->operator;
    if (!tags_named(request->clear, request->clear_count, decision) ||
        !tags_named(request->set, request->set_count, decision))
        return;
    struct maker maker = maker_begin(decision, 0, decide_today(view, judgement));
    for (uint32_t i = 0; i < request->clear_count; i++)
        change_tag(&maker, request->clear[i], false);
    for (uint32_t i = 0; i < request->set_count; i++) {
        const struct text *tag = &request->set[i];
        if (maker.after->tag_count == ACCOUNT_TAGS_MAX &&
            !account_has_tag(maker.after, tag->data, tag->size)) {
            decide_refuse(decision, REFUSAL_OVER_LIMIT, "an account has at most %d tags", ACCOUNT_TAGS_MAX);
            return;
        }
        change_tag(&maker, *tag, true);
    }
    end_act(decision, &maker);
}

void decide_activate(const struct points_view *view, const struct judgement *judgement,
                     const struct activate_request *request, struct decision *decision)
{
    if (!begin_act(view, judgement, decision, EVENT_ACTIVATION, request->card, CARD_USE_OFFICE))
        return;
    decision->event.operator= request->operator;
    const struct programme *programme = programme_at(view, judgement->now);
    local_day today = decide_today(view, judgement);
    const struct offer *offer = programme_offer(programme, request->offer);
    if (offer == NULL) {
        decide_refuse(decision, REFUSAL_UNKNOWN_OFFER, "%s", "");
        return;
    }
    if (!offer->activate || (!request->off && offer->period.through < today)) {
        decide_refuse(decision, REFUSAL_NOT_OFFERED, "%s",
                      offer->activate ? "the offer is over" : "the offer needs no activation");
        return;
    }
    struct maker maker = maker_begin(decision, 0, today);
    if (account_has_activated(maker.after, offer->id) == request->off)
        maker_change(&maker, &(struct account_change){
                                 .kind = CHANGE_ACTIVATED, .id = offer->id, .value = !request->off });
    end_act(decision, &maker);
}

void decide_pin_set(const struct points_view *view, const struct judgement *judgement,
                    const struct pin_set_request *request, struct decision *decision)
{
    if (!begin_act(view, judgement, decision, EVENT_PIN_SET, request->card, CARD_USE_OFFICE))
        return;
    decision->event.operator= request->operator;
    struct account_change change = { .kind = CHANGE_PIN };
    if (request->pin.set)
        change.pin = request->pin;
    change.pin.wrong = 0;
    struct maker maker = maker_begin(decision, 0, decide_today(view, judgement));
    maker_change(&maker, &change);
    end_act(decision, &maker);
}

void decide_pin_try(const struct points_view *view, const struct judgement *judgement,
                    const struct pin_try_request *request, struct decision *decision)
{
    if (!begin_act(view, judgement, decision, EVENT_PIN_TRY, request->card, CARD_USE_SPEND))
        return;
    const struct account_pin *pin = &decision->sides[0].before.pin;
    if (!pin->set) {
        decide_refuse(decision, REFUSAL_NOTHING_TO_DO, "%s", "the account has no PIN");
        return;
    }
    if (pin->wrong >= PIN_TRIES && !request->right) {
        decide_refuse(decision, REFUSAL_PIN_LOCKED, "%s", "");
        return;
    }
    struct maker maker = maker_begin(decision, 0, decide_today(view, judgement));
    maker_change(&maker, &(struct account_change){ .kind = CHANGE_PIN_WRONG,
                                                   .value = request->right ? 0 : pin->wrong + 1 });
    end_act(decision, &maker);
}
