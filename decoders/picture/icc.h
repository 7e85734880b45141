/* SPDX-License-Identifier: MIT */
/* Colour profiles, of which nothing is looked at but the name. */
#ifndef SAFE_DECODE_ICC_H
#define SAFE_DECODE_ICC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decoders/runtime/decoder.h"

/* Whether anybody wants to know about it. */
bool icc_is_wanted(const struct session *session);

/* Gives the profile if it is wanted, and tells its name if tags are. */
void icc_send(struct session *session, const uint8_t *data, size_t size);

#endif
