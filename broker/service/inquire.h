/* SPDX-License-Identifier: MIT */
/* Asks a decoder program what it is. */
#ifndef SAFE_DECODE_INQUIRE_H
#define SAFE_DECODE_INQUIRE_H

#include "broker/wire/status.h"

/* Starts the program of a decoder, which says hello and ends.  Sets *library to name and version of its codec library,
 * which stay until this process ends.  Blocks, for some seconds at most.  Returns SDEC_OK, or why it cannot be used. */
struct outcome inquire(const char *folder, const char *module, const char **library);

#endif
