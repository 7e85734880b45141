/* SPDX-License-Identifier: MIT */
/*
 * Radiance pictures: RGBE, flat, and with both run-length codes.  Light is given as it is, without an exposure.
 *
 * pkg-config: none
 */
#include <stdlib.h>
#include <string.h>

#include "decoders/picture/rows.h"
#include "decoders/runtime/input.h"

enum {
	LINE_SIZE = 256,
	LINES_MAX = 65536,
	RGBE_BYTES = 4,
	CODED_MIN = 8, /* pixels of the shortest and the longest row that has the new code */
	CODED_MAX = 32767,
	MEMORY_BESIDES = 16 << 10,
};

struct hdr {
	struct input input;
	struct wire_image image;
	float scale[256]; /* of each exponent */
	uint8_t *rgbe;    /* owned: a row, pixel by pixel */
	float *row;       /* owned */

	/* Of the old code: the pixel that is repeated, how often yet, and how many bits of a count there have been. */
	uint8_t last[RGBE_BYTES];
	uint32_t run, shift;
};

/* ---- header ---- */

/* A line without its end, cut to what is kept.  Returns whether its end was there. */
static bool read_line(struct hdr *hdr, char line[LINE_SIZE])
{
	size_t size = 0;
	int byte = 0;

	while ((byte = input_next(&hdr->input)) >= 0 && byte != '\n')
		if (size < LINE_SIZE - 1)
			line[size++] = (char)byte;
	if (size > 0 && line[size - 1] == '\r')
		size--;
	line[size] = '\0';
	return byte >= 0;
}

/* "FORMAT=32-bit_rle_rgbe" */
static session_result check_format(const char *line)
{
	const char *value = line + strlen("FORMAT=");

	while (*value == ' ')
		value++;
	if (strncmp(value, "32-bit_rle_rgbe", strlen("32-bit_rle_rgbe")) == 0)
		return WIRE_OK;
	return WIRE_FAIL_UNSUPPORTED;
}

static session_result read_lines(struct hdr *hdr)
{
	char line[LINE_SIZE];
	const uint8_t *data = NULL;

	if (input_look(&hdr->input, &data) == 0)
		return WIRE_FAIL_EMPTY;
	if (!read_line(hdr, line))
		return strncmp(line, "#?", strlen(line) < 2 ? strlen(line) : 2) == 0 ? WIRE_FAIL_TRUNCATED
		                                                                     : WIRE_FAIL_SIGNATURE;
	if (strncmp(line, "#?", 2) != 0)
		return WIRE_FAIL_SIGNATURE;
	for (unsigned i = 0; i < LINES_MAX; i++) {
		session_result result = WIRE_OK;
		if (!read_line(hdr, line))
			return WIRE_FAIL_TRUNCATED;
		if (line[0] == '\0')
			return WIRE_OK;
		if (strncmp(line, "FORMAT=", strlen("FORMAT=")) == 0)
			result = check_format(line);
		if (result != WIRE_OK)
			return result;
	}
	return WIRE_FAIL_HEADER;
}

/* "-Y 480": a sign, an axis and a number, and what follows it; NULL: it is not that. */
static const char *parse_axis(const char *text, char axis[2], uint32_t *number)
{
	enum { NUMBER_MAX = 1 << 28 };

	if ((text[0] != '-' && text[0] != '+') || (text[1] != 'X' && text[1] != 'Y') || text[2] != ' ')
		return NULL;
	axis[0] = text[0];
	axis[1] = text[1];
	text += 3;
	while (*text == ' ')
		text++;
	if (*text < '0' || *text > '9')
		return NULL;
	for (*number = 0; *text >= '0' && *text <= '9'; text++)
		if (*number < NUMBER_MAX)
			*number = *number * 10 + (uint32_t)(*text - '0');
	while (*text == ' ')
		text++;
	return text;
}

/* The first axis is that along which rows follow each other.  The pixels stay as they are in the file: EXIF has a word
 * for each of the eight ways. */
static session_result read_size(struct hdr *hdr)
{
	static const char ways[8][4] = {
		{ '-', 'Y', '+', 'X' }, { '-', 'Y', '-', 'X' }, { '+', 'Y', '-', 'X' }, { '+', 'Y', '+', 'X' },
		{ '+', 'X', '-', 'Y' }, { '-', 'X', '-', 'Y' }, { '-', 'X', '+', 'Y' }, { '+', 'X', '+', 'Y' },
	};
	struct wire_image *image = &hdr->image;
	char line[LINE_SIZE], axes[4];

	if (!read_line(hdr, line))
		return WIRE_FAIL_TRUNCATED;
	const char *rest = parse_axis(line, axes, &image->height);
	rest = rest ? parse_axis(rest, axes + 2, &image->width) : NULL;
	if (!rest || *rest != '\0')
		return WIRE_FAIL_HEADER;
	for (uint32_t i = 0; i < 8; i++)
		if (memcmp(axes, ways[i], sizeof(axes)) == 0)
			image->orientation = i + 1;
	/* The usual way is no more than the file must say. */
	if (image->orientation == 1)
		image->orientation = 0;
	return axes[1] == axes[3] ? WIRE_FAIL_HEADER : WIRE_OK;
}

static void prepare(struct hdr *hdr)
{
	for (int exponent = 1; exponent < 256; exponent++) {
		int power = exponent - 136 + 127; /* as a float has it */
		uint32_t bits = power > 0 ? (uint32_t)power << 23 : 1U << 22 >> -power;
		memcpy(&hdr->scale[exponent], &bits, sizeof(bits));
	}
}

static session_result announce(struct hdr *hdr)
{
	struct session *session = hdr->input.session;
	struct wire_image *image = &hdr->image;
	session_result result = session_check_size(session, image->width, image->height, 1);
	size_t row_bytes = (size_t)image->width * 3 * sizeof(float);

	if (result != WIRE_OK)
		return result;
	image->frames = 1;
	image->color = WIRE_COLOR_RGB;
	image->channels = 3;
	image->depth = 32;
	image->flags = WIRE_IMAGE_FLOAT;
	image->pixel_format = session_choose_format(session, image);
	session_needs(session, MEMORY_BESIDES + row_bytes + (uint64_t)image->width * RGBE_BYTES);
	result = session_image(session, image);
	if (result == WIRE_OK)
		result = session_frame(session, 0);
	if (result != WIRE_OK)
		return result;
	hdr->rgbe = malloc((size_t)image->width * RGBE_BYTES);
	hdr->row = malloc(row_bytes);
	return hdr->rgbe && hdr->row ? WIRE_OK : WIRE_FAIL_LIMIT_MEMORY;
}

/* ---- pixels ---- */

/* One of the four components of a row: runs, and bytes as they are. */
static session_result read_component(struct hdr *hdr, uint8_t *to)
{
	for (size_t left = hdr->image.width; left > 0;) {
		int count = input_next(&hdr->input);
		bool run = count > 128;
		size_t size = run ? (size_t)count - 128 : (size_t)count;
		if (count < 0)
			return WIRE_FAIL_TRUNCATED;
		if (size == 0 || size > left)
			return WIRE_FAIL_DATA;
		left -= size;
		for (int byte = -1; size > 0; size--, to += RGBE_BYTES) {
			if (!run || byte < 0)
				byte = input_next(&hdr->input);
			if (byte < 0)
				return WIRE_FAIL_TRUNCATED;
			*to = (uint8_t)byte;
		}
	}
	return WIRE_OK;
}

/* Pixels as they are, among them runs: 1, 1, 1 and how often the last one comes again.  Runs that follow each other are
 * the digits of one, to the base of 256. */
static session_result read_pixels(struct hdr *hdr)
{
	enum { SHIFT_MAX = 24 };
	uint8_t *to = hdr->rgbe;

	for (size_t left = hdr->image.width; left > 0; left--, to += RGBE_BYTES) {
		while (hdr->run == 0) {
			uint8_t pixel[RGBE_BYTES];
			if (input_take(&hdr->input, pixel, sizeof(pixel)) < sizeof(pixel))
				return WIRE_FAIL_TRUNCATED;
			bool is_run = pixel[0] == 1 && pixel[1] == 1 && pixel[2] == 1;
			if (is_run && hdr->shift > SHIFT_MAX)
				return WIRE_FAIL_DATA;
			hdr->run = is_run ? (uint32_t)pixel[3] << hdr->shift : 1;
			hdr->shift = is_run ? hdr->shift + 8 : 0;
			if (!is_run)
				memcpy(hdr->last, pixel, sizeof(pixel));
		}
		memcpy(to, hdr->last, sizeof(hdr->last));
		hdr->run--;
	}
	/* A run does not go on in the next row. */
	return hdr->run == 0 ? WIRE_OK : WIRE_FAIL_DATA;
}

static session_result read_row(struct hdr *hdr)
{
	uint32_t width = hdr->image.width;
	uint8_t mark[RGBE_BYTES];

	if (width >= CODED_MIN && width <= CODED_MAX && input_peek(&hdr->input, mark, sizeof(mark)) == sizeof(mark) &&
	    mark[0] == 2 && mark[1] == 2 && mark[2] < 128) {
		(void)input_skip(&hdr->input, sizeof(mark));
		if (input_be16(mark + 2) != width)
			return WIRE_FAIL_DATA;
		session_result result = WIRE_OK;
		for (size_t i = 0; i < RGBE_BYTES && result == WIRE_OK; i++)
			result = read_component(hdr, hdr->rgbe + i);
		return result;
	}
	hdr->run = hdr->shift = 0;
	memset(hdr->last, 0, sizeof(hdr->last));
	return read_pixels(hdr);
}

static void convert_row(struct hdr *hdr)
{
	for (size_t x = 0; x < hdr->image.width; x++) {
		const uint8_t *rgbe = hdr->rgbe + x * RGBE_BYTES;
		float scale = hdr->scale[rgbe[3]];
		for (size_t i = 0; i < 3; i++)
			hdr->row[x * 3 + i] = (float)rgbe[i] * scale;
	}
}

static session_result decode_rows(struct hdr *hdr)
{
	struct session *session = hdr->input.session;
	const uint8_t *data = NULL;

	prepare(hdr);
	for (uint32_t y = 0; y < hdr->image.height; y++) {
		session_result result = read_row(hdr);
		if (result != WIRE_OK)
			return session_damage(session, (enum wire_failure)result);
		convert_row(hdr);
		result = rows_send(session, &hdr->image, PIXELS_RGB_F32, (const uint8_t *)hdr->row, 0, 1);
		if (result != WIRE_OK)
			return result;
	}
	if (input_look(&hdr->input, &data) > 0)
		return session_flaw(session, WIRE_NOTE_TRAILING, WIRE_FAIL_TRAILING);
	return WIRE_OK;
}

static session_result decode(struct session *session)
{
	struct hdr hdr = { .input.session = session };
	session_result result = read_lines(&hdr);

	if (result == WIRE_OK)
		result = read_size(&hdr);
	if (result == WIRE_OK)
		result = announce(&hdr);
	if (result == WIRE_OK)
		result = decode_rows(&hdr);
	free(hdr.rgbe);
	free(hdr.row);
	return result;
}

const struct decoder decoder = {
	.name = "hdr",
	.decode = decode,
};
