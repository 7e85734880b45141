/* SPDX-License-Identifier: MIT */
/*
 * WebP, by libwebp: lossy, lossless, with alpha.  The chunks around the pictures are read here, so that each picture is
 * decoded as its data comes, that of an animation too, for which libwebpdemux wants the whole file.
 *
 * pkg-config: libwebp
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <webp/decode.h>

#include "decoders/picture/animation.h"
#include "decoders/picture/rows.h"
#include "webp_riff.h"

enum {
	MEMORY_BESIDES = 512 << 10,
	RGB_BYTES = 3,
	RGBA_BYTES = 4,
	STEP = 4096, /* bytes at a time, where it may have to be done again */
};

struct decode {
	struct session *session;
	struct webp_file file;
	struct webp_picture picture;
	WebPBitstreamFeatures features; /* of it */
	struct wire_image image;
	struct animation animation;
	uint32_t frames; /* that are decoded, if so many are wanted */
	bool plain;      /* the picture covers all, and is the only one: its rows go out as they are */

	WebPIDecoder *decoder;
	WEBP_CSP_MODE mode;
	uint8_t *pixels; /* of the picture */
	size_t size, stride;
	uint32_t rows; /* of it that were given */
};

/* ---- one picture ---- */

static enum wire_failure name_failure(VP8StatusCode status)
{
	switch (status) {
	case VP8_STATUS_OUT_OF_MEMORY:
		return WIRE_FAIL_LIMIT_MEMORY;
	case VP8_STATUS_UNSUPPORTED_FEATURE:
		return WIRE_FAIL_UNSUPPORTED;
	default:
		return WIRE_FAIL_DATA;
	}
}

/* What the data itself says, for which a little of it is enough. */
static session_result read_features(struct decode *decode)
{
	struct webp_file *file = &decode->file;
	const struct webp_picture *picture = &decode->picture;
	size_t there = picture->data;
	VP8StatusCode status = VP8_STATUS_NOT_ENOUGH_DATA;

	while (status == VP8_STATUS_NOT_ENOUGH_DATA || status == VP8_STATUS_SUSPENDED) {
		if (there == picture->end)
			return WIRE_FAIL_DATA;
		session_result result = webp_need(file, ++there);
		if (result != WIRE_OK)
			return result;
		status = WebPGetFeatures(file->data + picture->data, there - picture->data, &decode->features);
	}
	if (status != VP8_STATUS_OK)
		return name_failure(status);
	if (picture->data > picture->start)
		decode->features.has_alpha = 1;
	return WIRE_OK;
}

static session_result give_rows(struct decode *decode, uint32_t end)
{
	const uint8_t *from = decode->pixels + decode->rows * decode->stride;
	bool alpha = (decode->image.flags & WIRE_IMAGE_ALPHA) != 0;
	uint32_t count = end - decode->rows;

	if (count == 0)
		return WIRE_OK;
	decode->rows = end;
	if (decode->plain)
		return rows_send(decode->session, &decode->image, alpha ? PIXELS_RGBA : PIXELS_RGB, from,
		                 decode->stride, count);
	return animation_rows(&decode->animation, from, decode->stride, count);
}

/* Lets libwebp have the data up to `there`, and gives what it makes of it. */
static session_result feed(struct decode *decode, size_t there, VP8StatusCode *status)
{
	size_t start = decode->picture.start;
	int rows = 0;

	*status = WebPIUpdate(decode->decoder, decode->file.data + start, there - start);
	if (*status == VP8_STATUS_OUT_OF_MEMORY)
		return WIRE_FAIL_LIMIT_MEMORY;
	if (!WebPIDecGetRGB(decode->decoder, &rows, NULL, NULL, NULL) || rows < (int)decode->rows)
		return WIRE_OK;
	return give_rows(decode, (uint32_t)rows);
}

static bool make_decoder(struct decode *decode)
{
	WebPIDelete(decode->decoder);
	decode->decoder = WebPINewRGB(decode->mode, decode->pixels, decode->size, (int)decode->stride);
	return decode->decoder != NULL;
}

/* Where libwebp fails it forgets rows that it has decoded in the same call.  So that all of them can be kept, it gets
 * the data again, which was right up to `before`, and goes on byte by byte. */
static session_result retrace(struct decode *decode, size_t before, size_t there, VP8StatusCode *status)
{
	session_result result = make_decoder(decode) ? WIRE_OK : WIRE_FAIL_LIMIT_MEMORY;

	*status = VP8_STATUS_SUSPENDED;
	for (size_t at = before; result == WIRE_OK && *status == VP8_STATUS_SUSPENDED && at <= there; at++)
		result = feed(decode, at, status);
	return result;
}

/* Feeds libwebp with the data as it comes.  *damage says why rows are missing. */
static session_result decode_data(struct decode *decode, enum wire_failure *damage)
{
	struct webp_file *file = &decode->file;
	const struct webp_picture *picture = &decode->picture;
	bool partial = session_partial(decode->session);
	size_t there = picture->data;

	for (;;) {
		session_result result = webp_need(file, there + 1);
		if (result == WIRE_FAIL_LIMIT_MEMORY)
			return result;
		VP8StatusCode status = VP8_STATUS_OK;
		size_t before = there;
		there = file->size < picture->end ? file->size : picture->end;
		if (partial && there - before > STEP)
			there = before + STEP;
		result = feed(decode, there, &status);
		if (result == WIRE_OK && partial && status != VP8_STATUS_OK && status != VP8_STATUS_SUSPENDED)
			result = retrace(decode, before, there, &status);
		if (result != WIRE_OK || status == VP8_STATUS_OK)
			return result;
		bool over = there == picture->end || there == before;
		if (status == VP8_STATUS_SUSPENDED && !over)
			continue;
		*damage = status != VP8_STATUS_SUSPENDED ? name_failure(status)
		          : there < picture->end         ? WIRE_FAIL_TRUNCATED
		                                         : WIRE_FAIL_DATA;
		return WIRE_OK;
	}
}

static session_result decode_picture(struct decode *decode, enum wire_failure *damage)
{
	bool rgb = decode->plain && !(decode->image.flags & WIRE_IMAGE_ALPHA);
	uint32_t width = (uint32_t)decode->features.width, height = (uint32_t)decode->features.height;

	decode->rows = 0;
	decode->mode = rgb ? MODE_RGB : MODE_RGBA;
	decode->stride = (size_t)width * (rgb ? RGB_BYTES : RGBA_BYTES);
	if (__builtin_mul_overflow(decode->stride, height, &decode->size))
		return WIRE_FAIL_LIMIT_MEMORY;
	decode->pixels = malloc(decode->size);
	if (!decode->pixels)
		return WIRE_FAIL_LIMIT_MEMORY;
	session_result result = make_decoder(decode) ? decode_data(decode, damage) : WIRE_FAIL_LIMIT_MEMORY;
	WebPIDelete(decode->decoder);
	decode->decoder = NULL;
	free(decode->pixels);
	decode->pixels = NULL;
	return result;
}

/* ---- the whole ---- */

static session_result decode_still(struct decode *decode)
{
	enum wire_failure damage = WIRE_OK;
	session_result result = session_frame(decode->session, 0);

	if (result == WIRE_OK)
		result = decode_picture(decode, &damage);
	if (result == WIRE_OK && damage != WIRE_OK)
		return session_damage(decode->session, damage);
	return result;
}

static bool fits(const struct decode *decode)
{
	return (uint32_t)decode->features.width == decode->picture.place.width &&
	       (uint32_t)decode->features.height == decode->picture.place.height;
}

/* The frame that was found, and whose features were read; or what is wrong with it. */
static session_result decode_frame(struct decode *decode, enum wire_failure damage)
{
	session_result result = animation_begin(&decode->animation, &decode->picture.place, decode->picture.delay);

	if (result == WIRE_OK && damage == WIRE_OK)
		result = decode_picture(decode, &damage);
	return result == WIRE_OK ? animation_end(&decode->animation, damage) : result;
}

static session_result decode_frames(struct decode *decode)
{
	session_result result = animation_open(&decode->animation, decode->session, &decode->image);

	/* Nothing is below the first frame, which keeps even the colour of what is transparent. */
	decode->picture.place.over = false;
	if (result == WIRE_OK)
		result = decode_frame(decode, WIRE_OK);
	for (uint32_t left = decode->frames - 1; result == WIRE_OK && left > 0; left--) {
		result = webp_find_frame(&decode->file, decode->picture.next, &decode->picture);
		if (result == WIRE_OK)
			result = read_features(decode);
		if (result == WIRE_OK && !fits(decode))
			result = WIRE_FAIL_HEADER;
		if (result == WIRE_FAIL_LIMIT_MEMORY)
			return result;
		/* Where frames are missing, there were so many. */
		if (result != WIRE_OK)
			return session_damage(decode->session,
			                      result == WIRE_FAIL_ABSENT ? WIRE_FAIL_STRUCTURE : result);
		result = decode_frame(decode, WIRE_OK);
	}
	return result;
}

static void describe(struct decode *decode)
{
	const struct webp_file *file = &decode->file;
	const WebPBitstreamFeatures *features = &decode->features;
	struct wire_image *image = &decode->image;
	uint32_t width = (uint32_t)features->width, height = (uint32_t)features->height;

	image->width = file->extended ? file->width : width;
	image->height = file->extended ? file->height : height;
	image->color = features->format == 2 ? WIRE_COLOR_RGB : WIRE_COLOR_YCBCR;
	image->depth = 8;
	image->orientation = file->orientation;
	bool covered = width == image->width && height == image->height;
	if (features->has_alpha || !covered || decode->frames > 1)
		image->flags |= WIRE_IMAGE_ALPHA;
	if (file->icc)
		image->flags |= WIRE_IMAGE_ICC;
	if (file->animated) {
		image->flags |= WIRE_IMAGE_ANIMATION;
		image->loops = file->loops;
	}
	image->channels = (image->flags & WIRE_IMAGE_ALPHA) != 0 ? 4 : 3;
	decode->plain = covered && decode->frames == 1;
}

/* What is asked for of the file, besides its first picture. */
static session_result look_ahead(struct decode *decode)
{
	const struct wire_request *request = session_request(decode->session);
	bool info = request->operation == WIRE_INFO;
	bool blob = session_wants_blob(decode->session, WIRE_BLOB_EXIF) ||
	            session_wants_blob(decode->session, WIRE_BLOB_XMP);
	bool behind = decode->file.has_exif || (decode->file.has_xmp && blob);
	bool wanted = behind || (decode->file.animated && (info || animation_wanted(decode->session)));
	uint32_t frames = 0;

	decode->image.frames = decode->file.animated ? 0 : 1;
	decode->frames = 1;
	/* Who asks for a block waits for it; others do not wait for the end of a pipe. */
	if (!wanted || (info && !blob && !(request->flags & WIRE_FINITE)))
		return WIRE_OK;
	session_result result = webp_look_ahead(&decode->file, &frames);
	if (decode->file.animated)
		decode->image.frames = frames > 1 ? frames : 1;
	if (animation_wanted(decode->session))
		decode->frames = decode->image.frames;
	return result;
}

/* Finds the first picture. */
static session_result find_first(struct decode *decode)
{
	struct webp_file *file = &decode->file;
	session_result result = webp_read_header(file);

	if (result == WIRE_OK && file->animated)
		result = webp_find_frame(file, file->first, &decode->picture);
	else if (result == WIRE_OK)
		result = webp_find_still(file, &decode->picture);
	if (result == WIRE_FAIL_ABSENT)
		result = WIRE_FAIL_STRUCTURE;
	if (result == WIRE_OK)
		result = read_features(decode);
	if (result == WIRE_OK && !file->animated && file->extended) {
		decode->picture.place.width = file->width;
		decode->picture.place.height = file->height;
	}
	return result == WIRE_OK && file->extended && !fits(decode) ? WIRE_FAIL_HEADER : result;
}

/* At most: libwebp holds a lossless picture besides, or the alpha of a lossy one. */
static uint64_t memory_needed(const struct decode *decode)
{
	uint64_t pixels = (uint64_t)decode->features.width * (uint64_t)decode->features.height;
	uint64_t needed = MEMORY_BESIDES + session_request(decode->session)->input_total +
	                  pixels * (decode->features.has_alpha ? 4 : 3);

	needed += (uint64_t)decode->features.width * 160;
	if (decode->features.format == 2)
		needed += pixels * 4;
	else if (decode->features.has_alpha)
		needed += pixels * 2;
	if (!decode->plain)
		needed += pixels + animation_memory(decode->session, &decode->image);
	return needed;
}

static session_result decode_file(struct decode *decode)
{
	struct wire_image *image = &decode->image;
	session_result result = find_first(decode);

	if (result == WIRE_OK)
		result = look_ahead(decode);
	if (result != WIRE_OK)
		return result;
	describe(decode);
	result = session_check_size(decode->session, image->width, image->height, 1);
	if (result != WIRE_OK)
		return result;
	session_needs(decode->session, memory_needed(decode));
	image->pixel_format = session_choose_format(decode->session, image);
	result = session_image(decode->session, image);
	if (result != WIRE_OK)
		return result;
	result = decode->plain ? decode_still(decode) : decode_frames(decode);
	/* A picture is complete although other frames, or damage to them, follow. */
	bool all = !decode->file.animated || decode->frames > 1;
	return result == WIRE_OK && all ? webp_check_end(&decode->file) : result;
}

static session_result decode_webp(struct session *session)
{
	struct decode decode = { .session = session, .file = { .session = session } };
	session_result result = decode_file(&decode);

	animation_close(&decode.animation);
	webp_close(&decode.file);
	return result;
}

/* ---- what must not be done for the first time after lock-down ---- */

/* libwebp looks at the processor when it first decodes. */
static void initialise(void)
{
	session_rehearse(&decoder, 0);
}

static const char *version(void)
{
	static char text[sizeof("255.255.255")];
	int number = WebPGetDecoderVersion();

	(void)snprintf(text, sizeof(text), "%d.%d.%d", number >> 16 & 255, number >> 8 & 255, number & 255);
	return text;
}

DECODER_SAMPLE(webp_sample, "samples/webp/lossy_alpha.webp");

const struct decoder decoder = {
	.name = "webp",
	.library = "libwebp",
	.version = version,
	.initialise = initialise,
	.decode = decode_webp,
	.sample = webp_sample,
	.sample_end = webp_sample_end,
};
