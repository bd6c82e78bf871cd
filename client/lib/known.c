#include "lib/known.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/client.h"
#include "lib/machine.h"
#include "proto/wire.h"

#define CLOCK_ALARM_US (INT64_C(120) * 1000 * 1000)

/* What stands before the body of HELLO's answer in the outbox. */
#define KNOWN_FORM 2
#define KNOWN_HEAD_SIZE (1 + 8 + 8)           /* form, time_offset_us, checked_term */
#define OFFSET_KEPT_US (INT64_C(1000) * 1000) /* a clock that was put right by more is worth a record */

/* --- clocks --- */

int64_t wall_now_us(const struct punkt *punkt)
{
    return machine_wall_us() + (punkt->info.known ? punkt->info.time_offset_us : 0);
}

int32_t local_day_of(int64_t time_us)
{
    time_t seconds = (time_t)(time_us / 1000000);
    struct tm local = { .tm_mday = 1, .tm_year = 70 };
    if (localtime_r(&seconds, &local) == NULL)
        return (int32_t)(seconds / 86400);
    /* Days of the civil calendar, with years that begin in March. */
    int64_t year = (int64_t)local.tm_year + 1900 - (local.tm_mon < 2 ? 1 : 0);
    int64_t month = (local.tm_mon + 10) % 12;
    int64_t day_of_year = (153 * month + 2) / 5 + local.tm_mday - 1;
    return (int32_t)(year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719468);
}

/* --- what HELLO says --- */

static void text_out(char *out, size_t capacity, const struct message_text *text)
{
    size_t size = text->size < capacity ? text->size : capacity - 1;
    if (size > 0)
        memcpy(out, text->data, size);
    out[size] = '\0';
}

static void code_out(char *out, size_t capacity, const struct wire_code *code)
{
    size_t size = code->size < capacity ? code->size : capacity - 1;
    memcpy(out, code->bytes, size);
    out[size] = '\0';
}

static void take_info(struct punkt *punkt, const struct msg_hello_answer *hello)
{
    struct punkt_server_info *info = &punkt->info;
    *info = (struct punkt_server_info){
        .size = sizeof(*info),
        .known = true,
        .term = hello->term,
        .last_booked = hello->last_booked,
        .time_us = (int64_t)hello->time,
        .frame_max = (uint32_t)hello->frame_max,
        .in_flight_max = (uint32_t)hello->in_flight_max,
        .currency_exponent = (uint32_t)hello->currency_exponent,
        .points_decimals = (uint32_t)hello->points_decimals,
        .programme_version = (uint32_t)hello->programme_version,
        .card_check = (uint32_t)hello->card_check,
        .redeem_points = (int64_t)hello->redeem_points,
        .redeem_worth = (int64_t)hello->redeem_worth,
        .redeem_minimum = (int64_t)hello->redeem_minimum,
        .redeem_step = (int64_t)hello->redeem_step,
        .offline_card = (int64_t)hello->offline_card,
        .offline_till = (int64_t)hello->offline_till,
        .identity = hello->identity,
        .key_ends_us = (int64_t)hello->key_ends,
        .role = (uint32_t)hello->role,
    };
    memcpy(info->journal_id, hello->journal_id, sizeof(info->journal_id));
    text_out(info->currency, sizeof(info->currency), &hello->currency);
    text_out(info->zone, sizeof(info->zone), &hello->zone);
    code_out(info->name, sizeof(info->name), &hello->name);
    code_out(info->store, sizeof(info->store), &hello->store);
    code_out(info->till, sizeof(info->till), &hello->till);
    punkt->ledger_known = true;
}

static void take_offline_text(struct punkt *punkt, const struct msg_hello_answer *hello)
{
    punkt->offline_line_count = 0;
    for (size_t i = 0; i < hello->offline_text_count && i < OFFLINE_LINES_MAX; i++) {
        text_out(punkt->offline_text[i], sizeof(punkt->offline_text[i]), &hello->offline_text[i].text);
        punkt->offline_lines[i] = punkt->offline_text[i];
        punkt->offline_line_count++;
    }
}

static void put_number(uint8_t *out, uint64_t number)
{
    for (unsigned i = 0; i < 8; i++)
        out[i] = (uint8_t)(number >> (8 * i));
}

static uint64_t number_at(const uint8_t *bytes)
{
    uint64_t number = 0;
    for (unsigned i = 0; i < 8; i++)
        number |= (uint64_t)bytes[i] << (8 * i);
    return number;
}

/* Whether the outbox has something that is no longer so. */
static bool head_changed(const struct punkt *punkt, const uint8_t *kept)
{
    int64_t moved_us = punkt->info.time_offset_us - (int64_t)number_at(kept + 1);
    return moved_us > OFFSET_KEPT_US || moved_us < -OFFSET_KEPT_US ||
           number_at(kept + 9) != punkt->checked_term;
}

/* Whether two bodies of HELLO's answer say the same, but for what is another each time. */
static bool same_server(struct punkt *punkt, const struct msg_hello_answer *hello)
{
    size_t size;
    const uint8_t *kept = outbox_known(punkt->outbox, &size);
    struct msg_text_line lines[OFFLINE_LINES_MAX];
    struct message_memory memory = { .at = (uint8_t *)lines, .left = sizeof(lines) };
    struct msg_hello_answer old, new = *hello;
    const char *field;
    uint8_t bytes[2][OUTBOX_KNOWN_MAX];
    struct wire_writer writers[2] = { wire_writer_over(bytes[0], sizeof(bytes[0])),
                                      wire_writer_over(bytes[1], sizeof(bytes[1])) };
    if (kept == NULL || size <= KNOWN_HEAD_SIZE || kept[0] != KNOWN_FORM ||
        !message_decode(MESSAGE_hello_answer, kept + KNOWN_HEAD_SIZE, size - KNOWN_HEAD_SIZE, &memory, &old,
                        &field) ||
        head_changed(punkt, kept))
        return false;
    new.time = old.time;
    new.last_booked = old.last_booked;
    message_encode(MESSAGE_hello_answer, &old, &writers[0]);
    message_encode(MESSAGE_hello_answer, &new, &writers[1]);
    return !writers[0].failed && !writers[1].failed &&
           wire_written(&writers[0]) == wire_written(&writers[1]) &&
           memcmp(bytes[0], bytes[1], wire_written(&writers[0])) == 0;
}

static void keep(struct punkt *punkt, const void *body, size_t size, const struct msg_hello_answer *hello)
{
    uint8_t bytes[OUTBOX_KNOWN_MAX];
    if (size > sizeof(bytes) - KNOWN_HEAD_SIZE || same_server(punkt, hello))
        return;
    bytes[0] = KNOWN_FORM;
    put_number(bytes + 1, (uint64_t)punkt->info.time_offset_us);
    put_number(bytes + 9, punkt->checked_term);
    memcpy(bytes + KNOWN_HEAD_SIZE, body, size);
    /* Without a disk it is learned again from the next answer; the outbox says itself that it has failed. */
    (void)outbox_keep(punkt->outbox, bytes, KNOWN_HEAD_SIZE + size);
}

void known_learn(struct punkt *punkt, const void *body, size_t size, const struct msg_hello_answer *hello)
{
    if (!punkt->info.known)
        punkt->checked_term = hello->term; /* no other server has answered anything */
    if (punkt->outbox != NULL && hello->term > punkt->checked_term && hello->term > punkt->checking_term) {
        punkt->checking_term = hello->term;
        queue_check_lanes(punkt);
    }
    take_info(punkt, hello);
    punkt->info.time_offset_us = (int64_t)hello->time - machine_wall_us();
    take_offline_text(punkt, hello);
    if (punkt->outbox != NULL)
        keep(punkt, body, size, hello);
    int64_t offset_us = punkt->info.time_offset_us;
    bool far_off = offset_us > CLOCK_ALARM_US || offset_us < -CLOCK_ALARM_US;
    if (far_off && !punkt->alarmed_clock)
        alarm_somebody(punkt, PUNKT_ALARM_CLOCK, "this machine's clock is %lld s %s the server's",
                       (long long)((offset_us > 0 ? offset_us : -offset_us) / 1000000),
                       offset_us > 0 ? "behind" : "ahead of");
    punkt->alarmed_clock = far_off;
}

void known_checked(struct punkt *punkt)
{
    uint8_t bytes[OUTBOX_KNOWN_MAX];
    size_t size;
    const uint8_t *kept = outbox_known(punkt->outbox, &size);
    punkt->checked_term = punkt->checking_term;
    if (size <= KNOWN_HEAD_SIZE || kept[0] != KNOWN_FORM)
        return;
    memcpy(bytes, kept, size);
    put_number(bytes + 9, punkt->checked_term);
    (void)outbox_keep(punkt->outbox, bytes, size); /* without a disk the next handle checks them again */
}

void known_recall(struct punkt *punkt)
{
    size_t size;
    const uint8_t *kept = outbox_known(punkt->outbox, &size);
    struct msg_text_line lines[OFFLINE_LINES_MAX];
    struct message_memory memory = { .at = (uint8_t *)lines, .left = sizeof(lines) };
    struct msg_hello_answer hello;
    const char *field;
    if (kept == NULL || size <= KNOWN_HEAD_SIZE || kept[0] != KNOWN_FORM ||
        !message_decode(MESSAGE_hello_answer, kept + KNOWN_HEAD_SIZE, size - KNOWN_HEAD_SIZE, &memory, &hello,
                        &field))
        return;
    take_info(punkt, &hello);
    punkt->info.time_offset_us = (int64_t)number_at(kept + 1);
    punkt->checked_term = number_at(kept + 9);
    take_offline_text(punkt, &hello);
}
