#include "random_maker.h"

static uint32_t make_sale_lines(struct maker *maker)
{
    uint32_t count = any_count(maker, LINES_MAX);
    for (uint32_t i = 0; i < count; i++) {
        minor_units amount = any_within(maker, AMOUNT_MAX);
        maker->room->arrays.sale_lines[i] =
            (struct sale_line){ .code = any_text(maker),
                                .category = any_text(maker),
                                .kind = (enum line_kind)any_up_to(maker, LINE_STORED_VALUE),
                                .quantity = any_within(maker, QUANTITY_MAX),
                                .amount = amount,
                                .tax = any_within(maker, AMOUNT_MAX),
                                .base = any_bool(maker) ? -any_within(maker, AMOUNT_MAX) : amount };
    }
    return count;
}

static void make_redemption(struct maker *maker, struct redemption *out)
{
    *out = (struct redemption){ .reward = any_u64(maker),
                                .kind = any_up_to(maker, REWARD_GIFT),
                                .quantity = any_u32(maker),
                                .points = any_i64(maker),
                                .stamps = any_i64(maker),
                                .purse = any_u64(maker),
                                .worth = any_i64(maker),
                                .shortfall = any_i64(maker),
                                .line = any_up_to(maker, LINES_MAX),
                                .hold = any_u64(maker),
                                .change_first = any_up_to(maker, EFFECT_LOT_CHANGES_MAX),
                                .change_count = any_up_to(maker, EFFECT_LOT_CHANGES_MAX) };
}

static void make_purchase_lists(struct maker *maker, struct purchase *out)
{
    for (uint32_t i = 0; i < out->tender_count; i++)
        out->tenders[i] = (struct tender){ .kind = any_text(maker), .amount = any_i64(maker) };
    for (uint32_t i = 0; i < out->coupon_count; i++)
        out->coupons[i] = any_text(maker);
    for (uint32_t i = 0; i < out->part_count; i++) {
        out->parts[i] = (struct award_part){ .rule = any_u32(maker),
                                             .kind = (enum part_kind)any_from_one(maker, PART_CAP_BALANCE),
                                             .input = any_i64(maker),
                                             .exact = any_i64(maker),
                                             .result = any_i64(maker) };
        if (any_bool(maker))
            out->parts[i].exact = out->parts[i].result;
    }
    for (uint32_t i = 0; i < out->redemption_count; i++)
        make_redemption(maker, &out->redemptions[i]);
}

static void make_purchase(struct maker *maker, struct purchase *out)
{
    struct event_memory *arrays = &maker->room->arrays;
    *out = (struct purchase){ .amount = any_i64(maker),
                              .base = any_i64(maker),
                              .paid = any_i64(maker),
                              .programme_version = any_u32(maker),
                              .tier = any_bool(maker) ? any_u64(maker) : 0,
                              .earned = any_i64(maker),
                              .trimmed = any_i64(maker),
                              .settled = any_i64(maker),
                              .lot = any_u32(maker),
                              .day = any_day(maker),
                              .matures = any_day(maker),
                              .last_day = any_day(maker),
                              .lines = arrays->sale_lines,
                              .line_count = make_sale_lines(maker),
                              .tenders = arrays->tenders,
                              .tender_count = any_count(maker, TENDERS_MAX),
                              .coupons = arrays->coupons,
                              .coupon_count = any_count(maker, COUPONS_MAX),
                              .parts = arrays->parts,
                              .part_count = any_count(maker, AWARD_PARTS_MAX),
                              .redemptions = arrays->redemptions,
                              .redemption_count = any_count(maker, REDEMPTIONS_MAX) };
    make_purchase_lists(maker, out);
}

static void make_goods_lists(struct maker *maker, struct goods_return *out)
{
    for (uint32_t i = 0; i < STAMP_PARTS_MAX; i++)
        out->stamps_back[i] = any_bool(maker) ? any_i64(maker) : 0;
    for (uint32_t i = 0; i < out->line_count; i++) {
        out->lines[i] = (struct returned_line){ .line = any_up_to(maker, LINES_MAX),
                                                .quantity = any_within(maker, QUANTITY_MAX),
                                                .by_amount = any_within(maker, QUANTITY_MAX) };
    }
    for (uint32_t i = 0; i < out->back_count; i++) {
        out->backs[i] = (struct redemption_back){ .redemption = any_u64(maker),
                                                  .index = any_up_to(maker, REDEMPTIONS_MAX - 1),
                                                  .points = any_i64(maker),
                                                  .of_points = any_i64(maker),
                                                  .stamps = any_i64(maker),
                                                  .quantity = any_u32(maker),
                                                  .reward = any_u64(maker) };
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
                                  .expired = any_i64(maker),
                                  .shortfall = any_i64(maker),
                                  .own_taken = any_i64(maker),
                                  .owed_again = any_i64(maker),
                                  .base_back = any_i64(maker),
                                  .visit_back = any_bool(maker),
                                  .uses_back = any_u64(maker),
                                  .lines = maker->room->arrays.returned_lines,
                                  .line_count = any_count(maker, LINES_MAX),
                                  .sale_lines = maker->room->arrays.sale_lines,
                                  .sale_line_count = make_sale_lines(maker),
                                  .backs = maker->room->arrays.backs,
                                  .back_count = any_count(maker, SPENT_BACK_MAX) };
    make_goods_lists(maker, out);
}

void make_document(struct maker *maker, struct document *out)
{
    *out = (struct document){ .kind = (enum document_kind)any_up_to(maker, DOCUMENT_RETURN),
                              .store = any_text(maker),
                              .till = any_text(maker),
                              .business_date = any_day(maker),
                              .number = any_text(maker) };
}

static void make_cards_issued(struct maker *maker, struct event *out)
{
    out->cards_issued.first_account = any_u64(maker);
    out->cards_issued.first_card = any_u64(maker);
    out->cards_issued.count = any_u32(maker);
    out->cards_issued.check = any_u32(maker);
    out->cards_issued.joins = any_bool(maker);
    out->cards_issued.numbers = any_text(maker);
    out->cards_issued.welcome = (struct lot){ .number = any_u32(maker),
                                              .by_purchase = any_bool(maker),
                                              .pending = any_bool(maker),
                                              .counts = any_bool(maker),
                                              .inactive_months = (uint8_t)any_u32(maker),
                                              .points = any_i64(maker),
                                              .held = any_i64(maker),
                                              .earned = any_day(maker),
                                              .matures = any_day(maker),
                                              .last_day = any_day(maker) };
}

static void make_reversal(struct maker *maker, struct event *out)
{
    out->reversal.original.identity = any_u64(maker);
    out->reversal.original.epoch = any_u64(maker);
    out->reversal.original.number = any_u64(maker);
    out->reversal.of = any_u64(maker);
    out->reversal.type = (enum event_type)any_up_to(maker, EVENT_TYPE_MAX);
    out->reversal.outcome = (enum reversal_outcome)any_from_one(maker, REVERSAL_TOMBSTONE);
    out->reversal.given = any_i64(maker);
    out->reversal.taken = any_i64(maker);
    make_document(maker, &out->reversal.frees);
    out->reversal.undoes_return = any_bool(maker);
    if (any_bool(maker))
        make_goods_return(maker, &out->reversal.goods);
}

static void make_waiting(struct maker *maker, struct event *out)
{
    make_document(maker, &out->waiting.sale);
    out->waiting.previous = any_u64(maker);
    out->waiting.card = any_text(maker);
    out->waiting.amount = any_i64(maker);
    out->waiting.lines = maker->room->arrays.waiting_lines;
    out->waiting.line_count = any_count(maker, LINES_MAX);
    for (uint32_t i = 0; i < out->waiting.line_count; i++) {
        out->waiting.lines[i] = (struct waiting_line){ .number = any_up_to(maker, LINES_MAX),
                                                       .quantity = any_within(maker, QUANTITY_MAX),
                                                       .code = any_text(maker) };
    }
}

/* What is about cards and accounts, not about goods. False: it is about something else. */
static bool make_act(struct maker *maker, struct event *out)
{
    switch ((int)out->type) {
    case EVENT_CARD_ADDED:
        out->card_added.number = any_text(maker);
        out->card_added.card = any_u64(maker);
        return true;
    case EVENT_CARD_STATUS:
        out->card_status.number = any_text(maker);
        out->card_status.before = (enum card_status)any_from_one(maker, CARD_SUSPENSE);
        out->card_status.after = (enum card_status)any_from_one(maker, CARD_SUSPENSE);
        out->card_status.reason = any_text(maker);
        out->card_status.forfeited = any_i64(maker);
        return true;
    case EVENT_CARD_REPLACED:
        out->card_replaced.old_number = any_text(maker);
        out->card_replaced.new_number = any_text(maker);
        out->card_replaced.new_card = any_u64(maker);
        out->card_replaced.reason = any_text(maker);
        return true;
    case EVENT_MERGE:
        out->merge.source = any_u64(maker);
        out->merge.target = any_u64(maker);
        out->merge.reason = any_text(maker);
        return true;
    case EVENT_TRANSFER:
        out->transfer.points = any_i64(maker);
        out->transfer.reason = any_text(maker);
        out->transfer.note = any_text(maker);
        return true;
    case EVENT_TAGS:
    case EVENT_ACTIVATION:
    case EVENT_PIN_SET:
    case EVENT_PIN_TRY:
        out->account_act.reason = any_text(maker);
        return true;
    default:
        return false;
    }
}

/* What the office does to points. False: it is something else. */
static bool make_office(struct maker *maker, struct event *out)
{
    switch ((int)out->type) {
    case EVENT_ADJUSTMENT:
        out->adjustment.points = any_i64(maker);
        out->adjustment.reason = any_text(maker);
        out->adjustment.note = any_text(maker);
        return true;
    case EVENT_BONUS:
        out->bonus.points = any_i64(maker);
        out->bonus.reason = any_text(maker);
        out->bonus.note = any_text(maker);
        out->bonus.programme_version = any_u32(maker);
        return true;
    case EVENT_WRITE_OFF:
        out->write_off.points = any_i64(maker);
        out->write_off.reason = any_text(maker);
        out->write_off.note = any_text(maker);
        return true;
    case EVENT_AWARD_MOVED:
        out->award_moved.sale = any_u64(maker);
        out->award_moved.lot = any_u32(maker);
        out->award_moved.points = any_i64(maker);
        out->award_moved.settled = any_i64(maker);
        out->award_moved.expired = any_i64(maker);
        out->award_moved.reason = any_text(maker);
        return true;
    default:
        return false;
    }
}

static struct day_figures any_figures(struct maker *maker)
{
    return (struct day_figures){ .purchases = any_u64(maker),
                                 .returns = any_u64(maker),
                                 .reversals = any_u64(maker),
                                 .purchase_amount = any_i64(maker),
                                 .return_amount = any_i64(maker),
                                 .hash = any_u64(maker) };
}

static void make_day_close(struct maker *maker, struct event *out)
{
    out->day_close.number = any_u64(maker);
    out->day_close.state = any_up_to(maker, DAY_OPEN);
    out->day_close.queued = any_u64(maker);
    out->day_close.late = any_u64(maker);
    out->day_close.said = any_figures(maker);
    out->day_close.booked = any_figures(maker);
    out->day_close.head = any_u64(maker);
    any_bytes(maker, out->day_close.head_hash, sizeof(out->day_close.head_hash));
}

/* What happens without goods, cards and the office. False: it is something else. */
static bool make_other(struct maker *maker, struct event *out)
{
    switch ((int)out->type) {
    case EVENT_TERM:
        out->term.old_term = any_u64(maker);
        out->term.new_term = any_u64(maker);
        out->term.old_position = any_u64(maker);
        any_bytes(maker, out->term.old_hash, sizeof(out->term.old_hash));
        out->term.who = any_text(maker);
        out->term.why = any_text(maker);
        return true;
    case EVENT_PROGRAMME:
        out->programme.version = any_u32(maker);
        out->programme.from = any_i64(maker);
        out->programme.text = any_text(maker);
        return true;
    case EVENT_REFUSAL:
        out->refusal.result = any_u32(maker);
        out->refusal.account = any_u64(maker);
        return true;
    case EVENT_TIE:
        out->tie.first = any_u64(maker);
        return true;
    case EVENT_CLOCK_ACCEPTED:
        out->clock.before = any_i64(maker);
        out->clock.after = any_i64(maker);
        return true;
    case EVENT_DAY:
        out->day_run.expired = any_i64(maker);
        out->day_run.matured = any_i64(maker);
        out->day_run.tier_before = any_u64(maker);
        out->day_run.tier_after = any_u64(maker);
        return true;
    case EVENT_DAY_CLOSE:
        make_day_close(maker, out);
        return true;
    default:
        return false;
    }
}

static void make_identity(struct maker *maker, struct event *out)
{
    struct identity *after = &out->identity.after;
    out->identity.act = (enum identity_act)any_from_one(maker, IDENTITY_ACT_ENROL);
    out->identity.reason = any_text(maker);
    *after = (struct identity){ .number = any_u64(maker),
                                .role = any_up_to(maker, UINT8_MAX),
                                .status = any_up_to(maker, IDENTITY_REVOKED),
                                .proof = any_up_to(maker, PROOF_PSK),
                                .name = any_text(maker),
                                .store = any_text(maker),
                                .till = any_text(maker),
                                .added = any_i64(maker),
                                .enrolled = any_i64(maker),
                                .key_ends = any_i64(maker),
                                .key_version = any_u32(maker),
                                .psk_master = any_u32(maker),
                                .code_handle = any_u32(maker),
                                .code_ends = any_i64(maker) };
    any_bytes(maker, after->key, sizeof(after->key));
    any_bytes(maker, after->code_salt, sizeof(after->code_salt));
    any_bytes(maker, after->code_key, sizeof(after->code_key));
}

static void make_proposal(struct maker *maker, struct event *out)
{
    out->proposal.operation = any_up_to(maker, UINT16_MAX);
    out->proposal.flags = any_up_to(maker, UINT16_MAX);
    out->proposal.body = any_text(maker);
    out->proposal.deadline = any_i64(maker);
    out->proposal.account = any_u64(maker);
    out->proposal.card = any_text(maker);
    out->proposal.points = any_i64(maker);
    out->proposal.amount = any_i64(maker);
    out->proposal.reason = any_text(maker);
    out->proposal.note = any_text(maker);
}

static void make_attempts(struct maker *maker, struct event *out)
{
    out->attempts.kind = (enum attempt_kind)any_from_one(maker, ATTEMPT_RATE);
    out->attempts.source = any_text(maker);
    out->attempts.identity = any_u64(maker);
    out->attempts.count = any_u64(maker);
    out->attempts.first = any_i64(maker);
    out->attempts.last = any_i64(maker);
    out->attempts.detail = any_text(maker);
}

/* Who may do what, and who did it. False: it is something else. */
static bool make_register(struct maker *maker, struct event *out)
{
    switch ((int)out->type) {
    case EVENT_IDENTITY:
        make_identity(maker, out);
        return true;
    case EVENT_PROPOSAL:
        make_proposal(maker, out);
        return true;
    case EVENT_PROPOSAL_ENDED:
        out->proposal_ended.proposal = any_u64(maker);
        out->proposal_ended.state = (enum proposal_state)any_from_one(maker, PROPOSAL_EXPIRED);
        out->proposal_ended.note = any_text(maker);
        return true;
    case EVENT_ATTEMPTS:
        make_attempts(maker, out);
        return true;
    case EVENT_ALARM:
        out->alarm.identity = any_u64(maker);
        out->alarm.detail = any_text(maker);
        return true;
    case EVENT_FLAG_RESOLVED:
        out->flag_resolved.flag = any_u64(maker);
        out->flag_resolved.note = any_text(maker);
        return true;
    case EVENT_SEAL:
        out->seal.head = any_u64(maker);
        out->seal.key_number = any_u64(maker);
        any_bytes(maker, out->seal.head_hash, sizeof(out->seal.head_hash));
        any_bytes(maker, out->seal.lineage, sizeof(out->seal.lineage));
        any_bytes(maker, out->seal.mac, sizeof(out->seal.mac));
        return true;
    default:
        return false;
    }
}

void make_detail(struct maker *maker, struct event *out)
{
    if (make_act(maker, out) || make_office(maker, out) || make_other(maker, out) ||
        make_register(maker, out))
        return;
    switch ((int)out->type) {
    case EVENT_CARDS_ISSUED:
        make_cards_issued(maker, out);
        break;
    case EVENT_PURCHASE:
        make_purchase(maker, &out->purchase);
        break;
    case EVENT_RETURN:
    case EVENT_UNLINKED_RETURN:
        make_goods_return(maker, &out->goods_return);
        break;
    case EVENT_REDEMPTION:
    case EVENT_CAPTURE:
        make_redemption(maker, &out->redemption.made);
        out->redemption.sale = any_u64(maker);
        break;
    case EVENT_HOLD:
        make_redemption(maker, &out->hold.wanted);
        out->hold.deadline = any_i64(maker);
        break;
    case EVENT_RELEASE:
        out->release.hold = any_u64(maker);
        out->release.timed_out = any_bool(maker);
        out->release.reward = any_u64(maker);
        out->release.quantity = any_u32(maker);
        break;
    case EVENT_REVERSAL:
    case EVENT_TOMBSTONE:
        make_reversal(maker, out);
        break;
    case EVENT_RETURN_WAITING:
        make_waiting(maker, out);
        break;
    default:
        fail_msg("nothing makes an event of type %d", (int)out->type);
    }
}
