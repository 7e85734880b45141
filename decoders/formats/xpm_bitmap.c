/* SPDX-License-Identifier: MIT */
/* XBM: black and white, as numbers of one byte, or of two in those of X10. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "decoders/picture/rows.h"
#include "xpm.h"

enum { WORD_MOST = 128, DIGITS_MOST = 10 };

/* The next word of letters, digits and "_", or a single sign that is no blank; empty at the end.  What is too long of
 * it is left out in the middle, so that its end is there. */
static void next_word(struct source *source, int *ahead, char *word)
{
	size_t size = 0;

	while (*ahead != SOURCE_END && isspace(*ahead))
		*ahead = source_next_of_code(source);
	while (*ahead != SOURCE_END && (isalnum(*ahead) || *ahead == '_')) {
		if (size == WORD_MOST - 1) {
			size--;
			memmove(word + size / 2, word + size / 2 + 1, size - size / 2);
		}
		word[size++] = (char)*ahead;
		*ahead = source_next_of_code(source);
	}
	if (size == 0 && *ahead != SOURCE_END) {
		word[size++] = (char)*ahead;
		*ahead = source_next_of_code(source);
	}
	word[size] = '\0';
}

static bool ends_with(const char *word, const char *end)
{
	size_t size = strlen(word), end_size = strlen(end);

	return size >= end_size && strcmp(word + size - end_size, end) == 0;
}

/* A number as C writes it; false if it is none, or too large. */
static bool read_number(const char *word, uint32_t *number)
{
	bool hexadecimal = word[0] == '0' && (word[1] == 'x' || word[1] == 'X');
	const char *digit = word + (hexadecimal ? 2 : 0);
	uint64_t value = 0;

	if (*digit == '\0' || strlen(digit) > DIGITS_MOST)
		return false;
	for (; *digit; digit++) {
		int sign = tolower(*digit);
		if (!isdigit(sign) && !(hexadecimal && sign >= 'a' && sign <= 'f'))
			return false;
		value = value * (hexadecimal ? 16 : 10) + (uint64_t)(isdigit(sign) ? sign - '0' : sign - 'a' + 10);
	}
	*number = (uint32_t)value;
	return value <= UINT32_MAX;
}

/* Everything up to the brace in front of the numbers.  *bytes: of one number. */
static session_result read_header(struct source *source, int *ahead, size_t *bytes)
{
	char word[WORD_MOST], name[WORD_MOST] = "", before[WORD_MOST] = "";
	uint32_t number = 0;

	*bytes = 1;
	for (;;) {
		next_word(source, ahead, word);
		if (word[0] == '\0')
			return WIRE_FAIL_TRUNCATED;
		if (strcmp(word, "{") == 0)
			break;
		if (strcmp(word, "short") == 0)
			*bytes = 2;
		if (strcmp(before, "define") == 0)
			memcpy(name, word, sizeof(name));
		else if (read_number(word, &number) && ends_with(name, "width"))
			source->image.width = number;
		else if (read_number(word, &number) && ends_with(name, "height"))
			source->image.height = number;
		if (strcmp(before, "define") != 0)
			name[0] = '\0';
		memcpy(before, word, sizeof(before));
	}
	source->image.color = WIRE_COLOR_GRAY;
	source->image.channels = source->image.depth = 1;
	return source->image.width > 0 && source->image.height > 0 ? WIRE_OK : WIRE_FAIL_HEADER;
}

/* Numbers with signs between them, each with the leftmost pixel in its lowest bit. */
static session_result read_row(struct source *source, int *ahead, size_t bytes, uint8_t *row)
{
	char word[WORD_MOST];
	uint32_t number = 0;

	for (uint32_t x = 0; x < source->image.width;) {
		next_word(source, ahead, word);
		/* A number is whole when another sign follows. */
		if (word[0] == '\0' || *ahead == SOURCE_END)
			return WIRE_FAIL_TRUNCATED;
		if (word[0] == ',')
			continue;
		if (word[0] == '}')
			return WIRE_FAIL_TRUNCATED;
		if (!read_number(word, &number))
			return WIRE_FAIL_DATA;
		for (size_t bit = 0; bit < bytes * 8 && x < source->image.width; bit++)
			row[x++] = (number >> bit & 1) != 0 ? 0 : UINT8_MAX;
	}
	return WIRE_OK;
}

session_result xbm_decode(struct source *source)
{
	int ahead = source_next_of_code(source);
	size_t bytes = 1;
	session_result result = read_header(source, &ahead, &bytes);

	if (result == WIRE_OK)
		result = source_announce(source);
	if (result != WIRE_OK)
		return result;
	uint8_t *row = malloc(source->image.width);
	if (!row)
		return WIRE_FAIL_LIMIT_MEMORY;
	for (uint32_t y = 0; y < source->image.height && result == WIRE_OK; y++) {
		result = read_row(source, &ahead, bytes, row);
		if (result != WIRE_OK) {
			result = session_damage(source->session, (enum wire_failure)result);
			break;
		}
		result = rows_send(source->session, &source->image, PIXELS_GRAY, row, 0, 1);
	}
	free(row);
	return result == WIRE_OK ? source_end(source) : result;
}
