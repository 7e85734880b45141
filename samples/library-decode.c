/* SPDX-License-Identifier: MIT */
/* Decodes a picture in one call, and tells what came of it. */
#include <fcntl.h>
#include <safe-decode.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Why the decode has failed; what `reason` says is text of the library's, and safe to print. */
static void complain(const char *path, enum sdec_status status, const struct sdec_result *result)
{
	/* The request is in order, so the input is another thing than was asked for. */
	fprintf(stderr, "%s: %s", path, status == SDEC_WRONG_KIND ? "not a picture" : sdec_status_name(status));
	if (result->reason)
		fprintf(stderr, ": %s", result->reason);
	if (result->error_number != 0)
		fprintf(stderr, ": %s", strerror(result->error_number));
	fputc('\n', stderr);
}

int main(int argc, char **argv)
{
	struct sdec_pool *decoder = NULL;
	struct sdec_input input = { .size = sizeof(input), .kind = SDEC_INPUT_FD };
	struct sdec_limits limits = { .size = sizeof(limits), .max_side = 10000, .deadline_milliseconds = 5000 };
	struct sdec_request request = { .size = sizeof(request), .limits = &limits, .pixel_format = SDEC_RGBA };
	struct sdec_image image = { .size = sizeof(image) };
	struct sdec_result result = { .size = sizeof(result) };

	if (argc != 2) {
		fprintf(stderr, "usage: %s FILE\n", argv[0]);
		return SDEC_USAGE;
	}
	input.fd = open(argv[1], O_RDONLY | O_CLOEXEC);
	if (input.fd < 0) {
		perror(argv[1]);
		return SDEC_IO;
	}
	enum sdec_status status = sdec_pool_open(NULL, &decoder);
	if (status == SDEC_OK)
		status = sdec_decode_image(decoder, &input, &request, &image, &result);
	if (status != SDEC_OK) {
		complain(argv[1], status, &result);
		status = status == SDEC_WRONG_KIND ? SDEC_UNSUPPORTED : status; /* as the command line */
	} else if (printf("%u x %u pixels\n", image.width, image.height) < 0 || fflush(stdout) != 0) {
		perror("standard output");
		status = SDEC_IO;
	}
	sdec_image_free(&image);
	sdec_pool_close(&decoder);
	(void)close(input.fd);
	return (int)status;
}
