#include "till_check.h"

#include <inttypes.h>
#include <limits.h>
#include <punkt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "till_list.h"
#include "world.h"

#define COMPLAINTS_MAX 20u
#define PAGE 200u
#define CENTS_A_POINT 100

/* An event as an account's statement tells it. */
struct seen {
    uint64_t position, refers;
    uint32_t kind; /* enum punkt_event */
    int64_t points;
    unsigned card;
    char till[PUNKT_CARD_MAX + 1], document[PUNKT_CARD_MAX + 1];
    bool reversed; /* by a later one */
    bool told;     /* a till was told of it */
};

/* What the ledger has of an act. */
struct found {
    unsigned events, standing;
    int64_t points;    /* of the newest */
    bool voided;       /* the till was told so */
    bool maybe_voided; /* it was told that this is not stored, by a disk that may have kept it */
};

struct check {
    struct punkt *punkt;
    unsigned tills, issued, cards; /* with those that were never issued */
    struct till_list *lists;
    struct found **found; /* by till and act */
    struct seen *seen;    /* by position */
    size_t seen_count, seen_capacity;
    int64_t *balances; /* by card: the ledger's, less what the lists make */
    bool disk_broke;
    unsigned complaints;
    struct till_sums sums;
};

static void complain(struct check *check, unsigned till, const struct till_act *act, const char *what)
{
    if (check->complaints++ < COMPLAINTS_MAX)
        print_error("till %u, act %" PRIu64 " (%s, card %u, amount %" PRId64 ", refers %" PRIu64
                    ", told %s%s, "
                    "%" PRIx64 ":%" PRIu64 ", position %" PRIu64 ", points %" PRId64 ", wish %" PRId64
                    ", spent %" PRId64 "): %s\n",
                    till + 1, act->seq, till_kind_name(act->kind), act->card, act->amount, act->refers,
                    till_word_name(act->told), act->again ? ", again" : "", act->epoch, act->number,
                    act->position, act->points, act->wish, act->spent, what);
}

static void complain_seen(struct check *check, const struct seen *seen, const char *what)
{
    if (check->complaints++ < COMPLAINTS_MAX)
        print_error("%s at %" PRIu64 " (till %s, document '%s', card %u, points %" PRId64 "): %s\n",
                    punkt_event_name(seen->kind), seen->position, seen->till, seen->document, seen->card,
                    seen->points, what);
}

/* --- what the ledger has --- */

static int by_position(const void *a, const void *b)
{
    const struct seen *one = a, *other = b;
    return one->position < other->position ? -1 : one->position > other->position;
}

static struct seen *seen_at(const struct check *check, uint64_t position)
{
    struct seen wanted = { .position = position };
    return bsearch(&wanted, check->seen, check->seen_count, sizeof(wanted), by_position);
}

static void add_seen(struct check *check, unsigned card, const struct punkt_statement_entry *entry)
{
    if (check->seen_count == check->seen_capacity) {
        check->seen_capacity = check->seen_capacity * 2 + 1024;
        check->seen = realloc(check->seen, check->seen_capacity * sizeof(*check->seen));
        assert_non_null(check->seen);
    }
    struct seen *seen = &check->seen[check->seen_count++];
    *seen = (struct seen){ .position = entry->position,
                           .refers = entry->refers,
                           .kind = entry->kind,
                           .points = entry->points,
                           .card = card };
    (void)snprintf(seen->till, sizeof(seen->till), "%s", entry->till);
    (void)snprintf(seen->document, sizeof(seen->document), "%s", entry->receipt);
}

/* All events of a card. The newest balance is that of the card, and what the events come to. */
static void walk_card(struct check *check, unsigned card)
{
    char number[16];
    int64_t newest = 0, sum = 0;
    struct punkt_statement_request request = PUNKT_INIT(request);
    struct punkt_card_show_request show = PUNKT_INIT(show);
    struct punkt_card_show_answer shown = PUNKT_ANSWER_INIT(shown);
    till_card(card, number);
    request.card = show.card = number;
    request.limit = PAGE;
    do {
        struct punkt_statement_answer page = PUNKT_ANSWER_INIT(page);
        enum punkt_call call = punkt_statement(check->punkt, &request, &page);
        if (card >= check->issued && call == PUNKT_CALL_REFUSED &&
            page.head.code == PUNKT_RESULT_UNKNOWN_CARD)
            return; /* nobody was ever told QUEUED about it */
        assert_int_equal(call, PUNKT_CALL_DONE);
        for (size_t i = 0; i < page.entry_count; i++) {
            const struct punkt_statement_entry *entry = punkt_statement_entry(&page, i);
            if (request.from == 0 && i == 0)
                newest = entry->balance;
            sum += entry->points;
            add_seen(check, card, entry);
        }
        request.from = page.next;
    } while (request.from != 0);
    assert_int_equal(punkt_card_show(check->punkt, &show, &shown), PUNKT_CALL_DONE);
    assert_int_equal(shown.available + shown.pending + shown.held - shown.debt, newest);
    assert_int_equal(sum, newest);
    check->balances[card] = newest;
}

/* --- the lists --- */

static bool stands(enum till_word told)
{
    return told == TILL_DONE || told == TILL_QUEUED;
}

/* Whether it may be in the ledger though the till was told that it will not be. If a card is not known, the
 * first of two tries may have been booked in suspense, as it is when nobody waits for it any more. */
static bool may_stand(const struct check *check, const struct till_act *act)
{
    return (check->disk_broke && act->told == TILL_NOT_STORED) || (act->again && act->told == TILL_REFUSED);
}

static void load(struct check *check, const char *folder, unsigned till)
{
    char path[PATH_MAX];
    struct till_list *list = &check->lists[till];
    (void)snprintf(path, sizeof(path), "%s/%u.list", folder, till + 1);
    assert_true(till_list_open(path, false, list));
    check->found[till] = calloc(list->count + 1, sizeof(struct found));
    assert_non_null(check->found[till]);
    for (size_t i = 0; i < list->count; i++) {
        const struct till_act *act = &list->acts[i];
        if (act->kind == TILL_VOID && stands(act->told))
            check->found[till][act->refers - 1].voided = true;
        if (act->kind == TILL_VOID && may_stand(check, act))
            check->found[till][act->refers - 1].maybe_voided = true;
        check->sums.acts++;
        check->sums.again += act->again;
        check->sums.queued += act->told == TILL_QUEUED;
    }
}

/* --- one against the other --- */

/* The act whose document it is; NULL: there is none. */
static struct till_act *act_of(const struct check *check, const struct seen *seen, unsigned *out_till)
{
    char document[24];
    unsigned long till = strtoul(seen->till, NULL, 10);
    if (till == 0 || till > check->tills || seen->document[0] == '\0')
        return NULL;
    *out_till = (unsigned)till - 1;
    struct till_act *act = till_list_act(&check->lists[*out_till], strtoull(seen->document + 1, NULL, 10));
    if (act == NULL)
        return NULL;
    till_document(act, document);
    return strcmp(document, seen->document) == 0 ? act : NULL;
}

/* What a purchase or return makes of the balance, as far as its list says. A receipt earns on what is paid
 * with money. */
static int64_t points_of(const struct till_act *act)
{
    int64_t points = act->amount / CENTS_A_POINT;
    return act->kind == TILL_RETURN ? -points : points - 2 * act->spent;
}

/* A purchase or return of the ledger is one of a till's list, with its card and its points. What a till
 * redeemed offline is booked as far as points are free. */
static void match_document(struct check *check, const struct seen *seen)
{
    unsigned till = 0;
    enum till_kind kind = seen->kind == PUNKT_EVENT_PURCHASE ? TILL_PURCHASE : TILL_RETURN;
    const struct till_act *act = act_of(check, seen, &till);
    if (act == NULL || act->kind != kind) {
        complain_seen(check, seen, "no till has it on its list");
        return;
    }
    struct found *found = &check->found[till][act->seq - 1];
    found->events++;
    found->standing += !seen->reversed;
    if (seen->reversed && act->wish > 0)
        return; /* it was undone, and sold again otherwise */
    found->points = seen->points;
    int64_t short_max = act->told == TILL_QUEUED ? act->spent : 0;
    int64_t shortfall = seen->points - points_of(act);
    /* Granted offline, answered in time, and fallen short: the answer says how far. */
    bool answered = act->told == TILL_DONE && act->wish > 0;
    if (seen->card != act->card || (!answered && (shortfall < 0 || shortfall > short_max)))
        complain(check, till, act, "is booked on another card or for other points");
    int64_t told = kind == TILL_RETURN ? -act->points : act->points - act->spent;
    if (act->told == TILL_DONE && (act->position != seen->position || told != seen->points))
        complain(check, till, act, "was told otherwise than it is booked");
}

/* What a till was told is spent, held or released is so in the ledger. */
static void match_spending(struct check *check, unsigned till, const struct till_act *act)
{
    static const uint32_t kinds[TILL_KINDS] = { [TILL_REDEEM] = PUNKT_EVENT_REDEMPTION,
                                                [TILL_HOLD] = PUNKT_EVENT_HOLD,
                                                [TILL_CAPTURE] = PUNKT_EVENT_CAPTURE,
                                                [TILL_RELEASE] = PUNKT_EVENT_RELEASE };
    struct seen *seen = seen_at(check, act->position);
    if (seen == NULL || seen->kind != kinds[act->kind] || seen->card != act->card || seen->told ||
        seen->reversed) {
        complain(check, till, act, "is not in the ledger as the till was told");
        return;
    }
    seen->told = true;
    if ((act->kind == TILL_REDEEM || act->kind == TILL_CAPTURE) && seen->points != -act->points)
        complain(check, till, act, "took other points than the till was told");
}

static void match_acts(struct check *check, unsigned till)
{
    const struct till_list *list = &check->lists[till];
    for (size_t i = 0; i < list->count; i++) {
        const struct till_act *act = &list->acts[i];
        struct found *found = &check->found[till][i];
        bool document = act->kind == TILL_PURCHASE || act->kind == TILL_RETURN;
        if (found->maybe_voided && found->standing == 0 && found->events == 1)
            found->voided = true;
        unsigned wanted = stands(act->told) && !found->voided;
        if (found->standing == 1 && may_stand(check, act))
            wanted = 1;
        if (act->told == TILL_NOTHING)
            complain(check, till, act, "its end is not on the list");
        else if (document && found->standing != wanted)
            complain(check, till, act,
                     found->standing > wanted ? "stands in the ledger" : "is missing in the ledger");
        else if (document && found->events > 1 && act->wish == 0)
            complain(check, till, act, "was booked more than once");
        else if (!document && act->kind != TILL_VOID && act->told == TILL_DONE)
            match_spending(check, till, act);
    }
}

static void match(struct check *check)
{
    for (size_t i = 0; i < check->seen_count; i++) {
        const struct seen *reversal = &check->seen[i];
        struct seen *original =
            reversal->kind == PUNKT_EVENT_REVERSAL ? seen_at(check, reversal->refers) : NULL;
        if (original != NULL)
            original->reversed = true;
    }
    for (size_t i = 0; i < check->seen_count; i++) {
        if (check->seen[i].kind == PUNKT_EVENT_PURCHASE || check->seen[i].kind == PUNKT_EVENT_RETURN)
            match_document(check, &check->seen[i]);
    }
    for (unsigned till = 0; till < check->tills; till++)
        match_acts(check, till);
    for (size_t i = 0; i < check->seen_count; i++) {
        const struct seen *seen = &check->seen[i];
        bool spends = seen->kind == PUNKT_EVENT_REDEMPTION || seen->kind == PUNKT_EVENT_CAPTURE;
        if (spends && seen->points != 0 && !seen->told &&
            !seen->reversed) /* an advice may find nothing free */
            complain_seen(check, seen, "points were spent, and no till was told so");
    }
}

/* Takes what the lists make of the cards from what they have. */
static void subtract(struct check *check, unsigned till)
{
    const struct till_list *list = &check->lists[till];
    for (size_t i = 0; i < list->count; i++) {
        const struct till_act *act = &list->acts[i];
        const struct found *found = &check->found[till][i];
        int64_t *balance = &check->balances[act->card];
        bool spends = act->kind == TILL_REDEEM || act->kind == TILL_CAPTURE;
        bool counts = stands(act->told) || (may_stand(check, act) && found->standing > 0);
        if (act->kind == TILL_PURCHASE && counts && !found->voided)
            *balance -= found->points;
        else if (act->kind == TILL_RETURN && counts)
            *balance -= found->points;
        else if (spends && act->told == TILL_DONE)
            *balance += act->points;
        check->sums.voided += found->voided;
        check->sums.returned += act->kind == TILL_RETURN && counts;
        check->sums.spent += spends && act->told == TILL_DONE;
        check->sums.wishes += act->spent > 0;
        check->sums.offline += act->spent > 0 && act->told == TILL_QUEUED;
    }
}

static void compare_balances(struct check *check)
{
    char card[16];
    for (unsigned till = 0; till < check->tills; till++)
        subtract(check, till);
    for (unsigned i = 0; i < check->cards; i++) {
        till_card(i, card);
        if (check->balances[i] != 0 && check->complaints++ < COMPLAINTS_MAX)
            print_error("card %s has %" PRId64 " points more than the lists make\n", card,
                        check->balances[i]);
    }
}

/* --- from outside --- */

static struct punkt *connect_to(const char *address)
{
    struct punkt_options options = PUNKT_INIT(options);
    struct punkt *punkt;
    options.server = address;
    options.timeout_ms = WORLD_PATIENCE_MS;
    assert_int_equal(punkt_new(&options, &punkt), PUNKT_CALL_DONE);
    return punkt;
}

void till_check_issue(const char *address, unsigned cards)
{
    char first[16];
    struct punkt *punkt = connect_to(address);
    struct punkt_card_issue_request request = PUNKT_INIT(request);
    struct punkt_card_issue_answer answer = PUNKT_ANSWER_INIT(answer);
    till_card(0, first);
    request.card = first;
    request.count = cards;
    assert_int_equal(punkt_card_issue(punkt, &request, &answer), PUNKT_CALL_DONE);
    punkt_free(punkt);
}

struct till_sums till_check(const char *address, const char *folder, unsigned tills, unsigned cards,
                            bool disk_broke)
{
    struct check check = { .punkt = connect_to(address),
                           .tills = tills,
                           .issued = cards,
                           .cards = cards + TILL_STRANGERS,
                           .disk_broke = disk_broke };
    check.lists = calloc(tills, sizeof(*check.lists));
    check.found = calloc(tills, sizeof(*check.found));
    check.balances = calloc(check.cards, sizeof(*check.balances));
    assert_true(check.lists != NULL && check.found != NULL && check.balances != NULL);
    for (unsigned till = 0; till < tills; till++)
        load(&check, folder, till);
    for (unsigned card = 0; card < check.cards; card++)
        walk_card(&check, card);
    if (check.seen_count > 0)
        qsort(check.seen, check.seen_count, sizeof(*check.seen), by_position);
    match(&check);
    compare_balances(&check);
    if (check.complaints > 0)
        fail_msg("%u things do not agree", check.complaints);
    for (unsigned till = 0; till < tills; till++) {
        till_list_close(&check.lists[till]);
        free(check.found[till]);
    }
    free(check.lists);
    free(check.found);
    free(check.balances);
    free(check.seen);
    punkt_free(check.punkt);
    return check.sums;
}
