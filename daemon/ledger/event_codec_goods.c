#include "ledger/codec_unrolled.h"
#include "ledger/event_parts.h"

/* Limits of lines are those that requests have. */
static const struct codec_field sale_line_fields[] = {
    CODEC_CODE(struct sale_line, code),
    CODEC_CODE(struct sale_line, category),
    CODEC_I64(struct sale_line, amount, AMOUNT_MAX),
    CODEC_I64(struct sale_line, quantity, QUANTITY_MAX),
    CODEC_I64(struct sale_line, tax, AMOUNT_MAX),
    CODEC_I64_BESIDE(struct sale_line, base, amount, AMOUNT_MAX),
    CODEC_U32(struct sale_line, kind, LINE_STORED_VALUE),
};
CODEC_ROWS_ARE_OF(struct sale_line, 72);

static const struct codec_field returned_line_fields[] = {
    CODEC_U32(struct returned_line, line, LINES_MAX),
    CODEC_I64(struct returned_line, quantity, QUANTITY_MAX),
    CODEC_I64(struct returned_line, by_amount, QUANTITY_MAX),
};
CODEC_ROWS_ARE_OF(struct returned_line, 24);

static const struct codec_field tender_fields[] = {
    CODEC_CODE(struct tender, kind),
    CODEC_I64(struct tender, amount, 0),
};
CODEC_ROWS_ARE_OF(struct tender, 24);

static const struct codec_field coupon_fields[] = { CODEC_CODE_ITSELF };

static const struct codec_field award_part_fields[] = {
    CODEC_U32(struct award_part, rule, UINT32_MAX),
    CODEC_ENUM(struct award_part, kind, PART_CAP_BALANCE),
    CODEC_I64(struct award_part, input, 0),
    CODEC_I64(struct award_part, result, 0),
    CODEC_I64_BESIDE(struct award_part, exact, result, 0),
};
CODEC_ROWS_ARE_OF(struct award_part, 32);

static const struct codec_field redemption_fields[] = {
    CODEC_I64(struct redemption, points, 0),
    CODEC_I64(struct redemption, worth, 0),
    CODEC_U32(struct redemption, change_count, EFFECT_LOT_CHANGES_MAX),
    CODEC_U32(struct redemption, change_first, EFFECT_LOT_CHANGES_MAX),
    CODEC_ID(struct redemption, reward),
    CODEC_U32(struct redemption, kind, REWARD_GIFT),
    CODEC_U32(struct redemption, quantity, UINT32_MAX),
    CODEC_I64(struct redemption, stamps, 0),
    CODEC_ID(struct redemption, purse),
    CODEC_U64(struct redemption, hold),
    CODEC_U32(struct redemption, line, LINES_MAX),
    CODEC_I64(struct redemption, shortfall, 0),
};
CODEC_ROWS_ARE_OF(struct redemption, 80);

static const struct codec_field back_fields[] = {
    CODEC_U64(struct redemption_back, redemption),
    CODEC_U32(struct redemption_back, index, REDEMPTIONS_MAX - 1),
    CODEC_I64(struct redemption_back, points, 0),
    CODEC_I64_BESIDE(struct redemption_back, of_points, points, 0),
    CODEC_I64(struct redemption_back, stamps, 0),
    CODEC_U32(struct redemption_back, quantity, UINT32_MAX),
    CODEC_ID(struct redemption_back, reward),
};
CODEC_ROWS_ARE_OF(struct redemption_back, 56);

static const struct codec_field purchase_fields[] = {
    CODEC_I64(struct purchase, amount, 0),
    CODEC_I64(struct purchase, earned, 0),
    CODEC_U32(struct purchase, programme_version, UINT32_MAX),
    CODEC_U32(struct purchase, lot, UINT32_MAX),
    CODEC_DAY(struct purchase, day),
    CODEC_DAY(struct purchase, last_day),
    CODEC_U32(struct purchase, part_count, AWARD_PARTS_MAX),
    CODEC_U32(struct purchase, line_count, LINES_MAX),
    CODEC_U32(struct purchase, tender_count, TENDERS_MAX),
    CODEC_I64_BESIDE(struct purchase, base, amount, 0),
    CODEC_DAY_BESIDE(struct purchase, matures, day),
    CODEC_ID_BASE(struct purchase, tier),
    CODEC_U32(struct purchase, redemption_count, REDEMPTIONS_MAX),
    CODEC_I64(struct purchase, paid, 0),
    CODEC_U32(struct purchase, coupon_count, COUPONS_MAX),
    CODEC_I64(struct purchase, trimmed, 0),
    CODEC_I64(struct purchase, settled, 0),
};
CODEC_ROWS_ARE_OF(struct purchase, 160);

#define STAMPS_BACK(i) CODEC_I64(struct goods_return, stamps_back[i], 0)
static const struct codec_field goods_return_fields[] = {
    CODEC_U64(struct goods_return, sale),
    CODEC_I64(struct goods_return, amount, 0),
    CODEC_U32(struct goods_return, programme_version, UINT32_MAX),
    CODEC_I64(struct goods_return, due, 0),
    CODEC_I64_BESIDE(struct goods_return, taken, due, 0),
    CODEC_I64_BESIDE(struct goods_return, own_taken, taken, 0),
    CODEC_U32(struct goods_return, line_count, LINES_MAX),
    CODEC_BOOL(struct goods_return, by_amount),
    CODEC_I64(struct goods_return, base_back, 0),
    CODEC_BOOL(struct goods_return, visit_back),
    CODEC_I64(struct goods_return, given_back, 0),
    CODEC_I64(struct goods_return, shortfall, 0),
    CODEC_I64(struct goods_return, expired, 0),
    CODEC_I64(struct goods_return, owed_again, 0),
    CODEC_U32(struct goods_return, back_count, SPENT_BACK_MAX),
    CODEC_U32(struct goods_return, sale_line_count, LINES_MAX),
    CODEC_U64(struct goods_return, uses_back),
    STAMPS_BACK(0),
    STAMPS_BACK(1),
    STAMPS_BACK(2),
    STAMPS_BACK(3),
    STAMPS_BACK(4),
    STAMPS_BACK(5),
    STAMPS_BACK(6),
    STAMPS_BACK(7),
};
CODEC_ROWS_ARE_OF(struct goods_return, 216);
static_assert(STAMP_PARTS_MAX == 8, "each has its row above");

static void write_sale_line(struct wire_writer *writer, const struct codec_base *base,
                            const struct sale_line *line)
{
    codec_write_unrolled(writer, base, CODEC_FIELDS(sale_line_fields), line);
}

void purchase_write(struct wire_writer *writer, const struct codec_base *base,
                    const struct purchase *purchase)
{
    codec_write_unrolled(writer, base, CODEC_FIELDS(purchase_fields), purchase);
    for (uint32_t i = 0; i < purchase->line_count; i++)
        write_sale_line(writer, base, &purchase->lines[i]);
    for (uint32_t i = 0; i < purchase->tender_count; i++)
        codec_write_unrolled(writer, base, CODEC_FIELDS(tender_fields), &purchase->tenders[i]);
    for (uint32_t i = 0; i < purchase->coupon_count; i++)
        codec_write(writer, base, CODEC_FIELDS(coupon_fields), &purchase->coupons[i]);
    for (uint32_t i = 0; i < purchase->part_count; i++)
        codec_write_unrolled(writer, base, CODEC_FIELDS(award_part_fields), &purchase->parts[i]);
    for (uint32_t i = 0; i < purchase->redemption_count; i++)
        redemption_write(writer, base, &purchase->redemptions[i]);
}

static void read_sale_lines(struct wire_reader *reader, const struct codec_base *base, uint32_t count,
                            struct sale_line *out)
{
    for (uint32_t i = 0; i < count && !reader->failed; i++)
        codec_read_unrolled(reader, base, CODEC_FIELDS(sale_line_fields), &out[i]);
}

void purchase_read(struct wire_reader *reader, const struct codec_base *base, struct event_memory *memory,
                   struct purchase *out)
{
    codec_read_unrolled(reader, base, CODEC_FIELDS(purchase_fields), out);
    out->lines = memory->sale_lines;
    read_sale_lines(reader, base, out->line_count, out->lines);
    out->tenders = memory->tenders;
    for (uint32_t i = 0; i < out->tender_count && !reader->failed; i++)
        codec_read(reader, base, CODEC_FIELDS(tender_fields), &out->tenders[i]);
    out->coupons = memory->coupons;
    for (uint32_t i = 0; i < out->coupon_count && !reader->failed; i++)
        codec_read(reader, base, CODEC_FIELDS(coupon_fields), &out->coupons[i]);
    out->parts = memory->parts;
    for (uint32_t i = 0; i < out->part_count && !reader->failed; i++)
        codec_read_unrolled(reader, base, CODEC_FIELDS(award_part_fields), &out->parts[i]);
    out->redemptions = memory->redemptions;
    for (uint32_t i = 0; i < out->redemption_count && !reader->failed; i++)
        redemption_read(reader, base, &out->redemptions[i]);
}

void goods_return_write(struct wire_writer *writer, const struct codec_base *base,
                        const struct goods_return *goods)
{
    codec_write(writer, base, CODEC_FIELDS(goods_return_fields), goods);
    for (uint32_t i = 0; i < goods->line_count; i++)
        codec_write(writer, base, CODEC_FIELDS(returned_line_fields), &goods->lines[i]);
    for (uint32_t i = 0; i < goods->sale_line_count; i++)
        write_sale_line(writer, base, &goods->sale_lines[i]);
    for (uint32_t i = 0; i < goods->back_count; i++)
        codec_write(writer, base, CODEC_FIELDS(back_fields), &goods->backs[i]);
}

void goods_return_read(struct wire_reader *reader, const struct codec_base *base, struct event_memory *memory,
                       struct goods_return *out)
{
    codec_read(reader, base, CODEC_FIELDS(goods_return_fields), out);
    out->lines = memory->returned_lines;
    for (uint32_t i = 0; i < out->line_count && !reader->failed; i++)
        codec_read(reader, base, CODEC_FIELDS(returned_line_fields), &out->lines[i]);
    out->sale_lines = memory->sale_lines;
    read_sale_lines(reader, base, out->sale_line_count, out->sale_lines);
    out->backs = memory->backs;
    for (uint32_t i = 0; i < out->back_count && !reader->failed; i++)
        codec_read(reader, base, CODEC_FIELDS(back_fields), &out->backs[i]);
}

void redemption_write(struct wire_writer *writer, const struct codec_base *base,
                      const struct redemption *redemption)
{
    codec_write(writer, base, CODEC_FIELDS(redemption_fields), redemption);
}

void redemption_read(struct wire_reader *reader, const struct codec_base *base, struct redemption *out)
{
    codec_read(reader, base, CODEC_FIELDS(redemption_fields), out);
}
