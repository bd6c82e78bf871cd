#include "receipts.h"

#include <stdio.h>
#include <stdlib.h>

int64_t receipt_amount(unsigned i, unsigned count, struct punkt_line lines[RECEIPT_LINES_MAX],
                       char codes[RECEIPT_LINES_MAX][16])
{
    static const char *const categories[] = { "dairy",   "organic",      "bakery", "tobacco",
                                              "produce", "coffee-to-go", "press",  "drinks" };
    int64_t sum = 0;
    for (unsigned k = 0; k < count; k++) {
        unsigned article = (i * 7 + k * 13) % 1000;
        (void)snprintf(codes[k], sizeof(codes[k]), "4012345%06u", article);
        lines[k] = (struct punkt_line){ .size = sizeof(lines[k]),
                                        .code = codes[k],
                                        .category = categories[article % 8],
                                        .quantity = 1000 + (article % 3) * 1000,
                                        .amount = 99 + (int64_t)article };
        lines[k].tax = lines[k].amount / 10;
        sum += lines[k].amount;
    }
    return count > 0 ? sum : 100 + (int64_t)(i * 7 % 1000);
}

bool receipt_parse(const char *text, unsigned least, unsigned most, unsigned *out)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    *out = (unsigned)value;
    return *text != '\0' && *end == '\0' && value >= least && value <= most;
}
