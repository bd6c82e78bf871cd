/* Accounts of the oracle: lots, debt, midnights, what is counted. */
#include <stdlib.h>
#include <string.h>

#include "oracle_steps.h"

#include "world.h"

void *oracle_add(void ***items, size_t *count, size_t size)
{
    void *item = calloc(1, size);
    *items = realloc(*items, (*count + 1) * sizeof(void *));
    assert_non_null(item);
    assert_non_null(*items);
    return (*items)[(*count)++] = item;
}

size_t oracle_account_add(struct oracle *oracle)
{
    struct oracle_account *account = calloc(1, sizeof(*account));
    assert_non_null(account);
    assert_true(oracle->account_count < ORACLE_ACCOUNTS);
    account->merged_into = ORACLE_NONE;
    account->next_lot = 1;
    account->today = oracle->today;
    oracle->accounts[oracle->account_count] = account;
    return oracle->account_count++;
}

/* --- lots --- */

int32_t oracle_last_day(const struct oracle_account *account, const struct oracle_lot *lot)
{
    if (lot->inactive_months == 0)
        return lot->last_day;
    int32_t from = lot->earned;
    if (account->last_purchase_us != 0 && account->last_purchase_day > from)
        from = account->last_purchase_day;
    int32_t day = oracle_add_months(from, lot->inactive_months);
    return day > lot->matures ? day : lot->matures;
}

/* What of a lot is free, debt apart. */
static int64_t free_of(const struct oracle *oracle, const struct oracle_account *account,
                       const struct oracle_lot *lot)
{
    bool over = lot->points == 0 || lot->pending || oracle_last_day(account, lot) < oracle->today;
    return over ? 0 : lot->points - lot->held;
}

int64_t oracle_free_points(const struct oracle *oracle, const struct oracle_account *account)
{
    int64_t points = -account->debt;
    for (uint32_t i = 1; i < account->next_lot; i++)
        points += free_of(oracle, account, &account->lots[i]);
    return oracle_max(points, 0);
}

int64_t oracle_balance_of(const struct oracle_account *account)
{
    int64_t points = -account->debt;
    for (uint32_t i = 1; i < account->next_lot; i++)
        points += account->lots[i].points;
    return points;
}

static struct oracle_lot lot_of(const struct oracle_programme *programme, int32_t earned, int32_t matures)
{
    struct oracle_lot lot = { .earned = earned, .matures = matures, .last_day = ORACLE_NEVER };
    int32_t after = oracle_add_months(matures, programme->expiry_months);
    if (programme->expiry == LASTS_ACTIVE)
        lot.inactive_months = programme->expiry_months;
    if (programme->expiry == LASTS_MONTHS && programme->through_months == 0)
        lot.last_day = after;
    if (programme->expiry == LASTS_MONTHS && programme->through_months > 0) {
        int32_t month = oracle_month(after);
        lot.last_day =
            oracle_month_end(month - month % programme->through_months + programme->through_months - 1);
    }
    if (programme->expiry == LASTS_YEARLY) {
        int32_t month = oracle_month(after) / 12 * 12 + (int32_t)programme->yearly_month - 1;
        int32_t day = oracle_month_end(month - 1) + (int32_t)programme->yearly_day;
        if (day < after)
            day = oracle_month_end(month + 11) + (int32_t)programme->yearly_day;
        lot.last_day = day;
    }
    return lot;
}

struct oracle_lot oracle_award_lot(const struct oracle_programme *programme, int32_t day)
{
    struct oracle_lot lot = lot_of(programme, day, day + programme->mature_days);
    lot.counts = true;
    return lot;
}

struct oracle_lot oracle_added_lot(const struct oracle_programme *programme, int32_t today)
{
    return lot_of(programme, today, today);
}

static int32_t quarter_of(int32_t day)
{
    return oracle_month(day) / 3;
}

/* Points that did not come by a purchase go into a lot of the same terms, if there is one (LEDGER.md, State). */
static uint32_t joined_lot(const struct oracle_account *account, const struct oracle_lot *like)
{
    for (uint32_t i = 1; i < account->next_lot; i++) {
        const struct oracle_lot *lot = &account->lots[i];
        if (lot->points == 0 || lot->by_purchase || lot->held > 0 || lot->last_day != like->last_day ||
            lot->inactive_months != like->inactive_months || lot->pending != like->pending ||
            quarter_of(lot->earned) != quarter_of(like->earned))
            continue;
        if (!lot->pending || (lot->matures == like->matures && lot->counts == like->counts &&
                              oracle_month(lot->earned) == oracle_month(like->earned)))
            return i;
    }
    return 0;
}

static uint32_t put(struct oracle_account *account, uint32_t number, const struct oracle_lot *like,
                    int64_t points)
{
    if (number == 0 && !like->by_purchase)
        number = joined_lot(account, like);
    if (number == 0)
        number = account->next_lot++;
    assert_true(account->next_lot < ORACLE_LOTS);
    struct oracle_lot *lot = &account->lots[number];
    if (lot->points == 0) {
        *lot = *like;
        lot->points = lot->held = 0;
    }
    lot->points += points;
    return number;
}

static int64_t pay_debt(struct oracle_account *account, int64_t points)
{
    int64_t paid = oracle_min(points, account->debt);
    account->debt -= paid;
    return paid;
}

uint32_t oracle_give(struct oracle *oracle, struct oracle_account *account, const struct oracle_lot *terms,
                     int64_t points, int64_t *out_settled)
{
    struct oracle_lot lot = *terms;
    lot.pending = lot.matures > oracle->today;
    lot.counts = lot.pending && terms->counts;
    bool usable = !lot.pending && oracle_last_day(account, &lot) >= oracle->today;
    *out_settled = usable ? pay_debt(account, points) : 0;
    if (!lot.pending && terms->counts)
        oracle_count_tier(oracle, account, BASIS_POINTS, lot.earned, points);
    return points == *out_settled ? 0 : put(account, 0, &lot, points - *out_settled);
}

int64_t oracle_take_lot(struct oracle_account *account, uint32_t number, int64_t points,
                        struct oracle_takes *takes)
{
    struct oracle_lot *lot = &account->lots[number];
    int64_t taken = oracle_min(points, lot->points - lot->held);
    if (taken == 0)
        return 0;
    if (takes != NULL) {
        assert_true(takes->count < ORACLE_TAKES);
        takes->take[takes->count++] = (struct oracle_take){ .number = number, .points = taken, .lot = *lot };
    }
    lot->points -= taken;
    return taken;
}

/* The free lot that goes first; 0: none. */
static uint32_t first_to_spend(const struct oracle *oracle, const struct oracle_account *account)
{
    uint32_t first = 0;
    for (uint32_t i = 1; i < account->next_lot; i++) {
        if (free_of(oracle, account, &account->lots[i]) > 0 &&
            (first == 0 ||
             oracle_last_day(account, &account->lots[i]) < oracle_last_day(account, &account->lots[first])))
            first = i;
    }
    return first;
}

int64_t oracle_take(struct oracle *oracle, struct oracle_account *account, int64_t points,
                    struct oracle_takes *takes)
{
    int64_t left = points;
    for (uint32_t lot; left > 0 && (lot = first_to_spend(oracle, account)) != 0;)
        left -= oracle_take_lot(account, lot, left, takes);
    return points - left;
}

void oracle_set_aside(struct oracle *oracle, struct oracle_account *account, int64_t points,
                      struct oracle_takes *parts)
{
    while (points > 0) {
        uint32_t number = first_to_spend(oracle, account);
        assert_int_not_equal(number, 0);
        struct oracle_lot *lot = &account->lots[number];
        int64_t part = oracle_min(points, lot->points - lot->held);
        parts->take[parts->count++] = (struct oracle_take){ .number = number, .points = part };
        lot->held += part;
        points -= part;
    }
}

static void give_back_to(struct oracle *oracle, struct oracle_account *account,
                         const struct oracle_take *taken, int64_t points)
{
    uint32_t number = taken->number;
    struct oracle_lot lot = account->lots[number].points > 0 ? account->lots[number] : taken->lot;
    if (!lot.pending && oracle_last_day(account, &lot) < oracle->today) {
        int32_t days = oracle_now(oracle)->restore_days;
        lot.inactive_months = 0;
        lot.last_day = oracle->today + (days > 0 ? days : -1);
        if (account->lots[number].points > 0) {
            number = 0; /* what is left there keeps its day */
            lot.by_purchase = false;
        }
    }
    if (lot.pending && lot.matures < oracle->today)
        lot.matures = oracle->today;
    if (!lot.pending && lot.last_day >= oracle->today)
        points -= pay_debt(account, points);
    if (points == 0)
        return;
    number = put(account, number, &lot, points);
    if (oracle->adds != NULL)
        oracle->adds->take[oracle->adds->count++] =
            (struct oracle_take){ .number = number, .points = points };
}

void oracle_give_back(struct oracle *oracle, struct oracle_account *account, const struct oracle_takes *takes,
                      int64_t skip, int64_t points)
{
    for (uint32_t i = takes->count; i > 0 && points > 0; i--) {
        const struct oracle_take *taken = &takes->take[i - 1];
        int64_t skipped = oracle_min(skip, taken->points);
        int64_t part = oracle_min(points, taken->points - skipped);
        skip -= skipped;
        points -= part;
        if (part > 0)
            give_back_to(oracle, account, taken, part);
    }
    assert_int_equal(points, 0);
}

/* --- tallies: two periods are kept, and what is older counts into the older one --- */

static struct oracle_tally *tally_of(const struct oracle_account *account, enum oracle_tally_kind kind,
                                     unsigned id)
{
    for (unsigned i = 0; i < account->tally_count; i++) {
        const struct oracle_tally *tally = &account->tallies[i];
        if (tally->kind == kind && tally->id == id)
            return (struct oracle_tally *)(uintptr_t)tally;
    }
    return NULL;
}

int64_t oracle_tally(const struct oracle_account *account, enum oracle_tally_kind kind, unsigned id,
                     int32_t period)
{
    const struct oracle_tally *tally = tally_of(account, kind, id);
    if (tally == NULL)
        return 0;
    if (period == tally->period)
        return tally->value;
    return tally->before != INT32_MIN && period <= tally->before ? tally->value_before : 0;
}

void oracle_count(struct oracle_account *account, enum oracle_tally_kind kind, unsigned id, int32_t period,
                  int64_t value)
{
    struct oracle_tally *tally = tally_of(account, kind, id);
    if (tally == NULL) {
        assert_true(account->tally_count < ORACLE_TALLIES);
        tally = &account->tallies[account->tally_count++];
        *tally = (struct oracle_tally){ .kind = kind, .id = id, .period = period, .before = INT32_MIN };
    }
    if (period > tally->period) {
        tally->before = tally->period;
        tally->value_before = tally->value;
        tally->period = period;
        tally->value = 0;
    } else if (period < tally->period && period > tally->before) {
        tally->before = period;
        tally->value_before = 0;
    }
    *(period == tally->period ? &tally->value : &tally->value_before) += value;
}

void oracle_uncount(struct oracle_account *account, enum oracle_tally_kind kind, unsigned id, int32_t period,
                    int64_t value)
{
    struct oracle_tally *tally = tally_of(account, kind, id);
    if (tally == NULL)
        return;
    if (period == tally->period)
        tally->value -= oracle_min(value, tally->value);
    else if (period == tally->before)
        tally->value_before -= oracle_min(value, tally->value_before);
}

/* --- tiers --- */

void oracle_count_tier(struct oracle *oracle, struct oracle_account *account, enum oracle_basis basis,
                       int32_t day, int64_t value)
{
    int32_t month = oracle_month(day) - oracle->first_month;
    assert_true(month >= 0 && month < ORACLE_MONTHS);
    account->months[basis][month] += value;
}

/* What counts in the window that ends with a month, from the beginning of the oracle. */
static int64_t sum_through(const struct oracle *oracle, const struct oracle_account *account, int32_t month)
{
    const struct oracle_programme *programme = oracle_now(oracle);
    int64_t sum = 0;
    if (programme->basis == BASIS_BALANCE) {
        sum = -account->debt;
        for (uint32_t i = 1; i < account->next_lot; i++)
            sum += account->lots[i].pending ? 0 : account->lots[i].points;
        return sum;
    }
    for (int32_t i = 0; i < ORACLE_MONTHS; i++) {
        int32_t at = i + oracle->first_month;
        bool inside = programme->sum == SUM_EVER || (programme->sum == SUM_YEAR && at / 12 == month / 12) ||
                      (programme->sum == SUM_MONTHS && at <= month && at > month - programme->sum_months);
        sum += inside ? account->months[programme->basis][i] : 0;
    }
    return sum;
}

static unsigned tier_of_sum(const struct oracle_programme *programme, int64_t sum)
{
    unsigned tier = programme->tier_count;
    while (tier > 0 && oracle_max(sum, 0) < programme->tiers[tier - 1].from)
        tier--;
    return tier;
}

/* The highest tier that this month's sum carries, or that of an earlier period which is kept so long. */
static unsigned tier_now(const struct oracle *oracle, const struct oracle_account *account)
{
    const struct oracle_programme *programme = oracle_now(oracle);
    int32_t month = oracle_month(oracle->today);
    unsigned tier = tier_of_sum(programme, sum_through(oracle, account, month));
    if (programme->basis == BASIS_BALANCE || programme->sum == SUM_EVER || programme->kept != KEPT_NEXT)
        return tier;
    unsigned before =
        tier_of_sum(programme, sum_through(oracle, account, month - (programme->sum == SUM_YEAR ? 12 : 1)));
    return before > tier ? before : tier;
}

unsigned oracle_tier_with(const struct oracle *oracle, const struct oracle_account *account,
                          enum oracle_basis basis, int32_t day, int64_t value)
{
    const struct oracle_programme *programme = oracle_now(oracle);
    int32_t month = oracle_month(oracle->today);
    int32_t at = oracle_month(day);
    bool inside = programme->sum == SUM_EVER || (programme->sum == SUM_YEAR && at / 12 == month / 12) ||
                  (programme->sum == SUM_MONTHS && at <= month && at > month - programme->sum_months);
    if (programme->basis != basis || !inside)
        return account->tier;
    unsigned tier = tier_of_sum(programme, sum_through(oracle, account, month) + value);
    return tier > account->tier ? tier : account->tier;
}

/* What the window counts that ends with the month in which the tier was reached. */
static int64_t sum_when_reached(const struct oracle *oracle, const struct oracle_account *account)
{
    int32_t reached = account->tier_through - oracle_now(oracle)->kept_days;
    return sum_through(oracle, account, oracle_month(reached < oracle->today ? reached : oracle->today));
}

/*
 * A tier that is kept for days stays through the last of them, whatever the sum does, and is judged then. Only a return
 * takes it before: when what is left of what carried it does not. In grace it waits for the sum to recover.
 */
static void judge_by_days(const struct oracle *oracle, struct oracle_account *account, bool midnight)
{
    const struct oracle_programme *programme = oracle_now(oracle);
    unsigned carried = tier_of_sum(programme, sum_through(oracle, account, oracle_month(oracle->today)));
    bool over = account->tier > 0 && account->tier_through < oracle->today;
    bool fallen = over && carried < account->tier;
    bool in_grace = fallen && oracle->today <= account->tier_through + programme->grace_days;
    if (carried > account->tier || (over && !in_grace)) {
        account->tier = fallen && programme->down_one ? account->tier - 1 : carried;
        account->tier_through = oracle->today + programme->kept_days;
    } else if (!in_grace && account->tier > 0 && !midnight && programme->basis != BASIS_BALANCE) {
        unsigned left = tier_of_sum(programme, sum_when_reached(oracle, account));
        if (tier_of_sum(programme, account->tier_sum) >= account->tier && left < account->tier)
            account->tier = left;
    }
    account->tier_sum = account->tier > 0 ? sum_when_reached(oracle, account) : 0;
}

static void judge(const struct oracle *oracle, struct oracle_account *account, bool midnight)
{
    if (oracle_now(oracle)->kept == KEPT_DAYS)
        judge_by_days(oracle, account, midnight);
    else
        account->tier = tier_now(oracle, account);
}

/* --- time --- */

void oracle_end_event(struct oracle *oracle, struct oracle_account *account)
{
    account->debt -= oracle_take(oracle, account, account->debt, NULL);
    judge(oracle, account, false);
}

static void mature(struct oracle *oracle, struct oracle_account *account)
{
    for (uint32_t i = 1; i < account->next_lot; i++) {
        struct oracle_lot *lot = &account->lots[i];
        if (lot->points == 0 || !lot->pending || lot->matures > oracle->today)
            continue;
        lot->pending = false;
        if (lot->counts)
            oracle_count_tier(oracle, account, BASIS_POINTS, lot->earned, lot->points);
        lot->counts = false;
    }
}

static void expire(struct oracle *oracle, struct oracle_account *account)
{
    for (uint32_t i = 1; i < account->next_lot; i++) {
        struct oracle_lot *lot = &account->lots[i];
        if (lot->points == 0 || lot->pending || oracle_last_day(account, lot) >= oracle->today)
            continue;
        if (lot->by_purchase)
            account->expired[i] += lot->points - lot->held;
        lot->points = lot->held;
    }
}

void oracle_midnights(struct oracle *oracle, struct oracle_account *account)
{
    int32_t today = oracle->today;
    for (oracle->today = account->today; oracle->today <= today; oracle->today++) {
        mature(oracle, account);
        account->debt -= oracle_take(oracle, account, account->debt, NULL);
        expire(oracle, account);
        judge(oracle, account, true);
    }
    oracle->today = today;
    account->today = today;
}
