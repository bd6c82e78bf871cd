/* Goods that are bought and brought back, by the oracle (DOMAIN.md, Earning, Returning goods, Undoing). */
#include <string.h>

#include "oracle_steps.h"

#include "world.h"

/* --- purchases --- */

static int64_t paid_by(const struct oracle_receipt *receipt, const struct oracle_spend *spend)
{
    bool is_line = spend->wish.line > 0 && receipt->lines[spend->wish.line - 1].kind == LINE_OF_REWARD;
    bool money = spend->kind == FOR_MONEY || spend->kind == FOR_PERCENT;
    return spend->kind == 0 || (money && !is_line) ? spend->worth : 0;
}

/* A purchase on its way. */
struct buying {
    struct oracle *oracle;
    const struct oracle_receipt *receipt;
    const struct oracle_programme *then;
    size_t account;
    struct oracle_purchase *purchase;
    unsigned spend_count;
    struct oracle_spend spends[ORACLE_WISHES];
    int64_t paid;
    struct oracle_answer *out;
};

static bool take_wish(struct buying *buying, const struct oracle_wish *wish)
{
    struct oracle *oracle = buying->oracle;
    struct oracle_account *account = oracle->accounts[buying->account];
    int64_t bill = oracle_max(buying->receipt->amount - buying->paid, 0);
    struct oracle_spend *spend = &buying->spends[buying->spend_count];
    *spend = (struct oracle_spend){ .wish = *wish, .account = buying->account };
    if (wish->hold != ORACLE_NONE) {
        if (oracle_take_hold(oracle, buying->account, wish->hold, wish->points, bill, buying->receipt,
                             wish->line, buying->then, buying->purchase->day, spend,
                             buying->out) != RESULT_DONE)
            return false;
        spend->wish.hold = wish->hold;
    } else {
        if (oracle_price(oracle, account, buying->receipt, bill, buying->then, buying->purchase->day, true,
                         spend, buying->out) != RESULT_DONE)
            return false;
        oracle_pay(oracle, account, spend);
    }
    buying->spend_count++;
    buying->paid += paid_by(buying->receipt, spend);
    return true;
}

static bool take_wishes(struct buying *buying, bool captures, bool directs)
{
    for (unsigned i = 0; i < buying->receipt->wish_count; i++) {
        const struct oracle_wish *wish = &buying->receipt->wishes[i];
        if ((wish->hold != ORACLE_NONE ? captures : directs) && !take_wish(buying, wish))
            return false;
    }
    return true;
}

/* What direct wishes will pay, which are taken after the award. */
static int64_t price_wishes(const struct buying *buying)
{
    const struct oracle_receipt *receipt = buying->receipt;
    int64_t paid = buying->paid;
    for (unsigned i = 0; i < receipt->wish_count; i++) {
        struct oracle_spend spend = { .wish = receipt->wishes[i], .account = buying->account };
        struct oracle_answer ignored;
        if (spend.wish.hold != ORACLE_NONE)
            continue;
        (void)oracle_price(buying->oracle, buying->oracle->accounts[buying->account], receipt,
                           oracle_max(receipt->amount - paid, 0), buying->then, buying->purchase->day, false,
                           &spend, &ignored);
        paid += paid_by(receipt, &spend);
    }
    return paid;
}

static void give_award(struct buying *buying)
{
    struct oracle_purchase *purchase = buying->purchase;
    struct oracle_lot terms = oracle_award_lot(buying->then, purchase->day);
    terms.by_purchase = true;
    purchase->matures = terms.matures;
    purchase->last_day = terms.last_day;
    if (purchase->award.earned > 0)
        purchase->lot = oracle_give(buying->oracle, buying->oracle->accounts[buying->account], &terms,
                                    purchase->award.earned, &purchase->settled);
}

static void count(struct buying *buying)
{
    struct oracle_account *account = buying->oracle->accounts[buying->account];
    const struct oracle_purchase *purchase = buying->purchase;
    const struct oracle_award *award = &purchase->award;
    for (unsigned i = 0; i < buying->then->offer_count; i++) {
        if (purchase->offer_use[i].counted)
            oracle_count(account, TALLY_OF_OFFER, i, purchase->offer_use[i].period, 1);
    }
    if (purchase->cap_day.counted)
        oracle_count(account, TALLY_OF_DAY, 0, purchase->cap_day.period, award->earned);
    if (purchase->cap_month.counted)
        oracle_count(account, TALLY_OF_MONTH, 0, purchase->cap_month.period, award->earned);
    for (unsigned i = 0; i < award->part_count; i++) {
        const struct oracle_part *part = &award->parts[i];
        if (part->kind == PART_OF_OFFER && buying->then->offers[part->index].kind == GIVE_STAMP)
            account->stamps[buying->then->offers[part->index].purse] += part->result;
    }
    oracle_count_tier(buying->oracle, account, BASIS_SPEND, purchase->day, award->base);
    oracle_count_tier(buying->oracle, account, BASIS_VISITS, purchase->day, award->earned > 0);
    account->lifetime += award->earned;
    if (buying->receipt->time_us > account->last_purchase_us) {
        account->last_purchase_us = buying->receipt->time_us;
        account->last_purchase_day = purchase->day;
    }
}

/* Redemptions before the award; with spend_earned only captures, and the others behind it. */
static bool book(struct buying *buying)
{
    bool earn_first = buying->then->spend_earned;
    if (!take_wishes(buying, true, !earn_first))
        return false;
    int64_t paid = earn_first ? price_wishes(buying) : buying->paid;
    oracle_rate(buying->oracle, buying->then, buying->oracle->accounts[buying->account], paid,
                buying->purchase);
    give_award(buying);
    if (earn_first && !take_wishes(buying, false, true))
        return false;
    count(buying);
    oracle_end_event(buying->oracle, buying->oracle->accounts[buying->account]);
    return true;
}

/* The purchase and what it spent stay on record. */
static size_t keep_purchase(struct buying *buying)
{
    struct oracle *oracle = buying->oracle;
    struct oracle_purchase *kept =
        oracle_add((void ***)&oracle->purchases, &oracle->purchase_count, sizeof(*kept));
    *kept = *buying->purchase;
    kept->spend_count = buying->spend_count;
    for (unsigned i = 0; i < buying->spend_count; i++) {
        struct oracle_spend *spend =
            oracle_add((void ***)&oracle->spends, &oracle->spend_count, sizeof(*spend));
        *spend = buying->spends[i];
        kept->spends[i] = oracle->spend_count - 1;
        spend->own = ORACLE_NONE;
        spend->sale = oracle->purchase_count - 1;
        if (spend->wish.hold != ORACLE_NONE)
            oracle->holds[spend->wish.hold]->captured_by = oracle->spend_count - 1;
    }
    return oracle->purchase_count - 1;
}

static void fill_answer(const struct buying *buying)
{
    struct oracle_answer *out = buying->out;
    oracle_balance(buying->oracle, buying->oracle->accounts[buying->account], out);
    out->earned = buying->purchase->award.earned;
    out->paid = buying->purchase->paid;
    out->tier = buying->purchase->tier;
    for (unsigned i = 0; i < buying->spend_count; i++)
        out->redeemed += buying->spends[i].points;
}

static bool spends_directly(const struct oracle_receipt *receipt)
{
    for (unsigned i = 0; i < receipt->wish_count; i++) {
        if (receipt->wishes[i].hold == ORACLE_NONE)
            return true;
    }
    return false;
}

void oracle_buy(struct oracle *oracle, const struct oracle_receipt *receipt, bool book_it,
                struct oracle_answer *out, size_t *out_purchase)
{
    struct oracle_purchase purchase = { .receipt = *receipt };
    struct buying buying = { .oracle = oracle,
                             .receipt = receipt,
                             .then = oracle_then(oracle, receipt->time_us),
                             .account = oracle_find(oracle, receipt->card, USE_TO_EARN, out),
                             .purchase = &purchase,
                             .out = out };
    if (buying.account != ORACLE_NONE && spends_directly(receipt))
        buying.account = oracle_find(oracle, receipt->card, USE_TO_SPEND, out);
    if (buying.account == ORACLE_NONE)
        return;
    struct oracle_account before = *oracle->accounts[buying.account];
    int64_t given_out[ORACLE_REWARDS];
    memcpy(given_out, oracle->given_out, sizeof(given_out));
    bool held[ORACLE_WISHES];
    for (unsigned i = 0; i < receipt->wish_count; i++)
        held[i] =
            receipt->wishes[i].hold != ORACLE_NONE && oracle->holds[receipt->wishes[i].hold]->state == HELD;
    purchase.account = buying.account;
    purchase.version = (unsigned)(buying.then - oracle->versions);
    purchase.day = oracle_day(buying.then, receipt->time_us, NULL);
    bool done = book(&buying);
    if (done)
        fill_answer(&buying);
    if (done && book_it) {
        *out_purchase = keep_purchase(&buying);
        return;
    }
    *oracle->accounts[buying.account] = before;
    memcpy(oracle->given_out, given_out, sizeof(given_out));
    for (unsigned i = 0; i < receipt->wish_count; i++) {
        if (held[i])
            oracle->holds[receipt->wishes[i].hold]->state = HELD;
    }
}

/* --- what is left of goods --- */

/* A line as it comes back: its amount less its share of what was taken off. */
void oracle_nets_of(const struct oracle_receipt *receipt, int64_t nets[ORACLE_LINES],
                    int64_t units[ORACLE_LINES])
{
    static const struct oracle_programme plain = { .worth_points = 1 };
    memset(nets, 0, ORACLE_LINES * sizeof(nets[0]));
    memset(units, 0, ORACLE_LINES * sizeof(units[0]));
    oracle_bases(&plain, receipt, 0, nets);
    units[0] = receipt->line_count == 0 ? 1000 : 0;
    for (unsigned i = 0; i < receipt->line_count; i++) {
        const struct oracle_line *line = &receipt->lines[i];
        if (line->kind == LINE_OF_DEPOSIT)
            nets[i] = line->amount;
        if (line->kind == LINE_OF_SALE || line->kind == LINE_OF_DEPOSIT)
            units[i] = line->units;
    }
}

/* Whether what is asked for is there. */
static enum result judge_lines(const struct oracle_purchase *sale, const int64_t units[ORACLE_LINES],
                               const int64_t asked[ORACLE_LINES])
{
    enum result result = RESULT_DONE;
    for (unsigned i = 0; i < ORACLE_LINES; i++) {
        if (asked[i] > 0 && units[i] == 0)
            return RESULT_UNKNOWN_LINE;
        if (asked[i] > units[i] - sale->back.units[i])
            result = RESULT_MORE_THAN_SOLD;
    }
    return result;
}

static bool any_line(const int64_t asked[ORACLE_LINES])
{
    for (unsigned i = 0; i < ORACLE_LINES; i++) {
        if (asked[i] > 0)
            return true;
    }
    return false;
}

/* What comes back, into *now, and what is left then. */
static enum result work_out(const struct oracle_purchase *sale, const int64_t asked[ORACLE_LINES],
                            int64_t amount, struct oracle_back *now, struct oracle_left *left)
{
    int64_t nets[ORACLE_LINES], units[ORACLE_LINES];
    int64_t before = 0, after = 0, named = 0;
    bool by_lines = any_line(asked);
    bool by_amount = !by_lines || sale->back.by_amount > 0;
    oracle_nets_of(&sale->receipt, nets, units);
    enum result result = judge_lines(sale, units, asked);
    if (result != RESULT_DONE)
        return result;
    *left = (struct oracle_left){ .rest = oracle_goods_of(&sale->receipt, sale->line_base),
                                  .nothing = true,
                                  .nothing_sold = true };
    for (unsigned i = 0; i < ORACLE_LINES; i++) {
        if (units[i] == 0)
            continue;
        int64_t there = units[i] - (sale->back.units[i] - sale->back.units_by_amount[i]);
        int64_t rest = by_amount ? there : there - asked[i];
        int64_t all = units[i] - sale->back.units[i];
        before += oracle_part_of(nets[i], there, units[i]);
        after += oracle_part_of(nets[i], rest, units[i]);
        named += oracle_part_of(nets[i], all, units[i]) - oracle_part_of(nets[i], all - asked[i], units[i]);
        left->sold += nets[i];
        left->units[i] = all - asked[i];
        left->nothing = left->nothing && left->units[i] == 0;
        left->nothing_sold = left->nothing_sold && (left->units[i] == 0 || !left->rest.lines[i].sale);
        left->rest.lines[i].base = oracle_part_of(left->rest.lines[i].base, rest, units[i]);
        left->rest.lines[i].units = rest;
        now->units[i] = asked[i];
        now->units_by_amount[i] = by_amount ? asked[i] : 0;
    }
    int64_t payable = before - sale->back.by_amount;
    left->amount = !by_amount  ? before - after
                   : !by_lines ? amount
                               : oracle_max(oracle_min(named, payable), 0);
    if (by_amount && left->amount > 0 && left->amount > payable)
        return RESULT_MORE_THAN_SOLD;
    now->by_amount = by_amount ? left->amount : 0;
    int64_t by_amounts = sale->back.by_amount + now->by_amount;
    left->came_back = left->sold - (after - by_amounts);
    if (by_amounts == 0)
        return RESULT_DONE;
    left->rest.before = after;
    left->rest.left = after - by_amounts;
    if (left->rest.left == 0)
        left->nothing = left->nothing_sold = true;
    return RESULT_DONE;
}

/* --- what that takes --- */

/* What is due and was counted, against what the rest keeps; left NULL: nothing is left. */
static void sums_back(const struct oracle *oracle, const struct oracle_purchase *sale,
                      const struct oracle_left *left, struct oracle_back *now)
{
    const struct oracle_programme *then = &oracle->versions[sale->version];
    struct oracle_rest kept = { 0 };
    bool nothing = left == NULL || left->nothing;
    if (!nothing)
        kept = oracle_rate_rest(then, sale, &left->rest);
    now->due = oracle_max(sale->award.earned - sale->back.due - kept.points, 0);
    now->base = oracle_max(sale->award.base - sale->back.base - kept.base, 0);
    now->visit = !sale->back.visit && (nothing || left->nothing_sold);
    now->uses = oracle_uses(then, sale) & ~kept.gives & ~sale->back.uses;
    for (unsigned i = 0; i < sale->award.part_count; i++) {
        const struct oracle_part *part = &sale->award.parts[i];
        if (part->kind == PART_OF_OFFER && then->offers[part->index].kind == GIVE_STAMP)
            now->stamps[i] = oracle_max(part->result - sale->back.stamps[i] - kept.stamps[i], 0);
    }
}

static bool is_thing(const struct oracle_spend *spend)
{
    return spend->kind == FOR_ITEM || spend->kind == FOR_VOUCHER || spend->kind == FOR_GIFT;
}

/* Down to the smallest part of it that there is. */
static int64_t share_of(const struct oracle_left *left, int64_t spent, int64_t smallest)
{
    if (left == NULL || left->nothing)
        return spent;
    if (left->sold <= 0)
        return 0;
    int64_t came_back = oracle_min(oracle_max(left->came_back, 0), left->sold);
    int64_t share = oracle_part_of(spent, came_back, left->sold);
    return share - share % smallest;
}

/* Of a thing: what it cost, less the cost of what stays. */
static void thing_back(struct oracle *oracle, const struct oracle_purchase *sale,
                       const struct oracle_left *left, struct oracle_spend *spend, int64_t *inout_given)
{
    int64_t stay = spend->wish.quantity;
    int64_t units = 0;
    if (left != NULL && spend->wish.line == 0)
        return;
    for (unsigned i = 0; left != NULL && i < sale->receipt.line_count; i++) {
        if (sale->receipt.lines[i].article == sale->receipt.lines[spend->wish.line - 1].article)
            units += left->units[i];
    }
    stay = left == NULL ? 0 : oracle_min((units + 999) / 1000, stay);
    int64_t paid = (spend->wish.quantity + spend->per - 1) / spend->per;
    int64_t due = (stay + spend->per - 1) / spend->per;
    int64_t points = spend->points - oracle_part_of(spend->points, due, paid) - spend->back.points;
    int64_t stamps = spend->stamps - oracle_part_of(spend->stamps, due, paid) - spend->back.stamps;
    int64_t quantity = spend->wish.quantity - stay - spend->back.quantity;
    *inout_given += oracle_max(points, 0);
    oracle_unspend(oracle, spend, oracle_max(points, 0), oracle_max(stamps, 0), oracle_max(quantity, 0));
}

/* What was spent on it comes back, last spent first. Returns the points. */
static int64_t give_spent(struct oracle *oracle, const struct oracle_purchase *sale,
                          const struct oracle_left *left)
{
    const struct oracle_programme *then = &oracle->versions[sale->version];
    bool all = left == NULL || left->nothing || (left->sold > 0 && left->came_back >= left->sold);
    int64_t spent = 0, before = 0, given = 0;
    for (size_t i = 0; i < sale->spend_count; i++) {
        const struct oracle_spend *spend = oracle->spends[sale->spends[i]];
        if (is_thing(spend) || spend->undone)
            continue;
        spent += spend->points;
        before += spend->back.points;
    }
    int64_t money_off = oracle_max(share_of(left, spent, oracle_step(then)) - before, 0);
    for (size_t i = sale->spend_count; i > 0; i--) {
        struct oracle_spend *spend = oracle->spends[sale->spends[i - 1]];
        if (spend->undone)
            continue;
        if (is_thing(spend)) {
            thing_back(oracle, sale, left, spend, &given);
            continue;
        }
        int64_t points = oracle_min(spend->points - spend->back.points, money_off);
        money_off -= points;
        given += points;
        oracle_unspend(oracle, spend, points,
                       oracle_max(share_of(left, spend->stamps, 1000) - spend->back.stamps, 0),
                       all && spend->kind != 0 ? spend->wish.quantity - spend->back.quantity : 0);
    }
    return given;
}

static void take_due(struct oracle *oracle, struct oracle_purchase *sale, enum oracle_claw_back claw,
                     struct oracle_return *made, struct oracle_answer *out)
{
    struct oracle_account *account = oracle->accounts[sale->account];
    struct oracle_back *now = &made->back;
    int64_t left = now->due;
    uint32_t lot = sale->lot; /* no lot of a purchase is joined in these histories */
    if (lot != 0 && (claw != CLAW_PENDING || account->lots[lot].pending))
        made->own_taken = oracle_take_lot(account, lot, left, &made->takes);
    left -= made->own_taken;
    int64_t expired = sale->lot == 0 ? 0 : account->expired[sale->lot];
    now->expired = oracle_min(left, oracle_max(expired - sale->back.expired, 0));
    left -= now->expired;
    now->owed_again =
        claw == CLAW_PENDING ? 0 : oracle_min(left, oracle_max(sale->settled - sale->back.owed_again, 0));
    bool others = claw == CLAW_DEBT || claw == CLAW_BALANCE;
    int64_t taken = oracle_take(oracle, account, others ? left : now->owed_again, &made->takes);
    made->owed = oracle_max((claw == CLAW_DEBT ? left : now->owed_again) - taken, 0);
    account->debt += made->owed;
    made->taken = made->own_taken + taken + made->owed;
    out->taken = made->taken;
    out->shortfall = now->due - made->taken - now->expired;
}

/* What the purchase counted, counted back; sign -1: counted again. */
void oracle_count_back(struct oracle *oracle, struct oracle_purchase *sale, const struct oracle_back *now,
                       int64_t sign)
{
    const struct oracle_programme *then = &oracle->versions[sale->version];
    struct oracle_account *account = oracle->accounts[sale->account];
    for (unsigned i = 0; i < sale->award.part_count; i++)
        account->stamps[then->offers[sale->award.parts[i].index].purse] -= sign * now->stamps[i];
    for (unsigned i = 0; i < then->offer_count; i++) {
        if (sale->offer_use[i].counted && (now->uses >> i & 1) != 0)
            oracle_uncount(account, TALLY_OF_OFFER, i, sale->offer_use[i].period, sign);
    }
    if (sale->cap_day.counted)
        oracle_uncount(account, TALLY_OF_DAY, 0, sale->cap_day.period, sign * now->due);
    if (sale->cap_month.counted)
        oracle_uncount(account, TALLY_OF_MONTH, 0, sale->cap_month.period, sign * now->due);
    oracle_count_tier(oracle, account, BASIS_SPEND, sale->day, -sign * now->base);
    if (now->visit && sale->award.earned > 0)
        oracle_count_tier(oracle, account, BASIS_VISITS, sale->day, -sign);
    if (sale->matures <= oracle->today)
        oracle_count_tier(oracle, account, BASIS_POINTS, sale->day, -sign * now->due);
    account->lifetime -= sign * now->due;
}

void oracle_add_back(struct oracle_back *sum, const struct oracle_back *now, int64_t sign)
{
    for (unsigned i = 0; i < ORACLE_LINES; i++) {
        sum->units[i] += sign * now->units[i];
        sum->units_by_amount[i] += sign * now->units_by_amount[i];
    }
    for (unsigned i = 0; i < ORACLE_PARTS; i++)
        sum->stamps[i] += sign * now->stamps[i];
    sum->by_amount += sign * now->by_amount;
    sum->due += sign * now->due;
    sum->base += sign * now->base;
    sum->expired += sign * now->expired;
    sum->owed_again += sign * now->owed_again;
    sum->uses = sign > 0 ? sum->uses | now->uses : sum->uses & ~now->uses;
    if (now->visit)
        sum->visit = sign > 0;
}

/* left NULL: all of it, as a reversal does. */
void oracle_take_back(struct oracle *oracle, size_t index, const struct oracle_left *left,
                      struct oracle_return *made, struct oracle_answer *out)
{
    struct oracle_purchase *sale = oracle->purchases[index];
    const struct oracle_programme *now = oracle_now(oracle);
    sums_back(oracle, sale, left, &made->back);
    struct oracle_spend_back before[ORACLE_SPENDS];
    oracle->adds = &made->adds;
    for (size_t i = 0; i < sale->spend_count; i++)
        before[i] = oracle->spends[sale->spends[i]]->back;
    if (left == NULL || !now->keep_spent)
        made->given_back = give_spent(oracle, sale, left);
    for (size_t i = 0; i < sale->spend_count; i++) {
        const struct oracle_spend_back *after = &oracle->spends[sale->spends[i]]->back;
        made->spends[i] = (struct oracle_spend_back){ .points = after->points - before[i].points,
                                                      .stamps = after->stamps - before[i].stamps,
                                                      .quantity = after->quantity - before[i].quantity };
    }
    oracle->adds = NULL;
    take_due(oracle, sale, left == NULL ? CLAW_DEBT : now->claw_back, made, out);
    oracle_count_back(oracle, sale, &made->back, 1);
    oracle_add_back(&sale->back, &made->back, 1);
    made->sale = index;
    out->given_back = made->given_back;
    oracle_end_event(oracle, oracle->accounts[sale->account]);
    oracle_balance(oracle, oracle->accounts[sale->account], out);
}

void oracle_bring_back(struct oracle *oracle, unsigned card, size_t purchase,
                       const int64_t units[ORACLE_LINES], int64_t amount, struct oracle_answer *out,
                       size_t *out_return)
{
    size_t account = oracle_find(oracle, card, USE_TO_RETURN, out);
    struct oracle_purchase *sale = oracle->purchases[purchase];
    struct oracle_return made = { .sale = purchase };
    struct oracle_left left;
    if (account == ORACLE_NONE)
        return;
    if (sale->account != account)
        out->result = RESULT_OTHER_ACCOUNT;
    else if (sale->reversed)
        out->result = RESULT_PURCHASE_REVERSED;
    else
        out->result = work_out(sale, units, amount, &made.back, &left);
    if (out->result != RESULT_DONE)
        return;
    oracle_take_back(oracle, purchase, &left, &made, out);
    struct oracle_return *kept = oracle_add((void ***)&oracle->returns, &oracle->return_count, sizeof(*kept));
    *kept = made;
    *out_return = oracle->return_count - 1;
}

void oracle_unlinked(struct oracle *oracle, unsigned card, int64_t amount, struct oracle_answer *out)
{
    size_t index = oracle_find(oracle, card, USE_TO_RETURN, out);
    if (index == ORACLE_NONE)
        return;
    struct oracle_account *account = oracle->accounts[index];
    if (oracle_now(oracle)->no_unlinked) {
        out->result = RESULT_UNLINKED_OFF;
        return;
    }
    int64_t due = oracle_rate_unlinked(oracle, account, amount, 0);
    out->taken = oracle_take(oracle, account, due, NULL);
    if (oracle_now(oracle)->claw_back == CLAW_DEBT) {
        account->debt += due - out->taken;
        out->taken = due;
    }
    out->shortfall = due - out->taken;
    account->lifetime -= due;
    oracle_end_event(oracle, account);
    oracle_balance(oracle, account, out);
}
