/* Programmes: every mistake is told, with its place and what was expected, and nothing of such a file is taken. */
#include "ops/programme_reader.h"

#include "ops_files.h"

static struct problems problems;

#define RULE "base: [{rule: spend, points: 1, amount: 1}]\n"

#define RULE_KEYS                                                                                            \
    "rule, name, points, amount, exact, include, exclude, stores, tenders, tiers, tags, coupons, days, "     \
    "hours, minimum, maximum, of"

#define TOP_KEYS                                                                                             \
    "programme, currency, exponent, decimals, zone, tax, discounts, cards, tiers, base, base_combine, "      \
    "offers, offers_combine, offers_need_base, caps, lots, expiry, returns, redeem, rewards, welcome, "      \
    "reasons, adjust_limits, unlinked_limits, debt_limits, abuse, receipt_text"

struct fault_row {
    const char *yaml;
    const char *want[12];
};

static const struct fault_row fault_rows[] = {
    { "programme: P\n...\n", { "f:1:1: base is missing" } },
    { "base: []\n...\n", { "f:1:7: base is no list of rules, expected \"- rule: spend\" and so on" } },
    { "base: [5]\n...\n", { "f:1:8: a rule is \"5\", expected a map with keys of " RULE_KEYS } },
    { "base:\n  - rule: spent\n    points: 0\n    amount: 1.001\n    exact: yes\n...\n",
      { "f:2:11: rule is \"spent\", expected one of spend, item, visit",
        "f:3:13: points is \"0\", expected a number from 0.001 to 999999999999.999 with at most 3 decimals",
        "f:4:13: amount is \"1.001\", expected a number from 0.01 to 9999999999.99 with at most 2 decimals",
        "f:5:12: exact is \"yes\", expected true or false" } },
    { "base:\n  - rule: spend\n...\n", { "f:2:5: points is missing", "f:2:5: amount is missing" } },
    { "base:\n  - {rule: spend, points: -1, amount: .5, cap: 3}\n...\n",
      { "f:2:43: unknown key \"cap\"; expected one of " RULE_KEYS,
        "f:2:27: points is \"-1\", expected a number from 0.001 to 999999999999.999 with at most 3 decimals",
        "f:2:39: amount is \".5\", expected a number from 0.01 to 9999999999.99 with at most 2 decimals" } },
    { "currency: XTS\n" RULE "...\n",
      { "f:1:1: the exponent of XTS is not known here: say \"exponent: 2\" or what it is" } },
    { "currency: eur\n" RULE "...\n",
      { "f:1:11: currency is \"eur\", expected three letters of ISO 4217, as EUR" } },
    { "currency: EURO\n" RULE "...\n", { "f:1:11: currency is \"EURO\", expected a text of 3 to 3 bytes" } },
    { "currency: JPY\nbase: [{rule: spend, points: 1, amount: 100.0}]\n...\n",
      { "f:2:41: amount is \"100.0\", expected a whole number from 1 to 999999999999" } },
    { "zone: Europe/Nowhere\n" RULE "...\n",
      { "f:1:7: zone \"Europe/Nowhere\" is not in the database of this machine; expected one as Europe/Berlin" } },
    { "zone: ../../../etc/passwd\n" RULE "...\n",
      { "f:1:7: zone \"../../../etc/passwd\" is not in the database of this machine; expected one as "
        "Europe/Berlin" } },
    { "zone: Europe\n" RULE "...\n",
      { "f:1:7: zone \"Europe\" is not in the database of this machine; expected one as Europe/Berlin" } },
    { "decimals: 4\n" RULE "...\n", { "f:1:11: decimals is \"4\", expected a whole number from 0 to 3" } },
    { "tax: none\n" RULE "...\n", { "f:1:6: tax is \"none\", expected one of included, excluded" } },
    { "cards: {check: mod10}\n" RULE "...\n",
      { "f:1:16: cards.check is \"mod10\", expected one of none, luhn, ean13" } },
    { "reasons: []\n" RULE "...\n",
      { "f:1:10: reasons is no list of words, expected [goodwill, other] and so on" } },
    { "reasons: [a, b, a, \"\"]\n" RULE "...\n",
      { "f:1:17: reason a is there already",
        "f:1:20: a reason is empty, expected a text of 1 to 32 bytes" } },
    { "redeem: {points: 1, worth: free}\n" RULE "...\n",
      { "f:1:28: redeem.worth is \"free\", expected a number from 0.01 to 9999999999.99 with at most 2 decimals" } },
    { "programme: \"\"\n" RULE "...\n", { "f:1:12: programme is empty, expected a text of 1 to 64 bytes" } },
    { "cards: {check: luhn, may_earn: [], may_spend: [closed, active, active], pin: yes}\n" RULE "...\n",
      { "f:1:32: cards.may_earn is no list of words, expected [active] and so on",
        "f:1:64: cards.may_spend has more than 2 words",
        "f:1:48: cards.may_spend is \"closed\", expected one of active, blocked",
        "f:1:64: cards.may_spend has active already",
        "f:1:78: cards.pin is \"yes\", expected one of if_set, never, always" } },
    { "cards: {may_spend: active}\n" RULE "...\n",
      { "f:1:20: cards.may_spend is no list of words, expected [active] and so on" } },
    { "cards.check: luhn\n" RULE "...\n",
      { "f:1:1: unknown key \"cards.check\"; expected one of " TOP_KEYS } },
    { "base:\n"
      "  - {rule: item, points: 1, amount: 1, exact: true}\n"
      "  - {rule: visit, points: 1, amount: 1, exact: false}\n...\n",
      { "f:2:37: amount is not for rule: item", "f:3:38: amount is not for rule: visit",
        "f:3:48: exact is not for rule: visit" } },
    { "base:\n"
      "  - {rule: spend, points: 1.0005}\n"
      "  - {points: 1, amount: 1}\n"
      "  - {rule: item}\n...\n",
      { "f:2:27: points is \"1.0005\", expected a number from 0.001 to 999999999999.999 with at most 3 decimals",
        "f:2:5: amount is missing", "f:3:5: rule is missing", "f:4:5: points is missing" } },
    { "base:\n"
      "  - rule: visit\n"
      "    points: 1\n"
      "    include: [fish]\n"
      "    exclude: {category: [fish]}\n"
      "    stores: S1\n"
      "    tenders: []\n"
      "    tags: [a, \"\", a]\n"
      "    coupons: [012345678901234567890123456789012]\n...\n",
      { "f:4:14: include is a list, expected a map with keys of categories, codes",
        "f:5:15: unknown key \"category\"; expected one of categories, codes",
        "f:6:13: stores is no list of words, expected [one, two] and so on",
        "f:7:14: tenders is no list of words, expected [one, two] and so on",
        "f:8:15: tags is empty, expected a text of 1 to 32 bytes", "f:8:19: tags has a already",
        "f:9:15: coupons is \"012345678901234567890123456789012\", expected a text of 1 to 32 bytes" } },
    { "base:\n"
      "  - rule: visit\n"
      "    points: 1\n"
      "    tiers: [gold, none, none]\n"
      "    days: [mon, mo, mon]\n"
      "    of: all\n"
      "    minimum: 10\n"
      "    maximum: 5\n"
      "    include: {}\n...\n",
      { "f:4:13: tiers is \"gold\", expected the name of one of the tiers", "f:4:25: tiers has none already",
        "f:5:17: days is \"mo\", expected one of mon, tue, wed, thu, fri, sat, sun",
        "f:5:21: days has mon already", "f:6:9: of is \"all\", expected one of receipt, lines",
        "f:8:14: maximum is less than minimum" } },
    { "base:\n"
      "  - rule: visit\n"
      "    points: 1\n"
      "    hours: [\"7:00-10:00\", \"24:00-01:00\", \"10:00-10:00\", \"09:00-24:01\", \"09:60-10:00\", \"09:00 10:00\", [a]]\n...\n",
      { "f:4:13: hours is \"7:00-10:00\", expected two times as \"07:00-10:00\", up to 24:00",
        "f:4:27: hours is \"24:00-01:00\", expected two times as \"07:00-10:00\", up to 24:00",
        "f:4:42: hours is \"10:00-10:00\", expected two times as \"07:00-10:00\", up to 24:00",
        "f:4:57: hours is \"09:00-24:01\", expected two times as \"07:00-10:00\", up to 24:00",
        "f:4:72: hours is \"09:60-10:00\", expected two times as \"07:00-10:00\", up to 24:00",
        "f:4:87: hours is \"09:00 10:00\", expected two times as \"07:00-10:00\", up to 24:00",
        "f:4:102: hours is a list, expected two times as \"07:00-10:00\", up to 24:00" } },
    { "base:\n"
      "  - rule: visit\n"
      "    points: 1\n"
      "    minimum: 0\n"
      "    maximum: -1\n"
      "    hours: [\"01:00-10:00\", \"02:00-10:00\", \"03:00-10:00\", \"04:00-10:00\", \"05:00-10:00\", \"06:00-10:00\", \"07:00-10:00\", \"08:00-10:00\", \"09:00-10:00\"]\n...\n",
      { "f:6:133: hours has more than 8 hours",
        "f:4:14: minimum is \"0\", expected a number from 0.01 to 9999999999.99 with at most 2 decimals",
        "f:5:14: maximum is \"-1\", expected a number from 0.01 to 9999999999.99 with at most 2 decimals" } },
    { "base:\n"
      "  - rule: visit\n"
      "    points: 1\n"
      "    tiers: {a: b}\n"
      "    days: []\n...\n",
      { "f:4:12: tiers is no list of tiers, expected [none, silver] and so on",
        "f:5:11: days is no list of days, expected [sat, sun] and so on" } },
    { "base_combine: newest\n"
      "offers_combine: first\n"
      "offers_need_base: 1\n" RULE "...\n",
      { "f:1:15: base_combine is \"newest\", expected one of best, sum, first",
        "f:2:17: offers_combine is \"first\", expected one of best, sum, newest",
        "f:3:19: offers_need_base is \"1\", expected true or false" } },
    { "offers: []\n" RULE "...\n",
      { "f:1:9: offers is no list of offers, expected \"- offer: multiply\" and so on" } },
    { "offers: {offer: add}\n" RULE "...\n",
      { "f:1:9: offers is no list of offers, expected \"- offer: multiply\" and so on" } },
    { "offers:\n"
      "  - {offer: multiply, name: a, points: 1, per: unit, stamps: 1, purse: p}\n"
      "  - {offer: add, name: b, factor: 2}\n"
      "  - {offer: stamp, name: c, points: 1}\n" RULE "...\n",
      { "f:2:5: factor is missing", "f:2:40: points is not for offer: multiply",
        "f:2:62: stamps is not for offer: multiply", "f:2:72: purse is not for offer: multiply",
        "f:2:48: per is not for offer: multiply", "f:3:35: factor is not for offer: add",
        "f:3:5: points is missing", "f:4:37: points is not for offer: stamp", "f:4:5: purse is missing" } },
    { "offers:\n"
      "  - {offer: times, factor: 0.999}\n"
      "  - {name: b}\n"
      "  - {offer: multiply, name: c, factor: 10.001}\n"
      "  - {offer: multiply, name: d, factor: 1.0001}\n" RULE "...\n",
      { "f:2:13: offer is \"times\", expected one of multiply, add, stamp", "f:2:5: name is missing",
        "f:2:28: factor is \"0.999\", expected a number from 1 to 10 with at most 3 decimals",
        "f:3:5: offer is missing",
        "f:4:40: factor is \"10.001\", expected a number from 1 to 10 with at most 3 decimals",
        "f:5:40: factor is \"1.0001\", expected a number from 1 to 10 with at most 3 decimals" } },
    { "offers:\n"
      "  - {offer: add, name: a, points: 1}\n"
      "  - {offer: add, name: a, points: 2, per: line, activate: maybe}\n" RULE "...\n",
      { "f:3:43: per is \"line\", expected one of receipt, unit",
        "f:3:59: activate is \"maybe\", expected true or false", "f:3:24: offer \"a\" is there already" } },
    { "offers:\n"
      "  - {offer: stamp, name: a, stamps: 1000.001, purse: \"\"}\n"
      "  - {offer: stamp, name: b, stamps: 0, purse: p}\n" RULE "...\n",
      { "f:2:37: stamps is \"1000.001\", expected a number from 0.001 to 1000 with at most 3 decimals",
        "f:2:54: purse is empty, expected a text of 1 to 32 bytes",
        "f:3:37: stamps is \"0\", expected a number from 0.001 to 1000 with at most 3 decimals" } },
    { "offers:\n"
      "  - {offer: add, name: a, points: 1, from: 2026-03-02, through: 2026-03-01}\n"
      "  - {offer: add, name: b, points: 1, from: 2026-02-29, through: 1.3.2026}\n"
      "  - {offer: add, name: c, points: 1, from: 2100-01-01, through: 1969-12-31}\n"
      "  - {offer: add, name: d, points: 1, from: 2026-13-01, through: [2026-03-01]}\n" RULE "...\n",
      { "f:2:65: through is before from",
        "f:3:44: from is \"2026-02-29\", expected a day as 2026-03-01, from 1970 to 2099",
        "f:3:65: through is \"1.3.2026\", expected a day as 2026-03-01, from 1970 to 2099",
        "f:4:44: from is \"2100-01-01\", expected a day as 2026-03-01, from 1970 to 2099",
        "f:4:65: through is \"1969-12-31\", expected a day as 2026-03-01, from 1970 to 2099",
        "f:5:44: from is \"2026-13-01\", expected a day as 2026-03-01, from 1970 to 2099",
        "f:5:65: through is a list, expected a day as 2026-03-01, from 1970 to 2099" } },
    { "offers:\n"
      "  - {offer: add, name: a, points: 1, limit: {uses: 0, per: week}}\n"
      "  - {offer: add, name: b, points: 1, limit: 1}\n"
      "  - {offer: add, name: c, points: 1, limit: {}}\n"
      "  - {offer: add, name: d, points: 1, limit: {uses: 1, per: period}}\n" RULE "...\n",
      { "f:2:52: uses is \"0\", expected a whole number from 1 to 1000000000",
        "f:2:60: per is \"week\", expected one of day, month, year, period, ever",
        "f:3:45: limit is \"1\", expected a map with keys of uses, per", "f:4:45: uses is missing",
        "f:4:45: per is missing",
        "f:5:60: per is \"period\", but there is no from and no through; expected ever" } },
    { "offers:\n"
      "  - {offer: add, name: 8yn0iYCKYHlIj4-BwPqk, points: 1}\n"
      "  - {offer: add, name: GReLUrM4wMqfg9yzV3KQ, points: 1}\n" RULE "...\n",
      { "f:3:24: offer \"GReLUrM4wMqfg9yzV3KQ\" has the id of \"8yn0iYCKYHlIj4-BwPqk\", expected another name" } },
    { "decimals: 1\n"
      "caps: {receipt: 0, over: cut, day: 0.05, month: -1, balance: 1000000000000}\n" RULE "...\n",
      { "f:2:17: caps.receipt is \"0\", expected a number from 0.1 to 999999999999.9 with at most 1 decimals",
        "f:2:26: caps.over is \"cut\", expected one of trim, reject",
        "f:2:36: caps.day is \"0.05\", expected a number from 0.1 to 999999999999.9 with at most 1 decimals",
        "f:2:49: caps.month is \"-1\", expected a number from 0.1 to 999999999999.9 with at most 1 decimals",
        "f:2:62: caps.balance is \"1000000000000\", expected a number from 0.1 to 999999999999.9 with at most 1 decimals" } },
    { "lots: {mature_days: 3651}\n" RULE "...\n",
      { "f:1:21: lots.mature_days is \"3651\", expected a whole number from 0 to 3650" } },
    { "expiry: soon\n" RULE "...\n",
      { "f:1:9: expiry is \"soon\", expected never or a map as {months: 12, through: month}" } },
    { "expiry: [never]\n" RULE "...\n",
      { "f:1:9: expiry is a list, expected never or a map as {months: 12, through: month}" } },
    { "expiry: {}\n" RULE "...\n", { "f:1:9: one of months, yearly, inactive is missing" } },
    { "expiry: {months: 1, yearly: 09-30, inactive: 5}\n" RULE "...\n",
      { "f:1:29: yearly does not go with months", "f:1:46: inactive does not go with months" } },
    { "expiry: {yearly: 30-09, through: month}\n" RULE "...\n",
      { "f:1:18: yearly is \"30-09\", expected month and day as \"09-30\"",
        "f:1:34: through goes with months only" } },
    { "expiry: {inactive: 0, after_months: 1}\n" RULE "...\n",
      { "f:1:20: inactive is \"0\", expected a whole number from 1 to 1200",
        "f:1:37: after_months goes with yearly only" } },
    { "expiry: {months: 1201, through: week}\n" RULE "...\n",
      { "f:1:18: months is \"1201\", expected a whole number from 0 to 1200",
        "f:1:33: through is \"week\", expected one of day, month, quarter, year" } },
    { "expiry: {yearly: 02-30}\n" RULE "...\n",
      { "f:1:18: yearly is \"02-30\", expected month and day as \"09-30\"" } },
    { "expiry: {yearly: [9, 30]}\n" RULE "...\n",
      { "f:1:18: yearly is a list, expected month and day as \"09-30\"" } },
    { "tiers: gold\n" RULE "...\n",
      { "f:1:8: tiers is \"gold\", expected a map with keys of basis, window, kept, grace, down, up, levels" } },
    { "tiers: {basis: money, window: week, kept: ever, grace: {days: 1, months: 1}, down: two, up: never}\n" RULE
      "...\n",
      { "f:1:16: basis is \"money\", expected one of spend, points, visits, balance",
        "f:1:31: window is \"week\", expected ever, year or {months: n}",
        "f:1:43: kept is \"ever\", expected next, period, none or {days: n}",
        "f:1:74: months does not go with days", "f:1:84: down is \"two\", expected one of earned, one",
        "f:1:93: up is \"never\", expected one of now, next", "f:1:8: levels is missing" } },
    { "tiers: {window: {months: 37}, kept: {days: 0}, grace: {through: day}, levels: []}\n" RULE "...\n",
      { "f:1:26: months is \"37\", expected a whole number from 1 to 36",
        "f:1:44: days is \"0\", expected a whole number from 1 to 3650",
        "f:1:65: through is \"day\", expected one of month", "f:1:55: one of days, months is missing",
        "f:1:65: through goes with months only",
        "f:1:79: levels is no list of tiers, expected \"- name: silver\" and so on" } },
    { "tiers: {window: {}, kept: {}, grace: none, levels: [{name: a, from: 0}]}\n" RULE "...\n",
      { "f:1:17: months is missing", "f:1:27: days is missing",
        "f:1:38: grace is \"none\", expected a map with keys of days, months, through",
        "f:1:69: from is \"0\", expected a number from 0.01 to 9999999999.99 with at most 2 decimals" } },
    { "tiers: {grace: {days: 5, through: month}, levels: [{name: a, from: 5}]}\n" RULE "...\n",
      { "f:1:35: through goes with months only" } },
    { "tiers: {basis: balance, window: year, kept: next, levels: [{name: a, from: 5.5}]}\n" RULE "...\n",
      { "f:1:33: window is not for basis: balance",
        "f:1:45: kept is \"next\", expected none or {days: n} with basis: balance",
        "f:1:76: from is \"5.5\", expected a whole number from 1 to 999999999999" } },
    { "tiers: {basis: visits, levels: [{name: a, from: 5}, {name: a, from: 5, multiply: 0.5, add: 0}, {name: none, from: 6.5}, {from: 4}, {name: b}]}\n" RULE
      "...\n",
      { "f:1:82: multiply is \"0.5\", expected a number from 1 to 10 with at most 3 decimals",
        "f:1:92: add is \"0\", expected a number from 0.001 to 999999999999.999 with at most 3 decimals",
        "f:1:60: tier \"a\" is there already", "f:1:69: from is not above that of \"a\"",
        "f:1:115: from is \"6.5\", expected a whole number from 1 to 1000000000",
        "f:1:103: tier \"none\" is the name of having none", "f:1:121: name is missing",
        "f:1:132: from is missing" } },
    { "returns: {claw_back: all, return_spent: 1, restore_days: 3651, unlinked: no, days: -1}\n" RULE "...\n",
      { "f:1:22: returns.claw_back is \"all\", expected one of debt, balance, own, pending",
        "f:1:41: returns.return_spent is \"1\", expected true or false",
        "f:1:58: returns.restore_days is \"3651\", expected a whole number from 0 to 3650",
        "f:1:74: returns.unlinked is \"no\", expected true or false",
        "f:1:84: returns.days is \"-1\", expected a whole number from 0 to 3650" } },
    { "redeem: {points: 0, worth: 0, minimum: 0.5, step: 0, last: half, spend_earned: later, hold: 15}\n" RULE
      "...\n",
      { "f:1:18: redeem.points is \"0\", expected a number from 0.001 to 999999999999.999 with at most 3 decimals",
        "f:1:28: redeem.worth is \"0\", expected a number from 0.01 to 9999999999.99 with at most 2 decimals",
        "f:1:40: redeem.minimum is \"0.5\", expected a whole number from 1 to 999999999999",
        "f:1:51: redeem.step is \"0\", expected a whole number from 1 to 999999999999",
        "f:1:60: redeem.last is \"half\", expected one of whole, part",
        "f:1:80: redeem.spend_earned is \"later\", expected true or false",
        "f:1:93: redeem.hold is \"15\", expected a time as 90s, 15m or 2h, from 1s to 24h" } },
    { "redeem: {hold: 25h}\n" RULE "...\n",
      { "f:1:16: redeem.hold is \"25h\", expected a time as 90s, 15m or 2h, from 1s to 24h" } },
    { "redeem: {hold: 0s}\n" RULE "...\n",
      { "f:1:16: redeem.hold is \"0s\", expected a time as 90s, 15m or 2h, from 1s to 24h" } },
    { "redeem: {hold: 1d}\n" RULE "...\n",
      { "f:1:16: redeem.hold is \"1d\", expected a time as 90s, 15m or 2h, from 1s to 24h" } },
    { "redeem: {hold: 99999999999999999h}\n" RULE "...\n",
      { "f:1:16: redeem.hold is \"99999999999999999h\", expected a time as 90s, 15m or 2h, from 1s to 24h" } },
    { "abuse: {card_hour: 17, late: 25h, redeem_after: soon, points_day: -1, staff_tag: \"\", day: 1}\n" RULE
      "...\n",
      { "f:1:86: unknown key \"day\"; expected one of card_hour, card_day, card_day_block, operator_card, late, "
        "points_day, points_day_block, redeem_after, staff_tag, staff_day",
        "f:1:20: card_hour is \"17\", expected a whole number from 0 to 16",
        "f:1:30: late is \"25h\", expected a time as 90s, 15m or 2h, from 0s to 24h",
        "f:1:67: points_day is \"-1\", expected a whole number from 0 to 999999999999",
        "f:1:49: redeem_after is \"soon\", expected a time as 90s, 15m or 2h, from 0s to 24h",
        "f:1:82: staff_tag is empty, expected a text of 1 to 32 bytes" } },
    { "rewards: []\n" RULE "...\n",
      { "f:1:10: rewards is no list of rewards, expected \"- reward: money_off\" and so on" } },
    { "rewards:\n"
      "  - {reward: money_off, name: a, percent: 5, maximum: 1, points: 1}\n"
      "  - {reward: percent_off, name: b, amount: 5, points: 1}\n"
      "  - {reward: item, name: c, what: x, points: 1}\n" RULE "...\n",
      { "f:2:5: amount is missing", "f:2:43: percent is not for reward: money_off",
        "f:2:55: maximum is not for reward: money_off", "f:3:44: amount is not for reward: percent_off",
        "f:3:5: percent is missing", "f:4:35: what is not for reward: item",
        "f:4:5: one of code, category is missing" } },
    { "rewards:\n"
      "  - {reward: voucher, name: a, code: b, points: 1}\n"
      "  - {reward: gift, name: b, voucher: v, points: 1}\n"
      "  - {reward: item, name: c, code: a, category: b, points: 1}\n" RULE "...\n",
      { "f:2:38: code is not for reward: voucher", "f:2:5: voucher is missing", "f:3:5: what is missing",
        "f:3:38: voucher is not for reward: gift", "f:4:48: category does not go with code" } },
    { "rewards:\n"
      "  - {reward: free, points: 1}\n"
      "  - {reward: gift, name: a, what: x}\n"
      "  - {reward: gift, name: a, what: x, points: 1, stamps: 1}\n" RULE "...\n",
      { "f:2:14: reward is \"free\", expected one of money_off, percent_off, item, voucher, gift",
        "f:2:5: name is missing", "f:3:5: one of points, stamps is missing",
        "f:4:57: stamps does not go with points", "f:4:5: purse is missing",
        "f:4:26: reward \"a\" is there already" } },
    { "rewards:\n"
      "  - {reward: gift, name: a, what: x, stamps: 1, purse: coffee}\n"
      "  - {reward: gift, name: b, what: x, points: 1, purse: p}\n" RULE "...\n",
      { "f:2:56: purse is \"coffee\", expected one that a stamp offer fills",
        "f:3:56: purse goes with stamps only",
        "f:3:56: purse is \"p\", expected one that a stamp offer fills" } },
    { "rewards:\n"
      "  - reward: percent_off\n"
      "    name: a\n"
      "    percent: 100.001\n"
      "    points: 0.5\n"
      "    per: 0\n"
      "    tier: gold\n"
      "    stores: []\n"
      "    stock: -1\n" RULE "...\n",
      { "f:4:14: percent is \"100.001\", expected a number from 0.001 to 100 with at most 3 decimals",
        "f:5:13: points is \"0.5\", expected a whole number from 1 to 999999999999",
        "f:6:10: per is \"0\", expected a whole number from 1 to 1000000",
        "f:7:11: tier is \"gold\", expected the name of one of the tiers",
        "f:8:13: stores is no list of words, expected [one, two] and so on",
        "f:9:12: stock is \"-1\", expected a whole number from 0 to 1000000000" } },
    { "rewards:\n"
      "  - reward: percent_off\n"
      "    name: a\n"
      "    percent: 0\n"
      "    points: 0\n"
      "    tier: [gold]\n"
      "    stores: [a, a]\n"
      "    stock: many\n"
      "    limit: {per: ever}\n"
      "    through: tomorrow\n" RULE "...\n",
      { "f:4:14: percent is \"0\", expected a number from 0.001 to 100 with at most 3 decimals",
        "f:5:13: points is \"0\", expected a whole number from 1 to 999999999999",
        "f:6:11: tier is a list, expected a text of 1 to 32 bytes",
        "f:10:14: through is \"tomorrow\", expected a day as 2026-03-01, from 1970 to 2099",
        "f:7:17: stores has a already",
        "f:8:12: stock is \"many\", expected a whole number from 0 to 1000000000",
        "f:9:12: uses is missing" } },
    { "welcome: 0.5\n" RULE "...\n",
      { "f:1:10: welcome is \"0.5\", expected a whole number from 0 to 999999999999" } },
    { "reasons: words\n" RULE "...\n",
      { "f:1:10: reasons is no list of words, expected [goodwill, other] and so on" } },
    { "adjust_limits: [clerk]\n" RULE "...\n",
      { "f:1:16: adjust_limits is a list, expected a map of roles and points as {office: 500}" } },
    { "unlinked_limits: 5\ndebt_limits: []\n" RULE "...\n",
      { "f:1:18: unlinked_limits is \"5\", expected a map of roles and amounts as {office: 500}",
        "f:2:14: debt_limits is a list, expected a map of roles and points as {office: 500}" } },
    { "unlinked_limits: {a: 1.005}\ndebt_limits: {a: 0.5}\n" RULE "...\n",
      { "f:1:22: its limit is \"1.005\", expected a number from 0 to 9999999999.99 with at most 2 decimals",
        "f:2:18: its limit is \"0.5\", expected a whole number from 0 to 999999999999" } },
    { "adjust_limits: {clerk: lots, \"\": 5, boss: -1}\n" RULE "...\n",
      { "f:1:24: its limit is \"lots\", expected a whole number from 0 to 999999999999",
        "f:1:30: a role is empty, expected a text of 1 to 32 bytes",
        "f:1:43: its limit is \"-1\", expected a whole number from 0 to 999999999999" } },
    { "adjust_limits: {clerk: 1, clerk: 2}\n" RULE "...\n", { "f:1:27: role clerk is there already" } },
    { "adjust_limits: {a: 1, b: 1, c: 1, d: 1, e: 1, f: 1, g: 1, h: 1, i: 1}\n" RULE "...\n",
      { "f:1:65: adjust_limits has more than 8 roles" } },
    { "offer: []\n" RULE "...\n", { "f:1:1: unknown key \"offer\"; expected one of " TOP_KEYS } },
    { "offers: [stamp]\n" RULE "...\n",
      { "f:1:10: an offer is \"stamp\", expected a map with keys of offer, name, factor, points, stamps, purse, per, from, through, activate, limit, include, exclude, stores, tenders, tiers, tags, coupons, days, hours, minimum, maximum, of" } },
    { "rewards: [[gift]]\n" RULE "...\n",
      { "f:1:11: a reward is a list, expected a map with keys of reward, name, amount, percent, maximum, code, category, what, voucher, points, stamps, purse, per, tier, from, through, stores, stock, limit" } },
    { "tiers: {levels: [gold], window: {years: 1}, kept: {day: 1}}\n" RULE "...\n",
      { "f:1:34: unknown key \"years\"; expected one of months", "f:1:33: months is missing",
        "f:1:52: unknown key \"day\"; expected one of days", "f:1:51: days is missing",
        "f:1:18: a tier is \"gold\", expected a map with keys of name, from, multiply, add" } },
    { "exponent: 5\n"
      "programme: [a]\n" RULE "...\n",
      { "f:2:12: programme is a list, expected a text of 1 to 64 bytes",
        "f:1:11: exponent is \"5\", expected a whole number from 0 to 4" } },
};

static void tells_every_mistake(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(fault_rows); i++) {
        struct programme programme;
        assert_int_equal(programme_read(text_of(fault_rows[i].yaml), "f", &programme, &problems),
                         PUNKT_INVALID);
        assert_problems(&problems, fault_rows[i].want);
    }
}

/* Appends a text with a number for each '#'. */
static void append(char *yaml, size_t capacity, const char *text, int number)
{
    for (; *text != '\0'; text++) {
        size_t used = strlen(yaml);
        if (*text == '#')
            (void)snprintf(yaml + used, capacity - used, "%d", number);
        else
            (void)snprintf(yaml + used, capacity - used, "%c", *text);
    }
}

/* Room is kept for so many of each; the first that is too many is told at its place. */
static void too_many_of_each(void **state)
{
    (void)state;
    static const struct {
        const char *before;
        const char *item; /* #: its number */
        int room;
        const char *want;
    } rows[] = {
        { "base:\n", "  - {rule: visit, points: #}\n", PROGRAMME_RULES_MAX,
          "f:18:5: base has more than 16 rules" },
        { RULE "offers:\n", "  - {offer: add, name: o#, points: 1}\n", PROGRAMME_OFFERS_MAX,
          "f:51:5: offers has more than 48 offers" },
        { RULE "offers:\n", "  - {offer: stamp, name: o#, purse: p#}\n", PROGRAMME_PURSES_MAX,
          "f:11:37: purse \"p9\" is one too many: a programme has room for 8" },
        { RULE "rewards:\n", "  - {reward: money_off, name: r#, amount: 1, points: 1}\n",
          PROGRAMME_REWARDS_MAX, "f:67:5: rewards has more than 64 rewards" },
        { RULE "tiers:\n  levels:\n", "    - {name: t#, from: #}\n", PROGRAMME_TIERS_MAX,
          "f:20:7: levels has more than 16 tiers" },
        { RULE "reasons:\n", "  - r#\n", PROGRAMME_REASONS_MAX, "f:35:5: reasons has more than 32 words" },
        { RULE "adjust_limits:\n", "  r#: 5\n", PROGRAMME_ROLES_MAX,
          "f:11:3: adjust_limits has more than 8 roles" },
        { "base:\n  - rule: visit\n    points: 1\n    include:\n      codes:\n", "        - c#\n",
          PROGRAMME_WORDS_MAX,
          "f:1030:11: include.codes has one word too many: a programme has room for 1024" },
        { "base:\n  - rule: visit\n    points: 1\n    stores: [c1]\n    tags:\n", "      - t#\n",
          PROGRAMME_WORDS_MAX - 1, "f:1029:9: tags has one word too many: a programme has room for 1024" },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        static char yaml[32 * 1024];
        static struct programme programme;
        (void)snprintf(yaml, sizeof(yaml), "%s", rows[i].before);
        for (int number = 1; number <= rows[i].room; number++)
            append(yaml, sizeof(yaml), rows[i].item, number);
        size_t full = strlen(yaml);
        (void)strcat(yaml, "...\n");
        assert_int_equal(programme_read(text_of(yaml), "f", &programme, &problems), PUNKT_OK);
        yaml[full] = '\0';
        append(yaml, sizeof(yaml), rows[i].item, rows[i].room + 1);
        (void)strcat(yaml, "...\n");
        assert_int_equal(programme_read(text_of(yaml), "f", &programme, &problems), PUNKT_INVALID);
        assert_problems(&problems, (const char *const[]){ rows[i].want, NULL });
    }
}

/* Every beginning of the example is a mistake, wherever it is cut. */
static void no_part_of_a_programme_is_taken(void **state)
{
    (void)state;
    static struct programme programme;
    static struct programme before;
    struct text example = source_file("conf/programme.yaml");
    /* The mark is whole without its line's end. */
    for (size_t size = 0; size + 1 < example.size; size++) {
        struct text part = { example.data, size };
        assert_int_equal(programme_read(part, "f", &programme, &problems), PUNKT_INVALID);
        assert_true(problems.count > 0);
    }
    assert_memory_equal(&programme, &before, sizeof(programme));
    source_file_free(example);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_every_mistake),
        cmocka_unit_test(too_many_of_each),
        cmocka_unit_test(no_part_of_a_programme_is_taken),
    };
    return cmocka_run_group_tests_name("ops programme faults", tests, NULL, NULL);
}
