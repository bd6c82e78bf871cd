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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_receipt_spends_is_room_under_the_cap),
    };
    return cmocka_run_group_tests_name("points corners", tests, NULL, NULL);
}
