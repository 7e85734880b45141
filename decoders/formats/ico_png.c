/* SPDX-License-Identifier: MIT */
#include "ico_png.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

bool icon_png_is_one(const uint8_t *data, size_t size)
{
	return size >= 8 && png_sig_cmp(data, 0, 8) == 0;
}

/* ---- what libpng calls ---- */

static png_voidp allocate(png_structp png, png_alloc_size_t size)
{
	struct icon_png *icon = png_get_mem_ptr(png);
	void *memory = malloc(size);

	if (!memory)
		icon->failure = WIRE_FAIL_LIMIT_MEMORY;
	return memory;
}

static void release(png_structp png, png_voidp memory)
{
	(void)png;
	free(memory);
}

static void complain(png_structp png, png_const_charp message)
{
	struct icon_png *icon = png_get_error_ptr(png);

	if (icon->failure == WIRE_OK)
		icon->failure = strstr(message, "CRC error") || strstr(message, "incorrect data check")
		                        ? WIRE_FAIL_CHECKSUM
		                : strstr(message, "IHDR") ? WIRE_FAIL_HEADER
		                                          : WIRE_FAIL_DATA;
	png_longjmp(png, 1);
}

static void warn(png_structp png, png_const_charp message)
{
	struct icon_png *icon = png_get_error_ptr(png);

	(void)message;
	session_note(icon->session, WIRE_NOTE_WARNINGS);
}

static void read_data(png_structp png, png_bytep to, size_t size)
{
	struct icon_png *icon = png_get_io_ptr(png);

	if (size > icon->left) {
		icon->failure = WIRE_FAIL_TRUNCATED;
		png_error(png, "");
	}
	memcpy(to, icon->data, size);
	icon->data += size;
	icon->left -= size;
}

/* ---- the picture ---- */

/* May jump. */
static void configure(struct icon_png *icon)
{
	/* Nothing of these changes a pixel, and some can be compressed: none is parsed. */
	static const png_byte ignored[] = "bKGD\0cHRM\0eXIf\0gAMA\0hIST\0iTXt\0oFFs\0pCAL\0pHYs\0sBIT\0sCAL\0sPLT\0"
	                                  "sRGB\0tEXt\0tIME\0zTXt";
	uint32_t most = session_request(icon->session)->max_metadata;

	png_set_read_fn(icon->png, icon, read_data);
	png_set_user_limits(icon->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
	png_set_chunk_malloc_max(icon->png, most > 0 ? most : 1); /* 0 is no limit to libpng */
	png_set_keep_unknown_chunks(icon->png, PNG_HANDLE_CHUNK_NEVER, ignored, sizeof(ignored) / 5);
}

static void describe(struct icon_png *icon)
{
	int type = png_get_color_type(icon->png, icon->info);
	bool palette = type == PNG_COLOR_TYPE_PALETTE;
	uint32_t depth = png_get_bit_depth(icon->png, icon->info);

	icon->width = png_get_image_width(icon->png, icon->info);
	icon->height = png_get_image_height(icon->png, icon->info);
	icon->color = palette                              ? WIRE_COLOR_PALETTE
	              : (type & PNG_COLOR_MASK_COLOR) != 0 ? WIRE_COLOR_RGB
	                                                   : WIRE_COLOR_GRAY;
	icon->depth = palette || depth > 8 ? 8 : depth; /* more are not kept */
	icon->alpha = (type & PNG_COLOR_MASK_ALPHA) != 0 || png_get_valid(icon->png, icon->info, PNG_INFO_tRNS) != 0;
	icon->channels = (icon->color == WIRE_COLOR_GRAY ? 1U : 3U) + (icon->alpha ? 1U : 0U);
	icon->icc = png_get_valid(icon->png, icon->info, PNG_INFO_iCCP) != 0;
	icon->layout = icon->alpha ? PIXELS_RGBA : PIXELS_RGB;
}

/* Apart, because what changes between setjmp() and the jump must not be a local of the function that calls it. */
static session_result open_guarded(struct icon_png *icon)
{
	if (setjmp(png_jmpbuf(icon->png)) != 0)
		return icon->failure;
	configure(icon);
	png_read_info(icon->png, icon->info);
	describe(icon);
	return WIRE_OK;
}

session_result icon_png_open(struct icon_png *icon, struct session *session, const uint8_t *data, size_t size)
{
	*icon = (struct icon_png){ .session = session, .data = data, .left = size };
	icon->png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, icon, complain, warn, icon, allocate, release);
	if (icon->png)
		icon->info = png_create_info_struct(icon->png);
	return icon->info ? open_guarded(icon) : WIRE_FAIL_LIMIT_MEMORY;
}

static session_result read_guarded(struct icon_png *icon)
{
	size_t size = 0;

	if (setjmp(png_jmpbuf(icon->png)) != 0)
		return icon->failure;
	png_set_expand(icon->png);
	png_set_scale_16(icon->png);
	png_set_gray_to_rgb(icon->png);
	int passes = png_set_interlace_handling(icon->png);
	png_read_update_info(icon->png, icon->info);
	icon->stride = png_get_rowbytes(icon->png, icon->info);
	/* Anything else would be read as other pixels. */
	if (icon->stride != (size_t)icon->width * pixels_layout_bytes[icon->layout])
		return WIRE_FAIL_STRUCTURE;
	if (__builtin_mul_overflow(icon->stride, icon->height, &size))
		return WIRE_FAIL_LIMIT_MEMORY;
	icon->pixels = calloc(size, 1);
	if (!icon->pixels)
		return WIRE_FAIL_LIMIT_MEMORY;
	for (int pass = 0; pass < passes; pass++)
		for (uint32_t y = 0; y < icon->height; y++)
			png_read_row(icon->png, icon->pixels + y * icon->stride, NULL);
	return WIRE_OK;
}

session_result icon_png_read(struct icon_png *icon)
{
	return read_guarded(icon);
}

void icon_png_close(struct icon_png *icon)
{
	png_destroy_read_struct(&icon->png, &icon->info, NULL);
	free(icon->pixels);
	icon->pixels = NULL;
}
