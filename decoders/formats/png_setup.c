/* SPDX-License-Identifier: MIT */
/* A reader of libpng: what it is told to do, and what it calls. */
#include <stdlib.h>
#include <string.h>

#include "decoders/picture/exif.h"
#include "png_decode.h"

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
	/* An animation of which this is wrong is none. */
	if (strcmp(message, "acTL: CRC error") == 0 || strcmp(message, "fcTL: CRC error") == 0)
		decode->file->frames.broken = true;
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
	png_send_chunk(&decode->texts, chunk->name, chunk->data, chunk->size);
	if (memcmp(chunk->name, "iCCP", CHUNK_NAME_SIZE) == 0)
		image->flags |= WIRE_IMAGE_ICC;
	else if (memcmp(chunk->name, "eXIf", CHUNK_NAME_SIZE) == 0)
		image->orientation = exif_orientation(chunk->data, chunk->size);
	else if (memcmp(chunk->name, "acTL", CHUNK_NAME_SIZE) == 0 && !decode->announced)
		png_take_animation(&decode->file->frames, chunk->data, chunk->size);
	else if (memcmp(chunk->name, "fcTL", CHUNK_NAME_SIZE) == 0 && !decode->announced)
		png_take_control(&decode->file->frames, chunk->data, chunk->size,
		                 png_get_image_width(png, decode->info), png_get_image_height(png, decode->info));
	return 1;
}

/* ---- set-up ---- */

bool png_create(struct decode *decode)
{
	decode->png =
	        png_create_read_struct_2(PNG_LIBPNG_VER_STRING, decode, complain, warn, decode, allocate, release);
	if (!decode->png)
		return false;
	decode->info = png_create_info_struct(decode->png);
	return decode->info != NULL;
}

void png_configure(struct decode *decode)
{
	/* Nothing of these changes a pixel, and some can be compressed: none is parsed. */
	static const png_byte ignored[] =
	        "bKGD\0cHRM\0eXIf\0gAMA\0hIST\0iCCP\0iTXt\0oFFs\0pCAL\0pHYs\0sBIT\0sCAL\0sPLT\0sRGB\0"
	        "tEXt\0tIME\0zTXt";
	uint32_t max_metadata = session_request(decode->session)->max_metadata;

	png_set_read_fn(decode->png, decode, png_read_input);
	/* The session checks the size as soon as it is known; libpng allocates nothing by it before. */
	png_set_user_limits(decode->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
	/* What an animation needs is always allowed, and 0 is no limit to libpng. */
	png_set_chunk_malloc_max(decode->png, max_metadata > CONTROL_SIZE ? max_metadata : CONTROL_SIZE);
	/* libpng decodes nothing of a piece that it cannot read whole, and shows no row of a piece that is damaged
	 * behind it.
	 */
	if (session_partial(decode->session))
		png_set_compression_buffer_size(decode->png, 1);
	png_set_option(decode->png, PNG_MAXIMUM_INFLATE_WINDOW, PNG_OPTION_ON);
	png_set_keep_unknown_chunks(decode->png, PNG_HANDLE_CHUNK_NEVER, ignored, sizeof(ignored) / 5);
	png_set_read_user_chunk_fn(decode->png, decode, take_chunk);
}
