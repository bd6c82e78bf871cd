/*
 * From the YAML text of a programme to its compiled form.
 */
#pragma once

#include "base/base.h"
#include "base/status.h"
#include "base/text.h"
#include "ops/problems.h"
#include "points/programme.h"

#define PROGRAMME_FILE_BYTES_MAX (256u * 1024)

/*
 * Compiles a programme; version and from are 0, for publishing gives them. What the text does not say is
 * as in programme_default. PUNKT_INVALID: something is wrong, out_problems says all of it. `file` names
 * the text in messages only.
 *
 * The transitions of the zone come from the C library, for which the process's TZ is set and put back:
 * no other thread may use local time meanwhile.
 */
PUNKT_MUST_CHECK enum punkt_status programme_read(struct text yaml, const char *file, struct programme *out,
                                                  struct problems *out_problems);

/* The text of programme_default, for `programme show`. Static. */
struct text programme_text_default(void);

/*
 * The key of row `index` of all tables, "redeem.points", and the section of punkt-programme(5) that it
 * belongs to, "Offers"; "" is the file itself. NULL behind the last. Static; for tests of documents.
 */
const char *programme_key(size_t index, const char **out_section);
