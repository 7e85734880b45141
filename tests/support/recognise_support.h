/* SPDX-License-Identifier: MIT */
/* Recognition of an input that comes byte by byte. */
#ifndef SAFE_DECODE_RECOGNISE_SUPPORT_H
#define SAFE_DECODE_RECOGNISE_SUPPORT_H

#include "broker/recognise/recognise.h"

struct recognised {
	enum recognise_answer answer;
	struct recognition result;
	size_t at; /* bytes that it took; one more than there are: and the end */
};

/* The first answer that decides, with 0, 1, 2 ... bytes of the input, and at last with its end. */
static inline struct recognised recognise_growing(const uint8_t *bytes, size_t size, const char *name)
{
	struct recognised first = { .answer = RECOGNISE_MORE };

	for (size_t part = 0; part <= size && first.answer == RECOGNISE_MORE; part++) {
		first.answer = recognise(bytes, part, false, name, &first.result);
		first.at = part;
	}
	if (first.answer == RECOGNISE_MORE) {
		first.answer = recognise(bytes, size, true, name, &first.result);
		first.at = size + 1;
	}
	return first;
}

#endif
