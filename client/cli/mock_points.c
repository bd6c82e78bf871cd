/*
 * The mock's programme: a point for each whole unit of the currency, worth a hundredth of it.
 */
#include "cli/mock_parts.h"

int64_t mock_share(int64_t value, int64_t part, int64_t whole)
{
    __extension__ typedef __int128 wide;
    return whole > 0 ? (int64_t)((wide)value * part / whole) : 0;
}

int64_t mock_power_of_ten(unsigned exponent)
{
    int64_t power = 1;
    while (exponent-- > 0)
        power *= 10;
    return power;
}

int64_t mock_rate(const struct mock *mock, int64_t base)
{
    return base / mock_power_of_ten(mock->currency_exponent) *
           mock_power_of_ten(mock->options.points_decimals);
}

/* A hundredth of a unit of the currency a point. */
int64_t mock_worth(const struct mock *mock, int64_t points)
{
    return mock_share(points, mock_power_of_ten(mock->currency_exponent),
                      100 * mock_power_of_ten(mock->options.points_decimals));
}

int64_t mock_cut(const struct mock *mock, int64_t points, int64_t bill, int64_t *out_worth)
{
    int64_t most = mock_share(bill, 100 * mock_power_of_ten(mock->options.points_decimals),
                              mock_power_of_ten(mock->currency_exponent));
    if (bill >= 0 && points > most)
        points = most;
    *out_worth = mock_worth(mock, points);
    return points;
}
