#include "ops/report.h"

#include <inttypes.h>
#include <stdio.h>

#include <jansson.h>

static void print_object(FILE *out, json_t *object)
{
    if (object != NULL && json_dumpf(object, out, JSON_COMPACT) == 0)
        fputc('\n', out);
    json_decref(object);
}

static void print_match(const struct verify_report *report, bool json)
{
    if (json)
        print_object(stdout, json_pack("{s:I, s:I, s:s}", "blocks", (json_int_t)report->blocks, "events",
                                       (json_int_t)report->events, "state", "matches"));
    else
        printf("The journal is whole: %" PRIu64 " blocks, %" PRIu64 " events; state matches it.\n",
               report->blocks, report->events);
}

static void print_damage(const struct verify_report *report, bool json)
{
    const char *code = report->outcome == VERIFY_DIFFERS ? "state_differs" : "damage";
    if (json)
        print_object(stderr, json_pack("{s:{s:s, s:s, s:b, s:s, s:I}}", "error", "code", code, "message",
                                       report->detail, "retryable", 0, "file", report->file, "offset",
                                       (json_int_t)report->offset));
    else
        fprintf(stderr, "punktd: %s, offset %" PRIu64 ": %s\n",
                report->file[0] != '\0' ? report->file : "state", report->offset, report->detail);
}

bool report_print(const struct verify_report *report, bool json)
{
    if (report->outcome == VERIFY_MATCHES)
        print_match(report, json);
    else
        print_damage(report, json);
    return report->outcome == VERIFY_MATCHES;
}
