/* SPDX-License-Identifier: MIT */
#include "gif_blocks.h"

#include <string.h>

#include "gif_lzw.h"

enum {
	SIGNATURE_SIZE = 6,
	SCREEN_SIZE = 7,
	IMAGE_SIZE = 9,
	CONTROL_SIZE = 4,
	APPLICATION_SIZE = 11,
	LOOPS_SIZE = 3,
	/* first bytes of blocks, and kinds of extensions */
	EXTENSION = 0x21,
	IMAGE = 0x2c,
	TRAILER = 0x3b,
	CONTROL = 0xf9,
	APPLICATION = 0xff,
	/* bits */
	HAS_PALETTE = 0x80,
	INTERLACED = 0x40,
	PALETTE_BITS = 7,
	TRANSPARENT = 1,
	DISPOSE_SHIFT = 2,
	DISPOSE_BITS = 7,
	/* a hundredth of a second */
	DELAY_UNIT = 10,
	BLOCK_MAX = 255,
	OPAQUE = 255,
};

/* Returns false where the input ends. */
static bool read_palette(struct gif_file *gif, gif_palette palette, unsigned flags)
{
	uint8_t colors[GIF_COLORS][3];
	size_t count = (size_t)2 << (flags & PALETTE_BITS);

	for (size_t i = 0; i < GIF_COLORS; i++)
		memcpy(palette[i], "\0\0\0\xff", GIF_PIXEL_BYTES);
	if (!(flags & HAS_PALETTE))
		return true;
	if (input_take(&gif->input, colors, count * 3) < count * 3)
		return false;
	for (size_t i = 0; i < count; i++)
		memcpy(palette[i], colors[i], 3);
	return true;
}

static void reset_control(struct gif_file *gif)
{
	gif->delay = 0;
	gif->transparent = -1;
	gif->dispose = COMPOSITOR_KEEP;
}

session_result gif_read_header(struct gif_file *gif)
{
	uint8_t header[SIGNATURE_SIZE + SCREEN_SIZE];
	size_t size = input_take(&gif->input, header, sizeof(header));

	if (memcmp(header, "GIF87a", size < 4 ? size : 4) != 0)
		return WIRE_FAIL_SIGNATURE;
	if (size < sizeof(header))
		return WIRE_FAIL_TRUNCATED;
	if (memcmp(header, "GIF87a", SIGNATURE_SIZE) != 0 && memcmp(header, "GIF89a", SIGNATURE_SIZE) != 0)
		return WIRE_FAIL_HEADER;
	const uint8_t *screen = header + SIGNATURE_SIZE;
	gif->width = input_le16(screen);
	gif->height = input_le16(screen + 2);
	gif->loops = 1;
	reset_control(gif);
	return read_palette(gif, gif->palette, screen[4]) ? WIRE_OK : WIRE_FAIL_TRUNCATED;
}

/* ---- extensions ---- */

/* One block of data into `block`, which has room for BLOCK_MAX bytes.  Returns its size, or -1 where the input ends. */
static int read_block(struct gif_file *gif, uint8_t *block)
{
	uint8_t size = 0;

	if (input_take(&gif->input, &size, 1) == 0 || input_take(&gif->input, block, size) < size)
		return -1;
	return size;
}

static void take_control(struct gif_file *gif, const uint8_t *block)
{
	/* Some take the method for a number, some for a bit. */
	static const enum compositor_dispose methods[DISPOSE_BITS + 1] = {
		[2] = COMPOSITOR_CLEAR,
		[3] = COMPOSITOR_RESTORE,
		[4] = COMPOSITOR_RESTORE,
	};

	gif->dispose = methods[block[0] >> DISPOSE_SHIFT & DISPOSE_BITS];
	gif->delay = (uint32_t)input_le16(block + 1) * DELAY_UNIT;
	gif->transparent = (block[0] & TRANSPARENT) != 0 ? block[3] : -1;
}

/* Returns whether the block after it tells how often to loop. */
static bool take_application(struct gif_file *gif, const uint8_t *name)
{
	if (memcmp(name, "ICCRGBG1012", APPLICATION_SIZE) == 0)
		gif->icc = true;
	return memcmp(name, "NETSCAPE2.0", APPLICATION_SIZE) == 0 || memcmp(name, "ANIMEXTS1.0", APPLICATION_SIZE) == 0;
}

/* Returns false where the input ends. */
static bool read_extension(struct gif_file *gif)
{
	uint8_t kind = 0, block[BLOCK_MAX];

	if (input_take(&gif->input, &kind, 1) == 0)
		return false;
	int size = read_block(gif, block);
	if (kind == CONTROL && size >= CONTROL_SIZE)
		take_control(gif, block);
	if (kind == APPLICATION && size == APPLICATION_SIZE && take_application(gif, block)) {
		size = read_block(gif, block);
		if (size >= LOOPS_SIZE && block[0] == 1)
			gif->loops = input_le16(block + 1);
	}
	return size == 0 || (size > 0 && gif_skip_blocks(&gif->input));
}

/* ---- frames ---- */

/* Returns false where the input ends. */
static bool read_image(struct gif_file *gif, struct gif_frame *frame)
{
	uint8_t image[IMAGE_SIZE];

	if (input_take(&gif->input, image, sizeof(image)) < sizeof(image))
		return false;
	unsigned flags = image[8];
	*frame = (struct gif_frame){
		.place = { .x = input_le16(image),
		           .y = input_le16(image + 2),
		           .width = input_le16(image + 4),
		           .height = input_le16(image + 6),
		           .over = true,
		           .dispose = gif->dispose },
		.delay = gif->delay,
		.interlaced = (flags & INTERLACED) != 0,
		.transparent = gif->transparent >= 0,
	};
	memcpy(frame->palette, gif->palette, sizeof(frame->palette));
	if ((flags & HAS_PALETTE) != 0 && !read_palette(gif, frame->palette, flags))
		return false;
	if (gif->transparent >= 0)
		memset(frame->palette[gif->transparent], 0, GIF_PIXEL_BYTES);
	reset_control(gif);
	return true;
}

enum gif_next gif_read_frame(struct gif_file *gif, struct gif_frame *frame)
{
	uint8_t kind = 0;

	while (input_take(&gif->input, &kind, 1) > 0) {
		if (kind == TRAILER)
			return GIF_TRAILER;
		if (kind == IMAGE)
			return read_image(gif, frame) ? GIF_FRAME : GIF_CUT;
		/* Browsers pass over empty blocks where there should be none. */
		if (kind != EXTENSION && kind != 0)
			return GIF_GARBAGE;
		if (kind == EXTENSION && !read_extension(gif))
			return GIF_CUT;
	}
	return GIF_CUT;
}

uint32_t gif_count_frames(struct gif_file *gif)
{
	struct gif_frame frame;
	uint32_t count = 0;
	uint8_t literal_bits = 0;

	while (count < UINT32_MAX && gif_read_frame(gif, &frame) == GIF_FRAME) {
		count++;
		if (input_take(&gif->input, &literal_bits, 1) == 0 || !gif_skip_blocks(&gif->input))
			break;
	}
	return count;
}
