/* Receipts out of a CSV file, without a network. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/parse.h"
#include "cli/receipts.h"
#include "cli/seen.h"

#define HEADER "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
#define MAP                                                                                                  \
    "receipt=InvoiceNo,code=StockCode,quantity=Quantity,time=InvoiceDate,price=UnitPrice,card=CustomerID"

/* What was taken, as a text: a line a receipt. */
struct taken {
    char text[8192];
    size_t size;
    unsigned count;
    unsigned stop_after; /* 0: never */
};

static bool take(const struct receipts_receipt *receipt, void *ctx)
{
    struct taken *taken = ctx;
    char day[TIME_TEXT_SIZE];
    day_text(receipt->day, day);
    taken->count++;
    if (taken->size < sizeof(taken->text) - 256) {
        taken->size += (size_t)sprintf(taken->text + taken->size, "%s %s %s %" PRId64,
                                       receipt->returned ? "return" : "sale", receipt->number.text,
                                       receipt->card.text, receipt->amount);
        for (uint32_t i = 0; i < receipt->line_count && i < 4; i++)
            taken->size += (size_t)sprintf(taken->text + taken->size, " %s:%" PRIu64 ":%" PRId64,
                                           receipt->lines[i].code.text, receipt->lines[i].quantity,
                                           receipt->lines[i].amount);
        taken->size += (size_t)sprintf(taken->text + taken->size, " %s\n", day);
    }
    return taken->count != taken->stop_after;
}

struct reading {
    char map[512];
    struct receipts_options options;
    struct receipts *receipts;
    struct taken taken;
};

static void reading_init(struct reading *reading, const char *map)
{
    const char *why = "";
    memset(reading, 0, sizeof(*reading));
    assert_true(strlen(map) < sizeof(reading->map));
    strcpy(reading->map, map);
    assert_true(receipts_map(reading->map, &reading->options, &why));
    reading->options.returns_prefix = "C";
    reading->options.store = "0";
    reading->options.till = "0";
    reading->options.currency_exponent = 2;
    reading->receipts = receipts_new(&reading->options, take, &reading->taken);
    assert_non_null(reading->receipts);
}

/* Feeds a text in pieces of a size, and ends it. */
static enum receipts_status read_text(struct reading *reading, const char *text, size_t piece)
{
    size_t size = strlen(text);
    enum receipts_status status = RECEIPTS_OK;
    for (size_t at = 0; at < size && status == RECEIPTS_OK; at += piece)
        status = receipts_feed(reading->receipts, text + at, size - at < piece ? size - at : piece);
    return status == RECEIPTS_OK ? receipts_finish(reading->receipts) : status;
}

static const char sample[] =
    HEADER "536365,85123A,\"HOLDER, WHITE\",6,2010-12-01 08:26:00,2.55,17850,United Kingdom\n"
           "536366,22633,WARMER,6,2010-12-01 08:28:00,1.85,17850,United Kingdom\n"
           "536365,71053,\"LANTERN \"\"M\"\"\",6,2010-12-02 08:26:00,3.39,17850,United Kingdom\n"
           "536367,84879,BIRD,32,2010-12-01 08:34:00,1.69,,United Kingdom\n"
           "C536379,D,Discount,-1,2010-12-01 09:41:00,27.505,14527,United Kingdom\n"
           "536368,22960,\"JAM\nSET\",0.5,2010-12-01 23:59:59,0.01,13047,United Kingdom\n";

static const char sample_taken[] = "sale 536366 17850 1110 22633:6000:1110 2010-12-01\n"
                                   "sale 536365 17850 3564 85123A:6000:1530 71053:6000:2034 2010-12-01\n"
                                   "return C536379 14527 2751 D:1000:2751 2010-12-01\n"
                                   "sale 536368 13047 1 22960:500:1 2010-12-01\n";

static void test_sample(void **state)
{
    (void)state;
    for (size_t piece = 1; piece <= sizeof(sample); piece += 7) {
        struct reading reading;
        reading_init(&reading, MAP);
        assert_int_equal(read_text(&reading, sample, piece), RECEIPTS_OK);
        assert_string_equal(reading.taken.text, sample_taken);
        assert_int_equal(receipts_lines(reading.receipts), 5);
        assert_int_equal(receipts_skipped_lines(reading.receipts), 1);
        receipts_free(reading.receipts);
    }
}

/* Line ends of another system, a byte order mark, no line end at the end. */
static void test_forms(void **state)
{
    static const char *const texts[] = {
        "n,c,t,k,a\r\n1,x,2020-01-01 10:00:00,7,1.00\r\n",
        "\xEF\xBB\xBFn,c,t,k,a\n1,x,2020-01-01 10:00:00,7,1.00",
        "\"n\",\"c\",\"t\",\"k\",\"a\"\n\n\"1\",\"x\",\"2020-01-01 10:00:00\",\"7\",\"1.00\"\n",
        "a,other,k,t,c,n\n1.00,\"\",7,2020-01-01T10:00:00Z,x,1,and,more\n",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct reading reading;
        reading_init(&reading, "receipt=n,code=c,time=t,card=k,amount=a");
        assert_int_equal(read_text(&reading, texts[i], 1000), RECEIPTS_OK);
        assert_string_equal(reading.taken.text, "sale 1 7 100 x:1000:100 2020-01-01\n");
        receipts_free(reading.receipts);
    }
}

static void test_bad_files(void **state)
{
    static const struct {
        const char *text;
        const char *error;
    } rows[] = {
        { "", "line 1: the file is empty" },
        { "n,c,t,k\n", "line 1: the header has no column a" },
        { "n,c,t,k,a,a\n", "line 1: there are two columns a" },
        { "n,c,t,k,a\n1,x,2020-01-01 10:00:00,7\n", "line 2: the line has no column a" },
        { "n,c,t,k,a\n\n1,x,2020-01-01,7,1.00\n", "line 3: \"2020-01-01\" is no time" },
        { "n,c,t,k,a\n1,x,2020-01-01 10:00:00,7,1.0.0\n", "line 2: \"1.0.0\" is no amount" },
        { "n,c,t,k,a\n1,x,2020-01-01 10:00:00,7 8,1\n", "line 2: \"7 8\" is no card" },
        { "n,c,t,k,a\n1,,2020-01-01 10:00:00,7,1\n", "line 2: \"\" is no code" },
        { "n,c,t,k,a\n,x,2020-01-01 10:00:00,7,1\n", "line 2: \"\" is no receipt" },
        { "n,c,t,k,a\n123456789012345678901234567890123,x,2020-01-01 10:00:00,7,1\n",
          "line 2: \"123456789012345678901234567890123\" is no receipt" },
        { "n,c,t,k,a\n1,x,2020-01-01 10:00:00,7,10000000000\n", "line 2: the amount is over the limit" },
        { "n,c,t,k,a\n1,x,2020-01-01 10:00:00,7,9999999999\n1,x,2020-01-01 10:00:00,7,9999999999\n",
          "line 3: the amount of receipt 1 is over the limit" },
        { "n,c,t,k,a\n1,x,2020-01-01 10:00:00,7,1\n1,x,2020-01-01 10:00:00,8,1\n",
          "line 3: receipt 1 has two cards" },
        { "n,c,t,k,a\n1,\"x\"y,2020-01-01 10:00:00,7,1\n", "line 2: the quotes are wrong" },
        { "n,c,t,k,a\n1,x,2020-01-01 10:00:00,7,\"1\n", "line 2: a quote is never closed" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct reading reading;
        reading_init(&reading, "receipt=n,code=c,time=t,card=k,amount=a");
        assert_int_equal(read_text(&reading, rows[i].text, 1000), RECEIPTS_BAD);
        assert_string_equal(receipts_error(reading.receipts), rows[i].error);
        assert_int_equal(receipts_feed(reading.receipts, "x", 1), RECEIPTS_BAD);
        receipts_free(reading.receipts);
    }
}

static void feed_line(struct reading *reading, const char *number, const char *card)
{
    char line[128];
    int size = snprintf(line, sizeof(line), "%s,x,2020-01-01 10:00:00,%s,1.00\n", number, card);
    (void)receipts_feed(reading->receipts, line, (size_t)size);
}

/* Complete after a thousand further lines, those without a card among them; then named again. */
static void test_window(void **state)
{
    struct reading reading;
    (void)state;
    reading_init(&reading, "receipt=n,code=c,time=t,card=k,amount=a");
    (void)receipts_feed(reading.receipts, "n,c,t,k,a\n", 10);
    feed_line(&reading, "A", "7");
    for (int i = 0; i < RECEIPTS_WINDOW - 1; i++)
        feed_line(&reading, "B", "");
    assert_int_equal(reading.taken.count, 0);
    feed_line(&reading, "A", "7"); /* just in time */
    for (int i = 0; i < RECEIPTS_WINDOW - 1; i++)
        feed_line(&reading, "B", "7");
    assert_int_equal(reading.taken.count, 0);
    feed_line(&reading, "B", "7");
    assert_int_equal(reading.taken.count, 1);
    assert_string_equal(reading.taken.text, "sale A 7 200 x:1000:100 x:1000:100 2020-01-01\n");
    feed_line(&reading, "A", "");
    assert_int_equal(receipts_feed(reading.receipts, "", 0), RECEIPTS_OK);
    feed_line(&reading, "A", "7");
    assert_int_equal(receipts_feed(reading.receipts, "", 0), RECEIPTS_BAD);
    assert_string_equal(
        receipts_error(reading.receipts),
        "line 2004: receipt A was complete, 1000 lines ago or more; sort the file by receipt");
    receipts_free(reading.receipts);
}

static void test_many_lines(void **state)
{
    struct reading reading;
    (void)state;
    reading_init(&reading, "receipt=n,code=c,time=t,card=k,amount=a");
    (void)receipts_feed(reading.receipts, "n,c,t,k,a\n", 10);
    for (int i = 0; i < RECEIPTS_LINES_MAX; i++)
        feed_line(&reading, "A", "7");
    assert_int_equal(receipts_feed(reading.receipts, "", 0), RECEIPTS_OK);
    feed_line(&reading, "A", "7");
    assert_string_equal(receipts_error(reading.receipts), "line 4098: receipt A has more than 4096 lines");
    receipts_free(reading.receipts);
}

/* The same number in two stores is two receipts. */
static void test_places(void **state)
{
    struct reading reading;
    (void)state;
    reading_init(&reading, "receipt=n,code=c,time=t,card=k,amount=a,store=s,category=g");
    assert_int_equal(read_text(&reading,
                               "n,c,t,k,a,s,g\n1,x,2020-01-01 10:00:00,7,1,12,food\n"
                               "1,x,2020-01-01 10:00:00,7,1,13,\n",
                               1000),
                     RECEIPTS_OK);
    assert_int_equal(reading.taken.count, 2);
    receipts_free(reading.receipts);
}

static void test_stop(void **state)
{
    struct reading reading;
    (void)state;
    reading_init(&reading, MAP);
    reading.taken.stop_after = 2;
    assert_int_equal(read_text(&reading, sample, 1000), RECEIPTS_STOPPED);
    assert_int_equal(reading.taken.count, 2);
    assert_int_equal(receipts_finish(reading.receipts), RECEIPTS_STOPPED);
    receipts_free(reading.receipts);
}

static void test_map(void **state)
{
    static const char *const bad[] = {
        "",
        "receipt",
        "receipt=",
        "receipt=a,receipt=b,code=c,time=d,card=e,amount=f",
        "receipt=a,code=b,time=c,card=d",
        "receipt=a,code=b,time=c,card=d,price=e",
        "receipt=a,code=b,time=c,card=d,amount=e,colour=f",
        "receipt=a,code=b,time=c,amount=e",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char text[128];
        struct receipts_options options = { .store = "0" };
        const char *why = NULL;
        strcpy(text, bad[i]);
        assert_false(receipts_map(text, &options, &why));
        assert_non_null(why);
    }
}

/* The oldest is forgotten, the rest stays, however often the table went round. */
static void test_seen(void **state)
{
    struct seen *seen = seen_new();
    uint64_t hash = 1;
    (void)state;
    assert_non_null(seen);
    for (uint64_t i = 0; i < 3 * (uint64_t)SEEN_MAX; i++) {
        uint64_t now = (i + 1) * UINT64_C(0x9e3779b97f4a7c15);
        seen_add(seen, now);
        seen_add(seen, now);
        hash = now;
    }
    assert_true(seen_has(seen, hash));
    for (uint64_t i = 2 * (uint64_t)SEEN_MAX; i < 3 * (uint64_t)SEEN_MAX; i++)
        assert_true(seen_has(seen, (i + 1) * UINT64_C(0x9e3779b97f4a7c15)));
    for (uint64_t i = 0; i < 2 * (uint64_t)SEEN_MAX; i += 97)
        assert_false(seen_has(seen, (i + 1) * UINT64_C(0x9e3779b97f4a7c15)));
    seen_free(seen);
    seen_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sample), cmocka_unit_test(test_forms),      cmocka_unit_test(test_bad_files),
        cmocka_unit_test(test_window), cmocka_unit_test(test_many_lines), cmocka_unit_test(test_places),
        cmocka_unit_test(test_stop),   cmocka_unit_test(test_map),        cmocka_unit_test(test_seen),
    };
    (void)zone_use("UTC");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
