/*
 * What the answers of one connection bring ready to print: as its hello asked for.
 */
#pragma once

#include "points/receipt_text.h"

/* A connection's wish for text. */
struct receipt_wish {
    uint8_t width; /* columns; 0: no text */
    char language[RECEIPT_LANGUAGE_MAX + 1];
};

struct service;
struct request;
struct receipt_scratch;

/* What composing works with, made once. NULL: no memory. */
struct receipt_scratch *receipt_scratch_new(void);
/* NULL is fine. */
void receipt_scratch_free(struct receipt_scratch *scratch);

/*
 * Adds the text to an answer that is about to leave: composed from the answer as it was booked, and the account as it is
 * now. False: the answer leaves as it is, for none was asked for, none is to be had, or it is of another kind. True:
 * *body is the longer one, in the scratch, until the next call; it reports what is true now, so it waits for the newest
 * event. The request is decoded.
 */
bool receipt_text_add(const struct request *request, uint16_t type, struct text *body);

/* The lines for a queued sale, for the answer to hello; none: the count is 0. Valid as above. */
struct msg_text_line;
struct msg_text_line *receipt_text_offline(struct service *service, const struct receipt_wish *wish,
                                           uint64_t *out_count);
