/*
 * The queue: between the outbox, the two sessions, and those who wait (DESIGN.md, The client; RELIABILITY.md, Outbox).
 *
 *      caller --queue_submit--> outbox (durable) --queue_feed--> session --> server
 *        ^                                                          |
 *        '---- DONE, REFUSED, or QUEUED when time is up <-- queue_answered
 *
 * An operation of the queue that somebody waits for has a waiter; when its time is up the waiter is told QUEUED and
 * goes, the operation stays. A refusal that nobody waits for any more becomes an advice, if goods changed hands.
 * For the files of this folder only.
 */
#pragma once

#include <punkt.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/call.h"
#include "lib/offline.h"
#include "lib/outbox.h"

struct session;

/* A change that punkt->encoded holds goes to the outbox, and from there on its way. As submit(). */
enum punkt_call queue_submit(struct punkt *punkt, const struct call *call, const struct build *build,
                             punkt_done_fn *on_done, void *ctx);

/* The outbox was opened: what an earlier handle left is put in order. */
void queue_open(struct punkt *punkt);

/* Before the sessions' round: gives the queue's session its lane, and operations while there is room. */
void queue_feed(struct punkt *punkt, uint64_t now_us);

/* After it: tells those whose time is up, and writes what was answered. */
void queue_settle(struct punkt *punkt, uint64_t now_us);

/* When queue_feed or queue_settle have something to do; UINT64_MAX: by themselves, never. */
uint64_t queue_due_us(const struct punkt *punkt, uint64_t now_us);

/* How many operations without an answer earlier openings of the outbox have left. */
uint64_t queue_of_earlier(const struct punkt *punkt);

/* HELLO was answered on a session: has the server lost something? */
void queue_hello(struct session *session, uint64_t last_booked, uint64_t now_us);

/* It has lost what it had answered of a lane behind that number: sends it again, under the old numbers. Returns how many. */
uint64_t queue_send_lost(struct punkt *punkt, uint64_t epoch, uint64_t last_booked);

/* The server has a newer term: every lane that is remembered is to be held against it. */
void queue_check_lanes(struct punkt *punkt);

/* punkt->answer is the final answer to an entry of the live lane: remembers it. */
void queue_note_answer(struct punkt *punkt, struct outbox_entry *entry);

/* It is the answer to an operation that ended as QUEUED before. */
void queue_tell_settled(struct punkt *punkt, struct outbox_entry *entry);

/* Fills punkt->answer for an operation that was answered before, as far as that is remembered. */
void queue_recall(struct punkt *punkt, const struct outbox_entry *entry);

/* Whether it is no use to wait for the server now. */
bool queue_link_down(const struct punkt *punkt);

/* What is remembered of punkt->answer, which is that of the operation. */
struct outbox_result queue_result_of(const struct punkt *punkt, uint16_t operation);

/* --- between queue.c and drain.c --- */

/* Appends the bytes of an operation again, as an advice that redeems so many points by the offline rules, or a reversal. */
enum punkt_call queue_append_advice(struct punkt *punkt, const struct outbox_entry *original, uint16_t flags,
                                    int64_t offline_points, struct outbox_entry **out);
enum punkt_call queue_append_reversal(struct punkt *punkt, const struct outbox_entry *original);

struct waiter;

/* Grants what a request redeems by the offline rules, into the waiter. */
enum offline_verdict queue_grant(struct punkt *punkt, const struct build_note *note, struct waiter *waiter);
/* The holds that a request names are granted, captured or given back: they are not granted again. */
void queue_end_holds(struct punkt *punkt, const struct build_note *note);
bool queue_redeems(const struct build_note *note);
/* The original of a reversal, or what an advice stands for, needs no advice of its own any more. */
void queue_mark_replaced(struct punkt *punkt, const struct outbox_note *note);

/* NULL: as many as the window allows wait already. */
struct waiter *queue_waiter_take(struct punkt *punkt);
void queue_waiter_give(struct punkt *punkt, struct waiter *waiter);
bool queue_of_goods(uint16_t operation);
