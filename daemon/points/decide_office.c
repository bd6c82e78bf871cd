#include "points/decide.h"

#include "points/decide_steps.h"
#include "points/effect_maker.h"

void decide_over_limit(struct decision *decision)
{
    decide_refuse(decision, REFUSAL_OVER_LIMIT, "%s", "it is more than an account can hold");
}

bool decide_reason(struct decision *decision, const struct programme *programme, struct text reason)
{
    for (uint32_t i = 0; i < programme->reason_count; i++) {
        if (text_equal(text_of(programme->reasons[i]), reason))
            return true;
    }
    decide_refuse(decision, REFUSAL_UNKNOWN_REASON, "%s", "");
    return false;
}

/* INT64_MAX: it has none. */
static int64_t limit_of_role(const struct role_limits *limits, struct text role)
{
    for (uint32_t i = 0; i < limits->count; i++) {
        if (text_equal(text_of(limits->of[i].role), role))
            return limits->of[i].most;
    }
    return INT64_MAX;
}

bool decide_within_role(struct decision *decision, const struct programme *programme,
                        const struct judgement *judgement, enum role_limit_kind kind, int64_t size)
{
    /* Goods that were taken back are back; what the office books has not happened before it is booked. */
    bool happened = kind == ROLE_LIMIT_UNLINKED && (judgement->flags & EVENT_FLAG_ADVICE) != 0;
    if (judgement->approved || happened || text_equal(judgement->role, TEXT_LITERAL("admin")) ||
        size <= limit_of_role(&programme->role_limits[kind], judgement->role))
        return true;
    decide_refuse(decision, REFUSAL_NEEDS_APPROVAL, "%s", "");
    return false;
}

/* Adds them as a lot that counts for no tier. */
static bool adjust_up(struct maker *maker, const struct programme *programme, millipoints points)
{
    struct lot_terms terms = added_terms(programme, maker->today);
    millipoints settled;
    uint32_t lot;
    return maker_give(maker, programme, points, &terms, &settled, &lot);
}

/* Takes free points; what they are short of is debt. */
static void adjust_down(struct maker *maker, millipoints points)
{
    millipoints taken = maker_take_free(maker, points);
    if (taken < points)
        maker_owe(maker, points - taken);
}

void decide_adjust(const struct points_view *view, const struct judgement *judgement,
                   const struct adjust_request *request, struct decision *decision)
{
    millipoints points = request->points;
    PUNKT_CHECK(points != 0 && points >= -MILLIPOINTS_MAX && points <= MILLIPOINTS_MAX);
    decide_begin(view, judgement, EVENT_ADJUSTMENT, 0, decision);
    struct event *event = &decision->event;
    event->operator= request->operator;
    event->adjustment.points = points;
    event->adjustment.reason = request->reason;
    event->adjustment.note = request->note;
    const struct programme *programme = programme_at(view, judgement->now);
    if (!decide_card(view, judgement, decision, 0, request->card, CARD_USE_OFFICE) ||
        !decide_reason(decision, programme, request->reason))
        return;
    local_day today = decide_today(view, judgement);
    millipoints available = account_free(&decision->sides[0].before, today);
    if (points < 0 && available < -points && !request->allow_debt) {
        decide_refuse_points(decision, -points, available);
        return;
    }
    millipoints size = points < 0 ? -points : points;
    millipoints owed = points < 0 ? i64_max(size - available, 0) : 0;
    if (!decide_within_role(decision, programme, judgement, ROLE_LIMIT_ADJUST, size) ||
        !decide_within_role(decision, programme, judgement, ROLE_LIMIT_DEBT, owed))
        return;
    struct maker maker = maker_begin(decision, 0, today);
    bool fits = points < 0 || adjust_up(&maker, programme, points);
    if (points < 0)
        adjust_down(&maker, -points);
    maker_tier(&maker, programme);
    if (!fits || !maker_end(&maker, 0))
        decide_over_limit(decision);
}

void decide_bonus(const struct points_view *view, const struct judgement *judgement,
                  const struct bonus_request *request, struct decision *decision)
{
    PUNKT_CHECK(request->points > 0 && request->points <= MILLIPOINTS_MAX);
    decide_begin(view, judgement, EVENT_BONUS, 0, decision);
    const struct programme *programme = programme_at(view, judgement->now);
    struct event *event = &decision->event;
    event->operator= request->operator;
    event->bonus.points = request->points;
    event->bonus.reason = request->reason;
    event->bonus.note = request->note;
    event->bonus.programme_version = programme->version;
    if (!decide_card(view, judgement, decision, 0, request->card, CARD_USE_OFFICE) ||
        !decide_reason(decision, programme, request->reason) ||
        !decide_within_role(decision, programme, judgement, ROLE_LIMIT_ADJUST, request->points))
        return;
    struct maker maker = maker_begin(decision, 0, decide_today(view, judgement));
    bool fits = maker_bonus(&maker, programme, request->points);
    maker_tier(&maker, programme);
    if (!fits || !maker_end(&maker, 0))
        decide_over_limit(decision);
}

void decide_write_off(const struct points_view *view, const struct judgement *judgement,
                      const struct write_off_request *request, struct decision *decision)
{
    PUNKT_CHECK(request->points >= 0);
    decide_begin(view, judgement, EVENT_WRITE_OFF, 0, decision);
    const struct programme *programme = programme_at(view, judgement->now);
    struct event *event = &decision->event;
    event->operator= request->operator;
    event->write_off.reason = request->reason;
    event->write_off.note = request->note;
    /* Any status: who closed the last card may owe, and only this ends it. */
    if (!decide_card(view, judgement, decision, 0, request->card, CARD_USE_RETURN) ||
        !decide_reason(decision, programme, request->reason))
        return;
    millipoints debt = decision->sides[0].before.debt;
    if (debt == 0) {
        decide_refuse(decision, REFUSAL_NOTHING_TO_DO, "%s", "nothing is owed");
        return;
    }
    event->write_off.points = request->points == 0 ? debt : i64_min(request->points, debt);
    if (!decide_within_role(decision, programme, judgement, ROLE_LIMIT_DEBT, event->write_off.points))
        return;
    struct maker maker = maker_begin(decision, 0, decide_today(view, judgement));
    maker_forgive(&maker, event->write_off.points);
    maker_tier(&maker, programme);
    if (!maker_end(&maker, 0))
        decide_over_limit(decision);
}
