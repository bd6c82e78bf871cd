/*
 * What `punktd verify` prints.
 */
#pragma once

#include "base/base.h"
#include "ledger/verify.h"

/*
 * Prints a report: what matches to standard output, damage or a missing head to standard error, as a sentence or as one
 * JSON object. True: state matches the journal, and the journal has the head that was asked for.
 */
bool report_print(const struct verify_report *report, bool json);
