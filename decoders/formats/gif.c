/* SPDX-License-Identifier: MIT */
/*
 * GIF, as browsers show it: what a frame does not cover is transparent whatever the background, a first frame that
 * reaches beyond the screen makes that larger, and later ones are cut.
 *
 * pkg-config: none
 */
#include <stdlib.h>
#include <string.h>

#include "decoders/picture/animation.h"
#include "gif_blocks.h"
#include "gif_lzw.h"

enum { MEMORY_BESIDES = 16 << 10, PASSES = 4 };

struct decode {
	struct session *session;
	struct gif_file file;
	struct gif_frame frame;
	struct wire_image image;

	struct animation animation;
	uint8_t *row; /* of a frame */

	uint8_t *indices;    /* of an interlaced frame */
	uint32_t rows_known; /* of it, from the top, if only coarsely */
	unsigned pass;
	uint32_t pass_row;

	struct gif_lzw lzw;
};

/* ---- rows ---- */

/* Rows of the frame from the top down. */
static session_result draw_rows(struct decode *decode, const uint8_t *indices, uint32_t count)
{
	const struct gif_frame *frame = &decode->frame;
	session_result result = WIRE_OK;

	for (; result == WIRE_OK && count > 0; count--) {
		for (uint32_t x = 0; x < frame->place.width; x++)
			memcpy(decode->row + (size_t)x * GIF_PIXEL_BYTES, frame->palette[*indices++], GIF_PIXEL_BYTES);
		result = animation_rows(&decode->animation, decode->row, 0, 1);
	}
	return result;
}

static session_result take_rows(void *context, const uint8_t *indices, uint32_t count)
{
	return draw_rows(context, indices, count);
}

/* ---- interlaced frames ---- */

static const uint8_t pass_start[PASSES] = { 0, 4, 2, 1 };
static const uint8_t pass_step[PASSES] = { 8, 8, 4, 2 };
/* So many rows are alike until a later pass fills them. */
static const uint8_t pass_block[PASSES] = { 8, 4, 2, 1 };

static session_result take_interlaced(void *context, const uint8_t *indices, uint32_t count)
{
	struct decode *decode = context;
	size_t width = decode->frame.place.width;
	uint32_t height = decode->frame.place.height;

	for (; count > 0; count--, indices += width) {
		while (decode->pass_row >= height && decode->pass + 1 < PASSES)
			decode->pass_row = pass_start[++decode->pass];
		uint32_t end = decode->pass_row + pass_block[decode->pass];
		if (end > height)
			end = height;
		for (uint32_t y = decode->pass_row; y < end; y++)
			memcpy(decode->indices + y * width, indices, width);
		if (decode->rows_known < end)
			decode->rows_known = end;
		decode->pass_row += pass_step[decode->pass];
	}
	return WIRE_OK;
}

static session_result decode_interlaced(struct decode *decode, unsigned literal_bits)
{
	const struct compositor_frame *place = &decode->frame.place;

	decode->indices = malloc((size_t)place->width * place->height);
	if (!decode->indices)
		return WIRE_FAIL_LIMIT_MEMORY;
	decode->lzw.take = take_interlaced;
	decode->pass = decode->pass_row = decode->rows_known = 0;
	session_result result = gif_lzw_decode(&decode->lzw, literal_bits);
	if (result == WIRE_OK)
		result = draw_rows(decode, decode->indices, decode->rows_known);
	free(decode->indices);
	decode->indices = NULL;
	return result;
}

/* ---- frames ---- */

/* The pixels of a frame, drawn or sent.  Damage is in *damage. */
static session_result decode_data(struct decode *decode, enum wire_failure *damage)
{
	const struct compositor_frame *place = &decode->frame.place;
	struct gif_lzw *lzw = &decode->lzw;
	uint8_t literal_bits = 0;
	session_result result = WIRE_OK;

	if (input_take(&decode->file.input, &literal_bits, 1) == 0) {
		*damage = WIRE_FAIL_TRUNCATED;
		return WIRE_OK;
	}
	if (literal_bits == 0 || literal_bits > GIF_LITERAL_BITS_MAX) {
		*damage = WIRE_FAIL_HEADER;
		return WIRE_OK;
	}
	lzw->input = &decode->file.input;
	lzw->take = take_rows;
	lzw->context = decode;
	lzw->width = place->width;
	lzw->height = place->height;
	if (decode->frame.interlaced && place->width > 0 && place->height > 0)
		result = decode_interlaced(decode, literal_bits);
	else
		result = gif_lzw_decode(lzw, literal_bits);
	*damage = lzw->damage;
	return result;
}

static session_result decode_frame(struct decode *decode)
{
	enum wire_failure damage = WIRE_OK;
	session_result result = animation_begin(&decode->animation, &decode->frame.place, decode->frame.delay);

	if (result == WIRE_OK)
		result = decode_data(decode, &damage);
	return result == WIRE_OK ? animation_end(&decode->animation, damage) : result;
}

/* ---- the whole ---- */

static session_result end_animation(struct decode *decode, enum gif_next next)
{
	struct input *input = &decode->file.input;
	session_result result = WIRE_OK;

	if (next == GIF_CUT)
		result = session_flaw(decode->session, WIRE_NOTE_END, WIRE_FAIL_TRUNCATED);
	else if (next == GIF_GARBAGE)
		result = session_flaw(decode->session, WIRE_NOTE_END, WIRE_FAIL_STRUCTURE);
	else if (input->left > 0 || session_has_more(decode->session))
		result = session_flaw(decode->session, WIRE_NOTE_TRAILING, WIRE_FAIL_TRAILING);
	return result;
}

static session_result decode_frames(struct decode *decode)
{
	enum gif_next next = GIF_FRAME;

	for (bool more = true; next == GIF_FRAME; more = animation_wanted(decode->session)) {
		/* A picture is complete although other frames, or damage to them, follow. */
		if (!more)
			return WIRE_OK;
		session_result result = decode_frame(decode);
		if (result != WIRE_OK)
			return result;
		next = decode->lzw.blocks_ended ? gif_read_frame(&decode->file, &decode->frame) : GIF_CUT;
	}
	return end_animation(decode, next);
}

/* What the header and the first frame tell. */
static void describe(struct decode *decode)
{
	const struct gif_frame *frame = &decode->frame;
	const struct compositor_frame *place = &frame->place;
	struct wire_image *image = &decode->image;
	uint32_t right = place->x + place->width, bottom = place->y + place->height;

	image->width = right > decode->file.width ? right : decode->file.width;
	image->height = bottom > decode->file.height ? bottom : decode->file.height;
	image->color = WIRE_COLOR_PALETTE;
	image->channels = 3;
	image->depth = 8;
	bool covered = place->width == image->width && place->height == image->height;
	if (frame->transparent || !covered || animation_wanted(decode->session))
		image->flags |= WIRE_IMAGE_ALPHA;
	if ((image->flags & WIRE_IMAGE_ALPHA) != 0)
		image->channels = 4;
	if (frame->interlaced)
		image->flags |= WIRE_IMAGE_PROGRESSIVE;
	if (decode->file.icc)
		image->flags |= WIRE_IMAGE_ICC;
	if (animation_wanted(decode->session) || image->frames > 1) {
		image->flags |= WIRE_IMAGE_ANIMATION;
		image->loops = decode->file.loops;
	}
}

/* At most, unless a later frame is interlaced, and larger than the picture. */
static uint64_t memory_needed(const struct decode *decode)
{
	const struct compositor_frame *place = &decode->frame.place;
	uint64_t needed = MEMORY_BESIDES + sizeof(*decode) + gif_lzw_memory(UINT16_MAX) +
	                  animation_memory(decode->session, &decode->image) +
	                  (uint64_t)decode->image.width * GIF_PIXEL_BYTES;

	if (animation_wanted(decode->session))
		needed += UINT16_MAX * GIF_PIXEL_BYTES;
	if (decode->frame.interlaced)
		needed += (uint64_t)place->width * place->height;
	return needed;
}

static session_result announce(struct decode *decode)
{
	struct wire_image *image = &decode->image;
	session_result result = session_check_size(decode->session, image->width, image->height, 1);

	if (result != WIRE_OK)
		return result;
	session_needs(decode->session, memory_needed(decode));
	image->pixel_format = session_choose_format(decode->session, image);
	result = session_image(decode->session, image);
	if (result != WIRE_OK)
		return result;
	/* Later frames are at most as wide as their fields can say. */
	decode->row = calloc(animation_wanted(decode->session) ? UINT16_MAX : image->width, GIF_PIXEL_BYTES);
	return decode->row ? animation_open(&decode->animation, decode->session, image) : WIRE_FAIL_LIMIT_MEMORY;
}

/* The frames of an input of which only information is wanted. */
static void count_rest(struct decode *decode)
{
	const struct wire_request *request = session_request(decode->session);
	struct gif_file *file = &decode->file;
	uint8_t literal_bits = 0;

	if (request->operation == WIRE_INFO && (request->flags & WIRE_FINITE) != 0 &&
	    input_take(&file->input, &literal_bits, 1) > 0 && gif_skip_blocks(&file->input))
		decode->image.frames = 1 + gif_count_frames(file);
}

static session_result decode_file(struct decode *decode)
{
	session_result result = gif_read_header(&decode->file);

	if (result != WIRE_OK)
		return result;
	enum gif_next next = gif_read_frame(&decode->file, &decode->frame);
	if (next != GIF_FRAME)
		return next == GIF_CUT ? WIRE_FAIL_TRUNCATED : WIRE_FAIL_STRUCTURE;
	/* Some browsers take an empty frame for the whole screen, others for nothing: there is no picture in it. */
	if (decode->frame.place.width == 0 || decode->frame.place.height == 0)
		return WIRE_FAIL_HEADER;
	count_rest(decode);
	describe(decode);
	result = announce(decode);
	return result == WIRE_OK ? decode_frames(decode) : result;
}

static session_result decode_gif(struct session *session)
{
	struct decode *decode = calloc(1, sizeof(*decode));

	if (!decode)
		return WIRE_FAIL_LIMIT_MEMORY;
	decode->session = decode->file.input.session = session;
	session_result result = decode_file(decode);
	animation_close(&decode->animation);
	free(decode->row);
	free(decode);
	return result;
}

DECODER_SAMPLE(gif_sample, "samples/gif/hippopotamus.regular.gif");

const struct decoder decoder = {
	.name = "gif",
	.decode = decode_gif,
	.sample = gif_sample,
	.sample_end = gif_sample_end,
};
