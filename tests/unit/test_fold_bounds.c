/*
 * State as the fold of all events, where accounts are full: whatever points decide must fit what is there.
 */
#include "fold_acts.h"

#define POINT MILLIPOINTS_PER_POINT

/*
 * LEDGER.md, State: an account has a bounded number of lots. What is joined for want of room expires and was earned when
 * reports say so: one lot a day, from the last of a month on.
 */
static void a_full_account_joins_what_reports_count_together(void **state)
{
    (void)state;
    struct fold_world *world = fold_world_new();
    world->programme.welcome = 0;
    world->programme.expiry.months = 60;
    assert_true(issue(world, "100") != 0);
    pass_days(world, 21);
    for (uint32_t i = 0; i < ACCOUNT_LOTS_MAX + 20; i++) {
        assert_true(adjust(world, "100", POINT) != 0);
        pass_days(world, 1);
    }
    struct account account = account_of(world, "100");
    assert_int_equal(account.lot_count, ACCOUNT_LOTS_MAX);
    assert_int_equal(account.balance, (ACCOUNT_LOTS_MAX + 20) * POINT);
    fold_world_check(world);
    fold_world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_account_joins_what_reports_count_together),
    };
    return cmocka_run_group_tests_name("fold bounds", tests, NULL, NULL);
}
