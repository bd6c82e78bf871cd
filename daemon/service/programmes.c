/*
 * The published versions of the programme, compiled. Versions are immutable; the newest comes last.
 */
#include <stdlib.h>
#include <string.h>

#include "ledger/fold.h"
#include "service/internal.h"

static enum punkt_status programmes_add(struct service *service, const struct programme_record *record,
                                        struct failure *failure)
{
    struct programme **grown =
        realloc(service->programmes, (service->programme_count + 1) * sizeof(*service->programmes));
    if (grown == NULL)
        return PUNKT_NO_MEMORY;
    service->programmes = grown;
    struct programme *programme = malloc(sizeof(*programme));
    if (programme == NULL)
        return PUNKT_NO_MEMORY;
    if (!service->options.programmes.read(record->text, programme, failure)) {
        free(programme);
        return PUNKT_INVALID;
    }
    programme->version = record->version;
    programme->from = record->from;
    service->programmes[service->programme_count++] = programme;
    return PUNKT_OK;
}

enum punkt_status programmes_load(struct service *service, struct failure *failure)
{
    struct fold *fold = ledger_fold(service->ledger);
    struct programme_record record;
    for (uint32_t version = 1; fold_programme(fold, version, &record); version++) {
        enum punkt_status status = programmes_add(service, &record, failure);
        if (status != PUNKT_OK)
            return status;
    }
    return PUNKT_OK;
}

const struct programme *programme_newest(const struct service *service)
{
    PUNKT_CHECK(service->programme_count > 0);
    return service->programmes[service->programme_count - 1];
}

const struct programme *programme_in_force(const struct service *service, utc_us time)
{
    uint32_t at = service->programme_count;
    PUNKT_CHECK(at > 0);
    while (at > 1 && service->programmes[at - 1]->from > time)
        at--;
    return service->programmes[at - 1]; /* the first also for what happened before it */
}

/* A limit of a role that is misspelt would be none at all. */
static enum punkt_status check_roles(const struct programme *draft, struct failure *failure)
{
    for (uint32_t kind = 0; kind < ROLE_LIMIT_KINDS; kind++) {
        const struct role_limits *limits = &draft->role_limits[kind];
        for (uint32_t i = 0; i < limits->count; i++) {
            const char *role = limits->of[i].role;
            if (role_by_name(role, strlen(role)) != ROLE_NONE)
                continue;
            failure_set(failure, "there is no role %s that could have a limit", role);
            return PUNKT_INVALID;
        }
    }
    return PUNKT_OK;
}

/* -1: it has none. */
static int64_t limit_of(const struct role_limits *limits, const char *role)
{
    for (uint32_t i = 0; i < limits->count; i++) {
        if (strcmp(limits->of[i].role, role) == 0)
            return limits->of[i].most;
    }
    return -1;
}

static bool has_same_limits(const struct programme *a, const struct programme *b)
{
    for (uint32_t kind = 0; kind < ROLE_LIMIT_KINDS; kind++) {
        for (uint32_t role = 1; role <= ROLE_COUNT; role++) {
            const char *name = role_name((enum role)role);
            if (limit_of(&a->role_limits[kind], name) != limit_of(&b->role_limits[kind], name))
                return false;
        }
    }
    return true;
}

bool programme_keeps_limits(const struct service *service, struct text text)
{
    struct programme *draft = malloc(sizeof(*draft));
    struct failure failure;
    bool keeps = draft != NULL && (!service->options.programmes.read(text, draft, &failure) ||
                                   has_same_limits(programme_newest(service), draft));
    free(draft);
    return keeps;
}

/* What every new version must have, and what it may not change. */
static enum punkt_status check_fixed(const struct service *service, const struct programme *draft,
                                     struct failure *failure)
{
    enum punkt_status status = check_roles(draft, failure);
    if (status != PUNKT_OK || service->programme_count == 0)
        return status;
    const struct programme *first = service->programmes[0];
    if (draft->decimals != first->decimals || strcmp(draft->currency, first->currency) != 0 ||
        draft->currency_exponent != first->currency_exponent) {
        failure_set(failure,
                    "currency and decimals are fixed by the ledger's first programme (%s, %u decimals of a "
                    "point); the new one says %s, %u",
                    first->currency, first->decimals, draft->currency, draft->decimals);
        return PUNKT_INVALID;
    }
    return PUNKT_OK;
}

/* A version is shown as it was published for good, so it must fit into the answer that shows it. */
static enum punkt_status check_text(const struct service *service, struct text text, struct failure *failure)
{
    struct msg_programme_show_answer shown;
    message_init(MESSAGE_programme_show_answer, &shown);
    shown.text = (struct message_text){ text.data, text.size };
    struct wire_writer writer = wire_writer_over(service->bytes, FRAME_BODY_MAX);
    message_encode(MESSAGE_programme_show_answer, &shown, &writer);
    if (!writer.failed)
        return PUNKT_OK;
    failure_set(failure, "the programme's text is not UTF-8 of at most 64 KiB: it has %zu bytes", text.size);
    return PUNKT_INVALID;
}

enum punkt_status programme_draft(struct service *service, struct text text, struct programme *out,
                                  struct failure *failure)
{
    enum punkt_status status = check_text(service, text, failure);
    if (status == PUNKT_OK && !service->options.programmes.read(text, out, failure))
        status = PUNKT_INVALID;
    return status == PUNKT_OK ? check_fixed(service, out, failure) : status;
}

enum punkt_status programme_prepare(struct service *service, struct text text, utc_us from,
                                    struct programme_record *out_record, struct failure *failure)
{
    struct programme *draft = malloc(sizeof(*draft));
    enum punkt_status status =
        draft == NULL ? PUNKT_NO_MEMORY : programme_draft(service, text, draft, failure);
    *out_record = (struct programme_record){ .version = service->programme_count + 1,
                                             .from = i64_max(from, ledger_now(service->ledger)),
                                             .published = ledger_now(service->ledger),
                                             .text = text };
    if (status == PUNKT_OK)
        status = programmes_add(service, out_record, failure);
    free(draft);
    return status;
}

void programme_against_first(struct service *service, struct text text,
                             void (*each)(void *ctx, uint32_t line, uint32_t column, struct text what),
                             void *ctx)
{
    struct programme *draft = malloc(sizeof(*draft));
    struct failure failure;
    if (draft != NULL && service->options.programmes.read(text, draft, &failure) &&
        check_fixed(service, draft, &failure) != PUNKT_OK)
        each(ctx, 0, 0, text_of(failure.text));
    free(draft);
}

struct event programme_event(const struct programme_record *record)
{
    return (struct event){
        .type = EVENT_PROGRAMME,
        .time = record->published,
        .occurred = record->published,
        .operator= record->operator,
        .programme = { .version = record->version, .from = record->from, .text = record->text } };
}

enum punkt_status service_publish(struct service *service, struct text text, struct failure *failure)
{
    struct programme_record newest;
    if (service->programme_count > 0 &&
        fold_programme(ledger_fold(service->ledger), service->programme_count, &newest) &&
        text_equal(newest.text, text))
        return PUNKT_OK;
    struct programme_record record;
    enum punkt_status status = programme_prepare(service, text, 0, &record, failure);
    if (status != PUNKT_OK)
        return status;
    struct event event = programme_event(&record);
    event.day = today(service);
    append_own(service, &event);
    return PUNKT_OK;
}

uint32_t service_programme_version(const struct service *service)
{
    return service->programme_count;
}

/* --- names: by version, for the programme in force may not know it any more --- */

static const struct reward *find_reward(const struct service *service, uint64_t id)
{
    const struct reward *reward = NULL;
    for (uint32_t version = service->programme_count; id != 0 && reward == NULL && version > 0; version--)
        reward = programme_reward_by_id(service->programmes[version - 1], id);
    return reward;
}

struct text reward_name(const struct service *service, uint64_t id)
{
    const struct reward *reward = find_reward(service, id);
    return text_of(reward != NULL ? reward->name : "");
}

struct text reward_voucher(const struct service *service, uint64_t id)
{
    const struct reward *reward = find_reward(service, id);
    return text_of(reward != NULL ? reward->voucher : "");
}

struct text tier_name(const struct service *service, uint64_t id)
{
    for (uint32_t version = service->programme_count; id != 0 && version > 0; version--) {
        uint32_t step;
        const struct tier *tier = programme_tier(service->programmes[version - 1], id, &step);
        if (tier != NULL)
            return text_of(tier->name);
    }
    return text_of("");
}

struct text purse_name(const struct service *service, uint64_t id)
{
    for (uint32_t version = service->programme_count; id != 0 && version > 0; version--) {
        const struct programme *programme = service->programmes[version - 1];
        uint32_t purse = programme_purse(programme, id);
        if (purse < programme->purse_count)
            return text_of(programme->purses[purse].name);
    }
    return text_of("");
}

struct text offer_name(const struct service *service, uint64_t id)
{
    const struct offer *offer = NULL;
    for (uint32_t version = service->programme_count; id != 0 && offer == NULL && version > 0; version--)
        offer = programme_offer_by_id(service->programmes[version - 1], id);
    return text_of(offer != NULL ? offer->name : "");
}

void programmes_free(struct service *service)
{
    for (uint32_t i = 0; i < service->programme_count; i++)
        free(service->programmes[i]);
    free(service->programmes);
}
