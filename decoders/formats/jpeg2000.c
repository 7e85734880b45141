/* SPDX-License-Identifier: MIT */
/*
 * JPEG 2000, by OpenJPEG: JP2 files and bare codestreams.
 *
 * The library sees the codestream alone; the boxes around it, palettes and what the components mean are dealt with
 * here, row by row, and without the memory that it takes there.
 *
 * pkg-config: libopenjp2
 */
#include <stdlib.h>
#include <string.h>

#include "jpeg2000_decode.h"

enum {
	STREAM_SIZE = 64 << 10,
	MEMORY_BESIDES = 512 << 10,
};

/* ---- what the library calls ---- */

static OPJ_SIZE_T read_next(void *to, OPJ_SIZE_T size, void *context)
{
	struct decode *decode = context;
	uint64_t left = decode->boxes->size - decode->position;

	if (left == 0) {
		decode->past_end = true;
		return (OPJ_SIZE_T)-1;
	}
	if (size > left)
		size = (OPJ_SIZE_T)left;
	memcpy(to, decode->input.data + decode->boxes->start + decode->position, size);
	decode->position += size;
	return size;
}

static OPJ_OFF_T skip(OPJ_OFF_T size, void *context)
{
	struct decode *decode = context;
	uint64_t left = decode->boxes->size - decode->position;

	if (size < 0 || (uint64_t)size > left) {
		decode->past_end = true;
		decode->position = decode->boxes->size;
		return -1;
	}
	decode->position += (uint64_t)size;
	return size;
}

static OPJ_BOOL seek(OPJ_OFF_T to, void *context)
{
	struct decode *decode = context;

	if (to < 0 || (uint64_t)to > decode->boxes->size)
		return OPJ_FALSE;
	decode->position = (uint64_t)to;
	return OPJ_TRUE;
}

/* The library says what is wrong in words alone. */
static void complain(const char *message, void *context)
{
	static const struct {
		const char *words;
		enum wire_failure failure;
	} named[] = {
		{ "emory", WIRE_FAIL_LIMIT_MEMORY },      { "too short", WIRE_FAIL_TRUNCATED },
		{ "truncated", WIRE_FAIL_TRUNCATED },     { "inconsistent with stream length", WIRE_FAIL_TRUNCATED },
		{ "unsupported", WIRE_FAIL_UNSUPPORTED }, { "not supported", WIRE_FAIL_UNSUPPORTED },
	};
	struct decode *decode = context;

	for (size_t i = 0; i < sizeof(named) / sizeof(named[0]) && decode->complaint == WIRE_OK; i++)
		if (strstr(message, named[i].words))
			decode->complaint = named[i].failure;
}

static void warn(const char *message, void *context)
{
	struct decode *decode = context;

	(void)message;
	session_note(decode->session, WIRE_NOTE_WARNINGS);
}

static void ignore(const char *message, void *context)
{
	(void)message;
	(void)context;
}

static enum wire_failure name_failure(const struct decode *decode, enum wire_failure otherwise)
{
	if (decode->complaint != WIRE_OK)
		return decode->complaint;
	return decode->past_end ? WIRE_FAIL_TRUNCATED : otherwise;
}

/* ---- set-up ---- */

static session_result create(struct decode *decode)
{
	opj_dparameters_t parameters;

	decode->codec = opj_create_decompress(OPJ_CODEC_J2K);
	decode->stream = opj_stream_create(STREAM_SIZE, OPJ_TRUE);
	if (!decode->codec || !decode->stream)
		return WIRE_FAIL_LIMIT_MEMORY;
	(void)opj_set_info_handler(decode->codec, ignore, decode);
	(void)opj_set_warning_handler(decode->codec, warn, decode);
	(void)opj_set_error_handler(decode->codec, complain, decode);
	opj_stream_set_read_function(decode->stream, read_next);
	opj_stream_set_skip_function(decode->stream, skip);
	opj_stream_set_seek_function(decode->stream, seek);
	opj_stream_set_user_data(decode->stream, decode, NULL);
	opj_stream_set_user_data_length(decode->stream, decode->boxes->size);
	opj_set_default_decoder_parameters(&parameters);
	return opj_setup_decoder(decode->codec, &parameters) ? WIRE_OK : WIRE_FAIL_LIMIT_MEMORY;
}

/* How often the picture can be halved without decoding it whole: as all its components say, and where its grid begins
 * with a whole pixel of the smaller one. */
static unsigned count_levels(struct decode *decode)
{
	opj_codestream_info_v2_t *info = opj_get_cstr_info(decode->codec);
	unsigned levels = 0;

	if (info && decode->picture->x0 == 0 && decode->picture->y0 == 0 && info->m_default_tile_info.tccp_info) {
		levels = UINT32_MAX;
		for (OPJ_UINT32 i = 0; i < info->nbcomps; i++) {
			unsigned resolutions = info->m_default_tile_info.tccp_info[i].numresolutions;
			if (resolutions == 0 || resolutions - 1 < levels)
				levels = resolutions > 0 ? resolutions - 1 : 0;
		}
	}
	if (info)
		opj_destroy_cstr_info(&info);
	return levels;
}

static session_result choose_reduction(struct decode *decode)
{
	struct wire_image *image = &decode->image;
	unsigned levels = count_levels(decode);
	uint32_t reduction = session_take_scale(decode->session, image->width, image->height, 0,
	                                        UINT32_C(1) << (levels < 3 ? levels : 3));

	session_takes_corners(decode->session); /* of a wavelet, the low band */
	while (UINT32_C(1) << decode->reduce < reduction)
		decode->reduce++;
	image->width = (image->width + reduction - 1) / reduction;
	image->height = (image->height + reduction - 1) / reduction;
	return decode->reduce == 0 || opj_set_decoded_resolution_factor(decode->codec, decode->reduce) ? WIRE_OK
	                                                                                               : WIRE_FAIL_DATA;
}

static void tell_needs(const struct decode *decode)
{
	enum { COPIES = 2 }; /* of a tile, besides the picture */
	uint64_t samples = (uint64_t)decode->image.width * decode->image.height * decode->picture->numcomps, needs = 0;

	if (!__builtin_mul_overflow(samples, COPIES * sizeof(OPJ_INT32), &needs) &&
	    !__builtin_add_overflow(needs, 2 * decode->input.size + MEMORY_BESIDES, &needs))
		session_needs(decode->session, needs);
}

static session_result announce(struct decode *decode)
{
	struct wire_image *image = &decode->image;
	session_result result = j2k_describe(decode);

	if (result != WIRE_OK)
		return result;
	result = choose_reduction(decode);
	if (result != WIRE_OK)
		return result;
	tell_needs(decode);
	image->pixel_format = session_choose_format(decode->session, image);
	result = session_image(decode->session, image);
	return result == WIRE_OK ? session_frame(decode->session, 0) : result;
}

/* ---- the whole ---- */

/* The library takes a codestream that ends between two tiles for complete. */
static bool has_end(const struct decode *decode)
{
	const uint8_t *end = decode->input.data + decode->boxes->start + decode->boxes->size;

	return !decode->past_end || (end[-2] == 0xff && end[-1] == 0xd9);
}

static session_result decode_picture(struct decode *decode)
{
	session_result result = j2k_read_boxes(decode);

	if (result == WIRE_OK)
		result = create(decode);
	if (result != WIRE_OK)
		return result;
	if (!opj_read_header(decode->stream, decode->codec, &decode->picture))
		return name_failure(decode, WIRE_FAIL_HEADER);
	result = announce(decode);
	if (result != WIRE_OK)
		return result;
	if (!opj_decode(decode->codec, decode->stream, decode->picture)) {
		enum wire_failure failure = name_failure(decode, WIRE_FAIL_DATA);
		return failure < WIRE_FAIL_UNSUPPORTED ? session_damage(decode->session, failure) : failure;
	}
	result = j2k_send_rows(decode);
	if (result == WIRE_OK && !has_end(decode))
		result = session_flaw(decode->session, WIRE_NOTE_END, WIRE_FAIL_TRUNCATED);
	return result;
}

static session_result decode_jpeg2000(struct session *session)
{
	struct decode decode = { .session = session };
	session_result result = whole_read(session, &decode.input);

	decode.boxes = calloc(1, sizeof(*decode.boxes));
	if (!decode.boxes)
		result = WIRE_FAIL_LIMIT_MEMORY;
	if (result == WIRE_OK)
		result = decode_picture(&decode);
	if (decode.picture)
		opj_image_destroy(decode.picture);
	if (decode.stream)
		opj_stream_destroy(decode.stream);
	if (decode.codec)
		opj_destroy_codec(decode.codec);
	free(decode.boxes);
	whole_free(&decode.input);
	return result;
}

static void initialise(void)
{
	session_rehearse(&decoder, 0);
}

DECODER_SAMPLE(sample, "samples/jpeg2000/hippopotamus.jp2");

const struct decoder decoder = {
	.name = "jpeg2000",
	.library = "OpenJPEG",
	.version = opj_version,
	.initialise = initialise,
	.decode = decode_jpeg2000,
	.sample = sample,
	.sample_end = sample_end,
};
