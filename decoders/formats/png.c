/* SPDX-License-Identifier: MIT */
/*
 * PNG, by libpng: every colour type and depth, interlaced or not, and animations.  If one picture is wanted, it is the
 * one that plain decoders show, which need not be a frame of the animation.
 *
 * pkg-config: libpng zlib
 */
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "png_decode.h"

enum {
	PASSES = 7,           /* of an interlaced picture */
	PASSES_PREVIEWED = 3, /* then, a sixteenth of its pixels is there */
	ROWS_HELD = 4,        /* by libpng and here, at most, unless interlaced */
	FRAME_PIXEL_BYTES = 4,
	MEMORY_BESIDES = 128 << 10,
};

static session_result check_signature(struct decode *decode)
{
	uint8_t signature[SIGNATURE_SIZE];

	for (size_t filled = 0; filled < sizeof(signature);) {
		if (input_take(&decode->file->input, signature + filled, 1) == 0)
			return WIRE_FAIL_TRUNCATED;
		if (png_sig_cmp(signature, 0, ++filled) != 0)
			return WIRE_FAIL_SIGNATURE;
	}
	png_set_sig_bytes(decode->png, SIGNATURE_SIZE);
	return WIRE_OK;
}

/* Whether there is a colour or entry of the palette that is transparent.  libpng forgets one that comes before a
 * palette, but goes on to say that there is one: only their number tells. */
static bool is_transparent(const struct decode *decode)
{
	png_bytep alpha = NULL;
	png_color_16p color = NULL;
	int count = 0;

	return png_get_tRNS(decode->png, decode->info, &alpha, &count, &color) != 0 && count > 0;
}

static void describe(struct decode *decode)
{
	struct wire_image *image = &decode->image;
	const struct png_frames *frames = &decode->file->frames;
	int color_type = png_get_color_type(decode->png, decode->info);
	bool palette = color_type == PNG_COLOR_TYPE_PALETTE;
	bool transparent = is_transparent(decode);

	image->width = png_get_image_width(decode->png, decode->info);
	image->height = png_get_image_height(decode->png, decode->info);
	image->color = palette                                    ? WIRE_COLOR_PALETTE
	               : (color_type & PNG_COLOR_MASK_COLOR) != 0 ? WIRE_COLOR_RGB
	                                                          : WIRE_COLOR_GRAY;
	/* The samples of a palette are those of its entries. */
	image->channels = palette ? 3 : png_get_channels(decode->png, decode->info);
	image->depth = palette ? 8 : png_get_bit_depth(decode->png, decode->info);
	if (transparent && image->channels % 2 == 1)
		image->channels++;
	if (transparent || (color_type & PNG_COLOR_MASK_ALPHA) != 0)
		image->flags |= WIRE_IMAGE_ALPHA;
	if (png_get_interlace_type(decode->png, decode->info) != PNG_INTERLACE_NONE)
		image->flags |= WIRE_IMAGE_PROGRESSIVE;
	if (png_is_animated(frames, image->width, image->height)) {
		image->frames = frames->count;
		image->loops = frames->loops;
		image->flags |= WIRE_IMAGE_ANIMATION;
	}
}

/* Lets libpng expand everything to whole samples, and finds out how to go on from there. */
static void choose_transforms(struct decode *decode)
{
	struct wire_image *image = &decode->image;
	bool alpha = (image->flags & WIRE_IMAGE_ALPHA) != 0;

	image->pixel_format = session_choose_format(decode->session, image);
	bool deep = image->depth == 16 && pixels_want_deep(image);
	if (deep) {
		png_set_expand_16(decode->png);
		png_set_swap(decode->png);
	} else {
		png_set_expand(decode->png);
		png_set_scale_16(decode->png);
	}
	decode->layout = pixels_layout_of(deep ? 2 : 1, image->color != WIRE_COLOR_GRAY, alpha);
	if (!pixels_as_is(decode->layout, image->pixel_format))
		decode->convert = pixels_choose(decode->layout, (enum wire_pixel_format)image->pixel_format);
}

/* Whether libpng's rows are going to be what they were taken for: anything else would be read as other pixels. */
static bool rows_are_expected(const struct decode *decode)
{
	unsigned depth = decode->layout >= PIXELS_GRAY16 ? 16 : 8;
	unsigned channels = pixels_layout_bytes[decode->layout] / (depth / 8);

	return png_get_channels(decode->png, decode->info) == channels &&
	       png_get_bit_depth(decode->png, decode->info) == depth &&
	       decode->row_bytes == (size_t)decode->image.width * channels * (depth / 8);
}

static session_result announce(struct decode *decode)
{
	struct wire_image *image = &decode->image;
	session_result result = session_check_size(decode->session, image->width, image->height, 1);

	if (result != WIRE_OK)
		return result;
	choose_transforms(decode);
	bool interlaced = png_set_interlace_handling(decode->png) > 1;
	uint64_t row_bytes = (uint64_t)image->width * sizeof(uint64_t); /* at most */
	session_needs(decode->session, MEMORY_BESIDES + row_bytes * (ROWS_HELD + (interlaced ? image->height : 0)));
	png_read_update_info(decode->png, decode->info);
	decode->row_bytes = png_get_rowbytes(decode->png, decode->info);
	session_needs(decode->session,
	              MEMORY_BESIDES + row_bytes * ROWS_HELD + (interlaced ? decode->row_bytes * image->height : 0));
	if (!rows_are_expected(decode))
		return WIRE_FAIL_STRUCTURE;
	result = session_image(decode->session, image);
	if (result == WIRE_OK)
		result = session_frame(decode->session, 0);
	decode->announced = result == WIRE_OK;
	return result;
}

/* ---- rows ---- */

/* The row that libpng has just read, one by one: the next may turn out to be damaged. */
static session_result give_row(struct decode *decode)
{
	decode->rows_given++;
	if (decode->framed)
		return animation_rows(&decode->file->animation, decode->pixels, 0, 1);
	if (decode->convert)
		decode->convert(decode->room, decode->pixels, decode->image.width);
	return session_commit_rows(decode->session, 1);
}

static session_result decode_rows(struct decode *decode)
{
	while (decode->rows_given < decode->image.height) {
		uint8_t *row = NULL;
		size_t count = 0;
		session_result result = session_rows(decode->session, &row, &count);
		if (result != WIRE_OK)
			return result;
		size_t stride = (size_t)decode->image.width * wire_pixel_bytes[decode->image.pixel_format];
		for (size_t i = 0; i < count; i++, row += stride) {
			decode->room = row;
			png_read_row(decode->png, decode->convert ? decode->pixels : row, NULL);
			result = give_row(decode);
			if (result != WIRE_OK)
				return result;
		}
	}
	return WIRE_OK;
}

static session_result draw_rows(struct decode *decode)
{
	session_result result = WIRE_OK;

	while (result == WIRE_OK && decode->rows_given < decode->image.height) {
		png_read_row(decode->png, decode->pixels, NULL);
		result = give_row(decode);
	}
	return result;
}

static session_result send_rows(struct decode *decode)
{
	const uint8_t *from = decode->pixels;

	if (decode->framed)
		return animation_rows(&decode->file->animation, from, decode->row_bytes, decode->rows_known);
	for (uint32_t left = decode->rows_known; left > 0;) {
		uint8_t *row = NULL;
		size_t count = 0;
		session_result result = session_rows(decode->session, &row, &count);
		if (result != WIRE_OK)
			return result;
		size_t stride = (size_t)decode->image.width * wire_pixel_bytes[decode->image.pixel_format];
		if (count > left)
			count = left;
		for (size_t i = 0; i < count; i++, row += stride, from += decode->row_bytes) {
			if (decode->convert)
				decode->convert(row, from, decode->image.width);
			else
				memcpy(row, from, stride);
		}
		result = session_commit_rows(decode->session, count);
		if (result != WIRE_OK)
			return result;
		left -= (uint32_t)count;
	}
	return WIRE_OK;
}

static session_result send_preview(struct decode *decode)
{
	session_result result = session_begin_preview(decode->session);

	if (result == WIRE_OK)
		result = send_rows(decode);
	session_end_preview(decode->session);
	return result;
}

/* Each pass fills whole blocks, so that the picture is coarse but complete after the first. */
static session_result decode_passes(struct decode *decode, int passes)
{
	session_result result = WIRE_OK;

	for (int pass = 0; result == WIRE_OK && pass < passes; pass++) {
		uint8_t *row = decode->pixels;
		for (uint32_t y = 0; y < decode->image.height; y++, row += decode->row_bytes) {
			png_read_row(decode->png, NULL, row);
			if (pass == 0)
				decode->rows_known = y + 1;
		}
		if (pass + 1 == PASSES_PREVIEWED && session_wants_preview(decode->session))
			result = send_preview(decode);
	}
	return result;
}

/* ---- the whole ---- */

static bool is_interlaced(const struct decode *decode)
{
	return (decode->image.flags & WIRE_IMAGE_PROGRESSIVE) != 0;
}

static session_result damage(struct decode *decode, enum wire_failure failure)
{
	return decode->framed ? animation_end(&decode->file->animation, failure)
	                      : session_damage(decode->session, failure);
}

/* All pixels are there. */
static session_result end_picture(struct decode *decode)
{
	session_result result = is_interlaced(decode) ? send_rows(decode) : WIRE_OK;
	enum wire_failure checked = png_end_check(decode);

	if (result == WIRE_OK && checked != WIRE_OK && checked != WIRE_FAIL_TRUNCATED)
		return damage(decode, checked);
	if (decode->flaw == WIRE_OK)
		decode->flaw = checked;
	if (result == WIRE_OK && decode->framed)
		result = animation_end(&decode->file->animation, WIRE_OK);
	if (result == WIRE_OK && decode->check.exceeded)
		result = session_flaw(decode->session, WIRE_NOTE_WINDOW, WIRE_FAIL_HEADER);
	if (result == WIRE_OK && decode->flaw != WIRE_OK)
		result = session_flaw(decode->session, WIRE_NOTE_END, decode->flaw);
	bool last = !decode->framed;
	if (result == WIRE_OK && last && (decode->file->input.left > 0 || session_has_more(decode->session)))
		result = session_flaw(decode->session, WIRE_NOTE_TRAILING, WIRE_FAIL_TRAILING);
	return result;
}

static session_result decode_pixels(struct decode *decode)
{
	session_result result = WIRE_OK;

	/* Zeroed: what an interlaced picture lacks when it is damaged must not be old memory. */
	decode->pixels = calloc(is_interlaced(decode) ? decode->image.height : 1, decode->row_bytes);
	if (!decode->pixels)
		return WIRE_FAIL_LIMIT_MEMORY;
	if (is_interlaced(decode))
		result = decode_passes(decode, PASSES);
	else
		result = decode->framed ? draw_rows(decode) : decode_rows(decode);
	if (result != WIRE_OK)
		return result;
	decode->data_ended = true;
	png_read_end(decode->png, NULL);
	return end_picture(decode);
}

/* libpng is at the data of a frame, whose pixels are to be RGBA whatever the file has. */
static session_result decode_frame(struct decode *decode)
{
	const struct png_frames *frames = &decode->file->frames;

	png_set_expand(decode->png);
	png_set_scale_16(decode->png);
	png_set_gray_to_rgb(decode->png);
	if ((decode->image.flags & WIRE_IMAGE_ALPHA) == 0)
		png_set_add_alpha(decode->png, UINT8_MAX, PNG_FILLER_AFTER);
	(void)png_set_interlace_handling(decode->png);
	png_read_update_info(decode->png, decode->info);
	decode->row_bytes = png_get_rowbytes(decode->png, decode->info);
	if (decode->row_bytes != (size_t)decode->image.width * FRAME_PIXEL_BYTES)
		return WIRE_FAIL_STRUCTURE;
	session_result result = animation_begin(&decode->file->animation, &frames->place, frames->delay);
	decode->announced = result == WIRE_OK;
	return result == WIRE_OK ? decode_pixels(decode) : result;
}

/* The animation as a whole. */
static session_result announce_frames(struct decode *decode)
{
	struct png_file *file = decode->file;
	struct wire_image *image = &file->image;
	struct session *session = decode->session;

	*image = decode->image;
	image->flags |= WIRE_IMAGE_ALPHA;
	session_result result = session_check_size(session, image->width, image->height, 1);
	if (result != WIRE_OK)
		return result;
	uint64_t row_bytes = (uint64_t)image->width * sizeof(uint64_t); /* at most */
	session_needs(session, MEMORY_BESIDES + row_bytes * ROWS_HELD + animation_memory(session, image) +
	                               (is_interlaced(decode) ? row_bytes / 2 * image->height : 0));
	/* Frames are drawn with 8 bits a sample. */
	struct wire_image drawn = *image;
	drawn.depth = 8;
	image->pixel_format = session_choose_format(session, &drawn);
	result = session_image(session, image);
	return result == WIRE_OK ? animation_open(&file->animation, session, image) : result;
}

static session_result begin_frames(struct decode *decode)
{
	session_result result = announce_frames(decode);

	if (result != WIRE_OK)
		return result;
	png_begin_frames(decode);
	return decode->framed ? decode_frame(decode) : WIRE_OK;
}

/* Everything that libpng may jump out of. */
static session_result decode_picture(struct decode *decode)
{
	png_configure(decode);
	session_result result = decode->framed ? WIRE_OK : check_signature(decode);
	if (result != WIRE_OK)
		return result;
	png_read_info(decode->png, decode->info);
	describe(decode);
	if (decode->framed)
		return decode_frame(decode);
	if ((decode->image.flags & WIRE_IMAGE_ANIMATION) != 0 && animation_wanted(decode->session))
		return begin_frames(decode);
	result = announce(decode);
	return result == WIRE_OK ? decode_pixels(decode) : result;
}

/* libpng complains of what follows the last row before it has returned that. */
static bool all_rows_read(const struct decode *decode)
{
	return is_interlaced(decode) ? png_get_current_pass_number(decode->png) == PASSES
	                             : png_get_current_row_number(decode->png) == decode->image.height;
}

/* libpng gave up.  Limits are no damage: nothing is kept. */
static session_result give_up(struct decode *decode)
{
	session_result result = WIRE_OK;
	enum wire_failure between = WIRE_OK;
	bool all_read = decode->announced && (decode->data_ended || all_rows_read(decode));

	if (decode->failure == WIRE_FAIL_LIMIT_MEMORY)
		return decode->failure;
	if (!decode->announced)
		return decode->framed ? session_damage(decode->session, decode->failure) : decode->failure;
	if (decode->failure == WIRE_FAIL_TRUNCATED && !decode->input_ended && !decode->data_ended && !decode->framed)
		png_look_behind_data(decode, &between);
	if (all_read && !is_interlaced(decode) && decode->rows_given < decode->image.height)
		result = give_row(decode);
	if (result != WIRE_OK)
		return result;
	/* An end that is missing costs nothing.  A wrong one is damage where it tells that the rest may be, too. */
	bool harmless = decode->failure == WIRE_FAIL_TRUNCATED || png_at_chunk(decode, "IEND");
	if (all_read && harmless) {
		decode->flaw = decode->failure;
		return end_picture(decode);
	}
	if (session_partial(decode->session) && is_interlaced(decode))
		result = send_rows(decode);
	if (between != WIRE_OK)
		decode->failure = between;
	return result == WIRE_OK ? damage(decode, decode->failure) : result;
}

/* Apart, because what changes between setjmp() and the jump must not be a local of the function that calls it. */
static session_result decode_guarded(struct decode *decode)
{
	if (setjmp(png_jmpbuf(decode->png)) == 0)
		return decode_picture(decode);
	return give_up(decode);
}

/* What libpng is given next: the file as it is, or a frame. */
static session_result decode_next(struct png_file *file, bool framed)
{
	struct decode decode = { .session = file->session,
		                 .file = file,
		                 .framed = framed,
		                 .texts = { .session = file->session },
		                 .image = { .frames = 1 } };
	session_result result = png_create(&decode) ? decode_guarded(&decode) : WIRE_FAIL_LIMIT_MEMORY;

	(void)png_end_check(&decode);
	png_destroy_read_struct(&decode.png, &decode.info, NULL);
	free(decode.pixels);
	return result;
}

static session_result decode_frames(struct png_file *file)
{
	const struct png_frames *frames = &file->frames;
	session_result result = WIRE_OK;

	while (result == WIRE_OK && frames->controls < frames->count) {
		session_result found = png_find_frame(file);
		/* Where frames are missing, there were so many. */
		if (found != WIRE_OK)
			return session_damage(file->session, found == WIRE_FAIL_ABSENT ? WIRE_FAIL_STRUCTURE : found);
		result = decode_next(file, true);
	}
	return result == WIRE_OK ? png_end_frames(file) : result;
}

static session_result decode_png(struct session *session)
{
	struct png_file file = { .session = session, .input = { .session = session } };
	session_result result = decode_next(&file, false);

	if (result == WIRE_OK && file.animation.session)
		result = decode_frames(&file);
	animation_close(&file.animation);
	return result;
}

/* ---- what must not be done for the first time after lock-down ---- */

/* Whatever libpng and zlib do when they are first used. */
static void initialise(void)
{
	session_rehearse(&decoder, 0);
}

DECODER_SAMPLE(png_sample, "samples/png/hippopotamus.regular.png");

static const char *version(void)
{
	return png_get_libpng_ver(NULL);
}

const struct decoder decoder = {
	.name = "png",
	.library = "libpng",
	.version = version,
	.initialise = initialise,
	.decode = decode_png,
	.sample = png_sample,
	.sample_end = png_sample_end,
};
