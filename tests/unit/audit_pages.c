#include "audit_pages.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/timex.h>
#include <time.h>

static _Atomic int64_t ahead_us, back_us; /* the threads of the ledger read them, too */

/* The linker sends the calls of the ledger here (--wrap). */
int __real_clock_gettime(clockid_t id, struct timespec *out);
int __wrap_clock_gettime(clockid_t id, struct timespec *out);
int __wrap_adjtimex(struct timex *state);

int __wrap_clock_gettime(clockid_t id, struct timespec *out)
{
    int failed = __real_clock_gettime(id, out);
    int64_t us = out->tv_nsec / 1000 + ahead_us - (id == CLOCK_REALTIME ? back_us : 0);
    out->tv_sec += us / US_PER_SECOND;
    out->tv_nsec = us % US_PER_SECOND * 1000;
    if (out->tv_nsec < 0) {
        out->tv_nsec += 1000 * US_PER_SECOND;
        out->tv_sec--;
    }
    return failed;
}

/* Nobody vouches for it: only an operator makes time go back. */
int __wrap_adjtimex(struct timex *state)
{
    state->offset = 0;
    return TIME_ERROR;
}

void clock_forward(int64_t us)
{
    ahead_us += us;
}

void clock_back(int64_t us)
{
    back_us += us;
}

void turn(struct service_world *world)
{
    ledger_turn_end(world->ledger); /* time is read once a turn */
    ledger_process(world->ledger);
    (void)service_turn(world->service);
    ledger_turn_end(world->ledger);
}

enum result page_result(struct service_world *world, const struct page_wish *wish)
{
    struct msg_audit_log_request request;
    message_init(MESSAGE_audit_log_request, &request);
    request.from = wish->from;
    request.since = (uint64_t)wish->since;
    request.until = (uint64_t)wish->until;
    request.limit = wish->limit != 0 ? wish->limit : 200;
    if (wish->kind != NULL)
        request.kind = code(wish->kind);
    if (wish->actor != NULL)
        request.actor = message_text_of(wish->actor, ACTOR_NAME_MAX);
    return service_call(world, OPERATION_AUDIT_LOG, 0, &request);
}

const struct msg_audit_log_answer *page(struct service_world *world, const struct page_wish *wish)
{
    assert_int_equal(page_result(world, wish), RESULT_DONE);
    return &world->reply.message.audit_log_answer;
}

size_t acts_of_kind(struct service_world *world, const char *kind)
{
    const struct msg_audit_log_answer *answer = page(world, &(struct page_wish){ .kind = kind });
    assert_int_equal(answer->next, 0);
    return answer->entries_count;
}

static void assert_words(const char *got, size_t size, const char *want)
{
    if (size != strlen(want) || memcmp(got, want, size) != 0)
        fail_msg("\"%.*s\" instead of \"%s\"", (int)size, got, want);
}

void assert_act(const struct msg_audit_entry *got, const char *kind, const char *actor, const char *detail)
{
    assert_words(got->kind.bytes, got->kind.size, kind);
    assert_words(got->actor.data, got->actor.size, actor);
    assert_words(got->detail.data, got->detail.size, detail);
}
