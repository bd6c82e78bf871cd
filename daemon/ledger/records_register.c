/*
 * Records of the register of tills and users, of proposals, flags and seals.
 */
#include "ledger/records.h"
#include "ledger/records_parts.h"

static const struct codec_field identity_fields[] = {
    CODEC_U64(struct identity, number),
    CODEC_U32(struct identity, role, UINT8_MAX),
    CODEC_ENUM(struct identity, status, IDENTITY_REVOKED),
    CODEC_U32(struct identity, proof, PROOF_PSK),
    CODEC_CODE(struct identity, name),
    CODEC_CODE(struct identity, store),
    CODEC_CODE(struct identity, till),
    CODEC_TIME(struct identity, added),
    CODEC_TIME(struct identity, enrolled),
    CODEC_TIME(struct identity, key_ends),
    CODEC_BYTES(struct identity, key, 32),
    CODEC_U32(struct identity, key_version, UINT32_MAX),
    CODEC_U32(struct identity, psk_master, UINT32_MAX),
    CODEC_U32(struct identity, code_handle, UINT32_MAX),
    CODEC_BYTES(struct identity, code_salt, 16),
    CODEC_TIME(struct identity, code_ends),
    CODEC_BYTES(struct identity, code_key, 32),
};
CODEC_ROWS_ARE_OF(struct identity, 200);

static const struct codec_field proposal_fields[] = {
    CODEC_U64(struct proposal_record, identity),
    CODEC_TIME(struct proposal_record, deadline),
    CODEC_ENUM(struct proposal_record, state, PROPOSAL_EXPIRED),
    CODEC_U64(struct proposal_record, ended_by),
};
CODEC_ROWS_ARE_OF(struct proposal_record, 32);

static const struct codec_field flag_fields[] = {
    CODEC_U32(struct flag_record, kinds, UINT32_MAX),
    CODEC_TIME(struct flag_record, time),
};
CODEC_ROWS_ARE_OF(struct flag_record, 16);

static const struct codec_field seal_fields[] = {
    CODEC_BYTES(struct seal_record, lineage, 16),
    CODEC_U64(struct seal_record, key_number),
    CODEC_U64(struct seal_record, position),
    CODEC_TIME(struct seal_record, time),
};
CODEC_ROWS_ARE_OF(struct seal_record, 40);

size_t identity_encode(const struct identity *identity, uint8_t *out, size_t capacity)
{
    return record_write(CODEC_FIELDS(identity_fields), identity, out, capacity);
}

bool identity_decode(struct state_value value, struct identity *out)
{
    return record_read(value, CODEC_FIELDS(identity_fields), out);
}

size_t proposal_encode(const struct proposal_record *proposal, uint8_t *out, size_t capacity)
{
    return record_write(CODEC_FIELDS(proposal_fields), proposal, out, capacity);
}

bool proposal_decode(struct state_value value, struct proposal_record *out)
{
    return record_read(value, CODEC_FIELDS(proposal_fields), out);
}

size_t flag_encode(const struct flag_record *flag, uint8_t *out, size_t capacity)
{
    return record_write(CODEC_FIELDS(flag_fields), flag, out, capacity);
}

bool flag_decode(struct state_value value, struct flag_record *out)
{
    return record_read(value, CODEC_FIELDS(flag_fields), out);
}

size_t seal_encode(const struct seal_record *seal, uint8_t *out, size_t capacity)
{
    return record_write(CODEC_FIELDS(seal_fields), seal, out, capacity);
}

bool seal_decode(struct state_value value, struct seal_record *out)
{
    return record_read(value, CODEC_FIELDS(seal_fields), out);
}
