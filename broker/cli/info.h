/* SPDX-License-Identifier: MIT */
#ifndef SAFE_DECODE_INFO_H
#define SAFE_DECODE_INFO_H

#include <stdio.h>

#include "../registry.h"
#include "../wire.h"

/* Prints one line: a JSON object that describes an input.  `image` is NULL for a stream of bytes. */
void info_print(FILE *stream, const char *input, const struct safe_format *format, const struct wire_image *image);

#endif
