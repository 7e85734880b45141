/* SPDX-License-Identifier: MIT */
/*
 * AVIF, by libavif and its fastest decoder of AV1, dav1d: stills of one or several tiles, with or without alpha, and
 * sequences.  Clean apertures, rotations and mirrors are applied, as the format wants it.
 *
 * pkg-config: libavif
 */
#include <stdlib.h>

#include "avif_decode.h"
#include "decoders/picture/boxes.h"
#include "decoders/picture/exif_tags.h"
#include "decoders/picture/icc.h"
#include "decoders/runtime/rescue.h"
#include "decoders/runtime/single_thread.h"

SINGLE_THREAD_ONCE

enum { MEMORY_BESIDES = 2 << 20 }; /* what dav1d has, whatever the size */

/* ---- libavif ---- */

static enum wire_failure name_failure(const struct decode *decode, avifResult result)
{
	switch (result) {
	case AVIF_RESULT_OUT_OF_MEMORY:
		return WIRE_FAIL_LIMIT_MEMORY;
	case AVIF_RESULT_TRUNCATED_DATA:
	case AVIF_RESULT_IO_ERROR:
		return WIRE_FAIL_TRUNCATED;
	case AVIF_RESULT_INVALID_FTYP:
		return WIRE_FAIL_SIGNATURE;
	case AVIF_RESULT_UNSUPPORTED_DEPTH:
	case AVIF_RESULT_NOT_IMPLEMENTED:
	case AVIF_RESULT_NO_CODEC_AVAILABLE:
	case AVIF_RESULT_REFORMAT_FAILED:
		return WIRE_FAIL_UNSUPPORTED;
	case AVIF_RESULT_DECODE_COLOR_FAILED:
	case AVIF_RESULT_DECODE_ALPHA_FAILED:
		return WIRE_FAIL_DATA;
	default:
		return boxes_are_cut(decode->whole.data, decode->whole.size) ? WIRE_FAIL_TRUNCATED
		                                                             : WIRE_FAIL_STRUCTURE;
	}
}

/* Strict is what nobody else is: files of old encoders lack properties that nothing needs. */
static session_result open_file(struct decode *decode)
{
	decode->decoder = avifDecoderCreate();
	if (!decode->decoder)
		return WIRE_FAIL_LIMIT_MEMORY;
	if (avifCodecName(AVIF_CODEC_CHOICE_DAV1D, AVIF_CODEC_FLAG_CAN_DECODE))
		decode->decoder->codecChoice = AVIF_CODEC_CHOICE_DAV1D;
	decode->decoder->maxThreads = 1;
	bool tags = session_wants_tags(decode->session);
	decode->decoder->ignoreExif = !tags && !session_wants_blob(decode->session, WIRE_BLOB_EXIF);
	decode->decoder->ignoreXMP = !session_wants_blob(decode->session, WIRE_BLOB_XMP);
	decode->decoder->strictFlags = AVIF_STRICT_DISABLED;
	decode->decoder->imageDimensionLimit = 0; /* the session's is asked */
	avifResult result = avifDecoderSetIOMemory(decode->decoder, decode->whole.data, decode->whole.size);
	if (result == AVIF_RESULT_OK)
		result = avifDecoderParse(decode->decoder);
	return result == AVIF_RESULT_OK ? WIRE_OK : name_failure(decode, result);
}

/* ---- the header ---- */

static uint64_t estimate_memory(const avifDecoder *file)
{
	uint64_t samples = (uint64_t)file->image->width * file->image->height;
	uint64_t bytes = file->image->depth > 8 ? 2 : 1;
	uint64_t halves = file->image->yuvFormat == AVIF_PIXEL_FORMAT_YUV444   ? 6
	                  : file->image->yuvFormat == AVIF_PIXEL_FORMAT_YUV422 ? 4
	                  : file->image->yuvFormat == AVIF_PIXEL_FORMAT_YUV420 ? 3
	                                                                       : 2;

	return samples * bytes * (halves + (file->alphaPresent ? 2 : 0)) / 2;
}

static void send_metadata(const struct decode *decode)
{
	const avifImage *image = decode->decoder->image;

	if (image->icc.size > 0)
		icc_send(decode->session, image->icc.data, image->icc.size);
	if (image->exif.size > 0)
		exif_send_prefixed(decode->session, image->exif.data, image->exif.size);
	session_blob(decode->session, WIRE_BLOB_XMP, image->xmp.data, image->xmp.size);
}

static session_result announce(struct decode *decode)
{
	const avifDecoder *file = decode->decoder;
	struct wire_image *image = &decode->image;
	bool gray = file->image->yuvFormat == AVIF_PIXEL_FORMAT_YUV400;
	uint32_t frames = file->imageCount > 0 ? (uint32_t)file->imageCount : 1;

	/* What is cut off is decoded, too. */
	session_result result = session_check_size(decode->session, file->image->width, file->image->height, 1);
	if (result != WIRE_OK)
		return result;
	session_needs(decode->session, MEMORY_BESIDES + decode->whole.size + estimate_memory(file));
	avif_place(decode);
	image->frames = frames;
	image->color = gray                                                                   ? WIRE_COLOR_GRAY
	               : file->image->matrixCoefficients == AVIF_MATRIX_COEFFICIENTS_IDENTITY ? WIRE_COLOR_RGB
	                                                                                      : WIRE_COLOR_YCBCR;
	image->channels = (gray ? 1U : 3U) + (file->alphaPresent ? 1 : 0);
	image->depth = file->image->depth;
	image->flags = (file->alphaPresent ? WIRE_IMAGE_ALPHA : 0) | (file->image->icc.size > 0 ? WIRE_IMAGE_ICC : 0) |
	               (file->progressiveState != AVIF_PROGRESSIVE_STATE_UNAVAILABLE ? WIRE_IMAGE_PROGRESSIVE : 0) |
	               (frames > 1 ? WIRE_IMAGE_ANIMATION : 0);
	if (image->depth < 1 || image->depth > 16)
		return WIRE_FAIL_UNSUPPORTED;
	image->pixel_format = session_choose_format(decode->session, image);
	send_metadata(decode);
	return session_image(decode->session, image);
}

/* ---- frames ---- */

/* In milliseconds; nobody knows what a file says. */
static uint32_t frame_delay(const avifDecoder *file, uint32_t index)
{
	avifImageTiming timing = { 0 };

	if (file->imageCount < 2 || avifDecoderNthImageTiming(file, index, &timing) != AVIF_RESULT_OK)
		return 0;
	double delay = timing.duration * 1000;
	return delay >= 0 && delay < UINT32_MAX ? (uint32_t)(delay + 0.5) : 0;
}

static session_result decode_frame(struct decode *decode, uint32_t index)
{
	session_result result = session_frame(decode->session, frame_delay(decode->decoder, index));

	if (result != WIRE_OK)
		return result;
	avifResult decoded = avifDecoderNextImage(decode->decoder);
	enum wire_failure failure = decoded == AVIF_RESULT_OK ? WIRE_OK : name_failure(decode, decoded);
	if (failure == WIRE_OK && !avif_is_as_announced(decode))
		failure = WIRE_FAIL_STRUCTURE;
	if (failure == WIRE_FAIL_LIMIT_MEMORY || (failure != WIRE_OK && index == 0))
		return failure; /* nothing was sent that could be kept */
	if (failure != WIRE_OK)
		return session_damage(decode->session, failure);
	return avif_send(decode);
}

static session_result decode_file(void *context)
{
	struct decode *decode = context;
	session_result result = open_file(decode);

	if (result == WIRE_OK)
		result = announce(decode);
	for (uint32_t i = 0; result == WIRE_OK && i < decode->image.frames; i++)
		result = decode_frame(decode, i);
	free(decode->band);
	free(decode->row);
	if (decode->decoder)
		avifDecoderDestroy(decode->decoder);
	return result;
}

static session_result avif_decode(struct session *session)
{
	struct decode decode = { .session = session };
	session_result result = whole_read(session, &decode.whole);

	if (result == WIRE_OK)
		result = rescue_run(decode_file, &decode);
	whole_free(&decode.whole);
	return result;
}

const struct decoder decoder = {
	.name = "avif",
	.library = "libavif",
	.version = avifVersion,
	.decode = avif_decode,
};
