/*
 * What the registers of this folder do, whatever loop they run in. They take one operation a line:
 *
 *      sell CARD RECEIPT AMOUNT
 *      redeem CARD POINTS
 *      balance CARD
 *      close
 *
 * and print one line when it has ended. A sale never waits for the server: while it is away sales are queued in the
 * outbox, and when it is back they are sent, whatever else goes on.
 */
#pragma once

#include <punkt.h>
#include <stdbool.h>

/* The handle of the command line: PROGRAM SERVER STORE TILL OUTBOX. NULL, and said why: there is none. */
struct punkt *register_open(int argc, char **argv);

/* Submits what a line says, and prints how it ended, then or later. False: there was not enough memory. */
bool register_submit(struct punkt *punkt, const char *line);

/* The display: prints whether the server is there and how much waits for it, if that is not what is in shown. */
void register_show_link(const struct punkt *punkt, char shown[64]);
