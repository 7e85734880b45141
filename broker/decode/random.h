/* SPDX-License-Identifier: MIT */
/* An input of which a child asks for parts, in any order, instead of getting all of it as it comes. */
#ifndef SAFE_DECODE_RANDOM_H
#define SAFE_DECODE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

#include "broker/wire/status.h"

struct random_input {
	const uint8_t *data; /* borrowed; NULL: the input is in a file */
	int file;            /* borrowed */
	uint64_t start;      /* of the input in the file */
	uint64_t allowed;    /* bytes that may still be given: a child may read what it likes, but not without end */
	uint8_t *buffer;     /* owned; room for the longest part, where the input is in a file */
};

/* The input has `size` bytes: at `data`, or in the file from `start` on.  Returns SDEC_OK or SDEC_IO (no memory). */
struct outcome random_init(struct random_input *input, const uint8_t *data, int file, uint64_t start, uint64_t size);
void random_free(struct random_input *input);

/* Finds a part that lies within the input.  Sets *part and *size: to less, where a file has become shorter.  Returns
 * SDEC_OK, SDEC_IO, or SDEC_LIMIT where so much was given that it is enough. */
struct outcome random_find(struct random_input *input, uint64_t offset, size_t length, const uint8_t **part,
                           size_t *size);

#endif
