/* SPDX-License-Identifier: MIT */
/* The yardstick: what an application does that calls the codecs itself. */
#ifndef SAFE_DECODE_IN_PROCESS_H
#define SAFE_DECODE_IN_PROCESS_H

#include <stdbool.h>
#include <stddef.h>

/* Decodes a JPEG or PNG to BGRA in fresh memory, and frees it again.  Ends the program where that fails. */
void in_process_decode(const void *data, size_t size);

#endif
