/* SPDX-License-Identifier: MIT */
/*
 * JPEG XL, by libjxl: with or without the container, lossy and lossless, with or without alpha, animations, and JPEGs
 * in its dress.  Rows leave as soon as all of their pixels are final.
 *
 * pkg-config: libjxl
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decoders/picture/icc.h"
#include "decoders/runtime/rescue.h"
#include "jxl_decode.h"

enum { MEMORY_BESIDES = 4 << 20, PLANE_SAMPLE = 4 /* bytes that libjxl needs for each */ };

/* ---- the header ---- */

static bool is_float(const JxlBasicInfo *info)
{
	return info->exponent_bits_per_sample > 0;
}

static bool is_deep(const JxlBasicInfo *info)
{
	return info->bits_per_sample > 8 || is_float(info);
}

/* What functions that ask for a profile begin with: once they took a format, which they did not look at. */
#if JPEGXL_NUMERIC_VERSION >= JPEGXL_COMPUTE_NUMERIC_VERSION(0, 9, 0)
#define PROFILE_OF(decode) (decode)->jxl
#else
#define PROFILE_OF(decode) (decode)->jxl, NULL
#endif

static bool has_profile(const struct decode *decode)
{
	JxlColorEncoding encoding;

	return JxlDecoderGetColorAsEncodedProfile(PROFILE_OF(decode), JXL_COLOR_PROFILE_TARGET_ORIGINAL, &encoding) !=
	       JXL_DEC_SUCCESS;
}

static void send_profile(const struct decode *decode)
{
	size_t size = 0;

	if (!icc_is_wanted(decode->session))
		return;
	bool known = JxlDecoderGetICCProfileSize(PROFILE_OF(decode), JXL_COLOR_PROFILE_TARGET_ORIGINAL, &size) ==
	             JXL_DEC_SUCCESS;
	bool fits = known && size > 0 && size <= session_request(decode->session)->max_metadata;
	uint8_t *profile = fits ? malloc(size) : NULL;
	if (!profile)
		return;
	known = JxlDecoderGetColorAsICCProfile(PROFILE_OF(decode), JXL_COLOR_PROFILE_TARGET_ORIGINAL, profile, size) ==
	        JXL_DEC_SUCCESS;
	if (known)
		icc_send(decode->session, profile, size);
	free(profile);
}

/* Whether floats of what libjxl gives can be made linear light, which it is asked for. */
static bool can_be_light(struct decode *decode, bool gray)
{
	const JxlColorEncoding linear = {
		.color_space = gray ? JXL_COLOR_SPACE_GRAY : JXL_COLOR_SPACE_RGB,
		.white_point = JXL_WHITE_POINT_D65,
		.primaries = JXL_PRIMARIES_SRGB,
		.transfer_function = JXL_TRANSFER_FUNCTION_LINEAR,
		.rendering_intent = JXL_RENDERING_INTENT_RELATIVE,
	};
	JxlColorEncoding encoding;

	/* Only some files leave a choice. */
	(void)JxlDecoderSetPreferredColorProfile(decode->jxl, &linear);
	JxlDecoderStatus status =
	        JxlDecoderGetColorAsEncodedProfile(PROFILE_OF(decode), JXL_COLOR_PROFILE_TARGET_DATA, &encoding);
	if (status != JXL_DEC_SUCCESS)
		return false;
	decode->encoded = encoding.transfer_function == JXL_TRANSFER_FUNCTION_SRGB;
	return decode->encoded || encoding.transfer_function == JXL_TRANSFER_FUNCTION_LINEAR;
}

static session_result take_header(struct decode *decode)
{
	const JxlBasicInfo *info = &decode->info;

	if (JxlDecoderGetBasicInfo(decode->jxl, &decode->info) != JXL_DEC_SUCCESS)
		return WIRE_FAIL_HEADER;
	session_result result = session_check_size(decode->session, info->xsize, info->ysize, 1);
	if (result != WIRE_OK)
		return result;
	/* Where the planes alone are more than there is, nothing needs to be tried. */
	uint64_t planes = (uint64_t)info->num_color_channels + info->num_extra_channels;
	session_needs(decode->session,
	              MEMORY_BESIDES + (uint64_t)info->xsize * info->ysize * PLANE_SAMPLE * (planes + 1));
	return WIRE_OK;
}

static session_result announce(struct decode *decode)
{
	const JxlBasicInfo *info = &decode->info;
	struct wire_image *image = &decode->image;
	bool gray = info->num_color_channels == 1, alpha = info->alpha_bits > 0;

	image->width = info->xsize;
	image->height = info->ysize;
	image->frames = info->have_animation ? jxl_count_frames(decode) : 1;
	image->loops = info->have_animation ? info->animation.num_loops : 0;
	image->color = gray ? WIRE_COLOR_GRAY : WIRE_COLOR_RGB;
	image->channels = (gray ? 1U : 3U) + (alpha ? 1 : 0);
	image->depth = info->bits_per_sample < 1                       ? 1
	               : info->bits_per_sample > 16 && !is_float(info) ? 16
	                                                               : info->bits_per_sample;
	image->flags = (alpha ? WIRE_IMAGE_ALPHA : 0) | (has_profile(decode) ? WIRE_IMAGE_ICC : 0) |
	               (info->have_animation ? WIRE_IMAGE_ANIMATION : 0) | (is_float(info) ? WIRE_IMAGE_FLOAT : 0);
	image->pixel_format = session_choose_format(decode->session, image);
	bool floats = is_float(info) && pixels_want_floats(image) && can_be_light(decode, gray);
	decode->data_type = floats                                     ? JXL_TYPE_FLOAT
	                    : is_deep(info) && pixels_want_deep(image) ? JXL_TYPE_UINT16
	                                                               : JXL_TYPE_UINT8;
	decode->layout = pixels_layout_of(floats                                 ? sizeof(float)
	                                  : decode->data_type == JXL_TYPE_UINT16 ? 2
	                                                                         : 1,
	                                  !gray, alpha);
	/* libjxl makes a profile up for those that have none. */
	if (has_profile(decode))
		send_profile(decode);
	session_result result = session_image(decode->session, image);
	decode->announced = result == WIRE_OK;
	return result;
}

/* ---- frames ---- */

static session_result begin_frame(struct decode *decode)
{
	const JxlAnimationHeader *animation = &decode->info.animation;
	JxlFrameHeader header;
	double delay = 0;

	if (JxlDecoderGetFrameHeader(decode->jxl, &header) != JXL_DEC_SUCCESS)
		return WIRE_FAIL_HEADER;
	if (decode->info.have_animation && animation->tps_numerator > 0)
		delay = 1000.0 * header.duration * animation->tps_denominator / animation->tps_numerator + 0.5;
	return session_frame(decode->session, delay < UINT32_MAX ? (uint32_t)delay : 0);
}

static session_result want_pixels(struct decode *decode)
{
	const JxlPixelFormat format = {
		.num_channels =
		        (decode->info.num_color_channels == 1 ? 1U : 3U) + (decode->info.alpha_bits > 0 ? 1 : 0),
		.data_type = decode->data_type,
		.endianness = JXL_NATIVE_ENDIAN,
	};

	session_result result = jxl_begin_rows(decode);
	if (result != WIRE_OK)
		return result;
	return JxlDecoderSetImageOutCallback(decode->jxl, &format, jxl_take_pixels, decode) == JXL_DEC_SUCCESS
	               ? WIRE_OK
	               : WIRE_FAIL_UNSUPPORTED;
}

/* ---- the whole ---- */

/* What follows a codestream that has no container is no part of it.  In a container there may be anything. */
static session_result end_file(struct decode *decode)
{
	size_t left = JxlDecoderReleaseInput(decode->jxl);

	if (decode->info.have_container ||
	    (left == 0 && decode->input_given == decode->input_size && !session_has_more(decode->session)))
		return WIRE_OK;
	return session_flaw(decode->session, WIRE_NOTE_TRAILING, WIRE_FAIL_TRAILING);
}

/* What libjxl does not go on from. */
static session_result give_up(struct decode *decode, enum wire_failure failure)
{
	if (!decode->announced)
		return decode->info.xsize == 0 && failure == WIRE_FAIL_DATA ? WIRE_FAIL_HEADER : failure;
	return session_damage(decode->session, failure);
}

static session_result take_event(struct decode *decode, JxlDecoderStatus status)
{
	switch (status) {
	case JXL_DEC_NEED_MORE_INPUT:
		return jxl_feed(decode) ? WIRE_OK : give_up(decode, WIRE_FAIL_TRUNCATED);
	case JXL_DEC_BASIC_INFO:
		return take_header(decode);
	case JXL_DEC_COLOR_ENCODING:
		return announce(decode);
	case JXL_DEC_FRAME:
		return begin_frame(decode);
	case JXL_DEC_NEED_IMAGE_OUT_BUFFER:
		return want_pixels(decode);
	case JXL_DEC_FULL_IMAGE:
		return jxl_all_rows_sent(decode) ? WIRE_OK : give_up(decode, WIRE_FAIL_DATA);
	case JXL_DEC_SUCCESS:
		decode->ended = true;
		return decode->announced ? end_file(decode) : WIRE_FAIL_STRUCTURE;
	default:
		return give_up(decode, WIRE_FAIL_DATA);
	}
}

static session_result decode_file(void *context)
{
	struct decode *decode = context;
	const int events = JXL_DEC_BASIC_INFO | JXL_DEC_COLOR_ENCODING | JXL_DEC_FRAME | JXL_DEC_FULL_IMAGE;

	decode->jxl = JxlDecoderCreate(NULL);
	if (!decode->jxl)
		return WIRE_FAIL_LIMIT_MEMORY;
	session_result result = WIRE_OK;
	if (JxlDecoderSubscribeEvents(decode->jxl, events) != JXL_DEC_SUCCESS ||
	    JxlDecoderSetUnpremultiplyAlpha(decode->jxl, JXL_TRUE) != JXL_DEC_SUCCESS)
		result = WIRE_FAIL_UNSUPPORTED;
	while (result == WIRE_OK && !decode->ended) {
		JxlDecoderStatus status = JxlDecoderProcessInput(decode->jxl);
		/* What the rows met with comes before what libjxl makes of it. */
		result = decode->rows_result != WIRE_OK ? decode->rows_result : take_event(decode, status);
	}
	jxl_end_rows(decode);
	JxlDecoderDestroy(decode->jxl);
	free(decode->input);
	return result;
}

static session_result jxl_decode(struct session *session)
{
	struct decode decode = { .session = session };

	return rescue_run(decode_file, &decode);
}

/* libjxl writes to standard error of what it finds odd, and nobody is there. */
static void jxl_initialise(void)
{
	static char room[BUFSIZ];
	FILE *nowhere = fopencookie(NULL, "w", (cookie_io_functions_t){ 0 });

	if (nowhere && setvbuf(nowhere, room, _IOFBF, sizeof(room)) == 0)
		stderr = nowhere;
}

static const char *jxl_version(void)
{
	static char text[16];
	uint32_t version = JxlDecoderVersion();

	(void)snprintf(text, sizeof(text), "%u.%u.%u", version / 1000000, version / 1000 % 1000, version % 1000);
	return text;
}

const struct decoder decoder = {
	.name = "jxl",
	.library = "libjxl",
	.version = jxl_version,
	.initialise = jxl_initialise,
	.decode = jxl_decode,
};
