/* SPDX-License-Identifier: MIT */
/* Decodes a picture in one call, and tells what came of it. */
#include <fcntl.h>
#include <safe-decode.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct safe_decoder *decoder = NULL;
	struct safe_input input = { .size = sizeof(input) };
	struct safe_limits limits = { .size = sizeof(limits), .max_side = 10000, .deadline_milliseconds = 5000 };
	struct safe_request request = { .size = sizeof(request), .limits = &limits, .pixel_format = SAFE_RGBA };
	struct safe_image image = { .size = sizeof(image) };
	struct safe_result result = { .size = sizeof(result) };

	if (argc != 2 || safe_decoder_open(NULL, &decoder) != SAFE_OK)
		return SAFE_USAGE;
	input.fd = open(argv[1], O_RDONLY | O_CLOEXEC);
	enum safe_status status = safe_decode_image(decoder, &input, &request, &image, &result);
	if (status == SAFE_OK)
		printf("%u x %u pixels\n", image.width, image.height);
	else
		fprintf(stderr, "%s: %s\n", safe_status_name(status), result.reason);
	safe_image_free(&image);
	if (input.fd >= 0)
		(void)close(input.fd);
	safe_decoder_close(&decoder);
	return (int)status;
}
