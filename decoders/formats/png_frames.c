/* SPDX-License-Identifier: MIT */
/*
 * The frames of an animated PNG.  Each reaches libpng as a PNG of its own: a header with the frame's size, the palette
 * and the transparency of the file, the frame's data, and an end.
 */
#include <string.h>

#include "decoders/runtime/input.h"
#include "png_decode.h"

enum {
	ANIMATION_SIZE = 8, /* of acTL */
	SEQUENCE_SIZE = 4,
	DISPOSALS = 3,
	BLENDS = 2,
	USUAL_PARTS = 100, /* of a second, where the file gives none */
	MILLISECONDS = 1000,
};

/* ---- what chunks say ---- */

void png_take_animation(struct png_frames *frames, const uint8_t *data, size_t size)
{
	if (size != ANIMATION_SIZE || frames->count > 0)
		return;
	frames->count = input_be32(data);
	frames->loops = input_be32(data + 4);
}

static session_result take_control(struct png_frames *frames, const uint8_t *data, size_t size, uint32_t width,
                                   uint32_t height)
{
	struct compositor_frame *place = &frames->place;
	bool first = frames->controls == 0;

	if (size != CONTROL_SIZE)
		return WIRE_FAIL_LENGTH;
	if (input_be32(data) != frames->sequence)
		return WIRE_FAIL_STRUCTURE;
	frames->sequence++;
	frames->controls++;
	*place = (struct compositor_frame){ .width = input_be32(data + 4),
		                            .height = input_be32(data + 8),
		                            .x = input_be32(data + 12),
		                            .y = input_be32(data + 16),
		                            .dispose = (enum compositor_dispose)data[24],
		                            .over = data[25] != 0 };
	if (place->width == 0 || place->width > width || place->x > width - place->width || place->height == 0 ||
	    place->height > height || place->y > height - place->height || data[24] >= DISPOSALS || data[25] >= BLENDS)
		return WIRE_FAIL_HEADER;
	uint32_t parts = input_be16(data + 22);
	frames->delay = input_be16(data + 20) * MILLISECONDS / (parts > 0 ? parts : USUAL_PARTS);
	/* Nothing is below the first frame, which keeps even the colour of what is transparent. */
	if (first)
		place->over = false;
	if (first && place->dispose == COMPOSITOR_RESTORE)
		place->dispose = COMPOSITOR_CLEAR;
	return WIRE_OK;
}

void png_take_control(struct png_frames *frames, const uint8_t *data, size_t size, uint32_t width, uint32_t height)
{
	if (take_control(frames, data, size, width, height) != WIRE_OK)
		frames->broken = true;
}

bool png_shows_data(const struct png_frames *frames)
{
	return frames->controls > 0;
}

bool png_is_animated(const struct png_frames *frames, uint32_t width, uint32_t height)
{
	const struct compositor_frame *place = &frames->place;
	bool whole = place->width == width && place->height == height;

	return frames->count > 0 && !frames->broken && (frames->controls == 0 || (frames->controls == 1 && whole));
}

/* ---- chunks for libpng ---- */

/* Returns how many bytes the chunk takes. */
static size_t put_chunk(uint8_t *to, const char *name, const uint8_t *data, uint32_t size)
{
	png_save_uint_32(to, size);
	memcpy(to + sizeof(size), name, CHUNK_NAME_SIZE);
	if (size > 0)
		memcpy(to + CHUNK_HEADER_SIZE, data, size);
	png_save_uint_32(to + CHUNK_HEADER_SIZE + size,
	                 (uint32_t)crc32(0, to + CHUNK_HEADER_SIZE - CHUNK_NAME_SIZE, CHUNK_NAME_SIZE + size));
	return CHUNK_FRAME_SIZE + size;
}

static void keep_palette(struct png_part *part, png_structp png, png_infop info)
{
	uint8_t entries[PALETTE_SIZE_MAX];
	png_colorp palette = NULL;
	int count = 0;

	if (png_get_color_type(png, info) != PNG_COLOR_TYPE_PALETTE || !png_get_PLTE(png, info, &palette, &count))
		return;
	uint32_t size = 0;
	for (int i = 0; i < count && size < sizeof(entries); i++) {
		entries[size++] = palette[i].red;
		entries[size++] = palette[i].green;
		entries[size++] = palette[i].blue;
	}
	part->colors_size += put_chunk(part->colors + part->colors_size, "PLTE", entries, size);
}

/* What libpng has made of the file's tRNS, where that was right. */
static void keep_transparency(struct png_part *part, png_structp png, png_infop info)
{
	int color_type = png_get_color_type(png, info);
	uint8_t samples[3 * sizeof(uint16_t)];
	png_bytep alpha = NULL;
	png_color_16p color = NULL;
	uint32_t size = sizeof(samples);
	int count = 0;

	if (!png_get_tRNS(png, info, &alpha, &count, &color) || count < 1 || count > ALPHA_SIZE_MAX ||
	    (color_type & PNG_COLOR_MASK_ALPHA) != 0)
		return;
	if (color_type == PNG_COLOR_TYPE_PALETTE) {
		part->colors_size += put_chunk(part->colors + part->colors_size, "tRNS", alpha, (uint32_t)count);
		return;
	}
	if (color_type == PNG_COLOR_TYPE_GRAY) {
		png_save_uint_16(samples, color->gray);
		size = sizeof(uint16_t);
	} else {
		png_save_uint_16(samples, color->red);
		png_save_uint_16(samples + 2, color->green);
		png_save_uint_16(samples + 4, color->blue);
	}
	part->colors_size += put_chunk(part->colors + part->colors_size, "tRNS", samples, size);
}

/* What comes before the data of a frame. */
static void put_start(struct png_file *file)
{
	static const uint8_t signature[] = { 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n' };
	struct png_part *part = &file->part;

	png_save_uint_32(part->form, file->frames.place.width);
	png_save_uint_32(part->form + 4, file->frames.place.height);
	memcpy(part->ready, signature, sizeof(signature));
	size_t size = sizeof(signature);
	size += put_chunk(part->ready + size, "IHDR", part->form, IMAGE_HEADER_SIZE);
	memcpy(part->ready + size, part->colors, part->colors_size);
	part->ready_size = size + part->colors_size;
	part->ready_at = 0;
}

/* ---- chunks of the file ---- */

static bool is(const struct png_file *file, const char *name)
{
	return memcmp(file->header + CHUNK_HEADER_SIZE - CHUNK_NAME_SIZE, name, CHUNK_NAME_SIZE) == 0;
}

static uint32_t length_of(const struct png_file *file)
{
	return input_be32(file->header);
}

static uint32_t start_crc(const struct png_file *file)
{
	return (uint32_t)crc32(0, file->header + CHUNK_HEADER_SIZE - CHUNK_NAME_SIZE, CHUNK_NAME_SIZE);
}

static bool is_letter(uint8_t byte)
{
	return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z');
}

static session_result find_chunk(struct png_file *file)
{
	bool named = true;

	if (!file->held && input_take(&file->input, file->header, sizeof(file->header)) < sizeof(file->header))
		return WIRE_FAIL_TRUNCATED;
	file->held = false;
	for (size_t i = CHUNK_HEADER_SIZE - CHUNK_NAME_SIZE; i < CHUNK_HEADER_SIZE; i++)
		named = named && is_letter(file->header[i]);
	if (!named)
		return WIRE_FAIL_STRUCTURE;
	return length_of(file) > PNG_UINT_31_MAX ? WIRE_FAIL_LENGTH : WIRE_OK;
}

static void skip_chunk(struct png_file *file)
{
	(void)input_skip(&file->input, (uint64_t)length_of(file) + CHUNK_CRC_SIZE);
}

/* The data of a chunk that has exactly `size` bytes, and its checksum. */
static session_result take_chunk(struct png_file *file, uint8_t *data, size_t size)
{
	uint8_t checksum[CHUNK_CRC_SIZE];

	if (length_of(file) != size)
		return WIRE_FAIL_LENGTH;
	if (input_take(&file->input, data, size) < size ||
	    input_take(&file->input, checksum, sizeof(checksum)) < sizeof(checksum))
		return WIRE_FAIL_TRUNCATED;
	uint32_t crc = size > 0 ? (uint32_t)crc32(start_crc(file), data, (uInt)size) : start_crc(file);
	return crc == input_be32(checksum) ? WIRE_OK : WIRE_FAIL_CHECKSUM;
}

/* ---- a frame for libpng ---- */

/* At a chunk of the frame's data. */
static session_result begin_data(struct png_file *file)
{
	struct png_part *part = &file->part;
	uint8_t sequence[SEQUENCE_SIZE];

	part->left = length_of(file);
	part->crc = start_crc(file);
	if (part->numbered) {
		if (part->left < sizeof(sequence))
			return WIRE_FAIL_LENGTH;
		if (input_take(&file->input, sequence, sizeof(sequence)) < sizeof(sequence))
			return WIRE_FAIL_TRUNCATED;
		if (input_be32(sequence) != file->frames.sequence)
			return WIRE_FAIL_STRUCTURE;
		file->frames.sequence++;
		part->crc = (uint32_t)crc32(part->crc, sequence, sizeof(sequence));
		part->left -= (uint32_t)sizeof(sequence);
	}
	(void)put_chunk(part->ready, "IDAT", NULL, 0);
	png_save_uint_32(part->ready, part->left);
	part->new_crc = (uint32_t)crc32(0, part->ready + CHUNK_HEADER_SIZE - CHUNK_NAME_SIZE, CHUNK_NAME_SIZE);
	part->ready_at = 0;
	part->ready_size = CHUNK_HEADER_SIZE;
	part->step = PNG_DATA;
	return WIRE_OK;
}

/* What libpng gets is wrong where the file is. */
static session_result end_data(struct png_file *file)
{
	struct png_part *part = &file->part;
	uint8_t checksum[CHUNK_CRC_SIZE];

	if (input_take(&file->input, checksum, sizeof(checksum)) < sizeof(checksum))
		return WIRE_FAIL_TRUNCATED;
	png_save_uint_32(part->ready, input_be32(checksum) == part->crc ? part->new_crc : ~part->new_crc);
	part->ready_at = 0;
	part->ready_size = CHUNK_CRC_SIZE;
	part->step = PNG_HEADER;
	return WIRE_OK;
}

static bool is_ancillary(const struct png_file *file)
{
	return (file->header[CHUNK_HEADER_SIZE - CHUNK_NAME_SIZE] & ANCILLARY_BIT) != 0;
}

/* More data of the frame, or the end.  Between fdAT chunks, browsers pass over what they do not know. */
static session_result find_data(struct png_file *file)
{
	struct png_part *part = &file->part;
	session_result result = WIRE_OK;

	while ((result = find_chunk(file)) == WIRE_OK) {
		if (is(file, part->numbered ? "fdAT" : "IDAT"))
			return begin_data(file);
		if (!part->numbered || !is_ancillary(file) || is(file, "fcTL"))
			break;
		skip_chunk(file);
	}
	if (result != WIRE_OK)
		return result;
	file->held = true;
	part->ready_at = 0;
	part->ready_size = put_chunk(part->ready, "IEND", NULL, 0);
	part->step = PNG_END;
	return WIRE_OK;
}

static session_result take_step(struct png_file *file)
{
	switch (file->part.step) {
	case PNG_HEADER:
		return find_data(file);
	case PNG_DATA:
		return end_data(file);
	default: /* nobody reads behind the end */
		return WIRE_FAIL_TRUNCATED;
	}
}

static size_t take_data(struct png_file *file, uint8_t *data, size_t size)
{
	struct png_part *part = &file->part;

	size = input_take(&file->input, data, size < part->left ? size : part->left);
	part->crc = (uint32_t)crc32(part->crc, data, (uInt)size);
	part->new_crc = (uint32_t)crc32(part->new_crc, data, (uInt)size);
	part->left -= (uint32_t)size;
	return size;
}

size_t png_take_frame(struct png_file *file, uint8_t *data, size_t size)
{
	struct png_part *part = &file->part;
	size_t taken = 0;

	while (taken < size) {
		size_t ready = part->ready_size - part->ready_at, left = size - taken, got = 0;
		if (ready > 0) {
			got = left < ready ? left : ready;
			memcpy(data + taken, part->ready + part->ready_at, got);
			part->ready_at += got;
		} else if (part->step == PNG_DATA && part->left > 0) {
			got = take_data(file, data + taken, left);
			part->failure = WIRE_FAIL_TRUNCATED;
		} else {
			part->failure = take_step(file);
		}
		if (got == 0 && part->failure != WIRE_OK)
			break;
		part->failure = WIRE_OK;
		taken += got;
	}
	return taken;
}

/* ---- from frame to frame ---- */

void png_begin_frames(struct decode *decode)
{
	struct png_file *file = decode->file;
	struct png_part *part = &file->part;

	keep_palette(part, decode->png, decode->info);
	keep_transparency(part, decode->png, decode->info);
	part->form[8] = png_get_bit_depth(decode->png, decode->info);
	part->form[9] = png_get_color_type(decode->png, decode->info);
	part->form[12] = png_get_interlace_type(decode->png, decode->info);
	/* libpng has read the header of the first IDAT. */
	memcpy(file->header, decode->header, sizeof(file->header));
	if (!png_shows_data(&file->frames)) {
		file->held = true;
		return;
	}
	decode->framed = true;
	(void)begin_data(file);
	part->ready_size = 0;
}

static session_result read_control(struct png_file *file)
{
	uint8_t control[CONTROL_SIZE];
	session_result result = take_chunk(file, control, sizeof(control));

	if (result == WIRE_OK)
		result = take_control(&file->frames, control, sizeof(control), file->image.width, file->image.height);
	if (result != WIRE_OK)
		return result;
	put_start(file);
	file->part.numbered = true;
	file->part.step = PNG_HEADER;
	return WIRE_OK;
}

session_result png_find_frame(struct png_file *file)
{
	session_result result = WIRE_OK;

	while ((result = find_chunk(file)) == WIRE_OK) {
		if (is(file, "fcTL"))
			return read_control(file);
		if (is(file, "IEND")) {
			file->held = true;
			return WIRE_FAIL_ABSENT;
		}
		bool hidden = is(file, "IDAT") && !png_shows_data(&file->frames);
		if (is(file, "fdAT") || (!is_ancillary(file) && !hidden))
			return WIRE_FAIL_STRUCTURE;
		skip_chunk(file);
	}
	return result;
}

session_result png_end_frames(struct png_file *file)
{
	uint8_t nothing = 0;
	session_result result = png_find_frame(file);

	if (result == WIRE_FAIL_STRUCTURE)
		return session_damage(file->session, result);
	/* More frames than were announced: browsers do not show them. */
	if (result == WIRE_OK)
		result = WIRE_FAIL_LENGTH;
	else if (result == WIRE_FAIL_ABSENT)
		result = find_chunk(file) == WIRE_OK ? take_chunk(file, &nothing, 0) : WIRE_FAIL_STRUCTURE;
	if (result != WIRE_OK)
		return session_flaw(file->session, WIRE_NOTE_END, result);
	if (file->input.left > 0 || session_has_more(file->session))
		return session_flaw(file->session, WIRE_NOTE_TRAILING, WIRE_FAIL_TRAILING);
	return WIRE_OK;
}
