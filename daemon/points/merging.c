#include "points/decide_steps.h"
#include "points/effect_maker.h"

bool maker_absorb(struct maker *target, struct maker *source, const struct programme *programme)
{
    PUNKT_CHECK(source->after->number != target->after->number);
    uint32_t offset = target->after->next_lot - 1;
    if (!account_absorb(target->after, source->after, offset))
        return false;
    maker_change(target, &(struct account_change){ .kind = CHANGE_ABSORB, .id = source->after->number });
    if (tier_step(programme, source->after) > tier_step(programme, target->after))
        maker_change(target, &(struct account_change){ .kind = CHANGE_TIER, .tier = source->after->tier });
    maker_change(source, &(struct account_change){
                             .kind = CHANGE_ABSORBED, .id = target->after->number, .value = offset });
    maker_settle(target);
    maker_tier(target, programme);
    return true;
}

void decide_join(const struct points_view *view, const struct judgement *judgement, struct decision *decision,
                 account_number other, int64_t cards)
{
    if (other != 0 && !decide_account(view, judgement, decision, 1, other))
        return;
    const struct programme *programme = programme_at(view, judgement->now);
    local_day today = decide_today(view, judgement);
    struct maker account = maker_begin(decision, 0, today);
    if (cards != 0)
        maker_change(&account, &(struct account_change){ .kind = CHANGE_CARDS, .value = cards });
    millipoints lifetime = 0;
    bool fits = true;
    if (other != 0) {
        struct maker source = maker_begin(decision, 1, today);
        lifetime = source.after->lifetime;
        fits = maker_absorb(&account, &source, programme) && maker_end(&source, -lifetime);
    }
    if (!fits || !maker_end(&account, lifetime))
        decide_over_limit(decision);
}
