#include "ops/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include <jansson.h>

static void print_object(FILE *out, json_t *object)
{
    if (object != NULL && json_dumpf(object, out, JSON_COMPACT) == 0)
        fputc('\n', out);
    json_decref(object);
}

static const char *time_text(utc_us time, char out[32])
{
    time_t seconds = (time_t)(time / US_PER_SECOND);
    struct tm parts;
    if (gmtime_r(&seconds, &parts) == NULL || strftime(out, 32, "%Y-%m-%d %H:%M:%S UTC", &parts) == 0)
        out[0] = '\0';
    return out;
}

static void print_match_json(const struct verify_report *report)
{
    const struct seal_counts *seals = &report->seals;
    json_t *object = json_pack("{s:I, s:I, s:s}", "blocks", (json_int_t)report->blocks, "events",
                               (json_int_t)report->events, "state", "matches");
    if (object != NULL && seals->seals > 0)
        (void)json_object_set_new(object, "seals",
                                  json_pack("{s:I, s:I, s:I, s:I}", "read", (json_int_t)seals->seals,
                                            "genuine", (json_int_t)seals->genuine, "others",
                                            (json_int_t)seals->others, "missing",
                                            (json_int_t)seals->missing));
    if (object != NULL && report->head == VERIFY_HEAD_FOUND)
        (void)json_object_set_new(object, "head",
                                  json_pack("{s:I, s:I}", "position", (json_int_t)report->head_end, "time",
                                            (json_int_t)report->head_time));
    print_object(stdout, object);
}

static void print_seals(const struct seal_counts *seals)
{
    if (seals->genuine > 0)
        printf("%" PRIu64 " seals were made with their keys.\n", seals->genuine);
    if (seals->missing > 0)
        printf("%" PRIu64 " single seals are missing: each may be a power failure; the log says when.\n",
               seals->missing);
    if (seals->others > 0)
        printf("%" PRIu64 " seals are of another lineage, or made before the key that was given: check them "
               "with theirs.\n",
               seals->others);
}

static void print_match(const struct verify_report *report, bool json)
{
    char time[32];
    if (json) {
        print_match_json(report);
        return;
    }
    printf("The journal is whole: %" PRIu64 " blocks, %" PRIu64 " events; state matches it.\n",
           report->blocks, report->events);
    if (report->head == VERIFY_HEAD_FOUND)
        printf("The head that was given is in it: the block up to position %" PRIu64 ", made %s.\n",
               report->head_end, time_text(report->head_time, time));
    print_seals(&report->seals);
}

static void print_error(const char *code, const struct verify_report *report)
{
    print_object(stderr,
                 json_pack("{s:{s:s, s:s, s:b, s:s, s:I}}", "error", "code", code, "message", report->detail,
                           "retryable", 0, "file", report->file, "offset", (json_int_t)report->offset));
}

static void print_damage(const struct verify_report *report, bool json)
{
    if (json)
        print_error(report->outcome == VERIFY_DIFFERS ? "state_differs" : "damage", report);
    else
        fprintf(stderr, "punktd: %s, offset %" PRIu64 ": %s\n",
                report->file[0] != '\0' ? report->file : "state", report->offset, report->detail);
}

static void print_missing_head(const struct verify_report *report, bool json)
{
    struct verify_report missing = *report;
    (void)snprintf(missing.detail, sizeof(missing.detail), "%s", VERIFY_HEAD_MISSING_TEXT);
    if (json)
        print_error("head_missing", &missing);
    else
        fprintf(stderr, "punktd: %s\n", missing.detail);
}

bool report_print(const struct verify_report *report, bool json)
{
    if (report->outcome != VERIFY_MATCHES)
        print_damage(report, json);
    else if (report->head == VERIFY_HEAD_MISSING)
        print_missing_head(report, json);
    else
        print_match(report, json);
    return report->outcome == VERIFY_MATCHES && report->head != VERIFY_HEAD_MISSING;
}
