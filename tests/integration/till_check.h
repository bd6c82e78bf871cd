/*
 * Holds a ledger against the lists that tills kept (till_list.h), once all have drained: each receipt and
 * each document of a return is booked once if the till was told that it is or will be, and not at all if it
 * was told that it is not stored; what was voided does not stand; points are spent where a till was told so,
 * and nowhere else; and all this makes the balance of each card. The programme must give a point for each
 * whole 1.00 EUR that is paid with money; a point is worth 1.00 EUR if purchases redeem.
 *
 * Fails the running cmocka test after it has said what does not agree.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* What agreed, for a test that wants to have seen enough of it. */
struct till_sums {
    uint64_t acts;
    uint64_t again; /* tried more than once */
    uint64_t queued, spent, voided, returned;
    uint64_t wishes;  /* purchases that redeemed something, */
    uint64_t offline; /* of them without the server */
};

/*
 * Lists FOLDER/1.list to FOLDER/tills.list; cards 0 to cards - 1, of which no other client knows. disk_broke:
 * a disk that wrote and then refused everything may have kept what it did not acknowledge; so what a till was
 * told is not stored may be booked all the same, once.
 */
struct till_sums till_check(const char *address, const char *folder, unsigned tills, unsigned cards,
                            bool disk_broke);

/* Issues these cards. */
void till_check_issue(const char *address, unsigned cards);
