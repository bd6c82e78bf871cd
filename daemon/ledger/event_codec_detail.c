#include "ledger/account_fields.h"
#include "ledger/event_parts.h"

#define DOCUMENT_ROWS(document)                                                                              \
    CODEC_U32(struct event, document.kind, DOCUMENT_RETURN), CODEC_CODE(struct event, document.store),       \
        CODEC_CODE(struct event, document.till), CODEC_DAY(struct event, document.business_date),            \
        CODEC_CODE(struct event, document.number)

static const struct codec_field term_fields[] = {
    CODEC_U64(struct event, term.old_term),     CODEC_U64(struct event, term.new_term),
    CODEC_U64(struct event, term.old_position), CODEC_BYTES(struct event, term.old_hash, 32),
    CODEC_TEXT(struct event, term.who, 0),      CODEC_TEXT(struct event, term.why, 0),
};
static const struct codec_field programme_fields[] = {
    CODEC_U32(struct event, programme.version, UINT32_MAX),
    CODEC_I64(struct event, programme.from, 0),
    CODEC_TEXT(struct event, programme.text, 0),
};
/* cards_issued.number is the first of .numbers. The welcome follows. */
static const struct codec_field cards_issued_fields[] = {
    CODEC_U64(struct event, cards_issued.first_account),
    CODEC_U64(struct event, cards_issued.first_card),
    CODEC_U32(struct event, cards_issued.count, UINT32_MAX),
    CODEC_U32(struct event, cards_issued.check, UINT32_MAX),
    CODEC_BOOL(struct event, cards_issued.joins),
    CODEC_SEALED(struct event, cards_issued.numbers, SEALED_CARD_NUMBERS),
};
/* The redemption follows. */
static const struct codec_field redemption_fields[] = { CODEC_U64(struct event, redemption.sale) };
static const struct codec_field adjustment_fields[] = {
    CODEC_I64(struct event, adjustment.points, 0),
    CODEC_CODE(struct event, adjustment.reason),
    CODEC_SEALED(struct event, adjustment.note, SEALED_NOTE),
};
static const struct codec_field refusal_fields[] = {
    CODEC_U32(struct event, refusal.result, UINT32_MAX),
    CODEC_U64(struct event, refusal.account),
};
static const struct codec_field tie_fields[] = { CODEC_U64(struct event, tie.first) };
static const struct codec_field clock_fields[] = {
    CODEC_I64(struct event, clock.before, 0),
    CODEC_I64(struct event, clock.after, 0),
};
static const struct codec_field day_fields[] = {
    CODEC_I64(struct event, day_run.expired, 0),
    CODEC_I64(struct event, day_run.matured, 0),
    CODEC_ID_BASE(struct event, day_run.tier_before),
    CODEC_ID_BASE(struct event, day_run.tier_after),
};
static const struct codec_field card_added_fields[] = {
    CODEC_SEALED(struct event, card_added.number, SEALED_CARD_NUMBER),
    CODEC_U64(struct event, card_added.card),
};
static const struct codec_field card_status_fields[] = {
    CODEC_SEALED(struct event, card_status.number, SEALED_CARD_NUMBER),
    CODEC_ENUM(struct event, card_status.before, CARD_SUSPENSE),
    CODEC_ENUM(struct event, card_status.after, CARD_SUSPENSE),
    CODEC_CODE(struct event, card_status.reason),
    CODEC_I64(struct event, card_status.forfeited, 0),
};
static const struct codec_field card_replaced_fields[] = {
    CODEC_SEALED(struct event, card_replaced.old_number, SEALED_CARD_NUMBER),
    CODEC_SEALED(struct event, card_replaced.new_number, SEALED_CARD_NUMBER),
    CODEC_U64(struct event, card_replaced.new_card),
    CODEC_CODE(struct event, card_replaced.reason),
};
static const struct codec_field merge_fields[] = {
    CODEC_U64(struct event, merge.source),
    CODEC_U64(struct event, merge.target),
    CODEC_CODE(struct event, merge.reason),
};
static const struct codec_field transfer_fields[] = {
    CODEC_I64(struct event, transfer.points, 0),
    CODEC_CODE(struct event, transfer.reason),
    CODEC_SEALED(struct event, transfer.note, SEALED_NOTE),
};
static const struct codec_field account_act_fields[] = { CODEC_CODE(struct event, account_act.reason) };
/* What is wanted follows. */
static const struct codec_field hold_fields[] = { CODEC_TIME(struct event, hold.deadline) };
static const struct codec_field release_fields[] = {
    CODEC_U64(struct event, release.hold),
    CODEC_BOOL(struct event, release.timed_out),
    CODEC_ID(struct event, release.reward),
    CODEC_U32(struct event, release.quantity, UINT32_MAX),
};
/* The goods follow. */
static const struct codec_field reversal_fields[] = {
    CODEC_U64(struct event, reversal.original.identity),
    CODEC_ID(struct event, reversal.original.epoch),
    CODEC_U64(struct event, reversal.original.number),
    CODEC_U64(struct event, reversal.of),
    CODEC_U32(struct event, reversal.type, EVENT_TYPE_MAX),
    CODEC_ENUM(struct event, reversal.outcome, REVERSAL_TOMBSTONE),
    CODEC_I64(struct event, reversal.given, 0),
    CODEC_I64(struct event, reversal.taken, 0),
    DOCUMENT_ROWS(reversal.frees),
    CODEC_BOOL(struct event, reversal.undoes_return),
};
static const struct codec_field bonus_fields[] = {
    CODEC_I64(struct event, bonus.points, 0),
    CODEC_CODE(struct event, bonus.reason),
    CODEC_SEALED(struct event, bonus.note, SEALED_NOTE),
    CODEC_U32(struct event, bonus.programme_version, UINT32_MAX),
};
static const struct codec_field write_off_fields[] = {
    CODEC_I64(struct event, write_off.points, 0),
    CODEC_CODE(struct event, write_off.reason),
    CODEC_SEALED(struct event, write_off.note, SEALED_NOTE),
};
static const struct codec_field award_moved_fields[] = {
    CODEC_U64(struct event, award_moved.sale),       CODEC_U32(struct event, award_moved.lot, UINT32_MAX),
    CODEC_I64(struct event, award_moved.points, 0),  CODEC_I64(struct event, award_moved.settled, 0),
    CODEC_I64(struct event, award_moved.expired, 0), CODEC_CODE(struct event, award_moved.reason),
};
/* The lines follow. */
static const struct codec_field waiting_fields[] = {
    DOCUMENT_ROWS(waiting.sale),
    CODEC_U64(struct event, waiting.previous),
    CODEC_SEALED(struct event, waiting.card, SEALED_CARD_NUMBER),
    CODEC_I64(struct event, waiting.amount, 0),
    CODEC_U32(struct event, waiting.line_count, LINES_MAX),
};
static const struct codec_field waiting_line_fields[] = {
    CODEC_U32(struct waiting_line, number, LINES_MAX),
    CODEC_I64(struct waiting_line, quantity, QUANTITY_MAX),
    CODEC_CODE(struct waiting_line, code),
};
CODEC_ROWS_ARE_OF(struct waiting_line, 32);

#define FIGURES_ROWS(side)                                                                                   \
    CODEC_U64(struct event, day_close.side.purchases), CODEC_U64(struct event, day_close.side.returns),      \
        CODEC_U64(struct event, day_close.side.reversals),                                                   \
        CODEC_I64(struct event, day_close.side.purchase_amount, 0),                                          \
        CODEC_I64(struct event, day_close.side.return_amount, 0),                                            \
        CODEC_ID(struct event, day_close.side.hash)
static const struct codec_field day_close_fields[] = {
    CODEC_U64(struct event, day_close.number),
    CODEC_U32(struct event, day_close.state, DAY_OPEN),
    CODEC_U64(struct event, day_close.queued),
    CODEC_U64(struct event, day_close.late),
    FIGURES_ROWS(said),
    FIGURES_ROWS(booked),
    CODEC_U64(struct event, day_close.head),
    CODEC_BYTES(struct event, day_close.head_hash, 32),
};
CODEC_ROWS_ARE_OF(struct day_figures, 48);

#define IDENTITY_ROWS(of)                                                                                    \
    CODEC_U64(struct event, of.number), CODEC_U32(struct event, of.role, UINT8_MAX),                         \
        CODEC_U32(struct event, of.status, IDENTITY_REVOKED), CODEC_U32(struct event, of.proof, PROOF_PSK),  \
        CODEC_CODE(struct event, of.name), CODEC_CODE(struct event, of.store),                               \
        CODEC_CODE(struct event, of.till), CODEC_I64(struct event, of.added, 0),                             \
        CODEC_I64(struct event, of.enrolled, 0), CODEC_I64(struct event, of.key_ends, 0),                    \
        CODEC_BYTES(struct event, of.key, 32), CODEC_U32(struct event, of.key_version, UINT32_MAX),          \
        CODEC_U32(struct event, of.psk_master, UINT32_MAX),                                                  \
        CODEC_U32(struct event, of.code_handle, UINT32_MAX), CODEC_BYTES(struct event, of.code_salt, 16),    \
        CODEC_I64(struct event, of.code_ends, 0), CODEC_BYTES(struct event, of.code_key, 32)
static const struct codec_field identity_fields[] = {
    CODEC_ENUM(struct event, identity.act, IDENTITY_ACT_ENROL),
    IDENTITY_ROWS(identity.after),
    CODEC_TEXT(struct event, identity.reason, 0),
};
static const struct codec_field proposal_fields[] = {
    CODEC_U32(struct event, proposal.operation, UINT16_MAX),
    CODEC_U32(struct event, proposal.flags, UINT16_MAX),
    CODEC_SEALED(struct event, proposal.body, SEALED_REQUEST),
    CODEC_TIME(struct event, proposal.deadline),
    CODEC_U64(struct event, proposal.account),
    CODEC_SEALED(struct event, proposal.card, SEALED_CARD_NUMBER),
    CODEC_I64(struct event, proposal.points, 0),
    CODEC_I64(struct event, proposal.amount, 0),
    CODEC_CODE(struct event, proposal.reason),
    CODEC_SEALED(struct event, proposal.note, SEALED_NOTE),
};
static const struct codec_field proposal_ended_fields[] = {
    CODEC_U64(struct event, proposal_ended.proposal),
    CODEC_ENUM(struct event, proposal_ended.state, PROPOSAL_EXPIRED),
    CODEC_SEALED(struct event, proposal_ended.note, SEALED_NOTE),
};
static const struct codec_field attempts_fields[] = {
    CODEC_ENUM(struct event, attempts.kind, ATTEMPT_RATE),
    CODEC_TEXT(struct event, attempts.source, 0),
    CODEC_U64(struct event, attempts.identity),
    CODEC_U64(struct event, attempts.count),
    CODEC_I64(struct event, attempts.first, 0),
    CODEC_I64(struct event, attempts.last, 0),
    CODEC_TEXT(struct event, attempts.detail, 0),
};
static const struct codec_field alarm_fields[] = {
    CODEC_U64(struct event, alarm.identity),
    CODEC_TEXT(struct event, alarm.detail, 0),
};
static const struct codec_field flag_resolved_fields[] = {
    CODEC_U64(struct event, flag_resolved.flag),
    CODEC_SEALED(struct event, flag_resolved.note, SEALED_NOTE),
};
static const struct codec_field seal_fields[] = {
    CODEC_U64(struct event, seal.head),          CODEC_BYTES(struct event, seal.head_hash, 32),
    CODEC_BYTES(struct event, seal.lineage, 16), CODEC_U64(struct event, seal.key_number),
    CODEC_BYTES(struct event, seal.mac, 32),
};

/* What is of the event itself, by type; none of those whose detail is a struct of its own. */
static const struct {
    const struct codec_field *fields;
    size_t count;
} details[] = {
    [EVENT_TERM] = { CODEC_FIELDS(term_fields) },
    [EVENT_PROGRAMME] = { CODEC_FIELDS(programme_fields) },
    [EVENT_CARDS_ISSUED] = { CODEC_FIELDS(cards_issued_fields) },
    [EVENT_REDEMPTION] = { CODEC_FIELDS(redemption_fields) },
    [EVENT_ADJUSTMENT] = { CODEC_FIELDS(adjustment_fields) },
    [EVENT_REFUSAL] = { CODEC_FIELDS(refusal_fields) },
    [EVENT_TIE] = { CODEC_FIELDS(tie_fields) },
    [EVENT_CLOCK_ACCEPTED] = { CODEC_FIELDS(clock_fields) },
    [EVENT_DAY] = { CODEC_FIELDS(day_fields) },
    [EVENT_CARD_ADDED] = { CODEC_FIELDS(card_added_fields) },
    [EVENT_CARD_STATUS] = { CODEC_FIELDS(card_status_fields) },
    [EVENT_CARD_REPLACED] = { CODEC_FIELDS(card_replaced_fields) },
    [EVENT_MERGE] = { CODEC_FIELDS(merge_fields) },
    [EVENT_TRANSFER] = { CODEC_FIELDS(transfer_fields) },
    [EVENT_TAGS] = { CODEC_FIELDS(account_act_fields) },
    [EVENT_ACTIVATION] = { CODEC_FIELDS(account_act_fields) },
    [EVENT_PIN_SET] = { CODEC_FIELDS(account_act_fields) },
    [EVENT_PIN_TRY] = { CODEC_FIELDS(account_act_fields) },
    [EVENT_HOLD] = { CODEC_FIELDS(hold_fields) },
    [EVENT_CAPTURE] = { CODEC_FIELDS(redemption_fields) },
    [EVENT_RELEASE] = { CODEC_FIELDS(release_fields) },
    [EVENT_REVERSAL] = { CODEC_FIELDS(reversal_fields) },
    [EVENT_TOMBSTONE] = { CODEC_FIELDS(reversal_fields) },
    [EVENT_BONUS] = { CODEC_FIELDS(bonus_fields) },
    [EVENT_WRITE_OFF] = { CODEC_FIELDS(write_off_fields) },
    [EVENT_AWARD_MOVED] = { CODEC_FIELDS(award_moved_fields) },
    [EVENT_RETURN_WAITING] = { CODEC_FIELDS(waiting_fields) },
    [EVENT_DAY_CLOSE] = { CODEC_FIELDS(day_close_fields) },
    [EVENT_IDENTITY] = { CODEC_FIELDS(identity_fields) },
    [EVENT_PROPOSAL] = { CODEC_FIELDS(proposal_fields) },
    [EVENT_PROPOSAL_ENDED] = { CODEC_FIELDS(proposal_ended_fields) },
    [EVENT_ATTEMPTS] = { CODEC_FIELDS(attempts_fields) },
    [EVENT_ALARM] = { CODEC_FIELDS(alarm_fields) },
    [EVENT_FLAG_RESOLVED] = { CODEC_FIELDS(flag_resolved_fields) },
    [EVENT_SEAL] = { CODEC_FIELDS(seal_fields) },
};
static_assert(COUNT_OF(details) == EVENT_TYPE_MAX + 1, "every type has its row");

void detail_write(struct wire_writer *writer, const struct codec_base *base, const struct event *event)
{
    if (details[event->type].count > 0)
        codec_write(writer, base, details[event->type].fields, details[event->type].count, event);
    if (event->type == EVENT_PURCHASE) {
        purchase_write(writer, base, &event->purchase);
    } else if (event->type == EVENT_RETURN || event->type == EVENT_UNLINKED_RETURN) {
        goods_return_write(writer, base, &event->goods_return);
    } else if (event->type == EVENT_CARDS_ISSUED) {
        lot_write(writer, base, &event->cards_issued.welcome);
    } else if (event->type == EVENT_REDEMPTION || event->type == EVENT_CAPTURE) {
        redemption_write(writer, base, &event->redemption.made);
    } else if (event->type == EVENT_HOLD) {
        redemption_write(writer, base, &event->hold.wanted);
    } else if (event->type == EVENT_REVERSAL || event->type == EVENT_TOMBSTONE) {
        goods_return_write(writer, base, &event->reversal.goods);
    } else if (event->type == EVENT_RETURN_WAITING) {
        for (uint32_t i = 0; i < event->waiting.line_count; i++)
            codec_write(writer, base, CODEC_FIELDS(waiting_line_fields), &event->waiting.lines[i]);
    }
}

void detail_read(struct wire_reader *reader, const struct codec_base *base, struct event_memory *memory,
                 struct event *out)
{
    if (details[out->type].count > 0)
        codec_read(reader, base, details[out->type].fields, details[out->type].count, out);
    if (out->type == EVENT_PURCHASE) {
        purchase_read(reader, base, memory, &out->purchase);
    } else if (out->type == EVENT_RETURN || out->type == EVENT_UNLINKED_RETURN) {
        goods_return_read(reader, base, memory, &out->goods_return);
    } else if (out->type == EVENT_CARDS_ISSUED) {
        lot_read(reader, base, &out->cards_issued.welcome);
    } else if (out->type == EVENT_REDEMPTION || out->type == EVENT_CAPTURE) {
        redemption_read(reader, base, &out->redemption.made);
    } else if (out->type == EVENT_HOLD) {
        redemption_read(reader, base, &out->hold.wanted);
    } else if (out->type == EVENT_REVERSAL || out->type == EVENT_TOMBSTONE) {
        goods_return_read(reader, base, memory, &out->reversal.goods);
    } else if (out->type == EVENT_RETURN_WAITING) {
        out->waiting.lines = memory->waiting_lines;
        for (uint32_t i = 0; i < out->waiting.line_count && !reader->failed; i++)
            codec_read(reader, base, CODEC_FIELDS(waiting_line_fields), &out->waiting.lines[i]);
    }
}
