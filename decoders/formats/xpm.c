/* SPDX-License-Identifier: MIT */
/*
 * XPM and XBM: pictures that are C source.
 *
 * pkg-config: none
 */
#include "xpm.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "decoders/picture/rows.h"

/* In the order of broker/recognise/registry.c. */
enum variant { VARIANT_XPM, VARIANT_XBM };

enum {
	LINE_MOST = 2048,
	SIGNS_MOST = 8, /* a pixel */
	FIRST_SLOTS = 64,
	KEYS = 4,
};

/* ---- source ---- */

int source_next(struct source *source)
{
	return input_next(&source->input); /* whose end is SOURCE_END */
}

int source_next_of_code(struct source *source)
{
	uint8_t start[2];
	int byte = source_next(source), before = 0;

	if (byte != '/' || input_peek(&source->input, start, 1) < 1 || start[0] != '*')
		return byte;
	(void)source_next(source);
	do {
		before = byte;
		byte = source_next(source);
	} while (byte != SOURCE_END && (before != '*' || byte != '/'));
	return byte == SOURCE_END ? SOURCE_END : ' ';
}

session_result source_announce(struct source *source)
{
	struct wire_image *image = &source->image;
	session_result result = session_check_size(source->session, image->width, image->height, 1);

	if (result != WIRE_OK)
		return result;
	image->frames = 1;
	image->pixel_format = session_choose_format(source->session, image);
	result = session_image(source->session, image);
	return result == WIRE_OK ? session_frame(source->session, 0) : result;
}

session_result source_end(struct source *source)
{
	bool ended = false;

	for (int byte = 0; (byte = source_next_of_code(source)) != SOURCE_END;) {
		ended = ended || byte == ';';
		if (!isspace(byte) && byte != '\0' && !strchr(",;{}", byte))
			return ended ? session_flaw(source->session, WIRE_NOTE_TRAILING, WIRE_FAIL_TRAILING) : WIRE_OK;
	}
	return WIRE_OK;
}

/* ---- colours ---- */

struct slot {
	uint64_t signs;
	uint8_t rgba[4];
	bool used;
};

struct decode {
	struct source source;
	uint32_t signs; /* a pixel */
	uint32_t colors;
	struct slot *slots; /* owned; a power of two of them, half of which are free at least */
	size_t slot_count, slots_used;
	uint8_t *line; /* owned: a row of signs, and behind it one of pixels */
};

static uint64_t join(const uint8_t *signs, size_t count)
{
	uint64_t joined = 0;

	memcpy(&joined, signs, count);
	return joined;
}

static struct slot *find_slot(struct slot *slots, size_t count, uint64_t signs)
{
	uint64_t hash = signs * UINT64_C(0x9e3779b97f4a7c15);
	size_t place = (size_t)(hash >> 32) & (count - 1);

	while (slots[place].used && slots[place].signs != signs)
		place = (place + 1) & (count - 1);
	return &slots[place];
}

static bool make_room(struct decode *decode)
{
	size_t count = decode->slot_count > 0 ? decode->slot_count * 2 : FIRST_SLOTS;

	if (decode->slots_used < decode->slot_count / 2)
		return true;
	struct slot *larger = calloc(count, sizeof(*larger));
	if (!larger)
		return false;
	for (size_t i = 0; i < decode->slot_count; i++)
		if (decode->slots[i].used)
			*find_slot(larger, count, decode->slots[i].signs) = decode->slots[i];
	free(decode->slots);
	decode->slots = larger;
	decode->slot_count = count;
	return true;
}

/* The next string of the source, cut to `most` bytes; *size: how long it is.  Returns WIRE_OK or WIRE_FAIL_TRUNCATED.
 */
static session_result next_string(struct decode *decode, uint8_t *line, size_t most, size_t *size)
{
	struct source *source = &decode->source;
	int byte = 0;

	*size = 0;
	do
		byte = source_next_of_code(source);
	while (byte != SOURCE_END && byte != '"' && byte != '}');
	if (byte != '"')
		return WIRE_FAIL_TRUNCATED;
	while ((byte = source_next(source)) != SOURCE_END && byte != '"')
		if (++*size <= most)
			line[*size - 1] = (uint8_t)byte;
	return byte == '"' ? WIRE_OK : WIRE_FAIL_TRUNCATED;
}

/* The next word of a line that ends with a zero byte, or NULL; *line goes on behind it. */
static char *next_word(char **line)
{
	char *word = *line + strspn(*line, " \t\r\n"), *end = word + strcspn(word, " \t\r\n");

	*line = *end ? end + 1 : end;
	*end = '\0';
	return *word ? word : NULL;
}

/* What a picture has of its kinds of colour: the first of these keys that there is counts. */
static session_result parse_color(char *line, uint8_t *rgba)
{
	static const char keys[KEYS][3] = { "c", "g", "g4", "m" };
	char names[KEYS + 1][LINE_MOST] = { "" }, *word = NULL;
	size_t key = KEYS, sizes[KEYS + 1] = { 0 };

	while ((word = next_word(&line)) != NULL) {
		size_t found = 0;
		while (found < KEYS && strcmp(word, keys[found]) != 0)
			found++;
		if (found < KEYS || strcmp(word, "s") == 0) {
			key = found;
			continue;
		}
		for (; *word; word++)
			names[key][sizes[key]++] = (char)tolower((unsigned char)*word);
	}
	for (key = 0; key < KEYS; key++)
		if (sizes[key] > 0)
			return xpm_color(names[key], rgba) ? WIRE_OK : WIRE_FAIL_UNSUPPORTED;
	return WIRE_FAIL_HEADER;
}

static session_result read_color(struct decode *decode)
{
	uint8_t line[LINE_MOST];
	size_t size = 0;
	session_result result = next_string(decode, line, sizeof(line) - 1, &size);

	if (result != WIRE_OK)
		return result;
	if (size < decode->signs || size >= sizeof(line))
		return WIRE_FAIL_HEADER;
	line[size] = '\0';
	if (!make_room(decode))
		return WIRE_FAIL_LIMIT_MEMORY;
	struct slot *slot = find_slot(decode->slots, decode->slot_count, join(line, decode->signs));
	decode->slots_used += !slot->used;
	slot->used = true;
	slot->signs = join(line, decode->signs);
	result = parse_color((char *)line + decode->signs, slot->rgba);
	if (slot->rgba[3] == 0)
		decode->source.image.flags |= WIRE_IMAGE_ALPHA;
	return result;
}

static bool parse_number(char **line, uint32_t *number)
{
	const char *word = next_word(line);
	uint64_t value = 0;

	for (; word && isdigit((unsigned char)*word) && value <= UINT32_MAX; word++)
		value = value * 10 + (uint64_t)(*word - '0');
	*number = (uint32_t)value;
	return word && *word == '\0' && value > 0 && value <= UINT32_MAX;
}

static session_result read_header(struct decode *decode)
{
	struct wire_image *image = &decode->source.image;
	char line[LINE_MOST], *rest = line;
	size_t size = 0;
	session_result result = next_string(decode, (uint8_t *)line, sizeof(line) - 1, &size);

	if (result != WIRE_OK)
		return result;
	line[size < sizeof(line) ? size : sizeof(line) - 1] = '\0';
	if (!parse_number(&rest, &image->width) || !parse_number(&rest, &image->height) ||
	    !parse_number(&rest, &decode->colors) || !parse_number(&rest, &decode->signs))
		return WIRE_FAIL_HEADER;
	if (decode->signs > SIGNS_MOST)
		return WIRE_FAIL_UNSUPPORTED;
	return session_check_size(decode->source.session, image->width, image->height, 1);
}

/* ---- pixels ---- */

static session_result read_row(struct decode *decode, uint8_t *pixels)
{
	uint32_t width = decode->source.image.width;
	size_t size = 0, wanted = (size_t)width * decode->signs;
	session_result result = next_string(decode, decode->line, wanted, &size);
	const uint8_t *signs = decode->line;

	if (result != WIRE_OK)
		return result;
	if (size < wanted)
		return WIRE_FAIL_DATA;
	for (uint32_t x = 0; x < width; x++, signs += decode->signs) {
		const struct slot *slot = find_slot(decode->slots, decode->slot_count, join(signs, decode->signs));
		if (!slot->used)
			return WIRE_FAIL_DATA;
		memcpy(pixels + (size_t)x * 4, slot->rgba, 4);
	}
	return WIRE_OK;
}

static session_result decode_rows(struct decode *decode)
{
	struct source *source = &decode->source;
	size_t signs = (size_t)source->image.width * decode->signs;
	session_result result = WIRE_OK;

	decode->line = malloc(signs + (size_t)source->image.width * 4);
	if (!decode->line)
		return WIRE_FAIL_LIMIT_MEMORY;
	uint8_t *pixels = decode->line + signs;
	for (uint32_t y = 0; y < source->image.height && result == WIRE_OK; y++) {
		result = read_row(decode, pixels);
		if (result != WIRE_OK)
			return session_damage(source->session, (enum wire_failure)result);
		result = rows_send(source->session, &source->image, PIXELS_RGBA, pixels, 0, 1);
	}
	return result == WIRE_OK ? source_end(source) : result;
}

static session_result xpm_decode(struct decode *decode)
{
	struct wire_image *image = &decode->source.image;
	session_result result = read_header(decode);

	for (uint32_t i = 0; i < decode->colors && result == WIRE_OK; i++)
		result = read_color(decode);
	image->color = WIRE_COLOR_PALETTE;
	image->depth = 8;
	image->channels = (image->flags & WIRE_IMAGE_ALPHA) != 0 ? 4 : 3;
	if (result == WIRE_OK)
		result = source_announce(&decode->source);
	return result == WIRE_OK ? decode_rows(decode) : result;
}

static session_result decode_source(struct session *session)
{
	struct decode decode = { .source = { .session = session, .input = { .session = session } } };
	session_result result =
	        session_request(session)->variant == VARIANT_XBM ? xbm_decode(&decode.source) : xpm_decode(&decode);

	free(decode.slots);
	free(decode.line);
	return result;
}

const struct decoder decoder = {
	.name = "xpm",
	.decode = decode_source,
};
