/* SPDX-License-Identifier: MIT */
#include "random.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "broker/wire/wire.h"

enum { TIMES = 16 }; /* that the whole input may be given: who reads it in a bad order gets some of it twice */

#define ALWAYS (UINT64_C(1) << 30) /* bytes: of a small one in the worst order, each little part is a window */

struct outcome random_init(struct random_input *input, const uint8_t *data, int file, uint64_t start, uint64_t size)
{
	*input = (struct random_input){ .data = data, .file = file, .start = start };
	if (__builtin_mul_overflow(size, TIMES, &input->allowed))
		input->allowed = UINT64_MAX;
	if (input->allowed < ALWAYS)
		input->allowed = ALWAYS;
	if (data)
		return outcome_ok();
	input->buffer = malloc(WIRE_READ_MAX);
	return input->buffer ? outcome_ok() : outcome_of_errno(SDEC_IO, "no memory for the input", ENOMEM);
}

void random_free(struct random_input *input)
{
	free(input->buffer);
	input->buffer = NULL;
}

/* As much as there is.  Returns false where that cannot be told. */
static bool read_part(const struct random_input *input, uint64_t offset, size_t length, size_t *size)
{
	ssize_t got = 1;

	for (*size = 0; *size < length && got != 0;) {
		got = pread(input->file, input->buffer + *size, length - *size, (off_t)(input->start + offset + *size));
		if (got < 0 && errno != EINTR)
			return false;
		*size += got > 0 ? (size_t)got : 0;
	}
	return true;
}

struct outcome random_find(struct random_input *input, uint64_t offset, size_t length, const uint8_t **part,
                           size_t *size)
{
	if (length > input->allowed)
		return outcome_of_limit(SDEC_LIMIT_READS, "its decoder reads it again and again");
	input->allowed -= length;
	*part = input->data ? input->data + offset : input->buffer;
	*size = length;
	if (!input->data && !read_part(input, offset, length, size))
		return outcome_of_errno(SDEC_IO, "cannot read the input", errno);
	return outcome_ok();
}
