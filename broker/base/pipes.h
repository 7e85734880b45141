/* SPDX-License-Identifier: MIT */
/* The two pipes of a decoder. */
#ifndef SAFE_DECODE_PIPES_H
#define SAFE_DECODE_PIPES_H

struct pipes {
	int input, output; /* the trusted side's ends: they do not block.  `input` can be read, too, so that writing to
	                    * it never raises SIGPIPE */
	int child_input, child_output;
};

#define PIPES_NONE ((struct pipes){ .input = -1, .output = -1, .child_input = -1, .child_output = -1 })

/* All close on exec.  Returns 0, or -1 with errno set and nothing left behind. */
int pipes_open(struct pipes *pipes);
void pipes_close(struct pipes *pipes);

#endif
