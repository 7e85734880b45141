/* SPDX-License-Identifier: MIT */
/* The drivers and output formats that device.c puts together. */
#ifndef SAFE_DECODE_DRIVERS_H
#define SAFE_DECODE_DRIVERS_H

#include "device.h"

extern const struct screen_driver framebuffer_driver;
extern const struct sink_format sink_screen;
extern const struct sink_format sink_speaker;

#endif
