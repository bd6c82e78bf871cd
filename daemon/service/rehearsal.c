#include "service/rehearsal.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS_FIRST 1024u
#define TALLIES_FIRST 1024u

/* --- accounts: open addressing, at most half full --- */

static struct rehearsed_account *find(struct rehearsed_account *slots, uint32_t slot_count,
                                      account_number number)
{
    uint64_t hash = number * UINT64_C(0x9E3779B97F4A7C15);
    uint32_t at = (uint32_t)(hash >> 32) & (slot_count - 1);
    while (slots[at].number != 0 && slots[at].number != number)
        at = (at + 1) & (slot_count - 1);
    return &slots[at];
}

static bool grow_slots(struct rehearsed_sums *sums)
{
    uint32_t slot_count = sums->slot_count == 0 ? SLOTS_FIRST : sums->slot_count * 2;
    struct rehearsed_account *slots =
        slot_count <= 2 * REHEARSED_ACCOUNTS_MAX ? calloc(slot_count, sizeof(*slots)) : NULL;
    if (slots == NULL)
        return false;
    for (uint32_t i = 0; i < sums->slot_count; i++) {
        if (sums->slots[i].number != 0)
            *find(slots, slot_count, sums->slots[i].number) = sums->slots[i];
    }
    free(sums->slots);
    sums->slots = slots;
    sums->slot_count = slot_count;
    return true;
}

struct rehearsed_account *rehearsed_account(struct rehearsed_sums *sums, account_number number)
{
    PUNKT_CHECK(number != 0);
    struct rehearsed_account *account =
        sums->slot_count == 0 ? NULL : find(sums->slots, sums->slot_count, number);
    if (account != NULL && account->number == number)
        return account;
    if (2 * sums->account_count >= sums->slot_count && !grow_slots(sums))
        return NULL;
    account = find(sums->slots, sums->slot_count, number);
    account->number = number;
    sums->account_count++;
    return account;
}

/* --- limits and caps --- */

void rehearsed_tallies(const struct rehearsed_sums *sums, const struct rehearsed_account *from,
                       struct account *out)
{
    out->tally_count = 0;
    for (uint32_t at = from->tally; at != 0 && out->tally_count < ACCOUNT_TALLIES_MAX;
         at = sums->tallies[at - 1].next)
        out->tallies[out->tally_count++] = sums->tallies[at - 1].tally;
}

/* As an account counts: the two newest periods are kept; what is older counts into the older of them. */
static void add_use(struct tally *tally, int32_t period, int64_t value)
{
    if (period > tally->period) {
        tally->before = tally->period;
        tally->value_before = tally->value;
        tally->period = period;
        tally->value = 0;
    } else if (period < tally->period && period > tally->before) {
        tally->before = period;
        tally->value_before = 0;
    }
    if (period == tally->period)
        tally->value += value;
    else
        tally->value_before += value;
}

static struct rehearsed_tally *new_tally(struct rehearsed_sums *sums, struct rehearsed_account *account)
{
    if (sums->tally_count == sums->tally_capacity) {
        uint32_t capacity = sums->tally_capacity == 0 ? TALLIES_FIRST : sums->tally_capacity * 2;
        struct rehearsed_tally *grown =
            capacity <= REHEARSED_TALLIES_MAX ? realloc(sums->tallies, capacity * sizeof(*grown)) : NULL;
        if (grown == NULL)
            return NULL;
        sums->tallies = grown;
        sums->tally_capacity = capacity;
    }
    struct rehearsed_tally *made = &sums->tallies[sums->tally_count++];
    made->next = account->tally;
    account->tally = sums->tally_count;
    return made;
}

bool rehearsed_count(struct rehearsed_sums *sums, struct rehearsed_account *account,
                     const struct account_change *changes, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct account_change *change = &changes[i];
        uint32_t at = account->tally;
        while (at != 0 && (sums->tallies[at - 1].tally.kind != (enum tally_kind)change->which ||
                           sums->tallies[at - 1].tally.id != change->id))
            at = sums->tallies[at - 1].next;
        if (at != 0) {
            add_use(&sums->tallies[at - 1].tally, change->period, change->value);
            continue;
        }
        struct rehearsed_tally *made = new_tally(sums, account);
        if (made == NULL)
            return false;
        made->tally = (struct tally){ .kind = (enum tally_kind)change->which,
                                      .id = change->id,
                                      .period = change->period,
                                      .before = INT32_MIN,
                                      .value = change->value };
    }
    return true;
}

/* --- rules --- */

static struct msg_rehearsed_rule *rule_of(struct rehearsed_sums *sums, uint64_t kind,
                                          const struct wire_code *name)
{
    for (uint32_t i = 0; i < sums->rule_count; i++) {
        if (sums->rules[i].kind == kind && wire_code_equal(&sums->rules[i].name, name))
            return &sums->rules[i];
    }
    if (sums->rule_count == REHEARSED_RULES_MAX)
        return NULL;
    struct msg_rehearsed_rule *made = &sums->rules[sums->rule_count++];
    message_init(MESSAGE_rehearsed_rule, made);
    made->kind = kind;
    made->name = *name;
    return made;
}

bool rehearsed_parts(struct rehearsed_sums *sums, const struct programme *programme,
                     const struct award_part *parts, uint32_t count, bool old)
{
    for (uint32_t i = 0; i < count; i++) {
        struct wire_code name;
        code_for_wire(part_name(programme, &parts[i]), &name);
        struct msg_rehearsed_rule *rule = rule_of(sums, parts[i].kind, &name);
        if (rule == NULL)
            return false;
        *(old ? &rule->old_points : &rule->new_points) += parts[i].result;
    }
    return true;
}

/* --- who gains and loses most --- */

uint32_t rehearsed_most(const struct rehearsed_sums *sums, int64_t sign,
                        struct msg_rehearsed_account out[REHEARSED_MOST_MAX])
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < sums->slot_count; i++) {
        const struct rehearsed_account *account = &sums->slots[i];
        int64_t more = sign * (account->new_points - account->old_points);
        if (account->number == 0 || more <= 0)
            continue;
        uint32_t place = count;
        while (place > 0) {
            const struct msg_rehearsed_account *other = &out[place - 1];
            int64_t others = sign * (other->new_points - other->old_points);
            if (others > more || (others == more && other->account < account->number))
                break;
            place--;
        }
        if (place == REHEARSED_MOST_MAX)
            continue;
        count += count < REHEARSED_MOST_MAX ? 1 : 0;
        memmove(&out[place + 1], &out[place], (count - 1 - place) * sizeof(*out));
        message_init(MESSAGE_rehearsed_account, &out[place]);
        out[place].account = account->number;
        out[place].old_points = account->old_points;
        out[place].new_points = account->new_points;
    }
    return count;
}

void rehearsed_done(struct rehearsed_sums *sums)
{
    free(sums->slots);
    free(sums->tallies);
}
