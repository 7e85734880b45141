/* SPDX-License-Identifier: MIT */
/* What --list-decoders prints. */
#ifndef SAFE_DECODE_CLI_DECODERS_H
#define SAFE_DECODE_CLI_DECODERS_H

#include <stdio.h>

#include "broker/wire/status.h"

/* Prints a line for each format: its name, what it is, its types of media, and the codec library that decodes it; or
 * why it is not available.  The caller checks the stream for errors.  Returns SDEC_OK or SDEC_IO. */
struct outcome decoders_print(FILE *stream);

#endif
