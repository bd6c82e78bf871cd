/*
 * Attempts: what was refused without an event of its own (a proof, a code, a number used twice, a read that a role may not
 * ask for), counted by kind, source and identity, one event a minute (RELIABILITY.md, Audit and abuse). So who hammers at the door fills
 * neither the journal nor the log.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "service/internal.h"

#define SOURCES_MAX 256 /* a minute; what is more is counted together, a kind each */
#define INSIDERS_MAX                                                                                         \
    64 /* more places, for those who have proven who they are: a crowd at the door hides none of them */
#define KINDS 6 /* and 0 */
#define MINUTE_US (60 * US_PER_SECOND)
#define SOURCE_MAX ACTOR_NAME_MAX
#define DETAIL_MAX 160
#define OTHERS "others" /* no address, and no name of the register goes without its number */

struct attempt {
    enum attempt_kind kind;
    uint64_t identity;
    uint64_t count;
    utc_us first, last;
    char source[SOURCE_MAX + 1];
    char detail[DETAIL_MAX + 1]; /* of the newest */
};

struct attempts {
    uint32_t count, sources;
    struct attempt items[SOURCES_MAX + INSIDERS_MAX + KINDS];
};

const char *attempt_words(enum attempt_kind kind)
{
    static const char *const words[] = {
        [ATTEMPT_PROOF] = "refused proof",          [ATTEMPT_ENROLMENT] = "refused enrolment",
        [ATTEMPT_CONFLICT] = "conflict of numbers", [ATTEMPT_NOT_PERMITTED] = "not permitted",
        [ATTEMPT_RATE] = "too many refusals",
    };
    return words[kind];
}

enum punkt_status attempts_open(struct service *service, struct failure *failure)
{
    service->attempts = calloc(1, sizeof(*service->attempts));
    if (service->attempts != NULL)
        return PUNKT_OK;
    failure_set(failure, "no memory to count attempts");
    return PUNKT_NO_MEMORY;
}

void attempts_free(struct service *service)
{
    free(service->attempts);
    service->attempts = NULL;
}

static struct attempt *find(struct attempts *attempts, enum attempt_kind kind, struct text source,
                            uint64_t identity)
{
    for (uint32_t i = 0; i < attempts->count; i++) {
        struct attempt *item = &attempts->items[i];
        if (item->kind == kind && item->identity == identity && text_equal(text_of(item->source), source))
            return item;
    }
    return NULL;
}

/* Whether there is a place for one more source. */
static bool has_room(const struct attempts *attempts, enum attempt_kind kind)
{
    bool at_the_door = kind == ATTEMPT_PROOF || kind == ATTEMPT_ENROLMENT;
    return attempts->sources < (at_the_door ? SOURCES_MAX : SOURCES_MAX + INSIDERS_MAX);
}

/* The entry of a source, or of all that find no room. */
static struct attempt *entry_of(struct attempts *attempts, enum attempt_kind kind, struct text source,
                                uint64_t identity)
{
    struct attempt *item = find(attempts, kind, source, identity);
    if (item == NULL && !has_room(attempts, kind)) {
        source = TEXT_LITERAL(OTHERS);
        identity = 0;
        item = find(attempts, kind, source, identity);
    } else if (item == NULL) {
        attempts->sources++;
    }
    if (item != NULL)
        return item;
    PUNKT_CHECK(attempts->count < COUNT_OF(attempts->items));
    item = &attempts->items[attempts->count++];
    *item = (struct attempt){ .kind = kind, .identity = identity };
    (void)snprintf(item->source, sizeof(item->source), "%.*s", (int)source.size, source.data);
    return item;
}

void attempt_count(struct service *service, enum attempt_kind kind, struct text source, uint64_t identity,
                   const char *detail)
{
    if (source.size > SOURCE_MAX)
        source.size = SOURCE_MAX;
    struct attempt *item = entry_of(service->attempts, kind, source, identity);
    utc_us now = ledger_now(service->ledger);
    if (item->count++ == 0) {
        item->first = now;
        log_warning("%s: %s: %s", item->source, attempt_words(kind), detail);
    }
    item->last = now;
    (void)snprintf(item->detail, sizeof(item->detail), "%s", detail);
}

static void book_attempt(struct service *service, const struct attempt *item)
{
    struct event event = { .type = EVENT_ATTEMPTS,
                           .time = ledger_now(service->ledger),
                           .day = today(service),
                           .attempts = { .kind = item->kind,
                                         .source = text_of(item->source),
                                         .identity = item->identity,
                                         .count = item->count,
                                         .first = item->first,
                                         .last = item->last,
                                         .detail = text_of(item->detail) } };
    event.occurred = event.time;
    append_own(service, &event);
}

static bool is_others(const struct attempt *item)
{
    return item->identity == 0 && strcmp(item->source, OTHERS) == 0;
}

/*
 * Books those whose minute is over, at the end all. While storage is low they go on counting, for who hammers at the door must
 * not take the space that is left for what gives points back.
 */
void attempts_turn(struct service *service)
{
    struct attempts *attempts = service->attempts;
    if (attempts->count == 0 || (ledger_storage_low(service->ledger) && !service->ending))
        return;
    utc_us now = ledger_now(service->ledger);
    uint32_t kept = 0, sources = 0;
    for (uint32_t i = 0; i < attempts->count; i++) {
        struct attempt *item = &attempts->items[i];
        bool due = service->ending || now - item->first >= MINUTE_US || now < item->first;
        if (due && ledger_has_room(service->ledger)) {
            book_attempt(service, item);
            continue;
        }
        sources += !is_others(item);
        attempts->items[kept++] = *item;
    }
    attempts->count = kept;
    attempts->sources = sources;
}

bool attempts_are_open(const struct service *service)
{
    return service->attempts->count > 0;
}
