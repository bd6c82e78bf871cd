/* The report of a close, ready to print. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/client.h"

#define WIDTH_MIN 24
#define WIDTH_MAX 80
#define DIFFERENCES_MAX 50 /* listed; the rest is counted */

/* What is written, and would be if there were room. */
struct page {
    char *text;
    size_t capacity, length;
    unsigned width;
    const struct punkt_server_info *info;
};

static void put(struct page *page, const char *text)
{
    size_t size = strlen(text);
    for (size_t i = 0; i < size; i++) {
        if (page->length + i + 1 < page->capacity)
            page->text[page->length + i] = text[i];
    }
    page->length += size;
}

__attribute__((format(printf, 2, 3))) static void line(struct page *page, const char *format, ...)
{
    char text[WIDTH_MAX + 1];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    size_t end = page->width;
    while (strlen(text) > end && ((unsigned char)text[end] & 0xC0U) == 0x80U)
        end--; /* not inside a character */
    text[end] = '\0';
    put(page, text);
    put(page, "\n");
}

/* Left and right on one line; on two, where they do not fit. */
static void pair(struct page *page, const char *left, const char *right)
{
    int room = (int)page->width - (int)strlen(left) - (int)strlen(right);
    if (room >= 1) {
        line(page, "%s%*s%s", left, room, "", right);
        return;
    }
    line(page, "%s", left);
    line(page, "%*s", (int)page->width, right);
}

static void centre(struct page *page, const char *text)
{
    int left = ((int)page->width - (int)strlen(text)) / 2;
    line(page, "%*s%s", left > 0 ? left : 0, "", text);
}

static void rule(struct page *page)
{
    char text[WIDTH_MAX + 1];
    memset(text, '-', sizeof(text) - 1);
    text[page->width] = '\0';
    put(page, text);
    put(page, "\n");
}

/* --- figures --- */

static void counted(struct page *page, const char *what, uint64_t count, int64_t amount)
{
    char decimal[24], right[64];
    (void)punkt_decimal_format(amount, page->info->currency_exponent, decimal, sizeof(decimal));
    (void)snprintf(right, sizeof(right), "%" PRIu64 " %12s", count, decimal);
    pair(page, what, right);
}

static void points(struct page *page, const char *what, int64_t value)
{
    char decimal[24];
    (void)punkt_decimal_format(value, page->info->points_decimals, decimal, sizeof(decimal));
    pair(page, what, decimal);
}

static void plain(struct page *page, const char *what, uint64_t count)
{
    char right[24];
    (void)snprintf(right, sizeof(right), "%" PRIu64, count);
    pair(page, what, right);
}

static void figures(struct page *page, const struct punkt_day_figures *day)
{
    counted(page, "Purchases", day->purchases, day->purchase_amount);
    counted(page, "Returns", day->returns, day->return_amount);
    counted(page, "Redemptions", day->redemptions, day->redeemed_worth);
    plain(page, "Reversals", day->reversals);
    points(page, "Points earned", day->earned);
    points(page, "Points taken back", day->returned);
    points(page, "Points redeemed", day->redeemed);
}

/* --- parts --- */

static void heading(struct page *page, const struct punkt_close_day_answer *answer)
{
    char left[64], right[64];
    time_t day = (time_t)answer->business_date * 86400;
    time_t seconds = (time_t)(answer->time_us / 1000000);
    struct tm date = { .tm_mday = 1 }, made = { .tm_mday = 1 };
    centre(page, "Z-REPORT");
    (void)snprintf(left, sizeof(left), "Store %s", answer->store);
    (void)snprintf(right, sizeof(right), "Till %s", answer->till);
    pair(page, left, right);
    (void)gmtime_r(&day, &date);
    (void)localtime_r(&seconds, &made);
    (void)strftime(left, sizeof(left), "Day %Y-%m-%d", &date);
    (void)snprintf(right, sizeof(right), "Close %" PRIu64, answer->close);
    pair(page, left, answer->close != 0 ? right : "no close");
    (void)strftime(right, sizeof(right), "%Y-%m-%d %H:%M:%S", &made);
    pair(page, "Made", right);
    if (page->info->currency[0] != '\0')
        pair(page, "Currency", page->info->currency);
}

static void verdict(struct page *page, const struct punkt_close_day_answer *answer)
{
    static const char *const words[] = { "IN BALANCE", "NOT IN BALANCE", "OPEN", "SERVER NOT REACHED" };
    centre(page, words[(unsigned)answer->state < 4 ? answer->state : 3]);
    if (answer->queued > 0)
        plain(page, "Waiting to be sent", answer->queued);
    if (answer->dead > 0)
        plain(page, "Can never be booked", answer->dead);
    if (answer->resent > 0)
        plain(page, "Sent again", answer->resent);
    if (answer->late > 0)
        plain(page, "Came after the last close", answer->late);
}

static void differences(struct page *page, const struct punkt_close_day_answer *answer)
{
    for (size_t i = 0; i < answer->difference_count && i < DIFFERENCES_MAX; i++) {
        const struct punkt_day_difference *difference = answer->differences[i];
        char left[64];
        (void)snprintf(left, sizeof(left), "%016" PRIx64 ":%" PRIu64, difference->epoch, difference->number);
        pair(page, left, difference->missing_there ? "not there" : "not here");
    }
    if (answer->difference_count > DIFFERENCES_MAX)
        plain(page, "more", answer->difference_count - DIFFERENCES_MAX);
}

/* The till is a witness: what it prints proves later what the journal was. */
static void head(struct page *page, const struct punkt_close_day_answer *answer)
{
    char hex[2 * sizeof(answer->journal_head) + 1];
    for (size_t i = 0; i < sizeof(answer->journal_head); i++)
        (void)snprintf(hex + 2 * i, 3, "%02x", answer->journal_head[i]);
    plain(page, "Journal", answer->journal_position);
    for (size_t at = 0; at < strlen(hex); at += 16)
        line(page, "  %.16s", hex + at);
}

size_t punkt_close_report(const struct punkt *punkt, const struct punkt_close_day_answer *answer,
                          unsigned width, char *out_text, size_t capacity)
{
    struct punkt_server_info info = { .size = sizeof(info) };
    punkt_server_info(punkt, &info);
    struct page page = { .text = out_text, .capacity = capacity, .width = width, .info = &info };
    if (page.width < WIDTH_MIN)
        page.width = WIDTH_MIN;
    if (page.width > WIDTH_MAX)
        page.width = WIDTH_MAX;
    bool reached = answer->there != NULL;
    heading(&page, answer);
    rule(&page);
    if (!reached || answer->state == PUNKT_CLOSE_DIFFERENT)
        centre(&page, "this till");
    if (answer->here != NULL && (!reached || answer->state == PUNKT_CLOSE_DIFFERENT))
        figures(&page, answer->here);
    if (reached && answer->state == PUNKT_CLOSE_DIFFERENT)
        centre(&page, "the server");
    if (reached)
        figures(&page, answer->there);
    rule(&page);
    verdict(&page, answer);
    differences(&page, answer);
    if (reached)
        head(&page, answer);
    if (capacity > 0)
        out_text[page.length < capacity ? page.length : capacity - 1] = '\0';
    return page.length;
}
