/* SPDX-License-Identifier: MIT */
/* What options say about which part of a picture is wanted, at what size and on which background. */
#ifndef SAFE_DECODE_OPTIONS_VIEW_H
#define SAFE_DECODE_OPTIONS_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "broker/wire/wire.h"

/* Each returns false if the text is not of its form. */

/* "X,Y,W,H". */
bool options_parse_crop(const char *text, struct wire_view *view);

/* "WxH", "Wx", "xH", and "WxH!" and "WxH^". */
bool options_parse_fit(const char *text, struct wire_view *view);

/* "#RRGGBB", "#RGB", with or without the sign, or one of a few names. */
bool options_parse_color(const char *text, uint32_t *color);

#endif
