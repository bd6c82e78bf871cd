#include <string.h>

#include "ledger/account_fields.h"
#include "ledger/codec_unrolled.h"
#include "ledger/event_parts.h"

/* The fields of one kind of change. */
struct fields {
    const struct codec_field *rows;
    size_t count;
};
#define FIELDS(rows)                                                                                         \
    {                                                                                                        \
        CODEC_FIELDS(rows)                                                                                   \
    }

#define LOT CODEC_U32(struct lot_change, lot, UINT32_MAX)
#define POINTS CODEC_I64(struct lot_change, points, 0)
#define HOLD CODEC_U64(struct lot_change, hold)
/* What a lot is that may have to be made. */
#define LOT_ITSELF                                                                                           \
    CODEC_BOOL(struct lot_change, by_purchase), CODEC_DAY(struct lot_change, earned),                        \
        CODEC_DAY_BESIDE(struct lot_change, matures, earned), CODEC_DAY(struct lot_change, last_day),        \
        CODEC_BOOL(struct lot_change, pending), CODEC_BOOL(struct lot_change, counts),                       \
        CODEC_U8(struct lot_change, inactive_months, UINT8_MAX)

static const struct codec_field whole_lot_fields[] = { LOT, POINTS, LOT_ITSELF };
static const struct codec_field capture_fields[] = { LOT, POINTS, LOT_ITSELF, HOLD };
static const struct codec_field join_fields[] = { LOT, CODEC_U32(struct lot_change, into, UINT32_MAX) };
static const struct codec_field mature_fields[] = { LOT };
static const struct codec_field expire_fields[] = { LOT, POINTS };
static const struct codec_field hold_fields[] = { LOT, POINTS, HOLD };

static const struct fields lot_change_fields[] = {
    [LOT_ADD] = FIELDS(whole_lot_fields), [LOT_TAKE] = FIELDS(whole_lot_fields),
    [LOT_JOIN] = FIELDS(join_fields),     [LOT_MATURE] = FIELDS(mature_fields),
    [LOT_EXPIRE] = FIELDS(expire_fields), [LOT_HOLD] = FIELDS(hold_fields),
    [LOT_FREE] = FIELDS(hold_fields),     [LOT_CAPTURE] = FIELDS(capture_fields),
};
CODEC_ROWS_ARE_OF(struct lot_change, 48);

#define ID CODEC_ID(struct account_change, id)
#define NUMBER CODEC_U64(struct account_change, id)
#define VALUE CODEC_I64(struct account_change, value, 0)
#define YES_OR_NO CODEC_I64(struct account_change, value, 1)

static const struct codec_field tally_fields[] = { CODEC_ENUM(struct account_change, which, TALLY_KIND_MAX),
                                                   ID, CODEC_DAY(struct account_change, period), VALUE };
static const struct codec_field id_fields[] = { ID, VALUE };
static const struct codec_field month_fields[] = { CODEC_U32(struct account_change, which, TIER_BY_BALANCE),
                                                   CODEC_I32(struct account_change, period, CODEC_MONTH_MAX),
                                                   VALUE };
static const struct codec_field months_kept_fields[] = { CODEC_I32(struct account_change, period,
                                                                   CODEC_MONTH_MAX) };
static const struct codec_field tier_fields[] = { TIER_ROWS(struct account_change, tier) };
static const struct codec_field tag_fields[] = { CODEC_CODE(struct account_change, text), YES_OR_NO };
static const struct codec_field activated_fields[] = { ID, YES_OR_NO };
static const struct codec_field pin_fields[] = { PIN_ROWS(struct account_change, pin) };
static const struct codec_field pin_wrong_fields[] = { CODEC_I64(struct account_change, value, PIN_TRIES) };
static const struct codec_field hold_ended_fields[] = { CODEC_U64(struct account_change, position) };
static const struct codec_field value_fields[] = { VALUE };
static const struct codec_field yes_or_no_fields[] = { YES_OR_NO };
static const struct codec_field absorb_fields[] = { NUMBER };
static const struct codec_field absorbed_fields[] = { NUMBER, VALUE };
static const struct codec_field last_purchase_fields[] = {
    CODEC_DAY(struct account_change, period), CODEC_TIME(struct account_change, value),
    CODEC_U32(struct account_change, which, UINT32_MAX), NUMBER
};

static const struct fields change_fields[] = {
    [CHANGE_TALLY] = FIELDS(tally_fields),
    [CHANGE_STAMPS] = FIELDS(id_fields),
    [CHANGE_STAMPS_HELD] = FIELDS(id_fields),
    [CHANGE_MONTH] = FIELDS(month_fields),
    [CHANGE_MONTHS_KEPT] = FIELDS(months_kept_fields),
    [CHANGE_TIER] = FIELDS(tier_fields),
    [CHANGE_TAG] = FIELDS(tag_fields),
    [CHANGE_ACTIVATED] = FIELDS(activated_fields),
    [CHANGE_PIN] = FIELDS(pin_fields),
    [CHANGE_PIN_WRONG] = FIELDS(pin_wrong_fields),
    [CHANGE_HOLD_BEGUN] = { NULL, 0 }, /* hold_write */
    [CHANGE_HOLD_ENDED] = FIELDS(hold_ended_fields),
    [CHANGE_CARDS] = FIELDS(value_fields),
    [CHANGE_SUSPENSE] = FIELDS(yes_or_no_fields),
    [CHANGE_CLOSED] = { NULL, 0 },
    [CHANGE_ABSORB] = FIELDS(absorb_fields),
    [CHANGE_ABSORBED] = FIELDS(absorbed_fields),
    [CHANGE_LAST_PURCHASE] = FIELDS(last_purchase_fields),
};
CODEC_ROWS_ARE_OF(struct account_change, 96);

static const struct codec_field effect_fields[] = {
    CODEC_U64(struct effect, account),
    CODEC_U64(struct effect, previous),
    CODEC_I64(struct effect, change, 0),
    CODEC_I64(struct effect, balance, 0),
    CODEC_I64(struct effect, lifetime_change, 0),
    CODEC_U32(struct effect, lot_change_count, EFFECT_LOT_CHANGES_MAX),
    CODEC_U32(struct effect, change_count, EFFECT_CHANGES_MAX),
    CODEC_ID(struct effect, tier),
    CODEC_I64(struct effect, debt_added, 0),
    CODEC_I64(struct effect, debt_settled, 0),
    CODEC_I64(struct effect, debt_forgiven, 0),
};
CODEC_ROWS_ARE_OF(struct effect, 96);

void effect_write(struct wire_writer *writer, const struct codec_base *base, const struct effect *effect)
{
    codec_write_unrolled(writer, base, CODEC_FIELDS(effect_fields), effect);
    for (uint32_t i = 0; i < effect->lot_change_count; i++) {
        const struct lot_change *change = &effect->lot_changes[i];
        PUNKT_CHECK(change->kind >= LOT_ADD && change->kind < COUNT_OF(lot_change_fields));
        const struct fields *fields = &lot_change_fields[change->kind];
        wire_write_u8(writer, (uint8_t)change->kind);
        if (fields->rows == whole_lot_fields)
            codec_write_unrolled(writer, base, CODEC_FIELDS(whole_lot_fields), change);
        else
            codec_write(writer, base, fields->rows, fields->count, change);
    }
    for (uint32_t i = 0; i < effect->change_count; i++) {
        const struct account_change *change = &effect->changes[i];
        PUNKT_CHECK(change->kind >= CHANGE_TALLY && change->kind < COUNT_OF(change_fields));
        const struct fields *fields = &change_fields[change->kind];
        wire_write_u8(writer, (uint8_t)change->kind);
        if (change->kind == CHANGE_HOLD_BEGUN)
            hold_write(writer, base, &change->hold);
        else
            codec_write(writer, base, fields->rows, fields->count, change);
    }
}

static void read_lot_change(struct wire_reader *reader, const struct codec_base *base, struct lot_change *out)
{
    uint8_t kind = wire_read_u8(reader);
    memset(out, 0, sizeof(*out));
    if (kind < LOT_ADD || kind >= COUNT_OF(lot_change_fields)) {
        reader->failed = true;
        return;
    }
    out->kind = (enum lot_change_kind)kind;
    codec_read(reader, base, lot_change_fields[kind].rows, lot_change_fields[kind].count, out);
}

static void read_change(struct wire_reader *reader, const struct codec_base *base, struct account_change *out)
{
    uint8_t kind = wire_read_u8(reader);
    memset(out, 0, sizeof(*out));
    if (kind < CHANGE_TALLY || kind >= COUNT_OF(change_fields)) {
        reader->failed = true;
        return;
    }
    out->kind = (enum account_change_kind)kind;
    if (kind == CHANGE_HOLD_BEGUN)
        hold_read(reader, base, &out->hold);
    else
        codec_read(reader, base, change_fields[kind].rows, change_fields[kind].count, out);
}

void effect_read(struct wire_reader *reader, const struct codec_base *base, struct lot_change *lot_changes,
                 struct account_change *changes, struct effect *out)
{
    codec_read_unrolled(reader, base, CODEC_FIELDS(effect_fields), out);
    out->lot_changes = lot_changes;
    for (uint32_t i = 0; i < out->lot_change_count && !reader->failed; i++)
        read_lot_change(reader, base, &lot_changes[i]);
    out->changes = changes;
    for (uint32_t i = 0; i < out->change_count && !reader->failed; i++)
        read_change(reader, base, &changes[i]);
}
