/* SPDX-License-Identifier: MIT */
/* What a decoder program says first, to whoever started it. */
#ifndef SAFE_DECODE_HELLO_H
#define SAFE_DECODE_HELLO_H

#include <stdbool.h>

#include "broker/base/packet.h"
#include "broker/sandbox/protocol.h"
#include "broker/wire/status.h"

/* Judges a packet that should be a hello.  `data` has room for a zero byte behind what came.  SDEC_OK; or
 * SDEC_NO_SANDBOX: the program is of another build, or it is none and the packet is what the dynamic linker complains
 * about. */
struct outcome hello_judge(const struct packet *packet);

/* The same for a program that ended without a word. */
struct outcome hello_missing(void);

/* The codec library that a hello names, in printable ASCII; stays until this process ends. */
const char *hello_library(const struct protocol_hello *hello);

enum { HELLO_ROOM = 512 }; /* bytes for a hello, or a complaint */

#endif
