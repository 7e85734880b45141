/* SPDX-License-Identifier: MIT */
/* The headers of PNM and of PAM, PFM and farbfeld, as netpbm reads them. */
#include <string.h>

#include "pnm_decode.h"

enum {
	MAXVAL_MAX = 65535,
	LINE_MAX_BYTES = 255, /* of a PAM header, or of a number in a PFM header */
	LINES_MAX = 4096,     /* of a PAM header */
	FARBFELD_MARK = 8,
	NUMBER_MAX = 1 << 28, /* more than any that makes sense */
};

/* ---- text ---- */

int pnm_text(struct input *input)
{
	int byte = input_next(input);

	if (byte == '#')
		while (byte >= 0 && byte != '\n' && byte != '\r')
			byte = input_next(input);
	return byte;
}

static bool is_blank(int byte)
{
	return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r' || byte == '\v' || byte == '\f';
}

session_result pnm_number(struct input *input, uint32_t *number)
{
	int byte = pnm_text(input);

	*number = 0;
	while (is_blank(byte))
		byte = pnm_text(input);
	if (byte >= 0 && (byte < '0' || byte > '9'))
		return WIRE_FAIL_DATA;
	for (; byte >= '0' && byte <= '9'; byte = pnm_text(input))
		if (*number < NUMBER_MAX)
			*number = *number * 10 + (uint32_t)(byte - '0');
	return byte < 0 ? WIRE_FAIL_TRUNCATED : WIRE_OK;
}

/* In a header, what is no number is wrong with the header. */
static session_result header_number(struct input *input, uint32_t *number)
{
	session_result result = pnm_number(input, number);

	return result == WIRE_FAIL_DATA ? (session_result)WIRE_FAIL_HEADER : result;
}

static uint32_t bits_of(uint32_t maxval)
{
	uint32_t bits = 0;

	for (; maxval > 0; maxval >>= 1)
		bits++;
	return bits;
}

/* ---- PNM ---- */

session_result pnm_read_header(struct pnm *pnm)
{
	struct wire_image *image = &pnm->image;
	char magic[2];

	if (input_take(&pnm->input, magic, sizeof(magic)) < sizeof(magic))
		return WIRE_FAIL_TRUNCATED;
	if (magic[0] != 'P' || magic[1] < '1' || magic[1] > '6')
		return WIRE_FAIL_SIGNATURE;
	bool bits = magic[1] == '1' || magic[1] == '4';
	bool plain = magic[1] <= '3';
	bool color = magic[1] == '3' || magic[1] == '6';
	pnm->form = bits ? plain ? PNM_PLAIN_BITS : PNM_BITS : plain ? PNM_PLAIN : PNM_BINARY;
	session_result result = header_number(&pnm->input, &image->width);
	if (result == WIRE_OK)
		result = header_number(&pnm->input, &image->height);
	pnm->maxval = 1;
	if (result == WIRE_OK && !bits)
		result = header_number(&pnm->input, &pnm->maxval);
	if (result != WIRE_OK)
		return result;
	if (pnm->maxval == 0 || pnm->maxval > MAXVAL_MAX)
		return WIRE_FAIL_HEADER;
	image->color = color ? WIRE_COLOR_RGB : WIRE_COLOR_GRAY;
	image->channels = pnm->planes = color ? 3 : 1;
	image->depth = bits_of(pnm->maxval);
	return WIRE_OK;
}

/* ---- PAM ---- */

struct pam {
	uint32_t width, height, depth, maxval;
	char tuple_type[LINE_MAX_BYTES + 1];
};

/* A line without its end.  Returns WIRE_OK, or why there is none. */
static session_result read_line(struct input *input, char line[LINE_MAX_BYTES + 1])
{
	size_t size = 0;
	int byte = 0;

	while ((byte = input_next(input)) >= 0 && byte != '\n') {
		/* Of a comment, it is enough that it is one. */
		if (size == LINE_MAX_BYTES && line[0] != '#')
			return WIRE_FAIL_HEADER;
		if (size < LINE_MAX_BYTES)
			line[size++] = (char)byte;
	}
	while (size > 0 && is_blank(line[size - 1]))
		size--;
	line[size] = '\0';
	return byte < 0 ? WIRE_FAIL_TRUNCATED : WIRE_OK;
}

/* The value of a line that starts with the word, or NULL. */
static const char *value_of(const char *line, const char *word)
{
	size_t length = strlen(word);

	if (strncmp(line, word, length) != 0 || !is_blank(line[length]))
		return NULL;
	line += length;
	while (is_blank(*line))
		line++;
	return line;
}

static bool parse_number(const char *text, uint32_t *number)
{
	uint32_t value = 0;

	if (*text == '\0')
		return false;
	for (; *text >= '0' && *text <= '9'; text++)
		if (value < NUMBER_MAX)
			value = value * 10 + (uint32_t)(*text - '0');
	*number = value;
	return *text == '\0';
}

static bool take_line(struct pam *pam, const char *line)
{
	static const char *const words[] = { "WIDTH", "HEIGHT", "DEPTH", "MAXVAL" };
	uint32_t *const numbers[] = { &pam->width, &pam->height, &pam->depth, &pam->maxval };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		const char *value = value_of(line, words[i]);
		if (value)
			return parse_number(value, numbers[i]);
	}
	const char *type = value_of(line, "TUPLTYPE");
	/* One of several lines means nothing here: the whole type is none that has a meaning. */
	if (type && pam->tuple_type[0] != '\0')
		type = "?";
	if (type)
		memcpy(pam->tuple_type, type, strlen(type) + 1);
	return type || strcmp(line, "TUPLTYPE") == 0;
}

static session_result read_pam_lines(struct pnm *pnm, struct pam *pam)
{
	char line[LINE_MAX_BYTES + 1] = "";

	for (unsigned i = 0; i < LINES_MAX; i++) {
		session_result result = read_line(&pnm->input, line);
		const char *start = line;
		if (result != WIRE_OK)
			return result;
		while (is_blank(*start))
			start++;
		if (*start == '#' || *start == '\0')
			continue;
		if (strcmp(start, "ENDHDR") == 0)
			return WIRE_OK;
		if (!take_line(pam, start))
			return WIRE_FAIL_HEADER;
	}
	return WIRE_FAIL_HEADER;
}

/* What a pixel is: its channels, of which the last may be alpha. */
static session_result choose_tuple(struct pnm *pnm, const struct pam *pam)
{
	static const struct {
		const char *name;
		uint32_t channels, color;
		bool alpha;
	} types[] = {
		{ "BLACKANDWHITE", 1, WIRE_COLOR_GRAY, false },
		{ "BLACKANDWHITE_ALPHA", 2, WIRE_COLOR_GRAY, true },
		{ "GRAYSCALE", 1, WIRE_COLOR_GRAY, false },
		{ "GRAYSCALE_ALPHA", 2, WIRE_COLOR_GRAY, true },
		{ "RGB", 3, WIRE_COLOR_RGB, false },
		{ "RGB_ALPHA", 4, WIRE_COLOR_RGB, true },
		{ "CMYK", 4, WIRE_COLOR_CMYK, false },
	};
	struct wire_image *image = &pnm->image;

	pnm->planes = pam->depth;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (strcmp(pam->tuple_type, types[i].name) != 0)
			continue;
		image->channels = types[i].channels;
		image->color = types[i].color;
		image->flags = types[i].alpha ? WIRE_IMAGE_ALPHA : 0;
		return pam->depth < types[i].channels ? WIRE_FAIL_HEADER : WIRE_OK;
	}
	image->channels = pam->depth;
	image->color = pam->depth <= 2 ? WIRE_COLOR_GRAY : WIRE_COLOR_RGB;
	image->flags = pam->depth % 2 == 0 ? WIRE_IMAGE_ALPHA : 0;
	return WIRE_OK;
}

session_result pnm_read_pam_header(struct pnm *pnm)
{
	enum { PLANES_MAX = 4 };
	struct pam pam = { 0 };
	char magic[3];

	if (input_take(&pnm->input, magic, sizeof(magic)) < sizeof(magic))
		return WIRE_FAIL_TRUNCATED;
	if (memcmp(magic, "P7\n", sizeof(magic)) != 0)
		return WIRE_FAIL_SIGNATURE;
	session_result result = read_pam_lines(pnm, &pam);
	if (result != WIRE_OK)
		return result;
	if (pam.depth == 0 || pam.maxval == 0 || pam.maxval > MAXVAL_MAX)
		return WIRE_FAIL_HEADER;
	if (pam.depth > PLANES_MAX)
		return WIRE_FAIL_UNSUPPORTED;
	pnm->form = PNM_BINARY;
	pnm->maxval = pam.maxval;
	pnm->image.width = pam.width;
	pnm->image.height = pam.height;
	pnm->image.depth = bits_of(pam.maxval);
	return choose_tuple(pnm, &pam);
}

/* ---- PFM ---- */

/* A decimal number without an exponent or with one, as printf() writes it: strtof() would ask for the locale.  Zero is
 * no scale. */
static bool parse_scale(const char *text, float *scale)
{
	enum { EXPONENT_MAX = 30 };
	double value = 0, place = 1;
	bool negative = *text == '-', point = false;
	uint32_t exponent = 0;

	if (*text == '-' || *text == '+')
		text++;
	for (; (*text >= '0' && *text <= '9') || (*text == '.' && !point); text++) {
		if (*text == '.') {
			point = true;
			continue;
		}
		value = value * 10 + (*text - '0');
		place = point ? place * 10 : place;
	}
	value /= place;
	if (*text == 'e' || *text == 'E') {
		bool small = text[1] == '-';
		text += text[1] == '-' || text[1] == '+' ? 2 : 1;
		if (!parse_number(text, &exponent) || exponent > EXPONENT_MAX)
			return false;
		for (; exponent > 0; exponent--)
			value = small ? value / 10 : value * 10;
		text += strlen(text);
	}
	*scale = (float)(negative ? -value : value);
	return *text == '\0' && value > 1e-30 && value < 1e30;
}

/* The word that the next blank ends. */
static session_result read_word(struct input *input, char word[LINE_MAX_BYTES + 1])
{
	int byte = pnm_text(input);
	size_t size = 0;

	while (is_blank(byte))
		byte = pnm_text(input);
	for (; byte >= 0 && !is_blank(byte); byte = input_next(input)) {
		if (size == LINE_MAX_BYTES)
			return WIRE_FAIL_HEADER;
		word[size++] = (char)byte;
	}
	word[size] = '\0';
	return byte < 0 ? WIRE_FAIL_TRUNCATED : WIRE_OK;
}

session_result pnm_read_pfm_header(struct pnm *pnm)
{
	struct wire_image *image = &pnm->image;
	char word[LINE_MAX_BYTES + 1] = "";
	char magic[2];

	if (input_take(&pnm->input, magic, sizeof(magic)) < sizeof(magic))
		return WIRE_FAIL_TRUNCATED;
	if (magic[0] != 'P' || (magic[1] != 'F' && magic[1] != 'f'))
		return WIRE_FAIL_SIGNATURE;
	session_result result = header_number(&pnm->input, &image->width);
	if (result == WIRE_OK)
		result = header_number(&pnm->input, &image->height);
	if (result == WIRE_OK)
		result = read_word(&pnm->input, word);
	if (result != WIRE_OK)
		return result;
	if (!parse_scale(word, &pnm->scale))
		return WIRE_FAIL_HEADER;
	pnm->big_endian = pnm->scale > 0;
	pnm->scale = pnm->scale > 0 ? pnm->scale : -pnm->scale;
	pnm->form = PNM_FLOATS;
	image->color = magic[1] == 'F' ? WIRE_COLOR_RGB : WIRE_COLOR_GRAY;
	image->channels = pnm->planes = magic[1] == 'F' ? 3 : 1;
	image->depth = 32;
	image->flags = WIRE_IMAGE_FLOAT;
	return WIRE_OK;
}

/* ---- farbfeld ---- */

session_result pnm_read_farbfeld_header(struct pnm *pnm)
{
	struct wire_image *image = &pnm->image;
	uint8_t header[FARBFELD_MARK + 8];
	size_t size = input_take(&pnm->input, header, sizeof(header));

	if (memcmp(header, "farbfeld", size < FARBFELD_MARK ? size : FARBFELD_MARK) != 0)
		return WIRE_FAIL_SIGNATURE;
	if (size < sizeof(header))
		return WIRE_FAIL_TRUNCATED;
	image->width = input_be32(header + FARBFELD_MARK);
	image->height = input_be32(header + FARBFELD_MARK + 4);
	image->color = WIRE_COLOR_RGB;
	image->channels = pnm->planes = 4;
	image->depth = 16;
	image->flags = WIRE_IMAGE_ALPHA;
	pnm->maxval = MAXVAL_MAX;
	pnm->form = PNM_BINARY;
	return WIRE_OK;
}
