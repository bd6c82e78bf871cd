#include "ledger/records.h"

#include "ledger/records_parts.h"

#define MOVED(i) CODEC_I64(struct day_counts, moved[i], 0)
#define EVENTS(type) CODEC_U32(struct day_counts, events[type], UINT32_MAX)
#define EVENTS_5(first)                                                                                      \
    EVENTS(first), EVENTS((first) + 1), EVENTS((first) + 2), EVENTS((first) + 3), EVENTS((first) + 4)
static const struct codec_field day_counts_fields[] = {
    CODEC_I64(struct day_counts, spend, 0),
    CODEC_I64(struct day_counts, returned, 0),
    CODEC_I64(struct day_counts, unlinked, 0),
    CODEC_I64(struct day_counts, worth, 0),
    EVENTS_5(1),
    EVENTS_5(6),
    MOVED(0),
    MOVED(1),
    MOVED(2),
    MOVED(3),
    MOVED(4),
    MOVED(5),
    MOVED(6),
    MOVED(7),
    MOVED(8),
    MOVED(9),
    MOVED(10),
    EVENTS_5(11),
    EVENTS_5(16),
    EVENTS_5(21),
    EVENTS_5(26),
    EVENTS_5(31),
    EVENTS(36),
    EVENTS(37),
    EVENTS(38),
};
static_assert(MOVEMENT_COUNT == 11 && EVENT_TYPE_MAX == 38, "each has its row above");

static const struct codec_field outstanding_fields[] = {
    { 0, 0, CODEC_FORM_I64, 0, false, 0 }, /* the points are all of it */
};

static const struct codec_field cohort_fields[] = {
    CODEC_I64(struct cohort, issued, 0),   CODEC_I64(struct cohort, left, 0),
    CODEC_I64(struct cohort, redeemed, 0), CODEC_I64(struct cohort, expired, 0),
    CODEC_I64(struct cohort, returned, 0), CODEC_I64(struct cohort, other, 0),
};

#define SUMS(kind)                                                                                           \
    CODEC_U32(struct till_day, sums[kind].count, UINT32_MAX),                                                \
        CODEC_I64(struct till_day, sums[kind].amount, 0), CODEC_I64(struct till_day, sums[kind].points, 0)
static const struct codec_field till_day_fields[] = {
    CODEC_BYTES(struct till_day, hash, TILL_HASH_SIZE),
    CODEC_U32(struct till_day, epoch_count, TILL_EPOCHS_MAX),
    SUMS(TILL_PURCHASES),
    SUMS(TILL_RETURNS),
    SUMS(TILL_UNLINKED_RETURNS),
    SUMS(TILL_REDEMPTIONS),
    SUMS(TILL_HOLDS),
    SUMS(TILL_RELEASES),
    SUMS(TILL_REVERSALS),
    SUMS(TILL_OTHERS),
    CODEC_BOOL(struct till_day, more_epochs),
    CODEC_I64(struct till_day, returns_sent, 0),
    CODEC_U64(struct till_day, closes),
    CODEC_U32(struct till_day, close_state, DAY_OPEN),
    CODEC_I64(struct till_day, close_time, 0),
    CODEC_U64(struct till_day, late),
};

static const struct codec_field till_fields[] = {
    CODEC_U64(struct till_record, closes),
    CODEC_U64(struct till_record, last_close),
};
CODEC_ROWS_ARE_OF(struct till_record, 16);

static const struct codec_field epoch_fields[] = {
    CODEC_ID(struct till_epoch, epoch),
    CODEC_U64(struct till_epoch, first),
    CODEC_U64(struct till_epoch, last),
};

size_t day_counts_encode(const struct day_counts *counts, uint8_t *out, size_t capacity)
{
    return record_write(CODEC_FIELDS(day_counts_fields), counts, out, capacity);
}

bool day_counts_decode(struct state_value value, struct day_counts *out)
{
    out->events[0] = 0;
    return record_read(value, CODEC_FIELDS(day_counts_fields), out);
}

size_t outstanding_encode(millipoints points, uint8_t *out, size_t capacity)
{
    return record_write(CODEC_FIELDS(outstanding_fields), &points, out, capacity);
}

bool outstanding_decode(struct state_value value, millipoints *out)
{
    return record_read(value, CODEC_FIELDS(outstanding_fields), out);
}

size_t cohort_encode(const struct cohort *cohort, uint8_t *out, size_t capacity)
{
    return record_write(CODEC_FIELDS(cohort_fields), cohort, out, capacity);
}

bool cohort_decode(struct state_value value, struct cohort *out)
{
    return record_read(value, CODEC_FIELDS(cohort_fields), out);
}

size_t till_day_encode(const struct till_day *day, uint8_t *out, size_t capacity)
{
    struct wire_writer writer = record_begin(out, capacity);
    codec_write(&writer, &record_base, CODEC_FIELDS(till_day_fields), day);
    for (uint32_t i = 0; i < day->epoch_count; i++)
        codec_write(&writer, &record_base, CODEC_FIELDS(epoch_fields), &day->epochs[i]);
    return record_end(&writer);
}

bool till_day_decode(struct state_value value, struct till_day *out)
{
    struct wire_reader reader = record_open(value);
    codec_read(&reader, &record_base, CODEC_FIELDS(till_day_fields), out);
    for (uint32_t i = 0; i < out->epoch_count && !reader.failed; i++)
        codec_read(&reader, &record_base, CODEC_FIELDS(epoch_fields), &out->epochs[i]);
    return wire_read_done(&reader);
}

size_t till_encode(const struct till_record *till, uint8_t *out, size_t capacity)
{
    return record_write(CODEC_FIELDS(till_fields), till, out, capacity);
}

bool till_decode(struct state_value value, struct till_record *out)
{
    return record_read(value, CODEC_FIELDS(till_fields), out);
}
