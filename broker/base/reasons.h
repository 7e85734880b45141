/* SPDX-License-Identifier: MIT */
/* Reasons that are made up while the program runs.  Those who are told of them may keep them as long as they like. */
#ifndef SAFE_DECODE_REASONS_H
#define SAFE_DECODE_REASONS_H

/* Keeps a text of printable ASCII until the process ends, once for all that are the same.  Where there is no more room
 * for another, returns `otherwise`, which is static.  May be called by any thread. */
const char *reasons_keep(const char *text, const char *otherwise);

#endif
