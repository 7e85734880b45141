/* SPDX-License-Identifier: MIT */
/* What the tests of the library share: a decoder on the build's broker, inputs, references, and counting. */
#ifndef SAFE_DECODE_LIBRARY_SUPPORT_H
#define SAFE_DECODE_LIBRARY_SUPPORT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "broker/safe-decode.h"
#include "counting.h"

#define PHOTOGRAPH "samples/photograph.jpg"
#define SCREENSHOT "samples/screenshot.png"
#define THUMBNAIL "samples/jpeg/pjw-thumbnail.jpeg"
#define ROMEO "samples/gzip/romeo.txt.gz"

enum { PHOTOGRAPH_WIDTH = 1165, PHOTOGRAPH_HEIGHT = 859, ROMEO_SIZE = 942 };

/* Bytes that were read whole. */
struct blob {
	uint8_t *data; /* owned */
	size_t size;
};

struct blob read_blob(const char *path);

/* All that the command line writes to its standard output; it must succeed. */
struct blob command_line(const char *arguments);
void free_blob(struct blob *blob);

/* The path of a program of the build, from its top folder; static until the next call. */
const char *built_program(const char *name);

/* Opens a decoder; the broker is set here, all else is as in `config`, which may be NULL. */
struct sdec_pool *open_decoder(const struct sdec_config *config);

/* The same, on a broker that knows the format "hostile" as well. */
struct sdec_pool *open_hostile(const struct sdec_config *config);

struct sdec_input memory_input(const void *data, size_t size);
struct sdec_input text_input(const char *text);
struct sdec_input fd_input(int fd);

/* Decodes the thumbnail, and asserts that it comes out right. */
void expect_works(struct sdec_pool *decoder);

/* The only child of this process: its broker. */
pid_t the_broker(void);

/* Waits until `pid` does not run any more; asserts that it takes no more than `milliseconds`. */
void expect_gone(pid_t pid, unsigned milliseconds);

/* Milliseconds of the monotonic clock. */
uint64_t now_milliseconds(void);
void sleep_milliseconds(unsigned milliseconds);

/* Whether this process can become another user, and all folders above its program let that one through. */
bool others_can_run_this(void);

#endif
