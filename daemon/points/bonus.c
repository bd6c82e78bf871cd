#include "points/effect_maker.h"

struct lot_terms bonus_terms(const struct programme *programme, local_day today)
{
    struct lot_terms terms = award_terms(programme, today);
    terms.by_purchase = false;
    terms.counts = true;
    return terms;
}

bool maker_bonus(struct maker *maker, const struct programme *programme, millipoints points)
{
    struct lot_terms terms = bonus_terms(programme, maker->today);
    millipoints settled;
    uint32_t lot;
    return maker_give(maker, programme, points, &terms, &settled, &lot);
}
