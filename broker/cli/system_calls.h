/* SPDX-License-Identifier: MIT */
/* Names of system calls, for --diagnose. */
#ifndef SAFE_DECODE_SYSTEM_CALLS_H
#define SAFE_DECODE_SYSTEM_CALLS_H

#include "broker/wire/wire.h"

/* The name of what a decoder says that it tried; NULL: there is none.  Static. */
const char *system_call_name(const struct wire_forbidden *forbidden);

#endif
