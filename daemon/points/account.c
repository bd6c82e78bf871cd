#include "points/account.h"

#include <string.h>

#include "points/calendar.h"

void account_new(account_number number, struct account *out)
{
    memset(out, 0, offsetof(struct account, debts));
    out->number = number;
    out->next_lot = 1;
}

#define COPY_USED(table, count)                                                                              \
    do {                                                                                                     \
        PUNKT_CHECK(from->count <= COUNT_OF(from->table));                                                   \
        memcpy(out->table, from->table, from->count * sizeof(from->table[0]));                               \
    } while (0)

void account_copy(const struct account *from, struct account *out)
{
    memcpy(out, from, offsetof(struct account, debts));
    COPY_USED(debts, debt_count);
    COPY_USED(tallies, tally_count);
    COPY_USED(stamps, stamps_count);
    COPY_USED(months, month_count);
    COPY_USED(holds, hold_count);
    COPY_USED(hold_parts, hold_part_count);
    COPY_USED(tags, tag_count);
    COPY_USED(activated, activated_count);
    COPY_USED(expired, expired_count);
    COPY_USED(recent, recent_count);
    COPY_USED(lots, lot_count);
}

local_day lot_last_inactive_day(const struct account *account, const struct lot *lot)
{
    local_day from = lot->earned;
    if (account->last_purchase != 0 && account->last_purchase_day > from)
        from = account->last_purchase_day;
    return (local_day)i64_max(day_add_months(from, lot->inactive_months), lot->matures);
}

local_day account_due_day(const struct account *account)
{
    local_day due = DAY_NEVER;
    for (uint32_t i = 0; i < account->lot_count; i++) {
        const struct lot *lot = &account->lots[i];
        local_day day = lot->matures;
        if (!lot->pending) {
            day = lot_last_day(account, lot);
            if (day == DAY_NEVER || lot->held == lot->points)
                continue;
            day++;
        }
        if (day < due)
            due = day;
    }
    bool judged = account->tier.id != 0 || account->tier.next != 0;
    return judged && account->tier.judge < due ? account->tier.judge : due;
}

int64_t account_tally(const struct account *account, enum tally_kind kind, uint64_t id, local_day period)
{
    for (uint32_t i = 0; i < account->tally_count; i++) {
        const struct tally *tally = &account->tallies[i];
        if (tally->kind != kind || tally->id != id)
            continue;
        if (period == tally->period)
            return tally->value;
        return tally->before != INT32_MIN && period <= tally->before ? tally->value_before : 0;
    }
    return 0;
}

const struct stamps *account_stamps(const struct account *account, uint64_t purse)
{
    for (uint32_t i = 0; i < account->stamps_count; i++) {
        if (account->stamps[i].purse == purse)
            return &account->stamps[i];
    }
    return NULL;
}

bool account_has_tag(const struct account *account, const char *tag, size_t size)
{
    for (uint32_t i = 0; i < account->tag_count; i++) {
        if (account->tags[i].size == size && memcmp(account->tags[i].text, tag, size) == 0)
            return true;
    }
    return false;
}

bool account_has_activated(const struct account *account, uint64_t offer)
{
    for (uint32_t i = 0; i < account->activated_count; i++) {
        if (account->activated[i] == offer)
            return true;
    }
    return false;
}

const struct account_hold *account_hold(const struct account *account, journal_position id,
                                        const struct hold_part **out_parts)
{
    const struct hold_part *parts = account->hold_parts;
    for (uint32_t i = 0; i < account->hold_count; i++) {
        const struct account_hold *hold = &account->holds[i];
        if (hold->id == id) {
            *out_parts = parts;
            return hold;
        }
        parts += hold->part_count;
    }
    return NULL;
}

millipoints account_expired(const struct account *account, uint32_t lot)
{
    for (uint32_t i = 0; i < account->expired_count; i++) {
        if (account->expired[i].lot == lot)
            return account->expired[i].points;
    }
    return 0;
}
