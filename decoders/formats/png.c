/* SPDX-License-Identifier: MIT */
/*
 * PNG, by libpng: every colour type and depth, interlaced or not.  Of an animation, the picture that plain decoders
 * show.
 *
 * pkg-config: libpng zlib
 */
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "decoders/picture/exif.h"
#include "decoders/runtime/input.h"
#include "png_decode.h"

enum {
	SIGNATURE_SIZE = 8,
	ACTL_SIZE = 8,
	ANCILLARY_BIT = 0x20, /* of a chunk name's first letter */
	PASSES = 7,           /* of an interlaced picture */
	ROWS_HELD = 4,        /* by libpng and here, at most, unless interlaced */
	MEMORY_BESIDES = 128 << 10,
};

/* ---- what libpng calls ---- */

static png_voidp allocate(png_structp png, png_alloc_size_t size)
{
	struct decode *decode = png_get_mem_ptr(png);
	void *memory = malloc(size);

	if (!memory)
		decode->failure = WIRE_FAIL_LIMIT_MEMORY;
	return memory;
}

static void release(png_structp png, png_voidp memory)
{
	(void)png;
	free(memory);
}

/* libpng says what is wrong in words alone.  What is not in this list is damage to the data. */
static enum wire_failure name_failure(const char *message)
{
	static const struct {
		const char *words;
		enum wire_failure failure;
	} named[] = {
		{ "CRC error", WIRE_FAIL_CHECKSUM },
		{ "incorrect data check", WIRE_FAIL_CHECKSUM },
		{ "IHDR", WIRE_FAIL_HEADER },
		{ "Not enough image data", WIRE_FAIL_TRUNCATED },
		{ "PLTE: invalid", WIRE_FAIL_HEADER },
		{ "Invalid palette", WIRE_FAIL_HEADER },
		{ "unsigned integer out of range", WIRE_FAIL_LENGTH },
		{ "Missing", WIRE_FAIL_STRUCTURE },
		{ "out of place", WIRE_FAIL_STRUCTURE },
		{ "duplicate", WIRE_FAIL_STRUCTURE },
		{ "invalid chunk type", WIRE_FAIL_STRUCTURE },
		{ "unhandled critical chunk", WIRE_FAIL_UNSUPPORTED },
	};
	for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++)
		if (strstr(message, named[i].words))
			return named[i].failure;
	return WIRE_FAIL_DATA;
}

static void complain(png_structp png, png_const_charp message)
{
	struct decode *decode = png_get_error_ptr(png);

	if (decode->failure == WIRE_OK)
		decode->failure = name_failure(message);
	png_longjmp(png, 1);
}

static void warn(png_structp png, png_const_charp message)
{
	struct decode *decode = png_get_error_ptr(png);

	/* Without its transparency, the picture is another one. */
	if (strcmp(message, "tRNS: CRC error") == 0)
		complain(png, message);
	/* Of the image data, what is wrong behind the last row comes as a warning.  Data that is not needed costs
	 * nothing; any other complaint means that what was decoded cannot be trusted. */
	if (strncmp(message, "IDAT:", 5) == 0) {
		if (!strstr(message, "Extra compressed data") && !strstr(message, "Too m"))
			complain(png, message);
		decode->flaw = WIRE_FAIL_LENGTH;
	}
	/* A profile that is too large to be given to take_chunk() is there all the same. */
	if (strncmp(message, "iCCP:", 5) == 0)
		decode->image.flags |= WIRE_IMAGE_ICC;
	session_note(decode->session, WIRE_NOTE_WARNINGS);
}

/* The chunks that libpng does not know or is told not to look into.  Returns that they are dealt with, or -1 when the
 * picture cannot be shown without. */
static int take_chunk(png_structp png, png_unknown_chunkp chunk)
{
	struct decode *decode = png_get_user_chunk_ptr(png);
	struct wire_image *image = &decode->image;

	/* Xcode puts this one first, and all that follows is not quite PNG. */
	if (memcmp(chunk->name, "CgBI", CHUNK_NAME_SIZE) == 0) {
		decode->failure = WIRE_FAIL_PNG_CGBI;
		return -1;
	}
	/* What libpng does not look into, it takes even before the header. */
	if (png_get_image_width(png, decode->info) == 0) {
		decode->failure = WIRE_FAIL_STRUCTURE;
		return -1;
	}
	if (!(chunk->name[0] & ANCILLARY_BIT)) {
		decode->failure = WIRE_FAIL_UNSUPPORTED;
		return -1;
	}
	if (memcmp(chunk->name, "iCCP", 4) == 0)
		image->flags |= WIRE_IMAGE_ICC;
	else if (memcmp(chunk->name, "eXIf", 4) == 0)
		image->orientation = exif_orientation(chunk->data, chunk->size);
	else if (memcmp(chunk->name, "acTL", 4) == 0 && chunk->size >= ACTL_SIZE && input_be32(chunk->data) > 0) {
		image->frames = input_be32(chunk->data);
		image->loops = input_be32(chunk->data + 4);
		image->flags |= WIRE_IMAGE_ANIMATION;
	}
	return 1;
}

/* ---- set-up ---- */

static bool create(struct decode *decode)
{
	decode->png =
	        png_create_read_struct_2(PNG_LIBPNG_VER_STRING, decode, complain, warn, decode, allocate, release);
	if (!decode->png)
		return false;
	decode->info = png_create_info_struct(decode->png);
	return decode->info != NULL;
}

/* May jump: the list of chunks is allocated. */
static void configure(struct decode *decode)
{
	/* Nothing of these changes a pixel, and some can be compressed: none is parsed. */
	static const png_byte ignored[] =
	        "bKGD\0cHRM\0eXIf\0gAMA\0hIST\0iCCP\0iTXt\0oFFs\0pCAL\0pHYs\0sBIT\0sCAL\0sPLT\0sRGB\0"
	        "tEXt\0tIME\0zTXt";
	uint32_t max_metadata = session_request(decode->session)->max_metadata;

	png_set_read_fn(decode->png, decode, png_read_input);
	/* The session checks the size as soon as it is known; libpng allocates nothing by it before. */
	png_set_user_limits(decode->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
	png_set_chunk_malloc_max(decode->png, max_metadata > 0 ? max_metadata : 1); /* 0 is no limit to libpng */
	/* libpng decodes nothing of a piece that it cannot read whole, and shows no row of a piece that is damaged
	 * behind it.
	 */
	if (session_partial(decode->session))
		png_set_compression_buffer_size(decode->png, 1);
	png_set_option(decode->png, PNG_MAXIMUM_INFLATE_WINDOW, PNG_OPTION_ON);
	png_set_keep_unknown_chunks(decode->png, PNG_HANDLE_CHUNK_NEVER, ignored, sizeof(ignored) / 5);
	png_set_read_user_chunk_fn(decode->png, decode, take_chunk);
}

static session_result check_signature(struct decode *decode)
{
	uint8_t signature[SIGNATURE_SIZE];

	for (size_t filled = 0; filled < sizeof(signature);) {
		if (png_take_input(decode, signature + filled, 1) == 0)
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
}

/* Lets libpng expand everything to whole samples, and finds out how to go on from there. */
static void choose_transforms(struct decode *decode)
{
	struct wire_image *image = &decode->image;
	bool alpha = (image->flags & WIRE_IMAGE_ALPHA) != 0;

	image->pixel_format = session_choose_format(decode->session, image);
	if (image->pixel_format == WIRE_RGBA16 && image->depth == 16) {
		png_set_expand_16(decode->png);
		png_set_gray_to_rgb(decode->png);
		if (!alpha)
			png_set_add_alpha(decode->png, 0xffff, PNG_FILLER_AFTER);
		return;
	}
	png_set_expand(decode->png);
	png_set_scale_16(decode->png);
	decode->layout = image->color == WIRE_COLOR_GRAY ? alpha ? PIXELS_GRAY_ALPHA : PIXELS_GRAY
	                 : alpha                         ? PIXELS_RGBA
	                                                 : PIXELS_RGB;
	enum pixels_layout layout = decode->layout;
	bool as_is = (layout == PIXELS_GRAY && image->pixel_format == WIRE_GRAY) ||
	             (layout == PIXELS_RGB && image->pixel_format == WIRE_RGB) ||
	             (layout == PIXELS_RGBA && image->pixel_format == WIRE_RGBA);
	if (!as_is)
		decode->convert = pixels_choose(layout, (enum wire_pixel_format)image->pixel_format);
}

/* Whether libpng's rows are going to be what they were taken for: anything else would be read as other pixels. */
static bool rows_are_expected(const struct decode *decode)
{
	bool deep = decode->image.pixel_format == WIRE_RGBA16 && decode->image.depth == 16;
	unsigned channels = deep ? 4 : pixels_layout_bytes[decode->layout];
	unsigned depth = deep ? 16 : 8;

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
	if (decode->convert)
		decode->convert(decode->room, decode->pixels, decode->image.width);
	decode->rows_given++;
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

/* Each pass fills whole blocks, so that the picture is coarse but complete after the first. */
static void decode_passes(struct decode *decode, int passes)
{
	for (int pass = 0; pass < passes; pass++) {
		uint8_t *row = decode->pixels;
		for (uint32_t y = 0; y < decode->image.height; y++, row += decode->row_bytes) {
			png_read_row(decode->png, NULL, row);
			if (pass == 0)
				decode->rows_known = y + 1;
		}
	}
}

static session_result send_rows(struct decode *decode)
{
	const uint8_t *from = decode->pixels;

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

/* ---- the whole ---- */

static bool is_interlaced(const struct decode *decode)
{
	return (decode->image.flags & WIRE_IMAGE_PROGRESSIVE) != 0;
}

/* All pixels are there. */
static session_result end_picture(struct decode *decode)
{
	session_result result = is_interlaced(decode) ? send_rows(decode) : WIRE_OK;
	enum wire_failure checked = png_end_check(decode);

	if (result == WIRE_OK && checked != WIRE_OK && checked != WIRE_FAIL_TRUNCATED)
		return session_damage(decode->session, checked);
	if (decode->flaw == WIRE_OK)
		decode->flaw = checked;
	if (result == WIRE_OK && decode->check.exceeded)
		result = session_flaw(decode->session, WIRE_NOTE_WINDOW, WIRE_FAIL_HEADER);
	if (result == WIRE_OK && decode->flaw != WIRE_OK)
		result = session_flaw(decode->session, WIRE_NOTE_END, decode->flaw);
	if (result == WIRE_OK && (decode->input_left > 0 || session_has_more(decode->session)))
		result = session_flaw(decode->session, WIRE_NOTE_TRAILING, WIRE_FAIL_TRAILING);
	return result;
}

/* Everything that libpng may jump out of. */
static session_result decode_picture(struct decode *decode)
{
	configure(decode);
	session_result result = check_signature(decode);
	if (result != WIRE_OK)
		return result;
	png_read_info(decode->png, decode->info);
	describe(decode);
	result = announce(decode);
	if (result != WIRE_OK)
		return result;
	/* Zeroed: what an interlaced picture lacks when it is damaged must not be old memory. */
	decode->pixels = calloc(is_interlaced(decode) ? decode->image.height : 1, decode->row_bytes);
	if (!decode->pixels)
		return WIRE_FAIL_LIMIT_MEMORY;
	if (is_interlaced(decode))
		decode_passes(decode, PASSES);
	else
		result = decode_rows(decode);
	if (result != WIRE_OK)
		return result;
	decode->data_ended = true;
	png_read_end(decode->png, NULL);
	return end_picture(decode);
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

	if (!decode->announced || decode->failure == WIRE_FAIL_LIMIT_MEMORY)
		return decode->failure;
	if (decode->failure == WIRE_FAIL_TRUNCATED && !decode->input_ended && !decode->data_ended)
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
	return result == WIRE_OK ? session_damage(decode->session, decode->failure) : result;
}

/* Apart, because what changes between setjmp() and the jump must not be a local of the function that calls it. */
static session_result decode_guarded(struct decode *decode)
{
	if (setjmp(png_jmpbuf(decode->png)) == 0)
		return decode_picture(decode);
	return give_up(decode);
}

static session_result decode_png(struct session *session)
{
	struct decode decode = { .session = session, .image = { .frames = 1 } };
	session_result result = create(&decode) ? decode_guarded(&decode) : WIRE_FAIL_LIMIT_MEMORY;

	(void)png_end_check(&decode);
	png_destroy_read_struct(&decode.png, &decode.info, NULL);
	free(decode.pixels);
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
