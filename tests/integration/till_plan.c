#include "till_plan.h"

#include <limits.h>
#include <string.h>

#include "../unit/random.h"

#define RECENT 60u /* acts among which a purchase to undo is looked for */
#define RANDOM_SALT UINT64_C(0x9E3779B97F4A7C15)

static enum till_kind kind_by_chance(struct random *random)
{
    static const struct {
        unsigned below;
        enum till_kind kind;
    } chances[] = {
        { 66, TILL_PURCHASE }, { 75, TILL_RETURN }, { 84, TILL_REDEEM }, { 93, TILL_HOLD }, { 100, TILL_VOID }
    };
    uint64_t chance = random_below(random, 100);
    size_t i = 0;
    while (chance >= chances[i].below)
        i++;
    return chances[i].kind;
}

static enum till_kind kind_by_letter(char letter)
{
    static const char letters[] = "prdhclv";
    const char *found = strchr(letters, letter);
    return found != NULL ? (enum till_kind)(found - letters) : TILL_PURCHASE;
}

static enum till_kind kind_of(const struct till_plan *plan, const struct till_list *list, uint64_t seq,
                              struct random *random)
{
    const char *script = plan->script;
    const struct till_act *last = till_list_act(list, seq - 1);
    if (script != NULL && seq <= strlen(script))
        return kind_by_letter(script[seq - 1]);
    if (last != NULL && last->kind == TILL_HOLD && last->told == TILL_DONE)
        return random_below(random, 3) == 0 ? TILL_RELEASE : TILL_CAPTURE;
    return kind_by_chance(random);
}

/* The newest purchase or hold, from `from` back, that stands and that nothing was done about; 0: none near.
 * */
static uint64_t find_standing(const struct till_list *list, uint64_t from, enum till_kind kind,
                              unsigned cards, int64_t wish_max)
{
    for (uint64_t seq = from; seq >= 1 && from - seq < RECENT; seq--) {
        const struct till_act *act = till_list_act(list, seq);
        if (act->kind == kind && !act->undone && act->card < cards && act->wish <= wish_max &&
            (act->told == TILL_DONE || (act->told == TILL_QUEUED && kind == TILL_PURCHASE)))
            return seq;
    }
    return 0;
}

struct till_act till_plan_next(const struct till_plan *plan, const struct till_list *list)
{
    uint64_t seq = list->count + 1;
    struct random random = { plan->seed + seq * RANDOM_SALT };
    struct till_act act = { .seq = seq, .kind = kind_of(plan, list, seq, &random) };
    act.card = (unsigned)random_below(&random, plan->cards);
    act.amount = 100 + 100 * (int64_t)random_below(&random, 90);
    if (act.kind == TILL_REDEEM || act.kind == TILL_HOLD)
        act.amount = 1 + (int64_t)random_below(&random, 30);
    if (act.kind == TILL_PURCHASE && plan->strangers && random_below(&random, 40) == 0)
        act.card = plan->cards + (unsigned)random_below(&random, TILL_STRANGERS);
    if (act.kind == TILL_PURCHASE && plan->wishes && random_below(&random, 4) == 0)
        act.wish = 1 + (int64_t)random_below(&random, (uint64_t)act.amount / 100);
    if (act.kind == TILL_PURCHASE || act.kind == TILL_REDEEM || act.kind == TILL_HOLD)
        return act;
    bool of_hold = act.kind == TILL_CAPTURE || act.kind == TILL_RELEASE;
    uint64_t back = seq == 1 || of_hold ? 0 : random_below(&random, seq < 10 ? seq : 10);
    act.refers =
        find_standing(list, seq - 1 - back, of_hold ? TILL_HOLD : TILL_PURCHASE,
                      act.kind == TILL_VOID ? UINT_MAX : plan->cards, act.kind == TILL_VOID ? INT64_MAX : 0);
    if (act.refers == 0) {
        act.kind = TILL_PURCHASE; /* nothing is there to be undone */
        return act;
    }
    const struct till_act *undone = till_list_act(list, act.refers);
    act.card = undone->card;
    act.amount = undone->amount;
    if (act.kind == TILL_RETURN && random_below(&random, 2) == 0)
        act.amount = 100 * (1 + (int64_t)random_below(&random, (uint64_t)undone->amount / 100));
    return act;
}
