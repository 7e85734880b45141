/* SPDX-License-Identifier: MIT */
/* Decodes a picture in one call, and tells what came of it. */
#include <fcntl.h>
#include <safe-decode.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Why the decode has failed; what `reason` says is text of the library's, and safe to print. */
static void complain(const char *path, enum safe_status status, const struct safe_result *result)
{
	/* The request is in order, so the input is another thing than was asked for. */
	fprintf(stderr, "%s: %s", path, status == SAFE_USAGE ? "not a picture" : safe_status_name(status));
	if (result->reason)
		fprintf(stderr, ": %s", result->reason);
	if (result->error_number != 0)
		fprintf(stderr, ": %s", strerror(result->error_number));
	fputc('\n', stderr);
}

int main(int argc, char **argv)
{
	struct safe_decoder *decoder = NULL;
	struct safe_input input = { .size = sizeof(input) };
	struct safe_limits limits = { .size = sizeof(limits), .max_side = 10000, .deadline_milliseconds = 5000 };
	struct safe_request request = { .size = sizeof(request), .limits = &limits, .pixel_format = SAFE_RGBA };
	struct safe_image image = { .size = sizeof(image) };
	struct safe_result result = { .size = sizeof(result) };

	if (argc != 2) {
		fprintf(stderr, "usage: %s FILE\n", argv[0]);
		return SAFE_USAGE;
	}
	input.fd = open(argv[1], O_RDONLY | O_CLOEXEC);
	if (input.fd < 0) {
		perror(argv[1]);
		return SAFE_IO;
	}
	enum safe_status status = safe_decoder_open(NULL, &decoder);
	if (status == SAFE_OK)
		status = safe_decode_image(decoder, &input, &request, &image, &result);
	if (status != SAFE_OK) {
		complain(argv[1], status, &result);
		status = status == SAFE_USAGE ? SAFE_UNSUPPORTED : status;
	} else if (printf("%u x %u pixels\n", image.width, image.height) < 0 || fflush(stdout) != 0) {
		perror("standard output");
		status = SAFE_IO;
	}
	safe_image_free(&image);
	safe_decoder_close(&decoder);
	(void)close(input.fd);
	return (int)status;
}
