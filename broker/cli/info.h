/* SPDX-License-Identifier: MIT */
/* What --info prints. */
#ifndef SAFE_DECODE_INFO_H
#define SAFE_DECODE_INFO_H

#include <stdio.h>

#include "broker/recognise/registry.h"
#include "broker/wire/wire.h"
#include "tag_list.h"

/* What is known of an input.  At most one of image and audio is there; neither for a stream of bytes. */
struct info {
	const char *input; /* its name */
	const struct format *format;
	const char *library; /* that decodes it */
	const struct wire_image *image;
	const struct wire_audio *audio;
	const struct tag_list *tags; /* of either */
};

/* Prints one JSON object on a line. */
void info_print(FILE *stream, const struct info *info);

#endif
