/*
 * The lines, tenders, coupons and redemptions of receipts and returns, out of options into messages.
 */
#pragma once

#include "cli/request.h"

/* --line, --tender, --coupon, --redeem, --reward and --capture of a purchase or quote; request_fill_fn. */
int goods_fill_receipt(struct cli *cli, const struct args *args, struct request *request);

/* --line of a return without a sale; of one with a sale. */
int goods_fill_unlinked(struct cli *cli, const struct args *args, struct request *request);
int goods_fill_return(struct cli *cli, const struct args *args, struct request *request);
