/*
 * Who proposes and who approves, for tests of proposals, and what they ask in short words.
 */
#pragma once

#include "service_acts.h"
#include "service_people.h"

/* The office, a supervisor, two who approve; a card with 500 points, and another. */
struct people {
    struct service_world *world;
    uint64_t office, supervisor, ann, ben; /* their connections */
    uint64_t office_number;
};

/* Speaks as the office. */
struct people people_begin(void);
void people_end(struct people *people);

/* Of card 1001, with a reason and a note. */
struct msg_adjust_request adjustment(int64_t points);
/* The last answer says that it waits; its number. */
uint64_t proposed(struct service_world *world);
/* An adjustment by the office, above its limit; the number of the proposal. */
uint64_t propose(struct people *people, int64_t points);
/* who: a connection, spoken over from now on. */
enum result decide_proposal(struct people *people, uint64_t who, uint64_t proposal, bool approve);
/* The open ones, or the one that is named (not 0): so many entries, borrowed until the next request. */
const struct msg_proposal_entry *list_proposals(struct people *people, uint64_t proposal, uint64_t count);
/* What is available on the card's account. */
int64_t points_of(struct people *people, const char *card);
/* A return without its purchase by the supervisor. */
enum result take_back(struct people *people, const char *document, uint64_t amount, uint16_t flags);

/* The body of the answer that was proposed, out of the last answer. */
void read_inner(const struct service_world *world, enum message message, void *out);
void assert_text(struct message_text got, const char *want);
