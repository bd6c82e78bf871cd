#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "random_event.h"

/* What is being made, so that each maker takes one argument. */
struct maker {
    struct random *random;
    struct random_event_room *room;
    bool largest;
};

/* Of every length: as many bits as chance says. */
static uint64_t any_u64(struct maker *maker)
{
    return maker->largest ? UINT64_MAX : random_u64(maker->random) >> random_below(maker->random, 64);
}

static int64_t any_i64(struct maker *maker)
{
    int64_t value = maker->largest ? INT64_MIN : (int64_t)any_u64(maker);
    return maker->largest || random_below(maker->random, 2) == 0 ? value : -(value >> 1);
}

static uint32_t any_u32(struct maker *maker)
{
    return (uint32_t)any_u64(maker);
}

static bool any_bool(struct maker *maker)
{
    return maker->largest || random_below(maker->random, 2) == 1;
}

/* A time whose difference from any other fits. */
static utc_us any_time(struct maker *maker)
{
    return any_i64(maker) / 4;
}

static local_day any_day(struct maker *maker)
{
    return (local_day)(any_u32(maker) >> 1);
}

static local_day any_last_day(struct maker *maker)
{
    return random_below(maker->random, 3) == 0 ? DAY_NEVER : any_day(maker) / 2;
}

static minor_units any_amount(struct maker *maker)
{
    return maker->largest ? -AMOUNT_MAX : any_i64(maker) % (AMOUNT_MAX + 1);
}

static uint32_t any_count(struct maker *maker, uint32_t max)
{
    return maker->largest ? max : (uint32_t)random_below(maker->random, 4);
}

/* A run of the room's letters: as long as a code may be. */
static struct text any_text(struct maker *maker)
{
    size_t size = maker->largest ? 32 : random_below(maker->random, 33);
    size_t from = random_below(maker->random, sizeof(maker->room->letters) - 32);
    return (struct text){ maker->room->letters + from, size };
}

static void any_bytes(struct maker *maker, uint8_t *out, size_t size)
{
    for (size_t i = 0; i < size; i++)
        out[i] = (uint8_t)random_u64(maker->random);
}

static void make_lot_change(struct maker *maker, struct lot_change *out)
{
    *out = (struct lot_change){ .kind = (enum lot_change_kind)(LOT_ADD + random_below(maker->random, 3)),
                                .by_purchase = any_bool(maker),
                                .lot = any_u32(maker) };
    if (out->kind == LOT_JOIN)
        out->into = any_u32(maker);
    else
        out->points = any_i64(maker);
    if (out->kind != LOT_TAKE) {
        out->matures = any_day(maker);
        out->last_day = any_last_day(maker);
    }
}

static void make_effect(struct maker *maker, struct lot_change *changes, struct effect *out)
{
    *out = (struct effect){ .account = any_u64(maker),
                            .previous = any_u64(maker),
                            .change = any_i64(maker),
                            .balance = any_i64(maker),
                            .lifetime_change = any_i64(maker),
                            .debt_added = any_i64(maker),
                            .debt_settled = any_i64(maker),
                            .is_purchase = any_bool(maker),
                            .lot_change_count = any_count(maker, EFFECT_LOT_CHANGES_MAX),
                            .lot_changes = changes };
    for (uint32_t i = 0; i < out->lot_change_count; i++)
        make_lot_change(maker, &changes[i]);
}

static uint32_t make_sale_lines(struct maker *maker)
{
    uint32_t count = any_count(maker, LINES_MAX);
    for (uint32_t i = 0; i < count; i++) {
        minor_units amount = any_amount(maker);
        maker->room->arrays.sale_lines[i] =
            (struct sale_line){ .code = any_text(maker),
                                .category = any_text(maker),
                                .kind = (enum line_kind)random_below(maker->random, LINE_STORED_VALUE + 1),
                                .quantity = any_i64(maker),
                                .amount = amount,
                                .tax = any_i64(maker),
                                .base = amount - any_amount(maker) };
    }
    return count;
}

static void make_purchase(struct maker *maker, struct purchase *out)
{
    struct event_memory *arrays = &maker->room->arrays;
    *out = (struct purchase){ .amount = any_i64(maker),
                              .base = any_i64(maker),
                              .programme_version = any_u32(maker),
                              .tier = any_u32(maker),
                              .earned = any_i64(maker),
                              .trimmed = any_i64(maker),
                              .settled = any_i64(maker),
                              .lot = any_u32(maker),
                              .matures = any_day(maker),
                              .last_day = any_last_day(maker),
                              .lines = arrays->sale_lines,
                              .line_count = make_sale_lines(maker),
                              .tenders = arrays->tenders,
                              .tender_count = any_count(maker, TENDERS_MAX),
                              .coupons = arrays->coupons,
                              .coupon_count = any_count(maker, COUPONS_MAX),
                              .part_count = any_count(maker, AWARD_PARTS_MAX) };
    for (uint32_t i = 0; i < out->tender_count; i++)
        out->tenders[i] = (struct tender){ .kind = any_text(maker), .amount = any_i64(maker) };
    for (uint32_t i = 0; i < out->coupon_count; i++)
        out->coupons[i] = any_text(maker);
    for (uint32_t i = 0; i < out->part_count; i++) {
        out->parts[i] = (struct award_part){ .rule = any_u32(maker),
                                             .kind = any_u32(maker),
                                             .input = any_i64(maker),
                                             .exact = any_i64(maker),
                                             .result = any_i64(maker) };
    }
}

static void make_goods_return(struct maker *maker, struct goods_return *out)
{
    *out = (struct goods_return){ .sale = any_u64(maker),
                                  .amount = any_i64(maker),
                                  .by_amount = any_bool(maker),
                                  .programme_version = any_u32(maker),
                                  .due = any_i64(maker),
                                  .taken = any_i64(maker),
                                  .given_back = any_i64(maker),
                                  .shortfall = any_i64(maker),
                                  .own_taken = any_i64(maker),
                                  .lines = maker->room->arrays.returned_lines,
                                  .line_count = any_count(maker, LINES_MAX),
                                  .sale_lines = maker->room->arrays.sale_lines,
                                  .sale_line_count = make_sale_lines(maker) };
    for (uint32_t i = 0; i < out->line_count; i++) {
        out->lines[i] = (struct returned_line){ .line = any_u32(maker),
                                                .quantity = any_i64(maker),
                                                .by_amount = any_i64(maker) };
    }
}

static void make_detail(struct maker *maker, struct event *out)
{
    switch (out->type) {
    case EVENT_TERM:
        out->term.old_term = any_u64(maker);
        out->term.new_term = any_u64(maker);
        out->term.old_position = any_u64(maker);
        any_bytes(maker, out->term.old_hash, sizeof(out->term.old_hash));
        out->term.who = any_text(maker);
        out->term.why = any_text(maker);
        break;
    case EVENT_PROGRAMME:
        out->programme.version = any_u32(maker);
        out->programme.from = any_i64(maker);
        out->programme.text = any_text(maker);
        break;
    case EVENT_CARDS_ISSUED:
        out->cards_issued.first_account = any_u64(maker);
        out->cards_issued.first_card = any_u64(maker);
        out->cards_issued.count = any_u32(maker);
        out->cards_issued.check = any_u32(maker);
        out->cards_issued.numbers = any_text(maker);
        break;
    case EVENT_PURCHASE:
        make_purchase(maker, &out->purchase);
        break;
    case EVENT_RETURN:
    case EVENT_UNLINKED_RETURN:
        make_goods_return(maker, &out->goods_return);
        break;
    case EVENT_REDEMPTION:
        out->redemption.points = any_i64(maker);
        out->redemption.worth = any_i64(maker);
        break;
    case EVENT_ADJUSTMENT:
        out->adjustment.points = any_i64(maker);
        out->adjustment.reason = any_text(maker);
        out->adjustment.note = any_text(maker);
        break;
    case EVENT_REFUSAL:
        out->refusal.result = any_u32(maker);
        out->refusal.account = any_u64(maker);
        break;
    case EVENT_TIE:
        out->tie.first = any_u64(maker);
        break;
    case EVENT_CLOCK_ACCEPTED:
        out->clock.before = any_i64(maker);
        out->clock.after = any_i64(maker);
        break;
    }
}

/* Each part is there or not; what is not there must be empty in all its fields to come back alike. */
static void make_parts(struct maker *maker, struct event *out)
{
    if (any_bool(maker)) {
        out->request.identity = any_u64(maker);
        out->request.epoch = any_u64(maker);
        out->request.number = any_u64(maker) | 1;
        any_bytes(maker, out->request.fingerprint, sizeof(out->request.fingerprint));
    }
    if (any_bool(maker)) {
        any_bytes(maker, out->content, sizeof(out->content));
        out->document = (struct document){ .kind = DOCUMENT_SALE + any_bool(maker),
                                           .store = any_text(maker),
                                           .till = any_text(maker),
                                           .business_date = any_day(maker),
                                           .number = any_text(maker) };
        if (out->document.number.size == 0)
            out->document.number = TEXT_LITERAL("1");
    }
    if (any_bool(maker)) {
        out->store = any_text(maker);
        out->till = any_text(maker);
    }
    if (any_bool(maker))
        out->operator= any_text(maker);
    if (any_bool(maker)) {
        out->answer_type = (uint16_t)any_u64(maker);
        out->answer = any_text(maker);
    }
}

void random_event(struct random *random, enum event_type type, enum random_event_size size,
                  struct random_event_room *room, struct event *out)
{
    struct maker maker = { random, room, size == RANDOM_EVENT_LARGEST };
    for (size_t i = 0; i < sizeof(room->letters); i++)
        room->letters[i] = (char)('!' + i);
    memset(out, 0, sizeof(*out));
    out->type = type;
    out->sequence = any_u64(&maker);
    out->time = any_time(&maker);
    out->occurred = any_time(&maker);
    out->flags = any_u32(&maker);
    out->card = any_u64(&maker);
    make_parts(&maker, out);
    out->effect_count = any_count(&maker, EVENT_EFFECTS_MAX);
    if (out->effect_count > EVENT_EFFECTS_MAX)
        out->effect_count = EVENT_EFFECTS_MAX;
    for (uint32_t i = 0; i < out->effect_count; i++)
        make_effect(&maker, room->arrays.lot_changes[i], &out->effects[i]);
    make_detail(&maker, out);
}

/* Every field by its name. */
#define SAME(field) assert_true(want->field == have->field)
#define SAME_TEXT(field) assert_true(text_equal(want->field, have->field))
#define SAME_BYTES(field) assert_memory_equal(want->field, have->field, sizeof(want->field))

static void assert_same_effect(const struct effect *want, const struct effect *have)
{
    SAME(account);
    SAME(previous);
    SAME(change);
    SAME(balance);
    SAME(lifetime_change);
    SAME(debt_added);
    SAME(debt_settled);
    SAME(is_purchase);
    SAME(lot_change_count);
    for (uint32_t i = 0; i < want->lot_change_count; i++) {
        SAME(lot_changes[i].kind);
        SAME(lot_changes[i].by_purchase);
        SAME(lot_changes[i].lot);
        SAME(lot_changes[i].into);
        SAME(lot_changes[i].points);
        SAME(lot_changes[i].matures);
        SAME(lot_changes[i].last_day);
    }
}

static void assert_same_line(const struct sale_line *want, const struct sale_line *have)
{
    SAME_TEXT(code);
    SAME_TEXT(category);
    SAME(kind);
    SAME(quantity);
    SAME(amount);
    SAME(tax);
    SAME(base);
}

static void assert_same_purchase(const struct purchase *want, const struct purchase *have)
{
    SAME(amount);
    SAME(base);
    SAME(programme_version);
    SAME(tier);
    SAME(earned);
    SAME(trimmed);
    SAME(settled);
    SAME(lot);
    SAME(matures);
    SAME(last_day);
    SAME(line_count);
    for (uint32_t i = 0; i < want->line_count; i++)
        assert_same_line(&want->lines[i], &have->lines[i]);
    SAME(tender_count);
    for (uint32_t i = 0; i < want->tender_count; i++) {
        SAME_TEXT(tenders[i].kind);
        SAME(tenders[i].amount);
    }
    SAME(coupon_count);
    for (uint32_t i = 0; i < want->coupon_count; i++)
        SAME_TEXT(coupons[i]);
    SAME(part_count);
    for (uint32_t i = 0; i < want->part_count; i++) {
        SAME(parts[i].rule);
        SAME(parts[i].kind);
        SAME(parts[i].input);
        SAME(parts[i].exact);
        SAME(parts[i].result);
    }
}

static void assert_same_return(const struct goods_return *want, const struct goods_return *have)
{
    SAME(sale);
    SAME(amount);
    SAME(by_amount);
    SAME(programme_version);
    SAME(due);
    SAME(taken);
    SAME(given_back);
    SAME(shortfall);
    SAME(own_taken);
    SAME(line_count);
    for (uint32_t i = 0; i < want->line_count; i++) {
        SAME(lines[i].line);
        SAME(lines[i].quantity);
        SAME(lines[i].by_amount);
    }
    SAME(sale_line_count);
    for (uint32_t i = 0; i < want->sale_line_count; i++)
        assert_same_line(&want->sale_lines[i], &have->sale_lines[i]);
}

static void assert_same_detail(const struct event *want, const struct event *have)
{
    switch (want->type) {
    case EVENT_TERM:
        SAME(term.old_term);
        SAME(term.new_term);
        SAME(term.old_position);
        SAME_BYTES(term.old_hash);
        SAME_TEXT(term.who);
        SAME_TEXT(term.why);
        break;
    case EVENT_PROGRAMME:
        SAME(programme.version);
        SAME(programme.from);
        SAME_TEXT(programme.text);
        break;
    case EVENT_CARDS_ISSUED:
        SAME(cards_issued.first_account);
        SAME(cards_issued.first_card);
        SAME(cards_issued.count);
        SAME(cards_issued.check);
        SAME_TEXT(cards_issued.numbers);
        break;
    case EVENT_PURCHASE:
        assert_same_purchase(&want->purchase, &have->purchase);
        break;
    case EVENT_RETURN:
    case EVENT_UNLINKED_RETURN:
        assert_same_return(&want->goods_return, &have->goods_return);
        break;
    case EVENT_REDEMPTION:
        SAME(redemption.points);
        SAME(redemption.worth);
        break;
    case EVENT_ADJUSTMENT:
        SAME(adjustment.points);
        SAME_TEXT(adjustment.reason);
        SAME_TEXT(adjustment.note);
        break;
    case EVENT_REFUSAL:
        SAME(refusal.result);
        SAME(refusal.account);
        break;
    case EVENT_TIE:
        SAME(tie.first);
        break;
    case EVENT_CLOCK_ACCEPTED:
        SAME(clock.before);
        SAME(clock.after);
        break;
    }
}

void assert_same_event(const struct event *want, const struct event *have)
{
    SAME(type);
    SAME(sequence);
    SAME(time);
    SAME(occurred);
    SAME(flags);
    SAME(request.identity);
    SAME(request.epoch);
    SAME(request.number);
    SAME_BYTES(request.fingerprint);
    SAME_BYTES(content);
    SAME(document.kind);
    SAME_TEXT(document.store);
    SAME_TEXT(document.till);
    SAME(document.business_date);
    SAME_TEXT(document.number);
    SAME_TEXT(store);
    SAME_TEXT(till);
    SAME_TEXT(operator);
    SAME(card);
    SAME(answer_type);
    SAME_TEXT(answer);
    SAME(effect_count);
    for (uint32_t i = 0; i < want->effect_count; i++)
        assert_same_effect(&want->effects[i], &have->effects[i]);
    assert_same_detail(want, have);
}
