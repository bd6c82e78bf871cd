/*
 * The register of tills and users, proposals, flags and seals, as events leave them.
 */
#include <string.h>

#include "ledger/fold_internal.h"

/* --- look-ups --- */

bool fold_identity(struct fold *fold, uint64_t number, struct identity *out)
{
    struct key key = key_identity(number);
    struct state_value value;
    if (!fold_get(fold, &key, &value))
        return false;
    PUNKT_CHECK(identity_decode(value, out));
    return true;
}

bool fold_proposal(struct fold *fold, journal_position proposal, struct proposal_record *out)
{
    struct key key = key_proposal(proposal);
    struct state_value value;
    if (!fold_get(fold, &key, &value))
        return false;
    PUNKT_CHECK(proposal_decode(value, out));
    return true;
}

bool fold_flag(struct fold *fold, journal_position flag, struct flag_record *out)
{
    struct key key = key_flag(flag);
    struct state_value value;
    if (!fold_get(fold, &key, &value))
        return false;
    PUNKT_CHECK(flag_decode(value, out));
    return true;
}

bool fold_seal(struct fold *fold, struct seal_record *out)
{
    struct key key = key_seal();
    struct state_value value;
    if (!fold_get(fold, &key, &value))
        return false;
    PUNKT_CHECK(seal_decode(value, out));
    return true;
}

struct open_proposals_visit {
    void (*visit)(void *ctx, journal_position proposal, const struct proposal_record *record);
    void *ctx;
};

static bool visit_open_proposal(void *ctx, const uint8_t *key, size_t key_size, const uint8_t *value,
                                size_t size)
{
    const struct open_proposals_visit *proposals = ctx;
    struct state_value stored = { value, (uint32_t)size };
    journal_position position;
    struct proposal_record record;
    PUNKT_CHECK(key_read_open_proposal(key, key_size, &position) && proposal_decode(stored, &record));
    proposals->visit(proposals->ctx, position, &record);
    return true;
}

bool fold_open_proposals(struct fold *fold,
                         void (*visit)(void *ctx, journal_position proposal,
                                       const struct proposal_record *record),
                         void *ctx)
{
    struct open_proposals_visit proposals = { visit, ctx };
    struct key prefix = key_all_open_proposals();
    return state_scan(fold->state, prefix.bytes, prefix.size, NULL, 0, UINT32_MAX, visit_open_proposal,
                      &proposals) == PUNKT_OK;
}

/* --- events --- */

/* A till has a store and a number there, a user a name. */
static bool is_named(const struct identity *identity)
{
    return (identity->store.size > 0) == (identity->till.size > 0) &&
           (identity->store.size > 0) != (identity->name.size > 0);
}

/* A known one keeps what names it, and its role unless that is what changes; one that was revoked stays so. */
static bool continues(const struct identity *before, const struct identity *after, enum identity_act act)
{
    return before->status != IDENTITY_REVOKED && text_equal(before->name, after->name) &&
           text_equal(before->store, after->store) && text_equal(before->till, after->till) &&
           before->added == after->added && before->key_version <= after->key_version &&
           (before->role == after->role || act == IDENTITY_ACT_ROLE);
}

bool fold_identity_changed(struct fold *fold, const struct event *event)
{
    const struct identity *after = &event->identity.after;
    enum identity_act act = event->identity.act;
    bool is_new = act == IDENTITY_ACT_ADD;
    struct identity before;
    uint8_t record[SMALL_RECORD_MAX];
    if (!is_named(after) || after->status < IDENTITY_ADDED ||
        (after->status == IDENTITY_REVOKED) != (act == IDENTITY_ACT_REVOKE))
        return false;
    if (is_new ? after->number != IDENTITY_FIRST + fold->totals.identities
               : !fold_identity(fold, after->number, &before) || !continues(&before, after, act))
        return false;
    fold->totals.identities += is_new;
    struct key key = key_identity(after->number);
    fold_put(fold, &key, record, identity_encode(after, record, sizeof(record)));
    return true;
}

static void put_proposal(struct fold *fold, journal_position proposal, const struct proposal_record *record)
{
    uint8_t bytes[SMALL_RECORD_MAX];
    size_t size = proposal_encode(record, bytes, sizeof(bytes));
    struct key key = key_proposal(proposal);
    struct key open = key_open_proposal(proposal);
    fold_put(fold, &key, bytes, size);
    if (record->state == PROPOSAL_OPEN)
        fold_put(fold, &open, bytes, size);
    else
        fold_remove(fold, &open);
}

void fold_proposed(struct fold *fold, const struct event *event, journal_position position)
{
    struct proposal_record record = { .identity = event->request.identity,
                                      .deadline = event->proposal.deadline,
                                      .state = PROPOSAL_OPEN };
    put_proposal(fold, position, &record);
}

/* Once; an approval is by another identity than the proposal (RELIABILITY.md, Identity, roles). */
bool fold_proposal_ends(struct fold *fold, const struct event *event, journal_position position)
{
    bool approved = event->type != EVENT_PROPOSAL_ENDED;
    journal_position proposal = approved ? event->approves : event->proposal_ended.proposal;
    enum proposal_state end = approved ? PROPOSAL_APPROVED : event->proposal_ended.state;
    struct proposal_record record;
    if (!fold_proposal(fold, proposal, &record) || record.state != PROPOSAL_OPEN)
        return false;
    if (approved ? event->request.identity == record.identity
                 : end != PROPOSAL_REJECTED && end != PROPOSAL_EXPIRED)
        return false;
    record.state = end;
    record.ended_by = position;
    put_proposal(fold, proposal, &record);
    return true;
}

void fold_raised(struct fold *fold, const struct event *event, journal_position position)
{
    uint8_t bytes[SMALL_RECORD_MAX];
    struct flag_record record = { .kinds = event->raises, .time = event->time };
    struct key key = key_flag(position);
    fold_put(fold, &key, bytes, flag_encode(&record, bytes, sizeof(bytes)));
    fold->totals.flags++;
}

bool fold_flag_resolved(struct fold *fold, const struct event *event)
{
    struct key key = key_flag(event->flag_resolved.flag);
    if (!fold_has(fold, &key))
        return false;
    fold_remove(fold, &key);
    fold->totals.flags--;
    return true;
}

/* The key moves forward only. A number may be missing: the key was moved on, and then the power failed. */
bool fold_sealed(struct fold *fold, const struct event *event, journal_position position)
{
    uint8_t bytes[SMALL_RECORD_MAX];
    struct seal_record last;
    if (event->seal.head > position)
        return false;
    if (fold_seal(fold, &last) && memcmp(last.lineage, event->seal.lineage, sizeof(last.lineage)) == 0 &&
        event->seal.key_number <= last.key_number)
        return false;
    struct seal_record record = { .key_number = event->seal.key_number,
                                  .position = position,
                                  .time = event->time };
    memcpy(record.lineage, event->seal.lineage, sizeof(record.lineage));
    struct key key = key_seal();
    fold_put(fold, &key, bytes, seal_encode(&record, bytes, sizeof(bytes)));
    return true;
}
