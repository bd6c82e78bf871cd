/*
 * The register of tills and users, proposals, flags and seals as the fold of events: what fits is kept, and what cannot
 * have happened is refused, so that damage and forgery are found where they begin.
 */
#include <string.h>

#include "fold_acts.h"

#define EPOCH 7

static struct event event_of(struct fold_world *world, enum event_type type, uint64_t identity)
{
    struct lane_record lane = { .highest = 0 };
    (void)fold_lane(world->live.fold, identity, EPOCH, &lane);
    return (struct event){ .type = type,
                           .time = FOLD_WORLD_START,
                           .request = { .identity = identity, .epoch = EPOCH, .number = lane.highest + 1 } };
}

static struct event change_of(struct fold_world *world, enum identity_act act, const struct identity *after)
{
    struct event event = event_of(world, EVENT_IDENTITY, 1);
    event.identity.act = act;
    event.identity.after = *after;
    return event;
}

static struct identity till_of(uint64_t number)
{
    return (struct identity){ .number = number,
                              .role = 1,
                              .status = IDENTITY_ADDED,
                              .store = TEXT_LITERAL("0042"),
                              .till = TEXT_LITERAL("3"),
                              .added = FOLD_WORLD_START };
}

/* Of what is booked as well: the world's events are read back from their bytes. */
static void change(struct fold_world *world, enum identity_act act, const struct identity *after)
{
    struct event event = change_of(world, act, after);
    (void)fold_world_book(world, &event);
}

static bool fits(struct fold_world *world, struct event event)
{
    journal_position position = fold_world_prepare(world, &event);
    return fold_world_fits(world, &event, position);
}

static bool change_fits(struct fold_world *world, enum identity_act act, struct identity after)
{
    return fits(world, change_of(world, act, &after));
}

/* --- the register --- */

static void an_identity_is_kept_as_it_was_left(void **state)
{
    (void)state;
    struct fold_world *world = fold_world_new();
    struct identity till = till_of(IDENTITY_FIRST), read;
    change(world, IDENTITY_ACT_ADD, &till);
    till.status = IDENTITY_ACTIVE;
    till.key_version = 1;
    till.enrolled = FOLD_WORLD_START + 5;
    memset(till.key, 0xAB, sizeof(till.key));
    change(world, IDENTITY_ACT_ENROL, &till);
    struct identity user = { .number = IDENTITY_FIRST + 1,
                             .role = 3,
                             .status = IDENTITY_ADDED,
                             .name = TEXT_LITERAL("lea"),
                             .added = FOLD_WORLD_START };
    change(world, IDENTITY_ACT_ADD, &user);
    fold_state_reload(&world->live);
    assert_int_equal(world->live.fold->totals.identities, 2);
    assert_true(fold_identity(world->live.fold, IDENTITY_FIRST, &read));
    assert_int_equal(read.status, IDENTITY_ACTIVE);
    assert_int_equal(read.key_version, 1);
    assert_true(text_equal(read.till, till.till));
    assert_memory_equal(read.key, till.key, sizeof(till.key));
    assert_true(fold_identity(world->live.fold, IDENTITY_FIRST + 1, &read));
    assert_true(text_equal(read.name, user.name));
    assert_false(fold_identity(world->live.fold, IDENTITY_FIRST + 2, &read));
    fold_world_free(world);
}

static void numbers_have_no_gaps(void **state)
{
    (void)state;
    struct fold_world *world = fold_world_new();
    assert_false(change_fits(world, IDENTITY_ACT_ADD, till_of(IDENTITY_LOCAL)));
    assert_false(change_fits(world, IDENTITY_ACT_ADD, till_of(IDENTITY_FIRST + 1)));
    assert_false(change_fits(world, IDENTITY_ACT_SUSPEND, till_of(IDENTITY_FIRST)));
    assert_true(change_fits(world, IDENTITY_ACT_ADD, till_of(IDENTITY_FIRST)));
    struct identity till = till_of(IDENTITY_FIRST);
    change(world, IDENTITY_ACT_ADD, &till);
    assert_false(change_fits(world, IDENTITY_ACT_ADD, till_of(IDENTITY_FIRST)));
    assert_true(change_fits(world, IDENTITY_ACT_ADD, till_of(IDENTITY_FIRST + 1)));
    fold_world_free(world);
}

static void an_identity_is_a_till_or_a_user(void **state)
{
    (void)state;
    struct fold_world *world = fold_world_new();
    struct identity wrong = till_of(IDENTITY_FIRST);
    wrong.name = TEXT_LITERAL("lea");
    assert_false(change_fits(world, IDENTITY_ACT_ADD, wrong));
    wrong = till_of(IDENTITY_FIRST);
    wrong.till = TEXT_LITERAL("");
    assert_false(change_fits(world, IDENTITY_ACT_ADD, wrong));
    wrong.store = TEXT_LITERAL("");
    assert_false(change_fits(world, IDENTITY_ACT_ADD, wrong));
    wrong.name = TEXT_LITERAL("lea");
    assert_true(change_fits(world, IDENTITY_ACT_ADD, wrong));
    wrong.status = 0;
    assert_false(change_fits(world, IDENTITY_ACT_ADD, wrong));
    fold_world_free(world);
}

static void what_names_an_identity_stays(void **state)
{
    (void)state;
    struct fold_world *world = fold_world_new();
    struct identity till = till_of(IDENTITY_FIRST);
    till.key_version = 2;
    change(world, IDENTITY_ACT_ADD, &till);
    assert_true(change_fits(world, IDENTITY_ACT_ROTATE, till));
    struct identity after = till;
    after.store = TEXT_LITERAL("0043");
    assert_false(change_fits(world, IDENTITY_ACT_ROTATE, after));
    after = till;
    after.till = TEXT_LITERAL("4");
    assert_false(change_fits(world, IDENTITY_ACT_ROTATE, after));
    after = till;
    after.added++;
    assert_false(change_fits(world, IDENTITY_ACT_ROTATE, after));
    after = till;
    after.key_version = 1; /* a key that was replaced */
    assert_false(change_fits(world, IDENTITY_ACT_ENROL, after));
    after = till;
    after.role = 2;
    assert_false(change_fits(world, IDENTITY_ACT_RESUME, after));
    assert_true(change_fits(world, IDENTITY_ACT_ROLE, after));
    fold_world_free(world);
}

static void who_was_revoked_stays_so(void **state)
{
    (void)state;
    struct fold_world *world = fold_world_new();
    struct identity till = till_of(IDENTITY_FIRST);
    change(world, IDENTITY_ACT_ADD, &till);
    assert_false(change_fits(world, IDENTITY_ACT_REVOKE, till)); /* says so, does not */
    till.status = IDENTITY_REVOKED;
    assert_false(change_fits(world, IDENTITY_ACT_SUSPEND, till)); /* does, does not say so */
    change(world, IDENTITY_ACT_REVOKE, &till);
    assert_false(change_fits(world, IDENTITY_ACT_REVOKE, till));
    till.status = IDENTITY_ACTIVE;
    for (int act = IDENTITY_ACT_SUSPEND; act <= IDENTITY_ACT_ENROL; act++)
        assert_false(change_fits(world, (enum identity_act)act, till));
    fold_world_free(world);
}

/* --- proposals --- */

static journal_position propose(struct fold_world *world, uint64_t identity)
{
    struct event event = event_of(world, EVENT_PROPOSAL, identity);
    event.proposal.operation = 16;
    event.proposal.body = TEXT_LITERAL("body");
    event.proposal.deadline = FOLD_WORLD_START + PROPOSAL_S * US_PER_SECOND;
    return fold_world_book(world, &event);
}

static struct event approval_of(struct fold_world *world, journal_position proposal, uint64_t identity)
{
    struct event event = event_of(world, EVENT_CLOCK_ACCEPTED, identity);
    event.approves = proposal;
    event.approval_note = TEXT_LITERAL("seen");
    return event;
}

static struct event end_of(struct fold_world *world, journal_position proposal, enum proposal_state end)
{
    struct event event = event_of(world, EVENT_PROPOSAL_ENDED, 3);
    event.proposal_ended.proposal = proposal;
    event.proposal_ended.state = end;
    return event;
}

static void count_open(void *ctx, journal_position proposal, const struct proposal_record *record)
{
    (void)proposal;
    assert_int_equal(record->state, PROPOSAL_OPEN);
    ++*(int *)ctx;
}

static int open_proposals(struct fold_world *world)
{
    int count = 0;
    fold_state_reload(&world->live);
    assert_true(fold_open_proposals(world->live.fold, count_open, &count));
    return count;
}

static void a_proposal_ends_once(void **state)
{
    (void)state;
    struct fold_world *world = fold_world_new();
    struct proposal_record record;
    journal_position approved = propose(world, 2), rejected = propose(world, 2), expired = propose(world, 2);
    assert_int_equal(open_proposals(world), 3);
    struct event event = approval_of(world, approved, 3);
    journal_position by = fold_world_book(world, &event);
    assert_true(fold_proposal(world->live.fold, approved, &record));
    assert_int_equal(record.state, PROPOSAL_APPROVED);
    assert_int_equal(record.ended_by, by);
    assert_int_equal(record.identity, 2);
    event = end_of(world, rejected, PROPOSAL_REJECTED);
    (void)fold_world_book(world, &event);
    event = end_of(world, expired, PROPOSAL_EXPIRED);
    (void)fold_world_book(world, &event);
    assert_int_equal(open_proposals(world), 0);
    const journal_position ended[] = { approved, rejected, expired };
    for (size_t i = 0; i < COUNT_OF(ended); i++) {
        assert_false(fits(world, approval_of(world, ended[i], 3)));
        assert_false(fits(world, end_of(world, ended[i], PROPOSAL_REJECTED)));
        assert_false(fits(world, end_of(world, ended[i], PROPOSAL_EXPIRED)));
    }
    fold_world_free(world);
}

static void a_proposal_ends_as_one_can(void **state)
{
    (void)state;
    struct fold_world *world = fold_world_new();
    journal_position proposal = propose(world, 2);
    assert_false(fits(world, approval_of(world, proposal + 1, 3))); /* there is none */
    assert_false(fits(world, approval_of(world, proposal, 2)));     /* by who made it */
    assert_false(fits(world, end_of(world, proposal, PROPOSAL_OPEN)));
    assert_false(fits(world, end_of(world, proposal, PROPOSAL_APPROVED)));
    struct event both = end_of(world, proposal, PROPOSAL_REJECTED);
    both.approves = proposal;
    assert_false(fits(world, both));
    assert_true(fits(world, approval_of(world, proposal, 3)));
    assert_true(fits(world, end_of(world, proposal, PROPOSAL_REJECTED)));
    fold_world_free(world);
}

/* --- flags --- */

static struct event resolution_of(struct fold_world *world, journal_position flag)
{
    struct event event = event_of(world, EVENT_FLAG_RESOLVED, 3);
    event.flag_resolved.flag = flag;
    return event;
}

static void a_flag_is_resolved_once(void **state)
{
    (void)state;
    struct fold_world *world = fold_world_new();
    struct event event = event_of(world, EVENT_ALARM, 2);
    struct flag_record flag;
    event.raises = FLAG_UNKNOWN_CARDS | FLAG_OPERATOR;
    journal_position first = fold_world_book(world, &event);
    event = event_of(world, EVENT_CLOCK_ACCEPTED, 2); /* raises nothing */
    journal_position none = fold_world_book(world, &event);
    fold_state_reload(&world->live);
    assert_int_equal(world->live.fold->totals.flags, 1);
    assert_true(fold_flag(world->live.fold, first, &flag));
    assert_int_equal(flag.kinds, FLAG_UNKNOWN_CARDS | FLAG_OPERATOR);
    assert_int_equal(flag.time, FOLD_WORLD_START);
    assert_false(fold_flag(world->live.fold, none, &flag));
    assert_false(fits(world, resolution_of(world, none)));
    event = resolution_of(world, first);
    (void)fold_world_book(world, &event);
    fold_state_reload(&world->live);
    assert_int_equal(world->live.fold->totals.flags, 0);
    assert_false(fold_flag(world->live.fold, first, &flag));
    assert_false(fits(world, resolution_of(world, first)));
    fold_world_free(world);
}

/* --- seals --- */

static struct event seal_of(struct fold_world *world, uint8_t lineage, uint64_t number, journal_position head)
{
    struct event event = event_of(world, EVENT_SEAL, 1);
    event.request = (struct request_name){ .identity = 0 };
    event.seal.head = head;
    event.seal.key_number = number;
    memset(event.seal.lineage, lineage, sizeof(event.seal.lineage));
    return event;
}

static void seals_look_back_with_a_key_that_moves_on(void **state)
{
    (void)state;
    struct fold_world *world = fold_world_new();
    struct seal_record seal;
    assert_false(fold_seal(world->live.fold, &seal));
    journal_position end = (journal_position)world->size + 1;
    assert_false(fits(world, seal_of(world, 1, 0, end + 1))); /* of what is not written yet */
    assert_false(fits(world, seal_of(world, 1, 0, UINT64_MAX)));
    struct event event = seal_of(world, 1, 5, end);
    journal_position position = fold_world_book(world, &event);
    fold_state_reload(&world->live);
    assert_true(fold_seal(world->live.fold, &seal));
    assert_int_equal(seal.key_number, 5);
    assert_int_equal(seal.position, position);
    assert_int_equal(seal.time, FOLD_WORLD_START);
    assert_int_equal(seal.lineage[15], 1);
    assert_false(fits(world, seal_of(world, 1, 5, end)));
    assert_false(fits(world, seal_of(world, 1, 4, end)));
    assert_true(fits(world, seal_of(world, 1, 6, end)));
    assert_true(fits(world, seal_of(world, 1, 9, end))); /* the power failed in between */
    assert_true(fits(world, seal_of(world, 2, 0, end))); /* the key was lost */
    fold_world_free(world);
}

/* --- all of it --- */

static void assert_replays(struct fold_world *world)
{
    uint8_t live[STATE_DIGEST_SIZE], again[STATE_DIGEST_SIZE];
    struct fold_state replayed;
    fold_state_open(&replayed);
    fold_world_replay(world, &replayed);
    fold_state_digest(&world->live, live);
    fold_state_digest(&replayed, again);
    assert_memory_equal(live, again, sizeof(live));
    fold_state_close(&replayed);
}

static void differs(struct fold_world *world, uint8_t before[STATE_DIGEST_SIZE])
{
    uint8_t now[STATE_DIGEST_SIZE];
    fold_state_digest(&world->live, now);
    assert_memory_not_equal(before, now, sizeof(now));
    memcpy(before, now, sizeof(now));
    assert_replays(world);
}

/* What a verification compares has every table in it. */
static void the_digest_covers_it(void **state)
{
    (void)state;
    struct fold_world *world = fold_world_new();
    uint8_t digest[STATE_DIGEST_SIZE];
    fold_state_digest(&world->live, digest);
    struct identity till = till_of(IDENTITY_FIRST);
    change(world, IDENTITY_ACT_ADD, &till);
    differs(world, digest);
    till.code_salt[3] = 1;
    change(world, IDENTITY_ACT_ROTATE, &till);
    differs(world, digest);
    journal_position proposal = propose(world, 2);
    differs(world, digest);
    struct event event = end_of(world, proposal, PROPOSAL_REJECTED);
    (void)fold_world_book(world, &event);
    differs(world, digest);
    event = event_of(world, EVENT_ALARM, 2);
    event.raises = FLAG_STAFF;
    journal_position flag = fold_world_book(world, &event);
    differs(world, digest);
    event = resolution_of(world, flag);
    (void)fold_world_book(world, &event);
    differs(world, digest);
    event = seal_of(world, 1, 1, 1);
    (void)fold_world_book(world, &event);
    differs(world, digest);
    fold_world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_identity_is_kept_as_it_was_left),
        cmocka_unit_test(numbers_have_no_gaps),
        cmocka_unit_test(an_identity_is_a_till_or_a_user),
        cmocka_unit_test(what_names_an_identity_stays),
        cmocka_unit_test(who_was_revoked_stays_so),
        cmocka_unit_test(a_proposal_ends_once),
        cmocka_unit_test(a_proposal_ends_as_one_can),
        cmocka_unit_test(a_flag_is_resolved_once),
        cmocka_unit_test(seals_look_back_with_a_key_that_moves_on),
        cmocka_unit_test(the_digest_covers_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
