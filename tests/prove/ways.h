/* SPDX-License-Identifier: MIT */
/* The ways in which a program calls the library, each with what it is promised of what comes out. */
#ifndef SAFE_DECODE_PROVE_WAYS_H
#define SAFE_DECODE_PROVE_WAYS_H

#include <stdbool.h>
#include <stddef.h>

#include "broker/safe-decode.h"

enum { ANSWER = 200 };

/* The last bytes of the output, which is where an attack puts its answer. */
struct answer {
	char bytes[ANSWER];
	size_t size;
};

struct way {
	struct sdec_pool *decoder;
	struct sdec_request request;
	struct sdec_result result;
	const char *line;     /* the input, a command for the hostile decoder */
	struct answer answer; /* of inputs that give bytes */
	const char *broken;   /* what the library promises and did not hold; NULL: nothing */
};

typedef enum sdec_status way_decode(struct way *way, const struct sdec_input *input);

/* "call" (the one-call functions), "into" (the same into memory of the size that sdec_probe() told) or "stream"; NULL:
 * there is no such way. */
way_decode *way_by_name(const char *name);

#endif
