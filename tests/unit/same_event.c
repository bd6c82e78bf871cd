#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "random_event.h"

/* Every field by its name. */
#define SAME(field) assert_true(want->field == have->field)
#define SAME_TEXT(field) assert_true(text_equal(want->field, have->field))
#define SAME_BYTES(field) assert_memory_equal(want->field, have->field, sizeof(want->field))

static void assert_same_lot_change(const struct lot_change *want, const struct lot_change *have)
{
    SAME(kind);
    SAME(by_purchase);
    SAME(pending);
    SAME(counts);
    SAME(inactive_months);
    SAME(lot);
    SAME(into);
    SAME(points);
    SAME(earned);
    SAME(matures);
    SAME(last_day);
    SAME(hold);
}

static void assert_same_tier(const struct tier_state *want, const struct tier_state *have)
{
    SAME(id);
    SAME(since);
    SAME(through);
    SAME(grace);
    SAME(next);
    SAME(next_day);
    SAME(judge);
}

static void assert_same_hold(const struct account_hold *want, const struct account_hold *have)
{
    SAME(id);
    SAME(points);
    SAME(stamps);
    SAME(purse);
    SAME(reward);
    SAME(quantity);
    SAME(use_period);
    SAME(deadline);
    SAME(part_count);
}

static void assert_same_change(const struct account_change *want, const struct account_change *have)
{
    SAME(kind);
    SAME(which);
    SAME(id);
    SAME(period);
    SAME(value);
    switch ((int)want->kind) {
    case CHANGE_TIER:
        assert_same_tier(&want->tier, &have->tier);
        break;
    case CHANGE_HOLD_BEGUN:
        assert_same_hold(&want->hold, &have->hold);
        break;
    case CHANGE_PIN:
        SAME(pin.set);
        SAME(pin.wrong);
        SAME_BYTES(pin.salt);
        SAME_BYTES(pin.hash);
        break;
    case CHANGE_TAG:
        SAME_TEXT(text);
        break;
    case CHANGE_HOLD_ENDED:
        SAME(position);
        break;
    default:
        break;
    }
}

static void assert_same_effect(const struct effect *want, const struct effect *have)
{
    SAME(account);
    SAME(previous);
    SAME(change);
    SAME(balance);
    SAME(lifetime_change);
    SAME(debt_added);
    SAME(debt_settled);
    SAME(debt_forgiven);
    SAME(tier);
    SAME(lot_change_count);
    SAME(change_count);
    for (uint32_t i = 0; i < want->lot_change_count; i++)
        assert_same_lot_change(&want->lot_changes[i], &have->lot_changes[i]);
    for (uint32_t i = 0; i < want->change_count; i++)
        assert_same_change(&want->changes[i], &have->changes[i]);
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

static void assert_same_redemption(const struct redemption *want, const struct redemption *have)
{
    SAME(reward);
    SAME(kind);
    SAME(quantity);
    SAME(points);
    SAME(stamps);
    SAME(purse);
    SAME(worth);
    SAME(shortfall);
    SAME(line);
    SAME(hold);
    SAME(change_first);
    SAME(change_count);
}

static void assert_same_purchase(const struct purchase *want, const struct purchase *have)
{
    SAME(amount);
    SAME(base);
    SAME(paid);
    SAME(programme_version);
    SAME(tier);
    SAME(earned);
    SAME(trimmed);
    SAME(settled);
    SAME(lot);
    SAME(day);
    SAME(matures);
    SAME(last_day);
    SAME(line_count);
    SAME(tender_count);
    SAME(coupon_count);
    SAME(part_count);
    SAME(redemption_count);
    for (uint32_t i = 0; i < want->line_count; i++)
        assert_same_line(&want->lines[i], &have->lines[i]);
    for (uint32_t i = 0; i < want->tender_count; i++) {
        SAME_TEXT(tenders[i].kind);
        SAME(tenders[i].amount);
    }
    for (uint32_t i = 0; i < want->coupon_count; i++)
        SAME_TEXT(coupons[i]);
    for (uint32_t i = 0; i < want->part_count; i++) {
        SAME(parts[i].rule);
        SAME(parts[i].kind);
        SAME(parts[i].input);
        SAME(parts[i].exact);
        SAME(parts[i].result);
    }
    for (uint32_t i = 0; i < want->redemption_count; i++)
        assert_same_redemption(&want->redemptions[i], &have->redemptions[i]);
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
    SAME(expired);
    SAME(shortfall);
    SAME(own_taken);
    SAME(owed_again);
    SAME(base_back);
    SAME(visit_back);
    SAME(uses_back);
    SAME(line_count);
    SAME(sale_line_count);
    SAME(back_count);
    SAME_BYTES(stamps_back);
    for (uint32_t i = 0; i < want->line_count; i++) {
        SAME(lines[i].line);
        SAME(lines[i].quantity);
        SAME(lines[i].by_amount);
    }
    for (uint32_t i = 0; i < want->sale_line_count; i++)
        assert_same_line(&want->sale_lines[i], &have->sale_lines[i]);
    for (uint32_t i = 0; i < want->back_count; i++) {
        SAME(backs[i].redemption);
        SAME(backs[i].index);
        SAME(backs[i].points);
        SAME(backs[i].of_points);
        SAME(backs[i].stamps);
        SAME(backs[i].quantity);
        SAME(backs[i].reward);
    }
}

static void assert_same_document(const struct document *want, const struct document *have)
{
    SAME(kind);
    SAME_TEXT(store);
    SAME_TEXT(till);
    SAME(business_date);
    SAME_TEXT(number);
}

/* Of cards and accounts. False: it is of something else. */
static bool assert_same_act(const struct event *want, const struct event *have)
{
    switch ((int)want->type) {
    case EVENT_CARD_ADDED:
        SAME_TEXT(card_added.number);
        SAME(card_added.card);
        return true;
    case EVENT_CARD_STATUS:
        SAME_TEXT(card_status.number);
        SAME(card_status.before);
        SAME(card_status.after);
        SAME_TEXT(card_status.reason);
        SAME(card_status.forfeited);
        return true;
    case EVENT_CARD_REPLACED:
        SAME_TEXT(card_replaced.old_number);
        SAME_TEXT(card_replaced.new_number);
        SAME(card_replaced.new_card);
        SAME_TEXT(card_replaced.reason);
        return true;
    case EVENT_MERGE:
        SAME(merge.source);
        SAME(merge.target);
        SAME_TEXT(merge.reason);
        return true;
    case EVENT_TRANSFER:
        SAME(transfer.points);
        SAME_TEXT(transfer.reason);
        SAME_TEXT(transfer.note);
        return true;
    case EVENT_TAGS:
    case EVENT_ACTIVATION:
    case EVENT_PIN_SET:
    case EVENT_PIN_TRY:
        SAME_TEXT(account_act.reason);
        return true;
    default:
        return false;
    }
}

/* Of the office. False: it is of something else. */
static bool assert_same_office(const struct event *want, const struct event *have)
{
    switch ((int)want->type) {
    case EVENT_ADJUSTMENT:
        SAME(adjustment.points);
        SAME_TEXT(adjustment.reason);
        SAME_TEXT(adjustment.note);
        return true;
    case EVENT_BONUS:
        SAME(bonus.points);
        SAME_TEXT(bonus.reason);
        SAME_TEXT(bonus.note);
        SAME(bonus.programme_version);
        return true;
    case EVENT_WRITE_OFF:
        SAME(write_off.points);
        SAME_TEXT(write_off.reason);
        SAME_TEXT(write_off.note);
        return true;
    case EVENT_AWARD_MOVED:
        SAME(award_moved.sale);
        SAME(award_moved.lot);
        SAME(award_moved.points);
        SAME(award_moved.settled);
        SAME(award_moved.expired);
        SAME_TEXT(award_moved.reason);
        return true;
    default:
        return false;
    }
}

static void assert_same_figures(const struct day_figures *want, const struct day_figures *have)
{
    SAME(purchases);
    SAME(returns);
    SAME(reversals);
    SAME(purchase_amount);
    SAME(return_amount);
    SAME(hash);
}

/* Without goods, cards and the office. False: it is of something else. */
static bool assert_same_other(const struct event *want, const struct event *have)
{
    switch ((int)want->type) {
    case EVENT_TERM:
        SAME(term.old_term);
        SAME(term.new_term);
        SAME(term.old_position);
        SAME_BYTES(term.old_hash);
        SAME_TEXT(term.who);
        SAME_TEXT(term.why);
        return true;
    case EVENT_PROGRAMME:
        SAME(programme.version);
        SAME(programme.from);
        SAME_TEXT(programme.text);
        return true;
    case EVENT_REFUSAL:
        SAME(refusal.result);
        SAME(refusal.account);
        return true;
    case EVENT_TIE:
        SAME(tie.first);
        return true;
    case EVENT_CLOCK_ACCEPTED:
        SAME(clock.before);
        SAME(clock.after);
        return true;
    case EVENT_DAY:
        SAME(day_run.expired);
        SAME(day_run.matured);
        SAME(day_run.tier_before);
        SAME(day_run.tier_after);
        return true;
    case EVENT_DAY_CLOSE:
        SAME(day_close.number);
        SAME(day_close.state);
        SAME(day_close.queued);
        SAME(day_close.late);
        SAME(day_close.head);
        SAME_BYTES(day_close.head_hash);
        assert_same_figures(&want->day_close.said, &have->day_close.said);
        assert_same_figures(&want->day_close.booked, &have->day_close.booked);
        return true;
    default:
        return false;
    }
}

static void assert_same_identity(const struct identity *want, const struct identity *have)
{
    SAME(number);
    SAME(role);
    SAME(status);
    SAME(proof);
    SAME_TEXT(name);
    SAME_TEXT(store);
    SAME_TEXT(till);
    SAME(added);
    SAME(enrolled);
    SAME(key_ends);
    SAME_BYTES(key);
    SAME(key_version);
    SAME(psk_master);
    SAME(code_handle);
    SAME_BYTES(code_salt);
    SAME(code_ends);
    SAME_BYTES(code_key);
}

static void assert_same_proposal(const struct event *want, const struct event *have)
{
    SAME(proposal.operation);
    SAME(proposal.flags);
    SAME_TEXT(proposal.body);
    SAME(proposal.deadline);
    SAME(proposal.account);
    SAME_TEXT(proposal.card);
    SAME(proposal.points);
    SAME(proposal.amount);
    SAME_TEXT(proposal.reason);
    SAME_TEXT(proposal.note);
}

/* Who may do what, and who did it. False: it is of something else. */
static bool assert_same_register(const struct event *want, const struct event *have)
{
    switch ((int)want->type) {
    case EVENT_IDENTITY:
        SAME(identity.act);
        SAME_TEXT(identity.reason);
        assert_same_identity(&want->identity.after, &have->identity.after);
        return true;
    case EVENT_PROPOSAL:
        assert_same_proposal(want, have);
        return true;
    case EVENT_PROPOSAL_ENDED:
        SAME(proposal_ended.proposal);
        SAME(proposal_ended.state);
        SAME_TEXT(proposal_ended.note);
        return true;
    case EVENT_ATTEMPTS:
        SAME(attempts.kind);
        SAME_TEXT(attempts.source);
        SAME(attempts.identity);
        SAME(attempts.count);
        SAME(attempts.first);
        SAME(attempts.last);
        SAME_TEXT(attempts.detail);
        return true;
    case EVENT_ALARM:
        SAME(alarm.identity);
        SAME_TEXT(alarm.detail);
        return true;
    case EVENT_FLAG_RESOLVED:
        SAME(flag_resolved.flag);
        SAME_TEXT(flag_resolved.note);
        return true;
    case EVENT_SEAL:
        SAME(seal.head);
        SAME_BYTES(seal.head_hash);
        SAME_BYTES(seal.lineage);
        SAME(seal.key_number);
        SAME_BYTES(seal.mac);
        return true;
    default:
        return false;
    }
}

static void assert_same_lot(const struct lot *want, const struct lot *have)
{
    SAME(number);
    SAME(by_purchase);
    SAME(pending);
    SAME(counts);
    SAME(inactive_months);
    SAME(points);
    SAME(held);
    SAME(earned);
    SAME(matures);
    SAME(last_day);
}

static void assert_same_detail(const struct event *want, const struct event *have)
{
    if (assert_same_act(want, have) || assert_same_office(want, have) || assert_same_other(want, have) ||
        assert_same_register(want, have))
        return;
    switch ((int)want->type) {
    case EVENT_CARDS_ISSUED:
        SAME(cards_issued.first_account);
        SAME(cards_issued.first_card);
        SAME(cards_issued.count);
        SAME(cards_issued.check);
        SAME(cards_issued.joins);
        SAME_TEXT(cards_issued.numbers);
        assert_same_lot(&want->cards_issued.welcome, &have->cards_issued.welcome);
        break;
    case EVENT_PURCHASE:
        assert_same_purchase(&want->purchase, &have->purchase);
        break;
    case EVENT_RETURN:
    case EVENT_UNLINKED_RETURN:
        assert_same_return(&want->goods_return, &have->goods_return);
        break;
    case EVENT_REDEMPTION:
    case EVENT_CAPTURE:
        SAME(redemption.sale);
        assert_same_redemption(&want->redemption.made, &have->redemption.made);
        break;
    case EVENT_HOLD:
        SAME(hold.deadline);
        assert_same_redemption(&want->hold.wanted, &have->hold.wanted);
        break;
    case EVENT_RELEASE:
        SAME(release.hold);
        SAME(release.timed_out);
        SAME(release.reward);
        SAME(release.quantity);
        break;
    case EVENT_REVERSAL:
    case EVENT_TOMBSTONE:
        SAME(reversal.original.identity);
        SAME(reversal.original.epoch);
        SAME(reversal.original.number);
        SAME(reversal.of);
        SAME(reversal.type);
        SAME(reversal.outcome);
        SAME(reversal.given);
        SAME(reversal.taken);
        SAME(reversal.undoes_return);
        assert_same_document(&want->reversal.frees, &have->reversal.frees);
        assert_same_return(&want->reversal.goods, &have->reversal.goods);
        break;
    case EVENT_RETURN_WAITING:
        SAME(waiting.previous);
        SAME_TEXT(waiting.card);
        SAME(waiting.amount);
        SAME(waiting.line_count);
        assert_same_document(&want->waiting.sale, &have->waiting.sale);
        for (uint32_t i = 0; i < want->waiting.line_count; i++) {
            SAME(waiting.lines[i].number);
            SAME(waiting.lines[i].quantity);
            SAME_TEXT(waiting.lines[i].code);
        }
        break;
    default:
        fail_msg("nothing compares events of type %d", (int)want->type);
    }
}

void assert_same_event(const struct event *want, const struct event *have)
{
    SAME(type);
    SAME(sequence);
    SAME(time);
    SAME(occurred);
    SAME(day);
    SAME(flags);
    SAME(request.identity);
    SAME(request.epoch);
    SAME(request.number);
    SAME_BYTES(request.fingerprint);
    SAME_BYTES(content);
    assert_same_document(&want->document, &have->document);
    SAME_TEXT(store);
    SAME_TEXT(till);
    SAME_TEXT(operator);
    SAME(business_date);
    SAME(card);
    SAME_TEXT(suspense.number);
    SAME(suspense.new_card);
    SAME(waited.event);
    SAME(waited.previous);
    assert_same_document(&want->waited.sale, &have->waited.sale);
    SAME(raises);
    SAME(approves);
    SAME_TEXT(approval_note);
    SAME(answer_type);
    SAME_TEXT(answer);
    SAME(effect_count);
    for (uint32_t i = 0; i < want->effect_count; i++)
        assert_same_effect(&want->effects[i], &have->effects[i]);
    assert_same_detail(want, have);
}
