/* States that few accounts reach, and that rules meet all the same. */
#include "goods_world.h"
#include "redeeming_world.h"

/* --- caps, limits --- */

/* (Earning) The cap on the balance, (Redeeming) judged on what the receipt's own redemptions left of it. */
static void what_a_receipt_spends_is_room_under_the_cap(void **state)
{
    (void)state;
    static const struct {
        bool spend_earned;
        millipoints earned;
    } rows[] = { { false, 50 * POINT }, { true, 0 } };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct world *world = shop_new(1);
        world->programme.caps.balance = 100 * POINT;
        world->programme.spend_earned = rows[i].spend_earned;
        shop_give(world, 0, 100 * POINT);
        struct wish wish = { .points = 50 * POINT };
        struct world_event *sale = shop_buy(world, 0, 15000, 1, &wish);
        assert_non_null(sale);
        assert_int_equal(sale->event.purchase.base, 10000);
        assert_int_equal(sale->event.purchase.earned, rows[i].earned);
        world_free(world);
    }
}

static bool apply(struct account *account, const struct account_change *change)
{
    struct account_change changes[1] = { *change };
    struct effect effect = { .account = account->number, .change_count = 1, .changes = changes };
    return effect_apply(&effect, 100, account);
}

/* (LEDGER.md, State) Only so many counters are kept: a use that counts for ever does not give way before others. */
static void what_counts_for_ever_gives_way_last(void **state)
{
    (void)state;
    static struct account account;
    account_new(1, &account);
    struct account_change use = { .kind = CHANGE_TALLY, .which = TALLY_REWARD, .id = 1, .value = 1 };
    assert_true(apply(&account, &use)); /* of its period 0 */
    for (uint64_t i = 2; i <= 2 * ACCOUNT_TALLIES_MAX; i++) {
        use.id = i;
        use.period = 20000 + (int32_t)i;
        assert_true(apply(&account, &use));
    }
    assert_int_equal(account.tally_count, ACCOUNT_TALLIES_MAX);
    assert_int_equal(account_tally(&account, TALLY_REWARD, 1, 0), 1);
    assert_int_equal(account_tally(&account, TALLY_REWARD, ACCOUNT_TALLIES_MAX + 1, 20161), 0);
    assert_int_equal(account_tally(&account, TALLY_REWARD, ACCOUNT_TALLIES_MAX + 2, 20162), 1);
    account.tally_count = 0;
    for (uint64_t i = 1; i <= ACCOUNT_TALLIES_MAX + 1; i++) {
        use.id = i;
        use.period = 0;
        assert_true(apply(&account, &use));
    }
    assert_int_equal(account_tally(&account, TALLY_REWARD, 1, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_receipt_spends_is_room_under_the_cap),
        cmocka_unit_test(what_counts_for_ever_gives_way_last),
    };
    return cmocka_run_group_tests_name("points corners", tests, NULL, NULL);
}
