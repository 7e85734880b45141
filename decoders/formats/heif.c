/* SPDX-License-Identifier: MIT */
/*
 * HEIF with HEVC in it (HEIC), by libheif and libde265: the primary picture, of one or several tiles, with or without
 * alpha, cropped, turned and mirrored as the file says.
 *
 * pkg-config: libheif
 */
#include <libheif/heif.h>
#include <stdlib.h>
#include <string.h>

#include "decoders/picture/boxes.h"
#include "decoders/picture/exif_tags.h"
#include "decoders/picture/icc.h"
#include "decoders/picture/rows.h"
#include "decoders/runtime/input.h"
#include "decoders/runtime/rescue.h"
#include "decoders/runtime/single_thread.h"
#include "decoders/runtime/whole.h"

enum { MEMORY_BESIDES = 4 << 20 };

struct decode {
	struct session *session;
	struct whole whole;
	struct heif_context *context;
	struct heif_image_handle *handle;
	struct heif_image *pixels;
	struct wire_image image;
	enum pixels_layout layout;
	unsigned depth; /* bits of a sample that libheif gives */
	bool premultiplied;
};

SINGLE_THREAD_ONCE

/* libheif starts a thread of libde265's for each picture, which can do without. */
int de265_start_worker_threads(void *context, int count);
__attribute__((visibility("default"))) int de265_start_worker_threads(void *context, int count)
{
	(void)context;
	(void)count;
	return 0;
}

static enum wire_failure name_failure(const struct decode *decode, struct heif_error error)
{
	if (error.code == heif_error_Ok)
		return WIRE_OK;
	if (error.code == heif_error_Memory_allocation_error)
		return error.subcode == heif_suberror_Security_limit_exceeded ? WIRE_FAIL_UNSUPPORTED
		                                                              : WIRE_FAIL_LIMIT_MEMORY;
	if (error.subcode == heif_suberror_End_of_data || boxes_are_cut(decode->whole.data, decode->whole.size))
		return WIRE_FAIL_TRUNCATED;
	if (error.code == heif_error_Unsupported_filetype || error.code == heif_error_Unsupported_feature)
		return WIRE_FAIL_UNSUPPORTED;
	return error.code == heif_error_Decoder_plugin_error ? WIRE_FAIL_DATA : WIRE_FAIL_STRUCTURE;
}

static session_result open_file(struct decode *decode)
{
	decode->context = heif_context_alloc();
	if (!decode->context)
		return WIRE_FAIL_LIMIT_MEMORY;
	heif_context_set_max_decoding_threads(decode->context, 0);
	enum wire_failure failure =
	        name_failure(decode, heif_context_read_from_memory_without_copy(decode->context, decode->whole.data,
	                                                                        decode->whole.size, NULL));
	if (failure == WIRE_OK)
		failure = name_failure(decode, heif_context_get_primary_image_handle(decode->context, &decode->handle));
	return failure;
}

/* ---- what the picture says of itself ---- */

/* Nothing that is larger than what may be given is looked at. */
static uint8_t *room_for(const struct decode *decode, size_t size)
{
	return size > 0 && size <= session_request(decode->session)->max_metadata ? malloc(size) : NULL;
}

static void send_profile(const struct decode *decode)
{
	size_t size = heif_image_handle_get_raw_color_profile_size(decode->handle);
	uint8_t *profile = room_for(decode, size);

	if (profile && heif_image_handle_get_raw_color_profile(decode->handle, profile).code == heif_error_Ok)
		icc_send(decode->session, profile, size);
	free(profile);
}

/* The block begins with how far its TIFF header is from there on. */
static void send_exif(const struct decode *decode, const uint8_t *block, size_t size)
{
	enum { OFFSET = 4 };
	size_t start = size >= OFFSET ? OFFSET + (size_t)input_be32(block) : size;

	if (start < size)
		exif_send_prefixed(decode->session, block + start, size - start);
}

static void send_block(const struct decode *decode, heif_item_id id)
{
	const char *type = heif_image_handle_get_metadata_type(decode->handle, id);
	const char *content = heif_image_handle_get_metadata_content_type(decode->handle, id);
	bool exif = type && strcmp(type, "Exif") == 0;
	bool xmp = type && content && strcmp(type, "mime") == 0 && strcmp(content, "application/rdf+xml") == 0;
	size_t size = exif || xmp ? heif_image_handle_get_metadata_size(decode->handle, id) : 0;
	uint8_t *block = room_for(decode, size);

	if (block && heif_image_handle_get_metadata(decode->handle, id, block).code == heif_error_Ok) {
		if (exif)
			send_exif(decode, block, size);
		else
			session_blob(decode->session, WIRE_BLOB_XMP, block, size);
	}
	free(block);
}

static void send_metadata(const struct decode *decode)
{
	enum { BLOCKS_MOST = 16 };
	heif_item_id ids[BLOCKS_MOST];
	bool tags = session_wants_tags(decode->session);

	if (icc_is_wanted(decode->session))
		send_profile(decode);
	if (!tags && !session_wants_blob(decode->session, WIRE_BLOB_EXIF) &&
	    !session_wants_blob(decode->session, WIRE_BLOB_XMP))
		return;
	int count = heif_image_handle_get_list_of_metadata_block_IDs(decode->handle, NULL, ids, BLOCKS_MOST);
	for (int i = 0; i < count && i < BLOCKS_MOST; i++)
		send_block(decode, ids[i]);
}

static session_result announce(struct decode *decode)
{
	struct wire_image *image = &decode->image;
	int width = heif_image_handle_get_width(decode->handle), height = heif_image_handle_get_height(decode->handle);
	int depth = heif_image_handle_get_luma_bits_per_pixel(decode->handle);
	bool alpha = heif_image_handle_has_alpha_channel(decode->handle) != 0;

	if (width <= 0 || height <= 0)
		return WIRE_FAIL_HEADER;
	image->width = (uint32_t)width;
	image->height = (uint32_t)height;
	session_result result = session_check_size(decode->session, image->width, image->height, 1);
	if (result != WIRE_OK)
		return result;
	image->frames = 1;
	image->color = WIRE_COLOR_YCBCR;
	image->channels = alpha ? 4 : 3;
	image->depth = depth < 1 || depth > 16 ? 8 : (uint32_t)depth;
	image->flags = alpha ? WIRE_IMAGE_ALPHA : 0;
	enum heif_color_profile_type profile = heif_image_handle_get_color_profile_type(decode->handle);
	if (profile == heif_color_profile_type_rICC || profile == heif_color_profile_type_prof)
		image->flags |= WIRE_IMAGE_ICC;
	image->pixel_format = session_choose_format(decode->session, image);
	bool deep = image->depth > 8 && pixels_want_deep(image);
	decode->layout = pixels_layout_of(deep ? 2 : 1, true, alpha);
	decode->premultiplied = alpha && heif_image_handle_is_premultiplied_alpha(decode->handle) != 0;
	/* Planes, half of them for chroma, and what is made of them. */
	session_needs(decode->session, MEMORY_BESIDES + decode->whole.size +
	                                       (uint64_t)image->width * image->height *
	                                               (pixels_layout_bytes[decode->layout] + (deep ? 4U : 2U)));
	send_metadata(decode);
	return session_image(decode->session, image);
}

static session_result decode_pixels(struct decode *decode)
{
	static const uint8_t chromas[PIXELS_LAYOUTS] = {
		[PIXELS_RGB] = heif_chroma_interleaved_RGB,
		[PIXELS_RGBA] = heif_chroma_interleaved_RGBA,
		[PIXELS_RGB16] = heif_chroma_interleaved_RRGGBB_LE,
		[PIXELS_RGBA16] = heif_chroma_interleaved_RRGGBBAA_LE,
	};
	struct heif_decoding_options *options = heif_decoding_options_alloc();

	if (!options)
		return WIRE_FAIL_LIMIT_MEMORY;
	options->convert_hdr_to_8bit = decode->layout < PIXELS_GRAY16;
	struct heif_error error = heif_decode_image(decode->handle, &decode->pixels, heif_colorspace_RGB,
	                                            (enum heif_chroma)chromas[decode->layout], options);
	heif_decoding_options_free(options);
	if (error.code != heif_error_Ok)
		return name_failure(decode, error);
	int width = heif_image_get_width(decode->pixels, heif_channel_interleaved);
	int height = heif_image_get_height(decode->pixels, heif_channel_interleaved);
	int depth = heif_image_get_bits_per_pixel_range(decode->pixels, heif_channel_interleaved);
	bool deep = decode->layout >= PIXELS_GRAY16;
	if (width < 0 || height < 0 || (uint32_t)width != decode->image.width ||
	    (uint32_t)height != decode->image.height || depth > 16 || (deep ? depth < 9 : depth != 8))
		return WIRE_FAIL_STRUCTURE;
	decode->depth = (unsigned)depth;
	return WIRE_OK;
}

/* ---- rows ---- */

/* Widens samples to 16 bits. */
static void widen(uint16_t *samples, size_t count, unsigned depth)
{
	uint32_t most = (UINT32_C(1) << depth) - 1;

	for (size_t i = 0; i < count; i++) {
		uint32_t sample = samples[i] < most ? samples[i] : most;
		samples[i] = (uint16_t)((sample * UINT16_MAX + most / 2) / most);
	}
}

static uint32_t divide(uint32_t color, uint32_t alpha, uint32_t most)
{
	uint64_t straight = alpha > 0 ? ((uint64_t)color * most + alpha / 2) / alpha : 0;

	return straight < most ? (uint32_t)straight : most;
}

static void straighten(uint8_t *row, uint32_t width, bool deep)
{
	for (uint32_t x = 0; x < width; x++) {
		uint16_t *large = (uint16_t *)(void *)row + 4 * (size_t)x;
		uint8_t *small = row + 4 * (size_t)x;
		for (unsigned i = 0; i < 3; i++) {
			if (deep)
				large[i] = (uint16_t)divide(large[i], large[3], UINT16_MAX);
			else
				small[i] = (uint8_t)divide(small[i], small[3], UINT8_MAX);
		}
	}
}

static session_result send(struct decode *decode)
{
	int stride = 0;
	const uint8_t *from = heif_image_get_plane_readonly(decode->pixels, heif_channel_interleaved, &stride);
	bool deep = decode->layout >= PIXELS_GRAY16;
	size_t bytes = (size_t)decode->image.width * pixels_layout_bytes[decode->layout];
	session_result result = WIRE_OK;

	if (!from || stride < 0 || (size_t)stride < bytes)
		return WIRE_FAIL_STRUCTURE;
	if (!deep && !decode->premultiplied)
		return rows_send(decode->session, &decode->image, decode->layout, from, (size_t)stride,
		                 decode->image.height);
	uint8_t *row = malloc(bytes);
	if (!row)
		return WIRE_FAIL_LIMIT_MEMORY;
	for (uint32_t y = 0; result == WIRE_OK && y < decode->image.height; y++, from += stride) {
		memcpy(row, from, bytes);
		if (deep)
			widen((uint16_t *)(void *)row, bytes / sizeof(uint16_t), decode->depth);
		if (decode->premultiplied)
			straighten(row, decode->image.width, deep);
		result = rows_send(decode->session, &decode->image, decode->layout, row, 0, 1);
	}
	free(row);
	return result;
}

static session_result decode_file(void *context)
{
	struct decode *decode = context;
	session_result result = open_file(decode);

	if (result == WIRE_OK)
		result = announce(decode);
	if (result == WIRE_OK)
		result = session_frame(decode->session, 0);
	if (result == WIRE_OK)
		result = decode_pixels(decode);
	if (result == WIRE_OK)
		result = send(decode);
	heif_image_release(decode->pixels);
	heif_image_handle_release(decode->handle);
	heif_context_free(decode->context);
	return result;
}

static session_result heif_decode(struct session *session)
{
	struct decode decode = { .session = session };
	session_result result = whole_read(session, &decode.whole);

	if (result == WIRE_OK)
		result = rescue_run(decode_file, &decode);
	whole_free(&decode.whole);
	return result;
}

/* Where codecs are plug-ins, they are loaded here. */
static void heif_initialise(void)
{
	(void)heif_init(NULL);
}

const struct decoder decoder = {
	.name = "heif",
	.library = "libheif",
	.version = heif_get_version,
	.initialise = heif_initialise,
	.decode = heif_decode,
};
