/* SPDX-License-Identifier: MIT */
/* What a music player shows beside the sound: decodes the cover picture of a sound file. */
#include <fcntl.h>
#include <safe-decode.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Why a decode has failed; what `reason` says is text of the library's, and safe to print. */
static enum sdec_status complain(const char *path, enum sdec_status status, const struct sdec_result *result)
{
	const char *reason = result->reason ? result->reason : sdec_status_name(status);

	fprintf(stderr, "%s: %s%s%s\n", path, reason, result->error_number ? ": " : "",
	        result->error_number ? strerror(result->error_number) : "");
	return status == SDEC_WRONG_KIND ? SDEC_UNSUPPORTED : status; /* as the command line */
}

static enum sdec_status show(struct sdec_pool *pool, const char *path, const struct sdec_input *sound)
{
	struct sdec_result result = { .size = sizeof(result) };
	struct sdec_bytes file = { .size = sizeof(file) };
	struct sdec_image image = { .size = sizeof(image) };
	/* A cover is a small picture; one that is large is an attack, or a mistake. */
	struct sdec_limits limits = { .size = sizeof(limits), .max_pixels = 16 << 20, .max_cover = 4 << 20 };
	struct sdec_request request = { .size = sizeof(request),
		                        .limits = &limits,
		                        .pixel_format = SDEC_BGRA_PREMULTIPLIED };

	/* One child takes the picture out of the sound, as a file; another one decodes that. */
	enum sdec_status status = sdec_decode_cover(pool, sound, &request, &file, &result);
	if (status != SDEC_OK)
		return complain(path, status, &result);
	struct sdec_input cover = {
		.size = sizeof(cover), .kind = SDEC_INPUT_MEMORY, .data = file.data, .data_size = file.data_size
	};
	request.allow = "jpeg,png,webp,gif,bmp";
	status = sdec_decode_image(pool, &cover, &request, &image, &result);
	if (status != SDEC_OK)
		status = complain(path, status, &result);
	else if (printf("cover: %u x %u pixels, %zu bytes\n", image.width, image.height, file.data_size) < 0)
		status = SDEC_IO;
	sdec_image_free(&image);
	sdec_bytes_free(&file);
	return status;
}

int main(int argc, char **argv)
{
	struct sdec_pool *pool = NULL;
	struct sdec_input sound = { .size = sizeof(sound), .kind = SDEC_INPUT_FD };

	if (argc != 2) {
		fprintf(stderr, "usage: %s FILE\n", argv[0]);
		return SDEC_USAGE;
	}
	sound.fd = open(argv[1], O_RDONLY | O_CLOEXEC);
	if (sound.fd < 0) {
		perror(argv[1]);
		return SDEC_IO;
	}
	enum sdec_status status = sdec_pool_open(NULL, &pool);
	if (status == SDEC_OK)
		status = show(pool, argv[1], &sound);
	if (fflush(stdout) != 0 && status == SDEC_OK) {
		perror("standard output");
		status = SDEC_IO;
	}
	sdec_pool_close(&pool);
	(void)close(sound.fd);
	return (int)status;
}
