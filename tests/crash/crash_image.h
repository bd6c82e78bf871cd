/*
 * What a disk may hold after the power went: built from the shim's log. What was synced is there; of what
 * was written later each sector may be there or not, and of the changes to folders any first part.
 *
 *   crash_log_open -> for each image: crash_image_build(cut, seed) -> a folder to recover from
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct crash_log;

/*
 * Reads a log. root: the folder that was logged, an absolute path. base: a folder with what was under root before
 * the log began, all of it durable, or NULL. Ends the process with a message if the log makes no sense.
 */
struct crash_log *crash_log_open(const char *path, const char *root, const char *base);
void crash_log_close(struct crash_log *log);

/* Bytes of whole records. */
uint64_t crash_log_size(const struct crash_log *log);

/* The end of the first write that ends behind `from`: a moment at which something is not synced. */
uint64_t crash_log_write_end(const struct crash_log *log, uint64_t from);

/*
 * Makes the folder `out` (which must not exist) as root may be if the power went when the log had `cut`
 * bytes. The same seed makes the same image.
 */
void crash_image_build(const struct crash_log *log, uint64_t cut, uint64_t seed, const char *out);

/* Removes a folder and what is in it; false if something stays. */
bool remove_tree(const char *path);
